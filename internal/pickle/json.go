package pickle

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/cardea-go/cardea/internal/pyjson"
)

// FromJSON reads a JSON text as json.loads does.
func FromJSON(raw []byte) (any, error) {
	// Written again, each part begins where it should and repeated names are gone.
	text, err := pyjson.Compact(nil, raw)
	if err != nil {
		return nil, err
	}
	return fromJSON(text)
}

func fromJSON(text []byte) (any, error) {
	switch text[0] {
	case '{':
		ms, err := pyjson.ParseObject(text)
		if err != nil {
			return nil, err
		}
		d := make(Dict, len(ms))
		for i, m := range ms {
			d[i].Key = m.Key
			if d[i].Value, err = fromJSON(m.Value); err != nil {
				return nil, err
			}
		}
		return d, nil
	case '[':
		vs, err := pyjson.ParseArray(text)
		if err != nil {
			return nil, err
		}
		l := make([]any, len(vs))
		for i, v := range vs {
			if l[i], err = fromJSON(v); err != nil {
				return nil, err
			}
		}
		return l, nil
	case '"':
		return pyjson.ParseString(text)
	}
	switch word := string(text); word {
	case "null":
		return nil, nil
	case "true", "false":
		return word == "true", nil
	default:
		return number(word)
	}
}

// number reads a number as pyjson writes it.
func number(text string) (any, error) {
	if strings.ContainsAny(text, ".eNI") {
		return strconv.ParseFloat(text, 64)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, &FormatError{Msg: "invalid number"}
	}
	return n, nil
}

// ToJSON returns v as compact JSON in ASCII, as json.dumps writes it. Tuples become arrays, as there. Bytes and dict keys other
// than str are an [*UnsupportedError]: json.dumps refuses the one and silently changes the other.
func ToJSON(v any) ([]byte, error) { return appendJSON(nil, v, 0) }

func appendJSON(dst []byte, v any, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return dst, ErrBounds
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case *big.Int:
		if v == nil {
			return dst, &UnsupportedError{Value: v}
		}
		text := v.Append(nil, 10)
		if len(text) > maxDigits+1 {
			return dst, ErrBounds
		}
		return append(dst, text...), nil
	case float64:
		return pyjson.AppendFloat(dst, v), nil
	case string:
		return pyjson.AppendString(dst, v), nil
	case []any:
		return appendArray(dst, v, depth)
	case Tuple:
		return appendArray(dst, v, depth)
	case Dict:
		return appendObject(dst, v, depth)
	}
	return dst, &UnsupportedError{Value: v}
}

func appendArray(dst []byte, vs []any, depth int) (_ []byte, err error) {
	dst = append(dst, '[')
	for i, v := range vs {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendJSON(dst, v, depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendObject(dst []byte, d Dict, depth int) (_ []byte, err error) {
	dst = append(dst, '{')
	for i, item := range d {
		if i > 0 {
			dst = append(dst, ',')
		}
		key, ok := item.Key.(string)
		if !ok {
			return dst, &UnsupportedError{Value: item.Key}
		}
		dst = append(pyjson.AppendString(dst, key), ':')
		if dst, err = appendJSON(dst, item.Value, depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
