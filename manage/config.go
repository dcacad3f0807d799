package manage

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Print writes every setting, its value and where it came from. Secrets are hidden.
func (s *Settings) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tVALUE\tFROM")
	fields := s.fields()
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	for _, f := range fields {
		source := s.sources[f.name]
		if source == "" {
			source = "default"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.name, f.text(), source)
	}
	return table.Flush()
}

// text shows a value as the file would write it.
func (f field) text() string {
	v := f.value
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "(the profile's)"
		}
		v = v.Elem()
	}
	switch {
	case v.IsZero() && v.Kind() != reflect.Bool:
		return "(the profile's)"
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
	case v.Kind() == reflect.Slice, v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		return fmt.Sprintf("%q", v.Interface())
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
