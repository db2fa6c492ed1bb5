package videosdk_test

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// validPhoneNumber returns params that PhoneNumbers.Create sends.
func validPhoneNumber() videosdk.PhoneNumberCreateParams {
	return videosdk.PhoneNumberCreateParams{
		Name: "Support", PhoneNumbers: []string{"+14155551234"},
		Inbound:  videosdk.InboundConfig{Region: videosdk.RegionUS002},
		Outbound: videosdk.OutboundConfig{Region: videosdk.RegionUS002, Address: "sip.example.com"},
	}
}

// validRule returns params that RoutingRules.Create sends.
func validRule() videosdk.RoutingRuleCreateParams {
	return videosdk.RoutingRuleCreateParams{
		Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155551234"},
	}
}

// validCall returns params that Calls.Create sends.
func validCall() videosdk.CallCreateParams {
	return videosdk.CallCreateParams{To: "+14155550199", From: "+14155551234", RoutingRuleID: "rr_1"}
}

// assertRefused requires that an error names exactly these fields, in this
// order, and that nothing was sent.
func assertRefused(t *testing.T, recorder *recorder, err error, fields ...string) {
	t.Helper()
	require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
	assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
	var invalid *videosdk.ValidationError
	require.ErrorAs(t, err, &invalid)
	var got []string
	for _, fault := range invalid.Fields {
		got = append(got, fault.Field)
		assert.NotEmpty(t, fault.Problem)
		assert.ErrorContains(t, err, fault.Error(), "the text tells of every fault")
	}
	assert.Equal(t, fields, got)
	assert.Empty(t, recorder.all(), "something was sent")
}

func TestABadRequestIsRefusedWithAllItsFaultsBeforeAnythingIsSent(t *testing.T) {
	phoneNumber := func(change func(*videosdk.PhoneNumberCreateParams)) func(context.Context, *videosdk.Client) error {
		params := validPhoneNumber()
		change(&params)
		return func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.Create(ctx, params))
		}
	}
	gateway := func(params videosdk.PhoneNumberGatewayUpdateParams) func(context.Context, *videosdk.Client) error {
		return func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.UpdateGateway(ctx, "gw_1", params))
		}
	}
	rule := func(change func(*videosdk.RoutingRuleCreateParams)) func(context.Context, *videosdk.Client) error {
		params := validRule()
		change(&params)
		return func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Create(ctx, params))
		}
	}
	ruleUpdate := func(params videosdk.RoutingRuleUpdateParams) func(context.Context, *videosdk.Client) error {
		return func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Update(ctx, "rr_1", params))
		}
	}
	call := func(change func(*videosdk.CallCreateParams)) func(context.Context, *videosdk.Client) error {
		params := validCall()
		change(&params)
		return func(ctx context.Context, c *videosdk.Client) error { return errorOf(c.Calls.Create(ctx, params)) }
	}
	tests := []struct {
		name   string
		call   func(context.Context, *videosdk.Client) error
		fields []string
	}{
		{"no context", func(_ context.Context, c *videosdk.Client) error {
			var none context.Context
			return errorOf(c.Calls.Get(none, "call_1"))
		}, []string{"ctx"}},
		{"no context for a call that is placed once", func(_ context.Context, c *videosdk.Client) error {
			var none context.Context
			return errorOf(c.Calls.CreateOnce(none, validCall()))
		}, []string{"ctx", "trackingId"}},
		{"no context for an upload", func(_ context.Context, c *videosdk.Client) error {
			var none context.Context
			return errorOf(c.BatchCalls.Upload(none, "list.csv", strings.NewReader("phone\n+14155550100\n")))
		}, []string{"ctx"}},
		{"no context for a list", func(_ context.Context, c *videosdk.Client) error {
			var none context.Context
			return firstError(c.Calls.All(none, videosdk.CallListParams{}))
		}, []string{"ctx"}},
		{"no context for a search", func(_ context.Context, c *videosdk.Client) error {
			var none context.Context
			return errorOf(c.Calls.FindByTrackingID(none, "order-7", time.Time{}))
		}, []string{"ctx"}},
		{"white space for a rule", call(func(p *videosdk.CallCreateParams) { p.RoutingRuleID = " " }), []string{"routingRuleId"}},
		{"calls that end before they begin", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.List(ctx, videosdk.CallListParams{StartDate: time.Unix(100_000, 0), EndDate: time.Unix(10_000, 0)}))
		}, []string{"endDate"}},
		{"a page before the first", func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.RoutingRules.All(ctx, videosdk.RoutingRuleListParams{Page: -5}))
		}, []string{"page"}},
		// Phone numbers.
		{"no number", func(ctx context.Context, c *videosdk.Client) error { return errorOf(c.PhoneNumbers.Get(ctx, "")) }, []string{"e164"}},
		{"numbers with nothing", phoneNumber(func(p *videosdk.PhoneNumberCreateParams) { *p = videosdk.PhoneNumberCreateParams{} }),
			[]string{"name", "phoneNumbers", "inbound.sipRegion", "outbound.sipRegion", "outbound.address"}},
		{"numbers with white space for text", phoneNumber(func(p *videosdk.PhoneNumberCreateParams) {
			p.Name, p.Inbound.Region, p.Outbound.Region, p.Outbound.Address = " ", "\t", " ", "\n"
		}), []string{"name", "inbound.sipRegion", "outbound.sipRegion", "outbound.address"}},
		{"an empty list of numbers", phoneNumber(func(p *videosdk.PhoneNumberCreateParams) { p.PhoneNumbers = []string{} }),
			[]string{"phoneNumbers"}},
		{"some numbers that are not E.164", phoneNumber(func(p *videosdk.PhoneNumberCreateParams) {
			p.PhoneNumbers = []string{"", "+14155551234", "4155551234"}
		}), []string{"phoneNumbers[0]", "phoneNumbers[2]"}},
		{"credentials without a password", phoneNumber(func(p *videosdk.PhoneNumberCreateParams) {
			p.Outbound.Auth = &videosdk.SIPAuth{Username: "u"}
		}), []string{"outbound.auth.password"}},
		{"credentials without a user name", phoneNumber(func(p *videosdk.PhoneNumberCreateParams) {
			p.Outbound.Auth = &videosdk.SIPAuth{Password: "p"}
		}), []string{"outbound.auth.username"}},
		{"empty credentials", phoneNumber(func(p *videosdk.PhoneNumberCreateParams) { p.Outbound.Auth = &videosdk.SIPAuth{} }),
			[]string{"outbound.auth.username", "outbound.auth.password"}},
		{"a gateway that is not changed", gateway(videosdk.PhoneNumberGatewayUpdateParams{}), []string{"params"}},
		{"a gateway without a name, an address and half its credentials", gateway(videosdk.PhoneNumberGatewayUpdateParams{
			Name: videosdk.Ptr(""), Address: videosdk.Ptr(" "), Auth: &videosdk.SIPAuth{Username: "u"},
		}), []string{"name", "address", "auth.password"}},
		{"a page of numbers before the first", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.List(ctx, videosdk.PhoneNumberListParams{Page: -1, PerPage: -2}))
		}, []string{"page", "perPage"}},
		{"a page of more items than are decoded", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Records.List(ctx, "b", videosdk.BatchRecordListParams{PerPage: 10_001}))
		}, []string{"perPage"}},
		{"all numbers, by pages of a negative size", func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.PhoneNumbers.All(ctx, videosdk.PhoneNumberListParams{PerPage: -1}))
		}, []string{"perPage"}},

		// Routing rules.
		{"a rule with nothing", rule(func(p *videosdk.RoutingRuleCreateParams) { *p = videosdk.RoutingRuleCreateParams{} }),
			[]string{"name", "type", "phoneNumbers"}},
		{"a rule for a number that is not E.164", rule(func(p *videosdk.RoutingRuleCreateParams) {
			p.PhoneNumbers = []string{"+14155551234", "+0123"}
		}), []string{"phoneNumbers[1]"}},
		{"an inbound rule with headers", rule(func(p *videosdk.RoutingRuleCreateParams) {
			p.Type, p.Headers = videosdk.DirectionInbound, map[string]string{"X-A": "b"}
		}), []string{"headers"}},
		{"an outbound rule with headers for attributes", rule(func(p *videosdk.RoutingRuleCreateParams) {
			p.HeadersToAttributes = map[string]string{"X-A": "b"}
		}), []string{"headersToAttributes"}},
		{"a rule with metadata that is no JSON", rule(func(p *videosdk.RoutingRuleCreateParams) {
			p.AgentMetadata = map[string]any{"f": func() {}}
		}), []string{"body"}},
		{"a rule that is not changed", ruleUpdate(videosdk.RoutingRuleUpdateParams{}), []string{"params"}},
		{"a rule that loses its name and its numbers", ruleUpdate(videosdk.RoutingRuleUpdateParams{
			Name: videosdk.Ptr(""), PhoneNumbers: []string{},
		}), []string{"name", "phoneNumbers"}},
		{"a rule that gets a number that is not E.164", ruleUpdate(videosdk.RoutingRuleUpdateParams{PhoneNumbers: []string{"1"}}),
			[]string{"phoneNumbers[0]"}},
		{"a rule of both directions", ruleUpdate(videosdk.RoutingRuleUpdateParams{
			Headers: map[string]string{}, HeadersToAttributes: map[string]string{},
		}), []string{"headers"}},
		// An empty element would be left out of the query, and so list all.
		{"a list of rules by ids of which one is empty, one is two, and by no room type", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.List(ctx, videosdk.RoutingRuleListParams{
				Page: -1, RuleIDs: []string{"", "rr_1", "rr_2,rr_3"}, RoomTypes: []videosdk.RoomType{" "},
			}))
		}, []string{"page", "ruleIds[0]", "ruleIds[2]", "roomType[0]"}},

		// Calls.
		{"a call with nothing", call(func(p *videosdk.CallCreateParams) { *p = videosdk.CallCreateParams{} }),
			[]string{"sipCallTo", "routingRuleId"}},
		{"a call by a rule without a caller id", call(func(p *videosdk.CallCreateParams) { p.From = "" }), []string{"sipCallFrom"}},
		{"a call between what cannot be dialled", call(func(p *videosdk.CallCreateParams) { p.To, p.From = "4155550199", "anonymous" }),
			[]string{"sipCallTo", "sipCallFrom"}},
		{"a call with half seconds and negative ones", call(func(p *videosdk.CallCreateParams) {
			p.RingingTimeout, p.MaxCallDuration = 1500*time.Millisecond, -time.Second
		}), []string{"ringingTimeout", "maxCallDuration"}},
		{"a call with metadata that is no JSON", call(func(p *videosdk.CallCreateParams) {
			p.Metadata = map[string]any{"n": math.NaN()}
		}), []string{"body"}},
		{"the end of no call", func(ctx context.Context, c *videosdk.Client) error { return errorOf(c.Calls.End(ctx, " ")) },
			[]string{"callId"}},
		{"a page of calls before the first", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.List(ctx, videosdk.CallListParams{Page: math.MinInt}))
		}, []string{"page"}},

		// What the caller's options get wrong is told with the rest.
		{"options and params", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Create(ctx, videosdk.CallCreateParams{To: "+14155550199"},
				videosdk.WithMaxRetries(-1), videosdk.WithRetryUnknown()))
		}, []string{"WithMaxRetries", "WithRetryUnknown", "routingRuleId"}},
		{"an option, an id and params", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Update(ctx, "", videosdk.RoutingRuleUpdateParams{}, videosdk.WithHeader("Authorization", "x")))
		}, []string{"WithHeader", "ruleId", "params"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			assertRefused(t, recorder, tt.call(t.Context(), recorder.client()), tt.fields...)
		})
	}
}

func TestARefusalNamesTheFieldAndNotItsValue(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, anyResource)
	params := validPhoneNumber()
	params.PhoneNumbers = []string{"0800-hunter2"}
	params.Outbound.Auth = &videosdk.SIPAuth{Password: "hunter2"}

	_, err := recorder.client().PhoneNumbers.Create(t.Context(), params)

	assert.EqualError(t, err, "videosdk: PhoneNumbers.Create: nothing was sent: "+
		"phoneNumbers[0]: must be an E.164 number, such as +14155550123; outbound.auth.username: is required")
}

func TestWhatTheAPIMayKnowAndThisLibraryDoesNotIsSent(t *testing.T) {
	client := newRecorder(t, http.StatusOK, anyResource).client()

	number := validPhoneNumber()
	number.MediaEncryption, number.Inbound.Region, number.Outbound.Transport = "dtls", "mars001", "quic"
	require.NoError(t, errorOf(client.PhoneNumbers.Create(t.Context(), number)))

	rule := validRule()
	rule.Type, rule.IncludeHeaders, rule.Room = "sideways", "SOME", &videosdk.RoutingRoom{Type: "meeting", Prefix: "emoji"}
	require.NoError(t, errorOf(client.RoutingRules.Create(t.Context(), rule)))

	call := validCall()
	call.MediaEncryption, call.IncludeHeaders = "dtls", "SOME"
	require.NoError(t, errorOf(client.Calls.Create(t.Context(), call)))

	require.NoError(t, errorOf(client.Calls.List(t.Context(), videosdk.CallListParams{Type: "sideways"})))
}

func TestNumbersMustBeE164(t *testing.T) {
	tests := []struct {
		name, number string
		ok           bool
	}{
		{"a usual number", "+14155551234", true},
		{"the shortest", "+12", true},
		{"the longest", "+123456789012345", true},
		{"nothing", "", false},
		{"a plus", "+", false},
		{"a country code of one digit alone", "+1", false},
		{"one digit too many", "+1234567890123456", false},
		{"no plus", "14155551234", false},
		{"two pluses", "++14155551234", false},
		{"a plus in the middle", "+1415+5551234", false},
		{"a country code of 0", "+04155551234", false},
		{"an exit code for the plus", "0014155551234", false},
		{"spaces", "+1 415 555 1234", false},
		{"a space in front", " +14155551234", false},
		{"a line break at the end", "+14155551234\n", false},
		{"punctuation", "+1(415)555-1234", false},
		{"a NUL", "+1415555\x001234", false},
		{"letters", "+1415FLOWERS", false},
		{"digits of another script", "+1415555123٤", false},
		{"a plus of full width", "＋14155551234", false},
		{"an escaped plus", "%2B14155551234", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			client := recorder.client()
			check := func(err error, field string) {
				t.Helper()
				if tt.ok {
					assert.NoError(t, err)
				} else {
					assertRefused(t, recorder, err, field)
				}
			}
			number, rule, call := validPhoneNumber(), validRule(), validCall()
			number.PhoneNumbers, rule.PhoneNumbers, call.To = []string{tt.number}, []string{tt.number}, tt.number

			check(errorOf(client.PhoneNumbers.Create(t.Context(), number)), "phoneNumbers[0]")
			check(errorOf(client.PhoneNumbers.Detach(t.Context(), tt.number)), "phoneNumber")
			check(errorOf(client.RoutingRules.Create(t.Context(), rule)), "phoneNumbers[0]")
			check(errorOf(client.Calls.Create(t.Context(), call)), "sipCallTo")
		})
	}
}

func TestACalleeIsANumberOrASIPURI(t *testing.T) {
	tests := []struct {
		name, to string
		ok       bool
	}{
		{"a number", "+14155550199", true},
		{"a SIP URI", "sip:alice@example.com", true},
		{"a SIP URI with a port and parameters", "sip:+14155550199@10.0.0.1:5061;transport=tls", true},
		{"a secure SIP URI", "sips:alice@example.com", true},
		{"a scheme in upper case", "SIP:alice@example.com", true},
		{"a SIP URI of nothing", "sip:", false},
		{"another scheme", "tel:+14155550199", false},
		{"no scheme", "alice@example.com", false},
		{"a space", "sip:alice @example.com", false},
		{"a line break", "sip:alice@example.com\r\nX-Evil: 1", false},
		{"a NUL", "sip:alice\x00@example.com", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			params := validCall()
			params.To = tt.to

			_, err := recorder.client().Calls.Create(t.Context(), params)

			if tt.ok {
				assert.NoError(t, err)
			} else {
				assertRefused(t, recorder, err, "sipCallTo")
			}
		})
	}
}

// byID holds a call of each kind of method whose id is a segment of the path.
func byID(id string) map[string]func(context.Context, *videosdk.Client) error {
	return map[string]func(context.Context, *videosdk.Client) error{
		"phoneNumberId": func(ctx context.Context, c *videosdk.Client) error { return errorOf(c.PhoneNumbers.Release(ctx, id)) },
		"gatewayId": func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.PhoneNumbers.UpdateGateway(ctx, id, videosdk.PhoneNumberGatewayUpdateParams{Name: videosdk.Ptr("n")}))
		},
		"ruleId": func(ctx context.Context, c *videosdk.Client) error { return errorOf(c.RoutingRules.Delete(ctx, id)) },
		"callId": func(ctx context.Context, c *videosdk.Client) error { return errorOf(c.Calls.Get(ctx, id)) },
	}
}

func TestAnIDThatCannotBeOneIsRefused(t *testing.T) {
	tests := []struct{ name, id string }{
		{"nothing", ""},
		{"white space", " \t"},
		{"a dot", "."},
		{"two dots", ".."},
		{"a NUL", "a\x00b"},
		{"a line break", "a\r\nHost: evil.example"},
		{"a line feed", "\n"},
		{"a delete", "a\x7f"},
	}
	for _, tt := range tests {
		for field, call := range byID(tt.id) {
			t.Run(tt.name+" for "+field, func(t *testing.T) {
				recorder := newRecorder(t, http.StatusOK, anyResource)
				assertRefused(t, recorder, call(t.Context(), recorder.client()), field)
			})
		}
	}
}

func TestAnIDIsOneSegmentOfThePathWhateverItHolds(t *testing.T) {
	ids := []string{
		"a/b", "/", "../../admin", "..%2f..", `..\..`, `\`, "...", ".hidden", "%2e", "%2e%2e", "%2E%2E%2F", "%2f", "%", "%zz", "%00",
		"a?b=c", "a#b", "a;b=c", "a b", "a+b", "a&b=c", "a:b@c", "sip:a@b", "ünïcödé", "電話", "\u202egnp", "\xff\xfe", strings.Repeat("x", 4096),
	}
	for _, id := range ids {
		t.Run(id[:min(len(id), 20)], func(t *testing.T) {
			for field, call := range byID(id) {
				plain, nasty := newRecorder(t, http.StatusOK, anyResource), newRecorder(t, http.StatusOK, anyResource)
				require.NoError(t, byID("plain")[field](t.Context(), plain.client()))
				require.NoError(t, call(t.Context(), nasty.client()))

				sent := nasty.last()
				assert.Empty(t, sent.Query)
				want := strings.Split(plain.last().Path, "/")
				got := strings.Split(sent.Path, "/")
				require.Len(t, got, len(want), sent.Path)
				for i, segment := range want {
					if segment != "plain" {
						assert.Equal(t, segment, got[i])
						continue
					}
					received, err := url.PathUnescape(got[i])
					require.NoError(t, err)
					assert.Equal(t, id, received)
					assert.NotContains(t, got[i], "+", "a server may take a plus for a space")
				}
			}
		})
	}
}

// What a recorder sees could still be rewritten on its way to a server.
func TestAnIDLeadsToItsRouteOfARealServer(t *testing.T) {
	srv := newServer(t)
	client := newClient(t, srv)
	for _, id := range []string{"a/b", "../../sip/call", `..\..`, "%2e%2e", "a?b#c;d", "a b+c", "電話", "..."} {
		_, err := client.RoutingRules.Get(t.Context(), id)
		assert.ErrorIs(t, err, videosdk.ErrNotFound, id)
	}
	for _, request := range srv.Requests() {
		assert.Equal(t, "/v2/sip/routing-rule/{ruleId}", request.Route, request.Path)
	}
}
