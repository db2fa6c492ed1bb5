//go:build unix

package videosdk_test

import (
	"net/http"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// To open one waits for whoever writes to it, and no context ends that.
func TestANamedPipeIsRefusedBeforeItIsOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.csv")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	recorder := newRecorder(t, http.StatusOK, goldenTicket)
	_, err := recorder.client().BatchCalls.UploadFile(t.Context(), path)
	assertRefused(t, recorder, err, "path")
	assert.ErrorContains(t, err, "pipe")
}
