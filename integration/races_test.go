package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// TestRaces runs two processes on one database against each other, the slow request of each round held between the moment at
// which its session is loaded and the moment at which it is saved.
func TestRaces(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		harness.Migrated(t, db, "ada")
		workers := 8
		if db.Kind == "sqlite" { // one writer at a time, in any case
			workers = 3
		}
		for _, profile := range []string{"default", "django"} {
			t.Run(profile, func(t *testing.T) {
				p := startPair(t, db, profile)
				for _, r := range []struct {
					name  string
					round func(p *pair, n int, control bool) error
				}{
					{"a logged-out session stays dead", (*pair).logoutBeforeSave},
					{"two requests that set a key each lose neither", (*pair).twoSets},
					{"two requests that append by Update lose neither", (*pair).twoAppends},
					{"logout against rotate ends logged out", (*pair).logoutAgainstRotate},
					{"of two rotates one wins", (*pair).twoRotates},
					{"a logout that fails afterwards stays a logout", (*pair).logoutThenFailure},
					{"parallel requests at a login log nobody out", (*pair).requestsAtLogin},
				} {
					t.Run(r.name, func(t *testing.T) {
						race(t, workers, func(n int, control bool) error { return r.round(p, n, control) })
					})
				}
			})
		}
	})
}

// logoutBeforeSave: a request is held, its person logs out elsewhere, and then it saves. In the control nobody logs out.
func (p *pair) logoutBeforeSave(n int, control bool) error {
	cookie, err := p.begin(n, "ada")
	if err != nil {
		return err
	}
	slow := p.Hold()
	defer slow.Free()
	answered, err := p.start(request{to: n, path: "/set?key=late&value=1", cookie: cookie, hold: slow})
	if err != nil {
		return err
	}
	if !control {
		if a := p.do(request{to: n + 1, path: "/logout", cookie: cookie}); a.status != http.StatusOK || !a.forget {
			return fmt.Errorf("the logout: %v, want 200 and the cookie deleted", a)
		}
	}
	slow.Free()
	a := answered()
	if control {
		if a.status != http.StatusOK {
			return fmt.Errorf("the slow request: %v, want 200", a)
		}
		s, _, err := p.who(n+1, cookie)
		if err == nil && (s.User != "ada" || string(s.Data["late"]) != `"1"`) {
			err = fmt.Errorf("after the slow request the session is %v", s)
		}
		return err
	}
	if a.status != http.StatusBadRequest || a.cookie != "" {
		return fmt.Errorf("the slow request: %v, want 400 and no cookie", a)
	}
	return p.dead(cookie)
}

// overlap starts two requests with the same cookie at different processes, both held, and lets them go: the first first, the
// second first, or both at once.
func (p *pair) overlap(n int, cookie string, paths [2]string) (answers [2]answer, err error) {
	var (
		holds    [2]*harness.Hold
		answered [2]func() answer
	)
	for i, path := range paths {
		holds[i] = p.Hold()
		defer holds[i].Free()
		if answered[i], err = p.start(request{to: n + i, path: path, cookie: cookie, hold: holds[i]}); err != nil {
			return answers, err
		}
	}
	order := [2]int{0, 1}
	if n%3 == 1 {
		order = [2]int{1, 0}
	}
	for _, i := range order {
		holds[i].Free()
		if n%3 != 2 {
			answers[i] = answered[i]()
		}
	}
	if n%3 == 2 {
		answers = [2]answer{answered[0](), answered[1]()}
	}
	return answers, nil
}

// ownerOf alternates between sessions of a person and of nobody.
func ownerOf(n int) string {
	if n%2 == 0 {
		return "ada"
	}
	return ""
}

// twoSets: in the control both set the same key, and the last one wins.
func (p *pair) twoSets(n int, control bool) error {
	cookie, err := p.begin(n, ownerOf(n))
	if err != nil {
		return err
	}
	paths := [2]string{"/set?key=left&value=1", "/set?key=right&value=2"}
	if control {
		paths[1] = "/set?key=left&value=2"
	}
	answers, err := p.overlap(n, cookie, paths)
	if err != nil {
		return err
	}
	for _, a := range answers {
		if a.status != http.StatusOK {
			return fmt.Errorf("one of the two: %v %s", a, a.body)
		}
	}
	s, _, err := p.who(n, cookie)
	left, right := string(s.Data["left"]), string(s.Data["right"])
	switch {
	case err != nil:
		return err
	case control && (right != "" || left != `"1"` && left != `"2"`):
		return fmt.Errorf("left is %s and right %s, want one of two values, and nothing", left, right)
	case !control && (left != `"1"` || right != `"2"`):
		return fmt.Errorf("left is %s and right %s, want both values", left, right)
	}
	return p.alive(cookie, ownerOf(n))
}

// twoAppends: in the control both append without Update, and one is lost.
func (p *pair) twoAppends(n int, control bool) error {
	cookie, err := p.begin(n, ownerOf(n))
	if err != nil {
		return err
	}
	path, want := "/append", []string{"a", "b"}
	if control {
		path = "/clobber"
	}
	answers, err := p.overlap(n, cookie, [2]string{path + "?key=list&value=a", path + "?key=list&value=b"})
	if err != nil {
		return err
	}
	for _, a := range answers {
		if a.status != http.StatusOK {
			return fmt.Errorf("one of the two: %v %s", a, a.body)
		}
	}
	s, _, err := p.who(n+1, cookie)
	if err != nil {
		return err
	}
	var got []string
	if err := json.Unmarshal(s.Data["list"], &got); err != nil {
		return fmt.Errorf("the list is %s: %w", s.Data["list"], err)
	}
	if slices.Sort(got); control && len(got) != 1 {
		return fmt.Errorf("the list is %v without Update: the requests do not overlap", got)
	} else if !control && !slices.Equal(got, want) {
		return fmt.Errorf("the list is %v, want %v", got, want)
	}
	return nil
}

// logoutAgainstRotate: in the control nobody logs out, and the session lives on under the new key alone.
func (p *pair) logoutAgainstRotate(n int, control bool) error {
	cookie, err := p.begin(n, "ada")
	if err != nil {
		return err
	}
	if control {
		a := p.do(request{to: n, path: "/rotate", cookie: cookie})
		if a.status != http.StatusOK || a.cookie == "" || a.cookie == cookie {
			return fmt.Errorf("the rotation: %v", a)
		}
		if err := p.dead(cookie); err != nil {
			return err
		}
		return p.alive(a.cookie, "ada")
	}
	answers, err := p.overlap(n, cookie, [2]string{"/rotate", "/logout"})
	if err != nil {
		return err
	}
	rotate, logout := answers[0], answers[1]
	if logout.status != http.StatusOK || !logout.forget {
		return fmt.Errorf("the logout: %v, want 200 and the cookie deleted", logout)
	}
	switch first := n%3 == 0; {
	case rotate.status == http.StatusOK && n%3 != 1:
		if rotate.cookie == "" {
			return fmt.Errorf("the rotation: %v, want a cookie", rotate)
		}
		if err := p.dead(rotate.cookie); err != nil {
			return fmt.Errorf("under the new key: %w", err)
		}
	case rotate.status != http.StatusBadRequest || rotate.cookie != "" || first:
		return fmt.Errorf("the rotation (%d): %v", n%3, rotate)
	}
	return p.dead(cookie)
}

// twoRotates: in the control they come one after the other, and both succeed.
func (p *pair) twoRotates(n int, control bool) error {
	user := ownerOf(n)
	cookie, err := p.begin(n, user)
	if err != nil {
		return err
	}
	if control {
		first := p.do(request{to: n, path: "/rotate", cookie: cookie})
		second := p.do(request{to: n + 1, path: "/rotate", cookie: first.cookie})
		if first.status != http.StatusOK || second.status != http.StatusOK || first.cookie == second.cookie {
			return fmt.Errorf("one rotation after the other: %v and %v", first, second)
		}
		return p.alive(second.cookie, user)
	}
	answers, err := p.overlap(n, cookie, [2]string{"/rotate", "/rotate"})
	if err != nil {
		return err
	}
	won, lost := answers[0], answers[1]
	if won.status != http.StatusOK {
		won, lost = lost, won
	}
	if won.status != http.StatusOK || won.cookie == "" || lost.status != http.StatusBadRequest {
		return fmt.Errorf("the rotations: %v and %v, want 200 once and 400 once", answers[0], answers[1])
	}
	if lost.cookie != "" || lost.forget {
		return fmt.Errorf("who lost has touched the cookie that the other has set: %v", lost)
	}
	if err := p.dead(cookie); err != nil {
		return err
	}
	return p.alive(won.cookie, user)
}

// logoutThenFailure: what comes after a logout does not undo it, be it a 500, a panic, a connection that the server closes, or one
// that the person has closed before. In the control the same goes wrong without a logout, and nobody is logged out.
func (p *pair) logoutThenFailure(n int, control bool) error {
	cookie, err := p.begin(n, "ada")
	if err != nil {
		return err
	}
	path := "/logout"
	if control {
		path = "/read"
	}
	switch then := []string{"500", "panic", "close", "left"}[n%4]; then {
	case "left":
		ctx, leave := context.WithCancel(context.Background())
		defer leave()
		slow := p.Hold()
		defer slow.Free()
		answered, err := p.start(request{to: n, path: path, cookie: cookie, hold: slow, ctx: ctx})
		if err != nil {
			return err
		}
		leave()
		if a := answered(); a.err == nil {
			return fmt.Errorf("who has left was answered: %v", a)
		}
		slow.Free()
		if !control { // the server may take a moment to get there
			return soon(func() error { return p.dead(cookie) })
		}
	case "close":
		if a := p.do(request{to: n, path: path + "?then=close", cookie: cookie}); a.err == nil {
			return fmt.Errorf("the connection was to be closed: %v", a)
		}
	default:
		a := p.do(request{to: n, path: path + "?then=" + then, cookie: cookie})
		if a.status != http.StatusInternalServerError || a.forget == control {
			return fmt.Errorf("%s with %s: %v, want 500, and the cookie deleted by a logout only", path, then, a)
		}
	}
	if control {
		return p.alive(cookie, "ada")
	}
	return p.dead(cookie)
}

// requestsAtLogin: five requests with the cookie from before a login, of which two come after it. Half of them want to save
// something, and are told that they cannot. None may touch the cookie. In the control the session is logged out instead of in, and
// its cookie is deleted.
func (p *pair) requestsAtLogin(n int, control bool) error {
	cookie, err := p.begin(n, ownerOf(n))
	if err != nil {
		return err
	}
	early := make([]*harness.Hold, 3)
	answered := make([]func() answer, 3)
	for i := range early {
		early[i] = p.Hold()
		defer early[i].Free()
		path := "/read"
		if i == 2 {
			path = "/set?key=mine&value=1"
		}
		if answered[i], err = p.start(request{to: n + i, path: path, cookie: cookie, hold: early[i]}); err != nil {
			return err
		}
	}
	if control {
		a := p.do(request{to: n, path: "/logout", cookie: cookie})
		late := p.do(request{to: n + 1, path: "/read", cookie: cookie})
		if !a.forget || !late.forget {
			return fmt.Errorf("a logout and what comes after it: %v and %v, want the cookie deleted", a, late)
		}
		return nil
	}
	early[0].Free() // this one and the login meet
	login := p.do(request{to: n, path: "/login?user=ada", cookie: cookie})
	if login.status != http.StatusOK || login.cookie == "" || login.cookie == cookie {
		return fmt.Errorf("the login: %v", login)
	}
	early[1].Free()
	early[2].Free()
	answers := []answer{
		answered[0](), answered[1](), answered[2](),
		p.do(request{to: n + 1, path: "/read", cookie: cookie}),
		p.do(request{to: n, path: "/set?key=mine&value=2", cookie: cookie}),
	}
	for i, a := range answers {
		want := http.StatusOK
		if i == 2 || i == 4 {
			want = http.StatusBadRequest
		}
		if a.status != want || a.cookie != "" || a.forget {
			return fmt.Errorf("request %d around the login: %v, want %d and the cookie left alone", i, a, want)
		}
	}
	if err := p.dead(cookie); err != nil {
		return err
	}
	return p.alive(login.cookie, "ada")
}
