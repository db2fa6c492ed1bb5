package transport

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

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
