package cardea_test

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/password"
)

// pairs is how often each pair of requests is timed.
const pairs = 150

// A difference is what two kinds of requests take more or less than each other, sent in pairs, one right after the other: the
// median, and the bounds between which it lies with 99.9 %, whatever else the machine does.
type difference struct {
	median, low, high time.Duration
	usual             time.Duration // what one request takes
}

// apart is the most by which they differ.
func (d difference) apart() time.Duration { return max(d.high.Abs(), d.low.Abs()) }

// systematic reports a difference that is more than chance, and more than a twentieth of a request.
func (d difference) systematic() bool { return d.low > d.usual/20 || d.high < -d.usual/20 }

// timePairs times two kinds of requests against each other, over loopback.
func timePairs(first, second func()) difference {
	took := func(send func()) time.Duration {
		began := time.Now()
		send()
		return time.Since(began)
	}
	var d difference
	var more, all []time.Duration
	for i := range pairs {
		var a, b time.Duration
		if i%2 == 0 {
			a, b = took(first), took(second)
		} else {
			b, a = took(second), took(first)
		}
		more, all = append(more, a-b), append(all, a, b)
	}
	slices.Sort(more)
	slices.Sort(all)
	rank := int(math.Ceil(3.29 * math.Sqrt(pairs) / 2)) // of the binomial distribution
	d.median, d.low, d.high, d.usual = more[pairs/2], more[pairs/2-rank], more[pairs/2+rank], all[pairs]
	return d
}

// TestEqualTime: nobody learns from a clock whether an account is there, may log in or has a password; neither from a log-in nor
// from asking for a reset. The counts of TestM09 and TestM10 are exact; this one is what they come to. In the control one of two
// requests hashes nothing.
func TestEqualTime(t *testing.T) { // not parallel: it looks at the clock
	if testing.Short() {
		t.Skip("sends thousands of requests")
	}
	hashing := password.Config{Hashers: []password.Hasher{password.PBKDF2SHA256(5000)}, EqualWork: true}
	g := newHashingRig(t, hashing, func(cfg *cardea.Config) { cfg.Mail = &cardeatest.Mailbox{} })
	encoded, err := g.site.Hashers.Make(t.Context(), "engine")
	if err != nil {
		t.Fatal(err)
	}
	g.makeUser("inactive", encoded, true)
	g.makeUser("unusable", password.Unusable(), false)
	p := g.person()
	logIn := func(username string) func() {
		return func() {
			if a := p.logIn(username, "wrong"); a.status != 200 {
				t.Fatalf("a log-in as %s: status %d", username, a.status)
			}
		}
	}
	reset := func(username string) func() {
		return func() {
			g.clock.step(time.Hour)
			if a := p.post("/accounts/password_reset/", url.Values{"email": {username + "@example.com"}}); !a.redirects() {
				t.Fatalf("asking for a reset for %s: status %d\n%s", username, a.status, a.body)
			}
		}
	}
	for name, send := range map[string]func(string) func(){"log-in": logIn, "reset": reset} {
		for _, other := range []string{"nobody", "inactive", "unusable"} {
			d := timePairs(send("ada"), send(other))
			t.Logf("%s, ada and %s: %s", name, other, d)
			if d.systematic() {
				t.Errorf("%s: ada and %s can be told apart: %s", name, other, d)
			}
		}
	}
	blank := func() {
		g.clock.step(30 * time.Minute)
		p.post("/accounts/login/", url.Values{"username": {"ada"}, "password": {""}})
	}
	if d := timePairs(logIn("ada"), blank); !d.systematic() {
		t.Errorf("control: a request that hashes and one that does not cannot be told apart: %s", d)
	}
}

func (d difference) String() string {
	return fmt.Sprintf("the median differs by %v of %v, at most %v (99.9 %%, %d pairs)", d.median, d.usual, d.apart(), pairs)
}
