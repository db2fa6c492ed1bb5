package videosdktest

import (
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Request is one request as the server received it. Its maps and slices must
// not be modified.
type Request struct {
	Method string
	Path   string // escaped, as sent
	Route  string // pattern of the route, such as "/v2/sip/call/{callId}"; "" for an unknown path
	Query  url.Values
	Header http.Header
	Body   []byte    // nil when it was not read, or was too large
	Status int       // 0 when the connection was dropped, or while the answer is awaited
	Time   time.Time // of arrival
}

// Requests returns the requests so far, in order of arrival: the latest 10,000,
// unless [WithRequestLog] says otherwise.
func (s *Server) Requests() []Request {
	return s.requests.all()
}

// ResetRequests forgets the requests so far. It leaves [Server.Dials] alone.
func (s *Server) ResetRequests() {
	s.requests.reset()
}

// requestLog records requests.
type requestLog struct {
	limit int

	mu      sync.Mutex
	entries []*Request // the latest, as many as the limit
}

func (l *requestLog) add(r *http.Request, pattern string) *Request {
	entry := &Request{
		Method: r.Method,
		Path:   r.URL.EscapedPath(),
		Route:  pattern,
		Query:  r.URL.Query(),
		Header: r.Header,
		Time:   time.Now(),
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = appendLatest(l.entries, entry, l.limit)
	return entry
}

// appendLatest appends to a log, which forgets the oldest entry beyond its limit.
func appendLatest[T any](log []T, entry T, limit int) []T {
	log = append(log, entry)
	if len(log) > limit {
		clear(log[:1]) // so that it is not kept until the slice is copied
		log = log[1:]
	}
	return log
}

func (l *requestLog) read(entry *Request, body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.Body = body
}

func (l *requestLog) answered(entry *Request, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.Status = status
}

func (l *requestLog) all() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	requests := make([]Request, len(l.entries))
	for i, entry := range l.entries {
		requests[i] = *entry
	}
	return requests
}

func (l *requestLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}
