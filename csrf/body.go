package csrf

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// formToken returns the token field of a POST, or "" if there is none, and leaves r.Body as it was. secret is the one that the
// search may end with. A form beyond the limits, or one that is not a form although it says so, is a Failure.
func (l *Layer) formToken(r *http.Request, secret string) (string, *Failure) {
	if r.PostForm != nil { // somebody further out has read the body
		values := r.PostForm[FieldName]
		if len(values) == 0 {
			return "", nil
		}
		return values[len(values)-1], nil
	}
	if r.Body == nil || r.Body == http.NoBody {
		return "", nil
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "application/x-www-form-urlencoded":
		return l.urlencodedToken(r)
	case kind == "multipart/form-data" && err == nil && params["boundary"] != "":
		return l.multipartToken(r, params["boundary"], secret)
	case kind == "multipart/form-data":
		return "", malformed("a multipart form without a boundary")
	}
	return "", nil
}

func (l *Layer) urlencodedToken(r *http.Request) (string, *Failure) {
	if r.ContentLength > l.cfg.MaxBody {
		return "", tooLarge()
	}
	body := r.Body
	seen, err := io.ReadAll(io.LimitReader(body, l.cfg.MaxBody+1))
	r.Body = &replay{Reader: io.MultiReader(bytes.NewReader(seen), &rest{body, err}), Closer: body}
	switch {
	case isTooLarge(err), int64(len(seen)) > l.cfg.MaxBody:
		return "", tooLarge()
	case err != nil: // the visitor is gone; there is no field
		return "", nil
	case bytes.Count(seen, []byte{'&'})+1 > l.cfg.MaxFields:
		return "", tooMany()
	}
	token := ""
	for pair := range strings.SplitSeq(string(seen), "&") {
		name, value, _ := strings.Cut(pair, "=")
		if unescape(name) == FieldName {
			token = unescape(value)
		}
	}
	return token, nil
}

// unescape decodes a form's text, and leaves one with broken escapes as it is.
func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// multipartToken reads parts until one is a good token. A file that comes before it is passed over, not kept.
func (l *Layer) multipartToken(r *http.Request, boundary, secret string) (token string, f *Failure) {
	body := r.Body
	source := &rest{r: body}
	limited := &io.LimitedReader{R: source, N: l.cfg.MaxBody}
	var seen bytes.Buffer
	defer func() {
		r.Body = &replay{Reader: io.MultiReader(&seen, source), Closer: body}
	}()
	form := multipart.NewReader(io.TeeReader(limited, &seen), boundary)
	files := false
	for fields := 0; ; fields++ {
		part, err := form.NextPart()
		if err == nil && part.FileName() == "" && part.FormName() == FieldName {
			var value []byte
			if value, err = io.ReadAll(io.LimitReader(part, 2*tokenLength)); err == nil {
				if token = string(value); judge(token, secret) == "" {
					return token, nil
				}
			}
		}
		switch {
		case err == nil && fields >= l.cfg.MaxFields:
			return "", tooMany()
		case err == nil:
			files = files || part.FileName() != ""
		case err == io.EOF, seen.Len() == 0 && source.err == io.EOF:
			return token, nil
		case isTooLarge(source.err), limited.N <= 0 && !files:
			return "", tooLarge()
		case limited.N <= 0, source.err != nil && source.err != io.EOF:
			return token, nil
		default:
			return "", malformed("a broken multipart form")
		}
	}
}

// rest is what remains of a body, and remembers how it ended.
type rest struct {
	r   io.Reader
	err error
}

func (b *rest) Read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err = b.r.Read(p)
	b.err = err
	return n, err
}

// replay is a body from its beginning again.
type replay struct {
	io.Reader
	io.Closer
}

func isTooLarge(err error) bool {
	var max *http.MaxBytesError
	return errors.As(err, &max)
}

func tooLarge() *Failure {
	return &Failure{Status: http.StatusRequestEntityTooLarge, Reason: "The form is too large."}
}

func tooMany() *Failure {
	return &Failure{Status: http.StatusBadRequest, Reason: "The form has too many fields."}
}

func malformed(what string) *Failure {
	return &Failure{Status: http.StatusBadRequest, Reason: "The request has " + what + "."}
}
