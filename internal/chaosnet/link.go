package chaosnet

import (
	"net"
	"sync"
)

// link is one connection, from a client to the server. It knows of HTTP/1.1
// only that the two ends take turns.
type link struct {
	network        *Network
	client, server net.Conn

	mu       sync.Mutex
	fate     Moment // of the current request
	answered bool   // something of the answer to it has come
	begun    bool   // there is a current request
}

// carry brings what one end sends to the other until the connection dies. pass
// decides, of each piece, how much of it gets through and whether the connection
// dies after that.
func (l *link) carry(from, to net.Conn, pass func(size int) (through int, dies bool)) {
	buf := make([]byte, 16<<10)
	for {
		size, err := from.Read(buf)
		if err != nil {
			l.end(false)
			return
		}
		through, dies := pass(size)
		if _, err := to.Write(buf[:through]); err != nil || dies {
			l.end(dies && l.network.resets())
			return
		}
	}
}

// request passes a piece of a request. The first after an answer begins the
// next one, unless the connection is about to die.
func (l *link) request(size int) (through int, dies bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.answered && l.fate == AfterAnswer {
		return 0, true
	}
	if !l.begun || l.answered {
		l.begun, l.answered = true, false
		l.fate = l.network.next()
	}
	switch l.fate {
	case BeforeRequest:
		return 0, true
	case DuringRequest:
		return l.network.part(size), true
	default:
		return size, false
	}
}

func (l *link) answer(size int) (through int, dies bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered = true
	switch l.fate {
	case BeforeAnswer:
		return 0, true
	case DuringAnswer:
		return l.network.part(size), true
	default:
		return size, l.fate == AfterAnswer
	}
}

// end closes both ends, with a reset or without.
func (l *link) end(reset bool) {
	for _, conn := range []net.Conn{l.client, l.server} {
		if tcp, isTCP := conn.(*net.TCPConn); isTCP && reset {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}
