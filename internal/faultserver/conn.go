package faultserver

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"sync"
	"time"
)

// identity is the certificate of a server, and what a client must trust to
// accept it.
type identity struct {
	certificate tls.Certificate
	roots       *x509.CertPool
}

// sharedIdentity is the identity of every server: to make one costs more than most
// of what a server is asked.
var sharedIdentity = sync.OnceValues(newIdentity)

// newIdentity makes an authority and has it sign a certificate for loopback. It is
// valid now and in a bubble of testing/synctest, where it is the year 2000.
func newIdentity() (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, err
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(100, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	root, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	if err != nil {
		return identity{}, err
	}
	signed, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), key)
	if err != nil {
		return identity{}, err
	}
	trusted, err := x509.ParseCertificate(root)
	if err != nil {
		return identity{}, err
	}
	id := identity{tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, x509.NewCertPool()}
	id.roots.AddCert(trusted)
	return id, nil
}

func (id identity) config(protocol string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{id.certificate}, NextProtos: []string{protocol},
	}
}

// conn is the server's end of a connection.
type conn struct {
	raw net.Conn
	tls *tls.Conn
	in  *bufio.Reader // of tls
}

func newConn(raw net.Conn, config *tls.Config) *conn {
	secure := tls.Server(raw, config)
	return &conn{raw: raw, tls: secure, in: bufio.NewReader(secure)}
}

// plainText is not TLS, although many a server answers it to a handshake.
const plainText = "HTTP/1.0 400 Bad Request\r\n\r\n"

// breakRaw ends a connection that has not come to TLS.
func (c *conn) breakRaw(b Break) {
	switch b {
	case Reset:
		c.reset()
	case Close:
		c.closeRaw()
		c.outlast()
	case Garbage:
		_, _ = io.WriteString(c.raw, plainText)
		c.closeRaw()
		c.outlast()
	default:
		c.outlast()
	}
}

// reset hangs up in a way that the client's next write notices, where one
// after an ordinary Close would still be accepted by its own kernel.
func (c *conn) reset() {
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.raw.Close()
}

func (c *conn) closeRaw() {
	if half, ok := c.raw.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// closeWrite ends the server's side in good order. Its other side stays: a
// connection that is closed while there is something to read is reset, and the
// reset overtakes what was written.
func (c *conn) closeWrite() {
	_ = c.tls.CloseWrite()
	c.closeRaw()
}

// outlast returns when the client, or Close, has closed the connection.
func (c *conn) outlast() { _, _ = io.Copy(io.Discard, c.raw) }
