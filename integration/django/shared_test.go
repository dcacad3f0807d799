package django_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
)

// Two people: one whom Django makes and one whom cardea makes.
const (
	djangos, djangosPassword = "grace", "compilers are kind"
	cardeas, cardeasPassword = "lovelace", "the engine weaves"
)

// TestCardeaFirst: on a database whose tables cardea made, Django finds nothing to do, and each knows the users of the other.
func TestCardeaFirst(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		if out, status := s.manage("migrate", "--check"); status == 0 {
			t.Fatalf("the control: Django's migrate --check finds nothing to do in an empty database\n%s", out)
		}
		harness.MustRun(t, s.cardea(s.shared(), "migrate"))
		s.agreed()
		if out := s.mustManage("migrate"); !strings.Contains(out, "No migrations to apply") {
			t.Errorf("Django's migrate: %s", out)
		}
		for _, name := range s.tables() {
			if !slices.Contains(strings.Fields(djangoTables), name) && !strings.HasPrefix(name, "cardea_") {
				t.Errorf("there is a table %s", name)
			}
		}
		s.knowEachOther()
		s.agreed()
	})
}

// djangoTables are those that Django's migrate makes for the site of these tests.
const djangoTables = `auth_group auth_group_permissions auth_permission auth_user auth_user_groups auth_user_user_permissions
	django_content_type django_migrations django_session`

// TestDjangoFirst: a database that Django made is not touched before a profile is named, and after that nothing of Django's is.
func TestDjangoFirst(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.mustManage("migrate")
		s.tool("make", "katherine", "orbits by hand")
		before := s.dump()
		if tables := s.tables(); !slices.Equal(tables, strings.Fields(djangoTables)) {
			t.Fatalf("Django made %q", tables)
		}
		s.exec("CREATE INDEX control ON auth_user (email)")
		if s.dump() == before || !strings.Contains(before, "katherine@example.com") {
			t.Fatalf("the control: the dump does not notice a new index, or has no rows:\n%s", before)
		}
		s.exec(map[bool]string{true: "DROP INDEX control ON auth_user", false: "DROP INDEX control"}[s.db.Kind == "mysql"])

		for _, args := range [][]string{
			{"serve", "--addr", "127.0.0.1:0"},
			{"migrate"},
			{"createsuperuser", "--noinput", "--username", "mallory"},
		} {
			out, status := harness.Run(t, s.cardea(nil, args...))
			if status == 0 || strings.Count(out, "\n") != 1 || !strings.Contains(out, "made by Django") || !strings.Contains(out, "profile") {
				t.Errorf("cardea %s without a profile: status %d, %q; want one line that says why and what to do", args[0], status, out)
			}
			if s.dump() != before || !slices.Equal(s.tables(), strings.Fields(djangoTables)) {
				t.Fatalf("cardea %s without a profile changed the database", args[0])
			}
		}

		out := harness.MustRun(t, s.cardea(s.shared(), "migrate"))
		if !strings.Contains(out, "created cardea_session") {
			t.Errorf("cardea migrate: %q", out)
		}
		if after := s.dump(); after != before {
			t.Errorf("cardea migrate changed Django's tables:\n%s\nbefore:\n%s", after, before)
		}
		if out := harness.MustRun(t, s.cardea(s.shared(), "migrate")); out != "Nothing to do.\n" {
			t.Errorf("cardea migrate, again: %q", out)
		}
		s.agreed()
		s.knowEachOther()
		s.agreed()
	})
}

// knowEachOther checks that a user whom Django makes can log in at cardea, one whom cardea makes can log in at Django, and that
// both see one session.
func (s *site) knowEachOther() {
	t := s.t
	t.Helper()
	if got := strings.TrimSpace(s.tool("make", djangos, djangosPassword)); got != "pbkdf2_sha256" {
		t.Errorf("Django hashed with %s", got)
	}
	create := s.cardea(s.shared(), "createsuperuser", "--noinput")
	create.Env = append(create.Env, "DJANGO_SUPERUSER_USERNAME="+cardeas, "DJANGO_SUPERUSER_EMAIL="+cardeas+"@example.com", "DJANGO_SUPERUSER_PASSWORD="+cardeasPassword)
	harness.MustRun(t, create)
	for _, who := range []struct{ name, password, want string }{
		{djangos, djangosPassword, djangos},
		{cardeas, cardeasPassword, cardeas},
		{cardeas, djangosPassword, "nobody"},
	} {
		if got := strings.TrimSpace(s.tool("check", who.name, who.password)); got != who.want {
			t.Errorf("Django's authenticate of %s: %s, want %s", who.name, got, who.want)
		}
	}

	const hashes = "SELECT username, password FROM auth_user ORDER BY 1"
	before := s.query(hashes)
	cardea := harness.Start(t, s.cardea(s.shared(), "serve", "--addr", "127.0.0.1:0")).Ready()[1]
	django := harness.Start(t, s.django("tool.py", "serve")).Ready()[1]
	for _, who := range []struct{ name, password string }{{djangos, djangosPassword}, {cardeas, cardeasPassword}} {
		s.inAtCardea(cardea, django, who.name, who.password)
		s.inAtDjango(cardea, django, who.name, who.password)
	}
	if after := s.query(hashes); after != before {
		t.Errorf("logging in changed the stored passwords, which the costs of Django %s do not ask for:\n%s\nbefore:\n%s", s.version, after, before)
	}
}

// inAtCardea logs in at cardea, is known at Django by the same cookie, and logs out there.
func (s *site) inAtCardea(cardea, django, name, password string) {
	t := s.t
	t.Helper()
	b := cardeatest.Open(t, cardea)
	b.Visit("/accounts/profile/").AtPath("/accounts/login/")
	b.Fill("username", name).Fill("password", password+"!").Submit().Sees("do not match")
	b.Fill("username", name).Fill("password", password).Submit().AtPath("/accounts/profile/").Sees(name + "@example.com")
	key := b.Cookie("sessionid")
	if got := strings.TrimSpace(s.tool("session", key)); got != name {
		t.Errorf("logged in as %s at cardea, Django's get_user finds %s", name, got)
	}
	b.Visit(django + "/").HasStatus(200).Sees("Django sees " + name)
	b.Press("Log out").Sees("Logged out")
	b.Visit(django + "/").Sees("Django sees nobody")
	b.Visit(cardea + "/accounts/profile/").AtPath("/accounts/login/").SeesNot(name)
	if got := strings.TrimSpace(s.tool("session", key)); got != "nobody" {
		t.Errorf("logged out at Django, its get_user still finds %s", got)
	}
}

// inAtDjango logs in at Django, is known at cardea by the same cookie, and logs out there.
func (s *site) inAtDjango(cardea, django, name, password string) {
	t := s.t
	t.Helper()
	b := cardeatest.Open(t, django)
	b.Visit("/accounts/login/").Fill("username", name).Fill("password", password).Submit().AtPath("/").Sees("Django sees " + name)
	key := b.Cookie("sessionid")
	b.Visit(cardea + "/accounts/profile/").AtPath("/accounts/profile/").Sees(name + "@example.com")
	b.Press("Log out").Sees("You are logged out.")
	if got := strings.TrimSpace(s.tool("session", key)); got != "nobody" {
		t.Errorf("logged out at cardea, Django's get_user still finds %s", got)
	}
	b.Visit(django + "/").Sees("Django sees nobody")
}
