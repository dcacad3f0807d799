package inspect

import (
	"slices"
	"strings"
)

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
}

const authModule = "django.contrib.auth.backends."

// builtIn are the back ends that Cardea knows and that need no settings of their own.
var builtIn = []string{authModule + "ModelBackend", authModule + "AllowAllUsersModelBackend"}

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
			e.note("AUTHENTICATION_BACKENDS", quoted(b.Path), "who logs in by it at Django is known at Cardea; nobody logs in by it at Cardea", "")
		}
	}
	if !slices.Equal(names, builtIn[:1]) {
		e.set("authentication_backends", names)
	}
	if len(mapped) > 0 {
		e.set("backend_map", mapped)
	}
}
