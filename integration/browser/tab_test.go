package browser_test

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/cardea-go/cardea/integration/harness"
)

// patience bounds one step in the browser.
const patience = harness.Patience

// A tab is one person's browser window, with cookies of its own, on one site. A step that cannot be taken ends the test.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base *url.URL
	seen *recorder
}

// open opens a tab on the site at that address. When the test ends, whatever the recorder holds against the site fails it.
func open(t *testing.T, site string) *tab {
	t.Helper()
	b := openUnwatched(t, site)
	t.Cleanup(func() { b.seen.check(t) })
	return b
}

// openUnwatched is open for a site that is meant to misbehave.
func openUnwatched(t *testing.T, site string) *tab {
	t.Helper()
	if chromium == nil {
		if os.Getenv("CARDEA_TEST_REQUIRE") == "1" {
			t.Fatalf("no Chromium (scripts/install.sh installs it): %v", missing)
		}
		t.Skipf("no Chromium (scripts/install.sh installs it): %v", missing)
	}
	ctx, cancel := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	return newTab(t, ctx, site)
}

// another opens a second tab of the same person.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	second := newTab(b.t, ctx, b.base.String())
	b.t.Cleanup(func() { second.seen.check(b.t) })
	return second
}

func newTab(t *testing.T, ctx context.Context, site string) *tab {
	t.Helper()
	base, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, ctx: ctx, base: base, seen: newRecorder(base)}
	b.must("listen", chromedp.Listen(ctx, b.seen.event))
	call(b, network.Enable, network.EnableParams{})
	call(b, audits.Enable, cdp.Empty{})
	b.size(1280, 800)
	b.theme("light")
	return b
}

func (b *tab) must(step string, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s: %v", step, err)
	}
}

// call sends a command of the DevTools protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	b.must(command.Method, err)
	return result
}

// eval evaluates an expression in the page. It does so too where the page's own scripts are switched off. When the page goes
// away meanwhile, the one that follows is asked.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
		if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "Inspected target navigated") {
			b.must("evaluate "+expression, err)
			return value
		}
	}
}

// goes takes a step that leads to another page, waits for it, and returns its status.
func (b *tab) goes(step string, actions ...chromedp.Action[chromedp.Void]) int {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	resp, err := chromedp.RunResponse(ctx, actions...)
	b.must(step, err)
	if resp == nil {
		return 0 // from the back/forward cache
	}
	return int(resp.Status)
}

func (b *tab) do(step string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	b.must(step, chromedp.Do(ctx, actions...))
}

// visit opens an address, relative to the site, and returns the status.
func (b *tab) visit(path string) int {
	b.t.Helper()
	u, err := b.base.Parse(path)
	b.must("address", err)
	return b.goes("open "+path, chromedp.Navigate(u.String()))
}

// write puts text into the field of that name by the keyboard, over what is there.
func (b *tab) write(field, text string) {
	b.t.Helper()
	b.do("write "+field, chromedp.Focus(chromedp.CSS("[name="+field+"]")))
	eval[bool](b, "document.activeElement.select(), true")
	if text == "" {
		b.do("clear "+field, chromedp.KeyEvent(kb.Delete))
		return
	}
	call(b, input.InsertText, input.InsertTextParams{Text: text})
}

// press presses the button with that label and waits for the page that follows.
func (b *tab) press(label string) int {
	b.t.Helper()
	return b.goes("press "+label, chromedp.Click("//main//button[normalize-space()='"+label+"']"))
}

// key presses keys of the keyboard, one after the other; a page that follows is not waited for. A real keyboard's events come as
// these do: one for the key and one for the character, which the browser leaves out where the first has led to something.
func (b *tab) key(keys string, modifiers ...kb.Modifier) {
	b.t.Helper()
	for _, r := range keys {
		for _, event := range kb.Encode(r) {
			if event.Type == kb.KeyDown {
				event.Type = input.DispatchKeyEventTypeRawKeyDown
			}
			for _, m := range modifiers {
				event.Modifiers |= int64(m)
			}
			call(b, input.DispatchKeyEvent, *event)
		}
	}
}

// path is where the tab is, without the site's address.
func (b *tab) path() string {
	b.t.Helper()
	u, err := url.Parse(eval[string](b, "location.href"))
	b.must("location", err)
	return u.RequestURI()
}

// at fails the test unless the tab is at that path, whatever the query.
func (b *tab) at(path string) {
	b.t.Helper()
	if got, _, _ := strings.Cut(b.path(), "?"); got != path {
		b.t.Fatalf("at %s, want %s\n%s", got, path, b.text())
	}
}

// text is what a person reads on the page.
func (b *tab) text() string {
	b.t.Helper()
	return eval[string](b, "document.body ? document.body.innerText : ''")
}

// sees fails the test unless the page shows all of the texts.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	shown := b.text()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			b.t.Fatalf("at %s there is no %q:\n%s", b.path(), text, shown)
		}
	}
}

// lacks fails the test if any of the texts is anywhere in the page's source, shown or not.
func (b *tab) lacks(texts ...string) {
	b.t.Helper()
	source := eval[string](b, "document.documentElement.outerHTML")
	for _, text := range texts {
		if strings.Contains(source, text) {
			b.t.Fatalf("at %s there is %q:\n%s", b.path(), text, source)
		}
	}
}

// title fails the test unless the page's title begins so.
func (b *tab) title(prefix string) {
	b.t.Helper()
	if got := eval[string](b, "document.title"); !strings.HasPrefix(got, prefix) {
		b.t.Errorf("the title is %q, want it to begin with %q", got, prefix)
	}
}

// scripts switches the page's scripts on or off, as the browser's own setting does.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// size makes the window so large, in CSS pixels.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// theme is "light" or "dark", as the person's system says.
func (b *tab) theme(name string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: name},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	})
}

// forget throws away the person's cookies of the site.
func (b *tab) forget() {
	b.t.Helper()
	call(b, network.ClearBrowserCookies, cdp.Empty{})
}

// step goes steps back (or, above 0, forward) in the tab's history, as the browser's own buttons do, and waits for the page.
func (b *tab) step(steps int) {
	b.t.Helper()
	history := call(b, page.GetNavigationHistory, cdp.Empty{})
	i := int(history.CurrentIndex) + steps
	if i < 0 || i >= len(history.Entries) {
		b.t.Fatalf("step %d: the history has %d entries and we are at %d", steps, len(history.Entries), history.CurrentIndex)
	}
	n := b.seen.navigations()
	call(b, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: history.Entries[i].ID})
	b.until("the page of the history", func() bool { return b.seen.navigations() > n })
	b.until("the page is loaded", func() bool { return eval[string](b, "document.readyState") == "complete" })
}

// until waits for a condition.
func (b *tab) until(what string, holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited in vain: %s; at %s:\n%s", what, b.path(), b.text())
		}
	}
}

// backToTheStart goes back page by page, and fails the test if any of them has one of the texts.
func (b *tab) backToTheStart(private ...string) {
	b.t.Helper()
	steps := 0
	for call(b, page.GetNavigationHistory, cdp.Empty{}).CurrentIndex > 0 {
		b.step(-1)
		b.lacks(private...)
		steps++
	}
	if steps < 3 {
		b.t.Errorf("went back only %d steps", steps)
	}
}
