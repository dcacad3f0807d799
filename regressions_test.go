package cardea_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/csrf"
)

// TestLoginReplaysNothing (CVE-2008-3909): a form that was sent by somebody who is not logged in is gone after the log-in, which leads to
// the page and sends nothing there. Sent by somebody who is logged in, it arrives.
func TestLoginReplaysNothing(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		db := cardeatest.DB(t)
		cardeatest.User(t, db, "ada", "correct horse")
		cfg := cardeatest.Config()
		cfg.Profile = profile
		site, err := cardea.New(db, cfg)
		if err != nil {
			t.Fatal(err)
		}
		var posted, shown atomic.Int32
		mux := http.NewServeMux()
		mux.Handle("/accounts/", site.Pages)
		mux.HandleFunc("GET /form", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<form method="post" action="/order">%s<input name="what"><button>Order</button></form>`, csrf.Field(r))
		})
		mux.Handle("/order", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost || r.PostFormValue("what") != "" || r.FormValue("what") != "" {
				posted.Add(1)
			}
			shown.Add(1)
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "Your orders")
		})))
		b := cardeatest.NewBrowser(t, site.Handler(mux))
		b.Visit("/form").Fill("what", "a horse").Submit().AtPath("/accounts/login/")
		b.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/order").Sees("Your orders")
		if posted.Load() != 0 || shown.Load() != 1 {
			t.Errorf("%s: after the log-in the page was shown %d times and got %d forms, want it shown once and no form", profile, shown.Load(), posted.Load())
		}
		b.Visit("/form").Fill("what", "a horse").Submit().AtPath("/order")
		if posted.Load() != 1 {
			t.Errorf("%s: the control: %d forms arrived, want 1", profile, posted.Load())
		}
	}
}
