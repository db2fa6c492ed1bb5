package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// observed is a client, its account, and what OpenTelemetry has heard of it.
type observed struct {
	t         *testing.T
	srv       *videosdktest.Server
	client    *videosdk.Client
	telemetry *Telemetry
	spans     *tracetest.InMemoryExporter
	reader    *sdkmetric.ManualReader
}

func observe(t *testing.T, opts ...videosdk.Option) *observed {
	t.Helper()
	o := &observed{t: t, srv: videosdktest.NewServer(videosdktest.WithTB(t)), spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	o.srv.AddPhoneNumbers(ourNumber)
	var err error
	o.telemetry, err = NewTelemetry(o.srv.URL, sdktrace.NewTracerProvider(sdktrace.WithSyncer(o.spans)),
		sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader)))
	require.NoError(t, err)
	opts = append([]videosdk.Option{
		o.telemetry.Option(), Propagate(propagation.TraceContext{}), videosdk.WithBaseURL(o.srv.URL), videosdk.WithRetryWait(0, 0),
	}, opts...)
	o.client, err = videosdk.New(o.srv.APIKey, o.srv.Secret, opts...)
	require.NoError(t, err)
	t.Cleanup(o.client.CloseIdleConnections)
	return o
}

// get asks for the number of the account.
func (o *observed) get(ctx context.Context) (*videosdk.PhoneNumber, error) {
	return Trace(ctx, o.telemetry, "PhoneNumbers.Get", func(ctx context.Context) (*videosdk.PhoneNumber, error) {
		return o.client.PhoneNumbers.Get(ctx, ourNumber)
	})
}

// call returns the span of the one call, and those of its attempts, as they ended.
func (o *observed) call() (call tracetest.SpanStub, attempts []tracetest.SpanStub) {
	o.t.Helper()
	for _, span := range o.spans.GetSpans() {
		if span.SpanKind == trace.SpanKindClient {
			attempts = append(attempts, span)
		} else {
			require.Empty(o.t, call.Name, "one call")
			call = span
		}
	}
	require.NotEmpty(o.t, call.Name)
	return call, attempts
}

// attributes are those of a span or a data point, as text.
func attributes(all []attribute.KeyValue) map[string]string {
	m := map[string]string{}
	for _, a := range all {
		m[string(a.Key)] = a.Value.String()
	}
	return m
}

// metrics returns what a counter or histogram has counted, by its attributes.
func (o *observed) metrics(name string, keys ...attribute.Key) map[string]int {
	o.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(o.t, o.reader.Collect(o.t.Context(), &all))
	counts := map[string]int{}
	label := func(set attribute.Set) string {
		var values []string
		for _, key := range keys {
			value, _ := set.Value(key)
			values = append(values, value.String())
		}
		return strings.Join(values, " ")
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					counts[label(point.Attributes)] += int(point.Value)
				}
			case metricdata.Histogram[float64]:
				assert.Equal(o.t, "s", m.Unit)
				for _, point := range data.DataPoints {
					counts[label(point.Attributes)] += int(point.Count)
				}
			}
		}
	}
	return counts
}

func TestACallIsASpanAndEachAttemptAChild(t *testing.T) {
	o := observe(t)
	o.srv.Inject(videosdktest.Fault{Drop: videosdktest.DropAfterActing}) // a new connection: net/http does not try a GET again by itself
	o.srv.Inject(videosdktest.Fault{Status: http.StatusServiceUnavailable})
	began := time.Now()

	_, err := o.get(t.Context())

	require.NoError(t, err)
	call, attempts := o.call()
	assert.Equal(t, "PhoneNumbers.Get", call.Name)
	assert.Equal(t, codes.Unset, call.Status.Code)
	assert.Equal(t, map[string]string{"videosdk.operation": "PhoneNumbers.Get"}, attributes(call.Attributes))
	require.Len(t, attempts, 3)
	port := o.srv.URL[strings.LastIndex(o.srv.URL, ":")+1:]
	for i, want := range []map[string]string{
		{"error.type": "connection"},
		{"http.response.status_code": "503", "error.type": "503", "http.request.resend_count": "1"},
		{"http.response.status_code": "200", "http.request.resend_count": "2"},
	} {
		span := attempts[i]
		assert.Equal(t, "GET", span.Name)
		assert.Equal(t, call.SpanContext.SpanID(), span.Parent.SpanID())
		assert.Equal(t, call.SpanContext.TraceID(), span.SpanContext.TraceID())
		got := attributes(span.Attributes)
		assert.Equal(t, want["http.response.status_code"] != "", got["videosdk.request_id"] != "")
		delete(got, "videosdk.request_id")
		want["videosdk.operation"], want["http.request.method"] = "PhoneNumbers.Get", "GET"
		want["url.path"], want["server.address"], want["server.port"] = "/v2/sip/phone-numbers/{e164}", "127.0.0.1", port
		assert.Equal(t, want, got)
		assert.Equal(t, want["error.type"] != "", span.Status.Code == codes.Error)
		assert.False(t, span.StartTime.Before(began) || span.EndTime.Before(span.StartTime) || span.EndTime.After(call.EndTime), "in its time")
		if i > 0 {
			assert.False(t, span.StartTime.Before(attempts[i-1].EndTime), "one after the other")
		}
	}
	require.Len(t, o.srv.Requests(), 3)
}

func TestTheServerIsNamedWithItsPort(t *testing.T) {
	for baseURL, port := range map[string]string{
		videosdk.DefaultBaseURL: "443", "http://localhost": "80", "http://127.0.0.1:8080": "8080", "https://[::1]:8443": "8443",
	} {
		telemetry, err := NewTelemetry(baseURL, sdktrace.NewTracerProvider(), sdkmetric.NewMeterProvider())
		require.NoError(t, err)
		assert.Equal(t, port, attributes(telemetry.server)["server.port"], baseURL)
	}
}

func TestAnAttemptLastsAsLongAsItTook(t *testing.T) {
	o := observe(t)
	o.srv.Inject(videosdktest.Fault{Delay: 50 * time.Millisecond})
	_, err := o.get(t.Context())
	require.NoError(t, err)
	_, attempts := o.call()
	require.Len(t, attempts, 1)
	assert.GreaterOrEqual(t, attempts[0].EndTime.Sub(attempts[0].StartTime), 50*time.Millisecond)
}

func TestTheTraceTravelsWithEachAttempt(t *testing.T) {
	o := observe(t)
	o.srv.Inject(videosdktest.Fault{Status: http.StatusServiceUnavailable})
	_, err := o.get(t.Context())
	require.NoError(t, err)
	call, _ := o.call()
	want := fmt.Sprintf("00-%s-%s-01", call.SpanContext.TraceID(), call.SpanContext.SpanID())
	require.Len(t, o.srv.Requests(), 2)
	for _, r := range o.srv.Requests() {
		assert.Equal(t, []string{want}, r.Header.Values("Traceparent"), "what the emulator saw")
	}
}

func TestASpanOfYoursIsTheParent(t *testing.T) {
	o := observe(t)
	ctx, parent := sdktrace.NewTracerProvider().Tracer("backend").Start(t.Context(), "POST /reminders")
	_, err := o.get(ctx)
	parent.End()
	require.NoError(t, err)
	call, _ := o.call()
	assert.Equal(t, parent.SpanContext().SpanID(), call.Parent.SpanID())
}

func TestMetricsCountWhatHappened(t *testing.T) {
	o := observe(t)
	o.srv.Inject(videosdktest.Fault{Times: 2, Status: http.StatusTooManyRequests})
	_, err := o.get(t.Context())
	require.NoError(t, err)
	o.srv.Inject(videosdktest.Fault{Status: http.StatusNotFound})
	_, err = o.get(t.Context())
	require.ErrorIs(t, err, videosdk.ErrNotFound)

	assert.Equal(t, map[string]int{"PhoneNumbers.Get ": 1, "PhoneNumbers.Get 404": 1},
		o.metrics("videosdk.client.calls", "videosdk.operation", "error.type"))
	assert.Equal(t, map[string]int{"429": 2}, o.metrics("videosdk.client.retries", "error.type"))
	assert.Equal(t, map[string]int{"GET 200": 1, "GET 429": 2, "GET 404": 1},
		o.metrics("http.client.request.duration", "http.request.method", "http.response.status_code"))
	assert.NotContains(t, fmt.Sprint(o.metrics("http.client.request.duration", "url.path")), "/", "too many values for a metric")
}

func TestErrorsHaveATypeOfFewValues(t *testing.T) {
	dial := func(o *observed, ctx context.Context, to string) error {
		rule, err := o.client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
			Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ourNumber},
		})
		require.NoError(t, err)
		o.spans.Reset()
		_, err = Trace(ctx, o.telemetry, "Calls.Create", func(ctx context.Context) (*videosdk.Call, error) {
			return o.client.Calls.Create(ctx, videosdk.CallCreateParams{To: to, From: ourNumber, RoutingRuleID: rule.ID})
		})
		return err
	}
	const to = "+14155550199"
	tests := []struct {
		name    string
		do      func(*observed) error
		kind    string
		maybe   string
		attempt string // error.type of the only attempt, - for no attempt
	}{
		{"refused", func(o *observed) error {
			o.srv.Inject(videosdktest.Fault{Path: "/v2/sip/call", Status: http.StatusPaymentRequired})
			return dial(o, t.Context(), to)
		}, "402", "false", "402"},
		{"lost", func(o *observed) error {
			o.srv.Inject(videosdktest.Fault{Path: "/v2/sip/call", Drop: videosdktest.DropAfterActing})
			return dial(o, t.Context(), to)
		}, "connection", "true", "connection"},
		{"cancelled", func(o *observed) error {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return dial(o, ctx, to)
		}, "canceled", "false", "-"},
		{"too late", func(o *observed) error {
			o.srv.Inject(videosdktest.Fault{Path: "/v2/sip/call", Delay: time.Hour})
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			return dial(o, ctx, to)
		}, "timeout", "true", "timeout"},
		{"never sent", func(o *observed) error { return dial(o, t.Context(), "no number") }, "invalid-request", "false", "-"},
		{"not answered", func(o *observed) error {
			_, err := Trace(t.Context(), o.telemetry, "Calls.WaitAnswered", func(context.Context) (*videosdk.Call, error) {
				return nil, &videosdk.CallEndedError{Call: &videosdk.Call{}}
			})
			return err
		}, "not-answered", "false", "-"},
		{"anything else", func(o *observed) error {
			_, err := Trace(t.Context(), o.telemetry, "Backend.Remind", func(context.Context) (int, error) { return 0, errors.New("no") })
			return err
		}, "_OTHER", "false", "-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := observe(t)
			err := tt.do(o)
			require.Error(t, err)
			call, attempts := o.call()
			got := attributes(call.Attributes)
			assert.Equal(t, tt.kind, got["error.type"])
			assert.Equal(t, tt.maybe, got["videosdk.maybe_applied"])
			assert.Equal(t, codes.Error, call.Status.Code)
			assert.Equal(t, tt.kind, call.Status.Description)
			if tt.attempt == "-" {
				assert.Empty(t, attempts)
				return
			}
			require.Len(t, attempts, 1, "a call is never dialled twice")
			assert.Equal(t, tt.attempt, attributes(attempts[0].Attributes)["error.type"])
		})
	}
}

func TestNoSecretAndNoPhoneNumberIsTold(t *testing.T) {
	o := observe(t)
	_, err := o.get(t.Context())
	require.NoError(t, err)
	o.srv.Inject(videosdktest.Fault{Status: http.StatusBadRequest, Body: `{"message":"` + ourNumber + ` is taken"}`})
	_, err = o.get(t.Context())
	require.ErrorIs(t, err, videosdk.ErrBadRequest)
	told, err := json.Marshal(o.spans.GetSpans())
	require.NoError(t, err)
	for _, secret := range []string{o.srv.Secret, o.srv.APIKey, ourNumber[1:], "eyJ"} {
		assert.NotContains(t, string(told), secret)
	}
}
