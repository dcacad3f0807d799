package inspect

import "strings"

// A Row is a setting that has to be equal on both sides, and what happens when it is not.
type Row struct {
	Name   string // of Cardea's setting; Django's is the same in upper case unless Django says another
	Django string
	Preset string // what it is where it is not set: Django's default, with the profile "django"
	Means  string
	Secret bool
}

// Setting is Django's name of it.
func (r Row) Setting() string {
	if r.Django != "" {
		return r.Django
	}
	return strings.ToUpper(r.Name)
}

const (
	strangers   = "each takes the other's sessions for forgeries: who logs in at one is not logged in at the other"
	twoCookies  = "each has a cookie of its own: who logs in at one is not logged in at the other, and who logs out at one stays logged in at the other"
	otherUsers  = "they look for people, or for what is known of them, in different places: a session or a link of one is somebody else's at the other, or nobody's"
	formRefused = "a form of one that is sent to the other is refused"
)

// Parity are the settings that break silently.
var Parity = []Row{
	{Name: "secret_key", Means: strangers, Secret: true},
	{Name: "secret_key_fallbacks", Means: "who logged in before the key was changed is logged out by the side that does not know the old one", Secret: true},
	{Name: "time_zone", Preset: "UTC", Means: "the clocks in reset links are apart: links of one are dead at the other, or live too long"},
	{Name: "password_reset_timeout", Preset: "259200", Means: "a reset link that works at one is dead at the other"},
	{Name: "auth_user_model", Preset: "auth.User", Means: otherUsers},
	{Name: "user_table", Django: "AUTH_USER_MODEL", Means: otherUsers},
	{Name: "username_field", Django: "AUTH_USER_MODEL", Preset: "username", Means: otherUsers},
	{Name: "email_field", Django: "AUTH_USER_MODEL", Preset: "email", Means: otherUsers},
	{Name: "user_columns", Django: "AUTH_USER_MODEL", Means: otherUsers},
	{Name: "user_groups_table", Django: "AUTH_USER_MODEL", Means: otherUsers},
	{Name: "user_permissions_table", Django: "AUTH_USER_MODEL", Means: otherUsers},
	{Name: "authentication_backends", Preset: "django.contrib.auth.backends.ModelBackend", Means: "a session that was made by a back end which the other does not name is anonymous there"},
	{Name: "auth_password_validators", Means: "people can choose passwords at one that the other refuses"},
	{Name: "session_engine", Preset: "db", Means: "they look for sessions in different places: who logs in at one is not logged in at the other"},
	{Name: "session_file_path", Means: "they look for sessions in different folders: who logs in at one is not logged in at the other"},
	{Name: "redis_url", Django: "CACHES LOCATION", Means: "they look for sessions in different places: what one changes the other does not see", Secret: true},
	{Name: "redis_key_prefix", Django: "CACHES KEY_PREFIX", Means: "they look for sessions in different places: what one changes the other does not see"},
	{Name: "redis_key_version", Django: "CACHES VERSION", Preset: "1", Means: "they look for sessions in different places: what one changes the other does not see"},
	{Name: "session_cookie_name", Preset: "sessionid", Means: twoCookies},
	{Name: "session_cookie_domain", Means: twoCookies},
	{Name: "session_cookie_path", Preset: "/", Means: twoCookies},
	{Name: "session_cookie_age", Preset: "1209600", Means: "how long somebody stays logged in depends on who answered last"},
	{Name: "session_cookie_samesite", Preset: "Lax", Means: "whether somebody who comes by a link from elsewhere is logged in depends on who answered last"},
	{Name: "session_cookie_secure", Preset: "false", Means: "the cookie of one goes over plain HTTP, and that of the other does not"},
	{Name: "session_cookie_httponly", Preset: "true", Means: "whether scripts can read the cookie depends on who answered last"},
	{Name: "session_expire_at_browser_close", Preset: "false", Means: "whether somebody stays logged in when the browser is closed depends on who answered last"},
	{Name: "csrf_use_sessions", Preset: "false", Means: formRefused},
	{Name: "csrf_cookie_name", Preset: "csrftoken", Means: formRefused},
	{Name: "csrf_cookie_domain", Means: formRefused},
	{Name: "csrf_cookie_path", Preset: "/", Means: formRefused},
	{Name: "csrf_cookie_samesite", Preset: "Lax", Means: formRefused},
	{Name: "csrf_header_name", Preset: "x-csrftoken", Means: "a script that sends the token in that header is refused by the other"},
	{Name: "csrf_trusted_origins", Means: "a form from another origin is accepted by one and refused by the other"},
	{Name: "message_storage", Preset: "fallback", Means: "messages of one are not shown by the other"},
}
