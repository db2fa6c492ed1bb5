package videosdk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// fullParams returns params of a type in which every optional part is there, so
// that there is a place for each text.
func fullParams(params any) reflect.Value {
	full := reflect.New(reflect.TypeOf(params)).Elem()
	full.Set(reflect.ValueOf(params))
	furnish(full)
	return full
}

func furnish(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		furnish(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				furnish(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			furnish(v.Index(0))
		}
	case reflect.Map:
		if v.Len() == 0 {
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("X-Key"), reflect.ValueOf("value"))
		}
	case reflect.String:
		if v.String() == "" {
			v.SetString("text")
		}
	}
}

// eachText calls f once for each text in params, with where it is and with params
// in which it has been replaced; then everything is as before.
func eachText(v reflect.Value, where, text string, f func(where string)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(v.Elem(), where, text, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				eachText(v.Field(i), where+"."+field.Name, text, f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachText(v.Index(i), fmt.Sprintf("%s[%d]", where, i), text, f)
		}
	case reflect.Map:
		eachTextOfMap(v, where, text, f)
	case reflect.String:
		old := v.String()
		v.SetString(text)
		f(where)
		v.SetString(old)
	}
}

func eachTextOfMap(v reflect.Value, where, text string, f func(where string)) {
	old := v.Interface()
	with := func(key string, value any) reflect.Value {
		other := reflect.MakeMap(v.Type())
		other.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(value))
		return other
	}
	v.Set(with(text, "value"))
	f(where + " by its key")
	v.Set(with("X-Key", text))
	f(where + " by its value")
	if v.Type().Elem().Kind() == reflect.Interface {
		for _, value := range []any{[]any{text}, map[string]any{"deep": []string{text}}, &text, struct{ Text string }{text}} {
			v.Set(with("key", value))
			f(fmt.Sprintf("%s by a %T", where, value))
		}
	}
	v.Set(reflect.ValueOf(old))
}

// sendWith calls each method that takes params, once for each text in them, and
// tells what was sent and what came of it.
func sendWith(t *testing.T, text string, told func(where string, sent []recordedRequest, err error)) {
	t.Helper()
	for i, method := range eachMethod(newRecorder(t, http.StatusOK, anyResource).client()) {
		if slices.Contains(patientMethods, method.name) {
			continue // their params are those of others
		}
		recorder := newRecorder(t, http.StatusOK, anyResource)
		method := eachMethod(recorder.client())[i]
		arguments := method.arguments(t, plainID)
		for j := range arguments {
			if _, isParams := validParams()[arguments[j].Type()]; !isParams {
				continue
			}
			full := fullParams(arguments[j].Interface())
			arguments[j] = full
			eachText(full, method.name, text, func(where string) {
				before := len(recorder.all())
				_, err := method.call(t, arguments)
				told(where, recorder.all()[before:], err)
			})
		}
	}
}

// oddTexts are valid UTF-8, and trouble for those who write JSON by hand.
func oddTexts() []string {
	return []string{
		"a\r\nX-Evil: 1", "a\x00b", "\x00", "a\tb\x01\x1f\x7f", `a"b\c/d`, `\u0000 \ufffd`, "</script>&amp;", "\u2028\u2029\u0085", "\ufeffé電話😀",
		"\ufffd", "${x} %s {{.}}", strings.Repeat("x", 1<<16),
	}
}

func TestEachTextOfARequestArrivesToTheByteOrIsRefused(t *testing.T) {
	for _, text := range oddTexts() {
		t.Run(fmt.Sprintf("%.20q", text), func(t *testing.T) {
			arrived := 0
			sendWith(t, text, func(where string, sent []recordedRequest, err error) {
				if len(sent) == 0 {
					assertNamed(t, err, text, where)
					return
				}
				arrived++
				var document any
				require.NoError(t, json.Unmarshal(sent[0].Body, &document), where)
				assert.Contains(t, textsIn(document), text, where)
			})
			assert.Greater(t, arrived, 60, "places for a text")
		})
	}
}

func assertNamed(t *testing.T, err error, text, where string) {
	t.Helper()
	var invalid *videosdk.ValidationError
	require.ErrorAs(t, err, &invalid, where)
	if len(text) > 3 {
		assert.NotContains(t, err.Error(), text, where)
	}
	assert.NotContains(t, err.Error(), "\n", where)
}

// textsIn returns the texts of a JSON document, keys and values.
func textsIn(document any) []string {
	var texts []string
	switch v := document.(type) {
	case string:
		texts = append(texts, v)
	case []any:
		for _, element := range v {
			texts = append(texts, textsIn(element)...)
		}
	case map[string]any:
		for key, value := range v {
			texts = append(append(texts, key), textsIn(value)...)
		}
	}
	return texts
}

// encoding/json would send something else in its place, and say nothing.
func TestWhatIsNotUTF8IsRefusedWhereverItStands(t *testing.T) {
	for _, text := range []string{"a\xffb", "\xc3", "\xed\xa0\x80", "\xc0\x80", "ok\xf5"} {
		places := 0
		sendWith(t, text, func(where string, sent []recordedRequest, err error) {
			require.Empty(t, sent, where)
			assertNamed(t, err, text, where)
			places++
		})
		assert.Greater(t, places, 100)
	}
}

func TestAFaultyTextIsNamedByItsPlaceAndNotByItsValue(t *testing.T) {
	const bad = "hunter2\xff"
	client := newRecorder(t, http.StatusOK, anyResource).client()
	tests := []struct {
		name string
		call func() error
		want []string
	}{
		{"a field", func() error {
			return errorOf(client.Calls.Transfer(t.Context(), "c", videosdk.CallTransferParams{To: "+14155550199", Participant: &videosdk.Participant{Name: bad}}))
		}, []string{"participant.name"}},
		{"an id in the body", func() error { return errorOf(client.Calls.End(t.Context(), bad)) }, []string{"callId"}},
		{"the elements of a list", func() error {
			return errorOf(client.BatchCalls.Records.Delete(t.Context(), "b", []string{"a", bad, "c", bad}))
		}, []string{"recordIds[1]", "recordIds[3]"}},
		{"metadata at any depth", func() error {
			params := validCall()
			params.Metadata = map[string]any{"b": []any{1, map[string]any{"c": bad}}, "a": bad, "k" + bad: 1}
			params.TrackingID = bad
			return errorOf(client.Calls.Create(t.Context(), params))
		}, []string{"metadata.a", "metadata.b[1].c", "metadata", "metadata.trackingId"}},
		{"a key that would forge a line", func() error {
			params := validCall()
			params.Metadata = map[string]any{"a\nb" + strings.Repeat("k", 200): bad}
			return errorOf(client.Calls.Create(t.Context(), params))
		}, []string{"metadata.a b" + strings.Repeat("k", 61)}},
		{"a body of the caller's", func() error {
			return client.Do(t.Context(), http.MethodPost, "/v2/x", struct {
				Plain  string
				Named  string `json:"named,omitempty"`
				Hidden string `json:"-"`
				hidden string
				videosdk.SIPAuth
				Numbered map[int]string
				Array    [1]string
				Nothing  *string
			}{bad, bad, bad, bad, videosdk.SIPAuth{Username: bad}, map[int]string{7: bad}, [1]string{bad}, nil}, nil)
		}, []string{"Plain", "named", "username", "Numbered.7", "Array[0]"}},
		{"a body that is a text", func() error { return client.Do(t.Context(), http.MethodPost, "/v2/x", bad, nil) }, []string{"body"}},
		{"a body that is JSON already", func() error {
			return client.Do(t.Context(), http.MethodPost, "/v2/x", json.RawMessage(`{"a":"`+bad+`"}`), nil)
		}, []string{"body"}},
		{"the room of a token", func() error {
			return errorOf(client.ParticipantToken(videosdk.ParticipantTokenParams{RoomID: bad, ParticipantID: bad}))
		}, []string{"roomId", "participantId"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.call()
			assert.Equal(t, tt.want, fieldsOf(t, err))
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// A type that writes its own JSON answers for it.
func TestATypeThatWritesItsOwnJSONIsNotLookedInto(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, anyResource)
	params := validCall()
	params.Metadata = map[string]any{"it": escaping{"\xff"}, "mark": "\ufffd"}
	require.NoError(t, errorOf(recorder.client().Calls.Create(t.Context(), params)))
	assert.Contains(t, string(recorder.last().Body), `"it":"ff"`)

	// Neither by its pointer, which encoding/json takes where there is one.
	root := &page{Text: "\xff"}
	root.Next = []page{{Next: []page{}}}
	root.Next[0].Next = root.Next
	params.Metadata = map[string]any{"it": &struct{ Value, Last page }{Value: *root}, "mark": "\ufffd"}
	require.NoError(t, errorOf(recorder.client().Calls.Create(t.Context(), params)))
	assert.Contains(t, string(recorder.last().Body), `"it":{"Value":"a page","Last":"a page"}`)
}

type escaping struct{ Bytes string }

func (e escaping) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%x", e.Bytes), nil }

// page contains itself, and its JSON does not.
type page struct {
	Text string
	Next []page
}

func (*page) MarshalJSON() ([]byte, error) { return []byte(`"a page"`), nil }

// A header of a SIP message must not end there and begin another.
func TestAHeaderOfASIPMessageIsOneLine(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, anyResource)
	client := recorder.client()
	calls := map[string]func(map[string]string) error{
		"headers": func(h map[string]string) error {
			params := validCall()
			params.Headers = h
			return errorOf(client.Calls.Create(t.Context(), params))
		},
		"headers of a rule": func(h map[string]string) error {
			params := validRule()
			params.Headers = h
			return errorOf(client.RoutingRules.Create(t.Context(), params))
		},
		"headersToAttributes": func(h map[string]string) error {
			return errorOf(client.RoutingRules.Update(t.Context(), "r", videosdk.RoutingRuleUpdateParams{HeadersToAttributes: h}))
		},
	}
	for name, call := range calls {
		field, _, _ := strings.Cut(name, " ")
		for _, text := range []string{"a\r\nX-Evil: 1", "a\rb", "a\nb", "a\x00b", "\x00", "a\tb", "a\x1bb", "a\u2028b", "a\u0085b", "a\x7fb"} {
			err := call(map[string]string{"X-A": "fine", "X-B": text})
			assert.Equal(t, []string{field + ".X-B"}, fieldsOf(t, err), "%q in %s", text, name)
			assert.NotContains(t, err.Error(), "Evil")
			err = call(map[string]string{"X-A": "fine", text: "fine"})
			assert.Equal(t, []string{field}, fieldsOf(t, err), "%q in %s", text, name)
			assert.NotContains(t, err.Error(), "Evil")
			err = call(map[string]string{text: text})
			assert.Len(t, fieldsOf(t, err), 2)
		}
		assert.Empty(t, recorder.all())
		require.NoError(t, call(map[string]string{"X-A": `"quoted" <sip:a@b>;tag=1 ünïcödé`, "P-Asserted-Identity": ""}))
		assert.Len(t, recorder.all(), 1)
		recorder.mu.Lock()
		recorder.requests = nil
		recorder.mu.Unlock()
	}
}

func TestLargeMapsAreSentToTheLastKey(t *testing.T) {
	t.Parallel()
	const keys = 20_000
	plain, odd, anything := map[string]string{}, map[string]string{}, map[string]any{}
	for i := range keys {
		plain[fmt.Sprintf("key-%d", i)] = "value"
		odd[fmt.Sprintf("key\r\n%d", i)] = `"\` + "\x00"
		anything[fmt.Sprintf("key-%d", i)] = []any{i, nil, "x"}
	}
	recorder := newRecorder(t, http.StatusOK, anyResource)
	client := recorder.client()
	gateway := fullInboundGateway()
	for _, metadata := range []map[string]string{plain, odd} {
		gateway.Metadata = metadata
		require.NoError(t, errorOf(client.InboundGateways.Create(t.Context(), gateway)))
		var sent struct{ Metadata map[string]string }
		require.NoError(t, json.Unmarshal(recorder.last().Body, &sent))
		assert.True(t, reflect.DeepEqual(metadata, sent.Metadata))
	}
	params := validCall()
	params.Metadata = anything
	require.NoError(t, errorOf(client.Calls.Create(t.Context(), params)))
	want, err := json.Marshal(anything)
	require.NoError(t, err)
	assert.True(t, bytes.Contains(recorder.last().Body, want))

	params.Metadata, params.Headers = nil, odd
	err = errorOf(client.Calls.Create(t.Context(), params))
	assert.Len(t, fieldsOf(t, err), 2*keys, "every fault is named")
}

// What encoding/json says of a value may quote it.
func TestABodyThatCannotBeJSONIsRefusedWithoutItsValues(t *testing.T) {
	loop := map[string]any{"secret": "hunter2"}
	loop["self"] = loop
	tests := []struct {
		name  string
		value any
		text  string
	}{
		{"a number that is none", json.Number("hunter2"), "cannot be JSON"},
		{"JSON that is none", json.RawMessage(`hunter2`), "a json.RawMessage in it fails to encode itself"},
		{"what fails to encode itself", failing{}, "a videosdk_test.failing in it fails to encode itself"},
		{"a function", func() {}, "unsupported type: func()"},
		{"a map that contains itself", loop, "encountered a cycle"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			params := validCall()
			params.Metadata = map[string]any{"it": tt.value}
			_, err := recorder.client().Calls.Create(t.Context(), params)
			assertRefused(t, recorder, err, "body")
			assert.ErrorContains(t, err, tt.text)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("hunter2: %w", io.ErrUnexpectedEOF)
}

func TestMetadataMayBeAsDeepAsJSONGoes(t *testing.T) {
	var deep any = "bottom\n"
	for range 3_000 {
		deep = map[string]any{"k": []any{deep}}
	}
	recorder := newRecorder(t, http.StatusBadRequest, `{"message":"too deep"}`)
	params := validCall()
	params.Metadata = map[string]any{"it": deep}
	_, err := recorder.client().Calls.Create(t.Context(), params)
	require.ErrorIs(t, err, videosdk.ErrBadRequest, "it was sent, and looked through for secrets")
	assert.Equal(t, 3_000, strings.Count(string(recorder.last().Body), `{"k":[`))
	assert.NotEmpty(t, fmt.Sprint(params))
}

func TestAHeaderOfARequestCannotForgeAnother(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, emptyPage)
	for _, value := range []string{"a\r\nX-Evil: 1", "a\rb", "a\nb", "a\x00b", "a\x7fb", "\n", "a\u0085b"} {
		_, err := recorder.client().Calls.List(t.Context(), videosdk.CallListParams{}, videosdk.WithHeader("X-Trace", value))
		assertRefused(t, recorder, err, "WithHeader")
		assert.NotContains(t, err.Error(), "Evil")
	}
	for _, name := range []string{"", "X Y", "X:Y", "X\r\nY", "X\x00Y", "Ünïcödé", "X-Y\n", "(X)", "\u2028"} {
		_, err := recorder.client().Calls.List(t.Context(), videosdk.CallListParams{}, videosdk.WithHeader(name, "v"))
		assertRefused(t, recorder, err, "WithHeader")
	}
	for _, name := range []string{"authorization", "AUTHORIZATION", "Host", "content-length", "Transfer-Encoding", "Connection", "idempotency-key"} {
		_, err := recorder.client().Calls.List(t.Context(), videosdk.CallListParams{}, videosdk.WithHeader(name, "v"))
		assertRefused(t, recorder, err, "WithHeader")
	}
}
