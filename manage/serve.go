package manage

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/userdb"
)

type serveCommand struct {
	Addr         string   `help:"Address to listen on." placeholder:"HOST:PORT"`
	TLSCert      string   `help:"Certificate (PEM); with --tls-key the site speaks HTTPS itself." placeholder:"FILE"`
	TLSKey       string   `help:"Key of the certificate (PEM)." placeholder:"FILE"`
	InsecureHTTP bool     `help:"Serve plain HTTP beyond this machine. Passwords cross the network in the clear."`
	AllowedHosts []string `help:"Names that the site answers to." placeholder:"HOST"`
}

func (c *serveCommand) run(ctx context.Context, p *Program, s *Settings) error {
	s.override("addr", c.Addr, "--addr")
	s.override("tls_cert", c.TLSCert, "--tls-cert")
	s.override("tls_key", c.TLSKey, "--tls-key")
	if c.InsecureHTTP {
		s.InsecureHTTP, s.sources["insecure_http"] = true, "--insecure-http"
	}
	if c.AllowedHosts != nil {
		s.AllowedHosts, s.sources["allowed_hosts"] = c.AllowedHosts, "--allowed-hosts"
	}
	if err := s.check(); err != nil {
		return err
	}
	config, err := s.tls()
	if err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return fmt.Errorf("the address %q is not HOST:PORT, such as 127.0.0.1:8000", s.Addr)
	}
	ln, err := net.Listen("tcp", s.Addr) // first: a start that fails here has made no files
	if err != nil {
		return explainListen(s.Addr, err)
	}
	defer ln.Close()
	if err := s.findSecretKey(); err != nil {
		return err
	}
	if len(s.AllowedHosts) == 0 {
		s.AllowedHosts = defaultHosts(host)
	}
	if err := s.prepareForward(); err != nil {
		return err
	}
	if s.Mail, err = s.mailSender(p.Stdout); err != nil {
		return err
	}
	db, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	kept, err := s.keeper(ctx, db)
	if err != nil {
		return err
	}
	defer kept.close()
	s.SessionStore = kept.store
	s.makes(cardea.KindRemoteUser, s.remoteUsers(db))
	s.useLDAP()
	if err := s.useOIDC(db); err != nil {
		return err
	}
	site, err := cardea.New(db, s.Config)
	if err != nil {
		return err
	}
	if err := s.checkRemoteUser(); err != nil {
		return err
	}
	if err := s.checkLDAPNamed(); err != nil {
		return err
	}
	if err := s.checkOIDCNamed(); err != nil {
		return err
	}
	setup := &setup{site: site, db: db, settings: s}
	if err := s.announce(ctx, p, db, ln, config != nil); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.HandlerFunc(site.Pages.Home))
	mux.Handle(s.accounts(), site.Pages)
	mux.Handle("/.well-known/", http.HandlerFunc(site.Pages.WellKnown))
	mux.Handle("/setup/{token}/", setup)
	inner := http.NewServeMux()
	if err := s.verify(inner, site, db); err != nil {
		return err
	}
	inner.Handle("/", s.proxied(site, mux))
	outer := http.NewServeMux()
	outer.Handle("GET /healthz", health(db, kept))
	outer.Handle("/", site.Handler(inner))
	return site.ServeListener(ctx, ln, outer, config)
}

func (s *Settings) accounts() string {
	if s.AccountsURL == "" {
		return "/accounts/"
	}
	return s.AccountsURL
}

// defaultHosts are the names of this machine itself and the host of the address.
func defaultHosts(host string) []string {
	hosts := []string{".localhost", "127.0.0.1", "[::1]"}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if ip := net.ParseIP(strings.Trim(host, "[]")); host != "" && !(ip != nil && ip.IsUnspecified()) && !slices.Contains(hosts, host) {
		hosts = append(hosts, host)
	}
	return hosts
}

func (s *Settings) tls() (*tls.Config, error) {
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return nil, errors.New("tls_cert and tls_key go together: set both, or neither")
	}
	if s.TLSCert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate %s with the key %s: %w; both have to be PEM files that belong together", s.TLSCert, s.TLSKey, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// findSecretKey reads the secret key from its file where no setting names it, and makes the file when it is missing.
func (s *Settings) findSecretKey() error {
	if s.SecretKey != "" {
		return nil
	}
	name := s.SecretKeyFile
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case err == nil:
		key := rand.Text() + rand.Text() + rand.Text()
		_, err = f.WriteString(key + "\n")
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			_ = os.Remove(name)
			return fmt.Errorf("cannot write the secret key to %s: %w", name, err)
		}
		s.SecretKey = key
	case errors.Is(err, fs.ErrExist):
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("cannot read the secret key in %s: %w; set secret_key, or make the file readable for this user", name, errors.Unwrap(err))
		}
		s.SecretKey = strings.TrimSpace(string(text))
		if s.SecretKey == "" {
			return fmt.Errorf("the secret key file %s is empty; delete it to have a new one made, which ends all sessions", name)
		}
	default:
		return fmt.Errorf("cannot make the secret key file %s: %w; set secret_key or secret_key_file", name, errors.Unwrap(err))
	}
	s.sources["secret_key"] = name
	return nil
}

func explainListen(addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("the address %s is in use by another program; stop it, or choose another with --addr", addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not listen on %s; choose a port above 1023 with --addr", addr)
	}
	return fmt.Errorf("cannot listen on %s: %w; choose another address with --addr", addr, err)
}

// announce prints where the site is and, while it has no user, the link that makes the first administrator.
func (s *Settings) announce(ctx context.Context, p *Program, db *userdb.DB, ln net.Listener, https bool) error {
	scheme := "http"
	if https {
		scheme = "https"
	}
	base := scheme + "://" + ln.Addr().String()
	if host, port, err := net.SplitHostPort(ln.Addr().String()); err == nil {
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			base = scheme + "://" + net.JoinHostPort("localhost", port)
		}
	}
	if s.SiteURL != "" {
		base = strings.TrimSuffix(s.SiteURL, "/")
	}
	fmt.Fprintf(p.Stdout, "Cardea answers at %s/\n", base)
	if addr, ok := ln.Addr().(*net.TCPAddr); ok && !addr.IP.IsLoopback() && !https && len(s.TrustedProxies) == 0 && !s.InsecureHTTP {
		fmt.Fprintln(p.Stdout, "Other machines will be refused: plain HTTP would let anybody on the way read passwords. Set --tls-cert and --tls-key, or name your HTTPS proxy in trusted_proxies, or allow it with --insecure-http.")
	}
	n, err := db.CountUsers(ctx)
	if err != nil || n > 0 {
		return err
	}
	token, err := db.CreateSetupLink(ctx, time.Now(), setupTime)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "There is no user yet. Make the first administrator within an hour, here:\n\n    %s/setup/%s/\n\n", base, token)
	return nil
}

// health answers whether the database does, and Redis where it holds the sessions. It stands outside of the site: probes know no host name and have no cookies.
func health(db *userdb.DB, kept keeper) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if err := db.Ping(ctx); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, "the database does not answer")
			return
		}
		if err := kept.ping(ctx); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, "Redis does not answer")
			return
		}
		fmt.Fprintln(w, "ok")
	})
}
