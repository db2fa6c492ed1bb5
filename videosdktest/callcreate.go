package videosdktest

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
)

const callIDPrefix = "call_"

// callRequest is the body that places a call, without its settings.
type callRequest struct {
	To                string                     `json:"sipCallTo"`
	From              string                     `json:"sipCallFrom"`
	RuleID            string                     `json:"routingRuleId"`
	GatewayID         string                     `json:"gatewayId"`
	RoomID            string                     `json:"destinationRoomId"`
	Metadata          map[string]json.RawMessage `json:"metadata"`
	WaitUntilAnswered bool                       `json:"waitUntilAnswered"`
	RingingTimeout    int64                      `json:"ringingTimeout"`  // in seconds
	MaxCallDuration   int64                      `json:"maxCallDuration"` // in seconds

	// Of no effect here, but of a shape that is known.
	Participant   map[string]json.RawMessage `json:"participant"`
	AgentMetadata map[string]json.RawMessage `json:"agentMetadata"`
}

func (p callRequest) check() error {
	switch {
	case p.To == "":
		return badRequest("sipCallTo is required")
	case !isDialable(p.To):
		return badRequest("sipCallTo must be an E.164 number or a SIP URI")
	case p.From != "" && !isE164(p.From):
		return badRequest("sipCallFrom must be an E.164 number")
	}
	if err := checkSeconds("ringingTimeout", p.RingingTimeout); err != nil {
		return err
	}
	return checkSeconds("maxCallDuration", p.MaxCallDuration)
}

// checkSeconds refuses only what a time.Duration cannot hold: the API documents no limit.
func checkSeconds(field string, n int64) error {
	const limit = int64(math.MaxInt64 / time.Second)
	switch {
	case n < 0:
		return badRequest("%s must not be negative", field)
	case n > limit:
		return badRequest("%s must not exceed %d seconds", field, limit)
	}
	return nil
}

// isDialable accepts E.164 numbers and SIP URIs.
func isDialable(to string) bool { return isE164(to) || isSIPURI(to) }

// isSIPURI accepts a scheme and whatever follows it without white space, which
// would end the URI in a SIP message.
func isSIPURI(s string) bool {
	scheme, address, _ := strings.Cut(s, ":")
	endsURI := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	return (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips")) &&
		address != "" && !strings.ContainsFunc(address, endsURI)
}

func (s *Server) createCall(r *request) (answer, error) {
	var p callRequest
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if err := p.check(); err != nil {
		return answer{}, err
	}
	line, err := s.account.line(p)
	if err != nil {
		return answer{}, err
	}
	c := line.newCall(directionOutbound, p.To)
	c.RoomID = cmp.Or(p.RoomID, c.RoomID)
	c.Metadata = encodeObject(p.Metadata)
	if p.RuleID == "" {
		if c.settings, err = r.callSettings(line.gateway); err != nil {
			return answer{}, err
		}
	}
	s.place(c, callLife{
		ringing: time.Duration(p.RingingTimeout) * time.Second,
		longest: time.Duration(p.MaxCallDuration) * time.Second,
	})
	ans := ok(createdCall{c})
	if p.WaitUntilAnswered {
		ans.after = c.live.settled
	}
	return ans, nil
}

// createdCall is the answer to a new call, as it is when the answer is encoded.
// This is the one answer that is documented with statuses in upper case.
type createdCall struct{ call *call }

func (a createdCall) MarshalJSON() ([]byte, error) {
	type data struct {
		CallID    string          `json:"callId"`
		Status    string          `json:"status"`
		RoomID    string          `json:"roomId"`
		To        string          `json:"sipCallTo"`
		From      string          `json:"sipCallFrom"`
		GatewayID nullable        `json:"gatewayId"`
		Metadata  json.RawMessage `json:"metadata"`
		Timelog   []timelogEntry  `json:"timelog"`
	}
	c := a.call
	timelog := c.timelog()
	for i := range timelog {
		timelog[i].Status = strings.ToUpper(timelog[i].Status)
	}
	return json.Marshal(struct {
		Message string `json:"message"`
		Data    data   `json:"data"`
	}{"Call initiated successfully", data{
		CallID:    c.ID,
		Status:    strings.ToUpper(c.Status),
		RoomID:    c.RoomID,
		To:        c.To,
		From:      c.From,
		GatewayID: nullable(c.GatewayID),
		Metadata:  c.Metadata,
		Timelog:   timelog,
	}})
}

// line is the way out of the account that a call takes.
type line struct {
	rule    *routingRule // nil for a gateway without one for the number
	gateway *gateway
	from    string // caller id
}

// line is that of a routing rule, or of a gateway. A third version of the
// documentation, which asks for neither, is not followed: a backend that forgot
// its rule would find out in production only.
func (a *account) line(p callRequest) (line, error) {
	switch {
	case p.RuleID != "":
		return a.lineOfRule(p.RuleID, p.From)
	case p.GatewayID != "":
		return a.lineOfGateway(p.GatewayID, p.From)
	default:
		return line{}, badRequest("routingRuleId or gatewayId is required")
	}
}

func (a *account) lineOfRule(id, from string) (line, error) {
	rule, err := a.outboundRule(id)
	switch {
	case err != nil:
		return line{}, err
	case from == "":
		return line{}, badRequest("sipCallFrom is required with routingRuleId")
	case !slices.Contains(rule.Numbers, from):
		return line{}, badRequest("sipCallFrom %s is not a number of routing rule %s", from, id)
	}
	gw := a.outboundGateway(from)
	if gw == nil {
		return line{}, badRequest("Phone number %s is not attached to an outbound gateway", from)
	}
	return line{rule: rule, gateway: gw, from: from}, nil
}

// outboundRule returns the rule that a body names.
func (a *account) outboundRule(id string) (*routingRule, error) {
	rule := a.rules.get(id)
	if rule == nil {
		return nil, badRequest("routingRuleId %q does not exist", id)
	}
	if rule.Type != directionOutbound {
		return nil, badRequest("Routing rule %s is not an outbound rule", id)
	}
	return rule, nil
}

func (a *account) lineOfGateway(id, from string) (line, error) {
	gw := a.gateway(id)
	switch {
	case gw == nil:
		return line{}, badRequest("gatewayId %q does not exist", id)
	case gw.Direction != directionOutbound:
		return line{}, badRequest("Gateway %s is not an outbound gateway", id)
	case from == "" && len(gw.Numbers) == 0:
		return line{}, badRequest("sipCallFrom is required: gateway %s has no number", id)
	case from == "":
		from = gw.Numbers[0]
	case !slices.Contains(gw.Numbers, from):
		return line{}, badRequest("sipCallFrom %s is not a number of gateway %s", from, id)
	}
	return line{rule: a.ruleOfGateway(gw, from), gateway: gw, from: from}, nil
}

// outboundGateway returns the gateway that calls from a number go out by, or nil.
func (a *account) outboundGateway(e164 string) *gateway {
	n := a.number(e164)
	if n == nil {
		return nil
	}
	return a.gateway(n.Outbound)
}

// newCall makes a call in the room of the rule, or else in a new one.
func (l line) newCall(direction, to string) *call {
	c := &call{
		ID:        newID(callIDPrefix),
		Type:      direction,
		Transport: l.gateway.Transport,
		GatewayID: l.gateway.ID,
		RoomID:    newRoomID(),
		To:        to,
		From:      l.from,
		Region:    l.gateway.Region,
		Metadata:  json.RawMessage("{}"),
	}
	if l.rule != nil {
		c.RuleID = l.rule.ID
		c.AgentID = string(l.rule.AgentID)
		c.RoomID = cmp.Or(l.rule.Room.fixed(), c.RoomID)
		c.settings = l.rule.callSettings()
		c.settings.MediaEncryption = l.gateway.MediaEncryption
	}
	return c
}

// callSettings are what a rule imposes on its calls.
func (r *routingRule) callSettings() CallSettings {
	return CallSettings{
		RecordAudio:     r.Recording,
		HidePhoneNumber: r.HidePhoneNumber,
		DTMF:            r.DTMF,
		Headers:         maps.Clone(r.Headers),
		IncludeHeaders:  []string{r.IncludeHeaders},
	}
}

// callSettings reads the settings of a call by a gateway. With routingRuleId, they are
// the rule's, and what the body says of them is not looked at.
func (r *request) callSettings(gw *gateway) (CallSettings, error) {
	var p struct {
		RecordAudio     bool              `json:"recordAudio"`
		DTMF            json.RawMessage   `json:"dtmf"`
		MediaEncryption *string           `json:"mediaEncryption"`
		HidePhoneNumber bool              `json:"hidePhoneNumber"`
		Headers         map[string]string `json:"headers"`
		IncludeHeaders  json.RawMessage   `json:"includeHeaders"`
	}
	if err := r.decode(&p); err != nil {
		return CallSettings{}, err
	}
	if err := checkMediaEncryption(p.MediaEncryption); err != nil {
		return CallSettings{}, err
	}
	settings := CallSettings{
		RecordAudio:     p.RecordAudio,
		HidePhoneNumber: p.HidePhoneNumber,
		MediaEncryption: or(p.MediaEncryption, gw.MediaEncryption),
		Headers:         p.Headers,
	}
	if err := settings.readDTMF(p.DTMF); err != nil {
		return CallSettings{}, err
	}
	return settings, settings.readIncludeHeaders(p.IncludeHeaders)
}

// readDTMF takes a boolean, or the digits to send.
func (s *CallSettings) readDTMF(raw json.RawMessage) error {
	raw = unquote(raw)
	switch {
	case len(raw) == 0 || string(raw) == "false":
		return nil
	case string(raw) == "true":
		s.DTMF = true
		return nil
	case strings.Trim(string(raw), "0123456789ABCDabcd*#,") != "":
		return badRequest("dtmf must be a boolean or digits")
	}
	s.DTMF, s.Digits = true, string(raw)
	return nil
}

// readIncludeHeaders takes one of the choices that there are, or a list of
// headers, as an old page has it.
func (s *CallSettings) readIncludeHeaders(raw json.RawMessage) error {
	var choice string
	switch {
	case raw == nil:
		return nil
	case json.Unmarshal(raw, &choice) == nil:
		s.IncludeHeaders = []string{choice}
		return checkIncludeHeaders(&choice)
	case json.Unmarshal(raw, &s.IncludeHeaders) == nil:
		return nil
	default:
		return badRequest("includeHeaders must be a string or a list of strings")
	}
}

// encodeObject returns the JSON of an object, {} for none.
func encodeObject(object map[string]json.RawMessage) json.RawMessage {
	if object == nil {
		return json.RawMessage("{}")
	}
	encoded, _ := json.Marshal(object) // fails on invalid JSON only
	return encoded
}

// newRoomID returns an id of the form abcd-efgh-ijkl.
func newRoomID() string {
	id := strings.ToLower(newID(""))
	return id[:4] + "-" + id[4:8] + "-" + id[8:12]
}
