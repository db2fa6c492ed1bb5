package videosdktest

import (
	"cmp"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// router finds the handler of a request by the segments of its escaped path.
// http.ServeMux would redirect a path that holds an empty or dot segment, and
// accept a bare "+".
type router struct {
	routes []route // fewest wildcards first
}

type route struct {
	method  string
	pattern string // segments in braces match any one segment
	open    bool   // needs no token
	handle  handler
}

// handler acts on a request. It runs under Server.mu, which makes every request
// atomic, and so must not block; see answer.after.
type handler func(*request) (answer, error)

// handle registers a route that needs a management token, and takes JSON.
func (rt *router) handle(method, pattern string, h handler) {
	rt.add(route{method: method, pattern: pattern, handle: takingJSON(h)})
}

// takingJSON refuses a body that does not say that it is JSON. A server that
// chooses its parser by the Content-Type would find the body empty.
func takingJSON(h handler) handler {
	const accepted = "application/json"
	return func(r *request) (answer, error) {
		header := r.Header.Get("Content-Type")
		kind, _, _ := mime.ParseMediaType(header)
		if len(r.payload) > 0 && kind != accepted {
			return answer{}, badRequest("Content-Type must be %s, not %q", accepted, header)
		}
		return h(r)
	}
}

// with finds what the path of a request names, for a handler that acts on that.
func with[T any](find func(*request) (*T, error), act func(*request, *T) (answer, error)) handler {
	return func(r *request) (answer, error) {
		item, err := find(r)
		if err != nil {
			return answer{}, err
		}
		return act(r, item)
	}
}

// open registers a route that needs no token.
func (rt *router) open(method, pattern string, h handler) {
	rt.add(route{method: method, pattern: pattern, handle: h, open: true})
}

func (rt *router) add(r route) {
	rt.routes = append(rt.routes, r)
	slices.SortStableFunc(rt.routes, func(a, b route) int {
		return cmp.Compare(strings.Count(a.pattern, "{"), strings.Count(b.pattern, "{"))
	})
}

// find returns the route of a request and stores its path values in r. It
// always finds one: what is not served leads to a route that answers 404 or 405.
func (rt *router) find(r *http.Request) route {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	var others []route // same path, other method
	for _, candidate := range rt.routes {
		values, ok := candidate.match(segments)
		if !ok {
			continue
		}
		if candidate.method != r.Method {
			others = append(others, candidate)
			continue
		}
		for name, value := range values {
			r.SetPathValue(name, value)
		}
		return candidate
	}
	return unserved(others)
}

// unserved refuses before a token is looked at, as routers do.
func unserved(others []route) route {
	if len(others) == 0 {
		return route{open: true, handle: func(*request) (answer, error) {
			return answer{}, notFound("Route not found")
		}}
	}
	var allowed []string
	for _, other := range others {
		allowed = append(allowed, other.method)
	}
	return route{pattern: others[0].pattern, open: true, handle: func(*request) (answer, error) {
		return answer{}, methodNotAllowed(allowed)
	}}
}

func (r route) match(segments []string) (values map[string]string, ok bool) {
	pattern := strings.Split(r.pattern, "/")
	if len(pattern) != len(segments) {
		return nil, false
	}
	values = make(map[string]string)
	for i, segment := range segments {
		name, isWildcard := wildcard(pattern[i])
		if !isWildcard {
			if segment != pattern[i] {
				return nil, false
			}
			continue
		}
		if values[name], ok = pathValue(segment); !ok {
			return nil, false
		}
	}
	return values, true
}

// pathValue unescapes one segment. The API wants the "+" of a number as %2B.
func pathValue(segment string) (value string, ok bool) {
	if segment == "" || strings.Contains(segment, "+") {
		return "", false
	}
	value, err := url.PathUnescape(segment)
	return value, err == nil
}

func wildcard(segment string) (name string, ok bool) {
	if !strings.HasPrefix(segment, "{") || !strings.HasSuffix(segment, "}") {
		return "", false
	}
	return segment[1 : len(segment)-1], true
}

// samePattern tells whether two patterns differ at most in the names of their
// wildcards.
func samePattern(a, b string) bool {
	return slices.EqualFunc(strings.Split(a, "/"), strings.Split(b, "/"), func(x, y string) bool {
		_, xWild := wildcard(x)
		_, yWild := wildcard(y)
		return x == y || xWild && yWild
	})
}
