package videosdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// What a [WebhookReceiver] does unless it is told otherwise.
const (
	defaultWebhookBody = 1 << 20
	defaultRemembered  = 100_000
	// claimTTL is how long a function may take until its claim is void. With a
	// queue a claim lasts twice as long: an event may wait before it is handled.
	claimTTL = 5 * time.Minute
	// claimMargin is by how much the clock of a Deduplicator may be behind ours.
	claimMargin = time.Second
	doneTTL     = 24 * time.Hour
	// storeTimeout is how long a Deduplicator may take.
	storeTimeout = 10 * time.Second
)

// WebhookFunc handles an event. It is called once for each event, as far as the
// [Deduplicator] reaches. If it returns an error, panics, or ends its goroutine,
// the event is delivered again, unless there is a queue: see [WithQueue].
type WebhookFunc func(ctx context.Context, event *Event) error

// WebhookOption is a setting of [WebhookHandler]. A nil option is skipped.
type WebhookOption func(*WebhookReceiver)

// WithMaxBody limits the body of a delivery, in bytes. Default, also where it
// is zero or less: 1 MiB.
func WithMaxBody(bytes int64) WebhookOption {
	return func(w *WebhookReceiver) { w.maxBody = bytes }
}

// WithDeduplicator sets the store that remembers handled events. Receivers that share
// one handle an event once between them: those that do different things with it need
// one each, or keys of their own from [WithEventKey]. Default, also nil:
// NewMemoryDeduplicator(100_000), for 24 hours.
func WithDeduplicator(d Deduplicator) WebhookOption {
	return func(w *WebhookReceiver) { w.dedup = d }
}

// WithEventKey sets the function that returns the identity of an event:
// deliveries with equal keys are one event. Default, also where it returns "":
// the SHA-256 of the signed body. The API does not document that an event has the same
// body when it is delivered again. Where handling it twice would do harm, such as call
// somebody back twice, key what has a Call by Type, Call.ID and Call.Status: what a call
// does twice, such as to switch rooms, is one event then.
func WithEventKey(key func(*Event) string) WebhookOption {
	return func(w *WebhookReceiver) { w.key = key }
}

// WithQueue makes the receiver answer as soon as an event has been verified and
// queued, and handle it afterwards in the given number of workers. size is the
// capacity of the queue; both are at least 1. If it is full, the answer is 503
// and the event is delivered again. Queued events are lost if the process dies,
// and an event whose function fails is not delivered again, only logged. Call
// [WebhookReceiver.Shutdown] before exiting. Nothing else ends the context of the
// function, so it needs a time limit of its own: one that hangs keeps its worker for
// good, and once all of them hang, and the queue is full, no event is taken any more.
//
// However long an event waits, it is handled once: after five minutes in the
// queue it is claimed again before it is handled, and left to another process
// that has claimed it in the meantime.
func WithQueue(size, workers int) WebhookOption {
	return func(w *WebhookReceiver) { w.queue, w.workers = make(chan claimed, max(size, 1)), max(workers, 1) }
}

// WithWebhookLogger sets where failures are logged: refused deliveries at level
// Warn; functions and Deduplicators that fail or panic at level Error. Errors are
// logged as they are, but of a delivery only the type of its event and the ID of
// its call, and of a panic where it happened and not its value. Default, also nil:
// nowhere.
func WithWebhookLogger(logger *slog.Logger) WebhookOption {
	return func(w *WebhookReceiver) { w.log = logger }
}

// WebhookReceiver is the http.Handler that [WebhookHandler] returns. The zero
// value is not usable.
type WebhookReceiver struct {
	verifier *WebhookVerifier
	handle   WebhookFunc
	maxBody  int64
	dedup    Deduplicator
	key      func(*Event) string
	log      *slog.Logger

	claimTTL time.Duration
	queue    chan claimed // nil to handle events before the answer
	workers  int
	running  sync.WaitGroup

	mu      sync.RWMutex // held for reading while an event is admitted
	closed  bool
	pending map[string]bool    // the keys of the events that are queued or being handled
	abort   context.CancelFunc // ends the context of the workers
	working context.Context
}

// afterwards is the context of the workers with the values of a request that has been
// answered.
type afterwards struct {
	context.Context
	request context.Context
}

func (c afterwards) Value(key any) any { return c.request.Value(key) }

// claimed is an event that is ours to handle.
type claimed struct {
	ctx   context.Context // of the request, for its values
	event *Event
	key   string
	ours  time.Time // until when the claim is ours for certain
	void  time.Time // from when it is not; in between, the store may have given it to another
}

// left returns for how long the claim is ours for certain, by the clock that says less:
// that on the wall may be set back, and the other stands still while a machine sleeps.
func (c *claimed) left() time.Duration {
	return min(time.Until(c.ours), time.Until(c.ours.Round(0)))
}

// WebhookHandler returns an http.Handler that verifies deliveries and calls the
// function once for each event. Its answers:
//
//   - 200: the function has succeeded, now or when the event was delivered
//     before (with [WithQueue]: the event is in the queue)
//   - 400: the body is not JSON; 401: the signature does not fit; 405: not a
//     POST; 413: the body is too large
//   - 500: the function failed or panicked; 503: the event is being handled,
//     the queue is full, no key or no claim could be had, or the receiver is
//     shut down. All of these have the event delivered again.
//
// The function runs with the context of the request, which ends if the sender
// hangs up; with [WithQueue], with its values alone, such as the account that a
// middleware has found. It should take less than five minutes: after that its claim on the
// event is void, so that the event is not lost if this process has died, and
// another process may handle it too. This one does not as long as the function
// runs.
//
// WebhookHandler panics if the verifier or the function is nil.
func WebhookHandler(verifier *WebhookVerifier, handle WebhookFunc, opts ...WebhookOption) *WebhookReceiver {
	if verifier == nil || handle == nil {
		panic("videosdk: WebhookHandler needs a verifier and a function")
	}
	w := &WebhookReceiver{verifier: verifier, handle: handle, claimTTL: claimTTL, pending: map[string]bool{}}
	for _, opt := range opts {
		if opt != nil {
			opt(w)
		}
	}
	if w.maxBody <= 0 {
		w.maxBody = defaultWebhookBody
	}
	if w.dedup == nil {
		w.dedup = NewMemoryDeduplicator(defaultRemembered)
	}
	if w.key == nil {
		w.key = bodyHash
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if w.queue != nil {
		w.claimTTL = 2 * claimTTL
	}
	w.working, w.abort = context.WithCancel(context.Background())
	for range w.workers {
		w.running.Go(w.work)
	}
	return w
}

func bodyHash(event *Event) string {
	sum := sha256.Sum256(event.Raw)
	return hex.EncodeToString(sum[:])
}

// ServeHTTP implements [http.Handler]: it receives one delivery.
func (w *WebhookReceiver) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	status := w.receive(rw, r)
	if status == http.StatusMethodNotAllowed {
		rw.Header().Set("Allow", http.MethodPost)
	}
	if status == http.StatusServiceUnavailable {
		rw.Header().Set("Retry-After", "1")
	}
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, http.StatusText(status)+"\n") // the sender may have left
}

// receive takes a delivery to its end and returns the status to answer.
func (w *WebhookReceiver) receive(rw http.ResponseWriter, r *http.Request) int {
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed
	}
	event, status, err := w.verified(rw, r)
	if err != nil {
		w.log.WarnContext(r.Context(), "videosdk: webhook refused", describe(err, "status", status)...)
		return status
	}
	job := claimed{ctx: r.Context(), event: event}
	if job.key, err = w.keyOf(r.Context(), event); err != nil {
		return http.StatusInternalServerError
	}
	return w.take(r.Context(), job)
}

// take handles an event, or leaves it to the queue, if its claim is granted. It
// returns the status to answer.
func (w *WebhookReceiver) take(ctx context.Context, job claimed) (status int) {
	if !w.begin(job.key) {
		return http.StatusServiceUnavailable
	}
	queued := false
	defer func() {
		if !queued {
			w.end(job.key)
		}
	}()
	claim, err := w.claim(ctx, &job)
	switch {
	case err != nil:
		return http.StatusServiceUnavailable
	case claim == ClaimDone:
		return http.StatusOK
	case claim != ClaimGranted, job.left() <= 0: // in flight, or we were frozen when we had claimed it
		return http.StatusServiceUnavailable
	case !w.admit(job):
		w.release(ctx, job)
		return http.StatusServiceUnavailable
	case w.queue != nil:
		queued = true
		return http.StatusOK
	case w.process(ctx, job):
		return http.StatusOK
	default:
		return http.StatusInternalServerError
	}
}

// begin notes that an event is being handled, unless it is already. The claims
// in the Deduplicator are void after a while, but what this process is doing it
// knows itself.
func (w *WebhookReceiver) begin(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending[key] {
		return false
	}
	w.pending[key] = true
	return true
}

func (w *WebhookReceiver) end(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.pending, key)
}

// verified reads and verifies the body. With an error, status is the answer.
func (w *WebhookReceiver) verified(rw http.ResponseWriter, r *http.Request) (event *Event, status int, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, w.maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge, err
	case err != nil:
		return nil, http.StatusBadRequest, err
	}
	signatures := r.Header.Values(SignatureHeader)
	if len(signatures) != 1 {
		return nil, http.StatusUnauthorized, fmt.Errorf("%w: %d headers", ErrInvalidSignature, len(signatures))
	}
	event, err = w.verifier.Verify(r.Context(), body, signatures[0])
	switch {
	case errors.Is(err, ErrInvalidEvent):
		status = http.StatusBadRequest
	case errors.Is(err, ErrInvalidSignature):
		// The length shows a body that somebody in front has read, or changed.
		status, err = http.StatusUnauthorized, fmt.Errorf("%w (a body of %d bytes)", err, len(body))
	case err != nil:
		status = http.StatusServiceUnavailable
	}
	return event, status, err
}

// keyOf fails only if the user's function panics, or the context has ended.
func (w *WebhookReceiver) keyOf(ctx context.Context, event *Event) (key string, err error) {
	err = w.guard(ctx, event, func() error {
		if key = w.key(event); key == "" {
			key = bodyHash(event)
		}
		return nil
	})
	return key, err
}

// process handles an event and settles its claim, also if the function ends its
// goroutine.
func (w *WebhookReceiver) process(ctx context.Context, job claimed) (ok bool) {
	defer func() {
		if ok {
			w.done(ctx, job)
		} else {
			w.release(ctx, job)
		}
	}()
	return w.guard(ctx, job.event, func() error { return w.handle(ctx, job.event) }) == nil
}

// guard calls one of the user's functions, unless the context has ended, and
// logs its failure.
func (w *WebhookReceiver) guard(ctx context.Context, event *Event, f func() error) (err error) {
	finally("the function", func() error {
		if ctx.Err() != nil {
			return endOf(ctx)
		}
		return f()
	}, func(failure error) {
		err = failure
		w.report(ctx, "videosdk: webhook not handled", event, err)
	})
	return err
}

func (w *WebhookReceiver) claim(ctx context.Context, job *claimed) (claim Claim, err error) {
	asked := time.Now()
	err = w.store(ctx, func(ctx context.Context) (err error) {
		claim, err = w.dedup.Claim(ctx, job.key, w.claimTTL)
		return err
	})
	if err == nil {
		job.ours, job.void = asked.Add(w.claimTTL), time.Now().Add(w.claimTTL+claimMargin)
	}
	w.report(ctx, "videosdk: webhook not claimed", job.event, err)
	return claim, err
}

// renew has a claim last until its event has been handled, which may have waited
// for long, and reports whether the event is still ours: while its claim was
// void, another process may have taken it. If the store cannot tell, it is ours:
// the sender has had an answer, and does not deliver it again.
func (w *WebhookReceiver) renew(ctx context.Context, job *claimed) bool {
	switch left := job.left(); {
	case left >= claimTTL:
		return true
	case left > storeTimeout:
		if w.giveBack(ctx, *job) != nil {
			return true
		}
	case sleep(ctx, time.Until(job.void)) != nil:
		return true // and is dropped
	}
	claim, err := w.claim(ctx, job)
	if err == nil && claim == ClaimGranted && job.left() <= 0 { // we were frozen meanwhile
		return w.renew(ctx, job)
	}
	return err != nil || claim == ClaimGranted
}

// done notes that an event has been handled. If that fails, the claim is void
// after claimTTL, and the event may be handled again.
func (w *WebhookReceiver) done(ctx context.Context, job claimed) {
	err := w.store(ctx, func(ctx context.Context) error { return w.dedup.Done(ctx, job.key, doneTTL) })
	w.report(ctx, "videosdk: webhook claim not settled", job.event, err)
}

// release gives a claim back, unless it may be void before the store has done that:
// then it may be another's by now.
func (w *WebhookReceiver) release(ctx context.Context, job claimed) {
	if job.left() > storeTimeout {
		_ = w.giveBack(ctx, job) // which logs its failure
	}
}

func (w *WebhookReceiver) giveBack(ctx context.Context, job claimed) error {
	err := w.store(ctx, func(ctx context.Context) error { return w.dedup.Release(ctx, job.key) })
	w.report(ctx, "videosdk: webhook claim not settled", job.event, err)
	return err
}

// store has the Deduplicator do something that a sender who hangs up must not
// end half-way: nobody would know of a claim that was granted to him.
func (w *WebhookReceiver) store(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	return safely("the deduplicator", func() error { return do(ctx) })
}

// report logs what went wrong with an event, if anything did, and names the call:
// an event that the queue has lost does not come again, and who reads the log asks
// for the call.
func (w *WebhookReceiver) report(ctx context.Context, what string, event *Event, err error) {
	if err == nil {
		return
	}
	attributes := []any{"event", event.Type}
	if event.Call != nil {
		attributes = append(attributes, "call", event.Call.ID)
	}
	w.log.ErrorContext(ctx, what, describe(err, attributes...)...)
}

// describe returns what a log tells of an error: of a panic also where it
// happened.
func describe(err error, attributes ...any) []any {
	attributes = append(attributes, "error", err)
	var p *panicError
	if errors.As(err, &p) {
		attributes = append(attributes, "stack", p.stack)
	}
	return attributes
}

// admit puts an event into the queue, if there is one. It reports false if there
// is no room, or after Shutdown.
func (w *WebhookReceiver) admit(job claimed) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	switch {
	case w.closed:
		return false
	case w.queue == nil:
		return true
	}
	select {
	case w.queue <- job:
		return true
	default:
		return false
	}
}

// work handles each event in a goroutine of its own: a function that ends its
// goroutine, as t.FailNow does, must not end the worker.
func (w *WebhookReceiver) work() {
	for job := range w.queue {
		var handling sync.WaitGroup
		handling.Go(func() {
			defer w.end(job.key)
			ctx := afterwards{w.working, context.WithoutCancel(job.ctx)}
			if w.renew(ctx, &job) {
				w.process(ctx, job)
			}
		})
		handling.Wait()
	}
}

// Shutdown makes the receiver answer 503 to new events and waits until the queue
// has been worked off. If ctx ends first, Shutdown returns its error without
// waiting any longer: the events that are left in the queue are dropped, and the
// contexts of those that are being handled end. Without [WithQueue] it waits for
// nothing: http.Server has a Shutdown of its own. A [WebhookFunc] must not call it: it
// would wait for itself.
func (w *WebhookReceiver) Shutdown(ctx context.Context) error {
	w.close()
	drained := make(chan struct{})
	go func() {
		w.running.Wait()
		close(drained)
	}()
	defer w.abort()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("videosdk: WebhookReceiver.Shutdown: %w", waitEnd{endOf(ctx)})
	}
}

func (w *WebhookReceiver) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		if w.queue != nil {
			close(w.queue)
		}
	}
}
