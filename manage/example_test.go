package manage_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/cardea-go/cardea/manage"
)

// A program of one's own that offers Cardea's commands.
func ExampleProgram_Run() {
	p := manage.Program{
		Args:    []string{"version"},
		Stdin:   strings.NewReader(""),
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Version: "1.2.3",
	}
	fmt.Println("status", p.Run(context.Background()))
	// Output:
	// cardea 1.2.3
	// status 0
}
