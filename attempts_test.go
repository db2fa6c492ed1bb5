package videosdk_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// observe makes a call over a transport in virtual time, and returns what the
// hook was told.
func observe(t *testing.T, transport http.RoundTripper, call func(context.Context, *videosdk.Client) error, opts ...videosdk.Option) []videosdk.Attempt {
	t.Helper()
	var seen []videosdk.Attempt
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "the caller's")
	opts = append(opts, videosdk.WithHTTPClient(&http.Client{Transport: transport}), videosdk.WithMaxRetries(2),
		videosdk.WithOnAttempt(func(ctx context.Context, a videosdk.Attempt) {
			assert.Equal(t, "the caller's", ctx.Value(key{}))
			seen = append(seen, a)
		}))
	client, err := videosdk.New("key", "secret", opts...)
	require.NoError(t, err)
	_ = call(ctx, client) // what it returns is told elsewhere
	return seen
}

// slowly takes a second for each exchange.
func slowly(transport http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		time.Sleep(time.Second)
		return transport.RoundTrip(req)
	})
}

func TestTheHookSeesEachAttempt(t *testing.T) {
	tests := []struct {
		name    string
		answers *recorder
		call    func(context.Context, *videosdk.Client) error
		want    []videosdk.Attempt
	}{
		{"one that succeeds", (&recorder{t: t}).then(200, `{"id":"c"}`, "X-Request-Id", "req-1"), getOne,
			[]videosdk.Attempt{{Operation: "Calls.Get", Method: "GET", Path: "/v2/sip/call/call_1", Number: 1, StatusCode: 200, RequestID: "req-1", Duration: time.Second}}},
		{"each of three, and the wait that the server asked for",
			(&recorder{t: t}).then(503, ``, "X-Request-Id", "req-1", "Retry-After", "20").then(429, ``, "Retry-After", "10").then(409, `{}`), getOne,
			[]videosdk.Attempt{
				{Operation: "Calls.Get", Method: "GET", Path: "/v2/sip/call/call_1", Number: 1, StatusCode: 503, RequestID: "req-1", Duration: time.Second, WillRetry: true, Wait: 20 * time.Second},
				{Operation: "Calls.Get", Method: "GET", Path: "/v2/sip/call/call_1", Number: 2, StatusCode: 429, Duration: time.Second, WillRetry: true, Wait: 10 * time.Second},
				{Operation: "Calls.Get", Method: "GET", Path: "/v2/sip/call/call_1", Number: 3, StatusCode: 409, Duration: time.Second},
			}},
		{"one that must not be repeated", (&recorder{t: t}).then(503, ``), func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Create(ctx, newCall("rule_1")))
		}, []videosdk.Attempt{{Operation: "Calls.Create", Method: "POST", Path: "/v2/sip/call", Number: 1, StatusCode: 503, Duration: time.Second}}},
		{"without the number that is in its path", (&recorder{t: t}).then(404, `{}`), func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.Get(ctx, "+14155550123"))
		}, []videosdk.Attempt{{Operation: "PhoneNumbers.Get", Method: "GET", Path: "/v2/sip/phone-numbers/{e164}", Number: 1, StatusCode: 404, Duration: time.Second}}},
		{"one that is answered with something else than JSON under a success as what the status says", (&recorder{t: t}).then(200, `<html>`), getOne,
			[]videosdk.Attempt{{Operation: "Calls.Get", Method: "GET", Path: "/v2/sip/call/call_1", Number: 1, StatusCode: 200, Duration: time.Second}}},
		{"one that is answered with an error under a success as the error", (&recorder{t: t}).then(200, `{"statusCode":400}`), getOne,
			[]videosdk.Attempt{{Operation: "Calls.Get", Method: "GET", Path: "/v2/sip/call/call_1", Number: 1, StatusCode: 400, Duration: time.Second}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := observe(t, slowly(tt.answers), tt.call)
				require.Len(t, seen, len(tt.want))
				for i, want := range tt.want {
					assert.GreaterOrEqual(t, seen[i].Wait, want.Wait)
					assert.LessOrEqual(t, seen[i].Wait, want.Wait+want.Wait/10)
					seen[i].Wait = want.Wait
					assert.Equal(t, want, seen[i])
				}
			})
		})
	}
}

func TestTheHookSeesWhyThereIsNoAnswer(t *testing.T) {
	fails := func(err error) http.RoundTripper {
		return roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, err })
	}
	tests := []struct {
		name      string
		transport http.RoundTripper
		want      videosdk.ErrorClass
	}{
		{"the connection is refused", fails(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}), videosdk.ErrorClassNotSent},
		{"the connection is reset", fails(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}), videosdk.ErrorClassConnection},
		{"the caller loses patience", fails(context.Canceled), videosdk.ErrorClassCanceled},
		{"the attempt takes too long", stuck, videosdk.ErrorClassTimeout},
		{"the answer breaks off", roundTripFunc(func(*http.Request) (*http.Response, error) {
			resp := answerOf(http.StatusOK, "application/json", ``)
			resp.Body = brokenBody{}
			return resp, nil
		}), videosdk.ErrorClassResponse},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := observe(t, tt.transport, getOne)
				require.NotEmpty(t, seen)
				for i, a := range seen {
					assert.Equal(t, tt.want, a.ErrorClass)
					assert.Equal(t, i+1, a.Number)
					assert.Equal(t, i+1 < len(seen), a.WillRetry)
				}
			})
		})
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("the answer broke off") }
func (brokenBody) Close() error             { return nil }

func TestTheHookDoesNotSeeWhatWasNotTried(t *testing.T) {
	none := roundTripFunc(func(*http.Request) (*http.Response, error) { panic("sent") })
	sealed := videosdk.WithTokenSource(tokenFunc(func(context.Context) (string, error) { return "", errors.New("the vault is sealed") }))
	assert.Empty(t, observe(t, none, getOne, sealed))
	assert.Empty(t, observe(t, none, func(ctx context.Context, c *videosdk.Client) error {
		return errorOf(c.Calls.Get(ctx, ""))
	}))
}

func TestTheHookSeesNoSecondAttemptForWhichThereIsNoToken(t *testing.T) {
	asked := 0
	sealed := videosdk.WithTokenSource(tokenFunc(func(context.Context) (string, error) {
		if asked++; asked > 1 {
			return "", errors.New("the vault is sealed")
		}
		return "token", nil
	}))
	seen := observe(t, newRecorder(t, http.StatusServiceUnavailable, `{}`), getOne, sealed)
	require.Len(t, seen, 1)
	assert.Equal(t, http.StatusServiceUnavailable, seen[0].StatusCode)
}
