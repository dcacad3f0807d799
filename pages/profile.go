package pages

import "net/http"

// profileData is what the template profile.html shows.
type profileData struct{ Facts []Fact }

func (p *Pages) profile(w http.ResponseWriter, r *http.Request) {
	p.gate.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := p.gate.Who(r)
		if err != nil {
			p.Error(w, r, err)
			return
		}
		p.Render(w, r, http.StatusOK, "profile.html", View{Title: "Your account", Data: profileData{Facts: p.cfg.Describe(user).Facts}})
	})).ServeHTTP(w, r)
}

// Home answers the start page of a program that has none of its own: what this is, and who you are.
func (p *Pages) Home(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		p.NotFound(w, r)
		return
	}
	p.Render(w, r, http.StatusOK, "home.html", View{Title: "Welcome", ShowUser: true})
}
