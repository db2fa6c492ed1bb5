package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/transport"
)

func TestPermanentIsWhatWouldFailInTheSameWayAgain(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"no error", nil, false},
		{"a name that does not exist", &net.DNSError{IsNotFound: true}, true},
		{"a name server that did not answer", &net.DNSError{IsTimeout: true}, false},
		{"a name server that failed", &net.DNSError{IsTemporary: true}, false},
		{"a certificate that was not verified", &tls.CertificateVerificationError{Err: errors.New("x")}, true},
		{"an unknown authority", x509.UnknownAuthorityError{}, true},
		{"a certificate for another name", x509.HostnameError{Certificate: certificate().Leaf, Host: "x"}, true},
		{"an expired certificate", x509.CertificateInvalidError{Reason: x509.Expired}, true},
		{"a refused connection", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, false},
		{"a handshake that the server broke off", tls.AlertError(40), false},
		{"a timeout", context.DeadlineExceeded, false},
		{"a cancellation", context.Canceled, false},
		{"a reset", io.ErrUnexpectedEOF, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, transport.Permanent(tt.err))
			if tt.err != nil {
				wrapped := &url.Error{Op: "Post", URL: "https://example.com", Err: fmt.Errorf("x: %w", tt.err)}
				assert.Equal(t, tt.want, transport.Permanent(wrapped), "as net/http returns it")
			}
		})
	}
}

func TestPermanentUnderstandsWhatNetHTTPReallyReturns(t *testing.T) {
	closed := loopback(t)
	require.NoError(t, closed.Close())
	secure := serve(t, http1(), func(_ int, c *peer) { c.read() })
	_, port, err := net.SplitHostPort(secure.Addr().String())
	require.NoError(t, err)
	unknownTo := func(config *tls.Config) *http.Transport { return &http.Transport{TLSClientConfig: config} }
	tests := []struct {
		name string
		rt   *http.Transport
		url  string
		want bool
	}{
		{"a refused connection", transport.New().Transport, "http://" + closed.Addr().String(), false},
		{"a certificate for another name", transport.New().Transport, "https://localhost:" + port, true},
		{"an unknown authority", unknownTo(&tls.Config{RootCAs: x509.NewCertPool()}), secure.https(), true},
		{"a TLS version that is too old", unknownTo(&tls.Config{MaxVersion: tls.VersionTLS11}), secure.https(), false},
		{"a name that does not exist", &http.Transport{DialContext: nowhere(t).DialContext}, "http://videosdk.test", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := post(tt.url).over(t, guarded(t, transport.Adopt(tt.rt)))
			require.Error(t, got.err)
			assert.False(t, got.maybeSent)
			assert.Equal(t, tt.want, transport.Permanent(got.err), got.err)
		})
	}
}

// nowhere returns a dialler whose name server knows no name.
func nowhere(t *testing.T) *net.Dialer {
	t.Helper()
	names, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for query := make([]byte, 512); ; {
			n, from, err := names.ReadFrom(query)
			if err != nil {
				return
			}
			const answerNoSuchName = 0x8183
			binary.BigEndian.PutUint16(query[2:], answerNoSuchName)
			_, _ = names.WriteTo(query[:n], from)
		}
	}()
	t.Cleanup(func() {
		_ = names.Close()
		<-done
	})
	return &net.Dialer{Resolver: &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "udp", names.LocalAddr().String())
		},
	}}
}

func TestErrorsOfTheGuardDoNotQuoteTheRequest(t *testing.T) {
	_, err := transport.NewGuard(transport.New()).RoundTrip(func() *http.Request {
		req, _ := http.NewRequest(http.MethodPost, "http://192.0.2.1/+14155550123?token=hunter2", strings.NewReader("hunter2"))
		return req
	}())
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
	assert.NotContains(t, err.Error(), "4155550123")
}
