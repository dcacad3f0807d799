package manage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// maximumEmail is the length in characters of the longest address that the table holds.
const maximumEmail = 254

type createUserCommand struct {
	Username   string   `arg:"" optional:"" help:"User name. Asked for when left out."`
	Email      string   `help:"E-mail address." placeholder:"ADDRESS"`
	FirstName  string   `help:"First name." placeholder:"NAME"`
	LastName   string   `help:"Last name." placeholder:"NAME"`
	Group      []string `help:"Groups to put the user into." placeholder:"GROUP"`
	Staff      bool     `help:"Let the user into Django's administration."`
	Superuser  bool     `help:"Let the user do everything."`
	Inactive   bool     `help:"Make the user unable to log in until \"cardea user activate\"."`
	NoPassword bool     `help:"Ask for no password: nobody can log in as this user until one is set."`
}

func (c *createUserCommand) Help() string {
	return "The password is asked for, twice, or read from standard input where that is no terminal: one line. " +
		"It is held to the rules of the profile. It never stands on the command line, which others on the machine can read."
}

func (c *createUserCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		q := p.prompt()
		if err := c.ask(ctx, p, q, db); err != nil {
			return err
		}
		encoded, err := c.password(ctx, p, q, s)
		if err != nil {
			return err
		}
		made, err := c.create(ctx, db, encoded)
		if errors.Is(err, userdb.ErrDuplicate) {
			return fmt.Errorf("the user name %q is already taken; choose another", c.Username)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "Created the user %s (id:%s).\n", cell(made.Username), made.AuthID())
		return nil
	})
}

// ask asks for the name and the address that the command line does not say, and checks both.
func (c *createUserCommand) ask(ctx context.Context, p *Program, q *prompt, db *userdb.DB) (err error) {
	byEmail := db.Users().NameIsEmail()
	if byEmail && c.Username == "" {
		c.Username = c.Email
	}
	asked := c.Username == ""
	if asked && !q.interactive() {
		return errors.New("there is no terminal to ask for the user name; name it: cardea createuser USERNAME")
	}
	for {
		if asked {
			if c.Username, err = q.line(whatToAsk(db) + ": "); err != nil {
				return err
			}
		}
		problem, err := c.checkName(ctx, db)
		switch {
		case err != nil:
			return err
		case problem != "" && !asked:
			return errors.New(problem)
		case problem != "":
			fmt.Fprintln(p.Stderr, problem)
			continue
		}
		break
	}
	if byEmail {
		if c.Email != "" && auth.NormalizeEmail(c.Email) != c.Username {
			return errors.New("the user name is the e-mail address here: leave --email out")
		}
		c.Email = c.Username
	}
	asked = asked && c.Email == "" && db.Users().HasEmail()
	for {
		if asked {
			if c.Email, err = q.line("E-mail address (may be left blank): "); err != nil {
				return err
			}
		}
		problem := c.checkEmail()
		switch {
		case problem == "":
			return nil
		case !asked:
			return errors.New(problem)
		}
		fmt.Fprintln(p.Stderr, problem)
	}
}

// checkName brings the user name into the form that is stored, and says what is wrong with it, or "".
func (c *createUserCommand) checkName(ctx context.Context, db *userdb.DB) (string, error) {
	name, problem := nameProblem(db, c.Username)
	if problem != "" {
		return problem, nil
	}
	taken, err := db.Users().Accounts().Users.NameTaken(ctx, name)
	if err != nil {
		return "", err
	}
	if taken {
		return fmt.Sprintf("The user name %q is already taken, in capital letters or small ones. Choose another.", name), nil
	}
	c.Username = name
	return "", nil
}

// checkEmail brings the address into the form that is stored, and says what is wrong with it, or "".
func (c *createUserCommand) checkEmail() string {
	c.Email = auth.NormalizeEmail(c.Email)
	if strings.TrimSpace(c.Email) == "" {
		c.Email = ""
		return ""
	}
	if utf8.RuneCountInString(c.Email) > maximumEmail || !auth.ValidEmail(c.Email) {
		return fmt.Sprintf("%q is not an e-mail address such as ada@example.com.", c.Email)
	}
	return ""
}

// password asks for the password, or reads it, until it is good, and encodes it.
func (c *createUserCommand) password(ctx context.Context, p *Program, q *prompt, s *Settings) (string, error) {
	if c.NoPassword {
		return password.Unusable(), nil
	}
	about := password.About{Username: c.Username, FirstName: c.FirstName, LastName: c.LastName, Email: c.Email}
	if !q.interactive() {
		fmt.Fprintln(p.Stderr, "This is not a terminal: the password is the first line of standard input.")
		chosen, err := q.password("")
		if err != nil {
			return "", errors.New("standard input holds no password; pipe one in, run this in a terminal, or use --no-password")
		}
		problems, err := s.passwordProblems(ctx, chosen, about)
		if err != nil {
			return "", err
		}
		if len(problems) > 0 {
			return "", errors.New(strings.Join(problems, " "))
		}
		return s.hash(ctx, chosen)
	}
	for range 3 {
		chosen, err := askTwice(p, q)
		if err != nil {
			return "", err
		}
		problems, err := s.passwordProblems(ctx, chosen, about)
		if err != nil {
			return "", err
		}
		if len(problems) == 0 {
			return s.hash(ctx, chosen)
		}
		for _, problem := range problems {
			fmt.Fprintln(p.Stderr, problem)
		}
	}
	return "", errors.New("three passwords were refused; no user was made")
}

// passwordProblems says in sentences what is wrong with a new password: by the rules of the profile, and by those that hold in
// every profile.
func (s *Settings) passwordProblems(ctx context.Context, chosen string, about password.About) ([]string, error) {
	switch {
	case strings.TrimSpace(chosen) == "":
		return []string{"A blank password lets anybody in. Choose another."}, nil
	case utf8.RuneCountInString(chosen) > maximumLength:
		return []string{fmt.Sprintf("This password is too long. It may contain at most %d characters.", maximumLength)}, nil
	case strings.ContainsRune(chosen, 0) || !utf8.ValidString(chosen):
		return []string{"This password holds what cannot be typed. Choose another."}, nil
	}
	rules, err := cardea.NewPasswordValidators(s.Config)
	if err != nil {
		return nil, err
	}
	err = rules.Validate(ctx, chosen, about)
	var problems password.Problems
	if errors.As(err, &problems) {
		return problems.Messages(), nil
	}
	return nil, err
}

// create stores the user and the memberships, all or nothing.
func (c *createUserCommand) create(ctx context.Context, db *userdb.DB, encoded string) (*userdb.User, error) {
	var made *userdb.User
	err := db.Together(ctx, func(ctx context.Context, in *userdb.DB) (err error) {
		made, err = in.CreateUser(ctx, userdb.NewUser{
			Username: c.Username, Email: c.Email, FirstName: c.FirstName, LastName: c.LastName, PasswordHash: encoded,
			IsStaff: c.Staff || c.Superuser, IsSuperuser: c.Superuser, Inactive: c.Inactive,
		})
		if err != nil {
			return err
		}
		for _, name := range c.Group {
			if err := in.Users().Groups().Add(ctx, name, made); err != nil {
				return err
			}
		}
		return nil
	})
	return made, err
}
