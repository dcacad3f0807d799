package redisstore

import (
	"errors"

	"github.com/cardea-go/cardea/internal/pickle"
	"github.com/cardea-go/cardea/sessions"
)

// protocol is that of Django's RedisSerializer: the highest of every Python that Django 4.2 and later run on.
const protocol = 5

// A PickleError says that Django stored something in a session that only its own programs can read, such as a date: sessions that two
// sides share hold what JSON has, text, numbers, lists and dicts.
type PickleError struct{ Err error }

func (e *PickleError) Error() string {
	return "redisstore: a session holds a Python object that is not plain data, which is never loaded here: " + e.Err.Error()
}

// Unwrap returns what the reader of pickles says.
func (e *PickleError) Unwrap() error { return e.Err }

func encode(d sessions.Data) (string, error) {
	b, err := sessions.EncodePickle(d, protocol)
	return string(b), err
}

func decode(value string) (sessions.Data, error) {
	data, err := sessions.DecodePickle([]byte(value))
	var op *pickle.OpcodeError
	var unsupported *pickle.UnsupportedError
	python := len(value) > 0 && value[0] == 0x80 // as each pickle of Django's begins
	if python && (errors.As(err, &op) || errors.As(err, &unsupported)) {
		err = &PickleError{err}
	}
	return data, err
}
