package auth_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/throttle"
)

// hangingReset is a store of tries that stops answering between a try and its being forgiven.
type hangingReset struct{ throttle.Store }

func (hangingReset) Reset(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

// A store that hangs when the tries are to be forgiven is an outage there and then: going on would wait for the next one too.
func TestForgivingHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(_ *site, cfg *auth.Config) {
			l, err := throttle.New(hangingReset{throttle.NewMemory()}, throttle.Config{})
			if err != nil {
				t.Fatal(err)
			}
			cfg.Limiter = l
		})
		began := time.Now()
		_, err := authenticate(s, auth.Password{Username: "ada", Password: "engine"})
		var outage *auth.OutageError
		if !errors.As(err, &outage) || errors.Is(err, auth.ErrInvalid) {
			t.Errorf("got %v, want an OutageError", err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A login stands when what is noted about it cannot be written, and does not wait for long.
func TestNotingALoginHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		b := s.browser()
		s.users.hangs = true
		began := time.Now()
		if res := b.signIn("ada", "engine"); res.StatusCode != http.StatusOK {
			t.Errorf("the login: %s", res.Status)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v", took)
		}
		if got := b.who(); got != "ada" {
			t.Errorf("the user is %q, want ada", got)
		}
	})
}
