package main

import (
	"net/http"

	"go.opentelemetry.io/otel/propagation"

	"github.com/videosdk-sip-go/videosdk"
)

// Propagate adds the trace to the headers of each attempt (traceparent), for a
// proxy, or a server that knows it. The parent that it names is the span of the
// call: that of the attempt does not exist yet.
func Propagate(propagator propagation.TextMapPropagator) videosdk.Option {
	return videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			propagator.Inject(req.Context(), propagation.HeaderCarrier(req.Header))
			return next.RoundTrip(req)
		})
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
