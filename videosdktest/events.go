package videosdktest

import (
	"encoding/json"
	"slices"
	"time"
)

// sipEvents are the events that a webhook can subscribe to.
func sipEvents() []string {
	return []string{
		"call-started", "call-ringing", "call-answered", "call-hangup", "call-missed", "call-update",
		"call-transferred", "call-transfer-initiated", "call-transfer-accepted", "call-transferring",
		"call-transfer-ringing", "call-transfer-failed",
		"switch-room-initiated", "switch-room-completed", "switch-room-failed",
	}
}

// eventOf names the event of a call that takes on a status.
func eventOf(status string) string {
	switch status {
	case statusInitiated, statusIncoming:
		return "call-started"
	case statusRinging, statusAnswered, statusTransferInitiated, statusTransferAccepted,
		statusTransferring, statusTransferRinging, statusTransferred, statusTransferFailed:
		return "call-" + status
	case statusEnded, statusCompleted, statusRejected, statusFailed, statusAbandoned:
		return "call-hangup"
	case statusMissed, statusNotAnswered:
		return "call-missed"
	case statusSwitchInitiated, statusSwitchCompleted, statusSwitchFailed:
		return status
	default:
		return "call-update"
	}
}

// event is the body of a delivery.
type event struct {
	Type string `json:"webhookType"`
	Data any    `json:"data"`
}

// encode returns the body in the spelling that the quirks ask for.
func (e event) encode(q quirks) []byte {
	var body any = e
	if slices.Contains(q, EventTypeSpelling) {
		body = struct {
			Type string `json:"type"`
			Data any    `json:"data"`
		}(e)
	}
	encoded, _ := json.Marshal(body) // of plain types and valid JSON
	return encoded
}

// callEvent is the data of an event of a call.
type callEvent struct {
	CallID    string          `json:"callId"`
	Type      string          `json:"type"`
	RoomID    string          `json:"roomId"`
	SessionID string          `json:"sessionId"`
	AgentID   nullable        `json:"agentId"`
	GatewayID nullable        `json:"gatewayId"`
	RuleID    nullable        `json:"ruleId"`
	To        string          `json:"to"`
	From      string          `json:"from"`
	Status    string          `json:"status"`
	Timestamp string          `json:"timestamp"`
	Start     string          `json:"start"`
	End       nullable        `json:"end"`
	Metadata  json.RawMessage `json:"metadata"`
	// MetaData is what many receivers read.
	MetaData json.RawMessage `json:"metaData"`
}

// publishCall delivers the event of a call that has just taken on a status. That
// of a switch of rooms says so, though the call's own status is another.
func (s *Server) publishCall(c *call, status string) {
	kind := eventOf(status)
	subscribers := s.account.subscribers(kind)
	if len(subscribers) == 0 {
		return
	}
	s.deliver(subscribers, c.ID, event{Type: kind, Data: callEvent{
		CallID:    c.ID,
		Type:      c.Type,
		RoomID:    c.RoomID,
		SessionID: c.sessionID(),
		AgentID:   nullable(c.AgentID),
		GatewayID: nullable(c.GatewayID),
		RuleID:    nullable(c.RuleID),
		To:        c.To,
		From:      c.From,
		Status:    status,
		Timestamp: timestamp(time.Now()),
		Start:     timestamp(c.start()),
		End:       c.end(),
		Metadata:  c.Metadata,
		MetaData:  c.Metadata,
	}})
}
