package jsonscan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/videosdk-sip-go/videosdk/internal/jsonscan"
)

func TestMemberFindsTheBytesOfAValue(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"an object":                          {`{"a":1,"data":{"x":[1,{"y":"}"}]},"b":2}`, `{"x":[1,{"y":"}"}]}`},
		"a string with quotes and brackets":  {`{"data":"a\"]}\\"}`, `"a\"]}\\"`},
		"a number at the end":                {`{"data":-1.5e3}`, `-1.5e3`},
		"a word before white space":          {"{ \"data\" :\n\tnull\r\n}", `null`},
		"an array of arrays":                 {`{"data":[[],[[]]] , "z":0}`, `[[],[[]]]`},
		"the last of two":                    {`{"data":1,"data":2}`, `2`},
		"not one of the same name below":     {`{"other":{"data":1}}`, ``},
		"not one in a text":                  {`{"other":"\"data\":1"}`, ``},
		"one behind names that end alike":    {`{"metadata":1,"x":"my data","data":2}`, `2`},
		"not one whose name ends alike":      {`{"metadata":1}`, ``},
		"nothing in an array":                {`["data",1]`, ``},
		"nothing in nothing":                 {``, ``},
		"nothing in what breaks off":         {`{"data"`, ``},
		"nothing where the value is missing": {`{"data":`, ``},
		"one behind an empty text":           {`{"a":"","data":1}`, `1`},
		"one before what breaks off":         {`{"data":1, `, `1`},
		"one between lines of Windows":       {"\r\n{\r\n\"data\":\r\n1\r\n}", `1`},
	} {
		t.Run(name, func(t *testing.T) {
			value, _ := jsonscan.Member([]byte(c.data), "data")
			assert.Equal(t, c.want, string(value))
		})
	}
}

func TestMemberFindsANameWithACapital(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"alone":                                   {`{"statusCode":401}`, `401`},
		"behind names that end alike":             {`{"countryCode":1,"StatusCode":2,"Code":3,"statusCode":4}`, `4`},
		"not in its place":                        {`{"countryCode":"statusCode"}`, ``},
		"not without a quote before it":           {`{"substatusCode":1}`, ``},
		"not one that only begins like it":        {`{"statusCodes":1}`, ``},
		"not the end of it at the very beginning": {`Code":1}`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			value, _ := jsonscan.Member([]byte(c.data), "statusCode")
			assert.Equal(t, c.want, string(value))
		})
	}
}

func TestElementsAreFoundInOrder(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want []string
	}{
		"of every kind": {`{"n":{"data":[9]},"data": [ {"a":[1,2]} , [3] ,"x,y", 4,null,true ], "z":[0]}`,
			[]string{`{"a":[1,2]}`, `[3]`, `"x,y"`, `4`, `null`, `true`}},
		"none of one of two":                 {`{"data":[1,2],"data":[3]}`, nil},
		"none in an empty list":              {`{"data":[]}`, nil},
		"none in an empty list with a space": {`{"data":[ ]}`, nil},
		"none in an object":                  {`{"data":{"data":[1]}}`, nil},
		"none in a number":                   {`{"data":5}`, nil},
		"none of another name":               {`{"a":[1]}`, nil},
		"none where there is none":           {`[1]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var have []string
			for _, element := range jsonscan.SoleList([]byte(c.data), "data", 10) {
				have = append(have, string(element))
			}
			assert.Equal(t, c.want, have)
		})
	}
}

func TestAMemberIsSoleIfNoDecoderTakesAnotherForIt(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want bool
	}{
		"one":                         {`{"a":1,"data":[2],"b":{"data":3}}`, true},
		"none":                        {`{"a":1}`, false},
		"not one of two":              {`{"data":1,"data":2}`, false},
		"not one of three":            {`{"data":1,"data":2,"data":3}`, false},
		"not one beside another case": {`{"data":1,"Data":2}`, false},
		"not one beside an escape":    {`{"d\u0061ta":1,"data":2}`, false},
		"not one beside an escape at its beginning": {`{"\u0064ata":1,"data":2}`, false},
		"not one of another case":                   {`{"DATA":1}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, sole := jsonscan.Member([]byte(c.data), "data")
			assert.Equal(t, c.want, sole)
		})
	}
}

func TestALongListIsNotCollected(t *testing.T) {
	long := `[` + strings.Repeat(`0,`, 1000) + `0]`
	assert.Len(t, jsonscan.SoleList([]byte(`{"data":`+long+`}`), "data", 10), 11, "one more, which tells that there are more")
	assert.True(t, jsonscan.Exceeds([]byte(long), 1000))
	assert.False(t, jsonscan.Exceeds([]byte(long), 1001))
	assert.False(t, jsonscan.Exceeds([]byte(`{"a":[1,2]}`), 0))
	assert.False(t, jsonscan.Exceeds(nil, 0))
}

func FuzzPartsAreThoseThatADecoderFinds(f *testing.F) {
	for _, seed := range []string{`{"data":{"a":[1,"\"]"]},"b":null}`, `{"data":[1,{"a":2},"x"]}`, `{"data":[1,`, `{"data"`, `[[`, `{"a":"\u0022"}`, `{]}`, `[,]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		member, sole := jsonscan.Member(data, "data")
		elements := jsonscan.SoleList(data, "data", 1000)
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) == nil && object != nil && !strings.Contains(string(data), `\`) {
			assert.Equal(t, string(object["data"]), string(member))
			var list []json.RawMessage
			if !sole {
				assert.Empty(t, elements)
			} else if json.Unmarshal(member, &list) == nil {
				assert.Len(t, elements, len(list))
				for i := range list {
					assert.Equal(t, string(list[i]), string(elements[i]))
				}
			}
		}
	})
}
