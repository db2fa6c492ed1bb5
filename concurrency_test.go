package videosdk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
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

const goroutines = 64

// together runs a function in many goroutines, and waits for them.
func together(f func(n int)) {
	var all sync.WaitGroup
	for n := range goroutines {
		all.Go(func() { f(n) })
	}
	all.Wait()
}

// distinct returns the tokens that requests carried, each once.
func distinct(tokens []string) []string {
	slices.Sort(tokens)
	return slices.Compact(tokens)
}

// counting returns a transport that counts the connections it makes.
func counting() (*http.Transport, *atomic.Int64) {
	var dials atomic.Int64
	dialer := &net.Dialer{}
	return &http.Transport{
		MaxIdleConnsPerHost: goroutines,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return dialer.DialContext(ctx, network, address)
		},
	}, &dials
}

func TestManyGoroutinesShareAClient(t *testing.T) {
	const each = 20
	srv := newServer(t)
	srv.AddPhoneNumbers(ownNumber)
	transport, dials := counting()
	client := newClient(t, srv, videosdk.WithHTTPClient(&http.Client{Transport: transport}))
	rule, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
		Name: "out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ownNumber},
	})
	require.NoError(t, err)
	srv.Inject(statusFault(http.StatusTooManyRequests))
	// Options, like params, may be shared as well.
	opts := []videosdk.RequestOption{videosdk.WithHeader("X-Tenant", "blue"), videosdk.WithMaxRetries(2)}

	together(func(n int) {
		number := fmt.Sprintf("+9198765%05d", n)
		for range each {
			params := newCall(rule.ID)
			params.To = number
			call, err := client.Calls.Create(t.Context(), params, opts...)
			if assert.NoError(t, err) {
				assert.Equal(t, number, call.To)
			}
		}
		assert.Equal(t, each, srv.DialCount(number))
	})

	requests := srv.Requests()
	assert.Len(t, requests, 1+goroutines*each+1, "one rule, the calls, one repeat after a 429")
	tokens := make([]string, len(requests))
	for i, req := range requests {
		tokens[i] = req.Header.Get("Authorization")
	}
	assert.Len(t, distinct(tokens), 1)
	// net/http gives up a connection now and then that is slow to tell of a write.
	assert.Less(t, dials.Load(), int64(2*goroutines))
}

func TestManyGoroutinesRenewATokenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, http.StatusOK, emptyPage)
		client := rec.client()
		list := func(int) { assert.NoError(t, listOnce(t, client)) }
		together(list)
		assert.Len(t, distinct(tokensOf(rec)), 1)
		<-time.After(8 * time.Minute)
		together(list)
		assert.Len(t, distinct(tokensOf(rec)), 2)
		assert.Len(t, rec.all(), 2*goroutines)
	})
}

func TestManyGoroutinesReplaceARefusedTokenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var tokens []string
		var revoked string
		client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{
			Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				token := req.Header.Get("Authorization")
				tokens = append(tokens, token)
				if token == revoked {
					return &http.Response{StatusCode: http.StatusUnauthorized, Body: http.NoBody}, nil
				}
				return newRecorder(t, http.StatusOK, emptyPage).RoundTrip(req)
			}),
		}))
		require.NoError(t, err)
		require.NoError(t, listOnce(t, client))
		revoked = tokens[0]
		<-time.After(time.Minute)

		together(func(int) { assert.NoError(t, listOnce(t, client)) })
		assert.Len(t, distinct(tokens), 2)
	})
}

// go-retryablehttp closes the idle connections of a shared client when one
// request gives up, and loses those of answers that it does not read.
func TestAFailingRequestLeavesTheConnectionsOfOthersOpen(t *testing.T) {
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = ' '
	}
	tests := []struct {
		name  string
		fault videosdktest.Fault
		err   error
	}{
		{"that gives up after its retries", statusFault(http.StatusServiceUnavailable), videosdk.ErrServer},
		{"that is refused", statusFault(http.StatusBadRequest), videosdk.ErrBadRequest},
		{"that is redirected", statusFault(http.StatusFound, "Location", "/elsewhere"), nil},
		{"that is answered with a long page", videosdktest.Fault{Status: http.StatusBadGateway, Body: string(long)}, videosdk.ErrServer},
		{"whose answer is not understood", videosdktest.Fault{Body: "<html>"}, videosdk.ErrInvalidResponse},
		{"that is told to wait for long", statusFault(http.StatusTooManyRequests, "Retry-After", "3600"), videosdk.ErrRateLimited},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t)
			transport, dials := counting()
			client := newClient(t, srv, videosdk.WithHTTPClient(&http.Client{Transport: transport}))
			require.NoError(t, listOnce(t, client))
			tt.fault.Times = -1
			srv.Inject(tt.fault)
			for range 3 {
				err := listOnce(t, client)
				require.Error(t, err)
				if tt.err != nil {
					require.ErrorIs(t, err, tt.err)
				}
			}
			srv.ClearFaults()
			require.NoError(t, listOnce(t, client))
			assert.EqualValues(t, 1, dials.Load())
		})
	}
}

// brokenPool is a transport that cannot send, and knows if it was told to close
// its connections.
type brokenPool struct{ closed bool }

func (*brokenPool) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("broken")
}

func (p *brokenPool) CloseIdleConnections() { p.closed = true }

func TestARequestThatIsLostLeavesTheConnectionsOfOthersOpen(t *testing.T) {
	pool := &brokenPool{}
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: pool}), videosdk.WithRetryWait(0, 0))
	require.NoError(t, err)
	require.Error(t, listOnce(t, client))
	require.Error(t, errorOf(client.Calls.Create(t.Context(), newCall("rule_1"))))
	assert.False(t, pool.closed)
	client.CloseIdleConnections()
	assert.True(t, pool.closed)
}

func TestACancelledRequestLeavesTheOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, videosdktest.InMemory())
		client := newClient(t, srv)
		srv.Inject(videosdktest.Fault{Delay: time.Second, Times: -1})
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		together(func(n int) {
			if n%2 == 0 {
				_, err := client.Calls.List(ctx, videosdk.CallListParams{})
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				return
			}
			assert.NoError(t, listOnce(t, client))
		})
	})
}

// serveHTTP2 starts a server that speaks HTTP/2, and a client that trusts it.
// It counts the server's connections.
func serveHTTP2(t *testing.T, handler http.HandlerFunc) (*videosdk.Client, *atomic.Int64) {
	t.Helper()
	var connections atomic.Int64
	srv := httptest.NewUnstartedServer(handler)
	srv.EnableHTTP2 = true
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(srv.URL), videosdk.WithHTTPClient(srv.Client()), videosdk.WithRetryWait(0, 0))
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	return client, &connections
}

func TestHTTP2(t *testing.T) {
	tests := []struct {
		name     string
		answer   func(http.ResponseWriter, int64) // n counts from 1
		list     bool
		requests int64
		err      error // nil for success
	}{
		{"carries a call, which is sent once", func(w http.ResponseWriter, _ int64) {
			_, _ = io.WriteString(w, `{"data":{"callId":"call_1"}}`)
		}, false, 1, nil},
		{"that is reset after the call was read does not send it again", func(http.ResponseWriter, int64) {
			panic(http.ErrAbortHandler)
		}, false, 1, videosdk.ErrMaybeApplied},
		{"that is reset in the middle of the answer does not send the call again", func(w http.ResponseWriter, _ int64) {
			_, _ = io.WriteString(w, `{"data":{"cal`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, false, 1, videosdk.ErrMaybeApplied},
		{"that is reset once repeats a read", func(w http.ResponseWriter, n int64) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			_, _ = io.WriteString(w, emptyPage)
		}, true, 2, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var requests atomic.Int64
			client, _ := serveHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, 2, r.ProtoMajor)
				_, err := io.Copy(io.Discard, r.Body)
				assert.NoError(t, err)
				tt.answer(w, requests.Add(1))
			})
			var err error
			if tt.list {
				err = listOnce(t, client)
			} else {
				_, err = client.Calls.Create(t.Context(), newCall("rule_1"))
			}
			if tt.err == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.err)
			}
			assert.Equal(t, tt.requests, requests.Load())
		})
	}
}

func TestManyGoroutinesShareOneHTTP2Connection(t *testing.T) {
	var requests atomic.Int64
	client, connections := serveHTTP2(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = io.WriteString(w, `{"data":{"callId":"call_1"}}`)
	})
	call := func(int) {
		_, err := client.Calls.Create(t.Context(), newCall("rule_1"))
		assert.NoError(t, err)
	}
	call(0) // makes the connection
	together(call)
	assert.EqualValues(t, 1+goroutines, requests.Load())
	assert.EqualValues(t, 1, connections.Load())
}

// net/http goes on dialling for a request that another connection comes free for,
// which is likely where dialling takes longer than an answer.
func TestThereAreNeverMoreConnectionsThanCallers(t *testing.T) {
	const each = 50
	random := func(limit time.Duration) { time.Sleep(rand.N(limit)) }
	versions := httpVersions()
	delete(versions, "HTTP/2") // where all share one
	for name, start := range versions {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var dials, unwell atomic.Int64
				unwell.Store(goroutines) // calls in which a middleware panics, which must not count for good
				client := serveInMemory(t, start, func(w http.ResponseWriter, _ <-chan struct{}) {
					random(2 * time.Millisecond)
					_, _ = io.WriteString(w, `{"callId":"call_1"}`)
				}, func() {
					dials.Add(1)
					random(50 * time.Millisecond)
				}, videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
					return roundTripFunc(func(req *http.Request) (*http.Response, error) {
						resp, err := next.RoundTrip(req)
						if unwell.Add(-1) >= 0 {
							_ = resp.Body.Close()
							panic("unwell")
						}
						return resp, err
					})
				}))
				get := func() error {
					_, err := client.Calls.Get(t.Context(), "call_1")
					return err
				}
				for range goroutines {
					assert.PanicsWithValue(t, "unwell", func() { _ = get() })
				}
				dials.Store(0) // of connections that were closed with an answer on them
				together(func(int) {
					for range each {
						assert.NoError(t, get())
					}
				})
				assert.LessOrEqual(t, dials.Load(), int64(goroutines))
			})
		})
	}
}
