// Package transport is the bottom of a request's road: the connections, and a
// witness that can say of a failed attempt whether anything of it may have
// left this machine.
package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// maxHeader is how much header of an answer is read where the caller's transport
// does not say: it costs twenty times its length in memory, and net/http would
// take 10 MiB.
const maxHeader = 1 << 20

// How long an HTTP/2 connection may be silent before it is asked for a sign of life,
// and how long that may take. net/http would go on using one that has died without a
// word, for all requests, until the kernel gives up on it: for a quarter of an hour.
const (
	silence    = 15 * time.Second
	signOfLife = 10 * time.Second
)

// Transport is net/http's, and knows its connections.
type Transport struct {
	*http.Transport

	pool pool
}

// New returns the transport that a client uses unless it is given one.
func New() *Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return pooled(&http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: nameProxy(nil),
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    128,
		IdleConnTimeout:        50 * time.Second, // below the 60 s after which most load balancers hang up
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}, dialer.DialContext)
}

// Adopt returns a copy of the transport whose connections the witness can
// read. The original and its connections are left alone.
func Adopt(original *http.Transport) *Transport {
	t := original.Clone()
	t.Proxy = apart(t.Proxy)
	t.OnProxyConnectResponse = nameProxy(t.OnProxyConnectResponse)
	if speaksPlainHTTP2(t) {
		// Nothing tells HTTP/2 without TLS from HTTP/1.1 on a plain
		// connection, so such connections stay foreign to the witness.
		return &Transport{Transport: t}
	}
	// net/http gives up HTTP/2 when it sees a dialler that it does not know, and
	// in every copy of a transport that did not ask for it: ask for it where the
	// original has it, which Clone has made it decide.
	t.ForceAttemptHTTP2 = t.ForceAttemptHTTP2 || original.TLSNextProto["h2"] != nil
	if t.MaxResponseHeaderBytes == 0 {
		t.MaxResponseHeaderBytes = maxHeader
	}
	dial := t.DialContext
	if dial == nil {
		dial = plainDial(t)
	}
	return pooled(t, dial)
}

// pooled returns t with connections that dial makes.
func pooled(t *http.Transport, dial dialFunc) *Transport {
	own := &Transport{Transport: t}
	if t.HTTP2 == nil {
		t.HTTP2 = &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: signOfLife}
	}
	t.DialContext = own.pool.pooled(dial)
	return own
}

func speaksPlainHTTP2(t *http.Transport) bool {
	return t.Protocols != nil && t.Protocols.UnencryptedHTTP2()
}

// plainDial is what net/http would use for a transport without DialContext.
func plainDial(t *http.Transport) dialFunc {
	//lint:ignore SA1019 users of it are still about
	if dial := t.Dial; dial != nil {
		return func(_ context.Context, network, address string) (net.Conn, error) {
			return dial(network, address)
		}
	}
	return (&net.Dialer{}).DialContext
}
