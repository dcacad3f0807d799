package account

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/mail"
)

// RequestSignup asks for a mail with a link to make an account. As [Service.RequestReset] it puts one row into the outbox,
// whether somebody has the address or not: who has an account is told so by mail, and nobody else is. Name and password are
// chosen behind the link, so that nobody plants a password on another's address.
func (s *Service) RequestSignup(ctx context.Context, email, base string, asked Asked) error {
	return s.request(ctx, KindSignup, email, base, asked)
}

// composeSignup mails a link to an address that nobody has, and to everybody who has it the news that somebody asked.
func (s *Service) composeSignup(ctx context.Context, about request) ([]*mail.Message, error) {
	known, err := s.owners(ctx, about.Email)
	if err != nil {
		return nil, err
	}
	if len(known) > 0 {
		return s.tellOwners("signup_known", known, about.Base, about.Asked)
	}
	now := s.cfg.Now()
	id, err := s.tables.Links.Make(ctx, Link{Kind: KindSignup, Email: about.Email, Created: now, Expires: now.Add(s.cfg.LinkTime)})
	if err != nil {
		return nil, err
	}
	token, _, err := s.tables.Links.Arm(ctx, id, now)
	if err != nil {
		return nil, err
	}
	l := s.letter(about.Base, about.Asked, nil)
	l.Email, l.Link, l.Lasts = about.Email, l.Home+"signup/"+token+"/", lasts(s.cfg.LinkTime)
	return s.one("signup", about.Email, l)
}

// owners are the users who have an address, one for each spelling of it.
func (s *Service) owners(ctx context.Context, email string) ([]User, error) {
	found, err := s.tables.Users.ByEmail(ctx, email)
	if err != nil {
		return nil, err
	}
	var owners []User
	seen := map[string]bool{}
	for _, u := range found {
		if auth.SameIdentifier(email, u.Email) && !seen[u.Email] {
			seen[u.Email] = true
			owners = append(owners, u)
		}
	}
	return owners, nil
}

// tellOwners writes one mail to each of the users, at the stored address.
func (s *Service) tellOwners(template string, owners []User, base string, asked Asked) ([]*mail.Message, error) {
	var letters []*mail.Message
	for _, u := range owners {
		l := s.letter(base, asked, &u)
		l.Email, l.Link = u.Email, l.Home+"password_reset/"
		m, err := s.write(template, u.Email, l)
		if err != nil {
			return nil, err
		}
		letters = append(letters, m)
	}
	return letters, nil
}

// LookSignup returns the address that a link to make an account was mailed to, or [ErrLink]. It uses nothing up.
func (s *Service) LookSignup(ctx context.Context, token string) (email string, err error) {
	link, err := s.tables.Links.Look(ctx, KindSignup, token, s.cfg.Now())
	return link.Email, outage("look at a link", err)
}

// A Signup is what a person chooses behind the link.
type Signup struct {
	Username  string // passed over where it is the address, see [Shape]
	FirstName string // may be empty
	LastName  string // may be empty
	Password  NewPassword
}

// FinishSignup makes the account that a link is for, with a verified address, and uses the link up, both or neither. What can be
// mended is an [*Invalid], and leaves the link as it is; a link that does not work, or whose address has an account by now, is
// [ErrLink].
func (s *Service) FinishSignup(ctx context.Context, token string, chosen Signup) (User, error) {
	now := s.cfg.Now()
	link, err := s.tables.Links.Look(ctx, KindSignup, token, now)
	if err != nil {
		return User{}, outage("look at a link", err)
	}
	shape := s.tables.Shape
	u := User{Username: auth.TypedUsername(chosen.Username, shape.nameLength()), Email: link.Email, Active: true}
	if shape.NameIsEmail {
		u.Username = link.Email
	}
	if !shape.WithoutNames {
		u.FirstName, u.LastName = strings.TrimFunc(chosen.FirstName, isBlank), strings.TrimFunc(chosen.LastName, isBlank)
	}
	if err := s.checkSignup(ctx, u, chosen.Password); err != nil {
		return User{}, err
	}
	if u.PasswordHash, err = s.cfg.Hashers.Make(ctx, chosen.Password.First); err != nil {
		return User{}, err
	}
	var made User
	err = s.tables.Together(ctx, func(ctx context.Context, t Tables) error {
		if _, err := t.Links.Use(ctx, KindSignup, token, now); err != nil {
			return err
		}
		known, err := t.Users.ByEmail(ctx, link.Email)
		if err != nil {
			return err
		}
		for _, other := range known {
			if auth.SameIdentifier(other.Email, link.Email) {
				return ErrLink
			}
		}
		if made, err = t.Users.Create(ctx, u); err != nil {
			return err
		}
		return t.Links.Drop(ctx, KindSignup, "", link.Email)
	})
	if errors.Is(err, ErrTaken) && shape.NameIsEmail {
		return User{}, ErrLink
	}
	if errors.Is(err, ErrTaken) {
		return User{}, usernameTaken()
	}
	return made, outage("make an account", err)
}

func usernameTaken() error {
	return invalid("username", "This user name is taken. Choose another one.")
}

func (s *Service) checkSignup(ctx context.Context, u User, chosen NewPassword) error {
	var found Invalid
	if text := s.tables.Shape.usernameProblem(u.Username); s.tables.Shape.NameIsEmail {
		// it is that of the link
	} else if text != "" {
		found.add("username", text)
	} else {
		taken, err := s.tables.Users.NameTaken(ctx, u.Username)
		if err != nil {
			return outage("look up a user name", err)
		}
		if taken {
			found.add("username", "This user name is taken. Choose another one.")
		}
	}
	for field, value := range map[string]string{"first_name": u.FirstName, "last_name": u.LastName} {
		if utf8.RuneCountInString(value) > 150 || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' }) {
			found.add(field, "Write this name in at most 150 characters, on one line.")
		}
	}
	if err := s.check(ctx, chosen, u, "password", &found); err != nil {
		return err
	}
	return found.or()
}
