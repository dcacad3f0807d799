package sessions

import (
	"time"

	"github.com/cardea-go/cardea/signing"
)

// Salts of Django's session engines.
const (
	DefaultSalt = "django.contrib.sessions.SessionStore"            // db, cached_db and file
	CookieSalt  = "django.contrib.sessions.backends.signed_cookies" // signed_cookies
)

// A Codec reads and writes the text that Django keeps a session as: JSON, signed and perhaps compressed. It is safe for
// concurrent use.
type Codec struct {
	signer   *signing.TimestampSigner
	compress bool
}

// NewCodec returns a Codec. The salt defaults to DefaultSalt. Django compresses in all its engines.
func NewCodec(keys signing.Keys, salt string, compress bool) (*Codec, error) {
	if salt == "" {
		salt = DefaultSalt
	}
	signer, err := signing.NewTimestampSigner(keys, signing.SignerConfig{Salt: salt})
	if err != nil {
		return nil, err
	}
	return &Codec{signer, compress}, nil
}

// Encode returns the text of d, signed at now.
func (c *Codec) Encode(d Data, now time.Time) (string, error) {
	raw, err := d.AppendJSON(nil)
	if err != nil {
		return "", err
	}
	return c.signer.Dumps(raw, c.compress, now)
}

// Decode reads such a text of any age: it is the row that ages. Every error means what it means to Django: there is no data,
// and the session keeps its key. A bad signature (signing.ErrBadSignature) is worth a warning: somebody wrote to the database who
// does not know the secret, or the secret was lost.
func (c *Codec) Decode(text string) (Data, error) { return c.DecodeWithin(text, 0, time.Time{}) }

// DecodeWithin is Decode for a text that must not be older than maxAge at now, as a cookie's; zero is any age.
func (c *Codec) DecodeWithin(text string, maxAge time.Duration, now time.Time) (Data, error) {
	raw, err := c.signer.Loads(text, maxAge, now)
	if err != nil {
		return Data{}, err
	}
	return ParseData(raw)
}
