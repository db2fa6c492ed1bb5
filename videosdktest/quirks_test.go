package videosdktest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

const callsPath = "/v2/sip/call"

// stored is what the owner of an account stores, made to look like answers.
const stored = `{"metadata":{"x":"1"},"id":"mine","to":"","status":"ended","flag":true,"list":[]}`

// endedCall returns the id of a call that has ended.
func (a api) endedCall() string {
	a.t.Helper()
	a.AddPhoneNumbers("+14155551234")
	id := a.post(callsPath, callByGateway(a.gatewayOf("+14155551234"), "+14155550199", `,"metadata":`+stored)).text("data.callId")
	a.post(callsPath+"/end", `{"callId":"`+id+`"}`).must(http.StatusOK)
	return id
}

func quirky(t *testing.T, quirks ...videosdktest.Quirk) api {
	t.Helper()
	return newAPI(t, videosdktest.WithQuirks(quirks...))
}

func TestQuirkUpperCaseStatuses(t *testing.T) {
	api := quirky(t, videosdktest.UpperCaseStatuses)
	id := api.endedCall()
	call := api.get(callsPath + "/" + id)
	assert.Equal(t, "COMPLETED", call.field("data.status"))
	assert.Equal(t, "INITIATED", call.field("data.timelog.0.status"))
	assert.Equal(t, "ended", call.field("data.metadata.status"))

	list := api.get(callsPath)
	assert.Equal(t, []string{"COMPLETED"}, list.texts("status"))
	assert.Equal(t, "INITIATED", list.field("data.0.timelog.0.status"))
	assert.Equal(t, "COMPLETED", api.post(callsPath+"/end", `{"callId":"`+id+`"}`).field("data.status"))
	assert.Equal(t, "ACTIVE", api.get(numberPath("+14155551234")).field("phoneNumber.status"))
}

func TestQuirkSwappedCallIDs(t *testing.T) {
	api := quirky(t, videosdktest.SwappedCallIDs)
	id := api.endedCall() // the answer to a new call is left alone
	call := api.get(callsPath + "/" + id)
	assert.Equal(t, id, call.field("data.callId"))
	assert.Nil(t, call.field("data.id"))
	assert.Equal(t, "mine", call.field("data.metadata.id"))

	item := api.get(callsPath)
	assert.Equal(t, id, item.field("data.0.id"))
	assert.Nil(t, item.field("data.0.callId"))
}

func TestQuirkSIPCallNumbers(t *testing.T) {
	api := quirky(t, videosdktest.SIPCallNumbers)
	call := api.get(callsPath + "/" + api.endedCall())
	assert.Equal(t, "+14155550199", call.field("data.sipCallTo"))
	assert.Equal(t, "+14155551234", call.field("data.sipCallFrom"))
	assert.Nil(t, call.field("data.to"))
	assert.Nil(t, call.field("data.from"))
	assert.Equal(t, []string{"+14155550199"}, api.get(callsPath).texts("sipCallTo"))
}

func TestQuirkWebhookIDs(t *testing.T) {
	const path = "/v2/sip/webhooks"
	api := quirky(t, videosdktest.WebhookIDs)
	created := api.post(path, `{"url":"https://example.com/webhook","events":["call-started"]}`)
	id := created.text("webhookId")
	assert.Nil(t, created.field("id"))
	assert.Equal(t, []string{id}, api.get(path).texts("webhookId"))
	assert.Equal(t, id, api.get(path+"/"+id).field("webhookId"))
}

func TestQuirkMetaDataSpelling(t *testing.T) {
	api := quirky(t, videosdktest.MetaDataSpelling)
	gateway := api.post(inboundPath, fullGateway)
	assert.Equal(t, map[string]any{"env": "test"}, gateway.field("metaData"))
	assert.Nil(t, gateway.field("metadata"))

	call := api.get(callsPath + "/" + api.endedCall())
	assert.Equal(t, map[string]any{"x": "1"}, call.field("data.metaData.metadata"))
}

func TestQuirkStringBooleans(t *testing.T) {
	api := quirky(t, videosdktest.StringBooleans)
	gateway := api.post(inboundPath, `{"name":"x","numbers":["+11234567890"],"record":true}`)
	assert.Equal(t, "true", gateway.field("record"))
	assert.Equal(t, "false", gateway.field("enableDtmf"))

	api.endedCall()
	list := api.get(callsPath)
	assert.Equal(t, "false", list.field("data.0.deleted"))
	assert.Equal(t, true, list.field("data.0.metadata.flag"))
}

func TestQuirksForEmptyValues(t *testing.T) {
	const body = `{"name":"x","numbers":["+11234567890"]}`
	tests := []struct {
		name    string
		quirk   videosdktest.Quirk
		present bool
	}{
		{"become null", videosdktest.NullForEmpty, true},
		{"go away", videosdktest.OmitEmpty, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := quirky(t, test.quirk)
			assert.Equal(t, []any{}, api.get(inboundPath).field("data"), "the list itself stays")
			gateway := api.post(inboundPath, body).value().(map[string]any)
			for _, key := range []string{"address", "tags", "auth", "metadata"} {
				value, present := gateway[key]
				assert.Nil(t, value, key)
				assert.Equal(t, test.present, present, key)
			}
			assert.Equal(t, false, gateway["record"])
			assert.Equal(t, []any{"+11234567890"}, gateway["numbers"])

			call := api.get(callsPath + "/" + api.endedCall())
			assert.Equal(t, "", call.field("data.metadata.to"))
			assert.Equal(t, []any{}, call.field("data.metadata.list"))
		})
	}
}

func TestQuirksForPages(t *testing.T) {
	tests := []struct {
		name   string
		quirks []videosdktest.Quirk
		shown  string
	}{
		{"other names", []videosdktest.Quirk{videosdktest.PageNames},
			`{"pageInfo":{"page":1,"perPage":10,"totalPages":1,"total":0},"data":[]}`},
		{"another object", []videosdktest.Quirk{videosdktest.PaginationObject},
			`{"pagination":{"page":1,"perPage":10,"totalPages":1,"total":0},"data":[]}`},
		{"both of these", []videosdktest.Quirk{videosdktest.PaginationObject, videosdktest.PageNames},
			`{"pagination":{"page":1,"perPage":10,"totalPages":1,"total":0},"data":[]}`},
		{"the array alone", []videosdktest.Quirk{videosdktest.BareLists}, `[]`},
		{"the array alone, among others", []videosdktest.Quirk{videosdktest.TopStatusCode, videosdktest.BareLists, videosdktest.PaginationObject}, `[]`},
		{"a status code", []videosdktest.Quirk{videosdktest.TopStatusCode},
			`{"statusCode":200,"pageInfo":{"currentPage":1,"perPage":10,"lastPage":1,"total":0},"data":[]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.JSONEq(t, test.shown, quirky(t, test.quirks...).get(inboundPath).must(http.StatusOK).body)
		})
	}
}

func TestQuirkTopStatusCodeIsThatOfTheAnswer(t *testing.T) {
	api := quirky(t, videosdktest.TopStatusCode)
	created := api.post(inboundPath, fullGateway).must(http.StatusCreated)
	assert.Equal(t, 201.0, created.field("statusCode"))
	assert.Equal(t, "Full", created.field("name"))
}

func TestQuirksWorkTogether(t *testing.T) {
	api := quirky(t, videosdktest.BareLists, videosdktest.UpperCaseStatuses, videosdktest.SIPCallNumbers,
		videosdktest.SwappedCallIDs, videosdktest.StringBooleans, videosdktest.MetaDataSpelling)
	id := api.endedCall()
	list := api.get(callsPath)
	assert.Equal(t, id, list.field("0.id"))
	assert.Equal(t, "COMPLETED", list.field("0.status"))
	assert.Equal(t, "+14155550199", list.field("0.sipCallTo"))
	assert.Equal(t, "false", list.field("0.deleted"))
	assert.Equal(t, "1", list.field("0.metaData.metadata.x"))
}

func TestQuirksWorkTogetherInAnyOrder(t *testing.T) {
	api := quirky(t, videosdktest.PaginationObject, videosdktest.SwappedCallIDs, videosdktest.UpperCaseStatuses)
	id := api.endedCall()
	list := api.get(callsPath)
	assert.Equal(t, id, list.field("data.0.id"))
	assert.Equal(t, "COMPLETED", list.field("data.0.status"))
	assert.Equal(t, 1.0, list.field("pagination.total"))
}

func TestQuirksLeaveErrorsAlone(t *testing.T) {
	quirky(t, videosdktest.TopStatusCode, videosdktest.NullForEmpty).
		get(inboundPath+"/gw_unknown").refused(http.StatusNotFound, "Gateway not found")
}

func TestQuirksKeepLargeNumbers(t *testing.T) {
	api := quirky(t, videosdktest.StringBooleans)
	api.AddPhoneNumbers("+14155551234")
	created := api.post(rulesPath, `{"name":"x","type":"inbound","phoneNumbers":["+14155551234"],"agentMetadata":{"n":12345678901234567890}}`)
	assert.Contains(t, created.must(http.StatusCreated).body, "12345678901234567890")
}
