package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/throttle"
)

// Config says how accounts work. Hashers and ResetTokens are required.
type Config struct {
	// Hashers write and check passwords.
	Hashers *password.Hashers
	// ResetTokens make and check the tokens of reset links.
	ResetTokens *auth.ResetTokens
	// Validators are the rules of new passwords. A blank password is refused in any case. Defaults to none.
	Validators password.Validators
	// Requests limits what people ask for who are not logged in, by the typed address and by where they come from. Defaults to
	// no limit.
	Requests Limiter
	// Tries limits how often somebody may try the present password. Defaults to no limit.
	Tries Limiter
	// Path is the path of the pages behind the base URL, such as "/accounts/".
	Path string
	// From is the sender of all mail. Defaults to webmaster@localhost, as in Django.
	From string
	// Site is the name of the site in mail. Defaults to the host of the link.
	Site string
	// LinkTime is how long links work that are not reset links. Defaults to one hour.
	LinkTime time.Duration
	// ResetTime is how long a reset link works, for the words of its mail. Defaults to not saying.
	ResetTime time.Duration
	// Location is the time zone of times in mail. Defaults to UTC.
	Location *time.Location
	// Templates overlays the built-in templates of mail: a file of the same name replaces ours. Defaults to none.
	Templates fs.FS
	// Logger hears of links that lead nowhere. Defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// A Limiter counts tries. *throttle.Limiter is one.
type Limiter interface {
	Try(ctx context.Context, account string, addr netip.Addr) error
	Succeeded(ctx context.Context, account string) error
}

// A Service changes accounts. It is safe for concurrent use; make one with [New].
type Service struct {
	tables    Tables
	cfg       Config
	templates *templates
}

// New makes a service. What is missing, and a template that does not parse, is an error.
func New(tables Tables, cfg Config) (*Service, error) {
	switch {
	case tables.Users == nil || tables.Links == nil || tables.Outbox == nil || tables.Together == nil:
		return nil, errors.New("account: New needs tables of users and links, an outbox and Together")
	case cfg.Hashers == nil || cfg.ResetTokens == nil:
		return nil, errors.New("account: Config needs Hashers and ResetTokens")
	case strings.ContainsAny(cfg.From+cfg.Site, "\r\n"):
		return nil, errors.New("account: Config.From and Config.Site are one line each")
	}
	if cfg.Path == "" {
		cfg.Path = "/accounts/"
	}
	if cfg.From == "" {
		cfg.From = "webmaster@localhost"
	}
	if cfg.LinkTime == 0 {
		cfg.LinkTime = time.Hour
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Service{tables: tables, cfg: cfg}
	var err error
	if s.templates, err = loadTemplates(cfg.Templates); err != nil {
		return nil, err
	}
	return s, nil
}

// limit counts a try. Too many are an *auth.LimitedError.
func limit(ctx context.Context, l Limiter, account string, asked Asked) error {
	if l == nil {
		return nil
	}
	err := l.Try(ctx, account, asked.Address)
	var limited *throttle.LimitedError
	if errors.As(err, &limited) {
		return &auth.LimitedError{RetryAfter: limited.RetryAfter, Err: err}
	}
	return outage("count the try", err)
}

// outage gives a failure of a table its type; nil stays nil.
func outage(op string, err error) error {
	var known *auth.OutageError
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, ErrLink), errors.Is(err, ErrTaken), errors.Is(err, auth.ErrNoUser),
		errors.Is(err, ErrNoIdentity), errors.Is(err, ErrLastWayIn):
		return err
	case errors.As(err, new(*Invalid)), errors.Is(err, context.Canceled), errors.Is(err, password.ErrBusy):
		return err
	}
	return &auth.OutageError{Op: op, Err: err}
}

// enqueue puts what a mail is about into the outbox.
func (s *Service) enqueue(ctx context.Context, box Outbox, kind string, about any) error {
	data, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	return box.Enqueue(ctx, kind, data, s.cfg.Now())
}
