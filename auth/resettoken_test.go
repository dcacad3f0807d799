package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/signing"
)

func newTokens(t testing.TB, keys signing.Keys, cfg auth.ResetConfig) *auth.ResetTokens {
	t.Helper()
	tokens, err := auth.NewResetTokens(keys, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// TestResetTokenEnds: a token dies with everything that it is bound to.
func TestResetTokenEnds(t *testing.T) {
	t.Parallel()
	login := time.Date(2026, 1, 2, 3, 4, 5, 123_456_000, time.UTC)
	at := func(d time.Duration) *time.Time { later := login.Add(d); return &later }
	ada := auth.ResetSubject{ID: "7", PasswordHash: "argon2$x", LastLogin: &login, Email: "Ada@example.org"}
	now := login.Add(24 * time.Hour)
	tokens := newTokens(t, signing.Keys{Current: "secret"}, auth.ResetConfig{})
	token := tokens.Make(ada, now)
	for _, c := range []struct {
		name   string
		change func(*auth.ResetSubject)
		want   bool
	}{
		{"nothing changed", func(*auth.ResetSubject) {}, true},
		{"the same second of the last login", func(s *auth.ResetSubject) { s.LastLogin = at(800 * time.Millisecond) }, true},
		{"a login", func(s *auth.ResetSubject) { s.LastLogin = at(time.Second) }, false},
		{"no login known", func(s *auth.ResetSubject) { s.LastLogin = nil }, false},
		{"another password", func(s *auth.ResetSubject) { s.PasswordHash = "argon2$y" }, false},
		{"another address", func(s *auth.ResetSubject) { s.Email = "ada@example.org" }, false},
		{"another account", func(s *auth.ResetSubject) { s.ID = "8" }, false},
		{"nobody", func(s *auth.ResetSubject) { s.ID = "" }, false},
	} {
		s := ada
		c.change(&s)
		if got := tokens.Check(s, token, now); got != c.want {
			t.Errorf("%s: Check = %v, want %v", c.name, got, c.want)
		}
	}
	if newTokens(t, signing.Keys{Current: "other"}, auth.ResetConfig{}).Check(ada, token, now) {
		t.Error("another site's token is taken")
	}
	if !newTokens(t, signing.Keys{Current: "new", Fallbacks: []string{"x", "secret"}}, auth.ResetConfig{}).Check(ada, token, now) {
		t.Error("a token by an older key is refused")
	}
}

// TestResetTokenDaylightSaving: where Django's clock jumps, the age of a token jumps with it.
func TestResetTokenDaylightSaving(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	tokens := newTokens(t, signing.Keys{Current: "secret"}, auth.ResetConfig{Location: berlin, Timeout: 2 * time.Hour})
	s := auth.ResetSubject{ID: "1"}
	made := time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC) // half an hour before clocks went from 2 to 3
	token := tokens.Make(s, made)
	if !tokens.Check(s, token, made.Add(time.Hour)) {
		t.Error("refused after one hour, which clocks call two")
	}
	if tokens.Check(s, token, made.Add(time.Hour+time.Second)) {
		t.Error("taken when clocks call it older than two hours")
	}
}

func TestResetTokenRefused(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tokens := newTokens(t, signing.Keys{Current: "secret"}, auth.ResetConfig{})
	s := auth.ResetSubject{ID: "1", Email: "ada@example.org"}
	token := tokens.Make(s, now)
	stamp, mac, _ := strings.Cut(token, "-")
	for _, bad := range []string{
		"", "-", stamp, stamp + "-", "-" + mac, strings.ToUpper(token), "0" + token, "+" + token, " " + token, token + " ", token + "-",
		stamp + "--" + mac, stamp[:3] + "_" + stamp[3:] + "-" + mac, "zzzzzzzzzzzzz-" + mac, "zzzzzzzzzzzzzz-" + mac, "٣-" + mac,
		strings.Repeat("0", 1<<20) + token, token[:len(token)-1],
	} {
		if tokens.Check(s, bad, now) {
			t.Errorf("Check(%.60q) = true", bad)
		}
	}
	if before := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC); !strings.HasPrefix(tokens.Make(s, before), "0-") {
		t.Errorf("a clock before 2001 makes %q", tokens.Make(s, before))
	}
}

func TestResetTokensConfig(t *testing.T) {
	t.Parallel()
	for _, keys := range []signing.Keys{{}, {Current: "x", Fallbacks: []string{""}}} {
		if _, err := auth.NewResetTokens(keys, auth.ResetConfig{}); !errors.Is(err, signing.ErrNoKey) {
			t.Errorf("NewResetTokens without a key: %v", err)
		}
	}
	if _, err := auth.NewResetTokens(signing.Keys{Current: "x"}, auth.ResetConfig{Timeout: -1}); err == nil {
		t.Error("a negative timeout is taken")
	}
	tokens := newTokens(t, signing.Keys{Current: "hush-hush"}, auth.ResetConfig{})
	if printed := fmt.Sprintf("%v %+v %s", tokens, tokens, tokens); strings.Contains(printed, "hush") {
		t.Errorf("prints its key: %s", printed)
	}
}

func TestDecodeUID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		uid, want string
		ok        bool
	}{
		{"MQ", "1", true},
		{"M Q==\n", "1", true},
		{"NTUwZTg0MDAtZTI5Yi00MWQ0LWE3MTYtNDQ2NjU1NDQwMDAw", "550e8400-e29b-41d4-a716-446655440000", true},
		{"", "", false},
		{"====", "", false},
		{"M", "", false},
		{"____", "", false}, // not UTF-8
	} {
		got, err := auth.DecodeUID(c.uid)
		if got != c.want || (err == nil) != c.ok || err != nil && !errors.Is(err, auth.ErrUID) {
			t.Errorf("DecodeUID(%q) = %q, %v", c.uid, got, err)
		}
	}
}

// FuzzResetToken: nothing but the very token is taken, and nothing makes Check or DecodeUID fail.
func FuzzResetToken(f *testing.F) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tokens := newTokens(f, signing.Keys{Current: "secret", Fallbacks: []string{"old"}}, auth.ResetConfig{Location: time.FixedZone("", 3600)})
	s := auth.ResetSubject{ID: "1", PasswordHash: "x", LastLogin: &now, Email: "ada@example.org"}
	token := tokens.Make(s, now)
	f.Add(token, auth.EncodeUID("1"))
	f.Add(strings.ToUpper(token), "M Q")
	f.Add("zzzzzzzzzzzzz-"+token[7:], "=")
	f.Fuzz(func(t *testing.T, candidate, uid string) {
		testhang.Watch(t)
		if tokens.Check(s, candidate, now) != (candidate == token) {
			t.Errorf("Check(%q) is wrong", candidate)
		}
		if id, err := auth.DecodeUID(uid); err == nil {
			if back, err := auth.DecodeUID(auth.EncodeUID(id)); err != nil || back != id {
				t.Errorf("%q decodes to %q, that to %q, %v", uid, id, back, err)
			}
		}
	})
}
