package cardea_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/csrf"
)

// TestFreshKeepsTheForm: a form that needs a fresh login waits in the browser for it, and is then shown again, filled but for the
// password and the file, to be sent by the person. Nothing sends it by itself, nobody else gets to see it, and it leads nowhere else.
func TestFreshKeepsTheForm(t *testing.T) {
	t.Parallel()
	const typed = "a \"quoted\" <b>text</b> & more,\r\non two lines"
	g := &clock{}
	db := cardeatest.DB(t)
	cardeatest.User(t, db, "ada", "correct horse")
	cardeatest.User(t, db, "eve", "wicked horse")
	cfg := cardeatest.Config()
	cfg.Now = g.now
	site, err := cardea.New(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var done atomic.Int64
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.Handle("GET /order", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<form method="post" action="/order?of=tea">%s<textarea name="note"></textarea><input name="number"><input type="password" name="pin_password"><input type="file" name="list"><button>Order</button></form>`, csrf.Field(r))
	})))
	mux.Handle("POST /order", site.Auth.Fresh(10*time.Minute)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done.Add(1)
		fmt.Fprintf(w, "ordered %q %q %q of %s", r.PostFormValue("note"), r.PostFormValue("number"), r.PostFormValue("pin_password"), r.URL.Query().Get("of"))
	})))
	b := cardeatest.NewBrowser(t, site.Handler(mux))
	order := func() *cardeatest.Browser {
		return b.Visit("/order").Fill("note", typed).Fill("number", "7").Fill("pin_password", "hush-hush").Submit()
	}

	logInAs(b, "ada", "correct horse")
	order().HasStatus(200).Sees(fmt.Sprintf("ordered %q", typed)) // control: a fresh login
	g.step(time.Hour)
	order().HasStatus(403).Sees("Please enter your password again").SeesNot("hush-hush")
	b.Fill("username", "ada").Fill("password", "wrong").Submit().HasStatus(200).Sees("do not match")
	b.Sees("What you typed is kept")
	b.Fill("username", "ada").Fill("password", "correct horse").Submit().HasStatus(200).Sees("Please send this form once more").SeesNot("hush-hush")
	if done.Load() != 1 {
		t.Fatalf("the form was carried out %d times, want once: nothing sends it by itself", done.Load())
	}
	b.Sees("a \"quoted\" <b>text</b> & more,").Fill("pin_password", "again").Submit().HasStatus(200)
	if want := strings.ReplaceAll(fmt.Sprintf("ordered %q \"7\" \"again\" of tea", typed), `\r\n`, `\n`); b.Body != want || done.Load() != 2 {
		t.Errorf("got %s after %d times, want %s", b.Body, done.Load(), want)
	}

	g.step(time.Hour)
	order().HasStatus(403)
	b.Fill("username", "eve").Fill("password", "wicked horse").Submit().AtPath("/order").SeesNot("quoted") // somebody else
	logInAs(b, "ada", "correct horse")
	g.step(time.Hour)
	order().HasStatus(403)
	for _, evil := range []string{"https://evil.example/", "//evil.example", "javascript:alert(1)"} {
		page := b.Body
		b.Body = strings.Replace(page, `action&#34;:&#34;/order?of=tea`, `action&#34;:&#34;`+evil, 1)
		if b.Body == page {
			t.Fatalf("the kept form is not where this test expects it:\n%s", page)
		}
		b.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/order")
		g.step(time.Hour)
		order().HasStatus(403)
	}
	// With a file.
	b.Visit("/order")
	parts := [][2]string{{`form-data; name="csrfmiddlewaretoken"`, between(b.Body, `name="csrfmiddlewaretoken" value="`, `"`)}, {`form-data; name="note"`, "kept"}, {`form-data; name="list"; filename="a.txt"`, "not kept"}}
	body := ""
	for _, part := range parts {
		body += "--x\r\nContent-Disposition: " + part[0] + "\r\n\r\n" + part[1] + "\r\n"
	}
	req, err := http.NewRequest(http.MethodPost, b.URL("/order?of=tea"), strings.NewReader(body+"--x--\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	req.Header.Set("Origin", strings.TrimSuffix(b.URL("/"), "/"))
	b.Do(req).HasStatus(403).SeesNot("not kept")
	b.Fill("username", "ada").Fill("password", "correct horse").Submit().HasStatus(200).Sees(`enctype="multipart/form-data"`).Sees(`name="list" type="file"`).Sees("kept")
	if done.Load() != 2 {
		t.Errorf("the form was carried out %d times, want twice", done.Load())
	}
}
