package cardea_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/csrf"
)

// TestRefused: the pages that say why a request was refused come with their status, their words and their style sheet, however
// early the refusal was and whether or not the program serves the ready pages.
func TestRefused(t *testing.T) {
	t.Parallel()
	site, err := cardea.New(cardeatest.DB(t), cardeatest.Config())
	if err != nil {
		t.Fatal(err)
	}
	b := cardeatest.NewBrowser(t, site.Handler(site.Auth.Required(http.NotFoundHandler())))
	sheet := regexp.MustCompile(`<link rel="stylesheet" href="([^"]+)"`)
	for _, c := range []struct {
		name, path, host, site string
		status                 int
		sees                   string
	}{
		{"a form that is out of date", "/order", "", "same-origin", 403, `value="two"`},
		{"a log-in that is out of date", "/accounts/login/", "", "same-origin", 403, "type your password once more"},
		{"a forged form", "/order", "", "cross-site", 403, "came from you"},
		{"an unknown host", "/order", "evil.example", "same-origin", 400, "not known here"},
	} {
		req, err := http.NewRequest("POST", b.URL(c.path), strings.NewReader("username=ada&tickets=two"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", c.site)
		req.Host = c.host
		b.Do(req).HasStatus(c.status).Sees(c.sees)
		link := sheet.FindStringSubmatch(b.Body)
		if link == nil {
			t.Fatalf("%s: no style sheet", c.name)
		}
		req, err = http.NewRequest("GET", b.URL(link[1]), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		b.Do(req).HasStatus(200)
		if got := b.Header.Get("Content-Type"); got != "text/css; charset=utf-8" {
			t.Errorf("%s: the style sheet is %q", c.name, got)
		}
	}
}

// TestCSRFFailure: with Debug the page says why a form was refused, without it the page does not; a program can answer by itself.
func TestCSRFFailure(t *testing.T) {
	t.Parallel()
	const reason = "CSRF cookie not set."
	for name, c := range map[string]struct {
		change     func(cfg *cardea.Config)
		sees, lack string
	}{
		"a visitor":   {func(*cardea.Config) {}, "came from you", reason},
		"a developer": {func(cfg *cardea.Config) { cfg.Debug = true }, reason, "no such text"},
		"a program": {func(cfg *cardea.Config) {
			cfg.CSRFFailure = func(w http.ResponseWriter, _ *http.Request, f *csrf.Failure) {
				w.WriteHeader(f.Status)
				_, _ = w.Write([]byte("our own words for " + f.Reason))
			}
		}, "our own words for " + reason, "came from you"},
	} {
		cfg := cardeatest.Config()
		c.change(&cfg)
		site, err := cardea.New(cardeatest.DB(t), cfg)
		if err != nil {
			t.Fatal(err)
		}
		b := cardeatest.NewBrowser(t, site.Handler(http.NotFoundHandler()))
		req, err := http.NewRequest("POST", b.URL("/order"), strings.NewReader("tickets=two"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if b.Do(req).HasStatus(403).Sees(c.sees); strings.Contains(b.Body, c.lack) {
			t.Errorf("%s sees %q", name, c.lack)
		}
	}
}
