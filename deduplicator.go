package videosdk

import (
	fifo "container/list"
	"context"
	"sync"
	"time"
)

// Claim is what a [Deduplicator] answers to somebody who wants to handle an
// event. A value that is none of the constants counts as ClaimInFlight.
type Claim int

// The answers to a claim.
const (
	// ClaimInFlight: somebody is handling the event now. It is the zero value, so
	// that a Deduplicator that forgets a case has no event handled twice.
	ClaimInFlight Claim = iota
	// ClaimGranted: nobody is handling the event or has handled it. The one who
	// claimed it does, and calls Done or Release.
	ClaimGranted
	// ClaimDone: it has been handled.
	ClaimDone
)

// Deduplicator remembers which events have been handled, so that one that is
// delivered again is not handled again. Receivers of several processes share one
// that is backed by a database: Claim is then an atomic "insert unless there, or
// void", by the clock of the database. docs/webhooks.md has one in SQL. All methods
// are called from many goroutines, with a context that does not end when the sender
// of the event hangs up, but after ten seconds.
type Deduplicator interface {
	// Claim asks to handle the event of a key. A claim that is granted and
	// neither done nor released is void after ttl: its holder has crashed, or
	// never heard that it was granted.
	Claim(ctx context.Context, key string, ttl time.Duration) (Claim, error)
	// Done says that the event has been handled, to be remembered for ttl.
	Done(ctx context.Context, key string, ttl time.Duration) error
	// Release gives a claim back: the event was not handled, and may be
	// claimed again. It does not say whose claim it is: a holder whose own has
	// become void may give back that of another, who is handling the event.
	// Choose a ttl longer than handling takes. [WebhookHandler] releases no
	// claim that is void by its clock.
	Release(ctx context.Context, key string) error
}

// NewMemoryDeduplicator returns a Deduplicator for one process. It remembers at
// most max keys of events that have been handled, the latest, or 100,000 if max is
// zero or less; each costs about 250 bytes. Claims in flight do not count, and are not
// forgotten for lack of room.
func NewMemoryDeduplicator(max int) Deduplicator {
	if max <= 0 {
		max = defaultRemembered
	}
	return &memoryDeduplicator{max: max, byKey: map[string]*fifo.Element{}}
}

type memoryDeduplicator struct {
	mu    sync.Mutex
	max   int
	byKey map[string]*fifo.Element
	// Of *memoryClaim, the oldest first: apart, so that who makes room need not look
	// for what is done among all that is in flight.
	inFlight, done fifo.List
}

type memoryClaim struct {
	key   string
	list  *fifo.List // that it is in
	until time.Time
}

func (d *memoryDeduplicator) Claim(_ context.Context, key string, ttl time.Duration) (Claim, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if element, known := d.byKey[key]; known {
		claim := element.Value.(*memoryClaim)
		switch {
		case !now.Before(claim.until):
			d.forget(element)
		case claim.list == &d.done:
			return ClaimDone, nil
		default:
			return ClaimInFlight, nil
		}
	}
	d.add(&d.inFlight, key, now, ttl)
	return ClaimGranted, nil
}

func (d *memoryDeduplicator) Done(_ context.Context, key string, ttl time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if element, known := d.byKey[key]; known {
		d.forget(element)
	}
	d.add(&d.done, key, time.Now(), ttl)
	if d.done.Len() > d.max {
		d.forget(d.done.Front())
	}
	return nil
}

func (d *memoryDeduplicator) Release(_ context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if element, known := d.byKey[key]; known && element.Value.(*memoryClaim).list == &d.inFlight {
		d.forget(element)
	}
	return nil
}

func (d *memoryDeduplicator) add(list *fifo.List, key string, now time.Time, ttl time.Duration) {
	d.forgetOld(&d.inFlight, now)
	d.forgetOld(&d.done, now)
	d.byKey[key] = list.PushBack(&memoryClaim{key: key, list: list, until: now.Add(ttl)})
}

// forgetOld forgets what is at the front of a list and too old.
func (d *memoryDeduplicator) forgetOld(list *fifo.List, now time.Time) {
	for oldest := list.Front(); oldest != nil && !now.Before(oldest.Value.(*memoryClaim).until); oldest = list.Front() {
		d.forget(oldest)
	}
}

func (d *memoryDeduplicator) forget(element *fifo.Element) {
	claim := element.Value.(*memoryClaim)
	delete(d.byKey, claim.key)
	claim.list.Remove(element)
}
