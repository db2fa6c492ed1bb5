package videosdk_test

import (
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/videosdk-sip-go/videosdk"
)

var stressFor = flag.Duration("stress.d", 3*time.Second, "how long TestStress goes on")

const (
	callers = 256
	kept    = 128 // idle connections, as many as the client keeps by default
)

// strained is a server that fails every so often, each time in another way.
type strained struct {
	*httptest.Server
	failing float64 // part of the requests that fail

	requests atomic.Int64
	mu       sync.Mutex
	open     int // connections, as the client sees it
	most     int // of them at the same time
}

func newStrained(t *testing.T, failing float64) *strained {
	t.Helper()
	s := &strained{failing: failing}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.answer))
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// dial counts the connections that are open.
func (s *strained) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	s.count(1)
	return &counted{Conn: conn, closed: sync.OnceFunc(func() { s.count(-1) })}, nil
}

func (s *strained) count(more int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open += more
	s.most = max(s.most, s.open)
}

// connections returns how many are open.
func (s *strained) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// counted is a connection that tells when it is closed.
type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}

func (s *strained) answer(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	_, _ = io.Copy(io.Discard, r.Body)
	if rand.Float64() >= s.failing {
		_, _ = io.WriteString(w, `{"message":"done","data":{"id":"id_1"}}`)
		return
	}
	ways := waysToFail()
	ways[rand.IntN(len(ways))](w, r)
}

// waysToFail are those of a server that was asked properly.
func waysToFail() []func(http.ResponseWriter, *http.Request) {
	status := func(status int, body string, header ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	return []func(http.ResponseWriter, *http.Request){
		status(http.StatusInternalServerError, `{"message":"broken"}`),
		status(http.StatusBadGateway, "<html>502</html>", "Content-Type", "text/html"),
		status(http.StatusServiceUnavailable, ``),
		status(http.StatusTooManyRequests, `{"message":"slow down"}`),
		status(http.StatusOK, `{"statusCode":503}`),
		func(w http.ResponseWriter, _ *http.Request) { // the connection is lost
			hangUp(w, false)
		},
		func(w http.ResponseWriter, _ *http.Request) { // and reset
			hangUp(w, true)
		},
		func(w http.ResponseWriter, _ *http.Request) { // the answer is cut short
			_, _ = io.WriteString(w, `{"data":{`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		func(_ http.ResponseWriter, r *http.Request) { // it takes too long
			<-r.Context().Done()
		},
	}
}

func hangUp(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // the server is being closed
	}
	if tcp, isTCP := conn.(*net.TCPConn); isTCP && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// client returns a client as a program would have it, but impatient.
func (s *strained) client(t *testing.T, attemptTimeout time.Duration) *videosdk.Client {
	t.Helper()
	transport := &http.Transport{DialContext: s.dial, MaxIdleConnsPerHost: kept}
	return clientOf(t, s.URL, transport, videosdk.WithRetryWait(time.Millisecond, 10*time.Millisecond),
		videosdk.WithAttemptTimeout(attemptTimeout))
}

// jobs are operations of each kind that the retry table tells apart.
func jobs() []func(context.Context, *videosdk.Client) error {
	return []func(context.Context, *videosdk.Client) error{
		getOne,
		func(ctx context.Context, c *videosdk.Client) error {
			_, err := c.Calls.Create(ctx, newCall("rule_1"))
			return err
		},
		func(ctx context.Context, c *videosdk.Client) error {
			_, err := c.PhoneNumbers.Create(ctx, newNumbers(spareNumber))
			return err
		},
		func(ctx context.Context, c *videosdk.Client) error {
			_, err := c.RoutingRules.Delete(ctx, "rule_1")
			return err
		},
		func(ctx context.Context, c *videosdk.Client) error {
			_, err := c.Calls.End(ctx, "call_1")
			return err
		},
	}
}

// strain lets all callers work until their time is up, and returns how many
// calls they made and how many failed.
func strain(ctx context.Context, client *videosdk.Client, d time.Duration) (calls, failures int64) {
	var made, failed atomic.Int64
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var all sync.WaitGroup
	for n := range callers {
		all.Go(func() {
			todo := jobs()
			for i := n; ctx.Err() == nil; i++ {
				made.Add(1)
				if todo[i%len(todo)](ctx, client) != nil {
					failed.Add(1)
				}
			}
		})
	}
	all.Wait()
	return made.Load(), failed.Load()
}

// rest waits until nothing is left of what the callers did, and returns the bytes
// that are still in use.
func (s *strained) rest(t *testing.T, client *videosdk.Client, before goleak.Option) uint64 {
	t.Helper()
	require.Eventually(t, func() bool {
		client.CloseIdleConnections() // again, for one that was dialled ahead
		return s.connections() == 0
	}, 10*time.Second, 10*time.Millisecond)
	goleak.VerifyNone(t, before)
	runtime.GC()
	runtime.GC() // what the first one found in pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestStress(t *testing.T) {
	srv := newStrained(t, 0.3)
	client := srv.client(t, time.Second)
	before := goleak.IgnoreCurrent()

	calls, failures := strain(t.Context(), client, *stressFor/2)
	middle := srv.rest(t, client, before)
	more, moreFailures := strain(t.Context(), client, *stressFor/2)
	end := srv.rest(t, client, before)

	calls, failures = calls+more, failures+moreFailures
	t.Logf("%d calls, of which %d failed; %d requests; %d connections at most; heap of %d KiB in the middle, %d KiB at the end",
		calls, failures, srv.requests.Load(), srv.most, middle>>10, end>>10)
	assert.Positive(t, failures)
	assert.Positive(t, calls-failures)
	assert.Less(t, end, middle+middle/4+1<<20)
	// There are no more than callers, unless a dial has waited for so long that it
	// goes on.
	assert.LessOrEqual(t, srv.most, callers+callers/8)
}

func TestAnOutageUnderStressIsNotMultiplied(t *testing.T) {
	for name, todo := range map[string][]func(context.Context, *videosdk.Client) error{
		"of all kinds":         jobs(),
		"of nothing but reads": {getOne}, // which net/http repeats by itself
	} {
		t.Run(name, func(t *testing.T) {
			const calls = 2500 // without the quota each could make four requests, with it all together 100 more
			srv := newStrained(t, 1)
			client := srv.client(t, 100*time.Millisecond)
			var left atomic.Int64
			left.Store(calls)
			together(func(n int) {
				for i := n; left.Add(-1) >= 0; i++ {
					assert.Error(t, todo[i%len(todo)](t.Context(), client))
				}
			})
			t.Logf("%d calls, %d requests", calls, srv.requests.Load())
			assert.LessOrEqual(t, srv.requests.Load(), int64(calls*11/10))
		})
	}
}
