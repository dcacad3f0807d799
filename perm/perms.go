package perm

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Perms answers what one subject may do, for as long as one request lasts. Each source is asked for its sets at most once, when
// a question first needs them; also a failure is kept, so that a source which hangs costs one wait. Its methods may be called
// concurrently, and on nil, which has no permission.
type Perms struct {
	ctx     context.Context
	subject Subject
	sources []*asked
	obj     any    // nil: whatever the object
	plain   *Perms // of a view of one object: the Perms it was made from
	limit   *Set   // nil: none
	err     error  // why nothing is known
}

// For returns the permissions that the sources give s. ctx is used for as long as the answer is.
func For(ctx context.Context, s Subject, sources ...Source) *Perms {
	p := &Perms{ctx: ctx, subject: s}
	for _, source := range sources {
		p.sources = append(p.sources, &asked{source: source})
	}
	return p
}

// Unknown returns the Perms of somebody about whom nothing is known because of err: the answer to every question is err.
func Unknown(err error) *Perms { return &Perms{err: err} }

// On returns the permissions for one object, Django's obj argument. A nil obj means whatever the object.
func (p *Perms) On(obj any) *Perms {
	if p == nil || obj == nil || p.err != nil {
		return p
	}
	plain := p
	if p.plain != nil {
		plain = p.plain
	}
	view := &Perms{ctx: p.ctx, subject: p.subject, obj: obj, plain: plain, limit: p.limit}
	for _, a := range plain.sources {
		view.sources = append(view.sources, &asked{source: a.source})
	}
	return view
}

// Subject returns whom the answers are about.
func (p *Perms) Subject() Subject {
	if p == nil {
		return Subject{}
	}
	return p.subject
}

// Has reports whether the subject has a permission, such as "blog.add_post": Django's has_perm. A name that nobody has ever
// made is one that only superusers have.
func (p *Perms) Has(name string) (bool, error) {
	if p != nil && p.err == nil && p.limit != nil && !p.limit.Has(name) {
		return false, nil
	}
	return p.any(func(a *asked) (bool, error) {
		if d, ok := a.source.(Decider); ok {
			return d.Decide(p.ctx, p.subject, name, p.obj)
		}
		g, err := a.grants(p)
		return g.Direct.Has(name) || g.Group.Has(name), err
	})
}

// HasAll reports whether the subject has all of these permissions: Django's has_perms. Of none it has all.
func (p *Perms) HasAll(names ...string) (bool, error) {
	_, missing, err := p.Missing(names...)
	return !missing && err == nil, err
}

// Missing returns the first of these permissions that the subject does not have, and whether there is one.
func (p *Perms) Missing(names ...string) (name string, missing bool, err error) {
	for _, name := range names {
		if ok, err := p.Has(name); err != nil || !ok {
			return name, err == nil, err
		}
	}
	return "", false, nil
}

// Module reports whether the subject has any permission of the app with this label, whatever the object: Django's
// has_module_perms.
func (p *Perms) Module(app string) (bool, error) {
	if p != nil && p.plain != nil {
		return p.plain.Module(app)
	}
	if p != nil && p.err == nil && p.limit != nil {
		return p.limitedModule(app)
	}
	return p.any(func(a *asked) (bool, error) {
		if d, ok := a.source.(ModuleDecider); ok {
			return d.DecideModule(p.ctx, p.subject, app)
		}
		g, err := a.grants(p)
		return g.Direct.HasModule(app) || g.Group.HasModule(app), err
	})
}

// any asks the sources in their order until one says yes or denies.
func (p *Perms) any(ask func(*asked) (bool, error)) (bool, error) {
	switch {
	case p == nil:
		return false, nil
	case p.err != nil:
		return false, p.err
	case p.subject.Active && p.subject.Superuser:
		return true, nil
	}
	for _, a := range p.sources {
		switch ok, err := ask(a); {
		case errors.Is(err, ErrDenied):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("perm: %w", err)
		case ok:
			return true, nil
		}
	}
	return false, nil
}

// Direct returns what the sources give the subject itself: Django's get_user_permissions. An active superuser is given all
// there are. A source that denies makes it an [ErrDenied].
func (p *Perms) Direct() (Set, error) { return p.union(func(g Grants) Set { return g.Direct }) }

// Group returns what the subject has by its groups: Django's get_group_permissions. See [Perms.Direct].
func (p *Perms) Group() (Set, error) { return p.union(func(g Grants) Set { return g.Group }) }

// All returns what the sources list for the subject: Django's get_all_permissions. See [Perms.Direct].
func (p *Perms) All() (Set, error) {
	return p.union(func(g Grants) Set { return g.Direct.Union(g.Group) })
}

func (p *Perms) union(part func(Grants) Set) (Set, error) {
	if p == nil {
		return Set{}, nil
	}
	if p.err != nil {
		return Set{}, p.err
	}
	var all Set
	for _, a := range p.sources {
		g, err := a.grants(p)
		if err != nil {
			return Set{}, fmt.Errorf("perm: %w", err)
		}
		all = all.Union(part(g))
	}
	if p.limit != nil {
		all = all.Intersect(*p.limit)
	}
	return all, nil
}

// asked is a source and its answer about one subject, and one object if the Perms is about one.
type asked struct {
	source Source
	once   sync.Once
	found  Grants
	err    error
}

func (a *asked) grants(p *Perms) (Grants, error) {
	a.once.Do(func() {
		if p.obj == nil {
			a.found, a.err = a.source.Permissions(p.ctx, p.subject)
		} else if o, ok := a.source.(ObjectSource); ok {
			a.found, a.err = o.ObjectPermissions(p.ctx, p.subject, p.obj)
		}
	})
	return a.found, a.err
}
