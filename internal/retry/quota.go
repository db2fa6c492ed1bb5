package retry

import "sync"

// What a retry costs, and how many such costs a client has to spend: about a
// hundred retries, after which only successes earn new ones. An outage is then
// met with about as many requests as there are calls, not with a multiple.
const (
	quotaCapacity = 500
	costRetry     = 5
	costTimeout   = 10 // a timeout has also kept the server busy
	earnedBySend  = 1  // what a call that needed no retry puts back
)

// Quota is the retry budget that all calls of a client share. It is safe for
// concurrent use.
type Quota struct {
	mu   sync.Mutex
	left int
}

// NewQuota returns a full quota.
func NewQuota() *Quota { return &Quota{left: quotaCapacity} }

// Take pays for one retry and returns its price, or reports that the quota is
// spent.
func (q *Quota) Take(afterTimeout bool) (price int, ok bool) {
	price = costRetry
	if afterTimeout {
		price = costTimeout
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.left < price {
		return 0, false
	}
	q.left -= price
	return price, true
}

// Succeeded puts back what the last retry of a successful call had cost, or a
// little when it needed none.
func (q *Quota) Succeeded(price int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.left = min(quotaCapacity, q.left+max(price, earnedBySend))
}
