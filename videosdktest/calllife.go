package videosdktest

import (
	"cmp"
	"encoding/json"
	"time"
)

// The statuses of a call, as it stores them.
const (
	statusInitiated   = "initiated"
	statusIncoming    = "incoming"
	statusRinging     = "ringing"
	statusAnswered    = "answered"
	statusEnded       = "ended"
	statusMissed      = "missed"
	statusNotAnswered = "not-answered"
	statusRejected    = "rejected"
	statusAbandoned   = "abandoned"
	statusFailed      = "failed"
	statusCompleted   = "completed" // an older name of ended

	statusTransferInitiated = "transfer-initiated"
	statusTransferAccepted  = "transfer-accepted"
	statusTransferring      = "transferring"
	statusTransferRinging   = "transfer-ringing"
	statusTransferred       = "transferred"
	statusTransferFailed    = "transfer-failed"

	statusSwitchInitiated = "switch-room-initiated"
	statusSwitchCompleted = "switch-room-completed"
	statusSwitchFailed    = "switch-room-failed"
)

// defaultRinging is how long a phone rings unless the call says otherwise.
const defaultRinging = time.Minute

// isFinal tells whether a call is over with a status.
func isFinal(status string) bool {
	switch status {
	case statusEnded, statusCompleted, statusMissed, statusNotAnswered, statusRejected, statusAbandoned, statusFailed:
		return true
	default:
		return false
	}
}

// call is one call, of either direction.
type call struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"` // its direction
	Transport nullable        `json:"transport"`
	GatewayID string          `json:"gatewayId"`
	RuleID    string          `json:"ruleId"`
	AgentID   string          `json:"agentId"`
	RoomID    string          `json:"roomId"`
	To        string          `json:"to"`
	From      string          `json:"from"`
	Region    nullable        `json:"region"`
	Status    string          `json:"status"`
	Metadata  json.RawMessage `json:"metadata"` // an object
	Timelog   []statusChange  `json:"timelog"`
	Answered  time.Time       `json:"answered,omitzero"`
	End       time.Time       `json:"end,omitzero"`

	settings CallSettings
	live     *callLife // nil once the call has ended
}

// statusChange is an entry of a timelog.
type statusChange struct {
	Status string    `json:"status"`
	Time   time.Time `json:"timestamp"`
}

// callLife is what a call needs only while it is up.
type callLife struct {
	script  script
	ringing time.Duration // after which an unanswered call is given up
	longest time.Duration // after which an answered call is ended; 0 is never
	next    *alarm        // the next step
	last    *alarm        // the end of an answered call
	other   *alarm        // the same, by whom it was transferred to
	settled chan struct{} // closed once the call is answered or has ended
	onEnd   func()        // may be nil
}

func (c *call) start() time.Time { return c.Timelog[0].Time }

// isUp tells whether the two ends are talking.
func (c *call) isUp() bool { return !c.Answered.IsZero() && c.live != nil }

// place adds a call to the account and lets it live by the script of its callee.
func (s *Server) place(c *call, life callLife) {
	life.script = s.scriptOf(c.To)
	life.settled = make(chan struct{})
	life.ringing = cmp.Or(life.ringing, defaultRinging)
	c.live = &life
	s.account.calls.add(c.ID, c)
	if c.Type == directionInbound {
		s.setStatus(c, statusIncoming)
	} else {
		s.dials.add(c, c.To)
		s.setStatus(c, statusInitiated)
	}
	s.proceed(c, life.script.Ring, func() { s.ring(c) })
}

// proceed sets the next step of a call, in place of any other.
func (s *Server) proceed(c *call, after time.Duration, step func()) {
	s.cancel(c.live.next)
	c.live.next = s.later(after, step)
}

func (s *Server) ring(c *call) {
	if c.live.script.outcome == fails {
		s.setStatus(c, statusFailed)
		return
	}
	s.setStatus(c, statusRinging)
	wait, status := c.live.reaction()
	if status == statusNotAnswered && c.Type == directionInbound {
		status = statusMissed
	}
	s.proceed(c, wait, func() { s.setStatus(c, status) })
}

// reaction is what comes of the ringing, and when.
func (l *callLife) reaction() (time.Duration, string) {
	switch {
	case l.script.outcome == neverAnswers || l.script.Answer > l.ringing:
		return l.ringing, statusNotAnswered
	case l.script.outcome == rejects:
		return l.script.Answer, statusRejected
	default:
		return l.script.Answer, statusAnswered
	}
}

// setStatus is the only way in which a call changes its status. A call that has
// ended keeps it.
func (s *Server) setStatus(c *call, status string) {
	life := c.live
	if life == nil {
		return
	}
	now := time.Now()
	c.Status = status
	switch {
	case status == statusAnswered && c.Answered.IsZero():
		s.beginTalk(c, now)
	case isFinal(status):
		s.finish(c, now)
	}
	s.note(c, status, now)
	if c.live == nil && life.onEnd != nil {
		life.onEnd()
	}
}

// note tells the timelog and webhooks of a status. On its own it leaves the call
// with the status that it has.
func (s *Server) note(c *call, status string, now time.Time) {
	c.Timelog = append(c.Timelog, statusChange{Status: status, Time: now})
	s.publishCall(c, status)
	s.changed()
}

func (s *Server) beginTalk(c *call, now time.Time) {
	c.Answered = now
	close(c.live.settled)
	if talk := c.live.talk(); talk > 0 {
		c.live.last = s.later(talk, func() { s.setStatus(c, statusEnded) })
	}
}

// talk is how long an answered call lasts, 0 for as long as nobody ends it.
func (l *callLife) talk() time.Duration {
	if l.longest <= 0 || l.script.HangUp <= 0 {
		return max(l.longest, l.script.HangUp)
	}
	return min(l.longest, l.script.HangUp)
}

func (s *Server) finish(c *call, now time.Time) {
	s.cancel(c.live.next)
	s.cancel(c.live.last)
	s.cancel(c.live.other)
	if c.Answered.IsZero() {
		close(c.live.settled)
	}
	c.live = nil
	c.End = now
}
