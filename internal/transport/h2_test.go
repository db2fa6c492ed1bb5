package transport_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/transport"
)

// HTTP/2 as far as a server needs it that reads whole requests and then breaks
// them off (RFC 9113): the frames, their flags and the error codes.
const (
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	frameData     = 0x0
	frameHeaders  = 0x1
	frameReset    = 0x3
	frameSettings = 0x4
	framePing     = 0x6
	frameGoAway   = 0x7

	flagAck        = 0x1 // of settings and pings
	flagEndStream  = 0x1 // of headers and data
	flagEndHeaders = 0x4

	codeProtocol = 0x1
	codeInternal = 0x2
	codeRefused  = 0x7
	codeCancel   = 0x8

	status200 = "\x88" // ":status: 200" in HPACK's static table
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

func (f frame) writeTo(w io.Writer) {
	n := len(f.payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), f.kind, f.flags}
	_, _ = w.Write(append(binary.BigEndian.AppendUint32(head, f.stream), f.payload...))
}

func http2() *tls.Config {
	config := http1()
	config.NextProtos = []string{"h2"}
	return config
}

// serveHTTP2 starts a server that gives every stream whose request it has read
// to its end to answer, numbered from 0 over all connections.
func serveHTTP2(t *testing.T, answer func(n int32, stream uint32) []frame) *server {
	t.Helper()
	return serve(t, http2(), func(_ int, c *peer) {
		if _, err := io.ReadFull(c.in, make([]byte, len(preface))); err != nil {
			return
		}
		frame{kind: frameSettings}.writeTo(c)
		for {
			f, err := readFrame(c.in)
			if err != nil {
				return
			}
			for _, reply := range c.reply(f, answer) {
				reply.writeTo(c)
			}
		}
	})
}

func (p *peer) reply(f frame, answer func(int32, uint32) []frame) []frame {
	switch {
	case (f.kind == frameSettings || f.kind == framePing) && f.flags&flagAck == 0:
		f.flags = flagAck
		if f.kind == frameSettings {
			f.payload = nil
		}
		return []frame{f}
	case (f.kind == frameHeaders || f.kind == frameData) && f.flags&flagEndStream != 0:
		return answer(p.server.requests.Add(1)-1, f.stream)
	default:
		return nil
	}
}

func reset(stream, code uint32) []frame {
	return []frame{{kind: frameReset, stream: stream, payload: binary.BigEndian.AppendUint32(nil, code)}}
}

// goAway says that no stream after last was processed.
func goAway(last, code uint32) []frame {
	payload := binary.BigEndian.AppendUint32(nil, last)
	return []frame{{kind: frameGoAway, payload: binary.BigEndian.AppendUint32(payload, code)}}
}

func ok(stream uint32) []frame {
	return []frame{{kind: frameHeaders, flags: flagEndHeaders | flagEndStream, stream: stream, payload: []byte(status200)}}
}

// breaks are the ways in which a server can drop a request on HTTP/2 after it
// has read it whole.
func breaks() map[string]func(stream uint32) []frame {
	return map[string]func(uint32) []frame{
		"PROTOCOL_ERROR": func(s uint32) []frame { return reset(s, codeProtocol) },
		"REFUSED_STREAM": func(s uint32) []frame { return reset(s, codeRefused) },
		"INTERNAL_ERROR": func(s uint32) []frame { return reset(s, codeInternal) },
		"CANCEL":         func(s uint32) []frame { return reset(s, codeCancel) },
		"GOAWAY":         func(uint32) []frame { return goAway(0, codeRefused) },
	}
}

func TestAPostThatWasResetOnHTTP2ReachesTheServerOnce(t *testing.T) {
	for name, broken := range breaks() {
		t.Run(name, func(t *testing.T) {
			s := serveHTTP2(t, func(_ int32, stream uint32) []frame { return broken(stream) })
			got := post(s.https()).over(t, guarded(t, transport.New()))
			require.Error(t, got.err)
			assert.True(t, got.maybeSent)
			assert.False(t, got.replayed)
			assert.EqualValues(t, 1, s.requests.Load())
		})
	}
}

// No body, no GetBody: the guard can only count, and stop what does not end.
func TestAGetThatIsResetOnHTTP2IsReplayedThreeTimesAtMost(t *testing.T) {
	const most = 3
	for name, broken := range breaks() {
		t.Run(name, func(t *testing.T) {
			s := serveHTTP2(t, func(_ int32, stream uint32) []frame { return broken(stream) })
			got := get(s.https()).over(t, guarded(t, transport.New()))
			require.Error(t, got.err)
			assert.True(t, got.maybeSent)
			assert.LessOrEqual(t, s.requests.Load(), int32(most))
			assert.Equal(t, s.requests.Load() > 1, got.replayed)
			assert.False(t, transport.Permanent(got.err))
		})
	}
}

func TestAReplayedDeleteSaysSoWhenItSucceeds(t *testing.T) {
	s := serveHTTP2(t, func(n int32, stream uint32) []frame {
		if n == 0 {
			return reset(stream, codeRefused)
		}
		return ok(stream)
	})
	remove := sending{method: http.MethodDelete, url: s.https()}
	got := remove.over(t, guarded(t, transport.New()))
	require.NoError(t, got.err)
	assert.Equal(t, http.StatusOK, got.status)
	assert.True(t, got.replayed, "a 404 to the second could be the doing of the first")
	assert.EqualValues(t, 2, s.requests.Load())
}
