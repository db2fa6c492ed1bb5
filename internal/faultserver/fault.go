// Package faultserver is a server that fails in the way that a test chooses,
// request by request, over HTTP/1.1 or HTTP/2 with TLS. What it does right is
// left to a handler; what it does wrong is written byte by byte here, because a
// server of net/http is too polite for it. Only tests use it.
package faultserver

import (
	"net/http"
	"time"
)

// Fault is what goes wrong with one request. The zero value is nothing.
//
// A fault breaks the exchange at a moment, or bends the answer, or both.
type Fault struct {
	// Break says how the exchange ends before it should, and At when.
	Break Break
	At    Moment
	// Sent is how many bytes of the body go out before a break InBody.
	Sent int

	// Acts says that the handler is given the request before anything goes
	// wrong with the answer. It is understood where the answer that is sent is
	// the handler's.
	Acts bool
	// Status, if it is not 0, is answered with Body in place of the handler's
	// answer.
	Status int
	Body   []byte
	// Header is set in whatever is answered.
	Header http.Header
	// Bend changes the body of whatever is answered.
	Bend func(body []byte) []byte
	// Interim is a status of 1xx to be sent before the answer.
	Interim int
	// Claim is added to the length that the answer claims to have. With HTTP/1.1 the
	// connection ends behind such an answer.
	Claim int
	// Framing says how the client learns where the body ends.
	Framing Framing
	// Drip, if it is not 0, is waited before each byte of the body.
	Drip time.Duration
}

// Moment is a point in the course of an exchange.
type Moment int

// The moments at which an exchange can break.
const (
	OnAccept  Moment = iota // the connection was accepted, and nothing of it read
	OnRequest               // a request began to arrive, and the rest stays unread
	OnRead                  // the request was read whole, and acted on if Acts says so
	OnHead                  // besides, the status and the header of the answer were sent
	InBody                  // besides, so much of the body as Sent says
)

// Break is a way for an exchange to end.
type Break int

// The ways in which an exchange can end before it should.
const (
	Never       Break = iota
	Close             // the server closes its end of the connection in good order
	Reset             // the connection is reset
	Hang              // the server says nothing any more
	Garbage           // it sends what is not TLS (OnAccept) or not HTTP (OnRead), and closes its end
	GoAwayBelow       // HTTP/2: GOAWAY, which says that the request was not processed
	GoAwayAt          // HTTP/2: GOAWAY, which says that it was, and the connection closes without the answer

	// The rest are resets of the request's HTTP/2 stream, named after their
	// codes.
	ProtocolError
	InternalError
	RefusedStream
	Cancel
)

// Framing is how the end of a body is marked.
type Framing int

// The framings. The last two are of HTTP/1.1 only.
const (
	Sized      Framing = iota // by Content-Length
	Unsized                   // by the protocol: chunks, or the end of the stream
	UntilClose                // by the end of the connection, as in HTTP/1.0
)

// breaks reports whether the exchange ends at the moment.
func (f Fault) breaks(at Moment) bool { return f.Break != Never && f.At == at }

// Acting reports whether the handler gets the request.
func (f Fault) Acting() bool {
	answers := f.Break == Never || f.At > OnRead
	return f.Acts || answers && f.Status == 0
}
