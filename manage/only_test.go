package manage_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/manage"
)

// TestDjangosOwnSettings: what Django's settings say that has no place here is an error with line and cure, and what makes no
// difference is taken.
func TestDjangosOwnSettings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "site.toml")
	config := func(text string) (status int, stderr string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		p := manage.Program{Args: []string{"config", "--config", file}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
		return p.Run(t.Context()), errs.String()
	}
	for text, want := range map[string]string{
		`session_serializer = "django.contrib.sessions.serializers.JSONSerializer"`:   "",
		`session_serializer = "django.core.signing.JSONSerializer"`:                   "",
		`session_serializer = "django.contrib.sessions.serializers.PickleSerializer"`: ":1: session_serializer can only be django.contrib.sessions.serializers.JSONSerializer: ",
		`signing_backend = "django.core.signing.TimestampSigner"`:                     "",
		"\nsigning_backend = \"shop.Signer\"":                                         ":2: signing_backend can only be django.core.signing.TimestampSigner: ",
		`csrf_failure_view = "django.views.csrf.csrf_failure"`:                        "",
		`csrf_failure_view = "shop.views.refused"`:                                    ":1: csrf_failure_view can only be django.views.csrf.csrf_failure: a view of Python's cannot run here; leave it out",
		`signed_cookie_legacy_salt_fallback = true`:                                   "",
		`signed_cookie_legacy_salt_fallback = false`:                                  "",
		`debug = true`:  "",
		`debug = false`: "",
	} {
		status, stderr := config(text)
		if (status != 0) != (want != "") || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %q, want %q", text, status, stderr, want)
		}
	}
}
