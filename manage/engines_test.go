package manage_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testredis"
	"github.com/cardea-go/cardea/manage"
	"github.com/cardea-go/cardea/userdb"
)

// TestServeEngines: with each session_engine somebody logs in and out, and the session is where that engine keeps it.
func TestServeEngines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		engine, profile string
		redis           bool
		rows            int // in the database while somebody is logged in
	}{
		{"db", "default", false, 1},
		{"django.contrib.sessions.backends.cached_db", "django", true, 1},
		{"cache", "django", true, 0},
		{"cache", "default", true, 0},
		{"file", "django", false, 0},
		{"django.contrib.sessions.backends.signed_cookies", "django", false, 0},
	} {
		t.Run(c.engine+" "+c.profile, func(t *testing.T) {
			dir := t.TempDir()
			database := "sqlite:" + filepath.Join(dir, "a.db")
			environ := []string{
				"CARDEA_SECRET_KEY=" + strings.Repeat("k", 40), "CARDEA_PROFILE=" + c.profile, "CARDEA_DB=" + database,
				"CARDEA_SESSION_ENGINE=" + c.engine, "CARDEA_SESSION_FILE_PATH=" + dir,
				"DJANGO_SUPERUSER_PASSWORD=horse battery staple",
			}
			var part testredis.Part
			if c.redis {
				part = testredis.New(t)
				environ = append(environ, "CARDEA_REDIS_URL="+part.URL, "CARDEA_REDIS_KEY_PREFIX="+part.Prefix)
			}
			run(t, environ, "createsuperuser", "--noinput", "--username", "ada")
			base := serve(t, environ)
			p := person(t, base)
			p.logIn("ada", "horse battery staple")
			if status := p.get("/accounts/profile/"); status != http.StatusOK {
				t.Fatalf("logged in, the profile is answered %d", status)
			}
			if got := rows(t, database); got != c.rows {
				t.Errorf("%d sessions in the database, want %d", got, c.rows)
			}
			files, _ := filepath.Glob(filepath.Join(dir, "sessionid*"))
			if got := len(files) == 1; got != (c.engine == "file") {
				t.Errorf("the files are %q", files)
			}
			if c.engine == "cache" && len(part.Keys(t)) < 2 {
				t.Errorf("Redis holds %q", part.Keys(t))
			}
			if status := p.get("/healthz"); status != http.StatusOK {
				t.Errorf("healthz is answered %d", status)
			}
			p.post("/accounts/logout/", url.Values{})
			if status := p.get("/accounts/profile/"); status/100 != 3 {
				t.Errorf("logged out, the profile is answered %d, want the way to the log-in", status)
			}
			if got := rows(t, database); got != 0 {
				t.Errorf("%d sessions in the database after the log-out", got)
			}
		})
	}
}

// run runs a command to its end.
func run(t *testing.T, environ []string, args ...string) {
	t.Helper()
	var out strings.Builder
	p := manage.Program{Args: args, Environ: environ, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out}
	if status := p.Run(t.Context()); status != 0 {
		t.Fatalf("%s: status %d, %s", args[0], status, &out)
	}
}

// serve runs the server until the test ends and returns its address.
func serve(t *testing.T, environ []string) (base string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p := manage.Program{Args: []string{"serve", "--addr", "127.0.0.1:0"}, Environ: environ, Stdin: strings.NewReader(""), Stdout: w, Stderr: os.Stderr}
		if status := p.Run(ctx); status != 0 {
			t.Errorf("serve: status %d", status)
		}
		w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "Cardea answers at "); ok {
			go io.Copy(io.Discard, r)
			return strings.TrimSuffix(rest, "/")
		}
	}
	t.Fatal("serve did not say where it is")
	return ""
}

// A visitor is somebody with a browser.
type visitor struct {
	*testing.T
	base   string
	client *http.Client
	jar    *cookiejar.Jar
}

func person(t *testing.T, base string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{T: t, base: base, jar: jar}
	v.client = &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return v
}

func (v *visitor) get(path string) int {
	v.Helper()
	res, err := v.client.Get(v.base + path)
	if err != nil {
		v.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// post sends a form with the token that the last page set as a cookie.
func (v *visitor) post(path string, form url.Values) int {
	v.Helper()
	at, err := url.Parse(v.base)
	if err != nil {
		v.Fatal(err)
	}
	for _, c := range v.jar.Cookies(at) {
		if strings.HasSuffix(c.Name, "csrftoken") {
			form.Set("csrfmiddlewaretoken", c.Value)
		}
	}
	res, err := v.client.PostForm(v.base+path, form)
	if err != nil {
		v.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func (v *visitor) logIn(username, password string) {
	v.Helper()
	v.get("/accounts/login/")
	for tries := 0; ; tries++ {
		status := v.post("/accounts/login/", url.Values{"username": {username}, "password": {password}})
		switch {
		case status/100 == 3:
			return
		case status != http.StatusServiceUnavailable || tries == 20: // the machine may be busy with other tests
			v.Fatalf("the log-in is answered %d", status)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// rows counts the sessions in a database.
func rows(t *testing.T, database string) int {
	t.Helper()
	db, err := userdb.OpenURL(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n := 0
	for _, err := range db.Sessions(nil, userdb.SessionsConfig{Users: db.Users()}).Live(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}
