package remoteuser

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/origin"
)

// A Site is what the middleware needs of an auth.Auth.
type Site interface {
	// Entry is auth.Auth.Entry.
	Entry(r *http.Request) (auth.Entry, error)
	// Enter is auth.Auth.Enter.
	Enter(r *http.Request, creds any) error
	// Logout is auth.Auth.Logout.
	Logout(r *http.Request) error
}

// Handler makes the user of each request to next the one whom the proxy names. It stands inside the handler of site, whose back ends
// have to include b. By Django's rules:
//
//   - no header: a login that came by b ends, unless Config.Persistent; any other is left alone;
//   - the name of the user who is logged in already: nothing happens, and nothing is asked;
//   - another name: a login that came by b ends, with all data of its session, before the new one begins (CVE-2014-0482);
//   - a name that is refused, or an empty one: as for another name, and nobody is logged in.
func (b *Backend) Handler(site Site, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if auth.OwnCredentials(r) { // a token says who it is
			next.ServeHTTP(w, r)
			return
		}
		if err := b.settle(site, r); err != nil {
			b.cfg.Error(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// settle makes the request's user the one whom the proxy names.
func (b *Backend) settle(site Site, r *http.Request) error {
	said, present := b.read(r)
	entry, err := site.Entry(r)
	if err != nil {
		return err
	}
	mine := entry.User != nil && entry.Backend == b.cfg.Name
	if !present {
		if mine && !b.cfg.Persistent {
			return site.Logout(r)
		}
		return nil
	}
	if entry.User != nil {
		name := said.Name
		if mine {
			name = b.cfg.Clean(name)
		}
		if b.cfg.Username(entry.User) == name && (mine || !entry.Half) {
			return nil
		}
		if mine {
			if err := site.Logout(r); err != nil {
				return err
			}
		}
	}
	if said.Name == "" {
		return nil
	}
	err = site.Enter(r, said)
	var more *auth.Incomplete
	switch {
	case errors.As(err, &more): // the guards send people on
		return nil
	case errors.Is(err, auth.ErrInvalid):
		b.cfg.Logger.WarnContext(r.Context(), "remoteuser: the user whom the proxy names may not log in", "name", printable(said.Name))
		return nil
	}
	return err
}

// read returns what the headers of a trusted proxy say, and whether one of them names a user.
func (b *Backend) read(r *http.Request) (said Said, present bool) {
	trusted := b.trusts(origin.From(r))
	for name := range r.Header {
		if strings.Contains(name, "_") && slices.Contains(b.headers, http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))) {
			b.ignored(r, name, "underscores stand for nothing") // CVE-2026-3902
		}
	}
	said.Name, present = b.line(r, b.cfg.Header, trusted)
	if !present {
		return Said{}, false
	}
	said.Email, _ = b.line(r, b.cfg.EmailHeader, trusted)
	said.FullName, _ = b.line(r, b.cfg.FullNameHeader, trusted)
	groups, _ := b.line(r, b.cfg.GroupsHeader, trusted)
	for group := range strings.SplitSeq(groups, ",") {
		if group = strings.TrimSpace(group); group != "" {
			said.Groups = append(said.Groups, group)
		}
	}
	return said, true
}

// line returns the one line of a header of that name, if a trusted proxy has sent it.
func (b *Backend) line(r *http.Request, name string, trusted bool) (string, bool) {
	lines := r.Header[name]
	switch {
	case name == "" || len(lines) == 0:
		return "", false
	case !trusted:
		b.ignored(r, name, "the peer is no trusted proxy")
		return "", false
	case len(lines) > 1:
		b.ignored(r, name, "it is there more than once: the proxy has to overwrite what the visitor sent")
		return "", false
	}
	return lines[0], true
}

func (b *Backend) trusts(at *origin.Info) bool {
	if len(b.cfg.Proxies) == 0 {
		return at.Trusted
	}
	return slices.ContainsFunc(b.cfg.Proxies, func(p netip.Prefix) bool { return p.Contains(at.Peer) })
}

func (b *Backend) ignored(r *http.Request, name, why string) {
	b.cfg.Logger.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelWarn, "remoteuser: header ignored",
		slog.String("header", printable(name)), slog.String("why", why), slog.String("peer", origin.From(r).Peer.String()))
}

// longest is how many bytes of a text from outside go into the log.
const longest = 256

// printable escapes what could forge a line of a log.
func printable(s string) string {
	quoted := strconv.Quote(s[:min(len(s), longest)])
	return quoted[1 : len(quoted)-1]
}
