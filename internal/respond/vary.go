package respond

import "strings"

// VaryByCookie adds "Vary: Cookie" to the response, unless it says so already: no cache may show it to somebody else.
func (x *Exchange) VaryByCookie() { x.VaryBy("Cookie") }

// VaryBy is VaryByCookie for a header of any name.
func (x *Exchange) VaryBy(name string) {
	h := x.Header()
	for _, line := range h["Vary"] {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field == "*" || strings.EqualFold(field, name) {
				return
			}
		}
	}
	h["Vary"] = append(h["Vary"], name)
}
