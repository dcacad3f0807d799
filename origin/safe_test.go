package origin_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/origin"
)

// TestOpenRedirects (M33) has one line for each trick by which a "next" parameter took people to another site, beside a
// control that differs as little as possible and is harmless.
func TestOpenRedirects(t *testing.T) {
	t.Parallel()
	visitor := &origin.Info{Scheme: "https", Secure: true, Host: "site.example"}
	for _, tt := range []struct{ name, trick, control string }{
		{"two slashes", "//evil.example/x", "/evil.example/x"},
		{"two slashes, own host over http", "//site.example/x", "https://site.example/x"},
		{"slash, backslash", `/\evil.example/x`, "/evil.example\\x"},
		{"backslash, slash", `\/evil.example/x`, `\evil.example/x`},
		{"two backslashes", `\\evil.example/x`, `\evil.example\x`},
		{"three slashes", "///evil.example/x", "/x///evil.example"},
		{"four slashes after a scheme", "https:////evil.example", "https://site.example//evil.example"},
		{"one slash after the scheme", "https:/evil.example", "https://site.example/"},
		{"no slash after the scheme", "https:evil.example", "https.evil.example"},
		{"no slash, a number", "https:3232235777", "3232235777"},
		{"backslashes after the scheme", `https:\\evil.example`, `https://site.example/\\evil.example`},
		{"userinfo", "https://site.example@evil.example/", "https://site.example/@evil.example"},
		{"userinfo by backslash", `https://evil.example\@site.example/`, `https://site.example/\@evil.example`},
		{"userinfo with the right host", "https://evil.example@site.example/", "https://site.example/evil.example@site.example"},
		{"longer host", "https://site.example.evil.example/", "https://site.example/.evil.example"},
		{"another port", "https://site.example:8443/", "https://site.example/:8443/"},
		{"plain http", "http://site.example/", "HTTPS://site.example/"},
		{"blank in front", " //evil.example", " /evil.example"},
		{"separator U+001F in front", "\x1f//evil.example", "\x1f/evil.example"},
		{"tab in front", "\t//evil.example", "\t/evil.example"},
		{"tab between the slashes", "/\t/evil.example", "/\tevil.example"},
		{"line feed between the slashes", "/\n/evil.example", "/x\n/evil.example"},
		{"carriage return between the slashes", "/\r/evil.example", "/x\r/evil.example"},
		{"tab in the scheme", "ht\ttps://evil.example", "ht\ttps://site.example"},
		{"control character in front", "\x08//evil.example", "/\x08//evil.example"},
		{"NUL in front", "\x00//evil.example", "/\x00"},
		{"DEL in front", "\x7f/x", "/\x7fx"},
		{"zero-width space in front", "\u200b//evil.example", "/\u200b//evil.example"},
		{"private use in front", "\ue000/x", "/\ue000x"},
		{"unassigned in front", "\u0378/x", "/\u0378x"},
		{"noncharacter in front", "\uffff/x", "/\uffffx"},
		{"host that NFKC changes", "https://site.example\uff0f.evil.example/", "https://site.example/\uff0f.evil.example/"},
		{"javascript", "javascript:alert(1)", "/javascript:alert(1)"},
		{"javascript with the host", "javascript://site.example/%0aalert(1)", "https://site.example/%0aalert(1)"},
		{"javascript, line feed inside", "java\nscript:alert(1)", "/java\nscript:alert(1)"},
		{"data", "data:text/html,x", "data/text/html,x"},
		{"broken brackets", "https://[site.example/", "https://site.example/["},
		{"nothing", "", "?"},
		{"blanks", " \u3000\x1c", " x "},
		{"too long", "/" + strings.Repeat("é", 2048), "/" + strings.Repeat("é", 2047)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, ok := visitor.SafeNext(tt.trick); ok || got != "" {
				t.Errorf("SafeNext(%.80q) = %.80q, %t, want refused", tt.trick, got, ok)
			}
			if got, ok := visitor.SafeNext(tt.control); !ok || got != strings.Trim(tt.control, " \t\x1f") {
				t.Errorf("SafeNext(%.80q) = %.80q, %t, want the same without blanks around it, accepted", tt.control, got, ok)
			}
		})
	}
}

func TestURLHasAllowedHostAndSchemeOverHTTP(t *testing.T) {
	t.Parallel()
	hosts := []string{"a.example", "b.example:8000", "[::1]:80"}
	for _, tt := range []struct {
		url         string
		http, https bool
	}{
		{"http://a.example/", true, false},
		{"https://a.example/", true, true},
		{"//a.example/", true, false},
		{"http://b.example:8000", true, false},
		{"http://b.example", false, false},
		{"http://A.example", false, false},
		{"https://[::1]:80/x", true, true},
		{"https://[::1]/x", false, false},
		{"ftp://a.example/", false, false},
		{"/", true, true},
	} {
		if got := origin.URLHasAllowedHostAndScheme(tt.url, hosts, false); got != tt.http {
			t.Errorf("%q: got %t, want %t", tt.url, got, tt.http)
		}
		if got := origin.URLHasAllowedHostAndScheme(tt.url, hosts, true); got != tt.https {
			t.Errorf("%q with HTTPS required: got %t, want %t", tt.url, got, tt.https)
		}
	}
	if origin.URLHasAllowedHostAndScheme("http://a.example/", nil, false) {
		t.Error("a host is allowed though none is")
	}
}

// FuzzSafeRedirect checks what the rule is for: what it accepts, sent by Redirect, leaves a browser on the same host.
func FuzzSafeRedirect(f *testing.F) {
	for _, s := range []string{
		"/x", "//evil", `/\evil`, `\evil`, "https:/evil", "https:evil", "/\t/evil", "https://site.example/", " //?x", "http ://site.example/",
		"https://site.example\\@evil", "https\t://site.example/", "//?@evil", "/..//evil", "//site.example:80", ":x", "%2f%2fevil", "/%5cevil",
		"https://site.example%00.evil/", "ｈttps://evil", "/\x00/evil", "//\u2100evil", "?//evil", "#//evil", "///evil", "https:////evil", "https://[::1]/", "// ", "//\u3000", "//\x1f", "//\t/",
	} {
		f.Add(s)
	}
	visitor := &origin.Info{Scheme: "https", Secure: true, Host: "site.example"}
	f.Fuzz(func(t *testing.T, candidate string) {
		testhang.Watch(t)
		next, ok := visitor.SafeNext(candidate)
		if !ok {
			return
		}
		w := httptest.NewRecorder()
		if err := origin.Redirect(w, httptest.NewRequest("GET", "/", nil), next, 302); err != nil {
			if len(candidate) < 2048 {
				t.Fatalf("%q is safe, and Redirect refuses it: %v", candidate, err)
			}
			return
		}
		location := w.Header().Get("Location")
		if i := strings.IndexFunc(location, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\\\"<>^`{|}", r) }); i >= 0 {
			t.Fatalf("%q: Location %q has a raw %q", candidate, location, location[i])
		}
		for _, page := range []string{"https://site.example/accounts/login/?next=x", "https://site.example"} {
			base, _ := url.Parse(page)
			if u, err := base.Parse(location); err == nil && (u.Host != "site.example" && u.Host != "" || u.Scheme != "https") {
				t.Fatalf("%q: net/url goes from %s to %s", candidate, page, u)
			}
			if host, err := browserHost(base.Host, location); err == nil && host != "site.example" {
				t.Fatalf("%q: a browser goes from %s by %q to host %q", candidate, page, location, host)
			}
		}
	})
}

// browserHost returns the host that a browser on an https page goes to by a Location, by the states of the WHATWG URL
// standard that lead to a host. An error means that the browser goes nowhere.
func browserHost(pageHost, location string) (string, error) {
	s := strings.Trim(location, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ")
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	scheme, rest := "", s
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if 'a' <= c && c <= 'z' || i > 0 && (strings.IndexByte("0123456789+-.", s[i]) >= 0) {
			continue
		}
		if i > 0 && s[i] == ':' {
			scheme, rest = strings.ToLower(s[:i]), s[i+1:]
		}
		break
	}
	slash := func(s string) bool { return s != "" && (s[0] == '/' || s[0] == '\\') }
	switch scheme {
	case "https", "":
		if !slash(rest) || !slash(rest[1:]) {
			return pageHost, nil // relative, even after the page's own scheme
		}
	case "http", "ws", "wss", "ftp": // always a host, however many slashes there are
	default:
		return "", fmt.Errorf("scheme %q", scheme)
	}
	rest = strings.TrimLeft(rest, `/\`)
	if end := strings.IndexAny(rest, `/\?#`); end >= 0 {
		rest = rest[:end]
	}
	host := rest[strings.LastIndexByte(rest, '@')+1:]
	if host == "" {
		return "", fmt.Errorf("no host")
	}
	host, err := url.PathUnescape(host)
	return strings.ToLower(host), err
}
