// The certificate of net/http/httptest must be trusted as a root of the
// system would be: a TLS configuration would already change what a transport
// negotiates.
//
//go:debug x509usefallbackroots=1
package transport_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	roots := x509.NewCertPool()
	roots.AddCert(certificate().Leaf)
	x509.SetFallbackRoots(roots)
	goleak.VerifyTestMain(m)
}

// certificate returns that of every httptest server: for example.com,
// 127.0.0.1 and ::1, signed by itself.
func certificate() tls.Certificate {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	pair.Leaf = server.Certificate()
	return pair
}
