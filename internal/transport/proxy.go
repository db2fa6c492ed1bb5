package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

var errProxyAddress = errors.New("the address of the proxy is not a URL (characters of its password may need to be escaped)")

type proxyFunc func(*http.Request) (*url.URL, error)

// apart returns choose with a request of its own, since others may have the same header
// and address, and with an error that does not quote what cannot be parsed: there is a
// password in it, of which nobody can say where it ends.
func apart(choose proxyFunc) proxyFunc {
	if choose == nil {
		return nil
	}
	return func(req *http.Request) (*url.URL, error) {
		proxy, err := choose(req.Clone(req.Context()))
		var faulty *url.Error
		if errors.As(err, &faulty) {
			return nil, errProxyAddress
		}
		return proxy, err
	}
}

// tunnelError is a proxy that has opened no tunnel.
type tunnelError struct {
	proxy, target string // as scheme://host:port, and as host:port
	status        int
}

func (e *tunnelError) Error() string {
	return fmt.Sprintf("the proxy %s did not connect to %s: %d %s", e.proxy, e.target, e.status, http.StatusText(e.status))
}

// permanent reports whether the proxy would say the same again, and perhaps lock out a
// user whose password is wrong.
func (e *tunnelError) permanent() bool {
	return e.status < 500 && e.status != http.StatusRequestTimeout && e.status != http.StatusTooManyRequests
}

type tunnelHook func(ctx context.Context, proxy *url.URL, sent *http.Request, answer *http.Response) error

// nameProxy returns a hook that calls next, if there is one, and makes an error of each
// refusal. That of net/http is the text behind the status alone, which may be empty, is
// easily taken for the API's, and could quote the password.
func nameProxy(next tunnelHook) tunnelHook {
	return func(ctx context.Context, proxy *url.URL, sent *http.Request, answer *http.Response) error {
		if next != nil {
			if err := next(ctx, proxy, sent, answer); err != nil {
				return err
			}
		}
		if answer.StatusCode == http.StatusOK {
			return nil
		}
		return &tunnelError{proxy: proxy.Scheme + "://" + proxy.Host, target: sent.Host, status: answer.StatusCode}
	}
}
