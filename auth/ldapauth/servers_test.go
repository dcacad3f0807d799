package ldapauth_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/ldapauth"
)

// failure checks that an answer is neither a match nor a refusal.
func failure(t *testing.T, what string, id *auth.Identity, err error) {
	t.Helper()
	if err == nil || errors.Is(err, auth.ErrInvalid) {
		t.Errorf("%s: got %+v and %v, want a failure that is no refusal", what, id, err)
	}
}

// TestAnswers: which answers of a server refuse somebody, and which say that nothing is known. Without the fault the same login works.
func TestAnswers(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	b := backend(t, config(d))
	for _, c := range []struct {
		what, op, on string
		code         uint16
		refuses      bool
	}{
		{"no such entry any more", "bind", "uid=ada", ldap.LDAPResultNoSuchObject, true},
		{"an entry without a password", "bind", "uid=ada", ldap.LDAPResultInappropriateAuthentication, true},
		{"too many tries there", "bind", "uid=ada", ldap.LDAPResultConstraintViolation, true},
		{"unwilling to this one", "bind", "uid=ada", ldap.LDAPResultUnwillingToPerform, true},
		{"unwilling to all", "bind", people, ldap.LDAPResultUnwillingToPerform, false},
		{"a referral", "bind", "uid=ada", ldap.LDAPResultReferral, false},
		{"busy", "bind", "uid=ada", ldap.LDAPResultBusy, false},
		{"unavailable", "bind", "uid=ada", ldap.LDAPResultUnavailable, false},
		{"asks for TLS", "bind", "uid=ada", ldap.LDAPResultConfidentialityRequired, false},
		{"may not bind", "bind", "uid=ada", ldap.LDAPResultInsufficientAccessRights, false},
		{"the account of the site is refused", "bind", site, ldap.LDAPResultInvalidCredentials, false},
		{"the account of the site is gone", "bind", site, ldap.LDAPResultNoSuchObject, false},
		{"the base is gone", "search", "", ldap.LDAPResultNoSuchObject, false},
		{"may not search", "search", "", ldap.LDAPResultInsufficientAccessRights, false},
		{"a referral", "search", "", ldap.LDAPResultReferral, false},
		{"a limit of the server's", "search", "", ldap.LDAPResultSizeLimitExceeded, false},
		{"too slow", "search", "", ldap.LDAPResultTimeLimitExceeded, false},
		{"hangs up", "search", "", hangUp, false},
		{"hangs up", "bind", "uid=ada", hangUp, false},
	} {
		_ = b.Close() // what is kept
		b = backend(t, config(d))
		d.set(func(op, what string) uint16 {
			if op == c.op && strings.Contains(what, c.on) {
				return c.code
			}
			return 0
		})
		id, err := try(t, b, "ada", "right ada")
		if c.refuses && !errors.Is(err, auth.ErrNoMatch) {
			t.Errorf("%s of %s: got %+v and %v, want ErrNoMatch", c.what, c.op, id, err)
		} else if !c.refuses {
			failure(t, c.what+" of "+c.op, id, err)
		}
		d.set(nil)
		if _, err := try(t, b, "ada", "right ada"); err != nil {
			t.Errorf("after %s of %s: %v, want a match", c.what, c.op, err)
		}
	}
}

// TestReferences: what a server knows of other servers is not followed. People are found all the same; groups could be missing, so
// nobody comes in.
func TestReferences(t *testing.T) {
	t.Parallel()
	d := company(t, func(d *directory) { d.refer = true })
	d.put("ou=groups,dc=example,dc=com")
	if _, err := try(t, backend(t, config(d)), "ada", "right ada"); err != nil {
		t.Errorf("got %v, want a match", err)
	}
	if _, err := try(t, backend(t, config(d)), "nobody", "x"); !errors.Is(err, auth.ErrNoMatch) {
		t.Errorf("nobody: got %v, want ErrNoMatch", err)
	}
	cfg := config(d)
	cfg.Groups = ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: "ou=groups,dc=example,dc=com"}
	id, err := try(t, backend(t, cfg), "ada", "right ada")
	failure(t, "with groups", id, err)
	d.refer = false
	if _, err := try(t, backend(t, cfg), "ada", "right ada"); err != nil {
		t.Errorf("without references: got %v, want a match", err)
	}
}

// TestSilence: a server that stops answering costs the time there is and no more, wherever it stops, and is never a wrong password. The
// next server has time left, and lets people in.
func TestSilence(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	for _, where := range []string{"accept", "TLS", "starttls", "TLS after starttls", "bind of the site", "search", "bind", "search for groups"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			stop := func(op, what string) uint16 {
				switch {
				case where == "starttls" && op == "starttls", where == "bind of the site" && op == "bind" && what == site,
					where == "search" && op == "search" && strings.Contains(what, "uid="), where == "bind" && op == "bind" && what != site,
					where == "search for groups" && strings.Contains(what, "member="):
					return silence
				}
				return 0
			}
			secure := ca.server(t, "127.0.0.1", time.Now().Add(time.Hour))
			make := func() *directory {
				d := company(t, func(d *directory) {
					d.tls = secure
					d.implicit = where == "TLS"
				})
				d.put("ou=groups,dc=example,dc=com")
				return d
			}
			bad, good := make(), make()
			switch where {
			case "accept", "TLS", "TLS after starttls":
				bad = silent(t, bad, where)
			default:
				bad.set(stop)
			}
			cfg := config(bad)
			cfg.InsecurePlaintext, cfg.RootCAs, cfg.Timeout = where == "accept", ca.pool, 400*time.Millisecond
			cfg.Groups = ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: "ou=groups,dc=example,dc=com"}
			b := backend(t, cfg)
			began := time.Now()
			id, err := try(t, b, "ada", "right ada")
			failure(t, "alone", id, err)
			if took := time.Since(began); took > cfg.Timeout+time.Second {
				t.Errorf("it took %v, want about %v", took, cfg.Timeout)
			}
			cfg.Servers, cfg.Timeout = append(cfg.Servers, good.url()), 2*time.Second
			b = backend(t, cfg)
			for range 2 {
				if id, err := try(t, b, "ada", "right ada"); err != nil || id.Subject != "uuid-of-ada" {
					t.Errorf("with another server: %+v and %v, want a match", id, err)
				}
			}
		})
	}
}

// silent puts a listener before a directory that stays silent from some point on.
func silent(t *testing.T, behind *directory, where string) *directory {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var held []net.Conn
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range held {
			_ = c.Close()
		}
	})
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			held = append(held, c)
			mu.Unlock()
			if where == "TLS after starttls" { // one answer, and then nothing
				go func() {
					request := make([]byte, 1024)
					n, _ := c.Read(request)
					to, err := net.Dial("tcp", behind.address())
					if err != nil {
						return
					}
					defer to.Close()
					_, _ = to.Write(request[:n])
					n, _ = to.Read(request)
					_, _ = c.Write(request[:n])
				}()
			}
		}
	}()
	return &directory{listener: listener, implicit: behind.implicit} // for its address alone
}

// TestVisitorLeaves: who goes away while the directory thinks is no wrong password, and holds nothing.
func TestVisitorLeaves(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	cfg := config(d)
	cfg.Timeout, cfg.MaxLogins = time.Minute, 1
	b := backend(t, cfg)
	d.set(func(op, _ string) uint16 {
		if op == "search" {
			return silence
		}
		return 0
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	id, err := b.Authenticate(request(ctx), auth.Password{Username: "ada", Password: "right ada"})
	failure(t, "gone", id, err)
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
		t.Errorf("got %v after %v, want the context's error at once", err, took)
	}
	d.set(nil)
	if _, err := try(t, b, "ada", "right ada"); err != nil { // on the one place there is
		t.Errorf("the next one: %v", err)
	}
}

// TestBusy: more log-ins than there may be wait, and are told to come again when that takes too long.
func TestBusy(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	release := make(chan struct{})
	arrived := make(chan struct{}, 1)
	d.set(func(op, what string) uint16 {
		if op == "search" && strings.Contains(what, "eve") {
			arrived <- struct{}{}
			<-release
		}
		return 0
	})
	cfg := config(d)
	cfg.MaxLogins, cfg.Timeout = 1, 5*time.Second
	slow := backend(t, cfg)
	done := make(chan error, 1)
	go func() {
		_, err := slow.Authenticate(request(context.Background()), auth.Password{Username: "eve", Password: "right eve"})
		done <- err
	}()
	<-arrived
	waiting := make(chan error, 1)
	go func() {
		_, err := slow.Authenticate(request(context.Background()), auth.Password{Username: "ada", Password: "right ada"})
		waiting <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := slow.Authenticate(request(ctx), auth.Password{Username: "bob", Password: "right bob"}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, auth.ErrInvalid) {
		t.Errorf("who leaves the queue: %v, want the context's error", err)
	}
	close(release)
	for _, c := range []chan error{done, waiting} {
		if err := <-c; err != nil {
			t.Errorf("got %v, want a match", err)
		}
	}
	cfg.Timeout = 200 * time.Millisecond
	full := backend(t, cfg)
	d.set(func(op, _ string) uint16 {
		if op == "search" {
			return silence
		}
		return 0
	})
	answers := make(chan error, 6)
	for range cap(answers) { // one of them waits for the server, and the next one has no time left after it
		go func() {
			_, err := full.Authenticate(request(context.Background()), auth.Password{Username: "ada", Password: "right ada"})
			answers <- err
		}()
	}
	busy := 0
	for range cap(answers) {
		err := <-answers
		failure(t, "full", nil, err)
		var full *auth.BusyError
		if errors.As(err, &full) && full.RetryAfter > 0 {
			busy++
		}
	}
	if busy == 0 {
		t.Error("nobody was told to come again")
	}
}

// TestFailOver: the next server is asked when one is not there, and the first one again some time after it is back. A wrong password is
// believed of the first server that answers.
func TestFailOver(t *testing.T) {
	t.Parallel()
	first, second := company(t, nil), company(t, nil)
	clock := time.Now()
	var mu sync.Mutex
	var log bytes.Buffer
	cfg := config(first, second)
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	cfg.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	b := backend(t, cfg)
	login := func(want *directory, what string) {
		t.Helper()
		before := [2]int{}
		for i, d := range []*directory{first, second} {
			before[i], _, _ = d.count()
		}
		if _, err := try(t, b, "ada", "right ada"); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if _, err := try(t, b, "ada", "wrong"); !errors.Is(err, auth.ErrNoMatch) {
			t.Fatalf("%s: a wrong password: %v", what, err)
		}
		for i, d := range []*directory{first, second} {
			if after, _, _ := d.count(); (after > before[i]) != (d == want) {
				t.Errorf("%s: server %d was asked %v", what, i+1, after > before[i])
			}
		}
	}
	login(first, "both are there")
	address := first.address()
	first.stop()
	login(second, "the first one is gone")
	if !strings.Contains(log.String(), "does not answer") || strings.Contains(log.String(), "right ada") {
		t.Errorf("the log says %s", log.String())
	}
	first.start(t, address)
	login(second, "the first one has just come back")
	mu.Lock()
	clock = clock.Add(time.Minute)
	mu.Unlock()
	login(first, "a minute later")
	first.stop()
	second.stop()
	id, err := try(t, b, "ada", "right ada")
	failure(t, "both are gone", id, err)
	if !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), second.address()) {
		t.Errorf("the error %q names not both servers", err)
	}
}

// TestConnections: connections are kept for the next log-in, not for ever, and one that died meanwhile is replaced without a word.
func TestConnections(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	var mu sync.Mutex
	clock := time.Now()
	cfg := config(d)
	cfg.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	b := backend(t, cfg)
	login := func(what string, want int) {
		t.Helper()
		_, _, before := d.count()
		if _, err := try(t, b, "ada", "right ada"); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := try(t, b, "bob", "wrong"); !errors.Is(err, auth.ErrNoMatch) {
			t.Errorf("%s: a wrong password: %v", what, err)
		}
		if _, _, after := d.count(); after-before != want {
			t.Errorf("%s: %d connections were made, want %d", what, after-before, want)
		}
	}
	login("the first", 2)
	login("the next", 0)
	mu.Lock()
	clock = clock.Add(2 * time.Minute)
	mu.Unlock()
	login("later", 2)
	d.disconnect()
	login("after the server dropped all", 2)
	_ = b.Close()
	login("after Close", 4) // each log-in its own
	var wg sync.WaitGroup
	b = backend(t, cfg)
	for range 12 {
		wg.Go(func() {
			for _, name := range []string{"ada", "bob", "eve"} {
				if id, err := try(t, b, name, "right "+name); err != nil || id.Subject != "uuid-of-"+name {
					t.Errorf("%s: %+v and %v", name, id, err)
				}
			}
		})
	}
	wg.Wait()
	login("after many at once", 0)
}

// TestTLS: a server is talked to by a certificate that is right in every way, or not at all: no password goes to another one.
func TestTLS(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	later := time.Now().Add(time.Hour)
	for _, c := range []struct {
		what   string
		server *tls.Config
		change func(*ldapauth.Config)
		works  bool
	}{
		{"right", ca.server(t, "127.0.0.1", later), nil, true},
		{"signed by somebody else", other.server(t, "127.0.0.1", later), nil, false},
		{"for another address", ca.server(t, "127.0.0.2", later), nil, false},
		{"for another name", ca.server(t, "ldap.example.com", later), nil, false},
		{"too old", ca.server(t, "127.0.0.1", time.Now().Add(-time.Hour)), nil, false},
		{"not known to this system", ca.server(t, "127.0.0.1", later), func(c *ldapauth.Config) { c.RootCAs = nil }, false},
		{"TLS 1.1", func() *tls.Config {
			s := ca.server(t, "127.0.0.1", later)
			s.MinVersion, s.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			return s
		}(), nil, false},
		{"no TLS at all", nil, nil, false},
	} {
		for _, implicit := range []bool{false, true} {
			if c.server == nil && implicit {
				continue
			}
			d := company(t, func(d *directory) { d.tls, d.implicit = c.server, implicit })
			cfg := config(d)
			cfg.InsecurePlaintext, cfg.RootCAs = false, ca.pool
			if c.change != nil {
				c.change(&cfg)
			}
			id, err := try(t, backend(t, cfg), "ada", "right ada")
			if c.works && err != nil {
				t.Errorf("%s (from the first byte: %v): %v", c.what, implicit, err)
			}
			if !c.works {
				failure(t, c.what, id, err)
				if binds, searches, _ := d.count(); binds+searches > 0 {
					t.Errorf("%s: %d binds and %d searches went there", c.what, binds, searches)
				}
			}
		}
	}
	d := company(t, nil)
	if _, err := try(t, backend(t, config(d)), "ada", "right ada"); err != nil { // allowed by name
		t.Errorf("InsecurePlaintext: %v", err)
	}
}
