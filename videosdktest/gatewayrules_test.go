package videosdktest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const gatewayRulesPath = "/v2/sip/routing-rules"

// gatewayRule is the body of a rule of a gateway.
func gatewayRule(gatewayID string) string {
	return fmt.Sprintf(`{"gatewayId":%q,"name":"Support Line Rule","numbers":["+14150001111","+14150002222"],
		"dispatch":{"room":{"type":"dynamic","prefix":"participantNumber","id":"room_123","pin":"4321"},
			"agent":{"type":"cloud","id":"user_789","metadata":{"department":"sales"}}},
		"hidePhoneNumber":"false","metadata":{"env":"production"},"tags":["priority","support"]}`, gatewayID)
}

// addGateway returns the id of a new gateway.
func (a api) addGateway(path string) string {
	a.t.Helper()
	return a.post(path, fullGateway).must(http.StatusCreated).text("id")
}

func TestGatewayRuleIsCreatedAsDocumented(t *testing.T) {
	for path, direction := range map[string]string{inboundPath: "INBOUND", outboundPath: "OUTBOUND"} {
		t.Run(direction, func(t *testing.T) {
			api := newAPI(t)
			gateway := api.addGateway(path)
			created := api.post(gatewayRulesPath, gatewayRule(gateway)).must(http.StatusCreated)
			assert.JSONEq(t, fmt.Sprintf(`{"id":%q,"name":"Support Line Rule","type":%q,"numbers":["+14150001111","+14150002222"],"gatewayId":%q,
				"dispatch":{"room":{"type":"dynamic","prefix":"participantNumber","id":"room_123","pin":"4321"},
					"agent":{"type":"cloud","id":"user_789","metadata":{"department":"sales"}}},
				"hidePhoneNumber":false,"metadata":{"env":"production"},"tags":["priority","support"]}`,
				created.text("id"), direction, gateway), created.body)
			assert.Equal(t, created.body, api.get(gatewayRulesPath+"/"+created.text("id")).must(http.StatusOK).body)
		})
	}
}

func TestGatewayRuleDispatchHasTwoSpellings(t *testing.T) {
	const plainRoom = `{"type":"dynamic","prefix":"blank","id":null,"pin":null}`
	tests := []struct{ name, dispatch, shown string }{
		{"an empty object", `"dispatch":{}`, `{"room":` + plainRoom + `,"agent":null}`},
		{"an agent as an object", `"dispatch":{"agent":{"type":"self","id":"a"}}`, `{"room":` + plainRoom + `,"agent":{"type":"self","id":"a"}}`},
		{"the word agent", `"dispatch":"agent","agentType":"cloud","agentId":"d"`, `{"room":` + plainRoom + `,"agent":{"type":"cloud","id":"d"}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := newAPI(t)
			created := api.post(gatewayRulesPath, fmt.Sprintf(`{"gatewayId":%q,"name":"x","numbers":["+14150001111"],%s}`,
				api.addGateway(inboundPath), test.dispatch)).must(http.StatusCreated)
			assert.JSONEq(t, test.shown, string(marshal(t, created.field("dispatch"))))
		})
	}
}

func TestGatewayRuleIsValidated(t *testing.T) {
	api := newAPI(t)
	gateway := api.addGateway(inboundPath)
	tests := []struct{ name, old, new, refusal string }{
		{"without a gateway", `"gatewayId"`, `"gateway"`, "gatewayId is required"},
		{"with an unknown gateway", gateway, "gw_unknown", `gatewayId "gw_unknown" does not exist`},
		{"without a name", `"name"`, `"title"`, "name is required"},
		{"with an empty name", `Support Line Rule`, ``, "name must not be empty"},
		{"without numbers", `"numbers"`, `"phoneNumbers"`, "numbers is required"},
		{"without a dispatch", `"dispatch"`, `"dispatches"`, "dispatch is required"},
		{"with an unknown word for dispatch", `"dispatch":{`, `"dispatch":"room","x":{`, "dispatch must be an object"},
		{"with a room that is no object", `"room":{`, `"room":1,"x":{`, "dispatch.room must be an object"},
		{"with tags that are no list", `["priority","support"]`, `"priority"`, "tags must be a list of strings"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := strings.Replace(gatewayRule(gateway), test.old, test.new, 1)
			api.post(gatewayRulesPath, body).refused(http.StatusBadRequest, test.refusal)
		})
	}
	assert.Equal(t, 0.0, api.get(gatewayRulesPath).field("pageInfo.total"))
}

func TestGatewayRulesAreFiltered(t *testing.T) {
	api := newAPI(t)
	in, out := api.addGateway(inboundPath), api.addGateway(outboundPath)
	one := api.post(gatewayRulesPath, gatewayRule(in)).text("id")
	two := api.post(gatewayRulesPath, gatewayRule(out)).text("id")
	assert.Equal(t, []string{one, two}, api.get(gatewayRulesPath).texts("id"))
	assert.Equal(t, []string{two}, api.get(gatewayRulesPath+"?gatewayId="+out).texts("id"))
	assert.Equal(t, []string{one}, api.get(gatewayRulesPath+"?id="+one).texts("id"))
	assert.Equal(t, []string{two}, api.get(gatewayRulesPath+"?search=SUPPORT&perPage=1&page=2").texts("id"))
	assert.Nil(t, api.get(gatewayRulesPath+"?search=0002222").texts("id"), "which is a number, not a name")
	assert.Nil(t, api.get(gatewayRulesPath+"?search=nobody").texts("id"))
}

func TestGatewayRuleIsUpdatedInPart(t *testing.T) {
	api := newAPI(t)
	created := api.post(gatewayRulesPath, gatewayRule(api.addGateway(inboundPath)))
	rule := gatewayRulesPath + "/" + created.text("id")

	updated := api.put(rule, `{"name":"y","numbers":["+14150003333"],"hidePhoneNumber":"true","tags":[],"metadata":{},"gatewayId":"other"}`).must(http.StatusOK)
	assert.Equal(t, "y", updated.field("name"))
	assert.Equal(t, []any{"+14150003333"}, updated.field("numbers"))
	assert.Equal(t, true, updated.field("hidePhoneNumber"))
	assert.Equal(t, []any{}, updated.field("tags"))
	assert.Equal(t, map[string]any{}, updated.field("metadata"))
	assert.Equal(t, created.field("dispatch"), updated.field("dispatch"))
	assert.Equal(t, created.field("gatewayId"), updated.field("gatewayId"))

	api.put(rule, `{"name":"z","dispatch":1}`).refused(http.StatusBadRequest, "dispatch must be an object")
	api.put(rule, `{"hidePhoneNumber":2}`).refused(http.StatusBadRequest, "hidePhoneNumber must be a boolean")
	assert.Equal(t, updated.body, api.get(rule).body)
}

func TestGatewayRuleIsDeletedSoftly(t *testing.T) {
	api := newAPI(t)
	rule := gatewayRulesPath + "/" + api.post(gatewayRulesPath, gatewayRule(api.addGateway(inboundPath))).text("id")
	assert.JSONEq(t, `{"message":"Rule deleted successfully"}`, api.delete(rule).must(http.StatusOK).body)

	const unknown = "Routing rule not found"
	api.get(rule).refused(http.StatusNotFound, unknown)
	api.put(rule, `{}`).refused(http.StatusNotFound, unknown)
	api.delete(rule).refused(http.StatusNotFound, unknown)
	assert.Equal(t, 0.0, api.get(gatewayRulesPath).field("pageInfo.total"))
}
