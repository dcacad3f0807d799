package oidcauth

import (
	"context"
	"net/http"
	"net/url"

	"github.com/cardea-go/cardea/sessions"
)

// maxHint is the longest ID token that a session keeps.
const maxHint = 6 << 10

// A login is what a session remembers of the login at a provider.
type login struct {
	Provider string `json:"provider"`
	SID      string `json:"sid,omitempty"`      // the provider's name for it
	IDToken  string `json:"id_token,omitempty"` // to say at the provider whose login is to end
}

// sessionLogin is where it lives. Django carries it along, and a logout drops it.
const sessionLogin sessions.Key[login] = "_cardea_oidc"

// remember keeps what ending the login takes.
func (f *Flow) remember(r *http.Request, c *Code) error {
	if c.found == nil {
		return nil
	}
	s := sessions.From(r)
	err := sessionLogin.Set(s, login{Provider: c.provider.cfg.Name, SID: c.found.sid, IDToken: c.found.idToken})
	if err != nil || !c.provider.cfg.BackChannel || c.found.sid == "" {
		return err
	}
	now := f.cfg.Now()
	_, err = f.store.Put(r.Context(), sidKey(c.provider, c.found.sid), []byte(s.Owner()), now.Add(f.cfg.LoginTime))
	return outage("note a login", err)
}

// Leave implements auth.Federation: OpenID Connect RP-Initiated Logout 1.0, for providers with Config.EndSession.
func (f *Flow) Leave(r *http.Request, back string) string {
	l, ok := sessionLogin.Get(sessions.From(r))
	if !ok {
		return ""
	}
	p, err := f.find(l.Provider)
	if err != nil || !p.cfg.EndSession {
		return ""
	}
	ctx, cancel := context.WithTimeout(r.Context(), p.cfg.Timeout)
	defer cancel()
	m, err := p.meta.get(ctx)
	if err != nil || m.endSessionURL == "" { // logging out here does not wait for the provider
		f.cfg.Logger.WarnContext(r.Context(), "oidcauth: no logout at the provider", "provider", p.cfg.Name, "error", err)
		return ""
	}
	u, err := url.Parse(m.endSessionURL)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.cfg.ClientID)
	if l.IDToken != "" {
		q.Set("id_token_hint", l.IDToken)
	}
	if back != "" {
		q.Set("post_logout_redirect_uri", back)
	}
	u.RawQuery = q.Encode()
	return u.String()
}
