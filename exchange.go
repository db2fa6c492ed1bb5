package videosdk

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/videosdk-sip-go/videosdk/internal/jsonscan"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
	"github.com/videosdk-sip-go/videosdk/internal/transport"
)

// maxBody is how much of an answer is read, after decompression.
const maxBody = 10 << 20

// errBrokeOff is an answer of which only the beginning came.
var errBrokeOff = fmt.Errorf("%w: the body could not be read to its end", ErrInvalidResponse)

// gzipBegins is the first byte of whatever gzip has written.
const gzipBegins = 0x1f

// exchange is one call on the wire: its attempts, what is known of each, and
// the decision to make another. A retryablehttp client of its own does the
// looping and the waiting; each roundTrip is one attempt.
type exchange struct {
	client  *Client
	request *request
	ctx     context.Context // the caller's, which limits the whole call
	loop    retryablehttp.Client
	http    http.Client     // of loop
	limit   transport.Limit // of the attempt that is under way
	// outgoing is what loop sends, again and again. Each attempt opens the body
	// for itself: net/http may still hold that of the one before.
	outgoing retryablehttp.Request
	open     func() (io.ReadCloser, error) // nil for no body
	length   int64                         // of the body

	attempts int
	retries  int // attempts that count against the caller's limit
	last     outcome
	before   error         // what the call would have returned without its last attempt
	bearer   *bearer       // the token of the last attempt
	better   *bearer       // the token for the next attempt, after a 401
	price    int           // what the last attempt, and its repeats by net/http, took from the quota
	took     time.Duration // how long the last attempt was, for the observers
	note     string        // why there is no further attempt, if that is not obvious

	ambiguous bool // an attempt may have been applied without saying so
	conflict  bool // an attempt met a 409
	fresh     bool // nothing had used the bearer before the last attempt
	renewed   bool // there was a better one
	cutShort  bool // only the end of the context kept it from another attempt
}

// outcome is what is known of one attempt.
type outcome struct {
	status     int // of the answer, 0 without one
	header     http.Header
	body       []byte // as much as could be read
	err        error  // no answer, or one that cannot be used
	verdict    retry.Verdict
	final      bool // another attempt would end in the same way
	untried    bool // there was no attempt, for want of a token
	retryAfter time.Duration
}

// ok reports whether the attempt was answered with a success.
func (o *outcome) ok() bool { return o.err == nil && o.status >= 200 && o.status < 300 }

// answer is a success.
type answer struct {
	body []byte
	gone bool // a DELETE found the work of an earlier attempt done
}

// send takes a request the whole way: check, encode, send, repeat as the retry
// table says. The body of the answer is not looked into.
func (c *Client) send(ctx context.Context, r *request) (*exchange, answer, error) {
	r.faults.check(ctx != nil, "ctx", "must not be nil")
	body, err := r.encode()
	if err != nil {
		return nil, answer{}, err
	}
	x := &r.exchange
	x.client, x.request, x.ctx = c, r, ctx
	if ctx.Err() != nil {
		x.last.err = endOf(ctx)
		return x, answer{}, x.err()
	}
	x.run(body)
	return x, answer{body: x.last.body, gone: x.gone()}, x.err()
}

// run makes the attempts. What comes of them is told by the last outcome.
func (x *exchange) run(body []byte) {
	x.prepare(body)
	// The exchange itself in an interface would keep every method that its fields,
	// and theirs, could be asked for at run time: 23 KB of each program.
	x.http = http.Client{Transport: roundTripper(x.roundTrip), CheckRedirect: refuseRedirects}
	x.loop = retryablehttp.Client{
		HTTPClient:   &x.http,
		RetryMax:     math.MaxInt, // checkRetry counts
		CheckRetry:   x.checkRetry,
		Backoff:      chosenWait,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	_, _ = x.loop.Do(&x.outgoing) // its answer has no body: that is in the last outcome
	x.explainEnd()
	if x.last.ok() {
		x.client.quota.Succeeded(x.price)
	}
}

// chosenWait returns the wait that the exchange has chosen: retryablehttp hands
// over its own minimum.
func chosenWait(chosen, _ time.Duration, _ int, _ *http.Response) time.Duration { return chosen }

// explainEnd makes the error of a call whose context ended tell besides what
// the server had said last.
func (x *exchange) explainEnd() {
	switch {
	case x.ctx.Err() == nil && !transport.IsOverdue(x.ctx):
	case x.cutShort:
		x.last = outcome{err: fmt.Errorf("%w, after: %w", endOf(x.ctx), x.err())}
	case x.last.status == 0 && x.before != nil:
		x.last.err = fmt.Errorf("%w, after: %w", x.last.err, x.before)
	}
}

// prepare builds what retryablehttp sends. http.NewRequest would parse an address
// of which all parts are known.
func (x *exchange) prepare(body []byte) {
	switch up := x.request.upload; {
	case up != nil:
		x.open, x.length = up.open, up.size
	case body != nil:
		x.open, x.length = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }, int64(len(body))
	}
	address := x.request.url(x.client.base)
	req := http.Request{
		Method: x.request.method, URL: address, Host: address.Host, Header: noHeader,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	x.outgoing.Request = req.WithContext(x.ctx)
}

// noHeader is that of all requests until an attempt gives them one. Nobody writes
// to it.
var noHeader = http.Header{}

// refuseRedirects makes net/http return a redirect as an answer like any
// other. An error in its place would be retried.
func refuseRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// roundTrip makes one attempt, from the token to the last byte of the answer.
func (x *exchange) roundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	x.begin(cancel)
	defer x.limit.Stop()

	if len(x.client.observers) == 0 { // nobody wants to know how long it takes
		return x.attempt(ctx, req, cancel)
	}
	started := time.Now()
	resp, err := x.attempt(ctx, req, cancel)
	x.took = time.Since(started)
	return resp, err
}

// begin ends a context after the attempt timeout, until x.limit is stopped. It does so
// also where the caller's deadline comes first: a context may tell of one and never end.
func (x *exchange) begin(cancel context.CancelCauseFunc) {
	timeout := x.request.timeout()
	x.client.guard.Limit(&x.limit, timeout, func() { cancel(errAttemptTimeout(timeout)) })
}

// attempt sends the request once and records the outcome. What it returns is
// for net/http and retryablehttp only.
func (x *exchange) attempt(ctx context.Context, req *http.Request, cancel func(error)) (*http.Response, error) {
	x.cutShort = false
	header, err := x.header(ctx)
	if err != nil {
		x.last = outcome{err: fmt.Errorf("no token: %w", x.reason(ctx, err)), verdict: retry.Unprocessed, final: true, untried: true}
		return nil, err
	}
	x.attempts++
	witness, watched := transport.NewAttempt(ctx, cancel, x.origin(), !x.repeatsUnknown(), &x.client.quota)
	defer witness.End() // also when a middleware panics
	out := req.WithContext(watched)
	out.Header = header
	if x.open != nil {
		out.Body, _ = x.open() // which cannot fail: nothing is opened but memory, and a part of a file that is open
		out.GetBody, out.ContentLength = x.open, x.length
	}
	resp, err := x.client.transport(witness, out)
	if err == nil && resp == nil {
		err = errors.New("a middleware returned neither an answer nor an error")
	}
	if err != nil {
		o := outcome{
			err:     x.reason(ctx, err),
			verdict: retry.Judge(0, witness.MaybeSent(err)),
			final:   transport.Permanent(err),
		}
		if ctx.Err() != nil && o.verdict == retry.Unprocessed && !witness.Connected() { // else err says what failed
			o.err = fmt.Errorf("no connection yet: %w", o.err)
		}
		x.record(o, witness)
		return nil, err
	}
	x.record(x.read(ctx, resp), witness)
	resp.Body = http.NoBody
	return resp, nil
}

// origin returns where the request may go, and nowhere else.
func (x *exchange) origin() string {
	if up := x.request.upload; up != nil {
		return up.origin()
	}
	return x.client.origin
}

// header returns the header of one attempt, which may be that of others too: nobody
// but a middleware changes one, and those get a copy.
func (x *exchange) header(ctx context.Context) (http.Header, error) {
	if up := x.request.upload; up != nil {
		return up.header(), nil
	}
	if x.request.public {
		return x.newHeader(), nil
	}
	b := x.better
	if b == nil {
		var err error
		if b, err = x.client.tokens.get(ctx); err != nil {
			return nil, err // which may quote the last token: keep that to find it
		}
	}
	x.bearer, x.better = b, nil
	x.fresh = b.firstUse()
	if x.request.long || x.request.settings.header != nil {
		return x.newHeader(), nil
	}
	common := &b.read
	if x.open != nil {
		common = &b.write
	}
	if made := common.Load(); made != nil {
		return *made, nil
	}
	header := x.newHeader()
	common.Store(&header)
	return header, nil
}

// newHeader makes the header of a request, with the token that it has.
func (x *exchange) newHeader() http.Header {
	header := make(http.Header, 8)
	for name, values := range x.request.settings.header {
		header[name] = values
	}
	header["User-Agent"] = x.client.userAgent
	header["Accept"] = acceptJSON
	if x.request.sink != nil {
		header["Accept"] = acceptText
	}
	accepted := x.client.encodings.short
	if x.mayBeLong(header) {
		accepted = x.client.encodings.long
	}
	if accepted != nil {
		header["Accept-Encoding"] = accepted
	}
	if x.open != nil {
		header["Content-Type"] = contentJSON
	}
	if x.bearer != nil {
		header["Authorization"] = []string{x.bearer.token}
	}
	return header
}

// mayBeLong reports whether it pays to compress the answer to a request with header. As
// net/http has it, that is no answer without a body, about which some servers err, and
// no part of one: that of a compressed body cannot be decompressed.
func (x *exchange) mayBeLong(header http.Header) bool {
	return x.request.long && x.request.method != http.MethodHead && header.Get("Range") == ""
}

// Header values that are the same for every request.
var (
	acceptJSON   = []string{"application/json"}
	acceptText   = []string{"text/csv, application/json"} // which is what errors are in
	acceptGzip   = []string{"gzip"}
	uncompressed = []string{"identity"}
	contentJSON  = []string{"application/json"}
)

// record keeps the outcome of an attempt, and what it adds to the history.
func (x *exchange) record(o outcome, witness *transport.Attempt) {
	replayed, paid := witness.End()
	x.last = o
	x.ambiguous = x.ambiguous || o.verdict == retry.Unknown || replayed
	x.conflict = x.conflict || o.verdict == retry.Conflicted
	x.price += paid
}

// read reads an answer to its end and judges it.
func (x *exchange) read(ctx context.Context, resp *http.Response) outcome {
	o := outcome{status: resp.StatusCode, header: resp.Header}
	if resp.Body == nil { // net/http always sets one, a fake transport may not
		resp.Body = http.NoBody
	}
	if x.request.method == http.MethodHead {
		resp.ContentLength = 0 // what is told is the length of what does not come
	}
	if x.request.sink != nil && isText(resp) {
		o.final, o.err = pour(resp, x.request.sink)
	} else {
		o.body, o.err = readBody(resp)
	}
	switch {
	case o.status < 200:
		o.err = fmt.Errorf("%w: the server switched to another protocol", ErrInvalidResponse)
	case o.status >= 300:
		// The status says enough; that the body cannot be read does not
		// change it. A redirect would be the same the next time.
		o.err, o.final = nil, o.status < 400
	case errors.Is(o.err, ErrResponseTooLarge):
		o.final = true
	case o.err != nil:
		o.err = fmt.Errorf("%w: %w", errBrokeOff, x.reason(ctx, o.err))
	default:
		if told := statusOf(o.status, o.body); told != o.status {
			// Who tells of a 429 or a 401 under a success is nobody who stands
			// in front of the server and refuses before it acts.
			o.status, o.final = told, told < 500
		}
	}
	o.verdict = retry.Judge(o.status, true)
	if o.err != nil {
		o.verdict = retry.Unknown
	}
	if !o.ok() {
		o.retryAfter = retry.ParseRetryAfter(o.header, time.Now())
	}
	return o
}

// readBody reads what an answer holds, up to maxBody.
func readBody(resp *http.Response) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, nil // what follows is no body, and has no end
	}
	body, err := content(resp)
	if err != nil {
		return nil, err
	}
	size := resp.ContentLength
	if size > maxBody { // the error keeps its beginning
		beginning, _ := readRest(body, nil, scrubbedBody+1)
		return beginning, ErrResponseTooLarge
	}
	if size > 0 && size < 1<<20 {
		return readSized(body, int(size))
	}
	return readRest(body, nil, maxBody) // not announced, or a claim that must prove itself
}

// content returns the body of an answer as it was before it was compressed, asked for or
// not. A transport of the caller's may have undone that and left the header: neither JSON
// nor a table begins as gzip does.
func content(resp *http.Response) (io.Reader, error) {
	if !strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		return resp.Body, nil
	}
	resp.ContentLength = -1
	first := make([]byte, 1)
	n, err := io.ReadFull(resp.Body, first)
	if err != nil && err != io.EOF { // which is that there is nothing
		return nil, err
	}
	body := io.MultiReader(bytes.NewReader(first[:n]), resp.Body)
	if n == 0 || first[0] != gzipBegins {
		return body, nil
	}
	return gzip.NewReader(body)
}

// readSized reads a body of which the size is known, or said to be.
func readSized(r io.Reader, size int) ([]byte, error) {
	body := make([]byte, 0, size+1) // one more, to meet the end
	for len(body) < cap(body) {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return body, err
		}
	}
	return readRest(r, body, maxBody) // of a fake transport that says too little
}

// readRest reads what comes after body, as long as both together are no more
// than limit. A bytes.Buffer would leave up to as much room again behind the body,
// which the items of a list hold on to.
func readRest(r io.Reader, body []byte, limit int) ([]byte, error) {
	whole, err := io.ReadAll(io.LimitReader(r, int64(limit-len(body)+1)))
	if len(body) > 0 {
		whole = append(body, whole...)
	}
	if len(whole) > limit {
		return whole[:limit], ErrResponseTooLarge
	}
	return whole, err
}

// statusOf returns the status that an answer really has: the API may answer
// 200 with an object whose statusCode tells of an error.
func statusOf(status int, body []byte) int {
	told, _ := jsonscan.Member(body, "statusCode")
	if told == nil || !json.Valid(body) { // half an answer may have had more to say
		return status
	}
	code, err := strconv.Atoi(strings.Trim(string(told), `"`))
	if err != nil || code < 400 || code > 599 {
		return status
	}
	return code
}

// checkRetry is asked by retryablehttp after each attempt.
func (x *exchange) checkRetry(context.Context, *http.Response, error) (bool, error) {
	again := x.again()
	for _, observe := range x.client.observers {
		observe(x, again)
	}
	return again, nil
}

// again decides, after an attempt, whether there is another one, and sets the
// wait before it.
func (x *exchange) again() bool {
	o := &x.last
	s := x.request.settings
	switch {
	// What a transport has sent twice is answered once: a 429 is only the last word.
	case o.final, x.ambiguous && !x.repeatsUnknown():
		return false
	case o.status == http.StatusUnauthorized:
		return x.reauthorize()
	case !x.request.class.Repeats(o.verdict, s.retryUnknown), x.retries >= s.maxRetries:
		return false
	case x.ctx.Err() != nil:
		x.cutShort = o.status != 0
		return false
	}
	wait, ok := x.wait(s.backoff.Wait(x.retries))
	if !ok {
		return false
	}
	price, ok := x.client.quota.Take(isTimeout(o.err))
	if !ok {
		x.note = "not repeated: the client's retry quota is spent"
		return false
	}
	x.price = price
	x.retries++
	x.repeatAfter(wait)
	return true
}

// wait returns the pause before another attempt: what the server asked for, or else
// our own. It reports false if there is no time for it.
func (x *exchange) wait(own time.Duration) (wait time.Duration, ok bool) {
	o := &x.last
	switch {
	case o.retryAfter > retry.MaxRetryAfter:
		x.note = "not repeated: the server asked to wait longer than " + retry.MaxRetryAfter.String()
		return 0, false
	case o.retryAfter > 0:
		wait = retry.AfterHint(o.retryAfter)
	default:
		wait = own
	}
	if deadline, ok := x.ctx.Deadline(); ok && time.Until(deadline) <= wait {
		x.note = "not repeated: the wait would not end before the context's deadline"
		return 0, false
	}
	return wait, true
}

// repeatsUnknown reports whether an attempt is repeated that may have been applied.
func (x *exchange) repeatsUnknown() bool {
	return x.request.class.RepeatsUnknown(x.request.settings.retryUnknown)
}

// repeatAfter notes that another attempt follows.
func (x *exchange) repeatAfter(wait time.Duration) {
	x.loop.RetryWaitMin = wait // see chosenWait
	x.before = x.err()
	x.cutShort = true // until the next attempt begins
}

// reauthorize gets a better token after a 401, once. The server looks at the
// token before it acts, so every operation may be repeated then.
func (x *exchange) reauthorize() bool {
	if x.renewed || x.request.public {
		return false
	}
	if x.ctx.Err() != nil {
		x.cutShort = true
		return false
	}
	ctx, cancel := context.WithCancelCause(x.ctx)
	defer cancel(nil)
	x.begin(cancel)
	defer x.limit.Stop()
	b, err := x.client.tokens.replace(ctx, x.bearer, x.fresh)
	switch {
	case err == nil && b == nil:
		return false
	case x.ctx.Err() != nil:
		x.cutShort = true
		return false
	case err != nil:
		x.note = "not repeated: no other token: " + x.quote(x.reason(ctx, err).Error())
		return false
	}
	wait, ok := x.wait(0)
	if !ok {
		return false
	}
	x.better, x.renewed = b, true
	x.repeatAfter(wait)
	return true
}

// gone reports whether a DELETE met the work of an earlier attempt of its own,
// or of the request that it was in conflict with.
func (x *exchange) gone() bool {
	return x.request.class.Deletes() && x.last.status == http.StatusNotFound && (x.ambiguous || x.conflict)
}

// endOf tells why a context ended: its error and, where that is another, its
// cause.
func endOf(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// reason returns why an attempt failed: the end of the caller's context or of
// the attempt's own, which net/http reports in several disguises, or err.
func (x *exchange) reason(ctx context.Context, err error) error {
	switch {
	case x.ctx.Err() != nil:
		return endOf(x.ctx)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return err
	}
}
