package videosdktest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault is something that goes wrong, once or more often. Faults stand in front
// of the API as a gateway would: before authentication, and for paths that the
// API does not have.
//
// Status, or Body alone, answers instead of acting. Drop may be combined with
// either: DropMidBody then sends half of that answer. Delay combines with all, and
// AnswerDelay with all but a drop before the server acts, which leaves no answer to
// delay.
//
// A Fault in which nothing goes wrong lets its requests pass: with Times: 2 in front
// of another, the third request is the first to meet that.
//
// A connection that is dropped once may pass unseen: net/http sends a GET, and
// whatever else may be repeated, once more by itself when the connection was used
// before. To make such a request fail, use Times: 2.
type Fault struct {
	// Method restricts the fault to one HTTP method; "" is any.
	Method string
	// Path restricts the fault to one path, escaped as it is sent, or to one
	// route, written with its variable segments in braces, such as
	// "/v2/sip/call/{callId}"; "" is any. The names in the braces do not matter.
	Path string
	// Times is how many requests meet the fault: 0 is one, negative is all.
	Times int
	// Status is answered instead of acting; 0 acts.
	Status int
	// Header is added to the answer, over headers that are there already.
	Header http.Header
	// Body is answered instead of acting, with Status or else 200. The default
	// is {"message": "<text of Status>"}. Its Content-Type is that of JSON
	// unless Header says otherwise.
	Body string
	// Delay is waited before anything is done. It ends early, and the request
	// is dropped without acting, when the client goes away or the server closes.
	// So whoever dials again after a timeout dials once here: see AnswerDelay.
	Delay time.Duration
	// AnswerDelay is waited once all is done, before the answer or the drop. A
	// client that does not wait so long meets a timeout, and the phone rings.
	AnswerDelay time.Duration
	// Drop breaks the connection.
	Drop Drop
}

// Drop is the moment at which a [Fault] breaks the connection.
type Drop int

// The moments at which a connection can break. A reset is a TCP RST; with
// [InMemory] there is none, and the connection ends.
const (
	DropNever         Drop = iota // the connection is left alone
	DropBeforeReading             // end of the connection, the body unread, nothing done
	DropBeforeActing              // reset after the whole request was read, nothing done
	DropAfterActing               // reset after acting, with no byte of the answer sent
	DropMidBody                   // reset after acting, with the headers and half the body sent
)

// dropsRequest tells whether the request goes without an answer being made.
func (f Fault) dropsRequest() bool {
	return f.Drop == DropBeforeReading || f.Drop == DropBeforeActing
}

// answers tells whether the fault answers instead of the API.
func (f Fault) answers() bool {
	return f.Status != 0 || f.Body != ""
}

func (f Fault) response() response {
	resp := encode(cmp.Or(f.Status, http.StatusOK), message{http.StatusText(f.Status)})
	if f.Body != "" {
		resp.body = []byte(f.Body)
	}
	return resp
}

// matches takes the escaped path of a request and the pattern of its route.
func (f Fault) matches(method, path, pattern string) bool {
	return (f.Method == "" || strings.EqualFold(f.Method, method)) &&
		(f.Path == "" || f.Path == path || samePattern(f.Path, pattern))
}

// Inject makes the server fail as f says. Faults are tried in the order in which
// they were injected, and each request meets at most one. Inject panics when
// f.Status is neither 0 nor between 200 and 599.
func (s *Server) Inject(f Fault) {
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		panic(fmt.Sprintf("videosdktest: fault with status %d", f.Status))
	}
	s.faults.add(f)
}

// ClearFaults removes all faults that are still to come.
func (s *Server) ClearFaults() {
	s.faults.clear()
}

// PendingFaults returns the faults that have been injected and not met, or not as
// often as they were to be: Times is how often they are still to come. Those that
// all requests meet are left out. A test that ends with some has not tried what it
// set out to try, maybe for a misspelt path.
func (s *Server) PendingFaults() []Fault {
	return s.faults.pending()
}

// faultQueue holds the faults to come. Times of a fault in it is what is left.
type faultQueue struct {
	mu     sync.Mutex
	faults []Fault
}

func (q *faultQueue) add(f Fault) {
	f.Times = cmp.Or(f.Times, 1)
	f.Header = f.Header.Clone()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.faults = append(q.faults, f)
}

func (q *faultQueue) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.faults = nil
}

func (q *faultQueue) pending() []Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	var pending []Fault
	for _, f := range q.faults {
		if f.Times > 0 {
			f.Header = f.Header.Clone()
			pending = append(pending, f)
		}
	}
	return pending
}

// take returns the fault that a request meets, the zero Fault if none.
func (q *faultQueue) take(method, path, pattern string) Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.faults, func(f Fault) bool { return f.matches(method, path, pattern) })
	if i < 0 {
		return Fault{}
	}
	fault := q.faults[i]
	switch {
	case fault.Times == 1:
		q.faults = slices.Delete(q.faults, i, i+1)
	case fault.Times > 1:
		q.faults[i].Times--
	}
	return fault
}
