package videosdk_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// The examples run against an emulator of the API. A program of yours makes its
// client with New(apiKey, secret), or with NewFromEnv.

// The whole job: a number, a rule, a call.
func Example() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	_, err = client.PhoneNumbers.Create(ctx, videosdk.PhoneNumberCreateParams{
		Name: "Sales", PhoneNumbers: []string{"+14155550100"},
		Inbound:  videosdk.InboundConfig{Region: videosdk.RegionUS002},
		Outbound: videosdk.OutboundConfig{Region: videosdk.RegionUS002, Address: "sip.telnyx.com:5061"},
	})
	if err != nil {
		log.Fatal(err)
	}
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Sales out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}
	call, err := client.Calls.Create(ctx, videosdk.CallCreateParams{
		To: "+14155550199", From: "+14155550100", RoutingRuleID: rule.ID,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call.Status)
	call, err = client.Calls.WaitAnswered(ctx, call.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call.Status)
	call, err = client.Calls.End(ctx, call.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call.Status)
	// Output:
	// initiated
	// answered
	// ended
}

// An endpoint that this library does not wrap, with all that the others have:
// token, retries, errors.
func ExampleClient_Do() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	in := map[string]any{"customRoomId": "front-desk"}
	var out struct {
		CustomRoomID string `json:"customRoomId"`
	}
	if err := client.Do(context.Background(), http.MethodPost, "/v2/rooms", in, &out); err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.CustomRoomID)
	// Output: front-desk
}

// An agent joins a room with a token that can do nothing else, nor call this API.
func ExampleClient_ParticipantToken() {
	client, err := videosdk.New("my-api-key", "my-secret")
	if err != nil {
		log.Fatal(err)
	}
	token, err := client.ParticipantToken(videosdk.ParticipantTokenParams{
		RoomID: "abcd-efgh-ijkl", ParticipantID: "agent-7", Lifetime: 15 * time.Minute,
	})
	if err != nil {
		log.Fatal(err)
	}

	claims := jwt.MapClaims{} // which the API checks; a program just hands the token over
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		log.Fatal(err)
	}
	fmt.Println(claims["roomId"], claims["participantId"], claims["roles"], claims["permissions"])
	// Output: abcd-efgh-ijkl agent-7 [rtc] [allow_join]
}

// What the server answered, for a decision or for a log.
func ExampleAPIError() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	_, err = client.Calls.Get(context.Background(), "call_unknown")

	fmt.Println(errors.Is(err, videosdk.ErrNotFound))
	var apiErr *videosdk.APIError
	if errors.As(err, &apiErr) {
		fmt.Println(apiErr.StatusCode, apiErr.Operation, apiErr.Message)
	}
	// Output:
	// true
	// 404 Calls.Get Call not found
}

// Mistakes in a request are found before it is sent, and all of them at once.
func ExampleValidationError() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	_, err = client.PhoneNumbers.Create(context.Background(), videosdk.PhoneNumberCreateParams{
		PhoneNumbers: []string{"+14155550100", "4155550101"},
		Inbound:      videosdk.InboundConfig{Region: videosdk.RegionUS002},
		Outbound: videosdk.OutboundConfig{
			Region: videosdk.RegionUS002, Address: "sip.telnyx.com:5061", Auth: &videosdk.SIPAuth{Username: "acme"},
		},
	})

	var invalid *videosdk.ValidationError
	if errors.As(err, &invalid) {
		for _, fault := range invalid.Fields {
			fmt.Println(fault)
		}
	}
	// Output:
	// name: is required
	// phoneNumbers[1]: must be an E.164 number, such as +14155550123
	// outbound.auth.password: is required
}

// A lost answer leaves open whether the phone rings. Nothing is dialled again; the
// list of calls tells, once it is certain to show them.
func ExampleErrMaybeApplied() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Sales out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}
	// The emulator dials, and then breaks the connection.
	srv.Inject(videosdktest.Fault{Path: "/v2/sip/call", Drop: videosdktest.DropAfterActing})

	began := time.Now()
	call, err := client.Calls.Create(ctx, videosdk.CallCreateParams{
		To: "+14155550199", From: "+14155550100", RoutingRuleID: rule.ID, TrackingID: "order-4711",
	})

	if errors.Is(err, videosdk.ErrMaybeApplied) { // an hour more, for clocks that differ
		call, err = client.Calls.FindByTrackingID(ctx, "order-4711", began.Add(-time.Hour))
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("found:", call.To)
	fmt.Println("dialled:", srv.DialCount("+14155550199"))
	// Output:
	// found: +14155550199
	// dialled: 1
}

// Numbers of a SIP provider, with one pair of gateways for both of them.
func ExamplePhoneNumbersService_Create() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	_, err = client.PhoneNumbers.Create(ctx, videosdk.PhoneNumberCreateParams{
		Name: "Support", PhoneNumbers: []string{"+14155550100", "+14155550101"},
		Inbound: videosdk.InboundConfig{Region: videosdk.RegionUS002},
		Outbound: videosdk.OutboundConfig{
			Region: videosdk.RegionUS002, Address: "sip.telnyx.com:5061", Transport: videosdk.TransportTLS,
			Auth: &videosdk.SIPAuth{Username: "acme", Password: "secret"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	number, err := client.PhoneNumbers.Get(ctx, "+14155550101")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(number.Name, number.Outbound.Address, number.Outbound.Numbers)
	fmt.Println(number.Outbound.Auth) // prints without the password
	// Output:
	// Support sip.telnyx.com:5061 [+14155550100 +14155550101]
	// SIPAuth{Username:"acme" Password:[redacted]}
}

// All pages, fetched as they are needed.
func ExamplePhoneNumbersService_All() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100", "+14155550101", "+442071838750")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	for number, err := range client.PhoneNumbers.All(context.Background(), videosdk.PhoneNumberListParams{Search: "+1"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(number.E164, number.CountryCode)
	}
	// Output:
	// +14155550100 US
	// +14155550101 US
}

// A number leaves its gateways, and then the account.
func ExamplePhoneNumbersService_Release() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	detached, err := client.PhoneNumbers.Detach(ctx, "+14155550100")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(detached.Message)

	// By its id: a number that was bought is given back for good.
	released, err := client.PhoneNumbers.Release(ctx, detached.PhoneNumber.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(released.E164, "is released")
	// Output:
	// Detached successfully
	// +14155550100 is released
}

// Only what is set changes: use Ptr for it.
func ExamplePhoneNumbersService_UpdateGateway() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	number, err := client.PhoneNumbers.Get(ctx, "+14155550100")
	if err != nil {
		log.Fatal(err)
	}

	_, err = client.PhoneNumbers.UpdateGateway(ctx, number.Outbound.ID, videosdk.PhoneNumberGatewayUpdateParams{
		Address: videosdk.Ptr("sip.example.net:5061"),
	})
	if err != nil {
		log.Fatal(err)
	}

	number, err = client.PhoneNumbers.Get(ctx, "+14155550100")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(number.Outbound.Address, number.Outbound.Transport)
	// Output: sip.example.net:5061 tls
}

// Calls to a number meet an AI agent, each in a room of its own.
func ExampleRoutingRulesService_Create() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	rule, err := client.RoutingRules.Create(context.Background(), videosdk.RoutingRuleCreateParams{
		Name: "Support", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155550100"},
		Room:                &videosdk.RoutingRoom{Type: videosdk.RoomTypeDynamic, Prefix: videosdk.RoomPrefixRandom},
		AgentID:             "agent_xyz",
		HeadersToAttributes: map[string]string{"X-Customer": "customer"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rule.Name, rule.Type, rule.PhoneNumbers, rule.AgentID)
	// Output: Support inbound [+14155550100] agent_xyz
}

// What is nil stays as it is; what is empty empties.
func ExampleRoutingRulesService_Update() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Support", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155550100"}, Tags: []string{"v1"},
	})
	if err != nil {
		log.Fatal(err)
	}

	rule, err = client.RoutingRules.Update(ctx, rule.ID, videosdk.RoutingRuleUpdateParams{
		Recording: videosdk.Ptr(true),
		Tags:      []string{},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rule.Name, rule.Recording, rule.Tags)
	// Output: Support true []
}

// The rules to delete are read before the first is deleted: what is left moves
// to earlier pages.
func ExampleRoutingRulesService_Delete() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	for _, name := range []string{"test 1", "production", "test 2"} {
		_, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
			Name: name, Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
		})
		if err != nil {
			log.Fatal(err)
		}
	}

	var old []*videosdk.RoutingRule
	for rule, err := range client.RoutingRules.All(ctx, videosdk.RoutingRuleListParams{Search: "test"}) {
		if err != nil {
			log.Fatal(err)
		}
		old = append(old, rule)
	}
	for _, rule := range old {
		deleted, err := client.RoutingRules.Delete(ctx, rule.ID)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(rule.Name, "was gone before:", deleted.AlreadyGone)
	}
	// Output:
	// test 1 was gone before: false
	// test 2 was gone before: false
}

// A call that the agent of the rule is told about, with limits.
func ExampleCallsService_Create() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Sales out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}

	call, err := client.Calls.Create(ctx, videosdk.CallCreateParams{
		To: "+14155550199", From: "+14155550100", RoutingRuleID: rule.ID,
		Metadata:        map[string]any{"campaign": "spring"},
		AgentMetadata:   map[string]any{"greeting": "Hello Ann"},
		RingingTimeout:  30 * time.Second,
		MaxCallDuration: 10 * time.Minute,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call.From, "calls", call.To, call.Metadata["campaign"])
	// Output: +14155550100 calls +14155550199 spring
}

// One callee answers, the other does not want to.
func ExampleCallsService_WaitAnswered() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	srv.Callee("+14155550198").AnswersAfter(10 * time.Millisecond)
	srv.Callee("+14155550199").Rejects()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Sales out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}

	for _, to := range []string{"+14155550198", "+14155550199"} {
		call, err := client.Calls.Create(ctx, videosdk.CallCreateParams{To: to, From: "+14155550100", RoutingRuleID: rule.ID})
		if err != nil {
			log.Fatal(err)
		}
		call, err = client.Calls.WaitAnswered(ctx, call.ID, videosdk.WithPollInterval(20*time.Millisecond, time.Second))
		var ended *videosdk.CallEndedError
		switch {
		case errors.As(err, &ended):
			fmt.Println(to, "did not answer:", ended.Call.Status)
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println(to, call.Status)
		}
	}
	// Output:
	// +14155550198 answered
	// +14155550199 did not answer: rejected
}

// Until a status of your choice, or the end of the call.
func ExampleCallsService_Wait() {
	srv := videosdktest.NewServer(videosdktest.WithCallTiming(videosdktest.Timing{HangUp: 10 * time.Millisecond}))
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Sales out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}
	call, err := client.Calls.Create(ctx, videosdk.CallCreateParams{To: "+14155550199", From: "+14155550100", RoutingRuleID: rule.ID})
	if err != nil {
		log.Fatal(err)
	}

	call, err = client.Calls.Wait(ctx, call.ID, nil, videosdk.WithPollInterval(20*time.Millisecond, time.Second))
	if err != nil {
		log.Fatal(err)
	}
	for _, event := range call.Timelog {
		fmt.Println(event.Status)
	}
	// Output:
	// initiated
	// ringing
	// answered
	// ended
}

// Hang up on everybody in a room.
func ExampleCallsService_End() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Sales out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, to := range []string{"+14155550198", "+14155550199"} {
		_, err := client.Calls.Create(ctx, videosdk.CallCreateParams{
			To: to, From: "+14155550100", RoutingRuleID: rule.ID, DestinationRoomID: "conference",
		})
		if err != nil {
			log.Fatal(err)
		}
	}

	for call, err := range client.Calls.All(ctx, videosdk.CallListParams{RoomID: "conference"}) {
		if err != nil {
			log.Fatal(err)
		}
		if call, err = client.Calls.End(ctx, call.ID); err != nil {
			log.Fatal(err)
		}
		fmt.Println(call.To, call.Status)
	}
	// Unordered output:
	// +14155550198 ended
	// +14155550199 ended
}
