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
// most max keys, the latest; each costs about 200 bytes. Claims in flight are
// not forgotten for lack of room.
func NewMemoryDeduplicator(max int) Deduplicator {
	return &memoryDeduplicator{max: max, byKey: map[string]*fifo.Element{}}
}

type memoryDeduplicator struct {
	mu    sync.Mutex
	max   int
	byKey map[string]*fifo.Element
	order fifo.List // of *memoryClaim, the oldest first
}

type memoryClaim struct {
	key   string
	done  bool
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
		case claim.done:
			return ClaimDone, nil
		default:
			return ClaimInFlight, nil
		}
	}
	d.add(&memoryClaim{key: key, until: now.Add(ttl)}, now)
	return ClaimGranted, nil
}

func (d *memoryDeduplicator) Done(_ context.Context, key string, ttl time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if element, known := d.byKey[key]; known {
		d.forget(element)
	}
	d.add(&memoryClaim{key: key, done: true, until: now.Add(ttl)}, now)
	return nil
}

func (d *memoryDeduplicator) Release(_ context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if element, known := d.byKey[key]; known && !element.Value.(*memoryClaim).done {
		d.forget(element)
	}
	return nil
}

func (d *memoryDeduplicator) add(claim *memoryClaim, now time.Time) {
	d.makeRoom(now)
	d.byKey[claim.key] = d.order.PushBack(claim)
}

// makeRoom forgets what is too old, and the oldest that is done while there is
// too much.
func (d *memoryDeduplicator) makeRoom(now time.Time) {
	for element := d.order.Front(); element != nil; {
		claim, next := element.Value.(*memoryClaim), element.Next()
		tooOld, tooMuch := !now.Before(claim.until), len(d.byKey) >= d.max
		switch {
		case tooOld || tooMuch && claim.done:
			d.forget(element)
		case !tooMuch:
			return
		}
		element = next
	}
}

func (d *memoryDeduplicator) forget(element *fifo.Element) {
	delete(d.byKey, element.Value.(*memoryClaim).key)
	d.order.Remove(element)
}
