package pages

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/sessions"
)

// sessionLine is one line of the template sessions.html.
type sessionLine struct {
	sessions.Listed
	Device          string
	How             string // somebody logged in
	First, Last     string // when
	FirstAt, LastAt string // for programs
}

// sessionsData is what the template sessions.html shows.
type sessionsData struct {
	Lines  []sessionLine
	Others bool // than this one
}

// sessions lists where somebody is logged in, and ends one or all others.
func (p *Pages) sessions(w http.ResponseWriter, r *http.Request, user auth.User) {
	key := sessions.From(r).Key()
	if sent(r) {
		p.endSessions(w, r, user, key)
		return
	}
	list, err := p.cfg.Sessions.List(r.Context(), user.AuthID(), key)
	if err != nil {
		p.Error(w, r, &auth.OutageError{Op: "list sessions", Err: err})
		return
	}
	var data sessionsData
	for _, s := range list {
		line := sessionLine{Listed: s, Device: account.Device(s.Client.UserAgent), How: p.how(s.Data)}
		line.First, line.FirstAt = p.moment(s.Created)
		line.Last, line.LastAt = p.moment(s.Seen)
		data.Others = data.Others || !s.Current
		data.Lines = append(data.Lines, line)
	}
	p.Render(w, r, http.StatusOK, "sessions.html", View{Title: "Where you are logged in", ShowUser: true, Data: data})
}

// how says how the login of a session was proven, "" where nobody knows.
func (p *Pages) how(d sessions.Data) string {
	var ways []string
	for _, proof := range auth.SessionProofs(d) {
		way := ""
		switch {
		case proof.Backend == "oidc" || strings.HasPrefix(proof.Backend, "oidc."):
			way = "at another place"
			if name, _ := strings.CutPrefix(proof.Backend, "oidc."); p.cfg.Federation != nil {
				if one, ok := p.provider(name); ok {
					way = "at " + one.Title
				}
			}
		case slices.Contains(proof.Methods, "pwd"):
			way = "with a password"
		}
		if way != "" && !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	return strings.Join(ways, " and ")
}

func (p *Pages) endSessions(w http.ResponseWriter, r *http.Request, user auth.User, key string) {
	fields, err := postForm(r)
	if err != nil {
		p.Error(w, r, err)
		return
	}
	text := "That session is ended."
	if id := last(fields, "id"); id != "" {
		err = p.cfg.Sessions.End(r.Context(), user.AuthID(), id)
		if errors.Is(err, sessions.ErrNotFound) {
			err, text = nil, "That session had ended already."
		}
	} else {
		var n int
		n, err = p.cfg.Sessions.EndAll(r.Context(), user.AuthID(), key)
		text = fmt.Sprintf("All others are ended: %d.", n)
	}
	if err != nil {
		p.Error(w, r, &auth.OutageError{Op: "end sessions", Err: err})
		return
	}
	if err := messages.Success(r, text); err != nil {
		p.Error(w, r, err)
		return
	}
	p.onward(w, r, "sessions/")
}

// moment is a time for people and for programs, "" for none.
func (p *Pages) moment(t time.Time) (text, machine string) {
	if t.IsZero() {
		return "", ""
	}
	return t.In(p.cfg.Location).Format("2 January 2006, 15:04 MST"), t.UTC().Format(time.RFC3339)
}
