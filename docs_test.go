package cardea_test

import (
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs: every exported name has a comment that starts with the name, every package says what it is for, and every
// relative link in the documentation leads to something.
func TestDocs(t *testing.T) {
	for _, p := range packages(t) {
		documented := false
		for name, f := range p.files {
			documented = documented || f.Doc != nil
			if strings.HasPrefix(p.dir, "examples/") {
				continue
			}
			for _, missing := range undocumented(f) {
				t.Errorf("%s: %s has no comment that starts with its name", name, missing)
			}
		}
		if !documented {
			t.Errorf("package %s has no package comment", p.dir)
		}
	}
	for _, name := range markdown(t) {
		checkLinks(t, name)
	}
}

func undocumented(f *ast.File) []string {
	var out []string
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if !d.Name.IsExported() || d.Recv != nil && !ast.IsExported(receiver(d.Recv.List[0].Type)) {
				continue
			}
			if d.Name.Name == "Error" && d.Recv != nil { // what an error says is its type's business
				continue
			}
			if !startsWith(d.Doc, d.Name.Name) {
				out = append(out, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && !startsWith(s.Doc, s.Name.Name) && !startsWith(d.Doc, s.Name.Name) {
						out = append(out, s.Name.Name)
					}
				case *ast.ValueSpec:
					if !s.Names[0].IsExported() || d.Doc != nil || s.Doc != nil || s.Comment != nil {
						continue
					}
					out = append(out, s.Names[0].Name)
				}
			}
		}
	}
	return out
}

func receiver(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func startsWith(doc *ast.CommentGroup, name string) bool {
	if doc == nil {
		return false
	}
	text := doc.Text()
	for _, article := range []string{"", "A ", "An ", "The "} {
		if strings.HasPrefix(text, article+name) {
			return true
		}
	}
	return false
}

func markdown(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	slugs   = regexp.MustCompile(`[^a-z0-9 _-]`)
)

func checkLinks(t *testing.T, name string) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range link.FindAllStringSubmatch(string(raw), -1) {
		target, anchor, _ := strings.Cut(m[1], "#")
		if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
			continue
		}
		file := name
		if target != "" {
			file = filepath.Join(filepath.Dir(name), target)
		}
		if !exists(file) {
			t.Errorf("%s links to %s, which does not exist", name, m[1])
			continue
		}
		if anchor != "" && strings.HasSuffix(file, ".md") && !hasAnchor(t, file, anchor) {
			t.Errorf("%s links to %s, which has no such heading", name, m[1])
		}
	}
}

func hasAnchor(t *testing.T, file, anchor string) bool {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range heading.FindAllStringSubmatch(string(raw), -1) {
		slug := strings.ReplaceAll(slugs.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")
		if slug == anchor {
			return true
		}
	}
	return false
}
