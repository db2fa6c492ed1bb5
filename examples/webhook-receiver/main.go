// Webhook-receiver verifies the webhooks of calls, and prints each event once.
//
// Without credentials it runs against an emulator of the API in this process:
// it subscribes, places a call, and shows what becomes of a delivery that comes
// twice and of a forged one. With VIDEOSDK_API_KEY and VIDEOSDK_SECRET set it
// listens on -addr, for the real API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/videosdk-sip-go/videosdk"
)

// goodbye is how long the program takes to leave nothing behind.
const goodbye = 10 * time.Second

func main() {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "webhook-receiver:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("webhook-receiver", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", ":8080", "`address` to listen on; the path is /webhooks")
	url := flags.String("url", "", "public `URL` of that path, to be subscribed as long as this program runs")
	flags.Usage = func() {
		fmt.Fprint(stderr, "Receives the webhooks of calls. Without VIDEOSDK_API_KEY and VIDEOSDK_SECRET in\n"+
			"the environment, an emulator in this process delivers those of one call.\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if os.Getenv(videosdk.EnvAPIKey) == "" && os.Getenv(videosdk.EnvAuthToken) == "" {
		return emulated(ctx, stdout, stderr)
	}
	client, err := videosdk.NewFromEnv()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	return serve(newHandler(client, videosdk.NewCallTracker(), stdout, stderr), *addr, func(addr net.Addr) error {
		var hook *videosdk.Webhook
		if *url != "" {
			var err error
			if hook, err = subscribe(ctx, client, *url); err != nil {
				return err
			}
		}
		fmt.Fprintln(stdout, "listening on", addr)
		<-ctx.Done()
		if hook == nil {
			return nil
		}
		return unsubscribe(ctx, client, hook)
	})
}

// newHandler returns the receiver. An error of its function would have the event
// delivered again. Work that takes long belongs behind videosdk.WithQueue.
func newHandler(client *videosdk.Client, tracker *videosdk.CallTracker, stdout, stderr io.Writer) http.Handler {
	handle := func(_ context.Context, event *videosdk.Event) error {
		if event.Call == nil { // such as the summary of an agent
			fmt.Fprintf(stdout, "event %q: %d bytes\n", event.Type, len(event.Raw))
			return nil
		}
		fmt.Fprintf(stdout, "event %s: the call to %s is %s\n", event.Type, event.Call.To, event.Call.Status)
		tracker.Observe(event)
		return nil
	}
	return videosdk.WebhookHandler(videosdk.NewWebhookVerifier(client.WebhookKeys()), handle,
		videosdk.WithWebhookLogger(slog.New(slog.NewTextHandler(stderr, nil))))
}

// serve receives webhooks until work has returned.
func serve(handler http.Handler, addr string, work func(net.Addr) error) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/webhooks", handler)
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // until Shutdown
	err = work(listener.Addr())
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return errors.Join(err, server.Shutdown(ctx))
}

func subscribe(ctx context.Context, client *videosdk.Client, url string) (*videosdk.Webhook, error) {
	return client.Webhooks.Create(ctx, videosdk.WebhookCreateParams{URL: url, Events: []videosdk.EventType{
		videosdk.EventCallStarted, videosdk.EventCallRinging, videosdk.EventCallAnswered, videosdk.EventCallHangup, videosdk.EventCallMissed,
	}})
}

// unsubscribe does not mind that the program was interrupted.
func unsubscribe(ctx context.Context, client *videosdk.Client, hook *videosdk.Webhook) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if _, err := client.Webhooks.Delete(ctx, hook.ID); err != nil {
		return fmt.Errorf("still subscribed: %w", err)
	}
	return nil
}
