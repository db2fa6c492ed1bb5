package videosdk_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// served is a transport that answers every request with the same. The answer may
// be changed between requests.
type served struct {
	status int
	header http.Header
	body   []byte
}

func (s *served) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return &http.Response{StatusCode: s.status, Header: s.header, Body: io.NopCloser(bytes.NewReader(s.body)), ContentLength: -1}, nil
}

func (s *served) client(tb testing.TB, opts ...videosdk.Option) *videosdk.Client {
	tb.Helper()
	client, err := videosdk.New("key", "secret", append([]videosdk.Option{videosdk.WithHTTPClient(&http.Client{Transport: s}),
		videosdk.WithRetryWait(0, 0), videosdk.WithMaxRetries(0)}, opts...)...)
	require.NoError(tb, err)
	return client
}

// aliases are keys under which answers also hold what a resource has a field
// for, with values that fit.
const aliases = `{"id":"id_1","callId":"id_1","ruleId":"id_1","gatewayId":"gw_1","webhookId":"id_1","trunkId":"id_1","batchId":"id_1","recordId":"id_1",
	"roomId":"id_1","meetingId":"id_1","phoneNumberId":"id_1","participantId":"p_1","sipCallTo":"+14155550199","sipCallFrom":"+14155551234",
	"metaData":{"k":"v"},"sipRegion":"us002","agentType":"cloud","agentId":"a_1","phoneNumbers":["+14155551234"],"numbers":["+14155551234"],
	"inbound":{"id":"gw_1","auth":{"username":"u","password":"p"}},"outbound":{"gatewayId":"gw_2"},"dispatch":"agent","message":"m","deletedCount":1}`

// documentOf returns an answer in which each field of a type has a value that
// fits it.
func documentOf(t reflect.Type) any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "2026-05-11T10:00:00.000Z"
	case t == reflect.TypeFor[json.RawMessage]():
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return documentOf(t.Elem())
	case reflect.Struct:
		document := map[string]any{}
		for i := range t.NumField() {
			field := t.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.IsExported() && name != "" && name != "-" {
				document[name] = documentOf(field.Type)
			}
		}
		return document
	case reflect.Slice:
		return []any{documentOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"key": documentOf(t.Elem())}
	case reflect.Bool:
		return true
	case reflect.Int, reflect.Int64, reflect.Float64:
		return 1
	default:
		return "text"
	}
}

// answerFor returns an answer for a method that returns a type: a value for each
// field, under each of its names, and one that no type has a field for.
func answerFor(t *testing.T, result reflect.Type, tell func(document map[string]any) string) map[string]any {
	t.Helper()
	item, isList := result, false
	if items, ok := result.Elem().FieldByName("Items"); ok { // a page
		item, isList = items.Type.Elem(), true
	}
	whole := func(document map[string]any) map[string]any {
		if !isList {
			return document
		}
		return map[string]any{"pageInfo": map[string]any{"currentPage": 1, "perPage": 10, "lastPage": 1, "total": 1}, "data": []any{document}}
	}
	document := map[string]any{"unheardOf": map[string]any{"of": []any{"text"}}}
	maps.Copy(document, aliasesRead(t, func(aliases map[string]any) string { return tell(whole(aliases)) }))
	maps.Copy(document, documentOf(item).(map[string]any))
	return whole(document)
}

// aliasesRead returns the aliases that are read of an answer: what is told of it is
// another without them, be it that all others are there, or the ids, or nothing.
func aliasesRead(t *testing.T, tell func(aliases map[string]any) string) map[string]any {
	t.Helper()
	var all map[string]any
	require.NoError(t, json.Unmarshal([]byte(aliases), &all))
	ids := maps.Clone(all)
	maps.DeleteFunc(ids, func(key string, _ any) bool { return !slices.Contains(needed, key) })
	read := map[string]any{}
	for key, value := range all {
		for _, others := range []map[string]any{maps.Clone(all), maps.Clone(ids), {}} {
			delete(others, key)
			without := tell(others)
			others[key] = value
			if tell(others) != without {
				read[key] = value
			}
		}
	}
	return read
}

// eachPlace calls f with the path of each value in a document, and with the JSON
// of the document, in which there is a mark in its place.
func eachPlace(t *testing.T, document any, mark string, f func(path []string, text []byte)) {
	t.Helper()
	var walk func(value any, path []string)
	visit := func(path []string, old any, put func(any)) {
		put(json.RawMessage(mark))
		text, err := json.Marshal(document)
		require.NoError(t, err)
		f(path, text)
		put(old)
		walk(old, path)
	}
	walk = func(value any, path []string) {
		switch v := value.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				visit(append(slices.Clip(path), key), v[key], func(value any) { v[key] = value })
			}
		case []any:
			for i := range v {
				visit(append(slices.Clip(path), fmt.Sprint(i)), v[i], func(value any) { v[i] = value })
			}
		}
	}
	walk(document, nil)
}

// jsonValues are one and more of each type of JSON, and such as fit nothing.
func jsonValues() []string {
	return append(oddities(), `"\ud800"`, `"\u0000"`, `-0`, `1E400`, `-9223372036854775809`, `9007199254740993`, `"NaN"`, `"Infinity"`, `"0x10"`,
		`"1_000"`, `" 1 "`, `"true"`, `"null"`, `[[[[[[]]]]]]`, `{"a":{"b":{"c":[{}]}}}`, `{"data":{"data":[]}}`, `"2026-05-11T10:00:00Z"`, `{"toString":1,"__proto__":{}}`)
}

// What of an answer is needed: its id, and, of a list, the list.
var needed = []string{
	"id", "callId", "ruleId", "gatewayId", "webhookId", "trunkId", "batchId", "recordId", "roomId", "meetingId", "phoneNumberId", "e164",
	"participantId", "data",
}

func TestEachFieldOfEachAnswerMayBeOfAnyType(t *testing.T) {
	seen := map[reflect.Type]bool{}
	for i, method := range eachMethod((&served{}).client(t)) {
		result := method.fn.Type().Out(0)
		if seen[result] || result.Kind() != reflect.Pointer || slices.Contains(patientMethods, method.name) {
			continue // shown by another method; or what All returns, which is what List does; or nothing
		}
		seen[result] = true
		t.Run(method.name, func(t *testing.T) {
			t.Parallel()
			server := &served{status: http.StatusOK}
			method := eachMethod(server.client(t))[i]
			arguments := method.arguments(t, "+14155550199")
			const mark = `"here"`
			changes := 0
			document := answerFor(t, result, func(document map[string]any) string {
				var err error
				server.body, err = json.Marshal(document)
				require.NoError(t, err)
				results, failure := method.call(t, arguments)
				told, err := json.Marshal(results)
				require.NoError(t, err)
				return fmt.Sprint(string(told), failure)
			})
			eachPlace(t, document, mark, func(path []string, text []byte) {
				isNeeded := slices.Contains(needed, path[len(path)-1]) || slices.Equal(path, []string{"data", "0"})
				for _, value := range jsonValues() {
					server.body = bytes.Replace(text, []byte(mark), []byte(value), 1)
					results, err := method.call(t, arguments)
					requireTolerance(t, results, err, isNeeded, strings.Join(path, ".")+": "+value)
					changes++
				}
			})
			assert.Greater(t, changes, 100)
		})
	}
	assert.Greater(t, len(seen), 20, "types of results")
}

// requireTolerance requires a value that can be printed and stored, or an error
// that says that the answer is at fault.
func requireTolerance(t *testing.T, results []any, err error, mayFail bool, what string) {
	t.Helper()
	if err != nil {
		require.True(t, mayFail, "%s: %v", what, err)
		require.ErrorIs(t, err, videosdk.ErrInvalidResponse, what)
		return
	}
	for _, result := range results {
		require.NotEmpty(t, fmt.Sprint(result), what)
		_, err := json.Marshal(result) // which refuses what is no JSON
		require.NoError(t, err, what)
	}
}

func TestAnAnswerOfEachMethodMayBeAnything(t *testing.T) {
	t.Parallel()
	server := &served{status: http.StatusOK}
	for _, method := range eachMethod(server.client(t)) {
		if slices.Contains(patientMethods, method.name) {
			continue
		}
		t.Run(method.name, func(t *testing.T) {
			arguments := method.arguments(t, "+14155550199")
			for _, value := range jsonValues() {
				for _, body := range []string{value, `{"data":` + value + `}`, `{"data":[` + value + `],"pageInfo":` + value + `}`, `[` + value + `]`, value[:len(value)/2], value + value} {
					server.body = []byte(body)
					results, err := method.call(t, arguments)
					if err != nil {
						var answer *videosdk.APIError
						require.True(t, errors.As(err, &answer) || errors.Is(err, videosdk.ErrInvalidRequest) || errors.Is(err, videosdk.ErrCallNotFound) ||
							errors.Is(err, videosdk.ErrInvalidResponse), "%s: %v", body, err)
						assert.Less(t, len(err.Error()), 1000, body)
					}
					requireTolerance(t, results, nil, false, body)
				}
			}
		})
	}
}

// patientMethods ask again and again until they hear what they want to hear, with
// requests that other methods make too.
var patientMethods = []string{"PhoneNumbers.Ensure", "Calls.Wait", "Calls.WaitAnswered", "Calls.Watch", "Calls.CreateOnce", "BatchCalls.Upload"}

// bodiesThatAreNone are answers that break the rules of JSON, or its limits.
func bodiesThatAreNone() map[string]string {
	const deep = 100_000
	nested := func(open, inner, shut string) string {
		return strings.Repeat(open, deep) + inner + strings.Repeat(shut, deep)
	}
	return map[string]string{
		"objects 100,000 deep":      nested(`{"data":`, `1`, `}`),
		"lists 100,000 deep":        nested(`[`, ``, `]`),
		"lists that never end":      strings.Repeat(`[`, 64<<10),
		"objects that never end":    strings.Repeat(`{"data":`, deep),
		"metadata 100,000 deep":     `{"id":"x","metadata":` + nested(`{"a":`, `1`, `}`) + `}`,
		"an item 100,000 deep":      `{"pageInfo":{},"data":[` + nested(`[`, ``, `]`) + `]}`,
		"a statusCode 100,000 deep": `{"statusCode":` + nested(`[`, ``, `]`) + `}`,
		"a message 100,000 deep":    `{"message":` + nested(`[`, ``, `]`) + `}`,
		"NaN":                       `{"id":"x","start":NaN}`,
		"infinity":                  `{"id":"x","progress":-Infinity}`,
		"a number of another base":  `{"id":"x","attempts":0x10}`,
		"a number with a plus":      `{"id":"x","attempts":+1}`,
		"a comment":                 `{"id":"x"/* no */}`,
		"single quotes":             `{'id':'x'}`,
		"a key without quotes":      `{id:"x"}`,
		"a comma at the end":        `{"id":"x",}`,
		"two documents":             `{"id":"x"}{"id":"y"}`,
		"something behind":          `{"id":"x"} trailing`,
		"a byte order mark":         "\ufeff" + `{"id":"x"}`,
		"a NUL":                     "{\"id\":\"x\"}\x00",
		"a line break in a string":  "{\"id\":\"x\ny\"}",
		"UTF-16":                    "\xff\xfe{\x00}\x00",
		"an escape that is none":    `{"id":"\x41"}`,
		"half an escape":            `{"id":"\u00`,
		"nothing but white space":   strings.Repeat(" \n", 1<<10),
		"a page of HTML":            "<!DOCTYPE html><html>",
		"a string that never ends":  `{"id":"` + strings.Repeat("x", 16<<10),
		"a number that never ends":  `{"id":` + strings.Repeat("9", 16<<10),
		"nothing but backslashes":   `{"id":"` + strings.Repeat(`\`, 16<<10),
		"a key that never ends":     `{"` + strings.Repeat("k", 16<<10),
		"nothing but quotes":        strings.Repeat(`"`, 16<<10+1),
	}
}

func TestWhatIsNoJSONIsAnErrorAndNoPanic(t *testing.T) {
	t.Parallel()
	for name, body := range bodiesThatAreNone() {
		t.Run(name, func(t *testing.T) {
			server := &served{body: []byte(body)}
			client := server.client(t)
			calls := map[string]func() error{
				"a resource": func() error { return errorOf(client.Calls.Get(t.Context(), "call_1")) },
				"a page":     func() error { return errorOf(client.Calls.List(t.Context(), videosdk.CallListParams{})) },
				"a change": func() error {
					return errorOf(client.RoutingRules.Update(t.Context(), "r", videosdk.RoutingRuleUpdateParams{DTMF: videosdk.Ptr(true)}))
				},
				"a text":   func() error { return errorOf(client.Webhooks.Delete(t.Context(), "w")) },
				"anything": func() error { var out any; return client.Do(t.Context(), http.MethodGet, "/v2/x", nil, &out) },
				"nothing":  func() error { return client.Do(t.Context(), http.MethodGet, "/v2/x", nil, nil) },
			}
			blank := strings.TrimSpace(body) == ""
			server.status = http.StatusOK
			for what, call := range calls {
				err := call()
				if blank && slices.Contains([]string{"a change", "a text", "nothing"}, what) {
					require.NoError(t, err, "these need no answer")
					continue
				}
				require.ErrorIs(t, err, videosdk.ErrInvalidResponse, what)
				assert.Less(t, len(err.Error()), 1000, what)
			}
			server.status = http.StatusInternalServerError
			err := calls["a resource"]()
			require.ErrorIs(t, err, videosdk.ErrServer)
			assert.Less(t, len(err.Error()), 1000)
			_, err = videosdk.ParseEvent([]byte(body))
			require.ErrorIs(t, err, videosdk.ErrInvalidEvent)
			for _, resource := range resources() {
				require.Error(t, json.Unmarshal([]byte(body), resource()))
			}
		})
	}
}

func TestWhatIsOddJSONIsReadAsFarAsItGoes(t *testing.T) {
	tests := []struct {
		name, body string
		want       func(*testing.T, *videosdk.BatchRecord)
	}{
		{"of a key that comes twice the last one counts", `{"recordId":"a","recordId":"b","attempts":1,"attempts":2}`,
			func(t *testing.T, r *videosdk.BatchRecord) { assert.Equal(t, "b 2", fmt.Sprint(r.ID, " ", r.Attempts)) }},
		{"bytes that are not UTF-8 are replaced", "{\"recordId\":\"a\",\"reason\":\"x\xff\xfey\"}",
			func(t *testing.T, r *videosdk.BatchRecord) { assert.Equal(t, "x\ufffd\ufffdy", r.Reason) }},
		{"half a surrogate is replaced", `{"recordId":"a","reason":"x\ud800y"}`,
			func(t *testing.T, r *videosdk.BatchRecord) { assert.Equal(t, "x\ufffdy", r.Reason) }},
		{"a number beyond float64 is none", `{"recordId":"a","attempts":1e400,"callDuration":-1e999,"reason":"r"}`,
			func(t *testing.T, r *videosdk.BatchRecord) {
				assert.Zero(t, r.Attempts)
				assert.Nil(t, r.CallDuration)
				assert.Equal(t, "r", r.Reason, "the rest is read")
			}},
		{"a number beyond int is none", `{"recordId":"a","attempts":9223372036854775808}`,
			func(t *testing.T, r *videosdk.BatchRecord) { assert.Zero(t, r.Attempts) }},
		{"NaN as text is none", `{"recordId":"a","attempts":"NaN","callDuration":"Infinity"}`,
			func(t *testing.T, r *videosdk.BatchRecord) { assert.Zero(t, r.Attempts); assert.Nil(t, r.CallDuration) }},
		{"a number with a million digits is none", `{"recordId":"a","attempts":` + strings.Repeat("9", 1_000_000) + `}`,
			func(t *testing.T, r *videosdk.BatchRecord) { assert.Zero(t, r.Attempts) }},
		{"a time beyond all years is none", `{"recordId":"a","createdAt":"99999-01-01T00:00:00Z","updatedAt":1e300}`,
			func(t *testing.T, r *videosdk.BatchRecord) {
				assert.True(t, r.CreatedAt.IsZero() && r.UpdatedAt.IsZero())
			}},
		{"what is private is kept to the byte", `{"recordId":"a",  "x" : 1.0}`,
			func(t *testing.T, r *videosdk.BatchRecord) {
				assert.Equal(t, `{"recordId":"a",  "x" : 1.0}`, string(r.Raw))
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := &served{status: http.StatusOK, body: []byte(`{"records":[` + tt.body + `]}`)}
			page, err := server.client(t).BatchCalls.Records.List(t.Context(), "b", videosdk.BatchRecordListParams{})
			require.NoError(t, err)
			require.Len(t, page.Items, 1)
			tt.want(t, page.Items[0])
		})
	}
}

// hostile answers each connection with bytes of its own, after the request.
func hostile(t *testing.T, write func(io.Writer)) *videosdk.Client {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() {
				defer func() { _ = conn.Close() }()
				if _, err := conn.Read(make([]byte, 64<<10)); err == nil {
					write(conn)
				}
			})
		}
	})
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL("http://"+listener.Addr().String()), videosdk.WithMaxRetries(0))
	require.NoError(t, err)
	t.Cleanup(func() { client.CloseIdleConnections(); _ = listener.Close(); connections.Wait() })
	return client
}

// forever writes a text until the other side has heard enough, or 64 MiB, which
// are enough to see that nobody stopped it.
func forever(w io.Writer, text string) {
	chunk := []byte(strings.Repeat(text, 4096/len(text)+1))
	for range 64 << 20 / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// allocated returns how many bytes f allocates, all in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What is allocated in all is more than what is held at any moment.
func TestAHostileServerCannotFillTheMemory(t *testing.T) {
	bomb := func() []byte { // 1 GiB in 1 MiB: gzip knows files that consist of many
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := w.Write(make([]byte, 1<<20))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return bytes.Repeat(b.Bytes(), 1<<10)
	}()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	tests := []struct {
		name  string
		write func(io.Writer)
		text  string // of the error
		most  uint64 // allocated, in MiB
	}{
		{"with a gzip bomb", func(w io.Writer) {
			_, _ = io.WriteString(w, head+"Content-Encoding: gzip\r\nConnection: close\r\n\r\n")
			_, _ = w.Write(bomb)
		}, "exceeds 10 MiB", 100},
		{"with a gzip bomb of a length that seems small", func(w io.Writer) {
			_, _ = fmt.Fprintf(w, head+"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(bomb), bomb)
		}, "exceeds 10 MiB", 100},
		{"with a body that never ends", func(w io.Writer) {
			_, _ = io.WriteString(w, head+"Connection: close\r\n\r\n")
			forever(w, "aaaaaaaa")
		}, "exceeds 10 MiB", 100},
		{"with chunks that never end", func(w io.Writer) {
			_, _ = io.WriteString(w, head+"Transfer-Encoding: chunked\r\n\r\n")
			forever(w, "8\r\naaaaaaaa\r\n")
		}, "exceeds 10 MiB", 100},
		{"with a claim of a gigabyte", func(w io.Writer) {
			_, _ = io.WriteString(w, head+"Content-Length: 1073741824\r\n\r\n{}")
		}, "exceeds 10 MiB", 2},
		{"with a claim of a gigabyte for an error", func(w io.Writer) {
			_, _ = io.WriteString(w, "HTTP/1.1 400 Bad Request\r\nContent-Length: 1073741824\r\n\r\n{}")
		}, "400 Bad Request", 2},
		{"with a claim of 9 megabytes", func(w io.Writer) {
			_, _ = io.WriteString(w, head+"Content-Length: 9000000\r\n\r\n{}")
		}, "unexpected EOF", 2},
		{"with a claim beyond all numbers", func(w io.Writer) {
			_, _ = io.WriteString(w, head+"Content-Length: 99999999999999999999\r\n\r\n{}")
		}, "Content-Length", 2},
		{"with an error that never ends", func(w io.Writer) {
			_, _ = io.WriteString(w, "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n")
			forever(w, `\`)
		}, "500 Internal Server Error", 100},
		{"with a header that never ends", func(w io.Writer) {
			_, _ = io.WriteString(w, head+"X-Long: ")
			forever(w, "aaaaaaaa")
		}, "headers exceeded", 200},
		{"with headers that never end", func(w io.Writer) {
			_, _ = io.WriteString(w, head)
			forever(w, "X-Some-Header: value\r\n")
		}, "headers exceeded", 200},
		{"with headers that never end, each with a name of its own", func(w io.Writer) {
			buffered := bufio.NewWriter(w)
			_, _ = buffered.WriteString(head)
			for i := int64(0); ; i++ {
				if _, err := buffered.Write(append(strconv.AppendInt([]byte{'X'}, i, 36), ":\r\n"...)); err != nil {
					return
				}
			}
		}, "headers exceeded", 400},
		{"with a status line that never ends", func(w io.Writer) {
			forever(w, "HTTP/1.1 200 ")
		}, "headers exceeded", 200},
		{"with hints that never end", func(w io.Writer) {
			forever(w, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
		}, "headers exceeded", 200},
		{"with a trailer that never ends", func(w io.Writer) {
			_, _ = io.WriteString(w, head+"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: ")
			forever(w, "aaaaaaaa")
		}, "", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := hostile(t, tt.write)
			var err error
			mebibytes := allocated(func() { err = errorOf(client.Calls.Get(t.Context(), "call_1")) }) >> 20
			require.ErrorContains(t, err, tt.text)
			assert.Less(t, len(err.Error()), 1000)
			assert.Less(t, mebibytes, tt.most, "MiB")
		})
	}
}

// A body may stand for far more when it is decoded.
func TestNoAnswerGrowsWithoutLimitWhenItIsDecoded(t *testing.T) {
	const size = 1 << 20
	fill := func(before, piece, after string) []byte {
		return []byte(before + strings.Repeat(piece, size/len(piece)) + after)
	}
	tests := map[string]struct {
		body []byte
		call func(*testing.T, *videosdk.Client) error
	}{
		"a call with a timelog of nothing": {fill(`{"id":"c","timelog":[`, `{},`, `{}]}`), getOnce},
		"a call with metadata of nothing":  {fill(`{"id":"c","metadata":{"a":[`, `[],`, `[]]}}`), getOnce},
		"a page of empty items":            {fill(`{"pageInfo":{},"data":[`, `{},`, `{}]}`), listOnce},
		"a bare list of empty items":       {fill(`[`, `{},`, `{}]`), listOnce},
		"a list under another key":         {fill(`{"records":[`, `{},`, `{}]}`), listOnce},
		"a page of numbers":                {fill(`{"pageInfo":{},"data":[`, `0,`, `0]}`), listOnce},
		"a bare list of numbers":           {fill(`[`, `0,`, `0]`), listOnce},
		"numbers under another key":        {fill(`{"records":[`, `0,`, `0]}`), listOnce},
		"a rule of empty numbers": {fill(`{"id":"r","numbers":[`, `"",`, `""]}`), func(t *testing.T, c *videosdk.Client) error {
			return errorOf(c.RoutingRules.Get(t.Context(), "r"))
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			client := (&served{status: http.StatusOK, body: tt.body}).client(t)
			bytes := allocated(func() { _ = tt.call(t, client) }) // whether it succeeds is not what this is about
			assert.Less(t, bytes/size, uint64(100), "bytes for each one that was sent")
		})
	}
}

func getOnce(t *testing.T, client *videosdk.Client) error {
	t.Helper()
	return errorOf(client.Calls.Get(t.Context(), "call_1"))
}

// A transport of the caller's, or a middleware that unpacks, may tell a length
// that is not that of the body.
func TestTheLimitHoldsWhateverLengthIsClaimed(t *testing.T) {
	large := `"` + strings.Repeat("a", 11<<20) + `"`
	for _, claim := range []int64{-1, 0, 1, 100, 1 << 20, 10 << 20} {
		client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{
			Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
				resp := answerOf(http.StatusOK, "application/json", large)
				resp.ContentLength = claim
				return resp, nil
			}),
		}))
		require.NoError(t, err)
		require.ErrorIs(t, getOnce(t, client), videosdk.ErrResponseTooLarge, "a claim of %d", claim)
	}
}

func TestHeadersOfAnAnswerAreTakenForWhatTheyAre(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	tests := []struct {
		name    string
		status  int
		headers []string
	}{
		{"a request id of a megabyte", 400, []string{"X-Request-Id", long}},
		{"a request id that forges a line", 400, []string{"X-Request-Id", "a\nlevel=ERROR msg=forged\u0085forged\u2028forged"}},
		{"a type of a megabyte", 200, []string{"Content-Type", "text/" + long}},
		{"a type that forges a line", 200, []string{"Content-Type", "text/html\nforged"}},
		{"a redirect to a host of a megabyte", 302, []string{"Location", "https://" + long + "/"}},
		{"a redirect with a line break", 302, []string{"Location", "https://a\nforged/"}},
		{"a date before all times", 401, []string{"Date", "Mon, 01 Jan 0001 00:00:00 GMT"}},
		{"a date after all times", 401, []string{"Date", "Fri, 31 Dec 9999 23:59:59 GMT"}},
		{"a wait beyond all numbers", 429, []string{"Retry-After", strings.Repeat("9", 1<<20)}},
		{"a wait below all numbers", 429, []string{"Retry-After", "-9223372036854775809"}},
		{"a thousand of each", 500, []string{"X-Request-Id", "a", "Retry-After", "0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answers := (&recorder{t: t}).then(tt.status, `{}`, tt.headers...)
			err := getOnce(t, answers.client())
			require.Error(t, err)
			assert.Less(t, len(err.Error()), 2000)
			assert.Len(t, strings.FieldsFunc(err.Error(), func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) }), 1, "one line")
		})
	}
}

// What a server writes must not forge a line of a log, or steer a terminal.
func TestTheTextOfAnErrorIsOneLine(t *testing.T) {
	for _, text := range []string{
		"a\r\nforged", "a\x1b[31mred", "a\x00b", "a\u009b31mred", "a\u0085forged", "a\u2028forged", "a\u2029forged", "a\x7fb", "a\tb", "a\vb",
	} {
		body, err := json.Marshal(map[string]string{"message": text, "code": text})
		require.NoError(t, err)
		err = getOnce(t, newRecorder(t, http.StatusBadRequest, string(body)).client())
		require.ErrorIs(t, err, videosdk.ErrBadRequest)
		for _, r := range err.Error() {
			assert.False(t, r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029', "%q in %q", r, err)
		}
	}
}

// What a request fails with may quote the server, too, or whoever is asked for a token.
func TestTheTextOfWhatARequestFailsWithIsOneLine(t *testing.T) {
	failure := errors.New("a\r\nforged\x1b[31mred\u2028forged" + strings.Repeat("x", 1<<20))
	failing := func(failed func(*http.Request) (*http.Response, error)) *videosdk.Client {
		client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: roundTripFunc(failed)}), videosdk.WithMaxRetries(0))
		require.NoError(t, err)
		return client
	}
	for name, client := range map[string]*videosdk.Client{
		"a connection": failing(func(*http.Request) (*http.Response, error) { return nil, failure }),
		"a body": failing(func(*http.Request) (*http.Response, error) {
			resp := answerOf(http.StatusOK, "application/json", "")
			resp.Body = io.NopCloser(failingReader{failure.Error()})
			return resp, nil
		}),
		"a token": newRecorder(t, http.StatusOK, anyResource).client(videosdk.WithTokenSource(tokenFunc(func(context.Context) (string, error) {
			return "", failure
		}))),
	} {
		t.Run(name, func(t *testing.T) {
			err := getOnce(t, client)
			require.ErrorContains(t, err, "forged", "it is told")
			assert.Less(t, len(err.Error()), 3000)
			for _, r := range err.Error() {
				assert.False(t, unicode.IsControl(r) || r == '\u2028', "%q", r)
			}
		})
	}
}

// A token, or a part of the request, may come back where nobody expects it.
func TestASecretInAHeaderOfAnAnswerIsTakenOut(t *testing.T) {
	for name, headers := range map[string][]string{
		"the request id": {"X-Request-Id", canaryBearer},
		"the type":       {"Content-Type", "text/" + canaryBearer},
		"a redirect":     {"Location", "https://" + canaryBearer + ".example.com/"},
	} {
		for _, status := range []int{http.StatusOK, http.StatusFound, http.StatusBadRequest, http.StatusServiceUnavailable} {
			t.Run(fmt.Sprintf("%s with %d", name, status), func(t *testing.T) {
				var logged lockedBuffer
				answers := (&recorder{t: t}).then(status, `{}`, headers...)
				err := getOnce(t, answers.client(videosdk.WithTokenSource(videosdk.StaticToken(canaryBearer)),
					videosdk.WithLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))))
				require.Error(t, err)
				assertWithout(t, canaries(), append(everyTextOf(err), logged.String())...)
			})
		}
	}
}

// What is shortened before it is searched ends in half a secret, which is not
// found; what is lower case is not the secret any more.
func TestASecretIsFoundHoweverLongOrOftenItIs(t *testing.T) {
	long := strings.Repeat("Secret-", 600)
	jwt := "eyJhbGciOiJIUzI1NiJ9." + strings.Repeat("p", 2100) + ".c2lnbmF0dXJl"
	const mixed = "MixedCase-StaticToken-4711-AbCdEfGhIjKlMn"
	of300 := strings.Repeat("0pqrstuvwxyz", 25)
	var of2000 string // of which half a one still fits into what is kept
	for i := range 200 {
		of2000 += fmt.Sprintf("0pqrstu%03d", i)
	}
	tests := []struct {
		name, token string
		status      int
		body        string
		header      []string
	}{
		{"a long one in the request id", long, 400, `{}`, []string{"X-Request-Id", long}},
		{"a long JWT in the request id", jwt, 400, `{}`, []string{"X-Request-Id", jwt}},
		{"one again and again in the request id", of300, 400, `{}`, []string{"X-Request-Id", strings.Repeat(of300, 400)}},
		{"one in capitals in the type", mixed, 200, `{}`, []string{"Content-Type", "text/" + mixed}},
		{"one in capitals in a redirect", mixed, 302, ``, []string{"Location", "https://" + mixed + ".example.com"}},
		{"one again and again in the body", of300, 400, strings.Repeat(of300, 300), nil},
		{"a longer one again and again in the body", of2000, 400, strings.Repeat(of2000, 40), nil},
		{"one again and again in a message", of300, 400, `{"message":"` + strings.Repeat(of300+" ", 300) + `"}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answers := (&recorder{t: t}).then(tt.status, tt.body, tt.header...)
			err := getOnce(t, answers.client(videosdk.WithTokenSource(videosdk.StaticToken(tt.token))))
			require.Error(t, err)
			for _, text := range everyTextOf(err) {
				assert.NotContains(t, strings.ToLower(text), strings.ToLower(tt.token[:8]))
			}
		})
	}
	t.Run("one again and again in the error of a transport", func(t *testing.T) {
		client, err := videosdk.New("", "", videosdk.WithTokenSource(videosdk.StaticToken(of300)), videosdk.WithMaxRetries(0),
			videosdk.WithHTTPClient(&http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
				return nil, errors.New(strings.Repeat(of300, 240))
			})}))
		require.NoError(t, err)
		assertWithout(t, []string{of300[:8]}, getOnce(t, client).Error())
	})
}

func TestTheHeaderOfAnAnswerIsLimitedInTheCallersTransportToo(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", 2<<20))
		_, _ = io.WriteString(w, `{"id":"c"}`)
	}))
	defer api.Close()
	for limit, want := range map[int64]bool{0: false, 4 << 20: true} {
		client := clientOf(t, api.URL, &http.Transport{MaxResponseHeaderBytes: limit}, videosdk.WithMaxRetries(0))
		err := getOnce(t, client)
		assert.Equal(t, want, err == nil, "a limit of %d: %v", limit, err)
	}
}
