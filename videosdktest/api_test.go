package videosdktest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// api speaks raw HTTP to a server of its own, with a valid token.
type api struct {
	t *testing.T
	*videosdktest.Server
}

// reply is what the server answered.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func newAPI(t *testing.T, opts ...videosdktest.Option) api {
	t.Helper()
	srv := videosdktest.NewServer(opts...)
	t.Cleanup(srv.Close)
	return api{t, srv}
}

func (a api) get(path string) reply         { return a.do(http.MethodGet, path, "") }
func (a api) post(path, body string) reply  { return a.do(http.MethodPost, path, body) }
func (a api) patch(path, body string) reply { return a.do(http.MethodPatch, path, body) }
func (a api) put(path, body string) reply   { return a.do(http.MethodPut, path, body) }
func (a api) delete(path string) reply      { return a.do(http.MethodDelete, path, "") }
func (a api) do(method, path, body string) reply {
	a.t.Helper()
	return a.send(method, path, body, http.Header{
		"Authorization": {managementToken(a.t, a.Server)}, "Content-Type": {"application/json"},
	})
}

// send sends a request with these headers.
func (a api) send(method, path, body string, header http.Header) reply {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.URL+path, strings.NewReader(body))
	require.NoError(a.t, err)
	req.Header = header
	resp, err := a.HTTPClient().Do(req)
	require.NoError(a.t, err)
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	return reply{t: a.t, status: resp.StatusCode, header: resp.Header, body: string(content)}
}

func managementToken(t *testing.T, srv *videosdktest.Server) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, managementClaims(srv))
	signed, err := token.SignedString([]byte(srv.Secret))
	require.NoError(t, err)
	return signed
}

func managementClaims(srv *videosdktest.Server) jwt.MapClaims {
	return jwt.MapClaims{
		"apikey":      srv.APIKey,
		"permissions": []string{"allow_join", "allow_mod"},
		"version":     2,
		"roles":       []string{"crawler"},
		"iat":         time.Now().Unix(),
		"exp":         time.Now().Add(time.Hour).Unix(),
	}
}

// must requires a status.
func (r reply) must(status int) reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, "body: %s", r.body)
	return r
}

// refused requires a status and the text of the error.
func (r reply) refused(status int, text string) {
	r.t.Helper()
	r.must(status)
	require.JSONEq(r.t, string(marshal(r.t, map[string]string{"message": text})), r.body)
}

// field returns the value at a dotted path, such as "data.0.name"; nil when
// there is none.
func (r reply) field(path string) any {
	r.t.Helper()
	value := r.value()
	for key := range strings.SplitSeq(path, ".") {
		value = child(value, key)
	}
	return value
}

// value returns the whole body.
func (r reply) value() (value any) {
	r.t.Helper()
	require.NoError(r.t, json.Unmarshal([]byte(r.body), &value), "body: %s", r.body)
	return value
}

// text returns the string at a dotted path.
func (r reply) text(path string) string {
	r.t.Helper()
	text, isString := r.field(path).(string)
	require.True(r.t, isString, "%s is no string in %s", path, r.body)
	return text
}

func child(value any, key string) any {
	switch v := value.(type) {
	case map[string]any:
		return v[key]
	case []any:
		if i, err := strconv.Atoi(key); err == nil && i < len(v) {
			return v[i]
		}
	}
	return nil
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return encoded
}

// texts returns the string under key of each item of the data, nil for none.
func (r reply) texts(key string) []string {
	r.t.Helper()
	items, isList := r.field("data").([]any)
	require.True(r.t, isList, "data is no list in %s", r.body)
	var texts []string
	for _, item := range items {
		texts = append(texts, child(item, key).(string))
	}
	return texts
}
