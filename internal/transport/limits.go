package transport

import (
	"sync"
	"time"
)

// bubbles is a time that the clock of no testing/synctest bubble reaches: it begins with
// the year 2000.
var bubbles = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// limits ends what takes too long. All that is under way at the same time shares one
// timer, because one for each costs a fiftieth of a request. In a bubble each has its
// own: a timer belongs to the bubble in which it was made, and a client may be used in
// several at once.
type limits struct {
	shared time.Time // from when on a timer is shared

	mu    sync.Mutex
	first *Limit      // of those under way, in no order
	timer *time.Timer // nil if there is none
	next  time.Time   // when the timer fires: when the first of them is due, or before
}

// Limit is how long something may take. The zero value is ready for [Guard.Limit], and
// after Stop it is so again.
type Limit struct {
	timer *time.Timer // of its own, nil if it shares one

	limits     *limits
	prev, next *Limit
	due        time.Time
	end        func() // nil if it is not under way
}

// Limit has end called, in a goroutine of its own, when timeout has passed, unless l is
// stopped before.
func (g *Guard) Limit(l *Limit, timeout time.Duration, end func()) {
	now := time.Now()
	if now.Before(g.limits.shared) {
		l.timer = time.AfterFunc(timeout, end)
		return
	}
	l.timer, l.limits, l.due, l.end = nil, &g.limits, now.Add(timeout), end
	l.limits.begin(l, now)
}

// Stop lifts the limit, if it is not over.
func (l *Limit) Stop() {
	if l.timer != nil {
		l.timer.Stop()
		return
	}
	l.limits.mu.Lock()
	defer l.limits.mu.Unlock()
	l.limits.remove(l)
}

func (s *limits) begin(l *Limit, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.next = s.first; l.next != nil {
		l.next.prev = l
	}
	s.first = l
	if s.timer == nil || l.due.Before(s.next) {
		s.start(l.due, now)
	}
}

func (s *limits) remove(l *Limit) {
	if l.end == nil { // its time was up
		return
	}
	if l.prev == nil {
		s.first = l.next
	} else {
		l.prev.next = l.next
	}
	if l.next != nil {
		l.next.prev = l.prev
	}
	l.prev, l.next, l.end = nil, nil, nil
	if s.first == nil {
		s.stop()
	}
}

// start replaces the timer, if there is one.
func (s *limits) start(next, now time.Time) {
	s.stop()
	s.next, s.timer = next, time.AfterFunc(next.Sub(now), s.fired)
}

func (s *limits) stop() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

// fired ends what is due. There may be another timer by now, and nothing due.
func (s *limits) fired() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	var next time.Time
	for l := s.first; l != nil; {
		following := l.next
		switch {
		case !l.due.After(now):
			go l.end()
			s.remove(l)
		case next.IsZero() || l.due.Before(next):
			next = l.due
		}
		l = following
	}
	if !next.IsZero() {
		s.start(next, now)
	}
}
