package videosdktest

import (
	"fmt"
	"time"
)

// Callee is what happens at one number: the person, or machine, that calls ring
// at. It begins with the timing of [WithCallTiming] and answers. What is changed
// holds for the calls that are placed afterwards.
type Callee struct {
	server *Server
	number string
}

// Callee returns the callee of a number, in E.164, or of a SIP URI, exactly as
// calls name it. For calls from [Server.InboundCall] the callee is the account's
// own number, and with it the room or agent behind that. It panics when number is
// neither: no call would meet the script, and a test would try nothing.
func (s *Server) Callee(number string) *Callee {
	if !isDialable(number) {
		panic(fmt.Sprintf("videosdktest: no call reaches %q: a callee is an E.164 number or a SIP URI", number))
	}
	return &Callee{server: s, number: number}
}

// RingsAfter sets the time from initiated to ringing.
func (c *Callee) RingsAfter(d time.Duration) *Callee {
	return c.change(func(s *script) { s.Ring = d })
}

// AnswersAfter makes the callee answer, d after it has begun to ring, unless the
// ringingTimeout of the call is over by then: see [Callee.NeverAnswers].
func (c *Callee) AnswersAfter(d time.Duration) *Callee {
	return c.change(func(s *script) { s.Answer, s.outcome = d, answers })
}

// HangsUpAfter makes the callee hang up, d after it has answered, also a call that
// was transferred to it; 0 or less leaves that to others. A call of a batch ends
// after 1 s then.
func (c *Callee) HangsUpAfter(d time.Duration) *Callee {
	return c.change(func(s *script) { s.HangUp = d })
}

// Rejects makes the callee reject calls, after ringing for as long as it would
// otherwise have taken to answer.
func (c *Callee) Rejects() *Callee {
	return c.change(func(s *script) { s.outcome = rejects })
}

// NeverAnswers lets the callee ring until the ringingTimeout of the call, 60 s
// unless the call says otherwise.
func (c *Callee) NeverAnswers() *Callee {
	return c.change(func(s *script) { s.outcome = neverAnswers })
}

// Fails makes calls fail instead of ringing, as when the number does not exist.
func (c *Callee) Fails() *Callee {
	return c.change(func(s *script) { s.outcome = fails })
}

func (c *Callee) change(f func(*script)) *Callee {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	script := c.server.scriptOf(c.number)
	f(&script)
	c.server.scripts[c.number] = script
	return c
}

// script is how a callee treats calls.
type script struct {
	Timing
	outcome outcome
}

// outcome is what comes of a call to a callee.
type outcome int

const (
	answers outcome = iota
	rejects
	neverAnswers
	fails
)

func (s *Server) scriptOf(number string) script {
	if script, scripted := s.scripts[number]; scripted {
		return script
	}
	return script{Timing: s.timing}
}
