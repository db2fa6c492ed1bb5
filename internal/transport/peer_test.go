package transport_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/transport"
)

// server is a server on loopback that does what a test writes, connection by
// connection, where a real one would be too polite.
type server struct {
	net.Listener

	connections atomic.Int32
	requests    atomic.Int32 // read to their end

	mu      sync.Mutex
	stopped bool
	open    []io.Closer
	serving sync.WaitGroup
}

// serve starts a server that gives each connection, numbered from 0, to
// handle, and closes it afterwards. It speaks TLS if it has a configuration.
func serve(t *testing.T, config *tls.Config, handle func(n int, c *peer)) *server {
	t.Helper()
	s := &server{Listener: loopback(t)}
	s.open = []io.Closer{s.Listener}
	s.serving.Go(func() {
		for n := 0; ; n++ {
			c, err := s.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			s.attend(c, func() { handle(n, newPeer(s, c, config)) })
		}
	})
	t.Cleanup(s.stop)
	return s
}

func loopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// attend has a connection handled and then closed; or closed at once when the server
// has been stopped: net/http may still be dialling then.
func (s *server) attend(c net.Conn, handle func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		_ = c.Close()
		return
	}
	s.open = append(s.open, c)
	s.serving.Go(func() {
		defer c.Close()
		handle()
	})
}

// stop hangs up on everybody and returns when nothing is served any more.
func (s *server) stop() {
	s.mu.Lock()
	s.stopped = true
	for _, c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
}

func (s *server) http() string  { return "http://" + s.Addr().String() }
func (s *server) https() string { return "https://" + s.Addr().String() }

// peer is the server's end of a connection.
type peer struct {
	net.Conn

	server *server
	socket net.Conn // beneath TLS
	in     *bufio.Reader
}

func newPeer(s *server, c net.Conn, config *tls.Config) *peer {
	p := &peer{Conn: c, server: s, socket: c}
	if config != nil {
		p.Conn = tls.Server(c, config)
	}
	p.in = bufio.NewReader(p.Conn)
	return p
}

// read takes in one whole request, and reports false if the client hung up
// instead of sending one.
func (p *peer) read() bool {
	req, err := http.ReadRequest(p.in)
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return false
	}
	p.server.requests.Add(1)
	return true
}

func (p *peer) answer() { _, _ = io.WriteString(p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }

// reset hangs up in a way that the client's next write notices, where one
// after an ordinary Close would still be accepted by its own kernel.
func (p *peer) reset() {
	if tcp, ok := p.socket.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = p.socket.Close()
}

// answerAll is a server without faults.
func answerAll(_ int, c *peer) {
	for c.read() {
		c.answer()
	}
}

// sending is an attempt to be made.
type sending struct {
	method string
	url    string
	body   string // none if empty
	once   bool
	header http.Header
	budget transport.Budget // free if nil
}

// free is a budget that has no end.
type free struct{}

func (free) Take(bool) (price int, ok bool) { return 0, true }

// outcome is what became of an attempt.
type outcome struct {
	status    int
	proto     string
	err       error
	cause     error // why the attempt's context ended, if it did
	maybeSent bool  // where err is not nil
	replayed  bool
}

func get(url string) sending { return sending{method: http.MethodGet, url: url} }
func post(url string) sending {
	return sending{method: http.MethodPost, url: url, body: "{}", once: true}
}

// over makes the attempt over rt, as the client does it.
func (s sending) over(t *testing.T, rt http.RoundTripper) outcome {
	t.Helper()
	return s.in(t.Context(), t, rt)
}

func (s sending) in(ctx context.Context, t *testing.T, rt http.RoundTripper) outcome {
	t.Helper()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	attempt, ctx := transport.NewAttempt(ctx, cancel, origin(s.url), s.once, cmp.Or[transport.Budget](s.budget, free{}))
	req, err := http.NewRequestWithContext(ctx, s.method, s.url, s.reader())
	require.NoError(t, err)
	for name, values := range s.header {
		req.Header[name] = values
	}
	resp, err := (&http.Client{Transport: rt}).Do(req)
	if err != nil {
		got := outcome{err: err, cause: context.Cause(ctx), maybeSent: attempt.MaybeSent(err)}
		got.replayed, _ = attempt.End()
		return got
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	replayed, _ := attempt.End()
	return outcome{status: resp.StatusCode, proto: resp.Proto, replayed: replayed}
}

// keepOne makes requests until the transport has kept a connection: on a busy
// machine it may throw one away. It returns how many it took.
func keepOne(t *testing.T, rt http.RoundTripper, url string) (requests int32) {
	t.Helper()
	kept := false
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{PutIdleConn: func(err error) { kept = err == nil }})
	for !kept {
		require.NoError(t, get(url).in(ctx, t, rt).err)
		requests++
	}
	return requests
}

func (s sending) reader() io.Reader {
	if s.body == "" {
		return nil
	}
	return strings.NewReader(s.body)
}

func origin(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// guarded puts the guard before a transport and closes its connections after
// the test.
func guarded(t *testing.T, rt http.RoundTripper) *transport.Guard {
	t.Helper()
	guard := transport.NewGuard(rt)
	t.Cleanup(guard.CloseIdleConnections)
	return guard
}

// roundTripper makes a transport, or a middleware, of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// drain returns when the clients have hung up on every connection and all that
// they sent was read.
func (s *server) drain() {
	_ = s.Close()
	s.serving.Wait()
}
