package userdb_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	process "os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// The test binary runs itself as a process that lets people in.
const identityChild = "CARDEA_TEST_IDENTITY_CHILD"

var racePolicies = []userdb.IdentityPolicy{
	{Issuer: "names", Create: true, MatchUsername: true, MirrorGroups: true, Update: true},
	{Issuer: "others", Create: true, MirrorGroups: true},
}

// TestIdentityChild is such a process. It reads "ISSUER SUBJECT NAME" and answers with the user's id.
func TestIdentityChild(t *testing.T) {
	url := os.Getenv(identityChild)
	if url == "" {
		return // the other tests' process
	}
	db, err := userdb.OpenURL(t.Context(), url)
	must(t, err)
	defer db.Close()
	users := withPolicies(t, db, racePolicies...)
	must(t, db.Ping(t.Context()))
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var id auth.Identity
		if _, err := fmt.Sscan(in.Text(), &id.Issuer, &id.Subject, &id.Name); err != nil {
			t.Fatal(err)
		}
		id.Groups = []string{id.Name + " one", id.Name + " two"}
		if u, err := users.ByIdentity(t.Context(), &id); err != nil {
			fmt.Println("answer", err)
		} else {
			fmt.Println("answer", u.AuthID())
		}
	}
}

// TestIdentityProcesses: two processes that let the same person in for the first time, at the same moment, make or adopt one user, and
// two people who come by the same name do not become one.
func TestIdentityProcesses(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		all := []*identityProcess{startIdentityProcess(t, empty.URL), startIdentityProcess(t, empty.URL)}
		both := func(lines ...string) (answers [2]string) {
			var wg sync.WaitGroup
			for i, p := range all {
				wg.Go(func() { answers[i] = p.ask(lines[i%len(lines)]) })
			}
			wg.Wait()
			return answers
		}
		rounds := 12
		for n := range rounds {
			for _, issuer := range []string{"names", "others"} {
				name := fmt.Sprintf("%s%d", issuer, n)
				if n%2 == 1 && issuer == "names" {
					create(t, db, userdb.NewUser{Username: name, PasswordHash: "x"})
				}
				if got := both(issuer + " " + name + " " + name); got[0] != got[1] || strings.Contains(got[0], " ") {
					t.Fatalf("round %d of %s: %q, want one user", n, issuer, got)
				}
			}
			// By another name at each of the two, so that nothing but the identity itself is the same.
			if got := both(fmt.Sprintf("others same%d left%d", n, n), fmt.Sprintf("others same%d right%d", n, n)); got[0] != got[1] || strings.Contains(got[0], " ") {
				t.Fatalf("round %d of one person with two names: %q, want one user", n, got)
			}
			twins := fmt.Sprintf("twin%d", n)
			create(t, db, userdb.NewUser{Username: twins})
			got := both("names "+twins+"-a "+twins, "names "+twins+"-b "+twins)
			if denied := [2]bool{strings.Contains(got[0], "denied"), strings.Contains(got[1], "denied")}; denied[0] == denied[1] {
				t.Fatalf("round %d: two people of one name: %q, want one let in and one denied", n, got)
			}
			got = both("others "+twins+"-a x"+twins, "others "+twins+"-b x"+twins)
			if got[0] == got[1] || strings.Contains(got[0]+got[1], " ") {
				t.Fatalf("round %d: two people who are called the same: %q, want two users", n, got)
			}
		}
		if got, want := text(t, db, "SELECT COUNT(*) FROM auth_user"), fmt.Sprint(6*rounds); got != want {
			t.Errorf("there are %s users, want %s", got, want)
		}
	})
}

type identityProcess struct {
	in  io.Writer
	out *bufio.Scanner
}

func startIdentityProcess(t *testing.T, url string) *identityProcess {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	cmd := process.CommandContext(ctx, os.Args[0], "-test.run=^TestIdentityChild$", "-test.v=false")
	cmd.Env = append(os.Environ(), identityChild+"="+url)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
		cancel()
	})
	p := &identityProcess{in, bufio.NewScanner(out)}
	if !p.out.Scan() || p.out.Text() != "ready" {
		t.Fatalf("a process said %q", p.out.Text())
	}
	return p
}

func (p *identityProcess) ask(line string) string {
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return "failed: " + err.Error()
	}
	if !p.out.Scan() {
		return "the process has ended"
	}
	return strings.TrimPrefix(p.out.Text(), "answer ")
}
