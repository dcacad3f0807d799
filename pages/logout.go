package pages

import "net/http"

// logout is Django's LogoutView: log out first, then go to the safe next, the site's choice or this very path; the page is
// shown where that is where we are.
func (p *Pages) logout(w http.ResponseWriter, r *http.Request) {
	if err := p.gate.Logout(r); err != nil {
		p.Error(w, r, err)
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
