package videosdk

import (
	"cmp"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
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
	f.check(!isEmpty(value), field, "is required")
}

// isEmpty reports whether a text has nothing but white space.
func isEmpty(text string) bool { return strings.TrimSpace(text) == "" }

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
	case isEmpty(value):
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
		f.check(!isEmpty(*value), field, "must not be empty")
	}
}

// text checks that encoding/json and the JWT library will write a text as it is:
// in place of bytes that are not UTF-8 they put a mark, and say nothing.
func (f *faults) text(field, value string) {
	f.check(utf8.ValidString(value), field, "is not valid UTF-8")
}

// texts checks every text of a body that has been encoded, so that it does not
// contain itself. field is where v is in it.
func (f *faults) texts(field string, v reflect.Value) {
	if !v.IsValid() || encodesItself(v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		f.texts(field, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if name, ok := jsonName(v.Type().Field(i)); ok {
				f.texts(join(field, name), v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			f.texts(fmt.Sprintf("%s[%d]", field, i), v.Index(i))
		}
	case reflect.Map:
		values := make(map[string]reflect.Value, v.Len())
		for each := v.MapRange(); each.Next(); {
			values[fmt.Sprint(each.Key())] = each.Value()
		}
		for _, key := range slices.Sorted(maps.Keys(values)) {
			f.mapped(field, key, values[key])
		}
	case reflect.String:
		f.text(cmp.Or(field, "body"), v.String())
	}
}

// mapped checks what a map holds under a key. What becomes a header of a SIP
// message must not end it and begin another.
func (f *faults) mapped(field, key string, value reflect.Value) {
	if !utf8.ValidString(key) {
		f.add(cmp.Or(field, "body"), "has a key that is not valid UTF-8")
		return
	}
	path := join(field, cut(oneLine(key), keptKey))
	if (field == "headers" || field == "headersToAttributes") && value.Kind() == reflect.String {
		f.check(!strings.ContainsFunc(key, isControl), field, "has a name with control characters")
		f.check(!strings.ContainsFunc(value.String(), isControl), path, "must not contain control characters")
	}
	f.texts(path, value)
}

// keptKey is how much of the key of a map an error names.
const keptKey = 64

func join(field, name string) string {
	if field == "" || name == "" {
		return field + name
	}
	return field + "." + name
}

// jsonName returns under which name encoding/json writes a field, empty for a
// struct whose fields count as those of the one around it.
func jsonName(f reflect.StructField) (name string, ok bool) {
	tag := f.Tag.Get("json")
	name, _, _ = strings.Cut(tag, ",")
	if f.Anonymous && name == "" {
		return "", true
	}
	return cmp.Or(name, f.Name), f.IsExported() && tag != "-"
}

// encodesItself reports whether a value writes its own JSON. As encoding/json does,
// it also looks for a method of the pointer where there is an address to point to.
func encodesItself(v reflect.Value) bool {
	return isEncoder(v.Type()) || v.CanAddr() && isEncoder(reflect.PointerTo(v.Type()))
}

func isEncoder(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

// notEncodable says why a body cannot be JSON. The errors of encoding/json may
// quote what is in the body, so not all of them are repeated.
func notEncodable(err error) string {
	var (
		unknown *json.UnsupportedTypeError
		value   *json.UnsupportedValueError
		failed  *json.MarshalerError
	)
	switch {
	case errors.As(err, &failed):
		return "cannot be JSON: a " + failed.Type.String() + " in it fails to encode itself"
	case errors.As(err, &unknown), errors.As(err, &value):
		return "cannot be JSON: " + err.Error()
	default:
		return "cannot be JSON"
	}
}
