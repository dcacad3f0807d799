package origin_test

import (
	"strings"
	"testing"

	"github.com/cardea-go/cardea/origin"
)

func TestScheme(t *testing.T) {
	t.Parallel()
	cfg := origin.Config{InsecureHTTP: true, TrustedProxies: prefixes("10.0.0.0/8", "2001:db8::/32")}
	custom := cfg
	custom.SecureProxyHeader, custom.SecureProxyValue = "HTTP_FRONT_END_HTTPS", "on"
	for _, tt := range []struct {
		name, peer, target, headers string
		cfg                         origin.Config
		want                        string
	}{
		{"absent, plain", "10.0.0.1:1", "http://localhost/", "", cfg, "http"},
		{"absent, TLS", "10.0.0.1:1", "https://localhost/", "", cfg, "https"},
		{"https", "10.0.0.1:1", "http://localhost/", "X-Forwarded-Proto: https", cfg, "https"},
		{"https from an IPv6 proxy", "[2001:db8::1]:1", "http://localhost/", "X-Forwarded-Proto: https", cfg, "https"},
		{"https from an IPv4 proxy written as IPv6", "[::ffff:10.0.0.1]:1", "http://localhost/", "X-Forwarded-Proto: https", cfg, "https"},
		{"present and different", "10.0.0.1:1", "https://localhost/", "X-Forwarded-Proto: http", cfg, "http"}, // CVE-2019-12781
		{"present and empty", "10.0.0.1:1", "https://localhost/", "X-Forwarded-Proto: ", cfg, "http"},
		{"other case", "10.0.0.1:1", "http://localhost/", "X-Forwarded-Proto: HTTPS", cfg, "http"},
		{"before the first comma", "10.0.0.1:1", "http://localhost/", "X-Forwarded-Proto:  https , http", cfg, "https"},
		{"not after it", "10.0.0.1:1", "http://localhost/", "X-Forwarded-Proto: http, https", cfg, "http"},
		{"the last line, the nearest proxy's", "10.0.0.1:1", "http://localhost/", "X-Forwarded-Proto: https\nX-Forwarded-Proto: http", cfg, "http"},
		{"from anybody", "11.0.0.1:1", "http://localhost/", "X-Forwarded-Proto: https", cfg, "http"},
		{"from anybody over TLS", "11.0.0.1:1", "https://localhost/", "X-Forwarded-Proto: http", cfg, "https"},
		{"with underscores", "10.0.0.1:1", "http://localhost/", "X_Forwarded_Proto: https", cfg, "http"}, // CVE-2026-3902
		{"custom", "10.0.0.1:1", "http://localhost/", "Front-End-Https: on\nX-Forwarded-Proto: http", custom, "https"},
		{"custom, absent", "10.0.0.1:1", "http://localhost/", "X-Forwarded-Proto: https", custom, "http"},
	} {
		info, err := inspect(t, request{cfg: tt.cfg, peer: tt.peer, target: tt.target, headers: tt.headers})
		if err != nil || info.Scheme != tt.want || info.Secure != (tt.want == "https") {
			t.Errorf("%s: got %+v, %v, want %s", tt.name, info, err, tt.want)
		}
	}
}

func TestForwardedHostAndPort(t *testing.T) {
	t.Parallel()
	cfg := origin.Config{
		AllowedHosts: []string{"inner.example", "site.example"}, TrustedProxies: prefixes("10.0.0.1/32"),
		UseForwardedHost: true, UseForwardedPort: true, InsecureHTTP: true,
	}
	off := cfg
	off.UseForwardedHost, off.UseForwardedPort = false, false
	for _, tt := range []struct {
		name, peer, headers string
		cfg                 origin.Config
		host, port          string // no host: refused
	}{
		{"none", "10.0.0.1:1", "", cfg, "inner.example", ""},
		{"both", "10.0.0.1:1", "X-Forwarded-Host: site.example:8443\nX-Forwarded-Port: 8443", cfg, "site.example:8443", "8443"},
		{"from anybody", "10.0.0.2:1", "X-Forwarded-Host: site.example\nX-Forwarded-Port: 8443", cfg, "inner.example", ""},
		{"not asked for", "10.0.0.1:1", "X-Forwarded-Host: site.example\nX-Forwarded-Port: 8443", off, "inner.example", ""},
		{"with underscores", "10.0.0.1:1", "X_Forwarded_Host: site.example", cfg, "inner.example", ""},
		{"the nearest proxy's", "10.0.0.1:1", "X-Forwarded-Host: evil.example\nX-Forwarded-Host: evil.example, evil.example, site.example", cfg, "site.example", ""},
		{"poisoned", "10.0.0.1:1", "X-Forwarded-Host: user:pw@site.example", cfg, "", ""},
		{"not allowed", "10.0.0.1:1", "X-Forwarded-Host: evil.example", cfg, "", ""},
		{"empty", "10.0.0.1:1", "X-Forwarded-Host: ", cfg, "", ""},
		{"not a port", "10.0.0.1:1", "X-Forwarded-Port: 80@evil", cfg, "inner.example", ""},
	} {
		info, err := inspect(t, request{cfg: tt.cfg, peer: tt.peer, target: "http://inner.example/", headers: tt.headers})
		switch {
		case tt.host == "" && err == nil:
			t.Errorf("%s: got %+v, want it refused", tt.name, info)
		case tt.host != "" && (err != nil || info.Host != tt.host || info.Port != tt.port):
			t.Errorf("%s: got %+v, %v, want host %q, port %q", tt.name, info, err, tt.host, tt.port)
		}
	}
}

// TestForwardedForCannotEscapeLimits (M22): limits count by Info.Addr, so a visitor must not be able to choose it.
func TestForwardedForCannotEscapeLimits(t *testing.T) {
	t.Parallel()
	direct := origin.Config{InsecureHTTP: true}
	proxied := origin.Config{InsecureHTTP: true, TrustedProxies: prefixes("10.0.0.0/8", "::ffff:192.168.0.0/112", "2001:db8::/32")}
	realIP := proxied
	realIP.ClientAddressHeader = "HTTP_X_REAL_IP"
	const visitor = "203.0.113.9"
	for _, tt := range []struct {
		name    string
		cfg     origin.Config
		peer    string
		headers string
		want    string
	}{
		{"no proxy declared", direct, visitor + ":1", "X-Forwarded-For: 1.2.3.4", visitor},
		{"no proxy declared, other headers", direct, visitor + ":1", "X-Real-Ip: 1.2.3.4\nForwarded: for=1.2.3.4", visitor},
		{"not through the proxy", proxied, visitor + ":1", "X-Forwarded-For: 1.2.3.4", visitor},
		{"through the proxy", proxied, "10.0.0.1:1", "X-Forwarded-For: " + visitor, visitor},
		{"the proxy adds to what the visitor sent", proxied, "10.0.0.1:1", "X-Forwarded-For: 1.2.3.4, " + visitor, visitor},
		{"the proxy adds a line", proxied, "10.0.0.1:1", "X-Forwarded-For: 1.2.3.4\nX-Forwarded-For: " + visitor, visitor},
		{"a trusted address invented", proxied, "10.0.0.1:1", "X-Forwarded-For: 1.2.3.4, 10.9.9.9, " + visitor, visitor},
		{"garbage invented", proxied, "10.0.0.1:1", "X-Forwarded-For: unknown, " + visitor, visitor},
		{"two proxies", proxied, "10.0.0.1:1", "X-Forwarded-For: 1.2.3.4, " + visitor + ", 10.0.0.2, 192.168.0.7", visitor},
		{"two proxies over two lines", proxied, "10.0.0.1:1", "X-Forwarded-For: " + visitor + "\nX-Forwarded-For: 10.0.0.2", visitor},
		{"with underscores", proxied, "10.0.0.1:1", "X_Forwarded_For: 1.2.3.4\nX-Forwarded-For: " + visitor, visitor},
		{"the other header", proxied, "10.0.0.1:1", "X-Real-Ip: 1.2.3.4\nX-Forwarded-For: " + visitor, visitor},
		{"the configured header", realIP, "10.0.0.1:1", "X-Forwarded-For: 1.2.3.4\nX-Real-Ip: " + visitor, visitor},
		{"with a port", proxied, "10.0.0.1:1", "X-Forwarded-For: " + visitor + ":4711", visitor},
		{"IPv4 written as IPv6", proxied, "[::ffff:10.0.0.1]:1", "X-Forwarded-For: ::ffff:" + visitor, visitor},
		{"empty elements", proxied, "10.0.0.1:1", "X-Forwarded-For: " + visitor + " , ,", visitor},
		{"IPv6", proxied, "[2001:db8::1]:1", "X-Forwarded-For: 2001:DB9::7", "2001:db9::7"},
		{"IPv6 with a port", proxied, "10.0.0.1:1", "X-Forwarded-For: [2001:db9::7]:80", "2001:db9::7"},
		{"IPv6 in brackets", proxied, "10.0.0.1:1", "X-Forwarded-For: [2001:db9::7]", "2001:db9::7"},
		{"IPv6 with an interface", proxied, "[fe80::1%eth0]:1", "", "fe80::1"},
		{"garbage from the proxy", proxied, "10.0.0.1:1", "X-Forwarded-For: " + visitor + ", unknown", "10.0.0.1"},
		{"garbage behind a proxy", proxied, "10.0.0.1:1", "X-Forwarded-For: " + visitor + ", unknown, 10.0.0.2", "10.0.0.1"},
		{"nothing from the proxy", proxied, "10.0.0.1:1", "", "10.0.0.1"},
		{"only proxies", proxied, "10.0.0.1:1", "X-Forwarded-For: 10.0.0.3, 10.0.0.2", "10.0.0.3"},
		{"a long list", proxied, "10.0.0.1:1", "X-Forwarded-For: " + strings.Repeat("1.2.3.4,", 50000) + visitor, visitor},
	} {
		info, err := inspect(t, request{cfg: tt.cfg, peer: tt.peer, headers: tt.headers})
		if err != nil || info.Addr.String() != tt.want {
			t.Errorf("%s: got %+v, %v, want %s", tt.name, info, err, tt.want)
		}
	}
}
