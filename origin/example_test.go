package origin_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/cardea-go/cardea/origin"
)

func Example() {
	o, err := origin.New(origin.Config{
		AllowedHosts:   []string{"shop.example"},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	})
	if err != nil {
		log.Fatal(err)
	}
	site := o.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visitor := origin.From(r)
		fmt.Println(visitor.Addr, "at", visitor.URL()+visitor.Path)

		next, ok := visitor.SafeNext(r.URL.Query().Get("next"))
		if !ok {
			next = "/"
		}
		if err := origin.Redirect(w, r, next, http.StatusSeeOther); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))

	for _, next := range []string{"/cart/", "//evil.example/"} {
		r := httptest.NewRequest("POST", "/login/?next="+next, nil)
		r.Host, r.RemoteAddr = "shop.example", "10.0.0.1:4711"
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		r.Header.Set("X-Forwarded-Proto", "https")
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Location"))
	}
	// Output:
	// 203.0.113.9 at https://shop.example/login/?next=/cart/
	// 303 /cart/
	// 203.0.113.9 at https://shop.example/login/?next=//evil.example/
	// 303 /
}
