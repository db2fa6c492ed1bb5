package videosdk

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzE164(f *testing.F) {
	for _, seed := range []string{
		"+14155551234", "+12", "+1", "+", "", "+0123", "14155551234", "+123456789012345", "+1234567890123456",
		"+1 415", "+1415\n", "\n+1415", "+14155٤", "＋1415", "+1\x00",
	} {
		f.Add(seed)
	}
	e164 := regexp.MustCompile(`\A\+[1-9][0-9]{1,14}\z`)
	f.Fuzz(func(t *testing.T, number string) {
		assert.Equal(t, e164.MatchString(number), isE164(number), "%q", number)
	})
}

// addSamples makes seeds of the answers that the API's documentation shows.
func addSamples(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "samples", "*.json"))
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(body)
		if data, problem := unwrap(body); problem == "" {
			f.Add([]byte(data))
		}
	}
}

func FuzzCallJSON(f *testing.F) {
	addSamples(f)
	for _, seed := range []string{
		`{"callId":1,"start":4e15,"end":"2025-08-21 11:45:00"}`, `{"id":"c","timelog":[{"timestamp":-1},null,7]}`,
		`{"id":"c","metadata":{"n":1e400},"metaData":[],"status":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var call, stored Call
		if !decodes(t, data, &call) {
			return
		}
		assert.Equal(t, call.Status.normal(), call.Status)
		restore(t, call, &stored)
		call.Raw, stored.Raw = nil, nil
		assert.Equal(t, call, stored)
	})
}

func FuzzRoutingRuleJSON(f *testing.F) {
	addSamples(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var rule, stored RoutingRule
		if !decodes(t, data, &rule) {
			return
		}
		restore(t, rule, &stored)
		rule.Raw, stored.Raw = nil, nil
		assert.Equal(t, rule, stored)
	})
}

func FuzzPhoneNumberJSON(f *testing.F) {
	addSamples(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var number, stored PhoneNumber
		if !decodes(t, data, &number) {
			return
		}
		restore(t, number, &stored)
		number.Raw, stored.Raw = nil, nil
		for _, gateway := range []*Gateway{number.Inbound, number.Outbound, stored.Inbound, stored.Outbound} {
			if gateway != nil {
				gateway.Raw = nil
			}
		}
		assert.Equal(t, number, stored)
	})
}

// decodes decodes into dst what is an object, whatever is in it, and refuses
// what is none.
func decodes(t *testing.T, data []byte, dst any) bool {
	t.Helper()
	if !json.Valid(data) || !isObject(data) {
		// A null is left alone, as encoding/json has it.
		assert.Equal(t, isNull(data), json.Unmarshal(data, dst) == nil)
		return false
	}
	require.NoError(t, json.Unmarshal(data, dst))
	return true
}

func isNull(data []byte) bool {
	var value any
	return json.Unmarshal(data, &value) == nil && value == nil
}

// restore takes a resource through its JSON.
func restore(t *testing.T, resource, dst any) {
	t.Helper()
	data, err := json.Marshal(resource)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, dst))
}

func FuzzPageJSON(f *testing.F) {
	addSamples(f)
	for _, seed := range []string{
		``, `null`, `[]`, `{}`, `[null]`, `[{"callId":"a"},{}]`, `{"data":[]}`, `{"data":{"data":[]}}`, `{"pageInfo":[],"data":[{"id":1}]}`,
		`{"pagination":{"page":"2","totalPages":1e99},"records":[{"id":"a"}]}`, `{"batchCalls":[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		page, problem := decodePage[callWire, Call](body)
		if problem != "" {
			return
		}
		require.NotNil(t, page)
		require.Len(t, page.ids, len(page.Items))
		for i, call := range page.Items {
			assert.NotNil(t, call)
			assert.NotEmpty(t, page.ids[i])
		}
		assert.True(t, json.Valid(body))
		page.isLast(1) // must not panic, whatever the numbers are
	})
}
