package integration_test

import (
	"flag"
	"runtime"
	"strconv"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
)

// together is how many tests run at once, if the command line does not say: most of them wait for something.
const together = 6

func TestMain(m *testing.M) {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		if err := flag.Set("test.parallel", strconv.Itoa(max(together, runtime.GOMAXPROCS(0)))); err != nil {
			panic(err)
		}
	}
	harness.Main(m)
}
