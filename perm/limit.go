package perm

import "strings"

// Within returns the permissions of the same subject that are in the limit too, as for a token that may not do all that its owner
// may. It binds superusers as well: they have what the limit names. Nothing that p does not have is in it; of two limits both count.
func (p *Perms) Within(limit Set) *Perms {
	if p == nil || p.err != nil {
		return p
	}
	if p.limit != nil {
		limit = limit.Intersect(*p.limit)
	}
	inner := &Perms{ctx: p.ctx, subject: p.subject, sources: p.sources, obj: p.obj, limit: &limit}
	if p.plain != nil {
		inner.plain = p.plain.Within(limit)
	}
	return inner
}

// limitedModule is Module for those who have a limit: one of its permissions has to be theirs, whatever a ModuleDecider says.
func (p *Perms) limitedModule(app string) (bool, error) {
	if !p.limit.HasModule(app) {
		return false, nil
	}
	for name := range p.limit.All() {
		if !strings.HasPrefix(name, app+".") {
			continue
		}
		if ok, err := p.Has(name); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
