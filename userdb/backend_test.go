package userdb_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/authtest"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// counted returns cheap hashers that count the hashes they make.
func counted(t testing.TB, hashes *atomic.Int64, then func()) *password.Hashers {
	t.Helper()
	h, err := password.New(password.Config{
		Hashers: []password.Hasher{password.PBKDF2SHA256(10), password.MD5()},
		Logger:  slog.New(slog.DiscardHandler),
		Trace: func(password.Work) {
			hashes.Add(1)
			if then != nil {
				then()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func encoded(t testing.TB, h password.Hasher, text string) string {
	t.Helper()
	s, err := h.Encode(text, "saltsaltsaltsaltsaltsa")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func request(t testing.TB) *http.Request {
	return httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/accounts/login/", nil)
}

// TestBackendContract holds the back end against the rules of all back ends.
func TestBackendContract(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		open(t, empty)
		authtest.RunBackend(t, func(t *testing.T) authtest.Backend {
			db := openEmpty(t, empty)
			exec(t, db, "DELETE FROM auth_user")
			var hashes atomic.Int64
			right := encoded(t, password.PBKDF2SHA256(10), "open sesame")
			ada := create(t, db, userdb.NewUser{Username: "ada", PasswordHash: right})
			create(t, db, userdb.NewUser{Username: "bob", PasswordHash: right, Inactive: true})
			create(t, db, userdb.NewUser{Username: "eve"})
			return authtest.Backend{
				Backend: userdb.PasswordBackend(db.Users(), counted(t, &hashes, nil), userdb.BackendConfig{}),
				Good:    auth.Password{Username: "ada", Password: "open sesame"},
				Who:     ada.AuthID(),
				Wrong: map[string]any{
					"secret":   auth.Password{Username: "ada", Password: "open the door"},
					"unknown":  auth.Password{Username: "nobody", Password: "open the door"},
					"inactive": auth.Password{Username: "bob", Password: "open sesame"},
					"unusable": auth.Password{Username: "eve", Password: "open the door"},
				},
				Secret: "open the door",
				Work:   func() int { return int(hashes.Load()) },
				Break:  func() { db.Close() },
			}
		})
	})
}

// TestEqualWork (M9): unknown, unusable, inactive and malformed cost the one hash that a wrong password costs, also with a
// password longer than bcrypt's 72 bytes (M8), and what is no password costs none.
func TestEqualWork(t *testing.T) {
	t.Parallel()
	db := open(t, testdb.New(t, "sqlite"))
	var hashes atomic.Int64
	right := encoded(t, password.PBKDF2SHA256(10), "right")
	for name, hash := range map[string]string{"ada": right, "bob": right, "eve": "", "mal": "pbkdf2_sha256$what", "old": "sha1$x$y"} {
		create(t, db, userdb.NewUser{Username: name, PasswordHash: hash, Inactive: name == "bob"})
	}
	exec(t, db, "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) "+
		"VALUES ('', 0, 'empty', '', '', '', 0, 1, '2024-01-01 00:00:00')")
	b := userdb.PasswordBackend(db.Users(), counted(t, &hashes, nil), userdb.BackendConfig{Logger: slog.New(slog.DiscardHandler)})
	for _, c := range []struct {
		creds any
		want  int64
	}{
		{auth.Password{Username: "ada", Password: "wrong"}, 1},
		{auth.Password{Username: "ada", Password: strings.Repeat("x", 73)}, 1},
		{auth.Password{Username: "nobody", Password: "wrong"}, 1},
		{auth.Password{Username: "nobody", Password: strings.Repeat("x", 73)}, 1},
		{auth.Password{Username: "", Password: ""}, 1},
		{auth.Password{Username: "bob", Password: "right"}, 1},
		{auth.Password{Username: "bob", Password: "wrong"}, 1},
		{auth.Password{Username: "eve", Password: "wrong"}, 1},
		{auth.Password{Username: "mal", Password: "wrong"}, 1},
		{auth.Password{Username: "old", Password: "wrong"}, 1},
		{auth.Password{Username: "empty", Password: ""}, 1},
		{(*auth.Password)(nil), 0},
		{struct{ Token string }{"x"}, 0},
		{nil, 0},
	} {
		before := hashes.Load()
		_, err := b.Authenticate(request(t), c.creds)
		if got := hashes.Load() - before; got != c.want || !errors.Is(err, auth.ErrNoMatch) {
			t.Errorf("%v: %d hashes and %v, want %d and ErrNoMatch", c.creds, got, err, c.want)
		}
	}
}

// TestUpgrade: a right password renews an old hash and nothing but it, and never over a change made meanwhile.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		old := encoded(t, password.MD5(), "right")
		u := create(t, db, userdb.NewUser{Username: "ada", PasswordHash: old})
		var hashes atomic.Int64
		meanwhile := func() {}
		b := userdb.PasswordBackend(db.Users(), counted(t, &hashes, func() { meanwhile() }),
			userdb.BackendConfig{Logger: slog.New(slog.DiscardHandler)})
		login := func() *userdb.User {
			t.Helper()
			id, err := b.Authenticate(request(t), auth.Password{Username: "ada", Password: "right"})
			if err != nil {
				t.Fatal(err)
			}
			return id.Attached.(*userdb.User)
		}
		var changed string
		meanwhile = func() { // an administrator changes the password while its hash is renewed
			if hashes.Load() == 2 {
				changed = strings.ToUpper(old)
				exec(t, db, "UPDATE auth_user SET password = '"+changed+"'")
			}
		}
		login()
		if got, _ := db.UserByID(t.Context(), u.AuthID()); got.Password != changed || changed == "" {
			t.Errorf("the renewal overwrote a change: got %q, want %q", got.Password, changed)
		}
		meanwhile = func() {}
		if err := db.SetPassword(t.Context(), u, old); err != nil {
			t.Fatal(err)
		}
		attached := login()
		got, err := db.UserByID(t.Context(), u.AuthID())
		if err != nil || !strings.HasPrefix(got.Password, "pbkdf2_sha256$10$") || attached.Password != got.Password {
			t.Errorf("got %+v and %v, want a new hash", got, err)
		}
		before := hashes.Load()
		login()
		if n := hashes.Load() - before; n != 1 {
			t.Errorf("the next log-in made %d hashes, want 1", n)
		}
	})
}

// TestIdentifier: people log in by what the site says, and an address that two people have is nobody's.
func TestIdentifier(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		var hashes atomic.Int64
		for name, email := range map[string]string{
			"ada": "Ada@Example.com", "bob": "shared@example.com", "eve": "shared@example.com", "joe@example.com": "", "jim": "joe@example.com",
		} {
			create(t, db, userdb.NewUser{Username: name, Email: email, PasswordHash: encoded(t, password.PBKDF2SHA256(10), name)})
		}
		for _, c := range []struct {
			kind  userdb.Identifier
			typed string
			pass  string
			want  bool
		}{
			{userdb.Username, "ada", "ada", true},
			{userdb.Username, "ada@example.com", "ada", false},
			{userdb.Email, "ada", "ada", false},
			{userdb.Email, "ADA@example.COM", "ada", true},
			{userdb.Email, "shared@example.com", "bob", false},
			{userdb.Email, "", "ada", false},
			{userdb.Either, "ada", "ada", true},
			{userdb.Either, "ada@example.com", "ada", true},
			{userdb.Either, "shared@example.com", "eve", false},
			{userdb.Either, "joe@example.com", "joe@example.com", true},
			{userdb.Either, "joe@example.com", "jim", false},
		} {
			b := userdb.PasswordBackend(db.Users(), counted(t, &hashes, nil), userdb.BackendConfig{Identifier: c.kind})
			before := hashes.Load()
			_, err := b.Authenticate(request(t), auth.Password{Username: c.typed, Password: c.pass})
			if (err == nil) != c.want || hashes.Load()-before != 1 {
				t.Errorf("identifier %d, %q with %q: got %v and %d hashes", c.kind, c.typed, c.pass, err, hashes.Load()-before)
			}
		}
	})
}

// TestBackendOutage: a database that is gone is never a wrong password, and nor is a context that ended.
func TestBackendOutage(t *testing.T) {
	t.Parallel()
	db := open(t, testdb.New(t, "sqlite"))
	var hashes atomic.Int64
	b := userdb.PasswordBackend(db.Users(), counted(t, &hashes, nil), userdb.BackendConfig{})
	db.Close()
	start := time.Now()
	if _, err := b.Authenticate(request(t), auth.Password{Username: "ada", Password: "x"}); err == nil || errors.Is(err, auth.ErrInvalid) {
		t.Errorf("got %v, want an outage", err)
	}
	if took := time.Since(start); took > userdb.Timeout {
		t.Errorf("it took %v", took)
	}
}
