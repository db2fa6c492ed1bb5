package videosdk_test

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// otherResources are those of what came after, and before, phone numbers, their
// rules and calls; see resources.
func otherResources() map[string]func() any {
	return map[string]func() any{
		"gateway-inbound":      func() any { return &videosdk.Gateway{} },
		"gateway-outbound":     func() any { return &videosdk.Gateway{} },
		"gateway-routing-rule": func() any { return &videosdk.GatewayRoutingRule{} },
		"trunk":                func() any { return &videosdk.Trunk{} },
		"webhook":              func() any { return &videosdk.Webhook{} },
		"batch-call":           func() any { return &videosdk.BatchCall{} },
		"batch-record":         func() any { return &videosdk.BatchRecord{} },
		"room":                 func() any { return &videosdk.Room{} },
	}
}

func TestTheDocumentedGatewaysAreDecoded(t *testing.T) {
	inbound := &videosdk.Gateway{
		ID: "gw_in", Name: "Twilio Inbound Gateway", Numbers: []string{"+11234567890", "+19876543210"},
		AllowedAddresses: []string{"54.172.60.0/30"}, AllowedNumbers: []string{"+91*"}, MediaEncryption: videosdk.MediaEncryptionDisable,
		Record: true, EnableDTMF: true, Tags: []string{"support"}, Region: videosdk.RegionUS002,
		Metadata: map[string]string{"env": "production"},
	}
	outbound := &videosdk.Gateway{
		ID: "gw_out", Name: "Telnyx Outbound Gateway", Address: "sip.telnyx.com:5061", Numbers: []string{"+11234567890"},
		AllowedAddresses: []string{}, AllowedNumbers: []string{}, MediaEncryption: videosdk.MediaEncryptionEnable,
		Transport: videosdk.TransportTLS, Record: true, NoiseCancellation: true, EnableDTMF: true, Tags: []string{"v2"},
		Auth: &videosdk.SIPAuth{Username: "sip-user", Password: "sip-pass"}, Region: videosdk.RegionIN002,
		Metadata: map[string]string{"env": "production"},
	}
	name := videosdk.GatewayUpdateParams{Name: videosdk.Ptr("n")}
	tests := []struct {
		name, sample string
		want         *videosdk.Gateway
		call         func(context.Context, *videosdk.Client) (*videosdk.Gateway, error)
	}{
		{"of InboundGateways.Create", "gateway-inbound", inbound, func(ctx context.Context, c *videosdk.Client) (*videosdk.Gateway, error) {
			return c.InboundGateways.Create(ctx, fullInboundGateway())
		}},
		{"of InboundGateways.Get", "gateway-inbound", inbound, func(ctx context.Context, c *videosdk.Client) (*videosdk.Gateway, error) {
			return c.InboundGateways.Get(ctx, "gw_in")
		}},
		{"of InboundGateways.Update", "gateway-inbound", inbound, func(ctx context.Context, c *videosdk.Client) (*videosdk.Gateway, error) {
			return c.InboundGateways.Update(ctx, "gw_in", name)
		}},
		{"of OutboundGateways.Create", "gateway-outbound", outbound, func(ctx context.Context, c *videosdk.Client) (*videosdk.Gateway, error) {
			return c.OutboundGateways.Create(ctx, fullOutboundGateway())
		}},
		{"of OutboundGateways.Get", "gateway-outbound", outbound, func(ctx context.Context, c *videosdk.Client) (*videosdk.Gateway, error) {
			return c.OutboundGateways.Get(ctx, "gw_out")
		}},
		{"of OutboundGateways.Update", "gateway-outbound", outbound, func(ctx context.Context, c *videosdk.Client) (*videosdk.Gateway, error) {
			return c.OutboundGateways.Update(ctx, "gw_out", name)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := sample(t, tt.sample)
			gateway, err := tt.call(t.Context(), newRecorder(t, http.StatusOK, body).client())
			require.NoError(t, err)
			assert.JSONEq(t, body, string(gateway.Raw))
			assert.Equal(t, tt.want, withoutRaw(gateway))
		})
	}
}

func TestTheDocumentedRuleOfAGatewayIsDecoded(t *testing.T) {
	body := sample(t, "gateway-routing-rule")
	want := &videosdk.GatewayRoutingRule{
		ID: "rule_123456789", Name: "Support Line Rule", Type: videosdk.DirectionInbound, GatewayID: "gateway_in_123456789",
		Numbers: []string{"+14150001111", "+14150002222"},
		Dispatch: videosdk.Dispatch{
			Room:  &videosdk.RoutingRoom{Type: videosdk.RoomTypeDynamic, Prefix: "prefix", ID: "room_123", PIN: "4321"},
			Agent: &videosdk.DispatchAgent{Type: "user", ID: "user_789", Metadata: map[string]any{"department": "sales"}},
		},
		Metadata: map[string]any{"env": "production"}, Tags: []string{"priority", "support"},
	}
	rules := newRecorder(t, http.StatusOK, body).client().GatewayRoutingRules

	created, err := rules.Create(t.Context(), fullGatewayRule("gw_1"))
	require.NoError(t, err)
	assert.JSONEq(t, body, string(created.Raw))
	assert.Equal(t, want, withoutRaw(created))

	updated, err := rules.Update(t.Context(), "rule_123456789", videosdk.GatewayRoutingRuleUpdateParams{Tags: []string{"v2"}})
	require.NoError(t, err)
	assert.Equal(t, want, withoutRaw(updated))
}

func TestTheDocumentedDeletionsAreDecoded(t *testing.T) {
	tests := []struct {
		name, sample string
		call         func(context.Context, *videosdk.Client) (*videosdk.DeleteResult, error)
	}{
		{"of an inbound gateway", "gateway-deleted", func(ctx context.Context, c *videosdk.Client) (*videosdk.DeleteResult, error) {
			return c.InboundGateways.Delete(ctx, "x_1")
		}},
		{"of an outbound gateway", "gateway-deleted", func(ctx context.Context, c *videosdk.Client) (*videosdk.DeleteResult, error) {
			return c.OutboundGateways.Delete(ctx, "x_1")
		}},
		{"of a gateway's rule", "gateway-routing-rule-deleted", func(ctx context.Context, c *videosdk.Client) (*videosdk.DeleteResult, error) {
			return c.GatewayRoutingRules.Delete(ctx, "x_1")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := sample(t, tt.sample)
			result, err := tt.call(t.Context(), newRecorder(t, http.StatusOK, body).client())
			require.NoError(t, err)
			assert.JSONEq(t, body, string(result.Raw))
			assert.Contains(t, body, result.Message)
			assert.Equal(t, &videosdk.DeleteResult{ID: "x_1", Message: result.Message}, withoutRaw(result))
			assert.NotEmpty(t, result.Message)
		})
	}
}

func TestTheDocumentedTrunkAndItsCallAreDecoded(t *testing.T) {
	want := &videosdk.Trunk{
		ID: "trunk_1", Name: "Twilio Trunk", Domain: "example.pstn.twilio.com", Direction: videosdk.DirectionOutbound,
		Numbers: []string{"+14155551234"}, Auth: &videosdk.SIPAuth{Username: "sip-user", Password: "sip-pass"},
	}
	trunks := newRecorder(t, http.StatusOK, sample(t, "trunk")).client().Trunks

	created, err := trunks.Create(t.Context(), validTrunk())
	require.NoError(t, err)
	assert.JSONEq(t, sample(t, "trunk"), string(created.Raw))
	assert.Equal(t, want, withoutRaw(created))

	updated, err := trunks.Update(t.Context(), "trunk_1", validTrunk())
	require.NoError(t, err)
	assert.Equal(t, want, withoutRaw(updated))

	body := sample(t, "trunk-call")
	call, err := newRecorder(t, http.StatusOK, body).client().Trunks.Call(t.Context(), validTrunkCall("trunk_1"))
	require.NoError(t, err)
	assert.JSONEq(t, body, string(call.Raw))
	assert.Equal(t, &videosdk.TrunkCall{ParticipantID: "dA45e3gb", Message: "Success"}, withoutRaw(call))
}

func TestTheDocumentedWebhookIsDecoded(t *testing.T) {
	body := sample(t, "webhook")
	webhooks := newRecorder(t, http.StatusOK, body).client().Webhooks

	hook, err := webhooks.Get(t.Context(), "wh_123456789")

	require.NoError(t, err)
	assert.JSONEq(t, body, string(hook.Raw))
	assert.Equal(t, &videosdk.Webhook{
		ID: "wh_123456789", URL: "https://example.com/webhook",
		Events:    []videosdk.EventType{videosdk.EventCallStarted, videosdk.EventCallAnswered},
		CreatedAt: at(t, "2025-08-21T12:00:00Z"), UpdatedAt: at(t, "2025-08-21T12:10:00Z"),
	}, withoutRaw(hook))
}

func TestTheDocumentedCampaignAndItsRecordsAreDecoded(t *testing.T) {
	campaign := &videosdk.BatchCall{
		ID: "batch_1", Name: "Spring", Description: "All of them", Status: videosdk.BatchScheduled, PhoneNumberID: "pn_abc123",
		PhoneNumber: "+14155551234", RoutingRuleID: "rr_abc123", Timing: videosdk.BatchLater, Timezone: "Asia/Calcutta",
		ScheduledTime: "09:30", ScheduledDate: "2026-05-11", AllowedFrom: "09:00", AllowedUntil: "17:00",
		DaysOfWeek: []int{1, 2, 3, 4, 5},
		Retry: &videosdk.BatchRetry{Enabled: true, MaxAttempts: 3, RetryOn: []videosdk.CallStatus{
			videosdk.CallFailed, videosdk.CallNotAnswered, videosdk.CallRejected, videosdk.CallMissed, videosdk.CallAbandoned,
		}},
		File:   &videosdk.BatchFile{Name: "leads.csv", Extension: "csv", Key: "batch-calls/batch_1/leads.csv"},
		CDNURL: "https://cdn.example.com/batch-calls/batch_1/leads.csv", RecordsUploaded: 120, Timestamp: 1778472000, Progress: 12.5,
		CreatedAt: at(t, "2026-05-11T10:00:00Z"), UpdatedAt: at(t, "2026-05-11T10:05:00Z"),
	}
	record := &videosdk.BatchRecord{
		ID: "rec_1", BatchID: "batch_1", PhoneNumber: "+14155550199", Metadata: map[string]any{"name": "Ann"}, Status: "not connected",
		CallID: "call_1", Reason: "not-answered", Attempts: 2, RecordingID: "recording_1",
		Recording: "https://cdn.example.com/recording_1.mp4", CallDuration: videosdk.Ptr(12.5),
		CreatedAt: at(t, "2026-05-11T10:00:00Z"), UpdatedAt: at(t, "2026-05-11T10:05:00Z"),
	}
	batchBody, recordBody := sample(t, "batch-call"), sample(t, "batch-record")

	t.Run("of Get", func(t *testing.T) {
		got, err := newRecorder(t, http.StatusOK, batchBody).client().BatchCalls.Get(t.Context(), "batch_1")
		require.NoError(t, err)
		assert.JSONEq(t, batchBody, string(got.Raw))
		assert.Equal(t, campaign, withoutRaw(got))
	})
	t.Run("of List, under the key batchCalls", func(t *testing.T) {
		body := `{"pageInfo":{"currentPage":1,"perPage":10,"lastPage":3,"total":21},"batchCalls":[` + batchBody + `]}`
		page, err := newRecorder(t, http.StatusOK, body).client().BatchCalls.List(t.Context(), videosdk.BatchCallListParams{})
		require.NoError(t, err)
		assert.Equal(t, []int{1, 10, 3, 21}, []int{page.Page, page.PerPage, page.LastPage, page.Total})
		require.Len(t, page.Items, 1)
		assert.Equal(t, campaign, withoutRaw(page.Items[0]))
	})
	t.Run("of Records.List, under the key records", func(t *testing.T) {
		body := `{"pageInfo":{"currentPage":1,"perPage":10,"lastPage":1,"total":1},"records":[` + recordBody + `]}`
		page, err := newRecorder(t, http.StatusOK, body).client().BatchCalls.Records.List(t.Context(), "batch_1", videosdk.BatchRecordListParams{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		assert.JSONEq(t, recordBody, string(page.Items[0].Raw))
		assert.Equal(t, record, withoutRaw(page.Items[0]))
	})
	t.Run("of Records.Delete, after an answer that was lost", func(t *testing.T) {
		lost := newRecorder(t, http.StatusBadGateway, `{}`).then(http.StatusNotFound, `{"message":"none"}`)
		result, err := lost.client().BatchCalls.Records.Delete(t.Context(), "batch_1", []string{"rec_1"})
		require.NoError(t, err)
		assert.True(t, result.AlreadyGone)
	})
	t.Run("of Records.Delete", func(t *testing.T) {
		body := `{"message":"Records deleted successfully","deletedCount":2}`
		result, err := newRecorder(t, http.StatusOK, body).client().BatchCalls.Records.Delete(t.Context(), "batch_1", []string{"rec_1", "rec_2"})
		require.NoError(t, err)
		assert.Equal(t, &videosdk.BatchRecordDeleteResult{Message: "Records deleted successfully", DeletedCount: 2}, withoutRaw(result))
	})
}

func TestTheDocumentedRoomIsDecoded(t *testing.T) {
	body := sample(t, "room")
	room, err := newRecorder(t, http.StatusOK, body).client().Rooms.Create(t.Context(), videosdk.RoomCreateParams{CustomRoomID: "support"})
	require.NoError(t, err)
	assert.JSONEq(t, body, string(room.Raw))
	assert.Equal(t, &videosdk.Room{ID: "abcd-efgh-ijkl", CustomRoomID: "support"}, withoutRaw(room))
}

// "Each answers message or statusCode, and data".
func TestTheDocumentedAnswersToChangesOfACallAreDecoded(t *testing.T) {
	methods := map[string]func(context.Context, *videosdk.Client) (*videosdk.Call, error){
		"Transfer": func(ctx context.Context, c *videosdk.Client) (*videosdk.Call, error) {
			return c.Calls.Transfer(ctx, "call_1", videosdk.CallTransferParams{To: "+14155550199"})
		},
		"SwitchRoom": func(ctx context.Context, c *videosdk.Client) (*videosdk.Call, error) {
			return c.Calls.SwitchRoom(ctx, "call_1", videosdk.CallSwitchRoomParams{RoomID: "room_2"})
		},
	}
	tests := []struct {
		name, body string
		want       videosdk.Call
	}{
		{"a message and the call", `{"message":"Done","data":{"id":"call_1","status":"transfer-initiated"}}`,
			videosdk.Call{ID: "call_1", Status: videosdk.CallTransferInitiated}},
		{"a statusCode and the call", `{"statusCode":200,"data":{"callId":"call_1","status":"TRANSFERRED","roomId":"room_2"}}`,
			videosdk.Call{ID: "call_1", Status: videosdk.CallTransferred, RoomID: "room_2"}},
		{"the call alone", `{"id":"call_1","status":"answered"}`, videosdk.Call{ID: "call_1", Status: videosdk.CallAnswered}},
		{"a message alone", `{"message":"Done"}`, videosdk.Call{ID: "call_1"}},
		{"nothing", ``, videosdk.Call{ID: "call_1"}},
	}
	for method, call := range methods {
		for _, tt := range tests {
			t.Run(method+": "+tt.name, func(t *testing.T) {
				got, err := call(t.Context(), newRecorder(t, http.StatusOK, tt.body).client())
				require.NoError(t, err)
				assert.Equal(t, &tt.want, withoutRaw(got))
			})
		}
	}
}

func TestARuleOfAGatewayIsDecodedInEachSpelling(t *testing.T) {
	agent := videosdk.Dispatch{Agent: &videosdk.DispatchAgent{Type: videosdk.AgentTypeCloud, ID: "deploy_1"}}
	tests := []struct {
		name, body string
		want       videosdk.GatewayRoutingRule
	}{
		{"dispatch as a word, with the agent beside it", `{"id":"r","dispatch":"agent","agentType":"cloud","agentId":"deploy_1"}`,
			videosdk.GatewayRoutingRule{ID: "r", Dispatch: agent}},
		{"dispatch as an object", `{"id":"r","dispatch":{"agent":{"type":"cloud","id":"deploy_1"}}}`,
			videosdk.GatewayRoutingRule{ID: "r", Dispatch: agent}},
		{"both", `{"id":"r","dispatch":{"agent":{"type":"cloud","id":"deploy_1"}},"agentType":"self","agentId":"other"}`,
			videosdk.GatewayRoutingRule{ID: "r", Dispatch: agent}},
		{"a room, and an agent beside it", `{"id":"r","dispatch":{"room":{"type":"static","id":"room_1"}},"agentType":"cloud","agentId":"deploy_1"}`,
			videosdk.GatewayRoutingRule{ID: "r", Dispatch: videosdk.Dispatch{
				Room: &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, ID: "room_1"}, Agent: agent.Agent,
			}}},
		{"no agent", `{"id":"r","dispatch":{"room":null,"agent":null}}`, videosdk.GatewayRoutingRule{ID: "r"}},
		{"ruleId for id", `{"ruleId":"r"}`, videosdk.GatewayRoutingRule{ID: "r"}},
		{"an envelope", `{"message":"ok","data":{"id":"r"}}`, videosdk.GatewayRoutingRule{ID: "r"}},
		{"hidePhoneNumber as a string", `{"id":"r","hidePhoneNumber":"true"}`, videosdk.GatewayRoutingRule{ID: "r", HidePhoneNumber: true}},
		{"hidePhoneNumber as the string false", `{"id":"r","hidePhoneNumber":"false"}`, videosdk.GatewayRoutingRule{ID: "r"}},
		{"values that are not known", `{"id":"r","type":"Sideways","dispatch":{"agent":{"type":"robot","id":"a"}}}`,
			videosdk.GatewayRoutingRule{ID: "r", Type: "sideways", Dispatch: videosdk.Dispatch{Agent: &videosdk.DispatchAgent{Type: "robot", ID: "a"}}}},
		{"null everywhere", `{"id":"r","name":null,"type":null,"numbers":null,"dispatch":null,"hidePhoneNumber":null,"metadata":null,"tags":null}`,
			videosdk.GatewayRoutingRule{ID: "r"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rule, err := newRecorder(t, http.StatusOK, tt.body).client().GatewayRoutingRules.Get(t.Context(), "r")
			require.NoError(t, err)
			assert.Equal(t, &tt.want, withoutRaw(rule))
		})
	}
}

func TestOtherResourcesAreDecodedInEachSpelling(t *testing.T) {
	gateway := func(c *videosdk.Client) (any, error) { return c.InboundGateways.Get(t.Context(), "x") }
	webhook := func(c *videosdk.Client) (any, error) { return c.Webhooks.Get(t.Context(), "x") }
	trunk := func(c *videosdk.Client) (any, error) { return c.Trunks.Create(t.Context(), validTrunk()) }
	batch := func(c *videosdk.Client) (any, error) { return c.BatchCalls.Get(t.Context(), "x") }
	room := func(c *videosdk.Client) (any, error) { return c.Rooms.Get(t.Context(), "x") }
	record := func(c *videosdk.Client) (any, error) {
		return c.BatchCalls.Records.Update(t.Context(), "b", "x", videosdk.BatchRecordUpdateParams{Metadata: map[string]any{}})
	}
	tests := []struct {
		name, body string
		get        func(*videosdk.Client) (any, error)
		want       any
	}{
		{"a gateway with gatewayId and sipRegion", `{"gatewayId":"x","sipRegion":"in002"}`, gateway,
			&videosdk.Gateway{ID: "x", Region: videosdk.RegionIN002}},
		{"a gateway whose booleans are strings", `{"id":"x","record":"true","noiseCancellation":"false","enableDtmf":"TRUE"}`, gateway,
			&videosdk.Gateway{ID: "x", Record: true, EnableDTMF: true}},
		{"a gateway with an auth of null", `{"id":"x","auth":null}`, gateway, &videosdk.Gateway{ID: "x"}},
		{"a gateway with metadata that is no text", `{"id":"x","metadata":{"n":1,"b":true}}`, gateway,
			&videosdk.Gateway{ID: "x", Metadata: map[string]string{"n": "1", "b": "true"}}},
		{"a webhook with webhookId", `{"webhookId":"x","events":["call-started"]}`, webhook,
			&videosdk.Webhook{ID: "x", Events: []videosdk.EventType{videosdk.EventCallStarted}}},
		{"a webhook with events that are not known", `{"data":{"id":"x","events":["call-on-hold"]}}`, webhook,
			&videosdk.Webhook{ID: "x", Events: []videosdk.EventType{"call-on-hold"}}},
		{"a trunk with id, an empty auth and a direction in upper case", `{"id":"x","auth":{},"direction":"OUTBOUND"}`, trunk,
			&videosdk.Trunk{ID: "x", Direction: videosdk.DirectionOutbound}},
		{"a campaign with id", `{"data":{"id":"x","recordsUploaded":"12"}}`, batch, &videosdk.BatchCall{ID: "x", RecordsUploaded: 12}},
		{"a campaign with a status in upper case", `{"batchId":"x","status":"PARSE_FAILED"}`, batch,
			&videosdk.BatchCall{ID: "x", Status: videosdk.BatchParseFailed}},
		{"a campaign with a status that is not known", `{"batchId":"x","status":"paused","timing":"later"}`, batch,
			&videosdk.BatchCall{ID: "x", Status: "paused", Timing: "later"}},
		{"a campaign with null everywhere", `{"batchId":"x","status":null,"retry":null,"file":null,"progress":null,"daysOfWeek":null}`, batch,
			&videosdk.BatchCall{ID: "x"}},
		{"a record with id, and no call", `{"id":"x","callId":null,"callDuration":null,"metadata":null}`, record, &videosdk.BatchRecord{ID: "x"}},
		{"a room with meetingId", `{"meetingId":"x"}`, room, &videosdk.Room{ID: "x"}},
		// The documented answer to the deactivation of a room.
		{"a room with userMeetingId", `{"disabled":true,"meetingId":"x","userMeetingId":"support","id":"632490c0"}`, room,
			&videosdk.Room{ID: "x", CustomRoomID: "support"}},
		// The id beside it is that of the database.
		{"a room with an id that is not its own", `{"roomId":"x","id":"640abc"}`, room, &videosdk.Room{ID: "x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.get(newRecorder(t, http.StatusOK, tt.body).client())
			require.NoError(t, err)
			switch resource := got.(type) {
			case *videosdk.Gateway:
				withoutRaw(resource)
			case *videosdk.Webhook:
				withoutRaw(resource)
			case *videosdk.Trunk:
				withoutRaw(resource)
			case *videosdk.BatchCall:
				withoutRaw(resource)
			case *videosdk.BatchRecord:
				withoutRaw(resource)
			case *videosdk.Room:
				withoutRaw(resource)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestStatsHoldEveryFigureOfTheAnswer(t *testing.T) {
	tests := []struct {
		name, body string
		want       map[string]float64
	}{
		{"by display label", `{"batchId":"b","status":"running","total":12,"scheduled":2,"not connected":10}`,
			map[string]float64{"total": 12, "scheduled": 2, "not connected": 10}},
		{"in an envelope", `{"data":{"total":12}}`, map[string]float64{"total": 12}},
		{"beside a statusCode, which is none", `{"statusCode":200,"total":12}`, map[string]float64{"total": 12}},
		{"of which there may be none", `{"batchId":"b"}`, map[string]float64{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stats, err := newRecorder(t, http.StatusOK, tt.body).client().BatchCalls.Stats(t.Context(), "b")
			require.NoError(t, err)
			assert.Equal(t, tt.want, stats.Figures)
			assert.NotEmpty(t, stats.Raw)
		})
	}
}

// Where an answer says what was done, its text may stand beside the data.
func TestTheTextBesideTheCountOfDeletedRecordsIsKept(t *testing.T) {
	body := `{"message":"Done","data":{"deletedCount":2}}`
	result, err := newRecorder(t, http.StatusOK, body).client().BatchCalls.Records.Delete(t.Context(), "b", []string{"rec_1", "rec_2"})
	require.NoError(t, err)
	assert.Equal(t, &videosdk.BatchRecordDeleteResult{Message: "Done", DeletedCount: 2}, withoutRaw(result))
}

// A method that changes something without having to show it is content with
// any answer of success; the caller gets the id, and what there was.
func TestAnUpdateThatShowsNothingReturnsTheID(t *testing.T) {
	name := videosdk.Ptr("New")
	tests := []struct {
		name string
		want any
		call func(context.Context, *videosdk.Client) (any, error)
	}{
		{"InboundGateways.Update", &videosdk.Gateway{ID: "x"}, func(ctx context.Context, c *videosdk.Client) (any, error) {
			got, err := c.InboundGateways.Update(ctx, "x", videosdk.GatewayUpdateParams{Name: name})
			return got, err
		}},
		{"OutboundGateways.Update", &videosdk.Gateway{ID: "x"}, func(ctx context.Context, c *videosdk.Client) (any, error) {
			got, err := c.OutboundGateways.Update(ctx, "x", videosdk.GatewayUpdateParams{Name: name})
			return got, err
		}},
		{"GatewayRoutingRules.Update", &videosdk.GatewayRoutingRule{ID: "x"}, func(ctx context.Context, c *videosdk.Client) (any, error) {
			got, err := c.GatewayRoutingRules.Update(ctx, "x", videosdk.GatewayRoutingRuleUpdateParams{Name: name})
			return got, err
		}},
		{"Trunks.Update", &videosdk.Trunk{ID: "x"}, func(ctx context.Context, c *videosdk.Client) (any, error) {
			got, err := c.Trunks.Update(ctx, "x", validTrunk())
			return got, err
		}},
		{"Webhooks.Update", &videosdk.Webhook{ID: "x"}, func(ctx context.Context, c *videosdk.Client) (any, error) {
			got, err := c.Webhooks.Update(ctx, "x", videosdk.WebhookUpdateParams{URL: videosdk.Ptr("https://example.com")})
			return got, err
		}},
		{"BatchCalls.Update", &videosdk.BatchCall{ID: "x"}, func(ctx context.Context, c *videosdk.Client) (any, error) {
			got, err := c.BatchCalls.Update(ctx, "x", videosdk.BatchCallUpdateParams{Name: name})
			return got, err
		}},
		{"BatchCalls.Cancel", &videosdk.BatchCall{ID: "x"}, func(ctx context.Context, c *videosdk.Client) (any, error) {
			got, err := c.BatchCalls.Cancel(ctx, "x", videosdk.BatchCancelImmediate)
			return got, err
		}},
		{"BatchCalls.Records.Update", &videosdk.BatchRecord{ID: "x", BatchID: "b"}, func(ctx context.Context, c *videosdk.Client) (any, error) {
			got, err := c.BatchCalls.Records.Update(ctx, "b", "x", videosdk.BatchRecordUpdateParams{Metadata: map[string]any{}})
			return got, err
		}},
		{"Rooms.Deactivate", &videosdk.Room{ID: "x"}, func(ctx context.Context, c *videosdk.Client) (any, error) {
			got, err := c.Rooms.Deactivate(ctx, "x")
			return got, err
		}},
	}
	for _, tt := range tests {
		for _, body := range []string{"", "{}", `{"message":"Done"}`} {
			t.Run(tt.name+" after "+body, func(t *testing.T) {
				got, err := tt.call(t.Context(), newRecorder(t, http.StatusOK, body).client())
				require.NoError(t, err)
				raw := reflect.ValueOf(got).Elem().FieldByName("Raw")
				assert.Equal(t, body, string(raw.Bytes()))
				raw.SetZero()
				assert.Equal(t, tt.want, got)
			})
		}
	}
}

// What was asked for and is not there is an error, and where something was to
// be made it may have been made.
func TestAnAnswerWithoutWhatWasAskedForIsAnError(t *testing.T) {
	type method struct {
		name    string
		changes bool
		call    func(context.Context, *videosdk.Client) error
	}
	methods := []method{
		{"InboundGateways.Create", true, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Create(ctx, fullInboundGateway()))
		}},
		{"OutboundGateways.Create", true, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Create(ctx, fullOutboundGateway()))
		}},
		{"OutboundGateways.Get", false, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Get(ctx, "x"))
		}},
		{"GatewayRoutingRules.Create", true, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.Create(ctx, fullGatewayRule("gw_1")))
		}},
		{"Trunks.Create", true, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Create(ctx, validTrunk()))
		}},
		{"Trunks.Call", true, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Call(ctx, validTrunkCall("trunk_1")))
		}},
		{"Webhooks.Create", true, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.Create(ctx, validWebhook()))
		}},
		{"BatchCalls.Create", true, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Create(ctx, validBatch()))
		}},
		{"BatchCalls.Upload", true, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Upload(ctx, "list.csv", strings.NewReader(goldenList)))
		}},
		{"BatchCalls.Stats", false, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Stats(ctx, "x"))
		}},
		{"Rooms.Create", true, func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Rooms.Create(ctx, videosdk.RoomCreateParams{}))
		}},
	}
	for _, method := range methods {
		for _, body := range []string{"", "null", "[]", `<html>`, `{"id":`} {
			t.Run(method.name+" answered with "+body, func(t *testing.T) {
				err := method.call(t.Context(), newRecorder(t, http.StatusOK, body).client(videosdk.WithMaxRetries(0)))
				require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
				if method.changes {
					assert.ErrorIs(t, err, videosdk.ErrMaybeApplied)
				} else {
					assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
				}
			})
		}
	}
}

func TestARegionIsFoundUnderItsOlderNameInAnyCase(t *testing.T) {
	for _, key := range []string{"geoRegion", "sipRegion", "SIPRegion"} {
		client := newRecorder(t, http.StatusOK, `{"id":"gw_1","`+key+`":"us002"}`).client()
		gateway, err := client.InboundGateways.Get(t.Context(), "gw_1")
		require.NoError(t, err)
		assert.Equal(t, videosdk.Region("us002"), gateway.Region)
	}
}

func TestOneOfSeveralEnvelopesIsDecodedAndTheOthersAreNotMixedIn(t *testing.T) {
	for body, want := range map[string]videosdk.Call{
		`{"data":{"callId":"call_A","roomId":"room_A"},"data":{"callId":"call_B"}}`: {ID: "call_B", Raw: []byte(`{"callId":"call_B"}`)},
		`{"data":{"callId":"call_A"},"Data":{"callId":"call_B"}}`:                   {ID: "call_A", Raw: []byte(`{"callId":"call_A"}`)},
	} {
		call, err := newRecorder(t, http.StatusOK, body).client().Calls.Get(t.Context(), "x")
		require.NoError(t, err)
		assert.Equal(t, want, *call)
	}
	client := newRecorder(t, http.StatusOK, `{"data":{"id":"q"},"data":{}}`).client()
	require.ErrorIs(t, errorOf(client.Calls.Create(t.Context(), newCall("rule_1"))), videosdk.ErrMaybeApplied)
}
