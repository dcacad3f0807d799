package manage_test

import (
	"context"
	"os"
	"os/signal"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cardea-go/cardea/manage"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"cardea": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			os.Exit(manage.Main(ctx, "0.0.0-test"))
		},
		"outbox": fillOutbox,
	})
}

// TestScripts runs the commands as a person types them, each script in a folder of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
