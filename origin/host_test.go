package origin_test

import (
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/origin"
)

func TestSplitDomainPort(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ host, domain, port string }{
		{"Example.COM:80", "example.com", "80"},
		{"example.com.", "example.com", ""},
		{"example.com..", "example.com.", ""},
		{".", "", ""},
		{"[::1]:8000", "[::1]", "8000"},
		{"[2001:DB8::1]", "[2001:db8::1]", ""},
		{"[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]", ""},
		{"[::]", "[::]", ""},
		{"[:]", "", ""},
		{"[1]", "", ""},
		{"[1.2:3]", "", ""},
		{"[::1]x", "", ""},
		{"[::1", "", ""},
		{"[::1]:", "", ""},
		{"::1", "", ""},
		{":80", "", ""},
		{"a:b:80", "", ""},
		{"a:8a", "", ""},
		{"a:-1", "", ""},
		{"a:٣", "", ""},                     // a digit, but not an ASCII one
		{"\u212a.example", "k.example", ""}, // the Kelvin sign in lower case is k, also for Django
		{"İ.example", "", ""},
		{"a\x00.example", "", ""},
		{"a%2eexample", "", ""},
	} {
		domain, port := origin.SplitDomainPort(tt.host)
		if domain != tt.domain || port != tt.port {
			t.Errorf("SplitDomainPort(%q) = %q, %q, want %q, %q", tt.host, domain, port, tt.domain, tt.port)
		}
	}
}

func TestHostAllowed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		host, patterns string
		want           bool
	}{
		{"example.com", ".example.com", true},
		{"a.b.example.com:1", ".example.com", true},
		{"notexample.com", ".example.com", false},
		{"example.com", ".EXAMPLE.com", true},
		{"a.example.com", "example.com", false},
		{"[::1]:80", "[::1]", true},
		{"anything.example", "*", true},
		{"any_thing.example", "*", false},
	} {
		if got := origin.HostAllowed(tt.host, []string{"other.example", tt.patterns}); got != tt.want {
			t.Errorf("HostAllowed(%q, %q) = %t, want %t", tt.host, tt.patterns, got, tt.want)
		}
	}
	if origin.HostAllowed("localhost", nil) {
		t.Error("HostAllowed without patterns allows a host")
	}
}

func FuzzSplitDomainPort(f *testing.F) {
	for _, s := range []string{"example.com", "a:80", "[::1]:80", "user:pw@evil", "a_b", "a:", "[fe80::1%eth0]", "\u212a", "a\n", "[1.2:3]"} {
		f.Add(s)
	}
	const hex = "0123456789abcdef"
	f.Fuzz(func(t *testing.T, host string) {
		testhang.Watch(t)
		domain, port := origin.SplitDomainPort(host)
		if domain == "" {
			if port != "" && host[0] != '.' {
				t.Fatalf("%q: a port %q without a domain", host, port)
			}
			return
		}
		rest := domain
		if literal, ok := strings.CutPrefix(domain, "["); ok {
			literal, ok = strings.CutSuffix(literal, "]")
			if !ok || !strings.Contains(literal, ":") || strings.Trim(literal, hex+":.") != "" {
				t.Fatalf("%q: address %q", host, domain)
			}
		} else if strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
			t.Fatalf("%q: domain %q", host, domain)
		}
		if strings.Trim(port, "0123456789") != "" {
			t.Fatalf("%q: port %q", host, port)
		}
		whole := domain
		if port != "" {
			whole += ":" + port
		}
		if d, p := origin.SplitDomainPort(whole); p != port || d != domain && d+"." != domain {
			t.Fatalf("%q: split again %q gives %q, %q", host, whole, d, p)
		}
		if !origin.HostAllowed(host, []string{"*"}) {
			t.Fatalf("%q has a domain and is not allowed by *", host)
		}
	})
}
