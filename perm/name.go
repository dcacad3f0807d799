package perm

import (
	"errors"
	"fmt"
	"strings"
)

// ErrName says that a text is not the name of a permission. The words are Django's.
var ErrName = errors.New("permission name should be in the form app_label.permission_codename")

// Split takes a name apart: "blog.add_post" into "blog" and "add_post". A name without exactly one dot is an [ErrName], as in
// Django's with_perm.
func Split(name string) (app, codename string, err error) {
	app, codename, ok := strings.Cut(name, ".")
	if !ok || strings.Contains(codename, ".") {
		return "", "", fmt.Errorf("perm: %w: %q", ErrName, name)
	}
	return app, codename, nil
}

// A Permission is one that a model of an app has.
type Permission struct {
	Codename string // "add_post"; with the app in front and a dot between it is what [Perms.Has] takes
	Text     string // "Can add post", for people
}

// Defaults returns the four permissions that Django's migrate makes for each model: to add, change, delete and view. model is
// its name in lower case, verbose what people call it.
func Defaults(model, verbose string) []Permission {
	return ForActions(model, verbose, "add", "change", "delete", "view")
}

// ForActions is [Defaults] for a model whose Meta.default_permissions are these actions.
func ForActions(model, verbose string, actions ...string) []Permission {
	list := make([]Permission, 0, len(actions))
	for _, action := range actions {
		list = append(list, Permission{Codename: action + "_" + model, Text: "Can " + action + " " + verbose})
	}
	return list
}
