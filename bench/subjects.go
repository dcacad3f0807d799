package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"

	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/userdb"
)

// A subject answers "/" with a greeting to the user whose cookie it gave out.
type subject struct {
	handler http.Handler
	cookie  string
}

// names are the subjects in the order of the table.
func names() []string {
	all := []string{"bare handler"}
	for _, d := range drivers {
		all = append(all, "scs + SELECT, "+d.name, "cardea, "+d.name)
	}
	return all
}

func newSubject(dir, name string) (*subject, error) {
	for _, d := range drivers {
		switch name {
		case "scs + SELECT, " + d.name:
			return scsSubject(dir, d)
		case "cardea, " + d.name:
			return cardeaSubject(dir, d)
		}
	}
	return &subject{handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "Hello, ada")
	})}, nil
}

// visit makes a request as the client does, within the process.
func visit(h http.Handler, path, cookie string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:4321"
	r.Header.Set("Accept", "text/html")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// cookies logs in and returns the cookies as a browser sends them.
func cookies(h http.Handler) (string, error) {
	w := visit(h, "/login", "")
	var all []string
	for _, c := range w.Result().Cookies() {
		all = append(all, c.Name+"="+c.Value)
	}
	if len(all) == 0 {
		return "", fmt.Errorf("the log-in answered %d %s", w.Code, w.Body)
	}
	return strings.Join(all, "; "), nil
}

// open opens a database with one user, ada.
func open(dir, name string, driver sqliteDriver) (*sql.DB, *userdb.DB, error) {
	pool, err := driver.open(filepath.Join(dir, name+"-"+driver.name+".db"))
	if err != nil {
		return nil, nil, err
	}
	pool.SetMaxOpenConns(clients) // as many as ask at once, kept open, for both
	pool.SetMaxIdleConns(clients)
	db, err := userdb.New(pool, userdb.SQLite)
	if err != nil {
		return nil, nil, err
	}
	ctx := context.Background()
	if _, err := db.Migrate(ctx, userdb.MigrateOptions{}); err != nil {
		return nil, nil, err
	}
	encoded, err := cardeatest.Hashers().Make(ctx, "correct horse")
	if err != nil {
		return nil, nil, err
	}
	_, err = db.CreateUser(ctx, userdb.NewUser{Username: "ada", PasswordHash: encoded})
	return pool, db, err
}

// scsSubject is the usual glue: scs for the session, a SELECT for the user.
func scsSubject(dir string, driver sqliteDriver) (*subject, error) {
	pool, _, err := open(dir, "scs", driver)
	if err != nil {
		return nil, err
	}
	if _, err := pool.Exec("CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)"); err != nil {
		return nil, err
	}
	manager := scs.New()
	manager.Store = sqlite3store.NewWithCleanupInterval(pool, 0)
	h := manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			manager.Put(r.Context(), "user", 1)
			return
		}
		var username string
		err := pool.QueryRowContext(r.Context(), "SELECT username FROM auth_user WHERE id = ? AND is_active", manager.GetInt(r.Context(), "user")).Scan(&username)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, "Hello, "+username)
	}))
	cookie, err := cookies(h)
	return &subject{handler: h, cookie: cookie}, err
}

// cardeaSubject is the whole stack: Required, user, messages and CSRF token.
func cardeaSubject(dir string, driver sqliteDriver) (*subject, error) {
	_, db, err := open(dir, "cardea", driver)
	if err != nil {
		return nil, err
	}
	cfg := cardeatest.Config()
	cfg.Logger = slog.New(slog.DiscardHandler)
	site, err := cardea.New(db, cfg)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		user, err := db.UserByName(r.Context(), "ada")
		if err == nil {
			err = site.Auth.Login(r, site.Auth.Trust(user, userdb.ModelBackend))
		}
		if err != nil {
			site.Error(w, r, err)
		}
	})
	mux.Handle("GET /{$}", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := site.Auth.User(r)
		if list := messages.Take(r); len(list) > 0 {
			http.Error(w, "a message nobody left", http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, "Hello, "+user.Username+" "+csrf.Token(r))
	})))
	h := site.Handler(mux)
	cookie, err := cookies(h)
	return &subject{handler: h, cookie: cookie}, err
}
