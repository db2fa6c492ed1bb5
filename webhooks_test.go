package videosdk_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// validWebhook returns params that Webhooks.Create sends.
func validWebhook() videosdk.WebhookCreateParams {
	return videosdk.WebhookCreateParams{
		URL: "https://example.com/webhook", Events: []videosdk.EventType{videosdk.EventCallStarted, videosdk.EventCallAnswered},
	}
}

func TestWebhooksFromCreationToDeletion(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				webhooks := newClient(t, newServer(t, videosdktest.InMemory(), videosdktest.WithQuirks(quirks...))).Webhooks
				ctx, began := t.Context(), time.Now().UTC()

				created, err := webhooks.Create(ctx, validWebhook())
				require.NoError(t, err)
				want := &videosdk.Webhook{
					ID: created.ID, URL: validWebhook().URL, Events: validWebhook().Events, CreatedAt: began, UpdatedAt: began,
				}
				assert.NotEmpty(t, created.ID)
				assert.Equal(t, want, withoutRaw(created))

				got, err := webhooks.Get(ctx, created.ID)
				require.NoError(t, err)
				assert.Equal(t, want, withoutRaw(got))

				page, err := webhooks.List(ctx, videosdk.WebhookListParams{Search: "example.com"})
				require.NoError(t, err)
				require.Len(t, page.Items, 1)
				assert.Equal(t, want, withoutRaw(page.Items[0]))
				assert.Zero(t, countItems(t, webhooks.All(ctx, videosdk.WebhookListParams{Search: "nobody"})))

				<-time.After(time.Minute) // in virtual time
				updated, err := webhooks.Update(ctx, created.ID, videosdk.WebhookUpdateParams{URL: videosdk.Ptr("https://example.org")})
				require.NoError(t, err)
				want.URL, want.UpdatedAt = "https://example.org", began.Add(time.Minute)
				assert.Equal(t, want, withoutRaw(updated))

				deleted, err := webhooks.Delete(ctx, created.ID)
				require.NoError(t, err)
				assert.Equal(t, created.ID, deleted.ID)
				assert.NotEmpty(t, deleted.Message)
				_, err = webhooks.Get(ctx, created.ID)
				require.ErrorIs(t, err, videosdk.ErrNotFound)
				assert.Zero(t, countItems(t, webhooks.All(ctx, videosdk.WebhookListParams{})))
			})
		})
	}
}

func TestTheServerKnowsEachEventOfTheLibrary(t *testing.T) {
	events := []videosdk.EventType{
		videosdk.EventCallStarted, videosdk.EventCallRinging, videosdk.EventCallAnswered, videosdk.EventCallHangup,
		videosdk.EventCallMissed, videosdk.EventCallUpdate, videosdk.EventCallTransferred, videosdk.EventCallTransferInitiated,
		videosdk.EventCallTransferAccepted, videosdk.EventCallTransferring, videosdk.EventCallTransferRinging,
		videosdk.EventCallTransferFailed, videosdk.EventSwitchRoomInitiated, videosdk.EventSwitchRoomCompleted,
		videosdk.EventSwitchRoomFailed,
	}
	params := validWebhook()
	params.Events = events
	hook, err := newClient(t, newServer(t)).Webhooks.Create(t.Context(), params)
	require.NoError(t, err)
	assert.Equal(t, events, hook.Events)
}

// The API answers 500 to a name that it does not know, after which nobody can
// tell from the outside that nothing was done.
func TestAnEventThatTheServerDoesNotKnowIsNotTriedTwice(t *testing.T) {
	srv := newServer(t)
	params := validWebhook()
	params.Events = []videosdk.EventType{"session-started"}

	_, err := newClient(t, srv).Webhooks.Create(t.Context(), params)

	require.ErrorIs(t, err, videosdk.ErrServer)
	require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	assert.Len(t, srv.Requests(), 1)
}

func TestABadWebhookIsRefusedWithAllItsFaults(t *testing.T) {
	create := func(url string) func(context.Context, *videosdk.Client) error {
		return func(ctx context.Context, c *videosdk.Client) error {
			params := validWebhook()
			params.URL = url
			return errorOf(c.Webhooks.Create(ctx, params))
		}
	}
	update := func(id string, params videosdk.WebhookUpdateParams) func(context.Context, *videosdk.Client) error {
		return func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.Update(ctx, id, params))
		}
	}
	tests := []struct {
		name   string
		call   func(context.Context, *videosdk.Client) error
		fields []string
	}{
		{"nothing", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.Create(ctx, videosdk.WebhookCreateParams{}))
		}, []string{"url", "events"}},
		{"a URL without a scheme", create("example.com/hook"), []string{"url"}},
		{"a URL without a host", create("https:///hook"), []string{"url"}},
		{"a URL of another kind", create("ftp://example.com"), []string{"url"}},
		{"what is no URL", create("https://exa mple.com"), []string{"url"}},
		{"an event without a name", func(ctx context.Context, c *videosdk.Client) error {
			params := validWebhook()
			params.Events = []videosdk.EventType{videosdk.EventCallStarted, " "}
			return errorOf(c.Webhooks.Create(ctx, params))
		}, []string{"events[1]"}},
		{"an update of nothing", update("wh_1", videosdk.WebhookUpdateParams{}), []string{"params"}},
		{"an update with every fault", update("", videosdk.WebhookUpdateParams{URL: videosdk.Ptr(""), Events: []videosdk.EventType{}}),
			[]string{"webhookId", "url", "events"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			assertRefused(t, recorder, tt.call(t.Context(), recorder.client()), tt.fields...)
		})
	}
}
