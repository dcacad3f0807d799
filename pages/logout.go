package pages

import (
	"net/http"

	"github.com/cardea-go/cardea/origin"
)

// logout is Django's LogoutView: log out first, then go to the safe next, the site's choice or this very path; the page is
// shown where that is where we are.
func (p *Pages) logout(w http.ResponseWriter, r *http.Request) {
	elsewhere := ""
	if p.cfg.Federation != nil {
		elsewhere = p.cfg.Federation.Leave(r, origin.From(r).Base()+p.cfg.Prefix+"login/")
	}
	if err := p.gate.Logout(r); err != nil {
		problem := p.classify(err)
		if problem.Status == http.StatusServiceUnavailable {
			problem.Title = "You are logged out in this browser only"
			problem.Paragraphs = []string{
				"This browser has forgotten you. But a part of this site does not answer at the moment, so your session could not be removed at our end; it ends by itself later.",
				"If you think that somebody else could use it, log in again later and change your password: that ends all your sessions.",
			}
		}
		p.fail(w, r, err, problem)
		return
	}
	if elsewhere != "" { // the way back goes by the provider, which knows no next
		p.away(w, r, "You are logged out here", elsewhereData{To: elsewhere})
		return
	}
	target := p.next(r)
	if target == "" {
		target = p.prefixed(r, p.cfg.LogoutRedirectURL)
	}
	path, full := here(r)
	if target == "" {
		target = path
	}
	if target != full {
		p.redirect(w, r, target, http.StatusFound)
		return
	}
	p.Render(w, r, http.StatusOK, "logged_out.html", View{Title: "Logged out"})
}
