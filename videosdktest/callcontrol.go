package videosdktest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// SetCallStatus gives a call a status, documented or not, as if it had come to
// that by itself: in the timelog, and to webhooks. It takes the call out of the
// hands of its callee's script, except that an answered one still hangs up. A
// call that is not known, or has ended, is an error.
func (s *Server) SetCallStatus(callID, status string) error {
	return s.steer(callID, func(c *call) { s.setStatus(c, strings.ToLower(status)) })
}

// HangUp ends a call from the side of the phone: an answered one ends; one that
// is not answered yet is rejected, or abandoned by its caller when it is
// inbound. A call that is not known, or has ended, is an error.
func (s *Server) HangUp(callID string) error {
	return s.steer(callID, func(c *call) {
		switch {
		case c.isUp():
			s.setStatus(c, statusEnded)
		case c.Type == directionInbound:
			s.setStatus(c, statusAbandoned)
		default:
			s.setStatus(c, statusRejected)
		}
	})
}

func (s *Server) steer(callID string, f func(*call)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.account.calls.get(callID)
	switch {
	case c == nil:
		return fmt.Errorf("videosdktest: no call %q", callID)
	case c.live == nil:
		return fmt.Errorf("videosdktest: call %s has ended: %s", callID, c.Status)
	}
	s.cancel(c.live.next)
	f(c)
	return nil
}

// InboundCall calls a number of the account from outside. The inbound rule of
// that number takes the call, or else one of an inbound gateway that names the
// number, unless that is the account's and has left the gateway. The call then
// lives by the script of [Server.Callee] for to, unless the allowedNumbers of the
// rule or of the gateway leave from out: it is rejected then. A number without a
// rule, or without an inbound gateway, is an error.
func (s *Server) InboundCall(from, to string) (callID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line, err := s.account.lineIn(from, to)
	if err != nil {
		return "", err
	}
	c := line.newCall(directionInbound, to)
	s.place(c, callLife{})
	if !line.allows(from) {
		s.setStatus(c, statusRejected)
	}
	return c.ID, nil
}

// lineIn is the way that a call from outside takes.
func (a *account) lineIn(from, to string) (line, error) {
	if rule := a.inboundRule(to); rule != nil {
		gw := a.gateway(a.number(to).Inbound)
		if gw == nil {
			return line{}, fmt.Errorf("videosdktest: %s is not attached to an inbound gateway", to)
		}
		return line{rule: rule, gateway: gw, from: from}, nil
	}
	for _, rule := range a.gatewayRules.order {
		gw := a.gateway(rule.GatewayID)
		if rule.routes(to) && gw != nil && gw.Direction == directionInbound && a.mayHave(gw, to) {
			return line{rule: rule.current(), gateway: gw, from: from}, nil
		}
	}
	return line{}, fmt.Errorf("videosdktest: no inbound rule takes calls to %s", to)
}

// mayHave tells whether calls to a number come in by a gateway. Of a number that is
// not the account's, only the rule says so.
func (a *account) mayHave(gw *gateway, e164 string) bool {
	return a.number(e164) == nil || slices.Contains(gw.Numbers, e164)
}

// allows tells whether both the rule and the gateway let a caller in.
func (l line) allows(from string) bool {
	return isAllowed(from, l.rule.AllowedNumbers) && isAllowed(from, l.gateway.AllowedNumbers)
}

// isAllowed tells whether a number fits one of the patterns, such as "+91*".
// Without any, all do.
func isAllowed(number string, patterns []string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(pattern string) bool {
		fits, _ := path.Match(pattern, number) // a malformed pattern fits nothing
		return fits
	})
}
