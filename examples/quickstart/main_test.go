package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// withoutCredentials hides those of the developer's own environment.
func withoutCredentials(t *testing.T) {
	for _, name := range []string{videosdk.EnvAPIKey, videosdk.EnvSecret, videosdk.EnvSecretKey, videosdk.EnvAuthToken, videosdk.EnvAPIEndpoint} {
		t.Setenv(name, "")
	}
}

func TestWithoutCredentialsAnEmulatedCallIsFollowedToItsEnd(t *testing.T) {
	withoutCredentials(t)
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(context.Background(), nil, &stdout, &stderr))
	assert.Empty(t, stderr.String())
	assert.Contains(t, stdout.String(), "emulator")
	assert.Regexp(t, `(?s)initiated\n  ringing\n  answered\nhanging up\ntimeline:\n.*initiated\n.*ringing\n.*answered\n.*ended\n$`, stdout.String())
}

// unanswered returns an emulator where nobody picks up, with a rule to dial by.
func unanswered(t *testing.T) (*videosdktest.Server, *videosdk.Client, *videosdk.RoutingRule) {
	t.Helper()
	server := videosdktest.NewServer(videosdktest.WithTB(t))
	server.AddPhoneNumbers(ourNumber)
	server.Callee(theirNumber).NeverAnswers()
	client, err := videosdk.New(server.APIKey, server.Secret, videosdk.WithBaseURL(server.URL))
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	rule, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
		Name: "out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ourNumber},
	})
	require.NoError(t, err)
	return server, client, rule
}

func TestWhoGivesUpHangsUp(t *testing.T) {
	server, client, rule := unanswered(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout bytes.Buffer

	err := dial(ctx, client, videosdk.CallCreateParams{From: ourNumber, To: theirNumber, RoutingRuleID: rule.ID},
		writerFunc(func(line string) {
			stdout.WriteString(line)
			if line == "  initiated\n" || line == "  ringing\n" {
				cancel()
			}
		}))

	require.ErrorIs(t, err, context.Canceled)
	assert.Contains(t, stdout.String(), "hanging up\n")
	call, err := client.Calls.Get(t.Context(), server.Dials()[0].CallID)
	require.NoError(t, err)
	assert.True(t, call.IsOver())
}

// There is no ID to hang up with unless the answer to the request is awaited.
func TestWhoGivesUpWhileDiallingHangsUp(t *testing.T) {
	server, _, rule := unanswered(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	client, err := videosdk.New(server.APIKey, server.Secret, videosdk.WithBaseURL(server.URL),
		videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(req *http.Request) (*http.Response, error) {
				answer, err := next.RoundTrip(req)
				if req.Method == http.MethodPost && req.URL.Path == "/v2/sip/call" {
					interrupt()
				}
				if req.Context().Err() != nil {
					return nil, errors.Join(req.Context().Err(), answer.Body.Close())
				}
				return answer, err
			})
		}))
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)

	err = dial(ctx, client, videosdk.CallCreateParams{From: ourNumber, To: theirNumber, RoutingRuleID: rule.ID}, io.Discard)

	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, server.Dials(), 1)
	call, err := client.Calls.Get(t.Context(), server.Dials()[0].CallID)
	require.NoError(t, err)
	assert.True(t, call.IsOver())
}

func TestNobodyIsDialledWhoWillNotBeWaitedFor(t *testing.T) {
	server, client, rule := unanswered(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := dial(ctx, client, videosdk.CallCreateParams{From: ourNumber, To: theirNumber, RoutingRuleID: rule.ID}, io.Discard)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, server.Dials())
}

// A process that is frozen, as with Ctrl-Z, before its request has left.
func TestNobodyIsDialledHoursLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := videosdktest.NewServer(videosdktest.WithTB(t), videosdktest.InMemory())
		frozen := false
		client, err := videosdk.New(server.APIKey, server.Secret, videosdk.WithBaseURL(server.URL), videosdk.WithHTTPClient(server.HTTPClient()),
			videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(req *http.Request) (*http.Response, error) {
					if !frozen {
						frozen = true
						<-time.After(time.Hour)
					}
					return next.RoundTrip(req)
				})
			}))
		require.NoError(t, err)
		defer client.CloseIdleConnections()
		err = dial(t.Context(), client, videosdk.CallCreateParams{From: ourNumber, To: theirNumber, RoutingRuleID: "rr_1"}, io.Discard)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
		assert.Empty(t, server.Requests())
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestAProcessThatIsStoppedHangsUp(t *testing.T) {
	withoutCredentials(t)
	program := filepath.Join(t.TempDir(), "quickstart")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(output))
	for name, tt := range map[string]struct {
		stop  func(*videosdktest.Server, *os.Process, io.Closer) error
		fails bool
	}{
		"it is asked to": {func(_ *videosdktest.Server, p *os.Process, _ io.Closer) error { return p.Signal(syscall.SIGTERM) }, true},
		"its terminal is closed": {func(_ *videosdktest.Server, p *os.Process, _ io.Closer) error {
			return p.Signal(syscall.SIGHUP)
		}, true},
		"nobody reads its output any more": {func(server *videosdktest.Server, _ *os.Process, stdout io.Closer) error {
			return errors.Join(stdout.Close(), server.SetCallStatus(server.Dials()[0].CallID, "answered"))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server, client, rule := unanswered(t)
			process := exec.CommandContext(t.Context(), program, "-from", ourNumber, "-to", theirNumber, "-rule", rule.ID)
			process.Env = append(os.Environ(),
				videosdk.EnvAPIKey+"="+server.APIKey, videosdk.EnvSecret+"="+server.Secret, videosdk.EnvAPIEndpoint+"="+server.URL)
			stdout, err := process.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, process.Start())
			lines := bufio.NewScanner(stdout)
			require.True(t, lines.Scan())
			require.Contains(t, lines.Text(), "dialling")

			require.NoError(t, tt.stop(server, process.Process, stdout))
			_, _ = io.Copy(io.Discard, stdout) // as long as anybody reads
			assert.Equal(t, tt.fails, process.Wait() != nil)
			call, err := client.Calls.Get(t.Context(), server.Dials()[0].CallID)
			require.NoError(t, err)
			assert.True(t, call.IsOver())
		})
	}
}

// writerFunc is called with each line that is written.
type writerFunc func(line string)

func (f writerFunc) Write(line []byte) (int, error) {
	f(string(line))
	return len(line), nil
}

func TestWithCredentialsNothingIsDialledUnlessAllIsGiven(t *testing.T) {
	withoutCredentials(t)
	server := videosdktest.NewServer()
	defer server.Close()
	t.Setenv(videosdk.EnvAPIKey, server.APIKey)
	t.Setenv(videosdk.EnvSecret, server.Secret)
	t.Setenv(videosdk.EnvAPIEndpoint, server.URL)
	for name, args := range map[string][]string{
		"nothing is given":      nil,
		"the rule is missing":   {"-from", ourNumber, "-to", theirNumber},
		"the callee is missing": {"-from", ourNumber, "-rule", "rr_1"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.NoError(t, run(context.Background(), args, &stdout, &stderr))
			assert.Contains(t, stdout.String(), "Nothing is dialled")
			assert.Empty(t, server.Dials())
		})
	}
}

func TestHelpExplainsEachFlag(t *testing.T) {
	var stdout, stderr bytes.Buffer
	err := run(context.Background(), []string{"-h"}, &stdout, &stderr)
	assert.True(t, errors.Is(err, flag.ErrHelp))
	for _, word := range []string{"-from", "-to", "-rule", "-timeout", "emulator", "VIDEOSDK_API_KEY"} {
		assert.Contains(t, stderr.String(), word)
	}
}
