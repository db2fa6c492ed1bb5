package transport

import (
	"crypto/tls"
	"net"
	"sync"
)

// conn counts the writes that put, or may yet put, bytes on the wire.
type conn struct {
	net.Conn

	pool *pool

	mu       sync.Mutex
	dialling *dialling // that it came of, nil when it does not count in the pool any more
	underWay int       // writes that have begun and not ended
	written  int       // writes that put, or may have put, bytes on the wire
	sealed   bool
}

func (c *conn) Write(p []byte) (int, error) {
	if !c.begin() {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Write(p)
	c.end(n > 0 || err == nil)
	return n, err
}

// Close first tells those who wait for the connection.
func (c *conn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// leave takes the connection out of its pool's account.
func (c *conn) leave() {
	c.mu.Lock()
	d := c.dialling
	c.dialling = nil
	c.mu.Unlock()
	if d != nil {
		c.pool.leave(d)
	}
}

// begin counts a write before it happens: one that is under way when somebody
// asks must count as sent.
func (c *conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sealed {
		return false
	}
	c.underWay++
	return true
}

func (c *conn) end(written bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.underWay--
	if written {
		c.written++
	}
}

// mark returns the count from which a request starts.
func (c *conn) mark() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.written
}

// seal reports whether nothing was written since mark. If so, nothing ever
// will be: net/http may still have the request in hand when an attempt ends,
// and an answer of "nothing was sent" must stay true.
func (c *conn) seal(mark int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.underWay > 0 || c.written != mark {
		return false
	}
	c.sealed = true
	return true
}

// beneath returns the conn beneath a connection that net/http hands out, or nil if
// there is none. A shared one speaks HTTP/2: many requests are on it, and its writes
// tell nothing of one of them.
func beneath(nc net.Conn) (c *conn, shared bool) {
	// A connection through a proxy behind TLS has TLS within TLS.
	for {
		t, ok := nc.(*tls.Conn)
		if !ok {
			break
		}
		shared = shared || t.ConnectionState().NegotiatedProtocol == "h2"
		nc = t.NetConn()
	}
	c, _ = nc.(*conn)
	return c, shared
}
