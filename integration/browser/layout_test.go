package browser_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// faults looks for what axe-core does not measure: sideways scrolling, small targets, text that is cut off when a person needs it
// wider apart (WCAG 1.4.10, 2.5.8, 1.4.12), and a page without its one heading, language or title.
func (b *tab) faults() []string {
	b.t.Helper()
	return eval[[]string](b, `(() => {
		const faults = [], root = document.documentElement;
		const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.className ? "." + e.className : "");
		const all = () => [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility());
		const wide = (when) => {
			if (root.scrollWidth > root.clientWidth) faults.push("scrolls sideways" + when + ": " + root.scrollWidth + " of " + root.clientWidth);
			for (const e of all()) {
				const box = e.getBoundingClientRect();
				if (box.right > root.clientWidth + 1 && box.right > 0) faults.push("sticks out" + when + ": " + name(e));
				if (getComputedStyle(e).overflow !== "visible" && e.scrollHeight > e.clientHeight + 1 && e.tagName !== "TEXTAREA") faults.push("is cut off" + when + ": " + name(e));
			}
		};
		wide("");
		for (const e of all().filter((e) => e.matches("a[href], button, input, textarea"))) {
			const box = e.getBoundingClientRect();
			if (getComputedStyle(e).display !== "inline" && !e.matches(".skip") && (box.width < 24 || box.height < 24)) faults.push("small target: " + name(e) + " " + box.width + "x" + box.height);
		}
		const spaced = new CSSStyleSheet();
		spaced.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }");
		document.adoptedStyleSheets = [spaced];
		wide(" with wide text");
		document.adoptedStyleSheets = [];
		if (document.querySelectorAll("h1").length !== 1) faults.push("headings: " + document.querySelectorAll("h1").length);
		if (!root.lang) faults.push("no language");
		if (!document.title) faults.push("no title");
		if (document.querySelectorAll("style, [style], script:not([src]), [onclick]").length) faults.push("inline style or script");
		if (document.querySelectorAll("[autocomplete=off]").length) faults.push("autocomplete off");
		return faults;
	})()`)
}

// TestLayout is the control: on a page with faults, they are found.
func TestLayout(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">
<p style="width:1000px">wide</p><button style="width:10px;height:10px;padding:0"></button><h1>a</h1><h1>b</h1>
<div style="overflow:hidden;height:1.15em;font-size:16px">tight</div><input autocomplete="off">`)
	}))
	t.Cleanup(site.Close)
	b := openUnwatched(t, site.URL)
	b.size(320, 800)
	b.visit("/")
	found := b.faults()
	t.Logf("%q", found)
	for _, want := range []string{"scrolls sideways: ", "sticks out: p", "small target: button", "is cut off with wide text: div", "headings: 2", "no language", "no title", "inline style", "autocomplete off"} {
		if !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, want) }) {
			t.Errorf("not found: %s", want)
		}
	}
}
