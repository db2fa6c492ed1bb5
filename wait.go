package videosdk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// maxPollFailures is how many times in a row asking for a call may fail, each
// with its own retries, before the wait gives up.
const maxPollFailures = 5

// CallEndedError says that a call ended before what was waited for. It matches
// [ErrNotAnswered]. With [CallEnded] that is no proof: see [Call.WasAnswered].
type CallEndedError struct {
	// Call is the call as it ended.
	Call *Call
}

// Error tells how the call ended.
func (e *CallEndedError) Error() string {
	call := cmp.Or(e.Call, &Call{})
	return fmt.Sprintf("videosdk: call %s ended without having been answered: %s", brief(call.ID), brief(string(call.Status)))
}

// Is matches [ErrNotAnswered].
func (e *CallEndedError) Is(target error) bool { return target == ErrNotAnswered }

// Wait asks for a call until the function says that it is as wanted, and
// returns it. Without a function (nil), and in any case, the wait ends when the
// call is over: compare [Call.Status]. It asks every half second at first, more
// slowly the longer nothing changes; see [WithPollInterval]. A status that the call
// has left again between two looks is in [Call.Timelog] only: look for a short one,
// such as CallRinging, there. Failures that may pass are tolerated until the fifth in
// a row. A Retry-After is obeyed however long it is, but where the context has no
// deadline only up to an hour: a longer one ends the wait with the error. The context
// limits the wait. Its end does not end the call, which may go on ringing: see
// [CallsService.End].
func (s *CallsService) Wait(ctx context.Context, callID string, until func(*Call) bool, opts ...RequestOption) (*Call, error) {
	var f faults
	poll := newPoll(s.client.defaults.forCall(opts, &f))
	if err := f.err("Calls.Wait"); err != nil {
		return nil, err
	}
	for {
		call, err := s.Get(ctx, callID, opts...)
		switch {
		case err == nil && (call.IsOver() || until != nil && until(call)):
			return call, nil
		case err != nil && !poll.tolerates(ctx, err):
			return nil, err
		}
		if waitErr := poll.pause(ctx, statusOrNone(call)); waitErr != nil {
			return nil, fmt.Errorf("videosdk: Calls.Wait: %w", after(waitErr, err))
		}
	}
}

// WaitAnswered waits until the callee has picked up, and returns the call, which may
// be over again: see [Call.IsOver]. A call that ends before is a [*CallEndedError],
// which matches [ErrNotAnswered]. It asks as [CallsService.Wait] does, and does not
// hang up either when its context ends.
func (s *CallsService) WaitAnswered(ctx context.Context, callID string, opts ...RequestOption) (*Call, error) {
	call, err := s.Wait(ctx, callID, (*Call).WasAnswered, opts...)
	if err != nil {
		return nil, err
	}
	if !call.WasAnswered() {
		return nil, &CallEndedError{Call: call}
	}
	return call, nil
}

// statusOrNone returns the status of a call, nothing if there is no call. An
// answer without a status counts as one that does not change.
func statusOrNone(call *Call) string {
	if call == nil {
		return ""
	}
	return cmp.Or(string(call.Status), "unknown")
}

// lastLook is how long before the deadline of its context a wait asks a last time.
const lastLook = 100 * time.Millisecond

// longestAsked is how long a server may have a wait pause that nothing else ends: some
// tell in a Retry-After when to come back, in seconds since 1970.
const longestAsked = time.Hour

var errAskedTooLong = errors.New("the server asked to wait longer than " + longestAsked.String() + ", and the context has no deadline")

// poll is the schedule of a wait.
type poll struct {
	first, limit time.Duration
	next         time.Duration
	status       string
	failures     int
	asked        time.Duration // to wait, by the server
}

func newPoll(s *settings) *poll {
	return &poll{first: s.pollFirst, limit: s.pollLimit, next: s.pollFirst}
}

// tolerates reports whether the wait goes on after an error.
func (p *poll) tolerates(ctx context.Context, err error) bool {
	p.failures++
	var answer *APIError
	if errors.As(err, &answer) {
		p.asked = answer.RetryAfter
	}
	return mayPass(err) && ctx.Err() == nil && p.failures < maxPollFailures
}

// mayPass reports whether asking again may bring an answer.
func mayPass(err error) bool {
	var request *RequestError
	var answer *APIError
	switch {
	case errors.As(err, &request), errors.Is(err, ErrServer), errors.Is(err, ErrRateLimited), errors.Is(err, errBrokeOff):
		return true
	default: // a gateway lost patience
		return errors.As(err, &answer) && answer.StatusCode == http.StatusRequestTimeout
	}
}

// pause waits until it is time to ask again. status is empty if asking failed.
func (p *poll) pause(ctx context.Context, status string) error {
	if status != "" {
		p.failures = 0
		if status != p.status {
			p.status, p.next = status, p.first
		}
	}
	wait := p.next
	deadline, ok := ctx.Deadline()
	switch {
	case ok:
		// Ask a last time shortly before the deadline, and then no more.
		left := time.Until(deadline)
		wait = min(wait, left-lastLook)
		if wait <= 0 || left <= p.asked {
			return waitEnd{fmt.Errorf("%w before it was time to ask again", context.DeadlineExceeded)}
		}
	case p.asked > longestAsked:
		return errAskedTooLong
	}
	wait = max(wait, p.asked)
	p.next, p.asked = min(p.next*3/2, p.limit), 0
	return sleep(ctx, wait)
}

// sleep waits, or returns why the context ended. A wait that would not end
// before the context's deadline is not begun.
func sleep(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return waitEnd{fmt.Errorf("%w before the next attempt", context.DeadlineExceeded)}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return waitEnd{endOf(ctx)}
	case <-timer.C:
		return nil
	}
}

// waitEnd is the end of the context of a wait.
type waitEnd struct{ error }

func (e waitEnd) Unwrap() error { return e.error }

// Is matches ErrTimeout if the deadline ended the context, as a request does.
func (e waitEnd) Is(target error) bool { return target == ErrTimeout && isTimeout(e.error) }

// after returns why a wait ended, and what had gone wrong before, if anything
// had.
func after(end, before error) error {
	if before == nil {
		return end
	}
	return fmt.Errorf("%w, after: %w", end, before)
}
