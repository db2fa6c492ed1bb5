package transport

import (
	"crypto/tls"
	"net"
	"sync"
)

// conn counts the writes that put, or may yet put, bytes on the wire.
type conn struct {
	net.Conn

	leave func() // of the pool

	mu       sync.Mutex
	underWay int // writes that have begun and not ended
	written  int // writes that put, or may have put, bytes on the wire
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

// Close also makes room in the pool.
func (c *conn) Close() error {
	defer c.leave()
	return c.Conn.Close()
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

// counting returns the conn beneath a connection that net/http hands out, or
// nil if there is none or if it speaks HTTP/2, where many requests share the
// connection and its writes tell nothing of one of them.
func counting(nc net.Conn) *conn {
	// A connection through a proxy behind TLS has TLS within TLS.
	for {
		t, ok := nc.(*tls.Conn)
		if !ok {
			break
		}
		if t.ConnectionState().NegotiatedProtocol == "h2" {
			return nil
		}
		nc = t.NetConn()
	}
	c, _ := nc.(*conn)
	return c
}
