package retry

import (
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter is the longest Retry-After that is waited for. Beyond it the
// caller is told at once and can decide better than a sleeping library.
const MaxRetryAfter = 30 * time.Second

// Backoff is an exponential schedule with full jitter.
type Backoff struct {
	Base time.Duration // upper bound of the first wait
	Cap  time.Duration // upper bound of every wait
}

// Wait returns the pause before retry n (0 is the first): anything from
// nothing to Base doubled n times, so that callers who failed together do not
// come back together.
func (b Backoff) Wait(n int) time.Duration {
	ceiling := b.Cap
	if b.Base <= b.Cap>>n { // so that the other shift cannot overflow
		ceiling = b.Base << n
	}
	return randomUpTo(ceiling)
}

// AfterHint returns the pause for a server that said how long to wait: never
// less than it asked, and up to a tenth more, so that everybody who was told
// the same second does not return in it.
func AfterHint(hint time.Duration) time.Duration {
	return hint + min(randomUpTo(hint/10), math.MaxInt64-hint)
}

func randomUpTo(limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	return time.Duration(rand.Uint64N(uint64(limit) + 1)) // limit may be the highest int64
}

// ParseRetryAfter reads a Retry-After header: seconds, or an HTTP date, which
// is measured against the answer's own Date header where there is one, because
// the clocks of both sides may differ. It returns 0 for a header that is
// absent, negative, in the past or not understood: the caller then waits as
// long as it would have waited anyway, and never not at all.
func ParseRetryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if isDigits(value) {
		return seconds(value)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		now = sent
	}
	return max(0, at.Sub(now))
}

func isDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// seconds saturates instead of overflowing: a number of seconds that no
// Duration can hold must not turn into a short wait.
func seconds(digits string) time.Duration {
	const most = math.MaxInt64 / int64(time.Second)
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > most {
		return math.MaxInt64
	}
	return time.Duration(n) * time.Second
}
