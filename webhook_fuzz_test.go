package videosdk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

func FuzzParseEvent(f *testing.F) {
	for _, seed := range []string{
		answeredEvent, smallEvent, "", "{}", "null", "[]", `"x"`, "7", "{}{}", " {} ", "\ufeff{}",
		`{"type":"call-hangup","timestamp":1755777600000,"data":{"id":"c","status":"COMPLETED","end":"2025-08-21 12:00:00"}}`,
		`{"webhookType":5,"data":{"callId":true,"timelog":[{"timestamp":-1},null,7],"metadata":[]}}`,
		`{"webhookType":"call-update","data":{"callId":"c","metaData":{"n":1e400},"status":"\ud800"}}`,
		`{"WEBHOOKTYPE":"call-missed","Data":{"CALLID":"c"},"data":null}`,
		`{"call-summary":"fine","room-data":{},"customer-data":null}`,
		`{"webhookType":"call-ringing","data":` + strings.Repeat(`{"data":`, 50) + "1" + strings.Repeat("}", 51),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		event, err := videosdk.ParseEvent(body)
		require.Equal(t, before, body, "the body is left alone")
		require.Equal(t, json.Valid(body), err == nil, "what is JSON is an event")
		if err != nil {
			require.ErrorIs(t, err, videosdk.ErrInvalidEvent)
			return
		}
		assert.Equal(t, body, []byte(event.Raw))
		assert.NotEmpty(t, fmt.Sprint(event))

		tracker := videosdk.NewCallTracker()
		tells := event.Call != nil && (event.Call.Status != "" || event.Call.End != nil)
		assert.Equal(t, tells, tracker.Observe(event))
		assert.False(t, tracker.Observe(event), "the same again")

		stored, err := json.Marshal(event)
		require.NoError(t, err)
		var again videosdk.Event
		require.NoError(t, json.Unmarshal(stored, &again))
		if event.Call != nil {
			assert.NotEmpty(t, event.Call.ID)
			assert.Equal(t, strings.ToLower(string(event.Call.Status)), string(event.Call.Status))
			assert.NotEqual(t, "completed", string(event.Call.Status))
		}
		assert.Equal(t, withoutRaw(event), withoutRaw(&again))
	})
}

// FuzzVerify changes the one genuine delivery that there is: its body, and its
// signature, of which some characters are kept, one is changed, and others are
// put around it. The signature itself is none of the fuzzer's inputs, because
// each of its processes has a key of its own.
func FuzzVerify(f *testing.F) {
	genuine := vendor().sign(smallEvent)
	bare := strings.TrimRight(genuine, "=")
	whole := uint16(len(genuine))
	for _, seed := range []struct {
		body, before string
		keep         uint16
		position     uint16
		flip         byte
		after        string
	}{
		{smallEvent, "", whole, 0, 0, ""},
		{smallEvent, "", whole - 2, 0, 0, ""},
		{smallEvent, "", whole - 1, 0, 0, ""},
		{smallEvent, "", whole - 2, 0, 0, "=="},
		{smallEvent, "", whole - 2, 0, 0, "\n=="},
		{smallEvent, " ", whole, 0, 0, ""},
		{smallEvent, "", whole, 0, 0, "\r\n"},
		{smallEvent, "", whole, whole - 3, 1, ""},
		{smallEvent, "", whole, 17, 0x20, ""},
		{smallEvent, "", 0, 0, 0, ""},
		{smallEvent, "none", 0, 0, 0, ""},
		{smallEvent + " ", "", whole, 0, 0, ""},
		{"", "", whole, 0, 0, ""},
	} {
		f.Add([]byte(seed.body), seed.before, seed.keep, seed.position, seed.flip, seed.after)
	}
	keys, err := videosdk.PinnedKey(vendor().pem())
	require.NoError(f, err)
	verifier := videosdk.NewWebhookVerifier(keys)

	f.Fuzz(func(t *testing.T, body []byte, before string, keep, position uint16, flip byte, after string) {
		kept := []byte(genuine[:min(int(keep), len(genuine))])
		if len(kept) > 0 {
			kept[int(position)%len(kept)] ^= flip
		}
		signature := before + string(kept) + after

		event, err := verifier.Verify(t.Context(), body, signature)

		if string(body) == smallEvent && (signature == genuine || signature == bare) {
			require.NoError(t, err)
			assert.Equal(t, videosdk.EventCallRinging, event.Type)
			return
		}
		require.ErrorIs(t, err, videosdk.ErrInvalidSignature, "%q of %q", signature, body)
		assert.Nil(t, event)
	})
}
