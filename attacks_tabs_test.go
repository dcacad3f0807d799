package cardea_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
)

// assetPath finds what a page asks for.
var assetPath = regexp.MustCompile(`(?:href|src)="([^"]*/static/[^"]*)"`)

// TestTwoTabs: a form that was open in one tab while its visitor logged in, or out, in another is not lost: it is shown again as
// it was filled in, and then works. A log-in form opened before is shown with the name that was typed.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			g := newRig(t, func(cfg *cardea.Config) { cfg.Profile = profile })
			first := cardeatest.Open(t, g.server.URL)
			second := sameBrowser(t, first)

			first.Visit("/form")
			second.Visit("/accounts/login/").Fill("username", "ada").Fill("password", "correct horse").Submit().HasStatus(200)
			first.Fill("text", "two\nlines & <more>").Fill("color", "green").Submit()
			if first.Status == http.StatusForbidden {
				first.Sees("two\nlines & <more>").Sees("green").Sees("once more").Press("Send again")
			}
			first.HasStatus(200).Sees(`saved "two`).Sees(`lines & <more>" "green"`)

			// Two log-in forms, the second sent after the first: works, or asks for the password once more.
			third, fourth := cardeatest.Open(t, g.server.URL), (*cardeatest.Browser)(nil)
			fourth = sameBrowser(t, third)
			third.Visit("/accounts/login/?next=/form")
			fourth.Visit("/accounts/login/").Fill("username", "ada").Fill("password", "correct horse").Submit().HasStatus(200)
			third.Fill("username", "ada").Fill("password", "correct horse").Submit()
			if third.Status == http.StatusForbidden {
				third.Sees(`value="ada"`).SeesNot("correct horse").Fill("username", "ada").Fill("password", "correct horse").Submit()
			}
			third.AtPath("/form").HasStatus(200)

			// A log-out button on a page from before the log-in of another tab.
			fourth.Visit("/accounts/profile/")
			third.Visit("/accounts/login/").Fill("username", "ada").Fill("password", "correct horse").Submit().HasStatus(200)
			fourth.Press("Log out")
			if fourth.Status == http.StatusForbidden {
				fourth.Press("Send again")
			}
			fourth.Sees("Logged out")
			third.Visit("/").AtPath("/accounts/login/")
		})
	}
}

// TestFormIsShownAgainToItsOwnSiteOnly: what a form of another site holds is never shown.
func TestFormIsShownAgainToItsOwnSiteOnly(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	post := func(origin, site string) answer {
		p := g.person()
		p.get("/form")
		form := url.Values{"text": {"typed with care"}, "csrfmiddlewaretoken": {strings.Repeat("a", 64)}}
		req, err := http.NewRequest(http.MethodPost, g.server.URL+"/form", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		if site != "" {
			req.Header.Set("Sec-Fetch-Site", site)
		}
		return p.do(req)
	}
	for _, tt := range []struct {
		origin, site string
		shown        bool
	}{
		{g.server.URL, "", true},
		{"", "same-origin", true},
		{"https://evil.example", "cross-site", false},
		{"null", "cross-site", false},
		{"", "", false},
		{"", "same-site", false},
		{"https://evil.example", "", false},
		{"", "none", false},
	} {
		a := post(tt.origin, tt.site)
		if shown := strings.Contains(a.body, "typed with care"); a.status != http.StatusForbidden || shown != tt.shown {
			t.Errorf("Origin %q, Sec-Fetch-Site %q: status %d, shown again: %v", tt.origin, tt.site, a.status, shown)
		}
	}
}

// sameBrowser is a second tab: it has the cookies of b.
func sameBrowser(t *testing.T, b *cardeatest.Browser) *cardeatest.Browser {
	t.Helper()
	tab := b.Another()
	tab.Client().Jar = b.Client().Jar
	return tab
}
