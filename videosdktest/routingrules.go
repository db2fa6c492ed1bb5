package videosdktest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// routingRule is a rule of the current generation, bound to phone numbers.
type routingRule struct {
	ID                 string                     `json:"id"`
	Name               string                     `json:"name"`
	Type               string                     `json:"type"`
	Numbers            list                       `json:"numbers"`
	Room               room                       `json:"room"`
	AgentID            nullable                   `json:"agentId"`
	AgentMetadata      map[string]json.RawMessage `json:"agentMetadata"`
	HidePhoneNumber    bool                       `json:"hidePhoneNumber"`
	Tags               list                       `json:"tags"`
	APIKey             string                     `json:"apiKey"`
	Recording          bool                       `json:"recording"`
	DTMF               bool                       `json:"dtmf"`
	NoiseCancellation  bool                       `json:"noiseCancellation"`
	AllowedNumbers     list                       `json:"allowedNumbers"`
	AllowedIPAddresses list                       `json:"allowedIpAddresses"`
	IncludeHeaders     string                     `json:"includeHeaders"`
	// Headers is shown for outbound rules, HeadersToAttributes for inbound ones.
	Headers             map[string]string `json:"headers,omitzero"`
	HeadersToAttributes map[string]string `json:"headersToAttributes,omitzero"`
	CreatedAt           string            `json:"createdAt"`
	UpdatedAt           string            `json:"updatedAt"`
}

// room is the room that a rule leads to.
type room struct {
	Type   string   `json:"type"`
	Prefix string   `json:"prefix"`
	ID     nullable `json:"id"`
	PIN    nullable `json:"pin"`
}

const (
	roomStatic  = "static"
	roomDynamic = "dynamic"
)

// withDefaults fills in what a request may leave out.
func (r room) withDefaults() room {
	if r.Type == "" && r.ID != "" {
		r.Type = roomStatic
	}
	r.Type = cmp.Or(r.Type, roomDynamic)
	r.Prefix = cmp.Or(r.Prefix, "blank")
	return r
}

// fixed is the id of the room that all calls go to, "" if each has one of its own.
func (r room) fixed() string {
	if r.Type == roomDynamic {
		return ""
	}
	return string(r.ID)
}

func (s *Server) routeRoutingRules(rt *router) {
	const base = "/v2/sip/routing-rule"
	rt.handle(http.MethodPost, base, s.createRoutingRule)
	rt.handle(http.MethodGet, base, s.listRoutingRules)
	rt.handle(http.MethodGet, base+"/{ruleId}", with(s.findRule, s.getRoutingRule))
	rt.handle(http.MethodPatch, base+"/{ruleId}", with(s.findRule, s.updateRoutingRule))
	rt.handle(http.MethodDelete, base+"/{ruleId}", with(s.findRule, s.deleteRoutingRule))
}

// ruleParams are the fields of a rule that can be set, all optional as such.
// The value of a field given replaces the old one as a whole.
type ruleParams struct {
	Name                *string                     `json:"name"`
	Numbers             *list                       `json:"phoneNumbers"`
	Room                *room                       `json:"room"`
	AgentID             *string                     `json:"agentId"`
	AgentMetadata       *map[string]json.RawMessage `json:"agentMetadata"`
	HidePhoneNumber     *bool                       `json:"hidePhoneNumber"`
	Tags                *list                       `json:"tags"`
	APIKey              *string                     `json:"apiKey"`
	Recording           *bool                       `json:"recording"`
	DTMF                *bool                       `json:"dtmf"`
	NoiseCancellation   *bool                       `json:"noiseCancellation"`
	AllowedNumbers      *list                       `json:"allowedNumbers"`
	AllowedIPAddresses  *list                       `json:"allowedIpAddresses"`
	IncludeHeaders      *string                     `json:"includeHeaders"`
	Headers             *map[string]string          `json:"headers"`
	HeadersToAttributes *map[string]string          `json:"headersToAttributes"`
}

// check is what holds for a rule of a type, new or old.
func (p ruleParams) check(direction string) error {
	switch {
	case isBlank(p.Name):
		return badRequest("name must not be empty")
	case direction == directionInbound && p.Headers != nil:
		return badRequest("headers is only allowed on outbound rules")
	case direction == directionOutbound && p.HeadersToAttributes != nil:
		return badRequest("headersToAttributes is only allowed on inbound rules")
	}
	return checkIncludeHeaders(p.IncludeHeaders)
}

func checkIncludeHeaders(choice *string) error {
	return checkOneOf("includeHeaders", choice, "ALL", "SIP_X_HEADERS", "NONE")
}

func (p ruleParams) apply(rule *routingRule) {
	rule.Name = or(p.Name, rule.Name)
	rule.Numbers = unique(or(p.Numbers, rule.Numbers))
	rule.Room = or(p.Room, rule.Room).withDefaults()
	rule.AgentID = nullable(or(p.AgentID, string(rule.AgentID)))
	rule.AgentMetadata = or(p.AgentMetadata, rule.AgentMetadata)
	rule.HidePhoneNumber = or(p.HidePhoneNumber, rule.HidePhoneNumber)
	rule.Tags = or(p.Tags, rule.Tags)
	rule.APIKey = or(p.APIKey, rule.APIKey)
	rule.Recording = or(p.Recording, rule.Recording)
	rule.DTMF = or(p.DTMF, rule.DTMF)
	rule.NoiseCancellation = or(p.NoiseCancellation, rule.NoiseCancellation)
	rule.AllowedNumbers = or(p.AllowedNumbers, rule.AllowedNumbers)
	rule.AllowedIPAddresses = or(p.AllowedIPAddresses, rule.AllowedIPAddresses)
	rule.IncludeHeaders = or(p.IncludeHeaders, rule.IncludeHeaders)
	rule.Headers = or(p.Headers, rule.Headers)
	rule.HeadersToAttributes = or(p.HeadersToAttributes, rule.HeadersToAttributes)
	rule.UpdatedAt = timestamp(time.Now())
}

// newRoutingRule returns a rule with the values of a request that sets nothing.
func (s *Server) newRoutingRule(direction string) *routingRule {
	rule := &routingRule{
		ID:             newID("rr_"),
		Type:           direction,
		AgentMetadata:  map[string]json.RawMessage{},
		APIKey:         s.APIKey,
		IncludeHeaders: "NONE",
		CreatedAt:      timestamp(time.Now()),
	}
	if direction == directionInbound {
		rule.HeadersToAttributes = map[string]string{}
	} else {
		rule.Headers = map[string]string{}
	}
	return rule
}

func (s *Server) createRoutingRule(r *request) (answer, error) {
	var p struct {
		ruleParams
		Type string `json:"type"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	switch {
	case p.Name == nil:
		return answer{}, badRequest("name is required")
	case p.Type == "":
		return answer{}, badRequest("type is required")
	case len(or(p.Numbers, nil)) == 0:
		return answer{}, badRequest("phoneNumbers is required")
	}
	if err := checkOneOf("type", &p.Type, directionInbound, directionOutbound); err != nil {
		return answer{}, err
	}
	rule := s.newRoutingRule(p.Type)
	if err := s.checkRule(rule, p.ruleParams); err != nil {
		return answer{}, err
	}
	p.apply(rule)
	s.account.rules.add(rule.ID, rule)
	return created(rule), nil
}

// checkRule tells whether p can be applied to a rule, of this account.
func (s *Server) checkRule(rule *routingRule, p ruleParams) error {
	if err := p.check(rule.Type); err != nil {
		return err
	}
	if p.APIKey != nil && *p.APIKey != s.APIKey {
		return badRequest("Invalid API Key")
	}
	if p.Numbers == nil {
		return nil
	}
	return s.account.checkRuleNumbers(rule, *p.Numbers)
}

func (a *account) checkRuleNumbers(rule *routingRule, numbers []string) error {
	if err := checkNumbers("phoneNumbers", numbers); err != nil {
		return err
	}
	for _, e164 := range numbers {
		if a.number(e164) == nil {
			return badRequest("Phone number %s does not exist on this account", e164)
		}
		if other := a.inboundRule(e164); rule.Type == directionInbound && other != nil && other != rule {
			return badRequest("Phone number %s is already used by the inbound rule %s", e164, other.ID)
		}
	}
	return nil
}

// inboundRule returns the rule that takes the calls to a number, or nil.
func (a *account) inboundRule(e164 string) *routingRule {
	for _, rule := range a.rules.order {
		if rule.Type == directionInbound && slices.Contains(rule.Numbers, e164) {
			return rule
		}
	}
	return nil
}

func (s *Server) listRoutingRules(r *request) (answer, error) {
	query := r.URL.Query()
	found := s.account.rules.where(func(rule *routingRule) bool { return rule.matches(query) })
	rules, err := paginate(query, found, usualPageSize())
	return ok(rules), err
}

func (r *routingRule) matches(query url.Values) bool {
	search := query.Get("search")
	return (contains(r.Name, search) || slices.ContainsFunc(r.Numbers, func(e164 string) bool { return contains(e164, search) })) &&
		isOrAny(query.Get("type"), r.Type) &&
		among(r.ID, strings.Join(query["ruleIds"], ",")) &&
		among(r.Room.Type, strings.Join(query["roomType"], ","))
}

// among tells whether value is in a comma-separated list. Everything is in an
// empty one.
func among(value, commaSeparated string) bool {
	return commaSeparated == "" || slices.Contains(strings.Split(commaSeparated, ","), value)
}

// findRule returns the rule that a path names.
func (s *Server) findRule(r *request) (*routingRule, error) {
	rule := s.account.rules.get(r.PathValue("ruleId"))
	if rule == nil {
		return nil, errUnknownRule()
	}
	return rule, nil
}

func errUnknownRule() error { return notFound("Routing rule not found") }

func (s *Server) getRoutingRule(_ *request, rule *routingRule) (answer, error) {
	return ok(rule), nil
}

func (s *Server) updateRoutingRule(r *request, rule *routingRule) (answer, error) {
	var p ruleParams
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if reflect.ValueOf(p).IsZero() {
		return answer{}, badRequest("No editable fields provided")
	}
	if err := s.checkRule(rule, p); err != nil {
		return answer{}, err
	}
	p.apply(rule)
	return ok(rule), nil
}

// deleteRoutingRule never meets the documented 409: requests do not overlap
// here. A Fault can answer it.
func (s *Server) deleteRoutingRule(_ *request, rule *routingRule) (answer, error) {
	s.account.rules.remove(rule.ID)
	return ok(struct {
		Message string `json:"message"`
		RuleID  string `json:"ruleId"`
	}{"Routing rule deleted successfully", rule.ID}), nil
}
