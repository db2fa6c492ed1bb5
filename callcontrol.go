package videosdk

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// CallTransferParams say whom a call is transferred to.
type CallTransferParams struct {
	// To is a number in E.164 or a SIP URI. Required.
	To string `json:"transferTo"`
	// Participant is how the new callee appears in the room.
	Participant *Participant `json:"participant,omitempty"`
	// PlayDialtone says whether the caller hears it ring; nil leaves it to
	// the server.
	PlayDialtone *bool `json:"playDialtone,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p CallTransferParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p CallTransferParams) LogValue() slog.Value { return redact.LogValue(p) }

// Transfer hands an answered call over to somebody else (SIP REFER), whose
// phone rings. Like [CallsService.Create] it is never repeated after an unknown
// outcome; the error then matches [ErrMaybeApplied]. The call's status tells how
// it goes on: [CallTransferred] or [CallTransferFailed]. If the server's answer
// does not hold the call, the one returned has its ID and Raw only.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/calls/call-transfer
func (s *CallsService) Transfer(ctx context.Context, callID string, params CallTransferParams, opts ...RequestOption) (*Call, error) {
	r := s.client.request(operation{
		name: "Calls.Transfer", class: retry.Dial, method: http.MethodPost, path: callTransferPath,
	}, opts)
	r.faults.require("callId", callID)
	r.faults.callee("transferTo", params.To)
	r.body = struct {
		CallID string `json:"callId"`
		CallTransferParams
	}{callID, params}
	return s.changedCall(ctx, r, callID)
}

// CallSwitchRoomParams say which room a call moves to.
type CallSwitchRoomParams struct {
	// RoomID is an active room. Required.
	RoomID string `json:"roomId"`
	// Token is a participant token for that room; see
	// [Client.ParticipantToken]. Empty leaves it to the server.
	Token string `json:"token,omitempty" redact:"secret"`
	// ParticipantID is the callee's in that room.
	ParticipantID string `json:"participantId,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p CallSwitchRoomParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p CallSwitchRoomParams) LogValue() slog.Value { return redact.LogValue(p) }

// SwitchRoom moves an active call to another active room. Like
// [CallsService.Create] it is never repeated after an unknown outcome, because
// the person may have moved on since; the error then matches
// [ErrMaybeApplied]. How it goes on is in [Call.Timelog]: CallSwitchRoomCompleted,
// after which RoomID is the new room, or CallSwitchRoomFailed. The call's status may
// stay CallAnswered. If the server's answer does not hold the call, the one returned
// has its ID and Raw only.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/calls/call-switch-room
func (s *CallsService) SwitchRoom(ctx context.Context, callID string, params CallSwitchRoomParams, opts ...RequestOption) (*Call, error) {
	r := s.client.request(operation{
		name: "Calls.SwitchRoom", class: retry.Dial, method: http.MethodPost, path: callSwitchRoomPath,
	}, opts)
	r.faults.require("callId", callID)
	r.faults.require("roomId", params.RoomID)
	r.body = struct {
		CallID string `json:"callId"`
		CallSwitchRoomParams
	}{callID, params}
	return s.changedCall(ctx, r, callID)
}

// changedCall sends a request whose answer may hold the call.
func (s *CallsService) changedCall(ctx context.Context, r *request, callID string) (*Call, error) {
	return changed[callWire](ctx, s.client, r, func(raw json.RawMessage) *Call {
		return &Call{ID: callID, Raw: raw}
	})
}

// FindActive returns the call of a session in a room that is not over, as an
// AI agent needs it that knows only where it is. An empty sessionID takes the
// first active call of the room. If there is none, the error matches
// [ErrCallNotFound]; a list may lag behind, so a call that was placed a moment ago
// may not be found yet, and its phone rings all the same.
func (s *CallsService) FindActive(ctx context.Context, roomID, sessionID string, opts ...RequestOption) (*Call, error) {
	var f faults
	f.require("roomId", roomID)
	if err := f.err("Calls.FindActive"); err != nil {
		return nil, err
	}
	for call, err := range s.inTurn(ctx, CallListParams{RoomID: roomID}, opts) {
		if err != nil {
			return nil, err
		}
		if !call.IsOver() && (sessionID == "" || call.SessionID == sessionID) {
			return call, nil
		}
	}
	return nil, fmt.Errorf("videosdk: Calls.FindActive: %w of that session that is active in room %q", ErrCallNotFound, roomID)
}

// Watch yields a call now, and again each time that its status has changed,
// until it is over. What happened between two looks is in [Call.Timelog]. It
// asks as [CallsService.Wait] does. An error ends the iteration.
func (s *CallsService) Watch(ctx context.Context, callID string, opts ...RequestOption) iter.Seq2[*Call, error] {
	return func(yield func(*Call, error) bool) {
		var shown *Call
		stopped := false
		last, err := s.Wait(ctx, callID, func(call *Call) bool {
			if shown == nil || call.Status != shown.Status {
				shown = call
				stopped = !yield(call, nil)
			}
			return stopped
		}, opts...)
		switch {
		case stopped:
		case err != nil:
			yield(nil, err)
		default:
			yield(last, nil) // a call that is over is not shown to the function
		}
	}
}
