package videosdktest

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Delivery is one attempt to deliver an event to a webhook.
type Delivery struct {
	WebhookID string // or the id of the batch whose webhook it is
	URL       string
	Event     string // such as "call-answered"
	CallID    string // "" for events of batches
	Body      []byte // as it was sent; must not be modified
	Signature string // of Body, the value of the header videosdk-signature
	Attempt   int    // 1 for the first
	Status    int    // of the answer; 0 when there was none
	Err       error  // why there was no answer; nil otherwise
	Time      time.Time
}

// WithWebhookClient sets the client that deliveries are sent with. A server that
// is [InMemory] needs one whose connections stay in the bubble. Redirects are
// not followed, whatever the client says of them, and its timeout is 10 s when
// it has none. A transport that calls a handler must return when the context of the
// request ends, as that of the example does: otherwise a receiver that is too slow
// passes for a good one, and Close waits for it.
func WithWebhookClient(client *http.Client) Option {
	return func(c *config) { c.webhooks.client = client }
}

// WithWebhookRetries sets how often a delivery is attempted in all, at least
// once, until it is answered with a 2xx, and how long is waited before the
// second attempt; before each further one, twice as long. The default is 5
// attempts, the second after 100 ms.
func WithWebhookRetries(attempts int, wait time.Duration) Option {
	return func(c *config) { c.webhooks.attempts, c.webhooks.wait = attempts, wait }
}

// Deliveries returns the attempts so far to deliver an event to a webhook, in
// order of their ends: the latest 10,000, unless [WithRequestLog] says otherwise.
func (s *Server) Deliveries() []Delivery {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	return slices.Clone(s.outbox.log)
}

// DuplicateDeliveries makes the next n deliveries happen twice, as when the
// answer to the first got lost.
func (s *Server) DuplicateDeliveries(n int) {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	s.outbox.duplicates = n
}

// DelayDeliveries makes every delivery of an event from now on leave d after
// the event; 0 ends that.
func (s *Server) DelayDeliveries(d time.Duration) {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	s.outbox.delay = d
}

// HoldDeliveries keeps deliveries back until [Server.ReleaseDeliveries] or
// [Server.ReleaseDeliveriesReversed]. Those on their way are not stopped.
func (s *Server) HoldDeliveries() {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	s.outbox.held = true
}

// ReleaseDeliveries sends what was held back, to each webhook in order.
func (s *Server) ReleaseDeliveries() {
	s.outbox.release(func([]parcel) {})
}

// ReleaseDeliveriesReversed sends what was held back, to each webhook the
// newest first.
func (s *Server) ReleaseDeliveriesReversed() {
	s.outbox.release(slices.Reverse[[]parcel])
}

// Deliver posts a body of any kind to a webhook, signed, once, and returns the
// status of the answer. It does not show in [Server.Deliveries].
func (s *Server) Deliver(ctx context.Context, url string, body []byte) (status int, err error) {
	return s.outbox.post(ctx, url, body, s.outbox.keys.sign(body))
}

// ForgeDelivery is [Server.Deliver] with a genuine signature of another body,
// as of one who has seen a delivery but does not have the key.
func (s *Server) ForgeDelivery(ctx context.Context, url string, body []byte) (status int, err error) {
	return s.outbox.post(ctx, url, body, s.outbox.keys.sign(slices.Concat(body, []byte(" "))))
}

// subscriber is whoever gets events: a webhook, or a batch with one.
type subscriber struct{ id, url string }

// subscribers returns the webhooks that want an event.
func (a *account) subscribers(event string) []subscriber {
	var found []subscriber
	for _, w := range a.webhooks.order {
		if slices.Contains(w.Events, event) {
			found = append(found, subscriber{w.ID, w.URL})
		}
	}
	return found
}

// deliver sends an event to subscribers, in the background.
func (s *Server) deliver(subscribers []subscriber, callID string, e event) {
	body := e.encode(s.quirks)
	for _, to := range subscribers {
		s.outbox.add(parcel{subscriber: to, event: e.Type, callID: callID, body: body})
	}
}

type webhookConfig struct {
	client   *http.Client // nil for one of the server's own
	attempts int
	wait     time.Duration
}

func newWebhookConfig() webhookConfig {
	return webhookConfig{attempts: 5, wait: 100 * time.Millisecond}
}

// outbox sends events. Each subscriber gets its own in order, one at a time,
// from a goroutine that lives while there are any.
type outbox struct {
	ctx       context.Context // of the server
	transport *http.Transport // nil when the client is the user's
	client    http.Client
	attempts  int
	wait      time.Duration
	logLimit  int
	tb        TB // told of each attempt; nil for none
	keys      keyring
	senders   sync.WaitGroup

	mu         sync.Mutex // guards all that follows
	queues     map[string]*parcelQueue
	log        []Delivery // the latest, as many as the limit
	delay      time.Duration
	duplicates int // deliveries still to be doubled
	held       bool
	closed     bool
}

// parcel is an event on its way to one subscriber.
type parcel struct {
	subscriber
	event, callID string
	body          []byte
	due           time.Time
}

type parcelQueue struct {
	id      string // of the subscriber
	parcels []parcel
	busy    bool // has a goroutine
	dropped bool // nobody is there any more
}

func newOutbox(ctx context.Context, cfg webhookConfig, logLimit int) *outbox {
	o := &outbox{
		ctx:      ctx,
		attempts: cfg.attempts,
		wait:     cfg.wait,
		logLimit: logLimit,
		queues:   make(map[string]*parcelQueue),
	}
	if cfg.client != nil {
		o.client = *cfg.client
	} else {
		o.transport = &http.Transport{}
		o.client.Transport = o.transport
	}
	o.client.Timeout = cmp.Or(o.client.Timeout, 10*time.Second)
	o.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return o
}

// close waits for the goroutines, which end because the server's context has.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.senders.Wait()
	if o.transport != nil {
		o.transport.CloseIdleConnections()
	}
}

func (o *outbox) add(p parcel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p.due = time.Now().Add(o.delay)
	q := o.queues[p.id]
	if q == nil {
		q = &parcelQueue{id: p.id}
		o.queues[p.id] = q
	}
	q.parcels = append(q.parcels, p)
	if o.duplicates > 0 {
		o.duplicates--
		q.parcels = append(q.parcels, p)
	}
	o.wake(q)
}

// drop forgets what is still to be delivered to a subscriber.
func (o *outbox) drop(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if q := o.queues[id]; q != nil {
		q.parcels, q.dropped = nil, true
		delete(o.queues, id)
	}
}

func (o *outbox) release(arrange func([]parcel)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = false
	for _, q := range o.queues {
		arrange(q.parcels)
		o.wake(q)
	}
}

// wake makes sure that a queue is worked off, if it may be. The caller holds
// the lock.
func (o *outbox) wake(q *parcelQueue) {
	if q.busy || o.held || o.closed {
		return
	}
	q.busy = true
	o.senders.Go(func() {
		for p, more := o.next(q); more; p, more = o.next(q) {
			o.deliver(q, p)
		}
	})
}

// next takes a parcel from a queue. One that is empty is forgotten: its batch may
// never have another, nor be there any more.
func (o *outbox) next(q *parcelQueue) (p parcel, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(q.parcels) == 0 {
		delete(o.queues, q.id)
		return parcel{}, false
	}
	if o.held || o.closed {
		q.busy = false
		return parcel{}, false
	}
	p = q.parcels[0]
	q.parcels = q.parcels[1:]
	return p, true
}

// deliver attempts a delivery until it is taken, attempted often enough, or
// nobody is to get it any more.
func (o *outbox) deliver(q *parcelQueue, p parcel) {
	before, wait := time.Until(p.due), o.wait
	for attempt := 1; pause(o.ctx, before) && !o.isOver(q); attempt++ {
		if o.attempt(p, attempt) || attempt >= o.attempts {
			return
		}
		before, wait = wait, 2*wait
	}
}

// isOver asks for the end of the server, too: where nothing is waited for between
// two attempts, pause does not.
func (o *outbox) isOver(q *parcelQueue) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return q.dropped || o.ctx.Err() != nil
}

// attempt reports whether the delivery was taken.
func (o *outbox) attempt(p parcel, number int) bool {
	entry := Delivery{
		WebhookID: p.id,
		URL:       p.url,
		Event:     p.event,
		CallID:    p.callID,
		Body:      p.body,
		Signature: o.keys.sign(p.body),
		Attempt:   number,
		Time:      time.Now(),
	}
	entry.Status, entry.Err = o.post(o.ctx, p.url, p.body, entry.Signature)
	if o.tb != nil {
		entry.tell(o.tb)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log = appendLatest(o.log, entry, o.logLimit)
	return entry.Status/100 == 2
}

func (o *outbox) post(ctx context.Context, url string, body []byte, signature string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("videosdk-signature", signature)
	resp, err := o.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	return resp.StatusCode, nil
}
