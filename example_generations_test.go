package videosdk_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// Run it at every start of a program: it registers what is missing and leaves
// the rest alone.
func ExamplePhoneNumbersService_Ensure() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	result, err := client.PhoneNumbers.Ensure(context.Background(), videosdk.PhoneNumberCreateParams{
		Name: "Support", PhoneNumbers: []string{"+14155550100", "+14155550101"},
		Inbound:  videosdk.InboundConfig{Region: videosdk.RegionUS002},
		Outbound: videosdk.OutboundConfig{Region: videosdk.RegionUS002, Address: "sip.telnyx.com:5061"},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, number := range result.Existing {
		fmt.Println("there already:", number.E164)
	}
	for _, number := range result.Created {
		fmt.Println("registered:", number.E164)
	}
	// Output:
	// there already: +14155550100
	// registered: +14155550101
}

// The TrackingID is what this program calls the call, for good. However often
// it runs within 30 days, the phone rings once.
func ExampleCallsService_CreateOnce() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Reminders", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}

	for range 3 {
		_, err := client.Calls.CreateOnce(ctx, videosdk.CallCreateParams{
			To: "+14155550199", From: "+14155550100", RoutingRuleID: rule.ID, TrackingID: "reminder-2026-05-11-ann",
		})
		if errors.Is(err, videosdk.ErrMaybeApplied) {
			log.Fatal("nobody knows whether the phone rings: look before dialling again: ", err)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("dialled:", srv.DialCount("+14155550199"))
	// Output: dialled: 1
}

// A watch follows a call to its end.
func ExampleCallsService_Watch() {
	srv := videosdktest.NewServer(videosdktest.WithCallTiming(videosdktest.Timing{
		Ring: 100 * time.Millisecond, Answer: 100 * time.Millisecond, HangUp: 100 * time.Millisecond,
	}))
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

	var last *videosdk.Call
	for shown, err := range client.Calls.Watch(ctx, call.ID, videosdk.WithPollInterval(10*time.Millisecond, 10*time.Millisecond)) {
		if err != nil {
			log.Fatal(err)
		}
		last = shown // here you would act on shown.Status
	}
	for _, event := range last.Timelog {
		fmt.Println(event.Status)
	}
	// Output:
	// initiated
	// ringing
	// answered
	// ended
}

// A blind transfer: the caller is handed over and nobody asks the supervisor
// first.
func ExampleCallsService_Transfer() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL),
		videosdk.WithPollInterval(10*time.Millisecond, 100*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Support out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}
	call, err := client.Calls.Create(ctx, videosdk.CallCreateParams{To: "+14155550199", From: "+14155550100", RoutingRuleID: rule.ID})
	if err != nil {
		log.Fatal(err)
	}
	if _, err = client.Calls.WaitAnswered(ctx, call.ID); err != nil {
		log.Fatal(err)
	}

	if _, err = client.Calls.Transfer(ctx, call.ID, videosdk.CallTransferParams{To: "+14155550111"}); err != nil {
		log.Fatal(err)
	}
	call, err = client.Calls.Wait(ctx, call.ID, func(c *videosdk.Call) bool {
		return c.Status == videosdk.CallTransferred || c.Status == videosdk.CallTransferFailed
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call.Status)
	// Output: transferred
}

// A warm transfer: dial the supervisor into a room of their own, and move the
// caller there once they have picked up.
func ExampleCallsService_SwitchRoom() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL),
		videosdk.WithPollInterval(10*time.Millisecond, 100*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Support out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}
	dial := func(to, room string) *videosdk.Call {
		call, err := client.Calls.Create(ctx, videosdk.CallCreateParams{
			To: to, From: "+14155550100", RoutingRuleID: rule.ID, DestinationRoomID: room,
		})
		if err != nil {
			log.Fatal(err)
		}
		if call, err = client.Calls.WaitAnswered(ctx, call.ID); err != nil {
			log.Fatal(err)
		}
		return call
	}
	consultation, err := client.Rooms.Create(ctx, videosdk.RoomCreateParams{})
	if err != nil {
		log.Fatal(err)
	}

	caller := dial("+14155550199", "")
	supervisor := dial("+14155550111", consultation.ID)
	if _, err = client.Calls.SwitchRoom(ctx, caller.ID, videosdk.CallSwitchRoomParams{RoomID: supervisor.RoomID}); err != nil {
		log.Fatal(err)
	}
	caller, err = client.Calls.Wait(ctx, caller.ID, func(c *videosdk.Call) bool { return c.RoomID == consultation.ID })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(caller.Status, caller.RoomID == supervisor.RoomID)
	// Output: answered true
}

// An AI agent that was dispatched to a room knows the room and the session, and
// finds out which call it is on.
func ExampleCallsService_FindActive() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_, err = client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Support", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155550100"},
		Room: &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, ID: "lobby"},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err = srv.InboundCall("+14155550199", "+14155550100"); err != nil {
		log.Fatal(err)
	}

	call, err := client.Calls.FindActive(ctx, "lobby", "sess_lobby")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call.Type, "from", call.From)
	// Output: inbound from +14155550199
}

// The server resets whether calls are recorded when an update does not say so.
// Modify reads first, and changes nothing else.
func ExampleInboundGatewaysService_Modify() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	gateway, err := client.InboundGateways.Create(ctx, videosdk.InboundGatewayCreateParams{
		Name: "Twilio", Numbers: []string{"+14155550100"}, Record: true, Region: videosdk.RegionUS002,
	})
	if err != nil {
		log.Fatal(err)
	}

	gateway, err = client.InboundGateways.Modify(ctx, gateway.ID, func(p *videosdk.GatewayUpdateParams) {
		p.Name = videosdk.Ptr("Twilio, Support")
		p.Numbers = append(p.Numbers, "+14155550101")
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(gateway.Name, gateway.Numbers, "| recorded:", gateway.Record, "|", gateway.Region)
	// Output: Twilio, Support [+14155550100 +14155550101] | recorded: true | us002
}

// Update sets the whole of what the server would reset: a gateway that is not
// recorded any more, in a region that the server chooses.
func ExampleOutboundGatewaysService_Update() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	gateway, err := client.OutboundGateways.Create(ctx, videosdk.OutboundGatewayCreateParams{
		Name: "Telnyx", Numbers: []string{"+14155550100"}, Address: "sip.telnyx.com:5061", Record: true,
	})
	if err != nil {
		log.Fatal(err)
	}

	gateway, err = client.OutboundGateways.Update(ctx, gateway.ID, videosdk.GatewayUpdateParams{
		Transport: videosdk.Ptr(videosdk.TransportTCP), Record: false, NoiseCancellation: true, Region: videosdk.RegionAuto,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(gateway.Transport, gateway.Record, gateway.NoiseCancellation, gateway.Region)
	// Output: tcp false true auto
}

func ExampleGatewayRoutingRulesService_Create() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	gateway, err := client.InboundGateways.Create(ctx, videosdk.InboundGatewayCreateParams{
		Name: "Twilio", Numbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}

	rule, err := client.GatewayRoutingRules.Create(ctx, videosdk.GatewayRoutingRuleCreateParams{
		GatewayID: gateway.ID, Name: "Support", Numbers: gateway.Numbers,
		Dispatch: videosdk.Dispatch{
			Room:  &videosdk.RoutingRoom{Type: videosdk.RoomTypeDynamic, Prefix: videosdk.RoomPrefixSIPNumber},
			Agent: &videosdk.DispatchAgent{Type: videosdk.AgentTypeCloud, ID: "deployment_1"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rule.Type, rule.Dispatch.Agent.ID)
	// Output: inbound deployment_1
}

// The oldest generation: a trunk, and a call through it.
func ExampleTrunksService_Call() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	trunk, err := client.Trunks.Create(ctx, videosdk.TrunkParams{
		Name: "Twilio", Domain: "example.pstn.twilio.com", Direction: videosdk.DirectionOutbound, Numbers: []string{"+14155550100"},
	})
	if err != nil {
		log.Fatal(err)
	}

	call, err := client.Trunks.Call(ctx, videosdk.TrunkCallParams{
		To: "+14155550199", DisplayName: "Ann", RoomID: "abcd-efgh-ijkl", TrunkID: trunk.ID, ParticipantID: "ann",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call.ParticipantID, "is dialled into the room")
	// Output: ann is dialled into the room
}

func ExampleWebhooksService_Create() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	hook, err := client.Webhooks.Create(context.Background(), videosdk.WebhookCreateParams{
		URL:    "https://example.com/videosdk",
		Events: []videosdk.EventType{videosdk.EventCallAnswered, videosdk.EventCallHangup, videosdk.EventCallMissed},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hook.URL, hook.Events)
	// Output: https://example.com/videosdk [call-answered call-hangup call-missed]
}

// A campaign: upload the list, dial everybody on it, and fetch what became of
// them.
func ExampleBatchCallsService_Upload() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	srv.AddPhoneNumbers("+14155550100")
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL),
		videosdk.WithPollInterval(10*time.Millisecond, 100*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	number, err := client.PhoneNumbers.Get(ctx, "+14155550100")
	if err != nil {
		log.Fatal(err)
	}
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Campaigns", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{number.E164},
	})
	if err != nil {
		log.Fatal(err)
	}

	list := "phoneNumber,name\n+14155550198,Ann\n+14155550199,Bob\n" // UploadFile takes a file
	uploaded, err := client.BatchCalls.Upload(ctx, "leads.csv", strings.NewReader(list))
	var unreadable *videosdk.ParseFailedError
	switch {
	case errors.As(err, &unreadable):
		log.Fatal("the list is not in order: ", unreadable.Batch.ParseError)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println(uploaded.RecordsUploaded, "numbers")

	campaign, err := client.BatchCalls.Create(ctx, videosdk.BatchCallCreateParams{
		Name: "Spring", PhoneNumberID: number.ID, RoutingRuleID: rule.ID, BatchID: uploaded.ID, SaveAsDraft: true,
		Retry: &videosdk.BatchRetry{Enabled: true, RetryOn: []videosdk.CallStatus{videosdk.CallNotAnswered}, MaxAttempts: 2},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(campaign.Name, "is a", campaign.Status)
	for record, err := range client.BatchCalls.Records.All(ctx, campaign.ID, videosdk.BatchRecordListParams{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(record.PhoneNumber, record.Metadata["name"], record.Status)
	}
	// Output:
	// 2 numbers
	// Spring is a draft
	// +14155550198 Ann scheduled
	// +14155550199 Bob scheduled
}

// A list that the server cannot read is mended and takes the place of the first:
// there is one campaign, and not two.
func ExampleWithExistingBatch() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL),
		videosdk.WithPollInterval(10*time.Millisecond, 100*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	uploaded, err := client.BatchCalls.Upload(ctx, "leads.csv", strings.NewReader("phoneNumber\n4155550198\n"))
	var unreadable *videosdk.ParseFailedError
	if errors.As(err, &unreadable) {
		fmt.Println("once more, with country codes")
		uploaded, err = client.BatchCalls.Upload(ctx, "leads.csv", strings.NewReader("phoneNumber\n+14155550198\n"),
			videosdk.WithExistingBatch(unreadable.Batch.ID))
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(uploaded.RecordsUploaded, "number")
	// Output:
	// once more, with country codes
	// 1 number
}

// The file goes to the writer as it comes, however large it is.
func ExampleBatchRecordsService_Export() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL),
		videosdk.WithPollInterval(10*time.Millisecond, 100*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	batch, err := client.BatchCalls.Upload(ctx, "leads.csv", strings.NewReader("+14155550199\n"))
	if err != nil {
		log.Fatal(err)
	}

	err = client.BatchCalls.Records.Export(ctx, batch.ID, os.Stdout, videosdk.BatchRecordExportParams{Status: "completed"})
	if err != nil {
		log.Fatal(err)
	}
	// Output: recordId,phoneNumber,status,attempts,callId,reason,callDuration,metadata
}

// That a room cannot be joined is an answer, and no error.
func ExampleRoomsService_Validate() {
	srv := videosdktest.NewServer()
	defer srv.Close()
	client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	room, err := client.Rooms.Create(ctx, videosdk.RoomCreateParams{CustomRoomID: "support"})
	if err != nil {
		log.Fatal(err)
	}

	for _, id := range []string{room.ID, "nowhere"} {
		validation, err := client.Rooms.Validate(ctx, id)
		if err != nil {
			log.Fatal(err)
		}
		if !validation.Valid {
			fmt.Println("closed:", validation.Reason)
			continue
		}
		fmt.Println("open:", validation.Room.CustomRoomID)
	}
	// Output:
	// open: support
	// closed: Room not found
}

// Where your provider sends the calls to.
func ExampleInboundSIPURI() {
	uri, err := videosdk.InboundSIPURI("acme", videosdk.URIRegionUS)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(uri)
	// Output: sip:acme.us2.sip.videosdk.live
}
