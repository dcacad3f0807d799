package cardea_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/mail"
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

// brokenMail is a mail server that takes nothing.
type brokenMail struct{ tried atomic.Int32 }

func (m *brokenMail) Send(context.Context, *mail.Message) error {
	m.tried.Add(1)
	return errors.New("the mail server is on fire")
}

// TestMailFailureTellsNothing (CVE-2024-45231): when no mail can be sent, who asks for a link cannot tell an address that somebody has from
// one that nobody has.
func TestMailFailureTellsNothing(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		broken := &brokenMail{}
		s := newAccountSite(t, func(cfg *cardea.Config) { cfg.Mail, cfg.Profile = broken, profile })
		var answers []reply
		for _, email := range []string{"ada@example.com", "nobody@example.com", "ada@example.com"} {
			answers = append(answers, postForm(t, s.Another(), "/accounts/password_reset/", url.Values{"email": {email}}))
			_, _ = s.SendMail(t.Context())
		}
		if broken.tried.Load() == 0 {
			t.Fatalf("%s: no mail was tried", profile)
		}
		if answers[0] != answers[1] || answers[0] != answers[2] || !strings.HasSuffix(answers[0].location, "/accounts/password_reset/done/") {
			t.Errorf("%s: got\n%+v\nfor somebody's address and\n%+v\nfor nobody's", profile, answers[0], answers[1])
		}
	}
}
