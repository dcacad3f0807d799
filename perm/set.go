package perm

import (
	"iter"
	"slices"
	"strings"
)

// A Set is a set of permissions by name, such as "blog.add_post". It does not change; the zero value is the empty set.
type Set struct {
	names []string // sorted, each once
}

// NewSet returns the set of these names. The slice stays the caller's.
func NewSet(names ...string) Set {
	own := slices.Clone(names)
	slices.Sort(own)
	return Set{slices.Compact(own)}
}

// Has reports whether the set holds this very name.
func (s Set) Has(name string) bool {
	_, found := slices.BinarySearch(s.names, name)
	return found
}

// HasModule reports whether the set holds any permission of the app with this label.
func (s Set) HasModule(app string) bool {
	if strings.Contains(app, ".") { // a label is what stands before the first dot
		return false
	}
	prefix := app + "."
	i, _ := slices.BinarySearch(s.names, prefix)
	return i < len(s.names) && strings.HasPrefix(s.names[i], prefix)
}

// Len returns the number of permissions.
func (s Set) Len() int { return len(s.names) }

// All goes through the names in order.
func (s Set) All() iter.Seq[string] { return slices.Values(s.names) }

// Names returns the names in order, in a slice of the caller's own.
func (s Set) Names() []string { return slices.Clone(s.names) }

// Intersect returns the set of what is in both s and t.
func (s Set) Intersect(t Set) Set {
	var both []string
	for _, name := range s.names {
		if t.Has(name) {
			both = append(both, name)
		}
	}
	return Set{both}
}

// Union returns the set of what is in s, in t or in both.
func (s Set) Union(t Set) Set {
	switch {
	case len(t.names) == 0:
		return s
	case len(s.names) == 0:
		return t
	}
	return NewSet(slices.Concat(s.names, t.names)...)
}
