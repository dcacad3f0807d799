package account

import (
	"context"
	"errors"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/mail"
)

// tokenNotice is what the outbox holds of a token that was made: its name, and nothing of it.
type tokenNotice struct {
	User  string `json:"user"`
	Name  string `json:"name"`
	Base  string `json:"base"`
	Asked Asked  `json:"asked"`
}

// TokenMade tells the owner of an account by mail that a token for a program was made, if there is an address.
func (s *Service) TokenMade(ctx context.Context, id, name, base string, asked Asked) error {
	u, err := s.tables.Users.ByID(ctx, id)
	if err != nil || u.Email == "" {
		return outage("look up the user", err)
	}
	return outage("put a mail into the outbox", s.enqueue(ctx, s.tables.Outbox, KindTokenMade, tokenNotice{User: id, Name: name, Base: base, Asked: asked}))
}

func (s *Service) composeTokenMade(ctx context.Context, about tokenNotice) ([]*mail.Message, error) {
	u, err := s.tables.Users.ByID(ctx, about.User)
	switch {
	case errors.Is(err, auth.ErrNoUser) || err == nil && u.Email == "":
		return nil, nil
	case err != nil:
		return nil, err
	}
	l := s.letter(about.Base, about.Asked, &u)
	l.Link, l.Token = l.Home+"tokens/", about.Name
	return s.one("token_made", u.Email, l)
}
