package browser_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"github.com/cardea-go/cardea/integration/harness"
)

// chromium is the one browser of this package's tests; each tab that a test opens has cookies and a cache of its own. It is nil
// where there is none.
var chromium context.Context

// missing says why chromium is nil.
var missing error

func TestMain(m *testing.M) {
	harness.Main(withChromium{m})
}

// withChromium runs the tests while Chromium runs.
type withChromium struct{ *testing.M }

func (m withChromium) Run() int {
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing = err
		return m.M.Run()
	}
	home, err := os.MkdirTemp("", "cardea-chromium-")
	if err != nil {
		missing = err
		return m.M.Run()
	}
	defer os.RemoveAll(home)
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(home),
		chromedp.NoSandbox,
		chromedp.Headless,
		chromedp.DisableGPU,
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("force-color-profile", "srgb"),
		// Names that a site can be asked for under another host, all of them this machine.
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1"),
	)
	defer stop()
	ctx, cancel := chromedp.NewContext(allocator)
	defer cancel()
	version, err := chromedp.CallBrowser(ctx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		missing = fmt.Errorf("%s does not start: %w", path, err)
		return m.M.Run()
	}
	fmt.Println("browser:", strings.TrimSpace(version.Product))
	chromium = ctx
	return m.M.Run()
}
