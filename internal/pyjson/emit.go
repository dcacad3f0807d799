package pyjson

import (
	"math"
	"strconv"
)

// A Style is what stands between the parts of arrays and objects.
type Style uint8

const (
	CompactStyle Style = iota // "," and ":", as in signed values
	SpacedStyle               // ", " and ": ", what json.dumps writes unless told otherwise
)

// Compact appends the JSON text raw to dst, written as Python would write it again in [CompactStyle].
func Compact(dst, raw []byte) ([]byte, error) { return Append(dst, raw, CompactStyle) }

// Append appends the JSON text raw to dst, written as Python would write it again. The text is checked whole; after an error the
// result is dst.
func Append(dst, raw []byte, style Style) ([]byte, error) {
	e := emitter{scanner: scanner{src: raw}, style: style}
	e.space()
	out, err := e.value(dst, 0)
	if err == nil {
		err = e.end()
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// AppendObject appends an object of the members to dst, in their order. Values are written again as [Append] does. Names are
// expected to differ.
func AppendObject(dst []byte, ms []Member, style Style) ([]byte, error) {
	out := append(dst, '{')
	for i, m := range ms {
		if i > 0 {
			out = style.comma(out)
		}
		out = style.colon(AppendString(out, m.Key))
		var err error
		if out, err = Append(out, m.Value, style); err != nil {
			return dst, err
		}
	}
	return append(out, '}'), nil
}

// AppendFloat appends Python's repr of f, or NaN, Infinity or -Infinity.
func AppendFloat(dst []byte, f float64) []byte { return appendFloat(dst, f, 64) }

func appendFloat(dst []byte, f float64, bits int) []byte {
	switch abs := math.Abs(f); {
	case f != f:
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case abs != 0 && (abs < 1e-4 || abs >= 1e16):
		return strconv.AppendFloat(dst, f, 'e', -1, bits)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, bits)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

func (st Style) comma(dst []byte) []byte {
	if st == SpacedStyle {
		return append(dst, ", "...)
	}
	return append(dst, ',')
}

func (st Style) colon(dst []byte) []byte {
	if st == SpacedStyle {
		return append(dst, ": "...)
	}
	return append(dst, ':')
}

// emitter writes the text that it walks over.
type emitter struct {
	scanner
	style Style
}

func (e *emitter) value(dst []byte, depth int) ([]byte, error) {
	switch e.next() {
	case '"':
		return e.stringValue(dst)
	case '{':
		return e.object(dst, depth)
	case '[':
		dst = append(dst, '[')
		err := e.members(depth, func(_ name, first bool) (err error) {
			if !first {
				dst = e.style.comma(dst)
			}
			dst, err = e.value(dst, depth+1)
			return err
		})
		return append(dst, ']'), err
	}
	if word, ok := e.literal(); ok {
		return append(dst, word...), nil
	}
	return e.number(dst)
}

func (e *emitter) stringValue(dst []byte) ([]byte, error) {
	start := e.pos
	plain, err := e.stringToken()
	if err != nil {
		return dst, err
	}
	return appendToken(dst, e.src[start:e.pos], plain), nil
}

func (e *emitter) number(dst []byte) ([]byte, error) {
	start := e.pos
	float, err := e.numberToken()
	if err != nil {
		return dst, err
	}
	text := e.src[start:e.pos]
	if float {
		f, _ := strconv.ParseFloat(string(text), 64) // out of range is ±Inf, as in Python
		return AppendFloat(dst, f), nil
	}
	if string(text) == "-0" {
		text = text[1:]
	}
	return append(dst, text...), nil
}

// member is where a member lies in the text that is being written.
type member struct{ keyFrom, keyTo, from, to int }

func (e *emitter) object(dst []byte, depth int) ([]byte, error) {
	var few [8]member
	ms := few[:0]
	var index map[string]int // by name, once there are more than a few
	repeated := false
	start := len(dst)
	dst = append(dst, '{')
	err := e.members(depth, func(n name, first bool) (err error) {
		if !first {
			dst = e.style.comma(dst)
		}
		m := member{keyFrom: len(dst)}
		dst = appendToken(dst, e.src[n.from:n.to], n.plain)
		m.keyTo = len(dst)
		dst = e.style.colon(dst)
		m.from = len(dst)
		if dst, err = e.value(dst, depth+1); err != nil {
			return err
		}
		m.to = len(dst)
		var i int
		if i, index = find(dst, ms, index, m); i < 0 {
			ms = append(ms, m)
			return nil
		}
		ms[i].from, ms[i].to = m.from, m.to
		repeated = true
		return nil
	})
	if err != nil {
		return dst, err
	}
	if repeated {
		return e.again(dst, start, ms), nil
	}
	return append(dst, '}'), nil
}

// find is the place of the member of m's name, or -1, after which m is expected to be appended.
func find(text []byte, ms []member, index map[string]int, m member) (int, map[string]int) {
	key := text[m.keyFrom:m.keyTo]
	if len(ms) < 8 {
		for i, o := range ms {
			if string(text[o.keyFrom:o.keyTo]) == string(key) {
				return i, nil
			}
		}
		return -1, nil
	}
	if index == nil {
		index = make(map[string]int, 2*len(ms))
		for i, o := range ms {
			index[string(text[o.keyFrom:o.keyTo])] = i
		}
	}
	if i, ok := index[string(key)]; ok {
		return i, index
	}
	index[string(key)] = len(ms)
	return -1, index
}

// again writes an object that has repeated names anew, from its text that begins at start.
func (e *emitter) again(dst []byte, start int, ms []member) []byte {
	text := append([]byte(nil), dst[start:]...)
	dst = append(dst[:start], '{')
	for i, m := range ms {
		if i > 0 {
			dst = e.style.comma(dst)
		}
		dst = e.style.colon(append(dst, text[m.keyFrom-start:m.keyTo-start]...))
		dst = append(dst, text[m.from-start:m.to-start]...)
	}
	return append(dst, '}')
}
