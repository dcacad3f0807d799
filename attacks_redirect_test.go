package cardea_test

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/internal/vectors"
)

// leadsAway tells whether a browser at base would leave the site by following location, which it reads as WHATWG's URL standard
// says: controls and blanks around it are cut off, tabs and line breaks anywhere are dropped, a backslash is a slash. An empty
// host is no URL at all, and leads nowhere.
func leadsAway(t *testing.T, base, location string) bool {
	t.Helper()
	site, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimFunc(location, func(r rune) bool { return r <= ' ' })
	text = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(text)
	if m := schemePart.FindString(text); m != "" {
		scheme := strings.ToLower(strings.TrimSuffix(m, ":"))
		if scheme != "http" && scheme != "https" {
			return true
		}
		text = text[len(m):]
		if scheme == site.Scheme && !strings.HasPrefix(text, "//") {
			return false // relative
		}
		text = "//" + text
	}
	if !strings.HasPrefix(text, "//") {
		return false
	}
	host := strings.TrimLeft(text, "/") // any number of slashes leads to a host
	if end := strings.IndexAny(host, "/?#"); end >= 0 {
		host = host[:end]
	}
	return host != "" && host != site.Host
}

var schemePart = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)

func TestLeadsAway(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]bool{
		"/x": false, "x": false, "//h.example/": false, "http://h.example/x": false, "http:x": false, "%5Cevil.example": false, "?x=//evil": false, "./a:b": false, "1http://evil.example/": false, "//?x": false, "http:/evil.example": false,
		"//evil.example": true, `/\evil.example`: true, `\\evil.example`: true, "https:evil.example": true, "https:/evil.example": true, "///evil.example": true,
		"http:///evil.example": true, "javascript:alert(1)": true, "/\t/evil.example": true, " //evil.example": true, "http://h.example@evil.example/": true,
		"//h.example:81/": true,
	} {
		if got := leadsAway(t, "http://h.example", location); got != want {
			t.Errorf("leadsAway(%q) = %v", location, got)
		}
	}
}

// redirectInputs are the places at which a visitor says where to go on: each sends next and returns the answer.
var redirectInputs = map[string]func(p *person, next string) answer{
	"the log-in form": func(p *person, next string) answer {
		return p.post("/accounts/login/", url.Values{"username": {"ada"}, "password": {"correct horse"}, "next": {next}})
	},
	"the log-in's query": func(p *person, next string) answer {
		return p.post("/accounts/login/?next="+url.QueryEscape(next), url.Values{"username": {"ada"}, "password": {"correct horse"}})
	},
	"the log-in page of somebody logged in": func(p *person, next string) answer {
		p.post("/accounts/login/", url.Values{"username": {"ada"}, "password": {"correct horse"}})
		return p.get("/accounts/login/?next=" + url.QueryEscape(next))
	},
	"the log-out form": func(p *person, next string) answer {
		return p.post("/accounts/logout/", url.Values{"next": {next}})
	},
	"the log-out's query": func(p *person, next string) answer {
		return p.post("/accounts/logout/?next="+url.QueryEscape(next), url.Values{})
	},
}

func redirectRig(t *testing.T) *rig {
	return newRig(t, func(cfg *cardea.Config) { cfg.RedirectAuthenticatedUser = true })
}

// TestOpenRedirect: whatever "next" says, nobody is sent away from the site.
func TestOpenRedirect(t *testing.T) {
	t.Parallel()
	g := redirectRig(t)
	for input, send := range redirectInputs {
		if a := send(g.person(), "/wanted/?page=2"); !a.redirects() || a.header.Get("Location") != "/wanted/?page=2" {
			t.Fatalf("control: %s did not lead to a page of the site: %d %q", input, a.status, a.header.Get("Location"))
		}
		for _, next := range []string{
			"//evil.example", `/\evil.example`, "https:/evil.example", "https:///evil.example", "https:evil.example", "http:evil.example",
			"https://evil.example/", `\\evil.example`, `\/evil.example`, `/\/evil.example`, "///evil.example", "////evil.example",
			"/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "\x00//evil.example", "\x1f//evil.example", "\u00a0//evil.example",
			"\u200b//evil.example", "\x7f//evil.example", "h\ttps://evil.example", "java\nscript:alert(1)", "javascript:alert(1)", "data:text/html,x",
			strings.TrimPrefix(g.server.URL, "http:") + "@evil.example/", g.server.URL + ".evil.example/", g.server.URL + `\@evil.example/`,
			"http://evil.example#" + g.server.URL, "//evil.example/" + g.server.URL, "//evil。example", "/x\r\nLocation: https://evil.example",
			"/x\r\nSet-Cookie: evil=1", "//" + strings.Repeat("a", 3000),
		} {
			g.clock.step(30 * time.Minute)
			a := send(g.person(), next)
			location := a.header.Get("Location")
			if leadsAway(t, g.server.URL, location) || strings.ContainsAny(location, "\r\n\\") {
				t.Errorf("%s with next=%q: Location %q", input, next, location)
			}
			if a.status >= 500 {
				t.Errorf("%s with next=%q: status %d", input, next, a.status)
			}
			for _, line := range a.header["Set-Cookie"] {
				if strings.HasPrefix(line, "evil") {
					t.Errorf("%s with next=%q set a cookie: %q", input, next, line)
				}
			}
		}
	}
}

// TestM33EveryRedirectInput sends each URL that Django's answers are recorded for to each place that redirects.
func TestM33EveryRedirectInput(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(vectors.Dir(t), "safe_redirect.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		In struct {
			URL *string `json:"url"`
		} `json:"in"`
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	g := redirectRig(t)
	seen := map[string]bool{}
	for _, c := range cases {
		if c.In.URL == nil || seen[*c.In.URL] {
			continue
		}
		// The recorded site is called testserver, ours is not: its own addresses are somebody else's here.
		next := *c.In.URL
		seen[next] = true
		for input, send := range redirectInputs {
			g.clock.step(30 * time.Minute)
			if location := send(g.person(), next).header.Get("Location"); leadsAway(t, g.server.URL, location) {
				t.Errorf("%s with next=%q: Location %q", input, next, location)
			}
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d different URLs were tried", len(seen))
	}
}

// TestPoisonedHost: a host that is not the site's own gets no page, and no header of a stranger changes where links lead.
func TestPoisonedHost(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	host := strings.TrimPrefix(g.server.URL, "http://")
	for _, tt := range []struct {
		name, head string
		status     string // of the status line
	}{
		{"another host", "GET / HTTP/1.1\r\nHost: evil.example\r\n", "400"},
		{"a host that looks like ours", "GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n", "400"},
		{"a user before another host", "GET / HTTP/1.1\r\nHost: 127.0.0.1@evil.example\r\n", "400"},
		{"a path in the host", "GET / HTTP/1.1\r\nHost: 127.0.0.1/evil\r\n", "400"},
		{"a port that is none", "GET / HTTP/1.1\r\nHost: 127.0.0.1:80@evil.example\r\n", "400"},
		{"two hosts", "GET / HTTP/1.1\r\nHost: " + host + "\r\nHost: evil.example\r\n", "400"},
		{"an absolute target", "GET http://evil.example/ HTTP/1.1\r\nHost: " + host + "\r\n", "400"},
		{"a forwarded host", "GET / HTTP/1.1\r\nHost: " + host + "\r\nX-Forwarded-Host: evil.example\r\n", ""},
		{"a forwarded standard header", "GET / HTTP/1.1\r\nHost: " + host + "\r\nForwarded: host=evil.example;proto=https\r\n", ""},
		{"a forwarded prefix", "GET / HTTP/1.1\r\nHost: " + host + "\r\nX-Forwarded-Prefix: //evil.example\r\n", ""},
		{"control", "GET / HTTP/1.1\r\nHost: " + host + "\r\n", "302"},
	} {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := conn.Write([]byte(tt.head + "Accept: text/html\r\nConnection: close\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := resp.Write(&b); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(resp.Status, tt.status) {
			t.Errorf("%s: status %s", tt.name, resp.Status)
		}
		if tt.status == "" && resp.StatusCode != http.StatusFound && resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %s", tt.name, resp.Status)
		}
		if strings.Contains(b.String(), "evil") {
			t.Errorf("%s: the answer repeats the host:\n%s", tt.name, b.String())
		}
		if got := resp.Header.Get("Location"); tt.name == "control" && !strings.HasPrefix(got, "/accounts/login/") {
			t.Errorf("control: Location %q", got)
		}
	}
}
