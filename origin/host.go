package origin

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// SplitDomainPort splits a Host header into its lower-case domain, without one trailing dot, and its port. Both are empty if
// the host is not valid. It is Django's django.http.request.split_domain_port.
func SplitDomainPort(host string) (domain, port string) {
	host = lower(host)
	end := 0
	if strings.HasPrefix(host, "[") {
		end = ipv6Literal(host)
	} else {
		for end < len(host) && isDomainByte(host[end]) {
			end++
		}
	}
	if end == 0 {
		return "", ""
	}
	if end < len(host) {
		port = host[end+1:]
		if host[end] != ':' || port == "" || strings.Trim(port, "0123456789") != "" {
			return "", ""
		}
	}
	return strings.TrimSuffix(host[:end], "."), port
}

func isDomainByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-'
}

// ipv6Literal returns the length of the bracketed address that host starts with, or 0: hexadecimal digits, a colon, and at
// least one more of digits, colons and dots.
func ipv6Literal(host string) int {
	end := strings.IndexByte(host, ']')
	if end < 0 {
		return 0
	}
	first, rest, ok := strings.Cut(host[1:end], ":")
	if !ok || rest == "" || strings.Trim(first, "0123456789abcdef") != "" || strings.Trim(rest, "0123456789abcdef:.") != "" {
		return 0
	}
	return end + 1
}

// HostAllowed reports whether host, a Host header, is valid and matches one of the patterns of Django's ALLOWED_HOSTS.
// Without patterns nothing is allowed.
func HostAllowed(host string, patterns []string) bool {
	domain, _ := SplitDomainPort(host)
	return domain != "" && domainAllowed(domain, patterns)
}

// answersTo reports whether host is valid and one that the site answers to.
func (c *Config) answersTo(host string) bool {
	domain, _ := SplitDomainPort(host)
	if len(c.AllowedHosts) == 0 {
		return loopbackName(domain)
	}
	return domain != "" && domainAllowed(domain, c.AllowedHosts)
}

func domainAllowed(domain string, patterns []string) bool {
	for _, pattern := range patterns {
		if pattern == "*" || IsSameDomain(domain, pattern) {
			return true
		}
	}
	return false
}

// IsSameDomain reports whether host equals pattern, or is it or a subdomain of it if the pattern starts with a dot. The
// pattern is lower-cased, the host is not. It is Django's django.utils.http.is_same_domain.
func IsSameDomain(host, pattern string) bool {
	if pattern == "" {
		return false
	}
	pattern = lower(pattern)
	return pattern == host || pattern[0] == '.' && (strings.HasSuffix(host, pattern) || host == pattern[1:])
}

// loopbackName reports whether domain, as SplitDomainPort returns it, can only mean this machine.
func loopbackName(domain string) bool {
	if domain == "localhost" || strings.HasSuffix(domain, ".localhost") {
		return true
	}
	if domain == "" || domain[0] != '[' && (domain[0] < '0' || '9' < domain[0]) {
		return false
	}
	bare, bracketed := strings.CutPrefix(domain, "[")
	addr, err := netip.ParseAddr(strings.TrimSuffix(bare, "]"))
	return err == nil && addr.Is4() != bracketed && addr.IsLoopback() && !addr.Is4In6()
}

// checkPattern refuses what can never match, with the likely cure.
func checkPattern(pattern string) error {
	if pattern == "*" {
		return nil
	}
	if pattern == "" {
		return errors.New("an empty name")
	}
	if strings.HasPrefix(pattern, "*.") {
		return fmt.Errorf("%q: write %q for a domain and its subdomains", pattern, pattern[1:])
	}
	domain, port := SplitDomainPort(strings.TrimPrefix(pattern, "."))
	switch {
	case port != "":
		return fmt.Errorf("%q: leave out the port", pattern)
	case domain == "" || strings.HasSuffix(pattern, ".") || strings.HasPrefix(pattern, ".."):
		return fmt.Errorf("%q is not a host name such as example.com or .example.com", pattern)
	}
	return nil
}
