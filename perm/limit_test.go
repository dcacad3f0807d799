package perm_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/perm"
)

// TestWithin: a limit takes away and never gives, whoever the subject is and whatever is asked.
func TestWithin(t *testing.T) {
	t.Parallel()
	sets := func() perm.Source { return &list{grants: grants("a.x b.x", "a.y")} }
	yes := func() perm.Source { return says(true, nil) }
	for _, c := range []struct {
		name    string
		subject perm.Subject
		source  perm.Source
		limit   string
		has     string // of a.x a.y a.z b.x c.x
		modules string // of a b c
		all     string
	}{
		{"part", ada, sets(), "a.x a.z", "a.x", "a", "a.x"},
		{"by group", ada, sets(), "a.y c.x", "a.y", "a", "a.y"},
		{"everything", ada, sets(), "a.x a.y b.x", "a.x a.y b.x", "a b", "a.x a.y b.x"},
		{"nothing", ada, sets(), "", "", "", ""},
		{"what the subject does not have", ada, sets(), "c.x", "", "", ""},
		{"a superuser", root, sets(), "a.x c.x", "a.x c.x", "a c", "a.x"},
		{"a superuser, nothing", root, sets(), "", "", "", ""},
		{"an inactive superuser", fallen, sets(), "a.x", "", "", ""},
		{"a decider", ada, yes(), "a.z", "a.z", "a", ""},
		{"a source that decides about apps", ada, &modules{yes: true, list: list{grants: grants("a.x", "")}}, "b.x", "", "", ""},
		{"nobody", nobody, sets(), "a.x", "", "", ""},
	} {
		p := perm.For(t.Context(), c.subject, c.source).Within(perm.NewSet(strings.Fields(c.limit)...))
		for _, name := range []string{"a.x", "a.y", "a.z", "b.x", "c.x"} {
			want := strings.Contains(" "+c.has+" ", " "+name+" ")
			if ok, err := p.Has(name); ok != want || err != nil {
				t.Errorf("%s: Has(%s) = %v, %v", c.name, name, ok, err)
			}
			if _, missing, err := p.Missing(name); missing == want || err != nil {
				t.Errorf("%s: Missing(%s) = %v, %v", c.name, name, missing, err)
			}
		}
		for _, app := range []string{"a", "b", "c"} {
			if ok, err := p.Module(app); ok != strings.Contains(c.modules, app) || err != nil {
				t.Errorf("%s: Module(%s) = %v, %v", c.name, app, ok, err)
			}
			if ok, err := p.On("mine").Module(app); ok != strings.Contains(c.modules, app) || err != nil {
				t.Errorf("%s: On.Module(%s) = %v, %v", c.name, app, ok, err)
			}
		}
		if all, err := p.All(); strings.Join(all.Names(), " ") != c.all || err != nil {
			t.Errorf("%s: All = %v, %v", c.name, all.Names(), err)
		}
	}
}

// TestWithinObjects: the limit holds for objects, in whichever order the two are asked for; of two limits both count.
func TestWithinObjects(t *testing.T) {
	t.Parallel()
	p := perm.For(t.Context(), ada, &objects{list{object: grants("a.o", "a.p")}})
	o, both := perm.NewSet("a.o"), perm.NewSet("a.o", "a.p")
	for i, q := range []*perm.Perms{
		p.Within(o).On("mine"), p.On("mine").Within(o), p.Within(o).Within(both).On("mine"), p.Within(both).Within(o).On("mine"),
		p.Within(both).On("theirs").Within(o).On("mine"),
	} {
		has, err := q.Has("a.o")
		not, err2 := q.Has("a.p")
		if !has || not || err != nil || err2 != nil {
			t.Errorf("%d: %v %v, %v %v", i, has, not, err, err2)
		}
	}
	if ok, _ := perm.For(t.Context(), root).Within(o).On("any").Has("a.p"); ok {
		t.Error("a superuser passes the limit at an object")
	}
	var none *perm.Perms
	if ok, err := none.Within(both).Has("a.o"); ok || err != nil {
		t.Errorf("nil: %v, %v", ok, err)
	}
	if _, err := perm.Unknown(errDown).Within(o).Has("a.p"); !errors.Is(err, errDown) {
		t.Errorf("unknown: %v", err)
	}
	if _, err := perm.For(t.Context(), ada, &list{err: errDown}).Within(o).Module("a"); !errors.Is(err, errDown) {
		t.Errorf("down: %v", err)
	}
}
