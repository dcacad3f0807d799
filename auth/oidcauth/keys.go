package oidcauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// errKey is a signature that no key of the provider made.
var errKey = errors.New("no key of the provider made this signature")

// A keySet is the provider's public keys. A key that is not known has them fetched again, at most every so often, so that strangers'
// tokens do not make this site ask and ask.
type keySet struct {
	provider *Provider
	keys     cached[[]jose.JSONWebKey]
}

func newKeySet(p *Provider) *keySet {
	k := &keySet{provider: p}
	k.keys = cached[[]jose.JSONWebKey]{fetch: k.fetch, now: p.cfg.Now, wait: 2 * p.cfg.Timeout, fresh: time.Hour, stale: 24 * time.Hour, pause: 5 * time.Second, rest: 30 * time.Second}
	return k
}

func (k *keySet) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	m, err := k.provider.meta.get(ctx)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := k.provider.getJSON(ctx, m.keysURL, "", &set); err != nil {
		return nil, fmt.Errorf("fetch the keys: %w", err)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err != nil {
			continue // RFC 7517, section 5: of a kind that is not known here
		}
		if key.IsPublic() && key.Use != "enc" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("fetch the keys: there is none of a known kind")
	}
	return keys, nil
}

// verify returns what is signed, or errKey; any other error is the provider's.
func (k *keySet) verify(ctx context.Context, jws *jose.JSONWebSignature) ([]byte, error) {
	keys, err := k.keys.get(ctx)
	if err != nil {
		return nil, err
	}
	payload, known := try(keys, jws)
	if payload != nil || known {
		return payloadOr(payload)
	}
	if keys, err = k.keys.renew(ctx); err != nil {
		return nil, err
	}
	payload, _ = try(keys, jws)
	return payloadOr(payload)
}

func payloadOr(payload []byte) ([]byte, error) {
	if payload == nil {
		return nil, errKey
	}
	return payload, nil
}

// try looks for the key that made a signature. known says that the one that it names was there.
func try(keys []jose.JSONWebKey, jws *jose.JSONWebSignature) (payload []byte, known bool) {
	header := jws.Signatures[0].Header
	for _, key := range keys {
		if header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		known = known || header.KeyID != ""
		if payload, err := jws.Verify(key); err == nil {
			return payload, known
		}
	}
	return nil, known
}

// A once verifies one token and keeps the error, which go-oidc turns into text.
type once struct {
	keys *keySet
	typ  string
	err  error
}

// VerifySignature implements oidc.KeySet.
func (o *once) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	algorithms := make([]jose.SignatureAlgorithm, len(asymmetric)) // the verifier has looked at what the provider announces
	for i, a := range asymmetric {
		algorithms[i] = jose.SignatureAlgorithm(a)
	}
	jws, err := jose.ParseSigned(jwt, algorithms)
	if err != nil {
		return nil, err
	}
	o.typ, _ = jws.Signatures[0].Header.ExtraHeaders[jose.HeaderType].(string)
	payload, err := o.keys.verify(ctx, jws)
	if err != nil && !errors.Is(err, errKey) {
		o.err = err
	}
	return payload, err
}
