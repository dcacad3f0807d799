package origin

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const (
	forwardedFor    = "X-Forwarded-For"
	forwardedProto  = "X-Forwarded-Proto"
	forwardedHost   = "X-Forwarded-Host"
	forwardedPort   = "X-Forwarded-Port"
	forwardedPrefix = "X-Forwarded-Prefix"
)

// checkProxies fills in the defaults of the settings that speak of proxies.
func (c *Config) checkProxies() error {
	c.TrustedProxies = slices.Clone(c.TrustedProxies)
	for i, p := range c.TrustedProxies {
		if !p.IsValid() {
			return errors.New("TrustedProxies: a prefix is not valid")
		}
		if p.Addr().Is4In6() {
			if p.Bits() < 96 {
				return fmt.Errorf("TrustedProxies: %v: write it as an IPv4 prefix", p)
			}
			c.TrustedProxies[i] = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
	}
	var err error
	if c.SecureProxyHeader, err = headerName(c.SecureProxyHeader); err != nil {
		return fmt.Errorf("SecureProxyHeader: %w", err)
	}
	if c.ClientAddressHeader, err = headerName(c.ClientAddressHeader); err != nil {
		return fmt.Errorf("ClientAddressHeader: %w", err)
	}
	if c.ClientAddressHeader == "Forwarded" {
		return errors.New("ClientAddressHeader: the syntax of Forwarded is not supported; let the proxy send X-Forwarded-For")
	}
	if (c.SecureProxyHeader == "") != (c.SecureProxyValue == "") {
		return errors.New("SecureProxyHeader and SecureProxyValue go together")
	}
	if len(c.TrustedProxies) == 0 && !c.TrustUnixSocket {
		if c.SecureProxyHeader != "" || c.ClientAddressHeader != "" || c.UseForwardedHost || c.UseForwardedPort || c.UseForwardedPrefix {
			return errors.New("a forwarding header is to be used, but TrustedProxies names no proxy to believe")
		}
		return nil
	}
	if c.SecureProxyHeader == "" {
		c.SecureProxyHeader, c.SecureProxyValue = forwardedProto, "https"
	}
	if c.ClientAddressHeader == "" {
		c.ClientAddressHeader = forwardedFor
	}
	return nil
}

// headerName returns the canonical form of a header's name, which may be given in the form of Django's request.META.
func headerName(name string) (string, error) {
	if meta, ok := strings.CutPrefix(name, "HTTP_"); ok {
		name = strings.ReplaceAll(meta, "_", "-")
	}
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return "", fmt.Errorf("%q is not a header name of letters, digits and hyphens", name)
	}
	return http.CanonicalHeaderKey(name), nil
}

func (o *Origin) trusts(addr netip.Addr) bool {
	for _, p := range o.cfg.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// proxy reads the forwarding headers of a request; from a peer that is not trusted there are none. A name with underscores
// never stands for one with hyphens (CVE-2026-3902), since Go keeps them apart.
type proxy struct {
	header  http.Header
	trusted bool
}

func (p *proxy) lines(name string) []string {
	if !p.trusted {
		return nil
	}
	return p.header[name]
}

// lastLine returns the header's last line: the nearest proxy's, when it passed on what it was sent.
func (p *proxy) lastLine(name string) (line string, ok bool) {
	if lines := p.lines(name); len(lines) > 0 {
		return lines[len(lines)-1], true
	}
	return "", false
}

// last returns the last element of the last line, which only the nearest proxy can have written.
func (p *proxy) last(name string) (element string, ok bool) {
	line, ok := p.lastLine(name)
	return strip(line[strings.LastIndexByte(line, ',')+1:]), ok
}

// wasForwarded reports whether a proxy, declared or not, has left a trace.
func wasForwarded(h http.Header) bool {
	for _, name := range [...]string{forwardedFor, forwardedProto, forwardedHost, "Forwarded", "X-Real-Ip", "Via"} {
		if len(h[name]) > 0 {
			return true
		}
	}
	return false
}

// clientAddr returns the right-most address in the header that is not a trusted proxy, for only what stands right of it was
// written by proxies that are believed. If all are trusted it is the left-most, and if something else than an address is met
// before, it is the peer.
func (o *Origin) clientAddr(p *proxy, peer netip.Addr) netip.Addr {
	lines := p.lines(o.cfg.ClientAddressHeader)
	client := peer
	for i := len(lines) - 1; i >= 0; i-- {
		rest := lines[i]
		for more := true; more; {
			element := rest
			at := strings.LastIndexByte(rest, ',')
			if more = at >= 0; more {
				rest, element = rest[:at], rest[at+1:]
			}
			if element = strip(element); element == "" {
				continue
			}
			addr, ok := parseAddr(element)
			if !ok {
				return peer
			}
			if client = addr; !o.trusts(addr) {
				return client
			}
		}
	}
	return client
}

// parseAddr reads an address with or without a port or brackets.
func parseAddr(s string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return plainAddr(addr), true
	}
	if addrPort, err := netip.ParseAddrPort(s); err == nil {
		return plainAddr(addrPort.Addr()), true
	}
	return netip.Addr{}, false
}
