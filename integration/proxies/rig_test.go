package proxies_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// A rig is a proxy with Cardea and a program behind it.
type rig struct {
	t       *testing.T
	port    string // of the proxy
	login   string // the host with the log-in page
	trust   *tls.Config
	db      *userdb.DB
	url     string // of the database
	cardea  *harness.Process
	program *program
	proxy   *harness.Process
}

// A setup is one of the two that the guide describes.
type setup struct {
	name  string
	block int    // of the guide
	login string // the host with the log-in page
}

var setups = []setup{{"one host", 0, "app.example.com"}, {"several hosts", 1, "login.example.com"}}

// A kind is a proxy: how it is configured for a setup, and started.
type kind struct {
	name  string
	start func(t *testing.T, s setup, p parts) *harness.Process
}

// parts are what a proxy's configuration is about.
type parts struct{ dir, port, certificate, key, cardea, program string }

var kinds = []kind{{"nginx", startNginx}, {"caddy", startCaddy}}

// each runs a story with each proxy in each setup.
func each(t *testing.T, story func(t *testing.T, r *rig)) {
	t.Helper()
	for _, k := range kinds {
		for _, s := range setups {
			t.Run(k.name+", "+s.name, func(t *testing.T) {
				t.Parallel()
				story(t, start(t, k, s))
			})
		}
	}
}

func start(t *testing.T, k kind, s setup) *rig {
	t.Helper()
	dir, at := t.TempDir(), testdb.New(t, "sqlite")
	r := &rig{t: t, port: harness.FreePort(t), login: s.login, url: at.URL, program: newProgram(t)}
	p := parts{dir: dir, port: r.port, program: strings.TrimPrefix(r.program.server.URL, "http://")}
	p.certificate, p.key, r.trust = certificate(t, dir)
	r.db = harness.Migrated(t, at, "ada", "bob")
	groups := r.db.Users().Groups()
	ada, err := r.db.UserByName(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	ada.Email, ada.FirstName = "ada@example.com", "Zoë"
	if err := r.db.Users().Update(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"staff", "Zoë, & co"} {
		if _, err := groups.Create(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if err := groups.Add(t.Context(), name, ada); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := groups.Create(t.Context(), "admins"); err != nil {
		t.Fatal(err)
	}
	settings := guide(t, "toml")[s.block]
	settings = replaced(t, settings, `host = "app.example.com"`, `host = "app.example.com:`+r.port+`"`)
	if s.block == 1 {
		settings = replaced(t, settings, `host = "wiki.example.com"`, `host = "wiki.example.com:`+r.port+`"`,
			`site_url = "https://login.example.com"`, `site_url = "https://login.example.com:`+r.port+`"`)
	}
	file := write(t, filepath.Join(dir, "site.toml"), "api_tokens = true\n"+settings)
	p.cardea = "127.0.0.1:" + harness.FreePort(t) // it prints where people see it, which is somewhere else
	r.cardea = harness.Start(t, harness.Command{
		Path: harness.Cardea(t), Args: []string{"--db", at.URL, "serve", "--addr", p.cardea, "--config", file},
		Env: []string{"CARDEA_SECRET_KEY=" + harness.SecretKey, harness.CheapHashing}, Ready: regexp.MustCompile(`answers at https?://`),
	})
	r.proxy = k.start(t, s, p)
	return r
}

// found returns the path of a program of the system.
func found(t testing.TB, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} { // where an ordinary user does not look
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	missing := name + " is not here: scripts/install.sh installs it"
	if os.Getenv("CARDEA_TEST_REQUIRE") == "1" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

func startNginx(t *testing.T, s setup, p parts) *harness.Process {
	t.Helper()
	blocks := guide(t, "nginx")
	app := blocks[0]
	text := app
	if s.block == 1 {
		cut := regexp.MustCompile(`(?s)\n    location /accounts/ \{.*?\n    \}\n`)
		if !cut.MatchString(app) {
			t.Fatal("the guide has no location /accounts/")
		}
		app = cut.ReplaceAllString(app, "")
		_, server, _ := strings.Cut(app, "\nserver {")
		text = app + "\nserver {" + replaced(t, server, "app.example.com", "wiki.example.com") + "\n" + blocks[1]
	}
	text = replaced(t, text,
		"listen 443 ssl;", "listen 127.0.0.1:"+p.port+" ssl;",
		"/etc/ssl/example.com.pem", p.certificate, "/etc/ssl/example.com.key", p.key,
		"set $visited $host;", "set $visited $host:$server_port;",
		"http://127.0.0.1:8000", "http://"+p.cardea, "http://127.0.0.1:9000", "http://"+p.program)
	whole := "daemon off;\nmaster_process off;\npid " + p.dir + "/nginx.pid;\nerror_log stderr notice;\nevents {}\nhttp {\naccess_log off;\n"
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		whole += name + "_temp_path " + filepath.Join(p.dir, name) + ";\n"
	}
	file := write(t, filepath.Join(p.dir, "nginx.conf"), whole+text+"}\n")
	return harness.Start(t, harness.Command{
		Path: found(t, "nginx"), Args: []string{"-p", p.dir, "-c", file, "-e", "stderr"}, Dir: p.dir,
		Ready: regexp.MustCompile(`getrlimit\(RLIMIT_NOFILE\)`), // it listens already
	})
}

func startCaddy(t *testing.T, s setup, p parts) *harness.Process {
	t.Helper()
	blocks := guide(t, "caddy")
	app := blocks[0]
	text := app
	if s.block == 1 {
		app = replaced(t, app, "	handle /accounts/* {\n		reverse_proxy 127.0.0.1:8000\n	}\n", "")
		text = app + replaced(t, app, "app.example.com", "wiki.example.com") + blocks[1]
	}
	text = regexp.MustCompile(`(?m)^(\w+\.example\.com) \{$`).ReplaceAllString(text, "https://$1:"+p.port+" {\n\ttls "+p.certificate+" "+p.key)
	text = replaced(t, text, "127.0.0.1:8000", p.cardea, "127.0.0.1:9000", p.program)
	file := write(t, filepath.Join(p.dir, "Caddyfile"), "{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n\thttp_port "+harness.FreePort(t)+"\n}\n"+text)
	return harness.Start(t, harness.Command{
		Path: found(t, "caddy"), Args: []string{"run", "--config", file, "--adapter", "caddyfile"}, Dir: p.dir,
		Env:   []string{"HOME=" + p.dir, "XDG_DATA_HOME=" + p.dir, "XDG_CONFIG_HOME=" + p.dir},
		Ready: regexp.MustCompile(`serving initial configuration`),
	})
}

// app is the address of the program in the address bar.
func (r *rig) app() string { return "https://app.example.com:" + r.port }

// browser is a person's, with no cookies.
func (r *rig) browser() *cardeatest.Browser {
	b := cardeatest.Open(r.t, r.app())
	b.Client().Transport = &http.Transport{
		TLSClientConfig: r.trust,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+r.port)
		},
	}
	r.t.Cleanup(b.Client().CloseIdleConnections)
	return b
}

// loggedIn is a person who has logged in on the way to a page.
func (r *rig) loggedIn(name, path string) *cardeatest.Browser {
	r.t.Helper()
	return r.browser().Visit(path).AtPath("/accounts/login/").Fill("username", name).Fill("password", harness.Password).Submit()
}

// with visits a page with header lines.
func with(t testing.TB, b *cardeatest.Browser, path string, lines ...string) *cardeatest.Browser {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, b.URL(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		req.Header[name] = append(req.Header[name], value)
	}
	return b.Do(req)
}

// raw sends a request line as it is, with the cookies of a browser, and returns the status.
func (r *rig) raw(b *cardeatest.Browser, target string, lines ...string) int {
	r.t.Helper()
	trust := r.trust.Clone()
	trust.ServerName = "app.example.com"
	conn, err := tls.Dial("tcp", "127.0.0.1:"+r.port, trust)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	req, err := http.NewRequest(http.MethodGet, r.app(), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	text := "GET " + target + " HTTP/1.1\r\nHost: app.example.com:" + r.port + "\r\nAccept: text/html\r\nConnection: close\r\n"
	var cookies []string
	for _, c := range b.Client().Jar.Cookies(req.URL) {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	lines = append(lines, "Cookie: "+strings.Join(cookies, "; "))
	if _, err := conn.Write([]byte(text + strings.Join(lines, "\r\n") + "\r\n\r\n")); err != nil {
		r.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		r.t.Fatalf("%s: %v", target, err)
	}
	res.Body.Close()
	return res.StatusCode
}
