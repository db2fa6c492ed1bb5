package videosdk

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Lists come compressed, and so without a length; their items hold on to the body.
func TestABodyOfUnknownLengthIsHeldWithLittleRoomToSpare(t *testing.T) {
	sent := bytes.Repeat([]byte("x"), 66_000)
	body, err := readBody(&http.Response{Body: io.NopCloser(bytes.NewReader(sent)), ContentLength: -1})
	require.NoError(t, err)
	require.Equal(t, sent, body)
	assert.Less(t, cap(body), len(body)*4/3)
}
