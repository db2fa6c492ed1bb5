package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/jobtest"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

const people = "phoneNumber\n+14155550101\n+14155550102\n+14155550103\n"

// world is an account in a bubble, whose list of calls lags behind by half a
// minute, and a campaign that has not begun. Calls take half a minute; none of
// it takes time.
type world struct {
	t   *testing.T
	srv *videosdktest.Server
	campaign
	list string
}

func inBubble(t *testing.T, f func(*world)) {
	t.Helper()
	results := filepath.Join(t.TempDir(), "campaign.jsonl")
	synctest.Test(t, func(t *testing.T) {
		srv := videosdktest.NewServer(videosdktest.WithTB(t), videosdktest.InMemory(), videosdktest.WithListDelay(30*time.Second),
			videosdktest.WithCallTiming(videosdktest.Timing{Ring: time.Second, Answer: 4 * time.Second, HangUp: 20 * time.Second}))
		srv.AddPhoneNumbers("+14155550100")
		w := &world{t: t, srv: srv, list: people, campaign: campaign{
			name: "spring", from: "+14155550100", results: results,
			cps: 2, calls: 2, ring: 30 * time.Second, settle: time.Minute,
		}}
		rule, err := w.client(srv.HTTPClient()).RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
			Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
		})
		require.NoError(t, err)
		w.rule = rule.ID
		srv.ResetRequests()
		f(w)
	})
}

func (w *world) client(by *http.Client) *videosdk.Client {
	return jobtest.NewClient(w.t, w.srv, videosdk.WithHTTPClient(by), videosdk.WithPollInterval(10*time.Second, time.Minute))
}

// run runs the program to its end.
func (w *world) run(ctx context.Context, by *http.Client) (stdout string, err error) {
	var out strings.Builder
	err = w.dial(ctx, w.client(by), []byte(w.list), &out, io.Discard)
	return out.String(), err
}

// finish runs the program, and checks that everybody was called once, whatever
// happened before.
func (w *world) finish() {
	w.t.Helper()
	out, err := w.run(w.t.Context(), w.srv.HTTPClient())
	require.NoError(w.t, err)
	require.Equal(w.t, "  ended          3\n", out)
	for _, number := range []string{"+14155550101", "+14155550102", "+14155550103"} {
		require.Equal(w.t, 1, w.srv.DialCount(number), number)
	}
}

func TestEverybodyIsCalledOnceAtThePaceThatWasAskedFor(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.finish()
		dials := w.srv.Dials()
		require.Len(w.t, dials, 3)
		assert.GreaterOrEqual(w.t, dials[1].Time.Sub(dials[0].Time), 500*time.Millisecond, "two in a second")
		assert.GreaterOrEqual(w.t, dials[2].Time.Sub(dials[0].Time), 25*time.Second, "two at once: the third waits for the end of a call")
		w.srv.ResetRequests()
		w.finish()
		assert.Empty(w.t, w.srv.Requests(), "nothing is left to do")
	})
}

// Its people would count as called, and those of a misspelt campaign be called twice.
func TestTheFileBelongsToOneCampaign(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.finish()
		before, err := os.ReadFile(w.results)
		require.NoError(w.t, err)
		w.srv.ResetRequests()
		w.name = "summer"
		_, err = w.run(w.t.Context(), w.srv.HTTPClient())
		require.ErrorContains(w.t, err, `another campaign than "summer"`)
		assert.Empty(w.t, w.srv.Requests())
		after, err := os.ReadFile(w.results)
		require.NoError(w.t, err)
		assert.Equal(w.t, string(before), string(after))
		w.name = "spring"
		w.finish()
	})
}

func TestAFileOfSomebodyElseIsLeftAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		const list = "name,number"
		require.NoError(w.t, os.WriteFile(w.results, []byte(list), 0o600))
		_, err := w.run(w.t.Context(), w.srv.HTTPClient())
		require.ErrorContains(w.t, err, "not a file of results")
		after, err := os.ReadFile(w.results)
		require.NoError(w.t, err)
		assert.Equal(w.t, list, string(after))
	})
}

// death is a way in which the program ends with a request.
type death int

const (
	beforeTheRequest death = iota // it has not left
	afterTheAnswer                // it has been answered
	onTheWay                      // it arrives all the same, long after the program has died
)

func (d death) String() string {
	return [...]string{"before the request", "after the answer", "with the request on its way"}[d]
}

// mortal sends requests, and dies with one of them.
type mortal struct {
	by    http.RoundTripper
	at    int64
	death death
	die   context.CancelFunc
	count atomic.Int64
}

func (m *mortal) RoundTrip(req *http.Request) (*http.Response, error) {
	switch n := m.count.Add(1); {
	case n < m.at:
		return m.by.RoundTrip(req)
	case n > m.at: // of another goroutine, in the same moment
		return nil, context.Canceled
	}
	defer m.die()
	switch m.death {
	case afterTheAnswer:
		return m.by.RoundTrip(req)
	case onTheWay:
		late := req.Clone(context.WithoutCancel(req.Context()))
		time.AfterFunc(20*time.Second, func() {
			if resp, err := m.by.RoundTrip(late); err == nil {
				_ = resp.Body.Close()
			}
		})
	}
	return nil, context.Canceled
}

// The program dies with its first request, with its second, and so on to its
// last, in each way; a second one finishes the job.
func TestNobodyIsCalledTwiceWhereverTheProgramDies(t *testing.T) {
	t.Parallel()
	for _, death := range []death{beforeTheRequest, afterTheAnswer, onTheWay} {
		t.Run(death.String(), func(t *testing.T) {
			t.Parallel()
			died := 0
			for at := int64(1); ; at++ {
				finished := false
				inBubble(t, func(w *world) {
					ctx, die := context.WithCancel(w.t.Context())
					defer die()
					m := &mortal{by: w.srv.HTTPClient().Transport, at: at, death: death, die: die}
					_, err := w.run(ctx, &http.Client{Transport: m})
					finished = m.count.Load() < at
					if finished {
						require.NoError(w.t, err)
						return
					}
					died++
					w.finish()
				})
				if finished {
					break
				}
			}
			assert.Greater(t, died, 9, "three requests for each number at least")
			t.Logf("died with %d different requests", died)
		})
	}
}

// A rate limit may hold up a call that has begun for longer than the list lags.
func TestNobodyIsCalledTwiceAlthoughTheCallWasHeldUpBeforeTheProgramDied(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.calls = 1
				w.srv.Inject(videosdktest.Fault{
					Method: method, Path: "/v2/sip/call", Times: 3, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"30"}},
				})
				ctx, die := context.WithCancel(w.t.Context())
				defer die()
				m := &mortal{by: w.srv.HTTPClient().Transport, at: 5, death: onTheWay, die: die} // looks, dials, and three times more
				_, err := w.run(ctx, &http.Client{Transport: m})
				require.ErrorIs(w.t, err, context.Canceled)
				w.calls = 3 // who is in doubt does not wait for the others
				w.finish()
			})
		})
	}
}

// Any beginning of the file will do, and none at all: the calls have names.
func TestNobodyIsCalledTwiceWhateverIsLeftOfTheFile(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.finish()
		whole, err := os.ReadFile(w.results)
		require.NoError(w.t, err)
		<-time.After(time.Minute)                            // the list shows all the calls
		for length := 0; length < len(whole); length += 40 { // in the middle of lines, and at their ends
			for _, cut := range []int{length, strings.LastIndex(string(whole[:length]), "\n") + 1} {
				w.results = filepath.Join(filepath.Dir(w.results), fmt.Sprint(cut))
				require.NoError(w.t, os.WriteFile(w.results, whole[:cut], 0o600))
				w.finish()
			}
		}
	})
}

// Some file systems have zeros after a power cut where a line was to be.
func TestARunGoesOnAfterAPowerCutThatLeftZeros(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.finish()
		whole, err := os.ReadFile(w.results)
		require.NoError(w.t, err)
		require.NoError(w.t, os.WriteFile(w.results, append(whole, make([]byte, 100)...), 0o600))
		w.finish()
		after, err := os.ReadFile(w.results)
		require.NoError(w.t, err)
		assert.Equal(w.t, string(whole), string(after))
	})
}

func TestWhatGoesWrong(t *testing.T) {
	t.Parallel()
	t.Run("lost answers: the calls are found", func(t *testing.T) {
		inBubble(t, func(w *world) {
			w.srv.Inject(videosdktest.Fault{Method: "POST", Path: "/v2/sip/call", Times: 3, Drop: videosdktest.DropAfterActing})
			w.finish()
		})
	})
	t.Run("lost requests: the next run dials", func(t *testing.T) {
		inBubble(t, func(w *world) {
			w.srv.Inject(videosdktest.Fault{Method: "POST", Path: "/v2/sip/call", Times: 3, Drop: videosdktest.DropBeforeActing})
			out, err := w.run(w.t.Context(), w.srv.HTTPClient())
			require.ErrorContains(w.t, err, "in doubt: run it again")
			assert.Equal(w.t, "  dialling       3\n", out)
			w.finish()
		})
	})
	t.Run("the money runs out: the next run goes on", func(t *testing.T) {
		inBubble(t, func(w *world) {
			w.calls = 1
			w.srv.Inject(videosdktest.Fault{Method: "POST", Path: "/v2/sip/call", Status: http.StatusPaymentRequired})
			_, err := w.run(w.t.Context(), w.srv.HTTPClient())
			require.ErrorIs(w.t, err, videosdk.ErrPaymentRequired)
			assert.Empty(w.t, w.srv.Dials())
			w.finish()
		})
	})
	t.Run("a number is refused: the others are called", func(t *testing.T) {
		inBubble(t, func(w *world) {
			w.list = people + "no number\n"
			w.srv.Inject(videosdktest.Fault{Method: "POST", Path: "/v2/sip/call", Status: http.StatusBadRequest, Body: `{"message":"sipCallTo is not reachable"}`})
			out, err := w.run(w.t.Context(), w.srv.HTTPClient())
			require.NoError(w.t, err)
			assert.Equal(w.t, "  ended          2\n  refused        2\n", out)
			w.list = people
			w.finish() // and the one that was refused by the fault
		})
	})
	t.Run("the list of calls cannot be read: nobody is called blindly", func(t *testing.T) {
		inBubble(t, func(w *world) {
			w.srv.Inject(videosdktest.Fault{Method: "GET", Path: "/v2/sip/call", Times: -1, Status: http.StatusBadRequest})
			_, err := w.run(w.t.Context(), w.srv.HTTPClient())
			require.ErrorIs(w.t, err, videosdk.ErrBadRequest)
			assert.Empty(w.t, w.srv.Dials())
			w.srv.ClearFaults()
			w.finish()
		})
	})
	t.Run("a call is not known any more", func(t *testing.T) {
		inBubble(t, func(w *world) {
			w.srv.Inject(videosdktest.Fault{Method: "GET", Path: "/v2/sip/call/{callId}", Status: http.StatusNotFound})
			out, err := w.run(w.t.Context(), w.srv.HTTPClient())
			require.NoError(w.t, err)
			assert.Equal(w.t, "  ended          2\n  unknown        1\n", out)
			assert.Len(w.t, w.srv.Dials(), 3)
		})
	})
}

func TestTheFileBelongsToOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "campaign.jsonl")
	first, err := openResults(path, "spring")
	require.NoError(t, err)
	_, err = openResults(path, "spring")
	require.ErrorContains(t, err, "in use")
	require.NoError(t, first.close())
	second, err := openResults(path, "spring")
	require.NoError(t, err)
	require.NoError(t, second.close())
}

func TestThoseInDoubtComeLast(t *testing.T) {
	r, err := openResults(filepath.Join(t.TempDir(), "campaign.jsonl"), "spring")
	require.NoError(t, err)
	require.NoError(t, r.add(result{Number: "1", State: dialling}))
	require.NoError(t, r.add(result{Number: "3", State: dialled}))
	assert.Equal(t, []person{{number: "2"}, {number: "3"}, {number: "1"}}, r.doubtfulLast([]person{{number: "1"}, {number: "2"}, {number: "3"}}))
	require.NoError(t, r.close())
}

func TestAFileThatIsSomethingElseIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "diary.txt")
	require.NoError(t, os.WriteFile(path, []byte("Dear diary,\n"), 0o600))
	_, err := openResults(path, "spring")
	require.ErrorContains(t, err, "Dear diary")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "Dear diary,\n", string(content))
}

// A disk that is full must not lead to calls that nobody remembers.
func TestWithoutAFileNobodyIsCalled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "campaign.jsonl")
	r, err := openResults(path, "spring")
	require.NoError(t, err)
	require.NoError(t, r.file.Close())
	require.Error(t, r.add(result{Number: "+14155550101", State: dialling}))
	require.ErrorIs(t, r.add(result{Number: "+14155550102", State: dialling}), os.ErrClosed)
	assert.Zero(t, r.of("+14155550101"))
	require.True(t, errors.Is(r.close(), os.ErrClosed))
}
