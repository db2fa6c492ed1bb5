package videosdk_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

const (
	ourNumber   = "+14155551234"
	theirNumber = "+14155550199"
)

// newLine returns a server with a number, and a client with an outbound rule
// for it.
func newLine(t *testing.T, opts ...videosdktest.Option) (*videosdktest.Server, *videosdk.Client, *videosdk.RoutingRule) {
	t.Helper()
	srv := newServer(t, opts...)
	srv.AddPhoneNumbers(ourNumber)
	client := newClient(t, srv)
	return srv, client, outboundRule(t, client, ourNumber)
}

func TestACallFromDialToHangUp(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithQuirks(quirks...))
				srv.Callee(theirNumber).RingsAfter(time.Second).AnswersAfter(10 * time.Second)
				ctx := t.Context()
				began := time.Now()

				created, err := client.Calls.Create(ctx, videosdk.CallCreateParams{
					To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID, DestinationRoomID: "room_1",
					Metadata: map[string]any{"campaignId": "cmp_123", "empty": ""},
				})
				require.NoError(t, err)
				assert.NotEmpty(t, created.ID)
				assert.Equal(t, []string{theirNumber, ourNumber, "room_1", string(videosdk.CallInitiated)},
					[]string{created.To, created.From, created.RoomID, string(created.Status)})
				assert.Equal(t, map[string]any{"campaignId": "cmp_123", "empty": ""}, created.Metadata)
				assert.False(t, created.WasAnswered())

				answered, err := client.Calls.WaitAnswered(ctx, created.ID)
				require.NoError(t, err)
				assert.Equal(t, created.ID, answered.ID)
				assert.Equal(t, videosdk.CallAnswered, answered.Status)
				assert.Equal(t, videosdk.DirectionOutbound, answered.Type)
				assert.Equal(t, rule.ID, answered.RuleID)
				assert.Equal(t, created.Metadata, answered.Metadata)
				assert.False(t, answered.IsOver())
				assert.Nil(t, answered.End)
				require.NotNil(t, answered.Start)
				assert.WithinDuration(t, began, *answered.Start, time.Millisecond)

				ended, err := client.Calls.End(ctx, created.ID)
				require.NoError(t, err)
				assert.Equal(t, created.ID, ended.ID)
				assert.Equal(t, videosdk.CallEnded, ended.Status)

				got, err := client.Calls.Get(ctx, created.ID)
				require.NoError(t, err)
				assert.True(t, got.IsOver())
				assert.True(t, got.WasAnswered(), "the timeline remembers")
				assert.NotNil(t, got.End)
				assert.Equal(t, []videosdk.CallStatus{
					videosdk.CallInitiated, videosdk.CallRinging, videosdk.CallAnswered, videosdk.CallEnded,
				}, statusesOf(got))

				page, err := client.Calls.List(ctx, videosdk.CallListParams{RoomID: "room_1"})
				require.NoError(t, err)
				require.Len(t, page.Items, 1)
				assert.Equal(t, created.ID, page.Items[0].ID)
				assert.Equal(t, got.Timelog, page.Items[0].Timelog)
				assert.Equal(t, "Out", page.Items[0].RuleName)
				assert.Equal(t, 1, srv.DialCount(theirNumber))
			})
		})
	}
}

func statusesOf(call *videosdk.Call) []videosdk.CallStatus {
	var statuses []videosdk.CallStatus
	for _, event := range call.Timelog {
		statuses = append(statuses, event.Status)
	}
	return statuses
}

func TestACallThatIsNotAnsweredSaysWhy(t *testing.T) {
	tests := []struct {
		name   string
		script func(*videosdktest.Callee)
		want   videosdk.CallStatus
	}{
		{"rejected", func(c *videosdktest.Callee) { c.Rejects() }, videosdk.CallRejected},
		{"not answered in time", func(c *videosdktest.Callee) { c.NeverAnswers() }, videosdk.CallNotAnswered},
		{"failed", func(c *videosdktest.Callee) { c.Fails() }, videosdk.CallFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory())
				tt.script(srv.Callee(theirNumber))
				call, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{
					To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID, RingingTimeout: 20 * time.Second,
				})
				require.NoError(t, err)

				ended, err := client.Calls.Wait(t.Context(), call.ID, nil)

				require.NoError(t, err)
				assert.Equal(t, tt.want, ended.Status)
				assert.True(t, ended.IsOver())
				assert.False(t, ended.WasAnswered())
			})
		})
	}
}

func TestTheSettingsOfACallReachThePhone(t *testing.T) {
	srv, client, rule := newLine(t)
	number, err := client.PhoneNumbers.Get(t.Context(), ourNumber)
	require.NoError(t, err)
	settings := videosdk.CallCreateParams{
		To: theirNumber, RecordAudio: videosdk.Ptr(true), DTMF: videosdk.Ptr(true), HidePhoneNumber: videosdk.Ptr(true),
		MediaEncryption: videosdk.MediaEncryptionEnable, Headers: map[string]string{"X-A": "b"}, IncludeHeaders: videosdk.IncludeHeadersAll,
	}

	byGateway := settings
	byGateway.GatewayID = number.Outbound.ID
	require.NoError(t, errorOf(client.Calls.Create(t.Context(), byGateway)))
	byRule := settings
	byRule.From, byRule.RoutingRuleID = ourNumber, rule.ID
	require.NoError(t, errorOf(client.Calls.Create(t.Context(), byRule)))

	dials := srv.Dials()
	require.Len(t, dials, 2)
	assert.Equal(t, ourNumber, dials[0].From, "the gateway's first number")
	assert.Equal(t, videosdktest.CallSettings{
		RecordAudio: true, DTMF: true, HidePhoneNumber: true, MediaEncryption: "enable",
		Headers: map[string]string{"X-A": "b"}, IncludeHeaders: []string{"ALL"},
	}, dials[0].Settings)
	assert.False(t, dials[1].Settings.RecordAudio, "with a rule they come from the rule")
}

func TestTheLimitsOfACallAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		srv.Callee(theirNumber).AnswersAfter(time.Second)
		srv.Callee("sip:slow@example.com").NeverAnswers()
		params := videosdk.CallCreateParams{
			From: ourNumber, RoutingRuleID: rule.ID, RingingTimeout: 7 * time.Second, MaxCallDuration: 90 * time.Second,
		}
		lengthOf := func(to string) (time.Duration, videosdk.CallStatus) {
			t.Helper()
			params.To = to
			call, err := client.Calls.Create(t.Context(), params)
			require.NoError(t, err)
			call, err = client.Calls.Wait(t.Context(), call.ID, nil)
			require.NoError(t, err)
			last := call.Timelog[len(call.Timelog)-1]
			return last.Timestamp.Sub(call.Timelog[len(call.Timelog)-2].Timestamp), call.Status
		}

		talking, status := lengthOf(theirNumber)
		assert.Equal(t, videosdk.CallEnded, status)
		assert.Equal(t, 90*time.Second, talking)
		ringing, status := lengthOf("sip:slow@example.com")
		assert.Equal(t, videosdk.CallNotAnswered, status)
		assert.Equal(t, 7*time.Second, ringing)
	})
}

func TestCallsAreFoundByEachFilter(t *testing.T) {
	srv, client, rule := newLine(t)
	before := time.Now().Add(-time.Minute)
	call, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{
		To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID, DestinationRoomID: "room_1",
	})
	require.NoError(t, err)
	call, err = client.Calls.Get(t.Context(), call.ID)
	require.NoError(t, err)
	other := videosdk.CallCreateParams{To: "sip:alice@example.com", From: ourNumber, RoutingRuleID: rule.ID}
	require.NoError(t, errorOf(client.Calls.Create(t.Context(), other)))
	require.Len(t, srv.Dials(), 2)

	tests := []struct {
		name   string
		params videosdk.CallListParams
		want   int
	}{
		{"no filter", videosdk.CallListParams{}, 2},
		{"its room", videosdk.CallListParams{RoomID: "room_1"}, 1},
		{"its session", videosdk.CallListParams{SessionID: call.SessionID}, 1},
		{"its id", videosdk.CallListParams{CallID: call.ID}, 1},
		{"its gateway", videosdk.CallListParams{GatewayID: call.GatewayID}, 2},
		{"its rule", videosdk.CallListParams{RuleID: rule.ID}, 2},
		{"its direction", videosdk.CallListParams{Type: videosdk.DirectionOutbound}, 2},
		{"the other direction", videosdk.CallListParams{Type: videosdk.DirectionInbound}, 0},
		{"whom it reached", videosdk.CallListParams{Search: theirNumber}, 1},
		{"a time before it", videosdk.CallListParams{StartDate: before}, 2},
		{"a time after it", videosdk.CallListParams{StartDate: time.Now().Add(time.Minute)}, 0},
		{"the days up to the one before", videosdk.CallListParams{EndDate: before.Add(-24 * time.Hour)}, 0},
		{"all of today", videosdk.CallListParams{EndDate: time.Now()}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, countItems(t, client.Calls.All(t.Context(), tt.params)))
		})
	}
}

func TestTheErrorsOfCalls(t *testing.T) {
	srv, client, rule := newLine(t)
	inbound, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
		Name: "In", Type: videosdk.DirectionInbound, PhoneNumbers: []string{ourNumber},
	})
	require.NoError(t, err)
	call := func(from, ruleID string) error {
		return errorOf(client.Calls.Create(t.Context(), videosdk.CallCreateParams{To: theirNumber, From: from, RoutingRuleID: ruleID}))
	}

	assert.ErrorIs(t, call(ourNumber, inbound.ID), videosdk.ErrBadRequest, "an inbound rule")
	assert.ErrorIs(t, call("+14155550000", rule.ID), videosdk.ErrBadRequest, "a number of another rule")
	assert.ErrorIs(t, call(ourNumber, "rr_unknown"), videosdk.ErrBadRequest)
	assert.ErrorIs(t, errorOf(client.Calls.Get(t.Context(), "call_unknown")), videosdk.ErrNotFound)
	assert.ErrorIs(t, errorOf(client.Calls.End(t.Context(), "call_unknown")), videosdk.ErrNotFound)
	assert.Empty(t, srv.Dials())
}

func TestEndingACallAgainDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		call, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID})
		require.NoError(t, err)
		srv.Inject(videosdktest.Fault{Path: "/v2/sip/call/end", Drop: videosdktest.DropAfterActing})

		ended, err := client.Calls.End(t.Context(), call.ID)
		require.NoError(t, err, "the first answer was lost")
		again, err := client.Calls.End(t.Context(), call.ID)
		require.NoError(t, err)

		assert.True(t, ended.IsOver())
		assert.Equal(t, withoutRaw(ended), withoutRaw(again))
	})
}

func TestAnInboundCallCanBeFollowedAndEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, _ := newLine(t, videosdktest.InMemory())
		require.NoError(t, errorOf(client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
			Name: "In", Type: videosdk.DirectionInbound, PhoneNumbers: []string{ourNumber},
			Room: &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, ID: "lobby"},
		})))
		id, err := srv.InboundCall(theirNumber, ourNumber)
		require.NoError(t, err)

		call, err := client.Calls.WaitAnswered(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, videosdk.DirectionInbound, call.Type)
		assert.Equal(t, []string{theirNumber, ourNumber, "lobby"}, []string{call.From, call.To, call.RoomID})
		assert.Equal(t, videosdk.CallIncoming, call.Timelog[0].Status)

		require.NoError(t, srv.HangUp(id))
		call, err = client.Calls.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		assert.Equal(t, videosdk.CallEnded, call.Status)
		assert.Empty(t, srv.Dials(), "it was the caller who dialled")
	})
}

func TestEachStatusOfTheAPITellsWhetherTheCallIsOver(t *testing.T) {
	over := []videosdk.CallStatus{
		videosdk.CallEnded, videosdk.CallMissed, videosdk.CallNotAnswered, videosdk.CallFailed, videosdk.CallRejected,
		videosdk.CallAbandoned,
	}
	up := []videosdk.CallStatus{
		videosdk.CallAnswered, videosdk.CallTransferInitiated, videosdk.CallTransferAccepted, videosdk.CallTransferring,
		videosdk.CallTransferRinging, videosdk.CallTransferred, videosdk.CallTransferFailed, videosdk.CallSwitchRoomInitiated,
		videosdk.CallSwitchRoomCompleted, videosdk.CallSwitchRoomFailed,
	}
	before := []videosdk.CallStatus{
		videosdk.CallInitiated, videosdk.CallRinging, videosdk.CallIncoming, videosdk.CallVerified, "a status of the future", "",
	}
	for _, status := range over {
		call := videosdk.Call{Status: status}
		assert.True(t, status.IsTerminal(), status)
		assert.True(t, call.IsOver(), status)
		assert.False(t, call.WasAnswered(), status)
	}
	for _, status := range up {
		call := videosdk.Call{Status: status}
		assert.False(t, call.IsOver(), status)
		assert.True(t, call.WasAnswered(), status)
	}
	for _, status := range before {
		call := videosdk.Call{Status: status}
		assert.False(t, call.IsOver(), status)
		assert.False(t, call.WasAnswered(), status)
	}
	end := time.Now()
	ended := videosdk.Call{Status: "a status of the future", End: &end}
	assert.True(t, ended.IsOver(), "it has an end")
}
