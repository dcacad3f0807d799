package csrf_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/csrf"
)

const mib = 1 << 20

// A part of a multipart form: a file if it has a file name.
type part struct{ name, file, value string }

func multipartBody(t *testing.T, parts ...part) (body []byte, kind string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		var dst io.Writer
		var err error
		if p.file != "" {
			dst, err = w.CreateFormFile(p.name, p.file)
		} else {
			dst, err = w.CreateFormField(p.name)
		}
		if err == nil {
			_, err = io.WriteString(dst, p.value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), w.FormDataContentType()
}

// upload is a POST of this body with a good cookie.
func upload(secret, kind string, body io.Reader) *http.Request {
	r := httptest.NewRequest("POST", site+"/upload", body)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Origin", site)
	r.Header.Set("Cookie", "csrftoken="+secret)
	return r
}

// TestTheAppReadsTheBody holds that the search for the token leaves no trace.
func TestTheAppReadsTheBody(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	q := good()
	token := csrf.Mask(q.secret)
	big := strings.Repeat("x", 3*mib)
	body, kind := multipartBody(t, part{"csrfmiddlewaretoken", "", token}, part{"name", "", "ada"}, part{"doc", "a.txt", big})

	reach := func(name string, r *http.Request, app func(r *http.Request)) {
		t.Helper()
		reached := false
		w := g.serve(r, func(_ http.ResponseWriter, r *http.Request) { reached = true; app(r) })
		if !reached {
			t.Errorf("%s: refused: %d %s", name, w.Code, w.Body)
		}
	}
	reach("form", q.build(), func(r *http.Request) {
		if got := r.PostFormValue("name"); got != "ada" {
			t.Errorf("the field is %q", got)
		}
		if got := r.FormValue("x"); got != "1" {
			t.Errorf("the query is %q", got)
		}
	})
	reach("raw form", q.build(), func(r *http.Request) {
		if got, err := io.ReadAll(r.Body); err != nil || string(got) != q.form.Encode() {
			t.Errorf("the body is %q, %v", got, err)
		}
	})
	reach("multipart", upload(q.secret, kind, bytes.NewReader(body)), func(r *http.Request) {
		if err := r.ParseMultipartForm(mib); err != nil {
			t.Fatal(err)
		}
		f, header, err := r.FormFile("doc")
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(f)
		if string(got) != big || header.Filename != "a.txt" || r.PostFormValue("name") != "ada" {
			t.Errorf("the file has %d bytes", len(got))
		}
		_ = r.MultipartForm.RemoveAll()
	})
	reach("multipart stream", upload(q.secret, kind, bytes.NewReader(body)), func(r *http.Request) {
		form, err := r.MultipartReader()
		if err != nil {
			t.Fatal(err)
		}
		p, err := form.NextPart()
		if err != nil || p.FormName() != "csrfmiddlewaretoken" {
			t.Errorf("the first part is %v, %v", p, err)
		}
	})
	reach("raw multipart", upload(q.secret, kind, bytes.NewReader(body)), func(r *http.Request) {
		if got, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(got, body) {
			t.Errorf("the body has %d bytes of %d, %v", len(got), len(body), err)
		}
	})

	read := 0
	counted := readerFunc(func(p []byte) (n int, err error) {
		n, err = bytes.NewReader(body[read:]).Read(p)
		read += n
		return n, err
	})
	reach("little is read", upload(q.secret, kind, counted), func(*http.Request) {
		if read > 64<<10 {
			t.Errorf("%d bytes were read in search of a token at the top", read)
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	secret := csrf.NewSecret()
	token := csrf.Mask(secret)
	const form = "application/x-www-form-urlencoded"
	field := "csrfmiddlewaretoken=" + token
	multi := func(parts ...part) func() (string, io.Reader) {
		body, kind := multipartBody(t, parts...)
		return func() (string, io.Reader) { return kind, bytes.NewReader(body) }
	}
	plain := func(body string) func() (string, io.Reader) {
		return func() (string, io.Reader) { return form, strings.NewReader(body) }
	}
	many := make([]part, 1001)
	for i := range many {
		many[i] = part{"a", "", "b"}
	}
	tokenPart := part{"csrfmiddlewaretoken", "", token}
	gone := errors.New("the visitor is gone")
	broken, kind := multipartBody(t, part{"a", "", "b"}, tokenPart)

	for _, test := range []struct {
		name string
		body func() (kind string, body io.Reader)
		want int // 200: the app is reached
	}{
		{"a field of 1 MB", plain("a=" + strings.Repeat("x", mib) + "&" + field), 200},
		{"a token of 1 MB", plain(field + strings.Repeat("x", mib)), 403},
		{"the last token counts", plain("csrfmiddlewaretoken=x&" + field), 200},
		{"the last token counts, a bad one", plain(field + "&csrfmiddlewaretoken=x"), 403},
		{"an escaped name", plain("%63srfmiddlewaretoken=" + token), 200},
		{"broken escapes elsewhere", plain("a=%zz&" + field), 200},
		{"no semicolons", plain("a=b;" + field), 403},
		{"2.5 MiB", plain(field + "&a=" + strings.Repeat("x", 2621440-len(field)-3)), 200},
		{"one more", plain(field + "&a=" + strings.Repeat("x", 2621440-len(field)-2)), 413},
		{"one more, of a length not told", func() (string, io.Reader) {
			return form, io.MultiReader(strings.NewReader(field + "&a=" + strings.Repeat("x", 2621440-len(field)-2)))
		}, 413},
		{"1000 fields", plain(field + strings.Repeat("&a=b", 999)), 200},
		{"1001 fields", plain(field + strings.Repeat("&a=b", 1000)), 400},
		{"another kind", func() (string, io.Reader) { return "text/plain", strings.NewReader(field) }, 403},
		{"JSON", func() (string, io.Reader) { return "application/json", strings.NewReader(`{}`) }, 403},
		{"cut short", func() (string, io.Reader) {
			return form, io.MultiReader(strings.NewReader(field), readerFunc(func([]byte) (int, error) { return 0, gone }))
		}, 403},

		{"multipart", multi(tokenPart), 200},
		{"multipart, after a small file", multi(part{"f", "a", "x"}, tokenPart), 200},
		{"multipart, after a large file", multi(part{"f", "a", strings.Repeat("x", 3*mib)}, tokenPart), 403},
		{"multipart, before a large file", multi(tokenPart, part{"f", "a", strings.Repeat("x", 3*mib)}), 200},
		{"multipart, a token as a file", multi(part{"csrfmiddlewaretoken", "a", token}), 403},
		{"multipart, a good token after a bad one", multi(part{"csrfmiddlewaretoken", "", "x"}, tokenPart), 200},
		{"multipart, a token of 1 MB", multi(part{"csrfmiddlewaretoken", "", strings.Repeat("x", mib)}), 403},
		{"multipart, a large field first", multi(part{"a", "", strings.Repeat("x", 3*mib)}, tokenPart), 413},
		{"multipart, no token", multi(part{"a", "", "b"}), 403},
		{"multipart, 1001 fields", multi(many...), 400},
		{"multipart, empty", func() (string, io.Reader) { return kind, strings.NewReader("") }, 403},
		{"multipart, no boundary", func() (string, io.Reader) { return "multipart/form-data", bytes.NewReader(broken) }, 400},
		{"multipart, garbage", func() (string, io.Reader) { return kind, strings.NewReader("garbage") }, 400},
		{"multipart, cut short by the visitor", func() (string, io.Reader) {
			return kind, io.MultiReader(bytes.NewReader(broken[:60]), readerFunc(func([]byte) (int, error) { return 0, gone }))
		}, 403},
		{"cut by an outer limit", func() (string, io.Reader) {
			return form, http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(strings.NewReader(field)), 10)
		}, 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kind, body := test.body()
			reached, w := g.post(upload(secret, kind, body))
			if reached != (test.want == 200) || w.Code != test.want {
				t.Errorf("reached the app: %v, status %d, want %d: %s", reached, w.Code, test.want, w.Body)
			}
		})
	}
}

// TestParsedFurtherOut finds the token in a form that an outer handler has parsed.
func TestParsedFurtherOut(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	r := good().build()
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	if reached, w := g.post(r); !reached {
		t.Errorf("refused: %s", w.Body)
	}
	q := good()
	q.form.Del(csrf.FieldName)
	r = q.build()
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	if reached, _ := g.post(r); reached {
		t.Error("without a token, the form passes")
	}
}
