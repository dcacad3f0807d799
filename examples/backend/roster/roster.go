// Package roster is a back end of one's own: the members of a club, in a file that another program writes. The two methods at the end
// are all that makes it one; the rest reads the file.
package roster

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
)

// Issuer stands in the identities of members, and in the userdb.IdentityPolicy that says how they become users.
const Issuer = "roster"

// A Backend knows the members in a file. A line of it is NUMBER:NAME:ADDRESS:PASSWORD, the password as Django stores it.
type Backend struct {
	file    string
	hashers *password.Hashers
}

// New makes a back end over a file, which is read at each log-in, so that a member who leaves is out at once.
func New(file string, hashers *password.Hashers) *Backend { return &Backend{file, hashers} }

// A member is one line of the file. The number is never given to somebody else; a name may be.
type member struct{ number, name, email, password string }

var errNobody = errors.New("roster: no such member")

// find returns the member of that name, or errNobody.
func (b *Backend) find(name string) (member, error) {
	text, err := os.ReadFile(b.file)
	if err != nil {
		return member{}, err
	}
	for line := range strings.Lines(string(text)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 4)
		if len(part) == 4 && part[1] == name {
			return member{part[0], part[1], part[2], part[3]}, nil
		}
	}
	return member{}, errNobody
}

// Name is what sessions record. It never changes.
func (b *Backend) Name() string { return "roster" }

// Authenticate says whose name and password these are. Not ours, unknown and wrong are ErrNoMatch, so that the next back end is asked, and
// cost the same work; a file that cannot be read is an error, so that nobody is told that the password is wrong.
func (b *Backend) Authenticate(r *http.Request, creds any) (*auth.Identity, error) {
	typed, ok := creds.(auth.Password)
	if !ok {
		return nil, auth.ErrNoMatch
	}
	ctx := r.Context()
	m, err := b.find(typed.Username)
	if errors.Is(err, errNobody) {
		if err := b.hashers.Decoy(ctx, typed.Password); err != nil {
			return nil, fmt.Errorf("roster: %w", err)
		}
		return nil, auth.ErrNoMatch
	}
	if err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	right, _, err := b.hashers.Check(ctx, typed.Password, m.password)
	if err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	if !right {
		return nil, auth.ErrNoMatch
	}
	return &auth.Identity{Issuer: Issuer, Subject: m.number, Name: m.name, Email: m.email, Methods: []string{"pwd"}}, nil
}
