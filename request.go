package videosdk

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// operation is a method of a service: how the user calls it, its row of the
// retry table, and where it goes.
type operation struct {
	name   string // "Calls.Create"
	method string
	path   string // with a {name} for each id
	class  retry.Class
	public bool // needs no token
}

// request is one call of an operation on its way out.
type request struct {
	operation
	escaped  string // the path, with the ids
	query    url.Values
	body     any           // what is sent as JSON, nil for nothing
	encoded  []byte        // the JSON of it
	hidden   []string      // what is secret in all this, nil until somebody asks
	upload   *upload       // what is sent in place of JSON, to another place
	sink     *sink         // where an answer of text goes, in place of memory
	long     bool          // its answer may be so long that to compress it pays
	after    *upload       // whose address the answer may tell
	ringing  time.Duration // how long its answer may wait for the callee's
	settings *settings
	faults   faults
	exchange exchange // what becomes of it on the wire
}

// request starts a call: it fills the ids into the operation's path, in order,
// and applies the caller's options. Mistakes in either are kept, to be told
// together with those that the service finds.
func (c *Client) request(op operation, opts []RequestOption, ids ...string) *request {
	r := &request{operation: op}
	r.settings = c.defaults.forCall(opts, &r.faults)
	r.faults.check(!r.settings.retryUnknown || op.class.MayOptIn(), "WithRetryUnknown",
		"is refused here: a repeat could reach a person twice")
	r.fillPath(ids)
	return r
}

// timeout returns how long one attempt may take.
func (r *request) timeout() time.Duration {
	own := r.settings.attemptTimeout
	return own + min(r.ringing, math.MaxInt64-own)
}

// fillPath puts each id into the path as exactly one escaped segment.
func (r *request) fillPath(ids []string) {
	r.escaped = r.path
	for _, id := range ids {
		begin, end := strings.IndexByte(r.escaped, '{'), strings.IndexByte(r.escaped, '}')
		r.faults.id(r.escaped[begin+1:end], id)
		r.escaped = r.escaped[:begin] + escapeSegment(id) + r.escaped[end+1:]
	}
}

// shown returns the path for errors and logs, without phone numbers.
func (r *request) shown() string {
	segments := strings.Split(r.escaped, "/")
	for i, segment := range segments {
		if _, ok := numberIn(segment); ok {
			segments[i] = "{e164}"
		}
	}
	return strings.Join(segments, "/")
}

// numberIn returns the phone number that a segment of a path is.
func numberIn(segment string) (number string, ok bool) {
	plain, err := url.PathUnescape(segment)
	return plain, err == nil && isE164(plain)
}

// numbers returns the phone numbers in the address of the request. What fails to send
// a request may quote its address, and the server may name what it has not found. Who
// takes an address apart may lose the plus, or escape it once more.
func (r *request) numbers() []string {
	var numbers []string
	for _, segment := range strings.Split(r.escaped, "/") {
		if number, ok := numberIn(segment); ok {
			numbers = append(numbers, strings.TrimPrefix(number, "+"))
		}
	}
	for name, values := range r.query {
		for _, value := range values {
			number, whole := strings.CutPrefix(value, "+")
			// A search may leave the plus out: see findCall.
			if (whole || name == "search" || name == "query") && len(number) > 6 && isE164("+"+number) {
				numbers = append(numbers, number)
			}
		}
	}
	return numbers
}

// escapeSegment also escapes the plus, which the server would take for a
// space.
func escapeSegment(id string) string {
	return strings.ReplaceAll(url.PathEscape(id), "+", "%2B")
}

// encode checks what was collected and returns the body to send.
func (r *request) encode() ([]byte, error) {
	if err := r.faults.err(r.name); err != nil {
		return nil, err
	}
	switch {
	case r.upload != nil:
		return nil, nil
	case r.body != nil:
		body, err := json.Marshal(r.body)
		switch {
		case err != nil:
			r.faults.add("body", notEncodable(err))
		case hasOddTexts(body):
			r.faults.texts("", reflect.ValueOf(r.body))
			r.faults.check(utf8.Valid(body), "body", "is not valid UTF-8")
		}
		r.encoded = body
		return body, r.faults.err(r.name)
	case r.method == http.MethodPost:
		// net/http replays a POST without a body by itself after an HTTP/2
		// stream reset, whatever GetBody says.
		return []byte("{}"), nil
	default:
		return nil, nil
	}
}

// hasOddTexts reports whether encoded JSON may contain texts that need checking: it
// has a backslash, or a byte from 0x7f on. Few bodies have.
func hasOddTexts(body []byte) bool {
	for _, b := range body {
		if b == '\\' || b >= 0x7f {
			return true
		}
	}
	return false
}

// url returns the address of the request, which is below base unless it is an
// upload. Nothing else has it: a RoundTripper may change it.
func (r *request) url(base url.URL) *url.URL {
	if r.upload != nil {
		base = *r.upload.url
		return &base
	}
	path, _ := url.PathUnescape(r.escaped) // which fillPath has escaped, or checkPath has checked
	base.Path, base.RawPath = base.Path+path, base.EscapedPath()+r.escaped
	base.RawQuery = r.query.Encode()
	return &base
}

// secrets returns what the request holds that must not show in an error text.
func (r *request) secrets() []string {
	if r.upload != nil {
		return r.upload.secrets()
	}
	if r.hidden == nil {
		r.hidden = append([]string{}, redact.Secrets(r.body)...)
		// The types of the caller's, which Do takes, have no tags of ours.
		r.hidden = append(r.hidden, redact.NamedInJSON(r.encoded)...)
		r.hidden = append(r.hidden, redact.Named(r.query, r.settings.header)...)
		r.hidden = append(r.hidden, r.numbers()...)
	}
	secrets := slices.Clip(r.hidden)
	if r.after != nil {
		secrets = append(secrets, r.after.secrets()...)
	}
	return secrets
}
