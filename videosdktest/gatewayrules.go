package videosdktest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// gatewayRule is a routing rule of the older generation, bound to a gateway.
type gatewayRule struct {
	gatewayRuleObject
	Deleted bool `json:"deleted"`
}

// gatewayRuleObject is such a rule as the API shows it.
type gatewayRuleObject struct {
	ID              string                     `json:"id"`
	Name            string                     `json:"name"`
	Type            string                     `json:"type"` // direction of the gateway, in upper case
	Numbers         list                       `json:"numbers"`
	GatewayID       string                     `json:"gatewayId"`
	Dispatch        dispatch                   `json:"dispatch"`
	HidePhoneNumber bool                       `json:"hidePhoneNumber"`
	Metadata        map[string]json.RawMessage `json:"metadata"`
	Tags            list                       `json:"tags"`
}

// dispatch is where a rule leads to.
type dispatch struct {
	Room  room           `json:"room"`
	Agent *dispatchAgent `json:"agent"`
}

type dispatchAgent struct {
	Type     string                     `json:"type"`
	ID       string                     `json:"id"`
	Metadata map[string]json.RawMessage `json:"metadata,omitempty"`
}

// current is the rule in the terms of the current generation.
func (r *gatewayRule) current() *routingRule {
	return &routingRule{
		ID:              r.ID,
		Room:            r.Dispatch.Room,
		AgentID:         nullable(or(r.Dispatch.Agent, dispatchAgent{}).ID),
		HidePhoneNumber: r.HidePhoneNumber,
	}
}

// ruleOfGateway returns the rule for a number of a gateway, or nil.
func (a *account) ruleOfGateway(gw *gateway, e164 string) *routingRule {
	for _, rule := range a.gatewayRules.order {
		if rule.GatewayID == gw.ID && rule.routes(e164) {
			return rule.current()
		}
	}
	return nil
}

// routes tells whether the rule is for a number.
func (r *gatewayRule) routes(e164 string) bool {
	return !r.Deleted && slices.Contains(r.Numbers, e164)
}

func (s *Server) routeGatewayRules(rt *router) {
	const base = "/v2/sip/routing-rules"
	rt.handle(http.MethodPost, base, s.createGatewayRule)
	rt.handle(http.MethodGet, base, s.listGatewayRules)
	rt.handle(http.MethodGet, base+"/{ruleId}", with(s.findGatewayRule, s.getGatewayRule))
	rt.handle(http.MethodPut, base+"/{ruleId}", with(s.findGatewayRule, s.updateGatewayRule))
	rt.handle(http.MethodDelete, base+"/{ruleId}", with(s.findGatewayRule, s.deleteGatewayRule))
}

// gatewayRuleParams are the fields of a rule that can be set, all optional as
// such.
type gatewayRuleParams struct {
	Name            *string                     `json:"name"`
	Numbers         *list                       `json:"numbers"`
	Dispatch        json.RawMessage             `json:"dispatch"`
	AgentType       string                      `json:"agentType"`
	AgentID         string                      `json:"agentId"`
	HidePhoneNumber *bool                       `json:"hidePhoneNumber"`
	Metadata        *map[string]json.RawMessage `json:"metadata"`
	Tags            *list                       `json:"tags"`
}

func (p gatewayRuleParams) apply(rule *gatewayRule) error {
	if isBlank(p.Name) {
		return badRequest("name must not be empty")
	}
	target, err := p.target(rule.Dispatch)
	if err != nil {
		return err
	}
	rule.Name = or(p.Name, rule.Name)
	rule.Numbers = unique(or(p.Numbers, rule.Numbers))
	rule.Dispatch = target
	rule.HidePhoneNumber = or(p.HidePhoneNumber, rule.HidePhoneNumber)
	rule.Metadata = or(p.Metadata, rule.Metadata)
	rule.Tags = or(p.Tags, rule.Tags)
	return nil
}

// target reads either spelling of the dispatch: an object, or the word "agent"
// with agentType and agentId beside it. Without any, it is what it was.
func (p gatewayRuleParams) target(was dispatch) (dispatch, error) {
	var target dispatch
	switch {
	case p.Dispatch == nil:
		return was, nil
	case string(p.Dispatch) == `"agent"`:
		target.Agent = &dispatchAgent{Type: p.AgentType, ID: p.AgentID}
	default:
		if err := assign(reflect.ValueOf(&target).Elem(), p.Dispatch, "dispatch"); err != nil {
			return dispatch{}, err
		}
	}
	target.Room = target.Room.withDefaults()
	return target, nil
}

func (s *Server) createGatewayRule(r *request) (answer, error) {
	var p struct {
		gatewayRuleParams
		GatewayID string `json:"gatewayId"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	switch {
	case p.GatewayID == "":
		return answer{}, badRequest("gatewayId is required")
	case p.Name == nil:
		return answer{}, badRequest("name is required")
	case len(or(p.Numbers, nil)) == 0:
		return answer{}, badRequest("numbers is required")
	case p.Dispatch == nil:
		return answer{}, badRequest("dispatch is required")
	}
	gw := s.account.gateway(p.GatewayID)
	if gw == nil {
		return answer{}, badRequest("gatewayId %q does not exist", p.GatewayID)
	}
	rule := &gatewayRule{gatewayRuleObject: gatewayRuleObject{
		ID:        newID("rule_"),
		Type:      strings.ToUpper(gw.Direction),
		GatewayID: gw.ID,
		Metadata:  map[string]json.RawMessage{},
	}}
	if err := p.apply(rule); err != nil {
		return answer{}, err
	}
	s.account.gatewayRules.add(rule.ID, rule)
	return created(rule.gatewayRuleObject), nil
}

func (s *Server) listGatewayRules(r *request) (answer, error) {
	query := r.URL.Query()
	found := s.account.gatewayRules.where(func(rule *gatewayRule) bool { return rule.matches(query) })
	rules, err := paginate(query, found, usualPageSize())
	return ok(mapPage(rules, func(rule *gatewayRule) gatewayRuleObject { return rule.gatewayRuleObject })), err
}

func (r *gatewayRule) matches(query url.Values) bool {
	return !r.Deleted && isOrAny(query.Get("gatewayId"), r.GatewayID) && isOrAny(query.Get("id"), r.ID) && contains(r.Name, query.Get("search"))
}

// findGatewayRule returns the rule that a path names.
func (s *Server) findGatewayRule(r *request) (*gatewayRule, error) {
	rule := s.account.gatewayRules.get(r.PathValue("ruleId"))
	if rule == nil || rule.Deleted {
		return nil, errUnknownRule()
	}
	return rule, nil
}

func (s *Server) getGatewayRule(_ *request, rule *gatewayRule) (answer, error) {
	return ok(rule.gatewayRuleObject), nil
}

func (s *Server) updateGatewayRule(r *request, rule *gatewayRule) (answer, error) {
	var p gatewayRuleParams
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if err := p.apply(rule); err != nil {
		return answer{}, err
	}
	return ok(rule.gatewayRuleObject), nil
}

func (s *Server) deleteGatewayRule(_ *request, rule *gatewayRule) (answer, error) {
	rule.Deleted = true
	return ok(message{"Rule deleted successfully"}), nil
}
