package respond

import "strings"

// VaryByCookie adds "Vary: Cookie" to the response, unless it says so already: no cache may show it to somebody else.
func (x *Exchange) VaryByCookie() {
	h := x.Header()
	for _, line := range h["Vary"] {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field == "*" || strings.EqualFold(field, "Cookie") {
				return
			}
		}
	}
	h["Vary"] = append(h["Vary"], "Cookie")
}
