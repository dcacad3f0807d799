package csrf

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// An Input is a field of a refused form, to be shown again.
type Input struct {
	Name  string
	Value string // "" for a Secret and for a File
	// Secret marks a field whose name says that it holds a password, a secret or a token. It is to be typed again.
	Secret bool
	// File marks a file. It is to be chosen again.
	File bool
}

// Inputs returns the fields of the refused form in their order, without the old token. What should not travel back to the
// browser is named without its value. ok is false, and the form must not be shown, unless SameOrigin is true, the token was all
// that was wrong, and the form could be read whole, within the limits of [Config]. It consumes the request's body.
func (f *Failure) Inputs(r *http.Request) (inputs []Input, ok bool) {
	if !f.SameOrigin || f.Status != http.StatusForbidden || r.Method != http.MethodPost {
		return nil, false
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.PostForm != nil || err != nil || r.Body == nil: // read by somebody further out, who knows more
		return nil, false
	case kind == "application/x-www-form-urlencoded":
		inputs, ok = f.urlencodedInputs(r.Body)
	case kind == "multipart/form-data" && params["boundary"] != "":
		inputs, ok = f.multipartInputs(r.Body, params["boundary"])
	}
	return inputs, ok
}

// mostShown is how much of a form [Inputs] reads.
const mostShown = 1 << 20

// Inputs returns the fields of a form that was accepted here and cannot be carried out now, as [Failure.Inputs] does. It consumes the
// request's body; ok is false for a form of more than 1 MiB or 1000 fields, and where somebody has read the body already.
func Inputs(r *http.Request) (inputs []Input, ok bool) {
	f := Failure{SameOrigin: true, Status: http.StatusForbidden, maxBody: mostShown, maxFields: 1000}
	return f.Inputs(r)
}

func (f *Failure) urlencodedInputs(body io.Reader) (inputs []Input, ok bool) {
	text, err := io.ReadAll(io.LimitReader(body, f.maxBody+1))
	if err != nil || int64(len(text)) > f.maxBody {
		return nil, false
	}
	for pair := range strings.SplitSeq(string(text), "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, false
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, false
		}
		inputs = appendInput(inputs, name, value)
		if len(inputs) > f.maxFields {
			return nil, false
		}
	}
	return inputs, true
}

func (f *Failure) multipartInputs(body io.Reader, boundary string) (inputs []Input, ok bool) {
	form := multipart.NewReader(io.LimitReader(body, f.maxBody), boundary)
	for len(inputs) <= f.maxFields {
		part, err := form.NextPart()
		switch {
		case err == io.EOF:
			return inputs, true
		case err != nil:
			return nil, false
		case part.FileName() != "" || part.Header.Get("Content-Type") == "application/octet-stream": // a file that was not chosen
			inputs = append(inputs, Input{Name: part.FormName(), File: true})
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, false
		}
		inputs = appendInput(inputs, part.FormName(), string(value))
	}
	return nil, false
}

func appendInput(inputs []Input, name, value string) []Input {
	switch {
	case name == FieldName:
		return inputs
	case isSecret(name):
		return append(inputs, Input{Name: name, Secret: true})
	}
	return append(inputs, Input{Name: name, Value: value})
}

// isSecret guesses from a field's name.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"passw", "passphrase", "pwd", "secret", "token"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
