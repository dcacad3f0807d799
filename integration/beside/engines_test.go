package beside_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/beside"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testredis"
)

// redisSettings are Django's for a cache of its own in Redis, reached at address.
func redisSettings(part testredis.Part, address string) beside.Change {
	return beside.Change{"CACHES": map[string]any{"default": map[string]any{
		"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": address, "KEY_PREFIX": part.Prefix,
	}}}
}

// engines are Django's, beside the one of all other stories, with what a project sets for them.
var engines = map[string]func(t *testing.T) beside.Change{
	"cached_db":      func(t *testing.T) beside.Change { part := testredis.New(t); return redisSettings(part, part.URL) },
	"cache":          func(t *testing.T) beside.Change { part := testredis.New(t); return redisSettings(part, part.URL) },
	"file":           func(t *testing.T) beside.Change { return beside.Change{"SESSION_FILE_PATH": t.TempDir()} },
	"signed_cookies": func(*testing.T) beside.Change { return nil },
}

// openEngine makes a site that keeps its sessions in that engine, on SQLite.
func openEngine(t *testing.T, version, engine string, settings beside.Change) *stage {
	t.Helper()
	s := &stage{Site: beside.Open(t, version, "sqlite"), secret: beside.SecretKey, zone: beside.TimeZone}
	s.Settings["SESSION_ENGINE"] = "django.contrib.sessions.backends." + engine
	maps.Copy(s.Settings, settings)
	harness.MustRun(t, s.Cardea(t, s.Config(t, nil), nil, "migrate"))
	s.pair = s.start(t, nil)
	s.probe = &harness.Server{} // it knows no engine but the database
	t.Log(s.django.Do(t, "version"))
	return s
}

// versions are the Djangos beside which the engines are tried.
func versions() []string {
	if os.Getenv("CARDEA_SLOW") == "1" {
		return []string{"5.2", "4.2"}
	}
	return []string{"5.2"}
}

// TestEngines tells what a session does, wherever it is kept, in both directions.
func TestEngines(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		for engine, settings := range engines {
			t.Run("Django "+version+" "+engine, func(t *testing.T) {
				t.Parallel()
				s := openEngine(t, version, engine, settings(t))
				for i, direction := range directions {
					t.Run(direction.name, func(t *testing.T) {
						c := newCell(t, s, fmt.Sprintf("kay%c", 'a'+i), direction.a, direction.b)
						c.engineStory(engine)
					})
				}
			})
		}
	}
}

func (c *cell) engineStory(engine string) {
	b, elsewhere := c.loggedIn(c.a), c.loggedIn(c.b)
	c.both(b, c.user)
	c.both(elsewhere, c.user)
	if got := c.django.Do(c, "session", "key", b.Cookie("sessionid")); got != c.user {
		c.Errorf("Django's own engine finds %s", got)
	}

	// What A writes into the session B reads at once: the token of a link, which the form does not hold.
	c.visit(b, c.a, c.django.Do(c, "link", "user", c.user, "ago", "0")).Fill("new_password1", secondPassword).Fill("new_password2", secondPassword)
	c.turn(c.b)
	b.Submit().HasStatus(http.StatusOK).AtPath("/accounts/reset/done/")
	c.both(b, "") // every session from before the new password is over
	c.both(elsewhere, "")

	c.login(b, c.a, secondPassword)
	c.both(b, c.user)
	key := b.Cookie("sessionid")
	c.sees(b, c.b, c.user).Press("Log out")
	c.sees(b, c.a, "")
	c.sees(b, c.b, "")
	alive := "" // who has kept the cookie
	if engine == "signed_cookies" {
		alive = c.user // nothing can end a copy of the cookie, at neither of them
	}
	for _, at := range []side{c.a, c.b} {
		c.carry(key, at, alive)
	}
}

// carry checks whom a side takes somebody for who has that cookie.
func (c *cell) carry(key string, at side, name string) {
	c.Helper()
	b := c.browser()
	u, err := url.Parse(c.front.URL)
	if err != nil {
		c.Fatal(err)
	}
	b.Client().Jar.SetCookies(u, []*http.Cookie{{Name: "sessionid", Value: key}})
	c.sees(b, at, name)
}

// TestRedisDown: without its Redis, a site whose sessions are in the database too goes on, one whose sessions are there alone answers
// 503 and knows them again afterwards.
func TestRedisDown(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"cached_db", "cache"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			part := testredis.New(t)
			u, err := url.Parse(part.URL)
			if err != nil {
				t.Fatal(err)
			}
			proxy := harness.NewProxy(t, u.Host)
			u.Host = proxy.Addr()
			s := openEngine(t, "5.2", engine, redisSettings(part, u.String()))
			c := newCell(t, s, "kay", djangoSide, cardeaSide)
			b, other := c.loggedIn(djangoSide), c.loggedIn(cardeaSide)
			c.both(b, c.user)
			c.both(other, c.user)

			proxy.Reset()
			var late *cardeatest.Browser
			if engine == "cache" {
				for _, known := range []*cardeatest.Browser{b, other} {
					if c.visit(known, cardeaSide, "/"); known.Status != http.StatusServiceUnavailable || strings.Contains(known.Body, cardeaSide.nobody) {
						t.Errorf("without Redis: status %d, want 503\n%s", known.Status, known.Body)
					}
				}
			} else {
				c.sees(b, cardeaSide, c.user)
				c.sees(other, cardeaSide, c.user).Press("Log out")
				c.sees(other, cardeaSide, "")
				late = c.loggedIn(cardeaSide) // Django itself answers 500 meanwhile
			}
			proxy.Pass()
			harness.Eventually(t, "the session is known again", harness.Patience, func() bool {
				return strings.Contains(c.visit(b, cardeaSide, "/").Body, cardeaSide.sees(c.user))
			})
			c.both(b, c.user)
			if engine == "cached_db" { // and so is that of meanwhile; nor does the copy from before bring back who has logged out
				c.both(late, c.user)
				harness.Eventually(t, "the log-out has reached Django's copy", harness.Patience, func() bool {
					return strings.Contains(c.visit(other, djangoSide, "/").Body, djangoSide.nobody)
				})
			}
		})
	}
}
