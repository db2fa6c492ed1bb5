package redact_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
)

func TestScrubTakesOutWhatBelongsToThePeopleOnThePhone(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"metadata", `{"metadata":{"name":"Jane"},"id":"r"}`, `{"metadata":"[redacted]","id":"r"}`},
		{"metadata in the other spelling", `{"metaData" : {"name":"Jane"}}`, `{"metaData" : "[redacted]"}`},
		{"the metadata of an agent", `{"agentMetadata":{"name":"Jane"},"agent_meta_data":["Jane"]}`, `{"agentMetadata":"[redacted]","agent_meta_data":"[redacted]"}`},
		{"a recording", `{"recording":"https://r.example.com/1.mp3","recordingId":"r"}`, `{"recording":"[redacted]","recordingId":"r"}`},
		{"the URL of one", `{"recordingUrl":"https://r.example.com/1.mp3"}`, `{"recordingUrl":"[redacted]"}`},
		{"whether there is a recording, which is a setting", `{"recording":true,"metadata":null}`, `{"recording":true,"metadata":null}`},
		{"metadata in metadata", `{"metadata":{"a":{"b":["Jane",{"metadata":"Jane"}]}},"id":1}`, `{"metadata":"[redacted]","id":1}`},
		{"a text with brackets and quotes", `{"metadata":{"a":"}\"}]","b":"Jane\\"},"id":"{"}`, `{"metadata":"[redacted]","id":"{"}`},
		{"one after the other", `[{"metadata":{"a":"Jane"}},{"metadata":"Jane"},{"metadata":[]}]`, `[{"metadata":"[redacted]"},{"metadata":"[redacted]"},{"metadata":"[redacted]"}]`},
		{"what was cut off in an object", `{"id":1,"metadata":{"name":"Ja`, `{"id":1,"metadata":"[redacted]"`},
		{"what was cut off in a text", `{"id":1,"recording":"https://`, `{"id":1,"recording":"[redacted]"`},
		{"what was cut off before it began", `{"id":1,"recording":`, `{"id":1,"recording":`},
		{"JSON within JSON", `{"message":"bad {\"metadata\":{\"a\":\"J\\\"}\\\\\",\"b\":\"Jane\"},\"id\":1}","id":2}`, `{"message":"bad {\"metadata\":\"[redacted]\",\"id\":1}","id":2}`},
		{"JSON within JSON within JSON", `"{\"m\":\"{\\\"metadata\\\":{\\\"a\\\":\\\"Jane }\\\"},\\\"id\\\":1}\"}"`, `"{\"m\":\"{\\\"metadata\\\":\\\"[redacted]\\\",\\\"id\\\":1}\"}"`},
		{"a text about it", `the "metadata": must be an object`, `the "metadata": must be an object`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := redact.Scrub(tt.text)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, json.Valid([]byte(tt.text)), json.Valid([]byte(got)))
			assert.Equal(t, got, redact.Scrub(got), "once more")
		})
	}
}

// What is private is to be found in any JSON, wherever it was cut off.
func FuzzScrubPrivate(f *testing.F) {
	f.Add(`x`, 10)
	f.Add(`\"}]`, 30)
	f.Add(`\\`, 25)
	f.Add("\n\t{[", 40)
	f.Fuzz(func(t *testing.T, text string, length int) {
		whole, err := json.Marshal(map[string]any{
			"a": "before", "metadata": map[string]any{text: []any{text, "Jane", map[string]string{"b": text}}}, "z": "after",
		})
		if err != nil || strings.Contains(text, "before") || strings.Contains(text, "after") || strings.Contains(text, "Jane") {
			return
		}
		got := redact.Scrub(string(whole))
		assert.JSONEq(t, `{"a":"before","metadata":"[redacted]","z":"after"}`, got)
		nested, err := json.Marshal(map[string]string{"message": string(whole)})
		assert.NoError(t, err)
		got = redact.Scrub(string(nested))
		assert.NotContains(t, got, "Jane")
		assert.Contains(t, got, "after")
		cut := string(whole[:min(max(0, length), len(whole))])
		assert.NotContains(t, redact.Scrub(cut), "Jane")
	})
}
