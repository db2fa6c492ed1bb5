package videosdk_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// What is private is not in the body of an error: programs log those.
func TestNoErrorTellsWhatBelongsToThePeopleOnThePhone(t *testing.T) {
	const recording = "https://rec.example.com/1.mp3"
	record := `{"recordId":"r","recording":"` + recording + `","metadata":{"name":"Jane"},"metaData":"Jane","agentMetadata":["Jane"]}`
	tests := []struct {
		name   string
		status int
		body   string
	}{
		{"a page that was cut short", http.StatusOK, `{"records":[` + record},
		{"a page that was cut short in the metadata", http.StatusOK, `{"records":[{"recordId":"r","metadata":{"name":"Jane"`},
		{"an error that repeats the record", http.StatusConflict, `{"message":"it exists","data":` + record + `}`},
		{"an error that repeats it as a text", http.StatusBadRequest, fmt.Sprintf(`{"message":%q}`, "no "+record)},
		{"an error under a status of success", http.StatusOK, `{"statusCode":400,"data":` + record + `}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newRecorder(t, tt.status, tt.body).client(videosdk.WithMaxRetries(0)).
				BatchCalls.Records.List(t.Context(), "b", videosdk.BatchRecordListParams{})
			var answer *videosdk.APIError
			require.ErrorAs(t, err, &answer)
			assertWithout(t, []string{recording, "Jane"}, everyTextOf(err)...)
			assert.Contains(t, string(answer.Body), "[redacted]", "the rest of it is there")
		})
	}
}

// mayBeURI tells by its name whether a field may hold a URI, and so a password
// that is a part of it.
func mayBeURI(structure, field string) bool {
	return slices.Contains([]string{"To", "URL", "Endpoint", "Address", "Domain"}, field) ||
		field == "Search" && slices.Contains([]string{"CallListParams", "WebhookListParams"}, structure)
}

// plantURIs puts a URI with a password into each field that may hold one, and
// returns how many there are.
func plantURIs(v reflect.Value) (planted int) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return plantURIs(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		return plantURIs(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			switch {
			case !field.IsExported():
			case mayBeURI(v.Type().Name(), field.Name):
				planted += plantURI(v.Field(i))
			default:
				planted += plantURIs(v.Field(i))
			}
		}
	}
	return planted
}

func plantURI(v reflect.Value) (planted int) {
	uri := "sip:alice:hunter2@example.com"
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.ValueOf(&uri))
	} else {
		v.SetString(uri)
	}
	return 1
}

func TestNoExportedStructPrintsThePasswordOfAURI(t *testing.T) {
	planted := 0
	for name, structure := range exportedStructs() {
		t.Run(name, func(t *testing.T) {
			value := reflect.New(structure)
			found := plantURIs(value.Elem())
			if _, isError := value.Interface().(error); found == 0 || isError {
				return // an error prints what it says and no more
			}
			planted += found
			for _, shape := range []any{value.Interface(), value.Elem().Interface(), holding(value.Elem())} {
				for how, text := range printed(shape) {
					if how == "slog JSON" && reflect.TypeOf(shape).Name() == "" {
						continue // of the caller's own: see TestNoHandlerOfSlogPrintsASecret
					}
					assertNoSecret(t, text, how)
				}
			}
		})
	}
	assert.Greater(t, planted, 20, "passwords were planted")
}

func TestNoErrorTellsThePasswordOfAURI(t *testing.T) {
	const hook, callee = "https://me:hunter2@example.com/hook?token=hunter2", "sip:alice:hunter2@example.com"
	refused := newRecorder(t, http.StatusBadRequest, `{"message":"cannot reach `+hook+` or `+callee+`"}`).client()
	_, err := refused.Webhooks.Create(t.Context(), videosdk.WebhookCreateParams{URL: hook, Events: []videosdk.EventType{videosdk.EventCallStarted}})
	require.ErrorContains(t, err, "example.com")
	assertWithout(t, []string{"hunter2"}, everyTextOf(err)...)
	_, err = refused.Calls.Create(t.Context(), videosdk.CallCreateParams{To: callee, From: ourNumber, RoutingRuleID: "rule_1"})
	require.ErrorContains(t, err, "example.com")
	assertWithout(t, []string{"hunter2"}, everyTextOf(err)...)
}
