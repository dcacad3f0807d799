package tokenauth_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/internal/testhang"
)

// FuzzSecret: no text is taken for a token but one that could have been made, and none is shown.
func FuzzSecret(f *testing.F) {
	for range 3 {
		f.Add(tokenauth.NewSecret().Reveal())
	}
	f.Add("")
	f.Add("cardea_")
	f.Add(strings.ToUpper(tokenauth.NewSecret().Reveal()))
	f.Fuzz(func(t *testing.T, text string) {
		testhang.Watch(t)
		s, ok := tokenauth.ParseSecret(text)
		if !ok {
			return
		}
		if s.Reveal() != text || len(text) != len(tokenauth.NewSecret().Reveal()) {
			t.Fatalf("%q is taken for a token, as %q", text, s.Reveal())
		}
		for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%#v", s), fmt.Sprintf("%q", s), s.Hint()} {
			if strings.Contains(shown, text[len(text)/2:]) {
				t.Fatalf("%q shows as %q", text, shown)
			}
		}
	})
}
