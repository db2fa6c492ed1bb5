package videosdk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// TrunksService manages SIP trunks and dials through them: the oldest
// generation of the API. New programs use [PhoneNumbersService] and
// [CallsService].
type TrunksService struct{ client *Client }

// The paths of trunks.
const (
	trunksPath = "/v2/sip-trunk"
	trunkPath  = trunksPath + "/{trunkId}"
)

// Trunk is a SIP trunk.
type Trunk struct {
	ID   string `json:"trunkId"`
	Name string `json:"name"`
	// Domain is the provider's SIP host.
	Domain    string    `json:"domain"`
	Direction Direction `json:"direction"`
	// Numbers are those that the trunk carries, in E.164.
	Numbers []string `json:"numbers"`
	// Auth is nil if the trunk has none.
	Auth *SIPAuth `json:"auth,omitempty"`
	// Raw is the trunk as it came, with what this library does not know.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (t Trunk) Format(f fmt.State, _ rune) { redact.Format(f, t) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (t Trunk) LogValue() slog.Value { return redact.LogValue(t) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts every spelling that the
// API is known to use.
func (t *Trunk) UnmarshalJSON(data []byte) error { return unmarshal[trunkWire, Trunk](data, t) }

type trunkFields Trunk

type trunkWire struct {
	trunkFields
	PlainID string `json:"id"`
}

func (w *trunkWire) resource(raw json.RawMessage) (*Trunk, string) {
	t := (*Trunk)(&w.trunkFields)
	t.ID = cmp.Or(t.ID, w.PlainID)
	t.Direction = Direction(strings.ToLower(string(t.Direction)))
	if t.Auth != nil && *t.Auth == (SIPAuth{}) {
		t.Auth = nil
	}
	t.Raw = raw
	return t, t.ID
}

// TrunkParams describe a trunk to create, or what one is to become.
type TrunkParams struct {
	// Name has at least 3 characters. Required.
	Name string `json:"name"`
	// Domain is the provider's SIP host. Required.
	Domain string `json:"domain"`
	// Direction is required.
	Direction Direction `json:"direction"`
	// Numbers are those that the trunk carries, in E.164. At least one is
	// required.
	Numbers []string `json:"numbers"`
	// Auth holds the credentials for the provider; nil if it authenticates by IP
	// address.
	Auth *SIPAuth `json:"auth,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p TrunkParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p TrunkParams) LogValue() slog.Value { return redact.LogValue(p) }

func (p *TrunkParams) check(f *faults) {
	f.check(utf8.RuneCountInString(strings.TrimSpace(p.Name)) >= 3, "name", "must have at least 3 characters")
	f.require("domain", p.Domain)
	f.require("direction", string(p.Direction))
	f.numbers("numbers", p.Numbers)
	f.auth("auth", p.Auth)
}

// Create makes a trunk. An unknown outcome is not repeated, because that could
// make two: the error then matches [ErrMaybeApplied].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/sip-trunk-configuration
func (s *TrunksService) Create(ctx context.Context, params TrunkParams, opts ...RequestOption) (*Trunk, error) {
	r := s.client.request(operation{
		name: "Trunks.Create", class: retry.Create, method: http.MethodPost, path: trunksPath,
	}, opts)
	params.check(&r.faults)
	r.body = params
	return one[trunkWire, Trunk](ctx, s.client, r)
}

// Update replaces a trunk: every field is sent, as in Create. An Auth that is nil is
// not: the API does not document whether the trunk keeps its own then. An unknown
// outcome is not repeated; see [WithRetryUnknown]. If the server's answer does not
// hold the trunk, the one returned has its ID and Raw only.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/update-sip-trunk
func (s *TrunksService) Update(ctx context.Context, trunkID string, params TrunkParams, opts ...RequestOption) (*Trunk, error) {
	r := s.client.request(operation{
		name: "Trunks.Update", class: retry.Replace, method: http.MethodPut, path: trunkPath,
	}, opts, trunkID)
	params.check(&r.faults)
	r.body = params
	return changed[trunkWire](ctx, s.client, r, func(raw json.RawMessage) *Trunk {
		return &Trunk{ID: trunkID, Raw: raw}
	})
}

// TrunkCallParams say whom to call through a trunk.
type TrunkCallParams struct {
	// To is whom to call: a number in E.164 or a SIP URI. Required.
	To string `json:"to"`
	// From is one of the trunk's numbers; the first by default.
	From string `json:"from,omitempty"`
	// DisplayName is how the callee appears in the room. Required.
	DisplayName string `json:"displayName"`
	// RoomID is the room (the "meeting") that the callee joins. Required.
	RoomID string `json:"meetingId"`
	// TrunkID is required.
	TrunkID string `json:"trunkId"`
	// ParticipantID is the callee's in the room; the server makes one by
	// default.
	ParticipantID string `json:"participantId,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p TrunkCallParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p TrunkCallParams) LogValue() slog.Value { return redact.LogValue(p) }

// TrunkCall is a call that was placed through a trunk.
type TrunkCall struct {
	// ParticipantID is the callee's in the room.
	ParticipantID string `json:"participantId"`
	// Message is the server's own text.
	Message string `json:"message"`
	// Raw is the answer as it came, with what this library does not know.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (c TrunkCall) Format(f fmt.State, _ rune) { redact.Format(f, c) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (c TrunkCall) LogValue() slog.Value { return redact.LogValue(c) }

type trunkCallWire TrunkCall

func (w *trunkCallWire) resource(raw json.RawMessage) (*TrunkCall, string) {
	c := (*TrunkCall)(w)
	c.Raw = raw
	return c, c.ParticipantID
}

// Call places a real call through a trunk: a phone rings, and costs may arise.
// Like [CallsService.Create] it is never repeated after an unknown outcome; the
// error then matches [ErrMaybeApplied].
//
// The answer names no call. To look for it, to follow it or to hang up, find it by
// its room: see [CallsService.FindActive]. Whether the API lists the calls of trunks
// is not documented; the emulator does.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/out-bound-call
func (s *TrunksService) Call(ctx context.Context, params TrunkCallParams, opts ...RequestOption) (*TrunkCall, error) {
	r := s.client.request(operation{
		name: "Trunks.Call", class: retry.Dial, method: http.MethodPost, path: outboundCallPath,
	}, opts)
	r.faults.callee("to", params.To)
	if params.From != "" {
		r.faults.number("from", params.From)
	}
	r.faults.require("displayName", params.DisplayName)
	r.faults.require("meetingId", params.RoomID)
	r.faults.require("trunkId", params.TrunkID)
	r.body = params
	return one[trunkCallWire, TrunkCall](ctx, s.client, r)
}
