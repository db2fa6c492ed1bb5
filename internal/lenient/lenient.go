// Package lenient decodes JSON whose values do not always have the type that
// the documentation gives them: "true" for true, a number for a string, null
// or a string for an object. What fits is taken, what can be converted is
// converted, and what cannot is left at its zero value, so that one odd field
// does not cost the caller the rest of the answer.
package lenient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/videosdk-sip-go/videosdk/internal/jsonscan"
)

// Unmarshal decodes data into dst, a non-nil pointer. It fails when data is
// not JSON, or is not of the kind of dst as a whole (an array for a struct).
//
// The strict decoder of the standard library comes first, and is all that an
// answer as documented ever meets. Another one is decoded level by level, which
// costs its size times the depth of dst: dst must not be of a type that
// contains itself.
func Unmarshal(data []byte, dst any) error {
	strict := json.Unmarshal(data, dst)
	if strict == nil || !json.Valid(data) {
		return strict
	}
	target := reflect.Indirect(reflect.ValueOf(dst))
	if !target.CanSet() || !fits(data, target.Type()) || !convert(data, target) {
		return strict
	}
	return nil
}

// fits reports whether data has the shape that t needs as a whole.
func fits(data []byte, t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return firstByte(data) == '{'
	case reflect.Slice:
		return firstByte(data) == '['
	default:
		return false
	}
}

func firstByte(data []byte) byte {
	return jsonscan.TrimLeft(data)[0] // valid JSON is not empty
}

// assign stores one value of valid JSON in target, converted if need be. It
// reports whether it could; target is zero if not.
func assign(raw []byte, target reflect.Value) bool {
	if json.Unmarshal(raw, target.Addr().Interface()) == nil {
		return true
	}
	target.SetZero() // of what was decoded before the strict decoder gave up
	return convert(raw, target)
}

// convert stores in target what the strict decoder did not accept, and reports
// whether it could.
func convert(raw []byte, target reflect.Value) bool {
	if target.Type() == reflect.TypeFor[time.Time]() {
		t, ok := instant(text(raw))
		target.Set(reflect.ValueOf(t))
		return ok
	}
	switch target.Kind() {
	case reflect.Pointer:
		return convertPointer(raw, target)
	case reflect.Slice:
		return convertSlice(raw, target)
	case reflect.Struct:
		object, ok := objectIn(raw)
		return ok && convertStruct(object, target)
	case reflect.Map:
		object, ok := objectIn(raw)
		return ok && convertMap(object, target)
	default:
		return convertScalar(raw, target)
	}
}

// convertPointer leaves nil what cannot be converted, so that "absent" stays
// visible.
func convertPointer(raw []byte, target reflect.Value) bool {
	value := reflect.New(target.Type().Elem())
	if !assign(raw, value.Elem()) {
		return false
	}
	target.Set(value)
	return true
}

// convertSlice also takes a single value for a list of one.
func convertSlice(raw []byte, target reflect.Value) bool {
	if firstByte(raw) == '[' {
		elements := split(raw)
		list := reflect.MakeSlice(target.Type(), len(elements), len(elements))
		for i, element := range elements {
			assign(element.value, list.Index(i))
		}
		target.Set(list)
		return true
	}
	one := reflect.New(target.Type().Elem()).Elem()
	if firstByte(raw) == '{' || !assign(raw, one) {
		return false
	}
	target.Set(reflect.Append(reflect.Zero(target.Type()), one))
	return true
}

// objectIn returns the object that raw is, or that it holds as a text.
func objectIn(raw []byte) (object []byte, ok bool) {
	if firstByte(raw) == '"' {
		raw = []byte(text(raw))
		if !json.Valid(raw) {
			return nil, false
		}
	}
	return raw, firstByte(raw) == '{'
}

func convertStruct(raw []byte, target reflect.Value) bool {
	fields := fieldsOf(target)
	for _, member := range split(raw) {
		if field, ok := find(fields, member.key); ok {
			assign(member.value, field.value)
		}
	}
	return true
}

// field is what a struct takes from an object under a name.
type field struct {
	name  string
	value reflect.Value
}

// fieldsOf lists the fields that encoding/json would fill: those of the struct
// itself first, for they hide those of the structs that it embeds.
func fieldsOf(target reflect.Value) []field {
	var own, embedded []field
	for i := range target.NumField() {
		f, value := target.Type().Field(i), target.Field(i)
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		inner := reflect.Indirect(value) // of an embedded pointer, which stays nil if it is
		switch {
		case tag == "-":
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			embedded = append(embedded, fieldsOf(inner)...)
		case f.IsExported():
			own = append(own, field{cmp.Or(name, f.Name), value})
		}
	}
	return append(own, embedded...)
}

// find finds the field for a key as encoding/json does: of exactly this name,
// else of this name in any case.
func find(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.name == key {
			return f, true
		}
	}
	for _, f := range fields {
		if strings.EqualFold(f.name, key) {
			return f, true
		}
	}
	return field{}, false
}

func convertMap(raw []byte, target reflect.Value) bool {
	result := reflect.MakeMap(target.Type())
	for _, member := range split(raw) {
		if key, ok := mapKey(member.key, target.Type()); ok {
			value := reflect.New(target.Type().Elem()).Elem()
			assign(member.value, value)
			result.SetMapIndex(key, value)
		}
	}
	target.Set(result)
	return true
}

// mapKey leaves it to encoding/json to make a key of a name: there are maps
// whose keys are numbers, or know by themselves how to read text.
func mapKey(name string, t reflect.Type) (reflect.Value, bool) {
	object, _ := json.Marshal(map[string]any{name: nil}) // cannot fail
	one := reflect.New(t)
	err := json.Unmarshal(object, one.Interface())
	only := one.Elem().MapRange()
	if err != nil || !only.Next() {
		return reflect.Value{}, false
	}
	return only.Key(), true
}

// member is a part of an object, or, without a key, of an array.
type member struct {
	key   string
	value json.RawMessage
}

// split takes a valid object or array apart, one level deep. Its parts stay in
// order, so that of a key that comes twice the last one counts.
func split(raw []byte) []member {
	var parts []member
	decoder := json.NewDecoder(bytes.NewReader(raw))
	open, _ := decoder.Token()
	for decoder.More() {
		var part member
		if open == json.Delim('{') {
			key, _ := decoder.Token()
			part.key = key.(string)
		}
		_ = decoder.Decode(&part.value)
		parts = append(parts, part)
	}
	return parts
}

func convertScalar(raw []byte, target reflect.Value) bool {
	s := text(raw)
	switch {
	case s == "":
		return false
	case target.Kind() == reflect.String:
		target.SetString(s)
		return true
	case target.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(s)
		target.SetBool(b)
		return err == nil
	}
	return convertNumber(s, target)
}

// convertNumber leaves at zero what the kind of target cannot hold.
func convertNumber(s string, target reflect.Value) bool {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return false
	}
	whole, known := integer(s, n)
	switch {
	case target.CanFloat() && !target.OverflowFloat(n):
		target.SetFloat(n)
	case target.CanInt() && known && !target.OverflowInt(whole):
		target.SetInt(whole)
	case target.CanUint() && known && whole >= 0 && !target.OverflowUint(uint64(whole)):
		target.SetUint(uint64(whole))
	default:
		return false
	}
	return true
}

// integer returns the digits of s before the point. They are known if s has
// nothing else, or is within what a float64 is exact about.
func integer(s string, n float64) (whole int64, known bool) {
	if whole, err := strconv.ParseInt(s, 10, 64); err == nil {
		return whole, true
	}
	return int64(n), math.Abs(n) < 1<<53
}

// text returns a scalar as text without white space around it, and nothing for
// null, an object or an array.
func text(raw []byte) string {
	switch firstByte(raw) {
	case '{', '[', 'n':
		return ""
	case '"':
		var s string
		_ = json.Unmarshal(raw, &s) // raw is a valid JSON string
		return strings.TrimSpace(s)
	default:
		return string(raw)
	}
}

// instant reads a time in ISO 8601, or in Unix seconds or milliseconds: below
// firstMillis a number of milliseconds would be a day in the year 1973 or
// earlier. After lastMillis comes the year 10000, in which encoding/json can
// write no time.
func instant(s string) (t time.Time, ok bool) {
	const (
		firstMillis = 1e11
		lastMillis  = 253402300799999
	)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || !(n > 0 && n <= lastMillis): // also if it is not a number
		return time.Time{}, false
	case n < firstMillis:
		return time.Unix(int64(n), 0).UTC(), true
	default:
		return time.UnixMilli(int64(n)).UTC(), true
	}
}
