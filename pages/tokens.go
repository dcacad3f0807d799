package pages

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/perm"
)

// The rules of the pages for tokens:
//
//  1. A token is made by somebody who has just proven who they are, and shown in that very answer, once: it is kept nowhere.
//  2. It may do no more than its owner. What it is offered is what the owner has now.
//  3. The owner is told by mail.

const (
	tokenFresh = 15 * time.Minute // how lately its owner must have logged in
	maxTokens  = 50               // of one person
)

// A guardian is a gate that knows fresh logins and permissions, as an Auth does.
type guardian interface {
	Fresh(within time.Duration) func(http.Handler) http.Handler
	Permissions(r *http.Request) *perm.Perms
}

// tokenRoutes are the pages for tokens, where there are some.
func (p *Pages) tokenRoutes() ([]route, error) {
	if p.cfg.Tokens == nil {
		return nil, nil
	}
	g, ok := p.gate.(guardian)
	if !ok {
		return nil, errors.New("pages: Config.Tokens needs a gate that has Fresh and Permissions, as an auth.Auth has")
	}
	form := []string{"GET", "POST", "PUT", "HEAD", "OPTIONS"}
	fresh := g.Fresh(tokenFresh)
	return []route{
		{path: "tokens/", methods: form, noCache: true, serve: p.member(p.tokens)},
		{path: "tokens/new/", methods: form, noCache: true, serve: func(w http.ResponseWriter, r *http.Request) {
			fresh(http.HandlerFunc(p.member(func(w http.ResponseWriter, r *http.Request, user auth.User) {
				p.newToken(w, r, user, g.Permissions(r))
			}))).ServeHTTP(w, r)
		}},
	}, nil
}

// tokenLine is one line of the template tokens.html.
type tokenLine struct {
	tokenauth.Token
	Everything            bool
	Over                  bool
	Made, Last, Ends      string // when
	MadeAt, LastAt, EndAt string // for programs
}

// tokens lists somebody's tokens, and ends one.
func (p *Pages) tokens(w http.ResponseWriter, r *http.Request, user auth.User) {
	if sent(r) {
		p.endToken(w, r, user)
		return
	}
	list, err := p.cfg.Tokens.Tokens(r.Context(), user.AuthID())
	if err != nil {
		p.Error(w, r, &auth.OutageError{Op: "list tokens", Err: err})
		return
	}
	lines := make([]tokenLine, len(list))
	for i, t := range list {
		l := tokenLine{Token: t, Everything: t.Limit() == nil, Over: t.Expired(p.cfg.Now())}
		l.Made, l.MadeAt = p.moment(t.Created)
		l.Last, l.LastAt = p.moment(t.LastUsed)
		l.Ends, l.EndAt = p.moment(t.Expires)
		lines[i] = l
	}
	p.Render(w, r, http.StatusOK, "tokens.html", View{Title: "API tokens", ShowUser: true, Data: lines})
}

func (p *Pages) endToken(w http.ResponseWriter, r *http.Request, user auth.User) {
	fields, err := postForm(r)
	if err != nil {
		p.Error(w, r, err)
		return
	}
	text := "The token is ended. No program can use it any more."
	err = p.cfg.Tokens.EndToken(r.Context(), user.AuthID(), last(fields, "id"))
	switch {
	case errors.Is(err, tokenauth.ErrNotFound):
		text = "That token had ended already."
	case err != nil:
		p.Error(w, r, &auth.OutageError{Op: "end a token", Err: err})
		return
	}
	if err := messages.Success(r, text); err != nil {
		p.Error(w, r, err)
		return
	}
	p.onward(w, r, "tokens/")
}

// tokenForm is what the template tokens_new.html shows.
type tokenForm struct {
	Name    string
	Days    string // until it ends; "" for never
	Some    bool   // single permissions are chosen
	Choices []tokenChoice
	Ends    []tokenEnd
}

type tokenChoice struct {
	Name    string
	Checked bool
}

type tokenEnd struct{ Days, Text string }

var tokenEnds = []tokenEnd{{"30", "in 30 days"}, {"90", "in 90 days"}, {"365", "in a year"}, {"", "never"}}

// tokenMade is what the template tokens_made.html shows.
type tokenMade struct {
	Name, Secret string
	Ends         string
}

func (p *Pages) newToken(w http.ResponseWriter, r *http.Request, user auth.User, owner *perm.Perms) {
	has, err := owner.All()
	if err != nil {
		p.Error(w, r, &auth.OutageError{Op: "ask for permissions", Err: err})
		return
	}
	form := tokenForm{Days: "90", Ends: tokenEnds}
	var chosen []string
	again := func(problems []Mistake) {
		for name := range has.All() {
			form.Choices = append(form.Choices, tokenChoice{name, slices.Contains(chosen, name)})
		}
		p.Render(w, r, http.StatusOK, "tokens_new.html", View{Title: "Make an API token", ShowUser: true, Errors: problems, Data: form})
	}
	if !sent(r) {
		again(nil)
		return
	}
	fields, err := postForm(r)
	if err != nil {
		p.Error(w, r, err)
		return
	}
	form.Name, form.Days, form.Some = last(fields, "purpose"), last(fields, "expires"), last(fields, "scope") == "some"
	chosen = fields["scopes"]
	t := tokenauth.Token{User: user.AuthID(), Name: strings.TrimSpace(form.Name), Scopes: []string{tokenauth.All}, Created: p.cfg.Now()}
	if form.Some {
		t.Scopes = slices.Compact(slices.Sorted(slices.Values(chosen)))
	}
	if form.Days != "" {
		n, err := strconv.Atoi(form.Days)
		if err != nil || n < 1 || n > 3650 {
			again([]Mistake{{Field: "expires", Text: "Choose when the token ends."}})
			return
		}
		t.Expires = t.Created.AddDate(0, 0, n)
	}
	made, secret, err := p.makeToken(r, t, owner)
	var invalid *tokenauth.Invalid
	switch {
	case errors.As(err, &invalid):
		field := invalid.Field
		if field == "name" { // which browsers would fill in with a person's
			field = "purpose"
		}
		again([]Mistake{{Field: field, Text: invalid.Text}})
		return
	case errors.Is(err, auth.ErrNoUser): // gone, or switched off, a moment ago
		p.Error(w, r, auth.ErrAnonymous)
		return
	case err != nil:
		p.Error(w, r, err)
		return
	}
	p.cfg.Logger.InfoContext(r.Context(), "a token was made", "user", made.User, "token", made.ID, "scopes", made.Scopes)
	ends, _ := p.moment(made.Expires)
	p.Render(w, r, http.StatusOK, "tokens_made.html", View{Title: "Your new token", ShowUser: true, Data: tokenMade{made.Name, secret.Reveal(), ends}})
}

// makeToken makes a token and tells its owner, both or neither.
func (p *Pages) makeToken(r *http.Request, t tokenauth.Token, owner *perm.Perms) (made tokenauth.Token, secret tokenauth.Secret, err error) {
	ctx := r.Context()
	if err := t.Check(); err != nil {
		return made, secret, err
	}
	if err := tokenauth.CheckScopes(owner, t.Scopes); err != nil {
		return made, secret, err
	}
	present, err := p.cfg.Tokens.Tokens(ctx, t.User)
	if err != nil {
		return made, secret, &auth.OutageError{Op: "list tokens", Err: err}
	}
	if len(present) >= maxTokens {
		return made, secret, &tokenauth.Invalid{Text: fmt.Sprintf("You have %d tokens. End one of them first.", len(present))}
	}
	made, secret, err = p.cfg.Tokens.MakeToken(ctx, t)
	switch {
	case errors.Is(err, auth.ErrNoUser):
		return made, secret, err
	case err != nil:
		return made, secret, &auth.OutageError{Op: "make a token", Err: err}
	case p.cfg.Accounts == nil:
		return made, secret, nil
	}
	if err := p.cfg.Accounts.TokenMade(ctx, made.User, made.Name, origin.From(r).Base(), p.asked(r)); err != nil {
		if undo := p.cfg.Tokens.EndToken(ctx, made.User, made.ID); undo != nil {
			p.cfg.Logger.ErrorContext(ctx, "a token remains of which its owner was not told", "token", made.ID, "error", undo)
		}
		return made, tokenauth.Secret{}, err
	}
	return made, secret, nil
}

// tokensOf reports whether somebody has tokens, for the page that offers to end them.
func (p *Pages) tokensOf(r *http.Request, user auth.User) (bool, error) {
	if p.cfg.Tokens == nil {
		return false, nil
	}
	list, err := p.cfg.Tokens.Tokens(r.Context(), user.AuthID())
	if err != nil {
		return false, &auth.OutageError{Op: "list tokens", Err: err}
	}
	return len(list) > 0, nil
}

// endTokens ends all of somebody's tokens, after a change of password that asked for it.
func (p *Pages) endTokens(r *http.Request, user auth.User) error {
	n, err := p.cfg.Tokens.EndTokens(r.Context(), user.AuthID())
	if err != nil {
		return &auth.OutageError{Op: "end tokens", Err: err}
	}
	return messages.Success(r, fmt.Sprintf("Your API tokens are ended: %d.", n))
}
