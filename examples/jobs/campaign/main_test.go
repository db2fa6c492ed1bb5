package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/job"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/jobtest"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// childVariable makes the test binary the program itself, see crash_test.go.
const childVariable = "CAMPAIGN_TEST_IS_THE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		job.Main("campaign", run)
		return
	}
	goleak.VerifyTestMain(m)
}

func TestHelp(t *testing.T) {
	jobtest.Help(t, run, "-csv", "-name", "-from", "-rule", "-every", "-direct", "-results", "-cps", "-calls", "-ring", "-settle")
}

// write returns the name of a list with these numbers.
func write(t *testing.T, numbers ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "people.csv")
	list := "name,phoneNumber\n"
	for _, number := range numbers {
		list += "Ann," + number + "\n"
	}
	require.NoError(t, os.WriteFile(file, []byte(list), 0o600))
	return file
}

func TestTheEmulatedCampaignCallsEverybody(t *testing.T) {
	for _, args := range [][]string{nil, {"-direct", "-cps", "1000"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			jobtest.WithoutCredentials(t)
			var stdout, stderr bytes.Buffer
			require.NoError(t, run(t.Context(), args, &stdout, &stderr))
			assert.Contains(t, stdout.String(), "emulator")
			assert.Regexp(t, `(completed|ended) +10\n`, stdout.String())
			assert.Contains(t, stderr.String(), "100%")
		})
	}
}

func TestNothingIsDialledUnlessAllIsGiven(t *testing.T) {
	srv := jobtest.NewAccount(t)
	all := []string{"-csv", write(t, "+14155550101"), "-name", "spring", "-from", "+14155550100", "-rule", "rr_1"}
	for i := 0; i < len(all); i += 2 {
		_, err := jobtest.Output(t, run, append(append([]string{}, all[:i]...), all[i+2:]...)...)
		assert.ErrorContains(t, err, "nothing is dialled", "without %s", all[i])
	}
	assert.Empty(t, srv.Requests())
}

func TestAPaceThatCannotBeMeantCallsNobody(t *testing.T) {
	srv := jobtest.NewAccount(t, "+14155550100")
	all := []string{"-csv", write(t, "+14155550101"), "-name", "spring", "-from", "+14155550100",
		"-rule", jobtest.NewRule(t, srv, "+14155550100"), "-results", filepath.Join(t.TempDir(), "campaign.jsonl")}
	for _, pace := range []string{"-direct -calls=0", "-direct -calls=-1", "-direct -cps=0", "-direct -cps=-1", "-direct -cps=NaN", "-every=0", "-every=-1s"} {
		t.Run(pace, func(t *testing.T) {
			_, err := jobtest.Output(t, run, append(strings.Fields(pace), all...)...)
			assert.ErrorContains(t, err, "must be positive")
		})
	}
	assert.Empty(t, srv.Dials())
}

// What shows how far the campaign is may fail, as where stderr is a file on a disk that
// is full.
func TestACampaignGoesOnWithoutItsBar(t *testing.T) {
	for _, args := range [][]string{nil, {"-direct"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			jobtest.WithoutCredentials(t)
			var stdout bytes.Buffer
			full := writerFunc(func([]byte) (int, error) { return 0, syscall.ENOSPC })
			require.NoError(t, run(t.Context(), args, &stdout, full))
			assert.Regexp(t, `(completed|ended) +10\n`, stdout.String())
		})
	}
}

// batchAccount starts an account with people who hang up at once, and returns a
// campaign, and a client that does not wait long.
func batchAccount(t *testing.T) (*videosdktest.Server, *campaign, *videosdk.Client) {
	t.Helper()
	srv := videosdktest.NewServer(videosdktest.WithTB(t), videosdktest.WithCallTiming(videosdktest.Timing{HangUp: time.Millisecond}))
	srv.AddPhoneNumbers("+14155550100")
	c := &campaign{
		name: "spring", from: "+14155550100", rule: jobtest.NewRule(t, srv, "+14155550100"), every: time.Millisecond,
	}
	return srv, c, jobtest.NewClient(t, srv, videosdk.WithPollInterval(time.Millisecond, time.Second))
}

// delegated runs the campaign to its end.
func delegated(t *testing.T, c *campaign, client *videosdk.Client) (stdout string, err error) {
	t.Helper()
	var out strings.Builder
	err = c.delegate(t.Context(), client, []byte("name,phoneNumber\nAnn,+14155550101\nBen,+14155550102\n"), &out, io.Discard)
	return out.String(), err
}

func assertEachOnce(t *testing.T, srv *videosdktest.Server) {
	t.Helper()
	for _, number := range []string{"+14155550101", "+14155550102"} {
		assert.Equal(t, 1, srv.DialCount(number), number)
	}
	assert.Len(t, srv.Dials(), 2)
}

func TestVideoSDKDialsEverybodyOnce(t *testing.T) {
	t.Parallel()
	srv, c, client := batchAccount(t)
	out, err := delegated(t, c, client)
	require.NoError(t, err)
	assert.Regexp(t, `total +2\n`, out)
	assertEachOnce(t, srv)
	assert.Equal(t, map[string]any{"name": "Ann"}, srv.Dials()[0].Metadata)

	again, err := delegated(t, c, client)
	require.NoError(t, err)
	assert.Equal(t, out, again, "the same campaign")
	assertEachOnce(t, srv)
}

func TestALostAnswerMakesNoSecondCampaign(t *testing.T) {
	t.Parallel()
	srv, c, client := batchAccount(t)
	srv.Inject(videosdktest.Fault{Method: "POST", Path: "/v2/batch-calls", Drop: videosdktest.DropAfterActing})
	_, err := delegated(t, c, client)
	require.NoError(t, err)
	assertEachOnce(t, srv)
}

// As a process that is stopped with Ctrl-Z, and goes on when another has done the work.
func TestARunThatWasFrozenBeginsNoSecondCampaign(t *testing.T) {
	for _, frozenAfter := range []string{
		"GET /v2/batch-calls 1", "POST /v2/batch-calls/upload 1", "POST /v2/batch-calls/parse 1", "GET /v2/batch-calls 2",
	} {
		t.Run(frozenAfter, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := videosdktest.NewServer(videosdktest.WithTB(t), videosdktest.InMemory(),
					videosdktest.WithCallTiming(videosdktest.Timing{HangUp: 5 * time.Minute}))
				srv.AddPhoneNumbers("+14155550100")
				inMemory := videosdk.WithHTTPClient(srv.HTTPClient())
				client := jobtest.NewClient(t, srv, inMemory)
				rule, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
					Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
				})
				require.NoError(t, err)
				c := &campaign{name: "spring", from: "+14155550100", rule: rule.ID, every: time.Minute}
				sent := map[string]int{}
				freeze := jobtest.Intercept(func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
					answer, err := next.RoundTrip(req)
					request := req.Method + " " + req.URL.Path
					if sent[request]++; fmt.Sprint(request, " ", sent[request]) == frozenAfter {
						_, err := delegated(t, c, client)
						assert.NoError(t, err)
					}
					return answer, err
				})

				_, _ = delegated(t, c, jobtest.NewClient(t, srv, inMemory, freeze))
				assertEachOnce(t, srv)
			})
		})
	}
}

func TestALostRequestIsToldAndTheNextRunBegins(t *testing.T) {
	t.Parallel()
	srv, c, client := batchAccount(t)
	srv.Inject(videosdktest.Fault{Method: "POST", Path: "/v2/batch-calls", Drop: videosdktest.DropBeforeActing})
	_, err := delegated(t, c, client)
	require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	assert.Empty(t, srv.Dials())

	_, err = delegated(t, c, client)
	require.NoError(t, err)
	assertEachOnce(t, srv)
}

func TestACampaignGoesOnWithoutTheProgram(t *testing.T) {
	t.Parallel()
	srv, c, client := batchAccount(t)
	c.every = time.Hour // after which it would ask again
	srv.Callee("+14155550101").NeverAnswers()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout := writerFunc(func(p []byte) (int, error) {
		cancel() // as soon as it says that it is under way
		return len(p), nil
	})
	err := c.delegate(ctx, client, []byte("phoneNumber\n+14155550101\n+14155550102\n"), stdout, io.Discard)
	require.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "goes on without this program")

	require.NoError(t, srv.HangUp(srv.Dials()[0].CallID))
	c.every = time.Millisecond
	_, err = delegated(t, c, client)
	require.NoError(t, err)
	assertEachOnce(t, srv)
}

func TestVideoSDKIsNotGivenANumberTwice(t *testing.T) {
	t.Parallel()
	srv, c, client := batchAccount(t)
	list := "name,phoneNumber\nAnn,+14155550101\nBen,+14155550102\nAnna, +14155550101\n"
	require.NoError(t, c.delegate(t.Context(), client, []byte(list), io.Discard, io.Discard))
	assertEachOnce(t, srv)
	assert.Equal(t, map[string]any{"name": "Ann"}, srv.Dials()[0].Metadata)
}

func TestAListWithoutNumbersIsNotUploaded(t *testing.T) {
	t.Parallel()
	srv, c, client := batchAccount(t)
	err := c.delegate(t.Context(), client, []byte("name\nAnn\n"), io.Discard, io.Discard)
	require.ErrorContains(t, err, "phoneNumber")
	for _, request := range srv.Requests() {
		assert.NotContains(t, request.Path, "upload")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestTheProgramUsesTheAccountOfTheEnvironment(t *testing.T) {
	srv := jobtest.NewAccount(t, "+14155550100")
	srv.Callee("+14155550101").AnswersAfter(0).HangsUpAfter(time.Millisecond)
	out, err := jobtest.Output(t, run, "-csv", write(t, "+14155550101"), "-name", "spring", "-every", "1ms",
		"-from", "+14155550100", "-rule", jobtest.NewRule(t, srv, "+14155550100"))
	require.NoError(t, err)
	assert.NotContains(t, out, "emulator")
	assert.Equal(t, 1, srv.DialCount("+14155550101"))
}

func TestAListThatCannotBeMeantCallsNobody(t *testing.T) {
	tests := []struct{ name, list, problem string }{
		{"nothing", "", "phoneNumber"},
		{"no column of numbers", "name\nAnn\n", "phoneNumber"},
		{"rows of different lengths", "phoneNumber,name\n+14155550101\n", "wrong number of fields"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readPeople([]byte(tt.list))
			assert.ErrorContains(t, err, tt.problem)
		})
	}
}

func TestANumberThatIsThereTwiceIsOnePerson(t *testing.T) {
	people, err := readPeople([]byte("\ufeff PhoneNumber , name\n+14155550101,Ann\n+14155550102,Ben\n +14155550101,Anna\n"))
	require.NoError(t, err)
	assert.Equal(t, []person{
		{"+14155550101", map[string]any{"name": "Ann"}}, {"+14155550102", map[string]any{"name": "Ben"}},
	}, people)
}
