package browser_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// TestNextOnAnotherHost: a log-in leads to a program on another host where a rule of forward authentication names it, past the browser's own
// rules about where forms may lead, and nowhere else.
func TestNextOnAnotherHost(t *testing.T) {
	t.Parallel()
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>The program</title><main>The program at " + r.URL.Path + "</main>"))
	}))
	t.Cleanup(program.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(program.URL, "http://"), ":")
	for _, named := range []bool{true, false} {
		db := testdb.New(t, "sqlite")
		harness.Migrated(t, db, "lena")
		host := "app.test:" + port
		if !named {
			host = "other.test:" + port
		}
		file := filepath.Join(t.TempDir(), "site.toml")
		text := "trusted_proxies = [\"127.0.0.1\"]\nallowed_hosts = [\".test\", \"127.0.0.1\"]\n[[forward]]\nhost = \"" + host + "\"\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := harness.Serve{DB: db.URL, Env: []string{"CARDEA_CONFIG=" + file, harness.CheapHashing, placesToHash}}.Start(t)
		b := openUnwatched(t, s.URL) // it goes elsewhere
		b.visit("/accounts/login/?next=http://app.test:" + port + "/page")
		b.write("username", "lena")
		b.write("password", harness.Password)
		b.status("log in", 200, b.press("Log in"))
		if named {
			b.at("/page")
			b.sees("The program at /page")
		} else {
			b.at("/accounts/profile/")
		}
	}
}
