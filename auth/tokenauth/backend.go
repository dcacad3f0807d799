package tokenauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
)

// Name is what the back end is called. No session records it, for a token opens none.
const Name = "cardea.tokens"

// Config says how a [Backend] works. The zero value works.
type Config struct {
	// UsedEvery is how often at most the use of a token is noted. Defaults to 5 minutes.
	UsedEvery time.Duration
	// Logger hears of uses that could not be noted. Defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// A Backend proves who somebody is by a token in the request's header. It is an auth.Backend and an auth.RequestCredentials.
type Backend struct {
	store Store
	cfg   Config
}

var (
	_ auth.Backend            = (*Backend)(nil)
	_ auth.RequestCredentials = (*Backend)(nil)
)

// New makes a back end over a store of tokens.
func New(store Store, cfg Config) (*Backend, error) {
	if store == nil {
		return nil, errors.New("tokenauth: New needs a store of tokens")
	}
	if cfg.UsedEvery <= 0 {
		cfg.UsedEvery = 5 * time.Minute
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Backend{store, cfg}, nil
}

// Name implements auth.Backend.
func (b *Backend) Name() string { return Name }

// bearer is what a request carries behind "Bearer": a secret, or something that only begins like one.
// Embedded, the secret hides itself.
type bearer struct {
	Secret
	formed bool
}

// Credentials implements auth.RequestCredentials. It claims what follows "Bearer", in any case, and begins with Prefix: that is a token,
// or a broken one, and nobody else's. All else is left alone, for a site may have tokens of other makers too.
func (b *Backend) Credentials(r *http.Request) (creds any, claimed bool) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if rest = strings.TrimLeft(rest, " "); !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(rest, Prefix) {
		return nil, false
	}
	secret, ok := ParseSecret(rest)
	return bearer{secret, ok}, true
}

// Authenticate implements auth.Backend. It takes what Credentials returned, or a [Secret].
func (b *Backend) Authenticate(r *http.Request, creds any) (*auth.Identity, error) {
	var secret Secret
	switch c := creds.(type) {
	case bearer:
		if !c.formed { // known without a look at the table
			return nil, fmt.Errorf("tokenauth: not the form of a token: %w", auth.ErrNoMatch)
		}
		secret = c.Secret
	case Secret:
		secret = c
	default:
		return nil, auth.ErrNoMatch
	}
	t, err := b.store.FindToken(r.Context(), secret)
	now := b.cfg.Now()
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, fmt.Errorf("tokenauth: no such token: %w", auth.ErrNoMatch)
	case err != nil:
		return nil, fmt.Errorf("tokenauth: %w", err)
	case t.Expired(now):
		return nil, fmt.Errorf("tokenauth: the token %s has expired: %w", t.ID, auth.ErrNoMatch)
	}
	if since := now.Add(-b.cfg.UsedEvery); t.LastUsed.Before(since) {
		b.used(r.Context(), t.ID, now, since)
	}
	return &auth.Identity{UserID: t.User, Attached: t.Attached, Limit: t.Limit()}, nil
}

// usedTime bounds a write that nobody asked for, while somebody waits.
const usedTime = time.Second

// used notes the use of a token. That it fails is no reason to refuse a good one.
func (b *Backend) used(ctx context.Context, id string, now, since time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usedTime)
	defer cancel()
	if err := b.store.TokenUsed(ctx, id, now, since); err != nil {
		b.cfg.Logger.WarnContext(ctx, "tokenauth: the use of a token could not be noted", "token", id, "error", err)
	}
}
