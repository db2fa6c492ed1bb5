package videosdk

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPlacementIsForgottenWhenNobodyNeedsItAnyMore(t *testing.T) {
	tests := []struct {
		name string
		call *Call // that was placed
		err  error
		kept time.Duration
	}{
		{"at once, if nothing was dialled", nil, ErrBadRequest, 0},
		{"after a while, if a call was placed", &Call{ID: "call_1"}, nil, placedFor},
		{"after a while, if one may have been", nil, ErrMaybeApplied, placedFor},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p placements
				own, err := p.enter(t.Context(), "order-7")
				require.NoError(t, err)
				impatient, cancel := context.WithCancel(t.Context())
				cancel()
				_, err = p.enter(impatient, "order-7")
				require.ErrorIs(t, err, context.Canceled)
				require.Contains(t, p.known, "order-7", "somebody uses it yet")
				own.settle(tt.call, tt.err)
				p.leave(own)

				if tt.kept > 0 {
					time.Sleep(tt.kept)
					require.Same(t, own, p.use("order-7"), "not a moment too early")
					p.release(own)
					time.Sleep(time.Nanosecond)
				}
				other, err := p.enter(t.Context(), "order-8")
				require.NoError(t, err)
				p.leave(other)
				assert.Empty(t, p.known)
				assert.Empty(t, p.recent)
			})
		})
	}
}

func TestAPlacementThatIsForgottenIsNotHeldByTheListOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p placements
		own, err := p.enter(t.Context(), "order-7")
		require.NoError(t, err)
		own.settle(nil, ErrMaybeApplied)
		p.leave(own)
		array := p.recent[:1]

		time.Sleep(placedFor + time.Nanosecond)
		p.release(p.use("order-8"))
		require.Empty(t, p.recent)
		assert.Nil(t, array[0], "the list goes on in the same array until that is full")
	})
}

func TestPlacementsAreForgottenOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p placements
		for _, id := range []string{"order-1", "order-2", "order-1"} { // the first one is looked for, and found
			own, err := p.enter(t.Context(), id)
			require.NoError(t, err)
			p.remember(own)
			own.settle(&Call{ID: "call_1"}, nil)
			p.leave(own)
			time.Sleep(placedFor / 4)
		}
		time.Sleep(placedFor / 2)
		p.release(p.use("order-3"))
		assert.Contains(t, p.known, "order-1")
		assert.Len(t, p.recent, 3)

		time.Sleep(placedFor / 2)
		p.release(p.use("order-3"))
		assert.Empty(t, p.known)
		assert.Empty(t, p.recent)
	})
}

// One that is found late is remembered for longer than those behind it in the list,
// which wait there for their turn to be forgotten.
func TestAPlacementThatWaitsToBeForgottenTakesNoNewerOneAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p placements
		found, err := p.enter(t.Context(), "order-1")
		require.NoError(t, err)
		found.settle(nil, ErrMaybeApplied)
		p.leave(found)
		old, err := p.enter(t.Context(), "order-2")
		require.NoError(t, err)
		old.settle(nil, ErrMaybeApplied)
		p.leave(old)

		time.Sleep(placedFor)
		p.remember(found)
		p.use("order-2") // and looks again in vain, until its minute is over
		time.Sleep(time.Second)
		p.release(old)

		recent, err := p.enter(t.Context(), "order-2")
		require.NoError(t, err)
		require.NotSame(t, old, recent)
		recent.settle(&Call{ID: "call_1"}, nil)
		p.leave(recent)
		time.Sleep(placedFor - time.Second/2)
		require.Same(t, recent, p.use("order-2"), "its minute is not over")
	})
}
