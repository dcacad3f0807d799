package beside_test

import (
	"strings"

	"github.com/cardea-go/cardea/integration/beside"
	"github.com/cardea-go/cardea/integration/harness"
)

// command runs a command of cardea that has to succeed.
func (c *cell) command(args ...string) string {
	c.Helper()
	return harness.MustRun(c, c.Cardea(c, c.config, nil, args...))
}

// inactive: who is shut out at A is out at B at the next request, and cannot log in there.
func inactive(c *cell) {
	b := c.loggedIn(c.b)
	key := c.inTable(b, beside.SecretKey)
	c.both(b, c.user)
	if c.a == djangoSide {
		c.django.Do(c, "deactivate", "user", c.user)
	} else {
		c.command("user", "deactivate", c.user)
	}
	if n := c.count("auth_user WHERE username = ? AND NOT is_active", c.user); n != 1 {
		c.Fatal("the user is active in the table")
	}
	c.both(b, "")
	for _, at := range []side{c.b, c.a} {
		c.refused(at, c.password)
	}
	// To Django a session of somebody inactive is asleep; cardea ends it for good.
	_, asleep := c.sessionRow(key)
	if asleep != (c.a == djangoSide) {
		c.Errorf("the session is in the table: %v", asleep)
	}
	if c.a == djangoSide {
		c.django.Do(c, "activate", "user", c.user)
		c.both(b, c.user)
		return
	}
	c.command("user", "activate", c.user)
	c.both(b, "")
	c.both(c.loggedIn(c.b), c.user)
}

// deleted: who is deleted at A is nobody at B, and nothing of the user stays in any table.
func deleted(c *cell) {
	b, elsewhere := c.loggedIn(c.b), c.loggedIn(c.a)
	c.both(b, c.user)
	c.django.Do(c, "join", "user", c.user, "group", "of "+c.user, "perm", "auth.add_group")
	var id string
	c.one("SELECT id FROM auth_user WHERE username = ?", []any{c.user}, &id)
	if c.a == djangoSide {
		c.django.Do(c, "delete", "user", c.user)
	} else {
		c.command("user", "delete", c.user, "--yes")
	}
	for _, from := range []string{"auth_user WHERE id = ?", "auth_user_groups WHERE user_id = ?"} {
		if n := c.count(from, id); n != 0 {
			c.Errorf("%d rows are left: %s", n, from)
		}
	}
	c.both(b, "")
	c.both(elsewhere, "")
	c.refused(c.b, c.password)
}

// permissions: what is granted or taken at A counts at B at the next request.
func permissions(c *cell) {
	b := c.loggedIn(c.b)
	const direct, grouped = "auth.change_group", "auth.delete_group"
	group := "group of " + c.user
	change := func(what string) {
		c.Helper()
		switch django := c.a == djangoSide; what {
		case "grant", "revoke":
			if django {
				c.django.Do(c, what, "user", c.user, "perm", direct)
			} else {
				c.command("permission", what, c.user, direct)
			}
		case "join":
			if django {
				c.django.Do(c, what, "user", c.user, "group", group, "perm", grouped)
			} else {
				c.command("group", "create", group)
				c.command("group", "grant", group, grouped)
				c.command("user", "groups", c.user, "--add", group)
			}
		case "leave":
			if django {
				c.django.Do(c, what, "user", c.user, "group", group)
			} else {
				c.command("user", "groups", c.user, "--remove", group)
			}
		}
	}
	seen := func(perm, want string) {
		c.Helper()
		if c.b == djangoSide {
			c.visit(b, c.b, "/may/?perm="+perm).Sees("Django: " + perm + " " + want)
			return
		}
		b.Visit("/go/may?perm=" + perm).Sees("Cardea: " + perm + " " + want)
		if got := strings.Contains(c.command("permission", "list", "--user", c.user), perm); got != (want == "yes") {
			c.Errorf("cardea permission list names %s: %v", perm, got)
		}
	}
	seen(direct, "no")
	seen(grouped, "no")
	change("grant")
	seen(direct, "yes")
	if n := c.count("auth_user_user_permissions p JOIN auth_user u ON u.id = p.user_id WHERE u.username = ?", c.user); n != 1 {
		c.Errorf("%d permissions in the table, want 1", n)
	}
	change("join")
	seen(grouped, "yes")
	if n := c.count("auth_user_groups g JOIN auth_user u ON u.id = g.user_id WHERE u.username = ?", c.user); n != 1 {
		c.Errorf("%d groups in the table, want 1", n)
	}
	change("revoke")
	seen(direct, "no")
	change("leave")
	seen(grouped, "no")
	if n := c.count("auth_user_groups g JOIN auth_user u ON u.id = g.user_id WHERE u.username = ?", c.user); n != 0 {
		c.Errorf("%d groups in the table, want none", n)
	}
}

// superuser: the administrator whom A's command makes logs in at B and may do everything there.
func superuser(c *cell) {
	c.user, c.email, c.password = c.user+"root", c.user+"root@example.com", secondPassword
	env := []string{"DJANGO_SUPERUSER_USERNAME=" + c.user, "DJANGO_SUPERUSER_EMAIL=" + c.email, "DJANGO_SUPERUSER_PASSWORD=" + c.password}
	if c.a == djangoSide {
		c.Manage(c, env, "createsuperuser", "--noinput")
	} else {
		create := c.Cardea(c, c.config, nil, "createsuperuser", "--noinput")
		create.Env = env
		harness.MustRun(c, create)
	}
	if n := c.count("auth_user WHERE username = ? AND is_superuser AND is_staff AND is_active AND email = ?", c.user, c.email); n != 1 {
		c.Fatal("there is no such administrator in the table")
	}
	before := c.stored()
	b := c.loggedIn(c.b)
	c.both(b, c.user)
	c.visit(b, djangoSide, "/may/?perm=any.thing").Sees("any.thing yes")
	b.Visit("/go/may?perm=any.thing").Sees("any.thing yes")
	if after := c.stored(); after != before {
		c.Errorf("logging in changed the password in the table from %q to %q", before, after)
	}
}

// fiveLogins: logging in at the one and the other by turns changes no byte of the password, so that all five stay logged in.
func fiveLogins(c *cell) {
	c.now = c.costlier // what passwords cost by default
	c.loginAnew(c.b)
	before := c.stored()
	var keys []string
	first := c.loggedIn(c.a)
	keys = append(keys, first.Cookie("sessionid"))
	for _, at := range []side{c.b, c.a, c.b, c.a} {
		keys = append(keys, c.loggedIn(at).Cookie("sessionid"))
		if after := c.stored(); after != before {
			c.Fatalf("log-in %d, at %s, changed the password in the table from %q to %q", len(keys), at.name, before, after)
		}
	}
	for _, key := range keys {
		if _, ok := c.sessionRow(key); !ok {
			c.Errorf("the session %q is gone", key)
		}
	}
	c.both(first, c.user)
}

// otherSpelling: who writes a name in capitals or with a blank is let in or not, at both alike. MariaDB finds capitals, the others do not;
// both sides take blanks at the ends away.
func otherSpelling(c *cell) {
	for spelled, in := range map[string]bool{
		strings.ToUpper(c.user): c.DB.Kind == "mysql",
		c.user + " ":            true,
		" " + c.user:            true,
		c.user + "\u00a0":       true,
		c.user + "x":            false,
	} {
		for _, at := range []side{c.a, c.b} {
			b := c.visit(c.browser(), at, loginPath).Fill("username", spelled).Fill("password", c.password).Submit()
			if got := strings.Contains(b.Body, at.sees(c.user)); got != in {
				c.Fatalf("%q is let in at %s: %v, want %v\n%s", spelled, at.name, got, in, b.Body)
			}
			if in {
				c.inTable(b, beside.SecretKey)
			}
		}
	}
}
