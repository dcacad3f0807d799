package forwardauth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/perm"
)

// A Site is what is needed of an auth.Auth.
type Site interface {
	// Peek is auth.Auth.Peek.
	Peek(r *http.Request) (auth.User, error)
	// Permissions is auth.Auth.Permissions.
	Permissions(r *http.Request) *perm.Perms
	// Limit is auth.Auth.Limit.
	Limit(r *http.Request) (perm.Set, bool)
}

// A Person is what the programs behind the proxy are told about a user.
type Person struct {
	Username string // never empty
	Name     string
	Email    string
	Groups   []string
}

// Config says who may pass. Rules and Describe are required.
type Config struct {
	// Rules are looked through in their order.
	Rules []Rule
	// Describe says who a user is. The context asks for the groups to be loaded with the user, see perm.Prefetch.
	Describe func(ctx context.Context, user auth.User) (Person, error)
	// LoginURL is where people log in: a path on the host of the program itself, or the absolute URL of the log-in page on another
	// one, which has to accept the rules' hosts in "next" (see [Hosts]). Defaults to "/accounts/login/".
	LoginURL string
	// Error answers with an *auth.DeniedError, 403, or an outage, 503. Defaults to a line of plain text.
	Error func(w http.ResponseWriter, r *http.Request, err error)
	// Logger hears whom a rule has turned away, and of proxies that say too little. Defaults to slog.Default().
	Logger *slog.Logger
}

// A Handler answers a proxy. Make one with [New]; it stands inside the site's Handler, at an address that the proxy asks.
//
// The address may say "?redirect": a browser whose visitor has to log in is then sent there with 302, which Caddy and Traefik
// pass on. Otherwise the answer is 401 and Location says where, as nginx needs it.
type Handler struct {
	site   Site
	cfg    Config
	byHost map[string][]Rule
}

// New checks a configuration. A rule that could never be reached, or that makes no sense, is an error.
func New(site Site, cfg Config) (*Handler, error) {
	if site == nil || cfg.Describe == nil {
		return nil, errors.New("forwardauth: New needs a site and Config.Describe")
	}
	if len(cfg.Rules) == 0 {
		return nil, errors.New("forwardauth: Config.Rules is empty: nobody could pass")
	}
	byHost, err := checkRules(cfg.Rules)
	if err != nil {
		return nil, fmt.Errorf("forwardauth: %w", err)
	}
	if cfg.LoginURL == "" {
		cfg.LoginURL = "/accounts/login/"
	}
	if !strings.HasPrefix(cfg.LoginURL, "https://") && !strings.HasPrefix(cfg.LoginURL, "http://") &&
		(!strings.HasPrefix(cfg.LoginURL, "/") || strings.HasPrefix(cfg.LoginURL, "//")) {
		return nil, fmt.Errorf("forwardauth: Config.LoginURL %q is neither a path that starts with one slash nor a URL of http or https", cfg.LoginURL)
	}
	if cfg.Error == nil {
		cfg.Error = plainError
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Handler{site: site, cfg: cfg, byHost: byHost}, nil
}

// Hosts returns the hosts that rules name, each once, in the form in which a log-in page compares them, or why New would refuse the
// rules: for cardea.Config's SuccessURLAllowedHosts.
func Hosts(rules []Rule) ([]string, error) {
	byHost, err := checkRules(rules)
	if err != nil {
		return nil, fmt.Errorf("forwardauth: %w", err)
	}
	return slices.Sorted(maps.Keys(byHost)), nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Ask by GET.", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Cache-Control", "no-store, private")
	asked, err := read(r)
	if err != nil {
		h.cfg.Logger.WarnContext(r.Context(), "forwardauth: not a question that can be answered", "why", err.Error(), "peer", origin.From(r).Peer.String())
		http.Error(w, "This address answers proxies.", http.StatusForbidden)
		return
	}
	rule, reason := find(h.byHost[asked.host], asked.uri)
	switch {
	case reason != "":
		h.deny(w, r, asked, auth.DeniedError{Reason: reason})
	case rule.Public:
		Person{}.write(w.Header())
		w.WriteHeader(http.StatusOK)
	default:
		h.decide(w, r.WithContext(perm.Prefetch(r.Context(), len(rule.Permissions) > 0)), asked, rule)
	}
}

// decide answers by who the visitor is.
func (h *Handler) decide(w http.ResponseWriter, r *http.Request, asked question, rule Rule) {
	user, err := h.site.Peek(r)
	switch {
	case errors.Is(err, auth.ErrAnonymous):
		h.login(w, r, asked, err)
		return
	case err != nil:
		h.cfg.Error(w, r, err)
		return
	}
	person, err := h.cfg.Describe(r.Context(), user)
	if err == nil && person.Username == "" {
		err = errors.New("forwardauth: the user has no name")
	}
	if err != nil {
		h.cfg.Error(w, r, err)
		return
	}
	_, limited := h.site.Limit(r)
	if limited && len(rule.Groups) > 0 {
		h.deny(w, r, asked, auth.DeniedError{UserID: user.AuthID(), Reason: "the token is limited to permissions, and the rule asks for a group"})
		return
	}
	if len(rule.Groups) > 0 && !slices.ContainsFunc(rule.Groups, func(g string) bool { return slices.Contains(person.Groups, g) }) {
		h.deny(w, r, asked, auth.DeniedError{UserID: user.AuthID(), Reason: "in none of the groups of the rule"})
		return
	}
	name, missing, err := h.site.Permissions(r).Missing(rule.Permissions...)
	switch {
	case err != nil:
		h.cfg.Error(w, r, err)
		return
	case missing:
		h.deny(w, r, asked, auth.DeniedError{UserID: user.AuthID(), Permission: name, Reason: "the permission is missing"})
		return
	}
	if limited { // the program would take the groups for what the request may do
		person.Groups = nil
	}
	person.write(w.Header())
	w.WriteHeader(http.StatusOK)
}

// login says where to log in.
func (h *Handler) login(w http.ResponseWriter, r *http.Request, asked question, err error) {
	if !auth.AcceptsPages(r) {
		http.Error(w, "Log in first.", http.StatusUnauthorized)
		return
	}
	entrance := h.cfg.LoginURL
	var more *auth.Incomplete
	if errors.As(err, &more) && more.URL != "" {
		entrance = beside(entrance, more.URL)
	}
	at := origin.From(r)
	if strings.HasPrefix(entrance, "/") {
		entrance = at.Prefix + entrance
	}
	target := origin.LoginRedirect(asked.uri, entrance, &origin.Info{Scheme: at.Scheme, Host: asked.host})
	if r.URL.Query().Has("redirect") {
		if err := origin.Redirect(w, r, target, http.StatusFound); err != nil {
			h.cfg.Error(w, r, err)
		}
		return
	}
	w.Header().Set("Location", target)
	http.Error(w, "Log in first.", http.StatusUnauthorized)
}

// beside puts a path of the site where the log-in page is.
func beside(login, path string) string {
	if strings.HasPrefix(login, "/") || !strings.HasPrefix(path, "/") {
		return path
	}
	scheme, rest, _ := strings.Cut(login, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host + path
}

// deny logs a refusal and answers it.
func (h *Handler) deny(w http.ResponseWriter, r *http.Request, asked question, e auth.DeniedError) {
	e.ID, e.Guard = rand.Text()[:10], "forwardauth"
	h.cfg.Logger.LogAttrs(r.Context(), slog.LevelWarn, "forwardauth: request denied",
		slog.String("id", e.ID), slog.String("reason", e.Reason), slog.String("user", e.UserID), slog.String("permission", e.Permission),
		slog.String("method", printable(asked.method)), slog.String("host", printable(asked.host)), slog.String("uri", printable(asked.uri)))
	h.cfg.Error(w, r, &e)
}

func plainError(w http.ResponseWriter, _ *http.Request, err error) {
	var denied *auth.DeniedError
	if errors.As(err, &denied) {
		http.Error(w, "This is not open to you. If you think it should be, tell the people who run this site the number "+denied.ID+".", http.StatusForbidden)
		return
	}
	http.Error(w, "Something we depend on does not answer. Try again soon.", http.StatusServiceUnavailable)
}

// longest is how many bytes of a text from outside go into the log.
const longest = 512

// printable escapes what could forge a line of a log.
func printable(s string) string {
	quoted := strconv.Quote(s[:min(len(s), longest)])
	return quoted[1 : len(quoted)-1]
}
