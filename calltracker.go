package videosdk

import (
	"cmp"
	fifo "container/list"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// defaultTracked is how many calls a CallTracker knows unless it is told
// otherwise.
const defaultTracked = 10_000

// CallTracker keeps the state of calls from their events. Webhooks arrive late,
// twice and out of order; the tracker keeps the furthest status of each call by
// the course of a call's life, so that a late call-ringing never overwrites
// call-hangup, and a call that is over stays over. In [Call.Timelog] is each
// status that any of the events told, so that [Call.WasAnswered] holds after the
// end as well. It is safe for concurrent use. What it has observed, and what it hands
// out, others read at the same time: change neither. The zero value is not usable: see
// [NewCallTracker].
type CallTracker struct {
	max     int
	updated func(*Call) // nil for none

	ordered sync.Mutex // held while the function is told, so that it hears of changes in order

	mu      sync.Mutex
	calls   map[string]*fifo.Element
	order   fifo.List               // of *trackedCall, the one that is longest without an event first
	waiting map[string][]chan *Call // by call; each holds the state that its owner has not seen yet
}

type trackedCall struct {
	call     *Call     // never changed, only replaced
	at       time.Time // when it came to its status, zero if no event told
	stage    int       // how far in its life that was
	furthest int       // the furthest stage that any event told
}

// told returns what one event tells of its call. An event may have no timelog, and
// then its own status is all that is known of the way there.
func told(event *Event) trackedCall {
	call := *event.Call
	if call.Status != "" {
		call.Timelog = withStatus(call.Timelog, CallEvent{call.Status, event.Timestamp})
	}
	stage := call.stage()
	return trackedCall{&call, event.Timestamp, stage, stage}
}

// TrackerOption is a setting of [NewCallTracker]. A nil option is skipped.
type TrackerOption func(*CallTracker)

// WithTrackedCalls limits how many calls the tracker knows, at least 1: those
// with the latest events. Default: 10,000. Each costs about 2 kB, more where its
// events are large. Leave room for all calls that are up at a time and those that
// begin meanwhile: one that is forgotten begins anew with its next event, and if that
// is its end, nothing tells that it was answered.
func WithTrackedCalls(max int) TrackerOption {
	return func(t *CallTracker) { t.max = max }
}

// WithUpdated sets a function that is called with a call whenever its status has
// changed, or its end has become known, in order and one at a time. A terminal
// status that says more, such as missed, may follow ended. The function must not
// call Observe, nor Wait for what is still to come: no event is observed meanwhile.
// Default, also nil: none.
func WithUpdated(updated func(*Call)) TrackerOption {
	return func(t *CallTracker) { t.updated = updated }
}

// NewCallTracker returns a tracker that knows no call yet.
func NewCallTracker(opts ...TrackerOption) *CallTracker {
	t := &CallTracker{
		max:     defaultTracked,
		calls:   map[string]*fifo.Element{},
		waiting: map[string][]chan *Call{},
	}
	for _, opt := range opts {
		if opt != nil {
			opt(t)
		}
	}
	return t
}

// Observe takes an event, such as a [WebhookFunc] gets, and reports whether it
// changed the status of its call, or told that it is over. An event that has no
// status adds to a call that is known. An event without a call, or of something
// else, such as a recording, changes nothing.
//
// An event of your own makes a call known whose webhooks nobody heard, as before a
// restart: Observe(&Event{Call: call}), with the call from [CallsService.Get].
func (t *CallTracker) Observe(event *Event) (changed bool) {
	if event == nil || event.Call == nil || event.Type != "" && !event.Type.tellsProgress() {
		return false
	}
	t.ordered.Lock()
	defer t.ordered.Unlock()
	call, changed := t.apply(event)
	if changed && t.updated != nil {
		t.updated(call)
	}
	return changed
}

func (t *CallTracker) apply(event *Event) (call *Call, changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	element, known := t.calls[event.Call.ID]
	if !known && event.Call.Status == "" && event.Call.End == nil {
		return nil, false
	}
	now := told(event)
	if !known {
		t.makeRoom()
		t.calls[event.Call.ID] = t.order.PushBack(&now)
		t.tell(now.call)
		return now.call, true
	}
	t.order.MoveToBack(element)
	tracked := element.Value.(*trackedCall)
	before := tracked.call
	*tracked = tracked.with(now)
	t.tell(tracked.call)
	return tracked.call, tracked.call.Status != before.Status || tracked.call.IsOver() != before.IsOver()
}

// with returns the state of a call after one more event.
func (c trackedCall) with(event trackedCall) trackedCall {
	newer, older := c, event
	if event.follows(c) {
		newer, older = event, c
	}
	next := trackedCall{merge(newer.call, older.call), newer.at, newer.stage, max(c.furthest, event.furthest)}
	if newer.call.Status == "" {
		next.at, next.stage = older.at, older.stage // the status is that of the older
	}
	return next
}

// makeRoom forgets the call that is longest without an event.
func (t *CallTracker) makeRoom() {
	for len(t.calls) >= max(t.max, 1) {
		oldest := t.order.Front()
		delete(t.calls, oldest.Value.(*trackedCall).call.ID)
		t.order.Remove(oldest)
	}
}

// The stages of a call's life that are told apart in the code.
const (
	stageUnknown  = 0
	stageAnswered = 4
	stageOver     = 10
)

// follows reports whether a call was in this state after it had been in another
// one: the state that is further in the course of a call. What comes again and
// again while a call is up, and what this library does not know, has no place in
// that course, and there the times count, if the events told them. If they did
// not, no call goes back to where it was before.
func (c trackedCall) follows(other trackedCall) bool {
	first, last := min(c.stage, other.stage), max(c.stage, other.stage)
	timed := !c.at.IsZero() && !other.at.IsZero() && !c.at.Equal(other.at)
	if timed && last < stageOver && (first == stageUnknown || first >= stageAnswered) {
		return c.at.After(other.at)
	}
	return c.stage > other.furthest
}

// stage is how far in its life a call is by its status.
func (c *Call) stage() int {
	if c.End != nil && c.Status != "" && !c.Status.IsTerminal() {
		return stageOver
	}
	return c.Status.stage()
}

// stage is how far in its life a call with this status is.
func (s CallStatus) stage() int {
	switch {
	case s == CallEnded:
		return stageOver + 1
	case s.IsTerminal():
		return stageOver + 2 // tells more than that it ended
	}
	switch s {
	case CallInitiated, CallIncoming:
		return 1
	case CallVerified:
		return 2
	case CallRinging:
		return 3
	case CallAnswered:
		return stageAnswered
	case CallTransferInitiated, CallSwitchRoomInitiated:
		return 5
	case CallTransferAccepted:
		return 6
	case CallTransferring:
		return 7
	case CallTransferRinging:
		return 8
	case CallTransferred, CallTransferFailed, CallSwitchRoomCompleted, CallSwitchRoomFailed:
		return 9
	default:
		return stageUnknown
	}
}

// merge returns the newer state of a call with what only the older one tells.
func merge(newer, older *Call) *Call {
	call := *newer
	call.Status = cmp.Or(call.Status, older.Status)
	call.Type = cmp.Or(call.Type, older.Type)
	call.To = cmp.Or(call.To, older.To)
	call.From = cmp.Or(call.From, older.From)
	call.RoomID = cmp.Or(call.RoomID, older.RoomID)
	call.SessionID = cmp.Or(call.SessionID, older.SessionID)
	call.GatewayID = cmp.Or(call.GatewayID, older.GatewayID)
	call.GatewayName = cmp.Or(call.GatewayName, older.GatewayName)
	call.RuleID = cmp.Or(call.RuleID, older.RuleID)
	call.RuleName = cmp.Or(call.RuleName, older.RuleName)
	call.Transport = cmp.Or(call.Transport, older.Transport)
	call.Provider = cmp.Or(call.Provider, older.Provider)
	call.Region = cmp.Or(call.Region, older.Region)
	if call.Metadata == nil {
		call.Metadata = older.Metadata
	}
	call.Timelog = joined(call.Timelog, older.Timelog)
	call.Start = cmp.Or(call.Start, older.Start)
	call.End = cmp.Or(call.End, older.End)
	return &call
}

// mostJoined is how long a timelog may be that others are joined to, while nobody else
// can use the tracker. A call has a dozen statuses.
const mostJoined = 500

// joined returns the longer of two timelogs with the statuses that only the other
// one has, unless it is longer than that of any call.
func joined(a, b []CallEvent) []CallEvent {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a) > mostJoined {
		return a
	}
	for _, event := range b {
		a = withStatus(a, event)
	}
	return a
}

// withStatus returns a timelog with a status in its place in the course of a call,
// unless it is in there. The one that was given stays as it is.
func withStatus(log []CallEvent, event CallEvent) []CallEvent {
	place := len(log)
	for i, other := range slices.Backward(log) {
		if other.Status == event.Status {
			return log
		}
		if place == i+1 && other.reached().follows(event.reached()) {
			place = i
		}
	}
	return slices.Insert(slices.Clip(log), place, event)
}

// reached is a call as it was when it came to a status. One that has no place in the
// course of a call, and no time, counts as the last before the end.
func (e CallEvent) reached() trackedCall {
	stage := e.Status.stage()
	if stage == stageUnknown && e.Timestamp.IsZero() {
		stage = stageOver - 1
	}
	return trackedCall{at: e.Timestamp, stage: stage, furthest: stage}
}

// Call returns what is known of a call, and whether anything is. The call must
// not be changed.
func (t *CallTracker) Call(callID string) (call *Call, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	element, known := t.calls[callID]
	if !known {
		return nil, false
	}
	return element.Value.(*trackedCall).call, true
}

// Wait waits for the events of a call until the function says that the call is
// as wanted, or the call is over (nil waits for that), and returns the call. It
// does the same as [CallsService.Wait] without asking the server: if the
// webhooks do not arrive, only the context ends it. The end of a call is told by
// [EventCallHangup] or by [EventCallMissed]: subscribe to both.
func (t *CallTracker) Wait(ctx context.Context, callID string, until func(*Call) bool) (*Call, error) {
	var f faults
	f.require("callId", callID)
	if err := f.err("CallTracker.Wait"); err != nil {
		return nil, err
	}
	latest := t.join(callID)
	defer t.leave(callID, latest)
	for {
		call, err := nextState(ctx, latest)
		if err != nil {
			return nil, fmt.Errorf("videosdk: CallTracker.Wait: %w", err)
		}
		if call.IsOver() || until != nil && until(call) {
			return call, nil
		}
	}
}

// nextState returns the state of a call that there is, or else the one that comes.
func nextState(ctx context.Context, latest <-chan *Call) (*Call, error) {
	select {
	case call := <-latest:
		return call, nil
	default:
	}
	select {
	case call := <-latest:
		return call, nil
	case <-ctx.Done():
		return nil, waitEnd{endOf(ctx)}
	}
}

// join returns a channel that holds the state of a call, if it is known, and then
// the one after each event. To look the call up would not do: it may have been
// forgotten by then.
func (t *CallTracker) join(callID string) chan *Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	latest := make(chan *Call, 1)
	t.waiting[callID] = append(t.waiting[callID], latest)
	if element, known := t.calls[callID]; known {
		latest <- element.Value.(*trackedCall).call
	}
	return latest
}

// tell gives a state to those who wait, in place of one that they have not seen
// yet.
func (t *CallTracker) tell(call *Call) {
	for _, latest := range t.waiting[call.ID] {
		select {
		case <-latest:
		default:
		}
		latest <- call
	}
}

// leave forgets somebody who waits no more.
func (t *CallTracker) leave(callID string, latest chan *Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	waiting := slices.DeleteFunc(t.waiting[callID], func(c chan *Call) bool { return c == latest })
	if len(waiting) == 0 {
		delete(t.waiting, callID)
		return
	}
	t.waiting[callID] = waiting
}
