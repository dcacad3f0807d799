package password

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// A filter file is, in this order and in big endian: the magic; hashes and the length of the note, 32 bits each; bits and
// passwords, 64 bits each; the note; the bits in words of 64; SHA-256 of all of it.
const filterMagic = "cardea-filter-1\n"

const filterHeader = len(filterMagic) + 4 + 4 + 8 + 8

// WriteTo writes the filter for [ReadFilter].
func (f *Filter) WriteTo(w io.Writer) (int64, error) {
	sum := sha256.New()
	out := io.MultiWriter(w, sum)
	head := append(make([]byte, 0, filterHeader+len(f.about)), filterMagic...)
	head = binary.BigEndian.AppendUint32(head, uint32(f.hashes))     //nolint:gosec // at most 64
	head = binary.BigEndian.AppendUint32(head, uint32(len(f.about))) //nolint:gosec // at most 4096
	head = binary.BigEndian.AppendUint64(head, f.size)
	head = binary.BigEndian.AppendUint64(head, f.count)
	head = append(head, f.about...)
	written, err := write(out, 0, head)
	buf := make([]byte, 0, 64<<10)
	for i, word := range f.words {
		buf = binary.BigEndian.AppendUint64(buf, word)
		if err == nil && (len(buf) == cap(buf) || i == len(f.words)-1) {
			written, err = write(out, written, buf)
			buf = buf[:0]
		}
	}
	if err == nil {
		written, err = write(w, written, sum.Sum(nil))
	}
	if err != nil {
		return written, fmt.Errorf("password: write the filter: %w", err)
	}
	return written, nil
}

func write(w io.Writer, before int64, b []byte) (int64, error) {
	n, err := w.Write(b)
	return before + int64(n), err
}

// OpenFilter reads the filter in a file.
func OpenFilter(path string) (*Filter, error) {
	file, err := os.Open(path) //nolint:gosec // named by the site's configuration
	if err != nil {
		return nil, fmt.Errorf("password: filter: %w", err)
	}
	defer func() { _ = file.Close() }()
	f, err := ReadFilter(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, path)
	}
	return f, nil
}

// ReadFilter reads what [Filter.WriteTo] wrote, up to the end. Anything else is ErrFilter, so that half a file never refuses half of the
// passwords.
func ReadFilter(r io.Reader) (*Filter, error) {
	sum := sha256.New()
	in := io.TeeReader(r, sum)
	head := make([]byte, filterHeader)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFilter, err)
	}
	numbers, ok := bytes.CutPrefix(head, []byte(filterMagic))
	hashes, about := binary.BigEndian.Uint32(numbers[:4]), binary.BigEndian.Uint32(numbers[4:8])
	f := &Filter{size: binary.BigEndian.Uint64(numbers[8:16]), count: binary.BigEndian.Uint64(numbers[16:24]), hashes: int(hashes)}
	if !ok || hashes < 1 || hashes > maxHashes || about > maxFilterAbout || f.size < 64 || f.size > maxFilterBits {
		return nil, ErrFilter
	}
	var body bytes.Buffer // grows as bytes come: what the header promises is not made room for
	length := int64(about) + 8*int64((f.size+63)/64)
	if _, err := io.CopyN(&body, in, length); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFilter, err)
	}
	want := sum.Sum(nil)
	rest, err := io.ReadAll(io.LimitReader(r, sha256.Size+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFilter, err)
	}
	if !bytes.Equal(rest, want) {
		return nil, ErrFilter
	}
	f.about = string(body.Next(int(about)))
	f.words = make([]uint64, body.Len()/8)
	for i := range f.words {
		f.words[i] = binary.BigEndian.Uint64(body.Next(8))
	}
	return f, nil
}
