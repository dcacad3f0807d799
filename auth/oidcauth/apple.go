package oidcauth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// appleTime is how long a secret made for Apple counts; it is made anew for every call.
const appleTime = 5 * time.Minute

// AppleSecret is a Config.SecretFunc for Apple: a short token signed by the key of the developer's team, whose PEM file (.p8) Apple
// gives out once.
func AppleSecret(team, keyID, clientID string, key []byte) (func(now time.Time) (string, error), error) {
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, errors.New("oidcauth: the key for Apple is not a PEM file, such as AuthKey_ABC123DEFG.p8")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("oidcauth: the key for Apple: %w", err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errors.New("oidcauth: the key for Apple is not of the curve P-256")
	}
	if team == "" || keyID == "" || clientID == "" {
		return nil, errors.New("oidcauth: Apple wants a team, the id of a key and the id of the client")
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: keyID}}, nil)
	if err != nil {
		return nil, fmt.Errorf("oidcauth: the key for Apple: %w", err)
	}
	return func(now time.Time) (string, error) {
		claims, err := json.Marshal(map[string]any{
			"iss": team, "iat": now.Unix(), "exp": now.Add(appleTime).Unix(), "aud": "https://appleid.apple.com", "sub": clientID,
		})
		if err != nil {
			return "", err
		}
		signed, err := signer.Sign(claims)
		if err != nil {
			return "", err
		}
		return signed.CompactSerialize()
	}, nil
}
