package videosdktest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// inMemory takes deliveries without a network. Its handler needs a client of the
// server, and so is set when there is one. A handler that takes too long goes on,
// while the server delivers again, as over a network.
type inMemory struct{ handler http.Handler }

func (r *inMemory) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, done := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(done)
		r.handler.ServeHTTP(answer, req)
	}()
	select {
	case <-done:
		return answer.Result(), nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// Webhooks in memory too, as a bubble of testing/synctest needs them.
func ExampleWithWebhookClient() {
	var hook inMemory
	srv := videosdktest.NewServer(videosdktest.InMemory(),
		videosdktest.WithWebhookClient(&http.Client{Transport: &hook}))
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	srv.Callee("+14155550199").Rejects()
	client, err := videosdk.New(srv.APIKey, srv.Secret,
		videosdk.WithBaseURL(srv.URL), videosdk.WithHTTPClient(srv.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	tracker := videosdk.NewCallTracker()
	hook.handler = videosdk.WebhookHandler(videosdk.NewWebhookVerifier(client.WebhookKeys()),
		func(_ context.Context, event *videosdk.Event) error {
			tracker.Observe(event)
			return nil
		})
	if _, err := client.Webhooks.Create(ctx, videosdk.WebhookCreateParams{
		URL:    "https://example.com/webhooks", // any: the receiver does not look
		Events: []videosdk.EventType{videosdk.EventCallHangup, videosdk.EventCallMissed},
	}); err != nil {
		log.Fatal(err)
	}
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}

	call, err := client.Calls.Create(ctx, videosdk.CallCreateParams{To: "+14155550199", From: "+14155550100", RoutingRuleID: rule.ID})
	if err != nil {
		log.Fatal(err)
	}
	call, err = tracker.Wait(ctx, call.ID, nil)
	fmt.Println(call.Status, err)
	// Output: rejected <nil>
}
