package cardea_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
)

// TestWithDefaults: a site that names every default behaves to the letter as one that names nothing, and the defaults are those of
// the profile.
func TestWithDefaults(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		var seen [2]string
		for i := range seen {
			g := newRig(t, func(cfg *cardea.Config) {
				cfg.Profile = profile
				if i == 0 {
					return
				}
				whole, err := cfg.WithDefaults()
				if err != nil {
					t.Fatal(err)
				}
				if whole.SessionCookieName == "" || whole.SessionCookieAge == 0 || (whole.SessionIdle == 0) != (profile == cardea.Django) {
					t.Errorf("%s: got the session cookie %q, %v, idle %v", profile, whole.SessionCookieName, whole.SessionCookieAge, whole.SessionIdle)
				}
				*cfg = whole
			})
			p := g.person()
			for _, a := range []answer{p.get("/"), p.get("/accounts/login/"), p.logIn("ada", "correct horse"), p.get("/note"), p.get("/accounts/profile/"), p.get("/accounts/x/")} {
				seen[i] += fmt.Sprintln(a.status, a.header["Location"], a.header["Set-Cookie"], a.header["Vary"], a.header["Cache-Control"], a.body)
			}
		}
		for i := range seen {
			seen[i] = random.ReplaceAllString(seen[i], "-")
		}
		if seen[0] != seen[1] || !strings.Contains(seen[0], "ada@example.com") {
			t.Errorf("%s: got\n%s\nwith every default named, and with none\n%s", profile, seen[1], seen[0])
		}
	}
	for _, wrong := range []cardea.Config{{Profile: "jango"}, {DjangoVersion: "9.9"}, {MessageLevel: -1}} {
		if _, err := wrong.WithDefaults(); err == nil || !strings.HasPrefix(err.Error(), "cardea: ") {
			t.Errorf("%+v: got %v, want it refused", wrong, err)
		}
		cfg := cardeatest.Config()
		cfg.Profile, cfg.DjangoVersion, cfg.MessageLevel = wrong.Profile, wrong.DjangoVersion, wrong.MessageLevel
		if _, err := cardea.New(cardeatest.DB(t), cfg); err == nil {
			t.Errorf("%+v: New takes it", wrong)
		}
	}
}

// random matches what is another at each answer: tokens, signatures and times.
var random = regexp.MustCompile(`[A-Za-z0-9_:.-]{32,}|expires=[^;]+;|[0-9]{1,2} [A-Z][a-z]+ 20[0-9]{2}, [0-9:]+`)
