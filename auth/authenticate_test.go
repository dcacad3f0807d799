package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/throttle"
)

// authenticate asks s once and returns the name of the user, or the error.
func authenticate(s *site, creds any) (name string, err error) {
	s.browser().request(func(_ http.ResponseWriter, r *http.Request) {
		var v *auth.Verified[*member]
		if v, err = s.auth.Authenticate(r, creds); err == nil {
			name = v.User().name
		}
	})
	return name, err
}

func TestStack(t *testing.T) {
	t.Parallel()
	down, later := errors.New("the directory is down"), errors.New("the other one too")
	match := func(id string) *stub { return &stub{name: "match " + id, id: &auth.Identity{UserID: id}} }
	answer := func(err error) *stub { return &stub{name: err.Error(), err: err} }
	skip := auth.SkipIfDown
	denied := fmt.Errorf("on the list: %w", auth.ErrDenied)
	for _, c := range []struct {
		name  string
		stack []auth.Backend
		who   string
		want  error // nil: a match
		not   error
		last  bool // whether the last one was asked
	}{
		{"the first match wins", []auth.Backend{match("1"), match("2")}, "ada", nil, nil, false},
		{"not mine asks the next", []auth.Backend{answer(auth.ErrNoMatch), match("2")}, "bob", nil, nil, true},
		{"nobody matches", []auth.Backend{answer(auth.ErrNoMatch)}, "", auth.ErrInvalid, nil, true},
		{"denied stops", []auth.Backend{answer(denied), match("2")}, "", auth.ErrDenied, nil, false},
		{"invalid stops", []auth.Backend{answer(auth.ErrInvalid), match("2")}, "", auth.ErrInvalid, nil, false},
		{"broken stops", []auth.Backend{answer(down), match("2")}, "", down, auth.ErrInvalid, false},
		{"broken, skipped", []auth.Backend{skip(answer(down)), match("2")}, "bob", nil, nil, true},
		{"broken, skipped, nobody matches", []auth.Backend{skip(answer(down)), answer(auth.ErrNoMatch)}, "", down, auth.ErrInvalid, true},
		{"broken, skipped, then denied", []auth.Backend{skip(answer(down)), answer(denied)}, "", down, auth.ErrInvalid, true},
		{"broken, skipped, then broken", []auth.Backend{skip(answer(down)), answer(later)}, "", down, auth.ErrInvalid, true},
		{"two skipped", []auth.Backend{skip(answer(down)), skip(answer(later))}, "", down, auth.ErrInvalid, true},
		{"a skipped one that denies stops", []auth.Backend{skip(answer(denied)), match("2")}, "", auth.ErrDenied, nil, false},
		{"a skipped one that matches wins", []auth.Backend{skip(match("1")), match("2")}, "ada", nil, nil, false},
		{"not active is no match", []auth.Backend{match("3"), match("2")}, "bob", nil, nil, true},
		{"only one who is not active", []auth.Backend{match("3")}, "", auth.ErrInvalid, nil, true},
		{"a user who was deleted", []auth.Backend{match("99"), match("2")}, "bob", nil, nil, true},
		{"no local account", []auth.Backend{&stub{name: "x", id: &auth.Identity{Issuer: "https://i", Subject: "s"}}, match("2")}, "bob", nil, nil, true},
		{"neither identity nor error", []auth.Backend{&stub{name: "x"}, match("2")}, "", nil, auth.ErrInvalid, false},
		{"an identity of nobody", []auth.Backend{&stub{name: "x", id: &auth.Identity{Name: "ada", Email: "ada@example.com"}}, match("2")}, "", nil, auth.ErrInvalid, false},
		{"an issuer without a subject", []auth.Backend{&stub{name: "x", id: &auth.Identity{Issuer: "https://i"}}, match("2")}, "", nil, auth.ErrInvalid, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var failures int
			s := open(t, func(_ *site, cfg *auth.Config) {
				cfg.Backends = c.stack
				cfg.OnFailure = append(cfg.OnFailure, func(_ *http.Request, _ map[string]string, err error) {
					failures++
					if !errors.Is(err, auth.ErrInvalid) {
						t.Errorf("OnFailure was told %v, which is no refusal", err)
					}
				})
			})
			who, err := authenticate(s, "credentials")
			if who != c.who || (err == nil) != (c.who != "") || !errors.Is(err, c.want) && c.want != nil {
				t.Errorf("got %q, %v, want %q, %v", who, err, c.who, c.want)
			}
			if c.not != nil && errors.Is(err, c.not) {
				t.Errorf("%v is an ErrInvalid: it would look like a wrong password", err)
			}
			if want := err != nil && errors.Is(err, auth.ErrInvalid); (failures == 1) != want {
				t.Errorf("OnFailure ran %d times after %v", failures, err)
			}
			last := c.stack[len(c.stack)-1]
			if st, ok := last.(*stub); ok && (st.calls.Load() > 0) != c.last {
				t.Errorf("the last back end was asked: %v, want %v", !c.last, c.last)
			}
		})
	}
}

// TestRefusalsInLog: visitors are not told why somebody whom a back end knows stays out; the log is.
func TestRefusalsInLog(t *testing.T) {
	t.Parallel()
	for want, b := range map[string]*stub{
		"the group is closed": {name: "x", err: fmt.Errorf("the group is closed: %w", auth.ErrDenied)},
		"subject=s-17":        {name: "x", id: &auth.Identity{Issuer: "https://i", Subject: "s-17"}},
		"":                    {name: "x", err: auth.ErrNoMatch},
	} {
		var log bytes.Buffer
		s := open(t, func(_ *site, cfg *auth.Config) {
			cfg.Backends, cfg.Logger = []auth.Backend{b}, slog.New(slog.NewTextHandler(&log, nil))
		})
		if _, err := authenticate(s, "credentials"); !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("got %v, want a refusal", err)
		}
		if want == "" && log.Len() > 0 || !strings.Contains(log.String(), want) {
			t.Errorf("the log says %q, want %q", log.String(), want)
		}
	}
}

func TestUserTableDown(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *site, cfg *auth.Config) {
		cfg.Backends = []auth.Backend{auth.SkipIfDown(&stub{name: "x", id: &auth.Identity{UserID: "1"}})}
	})
	s.users.down = errors.New("connection refused")
	var outage *auth.OutageError
	if _, err := authenticate(s, "credentials"); !errors.As(err, &outage) || errors.Is(err, auth.ErrInvalid) {
		t.Errorf("got %v, want an OutageError", err)
	}
}

func TestProvisioning(t *testing.T) {
	t.Parallel()
	s := open(t, func(s *site, cfg *auth.Config) {
		s.users.enrol = true
		cfg.Backends = []auth.Backend{&stub{name: "sso", id: &auth.Identity{Issuer: "https://i", Subject: "s", Name: "grace", Methods: []string{"hwk"}}}}
	})
	for range 2 {
		if who, err := authenticate(s, "code"); who != "grace" || err != nil {
			t.Errorf("got %q, %v, want grace", who, err)
		}
	}
	if len(s.users.members) != 4 {
		t.Errorf("%d users, want one more than three", len(s.users.members))
	}
}

// The attached user saves a query, but only the one whom the identity names.
func TestAttachedUser(t *testing.T) {
	t.Parallel()
	joined := &member{id: "1", name: "ada, joined", password: "plain$engine", active: true}
	for _, c := range []struct {
		id    auth.Identity
		who   string
		asked int
	}{
		{auth.Identity{UserID: "1", Attached: joined}, "ada, joined", 0},
		{auth.Identity{UserID: "2", Attached: joined}, "bob", 1},
		{auth.Identity{UserID: "2", Attached: "ada"}, "bob", 1},
	} {
		s := open(t, func(_ *site, cfg *auth.Config) { cfg.Backends = []auth.Backend{&stub{name: "x", id: &c.id}} })
		if who, err := authenticate(s, nil); who != c.who || err != nil || s.users.asked != c.asked {
			t.Errorf("got %q, %v after %d queries, want %q after %d", who, err, s.users.asked, c.who, c.asked)
		}
	}
}

// A proof has the back end's time, but a clock that runs ahead makes nothing that stays fresh.
func TestProofTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ ahead, want time.Duration }{{-time.Hour, -time.Hour}, {time.Hour, 0}} {
		s := open(t, func(s *site, cfg *auth.Config) {
			cfg.Backends = []auth.Backend{&stub{name: "x", id: &auth.Identity{UserID: "1", At: s.at.Add(c.ahead)}}}
		})
		s.browser().request(func(_ http.ResponseWriter, r *http.Request) {
			v, err := s.auth.Authenticate(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.Proof().At.Sub(s.clock()); got != c.want {
				t.Errorf("an identity of %v from now makes a proof of %v from now, want %v", c.ahead, got, c.want)
			}
		})
	}
}

func TestBusyAndGone(t *testing.T) {
	t.Parallel()
	for _, skip := range []bool{false, true} {
		b := &stub{name: "x", err: fmt.Errorf("hashing: %w", &password.BusyError{RetryAfter: 3 * time.Second})}
		s := open(t, func(_ *site, cfg *auth.Config) {
			cfg.Backends = []auth.Backend{b}
			if skip {
				cfg.Backends[0] = auth.SkipIfDown(b)
			}
		})
		_, err := authenticate(s, nil)
		var busy *auth.BusyError
		if !errors.As(err, &busy) || busy.RetryAfter != 3*time.Second || errors.Is(err, auth.ErrInvalid) {
			t.Errorf("busy: %v, want a BusyError of 3 s", err)
		}
	}
	s := open(t)
	s.browser().request(func(_ http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		_, err := s.auth.Authenticate(r.WithContext(ctx), auth.Password{Username: "ada", Password: "engine"})
		var outage *auth.OutageError
		if !errors.Is(err, context.Canceled) || errors.Is(err, auth.ErrInvalid) || errors.As(err, &outage) {
			t.Errorf("the visitor went away: %v, want context.Canceled alone", err)
		}
	})
}

func TestPanicPropagates(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *site, cfg *auth.Config) { cfg.Backends = []auth.Backend{auth.SkipIfDown(panics{})} })
	s.browser().request(func(_ http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() == nil {
				t.Error("the back end's panic was swallowed")
			}
		}()
		_, _ = s.auth.Authenticate(r, nil)
	})
}

type panics struct{}

func (panics) Name() string                                            { return "panics" }
func (panics) Authenticate(*http.Request, any) (*auth.Identity, error) { panic("a bug") }

// limited is a limiter of three tries an account and five an address.
func limited(s *site, cfg *auth.Config) {
	l, err := throttle.New(throttle.NewMemory(), throttle.Config{
		Account: throttle.Limit{Tries: 3, Per: time.Hour}, Address: throttle.Limit{Tries: 5, Per: time.Hour}, Now: s.clock,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	cfg.Limiter = l
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	var told []error
	s := open(t, limited, func(_ *site, cfg *auth.Config) {
		cfg.OnFailure = append(cfg.OnFailure, func(_ *http.Request, _ map[string]string, err error) { told = append(told, err) })
	})
	for range 3 {
		if _, err := authenticate(s, auth.Password{Username: "ada", Password: "wrong"}); !errors.Is(err, auth.ErrInvalid) {
			t.Fatalf("a wrong password: %v, want ErrInvalid", err)
		}
	}
	work := s.backend.work.Load()
	_, err := authenticate(s, auth.Password{Username: " ADA", Password: "engine"})
	var tooMany *auth.LimitedError
	if !errors.As(err, &tooMany) || tooMany.RetryAfter <= 0 || errors.Is(err, auth.ErrInvalid) {
		t.Errorf("the fourth try: %v, want a LimitedError, which is no ErrInvalid", err)
	}
	if s.backend.work.Load() != work {
		t.Error("a back end was asked beyond the limit")
	}
	if len(told) != 4 || !errors.As(told[3], &tooMany) {
		t.Errorf("OnFailure was told %v, want three refusals and the limit", told)
	}
	if _, err := authenticate(s, auth.Password{Username: "bob", Password: "builder"}); err != nil {
		t.Errorf("another account: %v", err)
	}
	if _, err := authenticate(s, auth.Password{Username: "bob", Password: "builder"}); !errors.As(err, &tooMany) {
		t.Errorf("the sixth try from one address: %v, want a LimitedError", err)
	}
	s.advance(2 * time.Hour)
	if _, err := authenticate(s, auth.Password{Username: "ada", Password: "engine"}); err != nil {
		t.Errorf("after the time: %v", err)
	}
}

// A good login forgives the account, and never the address.
func TestLimiterForgivesTheAccount(t *testing.T) {
	t.Parallel()
	s := open(t, limited)
	for _, c := range []struct {
		name, password string
		limited        bool
	}{
		{"ada", "wrong", false},
		{"ada", "wrong", false},
		{"ada", "engine", false},
		{"ada", "wrong", false}, // the fourth of the account: forgiven
		{"ada", "engine", false},
		{"ada", "engine", true}, // the sixth of the address: not forgiven
	} {
		_, err := authenticate(s, auth.Password{Username: c.name, Password: c.password})
		var l *auth.LimitedError
		if errors.As(err, &l) != c.limited {
			t.Errorf("%s with %q: %v, want limited %v", c.name, c.password, err, c.limited)
		}
	}
}

// With a policy, a password alone forgives nothing: else whoever has it could guess at codes for ever.
func TestLimiterAndTheSecondFactor(t *testing.T) {
	t.Parallel()
	s := open(t, twoFactorsForBob, limited)
	b := s.browser()
	for range 3 {
		half(t, s, b)
	}
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		var l *auth.LimitedError
		if err := s.auth.SignIn(r, auth.Password{Username: "bob", Password: "builder"}); !errors.As(err, &l) {
			t.Errorf("the fourth half login: %v, want a LimitedError", err)
		}
	})
	c := s.browser()
	c.signIn("ada", "engine") // whole: forgiven
}

func TestLimiterCountsCredentialsWithoutAnAccount(t *testing.T) {
	t.Parallel()
	s := open(t, limited)
	for _, creds := range []any{"token", auth.Password{}, 7} {
		if _, err := authenticate(s, creds); !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("%v: %v, want ErrInvalid", creds, err)
		}
	}
	var l *auth.LimitedError
	if _, err := authenticate(s, "another token"); !errors.As(err, &l) {
		t.Errorf("the fourth: %v, want a LimitedError", err)
	}
}

func TestLimiterDown(t *testing.T) {
	t.Parallel()
	s := open(t, func(s *site, cfg *auth.Config) {
		l, err := throttle.New(brokenStore{}, throttle.Config{})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Limiter = l
	})
	var outage *auth.OutageError
	if _, err := authenticate(s, auth.Password{Username: "ada", Password: "engine"}); !errors.As(err, &outage) || s.backend.work.Load() != 0 {
		t.Errorf("got %v after %d checks, want an OutageError and no check", err, s.backend.work.Load())
	}
}

type brokenStore struct{}

func (brokenStore) Take(context.Context, string, throttle.Limit, time.Time) (bool, time.Duration, error) {
	return true, 0, errors.New("connection refused")
}
func (brokenStore) Reset(context.Context, string) error { return errors.New("connection refused") }

// Unknown, wrong and inactive cannot be told apart at the stack: the same back ends are asked the same, with one answer.
func TestRefusalsAreEqual(t *testing.T) {
	t.Parallel()
	type trace struct {
		text         string
		first, other int64
		asked, loads int
		credentials  string
	}
	var first *trace
	for _, creds := range []auth.Password{
		{Username: "ada", Password: "wrong"},
		{Username: "nobody", Password: "wrong"},
		{Username: "eve", Password: "apple"},
		{Username: "eve", Password: "wrong"},
		{Username: "", Password: ""},
		{Username: "ada", Password: ""},
	} {
		got := &trace{}
		second := &stub{name: "second", err: auth.ErrNoMatch}
		s := open(t, limited, func(_ *site, cfg *auth.Config) {
			cfg.Backends = append(cfg.Backends, second)
			cfg.OnFailure = append(cfg.OnFailure, func(_ *http.Request, c map[string]string, _ error) {
				got.credentials += fmt.Sprint(slices.Sorted(maps.Keys(c)), c["password"])
			})
		})
		_, err := authenticate(s, creds)
		got.text, got.first, got.other, got.asked, got.loads = err.Error(), s.backend.work.Load(), second.calls.Load(), s.users.asked, int(s.store.loads.Load())
		if first == nil {
			first = got
		}
		if *got != *first || got.first != 1 || got.other != 1 {
			t.Errorf("%+v: %+v, want as for a wrong password: %+v", creds, *got, *first)
		}
	}
}

func TestMaskedCredentials(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry"
	type oddity struct {
		User, APIKey, Secret string
		MyToken              string
		Signature            string
		Count                int
		Raw                  []byte
		hidden               string
		Nested               struct{ Password string }
	}
	stars := strings.Repeat("*", 20)
	for _, c := range []struct {
		creds any
		want  map[string]string
	}{
		{auth.Password{Username: "ada", Password: canary}, map[string]string{"username": "ada", "password": stars}},
		{&auth.Password{Username: "ada", Password: canary}, map[string]string{"username": "ada", "password": stars}},
		{
			oddity{User: "ada", APIKey: canary, Secret: canary, MyToken: canary, Signature: canary, Count: 7, Raw: []byte(canary), hidden: canary},
			map[string]string{"user": "ada", "apikey": stars, "secret": stars, "mytoken": stars, "signature": stars, "count": "7", "raw": stars, "nested": stars},
		},
		{map[string]string{"username": "ada", "PassWord2": canary}, map[string]string{"username": "ada", "PassWord2": stars}},
		{map[string]any{"remote_user": "ada", "x": []string{canary}}, map[string]string{"remote_user": "ada", "x": stars}},
		{canary, map[string]string{"credentials": "string"}},
		{nil, map[string]string{"credentials": "<nil>"}},
		{(*oddity)(nil), map[string]string{"credentials": "*auth_test.oddity"}},
		{secretive{canary}, map[string]string{"credentials": "[hidden]"}},
	} {
		var got map[string]string
		s := open(t, func(_ *site, cfg *auth.Config) {
			cfg.Backends = []auth.Backend{&stub{name: "x", err: auth.ErrNoMatch}}
			cfg.OnFailure = append(cfg.OnFailure, func(_ *http.Request, c map[string]string, _ error) { got = c })
		})
		_, err := authenticate(s, c.creds)
		if !maps.Equal(got, c.want) {
			t.Errorf("OnFailure of %T was told %v, want %v", c.creds, got, c.want)
		}
		if strings.Contains(fmt.Sprint(got, err, s.logs.String()), canary) {
			t.Errorf("the secret of %T was told", c.creds)
		}
	}
}

type secretive struct{ secret string }

func (secretive) LogValue() slog.Value { return slog.StringValue("[hidden]") }

// A password does not print.
func TestPasswordDoesNotPrint(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry"
	p := auth.Password{Username: "ada", Password: canary}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "p", p, "pp", &p)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "p", p, "pp", &p)
	js, err := json.Marshal(map[string]any{"p": p})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		log.String(), string(js), fmt.Sprint(p), fmt.Sprint(&p), fmt.Sprintf("%v %+v %#v %s %q", p, p, p, p, p), fmt.Sprint([]auth.Password{p}),
	} {
		if strings.Contains(text, canary) {
			t.Errorf("the password prints: %s", text)
		}
		contains(t, "text", text, "ada")
	}
}

// Authenticate does not touch the session.
func TestAuthenticateLeavesTheSessionAlone(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.plant(`{"cart":[1]}`)
	res := b.request(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := s.auth.Authenticate(r, auth.Password{Username: "ada", Password: "engine"}); err != nil {
			t.Error(err)
		}
	})
	if n := s.store.loads.Load(); n != 0 || res.Header.Get("Vary") != "" {
		t.Errorf("%d loads, Vary %q, want none", n, res.Header.Get("Vary"))
	}
}
