package browser_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// A recorder keeps what the browser says about a site while a person uses it.
type recorder struct {
	base *url.URL

	mu       sync.Mutex
	allowed  []string // hosts beside the site's, on which it counts on people to go
	requests []string // every address that was asked for
	faults   []string // what is held against the site
	kinds    []page.NavigationType
	bytes    map[network.RequestID]float64 // received, headers included
}

func newRecorder(base *url.URL) *recorder {
	return &recorder{base: base, bytes: map[network.RequestID]float64{}}
}

// event takes an event of the DevTools protocol.
func (r *recorder) event(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		r.requests = append(r.requests, e.Request.URL)
		if u, err := url.Parse(e.Request.URL); err != nil || u.Host != r.base.Host && u.Scheme != "data" && !slices.Contains(r.allowed, u.Host) {
			r.fault("foreign request: %s", e.Request.URL)
		}
	case *network.EventLoadingFinished:
		r.bytes[e.RequestID] = e.EncodedDataLength
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			r.kinds = append(r.kinds, e.Type)
		}
	case *runtime.EventConsoleAPICalled:
		if slices.Contains([]string{"error", "warning", "assert"}, string(e.Type)) {
			r.fault("console.%s: %s", e.Type, arguments(e.Args))
		}
	case *runtime.EventExceptionThrown:
		r.fault("exception: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// An answer of 400 and above is an entry too; the tests themselves look at the status of pages.
		if e.Entry.Level == "error" && !(e.Entry.Source == "network" && strings.Contains(e.Entry.Text, "the server responded with a status of")) {
			r.fault("log: %s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		if e.Issue.Code == audits.InspectorIssueCodeBounceTrackingIssue && r.allowed != nil {
			return // the other site's, which has nobody type anything
		}
		r.fault("issue: %s", describe(e.Issue))
	}
}

// allow lets people go to another host.
func (r *recorder) allow(host string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.allowed = append(r.allowed, host)
}

func (r *recorder) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// check fails the test with what is held against the site.
func (r *recorder) check(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, fault := range r.faults {
		t.Error(fault)
	}
	if len(r.requests) == 0 {
		t.Error("the recorder saw no request at all")
	}
}

// navigations is the number of pages that the tab has shown.
func (r *recorder) navigations() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kinds)
}

// restored reports whether the last page came from the back/forward cache.
func (r *recorder) restored() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kinds) > 0 && r.kinds[len(r.kinds)-1] == page.NavigationTypeBackForwardCacheRestore
}

// weigh forgets what was received and asked for so far, takes the step, and returns the bytes and the requests of it.
func (r *recorder) weigh(step func()) (bytes int, requests []string) {
	r.mu.Lock()
	clear(r.bytes)
	r.requests = nil
	r.mu.Unlock()
	step()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.bytes {
		bytes += int(n)
	}
	return bytes, slices.Clone(r.requests)
}

func arguments(args []*runtime.RemoteObject) string {
	var texts []string
	for _, a := range args {
		if a.Description != "" {
			texts = append(texts, a.Description)
			continue
		}
		texts = append(texts, string(a.Value))
	}
	return strings.Join(texts, " ")
}

func describe(issue *audits.InspectorIssue) string {
	text := string(issue.Code)
	if d := issue.Details; d != nil {
		if c := d.ContentSecurityPolicyIssueDetails; c != nil {
			text += fmt.Sprintf(" %s %s %s", c.ContentSecurityPolicyViolationType, c.ViolatedDirective, c.BlockedURL)
		}
		if c := d.GenericIssueDetails; c != nil {
			text += fmt.Sprintf(" %s %s", c.ErrorType, c.ViolatingNodeAttribute)
		}
	}
	return text
}
