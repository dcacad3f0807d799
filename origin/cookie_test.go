package origin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/origin"
)

// visit hands f a request as it arrives behind the middleware, from this machine, over HTTPS or not.
func visit(t *testing.T, https bool, cookies []string, f func(r *http.Request)) {
	t.Helper()
	o, err := origin.New(origin.Config{})
	if err != nil {
		t.Fatal(err)
	}
	target := "http://localhost/"
	if https {
		target = "https://localhost/"
	}
	r := httptest.NewRequest("GET", target, nil)
	r.RemoteAddr = "127.0.0.1:1"
	r.Header["Cookie"] = cookies
	ran := false
	o.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ran = true; f(r) })).ServeHTTP(httptest.NewRecorder(), r)
	if !ran {
		t.Fatal("the request was refused")
	}
}

var noon = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestCookieSet(t *testing.T) {
	t.Parallel()
	const expires = "expires=Fri, 16 Jan 2026 03:04:05 GMT"
	age := origin.Life{MaxAge: 14 * 24 * time.Hour, Now: noon}
	for _, tt := range []struct {
		name   string
		policy origin.CookiePolicy
		https  bool
		value  string
		life   origin.Life
		want   string
	}{
		{"django", origin.CookiePolicy{Name: "sessionid", Plain: true}, false, "k", age, "sessionid=k; " + expires + "; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax"},
		{"django, everything", origin.CookiePolicy{Name: "csrftoken", Plain: true, Domain: "a.example", Path: "/app/", Secure: true, ScriptReadable: true, SameSite: "None"}, false, "k", age, "csrftoken=k; Domain=a.example; " + expires + "; Max-Age=1209600; Path=/app/; SameSite=None; Secure"},
		{"django over https is secure only if configured", origin.CookiePolicy{Name: "sessionid", Plain: true}, true, "k", age, "sessionid=k; " + expires + "; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax"},
		{"until the browser closes", origin.CookiePolicy{Name: "sessionid", Plain: true}, false, "k", origin.Life{}, "sessionid=k; HttpOnly; Path=/; SameSite=Lax"},
		{"no samesite", origin.CookiePolicy{Name: "sessionid", Plain: true, SameSite: "omit"}, false, "k", origin.Life{}, "sessionid=k; HttpOnly; Path=/"},
		{"quoted value", origin.CookiePolicy{Name: "messages", Plain: true}, false, "a;b\r\nX: y", origin.Life{}, `messages="a\073b\015\012X: y"; HttpOnly; Path=/; SameSite=Lax`},
		{"default over https", origin.CookiePolicy{Name: "sessionid"}, true, "k", origin.Life{}, "__Host-sessionid=k; HttpOnly; Path=/; SameSite=Lax; Secure"},
		{"default over http", origin.CookiePolicy{Name: "sessionid", Secure: true}, false, "k", origin.Life{}, "cardea_sessionid=k; HttpOnly; Path=/; SameSite=Lax"},
		{"default with a domain", origin.CookiePolicy{Name: "sessionid", Domain: "a.example"}, true, "k", origin.Life{}, "__Secure-sessionid=k; Domain=a.example; HttpOnly; Path=/; SameSite=Lax; Secure"},
		{"default with a path", origin.CookiePolicy{Name: "sessionid", Path: "/app"}, true, "k", origin.Life{}, "__Secure-sessionid=k; HttpOnly; Path=/app; SameSite=Lax; Secure"},
		{"default with the path /", origin.CookiePolicy{Name: "sessionid", Path: "/"}, true, "k", origin.Life{}, "__Host-sessionid=k; HttpOnly; Path=/; SameSite=Lax; Secure"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := tt.policy.Validate(); err != nil {
				t.Fatal(err)
			}
			visit(t, tt.https, nil, func(r *http.Request) {
				h := http.Header{}
				tt.policy.Set(h, r, tt.value, tt.life)
				if got := strings.Join(h["Set-Cookie"], "|"); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
				name, secure := tt.policy.Resolve(origin.From(r))
				if !strings.HasPrefix(tt.want, name+"=") || secure != strings.HasSuffix(tt.want, "; Secure") {
					t.Errorf("Resolve = %q, %t, not as in %s", name, secure, tt.want)
				}
			})
		})
	}
}

func TestCookieDelete(t *testing.T) {
	t.Parallel()
	const gone = `=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=`
	for _, tt := range []struct {
		name   string
		policy origin.CookiePolicy
		https  bool
		want   string
	}{
		{"django", origin.CookiePolicy{Name: "sessionid", Plain: true}, true, "sessionid" + gone + "Lax"},
		{"django does not repeat Secure", origin.CookiePolicy{Name: "sessionid", Plain: true, Secure: true}, true, "sessionid" + gone + "Lax"},
		{"django with SameSite=None", origin.CookiePolicy{Name: "sessionid", Plain: true, SameSite: "None"}, true, "sessionid" + gone + "None; Secure"},
		{"django with a prefix of its own", origin.CookiePolicy{Name: "__Secure-sessionid", Plain: true}, true, "__Secure-sessionid" + gone + "Lax; Secure"},
		{"default over https", origin.CookiePolicy{Name: "sessionid"}, true, "__Host-sessionid" + gone + "Lax; Secure"},
		{"default over http", origin.CookiePolicy{Name: "sessionid"}, false, "cardea_sessionid" + gone + "Lax"},
		{"default with a domain", origin.CookiePolicy{Name: "sessionid", Domain: "a.example", Path: "/app", SameSite: "Strict"}, true, `__Secure-sessionid=""; Domain=a.example; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/app; SameSite=Strict; Secure`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			visit(t, tt.https, nil, func(r *http.Request) {
				h := http.Header{}
				tt.policy.Delete(h, r)
				if got := strings.Join(h["Set-Cookie"], "|"); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

func TestCookieSetReplacesItsOwn(t *testing.T) {
	t.Parallel()
	p := origin.CookiePolicy{Name: "sessionid", Plain: true, SameSite: "omit"}
	r := httptest.NewRequest("GET", "/", nil)
	h := http.Header{"Set-Cookie": {"sessionid2=a", "sessionid=old", "x=sessionid=y", "Sessionid=b"}}
	p.Set(h, r, "new", origin.Life{})
	p.Delete(h, r)
	p.Set(h, r, "newer", origin.Life{})
	want := "sessionid2=a|x=sessionid=y|Sessionid=b|sessionid=newer; HttpOnly; Path=/"
	if got := strings.Join(h["Set-Cookie"], "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCookieRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		headers []string
		want    string
		ok      bool
	}{
		{nil, "", false},
		{[]string{""}, "", false},
		{[]string{"sessionid=k"}, "k", true},
		{[]string{"a=b; sessionid=k; c=d"}, "k", true},
		{[]string{"sessionid=first; sessionid=last"}, "last", true}, // net/http would answer the first
		{[]string{"sessionid=first; sessionid="}, "", true},
		{[]string{"sessionid=first", "sessionid=last; a=b"}, "last", true},
		{[]string{"sessionid=first", "a=b"}, "first", true},
		{[]string{"a=b,sessionid=k"}, "", false}, // CVE-2016-7401: no lenient commas
		{[]string{"a=b; Sessionid=k"}, "", false},
		{[]string{"xsessionid=k"}, "", false},
		{[]string{"sessionid"}, "", false},
		{[]string{"\t\u00a0sessionid \x1f=\u3000k "}, "k", true}, // what Python takes for blanks
		{[]string{`sessionid="a\073\"b\351"`}, `a;"bé`, true},
		{[]string{`sessionid="`}, `"`, true},
		{[]string{`sessionid="a`}, `"a`, true},
		{[]string{"sessionid=a=b"}, "a=b", true},
		{[]string{"sessionid=\xffk\xe2\x82"}, "\ufffdk\ufffd", true},
	} {
		p := origin.CookiePolicy{Name: "sessionid", Plain: true}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = tt.headers
		if got, ok := p.Read(r); got != tt.want || ok != tt.ok {
			t.Errorf("%q: got %q, %t, want %q, %t", tt.headers, got, ok, tt.want, tt.ok)
		}
	}
}

// TestCookieReadDefault: a cookie that anybody can plant, without the prefix, is not taken for the one with it.
func TestCookieReadDefault(t *testing.T) {
	t.Parallel()
	p := origin.CookiePolicy{Name: "sessionid"}
	all := []string{"__Host-sessionid=host; __Secure-sessionid=secure; cardea_sessionid=plain; sessionid=django"}
	visit(t, true, all, func(r *http.Request) {
		if got, ok := p.Read(r); got != "host" || !ok {
			t.Errorf("over https: got %q, %t, want host", got, ok)
		}
	})
	visit(t, false, all, func(r *http.Request) {
		if got, ok := p.Read(r); got != "plain" || !ok {
			t.Errorf("over http: got %q, %t, want plain", got, ok)
		}
	})
	visit(t, true, []string{"cardea_sessionid=plain; sessionid=django"}, func(r *http.Request) {
		if got, ok := p.Read(r); ok {
			t.Errorf("over https without the prefix: got %q, want none", got)
		}
	})
}

func TestDecodeCookieValue(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`a\054b`: `a\054b`, `"a\054b"`: "a,b", `"\400\18"`: "40018", `"\377\000"`: "ÿ\x00", `"\\054"`: `\054`, `"\é"`: "é",
		"\"\\\n\"": "\\\n", `"a\"`: `a\`, `""`: "", `"`: `"`, "": "",
	} {
		if got := origin.DecodeCookieValue(in); got != want {
			t.Errorf("DecodeCookieValue(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCookieValidate(t *testing.T) {
	t.Parallel()
	for _, p := range []origin.CookiePolicy{
		{},
		{Name: "a b"},
		{Name: "a;"},
		{Name: "é"},
		{Name: "a", Path: "app"},
		{Name: "a", Path: "/a;b"},
		{Name: "a", Path: "/a\r\nb"},
		{Name: "a", Domain: "a.example; Secure"},
		{Name: "a", Domain: "a.example:80"},
		{Name: "a", SameSite: "lax"},
		{Name: "__Host-a", Plain: true, Domain: "a.example"},
	} {
		if p.Validate() == nil {
			t.Errorf("%+v is accepted", p)
		}
	}
	for _, p := range []origin.CookiePolicy{{Name: "a"}, {Name: "__Host-a", Plain: true}, {Name: "a", Domain: ".a.example", Path: "/x/", SameSite: "omit"}} {
		if err := p.Validate(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func TestCookieReadAllocatesNothing(t *testing.T) {
	p := origin.CookiePolicy{Name: "sessionid"}
	visit(t, true, []string{"a=b; __Host-sessionid=abcdefghijklmnop; csrftoken=x; theme=dark"}, func(r *http.Request) {
		if n := testing.AllocsPerRun(100, func() {
			if v, ok := p.Read(r); !ok || len(v) != 16 {
				t.Fatal("not found")
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// FuzzCookieHeader holds the scan for one name to the parser of all, and encoding to decoding.
func FuzzCookieHeader(f *testing.F) {
	for _, s := range []string{"a=b; c=d", `a="\"\073\x\\"; a=`, "=x; a", "a;a=1;a=\"", "a=\xff\xe2\x82;\u3000a\u00a0=\x1f1", "a=\"\\\n\""} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, header, value string) {
		testhang.Watch(t)
		all := origin.ParseCookieHeader(header)
		for _, name := range []string{"a", "c", "sessionid"} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["Cookie"] = []string{header}
			p := origin.CookiePolicy{Name: name, Plain: true}
			got, ok := p.Read(r)
			if want, there := all[name]; got != want || ok != there {
				t.Fatalf("%q: Read(%s) = %q, %t, the parser has %q, %t", header, name, got, ok, want, there)
			}
		}
		encoded := origin.EncodeCookieValue(value)
		if strings.ContainsAny(encoded, ";,\r\n\x00\x7f") {
			t.Fatalf("%q encodes to %q", value, encoded)
		}
		if want := strings.ToValidUTF8(value, "\ufffd"); origin.DecodeCookieValue(encoded) != want && value == want {
			t.Fatalf("%q encodes to %q, which decodes to %q", value, encoded, origin.DecodeCookieValue(encoded))
		}
	})
}
