package manage_test

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"testing"
	"time"

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
		"sql":    runSQL,
	})
}

// TestScripts runs the commands as a person types them, each script in a folder of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Cmds:  map[string]func(ts *testscript.TestScript, neg bool, args []string){"age": age, "mode": mode},
		Setup: bringFacts,
	})
}

// age makes a file older: "age 2s FILE".
func age(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: age DURATION FILE")
	}
	by, err := time.ParseDuration(args[0])
	ts.Check(err)
	then := time.Now().Add(-by)
	ts.Check(os.Chtimes(ts.MkAbs(args[1]), then, then))
}

// mode checks who may read a file: "mode 600 FILE".
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s has the mode %s, want %s", args[1], got, args[0])
	}
}

// bringFacts puts the recorded facts of Django projects where a script finds them.
func bringFacts(env *testscript.Env) error {
	return os.CopyFS(filepath.Join(env.WorkDir, "facts"), os.DirFS("../internal/inspect/testdata"))
}
