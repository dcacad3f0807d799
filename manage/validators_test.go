package manage_test

import (
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
