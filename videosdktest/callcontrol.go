package videosdktest

import (
	"fmt"
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
// that number takes the call, which then lives by the script of [Server.Callee]
// for to. A number without such a rule, or without an inbound gateway, is an
// error.
func (s *Server) InboundCall(from, to string) (callID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rule := s.account.inboundRule(to)
	if rule == nil {
		return "", fmt.Errorf("videosdktest: no inbound rule takes calls to %s", to)
	}
	gw := s.account.gateway(s.account.number(to).Inbound)
	if gw == nil {
		return "", fmt.Errorf("videosdktest: %s is not attached to an inbound gateway", to)
	}
	c := line{rule: rule, gateway: gw, from: from}.newCall(directionInbound, to)
	s.place(c, callLife{})
	return c.ID, nil
}
