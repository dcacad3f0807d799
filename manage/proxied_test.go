package manage_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/manage"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// A paper is what a program prints, read while it runs.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

var answersAt = regexp.MustCompile(`Cardea answers at (\S+)/`)

// served runs "cardea serve" with a configuration until the test ends. It returns the address, or what the refusal to start says.
func served(t *testing.T, at testdb.DB, toml string) (address, refusal string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "site.toml")
	if err := os.WriteFile(file, []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, ended := &paper{}, &paper{}, make(chan int, 1)
	ctx, cancel := context.WithCancel(context.Background())
	p := manage.Program{
		Args: []string{"serve", "--addr", "127.0.0.1:0", "--config", file},
		Environ: []string{
			"CARDEA_DB=" + at.URL, "CARDEA_SECRET_KEY=" + cardeatest.SecretKey,
			"CARDEA_PASSWORD_HASHERS=django.contrib.auth.hashers.MD5PasswordHasher",
		},
		Stdin: strings.NewReader(""), Stdout: out, Stderr: errs,
	}
	go func() { ended <- p.Run(ctx) }()
	for {
		if found := answersAt.FindStringSubmatch(out.String()); found != nil {
			t.Cleanup(func() {
				cancel()
				if status := <-ended; status != 0 {
					t.Errorf("serve ended with status %d: %s", status, errs)
				}
			})
			return found[1], ""
		}
		select {
		case status := <-ended:
			cancel()
			if status == 0 {
				t.Fatalf("serve ended by itself: %s", out)
			}
			return "", errs.String()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// migrated opens a database with its tables.
func migrated(t *testing.T, at testdb.DB) *userdb.DB {
	t.Helper()
	db, err := userdb.OpenURL(t.Context(), at.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	return db
}

// proxiedUser makes a user whose password, "correct horse", served reads.
func proxiedUser(t *testing.T, db *userdb.DB, name string) *userdb.User {
	t.Helper()
	u := cardeatest.User(t, db, name, "correct horse")
	encoded, err := password.MD5().Encode("correct horse", "salt")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SetPassword(t.Context(), u, encoded); err != nil {
		t.Fatal(err)
	}
	return u
}

// with visits a page with header lines.
func with(t *testing.T, b *cardeatest.Browser, path string, lines ...string) *cardeatest.Browser {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, b.URL(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	return b.Do(req)
}

// TestServeRemoteUser: a proxy that the settings name logs people in, and nobody else does.
func TestServeRemoteUser(t *testing.T) {
	t.Parallel()
	const backend = "authentication_backends = [\"django.contrib.auth.backends.RemoteUserBackend\", \"django.contrib.auth.backends.ModelBackend\"]\n"
	for _, c := range []struct {
		name, toml string
		user       string // "": nobody
		made       bool
		persists   bool
	}{
		{"the proxy", backend + "remote_user_proxies = [\"127.0.0.1\"]", "new", true, false},
		{"the proxy of the whole site", backend + "trusted_proxies = [\"127.0.0.0/8\"]", "new", true, false},
		{"by the name of the kind", "authentication_backends = [\"remote_user\"]\nremote_user_proxies = [\"127.0.0.1\"]", "new", true, false},
		{"another proxy", backend + "remote_user_proxies = [\"10.0.0.1\"]\ntrusted_proxies = [\"127.0.0.1\"]", "", false, false},
		{"another header", backend + "remote_user_proxies = [\"127.0.0.1\"]\nremote_user_header = \"X-User\"", "", false, false},
		{"nobody is made", backend + "remote_user_proxies = [\"127.0.0.1\"]\nremote_user_create = false", "", false, false},
		{"persistent", backend + "remote_user_proxies = [\"127.0.0.1\"]\nremote_user_persistent = true", "new", true, true},
		{"without the back end", "trusted_proxies = [\"127.0.0.1\"]", "", false, false},
	} {
		for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
			t.Run(c.name+", "+string(profile), func(t *testing.T) {
				t.Parallel()
				at := testdb.New(t, "sqlite")
				db := migrated(t, at)
				cardeatest.User(t, db, "ada", "correct horse")
				address, refusal := served(t, at, "profile = \""+string(profile)+"\"\n"+c.toml)
				if refusal != "" {
					t.Fatal(refusal)
				}
				b := cardeatest.Open(t, address)
				with(t, b, "/accounts/profile/", "Remote-User: new")
				if c.user == "" {
					b.AtPath("/accounts/login/")
				} else {
					b.AtPath("/accounts/profile/").Sees(c.user)
				}
				made, err := db.UserByName(t.Context(), "new")
				if (err == nil) != c.made {
					t.Fatalf("the user in the database: %v, %v", made, err)
				}
				if c.made && (made.Password == "") != (profile == cardea.Django) {
					t.Errorf("the password of the new user is %q", made.Password)
				}
				if b.Visit("/accounts/profile/"); c.persists {
					b.AtPath("/accounts/profile/").Sees("new")
				} else {
					b.AtPath("/accounts/login/")
				}
			})
		}
	}
}

// TestServeRemoteUserRefuses: settings that would believe everybody, or nobody, are an error at start.
func TestServeRemoteUserRefuses(t *testing.T) {
	t.Parallel()
	const backend = "authentication_backends = [\"remote_user\"]\n"
	for toml, want := range map[string]string{
		backend: "name the proxy",
		backend + "remote_user_proxies = [\"proxy.example\"]":                                   "site.toml:2: remote_user_proxies must hold addresses",
		backend + "remote_user_proxies = [\"0.0.0.0/0\"]":                                       "everybody",
		backend + "remote_user_proxies = [\"127.0.0.1\"]\nremote_user_header = \"REMOTE_USER\"": "such as Remote-User",
		"remote_user_create = false":                                                            "site.toml:1: remote_user_create counts only with",
		"authentication_backends = [\"remote_user\", \"django.contrib.auth.backends.RemoteUserBackend\"]\nremote_user_proxies = [\"127.0.0.1\"]": "already",
	} {
		at := testdb.New(t, "sqlite")
		migrated(t, at)
		if address, refusal := served(t, at, toml); !strings.Contains(refusal, want) || address != "" || strings.Count(refusal, "\n") != 1 {
			t.Errorf("%q: started at %q, said %q, want %q", toml, address, refusal, want)
		}
	}
}

// TestServeRemoteUserFollows: address and groups come from the proxy's headers at each log-in, and from nobody else's.
func TestServeRemoteUserFollows(t *testing.T) {
	t.Parallel()
	at := testdb.New(t, "sqlite")
	db := migrated(t, at)
	address, refusal := served(t, at, "authentication_backends = [\"remote_user\"]\nremote_user_proxies = [\"127.0.0.1\"]\n"+
		"remote_user_email_header = \"Remote-Email\"\nremote_user_groups_header = \"Remote-Groups\"\n")
	if refusal != "" {
		t.Fatal(refusal)
	}
	for _, c := range []struct {
		lines         []string
		email, groups string
	}{
		{[]string{"Remote-Email: one@example.com", "Remote-Groups: staff, editors"}, "one@example.com", "editors staff"},
		{[]string{"Remote-Email: two@example.com", "Remote-Groups: staff"}, "two@example.com", "staff"},
		{[]string{"Remote-Email: no address", "Remote-Groups: staff", "Remote-Groups: root"}, "two@example.com", ""},
		{[]string{"Remote_Email: three@example.com", "Remote_Groups: root"}, "two@example.com", ""},
	} {
		with(t, cardeatest.Open(t, address), "/accounts/profile/", append(c.lines, "Remote-User: ada")...).AtPath("/accounts/profile/")
		u, err := db.UserByName(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		names, err := db.Users().Groups().Names(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(names, " "); u.Email != c.email || got != c.groups {
			t.Errorf("%q: address %q and groups %q, want %q and %q", c.lines, u.Email, got, c.email, c.groups)
		}
	}
}
