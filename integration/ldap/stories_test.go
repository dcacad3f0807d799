package ldap_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/password"
)

const (
	databaseFirst = `"database", "ldap"`
	ldapFirst     = `"ldap", "database"`
)

// TestStory: somebody whom only the directory knows logs in, is made a user, and follows the directory from log-in to log-in.
func TestStory(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		who := "p" + strings.ToLower(db.Kind) // one for each database, on the same directory
		entry, team, staff := "uid="+who+","+people, "cn=team "+who+","+groups, "cn=staff "+who+","+groups
		s.AddPerson(entry, who, "mail: "+who+"@example.com", "givenName: Pat")
		s.Add(team, "objectClass: groupOfNames", "cn: team "+who, "member: "+entry)
		s.Add(staff, "objectClass: groupOfNames", "cn: staff "+who, "member: "+site)
		st := serve(t, "ldaps://"+s.TLS, s, db, databaseFirst, fmt.Sprintf(`group_kind = "groupOfNames"
group_base = %q
group_depth = 2
mirror_groups = true
mirror_except = ["local"]
match_username = true
staff_groups = ["staff %s"]
superuser_groups = ["root"]`, groups, who), "bob")
		_, err := st.db.Users().Groups().Create(t.Context(), "local")
		must(t, err)

		st.in("bob", harness.Password).Sees("bob") // of the database
		st.refused(who, "wrong")
		st.in(strings.ToUpper(who), "right "+who).Sees("Pat").Sees(who + "@example.com")
		u := st.user(who)
		if password.Usable(u.Password) || u.Email != who+"@example.com" || u.FirstName != "Pat" || u.IsStaff || u.IsSuperuser || u.LastLogin == nil {
			t.Errorf("made %+v", u)
		}
		must(t, st.db.Users().Groups().Add(t.Context(), "local", u))
		if got, want := st.groups(who), "local team "+who; got != want {
			t.Errorf("in the groups %q, want %q", got, want)
		}
		s.Replace(staff, "member", site, team) // by way of another group
		s.Replace(entry, "givenName", "Patricia")
		if u := st.user(who); u.IsStaff {
			t.Error("the directory is asked between log-ins")
		}
		st.in(who, "right "+who).Sees("Patricia")
		if got, want := st.groups(who), "local staff "+who+" team "+who; got != want || !st.user(who).IsStaff {
			t.Errorf("in the groups %q, want %q; staff: %v", got, want, st.user(who).IsStaff)
		}
		s.Replace(team, "member", site)
		b := st.in(who, "right "+who)
		if got := st.groups(who); got != "local" || st.user(who).IsStaff {
			t.Errorf("in the groups %q, want local; staff: %v", got, st.user(who).IsStaff)
		}

		// M30: who is switched off here stays out, however right the password, and the session is over.
		if out, status := st.command("user", "deactivate", who); status != 0 {
			t.Fatal(out)
		}
		b.Visit(profilePath).AtPath(loginPath)
		st.refused(who, "right "+who)
		if out, status := st.command("user", "activate", who); status != 0 {
			t.Fatal(out)
		}
		st.in(who, "right "+who)

		// M31: another name in the directory is the same person here.
		s.Change(func(c *ldap.Conn) error { return c.ModifyDN(ldap.NewModifyDNRequest(entry, "uid=n"+who, true, "")) })
		st.in("n"+who, "right "+who)
		if again := st.user(who); again.ID != u.ID {
			t.Errorf("renamed in the directory, somebody is user %d, want %d", again.ID, u.ID)
		}
		st.refused(who, "right "+who)
	})
}

// TestReusedName: who gets the user name of somebody who has left gets nothing of that account. With the one who had it before, the
// account is the same.
func TestReusedName(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	for _, owns := range []bool{true, false} {
		st := serve(t, "ldaps://"+s.TLS, s, testdb.New(t, "sqlite"), ldapFirst, fmt.Sprintf("match_username = %v", owns))
		entry := fmt.Sprintf("uid=kim,%s", people)
		s.AddPerson(entry, "kim", "mail: kim@example.com")
		st.in("kim", "right kim")
		st.in("kim", "right kim")
		first := st.user("kim")
		s.Remove(entry)
		st.refused("kim", "right kim")
		s.AddPerson(entry, "kim", "mail: kim@example.com")
		if owns { // nobody else may have the name
			st.refused("kim", "right kim")
			harness.Eventually(t, "the log says why", harness.Patience, func() bool { return strings.Contains(st.server.Output(), "has an identity of") })
		} else { // somebody else, with another name here
			st.in("kim", "right kim").Sees("kim-2")
			if second := st.user("kim-2"); second.ID == first.ID || second.Email != "" {
				t.Errorf("the second one is %+v", second)
			}
		}
		if now := st.user("kim"); now.ID != first.ID || *now.LastLogin != *first.LastLogin || now.Email != "kim@example.com" {
			t.Errorf("the account of the first one is now %+v, want it as it was: %+v", now, first)
		}
		s.Remove(entry)
	}
}

// TestM37PreparedAccount (M17, M37): somebody makes a local account with the name of a person who will come by the directory, and keeps it
// open. After she has come in, it is hers alone. Where the directory does not own the names, she gets another one.
func TestM37PreparedAccount(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	for _, section := range []string{"match_username = true", "match_username = true\nkeep_access = true", ""} {
		st := serve(t, "ldaps://"+s.TLS, s, testdb.New(t, "sqlite"), databaseFirst, section, "ada")
		planted := st.user("ada")
		before := st.in("ada", harness.Password)
		st.in("ada", "right ada")
		users, err := st.db.CountUsers(t.Context())
		must(t, err)
		adopted := users == 1
		before.Visit(profilePath)
		open := !strings.Contains(before.Body, `name="password"`)
		after := st.try("ada", harness.Password)
		works := after.Status == http.StatusOK && !strings.Contains(after.Body, wrong)
		switch {
		case section == "" && (adopted || !open || !works):
			t.Errorf("where the directory owns no name: adopted %v, session %v, password %v; want the account left to its owner", adopted, open, works)
		case strings.Contains(section, "keep") && (!adopted || !open || !works):
			t.Errorf("with keep_access: adopted %v, session %v, password %v; want all of them", adopted, open, works)
		case section == "match_username = true" && (!adopted || open || works || st.user("ada").ID != planted.ID):
			t.Errorf("where the directory owns the names: adopted %v, the session from before %v, the password from before %v; want only the first", adopted, open, works)
		}
	}
}

// TestDown: while the directory is away, people of the database log in where the stack goes on past it, and for everybody else it is a page
// that says so, in time. Both orders. When it is back, so are they.
func TestDown(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	for _, stack := range []string{databaseFirst, ldapFirst} {
		for _, skip := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s skip %v", strings.ReplaceAll(stack, `"`, ""), skip), func(t *testing.T) {
				t.Parallel()
				proxy := harness.NewProxy(t, s.TLS)
				proxy.Reset() // a directory that is away keeps no site from starting
				st := serve(t, "ldaps://"+proxy.Addr(), s, testdb.New(t, "sqlite"), stack, fmt.Sprintf("skip_if_down = %v", skip), "bob")
				st.away("eve", "right eve")
				proxy.Pass()
				st.in("bob", harness.Password)
				st.in("eve", "right eve")
				for what, fault := range map[string]func(){"silent": proxy.Hang, "gone": proxy.Reset} {
					fault()
					if stack == databaseFirst || skip {
						st.in("bob", harness.Password)
					} else {
						st.away("bob", harness.Password)
					}
					st.away("eve", "right eve")
					st.away("eve", "wrong")
					st.away("nobody", "wrong")
					proxy.Pass()
					st.in("bob", harness.Password)
					st.in("eve", "right eve")
					if st.refused("eve", "wrong"); t.Failed() {
						t.Fatalf("after the directory was %s", what)
					}
				}
			})
		}
	}
}

// TestMidLogin: the directory stops in the middle of a log-in, after each number of messages: a page that says so, and never a wrong
// password. The next log-in, with the directory back, works.
func TestMidLogin(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	proxy := harness.NewProxy(t, s.TLS)
	st := serve(t, "ldaps://"+proxy.Addr(), s, testdb.New(t, "sqlite"), databaseFirst, "")
	struck := 0
	for n, fault := range []func(int){proxy.ResetAfter, proxy.HangAfter} {
		for messages := 0; messages < 8; messages += 1 + n {
			proxy.Reset() // new connections, so that the messages are those of a whole log-in
			proxy.Pass()
			fault(messages)
			b := st.try("ada", "right ada")
			switch b.Status {
			case http.StatusServiceUnavailable:
				struck++
				b.Sees(down).SeesNot(wrong)
			default: // it was over before
				b.AtPath(profilePath).HasStatus(http.StatusOK)
			}
			proxy.Pass()
			st.in("ada", "right ada")
		}
	}
	if struck < 6 {
		t.Errorf("only %d log-ins met a fault", struck)
	}
}

// TestFailOver: with the first server killed, the second one lets people in, and one that is silent costs no more than its share.
func TestFailOver(t *testing.T) {
	t.Parallel()
	first, second := newSlapd(t), newSlapd(t)
	second.Replace("uid=ada,"+people, "mail", "second@example.com")
	cfg := first.config()
	ca, err := os.ReadFile(second.CA)
	must(t, err)
	cfg.RootCAs.AppendCertsFromPEM(ca)
	cfg.Servers = []string{"ldaps://" + first.TLS, "ldaps://" + second.TLS}
	b := backend(t, cfg)
	address := func() string {
		t.Helper()
		id, err := try(b, "ada", "right ada")
		must(t, err)
		return id.Email
	}
	if got := address(); got != "ada@example.com" {
		t.Errorf("both are there: the answer is the second's, %s", got)
	}
	first.Kill(t)
	if got := address(); got != "second@example.com" {
		t.Errorf("the first is gone: got %s", got)
	}
	proxy := harness.NewProxy(t, second.TLS)
	proxy.Hang()
	cfg.Servers[0] = "ldaps://" + proxy.Addr()
	b = backend(t, cfg)
	for range 3 {
		if got := address(); got != "second@example.com" {
			t.Errorf("the first is silent: got %s", got)
		}
	}
}

// TestEqualAnswers: nobody, a wrong password, a group that is denied, a name that is none and one who is switched off read the same.
func TestEqualAnswers(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	s.Add("cn=left,"+groups, "objectClass: groupOfNames", "cn: left", "member: uid=eve,"+people)
	for _, stack := range []string{databaseFirst, ldapFirst} {
		st := serve(t, "ldap://"+s.Plain, s, testdb.New(t, "sqlite"), stack,
			fmt.Sprintf("group_kind = \"groupOfNames\"\ngroup_base = %q\ndeny_groups = [\"left\"]", groups), "eve", "zoe")
		st.in("bob", "right bob")
		must(t, st.db.Users().SetActive(t.Context(), st.user("bob"), false, nil))
		st.in("ada", "right ada") // the control
		var first string
		for _, c := range [][2]string{
			{"ada", "wrong"}, {"nobody", "wrong"}, {"eve", "right eve"}, {"bob", "right bob"}, {"zoe", "wrong"}, {"*)(uid=*", "wrong"}, {"uid=ada," + people, "right ada"},
		} {
			got := strings.ReplaceAll(page(st.refused(c[0], c[1])), `value="`+c[0]+`"`, "")
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("%s: %q reads other than a wrong password:\n%s\n%s", stack, c[0], got, first)
			}
		}
		// One who is denied by the directory is let in by no later back end; by an earlier one, she is.
		b := st.try("eve", harness.Password)
		if in := b.Status == http.StatusOK && !strings.Contains(b.Body, wrong); !in {
			t.Errorf("%s: the local eve with her own password: status %d", stack, b.Status)
		}
	}
}

// TestM38LockOut (M20, M21, M22, M38): tries at the directory count as all tries do. An account that is locked is locked for its right password
// as well, in whatever spelling, and the directory is not asked; a good log-in of somebody else opens nothing; a header about the
// address makes it no other address.
func TestM38LockOut(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	st := serve(t, "ldap://"+s.Plain, s, testdb.New(t, "sqlite"), databaseFirst, "")
	b := st.open()
	spellings := []string{"ada", "ADA", " ada", "Ada ", "aDa", "ada\u200b", "ａｄａ"}
	limited := 0
	for n := range 30 {
		status := post(b, spellings[n%len(spellings)], "wrong", fmt.Sprintf("192.0.2.%d", n))
		if status == http.StatusTooManyRequests {
			limited = n
			break
		}
		if n%3 == 0 {
			st.in("bob", "right bob")
		}
	}
	if limited != 10 {
		t.Fatalf("the account was closed after %d tries, want 10", limited)
	}
	before := strings.Count(settled(t, s), `filter="(&(|(uid=ada)))"`)
	for _, name := range spellings {
		if status := post(b, name, "right ada", "192.0.2.200"); status != http.StatusTooManyRequests {
			t.Errorf("%q with the right password: status %d, want 429", name, status)
		}
	}
	if after := strings.Count(settled(t, s), `filter="(&(|(uid=ada)))"`); after != before {
		t.Errorf("the directory was asked %d times about a locked account", after-before)
	}
	st.in("eve", "right eve") // the control: another account is open
	closed := false
	for n := 0; n < 120 && !closed; n++ { // each name once, with good log-ins in between: the address is closed all the same
		closed = post(b, fmt.Sprintf("guess%d", n), "wrong", fmt.Sprintf("192.0.2.%d", n)) == http.StatusTooManyRequests
		if n%10 == 0 && !closed {
			closed = st.try("bob", "right bob").Status == http.StatusTooManyRequests
		}
	}
	if !closed {
		t.Error("one address may guess at any number of accounts")
	}
}

// TestM33Next: where a log-in leads is a page of this site, whichever back end let the person in.
func TestM33Next(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	st := serve(t, "ldaps://"+s.TLS, s, testdb.New(t, "sqlite"), databaseFirst, "")
	for next, want := range map[string]string{
		"https://evil.example/": profilePath, "//evil.example/": profilePath, `/\evil.example`: profilePath, "/accounts/password_change/": "/accounts/password_change/",
	} {
		b := st.open()
		req, err := http.NewRequest(http.MethodGet, b.URL(loginPath), nil)
		must(t, err)
		req.URL.RawQuery = "next=" + strings.ReplaceAll(next, `\`, "%5C")
		b.Do(req).Fill("username", "ada").Fill("password", "right ada").Submit().AtPath(want)
	}
}

// TestCheck: the command tells what the directory says, and refuses what the login page would.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	st := serve(t, "ldaps://"+s.TLS, s, testdb.New(t, "sqlite"), databaseFirst, "")
	for typed, want := range map[string]string{"right ada": "This log-in works", "wrong": "this log-in is refused"} {
		out := harness.MustRun(t, harness.Command{
			Path: "/bin/sh", Args: []string{"-c", `printf '%s\n' "$2" | "$1" ldap check ada || true`, "sh", harness.Cardea(t), typed}, Env: st.environ(),
		})
		if !strings.Contains(out, want) || !strings.Contains(out, `found "uid=ada,`+people) {
			t.Errorf("%s: %s", typed, out)
		}
	}
}
