package beside_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
)

// A combination is one stage: a version of Django and a kind of database.
type combination struct{ version, kind string }

// quick are the combinations that run always; the others run with CARDEA_SLOW=1.
var quick = []combination{{"5.2", "sqlite"}, {"5.2", "postgres"}, {"5.2", "mysql"}, {"4.2", "sqlite"}}

func combinations() []combination {
	if os.Getenv("CARDEA_SLOW") == "1" {
		return append(quick, combination{"4.2", "postgres"}, combination{"4.2", "mysql"})
	}
	return quick
}

// directions are who A and B are.
var directions = []struct {
	name string
	a, b side
}{
	{"Django to Cardea", djangoSide, cardeaSide},
	{"Cardea to Django", cardeaSide, djangoSide},
}

// TestStories tells every story in both directions on each stage, and prints what came of it.
func TestStories(t *testing.T) {
	t.Parallel()
	results := &results{cells: map[string]string{}}
	t.Cleanup(func() { t.Log(results) })
	for _, on := range combinations() {
		t.Run("Django "+on.version+" "+on.kind, func(t *testing.T) {
			t.Parallel()
			s := open(t, on.version, on.kind)
			versions := s.django.Do(t, "version") + "; " + harness.Version(t, s.DB)
			results.stage(on, versions)
			if on.kind == "sqlite" {
				t.Cleanup(func() { s.ownJournal(t) })
			}
			for i, story := range stories {
				for j, direction := range directions {
					t.Run(story.name+"/"+direction.name, func(t *testing.T) {
						t.Log(versions)
						result := "FAIL"
						defer func() { results.cell(on, story.name, j, result, t) }()
						c := newCell(t, s, fmt.Sprintf("ada%d%c", i, 'a'+j), direction.a, direction.b)
						c.verdict = &result
						story.tell(c)
						if !t.Failed() {
							result = "ok"
						}
					})
				}
			}
		})
	}
}

// ownJournal checks that the file of the database has the journal that Django gave it.
func (s *stage) ownJournal(t *testing.T) {
	t.Helper()
	var mode string
	if err := s.Pool.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil || mode != "delete" {
		t.Errorf("the journal of Django's file is %q now (%v), want delete", mode, err)
	}
}

// results are what is printed at the end.
type results struct {
	mu     sync.Mutex
	stages []string
	cells  map[string]string
}

func (r *results) stage(on combination, versions string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stages = append(r.stages, fmt.Sprintf("%s %s: %s", on.version, on.kind, versions))
}

func cellName(on combination, story string, direction int) string {
	return fmt.Sprintf("%s %s %s %d", on.version, on.kind, story, direction)
}

func (r *results) cell(on combination, story string, direction int, result string, t *testing.T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.Skipped() {
		result = "-"
	}
	r.cells[cellName(on, story, direction)] = result
}

// String is the table: a line for each story, a column for each stage, with the direction from Django to Cardea first.
func (r *results) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	b.WriteString("\n")
	for _, stage := range r.stages {
		fmt.Fprintln(&b, stage)
	}
	fmt.Fprintf(&b, "\n%-32s", "(Django to Cardea / back)")
	for _, on := range combinations() {
		fmt.Fprintf(&b, " | %-16s", on.version+" "+on.kind)
	}
	for _, story := range stories {
		fmt.Fprintf(&b, "\n%-32s", story.name)
		for _, on := range combinations() {
			fmt.Fprintf(&b, " | %-16s", r.cells[cellName(on, story.name, 0)]+" / "+r.cells[cellName(on, story.name, 1)])
		}
	}
	return b.String()
}
