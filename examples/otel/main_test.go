package main

import (
	"bytes"
	"flag"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// withoutCredentials hides those of the developer's own environment.
func withoutCredentials(t *testing.T) {
	for _, name := range []string{videosdk.EnvAPIKey, videosdk.EnvSecret, videosdk.EnvSecretKey, videosdk.EnvAuthToken, videosdk.EnvAPIEndpoint} {
		t.Setenv(name, "")
	}
}

func TestTheEmulatedAccountShowsATreeForEachCall(t *testing.T) {
	withoutCredentials(t)
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &stdout, &stderr))
	out := stdout.String()
	assert.Contains(t, out, "emulator")
	assert.Regexp(t, `(?m)^PhoneNumbers.List .*\n  GET .*=503 .*\n  GET .*=503 .*\n  GET .*=200 .*resend_count=2\nCalls.List`, out)
	assert.Regexp(t, `(?m)^Calls.Create .*maybe_applied=true.*\n  POST .*error.type=connection.*\nCalls.WaitAnswered`, out)
	assert.Regexp(t, `(?m)^videosdk.client.calls +5$`, out)
	assert.Regexp(t, `(?m)^videosdk.client.retries +2$`, out)
}

func TestARealAccountIsReadOnly(t *testing.T) {
	withoutCredentials(t)
	srv := videosdktest.NewServer(videosdktest.WithTB(t))
	t.Setenv(videosdk.EnvAPIKey, srv.APIKey)
	t.Setenv(videosdk.EnvSecret, srv.Secret)
	t.Setenv(videosdk.EnvAPIEndpoint, srv.URL)
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &stdout, &stderr))
	require.Len(t, srv.Requests(), 2)
	for _, r := range srv.Requests() {
		assert.Equal(t, http.MethodGet, r.Method)
		assert.NotEmpty(t, r.Header.Get("Traceparent"))
	}
	assert.NotContains(t, stdout.String(), srv.Secret)
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, &stdout, &stderr), flag.ErrHelp)
	for _, word := range []string{"-timeout", "emulator", videosdk.EnvAPIKey, videosdk.EnvSecret} {
		assert.Contains(t, stderr.String(), word)
	}
}
