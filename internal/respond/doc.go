// Package respond is the outermost layer of a site: it puts one value, the [Exchange], into each request's context, where
// every other layer keeps its own state, and it wraps the response writer so that those layers have a last word before the
// header goes out.
//
// The rules, each held by a test:
//
//  1. Hooks run once, before the final header, whatever sends it: WriteHeader, Write, WriteString, ReadFrom, Flush,
//     FlushError, Hijack, or the handler returning. An informational header (100 to 199) passes without them; 101 is final.
//  2. Inner hooks, registered later, run first. Each sees the status: the handler's, 101 for a Hijack, and 500 after a
//     panic or after another hook's error.
//  3. A hook's error, or its panic, replaces the response: the header goes back to the [Exchange.Snapshot], keeping Vary
//     and the cookies of the hooks that did not fail; Config.Error writes a page; what the handler writes, then
//     and later, is discarded and looks successful to it. The remaining hooks still run, none runs again.
//  4. A panic before the header runs the hooks with status 500 and is answered by Config.Error with a [*PanicError]. A panic
//     after the header is logged, and the connection or stream is broken off, so that nobody takes half a page for a whole
//     one. [http.ErrAbortHandler] always passes through.
//  5. The writer has those of [http.Flusher], [http.Hijacker], [io.ReaderFrom] and [http.Pusher] that the server's writer
//     has, and Unwrap for [http.ResponseController]; a Flush or Hijack by way of the controller meets the hooks too.
//  6. A Hijack that would swallow a cookie set by a hook is refused with [ErrCookieLost]. The handler may still answer, and
//     that answer carries the cookie.
//  7. [Finisher.Finish] runs when the handler is done, however it ended, and may save what changed after the header.
//  8. What comes too late for the header is told so by [Exchange.Late], and logged with the file and line of the app.
//
// A Handler inside another one (a site inside a site) has an Exchange of its own, which finds the outer one's values.
//
// The Exchange and its writer may be used from another goroutine than the handler's, as under [http.TimeoutHandler]; two
// goroutines must not write at the same time, as always in net/http.
package respond
