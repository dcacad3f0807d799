package inspect

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A Report is what the facts mean for a Cardea beside the project.
type Report struct {
	Head     string    // what the configuration begins with
	Settings []Setting // the configuration that matches
	Findings []Finding // what no configuration can match
}

// A Setting is one of Cardea's and its value: a string, bool, int64, []string or map[string]string.
type Setting struct {
	Name    string
	Value   any
	Comment string
}

// A Finding is a place where the two would go different ways without telling anybody.
type Finding struct {
	Setting string // of Django, or of Cardea in lower case
	Has     string // its value on Django's side
	Here    string // and on ours, where there is one
	Means   string // for the people who use the site
	Cure    string
	Note    bool // nothing is shared wrongly, but somebody should know
}

// Write prints the finding for a person.
func (f Finding) Write(w io.Writer) {
	kind := "mismatch"
	if f.Note {
		kind = "note"
	}
	fmt.Fprintf(w, "%s: %s", kind, f.Setting)
	if f.Has != "" {
		fmt.Fprintf(w, " is %s", f.Has)
	}
	if f.Here != "" {
		fmt.Fprintf(w, " (here %s)", f.Here)
	}
	fmt.Fprintf(w, "\n  means: %s\n", f.Means)
	if f.Cure != "" {
		fmt.Fprintf(w, "  cure:  %s\n", f.Cure)
	}
}

// set adds a line to the configuration.
func (r *Report) set(name string, value any, comment ...string) {
	r.Settings = append(r.Settings, Setting{name, value, strings.Join(comment, "\n")})
}

func (r *Report) mismatch(setting, has, means, cure string) {
	r.Findings = append(r.Findings, Finding{Setting: setting, Has: has, Means: means, Cure: cure})
}

func (r *Report) note(setting, has, means, cure string) {
	r.Findings = append(r.Findings, Finding{Setting: setting, Has: has, Means: means, Cure: cure, Note: true})
}

// Mismatches counts the findings that are more than notes.
func (r *Report) Mismatches() int {
	n := 0
	for _, f := range r.Findings {
		if !f.Note {
			n++
		}
	}
	return n
}

// TOML is the configuration as a file, tables last.
func (r *Report) TOML() string {
	var b strings.Builder
	table := func(s Setting) bool { _, ok := s.Value.(map[string]string); return ok }
	comment(&b, r.Head)
	b.WriteString("\n")
	for _, s := range r.Settings {
		if !table(s) {
			comment(&b, s.Comment)
			b.WriteString(s.Name + " = " + tomlValue(s.Value) + "\n")
		}
	}
	for _, s := range r.Settings {
		if !table(s) {
			continue
		}
		b.WriteString("\n")
		comment(&b, s.Comment)
		b.WriteString("[" + s.Name + "]\n")
		entries := s.Value.(map[string]string)
		for _, key := range sorted(entries) {
			b.WriteString(tomlKey(key) + " = " + tomlText(entries[key]) + "\n")
		}
	}
	return b.String()
}

// Line is the line of the configuration with that setting, or "" if there is none.
func (r *Report) Line(name string) string {
	for _, s := range r.Settings {
		if s.Name == name {
			return s.Name + " = " + tomlValue(s.Value)
		}
	}
	return ""
}

func comment(b *strings.Builder, text string) {
	if text == "" {
		return
	}
	for _, line := range strings.Split(text, "\n") {
		b.WriteString("# " + line + "\n")
	}
}

func tomlValue(v any) string {
	switch v := v.(type) {
	case string:
		return tomlText(v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = tomlText(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// tomlText is a basic string of TOML, on one line.
func tomlText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// tomlKey quotes a key that cannot stand bare.
func tomlKey(s string) string {
	bare := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}) < 0
	if bare {
		return s
	}
	return tomlText(s)
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		if errX == nil && errY == nil {
			return x - y
		}
		return strings.Compare(a, b)
	})
	return keys
}
