package tokenauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/authtest"
	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/perm"
)

// A shelf holds one token.
type shelf struct {
	secret  string
	token   tokenauth.Token
	err     error
	mu      sync.Mutex
	used    int
	useless error
}

func (s *shelf) FindToken(ctx context.Context, secret tokenauth.Secret) (tokenauth.Token, error) {
	switch {
	case ctx.Err() != nil:
		return tokenauth.Token{}, ctx.Err()
	case s.err != nil:
		return tokenauth.Token{}, s.err
	case secret.Reveal() != s.secret:
		return tokenauth.Token{}, tokenauth.ErrNotFound
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token, nil
}

func (s *shelf) TokenUsed(_ context.Context, id string, now, since time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used++
	s.token.LastUsed = now
	return s.useless
}

// TestSecret: what is made has the form, is another each time, and one letter changed is noticed.
func TestSecret(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile("^" + tokenauth.Pattern + "$")
	seen := map[string]bool{}
	for range 200 {
		text := tokenauth.NewSecret().Reveal()
		if !pattern.MatchString(text) || seen[text] {
			t.Fatalf("got %q", text)
		}
		seen[text] = true
		if s, ok := tokenauth.ParseSecret(text); !ok || s.Reveal() != text {
			t.Fatalf("%q is not read", text)
		}
	}
	text := tokenauth.NewSecret().Reveal()
	for i := range text {
		for _, c := range "0aZ_é" {
			changed := text[:i] + string(c) + text[i+1:]
			if s, ok := tokenauth.ParseSecret(changed); ok && changed != text {
				t.Errorf("%q is read as %q", changed, s.Reveal())
			}
		}
	}
	for _, other := range []string{"", "cardea_", text[1:], text + "0", " " + text, text + "\n", strings.ToUpper(text)} {
		if _, ok := tokenauth.ParseSecret(other); ok {
			t.Errorf("%q is read", other)
		}
	}
}

// TestM32TokensDoNotPrint: no way of printing shows more than how a secret begins.
func TestM32TokensDoNotPrint(t *testing.T) {
	t.Parallel()
	s := tokenauth.NewSecret()
	raw, err := json.Marshal(map[string]any{"token": s})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("made", "token", s, "pointer", &s)
	out := []string{string(raw), logged.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		out = append(out, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s), fmt.Sprintf(verb, []tokenauth.Secret{s}))
	}
	b, err := tokenauth.New(&shelf{}, tokenauth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	creds, _ := b.Credentials(with("Bearer " + s.Reveal()))
	out = append(out, fmt.Sprintf("%v %+v %#v", creds, creds, creds))
	for _, text := range out {
		if strings.Contains(text, s.Reveal()[12:]) {
			t.Errorf("got %s", text)
		}
	}
	if !strings.Contains(out[0], s.Hint()) {
		t.Errorf("not even the hint: %s", out[0])
	}
}

func with(authorization string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", authorization)
	return r
}

// TestBackend is the suite for back ends.
func TestBackend(t *testing.T) {
	t.Parallel()
	authtest.RunBackend(t, func(t *testing.T) authtest.Backend {
		right := tokenauth.NewSecret()
		s := &shelf{secret: right.Reveal(), token: tokenauth.Token{ID: "T", User: "7", Scopes: []string{"all"}}}
		b, err := tokenauth.New(s, tokenauth.Config{})
		if err != nil {
			t.Fatal(err)
		}
		broken, _ := b.Credentials(with("Bearer cardea_nothing"))
		return authtest.Backend{
			Backend: b, Good: right, Who: "7", Wrong: map[string]any{"secret": tokenauth.NewSecret(), "form": broken, "nothing": tokenauth.Secret{}},
			Secret: "cardea_nothing", Break: func() { s.err = errors.New("the table is down") },
		}
	})
}

// TestUses: a use is noted every five minutes, and that it cannot be noted is no reason to refuse.
func TestUses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	secret := tokenauth.NewSecret()
	s := &shelf{secret: secret.Reveal(), token: tokenauth.Token{ID: "T", User: "7", Scopes: []string{"blog.add_post"}, Expires: now.Add(time.Hour)}, useless: errors.New("read only")}
	var logged strings.Builder
	b, err := tokenauth.New(s, tokenauth.Config{Now: func() time.Time { return now }, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		step time.Duration
		used int
		ok   bool
	}{{0, 1, true}, {time.Minute, 1, true}, {4 * time.Minute, 1, true}, {time.Minute, 2, true}, {54 * time.Minute, 2, false}} {
		now = now.Add(c.step)
		creds, _ := b.Credentials(with("Bearer " + secret.Reveal()))
		id, err := b.Authenticate(with(""), creds)
		if s.used != c.used || (err == nil) != c.ok {
			t.Errorf("at %v: %d uses, %v, want %d", now, s.used, err, c.used)
		}
		if err != nil && !errors.Is(err, auth.ErrNoMatch) {
			t.Errorf("an expired token: %v", err)
		}
		if err == nil && (id.UserID != "7" || id.Limit == nil || !id.Limit.Has("blog.add_post") || id.Limit.Len() != 1) {
			t.Errorf("got %+v", id)
		}
	}
	if !strings.Contains(logged.String(), "read only") || strings.Contains(logged.String(), secret.Reveal()) {
		t.Errorf("the log: %s", &logged)
	}
}

// TestCheck: what a token must have.
func TestCheck(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for field, list := range map[string][]tokenauth.Token{
		"": {
			{Name: "n", Scopes: []string{"all"}}, {Name: strings.Repeat("é", 100), Scopes: []string{"a.b", "c.d"}}, {Name: " n ", Scopes: []string{"a.b"}, Created: now, Expires: now.Add(1)},
		},
		"name":    {{Scopes: []string{"all"}}, {Name: "  ", Scopes: []string{"all"}}, {Name: strings.Repeat("é", 101), Scopes: []string{"all"}}, {Name: "a\nb", Scopes: []string{"all"}}, {Name: "\xff", Scopes: []string{"all"}}},
		"scopes":  {{Name: "n"}, {Name: "n", Scopes: []string{"all", "a.b"}}, {Name: "n", Scopes: []string{"a"}}, {Name: "n", Scopes: []string{"a.b c.d"}}, {Name: "n", Scopes: []string{""}}, {Name: "n", Scopes: []string{"*"}}},
		"expires": {{Name: "n", Scopes: []string{"all"}, Created: now, Expires: now}, {Name: "n", Scopes: []string{"all"}, Created: now, Expires: now.Add(-1)}},
	} {
		for _, token := range list {
			var invalid *tokenauth.Invalid
			err := token.Check()
			if (err == nil) != (field == "") || err != nil && (!errors.As(err, &invalid) || invalid.Field != field) {
				t.Errorf("%+v: got %v, want a mistake in %q", token, err, field)
			}
		}
	}
	if (tokenauth.Token{}).Limit() == nil {
		t.Error("a token without scopes has no limit")
	}
	if _, err := tokenauth.New(nil, tokenauth.Config{}); err == nil {
		t.Error("New took no store")
	}
}

// grants gives everybody these permissions.
type grants []string

func (g grants) Permissions(context.Context, perm.Subject) (perm.Grants, error) {
	return perm.Grants{Direct: perm.NewSet(g...)}, nil
}

// TestCheckScopes: nobody makes a token for what the owner does not have, superusers included.
func TestCheckScopes(t *testing.T) {
	t.Parallel()
	ask := perm.Func(func(_ context.Context, _ perm.Subject, name string, _ any) (bool, error) {
		return name == "blog.own", nil
	})
	for _, super := range []bool{false, true} {
		owner := perm.For(t.Context(), perm.Subject{ID: "1", Active: true, Superuser: super}, grants{"blog.add", "blog.view"}, ask)
		for scopes, want := range map[string]bool{
			"all": true, "blog.add": true, "blog.view blog.add": true, "blog.own": !super, "blog.add shop.add": false, "nosuch": false,
		} {
			err := tokenauth.CheckScopes(owner, strings.Fields(scopes))
			if (err == nil) != want || err != nil && !errors.As(err, new(*tokenauth.Invalid)) {
				t.Errorf("superuser %v, %s: %v", super, scopes, err)
			}
		}
	}
	down := errors.New("down")
	if err := tokenauth.CheckScopes(perm.Unknown(down), []string{"all"}); !errors.Is(err, down) {
		t.Errorf("down: %v", err)
	}
}
