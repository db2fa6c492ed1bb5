package retry_test

import (
	"math"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// The cells of the retry table.
const (
	never   = "never"
	always  = "always"
	optedIn = "only if the caller asked for it"
)

func TestEveryClassRepeatsExactlyWhatItsRowOfTheTableAllows(t *testing.T) {
	verdicts := []retry.Verdict{retry.Unprocessed, retry.Unknown, retry.Conflicted, retry.Refused, retry.Done}
	tests := []struct {
		class                    retry.Class
		name                     string
		cells                    [5]string // in the order of verdicts
		deletes, changes, mayOpt bool
	}{
		{retry.Read, "read", [5]string{always, always, never, never, never}, false, false, true},
		{retry.Delete, "delete", [5]string{always, always, never, never, never}, true, true, true},
		{retry.ContestedDelete, "contested delete", [5]string{always, always, always, never, never}, true, true, true},
		{retry.Replace, "replace", [5]string{always, optedIn, never, never, never}, false, true, true},
		{retry.AtomicCreate, "atomic create", [5]string{always, optedIn, always, never, never}, false, true, true},
		{retry.Repeatable, "repeatable", [5]string{always, always, never, never, never}, false, true, true},
		{retry.Create, "create", [5]string{always, optedIn, never, never, never}, false, true, true},
		{retry.Dial, "dial", [5]string{always, never, never, never, never}, false, true, false},
	}
	require.Len(t, tests, int(retry.Read)+1, "none forgotten: Read is the last")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i, verdict := range verdicts {
				assert.Equal(t, tt.cells[i] == always, tt.class.Repeats(verdict, false), "verdict %d", verdict)
				assert.Equal(t, tt.cells[i] != never, tt.class.Repeats(verdict, true), "verdict %d, opted in", verdict)
			}
			assert.Equal(t, tt.deletes, tt.class.Deletes())
			assert.Equal(t, tt.changes, tt.class.Changes())
			assert.Equal(t, tt.mayOpt, tt.class.MayOptIn())
		})
	}
}

func TestAVerdictThatNobodyKnowsIsNotRepeated(t *testing.T) {
	for class := retry.Dial; class <= retry.Read; class++ {
		assert.False(t, class.Repeats(retry.Done+1, true), "class %d", class)
	}
}

func TestTheZeroClassIsTheOneThatIsNeverRepeated(t *testing.T) {
	var forgotten retry.Class
	assert.Equal(t, retry.Dial, forgotten)
}

func TestTheZeroVerdictIsTheCarefulOne(t *testing.T) {
	var forgotten retry.Verdict
	assert.Equal(t, retry.Unknown, forgotten)
}

func TestJudgeTellsWhatIsKnownOfAnAttempt(t *testing.T) {
	exceptions := map[int]retry.Verdict{
		302: retry.Unknown, 303: retry.Unknown, 401: retry.Unprocessed, 408: retry.Unknown, 409: retry.Conflicted, 429: retry.Unprocessed, 499: retry.Unknown,
	}
	tests := []struct {
		name        string
		first, last int
		want        retry.Verdict
	}{
		{"a change of protocol is no answer", 100, 199, retry.Unknown},
		{"success", 200, 299, retry.Done},
		{"redirects are not followed", 300, 399, retry.Refused},
		{"the request is at fault", 400, 499, retry.Refused},
		{"the server is at fault, and may have acted first", 500, 599, retry.Unknown},
		{"a status that no standard knows", 600, 999, retry.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for status := tt.first; status <= tt.last; status++ {
				want, ok := exceptions[status]
				if !ok {
					want = tt.want
				}
				require.Equal(t, want, retry.Judge(status, true), status)
				require.Equal(t, want, retry.Judge(status, false), "%d: who answers has received something", status)
			}
		})
	}
	t.Run("no answer", func(t *testing.T) {
		assert.Equal(t, retry.Unknown, retry.Judge(0, true))
		assert.Equal(t, retry.Unprocessed, retry.Judge(0, false))
	})
}

func TestBackoffDoublesToItsCapAndNeverExceedsIt(t *testing.T) {
	backoff := retry.Backoff{Base: 250 * time.Millisecond, Cap: 8 * time.Second}
	ceilings := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
		4 * time.Second, 8 * time.Second, 8 * time.Second}
	for n, ceiling := range ceilings {
		var longest time.Duration
		for range 2000 {
			wait := backoff.Wait(n)
			require.GreaterOrEqual(t, wait, time.Duration(0))
			require.LessOrEqual(t, wait, ceiling)
			longest = max(longest, wait)
		}
		assert.Greater(t, longest, ceiling/2, "jitter must use the whole range of retry %d", n)
	}
	for _, n := range []int{61, 62, 63, 64, 1000} {
		assert.LessOrEqual(t, backoff.Wait(n), 8*time.Second, "retry %d", n)
	}
}

func TestBackoffStaysWithinOddSettings(t *testing.T) {
	tests := []struct {
		name    string
		backoff retry.Backoff
		n       int
		most    time.Duration
	}{
		{"none", retry.Backoff{}, 3, 0},
		{"a base above the cap", retry.Backoff{Base: time.Minute, Cap: time.Second}, 0, time.Second},
		{"no base", retry.Backoff{Cap: time.Second}, 5, 0},
		{"no cap", retry.Backoff{Base: time.Second}, 5, 0},
		{"the longest cap there is, reached at once", retry.Backoff{Base: math.MaxInt64, Cap: math.MaxInt64}, 0, math.MaxInt64},
		{"the longest cap there is, reached later", retry.Backoff{Base: time.Second, Cap: math.MaxInt64}, 70, math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 100 {
				wait := tt.backoff.Wait(tt.n)
				require.GreaterOrEqual(t, wait, time.Duration(0))
				require.LessOrEqual(t, wait, tt.most)
			}
		})
	}
}

func TestAHintIsNeverUndercut(t *testing.T) {
	tests := []struct {
		name       string
		hint, most time.Duration
	}{
		{"nothing", 0, 0},
		{"the shortest", 1, 1},
		{"a second", time.Second, 1100 * time.Millisecond},
		{"the longest that is waited for", retry.MaxRetryAfter, 33 * time.Second},
		{"the longest that a Duration holds", math.MaxInt64, math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 1000 {
				wait := retry.AfterHint(tt.hint)
				require.GreaterOrEqual(t, wait, tt.hint)
				require.LessOrEqual(t, wait, tt.most)
			}
		})
	}
}

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 11, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name, value, date string
		want              time.Duration
	}{
		{name: "absent"},
		{name: "seconds", value: "7", want: 7 * time.Second},
		{name: "seconds with white space", value: " 7 ", want: 7 * time.Second},
		{name: "seconds with zeros in front", value: "0000000000000000000000007", want: 7 * time.Second},
		{name: "digits of another script", value: "\u0667"},
		{name: "two values", value: "7, 8"},
		{name: "nothing to wait", value: "0"},
		{name: "negative", value: "-1"},
		{name: "signed", value: "+7"},
		{name: "fraction", value: "1.5"},
		{name: "words", value: "abc"},
		{name: "a date in GMT", value: "Mon, 11 May 2026 10:00:09 GMT", want: 9 * time.Second},
		{name: "a date in the RFC 850 form", value: "Monday, 11-May-26 10:00:09 GMT", want: 9 * time.Second},
		{name: "a date in the form of asctime", value: "Mon May 11 10:00:09 2026", want: 9 * time.Second},
		{name: "a date in the form of asctime, with a day of one digit", value: "Mon Jun  1 10:00:00 2026", want: 21 * 24 * time.Hour},
		{name: "a date in a form that HTTP does not have", value: "2026-05-11T10:00:09Z"},
		{name: "a date in another zone", value: "Mon, 11 May 2026 10:00:09 CET"},
		{name: "now", value: "Mon, 11 May 2026 10:00:00 GMT"},
		{name: "a date in the past", value: "Mon, 11 May 2026 09:00:00 GMT"},
		{name: "a date against the server's own clock", value: "Mon, 11 May 2026 11:00:03 GMT",
			date: "Mon, 11 May 2026 11:00:00 GMT", want: 3 * time.Second},
		{name: "a date that is past here and to come on the server's clock", value: "Mon, 11 May 2026 09:00:03 GMT",
			date: "Mon, 11 May 2026 09:00:00 GMT", want: 3 * time.Second},
		{name: "a date that is to come here and past on the server's clock", value: "Mon, 11 May 2026 10:00:03 GMT",
			date: "Mon, 11 May 2026 11:00:00 GMT"},
		{name: "a date and a server that does not know its own", value: "Mon, 11 May 2026 10:00:09 GMT",
			date: "yesterday", want: 9 * time.Second},
		{name: "seconds whatever the server's clock says", value: "7", date: "Mon, 11 May 2026 11:00:00 GMT", want: 7 * time.Second},
		{name: "a date centuries away", value: "Fri, 31 Dec 9999 23:59:59 GMT", want: math.MaxInt64},
		{name: "the most seconds that a Duration holds", value: "9223372036", want: 9223372036 * time.Second},
		{name: "more seconds than a Duration holds", value: "9223372037", want: math.MaxInt64},
		{name: "more than an int64 holds", value: "9223372036854775808", want: math.MaxInt64},
		{name: "the value that used to wrap around", value: "18446744074", want: math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{}
			if tt.value != "" {
				header.Set("Retry-After", tt.value)
			}
			if tt.date != "" {
				header.Set("Date", tt.date)
			}
			assert.Equal(t, tt.want, retry.ParseRetryAfter(header, now))
		})
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"1", "-1", "007", "abc", "1.5", " 7 ", "9223372036", "9223372037", "18446744074", "9223372036854775808",
		"Mon, 11 May 2026 10:00:09 GMT", "Monday, 11-May-26 10:00:09 GMT", "Mon May 11 10:00:09 2026",
	} {
		f.Add(seed, "Mon, 11 May 2026 10:00:00 GMT")
		f.Add(seed, "")
	}
	digits := regexp.MustCompile(`^[0-9]+$`)
	f.Fuzz(func(t *testing.T, value, date string) {
		now := time.Date(2026, 5, 11, 10, 0, 0, 0, time.UTC)
		got := retry.ParseRetryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, now)
		require.GreaterOrEqual(t, got, time.Duration(0))

		value = strings.TrimSpace(value)
		if sent, err := http.ParseTime(date); err == nil {
			now = sent
		}
		if at, err := http.ParseTime(value); err == nil {
			require.Equal(t, max(0, at.Sub(now)), got)
		} else if digits.MatchString(value) {
			require.Equal(t, saturated(value), got)
		} else {
			require.Zero(t, got, "what is not understood is no hint")
		}
	})
}

// saturated is the number of seconds, or the longest Duration if that is less.
func saturated(seconds string) time.Duration {
	n, _ := new(big.Int).SetString(seconds, 10)
	n.Mul(n, big.NewInt(int64(time.Second)))
	if !n.IsInt64() {
		return math.MaxInt64
	}
	return time.Duration(n.Int64())
}

func TestQuotaAllowsAHundredRetriesAndThenOnlyWhatSuccessEarns(t *testing.T) {
	quota := new(retry.Quota)
	for range 100 {
		_, ok := quota.Take(false)
		require.True(t, ok)
	}
	_, ok := quota.Take(false)
	require.False(t, ok, "the quota is spent")

	for range 5 {
		quota.Succeeded(0)
	}
	price, ok := quota.Take(false)
	require.True(t, ok, "five successes earn one retry")
	_, ok = quota.Take(false)
	require.False(t, ok)

	quota.Succeeded(price)
	_, ok = quota.Take(false)
	require.True(t, ok, "a retry that succeeded is paid back")
}

func TestQuotaChargesDoubleForATimeoutAndNeverOverfills(t *testing.T) {
	quota := new(retry.Quota)
	quota.Succeeded(100)
	retries := 0
	for {
		if _, ok := quota.Take(true); !ok {
			break
		}
		retries++
	}
	assert.Equal(t, 50, retries)
}

func TestQuotaIsSharedByManyGoroutines(t *testing.T) {
	quota := new(retry.Quota)
	var taken atomic.Int32
	var calls sync.WaitGroup
	for range 50 {
		calls.Go(func() {
			for range 4 {
				if _, ok := quota.Take(false); ok {
					taken.Add(1)
				}
			}
		})
	}
	calls.Wait()
	assert.EqualValues(t, 100, taken.Load())
}
