package cardea_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/printer"
	"go/token"
	"os"
	"sort"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/api.txt")

// TestAPI compares the exported names of every public package with docs/api.txt, so that each change of the API is a line
// in a review. Run "go test -run TestAPI -update ." after a change that is meant.
func TestAPI(t *testing.T) {
	var lines []string
	for _, p := range packages(t) {
		if strings.HasPrefix(p.dir, "internal/") || strings.HasPrefix(p.dir, "cmd/") || strings.HasPrefix(p.dir, "examples/") {
			continue
		}
		name := p.dir
		if name == "." {
			name = "cardea"
		}
		for _, f := range p.files {
			for _, sig := range exported(p.fset, f) {
				lines = append(lines, "pkg "+name+", "+sig)
			}
		}
	}
	sort.Strings(lines)
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile("docs/api.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("docs/api.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	old := map[string]bool{}
	for _, l := range strings.Split(string(want), "\n") {
		old[l] = true
	}
	now := map[string]bool{"": true}
	for _, l := range lines {
		now[l] = true
		if !old[l] {
			t.Errorf("+ %s", l)
		}
	}
	for l := range old {
		if !now[l] {
			t.Errorf("- %s", l)
		}
	}
	t.Error("the exported API is not what docs/api.txt says; if that is meant: go test -run TestAPI -update .")
}

func exported(fset *token.FileSet, f *ast.File) []string {
	var out []string
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if !d.Name.IsExported() {
				continue
			}
			recv := ""
			if d.Recv != nil {
				recv = source(fset, d.Recv.List[0].Type)
				if !ast.IsExported(receiver(d.Recv.List[0].Type)) {
					continue
				}
				recv = "(" + recv + ") "
			}
			out = append(out, "func "+recv+d.Name.Name+strings.TrimPrefix(source(fset, d.Type), "func"))
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						out = append(out, typeLines(fset, s)...)
					}
				case *ast.ValueSpec:
					for _, n := range s.Names {
						if n.IsExported() {
							out = append(out, d.Tok.String()+" "+n.Name)
						}
					}
				}
			}
		}
	}
	return out
}

func typeLines(fset *token.FileSet, s *ast.TypeSpec) []string {
	name := "type " + s.Name.Name
	if s.TypeParams != nil {
		var params []string
		for _, p := range s.TypeParams.List {
			for _, n := range p.Names {
				params = append(params, n.Name+" "+source(fset, p.Type))
			}
		}
		name += "[" + strings.Join(params, ", ") + "]"
	}
	switch typ := s.Type.(type) {
	case *ast.StructType:
		out := []string{name + " struct"}
		for _, field := range typ.Fields.List {
			if len(field.Names) == 0 {
				out = append(out, fmt.Sprintf("%s struct, embeds %s", name, source(fset, field.Type)))
			}
			for _, n := range field.Names {
				if n.IsExported() {
					out = append(out, fmt.Sprintf("%s struct, %s %s", name, n.Name, source(fset, field.Type)))
				}
			}
		}
		return out
	case *ast.InterfaceType:
		out := []string{name + " interface"}
		for _, m := range typ.Methods.List {
			for _, n := range m.Names {
				out = append(out, fmt.Sprintf("%s interface, %s%s", name, n.Name, strings.TrimPrefix(source(fset, m.Type), "func")))
			}
			if len(m.Names) == 0 {
				out = append(out, fmt.Sprintf("%s interface, embeds %s", name, source(fset, m.Type)))
			}
		}
		return out
	default:
		return []string{name + " " + source(fset, s.Type)}
	}
}

func source(fset *token.FileSet, n ast.Node) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, fset, n); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
