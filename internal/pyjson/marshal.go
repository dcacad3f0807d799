package pyjson

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Marshal returns a Go value as compact JSON in ASCII. It follows encoding/json, its struct tags and its interfaces, but writes
// what Python writes: a float is always told from an integer (1.0), NaN and infinities are written, nothing is escaped for HTML.
// Map keys are sorted.
func Marshal(v any) ([]byte, error) {
	if m, ok := v.(json.RawMessage); ok && m != nil {
		return Compact(nil, m)
	}
	return appendValue(nil, reflect.ValueOf(v), 0)
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	jsonNumber    = reflect.TypeFor[json.Number]()
)

func appendValue(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return dst, ErrDepth
	}
	if !v.IsValid() {
		return append(dst, "null"...), nil
	}
	t := v.Type()
	if t.Kind() != reflect.Pointer && v.CanAddr() && reflect.PointerTo(t).Implements(jsonMarshaler) {
		return appendMarshaler(dst, v.Addr())
	}
	if t.Implements(jsonMarshaler) {
		return appendMarshaler(dst, v)
	}
	if t.Kind() != reflect.Pointer && v.CanAddr() && reflect.PointerTo(t).Implements(textMarshaler) {
		return appendText(dst, v.Addr())
	}
	if t.Implements(textMarshaler) {
		return appendText(dst, v)
	}
	switch t.Kind() {
	case reflect.Bool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case reflect.Float32:
		return appendFloat(dst, v.Float(), 32), nil
	case reflect.Float64:
		return AppendFloat(dst, v.Float()), nil
	case reflect.String:
		if t == jsonNumber {
			return appendNumber(dst, v.String())
		}
		return AppendString(dst, v.String()), nil
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		return appendValue(dst, v.Elem(), depth+1)
	case reflect.Slice:
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		if isBytes(t) {
			text, err := json.Marshal(v.Bytes())
			return append(dst, text...), err
		}
		return appendList(dst, v, depth)
	case reflect.Array:
		return appendList(dst, v, depth)
	case reflect.Map:
		return appendMap(dst, v, depth)
	case reflect.Struct:
		return appendStruct(dst, v, depth)
	}
	return dst, &json.UnsupportedTypeError{Type: t}
}

// isBytes reports whether encoding/json would write the slice as base64.
func isBytes(t reflect.Type) bool {
	e := t.Elem()
	return e.Kind() == reflect.Uint8 && !reflect.PointerTo(e).Implements(jsonMarshaler) && !reflect.PointerTo(e).Implements(textMarshaler)
}

func isNilPointer(v reflect.Value) bool {
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil()
}

func appendMarshaler(dst []byte, v reflect.Value) ([]byte, error) {
	if isNilPointer(v) {
		return append(dst, "null"...), nil
	}
	m, ok := v.Interface().(json.Marshaler)
	if !ok {
		return append(dst, "null"...), nil
	}
	text, err := m.MarshalJSON()
	if err != nil {
		return dst, fmt.Errorf("pyjson: %s: %w", v.Type(), err)
	}
	dst, err = Compact(dst, text)
	if err != nil {
		return dst, fmt.Errorf("pyjson: what %s wrote: %w", v.Type(), err)
	}
	return dst, nil
}

func appendText(dst []byte, v reflect.Value) ([]byte, error) {
	if isNilPointer(v) {
		return append(dst, "null"...), nil
	}
	m, ok := v.Interface().(encoding.TextMarshaler)
	if !ok {
		return append(dst, "null"...), nil
	}
	text, err := m.MarshalText()
	if err != nil {
		return dst, fmt.Errorf("pyjson: %s: %w", v.Type(), err)
	}
	return AppendString(dst, string(text)), nil
}

func appendNumber(dst []byte, text string) ([]byte, error) {
	if text == "" {
		text = "0"
	}
	if c := text[0]; c != '-' && (c < '0' || c > '9') {
		return dst, fmt.Errorf("pyjson: invalid number %q", text)
	}
	return Compact(dst, []byte(text))
}

func appendList(dst []byte, v reflect.Value, depth int) (_ []byte, err error) {
	dst = append(dst, '[')
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendValue(dst, v.Index(i), depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendMap(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.IsNil() {
		return append(dst, "null"...), nil
	}
	type entry struct {
		key   string
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key, err := mapKey(it.Key())
		if err != nil {
			return dst, err
		}
		entries = append(entries, entry{key, it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	dst = append(dst, '{')
	for i, e := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, e.key), ':')
		var err error
		if dst, err = appendValue(dst, e.value, depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func mapKey(k reflect.Value) (string, error) {
	if k.Kind() == reflect.String {
		return k.String(), nil
	}
	if m, ok := k.Interface().(encoding.TextMarshaler); ok {
		if isNilPointer(k) {
			return "", nil
		}
		text, err := m.MarshalText()
		return string(text), err
	}
	switch {
	case k.CanInt():
		return strconv.FormatInt(k.Int(), 10), nil
	case k.CanUint():
		return strconv.FormatUint(k.Uint(), 10), nil
	}
	return "", &json.UnsupportedTypeError{Type: k.Type()}
}
