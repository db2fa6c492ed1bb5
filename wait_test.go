package videosdk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// place starts a call whose callee does what script says.
func (a *account) place(t *testing.T, script func(*videosdktest.Callee)) *videosdk.Call {
	t.Helper()
	script(a.srv.Callee(callee).RingsAfter(time.Second).AnswersAfter(20 * time.Second))
	call, err := a.client.Calls.Create(t.Context(), newCall(a.rule.ID))
	require.NoError(t, err)
	a.srv.ResetRequests()
	return call
}

func TestWaitAnsweredTellsEachEndOfACall(t *testing.T) {
	tests := []struct {
		name     string
		script   func(*videosdktest.Callee)
		later    func(*testing.T, *account, string) // after 5 s; may be nil
		answered bool
		status   videosdk.CallStatus
		least    time.Duration // that it takes
	}{
		{"that is answered", func(*videosdktest.Callee) {}, nil, true, videosdk.CallAnswered, 21 * time.Second},
		{"that is answered at once", func(c *videosdktest.Callee) { c.RingsAfter(0).AnswersAfter(0) }, nil, true, videosdk.CallAnswered, 0},
		{"that was answered and is over", func(c *videosdktest.Callee) { c.HangsUpAfter(time.Millisecond) }, nil, true, videosdk.CallEnded, 21 * time.Second},
		{"that is rejected", func(c *videosdktest.Callee) { c.Rejects() }, nil, false, videosdk.CallRejected, 21 * time.Second},
		{"that nobody answers", func(c *videosdktest.Callee) { c.NeverAnswers() }, nil, false, videosdk.CallNotAnswered, 61 * time.Second},
		{"that fails", func(c *videosdktest.Callee) { c.Fails() }, nil, false, videosdk.CallFailed, time.Second},
		{"that the callee hangs up on", func(*videosdktest.Callee) {}, func(t *testing.T, a *account, id string) {
			assert.NoError(t, a.srv.HangUp(id))
		}, false, videosdk.CallRejected, 5 * time.Second},
		{"that we end before", func(*videosdktest.Callee) {}, func(t *testing.T, a *account, id string) {
			_, err := a.client.Calls.End(t.Context(), id)
			assert.NoError(t, err)
		}, false, videosdk.CallEnded, 5 * time.Second},
		{"that is abandoned", func(*videosdktest.Callee) {}, func(t *testing.T, a *account, id string) {
			assert.NoError(t, a.srv.SetCallStatus(id, "abandoned"))
		}, false, videosdk.CallAbandoned, 5 * time.Second},
		{"that is transferred, and so was answered", func(*videosdktest.Callee) {}, func(t *testing.T, a *account, id string) {
			assert.NoError(t, a.srv.SetCallStatus(id, "transferred"))
		}, true, videosdk.CallTransferred, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				started := time.Now()
				placed := a.place(t, tt.script)
				if tt.later != nil {
					time.AfterFunc(5*time.Second, func() { tt.later(t, a, placed.ID) })
				}

				call, err := a.client.Calls.WaitAnswered(t.Context(), placed.ID)
				took := time.Since(started)
				assert.GreaterOrEqual(t, took, tt.least)
				assert.LessOrEqual(t, took, tt.least+5*time.Second, "it asks every five seconds at least")
				if !tt.answered {
					var ended *videosdk.CallEndedError
					require.ErrorAs(t, err, &ended)
					require.ErrorIs(t, err, videosdk.ErrNotAnswered)
					assert.Nil(t, call)
					call = ended.Call
				} else {
					require.NoError(t, err)
				}
				assert.Equal(t, placed.ID, call.ID)
				assert.Equal(t, tt.status, call.Status)
				assert.Equal(t, tt.answered, call.WasAnswered())
			})
		})
	}
}

func TestWaitEndsWithWhatIsWantedOrWithTheCall(t *testing.T) {
	never := func(*videosdk.Call) bool { return false }
	ringing := func(c *videosdk.Call) bool { return c.Status == videosdk.CallRinging }
	tests := []struct {
		name  string
		until func(*videosdk.Call) bool
		want  videosdk.CallStatus
	}{
		{"what is wanted", ringing, videosdk.CallRinging},
		{"the call, if nothing is", nil, videosdk.CallEnded},
		{"the call, if what is wanted does not come", never, videosdk.CallEnded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				placed := a.place(t, func(c *videosdktest.Callee) { c.HangsUpAfter(time.Minute) })
				call, err := a.client.Calls.Wait(t.Context(), placed.ID, tt.until)
				require.NoError(t, err)
				assert.Equal(t, tt.want, call.Status)
			})
		})
	}
}

func TestACallThatDoesNotExistIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		_, err := a.client.Calls.WaitAnswered(t.Context(), "call_unknown")
		require.ErrorIs(t, err, videosdk.ErrNotFound)
		_, err = a.client.Calls.WaitAnswered(t.Context(), "")
		require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
		_, err = a.client.Calls.WaitAnswered(t.Context(), "call_1", videosdk.WithPollInterval(0, 0))
		require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
		require.ErrorContains(t, err, "Calls.Wait")
		assert.Len(t, a.srv.Requests(), 1)
	})
}

// asked is a client of a server on which a call has a status for each request,
// and the times at which it was asked for.
type asked struct {
	client *videosdk.Client
	times  []time.Time
}

// askFor returns answers that change with the number of the request, counted
// from 0.
func askFor(t *testing.T, answer func(n int) (int, string), opts ...videosdk.Option) *asked {
	t.Helper()
	a := &asked{}
	transport := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		status, body := answer(len(a.times))
		a.times = append(a.times, time.Now())
		if status == 0 {
			return nil, errors.New("cable cut")
		}
		return newRecorder(t, status, body).RoundTrip(req)
	})
	var err error
	a.client, err = videosdk.New("key", "secret", append([]videosdk.Option{
		videosdk.WithHTTPClient(&http.Client{Transport: transport}), videosdk.WithMaxRetries(0),
	}, opts...)...)
	require.NoError(t, err)
	return a
}

// waits returns the times between the requests.
func (a *asked) waits() []time.Duration {
	var waits []time.Duration
	for i := 1; i < len(a.times); i++ {
		waits = append(waits, a.times[i].Sub(a.times[i-1]))
	}
	return waits
}

func callWith(status string) string {
	return fmt.Sprintf(`{"data":{"id":"call_1","status":%q}}`, status)
}

func TestTheScheduleOfAWait(t *testing.T) {
	const changes = 12 // the request from which on the call rings
	answer := func(n int) (int, string) {
		switch {
		case n < changes:
			return 200, callWith("initiated")
		case n < 2*changes:
			return 200, callWith("ringing")
		default:
			return 200, callWith("answered")
		}
	}
	tests := []struct {
		name         string
		client       []videosdk.Option
		call         []videosdk.RequestOption
		first, limit time.Duration
	}{
		{"by default", nil, nil, 500 * time.Millisecond, 5 * time.Second},
		{"of a client", []videosdk.Option{videosdk.WithPollInterval(time.Second, 3*time.Second)}, nil, time.Second, 3 * time.Second},
		{"of a call", nil, []videosdk.RequestOption{videosdk.WithPollInterval(2*time.Second, 2*time.Second)}, 2 * time.Second, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := askFor(t, answer, tt.client...)
				_, err := a.client.Calls.WaitAnswered(t.Context(), "call_1", tt.call...)
				require.NoError(t, err)
				waits := a.waits()
				require.Len(t, waits, 2*changes)
				for i, wait := range waits {
					switch {
					case i == 0 || i == changes:
						assert.Equal(t, tt.first, wait, "a change of status starts over")
					case i == changes-1 || i == len(waits)-1:
						assert.Equal(t, tt.limit, wait, "the limit is reached")
					default:
						assert.GreaterOrEqual(t, wait, waits[i-1], "waits grow")
						assert.LessOrEqual(t, wait, tt.limit)
					}
				}
			})
		})
	}
}

func TestFailuresThatMayPassAreTolerated(t *testing.T) {
	// of returns answers of one kind, with another one at the given requests.
	of := func(status int, other string, at ...int) func(int) (int, string) {
		return func(n int) (int, string) {
			if slices.Contains(at, n) {
				return 200, other
			}
			return status, `{}`
		}
	}
	// each has good ones at the given requests.
	each := func(status int, good ...int) func(int) (int, string) { return of(status, callWith("ringing"), good...) }
	tests := []struct {
		name     string
		answer   func(int) (int, string)
		requests int
		err      error // nil for a lost connection
	}{
		{"a 503 five times in a row is the end", each(503), 5, videosdk.ErrServer},
		{"a 429 five times in a row is the end", each(429), 5, videosdk.ErrRateLimited},
		{"a lost connection five times in a row is the end", each(0), 5, nil},
		{"an answer starts the count again", each(503, 4, 9), 15, videosdk.ErrServer},
		{"so does one without a status", of(503, callWith(""), 4, 9), 15, videosdk.ErrServer},
		{"a 404 is the end at once", each(404, 0), 2, videosdk.ErrNotFound},
		{"a 403 is the end at once", each(403), 1, videosdk.ErrForbidden},
		{"an answer that is not understood is the end at once", each(200), 1, videosdk.ErrInvalidResponse},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := askFor(t, tt.answer)
				_, err := a.client.Calls.WaitAnswered(t.Context(), "call_1")
				assert.Len(t, a.times, tt.requests)
				if tt.err == nil {
					require.ErrorContains(t, err, "cable cut")
					return
				}
				require.ErrorIs(t, err, tt.err)
			})
		})
	}
}

func TestAnAnswerBetweenTheLastQuestionAndTheDeadlineIsSeen(t *testing.T) {
	for _, tt := range []struct{ limit, answered, seen time.Duration }{
		{400 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond},
		{8 * time.Second, 6 * time.Second, 7900 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("after %v of %v", tt.answered, tt.limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				started := time.Now()
				a := askFor(t, func(int) (int, string) {
					if time.Since(started) < tt.answered {
						return 200, callWith("ringing")
					}
					return 200, callWith("answered")
				}, videosdk.WithPollInterval(5*time.Second, 5*time.Second))
				ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
				defer cancel()
				_, err := a.client.Calls.WaitAnswered(ctx, "call_1")
				require.NoError(t, err)
				assert.Equal(t, tt.seen, time.Since(started))
			})
		})
	}
}

func TestAWaitObeysARetryAfterHoweverLong(t *testing.T) {
	for name, tt := range map[string]struct {
		limit, takes time.Duration
		want         error
	}{
		"that ends before the deadline": {2 * time.Minute, time.Minute, nil},
		"unless it does not":            {30 * time.Second, 0, videosdk.ErrRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, videosdktest.InMemory())
				srv.Inject(statusFault(http.StatusTooManyRequests, "Retry-After", "60"))
				srv.Inject(videosdktest.Fault{Body: callWith("answered")})
				ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
				defer cancel()
				started := time.Now()
				_, err := newClient(t, srv).Calls.WaitAnswered(ctx, "call_1")
				require.ErrorIs(t, err, tt.want)
				assert.Equal(t, tt.takes, time.Since(started))
			})
		})
	}
}

func TestARetryAfterIsObeyedOnceInAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, videosdktest.InMemory())
		srv.Inject(statusFault(http.StatusTooManyRequests, "Retry-After", "60"))
		srv.Inject(videosdktest.Fault{Body: callWith("ringing")})
		srv.Inject(videosdktest.Fault{Body: callWith("answered")})
		started := time.Now()
		_, err := newClient(t, srv).Calls.WaitAnswered(t.Context(), "call_1")
		require.NoError(t, err)
		assert.Equal(t, time.Minute+500*time.Millisecond, time.Since(started))
	})
}

func TestAWaitWithoutADeadlineDoesNotWaitForMoreThanAnHourAtATime(t *testing.T) {
	for name, tt := range map[string]struct {
		header string
		takes  time.Duration
		want   error
	}{
		"but for an hour it does":                  {"3600", time.Hour, nil},
		"for a second more it does not":            {"3601", 0, videosdk.ErrRateLimited},
		"nor for a time that is given since 1970":  {"1795231103", 0, videosdk.ErrRateLimited},
		"nor for a time that no Duration can hold": {"18446744073709551616", 0, videosdk.ErrRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, videosdktest.InMemory())
				srv.Inject(statusFault(http.StatusTooManyRequests, "Retry-After", tt.header))
				srv.Inject(videosdktest.Fault{Body: callWith("answered")})
				started := time.Now()
				_, err := newClient(t, srv).Calls.WaitAnswered(t.Context(), "call_1")
				require.ErrorIs(t, err, tt.want)
				assert.Equal(t, tt.takes, time.Since(started))
			})
		})
	}
}

func TestAnAnswerThatIsLostDuringAWaitIsAFailureThatMayPass(t *testing.T) {
	for name, fault := range map[string]videosdktest.Fault{
		"because its body is cut short":    {Drop: videosdktest.DropMidBody},
		"because a gateway loses patience": statusFault(http.StatusRequestTimeout),
	} {
		for times, passes := range map[int]bool{4: true, 5: false} {
			t.Run(fmt.Sprintf("%s %d times in a row", name, times), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := newAccount(t)
					placed := a.place(t, func(*videosdktest.Callee) {})
					fault.Times = times
					a.srv.Inject(fault)
					_, err := a.client.Calls.WaitAnswered(t.Context(), placed.ID, videosdk.WithMaxRetries(0))
					assert.Equal(t, passes, err == nil, err)
				})
			})
		}
	}
}

func TestAnOutageDuringAWaitPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		placed := a.place(t, func(*videosdktest.Callee) {})
		// Four polls with four attempts each fail.
		a.srv.Inject(videosdktest.Fault{Path: "/v2/sip/call/{callId}", Status: http.StatusServiceUnavailable, Times: 16})
		call, err := a.client.Calls.WaitAnswered(t.Context(), placed.ID)
		require.NoError(t, err)
		assert.Equal(t, videosdk.CallAnswered, call.Status)
	})
}

func TestTheContextLimitsAWait(t *testing.T) {
	quit := errors.New("the operator pressed stop")
	rings := func(int) (int, string) { return 200, callWith("ringing") }
	failing := func(int) (int, string) { return 503, `{"message":"down"}` }
	stopAfter := func(d time.Duration) func(context.Context) (context.Context, func()) {
		return func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			timer := time.AfterFunc(d, func() { cancel(quit) })
			return ctx, func() { timer.Stop() }
		}
	}
	deadline := func(d time.Duration) func(context.Context) (context.Context, func()) {
		return func(ctx context.Context) (context.Context, func()) { return context.WithTimeout(ctx, d) }
	}
	tests := []struct {
		name        string
		answer      func(int) (int, string)
		limit       func(context.Context) (context.Context, func())
		least, most time.Duration // that it takes
		is          []error
		isNot       []error
	}{
		{"when it is cancelled between two requests", rings, stopAfter(700 * time.Millisecond), 700 * time.Millisecond, 700 * time.Millisecond,
			[]error{context.Canceled, quit}, []error{videosdk.ErrTimeout}},
		{"when it is cancelled before", rings, stopAfter(0), 0, 0, []error{context.Canceled}, nil},
		{"when it is cancelled after a failure, which is told", failing, stopAfter(100 * time.Millisecond), 100 * time.Millisecond, 100 * time.Millisecond,
			[]error{context.Canceled, quit, videosdk.ErrServer}, nil},
		{"when its deadline comes near: it asks a last time and then no more", rings, deadline(30 * time.Second), 29900 * time.Millisecond, 29900 * time.Millisecond,
			[]error{context.DeadlineExceeded, videosdk.ErrTimeout}, []error{context.Canceled}},
		{"when its deadline is too near to ask twice", rings, deadline(100 * time.Millisecond), 0, 0,
			[]error{context.DeadlineExceeded, videosdk.ErrTimeout}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := tt.limit(t.Context())
				defer stop()
				started := time.Now()
				a := askFor(t, tt.answer)
				_, err := a.client.Calls.WaitAnswered(ctx, "call_1")
				took := time.Since(started)
				assert.GreaterOrEqual(t, took, tt.least)
				assert.LessOrEqual(t, took, tt.most)
				for _, want := range tt.is {
					require.ErrorIs(t, err, want)
				}
				for _, other := range tt.isNot {
					require.NotErrorIs(t, err, other)
				}
				assert.False(t, strings.ContainsAny(err.Error(), "\n%"), err)
			})
		})
	}
}
