package pages

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
)

// A View is what a template gets. Title, Next, Errors, Data and ShowUser are the page's; the rest is filled in by
// [Pages.Render].
type View struct {
	Title    string
	Next     string
	Errors   []Mistake
	Data     any
	ShowUser bool // the page says who is logged in, at its top or in its text

	Site     string
	Home     string // the address of the start page
	Help     string // the address of help, or ""
	User     auth.User
	UserName string // "" when signed out or not shown
	Messages []messages.Message
	CSRF     template.HTML // the hidden field of a form

	pages  *Pages
	prefix string // as the visitor sees it
	plain  bool   // an error page: nothing that needs the session
	early  bool   // refused before the messages were at hand: they wait for the next page
}

// A Mistake is one thing that a person can put right in a form. Field is the name of the input, or "".
type Mistake struct{ Field, Text string }

// ErrorOf reports whether a field has a mistake.
func (v View) ErrorOf(field string) bool {
	for _, m := range v.Errors {
		if m.Field == field {
			return true
		}
	}
	return false
}

// URL is the address of one of the pages, such as "logout/".
func (v View) URL(name string) string { return v.prefix + v.pages.cfg.Prefix + name }

// NextQuery is "?next=" and Next, for a link that leads on towards where the visitor wanted to go; or "".
func (v View) NextQuery() string {
	if v.Next == "" {
		return ""
	}
	return "?" + url.Values{"next": {v.Next}}.Encode()
}

// Asset is the address of a built-in file, such as "cardea.css".
func (v View) Asset(name string) string { return v.URL(v.pages.assets[name].path) }

// Render writes a page of the built-in templates, or of the overlay. It goes through a buffer: a template that fails is an
// error page, never half a page.
func (p *Pages) Render(w http.ResponseWriter, r *http.Request, status int, name string, v View) {
	v.pages, v.prefix, v.Site = p, prefixOf(r), p.cfg.Site
	v.Home, v.Help = v.prefix+"/", p.cfg.Help
	if !v.plain {
		if v.ShowUser || name == "profile.html" {
			user, err := p.gate.Who(r)
			switch {
			case err == nil:
				v.User, v.UserName = user, p.cfg.Describe(user).Name
			case !errors.Is(err, auth.ErrAnonymous):
				p.Error(w, r, err)
				return
			}
		}
		if !v.early {
			v.Messages = messages.Take(r)
		}
		v.CSRF = csrf.Field(r)
	}
	t := p.templates[name]
	if t == nil {
		p.cfg.Logger.ErrorContext(r.Context(), "no such template", "name", name)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	if err := Write(w, r, status, t, "base", v); err != nil {
		p.cfg.Logger.ErrorContext(r.Context(), "template failed", "name", name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// Write executes the template of that name into a buffer and sends it as HTML. When the template fails, nothing was sent.
func Write(w http.ResponseWriter, r *http.Request, status int, t *template.Template, name string, data any) error {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	_, _ = b.WriteTo(w) // a visitor who went away is no failure
	return nil
}

// prefixOf is the visitor's prefix, or "" for a request that was refused before it was known.
func prefixOf(r *http.Request) string {
	if info, ok := respond.Find[*origin.Info](r.Context()); ok {
		return info.Prefix
	}
	return ""
}
