package origin_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/origin"
)

func TestRedirectLocation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ target, location string }{
		{"/x", "/x"},
		{"x", "x"}, // http.Redirect would make it absolute
		{"../x", "../x"},
		{"?a=b", "?a=b"},
		{"", ""},
		{"/a b/é?q=ü#f", "/a%20b/%C3%A9?q=%C3%BC#f"},
		{"/x\r\nSet-Cookie: a=b", "/x%0D%0ASet-Cookie:%20a=b"},
		{`\evil.example`, "%5Cevil.example"},
		{"/%0d%0a", "/%0d%0a"},
		{"https://other.example/", "https://other.example/"},
		{"ftp://other.example/", "ftp://other.example/"},
		{"/" + strings.Repeat("é", 16383), "/" + strings.Repeat("%C3%A9", 16383)},
	} {
		w := httptest.NewRecorder()
		if err := origin.Redirect(w, httptest.NewRequest("GET", "/accounts/login/", nil), tt.target, http.StatusFound); err != nil {
			t.Errorf("Redirect(%.60q): %v", tt.target, err)
			continue
		}
		if got := w.Header().Get("Location"); got != tt.location {
			t.Errorf("Redirect(%.60q): Location %.60q, want %.60q", tt.target, got, tt.location)
		}
		if kind := w.Header().Get("Content-Type"); w.Code != http.StatusFound || w.Body.Len() != 0 || kind != "text/html; charset=utf-8" {
			t.Errorf("Redirect(%.60q): status %d with %d bytes of %s, want 302 with none", tt.target, w.Code, w.Body.Len(), kind)
		}
	}
}

func TestRedirectRefuses(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)", "data:text/html,x", "mailto:a@b.c",
		"file:///etc/passwd", "http://[::1", "http://\u2100/", "/" + strings.Repeat("x", 16384),
	} {
		w := httptest.NewRecorder()
		err := origin.Redirect(w, httptest.NewRequest("GET", "/", nil), target, http.StatusFound)
		if !errors.Is(err, origin.ErrUnsafeRedirect) {
			t.Errorf("Redirect(%.60q) = %v, want ErrUnsafeRedirect", target, err)
		}
		if w.Header().Get("Location") != "" {
			t.Errorf("Redirect(%.60q) sets a Location", target)
		}
	}
	err := origin.Redirect(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), "/", http.StatusOK)
	if err == nil || errors.Is(err, origin.ErrUnsafeRedirect) {
		t.Errorf("Redirect with status 200 = %v, want an error about the status", err)
	}
}

// TestEscapeLeadingSlashes (CVE-2018-14574): a redirect to the path of "GET //evil.example/" stays here.
func TestEscapeLeadingSlashes(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"//evil.example/": "/%2Fevil.example/", "///x": "/%2F/x", "/x//y": "/x//y", "/": "/", "": "",
	} {
		if got := origin.EscapeLeadingSlashes(path); got != want {
			t.Errorf("EscapeLeadingSlashes(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestRedirectToLogin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ next, loginURL, field, want string }{
		{"/x", "/login/?a=1&next=o&b=2&next=p&a=3", "next", "/login/?a=1&a=3&next=/x&b=2"},
		{"/x", "/login/?a&&=b&%zz=%ff", "next", "/login/?a=&=b&%25zz=%EF%BF%BD&next=/x"},
		{"/x", "/login/?a=1;b=2", "next", "/login/?a=1%3Bb%3D2&next=/x"}, // CVE-2021-23336
		{"/x", "https:login", "next", "https:login?next=/x"},
		{"/x", "HTTPS://h", "next", "https://h?next=/x"},
		{"/x", "/lögin", "nächstes", "/l%C3%B6gin?n%C3%A4chstes=/x"},
		{"/x", "//[broken", "next", "//[broken"},
		{"javascript:alert(1)", "/login/", "next", "/login/?next=javascript%3Aalert%281%29"},
	} {
		if got := origin.RedirectToLogin(tt.next, tt.loginURL, tt.field); got != tt.want {
			t.Errorf("RedirectToLogin(%q, %q, %q) = %q, want %q", tt.next, tt.loginURL, tt.field, got, tt.want)
		}
	}
}

// TestLoginRedirectKeepsEscapes: after the login the browser comes back to the URL it was sent from, byte for byte.
func TestLoginRedirectKeepsEscapes(t *testing.T) {
	t.Parallel()
	here := &origin.Info{Scheme: "http", Host: "site.example"}
	for _, tt := range []struct{ path, want string }{
		{"/a%20b", "/login/?next=/a%2520b"},
		{"/a%2Fb", "/login/?next=/a%252Fb"},
		{"/100%", "/login/?next=/100%2525"},
		{"/%4", "/login/?next=/%25254"},
		{"/x?", "/login/?next=/x"},
		{"/x?q=a%26b", "/login/?next=/x%3Fq%3Da%2526b"},
	} {
		if got := origin.LoginRedirect(tt.path, "/login/", here); got != tt.want {
			t.Errorf("LoginRedirect(%q) = %q, want %q", tt.path, got, tt.want)
		}
	}
}
