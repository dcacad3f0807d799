package account_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/userdb"
)

// A world is a service over a database of its own, and its user.
type world struct {
	*account.Service
	db  *userdb.DB
	ada *userdb.User
}

func newWorld(t *testing.T, change func(tables *account.Tables, cfg *account.Config)) *world {
	t.Helper()
	db, err := userdb.Open(t.Context(), "sqlite", filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	hashers, err := cheap()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := hashed("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: db}
	if w.ada, err = db.CreateUser(t.Context(), userdb.NewUser{Username: "ada", FirstName: "Ada\r\nBcc: x", Email: "ada@example.com", PasswordHash: encoded}); err != nil {
		t.Fatal(err)
	}
	tokens, err := auth.NewResetTokens(signing.Keys{Current: "a secret of at least thirty-two characters"}, auth.ResetConfig{Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	tables, cfg := db.Users().Accounts(), account.Config{Hashers: hashers, ResetTokens: tokens, ResetTime: time.Hour}
	if change != nil {
		change(&tables, &cfg)
	}
	if w.Service, err = account.New(tables, cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

// cheap are hashers for tests that are not about hashing.
func cheap() (*password.Hashers, error) {
	return password.New(password.Config{Hashers: []password.Hasher{password.PBKDF2SHA256(1)}})
}

func hashed(plain string) (string, error) {
	h, err := cheap()
	if err != nil {
		return "", err
	}
	return h.Make(context.Background(), plain)
}

func asked() account.Asked {
	return account.Asked{
		At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Address: netip.MustParseAddr("192.0.2.7"),
		Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	}
}

// compose takes what waits out of the outbox and makes its messages.
func (w *world) compose(t *testing.T) []*mail.Message {
	t.Helper()
	return w.composeAt(t, time.Now())
}

// A fataler is a test of either kind.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

func (w *world) composeAt(t fataler, now time.Time) []*mail.Message {
	t.Helper()
	ctx, box := context.Background(), w.db.Outbox()
	var all []*mail.Message
	for {
		it, err := box.Claim(ctx, now, time.Minute)
		if errors.Is(err, mail.ErrEmpty) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		messages, err := w.Compose(ctx, it)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, messages...)
		if err := box.Done(ctx, it); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLetters: every mail can be sent, has plain text and HTML with one and the same link, says who, when and where asked, and
// what to do; a name brings no header in.
func TestLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id, ctx, base := w.ada.AuthID(), t.Context(), "https://example.com/app"
	other, err := w.db.CreateUser(ctx, userdb.NewUser{Username: "<b>bob</b>", Email: "bob@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	chosen := account.NewPassword{First: "purple stapler", Second: "purple stapler"}
	subjects := map[string]bool{}
	for what, ask := range map[string]func() error{
		"a reset":                  func() error { return w.RequestReset(ctx, "ada@example.com", base, asked()) },
		"a sign-up":                func() error { return w.RequestSignup(ctx, "new@example.com", base, asked()) },
		"a sign-up of a known one": func() error { return w.RequestSignup(ctx, "bob@example.com", base, asked()) },
		"another address":          func() error { return w.RequestEmailChange(ctx, id, "correct horse", "else@example.com", base, asked()) },
		"another's address":        func() error { return w.RequestEmailChange(ctx, id, "correct horse", other.Email, base, asked()) },
	} {
		if err := ask(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		w.check(t, what, base, subjects)
	}
	if _, err := w.ChangePassword(ctx, id, "correct horse", chosen, base, asked()); err != nil {
		t.Fatal(err)
	}
	w.check(t, "a changed password", base, subjects)
	if len(subjects) < 7 {
		t.Errorf("only %d kinds of mail were seen: %v", len(subjects), subjects)
	}
}

func (w *world) check(t *testing.T, what, base string, subjects map[string]bool) {
	t.Helper()
	messages := w.compose(t)
	if len(messages) == 0 {
		t.Errorf("%s: no mail", what)
	}
	for _, m := range messages {
		subjects[m.Subject] = true
		if err := m.Check(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if strings.Contains(m.Subject, "Bcc") || strings.Contains(m.HTML, "<b>bob") || strings.Contains(m.HTML, "<img") {
			t.Errorf("%s: %q\n%s", what, m.Subject, m.HTML)
		}
		start := strings.Index(m.Text, base+"/accounts/")
		if start < 0 {
			t.Errorf("%s: no link in\n%s", what, m.Text)
			continue
		}
		link, _, _ := strings.Cut(m.Text[start:], "\n")
		if !strings.Contains(m.HTML, `href="`+link+`"`) || strings.Count(m.Text, base+"/accounts/") != 1 {
			t.Errorf("%s: the link %q is not the one link of both parts", what, link)
		}
		for _, part := range []string{m.Text, m.HTML} {
			if !strings.Contains(part, "2 January 2026, 03:04 UTC") || !strings.Contains(part, "192.0.2.7, Firefox on Linux") || !strings.Contains(part, "If it was") {
				t.Errorf("%s: when, where or what to do is missing in\n%s", what, part)
			}
		}
	}
}

// TestOutboxHoldsNoLink: what waits in the database opens nothing, before its mail is made and after.
func TestOutboxHoldsNoLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ctx := t.Context()
	for _, err := range []error{
		w.RequestReset(ctx, "ada@example.com", "https://example.com", asked()),
		w.RequestSignup(ctx, "new@example.com", "https://example.com", asked()),
		w.RequestEmailChange(ctx, w.ada.AuthID(), "correct horse", "else@example.com", "https://example.com", asked()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	items, err := w.db.Outbox().(mail.Lister).List(ctx, 10)
	if err != nil || len(items) != 3 {
		t.Fatalf("%d mails wait (%v), want 3", len(items), err)
	}
	var waiting strings.Builder
	for _, it := range items {
		waiting.Write(it.Data)
	}
	tokens := 0
	for _, m := range w.compose(t) {
		_, link, ok := strings.Cut(m.Text, "https://example.com/accounts/")
		if !ok {
			continue
		}
		link, _, _ = strings.Cut(link, "\n")
		parts := strings.Split(strings.Trim(link, "/"), "/")
		if len(parts) < 2 {
			continue
		}
		token := parts[len(parts)-1]
		tokens++
		if strings.Contains(waiting.String(), token) {
			t.Errorf("the outbox holds the token of %s", link)
		}
		var stored int
		if err := w.db.Pool().QueryRow("SELECT COUNT(*) FROM cardea_link WHERE token_hash = ? OR id = ?", token, token).Scan(&stored); err != nil || stored != 0 {
			t.Errorf("the database holds the token of %s as it is (%v)", link, err)
		}
	}
	if tokens != 3 {
		t.Errorf("%d mails had a token, want 3", tokens)
	}
}

// TestOwnTemplates: a file of the same name replaces ours, and one that does not parse is an error at the start.
func TestOwnTemplates(t *testing.T) {
	t.Parallel()
	own := fstest.MapFS{"password_reset.txt": {Data: []byte("{{define \"subject\"}}Two\nlines{{end}}{{define \"text\"}}Own: {{.Link}}{{end}}")}}
	w := newWorld(t, func(_ *account.Tables, cfg *account.Config) { cfg.Templates = own })
	if err := w.RequestReset(t.Context(), "ada@example.com", "https://example.com", asked()); err != nil {
		t.Fatal(err)
	}
	m := w.compose(t)
	if len(m) != 1 || m[0].Subject != "Two lines" || !strings.HasPrefix(m[0].Text, "Own: https://example.com/accounts/reset/") || !strings.Contains(m[0].HTML, "Choose a new password") {
		t.Errorf("got %+v", m)
	}
	for name, text := range map[string]string{"signup.txt": "{{.Nope", "signup.html": "{{.Nope", "base.html": "{{.Nope", "email_changed.txt": "no parts"} {
		tables := w.db.Users().Accounts()
		hashers, err := cheap()
		if err != nil {
			t.Fatal(err)
		}
		tokens, err := auth.NewResetTokens(signing.Keys{Current: "a secret of at least thirty-two characters"}, auth.ResetConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := account.New(tables, account.Config{Hashers: hashers, ResetTokens: tokens, Templates: fstest.MapFS{name: {Data: []byte(text)}}}); err == nil {
			t.Errorf("%s with %q was taken", name, text)
		}
	}
}

// TestOutages: a table that does not answer is an outage, and never "no such link".
func TestOutages(t *testing.T) {
	t.Parallel()
	down := errors.New("the database is down")
	w := newWorld(t, func(tables *account.Tables, _ *account.Config) {
		tables.Users, tables.Links, tables.Outbox = brokenUsers{tables.Users, down}, brokenLinks{tables.Links, down}, brokenOutbox{down}
		tables.Together = func(context.Context, func(context.Context, account.Tables) error) error { return down }
	})
	ctx := t.Context()
	_, reset := w.CheckReset(ctx, auth.EncodeUID("1"), "x-y")
	_, signup := w.LookSignup(ctx, "x")
	_, email := w.LookEmailChange(ctx, "1", "x")
	_, pending := w.PendingEmailChange(ctx, "1")
	_, confirm := w.ConfirmEmailChange(ctx, "1", "x", "https://example.com", asked())
	_, change := w.ChangePassword(ctx, "1", "a", account.NewPassword{}, "https://example.com", asked())
	for what, err := range map[string]error{
		"look at a reset link": reset, "look at a sign-up": signup, "look at an address": email, "pending": pending, "confirm": confirm, "change": change,
		"ask for a reset": w.RequestReset(ctx, "ada@example.com", "https://example.com", asked()),
	} {
		var outage *auth.OutageError
		if !errors.As(err, &outage) || !errors.Is(err, down) {
			t.Errorf("%s: got %v, want an outage", what, err)
		}
	}
}

type brokenUsers struct {
	account.Store
	err error
}

func (b brokenUsers) ByID(context.Context, string) (account.User, error) {
	return account.User{}, b.err
}

type brokenLinks struct {
	account.Links
	err error
}

func (b brokenLinks) Look(context.Context, string, string, time.Time) (account.Link, error) {
	return account.Link{}, b.err
}

func (b brokenLinks) Pending(context.Context, string, string, time.Time) (account.Link, error) {
	return account.Link{}, b.err
}

type brokenOutbox struct{ err error }

func (b brokenOutbox) Enqueue(context.Context, string, json.RawMessage, time.Time) error {
	return b.err
}

// TestDevice names what people know, and nothing for what it does not know.
func TestDevice(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                         "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                            "Chrome on Android",
		"curl/8.5.0": "curl",
		"":           "",
		"<script>":   "",
	} {
		if got := account.Device(agent); got != want {
			t.Errorf("Device(%q) = %q, want %q", agent, got, want)
		}
	}
}

// TestSecretsDoNotPrint: a password that is chosen does not stand in a log.
func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	p := account.NewPassword{First: "correct horse", Second: "correct horse"}
	for _, text := range []string{fmt.Sprint(p), fmt.Sprintf("%+v %#v", p, p), fmt.Sprintf("%+v", account.Signup{Password: p})} {
		if strings.Contains(text, "horse") {
			t.Errorf("a password is printed: %s", text)
		}
	}
}
