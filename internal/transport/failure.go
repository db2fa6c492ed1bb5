package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
)

// Permanent reports whether an attempt that failed with err would fail in the
// same way again: a name that does not exist, a certificate that is not
// trusted, a proxy that lets nobody through, a middleware that breaks a rule.
func Permanent(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return true
	}
	var tunnel *tunnelError
	if errors.As(err, &tunnel) && tunnel.permanent() {
		return true
	}
	return isRefusal(err) || isCertificate(err) || errors.Is(err, errProxyAddress)
}

func isCertificate(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) ||
		errors.As(err, &hostname) || errors.As(err, &invalid)
}

// isRefusal reports whether the guard kept the request from being sent.
func isRefusal(err error) bool {
	return errors.Is(err, errDetached) || errors.Is(err, errRepeated) ||
		errors.Is(err, errOrigin) || errors.Is(err, errReplayKey) ||
		errors.Is(err, errOverdue)
}

// neverConnected reports whether err shows by itself that no connection came
// about.
func neverConnected(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") { // net/http's, for one to a proxy
		return true
	}
	var dns *net.DNSError
	return errors.As(err, &dns)
}
