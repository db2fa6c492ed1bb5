package videosdktest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestPendingFaultsAreThoseThatWereNotMet(t *testing.T) {
	a := newAPI(t)
	assert.Empty(t, a.PendingFaults())
	a.Inject(videosdktest.Fault{Path: "/v2/rooms/met", Status: http.StatusTeapot})
	a.Inject(videosdktest.Fault{Path: "/v2/rooms/half", Status: http.StatusTeapot, Times: 3})
	a.Inject(videosdktest.Fault{Path: "/v2/rooms/misspelt", Status: http.StatusTeapot, Header: http.Header{"X-A": {"b"}}})
	a.Inject(videosdktest.Fault{Path: "/v2/rooms/always", Status: http.StatusTeapot, Times: -1})
	for _, room := range []string{"met", "half", "always"} {
		a.get(roomsPath + "/" + room).must(http.StatusTeapot)
	}
	a.get(roomsPath + "/met").must(http.StatusPaymentRequired)

	pending := a.PendingFaults()
	assert.Equal(t, []videosdktest.Fault{
		{Path: "/v2/rooms/half", Status: http.StatusTeapot, Times: 2},
		{Path: "/v2/rooms/misspelt", Status: http.StatusTeapot, Times: 1, Header: http.Header{"X-A": {"b"}}},
	}, pending)

	pending[1].Header.Set("X-A", "changed")
	assert.Equal(t, "b", a.PendingFaults()[1].Header.Get("X-A"), "what is returned is the caller's")
	a.ClearFaults()
	assert.Empty(t, a.PendingFaults())
	a.get(roomsPath + "/always").must(http.StatusPaymentRequired)
}

func TestAFaultInWhichNothingGoesWrongLetsItsRequestsPass(t *testing.T) {
	a := newAPI(t)
	a.Inject(videosdktest.Fault{Path: roomsPath, Times: 2})
	a.Inject(videosdktest.Fault{Path: roomsPath, Status: http.StatusTeapot})
	for _, status := range []int{http.StatusOK, http.StatusOK, http.StatusTeapot, http.StatusOK} {
		a.post(roomsPath, `{}`).must(status)
	}
	assert.Empty(t, a.PendingFaults())
}

func TestAFaultOfARouteIsMetByItsPathsOnly(t *testing.T) {
	a := newAPI(t)
	a.Inject(videosdktest.Fault{Path: roomsPath + "/{anyName}", Times: -1, Status: http.StatusTeapot})
	a.get(roomsPath + "/any").must(http.StatusTeapot)
	a.post(roomsPath, `{}`).must(http.StatusOK)
	a.get(roomsPath + "/validate/any").must(http.StatusPaymentRequired)

	a.ClearFaults()
	a.Inject(videosdktest.Fault{Path: "/v2/{generation}", Status: http.StatusTeapot})
	a.post(roomsPath, `{}`).must(http.StatusOK)
	assert.Len(t, a.PendingFaults(), 1, "such a route there is not")
}

func TestInjectPanicsWhenNoAnswerHasSuchAStatus(t *testing.T) {
	a := newAPI(t)
	for _, status := range []int{-1, 100, 199, 600} {
		assert.PanicsWithValue(t, fmt.Sprintf("videosdktest: fault with status %d", status),
			func() { a.Inject(videosdktest.Fault{Status: status}) })
	}
	for _, status := range []int{200, 599} {
		a.Inject(videosdktest.Fault{Status: status})
		a.get(roomsPath + "/any").must(status)
	}
}

func TestAFaultStaysAsItWasInjected(t *testing.T) {
	a := newAPI(t)
	header := http.Header{"X-A": {"1"}}
	a.Inject(videosdktest.Fault{Times: 2, Header: header})
	a.get(roomsPath + "/any")
	header.Set("X-A", "2")
	assert.Equal(t, "1", a.get(roomsPath+"/any").header.Get("X-A"))
}

func TestOneDropOfAGETPassesUnseen(t *testing.T) {
	for name, drop := range map[string]videosdktest.Drop{
		"before reading": videosdktest.DropBeforeReading, "before acting": videosdktest.DropBeforeActing, "after acting": videosdktest.DropAfterActing,
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.get(roomsPath + "/any") // leaves a connection to be used again
			a.Inject(videosdktest.Fault{Drop: drop})
			a.get(roomsPath + "/any").must(http.StatusPaymentRequired)
			a.Inject(videosdktest.Fault{Drop: drop, Times: 2})
			resp, err := a.HTTPClient().Get(a.URL + roomsPath + "/any")
			if err == nil {
				resp.Body.Close()
			}
			assert.Error(t, err)
			assert.Empty(t, a.PendingFaults())
		})
	}
}

func TestTheServerHasActedWhenAnAnswerIsLate(t *testing.T) {
	const slow = 10 * time.Second
	tests := map[string]struct {
		fault        videosdktest.Fault
		patience     time.Duration
		answered     bool
		dials        int
		takes        time.Duration
		serverCloses bool
	}{
		"and comes":                      {fault: videosdktest.Fault{AnswerDelay: slow}, patience: time.Minute, answered: true, dials: 1, takes: slow},
		"for one who waits less":         {fault: videosdktest.Fault{AnswerDelay: slow}, patience: time.Second, dials: 1, takes: time.Second},
		"and then lost":                  {fault: videosdktest.Fault{AnswerDelay: slow, Drop: videosdktest.DropAfterActing}, patience: time.Minute, dials: 1, takes: slow},
		"after a delay before":           {fault: videosdktest.Fault{Delay: slow, AnswerDelay: slow}, patience: time.Minute, answered: true, dials: 1, takes: 2 * slow},
		"unless the fault answers":       {fault: videosdktest.Fault{Status: http.StatusBadGateway, AnswerDelay: slow}, patience: time.Minute, answered: true, takes: slow},
		"unless the request was dropped": {fault: videosdktest.Fault{AnswerDelay: slow, Drop: videosdktest.DropBeforeActing}, patience: time.Minute},
		"until the server closes":        {fault: videosdktest.Fault{AnswerDelay: slow}, patience: time.Minute, dials: 1, takes: time.Second, serverCloses: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				body := callByGateway(a.outboundGateway(), phone, "")
				a.Inject(tt.fault)
				if tt.serverCloses {
					time.AfterFunc(time.Second, a.Close)
				}

				began := time.Now()
				answered := a.reaches(tt.patience, callsPath, body)

				assert.Equal(t, tt.takes, time.Since(began))
				assert.Equal(t, tt.answered, answered)
				assert.Equal(t, tt.dials, a.DialCount(phone))
			})
		})
	}
}

func TestTheServerHasNotActedWhenARequestIsDelayed(t *testing.T) {
	const slow = 10 * time.Second
	for name, serverCloses := range map[string]bool{"for one who waits less": false, "until the server closes": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				body := callByGateway(a.outboundGateway(), phone, "")
				a.Inject(videosdktest.Fault{Delay: slow})
				patience := time.Second
				if serverCloses {
					patience = time.Minute
					time.AfterFunc(time.Second, a.Close)
				}

				began := time.Now()
				assert.False(t, a.reaches(patience, callsPath, body))

				assert.Equal(t, time.Second, time.Since(began))
				wait(time.Hour)
				assert.Empty(t, a.Dials())
			})
		})
	}
}

func TestTheAnswerOfAFaultIsCutShort(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Inject(videosdktest.Fault{Status: http.StatusBadGateway, Body: "0123456789", Drop: videosdktest.DropMidBody})
		resp, err := a.HTTPClient().Get(a.URL + roomsPath + "/any")
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, http.StatusBadGateway, resp.StatusCode)
		assert.Equal(t, "01234", string(body))
	})
}

func TestTheHeaderOfAFaultIsLaidOverThatOfTheAnswer(t *testing.T) {
	a := newAPI(t)
	a.Inject(videosdktest.Fault{Header: http.Header{"allow": {"nothing"}}})
	answer := a.delete(callsPath).must(http.StatusMethodNotAllowed)
	assert.Equal(t, []string{"nothing"}, answer.header.Values("Allow"))
	assert.NotEqual(t, "nothing", a.delete(callsPath).must(http.StatusMethodNotAllowed).header.Get("Allow"))
}

// reaches posts a body, and reports whether there was an answer in time.
func (a api) reaches(patience time.Duration, path, body string) bool {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL+path, strings.NewReader(body))
	require.NoError(a.t, err)
	req.Header.Set("Authorization", managementToken(a.t, a.Server))
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.HTTPClient().Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return true
}
