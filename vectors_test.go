package cardea_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/signing"
)

// claims names the package that runs each file of recorded answers.
var claims = map[string]string{
	"auth_flow":     ".",
	"base36":        "signing",
	"base62":        "signing",
	"csrf":          "csrf",
	"hashers":       "password",
	"http":          "origin",
	"messages":      "messages",
	"permissions":   "userdb",
	"safe_redirect": "origin",
	"sessions":      "sessions",
	"signing":       "signing",
	"tokens":        "auth",
	"validators":    "password",
}

// TestVectorFiles: no file of recorded answers lies there unread.
func TestVectorFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(vectors.Dir(t), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vector files in %s (%v)", vectors.Dir(t), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		folder, ok := claims[name]
		if !ok {
			t.Errorf("%s: no package runs this file", file)
			continue
		}
		if !runs(t, folder, name) {
			t.Errorf("%s: package %s has no vectors.Run of it", file, folder)
		}
	}
}

// TestDeviations: where Cardea differs from Django on purpose, few rows say so, each of a file that is run and with a reason. That
// cases meet each row is up to the package that runs its file.
func TestDeviations(t *testing.T) {
	t.Parallel()
	rows := strings.Split(strings.TrimSpace(read(t, "testdata/deviations.tsv")), "\n")[1:]
	if len(rows) == 0 || len(rows) > 15 {
		t.Errorf("testdata/deviations.tsv has %d rows, at most 15 are promised", len(rows))
	}
	for _, row := range rows {
		columns := strings.Split(row, "\t")
		file, _, _ := strings.Cut(columns[0], "/")
		if claims[file] == "" || len(columns) != 5 || columns[4] == "" {
			t.Errorf("testdata/deviations.tsv: no package meets this row, or it gives no reason: %q", row)
		}
	}
}

func runs(t *testing.T, folder, name string) bool {
	t.Helper()
	tests, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(tests, func(file string) bool {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), `vectors.Run(t, "`+name+`"`)
	})
}

// A step is one request of a transcript and Django's answer.
type step struct {
	Flow string `json:"flow"`
	Step string `json:"step"`
	In   struct {
		Method        string            `json:"method"`
		URL           string            `json:"url"`
		Data          map[string]string `json:"data"`
		SessionBefore json.RawMessage   `json:"session_before"`
		Settings      struct {
			Fallbacks []string `json:"SECRET_KEY_FALLBACKS"`
		} `json:"settings"`
	} `json:"in"`
	Out struct {
		Status     int               `json:"status"`
		Headers    map[string]string `json:"headers"`
		SetCookie  map[string]string `json:"set_cookie"`
		SessionKey string            `json:"session_key"` // none, new, same or changed
		OldRow     bool              `json:"old_row_exists"`
		Session    json.RawMessage   `json:"session"`
		Text       string            `json:"body_errors"` // of /who/ and /private/: what the page says
		Mails      *[]flowMail       `json:"mails"`       // nil where the recording did not look
	} `json:"out"`
}

// A flowMail is a mail that a step sends.
type flowMail struct {
	To      []string `json:"to"`
	Subject string   `json:"subject"`
	From    string   `json:"from"`
}

// The secrets of the recorded Django.
const (
	djangoSecret    = "django-contract-fixed-secret-key-0123456789abcdefghijklmnop"
	djangoOldSecret = "django-contract-OLD-secret-key-9876543210"
)

// TestVectorsAuthFlow replays what Django's own views answered, against the real site in the profile Django.
func TestVectorsAuthFlow(t *testing.T) {
	t.Parallel()
	var world *flowWorld
	var client *flowClient
	flow := ""
	vectors.Run(t, "auth_flow", vectors.Ops{
		"http": func(c *vectors.Case) (any, error) {
			var s step
			c.BindAll(&s)
			if world == nil || s.Flow != flow {
				world, client, flow = newFlowWorld(t), nil, s.Flow
			}
			// A transcript goes on in one browser. Where Django's answer shows another state of the session than the step
			// before left, the recording began anew.
			loggedIn, err := startsLoggedIn(s)
			if err != nil {
				return nil, err
			}
			if client == nil || !keepsBrowser(s.Flow) && client.loggedIn() != loggedIn || s.Out.SessionKey == "new" && client.key() != "" {
				client = world.newClient()
				if loggedIn {
					client.logIn("testclient")
				}
			}
			if strings.HasPrefix(s.Step, "other session") {
				client = world.other
			}
			if len(s.In.SessionBefore) > 0 {
				client.plant(world.unmask(s))
			}
			got, err := client.send(s)
			if err != nil {
				return nil, err
			}
			if c.Error != "" || s.Out.Status >= http.StatusInternalServerError {
				return judgeFailure(s, got)
			}
			return judge(s, got)
		},
	})
}

// keepsBrowser tells the one flow whose steps build upon each other in one browser, log-ins included.
func keepsBrowser(flow string) bool { return strings.HasPrefix(flow, "login keeps") }

// startsLoggedIn tells whether testclient was logged in before the step, as the names of flows and steps say.
func startsLoggedIn(s step) (bool, error) {
	switch {
	case s.Flow == "methods", s.Flow == "login next", s.Flow == "get_user", keepsBrowser(s.Flow):
		return false, nil
	case strings.HasPrefix(s.Flow, "password_reset"), strings.HasPrefix(s.Step, "other session"):
		return false, nil
	case s.Flow == "password_change", s.Flow == "redirect_authenticated_user", s.Flow == "access", strings.HasPrefix(s.Flow, "logout"):
		return !strings.Contains(s.Flow+" "+s.Step, "anonymous"), nil
	}
	return false, vectors.Differs("the flow %q is not known", s.Flow)
}

var pythonItem = regexp.MustCompile(`'([A-Z_]+)': '([^']*)'`)

// flowSettings reads the settings in the name of a flow, such as logout {'LOGOUT_REDIRECT_URL': '/bye/'}.
func flowSettings(flow string) map[string]string {
	settings := map[string]string{}
	for _, m := range pythonItem.FindAllStringSubmatch(flow, -1) {
		settings[m[1]] = m[2]
	}
	return settings
}

// unmask puts the hash that the step's name speaks of in the place of <HASH>.
func (w *flowWorld) unmask(s step) string {
	var planted struct {
		ID json.RawMessage `json:"_auth_user_id"`
	}
	if err := json.Unmarshal(s.In.SessionBefore, &planted); err != nil {
		w.t.Fatal(err)
	}
	encoded := w.encoded[strings.Trim(string(planted.ID), `"`)]
	keys := signing.Keys{Current: djangoSecret}
	if strings.Contains(s.Step, "old secret") {
		keys.Current = djangoOldSecret
	}
	hash := auth.SessionHash(encoded, keys)
	if strings.Contains(s.Step, "wrong") {
		hash = auth.SessionHash(encoded+"x", keys)
	}
	return strings.ReplaceAll(string(s.In.SessionBefore), "<HASH>", hash)
}

// judge compares an answer with Django's. What differs must all be explained by a rule of testdata/deviations.tsv.
func judge(s step, got *flowAnswer) (any, error) {
	var rules []vectors.Deviation
	deviate := func(rule, ours string) { rules = append(rules, vectors.Deviation{Rule: rule, Ours: ours}) }
	var wrong []string
	differ := func(what string, got, want any) {
		wrong = append(wrong, fmt.Sprintf("%s: got %v, want %v", what, got, want))
	}
	headers := maps.Clone(s.Out.Headers)
	switch {
	case got.status == s.Out.Status:
	case lacksPermission(s) && got.status == http.StatusForbidden:
		deviate("somebody logged in lacks the permission that a guard asks for", "403")
		delete(headers, "Location")
	default:
		differ("status", got.status, s.Out.Status)
	}
	if got.sessionKey != s.Out.SessionKey {
		if isLogin(s) && s.Out.SessionKey == "same" && got.sessionKey == "changed" {
			deviate("the same user logs in again", "a new key")
		} else {
			differ("session key", got.sessionKey, s.Out.SessionKey)
		}
	}
	if got.oldRow != s.Out.OldRow && !(got.sessionKey == "changed" && s.Out.SessionKey == "same" && !got.oldRow) {
		differ("old row exists", got.oldRow, s.Out.OldRow)
	}
	if text, noted := withoutNotes(got.session); text != compact(s.Out.Session) {
		differ("session", text, compact(s.Out.Session))
	} else if noted {
		deviate("the session of somebody who logged in here", `the member _cardea, last`)
	}
	if _, ok := headers["Cache-Control"]; !ok && got.readUser && got.headers["Cache-Control"] == "no-store, private" {
		deviate("a page that asked for the user", "Cache-Control: no-store, private")
		headers["Cache-Control"] = "no-store, private"
	}
	if !maps.Equal(got.headers, headers) {
		differ("headers", got.headers, headers)
	}
	if !maps.Equal(got.setCookie, s.Out.SetCookie) {
		differ("cookies set", got.setCookie, s.Out.SetCookie)
	}
	if got.text != "" && got.text != s.Out.Text {
		differ("page", got.text, s.Out.Text)
	}
	if s.Out.Mails != nil && !reflect.DeepEqual(got.mails, *s.Out.Mails) {
		differ("mails", got.mails, *s.Out.Mails)
	}
	if len(wrong) > 0 {
		return nil, vectors.Differs("%s / %s\n  %s", s.Flow, s.Step, strings.Join(wrong, "\n  "))
	}
	if len(rules) > 0 {
		return rules[0], nil // the rarest
	}
	return vectors.Same, nil
}

// judgeFailure is judge for a step at which Django raised an exception. So do we, with one exception that the contract names:
// an id that fits no user is nobody's.
func judgeFailure(s step, got *flowAnswer) (any, error) {
	switch {
	case s.Flow == "get_user" && got.status == http.StatusOK && got.text == "anonymous" && got.sessionKey == "same":
		return vectors.Same, nil
	case s.Flow != "get_user" && got.status == http.StatusInternalServerError:
		return vectors.Same, nil
	}
	return nil, vectors.Differs("%s / %s: status %d, page %q, session key %s where Django fails", s.Flow, s.Step, got.status, got.text, got.sessionKey)
}

// lacksPermission tells a step at which Django's permission_required sends somebody who is logged in to log in.
func lacksPermission(s step) bool {
	return s.Flow == "access" && strings.HasPrefix(s.Step, "permission_required") && s.Out.Status == http.StatusFound && s.Out.SessionKey == "same"
}

func isLogin(s step) bool {
	return s.In.Method == http.MethodPost && strings.HasPrefix(s.In.URL, "/login/")
}
