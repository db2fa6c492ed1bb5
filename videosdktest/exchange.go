package videosdktest

import (
	"context"
	"maps"
	"net"
	"net/http"
	"time"
)

// request is what a handler sees of a request. Its path values are set.
type request struct {
	*http.Request
	payload []byte // the whole body
}

// serve is the road of every request: route, fault, body, token, handler, answer.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	route := s.router.find(r)
	entry := s.requests.add(r, route.pattern)
	fault := s.faults.take(r.Method, r.URL.EscapedPath(), route.pattern)

	resp, answered := s.respond(w, r, route, fault, entry)
	answered = answered && pause(r.Context(), fault.AnswerDelay)
	switch {
	case !answered || fault.Drop == DropAfterActing:
		s.disconnect(w, fault.Drop != DropBeforeReading)
	case fault.Drop == DropMidBody:
		resp.send(w, len(resp.body)/2)
		_ = http.NewResponseController(w).Flush() // fails only when the client has gone
		s.disconnect(w, true)
	default:
		s.requests.answered(entry, resp.status)
		resp.send(w, len(resp.body))
	}
}

// respond finds the answer. There is none when the fault drops the request
// first, or when the client or the server goes away while it waits.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, route route, fault Fault, entry *Request) (resp response, answered bool) {
	req := &request{Request: r}
	var err error
	if fault.Drop != DropBeforeReading {
		// Before the delay: net/http notices a client that went away only once
		// the body has been read.
		req.payload, err = readBody(w, r)
		s.requests.read(entry, req.payload)
	}
	if !pause(r.Context(), fault.Delay) || fault.dropsRequest() {
		return response{}, false
	}
	switch {
	case fault.answers():
		resp, answered = fault.response(), true
	case err != nil:
		resp, answered = refuse(err), true
	default:
		resp, answered = s.act(req, route)
	}
	resp.header = merge(resp.header, fault.Header)
	return resp, answered
}

// act checks the token and runs the handler.
func (s *Server) act(r *request, route route) (resp response, answered bool) {
	if !route.open {
		if err := s.auth.check(r.Header.Get("Authorization")); err != nil {
			return refuse(err), true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ans, err := route.handle(r)
	if err != nil {
		return refuse(err), true
	}
	if r.Method != http.MethodGet {
		s.changed()
	}
	if !s.await(r.Context(), ans.after) {
		return response{}, false
	}
	return s.quirks.bend(route, encode(ans.status, ans.body)), true
}

// await waits for ready, if there is such, with the lock released meanwhile. It
// reports whether that came before the end of the context.
func (s *Server) await(ctx context.Context, ready <-chan struct{}) bool {
	if ready == nil {
		return true
	}
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-ready:
		return true
	case <-ctx.Done():
		return false
	}
}

// disconnect ends the connection without a further byte; with reset, the client
// meets a TCP reset instead of an orderly end.
func (s *Server) disconnect(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // not a connection of HTTP/1, and those are all there are
	}
	defer s.background.Done() // see trackConnection
	if tcp, isTCP := conn.(*net.TCPConn); isTCP && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// pause waits, and reports whether it could do so to the end.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// merge returns base with extra laid over it.
func merge(base, extra http.Header) http.Header {
	merged := make(http.Header)
	maps.Copy(merged, base)
	for key, values := range extra {
		merged[http.CanonicalHeaderKey(key)] = values
	}
	return merged
}
