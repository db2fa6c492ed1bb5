package videosdk_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

func TestCallersShareTheirConnections(t *testing.T) {
	const callers, calls = 64, 50
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"data":{"id":"call_1","status":"answered"}}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(server.URL))
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range calls {
				_, err := client.Calls.Get(t.Context(), "call_1")
				assert.NoError(t, err)
			}
		})
	}
	group.Wait()
	// The pool keeps net/http from dialling ahead. A dial that has waited for a
	// quarter of a second goes on, so a slow machine may open a few more.
	t.Logf("%d callers opened %d connections for %d calls", callers, opened.Load(), callers*calls)
	assert.LessOrEqual(t, opened.Load(), int32(callers+callers/8))
}
