package transport

import (
	"context"
	"errors"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long a dial waits at most for another connection to come free:
// one whose handshake hangs must not hold up what can do without it.
const patience = time.Second

var errNotWanted = errors.New("the request has got another connection, or wants none any more")

// pool counts the connections of a transport and the requests under way. net/http
// dials for each request that finds no idle connection, and lets the dial go on
// when another connection comes free for the request first: 64 callers would open
// 90 connections. In a pool a dial waits while there are as many connections as
// requests, because one of them is then about to come free.
type pool struct {
	requests atomic.Int64

	mu   sync.Mutex
	open map[string]int // connections to each origin, with those that are being made
	gone chan struct{}  // closed when one of them is; nil if no dial waits for that
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// counted returns dial with connections that the pool counts and the witness can
// read.
func (p *pool) counted(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		leave, err := p.enter(ctx)
		if err != nil {
			return nil, err
		}
		c, err := dial(ctx, network, address)
		if err != nil || c == nil {
			leave()
			return nil, err // net/http has an error of its own for neither
		}
		return &conn{Conn: c, leave: leave}, nil
	}
}

// enter counts one more connection, for the request that ctx belongs to, as soon as
// there is need of it. leave takes it out again, and may be called more than once.
func (p *pool) enter(ctx context.Context) (leave func(), err error) {
	a, ok := ctx.Value(attemptKey{}).(*Attempt)
	if !ok || !a.demand.isFor(p) {
		return func() {}, nil
	}
	if err := p.await(a); err != nil {
		return nil, err
	}
	leave = sync.OnceFunc(func() { p.remove(a.origin) })
	a.demand.dialling(leave)
	return leave, nil
}

// await adds a connection for a as soon as there is room for it. It fails when a
// has got another one, or has ended.
func (p *pool) await(a *Attempt) error {
	full := p.add(a.origin, p.requests.Load())
	if full == nil {
		return nil
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for full != nil {
		met := a.demand.unmet()
		if met == nil {
			return errNotWanted
		}
		select {
		case <-full:
			full = p.add(a.origin, p.requests.Load())
		case <-late.C:
			full = p.add(a.origin, math.MaxInt64)
		case <-met:
		}
	}
	return nil
}

// add counts one more connection to origin. Where there are as many as limit, it
// does not, and returns a channel that is closed when one of them is gone.
func (p *pool) add(origin string, limit int64) (full <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int64(p.open[origin]) >= limit {
		if p.gone == nil {
			p.gone = make(chan struct{})
		}
		return p.gone
	}
	if p.open == nil {
		p.open = make(map[string]int)
	}
	p.open[origin]++
	return nil
}

// remove counts one connection to origin less.
func (p *pool) remove(origin string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[origin]--; p.open[origin] == 0 {
		delete(p.open, origin)
	}
	if p.gone != nil {
		close(p.gone)
		p.gone = nil
	}
}

// demand is what an attempt wants of a pool.
type demand struct {
	mu       sync.Mutex
	pool     *pool // nil until the request is under way, and if there is none
	requests int   // that are counted for the attempt: a middleware may send several
	ended    bool
	wanted   int           // connections that net/http is looking for
	met      chan struct{} // closed when one was found, or none is wanted; nil if no dial waits
	dials    []func()      // take what was dialled for the attempt out of the pool
}

// begin counts one more request under way.
func (d *demand) begin(p *pool) {
	if p == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pool = p; !d.ended {
		d.requests++
		p.requests.Add(1)
	}
}

// want notes that net/http begins to look for a connection.
func (d *demand) want(string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted++
}

// meet notes that net/http has found one.
func (d *demand) meet() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = max(0, d.wanted-1)
	d.wake()
}

// end takes the attempt's requests out of the pool. A connection that it never got
// is not one that is about to come free: to make it may take long.
func (d *demand) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.pool == nil {
		return
	}
	d.ended = true
	d.pool.requests.Add(-int64(d.requests))
	if d.wanted > 0 {
		for _, leave := range d.dials {
			leave()
		}
	}
	d.wake()
}

func (d *demand) wake() {
	if d.met != nil {
		close(d.met)
		d.met = nil
	}
}

// unmet returns a channel that is closed when the demand may have been met; nil if
// it is.
func (d *demand) unmet() (met <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.wanted == 0 {
		return nil
	}
	if d.met == nil {
		d.met = make(chan struct{})
	}
	return d.met
}

// dialling notes how to take a connection out of the pool that is being made for the
// attempt.
func (d *demand) dialling(leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dials = append(d.dials, leave)
}

func (d *demand) isFor(p *pool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pool == p
}
