package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/jobtest"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHelp(t *testing.T) {
	jobtest.Help(t, run, "-numbers", "-agent", "-addr", "-url", "-log")
}

func TestEmulatedCallsComeInAndAreLogged(t *testing.T) {
	jobtest.WithoutCredentials(t)
	file := filepath.Join(t.TempDir(), "calls.jsonl")

	out, err := jobtest.Output(t, run, "-log", file)

	require.NoError(t, err)
	assert.Contains(t, out, "emulator")
	var statuses []string
	for _, match := range regexp.MustCompile(`calls \+14155550100: (.*)`).FindAllStringSubmatch(out, -1) {
		statuses = append(statuses, match[1])
	}
	assert.Equal(t, []string{"incoming", "ringing", "answered", "ended", "incoming", "ringing", "abandoned"}, statuses, "each once")
	assert.Contains(t, out, "an event of another kind")
	records := readLog(t, file)
	require.Len(t, records, 2)
	assert.Equal(t, videosdk.CallEnded, records[0].Status)
	assert.Positive(t, records[0].Seconds)
	assert.Equal(t, videosdk.CallAbandoned, records[1].Status)
	assert.Equal(t, "+14155550199", records[1].From)
}

func readLog(t *testing.T, file string) (records []record) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		var r record
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		records = append(records, r)
	}
	return records
}

// address is the public one of a program that listens on whatever port.
type address struct {
	*httptest.Server
	behind atomic.Pointer[url.URL]
}

func newAddress(t *testing.T) *address {
	t.Helper()
	a := &address{}
	a.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(a.behind.Load()) },
		// A connection that is opened and not used keeps Shutdown waiting for 5 s.
		Transport: &http.Transport{DisableKeepAlives: true},
	})
	t.Cleanup(a.Close)
	return a
}

// program is a run of the job.
type program struct {
	lines *bufio.Scanner
	stop  func() error
}

// start runs the job behind a public address, and waits until it is ready.
func start(t *testing.T, at *address, args ...string) *program {
	t.Helper()
	stdout, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append(args, "-addr", "127.0.0.1:0", "-url", at.URL+"/webhooks"), w, io.Discard)
		w.Close()
	}()
	p := &program{lines: bufio.NewScanner(stdout)}
	p.stop = func() error {
		cancel()
		go func() { _, _ = io.Copy(io.Discard, stdout) }()
		return <-ended
	}
	at.behind.Store(&url.URL{Scheme: "http", Host: p.awaitLine(t, `^receiving webhooks at (.*)`)})
	p.awaitLine(t, `^subscribed (.*)`)
	return p
}

// awaitLine reads on to a line, and returns what the expression finds in it.
func (p *program) awaitLine(t *testing.T, expression string) string {
	t.Helper()
	re := regexp.MustCompile(expression)
	for p.lines.Scan() {
		if match := re.FindStringSubmatch(p.lines.Text()); match != nil {
			return match[1]
		}
	}
	t.Fatalf("no line matches %s", expression)
	return ""
}

func TestCallsGoToTheAgentUntilTheProgramIsInterrupted(t *testing.T) {
	srv := jobtest.NewAccount(t, "+14155550100", "+14155550101", "+14155550102")
	client := jobtest.NewClient(t, srv)
	file := filepath.Join(t.TempDir(), "calls.jsonl")
	p := start(t, newAddress(t), "-numbers", "+14155550100,+14155550101", "-agent", "agent_support", "-log", file)

	srv.Callee("+14155550101").AnswersAfter(0).HangsUpAfter(time.Millisecond)
	callID, err := srv.InboundCall("+14155550199", "+14155550101")
	require.NoError(t, err)
	assert.Equal(t, callID, p.awaitLine(t, `^(\S+) .*: ended$`))
	require.NoError(t, p.stop())

	require.Len(t, readLog(t, file), 1)
	for rule, err := range client.RoutingRules.All(t.Context(), videosdk.RoutingRuleListParams{}) {
		require.NoError(t, err)
		assert.Equal(t, "agent_support", rule.AgentID)
		assert.Equal(t, []string{"+14155550100", "+14155550101"}, rule.PhoneNumbers)
	}
	for hook, err := range client.Webhooks.All(t.Context(), videosdk.WebhookListParams{}) {
		require.NoError(t, err)
		assert.Fail(t, "still subscribed", hook.URL)
	}
}

func TestASecondRunMakesNoSecondRule(t *testing.T) {
	srv := jobtest.NewAccount(t, "+14155550100", "+14155550101")
	for _, numbers := range []string{"+14155550100", "+14155550100,+14155550101", "+14155550101,+14155550100"} {
		require.NoError(t, start(t, newAddress(t), "-numbers", numbers, "-agent", "agent_support").stop())
	}
	assert.Equal(t, 2, creations(srv, "/v2/sip/routing-rule"), "one for each number that had none")
}

func TestASubscriptionThatWasLeftBehindIsUsedAgain(t *testing.T) {
	srv := jobtest.NewAccount(t, "+14155550100")
	at := newAddress(t)
	srv.Inject(videosdktest.Fault{Method: http.MethodDelete, Status: http.StatusForbidden}) // the first run cannot unsubscribe
	for range 2 {
		require.NoError(t, start(t, at, "-numbers", "+14155550100", "-agent", "agent_support").stop())
	}
	assert.Equal(t, 1, creations(srv, "/v2/sip/webhooks"))
	hooks, err := jobtest.NewClient(t, srv).Webhooks.List(t.Context(), videosdk.WebhookListParams{})
	require.NoError(t, err)
	assert.Empty(t, hooks.Items)
}

// creations counts the requests that create something.
func creations(srv *videosdktest.Server, route string) (n int) {
	for _, r := range srv.Requests() {
		if r.Method == http.MethodPost && r.Route == route {
			n++
		}
	}
	return n
}

func TestANumberOfAnotherAgentIsLeftToIt(t *testing.T) {
	srv := jobtest.NewAccount(t, "+14155550100")
	_, err := jobtest.NewClient(t, srv).RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
		Name: "Sales", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155550100"}, AgentID: "agent_sales",
	})
	require.NoError(t, err)
	srv.ResetRequests()

	_, err = jobtest.Output(t, run, "-numbers", "+14155550100", "-agent", "agent_support", "-addr", "127.0.0.1:0")

	assert.ErrorContains(t, err, `goes to agent "agent_sales"`)
	for _, r := range srv.Requests() {
		assert.Equal(t, http.MethodGet, r.Method)
	}
}

func TestWithoutNumbersAndAgentNothingIsDone(t *testing.T) {
	srv := jobtest.NewAccount(t, "+14155550100")
	for _, args := range [][]string{nil, {"-numbers", "+14155550100"}, {"-agent", "agent_support"}} {
		_, err := jobtest.Output(t, run, args...)
		assert.ErrorContains(t, err, "are needed")
	}
	assert.Empty(t, srv.Requests())
}
