package videosdk_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/internal/faultserver"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// fault is what the server does, situation what else there is to it.
type fault = faultserver.Fault

// cells are what GET, PATCH, DELETE, POST phone-numbers, POST call and POST
// call/end do about a fault that every attempt meets, with two retries. What
// they say is explained in reliabilityHead.
type cells [6]string

// controls are what becomes of POST call with others: a bare http.Client with
// a timeout, and go-retryablehttp as it comes. First how often the server
// acted, then whether the caller was told that something was wrong. Both are
// empty where the case is ours alone or depends on the release of Go.
type controls struct{ bare, retrying string }

// matrixRow is a fault, the error that tells of it, and what each operation
// does about it.
type matrixRow struct {
	name      string
	on        string // one protocol; empty for both
	fault     fault
	situation situation
	want      wanted
	cells     cells
	controls  controls
}

// situation is what a fault needs besides the server.
type situation struct {
	reused   bool          // the connection was used before
	newToken bool          // nothing used the token before
	refused  bool          // nothing listens
	stranger bool          // the client does not know who signed the server's certificate
	dial     dial          // fails in place of the server
	patience time.Duration // how long an attempt may take, where that matters
	deadline time.Duration // of the caller's context, or 0
	redirect bool          // the answer points to another server
	spent    bool          // the client has used up its retry quota
	badID    bool          // the id is ".." or, in a body, empty
}

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// wanted is the error of a cell that fails.
type wanted struct {
	status     int // of an *APIError, 200 for each 2xx; 0 for a *RequestError
	is         error
	retryAfter time.Duration
}

func answered(status int) wanted { return wanted{status: status} }

var (
	noAnswer = wanted{}
	tooLate  = wanted{is: videosdk.ErrTimeout}
	unread   = wanted{status: 200, is: videosdk.ErrInvalidResponse}
)

// short is a time that passes, long one that should not.
const (
	short = 5 * time.Second
	long  = time.Minute
)

var hasty = situation{patience: short}

// replayed is where net/http sends a request again by itself, and waits longer
// and longer in between.
var replayed = situation{patience: long}

func withBody(status int, contentType, body string) fault {
	return fault{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body), Acts: true}
}

func retryAfter(status int, value string) fault {
	return fault{Status: status, Header: http.Header{"Retry-After": {value}, "Date": {"Sat, 01 Jan 2000 00:00:00 GMT"}}}
}

func zipped(bend func([]byte) []byte) fault {
	return fault{Header: http.Header{"Content-Encoding": {"gzip"}}, Bend: bend}
}

// huge is more than any answer may have, and bomb becomes it: gzip knows files that
// consist of many.
var (
	huge = sync.OnceValue(func() []byte { return make([]byte, 10<<20+1) })
	bomb = sync.OnceValue(func() []byte { return bytes.Repeat(compress(make([]byte, 64<<10)), len(huge())/(64<<10)+1) })
)

func compress(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body)
	_ = w.Close()
	return b.Bytes()
}

// damage changes the checksum that a compressed body ends with, before its length.
func damage(zipped []byte) []byte {
	zipped[len(zipped)-5] ^= 1
	return zipped
}

func half(body []byte) []byte { return body[:len(body)/2] }

// matrixPart is a part of the matrix, with its headline.
type matrixPart struct {
	title string
	rows  []matrixRow
}

func matrix() []matrixPart {
	return []matrixPart{
		{"Nothing reaches the server", unsentRows()},
		{"There is no answer", lostRows()},
		{"There is no answer in time", slowRows()},
		{"The server has acted, and its answer is odd", bodyRows()},
		{"The server answers with another status than success", statusRows()},
	}
}

func matrixRows() []matrixRow {
	var rows []matrixRow
	for _, part := range matrix() {
		rows = append(rows, part.rows...)
	}
	return rows
}

func unsentRows() []matrixRow {
	return []matrixRow{
		{"the connection is refused", "", fault{}, situation{refused: true},
			noAnswer, cells{"U", "U", "U", "U", "U", "U"}, controls{"0, told", "0, told"}},
		{"the name does not exist", "", fault{}, situation{dial: unknownHost},
			noAnswer, cells{"0", "0", "0", "0", "0", "0"}, controls{"0, told", "0, told"}},
		{"dialling hangs", "", fault{}, situation{dial: noConnection, patience: short},
			tooLate, cells{"U", "U", "U", "U", "U", "U"}, controls{"0, told", "0, told"}},
		{"the connection is closed before TLS", "", fault{Break: faultserver.Close, At: faultserver.OnAccept}, situation{},
			noAnswer, cells{"U", "U", "U", "U", "U", "U"}, controls{"0, told", "0, told"}},
		{"the connection is reset before TLS", "", fault{Break: faultserver.Reset, At: faultserver.OnAccept}, situation{},
			noAnswer, cells{"U", "U", "U", "U", "U", "U"}, controls{"0, told", "0, told"}},
		{"the handshake is answered in plain text", "", fault{Break: faultserver.Garbage, At: faultserver.OnAccept}, situation{},
			noAnswer, cells{"U", "U", "U", "U", "U", "U"}, controls{"0, told", "0, told"}},
		{"the handshake hangs", "", fault{Break: faultserver.Hang, At: faultserver.OnAccept}, hasty,
			tooLate, cells{"U", "U", "U", "U", "U", "U"}, controls{"0, told", "0, told"}},
		{"the certificate is not trusted", "", fault{}, situation{stranger: true},
			noAnswer, cells{"0", "0", "0", "0", "0", "0"}, controls{"0, told", "0, told"}},
		{"the caller's context ends while dialling", "", fault{}, situation{dial: noConnection, deadline: short},
			wanted{is: context.DeadlineExceeded}, cells{"0", "0", "0", "0", "0", "0"}, controls{"0, told", "0, told"}},
		{"the id is `..`, or empty", "", fault{}, situation{badID: true},
			wanted{is: videosdk.ErrInvalidRequest}, cells{"X", "X", "X", "–", "–", "X"}, controls{}},
	}
}

func unknownHost(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true}}
}

// noConnection gives up after as long as the dialler of net/http does.
func noConnection(ctx context.Context, _, _ string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
}

func lostRows() []matrixRow {
	return []matrixRow{
		{"reset before the request is read", "", fault{Break: faultserver.Reset, At: faultserver.OnRequest}, situation{},
			noAnswer, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"0, told", "0, told"}},
		{"closed before the request is read", "", fault{Break: faultserver.Close, At: faultserver.OnRequest}, situation{},
			noAnswer, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"0, told", "0, told"}},
		{"reset after reading, before acting", "", fault{Break: faultserver.Reset, At: faultserver.OnRead}, situation{},
			noAnswer, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"0, told", "0, told"}},
		{"reset after acting", "", fault{Break: faultserver.Reset, At: faultserver.OnRead, Acts: true}, situation{},
			noAnswer, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
		{"closed after acting", "", fault{Break: faultserver.Close, At: faultserver.OnRead, Acts: true}, situation{},
			noAnswer, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
		{"reset after acting, on a connection that was in use", faultserver.HTTP1, fault{Break: faultserver.Reset, At: faultserver.OnRead, Acts: true}, situation{reused: true},
			noAnswer, cells{"R+", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
		{"reset after acting, on a connection that was in use", faultserver.HTTP2, fault{Break: faultserver.Reset, At: faultserver.OnRead, Acts: true}, situation{reused: true},
			noAnswer, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
		{"an answer that is not HTTP, after acting", "", fault{Break: faultserver.Garbage, At: faultserver.OnRead, Acts: true}, situation{},
			noAnswer, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
		{"`RST_STREAM` REFUSED_STREAM", faultserver.HTTP2, fault{Break: faultserver.RefusedStream, At: faultserver.OnRead}, replayed,
			noAnswer, cells{"R+", "1 MA", "R+ MA", "1 MA", "1 MA", "R MA"}, controls{"0, told", "0, told"}},
		{"`RST_STREAM` PROTOCOL_ERROR, after acting", faultserver.HTTP2, fault{Break: faultserver.ProtocolError, At: faultserver.OnRead, Acts: true}, replayed,
			noAnswer, cells{"R+", "1 MA", "R+ MA", "1 MA", "1 MA", "R MA"}, controls{}},
		{"`RST_STREAM` INTERNAL_ERROR, after acting", faultserver.HTTP2, fault{Break: faultserver.InternalError, At: faultserver.OnRead, Acts: true}, situation{},
			noAnswer, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
		{"`RST_STREAM` CANCEL, after acting", faultserver.HTTP2, fault{Break: faultserver.Cancel, At: faultserver.OnRead, Acts: true}, situation{},
			noAnswer, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
		{"`GOAWAY` below the request's stream", faultserver.HTTP2, fault{Break: faultserver.GoAwayBelow, At: faultserver.OnRead}, replayed,
			noAnswer, cells{"R+", "1 MA", "R+ MA", "1 MA", "1 MA", "R MA"}, controls{}},
		{"`GOAWAY` at the request's stream, after acting, then closed", faultserver.HTTP2, fault{Break: faultserver.GoAwayAt, At: faultserver.OnRead, Acts: true}, situation{},
			noAnswer, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
	}
}

func slowRows() []matrixRow {
	return []matrixRow{
		{"no answer in time, without acting", "", fault{Break: faultserver.Hang, At: faultserver.OnRead}, hasty,
			tooLate, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"0, told", "0, hangs"}},
		{"no answer in time, after acting", "", fault{Break: faultserver.Hang, At: faultserver.OnRead, Acts: true}, hasty,
			tooLate, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "1, hangs"}},
		{"the headers, and then silence", "", fault{Break: faultserver.Hang, At: faultserver.OnHead}, hasty,
			unread, cells{"R", "1 MA", "gone", "1 MA", "1 MA", "R MA"}, controls{"1, told", "1, hangs"}},
		{"a body that drips in too slowly", "", fault{Drip: short / 10}, hasty,
			unread, cells{"R", "1 MA", "gone", "1 MA", "1 MA", "R MA"}, controls{"1, told", "1, success"}},
		{"a body that drips in just in time", "", fault{Drip: time.Microsecond}, situation{},
			noAnswer, cells{"ok", "ok", "ok", "ok", "ok", "ok"}, controls{"1, success", "1, success"}},
		{"the caller's context ends while waiting, after acting", "", fault{Break: faultserver.Hang, At: faultserver.OnRead, Acts: true}, situation{deadline: short},
			wanted{is: context.DeadlineExceeded}, cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"1, told", "1, told"}},
	}
}

func bodyRows() []matrixRow {
	return []matrixRow{
		{"a body that is cut short", "", fault{Break: faultserver.Close, At: faultserver.InBody, Sent: 10}, situation{},
			unread, cells{"R", "1 MA", "gone", "1 MA", "1 MA", "R MA"}, controls{"1, told", "1, told"}},
		{"a body of unknown length that is cut short", "", fault{Break: faultserver.Close, At: faultserver.InBody, Sent: 10, Framing: faultserver.Unsized}, situation{},
			unread, cells{"R", "1 MA", "gone", "1 MA", "1 MA", "R MA"}, controls{"1, told", "1, told"}},
		{"`RST_STREAM` INTERNAL_ERROR within the body", faultserver.HTTP2, fault{Break: faultserver.InternalError, At: faultserver.InBody, Sent: 10}, situation{},
			unread, cells{"R", "1 MA", "gone", "1 MA", "1 MA", "R MA"}, controls{"1, told", "1, told"}},
		{"a body that ends with the connection, too soon", faultserver.HTTP1, fault{Framing: faultserver.UntilClose, Bend: half}, situation{},
			unread, cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"1, told", "1, told"}},
		{"a Content-Length that is too long", "", fault{Claim: +10}, situation{},
			unread, cells{"R", "1 MA", "gone", "1 MA", "1 MA", "R MA"}, controls{"1, success", "1, success"}},
		{"a Content-Length that is too short", faultserver.HTTP1, fault{Claim: -10}, situation{},
			unread, cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"1, told", "1, told"}},
		{"a Content-Length that is too short", faultserver.HTTP2, fault{Claim: -10}, situation{},
			unread, cells{"R", "1 MA", "gone", "1 MA", "1 MA", "R MA"}, controls{"1, told", "1, told"}},
		{"complete, but no JSON", "", fault{Bend: half}, situation{},
			unread, cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"1, told", "1, told"}},
		{"a page of HTML", "", withBody(200, "text/html", "<html>Log in to the airport's network</html>"), situation{},
			unread, cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"1, told", "1, told"}},
		{"an empty 200", "", withBody(200, "application/json", ""), situation{},
			unread, cells{"1", "ok", "ok", "ok", "1 MA", "ok"}, controls{"1, told", "1, told"}},
		{"204", "", withBody(204, "application/json", ""), situation{},
			unread, cells{"1", "ok", "ok", "ok", "1 MA", "ok"}, controls{"1, told", "1, told"}},
		{"gzip", "", zipped(compress), situation{},
			noAnswer, cells{"ok", "ok", "ok", "ok", "ok", "ok"}, controls{"1, success", "1, success"}},
		{"a body that claims to be gzip", "", zipped(nil), situation{},
			noAnswer, cells{"ok", "ok", "ok", "ok", "ok", "ok"}, controls{"1, told", "1, told"}},
		{"gzip with a wrong byte in it", "", zipped(func(body []byte) []byte { return damage(compress(body)) }), situation{},
			unread, cells{"R", "1 MA", "gone", "1 MA", "1 MA", "R MA"}, controls{"1, success", "1, success"}},
		{"gzip that ends too soon", "", zipped(func(body []byte) []byte { return half(compress(body)) }), situation{},
			unread, cells{"R", "1 MA", "gone", "1 MA", "1 MA", "R MA"}, controls{"1, told", "1, told"}},
		{"gzip of more than 10 MiB", "", zipped(func([]byte) []byte { return bomb() }), situation{},
			wanted{status: 200, is: videosdk.ErrResponseTooLarge}, cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"1, told", "1, told"}},
		{"more than 10 MiB, and it says so", "", fault{Bend: func([]byte) []byte { return huge() }}, situation{},
			wanted{status: 200, is: videosdk.ErrResponseTooLarge}, cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"1, told", "1, told"}},
		{"more than 10 MiB of unknown length", "", fault{Bend: func([]byte) []byte { return huge() }, Framing: faultserver.Unsized}, situation{},
			wanted{status: 200, is: videosdk.ErrResponseTooLarge}, cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"1, told", "1, told"}},
		{"103 before the answer", "", fault{Interim: 103}, situation{},
			noAnswer, cells{"ok", "ok", "ok", "ok", "ok", "ok"}, controls{"1, success", "1, success"}},
		{"101 in place of the answer", faultserver.HTTP1, fault{Status: 101, Acts: true, Framing: faultserver.UntilClose}, situation{},
			answered(101), cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "1, told"}},
	}
}

func statusRows() []matrixRow {
	elsewhere := situation{redirect: true}
	return []matrixRow{
		{"301", "", fault{Status: 301}, elsewhere, answered(301), cells{"1", "1", "1", "1", "1", "1"}, controls{"0, success", "0, success"}},
		{"302, after acting", "", fault{Status: 302, Acts: true}, elsewhere, answered(302), cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"1, success", "1, success"}},
		{"303, after acting", "", fault{Status: 303, Acts: true}, elsewhere, answered(303), cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"1, success", "1, success"}},
		{"307", "", fault{Status: 307}, elsewhere, answered(307), cells{"1", "1", "1", "1", "1", "1"}, controls{"0, success", "0, success"}},
		{"308", "", fault{Status: 308}, elsewhere, answered(308), cells{"1", "1", "1", "1", "1", "1"}, controls{"0, success", "0, success"}},

		{"`200 {\"statusCode\":400}`", "", fault{Status: 200, Body: []byte(`{"statusCode":400,"message":"no"}`)}, situation{},
			wanted{status: 400, is: videosdk.ErrBadRequest}, cells{"1", "1", "1", "1", "1", "1"}, controls{"0, success", "0, success"}},
		{"`200 {\"statusCode\":500}`", "", fault{Status: 200, Body: []byte(`{"statusCode":500,"message":"no"}`)}, situation{},
			wanted{status: 500, is: videosdk.ErrServer}, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"0, success", "0, success"}},
		{"400", "", fault{Status: 400}, situation{}, wanted{status: 400, is: videosdk.ErrBadRequest}, cells{"1", "1", "1", "1", "1", "1"}, controls{"0, told", "0, told"}},
		{"401 to a token that was in use", "", fault{Status: 401}, situation{}, wanted{status: 401, is: videosdk.ErrUnauthorized}, cells{"2", "2", "2", "2", "2", "2"}, controls{"0, told", "0, told"}},
		{"401 to a new token", "", fault{Status: 401}, situation{newToken: true}, wanted{status: 401, is: videosdk.ErrUnauthorized}, cells{"1", "1", "1", "1", "1", "1"}, controls{}},
		{"402", "", fault{Status: 402}, situation{}, wanted{status: 402, is: videosdk.ErrPaymentRequired}, cells{"1", "1", "1", "1", "1", "1"}, controls{"0, told", "0, told"}},
		{"403", "", fault{Status: 403}, situation{}, wanted{status: 403, is: videosdk.ErrForbidden}, cells{"1", "1", "1", "1", "1", "1"}, controls{"0, told", "0, told"}},
		{"404", "", fault{Status: 404}, situation{}, wanted{status: 404, is: videosdk.ErrNotFound}, cells{"1", "1", "1", "1", "1", "1"}, controls{"0, told", "0, told"}},
		{"408", "", fault{Status: 408, Acts: true}, situation{}, answered(408), cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "1, told"}},
		{"409", "", fault{Status: 409}, situation{}, wanted{status: 409, is: videosdk.ErrConflict}, cells{"1", "1", "R", "R", "1", "1"}, controls{"0, told", "0, told"}},
		{"422", "", fault{Status: 422}, situation{}, answered(422), cells{"1", "1", "1", "1", "1", "1"}, controls{"0, told", "0, told"}},
		{"500, after acting", "", fault{Status: 500, Acts: true}, situation{}, wanted{status: 500, is: videosdk.ErrServer}, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
		{"502 as a page of HTML, after acting", "", withBody(502, "text/html", "<html>Bad gateway</html>"), situation{}, wanted{status: 502, is: videosdk.ErrServer}, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
		{"503", "", fault{Status: 503}, situation{}, wanted{status: 503, is: videosdk.ErrServer}, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"0, told", "0, told"}},
		{"504, after acting", "", fault{Status: 504, Acts: true}, situation{}, wanted{status: 504, is: videosdk.ErrServer}, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"1, told", "5, told"}},
		{"503, Retry-After: 1", "", retryAfter(503, "1"), situation{}, wanted{status: 503, retryAfter: time.Second}, cells{"R", "1 MA", "R MA", "1 MA", "1 MA", "R MA"}, controls{"0, told", "0, told"}},
		{"503, Retry-After: 31", "", retryAfter(503, "31"), situation{}, wanted{status: 503, retryAfter: 31 * time.Second}, cells{"1", "1 MA", "1 MA", "1 MA", "1 MA", "1 MA"}, controls{"0, told", "0, told"}},

		{"429", "", fault{Status: 429}, situation{}, wanted{status: 429, is: videosdk.ErrRateLimited}, cells{"R", "R", "R", "R", "R", "R"}, controls{"0, told", "0, told"}},
		{"429, Retry-After: 1", "", retryAfter(429, "1"), situation{}, wanted{status: 429, retryAfter: time.Second}, cells{"R", "R", "R", "R", "R", "R"}, controls{"0, told", "0, told"}},
		{"429, Retry-After: a date in 1 s", "", retryAfter(429, "Sat, 01 Jan 2000 00:00:01 GMT"), situation{}, wanted{status: 429, retryAfter: time.Second}, cells{"R", "R", "R", "R", "R", "R"}, controls{"0, told", "0, told"}},
		{"429, Retry-After: a date of RFC 850 in 1 s", "", retryAfter(429, "Saturday, 01-Jan-00 00:00:01 GMT"), situation{}, wanted{status: 429, retryAfter: time.Second}, cells{"R", "R", "R", "R", "R", "R"}, controls{"0, told", "0, told"}},
		{"429, Retry-After: a date that has passed", "", retryAfter(429, "Fri, 31 Dec 1999 23:59:59 GMT"), situation{}, wanted{status: 429}, cells{"R", "R", "R", "R", "R", "R"}, controls{"0, told", "0, told"}},
		{"429, Retry-After: 0", "", retryAfter(429, "0"), situation{}, wanted{status: 429}, cells{"R", "R", "R", "R", "R", "R"}, controls{"0, told", "0, told"}},
		{"429, Retry-After: -1", "", retryAfter(429, "-1"), situation{}, wanted{status: 429}, cells{"R", "R", "R", "R", "R", "R"}, controls{"0, told", "0, told"}},
		{"429, Retry-After: 1.5", "", retryAfter(429, "1.5"), situation{}, wanted{status: 429}, cells{"R", "R", "R", "R", "R", "R"}, controls{"0, told", "0, told"}},
		{"429, Retry-After: abc", "", retryAfter(429, "abc"), situation{}, wanted{status: 429}, cells{"R", "R", "R", "R", "R", "R"}, controls{"0, told", "0, told"}},
		{"429, Retry-After: 31", "", retryAfter(429, "31"), situation{}, wanted{status: 429, retryAfter: 31 * time.Second}, cells{"1", "1", "1", "1", "1", "1"}, controls{"0, told", "0, told"}},
		{"429, Retry-After: 2^63", "", retryAfter(429, "9223372036854775808"), situation{}, wanted{status: 429, retryAfter: 1<<63 - 1}, cells{"1", "1", "1", "1", "1", "1"}, controls{"0, told", "0, told"}},
		{"429, and the retry quota is spent", "", fault{Status: 429}, situation{spent: true}, wanted{status: 429, is: videosdk.ErrRateLimited}, cells{"1", "1", "1", "1", "1", "1"}, controls{}},
	}
}

// matrixOperation is a column of the matrix: an operation for each class of
// the retry table.
type matrixOperation struct {
	name    string
	do      func(context.Context, *account, ...videosdk.RequestOption) error
	applied func(*testing.T, *account) int // times that the account shows it; nil for a read
}

func matrixOperations() [len(cells{})]matrixOperation {
	return [...]matrixOperation{
		{"Calls.Get", getCall, nil},
		{"RoutingRules.Update", updateRule, ruleIsRenamed},
		{"RoutingRules.Delete", deleteRule, ruleIsGone},
		{"PhoneNumbers.Create", createNumbers, numbersExist},
		{"Calls.Create", createCall, dialled},
		{"Calls.End", endCall, callIsOver},
	}
}

func (r matrixRow) protocols() []string {
	if r.on != "" {
		return []string{r.on}
	}
	return []string{faultserver.HTTP1, faultserver.HTTP2}
}

// expected is what a cell says.
type expected struct {
	attempts, sends int
	more            bool // net/http sends more
	maybe           bool
	succeeds        bool
	refused         bool
}

func (c cells) expected(column int) (e expected, exists bool) {
	text, maybe := strings.CutSuffix(c[column], " MA")
	e.maybe = maybe
	switch text {
	case "R":
		e.attempts, e.sends = 3, 3
	case "R+":
		e.attempts, e.sends, e.more = 3, 3, true
	case "gone":
		e.attempts, e.sends, e.succeeds = 2, 2, true
	case "2":
		e.attempts, e.sends = 2, 2
	case "1":
		e.attempts, e.sends = 1, 1
	case "U":
		e.attempts = 3
	case "0":
		e.attempts = 1
	case "X":
		e.refused = true
	case "ok":
		e.attempts, e.sends, e.succeeds = 1, 1, true
	case "–":
		return e, false
	default:
		panic("the matrix has a cell " + text)
	}
	return e, true
}

// bench is an account behind a server of faults.
type bench struct {
	*account // whose client goes through the server

	server *faultserver.Server
	direct *videosdk.Client // that does not
	landed atomic.Int32     // requests that followed a redirect
	full   atomic.Bool      // everything is answered with 429 before it reaches the server
}

func newBench(t *testing.T, protocol string, r matrixRow) *bench {
	t.Helper()
	emulator := newServer(t, videosdktest.InMemory())
	emulator.AddPhoneNumbers(ownNumber)
	start := faultserver.New
	if r.waits() {
		start = faultserver.NewInMemory
	}
	server, err := start(protocol, forwarding(t, emulator))
	require.NoError(t, err)
	t.Cleanup(server.Close)
	b := &bench{account: &account{srv: emulator}, server: server, direct: newClient(t, emulator)}
	b.rule, err = b.direct.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
		Name: "the rule", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ownNumber},
	})
	require.NoError(t, err)
	b.call, err = b.direct.Calls.Create(t.Context(), videosdk.CallCreateParams{To: supervisor, From: ownNumber, RoutingRuleID: b.rule.ID})
	require.NoError(t, err)
	b.client = newClient(t, emulator, b.options(r.situation)...)
	return b
}

// forwarding returns what acts: the emulator.
func forwarding(t *testing.T, emulator *videosdktest.Server) http.Handler {
	t.Helper()
	target, err := url.Parse(emulator.URL)
	require.NoError(t, err)
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: emulator.HTTPClient().Transport,
	}
}

func (b *bench) options(s situation) []videosdk.Option {
	opts := []videosdk.Option{
		videosdk.WithBaseURL(b.server.URL), videosdk.WithHTTPClient(&http.Client{Transport: b.transport(s)}),
		videosdk.WithMaxRetries(2), videosdk.WithRetryWait(0, 0),
	}
	if s.spent {
		opts = append(opts, videosdk.WithMiddleware(b.limit))
	}
	return opts
}

// transport returns a transport in the situation.
func (b *bench) transport(s situation) *http.Transport {
	transport := b.server.Transport()
	if s.stranger {
		transport.TLSClientConfig.RootCAs = nil
	}
	if s.dial != nil {
		transport.DialContext = s.dial
	}
	return transport
}

func (b *bench) limit(next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if b.full.Load() {
			return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
		}
		return next.RoundTrip(req)
	})
}

// prepare brings the situation about.
func (b *bench) prepare(t *testing.T, s situation) {
	t.Helper()
	if s.refused {
		b.server.Refuse()
	}
	if s.refused || s.stranger || s.dial != nil || s.newToken {
		return
	}
	require.NoError(t, getCall(t.Context(), b.account), "the token is in use from here on")
	if !s.reused {
		b.hangUp(t)
	}
	if s.spent {
		b.full.Store(true)
		for range 60 {
			require.ErrorIs(t, getCall(t.Context(), b.account), videosdk.ErrRateLimited)
		}
		b.full.Store(false)
	}
}

// hangUp closes the connections of the client. One that has just been used
// may not look idle at once.
func (b *bench) hangUp(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		b.client.CloseIdleConnections()
		return b.server.Counts().Open == 0
	}, long, time.Millisecond)
}

// landing returns a fault that points to another server, if the situation asks
// for it.
func (b *bench) landing(t *testing.T, s situation, f fault) fault {
	t.Helper()
	if s.redirect {
		landing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			b.landed.Add(1)
			_, _ = io.WriteString(w, `{"data":{"callId":"nobody-was-called"}}`)
		}))
		t.Cleanup(landing.Close)
		f.Header = http.Header{"Location": {landing.URL + "/v2/sip/call"}}
	}
	return f
}

// measured is what became of an operation.
type measured struct {
	err     error
	seen    faultserver.Counts
	applied int // times that the account shows it
	took    time.Duration
}

// try lets an operation meet the faults that arm has set.
func (b *bench) try(t *testing.T, s situation, op matrixOperation) measured {
	t.Helper()
	b.server.ResetCounts()
	ctx := t.Context()
	if s.deadline != 0 {
		limited, cancel := context.WithTimeout(ctx, s.deadline)
		defer cancel()
		ctx = limited
	}
	target := *b.account
	if s.badID {
		target.rule, target.call = &videosdk.RoutingRule{ID: ".."}, &videosdk.Call{}
	}
	started := time.Now()
	err := op.do(ctx, &target, videosdk.WithAttemptTimeout(cmp.Or(s.patience, long)))
	m := measured{err: err, seen: b.server.Counts(), took: time.Since(started)}
	if op.applied != nil {
		seenFromAside := *b.account
		seenFromAside.client = b.direct
		m.applied = op.applied(t, &seenFromAside)
	}
	b.requireNoSecret(t, err)
	assert.Zero(t, b.landed.Load(), "a redirect was followed")
	return m
}

// requireNoSecret checks what a caller would log.
func (b *bench) requireNoSecret(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	secrets := []string{b.srv.Secret, callee, ownNumber, spareNumber, "hunter2-password"}
	for _, request := range b.srv.Requests() {
		secrets = append(secrets, request.Header.Get("Authorization"))
	}
	for _, secret := range secrets {
		assert.NotContains(t, err.Error(), secret)
	}
}

func TestEveryCellOfTheFaultMatrix(t *testing.T) {
	everyCell := func(expected) bool { return true }
	eachCell(t, matrixRows(), everyCell, func(t *testing.T, r matrixRow, protocol string, op matrixOperation, want expected) {
		b := newBench(t, protocol, r)
		b.prepare(t, r.situation)
		b.server.Always(b.landing(t, r.situation, r.fault))

		m := b.try(t, r.situation, op)
		switch {
		case want.succeeds:
			require.NoError(t, m.err)
		case want.refused:
			var refusal *videosdk.ValidationError
			require.ErrorAs(t, m.err, &refusal)
			require.ErrorIs(t, m.err, r.want.is)
		default:
			r.want.requireError(t, m.err, want)
		}
		if want.more {
			assert.Greater(t, m.seen.Begun, 2)
			assert.LessOrEqual(t, m.seen.Begun, 9, "net/http must not go on by itself")
		} else {
			assert.Equal(t, want.sends, m.seen.Begun, "requests that the server saw")
		}
		acted := 0
		if r.fault.Acting() {
			acted = m.seen.Begun
		}
		assert.Equal(t, acted, m.seen.Acted, "times that the server acted")
		if op.applied != nil {
			assert.Equal(t, min(1, acted), m.applied, "times that the account shows it")
		}
		if r.want.retryAfter == time.Second && want.attempts > 1 {
			assert.GreaterOrEqual(t, m.took, time.Duration(want.attempts-1)*time.Second)
		}
	})
}

func (w wanted) requireError(t *testing.T, err error, e expected) {
	t.Helper()
	require.Error(t, err)
	if w.is != nil {
		require.ErrorIs(t, err, w.is)
	}
	assert.Equal(t, e.maybe, errors.Is(err, videosdk.ErrMaybeApplied), err)
	if w.status == 0 {
		var failure *videosdk.RequestError
		require.ErrorAs(t, err, &failure)
		assert.Equal(t, e.maybe, failure.MaybeApplied)
		assert.Equal(t, e.attempts, failure.Attempts)
		return
	}
	var answer *videosdk.APIError
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, e.maybe, answer.MaybeApplied)
	assert.Equal(t, e.attempts, answer.Attempts)
	assert.Equal(t, w.retryAfter, answer.RetryAfter)
	if w.status == success {
		assert.Equal(t, success/100, answer.StatusCode/100, answer.StatusCode)
	} else {
		assert.Equal(t, w.status, answer.StatusCode)
	}
}

// What is worth sending again succeeds when the fault has passed.
func TestAFaultThatPassesIsOvercomeWhereTheMatrixRepeats(t *testing.T) {
	rows := slices.DeleteFunc(matrixRows(), func(r matrixRow) bool {
		return r.situation.refused || r.situation.stranger || r.situation.dial != nil
	})
	repeated := func(e expected) bool { return e.attempts > 1 }
	eachCell(t, rows, repeated, func(t *testing.T, r matrixRow, protocol string, op matrixOperation, want expected) {
		b := newBench(t, protocol, r)
		b.prepare(t, r.situation)
		b.server.Next(b.landing(t, r.situation, r.fault))

		m := b.try(t, r.situation, op)
		require.NoError(t, m.err)
		assert.Equal(t, min(want.sends, 1)+1, m.seen.Begun, "requests that the server saw")
		if op.applied != nil {
			assert.Equal(t, 1, m.applied, "times that the account shows it")
		}
	})
}

// cellTest is a test of one cell.
type cellTest func(t *testing.T, r matrixRow, protocol string, op matrixOperation, want expected)

// eachCell runs a test for each cell of which the predicate is true.
func eachCell(t *testing.T, rows []matrixRow, predicate func(expected) bool, test cellTest) {
	crowd(t, func(yield func(string, func(*testing.T)) bool) {
		for _, r := range rows {
			for _, protocol := range r.protocols() {
				for column, op := range matrixOperations() {
					if want, exists := r.cells.expected(column); exists && predicate(want) {
						yield(op.name+" on "+spelled(protocol)+": "+r.name, r.timed(func(t *testing.T) { test(t, r, protocol, op, want) }))
					}
				}
			}
		}
	})
}

// spelled names a protocol without a slash, which would divide a test's name.
func spelled(protocol string) string {
	if protocol == faultserver.HTTP2 {
		return "HTTP2"
	}
	return "HTTP1"
}

// crowd runs tests, a few at a time.
func crowd(t *testing.T, tests iter.Seq2[string, func(*testing.T)]) {
	queue := make(chan func())
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(queue)
	for range 4 {
		workers.Go(func() {
			for run := range queue {
				run()
			}
		})
	}
	for name, test := range tests {
		queue <- func() { t.Run(name, test) }
	}
}

// timed puts a test that waits into a bubble, where that takes no time.
func (r matrixRow) timed(test func(*testing.T)) func(*testing.T) {
	if !r.waits() {
		return test
	}
	return func(t *testing.T) { synctest.Test(t, test) }
}

// waits reports whether it takes time to fail in the way of the row.
func (r matrixRow) waits() bool {
	return r.situation.patience != 0 || r.situation.deadline != 0 || r.want.retryAfter != 0
}

// control is a way to place a call without this library.
type control func(t *testing.T, b *bench, s situation) func(*http.Request) (*http.Response, error)

// bareClient is net/http with a timeout.
func bareClient(t *testing.T, b *bench, s situation) func(*http.Request) (*http.Response, error) {
	t.Helper()
	transport := b.transport(s)
	t.Cleanup(transport.CloseIdleConnections)
	return (&http.Client{Transport: transport, Timeout: cmp.Or(s.patience, long)}).Do
}

// retryingClient is go-retryablehttp as it comes, but for shorter waits and
// without its log.
func retryingClient(t *testing.T, b *bench, s situation) func(*http.Request) (*http.Response, error) {
	t.Helper()
	client := retryablehttp.NewClient()
	client.RetryWaitMin, client.RetryWaitMax, client.Logger = time.Millisecond, time.Millisecond, nil
	transport, ours := client.HTTPClient.Transport.(*http.Transport), b.transport(s)
	transport.TLSClientConfig, transport.DialContext = ours.TLSClientConfig, ours.DialContext
	t.Cleanup(transport.CloseIdleConnections)
	return func(req *http.Request) (*http.Response, error) {
		wrapped, err := retryablehttp.FromRequest(req)
		require.NoError(t, err)
		return client.Do(wrapped)
	}
}

// place lets a control place a call, and returns how often the server acted and
// what the caller knows.
func (b *bench) place(t *testing.T, r matrixRow, place control) string {
	t.Helper()
	b.server.ResetCounts()
	const unlimited = time.Hour // who is still waiting then would wait for ever
	ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(r.situation.deadline, unlimited))
	defer cancel()
	body, err := json.Marshal(callBody(b.account))
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.URL+"/v2/sip/call", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", b.srv.Requests()[0].Header.Get("Authorization"))
	req.Header.Set("Content-Type", "application/json")

	knows := "success"
	if problem := readJSON(place(t, b, r.situation)(req)); problem != nil {
		knows = "told"
		if r.situation.deadline == 0 && ctx.Err() != nil {
			knows = "hangs"
		}
	}
	acted := b.server.Counts().Acted
	assert.Equal(t, acted, b.srv.DialCount(callee))
	return fmt.Sprintf("%d, %s", acted, knows)
}

// readJSON looks at an answer as a careful caller does.
func readJSON(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return errors.New(resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(new(map[string]any))
}

func TestTheControlsOfTheFaultMatrix(t *testing.T) {
	ways := map[string]struct {
		control control
		want    func(controls) string
	}{
		"a bare client":    {bareClient, func(c controls) string { return c.bare }},
		"go-retryablehttp": {retryingClient, func(c controls) string { return c.retrying }},
	}
	crowd(t, func(yield func(string, func(*testing.T)) bool) {
		for _, r := range matrixRows() {
			if r.controls == (controls{}) {
				continue
			}
			for _, protocol := range r.protocols() {
				for name, way := range ways {
					yield(name+" on "+spelled(protocol)+": "+r.name, r.timed(func(t *testing.T) {
						b := newBench(t, protocol, r)
						if r.situation.refused {
							b.server.Refuse()
						}
						b.server.Always(b.landing(t, r.situation, r.fault))
						assert.Equal(t, way.want(r.controls), b.place(t, r, way.control))
					}))
				}
			}
		}
	})
}

const (
	reliabilityFile = "docs/reliability.md"
	chaosBegin      = "<!-- chaos -->"
	chaosEnd        = "<!-- /chaos -->"
)

const reliabilityHead = `# Reliability

What this library does about each fault, as its tests measure it: a server that
fails on purpose (` + "`internal/faultserver`" + `) stands in front of the emulator, and every
attempt of an operation meets the fault. Two retries are allowed. %d faults make
%d cells: each is an operation over HTTP/1.1 or HTTP/2, of which the test counts
the requests that the server saw, how often it acted, and what the account looks
like afterwards. No cell of "call" makes a phone ring twice.

	go test -race -run 'FaultMatrix|TestAFaultThatPasses' .

The operations stand for the classes of the retry table: GET for ` + "`Calls.Get`" + `,
PATCH for ` + "`RoutingRules.Update`" + `, DELETE for ` + "`RoutingRules.Delete`" + `, numbers for
` + "`PhoneNumbers.Create`" + `, call for ` + "`Calls.Create`" + `, end for ` + "`Calls.End`" + `.

| cell | meaning |
|---|---|
| R | sent three times, and fails |
| R+ | the same, and net/http sends more by itself, which is stopped |
| gone | sent twice, and succeeds: the second request finds the work done |
| 2 | sent twice, and fails |
| 1 | sent once, and fails |
| U | tried three times, and fails: nothing was sent, which is certain |
| 0 | tried once, and fails: nothing was sent, which is certain |
| X | refused before anything is tried |
| ok | sent once, and succeeds |
| MA | the error matches ` + "`ErrMaybeApplied`" + `: look before repeating |

A fault that happens only once is overcome wherever a cell says R, R+, U, 2 or gone.

The last two columns show what becomes of the same call without this library:
with ` + "`http.Client`" + ` and a timeout, and with go-retryablehttp as it comes (its waits
shortened). The number is how often the phone rang. "told" says that the caller
learns of an error, "success" that it believes the call was placed as asked,
"hangs" that it still waits after an hour. What depends on the release of Go, or
has no counterpart, is left out.

## The fault matrix
`

const chaosHead = `
## Chaos

`

func TestTheFaultMatrixIsPublished(t *testing.T) {
	have, err := os.ReadFile(reliabilityFile)
	if !*update {
		require.NoError(t, err)
	}
	want := faultMatrix() + chaosHead + chaosOf(string(have)) + "\n"
	if *update {
		require.NoError(t, os.WriteFile(reliabilityFile, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(have), "run: go test -run TestTheFaultMatrixIsPublished -update .")
}

// chaosOf returns what another test has published.
func chaosOf(page string) string {
	begin, end := strings.Index(page, chaosBegin), strings.Index(page, chaosEnd)
	if begin < 0 || end < begin {
		return chaosBegin + "\n" + chaosEnd
	}
	return page[begin : end+len(chaosEnd)]
}

func faultMatrix() string {
	var b strings.Builder
	rows, all := matrixRows(), 0
	for _, r := range rows {
		for column := range r.cells {
			if _, exists := r.cells.expected(column); exists {
				all += len(r.protocols())
			}
		}
	}
	fmt.Fprintf(&b, reliabilityHead, len(rows), all)
	for _, part := range matrix() {
		fmt.Fprintf(&b, "\n### %s\n\n", part.title)
		b.WriteString("| fault | error | GET | PATCH | DELETE | numbers | call | end | net/http | go-retryablehttp |\n")
		b.WriteString("|---|---|---|---|---|---|---|---|---|---|\n")
		for _, r := range part.rows {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.title(), r.told(),
				strings.Join(r.cells[:], " | "), cmp.Or(r.controls.bare, "–"), cmp.Or(r.controls.retrying, "–"))
		}
	}
	return b.String()
}

func (r matrixRow) title() string {
	switch r.on {
	case faultserver.HTTP1:
		return r.name + " (HTTP/1.1)"
	case faultserver.HTTP2:
		return r.name + " (HTTP/2)"
	default:
		return r.name
	}
}

// told names the error that tells of the fault, if any cell has one.
func (r matrixRow) told() string {
	for column := range r.cells {
		if e, exists := r.cells.expected(column); exists && !e.succeeds {
			return r.want.String()
		}
	}
	return "–"
}

// String names the error as the documentation does.
func (w wanted) String() string {
	var text string
	switch {
	case w == noAnswer:
		return "`RequestError`"
	case w.is == videosdk.ErrInvalidRequest:
		return "`ValidationError`"
	case w.status == 0:
		text = "`RequestError`"
	case w.status == success:
		text = "`APIError` 2xx"
	default:
		text = "`APIError` " + strconv.Itoa(w.status)
	}
	if name := sentinelNames()[w.is]; name != "" {
		text += ", `" + name + "`"
	}
	if w.retryAfter != 0 {
		text += ", `RetryAfter` " + w.retryAfter.String()
	}
	return text
}

func sentinelNames() map[error]string {
	return map[error]string{
		videosdk.ErrTimeout: "ErrTimeout", videosdk.ErrInvalidResponse: "ErrInvalidResponse", videosdk.ErrResponseTooLarge: "ErrResponseTooLarge",
		videosdk.ErrBadRequest: "ErrBadRequest", videosdk.ErrUnauthorized: "ErrUnauthorized", videosdk.ErrPaymentRequired: "ErrPaymentRequired",
		videosdk.ErrForbidden: "ErrForbidden", videosdk.ErrNotFound: "ErrNotFound", videosdk.ErrConflict: "ErrConflict",
		videosdk.ErrRateLimited: "ErrRateLimited", videosdk.ErrServer: "ErrServer", context.DeadlineExceeded: "context.DeadlineExceeded",
	}
}
