package csrf

import (
	"net/http"

	"github.com/cardea-go/cardea/origin"
)

// What the recorded answers of Django and the fuzzers look at from inside.

func MaskWith(secret, mask string) string { return maskWith(secret, []byte(mask)) }
func Unmask(token string) string          { return unmask(token) }
func CheckFormat(token string) string     { return checkFormat(token) }
func Mask(secret string) string           { return mask(secret) }
func Match(token, secret string) bool     { return match(token, secret) }
func NewSecret() string                   { return newSecret() }

// Judge checks an unsafe request of a host that the layer of origin would have refused before.
func (l *Layer) Judge(r *http.Request, info *origin.Info) *Failure {
	if f := l.checkSender(r, info); f != nil {
		return f
	}
	return (&state{layer: l, r: r}).checkToken(r)
}

// AllowsOrigin and RefererReason are the two questions about the sender.
func (l *Layer) AllowsOrigin(header, own string) bool { return l.trusted.allowsOrigin(header, own) }

func (l *Layer) RefererReason(referer, host string) string {
	reason, _ := l.trusted.checkReferer(referer, true, host, "443", l.cfg.CookieDomain)
	return reason
}
