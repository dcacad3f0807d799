package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// A pair is two processes of the probe on one database.
type pair struct {
	*harness.Gate
	bases  [2]string
	client *http.Client
}

func startPair(t *testing.T, db testdb.DB, profile string) *pair {
	t.Helper()
	p := &pair{Gate: harness.NewGate(t)}
	for i := range p.bases {
		started := harness.Start(t, harness.Command{
			Path:  harness.Build(t, "./probe"),
			Args:  []string{"-db", db.URL, "-control", p.URL, "-profile", profile, "-secret", harness.SecretKey},
			Ready: harness.Answers,
		})
		p.bases[i] = started.Ready()[1]
	}
	p.client = &http.Client{
		// Without connections to be used again: over those, the client itself repeats a request whose answer breaks off.
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       harness.Patience,
	}
	t.Cleanup(p.client.CloseIdleConnections)
	return p
}

// A request is one request of a browser that has the cookie named.
type request struct {
	to     int    // which process
	path   string // and query
	cookie string // NAME=VALUE
	hold   *harness.Hold
	ctx    context.Context // defaults to one that does not end
}

// An answer is what came back.
type answer struct {
	status int
	body   string
	cookie string // the session's, NAME=VALUE, if one was set
	forget bool   // the session's cookie was deleted
	err    error  // the connection broke
}

func (a answer) String() string {
	return fmt.Sprintf("[%d, cookie set %v, deleted %v, error %v]", a.status, a.cookie != "", a.forget, a.err)
}

// do sends a request and waits for its answer.
func (p *pair) do(r request) answer {
	if r.ctx == nil {
		r.ctx = context.Background()
	}
	address := p.bases[r.to%2] + r.path
	if r.hold != nil {
		separator := "?"
		if strings.Contains(r.path, "?") {
			separator = "&"
		}
		address += separator + "hold=" + url.QueryEscape(r.hold.Token)
	}
	req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{err: err}
	}
	if r.cookie != "" {
		req.Header.Set("Cookie", r.cookie)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	a := answer{status: res.StatusCode, body: string(body), err: err}
	for _, c := range res.Cookies() {
		switch {
		case !strings.HasSuffix(c.Name, "sessionid"):
		case c.Value == "" || c.MaxAge < 0:
			a.forget = true
		default:
			a.cookie = c.Name + "=" + c.Value
		}
	}
	return a
}

// start sends a request that is held, and returns when its session is loaded. What it returns waits for the answer.
func (p *pair) start(r request) (answered func() answer, err error) {
	if r.hold == nil {
		return nil, errors.New("start: a request without a hold")
	}
	got := make(chan answer, 1)
	go func() { got <- p.do(r) }()
	select {
	case <-r.hold.Arrived:
	case a := <-got:
		return nil, fmt.Errorf("%s was answered before it was held: %v %s", r.path, a, a.body)
	case <-time.After(harness.Patience):
		return nil, fmt.Errorf("%s is not held after %v", r.path, harness.Patience)
	}
	return func() answer { return <-got }, nil
}

// begin makes a session with something in it, of that user or, without a name, of nobody, and returns its cookie.
func (p *pair) begin(to int, user string) (cookie string, err error) {
	a := p.do(request{to: to, path: "/set?key=begun&value=yes"})
	if user != "" && a.status == http.StatusOK {
		a = p.do(request{to: to + 1, path: "/login?user=" + user, cookie: a.cookie})
	}
	if a.status != http.StatusOK || a.cookie == "" {
		return "", fmt.Errorf("beginning a session of %q: %v %s", user, a, a.body)
	}
	return a.cookie, nil
}

// seen is what /who tells.
type seen struct {
	User string
	Data map[string]json.RawMessage
}

func (s seen) String() string {
	return fmt.Sprintf("user %q with the keys %q", s.User, slices.Sorted(maps.Keys(s.Data)))
}

// who asks one of the processes what it sees with that cookie.
func (p *pair) who(to int, cookie string) (seen, answer, error) {
	a := p.do(request{to: to, path: "/who", cookie: cookie})
	var s seen
	if a.err != nil || a.status != http.StatusOK {
		return s, a, fmt.Errorf("/who: %v %s", a, a.body)
	}
	return s, a, json.Unmarshal([]byte(a.body), &s)
}

// alive is nil if both processes see that user's session ("" for nobody's) under that cookie.
func (p *pair) alive(cookie, user string) error {
	for to := range p.bases {
		switch s, _, err := p.who(to, cookie); {
		case err != nil:
			return err
		case s.User != user || s.Data["begun"] == nil:
			return fmt.Errorf("process %d sees %v, want the session of %q", to, s, user)
		}
	}
	return nil
}

// dead is nil if neither process sees anything under that cookie, and both delete it.
func (p *pair) dead(cookie string) error {
	for to := range p.bases {
		switch s, a, err := p.who(to, cookie); {
		case err != nil:
			return err
		case s.User != "" || len(s.Data) > 0:
			return fmt.Errorf("process %d sees %v, want a session that is dead", to, s)
		case a.cookie != "":
			return fmt.Errorf("process %d revives the dead session's cookie: %v", to, a)
		}
	}
	return nil
}

// rounds is how often each race is run.
const rounds = 200

// race runs rounds of a race, some at a time, and as many of its controls as are a tenth of that. round gets its number, and
// whether it is a control: the same without what races.
func race(t *testing.T, workers int, round func(n int, control bool) error) {
	t.Helper()
	began := time.Now()
	const all = rounds + rounds/10
	numbers := make(chan int)
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed []string
	)
	for range workers {
		wg.Go(func() {
			for n := range numbers {
				control := n%11 == 10
				if err := round(n, control); err != nil {
					mu.Lock()
					failed = append(failed, fmt.Sprintf("round %d (control: %v): %v", n, control, err))
					mu.Unlock()
				}
			}
		})
	}
	sent := 0
	for n := range all {
		mu.Lock()
		enough := len(failed) >= 5
		mu.Unlock()
		if enough {
			break
		}
		numbers <- n
		sent++
	}
	close(numbers)
	wg.Wait()
	for _, f := range failed {
		t.Error(f)
	}
	t.Logf("%d rounds, controls included, in %v; %d failed", sent, time.Since(began).Round(time.Millisecond), len(failed))
}

// soon repeats check until it is nil, for a while.
func soon(check func() error) error {
	deadline := time.Now().Add(harness.Patience)
	for {
		err := check()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
