package videosdktest

import (
	"net/http"
	"slices"
	"strings"
)

const (
	directionInbound  = "inbound"
	directionOutbound = "outbound"
)

func directions() []string { return []string{directionInbound, directionOutbound} }

// gateway is a SIP gateway of the account, of either direction and generation.
type gateway struct {
	gatewayObject
	Direction string `json:"direction"`
	Deleted   bool   `json:"deleted"`
}

// gatewayObject is a gateway as the API shows it.
type gatewayObject struct {
	ID                string            `json:"id"`
	Name              string            `json:"name"`
	Address           nullable          `json:"address"`
	Numbers           list              `json:"numbers"`
	AllowedAddresses  list              `json:"allowedAddresses"`
	AllowedNumbers    list              `json:"allowedNumbers"`
	MediaEncryption   string            `json:"mediaEncryption"`
	Transport         nullable          `json:"transport"`
	Record            bool              `json:"record"`
	NoiseCancellation bool              `json:"noiseCancellation"`
	EnableDTMF        bool              `json:"enableDtmf"`
	Tags              list              `json:"tags"`
	Auth              sipAuth           `json:"auth"`
	Region            nullable          `json:"geoRegion"`
	Metadata          map[string]string `json:"metadata"`
}

// sipAuth are SIP credentials; without any, it shows as {}.
type sipAuth struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

// check accepts no credentials, or both fields.
func (a *sipAuth) check(field string) error {
	if a != nil && (a.Username == "" || a.Password == "") {
		return badRequest("%s needs username and password", field)
	}
	return nil
}

func newGateway(direction string) *gateway {
	gw := &gateway{Direction: direction}
	gw.ID = newID("gw_")
	gw.MediaEncryption = "disable"
	gw.Metadata = map[string]string{}
	if direction == directionOutbound {
		gw.Transport = "tls"
	}
	return gw
}

func checkTransport(field string, transport *string) error {
	return checkOneOf(field, transport, "udp", "tcp", "tls")
}

func checkMediaEncryption(mode *string) error {
	return checkOneOf("mediaEncryption", mode, "enable", "disable")
}

// checkOneOf accepts the values allowed, and none at all. "" is a value.
func checkOneOf(field string, value *string, allowed ...string) error {
	if value != nil && !slices.Contains(allowed, *value) {
		return badRequest("%s must be one of %q", field, allowed)
	}
	return nil
}

// gatewayRoutes are the endpoints of the gateways of one direction.
type gatewayRoutes struct {
	*Server
	direction string
}

func (s *Server) routeGateways(rt *router) {
	for _, direction := range directions() {
		g := gatewayRoutes{s, direction}
		base := "/v2/sip/" + direction + "-gateways"
		rt.handle(http.MethodPost, base, g.create)
		rt.handle(http.MethodGet, base, g.list)
		rt.handle(http.MethodGet, base+"/{gatewayId}", with(g.find, g.get))
		rt.handle(http.MethodPatch, base+"/{gatewayId}", with(g.find, g.update))
		rt.handle(http.MethodDelete, base+"/{gatewayId}", with(g.find, g.delete))
	}
	// The spelling of one old page.
	g := gatewayRoutes{s, directionOutbound}
	rt.handle(http.MethodPut, "/v2/sip/outbound-gateways/{gatewayId}", with(g.find, g.update))
}

// gatewayParams are the fields of a gateway that can be set. The four that are
// no pointers are reset when an update leaves them out; the others then stay.
type gatewayParams struct {
	Name              *string            `json:"name"`
	Address           *string            `json:"address"`
	Transport         *string            `json:"transport"`
	Numbers           *list              `json:"numbers"`
	AllowedAddresses  *list              `json:"allowedAddresses"`
	AllowedNumbers    *list              `json:"allowedNumbers"`
	MediaEncryption   *string            `json:"mediaEncryption"`
	Record            bool               `json:"record"`
	NoiseCancellation bool               `json:"noiseCancellation"`
	EnableDTMF        bool               `json:"enableDtmf"`
	Tags              *list              `json:"tags"`
	Auth              *sipAuth           `json:"auth"`
	Region            string             `json:"geoRegion"`
	Metadata          *map[string]string `json:"metadata"`
}

// check is what holds for a gateway of a direction, new or old.
func (p gatewayParams) check(direction string) error {
	switch {
	case isBlank(p.Name):
		return badRequest("name must not be empty")
	case direction == directionOutbound && isBlank(p.Address):
		return badRequest("address must not be empty")
	}
	if err := checkTransport("transport", p.Transport); err != nil {
		return err
	}
	if err := checkMediaEncryption(p.MediaEncryption); err != nil {
		return err
	}
	if or(p.Auth, sipAuth{}) == (sipAuth{}) {
		return nil // {} is how an answer says that there are none
	}
	return p.Auth.check("auth")
}

func (p gatewayParams) apply(gw *gateway) {
	gw.Name = or(p.Name, gw.Name)
	if gw.Direction == directionOutbound {
		gw.Address = nullable(or(p.Address, string(gw.Address)))
		gw.Transport = nullable(or(p.Transport, string(gw.Transport)))
	}
	gw.Numbers = unique(or(p.Numbers, gw.Numbers))
	gw.AllowedAddresses = or(p.AllowedAddresses, gw.AllowedAddresses)
	gw.AllowedNumbers = or(p.AllowedNumbers, gw.AllowedNumbers)
	gw.MediaEncryption = or(p.MediaEncryption, gw.MediaEncryption)
	gw.Record = p.Record
	gw.NoiseCancellation = p.NoiseCancellation
	gw.EnableDTMF = p.EnableDTMF
	gw.Tags = or(p.Tags, gw.Tags)
	gw.Auth = or(p.Auth, gw.Auth)
	gw.Region = nullable(p.Region)
	gw.Metadata = or(p.Metadata, gw.Metadata)
}

func (g gatewayRoutes) create(r *request) (answer, error) {
	var p gatewayParams
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	switch {
	case p.Name == nil:
		return answer{}, badRequest("name is required")
	case len(or(p.Numbers, nil)) == 0:
		return answer{}, badRequest("numbers is required")
	case g.direction == directionOutbound && p.Address == nil:
		return answer{}, badRequest("address is required")
	}
	if err := p.check(g.direction); err != nil {
		return answer{}, err
	}
	gw := newGateway(g.direction)
	if g.direction == directionOutbound {
		p.AllowedAddresses, p.AllowedNumbers = nil, nil
	}
	p.apply(gw)
	g.account.gateways.add(gw.ID, gw)
	return created(gw.gatewayObject), nil
}

func (g gatewayRoutes) list(r *request) (answer, error) {
	query := r.URL.Query()
	id, search := query.Get("id"), query.Get("search")
	found := g.account.gateways.where(func(gw *gateway) bool {
		return gw.Direction == g.direction && !gw.Deleted && isOrAny(id, gw.ID) && contains(gw.Name, search)
	})
	gateways, err := paginate(query, found, usualPageSize())
	return ok(mapPage(gateways, func(gw *gateway) gatewayObject { return gw.gatewayObject })), err
}

// find returns the gateway that a path names.
func (g gatewayRoutes) find(r *request) (*gateway, error) {
	gw := g.account.gateway(r.PathValue("gatewayId"))
	if gw == nil || gw.Direction != g.direction {
		return nil, errUnknownGateway()
	}
	return gw, nil
}

func (g gatewayRoutes) get(_ *request, gw *gateway) (answer, error) {
	return ok(gw.gatewayObject), nil
}

func (g gatewayRoutes) update(r *request, gw *gateway) (answer, error) {
	var p gatewayParams
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if err := p.check(g.direction); err != nil {
		return answer{}, err
	}
	before := gw.Numbers
	p.apply(gw)
	g.account.detachFrom(gw, before)
	return ok(gw.gatewayObject), nil
}

// delete is soft: the gateway is remembered, for the calls that name it.
func (g gatewayRoutes) delete(_ *request, gw *gateway) (answer, error) {
	before := gw.Numbers
	gw.Numbers, gw.Deleted = nil, true
	g.account.detachFrom(gw, before)
	return ok(message{"Gateway deleted successfully"}), nil
}

// detachFrom detaches from a gateway the numbers that it had before, as far as
// it has them no more.
func (a *account) detachFrom(gw *gateway, before []string) {
	for _, e164 := range before {
		n := a.number(e164)
		if n != nil && *n.attached(gw.Direction) == gw.ID && !slices.Contains(gw.Numbers, e164) {
			*n.attached(gw.Direction) = ""
		}
	}
}

// gateway returns the gateway of an id, or nil when it is unknown or deleted.
func (a *account) gateway(id string) *gateway {
	gw := a.gateways.get(id)
	if gw == nil || gw.Deleted {
		return nil
	}
	return gw
}

func errUnknownGateway() error { return notFound("Gateway not found") }

// or returns what value points to, or else otherwise.
func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// isBlank tells whether a text is there, but says nothing.
func isBlank(text *string) bool { return text != nil && strings.TrimSpace(*text) == "" }
