package videosdktest

import (
	"testing"
	"time"
)

func TestMakingTheKeyHoldsUpNobodyElse(t *testing.T) {
	srv := NewServer(WithTB(t))
	asked := make(chan struct{})
	srv.outbox.keys.mu.Lock() // as whoever makes the key does
	srv.mu.Lock()             // as whoever runs a handler does
	go func() {
		defer close(asked)
		defer srv.mu.Unlock()
		_, _ = srv.getPublicKey(nil)
	}()

	free := make(chan struct{})
	go func() {
		srv.mu.Lock()
		defer srv.mu.Unlock()
		close(free)
	}()
	select {
	case <-free:
	case <-time.After(10 * time.Second):
		t.Error("the server waits for the key")
	}
	srv.outbox.keys.mu.Unlock()
	<-asked
}
