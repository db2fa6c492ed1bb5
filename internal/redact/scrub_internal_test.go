package redact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The server chooses the presigned URL, which is a secret then, and the text in
// which it is looked for: 8 KiB and 64 KiB that repeat themselves once took 32
// seconds.
func TestALongSecretTakesNoMoreWorkThanAShortOne(t *testing.T) {
	const size = 16 << 10
	for name, piece := range map[string]string{
		"one character": "a", "a few": "abc", "spaces, as a query has them": "+", "percent signs": "%25", "entities": "&amp;", "escapes": `\u0061`,
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(piece, size/len(piece))
			work := func(length int) int {
				s := newSearch(text, []string{strings.Repeat(piece, length/len(piece)) + "x"})
				s.masked()
				return s.compared
			}
			assert.Less(t, work(4<<10), 2*work(256))
		})
	}
}

// A caller may send a list of hundreds of people, each with a token of his own, and
// the server repeat it in its error.
func TestSecretsAreComparedOnlyWhereTheyMayBegin(t *testing.T) {
	var secrets []string
	for i := range 1000 {
		secrets = append(secrets, fmt.Sprintf("%d-value", i))
	}
	s := newSearch(strings.Repeat("the value ", 1000)+"7-value", secrets)
	assert.Equal(t, strings.Repeat("the value ", 1000)+Mark, s.masked())
	assert.Less(t, s.compared, 1000)
}
