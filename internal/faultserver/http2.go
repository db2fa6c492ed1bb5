package faultserver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// HTTP/2 as far as it is needed (RFC 9113): the frames, their flags and the
// error codes.
const (
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8

	flagAck        = 0x1 // of settings and pings
	flagEndStream  = 0x1 // of headers and data
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	settingInitialWindow = 0x4

	codeNone     = 0x0
	codeProtocol = 0x1
	codeInternal = 0x2
	codeRefused  = 0x7
	codeCancel   = 0x8

	defaultWindow = 65535
	maxPayload    = 16384 // that every client accepts
)

type frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

func readFrame(r io.Reader) (frame, error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{kind: head[3], flags: head[4], stream: binary.BigEndian.Uint32(head[5:])}
	f.payload = make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	_, err := io.ReadFull(r, f.payload)
	return f, err
}

func (f frame) bytes() []byte {
	n := len(f.payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), f.kind, f.flags}
	return append(binary.BigEndian.AppendUint32(head, f.stream), f.payload...)
}

func (f frame) has(flag byte) bool { return f.flags&flag != 0 }

// conn2 is a connection that speaks HTTP/2.
type conn2 struct {
	*conn

	server  *Server
	headers hpack // of the client
	writing sync.Mutex

	mu       sync.Mutex
	progress sync.Cond // of the windows, and of streams and connections that end
	window   int       // what may be sent on the connection
	initial  int       // what may be sent on a new stream
	streams  map[uint32]*stream
	ended    bool
}

// stream is one request on its way in, or its answer on the way out. It is the
// wire of the request.
type stream struct {
	conn   *conn2
	id     uint32
	fault  Fault
	req    *http.Request
	body   []byte
	window int
	ended  bool // by the client
}

func (s *Server) serveHTTP2(under *conn) {
	c := &conn2{conn: under, server: s, window: defaultWindow, initial: defaultWindow, streams: make(map[uint32]*stream)}
	c.progress.L = &c.mu
	var answering sync.WaitGroup
	defer answering.Wait()
	defer c.end()
	if _, err := io.ReadFull(c.in, make([]byte, len(preface))); err != nil {
		return
	}
	if c.write(frame{kind: frameSettings}) != nil {
		return
	}
	for {
		f, err := readFrame(c.in)
		if err != nil {
			return
		}
		whole, err := c.receive(f)
		if err != nil {
			return
		}
		if whole != nil {
			answering.Go(func() {
				_ = s.respond(whole, whole.req, whole.body, whole.fault)
				c.forget(whole.id)
			})
		}
	}
}

func (c *conn2) write(f frame) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.tls.Write(f.bytes())
	return err
}

// end wakes up what waits to send.
func (c *conn2) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.progress.Broadcast()
}

func (c *conn2) forget(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.streams, id)
}

// receive takes in a frame. It returns the stream whose request is whole by
// it.
func (c *conn2) receive(f frame) (whole *stream, err error) {
	switch f.kind {
	case frameSettings:
		return nil, c.settings(f)
	case framePing:
		if f.has(flagAck) {
			return nil, nil
		}
		f.flags = flagAck
		return nil, c.write(f)
	case frameWindowUpdate:
		c.widen(f.stream, int(binary.BigEndian.Uint32(f.payload)))
		return nil, nil
	case frameReset:
		c.lose(f.stream)
		return nil, nil
	case frameHeaders:
		return c.open(f)
	case frameData:
		return c.fill(f)
	default:
		return nil, nil
	}
}

func (c *conn2) settings(f frame) error {
	if f.has(flagAck) {
		return nil
	}
	c.mu.Lock()
	for rest := f.payload; len(rest) >= 6; rest = rest[6:] {
		if binary.BigEndian.Uint16(rest) == settingInitialWindow {
			c.initial = int(binary.BigEndian.Uint32(rest[2:]))
		}
	}
	c.mu.Unlock()
	return c.write(frame{kind: frameSettings, flags: flagAck})
}

// widen lets more be sent on a stream, or on the connection if id is 0.
func (c *conn2) widen(id uint32, by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == 0 {
		c.window += by
	} else if s := c.streams[id]; s != nil {
		s.window += by
	}
	c.progress.Broadcast()
}

// lose notes that the client is not interested in a stream any more.
func (c *conn2) lose(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[id]; s != nil {
		s.ended = true
	}
	c.progress.Broadcast()
}

func (c *conn2) stream(id uint32) *stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams[id]
}

var errTooFancy = errors.New("a frame uses what is not implemented here")

// open begins a request.
func (c *conn2) open(f frame) (*stream, error) {
	if !f.has(flagEndHeaders) || f.has(flagPadded) || f.has(flagPriority) {
		return nil, errTooFancy
	}
	fields, err := c.headers.decode(f.payload)
	if err != nil {
		return nil, err
	}
	req, err := newRequest(fields)
	if err != nil {
		return nil, err
	}
	s := &stream{conn: c, id: f.stream, req: req, fault: c.server.begin()}
	if s.fault.breaks(OnRequest) {
		s.breakOff(s.fault.Break)
		return nil, nil
	}
	c.mu.Lock()
	s.window = c.initial
	c.streams[s.id] = s
	c.mu.Unlock()
	if !f.has(flagEndStream) {
		return nil, nil
	}
	return s, nil
}

// fill adds to the body of a request.
func (c *conn2) fill(f frame) (*stream, error) {
	if f.has(flagPadded) {
		return nil, errTooFancy
	}
	if n := len(f.payload); n > 0 {
		// The client may send as much again, on the connection and on the
		// stream.
		more := binary.BigEndian.AppendUint32(nil, uint32(n))
		for _, id := range []uint32{0, f.stream} {
			if err := c.write(frame{kind: frameWindowUpdate, stream: id, payload: more}); err != nil {
				return nil, err
			}
		}
	}
	s := c.stream(f.stream)
	if s == nil {
		return nil, nil // it was broken off
	}
	s.body = append(s.body, f.payload...)
	if !f.has(flagEndStream) {
		return nil, nil
	}
	return s, nil
}

func newRequest(fields []field) (*http.Request, error) {
	req := &http.Request{Proto: "HTTP/2.0", ProtoMajor: 2, Header: make(http.Header)}
	for _, f := range fields {
		switch f.name {
		case ":method":
			req.Method = f.value
		case ":authority":
			req.Host = f.value
		case ":path":
			u, err := url.ParseRequestURI(f.value)
			if err != nil {
				return nil, err
			}
			req.URL, req.RequestURI = u, f.value
		default:
			if !strings.HasPrefix(f.name, ":") {
				req.Header.Add(f.name, f.value)
			}
		}
	}
	if req.Method == "" || req.URL == nil {
		return nil, errors.New("a request without a method or a path")
	}
	return req, nil
}

func (s *stream) interim(status int) error {
	return s.writeHeaders(field{":status", strconv.Itoa(status)})
}

func (s *stream) head(a answer, _ Framing) error {
	fields := []field{{":status", strconv.Itoa(a.status)}}
	for name, values := range a.header {
		for _, value := range values {
			fields = append(fields, field{strings.ToLower(name), value})
		}
	}
	return s.writeHeaders(fields...)
}

func (s *stream) writeHeaders(fields ...field) error {
	var block bytes.Buffer
	for _, f := range fields {
		f.encode(&block)
	}
	return s.conn.write(frame{kind: frameHeaders, flags: flagEndHeaders, stream: s.id, payload: block.Bytes()})
}

func (s *stream) data(p []byte) error {
	for len(p) > 0 {
		n, err := s.reserve(len(p))
		if err != nil {
			return err
		}
		if err := s.conn.write(frame{kind: frameData, stream: s.id, payload: p[:n]}); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// reserve waits until something may be sent, and returns how much of n.
func (s *stream) reserve(n int) (int, error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for !s.ended && !c.ended && min(s.window, c.window) <= 0 {
		c.progress.Wait()
	}
	if s.ended || c.ended {
		return 0, errBroken
	}
	n = min(n, s.window, c.window, maxPayload)
	s.window -= n
	c.window -= n
	return n, nil
}

func (s *stream) end() error {
	return s.conn.write(frame{kind: frameData, flags: flagEndStream, stream: s.id})
}

func (s *stream) delimits() bool { return true }

// breakOff ends the stream or the connection under it.
func (s *stream) breakOff(b Break) {
	switch b {
	case Reset:
		s.conn.reset()
	case Close:
		s.conn.hangUp()
	case Hang:
	case Garbage:
		noHeader := []byte{0x80} // refers to entry 0, which no table has
		_ = s.conn.write(frame{kind: frameHeaders, flags: flagEndHeaders, stream: s.id, payload: noHeader})
		s.conn.hangUp()
	case GoAwayBelow:
		s.goAway(max(s.id, 2) - 2)
	case GoAwayAt:
		s.goAway(s.id)
		s.conn.hangUp()
	case ProtocolError:
		s.reset(codeProtocol)
	case InternalError:
		s.reset(codeInternal)
	case RefusedStream:
		s.reset(codeRefused)
	case Cancel:
		s.reset(codeCancel)
	default:
		panic(fmt.Sprintf("faultserver: HTTP/2 has no break %d", b))
	}
}

// hangUp ends the server's side. The loop that reads outlasts it.
func (c *conn2) hangUp() {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.closeWrite()
}

func (s *stream) reset(code uint32) {
	_ = s.conn.write(frame{kind: frameReset, stream: s.id, payload: binary.BigEndian.AppendUint32(nil, code)})
}

// goAway says that no stream after last was processed, or will be.
func (s *stream) goAway(last uint32) {
	payload := binary.BigEndian.AppendUint32(nil, last)
	_ = s.conn.write(frame{kind: frameGoAway, payload: binary.BigEndian.AppendUint32(payload, codeNone)})
}
