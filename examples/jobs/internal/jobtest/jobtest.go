// Package jobtest runs the jobs of this module in tests.
package jobtest

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// Run is the run function of a job.
type Run func(ctx context.Context, args []string, stdout, stderr io.Writer) error

// WithoutCredentials hides those of the developer's own environment.
func WithoutCredentials(t *testing.T) {
	for _, name := range []string{videosdk.EnvAPIKey, videosdk.EnvSecret, videosdk.EnvSecretKey, videosdk.EnvAuthToken, videosdk.EnvAPIEndpoint} {
		t.Setenv(name, "")
	}
}

// NewAccount starts an emulator that the job takes for the real account, with
// numbers of its own.
func NewAccount(t *testing.T, numbers ...string) *videosdktest.Server {
	t.Helper()
	WithoutCredentials(t)
	srv := videosdktest.NewServer(videosdktest.WithTB(t))
	if len(numbers) > 0 {
		srv.AddPhoneNumbers(numbers...)
	}
	t.Setenv(videosdk.EnvAPIKey, srv.APIKey)
	t.Setenv(videosdk.EnvSecret, srv.Secret)
	t.Setenv(videosdk.EnvAPIEndpoint, srv.URL)
	return srv
}

// NewClient returns a client of the emulator, to look at what the job has done.
func NewClient(t *testing.T, srv *videosdktest.Server, opts ...videosdk.Option) *videosdk.Client {
	t.Helper()
	client, err := videosdk.New(srv.APIKey, srv.Secret, append([]videosdk.Option{videosdk.WithBaseURL(srv.URL)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// Intercept has each request of a client sent by a function, which may hand it to next.
func Intercept(send func(next http.RoundTripper, req *http.Request) (*http.Response, error)) videosdk.Option {
	return videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) { return send(next, req) })
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// NewRule makes an outbound rule for a number.
func NewRule(t *testing.T, srv *videosdktest.Server, number string) (ruleID string) {
	t.Helper()
	rule, err := NewClient(t, srv).RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
		Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{number},
	})
	require.NoError(t, err)
	return rule.ID
}

// Output runs a job to its end, and returns what it printed.
func Output(t *testing.T, run Run, args ...string) (stdout string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	err = run(t.Context(), args, &out, &errOut)
	return out.String(), err
}

// Help checks that -h tells of the emulator, of the credentials and of flags.
func Help(t *testing.T, run Run, flags ...string) {
	t.Helper()
	WithoutCredentials(t)
	var stdout, stderr bytes.Buffer
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, &stdout, &stderr), flag.ErrHelp)
	for _, word := range append(flags, "emulator", videosdk.EnvAPIKey, videosdk.EnvSecret) {
		assert.Contains(t, stderr.String(), word)
	}
}
