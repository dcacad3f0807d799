package proxies_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
)

// TestToken: a program with a token passes as its owner, without a cookie, and one with a bad token, or of a user who was shut out (M30), does not.
func TestToken(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, k, setups[0])
			out := harness.MustRun(t, harness.Command{
				Path: harness.Cardea(t), Args: []string{"token", "create", "ada", "--name", "backup", "--scope", "all", "--db", r.url},
			})
			token := regexp.MustCompile(`cardea_[0-9A-Za-z]{36}`).FindString(out)
			if token == "" {
				t.Fatalf("no token:\n%s", out)
			}
			b := r.browser()
			const asProgram = "Accept: application/json"
			with(t, b, "/page", asProgram, "Authorization: Bearer "+token).HasStatus(http.StatusOK).Sees("hello to ada")
			if asked := r.program.took(); len(asked) != 1 || said(asked[0]) != isAda {
				t.Errorf("the program was told %q", said(asked[0]))
			}
			with(t, b, "/admin", asProgram, "Authorization: Bearer "+token).HasStatus(http.StatusForbidden)
			with(t, b, "/page", asProgram, "Authorization: Bearer "+token[:len(token)-1]+"_").HasStatus(http.StatusUnauthorized)
			with(t, b, "/page", asProgram).HasStatus(http.StatusUnauthorized)
			harness.MustRun(t, harness.Command{Path: harness.Cardea(t), Args: []string{"user", "deactivate", "ada", "--db", r.url}})
			with(t, b, "/page", asProgram, "Authorization: Bearer "+token).HasStatus(http.StatusUnauthorized)
			if asked := r.program.took(); len(asked) > 0 {
				t.Errorf("the program was asked for %s", asked[0].RequestURI)
			}
		})
	}
}
