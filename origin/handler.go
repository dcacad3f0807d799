package origin

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/cardea-go/cardea/internal/respond"
)

// Handler finds out what the visitor sees and hands the request on with it, or refuses the request by Config.Reject.
func (o *Origin) Handler(next http.Handler) http.Handler {
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, err := o.inspect(r)
		if err != nil {
			o.cfg.Reject(w, r, err)
			return
		}
		respond.From(r.Context()).Attach(o, info)
		next.ServeHTTP(w, r)
	})
	outermost := respond.Handler(inner, respond.Config{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if respond.From(r.Context()) == nil {
			outermost.ServeHTTP(w, r)
			return
		}
		inner(w, r)
	})
}

// inspect makes the Info of a request, or says why it is refused.
func (o *Origin) inspect(r *http.Request) (*Info, error) {
	peer, unix := peerOf(r)
	p := proxy{header: r.Header, trusted: o.trusts(peer) || unix && o.cfg.TrustUnixSocket}
	info := &Info{Addr: peer, Peer: peer, Trusted: p.trusted, base: o.siteURL}
	if len(o.cfg.NextHosts) > 0 {
		info.next = &o.cfg.NextHosts
	}

	info.Scheme = o.scheme(r, &p)
	info.Secure = info.Scheme == "https"

	domain, err := o.host(r, &p, info)
	if err != nil {
		return nil, err
	}
	if p.trusted {
		info.Addr = o.clientAddr(&p, peer)
	}
	info.Loopback = loopbackName(domain) && (unix || peer.IsLoopback()) && (!info.Addr.IsValid() || info.Addr.IsLoopback()) &&
		(p.trusted || !wasForwarded(r.Header))
	if !info.Secure && !info.Loopback && !o.cfg.InsecureHTTP {
		return nil, &InsecureError{Host: info.Host}
	}
	info.Port = localPort(r)
	if port, ok := p.last(forwardedPort); ok && o.cfg.UseForwardedPort && isPort(port) {
		info.Port = port
	}
	return info, o.path(r, &p, info)
}

// scheme is Django's HttpRequest.scheme: the part of the proxy's header before the first comma decides, if it is there.
func (o *Origin) scheme(r *http.Request, p *proxy) string {
	https := r.TLS != nil
	if line, ok := p.lastLine(o.cfg.SecureProxyHeader); ok {
		value, _, _ := strings.Cut(line, ",")
		https = strip(value) == o.cfg.SecureProxyValue
	}
	if https {
		return "https"
	}
	return "http"
}

// host sets info.Host and returns the domain in it, lower-cased.
func (o *Origin) host(r *http.Request, p *proxy, info *Info) (domain string, err error) {
	host := r.Host
	if r.URL.User != nil {
		return "", &HostError{Host: host, Reason: "the request target names a user"}
	}
	for _, other := range r.Header["Host"] { // HTTP/2 has both
		if other != host {
			return "", &HostError{Host: host, Reason: "the Host header disagrees with :authority"}
		}
	}
	if forwarded, ok := p.last(forwardedHost); ok && o.cfg.UseForwardedHost {
		host = forwarded
	} else if host == "" { // only HTTP/1.0 may leave it out
		host = localHost(r, info.Secure)
	}
	domain, _ = SplitDomainPort(host)
	if domain == "" {
		return "", &HostError{Host: host, Reason: "not a valid host name"}
	}
	if len(o.cfg.AllowedHosts) == 0 {
		if !loopbackName(domain) {
			return "", &HostError{Host: host, Reason: "not a loopback name, and no other hosts are allowed; add it to the allowed hosts"}
		}
	} else if !domainAllowed(domain, o.cfg.AllowedHosts) {
		return "", &HostError{Host: host, Reason: "not among the allowed hosts"}
	}
	info.Host = host
	return domain, nil
}

// path sets info.Prefix and info.Path.
func (o *Origin) path(r *http.Request, p *proxy, info *Info) error {
	path := r.RequestURI // with all that an inner http.StripPrefix takes away
	if !strings.HasPrefix(path, "/") {
		path = r.URL.RequestURI() // an absolute-form target
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" // OPTIONS *, CONNECT
	}
	info.Path, info.Prefix = path, o.cfg.Prefix
	if prefix, ok := p.last(forwardedPrefix); ok && o.cfg.UseForwardedPrefix {
		prefix = strings.TrimSuffix(prefix, "/")
		if prefix != "" && !validPrefix(prefix) {
			return &HostError{Host: info.Host, Reason: "the proxy's " + forwardedPrefix + " is not a path"}
		}
		info.Prefix, info.Path = prefix, prefix+path
		return nil
	}
	if !under(path, info.Prefix) {
		info.Path = info.Prefix + path
	}
	return nil
}

// under reports whether path is prefix or below it.
func under(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (prefix == "" || rest == "" || rest[0] == '/' || rest[0] == '?')
}

// peerOf returns the address at the other end of the connection, and whether that is a Unix socket.
func peerOf(r *http.Request) (addr netip.Addr, unix bool) {
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return plainAddr(peer.Addr()), false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return netip.Addr{}, ok && strings.HasPrefix(local.Network(), "unix")
}

// plainAddr makes addresses comparable: an IPv4 address is not written as IPv6, and no interface is named.
func plainAddr(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func localPort(r *http.Request) string {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	switch {
	case !ok:
		return ""
	case local.Port == 443: // the usual ones without an allocation
		return "443"
	case local.Port == 80:
		return "80"
	}
	return strconv.Itoa(local.Port)
}

// localHost is Django's fallback for a request without a host: the server's own address, with a port that is not the usual.
func localHost(r *http.Request, secure bool) string {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return ""
	}
	host := plainAddr(local.AddrPort().Addr()).String()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if secure && local.Port != 443 || !secure && local.Port != 80 {
		host += ":" + strconv.Itoa(local.Port)
	}
	return host
}

func isPort(s string) bool { return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == "" }
