package videosdk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Sentinels for errors.Is. They match an [*APIError] by its status, a
// [*RequestError] by its cause and a [*ValidationError] as a whole.
var (
	// ErrBadRequest is status 400: the server's own validation refused the
	// request.
	ErrBadRequest = errors.New("videosdk: bad request")
	// ErrUnauthorized is status 401: the token was refused.
	ErrUnauthorized = errors.New("videosdk: unauthorized")
	// ErrPaymentRequired is status 402. For rooms the API answers it where
	// others answer 404.
	ErrPaymentRequired = errors.New("videosdk: payment required")
	// ErrForbidden is status 403.
	ErrForbidden = errors.New("videosdk: forbidden")
	// ErrNotFound is status 404.
	ErrNotFound = errors.New("videosdk: not found")
	// ErrConflict is status 409, and what [PhoneNumbersService.Ensure] returns for
	// numbers that it cannot give their gateways.
	ErrConflict = errors.New("videosdk: conflict")
	// ErrRateLimited is status 429. [APIError.RetryAfter] says how long to
	// wait, if the server said so.
	ErrRateLimited = errors.New("videosdk: rate limited")
	// ErrServer is any status of 500 and above.
	ErrServer = errors.New("videosdk: server error")
	// ErrTimeout is an attempt that took longer than the attempt timeout, a
	// connection that could not be made in time, or a context whose deadline
	// passed.
	ErrTimeout = errors.New("videosdk: timeout")
	// ErrInvalidRequest is a request that was refused before anything was
	// sent.
	ErrInvalidRequest = errors.New("videosdk: invalid request")
	// ErrInvalidResponse is an answer with a status of success that is not
	// what the operation answers: HTML, truncated, empty, without the fields
	// that matter.
	ErrInvalidResponse = errors.New("videosdk: invalid response")
	// ErrResponseTooLarge is an answer of more than 10 MiB.
	ErrResponseTooLarge = errors.New("videosdk: response exceeds 10 MiB")
	// ErrMaybeApplied matches any error after which the server may have acted:
	// look before repeating the request.
	ErrMaybeApplied = errors.New("videosdk: the request may have been applied")
	// ErrNoCredentials is returned where an API key and secret are needed and
	// the client was made without them.
	ErrNoCredentials = errors.New("videosdk: the client has no API key and secret")
	// ErrCallNotFound is returned by [CallsService.FindByTrackingID] and
	// [CallsService.FindActive] when the whole list has been read and has no such
	// call. Unlike [ErrNotFound] it never means that a request was answered with
	// 404, which proves nothing. The list may lag behind: this proves something only
	// once it is certain to show a call of that time.
	ErrCallNotFound = errors.New("videosdk: no such call")
	// ErrNotAnswered is a call that ended without having been answered.
	ErrNotAnswered = errors.New("videosdk: the call was not answered")
)

// APIError describes an answer of the server that is not a success: a status that is
// not 2xx, a body whose statusCode is 400 or above, or a 2xx answer that cannot be
// understood.
type APIError struct {
	// StatusCode is the HTTP status, or the statusCode of an answer that
	// carries an error under a status of success.
	StatusCode int
	// Code is the machine-readable code of the answer, if it has one.
	Code string
	// Message is the answer's own text, without secrets, shortened.
	Message string
	// RequestID is what to quote to VideoSDK's support.
	RequestID string
	// Operation is the method that was called, such as "Calls.Create".
	Operation string
	// Method and Path are those of the HTTP request. A phone number in the
	// path is replaced by "{e164}".
	Method, Path string
	// RetryAfter is what the server asked to wait, or 0.
	RetryAfter time.Duration
	// Attempts counts the requests that were sent.
	Attempts int
	// MaybeApplied says that the server may have acted on one of them.
	MaybeApplied bool
	// ClockSkew is how far this machine's clock is ahead of the server's
	// (negative: behind), told on a 401 only, where it is a likely cause.
	ClockSkew time.Duration
	// Body is the beginning of the answer (at most 2 KiB), without secrets, and
	// without what it holds of metadata and recordings.
	Body []byte
	// Err says why an answer was not accepted whose status tells of no error (2xx,
	// and 101); otherwise it is nil.
	Err error

	note string // why no further attempt was made, if that is not obvious
}

// Error tells the operation, the status, the server's message and what to
// know before repeating the request.
func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "videosdk: %s: %s %s: %s", e.Operation, e.Method, e.Path, statusText(e.StatusCode))
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	details := []string{attempts(e.Attempts)}
	if e.Code != "" {
		details = append(details, "code "+e.Code)
	}
	if e.RequestID != "" {
		details = append(details, "request id "+e.RequestID)
	}
	if e.RetryAfter > 0 {
		details = append(details, "retry after "+e.RetryAfter.String())
	}
	if e.ClockSkew != 0 {
		details = append(details, "this machine's clock is "+skew(e.ClockSkew)+" the server's")
	}
	if e.note != "" {
		details = append(details, e.note)
	}
	fmt.Fprintf(&b, " (%s)", strings.Join(details, "; "))
	if e.MaybeApplied {
		b.WriteString(maybeAppliedHint)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *APIError) Unwrap() error { return e.Err }

// Is matches the sentinels of this package.
func (e *APIError) Is(target error) bool {
	switch target {
	case ErrMaybeApplied:
		return e.MaybeApplied
	case ErrServer:
		return e.StatusCode >= 500
	case ErrTimeout:
		return isTimeout(e.Err)
	default:
		return target != nil && target == sentinel(e.StatusCode)
	}
}

func sentinel(status int) error {
	switch status {
	case http.StatusBadRequest:
		return ErrBadRequest
	case http.StatusUnauthorized:
		return ErrUnauthorized
	case http.StatusPaymentRequired:
		return ErrPaymentRequired
	case http.StatusForbidden:
		return ErrForbidden
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusConflict:
		return ErrConflict
	case http.StatusTooManyRequests:
		return ErrRateLimited
	default:
		return nil
	}
}

// RequestError is a request that got no answer: no connection, a connection
// that was lost, a timeout, a context that ended.
type RequestError struct {
	// Operation is the method that was called, such as "Calls.Create".
	Operation string
	// Method and Path are those of the HTTP request. A phone number in the
	// path is replaced by "{e164}".
	Method, Path string
	// Attempts counts the requests that were sent, or tried to be.
	Attempts int
	// MaybeApplied says that the server may have acted on one of them. False
	// is certain: nothing was done.
	MaybeApplied bool
	// Err is the cause. If the context ended during a wait, it wraps both the
	// context's error and the error of the attempt before.
	Err error

	note string // why no further attempt was made, if that is not obvious
}

// Error tells the operation, the cause and what to know before repeating the
// request.
func (e *RequestError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "videosdk: %s: %s %s: %v (%s", e.Operation, e.Method, e.Path, e.Err, attempts(e.Attempts))
	if e.note != "" {
		b.WriteString("; " + e.note)
	}
	b.WriteByte(')')
	if e.MaybeApplied {
		b.WriteString(maybeAppliedHint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.Err }

// Is matches [ErrTimeout] and [ErrMaybeApplied].
func (e *RequestError) Is(target error) bool {
	switch target {
	case ErrMaybeApplied:
		return e.MaybeApplied
	case ErrTimeout:
		return isTimeout(e.Err)
	default:
		return false
	}
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// ValidationError is a request, or a setting of [New], that was refused
// before anything was sent. It holds every fault, not only the first.
type ValidationError struct {
	// Operation is the method that was called, such as "Calls.Create".
	Operation string
	// Fields holds each fault.
	Fields []*FieldError
}

// FieldError is one fault of a request. It names the field, never its value.
type FieldError struct {
	// Field is the path of the field as the API spells it, such as
	// "outbound.auth.password" or "phoneNumbers[2]".
	Field string
	// Problem says what is wrong with it and what would be right.
	Problem string
}

// Error tells the field and its problem.
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Error tells every fault, and that nothing was sent.
func (e *ValidationError) Error() string {
	faults := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		faults[i] = f.Error()
	}
	return "videosdk: " + e.Operation + ": nothing was sent: " + strings.Join(faults, "; ")
}

// Is matches [ErrInvalidRequest].
func (e *ValidationError) Is(target error) bool { return target == ErrInvalidRequest }

// Unwrap returns the faults, each a [*FieldError].
func (e *ValidationError) Unwrap() []error {
	faults := make([]error, len(e.Fields))
	for i, f := range e.Fields {
		faults[i] = f
	}
	return faults
}

// errAttemptTimeout is the cause with which an attempt is ended that took too
// long. It is no context.DeadlineExceeded: the caller's context is alive.
type errAttemptTimeout time.Duration

func (e errAttemptTimeout) Error() string {
	return fmt.Sprintf("no complete answer within the attempt timeout of %v", time.Duration(e))
}

func (e errAttemptTimeout) Timeout() bool { return true }

func (e errAttemptTimeout) Is(target error) bool { return target == ErrTimeout }

const maybeAppliedHint = ": the request may have been applied: look before repeating it"

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

func skew(ahead time.Duration) string {
	if ahead < 0 {
		return (-ahead).String() + " behind"
	}
	return ahead.String() + " ahead of"
}
