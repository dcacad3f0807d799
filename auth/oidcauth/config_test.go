package oidcauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/oidcauth"
)

// TestWrongConfigurations: what cannot work, or would not be safe, is an error at start.
func TestWrongConfigurations(t *testing.T) {
	t.Parallel()
	identify := func(context.Context, oidcauth.Get) (*auth.Identity, error) { return nil, nil }
	oauth := &oidcauth.OAuth{AuthURL: "https://a.example/a", TokenURL: "https://a.example/t", Identify: identify}
	good := oidcauth.Config{Name: "a-1", Issuer: "https://a.example", ClientID: "x"}
	for name, change := range map[string]func(c *oidcauth.Config){
		"no name":             func(c *oidcauth.Config) { c.Name = "" },
		"a name with a slash": func(c *oidcauth.Config) { c.Name = "a/b" },
		"a name in capitals":  func(c *oidcauth.Config) { c.Name = "A" },
		"no client":           func(c *oidcauth.Config) { c.ClientID = "" },
		"no issuer":           func(c *oidcauth.Config) { c.Issuer = "" },
		"plain HTTP":          func(c *oidcauth.Config) { c.Issuer = "http://a.example" },
		"a query":             func(c *oidcauth.Config) { c.Issuer = "https://a.example?x" },
		"a user":              func(c *oidcauth.Config) { c.Issuer = "https://a@a.example" },
		"no openid":           func(c *oidcauth.Config) { c.Scopes = []string{"email"} },
		"state":               func(c *oidcauth.Config) { c.Params = map[string]string{"state": "x"} },
		"redirect_uri":        func(c *oidcauth.Config) { c.Params = map[string]string{"redirect_uri": "x"} },
		"two secrets": func(c *oidcauth.Config) {
			c.ClientSecret, c.SecretFunc = "x", func(time.Time) (string, error) { return "", nil }
		},
		"max_age that nobody says": func(c *oidcauth.Config) { c.MaxAge, c.NoAuthTime = time.Hour, true },
		"less than no time":        func(c *oidcauth.Config) { c.Timeout = -1 },
		"acr without ID tokens":    func(c *oidcauth.Config) { c.OAuth, c.ACR = oauth, []string{"x"} },
		"nobody says who it is":    func(c *oidcauth.Config) { c.OAuth = &oidcauth.OAuth{AuthURL: oauth.AuthURL, TokenURL: oauth.TokenURL} },
		"token by plain HTTP": func(c *oidcauth.Config) {
			c.OAuth = &oidcauth.OAuth{AuthURL: oauth.AuthURL, TokenURL: "http://a.example/t", Identify: identify}
		},
	} {
		c := good
		change(&c)
		if _, err := oidcauth.New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	one, err := oidcauth.New(good)
	if err != nil {
		t.Fatal(err)
	}
	good.Name = "b"
	same, err := oidcauth.New(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, providers := range map[string][]*oidcauth.Provider{"one twice": {one, one}, "one issuer twice": {one, same}, "none": {nil}} {
		if _, err := oidcauth.NewFlow(&memory{}, providers, oidcauth.FlowConfig{}); err == nil {
			t.Errorf("a flow of %s: no error", name)
		}
	}
	if _, err := oidcauth.NewFlow(&memory{}, []*oidcauth.Provider{one}, oidcauth.FlowConfig{}); err != nil {
		t.Errorf("a flow of one: %v", err)
	}
	for _, format := range []string{"%v", "%s", "%+v"} {
		c := good
		c.ClientSecret = "tell nobody"
		p, err := oidcauth.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf(format, p); strings.Contains(text, "tell nobody") {
			t.Errorf("%s prints the secret: %s", format, text)
		}
	}
}

// TestMutableSubjects (M31): a claim that can change hands is no subject, whatever it is called.
func TestMutableSubjects(t *testing.T) {
	t.Parallel()
	for _, claim := range []string{"email", "preferred_username", "login", "upn", "name", "Email", "user.email", "nickname"} {
		if _, err := (oidcauth.UserInfo{URL: "https://a.example/me", Subject: claim}).Identify(); err == nil {
			t.Errorf("%q is taken as the subject", claim)
		}
	}
	for _, claim := range []string{"", "id", "sub", "data.id"} {
		if _, err := (oidcauth.UserInfo{URL: "https://a.example/me", Subject: claim}).Identify(); err != nil {
			t.Errorf("%q: %v", claim, err)
		}
	}
	for _, tenant := range []string{"common", "organizations", "consumers", "contoso.onmicrosoft.com", "", "72f988bf-86f1-41af-91ab-2d7cd011db47/x"} {
		if _, err := oidcauth.Microsoft(tenant); err == nil {
			t.Errorf("the tenant %q is taken", tenant)
		}
	}
	if c, err := oidcauth.Microsoft("72F988BF-86f1-41af-91ab-2d7cd011db47"); err != nil || c.Issuer != "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0" {
		t.Errorf("a tenant by its id: %q, %v", c.Issuer, err)
	}
	for _, c := range []oidcauth.Config{oidcauth.Google(), oidcauth.GitHub(), oidcauth.GitLab(""), oidcauth.Apple(), oidcauth.Keycloak("https://id.example.com/realms/x/")} {
		c.ClientID = "x"
		if _, err := oidcauth.New(c); err != nil {
			t.Errorf("the preset %s: %v", c.Name, err)
		}
	}
}

// TestPlainOAuth: a provider without ID tokens says by a call who it is; PKCE and the state are as ever.
func TestPlainOAuth(t *testing.T) {
	t.Parallel()
	user := map[string]any{"id": 1296269, "login": "octocat", "name": "The Octocat"}
	emails := []map[string]any{
		{"email": "old@example.com", "primary": false, "verified": true},
		{"email": "octo@example.com", "primary": true, "verified": true},
	}
	verified, used := true, false
	var challenge string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login/oauth/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		challenge = q.Get("code_challenge")
		if q.Get("nonce") != "" || q.Get("scope") != "read:user user:email" {
			t.Errorf("asked with %v", q)
		}
		http.Redirect(w, r, q.Get("redirect_uri")+"?code=c0de&state="+url.QueryEscape(q.Get("state")), http.StatusFound)
	})
	mux.HandleFunc("POST /login/oauth/access_token", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		w.Header().Set("Content-Type", "application/json")
		if used {
			fmt.Fprint(w, `{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired."}`)
			return
		}
		if base64.RawURLEncoding.EncodeToString(sum[:]) != challenge || r.PostFormValue("client_secret") != clientSecret {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant"}`)
			return
		}
		fmt.Fprint(w, `{"access_token":"t0ken","token_type":"bearer"}`)
	})
	answer := func(v func() any) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer t0ken" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_ = json.NewEncoder(w).Encode(v())
		}
	}
	mux.HandleFunc("GET /user", answer(func() any { return user }))
	mux.HandleFunc("GET /user/emails", answer(func() any { emails[1]["verified"] = verified; return emails }))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	g := newRig(t, func(cfg *oidcauth.Config) {
		github := oidcauth.GitHubAt(server.URL, server.URL)
		github.Name, github.ClientID, github.ClientSecret, github.Logger = "here", clientID, clientSecret, cfg.Logger
		*cfg = github
	})
	if g.Visit("/go/here"); g.Body != `in as 1296269, next ""` {
		t.Fatalf("%s\n%s", g.Body, g.log)
	}
	if id := g.lastID; id.Subject != "1296269" || id.Name != "octocat" || id.Email != "octo@example.com" || !id.EmailVerified || id.Issuer != server.URL {
		t.Errorf("the identity is %+v", id)
	}
	used = true
	if g.Visit("/go/here"); g.Body != "refused" {
		t.Errorf("a code that was used: %s", g.Body)
	}
	used = false
	verified, user["login"] = false, "somebody"
	if g.Visit("/go/here"); g.lastID.Email != "" || g.lastID.EmailVerified || g.lastID.Subject != "1296269" {
		t.Errorf("with another name, and an address that is not verified: %+v", g.lastID)
	}
	for _, id := range []any{nil, "", 1.5, true} {
		if user["id"] = id; id == nil {
			delete(user, "id")
		}
		if g.Visit("/go/here"); !strings.HasPrefix(g.Body, "outage") {
			t.Errorf("the number %v: %s", id, g.Body)
		}
	}
}

// TestAppleSecret: the secret is a short token that the team's key has signed.
func TestAppleSecret(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	make, err := oidcauth.AppleSecret("TEAM", "KEY", "com.example.www", file)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	secret, err := make(now)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(secret, ".")
	part := func(i int) (m map[string]any) {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if h := part(0); h["alg"] != "ES256" || h["kid"] != "KEY" {
		t.Errorf("the header is %v", h)
	}
	c := part(1)
	if c["iss"] != "TEAM" || c["sub"] != "com.example.www" || c["aud"] != "https://appleid.apple.com" || int64(c["exp"].(float64))-now.Unix() != 300 {
		t.Errorf("the claims are %v", c)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		t.Fatalf("the signature has %d bytes (%v)", len(signature), err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(&key.PublicKey, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the signature is not the key's")
	}
	for name, file := range map[string][]byte{"nothing": nil, "no key": []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")} {
		if _, err := oidcauth.AppleSecret("TEAM", "KEY", "x", file); err == nil {
			t.Errorf("%s is taken for a key", name)
		}
	}
	if _, err := oidcauth.AppleSecret("", "KEY", "x", file); err == nil {
		t.Error("no team: no error")
	}
}
