package auth

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
)

// A DeniedError says that a guard turned somebody away who is logged in. It has been logged, with all of its fields. The answer
// is 403 and shows the ID, by which the people who run the site find the line in the log, and nothing else of it. It is not an
// [ErrInvalid]: nothing is wrong with the login.
type DeniedError struct {
	ID         string // stands in the log too
	Guard      string // "RequirePermission", "RequireTest", "AnonymousOnly", "RequireSession" or "Fresh"
	UserID     string
	Permission string // the first that is missing, for RequirePermission
	Reason     string // for the people who run the site
}

func (e *DeniedError) Error() string {
	if e.Permission != "" {
		return fmt.Sprintf("auth: denied by %s: %s: %s (%s)", e.Guard, e.Reason, e.Permission, e.ID)
	}
	return fmt.Sprintf("auth: denied by %s: %s (%s)", e.Guard, e.Reason, e.ID)
}

// deny logs a denial and answers it.
func (a *Auth[U]) deny(w http.ResponseWriter, r *http.Request, e DeniedError) {
	e.ID = rand.Text()[:10]
	attrs := []slog.Attr{
		slog.String("id", e.ID), slog.String("guard", e.Guard), slog.String("reason", printable(e.Reason)),
		slog.String("user", printable(e.UserID)), slog.String("method", printable(r.Method)), slog.String("path", printable(r.URL.Path)),
	}
	if e.Permission != "" {
		attrs = append(attrs, slog.String("permission", printable(e.Permission)))
	}
	a.cfg.Logger.LogAttrs(r.Context(), slog.LevelWarn, "auth: request denied", attrs...)
	a.cfg.Error(w, r, &e)
}

// longest is how many bytes of a text from outside go into the log.
const longest = 512

// printable escapes what could forge a line of a log, or hide part of one: control characters, line separators, marks of
// direction and bytes that are no UTF-8. Not every slog.Handler does.
func printable(s string) string {
	cut := ""
	if len(s) > longest {
		s, cut = s[:longest], "…"
	}
	quoted := strconv.Quote(s)
	return quoted[1:len(quoted)-1] + cut
}
