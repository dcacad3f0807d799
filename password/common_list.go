package password

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/cardea-go/cardea/internal/pytext"
)

// A List is a [Set] read from a file: one password a line, in lower case, as Django's CommonPasswordValidator reads it.
type List struct{ entries map[string]struct{} }

// OpenList reads a file, packed with gzip or not.
func OpenList(path string) (*List, error) {
	file, err := os.Open(path) //nolint:gosec // named by the site's configuration
	if err != nil {
		return nil, fmt.Errorf("password: list: %w", err)
	}
	defer func() { _ = file.Close() }()
	list, err := ReadList(file)
	if err != nil {
		return nil, fmt.Errorf("%w in %s", err, path)
	}
	return list, nil
}

// ReadList reads a list, packed with gzip or not. It is an error if it is not UTF-8.
func ReadList(r io.Reader) (*List, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("password: list: %w", err)
	}
	if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("password: list: %w", err)
		}
		if raw, err = io.ReadAll(unpacked); err != nil {
			return nil, fmt.Errorf("password: list: %w", err)
		}
	}
	if !utf8.Valid(raw) {
		return nil, errors.New("password: list: not UTF-8")
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(raw))
	l := &List{entries: map[string]struct{}{}}
	for line := range strings.Lines(text) {
		l.entries[strings.Clone(pytext.Strip(line))] = struct{}{}
	}
	return l, nil
}

// Len is how many different passwords the list has.
func (l *List) Len() int { return len(l.entries) }

// Has tells whether the list has the password in lower case and without the blanks around it.
func (l *List) Has(password string) bool {
	_, ok := l.entries[pytext.Strip(pytext.Lower(password))]
	return ok
}
