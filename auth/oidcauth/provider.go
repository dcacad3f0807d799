package oidcauth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// A Provider is one place where people have accounts. It is safe for concurrent use; make one with [New].
type Provider struct {
	cfg    Config
	client *http.Client
	meta   cached[*metadata]
	keys   *keySet
}

// New makes a provider. It asks nobody anything: what the provider says of itself is fetched when somebody first wants to log in.
func New(cfg Config) (*Provider, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("oidcauth: %q: %w", cfg.Name, err)
	}
	p := &Provider{cfg: cfg, client: newClient(cfg.Transport, cfg.Timeout)}
	p.meta = cached[*metadata]{fetch: p.discover, now: cfg.Now, wait: cfg.Timeout, fresh: time.Hour, stale: 24 * time.Hour, pause: 5 * time.Second}
	p.keys = newKeySet(p)
	return p, nil
}

// Name is the provider's name in addresses.
func (p *Provider) Name() string { return p.cfg.Name }

// Title is what people call it.
func (p *Provider) Title() string { return p.cfg.Title }

// Issuer is the name under which the provider's users are kept.
func (p *Provider) Issuer() string { return p.cfg.Issuer }

// String shows the name and hides the secret.
func (p *Provider) String() string { return fmt.Sprintf("{%s %s}", p.cfg.Name, p.cfg.Issuer) }

// LogValue shows the name and hides the secret.
func (p *Provider) LogValue() slog.Value { return slog.StringValue(p.String()) }

// oauth returns the client of the protocol. redirect is this site's address for the answer.
func (p *Provider) oauth(m *metadata, redirect string) (*oauth2.Config, error) {
	secret := p.cfg.ClientSecret
	if p.cfg.SecretFunc != nil {
		var err error
		if secret, err = p.cfg.SecretFunc(p.cfg.Now()); err != nil {
			return nil, fmt.Errorf("make the client secret: %w", err)
		}
	}
	style := oauth2.AuthStyleInHeader
	if secret == "" || m.inForm {
		style = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID:     p.cfg.ClientID,
		ClientSecret: secret,
		Endpoint:     oauth2.Endpoint{AuthURL: m.authURL, TokenURL: m.tokenURL, AuthStyle: style},
		RedirectURL:  redirect,
		Scopes:       p.cfg.Scopes,
	}, nil
}

// calling is a context whose calls go through the provider's own client.
func (p *Provider) calling(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}
