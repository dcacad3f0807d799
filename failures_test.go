package cardea_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/password"
)

// TestM08PasswordsLongerThan72Bytes: what is beyond the 72 bytes that bcrypt looks at counts, and such a password costs the same
// whoever it is tried at.
func TestM08PasswordsLongerThan72Bytes(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			hashing := password.Config{Hashers: []password.Hasher{password.BCryptSHA256(4)}, EqualWork: profile == cardea.Default}
			g := newHashingRig(t, hashing, func(cfg *cardea.Config) { cfg.Profile = profile })
			long := strings.Repeat("p", 72)
			encoded, err := g.site.Hashers.Make(t.Context(), long+"right")
			if err != nil {
				t.Fatal(err)
			}
			g.makeUser("bea", encoded, false)
			for _, tt := range []struct {
				typed string
				in    bool
			}{{long + "wrong", false}, {long, false}, {long + "r", false}, {long + "right!", false}, {long + "right", true}} {
				p := g.person()
				if a := p.logIn("bea", tt.typed); a.redirects() != tt.in || p.isIn() != tt.in {
					t.Errorf("the password with %q after 72 bytes: status %d, want it to be right: %v", tt.typed[72:], a.status, tt.in)
				}
			}
			known, unknown := g.cost("bea", long+"x"), g.cost("nobody", long+"x")
			if len(known.runs) != 1 || !reflect.DeepEqual(known, unknown) {
				t.Errorf("73 bytes cost %v for a known user, %v for an unknown one", known, unknown)
			}
		})
	}
}

// A cost is what one try to log in took.
type cost struct {
	runs       []password.Work
	statements int64
}

// cost measures a try that is refused: the second one, since the first makes the row that counts the account's tries.
func (g *rig) cost(username, plain string) cost {
	g.t.Helper()
	p := g.person()
	p.logIn(username, plain)
	g.work.take()
	before := g.statements.Load()
	if a := p.logIn(username, plain); a.status != http.StatusOK {
		g.t.Fatalf("a try at %.20q with a wrong password: status %d", username, a.status)
	}
	return cost{g.work.take(), g.statements.Load() - before}
}

// TestM09EveryRefusalCostsTheSame: nobody learns from the work of a refusal whether an account is there, may log in or has a
// password; nor from the page.
func TestM09EveryRefusalCostsTheSame(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			hashing := password.Config{
				Hashers:   []password.Hasher{password.PBKDF2SHA256(40), password.BCryptSHA256(4)},
				EqualWork: profile == cardea.Default,
				Speed:     func(w password.Work) time.Duration { return time.Duration(w.Units) * time.Microsecond },
			}
			g := newHashingRig(t, hashing, func(cfg *cardea.Config) { cfg.Profile = profile })
			encoded, err := g.site.Hashers.Make(t.Context(), "engine")
			if err != nil {
				t.Fatal(err)
			}
			older, err := password.PBKDF2SHA256(10).Encode("engine", password.NewSalt())
			if err != nil {
				t.Fatal(err)
			}
			g.makeUser("inactive", encoded, true)
			g.makeUser("unusable", password.Unusable(), false)
			g.makeUser("empty", "", false)
			g.makeUser("garbled", "pbkdf2_sha256$x", false)
			g.makeUser("foreign", "crypt$$x", false)
			g.makeUser("older", older, false)
			want := g.cost("ada", "wrong")
			if len(want.runs) == 0 || want.runs[0].Kind != "pbkdf2_sha256" || want.runs[0].Units != 40 || want.statements == 0 {
				t.Fatalf("control: a wrong password costs %+v", want)
			}
			for _, name := range []string{"nobody", "inactive", "unusable", "empty", "garbled", "foreign", "older"} {
				got := g.cost(name, "wrong")
				if units(got) != units(want) || got.statements != want.statements {
					t.Errorf("%s costs %+v, a wrong password %+v", name, got, want)
				}
			}
			if got := g.cost("inactive", "engine"); units(got) != units(want) || got.statements != want.statements {
				t.Errorf("the right password of an account that may not log in costs %+v, a wrong one %+v", got, want)
			}
			if got := g.cost("unusable", "!"); units(got) != units(want) {
				t.Errorf("\"!\" at an account without a password costs %+v, a wrong password %+v", got, want)
			}
		})
	}
}

// units is the work of PBKDF2, in which all of these tests' hashing but that of bcrypt is done, and of bcrypt.
func units(c cost) string {
	sums := map[string]int64{}
	for _, w := range c.runs {
		sums[w.Kind] += w.Units
	}
	return fmt.Sprint(sums)
}

// TestM35LongFields: a megabyte in a field is answered with no more work than a word in it, and more than the limit is refused
// without being looked at.
func TestM35LongFields(t *testing.T) { // not parallel: it counts what the process allocates
	g := newRig(t, nil)
	want := g.cost("nobody", "wrong")
	mega := strings.Repeat("a", 1<<20)
	for _, tt := range []struct {
		name   string
		form   url.Values
		status int
		hashes int
	}{
		{"control", url.Values{"username": {"ada"}, "password": {"correct horse"}}, http.StatusSeeOther, 1},
		{"user name", url.Values{"username": {mega}, "password": {"x"}}, http.StatusOK, 1},
		{"user name of characters that normalise to many", url.Values{"username": {strings.Repeat("\ufdfa", 1<<18)}, "password": {"x"}}, http.StatusOK, 1},
		{"user name of blanks", url.Values{"username": {strings.Repeat(" ", 1<<20)}, "password": {"x"}}, http.StatusOK, 0},
		{"password", url.Values{"username": {"ada"}, "password": {mega}}, http.StatusOK, 1},
		{"next", url.Values{"username": {"ada"}, "password": {"correct horse"}, "next": {"/" + mega}}, http.StatusSeeOther, 1},
		{"a field that nobody knows", url.Values{"username": {"ada"}, "password": {"correct horse"}, "x": {mega}}, http.StatusSeeOther, 1},
		{"the name of a field", url.Values{"username": {"ada"}, "password": {"correct horse"}, mega: {"x"}}, http.StatusSeeOther, 1},
		{"three megabytes", url.Values{"username": {"ada"}, "password": {strings.Repeat("a", 3<<20)}}, http.StatusRequestEntityTooLarge, 0},
		{"a token", url.Values{"username": {"ada"}, "password": {"correct horse"}, "csrfmiddlewaretoken": {mega}}, http.StatusForbidden, 0},
		{"too many fields", manyFields(2000), http.StatusBadRequest, 0},
	} {
		p := g.person()
		p.get("/accounts/login/")
		g.clock.step(30 * time.Minute)
		g.work.take()
		statements, logged, allocated := g.statements.Load(), len(g.logs.String()), allocatedBytes()
		a := p.post("/accounts/login/", tt.form)
		runs := g.work.take()
		if a.status != tt.status || len(runs) != tt.hashes {
			t.Errorf("%s: status %d after %d hashes, want %d after %d", tt.name, a.status, len(runs), tt.status, tt.hashes)
		}
		for _, run := range runs {
			if run != want.runs[0] {
				t.Errorf("%s: cost %+v, a word costs %+v", tt.name, run, want.runs[0])
			}
		}
		if n := g.statements.Load() - statements; tt.status != http.StatusSeeOther && n > want.statements+1 { // the row of a first try
			t.Errorf("%s: %d statements, a word takes %d", tt.name, n, want.statements)
		}
		if n := allocatedBytes() - allocated; n > 64<<20 {
			t.Errorf("%s: %d MiB of memory", tt.name, n>>20)
		}
		if n := len(g.logs.String()) - logged; n > 2000 {
			t.Errorf("%s: %d bytes in the log", tt.name, n)
		}
		if location := a.header.Get("Location"); len(location) > 100 {
			t.Errorf("%s: Location of %d bytes", tt.name, len(location))
		}
	}
}

func manyFields(n int) url.Values {
	form := url.Values{"username": {"ada"}, "password": {"correct horse"}}
	for i := range n {
		form.Set(fmt.Sprint("field", i), "x")
	}
	return form
}

// allocatedBytes is what the program has allocated since it began, freed or not.
func allocatedBytes() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestM36PlantedHashParameters: who can write one row of the table of users cannot make its log-ins eat all memory or time.
func TestM36PlantedHashParameters(t *testing.T) { // not parallel: it counts what the process allocates
	hashing := password.Config{Hashers: []password.Hasher{
		password.PBKDF2SHA256(1), password.PBKDF2SHA1(1), password.BCryptSHA256(4), password.BCrypt(4),
		password.Argon2(password.Argon2Params{Memory: 64, Passes: 1}), password.Scrypt(password.ScryptParams{N: 16, R: 1, P: 1}),
	}}
	g := newHashingRig(t, hashing, nil)
	salt, tag := "c2FsdHNhbHRzYWx0", strings.Repeat("A", 43)
	for i, planted := range []string{
		"pbkdf2_sha256$2000000000$salt$" + tag + "=",
		"pbkdf2_sha256$999999999999999999999$salt$" + tag + "=",
		"pbkdf2_sha256$-1$salt$" + tag + "=",
		"pbkdf2_sha1$2000000000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"bcrypt_sha256$$2b$31$" + strings.Repeat("a", 53),
		"bcrypt$$2b$31$" + strings.Repeat("a", 53),
		"argon2$argon2id$v=19$m=4194304,t=1000,p=1$" + salt + "$" + tag,
		"argon2$argon2id$v=19$m=4294967295,t=4294967295,p=255$" + salt + "$" + tag,
		"argon2$argon2id$v=19$m=8,t=1,p=1$" + salt + "$" + strings.Repeat("A", 100000),
		"scrypt$salt$1073741824$8$1$" + strings.Repeat("A", 86) + "==",
		"scrypt$salt$16$1073741824$1$" + strings.Repeat("A", 86) + "==",
		"scrypt$salt$16$1$1073741824$" + strings.Repeat("A", 86) + "==",
	} {
		name := fmt.Sprint("planted", i)
		g.makeUser(name, "", false)
		if _, err := g.db.Pool().Exec("UPDATE auth_user SET password = ? WHERE username = ?", planted, name); err != nil {
			t.Fatal(err)
		}
		before := allocatedBytes()
		spent := g.cost(name, "anything")
		for _, run := range spent.runs {
			if run.Units > 100 || run.Memory > 1<<20 {
				t.Errorf("%.60s cost %+v", planted, run)
			}
		}
		if len(spent.runs) == 0 {
			t.Errorf("%.60s: nothing was hashed: the refusal is told by its time", planted)
		}
		if n := allocatedBytes() - before; n > 32<<20 {
			t.Errorf("%.60s: %d MiB of memory", planted, n>>20)
		}
	}
	if p := g.person(); !p.logIn("ada", "correct horse").redirects() || !p.isIn() {
		t.Error("control: an honest hash does not log in")
	}
}
