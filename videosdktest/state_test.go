package videosdktest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// stateful starts a server that keeps its state in a file.
func stateful(t *testing.T, file string, opts ...videosdktest.Option) api {
	t.Helper()
	return newAPI(t, append(opts, videosdktest.WithState(file))...)
}

func TestStateOutlivesTheServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	before := stateful(t, file)
	before.AddPhoneNumbers("+14155551234", "+14155555678", "+14155550001")
	before.post(numbersPath+"/detach", `{"phoneNumber":"+14155550001"}`).must(http.StatusOK)
	before.post(rulesPath, `{"name":"Rule","type":"outbound","phoneNumbers":["+14155551234"],"headers":{"X-A":"b"},"agentMetadata":{"n":12345678901234567890}}`).must(http.StatusCreated)
	gateway := before.addGateway(inboundPath)
	before.post(gatewayRulesPath, gatewayRule(gateway)).must(http.StatusCreated)
	trunk := before.post(trunksPath, `{"name":"abc","numbers":["+14155551234"]}`).text("trunkId")
	room := before.post(roomsPath, `{"customRoomId":"standup"}`).text("roomId")
	call := before.post(callsPath, callByGateway(before.gatewayOf("+14155551234"), "+14155550199", `,"metadata":{"k":"v"}`)).text("data.callId")
	before.post(callsPath+"/end", `{"callId":"`+call+`"}`).must(http.StatusOK)
	before.post("/v2/sip/webhooks", `{"url":"https://example.com/webhook","events":["call-started"]}`).must(http.StatusCreated)

	paths := []string{
		numbersPath, numberPath("+14155555678"), rulesPath, inboundPath, outboundPath, gatewayRulesPath,
		roomsPath + "/" + room, callsPath, callsPath + "/" + call, "/v2/sip/webhooks",
	}
	bodies := make(map[string]string)
	for _, path := range paths {
		bodies[path] = before.get(path).must(http.StatusOK).body
	}
	before.Close()
	require.NoError(t, before.StateError())

	after := stateful(t, file)
	assert.Equal(t, before.APIKey, after.APIKey)
	assert.Equal(t, before.Secret, after.Secret)
	for _, path := range paths {
		assert.Equal(t, bodies[path], after.get(path).must(http.StatusOK).body)
	}
	after.put(trunksPath+"/"+trunk, `{"name":"abcd"}`).must(http.StatusOK)
	assert.Equal(t, room, after.post(roomsPath, `{"customRoomId":"standup"}`).field("roomId"))
	after.post(numbersPath, numberSetup).must(http.StatusBadRequest)
}

func TestStateRemembersWhatIsGone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	before := stateful(t, file)
	before.AddPhoneNumbers("+14155551234")
	number := before.get(numberPath("+14155551234")).text("phoneNumber.phoneNumberId")
	gateway := before.addGateway(inboundPath)
	before.delete(inboundPath + "/" + gateway).must(http.StatusOK)
	before.post(numbersPath+"/"+number+"/release", ``).must(http.StatusOK)
	before.Close()

	after := stateful(t, file)
	after.get(inboundPath + "/" + gateway).must(http.StatusNotFound)
	after.get(numberPath("+14155551234")).must(http.StatusNotFound)
	after.post(numbersPath+"/"+number+"/release", ``).must(http.StatusOK)
	after.AddPhoneNumbers("+14155551234")
}

func TestStateEndsTheCallsThatWereUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	before := stateful(t, file, videosdktest.WithCallTiming(videosdktest.Timing{Ring: time.Hour}))
	before.AddPhoneNumbers("+14155551234")
	call := callsPath + "/" + before.post(callsPath, callByGateway(before.gatewayOf("+14155551234"), "+14155550199", "")).text("data.callId")
	before.Close()

	for range 2 {
		after := stateful(t, file)
		assert.Equal(t, "ended", after.get(call).field("data.status"))
		assert.NotNil(t, after.get(call).field("data.end"))
		assert.Len(t, after.get(call).field("data.timelog"), 2)
		after.Close()
	}
}

// batchToInterrupt makes a batch of eleven records, one more than are dialled at once,
// and returns its path. Its callees are +14155550100 and up.
func (a api) batchToInterrupt(timing string) string {
	a.t.Helper()
	a.AddPhoneNumbers("+14155551234")
	number := a.get(numberPath("+14155551234")).text("phoneNumber.phoneNumberId")
	rule := a.post(rulesPath, `{"name":"x","type":"outbound","phoneNumbers":["+14155551234"]}`).text("id")
	batch := a.batchBeingParsed()
	pass(time.Second)
	a.post("/v2/batch-calls", fmt.Sprintf(`{"batchName":"x","phoneNumberId":%q,"routingRuleId":%q,"batchId":%q,%s}`,
		number, rule, path.Base(batch), timing)).must(http.StatusCreated)
	return batch
}

// batchBeingParsed uploads those records, has them parsed, and returns the path of
// their batch.
func (a api) batchBeingParsed() string {
	a.t.Helper()
	var numbers strings.Builder
	for i := range 11 {
		fmt.Fprintf(&numbers, "+14155550%d\n", 100+i)
	}
	ticket := a.post("/v2/batch-calls/upload", fmt.Sprintf(`{"fileName":"a.csv","fileSize":%d}`, numbers.Len()))
	upload, err := http.NewRequestWithContext(a.t.Context(), http.MethodPut, ticket.text("presignedUrl"), strings.NewReader(numbers.String()))
	require.NoError(a.t, err)
	upload.Header.Set("Content-Type", "text/csv")
	resp, err := a.HTTPClient().Do(upload)
	require.NoError(a.t, err)
	require.NoError(a.t, resp.Body.Close())
	require.Equal(a.t, http.StatusOK, resp.StatusCode)
	a.post("/v2/batch-calls/parse", fmt.Sprintf(`{"batchId":%q}`, ticket.text("batchId"))).must(http.StatusOK)
	return "/v2/batch-calls/" + ticket.text("batchId")
}

func TestStateLetsBatchesGoOn(t *testing.T) {
	const immediate, scheduled = `"timing":"immediate"`, `"timing":"scheduled","timezone":"UTC","scheduledDate":"2000-01-01","scheduledTime":"01:00"`
	tests := []struct {
		name   string
		before func(a api) (batch string)
		status string
		dialed int
	}{
		{"with the records that were not dialled", func(a api) string {
			return a.batchToInterrupt(immediate)
		}, "completed", 1},
		{"at the time for which they are scheduled", func(a api) string {
			return a.batchToInterrupt(scheduled)
		}, "completed", 11},
		{"to the end of their cancellation", func(a api) string {
			batch := a.batchToInterrupt(immediate)
			a.post(batch+"/cancel", `{"mode":"graceful"}`).must(http.StatusOK)
			return batch
		}, "cancelled", 0},
		{"but not with a file that was not parsed", func(a api) string {
			return a.batchBeingParsed()
		}, "parse_failed", 0},
		{"unless they are over", func(a api) string {
			batch := a.batchToInterrupt(immediate)
			a.post(batch+"/cancel", `{"mode":"immediate"}`).must(http.StatusOK)
			return batch
		}, "cancelled", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "state.json")
			synctest.Test(t, func(t *testing.T) {
				before := stateful(t, file, videosdktest.InMemory(), videosdktest.WithCallTiming(videosdktest.Timing{Answer: time.Minute}))
				batch := test.before(before)
				before.Close()
				require.NoError(t, before.StateError())

				after := stateful(t, file, videosdktest.InMemory())
				pass(2 * time.Hour)
				assert.Equal(t, test.status, after.get(batch).must(http.StatusOK).field("status"))
				assert.Len(t, after.Dials(), test.dialed)
				assert.NotContains(t, after.records(path.Base(batch), "status"), "in progress", "which nobody would end")
			})
		})
	}
}

func TestStateTakesNewCredentials(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	stateful(t, file, videosdktest.WithCredentials("key", "secret")).Close()
	after := stateful(t, file, videosdktest.WithCredentials("", "other"))
	assert.Equal(t, "key", after.APIKey)
	assert.Equal(t, "other", after.Secret)
}

// A receiver that goes on running would refuse what a new key has signed.
func TestStateKeepsTheKeyThatSignsDeliveries(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	first := stateful(t, file)
	key := first.WebhookPublicKeyPEM()
	first.Close()

	second := stateful(t, file)
	assert.Equal(t, key, second.WebhookPublicKeyPEM())
	second.RotateKey()
	rotated := second.WebhookPublicKeyPEM()
	assert.NotEqual(t, key, rotated)
	second.Close()
	assert.Equal(t, rotated, stateful(t, file).WebhookPublicKeyPEM())
}

func TestStateIsWrittenSoonAfterTheKeyIsMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	var key string
	synctest.Test(t, func(t *testing.T) {
		api := stateful(t, file, videosdktest.InMemory())
		key = api.WebhookPublicKeyPEM()
		pass(time.Second)
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		file = filepath.Join(filepath.Dir(file), "copy.json") // as a crash would leave it
		require.NoError(t, os.WriteFile(file, content, 0o600))
	})
	assert.Equal(t, key, stateful(t, file).WebhookPublicKeyPEM())
}

func TestStateIsWrittenSoonAfterAChange(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	numbersKept := func() int {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var kept struct{ PhoneNumbers []any }
		require.NoError(t, json.Unmarshal(content, &kept))
		return len(kept.PhoneNumbers)
	}
	synctest.Test(t, func(t *testing.T) {
		api := stateful(t, file, videosdktest.InMemory())
		assert.Equal(t, 0, numbersKept())
		api.post(numbersPath, numberSetup).must(http.StatusCreated)
		assert.Equal(t, 0, numbersKept(), "not on the path of the request")
		pass(time.Second)
		assert.Equal(t, 2, numbersKept())
		api.AddPhoneNumbers("+14155550001")
		pass(time.Second)
		assert.Equal(t, 3, numbersKept())
		api.AddPhoneNumbers("+14155550002")
		api.Close()
		assert.Equal(t, 4, numbersKept())
	})
	entries, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no temporary file is left")
}

// What was dialled and is not in the file would be dialled again.
func TestStateIsWrittenSoonAfterABatchHasDialled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	crashed := filepath.Join(t.TempDir(), "state.json")
	synctest.Test(t, func(t *testing.T) {
		before := stateful(t, file, videosdktest.InMemory(), videosdktest.WithCallTiming(videosdktest.Timing{Answer: time.Minute, HangUp: time.Minute}))
		before.batchToInterrupt(`"timing":"scheduled","timezone":"UTC","scheduledDate":"2000-01-01","scheduledTime":"01:00"`)
		pass(time.Hour + 150*time.Second) // all of them
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(crashed, content, 0o600))
		require.Len(t, before.Dials(), 11)

		after := stateful(t, crashed, videosdktest.InMemory())
		pass(time.Hour)
		assert.Empty(t, after.Dials())
	})
}

// pass lets time pass in a bubble, and all that is due in it be done.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestStateMustBeWhole(t *testing.T) {
	const gateway = `{"id":"gw_1","direction":"inbound"}`
	tests := []struct{ name, content, fault string }{
		{"empty", ``, "unexpected end of JSON input"},
		{"cut short", `{"version":1,"calls":[`, "unexpected end of JSON input"},
		{"no object", `[]`, "cannot unmarshal"},
		{"of another program", `{}`, "has version 0, not 1"},
		{"of another version", `{"version":2}`, "has version 2, not 1"},
		{"with an item missing", `{"version":1,"gateways":[null]}`, "gateways[0] has no id of its own"},
		{"with an id missing", `{"version":1,"calls":[{}]}`, "calls[0] has no id of its own"},
		{"with an id twice", `{"version":1,"gateways":[` + gateway + `,` + gateway + `]}`, "gateways[1] has no id of its own"},
		{"with a gateway missing", `{"version":1,"phoneNumbers":[{"phoneNumberId":"pn_1","e164":"+14155551234","inboundGatewayId":"gw_1"}]}`,
			"phone number +14155551234 lacks its gateway gw_1"},
		{"with a record missing", `{"version":1,"batchCalls":[{"batchId":"batch_1","records":[null]}]}`, "batch batch_1 lacks a record"},
		{"with half a key", `{"version":1,"webhookKey":"MIIE"}`, "webhookKey"},
		{"with a call that never began", `{"version":1,"calls":[{"id":"call_1"}]}`, "call call_1 has no timelog"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "state.json")
			require.NoError(t, os.WriteFile(file, []byte(test.content), 0o600))
			_, err := videosdktest.Start(videosdktest.WithState(file))
			require.ErrorContains(t, err, test.fault)
			assert.ErrorContains(t, err, file)

			kept, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, test.content, string(kept), "the file is left alone")
		})
	}
}

func TestStateMustBeReadable(t *testing.T) {
	_, err := videosdktest.Start(videosdktest.WithState(t.TempDir()))
	assert.ErrorContains(t, err, "cannot read state")
}

func TestStateMustBeWritable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	_, err := videosdktest.Start(videosdktest.WithState(filepath.Join(dir, "state.json")))
	assert.ErrorContains(t, err, "cannot write state")
}

func TestStateWritesOverWhatACrashLeft(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	require.NoError(t, os.WriteFile(file+".new", []byte(`{"version":1,"cal`), 0o600))
	stateful(t, file).Close()
	assert.NoFileExists(t, file+".new")
	assert.FileExists(t, file)
}

func TestStateErrorTellsOfTheFinalState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	require.NoError(t, os.Mkdir(dir, 0o700))
	api := stateful(t, filepath.Join(dir, "state.json"))
	require.NoError(t, api.StateError())
	require.NoError(t, os.RemoveAll(dir))
	api.Close()
	assert.ErrorContains(t, api.StateError(), "cannot write state")
}

func TestStartTellsWhyItCannotListen(t *testing.T) {
	taken := newAPI(t)
	addr := taken.URL[len("http://"):]
	_, err := videosdktest.Start(videosdktest.WithAddr(addr))
	require.ErrorContains(t, err, "cannot listen on "+addr)
	assert.PanicsWithValue(t, "videosdktest: "+err.Error(), func() {
		videosdktest.NewServer(videosdktest.WithAddr(addr))
	})
}

func TestStateKeepsUpWithManyChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	before := stateful(t, file)
	for i := range 200 {
		before.AddPhoneNumbers(fmt.Sprintf("+1415555%04d", i))
	}
	before.Close()
	require.NoError(t, before.StateError())
	assert.Equal(t, 200.0, stateful(t, file).get(numbersPath).field("pageInfo.total"))
}
