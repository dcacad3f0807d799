package origin

import (
	"context"
	"net/http"
)

type key struct{}

// attach puts info where From finds it.
func attach(r *http.Request, _ *Origin, info *Info) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), key{}, info))
}

func find(ctx context.Context) (*Info, bool) {
	info, ok := ctx.Value(key{}).(*Info)
	return info, ok
}
