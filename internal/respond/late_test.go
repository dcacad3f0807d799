package respond_test

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/respond"
)

func here() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("caller=%s:%d", file, line)
}

func TestLateNamesTheCaller(t *testing.T) {
	t.Parallel()
	var l log
	var want string
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		x := respond.From(r.Context())
		var err error
		for range 3 {
			err, want = x.Late("session: set"), here()
			if !errors.Is(err, respond.ErrTooLate) || err.Error() != "session: set: the response header was already sent" {
				t.Errorf("got %v", err)
			}
		}
	})
	respond.Handler(app, l.config()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/page?token=hidden", nil))
	if strings.Count(l.String(), "\n") != 1 || !strings.Contains(l.String(), want) {
		t.Errorf("got log\n%s, want one line with %q", l.String(), want)
	}
	if !strings.Contains(l.String(), `op="session: set"`) || strings.Contains(l.String(), "hidden") {
		t.Errorf("got log\n%s", l.String())
	}
}

func TestLateFromATemplateNamesWhoExecutesIt(t *testing.T) {
	t.Parallel()
	var l log
	var want string
	page := template.Must(template.New("page").Parse(`{{.Late "user: read"}}`))
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		var err error
		err, want = page.Execute(w, respond.From(r.Context())), here()
		if err != nil {
			t.Error(err)
		}
	})
	respond.Handler(app, l.config()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if !strings.Contains(l.String(), want) {
		t.Errorf("got log %q, want %q in it", l.String(), want)
	}
}

func TestWhoseCodeIsTheApps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		function, file string
		want           bool
	}{
		{"main.main.func1", "main.go", true}, // an example, a command, or an app
		{"example.org/shop/web.(*app).login", "web.go", true},
		{"github.com/cardea-go/cardea.(*Site[...]).Render", "cardea.go", false},
		{"github.com/cardea-go/cardea/sessions.(*Session).Get", "session.go", false},
		{"github.com/cardea-go/cardea/sessions.Key[...].Get", "key.go", false},
		{"github.com/cardea-go/cardea/sessions_test.TestLate.func1", "session_test.go", true},
		{"github.com/cardea-go/cardea/sessions.testHelper", "/src/sessions/inner_test.go", true},
		{"github.com/cardea-go/cardea/examples/tutorial/views.Login", "views.go", true},
		{"github.com/cardea-go/cardealike.Handler", "x.go", true},
		{"net/http.Error", "server.go", false},
		{"net/http.HandlerFunc.ServeHTTP", "server.go", false},
		{"net/http/httputil.(*ReverseProxy).ServeHTTP", "reverseproxy.go", false},
		{"reflect.Value.Call", "value.go", false},
		{"text/template.(*state).evalCall", "exec.go", false},
		{"runtime.goexit", "asm.s", false},
		{"", "", false},
	} {
		if got := respond.IsApp(tt.function, tt.file); got != tt.want {
			t.Errorf("%s in %s: got %v, want %v", tt.function, tt.file, got, tt.want)
		}
	}
}

func TestSuperfluousWriteHeaderIsLogged(t *testing.T) {
	t.Parallel()
	var l log
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		http.Error(w, "again", 500)
	})
	rec := httptest.NewRecorder()
	respond.Handler(app, l.config()).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if rec.Code != 200 || !strings.Contains(l.String(), "op=WriteHeader") || !strings.Contains(l.String(), "late_test.go:") {
		t.Errorf("got %d, log %q", rec.Code, l.String())
	}
}
