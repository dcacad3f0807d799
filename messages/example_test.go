package messages_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/signing"
)

func Example() {
	visitors, err := origin.New(origin.Config{AllowedHosts: []string{"shop.example"}})
	if err != nil {
		log.Fatal(err)
	}
	notices, err := messages.New(messages.Config{
		Storage: messages.Cookie,
		Keys:    signing.Keys{Current: "a long random secret"},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /save", func(w http.ResponseWriter, r *http.Request) {
		if err := messages.Success(r, "Saved."); err != nil {
			log.Print(err)
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		for _, m := range messages.Take(r) {
			fmt.Fprintf(w, `<p class="%s">%s</p>`, m.Tags(), m.HTML())
		}
	})
	site := visitors.Handler(notices.Handler(mux))

	saved := httptest.NewRecorder()
	site.ServeHTTP(saved, httptest.NewRequest("POST", "https://shop.example/save", nil))
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	for _, c := range saved.Result().Cookies() {
		r.AddCookie(c)
	}
	shown := httptest.NewRecorder()
	site.ServeHTTP(shown, r)
	fmt.Println(shown.Body)
	// Output: <p class="success">Saved.</p>
}
