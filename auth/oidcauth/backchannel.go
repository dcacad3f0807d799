package oidcauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/sessions"
)

// jtiTime is how long a logout token is remembered that was seen. It is refused when it is older.
const jtiTime = 10 * time.Minute

func sidKey(p *Provider, sid string) string { return keyOf("sid", p.cfg.Issuer, sid) }

// BackChannel implements auth.BackChannel. It answers a provider that says whose login has ended (OpenID Connect Back-Channel Logout 1.0): that user's sessions which
// were begun at the provider end, or the one with that sid. It needs neither a session nor protection against forged forms: what
// counts is the signature of the token, which works once.
func (f *Flow) BackChannel(w http.ResponseWriter, r *http.Request, provider string, end auth.Ender) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	p, err := f.find(provider)
	if err != nil || !p.cfg.BackChannel || end == nil {
		answerLogout(w, http.StatusNotFound, "invalid_request", "no logout of this provider is taken here")
		return
	}
	if r.Method != http.MethodPost {
		h.Set("Allow", "POST")
		answerLogout(w, http.StatusMethodNotAllowed, "invalid_request", "a logout token is sent by POST")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4*maxAnswer)
	if err := r.ParseForm(); err != nil || len(r.PostForm["logout_token"]) != 1 {
		answerLogout(w, http.StatusBadRequest, "invalid_request", "there has to be one logout_token")
		return
	}
	n, err := f.endLogin(r.Context(), p, end, r.PostForm.Get("logout_token"))
	switch {
	case errors.Is(err, auth.ErrInvalid):
		f.cfg.Logger.WarnContext(r.Context(), "oidcauth: logout token refused", "provider", p.cfg.Name, "reason", err)
		answerLogout(w, http.StatusBadRequest, "invalid_request", "this logout token cannot be believed")
	case err != nil:
		f.cfg.Logger.ErrorContext(r.Context(), "oidcauth: logout failed", "provider", p.cfg.Name, "error", err)
		answerLogout(w, http.StatusServiceUnavailable, "temporarily_unavailable", "try again")
	default:
		f.cfg.Logger.InfoContext(r.Context(), "oidcauth: sessions ended by the provider", "provider", p.cfg.Name, "sessions", n)
		w.WriteHeader(http.StatusOK)
	}
}

func answerLogout(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": text}) // the provider may have gone
}

// endLogin checks a logout token and ends what it is about.
func (f *Flow) endLogin(ctx context.Context, p *Provider, end auth.Ender, raw string) (int, error) {
	m, err := p.meta.get(ctx)
	if err != nil {
		return 0, err
	}
	keys := &once{keys: p.keys}
	token, err := p.verifier(m, keys).VerifyLogout(ctx, raw)
	now := f.cfg.Now()
	switch {
	case keys.err != nil:
		return 0, keys.err
	case err != nil:
		return 0, refused("logout token: %w", err)
	case keys.typ != "" && !strings.EqualFold(keys.typ, "logout+jwt") && !strings.EqualFold(keys.typ, "JWT"):
		return 0, refused("logout token: it is of the type %q", keys.typ)
	case token.IssuedAt.After(now.Add(p.cfg.Skew)) || now.Sub(token.IssuedAt) > jtiTime-p.cfg.Skew:
		return 0, refused("logout token: it is of %v (iat)", token.IssuedAt)
	}
	if err := checkLogoutEvent(token.Claims); err != nil {
		return 0, err
	}
	used := keyOf("jti", p.cfg.Issuer, token.TokenID)
	fresh, err := f.store.Put(ctx, used, nil, now.Add(jtiTime))
	switch {
	case err != nil:
		return 0, err
	case !fresh:
		return 0, refused("logout token: it was used before (jti)")
	}
	n, err := f.endSessions(ctx, p, end, token.Subject, token.SessionID)
	if err != nil { // the provider may try again
		if _, _, again := f.store.Take(context.WithoutCancel(ctx), used, now); again != nil {
			err = errors.Join(err, again)
		}
	}
	return n, err
}

// checkLogoutEvent looks at what go-oidc takes for granted: the event is an object.
func checkLogoutEvent(claims func(any) error) error {
	var c struct {
		Events map[string]json.RawMessage `json:"events"`
		At     *numeric                   `json:"iat"`
	}
	if err := claims(&c); err != nil {
		return refused("logout token: %w", err)
	}
	var event map[string]any
	if err := json.Unmarshal(c.Events["http://schemas.openid.net/event/backchannel-logout"], &event); err != nil || event == nil {
		return refused("logout token: its event is no object")
	}
	if c.At == nil {
		return refused("logout token: it says not when it was issued (iat)")
	}
	return nil
}

func (f *Flow) endSessions(ctx context.Context, p *Provider, end auth.Ender, subject, sid string) (int, error) {
	var user string
	var err error
	if subject != "" {
		user, err = end.UserOf(ctx, p.cfg.Issuer, subject)
	} else {
		var noted []byte
		noted, _, err = f.store.Look(ctx, sidKey(p, sid), f.cfg.Now())
		user = string(noted)
	}
	if err != nil || user == "" {
		return 0, err
	}
	return end.EndSessions(ctx, user, func(d sessions.Data) bool {
		l, ok := sessionLogin.Read(&d)
		return ok && l.Provider == p.cfg.Name && (sid == "" || l.SID == sid)
	})
}
