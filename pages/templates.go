package pages

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
)

//go:embed templates/*.html
var builtin embed.FS

const baseTemplate = "base.html"

// loadTemplates parses every built-in page over base.html, each file taken from the overlay where it has one of that name.
// A page of the overlay that we do not have is parsed too, for [Pages.Render].
func loadTemplates(overlay fs.FS, funcs template.FuncMap) (map[string]*template.Template, error) {
	ours, err := fs.Sub(builtin, "templates")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(ours, "*.html")
	if err != nil {
		return nil, err
	}
	if overlay != nil {
		theirs, err := fs.Glob(overlay, "*.html")
		if err != nil {
			return nil, err
		}
		names = append(names, theirs...)
	}
	read := func(name string) (string, error) {
		if overlay != nil {
			text, err := fs.ReadFile(overlay, name)
			if err == nil {
				return string(text), nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
		}
		text, err := fs.ReadFile(ours, name)
		return string(text), err
	}
	base, err := read(baseTemplate)
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	all := map[string]*template.Template{}
	for _, name := range names {
		if name == baseTemplate || all[name] != nil {
			continue
		}
		text, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("pages: %w", err)
		}
		t, err := template.New(path.Base(name)).Funcs(funcs).Parse(base)
		if err == nil {
			t, err = t.Parse(text)
		}
		if err != nil {
			return nil, fmt.Errorf("pages: template %s: %w", name, err)
		}
		all[name] = t
	}
	return all, nil
}
