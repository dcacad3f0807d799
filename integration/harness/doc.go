// Package harness runs the programs of this project as an operator would, and breaks what is around them: it builds binaries once per
// test run, starts, stops and kills processes, and stands between a program and its database.
package harness
