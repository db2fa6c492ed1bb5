package main

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/jobtest"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHelp(t *testing.T) { jobtest.Help(t, run, "-once", "-every", "-since") }

func TestTheEmulatedCallsComeAndGo(t *testing.T) {
	jobtest.WithoutCredentials(t)
	out, err := jobtest.Output(t, run, "-every", "200ms") // the first call is over after 300 ms, before which it is looked for
	require.NoError(t, err)
	assert.Contains(t, out, "emulator")
	counts := regexp.MustCompile(`│ (\d) UP`).FindAllStringSubmatch(out, -1)
	require.NotEmpty(t, counts)
	assert.Equal(t, "5", counts[0][1])
	assert.Equal(t, "0", counts[len(counts)-1][1])
}

// account starts an account in which two calls are up and one is over.
func account(t *testing.T) *videosdktest.Server {
	t.Helper()
	srv := jobtest.NewAccount(t, "+14155550100")
	client := jobtest.NewClient(t, srv)
	ruleID := jobtest.NewRule(t, srv, "+14155550100")
	for _, to := range []string{"+14155550111", "+14155550112"} {
		_, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{To: to, From: "+14155550100", RoutingRuleID: ruleID})
		require.NoError(t, err)
	}
	require.NoError(t, srv.HangUp(srv.Dials()[1].CallID))
	_, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
		Name: "In", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155550100"},
	})
	require.NoError(t, err)
	_, err = srv.InboundCall("+14155550199", "+14155550100")
	require.NoError(t, err)
	srv.ResetRequests()
	return srv
}

func TestWhatIsUpIsShownAndNothingElse(t *testing.T) {
	srv := account(t)

	out, err := jobtest.Output(t, run, "-once")

	require.NoError(t, err)
	assert.Regexp(t, `→ │ \+14155550100 │ \+14155550111 │ \w+ +│ 0s +│ [a-z0-9-]+ │ Out`, out)
	assert.Regexp(t, `← │ \+14155550199 │ \+14155550100 │ \w+ +│ 0s +│ [a-z0-9-]+ │ In`, out)
	assert.NotContains(t, out, "+14155550112")
	assert.Less(t, strings.Index(out, "→"), strings.Index(out, "←"), "the oldest first")
	assert.NotContains(t, out, "\x1b", "this is no terminal")
	require.Len(t, srv.Requests(), 1)
	assert.Equal(t, http.MethodGet, srv.Requests()[0].Method)
	assert.NotEmpty(t, srv.Requests()[0].Query.Get("startDate"), "not the calls of all times")
}

// untilTables runs the job until it has printed so many tables.
func untilTables(t *testing.T, n int) (stdout string, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	err = run(ctx, []string{"-every", "1ms"}, writerFunc(func(p []byte) (int, error) {
		if strings.Contains(string(p), " UP") {
			n--
		}
		if n == 0 {
			cancel()
		}
		return out.Write(p)
	}), &bytes.Buffer{})
	return out.String(), err
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestItLooksAgainAndAgainUntilItIsInterrupted(t *testing.T) {
	srv := account(t)
	out, err := untilTables(t, 3)
	require.NoError(t, err)
	assert.Equal(t, 3, strings.Count(out, "2 UP"))
	assert.Len(t, srv.Requests(), 3)
}

func TestWhatWasSeenLastStaysWhenTheServerFails(t *testing.T) {
	srv := account(t)
	srv.Inject(videosdktest.Fault{}) // the first look is good
	srv.Inject(videosdktest.Fault{Status: http.StatusNotFound})
	out, err := untilTables(t, 3)
	require.NoError(t, err)
	assert.Equal(t, 3, strings.Count(out, "2 UP"))
	assert.Equal(t, 1, strings.Count(out, "not up to date"))
}

func TestATokenThatIsRefusedEndsIt(t *testing.T) {
	srv := account(t)
	srv.Inject(videosdktest.Fault{Times: -1, Status: http.StatusUnauthorized})
	_, err := jobtest.Output(t, run, "-every", "1ms")
	require.ErrorIs(t, err, videosdk.ErrUnauthorized)
	assert.NotContains(t, err.Error(), srv.Secret)
}

func TestNoPaceIsRefused(t *testing.T) {
	_, err := jobtest.Output(t, run, "-every", "0")
	require.ErrorContains(t, err, "-every")
}
