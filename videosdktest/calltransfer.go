package videosdktest

import (
	"encoding/json"
	"slices"
	"time"
)

// transferCall sends an answered call to another number by SIP REFER. The call
// itself stays up throughout, also with the status transferred or
// transfer-failed, until somebody ends it, such as who is on the phone at that
// number.
func (s *Server) transferCall(r *request) (answer, error) {
	var p struct {
		CallID string `json:"callId"`
		To     string `json:"transferTo"`

		// Of no effect here, but of a shape that is known.
		Participant  map[string]json.RawMessage `json:"participant"`
		PlayDialtone bool                       `json:"playDialtone"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	c, err := s.account.call(p.CallID)
	switch {
	case err != nil:
		return answer{}, err
	case p.To == "":
		return answer{}, badRequest("transferTo is required")
	case !isDialable(p.To):
		return answer{}, badRequest("transferTo must be an E.164 number or a SIP URI")
	case !c.isUp():
		return answer{}, badRequest("Call must be answered to be transferred, but is %s", c.Status)
	case c.isTransferring():
		return answer{}, badRequest("Call is being transferred already")
	}
	s.transfer(c, p.To)
	return ok(callAnswer{"Call transfer initiated successfully", c.object()}), nil
}

func (c *call) isTransferring() bool {
	switch c.Status {
	case statusTransferInitiated, statusTransferAccepted, statusTransferring, statusTransferRinging:
		return true
	default:
		return false
	}
}

func (s *Server) transfer(c *call, to string) {
	s.dials.add(c, to)
	s.cancel(c.live.other)
	s.setStatus(c, statusTransferInitiated)
	target := callLife{script: s.scriptOf(to), ringing: defaultRinging}
	s.proceed(c, 0, func() {
		s.setStatus(c, statusTransferAccepted)
		s.setStatus(c, statusTransferring)
		s.proceed(c, target.script.Ring, func() { s.ringTarget(c, target) })
	})
}

func (s *Server) ringTarget(c *call, target callLife) {
	if target.script.outcome == fails {
		s.setStatus(c, statusTransferFailed)
		return
	}
	s.setStatus(c, statusTransferRinging)
	wait, status := target.reaction()
	s.proceed(c, wait, func() {
		if status == statusAnswered {
			s.connectTarget(c, target)
		} else {
			s.setStatus(c, statusTransferFailed)
		}
	})
}

// connectTarget lets the new callee talk, and hang up.
func (s *Server) connectTarget(c *call, target callLife) {
	s.setStatus(c, statusTransferred)
	if talk := target.talk(); talk > 0 {
		c.live.other = s.later(talk, func() { s.setStatus(c, statusEnded) })
	}
}

// switchRoom moves an answered call to another room. Its status stays what it
// is; the switch shows in the timelog and in events.
func (s *Server) switchRoom(r *request) (answer, error) {
	var p struct {
		CallID string `json:"callId"`
		RoomID string `json:"roomId"`

		// Of no effect here, but of a shape that is known.
		Token         string `json:"token"`
		ParticipantID string `json:"participantId"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	c, err := s.account.call(p.CallID)
	switch {
	case err != nil:
		return answer{}, err
	case p.RoomID == "":
		return answer{}, badRequest("roomId is required")
	case !c.isUp():
		return answer{}, badRequest("Call must be active to switch rooms, but is %s", c.Status)
	case c.isTransferring():
		return answer{}, badRequest("Call is being transferred")
	case !s.account.isActiveRoom(p.RoomID):
		return answer{}, badRequest("Room %s is not active", p.RoomID)
	}
	s.note(c, statusSwitchInitiated, time.Now())
	s.proceed(c, 0, func() {
		c.RoomID = p.RoomID
		s.note(c, statusSwitchCompleted, time.Now())
	})
	return ok(callAnswer{"Call room switch initiated successfully", c.object()}), nil
}

// isActiveRoom knows the rooms that were made through the API, and those that a
// call has made by being in them.
func (a *account) isActiveRoom(id string) bool {
	if room := a.rooms.get(id); room != nil {
		return !room.Disabled
	}
	return slices.ContainsFunc(a.calls.order, func(c *call) bool { return c.RoomID == id && c.live != nil })
}
