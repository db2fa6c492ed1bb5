package videosdk_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// validTrunk returns params that Trunks.Create sends.
func validTrunk() videosdk.TrunkParams {
	return videosdk.TrunkParams{
		Name: "Twilio", Domain: "example.pstn.twilio.com", Direction: videosdk.DirectionOutbound,
		Numbers: []string{"+14155551234", "+14155555678"},
	}
}

// validTrunkCall returns params that Trunks.Call sends.
func validTrunkCall(trunkID string) videosdk.TrunkCallParams {
	return videosdk.TrunkCallParams{To: theirNumber, DisplayName: "Ann", RoomID: "room_1", TrunkID: trunkID}
}

func TestATrunkFromCreationToItsCalls(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, videosdktest.WithQuirks(quirks...))
			trunks, ctx := newClient(t, srv).Trunks, t.Context()

			params := validTrunk()
			created, err := trunks.Create(ctx, params)
			require.NoError(t, err)
			want := &videosdk.Trunk{
				ID: created.ID, Name: params.Name, Domain: params.Domain, Direction: params.Direction, Numbers: params.Numbers,
			}
			assert.NotEmpty(t, created.ID)
			assert.Equal(t, want, withoutRaw(created))

			params.Name, params.Auth = "Renamed", &videosdk.SIPAuth{Username: "u", Password: "p"}
			updated, err := trunks.Update(ctx, created.ID, params)
			require.NoError(t, err)
			want.Name, want.Auth = "Renamed", params.Auth
			assert.Equal(t, want, withoutRaw(updated))

			call, err := trunks.Call(ctx, validTrunkCall(created.ID))
			require.NoError(t, err)
			assert.NotEmpty(t, call.ParticipantID)
			assert.Equal(t, "Success", call.Message)

			named := validTrunkCall(created.ID)
			named.From, named.ParticipantID = "+14155555678", "p_1"
			call, err = trunks.Call(ctx, named)
			require.NoError(t, err)
			assert.Equal(t, "p_1", call.ParticipantID)

			dials := srv.Dials()
			require.Len(t, dials, 2)
			assert.Equal(t, []string{"+14155551234", "+14155555678"}, []string{dials[0].From, dials[1].From},
				"the first number of the trunk is the default")
		})
	}
}

func TestACallThatATrunkCannotMakeIsNotDialled(t *testing.T) {
	srv := newServer(t)
	trunks := newClient(t, srv).Trunks
	trunk, err := trunks.Create(t.Context(), validTrunk())
	require.NoError(t, err)
	foreign := validTrunkCall(trunk.ID)
	foreign.From = "+14155550000"

	for name, params := range map[string]videosdk.TrunkCallParams{
		"from a number that is not the trunk's": foreign, "by an unknown trunk": validTrunkCall("trunk_none"),
	} {
		_, err = trunks.Call(t.Context(), params)
		require.ErrorIs(t, err, videosdk.ErrBadRequest, name)
		assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied, name)
	}
	assert.Empty(t, srv.Dials())
	_, err = trunks.Update(t.Context(), "trunk_none", validTrunk())
	require.ErrorIs(t, err, videosdk.ErrNotFound)
}

func TestABadTrunkIsRefusedWithAllItsFaults(t *testing.T) {
	tests := []struct {
		name   string
		call   func(context.Context, *videosdk.Client) error
		fields []string
	}{
		{"a trunk of nothing", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Create(ctx, videosdk.TrunkParams{}))
		}, []string{"name", "domain", "direction", "numbers"}},
		{"a trunk with a name of two characters, and blanks", func(ctx context.Context, c *videosdk.Client) error {
			params := validTrunk()
			params.Name = " äb "
			return errorOf(c.Trunks.Create(ctx, params))
		}, []string{"name"}},
		{"an update with every fault", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Update(ctx, ".", videosdk.TrunkParams{Numbers: []string{"0"}, Auth: &videosdk.SIPAuth{}}))
		}, []string{"trunkId", "name", "domain", "direction", "numbers[0]", "auth.username", "auth.password"}},
		{"a call of nothing", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Call(ctx, videosdk.TrunkCallParams{}))
		}, []string{"to", "displayName", "meetingId", "trunkId"}},
		{"a call from what is no number", func(ctx context.Context, c *videosdk.Client) error {
			params := validTrunkCall("trunk_1")
			params.From = "sip:alice@example.com"
			return errorOf(c.Trunks.Call(ctx, params))
		}, []string{"from"}},
		{"a call that asks to be repeated", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Trunks.Call(ctx, validTrunkCall("trunk_1"), videosdk.WithRetryUnknown()))
		}, []string{"WithRetryUnknown"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			assertRefused(t, recorder, tt.call(t.Context(), recorder.client()), tt.fields...)
		})
	}
}
