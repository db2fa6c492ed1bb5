package videosdk

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/videosdk-sip-go/videosdk/internal/lenient"
	"github.com/videosdk-sip-go/videosdk/internal/redact"
)

// ErrInvalidEvent is a webhook's body that is not JSON.
var ErrInvalidEvent = errors.New("videosdk: invalid event")

// Event is what a webhook delivers. Payloads that this library does not know,
// such as session-started or the summaries of agents, are events as well: with
// an unknown Type or none, and all that they hold in Raw. The body of a webhook is
// decoded by [ParseEvent]: json.Unmarshal reads what json.Marshal has made of an
// Event, and of a body not all.
type Event struct {
	// Type is one of the constants, another text, or empty.
	Type EventType `json:"webhookType"`
	// Call is what the event tells of its call, nil if it tells of none. Its
	// fields are those of the moment, and not all of them. An event that has no
	// status has the one that its type means. In an event of something else, such
	// as a recording, Status, Timelog, Start and End are empty: those in Raw are
	// not the call's.
	Call *Call `json:"data"`
	// AgentID is the AI agent on the call, if the event tells.
	AgentID string `json:"agentId"`
	// Timestamp is when it happened, zero if the event does not tell.
	Timestamp time.Time `json:"timestamp"`
	// Raw is the body as it came.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (e Event) Format(f fmt.State, _ rune) { redact.Format(f, e) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (e Event) LogValue() slog.Value { return redact.LogValue(e) }

// Status returns the status that a call has after an event of this type, empty
// if the type does not tell, as with every type that is not one of the
// constants.
func (t EventType) Status() CallStatus {
	switch t {
	case EventCallStarted:
		return CallInitiated
	case EventCallHangup:
		return CallEnded
	case EventCallRinging, EventCallAnswered, EventCallMissed, EventCallTransferred, EventCallTransferInitiated,
		EventCallTransferAccepted, EventCallTransferring, EventCallTransferRinging, EventCallTransferFailed:
		return CallStatus(strings.TrimPrefix(string(t), "call-"))
	case EventSwitchRoomInitiated, EventSwitchRoomCompleted, EventSwitchRoomFailed:
		return CallStatus(t)
	default:
		return ""
	}
}

// eventWire is the envelope of an event in both spellings.
type eventWire struct {
	WebhookType EventType       `json:"webhookType"`
	Type        EventType       `json:"type"`
	Data        json.RawMessage `json:"data"`
	AgentID     string          `json:"agentId"`
	Timestamp   time.Time       `json:"timestamp"`
}

// eventData is what an event's data holds besides the call.
type eventData struct {
	callWire
	AgentID   string    `json:"agentId"`
	Timestamp time.Time `json:"timestamp"`
}

// ParseEvent decodes the body of a webhook, which [WebhookVerifier.Verify] has
// verified: never act on a body that has not been. A body that is not JSON is
// [ErrInvalidEvent]; every other one is an event. The event keeps body: do not
// change it afterwards.
func ParseEvent(body []byte) (*Event, error) {
	event := &Event{Raw: body}
	if !isObject(body) {
		if !json.Valid(body) {
			return nil, fmt.Errorf("%w: the body is not JSON", ErrInvalidEvent)
		}
		return event, nil
	}
	var w eventWire
	if err := lenient.Unmarshal(body, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidEvent, err)
	}
	event.Type = cmp.Or(w.WebhookType, w.Type)
	event.AgentID = w.AgentID
	event.Timestamp = w.Timestamp
	if isObject(w.Data) {
		event.addData(w.Data)
	}
	return event, nil
}

// addData takes from an event's data, an object, what it tells of a call.
func (e *Event) addData(raw json.RawMessage) {
	var data eventData
	_ = lenient.Unmarshal(raw, &data) // an object always fits
	e.AgentID = cmp.Or(e.AgentID, data.AgentID)
	call, id := data.resource(raw)
	if e.Timestamp = cmp.Or(e.Timestamp, data.Timestamp); e.Timestamp.IsZero() && len(call.Timelog) > 0 {
		e.Timestamp = call.Timelog[len(call.Timelog)-1].Timestamp
	}
	if data.CallID == "" && (id == "" || !e.Type.isOfCall()) {
		return // an id of something else
	}
	call.ID = cmp.Or(data.CallID, id)
	call.Status = cmp.Or(call.Status, e.Type.Status())
	if !e.Type.tellsProgress() {
		call.Status, call.Timelog, call.Start, call.End = "", nil, nil, nil
	}
	e.Call = call
}

func (t EventType) isOfCall() bool { return t.Status() != "" || t == EventCallUpdate }

// tellsProgress reports whether a status in an event of this type is that of a
// call, and not of a recording, say, or of an agent.
func (t EventType) tellsProgress() bool {
	return strings.HasPrefix(string(t), "call-") || strings.HasPrefix(string(t), "switch-room-")
}
