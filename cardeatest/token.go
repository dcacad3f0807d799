package cardeatest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/userdb"
)

// Token makes a token of a user's with these scopes, or one that may do everything, and returns its text. The site needs APITokens.
func Token(t testing.TB, db *userdb.DB, u *userdb.User, scopes ...string) string {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{tokenauth.All}
	}
	_, secret, err := db.Tokens(db.Users()).MakeToken(context.Background(), tokenauth.Token{
		User: u.AuthID(), Name: "a test", Scopes: scopes, Created: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

// Program is a program on the same server: each of its requests carries the token and asks for JSON, and it follows redirects like a
// browser. It keeps whatever cookies it is given, so that a test can see that there are none.
func (b *Browser) Program(token string) *Browser {
	b.t.Helper()
	p := b.Another()
	p.bearer = token
	return p
}

// Send sends a request without a body by any method, such as POST.
func (b *Browser) Send(method, path string) *Browser {
	b.t.Helper()
	req, err := http.NewRequest(method, b.URL(path), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.Do(req)
}
