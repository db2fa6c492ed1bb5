package retry

import "sync/atomic"

// What a retry costs, and how many such costs a client has to spend: about a
// hundred retries, after which only successes earn new ones. An outage is then
// met with about as many requests as there are calls, not with a multiple.
const (
	quotaCapacity = 500
	costRetry     = 5
	costTimeout   = 10 // a timeout has also kept the server busy
	earnedBySend  = 1  // what a call that needed no retry puts back
)

// Quota is the retry budget that all calls of a client share. The zero value is a
// full one. It is safe for concurrent use, and as long as nothing fails, nobody
// writes to it.
type Quota struct{ spent atomic.Int64 } // and not earned back

// Take pays for one retry and returns its price, or reports that the quota is
// spent.
func (q *Quota) Take(afterTimeout bool) (price int, ok bool) {
	price = costRetry
	if afterTimeout {
		price = costTimeout
	}
	for {
		before := q.spent.Load()
		after := before + int64(price)
		if after > quotaCapacity {
			return 0, false
		}
		if q.spent.CompareAndSwap(before, after) {
			return price, true
		}
	}
}

// Succeeded puts back what the last retry of a successful call had cost, or a
// little when it needed none.
func (q *Quota) Succeeded(price int) {
	for {
		before := q.spent.Load()
		after := max(0, before-int64(max(price, earnedBySend)))
		if after == before || q.spent.CompareAndSwap(before, after) {
			return
		}
	}
}
