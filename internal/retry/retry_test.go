package retry_test

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

func TestEveryClassRepeatsExactlyWhatItsRowOfTheTableAllows(t *testing.T) {
	type row struct {
		unknown, unknownOptedIn, conflict, deletes, changes bool
	}
	table := map[retry.Class]row{
		retry.Read:            {unknown: true, unknownOptedIn: true},
		retry.Delete:          {unknown: true, unknownOptedIn: true, deletes: true, changes: true},
		retry.ContestedDelete: {unknown: true, unknownOptedIn: true, conflict: true, deletes: true, changes: true},
		retry.Replace:         {unknownOptedIn: true, changes: true},
		retry.AtomicCreate:    {unknownOptedIn: true, conflict: true, changes: true},
		retry.Repeatable:      {unknown: true, unknownOptedIn: true, changes: true},
		retry.Create:          {unknownOptedIn: true, changes: true},
		retry.Dial:            {changes: true},
	}
	require.Len(t, table, len(retry.Classes()))
	for _, class := range retry.Classes() {
		t.Run(class.String(), func(t *testing.T) {
			want := table[class]
			assert.True(t, class.Repeats(retry.Unprocessed, false), "unprocessed")
			assert.Equal(t, want.unknown, class.Repeats(retry.Unknown, false), "unknown")
			assert.Equal(t, want.unknownOptedIn, class.Repeats(retry.Unknown, true), "unknown, opted in")
			assert.Equal(t, want.conflict, class.Repeats(retry.Conflicted, true), "409")
			assert.False(t, class.Repeats(retry.Refused, true), "refused")
			assert.False(t, class.Repeats(retry.Done, true), "done")
			assert.Equal(t, want.deletes, class.Deletes())
			assert.Equal(t, want.changes, class.Changes())
			assert.Equal(t, class != retry.Dial, class.MayOptIn())
		})
	}
}

func TestTheZeroClassIsTheOneThatIsNeverRepeated(t *testing.T) {
	var forgotten retry.Class
	assert.Equal(t, retry.Dial, forgotten)
}

func TestJudgeTellsWhatIsKnownOfAnAttempt(t *testing.T) {
	tests := []struct {
		status int
		sent   bool
		want   retry.Verdict
	}{
		{0, false, retry.Unprocessed},
		{0, true, retry.Unknown},
		{200, true, retry.Done},
		{204, true, retry.Done},
		{301, true, retry.Refused},
		{302, true, retry.Refused},
		{303, true, retry.Unknown},
		{307, true, retry.Refused},
		{400, true, retry.Refused},
		{401, true, retry.Unprocessed},
		{402, true, retry.Refused},
		{403, true, retry.Refused},
		{404, true, retry.Refused},
		{408, true, retry.Unknown},
		{409, true, retry.Conflicted},
		{429, true, retry.Unprocessed},
		{500, true, retry.Unknown},
		{502, true, retry.Unknown},
		{503, true, retry.Unknown},
		{504, true, retry.Unknown},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("status %d, sent %t", tt.status, tt.sent), func(t *testing.T) {
			assert.Equal(t, tt.want, retry.Judge(tt.status, tt.sent))
		})
	}
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
	assert.Zero(t, retry.Backoff{}.Wait(3))
}

func TestAHintIsNeverUndercut(t *testing.T) {
	for range 1000 {
		wait := retry.AfterHint(time.Second)
		require.GreaterOrEqual(t, wait, time.Second)
		require.LessOrEqual(t, wait, 1100*time.Millisecond)
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
		{name: "nothing to wait", value: "0"},
		{name: "negative", value: "-1"},
		{name: "signed", value: "+7"},
		{name: "fraction", value: "1.5"},
		{name: "words", value: "abc"},
		{name: "a date in GMT", value: "Mon, 11 May 2026 10:00:09 GMT", want: 9 * time.Second},
		{name: "a date in the RFC 850 form", value: "Monday, 11-May-26 10:00:09 GMT", want: 9 * time.Second},
		{name: "a date in the past", value: "Mon, 11 May 2026 09:00:00 GMT"},
		{name: "a date against the server's own clock", value: "Mon, 11 May 2026 11:00:03 GMT",
			date: "Mon, 11 May 2026 11:00:00 GMT", want: 3 * time.Second},
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
	for _, seed := range []string{"1", "-1", "abc", "9223372037", "Mon, 11 May 2026 10:00:09 GMT"} {
		f.Add(seed, "Mon, 11 May 2026 10:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		header := http.Header{"Retry-After": {value}, "Date": {date}}
		if got := retry.ParseRetryAfter(header, time.Unix(0, 0)); got < 0 {
			t.Fatalf("a wait of %v", got)
		}
	})
}

func TestQuotaAllowsAHundredRetriesAndThenOnlyWhatSuccessEarns(t *testing.T) {
	quota := retry.NewQuota()
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
	quota := retry.NewQuota()
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
