package perm

import "context"

type prefetch struct{}

// Prefetch asks whoever loads a user with ctx to bring the names of the user's groups along, and, if permissions says so, what the user
// may do, in the same statement, for those who will ask for them in any case. It is a wish: who does not know how loads the user alone.
func Prefetch(ctx context.Context, permissions bool) context.Context {
	return context.WithValue(ctx, prefetch{}, permissions)
}

// Prefetched reports what [Prefetch] has asked for.
func Prefetched(ctx context.Context) (groups, permissions bool) {
	permissions, groups = ctx.Value(prefetch{}).(bool)
	return groups, permissions
}
