package videosdk_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestARoomFromCreationToDeactivation(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			rooms, ctx := newClient(t, newServer(t, videosdktest.WithQuirks(quirks...))).Rooms, t.Context()

			created, err := rooms.Create(ctx, videosdk.RoomCreateParams{CustomRoomID: "support", GeoFence: "us002"})
			require.NoError(t, err)
			want := &videosdk.Room{ID: created.ID, CustomRoomID: "support"}
			assert.NotEmpty(t, created.ID)
			assert.Equal(t, want, withoutRaw(created))

			again, err := rooms.Create(ctx, videosdk.RoomCreateParams{CustomRoomID: "support"})
			require.NoError(t, err)
			assert.Equal(t, want, withoutRaw(again), "it is the same room")

			got, err := rooms.Get(ctx, created.ID)
			require.NoError(t, err)
			assert.Equal(t, want, withoutRaw(got))

			named, err := rooms.Get(ctx, "support")
			require.NoError(t, err)
			assert.Equal(t, want, withoutRaw(named))

			for _, id := range []string{created.ID, "support"} {
				valid, err := rooms.Validate(ctx, id)
				require.NoError(t, err)
				assert.True(t, valid.Valid)
				assert.Equal(t, want, withoutRaw(valid.Room))
			}

			_, err = rooms.Deactivate(ctx, "support")
			require.ErrorIs(t, err, videosdk.ErrPaymentRequired, "which takes no name")
			closed, err := rooms.Deactivate(ctx, created.ID)
			require.NoError(t, err)
			assert.Equal(t, want, withoutRaw(closed))

			valid, err := rooms.Validate(ctx, created.ID)
			require.NoError(t, err)
			assert.Equal(t, &videosdk.RoomValidation{Reason: "Room is deactivated"}, valid)
		})
	}
}

func TestARoomThatDoesNotExist(t *testing.T) {
	rooms := newClient(t, newServer(t)).Rooms
	_, err := rooms.Get(t.Context(), "none")
	require.ErrorIs(t, err, videosdk.ErrPaymentRequired, "as the API has it for rooms")
	valid, err := rooms.Validate(t.Context(), "none")
	require.NoError(t, err)
	assert.Equal(t, &videosdk.RoomValidation{Reason: "Room not found"}, valid)
	_, err = rooms.Deactivate(t.Context(), "none")
	require.ErrorIs(t, err, videosdk.ErrPaymentRequired)
}

func TestWhatSaysThatARoomIsNotValid(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusPaymentRequired, http.StatusNotFound} {
		valid, err := newRecorder(t, status, `{"message":"no such room"}`).client().Rooms.Validate(t.Context(), "room_1")
		require.NoError(t, err)
		assert.Equal(t, &videosdk.RoomValidation{Reason: "no such room"}, valid)
	}
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusInternalServerError} {
		_, err := newRecorder(t, status, `{}`).client().Rooms.Validate(t.Context(), "room_1")
		require.Error(t, err, "a %d says nothing of the room", status)
	}
}

func TestARoomThatIsShownAsDisabledIsNotValid(t *testing.T) {
	for disabled, want := range map[string]bool{`true`: false, `"true"`: false, `false`: true, `null`: true, `"false"`: true} {
		answer := `{"roomId":"abcd-efgh-ijkl","disabled":` + disabled + `}`
		valid, err := newRecorder(t, http.StatusOK, answer).client().Rooms.Validate(t.Context(), "abcd-efgh-ijkl")
		require.NoError(t, err)
		assert.Equal(t, want, valid.Valid, disabled)
		assert.Equal(t, want, valid.Room != nil, disabled)
		assert.Equal(t, want, valid.Reason == "", disabled)
	}
}

func TestARoomWithANameIsMadeOnceThoughTheAnswerIsLost(t *testing.T) {
	srv := newServer(t)
	rooms := newClient(t, srv).Rooms
	srv.Inject(videosdktest.Fault{Drop: videosdktest.DropAfterActing})

	room, err := rooms.Create(t.Context(), videosdk.RoomCreateParams{CustomRoomID: "support"})

	require.NoError(t, err)
	assert.Len(t, srv.Requests(), 2)
	again, err := rooms.Create(t.Context(), videosdk.RoomCreateParams{CustomRoomID: "support"})
	require.NoError(t, err)
	assert.Equal(t, room.ID, again.ID)
}

func TestARoomWithoutANameIsNotMadeTwice(t *testing.T) {
	srv := newServer(t)
	srv.Inject(videosdktest.Fault{Drop: videosdktest.DropAfterActing})
	_, err := newClient(t, srv).Rooms.Create(t.Context(), videosdk.RoomCreateParams{})
	require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	assert.Len(t, srv.Requests(), 1)
}

func TestARoomWithoutAnIDIsRefused(t *testing.T) {
	tests := map[string]func(context.Context, *videosdk.Client) error{
		"Get":        func(ctx context.Context, c *videosdk.Client) error { return errorOf(c.Rooms.Get(ctx, "")) },
		"Validate":   func(ctx context.Context, c *videosdk.Client) error { return errorOf(c.Rooms.Validate(ctx, "..")) },
		"Deactivate": func(ctx context.Context, c *videosdk.Client) error { return errorOf(c.Rooms.Deactivate(ctx, " ")) },
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			assertRefused(t, recorder, call(t.Context(), recorder.client()), "roomId")
		})
	}
}

func TestInboundSIPURI(t *testing.T) {
	tests := []struct {
		name, orgID string
		region      videosdk.URIRegion
		want        string
		faults      []string
	}{
		{"without a region", "acme", "", "sip:acme.sip.videosdk.live", nil},
		{"in India", "acme", videosdk.URIRegionIndia, "sip:acme.in1.sip.videosdk.live", nil},
		{"in the US", "Acme-1", videosdk.URIRegionUS, "sip:Acme-1.us2.sip.videosdk.live", nil},
		{"in a region that is not known", "acme", "mars1", "sip:acme.mars1.sip.videosdk.live", nil},
		{"with the longest id", strings.Repeat("a", 63), "", "sip:" + strings.Repeat("a", 63) + ".sip.videosdk.live", nil},
		{"without an id", "", "", "", []string{"orgID"}},
		{"with an id that is too long", strings.Repeat("a", 64), "", "", []string{"orgID"}},
		{"with an id that would lead to another host", "evil.example/", "", "", []string{"orgID"}},
		{"with an id that would be a user", "alice@evil", "", "", []string{"orgID"}},
		{"with an id that begins with a hyphen", "-acme", "", "", []string{"orgID"}},
		{"with an id and a region that end with one", "acme-", "in1-", "", []string{"orgID", "region"}},
		{"with an id that is nothing else", "-", "", "", []string{"orgID"}},
		{"with two faults", "a b", "in1.evil", "", []string{"orgID", "region"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			uri, err := videosdk.InboundSIPURI(tt.orgID, tt.region)
			assert.Equal(t, tt.want, uri)
			if tt.faults == nil {
				require.NoError(t, err)
				return
			}
			assert.Equal(t, tt.faults, fieldsOf(t, err))
		})
	}
}
