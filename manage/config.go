package manage

import (
	"cmp"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Print writes every setting, its value and where it came from. Secrets are hidden.
func (s *Settings) Print(w io.Writer) error {
	whole, err := s.whole()
	if err != nil {
		return err
	}
	const form = "%-34s  %-34s  %s\n" // of which long values stick out
	fmt.Fprintf(w, form, "SETTING", "VALUE", "FROM")
	fields := whole.fields()
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	for _, f := range rows(fields) {
		if _, err := fmt.Fprintf(w, form, f.name, f.text(), cmp.Or(s.sources[f.name], "default")); err != nil {
			return err
		}
	}
	return nil
}

// whole is a copy of the settings with the values that the program takes where nobody set any.
func (s *Settings) whole() (*Settings, error) {
	whole := *s
	var err error
	if whole.Config, err = s.Config.WithDefaults(); err != nil {
		return nil, err
	}
	whole.SessionEngine = s.engine()
	whole.DefaultFromEmail = s.mailFrom()
	return &whole, nil
}

// text shows a value as the file would write it.
func (f field) text() string {
	v := f.value
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case v.IsZero() && v.Kind() != reflect.Bool:
		return cmp.Or(f.fallback, "(none)")
	case f.secret:
		return "(hidden)"
	case v.Type() == durationType:
		return fmt.Sprint(int64(v.Interface().(time.Duration) / time.Second))
	case v.Kind() == reflect.String && (f.name == "db" || f.name == "redis_url"):
		return hidePassword(v.String())
	case v.Kind() == reflect.String:
		return fmt.Sprintf("%q", v.String())
	case ofTables(v.Type()):
		return fmt.Sprintf("(%d tables)", v.Len())
	case v.Kind() == reflect.Slice:
		var items []string
		for i := range v.Len() {
			items = append(items, fmt.Sprintf("%q", v.Index(i)))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case v.Kind() == reflect.Map:
		var items []string
		for _, key := range v.MapKeys() {
			name := fmt.Sprint(key)
			if key.Kind() == reflect.String {
				name = fmt.Sprintf("%q", name)
			}
			items = append(items, fmt.Sprintf("%s = %q", name, v.MapIndex(key)))
		}
		slices.Sort(items)
		return "{" + strings.Join(items, ", ") + "}"
	}
	return fmt.Sprint(v.Interface())
}

// hidePassword leaves the password out of a database URL.
func hidePassword(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return fmt.Sprintf("%q", url)
	}
	at := strings.LastIndex(rest, "@")
	if at < 0 {
		return fmt.Sprintf("%q", url)
	}
	name, _, hasPassword := strings.Cut(rest[:at], ":")
	if hasPassword {
		name += ":(hidden)"
	}
	return fmt.Sprintf("%q", scheme+"://"+name+rest[at:])
}
