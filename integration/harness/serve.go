package harness

import (
	"net"
	"regexp"
	"strconv"
	"testing"
)

// SecretKey is the secret key of the processes that Serve starts, so that several can share a database.
const SecretKey = "integration: no secret at all, in no program that runs"

// A Server is a program that serves HTTP.
type Server struct {
	*Process
	URL string // such as http://127.0.0.1:40123
}

// Answers is the line that a serving program of this project prints when it is ready.
var Answers = regexp.MustCompile(`answers at (http://[^\s/]+)/`)

// A Serve says how to run "cardea serve".
type Serve struct {
	DB   string   // URL
	Addr string   // defaults to a free port of 127.0.0.1
	Env  []string // settings, "CARDEA_NAME=value", beside the secret key
	Dir  string   // where it runs; defaults to a new folder
}

// Start runs "cardea serve".
func (s Serve) Start(t testing.TB) *Server {
	t.Helper()
	if s.Addr == "" {
		s.Addr = "127.0.0.1:0"
	}
	p := Start(t, Command{
		Path:  Cardea(t),
		Args:  []string{"--db", s.DB, "serve", "--addr", s.Addr},
		Env:   append([]string{"CARDEA_SECRET_KEY=" + SecretKey}, s.Env...),
		Dir:   s.Dir,
		Ready: Answers,
	})
	return &Server{Process: p, URL: p.Ready()[1]}
}

// CheapHashing is the setting that makes passwords cost nothing, for tests that are not about hashing.
const CheapHashing = `CARDEA_PASSWORD_HASHERS=django.contrib.auth.hashers.MD5PasswordHasher`

// FreePort returns a port of 127.0.0.1 on which nobody listens at the moment. Prefer port 0 where the program can say which it got.
func FreePort(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}
