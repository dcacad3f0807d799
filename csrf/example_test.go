package csrf_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/origin"
)

func Example() {
	visitors, err := origin.New(origin.Config{AllowedHosts: []string{"shop.example"}})
	if err != nil {
		log.Fatal(err)
	}
	forms, err := csrf.New(csrf.Config{})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<form method="post">%s<button>Buy</button></form>`, csrf.Field(r))
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "Bought.") })
	shop := visitors.Handler(forms.Handler(mux))

	shown := httptest.NewRecorder()
	shop.ServeHTTP(shown, httptest.NewRequest("GET", "https://shop.example/", nil))
	_, token, _ := strings.Cut(shown.Body.String(), `value="`)
	token, _, _ = strings.Cut(token, `"`)

	buy := func(from string) {
		form := url.Values{csrf.FieldName: {token}}
		r := httptest.NewRequest("POST", "https://shop.example/", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", from)
		for _, c := range shown.Result().Cookies() {
			r.AddCookie(c)
		}
		answer := httptest.NewRecorder()
		shop.ServeHTTP(answer, r)
		fmt.Println(from, answer.Code)
	}
	buy("https://shop.example")
	buy("https://evil.example")
	// Output:
	// https://shop.example 200
	// https://evil.example 403
}
