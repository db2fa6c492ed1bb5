package videosdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// addAnswers makes seeds of the documented answers, and of values of every kind.
func addAnswers(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "samples", "*.json"))
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(body)
	}
	for _, value := range jsonValues() {
		f.Add([]byte(value))
		f.Add([]byte(`{"id":` + value + `,"data":` + value + `,"statusCode":` + value + `}`))
	}
	f.Add([]byte(aliases))
}

// fuzzAnswer feeds a method with answers. It fails with a short error that says
// that the answer is at fault, or returns what can be printed, and stored as JSON
// and read again.
func fuzzAnswer[T any](f *testing.F, call func(context.Context, *videosdk.Client) (*T, error)) {
	f.Helper()
	addAnswers(f)
	server := &served{status: http.StatusOK}
	client := server.client(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		server.body = body
		got, err := call(t.Context(), client)
		if err != nil {
			requireFair(t, err)
			return
		}
		require.NotNil(t, got)
		require.NotEmpty(t, fmt.Sprint(got))
		stored, err := json.Marshal(got)
		require.NoError(t, err)
		restored := new(T)
		require.NoError(t, json.Unmarshal(stored, restored))
		again, err := json.Marshal(restored)
		require.NoError(t, err)
		require.Equal(t, string(stored), string(again))
	})
}

// requireFair requires an error that says of an answer what is wrong with it.
func requireFair(t *testing.T, err error) {
	t.Helper()
	var answer *videosdk.APIError
	require.ErrorAs(t, err, &answer)
	require.True(t, errors.Is(err, videosdk.ErrInvalidResponse) || answer.StatusCode >= 300, "%v", err)
	require.Less(t, len(err.Error()), 2000)
	require.NotContains(t, err.Error(), "secret")
	for _, r := range err.Error() {
		require.False(t, unicode.IsControl(r), "%q in %q", r, err)
	}
}

func FuzzGatewayAnswer(f *testing.F) {
	fuzzAnswer(f, func(ctx context.Context, c *videosdk.Client) (*videosdk.Gateway, error) {
		return c.InboundGateways.Get(ctx, "x")
	})
}

func FuzzGatewayRuleAnswer(f *testing.F) {
	fuzzAnswer(f, func(ctx context.Context, c *videosdk.Client) (*videosdk.GatewayRoutingRule, error) {
		return c.GatewayRoutingRules.Get(ctx, "x")
	})
}

func FuzzTrunkAnswer(f *testing.F) {
	fuzzAnswer(f, func(ctx context.Context, c *videosdk.Client) (*videosdk.Trunk, error) {
		return c.Trunks.Create(ctx, validTrunk())
	})
}

func FuzzTrunkCallAnswer(f *testing.F) {
	fuzzAnswer(f, func(ctx context.Context, c *videosdk.Client) (*videosdk.TrunkCall, error) {
		return c.Trunks.Call(ctx, validTrunkCall("x"))
	})
}

func FuzzWebhookAnswer(f *testing.F) {
	fuzzAnswer(f, func(ctx context.Context, c *videosdk.Client) (*videosdk.Webhook, error) {
		return c.Webhooks.Get(ctx, "x")
	})
}

func FuzzBatchCallAnswer(f *testing.F) {
	fuzzAnswer(f, func(ctx context.Context, c *videosdk.Client) (*videosdk.BatchCall, error) {
		return c.BatchCalls.Get(ctx, "x")
	})
}

func FuzzBatchRecordAnswer(f *testing.F) {
	fuzzAnswer(f, func(ctx context.Context, c *videosdk.Client) (*videosdk.Page[videosdk.BatchRecord], error) {
		return c.BatchCalls.Records.List(ctx, "x", videosdk.BatchRecordListParams{})
	})
}

func FuzzBatchStatsAnswer(f *testing.F) {
	fuzzAnswer(f, func(ctx context.Context, c *videosdk.Client) (*videosdk.BatchStats, error) {
		return c.BatchCalls.Stats(ctx, "x")
	})
}

func FuzzRoomAnswer(f *testing.F) {
	fuzzAnswer(f, func(ctx context.Context, c *videosdk.Client) (*videosdk.RoomValidation, error) {
		return c.Rooms.Validate(ctx, "x")
	})
}

// toldAnswers are what the methods return that need nothing of their answer.
type toldAnswers struct {
	Detached *videosdk.DetachResult
	Released *videosdk.ReleaseResult
	Deleted  *videosdk.DeleteResult
	Records  *videosdk.BatchRecordDeleteResult
	Ack      *videosdk.Ack
	Updated  *videosdk.Gateway
}

func FuzzToldAnswer(f *testing.F) {
	fuzzAnswer(f, func(ctx context.Context, c *videosdk.Client) (*toldAnswers, error) {
		var all toldAnswers
		var errs [6]error
		all.Detached, errs[0] = c.PhoneNumbers.Detach(ctx, "+14155550199")
		all.Released, errs[1] = c.PhoneNumbers.Release(ctx, "x")
		all.Deleted, errs[2] = c.RoutingRules.Delete(ctx, "x")
		all.Records, errs[3] = c.BatchCalls.Records.Delete(ctx, "x", []string{"x"})
		all.Ack, errs[4] = c.PhoneNumbers.Create(ctx, validPhoneNumber())
		all.Updated, errs[5] = c.OutboundGateways.Update(ctx, "x", videosdk.GatewayUpdateParams{})
		for _, err := range errs {
			if err != nil {
				return nil, err
			}
		}
		return &all, nil
	})
}

func FuzzPublicKey(f *testing.F) {
	addAnswers(f)
	f.Add([]byte(`{"publicKey":"-----BEGIN RSA PUBLIC KEY-----\nMAoCAwEAAQIDAQAB\n-----END RSA PUBLIC KEY-----"}`))
	server := &served{status: http.StatusOK}
	client := server.client(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		server.body = body
		keys, err := client.WebhookKeys().Keys(t.Context())
		if err != nil {
			require.Less(t, len(err.Error()), 2000)
			return
		}
		require.Len(t, keys, 1)
		require.GreaterOrEqual(t, keys[0].N.BitLen(), 2048)
	})
}

func FuzzErrorAnswer(f *testing.F) {
	f.Add(400, []byte(`{"message":"no","code":"E1"}`), "req_1", "application/json", "1", "https://x/")
	f.Add(302, []byte(`<html>`), "", "text/html; charset=utf-8", "Wed, 21 Oct 2015 07:28:00 GMT", "https://a:b@c:d/?token=secret")
	f.Add(401, []byte(`{"error":{"message":["a","b"]}}`), "a\x00b", ";", "-1", "//")
	f.Add(200, []byte(`{"statusCode":"500","msg":{"a":"`+canaryBearer+`"}}`), "x", "a/b", "99999999999999999999", "")
	f.Add(503, []byte(`\\\\\u0063\\u0063`), "\u0085", "text/\xff", "1e9", "http://[::1")
	f.Fuzz(func(t *testing.T, status int, body []byte, id, kind, wait, location string) {
		if status < 200 || status > 599 {
			return // net/http gives no others
		}
		server := &served{status: status, body: body, header: http.Header{
			"X-Request-Id": {id}, "Content-Type": {kind}, "Retry-After": {wait}, "Location": {location}, "Date": {wait},
		}}
		client := server.client(t, videosdk.WithTokenSource(videosdk.StaticToken(canaryBearer)))
		_, err := client.Calls.Create(t.Context(), validCall())
		if err == nil {
			require.Less(t, status, 300)
			return
		}
		var answer *videosdk.APIError
		require.ErrorAs(t, err, &answer)
		if status >= 300 {
			assert.Equal(t, status, answer.StatusCode)
		}
		assert.LessOrEqual(t, len(answer.Body), 2<<10)
		assert.LessOrEqual(t, len(answer.Message), 256)
		assert.LessOrEqual(t, len(answer.RequestID), 256)
		assert.GreaterOrEqual(t, answer.RetryAfter, time.Duration(0))
		for _, text := range []string{answer.Message, answer.Code, string(answer.Body)} {
			assert.NotContains(t, text, canaryBearer)
		}
		for _, r := range answer.Message + answer.Code + answer.RequestID {
			assert.False(t, unicode.IsControl(r), "%q in %q", r, err)
		}
	})
}

// FuzzID gives every kind of method an id.
func FuzzID(f *testing.F) {
	for _, id := range nastyIDs() {
		f.Add(id)
	}
	var sent []*http.Request
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		sent = append(sent, req)
		return answerOf(http.StatusOK, "application/json", anyResource), nil
	})}))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, id string) {
		for before, call := range map[string]func() error{
			"/v2/sip/call/":         func() error { return errorOf(client.Calls.Get(t.Context(), id)) },
			"/v2/sip/routing-rule/": func() error { return errorOf(client.RoutingRules.Delete(t.Context(), id)) },
			"/v2/rooms/validate/":   func() error { return errorOf(client.Rooms.Validate(t.Context(), id)) },
			"/v2/sip/phone-numbers/gateways/": func() error {
				return errorOf(client.PhoneNumbers.UpdateGateway(t.Context(), id, videosdk.PhoneNumberGatewayUpdateParams{Name: videosdk.Ptr("n")}))
			},
		} {
			sent = nil
			err := call()
			if err != nil {
				require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
				require.Empty(t, sent)
				continue
			}
			require.Len(t, sent, 1)
			require.Equal(t, "api.videosdk.live", sent[0].URL.Host)
			require.Empty(t, sent[0].URL.RawQuery)
			require.Empty(t, sent[0].URL.Fragment)
			segment, ok := strings.CutPrefix(sent[0].URL.EscapedPath(), before)
			require.True(t, ok, sent[0].URL.EscapedPath())
			require.NotContains(t, segment, "/")
			require.NotContains(t, segment, "+")
			read, err := url.PathUnescape(segment)
			require.NoError(t, err)
			require.Equal(t, id, read)
			require.NotContains(t, []string{"", ".", ".."}, id)
		}
	})
}

// FuzzRequestText puts a text wherever a call takes one: it arrives to the byte,
// or is refused.
func FuzzRequestText(f *testing.F) {
	for _, text := range append(oddTexts(), "a\xffb", "\xed\xa0\x80") {
		f.Add(text)
	}
	var body []byte
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		var b bytes.Buffer
		_, err := b.ReadFrom(req.Body)
		body = b.Bytes()
		return answerOf(http.StatusOK, "application/json", anyResource), err
	})}))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		params := validCall()
		params.Participant = &videosdk.Participant{Name: text}
		params.Metadata = map[string]any{"key": []any{text}, text: 1}
		params.TrackingID = "t"
		if text == videosdk.TrackingKey {
			return // which is where TrackingID travels
		}
		body = nil
		_, err := client.Calls.Create(t.Context(), params)
		if !utf8.ValidString(text) {
			require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
			require.Nil(t, body)
			return
		}
		require.NoError(t, err)
		var sent struct {
			Participant struct{ Name string }
			Metadata    map[string]any
		}
		require.NoError(t, json.Unmarshal(body, &sent))
		want := map[string]any{"key": []any{text}, videosdk.TrackingKey: "t"}
		want[text] = 1.0
		require.True(t, reflect.DeepEqual(want, sent.Metadata), "%q became %v", text, sent.Metadata)
		if text != "" {
			require.Equal(t, text, sent.Participant.Name)
		}

		params.Headers = map[string]string{"X-Text": text}
		_, err = client.Calls.Create(t.Context(), params)
		require.Equal(t, strings.ContainsFunc(text, isLineBreaker), errors.Is(err, videosdk.ErrInvalidRequest), "%q: %v", text, err)
	})
}

func isLineBreaker(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// FuzzBaseURL checks that what is accepted leads to the origin that it names.
func FuzzBaseURL(f *testing.F) {
	for _, base := range []string{
		"https://api.videosdk.live", "https://api.example.com:8443/x/", "http://127.0.0.1:1", "http://[::1]", "http://localhost", "https://a@b",
		"https://a/?", "https://a/#", "https://a/..%2f..", "http://127.0.0.1.evil.example", "https://a\\@b", "https://a/\x00", "HTTPS://A", "https://[fe80::1%25en0]",
		"http://localhost@evil.example", "https://a:b", "https://a/b?c", "http:///", "https://é.example", "https://a/%zz",
	} {
		f.Add(base)
	}
	f.Fuzz(func(t *testing.T, base string) {
		var to *url.URL
		client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(base), videosdk.WithHTTPClient(&http.Client{
			Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				to = req.URL
				return answerOf(http.StatusOK, "application/json", anyResource), nil
			}),
		}))
		if err != nil {
			require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
			return
		}
		named, err := url.Parse(base)
		require.NoError(t, err)
		require.Nil(t, named.User)
		require.Empty(t, named.RawQuery+named.Fragment)
		if _, err := client.Calls.Get(t.Context(), "x"); err != nil {
			require.Nil(t, to, "%v", err)
			return
		}
		require.Equal(t, named.Hostname(), to.Hostname())
		require.Equal(t, named.Scheme, to.Scheme)
		require.Nil(t, to.User)
		require.True(t, strings.HasSuffix(to.EscapedPath(), "/v2/sip/call/x"), to.EscapedPath())
		if to.Scheme != "https" {
			require.Equal(t, "http", to.Scheme)
			require.Regexp(t, `^(localhost|127\.\d+\.\d+\.\d+|[0-9a-f:.]*:[0-9a-f:.]*)$`, strings.ToLower(to.Hostname()))
		}
	})
}

// FuzzUploadTicket checks where a presigned URL leads: to https, or loopback, and
// without the token.
func FuzzUploadTicket(f *testing.F) {
	for _, presigned := range []string{
		"https://bucket.example.com/x?X-Amz-Signature=0123456789abcdef", "http://bucket.example.com/x", "http://127.0.0.1:9/x", "//x/y", "https://a@b/",
		"https://a/\r\nX: y", "file:///etc/passwd", "https://a/%zz", "https://", "https://a:99999/", "HTTPS://A/", "https://a/?a;b", "https://a/#x", "javascript:x",
	} {
		f.Add(presigned)
	}
	f.Fuzz(func(t *testing.T, presigned string) {
		ticket, err := json.Marshal(map[string]string{"presignedUrl": presigned, "batchId": "b"})
		require.NoError(t, err)
		to := &visits{answers: []string{string(ticket), "", "{}", `{"batchId":"b","status":"parsed"}`}}
		client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: to}), videosdk.WithMaxRetries(0))
		require.NoError(t, err)
		_, err = client.BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
		for _, visit := range to.seen {
			if visit.origin == "https://api.videosdk.live" && strings.HasPrefix(visit.path, "/v2/batch-calls") {
				continue
			}
			require.NotContains(t, visit.header, "Authorization")
			require.Regexp(t, `^(https://.|http://(localhost|127\.|\[[0-9a-fA-F:.]*\])).*`, visit.origin)
		}
		if err != nil && len(presigned) >= 40 && strings.Contains(presigned, "?") {
			require.NotContains(t, err.Error(), presigned)
		}
	})
}
