package transport

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// sharing returns a guard that shares a timer even where the clock is that of a bubble.
func sharing() *Guard { return &Guard{} }

func TestALimitEndsWhatTakesTooLongAndNothingElse(t *testing.T) {
	for name, guard := range map[string]*Guard{"one timer for all": sharing(), "one for each": NewGuard(New())} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, 2))
				var stopped []chan time.Duration
				var mu sync.Mutex
				var calls sync.WaitGroup
				for range 300 {
					begins := time.Duration(random.IntN(100)) * time.Second
					timeout := time.Duration(1+random.IntN(20)) * time.Second
					takes := time.Duration(random.IntN(40))*time.Second + time.Millisecond
					calls.Go(func() {
						var l Limit
						time.Sleep(begins)
						for range 3 { // one after the other, as the attempts of a call
							started, ended := time.Now(), make(chan time.Duration, 1)
							guard.Limit(&l, timeout, func() { ended <- time.Since(started) })
							select {
							case after := <-ended:
								assert.Equal(t, timeout, after)
								assert.Less(t, timeout, takes)
							case <-time.After(takes):
								assert.Less(t, takes, timeout)
							}
							l.Stop()
							mu.Lock()
							stopped = append(stopped, ended)
							mu.Unlock()
						}
					})
				}
				calls.Wait()
				time.Sleep(time.Hour)
				assert.Len(t, stopped, 900)
				for _, ended := range stopped {
					assert.Empty(t, ended, "it was stopped")
				}
			})
		})
	}
}

// hasTimer reports whether a guard has a timer.
func hasTimer(g *Guard) bool {
	g.limits.mu.Lock()
	defer g.limits.mu.Unlock()
	return g.limits.timer != nil
}

func TestNoTimerIsLeftWhenNothingIsUnderWay(t *testing.T) {
	guard := sharing()
	use := func(t *testing.T) {
		var stopped, over Limit
		ended := make(chan string, 2)
		guard.Limit(&stopped, time.Hour, func() { ended <- "stopped" })
		guard.Limit(&over, time.Microsecond, func() { ended <- "over" })
		stopped.Stop()
		assert.Equal(t, "over", <-ended)
		assert.False(t, hasTimer(guard))
		over.Stop()
		stopped.Stop()
		assert.Empty(t, ended)
	}
	synctest.Test(t, use) // no bubble may touch the timer of another
	synctest.Test(t, use)
	use(t)
}

// A timer may have fired, and wait for the lock, while what it was made for is stopped.
func TestATimerThatComesTooLateEndsNothing(t *testing.T) {
	guard := sharing()
	guard.limits.fired()
	assert.False(t, hasTimer(guard))
	var l Limit
	guard.Limit(&l, time.Hour, func() { t.Error("its time is not up") })
	guard.limits.fired()
	assert.True(t, hasTimer(guard))
	l.Stop()
	assert.False(t, hasTimer(guard))
}

func TestAShortLimitDoesNotWaitForALongOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard := sharing()
		var long, short Limit
		started, ended := time.Now(), make(chan time.Duration, 2)
		end := func() { ended <- time.Since(started) }
		guard.Limit(&long, time.Hour, end)
		guard.Limit(&short, time.Second, end)
		assert.Equal(t, time.Second, <-ended)
		assert.Equal(t, time.Hour, <-ended)
	})
}

// Else a limit would end with the bubble of another, or never.
func TestALimitInABubbleHasATimerOfItsOwn(t *testing.T) {
	guard := NewGuard(New())
	var outside Limit
	guard.Limit(&outside, time.Hour, func() { t.Error("its time is not up") })
	defer outside.Stop()
	for range 2 {
		synctest.Test(t, func(*testing.T) {
			var l Limit
			ended := make(chan struct{})
			guard.Limit(&l, time.Second, func() { close(ended) })
			<-ended
			l.Stop()
		})
	}
	assert.True(t, hasTimer(guard), "that of what is under way outside")
}
