package manage

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// maximumLength bounds a password in characters, far above what anybody types.
const maximumLength = 4096

type createSuperuserCommand struct {
	Username string `help:"User name."`
	Email    string `help:"E-mail address."`
	NoInput  bool   `name:"noinput" aliases:"no-input" help:"Ask nothing: take DJANGO_SUPERUSER_USERNAME, _EMAIL and _PASSWORD from the environment where the flags leave gaps. Without a password nobody can log in as this user until one is set."`
}

func (c *createSuperuserCommand) run(ctx context.Context, p *Program, s *Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	q := p.prompt()
	if !c.NoInput && !q.interactive() {
		fmt.Fprintln(p.Stdout, "Superuser creation skipped: this is not a terminal. Run \"cardea createsuperuser\" in one, or use --noinput with DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD.")
		return nil
	}
	db, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	chosen := ""
	if c.NoInput {
		env := p.environment()
		c.fill(env)
		c.byEmail(db)
		chosen = env["DJANGO_SUPERUSER_PASSWORD"]
		if c.Username == "" {
			return errors.New("with --noinput, name the user: --username, or DJANGO_SUPERUSER_USERNAME")
		}
		if _, problem := nameProblem(db, c.Username); problem != "" && db.Users().NameIsEmail() {
			return errors.New(problem)
		}
	} else if chosen, err = c.ask(ctx, p, q, s, db); err != nil {
		return err
	}
	encoded := password.Unusable()
	if chosen != "" {
		if encoded, err = s.hash(ctx, chosen); err != nil {
			return err
		}
	}
	_, err = db.CreateSuperuser(ctx, userdb.NewUser{Username: c.Username, Email: c.Email, PasswordHash: encoded})
	if errors.Is(err, userdb.ErrDuplicate) {
		return fmt.Errorf("the user name %q is already taken; choose another with --username", c.Username)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(p.Stdout, "Superuser created successfully.")
	return nil
}

// byEmail lets the address stand for the user name, where it is that.
func (c *createSuperuserCommand) byEmail(db *userdb.DB) {
	if db.Users().NameIsEmail() {
		if c.Username == "" {
			c.Username = c.Email
		}
		c.Email = c.Username
	}
}

func (c *createSuperuserCommand) fill(env map[string]string) {
	if c.Username == "" {
		c.Username = env["DJANGO_SUPERUSER_USERNAME"]
	}
	if c.Email == "" {
		c.Email = env["DJANGO_SUPERUSER_EMAIL"]
	}
}

// ask asks for what the flags do not say, until it is good, as Django does.
func (c *createSuperuserCommand) ask(ctx context.Context, p *Program, q *prompt, s *Settings, db *userdb.DB) (chosen string, err error) {
	c.byEmail(db)
	suggestion, name := systemUser(ctx, db), whatToAsk(db)
	for c.Username == "" {
		question := name + ": "
		if suggestion != "" {
			question = name + " (leave blank to use '" + suggestion + "'): "
		}
		if c.Username, err = q.line(question); err != nil {
			return "", err
		}
		if c.Username == "" {
			c.Username = suggestion
		}
		if problem := checkUsername(ctx, db, c.Username); problem != "" {
			fmt.Fprintln(p.Stderr, "Error: "+problem)
			c.Username = ""
		}
	}
	c.byEmail(db)
	if c.Email == "" && db.Users().HasEmail() {
		if c.Email, err = q.line("Email address: "); err != nil {
			return "", err
		}
	}
	for {
		if chosen, err = askTwice(p, q); err != nil {
			return "", err
		}
		problems, err := s.passwordProblems(ctx, chosen, password.About{Username: c.Username, Email: c.Email})
		if err != nil || len(problems) == 0 {
			return chosen, err
		}
		for _, problem := range problems {
			fmt.Fprintln(p.Stderr, problem)
		}
		if strings.TrimSpace(chosen) == "" {
			continue
		}
		answer, err := q.line("Bypass password validation and create user anyway? [y/N]: ")
		if err != nil || strings.EqualFold(answer, "y") {
			return chosen, err
		}
	}
}

// askTwice asks for a new password until both entries agree, three times at most.
func askTwice(p *Program, q *prompt) (string, error) {
	for range 3 {
		first, err := q.password("Password: ")
		if err != nil {
			return "", err
		}
		second, err := q.password("Password (again): ")
		if err != nil {
			return "", err
		}
		if first == second {
			return first, nil
		}
		fmt.Fprintln(p.Stderr, "The two passwords are not the same. Try again.")
	}
	return "", errors.New("the two passwords were not the same, three times over; nothing was changed")
}

// checkUsername says what is wrong with a new user name, or "".
func checkUsername(ctx context.Context, db *userdb.DB, name string) string {
	name, problem := nameProblem(db, name)
	if problem != "" {
		return problem
	}
	switch _, err := db.UserByName(ctx, name); {
	case err == nil:
		return "That username is already taken."
	case !errors.Is(err, auth.ErrNoUser):
		return err.Error()
	}
	return ""
}

// systemUser is the name of the person at the keyboard, if it makes a free user name.
func systemUser(ctx context.Context, db *userdb.DB) string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, r := range strings.ToLower(norm.NFKD.String(u.Username)) {
		if r < utf8.RuneSelf && r != ' ' {
			b.WriteRune(r)
		}
	}
	if checkUsername(ctx, db, b.String()) != "" {
		return ""
	}
	return b.String()
}

// hash encodes a password as the site would.
func (s *Settings) hash(ctx context.Context, chosen string) (string, error) {
	hashers, err := cardea.NewHashers(s.Config)
	if err != nil {
		return "", err
	}
	return hashers.Make(ctx, chosen)
}

type changePasswordCommand struct {
	Username string `arg:"" optional:"" help:"User name; yours on this machine when left out."`
}

func (c *changePasswordCommand) run(ctx context.Context, p *Program, s *Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	db, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.Username == "" {
		u, err := user.Current()
		if err != nil {
			return errors.New("name the user: cardea changepassword USERNAME")
		}
		c.Username = u.Username
	}
	found, err := db.UserByName(ctx, c.Username)
	if errors.Is(err, auth.ErrNoUser) {
		return fmt.Errorf("there is no user %q", c.Username)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Stderr, "Changing password for user '%s'\n", found.Username)
	q := p.prompt()
	for range 3 {
		chosen, err := askTwice(p, q)
		if err != nil {
			return err
		}
		if chosen == "" {
			return errors.New("aborted: nothing was entered")
		}
		problems, err := s.passwordProblems(ctx, chosen, password.About{
			Username: found.Username, FirstName: found.FirstName, LastName: found.LastName, Email: found.Email,
		})
		if err != nil {
			return err
		}
		if len(problems) > 0 {
			for _, problem := range problems {
				fmt.Fprintln(p.Stderr, problem)
			}
			continue
		}
		encoded, err := s.hash(ctx, chosen)
		if err != nil {
			return err
		}
		if err := db.SetPassword(ctx, found, encoded); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "Password changed successfully for user '%s'\n", found.Username)
		return nil
	}
	return fmt.Errorf("aborting password change for user %q after 3 attempts", found.Username)
}
