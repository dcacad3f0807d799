package ldapauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/cardea-go/cardea/auth"
)

// A GroupKind is the way in which a directory says who is in a group.
type GroupKind string

// The kinds of groups. The names are those of the object classes, or of what says it.
const (
	// NoGroups asks for none.
	NoGroups GroupKind = ""
	// PosixGroup has the user names of its members in memberUid, and is the group of those who have its gidNumber.
	PosixGroup GroupKind = "posixGroup"
	// GroupOfNames has the names of its members' entries in member.
	GroupOfNames GroupKind = "groupOfNames"
	// GroupOfUniqueNames has them in uniqueMember.
	GroupOfUniqueNames GroupKind = "groupOfUniqueNames"
	// OrganizationalRole has them in roleOccupant.
	OrganizationalRole GroupKind = "organizationalRole"
	// MemberOf takes the groups that stand in the person's own entry, without a search.
	MemberOf GroupKind = "memberOf"
	// ActiveDirectory lets the server itself walk from group to group. It was not run on an Active Directory.
	ActiveDirectory GroupKind = "activeDirectory"
)

// Groups says how the groups of somebody are found and which of them decide who may come in. Groups are asked for after the password was
// right.
type Groups struct {
	// Kind is how the directory says it. Defaults to NoGroups.
	Kind GroupKind
	// Base is the name of the entry under which the groups are. Whoever may make groups there decides what people are here. For MemberOf
	// it is optional, and groups elsewhere do not count.
	Base string
	// Filter is which entries are groups. Defaults to those of the object class, "group" for ActiveDirectory.
	Filter string
	// NameAttribute is what a group is called. Defaults to cn.
	NameAttribute string
	// Depth is how many steps are taken from a group to the groups that it is in; a circle ends where it began. Not for PosixGroup and
	// MemberOf, nor for ActiveDirectory, which takes all steps by itself. At most 10. Defaults to none.
	Depth int
	// Names are the names that groups have at this site, by the name of the entry or by what the directory calls them. No other
	// group can have such a name. Defaults to the directory's names.
	Names map[string]string
	// OnlyNamed leaves out the groups that are not in Names.
	OnlyNamed bool
	// Require lets in only those who are in one of these groups, Deny keeps those out who are in one of them, whatever else they are in.
	// A group is meant by its name, but for case, or, with a "=" in it, by the name of its entry. Default to none.
	Require, Deny []string
}

// maxGroups is how many groups are believed of one person.
const maxGroups = 2000

// memberAttribute is where a group says who is in it, and objectClass what makes an entry such a group.
func (g *Groups) memberAttribute() string {
	switch g.Kind {
	case GroupOfUniqueNames:
		return "uniqueMember"
	case OrganizationalRole:
		return "roleOccupant"
	case ActiveDirectory:
		return "member:1.2.840.113556.1.4.1941:" // LDAP_MATCHING_RULE_IN_CHAIN
	}
	return "member"
}

func (g *Groups) complete() error {
	if g.NameAttribute == "" {
		g.NameAttribute = "cn"
	}
	if g.Filter == "" {
		class := string(g.Kind)
		if g.Kind == ActiveDirectory {
			class = "group"
		}
		g.Filter = "(objectClass=" + class + ")"
	}
	nested := g.Kind == GroupOfNames || g.Kind == GroupOfUniqueNames || g.Kind == OrganizationalRole
	switch {
	case g.Kind == NoGroups && (g.Base != "" || g.Require != nil || g.Deny != nil || g.Names != nil || g.Depth != 0):
		return errors.New("Groups.Kind is missing: without it nobody is in any group")
	case !slices.Contains([]GroupKind{NoGroups, PosixGroup, MemberOf, ActiveDirectory}, g.Kind) && !nested:
		return fmt.Errorf("Groups.Kind %q is unknown: choose posixGroup, groupOfNames, groupOfUniqueNames, organizationalRole, memberOf or activeDirectory", g.Kind)
	case g.Kind != NoGroups && g.Kind != MemberOf && g.Base == "":
		return errors.New("say where the groups are: Groups.Base, such as ou=groups,dc=example,dc=com")
	case g.Depth < 0 || g.Depth > 10:
		return errors.New("Groups.Depth is a number from 0 to 10")
	case g.Depth > 0 && !nested:
		return fmt.Errorf("Groups.Depth means nothing for %s", g.Kind)
	case g.OnlyNamed && g.Names == nil:
		return errors.New("Groups.OnlyNamed without Groups.Names leaves no group")
	case !attributeName(g.NameAttribute):
		return fmt.Errorf("%q is no name of an attribute", g.NameAttribute)
	}
	if _, err := ldap.CompileFilter(g.Filter); err != nil {
		return fmt.Errorf("Groups.Filter %q is no filter, such as (objectClass=groupOfNames): %w", g.Filter, err)
	}
	if _, err := ldap.ParseDN(g.Base); err != nil {
		return fmt.Errorf("Groups.Base %q is no name of an entry: %w", g.Base, err)
	}
	return nil
}

// wanted are the attributes of people that say something about groups.
func (g *Groups) wanted() []string {
	switch g.Kind {
	case PosixGroup:
		return []string{"uid", "gidNumber"}
	case MemberOf:
		return []string{"memberOf"}
	}
	return nil
}

// A group is one that somebody is in.
type group struct{ dn, called, name string } // name is the site's; "" when it is left out

type groups []group

// names are those at this site.
func (g groups) names() []string {
	names := []string{}
	for _, one := range g {
		if one.name != "" && !slices.Contains(names, one.name) {
			names = append(names, one.name)
		}
	}
	return names
}

// has reports whether one of the groups is meant.
func (g groups) has(meant string) bool {
	return slices.ContainsFunc(g, func(one group) bool {
		if strings.Contains(meant, "=") {
			return one.dn == normalDN(meant)
		}
		return auth.SameIdentifier(one.called, meant) || auth.SameIdentifier(one.name, meant)
	})
}

// admit says why somebody may not come in, or nil.
func (g *Groups) admit(in groups) error {
	for _, meant := range g.Deny {
		if in.has(meant) {
			return fmt.Errorf("the group %q is denied", meant)
		}
	}
	if g.Require != nil && !slices.ContainsFunc(g.Require, in.has) {
		return fmt.Errorf("one of the groups %q is required", g.Require)
	}
	return nil
}

// add gives a group its name at this site and adds it, unless it is there already.
func (g *Groups) add(in groups, dn, called string) groups {
	one := group{dn: normalDN(dn), called: called, name: called}
	if slices.ContainsFunc(in, func(other group) bool { return other.dn == one.dn }) {
		return in
	}
	mapped := false
	for from, to := range g.Names {
		if strings.Contains(from, "=") && normalDN(from) == one.dn || auth.SameIdentifier(from, called) {
			mapped, one.name = true, to
			if strings.Contains(from, "=") { // the entry's own name says more
				break
			}
		}
	}
	if !mapped {
		taken := false
		for _, to := range g.Names {
			taken = taken || auth.SameIdentifier(to, called)
		}
		if g.OnlyNamed || taken {
			one.name = ""
		}
	}
	return append(in, one)
}

// groups finds the groups of a person.
func (l *attempt) groups(ctx context.Context, p *person) (groups, error) {
	g := &l.cfg.Groups
	switch g.Kind {
	case NoGroups:
		return nil, nil
	case MemberOf:
		return l.memberOf(p), nil
	}
	c, err := l.afterwards(ctx)
	if err != nil {
		return nil, err
	}
	if g.Kind == PosixGroup {
		var any strings.Builder
		for _, uid := range p.entry.GetEqualFoldAttributeValues("uid") {
			fmt.Fprintf(&any, "(memberUid=%s)", ldap.EscapeFilter(uid))
		}
		for _, gid := range p.entry.GetEqualFoldAttributeValues("gidNumber") {
			fmt.Fprintf(&any, "(gidNumber=%s)", ldap.EscapeFilter(gid))
		}
		if any.Len() == 0 {
			return nil, fmt.Errorf("the entry %q has neither uid nor gidNumber, which say who is in a posixGroup", p.dn)
		}
		found, _, err := l.searchGroups(ctx, c, nil, any.String())
		return found, err
	}
	var in groups
	next := []string{p.dn}
	for step := 0; len(next) > 0 && step <= g.Depth; step++ {
		var further []string
		for part := range slices.Chunk(next, 50) {
			var any strings.Builder
			for _, dn := range part {
				fmt.Fprintf(&any, "(%s=%s)", g.memberAttribute(), ldap.EscapeFilter(dn))
			}
			var fresh []string
			if in, fresh, err = l.searchGroups(ctx, c, in, any.String()); err != nil {
				return nil, err
			}
			further = append(further, fresh...)
		}
		next = further
	}
	return in, nil
}

// searchGroups adds the groups that meet one of some conditions, and returns the names of those that are new.
func (l *attempt) searchGroups(ctx context.Context, c *conn, in groups, any string) (groups, []string, error) {
	g := &l.cfg.Groups
	filter := "(&" + g.Filter + "(|" + any + "))"
	l.say("searching %q for %s", g.Base, filter)
	found, err := c.search(ctx, g.Base, ldap.ScopeWholeSubtree, 0, filter, []string{g.NameAttribute})
	switch {
	case err != nil && !answered(err):
		return nil, nil, err
	case err != nil:
		return nil, nil, fmt.Errorf("search for groups under %q: %s", g.Base, reason(err))
	case len(found.Referrals) > 0:
		return nil, nil, fmt.Errorf("search for groups under %q: the server knows more elsewhere (%.200q), which is not followed: "+
			"name a Groups.Base that is all its own", g.Base, found.Referrals)
	case len(in)+len(found.Entries) > maxGroups:
		return nil, nil, fmt.Errorf("the person is in more than %d groups", maxGroups)
	}
	var fresh []string
	for _, entry := range found.Entries {
		called := entry.GetEqualFoldAttributeValue(g.NameAttribute)
		if called == "" {
			called = firstValue(entry.DN)
		}
		n := len(in)
		if in = g.add(in, entry.DN, called); len(in) > n {
			fresh = append(fresh, entry.DN)
			l.say("in the group %q (%s)", called, entry.DN)
		}
	}
	return in, fresh, nil
}

// memberOf reads the groups that stand in the person's entry.
func (l *attempt) memberOf(p *person) groups {
	var in groups
	base, _ := ldap.ParseDN(l.cfg.Groups.Base)
	for _, text := range p.entry.GetEqualFoldAttributeValues("memberOf") {
		dn, err := ldap.ParseDN(text)
		if err != nil || l.cfg.Groups.Base != "" && !base.AncestorOfFold(dn) {
			l.say("the group %q does not count here", text)
			continue
		}
		called := firstValue(text)
		in = l.cfg.Groups.add(in, text, called)
		l.say("in the group %q (%s)", called, text)
	}
	return in
}

// firstValue is the value with which the name of an entry begins.
func firstValue(text string) string {
	dn, err := ldap.ParseDN(text)
	if err != nil || len(dn.RDNs) == 0 || len(dn.RDNs[0].Attributes) == 0 {
		return text
	}
	return dn.RDNs[0].Attributes[0].Value
}
