package ldapauth_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/ldapauth"
	"github.com/cardea-go/cardea/internal/testhang"
)

// answering is a server that says the same to everybody, after the first bytes of theirs.
func answering(t *testing.T, text []byte, times int) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := c.Read(make([]byte, 1024)); err != nil {
					return
				}
				for range times {
					if _, err := c.Write(text); err != nil {
						return
					}
				}
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return "ldap://" + listener.Addr().String()
}

// message is an LDAP message with one operation in it.
func message(id int64, tag ber.Tag, children ...*ber.Packet) []byte {
	envelope := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	envelope.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	for _, c := range children {
		op.AppendChild(c)
	}
	envelope.AppendChild(op)
	return envelope.Bytes()
}

// TestNotLDAP: whatever a server says that is not an answer costs no more than the time there is, and is never a wrong password.
func TestNotLDAP(t *testing.T) {
	t.Parallel()
	text := func(s string) *ber.Packet {
		return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
	}
	code := ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(0), "")
	for name, c := range map[string]struct {
		said  []byte
		times int
	}{
		"another protocol":         {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 1},
		"a length without end":     {[]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02, 0x01, 0x01}, 1},
		"nothing but beginnings":   {bytes.Repeat([]byte{0x30, 0x80}, 1000), 10},
		"more than anybody reads":  {bytes.Repeat(message(1, 4, text("uid=ada,"+people), text(strings.Repeat("x", 1<<16))), 64), 100},
		"another message":          {message(77, 1, code, text(""), text("")), 1},
		"an answer of another op":  {message(1, 15, code, text(""), text("")), 1},
		"an answer without a code": {message(1, 1), 1},
		"an entry without an end":  {message(1, 4, text("uid=ada,"+people)), 1},
		"a notice of its end":      {message(0, 24, code, text(""), text("")), 1},
		"no operation":             {[]byte{0x30, 0x03, 0x02, 0x01, 0x01}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, bind := range []string{site, ""} {
				cfg := ldapauth.Config{
					Servers: []string{answering(t, c.said, c.times)}, InsecurePlaintext: true, UserBase: people, Timeout: 300 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
				}
				if bind != "" {
					cfg.BindDN, cfg.BindPassword = bind, "service"
				}
				began := time.Now()
				id, err := try(t, backend(t, cfg), "ada", "right ada")
				failure(t, name, id, err)
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("it took %v", took)
				}
			}
		})
	}
}

// TestLongAnswer: an answer is read up to some length, which no honest one has.
func TestLongAnswer(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	b := backend(t, config(d))
	d.put("uid=ada,"+people, "uid: ada", "entryUUID: uuid-of-ada", "userPassword: right ada", "givenName: "+strings.Repeat("x", 1<<20))
	if _, err := try(t, b, "ada", "right ada"); err != nil {
		t.Errorf("a megabyte: %v", err)
	}
	d.put("uid=ada,"+people, "uid: ada", "entryUUID: uuid-of-ada", "userPassword: right ada", "givenName: "+strings.Repeat("x", 9<<20))
	id, err := try(t, b, "ada", "right ada")
	failure(t, "nine megabytes", id, err)
}

// FuzzLogin: whatever is typed, only the name and the password of somebody let anybody in, and nothing breaks the filter or the name.
func FuzzLogin(f *testing.F) {
	d := company(f, nil)
	search, direct := config(d), config(d)
	direct.UserDN = "uid={user}," + people
	backends := []*ldapauth.Backend{backend(f, search), backend(f, direct)}
	for _, typed := range []string{"ada", "*", "*)(uid=*", "a,b=c", `\2a`, "ada\x00", " ada ", "#a", `"a"`, "a+uid=bob", "\u00ad", "é", "(&)", ";x", "<>"} {
		f.Add(typed, "right ada")
	}
	f.Add("ada", "")
	f.Fuzz(func(t *testing.T, name, password string) {
		testhang.Watch(t)
		for i, b := range backends {
			id, err := b.Explain(t.Context(), auth.Password{Username: name, Password: password}, nil)
			switch {
			case err == nil && (!auth.SameIdentifier(strings.TrimSpace(name), id.Name) || password != "right "+id.Name):
				t.Errorf("back end %d lets %q with %q in as %q", i, name, password, id.Name)
			case err != nil && !errors.Is(err, auth.ErrNoMatch):
				t.Errorf("back end %d: %q with %q: %v", i, name, password, err)
			}
		}
	})
}
