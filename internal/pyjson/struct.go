package pyjson

import (
	"reflect"
	"strings"
	"unicode"
)

// field is one member that a struct is written with.
type field struct {
	name      string
	index     []int
	tagged    bool
	omitEmpty bool
	omitZero  bool
	quoted    bool
}

func appendStruct(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	for _, f := range fields(v.Type()) {
		fv, ok := follow(v, f.index)
		if !ok || f.omitEmpty && isEmpty(fv) || f.omitZero && isZero(fv) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(AppendString(dst, f.name), ':')
		at := len(dst)
		var err error
		if dst, err = appendValue(dst, fv, depth+1); err != nil {
			return dst, err
		}
		if f.quoted && string(dst[at:]) != "null" {
			dst = AppendString(dst[:at], string(dst[at:]))
		}
	}
	return append(dst, '}'), nil
}

// follow is the field at index, or false where an embedded pointer on the way is nil.
func follow(v reflect.Value, index []int) (reflect.Value, bool) {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, true
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}

func isZero(v reflect.Value) bool {
	type zeroer interface{ IsZero() bool }
	if isNilPointer(v) {
		return true
	}
	if v.CanAddr() {
		if z, ok := v.Addr().Interface().(zeroer); ok {
			return z.IsZero()
		}
	}
	if z, ok := v.Interface().(zeroer); ok {
		return z.IsZero()
	}
	return v.IsZero()
}

// fields are the members of a struct by encoding/json's rules: of several fields with one name the least nested counts, then a
// tagged one, and if that leaves more than one, none.
func fields(t reflect.Type) []field {
	var all []field
	collect(t, nil, map[reflect.Type]bool{}, &all)
	var out []field
	for i, f := range all {
		if dominant(all, i) {
			out = append(out, f)
		}
	}
	return out
}

func dominant(all []field, i int) bool {
	f := &all[i]
	for j := range all {
		o := &all[j]
		if j == i || o.name != f.name {
			continue
		}
		if len(o.index) < len(f.index) {
			return false
		}
		if len(o.index) == len(f.index) && (o.tagged || !f.tagged) {
			return false
		}
	}
	return true
}

// collect appends the fields of t and of the structs embedded in it, in their order. above guards against a type that embeds
// itself.
func collect(t reflect.Type, index []int, above map[reflect.Type]bool, all *[]field) {
	if above[t] {
		return
	}
	above[t] = true
	defer delete(above, t)
	for i := range t.NumField() {
		sf := t.Field(i)
		ft := sf.Type
		if sf.Anonymous && ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		if !sf.IsExported() && (!sf.Anonymous || ft.Kind() != reflect.Struct) {
			continue
		}
		tag := sf.Tag.Get("json")
		if tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if !validName(name) {
			name = ""
		}
		at := append(append([]int(nil), index...), i)
		if name == "" && sf.Anonymous && ft.Kind() == reflect.Struct {
			collect(ft, at, above, all)
			continue
		}
		if !sf.IsExported() {
			continue
		}
		f := field{name: name, index: at, tagged: name != ""}
		if name == "" {
			f.name = sf.Name
		}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "omitempty":
				f.omitEmpty = true
			case "omitzero":
				f.omitZero = true
			case "string":
				f.quoted = quotable(sf.Type)
			}
		}
		*all = append(*all, f)
	}
}

func quotable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return true
	}
	return false
}

// validName reports whether encoding/json takes the name from a tag.
func validName(s string) bool {
	if s == "" {
		return false
	}
	for _, c := range s {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return true
}
