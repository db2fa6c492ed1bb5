package videosdk_test

import (
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// claims asks for an event as the tests do: for a minute.
func claims(t *testing.T, d videosdk.Deduplicator, key string) videosdk.Claim {
	t.Helper()
	claim, err := d.Claim(t.Context(), key, time.Minute)
	require.NoError(t, err)
	return claim
}

// done notes an event as handled, to be remembered for an hour.
func done(t *testing.T, d videosdk.Deduplicator, key string) {
	t.Helper()
	require.NoError(t, d.Done(t.Context(), key, time.Hour))
}

func TestAClaimFromItsGrantToItsEnd(t *testing.T) {
	tests := map[string]struct {
		act  func(*testing.T, videosdk.Deduplicator)
		want videosdk.Claim
	}{
		"an event that nobody knows may be handled": {func(*testing.T, videosdk.Deduplicator) {}, videosdk.ClaimGranted},
		"one that is claimed is in flight": {func(t *testing.T, d videosdk.Deduplicator) {
			claims(t, d, "a")
		}, videosdk.ClaimInFlight},
		"one that is claimed and then done is done": {func(t *testing.T, d videosdk.Deduplicator) {
			claims(t, d, "a")
			done(t, d, "a")
		}, videosdk.ClaimDone},
		"one that is given back may be handled": {func(t *testing.T, d videosdk.Deduplicator) {
			claims(t, d, "a")
			require.NoError(t, d.Release(t.Context(), "a"))
		}, videosdk.ClaimGranted},
		"one that is done cannot be given back": {func(t *testing.T, d videosdk.Deduplicator) {
			claims(t, d, "a")
			done(t, d, "a")
			require.NoError(t, d.Release(t.Context(), "a"))
		}, videosdk.ClaimDone},
		"one that nobody had claimed can be done": {func(t *testing.T, d videosdk.Deduplicator) {
			done(t, d, "a")
		}, videosdk.ClaimDone},
		"one that nobody had claimed can be given back": {func(t *testing.T, d videosdk.Deduplicator) {
			require.NoError(t, d.Release(t.Context(), "a"))
		}, videosdk.ClaimGranted},
		"another one is nobody's business": {func(t *testing.T, d videosdk.Deduplicator) {
			claims(t, d, "b")
			done(t, d, "c")
		}, videosdk.ClaimGranted},
		"a claim holds until its time is over": {func(t *testing.T, d videosdk.Deduplicator) {
			claims(t, d, "a")
			elapse(time.Minute - 1)
		}, videosdk.ClaimInFlight},
		"a claim is void when its time is over": {func(t *testing.T, d videosdk.Deduplicator) {
			claims(t, d, "a")
			elapse(time.Minute)
		}, videosdk.ClaimGranted},
		"what is done is remembered for its time": {func(t *testing.T, d videosdk.Deduplicator) {
			claims(t, d, "a")
			done(t, d, "a")
			elapse(time.Hour - 1)
		}, videosdk.ClaimDone},
		"what is done is forgotten after its time": {func(t *testing.T, d videosdk.Deduplicator) {
			claims(t, d, "a")
			done(t, d, "a")
			elapse(time.Hour)
		}, videosdk.ClaimGranted},
		"one that is done late is done": {func(t *testing.T, d videosdk.Deduplicator) {
			claims(t, d, "a")
			elapse(time.Hour)
			done(t, d, "a")
		}, videosdk.ClaimDone},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := videosdk.NewMemoryDeduplicator(10)
				tt.act(t, d)
				assert.Equal(t, tt.want, claims(t, d, "a"))
			})
		})
	}
}

// remembered counts the keys that are known as done. Each one that is asked for
// is claimed by that, so it is given back.
func remembered(t *testing.T, d videosdk.Deduplicator, keys int) (known int) {
	t.Helper()
	for n := range keys {
		switch claims(t, d, strconv.Itoa(n)) {
		case videosdk.ClaimDone:
			known++
		default:
			require.NoError(t, d.Release(t.Context(), strconv.Itoa(n)))
		}
	}
	return known
}

func TestTheMemoryOfADeduplicatorIsBounded(t *testing.T) {
	const most, keys = 100, 1000
	for name, handle := range map[string]func(*testing.T, videosdk.Deduplicator, string){
		"when events are claimed and done": func(t *testing.T, d videosdk.Deduplicator, key string) {
			require.Equal(t, videosdk.ClaimGranted, claims(t, d, key))
			done(t, d, key)
		},
		"when events are done only": func(t *testing.T, d videosdk.Deduplicator, key string) { done(t, d, key) },
	} {
		t.Run(name, func(t *testing.T) {
			d := videosdk.NewMemoryDeduplicator(most)
			for n := range keys {
				handle(t, d, strconv.Itoa(n))
			}
			assert.Equal(t, videosdk.ClaimDone, claims(t, d, strconv.Itoa(keys-1)), "the latest are remembered")
			assert.Equal(t, videosdk.ClaimDone, claims(t, d, strconv.Itoa(keys-most)), "as many as it may")
			assert.Equal(t, videosdk.ClaimGranted, claims(t, d, strconv.Itoa(keys-most-1)), "and no more")
			assert.LessOrEqual(t, remembered(t, d, keys), most)
		})
	}
}

func TestEventsInFlightAreNotForgottenForLackOfRoom(t *testing.T) {
	d := videosdk.NewMemoryDeduplicator(2)
	for n := range 10 {
		require.Equal(t, videosdk.ClaimGranted, claims(t, d, strconv.Itoa(n)))
	}
	for n := range 10 {
		assert.Equal(t, videosdk.ClaimInFlight, claims(t, d, strconv.Itoa(n)))
		done(t, d, strconv.Itoa(n))
	}
	assert.Equal(t, videosdk.ClaimDone, claims(t, d, "9"))
	assert.LessOrEqual(t, remembered(t, d, 10), 2)
}

// A function that takes long must not keep the memory from being bounded.
func TestAnEventInFlightKeepsNoOtherFromBeingForgotten(t *testing.T) {
	d := videosdk.NewMemoryDeduplicator(3)
	require.Equal(t, videosdk.ClaimGranted, claims(t, d, "in flight"))
	for n := range 10 {
		done(t, d, strconv.Itoa(n))
	}
	assert.Equal(t, 3, remembered(t, d, 10))
	assert.Equal(t, videosdk.ClaimInFlight, claims(t, d, "in flight"))
}

// A queue that is full must not have an event handled twice that is delivered again.
func TestWhatIsDoneIsRememberedHoweverMuchIsInFlight(t *testing.T) {
	d := videosdk.NewMemoryDeduplicator(3)
	for n := range 10 {
		require.Equal(t, videosdk.ClaimGranted, claims(t, d, strconv.Itoa(n)))
	}
	done(t, d, "0")
	done(t, d, "1")
	done(t, d, "2")
	require.Equal(t, videosdk.ClaimGranted, claims(t, d, "one more"))
	assert.Equal(t, 3, remembered(t, d, 3))
}

// What is forgotten for lack of room is the claim of before, and not the one that
// took its place.
func TestAClaimThatIsGrantedAgainOutlivesTheOneOfBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := videosdk.NewMemoryDeduplicator(3)
		done(t, d, "older")
		claims(t, d, "a")
		elapse(time.Minute)
		require.Equal(t, videosdk.ClaimGranted, claims(t, d, "a"))
		done(t, d, "newer")
		done(t, d, "newest")
		assert.Equal(t, videosdk.ClaimInFlight, claims(t, d, "a"))
	})
}

// Claims whose holders crash are never done, and yet do not add up. Nor does what was
// done long ago, where there is room for it.
func TestWhatIsTooOldTakesNoMemory(t *testing.T) {
	for name, add := range map[string]func(d videosdk.Deduplicator, key string) error{
		"a claim that is void": func(d videosdk.Deduplicator, key string) error {
			_, err := d.Claim(t.Context(), key, time.Second)
			return err
		},
		"an event that was done": func(d videosdk.Deduplicator, key string) error {
			return d.Done(t.Context(), key, time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := videosdk.NewMemoryDeduplicator(100_000)
				before := heap()
				for n := range 50_000 {
					assert.NoError(t, add(d, strconv.Itoa(n)))
					if n%100 == 99 {
						elapse(time.Second)
					}
				}
				assert.Less(t, heap(), before+2<<20, "50,000 would be about 10 MiB")
				assert.Equal(t, videosdk.ClaimGranted, claims(t, d, "0"))
			})
		})
	}
}

// heap is how much memory is in use.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestOneOfManyIsGrantedTheClaim(t *testing.T) {
	d := videosdk.NewMemoryDeduplicator(10)
	var granted atomic.Int32
	together(func(int) {
		claim, err := d.Claim(t.Context(), "a", time.Minute)
		assert.NoError(t, err)
		if claim == videosdk.ClaimGranted {
			granted.Add(1)
		}
	})
	assert.Equal(t, int32(1), granted.Load())
}

func TestADeduplicatorWithoutALimitRemembersAsManyAsByDefault(t *testing.T) {
	for _, limit := range []int{0, -1} {
		d := videosdk.NewMemoryDeduplicator(limit)
		assert.Equal(t, videosdk.ClaimGranted, claims(t, d, "a"))
		assert.Equal(t, videosdk.ClaimInFlight, claims(t, d, "a"))
		for n := range 100_001 {
			done(t, d, strconv.Itoa(n))
		}
		assert.Equal(t, videosdk.ClaimDone, claims(t, d, "1"))
		assert.Equal(t, videosdk.ClaimGranted, claims(t, d, "0"), "which is one too many")
		assert.Equal(t, videosdk.ClaimInFlight, claims(t, d, "a"))
	}
}
