package videosdk

import (
	"context"
	"errors"
	"time"

	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// Attempt is one sending of a request, as [WithOnAttempt] tells it. It holds
// nothing secret, and no phone number. A read that net/http sends again by itself,
// because a connection that was kept had died, is still one attempt.
type Attempt struct {
	// Operation is the method that was called, such as "Calls.Create".
	Operation string
	// Method and Path are those of the HTTP request. A phone number in the
	// path is replaced by "{e164}".
	Method, Path string
	// Number counts the attempts of the call; the first is 1.
	Number int
	// StatusCode is that of the answer, 0 without one.
	StatusCode int
	// ErrorClass says why there is no usable answer, empty if there is one.
	ErrorClass ErrorClass
	// RequestID is what to quote to VideoSDK's support.
	RequestID string
	// Duration is from the first byte sent, or the first try to connect, to
	// the last byte of the answer.
	Duration time.Duration
	// WillRetry says that another attempt follows, after Wait.
	WillRetry bool
	Wait      time.Duration
}

// ErrorClass is a kind of failure of an attempt.
type ErrorClass string

// The kinds of failures.
const (
	// ErrorTimeout: no complete answer within the attempt timeout, or before
	// the context's deadline.
	ErrorTimeout ErrorClass = "timeout"
	// ErrorCanceled: the context was cancelled.
	ErrorCanceled ErrorClass = "canceled"
	// ErrorNotSent: no connection; nothing has left this machine.
	ErrorNotSent ErrorClass = "not-sent"
	// ErrorConnection: the connection broke after something had been sent.
	ErrorConnection ErrorClass = "connection"
	// ErrorResponse: an answer that cannot be read.
	ErrorResponse ErrorClass = "response"
)

// WithOnAttempt is called after each attempt of every call, before the wait for
// the next one: for metrics and traces. It is called from many goroutines, with
// the context of the call, and holds the call up.
func WithOnAttempt(hook func(context.Context, Attempt)) Option {
	return clientOption(func(c *config) {
		c.faults.check(hook != nil, "WithOnAttempt", "must not be nil")
		c.onAttempt = hook
	})
}

// observed describes the attempt that was made last.
func (x *exchange) observed(willRetry bool) Attempt {
	a := Attempt{
		Operation:  x.request.name,
		Method:     x.request.method,
		Path:       x.request.shown(),
		Number:     x.attempts,
		StatusCode: x.last.status,
		ErrorClass: x.last.class(),
		RequestID:  x.requestID(),
		Duration:   x.took,
		WillRetry:  willRetry,
	}
	if willRetry {
		a.Wait = x.loop.RetryWaitMin
	}
	return a
}

func (o *outcome) class() ErrorClass {
	switch {
	case o.err == nil:
		return ""
	case isTimeout(o.err):
		return ErrorTimeout
	case errors.Is(o.err, context.Canceled):
		return ErrorCanceled
	case o.status != 0:
		return ErrorResponse
	case o.verdict == retry.Unprocessed:
		return ErrorNotSent
	default:
		return ErrorConnection
	}
}
