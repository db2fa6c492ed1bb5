package videosdk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// CallsService places, follows and ends calls.
type CallsService struct{ client *Client }

// The paths of calls.
const (
	callsPath          = "/v2/sip/call"
	callPath           = callsPath + "/{callId}"
	callEndPath        = callsPath + "/end"
	callTransferPath   = callsPath + "/transfer"
	callSwitchRoomPath = callsPath + "/switch-room"
	outboundCallPath   = "/v2/sip/outbound-call"
)

// defaultRinging is how long a call is expected to ring at most when the caller
// does not say: the API does not document its own limit.
const defaultRinging = 2 * time.Minute

// CallStatus is where a call is in its life. It is lower case, whatever case
// the server uses.
type CallStatus string

// The statuses of the API.
const (
	CallInitiated           CallStatus = "initiated"
	CallRinging             CallStatus = "ringing"
	CallIncoming            CallStatus = "incoming"
	CallVerified            CallStatus = "verified"
	CallAnswered            CallStatus = "answered"
	CallEnded               CallStatus = "ended"
	CallMissed              CallStatus = "missed"
	CallNotAnswered         CallStatus = "not-answered"
	CallFailed              CallStatus = "failed"
	CallRejected            CallStatus = "rejected"
	CallAbandoned           CallStatus = "abandoned"
	CallTransferInitiated   CallStatus = "transfer-initiated"
	CallTransferAccepted    CallStatus = "transfer-accepted"
	CallTransferring        CallStatus = "transferring"
	CallTransferRinging     CallStatus = "transfer-ringing"
	CallTransferred         CallStatus = "transferred"
	CallTransferFailed      CallStatus = "transfer-failed"
	CallSwitchRoomInitiated CallStatus = "switch-room-initiated"
	CallSwitchRoomCompleted CallStatus = "switch-room-completed"
	CallSwitchRoomFailed    CallStatus = "switch-room-failed"
)

// IsTerminal reports whether nothing follows the status: the call is over.
func (s CallStatus) IsTerminal() bool {
	switch s {
	case CallEnded, CallMissed, CallNotAnswered, CallFailed, CallRejected, CallAbandoned:
		return true
	default:
		return false
	}
}

// wasAnswered reports whether a call with this status has been picked up. An
// ended call may have been or not: its timeline tells.
func (s CallStatus) wasAnswered() bool {
	return s == CallAnswered || strings.HasPrefix(string(s), "transfer") || strings.HasPrefix(string(s), "switch-room-")
}

// normal returns the status as the constants spell it. Some answers say
// COMPLETED for ended.
func (s CallStatus) normal() CallStatus {
	lower := CallStatus(strings.ToLower(string(s)))
	if lower == "completed" {
		return CallEnded
	}
	return lower
}

// Call is a call.
type Call struct {
	ID string `json:"id"`
	// Type is the direction of the call.
	Type   Direction  `json:"type"`
	Status CallStatus `json:"status"`
	// To and From are phone numbers in E.164, or SIP URIs.
	To        string `json:"to"`
	From      string `json:"from"`
	RoomID    string `json:"roomId"`
	SessionID string `json:"sessionId"`
	GatewayID string `json:"gatewayId"`
	// GatewayName and RuleName are told in lists only.
	GatewayName string    `json:"gatewayName"`
	RuleID      string    `json:"ruleId"`
	RuleName    string    `json:"ruleName"`
	Transport   Transport `json:"transport"`
	Provider    string    `json:"provider"`
	Region      Region    `json:"region"`
	// Metadata is what the call was created with. Its numbers are float64, which
	// holds no id of 64 bits exactly: Raw does.
	Metadata map[string]any `json:"metadata" redact:"private"`
	// Timelog is each status that the call has had, in order.
	Timelog []CallEvent `json:"timelog"`
	// Start and End are when the call began and ended. End is nil while it is
	// up, and each where the server does not tell it.
	Start *time.Time `json:"start"`
	End   *time.Time `json:"end"`
	// Raw is the call as it came, with what this library does not know, such as
	// transfer and additionalDetails, whose form the API does not document.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// CallEvent is a status of a call and when it was reached.
type CallEvent struct {
	Status    CallStatus `json:"status"`
	Timestamp time.Time  `json:"timestamp"`
}

// IsOver reports whether the call has ended, answered or not.
func (c *Call) IsOver() bool { return c.Status.IsTerminal() || c.End != nil }

// WasAnswered reports whether Status or Timelog say that the callee has picked up,
// also if the call has ended since. False is no proof if the call is [CallEnded]:
// the event of a hangup need not have a Timelog, and the API documents a call of minutes
// whose Timelog leaves the answer out. So ask [CallsService.Get] before you call
// somebody again, and do so only after a status that says that nobody was reached:
// missed, not-answered, rejected, failed or abandoned.
func (c *Call) WasAnswered() bool {
	if c.Status.wasAnswered() {
		return true
	}
	for _, event := range c.Timelog {
		if event.Status.wasAnswered() {
			return true
		}
	}
	return false
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (c Call) Format(f fmt.State, _ rune) { redact.Format(f, c) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (c Call) LogValue() slog.Value { return redact.LogValue(c) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts every spelling that the
// API is known to use.
func (c *Call) UnmarshalJSON(data []byte) error { return unmarshal[callWire, Call](data, c) }

type callFields Call

type callWire struct {
	callFields
	CallID   string         `json:"callId"`
	SIPTo    string         `json:"sipCallTo"`
	SIPFrom  string         `json:"sipCallFrom"`
	MetaData map[string]any `json:"metaData"`
}

func (w *callWire) resource(raw json.RawMessage) (*Call, string) {
	c := (*Call)(&w.callFields)
	c.ID = cmp.Or(c.ID, w.CallID)
	c.To = cmp.Or(c.To, w.SIPTo)
	c.From = cmp.Or(c.From, w.SIPFrom)
	if w.MetaData != nil { // beside other metadata, too, it may hold the tracking id
		maps.Copy(w.MetaData, c.Metadata)
		c.Metadata = w.MetaData
	}
	c.Type = Direction(strings.ToLower(string(c.Type)))
	c.Status = c.Status.normal()
	for i := range c.Timelog {
		c.Timelog[i].Status = c.Timelog[i].Status.normal()
	}
	c.Start, c.End = realTime(c.Start), realTime(c.End)
	c.Raw = raw
	return c, c.ID
}

// realTime returns nil for a time that the API left empty, or that is none.
func realTime(t *time.Time) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	return t
}

// Participant is how a callee appears in the room.
type Participant struct {
	ID       string         `json:"id,omitempty"`
	Name     string         `json:"name,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p Participant) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p Participant) LogValue() slog.Value { return redact.LogValue(p) }

// CallCreateParams say whom to call, and how.
type CallCreateParams struct {
	// To is whom to call: a number in E.164 or a SIP URI. Required.
	To string `json:"sipCallTo"`
	// From is the caller id, in E.164. With RoutingRuleID it is required and
	// must be one of the rule's numbers; with GatewayID it must be one of the
	// gateway's, the first of which is the default.
	From string `json:"sipCallFrom,omitempty"`
	// RoutingRuleID is an outbound rule. It, or GatewayID, is required.
	RoutingRuleID string `json:"routingRuleId,omitempty"`
	// GatewayID is an outbound gateway, for accounts without rules that are
	// bound to phone numbers.
	GatewayID string `json:"gatewayId,omitempty"`
	// DestinationRoomID is the room that the callee joins; empty leaves it to
	// the rule.
	DestinationRoomID string `json:"destinationRoomId,omitempty"`
	// Participant is how the callee appears in the room.
	Participant *Participant `json:"participant,omitempty"`
	// Metadata comes back with the call and with its webhooks.
	Metadata map[string]any `json:"metadata,omitempty" redact:"private"`
	// TrackingID is a name of your own for the call. It travels in the
	// metadata, under TrackingKey, so that FindByTrackingID can tell afterwards
	// whether the call was placed.
	TrackingID string `json:"-"`
	// AgentMetadata is handed to the AI agent.
	AgentMetadata map[string]any `json:"agentMetadata,omitempty" redact:"private"`
	// WaitUntilAnswered makes the server answer only when the callee has
	// picked up. The attempt timeout is extended by RingingTimeout, or by two
	// minutes if that is not set. The API does not document its answer for a
	// callee who does not pick up: see [Call.WasAnswered] also where there is
	// no error. Create and then WaitAnswered does the same, tells that by
	// ErrNotAnswered, and loses less when a connection breaks.
	WaitUntilAnswered bool `json:"waitUntilAnswered,omitempty"`
	// RingingTimeout is how long it may ring, in whole seconds; 0 leaves it to
	// the server.
	RingingTimeout time.Duration `json:"-"`
	// MaxCallDuration ends the call after so many whole seconds; 0 leaves it
	// to the server.
	MaxCallDuration time.Duration `json:"-"`
	// RecordAudio, DTMF, MediaEncryption, HidePhoneNumber, Headers and
	// IncludeHeaders are for calls with GatewayID. With RoutingRuleID the
	// server takes them from the rule and ignores them here. Older pages of the API
	// have digits to send in place of DTMF, and a list of headers in place of
	// IncludeHeaders: [Client.Do] sends those, and does not dial twice either.
	RecordAudio     *bool             `json:"recordAudio,omitempty"`
	DTMF            *bool             `json:"dtmf,omitempty"`
	MediaEncryption MediaEncryption   `json:"mediaEncryption,omitempty"`
	HidePhoneNumber *bool             `json:"hidePhoneNumber,omitempty"`
	Headers         map[string]string `json:"headers,omitempty"`
	IncludeHeaders  IncludeHeaders    `json:"includeHeaders,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p CallCreateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p CallCreateParams) LogValue() slog.Value { return redact.LogValue(p) }

func (p *CallCreateParams) check(f *faults) {
	f.callee("sipCallTo", p.To)
	f.check(!isEmpty(p.RoutingRuleID) || !isEmpty(p.GatewayID), "routingRuleId", "is required (or gatewayId, for a call without a rule)")
	f.check(p.RoutingRuleID == "" || p.From != "", "sipCallFrom", "is required with routingRuleId: one of the rule's numbers")
	if p.From != "" {
		f.number("sipCallFrom", p.From)
	}
	if other, taken := p.Metadata[TrackingKey]; taken && p.TrackingID != "" {
		f.check(other == p.TrackingID, "metadata."+TrackingKey, "is where TrackingID travels: use another key")
	}
	f.seconds("ringingTimeout", p.RingingTimeout)
	f.seconds("maxCallDuration", p.MaxCallDuration)
}

// body returns what is sent: the tracking id travels in the metadata.
func (p *CallCreateParams) body() any {
	sent := p.encoded()
	sent.Metadata, sent.TrackingID = p.tracked(), ""
	return sent
}

// callCreateFields are params without their methods.
type callCreateFields CallCreateParams

// encodedCall is the JSON of params, in which durations are in seconds.
type encodedCall struct {
	callCreateFields
	TrackingID      string  `json:"trackingId,omitempty"`
	RingingTimeout  float64 `json:"ringingTimeout,omitempty"`
	MaxCallDuration float64 `json:"maxCallDuration,omitempty"`
}

func (p *CallCreateParams) encoded() encodedCall {
	return encodedCall{callCreateFields(*p), p.TrackingID, p.RingingTimeout.Seconds(), p.MaxCallDuration.Seconds()}
}

// MarshalJSON implements [json.Marshaler], so that params can be stored, in the queue
// of a job say. Durations are in seconds. Keep params in a field with a name: a
// struct that embeds them is written as the params alone.
func (p CallCreateParams) MarshalJSON() ([]byte, error) {
	return json.Marshal(p.encoded())
}

// UnmarshalJSON implements [json.Unmarshaler]: it reads what MarshalJSON has written.
// Numbers in metadata become a [json.Number] each, so that none is sent as another.
func (p *CallCreateParams) UnmarshalJSON(data []byte) error {
	stored := p.encoded()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&stored); err != nil {
		return err
	}
	*p = CallCreateParams(stored.callCreateFields)
	p.TrackingID = stored.TrackingID
	p.RingingTimeout, p.MaxCallDuration = seconds(stored.RingingTimeout), seconds(stored.MaxCallDuration)
	return nil
}

// seconds makes of what no Duration holds the longest one, which is not of whole seconds
// and so never sent. What Go itself makes of it depends on the processor: on some, nothing.
func seconds(n float64) time.Duration {
	d := math.Round(n * float64(time.Second))
	if math.Abs(d) >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(d)
}

// Create places a real call: a phone rings, and costs may arise.
//
// The API has no idempotency key: a request that is sent twice dials twice. So
// Create repeats only what certainly did not reach the server, and no option
// changes that. If the outcome is unknown (a lost connection, a timeout, a
// status of 500 and above), the error matches [ErrMaybeApplied]: the phone may
// be ringing, so look before dialling again.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/calls/call-trigger
func (s *CallsService) Create(ctx context.Context, params CallCreateParams, opts ...RequestOption) (*Call, error) {
	r := s.client.request(operation{
		name: "Calls.Create", class: retry.Dial, method: http.MethodPost, path: callsPath,
	}, opts)
	params.check(&r.faults)
	if params.WaitUntilAnswered {
		r.ringing = cmp.Or(params.RingingTimeout, defaultRinging)
	}
	r.body = params.body()
	return one[callWire, Call](ctx, s.client, r)
}

// Get returns a call. If it does not exist, the error matches [ErrNotFound].
//
// https://docs.videosdk.live/server-sdk-reference-node/classes/SipCallsResource
func (s *CallsService) Get(ctx context.Context, callID string, opts ...RequestOption) (*Call, error) {
	r := s.client.request(operation{
		name: "Calls.Get", class: retry.Read, method: http.MethodGet, path: callPath,
	}, opts, callID)
	return one[callWire, Call](ctx, s.client, r)
}

// CallListParams choose calls. The zero value is the first page of all.
type CallListParams struct {
	// Page is the number of the page, from 1. All begins with it.
	Page int
	// PerPage is how many calls a page holds: 10 by default. All asks for 100
	// by default.
	PerPage   int
	RoomID    string
	SessionID string
	CallID    string
	GatewayID string
	RuleID    string
	// Type limits the list to one direction.
	Type Direction
	// Search is looked for in To, From and RoomID.
	Search string
	// StartDate and EndDate limit the list to calls between them. The whole
	// day of EndDate is included, whatever its time; in which time zone, the API
	// does not document. For a day of yours let EndDate be the end of it, and leave
	// out the calls whose Start is not before that.
	StartDate, EndDate time.Time
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p CallListParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p CallListParams) LogValue() slog.Value { return redact.LogValue(p) }

// List returns one page of the account's calls.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/calls/fetch-all-calls
func (s *CallsService) List(ctx context.Context, params CallListParams, opts ...RequestOption) (*Page[Call], error) {
	r := s.client.request(operation{
		name: "Calls.List", class: retry.Read, method: http.MethodGet, path: callsPath,
	}, opts)
	r.setPage(params.Page, params.PerPage)
	r.set("roomId", params.RoomID)
	r.set("sessionId", params.SessionID)
	r.set("id", params.CallID)
	r.set("gatewayId", params.GatewayID)
	r.set("ruleId", params.RuleID)
	r.set("type", string(params.Type))
	r.set("search", params.Search)
	// The day of EndDate ends at most 24 hours later, in whatever zone the server is.
	r.faults.check(params.EndDate.IsZero() || params.EndDate.Add(24*time.Hour).After(params.StartDate), "endDate",
		"must not be a day or more before startDate")
	r.setTime("startDate", params.StartDate)
	r.setTime("endDate", params.EndDate)
	return list[callWire, Call](ctx, s.client, r)
}

// setTime adds a query parameter in milliseconds since 1970.
func (r *request) setTime(name string, t time.Time) {
	if !t.IsZero() {
		r.set(name, strconv.FormatInt(t.UnixMilli(), 10))
	}
}

// All returns an iterator over the calls of every page. It fetches up to four pages
// ahead of the one being read; see [WithPagesAhead]. An error ends the iteration.
// What moves to an earlier page meanwhile, because others are deleted, is missed:
// read all before deleting any.
func (s *CallsService) All(ctx context.Context, params CallListParams, opts ...RequestOption) iter.Seq2[*Call, error] {
	return all(ctx, s.client, opts, params.Page, params.PerPage, s.pages(params, opts))
}

func (s *CallsService) pages(params CallListParams, opts []RequestOption) getPage[Call] {
	return func(ctx context.Context, page, perPage int) (*Page[Call], error) {
		asked := params
		asked.Page, asked.PerPage = page, perPage
		return s.List(ctx, asked, opts...)
	}
}

// mostEmpty is how many pages of nothing a search passes over: a hundred thousand calls
// of others. A server that tells of more makes no sense.
const mostEmpty = 1000

// inTurn is All for a search that must miss nothing: it reads one page after the
// other, because what moves to a later one meanwhile is on that. Pages of nothing it
// passes over: a server may leave out what was not asked for after it has counted the
// pages. If it tells of several, and what it shows last is nothing new, or nothing but
// null, that is an error: calls may be missing.
func (s *CallsService) inTurn(ctx context.Context, params CallListParams, opts []RequestOption) iter.Seq2[*Call, error] {
	get := s.pages(params, opts)
	return func(yield func(*Call, error) bool) {
		given := make(map[string]bool) // by id
		for n, fresh, stale, empty := 1, 0, 0, 0; ; n++ {
			p, err := get(ctx, n, largestPage)
			if err != nil {
				yield(nil, err)
				return
			}
			news, more := p.give(given, yield)
			switch {
			case !more:
				return
			case news:
				fresh, stale = fresh+1, 0
			case p.listed > 0:
				stale++
			default:
				empty++
			}
			if !p.isLast(n) && stale <= fresh && empty <= mostEmpty {
				continue
			}
			if p.LastPage > 1 && (stale > 0 || empty > mostEmpty) {
				yield(nil, fmt.Errorf("videosdk: the list of calls ends with nothing new: %w", ErrInvalidResponse))
			}
			return
		}
	}
}

// End hangs up. Ending a call that is over does no harm, so unknown outcomes
// are retried; after an error that matches [ErrMaybeApplied] end it again. If the
// server's answer does not hold the call, the one returned has its ID and Raw only.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/calls/call-end
func (s *CallsService) End(ctx context.Context, callID string, opts ...RequestOption) (*Call, error) {
	r := s.client.request(operation{
		name: "Calls.End", class: retry.Repeatable, method: http.MethodPost, path: callEndPath,
	}, opts)
	r.faults.require("callId", callID)
	r.body = struct {
		CallID string `json:"callId"`
	}{callID}
	return s.changedCall(ctx, r, callID)
}
