package tokenauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cardea-go/cardea/perm"
)

// All is the scope of a token that may do whatever its owner may.
const All = "all"

// ErrNotFound is the answer when there is no such token.
var ErrNotFound = errors.New("no such token")

// A Token is what is known of a token. Nothing in it opens anything.
type Token struct {
	ID       string
	User     string // the id of its owner
	Name     string // what it is for, in its owner's words
	Hint     string // how its text begins
	Scopes   []string
	Created  time.Time
	Expires  time.Time // zero: never
	LastUsed time.Time // to within a few minutes; zero: never
	Attached any       // its owner, loaded on the way; a hint
}

// Expired reports whether the token's time is up.
func (t Token) Expired(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

// Limit returns what the token may do at most, or nil for all that its owner may.
func (t Token) Limit() *perm.Set {
	if slices.Contains(t.Scopes, All) {
		return nil
	}
	set := perm.NewSet(t.Scopes...)
	return &set
}

// MaxName is how many characters the name of a token may have.
const MaxName = 100

// Check reports what is wrong with a token that is to be made: its name or its scopes.
func (t Token) Check() error {
	name := strings.TrimSpace(t.Name)
	switch {
	case name == "":
		return &Invalid{Field: "name", Text: "Enter a name, so that you know later what the token is for."}
	case utf8.RuneCountInString(name) > MaxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return &Invalid{Field: "name", Text: fmt.Sprintf("Enter a name of at most %d characters.", MaxName)}
	case len(t.Scopes) == 0:
		return &Invalid{Field: "scopes", Text: "Choose what the token may do."}
	case slices.Contains(t.Scopes, All) && len(t.Scopes) > 1:
		return &Invalid{Field: "scopes", Text: "Choose either everything or single permissions."}
	case !t.Expires.IsZero() && !t.Expires.After(t.Created):
		return &Invalid{Field: "expires", Text: "Choose an end that is still to come."}
	}
	for _, scope := range t.Scopes {
		if scope == All {
			continue
		}
		if app, codename, err := perm.Split(scope); err != nil || app == "" || codename == "" || strings.ContainsFunc(scope, unicode.IsSpace) {
			return &Invalid{Field: "scopes", Text: fmt.Sprintf("%q is not the name of a permission, such as \"blog.add_post\".", scope)}
		}
	}
	return nil
}

// An Invalid is what somebody who makes a token can mend.
type Invalid struct {
	Field string // "name", "scopes" or "expires"
	Text  string // a sentence
}

func (e *Invalid) Error() string { return "tokenauth: " + e.Text }

// A Store finds tokens. It may be called concurrently. Any error but ErrNotFound is an outage.
type Store interface {
	// FindToken returns the token of this secret, expired or not, with its owner if that costs no second statement; or ErrNotFound.
	// It finds by a hash, and keeps nothing else.
	FindToken(ctx context.Context, secret Secret) (Token, error)
	// TokenUsed notes that a token was used at now, unless it was noted later than since.
	TokenUsed(ctx context.Context, id string, now, since time.Time) error
}

// A Keeper makes and ends tokens. It may be called concurrently.
type Keeper interface {
	// MakeToken stores t, apart from its ID, Hint and LastUsed, and returns it with them, and its secret, which nobody can ask for again.
	// The owner has to be there and active, else auth.ErrNoUser.
	MakeToken(ctx context.Context, t Token) (Token, Secret, error)
	// Tokens returns the tokens of a user, the newest first, expired ones too.
	Tokens(ctx context.Context, user string) ([]Token, error)
	// EndToken deletes a token of a user, or ErrNotFound.
	EndToken(ctx context.Context, user, id string) error
	// EndTokens deletes all tokens of a user, and returns how many there were.
	EndTokens(ctx context.Context, user string) (int, error)
}
