package pages

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"path"
	"regexp"
	"slices"
)

//go:embed templates/*.html
var builtin embed.FS

const baseTemplate = "base.html"

// loadTemplates parses every built-in page over base.html, each file taken from the overlay where it has one of that name.
// A page of the overlay that we do not have is parsed too, for [Pages.Render]. What a replaced page lacks is logged: it may have been
// copied from an older version.
func loadTemplates(overlay fs.FS, funcs template.FuncMap, logger *slog.Logger) (map[string]*template.Template, error) {
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
				own, _ := fs.ReadFile(ours, name)
				if lacks := lacking(string(own), string(text)); len(lacks) > 0 {
					logger.Info("pages: a template that replaces ours lacks what ours has", "template", name, "lacks", lacks)
				}
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

// parts matches what a page is made of that somebody has to answer for: fields, forms, shared parts and links to other pages.
var parts = regexp.MustCompile(`name="[a-z_0-9]+"|{{template "[a-z]+"|{{\.CSRF}}|{{\.URL "[a-z_/]+"}}`)

// lacking lists the parts of ours that theirs has nowhere.
func lacking(ours, theirs string) (lacks []string) {
	have := parts.FindAllString(theirs, -1)
	for _, part := range parts.FindAllString(ours, -1) {
		if !slices.Contains(have, part) && !slices.Contains(lacks, part) {
			lacks = append(lacks, part)
		}
	}
	return lacks
}
