package videosdk

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// faults collects what is wrong with a request, so that the caller hears of
// everything at once.
type faults struct{ fields []*FieldError }

func (f *faults) add(field, problem string) {
	f.fields = append(f.fields, &FieldError{Field: field, Problem: problem})
}

func (f *faults) check(ok bool, field, problem string) {
	if !ok {
		f.add(field, problem)
	}
}

func (f *faults) require(field, value string) {
	f.check(strings.TrimSpace(value) != "", field, "is required")
}

// number checks that a value is an E.164 number.
func (f *faults) number(field, value string) {
	f.check(isE164(value), field, "must be an E.164 number, such as +14155550123")
}

// numbers checks a list of numbers that may not be empty.
func (f *faults) numbers(field string, values []string) {
	f.check(len(values) > 0, field, "needs at least one number")
	for i, value := range values {
		f.number(fmt.Sprintf("%s[%d]", field, i), value)
	}
}

// auth checks SIP credentials, which are optional as a whole.
func (f *faults) auth(field string, auth *SIPAuth) {
	if auth == nil {
		return
	}
	f.require(field+".username", auth.Username)
	f.require(field+".password", auth.Password)
}

// id checks an id that becomes a segment of the path.
func (f *faults) id(field, value string) {
	switch {
	case strings.TrimSpace(value) == "":
		f.add(field, "is required")
	case value == "." || value == "..":
		f.add(field, "must not be . or ..")
	case strings.ContainsFunc(value, isControl):
		f.add(field, "must not contain control characters")
	}
}

// err returns the faults as an error of an operation, or nil.
func (f *faults) err(operation string) error {
	if len(f.fields) == 0 {
		return nil
	}
	return &ValidationError{Operation: operation, Fields: f.fields}
}

// isE164 follows ITU-T E.164: a plus and at most 15 digits, of which the
// first, the country code's, is not 0.
func isE164(number string) bool {
	digits, ok := strings.CutPrefix(number, "+")
	if !ok || len(digits) < 2 || len(digits) > 15 || digits[0] == '0' {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// isSIPURI accepts what a SIP URI must have: a scheme and something after it
// without white space. The rest is the gateway's to judge.
func isSIPURI(s string) bool {
	scheme, rest, _ := strings.Cut(s, ":")
	return (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips")) &&
		rest != "" && !strings.ContainsFunc(rest, isSpaceOrControl)
}

// callee checks what is dialled: a number or a SIP URI.
func (f *faults) callee(field, value string) {
	f.check(isE164(value) || isSIPURI(value), field,
		"must be an E.164 number, such as +14155550123, or a SIP URI, such as sip:alice@example.com")
}

// seconds checks a duration that travels in whole seconds.
func (f *faults) seconds(field string, d time.Duration) {
	f.check(d >= 0 && d%time.Second == 0, field, "must be whole seconds and not negative")
}

// anyField checks that the params of an update, given by pointer, change
// something.
func (f *faults) anyField(params any) {
	f.check(!reflect.ValueOf(params).Elem().IsZero(), "params", "change nothing: set at least one field")
}

// notBlank checks a text that may be absent, but not empty.
func (f *faults) notBlank(field string, value *string) {
	if value != nil {
		f.check(strings.TrimSpace(*value) != "", field, "must not be empty")
	}
}
