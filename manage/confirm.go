package manage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/userdb"
)

// confirmation is the flag of commands that cannot be undone.
type confirmation struct {
	Yes bool `short:"y" help:"Do not ask whether this is meant."`
}

// errUnchanged is the end of a command that somebody thought better of.
var errUnchanged = errors.New("nothing was changed")

// confirm asks whether what the sentence says is meant.
func (c confirmation) confirm(p *Program, sentence string) error {
	if c.Yes {
		return nil
	}
	q := p.prompt()
	if !q.interactive() {
		return errors.New("this cannot be undone, and there is no terminal to ask whether it is meant; add --yes if it is")
	}
	answer, err := q.line(sentence + " Type \"yes\" to go on: ")
	if err != nil {
		return err
	}
	if strings.TrimSpace(strings.ToLower(answer)) != "yes" {
		return errUnchanged
	}
	return nil
}

// withDB opens the database for a command. What goes wrong in it gets its cure.
func (s *Settings) withDB(ctx context.Context, f func(db *userdb.DB) error) error {
	if err := s.check(); err != nil {
		return err
	}
	db, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	return explain(f(db))
}

// withUser is withDB for a command about the user whom an argument names.
func (s *Settings) withUser(ctx context.Context, name string, f func(db *userdb.DB, u *userdb.User) error) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		u, err := findUser(ctx, db, name)
		if err != nil {
			return err
		}
		return f(db, u)
	})
}

// explain says what to do about the refusals of the database.
func explain(err error) error {
	cure := ""
	switch {
	case err == nil:
		return nil
	case errors.Is(err, userdb.ErrNoPermission):
		cure = "; see \"cardea permission list\""
	case errors.Is(err, userdb.ErrNoGroup):
		cure = "; see \"cardea group list\""
	case errors.Is(err, userdb.ErrReferenced):
		return errors.New("the user cannot be deleted, since rows of other tables of the site refer to it: delete those first, delete the user with Django, or shut the user out with \"cardea user deactivate\"")
	case errors.Is(err, auth.ErrNoUser):
		cure = "; somebody deleted the user meanwhile"
	}
	return errors.New(strings.TrimPrefix(err.Error(), "userdb: ") + cure)
}

// findUser finds whom an argument means: by user name, to the letter, or as id:7 by its key.
func findUser(ctx context.Context, db *userdb.DB, name string) (*userdb.User, error) {
	if id, ok := strings.CutPrefix(name, "id:"); ok {
		u, err := db.UserByID(ctx, id)
		if errors.Is(err, auth.ErrNoUser) {
			err = fmt.Errorf("there is no user with the id %q; see \"cardea user list\"", id)
		}
		return u, ours(err)
	}
	u, err := db.UserByName(ctx, name)
	switch {
	case errors.Is(err, auth.ErrNoUser):
		return nil, ours(fmt.Errorf("there is no user %q; see \"cardea user list\"", name))
	case err == nil && u.Username != name: // MySQL
		return nil, ours(fmt.Errorf("there is no user %q, but one is called %q", name, u.Username))
	}
	return u, err
}

// ours takes the type from an error that says all there is to say.
func ours(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(err.Error())
}

// sessionStore returns the store of sessions, which reads those that Django made when the secret key is known. Unlike serve it
// makes no key.
func (s *Settings) sessionStore(ctx context.Context, db *userdb.DB) (*userdb.SessionStore, error) {
	key := s.SecretKey
	if key == "" {
		text, err := os.ReadFile(s.SecretKeyFile)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("cannot read the secret key in %s: %w; set secret_key, or make the file readable for this user", s.SecretKeyFile, errors.Unwrap(err))
		}
		key = strings.TrimSpace(string(text))
	}
	cfg := userdb.SessionsConfig{Users: db.Users()}
	if key == "" {
		owner, err := db.Owner(ctx)
		if err != nil {
			return nil, err
		}
		if owner == userdb.OwnedByDjango {
			return nil, errors.New("without secret_key nobody can tell whose the sessions are that Django made: set it to the SECRET_KEY of the Django site")
		}
		return db.Sessions(nil, cfg), nil
	}
	codec, err := sessions.NewCodec(signing.Keys{Current: key, Fallbacks: s.SecretKeyFallbacks}, "", false)
	if err != nil {
		return nil, err
	}
	store := db.Sessions(codec, cfg)
	return store, s.dropCopies(store)
}
