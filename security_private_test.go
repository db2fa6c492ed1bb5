package videosdk_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// What is private is not in the body of an error: programs log those.
func TestNoErrorTellsWhatBelongsToThePeopleOnThePhone(t *testing.T) {
	const recording = "https://rec.example.com/1.mp3"
	record := `{"recordId":"r","recording":"` + recording + `","metadata":{"name":"Jane"},"metaData":"Jane","agentMetadata":["Jane"]}`
	tests := []struct {
		name   string
		status int
		body   string
	}{
		{"a page that was cut short", http.StatusOK, `{"records":[` + record},
		{"a page that was cut short in the metadata", http.StatusOK, `{"records":[{"recordId":"r","metadata":{"name":"Jane"`},
		{"an error that repeats the record", http.StatusConflict, `{"message":"it exists","data":` + record + `}`},
		{"an error that repeats it as a text", http.StatusBadRequest, fmt.Sprintf(`{"message":%q}`, "no "+record)},
		{"an error under a status of success", http.StatusOK, `{"statusCode":400,"data":` + record + `}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newRecorder(t, tt.status, tt.body).client(videosdk.WithMaxRetries(0)).
				BatchCalls.Records.List(t.Context(), "b", videosdk.BatchRecordListParams{})
			var answer *videosdk.APIError
			require.ErrorAs(t, err, &answer)
			assertWithout(t, []string{recording, "Jane"}, everyTextOf(err)...)
			assert.Contains(t, string(answer.Body), "[redacted]", "the rest of it is there")
		})
	}
}
