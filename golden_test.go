package videosdk_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// golden is a call of a method and the request that leaves for it: as exact
// bytes, because the server reads them with other code than ours.
type golden struct {
	of   string // the method, "Calls.Create"
	with string // what is special about this call of it
	call func(context.Context, *videosdk.Client) error

	method, path string // the path is escaped
	query, body  string // raw
}

// goldens holds at least one row for each method of each service.
func goldens() []golden {
	return slices.Concat(goldenPhoneNumbers(), goldenRoutingRules(), goldenCalls(), goldenOtherGenerations())
}

// anyResource is an answer that every method accepts.
const anyResource = `{"id":"id_1","phoneNumberId":"pn_1","roomId":"room_1","participantId":"p_1","status":"ended","timelog":[{"status":"answered"}],"pageInfo":{"lastPage":1},"data":[]}`

func TestEachMethodSendsExactlyItsRequest(t *testing.T) {
	for _, row := range goldens() {
		t.Run(row.of+" with "+row.with, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)

			require.NoError(t, row.call(t.Context(), recorder.client()))

			requests := recorder.all()
			require.Len(t, requests, 1)
			assert.Equal(t, row.method, requests[0].Method)
			assert.Equal(t, row.path, requests[0].Path)
			assert.Equal(t, row.query, requests[0].Query)
			assert.Equal(t, row.body, string(requests[0].Body))
		})
	}
}

// The rows of the retry table, and the names in errors, by method.
func TestEachMethodIsRepeatedAfterAnUnknownOutcomeOnlyIfThatIsSafe(t *testing.T) {
	changesNothingMore := map[string]bool{ // when it comes twice
		"PhoneNumbers.Release with an id": true, "Calls.End with an id": true, "Rooms.Create with full params": true,
	}
	for _, row := range goldens() {
		if strings.HasPrefix(row.of, "Calls.Wa") {
			continue // waits ask on: TestFailuresThatMayPassAreTolerated
		}
		t.Run(row.of+" with "+row.with, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				recorder := newRecorder(t, http.StatusInternalServerError, `{}`)
				err := row.call(t.Context(), recorder.client(videosdk.WithMaxRetries(1)))
				require.ErrorIs(t, err, videosdk.ErrServer)
				require.ErrorContains(t, err, "videosdk: "+strings.Replace(row.of, ".All", ".List", 1)+": ")
				safe := row.method == http.MethodGet || row.method == http.MethodDelete || changesNothingMore[row.of+" with "+row.with]
				assert.Len(t, recorder.all(), 1+count(safe))
			})
		})
	}
}

func TestEachIteratorReadsThePagesInTurn(t *testing.T) {
	for _, row := range goldens() {
		if !strings.HasSuffix(row.of, ".All") {
			continue
		}
		t.Run(row.of+" with "+row.with, func(t *testing.T) {
			query, err := url.ParseQuery(row.query)
			require.NoError(t, err)
			first, err := strconv.Atoi(query.Get("page"))
			require.NoError(t, err)
			const page = `{"pageInfo":{"lastPage":%d},"data":[{"id":%[2]q,"phoneNumberId":%[2]q}]}`
			recorder := newRecorder(t, http.StatusOK, fmt.Sprintf(page, first+1, "a")).then(http.StatusOK, fmt.Sprintf(page, first+1, "b"))

			require.NoError(t, row.call(t.Context(), recorder.client()))

			requests := recorder.all()
			require.Len(t, requests, 2)
			assert.Equal(t, row.query, requests[0].Query)
			query.Set("page", strconv.Itoa(first+1))
			assert.Equal(t, query.Encode(), requests[1].Query)
		})
	}
}

// A method that is added to a service, or a service that is added to the
// client, fails here until it has its rows.
func TestEachMethodOfEachServiceHasAGoldenRequest(t *testing.T) {
	covered := map[string]bool{}
	for _, row := range goldens() {
		covered[row.of] = true
	}
	for _, row := range conversations(t) {
		covered[row.of] = true
	}
	covered["Calls.CreateOnce"] = true // TestCreateOnceSendsASearchAndACall
	for _, method := range methodsOfServices("", reflect.TypeFor[videosdk.Client]()) {
		assert.True(t, covered[method], method)
	}
}

// methodsOfServices names the methods of the services that a struct has as its
// fields, by the way that a user goes to them.
func methodsOfServices(way string, of reflect.Type) []string {
	var methods []string
	for i := range of.NumField() {
		service := of.Field(i)
		if !service.IsExported() {
			continue
		}
		for j := range service.Type.NumMethod() {
			methods = append(methods, way+service.Name+"."+service.Type.Method(j).Name)
		}
		methods = append(methods, methodsOfServices(way+service.Name+".", service.Type.Elem())...)
	}
	return methods
}

// errorOf drops the result of a method.
func errorOf[T any](_ T, err error) error { return err }

// firstError reads an iterator up to its first error, or its end.
func firstError[T any](items iter.Seq2[T, error]) error {
	for _, err := range items {
		if err != nil {
			return err
		}
	}
	return nil
}

func goldenPhoneNumbers() []golden {
	return []golden{{
		of: "PhoneNumbers.Create", with: "minimal params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.Create(ctx, videosdk.PhoneNumberCreateParams{
				Name: "Support", PhoneNumbers: []string{"+14155551234"},
				Inbound:  videosdk.InboundConfig{Region: videosdk.RegionUS002},
				Outbound: videosdk.OutboundConfig{Region: videosdk.RegionUS002, Address: "sip.telnyx.com"},
			}))
		},
		method: http.MethodPost, path: "/v2/sip/phone-numbers",
		body: `{"name":"Support","phoneNumbers":["+14155551234"],"isShared":true,` +
			`"inbound":{"sipRegion":"us002"},"outbound":{"sipRegion":"us002","address":"sip.telnyx.com","transport":"tls"}}`,
	}, {
		of: "PhoneNumbers.Create", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.Create(ctx, videosdk.PhoneNumberCreateParams{
				Name: "My SIP Setup", PhoneNumbers: []string{"+14155551234", "+14155555678"},
				IsShared: videosdk.Ptr(false), MediaEncryption: videosdk.MediaEncryptionDisable,
				Inbound: videosdk.InboundConfig{Region: videosdk.RegionIN002},
				Outbound: videosdk.OutboundConfig{
					Region: videosdk.RegionAuto, Address: "sip.telnyx.com:5061", Transport: videosdk.TransportUDP,
					Auth: &videosdk.SIPAuth{Username: "sip-user", Password: "sip-pass"},
				},
			}))
		},
		method: http.MethodPost, path: "/v2/sip/phone-numbers",
		body: `{"name":"My SIP Setup","phoneNumbers":["+14155551234","+14155555678"],"isShared":false,"mediaEncryption":"disable",` +
			`"inbound":{"sipRegion":"in002"},"outbound":{"sipRegion":"auto","address":"sip.telnyx.com:5061","transport":"udp",` +
			`"auth":{"username":"sip-user","password":"sip-pass"}}}`,
	}, {
		of: "PhoneNumbers.Get", with: "a number, whose plus is escaped",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.Get(ctx, "+14155551234"))
		},
		method: http.MethodGet, path: "/v2/sip/phone-numbers/%2B14155551234",
	}, {
		of: "PhoneNumbers.List", with: "no params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.List(ctx, videosdk.PhoneNumberListParams{}))
		},
		method: http.MethodGet, path: "/v2/sip/phone-numbers",
	}, {
		of: "PhoneNumbers.List", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.List(ctx, videosdk.PhoneNumberListParams{Page: 2, PerPage: 50, Search: "+1415 & co"}))
		},
		method: http.MethodGet, path: "/v2/sip/phone-numbers", query: "page=2&perPage=50&search=%2B1415+%26+co",
	}, {
		of: "PhoneNumbers.All", with: "no params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.PhoneNumbers.All(ctx, videosdk.PhoneNumberListParams{}))
		},
		method: http.MethodGet, path: "/v2/sip/phone-numbers", query: "page=1&perPage=100",
	}, {
		of: "PhoneNumbers.All", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.PhoneNumbers.All(ctx, videosdk.PhoneNumberListParams{Page: 3, PerPage: 5, Search: "support"}))
		},
		method: http.MethodGet, path: "/v2/sip/phone-numbers", query: "page=3&perPage=5&search=support",
	}, {
		of: "PhoneNumbers.Detach", with: "a number",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.Detach(ctx, "+14155551234"))
		},
		method: http.MethodPost, path: "/v2/sip/phone-numbers/detach", body: `{"phoneNumber":"+14155551234"}`,
	}, {
		of: "PhoneNumbers.Release", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.Release(ctx, "pn_abc123"))
		},
		// Not without a body: net/http would replay that by itself.
		method: http.MethodPost, path: "/v2/sip/phone-numbers/pn_abc123/release", body: `{}`,
	}, {
		of: "PhoneNumbers.UpdateGateway", with: "one field",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.UpdateGateway(ctx, "gw_1",
				videosdk.PhoneNumberGatewayUpdateParams{Name: videosdk.Ptr("Sales")}))
		},
		method: http.MethodPatch, path: "/v2/sip/phone-numbers/gateways/gw_1", body: `{"name":"Sales"}`,
	}, {
		of: "PhoneNumbers.UpdateGateway", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.UpdateGateway(ctx, "gw_1", videosdk.PhoneNumberGatewayUpdateParams{
				Name: videosdk.Ptr("Sales"), MediaEncryption: videosdk.Ptr(videosdk.MediaEncryptionEnable),
				Region: videosdk.Ptr(videosdk.RegionUS002), Address: videosdk.Ptr("sip.example.com"),
				Transport: videosdk.Ptr(videosdk.TransportTCP), Auth: &videosdk.SIPAuth{Username: "u", Password: "p"},
			}))
		},
		method: http.MethodPatch, path: "/v2/sip/phone-numbers/gateways/gw_1",
		body: `{"name":"Sales","mediaEncryption":"enable","sipRegion":"us002","address":"sip.example.com","transport":"tcp",` +
			`"auth":{"username":"u","password":"p"}}`,
	}}
}

func goldenRoutingRules() []golden {
	return []golden{{
		of: "RoutingRules.Create", with: "minimal params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
				Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155551234"},
			}))
		},
		method: http.MethodPost, path: "/v2/sip/routing-rule",
		body: `{"name":"Out","type":"outbound","phoneNumbers":["+14155551234"]}`,
	}, {
		of: "RoutingRules.Create", with: "full params of an inbound rule",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
				Name: "In", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155551234"},
				Room:    &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, Prefix: videosdk.RoomPrefixBlank, ID: "room_1", PIN: "4321"},
				AgentID: "agent_xyz", AgentMetadata: map[string]any{"team": "support"},
				IncludeHeaders: videosdk.IncludeHeadersSIPX, HeadersToAttributes: map[string]string{"X-Caller": "caller"},
				AllowedNumbers: []string{"+91*"}, AllowedIPAddresses: []string{"10.0.0.0/8"}, Tags: []string{"v2"},
				Recording: true, DTMF: true, NoiseCancellation: true, HidePhoneNumber: videosdk.Ptr(false), APIKey: "ak_1",
			}))
		},
		method: http.MethodPost, path: "/v2/sip/routing-rule",
		body: `{"name":"In","type":"inbound","phoneNumbers":["+14155551234"],` +
			`"room":{"type":"static","prefix":"blank","id":"room_1","pin":"4321"},"agentId":"agent_xyz","agentMetadata":{"team":"support"},` +
			`"includeHeaders":"SIP_X_HEADERS","headersToAttributes":{"X-Caller":"caller"},"allowedNumbers":["+91*"],` +
			`"allowedIpAddresses":["10.0.0.0/8"],"tags":["v2"],"recording":true,"dtmf":true,"noiseCancellation":true,` +
			`"hidePhoneNumber":false,"apiKey":"ak_1"}`,
	}, {
		of: "RoutingRules.Create", with: "the headers of an outbound rule",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
				Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155551234"},
				Headers: map[string]string{"X-Campaign": "spring"},
			}))
		},
		method: http.MethodPost, path: "/v2/sip/routing-rule",
		body: `{"name":"Out","type":"outbound","phoneNumbers":["+14155551234"],"headers":{"X-Campaign":"spring"}}`,
	}, {
		of: "RoutingRules.Get", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Get(ctx, "rr_abc123"))
		},
		method: http.MethodGet, path: "/v2/sip/routing-rule/rr_abc123",
	}, {
		of: "RoutingRules.List", with: "no params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.List(ctx, videosdk.RoutingRuleListParams{}))
		},
		method: http.MethodGet, path: "/v2/sip/routing-rule",
	}, {
		of: "RoutingRules.List", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.List(ctx, videosdk.RoutingRuleListParams{
				Page: 2, PerPage: 5, Search: "support", Type: videosdk.DirectionInbound, RuleIDs: []string{"rr_1", "rr_2"},
				RoomTypes: []videosdk.RoomType{videosdk.RoomTypeStatic, "meeting"},
			}))
		},
		method: http.MethodGet, path: "/v2/sip/routing-rule",
		query: "page=2&perPage=5&roomType=static%2Cmeeting&ruleIds=rr_1%2Crr_2&search=support&type=inbound",
	}, {
		of: "RoutingRules.All", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.RoutingRules.All(ctx, videosdk.RoutingRuleListParams{
				Search: "support", Type: videosdk.DirectionOutbound, RuleIDs: []string{"rr_1"},
				RoomTypes: []videosdk.RoomType{videosdk.RoomTypeDynamic},
			}))
		},
		method: http.MethodGet, path: "/v2/sip/routing-rule",
		query: "page=1&perPage=100&roomType=dynamic&ruleIds=rr_1&search=support&type=outbound",
	}, {
		of: "RoutingRules.Update", with: "one field",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Update(ctx, "rr_1", videosdk.RoutingRuleUpdateParams{Recording: videosdk.Ptr(false)}))
		},
		method: http.MethodPatch, path: "/v2/sip/routing-rule/rr_1", body: `{"recording":false}`,
	}, {
		of: "RoutingRules.Update", with: "empty values, which empty those of the rule",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Update(ctx, "rr_1", videosdk.RoutingRuleUpdateParams{
				AgentID: videosdk.Ptr(""), AgentMetadata: map[string]any{}, Headers: map[string]string{},
				AllowedNumbers: []string{}, AllowedIPAddresses: []string{}, Tags: []string{},
			}))
		},
		method: http.MethodPatch, path: "/v2/sip/routing-rule/rr_1",
		body: `{"agentId":"","agentMetadata":{},"headers":{},"allowedNumbers":[],"allowedIpAddresses":[],"tags":[]}`,
	}, {
		of: "RoutingRules.Update", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Update(ctx, "rr_1", videosdk.RoutingRuleUpdateParams{
				Name: videosdk.Ptr("In"), PhoneNumbers: []string{"+14155551234"},
				Room:    &videosdk.RoutingRoom{Type: videosdk.RoomTypeDynamic, Prefix: videosdk.RoomPrefixRandom},
				AgentID: videosdk.Ptr("agent_xyz"), AgentMetadata: map[string]any{"team": "support"},
				IncludeHeaders: videosdk.Ptr(videosdk.IncludeHeadersAll), HeadersToAttributes: map[string]string{"X-Caller": "caller"},
				AllowedNumbers: []string{"+91*"}, AllowedIPAddresses: []string{"10.0.0.1"}, Tags: []string{"v2"},
				Recording: videosdk.Ptr(true), DTMF: videosdk.Ptr(true), NoiseCancellation: videosdk.Ptr(true),
				HidePhoneNumber: videosdk.Ptr(true), APIKey: videosdk.Ptr("ak_1"),
			}))
		},
		method: http.MethodPatch, path: "/v2/sip/routing-rule/rr_1",
		body: `{"name":"In","phoneNumbers":["+14155551234"],"room":{"type":"dynamic","prefix":"random"},"agentId":"agent_xyz",` +
			`"agentMetadata":{"team":"support"},"includeHeaders":"ALL","headersToAttributes":{"X-Caller":"caller"},` +
			`"allowedNumbers":["+91*"],"allowedIpAddresses":["10.0.0.1"],"tags":["v2"],"recording":true,"dtmf":true,` +
			`"noiseCancellation":true,"hidePhoneNumber":true,"apiKey":"ak_1"}`,
	}, {
		of: "RoutingRules.Delete", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Delete(ctx, "rr_1"))
		},
		method: http.MethodDelete, path: "/v2/sip/routing-rule/rr_1",
	}}
}

func goldenCalls() []golden {
	return []golden{{
		of: "Calls.Create", with: "minimal params and a routing rule",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Create(ctx, videosdk.CallCreateParams{
				To: "+14155550199", From: "+14155551234", RoutingRuleID: "rr_1",
			}))
		},
		method: http.MethodPost, path: "/v2/sip/call",
		body: `{"sipCallTo":"+14155550199","sipCallFrom":"+14155551234","routingRuleId":"rr_1"}`,
	}, {
		of: "Calls.Create", with: "minimal params and a gateway",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Create(ctx, videosdk.CallCreateParams{To: "sip:alice@example.com", GatewayID: "gw_1"}))
		},
		method: http.MethodPost, path: "/v2/sip/call",
		body: `{"sipCallTo":"sip:alice@example.com","gatewayId":"gw_1"}`,
	}, {
		of: "Calls.Create", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Create(ctx, videosdk.CallCreateParams{
				To: "+14155550199", From: "+14155551234", RoutingRuleID: "rr_1", GatewayID: "gw_1", DestinationRoomID: "room_1",
				Participant: &videosdk.Participant{ID: "p_1", Name: "Ann", Metadata: map[string]any{"vip": true}},
				Metadata:    map[string]any{"campaignId": "cmp_123"}, AgentMetadata: map[string]any{"lang": "en"},
				WaitUntilAnswered: true, RingingTimeout: 45 * time.Second, MaxCallDuration: time.Hour,
				RecordAudio: videosdk.Ptr(false), DTMF: videosdk.Ptr(true), MediaEncryption: videosdk.MediaEncryptionEnable,
				HidePhoneNumber: videosdk.Ptr(false), Headers: map[string]string{"X-Campaign": "spring"},
				IncludeHeaders: videosdk.IncludeHeadersNone,
			}))
		},
		method: http.MethodPost, path: "/v2/sip/call",
		body: `{"sipCallTo":"+14155550199","sipCallFrom":"+14155551234","routingRuleId":"rr_1","gatewayId":"gw_1",` +
			`"destinationRoomId":"room_1","participant":{"id":"p_1","name":"Ann","metadata":{"vip":true}},` +
			`"metadata":{"campaignId":"cmp_123"},"agentMetadata":{"lang":"en"},"waitUntilAnswered":true,"recordAudio":false,"dtmf":true,` +
			`"mediaEncryption":"enable","hidePhoneNumber":false,"headers":{"X-Campaign":"spring"},"includeHeaders":"NONE",` +
			`"ringingTimeout":45,"maxCallDuration":3600}`,
	}, {
		of: "Calls.Get", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Get(ctx, "call_1"))
		},
		method: http.MethodGet, path: "/v2/sip/call/call_1",
	}, {
		of: "Calls.List", with: "no params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.List(ctx, videosdk.CallListParams{}))
		},
		method: http.MethodGet, path: "/v2/sip/call",
	}, {
		of: "Calls.List", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.List(ctx, fullCallListParams()))
		},
		method: http.MethodGet, path: "/v2/sip/call",
		query: "endDate=1755864000500&gatewayId=gw_1&id=call_1&page=2&perPage=5&roomId=room_1&ruleId=rr_1&search=%2B1415" +
			"&sessionId=sess_1&startDate=1755777600000&type=outbound",
	}, {
		// The day of endDate is included as a whole.
		of: "Calls.List", with: "the rest of a day",
		call: func(ctx context.Context, c *videosdk.Client) error {
			midnight := time.Date(2025, 8, 21, 0, 0, 0, 0, time.UTC)
			return errorOf(c.Calls.List(ctx, videosdk.CallListParams{StartDate: midnight.Add(12 * time.Hour), EndDate: midnight}))
		},
		method: http.MethodGet, path: "/v2/sip/call", query: "endDate=1755734400000&startDate=1755777600000",
	}, {
		of: "Calls.All", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.Calls.All(ctx, fullCallListParams()))
		},
		method: http.MethodGet, path: "/v2/sip/call",
		query: "endDate=1755864000500&gatewayId=gw_1&id=call_1&page=2&perPage=5&roomId=room_1&ruleId=rr_1&search=%2B1415" +
			"&sessionId=sess_1&startDate=1755777600000&type=outbound",
	}, {
		of: "Calls.End", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.End(ctx, "call_1"))
		},
		method: http.MethodPost, path: "/v2/sip/call/end", body: `{"callId":"call_1"}`,
	}, {
		of: "Calls.Wait", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Wait(ctx, "call_1", nil))
		},
		method: http.MethodGet, path: "/v2/sip/call/call_1",
	}, {
		of: "Calls.WaitAnswered", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.WaitAnswered(ctx, "call_1"))
		},
		method: http.MethodGet, path: "/v2/sip/call/call_1",
	}}
}

func fullCallListParams() videosdk.CallListParams {
	start := time.Date(2025, 8, 21, 12, 0, 0, 0, time.UTC)
	return videosdk.CallListParams{
		Page: 2, PerPage: 5, RoomID: "room_1", SessionID: "sess_1", CallID: "call_1", GatewayID: "gw_1", RuleID: "rr_1",
		Type: videosdk.DirectionOutbound, Search: "+1415",
		// To the millisecond, and in another zone than the server's.
		StartDate: start.In(time.FixedZone("IST", 19800)), EndDate: start.Add(24*time.Hour + 500*time.Millisecond),
	}
}
