package videosdktest_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWebhookLivesAsDocumented(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		made := a.post("/v2/sip/webhooks", `{"url":"https://example.com/webhook","events":["call-started","call-answered"]}`).must(http.StatusCreated)
		id := made.text("id")
		const shape = `{"id":%q,"url":%q,"events":[%q,%q],"createdAt":"2000-01-01T00:00:00.000Z","updatedAt":%q}`
		const birth = "2000-01-01T00:00:00.000Z"
		first := fmt.Sprintf(shape, id, "https://example.com/webhook", "call-started", "call-answered", birth)
		assert.JSONEq(t, first, made.body)
		assert.JSONEq(t, first, a.get("/v2/sip/webhooks/"+id).must(http.StatusOK).body)
		assert.JSONEq(t, `{"pageInfo":{"currentPage":1,"perPage":10,"lastPage":1,"total":1},"data":[`+first+`]}`,
			a.get("/v2/sip/webhooks").must(http.StatusOK).body)

		assert.JSONEq(t, first, a.put("/v2/sip/webhooks/"+id, `{"url":"https://example.com/webhook"}`).must(http.StatusOK).body, "as one page has it")

		wait(time.Minute)
		later := "2000-01-01T00:01:00.000Z"
		changed := fmt.Sprintf(shape, id, "https://example.com/new", "call-started", "call-answered", later)
		assert.JSONEq(t, changed, a.patch("/v2/sip/webhooks/"+id, `{"url":"https://example.com/new"}`).must(http.StatusOK).body)
		changed = fmt.Sprintf(shape, id, "https://example.com/new", "call-missed", "call-hangup", later)
		assert.JSONEq(t, changed, a.patch("/v2/sip/webhooks/"+id, `{"events":["call-missed","call-hangup","call-missed"]}`).must(http.StatusOK).body)

		assert.JSONEq(t, `{"message":"Webhook deleted successfully"}`, a.delete("/v2/sip/webhooks/"+id).must(http.StatusOK).body)
		for _, gone := range []reply{
			a.get("/v2/sip/webhooks/" + id), a.patch("/v2/sip/webhooks/"+id, `{}`), a.delete("/v2/sip/webhooks/" + id),
		} {
			gone.refused(http.StatusNotFound, "Webhook not found")
		}
	})
}

func TestListWebhooksSearchesAndPaginates(t *testing.T) {
	a := newAPI(t)
	for _, host := range []string{"one", "two", "three"} {
		a.post("/v2/sip/webhooks", `{"url":"https://`+host+`.example.com","events":["call-started"]}`).must(http.StatusCreated)
	}
	assert.Equal(t, "https://two.example.com", a.get("/v2/sip/webhooks?page=2&perPage=1").text("data.0.url"))
	found := a.get("/v2/sip/webhooks?search=THREE")
	assert.Equal(t, "https://three.example.com", found.text("data.0.url"))
	assert.InEpsilon(t, 1, found.field("pageInfo.total"), 0)
	a.get("/v2/sip/webhooks?page=none").must(http.StatusBadRequest)
}

func TestWebhookAcceptsEveryEventOfSIP(t *testing.T) {
	a := newAPI(t)
	for _, event := range []string{
		"call-started", "call-ringing", "call-answered", "call-hangup", "call-missed", "call-update", "call-transferred",
		"call-transfer-initiated", "call-transfer-accepted", "call-transferring", "call-transfer-ringing", "call-transfer-failed",
		"switch-room-initiated", "switch-room-completed", "switch-room-failed",
	} {
		a.post("/v2/sip/webhooks", `{"url":"http://example.com","events":["`+event+`"]}`).must(http.StatusCreated)
	}
}

func TestWebhookRefuses(t *testing.T) {
	a := newAPI(t)
	id := a.post("/v2/sip/webhooks", `{"url":"https://example.com","events":["call-started"]}`).text("id")
	tests := map[string]struct {
		body          string
		onCreate      string
		onUpdate      string // "" accepts
		createdStatus int
	}{
		"no URL":                    {`{"events":["call-started"]}`, "url is required", "", http.StatusBadRequest},
		"no events":                 {`{"url":"https://example.com"}`, "events is required", "", http.StatusBadRequest},
		"an empty list of events":   {`{"url":"https://example.com","events":[]}`, "events must not be empty", "events must not be empty", http.StatusBadRequest},
		"a relative URL":            {`{"url":"/hook","events":["call-started"]}`, "url must be an absolute http or https URL", "url must be an absolute http or https URL", http.StatusBadRequest},
		"a URL of another scheme":   {`{"url":"ftp://example.com","events":["call-started"]}`, "url must be an absolute http or https URL", "url must be an absolute http or https URL", http.StatusBadRequest},
		"an event of other parts":   {`{"url":"https://example.com","events":["session-started"]}`, "Internal Server Error", "Internal Server Error", http.StatusInternalServerError},
		"a body that is no object":  {`[]`, "Request body must be a JSON object", "Request body must be a JSON object", http.StatusBadRequest},
		"events that are no list":   {`{"url":"https://example.com","events":"call-started"}`, "events must be a list of strings", "events must be a list of strings", http.StatusBadRequest},
		"an event in another case ": {`{"url":"https://example.com","events":["Call-Started"]}`, "Internal Server Error", "Internal Server Error", http.StatusInternalServerError},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := api{t, a.Server}
			a.post("/v2/sip/webhooks", test.body).refused(test.createdStatus, test.onCreate)
			if updated := a.patch("/v2/sip/webhooks/"+id, test.body); test.onUpdate == "" {
				updated.must(http.StatusOK)
			} else {
				updated.refused(test.createdStatus, test.onUpdate)
			}
		})
	}
}

func TestPublicKeyNeedsNoToken(t *testing.T) {
	a := newAPI(t)
	resp, err := a.HTTPClient().Get(a.URL + "/v2/public/rsa-public-key")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)

	text := a.get("/v2/public/rsa-public-key").text("publicKey")
	assert.True(t, strings.HasPrefix(text, "-----BEGIN RSA PUBLIC KEY-----\n"))
	assert.Equal(t, a.WebhookPublicKeyPEM(), text)
	block, rest := pem.Decode([]byte(text))
	require.NotNil(t, block)
	assert.Empty(t, rest)
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	require.NoError(t, err)
	assert.Equal(t, 2048, key.N.BitLen())

	a.RotateKey()
	assert.NotEqual(t, text, a.get("/v2/public/rsa-public-key").text("publicKey"))
}
