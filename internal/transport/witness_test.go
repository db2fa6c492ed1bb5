package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/transport"
)

func TestAnAttemptThatReachedNoServerWasCertainlyNotSent(t *testing.T) {
	tests := []struct {
		name string
		url  func(t *testing.T) string
	}{
		{"nobody listens", func(t *testing.T) string {
			l := loopback(t)
			require.NoError(t, l.Close())
			return "http://" + l.Addr().String()
		}},
		{"the server hangs up in the TLS handshake", func(t *testing.T) string {
			return serve(t, nil, func(_ int, c *peer) { c.reset() }).https()
		}},
		{"the server does not speak TLS", func(t *testing.T) string {
			return serve(t, nil, func(_ int, c *peer) {
				_, _ = io.WriteString(c, "220 mail.example.com ready\r\n")
				_, _ = c.in.ReadByte()
			}).https()
		}},
		{"the certificate is for another name", func(t *testing.T) string {
			s := serve(t, http1(), func(_ int, c *peer) { c.read() })
			return strings.Replace(s.https(), "127.0.0.1", "localhost", 1)
		}},
		{"the URL is one that net/http refuses", func(*testing.T) string { return "ftp://127.0.0.1" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := post(tt.url(t)).over(t, guarded(t, transport.New()))
			require.Error(t, got.err)
			assert.False(t, got.maybeSent, got.err)
			assert.False(t, got.replayed)
		})
	}
}

func TestAnAttemptThatTheServerReadMayHaveBeenSent(t *testing.T) {
	tests := []struct {
		name string
		lose func(c *peer) // what the server does with a request that it read
	}{
		{"reset", (*peer).reset},
		{"closed", func(*peer) {}},
		{"answered in something else than HTTP", func(c *peer) { _, _ = io.WriteString(c, "hello\r\n\r\n") }},
	}
	for _, tt := range tests {
		for _, scheme := range []string{"http", "https"} {
			t.Run(tt.name+" on a fresh "+scheme+" connection", func(t *testing.T) {
				s := serve(t, configFor(scheme), func(_ int, c *peer) {
					c.read()
					tt.lose(c)
				})
				got := post(scheme+"://"+s.Addr().String()).over(t, guarded(t, transport.New()))
				require.Error(t, got.err)
				assert.True(t, got.maybeSent, got.err)
				assert.EqualValues(t, 1, s.requests.Load())
			})
			t.Run(tt.name+" on a reused "+scheme+" connection", func(t *testing.T) {
				s := serve(t, configFor(scheme), func(_ int, c *peer) {
					c.read()
					c.answer()
					c.read()
					tt.lose(c)
				})
				guard := guarded(t, transport.New())
				target := scheme + "://" + s.Addr().String()
				before := keepOne(t, guard, target)

				got := post(target).over(t, guard)
				require.Error(t, got.err)
				assert.True(t, got.maybeSent, got.err)
				assert.False(t, got.replayed)
				assert.Equal(t, before+1, s.requests.Load())
			})
		}
	}
}

func TestAGetThatNetHTTPRepeatsByItselfIsReportedAsReplayed(t *testing.T) {
	lose := make(chan struct{}, 1)
	s := serve(t, nil, func(_ int, c *peer) {
		for c.read() {
			select {
			case <-lose:
				return
			default:
				c.answer()
			}
		}
	})
	guard := guarded(t, transport.New())
	before := keepOne(t, guard, s.http())

	lose <- struct{}{}
	got := get(s.http()).over(t, guard)
	require.NoError(t, got.err)
	assert.True(t, got.replayed)
	assert.Equal(t, before+2, s.requests.Load())
}

// spent is a budget of which nothing is left.
type spent struct{}

func (spent) Take(bool) (price int, ok bool) { return 0, false }

func TestAGetThatNobodyPaysForIsNotRepeatedByNetHTTP(t *testing.T) {
	s := serve(t, nil, func(_ int, c *peer) { // hangs up on the second request of a connection
		if c.read() {
			c.answer()
			c.read()
		}
	})
	for range 20 {
		guard := guarded(t, transport.New())
		before := s.requests.Load() + keepOne(t, guard, s.http())
		unpaid := get(s.http())
		unpaid.budget = spent{}
		got := unpaid.over(t, guard)
		require.ErrorContains(t, got.cause, "quota is spent")
		assert.True(t, got.maybeSent)
		assert.Equal(t, before+1, s.requests.Load())
	}
}

func http1() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{certificate()}} }

func configFor(scheme string) *tls.Config {
	if scheme == "https" {
		return http1()
	}
	return nil
}

// deaf is a connection that keeps from net/http that the server has hung up
// until something was written, as the network may, but every time.
type deaf struct {
	net.Conn

	gone   chan struct{} // closed when the server has hung up
	told   chan struct{} // closed when net/http may know
	hangUp func()
	tell   func()
}

func newDeaf(c net.Conn) *deaf {
	d := &deaf{Conn: c, gone: make(chan struct{}), told: make(chan struct{})}
	d.hangUp = sync.OnceFunc(func() { close(d.gone) })
	d.tell = sync.OnceFunc(func() { close(d.told) })
	return d
}

func (d *deaf) Read(p []byte) (int, error) {
	n, err := d.Conn.Read(p)
	if err != nil {
		d.hangUp()
		<-d.told
	}
	return n, err
}

func (d *deaf) Write(p []byte) (int, error) {
	n, err := d.Conn.Write(p)
	select {
	case <-d.gone:
		d.tell()
	default:
	}
	return n, err
}

func (d *deaf) Close() error {
	d.tell()
	return d.Conn.Close()
}

// wrapping returns a transport whose connections are wrapped, and the latest of
// them.
func wrapping[C net.Conn](wrap func(net.Conn) C) (rt *transport.Transport, latest func() C) {
	var last atomic.Value
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		wrapped := wrap(c)
		last.Store(wrapped)
		return wrapped, nil
	}
	return transport.Adopt(&http.Transport{DialContext: dial}), func() C { return last.Load().(C) }
}

func TestAKeptAliveConnectionThatDiedBeforeTheRequest(t *testing.T) {
	tests := []struct {
		name      string
		scheme    string
		end       func(*peer)
		recovered bool
	}{
		{"is replaced when no byte could be written", "http", (*peer).reset, true},
		{"is replaced under TLS too", "https", (*peer).reset, true},
		{"is not when the network took the bytes for a server that was gone", "http", func(*peer) {}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hangUp := make(chan struct{})
			s := serve(t, configFor(tt.scheme), answerUntil(hangUp, tt.end))
			rt, latest := wrapping(newDeaf)
			guard := guarded(t, rt)
			target := tt.scheme + "://" + s.Addr().String()
			before := keepOne(t, guard, target)
			connections := s.connections.Load()
			close(hangUp)
			<-latest().gone

			got := post(target).over(t, guard)
			assert.False(t, got.replayed, "what never left was not repeated")
			if tt.recovered {
				require.NoError(t, got.err)
				assert.Equal(t, before+1, s.requests.Load())
				assert.Equal(t, connections+1, s.connections.Load())
				return
			}
			require.Error(t, got.err)
			assert.True(t, got.maybeSent)
			assert.Equal(t, before, s.requests.Load())
		})
	}
}

// answerUntil answers on every connection until it is told to hang up on those
// that there are.
func answerUntil(hangUp <-chan struct{}, end func(*peer)) func(int, *peer) {
	return func(n int, c *peer) {
		select {
		case <-hangUp:
			answerAll(n, c)
			return
		default:
		}
		done := make(chan struct{})
		defer close(done)
		c.server.serving.Go(func() {
			select {
			case <-hangUp:
				end(c)
				_ = c.socket.Close()
			case <-done:
			}
		})
		answerAll(n, c)
	}
}

func TestAConnectionThatDiedWhileItWasHandedOverCarriedNothing(t *testing.T) {
	hangUp := make(chan struct{})
	s := serve(t, nil, answerUntil(hangUp, func(*peer) {}))
	rt, latest := wrapping(newCloseWatch)
	guard := guarded(t, rt)
	before := keepOne(t, guard, s.http())

	// The server hangs up, and net/http notices, between the moment at which
	// the request got the connection and the first write.
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		close(hangUp)
		<-latest().closed
	}})
	got := post(s.http()).in(ctx, t, guard)
	require.Error(t, got.err)
	assert.False(t, got.maybeSent, got.err)
	assert.Equal(t, before, s.requests.Load())
}

// closeWatch is a connection that tells when net/http has closed it.
type closeWatch struct {
	net.Conn

	closed chan struct{}
	tell   func()
}

func newCloseWatch(c net.Conn) *closeWatch {
	closed := make(chan struct{})
	return &closeWatch{Conn: c, closed: closed, tell: sync.OnceFunc(func() { close(closed) })}
}

func (c *closeWatch) Close() error {
	defer c.tell()
	return c.Conn.Close()
}

// trace plays net/http for the witness: it tells of a connection.
func trace(req *http.Request, c net.Conn) {
	httptrace.ContextClientTrace(req.Context()).GotConn(httptrace.GotConnInfo{Conn: c})
}

func TestAnAnswerThatNothingWasSentStaysTrue(t *testing.T) {
	t.Run("a write that comes later fails", func(t *testing.T) {
		// net/http waits for its writes before it gives an attempt up, but
		// does not promise to.
		heard := make(chan string, 1)
		s := serve(t, nil, func(_ int, c *peer) {
			all, _ := io.ReadAll(c)
			heard <- string(all)
		})
		c, err := transport.New().DialContext(t.Context(), "tcp", s.Addr().String())
		require.NoError(t, err)
		got := post(s.http()).over(t, transport.NewGuard(roundTripper(func(req *http.Request) (*http.Response, error) {
			trace(req, c)
			return nil, errors.New("gave up")
		})))
		require.False(t, got.maybeSent)

		_, err = io.WriteString(c, "POST / HTTP/1.1\r\n\r\n")
		require.ErrorIs(t, err, net.ErrClosed)
		require.NoError(t, c.Close())
		assert.Empty(t, <-heard)
	})
	t.Run("a middleware that hands the request down later is refused", func(t *testing.T) {
		s := serve(t, nil, answerAll)
		guard := guarded(t, transport.New())
		var late *http.Request
		got := post(s.http()).over(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			late = req.WithContext(context.WithoutCancel(req.Context()))
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}))
		require.False(t, got.maybeSent)

		resp, err := guard.RoundTrip(late)
		require.Error(t, err)
		require.Nil(t, resp)
		assert.Zero(t, s.requests.Load())
	})
	t.Run("a request that net/http still has in hand may be sent", func(t *testing.T) {
		s := serve(t, nil, answerAll)
		dialling, dialled := make(chan struct{}), make(chan struct{})
		guard := guarded(t, transport.Adopt(&http.Transport{
			DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
				close(dialling)
				<-dialled
				return net.Dial(network, address)
			},
		}))
		var left sync.WaitGroup
		got := post(s.http()).over(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			detached := req.WithContext(context.WithoutCancel(req.Context()))
			left.Go(func() {
				resp, err := guard.RoundTrip(detached)
				if assert.NoError(t, err) {
					_ = resp.Body.Close()
				}
			})
			<-dialling
			return nil, errors.New("too slow for this middleware")
		}))
		close(dialled)
		left.Wait()
		require.EqualValues(t, 1, s.requests.Load())
		assert.True(t, got.maybeSent)
	})
}

// unnoticed is a context whose deadline passes without its end.
type unnoticed struct {
	context.Context
	passed *bool
}

func (c unnoticed) Deadline() (time.Time, bool) {
	if *c.passed {
		return time.Now().Add(-time.Hour), true
	}
	return time.Now().Add(time.Hour), true
}

func TestAConnectionThatComesAfterTheDeadlineCarriesNothing(t *testing.T) {
	for name, sent := range map[string]bool{"and nothing was sent": false, "though an earlier one may have": true} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, nil, func(_ int, c *peer) { _, _ = io.Copy(io.Discard, c) })
			earlier, err := transport.New().DialContext(t.Context(), "tcp", s.Addr().String())
			require.NoError(t, err)
			defer earlier.Close()
			late, err := transport.New().DialContext(t.Context(), "tcp", s.Addr().String())
			require.NoError(t, err)
			defer late.Close()
			passed := false
			got := post(s.http()).in(unnoticed{t.Context(), &passed}, t, transport.NewGuard(roundTripper(func(req *http.Request) (*http.Response, error) {
				if sent {
					trace(req, earlier)
					_, err := io.WriteString(earlier, "POST")
					assert.NoError(t, err)
				}
				passed = true
				trace(req, late)
				_, err := io.WriteString(late, "POST") // net/http may see the end of the context too late
				return nil, err
			})))
			require.ErrorIs(t, got.err, net.ErrClosed)
			require.ErrorIs(t, got.cause, context.DeadlineExceeded)
			assert.Equal(t, sent, got.maybeSent)
		})
	}
}

func TestWritesAreCountedWhenTheyBeginAndForgottenWhenNoByteLeft(t *testing.T) {
	// The connection's write by its previous request is still under way when
	// it is handed over, fails, and must not make up for one that succeeds.
	blocked := newStuck()
	dial := transport.Adopt(&http.Transport{DialContext: blocked.dial}).DialContext
	c, err := dial(t.Context(), "tcp", "192.0.2.1:80")
	require.NoError(t, err)

	var writing sync.WaitGroup
	writing.Go(func() { _, _ = io.WriteString(c, "the previous request") })
	<-blocked.begun
	got := post("http://192.0.2.1").over(t, transport.NewGuard(roundTripper(func(req *http.Request) (*http.Response, error) {
		trace(req, c)
		blocked.results <- result{0, io.ErrClosedPipe}
		writing.Wait()
		blocked.results <- result{1, io.ErrShortWrite}
		_, err := io.WriteString(c, "POST")
		return nil, err
	})))
	require.ErrorIs(t, got.err, io.ErrShortWrite)
	assert.True(t, got.maybeSent, "one byte left")
}

// net/http asks for the body again when it has another connection to send it
// on. Its own account of what was written is not relied upon.
func TestTheBodyIsGivenAgainOnlyIfNothingOfItLeft(t *testing.T) {
	tests := []struct {
		name    string
		written string
		given   bool
	}{
		{"nothing left", "", true},
		{"something left", "P", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, nil, func(_ int, c *peer) { _, _ = io.Copy(io.Discard, c) })
			c, err := transport.New().DialContext(t.Context(), "tcp", s.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			got := post(s.http()).over(t, transport.NewGuard(roundTripper(func(req *http.Request) (*http.Response, error) {
				trace(req, c)
				if tt.written != "" {
					_, err := io.WriteString(c, tt.written)
					require.NoError(t, err)
				}
				body, err := req.GetBody()
				assert.Equal(t, tt.given, err == nil, err)
				assert.Equal(t, tt.given, body != nil)
				return nil, io.ErrUnexpectedEOF
			})))
			assert.Equal(t, !tt.given, got.maybeSent)
		})
	}
}

func TestAWriteUnderWayCountsAsSent(t *testing.T) {
	blocked := newStuck()
	dial := transport.Adopt(&http.Transport{DialContext: blocked.dial}).DialContext
	c, err := dial(t.Context(), "tcp", "192.0.2.1:80")
	require.NoError(t, err)

	var writing sync.WaitGroup
	got := post("http://192.0.2.1").over(t, transport.NewGuard(roundTripper(func(req *http.Request) (*http.Response, error) {
		trace(req, c)
		writing.Go(func() { _, _ = io.WriteString(c, "POST") })
		<-blocked.begun
		return nil, errors.New("gave up")
	})))
	assert.True(t, got.maybeSent)
	blocked.results <- result{0, io.ErrClosedPipe}
	writing.Wait()
}

// stuck is a connection whose writes end when and how the test says.
type stuck struct {
	net.Conn

	begun   chan struct{}
	results chan result
}

type result struct {
	n   int
	err error
}

func newStuck() *stuck { return &stuck{begun: make(chan struct{}, 2), results: make(chan result, 1)} }

func (s *stuck) dial(context.Context, string, string) (net.Conn, error) { return s, nil }

func (s *stuck) Write([]byte) (int, error) {
	s.begun <- struct{}{}
	r := <-s.results
	return r.n, r.err
}

// A transport of the user's own may or may not be net/http beneath.
func TestWithoutNetHTTPOnlyTheErrorCanSayThatNothingWasSent(t *testing.T) {
	resets := serve(t, nil, func(_ int, c *peer) {
		c.read()
		c.reset()
	})
	closed := loopback(t)
	require.NoError(t, closed.Close())
	original := &http.Transport{}
	t.Cleanup(original.CloseIdleConnections)
	fail := func(err error) http.RoundTripper {
		return roundTripper(func(*http.Request) (*http.Response, error) { return nil, err })
	}
	tests := []struct {
		name      string
		rt        http.RoundTripper
		url       string
		maybeSent bool
	}{
		{"a refused connection", roundTripper(original.RoundTrip), "http://" + closed.Addr().String(), false},
		{"a reset after the request was read", roundTripper(original.RoundTrip), resets.http(), true},
		{"an error of its own", fail(errors.New("lost")), resets.http(), true},
		{"an error of a dial", fail(&net.OpError{Op: "dial", Err: errors.New("no route")}), resets.http(), false},
		{"a proxy that refuses the connection", roundTripper((&http.Transport{
			Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: closed.Addr().String()}),
		}).RoundTrip), "https://192.0.2.1", false},
		{"an error of a read", fail(&net.OpError{Op: "read", Err: errors.New("reset")}), resets.http(), true},
		{"a name that could not be resolved", fail(&net.DNSError{Err: "server misbehaving"}), resets.http(), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := post(tt.url).over(t, guarded(t, tt.rt))
			require.Error(t, got.err)
			assert.Equal(t, tt.maybeSent, got.maybeSent, got.err)
		})
	}
}

// What a middleware returns may be of something else: only the transport itself knows
// what became of the request.
func TestAMiddlewareThatFailsAfterTheRequestWasSentDoesNotHideThat(t *testing.T) {
	unreachable := &net.OpError{Op: "dial", Err: errors.New("no route to the audit log")}
	thenFails := func(next http.RoundTripper) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			if resp, err := next.RoundTrip(req); err == nil {
				_ = resp.Body.Close()
			}
			return nil, unreachable
		}
	}
	answers := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})
	fails := func(err error) http.RoundTripper {
		return roundTripper(func(*http.Request) (*http.Response, error) { return nil, err })
	}
	s := serve(t, nil, answerAll)
	closed := loopback(t)
	require.NoError(t, closed.Close())
	tests := []struct {
		name      string
		beneath   http.RoundTripper
		above     middleware
		url       string
		maybeSent bool
	}{
		{"at something else, after an answer", answers, thenFails, s.http(), true},
		{"at something else, after a failure", fails(errors.New("lost")), thenFails, s.http(), true},
		{"at something else, after an answer of net/http", transport.New(), thenFails, s.http(), true},
		{"at something else, and so did the transport", fails(unreachable), thenFails, s.http(), false},
		{"at something else, and so did net/http", transport.New(), thenFails, "http://" + closed.Addr().String(), false},
		{"at a second sending, after an answer", answers, twice, s.http(), true},
		{"at a second sending, after a failure", fails(errors.New("lost")), twice, s.http(), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := post(tt.url).over(t, tt.above(guarded(t, tt.beneath)))
			require.Error(t, got.err)
			assert.Equal(t, tt.maybeSent, got.maybeSent, got.err)
		})
	}
}

func TestAMiddlewareThatDidNotHandTheRequestDownIsNotTrusted(t *testing.T) {
	got := post("http://192.0.2.1").over(t, roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("by whatever way")
	}))
	assert.True(t, got.maybeSent)

	s := serve(t, nil, answerAll)
	own := &http.Transport{}
	t.Cleanup(own.CloseIdleConnections)
	refused := roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	})
	first := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := own.RoundTrip(req.Clone(req.Context()))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			return next.RoundTrip(req)
		})
	}
	got = post(s.http()).over(t, first(refused))
	assert.True(t, got.maybeSent, "it has had a connection")
	got = post(s.http()).over(t, first(guarded(t, refused)))
	assert.False(t, got.maybeSent, "that was for a token")
}

// Whatever the moment at which an attempt is cancelled: if the witness says
// that nothing was sent, the server has not seen a byte of it.
func TestCancellationRacesWithTheRequestAndTheWitnessIsNeverWrong(t *testing.T) {
	const rounds = 400
	for _, keepAlive := range []bool{true, false} {
		t.Run("keep-alive "+strconv.FormatBool(keepAlive), func(t *testing.T) {
			var seen sync.Map
			s := serve(t, nil, func(_ int, c *peer) {
				for {
					line, err := c.in.ReadString('\n')
					if number, ok := strings.CutPrefix(line, "X-Number: "); ok {
						seen.Store(strings.TrimSpace(number), true)
					}
					if line == "{}" || err != nil {
						return
					}
					if line == "\r\n" {
						_, _ = c.in.Discard(len("{}"))
						c.answer()
					}
				}
			})
			rt := transport.New()
			rt.DisableKeepAlives = !keepAlive
			rt.IdleConnTimeout = 20 * time.Millisecond // also of one that came too late for its request
			guard := guarded(t, rt)
			outcomes := make([]outcome, rounds)
			for i := range outcomes {
				ctx, cancel := context.WithCancel(t.Context())
				var cancelling sync.WaitGroup
				cancelling.Go(func() {
					for range i % 40 {
						runtime.Gosched()
					}
					cancel()
				})
				s := post(s.http())
				s.header = http.Header{"X-Number": {strconv.Itoa(i)}}
				outcomes[i] = s.in(ctx, t, guard)
				cancelling.Wait()
			}
			s.drain()
			for i, got := range outcomes {
				_, arrived := seen.Load(strconv.Itoa(i))
				if got.err != nil && !got.maybeSent {
					assert.False(t, arrived, "request %d arrived", i)
				}
			}
		})
	}
}

// A middleware may send what is safe to repeat several times at once, and take
// the first answer.
func TestAnAttemptIsWatchedByManyGoroutinesWithoutARace(t *testing.T) {
	s := serve(t, nil, answerAll)
	guard := guarded(t, transport.New())
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {}})
	attempt, ctx := transport.NewAttempt(ctx, cancel, s.http(), false, free{})
	var hedges sync.WaitGroup
	for range 8 {
		hedges.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.http(), nil)
			if !assert.NoError(t, err) {
				return
			}
			if resp, err := guard.RoundTrip(req); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			attempt.MaybeSent(io.EOF)
			attempt.End()
		})
	}
	hedges.Wait()
	assert.True(t, attempt.MaybeSent(io.EOF))
}

func TestAProtocolThatNetHTTPDoesNotKnowIsNotTrustedToReportConnections(t *testing.T) {
	config := http1()
	config.NextProtos = []string{"acme"}
	s := serve(t, config, func(_ int, c *peer) { c.read() })
	acme := func(_ string, c *tls.Conn) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			defer c.Close()
			if err := req.Write(c); err != nil {
				return nil, err
			}
			_, err := c.Read(make([]byte, 1))
			return nil, err
		})
	}
	rt := &http.Transport{
		TLSClientConfig: &tls.Config{NextProtos: config.NextProtos},
		TLSNextProto:    map[string]func(string, *tls.Conn) http.RoundTripper{"acme": acme},
	}
	got := post(s.https()).over(t, guarded(t, transport.Adopt(rt)))
	require.Error(t, got.err)
	require.EqualValues(t, 1, s.requests.Load())
	assert.True(t, got.maybeSent)
}

func TestCopiesThatAreSentAtTheSameTimeCountAsReplayed(t *testing.T) {
	unreachable := &net.OpError{Op: "dial", Err: errors.New("no route")}
	for name, tt := range map[string]struct {
		err       error // of the copy that is not waited for
		abandoned bool
		replayed  bool
	}{
		"both answered":                {replayed: true},
		"one of them not answered yet": {abandoned: true, replayed: true},
		"one of them never sent":       {err: unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			var both, ends sync.WaitGroup
			both.Add(2)
			hang := make(chan struct{})
			guard := guarded(t, roundTripper(func(req *http.Request) (*http.Response, error) {
				both.Done()
				both.Wait() // neither has an answer before the other is sent
				if req.Header.Get("Copy") == "" {
					return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: req}, nil
				}
				<-hang
				return nil, tt.err
			}))
			if !tt.abandoned {
				close(hang)
			}
			remove := sending{method: http.MethodDelete, url: "http://example.com"}
			got := remove.over(t, roundTripper(func(req *http.Request) (*http.Response, error) {
				other := req.Clone(req.Context())
				other.Header.Set("Copy", "1")
				ends.Go(func() { _, _ = guard.RoundTrip(other) })
				if !tt.abandoned {
					defer ends.Wait()
				}
				return guard.RoundTrip(req)
			}))
			if tt.abandoned {
				close(hang)
			}
			ends.Wait()
			require.NoError(t, got.err)
			assert.Equal(t, tt.replayed, got.replayed, "a 404 to one could be the doing of the other")
		})
	}
}
