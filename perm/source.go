package perm

import (
	"context"
	"errors"
)

// ErrDenied is a source's answer "no, and ask nobody else", Django's PermissionDenied.
var ErrDenied = errors.New("permission denied")

// A Subject is whom a question is about. The zero value is a visitor whom nobody knows.
type Subject struct {
	ID        string // primary key, in the text form that Django writes into sessions; empty: nobody is logged in
	Active    bool
	Superuser bool
	User      any // the site's own user value, for sources that look at more; nil for a visitor whom nobody knows
}

// Grants are what one source gives a subject.
type Grants struct {
	Direct Set // given to the subject itself
	Group  Set // by the groups it belongs to
}

// A Source knows permissions, as one of Django's authentication back ends does. Its methods may be called concurrently.
type Source interface {
	// Permissions returns what s has, whatever the object. It is asked about inactive and unknown subjects too, and gives
	// them nothing unless it means to. For an active superuser, who has every permission anyway, it returns all that it
	// knows, as Direct and as Group. [ErrDenied] means that the answer to every question is no; any other error that nothing
	// is known.
	Permissions(ctx context.Context, s Subject) (Grants, error)
}

// A Decider is a [Source] that answers questions one by one. Its sets are then only listed, never looked into for an answer.
type Decider interface {
	// Decide reports whether s has a permission, for obj if that is not nil. A no lets the next source be asked, [ErrDenied]
	// does not.
	Decide(ctx context.Context, s Subject, name string, obj any) (bool, error)
}

// A ModuleDecider is a [Source] that answers by itself whether a subject has any permission of an app.
type ModuleDecider interface {
	// DecideModule reports whether s has any permission of the app with this label, with the errors of Decide.
	DecideModule(ctx context.Context, s Subject, app string) (bool, error)
}

// An ObjectSource is a [Source] that has sets of permissions for single objects. A source that is neither this nor a
// [Decider] says nothing about objects.
type ObjectSource interface {
	// ObjectPermissions returns what s has for obj, with the errors of Permissions.
	ObjectPermissions(ctx context.Context, s Subject, obj any) (Grants, error)
}

// Func is a [Source] made of one function, which is its Decide: the hook for permissions that depend on an object. It lists
// nothing.
type Func func(ctx context.Context, s Subject, name string, obj any) (bool, error)

// Permissions implements [Source].
func (f Func) Permissions(context.Context, Subject) (Grants, error) { return Grants{}, nil }

// Decide implements [Decider].
func (f Func) Decide(ctx context.Context, s Subject, name string, obj any) (bool, error) {
	return f(ctx, s, name, obj)
}
