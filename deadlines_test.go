package videosdk_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// late is how much longer than its context a call may take. In a bubble, where
// nothing but time takes time, it is exact.
const late = 50 * time.Millisecond

// patience is how long the contexts of this file live, if not for ever.
const patience = 3 * time.Second

var errStop = errors.New("the operator pressed stop")

// ends are the ways in which a context ends.
func ends() map[string]func(context.Context) (context.Context, func()) {
	return map[string]func(context.Context) (context.Context, func()){
		"at its deadline": func(ctx context.Context) (context.Context, func()) { return context.WithTimeout(ctx, patience) },
		"when cancelled": func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			timer := time.AfterFunc(patience, func() { cancel(errStop) })
			return ctx, func() { timer.Stop() }
		},
	}
}

// requireEnd asserts that err tells how the context ended.
func requireEnd(t *testing.T, ctx context.Context, err error) {
	t.Helper()
	require.ErrorIs(t, err, ctx.Err())
	require.ErrorIs(t, err, context.Cause(ctx))
	assert.Equal(t, errors.Is(err, context.DeadlineExceeded), errors.Is(err, videosdk.ErrTimeout), err)
}

// memory is a network in memory, as a synctest bubble needs it.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newMemory() *memory {
	closed := make(chan struct{})
	return &memory{conns: make(chan net.Conn), closed: closed, close: sync.OnceFunc(func() { close(closed) })}
}

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case m.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case conn := <-m.conns:
		return conn, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.close()
	return nil
}

func (m *memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

// httpVersions are those that a server may speak.
func httpVersions() map[string]func(*httptest.Server) {
	return map[string]func(*httptest.Server){
		"HTTP/1.1":          (*httptest.Server).Start,
		"HTTP/1.1 over TLS": (*httptest.Server).StartTLS,
		"HTTP/2": func(srv *httptest.Server) {
			srv.EnableHTTP2 = true
			srv.StartTLS()
		},
	}
}

// serveInMemory starts a server and returns a client of it, which calls dialling
// before each connection. The handler gets a channel that is closed when the test is
// over.
func serveInMemory(t *testing.T, start func(*httptest.Server), handle func(http.ResponseWriter, <-chan struct{}), dialling func(), opts ...videosdk.Option) *videosdk.Client {
	t.Helper()
	over := make(chan struct{})
	network := newMemory()
	srv := &httptest.Server{Listener: network, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		handle(w, over)
	})}}
	start(srv)
	t.Cleanup(func() {
		close(over)
		srv.Close()
	})
	transport := srv.Client().Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, protocol, address string) (net.Conn, error) {
		dialling()
		return network.dial(ctx, protocol, address)
	}
	base := inMemoryURL
	if srv.TLS != nil {
		base = "https://example.com" // which is what the server's certificate says
	}
	return clientOf(t, base, transport, opts...)
}

func clientOf(t *testing.T, base string, transport http.RoundTripper, opts ...videosdk.Option) *videosdk.Client {
	t.Helper()
	all := append([]videosdk.Option{videosdk.WithBaseURL(base), videosdk.WithHTTPClient(&http.Client{Transport: transport})}, opts...)
	client, err := videosdk.New("key", "secret", all...)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// dialInto returns a transport of which each connection leads to a peer.
func dialInto(t *testing.T, peer func(net.Conn)) *http.Transport {
	t.Helper()
	var peers sync.WaitGroup
	t.Cleanup(peers.Wait)
	return &http.Transport{
		ForceAttemptHTTP2: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { _ = theirs.Close() })
			peers.Go(func() { peer(theirs) })
			return ours, nil
		},
	}
}

// listens is a peer that hears everything and says nothing.
func listens(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// hints is a peer that promises an answer once a second, from the time on that
// there is a request: what comes before it is nothing that net/http waits for.
func hints(conn net.Conn) {
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return
	}
	go listens(conn)
	for {
		if _, err := io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
			return
		}
		<-time.After(time.Second)
	}
}

// getOne and sendMuch are calls on a client.
func getOne(ctx context.Context, c *videosdk.Client) error {
	_, err := c.Calls.Get(ctx, "call_1")
	return err
}

// sendMuch sends more than any buffer on the way takes.
func sendMuch(ctx context.Context, c *videosdk.Client) error {
	return c.Do(ctx, http.MethodPost, "/v2/anything", strings.Repeat("x", 4<<20), nil)
}

// requireInTime asserts that a call goes on until its context ends, and no
// longer. reach prepares it.
func requireInTime(t *testing.T, reach func(*testing.T) func(context.Context) error) {
	t.Helper()
	for end, limit := range ends() {
		t.Run(end, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				call := reach(t)
				ctx, stop := limit(t.Context())
				defer stop()
				started := time.Now()
				err := call(ctx)
				took := time.Since(started)
				requireEnd(t, ctx, err)
				assert.GreaterOrEqual(t, took, patience)
				assert.LessOrEqual(t, took, patience+late)
			})
		})
	}
}

func TestNoCallOutlivesItsContextWhateverTheServerDoes(t *testing.T) {
	tests := []struct {
		name   string
		call   func(context.Context, *videosdk.Client) error
		handle func(http.ResponseWriter, <-chan struct{})
	}{
		{"it does not answer", getOne, func(_ http.ResponseWriter, over <-chan struct{}) { <-over }},
		{"it does not read the request", sendMuch, func(_ http.ResponseWriter, over <-chan struct{}) { <-over }},
		{"it stops after the headers", getOne, func(w http.ResponseWriter, over <-chan struct{}) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-over
		}},
		{"it stops in the middle of the answer", getOne, func(w http.ResponseWriter, over <-chan struct{}) {
			_, _ = io.WriteString(w, `{"data":{"id":`)
			_ = http.NewResponseController(w).Flush()
			<-over
		}},
		{"it stops in the middle of an error", getOne, func(w http.ResponseWriter, over <-chan struct{}) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"mess`)
			_ = http.NewResponseController(w).Flush()
			<-over
		}},
		{"it sends one byte a second", getOne, func(w http.ResponseWriter, over <-chan struct{}) {
			for {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(time.Second):
				case <-over:
					return
				}
			}
		}},
	}
	for _, tt := range tests {
		for version, start := range httpVersions() {
			t.Run(tt.name+", "+version, func(t *testing.T) {
				requireInTime(t, func(t *testing.T) func(context.Context) error {
					client := serveInMemory(t, start, tt.handle, func() {})
					return func(ctx context.Context) error { return tt.call(ctx, client) }
				})
			})
		}
	}
}

// neverTold is a token source that ignores its context, after some tokens.
func neverTold(t *testing.T, tokens int) videosdk.TokenSource {
	t.Helper()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	return tokenFunc(func(context.Context) (string, error) {
		if tokens == 0 {
			<-over
		}
		tokens--
		return fmt.Sprintf("token-%d", tokens), nil
	})
}

// silent answers what a test sends by path: with a canned body, or, where there
// is none, not at all.
func silent(bodies map[string]string) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		body, known := bodies[req.Method+" "+req.URL.Path]
		if !known {
			return stuck(req)
		}
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	})
}

// ticket is the answer to the first step of an upload.
const ticket = `{"batchId":"b1","presignedUrl":"https://storage.example.com/list.csv"}`

func upload(ctx context.Context, c *videosdk.Client) error {
	_, err := c.BatchCalls.Upload(ctx, "list.csv", strings.NewReader("phoneNumber\n+14155550199\n"))
	return err
}

func ensure(ctx context.Context, c *videosdk.Client) error {
	_, err := c.PhoneNumbers.Ensure(ctx, newNumbers(spareNumber))
	return err
}

func trackedCall() videosdk.CallCreateParams {
	params := newCall("rule_1")
	params.TrackingID = "order-1"
	return params
}

func createOnce(ctx context.Context, c *videosdk.Client) error {
	_, err := c.Calls.CreateOnce(ctx, trackedCall())
	return err
}

// stuckKeys are keys that cannot be fetched. A fetch belongs to none of those who
// wait for it, and ends at a limit of its own, which the test waits for.
func stuckKeys(t *testing.T) videosdk.KeySource {
	t.Helper()
	t.Cleanup(func() { <-time.After(time.Hour) })
	return clientOf(t, videosdk.DefaultBaseURL, silent(nil)).WebhookKeys()
}

func verify(ctx context.Context, keys videosdk.KeySource) error {
	signature := base64.StdEncoding.EncodeToString(make([]byte, 256))
	_, err := videosdk.NewWebhookVerifier(keys).Verify(ctx, []byte(`{}`), signature)
	return err
}

func TestNothingOutlivesItsContextWhereverItIsStuck(t *testing.T) {
	// on returns a state of a call on a client.
	on := func(base string, transport func(*testing.T) http.RoundTripper, call func(context.Context, *videosdk.Client) error,
		opts ...videosdk.Option,
	) func(*testing.T) func(context.Context) error {
		return func(t *testing.T) func(context.Context) error {
			client := clientOf(t, base, transport(t), opts...)
			return func(ctx context.Context) error { return call(ctx, client) }
		}
	}
	peer := func(p func(net.Conn)) func(*testing.T) http.RoundTripper {
		return func(t *testing.T) http.RoundTripper { return dialInto(t, p) }
	}
	answering := func(bodies map[string]string) func(*testing.T) http.RoundTripper {
		return func(*testing.T) http.RoundTripper { return silent(bodies) }
	}
	const secure = "https://localhost"
	tests := []struct {
		name  string
		reach func(*testing.T) func(context.Context) error
	}{
		{"dialling, with a dialler that ignores its context", on(secure, func(t *testing.T) http.RoundTripper {
			over := make(chan struct{})
			t.Cleanup(func() { close(over) })
			return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				<-over
				return nil, net.ErrClosed
			}}
		}, getOne)},
		{"the TLS handshake with a peer that hears and says nothing", on(secure, peer(listens), getOne)},
		{"the TLS handshake with a peer that does not even hear", on(secure, peer(func(net.Conn) {}), getOne)},
		{"sending to a peer that hears nothing", on(inMemoryURL, peer(func(net.Conn) {}), sendMuch)},
		{"hints of an answer that does not come", on(inMemoryURL, peer(hints), getOne)},
		{"a queue for the only connection", func(t *testing.T) func(context.Context) error {
			transport := dialInto(t, listens)
			transport.MaxConnsPerHost = 1
			client := clientOf(t, inMemoryURL, transport)
			first, cancel := context.WithCancel(t.Context())
			var others sync.WaitGroup
			others.Go(func() { assert.ErrorIs(t, getOne(first, client), context.Canceled) })
			t.Cleanup(func() {
				cancel()
				others.Wait()
			})
			synctest.Wait()
			return func(ctx context.Context) error { return getOne(ctx, client) }
		}},
		{"the wait for a token", func(t *testing.T) func(context.Context) error {
			client := newRecorder(t, http.StatusOK, `{}`).client(videosdk.WithTokenSource(neverTold(t, 0)))
			return func(ctx context.Context) error { return getOne(ctx, client) }
		}},
		{"the wait for a better token", func(t *testing.T) func(context.Context) error {
			client := newRecorder(t, http.StatusUnauthorized, `{}`).client(videosdk.WithTokenSource(neverTold(t, 1)))
			return func(ctx context.Context) error { return getOne(ctx, client) }
		}},
		{"Wait, whose question is not answered", on(secure, answering(nil), func(ctx context.Context, c *videosdk.Client) error {
			_, err := c.Calls.Wait(ctx, "call_1", nil)
			return err
		})},
		{"Watch, whose question is not answered", on(secure, answering(nil), func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.Calls.Watch(ctx, "call_1"))
		})},
		{"a tracker that hears of no event", func(*testing.T) func(context.Context) error {
			tracker := videosdk.NewCallTracker()
			return func(ctx context.Context) error {
				_, err := tracker.Wait(ctx, "call_1", nil)
				return err
			}
		}},
		{"the second page of a list", on(secure, func(*testing.T) http.RoundTripper {
			first := silent(map[string]string{"GET /v2/sip/call": `{"data":[{"id":"call_1"}],"pageInfo":{"currentPage":1,"lastPage":2}}`})
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				if req.URL.Query().Get("page") == "2" {
					return silent(nil).RoundTrip(req)
				}
				return first.RoundTrip(req)
			})
		}, func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.Calls.All(ctx, videosdk.CallListParams{}))
		})},
		{"Ensure, whose look at a number is not answered", on(secure, answering(nil), ensure)},
		{"CreateOnce, whose first look is not answered", on(secure, answering(nil), createOnce)},
		{"an upload whose ticket does not come", on(secure, answering(nil), upload)},
		{"an upload whose storage does not answer", on(secure, answering(map[string]string{"POST /v2/batch-calls/upload": ticket}), upload)},
		{"an upload whose question is not answered", on(secure, answering(map[string]string{
			"POST /v2/batch-calls/upload": ticket, "PUT /list.csv": "", "POST /v2/batch-calls/parse": "{}",
		}), upload)},
		{"the export of records, in the middle of the text", on(secure, func(*testing.T) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				text := io.MultiReader(strings.NewReader("phoneNumber,status\n"), stalled{req.Context()})
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/csv"}}, Body: io.NopCloser(text)}, nil
			})
		}, func(ctx context.Context, c *videosdk.Client) error {
			return c.BatchCalls.Records.Export(ctx, "b1", io.Discard, videosdk.BatchRecordExportParams{})
		})},
		{"the fetch of the key of webhooks", func(t *testing.T) func(context.Context) error {
			keys := stuckKeys(t)
			return func(ctx context.Context) error { return verify(ctx, keys) }
		}},
		{"the fetch of the key of webhooks for another", func(t *testing.T) func(context.Context) error {
			keys := stuckKeys(t)
			gone, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			require.ErrorIs(t, verify(gone, keys), context.DeadlineExceeded)
			return func(ctx context.Context) error { return verify(ctx, keys) }
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireInTime(t, tt.reach) })
	}
}

func TestACallThatWaitsForAnAnswerEndsWithItsContext(t *testing.T) {
	requireInTime(t, func(t *testing.T) func(context.Context) error {
		a := newAccount(t)
		a.srv.Callee(callee).NeverAnswers()
		params := newCall(a.rule.ID)
		params.WaitUntilAnswered = true
		return func(ctx context.Context) error {
			_, err := a.client.Calls.Create(ctx, params)
			require.ErrorIs(t, err, videosdk.ErrMaybeApplied, "the phone rings")
			return err
		}
	})
}

// pause is something that waits between two requests.
type pause struct {
	name string
	opts []videosdk.Option
	// answers are what each request meets, by its route.
	faults []videosdktest.Fault
	call   func(context.Context, *videosdk.Client) error
	// tells says that the call returns what the server had said, not that the
	// context ended.
	tells bool
	err   error // that the call returns if the deadline is too near to wait
}

// pauses are those that are longer than patience, whatever the random part of
// them.
func pauses() []pause {
	slow := []videosdk.Option{videosdk.WithRetryWait(1e6*time.Hour, 1e6*time.Hour), videosdk.WithPollInterval(time.Hour, time.Hour)}
	always := func(f videosdktest.Fault, path string) []videosdktest.Fault {
		f.Times, f.Path = -1, path
		return []videosdktest.Fault{f}
	}
	ringing := always(videosdktest.Fault{Body: `{"data":{"id":"call_1","status":"ringing"}}`}, "/v2/sip/call/{callId}")
	return []pause{
		{"after a failure", slow, always(statusFault(503), ""), getOne, false, videosdk.ErrServer},
		{"after a lost connection", slow, always(videosdktest.Fault{Drop: videosdktest.DropBeforeActing}, ""), getOne, false, nil},
		{"that the server asks for", nil, always(statusFault(429, "Retry-After", "20"), ""), getOne, false, videosdk.ErrRateLimited},
		{"that the server asks for, before a call", nil, always(statusFault(429, "Retry-After", "20"), ""),
			func(ctx context.Context, c *videosdk.Client) error {
				_, err := c.Calls.Create(ctx, newCall("rule_1"))
				return err
			}, false, videosdk.ErrRateLimited},
		{"between two questions of Wait", slow, ringing, func(ctx context.Context, c *videosdk.Client) error {
			_, err := c.Calls.Wait(ctx, "call_1", nil)
			return err
		}, false, videosdk.ErrTimeout},
		{"between two questions of WaitAnswered", slow, ringing, func(ctx context.Context, c *videosdk.Client) error {
			_, err := c.Calls.WaitAnswered(ctx, "call_1")
			return err
		}, false, videosdk.ErrTimeout},
		{"between two questions of Watch", slow, ringing, func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.Calls.Watch(ctx, "call_1"))
		}, false, videosdk.ErrTimeout},
		{"between two rounds of Ensure", slow, always(statusFault(500), "/v2/sip/phone-numbers"), ensure, false, videosdk.ErrTimeout},
		{"between two looks of CreateOnce", slow, append(
			always(videosdktest.Fault{Body: emptyPage, Method: http.MethodGet}, "/v2/sip/call"),
			always(statusFault(500), "/v2/sip/call")...,
		), createOnce, true, videosdk.ErrMaybeApplied},
		{"between two questions of Upload", slow, append(
			always(videosdktest.Fault{Body: ticket}, "/v2/batch-calls/upload"),
			videosdktest.Fault{Path: "/list.csv", Status: http.StatusOK},
			videosdktest.Fault{Path: "/v2/batch-calls/parse", Body: "{}"},
			videosdktest.Fault{Path: "/v2/batch-calls/{id}", Body: `{"batchId":"b1","status":"parsing"}`, Times: -1},
		), upload, false, videosdk.ErrTimeout},
	}
}

// in returns a client whose server answers as the pause needs it.
func (p pause) in(t *testing.T) (*videosdktest.Server, *videosdk.Client) {
	t.Helper()
	srv := newServer(t, videosdktest.InMemory())
	for _, f := range p.faults {
		f.Body = strings.ReplaceAll(f.Body, "https://storage.example.com", srv.URL)
		srv.Inject(f)
	}
	return srv, newClient(t, srv, p.opts...)
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	for _, p := range pauses() {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, client := p.in(t)
				ctx, stop := ends()["when cancelled"](t.Context())
				defer stop()
				started := time.Now()
				err := p.call(ctx, client)
				took := time.Since(started)
				assert.GreaterOrEqual(t, took, patience)
				assert.LessOrEqual(t, took, patience+late)
				if p.tells {
					require.ErrorIs(t, err, p.err)
					return
				}
				requireEnd(t, ctx, err)
			})
		})
	}
}

func TestNoPauseIsBegunThatTheDeadlineWouldCutShort(t *testing.T) {
	for _, p := range pauses() {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client := p.in(t)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				err := p.call(ctx, client)
				ended := time.Now()
				require.Error(t, err)
				require.NoError(t, ctx.Err(), "it has not waited for the deadline")
				if p.err != nil {
					require.ErrorIs(t, err, p.err)
				}
				assert.NotContains(t, err.Error(), "\n")
				requests := srv.Requests()
				require.NotEmpty(t, requests)
				assert.Equal(t, requests[len(requests)-1].Time, ended, "it has not waited at all")
			})
		})
	}
}

// frozen is the context of a process that went on after it had been frozen, or its
// machine suspended: the deadline has passed, and the timer has not told so.
type frozen struct {
	context.Context
	deadline func() time.Time
}

func (f frozen) Deadline() (time.Time, bool) { return f.deadline(), true }

// freezable returns a context whose deadline passes unnoticed when freeze is called.
func freezable(t *testing.T) (ctx context.Context, freeze func()) {
	var passed atomic.Bool
	return frozen{t.Context(), func() time.Time {
		if passed.Load() {
			return time.Now().Add(-time.Hour)
		}
		return time.Now().Add(time.Hour)
	}}, func() { passed.Store(true) }
}

func TestNothingIsSentAfterTheDeadlineAlthoughItsTimerHasNotFired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		deadline := time.Now().Add(time.Minute)
		ctx := frozen{t.Context(), func() time.Time { return deadline }}

		_, err := client.Calls.CreateOnce(ctx, callNamed(rule, "in time"))
		require.NoError(t, err)
		time.Sleep(time.Hour)
		_, err = client.Calls.Create(ctx, callNamed(rule, "too late"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, videosdk.ErrTimeout)
		require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
		assert.Len(t, srv.Dials(), 1)
	})
}

func TestACallIsNotPlacedAfterTheDeadlineThatPassedBetweenTheAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, rule := newLine(t, videosdktest.InMemory())
		srv.Inject(videosdktest.Fault{Method: http.MethodPost, Path: "/v2/sip/call", Status: http.StatusTooManyRequests})
		ctx, freeze := freezable(t)
		whileItWaits := videosdk.WithOnAttempt(func(context.Context, videosdk.Attempt) { freeze() })
		_, err := newClient(t, srv, whileItWaits).Calls.Create(ctx, callNamed(rule, "order-7"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, videosdk.ErrRateLimited, "what the server had said")
		require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
		assert.Empty(t, srv.Dials())
	})
}

func TestACallIsNotPlacedAfterTheDeadlineThatPassedOnItsWay(t *testing.T) {
	tests := []struct {
		name string
		// way has freeze called on the way of a request to the server.
		way func(network *http.Transport, freeze func()) []videosdk.Option
	}{
		{"in a middleware, such as a limiter", func(_ *http.Transport, freeze func()) []videosdk.Option {
			return []videosdk.Option{videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return roundTripFunc(func(req *http.Request) (*http.Response, error) {
					freeze()
					return next.RoundTrip(req)
				})
			})}
		}},
		{"while it was connected", func(network *http.Transport, freeze func()) []videosdk.Option {
			dial := network.DialContext
			network.DialContext = func(ctx context.Context, protocol, address string) (net.Conn, error) {
				freeze()
				return dial(ctx, protocol, address)
			}
			return []videosdk.Option{videosdk.WithHTTPClient(&http.Client{Transport: network})}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, _, rule := newLine(t, videosdktest.InMemory())
				ctx, freeze := freezable(t)
				network := srv.HTTPClient().Transport.(*http.Transport).Clone()
				client := newClient(t, srv, tt.way(network, freeze)...)
				_, err := client.Calls.Create(ctx, callNamed(rule, "order-7"))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorIs(t, err, videosdk.ErrTimeout)
				require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
				require.NotContains(t, err.Error(), "no connection", "there was one, or nobody asked for it")
				assert.Empty(t, srv.Dials())
			})
		})
	}
}

func TestATransportOfTheCallersGetsNothingAfterTheDeadlineThatPassedInAMiddleware(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, `{"data":{"callId":"call_1"}}`)
	ctx, freeze := freezable(t)
	client := recorder.client(videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			freeze()
			return next.RoundTrip(req)
		})
	}))
	_, err := client.Calls.Create(ctx, validCall())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
	assert.Empty(t, recorder.all())
}

// Nobody can count what is written for one request of a connection that many share.
func TestADeadlineThatPassedOnTheWayToAnHTTP2ConnectionIsTold(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	ctx, freeze := freezable(t)
	network := server.Client().Transport.(*http.Transport).Clone()
	network.DialContext = func(ctx context.Context, protocol, address string) (net.Conn, error) {
		freeze()
		return (&net.Dialer{}).DialContext(ctx, protocol, address)
	}
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(server.URL), videosdk.WithHTTPClient(&http.Client{Transport: network}))
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	_, err = client.Calls.Create(ctx, videosdk.CallCreateParams{To: theirNumber, From: ourNumber, RoutingRuleID: "rule_1"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	assert.Zero(t, requests.Load())
}
