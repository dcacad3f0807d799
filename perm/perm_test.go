package perm_test

import (
	"context"
	"errors"
	"html/template"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/perm"
)

// A list is a source with fixed sets, which counts how often it is asked. As ModelBackend, it gives nothing to others than
// active users.
type list struct {
	grants, object perm.Grants
	err            error
	asked          int
}

func (l *list) Permissions(_ context.Context, s perm.Subject) (perm.Grants, error) {
	l.asked++
	if !s.Active && l.err == nil {
		return perm.Grants{}, nil
	}
	return l.grants, l.err
}

// objects is a list that knows objects too.
type objects struct{ list }

func (o *objects) ObjectPermissions(_ context.Context, _ perm.Subject, obj any) (perm.Grants, error) {
	o.asked++
	if obj == "mine" {
		return o.object, o.err
	}
	return perm.Grants{}, o.err
}

// modules is a list that decides about apps by itself.
type modules struct {
	list
	yes bool
	no  error
}

func (m *modules) DecideModule(context.Context, perm.Subject, string) (bool, error) {
	return m.yes, m.no
}

func grants(direct, group string) perm.Grants {
	return perm.Grants{Direct: perm.NewSet(strings.Fields(direct)...), Group: perm.NewSet(strings.Fields(group)...)}
}

func says(yes bool, err error) perm.Func {
	return func(context.Context, perm.Subject, string, any) (bool, error) { return yes, err }
}

var (
	ada     = perm.Subject{ID: "1", Active: true}
	root    = perm.Subject{ID: "2", Active: true, Superuser: true}
	fallen  = perm.Subject{ID: "3", Superuser: true}
	nobody  = perm.Subject{}
	errDown = errors.New("down")
)

// TestHas is the table of has_perm: who is asked, and whose answer counts.
func TestHas(t *testing.T) {
	t.Parallel()
	has := func() *list { return &list{grants: grants("a.x", "a.y")} }
	for _, c := range []struct {
		name    string
		s       perm.Subject
		sources []perm.Source
		perm    string
		obj     any
		want    bool
		err     error
	}{
		{"direct", ada, []perm.Source{has()}, "a.x", nil, true, nil},
		{"by group", ada, []perm.Source{has()}, "a.y", nil, true, nil},
		{"another", ada, []perm.Source{has()}, "a.z", nil, false, nil},
		{"no sources", ada, nil, "a.x", nil, false, nil},
		{"the second source", ada, []perm.Source{&list{}, has()}, "a.x", nil, true, nil},
		{"denied first", ada, []perm.Source{says(false, perm.ErrDenied), has()}, "a.x", nil, false, nil},
		{"denied by sets", ada, []perm.Source{&list{err: perm.ErrDenied}, has()}, "a.x", nil, false, nil},
		{"denied too late", ada, []perm.Source{has(), says(false, perm.ErrDenied)}, "a.x", nil, true, nil},
		{"yes and denied", ada, []perm.Source{says(true, perm.ErrDenied), has()}, "a.x", nil, false, nil},
		{"down first", ada, []perm.Source{&list{err: errDown}, has()}, "a.x", nil, false, errDown},
		{"down later", ada, []perm.Source{has(), &list{err: errDown}}, "a.x", nil, true, nil},
		{"yes and down", ada, []perm.Source{says(true, errDown)}, "a.x", nil, false, errDown},
		{"superuser", root, nil, "no such thing", nil, true, nil},
		{"superuser, though denied", root, []perm.Source{says(false, perm.ErrDenied)}, "a.x", nil, true, nil},
		{"superuser about an object", root, nil, "a.x", "theirs", true, nil},
		{"inactive superuser", fallen, []perm.Source{has()}, "a.x", nil, false, nil},
		{"inactive, but a source says yes", fallen, []perm.Source{says(true, nil)}, "a.x", nil, true, nil},
		{"anonymous", nobody, []perm.Source{has()}, "a.x", nil, false, nil},
		{"anonymous, but a source says yes", nobody, []perm.Source{says(true, nil)}, "a.x", nil, true, nil},
		{"sets say nothing about objects", ada, []perm.Source{has()}, "a.x", "mine", false, nil},
		{"sets for objects", ada, []perm.Source{&objects{list{object: grants("a.o", "")}}}, "a.o", "mine", true, nil},
		{"another object", ada, []perm.Source{&objects{list{object: grants("a.o", "")}}}, "a.o", "theirs", false, nil},
		{"the object's is not everywhere's", ada, []perm.Source{&objects{list{object: grants("a.o", "")}}}, "a.o", nil, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := perm.For(t.Context(), c.s, c.sources...)
			if c.obj != nil {
				p = p.On(c.obj)
			}
			if got, err := p.Has(c.perm); got != c.want || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("got %v, %v, want %v, %v", got, err, c.want, c.err)
			}
		})
	}
}

// TestDecideArguments: a decider is told who, what and which object.
func TestDecideArguments(t *testing.T) {
	t.Parallel()
	var got []any
	f := perm.Func(func(_ context.Context, s perm.Subject, name string, obj any) (bool, error) {
		got = append(got, s.ID, name, obj)
		return false, nil
	})
	p := perm.For(t.Context(), ada, f)
	for _, q := range []*perm.Perms{p, p.On("page"), p.On("page").On("other"), p.On("page").On(nil)} {
		if ok, err := q.Has("a.x"); ok || err != nil {
			t.Errorf("got %v, %v", ok, err)
		}
	}
	if want := []any{"1", "a.x", nil, "1", "a.x", "page", "1", "a.x", "other", "1", "a.x", "page"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHasAll(t *testing.T) {
	t.Parallel()
	p := perm.For(t.Context(), ada, &list{grants: grants("a.x", "a.y")})
	for _, c := range []struct {
		names string
		want  string // the first that is missing
	}{
		{"", ""}, {"a.x", ""}, {"a.x a.y", ""}, {"a.x a.z a.w", "a.z"}, {"a.z", "a.z"},
	} {
		names := strings.Fields(c.names)
		all, err := p.HasAll(names...)
		if all != (c.want == "") || err != nil {
			t.Errorf("HasAll(%s) = %v, %v", c.names, all, err)
		}
		if name, missing, err := p.Missing(names...); name != c.want || missing != (c.want != "") || err != nil {
			t.Errorf("Missing(%s) = %q, %v, %v, want %q", c.names, name, missing, err, c.want)
		}
	}
	broken := perm.For(t.Context(), ada, &list{err: errDown})
	if all, err := broken.HasAll("a.x"); all || !errors.Is(err, errDown) {
		t.Errorf("an outage: got %v, %v", all, err)
	}
	if _, missing, err := broken.Missing("a.x"); missing || !errors.Is(err, errDown) {
		t.Errorf("an outage: got missing %v, %v", missing, err)
	}
}

func TestModule(t *testing.T) {
	t.Parallel()
	sets := func() perm.Source { return &list{grants: grants("blog.x", "news.y")} }
	for _, c := range []struct {
		name    string
		s       perm.Subject
		sources []perm.Source
		app     string
		want    bool
	}{
		{"direct", ada, []perm.Source{sets()}, "blog", true},
		{"by group", ada, []perm.Source{sets()}, "news", true},
		{"a part of a label", ada, []perm.Source{sets()}, "blo", false},
		{"a permission", ada, []perm.Source{sets()}, "blog.x", false},
		{"more than a label", ada, []perm.Source{sets()}, "blogs", false},
		{"nothing", ada, []perm.Source{sets()}, "", false},
		{"superuser", root, nil, "nosuch", true},
		{"inactive", fallen, []perm.Source{sets()}, "blog", false},
		{"anonymous", nobody, []perm.Source{sets()}, "blog", false},
		{"a source that decides", ada, []perm.Source{&modules{yes: true}}, "any", true},
		{"which beats its own sets", ada, []perm.Source{&modules{list: list{grants: grants("blog.x", "")}}}, "blog", false},
		{"and can deny", ada, []perm.Source{&modules{no: perm.ErrDenied}, sets()}, "blog", false},
		{"a function knows no apps", ada, []perm.Source{says(true, nil)}, "blog", false},
	} {
		p := perm.For(t.Context(), c.s, c.sources...)
		for _, q := range []*perm.Perms{p, p.On("an object")} { // which is ignored
			if got, err := q.Module(c.app); got != c.want || err != nil {
				t.Errorf("%s: got %v, %v, want %v", c.name, got, err, c.want)
			}
		}
	}
}

// TestLists are Django's three get_…_permissions.
func TestLists(t *testing.T) {
	t.Parallel()
	p := perm.For(t.Context(), ada, &list{grants: grants("a.x", "a.y")}, says(true, nil), &list{grants: grants("b.x a.x", "b.y")})
	check := func(what string, get func() (perm.Set, error), want string) {
		t.Helper()
		got, err := get()
		if text := strings.Join(got.Names(), " "); text != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", what, text, err, want)
		}
	}
	check("direct", p.Direct, "a.x b.x")
	check("group", p.Group, "a.y b.y")
	check("all", p.All, "a.x a.y b.x b.y")
	check("for an object", p.On(1).All, "")
	o := perm.For(t.Context(), ada, &objects{list{grants: grants("a.x", ""), object: grants("a.o", "a.p")}})
	check("of an object", o.On("mine").All, "a.o a.p")
	check("and whatever the object", o.All, "a.x")
	for _, err := range []error{errDown, perm.ErrDenied} {
		q := perm.For(t.Context(), ada, &list{grants: grants("a.x", "")}, &list{err: err})
		if set, got := q.All(); !errors.Is(got, err) || set.Len() != 0 {
			t.Errorf("got %v, %v, want %v", set.Names(), got, err)
		}
	}
}

// TestAskedOnce: a source is asked when a question needs it and once, also when it fails, and each object by itself.
func TestAskedOnce(t *testing.T) {
	t.Parallel()
	first, second := &objects{list{grants: grants("a.x", ""), object: grants("a.x", "")}}, &list{err: errDown}
	p := perm.For(t.Context(), ada, first, second)
	if first.asked+second.asked != 0 {
		t.Error("asked before a question")
	}
	for range 3 {
		if ok, err := p.Has("a.x"); !ok || err != nil {
			t.Errorf("got %v, %v", ok, err)
		}
	}
	if first.asked != 1 || second.asked != 0 {
		t.Errorf("asked %d and %d times, want 1 and 0: the first said yes", first.asked, second.asked)
	}
	for range 3 {
		if _, err := p.Has("a.y"); !errors.Is(err, errDown) {
			t.Errorf("got %v", err)
		}
	}
	if first.asked != 1 || second.asked != 1 {
		t.Errorf("asked %d and %d times, want once each", first.asked, second.asked)
	}
	mine := p.On("mine")
	for range 3 {
		if ok, err := mine.Has("a.x"); !ok || err != nil {
			t.Errorf("got %v, %v", ok, err)
		}
	}
	if first.asked != 2 {
		t.Errorf("asked %d times, want once more for the object", first.asked)
	}
	if _, err := perm.For(t.Context(), root, second).Has("a.x"); err != nil || second.asked != 1 {
		t.Errorf("a superuser's question reached a source: %v", err)
	}
}

// TestNobodyKnown: nil has nothing, and what is not known is an error, never a no.
func TestNobodyKnown(t *testing.T) {
	t.Parallel()
	var none *perm.Perms
	if ok, err := none.On(1).Has("a.x"); ok || err != nil || none.Subject() != (perm.Subject{}) {
		t.Errorf("nil: got %v, %v", ok, err)
	}
	if ok, err := none.Module("a"); ok || err != nil {
		t.Errorf("nil: got %v, %v", ok, err)
	}
	if set, err := none.All(); set.Len() != 0 || err != nil {
		t.Errorf("nil: got %v, %v", set, err)
	}
	p := perm.Unknown(errDown)
	if ok, err := p.On(1).Has("a.x"); ok || !errors.Is(err, errDown) {
		t.Errorf("unknown: got %v, %v", ok, err)
	}
	if ok, err := p.Module("a"); ok || !errors.Is(err, errDown) {
		t.Errorf("unknown: got %v, %v", ok, err)
	}
	if _, err := p.All(); !errors.Is(err, errDown) {
		t.Errorf("unknown: got %v", err)
	}
}

// TestTemplate: a template asks in one word, and an outage stops it.
func TestTemplate(t *testing.T) {
	t.Parallel()
	page := template.Must(template.New("").Parse(
		`{{if .Perms.Has "a.x"}}x{{end}}{{if .Perms.Has "a.z"}}z{{end}}{{if .Perms.Module "a"}}a{{end}}{{if (.Perms.On .Post).Has "a.o"}}o{{end}}`))
	type view struct {
		Perms *perm.Perms
		Post  string
	}
	var b strings.Builder
	p := perm.For(t.Context(), ada, &objects{list{grants: grants("a.x", ""), object: grants("a.o", "")}})
	if err := page.Execute(&b, view{p, "mine"}); err != nil || b.String() != "xao" {
		t.Errorf("got %q, %v", b.String(), err)
	}
	if err := page.Execute(&b, view{perm.For(t.Context(), ada, &list{err: errDown}), ""}); !errors.Is(err, errDown) {
		t.Errorf("got %v, want the outage", err)
	}
	b.Reset()
	if err := page.Execute(&b, view{}); err != nil || b.String() != "" {
		t.Errorf("nil: got %q, %v", b.String(), err)
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	names := []string{"b.y", "a.x", "b.y"}
	s := perm.NewSet(names...)
	names[1] = "c.z"
	if got := slices.Collect(s.All()); !slices.Equal(got, []string{"a.x", "b.y"}) || s.Len() != 2 {
		t.Errorf("got %v", got)
	}
	s.Names()[0] = "changed"
	if !s.Has("a.x") || s.Has("c.z") || s.Has("") || (perm.Set{}).Has("a.x") || (perm.Set{}).HasModule("a") {
		t.Error("wrong members")
	}
	if got := s.Union(perm.NewSet("a.b", "a.x")).Names(); !slices.Equal(got, []string{"a.b", "a.x", "b.y"}) {
		t.Errorf("got %v", got)
	}
	if got := s.Union(perm.Set{}).Len() + (perm.Set{}).Union(s).Len(); got != 4 {
		t.Errorf("got %d", got)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, app, codename string
		ok                  bool
	}{
		{"blog.add_post", "blog", "add_post", true},
		{".", "", "", true}, // Django looks for it, and finds nobody
		{"", "", "", false},
		{"blog", "", "", false},
		{"a.b.c", "", "", false},
	} {
		app, codename, err := perm.Split(c.name)
		if app != c.app || codename != c.codename || (err == nil) != c.ok || !c.ok && !errors.Is(err, perm.ErrName) {
			t.Errorf("Split(%q) = %q, %q, %v", c.name, app, codename, err)
		}
	}
}
