package pages

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/cardea-go/cardea/origin"
)

// errBadForm is a body that cannot be read as a form.
var errBadForm = errors.New("pages: the form cannot be read")

// postForm returns the fields of a POST, apart from those of the query. Other methods have none, as in Django.
func postForm(r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		return nil, nil
	}
	if r.PostForm == nil {
		if err := r.ParseForm(); err != nil {
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				return nil, err
			}
			return nil, errBadForm
		}
	}
	if r.MultipartForm != nil {
		return r.MultipartForm.Value, nil
	}
	return r.PostForm, nil
}

// last is the last value of a field, as Django's QueryDict.get, with what is not UTF-8 replaced.
func last(fields url.Values, name string) string {
	values := fields[name]
	if len(values) == 0 {
		return ""
	}
	return strings.ToValidUTF8(values[len(values)-1], "\uFFFD")
}

// query parses the query, "&" alone separating fields; broken parts are left out.
func query(r *http.Request) url.Values {
	values, _ := url.ParseQuery(r.URL.RawQuery)
	return values
}

// here is the path of the request as the visitor sees it, without and with its query.
func here(r *http.Request) (path, full string) {
	path = origin.From(r).Prefix + r.URL.EscapedPath()
	full = path
	if r.URL.RawQuery != "" {
		full += "?" + r.URL.RawQuery
	}
	return path, full
}

// prefixed lays the visitor's prefix before a path of ours; a full address stays as it is.
func (p *Pages) prefixed(r *http.Request, target string) string {
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") {
		return target
	}
	return origin.From(r).Prefix + target
}
