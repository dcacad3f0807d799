package tokenauth_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/internal/testhang"
)

// FuzzAuthorization holds that whatever a header says is either not a token's or refused, but for the one token that there is.
func FuzzAuthorization(f *testing.F) {
	right := tokenauth.NewSecret()
	b, err := tokenauth.New(&shelf{secret: right.Reveal(), token: tokenauth.Token{ID: "T", User: "7", Scopes: []string{"all"}}}, tokenauth.Config{})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		"", "Bearer", "Bearer ", "bearer cardea_", "Bearer " + right.Reveal(), "Bearer  " + right.Reveal() + " ", "Basic YTpi", "Bearer cardea_\x00",
		"Bearer " + tokenauth.NewSecret().Reveal(), "Bearer " + strings.Repeat("cardea_", 9), "Bearer Bearer " + right.Reveal(),
	} {
		f.Add(s)
	}
	pattern := regexp.MustCompile("^" + tokenauth.Pattern + "$")
	f.Fuzz(func(t *testing.T, header string) {
		testhang.Watch(t)
		creds, claimed := b.Credentials(with(header))
		if !claimed {
			if creds != nil {
				t.Errorf("%q: credentials that are not claimed", header)
			}
			return
		}
		scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
		text := strings.TrimLeft(rest, " ")
		if !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(text, tokenauth.Prefix) {
			t.Errorf("%q is claimed", header)
		}
		id, err := b.Authenticate(with(header), creds)
		if (err == nil) != (text == right.Reveal()) || err != nil && (!errors.Is(err, auth.ErrNoMatch) || id != nil) {
			t.Errorf("%q: %v, %v", header, id, err)
		}
		if s, ok := tokenauth.ParseSecret(text); ok && (!pattern.MatchString(text) || s.Reveal() != text) {
			t.Errorf("%q is read as a token", text)
		}
	})
}
