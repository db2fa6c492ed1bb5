package videosdktest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// newClient returns a client of the server, and a rule to dial with.
func newClient(srv *videosdktest.Server) (client *videosdk.Client, ruleID string) {
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret,
		videosdk.WithBaseURL(srv.URL), videosdk.WithHTTPClient(srv.HTTPClient()),
		videosdk.WithPollInterval(10*time.Millisecond, time.Second))
	if err != nil {
		log.Fatal(err)
	}
	rule, err := client.RoutingRules.Create(context.Background(), videosdk.RoutingRuleCreateParams{
		Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}
	return client, rule.ID
}

// remind is the backend under test: it calls people, and tells who picked up.
func remind(ctx context.Context, client *videosdk.Client, ruleID, to string) (reached bool, err error) {
	call, err := client.Calls.Create(ctx, videosdk.CallCreateParams{To: to, From: "+14155550100", RoutingRuleID: ruleID})
	if err != nil {
		return false, err
	}
	_, err = client.Calls.WaitAnswered(ctx, call.ID)
	if errors.Is(err, videosdk.ErrNotAnswered) {
		return false, nil
	}
	return err == nil, err
}

// A backend that dials: what it makes of those who answer and of those who do
// not, and that each was called once.
func Example() {
	srv := videosdktest.NewServer() // in a test: NewServer(WithTB(t))
	defer srv.Close()
	client, ruleID := newClient(srv)
	srv.Callee("+14155550199").Rejects()

	for _, to := range []string{"+14155550198", "+14155550199"} {
		reached, err := remind(context.Background(), client, ruleID, to)
		fmt.Println(to, "reached:", reached, err)
	}
	for _, dial := range srv.Dials() {
		fmt.Println("rang:", dial.To, "from", dial.From)
	}
	// Output:
	// +14155550198 reached: true <nil>
	// +14155550199 reached: false <nil>
	// rang: +14155550198 from +14155550100
	// rang: +14155550199 from +14155550100
}

// Four people, and how a call to each of them ends.
func ExampleServer_Callee() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, ruleID := newClient(srv)
	srv.Callee("+14155550101").AnswersAfter(10 * time.Millisecond).HangsUpAfter(10 * time.Millisecond)
	srv.Callee("+14155550102").Rejects()
	srv.Callee("+14155550103").Fails() // there is no such number
	srv.Callee("+14155550104").NeverAnswers()

	for _, to := range []string{"+14155550101", "+14155550102", "+14155550103", "+14155550104"} {
		call, err := client.Calls.Create(context.Background(), videosdk.CallCreateParams{
			To: to, From: "+14155550100", RoutingRuleID: ruleID, RingingTimeout: time.Second,
		})
		if err != nil {
			log.Fatal(err)
		}
		call, err = client.Calls.Wait(context.Background(), call.ID, nil)
		fmt.Println(to, call.Status, err)
	}
	// Output:
	// +14155550101 ended <nil>
	// +14155550102 rejected <nil>
	// +14155550103 failed <nil>
	// +14155550104 not-answered <nil>
}

// The answer to a call gets lost. A backend that takes the error for "not
// dialled" and tries again would ring twice.
func ExampleServer_Inject() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, ruleID := newClient(srv)
	srv.Inject(videosdktest.Fault{Method: "POST", Path: "/v2/sip/call", Drop: videosdktest.DropAfterActing})

	_, err := remind(context.Background(), client, ruleID, "+14155550199")

	fmt.Println("may be ringing:", errors.Is(err, videosdk.ErrMaybeApplied))
	fmt.Println("rang:", srv.DialCount("+14155550199"))
	// Output:
	// may be ringing: true
	// rang: 1
}

// Too many requests, twice, and what was sent because of it.
func ExampleFault() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, _ := newClient(srv)
	srv.Inject(videosdktest.Fault{
		Path: "/v2/sip/phone-numbers/{number}", Times: 2,
		Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"0"}},
	})
	srv.ResetRequests()

	number, err := client.PhoneNumbers.Get(context.Background(), "+14155550100", videosdk.WithRetryWait(0, 0))

	fmt.Println(number.E164, err)
	for _, r := range srv.Requests() {
		fmt.Println(r.Method, r.Route, r.Status)
	}
	// Output:
	// +14155550100 <nil>
	// GET /v2/sip/phone-numbers/{e164} 429
	// GET /v2/sip/phone-numbers/{e164} 429
	// GET /v2/sip/phone-numbers/{e164} 200
}

// Somebody calls. The backend hears of it by webhook.
func ExampleServer_InboundCall() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, _ := newClient(srv)
	ctx := context.Background()
	over := make(chan struct{})
	backend := httptest.NewServer(videosdk.WebhookHandler(videosdk.NewWebhookVerifier(client.WebhookKeys()),
		func(_ context.Context, event *videosdk.Event) error {
			fmt.Println(event.Type, "from", event.Call.From, "for", event.AgentID)
			if event.Call.IsOver() {
				close(over)
			}
			return nil
		}))
	defer backend.Close()
	_, err := client.Webhooks.Create(ctx, videosdk.WebhookCreateParams{URL: backend.URL, Events: []videosdk.EventType{
		videosdk.EventCallStarted, videosdk.EventCallAnswered, videosdk.EventCallHangup, videosdk.EventCallMissed,
	}})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "In", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155550100"}, AgentID: "agent_support",
	})
	if err != nil {
		log.Fatal(err)
	}
	srv.Callee("+14155550100").HangsUpAfter(10 * time.Millisecond) // the agent

	srv.DuplicateDeliveries(3) // each comes twice, and is handled once
	if _, err := srv.InboundCall("+14155550199", "+14155550100"); err != nil {
		log.Fatal(err)
	}
	<-over
	// Output:
	// call-started from +14155550199 for agent_support
	// call-answered from +14155550199 for agent_support
	// call-hangup from +14155550199 for agent_support
}

// A delivery that VideoSDK has not signed, or not with this body, is refused.
func ExampleServer_ForgeDelivery() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, _ := newClient(srv)
	backend := httptest.NewServer(videosdk.WebhookHandler(videosdk.NewWebhookVerifier(client.WebhookKeys()),
		func(_ context.Context, event *videosdk.Event) error {
			fmt.Printf("handled: %s\n", event.Raw)
			return nil
		}))
	defer backend.Close()

	status, err := srv.Deliver(context.Background(), backend.URL, []byte(`{"call-summary":"They want a refund."}`))
	fmt.Println(status, err)
	status, err = srv.ForgeDelivery(context.Background(), backend.URL, []byte(`{"call-summary":"Pay them."}`))
	fmt.Println(status, err)
	// Output:
	// handled: {"call-summary":"They want a refund."}
	// 200 <nil>
	// 401 <nil>
}

// The same backend meets an API that answers in the older form.
func ExampleWithQuirks() {
	srv := videosdktest.NewServer(videosdktest.WithQuirks(
		videosdktest.UpperCaseStatuses, videosdktest.SwappedCallIDs, videosdktest.SIPCallNumbers, videosdktest.PaginationObject))
	defer srv.Close()
	client, ruleID := newClient(srv)

	reached, err := remind(context.Background(), client, ruleID, "+14155550199")

	fmt.Println("reached:", reached, err)
	// Output: reached: true <nil>
}

// An account that outlives its server.
func ExampleWithState() {
	dir, err := os.MkdirTemp("", "videosdktest")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "account.json")

	srv := videosdktest.NewServer(videosdktest.WithState(file))
	srv.AddPhoneNumbers("+14155550100")
	srv.Close()

	srv = videosdktest.NewServer(videosdktest.WithState(file))
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	number, err := client.PhoneNumbers.Get(context.Background(), "+14155550100")
	fmt.Println(number.E164, err)
	// Output: +14155550100 <nil>
}

// printer stands in for the *testing.T of a test.
type printer struct{ atEnd []func() }

func (p *printer) Helper()                         {}
func (p *printer) Cleanup(f func())                { p.atEnd = append(p.atEnd, f) }
func (p *printer) Logf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// What go test -v shows of a server that has been given to a test.
func ExampleWithTB() {
	var t printer
	srv := videosdktest.NewServer(videosdktest.WithTB(&t))
	client, _ := newClient(srv)

	_, err := remind(context.Background(), client, "rr_unknown", "+14155550199")
	fmt.Println("the backend:", errors.Is(err, videosdk.ErrBadRequest))

	for _, f := range t.atEnd { // testing does that
		f()
	}
	// Output:
	// videosdktest: POST /v2/sip/routing-rule: 201
	// videosdktest: POST /v2/sip/call: 400 {"message":"routingRuleId \"rr_unknown\" does not exist"}
	// the backend: true
}

// Without a port, where tests may not listen. In a bubble of testing/synctest,
// see TestNobodyAnswers, it makes time stand still besides.
func ExampleInMemory() {
	srv := videosdktest.NewServer(videosdktest.InMemory())
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret,
		videosdk.WithBaseURL(srv.URL), videosdk.WithHTTPClient(srv.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}

	room, err := client.Rooms.Create(context.Background(), videosdk.RoomCreateParams{CustomRoomID: "front-desk"})

	fmt.Println(srv.URL, room.CustomRoomID, err)
	// Output: http://localhost front-desk <nil>
}

// A phone rings for a minute, and the test takes no time.
func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := videosdktest.NewServer(videosdktest.WithTB(t), videosdktest.InMemory())
		client, ruleID := newClient(srv)
		t.Cleanup(client.CloseIdleConnections)
		srv.Callee("+14155550199").NeverAnswers()

		began := time.Now()
		reached, err := remind(t.Context(), client, ruleID, "+14155550199")

		if reached || err != nil {
			t.Errorf("reached: %v, error: %v", reached, err)
		}
		if rang := time.Since(began); rang < time.Minute {
			t.Errorf("the phone rang for %v only", rang)
		}
	})
}
