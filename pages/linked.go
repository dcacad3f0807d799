package pages

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
)

// linkedLine is one line of the template linked.html.
type linkedLine struct {
	account.Identity
	Title           string // of the provider
	Theirs          bool   // not the person's to unlink
	Since, Used     string // when
	SinceAt, UsedAt string // for programs
}

// linkedData is what the template linked.html shows.
type linkedData struct {
	Lines []linkedLine
	More  []auth.Provider // that could be linked
}

// linked lists the accounts elsewhere that log a user in, and unlinks one.
func (p *Pages) linked(w http.ResponseWriter, r *http.Request, user auth.User) {
	var mistakes []Mistake
	if sent(r) {
		fields, err := postForm(r)
		if err != nil {
			p.Error(w, r, err)
			return
		}
		done, problem, err := p.unlink(r, user, last(fields, "id"))
		if err == nil && done != "" {
			err = messages.Success(r, done)
		}
		switch {
		case err != nil:
			p.Error(w, r, err)
			return
		case done != "":
			p.onward(w, r, "linked/")
			return
		}
		mistakes = []Mistake{{Text: problem}}
	}
	has, err := p.cfg.Accounts.Identities(r.Context(), user.AuthID())
	if err != nil {
		p.Error(w, r, err)
		return
	}
	var data linkedData
	for _, id := range has {
		line := linkedLine{Identity: id, Title: p.titleOf(id.Issuer), Theirs: p.theirs(id.Issuer)}
		line.Since, line.SinceAt = p.moment(id.Created)
		if id.LastUsed != nil {
			line.Used, line.UsedAt = p.moment(*id.LastUsed)
		}
		data.Lines = append(data.Lines, line)
	}
	for _, one := range p.cfg.Federation.Providers() {
		if !slices.ContainsFunc(has, func(i account.Identity) bool { return i.Issuer == one.Issuer }) {
			data.More = append(data.More, one)
		}
	}
	p.Render(w, r, http.StatusOK, "linked.html", View{Title: "Linked accounts", ShowUser: true, Errors: mistakes, Data: data})
}

// unlink returns what to say about it, or a problem that the person can mend.
func (p *Pages) unlink(r *http.Request, user auth.User, id string) (done, problem string, err error) {
	has, err := p.cfg.Accounts.Identities(r.Context(), user.AuthID())
	if err != nil {
		return "", "", err
	}
	title := ""
	for _, one := range has {
		if one.ID != id {
			continue
		}
		if title = p.titleOf(one.Issuer); p.theirs(one.Issuer) {
			return "", "The people who run this site look after that account. Ask them.", nil
		}
	}
	ways := account.Ways{Password: !p.cfg.WithoutPasswords, Issuers: p.issuers()}
	err = p.cfg.Accounts.UnlinkIdentity(r.Context(), user.AuthID(), id, title, origin.From(r).Base(), ways, p.asked(r))
	switch {
	case errors.Is(err, account.ErrLastWayIn):
		return "", "Without this account you could not log in any more. Link another one first.", nil
	case errors.Is(err, account.ErrNoIdentity):
		return "That account was not linked any more.", "", nil
	case err != nil:
		return "", "", err
	}
	return "Your account at " + title + " is not linked any more.", "", nil
}

// titleOf is what people call an issuer; one that is not configured any more goes by its own name.
func (p *Pages) titleOf(issuer string) string {
	for _, one := range p.cfg.Federation.Providers() {
		if one.Issuer == issuer {
			return one.Title
		}
	}
	return issuer
}

// theirs tells whether an issuer is one, such as a directory, by which the people who run the site say who is who: nobody could
// link it again.
func (p *Pages) theirs(issuer string) bool {
	return slices.Contains(p.cfg.Issuers, issuer) &&
		!slices.ContainsFunc(p.cfg.Federation.Providers(), func(one auth.Provider) bool { return one.Issuer == issuer })
}

// ender ends sessions for providers that say whose login is over; nil where nothing can.
func (p *Pages) ender() auth.Ender {
	lister, ok := p.cfg.Sessions.(sessions.Matcher)
	if !ok || p.cfg.Accounts == nil || !p.cfg.Accounts.KeepsIdentities() {
		return nil
	}
	return ender{p.cfg.Accounts, lister}
}

type ender struct {
	accounts *account.Service
	sessions sessions.Matcher
}

// UserOf implements auth.Ender.
func (e ender) UserOf(ctx context.Context, issuer, subject string) (string, error) {
	return e.accounts.IdentityOwner(ctx, issuer, subject)
}

// EndSessions implements auth.Ender.
func (e ender) EndSessions(ctx context.Context, user string, match func(sessions.Data) bool) (int, error) {
	return e.sessions.EndMatching(ctx, user, match)
}
