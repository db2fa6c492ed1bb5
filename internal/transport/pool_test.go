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
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/transport"
)

// network is one on which every dial waits for the test, and so do some requests.
type network struct {
	*pipeListener

	dials   chan chan<- error // those that wait; nil lets one go on
	release chan struct{}     // ends one request that is held
	rt      *transport.Transport
	guard   *transport.Guard
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{pipeListener: newPipeListener(nil), dials: make(chan chan<- error, 8), release: make(chan struct{})}
	s := &http.Server{Handler: http.HandlerFunc(n.answer)}
	go func() { _ = s.Serve(n) }()
	t.Cleanup(func() { _ = s.Close() })
	n.rt = transport.Adopt(&http.Transport{DialContext: n.dial})
	n.guard = guarded(t, n.rt)
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
	last = "http://example.com/last" // is held, and then the server hangs up
)

// surplus returns a dial that no request waits for any more: a connection, which is
// idle now, came free for it first.
func (n *network) surplus(t *testing.T) (dial chan<- error) {
	t.Helper()
	return n.surplusTo(t, "http://example.com")
}

func (n *network) surplusTo(t *testing.T, origin string) (dial chan<- error) {
	t.Helper()
	first := n.start(t.Context(), t, origin)
	second := n.start(t.Context(), t, origin)
	require.Equal(t, 2, n.waiting(), "each waits for its own")
	<-n.dials <- nil
	require.NoError(t, (<-first).err)
	require.NoError(t, (<-second).err)
	return <-n.dials
}

// crowded returns a network with one request on its only connection, another one
// that waits, and a surplus dial.
func crowded(t *testing.T) (n *network, surplus chan<- error, first, second <-chan outcome) {
	t.Helper()
	n = newNetwork(t)
	surplus = n.surplus(t)
	first = n.start(t.Context(), t, held)
	second = n.start(t.Context(), t, held)
	require.Zero(t, n.waiting())
	return n, surplus, first, second
}

// finish holds no request any more, and sees these succeed.
func (n *network) finish(t *testing.T, requests ...<-chan outcome) {
	t.Helper()
	synctest.Wait() // for dials that may go on, and else would be too late to serve one of them
	close(n.release)
	for _, done := range requests {
		require.NoError(t, (<-done).err)
	}
}

func TestADialWaitsForAConnectionThatIsBeingMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, surplus, first, second := crowded(t)
		requests := []<-chan outcome{first, second, n.start(t.Context(), t, held)}
		require.Equal(t, 1, n.waiting(), "the connection serves one")
		<-n.dials <- nil

		surplus <- nil
		require.Zero(t, n.waiting())
		requests = append(requests, n.start(t.Context(), t, held))
		require.Equal(t, 1, n.waiting(), "it is taken")
		<-n.dials <- nil
		n.finish(t, requests...)
		assert.EqualValues(t, len(requests), n.dialled.Load())
	})
}

func TestADialWaitsForAConnectionThatComesFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, surplus, first, second := crowded(t)
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
		n, surplus, first, second := crowded(t)
		began := time.Now()
		surplus <- errors.New("no route")
		<-n.dials <- nil
		assert.Zero(t, time.Since(began))
		n.finish(t, first, second)
	})
}

func TestADialGoesOnWaitingForTheLastConnectionThatIsBeingMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus, last := n.twoSurplus(t)
		first := n.start(t.Context(), t, held)
		second := n.start(t.Context(), t, held)
		surplus <- errors.New("no route")
		require.Zero(t, n.waiting())

		last <- nil
		n.finish(t, first, second)
		assert.EqualValues(t, 2, n.dialled.Load())
	})
}

func TestEachDialThatFailsMakesRoomForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus, last := n.twoSurplus(t)
		var requests []<-chan outcome
		for range 3 {
			requests = append(requests, n.start(t.Context(), t, held))
		}
		require.Zero(t, n.waiting())

		began := time.Now()
		for _, dial := range []chan<- error{surplus, last} {
			dial <- errors.New("no route")
			<-n.dials <- nil
		}
		assert.Zero(t, time.Since(began))
		n.finish(t, requests...)
	})
}

// twoSurplus is surplus for two dials.
func (n *network) twoSurplus(t *testing.T) (first, second chan<- error) {
	t.Helper()
	var requests []<-chan outcome
	for range 3 {
		requests = append(requests, n.start(t.Context(), t, "http://example.com"))
	}
	<-n.dials <- nil
	for _, done := range requests {
		require.NoError(t, (<-done).err)
	}
	return <-n.dials, <-n.dials
}

func TestConnectionsThatDoNotCountMayClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, surplus, first, second := crowded(t)
		<-n.dials <- nil // after a wait that was in vain
		third := n.start(t.Context(), t, last)
		another := <-n.dials
		for _, done := range []<-chan outcome{first, second, third} {
			n.release <- struct{}{}
			require.NoError(t, (<-done).err)
		}
		surplus <- errors.New("no route")

		fourth := n.start(t.Context(), t, held)
		fifth := n.start(t.Context(), t, held)
		require.Zero(t, n.waiting(), "there are two others")
		another <- nil
		n.finish(t, fourth, fifth)
	})
}

func TestADialWaitsForAnotherOnceAndNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, surplus, first, second := crowded(t)
		requests := []<-chan outcome{first, second}
		for _, wait := range []time.Duration{250 * time.Millisecond, 0} {
			began := time.Now()
			dial := <-n.dials
			assert.Equal(t, wait, time.Since(began))
			dial <- nil
			requests = append(requests, n.start(t.Context(), t, held))
		}
		<-n.dials <- nil

		n.finish(t, requests...)
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

		began := time.Now()
		third := n.start(t.Context(), t, held)
		<-n.dials <- nil
		assert.Zero(t, time.Since(began), "what was waited for in vain is not waited for again")
		n.finish(t, first, third)
		surplus <- errors.New("no route")
	})
}

func TestADialThatWaitsEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus := n.surplus(t)
		got := get("http://example.com").over(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := n.guard.RoundTrip(req)
			ctx, cancel := context.WithTimeout(req.Context(), time.Millisecond)
			defer cancel()
			began := time.Now()
			_, failure := n.rt.DialContext(ctx, "tcp", "example.com:80")
			assert.ErrorIs(t, failure, context.DeadlineExceeded)
			assert.Equal(t, time.Millisecond, time.Since(began))
			return resp, err
		}))
		require.NoError(t, got.err)
		surplus <- errors.New("no route")
	})
}

func TestAConnectionOfAMiddlewaresOwnDoesNotEndADial(t *testing.T) {
	for name, middlewares := range map[string]func(*http.Transport) *http.Transport{
		"net/http's":     func(t *http.Transport) *http.Transport { return t },
		"another pool's": func(t *http.Transport) *http.Transport { return transport.Adopt(t).Transport },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, elsewhere := newNetwork(t), newNetwork(t)
				surplus := n.surplus(t)
				first := n.start(t.Context(), t, held)
				own := middlewares(&http.Transport{DialContext: elsewhere.pipeListener.dial})
				defer own.CloseIdleConnections()
				second := make(chan outcome, 1)
				go func() {
					second <- get(held).over(t, roundTripper(func(req *http.Request) (*http.Response, error) {
						go func() {
							assert.Zero(t, n.waiting())
							audit, err := http.NewRequestWithContext(req.Context(), http.MethodGet, "http://audit.example.com", nil)
							if assert.NoError(t, err) {
								resp, err := own.RoundTrip(audit)
								if assert.NoError(t, err) {
									_ = resp.Body.Close()
								}
							}
							surplus <- nil
							close(n.release)
						}()
						return n.guard.RoundTrip(req)
					}))
				}()
				require.NoError(t, (<-first).err)
				require.NoError(t, (<-second).err)
			})
		})
	}
}

// It stays open for its last answers, but takes no further requests.
func TestAnHTTP2ConnectionThatGoesAwayIsNotWaitedFor(t *testing.T) {
	pair := certificate()
	synctest.Test(t, func(t *testing.T) {
		serve := func() (*pipeListener, *http.Server) {
			l := newPipeListener(&tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}})
			s := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
			go func() { _ = s.Serve(l) }()
			t.Cleanup(func() { _ = s.Close() })
			return l, s
		}
		network, first := serve()
		guard := guarded(t, transport.Adopt(&http.Transport{
			ForceAttemptHTTP2: true,
			DialContext: func(ctx context.Context, protocol, address string) (net.Conn, error) {
				return network.dial(ctx, protocol, address)
			},
		}))
		require.Equal(t, "HTTP/2.0", get("https://example.com").over(t, guard).proto)
		network, _ = serve()
		go func() { _ = first.Shutdown(t.Context()) }()
		synctest.Wait()

		began := time.Now()
		require.NoError(t, get("https://example.com").over(t, guard).err)
		assert.EqualValues(t, 1, network.dialled.Load())
		assert.Zero(t, time.Since(began))
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

func TestADialDoesNotWaitForWhatDoesNotServeItsRequest(t *testing.T) {
	tests := []struct {
		name    string
		origin  string
		prepare func(n *network, rt *http.Transport)
	}{
		{"a dial to another origin", "http://example.org", func(*network, *http.Transport) {}},
		{"a dial to another proxy", "http://example.com", func(n *network, rt *http.Transport) {
			proxies := 0
			rt.Proxy = func(req *http.Request) (*url.URL, error) {
				if req.URL.Path == "/held" {
					proxies++
				}
				return url.Parse("http://proxy" + strconv.Itoa(proxies) + ".example.com")
			}
			n.guard = transport.NewGuard(transport.Adopt(rt))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				tt.prepare(n, &http.Transport{DialContext: n.dial})
				defer n.guard.CloseIdleConnections()
				surplus := n.surplusTo(t, tt.origin)
				close(n.release)
				began := time.Now()
				done := n.start(t.Context(), t, held)
				<-n.dials <- nil
				require.NoError(t, (<-done).err)
				assert.Zero(t, time.Since(began))
				surplus <- errors.New("no route")
			})
		})
	}
}

func TestADialDoesNotWaitForAConnectionThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.surplus(t) <- nil
		synctest.Wait()
		n.guard.CloseIdleConnections()

		began := time.Now()
		done := n.start(t.Context(), t, "http://example.com")
		<-n.dials <- nil
		require.NoError(t, (<-done).err)
		assert.Zero(t, time.Since(began))
	})
}

func TestADialThatFailedBeforeItsRequestSucceededIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		first := make(chan outcome, 1)
		go func() {
			first <- get(held).over(t, roundTripper(func(req *http.Request) (*http.Response, error) {
				_, err := n.guard.RoundTrip(req)
				assert.ErrorContains(t, err, "no route")
				return n.guard.RoundTrip(req)
			}))
		}()
		<-n.dials <- errors.New("no route")
		<-n.dials <- nil
		synctest.Wait()

		began := time.Now()
		second := n.start(t.Context(), t, held)
		<-n.dials <- nil
		assert.Zero(t, time.Since(began))
		n.finish(t, first, second)
	})
}

func TestATransportThatIsAdoptedTwiceDoesNotWaitForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.guard = guarded(t, transport.Adopt(n.rt.Transport))
		for range 3 {
			began := time.Now()
			done := n.start(t.Context(), t, held)
			<-n.dials <- nil
			assert.Zero(t, time.Since(began))
			defer func() { require.NoError(t, (<-done).err) }()
		}
		close(n.release)
	})
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

func TestACopyThatGetsItsConnectionDoesNotEndTheDialOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus := n.surplus(t)
		first := n.start(t.Context(), t, held)
		copies := roundTripper(func(req *http.Request) (*http.Response, error) {
			waits := make(chan error, 1)
			go func() {
				resp, err := n.guard.RoundTrip(req.Clone(req.Context()))
				if err == nil {
					_ = resp.Body.Close()
				}
				waits <- err
			}()
			assert.Zero(t, n.waiting())
			resp, err := n.guard.RoundTrip(req) // which does not wait
			assert.NoError(t, <-waits)
			return resp, err
		})
		done := make(chan outcome, 1)
		go func() { done <- get(held).over(t, copies) }()
		<-n.dials <- nil
		<-n.dials <- nil
		n.finish(t, first, done)
		surplus <- errors.New("no route")
	})
}

func TestARequestThatIsSentWhenItsAttemptIsOverDialsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		surplus := n.surplus(t)
		var late *http.Request
		require.NoError(t, get("http://example.com").over(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			late = req.Clone(context.WithoutCancel(req.Context()))
			return n.guard.RoundTrip(req)
		})).err)
		first := n.start(t.Context(), t, held)
		began := time.Now()
		done := make(chan error, 1)
		go func() {
			resp, err := n.guard.RoundTrip(late)
			if err == nil {
				_ = resp.Body.Close()
			}
			done <- err
		}()
		<-n.dials <- nil
		require.NoError(t, <-done)
		assert.Zero(t, time.Since(began))
		close(n.release)
		require.NoError(t, (<-first).err)
		surplus <- errors.New("no route")
	})
}

func TestAConnectionDoesNotKeepTheContextOfItsFirstRequest(t *testing.T) {
	s := serve(t, nil, answerAll)
	// Its dialler has no time limit: the runtime may keep a timer that was stopped,
	// and with it the context, until its time.
	guard := guarded(t, transport.Adopt(&http.Transport{}))
	type key struct{}
	freed := make(chan struct{})
	func() {
		value := new([1 << 10]byte)
		runtime.AddCleanup(value, func(freed chan struct{}) { close(freed) }, freed)
		require.NoError(t, get(s.http()).in(context.WithValue(t.Context(), key{}, value), t, guard).err)
	}()
	require.NoError(t, get(s.http()).over(t, guard).err)
	require.EqualValues(t, 1, s.connections.Load())
	for range 1000 {
		runtime.GC()
		select {
		case <-freed:
			return
		default:
			runtime.Gosched()
		}
	}
	assert.Fail(t, "the value is still in use")
}
