package password

// Work is what one run of a key derivation function costs.
type Work struct {
	// Kind is the function: pbkdf2_sha256, pbkdf2_sha1, argon2, bcrypt, scrypt or md5.
	Kind string
	// Units is how much of it: iterations for PBKDF2, KiB times passes for Argon2, 2 to the cost for bcrypt, N·r·p for
	// scrypt, 1 for MD5. Time grows in proportion.
	Units int64
	// Memory is what the run needs at its peak, in bytes; 0 when it does not matter.
	Memory int64
}

// A run is work that can be done for its cost alone.
type run struct {
	work Work
	do   func(password string)
}

// A hardener is a Hash that can make up for parameters older than its hasher's.
type hardener interface {
	// harden returns the runs that, with one Verify, cost as much as one Encode of the hasher does.
	harden() []run
}

// A sampler is a Hasher that can show how fast it is by a run smaller than Encode.
type sampler interface {
	sample() run
}
