package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/transport"
)

// middleware is what a user may put above the guard.
type middleware func(next http.RoundTripper) roundTripper

// edit hands down a changed copy of the request.
func edit(change func(*http.Request) *http.Request) middleware {
	return func(next http.RoundTripper) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			return next.RoundTrip(change(req.Clone(req.Context())))
		}
	}
}

func toHost(host string) middleware {
	return edit(func(req *http.Request) *http.Request {
		req.URL.Host = host
		return req
	})
}

func toHTTPS(req *http.Request) *http.Request {
	req.URL.Scheme = "https"
	return req
}

func withHeader(name string, values []string) middleware {
	return edit(func(req *http.Request) *http.Request {
		req.Header[name] = values
		return req
	})
}

func twice(next http.RoundTripper) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if req.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
		return next.RoundTrip(req)
	}
}

func TestTheGuardRefusesWhatMiddlewareMustNotDo(t *testing.T) {
	elsewhere := serve(t, nil, answerAll)
	tests := []struct {
		name       string
		middleware middleware
		want       string // in the error
		requests   int
		maybeSent  bool
	}{
		{name: "a context without the attempt", middleware: edit(func(req *http.Request) *http.Request {
			return req.WithContext(context.Background())
		}), want: "not derived"},
		{name: "another port", middleware: toHost(elsewhere.Addr().String()), want: "another origin"},
		{name: "another host", middleware: toHost("example.com"), want: "another origin"},
		{name: "another scheme", middleware: edit(toHTTPS), want: "another origin"},
		{name: "an idempotency key", middleware: withHeader("Idempotency-Key", []string{"k"}), want: "Idempotency-Key"},
		{name: "the older header", middleware: withHeader("X-Idempotency-Key", []string{"k"}), want: "Idempotency-Key"},
		{name: "a key without a value, which net/http obeys and does not send",
			middleware: withHeader("Idempotency-Key", nil), want: "Idempotency-Key"},
		{name: "a second sending of what goes out once", middleware: twice, want: "second time", requests: 1, maybeSent: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, nil, answerAll)
			got := post(s.http()).over(t, tt.middleware(guarded(t, transport.New())))
			require.ErrorContains(t, got.err, tt.want)
			assert.Equal(t, tt.maybeSent, got.maybeSent)
			assert.True(t, transport.Permanent(got.err), "it would happen again")
			assert.EqualValues(t, tt.requests, s.requests.Load())
		})
	}
	assert.Zero(t, elsewhere.connections.Load())
}

func TestTheGuardClosesTheBodyOfWhatItRefuses(t *testing.T) {
	for name, body := range map[string]*closeable{"a body": {Reader: strings.NewReader("{}")}, "no body": nil} {
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequest(http.MethodPost, "http://192.0.2.1", nil)
			req.Body = nil
			if body != nil {
				req.Body = body
			}
			resp, err := transport.NewGuard(transport.New()).RoundTrip(req)
			require.Error(t, err)
			assert.Nil(t, resp)
			assert.True(t, body == nil || body.closed)
		})
	}
}

type closeable struct {
	io.Reader

	closed bool
}

func (c *closeable) Close() error {
	c.closed = true
	return nil
}

func TestAMiddlewareMayRepeatWhatIsSafeToRepeat(t *testing.T) {
	s := serve(t, nil, answerAll)
	safe := post(s.http())
	safe.once = false
	client := &http.Client{}
	defer client.CloseIdleConnections()
	withoutTrace := roundTripper(func(req *http.Request) (*http.Response, error) {
		return client.Post(req.URL.String(), "", req.Body)
	})
	for _, rt := range []http.RoundTripper{transport.New(), withoutTrace} {
		before := s.requests.Load()
		got := safe.over(t, twice(guarded(t, rt)))
		require.NoError(t, got.err)
		assert.EqualValues(t, 2, s.requests.Load()-before)
		assert.True(t, got.replayed, "a 404 to the second may be the doing of the first")
	}
}

func TestTheCallersRequestIsNotChanged(t *testing.T) {
	s := serve(t, nil, answerAll)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	_, ctx = transport.NewAttempt(ctx, cancel, s.http(), true, free{})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.http(), strings.NewReader("{}"))
	require.NoError(t, err)
	resp, err := guarded(t, transport.New()).RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	body, err := req.GetBody()
	require.NoError(t, err, "only the copy that net/http got refuses to be replayed")
	again, err := io.ReadAll(body)
	require.NoError(t, err)
	assert.Equal(t, "{}", string(again))
}

func TestClosingIdleConnectionsReachesTheTransportBeneath(t *testing.T) {
	hungUp := make(chan struct{})
	s := serve(t, nil, func(n int, c *peer) {
		answerAll(n, c)
		close(hungUp)
	})
	guard := transport.NewGuard(transport.New())
	require.NoError(t, get(s.http()).over(t, guard).err)
	guard.CloseIdleConnections()
	<-hungUp

	foreign := transport.NewGuard(roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("") }))
	assert.NotPanics(t, foreign.CloseIdleConnections, "not every transport has connections")
}

func TestTheUsersOwnTraceHearsOfEachConnectionOnce(t *testing.T) {
	const times = 3
	s := serve(t, nil, answerAll)
	guard := guarded(t, transport.New())
	heard := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { heard++ },
	})
	got := get(s.http()).in(ctx, t, roundTripper(func(req *http.Request) (resp *http.Response, err error) {
		for range times {
			if resp, err = guard.RoundTrip(req); err != nil {
				return nil, err
			}
			_, _ = io.Copy(io.Discard, resp.Body)
		}
		return resp, nil
	}))
	require.NoError(t, got.err)
	assert.Equal(t, times, heard)
}

func TestARequestOfATransportsOwnDoesNotStopTheOneThatIsWatched(t *testing.T) {
	s, other := serve(t, nil, answerAll), serve(t, nil, answerAll)
	beneath := &http.Transport{}
	t.Cleanup(beneath.CloseIdleConnections)
	ask := func(ctx context.Context) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, other.http(), nil)
		require.NoError(t, err)
		resp, err := beneath.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	for name, rt := range map[string]http.RoundTripper{
		"for a token": roundTripper(func(req *http.Request) (*http.Response, error) {
			ask(req.Context())
			return beneath.RoundTrip(req)
		}),
		"for an address": transport.Adopt(&http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ask(ctx)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}),
	} {
		t.Run(name, func(t *testing.T) {
			got := post(s.http()).over(t, guarded(t, rt))
			require.NoError(t, got.err)
			assert.Equal(t, http.StatusOK, got.status)
		})
	}
}

func TestARequestOfAMiddlewaresOwnIsNotTakenForTheOneThatIsWatched(t *testing.T) {
	s := serve(t, nil, answerAll)
	elsewhere := serve(t, nil, answerAll)
	guard := guarded(t, transport.New())
	own := &http.Transport{}
	t.Cleanup(own.CloseIdleConnections)
	got := get(s.http()).over(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := guard.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		// The context of an answer's request is the one that net/http was given.
		second, err := http.NewRequestWithContext(resp.Request.Context(), http.MethodGet, elsewhere.http(), nil)
		require.NoError(t, err)
		audit, err := own.RoundTrip(second)
		require.NoError(t, err)
		require.NoError(t, audit.Body.Close())
		return resp, nil
	}))
	require.NoError(t, got.err)
	assert.False(t, got.replayed)
	assert.EqualValues(t, 1, elsewhere.requests.Load())
}
