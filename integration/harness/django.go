package harness

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/testdb"
)

// Django is a Python that can import that version of Django, such as "5.2". It skips the test where there is none.
func Django(t testing.TB, version string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cache, "cardea", "django", version, "python")
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CARDEA_TEST_REQUIRE") == "1" {
			t.Fatalf("no Django %s (scripts/django.sh fetches it): %v", version, err)
		}
		t.Skipf("no Django %s (scripts/django.sh fetches it): %v", version, err)
	}
	return path
}

// DjangoDatabase is a database as Django's settings name it.
func DjangoDatabase(t testing.TB, db testdb.DB) map[string]string {
	t.Helper()
	if db.Kind == "sqlite" {
		return map[string]string{"ENGINE": "django.db.backends.sqlite3", "NAME": strings.TrimPrefix(db.URL, "sqlite:")}
	}
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	engine := map[string]string{"postgres": "django.db.backends.postgresql", "mysql": "django.db.backends.mysql"}[db.Kind]
	password, _ := u.User.Password()
	return map[string]string{
		"ENGINE": engine, "NAME": strings.TrimPrefix(u.Path, "/"),
		"HOST": u.Hostname(), "PORT": u.Port(), "USER": u.User.Username(), "PASSWORD": password,
	}
}
