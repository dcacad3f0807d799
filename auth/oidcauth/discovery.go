package oidcauth

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
)

// metadata is what is used of a provider's description of itself.
type metadata struct {
	authURL, tokenURL, userInfoURL, keysURL, endSessionURL string

	algorithms []string // that ID tokens may be signed by
	inForm     bool     // the secret goes into the form
	sendsIss   bool     // answers name the issuer, RFC 9207
}

// asymmetric are the algorithms whose keys a provider can publish.
var asymmetric = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// discover fetches the provider's description of itself.
func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	if o := p.cfg.OAuth; o != nil {
		return &metadata{authURL: o.AuthURL, tokenURL: o.TokenURL, inForm: true}, nil
	}
	found, err := oidc.NewProvider(p.calling(ctx), p.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("ask %s about itself: %w", p.cfg.Issuer, err)
	}
	var says struct {
		KeysURL       string   `json:"jwks_uri"`
		EndSessionURL string   `json:"end_session_endpoint"`
		Algorithms    []string `json:"id_token_signing_alg_values_supported"`
		ClientAuth    []string `json:"token_endpoint_auth_methods_supported"`
		Iss           bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&says); err != nil {
		return nil, fmt.Errorf("%s describes itself in an unknown way: %w", p.cfg.Issuer, err)
	}
	at := found.Endpoint()
	m := &metadata{
		authURL: at.AuthURL, tokenURL: at.TokenURL, userInfoURL: found.UserInfoEndpoint(), keysURL: says.KeysURL,
		endSessionURL: says.EndSessionURL, sendsIss: says.Iss,
		inForm: len(says.ClientAuth) > 0 && !slices.Contains(says.ClientAuth, "client_secret_basic"),
	}
	for _, a := range says.Algorithms {
		if slices.Contains(asymmetric, a) {
			m.algorithms = append(m.algorithms, a)
		}
	}
	if len(says.Algorithms) == 0 {
		m.algorithms = []string{oidc.RS256} // what the specification has everybody know
	}
	if len(m.algorithms) == 0 {
		return nil, fmt.Errorf("%s announces no algorithm with public keys: %q", p.cfg.Issuer, says.Algorithms)
	}
	err = errors.Join(safeURL("authorization_endpoint", m.authURL), safeURL("token_endpoint", m.tokenURL), safeURL("jwks_uri", m.keysURL))
	for what, u := range map[string]string{"userinfo_endpoint": m.userInfoURL, "end_session_endpoint": m.endSessionURL} {
		if u != "" {
			err = errors.Join(err, safeURL(what, u))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s describes itself wrongly: %w", p.cfg.Issuer, err)
	}
	return m, nil
}
