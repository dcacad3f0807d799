package respond

import (
	"fmt"
	"log/slog"
)

func (x *Exchange) logger() *slog.Logger {
	if x.cfg.Logger != nil {
		return x.cfg.Logger
	}
	return slog.Default()
}

// logError logs with the request's path but not its query, which may hold secrets.
func (x *Exchange) logError(message string, err error) {
	x.logger().ErrorContext(x.req.Context(), message, "method", x.req.Method, "path", x.req.URL.Path, "err", err)
}

func (x *Exchange) logPanic(message string, p *PanicError) {
	x.logger().ErrorContext(x.req.Context(), message, "method", x.req.Method, "path", x.req.URL.Path,
		"panic", fmt.Sprint(p.Value), "stack", string(p.Stack))
}
