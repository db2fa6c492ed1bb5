package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// maxReplays bounds how often net/http may send one request by itself on
// HTTP/2, where it replays after a stream reset for as long as the server goes
// on resetting: hundreds of times a second were measured.
const maxReplays = 3

var (
	errDetached   = errors.New("a middleware sent the request with a context that is not derived from the request's own")
	errRepeated   = errors.New("a middleware tried to send the request a second time")
	errOrigin     = errors.New("a middleware sent the request to another origin than the base URL's")
	errReplayKey  = errors.New("a middleware set an Idempotency-Key header, which makes net/http repeat the request")
	errOverdue    = error(&net.OpError{Op: "send", Err: context.DeadlineExceeded})
	errLate       = errors.New("a middleware sent the request after its attempt had ended")
	errReplay     = errors.New("net/http may not replay the request: part of it may have been sent")
	errReplayLoop = errors.New("net/http went on replaying the request")
	errUnpaid     = errors.New("the request was not repeated: the client's retry quota is spent")
)

// IsOverdue reports whether the deadline of a context has passed by the clock on the
// wall: its timer stands still while a machine sleeps, and the goroutines of a process
// that was frozen may go on before it fires. Others have long taken over then what the
// process was about to do.
func IsOverdue(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline.Round(0)) <= 0
}

// Budget is what pays for repeats.
type Budget interface {
	// Take pays for one and returns its price, or reports that nothing is left.
	Take(afterTimeout bool) (price int, ok bool)
}

// Attempt watches one sending of a request from below, where net/http's own
// repeats can be seen and stopped. It is the context of that sending.
type Attempt struct {
	context.Context
	origin string            // scheme://host that the request must go to
	once   bool              // nothing above may send it a second time
	budget Budget            // pays for what is sent again
	cancel func(cause error) // ends the attempt
	trace  httptrace.ClientTrace

	mu        sync.Mutex
	over      bool  // somebody was told that nothing was sent
	passes    int   // times that the request came down
	below     int   // of them, those that have not come back
	failed    bool  // the last that came back brought no answer
	connected int   // connections that net/http gave to the request
	before    int   // of them, those of earlier passes
	own       bool  // one of them is of the pool below
	conn      *conn // the latest of them, if its writes can be counted
	mark      int   // its count of writes when it was handed over
	sent      bool  // bytes of the request may have left on an earlier one, or uncounted
	replayed  bool  // it got another one after that
	paid      int   // what that has cost the budget
	ended     bool
	pool      *pool       // where the request is under way, nil if it is not, or there is none
	dialled   []*dialling // for the request, since it got a connection last
}

// NewAttempt starts to watch one sending of a request to origin, within ctx,
// which cancel ends, and returns the context to send it with: it has net/http
// report the connections that it takes. once refuses a second sending by a
// middleware; any that is not refused, net/http's own among them, is paid for by
// budget.
func NewAttempt(ctx context.Context, cancel func(cause error), origin string, once bool, budget Budget) (*Attempt, context.Context) {
	a := &Attempt{Context: ctx, origin: origin, once: once, budget: budget, cancel: cancel}
	a.trace.GotConn = a.gotConn
	return a, httptrace.WithClientTrace(a, &a.trace)
}

type attemptKey struct{}

// Value finds the attempt itself, for the guard.
func (a *Attempt) Value(key any) any {
	if key == (attemptKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// End ends the watch, when the answer has been read or there is none. It reports
// whether the request may have been sent besides what was answered, by net/http or
// by a middleware, and what that has cost the budget.
func (a *Attempt) End() (replayed bool, paid int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	a.replayed = a.replayed || a.below > 0 // a copy that a middleware did not wait for
	if a.failed {                          // then a middleware has answered, and not the server
		a.settle()
		a.replayed = a.replayed || a.sent
	}
	for _, d := range a.dialled {
		a.pool.over(d)
	}
	a.dialled = nil
	if a.pool != nil {
		a.pool.requests.Add(-int64(a.passes))
		a.pool = nil
	}
	return a.replayed, a.paid
}

// dials notes a dial to address for the request, and reports whether it may begin at
// once. A dial for a request whose attempt has ended always may: nothing would end
// its wait.
func (a *Attempt) dials(d *dialling, address string) (begin bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pool != d.pool {
		return true
	}
	d.lane = lane{a.origin, address}
	a.dialled = append(a.dialled, d)
	return a.pool.enter(d)
}

// Connected reports whether there was a connection for the request.
func (a *Attempt) Connected() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.connected > 0
}

// MaybeSent reports, after the attempt failed with err, whether anything of
// the request may have left this machine. If it says no, nothing of it will
// leave later either.
func (a *Attempt) MaybeSent(err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = !a.maybeSent(err)
	a.failed = false // which is told now
	return !a.over
}

func (a *Attempt) maybeSent(err error) bool {
	switch {
	case a.below > 0:
		// A middleware did not wait for the outcome: net/http still has the
		// request, and may get another connection for it.
		return true
	case a.passes > 0:
		a.settle()
		return a.sent
	default:
		// A middleware did not hand the request down. Only the error can say
		// that nothing was sent, unless there was a connection all the same.
		return !isRefusal(err) && (a.sent || !neverConnected(err))
	}
}

// settle closes the account of the current connection. While the request is under
// way several times at once, that one may be about to be written to.
func (a *Attempt) settle() {
	if a.conn != nil && (a.below > 1 || !a.conn.seal(a.mark)) {
		a.sent = true
	}
	a.conn = nil
}

// gotConn is called by net/http each time that it has a connection for the
// request and is about to write.
func (a *Attempt) gotConn(info httptrace.GotConnInfo) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.below == 0 {
		// A request of a middleware's own: for a token say, or in the place of the
		// one that is watched.
		a.sent = true
		return
	}
	a.settle()
	a.connected++
	c, shared := beneath(info.Conn)
	own := c != nil && c.pool == a.pool
	if c != nil {
		a.have(c, shared)
	}
	if shared {
		c = nil
	}
	if IsOverdue(a) { // to connect takes time, too
		a.sent = a.sent || c == nil
		a.stop(c, errOverdue)
		return
	}
	if a.sent && !a.again(c, own && a.own) {
		return
	}
	a.own = a.own || own
	if c != nil {
		a.conn, a.mark = c, c.mark()
		return
	}
	a.sent = true
	if a.connected-a.before > maxReplays {
		a.cancel(errReplayLoop)
	}
}

// have notes, for the pool, that the request has got c, and so needs no dials any
// more. While it is under way several times at once, another copy may need them.
func (a *Attempt) have(c *conn, shared bool) {
	if shared {
		c.leave() // it will never be one that no request has
	}
	if len(a.dialled) > 0 && a.below == 1 && c.pool == a.pool {
		a.pool.got(a.dialled)
		a.dialled = nil
	}
}

// again notes that the request is about to be sent once more. It ends the attempt, and
// reports false, if that must not be, or there is nobody to pay for it. Only where ours
// says that it had a connection of the pool before, too, is it no request of a
// dialler's, or of a transport beneath.
func (a *Attempt) again(c *conn, ours bool) bool {
	if a.once && ours {
		return a.stop(c, errReplay)
	}
	a.replayed = true
	if a.once {
		return true
	}
	if price, paid := a.budget.Take(false); paid {
		a.paid += price
		return true
	}
	return a.stop(c, errUnpaid)
}

// stop ends the attempt before anything is written to its latest connection.
func (a *Attempt) stop(c *conn, reason error) (begin bool) {
	if c != nil {
		c.seal(c.mark()) // the end of the context may come too late
	}
	a.cancel(reason)
	return false
}

// replay lets net/http have the body again only when it is certain that
// nothing of the request has left: the case of a kept-alive connection that
// turned out to be dead.
func (a *Attempt) replay(body func() (io.ReadCloser, error)) (io.ReadCloser, error) {
	a.mu.Lock()
	a.settle()
	sent := a.sent
	a.mu.Unlock()
	if sent {
		return nil, errReplay
	}
	return body()
}

// Guard is the last thing that a request passes before net/http. It refuses
// what middleware above must not do, and puts the witness in place.
type Guard struct {
	next    http.RoundTripper
	trusted bool  // next reports every connection
	pool    *pool // of next, nil if it has none
	limits  limits
	netHTTP *http.Transport // next, if nothing of the caller's gets requests from it
}

// NewGuard returns a guard in front of next. It trusts a Transport to report its
// connections, and nothing else.
func NewGuard(next http.RoundTripper) *Guard {
	if t, ok := next.(*Transport); ok {
		g := &Guard{next: t.Transport, trusted: reportsConnections(t.Transport), pool: &t.pool, limits: limits{shared: bubbles}}
		if len(t.TLSNextProto) == 0 { // as it is until net/http adds its own
			g.netHTTP = t.Transport
		}
		return g
	}
	return &Guard{next: next, limits: limits{shared: bubbles}}
}

// reportsConnections reports whether t speaks no protocol that would not tell of
// its connections.
func reportsConnections(t *http.Transport) bool {
	for protocol := range t.TLSNextProto {
		if protocol != "h2" && protocol != "unencrypted_http2" {
			return false
		}
	}
	return true
}

// IsNetHTTP reports whether nothing but net/http gets the requests.
func (g *Guard) IsNetHTTP() bool { return g.netHTTP != nil }

// TakeOverGzip has net/http, where there is nothing but that, ask for gzip only when a
// request does: it would do so each time, and to compress half a kilobyte costs the
// server more than it saves. It reports whether a request may ask. Whoever asks has to
// undo it.
func (g *Guard) TakeOverGzip() bool {
	may := !g.netHTTP.DisableCompression
	g.netHTTP.DisableCompression = true
	return may
}

// CloseIdleConnections closes the connections that next keeps for later.
func (g *Guard) CloseIdleConnections() {
	if c, ok := g.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip sends a request that carries an Attempt, and leaves it as it is.
func (g *Guard) RoundTrip(req *http.Request) (*http.Response, error) {
	a, err := admit(req)
	if err != nil {
		return refuse(req, err)
	}
	if req.GetBody != nil {
		own := *req
		req = &own
	}
	return g.Send(a, req)
}

// Send is RoundTrip for a request of a, which no middleware has seen, and which is the
// guard's to change.
func (g *Guard) Send(a *Attempt, req *http.Request) (resp *http.Response, err error) {
	if err := a.pass(g); err != nil {
		return refuse(req, err)
	}
	defer func() { a.passed(err != nil, g.trusted || neverConnected(err)) }()
	if body := req.GetBody; body != nil {
		req.GetBody = func() (io.ReadCloser, error) { return a.replay(body) }
	}
	resp, err = g.next.RoundTrip(req)
	return resp, err
}

// refuse answers a request that is not sent.
func refuse(req *http.Request, err error) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return nil, err
}

// admit finds the attempt that a request belongs to, or says what is wrong
// with the request.
func admit(req *http.Request) (*Attempt, error) {
	a, ok := req.Context().Value(attemptKey{}).(*Attempt)
	if !ok {
		return nil, errDetached
	}
	if scheme, host, _ := strings.Cut(a.origin, "://"); req.URL.Scheme != scheme || req.URL.Host != host {
		return nil, errOrigin
	}
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		// Without a value it is not sent, but net/http obeys it all the same.
		if _, ok := req.Header[name]; ok {
			return nil, errReplayKey
		}
	}
	return a, nil
}

// pass notes that the request goes down to net/http, unless it must not.
func (a *Attempt) pass(g *Guard) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.over:
		return errLate
	case a.once && a.passes > 0:
		return errRepeated
	case IsOverdue(a): // middlewares take time
		return errOverdue
	}
	if a.passes == 0 {
		a.sent = false // what went before it was another
	}
	a.passes++
	a.below++
	a.before = a.connected
	a.replayed = a.replayed || a.sent
	if g.pool != nil && !a.ended {
		a.pool = g.pool
		a.pool.requests.Add(1)
	}
	return nil
}

// passed notes that the transport is done with the request. failed says that it has no
// answer, and unsent that nothing was sent if no connection was seen. That is asked of
// the transport's own error, and not of what a middleware returns in the end, which may
// have failed at something else.
func (a *Attempt) passed(failed, unsent bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.below--
	a.failed = failed
	if !unsent && a.connected == a.before {
		a.replayed = a.replayed || a.sent // a copy was sent at the same time
		a.sent = true
	}
}
