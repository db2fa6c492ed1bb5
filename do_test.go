package videosdk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestDoSendsWhatItIsGiven(t *testing.T) {
	type params struct {
		Name string `json:"name"`
	}
	tests := []struct {
		name         string
		method, path string
		in           any
		sent, query  string // the path without its query
		body         string // empty for none
	}{
		{"a path", http.MethodGet, "/v2/sip/call", nil, "/v2/sip/call", "", ""},
		{"a path that is escaped", http.MethodGet, "/v2/sip/phone-numbers/%2B14155551234", nil, "/v2/sip/phone-numbers/%2B14155551234", "", ""},
		{"a path with an escaped slash", http.MethodGet, "/v2/a%2Fb", nil, "/v2/a%2Fb", "", ""},
		{"a path with signs that need no escape", http.MethodGet, "/v2/(a)!*'[b]", nil, "/v2/(a)!*'[b]", "", ""},
		{"a query", http.MethodGet, "/v2/x?search=%2B1415&b=1&b=2", nil, "/v2/x", "b=1&b=2&search=%2B1415", ""},
		{"a struct", http.MethodPost, "/v2/x", params{"a"}, "/v2/x", "", `{"name":"a"}`},
		{"a map", http.MethodPut, "/v2/x", map[string]int{"a": 1}, "/v2/x", "", `{"a":1}`},
		{"JSON as it is", http.MethodPatch, "/v2/x", json.RawMessage(`{"a":1.0}`), "/v2/x", "", `{"a":1.0}`},
		{"a DELETE with a body", http.MethodDelete, "/v2/x", map[string]int{"a": 1}, "/v2/x", "", `{"a":1}`},
		{"a POST of nothing, which net/http would repeat by itself without a body", http.MethodPost, "/v2/x", nil, "/v2/x", "", `{}`},
		{"a PUT of nothing", http.MethodPut, "/v2/x", nil, "/v2/x", "", ""},
		{"a HEAD", http.MethodHead, "/v2/x", nil, "/v2/x", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := newRecorder(t, http.StatusOK, `{}`)
			require.NoError(t, rec.client().Do(t.Context(), tt.method, tt.path, tt.in, nil))
			got := rec.last()
			assert.Equal(t, []string{tt.method, tt.sent, tt.query, tt.body}, []string{got.Method, got.Path, got.Query, string(got.Body)})
		})
	}
}

func TestDoRefusesWhatCannotBeMeant(t *testing.T) {
	var out map[string]any
	var none *map[string]any
	tests := []struct {
		name         string
		method, path string
		in, out      any
		want         string // the field
	}{
		{"no path", http.MethodGet, "", nil, nil, "path"},
		{"a path without a slash", http.MethodGet, "v2/x", nil, nil, "path"},
		{"another host", http.MethodGet, "//evil.example/v2", nil, nil, "path"},
		{"a URL", http.MethodGet, "https://evil.example/v2", nil, nil, "path"},
		{"a way up", http.MethodDelete, "/v2/sip/routing-rule/..", nil, nil, "path"},
		{"a way up in the middle", http.MethodGet, "/v2/../v1", nil, nil, "path"},
		{"a way up in disguise", http.MethodGet, "/v2/sip/%2E%2e", nil, nil, "path"},
		{"a way up behind an escaped slash", http.MethodPost, "/v2/sip/x%2F..%2Fcall", nil, nil, "path"},
		{"a way up with parameters", http.MethodPost, "/v2/sip/x/..;/call", nil, nil, "path"},
		{"a dot", http.MethodGet, "/v2/./x", nil, nil, "path"},
		{"a space", http.MethodGet, "/v2/a b", nil, nil, "path"},
		{"a line break", http.MethodGet, "/v2/a\nb", nil, nil, "path"},
		{"a letter that is not escaped", http.MethodGet, "/v2/ü", nil, nil, "path"},
		{"a fragment", http.MethodGet, "/v2/a#b", nil, nil, "path"},
		{"a backslash", http.MethodGet, `/v2/a\b`, nil, nil, "path"},
		{"a bar behind an escaped slash", http.MethodDelete, "/v2/a%2Fb|c", nil, nil, "path"},
		{"half an escape", http.MethodGet, "/v2/a%2", nil, nil, "path"},
		{"a query that is none", http.MethodGet, "/v2/a?b=%2", nil, nil, "path"},
		{"a query with a semicolon", http.MethodGet, "/v2/a?b;c", nil, nil, "path"},
		{"no method", "", "/v2/x", nil, nil, "method"},
		{"a method in lower case", "post", "/v2/x", nil, nil, "method"},
		{"a method that is none", "GE T", "/v2/x", nil, nil, "method"},
		{"a body that is no JSON", http.MethodPost, "/v2/x", make(chan int), nil, "body"},
		{"JSON that is none", http.MethodPost, "/v2/x", json.RawMessage(`{`), nil, "body"},
		{"an out that nothing can be stored in", http.MethodPost, "/v2/x", nil, out, "out"},
		{"an out that is a map", http.MethodPost, "/v2/x", nil, map[string]any{}, "out"},
		{"an out that is a nil pointer", http.MethodPost, "/v2/x", nil, none, "out"},
		{"an option that is nil", http.MethodPost, "/v2/x", nil, nil, "opts[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := newRecorder(t, http.StatusOK, `{}`)
			var opts []videosdk.RequestOption
			if tt.want == "opts[0]" {
				opts = append(opts, nil)
			}
			err := rec.client().Do(t.Context(), tt.method, tt.path, tt.in, tt.out, opts...)
			assert.Contains(t, fieldsOf(t, err), tt.want)
			assert.Contains(t, err.Error(), "videosdk: Do: nothing was sent: ")
			assert.Empty(t, rec.all())
		})
	}
}

func TestDoDecodesTheAnswer(t *testing.T) {
	type thing struct {
		ID string `json:"id"`
	}
	rec := newRecorder(t, http.StatusOK, `{"id":"a","data":[1]}`)
	client := rec.client()
	ctx := t.Context()

	var typed thing
	require.NoError(t, client.Do(ctx, http.MethodGet, "/v2/x", nil, &typed))
	assert.Equal(t, thing{"a"}, typed)
	var raw json.RawMessage
	require.NoError(t, client.Do(ctx, http.MethodGet, "/v2/x", nil, &raw))
	assert.Equal(t, `{"id":"a","data":[1]}`, string(raw))
	var whatever any
	require.NoError(t, client.Do(ctx, http.MethodGet, "/v2/x", nil, &whatever))
	assert.Equal(t, map[string]any{"id": "a", "data": []any{1.0}}, whatever)
	require.NoError(t, client.Do(ctx, http.MethodHead, "/v2/x", nil, &typed), "a HEAD has no answer to decode")
}

func TestAHeadTellsOfAnythingHoweverLarge(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "99000000")
	}))
	defer srv.Close()
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(srv.URL))
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	var untouched any
	require.NoError(t, client.Do(t.Context(), http.MethodHead, "/v2/recording", nil, &untouched))
}

func TestAnAnswerThatDoCannotDecode(t *testing.T) {
	var typed struct{ ID int }
	var raw json.RawMessage
	tests := []struct {
		name, body string
		out        any
		want       string
	}{
		{"HTML for a struct", "<html>", &typed, "it is not JSON: invalid character '<'"},
		{"HTML for JSON", "<html>", &raw, "it is not JSON"},
		{"HTML for nothing", "<html>", nil, "it is not JSON"},
		{"nothing for a struct", "", &typed, "it is not JSON: unexpected end"},
		{"nothing for JSON", "", &raw, "it is not JSON"},
		{"another type", `{"id":"text"}`, &typed, `it has a JSON string at "ID", which a Go int cannot hold`},
		{"JSON and more", `{}{}`, &raw, "it is not JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newRecorder(t, http.StatusOK, tt.body).client()
			err := client.Do(t.Context(), http.MethodPost, "/v2/x", nil, tt.out)
			require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
			require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
			require.ErrorContains(t, err, tt.want)
			err = client.Do(t.Context(), http.MethodGet, "/v2/x", nil, tt.out)
			require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
			require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
		})
	}
}

func TestAnAnswerThatDoCannotDecodeIsNotQuoted(t *testing.T) {
	client := newRecorder(t, http.StatusOK, `{"room":{"pin":4321},"metadata":{"age":"4321 years"}}`).client()
	tests := []struct {
		name, want string
		out        any
	}{
		{"a number", `a JSON number at "Room.Pin", which a Go int8 cannot hold`, &struct{ Room struct{ Pin int8 } }{}},
		{"a number in a text", `a JSON number at "Metadata.age", which a Go int cannot hold`, &struct {
			Metadata struct {
				Age int `json:"age,string"`
			}
		}{}},
		{"a type that decodes itself", "refuses it", &quoting{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := client.Do(t.Context(), http.MethodGet, "/v2/x", nil, tt.out)
			require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "4321")
		})
	}
}

type quoting struct{}

func (*quoting) UnmarshalJSON(data []byte) error { return fmt.Errorf("unknown thing: %s", data) }

// A path reaches people however it is spelled, as long as a server might take
// it for the one that does.
func TestDoKnowsThePathsThatReachPeople(t *testing.T) {
	tests := []struct {
		method, path string
		reaches      bool
	}{
		{http.MethodPost, "/v2/sip/call", true},
		{http.MethodPost, "/v2/sip/call?x=1", true},
		{http.MethodPost, "/v2/sip/call/", true},
		{http.MethodPost, "/v2/sip/call//", true},
		{http.MethodPost, "/v2//sip/call", true},
		{http.MethodPost, "/V2/SIP/Call", true},
		{http.MethodPost, "/v2/sip/c%61ll", true},
		{http.MethodPost, "/v2/sip%2Fcall", true},
		{http.MethodPost, "/v2/sip/call;v=1", true},
		{http.MethodPost, "/v2/sip;v=1/call", true},
		{http.MethodPost, "/v2/sip/;v=1/call", true},
		{http.MethodPost, "/v2/sip/call/;v=1", true},
		{http.MethodPost, "/v2/sip/call/%3Bv=1", true},
		{http.MethodPost, "/v2/sip/call/transfer", true},
		{http.MethodPost, "/v2/sip/call/switch-room", true},
		{http.MethodPost, "/v2/sip/outbound-call", true},
		{http.MethodPost, "/v2/batch-calls", true},
		{http.MethodPut, "/v2/batch-calls/batch_1", true}, // may begin a draft
		{http.MethodPatch, "/v2/batch-calls/batch_1", true},
		{http.MethodPut, "/V2/batch%2Dcalls/batch_1;v=1/?x=1", true},
		{"LINK", "/v2/anything", true}, // nothing is known of it

		{http.MethodGet, "/v2/sip/call", false},
		{http.MethodHead, "/v2/sip/call", false},
		{http.MethodPatch, "/v2/sip/call", false},
		{http.MethodPost, "/v2/sip/call/end", false},
		{http.MethodPost, "/v2/sip/recall", false},
		{http.MethodPost, "/v2/batch-calls/batch_1/cancel", false},
		{http.MethodPut, "/v2/batch-calls/batch_1/records/rec_1", false},
		{http.MethodPut, "/v2/sip/webhooks/batch-calls", false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s reaches people: %v", tt.method, tt.path, tt.reaches), func(t *testing.T) {
			rec := newRecorder(t, http.StatusServiceUnavailable, `{}`).then(http.StatusOK, `{}`)
			err := rec.client().Do(t.Context(), tt.method, tt.path, nil, nil, videosdk.WithRetryUnknown())
			if tt.reaches {
				require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
				assert.Empty(t, rec.all())
				return
			}
			require.NoError(t, err)
			assert.Len(t, rec.all(), 2)
		})
	}
}

func TestThePathOfTheBaseURLBelongsToAPathThatReachesPeople(t *testing.T) {
	rec := newRecorder(t, http.StatusServiceUnavailable, `{}`).then(http.StatusOK, `{}`)
	client := rec.client(videosdk.WithBaseURL("https://api.example.com/v2"))
	err := client.Do(t.Context(), http.MethodPost, "/sip/call", nil, nil, videosdk.WithRetryUnknown())
	require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
	err = client.Do(t.Context(), http.MethodPost, "/sip/call", nil, nil)
	require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	assert.Len(t, rec.all(), 1)
}

func TestDoHidesPhoneNumbersInAnyPath(t *testing.T) {
	tests := []struct{ path, shown string }{
		{"/v2/sip/phone-numbers/%2B14155551234", "/v2/sip/phone-numbers/{e164}"},
		{"/v2/sip/phone-numbers/+14155551234/x", "/v2/sip/phone-numbers/{e164}/x"},
		{"/v2/sip/phone-numbers/pn_1", "/v2/sip/phone-numbers/pn_1"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			err := newRecorder(t, http.StatusNotFound, `{}`).client().Do(t.Context(), http.MethodGet, tt.path, nil, nil)
			var answer *videosdk.APIError
			require.ErrorAs(t, err, &answer)
			assert.Equal(t, tt.shown, answer.Path)
		})
	}
}

func TestADeleteByDoThatFindsItsWorkDoneLeavesOutAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.srv.Inject(videosdktest.Fault{Drop: videosdktest.DropAfterActing})
		out := json.RawMessage(`"as it was"`)
		require.NoError(t, a.client.Do(t.Context(), http.MethodDelete, gatewayPath(a), nil, &out))
		assert.Equal(t, `"as it was"`, string(out))
		assert.Len(t, a.srv.Requests(), 2)
	})
}

func TestDoObeysItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := newRecorder(t, http.StatusOK, `{}`)
	err := rec.client().Do(ctx, http.MethodGet, "/v2/x", nil, nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, rec.all())
}
