package origin_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/origin"
)

// request is one that arrives, and what the site is told about it.
type request struct {
	cfg     origin.Config
	peer    string // defaults to 127.0.0.1:1
	target  string // defaults to http://localhost/
	host    string // the Host header, if not the target's
	headers string // "Name: value" lines
}

// inspect sends the request through the middleware and returns what it found out, or why it refused.
func inspect(t *testing.T, q request) (info *origin.Info, refused error) {
	t.Helper()
	q.cfg.Reject = func(_ http.ResponseWriter, _ *http.Request, err error) { refused = err }
	o, err := origin.New(q.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if q.target == "" {
		q.target = "http://localhost/"
	}
	r := httptest.NewRequest("GET", q.target, nil)
	if scheme, rest, ok := strings.Cut(q.target, "://"); ok { // as a server sees it, without scheme and host
		_, path, _ := strings.Cut(rest, "/")
		r.RequestURI = "/" + path
		r.URL.Scheme, r.URL.Host = "", ""
		if scheme == "https" {
			r.TLS = &tls.ConnectionState{}
		}
	}
	if q.host != "" {
		r.Host = q.host
	}
	if r.RemoteAddr = q.peer; q.peer == "" {
		r.RemoteAddr = "127.0.0.1:1"
	}
	for line := range strings.SplitSeq(q.headers, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			r.Header.Add(name, value)
		}
	}
	o.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { info = origin.From(r) })).
		ServeHTTP(httptest.NewRecorder(), r)
	if (info == nil) == (refused == nil) {
		t.Fatalf("info %+v and refusal %v", info, refused)
	}
	return info, refused
}

func prefixes(list ...string) (p []netip.Prefix) {
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

func TestInfo(t *testing.T) {
	t.Parallel()
	info, err := inspect(t, request{
		cfg:    origin.Config{AllowedHosts: []string{".Example.com"}},
		peer:   "203.0.113.9:4711",
		target: "https://Site.Example.com:8443/a%20b/?q=1&r=%2F",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := origin.Info{
		Scheme: "https", Host: "Site.Example.com:8443", Path: "/a%20b/?q=1&r=%2F", Secure: true,
		Addr: netip.MustParseAddr("203.0.113.9"), Peer: netip.MustParseAddr("203.0.113.9"),
	}
	if *info != want {
		t.Errorf("got  %+v\nwant %+v", *info, want)
	}
	if info.URL() != "https://Site.Example.com:8443" || info.Base() != info.URL() {
		t.Errorf("URL %q, Base %q", info.URL(), info.Base())
	}
}

func TestAllowedHosts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		allowed, host string
		want          bool
	}{
		{"", "localhost", true},
		{"", "LOCALHOST.:8000", true},
		{"", "shop.localhost:80", true},
		{"", "127.0.0.1:8000", true},
		{"", "127.8.9.10", true},
		{"", "[::1]:8000", true},
		{"", "[0:0:0:0:0:0:0:1]", true},
		{"", "notlocalhost", false},
		{"", "localhost.evil.example", false},
		{"", "127.0.0.1.evil.example", false}, // DNS rebinding, CVE-2016-9014
		{"", "evil.example", false},
		{"", "128.0.0.1", false},
		{"", "0.0.0.0", false},
		{"", "[::2]", false},
		{"", "[::ffff:127.0.0.1]", false},
		{"site.example", "site.example:8443", true},
		{"site.example", "localhost", false},
		{"site.example", "www.site.example", false},
		{".site.example", "www.site.example", true},
		{".site.example", "evilsite.example", false},
		{"*", "anything.example", true},
	} {
		cfg := origin.Config{}
		if tt.allowed != "" {
			cfg.AllowedHosts = []string{tt.allowed}
		}
		info, err := inspect(t, request{cfg: cfg, target: "https://localhost/", host: tt.host})
		var refused *origin.HostError
		switch {
		case tt.want && (err != nil || info.Host != tt.host):
			t.Errorf("allowed %q, host %q: got %v, want it served", tt.allowed, tt.host, err)
		case !tt.want && (!errors.As(err, &refused) || refused.Host != tt.host):
			t.Errorf("allowed %q, host %q: got %v, want a HostError", tt.allowed, tt.host, err)
		}
	}
}

// TestPoisonedHost (CVE-2011-4139 and its kin): what Host can smuggle in front of a path or into a mail is refused even where
// every host is allowed, and each control that lacks the poison is served.
func TestPoisonedHost(t *testing.T) {
	t.Parallel()
	for poison, control := range map[string]string{
		"user:pw@evil.example":                 "evil.example",
		"site.example@evil.example":            "site.example.evil.example",
		"site.example:80@evil.example":         "site.example:80",
		"www.example:dr.frankenstein@evil.tld": "www.example:80",
		"a_b.example":                          "a-b.example",
		"site.example:":                        "site.example:1",
		"site.example:abc":                     "site.example:123",
		"site example":                         "site-example",
		" site.example":                        "site.example",
		"site.example/evil":                    "site.example",
		`site.example\evil`:                    "site.example",
		"site.example?x":                       "site.example",
		"site.example#x":                       "site.example",
		"site.example,evil.example":            "site.example",
		"site.example\n":                       "site.example",
		"site.example\r\nX-Evil: 1":            "site.example",
		"site.example\x00.evil":                "site.example",
		"exämple.com":                          "xn--exmple-cua.com",
		"::1":                                  "[::1]",
		"[fe80::1%eth0]":                       "[fe80::1]",
		"[::1]evil":                            "[::1]:1",
		"<script>":                             "script",
	} {
		cfg := origin.Config{AllowedHosts: []string{"*"}}
		var refused *origin.HostError
		if _, err := inspect(t, request{cfg: cfg, target: "https://localhost/", host: poison}); !errors.As(err, &refused) {
			t.Errorf("host %q: got %v, want a HostError", poison, err)
		}
		if _, err := inspect(t, request{cfg: cfg, target: "https://localhost/", host: control}); err != nil {
			t.Errorf("host %q: %v, want it served", control, err)
		}
	}
}

func TestPlainHTTPOnlyOnTheLoopback(t *testing.T) {
	t.Parallel()
	open := origin.Config{AllowedHosts: []string{"localhost", "site.example", "[::1]"}}
	insecure := open
	insecure.InsecureHTTP = true
	proxied := open
	proxied.TrustedProxies = prefixes("127.0.0.1/32")
	for _, tt := range []struct {
		name             string
		q                request
		served, loopback bool
	}{
		{"browser on this machine", request{cfg: open, target: "http://localhost:8000/"}, true, true},
		{"the same over IPv6", request{cfg: open, target: "http://[::1]:8000/", peer: "[::1]:5"}, true, true},
		{"IPv4 peer written as IPv6", request{cfg: open, peer: "[::ffff:127.0.0.1]:5"}, true, true},
		{"peer elsewhere", request{cfg: open, peer: "192.0.2.1:1"}, false, false},
		{"host elsewhere", request{cfg: open, target: "http://site.example/"}, false, false},
		{"peer without an address", request{cfg: open, peer: "@"}, false, false},
		{"an undeclared proxy on this machine", request{cfg: open, headers: "X-Forwarded-For: 192.0.2.1"}, false, false},
		{"an undeclared proxy that says https", request{cfg: open, headers: "X-Forwarded-Proto: https"}, false, false},
		{"a declared proxy, visitor elsewhere", request{cfg: proxied, headers: "X-Forwarded-For: 192.0.2.1"}, false, false},
		{"a declared proxy, visitor over https", request{cfg: proxied, target: "http://site.example/", headers: "X-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: https"}, true, false},
		{"a declared proxy, visitor on this machine", request{cfg: proxied, headers: "X-Forwarded-For: 127.0.0.1"}, true, true},
		{"https from elsewhere", request{cfg: open, target: "https://site.example/", peer: "192.0.2.1:1"}, true, false},
		{"plain http by name", request{cfg: insecure, target: "http://site.example/", peer: "192.0.2.1:1"}, true, false},
	} {
		info, err := inspect(t, tt.q)
		var refused *origin.InsecureError
		switch {
		case tt.served && (err != nil || info.Loopback != tt.loopback):
			t.Errorf("%s: got %+v, %v, want it served, loopback %t", tt.name, info, err, tt.loopback)
		case !tt.served && !errors.As(err, &refused):
			t.Errorf("%s: got %v, want an InsecureError", tt.name, err)
		}
	}
}

func TestInsecureErrorNamesTheCures(t *testing.T) {
	t.Parallel()
	text := (&origin.InsecureError{}).Error()
	for _, cure := range []string{"--tls-cert", "--tls-key", "trusted_proxies", "--insecure-http"} {
		if !strings.Contains(text, cure) {
			t.Errorf("the text does not name %s: %s", cure, text)
		}
	}
	if strings.Contains(text, "\n") {
		t.Errorf("the text is not one paragraph: %q", text)
	}
}

func TestDefaultReject(t *testing.T) {
	t.Parallel()
	o, err := origin.New(origin.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		host, body string
		status     int
	}{
		{"evil.example<script>", "allowed hosts", http.StatusBadRequest},
		{"localhost", "--insecure-http", http.StatusForbidden},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		o.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) || strings.Contains(w.Body.String(), "evil") {
			t.Errorf("host %q: got %d %q, want %d with %q and without the host", tt.host, w.Code, w.Body, tt.status, tt.body)
		}
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	mounted := origin.Config{Prefix: "/app/"}
	proxied := origin.Config{Prefix: "/app", UseForwardedPrefix: true, TrustedProxies: prefixes("127.0.0.1/32")}
	for _, tt := range []struct {
		q            request
		path, prefix string
	}{
		{request{target: "http://localhost/x?y#z"}, "/x?y#z", ""},
		{request{target: "http://localhost//evil.example/"}, "//evil.example/", ""},
		{request{cfg: mounted, target: "http://localhost/app/x"}, "/app/x", "/app"}, // the program strips it
		{request{cfg: mounted, target: "http://localhost/app"}, "/app", "/app"},
		{request{cfg: mounted, target: "http://localhost/app?x"}, "/app?x", "/app"},
		{request{cfg: mounted, target: "http://localhost/x"}, "/app/x", "/app"}, // a proxy stripped it
		{request{cfg: mounted, target: "http://localhost/apple"}, "/app/apple", "/app"},
		{request{cfg: proxied, target: "http://localhost/x"}, "/app/x", "/app"},
		{request{cfg: proxied, target: "http://localhost/x", headers: "X-Forwarded-Prefix: /b/c/"}, "/b/c/x", "/b/c"},
		{request{cfg: proxied, target: "http://localhost/b/x", headers: "X-Forwarded-Prefix: /b"}, "/b/b/x", "/b"},
		{request{cfg: proxied, target: "http://localhost/x", headers: "X-Forwarded-Prefix: /"}, "/x", ""},
		{request{cfg: proxied, target: "http://localhost/x", headers: "X-Forwarded-Prefix: //evil.example\nX-Forwarded-Prefix: /b"}, "/b/x", "/b"},
		{request{cfg: mounted, target: "http://localhost/x", headers: "X-Forwarded-Prefix: /b"}, "/app/x", "/app"},
	} {
		info, err := inspect(t, tt.q)
		if err != nil || info.Path != tt.path || info.Prefix != tt.prefix {
			t.Errorf("%+v: got %+v, %v, want path %q, prefix %q", tt.q, info, err, tt.path, tt.prefix)
		}
	}
	for _, bad := range []string{"//evil.example", "evil", "/a\\b", "/../x", "/x?y", "/x y", "/é", "/a//b"} {
		if info, err := inspect(t, request{cfg: proxied, headers: "X-Forwarded-Prefix: " + bad}); err == nil {
			t.Errorf("X-Forwarded-Prefix: %s gives %+v, want it refused", bad, info)
		}
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cfg  origin.Config
		want string
	}{
		{origin.Config{}, "http://localhost:8000"},
		{origin.Config{Prefix: "/app"}, "http://localhost:8000/app"},
		{origin.Config{Prefix: "/app", SiteURL: "https://site.example/"}, "https://site.example"},
		{origin.Config{SiteURL: "https://site.example:8443/app/"}, "https://site.example:8443/app"},
	} {
		info, err := inspect(t, request{cfg: tt.cfg, target: "http://localhost:8000/x"})
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Base(); got != tt.want {
			t.Errorf("%+v: Base = %q, want %q", tt.cfg, got, tt.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	proxies := prefixes("10.0.0.0/8")
	for name, cfg := range map[string]origin.Config{
		"an empty host":            {AllowedHosts: []string{""}},
		"a host with a port":       {AllowedHosts: []string{"site.example:80"}},
		"a host with a scheme":     {AllowedHosts: []string{"https://site.example"}},
		"a star for subdomains":    {AllowedHosts: []string{"*.site.example"}},
		"a host with a dot":        {AllowedHosts: []string{"site.example."}},
		"a host with two dots":     {AllowedHosts: []string{"..site.example"}},
		"a lone dot":               {AllowedHosts: []string{"."}},
		"a bare IPv6 address":      {AllowedHosts: []string{"::1"}},
		"an unencoded host":        {AllowedHosts: []string{"exämple.com"}},
		"a prefix without slash":   {Prefix: "app"},
		"a prefix that is a host":  {Prefix: "//evil.example"},
		"a prefix with a query":    {Prefix: "/a?b"},
		"a site URL without host":  {SiteURL: "https:///x"},
		"a site URL as a host":     {SiteURL: "site.example"},
		"a site URL with a user":   {SiteURL: "https://u@site.example"},
		"a site URL with a query":  {SiteURL: "https://site.example/?x"},
		"a site URL of ftp":        {SiteURL: "ftp://site.example/"},
		"a forwarded host":         {UseForwardedHost: true},
		"a forwarded port":         {UseForwardedPort: true},
		"a forwarded prefix":       {UseForwardedPrefix: true},
		"a scheme from nobody":     {SecureProxyHeader: "X-Forwarded-Proto", SecureProxyValue: "https"},
		"an address from nobody":   {ClientAddressHeader: "X-Real-IP"},
		"a header without a value": {TrustedProxies: proxies, SecureProxyHeader: "X-Forwarded-Proto"},
		"a value without a header": {TrustedProxies: proxies, SecureProxyValue: "https"},
		"a header with underscore": {TrustedProxies: proxies, ClientAddressHeader: "X_Real_IP"},
		"the header Forwarded":     {TrustedProxies: proxies, ClientAddressHeader: "Forwarded"},
		"no prefix":                {TrustedProxies: []netip.Prefix{{}}},
	} {
		if _, err := origin.New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestFromPanicsWithTheCure(t *testing.T) {
	t.Parallel()
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "Origin.Handler") {
			t.Errorf("panic %q does not name the cure", text)
		}
	}()
	origin.From(httptest.NewRequest("GET", "/", nil))
}

// TestOverTheWire sends what net/http's client never would.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	o, err := origin.New(origin.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(o.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := origin.From(r)
		_, _ = io.WriteString(w, info.URL()+" "+info.Path+" "+info.Port)
	})))
	t.Cleanup(server.Close)
	addr := server.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	for _, tt := range []struct{ request, want string }{
		{"GET /x HTTP/1.1\r\nHost: localhost", "200 http://localhost /x " + port},
		{"GET http://127.0.0.1/x?y HTTP/1.1\r\nHost: evil.example", "200 http://127.0.0.1 /x?y " + port},
		{"GET http://127.0.0.1 HTTP/1.1\r\nHost: 127.0.0.1", "200 http://127.0.0.1 / " + port},
		{"GET http://evil.example/ HTTP/1.1\r\nHost: localhost", "400"},
		{"GET http://u:p@localhost/ HTTP/1.1\r\nHost: localhost", "400"},
		{"GET / HTTP/1.1\r\nHost: user:pw@evil.example", "400"},
		{"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example", "400"},
		{"GET / HTTP/1.1\r\nHost:", "200 http://" + addr + " / " + port},
		{"GET /x HTTP/1.0", "200 http://" + addr + " /x " + port},
		{"OPTIONS * HTTP/1.1\r\nHost: localhost", "200"},
		{"GET //evil.example/ HTTP/1.1\r\nHost: localhost", "200 http://localhost //evil.example/ " + port},
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = io.WriteString(conn, tt.request+"\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%q: %v", tt.request, err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = conn.Close()
		if got := resp.Status[:3] + " " + string(body); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.request, got, tt.want)
		}
	}
}

// TestHostBesideAuthority: over HTTP/2 both may be sent, and what is between the visitor and us may look at either.
func TestHostBesideAuthority(t *testing.T) {
	t.Parallel()
	q := request{target: "https://localhost/", headers: "Host: shop.localhost"}
	var refused *origin.HostError
	if _, err := inspect(t, q); !errors.As(err, &refused) {
		t.Errorf("another Host: got %v, want a HostError", err)
	}
	q.headers = "Host: localhost"
	if _, err := inspect(t, q); err != nil {
		t.Errorf("the same Host: %v, want it served", err)
	}
}

func TestHTTP2Authority(t *testing.T) {
	t.Parallel()
	o, err := origin.New(origin.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(o.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto+" "+origin.From(r).URL())
	})))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	for authority, want := range map[string]string{
		"shop.localhost": "200 HTTP/2.0 https://shop.localhost",
		"evil.example":   "400 ",
		"local_host":     "400 ",
	} {
		r, err := http.NewRequest("GET", server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = authority
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Errorf("%s: %v", authority, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if got := resp.Status[:3] + " " + string(body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", authority, got, want)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cfg        origin.Config
		forwarded  string
		want, addr string
	}{
		{origin.Config{TrustUnixSocket: true, AllowedHosts: []string{"site.example"}}, "192.0.2.7", "https", "192.0.2.7"},
		{origin.Config{AllowedHosts: []string{"site.example"}}, "192.0.2.7", "refused", ""},
		{origin.Config{AllowedHosts: []string{"site.example"}, TrustedProxies: prefixes("0.0.0.0/0", "::/0")}, "192.0.2.7", "refused", ""},
		{origin.Config{AllowedHosts: []string{"site.example"}, InsecureHTTP: true}, "192.0.2.7", "http", "invalid IP"},
	} {
		socket := filepath.Join(t.TempDir(), "s")
		listener, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		o, err := origin.New(tt.cfg)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewUnstartedServer(o.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, origin.From(r).Scheme+" "+origin.From(r).Addr.String())
		})))
		_ = server.Listener.Close()
		server.Listener = listener
		server.Start()
		client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}}}
		r, _ := http.NewRequest("GET", "http://site.example/", nil)
		r.Header.Set("X-Forwarded-For", tt.forwarded)
		r.Header.Set("X-Forwarded-Proto", "https")
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		client.CloseIdleConnections()
		server.Close()
		if tt.want == "refused" {
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("%+v: got %s, want 403", tt.cfg, resp.Status)
			}
		} else if want := tt.want + " " + tt.addr; string(body) != want {
			t.Errorf("%+v: got %q, want %q", tt.cfg, body, want)
		}
	}
}
