package videosdktest

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
)

// nobody takes no delivery.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed }

func TestAQueueThatIsWorkedOffIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(t.Context(), webhookConfig{client: &http.Client{Transport: nobody{}}}, 10)
		defer o.close()
		for _, batch := range []string{"batch_1", "batch_2", "batch_1"} {
			o.add(parcel{subscriber: subscriber{id: batch, url: "https://example.com"}})
		}
		synctest.Wait()
		assert.Len(t, o.log, 3)
		assert.Empty(t, o.queues)
	})
}
