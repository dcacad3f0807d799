package csrf

import (
	"html/template"
	"net/http"
	"strings"
)

// A Failure is a refused request. As an error it is its Reason.
type Failure struct {
	// Status is the status to answer with: 403, or 413 and 400 for a form that is beyond the limits or broken.
	Status int
	// Reason says what was wrong, in Django's words; for logs and developers rather than visitors.
	Reason string
	// SameOrigin reports that the browser itself says that this very site sent the request, by Origin or Sec-Fetch-Site, which
	// no other site can forge. Then what was typed may be shown again: nobody else has typed it.
	SameOrigin bool

	maxBody   int64
	maxFields int
}

// Error returns the reason.
func (f *Failure) Error() string { return "csrf: " + f.Reason }

// writeFailure is the default of Config.Failure.
func writeFailure(w http.ResponseWriter, r *http.Request, f *Failure) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, http.StatusText(f.Status)+": "+f.Reason, f.Status)
		return
	}
	page := failurePage{Status: f.Status, Title: http.StatusText(f.Status)}
	if inputs, ok := f.Inputs(r); ok {
		page.Inputs, page.Token = inputs, Field(r)
		for _, in := range inputs {
			page.Files = page.Files || in.File
		}
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(f.Status)
	_ = failureTemplate.Execute(w, page)
}

type failurePage struct {
	Status int
	Title  string
	Inputs []Input
	Files  bool
	Token  template.HTML
}

var failureTemplate = template.Must(template.New("failure").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title></head>
<body>
<h1>{{.Title}}</h1>
{{if .Token -}}
<p>The form was not sent, because its page was out of date: you may have signed in or out since. Nothing has been changed.
You can send it now.</p>
<form method="post"{{if .Files}} enctype="multipart/form-data"{{end}}>
{{.Token}}
{{range .Inputs -}}
{{if .File}}<p><label>{{.Name}} <input type="file" name="{{.Name}}"></label></p>
{{else if .Secret}}<p><label>{{.Name}} <input type="password" name="{{.Name}}"></label></p>
{{else}}<textarea name="{{.Name}}" hidden>
{{.Value}}</textarea>
{{end}}{{end -}}
<p><button>Send</button></p>
</form>
{{- else if eq .Status 413 -}}
<p>The form is larger than this site accepts.</p>
{{- else if eq .Status 400 -}}
<p>The form could not be read.</p>
{{- else -}}
<p>The request was refused, because it could not be told that it came from this site. Nothing has been changed.</p>
<p>Go back, load the page again, and send the form once more. If that does not help, allow cookies for this site.</p>
{{- end}}
</body>
</html>
`))
