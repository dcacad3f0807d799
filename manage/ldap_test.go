package manage_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/manage"
)

// runWith runs a command with that text as its configuration file.
func runWith(t *testing.T, text, stdin string, environ []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "site.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	p := manage.Program{
		Args:    append(args, "--config", file, "--db", "sqlite:"+filepath.Join(dir, "site.db")),
		Environ: append([]string{"CARDEA_SECRET_KEY=" + strings.Repeat("k", 40)}, environ...),
		Stdin:   strings.NewReader(stdin), Stdout: &out, Stderr: &errs,
	}
	status = p.Run(t.Context())
	return status, out.String(), strings.ReplaceAll(errs.String(), file, "site.toml")
}

// TestLDAPSettings: the section is read, shown without its password, and laid over by the environment.
func TestLDAPSettings(t *testing.T) {
	t.Parallel()
	const text = `authentication_backends = ["database", "ldap"]
ldap.user_base = "ou=people,dc=example,dc=com"

[ldap.attributes]
title = "title"
`
	status, out, errs := runWith(t, text, "", []string{"CARDEA_LDAP_SERVERS=ldaps://a.example.com,ldaps://b.example.com", "CARDEA_LDAP_BIND_DN=cn=site", "CARDEA_LDAP_BIND_PASSWORD=c4n4ry", "CARDEA_LDAP_TIMEOUT=3"}, "config")
	if status != 0 {
		t.Fatalf("status %d, %s", status, errs)
	}
	for _, want := range []string{
		`ldap.servers ["ldaps://a.example.com", "ldaps://b.example.com"] environment variable CARDEA_LDAP_SERVERS`, "ldap.bind_password (hidden)",
		"ldap.timeout 3 environment", `ldap.attributes {"title" = "title"}`, `ldap.user_base "ou=people,dc=example,dc=com"`,
	} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("config does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "c4n4ry") {
		t.Error("config shows the password")
	}
}

// TestLDAPMistakes: each mistake is one line with the file, the line and the cure, and nothing starts. Without the mistake it does.
func TestLDAPMistakes(t *testing.T) {
	t.Parallel()
	const head = "authentication_backends = [\"database\", \"ldap\"]\n[ldap]\nservers = [\"ldaps://127.0.0.1:1\"]\n"
	const base = "user_base = \"ou=people,dc=example,dc=com\"\n"
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{head + base + "server = \"x\"\n", `site.toml:5: unknown setting "ldap.server"; did you mean ldap.servers?`},
		{head + base + "timeout = \"long\"\n", "site.toml:5: ldap.timeout must be a whole number of seconds"},
		{head + base + "group_depth = [1]\n", "site.toml:5: ldap.group_depth must be a whole number"},
		{head + base + "attributes = {x = 1}\n", "site.toml:5: ldap.attributes must be a table"},
		{head + base + "timeout = -1\n", "site.toml:5: ldap.timeout must be a number of seconds from 0"},
		{head, "site.toml:3: [ldap]: say where the people are: ldap.user_base"},
		{head + base + "bind_dn = \"cn=x\"\n", "ldap.bind_dn and ldap.bind_password go together"},
		{head + base + "group_kind = \"groupOfNames\"\n", "ldap.group_base, such as"},
		{head + base + "group_kind = \"groups\"\n", `ldap.group_kind "groups" is unknown`},
		{head + base + "ca_file = \"/nowhere/ca.pem\"\n", "site.toml:5: ldap.ca_file cannot be read"},
		{head + base + "ca_file = \"" + filepath.ToSlash(notPEM) + "\"\n", "site.toml:5: ldap.ca_file has no certificate in it"},
		{head + base + "cert_file = \"/nowhere\"\n", "site.toml:5: ldap.cert_file and ldap.key_file cannot be used"},
		{head + base + "match_verified_email = true\n", "set local_emails_verified if all of them were"},
		{head + base + "keep_access = true\n", "keep_access, which says something about match_username only"},
		{strings.Replace(head, ", \"ldap\"", "", 1) + base, `site.toml:3: ldap.servers counts only with a back end of the kind "ldap"`},
		{"authentication_backends = [\"ldap\"]\n", "there is no section [ldap]"},
	} {
		status, _, errs := runWith(t, c.text, "", nil, "serve", "--addr", "127.0.0.1:0")
		if status != 1 || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s\ngot status %d and %q, want %q", c.text, status, errs, c.want)
		}
	}
	if status, _, errs := runWith(t, head+base, "", nil, "config"); status != 0 {
		t.Errorf("without a mistake: status %d, %s", status, errs)
	}
}

// TestLDAPCheck: a server that is not there is no refusal, and the password is not repeated.
func TestLDAPCheck(t *testing.T) {
	t.Parallel()
	const text = "authentication_backends = [\"ldap\"]\n[ldap]\nservers = [\"ldaps://127.0.0.1:1\"]\nuser_base = \"dc=example\"\n"
	status, out, errs := runWith(t, text, "c4n4ry\n", nil, "ldap", "check", "ada")
	if status != 1 || !strings.Contains(out, "asking ldaps://127.0.0.1:1") || !strings.Contains(errs, "refused") || strings.Contains(errs, "this log-in is refused") || strings.Contains(out+errs, "c4n4ry") {
		t.Errorf("status %d\n%s\n%s", status, out, errs)
	}
	if status, _, errs := runWith(t, "", "x\n", nil, "ldap", "check", "ada"); status != 1 || !strings.Contains(errs, "no section [ldap]") {
		t.Errorf("without the section: status %d, %s", status, errs)
	}
}
