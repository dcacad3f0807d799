package oidctest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Faults are what a provider does wrong. The zero value is a faultless one.
type Faults struct {
	// Claims are laid over those of the ID token; nil removes one: {"nonce": "other"}, {"iss": "https://evil.example"}.
	Claims map[string]any
	// Type is the typ of the ID token's header.
	Type string
	// WrongKey signs by a key that is not published, under the name of one that is.
	WrongKey bool
	// UnknownKey signs by a key that is not published, under a name that is not known.
	UnknownKey bool
	// None sends a token of the algorithm "none", without a signature.
	None bool
	// HMAC signs by HS256 with the published key as the secret; HMACSecret with the client's secret.
	HMAC, HMACSecret bool

	// Iss is sent with the answer in place of the issuer's own; "-" sends none, though it is promised.
	Iss string
	// State is sent with the answer in place of the browser's own.
	State string
	// Error is the answer, in place of a code.
	Error string

	// NoPKCE takes any verifier.
	NoPKCE bool
	// ReusableCodes takes codes more than once.
	ReusableCodes bool
	// NoIDToken leaves the ID token out.
	NoIDToken bool
	// UserInfo is laid over what the user-info endpoint says.
	UserInfo map[string]any

	// Down answers everything below these paths with 503, and Huge with megabytes.
	Down []string
	Huge []string
	// Empty answers with 204, on which browsers stay where they are.
	Empty []string
	// Slow is how long answers take.
	Slow time.Duration
	// Redirects leads these paths elsewhere.
	Redirects map[string]string
	// Discovery is laid over the provider's description of itself.
	Discovery map[string]any
}

// answer answers a request that goes wrong altogether.
func (f Faults) answer(w http.ResponseWriter, r *http.Request) bool {
	if f.Slow > 0 {
		select {
		case <-time.After(f.Slow):
		case <-r.Context().Done():
			return true
		}
	}
	for _, path := range f.Down {
		if strings.HasPrefix(r.URL.Path, path) {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return true
		}
	}
	for _, path := range f.Empty {
		if strings.HasPrefix(r.URL.Path, path) {
			w.WriteHeader(http.StatusNoContent)
			return true
		}
	}
	for _, path := range f.Huge {
		if strings.HasPrefix(r.URL.Path, path) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"keys":[],"filler":"`))
			block := []byte(strings.Repeat("x", 1<<20))
			for range 8 {
				if _, err := w.Write(block); err != nil {
					return true
				}
			}
			_, _ = w.Write([]byte(`"}`))
			return true
		}
	}
	if to := f.Redirects[r.URL.Path]; to != "" {
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		return true
	}
	return false
}

// sign makes a token of claims.
func (p *Provider) sign(f Faults, typ, secret string, claims map[string]any) (string, error) {
	k := p.keys[0]
	header := map[string]any{"alg": "RS256", "kid": k.id}
	if typ != "" {
		header["typ"] = typ
	}
	if f.Type != "" {
		header["typ"] = f.Type
	}
	private := k.private
	if f.WrongKey || f.UnknownKey {
		other, err := strayKey()
		if err != nil {
			return "", err
		}
		if private = other; f.UnknownKey {
			header["kid"] = rand.Text()
		}
	}
	switch {
	case f.None:
		header["alg"] = "none"
	case f.HMAC, f.HMACSecret:
		header["alg"] = "HS256"
	}
	text := encode(header) + "." + encode(claims)
	switch {
	case f.None:
		return text + ".", nil
	case f.HMAC:
		return text + "." + base64.RawURLEncoding.EncodeToString(mac(x509.MarshalPKCS1PublicKey(&k.private.PublicKey), text)), nil
	case f.HMACSecret:
		return text + "." + base64.RawURLEncoding.EncodeToString(mac([]byte(secret), text)), nil
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, private, sha256Hash, sum[:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the test's claims
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// lay puts the members of over onto claims; nil removes one.
func lay(claims, over map[string]any) {
	for name, value := range over {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
}
