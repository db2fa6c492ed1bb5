package videosdktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// answer is what a handler answers when all is well.
type answer struct {
	status int
	body   any
	// after, when set, holds the answer back until it is closed. The body is
	// encoded only then, under the lock, and so shows the state of that moment.
	after <-chan struct{}
}

func ok(body any) answer      { return answer{status: http.StatusOK, body: body} }
func created(body any) answer { return answer{status: http.StatusCreated, body: body} }

// message is the body of every error, and of some successes.
type message struct {
	Message string `json:"message"`
}

// statusError is an error with a status of its own. A handler's error without
// one is a validation error, 400.
type statusError struct {
	status int
	text   string
	header http.Header
}

func (e *statusError) Error() string { return e.text }

func notFound(text string) error {
	return &statusError{status: http.StatusNotFound, text: text}
}

func unauthorized(text string) error {
	return &statusError{status: http.StatusUnauthorized, text: text}
}

func methodNotAllowed(allowed []string) error {
	return &statusError{
		status: http.StatusMethodNotAllowed,
		text:   http.StatusText(http.StatusMethodNotAllowed),
		header: http.Header{"Allow": {strings.Join(allowed, ", ")}},
	}
}

func tooLarge(limit int64) error {
	return &statusError{
		status: http.StatusRequestEntityTooLarge,
		text:   fmt.Sprintf("Request body exceeds %d bytes", limit),
	}
}

// response is an answer ready to be sent.
type response struct {
	status int
	header http.Header
	body   []byte
}

// csvText is the body of the one kind of answer that is not JSON.
type csvText []byte

func encode(status int, body any) response {
	if text, isCSV := body.(csvText); isCSV {
		return response{status: status, header: http.Header{"Content-Type": {"text/csv; charset=utf-8"}}, body: text}
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return refuse(&statusError{status: http.StatusInternalServerError, text: err.Error()})
	}
	return response{status: status, body: encoded}
}

// refuse makes the response to an error.
func refuse(err error) response {
	refusal := &statusError{status: http.StatusBadRequest, text: err.Error()}
	errors.As(err, &refusal)
	resp := encode(refusal.status, message{refusal.text})
	resp.header = refusal.header
	return resp
}

// send writes the head of the response and the first n bytes of its body.
// Whether the client still listens is its own business.
func (p response) send(w http.ResponseWriter, n int) {
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(p.body)))
	header.Set("X-Request-Id", newID("req_"))
	maps.Copy(header, p.header)
	w.WriteHeader(p.status)
	_, _ = w.Write(p.body[:n])
}

// readBody reads the whole body, up to a limit.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	const limit = 10 << 20
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var exceeded *http.MaxBytesError
	if errors.As(err, &exceeded) {
		return nil, tooLarge(exceeded.Limit)
	}
	return body, err
}
