package videosdk_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// newServer starts an emulator that is closed when the test ends.
func newServer(t *testing.T, opts ...videosdktest.Option) *videosdktest.Server {
	t.Helper()
	srv := videosdktest.NewServer(opts...)
	t.Cleanup(srv.Close)
	return srv
}

// inMemoryURL is where every server is that was made with
// videosdktest.InMemory, as all are that live in a synctest bubble.
const inMemoryURL = "http://localhost"

// newClient returns a client of the server. Inside a bubble it waits between
// attempts as it would in production, in virtual time; outside it does not
// wait.
func newClient(t *testing.T, srv *videosdktest.Server, opts ...videosdk.Option) *videosdk.Client {
	t.Helper()
	all := []videosdk.Option{videosdk.WithBaseURL(srv.URL), videosdk.WithHTTPClient(srv.HTTPClient())}
	if srv.URL != inMemoryURL {
		all = append(all, videosdk.WithRetryWait(0, 0))
	}
	client, err := videosdk.New(srv.APIKey, srv.Secret, append(all, opts...)...)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// recorder stands in for the network: it keeps each request and answers it
// with the next of its canned answers, the last one again and again.
type recorder struct {
	t *testing.T

	mu       sync.Mutex
	answers  []cannedAnswer
	requests []recordedRequest
}

// recordedRequest is a request as a server would see it.
type recordedRequest struct {
	Method string
	Path   string // escaped, as sent
	Query  string // raw
	Header http.Header
	Body   []byte // nil if there was none
}

type cannedAnswer struct {
	status int
	header http.Header
	body   string
}

// newRecorder returns a recorder that answers with the status and body. Their
// type is JSON.
func newRecorder(t *testing.T, status int, body string) *recorder {
	t.Helper()
	return (&recorder{t: t}).then(status, body)
}

// then adds an answer after those that the recorder has. header holds names
// and values in turn.
func (r *recorder) then(status int, body string, header ...string) *recorder {
	r.t.Helper()
	require.Zero(r.t, len(header)%2, "a header without a value")
	answer := cannedAnswer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
	for i := 0; i < len(header); i += 2 {
		answer.header.Set(header[i], header[i+1])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = append(r.answers, answer)
	return r
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		assert.NoError(r.t, err)
		assert.NoError(r.t, req.Body.Close())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, recordedRequest{
		Method: req.Method, Path: req.URL.EscapedPath(), Query: req.URL.RawQuery, Header: req.Header.Clone(), Body: body,
	})
	answer := r.answers[0]
	if len(r.answers) > 1 {
		r.answers = r.answers[1:]
	}
	return &http.Response{
		StatusCode:    answer.status,
		Header:        answer.header.Clone(),
		Body:          io.NopCloser(strings.NewReader(answer.body)),
		ContentLength: int64(len(answer.body)),
		Request:       req,
	}, nil
}

// all returns the requests so far.
func (r *recorder) all() []recordedRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// last returns the latest request.
func (r *recorder) last() recordedRequest {
	r.t.Helper()
	requests := r.all()
	require.NotEmpty(r.t, requests, "nothing was sent")
	return requests[len(requests)-1]
}

// client returns a client whose requests end at the recorder. It does not wait
// between attempts.
func (r *recorder) client(opts ...videosdk.Option) *videosdk.Client {
	r.t.Helper()
	all := []videosdk.Option{videosdk.WithHTTPClient(&http.Client{Transport: r}), videosdk.WithRetryWait(0, 0)}
	client, err := videosdk.New("test-key", "test-secret", append(all, opts...)...)
	require.NoError(r.t, err)
	return client
}

// roundTripFunc is a transport, or a middleware, that is one function.
type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// stuck is a transport to a server that does not answer.
var stuck = roundTripFunc(func(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
})
