package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// withoutCredentials hides those of the developer's own environment.
func withoutCredentials(t *testing.T) {
	t.Helper()
	for _, name := range []string{videosdk.EnvAPIKey, videosdk.EnvSecret, videosdk.EnvSecretKey, videosdk.EnvAuthToken, videosdk.EnvAPIEndpoint} {
		t.Setenv(name, "")
	}
}

func TestWithoutCredentialsTheEventsOfAnEmulatedCallAreReceived(t *testing.T) {
	withoutCredentials(t)
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &stdout, &stderr))
	assert.Equal(t, `event call-started: the call to +14155550199 is initiated
event call-ringing: the call to +14155550199 is ringing
event call-answered: the call to +14155550199 is answered
event call-hangup: the call to +14155550199 is ended
delivered: call-started answered 200
delivered: call-started answered 200
forged: call-hangup answered 401
`, stdout.String())
	assert.Contains(t, stderr.String(), "webhook refused")
}

func TestWithCredentialsItListensUntilItIsInterrupted(t *testing.T) {
	withoutCredentials(t)
	api := videosdktest.NewServer()
	defer api.Close()
	t.Setenv(videosdk.EnvAPIKey, api.APIKey)
	t.Setenv(videosdk.EnvSecret, api.Secret)
	t.Setenv(videosdk.EnvAPIEndpoint, api.URL)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	output, stdout := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-addr", "127.0.0.1:0", "-url", "https://example.com/webhooks"}, stdout, io.Discard)
	}()
	lines := bufio.NewScanner(output)
	require.True(t, lines.Scan())
	addr, found := strings.CutPrefix(lines.Text(), "listening on ")
	require.True(t, found, lines.Text())

	printed := make(chan string, 1)
	go func() {
		lines.Scan()
		printed <- lines.Text()
	}()
	status, err := api.Deliver(ctx, "http://"+addr+"/webhooks", []byte(`{"call-summary":"fine"}`))
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, `event "": 23 bytes`, <-printed)

	interrupt()
	require.NoError(t, <-done)
	var webhooks []string
	for _, request := range api.Requests() {
		if strings.HasPrefix(request.Route, "/v2/sip/webhooks") {
			webhooks = append(webhooks, request.Method)
		}
	}
	assert.Equal(t, []string{http.MethodPost, http.MethodDelete}, webhooks, "subscribed as long as it ran")
}

func TestASubscriptionThatIsLeftBehindIsTold(t *testing.T) {
	withoutCredentials(t)
	api := videosdktest.NewServer(videosdktest.WithTB(t))
	t.Setenv(videosdk.EnvAPIKey, api.APIKey)
	t.Setenv(videosdk.EnvSecret, api.Secret)
	t.Setenv(videosdk.EnvAPIEndpoint, api.URL)
	api.Inject(videosdktest.Fault{Method: http.MethodDelete, Status: http.StatusForbidden})
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	output, stdout := io.Pipe()
	go func() {
		_, _ = output.Read(make([]byte, 1)) // it is listening
		interrupt()
		_, _ = io.Copy(io.Discard, output)
	}()
	err := run(ctx, []string{"-addr", "127.0.0.1:0", "-url", "https://example.com/webhooks"}, stdout, io.Discard)
	require.NoError(t, stdout.Close())
	require.ErrorIs(t, err, videosdk.ErrForbidden)
	require.ErrorContains(t, err, "still subscribed")
}

func TestAProcessThatIsStoppedUnsubscribes(t *testing.T) {
	withoutCredentials(t)
	api := videosdktest.NewServer(videosdktest.WithTB(t))
	program := filepath.Join(t.TempDir(), "webhook-receiver")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(output))
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} { // SIGTERM from those who stop a container
		t.Run(signal.String(), func(t *testing.T) {
			process := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0", "-url", "https://example.com/webhooks")
			process.Env = append(os.Environ(), videosdk.EnvAPIKey+"="+api.APIKey, videosdk.EnvSecret+"="+api.Secret, videosdk.EnvAPIEndpoint+"="+api.URL)
			stdout, err := process.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, process.Start())
			lines := bufio.NewScanner(stdout)
			require.True(t, lines.Scan())
			require.Contains(t, lines.Text(), "listening on")

			require.NoError(t, process.Process.Signal(signal))
			assert.NoError(t, process.Wait())
			requests := api.Requests()
			assert.Equal(t, http.MethodDelete, requests[len(requests)-1].Method)
		})
	}
}

func TestWhatGoesWrongIsReturned(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"an address that cannot be listened on": {[]string{"-addr", "127.0.0.1:99999"}, "99999"},
		"a URL that is none":                    {[]string{"-addr", "127.0.0.1:0", "-url", "hook"}, "url"},
		"a flag that there is not":              {[]string{"-port", "1"}, "-port"},
	} {
		t.Run(name, func(t *testing.T) {
			withoutCredentials(t)
			t.Setenv(videosdk.EnvAuthToken, "token")
			err := run(t.Context(), tt.args, io.Discard, io.Discard)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestHelpExplainsEachFlag(t *testing.T) {
	var stderr bytes.Buffer
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, io.Discard, &stderr), flag.ErrHelp)
	for _, word := range []string{"-addr", "-url", "emulator", "VIDEOSDK_API_KEY"} {
		assert.Contains(t, stderr.String(), word)
	}
}
