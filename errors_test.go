package videosdk_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// sentinels are all errors of the package that errors.Is knows.
func sentinels() []error {
	return []error{
		videosdk.ErrBadRequest, videosdk.ErrUnauthorized, videosdk.ErrPaymentRequired, videosdk.ErrForbidden,
		videosdk.ErrNotFound, videosdk.ErrConflict, videosdk.ErrRateLimited, videosdk.ErrServer, videosdk.ErrTimeout,
		videosdk.ErrInvalidRequest, videosdk.ErrInvalidResponse, videosdk.ErrResponseTooLarge, videosdk.ErrMaybeApplied,
		videosdk.ErrNoCredentials, videosdk.ErrNotAnswered, videosdk.ErrCallNotFound, videosdk.ErrInvalidSignature, videosdk.ErrInvalidEvent,
	}
}

// timeoutError is an error as net/http returns it.
type timeoutError struct{}

func (timeoutError) Error() string { return "i/o timeout" }
func (timeoutError) Timeout() bool { return true }

func TestEachErrorMatchesItsSentinelsAndNoOthers(t *testing.T) {
	status := func(code int) error { return &videosdk.APIError{StatusCode: code} }
	tests := []struct {
		name string
		err  error
		want []error
	}{
		{"a 400", status(400), []error{videosdk.ErrBadRequest}},
		{"a 401", status(401), []error{videosdk.ErrUnauthorized}},
		{"a 402", status(402), []error{videosdk.ErrPaymentRequired}},
		{"a 403", status(403), []error{videosdk.ErrForbidden}},
		{"a 404", status(404), []error{videosdk.ErrNotFound}},
		{"a 409", status(409), []error{videosdk.ErrConflict}},
		{"a 418", status(418), nil},
		{"a 429", status(429), []error{videosdk.ErrRateLimited}},
		{"a 500", status(500), []error{videosdk.ErrServer}},
		{"a 599", status(599), []error{videosdk.ErrServer}},
		{"an answer after which something may have happened", &videosdk.APIError{StatusCode: 503, MaybeApplied: true},
			[]error{videosdk.ErrServer, videosdk.ErrMaybeApplied}},
		{"an answer that is not understood", &videosdk.APIError{StatusCode: 200, Err: fmt.Errorf("%w: HTML", videosdk.ErrInvalidResponse)},
			[]error{videosdk.ErrInvalidResponse}},
		{"an answer that is too large", &videosdk.APIError{StatusCode: 200, Err: videosdk.ErrResponseTooLarge}, []error{videosdk.ErrResponseTooLarge}},
		{"an answer that stalled", &videosdk.APIError{StatusCode: 200, Err: timeoutError{}}, []error{videosdk.ErrTimeout}},
		{"a lost connection", &videosdk.RequestError{Err: io.ErrUnexpectedEOF}, nil},
		{"a lost connection after which something may have happened", &videosdk.RequestError{Err: io.ErrUnexpectedEOF, MaybeApplied: true},
			[]error{videosdk.ErrMaybeApplied}},
		{"a connection that could not be made in time", &videosdk.RequestError{Err: timeoutError{}}, []error{videosdk.ErrTimeout}},
		{"a refused request", &videosdk.ValidationError{}, []error{videosdk.ErrInvalidRequest}},
		{"a call that nobody answered", &videosdk.CallEndedError{}, []error{videosdk.ErrNotAnswered}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, sentinel := range sentinels() {
				wanted := false
				for _, want := range tt.want {
					wanted = wanted || want == sentinel
				}
				assert.Equal(t, wanted, errors.Is(tt.err, sentinel), sentinel)
			}
			assert.NotEmpty(t, tt.err.Error(), "also of an error that a caller's test has made")
		})
	}
}

func TestEachFaultOfARefusedRequestCanBeReached(t *testing.T) {
	_, err := newRecorder(t, http.StatusOK, `{}`).client().PhoneNumbers.Create(t.Context(), videosdk.PhoneNumberCreateParams{})
	var refused *videosdk.ValidationError
	require.ErrorAs(t, err, &refused)
	assert.Greater(t, len(refused.Fields), 1)
	var field *videosdk.FieldError
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "name", field.Field)
}

func TestErrorTexts(t *testing.T) {
	getCall := func(client *videosdk.Client) error {
		_, err := client.Calls.Get(t.Context(), "call_1")
		return err
	}
	placeCall := func(client *videosdk.Client) error {
		_, err := client.Calls.Create(t.Context(), newCall("rule_1"))
		return err
	}
	answered := func(status int, body string, header ...string) *videosdk.Client {
		return (&recorder{t: t}).then(status, body, header...).client(videosdk.WithMaxRetries(0))
	}
	lost := func(err error) *videosdk.Client {
		client, newErr := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{
			Transport: roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, err }),
		}), videosdk.WithMaxRetries(0))
		require.NoError(t, newErr)
		return client
	}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"an answer with everything",
			getCall(answered(404, `{"message":"Call not found","code":"E404"}`, "X-Request-Id", "req_1")),
			"videosdk: Calls.Get: GET /v2/sip/call/call_1: 404 Not Found: Call not found (1 attempt; code E404; request id req_1)"},
		{"an answer without a word",
			getCall(answered(500, ``)),
			"videosdk: Calls.Get: GET /v2/sip/call/call_1: 500 Internal Server Error (1 attempt)"},
		{"a status that nobody knows",
			getCall(answered(499, ``)),
			"videosdk: Calls.Get: GET /v2/sip/call/call_1: 499 (1 attempt)"},
		{"a server that wants to be left alone for long",
			getCall(answered(429, `{"error":"slow down"}`, "Retry-After", "3600")),
			"videosdk: Calls.Get: GET /v2/sip/call/call_1: 429 Too Many Requests: slow down (1 attempt; retry after 1h0m0s)"},
		{"a call whose fate is unknown",
			placeCall(answered(503, `{"message":"down"}`)),
			"videosdk: Calls.Create: POST /v2/sip/call: 503 Service Unavailable: down (1 attempt)" +
				": the request may have been applied: look before repeating it"},
		{"a redirect",
			placeCall(answered(302, ``, "Location", "https://evil.example/steal?token=abc")),
			"videosdk: Calls.Create: POST /v2/sip/call: 302 Found (1 attempt; redirects are not followed, not to https://evil.example)" +
				": the request may have been applied: look before repeating it"},
		{"a captive portal",
			getCall(answered(200, `<html>`, "Content-Type", "text/html; charset=utf-8")),
			"videosdk: Calls.Get: GET /v2/sip/call/call_1: 200 OK: videosdk: invalid response: it is not a JSON object" +
				" (the answer's type is text/html) (1 attempt)"},
		{"a lost connection",
			getCall(lost(errors.New("connection reset by peer"))),
			"videosdk: Calls.Get: GET /v2/sip/call/call_1: connection reset by peer (1 attempt)"},
		{"a lost call",
			placeCall(lost(errors.New("connection reset by peer"))),
			"videosdk: Calls.Create: POST /v2/sip/call: connection reset by peer (1 attempt)" +
				": the request may have been applied: look before repeating it"},
		{"a refused request",
			placeCallToNobody(t, answered(200, ``)),
			"videosdk: Calls.Create: nothing was sent: sipCallTo: must be an E.164 number, such as +14155550123, or a SIP URI, such as " +
				"sip:alice@example.com; routingRuleId: is required (or gatewayId, for a call without a rule)"},
		{"a call that nobody answered",
			&videosdk.CallEndedError{Call: &videosdk.Call{ID: "call_1", Status: videosdk.CallRejected}},
			"videosdk: call call_1 ended without having been answered: rejected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.EqualError(t, tt.err, tt.want) })
	}
}

func placeCallToNobody(t *testing.T, client *videosdk.Client) error {
	t.Helper()
	_, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{To: "nobody"})
	return err
}

func TestTheExplanationOfAnErrorIsFoundWhereverItIs(t *testing.T) {
	long := strings.Repeat("é", 1000)
	tests := []struct {
		name, body    string
		message, code string
	}{
		{"under message", `{"message":"no"}`, "no", ""},
		{"under error", `{"error":"no"}`, "no", ""},
		{"under msg", `{"msg":"no"}`, "no", ""},
		{"under statusMessage", `{"statusMessage":"no"}`, "no", ""},
		{"message before the others", `{"msg":"3","error":"2","message":"1"}`, "1", ""},
		{"not in a message that is empty", `{"message":"","error":"no"}`, "no", ""},
		{"not in a message that is null", `{"message":null,"error":"no"}`, "no", ""},
		{"with a code", `{"message":"no","code":"E1"}`, "no", "E1"},
		{"with an errorCode", `{"message":"no","errorCode":"E2"}`, "no", "E2"},
		{"with a code that is a number", `{"message":"no","code":4001}`, "no", "4001"},
		{"in a list", `{"message":["a","b",3]}`, "a, b", ""},
		{"in an object", `{"error":{"message":"no","code":1}}`, "no", ""},
		{"on one line, so that no line of a log is forged", `{"message":"a\nlevel=INFO b\tc\u0000"}`, "a level=INFO b c ", ""},
		{"cut to whole characters", `{"message":"-` + long + `"}`, "-" + strings.Repeat("é", 127), ""},
		{"nowhere in HTML", `<html>message</html>`, "", ""},
		{"nowhere in an array", `["message"]`, "", ""},
		{"nowhere in a text", `"message"`, "", ""},
		{"nowhere in nothing", ``, "", ""},
		{"nowhere in true", `{"message":true}`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newRecorder(t, http.StatusBadRequest, tt.body).client().Calls.Get(t.Context(), "call_1")
			var answer *videosdk.APIError
			require.ErrorAs(t, err, &answer)
			assert.Equal(t, tt.message, answer.Message)
			assert.Equal(t, tt.code, answer.Code)
			assert.NotContains(t, err.Error(), "\n")
			assert.Equal(t, tt.body, string(answer.Body))
			assert.Equal(t, []string{"Calls.Get", "GET", "/v2/sip/call/call_1"}, []string{answer.Operation, answer.Method, answer.Path})
		})
	}
}

func TestTheRequestIDIsTheFirstThatIsPresent(t *testing.T) {
	tests := []struct {
		name   string
		header []string
		want   string
	}{
		{"x-request-id", []string{"x-request-id", "1", "request-id", "2"}, "1"},
		{"request-id", []string{"request-id", "2", "x-amzn-requestid", "3"}, "2"},
		{"x-amzn-requestid", []string{"x-amzn-requestid", "3", "x-amz-request-id", "4"}, "3"},
		{"x-amz-request-id", []string{"x-amz-request-id", "4"}, "4"},
		{"not one that is empty", []string{"x-request-id", "", "request-id", "2"}, "2"},
		{"none", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := (&recorder{t: t}).then(400, `{}`, tt.header...).client().Calls.Get(t.Context(), "call_1")
			var answer *videosdk.APIError
			require.ErrorAs(t, err, &answer)
			assert.Equal(t, tt.want, answer.RequestID)
		})
	}
}

// A success is one only if it says what the operation answers. What the table
// of retry_test.go says of a page of HTML is said here of everything else that
// may come.
func TestAnAnswerOfSuccessThatIsNone(t *testing.T) {
	type result struct {
		status int
		err    error
		maybe  bool // for a call that was placed
	}
	unfit := result{200, videosdk.ErrInvalidResponse, true}
	refusal := result{400, videosdk.ErrBadRequest, false}
	tests := []struct {
		name, body string
		want       result
	}{
		{"HTML", `<html>Welcome to the airport</html>`, unfit},
		{"truncated JSON", `{"data":{"id":"call_1","status":"answ`, unfit},
		{"nothing", ``, unfit},
		{"white space", " \n", unfit},
		{"an empty object", `{}`, unfit},
		{"null", `null`, unfit},
		{"a text", `"ok"`, unfit},
		{"a number", `1`, unfit},
		{"an object without an id", `{"data":{"status":"answered"}}`, unfit},
		{"an object whose id is no text", `{"data":{"id":{"a":1}}}`, unfit},
		{"two objects", `{"data":{"id":"a"}}{"data":{"id":"b"}}`, unfit},
		{"a statusCode of 400", `{"statusCode":400,"message":"no"}`, refusal},
		{"a statusCode of 400 as a text", `{"statusCode":"400","message":"no"}`, refusal},
		{"a statusCode of 400 at the end", `{"message":"no","data":{"id":"call_1"},"statusCode":400}`, refusal},
		{"a statusCode of 500", `{"statusCode":500}`, result{500, videosdk.ErrServer, true}},
		{"a statusCode of 599", `{"statusCode":599}`, result{599, videosdk.ErrServer, true}},
		{"a statusCode of 600", `{"statusCode":600}`, unfit},
		{"a statusCode of 399", `{"statusCode":399}`, unfit},
		{"a statusCode behind what is no JSON", `{"x":NaN,"statusCode":404}`, unfit},
		{"a statusCode in what is closed by another bracket", `{"x":{"y":1],"statusCode":404}}`, unfit},
		{"a statusCode of 400 in what is no JSON", `{"statusCode":400,"message":}`, unfit},
		{"a statusCode of 400 in what is cut short", `{"statusCode":400,"message":"n`, unfit},
		{"a statusCode that no status can be", `{"statusCode":4000}`, unfit},
		{"a statusCode that is cut short", `{"statusCode":40`, unfit},
		{"a statusCode behind what is cut short", `{"message":"no,"statusCode":400}`, unfit},
		{"a statusCode in what ends after its name", `{"message":1,"statusCode"`, unfit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check := func(err error, maybe bool) {
				t.Helper()
				require.ErrorIs(t, err, tt.want.err)
				assert.Equal(t, maybe, errors.Is(err, videosdk.ErrMaybeApplied), err)
				var answer *videosdk.APIError
				require.ErrorAs(t, err, &answer)
				assert.Equal(t, tt.want.status, answer.StatusCode)
				assert.Contains(t, err.Error(), answer.Method+" "+answer.Path+": "+strconv.Itoa(tt.want.status))
				assert.Equal(t, tt.body, string(answer.Body))
			}
			placed := newRecorder(t, http.StatusOK, tt.body)
			_, err := placed.client().Calls.Create(t.Context(), newCall("rule_1"))
			check(err, tt.want.maybe)
			assert.Len(t, placed.all(), 1)

			client := newRecorder(t, http.StatusOK, tt.body).client()
			_, err = client.Calls.Get(t.Context(), "call_1")
			check(err, false)
			_, err = client.Calls.List(t.Context(), videosdk.CallListParams{})
			check(err, false)
		})
	}
}

func TestAStatusCodeDeepInAnAnswerDoesNotCount(t *testing.T) {
	for _, body := range []string{
		`{"data":{"id":"call_1","statusCode":400}}`,
		`{"data":{"id":"call_1","metadata":{"statusCode":"500"}}}`,
		`{"data":{"id":"call_1"},"statusCode":200}`,
		`{"data":{"id":"call_1"},"statusCode":null}`,
		`{"data":{"id":"call_1"},"note":"\"statusCode\":400"}`,
	} {
		call, err := newRecorder(t, http.StatusOK, body).client().Calls.Get(t.Context(), "call_1")
		require.NoError(t, err, body)
		assert.Equal(t, "call_1", call.ID)
	}
}

func TestAnAnswerWithoutAWordIsEnoughWhereNothingIsReturned(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusAccepted, http.StatusNoContent} {
		client := newRecorder(t, status, ``).client()
		_, err := client.PhoneNumbers.Create(t.Context(), newNumbers(spareNumber))
		require.NoError(t, err, status)
		_, err = client.RoutingRules.Delete(t.Context(), "rule_1")
		require.NoError(t, err, status)
		require.NoError(t, client.Do(t.Context(), http.MethodPost, "/v2/anything", nil, nil), status)

		_, err = client.Calls.Create(t.Context(), newCall("rule_1"))
		require.ErrorIs(t, err, videosdk.ErrInvalidResponse, status)
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied, status)
	}
}

func TestAnErrorKeepsTheBeginningOfALongBody(t *testing.T) {
	body := "-" + strings.Repeat("é", 10_000) // no character ends at 2 KiB
	_, err := newRecorder(t, http.StatusBadGateway, body).client(videosdk.WithMaxRetries(0)).Calls.Get(t.Context(), "call_1")
	var answer *videosdk.APIError
	require.ErrorAs(t, err, &answer)
	assert.Len(t, answer.Body, 2<<10-1)
	assert.True(t, utf8.Valid(answer.Body))
	assert.Less(t, len(err.Error()), 200, "a page is not an error text")
}

// serveBody starts a server that answers each request with what write writes.
func serveBody(t *testing.T, write func(http.ResponseWriter)) *videosdk.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w) }))
	t.Cleanup(srv.Close)
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(srv.URL), videosdk.WithRetryWait(0, 0))
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func TestTheBeginningOfALongErrorIsKept(t *testing.T) {
	long := `{"message":"` + strings.Repeat("no ", 100<<10) + `"}`
	var answer *videosdk.APIError
	require.ErrorAs(t, getOnce(t, newRecorder(t, http.StatusBadRequest, long).client()), &answer)
	assert.Equal(t, long[:2<<10], string(answer.Body))
}

func TestTheBeginningOfAnAnswerThatIsTooLargeIsKept(t *testing.T) {
	t.Parallel()
	large := "<html>" + strings.Repeat("sign in to the network ", 500<<10)
	for name, length := range map[string]string{"that it announces": strconv.Itoa(len(large)), "that it does not tell": ""} {
		for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
			t.Run(fmt.Sprintf("%d of a length %s", status, name), func(t *testing.T) {
				client := serveBody(t, func(w http.ResponseWriter) {
					if length != "" {
						w.Header().Set("Content-Length", length)
					}
					w.WriteHeader(status)
					_, _ = io.WriteString(w, large) // the client may have hung up
				})
				_, err := client.Calls.Create(t.Context(), validCall())
				var answer *videosdk.APIError
				require.ErrorAs(t, err, &answer)
				assert.Equal(t, large[:2<<10], string(answer.Body))
			})
		}
	}
}

// The piece that is read of it may end in the middle of a secret.
func TestNoSecretStandsInTheBeginningOfAnAnswerThatIsTooLarge(t *testing.T) {
	t.Parallel()
	const pin = "918273645546372819"
	const begins, ends = `{"metadata":"`, `"`
	private := begins + strings.Repeat("-", 64<<10-5-len(begins)-len(ends)) + ends // which shrinks to a few bytes
	for _, before := range []string{strings.Repeat("-", 2<<10-5), strings.Repeat("-", 64<<10-5), private} {
		large := before + pin + strings.Repeat("-", 11<<20)
		client := serveBody(t, func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", strconv.Itoa(len(large)))
			_, _ = io.WriteString(w, large)
		})
		rule := newRule()
		rule.Room.PIN = pin
		_, err := client.RoutingRules.Create(t.Context(), rule)
		var answer *videosdk.APIError
		require.ErrorAs(t, err, &answer)
		assert.NotContains(t, string(answer.Body), "9")
	}
}

func TestARedirectToAPathNamesNoOrigin(t *testing.T) {
	rec := (&recorder{t: t}).then(http.StatusFound, ``, "Location", "/login?token=0123456789abcdef")
	assert.ErrorContains(t, getOnce(t, rec.client()), "(1 attempt; redirects are not followed)")
}

func gzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestAnAnswerMayComeCompressedAlthoughNobodyAskedForIt(t *testing.T) {
	send := func(w http.ResponseWriter, status int, content []byte) {
		w.Header().Set("Content-Encoding", "GZIP")
		w.Header().Set("Content-Type", "text/csv")
		w.WriteHeader(status)
		_, _ = w.Write(content)
	}
	client := func(t *testing.T, status int, content []byte) *videosdk.Client {
		t.Helper()
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { send(w, status, content) }))
		t.Cleanup(srv.Close)
		client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(srv.URL), videosdk.WithMaxRetries(0),
			videosdk.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableCompression: true}}))
		require.NoError(t, err)
		t.Cleanup(client.CloseIdleConnections)
		return client
	}
	call := []byte(`{"data":{"callId":"call_1"}}`)

	t.Run("and is read", func(t *testing.T) {
		got, err := client(t, http.StatusOK, gzipped(t, call)).Calls.Get(t.Context(), "call_1")
		require.NoError(t, err)
		assert.Equal(t, "call_1", got.ID)
	})
	t.Run("in a list", func(t *testing.T) {
		got, err := client(t, http.StatusOK, gzipped(t, []byte(`{"data":[{"callId":"call_1"}],"pageInfo":{}}`))).
			Calls.List(t.Context(), videosdk.CallListParams{})
		require.NoError(t, err)
		assert.Len(t, got.Items, 1)
	})
	t.Run("in a file", func(t *testing.T) {
		var file strings.Builder
		require.NoError(t, client(t, http.StatusOK, gzipped(t, []byte("to,status\n"))).BatchCalls.Records.Export(
			t.Context(), "b_1", &file, videosdk.BatchRecordExportParams{}))
		assert.Equal(t, "to,status\n", file.String())
	})
	t.Run("in an error", func(t *testing.T) {
		_, err := client(t, http.StatusNotFound, gzipped(t, []byte(`{"message":"no such call"}`))).Calls.Get(t.Context(), "call_1")
		require.ErrorIs(t, err, videosdk.ErrNotFound)
		assert.ErrorContains(t, err, "no such call")
	})
	t.Run("or not come at all", func(t *testing.T) {
		_, err := client(t, http.StatusOK, nil).RoutingRules.Delete(t.Context(), "rr_1")
		require.NoError(t, err)
		require.NoError(t, client(t, http.StatusOK, nil).Do(t.Context(), http.MethodHead, "/v2/x", nil, nil))
	})
	t.Run("but not cut short", func(t *testing.T) {
		whole := gzipped(t, call)
		for _, n := range []int{1, len(whole) / 2, len(whole) - 1} {
			_, err := client(t, http.StatusOK, whole[:n]).Calls.Create(t.Context(), validCall())
			require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
			require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
		}
	})
	t.Run("nor be larger than any other", func(t *testing.T) {
		_, err := client(t, http.StatusOK, gzipped(t, bytes.Repeat([]byte(" "), 10<<20+1))).Calls.Create(t.Context(), validCall())
		require.ErrorIs(t, err, videosdk.ErrResponseTooLarge)
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	})
}

// So it comes from a transport of the caller's that undoes the compression and leaves
// the header as it was.
func TestAnAnswerThatOnlyClaimsToBeCompressedIsReadAsItIs(t *testing.T) {
	rec := (&recorder{t: t}).
		then(200, `{"data":{"callId":"call_1"}}`, "Content-Encoding", "gzip").
		then(200, `{"message":"deleted"}`, "Content-Encoding", "gzip").
		then(200, `{}`, "Content-Encoding", "gzip").
		then(200, "to,status\n", "Content-Encoding", "gzip", "Content-Type", "text/csv").
		then(404, `{"message":"no such call"}`, "Content-Encoding", "gzip")
	client := rec.client()

	call, err := client.Calls.Create(t.Context(), validCall())
	require.NoError(t, err, "a call that was placed")
	assert.Equal(t, "call_1", call.ID)
	_, err = client.RoutingRules.Delete(t.Context(), "rr_1")
	require.NoError(t, err)
	require.NoError(t, client.Do(t.Context(), http.MethodPatch, "/v2/x", nil, nil))
	var file strings.Builder
	require.NoError(t, client.BatchCalls.Records.Export(t.Context(), "b_1", &file, videosdk.BatchRecordExportParams{}))
	assert.Equal(t, "to,status\n", file.String())
	_, err = client.Calls.Get(t.Context(), "call_1")
	require.ErrorContains(t, err, "no such call")
	assert.Len(t, rec.all(), 5, "nothing was repeated")
}

func TestTheSizeOfAnAnswerIsLimited(t *testing.T) {
	t.Parallel()
	const limit = 10 << 20
	jsonOf := func(size int) []byte { return []byte(`"` + strings.Repeat("a", size-2) + `"`) }
	send := func(status int, content []byte, encoding string, chunked bool) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			if encoding != "" {
				w.Header().Set("Content-Encoding", encoding)
			}
			if !chunked {
				w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			}
			w.WriteHeader(status)
			_, _ = w.Write(content) // the client may have hung up
		}
	}
	large := jsonOf(limit + 1)
	tests := []struct {
		name  string
		write func(http.ResponseWriter)
		err   error // nil for success
	}{
		{"10 MiB are read", send(200, jsonOf(limit), "", true), nil},
		{"10 MiB are read if their length is announced", send(200, jsonOf(limit), "", false), nil},
		{"10 MiB and a byte are not", send(200, large, "", true), videosdk.ErrResponseTooLarge},
		{"nor if their length is announced", send(200, large, "", false), videosdk.ErrResponseTooLarge},
		{"nor if they come compressed", send(200, gzipped(t, large), "gzip", false), videosdk.ErrResponseTooLarge},
		{"10 MiB that come compressed are read", send(200, gzipped(t, jsonOf(limit)), "gzip", false), nil},
		{"an error is what its status says, however large it is", send(400, large, "", true), videosdk.ErrBadRequest},
		{"10 MiB that are called compressed and are not are read", send(200, jsonOf(limit), "gzip", false), nil},
		{"what is compressed and cut short is no answer", send(200, gzipped(t, jsonOf(1<<20))[:500], "gzip", true), videosdk.ErrInvalidResponse},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := serveBody(t, tt.write)
			var got json.RawMessage
			err := client.Do(t.Context(), http.MethodPost, "/v2/anything", nil, &got)
			if tt.err == nil {
				require.NoError(t, err)
				assert.Len(t, got, limit)
				return
			}
			require.ErrorIs(t, err, tt.err)
			var answer *videosdk.APIError
			require.ErrorAs(t, err, &answer)
			assert.Equal(t, 1, answer.Attempts)
			assert.Equal(t, answer.StatusCode == 200, answer.MaybeApplied, "what may have been done")
			assert.LessOrEqual(t, len(answer.Body), 2<<10)
		})
	}
}

// echo answers with a status and everything that it was sent, in a message and
// in the form of the request. Its JSON escapes what is special in HTML, as Go's
// does, or does not, as that of most servers.
func echo(status int, escapeHTML bool) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		sent, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		var plain bytes.Buffer
		walk(&plain, sent)
		var body bytes.Buffer
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(escapeHTML)
		err = encoder.Encode(map[string]any{
			"message": "cannot use " + plain.String() + " with " + req.Header.Get("Authorization"),
			"request": json.RawMessage(sent),
			"raw":     string(sent),
		})
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(&body)}, err
	})
}

// walk writes each text of a JSON document.
func walk(out *bytes.Buffer, document []byte) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	for {
		token, err := decoder.Token()
		if err != nil {
			return
		}
		if text, ok := token.(string); ok {
			out.WriteString(text + " ")
		}
	}
}

func TestSecretsThatAServerEchoesAreTakenOut(t *testing.T) {
	const password, pin, token, apiKey, secret = `p"ss&wörd\1`, "918273", "opaque-token-0123456789", "ak-of-another-project", "the-client-secret"
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusServiceUnavailable, http.StatusOK} {
		for _, escapeHTML := range []bool{true, false} {
			t.Run(fmt.Sprintf("with a %d, escaped for HTML: %v", status, escapeHTML), func(t *testing.T) {
				var logged bytes.Buffer
				client, err := videosdk.New("key", secret, videosdk.WithTokenSource(videosdk.StaticToken(token)),
					videosdk.WithHTTPClient(&http.Client{Transport: echo(status, escapeHTML)}), videosdk.WithMaxRetries(0),
					videosdk.WithLogger(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))))
				require.NoError(t, err)

				rule := newRule()
				rule.Room.PIN, rule.APIKey = pin, apiKey
				rule.AgentMetadata = map[string]any{"echo": secret}
				_, ruleErr := client.RoutingRules.Create(t.Context(), rule)
				numbers := newNumbers(spareNumber)
				numbers.Outbound.Auth.Password = password
				_, numbersErr := client.PhoneNumbers.Create(t.Context(), numbers)
				require.Equal(t, status == http.StatusOK, numbersErr == nil)

				for _, err := range []error{ruleErr, numbersErr} {
					for _, text := range append(textsOf(err), logged.String()) {
						for _, hidden := range []string{password, strconv.Quote(password), pin, token, apiKey, secret} {
							if strings.Contains(text, strings.Trim(hidden, `"`)) {
								t.Errorf("%q stands in %q", hidden, text)
							}
						}
					}
				}
			})
		}
	}
}

// textsOf returns what may be read of an error.
func textsOf(err error) []string {
	var answer *videosdk.APIError
	if !errors.As(err, &answer) {
		return nil
	}
	return []string{
		err.Error(), answer.Message, answer.Code, string(answer.Body), slog.AnyValue(err).String(),
		fmt.Sprintf("%v %+v %q %#v %+v", err, err, err, err, *answer),
	}
}

func TestASecretThatABrokenAnswerQuotesIsTakenOut(t *testing.T) {
	broken := fmt.Errorf("proxy: cannot unpack the answer to %s", "hunter2-token")
	client, err := videosdk.New("", "", videosdk.WithTokenSource(videosdk.StaticToken("hunter2-token")), videosdk.WithHTTPClient(&http.Client{
		Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(iotest.ErrReader(broken))}, nil
		}),
	}), videosdk.WithMaxRetries(0))
	require.NoError(t, err)
	err = listOnce(t, client)
	require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
	require.ErrorIs(t, err, broken, "the cause can be reached")
	require.ErrorContains(t, err, "cannot unpack")
	assert.NotContains(t, err.Error(), "hunter2")
}

// Services that collect errors store the text of each error of a chain.
func TestNoErrorOfAChainTellsASecretThatTheFirstDoesNot(t *testing.T) {
	client, err := videosdk.New("", "", videosdk.WithTokenSource(videosdk.StaticToken("hunter2-token")), videosdk.WithHTTPClient(&http.Client{
		Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "read", Err: errors.New("malformed answer to hunter2-token")}
		}),
	}))
	require.NoError(t, err)
	err = errorOf(client.Calls.Create(t.Context(), newCall("rule_1")))
	var cause *net.OpError
	require.ErrorAs(t, err, &cause, "the cause can be reached")
	seen := 0
	for ; err != nil; err = errors.Unwrap(err) {
		assert.NotContains(t, err.Error(), "hunter2")
		assert.NotContains(t, fmt.Sprintf("%#v", reflect.Indirect(reflect.ValueOf(err))), "hunter2")
		seen++
	}
	assert.Equal(t, 2, seen)
}

func TestTheLastTokenThatATokenSourceQuotesIsTakenOut(t *testing.T) {
	asked := 0
	source := tokenFunc(func(context.Context) (string, error) {
		if asked++; asked > 1 {
			return "", errors.New("cannot exchange hunter2-token for another")
		}
		return "hunter2-token", nil
	})
	client := newRecorder(t, http.StatusServiceUnavailable, `{}`).client(videosdk.WithTokenSource(source))
	_, err := client.Calls.Get(t.Context(), "call_1")
	require.ErrorContains(t, err, "for another")
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestASignedTokenThatAnErrorQuotesIsTakenOut(t *testing.T) {
	var sent string
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{
		Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			sent = req.Header.Get("Authorization")
			return nil, fmt.Errorf("proxy refused a request with Authorization %q", sent)
		}),
	}))
	require.NoError(t, err)
	_, err = client.Calls.Create(t.Context(), newCall("rule_1"))
	require.ErrorContains(t, err, "proxy refused")
	require.NotEmpty(t, sent)
	assert.NotContains(t, err.Error(), sent)
}

func TestNoPhoneNumberStandsInAPath(t *testing.T) {
	var logged bytes.Buffer
	client := newRecorder(t, http.StatusNotFound, `{}`).client(
		videosdk.WithLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	_, getErr := client.PhoneNumbers.Get(t.Context(), ownNumber)
	doErr := client.Do(t.Context(), http.MethodGet, "/v2/sip/phone-numbers/%2B14155551234?search=%2B14155551234", nil, nil)
	for _, err := range []error{getErr, doErr} {
		var answer *videosdk.APIError
		require.ErrorAs(t, err, &answer)
		assert.Equal(t, "/v2/sip/phone-numbers/{e164}", answer.Path)
		assert.NotContains(t, err.Error(), "4155551234")
	}
	assert.NotContains(t, logged.String(), "4155551234")
}

func TestNoPhoneNumberOfAnAddressStandsInAnErrorOrALog(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	quoting := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: io.ErrUnexpectedEOF} // as an http.Client beneath does
	})
	unreachable, err := videosdk.New("key", "secret", videosdk.WithLogger(logger), videosdk.WithRetryWait(0, 0),
		videosdk.WithHTTPClient(&http.Client{Transport: quoting}))
	require.NoError(t, err)
	answering := func(text string) *videosdk.Client {
		return newRecorder(t, http.StatusNotFound, `{"message":"`+text+`"}`).client(videosdk.WithLogger(logger))
	}
	for _, client := range []*videosdk.Client{
		unreachable, answering("Phone number +14155551234 not found"), answering("Phone number 14155551234 not found"),
		answering("Blocked: ?url=https%3A%2F%2Fapi.videosdk.live%2Fv2%2Fsip%2Fphone-numbers%2F%252B14155551234"),
	} {
		for _, err := range []error{
			errorOf(client.PhoneNumbers.Get(t.Context(), ownNumber)),
			errorOf(client.PhoneNumbers.List(t.Context(), videosdk.PhoneNumberListParams{Search: ownNumber})),
			errorOf(client.Calls.List(t.Context(), videosdk.CallListParams{Search: "14155551234"})),
			errorOf(client.BatchCalls.Records.List(t.Context(), "batch_1", videosdk.BatchRecordListParams{Query: "14155551234"})),
			client.Do(t.Context(), http.MethodGet, "/v2/sip/call?to=%2B14155551234", nil, nil),
		} {
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "4155551234")
		}
	}
	assert.NotContains(t, logged.String(), "4155551234")
}

// logLine is a line of the log that tests read.
type logLine struct {
	Level, Msg, Operation, Method, Path string
	Attempt, Status                     int
	RequestID                           string `json:"request_id"`
	Error                               string
	Took, Wait                          *time.Duration
}

func TestAttemptsAndRetriesAreLogged(t *testing.T) {
	tests := []struct {
		name  string
		level slog.Level
		want  []string // level, message, attempt, status
	}{
		{"each one at debug", slog.LevelDebug, []string{
			"DEBUG videosdk: attempt 1 503", "WARN videosdk: retry 1 503", "DEBUG videosdk: attempt 2 200",
		}},
		{"only the retries otherwise", slog.LevelInfo, []string{"WARN videosdk: retry 1 503"}},
		{"nothing above", slog.LevelError, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var logged bytes.Buffer
			client := (&recorder{t: t}).then(503, `{"message":"body of the answer"}`, "X-Request-Id", "req_1").then(200, `{"data":{"id":"call_1"}}`).
				client(videosdk.WithLogger(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: tt.level}))))
			_, err := client.Calls.Get(t.Context(), "call_1")
			require.NoError(t, err)

			var got []string
			for decoder := json.NewDecoder(&logged); decoder.More(); {
				var line logLine
				require.NoError(t, decoder.Decode(&line))
				got = append(got, fmt.Sprintf("%s %s %d %d", line.Level, line.Msg, line.Attempt, line.Status))
				assert.Equal(t, []string{"Calls.Get", "GET", "/v2/sip/call/call_1"}, []string{line.Operation, line.Method, line.Path})
				assert.Equal(t, line.Level == "DEBUG", line.Took != nil, "an attempt took its time")
				assert.Equal(t, line.Level == "WARN", line.Wait != nil, "a retry has to wait")
				if line.Status == 503 {
					assert.Equal(t, "req_1", line.RequestID)
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestALostConnectionIsLoggedWithItsCause(t *testing.T) {
	var logged bytes.Buffer
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{
		Transport: roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("cable cut") }),
	}), videosdk.WithLogger(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	require.NoError(t, err)
	_, err = client.Calls.Create(t.Context(), newCall("rule_1"))
	require.Error(t, err)
	var line logLine
	require.NoError(t, json.Unmarshal(logged.Bytes(), &line))
	assert.Equal(t, "cable cut", line.Error)
	assert.Zero(t, line.Status)
	assert.NotContains(t, logged.String(), callee)
}

// The library under this one prints to standard error unless told not to, and
// so would net/http of a server that breaks the protocol.
func TestNothingIsPrinted(t *testing.T) {
	printed, err := os.Create(filepath.Join(t.TempDir(), "printed"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, printed.Close()) }()
	func() {
		stdout, stderr, logs := os.Stdout, os.Stderr, log.Writer()
		defer func() { os.Stdout, os.Stderr = stdout, stderr; log.SetOutput(logs) }()
		os.Stdout, os.Stderr = printed, printed
		log.SetOutput(printed)

		client := (&recorder{t: t}).then(503, `{}`, "Retry-After", "3600").then(401, `{}`).then(500, `{}`).client()
		for range 3 {
			_, err := client.Calls.List(t.Context(), videosdk.CallListParams{})
			assert.Error(t, err)
		}
	}()
	content, err := os.ReadFile(printed.Name())
	require.NoError(t, err)
	assert.Empty(t, string(content))
}

// noted is a body that notes its end.
type noted struct {
	io.Reader
	closed *int
}

func (n noted) Close() error { *n.closed++; return nil }

func TestTheBodyOfEachAnswerIsClosed(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusFound, http.StatusNotFound, http.StatusServiceUnavailable} {
		sent, closed := 0, 0
		client, err := videosdk.New("key", "secret", videosdk.WithRetryWait(0, 0), videosdk.WithHTTPClient(&http.Client{
			Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
				sent++
				return &http.Response{StatusCode: status, Body: noted{strings.NewReader(`{}`), &closed}}, nil
			}),
		}))
		require.NoError(t, err)
		assert.Equal(t, status != http.StatusOK, client.Do(t.Context(), http.MethodGet, "/v2/x", nil, nil) != nil)
		assert.Equal(t, sent, closed, status)
	}
}
