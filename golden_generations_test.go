package videosdk_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// goldenOtherGenerations holds the rows of what came after, and before, phone
// numbers, their rules and calls.
func goldenOtherGenerations() []golden {
	return slices.Concat(
		goldenInboundGateways(), goldenOutboundGateways(), goldenGatewayRules(), goldenCallControl(), goldenTrunks(),
		goldenWebhooks(), goldenBatchCalls(), goldenBatchRecords(), goldenRooms(),
	)
}

func goldenInboundGateways() []golden {
	const list, one = "/v2/sip/inbound-gateways", "/v2/sip/inbound-gateways/gw_1"
	return []golden{{
		// The sample that the documentation's seed data has.
		of: "InboundGateways.Create", with: "minimal params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Create(ctx, videosdk.InboundGatewayCreateParams{
				Name: "Twilio Inbound Gateway", Numbers: []string{"+11234567890", "+19876543210"},
			}))
		},
		method: http.MethodPost, path: list,
		body: `{"name":"Twilio Inbound Gateway","numbers":["+11234567890","+19876543210"]}`,
	}, {
		of: "InboundGateways.Create", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Create(ctx, fullInboundGateway()))
		},
		method: http.MethodPost, path: list,
		body: `{"name":"In","numbers":["+14155551234"],"auth":{"username":"u","password":"p"},"allowedAddresses":["10.0.0.0/8"],` +
			`"allowedNumbers":["+91*"],"mediaEncryption":"enable","record":true,"noiseCancellation":true,"enableDtmf":true,` +
			`"metadata":{"env":"production"},"tags":["v2"],"geoRegion":"us002"}`,
	}, {
		of: "InboundGateways.Get", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Get(ctx, "gw_1"))
		},
		method: http.MethodGet, path: one,
	}, {
		of: "InboundGateways.List", with: "no params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.List(ctx, videosdk.GatewayListParams{}))
		},
		method: http.MethodGet, path: list,
	}, {
		of: "InboundGateways.List", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.List(ctx, videosdk.GatewayListParams{Page: 2, PerPage: 5, Search: "a&b", ID: "gw_1"}))
		},
		method: http.MethodGet, path: list, query: "id=gw_1&page=2&perPage=5&search=a%26b",
	}, {
		of: "InboundGateways.All", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.InboundGateways.All(ctx, videosdk.GatewayListParams{Search: "twilio", ID: "gw_1"}))
		},
		method: http.MethodGet, path: list, query: "id=gw_1&page=1&perPage=100&search=twilio",
	}, {
		// The server would reset what is left out of these.
		of: "InboundGateways.Update", with: "one field, and the state that is reset otherwise",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Update(ctx, "gw_1", videosdk.GatewayUpdateParams{
				Name: videosdk.Ptr("Sales"), Record: true, Region: videosdk.RegionIN002,
			}))
		},
		method: http.MethodPatch, path: one,
		body: `{"name":"Sales","record":true,"noiseCancellation":false,"enableDtmf":false,"geoRegion":"in002"}`,
	}, {
		of: "InboundGateways.Update", with: "empty values, which empty those of the gateway",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Update(ctx, "gw_1", videosdk.GatewayUpdateParams{
				AllowedAddresses: []string{}, AllowedNumbers: []string{}, Tags: []string{}, Metadata: map[string]string{},
			}))
		},
		method: http.MethodPatch, path: one,
		body: `{"metadata":{},"tags":[],"allowedAddresses":[],"allowedNumbers":[],"record":false,"noiseCancellation":false,"enableDtmf":false}`,
	}, {
		of: "InboundGateways.Update", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Update(ctx, "gw_1", videosdk.GatewayUpdateParams{
				Name: videosdk.Ptr("In"), Numbers: []string{"+14155551234"}, Auth: &videosdk.SIPAuth{Username: "u", Password: "p"},
				MediaEncryption: videosdk.Ptr(videosdk.MediaEncryptionDisable), Metadata: map[string]string{"env": "test"},
				Tags: []string{"v2"}, AllowedAddresses: []string{"10.0.0.1"}, AllowedNumbers: []string{"+91*"},
				Record: true, NoiseCancellation: true, EnableDTMF: true, Region: videosdk.RegionAuto,
			}))
		},
		method: http.MethodPatch, path: one,
		body: `{"name":"In","numbers":["+14155551234"],"auth":{"username":"u","password":"p"},"mediaEncryption":"disable",` +
			`"metadata":{"env":"test"},"tags":["v2"],"allowedAddresses":["10.0.0.1"],"allowedNumbers":["+91*"],` +
			`"record":true,"noiseCancellation":true,"enableDtmf":true,"geoRegion":"auto"}`,
	}, {
		of: "InboundGateways.Delete", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Delete(ctx, "gw_1"))
		},
		method: http.MethodDelete, path: one,
	}}
}

func fullInboundGateway() videosdk.InboundGatewayCreateParams {
	return videosdk.InboundGatewayCreateParams{
		Name: "In", Numbers: []string{"+14155551234"}, Auth: &videosdk.SIPAuth{Username: "u", Password: "p"},
		AllowedAddresses: []string{"10.0.0.0/8"}, AllowedNumbers: []string{"+91*"}, MediaEncryption: videosdk.MediaEncryptionEnable,
		Record: true, NoiseCancellation: true, EnableDTMF: true, Metadata: map[string]string{"env": "production"},
		Tags: []string{"v2"}, Region: videosdk.RegionUS002,
	}
}

func goldenOutboundGateways() []golden {
	const list, one = "/v2/sip/outbound-gateways", "/v2/sip/outbound-gateways/gw_1"
	return []golden{{
		of: "OutboundGateways.Create", with: "minimal params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Create(ctx, videosdk.OutboundGatewayCreateParams{
				Name: "Out", Numbers: []string{"+14155551234"}, Address: "sip.example.com",
			}))
		},
		method: http.MethodPost, path: list,
		body: `{"name":"Out","numbers":["+14155551234"],"address":"sip.example.com","transport":"tls","geoRegion":"auto"}`,
	}, {
		of: "OutboundGateways.Create", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Create(ctx, fullOutboundGateway()))
		},
		method: http.MethodPost, path: list,
		body: `{"name":"Out","numbers":["+14155551234"],"address":"sip.telnyx.com:5061","transport":"udp",` +
			`"auth":{"username":"u","password":"p"},"mediaEncryption":"enable","record":true,"noiseCancellation":true,` +
			`"enableDtmf":true,"metadata":{"env":"production"},"tags":["v2"],"geoRegion":"us002"}`,
	}, {
		of: "OutboundGateways.Get", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Get(ctx, "gw_1"))
		},
		method: http.MethodGet, path: one,
	}, {
		of: "OutboundGateways.List", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.List(ctx, videosdk.GatewayListParams{Page: 2, PerPage: 5, Search: "telnyx", ID: "gw_1"}))
		},
		method: http.MethodGet, path: list, query: "id=gw_1&page=2&perPage=5&search=telnyx",
	}, {
		of: "OutboundGateways.All", with: "no params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.OutboundGateways.All(ctx, videosdk.GatewayListParams{}))
		},
		method: http.MethodGet, path: list, query: "page=1&perPage=100",
	}, {
		// One old page says PUT.
		of: "OutboundGateways.Update", with: "nothing but the state that is reset otherwise",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Update(ctx, "gw_1", videosdk.GatewayUpdateParams{
				NoiseCancellation: true, EnableDTMF: true, Region: videosdk.RegionUS002,
			}))
		},
		method: http.MethodPatch, path: one,
		body: `{"record":false,"noiseCancellation":true,"enableDtmf":true,"geoRegion":"us002"}`,
	}, {
		of: "OutboundGateways.Update", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Update(ctx, "gw_1", videosdk.GatewayUpdateParams{
				Name: videosdk.Ptr("Out"), Numbers: []string{"+14155551234"}, Auth: &videosdk.SIPAuth{Username: "u", Password: "p"},
				MediaEncryption: videosdk.Ptr(videosdk.MediaEncryptionEnable), Metadata: map[string]string{"env": "test"},
				Tags: []string{"v2"}, AllowedNumbers: []string{"+91*"},
				Address: videosdk.Ptr("sip.example.com"), Transport: videosdk.Ptr(videosdk.TransportTCP),
				Record: true, NoiseCancellation: true, EnableDTMF: true, Region: videosdk.RegionAuto,
			}))
		},
		method: http.MethodPatch, path: one,
		body: `{"name":"Out","numbers":["+14155551234"],"auth":{"username":"u","password":"p"},"mediaEncryption":"enable",` +
			`"metadata":{"env":"test"},"tags":["v2"],"allowedNumbers":["+91*"],"address":"sip.example.com","transport":"tcp",` +
			`"record":true,"noiseCancellation":true,"enableDtmf":true,"geoRegion":"auto"}`,
	}, {
		of: "OutboundGateways.Delete", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Delete(ctx, "gw_1"))
		},
		method: http.MethodDelete, path: one,
	}}
}

func fullOutboundGateway() videosdk.OutboundGatewayCreateParams {
	return videosdk.OutboundGatewayCreateParams{
		Name: "Out", Numbers: []string{"+14155551234"}, Address: "sip.telnyx.com:5061", Transport: videosdk.TransportUDP,
		Auth: &videosdk.SIPAuth{Username: "u", Password: "p"}, MediaEncryption: videosdk.MediaEncryptionEnable,
		Record: true, NoiseCancellation: true, EnableDTMF: true, Metadata: map[string]string{"env": "production"},
		Tags: []string{"v2"}, Region: videosdk.RegionUS002,
	}
}

func goldenGatewayRules() []golden {
	const list, one = "/v2/sip/routing-rules", "/v2/sip/routing-rules/rule_1"
	return []golden{{
		of: "GatewayRoutingRules.Create", with: "a room",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.Create(ctx, videosdk.GatewayRoutingRuleCreateParams{
				GatewayID: "gw_1", Name: "Support", Numbers: []string{"+14155551234"},
				Dispatch: videosdk.Dispatch{Room: &videosdk.RoutingRoom{Type: videosdk.RoomTypeDynamic, Prefix: videosdk.RoomPrefixBlank}},
			}))
		},
		method: http.MethodPost, path: list,
		body: `{"gatewayId":"gw_1","name":"Support","numbers":["+14155551234"],` +
			`"dispatch":{"room":{"type":"dynamic","prefix":"blank"}},"hidePhoneNumber":false}`,
	}, {
		of: "GatewayRoutingRules.Create", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.Create(ctx, fullGatewayRule("gw_1")))
		},
		method: http.MethodPost, path: list,
		body: `{"gatewayId":"gw_1","name":"Support","numbers":["+14155551234"],` +
			`"dispatch":{"room":{"type":"static","prefix":"blank","id":"room_1","pin":"4321"},` +
			`"agent":{"type":"cloud","id":"deploy_1","metadata":{"department":"sales"}}},` +
			`"hidePhoneNumber":true,"metadata":{"env":"production"},"tags":["priority"]}`,
	}, {
		of: "GatewayRoutingRules.Get", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.Get(ctx, "rule_1"))
		},
		method: http.MethodGet, path: one,
	}, {
		of: "GatewayRoutingRules.List", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.List(ctx, videosdk.GatewayRoutingRuleListParams{
				Page: 2, PerPage: 5, GatewayID: "gw_1", ID: "rule_1", Search: "support",
			}))
		},
		method: http.MethodGet, path: list, query: "gatewayId=gw_1&id=rule_1&page=2&perPage=5&search=support",
	}, {
		of: "GatewayRoutingRules.All", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.GatewayRoutingRules.All(ctx, videosdk.GatewayRoutingRuleListParams{
				GatewayID: "gw_1", ID: "rule_1", Search: "support",
			}))
		},
		method: http.MethodGet, path: list, query: "gatewayId=gw_1&id=rule_1&page=1&perPage=100&search=support",
	}, {
		of: "GatewayRoutingRules.Update", with: "one field",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.Update(ctx, "rule_1", videosdk.GatewayRoutingRuleUpdateParams{
				HidePhoneNumber: videosdk.Ptr(false),
			}))
		},
		method: http.MethodPut, path: one, body: `{"hidePhoneNumber":false}`,
	}, {
		of: "GatewayRoutingRules.Update", with: "empty values, which empty those of the rule",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.Update(ctx, "rule_1", videosdk.GatewayRoutingRuleUpdateParams{
				Metadata: map[string]any{}, Tags: []string{},
			}))
		},
		method: http.MethodPut, path: one, body: `{"metadata":{},"tags":[]}`,
	}, {
		of: "GatewayRoutingRules.Update", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.Update(ctx, "rule_1", videosdk.GatewayRoutingRuleUpdateParams{
				Name: videosdk.Ptr("Sales"), Numbers: []string{"+14155551234"},
				Dispatch:        &videosdk.Dispatch{Agent: &videosdk.DispatchAgent{Type: videosdk.AgentTypeSelf, ID: "agent_1"}},
				HidePhoneNumber: videosdk.Ptr(true), Metadata: map[string]any{"env": "test"}, Tags: []string{"v2"},
			}))
		},
		method: http.MethodPut, path: one,
		body: `{"name":"Sales","numbers":["+14155551234"],"dispatch":{"agent":{"type":"self","id":"agent_1"}},` +
			`"hidePhoneNumber":true,"metadata":{"env":"test"},"tags":["v2"]}`,
	}, {
		of: "GatewayRoutingRules.Delete", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.Delete(ctx, "rule_1"))
		},
		method: http.MethodDelete, path: one,
	}}
}

func fullGatewayRule(gatewayID string) videosdk.GatewayRoutingRuleCreateParams {
	return videosdk.GatewayRoutingRuleCreateParams{
		GatewayID: gatewayID, Name: "Support", Numbers: []string{"+14155551234"},
		Dispatch: videosdk.Dispatch{
			Room:  &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, Prefix: videosdk.RoomPrefixBlank, ID: "room_1", PIN: "4321"},
			Agent: &videosdk.DispatchAgent{Type: videosdk.AgentTypeCloud, ID: "deploy_1", Metadata: map[string]any{"department": "sales"}},
		},
		HidePhoneNumber: true, Metadata: map[string]any{"env": "production"}, Tags: []string{"priority"},
	}
}

func goldenCallControl() []golden {
	return []golden{{
		of: "Calls.Transfer", with: "minimal params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Transfer(ctx, "call_1", videosdk.CallTransferParams{To: "+14155550199"}))
		},
		method: http.MethodPost, path: "/v2/sip/call/transfer", body: `{"callId":"call_1","transferTo":"+14155550199"}`,
	}, {
		of: "Calls.Transfer", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Transfer(ctx, "call_1", videosdk.CallTransferParams{
				To:           "sip:alice@example.com",
				Participant:  &videosdk.Participant{ID: "p_1", Name: "Ann", Metadata: map[string]any{"vip": true}},
				PlayDialtone: videosdk.Ptr(false),
			}))
		},
		method: http.MethodPost, path: "/v2/sip/call/transfer",
		body: `{"callId":"call_1","transferTo":"sip:alice@example.com",` +
			`"participant":{"id":"p_1","name":"Ann","metadata":{"vip":true}},"playDialtone":false}`,
	}, {
		of: "Calls.SwitchRoom", with: "minimal params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.SwitchRoom(ctx, "call_1", videosdk.CallSwitchRoomParams{RoomID: "room_2"}))
		},
		method: http.MethodPost, path: "/v2/sip/call/switch-room", body: `{"callId":"call_1","roomId":"room_2"}`,
	}, {
		of: "Calls.SwitchRoom", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.SwitchRoom(ctx, "call_1", videosdk.CallSwitchRoomParams{
				RoomID: "room_2", Token: "jwt", ParticipantID: "p_1",
			}))
		},
		method: http.MethodPost, path: "/v2/sip/call/switch-room",
		body: `{"callId":"call_1","roomId":"room_2","token":"jwt","participantId":"p_1"}`,
	}, {
		of: "Calls.Watch", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.Calls.Watch(ctx, "call_1"))
		},
		method: http.MethodGet, path: "/v2/sip/call/call_1",
	}}
}

func goldenTrunks() []golden {
	trunk := videosdk.TrunkParams{
		Name: "Twilio", Domain: "example.pstn.twilio.com", Direction: videosdk.DirectionOutbound, Numbers: []string{"+14155551234"},
	}
	withAuth := trunk
	withAuth.Auth = &videosdk.SIPAuth{Username: "u", Password: "p"}
	const bare = `{"name":"Twilio","domain":"example.pstn.twilio.com","direction":"outbound","numbers":["+14155551234"]`
	return []golden{{
		of: "Trunks.Create", with: "minimal params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Create(ctx, trunk))
		},
		method: http.MethodPost, path: "/v2/sip-trunk", body: bare + `}`,
	}, {
		of: "Trunks.Create", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Create(ctx, withAuth))
		},
		method: http.MethodPost, path: "/v2/sip-trunk", body: bare + `,"auth":{"username":"u","password":"p"}}`,
	}, {
		of: "Trunks.Update", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Update(ctx, "trunk_1", withAuth))
		},
		method: http.MethodPut, path: "/v2/sip-trunk/trunk_1", body: bare + `,"auth":{"username":"u","password":"p"}}`,
	}, {
		of: "Trunks.Call", with: "minimal params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Call(ctx, videosdk.TrunkCallParams{
				To: "sip:alice@example.com", DisplayName: "Ann", RoomID: "room_1", TrunkID: "trunk_1",
			}))
		},
		method: http.MethodPost, path: "/v2/sip/outbound-call",
		body: `{"to":"sip:alice@example.com","displayName":"Ann","meetingId":"room_1","trunkId":"trunk_1"}`,
	}, {
		of: "Trunks.Call", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Call(ctx, videosdk.TrunkCallParams{
				To: "+14155550199", From: "+14155551234", DisplayName: "Ann", RoomID: "room_1", TrunkID: "trunk_1", ParticipantID: "p_1",
			}))
		},
		method: http.MethodPost, path: "/v2/sip/outbound-call",
		body: `{"to":"+14155550199","from":"+14155551234","displayName":"Ann","meetingId":"room_1","trunkId":"trunk_1","participantId":"p_1"}`,
	}}
}

func goldenWebhooks() []golden {
	const list, one = "/v2/sip/webhooks", "/v2/sip/webhooks/wh_1"
	return []golden{{
		of: "Webhooks.Create", with: "its params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.Create(ctx, videosdk.WebhookCreateParams{
				URL: "https://example.com/webhook", Events: []videosdk.EventType{videosdk.EventCallStarted, videosdk.EventCallAnswered},
			}))
		},
		method: http.MethodPost, path: list, body: `{"url":"https://example.com/webhook","events":["call-started","call-answered"]}`,
	}, {
		of: "Webhooks.Get", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.Get(ctx, "wh_1"))
		},
		method: http.MethodGet, path: one,
	}, {
		of: "Webhooks.List", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.List(ctx, videosdk.WebhookListParams{Page: 2, PerPage: 5, Search: "example.com"}))
		},
		method: http.MethodGet, path: list, query: "page=2&perPage=5&search=example.com",
	}, {
		of: "Webhooks.All", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.Webhooks.All(ctx, videosdk.WebhookListParams{Search: "example.com"}))
		},
		method: http.MethodGet, path: list, query: "page=1&perPage=100&search=example.com",
	}, {
		of: "Webhooks.Update", with: "one field",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.Update(ctx, "wh_1", videosdk.WebhookUpdateParams{
				Events: []videosdk.EventType{videosdk.EventSwitchRoomFailed},
			}))
		},
		method: http.MethodPatch, path: one, body: `{"events":["switch-room-failed"]}`,
	}, {
		of: "Webhooks.Update", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.Update(ctx, "wh_1", videosdk.WebhookUpdateParams{
				URL: videosdk.Ptr("http://10.0.0.1:8080/hook"), Events: []videosdk.EventType{videosdk.EventCallHangup},
			}))
		},
		method: http.MethodPatch, path: one, body: `{"url":"http://10.0.0.1:8080/hook","events":["call-hangup"]}`,
	}, {
		of: "Webhooks.Delete", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.Delete(ctx, "wh_1"))
		},
		method: http.MethodDelete, path: one,
	}}
}

func goldenBatchCalls() []golden {
	const list, one = "/v2/batch-calls", "/v2/batch-calls/batch_1"
	// In another zone than the server's.
	start := time.Date(2025, 8, 21, 17, 30, 0, 0, time.FixedZone("IST", 19800))
	everyone := videosdk.BatchCallListParams{
		Page: 2, PerPage: 5, Status: videosdk.BatchRunning, StartDate: start, EndDate: start.Add(24*time.Hour + 500*time.Millisecond),
		MinValue: videosdk.Ptr(0), MaxValue: videosdk.Ptr(500),
	}
	const filtered = "endDate=2025-08-22T12%3A00%3A00.500Z&maxValue=500&minValue=0&page=2&perPage=5" +
		"&startDate=2025-08-21T12%3A00%3A00.000Z&status=running"
	return []golden{{
		of: "BatchCalls.Create", with: "minimal params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Create(ctx, validBatch()))
		},
		method: http.MethodPost, path: list,
		body: `{"batchName":"Spring","phoneNumberId":"pn_1","routingRuleId":"rr_1"}`,
	}, {
		of: "BatchCalls.Create", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Create(ctx, videosdk.BatchCallCreateParams{
				Name: "Spring", PhoneNumberID: "pn_1", RoutingRuleID: "rr_1", BatchID: "batch_1", Description: "All of them",
				Timing: videosdk.BatchLater, Timezone: "Europe/Vienna", ScheduledTime: "09:30", ScheduledDate: "2026-05-11",
				AllowedFrom: "09:00", AllowedUntil: "17:00", DaysOfWeek: []int{0, 6},
				Retry: &videosdk.BatchRetry{
					Enabled: true, RetryOn: []videosdk.CallStatus{videosdk.CallFailed, videosdk.CallNotAnswered}, MaxAttempts: 3,
				},
				Webhook: &videosdk.BatchWebhook{
					Endpoint: "https://example.com/batch", Events: []videosdk.EventType{videosdk.EventBatchStarted, videosdk.EventBatchCompleted},
				},
				SaveAsDraft: true,
			}))
		},
		method: http.MethodPost, path: list,
		body: `{"batchName":"Spring","phoneNumberId":"pn_1","routingRuleId":"rr_1","batchId":"batch_1","description":"All of them",` +
			`"timing":"scheduled","timezone":"Europe/Vienna","scheduledTime":"09:30","scheduledDate":"2026-05-11",` +
			`"allowedFrom":"09:00","allowedUntil":"17:00","daysOfWeek":[0,6],` +
			`"retry":{"enabled":true,"retryOn":["failed","not-answered"],"maxAttempts":3},` +
			`"webhook":{"endpoint":"https://example.com/batch","events":["batchcall-started","batchcall-completed"]},"saveAsDraft":true}`,
	}, {
		of: "BatchCalls.Get", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Get(ctx, "batch_1"))
		},
		method: http.MethodGet, path: one,
	}, {
		of: "BatchCalls.List", with: "no params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.List(ctx, videosdk.BatchCallListParams{}))
		},
		method: http.MethodGet, path: list,
	}, {
		of: "BatchCalls.List", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.List(ctx, everyone))
		},
		method: http.MethodGet, path: list, query: filtered,
	}, {
		of: "BatchCalls.All", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.BatchCalls.All(ctx, everyone))
		},
		method: http.MethodGet, path: list, query: filtered,
	}, {
		of: "BatchCalls.Update", with: "one field",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Update(ctx, "batch_1", videosdk.BatchCallUpdateParams{SaveAsDraft: videosdk.Ptr(false)}))
		},
		method: http.MethodPut, path: one, body: `{"saveAsDraft":false}`,
	}, {
		of: "BatchCalls.Update", with: "empty values, which empty those of the campaign",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Update(ctx, "batch_1", videosdk.BatchCallUpdateParams{
				Description: videosdk.Ptr(""), AllowedFrom: videosdk.Ptr(""), AllowedUntil: videosdk.Ptr(""), DaysOfWeek: []int{},
				Retry: &videosdk.BatchRetry{},
			}))
		},
		method: http.MethodPut, path: one,
		body: `{"description":"","allowedFrom":"","allowedUntil":"","daysOfWeek":[],"retry":{"enabled":false}}`,
	}, {
		of: "BatchCalls.Update", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Update(ctx, "batch_1", videosdk.BatchCallUpdateParams{
				Name: videosdk.Ptr("Summer"), PhoneNumberID: videosdk.Ptr("pn_2"), RoutingRuleID: videosdk.Ptr("rr_2"),
				Description: videosdk.Ptr("Some"), Timing: videosdk.Ptr(videosdk.BatchImmediate), Timezone: videosdk.Ptr("UTC"),
				ScheduledTime: videosdk.Ptr("09:30"), ScheduledDate: videosdk.Ptr("2026-05-11"),
				AllowedFrom: videosdk.Ptr("09:00"), AllowedUntil: videosdk.Ptr("17:00"), DaysOfWeek: []int{1},
				Retry:       &videosdk.BatchRetry{Enabled: true, MaxAttempts: 1},
				Webhook:     &videosdk.BatchWebhook{Endpoint: "https://example.com", Events: []videosdk.EventType{videosdk.EventBatchStarted}},
				SaveAsDraft: videosdk.Ptr(true),
			}))
		},
		method: http.MethodPut, path: one,
		body: `{"batchName":"Summer","phoneNumberId":"pn_2","routingRuleId":"rr_2","description":"Some","timing":"immediate",` +
			`"timezone":"UTC","scheduledTime":"09:30","scheduledDate":"2026-05-11","allowedFrom":"09:00","allowedUntil":"17:00",` +
			`"daysOfWeek":[1],"retry":{"enabled":true,"maxAttempts":1},` +
			`"webhook":{"endpoint":"https://example.com","events":["batchcall-started"]},"saveAsDraft":true}`,
	}, {
		of: "BatchCalls.Delete", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Delete(ctx, "batch_1"))
		},
		method: http.MethodDelete, path: one,
	}, {
		of: "BatchCalls.Cancel", with: "a mode",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Cancel(ctx, "batch_1", videosdk.BatchCancelGraceful))
		},
		method: http.MethodPost, path: one + "/cancel", body: `{"mode":"graceful"}`,
	}, {
		of: "BatchCalls.Stats", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Stats(ctx, "batch_1"))
		},
		method: http.MethodGet, path: one + "/stats",
	}}
}

// validBatch returns params that BatchCalls.Create sends.
func validBatch() videosdk.BatchCallCreateParams {
	return videosdk.BatchCallCreateParams{Name: "Spring", PhoneNumberID: "pn_1", RoutingRuleID: "rr_1"}
}

func goldenBatchRecords() []golden {
	const list, one = "/v2/batch-calls/batch_1/records", "/v2/batch-calls/batch_1/records/rec_1"
	return []golden{{
		of: "BatchCalls.Records.List", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Records.List(ctx, "batch_1", videosdk.BatchRecordListParams{
				Page: 2, PerPage: 5, Status: "not connected", Query: "+1415",
			}))
		},
		method: http.MethodGet, path: list, query: "page=2&perPage=5&query=%2B1415&status=not+connected",
	}, {
		of: "BatchCalls.Records.All", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.BatchCalls.Records.All(ctx, "batch_1", videosdk.BatchRecordListParams{Status: "completed", Query: "rec_1"}))
		},
		method: http.MethodGet, path: list, query: "page=1&perPage=100&query=rec_1&status=completed",
	}, {
		of: "BatchCalls.Records.Update", with: "one field",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Records.Update(ctx, "batch_1", "rec_1", videosdk.BatchRecordUpdateParams{Metadata: map[string]any{}}))
		},
		method: http.MethodPut, path: one, body: `{"metadata":{}}`,
	}, {
		of: "BatchCalls.Records.Update", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Records.Update(ctx, "batch_1", "rec_1", videosdk.BatchRecordUpdateParams{
				PhoneNumber: videosdk.Ptr("+14155550199"), Metadata: map[string]any{"name": "Ann"},
			}))
		},
		method: http.MethodPut, path: one, body: `{"phoneNumber":"+14155550199","metadata":{"name":"Ann"}}`,
	}, {
		of: "BatchCalls.Records.Delete", with: "two ids",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Records.Delete(ctx, "batch_1", []string{"rec_1", "rec_2"}))
		},
		method: http.MethodDelete, path: list, body: `{"recordIds":["rec_1","rec_2"]}`,
	}}
}

func goldenRooms() []golden {
	return []golden{{
		of: "Rooms.Create", with: "no params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Rooms.Create(ctx, videosdk.RoomCreateParams{}))
		},
		method: http.MethodPost, path: "/v2/rooms", body: `{}`,
	}, {
		of: "Rooms.Create", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Rooms.Create(ctx, videosdk.RoomCreateParams{CustomRoomID: "support", GeoFence: "us002"}))
		},
		method: http.MethodPost, path: "/v2/rooms", body: `{"customRoomId":"support","geoFence":"us002"}`,
	}, {
		of: "Rooms.Get", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Rooms.Get(ctx, "abcd-efgh-ijkl"))
		},
		method: http.MethodGet, path: "/v2/rooms/abcd-efgh-ijkl",
	}, {
		of: "Rooms.Validate", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Rooms.Validate(ctx, "abcd-efgh-ijkl"))
		},
		method: http.MethodGet, path: "/v2/rooms/validate/abcd-efgh-ijkl",
	}, {
		of: "Rooms.Deactivate", with: "an id",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Rooms.Deactivate(ctx, "abcd-efgh-ijkl"))
		},
		method: http.MethodPost, path: "/v2/rooms/deactivate", body: `{"roomId":"abcd-efgh-ijkl"}`,
	}}
}

// conversation is a call of a method that takes several requests, or an answer
// of its own.
type conversation struct {
	of, with string
	call     func(context.Context, *videosdk.Client) error
	answers  []string
	want     []sentRequest
}

// sentRequest is a request as exact bytes.
type sentRequest struct{ method, path, query, body string }

// goldenList is the list of numbers that is uploaded, goldenTicket the
// permission to do so.
const (
	goldenList   = "phoneNumber\n+14155550199\n"
	goldenTicket = `{"presignedUrl":"https://bucket.example.com/b/list.csv?X-Amz-Signature=0123456789abcdef","fileKey":"b/list.csv",` +
		`"fileName":"list.csv","batchId":"batch_1"}`
)

func conversations(t *testing.T) []conversation {
	t.Helper()
	file := filepath.Join(t.TempDir(), "list.csv")
	require.NoError(t, os.WriteFile(file, []byte(goldenList), 0o600))
	uploadAnswers := []string{goldenTicket, ``, `{"message":"Parsing started"}`, `{"batchId":"batch_1","status":"parsed"}`}
	upload := []sentRequest{
		{http.MethodPost, "/v2/batch-calls/upload", "", `{"fileName":"list.csv","fileSize":25}`},
		{http.MethodPut, "/b/list.csv", "X-Amz-Signature=0123456789abcdef", goldenList},
		{http.MethodPost, "/v2/batch-calls/parse", "", `{"batchId":"batch_1"}`},
		{http.MethodGet, "/v2/batch-calls/batch_1", "", ""},
	}
	replace := slices.Clone(upload)
	replace[0].body = `{"fileName":"list.csv","fileSize":25,"batchId":"batch_1"}`
	const (
		recording = `{"id":"gw_1","name":"Old","record":true,"noiseCancellation":false,"enableDtmf":true,"geoRegion":"us002"}`
		renamed   = `{"name":"New","record":true,"noiseCancellation":false,"enableDtmf":true,"geoRegion":"us002"}`
		attached  = `{"phoneNumber":{"phoneNumberId":"pn_1","e164":"+14155551234"},"inbound":{"id":"gw_1"},"outbound":{"id":"gw_2"}}`
		detached  = `{"phoneNumber":{"phoneNumberId":"pn_2","e164":"+14155555678"},"inbound":null,"outbound":null}`
	)
	rename := func(p *videosdk.GatewayUpdateParams) { p.Name = videosdk.Ptr("New") }
	return []conversation{{
		of: "InboundGateways.Modify", with: "another name",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Modify(ctx, "gw_1", rename))
		},
		answers: []string{recording, anyResource},
		want: []sentRequest{
			{http.MethodGet, "/v2/sip/inbound-gateways/gw_1", "", ""}, {http.MethodPatch, "/v2/sip/inbound-gateways/gw_1", "", renamed},
		},
	}, {
		of: "OutboundGateways.Modify", with: "another name",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Modify(ctx, "gw_1", rename))
		},
		answers: []string{recording, anyResource},
		want: []sentRequest{
			{http.MethodGet, "/v2/sip/outbound-gateways/gw_1", "", ""}, {http.MethodPatch, "/v2/sip/outbound-gateways/gw_1", "", renamed},
		},
	}, {
		of: "BatchCalls.Upload", with: "a list",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Upload(ctx, "list.csv", strings.NewReader(goldenList)))
		},
		answers: uploadAnswers, want: upload,
	}, {
		of: "BatchCalls.UploadFile", with: "a file",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.UploadFile(ctx, file))
		},
		answers: uploadAnswers, want: upload,
	}, {
		of: "BatchCalls.UploadFile", with: "a file that replaces another",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.UploadFile(ctx, file, videosdk.WithExistingBatch("batch_1")))
		},
		answers: uploadAnswers, want: replace,
	}, {
		of: "BatchCalls.Records.Export", with: "full params",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return c.BatchCalls.Records.Export(ctx, "batch_1", io.Discard, videosdk.BatchRecordExportParams{
				Status: "completed,not connected", Search: "+1415",
			})
		},
		answers: []string{""},
		want: []sentRequest{
			{http.MethodGet, "/v2/batch-calls/batch_1/records/export", "search=%2B1415&status=completed%2Cnot+connected", ""},
		},
	}, {
		of: "Calls.FindActive", with: "a room and a session",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.FindActive(ctx, "room_1", "sess_1"))
		},
		answers: []string{`{"data":[{"callId":"call_1","sessionId":"sess_1","status":"answered"}]}`},
		want:    []sentRequest{{http.MethodGet, "/v2/sip/call", "page=1&perPage=100&roomId=room_1", ""}},
	}, {
		of: "Calls.FindByTrackingID", with: "a time",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.FindByTrackingID(ctx, "order-7", time.UnixMilli(1755777600000)))
		},
		answers: []string{`{"data":[{"callId":"call_1"}]}`, `{"data":{"id":"call_1","metadata":{"trackingId":"order-7"}}}`},
		want: []sentRequest{
			{http.MethodGet, "/v2/sip/call", "page=1&perPage=100&startDate=1755777600000&type=outbound", ""},
			{http.MethodGet, "/v2/sip/call/call_1", "", ""},
		},
	}, {
		of: "PhoneNumbers.Ensure", with: "a number that is there and one that is not",
		call: func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.Ensure(ctx, newNumbers("+14155555678", "+14155551234")))
		},
		answers: []string{attached, detached, `{"message":"Created"}`, attached},
		want: []sentRequest{
			{http.MethodGet, "/v2/sip/phone-numbers/%2B14155551234", "", ""},
			{http.MethodGet, "/v2/sip/phone-numbers/%2B14155555678", "", ""},
			{http.MethodPost, "/v2/sip/phone-numbers", "", `{"name":"made by the test","phoneNumbers":["+14155555678"],"isShared":true,` +
				`"inbound":{"sipRegion":"us002"},"outbound":{"sipRegion":"us002","address":"sip.example.com","transport":"tls",` +
				`"auth":{"username":"user","password":"hunter2-password"}}}`},
			{http.MethodGet, "/v2/sip/phone-numbers/%2B14155555678", "", ""},
		},
	}}
}

func TestEachMethodOfSeveralRequestsSendsExactlyThese(t *testing.T) {
	for _, row := range conversations(t) {
		t.Run(row.of+" with "+row.with, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, row.answers[0])
			for _, answer := range row.answers[1:] {
				recorder.then(http.StatusOK, answer)
			}

			require.NoError(t, row.call(t.Context(), recorder.client()))

			var got []sentRequest
			for _, request := range recorder.all() {
				got = append(got, sentRequest{request.Method, request.Path, request.Query, string(request.Body)})
			}
			assert.Equal(t, row.want, got)
		})
	}
}

// The time from which on it looks is not the caller's, so this is no row.
func TestCreateOnceSendsASearchAndACall(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, emptyPage).then(http.StatusOK, anyResource)
	params := validCall()
	params.TrackingID, params.Metadata = "order-7", map[string]any{"campaign": "spring"}
	before := time.Now()

	_, err := recorder.client().Calls.CreateOnce(t.Context(), params)

	require.NoError(t, err)
	requests := recorder.all()
	require.Len(t, requests, 2)
	assert.Equal(t, "/v2/sip/call", requests[0].Path)
	query, err := url.ParseQuery(requests[0].Query)
	require.NoError(t, err)
	since, err := strconv.ParseInt(query.Get("startDate"), 10, 64)
	require.NoError(t, err)
	assert.WithinDuration(t, before.Add(-30*24*time.Hour), time.UnixMilli(since), time.Minute)
	query.Del("startDate")
	assert.Equal(t, "page=1&perPage=100&search=14155550199&type=outbound", query.Encode())
	assert.Equal(t, `{"sipCallTo":"+14155550199","sipCallFrom":"+14155551234","routingRuleId":"rr_1",`+
		`"metadata":{"campaign":"spring","trackingId":"order-7"}}`, string(requests[1].Body))
}
