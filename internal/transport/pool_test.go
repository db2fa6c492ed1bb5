package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/transport"
)

// network is one on which every dial waits for the test, and every request to
// /held.
type network struct {
	*pipeListener

	dials   chan chan<- error // those that wait; nil lets one go on
	release chan struct{}     // ends one request that is held
	guard   *transport.Guard
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{pipeListener: newPipeListener(nil), dials: make(chan chan<- error, 8), release: make(chan struct{})}
	s := &http.Server{Handler: http.HandlerFunc(n.answer)}
	go func() { _ = s.Serve(n) }()
	t.Cleanup(func() { _ = s.Close() })
	n.guard = guarded(t, transport.Adopt(&http.Transport{DialContext: n.dial}))
	return n
}

func (n *network) answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/held":
		<-n.release
	case "/last":
		<-n.release
		w.Header().Set("Connection", "close")
	}
	_, _ = io.Copy(w, r.Body)
}

func (n *network) dial(ctx context.Context, network, address string) (net.Conn, error) {
	decided := make(chan error)
	n.dials <- decided
	select {
	case err := <-decided:
		if err != nil {
			return nil, err
		}
		return n.pipeListener.dial(ctx, network, address)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// waiting returns how many dials wait for the test, when nobody has anything else
// left to do.
func (n *network) waiting() int {
	synctest.Wait()
	return len(n.dials)
}

// never reports that no dial begins, however long the test waits.
func (n *network) never() bool {
	select {
	case <-n.dials:
		return false
	case <-time.After(time.Hour):
		return true
	}
}

// start makes a request and returns when it is held, or has not got a connection.
func (n *network) start(ctx context.Context, t *testing.T, url string) <-chan outcome {
	t.Helper()
	done := make(chan outcome, 1)
	go func() { done <- get(url).in(ctx, t, n.guard) }()
	synctest.Wait()
	return done
}

const (
	held = "http://example.com/held"
	last = "http://example.com/last"
)

// surplus returns a dial that no request waits for any more: a connection, which is
// idle now, came free for it first.
func (n *network) surplus(t *testing.T) (dial chan<- error) {
	t.Helper()
	first := n.start(t.Context(), t, "http://example.com")
	second := n.start(t.Context(), t, "http://example.com")
	require.Equal(t, 2, n.waiting(), "there are fewer connections than requests")
	<-n.dials <- nil
	require.NoError(t, (<-first).err)
	require.NoError(t, (<-second).err)
	return <-n.dials
}

func TestADialWaitsForAConnectionThatIsBeingMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus := n.surplus(t)
		first := n.start(t.Context(), t, held)
		second := n.start(t.Context(), t, held)
		require.Zero(t, n.waiting())

		surplus <- nil
		require.Zero(t, n.waiting())
		close(n.release)
		require.NoError(t, (<-first).err)
		require.NoError(t, (<-second).err)
		assert.EqualValues(t, 2, n.dialled.Load())
	})
}

func TestADialWaitsForAConnectionThatComesFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus := n.surplus(t)
		first := n.start(t.Context(), t, held)
		second := n.start(t.Context(), t, held)
		require.Zero(t, n.waiting())

		n.release <- struct{}{}
		require.NoError(t, (<-first).err)
		assert.True(t, n.never())
		n.release <- struct{}{}
		require.NoError(t, (<-second).err, "on the same connection")
		surplus <- errors.New("no route")
	})
}

func TestADialThatFailsMakesRoomForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus := n.surplus(t)
		first := n.start(t.Context(), t, held)
		second := n.start(t.Context(), t, held)
		require.Zero(t, n.waiting())

		began := time.Now()
		surplus <- errors.New("no route")
		<-n.dials <- nil
		assert.Zero(t, time.Since(began))
		close(n.release)
		require.NoError(t, (<-first).err)
		require.NoError(t, (<-second).err)
	})
}

func TestADialDoesNotWaitLongForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus := n.surplus(t)
		first := n.start(t.Context(), t, held)
		second := n.start(t.Context(), t, held)
		began := time.Now()
		dial := <-n.dials
		assert.Equal(t, time.Second, time.Since(began))

		dial <- nil
		close(n.release)
		require.NoError(t, (<-first).err)
		require.NoError(t, (<-second).err)
		surplus <- errors.New("no route")
	})
}

func TestADialThatWaitsEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus := n.surplus(t)
		first := n.start(t.Context(), t, held)
		ctx, cancel := context.WithCancel(t.Context())
		second := n.start(ctx, t, held)
		cancel()
		got := <-second
		require.ErrorIs(t, got.err, context.Canceled)
		assert.False(t, got.maybeSent)

		assert.True(t, n.never())
		close(n.release)
		require.NoError(t, (<-first).err)
		surplus <- errors.New("no route")
	})
}

// Otherwise a retry would wait for the connection that the first attempt has
// waited for in vain.
func TestAConnectionThatNobodyGotInTimeIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ctx, cancel := context.WithCancel(t.Context())
		first := n.start(ctx, t, held)
		hangs := <-n.dials
		cancel()
		require.ErrorIs(t, (<-first).err, context.Canceled)

		began := time.Now()
		second := n.start(t.Context(), t, held)
		<-n.dials <- nil
		close(n.release)
		require.NoError(t, (<-second).err)
		assert.Zero(t, time.Since(began))
		hangs <- errors.New("no route")
	})
}

func TestWhatDoesNotServeARequestIsNotWaitedFor(t *testing.T) {
	for name, before := range map[string]string{
		"a connection to another origin": "http://example.org",
		"a connection that is closed":    last,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				close(n.release)
				first := n.start(t.Context(), t, before)
				<-n.dials <- nil
				require.NoError(t, (<-first).err)
				synctest.Wait()

				began := time.Now()
				second := n.start(t.Context(), t, "http://example.com")
				<-n.dials <- nil
				require.NoError(t, (<-second).err)
				assert.Zero(t, time.Since(began))
			})
		})
	}
}

// What is safe to repeat may be sent several times at once, and each copy needs a
// connection of its own.
func TestRequestsThatAMiddlewareSendsAtOnceDialAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		close(n.release)
		var have sync.WaitGroup // a connection
		have.Add(2)
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
			have.Done()
			have.Wait() // before anything is written
		}})
		copies := roundTripper(func(req *http.Request) (*http.Response, error) {
			second := make(chan error, 1)
			go func() {
				resp, err := n.guard.RoundTrip(req.Clone(req.Context()))
				if err == nil {
					_ = resp.Body.Close()
				}
				second <- err
			}()
			resp, err := n.guard.RoundTrip(req)
			assert.NoError(t, <-second)
			return resp, err
		})
		done := make(chan outcome, 1)
		go func() { done <- get(held).in(ctx, t, copies) }()
		require.Equal(t, 2, n.waiting())
		<-n.dials <- nil
		<-n.dials <- nil
		require.NoError(t, (<-done).err)
	})
}

func TestARequestThatIsSentWhenItsAttemptIsOverDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus := n.surplus(t)
		var late *http.Request
		require.NoError(t, get("http://example.com").over(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			late = req.Clone(context.WithoutCancel(req.Context()))
			return n.guard.RoundTrip(req)
		})).err)
		resp, err := n.guard.RoundTrip(late)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())

		first := n.start(t.Context(), t, held)
		second := n.start(t.Context(), t, held)
		require.Zero(t, n.waiting())
		close(n.release)
		require.NoError(t, (<-first).err)
		require.NoError(t, (<-second).err)
		surplus <- errors.New("no route")
	})
}

func TestATransportThatIsAdoptedTwiceDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.guard = guarded(t, transport.Adopt(transport.Adopt(&http.Transport{DialContext: n.dial}).Transport))
		began := time.Now()
		done := n.start(t.Context(), t, "http://example.com")
		<-n.dials <- nil
		require.NoError(t, (<-done).err)
		assert.Zero(t, time.Since(began))
	})
}
