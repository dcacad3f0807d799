package filestore

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

var errNotPlain = errors.New("not a plain file")

// openPlain opens a file for reading that is neither a symbolic link, which could lead anywhere, nor a pipe, which could wait
// forever.
func openPlain(name string) (*os.File, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotPlain
	}
	f, err := os.OpenFile(name, os.O_RDONLY|plainFlags, 0)
	if err != nil {
		if info, again := os.Lstat(name); again == nil && !info.Mode().IsRegular() { // it became something else in between
			return nil, errNotPlain
		}
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil && !opened.Mode().IsRegular() {
		err = errNotPlain
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// readAll reads what is there, which is about size bytes.
func readAll(f io.Reader, size int) (string, error) {
	buf := make([]byte, 0, size+1)
	for {
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			return string(buf), nil
		case err != nil:
			return "", err
		case len(buf) > maxFile:
			return "", fs.ErrInvalid
		case len(buf) == cap(buf):
			buf = append(buf, 0)[:len(buf)]
		}
	}
}
