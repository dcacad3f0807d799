package userdb_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

type customer struct {
	userdb.User
	Company string     `db:"company,size=40"`
	Notes   string     `db:"notes,text"`
	Since   *time.Time `db:"since"`
	Seen    time.Time  `db:"seen"`
	Points  int        `db:"points"`
	Ratio   float64    `db:"ratio"`
	VIP     bool       `db:"vip"`
	Code    *string    `db:"code"`
	Key     []byte     `db:"key"`
	Scratch string     // not stored
}

var (
	_ auth.Users[*customer]         = (*userdb.Table[customer])(nil)
	_ auth.LoginRecorder[*customer] = (*userdb.Table[customer])(nil)
)

// TestCustomUser: a user type with columns of its own is migrated, stored, found and joined to sessions, in Django's table and in
// one of its own.
func TestCustomUser(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		for _, name := range []string{"", "shop_customer"} {
			db := openEmpty(t, testdb.New(t, empty.Kind))
			users, err := userdb.NewTable(db, userdb.TableConfig[customer]{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			report, err := db.Migrate(t.Context(), userdb.MigrateOptions{Users: users})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Added) != 9 {
				t.Errorf("added %q, want 9 columns", report.Added)
			}
			if report, err = db.Migrate(t.Context(), userdb.MigrateOptions{Users: users}); err != nil || len(report.Added)+len(report.Created) > 0 {
				t.Errorf("a second Migrate: %+v and %v", report, err)
			}
			since, code := time.Date(2020, 1, 2, 3, 4, 5, 6000, time.UTC), "c0de"
			full := &customer{
				User: userdb.User{Username: "ada", IsActive: true}, Company: "Analytical", Notes: "%_'", Since: &since, Seen: since,
				Points: -7, Ratio: 0.5, VIP: true, Code: &code, Key: []byte{0, 255},
			}
			bare := &customer{User: userdb.User{Username: "bob", IsActive: true}, Seen: since, Key: []byte{}}
			store := db.Sessions(codec(t), userdb.SessionsConfig{Users: users})
			for range 2 {
				for _, u := range []*customer{full, bare} {
					if u.ID == 0 {
						err = users.Create(t.Context(), u)
					} else {
						u.Points++
						err = users.Update(t.Context(), u)
					}
					if err != nil {
						t.Fatal(err)
					}
					rec := record(t, `{}`)
					rec.Owner = u.AuthID()
					joined := load(t, store, save(t, store, "", rec)).Attached
					if !reflect.DeepEqual(joined, u) {
						t.Errorf("%q joined: got %+v\nwant %+v", name, joined, u)
					}
					found, err := users.ByID(t.Context(), u.AuthID())
					if err != nil || !reflect.DeepEqual(found, u) {
						t.Errorf("%q ByID: got %+v and %v\nwant %+v", name, found, err, u)
					}
				}
			}
			// A program that does not know the columns, such as Django, can still add a user.
			if name == "" {
				create(t, db, userdb.NewUser{Username: "plain"})
			}
		}
	})
}

// TestNewTableErrors: a struct that cannot be stored is refused when the program starts.
func TestNewTableErrors(t *testing.T) {
	t.Parallel()
	db := openEmpty(t, testdb.New(t, "sqlite"))
	type taken struct {
		userdb.User
		X string `db:"email"`
	}
	type twice struct {
		userdb.User
		X string `db:"x"`
		Y string `db:"x"`
	}
	type odd struct {
		userdb.User
		X string `db:"x; DROP TABLE"`
	}
	type hidden struct {
		userdb.User
		x string `db:"x"`
	}
	type option struct {
		userdb.User
		X string `db:"x,sise=3"`
	}
	_ = hidden{}.x
	for name, err := range map[string]error{
		"taken": second(userdb.NewTable(db, userdb.TableConfig[taken]{})),
		"twice": second(userdb.NewTable(db, userdb.TableConfig[twice]{})),
		"odd":   second(userdb.NewTable(db, userdb.TableConfig[odd]{})),
		"x":     second(userdb.NewTable(db, userdb.TableConfig[hidden]{})),
		"sise":  second(userdb.NewTable(db, userdb.TableConfig[option]{})),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
