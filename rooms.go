package videosdk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// RoomsService manages meeting rooms, as far as calls need them.
type RoomsService struct{ client *Client }

// The paths of rooms.
const (
	roomsPath          = "/v2/rooms"
	roomPath           = roomsPath + "/{roomId}"
	roomValidatePath   = roomsPath + "/validate/{roomId}"
	roomDeactivatePath = roomsPath + "/deactivate"
)

// Room is a meeting room.
type Room struct {
	// ID identifies the room, such as abcd-efgh-ijkl.
	ID string `json:"roomId"`
	// CustomRoomID is the name that the room was created with, if any.
	CustomRoomID string `json:"customRoomId"`
	// Raw is the room as it came, with what this library does not know.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (r Room) Format(f fmt.State, _ rune) { redact.Format(f, r) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (r Room) LogValue() slog.Value { return redact.LogValue(r) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts every spelling that the
// API is known to use.
func (r *Room) UnmarshalJSON(data []byte) error { return unmarshal[roomWire, Room](data, r) }

type roomFields Room

type roomWire struct {
	roomFields
	MeetingID     string `json:"meetingId"`
	UserMeetingID string `json:"userMeetingId"`
}

func (w *roomWire) resource(raw json.RawMessage) (*Room, string) {
	r := (*Room)(&w.roomFields)
	r.ID = cmp.Or(r.ID, w.MeetingID)
	r.CustomRoomID = cmp.Or(r.CustomRoomID, w.UserMeetingID)
	r.Raw = raw
	return r, r.ID
}

// RoomCreateParams describe a room. The zero value is a room with a name of the
// server's choice.
type RoomCreateParams struct {
	// CustomRoomID is a name of your own. Creating a room again with the same
	// name returns the room that is there, so unknown outcomes are retried. That may
	// be one that was deactivated, which nobody can join: use a name once, or ask
	// Validate.
	CustomRoomID string `json:"customRoomId,omitempty"`
	// GeoFence is the region that the room is kept in.
	GeoFence string `json:"geoFence,omitempty"`
}

// Create makes a room. Without CustomRoomID an unknown outcome is not repeated,
// because that could make two: the error then matches [ErrMaybeApplied].
//
// https://docs.videosdk.live/api-reference/realtime-communication/create-room
func (s *RoomsService) Create(ctx context.Context, params RoomCreateParams, opts ...RequestOption) (*Room, error) {
	class := retry.Create
	if params.CustomRoomID != "" {
		class = retry.Repeatable
	}
	r := s.client.request(operation{name: "Rooms.Create", class: class, method: http.MethodPost, path: roomsPath}, opts)
	r.body = params
	return one[roomWire, Room](ctx, s.client, r)
}

// Get returns a room, by its ID or its CustomRoomID. One that does not exist is
// [ErrNotFound] or, as the API has it for rooms, [ErrPaymentRequired].
//
// https://docs.videosdk.live/api-reference/realtime-communication/fetch-room-details
func (s *RoomsService) Get(ctx context.Context, roomID string, opts ...RequestOption) (*Room, error) {
	r := s.client.request(operation{
		name: "Rooms.Get", class: retry.Read, method: http.MethodGet, path: roomPath,
	}, opts, roomID)
	return one[roomWire, Room](ctx, s.client, r)
}

// RoomValidation tells whether a room can be joined.
type RoomValidation struct {
	Valid bool `json:"valid"`
	// Room is nil if it is not valid.
	Room *Room `json:"room,omitempty"`
	// Reason says why it is not valid: the server's text, if it sent one.
	Reason string `json:"reason,omitempty"`
}

// Validate tells whether a room, by its ID or its CustomRoomID, exists and can be
// joined. That it cannot is an answer, not an error.
//
// https://docs.videosdk.live/api-reference/realtime-communication/validate-room
func (s *RoomsService) Validate(ctx context.Context, roomID string, opts ...RequestOption) (*RoomValidation, error) {
	r := s.client.request(operation{
		name: "Rooms.Validate", class: retry.Read, method: http.MethodGet, path: roomValidatePath,
	}, opts, roomID)
	validation, err := one[validationWire, RoomValidation](ctx, s.client, r)
	var refused *APIError
	switch {
	case err == nil:
		return validation, nil
	case errors.As(err, &refused) && saysInvalid(refused.StatusCode):
		return &RoomValidation{Reason: refused.Message}, nil
	default:
		return nil, err
	}
}

// validationWire is a room as the API shows it when asked whether it is valid: perhaps
// one that nobody can join.
type validationWire struct {
	roomWire
	Disabled bool `json:"disabled"`
}

func (w *validationWire) resource(raw json.RawMessage) (*RoomValidation, string) {
	room, id := w.roomWire.resource(raw)
	if w.Disabled {
		return &RoomValidation{Reason: "the room is deactivated"}, id
	}
	return &RoomValidation{Valid: true, Room: room}, id
}

// saysInvalid reports whether a status is how the API calls a room invalid.
func saysInvalid(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusPaymentRequired || status == http.StatusNotFound
}

// Deactivate closes a room for good, by its ID: the API does not take a CustomRoomID
// here. What becomes of the calls in it, and of those that still ring, it does not
// document: see [CallsService.End]. An unknown outcome is not repeated: the error then
// matches [ErrMaybeApplied]. If the server's answer does not hold the room, the one
// returned has its ID and Raw only.
//
// https://docs.videosdk.live/api-reference/realtime-communication/deactivate-room
func (s *RoomsService) Deactivate(ctx context.Context, roomID string, opts ...RequestOption) (*Room, error) {
	r := s.client.request(operation{
		name: "Rooms.Deactivate", class: retry.Create, method: http.MethodPost, path: roomDeactivatePath,
	}, opts)
	r.faults.require("roomId", roomID)
	r.body = struct {
		RoomID string `json:"roomId"`
	}{roomID}
	return changed[roomWire](ctx, s.client, r, func(raw json.RawMessage) *Room {
		return &Room{ID: roomID, Raw: raw}
	})
}
