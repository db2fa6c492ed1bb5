package transport

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long a dial waits at most for another connection.
const patience = 250 * time.Millisecond

var errNotWanted = errors.New("the request has got another connection, or is over")

// pool keeps net/http from opening surplus connections. net/http dials for every
// request that finds no idle connection, even if one becomes idle before the dial is
// done: 64 callers open 90 connections, and several hundred where dialling takes
// longer than an answer.
//
// A pool delays a dial while its lane has at least as many connections (open or
// being dialled) as there are requests under way, because one of them will become
// free. A dial that has waited for patience begins anyway, and the oldest connection
// no longer counts.
type pool struct {
	requests atomic.Int64 // under way

	mu    sync.Mutex
	lanes map[lane]*traffic
}

// lane is where connections lead that can serve the same requests: to an origin,
// and perhaps by way of a proxy.
type lane struct{ origin, address string }

// traffic is what goes on in a lane.
type traffic struct {
	open    []*dialling // connections that count, with those that are being made
	waiting []*dialling // both lists begin with the oldest
}

// dialling is a dial of net/http's. The lock of its pool guards it.
type dialling struct {
	pool *pool
	lane lane
	turn chan error // receives nil when the dial may begin, or why it must not; buffered
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// pooled returns dial with connections of the pool, which the witness can read.
func (p *pool) pooled(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := &dialling{pool: p, turn: make(chan error, 1)}
		a, ok := ctx.Value(attemptKey{}).(*Attempt)
		if ok && !a.dials(d, address) {
			if err := d.await(ctx); err != nil {
				return nil, err
			}
		}
		c, err := dial(ctx, network, address)
		if err != nil || c == nil {
			p.leave(d)
			return nil, err // net/http has an error of its own for neither
		}
		return &conn{Conn: c, pool: p, dialling: d}, nil
	}
}

// await returns when d is to begin, or why it is not.
func (d *dialling) await(ctx context.Context) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case err := <-d.turn:
		return err
	case <-late.C:
		d.pool.tire(d)
	case <-ctx.Done():
		return context.Cause(ctx) // the end of the attempt takes d out
	}
	return <-d.turn
}

// enter reports whether d is to begin at once. If not, it is told when.
func (p *pool) enter(d *dialling) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lanes == nil {
		p.lanes = make(map[lane]*traffic)
	}
	t := p.traffic(d.lane)
	p.lanes[d.lane] = t
	if p.isFull(t) {
		t.waiting = append(t.waiting, d)
		return false
	}
	t.begin(d)
	return true
}

// tire lets d begin, if it still waits.
func (p *pool) tire(d *dialling) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.traffic(d.lane); t.giveUp(d) {
		t.begin(d)
	}
}

// over notes that the request of d is over without having got a connection. What d
// was making may hang, and does not count.
func (p *pool) over(d *dialling) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.traffic(d.lane).giveUp(d) {
		d.turn <- errNotWanted
	}
	p.remove(d)
}

// got notes that the request of these dials has got a connection.
func (p *pool) got(own []*dialling) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range own {
		if take(&p.traffic(d.lane).waiting, d) {
			d.turn <- errNotWanted
		}
	}
}

// leave notes that no request will get, or get again, what comes of d.
func (p *pool) leave(d *dialling) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(d)
}

// remove takes d out of the connections that count, and lets another begin in its
// place.
func (p *pool) remove(d *dialling) {
	t := p.traffic(d.lane)
	if take(&t.open, d) && len(t.waiting) > 0 && !p.isFull(t) {
		first := t.waiting[0]
		t.waiting = t.waiting[1:]
		t.begin(first)
	}
	if len(t.open) == 0 && len(t.waiting) == 0 {
		delete(p.lanes, d.lane)
	}
}

func (p *pool) isFull(t *traffic) bool {
	return int64(len(t.open)) >= p.requests.Load()
}

// traffic returns that of a lane, which is none if nothing has entered it.
func (p *pool) traffic(l lane) *traffic {
	if t := p.lanes[l]; t != nil {
		return t
	}
	return &traffic{}
}

// begin lets d begin.
func (t *traffic) begin(d *dialling) {
	t.open = append(t.open, d)
	d.turn <- nil
}

// giveUp ends the wait of d, if it waits, which was in vain: there is one connection
// less that counts.
func (t *traffic) giveUp(d *dialling) bool {
	if !take(&t.waiting, d) {
		return false
	}
	// Copies of a request that are repeated may wait more often than there are
	// connections.
	t.open = t.open[min(1, len(t.open)):]
	return true
}

// take removes d from a list, and reports whether it was there.
func take(list *[]*dialling, d *dialling) bool {
	i := slices.Index(*list, d)
	if i < 0 {
		return false
	}
	*list = slices.Delete(*list, i, i+1)
	return true
}
