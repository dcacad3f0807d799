package password

import "errors"

// Errors of [Hasher.Parse] and [Hash.Verify]. [Hashers.Check] never returns them: it logs them and answers false.
var (
	// ErrUnknownAlgorithm says that no listed hasher reads the text.
	ErrUnknownAlgorithm = errors.New("unknown password hashing algorithm")
	// ErrMalformed says that the text names a known algorithm but cannot be read.
	ErrMalformed = errors.New("malformed password hash")
	// ErrTooCostly says that the text asks for more memory or time than [Limits] allows.
	ErrTooCostly = errors.New("password hash asks for more work than the limits allow")
	// ErrCannotVerify says that the text is well-formed but of a variety that this package cannot compute.
	ErrCannotVerify = errors.New("password hash of a variety that cannot be verified")
)

// Errors of [Hashers.Make] and [Hasher.Encode].
var (
	// ErrTooLong says that the password is longer than [MaxLength], or than the preferred hasher can tell apart.
	ErrTooLong = errors.New("password too long")
	// ErrSalt says that a salt is empty or holds a character that the encoded form cannot carry.
	ErrSalt = errors.New("unusable salt")
	// ErrNUL says that bcrypt was given a password with a NUL character, where implementations disagree.
	ErrNUL = errors.New("bcrypt cannot hash a password that contains NUL")
)

// A Hasher is one algorithm with the parameters that it writes. It is safe for concurrent use.
type Hasher interface {
	// Algorithm is the name before the first "$" of the texts that the hasher writes and reads.
	Algorithm() string
	// Encode hashes the password with the salt and returns the text to store. It costs Work.
	Encode(password, salt string) (string, error)
	// Parse reads a stored text without hashing anything. It returns ErrMalformed, wrapped, for a text it cannot read.
	Parse(encoded string) (Hash, error)
	// Work is what one Encode costs.
	Work() Work
}

// A Salter is a Hasher that makes its own salts. Others get [NewSalt].
type Salter interface {
	// Salt returns a fresh random salt in the form that Encode takes.
	Salt() string
}

// A Hash is a stored text, read. It is safe for concurrent use.
type Hash interface {
	// Verify hashes the password with the stored parameters and compares in constant time. It costs Work, unless it
	// returns an error, such as ErrCannotVerify: then nothing was hashed.
	Verify(password string) (bool, error)
	// Current tells whether the text was written with the hasher's own parameters. If not, it should be written anew.
	Current() bool
	// Work is what one Verify costs.
	Work() Work
	// Summary describes the text for an administrator: parameters, and salt and hash masked.
	Summary() []Field
}

// A Field is one line of a [Hash.Summary]. Names and order are those of Django's safe_summary.
type Field struct {
	Name  string
	Value any // a string or an int
}

// mask shows the first characters of a secret and stars for the rest.
func mask(s string, show int) string {
	b := []byte(s)
	for i := show; i < len(b); i++ {
		b[i] = '*'
	}
	return string(b)
}
