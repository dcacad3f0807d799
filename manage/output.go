package manage

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// output is the flag of commands that print lists.
type output struct {
	JSON bool `name:"json" help:"Print JSON, for programs."`
}

// A listing is something to be printed: rows as JSON, or as a table for people.
type listing struct {
	rows   any        // a slice, or a struct
	header []string   // none: names and values
	lines  [][]string // the cells of each row
	none   string     // what to say when there are no lines
}

func (o output) print(w io.Writer, l listing) error {
	if o.JSON {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(l.rows)
	}
	if len(l.lines) == 0 {
		_, err := fmt.Fprintln(w, l.none)
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if l.header != nil {
		fmt.Fprintln(table, strings.Join(l.header, "\t"))
	}
	for _, line := range l.lines {
		for i, text := range line {
			if i > 0 {
				fmt.Fprint(table, "\t")
			}
			fmt.Fprint(table, cell(text))
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// cell is text as it can stand in a table on a terminal: what strangers chose must not move the cursor or turn the line around.
func cell(text string) string {
	if text == "" {
		return "-"
	}
	plain := true
	for _, r := range text {
		plain = plain && strconv.IsPrint(r)
	}
	if plain {
		return text
	}
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// cellTime is a time in a table, in UTC.
func cellTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// optional is a time in JSON: null when there is none.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
