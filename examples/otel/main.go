// Otel shows traces and metrics of a client with OpenTelemetry: one span for
// each call, with one child for each attempt. Telemetry, in telemetry.go, is to
// be copied, and Propagate if the trace is to go on.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// ourNumber is that of the emulated account: fictional, as those with 555-01 are.
const ourNumber = "+14155550100"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "otel:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("otel", flag.ContinueOnError)
	flags.SetOutput(stderr)
	timeout := flags.Duration("timeout", time.Minute, "how long all of it may take")
	flags.Usage = func() {
		fmt.Fprintf(stderr, "Reads an account, and shows the traces and metrics of that. It changes nothing.\n\n"+
			"Without %s and %s in the environment it runs against an\n"+
			"emulator in this process, where things go wrong besides.\n\n", videosdk.EnvAPIKey, videosdk.EnvSecret)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()

	traces := sdktrace.NewTracerProvider(sdktrace.WithSyncer(&printer{out: stdout, children: map[string][]sdktrace.ReadOnlySpan{}}))
	reader := sdkmetric.NewManualReader()
	metrics := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	defer func() {
		ctx := context.WithoutCancel(ctx)
		var all metricdata.ResourceMetrics
		err = errors.Join(err, reader.Collect(ctx, &all))
		fmt.Fprintln(stdout)
		printMetrics(stdout, all)
		err = errors.Join(err, traces.Shutdown(ctx), metrics.Shutdown(ctx))
	}()
	instrument := func(baseURL string) (*Telemetry, error) { return NewTelemetry(baseURL, traces, metrics) }
	if cmp.Or(os.Getenv(videosdk.EnvAPIKey), os.Getenv(videosdk.EnvAuthToken)) == "" {
		return emulated(ctx, instrument, stdout)
	}
	telemetry, err := instrument(cmp.Or(os.Getenv(videosdk.EnvAPIEndpoint), videosdk.DefaultBaseURL))
	if err != nil {
		return err
	}
	client, err := videosdk.NewFromEnv(telemetry.Option(), Propagate(propagation.TraceContext{}))
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	return read(ctx, telemetry, client)
}

// read asks for what changes nothing.
func read(ctx context.Context, t *Telemetry, client *videosdk.Client) error {
	_, err := Trace(ctx, t, "PhoneNumbers.List", func(ctx context.Context) (*videosdk.Page[videosdk.PhoneNumber], error) {
		return client.PhoneNumbers.List(ctx, videosdk.PhoneNumberListParams{})
	})
	if err != nil {
		return err
	}
	_, err = Trace(ctx, t, "Calls.List", func(ctx context.Context) (*videosdk.Page[videosdk.Call], error) {
		return client.Calls.List(ctx, videosdk.CallListParams{})
	})
	return err
}

// emulated reads an account, and dials, while things go wrong.
func emulated(ctx context.Context, instrument func(string) (*Telemetry, error), stdout io.Writer) error {
	srv := videosdktest.NewServer()
	defer srv.Close()
	fmt.Fprintf(stdout, "No credentials in the environment: using an emulator at %s. No phone will ring.\n\n", srv.URL)
	srv.AddPhoneNumbers(ourNumber)
	telemetry, err := instrument(srv.URL)
	if err != nil {
		return err
	}
	client, err := videosdk.New(srv.APIKey, srv.Secret, telemetry.Option(), Propagate(propagation.TraceContext{}),
		videosdk.WithBaseURL(srv.URL), videosdk.WithRetryWait(50*time.Millisecond, time.Second), videosdk.WithPollInterval(20*time.Millisecond, time.Second))
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()

	srv.Inject(videosdktest.Fault{Path: "/v2/sip/phone-numbers", Times: 2, Status: http.StatusServiceUnavailable})
	if err := read(ctx, telemetry, client); err != nil {
		return err
	}
	rule, err := Trace(ctx, telemetry, "RoutingRules.Create", func(ctx context.Context) (*videosdk.RoutingRule, error) {
		return client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
			Name: "Example", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ourNumber},
		})
	})
	if err != nil {
		return err
	}
	dial := func(ctx context.Context) (*videosdk.Call, error) {
		return client.Calls.Create(ctx, videosdk.CallCreateParams{To: "+14155550199", From: ourNumber, RoutingRuleID: rule.ID})
	}
	// The answer is lost. A client that dials again has two attempts here.
	srv.Inject(videosdktest.Fault{Path: "/v2/sip/call", Drop: videosdktest.DropAfterActing})
	if _, err := Trace(ctx, telemetry, "Calls.Create", dial); !errors.Is(err, videosdk.ErrMaybeApplied) {
		return err
	}
	_, err = Trace(ctx, telemetry, "Calls.WaitAnswered", func(ctx context.Context) (*videosdk.Call, error) {
		return client.Calls.WaitAnswered(ctx, srv.Dials()[0].CallID)
	})
	return err
}
