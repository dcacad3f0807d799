// Testlog reads the output of "go test -json" and prints what a person wants of it: a line for each package, what failing tests
// said, why tests were skipped, and the lines of the vectors.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

func main() {
	output := map[string][]string{}
	failed := false
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text())
			continue
		}
		id := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[id] = append(output[id], e.Output)
			if strings.HasPrefix(e.Output, "vectors ") || strings.HasPrefix(e.Output, "# ") || e.Action == "build-output" {
				fmt.Print(e.Output)
			}
		case "skip":
			if e.Test != "" {
				fmt.Printf("SKIP %s\n%s", id, strings.Join(output[id], ""))
			}
		case "fail":
			failed = true
			fmt.Printf("FAIL %s\n%s", id, strings.Join(output[id], ""))
		case "pass":
			if e.Test == "" {
				fmt.Printf("ok   %s %.1fs\n", e.Package, e.Elapsed)
			}
		}
	}
	if failed {
		os.Exit(1)
	}
}
