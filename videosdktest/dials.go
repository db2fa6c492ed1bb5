package videosdktest

import (
	"encoding/json"
	"time"
)

// Dial is one real dial: a phone somewhere was made to ring, or would have been.
// Calls of every origin count: single calls, those of the trunk generation,
// transfers, and batch calls with each of their retries.
type Dial struct {
	CallID   string
	To       string         // number or SIP URI that was dialled
	From     string         // caller id
	Time     time.Time      // of the dial
	Metadata map[string]any // of the call; nil when it has none
	Settings CallSettings   // that the call is made with
}

// CallSettings are the settings of an outbound call. With a routing rule, they
// come from the rule.
type CallSettings struct {
	RecordAudio     bool
	HidePhoneNumber bool
	DTMF            bool
	Digits          string            // to send as DTMF; "" when DTMF is just on or off
	MediaEncryption string            // "enable" or "disable"
	Headers         map[string]string // extra SIP headers
	IncludeHeaders  []string          // such as "SIP_X_HEADERS"
}

// Dials returns every dial so far, in order.
func (s *Server) Dials() []Dial {
	s.mu.Lock()
	defer s.mu.Unlock()
	dials := make([]Dial, len(s.dials.all))
	for i, d := range s.dials.all {
		dials[i] = d.public()
	}
	return dials
}

// DialCount returns how often a number, or SIP URI, was dialled.
func (s *Server) DialCount(to string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials.count[to]
}

// dialLog records dials.
type dialLog struct {
	all   []dial
	count map[string]int // by callee
}

// dial keeps to what a call does not know of itself: it may be transferred, and
// there may be millions.
type dial struct {
	call *call
	to   string
	time time.Time
}

func newDialLog() dialLog { return dialLog{count: make(map[string]int)} }

func (l *dialLog) add(c *call, to string) {
	l.all = append(l.all, dial{call: c, to: to, time: time.Now()})
	l.count[to]++
}

func (d dial) public() Dial {
	var metadata map[string]any
	_ = json.Unmarshal(d.call.Metadata, &metadata) // an object, or nothing
	return Dial{
		CallID:   d.call.ID,
		To:       d.to,
		From:     d.call.From,
		Time:     d.time,
		Metadata: metadata,
		Settings: d.call.settings,
	}
}
