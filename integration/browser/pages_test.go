package browser_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"image/png"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea/integration/harness"
)

var update = flag.Bool("update", false, "take the screenshots of docs/img anew")

// TestPages leads people to every page of the binary, and to every state of it that one can reach, and inspects each in light and
// dark, on a narrow and on a wide screen. What was seen is compared with the route table.
func TestPages(t *testing.T) {
	t.Parallel()
	in := &inspector{states: map[string]int{}}
	t.Run("pages", func(t *testing.T) {
		t.Run("site", func(t *testing.T) {
			t.Parallel()
			sitePages(t, in)
		})
		t.Run("accounts", func(t *testing.T) {
			t.Parallel()
			accountPages(t, in)
		})
		t.Run("federation", func(t *testing.T) {
			t.Parallel()
			federationPages(t, in)
		})
		t.Run("tokens", func(t *testing.T) {
			t.Parallel()
			tokenPages(t, in)
		})
	})
	in.report(t)
}

// sitePages leads a person to the pages of a fresh site, and to those that say what went wrong.
func sitePages(t *testing.T, in *inspector) {
	s := serve(t, harness.CheapHashing, "CARDEA_ALLOWED_HOSTS=127.0.0.1,plain.test")
	b := open(t, s.url)
	_, port, err := net.SplitHostPort(b.base.Host)
	b.must("address", err)
	inspect := func(page string, want, status int) {
		t.Helper()
		in.inspect(b, page, want, status)
	}

	inspect("home, signed out", 200, b.visit("/"))
	inspect("set-up", 200, b.visit(s.setup))
	inspect("set-up, empty", 200, b.press("Make the account"))
	b.write("username", name)
	b.write("email", "no address")
	b.write("password", secret)
	inspect("set-up, wrong address", 200, b.press("Make the account"))
	b.write("email", email)
	b.write("password", secret)
	b.forget()
	inspect("a form once more", 403, b.press("Make the account"))
	b.sees("Nothing was changed and nothing is lost")
	b.write("password", secret)
	inspect("login, with a notice", 200, b.press("Send again"))
	b.at("/accounts/login/")
	b.sees("The account is made.")
	inspect("set-up, used", 410, b.visit(s.setup))

	inspect("login", 200, b.visit("/accounts/login/"))
	b.photo("login", 390, "light")
	b.photo("login", 1280, "dark")
	inspect("login, empty", 200, b.press("Log in"))
	b.write("username", name)
	b.write("password", "wrong")
	inspect("login, wrong password", 200, b.press("Log in"))
	b.write("password", secret)
	b.forget()
	inspect("login, once more", 403, b.press("Log in"))
	b.invalid("password")
	b.write("password", secret)
	inspect("profile", 200, b.press("Log in"))
	b.at("/accounts/profile/")
	b.photo("profile", 390, "dark")
	b.photo("profile", 1280, "light")
	inspect("home, signed in", 200, b.visit("/"))
	inspect("logged out", 200, b.press("Log out"))

	inspect("not found", 404, b.visit("/nowhere"))
	inspect("log-out by a link", 405, b.visit("/accounts/logout/"))
	b.visit("/accounts/login/")
	eval[bool](b, `document.querySelector("[name=username]").value = "x".repeat(3 << 20), true`)
	inspect("a form that is too large", 413, b.press("Log in"))
	inspect("a forged form", 403, b.forge("/accounts/login/"))
	b.visit("/accounts/login/")
	status := 0
	for try := 0; try < 30 && status != 429; try++ {
		b.write("username", "nobody")
		b.write("password", "guess")
		status = b.press("Log in")
	}
	inspect("too many tries", 429, status)
	b.lacks("nobody")

	unlock := b.lock(filepath.Join(s.dir, "cardea.db"))
	b.visit("/accounts/login/")
	b.write("username", "somebody")
	b.write("password", "else")
	status = b.press("Log in")
	unlock()
	inspect("database busy", 503, status)

	b.seen.base.Host = "unknown.test:" + port
	inspect("unknown host", 400, b.visit("http://unknown.test:"+port+"/"))
	b.seen.base.Host = "plain.test:" + port
	inspect("plain HTTP to another machine", 403, b.visit("http://plain.test:"+port+"/"))

	s.Stop(t)
}

// forge sends a form to the site from a page that is not the site's, and returns the status of the answer.
func (b *tab) forge(path string) int {
	b.t.Helper()
	target, err := b.base.Parse(path)
	b.must("address", err)
	b.do("open a foreign page", chromedp.Navigate("data:text/html,"+url.PathEscape(fmt.Sprintf(
		`<!doctype html><form method=post action="%s"><input name=username value=mallory autocomplete=username><input name=password value=mallory autocomplete=current-password><button>Win</button></form>`, target))))
	return b.pressAnywhere("Win")
}

// lock takes the write lock of an SQLite file until the returned function is called.
func (b *tab) lock(file string) (unlock func()) {
	b.t.Helper()
	pool, err := sql.Open("sqlite3", "file:"+file)
	b.must("open the database", err)
	conn, err := pool.Conn(context.Background())
	b.must("open the database", err)
	_, err = conn.ExecContext(context.Background(), "BEGIN IMMEDIATE")
	b.must("lock the database", err)
	return func() {
		b.t.Helper()
		_, err := conn.ExecContext(context.Background(), "ROLLBACK")
		b.must("unlock the database", err)
		_ = conn.Close()
		_ = pool.Close()
	}
}

// photo keeps a picture of the page in docs/img when the flag -update asks for it; else it checks that there is one of that size.
func (b *tab) photo(page string, width int64, theme string) {
	b.t.Helper()
	file := filepath.Join("..", "..", "docs", "img", fmt.Sprintf("%s-%d-%s.png", page, width, theme))
	if !*update {
		f, err := os.Open(file)
		b.must("screenshot (go test ./browser -run TestPages -update takes it)", err)
		defer f.Close()
		picture, err := png.DecodeConfig(f)
		b.must(file, err)
		if picture.Width != int(width) {
			b.t.Errorf("%s is %d pixels wide", file, picture.Width)
		}
		return
	}
	height := int64(720)
	if width < 600 {
		height = 844
	}
	b.size(width, height)
	b.theme(theme)
	eval[bool](b, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))") // painted
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	b.must("screenshot", err)
	b.must("screenshot", os.MkdirAll(filepath.Dir(file), 0o755))
	b.must("screenshot", os.WriteFile(file, picture, 0o644))
	b.theme("light")
}
