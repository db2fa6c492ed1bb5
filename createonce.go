package videosdk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// trackedFor is how far back CreateOnce looks for a call.
	trackedFor = 30 * 24 * time.Hour
	// trackingWaits is how often CreateOnce waits between its looks after an
	// unknown outcome, for times that double from firstTrackingWait: for half a
	// minute in all.
	trackingWaits     = 6
	firstTrackingWait = 500 * time.Millisecond
	// freshLook is how long CreateOnce relies on the list that it began to read.
	freshLook = 30 * time.Second
	// placedFor is how long a client knows of a call that it has dialled, may have,
	// or has found, without the list, which may lag.
	placedFor = time.Minute
)

// CreateOnce places a call unless it has been placed in the last 30 days. TrackingID is
// required, and names the call for good: use one of your own records.
//
// It looks for a call to the same number with that TrackingID first, among those
// of these 30 days, and returns it if there is one, whatever became of it:
// somebody who was not reached (see [Call.WasAnswered]) is called again under another
// TrackingID. Otherwise it dials; and if the outcome of that is unknown, it looks
// again, for half a minute, because the list may lag. If it finds the call, it
// returns it; if not, it returns the error, which matches [ErrMaybeApplied]: call it
// again with the same TrackingID, when the list is certain to show the call if there
// is one. So a program that crashes and is started again with the same TrackingID
// dials once, if the list shows the call by then. Any other error says that nothing
// was dialled now; an earlier CreateOnce may have, so keep the TrackingID.
//
// With the same client it may be called at any time, from any number of
// goroutines: for one TrackingID they take turns, and for a minute the client knows
// by itself what it has dialled, may have, or has found.
//
// To look costs one request for each hundred calls to that number, and one more
// for each call of which the list does not show the metadata. For a SIP URI all
// outbound calls of these 30 days are read. After a first look that took more than half
// a minute, as in a process that was frozen, it looks at the latest calls again.
//
// What it cannot promise: two processes, or two clients, that call it for the same
// TrackingID at the same moment may both find nothing and both dial, and so may one
// that is started again, or made in place of another, before the list shows the
// call. The API has no way to prevent that: let one client own a TrackingID at a
// time. Nor does it find a call to another number: if To has changed, that number is
// dialled too, by the same client after that minute. A SIP URI in place of a number is
// not: the call to that number is found, and returned. Nor does it find one of more
// than 30 days ago: that person is called again.
//
// The end of ctx does not end a call that has been placed: see [CallsService.End].
func (s *CallsService) CreateOnce(ctx context.Context, params CallCreateParams, opts ...RequestOption) (*Call, error) {
	var f faults
	settings := s.client.defaults.forCall(opts, &f)
	f.check(!settings.retryUnknown, "WithRetryUnknown", "is refused by Calls.CreateOnce: a repeat could reach a person twice")
	f.check(ctx != nil, "ctx", "must not be nil")
	f.require("trackingId", params.TrackingID)
	params.check(&f)
	if err := f.err("Calls.CreateOnce"); err != nil {
		return nil, err
	}
	own, err := s.client.placing.enter(ctx, params.TrackingID)
	if err != nil {
		return nil, fmt.Errorf("videosdk: Calls.CreateOnce: %w, while the same call was being placed: %w", err, ErrMaybeApplied)
	}
	defer s.client.placing.leave(own)
	if own.callID != "" {
		call, err := s.Get(ctx, own.callID, opts...)
		if err != nil {
			err = fmt.Errorf("videosdk: Calls.CreateOnce: call %s was placed before: %w, %w", brief(own.callID), err, ErrMaybeApplied)
		}
		return call, err
	}
	if own.unknown == nil {
		call, err := s.lookFirst(ctx, params, opts)
		if err != nil {
			return nil, err
		}
		own.unknown = errUnfinished // should what follows panic
		if call == nil {
			call, err = s.Create(ctx, params, opts...)
		}
		own.settle(call, err)
		if call != nil || own.unknown == nil {
			return call, err
		}
	}
	return s.findAgain(ctx, params, opts, own)
}

// findAgain looks for a call of which nobody knows whether it has been placed. All who
// want to know wait for it together: who comes later waits for what is left.
func (s *CallsService) findAgain(ctx context.Context, params CallCreateParams, opts []RequestOption, own *placement) (*Call, error) {
	for {
		if call, _ := s.findCall(ctx, params, trackedSince(), opts); call != nil {
			own.settle(call, nil)
			s.client.placing.remember(own) // for the whole minute: it may have been unknown for long
			return call, nil
		}
		if own.waits == trackingWaits || sleep(ctx, firstTrackingWait<<own.waits) != nil {
			return nil, own.unknown
		}
		own.waits++
	}
}

// lookFirst looks whether a call has been placed before. A look that took long proves
// little: the process may have been frozen meanwhile, and another have placed the call.
func (s *CallsService) lookFirst(ctx context.Context, params CallCreateParams, opts []RequestOption) (*Call, error) {
	began := time.Now().Round(0) // by the clock on the wall: the other stands still while a machine sleeps
	call, err := s.findCall(ctx, params, trackedSince(), opts)
	if call == nil && err == nil && time.Since(began) > freshLook {
		call, err = s.findCall(ctx, params, began.Add(-time.Hour), opts) // an hour for clocks that differ
	}
	return call, err
}

func trackedSince() time.Time { return time.Now().Add(-trackedFor) }

// findCall looks for the call that params describe, from a time on; see find.
func (s *CallsService) findCall(ctx context.Context, params CallCreateParams, from time.Time, opts []RequestOption) (*Call, error) {
	since := CallListParams{StartDate: from}
	if isE164(params.To) {
		// Without the plus: some searches of the API are regular expressions.
		since.Search = strings.TrimPrefix(params.To, "+")
	}
	return s.find(ctx, params.TrackingID, since, opts)
}

// placements are the calls that CreateOnce places, or has placed or found a moment
// ago. The zero value is ready to use.
type placements struct {
	mu     sync.Mutex
	known  map[string]*placement // by tracking id
	recent []*placement          // those that have dialled, or found a call, in the order of that
}

// placement is what a client knows of a tracking id. Whoever has the turn may change
// the call and the error.
type placement struct {
	trackingID string
	turn       chan struct{} // holds one thing, which who looks and dials takes out
	callID     string        // of the call, once it has been placed
	unknown    error         // says that it may have been placed
	waits      int           // for the list to show it

	users int       // who has the turn, or waits for it
	until time.Time // when it may be forgotten, zero if there is no call
}

// errUnfinished is what is known of a call whose placing did not come to its end.
var errUnfinished = fmt.Errorf("videosdk: Calls.CreateOnce: placing the call did not come to its end: %w", ErrMaybeApplied)

// settle notes what came of dialling, or of looking.
func (p *placement) settle(call *Call, err error) {
	if err == nil && call.ID == "" {
		return // it has been placed, and only the list can show it again
	}
	p.unknown = nil
	switch {
	case err == nil:
		p.callID = call.ID
	case errors.Is(err, ErrMaybeApplied):
		p.unknown = err
	}
}

// enter waits for the turn to place the call of a tracking id.
func (p *placements) enter(ctx context.Context, trackingID string) (*placement, error) {
	own := p.use(trackingID)
	select {
	case <-own.turn: // also if ctx has ended: nobody else is placing it
		return own, nil
	default:
	}
	select {
	case <-own.turn:
		return own, nil
	case <-ctx.Done():
		p.release(own)
		return nil, waitEnd{endOf(ctx)}
	}
}

// leave gives the turn to the next.
func (p *placements) leave(own *placement) {
	if own.until.IsZero() && (own.callID != "" || own.unknown != nil) {
		p.remember(own)
	}
	own.turn <- struct{}{}
	p.release(own)
}

func (p *placements) use(trackingID string) *placement {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget()
	own := p.known[trackingID]
	if own == nil {
		own = &placement{trackingID: trackingID, turn: make(chan struct{}, 1)}
		own.turn <- struct{}{}
		if p.known == nil {
			p.known = make(map[string]*placement)
		}
		p.known[trackingID] = own
	}
	own.users++
	return own
}

func (p *placements) remember(own *placement) {
	p.mu.Lock()
	defer p.mu.Unlock()
	own.until = time.Now().Add(placedFor)
	p.recent = append(p.recent, own)
}

func (p *placements) release(own *placement) {
	p.mu.Lock()
	defer p.mu.Unlock()
	own.users--
	p.drop(own)
}

// forget drops what was dialled or found long ago.
func (p *placements) forget() {
	for len(p.recent) > 0 && time.Now().After(p.recent[0].until) {
		p.drop(p.recent[0])
		clear(p.recent[:1]) // which the array would hold, with its error, until it is full
		p.recent = p.recent[1:]
	}
}

// drop drops a placement that nobody uses and that need not be remembered. By the time
// that the list comes to it, another may have its place: that one stays.
func (p *placements) drop(own *placement) {
	if own.users == 0 && time.Now().After(own.until) && p.known[own.trackingID] == own {
		delete(p.known, own.trackingID)
	}
}
