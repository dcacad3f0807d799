package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
	"github.com/cardea-go/cardea/signing"
)

// A sailor is this program's own user type: three methods make it an auth.User.
type sailor struct {
	ID       string
	Rank     string
	Password string // encoded, never as typed
}

func (s *sailor) AuthID() string       { return s.ID }
func (s *sailor) PasswordHash() string { return s.Password }
func (s *sailor) Active() bool         { return true }

// A crew is this program's user table.
type crew map[string]*sailor

func (c crew) ByID(_ context.Context, id string) (*sailor, error) {
	if s, ok := c[id]; ok {
		return s, nil
	}
	return nil, auth.ErrNoUser
}

func (c crew) ByIdentity(context.Context, *auth.Identity) (*sailor, error) {
	return nil, auth.ErrNoUser // nobody comes from outside
}

// A watchword is this program's own kind of credentials, and a back end for it.
type (
	watchword string
	sentry    struct{ words map[watchword]string } // to the sailor's id
)

func (sentry) Name() string { return "sentry" }

func (s sentry) Authenticate(_ *http.Request, creds any) (*auth.Identity, error) {
	word, ok := creds.(watchword)
	if id := s.words[word]; ok && id != "" {
		return &auth.Identity{UserID: id, Methods: []string{"pin"}}, nil
	}
	return nil, auth.ErrNoMatch
}

// A program with its own user type and its own back end logs somebody in, knows the user, and logs out.
func Example() {
	manager, err := sessions.New(memstore.New(memstore.Config{}), sessions.Config{})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(crew{"7": {ID: "7", Rank: "captain", Password: "!"}}, manager, auth.Config{
		Backends: []auth.Backend{sentry{words: map[watchword]string{"albatross": "7"}}},
		Keys:     signing.Keys{Current: "read from a file that only the program can read"},
		Logger:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		v, err := a.Authenticate(r, watchword(r.PostFormValue("word")))
		if err == nil {
			err = a.Login(r, v)
		}
		switch {
		case err == nil:
			fmt.Fprint(w, "welcome")
		case errors.Is(err, auth.ErrInvalid):
			http.Error(w, "wrong watchword", http.StatusForbidden)
		default: // a store is down, too many tries: never "wrong"
			http.Error(w, "later", http.StatusServiceUnavailable)
		}
	})
	mux.Handle("/bridge", a.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := a.User(r)
		fmt.Fprintf(w, "hello, %s", user.Rank)
	})))
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		if err := a.Logout(r); err != nil {
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "goodbye")
	})

	visitor, err := origin.New(origin.Config{})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(visitor.Handler(manager.Handler(a.Handler(mux))))
	defer server.Close()
	visit(server.URL)

	// Output:
	// GET /bridge: 401 Log in first.
	// POST /login: 403 wrong watchword
	// POST /login: 200 welcome
	// GET /bridge: 200 hello, captain
	// POST /logout: 200 goodbye
	// GET /bridge: 401 Log in first.
}

// visit is somebody who tries things.
func visit(site string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	say := func(res *http.Response, err error) {
		if err != nil {
			log.Fatal(err)
		}
		defer res.Body.Close()
		text := make([]byte, 100)
		n, _ := res.Body.Read(text)
		fmt.Printf("%s %s: %d %s\n", res.Request.Method, res.Request.URL.Path, res.StatusCode, bytes.TrimSpace(text[:n]))
	}
	enter := func() (*http.Response, error) {
		r, err := http.NewRequest(http.MethodGet, site+"/bridge", nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Accept", "application/json") // a program: it gets 401 where a browser is sent to log in
		return client.Do(r)
	}
	say(enter())
	say(client.PostForm(site+"/login", url.Values{"word": {"seagull"}}))
	say(client.PostForm(site+"/login", url.Values{"word": {"albatross"}}))
	say(enter())
	say(client.PostForm(site+"/logout", nil))
	say(enter())
}

// A policy can ask for a second factor. Half a login writes nothing that Django, or anybody, would take for one.
func ExampleIncomplete() {
	policy := func(_ *http.Request, user auth.User, proofs []auth.Proof) error {
		if user.AuthID() != "1" {
			return nil // only the first user is so important
		}
		for _, p := range proofs {
			for _, method := range p.Methods {
				if method == "otp" {
					return nil
				}
			}
		}
		return &auth.Incomplete{Need: []string{"otp"}, URL: "/accounts/code/"}
	}
	err := policy(nil, &sailor{ID: "1"}, []auth.Proof{{Backend: "sentry", Methods: []string{"pwd"}}})
	fmt.Println(err, errors.Is(err, auth.ErrAnonymous), errors.Is(err, auth.ErrInvalid))
	// Output:
	// auth: more proof is needed: one of ["otp"] true false
}
