package oidcauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"golang.org/x/oauth2"

	"github.com/cardea-go/cardea/auth"
)

// A Code is what a provider's answer brings: the credentials of the back end made by [NewBackend]. A [Flow] makes it of an answer
// whose state it has checked. It works once.
type Code struct {
	provider *Provider
	attempt  attempt
	key      string // of the attempt
	code     string

	once  sync.Once
	found *arrived // once it was exchanged
	err   error
}

// arrived is who came, and what logging out needs.
type arrived struct {
	identity *auth.Identity
	sid      string
	idToken  string
}

// Provider is the name of the provider.
func (c *Code) Provider() string { return c.provider.cfg.Name }

// Account names the attempt. A code cannot be guessed, so there are no tries of one account to count; those of one address are.
func (c *Code) Account() string { return "attempt " + c.key }

// String shows the provider and hides the code.
func (c *Code) String() string { return fmt.Sprintf("{%s ********************}", c.provider.cfg.Name) }

// GoString hides the code from %#v.
func (c *Code) GoString() string { return "oidcauth.Code" + c.String() }

// LogValue shows the provider and hides the code.
func (c *Code) LogValue() slog.Value {
	return slog.GroupValue(slog.String("provider", c.provider.cfg.Name))
}

// redeem exchanges the code, once, and says who it is. A refusal is an auth.ErrDenied, whose reason is logged; anything else means
// that the provider does not answer as it should.
func (c *Code) redeem(ctx context.Context) (*arrived, error) {
	c.once.Do(func() {
		p := c.provider
		c.found, c.err = p.exchange(ctx, c)
		if errors.Is(c.err, auth.ErrDenied) {
			p.cfg.Logger.WarnContext(ctx, "oidcauth: login refused", "provider", p.cfg.Name, "reason", c.err)
		}
	})
	return c.found, c.err
}

func (p *Provider) exchange(ctx context.Context, c *Code) (*arrived, error) {
	m, err := p.meta.get(ctx)
	if err != nil {
		return nil, p.down(err)
	}
	client, err := p.oauth(m, c.attempt.Redirect)
	if err != nil {
		return nil, p.down(err)
	}
	token, err := client.Exchange(p.calling(ctx), c.code, oauth2.VerifierOption(c.attempt.Verifier))
	var refusal *oauth2.RetrieveError
	switch {
	case errors.As(err, &refusal) && (refusal.ErrorCode == "invalid_grant" || refusal.ErrorCode == "bad_verification_code"): // the second is GitHub's
		return nil, refused("the provider does not take the code: %s", refusal.ErrorDescription)
	case errors.As(err, &refusal):
		return nil, p.down(fmt.Errorf("exchange the code: %s %s", refusal.Response.Status, refusal.ErrorCode))
	case err != nil:
		return nil, p.down(fmt.Errorf("exchange the code: %w", err))
	}
	if p.cfg.OAuth != nil {
		id, err := p.cfg.OAuth.Identify(ctx, func(ctx context.Context, address string, into any) error {
			if err := safeURL("user info", address); err != nil {
				return err
			}
			return p.getJSON(ctx, address, token.AccessToken, into)
		})
		if err != nil {
			return nil, p.down(fmt.Errorf("ask who it is: %w", err))
		}
		return p.outsider(id)
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, p.down(errors.New("the provider answers without an ID token"))
	}
	want := expected{nonce: c.attempt.Nonce, accessToken: token.AccessToken, maxAge: p.cfg.MaxAge}
	if c.attempt.Again {
		want.since = c.attempt.Begun
	}
	claims, err := p.idToken(ctx, m, raw, want)
	if err != nil {
		return nil, err
	}
	if p.cfg.UserInfo && m.userInfoURL != "" {
		if err := p.userInfo(ctx, m, token.AccessToken, claims); err != nil {
			return nil, err
		}
	}
	return p.person(claims, raw)
}

// A Backend is a back end of some providers. Its credentials are a [*Code] of one of them.
type Backend struct {
	name      string
	providers []*Provider
}

var _ auth.Backend = (*Backend)(nil)

// NewBackend makes a back end whose name sessions record. Sessions of a provider that is taken away later are logged in no more if
// the provider has a back end of its own.
func NewBackend(name string, providers ...*Provider) *Backend {
	return &Backend{name: name, providers: providers}
}

// Name implements auth.Backend.
func (b *Backend) Name() string { return b.name }

// Authenticate implements auth.Backend: it exchanges the code and says who it is.
func (b *Backend) Authenticate(r *http.Request, creds any) (*auth.Identity, error) {
	c, ok := creds.(*Code)
	if !ok || c == nil {
		return nil, auth.ErrNoMatch
	}
	for _, p := range b.providers {
		if p == c.provider {
			found, err := c.redeem(r.Context())
			if err != nil {
				return nil, err
			}
			return found.identity, nil
		}
	}
	return nil, auth.ErrNoMatch
}
