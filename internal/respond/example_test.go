package respond_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/cardea-go/cardea/internal/respond"
)

// Visits is a layer that counts visits in a cookie.
type visits struct{ next http.Handler }

type visit struct{ changed bool }

func (v *visits) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := respond.From(r.Context())
	mine := &visit{}
	x.Attach(v, mine)
	x.OnHeader(mine)
	v.next.ServeHTTP(w, r)
}

func (v *visit) BeforeHeader(x *respond.Exchange, status int) error {
	if v.changed && status < 500 {
		x.Header().Add("Set-Cookie", "visited=yes")
	}
	return nil
}

func Example() {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v, ok := respond.Find[*visit](r.Context()); ok {
			v.changed = true
		}
		io.WriteString(w, "Hello")
	})
	site := respond.Handler(&visits{app}, respond.Config{})

	res := httptest.NewRecorder()
	site.ServeHTTP(res, httptest.NewRequest("GET", "/", nil))
	fmt.Println(res.Header().Get("Set-Cookie"), res.Body)
	// Output: visited=yes Hello
}
