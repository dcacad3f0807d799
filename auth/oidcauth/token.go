package oidcauth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/cardea-go/cardea/auth"
)

// refused is a token or an answer that is not as it has to be: no other back end is asked, and the reason is for the log alone.
func refused(format string, args ...any) error {
	return fmt.Errorf("oidcauth: %w: %w", fmt.Errorf(format, args...), auth.ErrDenied)
}

// down is a provider that does not answer as it should.
func (p *Provider) down(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, auth.ErrUnreachable) {
		return err
	}
	return &auth.OutageError{Op: "log in at " + p.cfg.Name, Err: fmt.Errorf("%w: %w", auth.ErrUnreachable, err)}
}

// verifier checks tokens that the provider has signed for this site. The time is set back by the skew, so that a token which has just
// run out by our clock counts.
func (p *Provider) verifier(m *metadata, keys oidc.KeySet) *oidc.IDTokenVerifier {
	return oidc.NewVerifier(p.cfg.Issuer, keys, &oidc.Config{
		ClientID:             p.cfg.ClientID,
		SupportedSigningAlgs: m.algorithms,
		Now:                  func() time.Time { return p.cfg.Now().Add(-p.cfg.Skew) },
	})
}

// expected is what an ID token has to say.
type expected struct {
	nonce       string
	accessToken string
	since       time.Time     // the login there is no older; zero: any
	maxAge      time.Duration // the same, by length
}

// idToken checks an ID token as OpenID Connect Core 1.0 says in section 3.1.3.7, and returns its claims.
func (p *Provider) idToken(ctx context.Context, m *metadata, raw string, want expected) (map[string]any, error) {
	keys := &once{keys: p.keys}
	token, err := p.verifier(m, keys).Verify(ctx, raw)
	switch {
	case keys.err != nil:
		return nil, p.down(keys.err)
	case err != nil:
		return nil, refused("ID token: %w", err)
	case strings.EqualFold(keys.typ, "logout+jwt"), strings.EqualFold(keys.typ, "at+jwt"):
		return nil, refused("ID token: a token of the type %q is none", keys.typ)
	case token.Subject == "" || len(token.Subject) > 255:
		return nil, refused("ID token: its subject has %d characters: there have to be 1 to 255", len(token.Subject))
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(want.nonce)) != 1:
		return nil, refused("ID token: the nonce is another one")
	}
	var claims struct {
		AZP      string   `json:"azp"`
		ACR      string   `json:"acr"`
		AuthTime *numeric `json:"auth_time"`
		IssuedAt *numeric `json:"iat"`
	}
	if err := token.Claims(&claims); err != nil {
		return nil, refused("ID token: %w", err)
	}
	now, skew := p.cfg.Now(), p.cfg.Skew
	switch {
	case claims.AZP != "" && claims.AZP != p.cfg.ClientID:
		return nil, refused("ID token: it was issued to %q (azp)", claims.AZP)
	case len(token.Audience) > 1 && claims.AZP == "":
		return nil, refused("ID token: it is for %q, and says not to whom it was issued (azp)", token.Audience)
	case claims.IssuedAt == nil:
		return nil, refused("ID token: it says not when it was issued (iat)")
	case claims.IssuedAt.time().After(now.Add(skew)):
		return nil, refused("ID token: it comes from the future (iat %v): one of the clocks is wrong", claims.IssuedAt.time())
	case p.cfg.ACR != nil && !slices.Contains(p.cfg.ACR, claims.ACR):
		return nil, refused("ID token: the login was of the class %q (acr)", claims.ACR)
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(want.accessToken); err != nil {
			return nil, refused("ID token: at_hash: %w", err)
		}
	}
	if err := p.checkAge(claims.AuthTime, want, now); err != nil {
		return nil, err
	}
	return decodeClaims(token)
}

// checkAge looks at when somebody logged in at the provider.
func (p *Provider) checkAge(at *numeric, want expected, now time.Time) error {
	if at != nil && at.time().After(now.Add(p.cfg.Skew)) {
		return refused("ID token: the login is in the future (auth_time %v): one of the clocks is wrong", at.time())
	}
	if p.cfg.NoAuthTime || want.since.IsZero() && want.maxAge == 0 {
		return nil
	}
	switch {
	case at == nil:
		return refused("ID token: it says not when the login was (auth_time), though that was asked for")
	case !want.since.IsZero() && at.time().Before(want.since.Add(-p.cfg.Skew)):
		return refused("ID token: the login of %v is older than the wish for a new one", at.time())
	case want.maxAge > 0 && now.Sub(at.time()) > want.maxAge+p.cfg.Skew:
		return refused("ID token: the login of %v is older than %v", at.time(), want.maxAge)
	}
	return nil
}

func decodeClaims(token *oidc.IDToken) (map[string]any, error) {
	var raw json.RawMessage
	if err := token.Claims(&raw); err != nil {
		return nil, refused("ID token: %w", err)
	}
	return decodeObject(raw)
}

func decodeObject(raw []byte) (map[string]any, error) {
	var claims map[string]any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&claims); err != nil {
		return nil, refused("claims: %w", err)
	}
	return claims, nil
}

// numeric is a NumericDate of RFC 7519: seconds, perhaps with a fraction.
type numeric time.Time

// UnmarshalJSON implements json.Unmarshaler.
func (n *numeric) UnmarshalJSON(text []byte) error {
	var seconds float64
	if err := json.Unmarshal(text, &seconds); err != nil {
		return err
	}
	if seconds < 0 || seconds > 253402300799 { // the year 9999
		return errors.New("not a time")
	}
	*n = numeric(time.Unix(int64(seconds), 0).UTC())
	return nil
}

func (n *numeric) time() time.Time { return time.Time(*n) }
