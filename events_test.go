package videosdk_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// parse decodes the body of an event.
func parse(t testing.TB, body string) *videosdk.Event {
	t.Helper()
	event, err := videosdk.ParseEvent([]byte(body))
	require.NoError(t, err)
	require.Equal(t, body, string(event.Raw), "the body is kept as it came")
	return event
}

// answeredEvent has all that is known of the data of a call's event.
const answeredEvent = `{"webhookType":"call-answered","data":{"callId":"call_1","type":"OUTBOUND","roomId":"room_1","sessionId":"sess_1",` +
	`"agentId":"agent_1","gatewayId":"gw_1","ruleId":"rr_1","to":"+14155550123","from":"+14155559876","status":"ANSWERED",` +
	`"timestamp":"2025-08-21T11:45:09.000Z","start":"2025-08-21T11:45:00.000Z","end":null,"metaData":{"campaignId":"cmp_1"},"new":true}}`

func TestAnEventOfACallIsDecoded(t *testing.T) {
	event := parse(t, answeredEvent)

	require.NotNil(t, event.Call)
	assert.Contains(t, string(event.Call.Raw), `"new":true`, "what is not known is in Raw")
	start := at(t, "2025-08-21T11:45:00Z")
	assert.Equal(t, &videosdk.Event{
		Type: videosdk.EventCallAnswered, AgentID: "agent_1", Timestamp: at(t, "2025-08-21T11:45:09Z"),
		Call: &videosdk.Call{
			ID: "call_1", Type: videosdk.DirectionOutbound, Status: videosdk.CallAnswered, To: "+14155550123", From: "+14155559876",
			RoomID: "room_1", SessionID: "sess_1", GatewayID: "gw_1", RuleID: "rr_1",
			Metadata: map[string]any{"campaignId": "cmp_1"}, Start: &start,
		},
	}, withoutRaw(event))
}

func TestAnEventIsUnderstoodInEverySpelling(t *testing.T) {
	call := func(status videosdk.CallStatus) *videosdk.Call {
		return &videosdk.Call{ID: "call_1", Status: status}
	}
	noon := at(t, "2025-08-21T12:00:00Z")
	tests := map[string]struct {
		body string
		want videosdk.Event
	}{
		"with type in place of webhookType": {
			`{"type":"call-ringing","data":{"callId":"call_1","status":"ringing"}}`,
			videosdk.Event{Type: videosdk.EventCallRinging, Call: call(videosdk.CallRinging)},
		},
		"with both, of which webhookType counts": {
			`{"type":"sip","webhookType":"call-ringing","data":{"callId":"call_1","status":"ringing"}}`,
			videosdk.Event{Type: videosdk.EventCallRinging, Call: call(videosdk.CallRinging)},
		},
		"with id in place of callId": {
			`{"webhookType":"call-hangup","data":{"id":"call_1","status":"COMPLETED"}}`,
			videosdk.Event{Type: videosdk.EventCallHangup, Call: call(videosdk.CallEnded)},
		},
		"without a status, which its type tells": {
			`{"webhookType":"call-missed","data":{"callId":"call_1"}}`,
			videosdk.Event{Type: videosdk.EventCallMissed, Call: call(videosdk.CallMissed)},
		},
		"without a status, which its type does not tell": {
			`{"webhookType":"call-update","data":{"id":"call_1"}}`,
			videosdk.Event{Type: videosdk.EventCallUpdate, Call: call("")},
		},
		"with a status that its type is too coarse for": {
			`{"webhookType":"call-hangup","data":{"callId":"call_1","status":"rejected"}}`,
			videosdk.Event{Type: videosdk.EventCallHangup, Call: call(videosdk.CallRejected)},
		},
		"with numbers for texts": {
			`{"webhookType":"call-update","data":{"callId":17,"to":4155550123,"status":"verified"}}`,
			videosdk.Event{Type: videosdk.EventCallUpdate, Call: &videosdk.Call{ID: "17", To: "4155550123", Status: videosdk.CallVerified}},
		},
		"with its time outside": {
			`{"webhookType":"call-ringing","timestamp":"2025-08-21T12:00:00Z","data":{"callId":"call_1","status":"ringing","timestamp":5}}`,
			videosdk.Event{Type: videosdk.EventCallRinging, Timestamp: noon, Call: call(videosdk.CallRinging)},
		},
		"with its time in milliseconds": {
			fmt.Sprintf(`{"webhookType":"call-ringing","data":{"callId":"call_1","status":"ringing","timestamp":%d}}`, noon.UnixMilli()),
			videosdk.Event{Type: videosdk.EventCallRinging, Timestamp: noon, Call: call(videosdk.CallRinging)},
		},
		"with a timeline only": {
			`{"webhookType":"call-ringing","data":{"callId":"call_1","status":"RINGING","timelog":[{"status":"INITIATED","timestamp":1},` +
				`{"status":"RINGING","timestamp":"2025-08-21T12:00:00Z"}]}}`,
			videosdk.Event{Type: videosdk.EventCallRinging, Timestamp: noon, Call: &videosdk.Call{
				ID: "call_1", Status: videosdk.CallRinging, Timelog: []videosdk.CallEvent{
					{Status: videosdk.CallInitiated, Timestamp: time.Unix(1, 0).UTC()}, {Status: videosdk.CallRinging, Timestamp: noon},
				},
			}},
		},
		"with a timeline of one status": {
			`{"webhookType":"call-ringing","data":{"callId":"call_1","timelog":[{"status":"ringing","timestamp":"2025-08-21T12:00:00Z"}]}}`,
			videosdk.Event{Type: videosdk.EventCallRinging, Timestamp: noon, Call: &videosdk.Call{
				ID: "call_1", Status: videosdk.CallRinging, Timelog: []videosdk.CallEvent{{Status: videosdk.CallRinging, Timestamp: noon}},
			}},
		},
		"with its time, and a timeline": {
			`{"webhookType":"call-ringing","timestamp":"2025-08-21T12:00:00Z","data":{"callId":"call_1","timelog":[{"status":"ringing","timestamp":1}]}}`,
			videosdk.Event{Type: videosdk.EventCallRinging, Timestamp: noon, Call: &videosdk.Call{
				ID: "call_1", Status: videosdk.CallRinging, Timelog: []videosdk.CallEvent{{Status: videosdk.CallRinging, Timestamp: time.Unix(1, 0).UTC()}},
			}},
		},
		"with an id of its own": {
			`{"webhookType":"call-ringing","data":{"callId":"call_1","id":"event_1","status":"ringing"}}`,
			videosdk.Event{Type: videosdk.EventCallRinging, Call: call(videosdk.CallRinging)},
		},
		"with its agent outside": {
			`{"webhookType":"call-ringing","agentId":"agent_1","data":{"callId":"call_1","status":"ringing"}}`,
			videosdk.Event{Type: videosdk.EventCallRinging, AgentID: "agent_1", Call: call(videosdk.CallRinging)},
		},
		"with a call in an event that is not of calls": {
			`{"webhookType":"recording-stopped","data":{"callId":"call_1","id":"rec_1"}}`,
			videosdk.Event{Type: "recording-stopped", Call: call("")},
		},
		"with a status that nobody knows": {
			`{"webhookType":"call-held","data":{"callId":"call_1","status":"On-Hold"}}`,
			videosdk.Event{Type: "call-held", Call: call("on-hold")},
		},
		"with a switch of rooms that nobody knows": {
			`{"webhookType":"switch-room-cancelled","data":{"callId":"call_1","status":"answered"}}`,
			videosdk.Event{Type: "switch-room-cancelled", Call: call(videosdk.CallAnswered)},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, &tt.want, withoutRaw(parse(t, tt.body))) })
	}
}

// What is completed is the recording, or the work of an agent.
func TestWhatIsToldOfSomethingElseIsNotTakenForTheCalls(t *testing.T) {
	const data = `"data":{"callId":"call_1","roomId":"room_1","status":"completed","start":"2025-08-21T12:00:00Z","end":"2025-08-21T12:00:05Z",` +
		`"timelog":[{"status":"started","timestamp":"2025-08-21T12:00:00Z"},{"status":"completed","timestamp":"2025-08-21T12:00:05Z"}]}`
	for name, envelope := range map[string]string{
		"a recording":         `"webhookType":"recording-stopped",`,
		"an agent":            `"webhookType":"agent-left",`,
		"the same, with type": `"type":"agent-left",`,
		"a session":           `"webhookType":"session-ended",`,
		"a batch of calls":    `"webhookType":"batchcall-completed",`,
		"who knows what":      `"call-summary":"All is well",`,
	} {
		t.Run(name, func(t *testing.T) {
			event := parse(t, "{"+envelope+data+"}")
			assert.Equal(t, &videosdk.Call{ID: "call_1", RoomID: "room_1"}, withoutRaw(event).Call)
			assert.Equal(t, at(t, "2025-08-21T12:00:05Z"), event.Timestamp)
		})
	}
}

func TestWhatIsNoEventOfACallIsHandedOver(t *testing.T) {
	tests := map[string]struct {
		body string
		want videosdk.Event
	}{
		"an event of a session":         {`{"webhookType":"session-started","data":{"sessionId":"s","id":"s"}}`, videosdk.Event{Type: "session-started"}},
		"an agent's summary":            {`{"call-summary":"All is well","room-data":{},"customer-data":null}`, videosdk.Event{}},
		"an event of a batch":           {`{"webhookType":"batchcall-started","data":{"batchId":"b"}}`, videosdk.Event{Type: "batchcall-started"}},
		"an event with the agent only":  {`{"webhookType":"agent-joined","data":{"agentId":"a"}}`, videosdk.Event{Type: "agent-joined", AgentID: "a"}},
		"data that is no object":        {`{"webhookType":"call-ringing","data":["call_1"]}`, videosdk.Event{Type: videosdk.EventCallRinging}},
		"data that is null":             {`{"webhookType":"call-ringing","data":null}`, videosdk.Event{Type: videosdk.EventCallRinging}},
		"a call without an id":          {`{"webhookType":"call-ringing","data":{"status":"ringing"}}`, videosdk.Event{Type: videosdk.EventCallRinging}},
		"a type that is no text":        {`{"webhookType":{"a":1},"data":{}}`, videosdk.Event{}},
		"an empty object":               {`{}`, videosdk.Event{}},
		"a list":                        {` [{"webhookType":"call-ringing"}]`, videosdk.Event{}},
		"a text":                        {`"call-ringing"`, videosdk.Event{}},
		"null":                          {`null`, videosdk.Event{}},
		"an object with white space":    {"\r\n\t {} \n", videosdk.Event{}},
		"a deep value within the limit": {`{"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, videosdk.Event{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, &tt.want, withoutRaw(parse(t, tt.body))) })
	}
}

func TestABodyThatIsNotJSONIsNoEvent(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":              "",
		"white space":          " \r\n",
		"a form":               "webhookType=call-ringing",
		"half an object":       `{"webhookType":"call-ringing"`,
		"two objects":          `{}{}`,
		"a byte order mark":    "\ufeff{}",
		"a vertical tab":       "\v{}",
		"an object and a null": "{}\x00",
		"a value too deep":     `{"data":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			event, err := videosdk.ParseEvent([]byte(body))
			require.ErrorIs(t, err, videosdk.ErrInvalidEvent)
			assert.Nil(t, event)
		})
	}
}

func TestTheTypeOfAnEventTellsTheStatusOfItsCall(t *testing.T) {
	for eventType, want := range map[videosdk.EventType]videosdk.CallStatus{
		videosdk.EventCallStarted:           videosdk.CallInitiated,
		videosdk.EventCallRinging:           videosdk.CallRinging,
		videosdk.EventCallAnswered:          videosdk.CallAnswered,
		videosdk.EventCallHangup:            videosdk.CallEnded,
		videosdk.EventCallMissed:            videosdk.CallMissed,
		videosdk.EventCallUpdate:            "",
		videosdk.EventCallTransferred:       videosdk.CallTransferred,
		videosdk.EventCallTransferInitiated: videosdk.CallTransferInitiated,
		videosdk.EventCallTransferAccepted:  videosdk.CallTransferAccepted,
		videosdk.EventCallTransferring:      videosdk.CallTransferring,
		videosdk.EventCallTransferRinging:   videosdk.CallTransferRinging,
		videosdk.EventCallTransferFailed:    videosdk.CallTransferFailed,
		videosdk.EventSwitchRoomInitiated:   videosdk.CallSwitchRoomInitiated,
		videosdk.EventSwitchRoomCompleted:   videosdk.CallSwitchRoomCompleted,
		videosdk.EventSwitchRoomFailed:      videosdk.CallSwitchRoomFailed,
		// Of others nothing is known, whatever they are named like.
		"call-summary":           "",
		"call-recording-started": "",
		"call-":                  "",
		"switch-room-cancelled":  "",
		"session-started":        "",
		"":                       "",
	} {
		t.Run(string(eventType), func(t *testing.T) { assert.Equal(t, want, eventType.Status()) })
	}
}

func TestAStoredEventIsTheSameEvent(t *testing.T) {
	event := parse(t, answeredEvent)
	stored, err := json.Marshal(event)
	require.NoError(t, err)
	assert.Equal(t, withoutRaw(event), withoutRaw(parse(t, string(stored))))
	var read videosdk.Event
	require.NoError(t, json.Unmarshal(stored, &read))
	assert.Equal(t, event, withoutRaw(&read))
}

func TestAnEventPrintsNothingPrivate(t *testing.T) {
	event := parse(t, `{"webhookType":"call-ringing","data":{"callId":"call_1","timestamp":"2025-08-21T12:00:00Z","metadata":{"k":"`+planted+`"}}}`)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("event", "it", event)
	for how, printed := range map[string]string{
		"a pointer": fmt.Sprintf("%+v", event), "a value": fmt.Sprintf("%#v", *event), "a log": log.String(),
	} {
		assertNoSecret(t, printed, how)
		assert.Contains(t, printed, "call-ringing", how)
	}
	assert.Equal(t, `Event{Type:"call-ringing" Call:Call{ID:"call_1" Status:"ringing" Metadata:[redacted] Raw:[redacted]} `+
		`Timestamp:2025-08-21T12:00:00Z Raw:[redacted]}`, fmt.Sprint(event))
	assert.Equal(t, time.UTC, event.Timestamp.Location())
}
