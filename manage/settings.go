package manage

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/cardea-go/cardea"
)

// A Settings is the configuration of the binary: that of the site, and what only a program of its own needs. Each field with a
// "setting" tag has that name in the configuration file, and CARDEA_ + NAME in the environment.
type Settings struct {
	cardea.Config

	// DB is where the users and sessions live: sqlite:PATH, postgres://… or mysql://….
	DB string `setting:"db"`
	// Addr is the address to listen on.
	Addr string `setting:"addr"`
	// TLSCert and TLSKey are PEM files; with them the binary speaks HTTPS itself.
	TLSCert string `setting:"tls_cert"`
	TLSKey  string `setting:"tls_key"`
	// SecretKeyFile holds the secret key where no setting names it. It is made, readable by its owner alone, when it is missing.
	SecretKeyFile string `setting:"secret_key_file"`
	mailSettings
	engineSettings
	validatorSettings
	remoteUserSettings
	userModelSettings
	LDAP ldapSettings   `section:"ldap"`
	OIDC []oidcSettings `tables:"oidc"`
	forwardSettings
	onlyDjango

	sources map[string]string // setting → where its value came from
}

// defaults are the values of settings that nobody set, where they are not the zero value.
func defaults() *Settings {
	return &Settings{
		DB:            "sqlite:cardea.db",
		Addr:          "127.0.0.1:8000",
		SecretKeyFile: "cardea.key",
		sources:       map[string]string{},
	}
}

// A SettingError is a setting that cannot be used. Its text is one line that says where it stands and what to do.
type SettingError struct {
	Where string // file:line, an environment variable, or a flag
	Cure  string
}

// Error says where the setting stands and what to do.
func (e *SettingError) Error() string { return e.Where + ": " + e.Cure }

// A field is one setting: where its value lives.
type field struct {
	name     string
	secret   bool
	fallback string // what is shown where it is not set and that means something
	value    reflect.Value
	tables   []field // of one table, for a setting of which there can be several; their values are those of none
}

// fields lists the settings in the order of the struct, those of the binary last.
func (s *Settings) fields() []field { return fieldsOf(reflect.ValueOf(s).Elem()) }

func fieldsOf(of reflect.Value) []field {
	var all []field
	var walk func(v reflect.Value, section string)
	walk = func(v reflect.Value, section string) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Anonymous {
				walk(v.Field(i), section)
				continue
			}
			if name := f.Tag.Get("section"); name != "" {
				walk(v.Field(i), name+".")
			}
			if name := f.Tag.Get("tables"); name != "" {
				all = append(all, field{name: name, value: v.Field(i), tables: fieldsOf(reflect.New(f.Type.Elem()).Elem())})
			}
			if name := f.Tag.Get("setting"); name != "" {
				all = append(all, field{name: section + name, secret: f.Tag.Get("secret") != "", fallback: f.Tag.Get("fallback"), value: v.Field(i)})
			}
		}
	}
	walk(of, "")
	return all
}

// Load reads the settings: the defaults, over them the file (none when its name is empty), over it the environment, given as
// "NAME=value". What it does not know or cannot read is a *SettingError.
func Load(file string, environ []string) (*Settings, error) {
	s := defaults()
	if file != "" {
		if err := s.readFile(file); err != nil {
			return nil, err
		}
	}
	if err := s.readEnviron(environ); err != nil {
		return nil, err
	}
	return s, nil
}

// readFile decodes strict TOML into a struct made of the settings' names, so that the reader itself finds unknown names.
func (s *Settings) readFile(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("cannot read the configuration %s: %w; name a file that is there, and that this user may read, with --config", name, errors.Unwrap(err))
	}
	return s.readText(name, string(text))
}

// readText decodes the text of the file of that name.
func (s *Settings) readText(name, text string) error {
	fields := s.fields()
	target := reflect.New(fileStruct(fields))
	decoder := toml.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target.Interface()); err != nil {
		return fileError(name, fields, err)
	}
	for i, f := range fields {
		p := fileValue(target.Elem(), f.name, i)
		if !p.IsValid() || p.IsNil() {
			continue
		}
		if err := assign(f.value, p.Elem()); err != nil {
			return &SettingError{Where: name + ":" + strconv.Itoa(lineOf(text, f.name)), Cure: f.name + " " + err.Error()}
		}
		s.sources[f.name] = name + ":" + strconv.Itoa(lineOf(text, f.name))
		s.placeTables(name, text, f)
	}
	return nil
}

var durationType = reflect.TypeFor[time.Duration]()

// fileType is the type that a setting has in the file: durations are whole seconds there, tables of levels have text keys.
func fileType(t reflect.Type) reflect.Type {
	switch {
	case t == durationType:
		return reflect.TypeFor[int64]()
	case t == validatorListType:
		return reflect.TypeFor[[]any]()
	case t.Kind() == reflect.Pointer:
		return fileType(t.Elem())
	case t.Kind() == reflect.Map:
		return reflect.TypeFor[map[string]string]()
	case isTables(t):
		return reflect.SliceOf(fileStruct(fieldsOf(reflect.New(t.Elem()).Elem())))
	}
	return t
}

func assign(to, from reflect.Value) error {
	t := to.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		if err := assign(p.Elem(), from); err != nil {
			return err
		}
		to.Set(p)
	case t == validatorListType:
		list, err := validatorsOf(from.Interface().([]any))
		if err != nil {
			return err
		}
		to.Set(reflect.ValueOf(list))
	case t == durationType:
		seconds := from.Int()
		if seconds < 0 || seconds > int64(100*365*24*time.Hour/time.Second) {
			return fmt.Errorf("must be a number of seconds from 0 to a hundred years, not %d", seconds)
		}
		to.SetInt(seconds * int64(time.Second))
	case isTables(t):
		return assignTables(to, from)
	case t.Kind() == reflect.Map:
		if t.Key().Kind() == reflect.String {
			to.Set(from)
			return nil
		}
		m := map[int]string{}
		for key, value := range from.Interface().(map[string]string) {
			level, err := strconv.Atoi(key)
			if err != nil {
				return fmt.Errorf("must have numbers as names, not %q", key)
			}
			m[level] = value
		}
		to.Set(reflect.ValueOf(m))
	default:
		to.Set(from.Convert(t))
	}
	return nil
}

// fileError turns what the reader says into file, line and cure.
func fileError(name string, fields []field, err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		first := strict.Errors[0]
		line, _ := first.Position()
		key := strings.Join(first.Key(), ".")
		return &SettingError{Where: name + ":" + strconv.Itoa(line), Cure: unknown(key, fields)}
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, _ := decode.Position()
		cure := strings.TrimPrefix(decode.Error(), "toml: ") + `; a line is NAME = VALUE, with texts in quotes, such as site_name = "Site"`
		if key := strings.Join(decode.Key(), "."); key != "" {
			cure = key + ": " + cure
			for _, f := range withTables(fields) {
				if f.name == decode.Key()[0] || strings.HasPrefix(key+".", f.name+".") {
					cure = f.name + " must be " + describe(f.value.Type())
				}
			}
		}
		return &SettingError{Where: name + ":" + strconv.Itoa(line), Cure: cure}
	}
	return fmt.Errorf("%s: %w", name, err)
}

func unknown(key string, fields []field) string {
	text := "unknown setting " + strconv.Quote(key)
	best, distance := "", 4
	for _, f := range withTables(fields) {
		if d := editDistance(strings.ToLower(key), f.name); d < distance {
			best, distance = f.name, d
		}
	}
	if best != "" {
		return text + "; did you mean " + best + "?"
	}
	return text + "; \"cardea config\" lists them all"
}

// ofTables tells whether a setting is a list of tables, [[name]] in the file.
func ofTables(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
}

func describe(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a whole number of seconds, such as 3600"
	case t.Kind() == reflect.Pointer:
		return describe(t.Elem())
	case t.Kind() == reflect.Bool:
		return "true or false"
	case ofTables(t):
		return "tables of the file, each under [[name]]"
	case t == validatorListType:
		return `a list of rules, such as ["MinimumLengthValidator?min_length=10"]`
	case t.Kind() == reflect.Slice:
		return `a list of texts, such as ["a", "b"]`
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		return `a table of texts by name, such as {"a.b" = "c"}`
	case t.Kind() == reflect.Map:
		return `a table of texts by number, such as {10 = "debug"}`
	case t.Kind() == reflect.String:
		return `a text in quotes, such as "a"`
	}
	return "a whole number"
}

// readEnviron lays CARDEA_NAME variables over the settings. An unknown one is an error, but for those of the tests.
func (s *Settings) readEnviron(environ []string) error {
	fields := s.fields()
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		key, ok := strings.CutPrefix(name, "CARDEA_")
		if !ok || strings.HasPrefix(key, "TEST_") || key == "CONFIG" || key == "VECTORS" || key == "SLOW" || key == "FUZZ_TIME" {
			continue
		}
		key = strings.ToLower(key)
		if f, label, ok := findInTables(fields, key); ok {
			if err := setText(f.value, value); err != nil {
				return &SettingError{Where: "environment variable " + name, Cure: "must be " + err.Error()}
			}
			s.sources[label] = "environment variable " + name
			continue
		}
		i := slices.IndexFunc(fields, func(f field) bool { return strings.ReplaceAll(f.name, ".", "_") == key && f.tables == nil })
		if i < 0 {
			return &SettingError{Where: "environment variable " + name, Cure: unknown(key, fields)}
		}
		if err := setText(fields[i].value, value); err != nil {
			return &SettingError{Where: "environment variable " + name, Cure: "must be " + err.Error()}
		}
		s.sources[fields[i].name] = "environment variable " + name
	}
	return nil
}

// setText parses a value as the environment and flags write it: lists are separated by commas.
func setText(to reflect.Value, text string) error {
	t := to.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		if err := setText(p.Elem(), text); err != nil {
			return err
		}
		to.Set(p)
	case t == durationType:
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New(describe(t))
		}
		return assign(to, reflect.ValueOf(seconds))
	case t.Kind() == reflect.String:
		to.SetString(text)
	case t.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return errors.New(describe(t))
		}
		to.SetBool(b)
	case ofTables(t):
		return errors.New("in the file: it is made of tables")
	case t.Kind() == reflect.Slice:
		var list []string
		for _, part := range strings.Split(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		to.Set(reflect.ValueOf(list))
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		m := map[string]string{}
		for _, part := range strings.Split(text, ",") {
			name, value, ok := strings.Cut(part, "=")
			if name = strings.TrimSpace(name); !ok || name == "" {
				return errors.New("texts by name, such as a.b=c,d.e=f")
			}
			m[name] = strings.TrimSpace(value)
		}
		to.Set(reflect.ValueOf(m))
	case t.Kind() == reflect.Map:
		m := map[int]string{}
		for _, part := range strings.Split(text, ",") {
			level, tag, ok := strings.Cut(part, "=")
			n, err := strconv.Atoi(strings.TrimSpace(level))
			if !ok || err != nil {
				return errors.New("texts by number, such as 10=debug,40=danger")
			}
			m[n] = strings.TrimSpace(tag)
		}
		to.Set(reflect.ValueOf(m))
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New(describe(t))
		}
		to.SetInt(n)
	}
	return nil
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, last+cost)
		}
	}
	return row[len(b)]
}
