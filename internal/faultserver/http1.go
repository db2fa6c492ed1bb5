package faultserver

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

func (s *Server) serveHTTP1(c *conn) {
	for {
		if _, err := c.in.Peek(1); err != nil {
			return
		}
		f := s.begin()
		w := &wire1{conn: c}
		if f.breaks(OnRequest) {
			w.breakOff(f.Break)
			return
		}
		req, err := http.ReadRequest(c.in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		if s.respond(w, req, body, f) != nil {
			return
		}
	}
}

// wire1 answers one request of HTTP/1.1.
type wire1 struct {
	*conn

	chunked bool
}

func (w *wire1) interim(status int) error {
	_, err := fmt.Fprintf(w.tls, "HTTP/1.1 %d %s\r\n\r\n", status, http.StatusText(status))
	return err
}

func (w *wire1) head(a answer, f Framing) error {
	w.chunked = f == Unsized && !a.bodiless()
	if w.chunked {
		a.header.Set("Transfer-Encoding", "chunked")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	_ = a.header.Write(&b)
	b.WriteString("\r\n")
	_, err := w.tls.Write(b.Bytes())
	return err
}

func (w *wire1) data(p []byte) error {
	if len(p) == 0 {
		return nil // an empty chunk would be the last one
	}
	if !w.chunked {
		_, err := w.tls.Write(p)
		return err
	}
	if _, err := fmt.Fprintf(w.tls, "%x\r\n", len(p)); err != nil {
		return err
	}
	if _, err := w.tls.Write(p); err != nil {
		return err
	}
	_, err := io.WriteString(w.tls, "\r\n")
	return err
}

func (w *wire1) end() error {
	if !w.chunked {
		return nil
	}
	_, err := io.WriteString(w.tls, "0\r\n\r\n")
	return err
}

func (w *wire1) delimits() bool { return false }

// breakOff ends the connection, and returns when the client has noticed.
func (w *wire1) breakOff(b Break) {
	switch b {
	case Reset:
		w.reset()
	case Close:
		w.closeWrite()
		w.outlast()
	case Garbage:
		_, _ = io.WriteString(w.tls, "HTTP/1.1 perhaps\r\n\r\n")
		w.closeWrite()
		w.outlast()
	case Hang:
		w.outlast()
	default:
		panic(fmt.Sprintf("faultserver: HTTP/1.1 has no break %d", b))
	}
}
