package sessions_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
)

const visits = sessions.Key[int]("visits")

func hello(w http.ResponseWriter, r *http.Request) {
	s := sessions.From(r)
	if err := visits.Update(s, func(n int) int { return n + 1 }); err != nil {
		http.Error(w, "The visit was not counted.", http.StatusServiceUnavailable)
		return
	}
	n, _ := visits.Get(s)
	fmt.Fprintf(w, "visit %d", n)
}

func Example() {
	o, err := origin.New(origin.Config{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := sessions.New(memstore.New(memstore.Config{}), sessions.Config{})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(o.Handler(m.Handler(http.HandlerFunc(hello))))
	defer server.Close()

	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	for range 3 {
		res, err := browser.Get(server.URL)
		if err != nil {
			log.Fatal(err)
		}
		var word string
		var n int
		fmt.Fscan(res.Body, &word, &n)
		res.Body.Close()
		fmt.Println(word, n)
	}
	// Output:
	// visit 1
	// visit 2
	// visit 3
}
