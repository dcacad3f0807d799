package auth_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
	"github.com/cardea-go/cardea/signing"
)

// orders give a rank its permissions.
type orders map[string][]string

func (o orders) Permissions(_ context.Context, s perm.Subject) (perm.Grants, error) {
	who, ok := s.User.(*sailor)
	if !ok {
		return perm.Grants{}, nil // nobody is logged in
	}
	return perm.Grants{Group: perm.NewSet(o[who.Rank]...)}, nil
}

// A whole site is closed to strangers; one page needs a permission, and one a login of the last ten minutes.
func ExampleAuth_RequirePermission() {
	manager, err := sessions.New(memstore.New(memstore.Config{}), sessions.Config{})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(crew{"7": {ID: "7", Rank: "captain", Password: "!"}, "8": {ID: "8", Rank: "cook", Password: "!"}}, manager, auth.Config{
		Backends:    []auth.Backend{sentry{words: map[watchword]string{"albatross": "7", "soup": "8"}}},
		Keys:        signing.Keys{Current: "read from a file that only the program can read"},
		Permissions: []perm.Source{orders{"captain": {"ship.set_course"}}},
		Error: func(w http.ResponseWriter, _ *http.Request, err error) { // the ID differs each time, so this one hides it
			http.Error(w, "no", http.StatusForbidden)
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}

	text := func(s string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, s) })
	}
	mux := http.NewServeMux()
	mux.Handle("/", text("the harbour"))
	mux.Handle("/helm", a.RequirePermission("ship.set_course")(text("the helm")))
	mux.Handle("/safe", a.Fresh(10*time.Minute)(text("the safe")))
	mux.HandleFunc("/accounts/login/", func(w http.ResponseWriter, r *http.Request) {
		word := r.URL.Query().Get("word") // a real one is a form, sent by POST
		if word == "" {
			fmt.Fprintln(w, "who goes there?")
			return
		}
		if err := a.SignIn(r, watchword(word)); err != nil {
			http.Error(w, "wrong watchword", http.StatusForbidden)
			return
		}
		fmt.Fprintln(w, "welcome")
	})
	closed := a.LoginRequired(auth.Paths("/{$}"))(mux)

	visitor, err := origin.New(origin.Config{})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(visitor.Handler(manager.Handler(a.Handler(closed))))
	defer server.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	for _, path := range []string{"/", "/deck", "/accounts/login/?word=soup", "/helm", "/safe", "/accounts/login/?word=albatross", "/helm"} {
		req, err := http.NewRequest(http.MethodGet, server.URL+path, nil)
		if err != nil {
			log.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		res, err := client.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d %s", path, res.StatusCode, body)
	}
	// Output:
	// /: 200 the harbour
	// /deck: 200 who goes there?
	// /accounts/login/?word=soup: 200 welcome
	// /helm: 403 no
	// /safe: 200 the safe
	// /accounts/login/?word=albatross: 200 welcome
	// /helm: 200 the helm
}
