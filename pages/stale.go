package pages

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/origin"
)

// keptForm is a form that waits for its sender to log in again: a hidden field of the log-in form, and nowhere else. It is shown
// again, filled, for its sender to send again; nothing sends it by itself.
type keptForm struct {
	Action string       `json:"action"`
	User   string       `json:"user"`
	Inputs []csrf.Input `json:"inputs"`
}

// Stale answers a form of somebody whose login is too old for it: the log-in form, which keeps what was typed but for passwords and
// files. It reports false, and has done nothing, for what is no such form. It is for auth.Config.Stale.
func (p *Pages) Stale(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	user, err := p.gate.Who(r)
	if err != nil {
		return false
	}
	_, full := here(r)
	if _, safe := origin.From(r).SafeNext(full); !safe {
		return false
	}
	inputs, ok := csrf.Inputs(r)
	if !ok || len(inputs) == 0 { // a button alone: the page that it is on does as well
		return false
	}
	kept, err := json.Marshal(keptForm{Action: full, User: user.AuthID(), Inputs: inputs})
	if err != nil {
		return false
	}
	form := p.loginForm()
	form.Again, form.Kept, form.Username = true, string(kept), p.cfg.Describe(user).Login
	form.Action = origin.From(r).Prefix + p.cfg.Prefix + "login/?" + url.Values{"again": {"1"}}.Encode()
	w.Header().Set("Cache-Control", "no-store")
	p.Render(w, r, http.StatusForbidden, "login.html", View{Title: "Please enter your password again", Next: origin.From(r).PageOf(r), Data: form})
	return true
}

// showKept shows a kept form to its sender, who has just logged in again. It reports false, and has done nothing, where there is
// none, or it is somebody else's.
func (p *Pages) showKept(w http.ResponseWriter, r *http.Request, text string) bool {
	var kept keptForm
	if text == "" || json.Unmarshal([]byte(text), &kept) != nil {
		return false
	}
	action, safe := origin.From(r).SafeNext(kept.Action)
	user, err := p.gate.Who(r)
	if !safe || err != nil || user.AuthID() != kept.User {
		return false
	}
	w.Header().Set("Cache-Control", "no-store")
	p.showForm(w, r, http.StatusOK, againData{Action: action, LoggedIn: true}, kept.Inputs)
	return true
}
