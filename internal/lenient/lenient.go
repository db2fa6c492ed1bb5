// Package lenient decodes JSON whose values do not always have the type that
// the documentation gives them: "true" for true, a number for a string, null
// or a string for an object. What fits is taken, what can be converted is
// converted, and what cannot is left at its zero value, so that one odd field
// does not cost the caller the rest of the answer.
package lenient

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Unmarshal decodes data into dst, a non-nil pointer. It fails when data is
// not JSON, or is not of the kind of dst as a whole (an array for a struct).
//
// The strict decoder of the standard library comes first, and is all that an
// answer as documented ever meets.
func Unmarshal(data []byte, dst any) error {
	strict := json.Unmarshal(data, dst)
	if strict == nil {
		return nil
	}
	var syntax *json.SyntaxError
	if errors.As(strict, &syntax) {
		return strict
	}
	target := reflect.ValueOf(dst).Elem()
	if !sameKind(data, target) {
		return strict
	}
	return decode(data, target)
}

// sameKind reports whether data has the shape that target needs as a whole.
func sameKind(data []byte, target reflect.Value) bool {
	switch target.Kind() {
	case reflect.Struct, reflect.Map:
		return firstByte(data) == '{'
	case reflect.Slice:
		return firstByte(data) == '['
	default:
		return false
	}
}

func firstByte(data []byte) byte {
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 {
		return 0
	}
	return data[0]
}

// decode takes data apart one level and gives each part to assign.
func decode(data []byte, target reflect.Value) error {
	switch target.Kind() {
	case reflect.Struct:
		return decodeStruct(data, target)
	case reflect.Map:
		return decodeMap(data, target)
	default:
		return decodeSlice(data, target)
	}
}

func decodeStruct(data []byte, target reflect.Value) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for i := range target.NumField() {
		field := target.Type().Field(i)
		if field.Anonymous && field.Tag.Get("json") == "" {
			if embedded := reflect.Indirect(target.Field(i)); embedded.Kind() == reflect.Struct {
				if err := decodeStruct(data, embedded); err != nil {
					return err
				}
			}
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" || !field.IsExported() {
			continue
		}
		if raw, ok := member(members, name); ok {
			assign(raw, target.Field(i))
		}
	}
	return nil
}

// member finds a key as encoding/json does: exactly, else in any case.
func member(members map[string]json.RawMessage, name string) (json.RawMessage, bool) {
	if raw, ok := members[name]; ok {
		return raw, true
	}
	for key, raw := range members {
		if strings.EqualFold(key, name) {
			return raw, true
		}
	}
	return nil, false
}

func decodeMap(data []byte, target reflect.Value) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	target.Set(reflect.MakeMapWithSize(target.Type(), len(members)))
	for key, raw := range members {
		value := reflect.New(target.Type().Elem()).Elem()
		assign(raw, value)
		target.SetMapIndex(reflect.ValueOf(key).Convert(target.Type().Key()), value)
	}
	return nil
}

func decodeSlice(data []byte, target reflect.Value) error {
	var elements []json.RawMessage
	if err := json.Unmarshal(data, &elements); err != nil {
		return err
	}
	target.Set(reflect.MakeSlice(target.Type(), len(elements), len(elements)))
	for i, raw := range elements {
		assign(raw, target.Index(i))
	}
	return nil
}

// assign stores one value of valid JSON in target, converted if need be, or
// the zero value if it cannot be converted.
func assign(raw json.RawMessage, target reflect.Value) {
	target.SetZero()
	if string(raw) == "null" || json.Unmarshal(raw, target.Addr().Interface()) == nil {
		return
	}
	target.SetZero()
	if _, isTime := target.Interface().(time.Time); isTime {
		target.Set(reflect.ValueOf(instant(text(raw))))
		return
	}
	switch target.Kind() {
	case reflect.Pointer:
		assignPointer(raw, target)
	case reflect.String:
		target.SetString(text(raw))
	case reflect.Bool:
		target.SetBool(truth(text(raw)))
	case reflect.Int, reflect.Int64:
		if n := number(text(raw)); math.Abs(n) < 1<<53 {
			target.SetInt(int64(n))
		}
	case reflect.Float64:
		target.SetFloat(number(text(raw)))
	case reflect.Slice:
		assignSlice(raw, target)
	case reflect.Struct, reflect.Map:
		if firstByte(raw) == '{' {
			_ = decode(raw, target) // raw is valid JSON of the right kind
		}
	}
}

// assignPointer leaves nil what an object was expected for and is none, so
// that "absent" stays visible.
func assignPointer(raw json.RawMessage, target reflect.Value) {
	if target.Type().Elem().Kind() == reflect.Struct && firstByte(raw) != '{' && !isTimePointer(target) {
		return
	}
	value := reflect.New(target.Type().Elem())
	assign(raw, value.Elem())
	target.Set(value)
}

func isTimePointer(target reflect.Value) bool {
	_, ok := target.Interface().(*time.Time)
	return ok
}

// assignSlice takes a single value for a list of one.
func assignSlice(raw json.RawMessage, target reflect.Value) {
	switch firstByte(raw) {
	case '[':
		_ = decodeSlice(raw, target) // raw is valid JSON of the right kind
	case '{':
	default:
		one := reflect.MakeSlice(target.Type(), 1, 1)
		assign(raw, one.Index(0))
		target.Set(one)
	}
}

// text returns a scalar as text, and nothing for an object or an array.
func text(raw json.RawMessage) string {
	switch firstByte(raw) {
	case '{', '[':
		return ""
	case '"':
		var s string
		_ = json.Unmarshal(raw, &s) // raw is a valid JSON string
		return s
	default:
		return string(raw)
	}
}

func truth(s string) bool {
	b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(s)))
	return err == nil && b
}

func number(s string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	return n
}

// instant reads a time from text in ISO 8601, or from Unix seconds or
// milliseconds: below this bound a number of milliseconds would be a day in
// the year 1973 or earlier.
func instant(s string) time.Time {
	const firstMillis = 1e11
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t
		}
	}
	n := number(s)
	switch {
	case n <= 0 || n > math.MaxInt64/2:
		return time.Time{}
	case n < firstMillis:
		return time.Unix(int64(n), 0).UTC()
	default:
		return time.UnixMilli(int64(n)).UTC()
	}
}
