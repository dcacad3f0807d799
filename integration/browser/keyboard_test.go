package browser_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/cardea-go/cardea/integration/harness"
)

// TestKeyboard is the whole path with no pointer: every stop can be reached, can be seen, and comes in the order of the page.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := serve(t, harness.CheapHashing)
	b := open(t, s.url)

	b.visit(s.setup)
	b.stop("input#id_username") // where the page itself puts the focus
	b.key(name)
	b.tabTo("input#id_email")
	b.key(email)
	b.tabTo("input#id_password")
	b.key(secret)
	b.tabTo("button Show the password")
	b.tabTo("button Make the account")
	b.enter("/accounts/login/")

	b.stop("input#id_username")
	b.key(name)
	b.tabTo("input#id_password")
	b.key("not " + secret)
	b.enter("/accounts/login/") // sends the form from its field
	b.wrongPassword()
	b.stop("input#id_password")
	b.backTabTo("input#id_username")
	b.backTabTo("a The user name and the password do not match. Check both; capital letters count.")
	b.key(kb.Enter)
	b.stop("input#id_password") // where the link of the problem leads
	b.key(secret)
	b.tabTo("button Show the password")
	b.key(" ")
	b.until("the password shows", func() bool { return eval[string](b, `document.getElementById("id_password").type`) == "text" })
	b.count("button[aria-pressed=true]", 1)
	b.tabTo("input Keep me signed in on this device")
	b.key(" ")
	b.count("input[name=remember]:checked", 1)
	b.tabTo("button Log in")
	b.enter("/accounts/profile/")

	b.tabTo("a Skip to the content")
	b.key(kb.Enter)
	b.until("the focus is on the content", func() bool { return eval[string](b, "document.activeElement.id") == "main" })
	b.tabOnTo("button Log out")
	b.enter("/accounts/logout/")
	b.sees("You are logged out.")
	b.tabTo("a Skip to the content")
	b.tabTo("a Cardea")
	b.tabTo("a Log in again")
	b.enter("/accounts/login/")
}

// tabTo presses Tab and checks where that leads.
func (b *tab) tabTo(want string) {
	b.t.Helper()
	b.key(kb.Tab)
	b.stop(want)
}

// tabOnTo presses Tab until the focus is there, past whatever else the page has, all of which has to be visible too.
func (b *tab) tabOnTo(want string) {
	b.t.Helper()
	for range 20 {
		b.key(kb.Tab)
		got := b.focused()
		b.stop(got)
		if got == want {
			return
		}
	}
	b.t.Fatalf("at %s Tab does not lead to %q", b.path(), want)
}

func (b *tab) backTabTo(want string) {
	b.t.Helper()
	b.key(kb.Tab, kb.ModifierShift)
	b.stop(want)
}

// enter presses Enter and waits for the page at path.
func (b *tab) enter(path string) {
	b.t.Helper()
	n := b.seen.navigations()
	b.key(kb.Enter)
	b.until("the page after Enter", func() bool { return b.seen.navigations() > n })
	b.until("the page is loaded", func() bool { return eval[string](b, "document.readyState") == "complete" })
	b.at(path)
}

// stop checks that the focus is on the named element: its tag, and its id or what it is called. It has to be inside of the window,
// on top, and marked by an outline of at least two pixels.
func (b *tab) stop(want string) {
	b.t.Helper()
	got := ""
	for deadline := time.Now().Add(5 * time.Second); got != want; time.Sleep(10 * time.Millisecond) {
		if got = b.focused(); got != want && time.Now().After(deadline) {
			b.t.Fatalf("at %s the focus is on %q, want %q", b.path(), got, want)
		}
	}
	fault := ""
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) { // the page may still be scrolling there
		if fault = b.unseen(); fault == "" || time.Now().After(deadline) {
			break
		}
	}
	if fault != "" {
		b.t.Errorf("at %s the focus on %q cannot be seen: %s", b.path(), want, fault)
	}
}

// unseen says why the focus cannot be seen, "" if it can.
func (b *tab) unseen() string {
	b.t.Helper()
	return eval[string](b, `(() => {
		const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
		if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return "no outline";
		if (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight) return "outside of the window: " + [box.left, box.top, box.right, box.bottom].map(Math.round) + " in " + innerWidth + "x" + innerHeight;
		const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
		return e.contains(top) ? "" : "hidden behind " + (top && top.tagName);
	})()`)
}

// focused names the element that has the focus; "" while the page loads.
func (b *tab) focused() string {
	b.t.Helper()
	return eval[string](b, `(() => {
		const e = document.activeElement;
		if (!e || document.readyState !== "complete") return "";
		const tag = e.tagName.toLowerCase();
		const label = e.getAttribute("aria-label") || (e.labels && e.labels[0] && !e.id ? e.labels[0].textContent : e.textContent);
		return e.id && !e.id.startsWith("main") ? tag + "#" + e.id : (tag + " " + label.trim());
	})()`)
}
