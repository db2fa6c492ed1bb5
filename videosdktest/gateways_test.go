package videosdktest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	inboundPath  = "/v2/sip/inbound-gateways"
	outboundPath = "/v2/sip/outbound-gateways"

	// fullGateway sets every field; inbound ignores address and transport.
	fullGateway = `{"name":"Full","numbers":["+11234567890"],"address":"sip.example.com","transport":"udp",
		"auth":{"username":"u","password":"p"},"allowedAddresses":["10.0.0.0/8"],"allowedNumbers":["+91*"],"mediaEncryption":"enable",
		"record":true,"noiseCancellation":true,"enableDtmf":true,"metadata":{"env":"test"},"tags":["a"],"geoRegion":"in002"}`
)

func TestGatewayIsCreatedAsDocumented(t *testing.T) {
	tests := []struct{ name, path, body, object string }{
		{"inbound of the seed sample", inboundPath, `{"name":"Twilio Inbound Gateway","numbers":["+11234567890","+19876543210"]}`,
			`{"id":%q,"name":"Twilio Inbound Gateway","address":null,"numbers":["+11234567890","+19876543210"],"allowedAddresses":[],
			"allowedNumbers":[],"mediaEncryption":"disable","transport":null,"record":false,"noiseCancellation":false,"enableDtmf":false,
			"tags":[],"auth":{},"geoRegion":null,"metadata":{}}`},
		{"inbound with everything", inboundPath, fullGateway,
			`{"id":%q,"name":"Full","address":null,"numbers":["+11234567890"],"allowedAddresses":["10.0.0.0/8"],"allowedNumbers":["+91*"],
			"mediaEncryption":"enable","transport":null,"record":true,"noiseCancellation":true,"enableDtmf":true,"tags":["a"],
			"auth":{"username":"u","password":"p"},"geoRegion":"in002","metadata":{"env":"test"}}`},
		{"outbound with the least", outboundPath, `{"name":"Out","numbers":["+11234567890"],"address":"sip.example.com","auth":null}`,
			`{"id":%q,"name":"Out","address":"sip.example.com","numbers":["+11234567890"],"allowedAddresses":[],"allowedNumbers":[],
			"mediaEncryption":"disable","transport":"tls","record":false,"noiseCancellation":false,"enableDtmf":false,"tags":[],
			"auth":{},"geoRegion":null,"metadata":{}}`},
		{"outbound with everything", outboundPath, fullGateway,
			`{"id":%q,"name":"Full","address":"sip.example.com","numbers":["+11234567890"],"allowedAddresses":[],"allowedNumbers":[],
			"mediaEncryption":"enable","transport":"udp","record":true,"noiseCancellation":true,"enableDtmf":true,"tags":["a"],
			"auth":{"username":"u","password":"p"},"geoRegion":"in002","metadata":{"env":"test"}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := newAPI(t)
			created := api.post(test.path, test.body).must(http.StatusCreated)
			assert.JSONEq(t, fmt.Sprintf(test.object, created.text("id")), created.body)
			assert.Equal(t, created.body, api.get(test.path+"/"+created.text("id")).must(http.StatusOK).body)
		})
	}
}

func TestGatewayIsValidated(t *testing.T) {
	tests := []struct{ name, path, body, refusal string }{
		{"without a name", inboundPath, `{"numbers":["+11234567890"]}`, "name is required"},
		{"with an empty name", inboundPath, `{"name":"","numbers":["+11234567890"]}`, "name must not be empty"},
		{"without numbers", inboundPath, `{"name":"x"}`, "numbers is required"},
		{"with the key of another resource", inboundPath, `{"name":"x","phoneNumbers":["+11234567890"]}`, "numbers is required"},
		{"with no number", inboundPath, `{"name":"x","numbers":[]}`, "numbers is required"},
		{"without an address for outbound", outboundPath, `{"name":"x","numbers":["+11234567890"]}`, "address is required"},
		{"with a blank name", inboundPath, `{"name":" ","numbers":["+11234567890"]}`, "name must not be empty"},
		{"with an empty address", outboundPath, `{"name":"x","numbers":["+11234567890"],"address":""}`, "address must not be empty"},
		{"with an unknown transport", outboundPath, `{"name":"x","numbers":["+11234567890"],"address":"a","transport":"TLS"}`,
			`transport must be one of ["udp" "tcp" "tls"]`},
		{"with an unknown media encryption", inboundPath, `{"name":"x","numbers":["+11234567890"],"mediaEncryption":true}`,
			"mediaEncryption must be a string"},
		{"with half of the credentials", inboundPath, `{"name":"x","numbers":["+11234567890"],"auth":{"password":"p"}}`,
			"auth needs username and password"},
		{"with metadata that is not of strings", inboundPath, `{"name":"x","numbers":["+11234567890"],"metadata":{"a":1}}`,
			"metadata must be an object"},
		{"with numbers that are not strings", inboundPath, `{"name":"x","numbers":[1]}`, "numbers must be a list of strings"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := newAPI(t)
			api.post(test.path, test.body).refused(http.StatusBadRequest, test.refusal)
			assert.Equal(t, 0.0, api.get(test.path).field("pageInfo.total"))
		})
	}
}

func TestGatewayUpdateResetsWhatItLeavesOut(t *testing.T) {
	for _, path := range []string{inboundPath, outboundPath} {
		t.Run(path, func(t *testing.T) {
			api := newAPI(t)
			created := api.post(path, fullGateway)
			updated := api.patch(path+"/"+created.text("id"), `{"name":"Renamed","auth":{}}`).must(http.StatusOK)

			for _, trapped := range []string{"record", "noiseCancellation", "enableDtmf"} {
				assert.Equal(t, false, updated.field(trapped), trapped)
			}
			assert.Nil(t, updated.field("geoRegion"))
			assert.Equal(t, "Renamed", updated.field("name"))
			assert.Equal(t, map[string]any{}, updated.field("auth"))
			for _, kept := range []string{"id", "address", "transport", "numbers", "allowedAddresses", "allowedNumbers", "mediaEncryption", "tags", "metadata"} {
				assert.Equal(t, created.field(kept), updated.field(kept), kept)
			}
			assert.Equal(t, updated.body, api.get(path+"/"+created.text("id")).body)
		})
	}
}

func TestGatewayUpdateChangesWhatItStates(t *testing.T) {
	tests := []struct {
		name, body, field string
		value             any
	}{
		{"recording as a string", `{"record":"true"}`, "record", true},
		{"region", `{"geoRegion":"us002"}`, "geoRegion", "us002"},
		{"region by null", `{"geoRegion":null}`, "geoRegion", nil},
		{"region by nothing", `{"geoRegion":""}`, "geoRegion", nil},
		{"address", `{"address":"sip2.example.com"}`, "address", "sip2.example.com"},
		{"transport", `{"transport":"tcp"}`, "transport", "tcp"},
		{"numbers", `{"numbers":["+15550000"]}`, "numbers", []any{"+15550000"}},
		{"no number", `{"numbers":[]}`, "numbers", []any{}},
		{"allowed numbers", `{"allowedNumbers":["+1*"]}`, "allowedNumbers", []any{"+1*"}},
		{"tags", `{"tags":[]}`, "tags", []any{}},
		{"metadata", `{"metadata":{}}`, "metadata", map[string]any{}},
		{"credentials", `{"auth":{"username":"a","password":"b"}}`, "auth", map[string]any{"username": "a", "password": "b"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := newAPI(t)
			path := outboundPath + "/" + api.post(outboundPath, fullGateway).text("id")
			assert.Equal(t, test.value, api.patch(path, test.body).must(http.StatusOK).field(test.field))
		})
	}
}

func TestGatewayUpdateIsValidated(t *testing.T) {
	api := newAPI(t)
	path := outboundPath + "/" + api.post(outboundPath, fullGateway).text("id")
	before := api.get(path).body
	api.patch(path, `{"name":""}`).refused(http.StatusBadRequest, "name must not be empty")
	api.patch(path, `{"record":"often"}`).refused(http.StatusBadRequest, "record must be a boolean")
	for _, unknown := range []string{"on", ""} {
		api.patch(path, `{"mediaEncryption":"`+unknown+`"}`).refused(http.StatusBadRequest, `mediaEncryption must be one of ["enable" "disable"]`)
		api.put(path, `{"transport":"`+unknown+`"}`).refused(http.StatusBadRequest, `transport must be one of ["udp" "tcp" "tls"]`)
	}
	assert.Equal(t, before, api.get(path).body)
}

func TestGatewayOfOutboundIsUpdatedByPutToo(t *testing.T) {
	api := newAPI(t)
	out := outboundPath + "/" + api.post(outboundPath, fullGateway).text("id")
	in := inboundPath + "/" + api.post(inboundPath, fullGateway).text("id")
	assert.Equal(t, "y", api.put(out, `{"name":"y"}`).must(http.StatusOK).field("name"))
	api.put(in, `{"name":"y"}`).must(http.StatusMethodNotAllowed)
}

func TestGatewayIsOfOneDirectionOnly(t *testing.T) {
	api := newAPI(t)
	in := api.post(inboundPath, fullGateway).text("id")
	api.get(outboundPath+"/"+in).refused(http.StatusNotFound, "Gateway not found")
	api.patch(outboundPath+"/"+in, `{}`).must(http.StatusNotFound)
	api.delete(outboundPath + "/" + in).must(http.StatusNotFound)
	assert.Equal(t, 0.0, api.get(outboundPath).field("pageInfo.total"))
}

func TestGatewaysAreFiltered(t *testing.T) {
	api := newAPI(t)
	var ids []string
	for _, name := range []string{"Sales", "Support", "sales 2"} {
		ids = append(ids, api.post(inboundPath, fmt.Sprintf(`{"name":%q,"numbers":["+11234567890"]}`, name)).text("id"))
	}
	assert.Equal(t, ids, api.get(inboundPath).texts("id"))
	assert.Equal(t, []string{ids[0], ids[2]}, api.get(inboundPath+"?search=SALES").texts("id"))
	assert.Equal(t, []string{ids[1]}, api.get(inboundPath+"?id="+ids[1]).texts("id"))
	assert.Equal(t, []string{ids[2]}, api.get(inboundPath+"?page=2&perPage=2").texts("id"))
	api.get(inboundPath+"?page=0").refused(http.StatusBadRequest, "page must be a positive integer")
}

func TestGatewayIsDeletedSoftly(t *testing.T) {
	api := newAPI(t)
	id := api.post(inboundPath, fullGateway).text("id")
	assert.JSONEq(t, `{"message":"Gateway deleted successfully"}`, api.delete(inboundPath+"/"+id).must(http.StatusOK).body)

	const unknown = "Gateway not found"
	api.get(inboundPath+"/"+id).refused(http.StatusNotFound, unknown)
	api.patch(inboundPath+"/"+id, `{}`).refused(http.StatusNotFound, unknown)
	api.delete(inboundPath+"/"+id).refused(http.StatusNotFound, unknown)
	assert.Equal(t, 0.0, api.get(inboundPath).field("pageInfo.total"))
}

func TestGatewayOfANumberIsOneOfTheAccount(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234", "+14155555678")
	number := api.get(numberPath("+14155551234"))
	assert.Equal(t, []string{number.text("inbound.id")}, api.get(inboundPath).texts("id"))

	api.patch(inboundPath+"/"+number.text("inbound.id"), `{"numbers":["+14155551234"]}`).must(http.StatusOK)
	assert.NotNil(t, api.get(numberPath("+14155551234")).field("inbound"))
	assert.Nil(t, api.get(numberPath("+14155555678")).field("inbound"))

	api.delete(outboundPath + "/" + number.text("outbound.id")).must(http.StatusOK)
	assert.Nil(t, api.get(numberPath("+14155551234")).field("outbound"))
	assert.NotNil(t, api.get(numberPath("+14155551234")).field("inbound"))
}
