package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/transport"
)

// bothProtocols starts a server with TLS that speaks HTTP/2 and HTTP/1.1.
func bothProtocols(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestAdoptNegotiatesTheProtocolOfTheOriginal(t *testing.T) {
	dial := (&net.Dialer{}).DialContext
	protocols := func(set func(*http.Protocols)) *http.Protocols {
		p := new(http.Protocols)
		set(p)
		return p
	}
	tests := []struct {
		name     string
		original func() *http.Transport
		want     string
	}{
		{"an empty transport", func() *http.Transport { return &http.Transport{} }, "HTTP/2.0"},
		{"one with a proxy function", func() *http.Transport {
			return &http.Transport{Proxy: http.ProxyFromEnvironment}
		}, "HTTP/2.0"},
		{"net/http's default", func() *http.Transport { return http.DefaultTransport.(*http.Transport).Clone() }, "HTTP/2.0"},
		{"ours", func() *http.Transport { return transport.New().Transport }, "HTTP/2.0"},
		{"one with a dialler", func() *http.Transport { return &http.Transport{DialContext: dial} }, "HTTP/1.1"},
		{"one with a dialler and HTTP/2 asked for", func() *http.Transport {
			return &http.Transport{DialContext: dial, ForceAttemptHTTP2: true}
		}, "HTTP/2.0"},
		{"one with a deprecated dialler", func() *http.Transport {
			//lint:ignore SA1019 users of it are still about
			return &http.Transport{Dial: net.Dial}
		}, "HTTP/1.1"},
		{"one with a TLS configuration", func() *http.Transport {
			return &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13}}
		}, "HTTP/1.1"},
		{"one with a TLS dialler", func() *http.Transport {
			return &http.Transport{DialTLSContext: (&tls.Dialer{}).DialContext}
		}, "HTTP/1.1"},
		{"one with HTTP/2 switched off in the old way", func() *http.Transport {
			return &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
		}, "HTTP/1.1"},
		{"one for HTTP/1 only", func() *http.Transport {
			return &http.Transport{Protocols: protocols(func(p *http.Protocols) { p.SetHTTP1(true) })}
		}, "HTTP/1.1"},
		{"one for HTTP/2 only", func() *http.Transport {
			return &http.Transport{Protocols: protocols(func(p *http.Protocols) { p.SetHTTP2(true) })}
		}, "HTTP/2.0"},
		{"one that also allows HTTP/2 without TLS", func() *http.Transport {
			return &http.Transport{Protocols: protocols(func(p *http.Protocols) {
				p.SetHTTP1(true)
				p.SetHTTP2(true)
				p.SetUnencryptedHTTP2(true)
			})}
		}, "HTTP/2.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := bothProtocols(t)
			unused, used := tt.original(), tt.original()
			t.Cleanup(used.CloseIdleConnections)
			resp, err := (&http.Client{Transport: used}).Get(s.URL)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, tt.want, resp.Proto, "the original itself")

			for _, original := range []*http.Transport{unused, used} {
				got := post(s.URL).over(t, guarded(t, transport.Adopt(original)))
				require.NoError(t, got.err)
				assert.Equal(t, tt.want, got.proto)
			}
		})
	}
}

func TestAdoptLeavesTheOriginalAlone(t *testing.T) {
	s := serve(t, nil, answerAll)
	original := &http.Transport{MaxIdleConns: 7}
	t.Cleanup(original.CloseIdleConnections)
	keepOne(t, transport.NewGuard(original), s.http())

	connections := s.connections.Load()
	adopted := guarded(t, transport.Adopt(original))
	require.NoError(t, get(s.http()).over(t, adopted).err)
	assert.Equal(t, connections+1, s.connections.Load(), "connections are not shared")
	adopted.CloseIdleConnections()

	require.NoError(t, get(s.http()).over(t, transport.NewGuard(original)).err)
	assert.Equal(t, connections+1, s.connections.Load(), "the original's connection is still open")
	assert.Nil(t, original.DialContext)
	assert.False(t, original.ForceAttemptHTTP2)
	assert.Equal(t, 7, original.MaxIdleConns)
}

func TestAdoptDialsAsTheOriginalWould(t *testing.T) {
	var used string
	dial := func(name string) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			used = name
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	}
	deprecated := func(network, address string) (net.Conn, error) {
		return dial("Dial")(context.Background(), network, address)
	}
	tests := []struct {
		name     string
		original *http.Transport
		want     string
	}{
		{"without a dialler", &http.Transport{}, ""},
		{"with DialContext", &http.Transport{DialContext: dial("DialContext")}, "DialContext"},
		//lint:ignore SA1019 users of it are still about
		{"with the deprecated Dial", &http.Transport{Dial: deprecated}, "Dial"},
		//lint:ignore SA1019 users of it are still about
		{"with both, by DialContext", &http.Transport{DialContext: dial("DialContext"), Dial: deprecated}, "DialContext"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			used = ""
			s := serve(t, nil, answerAll)
			require.NoError(t, post(s.http()).over(t, guarded(t, transport.Adopt(tt.original))).err)
			assert.Equal(t, tt.want, used)
		})
	}
}

func TestADialThatFailsIsReportedAsNotSent(t *testing.T) {
	lost := errors.New("no route")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"with its own error", lost, "no route"},
		{"by a dialler that returns neither a connection nor an error", nil, "(nil, nil)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rt := transport.Adopt(&http.Transport{
				DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, tt.err },
			})
			got := post("http://192.0.2.1").over(t, guarded(t, rt))
			require.ErrorContains(t, got.err, tt.want)
			assert.False(t, got.maybeSent)
		})
	}
}

func TestAdoptKeepsTheTLSConfiguration(t *testing.T) {
	s := bothProtocols(t)
	got := get(s.URL).over(t, guarded(t, transport.Adopt(&http.Transport{
		TLSClientConfig: &tls.Config{VerifyConnection: func(tls.ConnectionState) error { return errors.New("not this one") }},
	})))
	require.ErrorContains(t, got.err, "not this one")
	assert.False(t, got.maybeSent)
}

// tunnel is a proxy that opens CONNECT tunnels and forwards nothing else.
func tunnel(t *testing.T, config *tls.Config) *server {
	t.Helper()
	return serve(t, config, func(_ int, c *peer) {
		req, err := http.ReadRequest(c.in)
		if err != nil || req.Method != http.MethodConnect {
			return
		}
		c.server.requests.Add(1)
		target, err := net.Dial("tcp", req.Host)
		if err != nil {
			return
		}
		defer target.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
		c.server.serving.Go(func() {
			_, _ = io.Copy(target, c.in)
			_ = target.Close()
		})
		_, _ = io.Copy(c, target)
		c.reset()
	})
}

func TestAdoptKeepsTheProxyAndTheWitnessSeesThroughIt(t *testing.T) {
	tests := []struct {
		name   string
		config *tls.Config
		scheme string
	}{
		{"a proxy", nil, "http"},
		{"a proxy behind TLS", http1(), "https"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hangUp := make(chan struct{})
			s := serve(t, http1(), answerUntil(hangUp, func(*peer) {}))
			proxy := tunnel(t, tt.config)
			rt, latest := wrapping(newDeaf)
			rt.Proxy = http.ProxyURL(&url.URL{Scheme: tt.scheme, Host: proxy.Addr().String()})
			guard := guarded(t, transport.Adopt(rt.Transport))
			before := keepOne(t, guard, s.https())
			tunnels := proxy.requests.Load()
			close(hangUp)
			<-latest().gone

			got := post(s.https()).over(t, guard)
			require.NoError(t, got.err, "a tunnel that broke before the request is replaced")
			assert.False(t, got.replayed)
			assert.Equal(t, before+1, s.requests.Load())
			assert.Equal(t, tunnels+1, proxy.requests.Load())
		})
	}
	t.Run("a proxy that cannot be reached", func(t *testing.T) {
		closed := loopback(t)
		require.NoError(t, closed.Close())
		rt := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: closed.Addr().String()})}
		got := post("http://192.0.2.1").over(t, guarded(t, transport.Adopt(rt)))
		require.Error(t, got.err)
		assert.False(t, got.maybeSent)
	})
}

func TestAdoptLetsTheOriginalLookAtATunnelFirst(t *testing.T) {
	tests := []struct {
		name string
		look error
		want string
	}{
		{"which may have something to say", errors.New("ask for a ticket"), "ask for a ticket"},
		{"or nothing", nil, "did not connect to 192.0.2.1:443: 407 Proxy Authentication Required"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			proxy := serve(t, nil, func(_ int, c *peer) {
				_, _ = http.ReadRequest(c.in)
				_, _ = io.WriteString(c, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
			})
			rt := &http.Transport{
				Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy.Addr().String()}),
				OnProxyConnectResponse: func(context.Context, *url.URL, *http.Request, *http.Response) error {
					return tt.look
				},
			}
			got := post("https://192.0.2.1").over(t, guarded(t, transport.Adopt(rt)))
			require.ErrorContains(t, got.err, tt.want)
			assert.False(t, got.maybeSent)
		})
	}
}

// net/http gives up a connection whose write is not reported in 50 ms, which
// happens on a busy machine. In a bubble those pass only when nobody has
// anything left to do, so the server is at the other end of pipes.
func TestConnectionsAreReused(t *testing.T) {
	const requests = 64
	pair := certificate()
	tests := []struct {
		name   string
		scheme string
		config *tls.Config
		proto  string
	}{
		{"HTTP/1.1", "http", nil, "HTTP/1.1"},
		{"HTTP/1.1 with TLS", "https", &tls.Config{Certificates: []tls.Certificate{pair}}, "HTTP/1.1"},
		{"HTTP/2", "https", &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}}, "HTTP/2.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newPipeListener(tt.config)
				s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(w, r.Body)
				})}
				go func() { _ = s.Serve(l) }()
				t.Cleanup(func() { _ = s.Close() })
				rt := transport.New()
				rt.DialContext = l.dial
				guard := guarded(t, transport.Adopt(rt.Transport))
				for i := range requests {
					got := post(tt.scheme+"://example.com").over(t, guard)
					require.NoError(t, got.err, "request %d", i)
					require.Equal(t, tt.proto, got.proto)
					require.False(t, got.replayed)
				}
				assert.EqualValues(t, 1, l.dialled.Load())
			})
		})
	}
}

// pipeListener is a network with one server.
type pipeListener struct {
	config  *tls.Config // nil for no TLS
	accept  chan net.Conn
	closed  chan struct{}
	close   func()
	dialled atomic.Int32
}

func newPipeListener(config *tls.Config) *pipeListener {
	l := &pipeListener{config: config, accept: make(chan net.Conn), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	return l
}

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	l.dialled.Add(1)
	near, far := net.Pipe()
	if l.config != nil {
		far = tls.Server(far, l.config)
	}
	select {
	case l.accept <- far:
		return near, nil
	case <-l.closed: // with the test, which need not wait for a dial that nobody wants
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.close()
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
