// Package retry decides what may be sent again, when, and how often. It knows
// neither HTTP requests nor resources: only what kind of operation failed, and
// what is known of the failure.
package retry

import "net/http"

// Class is the row of the retry table that an operation belongs to. The zero
// value is the strictest row, so that an operation whose class was forgotten
// is never repeated by mistake.
type Class uint8

const (
	// Dial rings a person, or moves one who is on the line. Sent twice, it
	// happens twice, so an unknown outcome is never repeated.
	Dial Class = iota
	// Create makes something new, and would make it twice.
	Create
	// AtomicCreate makes all or nothing, and its 409 is documented as "retry".
	AtomicCreate
	// Replace overwrites (PATCH, PUT). A late repeat could overwrite a newer
	// write of somebody else.
	Replace
	// Delete removes. One that meets 404 after an unknown outcome has done
	// its work.
	Delete
	// ContestedDelete is a Delete whose 409 is documented as "retry".
	ContestedDelete
	// Repeatable is a POST that does the same thing however often it is sent.
	Repeatable
	// Read changes nothing.
	Read
)

// Changes reports whether the operation may change something on the server.
func (c Class) Changes() bool { return c != Read }

// Deletes reports whether a 404 that follows an unknown outcome is success.
func (c Class) Deletes() bool { return c == Delete || c == ContestedDelete }

// MayOptIn reports whether a caller may ask for an unknown outcome to be
// repeated.
func (c Class) MayOptIn() bool { return c != Dial }

// RepeatsUnknown reports whether an attempt with an unknown outcome is
// repeated; optedIn says whether the caller asked for it.
func (c Class) RepeatsUnknown(optedIn bool) bool {
	switch c {
	case Read, Delete, ContestedDelete, Repeatable:
		return true
	case Replace, Create, AtomicCreate:
		return optedIn
	default:
		return false
	}
}

// RepeatsConflict reports whether a 409 is documented as worth repeating.
func (c Class) RepeatsConflict() bool { return c == AtomicCreate || c == ContestedDelete }

// Verdict is what is known of one attempt.
type Verdict uint8

const (
	// Unknown: the server may or may not have acted. The zero value, because
	// it is the careful one.
	Unknown Verdict = iota
	// Unprocessed: the server certainly did not act, and may be asked again.
	Unprocessed
	// Conflicted: the server answered 409 and did not act.
	Conflicted
	// Refused: the server answered and did not act; asking again is no use.
	Refused
	// Done: the server acted and said so.
	Done
)

// Judge tells what is known of an attempt that was answered with status, or
// of one without an answer (status 0), by whether anything of the request may
// have left this machine.
func Judge(status int, sent bool) Verdict {
	switch {
	case status == 0 && !sent:
		return Unprocessed
	case status < 200: // no answer, or 101, which is none to these requests
		return Unknown
	case status >= 200 && status < 300:
		return Done
	case status == http.StatusTooManyRequests, status == http.StatusUnauthorized:
		return Unprocessed
	case status == http.StatusConflict:
		return Conflicted
	// 303 says "done, and here is something to look at", and so does 302 in most
	// frameworks; 408 comes from gateways that lost patience, possibly with the
	// server behind them, and 499 from a server whose own client lost it.
	case status == http.StatusFound, status == http.StatusSeeOther, status == http.StatusRequestTimeout, status >= 499:
		return Unknown
	default:
		return Refused
	}
}

// Repeats reports whether an operation of this class is sent again after an
// attempt with that verdict.
func (c Class) Repeats(v Verdict, optedIn bool) bool {
	switch v {
	case Unprocessed:
		return true
	case Unknown:
		return c.RepeatsUnknown(optedIn)
	case Conflicted:
		return c.RepeatsConflict()
	default:
		return false
	}
}
