package authtest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/cardea-go/cardea/auth"
)

// Backend is a back end under test, with credentials to try on it. All credentials may be used several times and in parallel.
type Backend struct {
	Backend auth.Backend

	Good   any            // credentials that match
	Who    string         // whom they name: the UserID, or the Subject when there is an Issuer
	Wrong  map[string]any // credentials of the same kind that must be refused, by what is wrong: "secret", "unknown", "inactive"
	Secret string         // a text in Wrong's credentials that no error may repeat. Defaults to not checked

	// Work counts the expensive steps so far, such as password hashes, if the back end has any: each of Wrong must then
	// cost as many as Good, so that the time tells nothing. Defaults to not checked.
	Work func() int

	// Break makes what the back end depends on fail. Defaults to not checked.
	Break func()
}

// RunBackend checks that a back end keeps the promises of auth.Backend. open makes a fresh subject.
func RunBackend(t *testing.T, open func(t *testing.T) Backend) {
	t.Helper()
	run(t, backendRules, open)
}

var backendRules = []rule[Backend]{
	{"the name is constant and can be recorded", func(t reporter, s Backend) {
		name := s.Backend.Name()
		if blank(name) || strings.ContainsFunc(name, unicode.IsControl) {
			t.Errorf("Name() = %q, which a session cannot record", name)
		}
		_, _ = s.Backend.Authenticate(request(context.Background(), t), s.Good)
		if again := s.Backend.Name(); again != name {
			t.Errorf("Name() = %q, then %q: live sessions would become anonymous", name, again)
		}
	}},
	{"good credentials match", func(t reporter, s Backend) {
		s.match(t, context.Background())
	}},
	{"a match says when, and not in the future", func(t reporter, s Backend) {
		id, err := s.Backend.Authenticate(request(context.Background(), t), s.Good)
		if err == nil && id != nil && id.At.After(time.Now().Add(time.Second)) {
			t.Errorf("At = %v, which is in the future", id.At)
		}
	}},
	{"credentials of another kind are not mine", func(t reporter, s Backend) {
		type foreign struct{ Username, Password string }
		var none *foreign
		for _, creds := range []any{nil, foreign{"ada", "secret"}, &foreign{}, none, "text", 7, map[string]string{"username": "ada"}} {
			if _, err := s.Backend.Authenticate(request(context.Background(), t), creds); !errors.Is(err, auth.ErrNoMatch) {
				t.Errorf("Authenticate(%#v) = %v, want ErrNoMatch", creds, err)
			}
		}
	}},
	{"wrong credentials are refused, and tell nothing", func(t reporter, s Backend) {
		for what, creds := range s.Wrong {
			id, err := s.Backend.Authenticate(request(context.Background(), t), creds)
			if !errors.Is(err, auth.ErrInvalid) || id != nil {
				t.Errorf("wrong %s: got %v, %v, want no identity and ErrNoMatch or ErrDenied", what, id, err)
			}
			if s.Secret != "" && err != nil && strings.Contains(err.Error(), s.Secret) {
				t.Errorf("wrong %s: the error repeats the secret: %v", what, err)
			}
		}
	}},
	{"wrong credentials cost what good ones cost", func(t reporter, s Backend) {
		if s.Work == nil {
			return
		}
		cost := func(creds any) int {
			before := s.Work()
			_, _ = s.Backend.Authenticate(request(context.Background(), t), creds)
			return s.Work() - before
		}
		want := cost(s.Good)
		if want == 0 {
			t.Errorf("good credentials cost no work: Work does not count")
		}
		for what, creds := range s.Wrong {
			if got := cost(creds); got != want {
				t.Errorf("wrong %s: %d units of work, want %d as for good credentials", what, got, want)
			}
		}
	}},
	{"parallel calls do not disturb each other", func(t reporter, s Backend) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { s.match(t, context.Background()) })
			for what, creds := range s.Wrong {
				wg.Go(func() {
					if id, err := s.Backend.Authenticate(request(context.Background(), t), creds); err == nil {
						t.Errorf("wrong %s, in parallel: matched %v", what, id)
					}
				})
			}
		}
		wg.Wait()
	}},
	{"a visitor who went away is not a wrong password", func(t reporter, s Backend) {
		id, err := s.Backend.Authenticate(request(canceled(), t), s.Good)
		if errors.Is(err, auth.ErrInvalid) {
			t.Errorf("with a canceled context: %v, want the context's error, or a match", err)
		}
		if err == nil && id == nil {
			t.Errorf("with a canceled context: neither an identity nor an error")
		}
	}},
	{"an outage is not a wrong password", func(t reporter, s Backend) {
		if s.Break == nil {
			return
		}
		s.match(t, context.Background()) // so that the failure below comes from Break
		s.Break()
		if id, err := s.Backend.Authenticate(request(context.Background(), t), s.Good); err == nil || errors.Is(err, auth.ErrInvalid) {
			t.Errorf("while broken: got %v, %v, want an error that is not ErrInvalid", id, err)
		}
	}},
}

// match checks that the good credentials name the right person, in one way.
func (s Backend) match(t reporter, ctx context.Context) {
	t.Helper()
	id, err := s.Backend.Authenticate(request(ctx, t), s.Good)
	if err != nil || id == nil {
		t.Errorf("good credentials: got %v, %v, want a match", id, err)
		return
	}
	local, outside := id.UserID != "", id.Issuer != "" && id.Subject != ""
	who := id.UserID
	if outside {
		who = id.Subject
	}
	if local == outside {
		t.Errorf("the identity names its bearer by UserID %q, Issuer %q and Subject %q, want UserID alone or the two others",
			id.UserID, id.Issuer, id.Subject)
	}
	if who != s.Who {
		t.Errorf("the identity names %q, want %q", who, s.Who)
	}
	if u, ok := id.Attached.(auth.User); ok && u.AuthID() != id.UserID {
		t.Errorf("the attached user is %q, the identity %q", u.AuthID(), id.UserID)
	}
}
