package videosdktest

import "net/http"

// trunk is a SIP trunk of the oldest generation.
type trunk struct {
	ID        string  `json:"trunkId"`
	Auth      sipAuth `json:"auth"`
	Name      string  `json:"name"`
	Domain    string  `json:"domain"`
	Direction string  `json:"direction"`
	Numbers   list    `json:"numbers"`
}

func (s *Server) routeTrunks(rt *router) {
	const base = "/v2/sip-trunk"
	rt.handle(http.MethodPost, base, s.createTrunk)
	rt.handle(http.MethodPut, base+"/{trunkId}", s.updateTrunk)
}

// trunkParams is the body of both: an update states the whole trunk.
type trunkParams struct {
	Auth      *sipAuth `json:"auth"`
	Name      string   `json:"name"`
	Domain    string   `json:"domain"`
	Direction *string  `json:"direction"`
	Numbers   list     `json:"numbers"`
}

func (p trunkParams) check() error {
	if len([]rune(p.Name)) < 3 {
		return badRequest("name must have at least 3 characters")
	}
	if err := checkOneOf("direction", p.Direction, directionInbound, directionOutbound); err != nil {
		return err
	}
	return p.Auth.check("auth")
}

func (p trunkParams) trunk(id string) trunk {
	return trunk{
		ID:        id,
		Auth:      or(p.Auth, sipAuth{}),
		Name:      p.Name,
		Domain:    p.Domain,
		Direction: or(p.Direction, ""),
		Numbers:   p.Numbers,
	}
}

func (s *Server) createTrunk(r *request) (answer, error) {
	var p trunkParams
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if err := p.check(); err != nil {
		return answer{}, err
	}
	added := p.trunk(newID("trunk_"))
	s.account.trunks.add(added.ID, &added)
	return ok(added), nil
}

func (s *Server) updateTrunk(r *request) (answer, error) {
	old := s.account.trunks.get(r.PathValue("trunkId"))
	if old == nil {
		return answer{}, notFound("Trunk not found")
	}
	var p trunkParams
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if err := p.check(); err != nil {
		return answer{}, err
	}
	*old = p.trunk(old.ID)
	return ok(*old), nil
}
