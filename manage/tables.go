package manage

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// A setting of which there can be several is an array of tables in the file, such as [[oidc]]: a slice of structs whose fields have
// "setting" tags and a "name", and that keep where they stand in a field Where. In the environment a value of one of them is
// CARDEA_OIDC_NAME_SETTING.

func isTables(t reflect.Type) bool {
	if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Struct {
		return false
	}
	_, ok := t.Elem().FieldByName("Where")
	return ok
}

// assignTables takes over what the file says.
func assignTables(to, from reflect.Value) error {
	all := reflect.MakeSlice(to.Type(), from.Len(), from.Len())
	for n := range from.Len() {
		for i, f := range fieldsOf(all.Index(n)) {
			p := fileValue(from.Index(n), f.name, i)
			if !p.IsValid() || p.IsNil() {
				continue
			}
			if err := assign(f.value, p.Elem()); err != nil {
				return fmt.Errorf("(the table number %d) has a %s that %w", n+1, f.name, err)
			}
		}
	}
	to.Set(all)
	return nil
}

// placeTables notes where each table of a setting stands.
func (s *Settings) placeTables(name, text string, f field) {
	if f.tables == nil {
		return
	}
	n := 0
	for i, line := range strings.Split(text, "\n") {
		header, ok := strings.CutPrefix(strings.TrimSpace(line), "[[")
		header, _, closed := strings.Cut(header, "]]")
		if ok && closed && strings.TrimSpace(header) == f.name && n < f.value.Len() {
			where := name + ":" + strconv.Itoa(i+1)
			f.value.Index(n).FieldByName("Where").SetString(where)
			for _, one := range fieldsOf(f.value.Index(n)) {
				s.sources[label(f, n, one.name)] = where
			}
			n++
		}
	}
	if n > 0 {
		s.sources[f.name] = f.value.Index(0).FieldByName("Where").String()
	}
}

// label names a value of one of several tables.
func label(f field, n int, name string) string {
	return f.name + "[" + strconv.Itoa(n) + "]." + name
}

// rows are the settings to show: those of tables each by itself.
func rows(fields []field) []field {
	var all []field
	for _, f := range fields {
		switch {
		case f.tables == nil:
			all = append(all, f)
		case f.value.Len() == 0:
			all = append(all, field{name: f.name, value: reflect.ValueOf("")})
		}
		for n := 0; f.tables != nil && n < f.value.Len(); n++ {
			for _, one := range fieldsOf(f.value.Index(n)) {
				if !one.value.IsZero() {
					one.name = label(f, n, one.name)
					all = append(all, one)
				}
			}
		}
	}
	return all
}

// withTables are the settings by the names that the file has for them.
func withTables(fields []field) []field {
	var all []field
	for _, f := range fields {
		if f.tables == nil {
			all = append(all, f)
		}
		for _, one := range f.tables {
			one.name = f.name + "." + one.name
			all = append(all, one)
		}
	}
	return all
}

// findInTables finds the value that a name of the environment, in small letters, stands for: oidc_google_client_id.
func findInTables(fields []field, key string) (found field, source string, ok bool) {
	for _, f := range fields {
		for n := 0; f.tables != nil && n < f.value.Len(); n++ {
			inner := fieldsOf(f.value.Index(n))
			name := ""
			for _, one := range inner {
				if one.name == "name" || one.name == "preset" && name == "" {
					if text := one.value.String(); text != "" {
						name = strings.ReplaceAll(text, "-", "_")
					}
				}
			}
			for _, one := range inner {
				if name != "" && key == f.name+"_"+name+"_"+one.name {
					return one, label(f, n, one.name), true
				}
			}
		}
	}
	return field{}, "", false
}
