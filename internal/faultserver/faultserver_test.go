package faultserver

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The examples of RFC 7541, C.4: Huffman coding, and a table that grows.
func TestHeaderBlocksAreDecodedAsInTheRFC(t *testing.T) {
	var h hpack
	for _, example := range []struct {
		block  string
		fields []field
	}{
		{"828684418cf1e3c2e5f23a6ba0ab90f4ff",
			[]field{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "www.example.com"}}},
		{"828684be5886a8eb10649cbf",
			[]field{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "www.example.com"}, {"cache-control", "no-cache"}}},
		{"828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
			[]field{{":method", "GET"}, {":scheme", "https"}, {":path", "/index.html"}, {":authority", "www.example.com"}, {"custom-key", "custom-value"}}},
	} {
		block, err := hex.DecodeString(example.block)
		require.NoError(t, err)
		fields, err := h.decode(block)
		require.NoError(t, err)
		assert.Equal(t, example.fields, fields)
	}
	assert.Equal(t, 164, h.size)
}

func TestWhatIsNoHeaderBlockIsRefused(t *testing.T) {
	for name, block := range map[string][]byte{
		"an entry that no table has":     {0x80},
		"an entry after the last one":    {0xff, 0x00},
		"a number without an end":        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a string that is cut short":     {0x00, 0x05, 'a'},
		"padding that is none":           {0x00, 0x81, 0x00},
		"a table of another size":        {0x20},
		"a field that ends with its tag": {0x40},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := new(hpack).decode(block)
			assert.ErrorIs(t, err, errHPACK)
		})
	}
}

func TestALiteralSurvivesEncoding(t *testing.T) {
	want := []field{{"x-short", "1"}, {"x-long", strings.Repeat("long", 5000)}, {"x-prefix", strings.Repeat("7", 127)}}
	var block bytes.Buffer
	for _, f := range want {
		f.encode(&block)
	}
	got, err := new(hpack).decode(block.Bytes())
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// After a while a connection's table is full, and what is decoded depends on
// what was evicted from it.
func TestHeadersOutliveTheTableOfTheirConnection(t *testing.T) {
	s, client := serve(t, New, HTTP2)
	for n := range 200 {
		resp, _, err := post(t, client, fmt.Sprintf("%s/%d?%s", s.URL, n, strings.Repeat("x", n)), nil)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("POST /%d?%s a.b.c", n, strings.Repeat("x", n)), resp.Header.Get("X-Seen"))
	}
	assert.Equal(t, 1, s.Counts().Connections)
}

// echo answers what it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Seen", fmt.Sprint(r.Method, " ", r.URL, " ", r.Header.Get("Authorization")))
	_, _ = io.Copy(w, r.Body)
}

type starter func(protocol string, handler http.Handler) (*Server, error)

func serve(t *testing.T, start starter, protocol string) (*Server, *http.Client) {
	t.Helper()
	s, err := start(protocol, http.HandlerFunc(echo))
	require.NoError(t, err)
	t.Cleanup(s.Close)
	transport := s.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	return s, &http.Client{Transport: transport}
}

// onEach runs a test over each protocol, with a network and without.
func onEach(t *testing.T, test func(t *testing.T, s *Server, client *http.Client)) {
	for protocol, name := range map[string]string{HTTP1: "HTTP/1.1", HTTP2: "HTTP/2.0"} {
		t.Run(name, func(t *testing.T) {
			s, client := serve(t, New, protocol)
			test(t, s, client)
		})
		t.Run(name+" in memory", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, client := serve(t, NewInMemory, protocol)
				test(t, s, client)
			})
		})
	}
}

func post(t *testing.T, client *http.Client, url string, body []byte) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "a.b.c")
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp, got, err
}

func TestWithoutAFaultARequestIsActedOnAndAnswered(t *testing.T) {
	onEach(t, func(t *testing.T, s *Server, client *http.Client) {
		want := bytes.Repeat([]byte("more than the window of HTTP/2 "), 5<<20/32)
		for _, body := range [][]byte{[]byte("small"), want, nil} {
			resp, got, err := post(t, client, s.URL+"/a%2Fb?c=d", body)
			require.NoError(t, err)
			assert.Equal(t, "POST /a%2Fb?c=d a.b.c", resp.Header.Get("X-Seen"))
			assert.True(t, bytes.Equal(body, got), "%d bytes came back of %d", len(got), len(body))
			assert.Contains(t, strings.ReplaceAll(t.Name(), "_", " "), resp.Proto)
		}
		assert.Equal(t, Counts{Open: 1, Connections: 1, Begun: 3, Arrived: 3, Acted: 3, ActedOn: map[string]int{"POST /a%2Fb": 3}}, s.Counts())
	})
}

func TestFaultsAreMetInTurn(t *testing.T) {
	onEach(t, func(t *testing.T, s *Server, client *http.Client) {
		s.Next(Fault{Status: 500}, Fault{Break: Reset, At: OnRead, Acts: true}, Fault{Break: Close, At: OnAccept}, Fault{Status: 502})
		s.Always(Fault{Status: 503, Acts: true})

		resp, _, err := post(t, client, s.URL, nil)
		require.NoError(t, err)
		assert.Equal(t, 500, resp.StatusCode)
		_, _, err = post(t, client, s.URL, []byte("reset"))
		require.Error(t, err)
		// The old transport may still put the lost connection into its pool, take it
		// from there, and dial once more than there are requests.
		transport := s.Transport()
		defer transport.CloseIdleConnections()
		client = &http.Client{Transport: transport}
		_, _, err = post(t, client, s.URL, []byte("closed"))
		require.Error(t, err)
		for _, status := range []int{502, 503, 503} {
			resp, _, err = post(t, client, s.URL, nil)
			require.NoError(t, err)
			assert.Equal(t, status, resp.StatusCode)
		}
		seen := s.Counts()
		seen.Open = 0 // a connection that was lost may not have been noticed yet
		assert.Equal(t, Counts{Connections: 3, Begun: 5, Arrived: 5, Acted: 3, ActedOn: map[string]int{"POST /": 3}}, seen)
		s.ResetCounts()
		assert.Zero(t, s.Counts().Acted)
	})
}

func TestAnAnswerIsBentAsTheFaultSays(t *testing.T) {
	onEach(t, func(t *testing.T, s *Server, client *http.Client) {
		s.Next(
			Fault{Interim: 103, Header: http.Header{"Retry-After": {"7"}}, Bend: bytes.ToUpper},
			Fault{Framing: Unsized},
			Fault{Claim: 5},
			Fault{Break: Close, At: InBody, Sent: 2},
			Fault{Drip: 1},
			Fault{Status: 204, Acts: true},
		)
		resp, got, err := post(t, client, s.URL, []byte("text"))
		require.NoError(t, err)
		assert.Equal(t, "TEXT", string(got))
		assert.Equal(t, "7", resp.Header.Get("Retry-After"))

		resp, got, err = post(t, client, s.URL, []byte("text"))
		require.NoError(t, err)
		assert.Equal(t, "text", string(got))
		assert.EqualValues(t, -1, resp.ContentLength)

		resp, got, err = post(t, client, s.URL, []byte("text"))
		require.Error(t, err, "the answer claimed to be longer than it is")
		assert.EqualValues(t, 9, resp.ContentLength)
		assert.Equal(t, "text", string(got))
		client.CloseIdleConnections() // which the server closes as well, but perhaps after the next request

		_, got, err = post(t, client, s.URL, []byte("text"))
		require.Error(t, err)
		assert.Equal(t, "te", string(got))

		_, got, err = post(t, client, s.URL, []byte("text"))
		require.NoError(t, err)
		assert.Equal(t, "text", string(got))

		resp, got, err = post(t, client, s.URL, []byte("text"))
		require.NoError(t, err)
		assert.Equal(t, 204, resp.StatusCode)
		assert.Empty(t, got)
		assert.Equal(t, 6, s.Counts().Acted)
	})
}

func TestAServerThatRefusesIsNotReached(t *testing.T) {
	onEach(t, func(t *testing.T, s *Server, client *http.Client) {
		s.Refuse()
		_, _, err := post(t, client, s.URL, nil)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		assert.Equal(t, Counts{}, s.Counts())
	})
}

func TestABreakThatTheProtocolDoesNotHavePanics(t *testing.T) {
	assert.Panics(t, func() { (&wire1{}).breakOff(GoAwayAt) })
	assert.Panics(t, func() { (&stream{}).breakOff(Never) })
}
