package videosdk_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// visit is a request as seen by where it went.
type visit struct {
	origin, path string
	header       http.Header
}

// visits is a transport that keeps where requests went, and answers with the
// next of its answers, the last one again and again.
type visits struct {
	mu      sync.Mutex
	seen    []visit
	answers []string
}

func (v *visits) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen = append(v.seen, visit{req.URL.Scheme + "://" + req.URL.Host, req.URL.Path, req.Header.Clone()})
	answer := v.answers[0]
	if len(v.answers) > 1 {
		v.answers = v.answers[1:]
	}
	return answerOf(http.StatusOK, "application/json", answer), nil
}

// Whatever a method does, the token goes to the origin of the base URL, with
// every request but that for the public key, and nowhere else.
func TestTheTokenGoesToTheAPIAndNowhereElse(t *testing.T) {
	const api = "https://api.videosdk.live"
	type row struct {
		name    string
		call    func(context.Context, *videosdk.Client) error
		answers []string
	}
	var rows []row
	for _, golden := range goldens() {
		rows = append(rows, row{golden.of + " with " + golden.with, golden.call, []string{anyResource}})
	}
	for _, conversation := range conversations(t) {
		rows = append(rows, row{conversation.of + " with " + conversation.with, conversation.call, conversation.answers})
	}
	rows = append(rows, row{"WebhookKeys", func(ctx context.Context, c *videosdk.Client) error {
		return errorOf(c.WebhookKeys().Keys(ctx))
	}, []string{`{"publicKey":"none"}`}})

	elsewhere := 0
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			to := &visits{answers: row.answers}
			client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: to}))
			require.NoError(t, err)

			_ = row.call(t.Context(), client) // the answers do not matter here

			require.NotEmpty(t, to.seen)
			for _, visit := range to.seen {
				_, hasToken := visit.header["Authorization"]
				public := visit.path == "/v2/public/rsa-public-key"
				assert.Equal(t, visit.origin == api && !public, hasToken, "%s%s", visit.origin, visit.path)
				assert.NotContains(t, visit.header, "Cookie")
				if visit.origin != api {
					elsewhere++
					assert.Equal(t, http.Header{"Content-Type": {"text/csv"}}, visit.header, "nothing of ours")
				}
			}
		})
	}
	assert.Equal(t, 3, elsewhere, "each upload goes to a presigned URL")
}

// A webhook's address is for the server: this library only hands it over.
func TestTheURLOfAWebhookIsNotVisited(t *testing.T) {
	to := &visits{answers: []string{`{"id":"wh_1","url":"https://hooks.example.com/x"}`}}
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: to}))
	require.NoError(t, err)
	_, err = client.Webhooks.Create(t.Context(), validWebhook())
	require.NoError(t, err)
	require.Len(t, to.seen, 1)
	assert.Equal(t, "https://api.videosdk.live", to.seen[0].origin)
}

// redirections are where a server may send a client, seen from base.
func redirections(base, other string) map[string]string {
	return map[string]string{
		"the same place":     base + "/v2/sip/call",
		"a relative path":    "/v2/sip/other",
		"another host":       "https://evil.example/v2/sip/call",
		"another port":       "https://127.0.0.1:1/v2/sip/call",
		"a subdomain":        "https://api.127.0.0.1.nip.io/",
		"clear text":         strings.Replace(base, "https://", "http://", 1) + "/v2/sip/call",
		"another server":     other + "/steal",
		"without a scheme":   "//evil.example/x",
		"with user info":     "https://token@evil.example/",
		"another scheme":     "file:///etc/passwd",
		"what is no URL":     "https://[::1",
		"nothing":            "",
		"with a line break":  "https://evil.example/%0d%0aX: y",
		"a script":           "javascript:alert(1)",
		"a path up the tree": "../../../admin",
	}
}

func TestNoRedirectIsFollowedWhereverItLeads(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed with %v", r.Header)
	}))
	defer other.Close()
	var requests int
	var status int
	var location string
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
	}))
	defer api.Close()
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(api.URL),
		videosdk.WithHTTPClient(&http.Client{Transport: api.Client().Transport, Jar: jar{t}}), videosdk.WithRetryWait(0, 0), videosdk.WithMaxRetries(1))
	require.NoError(t, err)
	defer client.CloseIdleConnections()

	calls := map[string]func(context.Context) error{
		"a GET":    func(ctx context.Context) error { return errorOf(client.Calls.List(ctx, videosdk.CallListParams{})) },
		"a POST":   func(ctx context.Context) error { return errorOf(client.Calls.Create(ctx, validCall())) },
		"a DELETE": func(ctx context.Context) error { return errorOf(client.RoutingRules.Delete(ctx, "rr_1")) },
		"a HEAD":   func(ctx context.Context) error { return client.Do(ctx, http.MethodHead, "/v2/x", nil, nil) },
		"the key":  func(ctx context.Context) error { return errorOf(client.WebhookKeys().Keys(ctx)) },
	}
	for name, target := range redirections(api.URL, other.URL) {
		for what, call := range calls {
			for _, status = range []int{301, 302, 303, 307, 308} {
				t.Run(fmt.Sprintf("%d of %s to %s", status, what, name), func(t *testing.T) {
					requests, location = 0, target
					err := call(t.Context())
					var answer *videosdk.APIError
					require.ErrorAs(t, err, &answer)
					assert.Equal(t, status, answer.StatusCode)
					assert.ErrorContains(t, err, "redirects are not followed")
					assert.NotContains(t, err.Error(), "token@")
					assert.Equal(t, 1, requests, "one request, to the API")
				})
			}
		}
	}
}

// jar fails the test when it is asked for anything.

type jar struct{ t *testing.T }

func (j jar) SetCookies(*url.URL, []*http.Cookie) { j.t.Error("a cookie was kept") }
func (j jar) Cookies(*url.URL) []*http.Cookie     { j.t.Error("cookies were looked for"); return nil }

func TestARedirectOfAnUploadIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		recorder := newRecorder(t, http.StatusOK, goldenTicket).
			then(status, "", "Location", "https://evil.example/").then(http.StatusOK, "")
		_, err := recorder.client().BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
		require.ErrorContains(t, err, "redirects are not followed")
		assert.Len(t, recorder.all(), 2, "the ticket and the refused upload")
	}
}

// Each of its parts would be looked for in every error.
func TestAPresignedURLOfUnheardLengthIsNotUsed(t *testing.T) {
	for length, used := range map[int]bool{8 << 10: true, 8<<10 + 1: false, 9 << 20: false} {
		const before = "https://bucket.example.com/?X-Amz-Signature="
		recorder := newRecorder(t, http.StatusOK, `{"presignedUrl":"`+before+strings.Repeat("a", length-len(before))+`","batchId":"b"}`).
			then(http.StatusForbidden, "no")
		_, err := recorder.client().BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
		if used {
			require.ErrorIs(t, err, videosdk.ErrForbidden)
			continue
		}
		require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
		assert.Less(t, len(err.Error()), 1000)
		assert.Len(t, recorder.all(), 1, "the ticket was asked for, and nothing else")
	}
}

// proxy is an HTTP proxy: it tunnels, or refuses to, and keeps what it was told.
type proxy struct {
	*httptest.Server

	mu      sync.Mutex
	asked   []string
	headers []http.Header
}

func newProxy(t *testing.T, refuse int) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked, p.headers = append(p.asked, r.Method+" "+r.RequestURI), append(p.headers, r.Header.Clone())
		p.mu.Unlock()
		if refuse != 0 {
			w.WriteHeader(refuse)
			return
		}
		tunnel(w, r.RequestURI)
	}))
	t.Cleanup(p.Close)
	return p
}

// tunnel connects a client to an address until either of them hangs up.
func tunnel(w http.ResponseWriter, address string) {
	out, err := net.Dial("tcp", address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	in, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
	both.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
	both.Wait()
}

func TestAProxyOfTheCallersTransportTunnelsWithoutTheToken(t *testing.T) {
	var tokens []string
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, anyResource)
	}))
	defer api.Close()
	through := newProxy(t, 0)
	base := api.Client().Transport.(*http.Transport).Clone()
	base.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(through.URL) }
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(api.URL), videosdk.WithHTTPClient(&http.Client{Transport: base}))
	require.NoError(t, err)
	defer client.CloseIdleConnections()

	require.NoError(t, listOnce(t, client))

	require.Len(t, tokens, 1)
	assert.NotEmpty(t, tokens[0])
	assert.Equal(t, []string{"CONNECT " + strings.TrimPrefix(api.URL, "https://")}, through.asked)
	assert.NotContains(t, through.headers[0], "Authorization")
	assert.NotContains(t, fmt.Sprint(through.headers), tokens[0])
}

func TestAProxyThatRefusesIsNamedWithoutItsPassword(t *testing.T) {
	const password = "hunter2-of-the-proxy"
	tests := []struct {
		name     string
		answer   string // the line of its status, in which %s becomes what it was given for a password
		want     string // after its address
		attempts int
	}{
		{"it wants another password", "407 Proxy Authentication Required", " did not connect to api.videosdk.live:443: 407 Proxy Authentication Required", 1},
		{"it quotes the password", "407 not %s", " did not connect to api.videosdk.live:443: 407 Proxy Authentication Required", 1},
		{"it lets nobody go there", "403 Denied by policy", " did not connect to api.videosdk.live:443: 403 Forbidden", 1},
		{"it does not reach the server, and says no more", "502 ", " did not connect to api.videosdk.live:443: 502 Bad Gateway", 3},
		{"it is busy", "429", " did not connect to api.videosdk.live:443: 429 Too Many Requests", 3},
		{"it has lost patience", "408 Request Timeout", " did not connect to api.videosdk.live:443: 408 Request Timeout", 3},
		{"nobody is there", "", ": connect: connection refused", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			through := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := strings.ReplaceAll(tt.answer, "%s", r.Header.Get("Proxy-Authorization"))
				c, _, err := http.NewResponseController(w).Hijack()
				if assert.NoError(t, err) {
					_, _ = io.WriteString(c, "HTTP/1.1 "+answer+"\r\nContent-Length: 0\r\n\r\n")
					_ = c.Close()
				}
			}))
			defer through.Close()
			if tt.answer == "" {
				through.Close()
			}
			withPassword, err := url.Parse(through.URL)
			require.NoError(t, err)
			withPassword.User = url.UserPassword("user", password)
			client, err := videosdk.New("key", "secret", videosdk.WithMaxRetries(2), videosdk.WithRetryWait(0, 0),
				videosdk.WithHTTPClient(&http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(withPassword)}}))
			require.NoError(t, err)
			defer client.CloseIdleConnections()

			err = errorOf(client.Calls.Create(t.Context(), validCall()))
			var failure *videosdk.RequestError
			require.ErrorAs(t, err, &failure)
			assert.Contains(t, err.Error(), withPassword.Host+tt.want)
			assert.Equal(t, tt.attempts, failure.Attempts)
			assert.False(t, failure.MaybeApplied, "the request itself was never sent")
			encoded := base64.StdEncoding.EncodeToString([]byte("user:" + password))
			assertWithout(t, []string{password, encoded}, everyTextOf(err)...)
		})
	}
}

func TestTheAddressOfAProxyThatIsNoURLIsNotQuoted(t *testing.T) {
	for _, address := range []string{
		"http://user:hunter2#x@proxy.example.com:3128",
		"http://user:hunter2 x@proxy.example.com:3128",
		"http://user:x/hunter2\"@proxy.example.com:3128",
		"http://hunter2%@proxy.example.com:3128",
	} {
		t.Run(address, func(t *testing.T) {
			var logged lockedBuffer
			client, err := videosdk.New("key", "secret", videosdk.WithLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))),
				videosdk.WithHTTPClient(&http.Client{Transport: &http.Transport{
					Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(address) },
				}}))
			require.NoError(t, err)

			err = errorOf(client.Calls.Create(t.Context(), validCall()))
			var failure *videosdk.RequestError
			require.ErrorAs(t, err, &failure)
			assert.ErrorContains(t, err, "the address of the proxy is not a URL")
			assert.Equal(t, 1, failure.Attempts, "it will not become one")
			assert.False(t, failure.MaybeApplied)
			assertWithout(t, []string{"hunter2"}, append(everyTextOf(err), logged.String())...)
		})
	}
}

// childVariable makes this binary a program that places a request and ends: the
// environment's proxy is read once in a process.
const childVariable = "VIDEOSDK_TEST_CHILD"

func init() {
	if os.Getenv(childVariable) == "" {
		return
	}
	client, err := videosdk.New("key", "secret", videosdk.WithMaxRetries(0))
	if err == nil {
		_, err = client.Calls.List(context.Background(), videosdk.CallListParams{})
	}
	fmt.Println(err)
	os.Exit(0)
}

func TestTheProxyOfTheEnvironmentIsUsed(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	require.NoError(t, err)
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		through := newProxy(t, http.StatusForbidden)
		child := exec.CommandContext(t.Context(), program)
		child.Env = []string{childVariable + "=1", name + "=" + through.URL, "GORACE=atexit_sleep_ms=0"}
		printed, err := child.CombinedOutput()
		require.NoError(t, err, string(printed))
		through.Close() // after which nothing is added to what it keeps
		assert.Contains(t, string(printed), "Forbidden", "what the proxy said")
		assert.Equal(t, []string{"CONNECT api.videosdk.live:443"}, through.asked)
		assert.NotContains(t, through.headers[0], "Authorization")
	}
}

func TestTheServerMustBeWhoItSaysItIsAndSpeakModernTLS(t *testing.T) {
	tests := []struct {
		name   string
		server func(*tls.Config)
		client func(*tls.Config, *x509.CertPool)
		host   string
		text   string
	}{
		{"a certificate of nobody's", func(*tls.Config) {}, func(c *tls.Config, _ *x509.CertPool) { c.RootCAs = nil }, "127.0.0.1", "certificate"},
		{"a certificate for another name", func(*tls.Config) {}, func(c *tls.Config, pool *x509.CertPool) { c.RootCAs = pool }, "localhost", "certificate"},
		{"TLS 1.1", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
			func(c *tls.Config, pool *x509.CertPool) { c.RootCAs = pool }, "127.0.0.1", "protocol version"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			api := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token was sent") }))
			api.TLS = &tls.Config{}
			tt.server(api.TLS)
			api.Config.ErrorLog = log.New(io.Discard, "", 0)
			api.StartTLS()
			defer api.Close()
			pool := x509.NewCertPool()
			pool.AddCert(api.Certificate())
			config := &tls.Config{}
			tt.client(config, pool)
			client, err := videosdk.New("key", "secret", videosdk.WithRetryWait(0, 0),
				videosdk.WithBaseURL(strings.Replace(api.URL, "127.0.0.1", tt.host, 1)),
				videosdk.WithHTTPClient(&http.Client{Transport: &http.Transport{TLSClientConfig: config}}))
			require.NoError(t, err)
			defer client.CloseIdleConnections()

			err = errorOf(client.Calls.Create(t.Context(), validCall()))

			require.ErrorContains(t, err, tt.text)
			require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
		})
	}
}
