package cardea_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/cardea-go/cardea"

// A sourcePackage is one folder of the published module.
type sourcePackage struct {
	dir   string // slash-separated, "." for the root
	files map[string]*ast.File
	fset  *token.FileSet
}

// packages parses every folder of this module, without tests and without the nested modules.
func packages(t *testing.T) []*sourcePackage {
	t.Helper()
	byDir := map[string]*sourcePackage{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := d.Name()
			if name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || exists(filepath.Join(name, "go.mod"))) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		dir := path.Dir(filepath.ToSlash(name))
		p := byDir[dir]
		if p == nil {
			p = &sourcePackage{dir: dir, files: map[string]*ast.File{}, fset: token.NewFileSet()}
			byDir[dir] = p
		}
		f, err := parser.ParseFile(p.fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		p.files[filepath.ToSlash(name)] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*sourcePackage
	for _, p := range byDir {
		all = append(all, p)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].dir < all[j].dir })
	if len(all) < 5 {
		t.Fatalf("found only %d packages", len(all))
	}
	return all
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// TestImports holds the code to the table in docs/ARCHITECTURE.md: a package imports what its row names and nothing else.
func TestImports(t *testing.T) {
	table := importTable(t)
	seen := map[string]bool{}
	for _, p := range packages(t) {
		allowed, ok := table[p.dir]
		if !ok {
			t.Errorf("package %s has no row in the import table of docs/ARCHITECTURE.md", p.dir)
			continue
		}
		seen[p.dir] = true
		used := map[string]bool{}
		for name, f := range p.files {
			for _, spec := range f.Imports {
				target, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if target == module {
					target = "."
				} else {
					target = strings.TrimPrefix(target, module+"/")
				}
				if first, _, _ := strings.Cut(target, "/"); !strings.Contains(first, ".") && !exists(target) && target != "." {
					continue // the standard library
				}
				rule := match(allowed, target)
				if rule == "" {
					t.Errorf("%s imports %s, which the row of %s does not allow", name, target, p.dir)
				}
				used[rule] = true
			}
		}
		for _, rule := range allowed {
			if !used[rule] {
				t.Errorf("the row of %s allows %s, which it does not import", p.dir, rule)
			}
		}
	}
	for dir := range table {
		if !seen[dir] {
			t.Errorf("the import table has a row for %s, which does not exist", dir)
		}
	}
}

func match(allowed []string, target string) string {
	for _, rule := range allowed {
		if target == rule || strings.Contains(rule, ".") && rule != "." && strings.HasPrefix(target, rule+"/") {
			return rule
		}
	}
	return ""
}

// importTable reads the fenced block "imports" of docs/ARCHITECTURE.md: "package: import import …", "." is the root package.
func importTable(t *testing.T) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile("docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(raw), "```imports\n")
	if !ok {
		t.Fatal("docs/ARCHITECTURE.md has no block ```imports")
	}
	block, _, _ := strings.Cut(rest, "```")
	table := map[string][]string{}
	layer := map[string]int{}
	n := 0
	for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
		if strings.HasPrefix(line, "#") {
			n++
			continue
		}
		name, imports, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("import table: no colon in %q", line)
		}
		table[name] = strings.Fields(imports)
		layer[name] = n
	}
	for name, imports := range table {
		for _, target := range imports {
			if to, ours := layer[target]; ours && to >= layer[name] {
				t.Errorf("the import table lets %s import %s, which is not in a lower layer", name, target)
			}
		}
	}
	return table
}
