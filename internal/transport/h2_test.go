package transport_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

	codeNone     = 0x0
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

// answers is what a server does with a request that it has read to its end:
// the nth, counted from 0 over all connections.
type answers func(n int32, stream uint32) []frame

func serveHTTP2(t *testing.T, config *tls.Config, answer answers) *server {
	t.Helper()
	return serve(t, config, func(_ int, c *peer) { c.speakHTTP2(answer) })
}

func (p *peer) speakHTTP2(answer answers) {
	if _, err := io.ReadFull(p.in, make([]byte, len(preface))); err != nil {
		return
	}
	// Both ends would wait for each other if they wrote where they read.
	replies := make(chan frame, 16)
	defer close(replies)
	p.server.serving.Go(func() {
		for f := range replies {
			f.writeTo(p)
		}
	})
	replies <- frame{kind: frameSettings}
	for {
		f, err := readFrame(p.in)
		if err != nil {
			return
		}
		for _, reply := range p.reply(f, answer) {
			replies <- reply
		}
	}
}

func (p *peer) reply(f frame, answer answers) []frame {
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
		"GOAWAY":         func(uint32) []frame { return goAway(0, codeNone) },
	}
}

// carriers are the ways to speak HTTP/2. Nothing tells one without TLS from
// HTTP/1.1 by the connection, so that Adopt must know it by the transport.
func carriers() []carrier {
	plain := &http.Transport{Protocols: new(http.Protocols)}
	plain.Protocols.SetUnencryptedHTTP2(true)
	return []carrier{
		{"with TLS", "https://", http2(), &http.Transport{ForceAttemptHTTP2: true}},
		{"without TLS", "http://", nil, plain},
	}
}

type carrier struct {
	name   string
	scheme string
	config *tls.Config
	rt     *http.Transport
}

func TestAPostThatWasResetOnHTTP2ReachesTheServerOnce(t *testing.T) {
	for _, over := range carriers() {
		for name, broken := range breaks() {
			t.Run(name+" "+over.name, func(t *testing.T) {
				// A middleware may take the body away, and net/http asks nobody
				// before it replays what has none.
				bodies := []string{"{}", ""}
				if over.config == nil {
					bodies = bodies[:1] // such connections are foreign to the guard
				}
				for _, body := range bodies {
					s := serveHTTP2(t, over.config, func(_ int32, stream uint32) []frame { return broken(stream) })
					once := post(over.scheme + s.Addr().String())
					once.body = body
					got := once.over(t, guarded(t, transport.Adopt(over.rt)))
					require.Error(t, got.err)
					assert.True(t, got.maybeSent)
					assert.False(t, got.replayed)
					assert.EqualValues(t, 1, s.requests.Load(), "the body is %q", body)
				}
			})
		}
	}
}

// What has no body asks nobody before it is replayed: the guard can only count,
// and stop what does not end by itself. net/http waits longer and longer
// between some replays, so this server is at the other end of a pipe, in a
// bubble where waiting takes no time.
func TestAGetThatIsResetOnHTTP2IsSentThreeTimesAtMost(t *testing.T) {
	replayed := map[string]bool{"PROTOCOL_ERROR": true, "REFUSED_STREAM": true, "GOAWAY": true}
	for _, over := range carriers() {
		for name, broken := range breaks() {
			t.Run(name+" "+over.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, dial := pipes(t, over.config, func(_ int32, stream uint32) []frame { return broken(stream) })
					rt := over.rt.Clone()
					rt.DialContext = dial
					got := get(over.scheme+"example.com").over(t, guarded(t, transport.Adopt(rt)))
					require.Error(t, got.err)
					assert.True(t, got.maybeSent)
					assert.False(t, transport.Permanent(got.err))
					assert.Equal(t, replayed[name], got.replayed)
					if !replayed[name] {
						assert.EqualValues(t, 1, s.requests.Load())
						return
					}
					assert.EqualValues(t, 3, s.requests.Load())
					assert.ErrorContains(t, got.cause, "went on replaying", "the client learns why its context ended")
				})
			})
		}
	}
}

func TestAMiddlewareMayRepeatOnHTTP2AsOftenAsItLikes(t *testing.T) {
	const times = 10
	s := serveHTTP2(t, http2(), func(_ int32, stream uint32) []frame { return ok(stream) })
	guard := guarded(t, transport.New())
	got := get(s.https()).over(t, roundTripper(func(req *http.Request) (resp *http.Response, err error) {
		for range times {
			if resp, err = guard.RoundTrip(req); err != nil {
				return nil, err
			}
		}
		return resp, nil
	}))
	require.NoError(t, got.err, "the limit is for what net/http does by itself")
	assert.EqualValues(t, times, s.requests.Load())
}

// A network that has lost a connection tells nobody.
func TestAnHTTP2ConnectionThatDiedInSilenceIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial := pipes(t, http2(), func(_ int32, stream uint32) []frame { return ok(stream) })
		var first *lossy
		guard := guarded(t, transport.Adopt(&http.Transport{
			ForceAttemptHTTP2: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := dial(ctx, network, address)
				if first == nil {
					first = &lossy{Conn: c}
					return first, err
				}
				return c, err
			},
		}))
		require.NoError(t, get("https://example.com").over(t, guard).err)
		first.lost.Store(true)

		began := time.Now()
		got := get("https://example.com").over(t, guard)
		require.Error(t, got.err)
		assert.True(t, got.maybeSent)
		assert.Less(t, time.Since(began), 30*time.Second, "the default attempt timeout")
		require.NoError(t, get("https://example.com").over(t, guard).err, "the next one has another connection")
	})
}

// lossy is a connection that can lose what is written to it.
type lossy struct {
	net.Conn

	lost atomic.Bool
}

func (l *lossy) Write(p []byte) (int, error) {
	if l.lost.Load() {
		return len(p), nil
	}
	return l.Conn.Write(p)
}

// pipes returns a server without a network, and the dialler that reaches it.
func pipes(t *testing.T, config *tls.Config, answer answers) (*server, func(context.Context, string, string) (net.Conn, error)) {
	t.Helper()
	s := &server{}
	t.Cleanup(s.stop)
	return s, func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		s.attend(far, func() { newPeer(s, far, config).speakHTTP2(answer) })
		return near, nil
	}
}

func TestAReplayedDeleteSaysSoWhenItSucceeds(t *testing.T) {
	s := serveHTTP2(t, http2(), func(n int32, stream uint32) []frame {
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
