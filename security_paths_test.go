package videosdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// serviceMethod is a method of a service, to be called without knowing which. A
// method that is added to a service is among them by itself.
type serviceMethod struct {
	name string // "Calls.Get"
	fn   reflect.Value
}

// eachMethod returns all methods of the services of a client but UploadFile,
// whose only argument is a path of this machine.
func eachMethod(client *videosdk.Client) []serviceMethod {
	methods := methodsBelow("", reflect.ValueOf(client).Elem())
	return slices.DeleteFunc(methods, func(m serviceMethod) bool { return m.name == "BatchCalls.UploadFile" })
}

func methodsBelow(way string, of reflect.Value) []serviceMethod {
	var methods []serviceMethod
	for i := range of.NumField() {
		field := of.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		service := of.Field(i)
		for j := range service.NumMethod() {
			methods = append(methods, serviceMethod{way + field.Name + "." + service.Type().Method(j).Name, service.Method(j)})
		}
		methods = append(methods, methodsBelow(way+field.Name+".", service.Elem())...)
	}
	return methods
}

// validParams holds params that each method sends, by their type.
func validParams() map[reflect.Type]any {
	valid := map[reflect.Type]any{}
	for _, params := range []any{
		validPhoneNumber(), validRule(), validCall(), validBatch(), validTrunk(), validTrunkCall("trunk_1"), validWebhook(),
		fullInboundGateway(), fullOutboundGateway(), fullGatewayRule("gw_1"), videosdk.RoomCreateParams{},
		videosdk.CallTransferParams{To: "+14155550199"}, videosdk.CallSwitchRoomParams{RoomID: "room_2"},
		videosdk.PhoneNumberGatewayUpdateParams{Name: videosdk.Ptr("n")}, videosdk.GatewayUpdateParams{Name: videosdk.Ptr("n")},
		videosdk.RoutingRuleUpdateParams{Name: videosdk.Ptr("n")}, videosdk.GatewayRoutingRuleUpdateParams{Name: videosdk.Ptr("n")},
		videosdk.WebhookUpdateParams{URL: videosdk.Ptr("https://example.com")}, videosdk.BatchCallUpdateParams{Name: videosdk.Ptr("n")},
		videosdk.BatchRecordUpdateParams{PhoneNumber: videosdk.Ptr("+14155550199")},
	} {
		valid[reflect.TypeOf(params)] = params
	}
	return valid
}

// arguments returns what to call a method with: text for each id or name, and
// in the filters of lists; valid params; functions that want no more.
func (m serviceMethod) arguments(t *testing.T, text string) []reflect.Value {
	t.Helper()
	valid := validParams()
	arguments := []reflect.Value{reflect.ValueOf(t.Context())}
	for i := 1; i < m.fn.Type().NumIn(); i++ {
		want := m.fn.Type().In(i)
		argument := reflect.New(want).Elem()
		params, known := valid[want]
		switch {
		case m.fn.Type().IsVariadic() && i == m.fn.Type().NumIn()-1:
			return arguments // no options
		case known:
			argument.Set(reflect.ValueOf(params))
		case want.Kind() == reflect.String:
			argument.SetString(text)
		case want == reflect.TypeFor[[]string]():
			argument.Set(reflect.ValueOf([]string{text}))
		case want == reflect.TypeFor[io.Reader]():
			argument.Set(reflect.ValueOf(strings.NewReader(goldenList)))
		case want == reflect.TypeFor[io.Writer]():
			argument.Set(reflect.ValueOf(io.Discard))
		case want == reflect.TypeFor[time.Time]():
			argument.Set(reflect.ValueOf(time.UnixMilli(1755777600000)))
		case want.Kind() == reflect.Func:
			argument.Set(reflect.MakeFunc(want, func([]reflect.Value) []reflect.Value { return zeroes(want) }))
		case want.Kind() == reflect.Struct && strings.HasSuffix(want.Name(), "ListParams"), want.Name() == "BatchRecordExportParams":
			fillTexts(argument, text)
		default:
			require.Fail(t, "no argument", "%s wants a %s: add one to validParams", m.name, want)
		}
		arguments = append(arguments, argument)
	}
	return arguments
}

func zeroes(function reflect.Type) []reflect.Value {
	results := make([]reflect.Value, function.NumOut())
	for i := range results {
		results[i] = reflect.Zero(function.Out(i))
	}
	return results
}

// fillTexts sets the texts of a struct, and its lists of texts.
func fillTexts(of reflect.Value, text string) {
	for i := range of.NumField() {
		switch field := of.Field(i); {
		case field.Kind() == reflect.String:
			field.SetString(text)
		case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.String:
			list := reflect.MakeSlice(field.Type(), 1, 1)
			list.Index(0).SetString(text)
			field.Set(list)
		}
	}
}

// call calls the method and returns what it returned but the error; an iterator
// is read to its end.
func (m serviceMethod) call(t *testing.T, arguments []reflect.Value) (results []any, err error) {
	t.Helper()
	for _, out := range m.fn.Call(arguments) {
		switch {
		case out.Kind() == reflect.Func:
			for item, failure := range out.Seq2() {
				results = append(results, item.Interface())
				if failed, ok := failure.Interface().(error); ok {
					err = failed
				}
			}
		case out.Type() == reflect.TypeFor[error]():
			err, _ = out.Interface().(error)
		default:
			results = append(results, out.Interface())
		}
	}
	return results, err
}

// nastyIDs are what somebody might try to leave his place with.
func nastyIDs() []string {
	return []string{
		"", " ", "\t", ".", "..", "...", "/", "//", "a/b", "../../admin", "a/../b", "/..", "../", `\`, `..\..`, "%", "%zz", "%00",
		"%2e", "%2e%2e", "%2E%2E%2F", "%2f", "%252e%252e", "..%2f..", "..;/x", "?", "a?b=c", "#", "a#b", ";", "a;b=c", "&", "a&b=c",
		"a b", "a+b", "+", ":", "a:b@c", "@", "http://evil.example/", "//evil.example/x", "ünïcödé", "電話", "\u202egnp", "．．", "\u2024\u2024",
		"a\x00b", "a\rb", "a\nb", "a\r\nHost: evil.example", "a\x7f", "a\u0085b", strings.Repeat("x", 4096),
	}
}

// plainID is an id that nothing has to be done to.
const plainID = "plain0id"

func TestAnIDReachesItsPlaceOfEachMethodAndNoOther(t *testing.T) {
	for i, method := range eachMethod(newRecorder(t, http.StatusOK, anyResource).client()) {
		t.Run(method.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			method := eachMethod(recorder.client())[i]
			want, _ := method.sent(t, recorder, plainID) // what comes back is not what this is about
			for _, id := range nastyIDs() {
				got, err := method.sent(t, recorder, id)
				if len(got) == 0 {
					requireNamedFaults(t, err, id)
					continue
				}
				require.Len(t, got, len(want), "%q", id)
				for i := range want {
					assertSameBut(t, want[i], got[i], id)
				}
			}
		})
	}
}

// sent returns the requests of the method when it is called with an id.
func (m serviceMethod) sent(t *testing.T, recorder *recorder, id string) ([]recordedRequest, error) {
	t.Helper()
	before := len(recorder.all())
	_, err := m.call(t, m.arguments(t, id))
	return recorder.all()[before:], err
}

func requireNamedFaults(t *testing.T, err error, id string) {
	t.Helper()
	var invalid *videosdk.ValidationError
	require.ErrorAs(t, err, &invalid, "%q", id)
	for _, fault := range invalid.Fields {
		assert.NotEmpty(t, fault.Field)
		assert.NotEmpty(t, fault.Problem)
	}
	if len(id) > 3 {
		assert.NotContains(t, err.Error(), id, "the value is not repeated")
	}
	assert.NotContains(t, err.Error(), "\n")
}

// assertSameBut requires that a request is another one with an id in place of
// plainID, written so that a server reads the id again.
func assertSameBut(t *testing.T, plain, sent recordedRequest, id string) {
	t.Helper()
	assert.Equal(t, plain.Method, sent.Method)
	wanted, segments := strings.Split(plain.Path, "/"), strings.Split(sent.Path, "/")
	require.Len(t, segments, len(wanted), "%s for %q", sent.Path, id)
	for i, segment := range segments {
		if wanted[i] != plainID {
			assert.Equal(t, wanted[i], segment)
			continue
		}
		read, err := url.PathUnescape(segment)
		require.NoError(t, err)
		assert.Equal(t, id, read)
		assert.NotContains(t, []string{"", ".", ".."}, segment)
		assert.NotContains(t, segment, "+", "a server may take a plus for a space")
	}
	query, err := url.ParseQuery(plain.Query)
	require.NoError(t, err)
	got, err := url.ParseQuery(sent.Query)
	require.NoError(t, err)
	for _, values := range query {
		for i := range values {
			values[i] = strings.ReplaceAll(values[i], plainID, id)
		}
	}
	for name, values := range query {
		if values[0] == "" {
			delete(query, name) // an empty filter is none
		}
	}
	assert.Equal(t, query, got)
	quoted, err := json.Marshal(id)
	require.NoError(t, err)
	assert.Equal(t, string(bytes.ReplaceAll(plain.Body, []byte(`"`+plainID+`"`), quoted)), string(sent.Body))
}

// The plus of a number would be a space to many servers.
func TestThePlusOfANumberIsEscapedWhereverItStands(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, anyResource)
	client := recorder.client()
	require.NoError(t, errorOf(client.PhoneNumbers.Get(t.Context(), "+14155550199")))
	assert.Equal(t, "/v2/sip/phone-numbers/%2B14155550199", recorder.last().Path)
	require.NoError(t, errorOf(client.Calls.Get(t.Context(), "+14155550199")))
	assert.Equal(t, "/v2/sip/call/%2B14155550199", recorder.last().Path)
	require.NoError(t, errorOf(client.PhoneNumbers.List(t.Context(), videosdk.PhoneNumberListParams{Search: "+14155550199"})))
	assert.Equal(t, "search=%2B14155550199", recorder.last().Query)
}

// What the recorder sees could still be rewritten by net/http, or be read
// otherwise by a server: these ids go over a wire to a router.
func TestNoIDLeadsARealServerToAnotherEndpoint(t *testing.T) {
	routes := map[string]func(context.Context, *videosdk.Client, string) error{
		"/v2/sip/routing-rule/{ruleId}": func(ctx context.Context, c *videosdk.Client, id string) error {
			return errorOf(c.RoutingRules.Delete(ctx, id))
		},
		"/v2/sip/call/{callId}": func(ctx context.Context, c *videosdk.Client, id string) error { return errorOf(c.Calls.Get(ctx, id)) },
		"/v2/sip/phone-numbers/{phoneNumberId}/release": func(ctx context.Context, c *videosdk.Client, id string) error {
			return errorOf(c.PhoneNumbers.Release(ctx, id))
		},
		"/v2/batch-calls/{batchId}": func(ctx context.Context, c *videosdk.Client, id string) error {
			return errorOf(c.BatchCalls.Delete(ctx, id))
		},
	}
	for route, call := range routes {
		t.Run(route, func(t *testing.T) {
			srv := newServer(t)
			client := newClient(t, srv)
			for _, id := range nastyIDs() {
				srv.ResetRequests()
				err := call(t.Context(), client, id)
				for _, request := range srv.Requests() {
					assert.Equal(t, route, request.Route, "%q went to %s", id, request.Path)
				}
				if len(srv.Requests()) == 0 {
					assert.ErrorIs(t, err, videosdk.ErrInvalidRequest, "%q", id)
				} else {
					assert.ErrorIs(t, err, videosdk.ErrNotFound, "%q", id)
				}
			}
		})
	}
}
