package auth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/sessions"
)

// FuzzSession: whatever a session holds where a login stands, whoever wrote it, nobody is logged in but who has the hash of the password,
// and what is not ours stays as it is.
func FuzzSession(f *testing.F) {
	good := hash("plain$engine", secret)
	f.Add(login(`"1"`, modelName, good), true)
	f.Add(login(`1`, modelName, good), false)
	f.Add(login(`"\u0031"`, modelName, good), true)
	f.Add(login(`"1"`, modelName, hash("plain$engine", oldSecret)), true)
	f.Add(`{"_auth_user_id":"1","_auth_user_backend":"`+modelName+`","_auth_user_hash":"`+good+`","_cardea":{"user":"1","proofs":[{"backend":"x","methods":["otp"],"at":"2026-01-02T03:04:05Z"}]}}`, true)
	f.Add(`{"_cardea":{"pending":{"user":"1","hash":"`+good+`","since":"2026-01-02T03:04:05Z","proofs":[]}}}`, false)
	f.Add(`{"_cardea":[{}],"_auth_user_id":["1"],"_auth_user_backend":null,"_auth_user_hash":1e999}`, false)
	f.Add(`{"_cardea":"{\"user\":1}","_auth_user_id":-0,"_auth_user_id":"2"}`, true)
	f.Fuzz(func(t *testing.T, text string, policy bool) {
		testhang.Watch(t)
		data, err := sessions.ParseData([]byte(text))
		if err != nil {
			return
		}
		s := open(t, func(_ *site, cfg *auth.Config) {
			if policy {
				cfg.Policy = func(*http.Request, auth.User, []auth.Proof) error { return nil }
			}
		})
		before, err := data.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		b := s.plant(string(before))
		b.request(func(_ http.ResponseWriter, r *http.Request) {
			u, err := s.auth.Lookup(r)
			var stored string
			raw, _ := data.Get("_auth_user_hash")
			switch {
			case err != nil && !errors.Is(err, auth.ErrAnonymous):
				t.Fatalf("%s: %v", text, err)
			case err == nil && (json.Unmarshal(raw, &stored) != nil || stored != hash(u.password, secret) || !u.active):
				t.Fatalf("%s logs %s in", text, u.name)
			}
			s.auth.Proofs(r)
			if u, _, err := s.auth.Pending(r); err == nil && !u.active {
				t.Fatalf("%s is half a login of %s, who is not active", text, u.name)
			}
		})
		if err := s.replaced(); err != nil {
			t.Fatalf("%s: the response was replaced: %v", text, err)
		}
	})
}
