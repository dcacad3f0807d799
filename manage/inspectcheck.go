package manage

import (
	"fmt"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/internal/inspect"
	"github.com/cardea-go/cardea/password"
)

// check compares the settings in force with those that match the project, and names each that would break silently.
func (c *inspectCommand) check(p *Program, s, matching *Settings, report *inspect.Report) error {
	if s.SecretKey == "" {
		if err := s.findSecretKey(); err != nil {
			return err
		}
	}
	differ(s, matching, report)
	for _, f := range report.Findings {
		if !f.Note {
			f.Write(p.Stderr)
		}
	}
	switch n := report.Mismatches(); n {
	case 0:
		_, err := fmt.Fprintln(p.Stdout, "Nothing that is shared differs.")
		return err
	case 1:
		return fmt.Errorf("1 mismatch")
	default:
		return fmt.Errorf("%d mismatches", n)
	}
}

// differ adds to the report where the settings in force are not the matching ones.
func differ(s, matching *Settings, report *inspect.Report) {
	add := func(setting, has, here, means, cure string) {
		report.Findings = append(report.Findings, inspect.Finding{Setting: setting, Has: has, Here: here, Means: means, Cure: cure})
	}
	if s.Profile != cardea.Django {
		add("profile", "", fmt.Sprintf("%q", s.Profile), "cookies, session keys and hashes are Cardea's own and not Django's: nobody is logged in to both", `set profile = "django"`)
	}
	if here, there := databaseOf(s.DB), databaseOf(matching.DB); here != there {
		add("DATABASES", there, here, "they have different users and sessions", "set db = "+fmt.Sprintf("%q", hidden(matching.DB)))
	}
	for _, row := range inspect.Parity {
		here, there := s.inForce(row), matching.inForce(row)
		if here == there {
			continue
		}
		cure := "leave " + row.Name + " out"
		if line := report.Line(row.Name); line != "" {
			cure = "set " + line
		}
		if row.Secret {
			here, there = "", ""
			cure = "take " + row.Name + " from what inspect-django writes without --check"
		}
		add(row.Setting(), there, here, row.Means, cure)
	}
	here, there := s.hashing(), matching.hashing()
	if len(here) > 0 && len(there) > 0 && here[0] != there[0] {
		add("PASSWORD_HASHERS", there[0].text(), here[0].text(), "each hashes again at a log-in what the other wrote, and that ends the sessions of its owner there", "take password_hashers, password_hasher_params and django_version from what inspect-django writes without --check")
	}
	for _, h := range there {
		if !slices.ContainsFunc(here, func(o hashing) bool { return o.algorithm == h.algorithm }) {
			add("PASSWORD_HASHERS", "a list with "+h.algorithm, "one without", "people whose password is hashed that way cannot log in at Cardea", "add it to password_hashers")
		}
	}
}

// hidden is a URL without its password.
func hidden(address string) string { return strings.Trim(hidePassword(address), `"`) }

// databaseOf is which database a URL names, without who logs in to it and how it is reached.
func databaseOf(address string) string {
	kind, rest, _ := strings.Cut(address, ":")
	if kind == "sqlite" || kind == "sqlite3" {
		path, err := filepath.Abs(strings.TrimPrefix(rest, "//"))
		if err != nil {
			path = rest
		}
		return "sqlite " + path
	}
	if u, err := url.Parse(address); err == nil {
		return u.Scheme + " " + strings.TrimPrefix(u.Path, "/")
	}
	return kind
}

// inForce is the value of a setting as text, or what holds where it is not set.
func (s *Settings) inForce(row inspect.Row) string {
	var v reflect.Value
	for _, f := range s.fields() {
		if f.name == row.Name {
			v = f.value
		}
	}
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	var text string
	switch {
	case v.Kind() == reflect.Bool:
		text = fmt.Sprint(v.Bool())
	case v.IsZero():
		return row.Preset
	case v.Type() == durationType:
		text = fmt.Sprint(int64(v.Interface().(interface{ Seconds() float64 }).Seconds()))
	case v.Kind() == reflect.Slice:
		text = strings.Join(v.Convert(reflect.TypeFor[[]string]()).Interface().([]string), ", ")
	default:
		text = fmt.Sprint(v.Interface())
	}
	switch row.Name {
	case "session_engine":
		return s.engine()
	case "message_storage":
		name := strings.ToLower(text)
		return strings.TrimSuffix(name[strings.LastIndex(name, ".")+1:], "storage")
	case "csrf_header_name":
		return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(text, "HTTP_"), "_", "-"))
	}
	return text
}

// hashing is a hasher in use: its algorithm and its costs.
type hashing struct{ algorithm, params string }

func (h hashing) text() string { return strings.TrimSpace(h.algorithm + " " + h.params) }

// hashing lists the hashers in use, the one that writes first.
func (s *Settings) hashing() []hashing {
	version := s.DjangoVersion
	if version == "" {
		version = "5.2"
	}
	list, err := password.FromDjango(s.PasswordHashers, version)
	if err != nil {
		return nil
	}
	var all []hashing
	for _, h := range list {
		if text, ok := s.PasswordHasherParams[h.Algorithm()]; ok {
			if tuned, err := password.WithParams(h, text); err == nil {
				h = tuned
			}
		}
		all = append(all, hashing{h.Algorithm(), password.Params(h)})
	}
	return all
}
