package origin

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CookiePolicy says how one cookie is named and which attributes it gets. Only Name must be set. It must not be changed once
// in use.
type CookiePolicy struct {
	// Name is the base name: sessionid, csrftoken, messages.
	Name string
	// Plain uses Name as it is and Secure as configured, as Django does. Otherwise the cookie is Secure over HTTPS, where it
	// is called __Host-Name, or __Secure-Name if it has a Domain or a Path, and cardea_Name over plain HTTP.
	Plain bool
	// Domain makes the cookie visible to the domain's subdomains. Defaults to the host that set it alone.
	Domain string
	// Path defaults to "/".
	Path string
	// Secure keeps a Plain cookie off plain HTTP. Without Plain it has no meaning.
	Secure bool
	// ScriptReadable leaves out HttpOnly.
	ScriptReadable bool
	// SameSite is "Lax", "Strict", "None", or "omit". Defaults to "Lax".
	SameSite string
}

// Life is how long a browser keeps a cookie.
type Life struct {
	MaxAge time.Duration // whole seconds count; zero: until the browser closes
	Now    time.Time     // what expires is reckoned from; defaults to time.Now()
}

const (
	hostPrefix   = "__Host-"
	securePrefix = "__Secure-"
	plainPrefix  = "cardea_"
)

// Validate returns an error if the cookie could not be sent as configured.
func (p *CookiePolicy) Validate() error {
	switch {
	case p.Name == "":
		return errors.New("origin: a cookie without a name")
	case strings.Trim(p.Name, legalNameChars) != "":
		return fmt.Errorf("origin: cookie name %q has characters that cookie names may not have", p.Name)
	case strings.ContainsFunc(p.Path, badAttribute) || p.Path != "" && p.Path[0] != '/':
		return fmt.Errorf("origin: cookie %s: path %q does not start with / or has characters that it may not have", p.Name, p.Path)
	}
	if p.Domain != "" {
		if domain, port := SplitDomainPort(strings.TrimPrefix(p.Domain, ".")); domain == "" || port != "" {
			return fmt.Errorf("origin: cookie %s: %q is not a domain", p.Name, p.Domain)
		}
	}
	switch p.SameSite {
	case "", "Lax", "Strict", "None", "omit":
	default:
		return fmt.Errorf(`origin: cookie %s: SameSite %q is none of "Lax", "Strict", "None", "omit"`, p.Name, p.SameSite)
	}
	if p.Plain && p.Domain != "" && strings.HasPrefix(p.Name, hostPrefix) {
		return fmt.Errorf("origin: cookie %s: browsers refuse this name with a domain", p.Name)
	}
	return nil
}

func badAttribute(r rune) bool { return r < ' ' || r == ';' || r >= 0x7f }

// Resolve returns the cookie's name for a visitor, and whether it is Secure.
func (p *CookiePolicy) Resolve(i *Info) (name string, secure bool) {
	prefix, secure := p.resolve(i)
	return prefix + p.Name, secure
}

func (p *CookiePolicy) resolve(i *Info) (prefix string, secure bool) {
	switch {
	case p.Plain:
		return "", p.Secure
	case !i.Secure:
		return plainPrefix, false
	case p.Domain == "" && (p.Path == "" || p.Path == "/"):
		return hostPrefix, true
	}
	return securePrefix, true
}

// Read returns the cookie's value and whether it was sent. Like Django, and unlike net/http, it splits at semicolons only,
// takes the last of several cookies of the name, and decodes quoted values.
func (p *CookiePolicy) Read(r *http.Request) (value string, ok bool) {
	prefix := ""
	if !p.Plain {
		prefix, _ = p.resolve(From(r))
	}
	return findCookie(r.Header["Cookie"], prefix, p.Name)
}

// Set adds the cookie to h, the header of a response to r, in place of one of the same name that h already sets.
func (p *CookiePolicy) Set(h http.Header, r *http.Request, value string, life Life) {
	name, secure := p.name(r)
	b := make([]byte, 0, 192+len(value))
	b = append(append(append(b, name...), '='), EncodeCookieValue(value)...)
	b = p.appendDomain(b)
	if life.MaxAge != 0 {
		now := life.Now
		if now.IsZero() {
			now = time.Now()
		}
		b = now.Add(life.MaxAge).UTC().AppendFormat(append(b, "; expires="...), http.TimeFormat)
	}
	if !p.ScriptReadable {
		b = append(b, "; HttpOnly"...)
	}
	if life.MaxAge != 0 {
		b = strconv.AppendInt(append(b, "; Max-Age="...), int64(life.MaxAge/time.Second), 10)
	}
	b = p.appendRest(b, secure)
	put(h, name, string(b))
}

// Delete makes the browser forget the cookie, in place of one of the same name that h already sets.
func (p *CookiePolicy) Delete(h http.Header, r *http.Request) {
	name, _ := p.name(r)
	b := append(make([]byte, 0, 160), name...)
	b = p.appendDomain(append(b, `=""`...))
	b = append(b, "; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"...)
	// Browsers keep the old cookie if a deletion lacks what its name or SameSite=None asks for.
	secure := strings.HasPrefix(name, hostPrefix) || strings.HasPrefix(name, securePrefix) || p.SameSite == "None"
	put(h, name, string(p.appendRest(b, secure)))
}

func (p *CookiePolicy) name(r *http.Request) (name string, secure bool) {
	if p.Plain {
		return p.Name, p.Secure
	}
	return p.Resolve(From(r))
}

func (p *CookiePolicy) appendDomain(b []byte) []byte {
	if p.Domain != "" {
		b = append(append(b, "; Domain="...), p.Domain...)
	}
	return b
}

func (p *CookiePolicy) appendRest(b []byte, secure bool) []byte {
	b = append(b, "; Path="...)
	if p.Path == "" {
		b = append(b, '/')
	}
	b = append(b, p.Path...)
	switch p.SameSite {
	case "omit":
	case "":
		b = append(b, "; SameSite=Lax"...)
	default:
		b = append(append(b, "; SameSite="...), p.SameSite...)
	}
	if secure {
		b = append(b, "; Secure"...)
	}
	return b
}

// put appends a Set-Cookie line for name and drops earlier ones.
func put(h http.Header, name, line string) {
	others := slices.DeleteFunc(h["Set-Cookie"], func(earlier string) bool {
		before, _, _ := strings.Cut(earlier, "=")
		return before == name
	})
	h["Set-Cookie"] = append(others, line)
}
