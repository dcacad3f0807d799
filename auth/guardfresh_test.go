package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
)

// TestFresh: a login counts for so long, then it has to be proven again, and that is enough.
func TestFresh(t *testing.T) {
	t.Parallel()
	var notices []string
	s, _ := guarded(t, func(_ *site, cfg *auth.Config) {
		cfg.Notice = func(_ *http.Request, text string) { notices = append(notices, text) }
	})
	guard := s.auth.Fresh(10 * time.Minute)(page)
	const stale = "302 /accounts/login/?again=1&next=/delete/%3Fid%3D7"

	res, _ := s.browser().ask(guard, "GET", "/delete/?id=7")
	want(t, "a visitor", res, "302 /accounts/login/?next=/delete/%3Fid%3D7")
	if len(notices) != 0 {
		t.Errorf("a visitor is told %q", notices)
	}
	ada := s.browser()
	ada.signIn("ada", "engine")
	for _, c := range []struct {
		after  time.Duration
		answer string
	}{{0, "200"}, {10 * time.Minute, "200"}, {time.Second, stale}, {24 * time.Hour, stale}} {
		s.advance(c.after)
		res, body := ada.ask(guard, "GET", "/delete/?id=7")
		want(t, "after "+c.after.String(), res, c.answer)
		if (c.answer == "200") != strings.Contains(body, "the page") {
			t.Errorf("after %v: got %q", c.after, body)
		}
	}
	if len(notices) != 2 || !strings.Contains(notices[0], "password") {
		t.Errorf("told %q, want words at each of two redirects", notices)
	}
	if ada.who() != "ada" {
		t.Error("a stale login is no login any more")
	}
	ada.signIn("ada", "engine")
	res, _ = ada.ask(guard, "GET", "/delete/?id=7")
	want(t, "after another login", res, "200")

	s.advance(time.Hour)
	res, _ = ada.ask(guard, "GET", "/delete/", "Accept", program)
	want(t, "a program", res, "403")
	contains(t, "the log", s.logs.String(), "guard=Fresh")
	bob := s.browser()
	bob.cookies = ada.cookies
	bob.signIn("bob", "builder")
	res, _ = bob.ask(guard, "GET", "/delete/")
	want(t, "another user's login", res, "200")
}

// TestFreshForm: a form that was sent leads back to the page that it is on, if that is one of this site.
func TestFreshForm(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t)
	guard := s.auth.Fresh(time.Minute)(page)
	ada := s.browser()
	ada.signIn("ada", "engine")
	s.advance(time.Hour)
	for referer, next := range map[string]string{
		"http://localhost/edit/%20?id=7":   "/edit/%2520%3Fid%3D7",
		"http://evil.example/edit/":        "/delete/",
		"":                                 "/delete/",
		"http://localhost":                 "/delete/",
		"http://localhost.evil.example/ed": "/delete/",
	} {
		res, _ := ada.ask(guard, "POST", "/delete/", "Referer", referer)
		want(t, "from "+referer, res, "302 /accounts/login/?again=1&next="+next)
	}
	res, _ := ada.ask(guard, "GET", "/delete/", "Referer", "http://localhost/edit/")
	want(t, "a page", res, "302 /accounts/login/?again=1&next=/delete/")
}

// TestFreshOwnAnswer: a site can answer by itself, for example to keep what was typed.
func TestFreshOwnAnswer(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t, func(_ *site, cfg *auth.Config) {
		cfg.Stale = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }
	})
	ada := s.browser()
	ada.signIn("ada", "engine")
	s.advance(time.Hour)
	res, _ := ada.ask(s.auth.Fresh(time.Minute)(page), "POST", "/delete/")
	want(t, "stale", res, "418")
}

// TestFreshProofs: only proofs of a known time in the past count, and only the user's own.
func TestFreshProofs(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t)
	now := s.clock()
	whole := func(extra string) string {
		return strings.TrimSuffix(login(`"1"`, modelName, hash("plain$engine", secret)), "}") + extra + "}"
	}
	notes := func(user string, at time.Time) string {
		return `,"_cardea":{"user":"` + user + `","proofs":[{"backend":"b","methods":["pwd"],"at":"` + at.Format(time.RFC3339) + `"}]}`
	}
	for _, c := range []struct{ name, data, answer string }{
		{"just now", whole(notes("1", now)), "200"},
		{"clocks that differ", whole(notes("1", now.Add(30*time.Second))), "200"},
		{"made by Django", whole(""), "302 /accounts/login/?again=1&next=/x"},
		{"from the future", whole(notes("1", now.Add(time.Hour))), "302 /accounts/login/?again=1&next=/x"},
		{"of another user", whole(notes("2", now)), "302 /accounts/login/?again=1&next=/x"},
		{"without a time", whole(`,"_cardea":{"user":"1","proofs":[{"backend":"b"}]}`), "302 /accounts/login/?again=1&next=/x"},
		{"not readable", whole(`,"_cardea":[1]`), "302 /accounts/login/?again=1&next=/x"},
	} {
		b := s.plant(c.data)
		res, _ := b.ask(s.auth.Fresh(time.Minute)(page), "GET", "/x")
		want(t, c.name, res, c.answer)
		if b.who() != "ada" {
			t.Errorf("%s: nobody is logged in", c.name)
		}
	}
}

// TestFreshMeetsAnonymousOnly: a login page that is closed to users still takes those who have to prove themselves again.
func TestFreshMeetsAnonymousOnly(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t)
	mux := http.NewServeMux()
	mux.Handle("/accounts/login/", s.auth.AnonymousOnly(page))
	mux.Handle("/delete/", s.auth.Fresh(time.Minute)(page))
	ada := s.browser()
	ada.signIn("ada", "engine")
	s.advance(time.Hour)
	target, hops := "/delete/", 0
	for {
		res, _ := ada.ask(mux, "GET", target)
		if res.StatusCode == http.StatusOK {
			break
		}
		if target = res.Header.Get("Location"); res.StatusCode != http.StatusFound || hops > 5 {
			t.Fatalf("%s to %q after %d hops", res.Status, target, hops)
		}
		hops++
	}
	if hops != 1 || !strings.HasPrefix(target, "/accounts/login/?again=1") {
		t.Errorf("ended at %q after %d hops, want the login page after one", target, hops)
	}
	if auth.Again(&http.Request{URL: mustURL(t, "/?again=0")}) {
		t.Error("Again without being asked")
	}
}
