package faultserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

// The protocols that a server can speak, by their names in TLS.
const (
	HTTP1 = "http/1.1"
	HTTP2 = "h2"
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Server is a server that fails on demand. Its methods may be called from any
// goroutine.
type Server struct {
	URL string

	handler  http.Handler
	protocol string
	dial     dialFunc
	identity identity
	listener net.Listener
	serving  sync.WaitGroup

	mu     sync.Mutex
	next   []Fault
	always Fault
	counts Counts
	open   map[net.Conn]struct{} // nil when the server is closed
}

// Counts is what a server has seen since the last ResetCounts.
type Counts struct {
	Open        int // connections that there are at present
	Connections int // accepted
	Begun       int // requests of which the first byte arrived
	Arrived     int // requests that arrived whole
	Acted       int // requests that the handler was given
	// ActedOn is Acted by method and path, such as "POST /v2/sip/call".
	ActedOn map[string]int
}

// New starts a server on loopback that speaks the protocol and acts by the
// handler. It must be closed.
func New(protocol string, handler http.Handler) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return start(listener, (&net.Dialer{}).DialContext, protocol, handler)
}

// NewInMemory is New without a network, for a bubble of testing/synctest. Only
// Transport reaches the server, and a connection that is reset just ends.
func NewInMemory(protocol string, handler http.Handler) (*Server, error) {
	network := newPipes()
	return start(network, network.dial, protocol, handler)
}

func start(listener net.Listener, dial dialFunc, protocol string, handler http.Handler) (*Server, error) {
	id, err := sharedIdentity()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s := &Server{
		URL:      "https://" + listener.Addr().String(),
		handler:  handler,
		protocol: protocol,
		dial:     dial,
		identity: id,
		listener: listener,
		open:     make(map[net.Conn]struct{}),
	}
	s.serving.Go(s.accept)
	return s, nil
}

// Transport returns a transport that trusts the server. Its idle connections
// are the caller's to close.
func (s *Server) Transport() *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: s.identity.roots,
			// The fastest one, with the race detector by far: tests connect thousands of times.
			CurvePreferences: []tls.CurveID{tls.CurveP256},
		},
		DialContext:       s.dial,
		ForceAttemptHTTP2: true,
	}
}

// Close hangs up on everybody and returns when nothing is served any more.
func (s *Server) Close() {
	s.Refuse()
	s.mu.Lock()
	open := s.open
	s.open = nil
	s.mu.Unlock()
	if open == nil {
		return
	}
	for c := range open {
		_ = c.Close()
	}
	s.serving.Wait()
}

// Refuse makes the server refuse connections from now on. Those that it has
// stay open.
func (s *Server) Refuse() { _ = s.listener.Close() }

// Always makes every request meet the fault that finds none from Next.
func (s *Server) Always(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = f
}

// Next makes the next requests, or connections, meet the faults, each one.
func (s *Server) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, faults...)
}

// Counts returns what the server has seen.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := s.counts
	counts.Open = len(s.open)
	counts.ActedOn = maps.Clone(counts.ActedOn)
	return counts
}

// ResetCounts forgets what the server has seen.
func (s *Server) ResetCounts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts = Counts{}
}

func (s *Server) count(count func(*Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count(&s.counts)
}

// take returns the fault that waits for what has just begun: a connection if
// at is OnAccept, a request otherwise. One that is for the other is left.
func (s *Server) take(at Moment) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, queued := s.always, len(s.next) > 0
	if queued {
		f = s.next[0]
	}
	if f.breaks(OnAccept) != (at == OnAccept) {
		return Fault{}
	}
	if queued {
		s.next = s.next[1:]
	}
	return f
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		if !s.keep(c) {
			_ = c.Close()
			return
		}
		s.serving.Go(func() {
			defer s.drop(c)
			s.serve(c)
		})
	}
}

// keep notes a connection, so that Close can close it.
func (s *Server) keep(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		return false
	}
	s.counts.Connections++
	s.open[c] = struct{}{}
	return true
}

func (s *Server) drop(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *Server) serve(raw net.Conn) {
	c := newConn(raw, s.identity.config(s.protocol))
	if f := s.take(OnAccept); f.breaks(OnAccept) {
		c.breakRaw(f.Break)
		return
	}
	if c.tls.Handshake() != nil {
		return
	}
	if s.protocol == HTTP2 {
		s.serveHTTP2(c)
	} else {
		s.serveHTTP1(c)
	}
}

// begin counts a request that has begun to arrive, and returns its fault.
func (s *Server) begin() Fault {
	s.count(func(c *Counts) { c.Begun++ })
	return s.take(OnRequest)
}

// answer is what a server says to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// bodiless reports whether an answer of that status has neither a body nor a
// length.
func (a answer) bodiless() bool { return a.status == http.StatusNoContent }

// wire is the way back to the client, for one request.
type wire interface {
	interim(status int) error
	head(a answer, f Framing) error
	data(p []byte) error
	end() error
	// delimits reports whether the protocol itself tells where a body ends, whatever
	// its header claims.
	delimits() bool
	breakOff(b Break)
}

// respond acts and answers, as far as the fault lets it. It returns an error
// if the connection cannot be used for another request.
func (s *Server) respond(w wire, req *http.Request, body []byte, f Fault) error {
	s.count(func(c *Counts) { c.Arrived++ })
	a := answer{status: f.Status, body: f.Body}
	if f.Acting() {
		acted := s.act(req, body)
		if f.Status == 0 {
			a = acted
		}
	}
	if f.breaks(OnRead) {
		w.breakOff(f.Break)
		return errBroken
	}
	return f.send(w, f.bend(a))
}

var errBroken = errors.New("the exchange was broken off")

// act gives the request to the handler.
func (s *Server) act(req *http.Request, body []byte) answer {
	s.count(func(c *Counts) {
		c.Acted++
		if c.ActedOn == nil {
			c.ActedOn = make(map[string]int)
		}
		c.ActedOn[req.Method+" "+req.URL.EscapedPath()]++
	})
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.ContentLength = int64(len(body))
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, req)
	return answer{status: recorder.Code, header: recorder.Result().Header, body: recorder.Body.Bytes()}
}

// bend makes of an answer what the client is to get.
func (f Fault) bend(a answer) answer {
	header := a.header.Clone()
	if header == nil {
		header = http.Header{"Content-Type": {"application/json"}}
	}
	maps.Copy(header, f.Header)
	a.header = header
	if f.Bend != nil {
		a.body = f.Bend(a.body)
	}
	header.Del("Content-Length")
	if f.Framing == Sized && !a.bodiless() {
		header.Set("Content-Length", strconv.Itoa(len(a.body)+f.Claim))
	}
	return a
}

// send writes an answer, up to where it breaks.
func (f Fault) send(w wire, a answer) error {
	if f.Interim != 0 {
		if err := w.interim(f.Interim); err != nil {
			return err
		}
	}
	if err := w.head(a, f.Framing); err != nil {
		return err
	}
	if f.breaks(OnHead) {
		w.breakOff(f.Break)
		return errBroken
	}
	body := a.body
	if f.breaks(InBody) {
		body = body[:min(f.Sent, len(body))]
	}
	if err := f.write(w, body); err != nil {
		return err
	}
	if f.breaks(InBody) {
		w.breakOff(f.Break)
		return errBroken
	}
	if err := w.end(); err != nil {
		return err
	}
	if f.Framing == UntilClose || f.Claim != 0 && !w.delimits() {
		w.breakOff(Close)
		return errBroken
	}
	return nil
}

func (f Fault) write(w wire, body []byte) error {
	if f.Drip == 0 {
		return w.data(body)
	}
	drops := time.NewTicker(f.Drip)
	defer drops.Stop()
	for i := range body {
		<-drops.C
		if err := w.data(body[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}
