package forwardauth

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/cardea-go/cardea/origin"
)

// The rules of rules:
//
//  1. Only the rules of the host that was asked for count, and of those the first whose path it is. Where none is, nobody passes.
//  2. A path that the program behind might read otherwise than we do is no path of a rule: see plain. On a host that has one rule, for all
//     its paths, it does not matter; elsewhere nobody passes.

// A Rule says who may reach part of a program behind the proxy: everybody who is logged in, if it says nothing else.
type Rule struct {
	// Host is the program's, as it stands in the address bar: with the port, if that is not the usual one.
	Host string
	// Path is the part, with all below it: "/admin" is /admin, /admin/ and /admin/users, and not /administration. Defaults to "/".
	Path string
	// Public lets everybody pass. Nobody is asked who they are, and nobody is named.
	Public bool
	// Groups are those of which the user has to belong to one. Defaults to none.
	Groups []string
	// Permissions are those of which the user has to have all, such as "wiki.view_page". Defaults to none.
	Permissions []string
}

// check brings a rule into the form in which it is compared.
func (r *Rule) check() error {
	domain, port := origin.SplitDomainPort(r.Host)
	switch {
	case domain == "":
		return fmt.Errorf("the host %q is not a name such as wiki.example.com", r.Host)
	case r.Path != "" && r.Path[0] != '/' || strings.ContainsAny(r.Path, "?%*{}") || r.Path != "" && !plain(r.Path):
		return fmt.Errorf("the path %q is not one such as /admin, without dots, doubled slashes, escapes and patterns", r.Path)
	case r.Public && len(r.Groups)+len(r.Permissions) > 0:
		return errors.New("what is public asks for no groups and no permissions")
	}
	if r.Host = domain; port != "" {
		r.Host += ":" + port
	}
	r.Path = strings.TrimSuffix(r.Path, "/") + "/"
	for _, group := range r.Groups {
		if strings.TrimSpace(group) == "" {
			return errors.New("a group has no name")
		}
	}
	for _, name := range r.Permissions {
		if app, codename, ok := strings.Cut(name, "."); !ok || app == "" || codename == "" {
			return fmt.Errorf("the permission %q is not app_label.codename, such as wiki.view_page", name)
		}
	}
	return nil
}

// checkRules brings rules into order by host. One that could never be the first is an error.
func checkRules(rules []Rule) (map[string][]Rule, error) {
	byHost := map[string][]Rule{}
	for i, r := range rules {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
		for _, earlier := range byHost[r.Host] {
			if strings.HasPrefix(fold(r.Path), fold(earlier.Path)) {
				return nil, fmt.Errorf("rule %d, for %s%s, is never reached: a rule for %s stands before it; put the narrower one first", i+1, r.Host, r.Path, earlier.Path)
			}
		}
		byHost[r.Host] = append(byHost[r.Host], r)
	}
	return byHost, nil
}

// find returns the rule for a path and query as the visitor sent them, or why there is none.
func find(rules []Rule, uri string) (rule Rule, reason string) {
	if len(rules) == 0 {
		return rule, "no rule names this host"
	}
	if len(rules) == 1 && rules[0].Path == "/" {
		return rules[0], ""
	}
	raw, _, _ := strings.Cut(uri, "?")
	path, err := url.PathUnescape(raw)
	normal := norm.NFKC.String(path) // some programs take several forms of a character for one
	if err != nil || !plain(normal) || strings.Contains(normal, "%") || strings.Count(normal, "/") != strings.Count(raw, "/") {
		return rule, "the path can be read in several ways, and the rules of this host tell paths apart"
	}
	exact, folded := -1, -1
	for i, r := range rules {
		if exact < 0 && strings.HasPrefix(path+"/", r.Path) {
			exact = i
		}
		if folded < 0 && strings.HasPrefix(fold(path)+"/", fold(r.Path)) {
			folded = i
		}
	}
	switch {
	case exact != folded: // some programs take capital and small letters for one
		return rule, "the path differs from that of a rule by the form of its letters only"
	case exact < 0:
		return rule, "no rule names this path"
	}
	return rules[exact], ""
}

// plain reports whether every program reads a decoded path in the same way: without empty segments, segments with a dot or a blank at
// their end, parameters behind semicolons, backslashes, and what is no text.
func plain(path string) bool {
	if !utf8.ValidString(path) || strings.ContainsAny(path, `\;#`) || strings.ContainsFunc(path, unicode.IsControl) || strings.Contains(path, "//") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if strings.HasSuffix(segment, ".") || strings.TrimSpace(segment) != segment {
			return false
		}
	}
	return true
}

// fold makes texts equal that differ only by case, or by forms of letters that some programs take for one.
func fold(s string) string { return strings.ToLower(strings.ToUpper(norm.NFKC.String(s))) }
