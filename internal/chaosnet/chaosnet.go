// Package chaosnet is a network that fails: TCP connections to a server that
// cannot be made, or that die at random points of what they carry. It is for
// tests.
package chaosnet

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
)

// Moment is the point at which a connection fails.
type Moment int

// The moments. All but the first belong to one request and its answer.
const (
	Never         Moment = iota // it carries the request and the answer
	Dialling                    // it is refused
	BeforeRequest               // as the request comes: nothing of it gets through
	DuringRequest               // a part of the request gets through
	BeforeAnswer                // the server has answered: nothing of that gets through
	DuringAnswer                // a part of the answer gets through
	AfterAnswer                 // right behind the answer, which a reset may overtake, as the next request may be coming
	moments
)

// String names the moment as a report does.
func (m Moment) String() string {
	return [...]string{
		"never", "dialling", "before the request", "during the request", "before the answer", "during the answer", "after the answer",
	}[m]
}

// Chances say how often the network fails.
type Chances struct {
	Seed    uint64
	Break   float64 // chance of a request that its connection dies before, during or after it
	Refusal float64 // chance of a dial to be refused
}

// Network is a way to one server. The nth decision that it takes depends on the
// seed and n alone; which request meets it is up to the scheduler.
type Network struct {
	addr     string
	target   string
	chances  Chances
	listener net.Listener
	links    sync.WaitGroup

	mu       sync.Mutex
	random   *rand.Rand
	requests int
	failures map[Moment]int
	up       map[*link]struct{}
	closed   bool
}

// Start returns a network whose every connection leads to the TCP address of a
// server. The caller must Close it.
func Start(target string, chances Chances) (*Network, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	n := &Network{
		addr:     listener.Addr().String(),
		target:   target,
		chances:  chances,
		listener: listener,
		random:   rand.New(rand.NewPCG(chances.Seed, 0)),
		failures: map[Moment]int{},
		up:       map[*link]struct{}{},
	}
	n.links.Go(n.accept)
	return n, nil
}

// DialContext has the signature of [net/http.Transport.DialContext]. Every
// address leads to the server.
func (n *Network) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	if n.refuses() {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return (&net.Dialer{}).DialContext(ctx, network, n.addr)
}

// Requests returns how many requests have set out.
func (n *Network) Requests() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.requests
}

// Failures returns how often the network has failed at each moment.
func (n *Network) Failures() map[Moment]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.failures)
}

// Close ends all connections. What the server was sent stays sent.
func (n *Network) Close() {
	_ = n.listener.Close()
	n.mu.Lock()
	n.closed = true
	for l := range n.up {
		l.end(false)
	}
	n.mu.Unlock()
	n.links.Wait()
}

func (n *Network) refuses() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.random.Float64() >= n.chances.Refusal {
		return false
	}
	n.failures[Dialling]++
	return true
}

// next decides what becomes of the next request.
func (n *Network) next() Moment {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests++
	if n.random.Float64() >= n.chances.Break {
		return Never
	}
	moment := BeforeRequest + Moment(n.random.IntN(int(moments-BeforeRequest)))
	n.failures[moment]++
	return moment
}

// part returns a random part of n, never all of it.
func (n *Network) part(of int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.random.IntN(of)
}

// resets decides how a connection dies: by a reset or by an orderly end.
func (n *Network) resets() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.random.IntN(2) == 0
}

func (n *Network) accept() {
	for {
		client, err := n.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", n.target)
		if err != nil {
			_ = client.Close() // the server is down
			continue
		}
		n.join(&link{network: n, client: client, server: server})
	}
}

func (n *Network) join(l *link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		l.end(false)
		return
	}
	n.up[l] = struct{}{}
	n.links.Go(func() {
		l.carry(l.client, l.server, l.request)
		n.leave(l)
	})
	n.links.Go(func() { l.carry(l.server, l.client, l.answer) })
}

func (n *Network) leave(l *link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.up, l)
}
