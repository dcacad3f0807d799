package inspect

import (
	"encoding/json"
	"fmt"
	"strings"
)

type examiner struct {
	facts *Facts
	costs string // the version whose costs of hashing count
	*Report
}

// Examine says what a Cardea beside the project has to be set to, and what the two cannot share. It is an error when they cannot share
// the users at all.
func Examine(f *Facts) (*Report, error) {
	e := &examiner{facts: f, Report: &Report{}}
	from := f.Module
	if from == "" {
		from = "a Django project"
	}
	e.Head = "Cardea beside " + from + ", Django " + f.Django + ". Made by \"cardea inspect-django\".\n" +
		"It holds the secret key of the site: it is nobody's to read but its owner's."
	e.set("profile", "django")
	e.version()
	e.secrets()
	if err := e.database(); err != nil {
		return nil, err
	}
	e.times()
	e.hosts()
	e.addresses()
	e.user()
	e.backends()
	e.hashers()
	e.validators()
	e.sessions()
	e.messages()
	e.csrf()
	e.mail()
	e.project()
	return e.Report, nil
}

// copied are the settings that Cardea has under the same name and with the same default, by kind. They are only written where the
// project has something else.
var copied = map[string]map[string]any{
	"sessions": {
		"SESSION_COOKIE_NAME": "sessionid", "SESSION_COOKIE_AGE": int64(1209600), "SESSION_COOKIE_DOMAIN": "", "SESSION_COOKIE_PATH": "/",
		"SESSION_COOKIE_SECURE": false, "SESSION_COOKIE_HTTPONLY": true, "SESSION_SAVE_EVERY_REQUEST": false,
		"SESSION_EXPIRE_AT_BROWSER_CLOSE": false,
	},
	"csrf": {
		"CSRF_COOKIE_NAME": "csrftoken", "CSRF_HEADER_NAME": "HTTP_X_CSRFTOKEN", "CSRF_COOKIE_DOMAIN": "", "CSRF_COOKIE_PATH": "/",
		"CSRF_COOKIE_SECURE": false, "CSRF_COOKIE_HTTPONLY": false, "CSRF_USE_SESSIONS": false, "CSRF_TRUSTED_ORIGINS": []string(nil),
		"DATA_UPLOAD_MAX_MEMORY_SIZE": int64(2621440), "DATA_UPLOAD_MAX_NUMBER_FIELDS": int64(1000),
	},
	"mail": {"DEFAULT_FROM_EMAIL": "webmaster@localhost"},
}

// copy writes the settings of a kind that differ from the default.
func (e *examiner) copy(kind string) {
	for _, name := range inOrder(copied[kind]) {
		var value any
		switch copied[kind][name].(type) {
		case string:
			value = e.facts.text(name)
		case bool:
			value = e.facts.flag(name)
		case int64:
			n, ok := e.facts.number(name)
			if !ok {
				continue
			}
			value = n
		case []string:
			value = e.facts.list(name)
		}
		if fmt.Sprint(value) != fmt.Sprint(copied[kind][name]) {
			e.set(strings.ToLower(name), value)
		}
	}
}

func (e *examiner) secrets() {
	const cure = "change SECRET_KEY to a text of at least 32 characters, with the old one in SECRET_KEY_FALLBACKS"
	key, ok := e.facts.Settings["SECRET_KEY"].(string)
	switch {
	case !ok:
		e.mismatch("SECRET_KEY", "no text, but bytes that are no UTF-8", "Cardea cannot be given this key, so each takes the other's sessions and links for forgeries", cure)
	case len(key) < 32:
		e.mismatch("SECRET_KEY", fmt.Sprintf("%d bytes long", len(key)), "Cardea does not start with a key that can be guessed", cure)
	case strings.HasPrefix(key, "django-insecure-"):
		e.note("SECRET_KEY", "the one that startproject made", "it is good for trying out; on a site that others reach it may be in somebody's repository", cure)
	}
	e.set("secret_key", key)
	var fallbacks []string
	values, _ := e.facts.Settings["SECRET_KEY_FALLBACKS"].([]any)
	for _, v := range values {
		if s, ok := v.(string); ok {
			fallbacks = append(fallbacks, s)
			continue
		}
		e.mismatch("SECRET_KEY_FALLBACKS", "a list with bytes that are no UTF-8", "what was signed with that key counts at Django and not at Cardea", "take it off the list once nobody needs it")
	}
	if fallbacks != nil {
		e.set("secret_key_fallbacks", fallbacks)
	}
	if backend := e.facts.text("SIGNING_BACKEND"); backend != "django.core.signing.TimestampSigner" && backend != "" {
		e.mismatch("SIGNING_BACKEND", quoted(backend), "cookies that one signs are forgeries to the other: messages get lost on the way", "leave SIGNING_BACKEND at django.core.signing.TimestampSigner")
	}
	if legacy, ok := e.facts.Settings["SIGNED_COOKIE_LEGACY_SALT_FALLBACK"].(bool); ok && !legacy {
		e.note("SIGNED_COOKIE_LEGACY_SALT_FALLBACK", "False", "it is about cookies that a program signs itself; a Go program reads the same ones with Legacy false, the default of signing.CookieSigner", "")
	}
}

func (e *examiner) times() {
	zone := e.facts.text("TIME_ZONE")
	if zone == "" {
		zone = "UTC"
		e.mismatch("TIME_ZONE", "None", "Django counts the age of reset links by the clock of its machine: links of one may be dead at the other", "set TIME_ZONE to the time zone that is meant, in both")
	}
	e.set("time_zone", zone)
	if !e.facts.flag("USE_TZ") {
		e.mismatch("USE_TZ", "False", "Django keeps times of "+zone+" in the database and Cardea times of UTC: sessions end at other times, and reset links of one are dead at the other", "set USE_TZ = True, after moving the times in the database to UTC")
	}
	if n, ok := e.facts.number("PASSWORD_RESET_TIMEOUT"); ok && n != 259200 {
		e.set("password_reset_timeout", n)
	}
}

func (e *examiner) messages() {
	const module, preset = "django.contrib.messages.storage.", "fallback.FallbackStorage"
	switch storage := e.facts.text("MESSAGE_STORAGE"); storage {
	case module + preset, "":
	case module + "cookie.CookieStorage", module + "session.SessionStorage":
		e.set("message_storage", storage)
	default:
		e.mismatch("MESSAGE_STORAGE", quoted(storage), "Cardea does not know that storage: messages of one are not shown by the other", "use one of django.contrib.messages.storage")
	}
	if n, ok := e.facts.number("MESSAGE_LEVEL"); ok && n != 20 {
		e.set("message_level", n)
	}
	if tags, ok := e.facts.Settings["MESSAGE_TAGS"].(map[string]any); ok && len(tags) > 0 {
		table := map[string]string{}
		for level, tag := range tags {
			table[level] = fmt.Sprint(tag)
		}
		e.set("message_tags", table)
	}
	if !e.facts.layer("django.contrib.messages.middleware.MessageMiddleware") {
		e.note("MIDDLEWARE", "without MessageMiddleware", "what Cardea has to say after a redirect to a page of Django's is shown on the next page of Cardea's", "")
	}
}

func (e *examiner) csrf() {
	e.copy("csrf")
	switch age, known := e.facts.Settings["CSRF_COOKIE_AGE"]; {
	case known && age == nil:
		e.set("csrf_cookie_age", int64(0), "0: until the browser closes, Django's None")
	default:
		if n, ok := e.facts.number("CSRF_COOKIE_AGE"); ok && n != 31449600 {
			e.set("csrf_cookie_age", n)
		}
	}
	e.sameSite("CSRF_COOKIE_SAMESITE")
	if view := e.facts.text("CSRF_FAILURE_VIEW"); view != "django.views.csrf.csrf_failure" && view != "" {
		e.note("CSRF_FAILURE_VIEW", quoted(view), "a form that is refused by Cardea is shown again, by a page of Cardea's", "")
	}
	if !e.facts.layer("django.middleware.csrf.CsrfViewMiddleware") {
		e.note("MIDDLEWARE", "without CsrfViewMiddleware", "Django's forms are not protected; Cardea's are", "add django.middleware.csrf.CsrfViewMiddleware")
	}
}

// sameSite writes a SAMESITE: Django's False leaves the attribute out.
func (e *examiner) sameSite(name string) {
	switch v := e.facts.Settings[name].(type) {
	case bool:
		if !v {
			e.set(strings.ToLower(name), "omit")
		}
	case string:
		if v != "Lax" {
			e.set(strings.ToLower(name), strings.ToUpper(v[:min(1, len(v))])+strings.ToLower(v[min(1, len(v)):]))
		}
	}
}

func (e *examiner) mail() {
	e.copy("mail")
	backend := e.facts.text("EMAIL_BACKEND")
	const module = "django.core.mail.backends."
	port, _ := e.facts.number("EMAIL_PORT")
	untouched := e.facts.text("EMAIL_HOST") == "localhost" && port == 25 && e.facts.text("EMAIL_HOST_USER") == ""
	switch {
	case backend == module+"console.EmailBackend":
		e.set("email_backend", "console")
	case backend == module+"filebased.EmailBackend":
		e.set("email_backend", "file")
		e.set("email_file_path", e.facts.text("EMAIL_FILE_PATH"))
	case backend != module+"smtp.EmailBackend" && backend != "":
		e.note("EMAIL_BACKEND", quoted(backend), "Cardea cannot send mail that way, and sends none", "set email_host and the others of the mail server in Cardea's configuration")
	case untouched:
		e.note("EMAIL_HOST", "Django's default", "Cardea sends no mail before it is told a mail server", `set email_host, "localhost" if one runs here`)
	default:
		e.smtp(port)
	}
}

func (e *examiner) smtp(port int64) {
	e.set("email_host", e.facts.text("EMAIL_HOST"))
	e.set("email_port", port)
	for _, name := range []string{"EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"} {
		if v := e.facts.text(name); v != "" {
			e.set(strings.ToLower(name), v)
		}
	}
	switch host := e.facts.text("EMAIL_HOST"); {
	case e.facts.flag("EMAIL_USE_SSL"):
		e.set("email_use_ssl", true)
	case e.facts.flag("EMAIL_USE_TLS"):
		e.set("email_use_tls", true)
	case host != "localhost" && host != "127.0.0.1" && host != "::1":
		e.note("EMAIL_USE_TLS", "False", "Cardea encrypts on the way to the mail server all the same; one that cannot leaves its mail waiting", `look at it with "cardea sendtestmail"; email_use_tls = false sends in the clear what lets people into accounts`)
	}
	if n, ok := e.facts.number("EMAIL_TIMEOUT"); ok && n > 0 {
		e.set("email_timeout", n)
	}
	if cert := e.facts.text("EMAIL_SSL_CERTFILE"); cert != "" {
		e.note("EMAIL_SSL_CERTFILE", quoted(cert), "Cardea shows the mail server no certificate", "")
	}
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
