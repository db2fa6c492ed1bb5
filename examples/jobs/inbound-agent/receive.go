package main

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/videosdk-sip-go/videosdk"
)

// goodbye is how long the program takes to leave nothing behind.
const goodbye = 10 * time.Second

// subscribe has the events of calls posted to a URL. A subscription that an
// earlier run has left behind is used again.
func subscribe(ctx context.Context, client *videosdk.Client, url string, out *log.Logger) (unsubscribe func(), err error) {
	var hook *videosdk.Webhook
	for old, err := range client.Webhooks.All(ctx, videosdk.WebhookListParams{}) {
		if err != nil {
			return nil, err
		}
		if old.URL == url {
			hook = old
		}
	}
	if hook == nil {
		hook, err = client.Webhooks.Create(ctx, videosdk.WebhookCreateParams{URL: url, Events: []videosdk.EventType{
			videosdk.EventCallStarted, videosdk.EventCallRinging, videosdk.EventCallAnswered, videosdk.EventCallHangup, videosdk.EventCallMissed,
		}})
		if err != nil {
			return nil, err
		}
	}
	out.Print("subscribed ", url)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		if _, err := client.Webhooks.Delete(ctx, hook.ID); err != nil {
			out.Print("still subscribed: ", err)
		}
	}, nil
}

// receiver verifies deliveries and hands each event on once.
func receiver(client *videosdk.Client, tracker *videosdk.CallTracker, out *log.Logger, stderr io.Writer) http.Handler {
	handle := func(_ context.Context, event *videosdk.Event) error {
		if event.Call == nil { // such as the summary that an agent sends after a call
			out.Printf("an event of another kind, %d bytes", len(event.Raw))
		}
		tracker.Observe(event)
		return nil
	}
	return videosdk.WebhookHandler(videosdk.NewWebhookVerifier(client.WebhookKeys()), handle,
		videosdk.WithWebhookLogger(slog.New(slog.NewTextHandler(stderr, nil))))
}

// serve receives webhooks until work has returned.
func serve(addr string, handler http.Handler, work func(net.Addr) error) error {
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
