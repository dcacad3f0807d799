package remoteuser

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/cardea-go/cardea/auth"
)

// Name is Django's name of its back end of this kind, which a session that both sides read has to carry.
const Name = "django.contrib.auth.backends.RemoteUserBackend"

// Config says which header is believed, from whom, and whose name it holds. Find and Username are required.
type Config struct {
	// Name is what sessions record. Defaults to [Name].
	Name string
	// Header holds the user's name. Defaults to "Remote-User".
	Header string
	// GroupsHeader (names, separated by commas), EmailHeader and FullNameHeader hold what Configure is told beside the name, from the
	// same proxies. Default to none.
	GroupsHeader, EmailHeader, FullNameHeader string
	// Proxies are the peers whose headers count. Defaults to those that package origin trusts.
	Proxies []netip.Prefix
	// Persistent keeps a login for requests without the header, as Django's PersistentRemoteUserMiddleware: for proxies that set it
	// for the log-in page alone. Defaults to false: a request without the header ends a login that came by it.
	Persistent bool

	// Inactive lets users in who are not active, as Django's AllowAllUsersRemoteUserBackend. Defaults to false.
	Inactive bool

	// Find returns the user of that name, active or not, or auth.ErrNoUser.
	Find func(ctx context.Context, name string) (auth.User, error)
	// Create is Find that makes users who are not there. Defaults to none: who is unknown stays anonymous. It is Django's
	// create_unknown_user, which is true there.
	Create func(ctx context.Context, name string) (user auth.User, created bool, err error)
	// Username returns the name of a user as Find knows it.
	Username func(user auth.User) string
	// Clean makes the name of a user of what the header says, for example without "@REALM": Django's clean_username. Defaults to
	// what the header says.
	Clean func(name string) string
	// Configure is told of each login before it happens: Django's configure_user. auth.ErrDenied refuses; any other error is an outage.
	Configure func(ctx context.Context, user auth.User, created bool, said Said) error

	// Error answers a request whose user cannot be settled because of an outage. Defaults to a line of plain text and 503.
	Error func(w http.ResponseWriter, r *http.Request, err error)
	// Logger hears of headers that are ignored and of names that are refused. Defaults to slog.Default().
	Logger *slog.Logger
}

// Said is what a trusted proxy has said about a visitor: the credentials of this back end.
type Said struct {
	Name     string // as the header has it
	FullName string
	Email    string
	Groups   []string
}

// VouchedBy implements auth.Vouched: tries are not counted.
func (Said) VouchedBy() string { return "proxy" }

// A Backend is the back end and, by its [Backend.Handler], the middleware. Make one with [New].
type Backend struct {
	cfg     Config
	headers []string // all that are configured, in canonical form
}

// New checks a configuration. A header that could be confused with another one, or a proxy that is everybody, is an error.
func New(cfg Config) (*Backend, error) {
	if cfg.Find == nil || cfg.Username == nil {
		return nil, errors.New("remoteuser: New needs Config.Find and Config.Username")
	}
	if cfg.Name == "" {
		cfg.Name = Name
	}
	if cfg.Header == "" {
		cfg.Header = "Remote-User"
	}
	b := &Backend{}
	for _, h := range []*string{&cfg.Header, &cfg.GroupsHeader, &cfg.EmailHeader, &cfg.FullNameHeader} {
		if *h == "" {
			continue
		}
		if strings.Trim(*h, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			return nil, fmt.Errorf("remoteuser: the header %q is not a name of letters, digits and hyphens, such as Remote-User", *h)
		}
		*h = http.CanonicalHeaderKey(*h)
		b.headers = append(b.headers, *h)
	}
	own := make([]netip.Prefix, 0, len(cfg.Proxies))
	for _, p := range cfg.Proxies {
		switch {
		case !p.IsValid():
			return nil, errors.New("remoteuser: Config.Proxies: a prefix is not valid")
		case p.Bits() == 0:
			return nil, fmt.Errorf("remoteuser: Config.Proxies: %v is everybody, who could then log in as anybody: name the proxy's own address", p)
		case p.Addr().Is4In6():
			return nil, fmt.Errorf("remoteuser: Config.Proxies: %v: write it as an IPv4 prefix", p)
		}
		own = append(own, p.Masked())
	}
	cfg.Proxies = own
	if cfg.Clean == nil {
		cfg.Clean = func(name string) string { return name }
	}
	if cfg.Error == nil {
		cfg.Error = plainError
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	b.cfg = cfg
	return b, nil
}

// Name implements auth.Backend.
func (b *Backend) Name() string { return b.cfg.Name }

// AdmitsInactive implements auth.InactiveAdmitter.
func (b *Backend) AdmitsInactive() bool { return b.cfg.Inactive }

// Authenticate implements auth.Backend. It takes [Said], which [Backend.Handler] makes, and reads nothing of the request.
func (b *Backend) Authenticate(r *http.Request, creds any) (*auth.Identity, error) {
	said, ok := creds.(Said)
	if !ok || said.Name == "" {
		return nil, auth.ErrNoMatch
	}
	name := b.cfg.Clean(said.Name)
	if name == "" {
		return nil, auth.ErrNoMatch
	}
	user, created, err := b.find(r.Context(), name)
	switch {
	case errors.Is(err, auth.ErrNoUser):
		return nil, auth.ErrNoMatch
	case err != nil:
		return nil, fmt.Errorf("remoteuser: find the user: %w", err)
	}
	if b.cfg.Configure != nil {
		if err := b.cfg.Configure(r.Context(), user, created, said); err != nil {
			return nil, fmt.Errorf("remoteuser: configure the user: %w", err)
		}
	}
	if !user.Active() && !b.cfg.Inactive {
		return nil, auth.ErrNoMatch
	}
	return &auth.Identity{UserID: user.AuthID(), Attached: user, Name: name, Email: said.Email, Groups: said.Groups}, nil
}

func (b *Backend) find(ctx context.Context, name string) (auth.User, bool, error) {
	if b.cfg.Create != nil {
		return b.cfg.Create(ctx, name)
	}
	user, err := b.cfg.Find(ctx, name)
	return user, false, err
}

func plainError(w http.ResponseWriter, _ *http.Request, _ error) {
	http.Error(w, "Something we depend on does not answer. Try again soon.", http.StatusServiceUnavailable)
}
