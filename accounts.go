package cardea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/throttle"
)

// How often somebody who is not logged in may ask for mail: for one address, and from one place.
var (
	mailsPerAddress = throttle.Limit{Tries: 5, Per: time.Hour}
	mailsPerPlace   = throttle.Limit{Tries: 30, Per: time.Hour}
)

// accounts puts the service of accounts and its mail together. Without parts for it there is none.
func (s *Site[U]) accounts(parts Parts[U], cfg Config, row rules, keys signing.Keys, counters throttle.Store, tries *throttle.Limiter) error {
	if parts.Accounts.Users == nil {
		return nil
	}
	location, err := cfg.location()
	if err != nil {
		return err
	}
	tokens, err := auth.NewResetTokens(keys, auth.ResetConfig{Timeout: cfg.PasswordResetTimeout, Location: location})
	if err != nil {
		return err
	}
	// Its key is another one, so that asking for mail and logging in are counted apart.
	requests, err := throttle.New(counters, throttle.Config{
		Account: mailsPerAddress, Address: mailsPerPlace, Key: []byte("mail " + cfg.SecretKey), Now: cfg.Now,
	})
	if err != nil {
		return err
	}
	tables := parts.Accounts
	if missing := tables.Shape.Missing; cfg.Signup && len(missing) > 0 {
		return fmt.Errorf("signup: people cannot make accounts for themselves, since these need a value for %s, which nothing here knows: give it a default, or leave it to the program whose accounts they are", strings.Join(missing, ", "))
	}
	sender := cfg.mailSender()
	if sender == nil {
		tables.Outbox = nowhere{}
	} else if tables.Outbox == nil || parts.Outbox == nil {
		return errors.New("Parts.Accounts needs an outbox, in Parts.Outbox too")
	}
	together := tables.Together
	tables.Together = func(ctx context.Context, f func(ctx context.Context, in account.Tables) error) error {
		err := together(ctx, func(ctx context.Context, in account.Tables) error {
			if sender == nil {
				in.Outbox = nowhere{}
			}
			return f(ctx, in)
		})
		if err == nil && s.courier != nil {
			s.courier.Wake() // only now can it see what was put into the outbox
		}
		return err
	}
	if sender != nil {
		compose := func(ctx context.Context, it mail.Item) ([]*mail.Message, error) { return s.Accounts.Compose(ctx, it) }
		if s.courier, err = mail.NewCourier(parts.Outbox, sender, compose, mail.CourierConfig{Now: cfg.Now, Logger: cfg.Logger}); err != nil {
			return err
		}
		tables.Outbox = s.courier.Outbox()
	}
	s.Accounts, err = account.New(tables, account.Config{
		Hashers:     s.Hashers,
		ResetTokens: tokens,
		Validators:  cfg.PasswordValidators,
		Requests:    requests,
		Tries:       tries,
		Path:        cfg.AccountsURL,
		From:        cfg.DefaultFromEmail,
		Site:        cfg.SiteName,
		ResetTime:   cfg.PasswordResetTimeout,
		Location:    location,
		Templates:   cfg.MailTemplates,
		Logger:      cfg.Logger,
		Now:         cfg.Now,
	})
	return err
}

// nowhere is the outbox of a site that sends no mail.
type nowhere struct{}

func (nowhere) Enqueue(context.Context, string, json.RawMessage, time.Time) error { return nil }

// SendMail sends what waits in the outbox now and returns how many messages were accepted. [Site.Run] does so by itself.
func (s *Site[U]) SendMail(ctx context.Context) (int, error) {
	if s.courier == nil {
		return 0, nil
	}
	return s.courier.Once(ctx)
}

// location is the time zone of TimeZone.
func (c *Config) location() (*time.Location, error) {
	location, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time_zone: %q is not the name of a time zone, such as \"Europe/Berlin\" or \"UTC\"", c.TimeZone)
	}
	return location, nil
}

// mailSender is the sender of mail: the named one, or standard error for a site that only this machine can reach, or none.
func (c *Config) mailSender() mail.Sender {
	if c.Mail != nil || c.SiteURL != "" || !loopbackOnly(c.AllowedHosts) {
		return c.Mail
	}
	return mail.NewConsole(os.Stderr)
}

// loopbackOnly tells whether hosts are names of this machine alone.
func loopbackOnly(hosts []string) bool {
	for _, host := range hosts {
		domain, _ := origin.SplitDomainPort(strings.TrimPrefix(host, "."))
		if domain != "localhost" && !strings.HasSuffix(domain, ".localhost") && !strings.HasPrefix(domain, "127.") && domain != "[::1]" {
			return false
		}
	}
	return true
}

// checkAccounts completes and checks what the pages of accounts need.
func (c *Config) checkAccounts(row rules) error {
	if c.PasswordResetTimeout < 0 {
		return errors.New("password_reset_timeout: less than nothing")
	}
	if c.PasswordValidators == nil && row.newPasswords != nil {
		c.PasswordValidators = row.newPasswords(c.siteWords()...)
	}
	for i, v := range c.PasswordValidators {
		if v == nil {
			return fmt.Errorf("PasswordValidators holds a nil rule (%d)", i)
		}
	}
	if c.DefaultFromEmail != "" {
		if _, err := mail.ParseAddress(c.DefaultFromEmail); err != nil {
			return fmt.Errorf("default_from_email: %w", err)
		}
	}
	_, err := c.location()
	return err
}

// siteWords are names that everybody knows here, and that a password should not be.
func (c *Config) siteWords() []string {
	var words []string
	for _, word := range append([]string{c.SiteName}, c.AllowedHosts...) {
		if word = strings.Trim(word, ".*[]"); word != "" {
			words = append(words, word)
		}
	}
	return words
}
