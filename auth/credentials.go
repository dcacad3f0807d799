package auth

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
)

// Password is a user name (or whatever the back end takes as an identifier) and a password, as typed.
type Password struct {
	Username string
	Password string
}

// Account returns the identifier that the limiter counts tries by.
func (p Password) Account() string { return p.Username }

// String shows the user name and hides the password.
func (p Password) String() string { return fmt.Sprintf("{%s %s}", p.Username, mask) }

// GoString hides the password from %#v.
func (p Password) GoString() string { return fmt.Sprintf("auth.Password{%q, %q}", p.Username, mask) }

// Format hides the password from every other verb too.
func (p Password) Format(f fmt.State, verb rune) {
	text := p.String()
	if verb == 'v' && f.Flag('#') {
		text = p.GoString()
	}
	_, _ = io.WriteString(f, text)
}

// LogValue shows the user name and hides the password.
func (p Password) LogValue() slog.Value {
	return slog.GroupValue(slog.String("username", p.Username), slog.String("password", mask))
}

// MarshalJSON shows the user name and hides the password. Unmarshalling reads both.
func (p Password) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"username": p.Username, "password": mask})
}

// An Account is implemented by credentials that name an account. The limiter then counts tries by account and by
// address; other credentials are counted by address only.
type Account interface {
	Account() string
}

// A Vouched is implemented by credentials for which somebody stands whom the site trusts, such as the proxy of package
// auth/remoteuser. Nobody can guess them: tries of them are not counted, and do not make others' tries forgotten.
type Vouched interface {
	VouchedBy() string
}

const mask = "********************"

// secretWords are the parts of names that hide a value, as in Django's user_login_failed signal.
var secretWords = [...]string{"api", "token", "key", "secret", "password", "signature"}

// masked returns credentials in the form that failure hooks may log: a value whose name contains one of secretWords, in any
// case, is replaced by mask, and so is every value that is not a plain string, number or truth value. Credentials that
// implement slog.LogValuer say themselves what may be seen; the rule is laid over their answer.
func masked(creds any) map[string]string {
	out := map[string]string{}
	if lv, ok := creds.(slog.LogValuer); ok {
		v := slog.AnyValue(lv).Resolve()
		if v.Kind() != slog.KindGroup {
			out["credentials"] = v.String()
			return out
		}
		for _, a := range v.Group() {
			put(out, a.Key, reflect.ValueOf(a.Value.Any()))
		}
		return out
	}
	v := reflect.ValueOf(creds)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			if fv, err := v.FieldByIndexErr(f.Index); err == nil && f.IsExported() && !f.Anonymous {
				put(out, strings.ToLower(f.Name), fv)
			}
		}
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		for it := v.MapRange(); it.Next(); {
			put(out, it.Key().String(), it.Value())
		}
	default:
		out["credentials"] = fmt.Sprintf("%T", creds)
	}
	return out
}

func put(out map[string]string, name string, v reflect.Value) {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	low := strings.ToLower(name)
	for _, w := range secretWords {
		if strings.Contains(low, w) {
			out[name] = mask
			return
		}
	}
	switch {
	case v.Kind() == reflect.String:
		out[name] = v.String()
	case v.CanInt(), v.CanUint(), v.CanFloat(), v.Kind() == reflect.Bool:
		out[name] = fmt.Sprint(v)
	default:
		out[name] = mask
	}
}
