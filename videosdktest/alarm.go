package videosdktest

import "time"

// alarm is something that happens later. A timer costs a goroutine only while
// it fires, so that a million calls can be up at once.
type alarm struct{ timer *time.Timer }

// later calls f under the lock once d has passed, unless the alarm is cancelled
// or the server closes before. The caller holds the lock.
func (s *Server) later(d time.Duration, f func()) *alarm {
	if s.closed {
		return nil
	}
	a := &alarm{}
	s.alarms[a] = struct{}{}
	s.background.Add(1)
	a.timer = time.AfterFunc(d, func() {
		defer s.background.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, pending := s.alarms[a]; !pending {
			return // cancelled while it waited for the lock
		}
		delete(s.alarms, a)
		f()
	})
	return a
}

// cancel takes an alarm back. One that is nil or has gone off is left alone.
func (s *Server) cancel(a *alarm) {
	if _, pending := s.alarms[a]; !pending {
		return
	}
	delete(s.alarms, a)
	if a.timer.Stop() {
		s.background.Done()
	}
}

// stopCalls takes back every alarm and lets no new one be set, so that calls
// stay as they are.
func (s *Server) stopCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for a := range s.alarms {
		s.cancel(a)
	}
}
