package videosdktest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// Whatever testing hands out will do.
var _ videosdktest.TB = testing.TB(nil)

// fakeTest is a test whose end and whose log can be looked at.
type fakeTest struct {
	mu       sync.Mutex
	cleanups []func()
	lines    []string
	ended    bool
	late     int // lines after the end, for which a real test panics
}

func (f *fakeTest) Helper()          {}
func (f *fakeTest) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *fakeTest) Logf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, fmt.Sprintf(format, args...))
	if f.ended {
		f.late++
	}
}

func (f *fakeTest) end() {
	for _, cleanup := range f.cleanups {
		cleanup()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
}

func (f *fakeTest) log() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.lines, "\n")
}

func TestAServerOfATestClosesItself(t *testing.T) {
	var test fakeTest
	srv := videosdktest.NewServer(videosdktest.WithTB(&test))
	resp, err := srv.HTTPClient().Get(srv.URL + "/healthz")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	test.end()

	_, err = srv.HTTPClient().Get(srv.URL + "/healthz") //nolint:bodyclose // there is none
	assert.Error(t, err)
	srv.Close() // again, as a test does that was written before
}

func TestAServerOfATestLogsEachRequestWithWhatCameOfIt(t *testing.T) {
	var test fakeTest
	a := newAPI(t, videosdktest.WithTB(&test))
	defer test.end()
	tests := []struct {
		name   string
		does   func()
		logged string
	}{
		{"a success", func() { a.post("/v2/rooms", `{}`) }, "videosdktest: POST /v2/rooms: 200"},
		{"a query", func() { a.get("/v2/sip/call?page=1") }, "videosdktest: GET /v2/sip/call?page=1: 200"},
		{"a refusal, with its reason", func() { a.post("/v2/sip/call", `{}`) },
			`videosdktest: POST /v2/sip/call: 400 {"message":"sipCallTo is required"}`},
		{"an unknown path", func() { a.get("/nowhere") }, `videosdktest: GET /nowhere: 404 {"message":"Route not found"}`},
		{"a fault", func() {
			a.Inject(videosdktest.Fault{Status: http.StatusServiceUnavailable})
			a.get("/v2/sip/webhooks")
		}, `videosdktest: GET /v2/sip/webhooks: 503 {"message":"Service Unavailable"}`},
		{"a connection that is dropped", func() {
			a.Inject(videosdktest.Fault{Method: http.MethodPost, Drop: videosdktest.DropAfterActing})
			resp, err := a.HTTPClient().Post(a.URL+"/v2/rooms", "application/json", nil)
			if err == nil {
				resp.Body.Close()
			}
		}, "videosdktest: POST /v2/rooms: the connection is dropped"},
		{"an answer that is cut short", func() {
			a.Inject(videosdktest.Fault{Drop: videosdktest.DropMidBody})
			resp, err := a.HTTPClient().Get(a.URL + "/healthz")
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body) // until it breaks, which is after it is logged
				resp.Body.Close()
			}
		}, "videosdktest: GET /healthz: 200\nvideosdktest: GET /healthz: the connection is dropped"},
	}
	var all []string
	for _, tt := range tests {
		t.Run(tt.name, func(*testing.T) { tt.does() })
		all = append(all, tt.logged)
	}
	assert.Equal(t, strings.Join(all, "\n"), test.log())
	assert.NotContains(t, test.log(), a.Secret)
}

func TestAServerOfATestLogsEachDeliveryWithWhatCameOfIt(t *testing.T) {
	var test fakeTest
	r := &receiver{answer: func(n int) (int, error) {
		switch n {
		case 1:
			return 0, errors.New("connection refused")
		case 2:
			return http.StatusNotFound, nil
		default:
			return http.StatusOK, nil
		}
	}}
	hooked(t, r, func(_ *testing.T, a api) {
		a.subscribe("https://user:pass@example.com/hook?token=random", "call-started")
		a.call("")
		wait(time.Minute)
	}, videosdktest.WithTB(&test))

	var logged []string
	for _, line := range test.lines {
		if strings.Contains(line, "call-started") {
			logged = append(logged, line)
		}
	}
	assert.Equal(t, []string{
		"videosdktest: call-started to https://example.com/hook: connection refused",
		"videosdktest: call-started to https://example.com/hook: 404",
		"videosdktest: call-started to https://example.com/hook: 200",
	}, logged, "and not what only the receiver may know")
}

func TestAServerOfATestLogsNothingOnceTheTestHasEnded(t *testing.T) {
	var test fakeTest
	srv := videosdktest.NewServer(videosdktest.WithTB(&test))
	srv.Inject(videosdktest.Fault{Times: -1, Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/healthz", nil)
			if err != nil {
				return
			}
			if resp, err := srv.HTTPClient().Do(req); err == nil {
				resp.Body.Close()
			}
		})
	}
	test.end() // in the middle of them
	clients.Wait()
	assert.Zero(t, test.late)
}

// slowTest takes its time to be told something.
type slowTest struct {
	fakeTest
	told chan struct{}
}

func (s *slowTest) Logf(string, ...any) { <-s.told }

func TestCloseWaitsForARequestThatIsBeingAnswered(t *testing.T) {
	test := &slowTest{}
	bubble(t, func(t *testing.T, a api) {
		test.told = make(chan struct{})
		go a.reaches(time.Minute, roomsPath, `{}`)
		synctest.Wait()
		done := make(chan struct{})
		go func() {
			defer close(done)
			a.Close()
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Error("it has not")
		default:
		}
		close(test.told)
		<-done
	}, videosdktest.WithTB(test))
}

func TestAServerOfATestLogsNoDeliveryOnceTheTestHasEnded(t *testing.T) {
	var test fakeTest
	hooked(t, &receiver{answer: func(int) (int, error) { return http.StatusInternalServerError, nil }}, func(_ *testing.T, a api) {
		a.subscribe("https://example.com/hook", lifeEvents()...)
		a.call("")
		test.end() // in the middle of them
		wait(time.Minute)
	}, videosdktest.WithTB(&test))
	assert.Zero(t, test.late)
}

func TestAServerOfATestLivesInItsBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := videosdktest.NewServer(videosdktest.WithTB(t), videosdktest.InMemory())
		resp, err := srv.HTTPClient().Get(srv.URL + "/healthz")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusOK, resp.StatusCode)
	})
}

// fakeBenchmark is known by its method, as a *testing.B is.
type fakeBenchmark struct{ fakeTest }

func (*fakeBenchmark) Loop() bool { return false }

var _ interface{ Loop() bool } = (*testing.B)(nil)

func TestAServerOfABenchmarkClosesItselfAndLogsNothing(t *testing.T) {
	var benchmark fakeBenchmark
	hooked(t, &receiver{}, func(_ *testing.T, a api) {
		a.subscribe("https://example.com/hook", "call-started")
		a.call("")
		wait(time.Minute)
		benchmark.end()
		_, err := a.HTTPClient().Get(a.URL + "/healthz") //nolint:bodyclose // there is none
		require.Error(t, err)
	}, videosdktest.WithTB(&benchmark))
	assert.Empty(t, benchmark.log())
}

func TestAServerOfATestTellsAtItsEndOfFaultsThatNothingMet(t *testing.T) {
	var test fakeTest
	srv := videosdktest.NewServer(videosdktest.WithTB(&test))
	srv.Inject(videosdktest.Fault{Method: http.MethodPost, Path: "/v2/sip/cal", Drop: videosdktest.DropAfterActing})
	srv.Inject(videosdktest.Fault{Times: 3, Status: http.StatusTooManyRequests})
	srv.Inject(videosdktest.Fault{Times: -1, Status: http.StatusConflict})
	resp, err := srv.HTTPClient().Get(srv.URL + "/healthz")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	test.end()

	assert.Contains(t, test.log(), "\nvideosdktest: POST /v2/sip/cal: a fault is left over, 1 to come"+
		"\nvideosdktest: any method, any path: a fault is left over, 2 to come")
}

func FuzzAServerOfAFuzzTestAnswersItsTarget(f *testing.F) {
	srv := videosdktest.NewServer(videosdktest.WithTB(f))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		resp, err := srv.HTTPClient().Post(srv.URL+"/v2/sip/call", "application/json", bytes.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)

		srv.Inject(videosdktest.Fault{Method: http.MethodPost, Drop: videosdktest.DropAfterActing})
		_, err = srv.HTTPClient().Post(srv.URL+"/v2/sip/call", "application/json", bytes.NewReader(body)) //nolint:bodyclose // there is none
		assert.Error(t, err)
	})
}

func TestProgramsThatRunAServerDoNotHavePackageTesting(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	assert.Contains(t, packages, "net/http")
	assert.NotContains(t, packages, "testing")
	assert.NotContains(t, packages, "github.com/videosdk-sip-go/videosdk", "what is tested must not be needed by what tests it")
}
