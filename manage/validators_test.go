package manage_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/manage"
)

// TestPasswordValidators: auth_password_validators says what a new password has to be like, in the place of the profile's rules.
func TestPasswordValidators(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rules, chosen, want string }{
		{"", "short", ""}, // the control: the profile django has no rules
		{"MinimumLengthValidator", "seven77", "too short"},
		{"MinimumLengthValidator", "eight888", ""},
		{"django.contrib.auth.password_validation.MinimumLengthValidator?min_length=10", "nine99999", "at least 10 characters"},
		{"MinimumLengthValidator?min_length=10", "ten1010101", ""},
		{"NumericPasswordValidator,MinimumLengthValidator", "12345", "too short"},
		{"NumericPasswordValidator", "1234567890", "entirely numeric"},
		{"UserAttributeSimilarityValidator", "lovelace1", "too similar to the username"},
		{"UserAttributeSimilarityValidator?user_attributes=email&max_similarity=0.9", "lovelace1", ""},
		{"UserAttributeSimilarityValidator?user_attributes=email&user_attributes=username", "lovelace1", "too similar to the username"},
	} {
		url := testdb.New(t, "sqlite").URL
		env := []string{"CARDEA_PROFILE=django", "CARDEA_DB=" + url, "CARDEA_PASSWORD_HASHERS=django.contrib.auth.hashers.MD5PasswordHasher"}
		if c.rules != "" {
			env = append(env, "CARDEA_AUTH_PASSWORD_VALIDATORS="+c.rules)
		}
		var out, errs strings.Builder
		p := manage.Program{Args: []string{"createuser", "lovelace"}, Environ: env, Stdin: strings.NewReader(c.chosen + "\n"), Stdout: &out, Stderr: &errs}
		status := p.Run(t.Context())
		if refused := status != 0; refused != (c.want != "") || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: %q: status %d, %q; want %q", c.rules, c.chosen, status, errs.String(), c.want)
		}
	}
}

// TestPasswordValidatorsRefused: a rule that there is not is an error, for every command.
func TestPasswordValidatorsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rules, want string }{
		{"MaximumLengthValidator", "is not one of Django"},
		{"shop.passwords.Strong", "is not one of Django"},
		{"MinimumLengthValidator?min=10", `no option "min"`},
		{"MinimumLengthValidator?min_length=ten", "not a number"},
		{"MinimumLengthValidator?%zz", "cannot be read"},
		{"CommonPasswordValidator?password_list_path=/nowhere/at/all", "/nowhere/at/all"},
	} {
		var out, errs strings.Builder
		p := manage.Program{Args: []string{"config"}, Environ: []string{"CARDEA_AUTH_PASSWORD_VALIDATORS=" + c.rules}, Stdout: &out, Stderr: &errs}
		if status := p.Run(t.Context()); status != 1 || !strings.Contains(errs.String(), c.want) || !strings.Contains(errs.String(), "AUTH_PASSWORD_VALIDATORS") {
			t.Errorf("%s: status %d, %q; want it to say %q", c.rules, status, errs.String(), c.want)
		}
	}
}

// TestPasswordValidatorsInFile: a rule is a text, or a table as Django's settings have it.
func TestPasswordValidatorsInFile(t *testing.T) {
	t.Parallel()
	const module = "django.contrib.auth.password_validation."
	for text, want := range map[string]string{
		`auth_password_validators = ["MinimumLengthValidator?min_length=10"]`:                                                                                                                                                         "MinimumLengthValidator?min_length=10",
		`auth_password_validators = [{NAME = "` + module + `MinimumLengthValidator", OPTIONS = {min_length = 10}}, "NumericPasswordValidator"]`:                                                                                       module + "MinimumLengthValidator?min_length=10 NumericPasswordValidator",
		"[[auth_password_validators]]\nNAME = \"NumericPasswordValidator\"\n[[auth_password_validators]]\nNAME = \"UserAttributeSimilarityValidator\"\nOPTIONS = {user_attributes = [\"email\", \"username\"], max_similarity = 0.5}": "NumericPasswordValidator UserAttributeSimilarityValidator?max_similarity=0.5&user_attributes=email&user_attributes=username",
		`auth_password_validators = []`:                             "",
		`auth_password_validators = "NumericPasswordValidator"`:     "!",
		`auth_password_validators = [7]`:                            "!",
		`auth_password_validators = [{OPTIONS = {min_length = 1}}]`: "!",
		`auth_password_validators = [{NAME = "x", OPTION = {}}]`:    "!",
		`auth_password_validators = [{NAME = "x", OPTIONS = 7}]`:    "!",
	} {
		file := filepath.Join(t.TempDir(), "site.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := manage.Load(file, nil)
		if want == "!" {
			if err == nil || !strings.Contains(err.Error(), "site.toml:1: auth_password_validators ") {
				t.Errorf("%s: got %v", text, err)
			}
			continue
		}
		if err != nil || strings.Join(s.AuthPasswordValidators, " ") != want {
			t.Errorf("%s: got %q, %v, want %q", text, s.AuthPasswordValidators, err, want)
		}
	}
}
