package beside_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A wrong is one setting in which Cardea is not as the Django beside it, and the stories that fail by it, in the directions from Django to
// Cardea and back: with a part of what is then seen, or "" for one that goes well.
type wrong struct {
	name         string
	change       string // what Cardea is told
	setting      string // of Django's, by which inspect-django names it
	secret, zone string
	fails        map[string][2]string
}

// What is seen then: a side does not know the session, or cannot read it, or did not find it in the table as it should be.
const (
	atCardea  = `Cardea does not say "Hello, `
	atDjango  = `Django does not say "Django sees `
	unsigned  = `bad signature`
	otherName = `the session in the table has _auth_user_backend "django.contrib.auth.backends.AllowAllUsersModelBackend"`
	noCookie  = `the session "" is not in the table`
	rehashed  = `changed the password in the table from`
	tooLate   = `a link of Django, 30m0s old, works at Cardea: false`
)

var wrongs = []wrong{
	{
		name: "secret key", setting: "SECRET_KEY", change: "CARDEA_SECRET_KEY=" + otherSecret, secret: otherSecret,
		fails: map[string][2]string{
			"log in at A, visit B":           {atCardea, unsigned},
			"log out at B, visit A":          {atCardea, unsigned},
			"new password at A":              {unsigned, unsigned},
			"reset link of A at B":           {"the link of Django at Cardea", "the link of Cardea at Django"},
			"reset link of A, too old":       {tooLate, "a link of Cardea, 30m0s old, works at Django: false"},
			"message of A shown at B":        {atCardea, unsigned},
			"form of A sent to B":            {atDjango, atCardea}, // the form is taken; what it began is not seen
			"new secret key at A first":      {atCardea, unsigned},
			"costlier hash at A":             {unsigned, atDjango},
			"row gone, slow request at B":    {unsigned, unsigned},
			"user inactive at A":             {unsigned, atCardea},
			"user deleted at A":              {atDjango, atCardea},
			"createsuperuser at A":           {atDjango, atCardea},
			"five log-ins, one password row": {atCardea, atDjango}, // the row stays; only the last look fails
			"JOE and joe_ at A and B":        {unsigned, unsigned},
		},
	},
	{
		name: "hashing cost", setting: "PASSWORD_HASHERS", change: "CARDEA_PASSWORD_HASHER_PARAMS=pbkdf2_sha256=iterations=2000",
		// Whoever logs in at the other side has a new hash there, and all other sessions are over.
		fails: map[string][2]string{
			"new password at A":              {"the session in the table has _auth_user_hash", "the session in the table has _auth_user_hash"},
			"user inactive at A":             {atCardea, ""},
			"user deleted at A":              {atCardea, atDjango},
			"createsuperuser at A":           {rehashed, ""},
			"five log-ins, one password row": {"log-in 2, at Cardea, " + rehashed, "log-in 2, at Django, " + rehashed},
		},
	},
	{
		name: "back end", setting: "AUTHENTICATION_BACKENDS", change: "CARDEA_AUTHENTICATION_BACKENDS=django.contrib.auth.backends.AllowAllUsersModelBackend",
		fails: map[string][2]string{
			"log in at A, visit B":           {atCardea, otherName},
			"log out at B, visit A":          {atCardea, otherName},
			"new password at A":              {otherName, otherName},
			"reset link of A at B":           {atCardea, atDjango}, // the link works; the log-in afterwards is not seen
			"message of A shown at B":        {atCardea, otherName},
			"form of A sent to B":            {atDjango, atCardea},
			"new secret key at A first":      {atCardea, otherName},
			"costlier hash at A":             {otherName, atDjango},
			"row gone, slow request at B":    {atCardea, otherName},
			"user inactive at A":             {otherName, atCardea},
			"user deleted at A":              {atDjango, atCardea},
			"createsuperuser at A":           {atDjango, atCardea},
			"five log-ins, one password row": {atCardea, atDjango},
			"JOE and joe_ at A and B":        {otherName, otherName},
		},
	},
	{
		name: "cookie name", setting: "SESSION_COOKIE_NAME", change: "CARDEA_SESSION_COOKIE_NAME=session",
		fails: map[string][2]string{
			"log in at A, visit B":           {atCardea, noCookie},
			"log out at B, visit A":          {atCardea, noCookie},
			"new password at A":              {noCookie, noCookie},
			"reset link of A at B":           {atCardea, atDjango},
			"message of A shown at B":        {atCardea, noCookie},
			"form of A sent to B":            {atDjango, atCardea},
			"new secret key at A first":      {atCardea, noCookie},
			"costlier hash at A":             {noCookie, atDjango},
			"row gone, slow request at B":    {"the row gone: false; afterwards it is there: true", noCookie},
			"user inactive at A":             {noCookie, atCardea},
			"user deleted at A":              {atDjango, atCardea},
			"createsuperuser at A":           {atDjango, atCardea},
			"five log-ins, one password row": {`the session "" is gone`, `the session "" is gone`},
			"JOE and joe_ at A and B":        {noCookie, noCookie},
		},
	},
	{
		name: "time zone", setting: "TIME_ZONE", change: "CARDEA_TIME_ZONE=" + otherZone, zone: otherZone,
		// Sessions do not mind. Links of the side that is behind are over at once at the other, and those of the other live too long.
		fails: map[string][2]string{
			"reset link of A at B":     {"the link of Django at Cardea", ""},
			"reset link of A, too old": {tooLate, "a link of Cardea, 1h30m0s old, works at Django: true"},
		},
	},
}

const (
	otherSecret = "beside: a secret key that only one of the two knows"
	otherZone   = "Asia/Kolkata"
)

// TestOneThingWrong tells the same stories where Cardea differs from Django in one setting. Those fail that the setting matters to, at the
// point at which it matters, and no other.
func TestOneThingWrong(t *testing.T) {
	t.Parallel()
	for _, on := range combinations() {
		if on != quick[0] && os.Getenv("CARDEA_SLOW") != "1" {
			continue
		}
		t.Run("Django "+on.version+" "+on.kind, func(t *testing.T) {
			t.Parallel()
			right := open(t, on.version, on.kind)
			if said, status := right.Check(t, right.config); status != 0 {
				t.Errorf("inspect-django --check of its own output: status %d\n%s", status, said)
			}
			verdict := ""
			got := try(t, func(t testing.TB) {
				c := newCell(t, right, "ida", djangoSide, cardeaSide)
				c.verdict = &verdict
				c.visit(c.browser(), cardeaSide, "/accounts/teleport/")
			})
			if verdict != "missing" || !strings.HasPrefix(got, "missing: Cardea has no page /accounts/teleport/") {
				t.Errorf("of a page that is not there the table says %q, the test %q", verdict, got)
			}
			for n, wrong := range wrongs {
				t.Run(wrong.name, func(t *testing.T) {
					t.Parallel()
					wrong.run(t, right, n)
				})
			}
		})
	}
}

// run tells all stories with what is wrong. Its number keeps its people apart from the others'.
func (w wrong) run(t *testing.T, right *stage, number int) {
	t.Helper()
	s := *right
	if w.secret != "" {
		s.secret = w.secret
	}
	if w.zone != "" {
		s.zone = w.zone
	}
	for _, p := range []*pair{&s.pair, &s.rotated, &s.costlier} {
		p.cardea = s.Serve(t, p.config, w.change)
	}
	s.probe = s.Probe(t, s.config, w.change)
	w.named(t, &s)
	for i, story := range stories {
		for j, direction := range directions {
			name := fmt.Sprintf("eve%d%c%c", i, 'a'+j, 'a'+number)
			got := try(t, func(t testing.TB) { story.tell(newCell(t, &s, name, direction.a, direction.b)) })
			want := w.fails[story.name][j]
			if want == "" && got != "" || !strings.Contains(got, want) {
				t.Errorf("%s, %s:\n got %.400q\nwant %q", story.name, direction.name, got, want)
			}
		}
	}
}

// named checks that cardea finds what is wrong before anybody else does, and nothing else.
func (w wrong) named(t *testing.T, s *stage) {
	t.Helper()
	said, status := s.Check(t, s.config, w.change)
	var found []string
	for line := range strings.Lines(said) {
		if name, ok := strings.CutPrefix(line, "mismatch: "); ok {
			found = append(found, strings.Fields(name)[0])
		}
	}
	if status != 1 || !slices.Equal(found, []string{w.setting}) {
		t.Errorf("inspect-django --check: status %d, want 1 and a mismatch of %s alone:\n%s", status, w.setting, said)
	}
}

// An attempt is a test that may fail.
type attempt struct {
	testing.TB
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

// try runs what may fail and returns how it did, or "".
func try(t testing.TB, run func(t testing.TB)) string {
	a := &attempt{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, f := range a.cleanups {
				defer f()
			}
		}()
		run(a)
	}()
	<-done
	return strings.Join(a.failures, "\n")
}

func (a *attempt) Helper()          {}
func (a *attempt) Cleanup(f func()) { a.cleanups = append(a.cleanups, f) }
func (a *attempt) Failed() bool     { return len(a.failures) > 0 }

func (a *attempt) Errorf(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures = append(a.failures, fmt.Sprintf(format, args...))
}

func (a *attempt) Error(args ...any) { a.Errorf("%s", fmt.Sprint(args...)) }

func (a *attempt) Fatalf(format string, args ...any) {
	a.Errorf(format, args...)
	runtime.Goexit()
}

func (a *attempt) Fatal(args ...any) { a.Fatalf("%s", fmt.Sprint(args...)) }
