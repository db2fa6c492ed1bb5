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

func TestRulesOfAGatewayFromCreationToDeletion(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, newServer(t, videosdktest.WithQuirks(quirks...)))
			rules, ctx := client.GatewayRoutingRules, t.Context()
			gateway, err := client.InboundGateways.Create(ctx, fullInboundGateway())
			require.NoError(t, err)
			params := fullGatewayRule(gateway.ID)

			created, err := rules.Create(ctx, params)
			require.NoError(t, err)
			want := &videosdk.GatewayRoutingRule{
				ID: created.ID, Name: "Support", Type: videosdk.DirectionInbound, GatewayID: gateway.ID, Numbers: []string{"+14155551234"},
				Dispatch: params.Dispatch, HidePhoneNumber: true, Metadata: params.Metadata, Tags: []string{"priority"},
			}
			assert.NotEmpty(t, created.ID)
			assert.Equal(t, want, withoutRaw(created))

			got, err := rules.Get(ctx, created.ID)
			require.NoError(t, err)
			assert.Equal(t, want, withoutRaw(got))

			page, err := rules.List(ctx, videosdk.GatewayRoutingRuleListParams{GatewayID: gateway.ID, ID: created.ID, Search: "supp"})
			require.NoError(t, err)
			require.Len(t, page.Items, 1)
			assert.Equal(t, want, withoutRaw(page.Items[0]))
			assert.Zero(t, countItems(t, rules.All(ctx, videosdk.GatewayRoutingRuleListParams{GatewayID: "gw_other"})))

			updated, err := rules.Update(ctx, created.ID, videosdk.GatewayRoutingRuleUpdateParams{
				Name: videosdk.Ptr("Sales"), HidePhoneNumber: videosdk.Ptr(false), Tags: []string{"v2", "sales"},
			})
			require.NoError(t, err)
			want.Name, want.HidePhoneNumber, want.Tags = "Sales", false, []string{"v2", "sales"}
			assert.Equal(t, want, withoutRaw(updated))

			deleted, err := rules.Delete(ctx, created.ID)
			require.NoError(t, err)
			assert.Equal(t, &videosdk.DeleteResult{ID: created.ID, Message: "Rule deleted successfully"}, withoutRaw(deleted))
			_, err = rules.Get(ctx, created.ID)
			require.ErrorIs(t, err, videosdk.ErrNotFound)
			assert.Zero(t, countItems(t, rules.All(ctx, videosdk.GatewayRoutingRuleListParams{})))
		})
	}
}

func TestARuleSendsCallsToARoomOrAnAgentOrBoth(t *testing.T) {
	room := &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, Prefix: videosdk.RoomPrefixBlank, ID: "room_1"}
	agent := &videosdk.DispatchAgent{Type: videosdk.AgentTypeSelf, ID: "agent_1"}
	tests := []struct {
		name     string
		dispatch videosdk.Dispatch
	}{
		{"a room", videosdk.Dispatch{Room: room}},
		{"an agent", videosdk.Dispatch{Agent: agent}},
		{"both", videosdk.Dispatch{Room: room, Agent: agent}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, newServer(t))
			gateway, err := client.OutboundGateways.Create(t.Context(), fullOutboundGateway())
			require.NoError(t, err)

			rule, err := client.GatewayRoutingRules.Create(t.Context(), videosdk.GatewayRoutingRuleCreateParams{
				GatewayID: gateway.ID, Name: "Out", Numbers: []string{"+14155551234"}, Dispatch: tt.dispatch,
			})

			require.NoError(t, err)
			assert.Equal(t, videosdk.DirectionOutbound, rule.Type)
			assert.Equal(t, tt.dispatch.Agent, rule.Dispatch.Agent)
			if tt.dispatch.Room != nil {
				assert.Equal(t, tt.dispatch.Room, rule.Dispatch.Room)
			}
		})
	}
}

// Rules of other programs may have been made with the other spelling.
func TestARuleThatWasMadeWithTheWordAgentIsReadAndChanged(t *testing.T) {
	client := newClient(t, newServer(t))
	gateway, err := client.InboundGateways.Create(t.Context(), fullInboundGateway())
	require.NoError(t, err)
	var made struct {
		ID string `json:"id"`
	}
	require.NoError(t, client.Do(t.Context(), http.MethodPost, "/v2/sip/routing-rules", map[string]any{
		"gatewayId": gateway.ID, "name": "Agent", "numbers": []string{"+14155551234"},
		"dispatch": "agent", "agentType": "cloud", "agentId": "deploy_1", "hidePhoneNumber": "true",
	}, &made))

	rule, err := client.GatewayRoutingRules.Get(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, &videosdk.DispatchAgent{Type: videosdk.AgentTypeCloud, ID: "deploy_1"}, rule.Dispatch.Agent)
	assert.True(t, rule.HidePhoneNumber)

	rule.Dispatch.Agent.ID = "deploy_2"
	updated, err := client.GatewayRoutingRules.Update(t.Context(), made.ID, videosdk.GatewayRoutingRuleUpdateParams{Dispatch: &rule.Dispatch})
	require.NoError(t, err)
	assert.Equal(t, "deploy_2", updated.Dispatch.Agent.ID)
	assert.True(t, updated.HidePhoneNumber, "what is left out stays")
}

func TestABadRuleOfAGatewayIsRefusedWithAllItsFaults(t *testing.T) {
	create := func(params videosdk.GatewayRoutingRuleCreateParams) func(context.Context, *videosdk.Client) error {
		return func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.Create(ctx, params))
		}
	}
	update := func(id string, params videosdk.GatewayRoutingRuleUpdateParams) func(context.Context, *videosdk.Client) error {
		return func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.GatewayRoutingRules.Update(ctx, id, params))
		}
	}
	nobody := &videosdk.DispatchAgent{Type: videosdk.AgentTypeCloud}
	tests := []struct {
		name   string
		call   func(context.Context, *videosdk.Client) error
		fields []string
	}{
		{"nothing", create(videosdk.GatewayRoutingRuleCreateParams{}), []string{"gatewayId", "name", "numbers", "dispatch"}},
		{"an agent without an id", create(videosdk.GatewayRoutingRuleCreateParams{
			GatewayID: "gw_1", Name: "n", Numbers: []string{"1"}, Dispatch: videosdk.Dispatch{Agent: nobody},
		}), []string{"numbers[0]", "dispatch.agent.id"}},
		{"an update of nothing", update("rule_1", videosdk.GatewayRoutingRuleUpdateParams{}), []string{"params"}},
		{"an update with every fault", update("", videosdk.GatewayRoutingRuleUpdateParams{
			Name: videosdk.Ptr(""), Numbers: []string{}, Dispatch: &videosdk.Dispatch{},
		}), []string{"ruleId", "name", "numbers", "dispatch"}},
		{"an update to an agent without an id", update("rule_1", videosdk.GatewayRoutingRuleUpdateParams{
			Dispatch: &videosdk.Dispatch{Agent: nobody},
		}), []string{"dispatch.agent.id"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			assertRefused(t, recorder, tt.call(t.Context(), recorder.client()), tt.fields...)
		})
	}
}

func TestARuleOfAnUnknownGatewayIsRefusedByTheServer(t *testing.T) {
	_, err := newClient(t, newServer(t)).GatewayRoutingRules.Create(t.Context(), fullGatewayRule("gw_none"))
	require.ErrorIs(t, err, videosdk.ErrBadRequest)
	assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
}
