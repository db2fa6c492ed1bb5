package videosdk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// A payload that this library knows, and one that it does not.
func ExampleParseEvent() {
	for _, body := range []string{
		`{"webhookType":"call-hangup","data":{"callId":"call_1","status":"COMPLETED"}}`,
		`{"call-summary":"The caller wants a refund."}`,
	} {
		event, err := videosdk.ParseEvent([]byte(body)) // which has been verified
		if err != nil {
			log.Fatal(err)
		}
		if event.Call != nil {
			fmt.Println(event.Type, event.Call.ID, event.Call.Status)
		} else {
			fmt.Printf("%q %s\n", event.Type, event.Raw)
		}
	}
	// Output:
	// call-hangup call_1 ended
	// "" {"call-summary":"The caller wants a refund."}
}

// A receiver: it verifies, handles each event once, and answers so that what
// failed is delivered again.
func ExampleWebhookHandler() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	receiver := videosdk.WebhookHandler(videosdk.NewWebhookVerifier(client.WebhookKeys()),
		func(_ context.Context, event *videosdk.Event) error {
			if event.Call == nil {
				return nil // not about a call, such as the summary of an agent
			}
			fmt.Println(event.Type, event.Call.ID)
			return nil // an error would have the event delivered again
		})
	mux := http.NewServeMux()
	mux.Handle("/videosdk", receiver)
	hook := httptest.NewServer(mux)
	defer hook.Close()

	// The emulator delivers an event, delivers it again, and forges one.
	body := []byte(`{"webhookType":"call-ringing","data":{"callId":"call_1"}}`)
	for _, deliver := range []func(context.Context, string, []byte) (int, error){srv.Deliver, srv.Deliver, srv.ForgeDelivery} {
		status, err := deliver(context.Background(), hook.URL+"/videosdk", body)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(status)
	}
	// Output:
	// call-ringing call_1
	// 200
	// 200
	// 401
}

// A handler of your own: hand over the body as it came, before anything
// decodes it.
func ExampleNewWebhookVerifier() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	keys, err := videosdk.PinnedKey([]byte(srv.WebhookPublicKeyPEM())) // or client.WebhookKeys()
	if err != nil {
		log.Fatal(err)
	}
	verifier := videosdk.NewWebhookVerifier(keys)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "cannot read the body", http.StatusBadRequest)
			return
		}
		event, err := verifier.Verify(r.Context(), body, r.Header.Get(videosdk.SignatureHeader))
		if err != nil {
			fmt.Println("forged:", errors.Is(err, videosdk.ErrInvalidSignature))
			http.Error(w, "not verified", http.StatusUnauthorized)
			return
		}
		fmt.Println(event.Type)
	}))
	defer hook.Close()

	body := []byte(`{"webhookType":"call-answered","data":{"callId":"call_1"}}`)
	if _, err := srv.Deliver(context.Background(), hook.URL, body); err != nil {
		log.Fatal(err)
	}
	if _, err := srv.ForgeDelivery(context.Background(), hook.URL, body); err != nil {
		log.Fatal(err)
	}
	// Output:
	// call-answered
	// forged: true
}

// Events come late, twice and out of order; a tracker knows where a call is.
func ExampleCallTracker() {
	tracker := videosdk.NewCallTracker(videosdk.WithUpdated(func(call *videosdk.Call) {
		fmt.Println(call.ID, call.Status)
	}))
	for _, body := range []string{
		`{"webhookType":"call-started","data":{"callId":"call_1"}}`,
		`{"webhookType":"call-answered","data":{"callId":"call_1"}}`,
		`{"webhookType":"call-ringing","data":{"callId":"call_1"}}`, // late
		`{"webhookType":"call-hangup","data":{"callId":"call_1"}}`,
		`{"webhookType":"call-hangup","data":{"callId":"call_1"}}`, // again
	} {
		event, err := videosdk.ParseEvent([]byte(body))
		if err != nil {
			log.Fatal(err)
		}
		tracker.Observe(event) // in a WebhookFunc
	}
	call, err := tracker.Wait(context.Background(), "call_1", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("over:", call.IsOver())
	// Output:
	// call_1 initiated
	// call_1 answered
	// call_1 ended
	// over: true
}
