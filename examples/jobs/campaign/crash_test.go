package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/jobtest"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// assassin stands between the program and the account. It kills the program when
// it dials for the nth time, before or after it lets the request through.
type assassin struct {
	mu     sync.Mutex
	dials  int
	at     int
	before bool
	victim *os.Process
}

func (a *assassin) handler(account *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(account) },
		ErrorLog: log.New(io.Discard, "", 0), // of the dead
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v2/sip/call" {
			proxy.ServeHTTP(w, r)
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.dials++
		if a.dials == a.at && a.before {
			_ = a.victim.Kill()
			return
		}
		answer := httptest.NewRecorder() // the account acts, and the program does not hear of it
		proxy.ServeHTTP(answer, r)
		if a.dials == a.at {
			_ = a.victim.Kill()
			return
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// A process that is killed (kill -9) runs nothing: no deferred function, no
// error path.
func TestNobodyIsCalledTwiceAlthoughTheProcessIsKilled(t *testing.T) {
	for _, a := range []*assassin{{at: 1, before: true}, {at: 1}, {at: 2}, {at: 3, before: true}} {
		t.Run(fmt.Sprintf("at dial %d, before it: %v", a.at, a.before), func(t *testing.T) {
			t.Parallel()
			srv := videosdktest.NewServer(videosdktest.WithTB(t), videosdktest.WithCallTiming(videosdktest.Timing{HangUp: time.Millisecond}))
			srv.AddPhoneNumbers("+14155550100")
			account, err := url.Parse(srv.URL)
			require.NoError(t, err)
			front := httptest.NewServer(a.handler(account))
			t.Cleanup(func() {
				front.Close()
				http.DefaultTransport.(*http.Transport).CloseIdleConnections()
			})
			args := []string{
				"-direct", "-csv", write(t, "+14155550101", "+14155550102", "+14155550103"), "-name", "spring", "-settle", "100ms", "-cps", "1000", "-calls", "1",
				"-from", "+14155550100", "-rule", jobtest.NewRule(t, srv, "+14155550100"), "-results", filepath.Join(t.TempDir(), "campaign.jsonl"),
			}
			for range 2 { // the first is killed
				program := exec.CommandContext(t.Context(), os.Args[0], args...)
				program.Env = append(os.Environ(), childVariable+"=yes", videosdk.EnvAPIKey+"="+srv.APIKey,
					videosdk.EnvSecret+"="+srv.Secret, videosdk.EnvAPIEndpoint+"="+front.URL)
				a.mu.Lock()
				require.NoError(t, program.Start())
				a.victim = program.Process
				a.mu.Unlock()
				err = program.Wait()
			}
			require.NoError(t, err)
			for _, number := range []string{"+14155550101", "+14155550102", "+14155550103"} {
				require.Equal(t, 1, srv.DialCount(number), number)
			}
		})
	}
}
