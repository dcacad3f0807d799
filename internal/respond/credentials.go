package respond

// Self marks a request that says by itself, in its header, who sends it: it has no session, none is read and none is made. With
// explicit, no browser sends such a thing by itself, so that no foreign page can have caused the request.
func (x *Exchange) Self(explicit bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.self, x.explicit = true, explicit
}

// Sessionless reports whether Self was called.
func (x *Exchange) Sessionless() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.self
}

// Explicit reports whether Self was called with explicit.
func (x *Exchange) Explicit() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.explicit
}
