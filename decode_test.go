package videosdk_test

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// sample returns an answer as the API's documentation shows it.
func sample(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "samples", name+".json"))
	require.NoError(t, err)
	return strings.TrimSpace(string(body))
}

// at reads a time in ISO 8601.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return instant
}

// withoutRaw returns v, a pointer to a resource, with every Raw in it removed.
func withoutRaw[T any](v *T) *T {
	clearRaw(reflect.ValueOf(v))
	return v
}

func clearRaw(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		clearRaw(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Raw" {
				v.Field(i).SetZero()
			} else {
				clearRaw(v.Field(i))
			}
		}
	}
}

func TestTheDocumentedPhoneNumberIsDecoded(t *testing.T) {
	body := sample(t, "phone-number")

	number, err := newRecorder(t, http.StatusOK, body).client().PhoneNumbers.Get(t.Context(), "+14155551234")

	require.NoError(t, err)
	assert.JSONEq(t, body, string(number.Raw))
	var parts map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(body), &parts))
	assert.JSONEq(t, string(parts["inbound"]), string(number.Inbound.Raw))
	assert.JSONEq(t, string(parts["outbound"]), string(number.Outbound.Raw))
	assert.Equal(t, &videosdk.PhoneNumber{
		ID: "pn_abc123", E164: "+14155551234", Name: "My SIP Setup", CountryCode: "US", Provider: "other",
		Origin: "SIP Configured", Status: "ACTIVE",
		CreatedAt: at(t, "2026-05-11T10:00:00Z"), UpdatedAt: at(t, "2026-05-11T10:05:00Z"),
		Inbound: &videosdk.Gateway{
			ID: "gw_in", Name: "My SIP Setup", Numbers: []string{"+14155551234"}, AllowedAddresses: []string{},
			AllowedNumbers: []string{}, MediaEncryption: videosdk.MediaEncryptionDisable, Tags: []string{},
			Region: videosdk.RegionUS002, Metadata: map[string]string{},
		},
		Outbound: &videosdk.Gateway{
			ID: "gw_out", Name: "My SIP Setup", Address: "sip.telnyx.com:5061", Numbers: []string{"+14155551234"},
			AllowedAddresses: []string{}, AllowedNumbers: []string{}, MediaEncryption: videosdk.MediaEncryptionDisable,
			Transport: videosdk.TransportTLS, Record: true, NoiseCancellation: true, EnableDTMF: true, Tags: []string{"v2"},
			Auth:   &videosdk.SIPAuth{Username: "sip-user", Password: "sip-pass"},
			Region: videosdk.RegionUS002, Metadata: map[string]string{"env": "production"},
		},
	}, withoutRaw(number))
}

func TestTheDocumentedAnswersOfPhoneNumbersAreDecoded(t *testing.T) {
	t.Run("of Create", func(t *testing.T) {
		body := sample(t, "phone-number-created")
		ack, err := newRecorder(t, http.StatusCreated, body).client().PhoneNumbers.Create(t.Context(), validPhoneNumber())
		require.NoError(t, err)
		assert.Equal(t, "Phone Number with SIP Configured Created Successfully", ack.Message)
		assert.JSONEq(t, body, string(ack.Raw))
	})
	t.Run("of Detach", func(t *testing.T) {
		body := sample(t, "phone-number-detached")
		result, err := newRecorder(t, http.StatusOK, body).client().PhoneNumbers.Detach(t.Context(), "+14155551234")
		require.NoError(t, err)
		assert.JSONEq(t, body, string(result.Raw))
		assert.Equal(t, &videosdk.DetachResult{
			Message: "Detached successfully", InboundGatewayID: "gw_inbound_uuid", OutboundGatewayID: "gw_outbound_uuid",
			PhoneNumber: videosdk.PhoneNumber{
				ID: "pn_abc123", E164: "+14155551234", Name: "My SIP Setup", CountryCode: "US", Provider: "other",
				Origin: "SIP Configured", Status: "ACTIVE",
				CreatedAt: at(t, "2026-05-11T10:00:00Z"), UpdatedAt: at(t, "2026-05-11T10:05:00Z"),
			},
		}, withoutRaw(result))
	})
	t.Run("of Release", func(t *testing.T) {
		body := sample(t, "phone-number-released")
		result, err := newRecorder(t, http.StatusOK, body).client().PhoneNumbers.Release(t.Context(), "pn_abc123")
		require.NoError(t, err)
		assert.JSONEq(t, body, string(result.Raw))
		assert.Equal(t, &videosdk.ReleaseResult{
			Message: "Phone number released successfully", ID: "pn_abc123", E164: "+14155551234",
		}, withoutRaw(result))
	})
}

func TestTheDocumentedRoutingRuleIsDecoded(t *testing.T) {
	body := sample(t, "routing-rule")

	rule, err := newRecorder(t, http.StatusOK, body).client().RoutingRules.Get(t.Context(), "rr_abc123")

	require.NoError(t, err)
	assert.JSONEq(t, body, string(rule.Raw))
	assert.Equal(t, &videosdk.RoutingRule{
		ID: "rr_abc123", Name: "Inbound support rule", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155551234"},
		Room:    &videosdk.RoutingRoom{Type: videosdk.RoomTypeDynamic, Prefix: videosdk.RoomPrefixBlank},
		AgentID: "agent_xyz", AgentMetadata: map[string]any{"team": "support"}, HidePhoneNumber: true,
		Tags: []string{"support", "v2"}, APIKey: "ak_resolved", AllowedNumbers: []string{}, AllowedIPAddresses: []string{},
		IncludeHeaders: videosdk.IncludeHeadersSIPX, HeadersToAttributes: map[string]string{"X-Caller": "caller"},
		CreatedAt: at(t, "2026-05-11T10:00:00Z"), UpdatedAt: at(t, "2026-05-11T10:05:00Z"),
	}, withoutRaw(rule))
}

func TestTheDocumentedAnswerToTheDeletionOfARuleIsDecoded(t *testing.T) {
	body := sample(t, "routing-rule-deleted")

	result, err := newRecorder(t, http.StatusOK, body).client().RoutingRules.Delete(t.Context(), "rr_abc123")

	require.NoError(t, err)
	assert.JSONEq(t, body, string(result.Raw))
	assert.Equal(t, &videosdk.DeleteResult{ID: "rr_abc123", Message: "Routing rule deleted successfully"}, withoutRaw(result))
}

func TestTheDocumentedCallsAreDecoded(t *testing.T) {
	start := at(t, "2025-08-21T11:45:00Z")
	end := at(t, "2025-08-21T11:48:00Z")

	t.Run("of Create", func(t *testing.T) {
		call, err := newRecorder(t, http.StatusOK, sample(t, "call-created")).client().Calls.Create(t.Context(), validCall())
		require.NoError(t, err)
		assert.Equal(t, &videosdk.Call{
			ID: "call_123456789", Status: videosdk.CallInitiated, RoomID: "room_123456", To: "+14155550123", From: "+14155559876",
			GatewayID: "gw_123456789", Metadata: map[string]any{"campaignId": "cmp_123", "source": "crm"},
			Timelog: []videosdk.CallEvent{{Status: videosdk.CallInitiated, Timestamp: start}},
		}, withoutRaw(call))
	})
	t.Run("of Get", func(t *testing.T) {
		call, err := newRecorder(t, http.StatusOK, sample(t, "call")).client().Calls.Get(t.Context(), "call_123456789")
		require.NoError(t, err)
		assert.Equal(t, &videosdk.Call{
			ID: "call_123456789", Type: videosdk.DirectionInbound, Status: videosdk.CallAnswered, To: "+14155550123",
			From: "+14155559876", RoomID: "room_123456", SessionID: "sess_123456", GatewayID: "gw_123456789", RuleID: "rule_123456",
			Transport: videosdk.TransportUDP, Provider: "other", Region: videosdk.RegionUS002,
			Metadata: map[string]any{"campaignId": "cmp_123"}, Start: &start,
			Timelog: []videosdk.CallEvent{
				{Status: videosdk.CallInitiated, Timestamp: start},
				{Status: videosdk.CallAnswered, Timestamp: at(t, "2025-08-21T11:45:07.25Z")},
			},
		}, withoutRaw(call))
	})
	t.Run("of List", func(t *testing.T) {
		page, err := newRecorder(t, http.StatusOK, sample(t, "calls")).client().Calls.List(t.Context(), videosdk.CallListParams{})
		require.NoError(t, err)
		assert.Equal(t, []int{1, 10, 5, 45}, []int{page.Page, page.PerPage, page.LastPage, page.Total})
		require.Len(t, page.Items, 1)
		assert.Contains(t, string(page.Items[0].Raw), `"userId":"usr_123456"`, "what the library does not know is kept")
		assert.Equal(t, &videosdk.Call{
			ID: "call_123456789", Type: videosdk.DirectionOutbound, Status: videosdk.CallEnded, To: "+14155550123",
			From: "+14155559876", RoomID: "room_123456", SessionID: "sess_123456", GatewayID: "gw_123456789",
			GatewayName: "US Gateway", RuleID: "rule_123456", RuleName: "Default Routing Rule", Start: &start, End: &end,
			Timelog: []videosdk.CallEvent{
				{Status: videosdk.CallInitiated, Timestamp: start}, {Status: videosdk.CallEnded, Timestamp: end},
			},
		}, withoutRaw(page.Items[0]))
	})
}

func TestACallIsDecodedInEachSpelling(t *testing.T) {
	noon := at(t, "2025-08-21T12:00:00Z")
	tests := []struct {
		name, body string
		want       videosdk.Call
	}{
		{"callId for id", `{"callId":"c"}`, videosdk.Call{ID: "c"}},
		{"sipCallTo and sipCallFrom for to and from", `{"id":"c","sipCallTo":"+12","sipCallFrom":"+13"}`,
			videosdk.Call{ID: "c", To: "+12", From: "+13"}},
		{"metaData for metadata", `{"id":"c","metaData":{"k":"v"}}`, videosdk.Call{ID: "c", Metadata: map[string]any{"k": "v"}}},
		{"metaData beside a metadata of null", `{"id":"c","metadata":null,"metaData":{"k":"v"}}`,
			videosdk.Call{ID: "c", Metadata: map[string]any{"k": "v"}}},
		{"metaData beside a metadata that holds something else", `{"id":"c","metadata":{"k":"v"},"metaData":{"k":"w","trackingId":"t"}}`,
			videosdk.Call{ID: "c", Metadata: map[string]any{"k": "v", "trackingId": "t"}}},
		{"the envelope's data", `{"statusCode":200,"data":{"id":"c"}}`, videosdk.Call{ID: "c"}},
		{"no envelope", `{"id":"c","data":null}`, videosdk.Call{ID: "c"}},
		{"a status in upper case", `{"id":"c","status":"RINGING"}`, videosdk.Call{ID: "c", Status: videosdk.CallRinging}},
		{"COMPLETED for ended", `{"id":"c","status":"COMPLETED"}`, videosdk.Call{ID: "c", Status: videosdk.CallEnded}},
		{"completed in the timeline", `{"id":"c","timelog":[{"status":"completed","timestamp":"2025-08-21T12:00:00Z"}]}`,
			videosdk.Call{ID: "c", Timelog: []videosdk.CallEvent{{Status: videosdk.CallEnded, Timestamp: noon}}}},
		{"a status that is not known", `{"id":"c","status":"On-Hold"}`, videosdk.Call{ID: "c", Status: "on-hold"}},
		{"a type in upper case", `{"id":"c","type":"OUTBOUND"}`, videosdk.Call{ID: "c", Type: videosdk.DirectionOutbound}},
		{"other values that are not known", `{"id":"c","type":"sideways","transport":"quic","region":"mars001"}`,
			videosdk.Call{ID: "c", Type: "sideways", Transport: "quic", Region: "mars001"}},
		{"fields that are not known", `{"id":"c","mood":{"deep":[1,2]},"Data2":true}`, videosdk.Call{ID: "c"}},
		{"times in milliseconds", `{"id":"c","start":1755777600000,"end":"1755777600000"}`,
			videosdk.Call{ID: "c", Start: &noon, End: &noon}},
		{"times in seconds", `{"id":"c","start":1755777600}`, videosdk.Call{ID: "c", Start: &noon}},
		{"times that are empty", `{"id":"c","start":"","end":""}`, videosdk.Call{ID: "c"}},
		{"times that are zero", `{"id":"c","start":"0001-01-01T00:00:00Z","end":"0001-01-01T00:00:00Z"}`, videosdk.Call{ID: "c"}},
		{"times that are none", `{"id":"c","start":"soon","end":{}}`, videosdk.Call{ID: "c"}},
		{"numbers for strings", `{"id":123456789012345678,"roomId":7}`, videosdk.Call{ID: "123456789012345678", RoomID: "7"}},
		{"null everywhere", `{"id":"c","type":null,"status":null,"to":null,"metadata":null,"timelog":null,"start":null,"end":null}`,
			videosdk.Call{ID: "c"}},
		{"objects for nothing", `{"id":"c","status":{},"to":{},"metadata":{},"timelog":{},"start":{}}`,
			videosdk.Call{ID: "c", Metadata: map[string]any{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			call, err := newRecorder(t, http.StatusOK, tt.body).client().Calls.Get(t.Context(), "c")
			require.NoError(t, err)
			assert.Equal(t, &tt.want, withoutRaw(call))
		})
	}
}

func TestARoutingRuleIsDecodedInEachSpelling(t *testing.T) {
	tests := []struct {
		name, body string
		want       videosdk.RoutingRule
	}{
		{"ruleId for id", `{"ruleId":"r"}`, videosdk.RoutingRule{ID: "r"}},
		{"an envelope", `{"message":"ok","data":{"id":"r"}}`, videosdk.RoutingRule{ID: "r"}},
		{"phoneNumbers, as requests have it", `{"id":"r","phoneNumbers":["+12"]}`, videosdk.RoutingRule{ID: "r", PhoneNumbers: []string{"+12"}}},
		{"a type in upper case", `{"id":"r","type":"INBOUND"}`, videosdk.RoutingRule{ID: "r", Type: videosdk.DirectionInbound}},
		{"booleans as strings", `{"id":"r","recording":"true","dtmf":"false","noiseCancellation":"TRUE","hidePhoneNumber":"no"}`,
			videosdk.RoutingRule{ID: "r", Recording: true, NoiseCancellation: true}},
		{"booleans as numbers", `{"id":"r","recording":1,"dtmf":0}`, videosdk.RoutingRule{ID: "r", Recording: true}},
		{"a room with a PIN that is a number", `{"id":"r","room":{"type":"static","id":"room_1","pin":4321}}`,
			videosdk.RoutingRule{ID: "r", Room: &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, ID: "room_1", PIN: "4321"}}},
		{"an empty room", `{"id":"r","room":{}}`, videosdk.RoutingRule{ID: "r", Room: &videosdk.RoutingRoom{}}},
		{"a room that is none", `{"id":"r","room":"lobby"}`, videosdk.RoutingRule{ID: "r"}},
		{"one tag for a list of tags", `{"id":"r","tags":"vip"}`, videosdk.RoutingRule{ID: "r", Tags: []string{"vip"}}},
		{"headers whose values are no strings", `{"id":"r","headers":{"X-Count":3,"X-On":true,"X-Null":null}}`,
			videosdk.RoutingRule{ID: "r", Headers: map[string]string{"X-Count": "3", "X-On": "true", "X-Null": ""}}},
		{"values that are not known", `{"id":"r","type":"sideways","includeHeaders":"SOME","room":{"type":"meeting","prefix":"emoji"}}`,
			videosdk.RoutingRule{ID: "r", Type: "sideways", IncludeHeaders: "SOME", Room: &videosdk.RoutingRoom{Type: "meeting", Prefix: "emoji"}}},
		{"null everywhere", `{"id":"r","name":null,"numbers":null,"room":null,"agentId":null,"agentMetadata":null,"tags":null,"recording":null,"createdAt":null}`,
			videosdk.RoutingRule{ID: "r"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rule, err := newRecorder(t, http.StatusOK, tt.body).client().RoutingRules.Get(t.Context(), "r")
			require.NoError(t, err)
			assert.Equal(t, &tt.want, withoutRaw(rule))
		})
	}
}

func TestAPhoneNumberIsDecodedInEachSpelling(t *testing.T) {
	tests := []struct {
		name, body string
		want       videosdk.PhoneNumber
	}{
		{"no gateways", `{"phoneNumber":{"phoneNumberId":"p"},"inbound":null}`, videosdk.PhoneNumber{ID: "p"}},
		{"an envelope", `{"data":{"phoneNumber":{"phoneNumberId":"p"}}}`, videosdk.PhoneNumber{ID: "p"}},
		{"no triple around the number", `{"phoneNumberId":"p","e164":"+12","inbound":{"id":"g"}}`,
			videosdk.PhoneNumber{ID: "p", E164: "+12", Inbound: &videosdk.Gateway{ID: "g"}}},
		{"no id", `{"phoneNumber":{"e164":"+12"}}`, videosdk.PhoneNumber{E164: "+12"}},
		{"gatewayId and sipRegion", `{"phoneNumber":{"phoneNumberId":"p"},"inbound":{"gatewayId":"g","sipRegion":"in002"}}`,
			videosdk.PhoneNumber{ID: "p", Inbound: &videosdk.Gateway{ID: "g", Region: videosdk.RegionIN002}}},
		{"gateways that are no objects", `{"phoneNumber":{"phoneNumberId":"p"},"inbound":"gw_1","outbound":[]}`, videosdk.PhoneNumber{ID: "p"}},
		{"a gateway with odd fields", `{"phoneNumber":{"phoneNumberId":"p"},"outbound":{"id":7,"record":"true","auth":[],"metadata":{"n":1}}}`,
			videosdk.PhoneNumber{ID: "p", Outbound: &videosdk.Gateway{ID: "7", Record: true, Metadata: map[string]string{"n": "1"}}}},
		{"values that are not known", `{"phoneNumber":{"phoneNumberId":"p","origin":"FOUND","status":"DORMANT"},"outbound":{"transport":"quic"}}`,
			videosdk.PhoneNumber{ID: "p", Origin: "FOUND", Status: "DORMANT", Outbound: &videosdk.Gateway{Transport: "quic"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			number, err := newRecorder(t, http.StatusOK, tt.body).client().PhoneNumbers.Get(t.Context(), "+12")
			require.NoError(t, err)
			assert.Equal(t, &tt.want, withoutRaw(number))
		})
	}
}

func TestAnAnswerWithoutAResourceIsEnoughForWhatReturnsNone(t *testing.T) {
	tests := []struct {
		name, body, message, raw string
	}{
		{"nothing", "", "", ""},
		{"white space", " \n", "", ""},
		{"an empty object", "{}", "", "{}"},
		{"a message", `{"message":"Done"}`, "Done", `{"message":"Done"}`},
		{"a message that is none", `{"message":{"text":"Done"}}`, "", `{"message":{"text":"Done"}}`},
		// The answer is kept as it came: the text is beside the data.
		{"a message beside data", `{"message":"Done","data":{"id":"x"}}`, "Done", `{"message":"Done","data":{"id":"x"}}`},
		{"a message inside data", `{"data":{"message":"Done"}}`, "Done", `{"data":{"message":"Done"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newRecorder(t, http.StatusOK, tt.body).client()

			ack, err := client.PhoneNumbers.Create(t.Context(), validPhoneNumber())
			require.NoError(t, err)
			assert.Equal(t, []string{tt.message, tt.raw}, []string{ack.Message, string(ack.Raw)})

			deleted, err := client.RoutingRules.Delete(t.Context(), "rr_1")
			require.NoError(t, err)
			assert.Equal(t, []string{"rr_1", tt.message, tt.raw}, []string{deleted.ID, deleted.Message, string(deleted.Raw)})
			assert.False(t, deleted.AlreadyGone)

			released, err := client.PhoneNumbers.Release(t.Context(), "pn_1")
			require.NoError(t, err)
			assert.Equal(t, []string{"pn_1", tt.message, tt.raw}, []string{released.ID, released.Message, string(released.Raw)})

			detached, err := client.PhoneNumbers.Detach(t.Context(), "+14155551234")
			require.NoError(t, err)
			assert.Equal(t, []string{"+14155551234", tt.message, tt.raw},
				[]string{detached.PhoneNumber.E164, detached.Message, string(detached.Raw)})
		})
	}
}

func TestTheAnswerToAChangeMayHoldTheResourceOrNot(t *testing.T) {
	tests := []struct {
		name, body, status, raw string
	}{
		{"an empty answer", "", "", ""},
		{"a message", `{"message":"Call ended"}`, "", `{"message":"Call ended"}`},
		{"empty data", `{"data":{}}`, "", `{}`},
		{"the resource", `{"id":"x","status":"ended","name":"ended"}`, "ended", `{"id":"x","status":"ended","name":"ended"}`},
		{"the resource as data", `{"statusCode":200,"data":{"id":"x","status":"ended","name":"ended"}}`, "ended",
			`{"id":"x","status":"ended","name":"ended"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newRecorder(t, http.StatusOK, tt.body).client()

			call, err := client.Calls.End(t.Context(), "x")
			require.NoError(t, err)
			assert.Equal(t, []string{"x", tt.status, tt.raw}, []string{call.ID, string(call.Status), string(call.Raw)})

			rule, err := client.RoutingRules.Update(t.Context(), "x", videosdk.RoutingRuleUpdateParams{Name: videosdk.Ptr("n")})
			require.NoError(t, err)
			assert.Equal(t, []string{"x", tt.status, tt.raw}, []string{rule.ID, rule.Name, string(rule.Raw)})
		})
	}
}

func TestASuccessWithoutTheResourceIsAnError(t *testing.T) {
	tests := []struct{ name, body, problem string }{
		{"nothing", "", "it is empty"},
		{"null", "null", "it is not a JSON object"},
		{"a string", `"ok"`, "it is not a JSON object"},
		{"an array", `[{"id":"x"}]`, "it is not a JSON object"},
		{"an empty object", "{}", "it has no id"},
		{"empty data", `{"data":{}}`, "it has no id"},
		{"data of another kind", `{"data":[{"id":"x"}]}`, "it has no id"},
		{"an id that is none", `{"id":{"is":"x"}}`, "it has no id"},
		{"half an object", `{"id":"x"`, "it is not JSON"},
		{"two objects", `{"id":"x"}{"id":"y"}`, "it is not JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newRecorder(t, http.StatusOK, tt.body).client().Calls.Create(t.Context(), validCall())
			require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
			require.ErrorIs(t, err, videosdk.ErrMaybeApplied, "somebody's phone may be ringing")
			assert.ErrorContains(t, err, tt.problem)
		})
	}
}

func TestAPageIsDecodedInEachSpelling(t *testing.T) {
	type page struct {
		ids                            []string
		page, perPage, lastPage, total int
	}
	tests := []struct {
		name, body string
		want       page
	}{
		{"pageInfo", `{"pageInfo":{"currentPage":2,"perPage":10,"lastPage":3,"total":21},"data":[{"id":"a"}]}`, page{[]string{"a"}, 2, 10, 3, 21}},
		{"pageInfo with page and totalPages", `{"pageInfo":{"page":2,"perPage":10,"totalPages":3},"data":[{"id":"a"}]}`, page{[]string{"a"}, 2, 10, 3, 0}},
		{"pagination", `{"pagination":{"page":2,"perPage":10,"totalPages":3,"total":21},"data":[{"id":"a"}]}`, page{[]string{"a"}, 2, 10, 3, 21}},
		{"numbers as strings", `{"pageInfo":{"currentPage":"2","perPage":"10","lastPage":"3","total":"21"},"data":[{"id":"a"}]}`, page{[]string{"a"}, 2, 10, 3, 21}},
		{"a bare array", `[{"id":"a"},{"id":"b"}]`, page{[]string{"a", "b"}, 0, 0, 0, 0}},
		{"an empty bare array", ` [] `, page{}},
		{"no pageInfo", `{"data":[{"id":"a"}]}`, page{[]string{"a"}, 0, 0, 0, 0}},
		{"a pageInfo of null", `{"pageInfo":null,"data":[{"id":"a"}]}`, page{[]string{"a"}, 0, 0, 0, 0}},
		{"a pageInfo that is none", `{"pageInfo":"1 of 2","data":[{"id":"a"}]}`, page{[]string{"a"}, 0, 0, 0, 0}},
		{"no data", `{"pageInfo":{"total":0}}`, page{}},
		{"no data, with pagination", `{"pagination":{"total":0}}`, page{}},
		{"data of null", `{"pageInfo":{"total":0},"data":null}`, page{}},
		{"data of another kind", `{"pageInfo":{"total":0},"data":{}}`, page{}},
		{"batchCalls for data", `{"pageInfo":{"total":1},"batchCalls":[{"id":"a"}]}`, page{[]string{"a"}, 0, 0, 0, 1}},
		{"records for data", `{"pageInfo":{"total":1},"records":[{"id":"a"}]}`, page{[]string{"a"}, 0, 0, 0, 1}},
		{"null among the items", `{"data":[null,{"id":"a"}, null ]}`, page{[]string{"a"}, 0, 0, 0, 0}},
		{"null among odd items", `{"data":[null,{"id":7}]}`, page{[]string{"7"}, 0, 0, 0, 0}},
		{"an item without an id", `{"data":[{"name":"nameless"}]}`, page{[]string{""}, 0, 0, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newRecorder(t, http.StatusOK, tt.body).client().RoutingRules.List(t.Context(), videosdk.RoutingRuleListParams{})
			require.NoError(t, err)
			var ids []string
			for _, rule := range got.Items {
				ids = append(ids, rule.ID)
			}
			assert.Equal(t, tt.want, page{ids, got.Page, got.PerPage, got.LastPage, got.Total})
		})
	}
}

func TestASuccessWithoutAListIsAnError(t *testing.T) {
	tests := []struct{ name, body, problem string }{
		{"nothing", "", "it is empty"},
		{"null", "null", "it is neither a JSON object nor an array"},
		{"an empty object", "{}", "it has no list"},
		{"a message", `{"message":"ok","data":{}}`, "it has no list"},
		{"a total without a list", `{"pageInfo":{"total":2},"data":null}`, "it has no list"},
		{"a list under a name that is not known", `{"pagination":{"total":1},"calls":[{"callId":"c1"}]}`, "it has no list"},
		{"half an object", `{"data":[`, "it is not JSON"},
		{"half an array", `[{"id":"a"},`, "it is not JSON"},
		{"text among the items", `{"data":[{"id":"a"},"b"]}`, "an item of its list is not a JSON object"},
		{"nothing but numbers", `[1,2]`, "an item of its list is not a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newRecorder(t, http.StatusOK, tt.body).client().Calls.List(t.Context(), videosdk.CallListParams{})
			require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
			assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied, "a read changes nothing")
			assert.ErrorContains(t, err, tt.problem)
		})
	}
}

// resources are the resources of the API, by the name of a sample that fills
// as many of their fields as are documented.
func resources() map[string]func() any {
	all := map[string]func() any{
		"phone-number": func() any { return &videosdk.PhoneNumber{} },
		"routing-rule": func() any { return &videosdk.RoutingRule{} },
		"call":         func() any { return &videosdk.Call{} },
	}
	maps.Copy(all, otherResources())
	return all
}

// resourceSample returns a sample without the envelope.
func resourceSample(t *testing.T, name string) []byte {
	t.Helper()
	body := []byte(sample(t, name))
	var envelope struct {
		Data json.RawMessage `json:"data"`
	}
	require.NoError(t, json.Unmarshal(body, &envelope))
	if envelope.Data != nil {
		return envelope.Data
	}
	return body
}

// A job that waits in a queue for its turn is stored as JSON.
func TestACallToPlaceSurvivesBeingStoredAsJSON(t *testing.T) {
	original := videosdk.CallCreateParams{
		To: "+14155550199", From: "+14155551234", RoutingRuleID: "rr_1", GatewayID: "gw_1", DestinationRoomID: "room_1",
		Participant: &videosdk.Participant{ID: "p_1", Name: "Ann", Metadata: map[string]any{"vip": true}},
		Metadata:    map[string]any{"campaignId": "cmp_123"}, TrackingID: "order-7", AgentMetadata: map[string]any{"lang": "en"},
		WaitUntilAnswered: true, RingingTimeout: 45 * time.Second, MaxCallDuration: 4100 * time.Millisecond,
		RecordAudio: videosdk.Ptr(false), DTMF: videosdk.Ptr(true), MediaEncryption: videosdk.MediaEncryptionEnable,
		HidePhoneNumber: videosdk.Ptr(false), Headers: map[string]string{"X-Campaign": "spring"},
		IncludeHeaders: videosdk.IncludeHeadersNone,
	}
	value := reflect.ValueOf(original)
	for i := range value.NumField() {
		require.False(t, value.Field(i).IsZero(), "%s is not tried", value.Type().Field(i).Name)
	}
	for name, stored := range map[string]any{"a value": original, "a pointer": &original} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(stored)
			require.NoError(t, err)
			var restored videosdk.CallCreateParams
			require.NoError(t, json.Unmarshal(data, &restored))
			assert.Equal(t, original, restored)
		})
	}
	same := original
	require.NoError(t, json.Unmarshal([]byte(`null`), &same))
	require.NoError(t, json.Unmarshal([]byte(`{}`), &same))
	assert.Equal(t, original, same, "what is not there is left as it is")
	assert.Error(t, json.Unmarshal([]byte(`{"ringingTimeout":"soon"}`), &same))
}

// What becomes of a float64 that no int64 holds differs from one processor to another.
func TestADurationTooLongToHoldIsRefusedAndNotForgotten(t *testing.T) {
	for _, seconds := range []string{`9223372036.854775807`, `1e12`, `-1e12`, `1e300`} {
		t.Run(seconds, func(t *testing.T) {
			params := validCall()
			require.NoError(t, json.Unmarshal([]byte(`{"ringingTimeout":`+seconds+`,"maxCallDuration":`+seconds+`}`), &params))
			assert.Equal(t, time.Duration(math.MaxInt64), params.RingingTimeout)
			recorder := newRecorder(t, http.StatusOK, `{"data":{"callId":"call_1"}}`)
			_, err := recorder.client().Calls.Create(t.Context(), params)
			assertRefused(t, recorder, err, "ringingTimeout", "maxCallDuration")
		})
	}
}

// An id of 64 bits has more digits than a float64.
func TestACallThatWasStoredIsPlacedWithTheSameNumbers(t *testing.T) {
	original := validCall()
	original.Metadata = map[string]any{"orderId": int64(12345678901234567), "share": 0.1}
	original.AgentMetadata = map[string]any{"ids": []uint64{math.MaxUint64}}
	original.Participant = &videosdk.Participant{Metadata: map[string]any{"id": int64(math.MinInt64)}}
	stored, err := json.Marshal(original)
	require.NoError(t, err)
	var restored videosdk.CallCreateParams
	require.NoError(t, json.Unmarshal(stored, &restored))
	recorder := newRecorder(t, http.StatusOK, `{"data":{"callId":"call_1"}}`)
	for _, params := range []videosdk.CallCreateParams{original, restored} {
		_, err := recorder.client().Calls.Create(t.Context(), params)
		require.NoError(t, err)
	}
	sent := recorder.all()
	assert.Equal(t, string(sent[0].Body), string(sent[1].Body))
}

func TestAResourceSurvivesBeingStoredAsJSON(t *testing.T) {
	for name, empty := range resources() {
		t.Run(name, func(t *testing.T) {
			original, restored := empty(), empty()
			require.NoError(t, json.Unmarshal(resourceSample(t, name), original))

			stored, err := json.Marshal(original)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(stored, restored))

			clearRaw(reflect.ValueOf(original))
			clearRaw(reflect.ValueOf(restored))
			assert.Equal(t, original, restored)
		})
	}
}

func TestAnEmptyResourceSurvivesBeingStoredAsJSON(t *testing.T) {
	for name, empty := range resources() {
		t.Run(name, func(t *testing.T) {
			restored := empty()
			stored, err := json.Marshal(empty())
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(stored, restored))
			clearRaw(reflect.ValueOf(restored))
			assert.Equal(t, empty(), restored)
		})
	}
}

// As encoding/json has it for every type.
func TestANullLeavesAResourceAsItIs(t *testing.T) {
	call := videosdk.Call{ID: "call_1"}
	require.NoError(t, json.Unmarshal([]byte("null"), &call))
	assert.Equal(t, videosdk.Call{ID: "call_1"}, call)
}

func TestWhatIsNoObjectIsNoResource(t *testing.T) {
	for name, empty := range resources() {
		t.Run(name, func(t *testing.T) {
			for _, body := range []string{`[]`, `"x"`, `7`, `true`, `[{"id":"x"}]`} {
				assert.Error(t, json.Unmarshal([]byte(body), empty()), body)
			}
		})
	}
}

func TestRawIsACopyOfWhatItWasDecodedFrom(t *testing.T) {
	data := []byte(`{"id":"call_1"}`)
	var call videosdk.Call
	require.NoError(t, json.Unmarshal(data, &call))
	copy(data, `{"id":"CALL_2"}`)
	assert.Equal(t, `{"id":"call_1"}`, string(call.Raw))
}

// An odd field never costs more than itself.
func TestAWrongTypeInAnyFieldLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	for name, empty := range resources() {
		t.Run(name, func(t *testing.T) {
			whole := empty()
			require.NoError(t, json.Unmarshal(resourceSample(t, name), whole))
			want := members(t, whole)
			for field := range want {
				for _, odd := range oddities() {
					bent := members(t, whole)
					bent[field] = json.RawMessage(odd)

					got := empty()
					data, err := json.Marshal(bent)
					require.NoError(t, err)
					require.NoError(t, json.Unmarshal(data, got), "%s: %s", field, odd)

					assertOthersSame(t, want, members(t, got), field, odd)
				}
			}
		})
	}
}

func assertOthersSame(t *testing.T, want, got map[string]json.RawMessage, field, odd string) {
	t.Helper()
	for name, value := range want {
		if name != field {
			assert.Equal(t, string(value), string(got[name]), "%s, after %s: %s", name, field, odd)
		}
	}
}

// members returns the JSON of each field of a resource.
func members(t *testing.T, resource any) map[string]json.RawMessage {
	t.Helper()
	data, err := json.Marshal(resource)
	require.NoError(t, err)
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &fields))
	return fields
}

// oddities are values of every type, and values that fit no type well.
func oddities() []string {
	return []string{
		`null`, `true`, `"false"`, `0`, `-1`, `1.5`, `4e15`, `1e300`, `1e999`, `99999999999999999999`, `""`, `"x"`, `"2025-13-45T99:00:00Z"`,
		`[]`, `[null]`, `[[]]`, `["x",1,null,{}]`, `{}`, `{"":null}`, `{"id":[],"timestamp":[],"numbers":{"a":1},"auth":"x"}`,
		`[{"status":7,"timestamp":"never"},{"status":null}]`,
	}
}

func TestAnAnswerThatBreaksOffIsToldInOneLine(t *testing.T) {
	_, err := newRecorder(t, http.StatusOK, `{"message":"Detached succ`).client().PhoneNumbers.Detach(t.Context(), "+14155550123")
	require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
	require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	assert.Contains(t, err.Error(), "it is not JSON: unexpected end of JSON input")
	assert.NotContains(t, err.Error(), "\n")
}

func TestAnAnswerThatIsNotJSONIsToldWithThePlaceWhereItStopsToBe(t *testing.T) {
	var raw json.RawMessage
	tests := []struct {
		name string
		body string
		call func(*videosdk.Client) error
		want string
	}{
		{"in a resource", `{"id":"x" oops}`, func(c *videosdk.Client) error {
			_, err := c.Calls.Get(t.Context(), "x")
			return err
		}, "it is not JSON: invalid character 'o' after object key:value pair (byte 11)"},
		{"in a list", `{"data":[{"id":"x"},oops]}`, func(c *videosdk.Client) error {
			_, err := c.Calls.List(t.Context(), videosdk.CallListParams{})
			return err
		}, "it is not JSON: invalid character 'o' looking for beginning of value (byte 21)"},
		{"in a list that stands alone", `[{"id":"x"},`, func(c *videosdk.Client) error {
			_, err := c.Calls.List(t.Context(), videosdk.CallListParams{})
			return err
		}, "it is not JSON: unexpected end of JSON input (byte 12)"},
		{"in what Do hands on", `{"id":`, func(c *videosdk.Client) error {
			return c.Do(t.Context(), http.MethodGet, "/v2/x", nil, &raw)
		}, "it is not JSON: unexpected end of JSON input (byte 6)"},
		{"in what Do hands to nobody", `{]`, func(c *videosdk.Client) error {
			return c.Do(t.Context(), http.MethodGet, "/v2/x", nil, nil)
		}, "it is not JSON: invalid character ']' looking for beginning of object key string (byte 2)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.call(newRecorder(t, http.StatusOK, tt.body).client())
			require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
