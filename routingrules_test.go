package videosdk_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestARoutingRuleFromCreationToDeletion(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, videosdktest.WithQuirks(quirks...))
			srv.AddPhoneNumbers("+14155551234", "+14155555678")
			rules := newClient(t, srv).RoutingRules
			ctx := t.Context()

			created, err := rules.Create(ctx, videosdk.RoutingRuleCreateParams{
				Name: "Support", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155551234"},
				Room:    &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, Prefix: videosdk.RoomPrefixRandom, ID: "room_1", PIN: "4321"},
				AgentID: "agent_xyz", AgentMetadata: map[string]any{"team": "support"},
				IncludeHeaders: videosdk.IncludeHeadersSIPX, HeadersToAttributes: map[string]string{"X-Caller": "caller"},
				AllowedNumbers: []string{"+91*"}, AllowedIPAddresses: []string{"10.0.0.0/8"}, Tags: []string{"v2"},
				Recording: true, DTMF: true, NoiseCancellation: true, HidePhoneNumber: videosdk.Ptr(true), APIKey: srv.APIKey,
			})
			require.NoError(t, err)
			want := videosdk.RoutingRule{
				ID: created.ID, Name: "Support", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155551234"},
				Room:    &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, Prefix: videosdk.RoomPrefixRandom, ID: "room_1", PIN: "4321"},
				AgentID: "agent_xyz", AgentMetadata: map[string]any{"team": "support"},
				IncludeHeaders: videosdk.IncludeHeadersSIPX, HeadersToAttributes: map[string]string{"X-Caller": "caller"},
				AllowedNumbers: []string{"+91*"}, AllowedIPAddresses: []string{"10.0.0.0/8"}, Tags: []string{"v2"},
				Recording: true, DTMF: true, NoiseCancellation: true, HidePhoneNumber: true, APIKey: srv.APIKey,
				CreatedAt: created.CreatedAt, UpdatedAt: created.UpdatedAt,
			}
			assert.Equal(t, &want, withoutRaw(created))

			got, err := rules.Get(ctx, created.ID)
			require.NoError(t, err)
			assert.Equal(t, &want, withoutRaw(got))

			updated, err := rules.Update(ctx, created.ID, videosdk.RoutingRuleUpdateParams{
				PhoneNumbers: []string{"+14155555678"}, Recording: videosdk.Ptr(false), Tags: []string{}, AgentID: videosdk.Ptr(""),
			})
			require.NoError(t, err)
			assert.Equal(t, []string{"+14155555678"}, updated.PhoneNumbers)
			assert.False(t, updated.Recording)
			assert.Empty(t, updated.Tags)
			assert.Empty(t, updated.AgentID)
			assert.True(t, updated.DTMF, "what is nil stays as it is")
			assert.Equal(t, []string{"+91*"}, updated.AllowedNumbers)

			page, err := rules.List(ctx, videosdk.RoutingRuleListParams{Search: "SUPP"})
			require.NoError(t, err)
			require.Len(t, page.Items, 1)
			assert.Equal(t, withoutRaw(updated), withoutRaw(page.Items[0]))

			deleted, err := rules.Delete(ctx, created.ID)
			require.NoError(t, err)
			assert.Equal(t, created.ID, deleted.ID)
			assert.False(t, deleted.AlreadyGone)
			_, err = rules.Get(ctx, created.ID)
			require.ErrorIs(t, err, videosdk.ErrNotFound)
		})
	}
}

func TestRoutingRulesAreFoundByEachFilter(t *testing.T) {
	srv := newServer(t)
	srv.AddPhoneNumbers("+14155551234", "+14155555678")
	rules := newClient(t, srv).RoutingRules
	create := func(params videosdk.RoutingRuleCreateParams) string {
		t.Helper()
		rule, err := rules.Create(t.Context(), params)
		require.NoError(t, err)
		return rule.ID
	}
	inbound := create(videosdk.RoutingRuleCreateParams{
		Name: "Front desk", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155551234"},
		Room: &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, ID: "room_1"},
	})
	outbound := create(videosdk.RoutingRuleCreateParams{
		Name: "Campaign", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155555678"},
	})
	tests := []struct {
		name   string
		params videosdk.RoutingRuleListParams
		want   []string
	}{
		{"no filter", videosdk.RoutingRuleListParams{}, []string{inbound, outbound}},
		{"a name", videosdk.RoutingRuleListParams{Search: "front"}, []string{inbound}},
		{"a number", videosdk.RoutingRuleListParams{Search: "1415555567"}, []string{outbound}},
		{"a direction", videosdk.RoutingRuleListParams{Type: videosdk.DirectionOutbound}, []string{outbound}},
		{"ids", videosdk.RoutingRuleListParams{RuleIDs: []string{inbound, outbound}}, []string{inbound, outbound}},
		{"an id that there is not", videosdk.RoutingRuleListParams{RuleIDs: []string{"rr_unknown"}}, nil},
		{"room types", videosdk.RoutingRuleListParams{RoomTypes: []videosdk.RoomType{videosdk.RoomTypeStatic, "meeting"}}, []string{inbound}},
		{"filters that exclude each other", videosdk.RoutingRuleListParams{Search: "front", Type: videosdk.DirectionOutbound}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, idsOf(t, rules.All(t.Context(), tt.params)))
		})
	}
}

func TestTheErrorsOfRoutingRules(t *testing.T) {
	srv := newServer(t)
	srv.AddPhoneNumbers("+14155551234")
	rules := newClient(t, srv).RoutingRules
	inbound := videosdk.RoutingRuleCreateParams{Name: "In", Type: videosdk.DirectionInbound, PhoneNumbers: []string{"+14155551234"}}
	require.NoError(t, errorOf(rules.Create(t.Context(), inbound)))
	outbound := outboundRule(t, newClient(t, srv), "+14155551234")

	t.Run("a number that has an inbound rule", func(t *testing.T) {
		assert.ErrorIs(t, errorOf(rules.Create(t.Context(), inbound)), videosdk.ErrBadRequest)
	})
	t.Run("a number that the account does not have", func(t *testing.T) {
		params := validRule()
		params.PhoneNumbers = []string{"+14155550000"}
		assert.ErrorIs(t, errorOf(rules.Create(t.Context(), params)), videosdk.ErrBadRequest)
	})
	t.Run("another project's key", func(t *testing.T) {
		params := validRule()
		params.APIKey = "ak_other"
		_, err := rules.Create(t.Context(), params)
		var apiErr *videosdk.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, "Invalid API Key", apiErr.Message)
		assert.Equal(t, http.StatusBadRequest, apiErr.StatusCode)
	})
	t.Run("headers of the other direction, which the client cannot know of", func(t *testing.T) {
		_, err := rules.Update(t.Context(), outbound.ID,
			videosdk.RoutingRuleUpdateParams{HeadersToAttributes: map[string]string{"X-A": "a"}})
		assert.ErrorIs(t, err, videosdk.ErrBadRequest)
	})
	t.Run("a rule that there is not", func(t *testing.T) {
		assert.ErrorIs(t, errorOf(rules.Get(t.Context(), "rr_unknown")), videosdk.ErrNotFound)
		assert.ErrorIs(t, errorOf(rules.Update(t.Context(), "rr_unknown",
			videosdk.RoutingRuleUpdateParams{Name: videosdk.Ptr("n")})), videosdk.ErrNotFound)
		assert.ErrorIs(t, errorOf(rules.Delete(t.Context(), "rr_unknown")), videosdk.ErrNotFound)
	})
}

func TestADeletionThatFindsItsWorkDoneSucceeds(t *testing.T) {
	tests := []struct {
		name  string
		fault videosdktest.Fault
		gone  bool
	}{
		{"the answer was lost", videosdktest.Fault{Method: http.MethodDelete, Drop: videosdktest.DropAfterActing}, true},
		{"the answer was cut short", videosdktest.Fault{Method: http.MethodDelete, Drop: videosdktest.DropMidBody}, true},
		{"the first attempt did nothing", videosdktest.Fault{Method: http.MethodDelete, Drop: videosdktest.DropBeforeActing}, false},
		{"another request was in the way for a moment", videosdktest.Fault{Method: http.MethodDelete, Status: http.StatusConflict}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t)
			srv.AddPhoneNumbers("+14155551234")
			client := newClient(t, srv)
			rule := outboundRule(t, client, "+14155551234")
			srv.Inject(tt.fault)

			deleted, err := client.RoutingRules.Delete(t.Context(), rule.ID)

			require.NoError(t, err)
			assert.Equal(t, rule.ID, deleted.ID)
			assert.Equal(t, tt.gone, deleted.AlreadyGone)
			_, err = client.RoutingRules.Get(t.Context(), rule.ID)
			assert.ErrorIs(t, err, videosdk.ErrNotFound)
		})
	}
}

// The documented 409 says that another request changed or deleted the rule.
func TestADeletionThatLosesToAnotherOneSucceeds(t *testing.T) {
	recorder := newRecorder(t, http.StatusConflict, `{"message":"retry"}`).then(http.StatusNotFound, `{"message":"Routing rule not found"}`)

	deleted, err := recorder.client().RoutingRules.Delete(t.Context(), "rr_1")

	require.NoError(t, err)
	assert.Equal(t, &videosdk.DeleteResult{ID: "rr_1", AlreadyGone: true}, deleted)
	assert.Len(t, recorder.all(), 2)
}
