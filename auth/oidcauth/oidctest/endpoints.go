package oidctest

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const sha256Hash = crypto.SHA256

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the test sees that there is no answer
}

func (p *Provider) discovery(w http.ResponseWriter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := map[string]any{
		"issuer":                                         p.Issuer,
		"authorization_endpoint":                         p.Issuer + "/authorize",
		"token_endpoint":                                 p.Issuer + "/token",
		"userinfo_endpoint":                              p.Issuer + "/userinfo",
		"jwks_uri":                                       p.Issuer + "/keys",
		"end_session_endpoint":                           p.Issuer + "/logout",
		"response_types_supported":                       []string{"code"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"RS256", "HS256", "none"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": p.SendsIss,
		"backchannel_logout_supported":                   true,
	}
	lay(d, p.Faults.Discovery)
	answerJSON(w, http.StatusOK, d)
}

func (p *Provider) publish(w http.ResponseWriter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	keys := []any{map[string]string{"kty": "OKP", "crv": "X448", "x": "AAAA", "kid": "unknown-kind"}}
	for _, k := range p.keys {
		keys = append(keys, map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.id,
			"n": base64.RawURLEncoding.EncodeToString(k.private.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.private.E)).Bytes()),
		})
	}
	answerJSON(w, http.StatusOK, map[string]any{"keys": keys})
}

// formPost is the answer of response_mode=form_post.
var formPost = template.Must(template.New("").Parse(`<!doctype html><title>Back</title><form id="f" method="post" action="{{.To}}">` +
	`{{range $name, $values := .Values}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">{{end}}{{end}}<button>Continue</button></form>` +
	`<script>document.getElementById("f").submit()</script>`))

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.clients[q.Get("client_id")]
	if !ok || !slices.Contains(c.redirects, q.Get("redirect_uri")) {
		http.Error(w, "no such client, or redirect_uri "+q.Get("redirect_uri")+" is not registered", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	switch {
	case p.Faults.Error != "":
		answer.Set("error", p.Faults.Error)
	case q.Get("response_type") != "code" || q.Get("code_challenge") == "" || q.Get("code_challenge_method") != "S256":
		answer.Set("error", "invalid_request")
	case p.User.Refuses:
		answer.Set("error", "access_denied")
	default:
		code := rand.Text()
		p.last = grant{
			client: q.Get("client_id"), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), nonce: q.Get("nonce"),
			user: p.User, at: p.now(), fresh: q.Get("max_age") == "0" || q.Get("prompt") == "login",
		}
		p.codes[code] = p.last
		answer.Set("code", code)
	}
	if p.SendsIss {
		answer.Set("iss", p.Issuer)
	}
	switch p.Faults.Iss {
	case "":
	case "-":
		answer.Del("iss")
	default:
		answer.Set("iss", p.Faults.Iss)
	}
	if p.Faults.State != "" {
		answer.Set("state", p.Faults.State)
	}
	if q.Get("response_mode") == "form_post" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = formPost.Execute(w, map[string]any{"To": q.Get("redirect_uri"), "Values": answer})
		return
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	wrong := func(code string, status int) { answerJSON(w, status, map[string]string{"error": code}) }
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		wrong("invalid_request", http.StatusBadRequest)
		return
	}
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.clients[id]
	if !ok || c.secret != secret {
		wrong("invalid_client", http.StatusUnauthorized)
		return
	}
	code := r.PostForm.Get("code")
	g, ok := p.codes[code]
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	pkce := base64.RawURLEncoding.EncodeToString(sum[:]) == g.challenge || p.Faults.NoPKCE
	if !ok || g.used && !p.Faults.ReusableCodes || p.now().Sub(g.at) > time.Minute || g.client != id ||
		g.redirect != r.PostForm.Get("redirect_uri") || !pkce {
		wrong("invalid_grant", http.StatusBadRequest)
		return
	}
	g.used = true
	p.codes[code] = g
	access := rand.Text()
	p.tokens[access] = g
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300}
	if !p.Faults.NoIDToken {
		raw, err := p.sign(p.Faults, "", c.secret, p.claims(g, access))
		if err != nil {
			wrong("server_error", http.StatusInternalServerError)
			return
		}
		answer["id_token"] = raw
	}
	answerJSON(w, http.StatusOK, answer)
}

// claims are those of an ID token.
func (p *Provider) claims(g grant, access string) map[string]any {
	now := p.now()
	sum := sha256.Sum256([]byte(access))
	at := g.user.LoggedIn
	if at.IsZero() || g.fresh {
		at = now
	}
	c := map[string]any{
		"iss": p.Issuer, "sub": g.user.Subject, "aud": g.client, "azp": g.client, "nonce": g.nonce,
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "auth_time": at.Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "amr": []string{"pwd"},
	}
	if g.user.SID != "" {
		c["sid"] = g.user.SID
	}
	for name, value := range g.user.about() {
		c[name] = value
	}
	lay(c, g.user.Claims)
	lay(c, p.Faults.Claims)
	return c
}

func (u User) about() map[string]any {
	c := map[string]any{"sub": u.Subject}
	if u.Name != "" {
		c["preferred_username"] = u.Name
	}
	if u.Email != "" {
		c["email"] = u.Email
	}
	if u.EmailVerified != nil {
		c["email_verified"] = u.EmailVerified
	}
	if u.Groups != nil {
		c["groups"] = u.Groups
	}
	return c
}

func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	const bearer = "Bearer "
	header := r.Header.Get("Authorization")
	g, ok := p.tokens[header[min(len(header), len(bearer)):]]
	if !ok {
		w.Header().Set("WWW-Authenticate", "Bearer")
		answerJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	c := g.user.about()
	lay(c, g.user.Claims)
	lay(c, p.Faults.UserInfo)
	answerJSON(w, http.StatusOK, c)
}

func (p *Provider) logout(w http.ResponseWriter, r *http.Request) {
	if to := r.URL.Query().Get("post_logout_redirect_uri"); to != "" {
		http.Redirect(w, r, to, http.StatusFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte("<!doctype html><title>Logged out</title><p>You are logged out at the provider."))
}

// LogoutToken makes a logout token for a client; over is laid over its claims, nil removing one.
func (p *Provider) LogoutToken(client string, over map[string]any) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	c := map[string]any{
		"iss": p.Issuer, "aud": client, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": rand.Text(),
		"sub":    p.User.Subject,
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	if p.User.SID != "" {
		c["sid"] = p.User.SID
	}
	lay(c, over)
	return p.sign(p.Faults, "logout+jwt", p.clients[client].secret, c)
}
