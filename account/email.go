package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/mail"
)

// RequestEmailChange asks for a mail with a link to the new address of a user, which becomes the user's address once the link is
// used; until then nothing changes. The present address is told at once. It asks for the present password, so that a borrowed
// session cannot take the account away. A request ends the ones before. Whether the new address is somebody's is not told.
func (s *Service) RequestEmailChange(ctx context.Context, id, present, email, base string, asked Asked) error {
	u, err := s.tables.Users.ByID(ctx, id)
	if err != nil {
		return outage("look up the user", err)
	}
	if !u.Active {
		return auth.ErrNoUser
	}
	var found Invalid
	email, err = s.address(email)
	var problem *Invalid
	if errors.As(err, &problem) {
		found = *problem
	} else if email == u.Email {
		found.add("email", "This is your address already. Enter the new one.")
	}
	ok, err := s.knows(ctx, u, present, asked)
	switch {
	case err != nil:
		return err
	case !ok:
		found.add("password", "Enter your present password.")
	}
	if err := found.or(); err != nil {
		return err
	}
	if err := limit(ctx, s.cfg.Requests, KindEmailChange+" "+email, asked); err != nil {
		return err
	}
	now := s.cfg.Now()
	err = s.tables.Together(ctx, func(ctx context.Context, t Tables) error {
		if err := t.Links.Drop(ctx, KindEmailChange, u.ID, ""); err != nil {
			return err
		}
		link, err := t.Links.Make(ctx, Link{Kind: KindEmailChange, User: u.ID, Email: email, State: state(u), Created: now, Expires: now.Add(s.cfg.LinkTime)})
		if err != nil {
			return err
		}
		return s.enqueue(ctx, t.Outbox, KindEmailChange, emailChange{User: u.ID, Link: link, Old: u.Email, New: email, Base: base, Asked: asked})
	})
	return outage("ask for a change of address", err)
}

// composeEmailChange mails the link to the new address, or to those who have it already the news that somebody asked, and tells
// the present address.
func (s *Service) composeEmailChange(ctx context.Context, about emailChange) ([]*mail.Message, error) {
	u, err := s.tables.Users.ByID(ctx, about.User)
	switch {
	case errors.Is(err, auth.ErrNoUser):
		return nil, nil
	case err != nil:
		return nil, err
	}
	known, err := s.owners(ctx, about.New)
	if err != nil {
		return nil, err
	}
	others := known[:0]
	for _, k := range known {
		if k.ID != u.ID { // who changes only the spelling is no other
			others = append(others, k)
		}
	}
	var letters []*mail.Message
	if len(others) > 0 {
		letters, err = s.tellOwners("email_known", others, about.Base, about.Asked)
	} else {
		letters, err = s.armEmailChange(ctx, u, about)
	}
	if err != nil || about.Old == "" {
		return letters, err
	}
	l := s.letter(about.Base, about.Asked, &u)
	l.Email, l.Link = about.New, l.Home+"password_reset/"
	m, err := s.write("email_change_notice", about.Old, l)
	return append(letters, m), err
}

func (s *Service) armEmailChange(ctx context.Context, u User, about emailChange) ([]*mail.Message, error) {
	token, link, err := s.tables.Links.Arm(ctx, about.Link, s.cfg.Now())
	switch {
	case errors.Is(err, ErrLink): // cancelled, replaced or too old meanwhile
		return nil, nil
	case err != nil:
		return nil, err
	case link.State != state(u):
		return nil, nil
	}
	l := s.letter(about.Base, about.Asked, &u)
	l.Email, l.Link, l.Lasts = about.New, l.Home+"email/"+token+"/", lasts(s.cfg.LinkTime)
	return s.one("email_change", about.New, l)
}

// state is what a link is bound to: a change of password or address, or switching the account off, ends it.
func state(u User) string {
	sum := sha256.Sum256([]byte(u.ID + "\x00" + u.PasswordHash + "\x00" + u.Email))
	if !u.Active {
		return ""
	}
	return hex.EncodeToString(sum[:20])
}

// A PendingEmail is a change of address that waits for its link to be used.
type PendingEmail struct {
	Email   string
	Expires time.Time
}

// PendingEmailChange returns the change of address that a user has asked for, or [ErrLink] when there is none.
func (s *Service) PendingEmailChange(ctx context.Context, id string) (PendingEmail, error) {
	link, err := s.tables.Links.Pending(ctx, KindEmailChange, id, s.cfg.Now())
	if err != nil {
		return PendingEmail{}, outage("look for a change of address", err)
	}
	u, err := s.tables.Users.ByID(ctx, id)
	if err != nil {
		return PendingEmail{}, outage("look up the user", err)
	}
	if link.State != state(u) {
		return PendingEmail{}, ErrLink
	}
	return PendingEmail{link.Email, link.Expires}, nil
}

// CancelEmailChange ends the change of address that a user has asked for, if there is one.
func (s *Service) CancelEmailChange(ctx context.Context, id string) error {
	return outage("cancel a change of address", s.tables.Links.Drop(ctx, KindEmailChange, id, ""))
}

// LookEmailChange returns the address that a link makes that of the user with this ID, or [ErrLink], also when the link is another
// user's. It uses nothing up.
func (s *Service) LookEmailChange(ctx context.Context, id, token string) (email string, err error) {
	link, err := s.tables.Links.Look(ctx, KindEmailChange, token, s.cfg.Now())
	if err != nil {
		return "", outage("look at a link", err)
	}
	u, err := s.tables.Users.ByID(ctx, id)
	if err != nil {
		return "", outage("look up the user", err)
	}
	if link.User != u.ID || link.State != state(u) {
		return "", ErrLink
	}
	return link.Email, nil
}

// ConfirmEmailChange makes the address that a link was mailed to that of the user with this ID, who has to be logged in, uses the
// link up, and tells both addresses: all or nothing. A link that does not work is [ErrLink].
func (s *Service) ConfirmEmailChange(ctx context.Context, id, token, base string, asked Asked) (email string, err error) {
	now := s.cfg.Now()
	err = s.tables.Together(ctx, func(ctx context.Context, t Tables) error {
		link, err := t.Links.Use(ctx, KindEmailChange, token, now)
		if err != nil {
			return err
		}
		u, err := t.Users.ByID(ctx, id)
		if err != nil {
			return err
		}
		if link.User != u.ID || link.State != state(u) {
			return ErrLink
		}
		known, err := t.Users.ByEmail(ctx, link.Email)
		if err != nil {
			return err
		}
		for _, other := range known {
			if other.ID != u.ID && auth.SameIdentifier(other.Email, link.Email) {
				return ErrLink
			}
		}
		done, err := t.Users.ReplaceEmail(ctx, u, link.Email)
		if err != nil {
			return err
		}
		if !done {
			return ErrLink
		}
		email = link.Email
		return s.enqueue(ctx, t.Outbox, KindEmailChanged, emailChange{User: u.ID, Old: u.Email, New: link.Email, Base: base, Asked: asked})
	})
	return email, outage("change an address", err)
}

func (s *Service) composeEmailChanged(ctx context.Context, about emailChange) ([]*mail.Message, error) {
	u, err := s.tables.Users.ByID(ctx, about.User)
	switch {
	case errors.Is(err, auth.ErrNoUser):
		return nil, nil
	case err != nil:
		return nil, err
	}
	var letters []*mail.Message
	for _, to := range []string{about.Old, about.New} {
		if to == "" {
			continue
		}
		l := s.letter(about.Base, about.Asked, &u)
		l.Email, l.Link = about.New, l.Home+"password_reset/"
		m, err := s.write("email_changed", to, l)
		if err != nil {
			return nil, err
		}
		letters = append(letters, m)
	}
	return letters, nil
}
