package videosdk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/videosdk-sip-go/videosdk/internal/lenient"
	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// RoutingRulesService says what happens with the calls of phone numbers:
// which room they join, and which AI agent joins with them. These are the rules
// of the current generation, which are bound to phone numbers.
type RoutingRulesService struct{ client *Client }

// The paths of routing rules that are bound to phone numbers.
const (
	routingRulesPath = "/v2/sip/routing-rule"
	routingRulePath  = routingRulesPath + "/{ruleId}"
)

// RoutingRule is a rule for the calls of phone numbers. The server may fill in what
// was left out, such as the prefix of a room: to tell whether a rule is as it should be,
// compare only the fields that you set.
type RoutingRule struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Type is the direction of the calls that the rule is for.
	Type Direction `json:"type"`
	// PhoneNumbers are the numbers that the rule is for, in E.164.
	PhoneNumbers []string     `json:"numbers"`
	Room         *RoutingRoom `json:"room,omitempty"`
	// AgentID is the AI agent that joins the room; empty for none.
	AgentID string `json:"agentId"`
	// AgentMetadata has numbers that are float64, as [Call.Metadata] has: sent back
	// in an update, an id of 64 bits becomes another.
	AgentMetadata map[string]any `json:"agentMetadata" redact:"private"`
	// IncludeHeaders says which SIP headers are passed on.
	IncludeHeaders IncludeHeaders `json:"includeHeaders"`
	// Headers are added to outbound calls.
	Headers map[string]string `json:"headers"`
	// HeadersToAttributes maps SIP headers of inbound calls to attributes of
	// the participant.
	HeadersToAttributes map[string]string `json:"headersToAttributes"`
	// AllowedNumbers are those that may call; empty allows all.
	AllowedNumbers []string `json:"allowedNumbers"`
	// AllowedIPAddresses are those that calls may come from; empty allows
	// all.
	AllowedIPAddresses []string `json:"allowedIpAddresses"`
	Tags               []string `json:"tags"`
	Recording          bool     `json:"recording"`
	DTMF               bool     `json:"dtmf"`
	NoiseCancellation  bool     `json:"noiseCancellation"`
	// HidePhoneNumber says whether the number is hidden from the others in
	// the room.
	HidePhoneNumber bool `json:"hidePhoneNumber"`
	// APIKey is the key of the project that the calls belong to.
	APIKey    string    `json:"apiKey" redact:"secret"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	// Raw is the rule as it came, with what this library does not know.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (r RoutingRule) Format(f fmt.State, _ rune) { redact.Format(f, r) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (r RoutingRule) LogValue() slog.Value { return redact.LogValue(r) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts every spelling that the
// API is known to use.
func (r *RoutingRule) UnmarshalJSON(data []byte) error {
	return unmarshal[routingRuleFields, RoutingRule](data, r)
}

// routingRuleFields is a rule without its methods, as it travels.
type routingRuleFields RoutingRule

func (w *routingRuleFields) resource(raw json.RawMessage) (*RoutingRule, string) {
	r := (*RoutingRule)(w)
	if r.ID == "" || r.PhoneNumbers == nil {
		var other struct {
			ID           string   `json:"ruleId"`
			PhoneNumbers []string `json:"phoneNumbers"`
		}
		_ = lenient.Unmarshal(raw, &other) // which was decoded before
		r.ID = cmp.Or(r.ID, other.ID)
		if r.PhoneNumbers == nil {
			r.PhoneNumbers = other.PhoneNumbers
		}
	}
	r.Type = Direction(strings.ToLower(string(r.Type)))
	r.Raw = raw
	return r, r.ID
}

// RoutingRuleCreateParams describe a rule to create.
type RoutingRuleCreateParams struct {
	// Name is required.
	Name string `json:"name"`
	// Type is the direction of the calls, fixed for the life of the rule.
	// Required.
	Type Direction `json:"type"`
	// PhoneNumbers are the numbers that the rule is for, in E.164. They must
	// be registered with the account, and not be those of another inbound rule
	// if this one is inbound. At least one is required.
	PhoneNumbers []string `json:"phoneNumbers"`
	// Room is where the calls go.
	Room *RoutingRoom `json:"room,omitempty"`
	// AgentID is the AI agent that joins the room.
	AgentID string `json:"agentId,omitempty"`
	// AgentMetadata is handed to the agent.
	AgentMetadata map[string]any `json:"agentMetadata,omitempty" redact:"private"`
	// IncludeHeaders says which SIP headers are passed on.
	IncludeHeaders IncludeHeaders `json:"includeHeaders,omitempty"`
	// Headers are added to outbound calls. An inbound rule must not have any.
	Headers map[string]string `json:"headers,omitempty"`
	// HeadersToAttributes maps SIP headers of inbound calls to attributes of
	// the participant. An outbound rule must not have any.
	HeadersToAttributes map[string]string `json:"headersToAttributes,omitempty"`
	// AllowedNumbers are those that may call; empty allows all.
	AllowedNumbers []string `json:"allowedNumbers,omitempty"`
	// AllowedIPAddresses are those that calls may come from; empty allows
	// all.
	AllowedIPAddresses []string `json:"allowedIpAddresses,omitempty"`
	Tags               []string `json:"tags,omitempty"`
	// Recording says whether the calls are recorded.
	Recording         bool `json:"recording,omitempty"`
	DTMF              bool `json:"dtmf,omitempty"`
	NoiseCancellation bool `json:"noiseCancellation,omitempty"`
	// HidePhoneNumber hides the number from the others in the room; nil
	// leaves it to the server.
	HidePhoneNumber *bool `json:"hidePhoneNumber,omitempty"`
	// APIKey is the key of the project that the calls belong to; empty for
	// the client's own.
	APIKey string `json:"apiKey,omitempty" redact:"secret"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p RoutingRuleCreateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p RoutingRuleCreateParams) LogValue() slog.Value { return redact.LogValue(p) }

func (p *RoutingRuleCreateParams) check(f *faults) {
	f.require("name", p.Name)
	f.require("type", string(p.Type))
	f.numbers("phoneNumbers", p.PhoneNumbers)
	f.check(p.Type != DirectionInbound || len(p.Headers) == 0, "headers",
		"is for outbound rules: an inbound rule takes headersToAttributes")
	f.check(p.Type != DirectionOutbound || len(p.HeadersToAttributes) == 0, "headersToAttributes",
		"is for inbound rules: an outbound rule takes headers")
}

// Create makes a rule. Numbers that the account does not have, an inbound
// number that another inbound rule has, and an unknown APIKey are refused with
// [ErrBadRequest]. An unknown outcome is not repeated, because that could make
// two rules: the error then matches [ErrMaybeApplied].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/routing-rules/create-routing-rule
func (s *RoutingRulesService) Create(ctx context.Context, params RoutingRuleCreateParams, opts ...RequestOption) (*RoutingRule, error) {
	r := s.client.request(operation{
		name: "RoutingRules.Create", class: retry.Create, method: http.MethodPost, path: routingRulesPath,
	}, opts)
	params.check(&r.faults)
	r.body = params
	return one[routingRuleFields, RoutingRule](ctx, s.client, r)
}

// Get returns a rule. If it does not exist, the error matches [ErrNotFound].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/routing-rules/fetch-routing-rule
func (s *RoutingRulesService) Get(ctx context.Context, ruleID string, opts ...RequestOption) (*RoutingRule, error) {
	r := s.client.request(operation{
		name: "RoutingRules.Get", class: retry.Read, method: http.MethodGet, path: routingRulePath,
	}, opts, ruleID)
	return one[routingRuleFields, RoutingRule](ctx, s.client, r)
}

// RoutingRuleListParams choose rules. The zero value is the first page of all.
type RoutingRuleListParams struct {
	// Page is the number of the page, from 1. All begins with it.
	Page int
	// PerPage is how many rules a page holds: 10 by default. All asks for 100
	// by default.
	PerPage int
	// Search is looked for in names and numbers, in any case. The API documents
	// that it takes this for a regular expression: write a number without its plus.
	Search string
	// Type limits the list to one direction.
	Type Direction
	// RuleIDs limits the list to these rules. Empty, and also if not nil, it is no
	// limit: look before you delete what the list holds.
	RuleIDs []string
	// RoomTypes limits the list to rules with these types of rooms.
	RoomTypes []RoomType
}

// List returns one page of the account's rules.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/routing-rules/fetch-all-routing-rule
func (s *RoutingRulesService) List(ctx context.Context, params RoutingRuleListParams, opts ...RequestOption) (*Page[RoutingRule], error) {
	r := s.client.request(operation{
		name: "RoutingRules.List", class: retry.Read, method: http.MethodGet, path: routingRulesPath,
	}, opts)
	r.setPage(params.Page, params.PerPage)
	r.set("search", params.Search)
	r.set("type", string(params.Type))
	setList(r, "ruleIds", params.RuleIDs)
	setList(r, "roomType", params.RoomTypes)
	return list[routingRuleFields, RoutingRule](ctx, s.client, r)
}

// All returns an iterator over the rules of every page. It fetches up to four pages
// ahead of the one being read; see [WithPagesAhead]. An error ends the iteration.
// What moves to an earlier page meanwhile, because others are deleted, is missed:
// read all before deleting any.
func (s *RoutingRulesService) All(ctx context.Context, params RoutingRuleListParams, opts ...RequestOption) iter.Seq2[*RoutingRule, error] {
	return all(ctx, s.client, opts, params.Page, params.PerPage, func(ctx context.Context, page, perPage int) (*Page[RoutingRule], error) {
		asked := params
		asked.Page, asked.PerPage = page, perPage
		return s.List(ctx, asked, opts...)
	})
}

// RoutingRuleUpdateParams say what to change of a rule. What is nil stays as
// it is; an empty list or map that is not nil empties the rule's, except that a rule
// keeps at least one number.
type RoutingRuleUpdateParams struct {
	Name *string `json:"name,omitzero"`
	// PhoneNumbers replace all the numbers of the rule.
	PhoneNumbers []string `json:"phoneNumbers,omitzero"`
	// Room is sent as a whole: it holds what is to stay, too, such as the PIN.
	Room *RoutingRoom `json:"room,omitzero"`
	// AgentID that is empty is sent, to take the agent off. The API does not
	// document how that is done.
	AgentID             *string           `json:"agentId,omitzero"`
	AgentMetadata       map[string]any    `json:"agentMetadata,omitzero" redact:"private"`
	IncludeHeaders      *IncludeHeaders   `json:"includeHeaders,omitzero"`
	Headers             map[string]string `json:"headers,omitzero"`
	HeadersToAttributes map[string]string `json:"headersToAttributes,omitzero"`
	// AllowedNumbers and AllowedIPAddresses that are empty, and not nil, let
	// everybody call.
	AllowedNumbers     []string `json:"allowedNumbers,omitzero"`
	AllowedIPAddresses []string `json:"allowedIpAddresses,omitzero"`
	Tags               []string `json:"tags,omitzero"`
	Recording          *bool    `json:"recording,omitzero"`
	DTMF               *bool    `json:"dtmf,omitzero"`
	NoiseCancellation  *bool    `json:"noiseCancellation,omitzero"`
	HidePhoneNumber    *bool    `json:"hidePhoneNumber,omitzero"`
	APIKey             *string  `json:"apiKey,omitzero" redact:"secret"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p RoutingRuleUpdateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p RoutingRuleUpdateParams) LogValue() slog.Value { return redact.LogValue(p) }

func (p *RoutingRuleUpdateParams) check(f *faults) {
	f.anyField(p)
	f.notBlank("name", p.Name)
	if p.PhoneNumbers != nil {
		f.numbers("phoneNumbers", p.PhoneNumbers)
	}
	f.check(p.Headers == nil || p.HeadersToAttributes == nil, "headers",
		"is for outbound rules and headersToAttributes for inbound ones: no rule takes both")
}

// Update changes a rule. Its Type cannot be changed. A number that moves from one
// inbound rule to another has to leave the first before it is given to the second.
// An unknown outcome is not repeated, because a late repeat could overwrite a newer
// change; see [WithRetryUnknown]. If the server's answer does not hold the rule, the
// one returned has its ID and Raw only.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/routing-rules/update-routing-rule
func (s *RoutingRulesService) Update(ctx context.Context, ruleID string, params RoutingRuleUpdateParams, opts ...RequestOption) (*RoutingRule, error) {
	r := s.client.request(operation{
		name: "RoutingRules.Update", class: retry.Replace, method: http.MethodPatch, path: routingRulePath,
	}, opts, ruleID)
	params.check(&r.faults)
	r.body = params
	return changed[routingRuleFields](ctx, s.client, r, func(raw json.RawMessage) *RoutingRule {
		return &RoutingRule{ID: ruleID, Raw: raw}
	})
}

// Delete deletes a rule. Unknown outcomes are retried. If it does not exist, the error
// matches [ErrNotFound], unless an earlier attempt of this call deleted it: see
// [DeleteResult.AlreadyGone]. A 409, which says that another request changed
// or deleted the rule at the same moment, is retried, as documented.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/routing-rules/delete-routing-rule
func (s *RoutingRulesService) Delete(ctx context.Context, ruleID string, opts ...RequestOption) (*DeleteResult, error) {
	r := s.client.request(operation{
		name: "RoutingRules.Delete", class: retry.ContestedDelete, method: http.MethodDelete, path: routingRulePath,
	}, opts, ruleID)
	return s.client.remove(ctx, r, ruleID)
}
