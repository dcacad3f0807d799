package pages

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/sessions"
)

// A Problem is what a person is told when a page cannot be shown: what happened and what to do, never an internal error.
type Problem struct {
	Status     int
	Title      string
	Paragraphs []string
	RetryAfter time.Duration // sent as Retry-After, rounded up to whole seconds
	ID         string        // stands in the log too
}

var problems = map[int]Problem{
	http.StatusBadRequest: {
		Title:      "This request could not be understood",
		Paragraphs: []string{"Something in the address or in the form was not as it should be. Go back, load the page anew and try again."},
	},
	http.StatusUnauthorized: {
		Title:      "Please log in first",
		Paragraphs: []string{"This address answers only to those who are logged in."},
	},
	http.StatusForbidden: {
		Title:      "This is not open to you",
		Paragraphs: []string{"You have no permission for this page. If you think you should, ask the people who run this site."},
	},
	http.StatusNotFound: {
		Title:      "There is no such page",
		Paragraphs: []string{"The address may be mistyped, or the page has moved."},
	},
	http.StatusRequestEntityTooLarge: {
		Title:      "That was too much at once",
		Paragraphs: []string{"The form holds more than this site accepts. Shorten it and send it again."},
	},
	http.StatusTooManyRequests: {
		Title:      "Too many tries",
		Paragraphs: []string{"Please wait a little and then try again. Nothing is lost."},
	},
	http.StatusInternalServerError: {
		Title:      "Something went wrong here",
		Paragraphs: []string{"It is not your fault, and nothing was changed. Please try again; if it happens again, tell the people who run this site."},
	},
	http.StatusServiceUnavailable: {
		Title:      "We cannot answer right now",
		Paragraphs: []string{"A part of this site does not answer at the moment. You have not been logged out. Please try again in a few seconds."},
		RetryAfter: 5 * time.Second,
	},
}

func problemOf(status int) Problem {
	p, ok := problems[status]
	if !ok {
		p = problems[http.StatusInternalServerError]
		status = http.StatusInternalServerError
	}
	p.Status = status
	return p
}

// Error answers err: the one place that knows which failure has which status and which words.
//
//   - *auth.LimitedError: 429 with Retry-After; password.ErrBusy and *auth.BusyError: 503 with Retry-After
//   - sessions.ErrInterrupted: 400, the session ended while the request was under way
//   - an outage of a store or a back end: 503, never "anonymous" and never "wrong password"
//   - auth.ErrAnonymous, of a program that is not logged in: 401; *auth.ClaimError: its status, 401 mostly
//   - sessions.ErrNoSession, of a program with a token that wants what only a session can have: 403
//   - *origin.HostError and bad forms: 400; bodies over the limit: 413; auth.ErrInvalid and auth.ErrDenied: 403
//   - anything else: 500 with a number that stands in the log too
func (p *Pages) Error(w http.ResponseWriter, r *http.Request, err error) {
	p.fail(w, r, err, p.classify(err))
}

// fail writes the problem that err is.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error, problem Problem) {
	if problem.Status >= 500 {
		problem.ID = rand.Text()[:10]
		level := slog.LevelError
		if r.Context().Err() != nil { // the visitor went away, which is nobody's failure
			level = slog.LevelDebug
		}
		p.cfg.Logger.Log(r.Context(), level, "request failed", "id", problem.ID, "status", problem.Status, "error", err)
	}
	p.Problem(w, r, problem)
}

func (p *Pages) classify(err error) Problem {
	var (
		limited  *auth.LimitedError
		busy     *auth.BusyError
		hashing  *password.BusyError
		host     *origin.HostError
		insecure *origin.InsecureError
		tooLarge *http.MaxBytesError
		panicked *respond.PanicError
		denied   *auth.DeniedError
		claim    *auth.ClaimError
		outage   *auth.OutageError
		store    *sessions.StoreError
	)
	switch {
	case errors.As(err, &limited):
		problem := problemOf(http.StatusTooManyRequests)
		problem.RetryAfter = limited.RetryAfter
		return problem
	case errors.As(err, &busy):
		problem := problemOf(http.StatusServiceUnavailable)
		problem.RetryAfter = busy.RetryAfter
		return problem
	case errors.As(err, &hashing):
		problem := problemOf(http.StatusServiceUnavailable)
		problem.RetryAfter = hashing.RetryAfter
		return problem
	case errors.As(err, &insecure):
		return Problem{Status: http.StatusForbidden, Title: "This site needs HTTPS", Paragraphs: []string{insecure.Error()}}
	case errors.As(err, &host):
		return Problem{
			Status:     http.StatusBadRequest,
			Title:      "This address is not known here",
			Paragraphs: []string{"The name in the address is not one that this site answers to. If you run it, add the name to allowed_hosts."},
		}
	case errors.As(err, &denied): // logged by the guard, under this number
		problem := problemOf(http.StatusForbidden)
		problem.ID = denied.ID
		return problem
	case errors.As(err, &claim):
		return Problem{
			Status:     claim.Status,
			Title:      "These credentials are not accepted",
			Paragraphs: []string{claimText(claim.Status)},
		}
	case errors.Is(err, sessions.ErrNoSession):
		return Problem{
			Status:     http.StatusForbidden,
			Title:      "This is for people who log in",
			Paragraphs: []string{"The request came with a token, or with a name and a password of its own. This address answers only to those who have logged in on the log-in page."},
		}
	case errors.As(err, &tooLarge):
		return problemOf(http.StatusRequestEntityTooLarge)
	case errors.Is(err, sessions.ErrInterrupted):
		return Problem{
			Status:     http.StatusBadRequest,
			Title:      "Your session ended meanwhile",
			Paragraphs: []string{"While this page was being made, you logged out, logged in or changed your password, in another tab or by pressing a button twice; or your session ran out. What this page itself was to change has not been kept. Open it again, and repeat what is still missing."},
		}
	case errors.Is(err, errBadForm):
		return problemOf(http.StatusBadRequest)
	case errors.As(err, &panicked):
		return problemOf(http.StatusInternalServerError)
	case errors.Is(err, auth.ErrAnonymous):
		return problemOf(http.StatusUnauthorized)
	case errors.Is(err, auth.ErrInvalid), errors.Is(err, auth.ErrDenied):
		return problemOf(http.StatusForbidden)
	case errors.As(err, &outage), errors.As(err, &store), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return problemOf(http.StatusServiceUnavailable)
	}
	return problemOf(http.StatusInternalServerError)
}

// claimText says what to do about credentials that were refused.
func claimText(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "The request has more than one Authorization header. Send one."
	case http.StatusForbidden:
		return "A name and a password are accepted over HTTPS only."
	}
	return "The token, or the name and the password, that came with the request is wrong, too old, or was ended. No other way to log in was tried."
}

// NotFound answers 404 with the site's page.
func (p *Pages) NotFound(w http.ResponseWriter, r *http.Request) {
	p.Problem(w, r, problemOf(http.StatusNotFound))
}

// Problem writes a problem as a page, or as RFC 9457 JSON for programs that ask for JSON. It reads neither the session nor the
// user, so that it works when they do not.
func (p *Pages) Problem(w http.ResponseWriter, r *http.Request, problem Problem) {
	h := w.Header()
	if problem.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(problem.RetryAfter.Seconds()))))
	}
	if problem.Status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", "Cookie")
	}
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store, private")
	}
	if wantsJSON(r) {
		writeJSON(w, r, problem)
		return
	}
	p.Render(w, r, problem.Status, "error.html", View{Title: problem.Title, Data: problem, plain: true})
}

func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

func writeJSON(w http.ResponseWriter, r *http.Request, problem Problem) {
	body, err := json.Marshal(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		ID     string `json:"id,omitempty"`
	}{problem.Title, problem.Status, strings.Join(problem.Paragraphs, " "), problem.ID})
	if err != nil {
		http.Error(w, http.StatusText(problem.Status), problem.Status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(problem.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
