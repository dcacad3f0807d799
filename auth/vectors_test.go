package auth_test

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/signing"
)

func TestVectorsTokens(t *testing.T) {
	t.Parallel()
	vectors.Run(t, "tokens", vectors.Ops{
		"make_token":                   vectorMakeToken,
		"check_token":                  vectorCheckToken,
		"token_timestamp_for_zone":     vectorTimestamp,
		"uidb64":                       vectorUID,
		"urlsafe_base64_encode":        vectorBase64Encode,
		"urlsafe_base64_decode":        vectorBase64Decode,
		"session_auth_hash":            vectorSessionHash,
		"session_auth_fallback_hashes": vectorFallbackHashes,
	})
}

// A recordedUser is the account of a case; nil is Django's None.
type recordedUser struct {
	PK        any // a number or a text
	Password  string
	LastLogin *string `json:"last_login"`
	Email     *string
}

func (u *recordedUser) subject() (s auth.ResetSubject, err error) {
	if u == nil {
		return s, nil
	}
	s = auth.ResetSubject{ID: text(u.PK), PasswordHash: u.Password}
	if u.Email != nil {
		s.Email = *u.Email
	}
	if u.LastLogin != nil {
		at, err := naive(*u.LastLogin)
		if err != nil {
			return s, err
		}
		s.LastLogin = &at
	}
	return s, nil
}

// naive reads a time with or without a zone.
func naive(value string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return at, nil
	}
	return time.Parse("2006-01-02T15:04:05", value)
}

func text(pk any) string {
	if n, ok := pk.(json.Number); ok {
		return n.String()
	}
	s, _ := pk.(string)
	return s
}

func vectorMakeToken(c *vectors.Case) (any, error) {
	var in struct {
		User   *recordedUser
		Secret string
		Now    string `json:"now_local_naive"`
	}
	c.Bind(&in)
	now, err := naive(in.Now)
	if err != nil {
		return nil, err
	}
	subject, err := in.User.subject()
	if err != nil {
		return nil, err
	}
	tokens, err := auth.NewResetTokens(signing.Keys{Current: in.Secret}, auth.ResetConfig{})
	if err != nil {
		return nil, err
	}
	token := tokens.Make(subject, now)
	if !tokens.Check(subject, token, now) {
		return nil, vectors.Differs("%s does not check", token)
	}
	return token, nil
}

func vectorCheckToken(c *vectors.Case) (any, error) {
	var in struct {
		User      *recordedUser
		Secret    string
		Fallbacks []string
		Timeout   int64
		Now       string `json:"now_local_naive"`
		Token     *string
	}
	c.Bind(&in)
	now, err := naive(in.Now)
	if err != nil {
		return nil, err
	}
	subject, err := in.User.subject()
	if err != nil {
		return nil, err
	}
	cfg := auth.ResetConfig{Timeout: time.Duration(in.Timeout) * time.Second}
	if cfg.Timeout == 0 {
		cfg.Timeout = 1 // no whole second
	}
	tokens, err := auth.NewResetTokens(signing.Keys{Current: in.Secret, Fallbacks: in.Fallbacks}, cfg)
	if err != nil {
		return nil, err
	}
	if in.Token == nil {
		in.Token = new(string)
	}
	return tokens.Check(subject, *in.Token, now), nil
}

func vectorTimestamp(c *vectors.Case) (any, error) {
	var in struct {
		Unix int64
		Zone string `json:"TIME_ZONE"`
	}
	c.Bind(&in)
	zone, err := time.LoadLocation(in.Zone)
	if err != nil {
		return nil, err
	}
	tokens, err := auth.NewResetTokens(signing.Keys{Current: "secret"}, auth.ResetConfig{Location: zone})
	if err != nil {
		return nil, err
	}
	stamp, _, _ := strings.Cut(tokens.Make(auth.ResetSubject{ID: "1"}, time.Unix(in.Unix, 0)), "-")
	return strconv.ParseInt(stamp, 36, 64)
}

func vectorUID(c *vectors.Case) (any, error) {
	var in struct{ PK any }
	c.Bind(&in)
	uid := auth.EncodeUID(text(in.PK))
	if back, err := auth.DecodeUID(uid); err != nil || back != text(in.PK) {
		return nil, vectors.Differs("DecodeUID(%q) = %q, %v", uid, back, err)
	}
	return uid, nil
}

func vectorBase64Encode(c *vectors.Case) (any, error) {
	var in struct {
		Raw []byte `json:"raw_b64"`
	}
	c.Bind(&in)
	return auth.EncodeUID(string(in.Raw)), nil
}

func vectorBase64Decode(c *vectors.Case) (any, error) {
	var in struct{ S string }
	c.Bind(&in)
	raw, ok := auth.LenientBase64(in.S)
	if !ok {
		return nil, auth.ErrUID
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

func vectorSessionHash(c *vectors.Case) (any, error) {
	var in struct{ Password, Secret string }
	c.Bind(&in)
	return auth.SessionHash(in.Password, signing.Keys{Current: in.Secret}), nil
}

func vectorFallbackHashes(c *vectors.Case) (any, error) {
	var in struct {
		Password  string
		Fallbacks []string
	}
	c.Bind(&in)
	return auth.SessionFallbackHashes(in.Password, signing.Keys{Current: "current", Fallbacks: in.Fallbacks}), nil
}
