package videosdktest

// numberGatewayUpdate is the body that changes the gateway of phone numbers.
type numberGatewayUpdate struct {
	Name            *string  `json:"name"`
	MediaEncryption *string  `json:"mediaEncryption"`
	Region          *string  `json:"sipRegion"`
	Address         *string  `json:"address"`
	Transport       *string  `json:"transport"`
	Auth            *sipAuth `json:"auth"`

	// What cannot be changed, in any shape.
	PhoneNumbers any `json:"phoneNumbers"`
	Numbers      any `json:"numbers"`
	IsShared     any `json:"isShared"`
}

func (p numberGatewayUpdate) check(direction string) error {
	switch {
	case p.PhoneNumbers != nil || p.Numbers != nil || p.IsShared != nil:
		return badRequest("phoneNumbers, numbers and isShared cannot be changed")
	case direction == directionInbound && (p.Address != nil || p.Transport != nil || p.Auth != nil):
		return badRequest("address, transport and auth cannot be set on an inbound gateway")
	case isBlank(p.Name):
		return badRequest("name must not be empty")
	case isBlank(p.Address):
		return badRequest("address must not be empty")
	}
	if err := checkMediaEncryption(p.MediaEncryption); err != nil {
		return err
	}
	if err := checkTransport("transport", p.Transport); err != nil {
		return err
	}
	return p.Auth.check("auth")
}

func (s *Server) updateNumberGateway(r *request) (answer, error) {
	gw := s.account.gateway(r.PathValue("gatewayId"))
	if gw == nil {
		return answer{}, errUnknownGateway()
	}
	var p numberGatewayUpdate
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if err := p.check(gw.Direction); err != nil {
		return answer{}, err
	}
	gw.Name = or(p.Name, gw.Name)
	gw.MediaEncryption = or(p.MediaEncryption, gw.MediaEncryption)
	gw.Region = nullable(or(p.Region, string(gw.Region)))
	gw.Address = nullable(or(p.Address, string(gw.Address)))
	gw.Transport = nullable(or(p.Transport, string(gw.Transport)))
	gw.Auth = or(p.Auth, gw.Auth)
	return ok(message{"Gateway updated successfully"}), nil
}
