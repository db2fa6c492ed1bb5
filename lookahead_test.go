package videosdk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/internal/floor"
)

// library is a transport that holds a long list of numbers, and takes its time.
type library struct {
	perPage, last int
	delay         time.Duration

	mu       sync.Mutex
	asked    []int
	underWay int
	most     int // requests at the same time
}

func (l *library) RoundTrip(req *http.Request) (*http.Response, error) {
	page, _ := strconv.Atoi(req.URL.Query().Get("page"))
	perPage, _ := strconv.Atoi(req.URL.Query().Get("perPage"))
	l.mu.Lock()
	l.asked = append(l.asked, page)
	l.underWay++
	l.most = max(l.most, l.underWay)
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.underWay--
	}()
	select {
	case <-time.After(l.delay):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	total := l.perPage * l.last
	answer := httptest.NewRecorder()
	_, _ = answer.Write(floor.Page(page, perPage, total/perPage))
	return answer.Result(), nil
}

func (l *library) requests() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]int(nil), l.asked...)
}

// present returns how many requests are under way.
func (l *library) present() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.underWay
}

func (l *library) client(t *testing.T, opts ...videosdk.Option) *videosdk.Client {
	t.Helper()
	client, err := videosdk.New("key", "secret", append(opts, videosdk.WithHTTPClient(&http.Client{Transport: l}))...)
	require.NoError(t, err)
	return client
}

func TestTenThousandNumbersAreGivenOnceAndInOrderAndFast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const delay = 20 * time.Millisecond
		server := &library{perPage: 100, last: 100, delay: delay}
		started := time.Now()
		n := 0
		for number, err := range server.client(t).PhoneNumbers.All(t.Context(), videosdk.PhoneNumberListParams{}) {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("pn_%06d", n), number.ID)
			n++
		}
		assert.Equal(t, 10_000, n)
		assert.LessOrEqual(t, server.most, 5, "requests at the same time")
		const oneByOne = 500 * delay // pages of 20, one after the other
		took := time.Since(started)
		t.Logf("10,000 numbers at %v a request: %v, %.1f times as fast as page by page", delay, took, float64(oneByOne)/float64(took))
		assert.GreaterOrEqual(t, float64(oneByOne)/float64(took), 15.0)
	})
}

func TestNoMorePagesAreFetchedThanAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		ahead int
		reads int // items before the break
		want  int // pages asked for at most
	}{
		"none ahead": {0, 150, 2},
		"none before it is known how many there are": {4, 50, 1},
		"two ahead of the second":                    {2, 150, 4},
		"four ahead of the third":                    {4, 250, 7},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &library{perPage: 100, last: 100, delay: time.Millisecond}
				n := 0
				for _, err := range server.client(t).PhoneNumbers.All(t.Context(), videosdk.PhoneNumberListParams{}, videosdk.WithPagesAhead(c.ahead)) {
					require.NoError(t, err)
					if n++; n == c.reads {
						synctest.Wait() // whatever is fetched ahead has been asked for
						break
					}
				}
				assert.Len(t, server.requests(), c.want)
			})
		})
	}
}

func TestWhatIsFetchedAheadEndsWithTheIteration(t *testing.T) {
	stop := errors.New("enough")
	for name, end := range map[string]func(cancel context.CancelCauseFunc) (goOn bool){
		"by break":           func(context.CancelCauseFunc) bool { return false },
		"with the context's": func(cancel context.CancelCauseFunc) bool { cancel(stop); return true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &library{perPage: 100, last: 100, delay: time.Hour}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				client := server.client(t, videosdk.WithAttemptTimeout(2*time.Hour))
				n, started := 0, time.Now()
				var last error
				for _, err := range client.PhoneNumbers.All(ctx, videosdk.PhoneNumberListParams{}) {
					if last = err; err != nil {
						break
					}
					if n++; n != 250 {
						continue
					}
					synctest.Wait() // whatever is fetched ahead has been asked for
					if !end(cancel) {
						break
					}
				}
				// The first page took an hour, the five after it another one
				// together; nothing waits for the seventh, which is under way
				// when the third is read.
				assert.Equal(t, 2*time.Hour, time.Since(started))
				assert.Contains(t, server.requests(), 7)
				assert.Zero(t, server.present(), "requests that outlive the iteration")
				if ctx.Err() != nil {
					assert.ErrorIs(t, last, context.Canceled)
					assert.ErrorIs(t, last, stop)
				}
			})
		})
	}
}

func TestAsManyPagesAheadAsThereAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &library{perPage: 100, last: 9, delay: time.Second}
		started, n := time.Now(), 0
		for _, err := range server.client(t).PhoneNumbers.All(t.Context(), videosdk.PhoneNumberListParams{}, videosdk.WithPagesAhead(math.MaxInt)) {
			require.NoError(t, err)
			n++
		}
		assert.Equal(t, 900, n)
		assert.Equal(t, 2*time.Second, time.Since(started), "the first, and then all others at once")
	})
}

// Who calls All may recover from a panic of a hook of its own, as a web server
// does. In a goroutine of the library's nobody could.
func TestAPanicInAPageFetchedAheadIsTheCallers(t *testing.T) {
	for name, c := range map[string]struct {
		unwell func()
		want   any
	}{
		"a panic":             {func() { panic("unwell") }, "unwell"},
		"the end of its test": {runtime.Goexit, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &library{perPage: 100, last: 3, delay: time.Millisecond}
				var pages atomic.Int64
				client := server.client(t, videosdk.WithOnAttempt(func(context.Context, videosdk.Attempt) {
					if pages.Add(1) == 2 {
						c.unwell()
					}
				}))
				var last error
				got := func() (panicked any) {
					defer func() { panicked = recover() }()
					for _, last = range client.PhoneNumbers.All(t.Context(), videosdk.PhoneNumberListParams{}) {
					}
					return nil
				}()
				assert.Equal(t, c.want, got)
				if c.want == nil {
					assert.ErrorContains(t, last, "runtime.Goexit")
				}
			})
		})
	}
}

// A page that was fetched ahead may be older than the one before it.
func TestAllGivesWhatMovesToAPageThatHasBeenFetchedAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perPage = 2
		ids := []string{"r6", "r5", "r4", "r3", "r2", "r1"} // the newest first
		var mu sync.Mutex
		slow := true
		client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			page, _ := strconv.Atoi(req.URL.Query().Get("page"))
			if page == 2 && slow {
				slow = false
				time.Sleep(time.Second)
				mu.Lock()
				ids = append([]string{"r7"}, ids...)
				mu.Unlock()
			}
			mu.Lock()
			defer mu.Unlock()
			part, last := cut(ids, page, perPage)
			answer := httptest.NewRecorder()
			_, _ = io.WriteString(answer, pageOf(fmt.Sprintf(`"pageInfo":{"currentPage":%d,"perPage":2,"lastPage":%d,"total":%d},`, page, last, len(ids)), part...))
			return answer.Result(), nil
		})}))
		require.NoError(t, err)
		got := idsOf(t, client.RoutingRules.All(t.Context(), videosdk.RoutingRuleListParams{PerPage: perPage}))
		assert.Equal(t, []string{"r6", "r5", "r4", "r3", "r2", "r1"}, got)
	})
}

func TestAPageThatFailsEndsTheIterationAfterThoseBeforeIt(t *testing.T) {
	client := newRecorder(t, http.StatusOK, string(floor.Page(1, 100, 9))).
		then(http.StatusForbidden, `{"message":"not yours"}`).client()
	n := 0
	var last error
	for _, err := range client.PhoneNumbers.All(t.Context(), videosdk.PhoneNumberListParams{}) {
		if last = err; err == nil {
			n++
		}
	}
	assert.Equal(t, 100, n)
	assert.ErrorIs(t, last, videosdk.ErrForbidden)
}
