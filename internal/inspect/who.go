package inspect

import (
	"fmt"
	"slices"
	"strings"
)

// fields are those that Cardea knows by Django's names, and fills in.
var fields = []string{"id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined"}

// user adds the model of users.
func (e *examiner) user() {
	u := &e.facts.User
	for _, method := range u.Changed {
		switch method {
		case "get_session_auth_hash", "get_session_auth_fallback_hash":
			e.mismatch("AUTH_USER_MODEL", quoted(u.Model)+" with a "+method+" of its own", "a session that one makes is at once ended by the other", "leave "+method+" as Django has it")
		case "check_password", "set_password":
			e.mismatch("AUTH_USER_MODEL", quoted(u.Model)+" with a "+method+" of its own", "Cardea does not do what it does", "look at whether Cardea may do without; a program in Go can bring a back end of its own")
		}
	}
	if u.Model == "auth.User" {
		return
	}
	e.set("auth_user_model", u.Model)
	app, model, _ := strings.Cut(strings.ToLower(u.Model), ".")
	if u.Table != app+"_"+model {
		e.set("user_table", u.Table)
	}
	if len(u.Parents) > 0 {
		e.mismatch("AUTH_USER_MODEL", quoted(u.Model)+" with a part of it in "+strings.Join(u.Parents, ", "), "Cardea reads one table of users and not several: it does not start", "move the fields into one model")
	}
	if !slices.Contains([]string{"AutoField", "BigAutoField", "SmallAutoField", "UUIDField", "IntegerField", "BigIntegerField"}, u.PK.Type) {
		e.mismatch("AUTH_USER_MODEL", quoted(u.Model)+" with a "+u.PK.Type+" for its key", "Cardea takes whole numbers and UUIDs for keys: it does not start", "use such a key")
	}
	e.columns(u)
	e.joins(u, model)
}

// columns adds which column holds what.
func (e *examiner) columns(u *User) {
	if u.UsernameField.Column != "username" {
		e.set("username_field", u.UsernameField.Column)
	}
	if u.EmailField != nil && u.EmailField.Column != "email" {
		e.set("email_field", u.EmailField.Column)
	}
	others, defaults := map[string]string{}, map[string]string{}
	for _, c := range u.Columns {
		switch {
		case c.Name == u.UsernameField.Name || u.EmailField != nil && c.Name == u.EmailField.Name || c.Name == u.PK.Name:
		case slices.Contains(fields, c.Name):
			if c.Column != c.Name {
				others[c.Name] = c.Column
			}
		case !c.Filled && c.Default != nil:
			defaults[c.Column] = columnText(c.Default)
		case !c.Filled:
			e.note("AUTH_USER_MODEL", quoted(u.Model)+" with the field "+quoted(c.Name), "a new user needs a value there, so Cardea makes no users; everything else works", "give it a value for all in [user_defaults], or make users at Django")
		}
	}
	if len(others) > 0 {
		e.set("user_columns", others)
	}
	if len(defaults) > 0 {
		e.set("user_defaults", defaults, "What Django puts into columns of which Cardea knows nothing.")
	}
}

// columnText is a default as the configuration writes it.
func columnText(v any) string {
	switch v {
	case true:
		return "1"
	case false:
		return "0"
	}
	return fmt.Sprint(v)
}

// joins adds where groups and permissions of users are.
func (e *examiner) joins(u *User, model string) {
	for _, j := range []struct {
		join                *Join
		setting, suffix, to string
	}{
		{u.Groups, "user_groups_table", "_groups", "auth.Group"},
		{u.Permissions, "user_permissions_table", "_user_permissions", "auth.Permission"},
	} {
		switch {
		case j.join == nil:
		case j.join.To != j.to:
			e.mismatch("AUTH_USER_MODEL", quoted(u.Model)+" with groups or permissions of the model "+quoted(j.join.To), "Cardea does not know who may do what by them", "use "+j.to)
			e.set(j.setting, "-")
		case j.join.UserColumn != model+"_id":
			e.mismatch("AUTH_USER_MODEL", quoted(u.Model)+" with the column "+quoted(j.join.UserColumn)+" in "+j.join.Table, "Cardea looks for "+model+"_id there, and does not know who may do what", "call the column "+model+"_id")
			e.set(j.setting, "-")
		case j.join.Table != u.Table+j.suffix:
			e.set(j.setting, j.join.Table)
		}
	}
}

const authModule = "django.contrib.auth.backends."

// builtIn are the back ends that Cardea knows and that need no settings of their own.
var builtIn = []string{authModule + "ModelBackend", authModule + "AllowAllUsersModelBackend"}

// kinds are classes that Cardea has a kind of back end for, which needs settings that no project of Django's has in one form.
var kinds = []struct{ class, kind, settings string }{
	{authModule + "RemoteUserBackend", "remote_user", "remote_user_proxies"},
	{"django_auth_ldap.backend.LDAPBackend", "ldap", "[ldap]"},
	{"mozilla_django_oidc.auth.OIDCAuthenticationBackend", "oidc", "[[oidc]]"},
}

// byHand says how people could log in by it at Cardea, too.
func (c *Class) byHand() string {
	for _, k := range kinds {
		if c.is(k.class) {
			return "if people are to log in by it at Cardea, too: set " + k.settings + ", and let it be " + tomlText(k.kind) + " in [backend_map]"
		}
	}
	return ""
}

func (e *examiner) backends() {
	var names []string
	mapped := map[string]string{}
	for i := range e.facts.Backends {
		b := &e.facts.Backends[i]
		names = append(names, b.Path)
		switch {
		case slices.Contains(builtIn, b.Path):
		case b.Error != "":
			e.note("AUTHENTICATION_BACKENDS", quoted(b.Path), "Django itself cannot load it ("+b.Error+")", "")
			mapped[b.Path] = "session"
		case b.is(authModule+"ModelBackend") && !b.is(authModule+"RemoteUserBackend"):
			mapped[b.Path] = "database"
			if b.is(authModule + "AllowAllUsersModelBackend") {
				mapped[b.Path] = authModule + "AllowAllUsersModelBackend"
			}
			if len(b.Overridden) > 0 {
				e.note("AUTHENTICATION_BACKENDS", quoted(b.Path), "at Cardea it is the users of the database, and nothing of what it does by itself in "+strings.Join(b.Overridden, ", "), "if it must not be: "+tomlText(b.Path)+` = "session" in [backend_map] keeps its sessions and lets nobody in by it at Cardea`)
			}
		default:
			mapped[b.Path] = "session"
			e.note("AUTHENTICATION_BACKENDS", quoted(b.Path), "who logs in by it at Django is known at Cardea; nobody logs in by it at Cardea", b.byHand())
		}
	}
	if !slices.Equal(names, builtIn[:1]) {
		e.set("authentication_backends", names)
	}
	if len(mapped) > 0 {
		e.set("backend_map", mapped)
	}
}
