package videosdktest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	numbersPath = "/v2/sip/phone-numbers"

	// numberSetup is the sample of the documentation.
	numberSetup = `{"name":"My SIP Setup","phoneNumbers":["+14155551234","+14155555678"],"isShared":true,"mediaEncryption":"disable",
		"inbound":{"sipRegion":"us002"},
		"outbound":{"sipRegion":"us002","address":"sip.telnyx.com:5061","transport":"tls","auth":{"username":"sip-user","password":"sip-pass"}}}`
)

// numberPath is the path of a phone number.
func numberPath(e164 string) string {
	return numbersPath + "/" + strings.ReplaceAll(e164, "+", "%2B")
}

func TestPhoneNumberIsCreatedAsDocumented(t *testing.T) {
	api := newAPI(t)

	created := api.post(numbersPath, numberSetup).must(http.StatusCreated)
	assert.JSONEq(t, `{"message":"Phone Number with SIP Configured Created Successfully"}`, created.body)

	got := api.get(numberPath("+14155551234")).must(http.StatusOK)
	assert.JSONEq(t, fmt.Sprintf(`{
		"phoneNumber": {"phoneNumberId":%q,"e164":"+14155551234","countryCode":"US","provider":"other","origin":"SIP Configured",
			"status":"ACTIVE","createdAt":%q,"updatedAt":%q,"name":"My SIP Setup"},
		"inbound": {"id":%q,"name":"My SIP Setup","address":null,"numbers":["+14155551234","+14155555678"],"allowedAddresses":[],
			"allowedNumbers":[],"mediaEncryption":"disable","transport":null,"record":false,"noiseCancellation":false,
			"enableDtmf":false,"tags":[],"auth":{},"geoRegion":"us002","metadata":{}},
		"outbound": {"id":%q,"name":"My SIP Setup","address":"sip.telnyx.com:5061","numbers":["+14155551234","+14155555678"],
			"allowedAddresses":[],"allowedNumbers":[],"mediaEncryption":"disable","transport":"tls","record":false,
			"noiseCancellation":false,"enableDtmf":false,"tags":[],"auth":{"username":"sip-user","password":"sip-pass"},
			"geoRegion":"us002","metadata":{}}}`,
		got.text("phoneNumber.phoneNumberId"), got.text("phoneNumber.createdAt"), got.text("phoneNumber.updatedAt"),
		got.text("inbound.id"), got.text("outbound.id")), got.body)
	assert.Regexp(t, `^pn_`, got.text("phoneNumber.phoneNumberId"))
	assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`, got.text("phoneNumber.createdAt"))
}

func TestPhoneNumberSharesItsGatewaysUnlessToldOtherwise(t *testing.T) {
	tests := []struct {
		name, isShared string
		shared         bool
	}{
		{"left out", ``, true},
		{"null", `"isShared":null,`, true},
		{"true", `"isShared":true,`, true},
		{"true as a string", `"isShared":"true",`, true},
		{"false", `"isShared":false,`, false},
		{"false as a string", `"isShared":"false",`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := newAPI(t)
			api.post(numbersPath, strings.Replace(numberSetup, `"isShared":true,`, test.isShared, 1)).must(http.StatusCreated)

			one, two := api.get(numberPath("+14155551234")), api.get(numberPath("+14155555678"))
			assert.Equal(t, test.shared, one.text("inbound.id") == two.text("inbound.id"))
			assert.Equal(t, test.shared, one.text("outbound.id") == two.text("outbound.id"))
			if !test.shared {
				assert.Equal(t, []any{"+14155551234"}, one.field("outbound.numbers"))
			}
		})
	}
}

func TestPhoneNumberSetupIsValidated(t *testing.T) {
	tests := []struct {
		name, old, new, refusal string
	}{
		{"without a name", `"name":"My SIP Setup",`, ``, "name is required"},
		{"with a blank name", `"My SIP Setup"`, `" "`, "name is required"},
		{"with a key in the wrong case", `"name"`, `"Name"`, "name is required"},
		{"without numbers", `"phoneNumbers":["+14155551234","+14155555678"],`, ``, "phoneNumbers is required"},
		{"with an empty list of numbers", `["+14155551234","+14155555678"]`, `[]`, "phoneNumbers is required"},
		{"with one number not in E.164 form", `+14155555678`, `4155555678`, `phoneNumbers: "4155555678" is not an E.164 number`},
		{"with a number that is too long", `+14155555678`, `+1415555567801234`, `phoneNumbers: "+1415555567801234" is not an E.164 number`},
		{"with a number that starts with 0", `+14155555678`, `+04155555678`, `phoneNumbers: "+04155555678" is not an E.164 number`},
		{"with letters in a number", `+14155555678`, `+1415555567a`, `phoneNumbers: "+1415555567a" is not an E.164 number`},
		{"with numbers that are no list", `["+14155551234","+14155555678"]`, `"+14155551234"`, "phoneNumbers must be a list of strings"},
		{"without a region for inbound", `"inbound":{"sipRegion":"us002"}`, `"inbound":{}`, "inbound.sipRegion is required"},
		{"without inbound", `"inbound":{"sipRegion":"us002"},`, ``, "inbound.sipRegion is required"},
		{"with inbound that is null", `{"sipRegion":"us002"}`, `null`, "inbound.sipRegion is required"},
		{"with inbound that is no object", `{"sipRegion":"us002"}`, `"us002"`, "inbound must be an object"},
		{"without an address for outbound", `"address":"sip.telnyx.com:5061",`, ``, "outbound.address is required"},
		{"with a blank address for outbound", `"sip.telnyx.com:5061"`, `" "`, "outbound.address is required"},
		{"without outbound", `"outbound"`, `"Outbound"`, "outbound.address is required"},
		{"without a region for outbound", `"outbound":{"sipRegion":"us002",`, `"outbound":{`, "outbound.sipRegion is required"},
		{"with an unknown transport", `"transport":"tls"`, `"transport":"sctp"`, `outbound.transport must be one of ["udp" "tcp" "tls"]`},
		{"with an unknown media encryption", `"disable"`, `"off"`, `mediaEncryption must be one of ["enable" "disable"]`},
		{"with half of the credentials", `,"password":"sip-pass"`, ``, "outbound.auth needs username and password"},
		{"with isShared that is no boolean", `"isShared":true`, `"isShared":"yes"`, "isShared must be a boolean"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := newAPI(t)
			setup := strings.Replace(numberSetup, test.old, test.new, 1)
			require.NotEqual(t, numberSetup, setup)
			api.post(numbersPath, setup).refused(http.StatusBadRequest, test.refusal)
			assert.Equal(t, 0.0, api.get(numbersPath).field("pageInfo.total"))
		})
	}
}

func TestPhoneNumberSetupMustBeAnObject(t *testing.T) {
	for _, body := range []string{`[]`, `"x"`, `{`, `{} {}`, `null`} {
		t.Run(body, func(t *testing.T) {
			newAPI(t).post(numbersPath, body).refused(http.StatusBadRequest, "Request body must be a JSON object")
		})
	}
}

func TestPhoneNumberSetupMayLeaveOutTransport(t *testing.T) {
	api := newAPI(t)
	api.post(numbersPath, `{"name":"x","phoneNumbers":["+14155551234"],"inbound":{"sipRegion":"auto"},
		"outbound":{"sipRegion":"auto","address":"sip.example.com","unknown":[]}}`).must(http.StatusCreated)
	assert.Equal(t, "tls", api.get(numberPath("+14155551234")).field("outbound.transport"))
}

func TestPhoneNumberThatIsAttachedLeavesTheOthersUncreated(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155550000")

	api.post(numbersPath, strings.Replace(numberSetup, "+14155555678", "+14155550000", 1)).
		refused(http.StatusBadRequest, "Phone number +14155550000 is already attached to an inbound gateway")
	api.get(numberPath("+14155551234")).must(http.StatusNotFound)
	assert.Equal(t, 1.0, api.get(numbersPath).field("pageInfo.total"))
}

func TestPhoneNumberThatIsAttachedInOneDirectionIsRefused(t *testing.T) {
	tests := []struct{ attached, otherID, otherPath string }{
		{"inbound", "outbound.id", outboundPath},
		{"outbound", "inbound.id", inboundPath},
	}
	for _, test := range tests {
		t.Run(test.attached, func(t *testing.T) {
			api := newAPI(t)
			api.AddPhoneNumbers("+14155551234")
			api.delete(test.otherPath + "/" + api.get(numberPath("+14155551234")).text(test.otherID)).must(http.StatusOK)
			api.post(numbersPath, numberSetup).
				refused(http.StatusBadRequest, "Phone number +14155551234 is already attached to an "+test.attached+" gateway")
		})
	}
}

func TestPhoneNumberGivenTwiceIsCreatedOnce(t *testing.T) {
	api := newAPI(t)
	api.post(numbersPath, strings.Replace(numberSetup, "+14155555678", "+14155551234", 1)).must(http.StatusCreated)
	list := api.get(numbersPath)
	assert.Equal(t, 1.0, list.field("pageInfo.total"))
	assert.Equal(t, []any{"+14155551234"}, list.field("data.0.inbound.numbers"))
}

func TestPhoneNumbersAreListedAPageAtATime(t *testing.T) {
	api := newAPI(t)
	for i := range 103 {
		api.AddPhoneNumbers(fmt.Sprintf("+1415555%04d", i))
	}
	api.post(numbersPath, `{"name":"Sales","phoneNumbers":["+912255550000"],"inbound":{"sipRegion":"in002"},
		"outbound":{"sipRegion":"in002","address":"sip.example.com"}}`).must(http.StatusCreated)

	tests := []struct {
		name, query                  string
		page, perPage, lastPage, all float64
		first                        any
		onPage                       int
	}{
		{"first page by default", "", 1, 20, 6, 104, "+14155550000", 20},
		{"last page", "?page=6", 6, 20, 6, 104, "+14155550100", 4},
		{"page beyond the last", "?page=7", 7, 20, 6, 104, nil, 0},
		{"page size of one", "?perPage=1&page=104", 104, 1, 104, 104, "+912255550000", 1},
		{"page size over the limit", "?perPage=1000", 1, 100, 2, 104, "+14155550000", 100},
		{"search in names regardless of case", "?search=sALES", 1, 20, 1, 1, "+912255550000", 1},
		{"search in numbers", "?search=%2B1415555009", 1, 20, 1, 10, "+14155550090", 10},
		{"search without a hit", "?search=nobody", 1, 20, 1, 0, nil, 0},
		{"empty parameters", "?page=&perPage=&search=", 1, 20, 6, 104, "+14155550000", 20},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list := api.get(numbersPath + test.query).must(http.StatusOK)
			assert.Equal(t, map[string]any{
				"currentPage": test.page, "perPage": test.perPage, "lastPage": test.lastPage, "total": test.all,
			}, list.field("pageInfo"))
			assert.Equal(t, test.first, list.field("data.0.phoneNumber.e164"))
			assert.Len(t, list.field("data"), test.onPage)
		})
	}
}

func TestPageMustBeAPositiveInteger(t *testing.T) {
	api := newAPI(t)
	for _, value := range []string{"0", "-1", "x", "1.5", "99999999999999999999"} {
		api.get(numbersPath+"?page="+value).refused(http.StatusBadRequest, "page must be a positive integer")
		api.get(numbersPath+"?perPage="+value).refused(http.StatusBadRequest, "perPage must be a positive integer")
	}
}

func TestPhoneNumberIsFoundByItsEscapedNumberOnly(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")
	api.get(numbersPath + "/%2B14155551234").must(http.StatusOK)
	api.get(numbersPath+"/+14155551234").refused(http.StatusNotFound, "Route not found")
	api.get(numbersPath+"/14155551234").refused(http.StatusNotFound, "Phone number not found")
	api.get(numbersPath+"/%2B14155559999").refused(http.StatusNotFound, "Phone number not found")
}

func TestDetachLeavesTheNumberAndItsGateways(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")
	before := api.get(numberPath("+14155551234"))

	detached := api.post(numbersPath+"/detach", `{"phoneNumber":"+14155551234"}`).must(http.StatusOK)
	assert.Equal(t, "Detached successfully", detached.field("message"))
	assert.Equal(t, before.field("inbound.id"), detached.field("inbound"))
	assert.Equal(t, before.field("outbound.id"), detached.field("outbound"))

	after := api.get(numberPath("+14155551234")).must(http.StatusOK)
	assert.Equal(t, detached.field("phoneNumber"), after.field("phoneNumber"))
	assert.Nil(t, after.field("inbound"))
	assert.Nil(t, after.field("outbound"))
	api.patch(numbersPath+"/gateways/"+before.text("inbound.id"), `{"name":"empty"}`).must(http.StatusOK)

	api.post(numbersPath+"/detach", `{"phoneNumber":"+14155551234"}`).
		refused(http.StatusBadRequest, "Phone number +14155551234 is not attached to any gateway")
}

func TestDetachOfOneNumberLeavesTheOthersAttached(t *testing.T) {
	api := newAPI(t)
	api.post(numbersPath, numberSetup).must(http.StatusCreated)
	outbound := api.get(numberPath("+14155551234")).text("outbound.id")
	api.delete(outboundPath + "/" + outbound).must(http.StatusOK)
	detached := api.post(numbersPath+"/detach", `{"phoneNumber":"+14155551234"}`).must(http.StatusOK)
	assert.Nil(t, detached.field("outbound"))
	assert.Equal(t, []any{"+14155555678"}, api.get(numberPath("+14155555678")).field("inbound.numbers"))
}

func TestDetachIsValidated(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		refusal    string
	}{
		{"no body", ``, http.StatusBadRequest, "phoneNumber is required"},
		{"no number", `{}`, http.StatusBadRequest, "phoneNumber is required"},
		{"a number of the wrong type", `{"phoneNumber":[]}`, http.StatusBadRequest, "phoneNumber must be a string"},
		{"an unknown number", `{"phoneNumber":"+14155551234"}`, http.StatusNotFound, "Phone number not found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			newAPI(t).post(numbersPath+"/detach", test.body).refused(test.status, test.refusal)
		})
	}
}

func TestDetachedNumberIsReused(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")
	before := api.get(numberPath("+14155551234"))
	api.post(numbersPath+"/detach", `{"phoneNumber":"+14155551234"}`).must(http.StatusOK)
	api.post(numbersPath, numberSetup).must(http.StatusCreated)

	after := api.get(numberPath("+14155551234"))
	assert.Equal(t, before.field("phoneNumber.phoneNumberId"), after.field("phoneNumber.phoneNumberId"))
	assert.NotEqual(t, before.field("inbound.id"), after.field("inbound.id"))
	assert.Equal(t, "My SIP Setup", after.field("phoneNumber.name"))
}

func TestReleaseCanBeRepeated(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234", "+14155555678")
	id := api.get(numberPath("+14155551234")).text("phoneNumber.phoneNumberId")

	released := fmt.Sprintf(`{"message":"Phone number released successfully","phoneNumberId":%q,"e164":"+14155551234"}`, id)
	for range 2 {
		assert.JSONEq(t, released, api.post(numbersPath+"/"+id+"/release", "").must(http.StatusOK).body)
	}
	api.get(numberPath("+14155551234")).must(http.StatusNotFound)
	api.post(numbersPath+"/detach", `{"phoneNumber":"+14155551234"}`).must(http.StatusNotFound)
	list := api.get(numbersPath)
	assert.Equal(t, 1.0, list.field("pageInfo.total"))
	assert.Equal(t, []any{"+14155555678"}, list.field("data.0.inbound.numbers"))
	api.post(numbersPath+"/pn_unknown/release", "").refused(http.StatusNotFound, "Phone number not found")
}

func TestReleasedNumberComesBackAsANewOne(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")
	id := api.get(numberPath("+14155551234")).text("phoneNumber.phoneNumberId")
	api.post(numbersPath+"/"+id+"/release", "").must(http.StatusOK)
	api.AddPhoneNumbers("+14155551234")
	api.post(numbersPath+"/"+id+"/release", "").must(http.StatusOK)
	assert.NotEqual(t, id, api.get(numberPath("+14155551234")).text("phoneNumber.phoneNumberId"))
}

func TestReleaseTakesTheNumberFromRoutingRules(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234", "+14155555678")
	rule := api.post(rulesPath, `{"name":"x","type":"inbound","phoneNumbers":["+14155551234","+14155555678"]}`).text("id")
	id := api.get(numberPath("+14155551234")).text("phoneNumber.phoneNumberId")
	api.post(numbersPath+"/"+id+"/release", "").must(http.StatusOK)
	assert.Equal(t, []any{"+14155555678"}, api.get(rulesPath+"/"+rule).field("numbers"))
}

func TestGatewayOfANumberIsUpdatedInPart(t *testing.T) {
	api := newAPI(t)
	api.post(numbersPath, numberSetup).must(http.StatusCreated)
	before := api.get(numberPath("+14155551234"))

	api.patch(numbersPath+"/gateways/"+before.text("inbound.id"), `{"name":"In","mediaEncryption":"enable","sipRegion":"in002","address":null}`).must(http.StatusOK)
	api.patch(numbersPath+"/gateways/"+before.text("outbound.id"), `{"address":"sip.example.com","transport":"udp","auth":{"username":"u","password":"p"}}`).must(http.StatusOK)

	api.patch(numbersPath+"/gateways/"+before.text("outbound.id"), `{"sipRegion":""}`).must(http.StatusOK)

	after := api.get(numberPath("+14155551234"))
	assert.Equal(t, "In", after.field("inbound.name"))
	assert.Equal(t, "enable", after.field("inbound.mediaEncryption"))
	assert.Equal(t, "in002", after.field("inbound.geoRegion"))
	assert.Equal(t, "My SIP Setup", after.field("outbound.name"))
	assert.Nil(t, after.field("outbound.geoRegion"))
	assert.Equal(t, "sip.example.com", after.field("outbound.address"))
	assert.Equal(t, "udp", after.field("outbound.transport"))
	assert.Equal(t, map[string]any{"username": "u", "password": "p"}, after.field("outbound.auth"))
}

func TestInboundGatewayOfANumberShowsNoCredentialsThere(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")
	gateway := inboundPath + "/" + api.get(numberPath("+14155551234")).text("inbound.id")
	api.patch(gateway, `{"auth":{"username":"u","password":"p"}}`).must(http.StatusOK)

	assert.Equal(t, "p", api.get(gateway).text("auth.password"))
	assert.Equal(t, map[string]any{}, api.get(numberPath("+14155551234")).field("inbound.auth"))
	assert.Equal(t, map[string]any{}, api.get(numbersPath).field("data.0.inbound.auth"))
}

func TestGatewayUpdateOfANumberIsValidated(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")
	number := api.get(numberPath("+14155551234"))
	inbound, outbound := number.text("inbound.id"), number.text("outbound.id")
	const (
		fixed        = "phoneNumbers, numbers and isShared cannot be changed"
		outboundOnly = "address, transport and auth cannot be set on an inbound gateway"
	)
	tests := []struct{ name, gateway, body, refusal string }{
		{"phoneNumbers", outbound, `{"phoneNumbers":["+14155551234"]}`, fixed},
		{"numbers", inbound, `{"numbers":[]}`, fixed},
		{"isShared", inbound, `{"isShared":false}`, fixed},
		{"an address on inbound", inbound, `{"address":"sip.example.com"}`, outboundOnly},
		{"a transport on inbound", inbound, `{"transport":"tls"}`, outboundOnly},
		{"credentials on inbound", inbound, `{"auth":{"username":"u","password":"p"}}`, outboundOnly},
		{"an empty address", outbound, `{"address":""}`, "address must not be empty"},
		{"a blank address", outbound, `{"address":" "}`, "address must not be empty"},
		{"an empty name", outbound, `{"name":""}`, "name must not be empty"},
		{"an unknown transport", outbound, `{"transport":"x"}`, `transport must be one of ["udp" "tcp" "tls"]`},
		{"an unknown media encryption", outbound, `{"mediaEncryption":"x"}`, `mediaEncryption must be one of ["enable" "disable"]`},
		{"an empty transport", outbound, `{"transport":""}`, `transport must be one of ["udp" "tcp" "tls"]`},
		{"an empty media encryption", inbound, `{"mediaEncryption":""}`, `mediaEncryption must be one of ["enable" "disable"]`},
		{"half of the credentials", outbound, `{"auth":{"username":"u"}}`, "auth needs username and password"},
		{"a name that is no string", outbound, `{"name":1}`, "name must be a string"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api.patch(numbersPath+"/gateways/"+test.gateway, test.body).refused(http.StatusBadRequest, test.refusal)
		})
	}
	api.patch(numbersPath+"/gateways/gw_unknown", `{}`).refused(http.StatusNotFound, "Gateway not found")
	assert.Equal(t, number.body, api.get(numberPath("+14155551234")).body)
}

func TestAddPhoneNumbersPanicsOnAMistake(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers("+14155551234")
	assert.PanicsWithValue(t, `videosdktest: cannot add phone numbers: Phone number +14155551234 is already attached to an inbound gateway`,
		func() { api.AddPhoneNumbers("+14155551234") })
	assert.Panics(t, func() { api.AddPhoneNumbers("4155551234") })
}

func TestAddPhoneNumbersAddsNothingWithoutAny(t *testing.T) {
	api := newAPI(t)
	api.AddPhoneNumbers()
	assert.Equal(t, 0.0, api.get(numbersPath).field("pageInfo.total"))
	assert.Equal(t, 0.0, api.get(outboundPath).field("pageInfo.total"))
}
