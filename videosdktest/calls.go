package videosdktest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Server) routeCalls(rt *router) {
	const base = "/v2/sip/call"
	rt.handle(http.MethodPost, base, s.createCall)
	rt.handle(http.MethodGet, base, s.listCalls)
	rt.handle(http.MethodGet, base+"/{callId}", s.getCall)
	rt.handle(http.MethodPost, base+"/end", s.endCall)
	rt.handle(http.MethodPost, base+"/transfer", s.transferCall)
	rt.handle(http.MethodPost, base+"/switch-room", s.switchRoom)
	rt.handle(http.MethodPost, "/v2/sip/outbound-call", s.createTrunkCall)
}

// callObject is a call as the API shows it on its own.
type callObject struct {
	ID string `json:"id"`
	callFields
}

// callItem is a call as a list shows it.
type callItem struct {
	ObjectID string `json:"_id"`
	CallID   string `json:"callId"`
	callFields
	GatewayName nullable `json:"gatewayName"`
	RuleName    nullable `json:"ruleName"`
	UserID      string   `json:"userId"`
	Deleted     bool     `json:"deleted"`
}

type callFields struct {
	Type              string          `json:"type"`
	Transport         nullable        `json:"transport"`
	Provider          string          `json:"provider"`
	GatewayID         nullable        `json:"gatewayId"`
	RuleID            nullable        `json:"ruleId"`
	RoomID            string          `json:"roomId"`
	To                string          `json:"to"`
	From              string          `json:"from"`
	Transfer          nullable        `json:"transfer"`
	SessionID         string          `json:"sessionId"`
	Status            string          `json:"status"`
	Metadata          json.RawMessage `json:"metadata"`
	Start             string          `json:"start"`
	End               nullable        `json:"end"`
	Timelog           []timelogEntry  `json:"timelog"`
	Region            nullable        `json:"region"`
	AdditionalDetails struct{}        `json:"additionalDetails"`
}

type timelogEntry struct {
	Status    string `json:"status"`
	Timestamp string `json:"timestamp"`
}

func (c *call) fields() callFields {
	return callFields{
		Type:      c.Type,
		Transport: c.Transport,
		Provider:  "other",
		GatewayID: nullable(c.GatewayID),
		RuleID:    nullable(c.RuleID),
		RoomID:    c.RoomID,
		To:        c.To,
		From:      c.From,
		SessionID: c.sessionID(),
		Status:    c.Status,
		Metadata:  c.Metadata,
		Start:     timestamp(c.start()),
		End:       c.end(),
		Timelog:   c.timelog(),
		Region:    c.Region,
	}
}

// sessionID is the same for all calls in a room: a room here has one session.
func (c *call) sessionID() string { return "sess_" + c.RoomID }

func (c *call) end() nullable {
	if c.End.IsZero() {
		return ""
	}
	return nullable(timestamp(c.End))
}

func (c *call) timelog() []timelogEntry {
	entries := make([]timelogEntry, len(c.Timelog))
	for i, change := range c.Timelog {
		entries[i] = timelogEntry{Status: change.Status, Timestamp: timestamp(change.Time)}
	}
	return entries
}

func (c *call) object() callObject { return callObject{ID: c.ID, callFields: c.fields()} }

func (s *Server) callItem(c *call) callItem {
	item := callItem{
		ObjectID:   strings.TrimPrefix(c.ID, callIDPrefix),
		CallID:     c.ID,
		callFields: c.fields(),
		UserID:     "usr_" + s.APIKey,
	}
	if gw := s.account.gateways.get(c.GatewayID); gw != nil {
		item.GatewayName = nullable(gw.Name)
	}
	if rule := s.account.rules.get(c.RuleID); rule != nil {
		item.RuleName = nullable(rule.Name)
	}
	if rule := s.account.gatewayRules.get(c.RuleID); rule != nil {
		item.RuleName = nullable(rule.Name)
	}
	return item
}

func (s *Server) getCall(r *request) (answer, error) {
	c := s.account.calls.get(r.PathValue("callId"))
	if c == nil {
		return answer{}, errUnknownCall()
	}
	return ok(struct {
		Data callObject `json:"data"`
	}{c.object()}), nil
}

func errUnknownCall() error { return notFound("Call not found") }

// callAnswer is what is answered to a change of a call.
type callAnswer struct {
	Message string     `json:"message"`
	Data    callObject `json:"data"`
}

// endCall may be repeated: a call that has ended stays as it is.
func (s *Server) endCall(r *request) (answer, error) {
	var p struct {
		CallID string `json:"callId"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	c, err := s.account.call(p.CallID)
	if err != nil {
		return answer{}, err
	}
	s.setStatus(c, statusEnded)
	return ok(callAnswer{"Call ended successfully", c.object()}), nil
}

// call returns the call that a body names.
func (a *account) call(id string) (*call, error) {
	if id == "" {
		return nil, badRequest("callId is required")
	}
	c := a.calls.get(id)
	if c == nil {
		return nil, errUnknownCall()
	}
	return c, nil
}

func (s *Server) listCalls(r *request) (answer, error) {
	query := r.URL.Query()
	filter, err := newCallFilter(query)
	if err != nil {
		return answer{}, err
	}
	var found []*call
	visible := time.Now().Add(-s.listDelay)
	for _, c := range slices.Backward(s.account.calls.order) {
		if c.start().Before(filter.from) {
			break // and so are all before it
		}
		if !c.start().After(visible) && filter.matches(c) {
			found = append(found, c)
		}
	}
	calls, err := paginate(query, found, usualPageSize())
	return ok(struct {
		StatusCode int `json:"statusCode"`
		page[callItem]
	}{http.StatusOK, mapPage(calls, s.callItem)}), err
}

// callFilter selects calls by the query of a list. "" and zero select all.
type callFilter struct {
	roomID, sessionID, id, gatewayID, ruleID, direction, search string
	from, until                                                 time.Time // until is exclusive
}

func newCallFilter(query url.Values) (callFilter, error) {
	from, err := epochMillis(query, "startDate")
	if err != nil {
		return callFilter{}, err
	}
	end, err := epochMillis(query, "endDate")
	if err != nil {
		return callFilter{}, err
	}
	return callFilter{
		roomID:    query.Get("roomId"),
		sessionID: query.Get("sessionId"),
		id:        query.Get("id"),
		gatewayID: query.Get("gatewayId"),
		ruleID:    query.Get("ruleId"),
		direction: query.Get("type"),
		search:    query.Get("search"),
		from:      from,
		until:     endOfDay(end),
	}, nil
}

func (f callFilter) matches(c *call) bool {
	return isOrAny(f.roomID, c.RoomID) &&
		isOrAny(f.id, c.ID) &&
		isOrAny(f.gatewayID, c.GatewayID) &&
		isOrAny(f.ruleID, c.RuleID) &&
		isOrAny(f.direction, c.Type) &&
		(f.sessionID == "" || f.sessionID == c.sessionID()) &&
		within(c.start(), f.from, f.until) &&
		(f.search == "" || contains(c.To, f.search) || contains(c.From, f.search) || contains(c.RoomID, f.search))
}

// isOrAny tells whether value is the one wanted; "" wants any.
func isOrAny(wanted, value string) bool { return wanted == "" || wanted == value }

// within tells whether t lies in [from, until), where a zero time is no bound.
func within(t, from, until time.Time) bool {
	return !t.Before(from) && (until.IsZero() || t.Before(until))
}

// endOfDay is the end of the day, in UTC, that t belongs to; that of no time is
// none.
func endOfDay(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(day).Add(day)
}

// epochMillis reads a time from the query, zero when there is none.
func epochMillis(query url.Values, key string) (time.Time, error) {
	text := query.Get(key)
	if text == "" {
		return time.Time{}, nil
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, badRequest("%s must be a time in epoch milliseconds", key)
	}
	return time.UnixMilli(ms), nil
}
