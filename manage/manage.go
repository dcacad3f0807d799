// Package manage is the cardea command as a library: a program of one's own can offer the same commands.
package manage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/userdb"
)

// A Program is what a command runs in. Its zero value has nothing; [Main] is for those who want the process's own.
type Program struct {
	Args    []string // without the program's name
	Environ []string // "NAME=value"
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Version string
}

// Main runs the command line of this process until it is done or ctx ends, and returns the exit status.
func Main(ctx context.Context, version string) int {
	p := Program{Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: version}
	return p.Run(ctx)
}

// grammar is the command line.
type grammar struct {
	Config string `help:"Configuration file (TOML)." placeholder:"FILE.toml" env:"CARDEA_CONFIG"`
	DB     string `help:"Database: sqlite:PATH, postgres://… or mysql://…." placeholder:"URL"`

	Serve           serveCommand           `cmd:"" help:"Serve the built-in pages."`
	Migrate         migrateCommand         `cmd:"" help:"Create the tables that are missing."`
	CreateSuperuser createSuperuserCommand `cmd:"" name:"createsuperuser" help:"Make a user who may do everything."`
	CreateUser      createUserCommand      `cmd:"" name:"createuser" help:"Make a user."`
	ChangePassword  changePasswordCommand  `cmd:"" name:"changepassword" help:"Set a user's password."`
	User            userCommand            `cmd:"" help:"Look after users: list, show, activate, deactivate, delete, groups."`
	Group           groupCommand           `cmd:"" help:"Look after groups: list, create, delete, rename, members, grant, revoke."`
	Permission      permissionCommand      `cmd:"" help:"Look after permissions: list, grant, revoke."`
	Sessions        sessionsCommand        `cmd:"" help:"Look after sessions: list, end."`
	Token           tokenCommand           `cmd:"" help:"Look after the tokens of programs: create, list, end."`
	ClearSessions   clearSessionsCommand   `cmd:"" name:"clearsessions" help:"Delete expired sessions."`
	Mail            mailCommand            `cmd:"" help:"Look after the mail that waits to be sent."`
	SendTestMail    sendTestMailCommand    `cmd:"" name:"sendtestmail" aliases:"sendtestemail" help:"Send a test mail, to see whether the settings work."`
	ShowConfig      configCommand          `cmd:"" name:"config" help:"Print every setting, its value and where it came from."`
	LDAP            ldapCommand            `cmd:"" name:"ldap" help:"Look after the directory: check."`
	InspectDjango   inspectCommand         `cmd:"" name:"inspect-django" help:"Print the configuration that matches a Django project, and what does not match."`
	Version         versionCommand         `cmd:"" help:"Print the version."`
}

// A command is run with the program around it and the settings that its flags were laid over.
type command interface {
	run(ctx context.Context, p *Program, s *Settings) error
}

// Run parses the command line and runs the command. What goes wrong is one line on Stderr and status 1, or 2 for a command
// line that cannot be understood.
func (p *Program) Run(ctx context.Context) int {
	var g grammar
	status := -1
	parser, err := kong.New(&g, kong.Name("cardea"), kong.Description("Log in, log out: accounts and sessions for Go programs and Django sites."),
		kong.Writers(p.Stdout, p.Stderr), kong.Exit(func(code int) { status = code }), kong.Vars(p.environment()))
	if err != nil {
		return p.fail(err)
	}
	parsed, err := parser.Parse(p.Args)
	if status >= 0 { // --help was answered
		return status
	}
	if err != nil {
		fmt.Fprintf(p.Stderr, "cardea: %v; see \"cardea --help\"\n", err)
		return 2
	}
	if g.Config == "" {
		g.Config = p.environment()["CARDEA_CONFIG"]
	}
	settings, err := Load(g.Config, p.Environ)
	if err != nil {
		return p.fail(err)
	}
	settings.override("db", g.DB, "--db")
	chosen, ok := parsed.Selected().Target.Addr().Interface().(command)
	if !ok {
		return p.fail(fmt.Errorf("%s is not a command", parsed.Command()))
	}
	if err := chosen.run(ctx, p, settings); err != nil {
		return p.fail(err)
	}
	return 0
}

func (p *Program) environment() map[string]string {
	env := map[string]string{}
	for _, entry := range p.Environ {
		if name, value, ok := strings.Cut(entry, "="); ok && strings.HasPrefix(name, "CARDEA_") || strings.HasPrefix(name, "DJANGO_") || name == "USER" {
			env[name] = value
		}
	}
	return env
}

func (p *Program) fail(err error) int {
	fmt.Fprintln(p.Stderr, "cardea: "+strings.ReplaceAll(strings.TrimPrefix(err.Error(), "cardea: "), "\n", " "))
	return 1
}

// override lays a flag over a text setting, unless the flag was not given.
func (s *Settings) override(name, value, flag string) {
	if value == "" {
		return
	}
	for _, f := range s.fields() {
		if f.name == name {
			f.value.SetString(value)
			s.sources[name] = flag
		}
	}
}

// open opens the database of the settings and sees to its tables: an empty database gets them, one that Django made has to
// be shared by name.
func (s *Settings) open(ctx context.Context) (*userdb.DB, error) {
	db, err := userdb.OpenURL(ctx, s.DB)
	if err != nil {
		return nil, explainDatabase(s, err)
	}
	users, err := s.withUsers(ctx, db)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	if err := cardea.Prepare(ctx, users, s.Profile); err != nil {
		_ = db.Close()
		return nil, explainDatabase(s, err)
	}
	return users, nil
}

// explainDatabase adds the cure to a database that does not answer.
func explainDatabase(s *Settings, err error) error {
	if errors.Is(err, cardea.ErrDjangoDatabase) || errors.Is(err, cardea.ErrNotMigrated) { // which say the cure
		return err
	}
	return fmt.Errorf("cannot use the database %s: %w; check that it runs and that --db is sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/NAME or mysql://USER:PASSWORD@HOST:PORT/NAME", s.databaseName(), err)
}

func (s *Settings) databaseName() string { return hidePassword(s.DB) }

type versionCommand struct{}

func (*versionCommand) run(_ context.Context, p *Program, _ *Settings) error {
	_, err := fmt.Fprintln(p.Stdout, "cardea "+p.Version)
	return err
}

type configCommand struct{}

func (*configCommand) run(_ context.Context, p *Program, s *Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	return s.Print(p.Stdout)
}
