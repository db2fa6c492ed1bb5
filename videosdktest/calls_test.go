package videosdktest_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

const (
	ownNumber = "+14155559876"
	phone     = "+14155550123"
)

// bubble runs f in a bubble of time, with a server that has one number.
func bubble(t *testing.T, f func(t *testing.T, a api), opts ...videosdktest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, append(opts, videosdktest.InMemory())...)
		a.AddPhoneNumbers(ownNumber)
		f(t, a)
	})
}

// wait lets d pass in a bubble, and all that happens at its end.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// outboundRule adds a rule with fields beside those required, and returns its id.
func (a api) outboundRule(fields string) string {
	a.t.Helper()
	return a.rule("outbound", fields)
}

func (a api) rule(direction, fields string) string {
	a.t.Helper()
	body := fmt.Sprintf(`{"name":"Rule","type":%q,"phoneNumbers":[%q]%s}`, direction, ownNumber, fields)
	return a.post("/v2/sip/routing-rule", body).must(http.StatusCreated).text("id")
}

// outboundGateway returns the id of the gateway that calls go out by.
func (a api) outboundGateway() string {
	a.t.Helper()
	return a.gatewayOf(ownNumber)
}

// gatewayOf returns the id of the outbound gateway of a number.
func (a api) gatewayOf(e164 string) string {
	a.t.Helper()
	return a.get(numberPath(e164)).must(http.StatusOK).text("outbound.id")
}

// callByGateway is the body that calls a number by a gateway, with fields.
func callByGateway(gateway, to, fields string) string {
	return fmt.Sprintf(`{"sipCallTo":%q,"gatewayId":%q%s}`, to, gateway, fields)
}

// call places a call to phone by the gateway of ownNumber, with fields, and
// returns its id.
func (a api) call(fields string) string {
	a.t.Helper()
	return a.post(callsPath, callByGateway(a.outboundGateway(), phone, fields)).must(http.StatusOK).text("data.callId")
}

// callByRule is call by a routing rule.
func (a api) callByRule(rule, fields string) string {
	a.t.Helper()
	body := fmt.Sprintf(`{"sipCallTo":%q,"sipCallFrom":%q,"routingRuleId":%q%s}`, phone, ownNumber, rule, fields)
	return a.post(callsPath, body).must(http.StatusOK).text("data.callId")
}

// life returns the statuses that a call has had, and how long after its start.
func (a api) life(callID string) []string {
	a.t.Helper()
	call := a.get("/v2/sip/call/" + callID).must(http.StatusOK)
	start := instant(a.t, call.text("data.start"))
	var life []string
	for _, entry := range call.field("data.timelog").([]any) {
		entry := entry.(map[string]any)
		at := instant(a.t, entry["timestamp"].(string))
		life = append(life, fmt.Sprintf("%s %s", entry["status"], at.Sub(start)))
	}
	return life
}

func (a api) status(callID string) string {
	a.t.Helper()
	return a.get("/v2/sip/call/" + callID).must(http.StatusOK).text("data.status")
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	instant, err := time.Parse("2006-01-02T15:04:05.000Z", text)
	require.NoError(t, err)
	return instant
}

func TestCreateCallAnswersAsDocumented(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		rule := a.outboundRule("")
		got := a.post("/v2/sip/call", fmt.Sprintf(`{"sipCallTo":%q,"sipCallFrom":%q,"routingRuleId":%q,
			"destinationRoomId":"room_123456","metadata":{"campaignId":"cmp_123","source":"crm"}}`, phone, ownNumber, rule)).must(http.StatusOK)
		id := got.text("data.callId")
		assert.JSONEq(t, fmt.Sprintf(`{"message":"Call initiated successfully","data":{"callId":%q,"status":"INITIATED",
			"roomId":"room_123456","sipCallTo":"+14155550123","sipCallFrom":"+14155559876","gatewayId":%q,
			"metadata":{"campaignId":"cmp_123","source":"crm"},
			"timelog":[{"status":"INITIATED","timestamp":"2000-01-01T00:00:00.000Z"}]}}`, id, a.outboundGateway()), got.body)
	})
}

func TestGetCall(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee(phone).HangsUpAfter(time.Minute)
		rule := a.outboundRule(`,"name":"Sales"`)
		id := a.callByRule(rule, `,"destinationRoomId":"room"`)
		const up = `{"data":{"id":%q,"type":"outbound","transport":"tls","provider":"other","gatewayId":%q,"ruleId":%q,
			"roomId":"room","to":"+14155550123","from":"+14155559876","transfer":null,"sessionId":"sess_room","metadata":{},
			"region":"us002","additionalDetails":{},"start":"2000-01-01T00:00:00.000Z",
			"status":"initiated","end":null,"timelog":[{"status":"initiated","timestamp":"2000-01-01T00:00:00.000Z"}]}}`
		assert.JSONEq(t, fmt.Sprintf(up, id, a.outboundGateway(), rule), a.get("/v2/sip/call/"+id).must(http.StatusOK).body)

		wait(time.Hour)
		ended := a.get("/v2/sip/call/" + id).must(http.StatusOK)
		assert.Equal(t, "ended", ended.text("data.status"))
		assert.Equal(t, "2000-01-01T00:01:00.050Z", ended.text("data.end"))
		assert.Equal(t, []string{"initiated 0s", "ringing 20ms", "answered 50ms", "ended 1m0.05s"}, a.life(id))
	})
}

func TestGetCallThatIsUnknown(t *testing.T) {
	newAPI(t).get("/v2/sip/call/call_0").refused(http.StatusNotFound, "Call not found")
}

func TestCreateCallRefuses(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber, "+14155550001")
	outbound := a.outboundRule("")
	inbound := a.rule("inbound", "")
	gateway := a.get("/v2/sip/phone-numbers/%2B14155559876")
	a.AddPhoneNumbers("+14155550002")
	a.post("/v2/sip/routing-rule", `{"name":"Detached","type":"outbound","phoneNumbers":["+14155550002"]}`).must(http.StatusCreated)
	detached := a.get("/v2/sip/routing-rule?search=Detached").text("data.0.id")
	lonely := a.get("/v2/sip/phone-numbers/%2B14155550002").text("outbound.id")
	a.post("/v2/sip/phone-numbers/detach", `{"phoneNumber":"+14155550002"}`).must(http.StatusOK)

	tests := map[string]struct{ body, text string }{
		"an absent callee":                {`{}`, "sipCallTo is required"},
		"a callee without a plus":         {`{"sipCallTo":"14155550123"}`, "sipCallTo must be an E.164 number or a SIP URI"},
		"a SIP URI without an address":    {`{"sipCallTo":"sip:"}`, "sipCallTo must be an E.164 number or a SIP URI"},
		"a SIP URI with a space":          {`{"sipCallTo":"sip:ann lee@example.com"}`, "sipCallTo must be an E.164 number or a SIP URI"},
		"a SIP URI with a line break":     {`{"sipCallTo":"sip:ann@example.com\r\nX-A: 1"}`, "sipCallTo must be an E.164 number or a SIP URI"},
		"a SIP URI of spaces":             {`{"sipCallTo":"sip: "}`, "sipCallTo must be an E.164 number or a SIP URI"},
		"a URI of another scheme":         {`{"sipCallTo":"tel:+14155550123"}`, "sipCallTo must be an E.164 number or a SIP URI"},
		"a negative ringing timeout":      {`{"sipCallTo":"+14155550123","ringingTimeout":-1}`, "ringingTimeout must not be negative"},
		"a negative duration":             {`{"sipCallTo":"+14155550123","maxCallDuration":-1}`, "maxCallDuration must not be negative"},
		"a timeout beyond all measure":    {`{"sipCallTo":"+14155550123","ringingTimeout":9223372037}`, "ringingTimeout must not exceed 9223372036 seconds"},
		"a duration beyond all measure":   {`{"sipCallTo":"+14155550123","maxCallDuration":9223372036854775807}`, "maxCallDuration must not exceed 9223372036 seconds"},
		"a duration beyond all integers":  {`{"sipCallTo":"+14155550123","maxCallDuration":1e300}`, "maxCallDuration must be an integer"},
		"a part of a second":              {`{"sipCallTo":"+14155550123","ringingTimeout":1.5}`, "ringingTimeout must be an integer"},
		"a duration that is no number":    {`{"sipCallTo":"+14155550123","maxCallDuration":"long"}`, "maxCallDuration must be an integer"},
		"metadata that is no object":      {`{"sipCallTo":"+14155550123","metadata":"x"}`, "metadata must be an object"},
		"a participant that is no object": {`{"sipCallTo":"+14155550123","participant":"Ann"}`, "participant must be an object"},
		"a body that is no object":        {`[]`, "Request body must be a JSON object"},
		"neither a rule nor a gateway":    {`{"sipCallTo":"+14155550123","sipCallFrom":"+14155559876"}`, "routingRuleId or gatewayId is required"},
		"a caller id without a plus":      {`{"sipCallTo":"+14155550123","sipCallFrom":"14155559876"}`, "sipCallFrom must be an E.164 number"},
		"a caller id that is a SIP URI":   {`{"sipCallTo":"+14155550123","sipCallFrom":"sip:ann@example.com"}`, "sipCallFrom must be an E.164 number"},
		"an unknown rule":                 {`{"sipCallTo":"+14155550123","routingRuleId":"rr_0"}`, `routingRuleId "rr_0" does not exist`},
		"an inbound rule":                 {`{"sipCallTo":"+14155550123","routingRuleId":"` + inbound + `"}`, "Routing rule " + inbound + " is not an outbound rule"},
		"a rule without a caller id":      {`{"sipCallTo":"+14155550123","routingRuleId":"` + outbound + `"}`, "sipCallFrom is required with routingRuleId"},
		"a caller id of another rule":     {`{"sipCallTo":"+14155550123","sipCallFrom":"+14155550001","routingRuleId":"` + outbound + `"}`, "sipCallFrom +14155550001 is not a number of routing rule " + outbound},
		"a rule whose number is detached": {`{"sipCallTo":"+14155550123","sipCallFrom":"+14155550002","routingRuleId":"` + detached + `"}`, "Phone number +14155550002 is not attached to an outbound gateway"},
		"an unknown gateway":              {`{"sipCallTo":"+14155550123","gatewayId":"gw_0"}`, `gatewayId "gw_0" does not exist`},
		"an inbound gateway":              {`{"sipCallTo":"+14155550123","gatewayId":"` + gateway.text("inbound.id") + `"}`, "Gateway " + gateway.text("inbound.id") + " is not an outbound gateway"},
		"a caller id of another gateway":  {callByGateway(gateway.text("outbound.id"), phone, `,"sipCallFrom":"+442071838750"`), "sipCallFrom +442071838750 is not a number of gateway " + gateway.text("outbound.id")},
		"a caller id of a gateway's past": {callByGateway(lonely, phone, `,"sipCallFrom":"+14155550002"`), "sipCallFrom +14155550002 is not a number of gateway " + lonely},
		"a gateway without a number":      {`{"sipCallTo":"+14155550123","gatewayId":"` + lonely + `"}`, "sipCallFrom is required: gateway " + lonely + " has no number"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := api{t, a.Server}
			a.post("/v2/sip/call", test.body).refused(http.StatusBadRequest, test.text)
		})
	}
	assert.Empty(t, a.Dials())
}

func TestSettingsOfACallAreCheckedUnlessARuleHasThem(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber)
	gateway, rule := a.outboundGateway(), a.outboundRule("")
	tests := map[string]struct{ field, text string }{
		"recording that is no switch":          {`"recordAudio":"often"`, "recordAudio must be a boolean"},
		"DTMF that is neither switch nor tone": {`"dtmf":"no"`, "dtmf must be a boolean or digits"},
		"an unknown mode of encryption":        {`"mediaEncryption":"on"`, `mediaEncryption must be one of ["enable" "disable"]`},
		"hiding that is no switch":             {`"hidePhoneNumber":1`, "hidePhoneNumber must be a boolean"},
		"headers that are no object":           {`"headers":"X-A: 1"`, "headers must be an object"},
		"included headers of another shape":    {`"includeHeaders":7`, "includeHeaders must be a string or a list of strings"},
		"an unknown choice of headers":         {`"includeHeaders":"SOME"`, `includeHeaders must be one of ["ALL" "SIP_X_HEADERS" "NONE"]`},
		"an empty choice of headers":           {`"includeHeaders":""`, `includeHeaders must be one of ["ALL" "SIP_X_HEADERS" "NONE"]`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := api{t, a.Server}
			before := len(a.Dials())
			a.post(callsPath, callByGateway(gateway, phone, ","+test.field)).refused(http.StatusBadRequest, test.text)
			assert.Len(t, a.Dials(), before)
			a.callByRule(rule, ","+test.field)
		})
	}
}

func TestCreateCallFindsItsCallerID(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers("+14155550001")
	a.AddPhoneNumbers(ownNumber, "+14155550003")
	gateway := a.outboundGateway()
	tests := map[string]struct{ fields, from string }{
		"the first number of the gateway": {``, ownNumber},
		"the one given":                   {`,"sipCallFrom":"+14155550003"`, "+14155550003"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := api{t, a.Server}
			call := a.get("/v2/sip/call/" + a.call(test.fields)).must(http.StatusOK)
			assert.Equal(t, test.from, call.text("data.from"))
			assert.Equal(t, gateway, call.text("data.gatewayId"))
		})
	}
}

func TestCreateCallFindsItsRoom(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber)
	rule := a.outboundRule(`,"room":{"type":"static","id":"of-the-rule"}`)
	dynamic := a.outboundRule(`,"room":{"type":"dynamic","id":"of-no-call"}`)
	untyped := a.outboundRule(`,"room":{"id":"of-the-rule"}`)
	room := func(callID string) string { return a.get("/v2/sip/call/" + callID).text("data.roomId") }
	assert.Equal(t, "given", room(a.callByRule(rule, `,"destinationRoomId":"given"`)))
	assert.Equal(t, "of-the-rule", room(a.callByRule(rule, "")))
	assert.Equal(t, "of-the-rule", room(a.callByRule(untyped, "")))
	first, second := room(a.callByRule(dynamic, "")), room(a.callByRule(dynamic, ""))
	assert.NotContains(t, []string{"of-no-call", second}, first, "each call has a dynamic room of its own")
	assert.Regexp(t, `^[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}$`, room(a.call("")))
	assert.NotEqual(t, room(a.call("")), room(a.call("")))
}

func TestCallByAGatewayGoesWhereItsRuleSends(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber, "+14155550003")
	gateway := a.outboundGateway()
	body := fmt.Sprintf(`{"gatewayId":%q,"name":"Old","numbers":["+14155550003"],"hidePhoneNumber":true,
		"dispatch":{"room":{"type":"static","id":"lobby"},"agent":{"type":"self","id":"agent_1"}}}`, gateway)
	rule := a.post(gatewayRulesPath, body).must(http.StatusCreated).text("id")
	call := func(fields string) reply { return a.get(callsPath + "?id=" + a.call(fields)) }

	ruled := call(`,"sipCallFrom":"+14155550003","recordAudio":true`)
	assert.Equal(t, []string{rule, "Old", "lobby"},
		[]string{ruled.text("data.0.ruleId"), ruled.text("data.0.ruleName"), ruled.text("data.0.roomId")})
	assert.True(t, a.Dials()[0].Settings.RecordAudio, "the settings are those of the call")
	given := call(`,"sipCallFrom":"+14155550003","destinationRoomId":"given"`)
	assert.Equal(t, "given", given.text("data.0.roomId"))
	other := call(`,"sipCallFrom":"` + ownNumber + `"`)
	assert.Nil(t, other.field("data.0.ruleId"), "the rule is for another number")
	assert.NotEqual(t, "lobby", other.text("data.0.roomId"))

	a.delete(gatewayRulesPath + "/" + rule).must(http.StatusOK)
	assert.Nil(t, call(`,"sipCallFrom":"+14155550003"`).field("data.0.ruleId"))
}

func TestCreateCallAcceptsASIPURI(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber)
	for _, uri := range []string{"sip:ann@example.com", "sips:ann@example.com", "SIP:ann@example.com;transport=tls", "Sips:10.0.0.1"} {
		a.post(callsPath, callByGateway(a.outboundGateway(), uri, "")).must(http.StatusOK)
		assert.Equal(t, 1, a.DialCount(uri))
	}
}

func TestDialShowsTheSettingsOfTheCall(t *testing.T) {
	const given = `,"recordAudio":"true","hidePhoneNumber":true,"dtmf":%s,"mediaEncryption":"enable","headers":{"X-A":"1"},"includeHeaders":%s`
	t.Run("its own, without a rule", func(t *testing.T) {
		a := newAPI(t)
		a.AddPhoneNumbers(ownNumber)
		a.call(fmt.Sprintf(given, `"12#"`, `["X-B","X-C"]`))
		a.call(fmt.Sprintf(given, `true`, `"ALL"`))
		a.call(`,"dtmf":"","includeHeaders":null,"unknown":1`)
		dials := a.Dials()
		assert.Equal(t, videosdktest.CallSettings{
			RecordAudio: true, HidePhoneNumber: true, DTMF: true, Digits: "12#", MediaEncryption: "enable",
			Headers: map[string]string{"X-A": "1"}, IncludeHeaders: []string{"X-B", "X-C"},
		}, dials[0].Settings)
		assert.Equal(t, videosdktest.CallSettings{
			RecordAudio: true, HidePhoneNumber: true, DTMF: true, MediaEncryption: "enable",
			Headers: map[string]string{"X-A": "1"}, IncludeHeaders: []string{"ALL"},
		}, dials[1].Settings)
		assert.Equal(t, videosdktest.CallSettings{MediaEncryption: "disable"}, dials[2].Settings, "what the gateway has")

		a.patch(outboundPath+"/"+a.outboundGateway(), `{"mediaEncryption":"enable"}`).must(http.StatusOK)
		a.call("")
		a.call(`,"mediaEncryption":"disable"`)
		assert.Equal(t, "enable", a.Dials()[3].Settings.MediaEncryption)
		assert.Equal(t, "disable", a.Dials()[4].Settings.MediaEncryption)
	})
	t.Run("those of the rule, with one", func(t *testing.T) {
		a := newAPI(t)
		a.AddPhoneNumbers(ownNumber)
		rule := a.outboundRule(`,"recording":true,"dtmf":true,"headers":{"X-R":"r"},"includeHeaders":"SIP_X_HEADERS"`)
		a.callByRule(rule, fmt.Sprintf(given, `"12#"`, `"ALL"`))
		assert.Equal(t, videosdktest.CallSettings{
			RecordAudio: true, DTMF: true, MediaEncryption: "disable",
			Headers: map[string]string{"X-R": "r"}, IncludeHeaders: []string{"SIP_X_HEADERS"},
		}, a.Dials()[0].Settings)
	})
}

func TestDials(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		first := a.call(`,"metadata":{"trackingId":"t1","n":2}`)
		wait(time.Second)
		second := a.call("")
		dials := a.Dials()
		require.Len(t, dials, 2)
		assert.Equal(t, videosdktest.Dial{
			CallID: first, To: phone, From: ownNumber, Time: time.Now().Add(-time.Second),
			Metadata: map[string]any{"trackingId": "t1", "n": 2.0}, Settings: videosdktest.CallSettings{MediaEncryption: "disable"},
		}, dials[0])
		assert.Equal(t, second, dials[1].CallID)
		assert.Equal(t, 2, a.DialCount(phone))
		assert.Zero(t, a.DialCount("+14155550199"))
	})
}

func TestCallLivesByTheScriptOfItsCallee(t *testing.T) {
	tests := map[string]struct {
		script func(*videosdktest.Callee)
		fields string
		want   []string
	}{
		"answering at leisure, then hanging up": {
			func(c *videosdktest.Callee) {
				c.RingsAfter(time.Second).AnswersAfter(4 * time.Second).HangsUpAfter(time.Minute)
			}, "",
			[]string{"initiated 0s", "ringing 1s", "answered 5s", "ended 1m5s"},
		},
		"staying on the line": {
			func(c *videosdktest.Callee) { c.RingsAfter(0).AnswersAfter(0) }, "",
			[]string{"initiated 0s", "ringing 0s", "answered 0s"},
		},
		"rejecting": {
			func(c *videosdktest.Callee) { c.RingsAfter(time.Second).AnswersAfter(2 * time.Second).Rejects() }, "",
			[]string{"initiated 0s", "ringing 1s", "rejected 3s"},
		},
		"never answering": {
			func(c *videosdktest.Callee) { c.RingsAfter(time.Second).NeverAnswers() }, "",
			[]string{"initiated 0s", "ringing 1s", "not-answered 1m1s"},
		},
		"never answering within the timeout of the call": {
			func(c *videosdktest.Callee) { c.RingsAfter(time.Second).NeverAnswers() }, `,"ringingTimeout":"20"`,
			[]string{"initiated 0s", "ringing 1s", "not-answered 21s"},
		},
		"never answering within a timeout with a point": {
			func(c *videosdktest.Callee) { c.RingsAfter(time.Second).NeverAnswers() }, `,"ringingTimeout":20.0`,
			[]string{"initiated 0s", "ringing 1s", "not-answered 21s"},
		},
		"never answering all day": {
			func(c *videosdktest.Callee) { c.RingsAfter(0).NeverAnswers() }, `,"ringingTimeout":86400`,
			[]string{"initiated 0s", "ringing 0s", "not-answered 24h0m0s"},
		},
		"too slow for the timeout of the call": {
			func(c *videosdktest.Callee) { c.RingsAfter(0).AnswersAfter(21 * time.Second) }, `,"ringingTimeout":20`,
			[]string{"initiated 0s", "ringing 0s", "not-answered 20s"},
		},
		"not existing": {
			func(c *videosdktest.Callee) { c.RingsAfter(time.Second).Fails() }, "",
			[]string{"initiated 0s", "failed 1s"},
		},
		"answering again after all": {
			func(c *videosdktest.Callee) { c.Fails().Rejects().RingsAfter(0).AnswersAfter(time.Second) }, "",
			[]string{"initiated 0s", "ringing 0s", "answered 1s"},
		},
		"talking until the call has lasted too long": {
			func(c *videosdktest.Callee) { c.RingsAfter(0).AnswersAfter(0) }, `,"maxCallDuration":90`,
			[]string{"initiated 0s", "ringing 0s", "answered 0s", "ended 1m30s"},
		},
		"hanging up long before the longest call there is": {
			func(c *videosdktest.Callee) { c.RingsAfter(0).AnswersAfter(0).HangsUpAfter(time.Minute) },
			`,"ringingTimeout":9223372036,"maxCallDuration":9223372036`,
			[]string{"initiated 0s", "ringing 0s", "answered 0s", "ended 1m0s"},
		},
		"talking as long, where hanging up was due before the answer": {
			func(c *videosdktest.Callee) { c.RingsAfter(0).AnswersAfter(0).HangsUpAfter(-time.Second) }, `,"maxCallDuration":90`,
			[]string{"initiated 0s", "ringing 0s", "answered 0s", "ended 1m30s"},
		},
		"hanging up before the call has lasted too long": {
			func(c *videosdktest.Callee) { c.RingsAfter(0).AnswersAfter(0).HangsUpAfter(time.Minute) }, `,"maxCallDuration":90`,
			[]string{"initiated 0s", "ringing 0s", "answered 0s", "ended 1m0s"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				test.script(a.Callee(phone))
				id := a.call(test.fields)
				wait(48 * time.Hour)
				assert.Equal(t, test.want, a.life(id))
			})
		})
	}
}

func TestCalleePanicsWhenNobodyCanBeCalledByThatName(t *testing.T) {
	a := newAPI(t)
	for _, misspelt := range []string{"", "14155550123", "+1 415 555 0123", "tel:+14155550123", "sip: ann@example.com", "Ann"} {
		assert.PanicsWithValue(t, fmt.Sprintf("videosdktest: no call reaches %q: a callee is an E.164 number or a SIP URI", misspelt),
			func() { a.Callee(misspelt) })
	}
	a.Callee("SIPS:ann@example.com").Rejects()
}

func TestScriptHoldsForLaterCallsOnly(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		before := a.call("")
		a.Callee(phone).Fails()
		after := a.call("")
		other := a.post(callsPath, callByGateway(a.outboundGateway(), "+14155550124", "")).text("data.callId")
		wait(time.Hour)
		assert.Equal(t, "answered", a.status(before))
		assert.Equal(t, "failed", a.status(after))
		assert.Equal(t, "answered", a.status(other))
	})
}

func TestWaitUntilAnsweredAnswers(t *testing.T) {
	tests := map[string]struct {
		script func(*videosdktest.Callee)
		after  time.Duration
		status string
	}{
		"once the callee has answered": {func(c *videosdktest.Callee) { c.AnswersAfter(10 * time.Second) }, 11 * time.Second, "ANSWERED"},
		"once the callee has rejected": {func(c *videosdktest.Callee) { c.AnswersAfter(10 * time.Second).Rejects() }, 11 * time.Second, "REJECTED"},
		"once nobody has answered":     {func(c *videosdktest.Callee) { c.NeverAnswers() }, 61 * time.Second, "NOT-ANSWERED"},
		"once the call has failed":     {func(c *videosdktest.Callee) { c.Fails() }, time.Second, "FAILED"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				test.script(a.Callee(phone).RingsAfter(time.Second))
				start := time.Now()
				got := a.post(callsPath, callByGateway(a.outboundGateway(), phone, `,"waitUntilAnswered":"true"`)).must(http.StatusOK)
				assert.Equal(t, test.after, time.Since(start))
				assert.Equal(t, test.status, got.text("data.status"))
				assert.Equal(t, "INITIATED", got.text("data.timelog.0.status"))
			})
		})
	}
}

func TestEndCall(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.call("")
		wait(time.Minute)
		end := func() reply { return a.post("/v2/sip/call/end", `{"callId":"`+id+`"}`).must(http.StatusOK) }
		first := end()
		assert.Equal(t, "Call ended successfully", first.text("message"))
		assert.Equal(t, id, first.text("data.id"))
		assert.Equal(t, "ended", first.text("data.status"))
		wait(time.Minute)
		assert.Equal(t, first.body, end().body, "ending again changes nothing")
		assert.Equal(t, []string{"initiated 0s", "ringing 20ms", "answered 50ms", "ended 1m0s"}, a.life(id))
	})
}

func TestEndCallBeforeItIsAnswered(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.call("")
		a.post("/v2/sip/call/end", `{"callId":"`+id+`"}`).must(http.StatusOK)
		wait(time.Hour)
		assert.Equal(t, []string{"initiated 0s", "ended 0s"}, a.life(id))
	})
}

func TestEndCallRefuses(t *testing.T) {
	a := newAPI(t)
	a.post("/v2/sip/call/end", `{"callId":"call_0"}`).refused(http.StatusNotFound, "Call not found")
	a.post("/v2/sip/call/end", ``).refused(http.StatusBadRequest, "callId is required")
	a.post("/v2/sip/call/end", `"call_0"`).refused(http.StatusBadRequest, "Request body must be a JSON object")
}

func TestListCallsAnswersAsDocumented(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		rule := a.outboundRule("")
		id := a.callByRule(rule, `,"destinationRoomId":"room","metadata":{"a":1}`)
		assert.JSONEq(t, fmt.Sprintf(`{"statusCode":200,"pageInfo":{"currentPage":1,"perPage":10,"lastPage":1,"total":1},
			"data":[{"_id":%q,"callId":%q,"type":"outbound","transport":"tls","provider":"other","gatewayId":%q,"gatewayName":"videosdktest",
			"ruleId":%q,"ruleName":"Rule","roomId":"room","to":"+14155550123","from":"+14155559876","transfer":null,"status":"initiated",
			"metadata":{"a":1},"timelog":[{"status":"initiated","timestamp":"2000-01-01T00:00:00.000Z"}],"start":"2000-01-01T00:00:00.000Z",
			"end":null,"sessionId":"sess_room","userId":%q,"deleted":false,"region":"us002","additionalDetails":{}}]}`,
			id[len("call_"):], id, a.outboundGateway(), rule, "usr_"+a.APIKey), a.get("/v2/sip/call").must(http.StatusOK).body)
	})
}

func TestListCallsFilters(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		rule := a.outboundRule("")
		a.rule("inbound", "")
		wait(12 * time.Hour) // noon of the 1st
		first := a.callByRule(rule, `,"destinationRoomId":"Sales-1"`)
		wait(24 * time.Hour) // noon of the 2nd
		second := a.call(`,"destinationRoomId":"support"`)
		wait(24 * time.Hour) // noon of the 3rd
		third, err := a.InboundCall("+442071838750", ownNumber)
		require.NoError(t, err)

		day := func(n, hour int) string {
			return strconv.FormatInt(time.Date(2000, 1, n, hour, 0, 0, 0, time.UTC).UnixMilli(), 10)
		}
		tests := map[string]struct {
			query string
			want  []any
		}{
			"nothing, newest first":              {"", []any{third, second, first}},
			"the room":                           {"?roomId=support", []any{second}},
			"the session":                        {"?sessionId=sess_Sales-1", []any{first}},
			"the id":                             {"?id=" + third, []any{third}},
			"the gateway":                        {"?gatewayId=" + a.outboundGateway(), []any{second, first}},
			"the rule":                           {"?ruleId=" + rule, []any{first}},
			"the type":                           {"?type=inbound", []any{third}},
			"a part of the callee's number":      {"?search=550123", []any{second, first}},
			"a part of the caller's number":      {"?search=%2B4420", []any{third}},
			"a part of the room, in any case":    {"?search=sales", []any{first}},
			"a start":                            {"?startDate=" + day(2, 12), []any{third, second}},
			"an end, whose day is included":      {"?endDate=" + day(2, 0), []any{second, first}},
			"a start and an end":                 {"?startDate=" + day(2, 0) + "&endDate=" + day(2, 23), []any{second}},
			"several at once":                    {"?search=support&type=outbound", []any{second}},
			"a page of one":                      {"?page=2&perPage=1", []any{second}},
			"what there is none of":              {"?roomId=none", nil},
			"empty values, which filter nothing": {"?roomId=&type=&search=&startDate=", []any{third, second, first}},
		}
		for name, test := range tests {
			var got []any
			for _, item := range a.get("/v2/sip/call" + test.query).must(http.StatusOK).field("data").([]any) {
				got = append(got, item.(map[string]any)["callId"])
			}
			assert.Equal(t, test.want, got, "filtered by %s", name)
		}
		for _, query := range []string{"?startDate=yesterday", "?endDate=2000-01-01", "?page=0", "?perPage=x"} {
			a.get("/v2/sip/call" + query).must(http.StatusBadRequest)
		}
	})
}

func TestListDelayKeepsNewCallsOutOfTheList(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.call("")
		assert.Equal(t, "initiated", a.status(id), "the call is found at once")
		assert.Empty(t, a.get("/v2/sip/call").field("data"))
		wait(5 * time.Second)
		assert.Equal(t, id, a.get("/v2/sip/call").text("data.0.callId"))
	}, videosdktest.WithListDelay(5*time.Second))
}

func TestSetCallStatusAndHangUpAreErrors(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber)
	id := a.call("")
	require.NoError(t, a.HangUp(id))
	assert.EqualError(t, a.HangUp(id), "videosdktest: call "+id+" has ended: rejected")
	assert.EqualError(t, a.SetCallStatus(id, "answered"), "videosdktest: call "+id+" has ended: rejected")
	assert.EqualError(t, a.SetCallStatus("call_0", "answered"), `videosdktest: no call "call_0"`)
}

func TestSetCallStatusTakesTheCallFromItsScript(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee(phone).HangsUpAfter(time.Minute)
		id := a.call("")
		require.NoError(t, a.SetCallStatus(id, "ringing"))
		wait(time.Hour)
		assert.Equal(t, "ringing", a.status(id))
		require.NoError(t, a.SetCallStatus(id, "verified"))
		assert.Equal(t, "verified", a.status(id))
		require.NoError(t, a.SetCallStatus(id, "answered"))
		wait(time.Second)
		require.NoError(t, a.SetCallStatus(id, "answered"))
		wait(time.Hour)
		assert.Equal(t, []string{"initiated 0s", "ringing 0s", "verified 1h0m0s", "answered 1h0m0s", "answered 1h0m1s", "ended 1h1m0s"}, a.life(id))
	})
}

func TestSetCallStatusSetsWhateverItIsTold(t *testing.T) {
	for _, status := range []string{
		"verified", "transfer-accepted", "switch-room-initiated", "switch-room-completed", "switch-room-failed", "of-tomorrow",
	} {
		t.Run(status, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				id := a.call("")
				require.NoError(t, a.SetCallStatus(id, status))
				assert.Equal(t, status, a.status(id))
				assert.Equal(t, []string{"initiated 0s", status + " 0s"}, a.life(id))
			})
		})
	}
}

func TestSetCallStatusCompletedEndsTheCall(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber)
	id := a.call("")
	require.NoError(t, a.SetCallStatus(id, "COMPLETED"))
	assert.Equal(t, "completed", a.status(id))
	assert.NotNil(t, a.get("/v2/sip/call/"+id).field("data.end"))
}

func TestHangUpOfAnAnsweredCall(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.call("")
		wait(time.Minute)
		require.NoError(t, a.HangUp(id))
		assert.Equal(t, "ended", a.status(id))
	})
}

func TestInboundCall(t *testing.T) {
	tests := map[string]struct {
		script func(*videosdktest.Callee)
		want   []string
	}{
		"is answered":                      {func(c *videosdktest.Callee) { c.AnswersAfter(time.Second) }, []string{"incoming 0s", "ringing 20ms", "answered 1.02s"}},
		"is missed when nobody answers it": {func(c *videosdktest.Callee) { c.NeverAnswers() }, []string{"incoming 0s", "ringing 20ms", "missed 1m0.02s"}},
		"is rejected":                      {func(c *videosdktest.Callee) { c.Rejects() }, []string{"incoming 0s", "ringing 20ms", "rejected 50ms"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				rule := a.rule("inbound", `,"room":{"type":"static","id":"front-desk"},"agentId":"agent_1"`)
				test.script(a.Callee(ownNumber))
				id, err := a.InboundCall(phone, ownNumber)
				require.NoError(t, err)
				wait(time.Hour)
				assert.Equal(t, test.want, a.life(id))
				call := a.get("/v2/sip/call/" + id)
				assert.Equal(t, "inbound", call.text("data.type"))
				assert.Equal(t, phone, call.text("data.from"))
				assert.Equal(t, ownNumber, call.text("data.to"))
				assert.Equal(t, rule, call.text("data.ruleId"))
				assert.Equal(t, "front-desk", call.text("data.roomId"))
				assert.Equal(t, a.get("/v2/sip/phone-numbers/%2B14155559876").text("inbound.id"), call.text("data.gatewayId"))
				assert.Empty(t, a.Dials(), "an inbound call is no dial")
			})
		})
	}
}

func TestInboundCallIsAbandonedByItsCaller(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber)
	a.rule("inbound", "")
	a.Callee(ownNumber).NeverAnswers()
	id, err := a.InboundCall(phone, ownNumber)
	require.NoError(t, err)
	require.NoError(t, a.HangUp(id))
	assert.Equal(t, "abandoned", a.status(id))
}

func TestInboundCallIsTakenByTheRuleOfAGateway(t *testing.T) {
	const (
		line   = "+14150001111"  // of the rule, and no number of the account
		caller = "+912255550123" // whom the gateway allows
	)
	bubble(t, func(t *testing.T, a api) {
		in, out := a.addGateway(inboundPath), a.addGateway(outboundPath)
		a.post(gatewayRulesPath, gatewayRule(out)).must(http.StatusCreated)
		_, err := a.InboundCall(caller, line)
		require.EqualError(t, err, "videosdktest: no inbound rule takes calls to "+line, "that of an outbound gateway does not")

		static := strings.Replace(gatewayRule(in), "dynamic", "static", 1)
		rule := a.post(gatewayRulesPath, static).must(http.StatusCreated).text("id")
		id, err := a.InboundCall(caller, line)
		require.NoError(t, err)
		wait(time.Minute)
		assert.Equal(t, []string{"incoming 0s", "ringing 20ms", "answered 50ms"}, a.life(id))
		call := a.get("/v2/sip/call?id=" + id)
		assert.Equal(t, rule, call.text("data.0.ruleId"))
		assert.Equal(t, "Support Line Rule", call.text("data.0.ruleName"))
		assert.Equal(t, in, call.text("data.0.gatewayId"))
		assert.Equal(t, "room_123", call.text("data.0.roomId"))

		a.delete(gatewayRulesPath + "/" + rule).must(http.StatusOK)
		_, err = a.InboundCall(caller, line)
		require.Error(t, err, "a rule that is deleted takes none")
		a.post(gatewayRulesPath, gatewayRule(in)).must(http.StatusCreated)
		a.delete(inboundPath + "/" + in).must(http.StatusOK)
		_, err = a.InboundCall(caller, line)
		require.Error(t, err, "nor does one whose gateway is")
	})
}

func TestNumberThatHasLeftItsGatewayTakesNoCallByTheGatewaysRule(t *testing.T) {
	tests := map[string]func(a api, gateway string){
		"detached": func(a api, _ string) {
			a.post(numbersPath+"/detach", fmt.Sprintf(`{"phoneNumber":%q}`, ownNumber)).must(http.StatusOK)
		},
		"released": func(a api, _ string) {
			id := a.get(numberPath(ownNumber)).text("phoneNumber.phoneNumberId")
			a.post(numbersPath+"/"+id+"/release", `{}`).must(http.StatusOK)
		},
		"left out by an update of the gateway": func(a api, gateway string) {
			a.patch(inboundPath+"/"+gateway, `{"numbers":["+14155550003"]}`).must(http.StatusOK)
		},
	}
	for name, leave := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.AddPhoneNumbers(ownNumber, "+14155550003")
			gateway := a.get(numberPath(ownNumber)).text("inbound.id")
			a.post(gatewayRulesPath, fmt.Sprintf(`{"gatewayId":%q,"name":"Old","numbers":[%q],"dispatch":{"agent":{"type":"self","id":"agent_old"}}}`, gateway, ownNumber)).
				must(http.StatusCreated)
			_, err := a.InboundCall(phone, ownNumber)
			require.NoError(t, err)
			leave(a, gateway)
			_, err = a.InboundCall(phone, ownNumber)
			require.EqualError(t, err, "videosdktest: no inbound rule takes calls to "+ownNumber)
		})
	}
}

func TestInboundCallGoesByTheRuleOfItsNumberFirst(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber)
	gateway := a.get(numberPath(ownNumber)).text("inbound.id")
	a.post(gatewayRulesPath, fmt.Sprintf(`{"gatewayId":%q,"name":"Old","numbers":[%q],"dispatch":{"agent":{"type":"self","id":"agent_old"}}}`, gateway, ownNumber)).
		must(http.StatusCreated)
	rule := a.rule("inbound", "")
	id, err := a.InboundCall(phone, ownNumber)
	require.NoError(t, err)
	assert.Equal(t, rule, a.get("/v2/sip/call/"+id).text("data.ruleId"))
}

func TestInboundCallOfACallerWhoIsNotAllowedIsRejected(t *testing.T) {
	tests := map[string]struct {
		ofRule, ofGateway string // lists of allowed numbers
		allowed           bool
	}{
		"with no list":                          {`[]`, `[]`, true},
		"in the list of the rule":               {`["+44*","+1415*"]`, `[]`, true},
		"in the list of the gateway":            {`[]`, `["+14155550123"]`, true},
		"in both lists":                         {`["+1*"]`, `["*0123"]`, true},
		"not in the list of the rule":           {`["+91*"]`, `[]`, false},
		"not in the list of the gateway":        {`[]`, `["+91*","+1415555012"]`, false},
		"in the list of the rule only":          {`["+1*"]`, `["+91*"]`, false},
		"in the list of the gateway only":       {`["+91*"]`, `["+1*"]`, false},
		"in a list whose pattern is not closed": {`["+1[*"]`, `[]`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				a.rule("inbound", `,"allowedNumbers":`+test.ofRule)
				gateway := a.get(numberPath(ownNumber)).text("inbound.id")
				a.patch(inboundPath+"/"+gateway, `{"allowedNumbers":`+test.ofGateway+`}`).must(http.StatusOK)
				id, err := a.InboundCall(phone, ownNumber)
				require.NoError(t, err)
				wait(time.Minute)
				if test.allowed {
					assert.Equal(t, "answered", a.status(id))
				} else {
					assert.Equal(t, []string{"incoming 0s", "rejected 0s"}, a.life(id))
				}
			})
		})
	}
}

func TestInboundCallNeedsAWayIn(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber)
	_, err := a.InboundCall(phone, ownNumber)
	require.EqualError(t, err, "videosdktest: no inbound rule takes calls to +14155559876")
	a.rule("inbound", "")
	a.post("/v2/sip/phone-numbers/detach", `{"phoneNumber":"+14155559876"}`).must(http.StatusOK)
	_, err = a.InboundCall(phone, ownNumber)
	require.EqualError(t, err, "videosdktest: +14155559876 is not attached to an inbound gateway")
}

func TestCallsStandStillAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.call("")
		a.Close()
		wait(time.Hour)
		assert.Len(t, a.Dials(), 1, "what was recorded can still be read")
		assert.NoError(t, a.SetCallStatus(a.Dials()[0].CallID, "ringing"))
	})
}

func TestACallThatComesAfterCloseStandsStill(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.rule("inbound", "")
		a.Callee(ownNumber).Fails()
		a.Close()
		id, err := a.InboundCall(phone, ownNumber)
		require.NoError(t, err)
		wait(time.Hour)
		assert.NoError(t, a.HangUp(id), "it has not failed")
	})
}

func TestHangUpMeetsTheScriptAtTheSameTime(t *testing.T) {
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber)
	a.Callee(phone).RingsAfter(0).AnswersAfter(0).HangsUpAfter(time.Nanosecond)
	for range 100 {
		id := a.call("")
		_ = a.HangUp(id) // unless the callee was faster
		life := a.life(id)
		assert.Regexp(t, "^(ended|rejected) ", life[len(life)-1])
		assert.Equal(t, a.life(id), life, "nothing happens after the end")
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	const calls = 300
	bubble(t, func(t *testing.T, a api) {
		a.Callee(phone).HangsUpAfter(time.Second)
		done := make(chan struct{})
		for range calls {
			go func() {
				defer func() { done <- struct{}{} }()
				a.call(`,"waitUntilAnswered":true`)
			}()
		}
		for range calls {
			<-done
		}
		wait(time.Minute)
		assert.Equal(t, calls, a.DialCount(phone))
		assert.InEpsilon(t, calls, a.get("/v2/sip/call").field("pageInfo.total"), 0)
	})
}
