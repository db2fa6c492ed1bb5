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

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// GatewayRoutingRulesService says what happens with the calls of a gateway.
// These are the rules of the generation before the current one, which are bound
// to gateways; [RoutingRulesService] has those that are bound to phone numbers.
type GatewayRoutingRulesService struct{ client *Client }

// The paths of routing rules that are bound to gateways.
const (
	gatewayRulesPath = "/v2/sip/routing-rules"
	gatewayRulePath  = gatewayRulesPath + "/{ruleId}"
)

// AgentType says where an AI agent runs.
type AgentType string

// The agent types of the documentation; answers also show user.
const (
	AgentTypeCloud AgentType = "cloud" // the agent's ID is that of a deployment
	AgentTypeSelf  AgentType = "self"  // the agent's ID is its own
)

// Dispatch is where a rule sends calls: to a room, to an AI agent, or to both.
type Dispatch struct {
	Room  *RoutingRoom   `json:"room,omitempty"`
	Agent *DispatchAgent `json:"agent,omitempty"`
}

// DispatchAgent is an AI agent that takes calls.
type DispatchAgent struct {
	Type AgentType `json:"type,omitempty"`
	ID   string    `json:"id,omitempty"`
	// Metadata is handed to the agent. In an answer its numbers are float64, as in
	// [Call.Metadata]: sent back in an update, an id of 64 bits becomes another.
	Metadata map[string]any `json:"metadata,omitempty" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (d Dispatch) Format(f fmt.State, _ rune) { redact.Format(f, d) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (d Dispatch) LogValue() slog.Value { return redact.LogValue(d) }

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (a DispatchAgent) Format(f fmt.State, _ rune) { redact.Format(f, a) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (a DispatchAgent) LogValue() slog.Value { return redact.LogValue(a) }

// GatewayRoutingRule is a rule for the calls of a gateway.
type GatewayRoutingRule struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Type      Direction `json:"type"`
	GatewayID string    `json:"gatewayId"`
	// Numbers are those that the rule is for, in E.164.
	Numbers  []string `json:"numbers"`
	Dispatch Dispatch `json:"dispatch"`
	// HidePhoneNumber says whether the number is hidden from the others in
	// the room.
	HidePhoneNumber bool `json:"hidePhoneNumber"`
	// Metadata has numbers that are float64, as [Call.Metadata] has.
	Metadata map[string]any `json:"metadata" redact:"private"`
	Tags     []string       `json:"tags"`
	// Raw is the rule as it came, with what this library does not know.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (r GatewayRoutingRule) Format(f fmt.State, _ rune) { redact.Format(f, r) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (r GatewayRoutingRule) LogValue() slog.Value { return redact.LogValue(r) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts every spelling that the
// API is known to use.
func (r *GatewayRoutingRule) UnmarshalJSON(data []byte) error {
	return unmarshal[gatewayRuleWire, GatewayRoutingRule](data, r)
}

type gatewayRuleFields GatewayRoutingRule

// gatewayRuleWire also knows the form with "dispatch":"agent", where the agent
// is told beside it.
type gatewayRuleWire struct {
	gatewayRuleFields
	RuleID    string    `json:"ruleId"`
	AgentType AgentType `json:"agentType"`
	AgentID   string    `json:"agentId"`
}

func (w *gatewayRuleWire) resource(raw json.RawMessage) (*GatewayRoutingRule, string) {
	r := (*GatewayRoutingRule)(&w.gatewayRuleFields)
	r.ID = cmp.Or(r.ID, w.RuleID)
	r.Type = Direction(strings.ToLower(string(r.Type)))
	if r.Dispatch.Agent == nil && w.AgentID != "" {
		r.Dispatch.Agent = &DispatchAgent{Type: w.AgentType, ID: w.AgentID}
	}
	r.Raw = raw
	return r, r.ID
}

// GatewayRoutingRuleCreateParams describe a rule to create.
type GatewayRoutingRuleCreateParams struct {
	// GatewayID is the gateway that the rule is for. Required.
	GatewayID string `json:"gatewayId"`
	// Name is required.
	Name string `json:"name"`
	// Numbers are those that the rule is for, in E.164. At least one is
	// required.
	Numbers []string `json:"numbers"`
	// Dispatch is where calls go. A room or an agent is required.
	Dispatch Dispatch `json:"dispatch"`
	// HidePhoneNumber hides the number from the others in the room.
	HidePhoneNumber bool           `json:"hidePhoneNumber"`
	Metadata        map[string]any `json:"metadata,omitempty" redact:"private"`
	Tags            []string       `json:"tags,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p GatewayRoutingRuleCreateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p GatewayRoutingRuleCreateParams) LogValue() slog.Value { return redact.LogValue(p) }

// Create makes a rule. An unknown outcome is not repeated, because that could
// make two: the error then matches [ErrMaybeApplied].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/routing-rules/create-routing-rule
func (s *GatewayRoutingRulesService) Create(ctx context.Context, params GatewayRoutingRuleCreateParams, opts ...RequestOption) (*GatewayRoutingRule, error) {
	r := s.client.request(operation{
		name: "GatewayRoutingRules.Create", class: retry.Create, method: http.MethodPost, path: gatewayRulesPath,
	}, opts)
	r.faults.require("gatewayId", params.GatewayID)
	r.faults.require("name", params.Name)
	r.faults.numbers("numbers", params.Numbers)
	r.faults.dispatch(&params.Dispatch)
	r.body = params
	return one[gatewayRuleWire, GatewayRoutingRule](ctx, s.client, r)
}

// dispatch checks where calls go.
func (f *faults) dispatch(d *Dispatch) {
	f.check(d.Room != nil || d.Agent != nil, "dispatch", "needs a room or an agent")
	if d.Agent != nil {
		f.require("dispatch.agent.id", d.Agent.ID)
	}
}

// Get returns a rule. If it does not exist, the error matches [ErrNotFound].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/routing-rules/fetch-routing-rule
func (s *GatewayRoutingRulesService) Get(ctx context.Context, ruleID string, opts ...RequestOption) (*GatewayRoutingRule, error) {
	r := s.client.request(operation{
		name: "GatewayRoutingRules.Get", class: retry.Read, method: http.MethodGet, path: gatewayRulePath,
	}, opts, ruleID)
	return one[gatewayRuleWire, GatewayRoutingRule](ctx, s.client, r)
}

// GatewayRoutingRuleListParams choose rules. The zero value is the first page
// of all.
type GatewayRoutingRuleListParams struct {
	// Page is the number of the page, from 1. All begins with it.
	Page int
	// PerPage is how many rules a page holds: 10 by default. All asks for 100
	// by default.
	PerPage int
	// GatewayID limits the list to the rules of one gateway.
	GatewayID string
	// ID limits the list to one rule.
	ID string
	// Search is looked for in names.
	Search string
}

// List returns one page of the account's rules.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/routing-rules/fetch-all-routing-rule
func (s *GatewayRoutingRulesService) List(ctx context.Context, params GatewayRoutingRuleListParams, opts ...RequestOption) (*Page[GatewayRoutingRule], error) {
	r := s.client.request(operation{
		name: "GatewayRoutingRules.List", class: retry.Read, method: http.MethodGet, path: gatewayRulesPath,
	}, opts)
	r.setPage(params.Page, params.PerPage)
	r.set("gatewayId", params.GatewayID)
	r.set("id", params.ID)
	r.set("search", params.Search)
	return list[gatewayRuleWire, GatewayRoutingRule](ctx, s.client, r)
}

// All returns an iterator over the rules of every page. It fetches up to four pages
// ahead of the one being read; see [WithPagesAhead]. An error ends the iteration.
// What moves to an earlier page meanwhile, because others are deleted, is missed:
// read all before deleting any.
func (s *GatewayRoutingRulesService) All(ctx context.Context, params GatewayRoutingRuleListParams, opts ...RequestOption) iter.Seq2[*GatewayRoutingRule, error] {
	return all(ctx, s.client, opts, params.Page, params.PerPage, func(ctx context.Context, page, perPage int) (*Page[GatewayRoutingRule], error) {
		asked := params
		asked.Page, asked.PerPage = page, perPage
		return s.List(ctx, asked, opts...)
	})
}

// GatewayRoutingRuleUpdateParams say what to change of a rule. What is nil stays as
// it is; an empty list or map that is not nil empties the rule's, except that a rule
// keeps at least one number.
type GatewayRoutingRuleUpdateParams struct {
	Name    *string  `json:"name,omitzero"`
	Numbers []string `json:"numbers,omitzero"`
	// Dispatch is sent as a whole: it holds what is to stay, too, such as the agent.
	Dispatch        *Dispatch      `json:"dispatch,omitzero"`
	HidePhoneNumber *bool          `json:"hidePhoneNumber,omitzero"`
	Metadata        map[string]any `json:"metadata,omitzero" redact:"private"`
	Tags            []string       `json:"tags,omitzero"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p GatewayRoutingRuleUpdateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p GatewayRoutingRuleUpdateParams) LogValue() slog.Value { return redact.LogValue(p) }

// Update changes a rule. Its gateway cannot be changed. What is left out stays as it
// is, as the API documents although this is a PUT. An unknown outcome is not
// repeated; see [WithRetryUnknown]. If the server's answer does not hold the rule,
// the one returned has its ID and Raw only.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/routing-rules/update-routing-rule
func (s *GatewayRoutingRulesService) Update(ctx context.Context, ruleID string, params GatewayRoutingRuleUpdateParams, opts ...RequestOption) (*GatewayRoutingRule, error) {
	r := s.client.request(operation{
		name: "GatewayRoutingRules.Update", class: retry.Replace, method: http.MethodPut, path: gatewayRulePath,
	}, opts, ruleID)
	r.faults.anyField(&params)
	r.faults.notBlank("name", params.Name)
	if params.Numbers != nil {
		r.faults.numbers("numbers", params.Numbers)
	}
	if params.Dispatch != nil {
		r.faults.dispatch(params.Dispatch)
	}
	r.body = params
	return changed[gatewayRuleWire](ctx, s.client, r, func(raw json.RawMessage) *GatewayRoutingRule {
		return &GatewayRoutingRule{ID: ruleID, Raw: raw}
	})
}

// Delete deletes a rule. Unknown outcomes are retried. If it does not exist, the error
// matches [ErrNotFound], unless an earlier attempt of this call deleted it: see
// [DeleteResult.AlreadyGone].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/routing-rules/delete-routing-rule
func (s *GatewayRoutingRulesService) Delete(ctx context.Context, ruleID string, opts ...RequestOption) (*DeleteResult, error) {
	r := s.client.request(operation{
		name: "GatewayRoutingRules.Delete", class: retry.Delete, method: http.MethodDelete, path: gatewayRulePath,
	}, opts, ruleID)
	return s.client.remove(ctx, r, ruleID)
}
