package inspect

import (
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/password"
)

func inOrder(m map[string]any) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// versions are those whose costs Cardea knows, newest first.
var versions = []string{"5.2", "5.1", "5.0", "4.2"}

// version chooses the Django whose costs count: this one, or the newest before it that is known.
func (e *examiner) version() {
	mine := number(e.facts.Django)
	chosen := versions[len(versions)-1]
	for _, v := range versions {
		if mine >= number(v) {
			chosen = v
			break
		}
	}
	e.costs = chosen
	e.set("django_version", chosen)
	if number(chosen) != mine {
		e.mismatch("Django", e.facts.Django, "Cardea is held against Django 4.2 and 5.2, and knows nothing of this one: sessions, links or hashes may have changed", "try it beside a copy of the site first; the costs of hashing are taken from the project itself")
	}
}

// number makes versions comparable: 5.2.18 is 502.
func number(version string) int {
	parts := strings.SplitN(version, ".", 3)
	n := 0
	for i := range 2 {
		part := 0
		if i < len(parts) {
			digits := strings.TrimRightFunc(parts[i], func(r rune) bool { return r < '0' || r > '9' })
			part, _ = strconv.Atoi(digits)
		}
		n = n*100 + part
	}
	return n
}

func (e *examiner) hosts() {
	var hosts []string
	for _, host := range e.facts.list("ALLOWED_HOSTS") {
		if _, err := origin.New(origin.Config{AllowedHosts: []string{host}}); err != nil {
			e.note("ALLOWED_HOSTS", "a list with "+quoted(host), "no request is ever for a host of that name, in Django neither; Cardea does without it", "write example.com, or .example.com with all its subdomains")
			continue
		}
		hosts = append(hosts, host)
	}
	if hosts != nil {
		e.set("allowed_hosts", hosts)
	}
	header := e.facts.list("SECURE_PROXY_SSL_HEADER")
	host, port := e.facts.flag("USE_X_FORWARDED_HOST"), e.facts.flag("USE_X_FORWARDED_PORT")
	if len(header) == 2 || host || port {
		e.set("trusted_proxies", []string{"127.0.0.1", "::1"}, "Django believes everybody who sends these headers. Name here the addresses from which your proxy comes.")
	}
	if len(header) == 2 {
		name := textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(strings.TrimPrefix(header[0], "HTTP_"), "_", "-"))
		if name != "X-Forwarded-Proto" || header[1] != "https" {
			e.set("secure_proxy_ssl_header", []string{name, header[1]})
		}
	}
	if host {
		e.set("use_x_forwarded_host", true)
	}
	if port {
		e.set("use_x_forwarded_port", true)
	}
}

// addresses adds where logging in and out leads, and where the pages are.
func (e *examiner) addresses() {
	prefix := strings.TrimSuffix(e.facts.text("FORCE_SCRIPT_NAME"), "/")
	if prefix != "" {
		e.set("force_script_name", prefix)
	}
	below := func(u string) string {
		if rest, ok := strings.CutPrefix(u, prefix+"/"); ok {
			return "/" + rest
		}
		return u
	}
	const accounts = "/accounts/"
	for _, page := range [][2]string{{"password_reset_confirm", "reset/UID/TOKEN/"}, {"login", "login/"}} {
		at, _ := e.facts.url(page[0])
		if rest, ok := strings.CutSuffix(below(at), page[1]); ok && rest != accounts {
			e.note("ROOT_URLCONF", "one with Django's pages for accounts at "+rest, "Cardea's are at "+accounts+", and both work; links in mail lead to the pages of who sent them", "if Cardea's are to take the place of Django's: accounts_url = "+tomlText(rest)+", and let the proxy lead there")
			break
		}
	}
	for _, where := range [][2]string{{"LOGIN_URL", accounts + "login/"}, {"LOGIN_REDIRECT_URL", accounts + "profile/"}, {"LOGOUT_REDIRECT_URL", ""}} {
		name, preset := where[0], where[1]
		u, problem := e.facts.url(name)
		u = below(u)
		switch {
		case problem != "":
			e.note(name, quoted(e.facts.text(name)), "Django itself cannot find it ("+problem+")", "")
		case u == preset || u == "":
		case !strings.HasPrefix(u, "/") && !strings.HasPrefix(u, "http"):
			e.note(name, quoted(u), "Cardea takes no relative addresses, and uses its own", "")
		default:
			e.set(strings.ToLower(name), u)
		}
	}
}

// project looks at what else Django does with each request.
func (e *examiner) project() {
	for _, missing := range []string{"django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"} {
		if !e.facts.layer(missing) {
			e.mismatch("MIDDLEWARE", "without "+missing[strings.LastIndex(missing, ".")+1:], "nobody is logged in at Django, whatever Cardea does", "add "+missing)
		}
	}
	if e.facts.layer("django.contrib.auth.middleware.LoginRequiredMiddleware") {
		e.note("MIDDLEWARE", "with LoginRequiredMiddleware", "Django asks everybody to log in; Cardea guards only the pages that it is told to guard", "")
	}
	if language := e.facts.text("LANGUAGE_CODE"); language != "" && !strings.HasPrefix(language, "en") {
		e.note("LANGUAGE_CODE", quoted(language), "Cardea's pages and mail are in English unless they have templates of their own", "")
	}
	if site := e.facts.Site; site != nil && site.Name != "" && site.Name != "example.com" {
		e.set("site_name", site.Name)
	}
}

// validators adds the rules of new passwords.
func (e *examiner) validators() {
	const module = "django.contrib.auth.password_validation."
	entries, _ := e.facts.Settings["AUTH_PASSWORD_VALIDATORS"].([]any)
	var rules []string
	for _, entry := range entries {
		m, _ := entry.(map[string]any)
		path, _ := m["NAME"].(string)
		options, _ := m["OPTIONS"].(map[string]any)
		name, ours := strings.CutPrefix(path, module)
		if !ours {
			e.mismatch("AUTH_PASSWORD_VALIDATORS", "a list with "+quoted(path), "Cardea does not know that rule: by its pages people can choose passwords that Django refuses", "use Django's own rules, let new passwords be chosen at Django only, or write the rule in Go")
			continue
		}
		query := url.Values{}
		for option, value := range options {
			if many, ok := value.([]any); ok {
				for _, v := range many {
					query.Add(option, fmt.Sprint(v))
				}
				continue
			}
			if value != nil {
				query.Set(option, fmt.Sprint(value))
			}
		}
		rules = append(rules, name+ifAny("?", query.Encode()))
	}
	if rules != nil {
		e.set("auth_password_validators", rules)
	}
}

// hasherModule is where Django's own hashers are.
const hasherModule = "django.contrib.auth.hashers."

// base is Django's own class that a hasher is, or is made from.
func (h *Hasher) base() string {
	for _, path := range h.Lineage {
		if strings.HasPrefix(path, hasherModule) {
			return path
		}
	}
	return ""
}

// known returns our hasher for one of Django's project, at Django's costs of that version; nil if there is none.
func (h *Hasher) known(version string) password.Hasher {
	for _, method := range []string{"encode", "decode", "verify", "must_update", "digest"} {
		if slices.Contains(h.Overridden, method) {
			return nil
		}
	}
	ours, err := password.FromDjango([]string{h.base()}, version)
	if h.base() == "" || err != nil || ours[0].Algorithm() != h.Algorithm {
		return nil
	}
	return ours[0]
}

// params are the costs in the form of [password.Params].
func (h *Hasher) params() string {
	switch h.Algorithm {
	case "pbkdf2_sha256", "pbkdf2_sha1":
		return "iterations=" + strconv.Itoa(h.Iterations)
	case "bcrypt", "bcrypt_sha256":
		return "rounds=" + strconv.Itoa(h.Rounds)
	case "scrypt":
		return "work_factor=" + strconv.Itoa(h.WorkFactor) + " block_size=" + strconv.Itoa(h.BlockSize) + " parallelism=" + strconv.Itoa(h.Parallelism)
	case "argon2":
		return "memory_cost=" + strconv.Itoa(h.MemoryCost) + " time_cost=" + strconv.Itoa(h.TimeCost) + " parallelism=" + strconv.Itoa(h.Parallelism) + " hash_len=" + strconv.Itoa(h.HashLen)
	}
	return ""
}

func (e *examiner) hashers() {
	var names []string
	for i := range e.facts.Hashers {
		h := &e.facts.Hashers[i]
		ours := h.known(e.costs)
		switch {
		case ours == nil && i == 0:
			e.mismatch("PASSWORD_HASHERS", quoted(h.Path)+" first", "Cardea does not know how it hashes: people with such a password cannot log in at Cardea, and a password that Cardea hashes is hashed again at Django, which ends the sessions of its owner", "put one of Django's own first, with the old one after it; each password moves at its owner's next log-in at Django")
		case ours == nil:
			e.mismatch("PASSWORD_HASHERS", "a list with "+quoted(h.Path), "people whose password is still hashed that way cannot log in at Cardea before they have logged in at Django", "")
		case !slices.Contains(names, h.base()): // a project's own often stands before the one that it is made from
			names = append(names, h.base())
		}
		if i > 0 || ours == nil {
			continue
		}
		if h.Error != "" {
			e.mismatch("PASSWORD_HASHERS", quoted(h.Path)+" first", "Django cannot hash with it ("+h.Error+")", "install its library for Django")
			continue
		}
		if costs := h.params(); costs != password.Params(ours) {
			e.set("password_hasher_params", map[string]string{h.Algorithm: costs}, "As the project has them: with other costs each side would hash again what the other wrote, and end its owner's sessions.")
		}
		if h.SaltEntropy != 128 {
			e.mismatch("PASSWORD_HASHERS", h.Path+" with a salt_entropy of "+strconv.Itoa(h.SaltEntropy), "Django hashes again what Cardea wrote, which ends its owner's sessions", "leave salt_entropy at 128")
		}
		if h.Argon2Type != "" && h.Argon2Type != "ID" {
			e.mismatch("PASSWORD_HASHERS", h.Path+" with Argon2"+strings.ToLower(h.Argon2Type), "Django hashes again what Cardea wrote, which ends its owner's sessions", "use Argon2id")
		}
	}
	if names != nil && !slices.Equal(names, defaultHashers) {
		e.set("password_hashers", names)
	}
}

var defaultHashers = []string{
	hasherModule + "PBKDF2PasswordHasher", hasherModule + "PBKDF2SHA1PasswordHasher", hasherModule + "Argon2PasswordHasher",
	hasherModule + "BCryptSHA256PasswordHasher", hasherModule + "ScryptPasswordHasher",
}
