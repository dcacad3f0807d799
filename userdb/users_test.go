package userdb_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/authtest"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

func create(t testing.TB, db *userdb.DB, n userdb.NewUser) *userdb.User {
	t.Helper()
	u, err := db.CreateUser(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestCreateUser: what is created comes back as it was, normalised as Django does.
func TestCreateUser(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		joined := time.Date(2024, 5, 6, 7, 8, 9, 123_456_789, time.FixedZone("", 3600))
		u := create(t, db, userdb.NewUser{
			Username: "ａｄａ ﬁ", Email: " Ada@EXAMPLE.Com ", PasswordHash: "encoded", FirstName: "Ada", LastName: "😀 Lovelace",
			IsStaff: true, Joined: joined,
		})
		want := userdb.User{
			ID: u.ID, Password: "encoded", Username: "ada fi", FirstName: "Ada", LastName: "😀 Lovelace", Email: "Ada@example.com",
			IsStaff: true, IsActive: true, DateJoined: time.Date(2024, 5, 6, 6, 8, 9, 123_456_000, time.UTC),
		}
		got, err := db.UserByName(t.Context(), "ada fi")
		if err != nil {
			t.Fatal(err)
		}
		if *got != want || *u != want || u.ID == 0 {
			t.Errorf("created %+v\nfound %+v\nwant %+v", *u, *got, want)
		}
		admin, err := db.CreateSuperuser(t.Context(), userdb.NewUser{Username: "root", Inactive: true})
		if err != nil {
			t.Fatal(err)
		}
		if !admin.IsStaff || !admin.IsSuperuser || admin.IsActive || password.Usable(admin.Password) || admin.ID == u.ID {
			t.Errorf("got %+v", admin)
		}
		if n, err := db.CountUsers(t.Context()); n != 2 || err != nil {
			t.Errorf("got %d users and %v", n, err)
		}
	})
}

// TestCreateUserErrors: a taken name is ErrDuplicate and says so; what would not fit is refused alike by all databases.
func TestCreateUserErrors(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		create(t, db, userdb.NewUser{Username: "ada"})
		_, err := db.CreateUser(t.Context(), userdb.NewUser{Username: "ada"})
		var dup *userdb.DuplicateError
		if !errors.Is(err, userdb.ErrDuplicate) || !errors.As(err, &dup) || dup.Column != "username" {
			t.Errorf("a taken name: got %v, want ErrDuplicate of username", err)
		}
		for column, n := range map[string]userdb.NewUser{
			"username":   {Username: strings.Repeat("é", 151)},
			"first_name": {Username: "x", FirstName: strings.Repeat("é", 151)},
			"last_name":  {Username: "x", LastName: "nul\x00"},
			"email":      {Username: "x", Email: strings.Repeat("e", 255)},
			"password":   {Username: "x", PasswordHash: strings.Repeat("p", 129)},
		} {
			var field *userdb.FieldError
			if _, err := db.CreateUser(t.Context(), n); !errors.As(err, &field) || field.Column != column {
				t.Errorf("%s: got %v, want a FieldError", column, err)
			}
		}
		if _, err := db.CreateUser(t.Context(), userdb.NewUser{}); err == nil {
			t.Error("an empty name was taken")
		}
		if _, err := db.CreateUser(t.Context(), userdb.NewUser{Username: strings.Repeat("é", 150)}); err != nil {
			t.Errorf("150 characters: %v", err)
		}
	})
}

// TestLookups is the table of how the databases compare, and what none of them may answer with an outage.
func TestLookups(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		create(t, db, userdb.NewUser{Username: "joe", Email: "mike@example.com"})
		folding := empty.Kind == "mysql"
		for name, want := range map[string]bool{
			"joe": true, "JOE": folding, "joe ": folding, "": false, "jo_": false, "j%": false,
			"nul\x00": false, "bad\xff": false, strings.Repeat("x", 10_000): false,
		} {
			_, err := db.UserByName(t.Context(), name)
			if (err == nil) != want || err != nil && !errors.Is(err, auth.ErrNoUser) {
				t.Errorf("UserByName(%.20q): got %v, want found %v", name, err, want)
			}
		}
		for _, name := range []string{"JOE", "joé"} {
			if _, err := db.CreateUser(t.Context(), userdb.NewUser{Username: name}); errors.Is(err, userdb.ErrDuplicate) != folding {
				t.Errorf("%s beside joe: got %v", name, err)
			}
		}
		create(t, db, userdb.NewUser{Username: "wild", Email: `100%_\a@example.com`})
		for address, want := range map[string]int{
			"mike@example.com": 1, "MIKE@Example.COM": 1, "mıke@example.com": 0, "mike@example.com ": 0, "": 0, "%": 0, "m_ke@example.com": 0,
			`100%_\A@example.com`: 1, `100%xxa@example.com`: 0, "nul\x00@x": 0, "bad\xff@x": 0,
		} {
			found, err := db.UsersByEmail(t.Context(), address)
			if len(found) != want || err != nil {
				t.Errorf("UsersByEmail(%q): got %d and %v, want %d", address, len(found), err, want)
			}
		}
		for _, id := range []string{"", "x", "1.0", "0", "-1", "99999999999", "9223372036854775807", "1000000000000000000000000000000", "1 OR 1=1"} {
			if _, err := db.UserByID(t.Context(), id); !errors.Is(err, auth.ErrNoUser) {
				t.Errorf("UserByID(%q): got %v, want ErrNoUser", id, err)
			}
		}
	})
}

// TestWrites: each write touches its own columns, and one to a user who is gone is ErrNoUser.
func TestWrites(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		u := create(t, db, userdb.NewUser{Username: "ada", PasswordHash: "one"})
		stale := *u
		if err := db.SetPassword(t.Context(), u, "two"); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2024, 1, 2, 3, 4, 5, 6789, time.UTC)
		if err := db.RecordLogin(t.Context(), &stale, at); err != nil {
			t.Fatal(err)
		}
		stale.FirstName, stale.IsActive = "Ada", false
		if err := db.Users().Update(t.Context(), &stale); err != nil {
			t.Fatal(err)
		}
		if err := db.Users().Update(t.Context(), &stale); err != nil {
			t.Errorf("Update without a change: %v", err)
		}
		got, err := db.UserByID(t.Context(), u.AuthID())
		if err != nil {
			t.Fatal(err)
		}
		if got.Password != "two" || u.Password != "two" || got.FirstName != "Ada" || got.IsActive || !got.LastLogin.Equal(at.Truncate(time.Microsecond)) {
			t.Errorf("got %+v", got)
		}
		exec(t, db, "DELETE FROM auth_user")
		for op, err := range map[string]error{
			"SetPassword": db.SetPassword(t.Context(), u, "x"),
			"RecordLogin": db.RecordLogin(t.Context(), u, at),
			"Update":      db.Users().Update(t.Context(), u),
		} {
			if !errors.Is(err, auth.ErrNoUser) {
				t.Errorf("%s of a user who is gone: got %v, want ErrNoUser", op, err)
			}
		}
	})
}

// TestTx: users made inside the application's transaction live and die with it.
func TestTx(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		for name, commit := range map[string]bool{"kept": true, "dropped": false} {
			tx, err := db.Pool().BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Tx(tx).CreateUser(t.Context(), userdb.NewUser{Username: name}); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Users().Tx(tx).ByName(t.Context(), name); err != nil {
				t.Errorf("inside the transaction: %v", err)
			}
			end := tx.Rollback
			if commit {
				end = tx.Commit
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			if _, err := db.UserByName(t.Context(), name); (err == nil) != commit {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

// TestNormalize runs Django's recorded answers.
func TestNormalize(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("CARDEA_VECTORS")
	if folder == "" {
		folder = "../testdata/vectors"
	}
	raw, err := os.ReadFile(folder + "/validators.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Op string
		In struct{ Username, Email *string }
		// Other operations answer with other things.
		Out any
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		var other *json.UnmarshalTypeError // in the input of another operation
		if !errors.As(err, &other) {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, c := range cases {
		var in *string
		var f func(string) string
		switch c.Op {
		case "normalize_username":
			in, f = c.In.Username, userdb.NormalizeUsername
		case "normalize_email":
			in, f = c.In.Email, userdb.NormalizeEmail
		}
		if in == nil {
			continue
		}
		ran++
		if got := f(*in); got != c.Out {
			t.Errorf("%s(%q): got %q, want %q", c.Op, *in, got, c.Out)
		}
	}
	if ran < 50 {
		t.Errorf("only %d cases ran", ran)
	}
}

// TestUsersContract holds the table against the rules of all tables of users.
func TestUsersContract(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		open(t, empty)
		authtest.RunUsers(t, func(t *testing.T) authtest.Users[*userdb.User] {
			db := openEmpty(t, empty)
			exec(t, db, "DELETE FROM auth_user")
			return authtest.Users[*userdb.User]{
				Users:    db.Users(),
				Active:   create(t, db, userdb.NewUser{Username: "ada", Email: "ada@example.com", PasswordHash: "x"}),
				Inactive: create(t, db, userdb.NewUser{Username: "bob", Inactive: true}),
				Missing:  "12345",
				Email:    "ada@example.com",
				Break:    func() { db.Close() },
			}
		})
	})
}
