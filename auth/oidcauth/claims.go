package oidcauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/cardea-go/cardea/auth"
)

// userInfo lays the claims of the user-info endpoint below those of the ID token. They have to be about the same subject, OpenID
// Connect Core 1.0, section 5.3.2.
func (p *Provider) userInfo(ctx context.Context, m *metadata, token string, claims map[string]any) error {
	var more map[string]any
	if err := p.getJSON(ctx, m.userInfoURL, token, &more); err != nil {
		return p.down(fmt.Errorf("ask who it is: %w", err))
	}
	if more["sub"] != claims["sub"] {
		return refused("user info: it is about another subject")
	}
	for _, name := range []string{"email", "email_verified"} { // they belong together
		if _, ok := claims["email"]; ok {
			delete(more, name)
		}
	}
	for name, value := range more {
		if _, ok := claims[name]; !ok {
			claims[name] = value
		}
	}
	return nil
}

// person makes an identity of the claims of an ID token.
func (p *Provider) person(claims map[string]any, raw string) (*arrived, error) {
	for name, want := range p.cfg.Require {
		if got, _ := lookup(claims, name).(string); got != want {
			return nil, refused("the claim %q is %q", name, got)
		}
	}
	id := &auth.Identity{
		Issuer:        p.cfg.Issuer,
		Subject:       text(claims["sub"]),
		Name:          line(claims["preferred_username"]),
		Email:         line(claims["email"]),
		EmailVerified: truth(claims["email_verified"]),
		Claims:        claims,
		Methods:       methods(claims["amr"]),
	}
	if p.cfg.Groups != "" {
		id.Groups = list(lookup(claims, p.cfg.Groups))
	}
	if seconds, ok := claims["auth_time"].(json.Number); ok {
		if n, err := seconds.Float64(); err == nil {
			id.At = time.Unix(int64(n), 0).UTC()
		}
	}
	found := &arrived{identity: id, sid: line(claims["sid"])}
	if p.cfg.EndSession && len(raw) <= maxHint {
		found.idToken = raw
	}
	return found, nil
}

// outsider checks what a provider without ID tokens has said.
func (p *Provider) outsider(id *auth.Identity) (*arrived, error) {
	if id == nil || id.Subject == "" || len(id.Subject) > 255 {
		return nil, p.down(errors.New("the provider does not say who it is"))
	}
	for name, want := range p.cfg.Require {
		if got, _ := lookup(id.Claims, name).(string); got != want {
			return nil, refused("the claim %q is %q", name, got)
		}
	}
	known := *id
	known.Issuer, known.UserID, known.Attached = p.cfg.Issuer, "", nil
	if p.cfg.Groups != "" && known.Groups == nil {
		known.Groups = list(lookup(known.Claims, p.cfg.Groups))
	}
	return &arrived{identity: &known}, nil
}

// lookup finds a claim; a name with dots leads into objects, unless there is a claim of just that name.
func lookup(claims map[string]any, name string) any {
	if v, ok := claims[name]; ok {
		return v
	}
	first, rest, ok := strings.Cut(name, ".")
	if !ok {
		return nil
	}
	inner, _ := claims[first].(map[string]any)
	return lookup(inner, rest)
}

// text is a claim that is a text or a whole number.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return v.String()
		}
	}
	return ""
}

// line is a claim of one line that is not too long; else it is "".
func line(v any) string {
	s, _ := v.(string)
	if s = strings.TrimSpace(s); len(s) > 254 || strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	return s
}

// truth is a claim that is true; some providers write it as a text.
func truth(v any) bool { return v == true || v == "true" }

const (
	maxList = 1000 // groups
	maxAMR  = 8
)

// list is a claim that is a list of texts, or one text.
func list(v any) []string {
	if s := line(v); s != "" {
		return []string{s}
	}
	var all []string
	values, _ := v.([]any)
	for _, v := range values[:min(len(values), maxList)] {
		if s := line(v); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// methods are the names of RFC 8176 in amr. Sessions keep them, so what is no such name is left out.
func methods(v any) []string {
	var all []string
	for _, m := range list(v) {
		if len(m) <= 16 && len(all) < maxAMR && strings.Trim(m, "abcdefghijklmnopqrstuvwxyz0123456789-_") == "" {
			all = append(all, m)
		}
	}
	return all
}
