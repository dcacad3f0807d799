package manage_test

import (
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/internal/testdb"
)

// TestNoHashIsShown (CVE-2018-16984): of a stored password no command shows more than the name of its algorithm.
func TestNoHashIsShown(t *testing.T) {
	t.Parallel()
	d := newDesk(t, testdb.New(t, "sqlite"), cardea.Default)
	stored := cardeatest.User(t, d.db, "ada", "correct horse").Password
	parts := strings.Split(stored, "$")
	if len(parts) < 3 {
		t.Fatalf("the stored password is %q", stored)
	}
	for _, command := range []string{"user list", "user list --json", "user show ada", "user show ada --json", "user groups ada --json", "sessions list", "sessions list --json"} {
		out := d.does(strings.Fields(command)...)
		for _, part := range parts[1:] {
			if len(part) > 4 && strings.Contains(out, part) {
				t.Errorf("cardea %s shows %q of %q:\n%s", command, part, stored, out)
			}
		}
		if command == "user show ada" && !strings.Contains(out, parts[0]) {
			t.Errorf("the control: cardea %s does not name the algorithm %s:\n%s", command, parts[0], out)
		}
	}
}
