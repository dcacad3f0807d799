package userdb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/userdb"
)

var (
	_ perm.Source = (*userdb.Table[userdb.User])(nil)
	_ perm.Source = (*userdb.Table[customer])(nil)
)

// list returns what a user has, "direct | by groups".
func list[T any](t *testing.T, users *userdb.Table[T], s perm.Subject) string {
	t.Helper()
	g, err := users.Permissions(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(g.Direct.Names(), " ") + " | " + strings.Join(g.Group.Names(), " ")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestGrant: permissions are given and taken directly and by groups, a change counts at the next question, and a second table of
// users has groups and permissions of its own.
func TestGrant(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := openEmpty(t, empty)
		customers, err := userdb.NewTable(db, userdb.TableConfig[customer]{Name: "shop_vip_customer"})
		must(t, err)
		for range 2 { // the second finds the tables
			_, err = db.Migrate(t.Context(), userdb.MigrateOptions{Users: customers})
			must(t, err)
		}
		must(t, db.EnsurePermissions(t.Context(), "blog", userdb.Model{Name: "post"}))
		ctx, users := t.Context(), db.Users()
		ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob"})
		eve := &customer{User: userdb.User{Username: "eve", IsActive: true}, Key: []byte{}}
		must(t, customers.Create(ctx, eve))
		check := func(what, wantAda, wantBob, wantEve string) {
			t.Helper()
			if a, b, e := list(t, users, subject(ada)), list(t, users, subject(bob)), list(t, customers, subject(&eve.User)); a != wantAda || b != wantBob || e != wantEve {
				t.Errorf("%s: ada %q, bob %q, eve %q\nwant %q, %q, %q", what, a, b, e, wantAda, wantBob, wantEve)
			}
		}
		check("at first", " | ", " | ", " | ")

		must(t, users.Grant(ctx, ada, "blog.add_post", "auth.view_user"))
		must(t, users.Grant(ctx, ada, "blog.add_post", "blog.add_post"))
		must(t, customers.Grant(ctx, eve, "blog.view_post"))
		check("granted", "auth.view_user blog.add_post | ", " | ", "blog.view_post | ")

		editors := users.Groups()
		_, err = editors.Create(ctx, "editors")
		must(t, err)
		must(t, editors.Grant(ctx, "editors", "blog.change_post", "blog.add_post"))
		must(t, editors.Add(ctx, "editors", ada, bob))
		must(t, editors.Add(ctx, "editors", ada))
		must(t, customers.Groups().Add(ctx, "editors", eve))
		check("in a group", "auth.view_user blog.add_post | blog.add_post blog.change_post", " | blog.add_post blog.change_post",
			"blog.view_post | blog.add_post blog.change_post")

		must(t, users.Revoke(ctx, ada, "blog.add_post", "blog.view_post"))
		must(t, editors.Revoke(ctx, "editors", "blog.change_post"))
		must(t, editors.Remove(ctx, "editors", bob, bob))
		check("revoked", "auth.view_user | blog.add_post", " | ", "blog.view_post | blog.add_post")

		if err := editors.Delete(ctx, "editors"); err == nil {
			t.Error("a group with members in another table was deleted without a word")
		}
		check("not deleted", "auth.view_user | blog.add_post", " | ", "blog.view_post | blog.add_post")
		must(t, customers.Groups().Remove(ctx, "editors", eve))
		must(t, editors.Delete(ctx, "editors"))
		check("deleted", "auth.view_user | ", " | ", "blog.view_post | ")
	})
}

// TestJoinTables: the tables beside a table of users of the site's own carry the names, and their indexes and constraints too,
// that Django 5.2 gives them for a model Customer with db_table = "shop_vip_customer".
func TestJoinTables(t *testing.T) {
	t.Parallel()
	const (
		groups      = "shop_vip_customer_groups"
		permissions = "shop_vip_customer_user_permissions"
		uniqGroups  = "shop_vip_customer_groups_customer_id_group_id_21f3cb8b_uniq"
		uniqShort   = "shop_vip_customer_user_p_customer_id_permission_i_19725e9c_uniq"
		uniqLong    = "shop_vip_customer_user_permissions_customer_id_permission_id_19725e9c_uniq"
	)
	indexes := []string{
		"shop_vip_customer_groups_customer_id_4fb154df", "shop_vip_customer_groups_group_id_f1278328",
		"shop_vip_customer_user_permissions_customer_id_fc6bd4a2", "shop_vip_customer_user_permissions_permission_id_5ad017ea",
	}
	keys := []string{
		"shop_vip_customer_gr_customer_id_4fb154df_fk_shop_vip_", "shop_vip_customer_groups_group_id_f1278328_fk_auth_group_id",
		"shop_vip_customer_us_customer_id_fc6bd4a2_fk_shop_vip_", "shop_vip_customer_us_permission_id_5ad017ea_fk_auth_perm",
	}
	names := map[string]struct {
		query string
		want  []string
	}{
		"sqlite": {
			"SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('" + groups + "', '" + permissions + "')",
			append([]string{uniqGroups, uniqLong}, indexes...),
		},
		"postgres": {
			"SELECT conname FROM pg_constraint WHERE conrelid IN ('" + groups + "'::regclass, '" + permissions + "'::regclass) AND contype <> 'p' " +
				"UNION SELECT indexname FROM pg_indexes WHERE tablename IN ('" + groups + "', '" + permissions + "') AND indexname NOT LIKE '%pkey'",
			append(append([]string{uniqGroups, uniqShort}, indexes...), keys...),
		},
		"mysql": {
			"SELECT constraint_name FROM information_schema.table_constraints WHERE table_schema = DATABASE() AND constraint_name <> 'PRIMARY' " +
				"AND table_name IN ('" + groups + "', '" + permissions + "')",
			append([]string{uniqGroups, uniqShort}, keys...),
		},
	}
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := openEmpty(t, empty)
		customers, err := userdb.NewTable(db, userdb.TableConfig[customer]{Name: "shop_vip_customer"})
		must(t, err)
		var dry strings.Builder
		_, err = db.Migrate(t.Context(), userdb.MigrateOptions{Users: customers, DryRun: &dry})
		must(t, err)
		_, err = db.Migrate(t.Context(), userdb.MigrateOptions{Users: customers})
		must(t, err)
		rows, err := db.Pool().QueryContext(t.Context(), names[empty.Kind].query)
		must(t, err)
		defer rows.Close()
		var got []string
		for rows.Next() {
			var name string
			must(t, rows.Scan(&name))
			got = append(got, name)
			if !strings.Contains(dry.String(), name) {
				t.Errorf("a dry run does not show %s", name)
			}
		}
		must(t, rows.Err())
		want := slices.Clone(names[empty.Kind].want)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// TestJoinTableModel: a model whose name holds an underscore is named.
func TestJoinTableModel(t *testing.T) {
	t.Parallel()
	db := openEmpty(t, testdb.New(t, "sqlite"))
	people, err := userdb.NewTable(db, userdb.TableConfig[customer]{Name: "shop_night_owl", Model: "night_owl"})
	must(t, err)
	_, err = db.Migrate(t.Context(), userdb.MigrateOptions{Users: people})
	must(t, err)
	if got := text(t, db, "SELECT name FROM pragma_table_info('shop_night_owl_groups') WHERE cid = 1"); got != "night_owl_id" {
		t.Errorf("the column is %q", got)
	}
	owl := &customer{User: userdb.User{Username: "owl", IsActive: true}, Key: []byte{}}
	must(t, people.Create(t.Context(), owl))
	must(t, people.Grant(t.Context(), owl, "auth.view_user"))
	if got := list(t, people, subject(&owl.User)); got != "auth.view_user | " {
		t.Errorf("got %q", got)
	}
}

// TestGrantErrors: what does not exist is said, and nothing changes then.
func TestGrantErrors(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		ctx, users := t.Context(), db.Users()
		ada := create(t, db, userdb.NewUser{Username: "ada"})
		_, err := users.Groups().Create(ctx, "editors")
		must(t, err)
		for _, name := range []string{"", "auth", "auth.nope", "nosuch.add_user", "AUTH.add_user", "auth.ADD_USER", "auth.add_user ", ".", "auth.nul\x00", "a.b.c"} {
			if err := users.Grant(ctx, ada, "auth.view_user", name); !errors.Is(err, userdb.ErrNoPermission) {
				t.Errorf("Grant(%q): got %v", name, err)
			}
			if err := users.Groups().Grant(ctx, "editors", "auth.view_user", name); !errors.Is(err, userdb.ErrNoPermission) {
				t.Errorf("Groups.Grant(%q): got %v", name, err)
			}
		}
		must(t, users.Groups().Add(ctx, "editors", ada))
		if got := list(t, users, subject(ada)); got != " | " {
			t.Errorf("refused grants left %q", got)
		}
		gone := &userdb.User{ID: 4711}
		for what, err := range map[string]error{
			"Grant":      users.Grant(ctx, gone, "auth.view_user"),
			"Revoke":     users.Revoke(ctx, gone, "auth.view_user"),
			"Groups.Add": users.Groups().Add(ctx, "editors", gone),
			"beyond int": users.Grant(ctx, &userdb.User{ID: 1 << 60}, "auth.view_user"),
		} {
			if !errors.Is(err, auth.ErrNoUser) {
				t.Errorf("%s: got %v, want ErrNoUser", what, err)
			}
		}
	})
}

// TestSubjects: nobody, somebody else's ids and inactive users have nothing, and a superuser all there is.
func TestSubjects(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		users := db.Users()
		ada := create(t, db, userdb.NewUser{Username: "ada"})
		must(t, users.Grant(t.Context(), ada, "auth.view_user"))
		for _, id := range []string{"", "x", "1' OR '1'='1", "4711", "999999999999", "-1", "1e30"} {
			if got := list(t, users, perm.Subject{ID: id, Active: true}); got != " | " {
				t.Errorf("%q has %q", id, got)
			}
		}
		for _, s := range []perm.Subject{{ID: ada.AuthID()}, {ID: ada.AuthID(), Superuser: true}, {}} {
			if got := list(t, users, s); got != " | " {
				t.Errorf("%+v has %q", s, got)
			}
		}
		g, err := users.Permissions(t.Context(), perm.Subject{ID: ada.AuthID(), Active: true, Superuser: true})
		if err != nil || g.Direct.Len() != 20 || g.Group.Len() != 20 || !g.Direct.Has("contenttypes.add_contenttype") {
			t.Errorf("a superuser has %d and %d, %v, want all 20", g.Direct.Len(), g.Group.Len(), err)
		}
	})
}

// TestPermissionsOutage: a table that is missing, or a server that is gone, is not "no".
func TestPermissionsOutage(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := openEmpty(t, empty)
		if _, err := db.Users().Permissions(t.Context(), perm.Subject{ID: "1", Active: true}); !errors.Is(err, userdb.ErrNoTables) {
			t.Errorf("got %v, want ErrNoTables", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if ok, err := perm.For(ctx, perm.Subject{ID: "1", Active: true}, db.Users()).Has("a.b"); ok || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", ok, err)
		}
	})
}

// TestEnsurePermissions: content types and permissions as Django's migrate makes them, made once, by many processes at once.
func TestEnsurePermissions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		models := []userdb.Model{
			{Name: "post", Verbose: "blog post", More: []perm.Permission{{Codename: "publish_post", Text: "Can publish"}}},
			{Name: "draft", Actions: []string{"view"}},
			{Name: "log", Actions: []string{}},
		}
		const processes = 8
		errs := make(chan error, processes)
		var start sync.WaitGroup
		start.Add(1)
		for range processes {
			go func() {
				start.Wait()
				errs <- db.EnsurePermissions(t.Context(), "blog", models...)
			}()
		}
		start.Done()
		for range processes {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		all, err := db.Permissions(t.Context())
		must(t, err)
		var got []string
		for _, p := range all {
			if p.App == "blog" {
				got = append(got, fmt.Sprintf("%s/%s: %s", p.Model, p.Name, p.Text))
			}
		}
		want := []string{
			"draft/blog.view_draft: Can view draft", "post/blog.add_post: Can add blog post", "post/blog.change_post: Can change blog post",
			"post/blog.delete_post: Can delete blog post", "post/blog.publish_post: Can publish", "post/blog.view_post: Can view blog post",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if n := text(t, db, "SELECT COUNT(*) FROM django_content_type WHERE app_label = 'blog'"); n != "3" {
			t.Errorf("%s content types, want 3: also one without permissions", n)
		}
		if len(all) != 20+len(want) {
			t.Errorf("%d permissions, want %d: four for each of Django's five models", len(all), 20+len(want))
		}
		exec(t, db, "UPDATE auth_permission SET name = 'Darf' WHERE codename = 'add_post'")
		before := text(t, db, "SELECT MAX(id) FROM auth_permission")
		must(t, db.EnsurePermissions(t.Context(), "blog", userdb.Model{Name: "post"}, userdb.Model{Name: "extra", Actions: []string{"view"}}))
		if got := text(t, db, "SELECT name FROM auth_permission WHERE codename = 'add_post'"); got != "Darf" {
			t.Errorf("a permission was renamed to %q", got)
		}
		if got := text(t, db, "SELECT COUNT(*) FROM auth_permission WHERE codename = 'publish_post'"); got != "1" {
			t.Error("a permission that the models no longer name was deleted")
		}
		var last, next int
		if fmt.Sscan(before, &last); last == 0 {
			t.Fatal(before)
		}
		fmt.Sscan(text(t, db, "SELECT id FROM auth_permission WHERE codename = 'view_extra'"), &next)
		if next <= last {
			t.Errorf("the new permission has id %d, after %d", next, last)
		}
	})
}

func TestEnsurePermissionsErrors(t *testing.T) {
	t.Parallel()
	db := open(t, testdb.New(t, "sqlite"))
	long := strings.Repeat("é", 101)
	for what, c := range map[string]struct {
		app    string
		model  userdb.Model
		column string
	}{
		"no app":         {"", userdb.Model{Name: "post"}, "app_label"},
		"a dot":          {"my.blog", userdb.Model{Name: "post"}, "app_label"},
		"long app":       {long, userdb.Model{Name: "post"}, "app_label"},
		"no model":       {"blog", userdb.Model{}, "model"},
		"upper case":     {"blog", userdb.Model{Name: "Post"}, "model"},
		"NUL":            {"blog", userdb.Model{Name: "po\x00st"}, "model"},
		"long codename":  {"blog", userdb.Model{Name: strings.Repeat("p", 96)}, "codename"},
		"long text":      {"blog", userdb.Model{Name: "post", Verbose: strings.Repeat("p", 250)}, "name"},
		"empty codename": {"blog", userdb.Model{Name: "post", More: []perm.Permission{{Text: "x"}}}, "codename"},
	} {
		var field *userdb.FieldError
		if err := db.EnsurePermissions(t.Context(), c.app, c.model); !errors.As(err, &field) || field.Column != c.column {
			t.Errorf("%s: got %v, want a FieldError of %s", what, err, c.column)
		}
	}
	if n := text(t, db, "SELECT COUNT(*) FROM auth_permission"); n != "20" {
		t.Errorf("%s permissions after refusals, want 20", n)
	}
}

// TestWithPermission: names are compared byte for byte on each database, and one that nobody has made is superusers' only.
func TestWithPermission(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		users := db.Users()
		root := create(t, db, userdb.NewUser{Username: "root", IsSuperuser: true})
		ada := create(t, db, userdb.NewUser{Username: "ada"})
		must(t, users.Grant(t.Context(), ada, "auth.view_user"))
		for name, want := range map[string][]int64{
			"auth.view_user": {root.ID, ada.ID}, "AUTH.view_user": {root.ID}, "auth.View_User": {root.ID}, "auth.view_user ": {root.ID},
			".": {root.ID}, "auth.nul\x00": {root.ID}, "auth.\xff": {root.ID},
		} {
			found, err := users.WithPermission(t.Context(), name, userdb.PermissionFilter{})
			var got []int64
			for _, u := range found {
				got = append(got, u.ID)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%q: got %v, %v, want %v", name, got, err, want)
			}
		}
		for _, name := range []string{"", "view_user", "auth.view.user"} {
			if _, err := users.WithPermission(t.Context(), name, userdb.PermissionFilter{}); !errors.Is(err, perm.ErrName) {
				t.Errorf("%q: got %v, want ErrName", name, err)
			}
		}
		if found, err := users.WithPermission(t.Context(), "auth.\xff", userdb.PermissionFilter{WithoutSuperusers: true}); len(found) > 0 || err != nil {
			t.Errorf("got %v, %v", found, err)
		}
	})
}

// TestPermissionStatements: whatever is asked of one user, the database is asked once, and for a superuser never.
func TestPermissionStatements(t *testing.T) {
	t.Parallel()
	empty := testdb.New(t, "sqlite")
	plain := open(t, empty)
	ada := create(t, plain, userdb.NewUser{Username: "ada"})
	must(t, plain.Users().Grant(t.Context(), ada, "auth.view_user"))
	connector, err := plain.Pool().Driver().(driver.DriverContext).OpenConnector("file:" + strings.TrimPrefix(empty.URL, "sqlite:"))
	must(t, err)
	var n atomic.Int64
	pool := sql.OpenDB(counter{connector, &n})
	t.Cleanup(func() { pool.Close() })
	db, err := userdb.New(pool, userdb.SQLite)
	must(t, err)
	ask := func(s perm.Subject) {
		p := perm.For(t.Context(), s, db.Users())
		for _, name := range []string{"auth.view_user", "auth.add_user", "blog.x"} {
			_, err := p.Has(name)
			must(t, err)
		}
		_, err := p.Module("auth")
		must(t, err)
	}
	for _, c := range []struct {
		s    perm.Subject
		want int64
	}{
		{subject(ada), 1},
		{perm.Subject{ID: "1", Active: true, Superuser: true}, 0},
		{perm.Subject{ID: "1"}, 0},
		{perm.Subject{}, 0},
	} {
		before := n.Load()
		if ask(c.s); n.Load()-before != c.want {
			t.Errorf("%+v took %d statements, want %d", c.s, n.Load()-before, c.want)
		}
	}
}
