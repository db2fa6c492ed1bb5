package videosdk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// ignore handles every event by doing nothing.
func ignore(context.Context, *videosdk.Event) error { return nil }

// signed returns the request of a genuine delivery.
func signed(body string) *http.Request {
	req := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	req.Header.Set(videosdk.SignatureHeader, vendor().sign(body))
	return req
}

// answerTo returns the status that a handler answers a request with.
func answerTo(handler http.Handler, req *http.Request) int {
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	return rec.Code
}

// numberedEvent is the nth of many different events.
func numberedEvent(n int) string {
	return fmt.Sprintf(`{"webhookType":"call-answered","data":{"callId":"call_%d","status":"answered"}}`, n)
}

// calls counts how often a function was called with each body.
type calls struct {
	mu    sync.Mutex
	count map[string]int
	err   error
}

func (c *calls) handle(_ context.Context, event *videosdk.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count = map[string]int{}
	}
	c.count[string(event.Raw)]++
	return c.err
}

func (c *calls) of(body string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[body]
}

// fakeDeduplicator is one that fails, or panics, where it is told to, and does
// nothing for somebody whose context has ended.
type fakeDeduplicator struct {
	videosdk.Deduplicator
	claimErr, settleErr error
	panics              bool          // in place of failing
	behind              time.Duration // by how much longer its claims last
	claimed, released   func()        // if not nil, called after each claim, and after each that is given back
	releasing           func()        // if not nil, called before each that is given back
}

// fail returns the error, if there is one, unless it is to panic.
func (d fakeDeduplicator) fail(err error) error {
	if err != nil && d.panics {
		panic(planted)
	}
	return err
}

func (d fakeDeduplicator) Claim(ctx context.Context, key string, ttl time.Duration) (videosdk.Claim, error) {
	if err := d.fail(d.claimErr); err != nil {
		return videosdk.ClaimInFlight, err
	}
	claim, err := d.Deduplicator.Claim(ctx, key, ttl+d.behind)
	if d.claimed != nil {
		d.claimed()
	}
	return claim, errors.Join(err, ctx.Err()) // the answer is lost, the claim is not
}

func (d fakeDeduplicator) Done(ctx context.Context, key string, ttl time.Duration) error {
	if err := d.fail(errors.Join(d.settleErr, ctx.Err())); err != nil {
		return err
	}
	return d.Deduplicator.Done(ctx, key, ttl)
}

func (d fakeDeduplicator) Release(ctx context.Context, key string) error {
	if err := d.fail(errors.Join(d.settleErr, ctx.Err())); err != nil {
		return err
	}
	if d.releasing != nil {
		d.releasing()
	}
	err := d.Deduplicator.Release(ctx, key)
	if d.released != nil {
		d.released()
	}
	return err
}

func newDeduplicator() videosdk.Deduplicator { return videosdk.NewMemoryDeduplicator(1000) }

func TestEachDeliveryHasItsAnswer(t *testing.T) {
	failed := errors.New("the database is down")
	withHeader := func(values ...string) *http.Request {
		req := signed(smallEvent)
		req.Header.Del(videosdk.SignatureHeader)
		for _, value := range values {
			req.Header.Add(videosdk.SignatureHeader, value)
		}
		return req
	}
	withMethod := func(method string) *http.Request {
		req := signed(smallEvent)
		req.Method = method
		return req
	}
	genuine := vendor().sign(smallEvent)
	tests := map[string]struct {
		request *http.Request
		handle  videosdk.WebhookFunc
		dedup   fakeDeduplicator
		keys    videosdk.KeySource
		status  int
		handled bool
	}{
		"a genuine event":              {request: signed(smallEvent), status: 200, handled: true},
		"an event without a type":      {request: signed(`{"call-summary":"fine"}`), status: 200, handled: true},
		"a list":                       {request: signed(`[]`), status: 200, handled: true},
		"a genuine body, not JSON":     {request: signed(`hello`), status: 400},
		"a genuine body, empty":        {request: signed(``), status: 400},
		"a body that breaks off":       {request: httptest.NewRequest(http.MethodPost, "/", iotest.ErrReader(io.ErrUnexpectedEOF)), status: 400},
		"no signature":                 {request: withHeader(), status: 401},
		"an empty signature":           {request: withHeader(""), status: 401},
		"a signature of another body":  {request: withHeader(vendor().sign(smallEvent + " ")), status: 401},
		"a signature of another key":   {request: withHeader(stranger().sign(smallEvent)), status: 401},
		"two signatures":               {request: withHeader(genuine, genuine), status: 401},
		"a forgery and the genuine":    {request: withHeader("AAAA", genuine), status: 401},
		"two signatures in one header": {request: withHeader(genuine + ", " + genuine), status: 401},
		"a GET":                        {request: withMethod(http.MethodGet), status: 405},
		"a PUT":                        {request: withMethod(http.MethodPut), status: 405},
		"an OPTIONS":                   {request: withMethod(http.MethodOptions), status: 405},
		"a post in lower case":         {request: withMethod("post"), status: 405},
		"a body of more than 1 MiB":    {request: signed(`"` + strings.Repeat("x", 1<<20-1) + `"`), status: 413},
		"a body of 1 MiB":              {request: signed(`"` + strings.Repeat("x", 1<<20-2) + `"`), status: 200, handled: true},
		"an event that fails":          {request: signed(smallEvent), status: 500, handled: true, handle: func(context.Context, *videosdk.Event) error { return failed }},
		"an event that panics":         {request: signed(smallEvent), status: 500, handled: true, handle: func(context.Context, *videosdk.Event) error { panic(failed) }},
		"an event that aborts":         {request: signed(smallEvent), status: 500, handled: true, handle: func(context.Context, *videosdk.Event) error { panic(http.ErrAbortHandler) }},
		"no key to verify with":        {request: signed(smallEvent), status: 503, keys: fixedKeys{err: failed}},
		"a claim that fails":           {request: signed(smallEvent), status: 503, dedup: fakeDeduplicator{claimErr: failed}},
		"a claim that panics":          {request: signed(smallEvent), status: 503, dedup: fakeDeduplicator{claimErr: failed, panics: true}},
		"a success that is not noted":  {request: signed(smallEvent), status: 200, handled: true, dedup: fakeDeduplicator{settleErr: failed}},
		"a success whose note panics":  {request: signed(smallEvent), status: 200, handled: true, dedup: fakeDeduplicator{settleErr: failed, panics: true}},
		"a failure whose note panics": {request: signed(smallEvent), status: 500, handled: true, dedup: fakeDeduplicator{settleErr: failed, panics: true},
			handle: func(context.Context, *videosdk.Event) error { return failed }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			verifier := vendor().verifier(t)
			if tt.keys != nil {
				verifier = videosdk.NewWebhookVerifier(tt.keys)
			}
			tt.dedup.Deduplicator = newDeduplicator()
			handled := 0
			receiver := videosdk.WebhookHandler(verifier, func(ctx context.Context, event *videosdk.Event) error {
				handled++
				if tt.handle == nil {
					return nil
				}
				return tt.handle(ctx, event)
			}, videosdk.WithDeduplicator(tt.dedup))
			rec := httptest.NewRecorder()
			receiver.ServeHTTP(rec, tt.request)
			assert.Equal(t, tt.status, rec.Code)
			assert.Equal(t, count(tt.handled), handled)
			assert.Equal(t, http.StatusText(tt.status)+"\n", rec.Body.String(), "and nothing of what went wrong")
			assert.Equal(t, tt.status == 405, rec.Header().Get("Allow") == http.MethodPost)
			assert.Equal(t, tt.status == 503, rec.Header().Get("Retry-After") == "1")
		})
	}
}

func TestTheLimitOfABodyIsASetting(t *testing.T) {
	limit := int64(len(smallEvent))
	receiver := videosdk.WebhookHandler(vendor().verifier(t), ignore, videosdk.WithMaxBody(limit))
	assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
	assert.Equal(t, http.StatusRequestEntityTooLarge, answerTo(receiver, signed(smallEvent+" ")))

	for _, none := range []int64{0, -1} {
		receiver := videosdk.WebhookHandler(vendor().verifier(t), ignore, videosdk.WithMaxBody(none))
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)), "which is the default")
		assert.Equal(t, http.StatusRequestEntityTooLarge, answerTo(receiver, signed(`"`+strings.Repeat("x", 1<<20)+`"`)))
	}
}

// A receiver that could verify nothing, or do nothing, would refuse each
// delivery, hours after the mistake was made.
func TestAReceiverIsNotMadeWithoutWhatItNeeds(t *testing.T) {
	for name, tt := range map[string]struct {
		build func()
		want  string
	}{
		"without a verifier": {func() { videosdk.WebhookHandler(nil, ignore) }, "videosdk: WebhookHandler needs a verifier and a function"},
		"without a function": {func() { videosdk.WebhookHandler(vendor().verifier(t), nil) }, "videosdk: WebhookHandler needs a verifier and a function"},
		"without keys":       {func() { videosdk.NewWebhookVerifier(nil) }, "videosdk: NewWebhookVerifier needs a source of keys"},
	} {
		t.Run(name, func(t *testing.T) { assert.PanicsWithValue(t, tt.want, tt.build) })
	}
}

func TestAFinishedEventIsNotHandledAgain(t *testing.T) {
	var seen calls
	receiver := videosdk.WebhookHandler(vendor().verifier(t), seen.handle)
	for range 3 {
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
	}
	assert.Equal(t, 1, seen.of(smallEvent))
	assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent+" ")))
	assert.Equal(t, 1, seen.of(smallEvent+" "), "another body is another event")
}

func TestAFinishedEventIsRememberedForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen calls
		receiver := videosdk.WebhookHandler(vendor().verifier(t), seen.handle)
		for _, step := range []struct {
			wait    time.Duration
			handled int
		}{{0, 1}, {24*time.Hour - 1, 1}, {1, 2}} {
			elapse(step.wait)
			assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
			assert.Equal(t, step.handled, seen.of(smallEvent))
		}
	})
}

func TestAnEventThatFailedIsHandledAgain(t *testing.T) {
	for name, fail := range map[string]func() error{
		"by its error": func() error { return errors.New("not now") },
		"by a panic":   func() error { panic("not now") },
	} {
		t.Run(name, func(t *testing.T) {
			handled := 0
			receiver := videosdk.WebhookHandler(vendor().verifier(t), func(context.Context, *videosdk.Event) error {
				if handled++; handled <= 2 {
					return fail()
				}
				return nil
			})
			for _, want := range []int{500, 500, 200, 200} {
				assert.Equal(t, want, answerTo(receiver, signed(smallEvent)))
			}
			assert.Equal(t, 3, handled)
		})
	}
}

// Nobody can keep runtime.Goexit from ending the goroutine of the request, after
// which net/http hangs up.
func TestAFunctionThatEndsItsGoroutineLeavesNoClaimBehind(t *testing.T) {
	var logged bytes.Buffer
	handled := 0
	receiver := videosdk.WebhookHandler(vendor().verifier(t), func(context.Context, *videosdk.Event) error {
		if handled++; handled == 1 {
			runtime.Goexit()
		}
		return nil
	}, videosdk.WithWebhookLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	var first sync.WaitGroup
	first.Go(func() { answerTo(receiver, signed(smallEvent)) })
	first.Wait()
	assert.Contains(t, logged.String(), `msg="videosdk: webhook not handled" event=call-ringing call=call_1 error="the function ended its goroutine"`)
	for range 2 {
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
	}
	assert.Equal(t, 2, handled)
}

func TestADuplicateOfAnEventInFlightComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finish := make(chan struct{})
		handled := 0
		receiver := videosdk.WebhookHandler(vendor().verifier(t), func(context.Context, *videosdk.Event) error {
			handled++
			<-finish
			return nil
		})
		first := make(chan int)
		go func() { first <- answerTo(receiver, signed(smallEvent)) }()
		synctest.Wait()
		assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(smallEvent)))
		close(finish)
		assert.Equal(t, http.StatusOK, <-first)
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
		assert.Equal(t, 1, handled)
	})
}

func TestManyConcurrentDeliveriesRunTheFunctionOncePerEvent(t *testing.T) {
	const events, deliveries = 64, 128
	var seen calls
	receiver := videosdk.WebhookHandler(vendor().verifier(t), seen.handle)
	srv := httptest.NewServer(receiver)
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	deliver := func(body string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, strings.NewReader(body))
		require.NoError(t, err)
		req.Header = signed(body).Header
		resp, err := srv.Client().Do(req)
		require.NoError(t, err)
		defer func() { assert.NoError(t, resp.Body.Close()) }()
		return resp.StatusCode
	}
	start := make(chan struct{})
	var all sync.WaitGroup
	for n := range deliveries {
		all.Go(func() {
			<-start
			for { // as the sender does
				switch status := deliver(numberedEvent(n % events)); status {
				case http.StatusOK:
					return
				case http.StatusServiceUnavailable:
				default:
					assert.Equal(t, http.StatusOK, status)
					return
				}
			}
		})
	}
	close(start)
	all.Wait()
	for n := range events {
		assert.Equal(t, 1, seen.of(numberedEvent(n)), "event %d", n)
	}
}

func TestWhatMakesTwoDeliveriesTheSameEventIsASetting(t *testing.T) {
	byCall := videosdk.WithEventKey(func(event *videosdk.Event) string {
		if event.Call == nil {
			return ""
		}
		return string(event.Type) + event.Call.ID + string(event.Call.Status)
	})
	var seen calls
	receiver := videosdk.WebhookHandler(vendor().verifier(t), seen.handle, byCall)
	again := strings.ReplaceAll(smallEvent, "+14155550123", "+14155550199")
	assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
	assert.Equal(t, http.StatusOK, answerTo(receiver, signed(again)))
	assert.Equal(t, [2]int{1, 0}, [2]int{seen.of(smallEvent), seen.of(again)})

	// Events that the function has no key for are not one another's duplicates.
	for _, body := range []string{`{"call-summary":"one"}`, `{"call-summary":"two"}`} {
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(body)))
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(body)))
		assert.Equal(t, 1, seen.of(body))
	}
}

func TestAKeyFunctionThatPanicsIsAnswered500(t *testing.T) {
	var seen calls
	receiver := videosdk.WebhookHandler(vendor().verifier(t), seen.handle, videosdk.WithEventKey(func(event *videosdk.Event) string {
		return event.Call.ID // as nobody should
	}))
	assert.Equal(t, http.StatusInternalServerError, answerTo(receiver, signed(`{"call-summary":"fine"}`)))
	assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
	assert.Equal(t, 1, seen.of(smallEvent))
}

func TestNoSettingAtAllIsNoMistake(t *testing.T) {
	receiver := videosdk.WebhookHandler(vendor().verifier(t), ignore, nil,
		videosdk.WithDeduplicator(nil), videosdk.WithEventKey(nil), videosdk.WithWebhookLogger(nil))
	assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
	assert.Equal(t, http.StatusUnauthorized, answerTo(receiver, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(smallEvent))))
}

func TestAPanicIsNotPrinted(t *testing.T) {
	var printed, logged bytes.Buffer
	receiver := videosdk.WebhookHandler(vendor().verifier(t), func(context.Context, *videosdk.Event) error {
		panic("PIN " + planted)
	}, videosdk.WithWebhookLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	srv := httptest.NewUnstartedServer(receiver)
	srv.Config.ErrorLog = log.New(&printed, "", 0)
	srv.Start()
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, strings.NewReader(smallEvent))
	require.NoError(t, err)
	req.Header = signed(smallEvent).Header
	resp, err := srv.Client().Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	srv.Close()
	assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	assert.Empty(t, printed.String())
	assertNoSecret(t, logged.String(), "log")
	assert.Contains(t, logged.String(), "panicked with a string")
	assert.Contains(t, logged.String(), "webhookhandler_test.go", "where it happened")
}

func TestWhatGoesWrongIsLoggedWithoutTheBody(t *testing.T) {
	private := `{"webhookType":"call-ringing","data":{"callId":"call_1","to":"` + planted + `"}}`
	failed := errors.New("the database is down")
	forged := signed(private)
	forged.Header.Set(videosdk.SignatureHeader, vendor().sign(smallEvent))
	unsigned := signed(private)
	unsigned.Header.Del(videosdk.SignatureHeader)
	consumed := signed(private)
	consumed.Body = http.NoBody // by a middleware that logs bodies, say
	tests := map[string]struct {
		request *http.Request
		dedup   fakeDeduplicator
		handle  videosdk.WebhookFunc
		want    string
		also    string // on another line
	}{
		"a success":                   {request: signed(private)},
		"a forgery":                   {request: forged, want: `level=WARN msg="videosdk: webhook refused" status=401`},
		"a body that is read by then": {request: consumed, want: `status=401 error="videosdk: invalid webhook signature (a body of 0 bytes)"`},
		"no signature":                {request: unsigned, want: `level=WARN msg="videosdk: webhook refused" status=401`},
		"a body that is no JSON":      {request: signed(planted), want: `level=WARN msg="videosdk: webhook refused" status=400`},
		"a body that is too large":    {request: signed(private + strings.Repeat(" ", 1000)), want: `level=WARN msg="videosdk: webhook refused" status=413`},
		"a body that breaks off":      {request: httptest.NewRequest(http.MethodPost, "/", iotest.ErrReader(failed)), want: `level=WARN msg="videosdk: webhook refused" status=400`},
		"a failure of the function":   {request: signed(private), handle: func(context.Context, *videosdk.Event) error { return failed }, want: `level=ERROR msg="videosdk: webhook not handled" event=call-ringing call=call_1 error=`},
		"a failure without a call":    {request: signed(`{"call-summary":"` + planted + `"}`), handle: func(context.Context, *videosdk.Event) error { return failed }, want: `level=ERROR msg="videosdk: webhook not handled" event="" error=`},
		"a claim that fails":          {request: signed(private), dedup: fakeDeduplicator{claimErr: failed}, want: `level=ERROR msg="videosdk: webhook not claimed" event=call-ringing call=call_1 error=`},
		"a claim that panics": {request: signed(private), dedup: fakeDeduplicator{claimErr: failed, panics: true},
			want: `level=ERROR msg="videosdk: webhook not claimed" event=call-ringing call=call_1 error="the deduplicator panicked with a string" stack=`},
		"a success that is not noted": {request: signed(private), dedup: fakeDeduplicator{settleErr: failed},
			want: `level=ERROR msg="videosdk: webhook claim not settled" event=call-ringing call=call_1 error=`},
		"a success whose note panics": {request: signed(private), dedup: fakeDeduplicator{settleErr: failed, panics: true},
			want: `level=ERROR msg="videosdk: webhook claim not settled" event=call-ringing call=call_1 error="the deduplicator panicked with a string" stack=`},
		"a failure whose claim cannot be given back": {request: signed(private), dedup: fakeDeduplicator{settleErr: failed},
			handle: func(context.Context, *videosdk.Event) error { return failed },
			want:   `level=ERROR msg="videosdk: webhook not handled" event=call-ringing call=call_1 error=`,
			also:   `level=ERROR msg="videosdk: webhook claim not settled" event=call-ringing call=call_1 error=`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			tt.dedup.Deduplicator = newDeduplicator()
			if tt.handle == nil {
				tt.handle = ignore
			}
			receiver := videosdk.WebhookHandler(vendor().verifier(t), tt.handle, videosdk.WithDeduplicator(tt.dedup),
				videosdk.WithMaxBody(500), videosdk.WithWebhookLogger(slog.New(slog.NewTextHandler(&logged, nil))))
			answerTo(receiver, tt.request)
			assert.Contains(t, logged.String(), tt.want)
			assert.Contains(t, logged.String(), tt.also)
			assert.Equal(t, count(tt.want != "")+count(tt.also != ""), strings.Count(logged.String(), "\n"), "lines")
			assertNoSecret(t, logged.String(), "log")
		})
	}
}

func TestTheLogTellsWhereTheFetchOfTheKeyPanicked(t *testing.T) {
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{
		Transport: roundTripFunc(func(*http.Request) (*http.Response, error) { panic(planted) }),
	}))
	require.NoError(t, err)
	var logged bytes.Buffer
	receiver := videosdk.WebhookHandler(videosdk.NewWebhookVerifier(client.WebhookKeys()), ignore,
		videosdk.WithWebhookLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(smallEvent)))
	assert.Contains(t, logged.String(), "webhookhandler_test.go")
	assertNoSecret(t, logged.String(), "log")
}

type contextKey struct{}

func TestTheFunctionRunsWithTheContextOfTheRequest(t *testing.T) {
	var value any
	receiver := videosdk.WebhookHandler(vendor().verifier(t), func(ctx context.Context, _ *videosdk.Event) error {
		value = ctx.Value(contextKey{})
		return nil
	})
	ctx := context.WithValue(t.Context(), contextKey{}, "of the request")
	assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent).WithContext(ctx)))
	assert.Equal(t, "of the request", value)
}

func TestTheValuesOfARequestReachAFunctionBehindAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := make(chan struct{})
		var value any
		var aborted error
		receiver := videosdk.WebhookHandler(vendor().verifier(t), func(ctx context.Context, _ *videosdk.Event) error {
			value = ctx.Value(contextKey{})
			close(begun)
			<-ctx.Done()
			aborted = context.Cause(ctx)
			return nil
		}, videosdk.WithQueue(1, 1))
		ctx, answered := context.WithCancelCause(context.WithValue(t.Context(), contextKey{}, "of the request"))
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent).WithContext(ctx)))
		answered(errStop)
		<-begun
		synctest.Wait()
		assert.NoError(t, aborted, "the end of the request is not that of the event")
		giveUp, stop := context.WithCancel(t.Context())
		stop()
		require.ErrorIs(t, receiver.Shutdown(giveUp), context.Canceled)
		synctest.Wait()
		assert.Equal(t, "of the request", value)
		assert.ErrorIs(t, aborted, context.Canceled)
	})
}

func TestASenderThatHangsUpLeavesNoClaimBehind(t *testing.T) {
	tests := map[string]struct {
		duringClaim, finishes, closed bool
		status                        int // the answer to this delivery; the next is answered with 200
		handled                       int // in all
	}{
		"while the function fails":       {status: 500, handled: 2},
		"while the function succeeds":    {finishes: true, status: 200, handled: 1},
		"before the function has begun":  {duringClaim: true, status: 500, handled: 1},
		"before the queue turns it away": {duringClaim: true, closed: true, status: 503, handled: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			handled := 0
			handle := func(ctx context.Context, _ *videosdk.Event) error {
				handled++
				hangUp()
				if tt.finishes {
					return nil
				}
				return ctx.Err()
			}
			dedup := fakeDeduplicator{Deduplicator: newDeduplicator()}
			if tt.duringClaim {
				dedup.claimed = hangUp
			}
			opts := []videosdk.WebhookOption{videosdk.WithDeduplicator(dedup)}
			first := videosdk.WebhookHandler(vendor().verifier(t), handle, opts...)
			if tt.closed {
				first = videosdk.WebhookHandler(vendor().verifier(t), handle, append(opts, videosdk.WithQueue(1, 1))...)
				require.NoError(t, first.Shutdown(t.Context()))
			}
			assert.Equal(t, tt.status, answerTo(first, signed(smallEvent).WithContext(ctx)))
			second := videosdk.WebhookHandler(vendor().verifier(t), handle, opts...)
			assert.Equal(t, http.StatusOK, answerTo(second, signed(smallEvent)))
			assert.Equal(t, tt.handled, handled)
		})
	}
}

// hangingDeduplicator answers nothing before its context ends.
type hangingDeduplicator struct {
	videosdk.Deduplicator
	claims, settles bool // what hangs
}

func (d hangingDeduplicator) Claim(ctx context.Context, key string, ttl time.Duration) (videosdk.Claim, error) {
	if d.claims {
		<-ctx.Done()
	}
	claim, err := d.Deduplicator.Claim(ctx, key, ttl)
	return claim, errors.Join(err, ctx.Err())
}

func (d hangingDeduplicator) Done(ctx context.Context, key string, ttl time.Duration) error {
	if d.settles {
		<-ctx.Done()
	}
	return errors.Join(d.Deduplicator.Done(ctx, key, ttl), ctx.Err())
}

func (d hangingDeduplicator) Release(ctx context.Context, key string) error {
	if d.settles {
		<-ctx.Done()
	}
	return errors.Join(d.Deduplicator.Release(ctx, key), ctx.Err())
}

func TestADeduplicatorThatHangsKeepsNobodyForEver(t *testing.T) {
	tests := map[string]struct {
		dedup  hangingDeduplicator
		err    error
		status int
	}{
		"while it is asked for a claim": {hangingDeduplicator{claims: true}, nil, http.StatusServiceUnavailable},
		"while it is told of a success": {hangingDeduplicator{settles: true}, nil, http.StatusOK},
		"while a claim is given back":   {hangingDeduplicator{settles: true}, errors.New("not now"), http.StatusInternalServerError},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.dedup.Deduplicator = newDeduplicator()
				receiver := videosdk.WebhookHandler(vendor().verifier(t), (&calls{err: tt.err}).handle, videosdk.WithDeduplicator(tt.dedup))
				began := time.Now()
				assert.Equal(t, tt.status, answerTo(receiver, signed(smallEvent)))
				assert.Equal(t, 10*time.Second, time.Since(began))
			})
		})
	}
}

// forgetfulDeduplicator gives one answer to every claim.
type forgetfulDeduplicator struct {
	videosdk.Deduplicator
	answer videosdk.Claim
}

func (d forgetfulDeduplicator) Claim(context.Context, string, time.Duration) (videosdk.Claim, error) {
	return d.answer, nil
}

// A Deduplicator that forgets a case must not have events handled twice.
func TestWhatIsNoGrantIsNoClaim(t *testing.T) {
	var forgotten videosdk.Claim
	for name, answer := range map[string]videosdk.Claim{"the zero value": forgotten, "a value that nobody knows": 7, "one below all": -1} {
		t.Run(name, func(t *testing.T) {
			var seen calls
			receiver := videosdk.WebhookHandler(vendor().verifier(t), seen.handle, videosdk.WithDeduplicator(forgetfulDeduplicator{answer: answer}))
			assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(smallEvent)))
			assert.Zero(t, seen.of(smallEvent))
		})
	}
	assert.Equal(t, videosdk.ClaimInFlight, forgotten)
}

// inQueue returns a receiver with one worker, whose function begins by sending
// the event's body and then waits for its end to be allowed.
func inQueue(t *testing.T, size int, opts ...videosdk.WebhookOption) (receiver *videosdk.WebhookReceiver, begun chan string, finish chan error) {
	t.Helper()
	begun, finish = make(chan string), make(chan error)
	receiver = videosdk.WebhookHandler(vendor().verifier(t), func(ctx context.Context, event *videosdk.Event) error {
		begun <- string(event.Raw)
		select {
		case err := <-finish:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}, append(opts, videosdk.WithQueue(size, 1))...)
	return receiver, begun, finish
}

func TestAQueueAnswersBeforeTheFunctionHasRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver, begun, finish := inQueue(t, 2)
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(0))))
		assert.Equal(t, numberedEvent(0), <-begun)
		for n := 1; n <= 2; n++ {
			assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(n))))
		}
		assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(numberedEvent(3))), "the queue is full")
		for n := range 3 {
			assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(numberedEvent(n))), "these are in flight")
		}
		for n := 1; n <= 2; n++ {
			finish <- nil
			assert.Equal(t, numberedEvent(n), <-begun)
		}
		finish <- nil
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(3))), "there is room again")
		assert.Equal(t, numberedEvent(3), <-begun)
		finish <- nil
		require.NoError(t, receiver.Shutdown(t.Context()))
		for n := range 4 {
			assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(n))), "these are done")
		}
	})
}

func TestAQueueHasRoomForOneEventAndAWorkerAtLeast(t *testing.T) {
	for _, few := range []int{0, -1} {
		synctest.Test(t, func(t *testing.T) {
			var seen calls
			finish := make(chan struct{})
			receiver := videosdk.WebhookHandler(vendor().verifier(t), func(ctx context.Context, event *videosdk.Event) error {
				<-finish
				return seen.handle(ctx, event)
			}, videosdk.WithQueue(few, few))
			for n, want := range []int{http.StatusOK, http.StatusOK, http.StatusServiceUnavailable} {
				assert.Equal(t, want, answerTo(receiver, signed(numberedEvent(n))))
				synctest.Wait()
			}
			close(finish)
			require.NoError(t, receiver.Shutdown(t.Context()))
			assert.Equal(t, [2]int{1, 1}, [2]int{seen.of(numberedEvent(0)), seen.of(numberedEvent(1))})
		})
	}
}

func TestAnEventThatFailsInTheQueueMayComeAgain(t *testing.T) {
	for name, fail := range map[string]func() error{
		"by its error":                func() error { return errors.New("the database is down") },
		"by a panic":                  func() error { panic("the database is down") },
		"by the end of its goroutine": func() error { runtime.Goexit(); return nil }, // as t.FailNow does
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				handled := 0
				receiver := videosdk.WebhookHandler(vendor().verifier(t), func(context.Context, *videosdk.Event) error {
					if handled++; handled == 1 {
						return fail()
					}
					return nil
				}, videosdk.WithQueue(1, 1), videosdk.WithWebhookLogger(slog.New(slog.NewTextHandler(&logged, nil))))
				for range 3 {
					assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
					synctest.Wait()
				}
				require.NoError(t, receiver.Shutdown(t.Context()))
				assert.Equal(t, 2, handled)
				assert.Contains(t, logged.String(), "webhook not handled")
			})
		})
	}
}

// A worker has nobody above it who could recover: the program would end.
func TestAQueueSurvivesADeduplicatorThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dedup := fakeDeduplicator{Deduplicator: newDeduplicator(), settleErr: errors.New("the table is gone"), panics: true}
		var seen calls
		receiver := videosdk.WebhookHandler(vendor().verifier(t), seen.handle, videosdk.WithQueue(1, 1), videosdk.WithDeduplicator(dedup))
		for n := range 3 {
			assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(n))))
			synctest.Wait()
			assert.Equal(t, 1, seen.of(numberedEvent(n)))
		}
		require.NoError(t, receiver.Shutdown(t.Context()))
	})
}

// However long it takes until a worker comes to an event, a second delivery of
// it is a duplicate.
func TestAnEventInTheQueueKeepsItsClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver, begun, finish := inQueue(t, 2)
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(0))))
		assert.Equal(t, numberedEvent(0), <-begun)
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(1))))
		elapse(time.Hour)
		assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(numberedEvent(0))))
		assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(numberedEvent(1))))
		finish <- nil
		assert.Equal(t, numberedEvent(1), <-begun)
		finish <- nil
		require.NoError(t, receiver.Shutdown(t.Context()))
	})
}

// As long as this process lives, it knows what it is handling.
func TestAnEventIsInFlightAsLongAsItsFunctionRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen calls
		receiver := videosdk.WebhookHandler(vendor().verifier(t), func(ctx context.Context, event *videosdk.Event) error {
			elapse(time.Hour)
			return seen.handle(ctx, event)
		})
		first := make(chan int)
		go func() { first <- answerTo(receiver, signed(smallEvent)) }()
		for range 5 {
			elapse(10 * time.Minute)
			assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(smallEvent)))
		}
		assert.Equal(t, http.StatusOK, <-first)
		assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
		assert.Equal(t, 1, seen.of(smallEvent))
	})
}

// A store may have a claim of which this process never heard. It ends.
func TestAClaimWhoseAnswerWasLostDelaysTheEventAndNoMore(t *testing.T) {
	for name, opts := range map[string][]videosdk.WebhookOption{
		"with a queue":    {videosdk.WithQueue(1, 1)},
		"without a queue": nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen calls
				dedup := newDeduplicator()
				lossy := &lossyDeduplicator{Deduplicator: dedup, losses: 1}
				receiver := videosdk.WebhookHandler(vendor().verifier(t), seen.handle, append(opts, videosdk.WithDeduplicator(lossy))...)
				assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(smallEvent)))
				assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(smallEvent)), "the claim is nobody's")
				elapse(10 * time.Minute)
				for range 2 {
					assert.Equal(t, http.StatusOK, answerTo(receiver, signed(smallEvent)))
					synctest.Wait()
				}
				require.NoError(t, receiver.Shutdown(t.Context()))
				assert.Equal(t, 1, seen.of(smallEvent))
			})
		})
	}
}

// lossyDeduplicator loses the answers to some claims.
type lossyDeduplicator struct {
	videosdk.Deduplicator
	losses int
}

func (d *lossyDeduplicator) Claim(ctx context.Context, key string, ttl time.Duration) (videosdk.Claim, error) {
	claim, err := d.Deduplicator.Claim(ctx, key, ttl)
	if d.losses--; d.losses >= 0 {
		return videosdk.ClaimInFlight, errors.New("the connection to the database was lost")
	}
	return claim, err
}

// twoProcesses share a Deduplicator. The first has a queue with one worker, who
// has been busy with event 0 since event 1 was queued.
type twoProcesses struct {
	first, second *videosdk.WebhookReceiver
	begun         chan string // the events that the first begins to handle
	finish        chan error
	seen          calls             // what the second handles
	store         *fakeDeduplicator // as the first sees it
	late          chan struct{}     // if not nil, what the second waits for before it is done
}

func newTwoProcesses(t *testing.T, ofFirst ...videosdk.WebhookOption) *twoProcesses {
	t.Helper()
	shared := newDeduplicator()
	p := &twoProcesses{store: &fakeDeduplicator{Deduplicator: shared, behind: time.Second / 2}}
	p.first, p.begun, p.finish = inQueue(t, 2, append(ofFirst, videosdk.WithDeduplicator(p.store))...)
	p.second = videosdk.WebhookHandler(vendor().verifier(t), func(ctx context.Context, event *videosdk.Event) error {
		if p.late != nil {
			<-p.late
		}
		return p.seen.handle(ctx, event)
	}, videosdk.WithDeduplicator(shared))
	assert.Equal(t, http.StatusOK, answerTo(p.first, signed(numberedEvent(0))))
	assert.Equal(t, numberedEvent(0), <-p.begun)
	assert.Equal(t, http.StatusOK, answerTo(p.first, signed(numberedEvent(1))))
	return p
}

// deliverAgain delivers event 1 to the second process.
func (p *twoProcesses) deliverAgain() int { return answerTo(p.second, signed(numberedEvent(1))) }

// firstGoesOn ends event 0, and reports whether the first process begins event 1.
func (p *twoProcesses) firstGoesOn() bool {
	p.finish <- nil
	select {
	case <-p.begun:
		return true
	case <-time.After(12 * time.Second): // it may have to see whether its claim is void
		return false
	}
}

func TestAnEventThatWaitedLongIsHandledByOneProcess(t *testing.T) {
	refused, handled := http.StatusServiceUnavailable, http.StatusOK
	failed := errors.New("the database is down")
	tests := map[string]struct {
		waited    time.Duration
		meanwhile func(*testing.T, *twoProcesses)
		first     bool // it is the first that handles the event
	}{
		"the one that has it in its queue": {waited: 5 * time.Minute, first: true, meanwhile: func(t *testing.T, p *twoProcesses) {
			assert.Equal(t, refused, p.deliverAgain())
			p.store.releasing = func() { assert.Fail(t, "its claim lasts, and was given back") }
		}},
		"the same, though its claim would not last":       {waited: 6 * time.Minute, first: true},
		"the same, though its claim is about to end":      {waited: 10*time.Minute - 1, first: true},
		"the same, though by its clock the claim is void": {waited: 10*time.Minute + time.Second/4, first: true},
		"the same, though its claim ends now":             {waited: 10 * time.Minute, first: true},
		"the same, though its claim is long void":         {waited: time.Hour, first: true},
		"another, that had it while the claim was void": {waited: time.Hour, meanwhile: func(t *testing.T, p *twoProcesses) {
			assert.Equal(t, handled, p.deliverAgain())
		}},
		"another, that is handling it": {waited: time.Hour, meanwhile: func(_ *testing.T, p *twoProcesses) {
			p.late = make(chan struct{})
			go p.deliverAgain()
			synctest.Wait()
		}},
		"another, that took it as soon as the claim was void": {waited: 10*time.Minute + 3*time.Second/4, meanwhile: func(_ *testing.T, p *twoProcesses) {
			p.late = make(chan struct{})
			go p.deliverAgain()
			synctest.Wait()
		}},
		"another, that took it while the store was slow to take the claim back": {waited: 10*time.Minute - time.Second/2, meanwhile: func(_ *testing.T, p *twoProcesses) {
			p.late = make(chan struct{})
			p.store.releasing = func() { elapse(3 * time.Second / 2) }
			go func() {
				elapse(5 * time.Second / 4)
				p.deliverAgain()
			}()
		}},
		"another, that had it while the claim was renewed": {waited: 6 * time.Minute, meanwhile: func(t *testing.T, p *twoProcesses) {
			p.store.released = func() { assert.Equal(t, handled, p.deliverAgain()) }
		}},
		"the one that has it, though the claim cannot be renewed": {waited: time.Hour, first: true, meanwhile: func(_ *testing.T, p *twoProcesses) {
			p.store.claimErr = failed
		}},
		"the same, though the store panics": {waited: time.Hour, first: true, meanwhile: func(_ *testing.T, p *twoProcesses) {
			p.store.claimErr, p.store.panics = failed, true
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newTwoProcesses(t)
				elapse(tt.waited)
				if tt.meanwhile != nil {
					tt.meanwhile(t, p)
				}
				first := p.firstGoesOn()
				assert.Equal(t, tt.first, first)
				if first {
					elapse(5*time.Minute - 1)
					if p.store.claimErr == nil {
						assert.Equal(t, refused, p.deliverAgain(), "its claim lasts as long as a function may take")
					}
					p.finish <- nil
				}
				if p.late != nil {
					close(p.late)
				}
				synctest.Wait()
				assert.Equal(t, handled, p.deliverAgain(), "it is done")
				assert.Equal(t, count(!tt.first), p.seen.of(numberedEvent(1)), "how often the second handled it")
				require.NoError(t, p.first.Shutdown(t.Context()))
			})
		})
	}
}

// freezingDeduplicator is that of a process that is frozen, once, when it has claimed
// an event and before it hears so.
type freezingDeduplicator struct {
	videosdk.Deduplicator
	freeze func()
}

func (d *freezingDeduplicator) Claim(ctx context.Context, key string, ttl time.Duration) (videosdk.Claim, error) {
	claim, err := d.Deduplicator.Claim(ctx, key, ttl)
	if freeze := d.freeze; freeze != nil {
		d.freeze = nil
		freeze()
	}
	return claim, err
}

func TestAnEventIsLeftToWhoTookItWhileAProcessThatHadClaimedItWasFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newDeduplicator()
		var seen calls
		other := videosdk.WebhookHandler(vendor().verifier(t), seen.handle, videosdk.WithDeduplicator(shared))
		frozen := videosdk.WebhookHandler(vendor().verifier(t), seen.handle, videosdk.WithDeduplicator(&freezingDeduplicator{shared, func() {
			elapse(time.Hour)
			assert.Equal(t, http.StatusOK, answerTo(other, signed(smallEvent)))
		}}))
		assert.Equal(t, http.StatusServiceUnavailable, answerTo(frozen, signed(smallEvent)), "nobody knows whose it is")
		assert.Equal(t, http.StatusOK, answerTo(frozen, signed(smallEvent)), "it is done")
		assert.Equal(t, 1, seen.of(smallEvent))
	})
}

func TestAnEventInTheQueueIsClaimedUntilTheClaimLasts(t *testing.T) {
	for _, taken := range []bool{false, true} {
		t.Run(fmt.Sprint("another takes it: ", taken), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := newDeduplicator()
				var seen, ours calls
				other := videosdk.WebhookHandler(vendor().verifier(t), seen.handle, videosdk.WithDeduplicator(shared))
				store := &freezingDeduplicator{Deduplicator: shared}
				queue := videosdk.WebhookHandler(vendor().verifier(t), func(ctx context.Context, event *videosdk.Event) error {
					elapse(time.Hour)
					return ours.handle(ctx, event)
				}, videosdk.WithDeduplicator(store), videosdk.WithQueue(2, 1))
				assert.Equal(t, http.StatusOK, answerTo(queue, signed(numberedEvent(0))))
				assert.Equal(t, http.StatusOK, answerTo(queue, signed(numberedEvent(1))))
				synctest.Wait()
				store.freeze = func() { // as the event that waited is claimed anew
					elapse(time.Hour)
					if taken {
						assert.Equal(t, http.StatusOK, answerTo(other, signed(numberedEvent(1))))
					}
				}
				require.NoError(t, queue.Shutdown(t.Context()))
				assert.Equal(t, count(taken), seen.of(numberedEvent(1)), "how often the other handled it")
				assert.Equal(t, count(!taken), ours.of(numberedEvent(1)), "how often it was handled after it had been queued")
			})
		})
	}
}

// Three processes, of which two have a queue with a backlog of more than an hour,
// and a sender who delivers an event to any of them, again and again.
func TestEachEventIsHandledOnceHoweverLongItWaits(t *testing.T) {
	const events, deliveries, span = 40, 3, 2 * time.Hour
	deliver := func(t *testing.T, random *rand.Rand) {
		var seen calls
		handle := func(ctx context.Context, event *videosdk.Event) error {
			elapse(5*time.Minute - time.Second)
			return seen.handle(ctx, event)
		}
		dedup := videosdk.WithDeduplicator(newDeduplicator())
		receivers := []*videosdk.WebhookReceiver{
			videosdk.WebhookHandler(vendor().verifier(t), handle, dedup, videosdk.WithQueue(events, 1)),
			videosdk.WebhookHandler(vendor().verifier(t), handle, dedup, videosdk.WithQueue(events, 2)),
			videosdk.WebhookHandler(vendor().verifier(t), handle, dedup),
		}
		var all sync.WaitGroup
		for n := range events * deliveries {
			receiver, wait := receivers[random.IntN(len(receivers))], time.Duration(random.Int64N(int64(span)))
			all.Go(func() {
				elapse(wait)
				for answerTo(receiver, signed(numberedEvent(n%events))) != http.StatusOK {
					elapse(30 * time.Second)
				}
			})
		}
		all.Wait()
		for _, receiver := range receivers {
			require.NoError(t, receiver.Shutdown(t.Context()))
		}
		for n := range events {
			assert.Equal(t, 1, seen.of(numberedEvent(n)), "event %d", n)
		}
	}
	for seed := range uint64(5) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { deliver(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

// The store fails when it is told that the event of before is done, and when the
// claim of the next is to be given back for a new one: that one is still good.
func TestAClaimThatCannotBeGivenBackIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newTwoProcesses(t)
		elapse(6 * time.Minute)
		p.store.settleErr = errors.New("the database is down")
		assert.True(t, p.firstGoesOn())
		p.store.settleErr = nil
		p.finish <- nil
		require.NoError(t, p.first.Shutdown(t.Context()))
		assert.Equal(t, http.StatusOK, p.deliverAgain())
		assert.Zero(t, p.seen.of(numberedEvent(1)))
	})
}

// Without an answer to the new claim nobody knows whose it is.
func TestAClaimThatCouldNotBeRenewedIsNotGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newTwoProcesses(t)
		elapse(time.Hour)
		p.store.claimErr = errors.New("the database is down")
		p.store.releasing = func() { assert.Fail(t, "a claim was given back") }
		assert.True(t, p.firstGoesOn())
		p.finish <- errors.New("not now")
		require.NoError(t, p.first.Shutdown(t.Context()))
	})
}

// A function that takes too long has lost its claim, perhaps to another process.
func TestWhoseClaimIsVoidGivesBackNobodyElses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dedup := videosdk.WithDeduplicator(newDeduplicator())
		takes := func(d time.Duration, err error) (status chan int) {
			receiver := videosdk.WebhookHandler(vendor().verifier(t), func(context.Context, *videosdk.Event) error {
				elapse(d)
				return err
			}, dedup)
			status = make(chan int, 1)
			go func() { status <- answerTo(receiver, signed(smallEvent)) }()
			return status
		}
		slow := takes(6*time.Minute, errors.New("too late"))
		elapse(5 * time.Minute)
		other := takes(3*time.Minute, nil)
		assert.Equal(t, http.StatusInternalServerError, <-slow)
		assert.Equal(t, http.StatusServiceUnavailable, <-takes(0, nil), "the other one is handling it")
		assert.Equal(t, http.StatusOK, <-other)
	})
}

// The store may take ten seconds, and another process have the claim by then.
func TestAClaimIsGivenBackOnlyIfTheStoreHasTheTimeForIt(t *testing.T) {
	for name, tt := range map[string]struct {
		left  time.Duration
		given bool
	}{
		"it has":     {11 * time.Second, true},
		"it has not": {9 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				given := false
				store := &fakeDeduplicator{Deduplicator: newDeduplicator(), releasing: func() { given = true }}
				receiver := videosdk.WebhookHandler(vendor().verifier(t), func(context.Context, *videosdk.Event) error {
					elapse(5*time.Minute - tt.left)
					return errors.New("not now")
				}, videosdk.WithDeduplicator(store))
				assert.Equal(t, http.StatusInternalServerError, answerTo(receiver, signed(smallEvent)))
				assert.Equal(t, tt.given, given)
			})
		})
	}
}

func TestShutdownDrainsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver, begun, finish := inQueue(t, 5)
		for n := range 5 {
			assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(n))))
		}
		down := make(chan error, 1)
		go func() { down <- receiver.Shutdown(t.Context()) }()
		synctest.Wait()
		assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(numberedEvent(9))), "nothing more is taken")
		for n := range 5 {
			assert.Equal(t, numberedEvent(n), <-begun)
			synctest.Wait()
			assert.Empty(t, down)
			finish <- nil
		}
		require.NoError(t, <-down)
		require.NoError(t, receiver.Shutdown(t.Context()), "once more does no harm")
	})
}

func TestShutdownGivesUpWhenItsContextEnds(t *testing.T) {
	for name, patience := range map[string]time.Duration{"after a while": time.Minute, "at once": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dedup := newDeduplicator()
				receiver, begun, _ := inQueue(t, 5, videosdk.WithDeduplicator(dedup))
				for n := range 3 {
					assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(n))))
				}
				assert.Equal(t, numberedEvent(0), <-begun)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				err := receiver.Shutdown(ctx)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorIs(t, err, videosdk.ErrTimeout)
				require.EqualError(t, err, "videosdk: WebhookReceiver.Shutdown: context deadline exceeded")
				synctest.Wait()

				// No other event was begun, or the bubble would never end. All of
				// them may come again, here or elsewhere.
				var seen calls
				other := videosdk.WebhookHandler(vendor().verifier(t), seen.handle, videosdk.WithDeduplicator(dedup))
				for n := range 3 {
					assert.Equal(t, http.StatusOK, answerTo(other, signed(numberedEvent(n))))
					assert.Equal(t, 1, seen.of(numberedEvent(n)))
				}
			})
		})
	}
}

// The sender has had an answer: nobody but the log tells that the event is lost.
func TestShutdownDropsAnEventThatWaitsForTheEndOfItsClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		p := newTwoProcesses(t, videosdk.WithWebhookLogger(slog.New(slog.NewTextHandler(&logged, nil))))
		elapse(10*time.Minute - 5*time.Second)
		p.finish <- nil
		synctest.Wait()
		ctx, giveUp := context.WithCancel(t.Context())
		giveUp()
		require.ErrorIs(t, p.first.Shutdown(ctx), context.Canceled)
		synctest.Wait()
		assert.Contains(t, logged.String(), `msg="videosdk: webhook not handled" event=call-answered call=call_1 error="context canceled"`)
		elapse(10 * time.Second)
		assert.Equal(t, http.StatusOK, p.deliverAgain())
	})
}

func TestShutdownOfAnIdleReceiverSucceeds(t *testing.T) {
	for name, opts := range map[string][]videosdk.WebhookOption{
		"with a queue":    {videosdk.WithQueue(0, 0)},
		"without a queue": nil,
	} {
		t.Run(name, func(t *testing.T) {
			receiver := videosdk.WebhookHandler(vendor().verifier(t), ignore, opts...)
			require.NoError(t, receiver.Shutdown(t.Context()))
		})
	}
}

func TestAfterShutdownNoNewEventIsTaken(t *testing.T) {
	for name, opts := range map[string][]videosdk.WebhookOption{
		"with a queue":    {videosdk.WithQueue(1, 1)},
		"without a queue": nil,
	} {
		t.Run(name, func(t *testing.T) {
			dedup := videosdk.WithDeduplicator(newDeduplicator())
			var seen, elsewhere calls
			receiver := videosdk.WebhookHandler(vendor().verifier(t), seen.handle, append(opts, dedup)...)
			assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(0))))
			require.NoError(t, receiver.Shutdown(t.Context()))

			assert.Equal(t, http.StatusServiceUnavailable, answerTo(receiver, signed(numberedEvent(1))))
			assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(0))), "this one is done")
			assert.Equal(t, [2]int{1, 0}, [2]int{seen.of(numberedEvent(0)), seen.of(numberedEvent(1))})
			other := videosdk.WebhookHandler(vendor().verifier(t), elsewhere.handle, dedup)
			assert.Equal(t, http.StatusOK, answerTo(other, signed(numberedEvent(1))), "it comes again, elsewhere")
			assert.Equal(t, 1, elsewhere.of(numberedEvent(1)))
		})
	}
}

// Of the two, -race would tell: only the receiver itself may keep them apart.
func TestAnEventMayComeInTheMomentOfTheShutdown(t *testing.T) {
	store := &fakeDeduplicator{Deduplicator: newDeduplicator()}
	receiver, begun, _ := inQueue(t, 1, videosdk.WithDeduplicator(store))
	assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(0))))
	assert.Equal(t, numberedEvent(0), <-begun)
	request, claimed := signed(numberedEvent(1)), make(chan struct{})
	store.claimed = func() { close(claimed) }
	var delivering sync.WaitGroup
	delivering.Go(func() {
		assert.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, answerTo(receiver, request))
	})
	<-claimed
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, receiver.Shutdown(ended), context.Canceled)
	delivering.Wait()
	require.NoError(t, receiver.Shutdown(t.Context()))
}

func TestSeveralWorkersShareAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finish := make(chan struct{})
		var running atomic.Int32
		receiver := videosdk.WebhookHandler(vendor().verifier(t), func(context.Context, *videosdk.Event) error {
			running.Add(1)
			<-finish
			return nil
		}, videosdk.WithQueue(10, 4))
		for n := range 10 {
			assert.Equal(t, http.StatusOK, answerTo(receiver, signed(numberedEvent(n))))
		}
		synctest.Wait()
		assert.Equal(t, int32(4), running.Load())
		close(finish)
		require.NoError(t, receiver.Shutdown(t.Context()))
		assert.Equal(t, int32(10), running.Load())
	})
}

// handlerTransport brings requests to a handler without a network.
func handlerTransport(handler http.Handler) roundTripFunc {
	return func(req *http.Request) (*http.Response, error) {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, req)
		return rec.Result(), nil
	}
}

// Who calls somebody again because the event of a hangup does not say that anybody
// answered would call those again who did.
func TestAnEventTellsWhoseCallItIsAndNotWhoHadAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var receiver http.Handler
		srv, client, rule := newLine(t, videosdktest.InMemory(),
			videosdktest.WithWebhookClient(&http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				return handlerTransport(receiver)(req)
			})}))
		events := make(chan *videosdk.Event, 2)
		receiver = videosdk.WebhookHandler(videosdk.NewWebhookVerifier(client.WebhookKeys()), func(_ context.Context, event *videosdk.Event) error {
			events <- event
			return nil
		})
		_, err := client.Webhooks.Create(t.Context(), videosdk.WebhookCreateParams{
			URL: "https://example.com/hook", Events: []videosdk.EventType{videosdk.EventCallStarted, videosdk.EventCallHangup},
		})
		require.NoError(t, err)
		srv.Callee(theirNumber).AnswersAfter(10 * time.Second).HangsUpAfter(time.Minute)

		call, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{
			To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID, TrackingID: "order-4711", WaitUntilAnswered: true,
		})
		require.NoError(t, err)
		require.Len(t, events, 1, "it comes before Create has returned")
		assert.Equal(t, "order-4711", (<-events).Call.TrackingID())

		hangup := (<-events).Call
		assert.Equal(t, videosdk.CallEnded, hangup.Status)
		assert.Equal(t, "order-4711", hangup.TrackingID())
		assert.False(t, hangup.WasAnswered(), "it has no timelog")
		call, err = client.Calls.Get(t.Context(), call.ID)
		require.NoError(t, err)
		assert.True(t, call.WasAnswered())
	})
}

// All of it: the emulator delivers late, twice, in reverse, with a new key, and
// is refused at first. Each event is handled once, and the call ends.
func TestTheEmulatorsDeliveriesAreHandledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var receiver http.Handler
		srv := newServer(t, videosdktest.InMemory(), videosdktest.WithWebhookRetries(10, time.Second),
			videosdktest.WithWebhookClient(&http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				return handlerTransport(receiver)(req)
			})}))
		client := newClient(t, srv)
		srv.AddPhoneNumbers(ourNumber)
		var updates []videosdk.CallStatus
		tracker := videosdk.NewCallTracker(videosdk.WithUpdated(func(call *videosdk.Call) { updates = append(updates, call.Status) }))
		handled := map[string]int{}
		refusals := 2
		receiver = videosdk.WebhookHandler(videosdk.NewWebhookVerifier(client.WebhookKeys()), func(_ context.Context, event *videosdk.Event) error {
			if refusals--; refusals >= 0 {
				return errors.New("not yet")
			}
			handled[string(event.Type)+" "+string(event.Call.Status)]++
			tracker.Observe(event)
			return nil
		})
		_, err := client.Webhooks.Create(t.Context(), videosdk.WebhookCreateParams{URL: "https://example.com/hook", Events: []videosdk.EventType{
			videosdk.EventCallStarted, videosdk.EventCallRinging, videosdk.EventCallAnswered, videosdk.EventCallHangup,
		}})
		require.NoError(t, err)
		status, err := srv.ForgeDelivery(t.Context(), "https://example.com/hook", []byte(smallEvent))
		require.NoError(t, err)
		assert.Equal(t, http.StatusUnauthorized, status)

		srv.HoldDeliveries()
		srv.DuplicateDeliveries(3)
		rule, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
			Name: "out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ourNumber},
		})
		require.NoError(t, err)
		srv.Callee(theirNumber).HangsUpAfter(time.Minute)
		call, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID})
		require.NoError(t, err)
		elapse(time.Hour)
		srv.RotateKey()
		srv.ReleaseDeliveriesReversed()

		last, err := tracker.Wait(t.Context(), call.ID, nil)
		require.NoError(t, err)
		assert.Equal(t, videosdk.CallEnded, last.Status)
		elapse(time.Hour)
		synctest.Wait()
		assert.Equal(t, map[string]int{"call-started initiated": 1, "call-ringing ringing": 1, "call-answered answered": 1, "call-hangup ended": 1}, handled)
		assert.Equal(t, []videosdk.CallStatus{videosdk.CallEnded}, updates, "what came late changed nothing")
		assert.Len(t, srv.Deliveries(), 4+3+2)
	})
}
