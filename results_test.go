package videosdk_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// What a method returns is stored and passed on as JSON, with names like the API's.
func TestEachFieldOfEachResultHasANameInJSON(t *testing.T) {
	results := 0
	for _, method := range eachMethod(newRecorder(t, 200, anyResource).client()) {
		signature := method.fn.Type()
		if signature.NumOut() != 2 || signature.Out(0).Kind() != reflect.Pointer {
			continue
		}
		result := signature.Out(0).Elem()
		results++
		for i := range result.NumField() {
			field := result.Field(i)
			name, _ := field.Tag.Lookup("json")
			switch {
			case !field.IsExported():
			case field.Name == "Raw":
				assert.Equal(t, "-", name, "%s: what is private, and there a second time", result)
				assert.Equal(t, "private", field.Tag.Get("redact"), result)
			default:
				assert.Regexp(t, `^[a-z][A-Za-z0-9]*(,omitempty)?$`, name, "%s.%s", result, field.Name)
			}
		}
	}
	assert.Greater(t, results, 40, "results were looked at")
}

func TestResultsThatAreNoResourcesAreStoredAsJSON(t *testing.T) {
	tests := []struct {
		value any
		want  string
	}{
		{videosdk.BatchStats{Figures: map[string]float64{"total": 2}, Raw: []byte(`{"total":2}`)}, `{"figures":{"total":2}}`},
		{videosdk.EnsureResult{}, `{"existing":null,"created":null}`},
		{videosdk.RoomValidation{Reason: "no"}, `{"valid":false,"reason":"no"}`},
		{videosdk.Page[videosdk.Ack]{Items: []*videosdk.Ack{{Message: "m"}}, Page: 1, PerPage: 10, LastPage: 2, Total: 11},
			`{"items":[{"message":"m"}],"page":1,"perPage":10,"lastPage":2,"total":11}`},
	}
	for _, tt := range tests {
		stored, err := json.Marshal(tt.value)
		require.NoError(t, err)
		assert.JSONEq(t, tt.want, string(stored))
	}
}
