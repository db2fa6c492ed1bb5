package videosdktest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

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
