package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// environment is what the first three lines of output say.
type environment struct{ endpoint, apiKey, secret string }

func readEnvironment(t *testing.T, output io.Reader) environment {
	t.Helper()
	lines := bufio.NewScanner(output)
	value := func(name string) string {
		require.True(t, lines.Scan(), "no line for %s", name)
		value, found := strings.CutPrefix(lines.Text(), name+"=")
		require.True(t, found, "%s is not %s", lines.Text(), name)
		return value
	}
	return environment{
		endpoint: value("VIDEOSDK_API_ENDPOINT"),
		apiKey:   value("VIDEOSDK_API_KEY"),
		secret:   value("VIDEOSDK_SECRET"),
	}
}

// do sends a request with a token of the environment, and requires a status.
func (e environment) do(t *testing.T, method, path, body string, status int) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"apikey": e.apiKey, "version": 2, "roles": []string{"crawler"}, "exp": time.Now().Add(time.Hour).Unix(),
	})
	signed, err := token.SignedString([]byte(e.secret))
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, e.endpoint+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", signed)
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, status, resp.StatusCode, "body: %s", content)
	return string(content)
}

// emulator is run in this process.
type emulator struct {
	environment
	t      *testing.T
	cancel context.CancelFunc
	exit   chan int
	stderr *bytes.Buffer
}

// start runs the emulator on a free port.
func start(t *testing.T, args ...string) *emulator {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	reader, writer := io.Pipe()
	e := &emulator{t: t, cancel: cancel, exit: make(chan int, 1), stderr: &bytes.Buffer{}}
	go func() {
		e.exit <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), writer, e.stderr)
	}()
	e.environment = readEnvironment(t, reader)
	return e
}

// stop ends the emulator, and returns its exit code and what it complained of.
func (e *emulator) stop() (code int, complaint string) {
	e.t.Helper()
	e.cancel()
	return <-e.exit, e.stderr.String()
}

const number = `{"name":"x","phoneNumbers":["+14155551234"],"inbound":{"sipRegion":"auto"},
	"outbound":{"sipRegion":"auto","address":"sip.example.com"}}`

// outboundGateway returns the id of the one that the environment has.
func (e environment) outboundGateway(t *testing.T) string {
	t.Helper()
	var page struct{ Data []struct{ ID string } }
	require.NoError(t, json.Unmarshal([]byte(e.do(t, http.MethodGet, "/v2/sip/outbound-gateways", "", http.StatusOK)), &page))
	require.Len(t, page.Data, 1)
	return page.Data[0].ID
}

func TestEmulatorServesUntilItIsStopped(t *testing.T) {
	e := start(t, "-api-key", "key", "-secret", "secret")
	assert.Equal(t, "key", e.apiKey)
	assert.Equal(t, "secret", e.secret)
	e.do(t, http.MethodGet, "/v2/sip/phone-numbers", "", http.StatusOK)

	code, complaint := e.stop()
	assert.Equal(t, exitOK, code)
	assert.Empty(t, complaint)
	_, err := http.Get(e.endpoint + "/healthz")
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestEmulatorTellsWithoutATokenThatItServes(t *testing.T) {
	e := start(t)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		req, err := http.NewRequestWithContext(t.Context(), method, e.endpoint+"/healthz", nil)
		require.NoError(t, err)
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusOK, resp.StatusCode, method)
	}
	code, _ := e.stop()
	assert.Equal(t, exitOK, code)
}

func TestEmulatorPacesCalls(t *testing.T) {
	e := start(t, "-ring", "0s", "-answer", "1h")
	e.do(t, http.MethodPost, "/v2/sip/phone-numbers", number, http.StatusCreated)
	e.do(t, http.MethodPost, "/v2/sip/call", `{"sipCallTo":"+14155550199","gatewayId":"`+e.outboundGateway(t)+`"}`, http.StatusOK)
	assert.Eventually(t, func() bool {
		return strings.Contains(e.do(t, http.MethodGet, "/v2/sip/call", "", http.StatusOK), `"status":"ringing"`)
	}, 5*time.Second, time.Millisecond)
	code, _ := e.stop()
	assert.Equal(t, exitOK, code)
}

func TestEmulatorKeepsItsAccount(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.json")
	before := start(t, "-state", state)
	before.do(t, http.MethodPost, "/v2/sip/phone-numbers", number, http.StatusCreated)
	code, _ := before.stop()
	require.Equal(t, exitOK, code)

	after := start(t, "-state", state)
	assert.Equal(t, before.apiKey, after.apiKey)
	assert.Equal(t, before.secret, after.secret)
	after.do(t, http.MethodGet, "/v2/sip/phone-numbers/%2B14155551234", "", http.StatusOK)
	code, _ = after.stop()
	assert.Equal(t, exitOK, code)
}

func TestEmulatorTellsThatItLostItsAccount(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	require.NoError(t, os.Mkdir(dir, 0o700))
	e := start(t, "-state", filepath.Join(dir, "state.json"))
	require.NoError(t, os.RemoveAll(dir))
	code, complaint := e.stop()
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, complaint, "videosdk-emulator: cannot write state")
}

func TestEmulatorDoesNotStart(t *testing.T) {
	taken := start(t)
	corrupt := filepath.Join(t.TempDir(), "state.json")
	require.NoError(t, os.WriteFile(corrupt, []byte("{"), 0o600))
	tests := []struct {
		name      string
		args      []string
		code      int
		complaint string
	}{
		{"on a port that is taken", []string{"-addr", strings.TrimPrefix(taken.endpoint, "http://")}, exitFailure,
			"videosdk-emulator: cannot listen on 127.0.0.1:"},
		{"from a corrupt state file", []string{"-addr", "127.0.0.1:0", "-state", corrupt}, exitFailure,
			"videosdk-emulator: state file " + corrupt + " is corrupt"},
		{"with an unknown flag", []string{"-port", "1"}, exitUsage, "flag provided but not defined: -port"},
		{"with a malformed duration", []string{"-ring", "soon"}, exitUsage, `invalid value "soon" for flag -ring`},
		{"with a negative duration", []string{"-hangup", "-1s"}, exitUsage, "ring, answer and hangup must not be negative"},
		{"with an argument", []string{"serve"}, exitUsage, `unexpected argument "serve"`},
		{"when asked for help", []string{"-h"}, exitOK, "Usage of videosdk-emulator"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, test.code, run(t.Context(), test.args, &stdout, &stderr))
			assert.Contains(t, stderr.String(), test.complaint)
			assert.Equal(t, test.code != exitFailure, strings.Contains(stderr.String(), "Usage of videosdk-emulator"))
			assert.Empty(t, stdout.String())
		})
	}
	taken.stop()
}

func TestEmulatorStopsWhenNobodyReadsItsOutput(t *testing.T) {
	reader, writer := io.Pipe()
	require.NoError(t, reader.CloseWithError(errors.New("nobody reads")))
	var stderr bytes.Buffer
	assert.Equal(t, exitFailure, run(t.Context(), []string{"-addr", "127.0.0.1:0"}, writer, &stderr))
	assert.Equal(t, "videosdk-emulator: nobody reads\n", stderr.String())
}

func TestEmulatorProcessEndsCleanlyOnSignals(t *testing.T) {
	program := filepath.Join(t.TempDir(), "videosdk-emulator")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))

	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			process := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0")
			stdout, err := process.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, process.Start())
			environment := readEnvironment(t, stdout)
			environment.do(t, http.MethodGet, "/v2/sip/phone-numbers", "", http.StatusOK)

			require.NoError(t, process.Process.Signal(signal))
			assert.NoError(t, process.Wait())
		})
	}
}
