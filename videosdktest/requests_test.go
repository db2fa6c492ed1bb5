package videosdktest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestABodyMustSayThatItIsJSON(t *testing.T) {
	tests := []struct {
		name, contentType, body string
		refusal                 string // "" accepts
	}{
		{"JSON", "application/json", `{}`, ""},
		{"JSON with a charset, in any case", "Application/JSON; charset=utf-8", `{}`, ""},
		{"nothing", "", `{}`, `Content-Type must be application/json, not ""`},
		{"plain text", "text/plain", `{}`, `Content-Type must be application/json, not "text/plain"`},
		{"a form, as curl -d does", "application/x-www-form-urlencoded", `{}`, `Content-Type must be application/json, not "application/x-www-form-urlencoded"`},
		{"another kind of JSON", "application/json-patch+json", `{}`, `Content-Type must be application/json, not "application/json-patch+json"`},
		{"nothing, for no body", "", ``, ""},
		{"plain text, for no body", "text/plain", ``, ""},
	}
	a := newAPI(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := api{t, a.Server}
			header := http.Header{"Authorization": {managementToken(t, a.Server)}}
			if test.contentType != "" {
				header.Set("Content-Type", test.contentType)
			}
			got := a.send(http.MethodPost, roomsPath, test.body, header)
			if test.refusal == "" {
				got.must(http.StatusOK)
			} else {
				got.refused(http.StatusBadRequest, test.refusal)
			}
		})
	}
}

func TestOnlyTheLatestRequestsAreRemembered(t *testing.T) {
	tests := []struct {
		name string
		opts []videosdktest.Option
		want []string
	}{
		{"as many as it is told to", []videosdktest.Option{videosdktest.WithRequestLog(2)}, []string{"/v2/rooms/c", "/v2/rooms/d"}},
		{"none", []videosdktest.Option{videosdktest.WithRequestLog(0)}, nil},
		{"all of a few, by default", nil, []string{"/v2/rooms/a", "/v2/rooms/b", "/v2/rooms/c", "/v2/rooms/d"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := newAPI(t, test.opts...)
			for _, room := range []string{"a", "b", "c", "d"} {
				a.get(roomsPath + "/" + room).must(http.StatusPaymentRequired)
			}
			var got []string
			for _, request := range a.Requests() {
				got = append(got, request.Path)
				assert.Equal(t, http.StatusPaymentRequired, request.Status)
			}
			assert.Equal(t, test.want, got)
		})
	}
}
