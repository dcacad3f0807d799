package csrf_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/csrf"
)

// TestContentTypeIsQuick (CVE-2026-84429): to look for the token in a form whose kind is a megabyte of parameters takes no longer than
// reading it does.
func TestContentTypeIsQuick(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	secret := csrf.NewSecret()
	many := func(part func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < 1<<20; i++ {
			b.WriteString(part(i))
		}
		return b.String()
	}
	for name, parameters := range map[string]string{
		"semicolons":           many(func(int) string { return "; " }),
		"quotes":               "; a=" + many(func(int) string { return `"` }),
		"escaped quotes":       `; a="` + many(func(int) string { return `\"` }),
		"open quotes":          many(func(int) string { return `; a="` }),
		"names":                many(func(i int) string { return "; a" + strings.Repeat("b", i%50) + "=c" }),
		"continuations":        many(func(i int) string { return "; a*" + strings.Repeat("1", i%9+1) + "=c" }),
		"one long name":        "; " + many(func(int) string { return "a" }),
		"blanks and no values": many(func(int) string { return ";\t a=" }),
	} {
		for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data"} {
			began := time.Now()
			g.serve(upload(secret, kind+parameters, strings.NewReader("a=b")), nil)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s with %s: took %v", kind, name, took)
			}
		}
	}
}
