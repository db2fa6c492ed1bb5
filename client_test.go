package videosdk_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// fieldsOf returns the names of the faults that an error holds.
func fieldsOf(t *testing.T, err error) []string {
	t.Helper()
	var refused *videosdk.ValidationError
	require.ErrorAs(t, err, &refused)
	require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
	names := make([]string, len(refused.Fields))
	for i, field := range refused.Fields {
		names[i] = field.Field
	}
	return names
}

func TestASettingThatCannotWorkIsNamed(t *testing.T) {
	const key, secret = "key", "secret"
	wrap := func(next http.RoundTripper) http.RoundTripper { return next }
	tests := []struct {
		name        string
		key, secret string
		opt         videosdk.Option
		want        string // the field of the error
	}{
		{"an API key that is empty", "", secret, videosdk.WithMaxRetries(1), "apiKey"},
		{"a secret that is empty", key, "", videosdk.WithMaxRetries(1), "secret"},
		{"a secret that is empty, beside a token source", key, "", videosdk.WithTokenSource(numbered()), "secret"},
		{"an API key with a line break", key + "\n", secret, videosdk.WithMaxRetries(1), "apiKey"},
		{"a secret with a space", key, " " + secret, videosdk.WithMaxRetries(1), "secret"},
		{"a secret with a space inside", key, "sec ret", videosdk.WithMaxRetries(1), "secret"},
		{"a secret with a character that cannot be seen", key, secret + "\u200b", videosdk.WithMaxRetries(1), "secret"},
		{"an option that is nil", key, secret, nil, "opts[0]"},
		{"a base URL that is none", key, secret, videosdk.WithBaseURL("https://user:hunter2@:x"), "WithBaseURL"},
		{"an HTTP client that is nil", key, secret, videosdk.WithHTTPClient(nil), "WithHTTPClient"},
		{"an HTTP client whose transport is a nil pointer", key, secret,
			videosdk.WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)}), "WithHTTPClient"},
		{"an HTTP client that repeats requests by itself", key, secret,
			videosdk.WithHTTPClient(retryablehttp.NewClient().StandardClient()), "WithHTTPClient"},
		{"a middleware that is nil", key, secret, videosdk.WithMiddleware(wrap, nil), "WithMiddleware"},
		{"a middleware that returns nil", key, secret,
			videosdk.WithMiddleware(wrap, func(http.RoundTripper) http.RoundTripper { return nil }), "WithMiddleware"},
		{"a logger that is nil", key, secret, videosdk.WithLogger(nil), "WithLogger"},
		{"a user agent that is empty", key, secret, videosdk.WithUserAgent(""), "WithUserAgent"},
		{"a user agent with a line break", key, secret, videosdk.WithUserAgent("a\r\nX-Evil: 1"), "WithUserAgent"},
		{"a token source that is nil", key, secret, videosdk.WithTokenSource(nil), "WithTokenSource"},
		{"a static token that is empty", "", "", videosdk.WithTokenSource(videosdk.StaticToken("")), "WithTokenSource"},
		{"a static token with Bearer", "", "", videosdk.WithTokenSource(videosdk.StaticToken("Bearer hunter2")), "WithTokenSource"},
		{"a static token with a line break", "", "", videosdk.WithTokenSource(videosdk.StaticToken("hunter2\n")), "WithTokenSource"},
		{"a token lifetime below a minute", key, secret, videosdk.WithTokenLifetime(time.Minute - 1), "WithTokenLifetime"},
		{"an attempt timeout of nothing", key, secret, videosdk.WithAttemptTimeout(0), "WithAttemptTimeout"},
		{"an attempt timeout below nothing", key, secret, videosdk.WithAttemptTimeout(-1), "WithAttemptTimeout"},
		{"a negative number of retries", key, secret, videosdk.WithMaxRetries(-1), "WithMaxRetries"},
		{"a negative wait", key, secret, videosdk.WithRetryWait(-1, 0), "WithRetryWait"},
		{"a wait above its limit", key, secret, videosdk.WithRetryWait(2, 1), "WithRetryWait"},
		{"a poll interval of nothing", key, secret, videosdk.WithPollInterval(0, 1), "WithPollInterval"},
		{"a poll interval above its limit", key, secret, videosdk.WithPollInterval(2, 1), "WithPollInterval"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, err := videosdk.New(tt.key, tt.secret, tt.opt)
			assert.Nil(t, client)
			assert.Equal(t, []string{tt.want}, fieldsOf(t, err))
			assert.Contains(t, err.Error(), "New: nothing was sent: "+tt.want+": ")
			assert.NotContains(t, err.Error(), "hunter2", "a secret")
		})
	}
}

func TestAllWrongSettingsAreNamedAtOnce(t *testing.T) {
	_, err := videosdk.New("", "", nil, videosdk.WithMaxRetries(-1), videosdk.WithBaseURL("ftp://host"), videosdk.WithLogger(nil))
	assert.Equal(t, []string{"opts[0]", "WithMaxRetries", "WithBaseURL", "WithLogger", "apiKey", "secret"}, fieldsOf(t, err))
}

func TestASettingOfACallThatCannotWorkIsNamed(t *testing.T) {
	tests := []struct {
		name string
		opt  videosdk.RequestOption
		want string
	}{
		{"an option that is nil", nil, "opts[0]"},
		{"an attempt timeout of nothing", videosdk.WithAttemptTimeout(0), "WithAttemptTimeout"},
		{"a negative number of retries", videosdk.WithMaxRetries(-1), "WithMaxRetries"},
		{"a negative wait", videosdk.WithRetryWait(-1, 0), "WithRetryWait"},
		{"a poll interval of nothing", videosdk.WithPollInterval(0, 1), "WithPollInterval"},
		{"a header without a name", videosdk.WithHeader("", "x"), "WithHeader"},
		{"a header whose name is none", videosdk.WithHeader("X Y", "x"), "WithHeader"},
		{"a header whose name is no ASCII", videosdk.WithHeader("X-Ü", "x"), "WithHeader"},
		{"a header that forges another", videosdk.WithHeader("X-Y", "x\r\nX-Evil: 1"), "WithHeader"},
		{"the token", videosdk.WithHeader("authorization", "x"), "WithHeader"},
		{"the host", videosdk.WithHeader("Host", "x"), "WithHeader"},
		{"the content type", videosdk.WithHeader("Content-Type", "x"), "WithHeader"},
		{"a compression that nobody would undo", videosdk.WithHeader("Accept-Encoding", "gzip"), "WithHeader"},
		{"a key that makes net/http repeat", videosdk.WithHeader("idempotency-key", "x"), "WithHeader"},
		{"the other spelling of that key", videosdk.WithHeader("X-Idempotency-Key", "x"), "WithHeader"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := newRecorder(t, http.StatusOK, emptyPage)
			_, err := rec.client().Calls.List(t.Context(), videosdk.CallListParams{}, tt.opt)
			assert.Equal(t, []string{tt.want}, fieldsOf(t, err))
			assert.Contains(t, err.Error(), "Calls.List: nothing was sent: ")
			_, err = rec.client().Calls.WaitAnswered(t.Context(), "call_1", tt.opt)
			require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
			assert.Empty(t, rec.all())
		})
	}
}

// addressOf returns the URL that a list of calls is asked for at.
func addressOf(t *testing.T, opts ...videosdk.Option) string {
	t.Helper()
	var address string
	opts = append([]videosdk.Option{videosdk.WithHTTPClient(&http.Client{
		Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			address = req.URL.String()
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		}),
	})}, opts...)
	client, err := videosdk.New("key", "secret", opts...)
	require.NoError(t, err)
	require.NoError(t, client.Do(t.Context(), http.MethodGet, "/v2/sip/call", nil, nil))
	return address
}

func TestBaseURLs(t *testing.T) {
	assert.Equal(t, "https://api.videosdk.live/v2/sip/call", addressOf(t))
	assert.Equal(t, "https://api.videosdk.live", videosdk.DefaultBaseURL)
	tests := []struct{ name, base, want string }{ // want is empty for one that is refused
		{"https", "https://api.example.com", "https://api.example.com/v2/sip/call"},
		{"a port", "https://api.example.com:8443", "https://api.example.com:8443/v2/sip/call"},
		{"a port that is left out", "https://api.example.com:", "https://api.example.com/v2/sip/call"},
		{"a slash at the end", "https://api.example.com/", "https://api.example.com/v2/sip/call"},
		{"a path", "https://proxy.example.com/videosdk/", "https://proxy.example.com/videosdk/v2/sip/call"},
		{"a path with an escaped slash", "https://proxy.example.com/a%2Fb", "https://proxy.example.com/a%2Fb/v2/sip/call"},
		{"a path with an escaped slash, and a slash at the end", "https://proxy.example.com/a%2Fb/", "https://proxy.example.com/a%2Fb/v2/sip/call"},
		{"https in capitals", "HTTPS://api.example.com", "https://api.example.com/v2/sip/call"},
		{"http on localhost", "http://localhost:8080", "http://localhost:8080/v2/sip/call"},
		{"http on the loopback of IPv4", "http://127.0.0.1:8080", "http://127.0.0.1:8080/v2/sip/call"},
		{"http elsewhere in the loopback of IPv4", "http://127.8.9.10", "http://127.8.9.10/v2/sip/call"},
		{"http on the loopback of IPv6", "http://[::1]:8080", "http://[::1]:8080/v2/sip/call"},
		{"http on the loopback of IPv6 without a port", "http://[::1]", "http://[::1]/v2/sip/call"},

		{"http off loopback", "http://api.videosdk.live", ""},
		{"http on a name that only begins like loopback", "http://localhost.example.com", ""},
		{"http on an address that only ends like loopback", "http://10.127.0.0.1.example.com", ""},
		{"http on every interface", "http://0.0.0.0:8080", ""},
		{"http on a private address", "http://192.168.1.1", ""},
		{"user info", "https://user:hunter2@api.example.com", ""},
		{"a user", "https://user@api.example.com", ""},
		{"a query", "https://api.example.com?x=1", ""},
		{"an empty query", "https://api.example.com?", ""},
		{"a fragment", "https://api.example.com#x", ""},
		{"another scheme", "ftp://localhost", ""},
		{"no scheme", "api.example.com", ""},
		{"no host", "https://", ""},
		{"a port only", "https://:8443", ""},
		{"a port in place of a host", "https://:0:", ""},
		{"two ports", "https://api.example.com:1:", ""},
		{"an address of IPv6 without brackets", "http://::1:", ""},
		{"nothing", "", ""},
		{"a space", " https://api.example.com", ""},
		{"a line break", "https://api.example.com\n", ""},
		{"no URL", "https://user:hunter2@[::1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want != "" {
				assert.Equal(t, tt.want, addressOf(t, videosdk.WithBaseURL(tt.base)))
				return
			}
			_, err := videosdk.New("key", "secret", videosdk.WithBaseURL(tt.base))
			for _, field := range fieldsOf(t, err) {
				assert.Equal(t, "WithBaseURL", field)
			}
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// clearEnv leaves the variables of the package empty, whatever the machine has.
func clearEnv(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		videosdk.EnvAPIKey, videosdk.EnvSecret, videosdk.EnvSecretKey, videosdk.EnvAuthToken, videosdk.EnvAPIEndpoint,
	} {
		t.Setenv(name, "")
	}
}

func TestNewFromEnv(t *testing.T) {
	type env map[string]string
	token := func(s string) videosdk.Option { return videosdk.WithTokenSource(videosdk.StaticToken(s)) }
	tests := []struct {
		name string
		env  env
		opts []videosdk.Option
		// What a request then carries, or else the faults that are named.
		secret, token string
		address       string // empty for the default
		faults        []string
	}{
		{name: "an API key and a secret", env: env{"VIDEOSDK_API_KEY": "k", "VIDEOSDK_SECRET": "s1"}, secret: "s1"},
		{name: "the secret by its other name", env: env{"VIDEOSDK_API_KEY": "k", "VIDEOSDK_SECRET_KEY": "s2"}, secret: "s2"},
		{name: "the secret by both names", env: env{"VIDEOSDK_API_KEY": "k", "VIDEOSDK_SECRET": "s1", "VIDEOSDK_SECRET_KEY": "s2"}, secret: "s1"},
		{name: "a token", env: env{"VIDEOSDK_AUTH_TOKEN": "t"}, token: "t"},
		{name: "a token beside everything", env: env{"VIDEOSDK_API_KEY": "k", "VIDEOSDK_SECRET": "s1", "VIDEOSDK_AUTH_TOKEN": "t"}, secret: "s1"},
		{name: "a token beside an API key", env: env{"VIDEOSDK_API_KEY": "k", "VIDEOSDK_AUTH_TOKEN": "t"}, token: "t"},
		{name: "a token beside a secret", env: env{"VIDEOSDK_SECRET": "s", "VIDEOSDK_AUTH_TOKEN": "t"}, token: "t"},
		{name: "an endpoint", env: env{"VIDEOSDK_API_KEY": "k", "VIDEOSDK_SECRET": "s1", "VIDEOSDK_API_ENDPOINT": "http://127.0.0.1:1/x/"},
			secret: "s1", address: "http://127.0.0.1:1/x"},
		{name: "an endpoint under an option", env: env{"VIDEOSDK_AUTH_TOKEN": "t", "VIDEOSDK_API_ENDPOINT": "http://127.0.0.1:1"},
			opts: []videosdk.Option{videosdk.WithBaseURL("https://option.example")}, token: "t", address: "https://option.example"},
		{name: "an endpoint that is wrong under an option", env: env{"VIDEOSDK_AUTH_TOKEN": "t", "VIDEOSDK_API_ENDPOINT": "nonsense"},
			opts: []videosdk.Option{videosdk.WithBaseURL("https://option.example")}, token: "t", address: "https://option.example"},
		{name: "a token under an option", env: env{"VIDEOSDK_AUTH_TOKEN": "t"}, opts: []videosdk.Option{token("option")}, token: "option"},
		{name: "a token that is wrong under an option", env: env{"VIDEOSDK_AUTH_TOKEN": "Bearer t"}, opts: []videosdk.Option{token("option")}, token: "option"},
		{name: "half of the credentials under an option", env: env{"VIDEOSDK_API_KEY": "k"}, opts: []videosdk.Option{token("option")}, token: "option"},

		{name: "nothing", faults: []string{"VIDEOSDK_API_KEY", "VIDEOSDK_SECRET"}},
		{name: "an API key only", env: env{"VIDEOSDK_API_KEY": "k"}, faults: []string{"VIDEOSDK_SECRET"}},
		{name: "a secret only", env: env{"VIDEOSDK_SECRET_KEY": "s"}, faults: []string{"VIDEOSDK_API_KEY"}},
		{name: "white space for an API key", env: env{"VIDEOSDK_API_KEY": " ", "VIDEOSDK_SECRET": "s"}, faults: []string{"VIDEOSDK_API_KEY"}},
		{name: "a secret with a line break", env: env{"VIDEOSDK_API_KEY": "k", "VIDEOSDK_SECRET": "hunter2\n"}, faults: []string{"VIDEOSDK_SECRET"}},
		{name: "a secret with a line break, by its other name", env: env{"VIDEOSDK_API_KEY": "k", "VIDEOSDK_SECRET_KEY": "hunter2\n"},
			faults: []string{"VIDEOSDK_SECRET_KEY"}},
		{name: "a token with a line break", env: env{"VIDEOSDK_AUTH_TOKEN": "hunter2\n"}, faults: []string{"VIDEOSDK_AUTH_TOKEN"}},
		{name: "a token with Bearer", env: env{"VIDEOSDK_AUTH_TOKEN": "Bearer hunter2"}, faults: []string{"VIDEOSDK_AUTH_TOKEN"}},
		{name: "an endpoint with a line break", env: env{"VIDEOSDK_AUTH_TOKEN": "t", "VIDEOSDK_API_ENDPOINT": "https://api.videosdk.live\n"},
			faults: []string{"VIDEOSDK_API_ENDPOINT"}},
		{name: "an endpoint in clear text", env: env{"VIDEOSDK_AUTH_TOKEN": "t", "VIDEOSDK_API_ENDPOINT": "http://api.videosdk.live"},
			faults: []string{"VIDEOSDK_API_ENDPOINT"}},
		{name: "an option that is nil", env: env{"VIDEOSDK_AUTH_TOKEN": "t"}, opts: []videosdk.Option{nil}, faults: []string{"opts[0]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clearEnv(t)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			var address, token string
			client, err := videosdk.NewFromEnv(append(tt.opts, videosdk.WithHTTPClient(&http.Client{
				Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
					address, token = req.URL.String(), req.Header.Get("Authorization")
					return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
				}),
			}))...)
			if tt.faults != nil {
				assert.Equal(t, tt.faults, fieldsOf(t, err))
				assert.Contains(t, err.Error(), "NewFromEnv: ")
				assert.NotContains(t, err.Error(), "hunter2")
				return
			}
			require.NoError(t, err)
			require.NoError(t, client.Do(t.Context(), http.MethodGet, "/v2/sip/call", nil, nil))
			if tt.secret != "" {
				assert.Equal(t, "k", claimsOf(t, token, tt.secret)["apikey"])
			} else {
				assert.Equal(t, tt.token, token)
			}
			want := tt.address
			if want == "" {
				want = videosdk.DefaultBaseURL
			}
			assert.Equal(t, want+"/v2/sip/call", address)
		})
	}
}

func TestARequestCarriesTheHeadersOfTheLibraryAndOfItsCaller(t *testing.T) {
	rec := newRecorder(t, http.StatusServiceUnavailable, `{}`).then(http.StatusOK, `{}`)
	client := rec.client(videosdk.WithUserAgent("acme-dialer/2.1"))
	require.NoError(t, client.Do(t.Context(), http.MethodPut, "/v2/x", map[string]int{"a": 1}, nil, videosdk.WithRetryUnknown(),
		videosdk.WithHeader("x-tenant", "blue"), videosdk.WithHeader("X-Tenant", "green")))

	agent := "videosdk-go/" + videosdk.Version + " (" + runtime.Version() + ") acme-dialer/2.1"
	requests := rec.all()
	require.Len(t, requests, 2)
	for _, req := range requests {
		assert.NotEmpty(t, req.Header.Get("Authorization"))
		req.Header.Del("Authorization")
		assert.Equal(t, http.Header{
			"User-Agent": {agent}, "Accept": {"application/json"}, "Content-Type": {"application/json"}, "X-Tenant": {"blue", "green"},
		}, req.Header)
		assert.JSONEq(t, `{"a":1}`, string(req.Body))
	}

	require.NoError(t, client.Do(t.Context(), http.MethodGet, "/v2/x", nil, nil))
	assert.NotContains(t, rec.last().Header, "X-Tenant", "a header of one call")
	assert.NotContains(t, rec.last().Header, "Content-Type", "the type of no body")
}

func TestOnlyAnswersThatMayBeLongAreAskedForCompressed(t *testing.T) {
	var asked string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = strings.Join(r.Header.Values("Accept-Encoding"), ";")
		_, _ = io.WriteString(w, `{"data":[]}`)
	}))
	t.Cleanup(srv.Close)
	newClient := func(base *http.Transport) *videosdk.Client {
		client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(srv.URL), videosdk.WithHTTPClient(&http.Client{Transport: base}))
		require.NoError(t, err)
		t.Cleanup(client.CloseIdleConnections)
		return client
	}
	client, plain := newClient(&http.Transport{}), newClient(&http.Transport{DisableCompression: true})
	tests := []struct {
		name string
		call func() error
		want string
	}{
		{"one resource is not", func() error { _, err := client.RoutingRules.Get(t.Context(), "rr_1"); return err }, ""},
		{"nor is what becomes of a change", func() error { _, err := client.Calls.Create(t.Context(), validCall()); return err }, ""},
		{"nor is an acknowledgement", func() error { _, err := client.RoutingRules.Delete(t.Context(), "rr_1"); return err }, ""},
		{"a page of a list is", func() error {
			_, err := client.Calls.List(t.Context(), videosdk.CallListParams{})
			return err
		}, "gzip"},
		{"an export is", func() error {
			return client.BatchCalls.Records.Export(t.Context(), "b_1", io.Discard, videosdk.BatchRecordExportParams{})
		}, "gzip"},
		{"unless the transport is not to", func() error {
			_, err := plain.Calls.List(t.Context(), videosdk.CallListParams{})
			return err
		}, ""},
		{"an answer of unknown kind is", func() error { return client.Do(t.Context(), http.MethodPost, "/v2/x", nil, nil) }, "gzip"},
		{"but not one without a body", func() error { return client.Do(t.Context(), http.MethodHead, "/v2/x", nil, nil) }, ""},
		{"nor a part, which nobody could decompress", func() error {
			return client.Do(t.Context(), http.MethodGet, "/v2/x", nil, nil, videosdk.WithHeader("range", "bytes=5-"))
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked = ""
			_ = tt.call() // an empty list is no answer to some
			assert.Equal(t, tt.want, asked)
		})
	}
}

// A middleware may log answers, mask them, or count what is in them.
func TestAMiddlewareSeesNoAnswerThatIsCompressed(t *testing.T) {
	var asked string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Accept-Encoding")
		body := []byte(`{"data":[{"callId":"call_1"}]}`)
		if asked == "gzip" {
			w.Header().Set("Content-Encoding", asked)
			body = gzipped(t, body)
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	var seen []byte
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(srv.URL), videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err == nil {
				seen, err = io.ReadAll(resp.Body)
				assert.NoError(t, resp.Body.Close())
				resp.Body = io.NopCloser(bytes.NewReader(seen))
			}
			return resp, err
		})
	}))
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)

	_, err = client.Calls.List(t.Context(), videosdk.CallListParams{})
	require.NoError(t, err)
	assert.Equal(t, "gzip", asked, "a list may be long")
	assert.JSONEq(t, `{"data":[{"callId":"call_1"}]}`, string(seen))

	_, _ = client.RoutingRules.Get(t.Context(), "rr_1") // a list is no answer to that
	assert.Equal(t, "identity", asked, "one resource is not")
}

// named returns a middleware that writes its name down, and adds a header as
// one should not: in place.
func named(name string, seen *[]string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			*seen = append(*seen, name)
			req.Header.Add("X-Seen-By", name)
			return next.RoundTrip(req)
		})
	}
}

func TestMiddlewareSeesEachAttemptFromTheFirstToTheLast(t *testing.T) {
	var seen []string
	rec := newRecorder(t, http.StatusServiceUnavailable, `{}`).then(http.StatusOK, emptyPage)
	client := rec.client(videosdk.WithMiddleware(named("outer", &seen), named("middle", &seen)), videosdk.WithMiddleware(named("inner", &seen)))
	require.NoError(t, listOnce(t, client))
	assert.Equal(t, []string{"outer", "middle", "inner", "outer", "middle", "inner"}, seen)
	for _, req := range rec.all() {
		assert.Equal(t, []string{"outer", "middle", "inner"}, req.Header["X-Seen-By"], "headers do not add up")
	}
}

// Without net/http's report of its connections there is the error of the transport,
// and a middleware may have made another of it.
func TestAMiddlewareThatFailsAfterACallWasPlacedDoesNotHaveItPlacedAgain(t *testing.T) {
	dials := 0
	phone := roundTripFunc(func(*http.Request) (*http.Response, error) {
		dials++
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"data":{"callId":"call_1"}}`))}, nil
	})
	audited := func(next http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			require.NoError(t, err)
			_ = resp.Body.Close()
			return nil, &net.OpError{Op: "dial", Err: errors.New("no route to the audit log")}
		})
	}
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: phone}),
		videosdk.WithMiddleware(audited), videosdk.WithRetryWait(0, 0))
	require.NoError(t, err)

	err = errorOf(client.Calls.Create(t.Context(), newCall("rule_1")))

	require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	assert.Equal(t, 1, dials)
}

func TestWhatAMiddlewareAddsToAnAddressDoesNotAddUp(t *testing.T) {
	rec := newRecorder(t, http.StatusServiceUnavailable, `{}`).then(http.StatusOK, `{}`)
	client := rec.client(videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			req.URL.Path = "/gateway" + req.URL.Path
			return next.RoundTrip(req)
		})
	}))
	_, err := client.RoutingRules.Delete(t.Context(), "rule_1")
	require.NoError(t, err)
	for _, request := range rec.all() {
		assert.Equal(t, "/gateway/v2/sip/routing-rule/rule_1", request.Path)
	}
}

func TestWhoCoversATokenForItsLogLeavesThatOfOthersAlone(t *testing.T) {
	cover := func(header http.Header) {
		for name := range header {
			header[name][0] = "***"
		}
		header.Set("X-Covered", "yes")
	}
	covering := func(next http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			cover(req.Header)
			return resp, err
		})
	}
	overNetHTTP := func(rec *recorder, base *http.Transport) []videosdk.Option {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			resp, _ := rec.RoundTrip(r) // which never fails
			_, _ = io.Copy(w, resp.Body)
		}))
		t.Cleanup(srv.Close)
		t.Cleanup(base.CloseIdleConnections)
		return []videosdk.Option{videosdk.WithBaseURL(srv.URL), videosdk.WithHTTPClient(&http.Client{Transport: base})}
	}
	tests := []struct {
		name string
		opts func(*recorder) []videosdk.Option
	}{
		{"a middleware", func(*recorder) []videosdk.Option { return []videosdk.Option{videosdk.WithMiddleware(covering)} }},
		{"a transport of the caller's", func(rec *recorder) []videosdk.Option {
			return []videosdk.Option{videosdk.WithHTTPClient(&http.Client{Transport: covering(rec)})}
		}},
		{"what speaks HTTP/2 for a transport", func(rec *recorder) []videosdk.Option {
			srv := httptest.NewUnstartedServer(http.NotFoundHandler())
			srv.EnableHTTP2 = true
			srv.StartTLS()
			t.Cleanup(srv.Close)
			roots := x509.NewCertPool()
			roots.AddCert(srv.Certificate())
			return []videosdk.Option{videosdk.WithBaseURL(srv.URL), videosdk.WithHTTPClient(&http.Client{Transport: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}},
				TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{
					"h2": func(_ string, conn *tls.Conn) http.RoundTripper {
						t.Cleanup(func() { _ = conn.Close() })
						return covering(rec)
					},
				},
			}})}
		}},
		{"what chooses a proxy", func(rec *recorder) []videosdk.Option {
			return overNetHTTP(rec, &http.Transport{Proxy: func(req *http.Request) (*url.URL, error) {
				cover(req.Header)
				return nil, nil
			}})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := newRecorder(t, http.StatusOK, `{"data":{"callId":"call_1"}}`)
			client := rec.client(tt.opts(rec)...)
			t.Cleanup(client.CloseIdleConnections)
			for range 2 {
				require.NoError(t, getOnce(t, client))
				require.NoError(t, errorOf(client.Calls.Create(t.Context(), validCall())))
			}
			requests := rec.all()
			require.Len(t, requests, 4)
			for _, req := range requests {
				assert.NotContains(t, req.Header, "X-Covered")
				assert.True(t, strings.HasPrefix(req.Header.Get("Authorization"), "eyJ"))
				assert.Equal(t, "application/json", req.Header.Get("Accept"))
			}
		})
	}
}

func TestAMiddlewareThatBreaksTheRules(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token went elsewhere") }))
	defer elsewhere.Close()
	retries := func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		body := req.GetBody
		for range 3 {
			if body != nil {
				req.Body, _ = body()
			}
			resp, err := next.RoundTrip(req)
			if err != nil || resp.StatusCode < 500 {
				return resp, err
			}
			_ = resp.Body.Close()
		}
		return nil, http.ErrHandlerTimeout
	}
	detaches := func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		return next.RoundTrip(req.WithContext(context.Background()))
	}
	redirects := func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.URL.Host = strings.TrimPrefix(elsewhere.URL, "http://")
		return next.RoundTrip(req)
	}
	keyed := func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		req.Header["Idempotency-Key"] = []string{}
		return next.RoundTrip(req)
	}
	nothing := func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, nil }

	list := func(ctx context.Context, c *videosdk.Client) error {
		_, err := c.Calls.List(ctx, videosdk.CallListParams{}, videosdk.WithMaxRetries(0))
		return err
	}
	call := func(ctx context.Context, c *videosdk.Client) error {
		_, err := c.Calls.Create(ctx, newCall("rule_1"))
		return err
	}
	rule := func(ctx context.Context, c *videosdk.Client) error {
		_, err := c.RoutingRules.Create(ctx, newRule())
		return err
	}
	update := func(ctx context.Context, c *videosdk.Client) error {
		_, err := c.RoutingRules.Update(ctx, "rule_1", videosdk.RoutingRuleUpdateParams{Name: videosdk.Ptr("x")})
		return err
	}
	tests := []struct {
		name       string
		middleware func(http.RoundTripper, *http.Request) (*http.Response, error)
		do         func(context.Context, *videosdk.Client) error
		requests   int
		text       string // of the error, empty for success
		maybe      bool
	}{
		{"by repeating a read does no harm", retries, list, 2, "", false},
		{"by repeating a call is stopped before the phone rings twice", retries, call, 1, "a second time", true},
		{"by repeating the creation of a rule is stopped before there are two", retries, rule, 1, "a second time", true},
		{"by repeating an update is stopped before it overwrites another", retries, update, 1, "a second time", true},
		{"by detaching the context of a read is stopped", detaches, list, 0, "not derived from", false},
		{"by detaching the context of a call is stopped before anything is sent", detaches, call, 0, "not derived from", false},
		{"by sending the token elsewhere is stopped", redirects, call, 0, "another origin", false},
		{"by making net/http repeat is stopped", keyed, call, 0, "Idempotency-Key", false},
		{"by returning nothing for a read is told", nothing, list, 0, "neither an answer nor an error", false},
		{"by returning nothing for a call may have placed it", nothing, call, 0, "neither an answer nor an error", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t)
			client := newClient(t, srv, videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return roundTripFunc(func(req *http.Request) (*http.Response, error) { return tt.middleware(next, req) })
			}))
			srv.Inject(videosdktest.Fault{Status: http.StatusServiceUnavailable})
			err := tt.do(t.Context(), client)
			assert.Len(t, srv.Requests(), tt.requests)
			if tt.text == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.text)
			var failure *videosdk.RequestError
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, 1, failure.Attempts)
			assert.Equal(t, tt.maybe, failure.MaybeApplied, err)
		})
	}
}

// A fake transport in a user's test may leave out what net/http never does, and
// a middleware that unpacks an answer leaves the length of the packed one.
func TestAnAnswerOfAFakeTransportIsReadAsFarAsItIsThere(t *testing.T) {
	const body = `{"data":{"id":"call_1"}}`
	found := func(length int64) *http.Response {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), ContentLength: length}
	}
	tests := []struct {
		name   string
		answer *http.Response
		err    error
	}{
		{"without a length", found(0), nil},
		{"with a length that is not known", found(-1), nil},
		{"with a length that is too short", found(5), nil},
		{"with a length that is too long", found(500), nil},
		{"with a length that is far too long", found(5 << 20), nil},
		{"without a body", &http.Response{StatusCode: http.StatusNotFound}, videosdk.ErrNotFound},
		{"that switches protocols", &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: blanks(1)}, videosdk.ErrInvalidResponse},
		{"with a length that hides how much there is", &http.Response{StatusCode: http.StatusOK, Body: blanks(10<<20 + 1), ContentLength: 5}, videosdk.ErrResponseTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{
				Transport: roundTripFunc(func(*http.Request) (*http.Response, error) { return tt.answer, nil }),
			}), videosdk.WithRetryWait(0, 0))
			require.NoError(t, err)
			call, err := client.Calls.Get(t.Context(), "call_1")
			if tt.err != nil {
				require.ErrorIs(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "call_1", call.ID)
		})
	}
}

func TestAnExportOfAFakeTransportMayHaveNoBody(t *testing.T) {
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{
		Transport: roundTripFunc(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: http.StatusOK}, nil }),
	}))
	require.NoError(t, err)
	require.NoError(t, client.BatchCalls.Records.Export(t.Context(), "batch_1", io.Discard, videosdk.BatchRecordExportParams{}))
}

// blanks returns a body of so many spaces.
func blanks(size int) io.ReadCloser {
	return io.NopCloser(strings.NewReader(strings.Repeat(" ", size)))
}

func TestTheHTTPClientOfTheCallerIsLeftAlone(t *testing.T) {
	srv := newServer(t)
	var dials atomic.Int64
	dialer := &net.Dialer{}
	original := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return dialer.DialContext(ctx, network, address)
		},
		MaxIdleConns: 7,
	}
	defer original.CloseIdleConnections()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	httpClient := &http.Client{Transport: original, Jar: jar, Timeout: time.Hour}
	before := *httpClient
	ping := func() {
		resp, err := httpClient.Get(srv.URL + "/healthz")
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body) // or the connection is not kept
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}

	ping()
	client := newClient(t, srv, videosdk.WithHTTPClient(httpClient))
	require.NoError(t, listOnce(t, client))
	assert.EqualValues(t, 2, dials.Load(), "a pool of our own, filled by the caller's dialler")
	client.CloseIdleConnections()
	ping()
	assert.EqualValues(t, 2, dials.Load(), "the caller's connection is still open")

	assert.Same(t, original, httpClient.Transport)
	assert.Equal(t, before.Jar, httpClient.Jar)
	assert.Equal(t, before.Timeout, httpClient.Timeout)
	assert.Nil(t, httpClient.CheckRedirect)
	assert.Equal(t, 7, original.MaxIdleConns)
	assert.Nil(t, original.Proxy)
	require.NoError(t, listOnce(t, client), "it stays usable")
}

func TestTheTimeoutOfTheHTTPClientBecomesThatOfAnAttempt(t *testing.T) {
	tests := []struct {
		name    string
		timeout time.Duration
		opts    []videosdk.Option
		want    string
	}{
		{"if it has one", time.Millisecond, nil, "timeout of 1ms"},
		{"unless an option says otherwise", time.Hour, []videosdk.Option{videosdk.WithAttemptTimeout(2 * time.Millisecond)}, "timeout of 2ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, err := videosdk.New("key", "secret", append(tt.opts, videosdk.WithMaxRetries(0),
				videosdk.WithHTTPClient(&http.Client{Transport: stuck, Timeout: tt.timeout}))...)
			require.NoError(t, err)
			err = listOnce(t, client)
			require.ErrorIs(t, err, videosdk.ErrTimeout)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// net/http takes a negative timeout for none.
func TestANegativeTimeoutOfTheHTTPClientIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			select {
			case <-time.After(time.Second):
				return newRecorder(t, http.StatusOK, emptyPage).RoundTrip(req)
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
		})
		client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: slow, Timeout: -time.Second}))
		require.NoError(t, err)
		require.NoError(t, listOnce(t, client))
	})
}

func TestARedirectIsNeverFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer elsewhere.Close()
	for _, status := range []int{300, 301, 302, 303, 307, 308, 399} {
		srv := newServer(t)
		srv.Inject(statusFault(status, "Location", elsewhere.URL+"/steal?phone=%2B14155551234"))
		err := listOnce(t, newClient(t, srv, videosdk.WithHTTPClient(&http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { t.Error("the caller was asked"); return nil },
		})))
		var answer *videosdk.APIError
		require.ErrorAs(t, err, &answer)
		assert.Equal(t, status, answer.StatusCode)
		require.ErrorContains(t, err, "redirects are not followed, not to "+elsewhere.URL+")")
		assert.Len(t, srv.Requests(), 1)
		require.Error(t, getOne(t.Context(), newRecorder(t, status, `{"id":"call_1"}`).client()), "whatever it holds")
	}
}

func TestAClientPrintsItsBaseURLAndNothingElse(t *testing.T) {
	client, err := videosdk.New("key", "hunter2", videosdk.WithBaseURL("https://api.example.com"))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.Equal(t, "videosdk.Client(https://api.example.com)", fmt.Sprintf(verb, client), verb)
	}
	assert.Equal(t, "videosdk.Client(https://api.example.com)", client.LogValue().String())
	assert.Equal(t, "videosdk.Client(https://api.example.com)", slog.AnyValue(client).Resolve().String())
	var none *videosdk.Client
	assert.Equal(t, "videosdk.Client(nil)", fmt.Sprint(none))

	// A service is a struct with a client in it, and so may a user's be.
	holder := struct {
		Client *videosdk.Client
		client *videosdk.Client
	}{client, client}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		text := fmt.Sprintf(verb, holder) + fmt.Sprintf(verb, client.Calls) + fmt.Sprintf(verb, *client.Calls)
		assert.NotContains(t, text, "hunter2", verb)
		assert.NotContains(t, text, fmt.Sprintf("%x", "hunter2"), verb)
	}
}

func TestTheInnermostMiddlewareCanCloseTheConnections(t *testing.T) {
	pool := &brokenPool{}
	_, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: pool}),
		videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			(&http.Client{Transport: next}).CloseIdleConnections()
			return next
		}))
	require.NoError(t, err)
	assert.True(t, pool.closed)
}

func TestAnAttemptThatEndsBeforeThereIsAConnectionSaysSo(t *testing.T) {
	tests := []struct {
		name     string
		connects bool
		patience time.Duration // of the caller
		want     string
	}{
		{"at the attempt timeout", false, time.Minute, "/v2/sip/call: no connection yet: no complete answer within the attempt timeout of 30s ("},
		{"at the caller's deadline", false, time.Second, "/v2/sip/call: no connection yet: context deadline exceeded ("},
		{"and does not where there is one", true, time.Minute, "/v2/sip/call: no complete answer within the attempt timeout of 30s ("},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				over := make(chan struct{})
				defer close(over)
				dial := func(context.Context, string, string) (net.Conn, error) {
					if !tt.connects {
						<-over
						return nil, net.ErrClosed
					}
					near, far := net.Pipe()
					go func() { _, _ = io.Copy(io.Discard, far) }()
					return near, nil
				}
				client, err := videosdk.New("key", "secret", videosdk.WithBaseURL("http://127.0.0.1"), videosdk.WithMaxRetries(0),
					videosdk.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: dial}}))
				require.NoError(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), tt.patience)
				defer cancel()

				err = errorOf(client.Calls.Create(ctx, validCall()))
				require.ErrorIs(t, err, videosdk.ErrTimeout)
				assert.ErrorContains(t, err, tt.want)
			})
		})
	}
}
