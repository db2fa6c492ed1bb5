package redact

import (
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
