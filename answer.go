package videosdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// How much of an answer an error keeps, in bytes.
const (
	keptBody    = 2 << 10
	keptMessage = 256
	// scrubbedBody is how much is searched for secrets. What is longer may end
	// in the middle of one, which is not found: the second half is not kept,
	// however much the first half shrinks.
	scrubbedBody = 64 << 10
)

// skewWorthTelling is the difference of clocks from which on a 401 mentions
// it.
const skewWorthTelling = 30 * time.Second

// err returns the error of the call after its last attempt, or nil.
func (x *exchange) err() error {
	switch {
	case x.last.ok() || x.gone():
		return nil
	case x.last.status == 0:
		return &RequestError{
			Operation:    x.request.name,
			Method:       x.request.method,
			Path:         x.request.shown(),
			Attempts:     x.attempts,
			MaybeApplied: x.maybeApplied(),
			Err:          x.scrubbed(x.last.err),
			note:         x.note,
		}
	default:
		return x.apiError(x.last.err)
	}
}

func (x *exchange) maybeApplied() bool { return x.request.class.Changes() && x.ambiguous }

// refuse returns the error of a call that was answered with a success which is
// not what the operation answers. What the operation changes has been changed,
// as far as anybody can tell.
func (x *exchange) refuse(problem string) error {
	x.ambiguous = true
	x.last.retryAfter = retry.ParseRetryAfter(x.last.header, time.Now())
	// Scrubbed before it is parsed, which makes it lower case.
	kind := contentType(x.scrub(x.last.header.Get("Content-Type")))
	if kind != "" && kind != "application/json" {
		problem += " (the answer's type is " + brief(kind) + ")"
	}
	return x.apiError(fmt.Errorf("%w: %s", ErrInvalidResponse, problem))
}

// apiError describes the last answer. cause is nil when the status says it
// all.
func (x *exchange) apiError(cause error) error {
	e := &APIError{
		StatusCode:   x.last.status,
		RequestID:    x.requestID(),
		Operation:    x.request.name,
		Method:       x.request.method,
		Path:         x.request.shown(),
		RetryAfter:   x.last.retryAfter,
		Attempts:     x.attempts,
		MaybeApplied: x.maybeApplied(),
		Err:          x.scrubbed(cause),
		note:         x.note,
	}
	// One byte more than is searched tells scrub that there is more.
	body := x.last.body[:min(len(x.last.body), scrubbedBody+1)]
	e.Body = []byte(cut(x.scrub(string(body)), keptBody))
	if cause == nil {
		code, message := explanation(body)
		e.Code, e.Message = x.quote(code), x.quote(message)
	}
	switch {
	case e.StatusCode == http.StatusUnauthorized:
		e.ClockSkew = clockSkew(x.last.header)
	case e.StatusCode >= 300 && e.StatusCode < 400:
		e.note = "redirects are not followed"
		if origin := x.quote(target(x.last.header)); origin != "" {
			e.note += ", not to " + origin
		}
	}
	return e
}

// explanation finds the code and the text in the body of an error. The keys
// differ between the parts of the API and the gateways in front of it. Both may hold
// secrets yet: without those the body may be no JSON any more.
func explanation(body []byte) (code, message string) {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return "", ""
	}
	return firstText(object, "code", "errorCode"), firstText(object, "message", "error", "msg", "statusMessage")
}

// firstText returns the first of the values that is text, a number, a list of
// texts, or an object that has a message of its own.
func firstText(object map[string]json.RawMessage, keys ...string) string {
	for _, key := range keys {
		if text := flatten(object[key]); text != "" {
			return text
		}
	}
	return ""
}

func flatten(raw json.RawMessage) string {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return ""
	}
	switch v := value.(type) {
	case string:
		return v
	case float64:
		return string(raw)
	case []any:
		var texts []string
		for _, element := range v {
			if text, ok := element.(string); ok {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, ", ")
	case map[string]any:
		text, _ := v["message"].(string)
		return text
	default:
		return ""
	}
}

// oneLine replaces what could forge a line of a log.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, text)
}

// brief returns a text of the server's in one line, and short.
func brief(text string) string { return cut(oneLine(text), keptMessage) }

// cut shortens text to at most n bytes of whole characters.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// scrub takes the secrets of the call out of a text.
func (x *exchange) scrub(text string) string {
	secrets := x.request.secrets()
	if x.bearer != nil {
		secrets = append(secrets, x.bearer.token)
	}
	if c := x.client.credentials; c != nil {
		secrets = append(secrets, c.secret())
	}
	if len(text) <= scrubbedBody {
		return redact.Scrub(text, secrets...)
	}
	text = redact.Scrub(text[:scrubbedBody], secrets...)
	return text[:max(0, len(text)-scrubbedBody/2)]
}

// scrubbed returns err, under a text without secrets, in one line and not too
// long, if its own is otherwise: net/http quotes what it does not understand.
func (x *exchange) scrubbed(err error) error {
	if err == nil {
		return nil
	}
	whole := err.Error()
	if text := cut(oneLine(x.scrub(whole)), keptBody); text != whole {
		return &scrubbedError{text, func() error { return err }}
	}
	return err
}

// scrubbedError matches what an error matches, under another text. It does not unwrap
// to the error, and has it behind a closure: who prints each error of a chain, or a
// struct to its depth, would print the text that was replaced.
type scrubbedError struct {
	text  string
	cause func() error
}

func (e *scrubbedError) Error() string        { return e.text }
func (e *scrubbedError) Is(target error) bool { return errors.Is(e.cause(), target) }
func (e *scrubbedError) As(target any) bool   { return errors.As(e.cause(), target) }

// requestID returns what the server, or what stands in front of it, calls the
// request.
func (x *exchange) requestID() string {
	for _, name := range [...]string{"X-Request-Id", "Request-Id", "X-Amzn-Requestid", "X-Amz-Request-Id"} {
		if values := x.last.header[name]; len(values) > 0 && values[0] != "" {
			return x.quote(values[0])
		}
	}
	return ""
}

// quote returns what a header says as a text may tell it: without secrets, in one
// line, and short.
func (x *exchange) quote(text string) string {
	return brief(x.scrub(text))
}

// clockSkew returns how far this machine's clock is ahead of the server's, or
// 0 if that is not worth telling.
func clockSkew(header http.Header) time.Duration {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	skew := time.Since(date).Round(time.Second)
	if skew.Abs() <= skewWorthTelling {
		return 0
	}
	return skew
}

// contentType returns what stands before the parameters of a Content-Type, which
// may be malformed.
func contentType(value string) string {
	kind, _, _ := strings.Cut(value, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// target names the origin of a redirect: the rest of it may hold a token.
func target(header http.Header) string {
	u, err := url.Parse(header.Get("Location"))
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
