package lenient_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/lenient"
)

type room struct {
	ID  string  `json:"id"`
	Pin *string `json:"pin"`
}

func ptr[T any](v T) *T { return &v }

// fitting returns n, or zero where an integer is too narrow for it, as on 32 bits.
func fitting[T int | uint](n int64) T {
	if int64(T(n)) != n {
		return 0
	}
	return T(n)
}

// samples are values of every kind of JSON, and the forms in which servers
// write one kind for another.
var samples = []string{
	`null`, `true`, `false`, `0`, `5`, `-1`, `1.9`, `1e2`, `300`, `70000`, `1e40`, `1e999`, `1778493600`,
	`9007199254740993`, `9223372036854775807`, `9223372036854775808`,
	`""`, `"abc"`, `"true"`, `" TRUE "`, `"5"`, `" 5 "`, `"-1"`, `"1e999"`, `"NaN"`, `"Infinity"`, `"-Infinity"`, `"9007199254740993"`,
	`"2026-05-11T10:00:00.000Z"`, `"2026-05-11 10:00:00"`, `"1778493600000"`,
	`[]`, `[1,"2",{}]`, `["x"]`, `[null]`, `{}`, `{"id":5}`, `{"1":"2","x":{}}`,
}

var may11 = time.Date(2026, 5, 11, 10, 0, 0, 0, time.UTC)

// kinds are fields of every kind, with what becomes of the samples that
// encoding/json refuses for them. What is not listed becomes zero.
var kinds = map[string]struct {
	zero    any
	convert map[string]any
}{
	"string": {"", map[string]any{
		`true`: "true", `false`: "false", `0`: "0", `5`: "5", `-1`: "-1", `1.9`: "1.9", `1e2`: "1e2", `300`: "300",
		`70000`: "70000", `1e40`: "1e40", `1e999`: "1e999", `1778493600`: "1778493600",
		`9007199254740993`: "9007199254740993", `9223372036854775807`: "9223372036854775807",
		`9223372036854775808`: "9223372036854775808",
	}},
	"bool": {false, map[string]any{`"true"`: true, `" TRUE "`: true}},
	"int": {int(0), map[string]any{
		`1.9`: 1, `1e2`: 100, `"5"`: 5, `" 5 "`: 5, `"-1"`: -1, `"1778493600000"`: fitting[int](1778493600000),
		`"9007199254740993"`: fitting[int](9007199254740993),
	}},
	"int64": {int64(0), map[string]any{
		`1.9`: int64(1), `1e2`: int64(100), `"5"`: int64(5), `" 5 "`: int64(5), `"-1"`: int64(-1),
		`"1778493600000"`: int64(1778493600000), `"9007199254740993"`: int64(9007199254740993),
	}},
	"int8":  {int8(0), map[string]any{`1.9`: int8(1), `1e2`: int8(100), `"5"`: int8(5), `" 5 "`: int8(5), `"-1"`: int8(-1)}},
	"int16": {int16(0), map[string]any{`1.9`: int16(1), `1e2`: int16(100), `"5"`: int16(5), `" 5 "`: int16(5), `"-1"`: int16(-1)}},
	"int32": {int32(0), map[string]any{`1.9`: int32(1), `1e2`: int32(100), `"5"`: int32(5), `" 5 "`: int32(5), `"-1"`: int32(-1)}},
	"uint": {uint(0), map[string]any{
		`1.9`: uint(1), `1e2`: uint(100), `"5"`: uint(5), `" 5 "`: uint(5), `"1778493600000"`: fitting[uint](1778493600000),
		`"9007199254740993"`: fitting[uint](9007199254740993),
	}},
	"uint16": {uint16(0), map[string]any{`1.9`: uint16(1), `1e2`: uint16(100), `"5"`: uint16(5), `" 5 "`: uint16(5)}},
	"float64": {float64(0), map[string]any{
		`"5"`: 5.0, `" 5 "`: 5.0, `"-1"`: -1.0, `"1778493600000"`: 1778493600000.0, `"9007199254740993"`: 9007199254740992.0,
	}},
	"float32": {float32(0), map[string]any{
		`"5"`: float32(5), `" 5 "`: float32(5), `"-1"`: float32(-1), `"1778493600000"`: float32(1778493600000),
		`"9007199254740993"`: float32(9007199254740993),
	}},
	"*string": {(*string)(nil), map[string]any{
		`true`: ptr("true"), `false`: ptr("false"), `0`: ptr("0"), `5`: ptr("5"), `-1`: ptr("-1"), `1.9`: ptr("1.9"),
		`1e2`: ptr("1e2"), `300`: ptr("300"), `70000`: ptr("70000"), `1e40`: ptr("1e40"), `1e999`: ptr("1e999"),
		`1778493600`: ptr("1778493600"), `9007199254740993`: ptr("9007199254740993"),
		`9223372036854775807`: ptr("9223372036854775807"), `9223372036854775808`: ptr("9223372036854775808"),
	}},
	"*bool":   {(*bool)(nil), map[string]any{`0`: ptr(false), `"true"`: ptr(true), `" TRUE "`: ptr(true)}},
	"**int8":  {(**int8)(nil), map[string]any{`1.9`: ptr(ptr(int8(1))), `1e2`: ptr(ptr(int8(100))), `"5"`: ptr(ptr(int8(5))), `" 5 "`: ptr(ptr(int8(5))), `"-1"`: ptr(ptr(int8(-1)))}},
	"struct":  {room{}, map[string]any{`{"id":5}`: room{ID: "5"}}},
	"*struct": {(*room)(nil), map[string]any{`{"id":5}`: &room{ID: "5"}}},
	"map of strings": {map[string]string(nil), map[string]any{
		`{"id":5}`: map[string]string{"id": "5"}, `{"1":"2","x":{}}`: map[string]string{"1": "2", "x": ""},
	}},
	"map by numbers": {map[int]int(nil), map[string]any{
		`{"id":5}`: map[int]int{}, `{"1":"2","x":{}}`: map[int]int{1: 2},
	}},
	"map of structs": {map[string]room(nil), map[string]any{
		`{"id":5}`: map[string]room{"id": {}}, `{"1":"2","x":{}}`: map[string]room{"1": {}, "x": {}},
	}},
	"map by truth": {map[bool]int(nil), map[string]any{`{}`: map[bool]int{}, `{"id":5}`: map[bool]int{}, `{"1":"2","x":{}}`: map[bool]int{}}},
	"list of strings": {[]string(nil), map[string]any{
		`true`: []string{"true"}, `false`: []string{"false"}, `0`: []string{"0"}, `5`: []string{"5"}, `-1`: []string{"-1"},
		`1.9`: []string{"1.9"}, `1e2`: []string{"1e2"}, `300`: []string{"300"}, `70000`: []string{"70000"},
		`1e40`: []string{"1e40"}, `1e999`: []string{"1e999"}, `1778493600`: []string{"1778493600"},
		`9007199254740993`: []string{"9007199254740993"}, `9223372036854775807`: []string{"9223372036854775807"},
		`9223372036854775808`: []string{"9223372036854775808"},
		`""`:                  []string{""}, `"abc"`: []string{"abc"}, `"true"`: []string{"true"}, `" TRUE "`: []string{" TRUE "},
		`"5"`: []string{"5"}, `" 5 "`: []string{" 5 "}, `"-1"`: []string{"-1"}, `"1e999"`: []string{"1e999"},
		`"NaN"`: []string{"NaN"}, `"Infinity"`: []string{"Infinity"}, `"-Infinity"`: []string{"-Infinity"}, `"9007199254740993"`: []string{"9007199254740993"},
		`"2026-05-11T10:00:00.000Z"`: []string{"2026-05-11T10:00:00.000Z"},
		`"2026-05-11 10:00:00"`:      []string{"2026-05-11 10:00:00"}, `"1778493600000"`: []string{"1778493600000"},
		`[1,"2",{}]`: []string{"1", "2", ""},
	}},
	"list of numbers": {[]int8(nil), map[string]any{
		`0`: []int8{0}, `5`: []int8{5}, `-1`: []int8{-1}, `1.9`: []int8{1}, `1e2`: []int8{100}, `"5"`: []int8{5},
		`" 5 "`: []int8{5}, `"-1"`: []int8{-1}, `[1,"2",{}]`: []int8{1, 2, 0}, `["x"]`: []int8{0},
	}},
	"list of structs": {[]room(nil), map[string]any{`[1,"2",{}]`: []room{{}, {}, {}}, `["x"]`: []room{{}}}},
	"time": {time.Time{}, map[string]any{
		`5`: time.Unix(5, 0).UTC(), `1.9`: time.Unix(1, 0).UTC(), `1e2`: time.Unix(100, 0).UTC(),
		`300`: time.Unix(300, 0).UTC(), `70000`: time.Unix(70000, 0).UTC(), `1778493600`: may11,
		`"5"`: time.Unix(5, 0).UTC(), `" 5 "`: time.Unix(5, 0).UTC(),
		`"2026-05-11 10:00:00"`: may11, `"1778493600000"`: may11,
	}},
	"*time": {(*time.Time)(nil), map[string]any{
		`5`: ptr(time.Unix(5, 0).UTC()), `1.9`: ptr(time.Unix(1, 0).UTC()), `1e2`: ptr(time.Unix(100, 0).UTC()),
		`300`: ptr(time.Unix(300, 0).UTC()), `70000`: ptr(time.Unix(70000, 0).UTC()), `1778493600`: &may11,
		`"5"`: ptr(time.Unix(5, 0).UTC()), `" 5 "`: ptr(time.Unix(5, 0).UTC()),
		`"2026-05-11 10:00:00"`: &may11, `"1778493600000"`: &may11,
	}},
	"array":       {[2]int{}, nil},
	"any":         {any(nil), nil},
	"raw":         {json.RawMessage(nil), nil},
	"interface":   {fmt.Stringer(nil), nil},
	"channel":     {chan int(nil), nil},
	"function":    {(func())(nil), nil},
	"complex":     {complex128(0), nil},
	"self-willed": {stubborn{}, nil},
}

// stubborn decodes itself, and refuses to.
type stubborn struct{}

func (*stubborn) UnmarshalJSON([]byte) error { return errors.New("no") }

func TestEveryKindOfFieldTakesEveryKindOfValue(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		kind := kinds[name]
		for _, sample := range samples {
			t.Run(name+" from "+sample, func(t *testing.T) {
				fieldType := reflect.TypeOf(kind.zero)
				if fieldType == nil {
					fieldType = reflect.TypeFor[any]()
				}
				if name == "interface" {
					fieldType = reflect.TypeFor[fmt.Stringer]()
				}
				want, strict := reflect.New(fieldType), false
				if strict = json.Unmarshal([]byte(sample), want.Interface()) == nil; !strict {
					want = reflect.New(fieldType)
				}
				if converted, ok := kind.convert[sample]; ok {
					require.False(t, strict, "encoding/json understands this: take it out of the table")
					want.Elem().Set(reflect.ValueOf(converted))
				}

				got := reflect.New(between(fieldType))
				require.NoError(t, lenient.Unmarshal([]byte(`{"before":"b","v":`+sample+`,"after":"a"}`), got.Interface()))
				assert.Equal(t, want.Interface(), got.Elem().FieldByName("V").Addr().Interface())
				assert.Equal(t, "b", got.Elem().FieldByName("Before").Interface())
				assert.Equal(t, "a", got.Elem().FieldByName("After").Interface())
			})
		}
	}
}

// between returns a struct with a field of type t and one on either side,
// neither of which must suffer from it.
func between(t reflect.Type) reflect.Type {
	return reflect.StructOf([]reflect.StructField{
		{Name: "Before", Type: reflect.TypeFor[string](), Tag: `json:"before"`},
		{Name: "V", Type: t, Tag: `json:"v"`},
		{Name: "After", Type: reflect.TypeFor[string](), Tag: `json:"after"`},
	})
}

func TestTimesAreReadInEveryFormThatServersWrite(t *testing.T) {
	tests := []struct {
		name, value string
		want        time.Time
	}{
		{"RFC 3339", `"2026-05-11T10:00:00Z"`, may11},
		{"with milliseconds", `"2026-05-11T10:00:00.000Z"`, may11},
		{"with an offset", `"2026-05-11T12:00:00+02:00"`, may11},
		{"without a zone", `"2026-05-11T10:00:00"`, may11},
		{"without a zone, with a fraction", `"2026-05-11T10:00:00.000"`, may11},
		{"with a space", `"2026-05-11 10:00:00"`, may11},
		{"with white space around it", `" 2026-05-11T10:00:00Z "`, may11},
		{"a date", `"2026-05-11"`, may11.Truncate(24 * time.Hour)},
		{"Unix seconds", `1778493600`, may11},
		{"Unix seconds with a fraction", `1778493600.9`, may11},
		{"Unix seconds in quotes", `"1778493600"`, may11},
		{"Unix milliseconds", `1778493600000`, may11},
		{"Unix milliseconds in quotes", `"1778493600000"`, may11},
		{"the first number taken for milliseconds", `100000000000`, time.Date(1973, 3, 3, 9, 46, 40, 0, time.UTC)},
		{"the last number taken for seconds", `99999999999`, time.Unix(99999999999, 0).UTC()},
		{"the last millisecond of the year 9999", `253402300799999`, time.UnixMilli(253402300799999).UTC()},
		{"the year 10000, which JSON cannot express", `253402300800000`, time.Time{}},
		{"microseconds", `1778493600000000`, time.Time{}},
		{"zero", `0`, time.Time{}},
		{"a negative number", `-1`, time.Time{}},
		{"a number beyond every calendar", `1e300`, time.Time{}},
		{"not a number", `"NaN"`, time.Time{}},
		{"words", `"yesterday"`, time.Time{}},
		{"a truth", `true`, time.Time{}},
		{"an object", `{"seconds":1}`, time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got struct {
				At time.Time `json:"at"`
			}
			require.NoError(t, lenient.Unmarshal([]byte(`{"at":`+tt.value+`}`), &got))
			assert.True(t, tt.want.Equal(got.At), got.At)
			_, err := json.Marshal(got)
			assert.NoError(t, err, "what was decoded can be encoded")
		})
	}
}

type base struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// Pointed is embedded as a pointer, and exported because encoding/json can
// only then make one.
type Pointed struct {
	Region string `json:"region"`
}

type call struct {
	base
	*Pointed
	Inline   `json:",inline"`
	Tagged   `json:"tagged"`
	Named    room `json:"room"`
	Status   int  `json:"status"` // hides that of base
	Untagged int
	Skipped  int `json:"-"`
	//lint:ignore SA5008 it is what encoding/json understands as the name "-"
	Renamed int `json:"-,"`
	//lint:ignore U1000 it must be left alone
	unexported int
	Bare
	time.Weekday `json:"day"`
}

// Inline is embedded with a tag that has no name.
type Inline struct {
	Count int `json:"count"`
}

// Tagged is embedded under a name, and so a field like any other.
type Tagged struct {
	Untagged int
	Depth    int `json:"depth"`
}

// Bare is embedded and no struct: encoding/json takes it for a field of its
// name.
type Bare string

func TestNamesAreThoseOfEncodingJSON(t *testing.T) {
	// Every member is odd, so that no field is filled by the strict decoder.
	const odd = `{"id":1,"region":2,"count":"3","tagged":{"depth":"11"},"depth":"12","room":{"id":4},"status":"5","Untagged":"6","-":"7",
		"Skipped":"8","unexported":"9","Bare":10,"day":"2"}`
	var got call
	require.NoError(t, lenient.Unmarshal([]byte(odd), &got))
	assert.Equal(t, call{
		base: base{ID: "1"}, Pointed: &Pointed{Region: "2"}, Inline: Inline{3}, Tagged: Tagged{Depth: 11}, Named: room{ID: "4"},
		Status: 5, Untagged: 6, Renamed: 7, Bare: "10", Weekday: time.Tuesday,
	}, got)
}

func TestAnErrorThatEndsTheStrictDecoderAtOnceCostsNothingEither(t *testing.T) {
	// A time that is no time makes encoding/json stop in the middle.
	var got struct {
		First time.Time `json:"first"`
		Inline
		*Pointed
		Plain  string            `json:"plain"`
		Nested []struct{ N int } `json:"nested"`
	}
	require.NoError(t, lenient.Unmarshal([]byte(`{"first":"never","plain":"p","count":"3","region":4,"nested":[{"n":5}]}`), &got))
	assert.Equal(t, "p", got.Plain)
	assert.Equal(t, 3, got.Count)
	assert.Equal(t, []struct{ N int }{{5}}, got.Nested)
	assert.Nil(t, got.Pointed, "an embedded pointer is not made here")
}

func TestKeysAreFoundInAnyCaseAndTheLastOneCounts(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"exactly", `{"callId":1}`, "1"},
		{"in lower case", `{"callid":1}`, "1"},
		{"in upper case", `{"CALLID":1}`, "1"},
		{"in letters that Unicode folds", "{\"ca\u006c\u006cId\":1}", "1"},
		{"twice", `{"callId":1,"callId":2}`, "2"},
		{"twice in different cases", `{"callId":1,"CALLID":2}`, "2"},
		{"twice, the exact one last", `{"CALLID":1,"callId":2}`, "2"},
		{"many times", `{"callId":1,"CALLID":2,"callid":3,"CallID":4,"callID":5}`, "5"},
		{"escaped", `{"call\u0049d":1}`, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 20 { // the order must not depend on that of a Go map
				var got struct {
					CallID string `json:"callId"`
				}
				require.NoError(t, lenient.Unmarshal([]byte(tt.data), &got))
				require.Equal(t, tt.want, got.CallID)
			}
		})
	}
	t.Run("an exact name goes before one in another case", func(t *testing.T) {
		var got struct {
			Upper string `json:"ID"`
			Lower string `json:"id"`
		}
		require.NoError(t, lenient.Unmarshal([]byte(`{"id":1,"ID":2}`), &got))
		assert.Equal(t, "1", got.Lower)
		assert.Equal(t, "2", got.Upper)
	})
}

func TestAnObjectMayTravelAsText(t *testing.T) {
	type answer struct {
		Room     *room             `json:"room"`
		Metadata map[string]any    `json:"metadata"`
		Labels   map[string]string `json:"labels"`
		Rooms    []room            `json:"rooms"`
	}
	tests := []struct {
		name, body string
		want       answer
	}{
		{"for a struct", `{"room":"{\"id\":5}"}`, answer{Room: &room{ID: "5"}}},
		{"for a map", `{"metadata":" {\"a\":{\"b\":1}} ","labels":"{\"n\":5}"}`,
			answer{Metadata: map[string]any{"a": map[string]any{"b": 1.0}}, Labels: map[string]string{"n": "5"}}},
		{"in a list", `{"rooms":["{\"id\":\"r\"}"]}`, answer{Rooms: []room{{ID: "r"}}}},
		{"unless it is none", `{"room":"[1]","metadata":"{","labels":"\"{}\"","rooms":[""]}`, answer{Rooms: []room{{}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got answer
			require.NoError(t, lenient.Unmarshal([]byte(tt.body), &got))
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestUnmarshalTakesWhatHasTheShapeAsAWhole(t *testing.T) {
	tests := []struct {
		name, data string
		dst, want  any
	}{
		{"a struct", `{"id":1}`, &room{}, &room{ID: "1"}},
		{"a pointer to a struct", ` {"id":1}`, ptr((*room)(nil)), ptr(&room{ID: "1"})},
		{"a map", "\t{\"a\":1}", &map[string]string{}, &map[string]string{"a": "1"}},
		{"a list", "\n[1]", &[]string{}, &[]string{"1"}},
		{"a list of structs", `[{"id":1},null,2]`, &[]room{}, &[]room{{ID: "1"}, {}, {}}},
		{"a list of pointers", `[{"id":1},null,2]`, &[]*room{}, &[]*room{{ID: "1"}, nil, nil}},
		{"null", `null`, &room{ID: "kept"}, &room{ID: "kept"}},
		{"an empty object", `{}`, &room{}, &room{}},
		{"invalid UTF-8", "{\"id\":1,\"pin\":\"\xff\"}", &room{}, &room{ID: "1", Pin: ptr("\ufffd")}},
		{"invalid UTF-8 in a key", "{\"\xff\":1}", &map[string]string{}, &map[string]string{"\ufffd": "1"}},
		{"deep, but no deeper than encoding/json goes", nested(9000), &struct{ V any }{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, lenient.Unmarshal([]byte(tt.data), tt.dst))
			if tt.want != nil {
				assert.Equal(t, tt.want, tt.dst)
			}
		})
	}
}

func nested(depth int) string {
	return `{"V":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `,"W":1}`
}

func TestUnmarshalFailsWhereNothingCanBeTaken(t *testing.T) {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	var invalid *json.InvalidUnmarshalError
	tests := []struct {
		name, data string
		dst        any
		as         any
	}{
		{"nothing", ``, &room{}, &syntax},
		{"white space", ` `, &room{}, &syntax},
		{"HTML", `<html>`, &room{}, &syntax},
		{"a truncated object", `{"id":1`, &room{}, &syntax},
		{"a truncated string", `{"id":"1`, &room{}, &syntax},
		{"something after the end", `{"id":1} x`, &room{}, &syntax},
		{"a trailing comma", `{"id":1,}`, &room{}, &syntax},
		{"a control character in a string", "{\"id\":\"\x00\"}", &room{}, &syntax},
		{"NaN", `{"id":NaN}`, &room{}, &syntax},
		{"a depth of 100,000", nested(100_000), &struct{ V string }{}, &syntax},
		{"a depth of 100,000 objects", strings.Repeat(`{"id":`, 100_000), &room{}, &syntax},
		{"an array for a struct", `[]`, &room{}, &wrongType},
		{"a text for a struct", `"{}"`, &room{}, &wrongType},
		{"an object for a list", `{}`, &[]room{}, &wrongType},
		{"a text for a map", `"x"`, &map[string]string{}, &wrongType},
		{"a text for a pointer to a struct", `"x"`, ptr((*room)(nil)), &wrongType},
		{"a number for a text", `1`, ptr(""), &wrongType},
		{"no pointer", `{"id":1}`, room{}, &invalid},
		{"nil", `{"id":1}`, nil, &invalid},
		{"a nil pointer", `{"id":1}`, (*room)(nil), &invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.ErrorAs(t, lenient.Unmarshal([]byte(tt.data), tt.dst), tt.as)
		})
	}
}

// quoted is a field that decodes a document within a string, and so may fail
// with a syntax error although the answer around it is well-formed.
type quoted struct{ Inner map[string]string }

func (q *quoted) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	return json.Unmarshal([]byte(s), &q.Inner)
}

func TestASyntaxErrorWithinAFieldIsNotOneOfTheAnswer(t *testing.T) {
	var got struct {
		Metadata quoted `json:"metadata"`
		ID       string `json:"id"`
	}
	require.NoError(t, lenient.Unmarshal([]byte(`{"metadata":"{not json","id":"c1"}`), &got))
	assert.Equal(t, "c1", got.ID)
	assert.Empty(t, got.Metadata)
}

// status decodes itself, and accepts nothing that a server sends.
type status string

func (*status) UnmarshalJSON([]byte) error { return errors.New("no") }

func TestAFieldThatDecodesItselfAndFailsIsConvertedByItsKind(t *testing.T) {
	for value, want := range map[string]status{`null`: "", `"x"`: "x", `5`: "5", `{}`: "", `[]`: ""} {
		t.Run(value, func(t *testing.T) {
			var got struct{ Status status }
			require.NoError(t, lenient.Unmarshal([]byte(`{"status":`+value+`}`), &got))
			assert.Equal(t, want, got.Status)
		})
	}
}

func TestWhatWasThereBeforeIsKeptAsEncodingJSONKeepsIt(t *testing.T) {
	got := struct {
		Absent, Null string
		Odd          string
	}{"a", "n", "o"}
	require.NoError(t, lenient.Unmarshal([]byte(`{"null":null,"odd":{}}`), &got))
	assert.Equal(t, "a", got.Absent)
	assert.Equal(t, "n", got.Null)
	assert.Empty(t, got.Odd, "a value that cannot be converted is no reason to keep an old one")
}

// One odd field makes the whole answer be decoded a second time, level by
// level. Whatever is in it, that must cost a multiple of its size and no more.
func TestMemoryIsBoundedByTheSizeOfTheAnswer(t *testing.T) {
	const small, factor = 64 << 10, 4
	tests := []struct{ name, element string }{
		{"many odd objects", `{"id":1,"pin":2}`},
		{"many odd scalars", `1`},
		{"long strings", `{"id":"` + strings.Repeat("x", small/16) + `","pin":2}`},
		{"many unknown keys", `{"a":1,"b":[1,2,3],"id":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cost := func(size int) uint64 {
				elements := strings.Repeat(tt.element+",", size/(len(tt.element)+1))
				data := []byte(`{"data":{"rooms":[` + strings.TrimSuffix(elements, ",") + `]}}`)
				var got struct {
					Data struct{ Rooms []room }
				}
				bytes := allocated(func() { require.NoError(t, lenient.Unmarshal(data, &got)) })
				require.NotEmpty(t, got.Data.Rooms)
				return bytes
			}
			once := cost(small)
			assert.Less(t, once, uint64(1000*small))
			assert.Less(t, cost(factor*small), 2*factor*once, "it does not grow faster than the answer")
		})
	}
}

// allocated returns how many bytes f takes from the heap in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// answer has a field of every kind that the answers of the API have.
type answer struct {
	base
	Flag    bool              `json:"flag"`
	Count   int               `json:"count"`
	Port    uint16            `json:"port"`
	Ratio   float64           `json:"ratio"`
	At      time.Time         `json:"at"`
	Ended   *time.Time        `json:"ended"`
	Limit   *int              `json:"limit"`
	Room    room              `json:"room"`
	Agent   *room             `json:"agent"`
	Tags    []string          `json:"tags"`
	Days    []int             `json:"days"`
	Rooms   []room            `json:"rooms"`
	Headers map[string]string `json:"headers"`
	ByDay   map[int]*room     `json:"byDay"`
	Extra   any               `json:"extra"`
	Raw     json.RawMessage   `json:"raw"`
}

func FuzzUnmarshal(f *testing.F) {
	fields := []string{"id", "status", "flag", "count", "port", "ratio", "at", "ended", "limit", "room", "agent",
		"tags", "days", "rooms", "headers", "byDay", "extra", "raw", "ID"}
	for _, sample := range samples {
		var whole []string
		for _, name := range fields {
			f.Add([]byte(`{"` + name + `":` + sample + `}`))
			whole = append(whole, `"`+name+`":`+sample)
		}
		f.Add([]byte(`{` + strings.Join(whole, ",") + `}`))
		f.Add([]byte(sample))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var strict, first, second answer
		wantErr := json.Unmarshal(data, &strict)
		err := lenient.Unmarshal(data, &first)
		if wantErr == nil {
			require.NoError(t, err)
			require.Equal(t, strict, first, "what encoding/json understands, it decides")
			return
		}
		if !json.Valid(data) {
			require.Equal(t, wantErr, err)
			return
		}
		require.Equal(t, err, lenient.Unmarshal(data, &second))
		require.Equal(t, first, second, "the same answer twice")
	})
}

func TestNumbersBeyondWhatAFieldHoldsAreZeroAndNotCutOff(t *testing.T) {
	var got struct {
		Small int8    `json:"small"`
		Big   int64   `json:"big"`
		Float float32 `json:"float"`
		Near  int64   `json:"near"`
	}
	data := fmt.Sprintf(`{"small":"128","big":"1e19","float":"1e39","near":"%d"}`, int64(math.MaxInt64))
	require.NoError(t, lenient.Unmarshal([]byte(data), &got))
	assert.Zero(t, got.Small)
	assert.Zero(t, got.Big)
	assert.Zero(t, got.Float)
	assert.EqualValues(t, int64(math.MaxInt64), got.Near)
}
