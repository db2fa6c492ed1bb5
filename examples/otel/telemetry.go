package main

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/videosdk-sip-go/videosdk"
)

const scope = "github.com/videosdk-sip-go/videosdk/examples/otel"

// Telemetry tells OpenTelemetry what a client does: a span for each call that
// goes through [Trace], with a child for each attempt, and metrics of all of
// them. What it tells holds no secret, and no phone number.
type Telemetry struct {
	tracer   trace.Tracer
	server   []attribute.KeyValue
	duration httpconv.ClientRequestDuration // of an attempt
	calls    metric.Int64Counter
	retries  metric.Int64Counter
}

// NewTelemetry returns the telemetry of clients of the API at a base URL.
func NewTelemetry(baseURL string, traces trace.TracerProvider, metrics metric.MeterProvider) (*Telemetry, error) {
	base, err := url.Parse(baseURL)
	if err != nil {
		return nil, err
	}
	port, err := net.LookupPort("tcp", cmp.Or(base.Port(), base.Scheme)) // the scheme has one, too
	if err != nil {
		return nil, err
	}
	t := &Telemetry{
		tracer: traces.Tracer(scope),
		server: []attribute.KeyValue{semconv.ServerAddress(base.Hostname()), semconv.ServerPort(port)},
	}
	meter := metrics.Meter(scope)
	var errs [3]error
	t.duration, errs[0] = httpconv.NewClientRequestDuration(meter,
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
	t.calls, errs[1] = meter.Int64Counter("videosdk.client.calls",
		metric.WithUnit("{call}"), metric.WithDescription("Calls of the client, with their outcome."))
	t.retries, errs[2] = meter.Int64Counter("videosdk.client.retries",
		metric.WithUnit("{retry}"), metric.WithDescription("Attempts that were followed by another one."))
	return t, errors.Join(errs[:]...)
}

// Option makes a client tell of its attempts.
func (t *Telemetry) Option() videosdk.Option { return videosdk.WithOnAttempt(t.attempt) }

// Trace makes a call in a span of its own:
//
//	number, err := Trace(ctx, t, "PhoneNumbers.Get", func(ctx context.Context) (*videosdk.PhoneNumber, error) {
//		return client.PhoneNumbers.Get(ctx, e164)
//	})
func Trace[T any](ctx context.Context, t *Telemetry, operation string, call func(context.Context) (T, error)) (T, error) {
	ctx, span := t.tracer.Start(ctx, operation)
	defer span.End()
	result, err := call(ctx)
	outcome := []attribute.KeyValue{attribute.String("videosdk.operation", operation)}
	if err != nil {
		kind := errorType(err)
		outcome = append(outcome, kind, attribute.Bool("videosdk.maybe_applied", errors.Is(err, videosdk.ErrMaybeApplied)))
		span.SetStatus(codes.Error, kind.Value.AsString()) // the text may quote the server, and with it a phone number
	}
	span.SetAttributes(outcome...)
	t.calls.Add(ctx, 1, metric.WithAttributes(outcome...))
	return result, err
}

// errorType is of few values, as the attribute of a metric has to be.
func errorType(err error) attribute.KeyValue {
	var answer *videosdk.APIError
	var noAnswer *videosdk.RequestError
	kind := "_OTHER"
	switch {
	case errors.As(err, &answer):
		kind = strconv.Itoa(answer.StatusCode)
	case errors.Is(err, context.Canceled):
		kind = string(videosdk.ErrorClassCanceled)
	case errors.Is(err, videosdk.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		kind = string(videosdk.ErrorClassTimeout)
	case errors.As(err, &noAnswer):
		kind = string(videosdk.ErrorClassConnection)
	case errors.Is(err, videosdk.ErrInvalidRequest):
		kind = "invalid-request"
	case errors.Is(err, videosdk.ErrNotAnswered):
		kind = "not-answered"
	}
	return semconv.ErrorTypeKey.String(kind)
}

// attempt tells of one sending of a request. It is told when the attempt is
// over, so the span begins in the past.
func (t *Telemetry) attempt(ctx context.Context, a videosdk.Attempt) {
	end := time.Now()
	known := append([]attribute.KeyValue{
		attribute.String("videosdk.operation", a.Operation), semconv.HTTPRequestMethodKey.String(a.Method),
	}, t.server...)
	if a.StatusCode != 0 {
		known = append(known, semconv.HTTPResponseStatusCode(a.StatusCode))
	}
	failure := string(a.ErrorClass)
	if failure == "" && a.StatusCode >= 300 {
		failure = strconv.Itoa(a.StatusCode)
	}
	if failure != "" {
		known = append(known, semconv.ErrorTypeKey.String(failure))
	}
	t.duration.Inst().Record(ctx, a.Duration.Seconds(), metric.WithAttributes(known...))
	if a.WillRetry {
		t.retries.Add(ctx, 1, metric.WithAttributes(known...))
	}

	// A path holds ids: too many for a metric, and for the name of a span.
	known = append(known, semconv.URLPath(a.Path))
	if a.Number > 1 {
		known = append(known, semconv.HTTPRequestResendCount(a.Number-1))
	}
	if a.RequestID != "" {
		known = append(known, attribute.String("videosdk.request_id", a.RequestID))
	}
	_, span := t.tracer.Start(ctx, a.Method, trace.WithTimestamp(end.Add(-a.Duration)),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(known...))
	if failure != "" {
		span.SetStatus(codes.Error, failure)
	}
	span.End(trace.WithTimestamp(end))
}
