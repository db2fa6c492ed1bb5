package videosdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// Do calls an endpoint that this library does not wrap, on the same road as
// all others: token, validation of the address, retries, errors.
//
// path begins with a slash and is escaped already; it may have a query. in is
// sent as JSON: a struct, a map, a json.RawMessage; nil sends {} with a POST
// and nothing otherwise. The answer is decoded into out, which may be a
// *json.RawMessage; nil takes any JSON, and an empty answer.
//
// The method decides what is repeated: GET and HEAD like every read, DELETE
// like every delete, PUT and PATCH like every update, and POST like the
// creation of something. The unknown outcome of an update or a creation is not
// repeated unless [WithRetryUnknown] says so; and never where the path is one that
// dials, transfers or moves a call, or creates or updates a campaign. A DELETE that
// finds the work of its own earlier attempt done succeeds and leaves out alone.
func (c *Client) Do(ctx context.Context, method, path string, in, out any, opts ...RequestOption) error {
	route, query, _ := strings.Cut(path, "?")
	r := c.request(operation{name: "Do", class: classOf(method, c.base.Path+route), method: method, path: route}, opts)
	r.faults.check(isHeaderName(method) && method == strings.ToUpper(method), "method", "must be an HTTP method in capitals")
	r.checkPath(route)
	r.faults.check(canHold(out), "out", "must be a pointer to decode the answer into, or nil")
	r.query, r.body, r.long = r.parseQuery(query), in, true
	x, a, err := c.send(ctx, r)
	if err != nil || a.gone || method == http.MethodHead {
		return err
	}
	if problem := decodeAny(a.body, out); problem != "" {
		return x.refuse(problem)
	}
	return nil
}

// canHold reports whether an answer can be decoded into out. To find out only
// after the request was sent would be too late.
func canHold(out any) bool {
	v := reflect.ValueOf(out)
	return out == nil || v.Kind() == reflect.Pointer && !v.IsNil()
}

// classOf returns the row of the retry table for a request that no service
// makes.
func classOf(method, path string) retry.Class {
	switch method {
	case http.MethodGet, http.MethodHead:
		return retry.Read
	case http.MethodDelete:
		return retry.Delete
	case http.MethodPut, http.MethodPatch:
		if reachesPeople(parent(plainPath(path)), batchCallsPath) {
			return retry.Dial // it may begin a draft
		}
		return retry.Replace
	case http.MethodPost:
		if reachesPeople(plainPath(path), callsPath, callTransferPath, callSwitchRoomPath, outboundCallPath, batchCallsPath) {
			return retry.Dial
		}
		return retry.Create
	default:
		return retry.Dial // nothing is known of it
	}
}

// reachesPeople reports whether a path, as plainPath returns it, is one of those
// that ring or move a person.
func reachesPeople(path string, those ...string) bool {
	return slices.ContainsFunc(those, func(p string) bool { return strings.HasSuffix(path, p) })
}

// plainPath returns a path as a server might look at it: in any case, unescaped,
// with more slashes than needed. One that cannot be unescaped is refused anyway.
func plainPath(path string) string {
	plain, _ := url.PathUnescape(path)
	segments := strings.FieldsFunc(strings.ToLower(plain), func(r rune) bool { return r == '/' })
	for i := range segments {
		segments[i], _, _ = strings.Cut(segments[i], ";") // some servers take the rest for parameters
	}
	segments = slices.DeleteFunc(segments, func(segment string) bool { return segment == "" })
	return "/" + strings.Join(segments, "/")
}

func parent(path string) string { return path[:strings.LastIndexByte(path, '/')] }

// checkPath refuses what would lead to another place than it says.
func (r *request) checkPath(path string) {
	r.faults.check(strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//"), "path", "must begin with one slash")
	plain, err := url.PathUnescape(path) // a server may take an escaped slash for a slash
	r.faults.check(err == nil, "path", "has an escape that is not valid")
	// Where a part is not escaped, net/url escapes the whole in its own way: an
	// escaped slash would become a slash.
	sent := (&url.URL{Path: plain, RawPath: path}).EscapedPath()
	r.faults.check(err != nil || sent == path, "path", "must be escaped, and have no fragment")
	for _, segment := range strings.Split(plain, "/") {
		segment, _, _ = strings.Cut(segment, ";") // see plainPath
		r.faults.check(segment != "." && segment != "..", "path", "must not contain . or .. segments")
	}
}

func (r *request) parseQuery(query string) url.Values {
	values, err := url.ParseQuery(query)
	r.faults.check(err == nil, "path", "has a query that is not valid")
	return values
}

// decodeAny decodes an answer of unknown kind.
func decodeAny(body []byte, out any) (problem string) {
	switch dst := out.(type) {
	case nil:
		if !isBlank(body) && !json.Valid(body) {
			return notJSON(body)
		}
		return ""
	case *json.RawMessage:
		if !json.Valid(body) {
			return notJSON(body)
		}
		*dst = body
		return ""
	default:
		if err := json.Unmarshal(body, dst); err != nil {
			return notDecodable(body, err)
		}
		return ""
	}
}

// notDecodable says why an answer does not fit a type of the caller's. What
// encoding/json says of a value may quote it, and what the type says even more so.
func notDecodable(body []byte, err error) (problem string) {
	var unfit *json.UnmarshalTypeError
	switch {
	case !json.Valid(body):
		return notJSON(body)
	case errors.As(err, &unfit):
		kind, _, _ := strings.Cut(unfit.Value, " ") // the number stands behind it
		return fmt.Sprintf("it has a JSON %s at %q, which a Go %v cannot hold", kind, unfit.Field, unfit.Type)
	default:
		return "the type that is to hold it refuses it"
	}
}
