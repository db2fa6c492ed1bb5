package videosdktest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

const rulesPath = "/v2/sip/routing-rule"

func TestRoutingRuleIsCreatedAsDocumented(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")

	created := api.post(rulesPath, fmt.Sprintf(`{"name":"Inbound support rule","type":"inbound","phoneNumbers":["+14155551234"],
		"room":{"type":"static","prefix":"sipNumber","id":"room_1","pin":"4321"},"agentId":"agent_xyz","agentMetadata":{"team":"support","n":12345678901234567890},
		"hidePhoneNumber":"true","tags":["support","v2"],"apiKey":%q,"recording":true,"dtmf":true,"noiseCancellation":true,
		"allowedNumbers":["+91*"],"allowedIpAddresses":["10.0.0.0/8"],"includeHeaders":"SIP_X_HEADERS","headersToAttributes":{"X-Caller":"caller"}}`,
		api.APIKey)).must(http.StatusCreated)
	assert.JSONEq(t, fmt.Sprintf(`{"id":%q,"name":"Inbound support rule","type":"inbound","numbers":["+14155551234"],
		"room":{"type":"static","prefix":"sipNumber","id":"room_1","pin":"4321"},"agentId":"agent_xyz","agentMetadata":{"team":"support","n":12345678901234567890},
		"hidePhoneNumber":true,"tags":["support","v2"],"apiKey":%q,"recording":true,"dtmf":true,"noiseCancellation":true,
		"allowedNumbers":["+91*"],"allowedIpAddresses":["10.0.0.0/8"],"includeHeaders":"SIP_X_HEADERS","headersToAttributes":{"X-Caller":"caller"},
		"createdAt":%q,"updatedAt":%q}`,
		created.text("id"), api.APIKey, created.text("createdAt"), created.text("updatedAt")), created.body)
	assert.Regexp(t, `^rr_`, created.text("id"))
	assert.Contains(t, created.body, "12345678901234567890")
	assert.Equal(t, created.body, api.get(rulesPath+"/"+created.text("id")).must(http.StatusOK).body)
}

func TestRoutingRuleHasDefaults(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")

	created := api.post(rulesPath, `{"name":"x","type":"outbound","phoneNumbers":["+14155551234"],"room":{"pin":null}}`).must(http.StatusCreated)
	assert.JSONEq(t, fmt.Sprintf(`{"id":%q,"name":"x","type":"outbound","numbers":["+14155551234"],
		"room":{"type":"dynamic","prefix":"blank","id":null,"pin":null},"agentId":null,"agentMetadata":{},
		"hidePhoneNumber":false,"tags":[],"apiKey":%q,"recording":false,"dtmf":false,"noiseCancellation":false,
		"allowedNumbers":[],"allowedIpAddresses":[],"includeHeaders":"NONE","headers":{},"createdAt":%q,"updatedAt":%q}`,
		created.text("id"), api.APIKey, created.text("createdAt"), created.text("updatedAt")), created.body)
}

func TestRoutingRuleIsValidated(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234", "+14155555678")
	taken := api.post(rulesPath, `{"name":"x","type":"inbound","phoneNumbers":["+14155555678"]}`).text("id")
	tests := []struct{ name, body, refusal string }{
		{"without a name", `{"type":"inbound","phoneNumbers":["+14155551234"]}`, "name is required"},
		{"with an empty name", `{"name":"","type":"inbound","phoneNumbers":["+14155551234"]}`, "name must not be empty"},
		{"without a type", `{"name":"x","phoneNumbers":["+14155551234"]}`, "type is required"},
		{"with an unknown type", `{"name":"x","type":"INBOUND","phoneNumbers":["+14155551234"]}`, `type must be one of ["inbound" "outbound"]`},
		{"without numbers", `{"name":"x","type":"inbound"}`, "phoneNumbers is required"},
		{"with the key that answers use", `{"name":"x","type":"inbound","numbers":["+14155551234"]}`, "phoneNumbers is required"},
		{"with no number", `{"name":"x","type":"inbound","phoneNumbers":[]}`, "phoneNumbers is required"},
		{"with a malformed number", `{"name":"x","type":"inbound","phoneNumbers":["x"]}`, `phoneNumbers: "x" is not an E.164 number`},
		{"with an unknown number", `{"name":"x","type":"outbound","phoneNumbers":["+14155550000"]}`,
			"Phone number +14155550000 does not exist on this account"},
		{"with a number of another inbound rule", `{"name":"x","type":"inbound","phoneNumbers":["+14155551234","+14155555678"]}`,
			"Phone number +14155555678 is already used by the inbound rule " + taken},
		{"with headers on inbound", `{"name":"x","type":"inbound","phoneNumbers":["+14155551234"],"headers":{"X-A":"b"}}`,
			"headers is only allowed on outbound rules"},
		{"with headersToAttributes on outbound", `{"name":"x","type":"outbound","phoneNumbers":["+14155551234"],"headersToAttributes":{}}`,
			"headersToAttributes is only allowed on inbound rules"},
		{"with headers in a list", `{"name":"x","type":"outbound","phoneNumbers":["+14155551234"],"headers":["X-A: b"]}`,
			"headers must be an object"},
		{"with headersToAttributes that is no object", `{"name":"x","type":"inbound","phoneNumbers":["+14155551234"],"headersToAttributes":"caller"}`,
			"headersToAttributes must be an object"},
		{"with unknown includeHeaders", `{"name":"x","type":"outbound","phoneNumbers":["+14155551234"],"includeHeaders":"SOME"}`,
			`includeHeaders must be one of ["ALL" "SIP_X_HEADERS" "NONE"]`},
		{"with empty includeHeaders", `{"name":"x","type":"outbound","phoneNumbers":["+14155551234"],"includeHeaders":""}`,
			`includeHeaders must be one of ["ALL" "SIP_X_HEADERS" "NONE"]`},
		{"with a wrong API key", `{"name":"x","type":"outbound","phoneNumbers":["+14155551234"],"apiKey":"other"}`, "Invalid API Key"},
		{"with a room that is no object", `{"name":"x","type":"outbound","phoneNumbers":["+14155551234"],"room":"r"}`, "room must be an object"},
		{"with a pin that is no string", `{"name":"x","type":"outbound","phoneNumbers":["+14155551234"],"room":{"pin":1}}`, "room.pin must be a string"},
		{"with metadata that is no object", `{"name":"x","type":"outbound","phoneNumbers":["+14155551234"],"agentMetadata":[]}`, "agentMetadata must be an object"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api.post(rulesPath, test.body).refused(http.StatusBadRequest, test.refusal)
		})
	}
	assert.Equal(t, 1.0, api.get(rulesPath).field("pageInfo.total"))
}

func TestRoutingRuleOfOutboundSharesNumbers(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")
	for _, direction := range []string{"inbound", "outbound", "outbound"} {
		api.post(rulesPath, fmt.Sprintf(`{"name":"x","type":%q,"phoneNumbers":["+14155551234"]}`, direction)).must(http.StatusCreated)
	}
}

func TestRoutingRulesAreFiltered(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234", "+14155555678")
	sales := api.post(rulesPath, `{"name":"Sales","type":"inbound","phoneNumbers":["+14155551234"]}`).text("id")
	support := api.post(rulesPath, `{"name":"Support","type":"inbound","phoneNumbers":["+14155555678"],"room":{"type":"static"}}`).text("id")
	dialer := api.post(rulesPath, `{"name":"Dialer","type":"outbound","phoneNumbers":["+14155555678"],"room":{"type":"meeting"}}`).text("id")

	tests := []struct {
		name, query string
		ids         []string
	}{
		{"no filter", "", []string{sales, support, dialer}},
		{"type", "?type=outbound", []string{dialer}},
		{"name regardless of case", "?search=SUP", []string{support}},
		{"number", "?search=5678", []string{support, dialer}},
		{"ids", "?ruleIds=" + dialer + "," + sales, []string{sales, dialer}},
		{"ids in parameters of their own", "?ruleIds=" + dialer + "&ruleIds=" + sales, []string{sales, dialer}},
		{"room types in parameters of their own", "?roomType=static&roomType=meeting", []string{support, dialer}},
		{"unknown id", "?ruleIds=rr_unknown", nil},
		{"room types", "?roomType=static,meeting", []string{support, dialer}},
		{"all at once", "?type=inbound&roomType=static&search=support&ruleIds=" + support, []string{support}},
		{"second page", "?page=2&perPage=2", []string{dialer}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list := api.get(rulesPath + test.query).must(http.StatusOK)
			assert.Equal(t, test.ids, list.texts("id"))
		})
	}
	assert.Equal(t, map[string]any{"currentPage": 1.0, "perPage": 10.0, "lastPage": 1.0, "total": 3.0}, api.get(rulesPath).field("pageInfo"))
}

func TestRoutingRuleIsUpdatedInPart(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234", "+14155555678")
	rule := rulesPath + "/" + api.post(rulesPath, `{"name":"x","type":"inbound","phoneNumbers":["+14155551234"],"recording":true,
		"room":{"type":"static","id":"room_1","pin":"1"},"agentId":"a","tags":["t"]}`).text("id")
	tests := []struct {
		name, body, field string
		value             any
	}{
		{"name", `{"name":"y"}`, "name", "y"},
		{"numbers as a whole", `{"phoneNumbers":["+14155555678"]}`, "numbers", []any{"+14155555678"}},
		{"its own number again", `{"phoneNumbers":["+14155551234"]}`, "numbers", []any{"+14155551234"}},
		{"no number", `{"phoneNumbers":[]}`, "numbers", []any{}},
		{"false", `{"recording":false}`, "recording", false},
		{"no tag", `{"tags":[]}`, "tags", []any{}},
		{"agent", `{"agentId":"b"}`, "agentId", "b"},
		{"room as a whole", `{"room":{"type":"dynamic"}}`, "room",
			map[string]any{"type": "dynamic", "prefix": "blank", "id": nil, "pin": nil}},
		{"not the type", `{"type":"outbound","name":"z"}`, "type", "inbound"},
		{"nothing by null", `{"agentId":null,"name":"w"}`, "agentId", "b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			updated := api.patch(rule, test.body).must(http.StatusOK)
			assert.Equal(t, test.value, updated.field(test.field))
			assert.Equal(t, updated.body, api.get(rule).body)
		})
	}
}

func TestRoutingRuleUpdateIsValidated(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234", "+14155555678")
	taken := api.post(rulesPath, `{"name":"x","type":"inbound","phoneNumbers":["+14155555678"]}`).text("id")
	rule := rulesPath + "/" + api.post(rulesPath, `{"name":"y","type":"inbound","phoneNumbers":["+14155551234"]}`).text("id")
	before := api.get(rule).body
	tests := []struct{ name, body, refusal string }{
		{"nothing", `{}`, "No editable fields provided"},
		{"no body", ``, "No editable fields provided"},
		{"nulls", `{"name":null}`, "No editable fields provided"},
		{"the type alone", `{"type":"outbound"}`, "No editable fields provided"},
		{"unknown fields alone", `{"numbers":[]}`, "No editable fields provided"},
		{"a number of another inbound rule", `{"name":"z","phoneNumbers":["+14155555678"]}`,
			"Phone number +14155555678 is already used by the inbound rule " + taken},
		{"headers on inbound", `{"headers":{}}`, "headers is only allowed on outbound rules"},
		{"a wrong API key", `{"apiKey":"other"}`, "Invalid API Key"},
		{"an attribute that is no string", `{"headersToAttributes":{"X-Caller":1}}`, "headersToAttributes must be an object"},
		{"a wrong type of value", `{"recording":[]}`, "recording must be a boolean"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api.patch(rule, test.body).refused(http.StatusBadRequest, test.refusal)
			assert.Equal(t, before, api.get(rule).body)
		})
	}
}

func TestRoutingRuleIsDeletedForGood(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")
	id := api.post(rulesPath, `{"name":"x","type":"inbound","phoneNumbers":["+14155551234"]}`).text("id")

	deleted := api.delete(rulesPath + "/" + id).must(http.StatusOK)
	assert.JSONEq(t, fmt.Sprintf(`{"message":"Routing rule deleted successfully","ruleId":%q}`, id), deleted.body)
	const unknown = "Routing rule not found"
	api.delete(rulesPath+"/"+id).refused(http.StatusNotFound, unknown)
	api.get(rulesPath+"/"+id).refused(http.StatusNotFound, unknown)
	api.patch(rulesPath+"/"+id, `{"name":"y"}`).refused(http.StatusNotFound, unknown)
	api.post(rulesPath, `{"name":"x","type":"inbound","phoneNumbers":["+14155551234"]}`).must(http.StatusCreated)
}

func TestRoutingRuleConflictIsInjected(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")
	rule := rulesPath + "/" + api.post(rulesPath, `{"name":"x","type":"inbound","phoneNumbers":["+14155551234"]}`).text("id")
	api.Inject(videosdktest.Fault{Method: http.MethodDelete, Path: rulesPath + "/{ruleId}", Status: http.StatusConflict})
	api.delete(rule).must(http.StatusConflict)
	api.delete(rule).must(http.StatusOK)
}
