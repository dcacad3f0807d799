package respond

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// ErrTooLate says that something needed the response's header after it was sent.
var ErrTooLate = errors.New("the response header was already sent")

// Late returns ErrTooLate, wrapped with op, and logs the app's file and line that asked for op: the first caller outside
// Cardea. Each place is logged once a request.
func (x *Exchange) Late(op string) error {
	x.logLate(op)
	return fmt.Errorf("%s: %w", op, ErrTooLate)
}

func (x *Exchange) logLate(op string) {
	caller := firstCaller()
	x.mu.Lock()
	known := slices.Contains(x.reported, caller.PC)
	if !known {
		x.reported = append(x.reported, caller.PC)
	}
	x.mu.Unlock()
	if known {
		return
	}
	x.logger().WarnContext(x.req.Context(), "too late: the response header was already sent", "op", op,
		"caller", fmt.Sprintf("%s:%d", caller.File, caller.Line), "method", x.req.Method, "path", x.req.URL.Path)
}

// firstCaller returns the innermost frame of the app, or, when Cardea called itself, of the package that called this one.
func firstCaller() runtime.Frame {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var fallback runtime.Frame
	for {
		frame, more := frames.Next()
		if isApp(frame) {
			return frame
		}
		if fallback.PC == 0 && packageOf(frame) != module+"/internal/respond" {
			fallback = frame
		}
		if !more {
			return fallback
		}
	}
}

const module = "github.com/cardea-go/cardea"

// isApp tells the app's frames from Cardea's and from the machinery between them, such as a template that calls a method.
// Cardea's own tests and examples are apps: their names end in _test, or are main.
func isApp(frame runtime.Frame) bool {
	switch pkg := packageOf(frame); pkg {
	case "", "runtime", "reflect", "fmt", "io", "sync", "encoding/json",
		"net/http", "net/http/httputil", "text/template", "html/template":
		return false
	default:
		inside := pkg == module || strings.HasPrefix(pkg, module+"/")
		return !inside || strings.HasSuffix(pkg, "_test") || strings.HasSuffix(frame.File, "_test.go") ||
			strings.HasPrefix(pkg, module+"/examples/")
	}
}

// packageOf returns the import path in a function's name, such as net/http.(*Server).Serve.
func packageOf(frame runtime.Frame) string {
	name := frame.Function
	slash := strings.LastIndexByte(name, '/') + 1
	if dot := strings.IndexByte(name[slash:], '.'); dot >= 0 {
		return name[:slash+dot]
	}
	return name
}
