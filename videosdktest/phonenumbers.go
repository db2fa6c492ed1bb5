package videosdktest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// phoneNumber is a number of the account with the gateways it is attached to.
type phoneNumber struct {
	phoneNumberObject
	Inbound  string `json:"inboundGatewayId"`  // id, or "" when detached
	Outbound string `json:"outboundGatewayId"` // id, or "" when detached
	Released bool   `json:"released"`
}

// phoneNumberObject is a phone number as the API shows it.
type phoneNumberObject struct {
	ID          string   `json:"phoneNumberId"`
	E164        string   `json:"e164"`
	CountryCode nullable `json:"countryCode"`
	Provider    string   `json:"provider"`
	Origin      string   `json:"origin"`
	Status      string   `json:"status"`
	CreatedAt   string   `json:"createdAt"`
	UpdatedAt   string   `json:"updatedAt"`
	Name        string   `json:"name"`
}

// attached returns where n keeps the id of its gateway of a direction.
func (n *phoneNumber) attached(direction string) *string {
	if direction == directionInbound {
		return &n.Inbound
	}
	return &n.Outbound
}

// number returns the number of the account, or nil when it is unknown or
// released.
func (a *account) number(e164 string) *phoneNumber { return a.byE164[e164] }

func (s *Server) routePhoneNumbers(rt *router) {
	const base = "/v2/sip/phone-numbers"
	rt.handle(http.MethodPost, base, s.createPhoneNumbers)
	rt.handle(http.MethodGet, base, s.listPhoneNumbers)
	rt.handle(http.MethodGet, base+"/{e164}", s.getPhoneNumber)
	rt.handle(http.MethodPost, base+"/detach", s.detachPhoneNumber)
	rt.handle(http.MethodPost, base+"/{phoneNumberId}/release", s.releasePhoneNumber)
	rt.handle(http.MethodPatch, base+"/gateways/{gatewayId}", s.updateNumberGateway)
}

// AddPhoneNumbers adds numbers to the account, in E.164 form, attached to a new
// pair of gateways that they share. Without any, it does nothing. It panics when
// one is malformed or attached already.
func (s *Server) AddPhoneNumbers(e164 ...string) {
	const region = "us002"
	if len(e164) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.account.addNumbers(numberSetup{
		Name:     "videosdktest",
		Numbers:  e164,
		Inbound:  numberInbound{Region: region},
		Outbound: numberOutbound{Region: region, Address: "sip.example.com:5061"},
	})
	if err != nil {
		panic(fmt.Sprintf("videosdktest: cannot add phone numbers: %v", err))
	}
	s.changed()
}

// numberSetup is the body that creates phone numbers.
type numberSetup struct {
	Name            string         `json:"name"`
	Numbers         []string       `json:"phoneNumbers"`
	IsShared        *bool          `json:"isShared"`
	MediaEncryption *string        `json:"mediaEncryption"`
	Inbound         numberInbound  `json:"inbound"`
	Outbound        numberOutbound `json:"outbound"`
}

type numberInbound struct {
	Region string `json:"sipRegion"`
}

type numberOutbound struct {
	Region    string   `json:"sipRegion"`
	Address   string   `json:"address"`
	Transport *string  `json:"transport"`
	Auth      *sipAuth `json:"auth"`
}

func (p numberSetup) check() error {
	if isBlank(&p.Name) {
		return badRequest("name is required")
	}
	if len(p.Numbers) == 0 {
		return badRequest("phoneNumbers is required")
	}
	if err := checkNumbers("phoneNumbers", p.Numbers); err != nil {
		return err
	}
	if err := checkMediaEncryption(p.MediaEncryption); err != nil {
		return err
	}
	if p.Inbound.Region == "" {
		return badRequest("inbound.sipRegion is required")
	}
	return p.Outbound.check()
}

func (p numberOutbound) check() error {
	if isBlank(&p.Address) {
		return badRequest("outbound.address is required")
	}
	if p.Region == "" {
		return badRequest("outbound.sipRegion is required")
	}
	if err := checkTransport("outbound.transport", p.Transport); err != nil {
		return err
	}
	return p.Auth.check("outbound.auth")
}

// gateway returns the new gateway that p asks for in a direction.
func (p numberSetup) gateway(direction string, numbers []string) *gateway {
	gw := newGateway(direction)
	gw.Name = p.Name
	gw.Numbers = numbers
	gw.MediaEncryption = or(p.MediaEncryption, gw.MediaEncryption)
	if direction == directionInbound {
		gw.Region = nullable(p.Inbound.Region)
		return gw
	}
	gw.Region = nullable(p.Outbound.Region)
	gw.Address = nullable(p.Outbound.Address)
	gw.Transport = nullable(or(p.Outbound.Transport, string(gw.Transport)))
	gw.Auth = or(p.Outbound.Auth, gw.Auth)
	return gw
}

func (s *Server) createPhoneNumbers(r *request) (answer, error) {
	var setup numberSetup
	if err := r.decode(&setup); err != nil {
		return answer{}, err
	}
	if err := s.account.addNumbers(setup); err != nil {
		return answer{}, err
	}
	return created(message{"Phone Number with SIP Configured Created Successfully"}), nil
}

// addNumbers adds all numbers of p, or none.
func (a *account) addNumbers(p numberSetup) error {
	if err := p.check(); err != nil {
		return err
	}
	p.Numbers = unique(p.Numbers)
	for _, direction := range directions() {
		if err := a.checkDetached(p.Numbers, direction); err != nil {
			return err
		}
	}
	for _, e164 := range p.Numbers {
		a.registerNumber(e164, p.Name)
	}
	for _, group := range p.groups() {
		for _, direction := range directions() {
			a.attach(p.gateway(direction, group))
		}
	}
	return nil
}

func (a *account) checkDetached(numbers []string, direction string) error {
	for _, e164 := range numbers {
		if n := a.number(e164); n != nil && *n.attached(direction) != "" {
			return badRequest("Phone number %s is already attached to an %s gateway", e164, direction)
		}
	}
	return nil
}

// registerNumber makes a number known to the account, if it is not yet, and
// names it.
func (a *account) registerNumber(e164, name string) {
	now := timestamp(time.Now())
	n := a.number(e164)
	if n == nil {
		n = &phoneNumber{phoneNumberObject: phoneNumberObject{
			ID:          newID("pn_"),
			E164:        e164,
			CountryCode: nullable(countryCode(e164)),
			Provider:    "other",
			Origin:      "SIP Configured",
			Status:      "ACTIVE",
			CreatedAt:   now,
		}}
		a.numbers.add(n.ID, n)
		a.byE164[e164] = n
	}
	n.Name = name
	n.UpdatedAt = now
}

// groups returns the numbers of each gateway pair.
func (p numberSetup) groups() [][]string {
	if p.IsShared == nil || *p.IsShared {
		return [][]string{p.Numbers}
	}
	return slices.Collect(slices.Chunk(p.Numbers, 1))
}

// attach adds a gateway, and attaches its numbers to it.
func (a *account) attach(gw *gateway) {
	a.gateways.add(gw.ID, gw)
	for _, e164 := range gw.Numbers {
		*a.number(e164).attached(gw.Direction) = gw.ID
	}
}

// numberWithGateways is one entry of a list of phone numbers.
type numberWithGateways struct {
	PhoneNumber phoneNumberObject `json:"phoneNumber"`
	Inbound     *gatewayObject    `json:"inbound"`
	Outbound    *gatewayObject    `json:"outbound"`
}

func (a *account) withGateways(n *phoneNumber) numberWithGateways {
	return numberWithGateways{
		PhoneNumber: n.phoneNumberObject,
		Inbound:     a.gatewayOfNumber(n.Inbound),
		Outbound:    a.gatewayOfNumber(n.Outbound),
	}
}

// gatewayOfNumber returns what the API shows of a gateway beside its number, nil for
// no id: an inbound one without its credentials.
func (a *account) gatewayOfNumber(id string) *gatewayObject {
	if id == "" {
		return nil
	}
	gw := a.gateways.get(id)
	shown := gw.gatewayObject
	if gw.Direction == directionInbound {
		shown.Auth = sipAuth{}
	}
	return &shown
}

func (s *Server) listPhoneNumbers(r *request) (answer, error) {
	query := r.URL.Query()
	search := query.Get("search")
	found := s.account.numbers.where(func(n *phoneNumber) bool {
		return !n.Released && (contains(n.Name, search) || contains(n.E164, search))
	})
	numbers, err := paginate(query, found, pageSize{byDefault: 20, limit: 100})
	return ok(mapPage(numbers, s.account.withGateways)), err
}

func (s *Server) getPhoneNumber(r *request) (answer, error) {
	n := s.account.number(r.PathValue("e164"))
	if n == nil {
		return answer{}, errUnknownNumber()
	}
	return ok(s.account.withGateways(n)), nil
}

func errUnknownNumber() error { return notFound("Phone number not found") }

func (s *Server) detachPhoneNumber(r *request) (answer, error) {
	var p struct {
		Number string `json:"phoneNumber"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if p.Number == "" {
		return answer{}, badRequest("phoneNumber is required")
	}
	n := s.account.number(p.Number)
	if n == nil {
		return answer{}, errUnknownNumber()
	}
	if n.Inbound == "" && n.Outbound == "" {
		return answer{}, badRequest("Phone number %s is not attached to any gateway", p.Number)
	}
	was := *n
	s.account.detach(n)
	return ok(struct {
		Message     string            `json:"message"`
		PhoneNumber phoneNumberObject `json:"phoneNumber"`
		Inbound     nullable          `json:"inbound"`
		Outbound    nullable          `json:"outbound"`
	}{"Detached successfully", n.phoneNumberObject, nullable(was.Inbound), nullable(was.Outbound)}), nil
}

// detach takes a number from its gateways. These stay, even without a number.
func (a *account) detach(n *phoneNumber) {
	for _, id := range []string{n.Inbound, n.Outbound} {
		if gw := a.gateways.get(id); gw != nil {
			gw.Numbers = without(gw.Numbers, n.E164)
		}
	}
	n.Inbound, n.Outbound = "", ""
	n.UpdatedAt = timestamp(time.Now())
}

func (s *Server) releasePhoneNumber(r *request) (answer, error) {
	n := s.account.numbers.get(r.PathValue("phoneNumberId"))
	if n == nil {
		return answer{}, errUnknownNumber()
	}
	if !n.Released {
		s.account.release(n)
	}
	return ok(struct {
		Message string `json:"message"`
		ID      string `json:"phoneNumberId"`
		E164    string `json:"e164"`
	}{"Phone number released successfully", n.ID, n.E164}), nil
}

// release makes a number unknown to the account. Only its id is remembered.
func (a *account) release(n *phoneNumber) {
	a.detach(n)
	for _, rule := range a.rules.order {
		rule.Numbers = without(rule.Numbers, n.E164)
	}
	for _, rule := range a.gatewayRules.order {
		rule.Numbers = without(rule.Numbers, n.E164)
	}
	delete(a.byE164, n.E164)
	n.Released = true
}

// checkNumbers refuses any number that is not in E.164 form.
func checkNumbers(field string, numbers []string) error {
	for _, e164 := range numbers {
		if !isE164(e164) {
			return badRequest("%s: %q is not an E.164 number", field, e164)
		}
	}
	return nil
}

// isE164 tells whether s is a number in E.164 form: +, and 2 to 15 digits of
// which the first is not 0.
func isE164(s string) bool {
	digits, international := strings.CutPrefix(s, "+")
	isDigit := func(r rune) bool { return '0' <= r && r <= '9' }
	return international && len(digits) >= 2 && len(digits) <= 15 && digits[0] != '0' &&
		strings.TrimLeftFunc(digits, isDigit) == ""
}

// countryCode knows the countries in which the API has a region; the others
// have none.
func countryCode(e164 string) string {
	switch {
	case strings.HasPrefix(e164, "+1"):
		return "US"
	case strings.HasPrefix(e164, "+91"):
		return "IN"
	default:
		return ""
	}
}

// contains is a case-insensitive search; everything contains "".
func contains(text, search string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(search))
}

// unique returns the items once each, in the order of their first appearance.
func unique(items []string) []string {
	seen := make(map[string]bool)
	return slices.DeleteFunc(slices.Clone(items), func(item string) bool {
		again := seen[item]
		seen[item] = true
		return again
	})
}

func without(items list, gone string) list {
	return slices.DeleteFunc(slices.Clone(items), func(item string) bool { return item == gone })
}
