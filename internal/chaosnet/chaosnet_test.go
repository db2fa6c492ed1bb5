package chaosnet_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/chaosnet"
)

const (
	question = "a body that arrives whole or not at all"
	reply    = "an answer that arrives whole or not at all"
)

// peers are a server, and a client that reaches it by a network.
type peers struct {
	network *chaosnet.Network
	client  *http.Client
	url     string
	heard   atomic.Int64 // requests that the server has got whole
}

func connect(t *testing.T, chances chaosnet.Chances) *peers {
	t.Helper()
	p := &peers{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && string(body) == question {
			p.heard.Add(1)
			_, _ = io.WriteString(w, reply)
		}
	}))
	t.Cleanup(srv.Close)
	network, err := chaosnet.Start(srv.Listener.Addr().String(), chances)
	require.NoError(t, err)
	t.Cleanup(network.Close)
	transport := &http.Transport{DialContext: network.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	p.network, p.client, p.url = network, &http.Client{Transport: transport}, srv.URL
	return p
}

// ask reports whether the answer came whole.
func (p *peers) ask() bool {
	resp, err := p.client.Post(p.url, "text/plain", strings.NewReader(question))
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return err == nil && string(body) == reply
}

func TestEachFailureHappensAtItsMoment(t *testing.T) {
	p := connect(t, chaosnet.Chances{Seed: 1, Break: 0.5})
	answered := 0
	for range 500 {
		if p.ask() {
			answered++
		}
	}

	failures := p.network.Failures()
	for moment := chaosnet.BeforeRequest; moment <= chaosnet.AfterAnswer; moment++ {
		assert.Positive(t, failures[moment], moment.String())
	}
	unheard := failures[chaosnet.BeforeRequest] + failures[chaosnet.DuringRequest]
	assert.EqualValues(t, p.network.Requests()-unheard, p.heard.Load())
	lost := failures[chaosnet.BeforeAnswer] + failures[chaosnet.DuringAnswer]
	assert.LessOrEqual(t, int64(answered+lost), p.heard.Load())
	assert.GreaterOrEqual(t, int64(answered+lost+failures[chaosnet.AfterAnswer]), p.heard.Load(), "a reset may overtake an answer")
}

func TestANetworkWithoutFailuresCarriesEverything(t *testing.T) {
	p := connect(t, chaosnet.Chances{})
	for range 50 {
		require.True(t, p.ask())
	}
	assert.Equal(t, 50, p.network.Requests())
	assert.Empty(t, p.network.Failures())
}

func TestADialCanBeRefused(t *testing.T) {
	p := connect(t, chaosnet.Chances{Refusal: 1})
	_, err := p.client.Get(p.url)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	assert.Equal(t, "dial", op.Op)
	assert.Equal(t, map[chaosnet.Moment]int{chaosnet.Dialling: 1}, p.network.Failures())
	assert.Zero(t, p.heard.Load())
}

func TestTheSameSeedTakesTheSameDecisions(t *testing.T) {
	// Only refusals: which request meets which other failure depends on when
	// net/http notices that a connection is gone.
	run := func() (refused []bool) {
		p := connect(t, chaosnet.Chances{Seed: 7, Refusal: 0.5})
		p.client.Transport.(*http.Transport).DisableKeepAlives = true // a dial for each request
		for range 50 {
			refused = append(refused, !p.ask())
		}
		return refused
	}
	first := run()
	assert.Contains(t, first, true)
	assert.Contains(t, first, false)
	assert.Equal(t, first, run())
}
