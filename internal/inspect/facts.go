// Package inspect reads what a Django project is, and says what a Cardea beside it has to be set to and what the two cannot share.
package inspect

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Script is a program in Python that prints the facts of a Django project; "manage.py shell" runs it.
//
//go:embed facts.py
var Script string

// Facts are what [Script] prints.
type Facts struct {
	Version  int            `json:"cardea_facts"`
	Django   string         `json:"django"`
	Module   string         `json:"settings_module"`
	Settings map[string]any `json:"settings"`
	Database Database       `json:"database"`
	User     User           `json:"user"`
	Hashers  []Hasher       `json:"hashers"`
	Backends []Class        `json:"backends"`
	Layers   []Class        `json:"middleware"`
	Apps     []string       `json:"apps"`
	Session  Session        `json:"session"`
	Cache    *Cache         `json:"cache"`
	URLs     map[string]any `json:"urls"`
	Site     *Site          `json:"site"`
}

// A Database is the one that holds the users.
type Database struct {
	Alias         string         `json:"alias"`
	Engine        string         `json:"engine"`
	Vendor        string         `json:"vendor"`
	Name          string         `json:"name"`
	Host          string         `json:"host"`
	Port          string         `json:"port"`
	User          string         `json:"user"`
	Password      string         `json:"password"`
	Options       map[string]any `json:"options"`
	TimeZone      string         `json:"time_zone"`
	SessionsAlias string         `json:"sessions_alias"`
	Socket        any            `json:"socket"` // text, or why it is not known
	Error         string         `json:"error"`
}

// A Column is one of a model.
type Column struct {
	Name      string `json:"name"`
	Column    string `json:"column"`
	Type      string `json:"type"` // Django's internal type, such as UUIDField
	MaxLength int    `json:"max_length"`
	Unique    bool   `json:"unique"`
	Null      bool   `json:"null"`
	Filled    bool   `json:"filled"`  // by the database, where nobody names it
	Default   any    `json:"default"` // what Django puts there by itself, if that is known
}

// A Join is a table between users and something else.
type Join struct {
	To          string `json:"to"`
	Table       string `json:"table"`
	UserColumn  string `json:"user_column"`
	OtherColumn string `json:"other_column"`
}

// A User is the model of users.
type User struct {
	Model         string   `json:"model"`
	Table         string   `json:"table"`
	Parents       []string `json:"parents"`
	PK            Column   `json:"pk"`
	UsernameField Column   `json:"username_field"`
	EmailField    *Column  `json:"email_field"`
	Columns       []Column `json:"columns"`
	Groups        *Join    `json:"groups"`
	Permissions   *Join    `json:"permissions"`
	Changed       []string `json:"changed"` // methods that matter here and that the project wrote itself
	Lineage       []string `json:"lineage"`
	Error         string   `json:"error"`
}

// A Class is one that a setting names.
type Class struct {
	Path       string   `json:"path"`
	Lineage    []string `json:"lineage"`    // its own dotted path and those of what it is made from
	Overridden []string `json:"overridden"` // what it does in another way than Django's class that it is made from
	Error      string   `json:"error"`
}

// is tells whether the class is this one or made from it.
func (c *Class) is(path string) bool {
	for _, p := range c.Lineage {
		if p == path {
			return true
		}
	}
	return c.Path == path
}

// A Hasher is one of PASSWORD_HASHERS, with the costs that it has.
type Hasher struct {
	Class
	Algorithm   string `json:"algorithm"`
	Iterations  int    `json:"iterations"`
	Rounds      int    `json:"rounds"`
	WorkFactor  int    `json:"work_factor"`
	BlockSize   int    `json:"block_size"`
	Parallelism int    `json:"parallelism"`
	MemoryCost  int    `json:"memory_cost"`
	TimeCost    int    `json:"time_cost"`
	HashLen     int    `json:"hash_len"`
	Argon2Type  string `json:"argon2_type"`
	SaltEntropy int    `json:"salt_entropy"`
}

// A Session is the class of SESSION_ENGINE.
type Session struct {
	Class
	Salt  any `json:"salt"`
	Table any `json:"table"`
}

// A Cache is the one that SESSION_CACHE_ALIAS names.
type Cache struct {
	Class
	Alias       string         `json:"alias"`
	Location    any            `json:"location"`
	Options     map[string]any `json:"options"`
	KeyPrefix   string         `json:"key_prefix"`
	Version     int            `json:"version"`
	KeyFunction string         `json:"key_function"`
}

// A Site is the current one of Django's sites framework.
type Site struct {
	Name   string `json:"name"`
	Domain string `json:"domain"`
}

// first is the name with which the facts begin; a project may print other lines before and after.
const first = `"cardea_facts"`

// Read finds the facts in what the script printed.
func Read(r io.Reader) (*Facts, error) {
	const most = 8 << 20
	text, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return nil, err
	}
	before, _, found := strings.Cut(string(text), first)
	at := strings.LastIndex(before, "{")
	if !found || at < 0 {
		return nil, errors.New(`there are no facts in it: "cardea inspect-django --script" prints the script that makes them, and "python manage.py shell" runs it`)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text[at:])))
	decoder.UseNumber()
	var f Facts
	if err := decoder.Decode(&f); err != nil {
		return nil, fmt.Errorf("the facts cannot be read: %w; make them again with the script of this version", err)
	}
	if f.Version != 1 {
		return nil, fmt.Errorf("the facts are of version %d, and this cardea knows version 1: make them again with its own script", f.Version)
	}
	for what, problem := range map[string]string{"DATABASES": f.Database.Error, "AUTH_USER_MODEL": f.User.Error, "SESSION_ENGINE": f.Session.Error} {
		if problem != "" {
			return nil, fmt.Errorf("the Django project does not work: %s: %s", what, problem)
		}
	}
	return &f, nil
}

// text is a setting that is a text, and "" for None.
func (f *Facts) text(name string) string {
	s, _ := f.Settings[name].(string)
	return s
}

func (f *Facts) flag(name string) bool {
	b, _ := f.Settings[name].(bool)
	return b
}

// number is a setting that is a number; ok is false for None.
func (f *Facts) number(name string) (n int64, ok bool) {
	number, ok := f.Settings[name].(json.Number)
	if !ok {
		return 0, false
	}
	if n, err := number.Int64(); err == nil {
		return n, true
	}
	x, err := number.Float64()
	return int64(x), err == nil
}

// list is a setting that is a list of texts.
func (f *Facts) list(name string) []string {
	values, _ := f.Settings[name].([]any)
	var list []string
	for _, v := range values {
		list = append(list, fmt.Sprint(v))
	}
	return list
}

// url is a path or URL, resolved by Django; problem says why it could not be.
func (f *Facts) url(name string) (u, problem string) {
	switch v := f.URLs[name].(type) {
	case string:
		return v, ""
	case map[string]any:
		problem, _ = v["error"].(string)
	}
	return "", problem
}

// layer tells whether the middleware, or something made from it, is installed.
func (f *Facts) layer(path string) bool {
	for i := range f.Layers {
		if f.Layers[i].is(path) {
			return true
		}
	}
	return false
}
