package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// A probe answers GET only, so that no request needs a form. Each path loads the session, is held if the query has "hold", does
// what its name says, and goes on as "then" says.
type probe struct {
	site    *cardea.Site[*userdb.User]
	db      *userdb.DB
	control string
	client  *http.Client
}

func (p *probe) routes() http.Handler {
	mux := http.NewServeMux()
	for path, act := range map[string]func(r *http.Request) error{
		"/read":    p.read,
		"/set":     p.set,
		"/append":  p.append,
		"/clobber": p.clobber,
		"/rotate":  func(r *http.Request) error { return sessions.From(r).Rotate() },
		"/login":   p.login,
		"/logout":  p.site.Auth.Logout,
		"/message": func(r *http.Request) error { return messages.Success(r, r.FormValue("text")) },
	} {
		mux.Handle("GET "+path, p.held(act))
	}
	mux.HandleFunc("GET /who", p.who)
	mux.HandleFunc("GET /may", p.may)
	return mux
}

// held loads the session and waits before it acts.
func (p *probe) held(act func(r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessions.From(r).Keys()
		err := p.hold(r)
		if err == nil {
			err = act(r)
		}
		if err != nil {
			p.site.Error(w, r, err)
			return
		}
		switch r.FormValue("then") {
		case "500":
			w.WriteHeader(http.StatusInternalServerError)
		case "panic":
			panic("the probe was told to")
		case "close":
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintln(w, "done")
	})
}

// hold tells the test that the session is loaded, and returns when the test says so, whether the visitor is still there or not.
func (p *probe) hold(r *http.Request) error {
	token := r.FormValue("hold")
	if token == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.control+"?hold="+url.QueryEscape(token), nil)
	if err != nil {
		return err
	}
	res, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

func (p *probe) read(r *http.Request) error {
	_, err := p.site.Auth.Lookup(r)
	if errors.Is(err, auth.ErrAnonymous) {
		return nil
	}
	return err
}

func (p *probe) set(r *http.Request) error {
	return sessions.From(r).Set(r.FormValue("key"), r.FormValue("value"))
}

func (p *probe) append(r *http.Request) error {
	return list(r).Update(sessions.From(r), func(all []string) []string { return append(all, r.FormValue("value")) })
}

// clobber is append as it must not be done.
func (p *probe) clobber(r *http.Request) error {
	s := sessions.From(r)
	all, _ := list(r).Get(s)
	return list(r).Set(s, append(all, r.FormValue("value")))
}

func list(r *http.Request) sessions.Key[[]string] { return sessions.Key[[]string](r.FormValue("key")) }

// may tells whether the visitor has a permission.
func (p *probe) may(w http.ResponseWriter, r *http.Request) {
	has, err := p.site.Auth.Permissions(r).Has(r.FormValue("perm"))
	if err != nil {
		p.site.Error(w, r, err)
		return
	}
	fmt.Fprintf(w, "Cardea: %s %s.\n", r.FormValue("perm"), map[bool]string{true: "yes", false: "no"}[has])
}

func (p *probe) login(r *http.Request) error {
	u, err := p.db.UserByName(r.Context(), r.FormValue("user"))
	if err != nil {
		return err
	}
	return p.site.Auth.Login(r, p.site.Auth.Trust(u, "", "probe"))
}

// who tells what the session holds and who is logged in.
func (p *probe) who(w http.ResponseWriter, r *http.Request) {
	var answer struct {
		User string                     `json:"user"`
		Data map[string]json.RawMessage `json:"data"`
	}
	switch u, err := p.site.Auth.Lookup(r); {
	case err == nil:
		answer.User = u.Username
	case !errors.Is(err, auth.ErrAnonymous):
		p.site.Error(w, r, err)
		return
	}
	s := sessions.From(r)
	answer.Data = map[string]json.RawMessage{}
	for _, key := range s.Keys() {
		answer.Data[key], _ = s.Get(key)
	}
	body, err := json.Marshal(answer)
	if err != nil {
		p.site.Error(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
