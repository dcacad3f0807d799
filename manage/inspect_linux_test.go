package manage_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cardea-go/cardea/manage"
)

// TestInspectOnScreen: a secret key that goes to a terminal is said to, and how to avoid it; one that goes elsewhere is not.
func TestInspectOnScreen(t *testing.T) {
	t.Parallel()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, to := range []*os.File{screen, file} {
		var said bytes.Buffer
		p := manage.Program{Args: []string{"inspect-django", "../internal/inspect/testdata/startproject-5.2.json"}, Stdin: strings.NewReader(""), Stdout: to, Stderr: &said}
		if status := p.Run(t.Context()); status != 0 {
			t.Fatalf("status %d: %s", status, &said)
		}
		if got := strings.Contains(said.String(), "shows the secret key of the site on your screen; --out FILE.toml"); got != (to == screen) {
			t.Errorf("to %s: it was said: %v\n%s", to.Name(), got, &said)
		}
	}
}
