package videosdk

import (
	"context"
	"errors"
	"log/slog"
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
	// Duration is from asking for the token to the last byte of the answer, or to
	// the failure.
	Duration time.Duration
	// WillRetry says that another attempt follows, after Wait.
	WillRetry bool
	Wait      time.Duration
}

// ErrorClass is a kind of failure of an attempt.
type ErrorClass string

// The kinds of failures.
const (
	// ErrorClassTimeout means no complete answer within the attempt timeout, or before
	// the context's deadline.
	ErrorClassTimeout ErrorClass = "timeout"
	// ErrorClassCanceled means that the context was cancelled.
	ErrorClassCanceled ErrorClass = "canceled"
	// ErrorClassNotSent means no connection: nothing has left this machine.
	ErrorClassNotSent ErrorClass = "not-sent"
	// ErrorClassConnection means that the connection broke after something had been
	// sent.
	ErrorClassConnection ErrorClass = "connection"
	// ErrorClassResponse means an answer that cannot be read.
	ErrorClassResponse ErrorClass = "response"
)

// observer is told of the attempt that was made last, and whether there is another.
// Only the options that set observers know what these do, so that a program which
// logs nothing is not linked with all of log/slog.
type observer func(x *exchange, again bool)

// WithOnAttempt sets a function that is called after each attempt of every call and
// before the wait for the next, for metrics and traces. It may be called
// concurrently, with the context of the call, which waits for it to return.
func WithOnAttempt(hook func(context.Context, Attempt)) Option {
	return clientOption(func(c *config) {
		c.faults.check(hook != nil, "WithOnAttempt", "must not be nil")
		c.onAttempt = func(x *exchange, again bool) {
			if !x.last.untried {
				hook(x.ctx, x.observed(again))
			}
		}
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
		return ErrorClassTimeout
	case errors.Is(o.err, context.Canceled):
		return ErrorClassCanceled
	case o.status != 0:
		return ErrorClassResponse
	case o.verdict == retry.Unprocessed:
		return ErrorClassNotSent
	default:
		return ErrorClassConnection
	}
}

// logTo returns an observer that logs.
func logTo(logger *slog.Logger) observer {
	return func(x *exchange, again bool) {
		if logger.Enabled(x.ctx, slog.LevelDebug) {
			logger.LogAttrs(x.ctx, slog.LevelDebug, "videosdk: attempt", append(x.attrs(), slog.Duration("took", x.took))...)
		}
		if again && logger.Enabled(x.ctx, slog.LevelWarn) {
			logger.LogAttrs(x.ctx, slog.LevelWarn, "videosdk: retry", append(x.attrs(), slog.Duration("wait", x.loop.RetryWaitMin))...)
		}
	}
}

func (x *exchange) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("operation", x.request.name),
		slog.String("method", x.request.method),
		slog.String("path", x.request.shown()),
		slog.Int("attempt", x.attempts),
	}
	if x.last.status != 0 {
		attrs = append(attrs, slog.Int("status", x.last.status))
	}
	if id := x.requestID(); id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	if x.last.err != nil {
		attrs = append(attrs, slog.String("error", x.scrubbed(x.last.err).Error()))
	}
	return attrs
}
