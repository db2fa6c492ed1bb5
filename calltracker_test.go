package videosdk_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// moment is the status of a call, and the second at which an event says that
// it was reached. 0 leaves the event without a time.
type moment struct {
	status videosdk.CallStatus
	second int64
}

func (m moment) event(callID string) *videosdk.Event {
	event := &videosdk.Event{Call: &videosdk.Call{ID: callID, Status: m.status}}
	if m.second > 0 {
		event.Timestamp = time.Unix(m.second, 0)
	}
	return event
}

// untimed returns events without times.
func untimed(statuses ...videosdk.CallStatus) []moment {
	moments := make([]moment, len(statuses))
	for i, status := range statuses {
		moments[i] = moment{status: status}
	}
	return moments
}

// timed returns events a second apart.
func timed(statuses ...videosdk.CallStatus) []moment {
	moments := untimed(statuses...)
	for i := range moments {
		moments[i].second = int64(i) + 1
	}
	return moments
}

// sentAt is timed by a sender that tells when it sent an event: the first one
// of a call last.
func sentAt(statuses ...videosdk.CallStatus) []moment {
	moments := untimed(statuses...)
	for i := range moments {
		moments[i].second = int64(len(moments) - i)
	}
	return moments
}

// permute calls f with each order of the moments.
func permute(moments []moment, f func([]moment)) {
	var place func(n int)
	place = func(n int) {
		if n == len(moments) {
			f(moments)
			return
		}
		for i := n; i < len(moments); i++ {
			moments[n], moments[i] = moments[i], moments[n]
			place(n + 1)
			moments[n], moments[i] = moments[i], moments[n]
		}
	}
	place(0)
}

// trackedInEachOrder calls check with what a tracker knows of a call at the end of its
// life, for each order in which that may be told.
func trackedInEachOrder(t *testing.T, life []moment, check func(call *videosdk.Call, order []moment)) {
	t.Helper()
	permute(life, func(order []moment) {
		tracker := videosdk.NewCallTracker()
		for _, m := range order {
			tracker.Observe(m.event("call_1"))
		}
		call, known := tracker.Call("call_1")
		if !known {
			require.Fail(t, "the call is not known", "in the order %v", order)
		}
		check(call, order)
	})
}

func TestTheOrderOfEventsDoesNotMatter(t *testing.T) {
	const (
		initiated, incoming, verified = videosdk.CallInitiated, videosdk.CallIncoming, videosdk.CallVerified
		ringing, answered, ended      = videosdk.CallRinging, videosdk.CallAnswered, videosdk.CallEnded
		toTransfer, transferFailed    = videosdk.CallTransferInitiated, videosdk.CallTransferFailed
	)
	tests := map[string]struct {
		life []moment
		want videosdk.CallStatus
	}{
		"a call that ends":                      {untimed(initiated, ringing, answered, ended), ended},
		"a call that ends, with times":          {timed(initiated, ringing, answered, ended), ended},
		"a call that ends, with those of send":  {sentAt(initiated, ringing, answered, ended), ended},
		"a call that is up":                     {untimed(initiated, ringing, answered), answered},
		"a call that is up, with times":         {timed(initiated, ringing, answered), answered},
		"a call that is up, with those of send": {sentAt(initiated, ringing, answered), answered},
		"a call whose first event has no time":  {append(timed(ringing, answered), moment{initiated, 0}), answered},
		"an inbound call that is missed":        {timed(incoming, verified, ringing, videosdk.CallMissed), videosdk.CallMissed},
		"a call that is rejected":               {untimed(initiated, ringing, videosdk.CallRejected), videosdk.CallRejected},
		"a call that fails at once":             {timed(initiated, videosdk.CallFailed), videosdk.CallFailed},
		"a call that is abandoned":              {timed(incoming, ringing, videosdk.CallAbandoned), videosdk.CallAbandoned},
		"a call that nobody answers":            {timed(initiated, ringing, videosdk.CallNotAnswered), videosdk.CallNotAnswered},
		"a call that is missed, and then ends":  {timed(incoming, ringing, videosdk.CallMissed, ended), videosdk.CallMissed},
		"a call that ends twice":                {timed(initiated, ringing, answered, ended, ended), ended},
		"a call that is transferred": {untimed(initiated, ringing, answered, toTransfer, videosdk.CallTransferAccepted,
			videosdk.CallTransferring, videosdk.CallTransferred), videosdk.CallTransferred},
		"a call that is transferred while it rings there": {timed(answered, toTransfer, videosdk.CallTransferAccepted, videosdk.CallTransferring,
			videosdk.CallTransferRinging, videosdk.CallTransferred, ended), ended},
		"a call that is transferred at the second try": {timed(ringing, answered, toTransfer, transferFailed, toTransfer,
			videosdk.CallTransferred), videosdk.CallTransferred},
		"a call that is being transferred again": {timed(ringing, answered, toTransfer, transferFailed, toTransfer), toTransfer},
		"a call that switches rooms, twice": {timed(answered, videosdk.CallSwitchRoomInitiated, videosdk.CallSwitchRoomCompleted,
			videosdk.CallSwitchRoomInitiated, videosdk.CallSwitchRoomFailed), videosdk.CallSwitchRoomFailed},
		"a call that switches rooms and ends": {timed(initiated, ringing, answered, videosdk.CallSwitchRoomInitiated,
			videosdk.CallSwitchRoomCompleted, ended), ended},
		"a call that is back after a transfer in vain":                      {timed(ringing, answered, toTransfer, transferFailed, answered), answered},
		"a call that is transferred in the second in which it was answered": {[]moment{{answered, 1}, {toTransfer, 1}}, toTransfer},
		"a call with a status that is new":                                  {timed(initiated, ringing, answered, "on-hold"), "on-hold"},
		"a call with a new status, without times":                           {untimed(initiated, "queued", ringing, answered), answered},
		"a call with a new status that it leaves again":                     {timed(answered, "on-hold", toTransfer), toTransfer},
		"a call with a new status that ends":                                {timed(initiated, "on-hold", ended), ended},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			trackedInEachOrder(t, tt.life, func(call *videosdk.Call, order []moment) {
				if call.Status != tt.want {
					require.Equal(t, tt.want, call.Status, "in the order %v", order)
				}
			})
		})
	}
}

// What is left out here happens at the same stage.
func TestEachStatusHasItsPlaceInTheCourseOfACall(t *testing.T) {
	course := [][]videosdk.CallStatus{
		{videosdk.CallInitiated, videosdk.CallIncoming},
		{videosdk.CallVerified},
		{videosdk.CallRinging},
		{videosdk.CallAnswered},
		{videosdk.CallTransferInitiated, videosdk.CallSwitchRoomInitiated},
		{videosdk.CallTransferAccepted},
		{videosdk.CallTransferring},
		{videosdk.CallTransferRinging},
		{videosdk.CallTransferred, videosdk.CallTransferFailed, videosdk.CallSwitchRoomCompleted, videosdk.CallSwitchRoomFailed},
		{videosdk.CallEnded},
		{videosdk.CallMissed, videosdk.CallNotAnswered, videosdk.CallFailed, videosdk.CallRejected, videosdk.CallAbandoned},
	}
	for i, earlier := range course {
		for _, later := range course[i+1:] {
			for _, a := range earlier {
				for _, b := range later {
					trackedInEachOrder(t, untimed(a, b), func(call *videosdk.Call, order []moment) {
						assert.Equal(t, b, call.Status, "in the order %v", order)
						assert.Equal(t, []videosdk.CallStatus{a, b}, statusesOf(call), "in the order %v", order)
					})
				}
			}
		}
	}
}

func TestALateRingingNeverOverwritesAHangUp(t *testing.T) {
	for _, late := range []int64{0, 1, 100} {
		tracker := videosdk.NewCallTracker()
		assert.True(t, tracker.Observe(moment{videosdk.CallEnded, 10}.event("call_1")))
		assert.False(t, tracker.Observe(moment{videosdk.CallRinging, late}.event("call_1")))
		call, known := tracker.Call("call_1")
		assert.True(t, known)
		assert.Equal(t, videosdk.CallEnded, call.Status)
	}
}

// A status that nobody knows ends a call if the event has its end, whenever that
// was sent.
func TestACallWithAnEndIsOver(t *testing.T) {
	end := at(t, "2025-08-21T12:00:00Z")
	for name, life := range map[string][]moment{
		"without a time":      append(timed(videosdk.CallRinging, videosdk.CallAnswered), moment{"hung-up", 0}),
		"with the last time":  timed(videosdk.CallRinging, videosdk.CallAnswered, "hung-up"),
		"with the first time": timed("hung-up", videosdk.CallRinging, videosdk.CallAnswered),
	} {
		t.Run(name, func(t *testing.T) {
			permute(life, func(order []moment) {
				tracker := videosdk.NewCallTracker()
				for _, m := range order {
					event := m.event("call_1")
					if m.status == "hung-up" {
						event.Call.End = &end
					}
					tracker.Observe(event)
				}
				call, _ := tracker.Call("call_1")
				assert.True(t, call.IsOver(), "in the order %v", order)
				assert.Equal(t, videosdk.CallStatus("hung-up"), call.Status)
			})
		})
	}
}

func TestOfTwoEndsTheOneThatTellsMoreCounts(t *testing.T) {
	end := at(t, "2025-08-21T12:00:00Z")
	permute(untimed(videosdk.CallEnded, videosdk.CallMissed), func(order []moment) {
		tracker := videosdk.NewCallTracker()
		for _, m := range order {
			event := m.event("call_1")
			event.Call.End = &end
			tracker.Observe(event)
		}
		call, _ := tracker.Call("call_1")
		assert.Equal(t, videosdk.CallMissed, call.Status, "in the order %v", order)
	})
}

func TestWhatIsNoNewsOfACallChangesNothing(t *testing.T) {
	updated := 0
	tracker := videosdk.NewCallTracker(videosdk.WithUpdated(func(*videosdk.Call) { updated++ }))
	for name, event := range map[string]*videosdk.Event{
		"nothing":                     nil,
		"an event without a call":     parse(t, `{"webhookType":"session-started","data":{}}`),
		"a call without a status":     parse(t, `{"webhookType":"call-update","data":{"callId":"call_1"}}`),
		"a recording, without status": parse(t, `{"webhookType":"recording-stopped","data":{"callId":"call_1"}}`),
	} {
		assert.False(t, tracker.Observe(event), name)
	}
	_, known := tracker.Call("call_1")
	assert.False(t, known)
	require.True(t, tracker.Observe(moment{videosdk.CallRinging, 1}.event("call_1")))
	for name, event := range map[string]*videosdk.Event{
		"a recording that is completed": parse(t, `{"webhookType":"recording-stopped","data":{"callId":"call_1","status":"completed"}}`),
		"an agent that has left":        parse(t, `{"webhookType":"agent-left","data":{"callId":"call_1","end":"2025-08-21T12:00:00Z"}}`),
		"the same, from elsewhere":      {Type: "agent-left", Call: &videosdk.Call{ID: "call_1", Status: videosdk.CallEnded, RoomID: "room_1"}},
		"an update that tells nothing":  parse(t, `{"webhookType":"call-update","data":{"callId":"call_1"}}`),
		"a summary that holds the call": parse(t, `{"call-summary":"fine","data":{"callId":"call_1","status":"completed"}}`),
		"a batch that is completed":     parse(t, `{"webhookType":"batchcall-completed","data":{"callId":"call_1","status":"completed"}}`),
	} {
		before, _ := tracker.Call("call_1")
		assert.False(t, tracker.Observe(event), name)
		after, _ := tracker.Call("call_1")
		assert.Equal(t, withoutRaw(before), withoutRaw(after), name)
	}
	assert.False(t, tracker.Observe(moment{videosdk.CallRinging, 1}.event("call_1")), "the same again")
	assert.False(t, tracker.Observe(moment{videosdk.CallRinging, 2}.event("call_1")), "the same, later")
	assert.Equal(t, 1, updated)
}

// The end of a call may be all that an event tells.
func TestACallWhoseEndIsToldIsOverWithAnyStatus(t *testing.T) {
	bodies := []string{
		`{"webhookType":"call-ringing","data":{"callId":"call_1"}}`,
		`{"webhookType":"call-answered","data":{"callId":"call_1"}}`,
		`{"webhookType":"call-update","data":{"callId":"call_1","end":"2025-08-21T12:01:00Z","roomId":"room_2","metadata":{"k":"v"}}}`,
	}
	end := at(t, "2025-08-21T12:01:00Z")
	permute(untimed("0", "1", "2"), func(order []moment) {
		var told []videosdk.Call
		tracker := videosdk.NewCallTracker(videosdk.WithUpdated(func(call *videosdk.Call) { told = append(told, *call) }))
		changes := 0
		for _, m := range order {
			n, err := strconv.Atoi(string(m.status))
			require.NoError(t, err)
			if tracker.Observe(parse(t, bodies[n])) {
				changes++
			}
		}
		call, _ := tracker.Call("call_1")
		assert.Equal(t, &videosdk.Call{
			ID: "call_1", Status: videosdk.CallAnswered, RoomID: "room_2", Metadata: map[string]any{"k": "v"}, End: &end,
			Timelog: []videosdk.CallEvent{{Status: videosdk.CallRinging}, {Status: videosdk.CallAnswered}},
		}, withoutRaw(call), "in the order %v", order)
		assert.Len(t, told, changes)
		assert.True(t, told[len(told)-1].IsOver(), "in the order %v", order)
	})
}

func TestAWaitEndsWithTheEndThatAnUpdateTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := videosdk.NewCallTracker()
		tracker.Observe(moment{videosdk.CallAnswered, 0}.event("call_1"))
		over := make(chan *videosdk.Call, 1)
		go func() {
			call, err := tracker.Wait(t.Context(), "call_1", nil)
			assert.NoError(t, err)
			over <- call
		}()
		synctest.Wait()
		assert.Empty(t, over)
		assert.True(t, tracker.Observe(parse(t, `{"webhookType":"call-update","data":{"callId":"call_1","end":"2025-08-21T12:00:00Z"}}`)))
		call := <-over
		assert.True(t, call.IsOver())
		assert.Equal(t, videosdk.CallAnswered, call.Status)
	})
}

func TestAnUpdateWithoutAStatusAddsToACall(t *testing.T) {
	const update = `{"webhookType":"call-update","timestamp":"2025-08-21T12:00:30Z","data":{"callId":"call_1","roomId":"room_2","region":"us002"}}`
	tests := map[string]struct {
		before string
		room   string
	}{
		"what is not known":               {`{"webhookType":"call-answered","data":{"callId":"call_1"}}`, "room_2"},
		"not what another event told":     {`{"webhookType":"call-answered","data":{"callId":"call_1","roomId":"room_1"}}`, "room_1"},
		"not what a later event told":     {`{"webhookType":"call-answered","timestamp":"2025-08-21T12:01:00Z","data":{"callId":"call_1","roomId":"room_1"}}`, "room_1"},
		"but what an earlier one told":    {`{"webhookType":"call-answered","timestamp":"2025-08-21T12:00:00Z","data":{"callId":"call_1","roomId":"room_1"}}`, "room_2"},
		"not what the end of a call told": {`{"webhookType":"call-hangup","timestamp":"2025-08-21T12:00:00Z","data":{"callId":"call_1","roomId":"room_1"}}`, "room_1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tracker := videosdk.NewCallTracker()
			tracker.Observe(parse(t, tt.before))
			before, _ := tracker.Call("call_1")
			assert.False(t, tracker.Observe(parse(t, update)), "the status is what it was")
			call, _ := tracker.Call("call_1")
			assert.Equal(t, tt.room, call.RoomID)
			assert.Equal(t, videosdk.RegionUS002, call.Region)
			assert.Equal(t, before.Status, call.Status)
		})
	}
}

// The update is of 12:00:30, but the status of the call is of before: what came to
// it in between is news.
func TestAnUpdateWithoutAStatusMakesNoStatusYounger(t *testing.T) {
	tracker := videosdk.NewCallTracker()
	for _, body := range []string{
		`{"webhookType":"call-answered","timestamp":"2025-08-21T12:00:00Z","data":{"callId":"call_1"}}`,
		`{"webhookType":"call-update","timestamp":"2025-08-21T12:00:30Z","data":{"callId":"call_1","roomId":"room_1"}}`,
		`{"webhookType":"call-update","timestamp":"2025-08-21T12:00:20Z","data":{"callId":"call_1","status":"on-hold"}}`,
	} {
		tracker.Observe(parse(t, body))
	}
	call, _ := tracker.Call("call_1")
	assert.Equal(t, videosdk.CallStatus("on-hold"), call.Status)
}

func TestAnUpdateWithoutAStatusTakesACallOutOfNoPlace(t *testing.T) {
	tracker := videosdk.NewCallTracker()
	tracker.Observe(moment{videosdk.CallAnswered, 1}.event("call_1"))
	tracker.Observe(moment{"", 2}.event("call_1"))
	assert.False(t, tracker.Observe(moment{videosdk.CallRinging, 3}.event("call_1")), "sent late")
	call, _ := tracker.Call("call_1")
	assert.Equal(t, videosdk.CallAnswered, call.Status)
}

// A status that nobody knows has no place in the course of a call. What has one
// keeps it.
func TestALateEventWithoutATimeTakesNoCallBack(t *testing.T) {
	at := func(status videosdk.CallStatus, second int64) moment { return moment{status, second} }
	tests := map[string]struct {
		life []moment
		want videosdk.CallStatus
	}{
		"to ringing":                     {[]moment{at(videosdk.CallAnswered, 1), at("on-hold", 2), at(videosdk.CallRinging, 0)}, "on-hold"},
		"to where it was before":         {[]moment{at(videosdk.CallAnswered, 1), at("on-hold", 2), at(videosdk.CallAnswered, 0)}, "on-hold"},
		"after what came late with time": {[]moment{at("on-hold", 2), at(videosdk.CallAnswered, 1), at(videosdk.CallRinging, 0)}, "on-hold"},
		"but on to a transfer":           {[]moment{at(videosdk.CallAnswered, 1), at("on-hold", 2), at(videosdk.CallTransferInitiated, 0)}, videosdk.CallTransferInitiated},
		"but to its end":                 {[]moment{at(videosdk.CallAnswered, 1), at("on-hold", 2), at(videosdk.CallEnded, 0)}, videosdk.CallEnded},
		"but back at the time it tells":  {[]moment{at(videosdk.CallAnswered, 1), at("on-hold", 2), at(videosdk.CallAnswered, 3)}, videosdk.CallAnswered},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tracker := videosdk.NewCallTracker()
			for _, m := range tt.life {
				tracker.Observe(m.event("call_1"))
			}
			call, _ := tracker.Call("call_1")
			assert.Equal(t, tt.want, call.Status)
		})
	}
}

// No event tells all of a call, and the one that tells most may come last.
func TestACallIsWhatAllItsEventsTell(t *testing.T) {
	bodies := []string{
		`{"webhookType":"call-started","data":{"callId":"call_1","type":"outbound","to":"+14155550123","from":"+14155559876","transport":"tls",` +
			`"provider":"p","region":"us002","gatewayName":"g","ruleName":"r","status":"initiated","start":"2025-08-21T12:00:00Z"}}`,
		`{"webhookType":"call-answered","data":{"callId":"call_1","roomId":"room_1","sessionId":"sess_1","status":"answered","metadata":{"k":"v"},` +
			`"timelog":[{"status":"initiated"},{"status":"answered"}]}}`,
		`{"webhookType":"call-hangup","data":{"callId":"call_1","gatewayId":"gw_1","ruleId":"rr_1","status":"ended","timelog":[{"status":"ended"}]}}`,
		`{"webhookType":"call-hangup","data":{"callId":"call_1","status":"ended","end":"2025-08-21T12:01:00Z"}}`,
	}
	start, end := at(t, "2025-08-21T12:00:00Z"), at(t, "2025-08-21T12:01:00Z")
	permute(timed("0", "1", "2", "3"), func(order []moment) {
		tracker := videosdk.NewCallTracker()
		for _, m := range order {
			n, err := strconv.Atoi(string(m.status))
			require.NoError(t, err)
			tracker.Observe(parse(t, bodies[n]))
		}
		call, _ := tracker.Call("call_1")
		got := *call
		got.Raw = nil
		assert.Equal(t, videosdk.Call{
			ID: "call_1", Type: videosdk.DirectionOutbound, Status: videosdk.CallEnded, To: "+14155550123", From: "+14155559876",
			RoomID: "room_1", SessionID: "sess_1", GatewayID: "gw_1", GatewayName: "g", RuleID: "rr_1", RuleName: "r",
			Transport: videosdk.TransportTLS, Provider: "p", Region: videosdk.RegionUS002, Metadata: map[string]any{"k": "v"},
			Timelog: []videosdk.CallEvent{{Status: videosdk.CallInitiated}, {Status: videosdk.CallAnswered}, {Status: videosdk.CallEnded}},
			Start:   &start, End: &end,
		}, got, "in the order %v", order)
	})
}

// Events tell of one status each. What a call has been through is told by all of
// them, and by none once it has ended.
func TestACallThatHasEndedWasAnsweredAllTheSame(t *testing.T) {
	const (
		initiated, ringing, answered = videosdk.CallInitiated, videosdk.CallRinging, videosdk.CallAnswered
		ended, rejected              = videosdk.CallEnded, videosdk.CallRejected
		toTransfer, transferFailed   = videosdk.CallTransferInitiated, videosdk.CallTransferFailed
	)
	tests := map[string]struct {
		life     []moment
		answered bool
		statuses []videosdk.CallStatus
	}{
		"answered":                             {untimed(initiated, ringing, answered, ended), true, []videosdk.CallStatus{initiated, ringing, answered, ended}},
		"answered, with times":                 {timed(initiated, ringing, answered, ended), true, []videosdk.CallStatus{initiated, ringing, answered, ended}},
		"answered, with those of send":         {sentAt(initiated, ringing, answered, ended), true, []videosdk.CallStatus{initiated, ringing, answered, ended}},
		"answered, and that is all that came":  {untimed(answered, ended), true, []videosdk.CallStatus{answered, ended}},
		"transferred in vain, and then ended":  {timed(answered, toTransfer, transferFailed, ended), true, []videosdk.CallStatus{answered, toTransfer, transferFailed, ended}},
		"transferred, which tells of answered": {untimed(ringing, toTransfer, ended), true, []videosdk.CallStatus{ringing, toTransfer, ended}},
		"held, by a name that is new":          {timed(ringing, answered, "on-hold", ended), true, []videosdk.CallStatus{ringing, answered, "on-hold", ended}},
		"held, without times":                  {untimed(answered, "on-hold", ended), true, []videosdk.CallStatus{answered, "on-hold", ended}},
		"queued, by a name that is new":        {timed("queued", ringing, answered, ended), true, []videosdk.CallStatus{"queued", ringing, answered, ended}},
		"told twice":                           {timed(ringing, answered, answered, ended), true, []videosdk.CallStatus{ringing, answered, ended}},
		"hung up while it rang":                {timed(initiated, ringing, ended), false, []videosdk.CallStatus{initiated, ringing, ended}},
		"rejected":                             {untimed(initiated, ringing, rejected), false, []videosdk.CallStatus{initiated, ringing, rejected}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			trackedInEachOrder(t, tt.life, func(call *videosdk.Call, order []moment) {
				require.Equal(t, tt.answered, call.WasAnswered(), "in the order %v", order)
				require.Equal(t, tt.statuses, statusesOf(call), "in the order %v", order)
			})
		})
	}
}

// When a call was answered is in the event of that, and nowhere else.
func TestTheTimelogOfATrackedCallHasTheTimesOfItsEvents(t *testing.T) {
	tracker := videosdk.NewCallTracker()
	for _, m := range []moment{{videosdk.CallEnded, 90}, {videosdk.CallAnswered, 30}} {
		event := m.event("call_1")
		tracker.Observe(event)
		assert.Nil(t, event.Call.Timelog, "an event is left as it is")
	}
	call, _ := tracker.Call("call_1")
	assert.Equal(t, []videosdk.CallEvent{
		{Status: videosdk.CallAnswered, Timestamp: time.Unix(30, 0)}, {Status: videosdk.CallEnded, Timestamp: time.Unix(90, 0)},
	}, call.Timelog)
}

// A call that the server was asked for knows more of itself than an event.
func TestATimelogOfTheServerIsKept(t *testing.T) {
	asked := &videosdk.Call{ID: "call_1", Status: videosdk.CallTransferInitiated, Timelog: []videosdk.CallEvent{
		{Status: videosdk.CallAnswered, Timestamp: time.Unix(1, 0)}, {Status: videosdk.CallTransferInitiated, Timestamp: time.Unix(2, 0)},
		{Status: videosdk.CallTransferFailed, Timestamp: time.Unix(3, 0)}, {Status: videosdk.CallTransferInitiated, Timestamp: time.Unix(4, 0)},
	}}
	tracker := videosdk.NewCallTracker()
	tracker.Observe(&videosdk.Event{Call: asked})
	tracker.Observe(moment{videosdk.CallAnswered, 2}.event("call_1"))
	call, _ := tracker.Call("call_1")
	assert.Equal(t, asked.Timelog, call.Timelog)
	tracker.Observe(moment{videosdk.CallEnded, 9}.event("call_1"))
	call, _ = tracker.Call("call_1")
	assert.Len(t, asked.Timelog, 4)
	assert.Equal(t, append(asked.Timelog, videosdk.CallEvent{Status: videosdk.CallEnded, Timestamp: time.Unix(9, 0)}), call.Timelog)
}

// To join two of them takes as long as the product of their lengths: minutes for
// those that fit into a delivery, while nobody else hears of any call.
func TestTimelogsLongerThanThoseOfAnyCallAreNotJoined(t *testing.T) {
	const many = 2000
	tracker := videosdk.NewCallTracker()
	for _, name := range []string{"a", "b"} {
		call := &videosdk.Call{ID: "call_1", Status: videosdk.CallRinging}
		for n := range many {
			call.Timelog = append(call.Timelog, videosdk.CallEvent{Status: videosdk.CallStatus(name + strconv.Itoa(n))})
		}
		tracker.Observe(&videosdk.Event{Call: call})
	}
	call, _ := tracker.Call("call_1")
	assert.Len(t, call.Timelog, many+1)
}

func TestOfTwoThatDifferTheEventOfTheFurtherStatusIsRight(t *testing.T) {
	before := parse(t, `{"webhookType":"call-answered","data":{"callId":"call_1","roomId":"room_1"}}`)
	after := parse(t, `{"webhookType":"call-hangup","data":{"callId":"call_1","roomId":"room_2"}}`)
	for _, order := range [][]*videosdk.Event{{before, after}, {after, before}} {
		tracker := videosdk.NewCallTracker()
		for _, event := range order {
			tracker.Observe(event)
		}
		call, _ := tracker.Call("call_1")
		assert.Equal(t, "room_2", call.RoomID)
	}
}

func TestACallThatWasHandedOutDoesNotChange(t *testing.T) {
	tracker := videosdk.NewCallTracker()
	first := parse(t, `{"webhookType":"call-ringing","data":{"callId":"call_1"}}`)
	tracker.Observe(first)
	handedOut, _ := tracker.Call("call_1")
	tracker.Observe(parse(t, `{"webhookType":"call-started","data":{"callId":"call_1","to":"+14155550123"}}`))
	tracker.Observe(parse(t, `{"webhookType":"call-hangup","data":{"callId":"call_1","to":"+14155550123"}}`))
	assert.Equal(t, [2]string{"ringing", ""}, [2]string{string(handedOut.Status), handedOut.To})
	assert.Equal(t, [2]string{"ringing", ""}, [2]string{string(first.Call.Status), first.Call.To})
}

func TestTheTimelogOfAnEventStaysAsItIs(t *testing.T) {
	event := moment{videosdk.CallRinging, 0}.event("call_1")
	event.Call.Timelog = append(make([]videosdk.CallEvent, 0, 8), videosdk.CallEvent{Status: videosdk.CallEnded}) // with room for more
	tracker := videosdk.NewCallTracker()
	tracker.Observe(event)
	call, _ := tracker.Call("call_1")
	assert.Equal(t, []videosdk.CallEvent{{Status: videosdk.CallRinging}, {Status: videosdk.CallEnded}}, call.Timelog)
	assert.Equal(t, []videosdk.CallEvent{{Status: videosdk.CallEnded}}, event.Call.Timelog)
}

func TestTheTrackerKnowsTheCallsOfTheLatestEvents(t *testing.T) {
	tracker := videosdk.NewCallTracker(videosdk.WithTrackedCalls(3))
	for n := range 5 {
		tracker.Observe(moment{videosdk.CallRinging, 0}.event(strconv.Itoa(n)))
		tracker.Observe(moment{videosdk.CallInitiated, 0}.event("0")) // changes nothing, but is an event
	}
	known := map[string]bool{}
	for n := range 5 {
		_, known[strconv.Itoa(n)] = tracker.Call(strconv.Itoa(n))
	}
	assert.Equal(t, map[string]bool{"0": true, "1": false, "2": false, "3": true, "4": true}, known)
	first, _ := tracker.Call("0")
	assert.Equal(t, videosdk.CallRinging, first.Status, "it was never forgotten")

	for _, most := range []int{0, -1} {
		tracker := videosdk.NewCallTracker(videosdk.WithTrackedCalls(most))
		tracker.Observe(moment{videosdk.CallRinging, 0}.event("a"))
		tracker.Observe(moment{videosdk.CallRinging, 0}.event("b"))
		_, first := tracker.Call("a")
		_, second := tracker.Call("b")
		assert.Equal(t, [2]bool{false, true}, [2]bool{first, second})
	}
}

func TestATrackerKnowsTenThousandCallsByDefault(t *testing.T) {
	tracker := videosdk.NewCallTracker()
	for n := range 10_001 {
		tracker.Observe(moment{videosdk.CallRinging, 0}.event(strconv.Itoa(n)))
	}
	_, first := tracker.Call("0")
	_, second := tracker.Call("1")
	assert.Equal(t, [2]bool{false, true}, [2]bool{first, second})
}

func TestChangesAreToldInOrderAndOneAtATime(t *testing.T) {
	life := timed(videosdk.CallInitiated, videosdk.CallRinging, videosdk.CallAnswered, videosdk.CallTransferInitiated,
		videosdk.CallTransferred, videosdk.CallEnded)
	stage := map[videosdk.CallStatus]int{}
	for i, m := range life {
		stage[m.status] = i
	}
	var atOnce atomic.Int32
	told := map[string][]videosdk.CallStatus{} // unguarded: -race would tell
	tracker := videosdk.NewCallTracker(videosdk.WithUpdated(func(call *videosdk.Call) {
		assert.Equal(t, int32(1), atOnce.Add(1))
		runtime.Gosched() // who may come in meanwhile does
		told[call.ID] = append(told[call.ID], call.Status)
		atOnce.Add(-1)
	}))
	var changes atomic.Int32
	together(func(n int) {
		for i := range life {
			for call := range 5 {
				if tracker.Observe(life[(i+n)%len(life)].event(strconv.Itoa(call))) {
					changes.Add(1)
				}
			}
		}
	})
	require.Len(t, told, 5)
	all := 0
	for call, statuses := range told {
		for i := 1; i < len(statuses); i++ {
			assert.Greater(t, stage[statuses[i]], stage[statuses[i-1]], "call %s: %v", call, statuses)
		}
		assert.Equal(t, videosdk.CallEnded, statuses[len(statuses)-1])
		all += len(statuses)
	}
	assert.Equal(t, changes.Load(), int32(all), "each change is told once")
}

func TestATrackerWithoutAFunctionKeepsTheStateAllTheSame(t *testing.T) {
	for name, opts := range map[string][]videosdk.TrackerOption{
		"no option":     nil,
		"a nil option":  {nil},
		"no function":   {videosdk.WithUpdated(nil)},
		"it taken back": {videosdk.WithUpdated(func(*videosdk.Call) { t.Error("it was called") }), videosdk.WithUpdated(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			tracker := videosdk.NewCallTracker(opts...)
			assert.True(t, tracker.Observe(moment{videosdk.CallRinging, 0}.event("call_1")))
			_, known := tracker.Call("call_1")
			assert.True(t, known)
		})
	}
}

func TestACallbackMayLookAtTheTracker(t *testing.T) {
	var tracker *videosdk.CallTracker
	var seen videosdk.CallStatus
	tracker = videosdk.NewCallTracker(videosdk.WithUpdated(func(call *videosdk.Call) {
		known, _ := tracker.Call(call.ID)
		waited, err := tracker.Wait(t.Context(), call.ID, nil)
		assert.NoError(t, err)
		assert.Same(t, known, waited)
		seen = known.Status
	}))
	tracker.Observe(moment{videosdk.CallEnded, 0}.event("call_1"))
	assert.Equal(t, videosdk.CallEnded, seen)
}

// In a bubble whoever polls needs time, and time passes only when all wait.
func TestAWaitEndsInTheMomentOfTheEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := videosdk.NewCallTracker()
		began := time.Now()
		answered, over := make(chan time.Duration, 1), make(chan time.Duration, 1)
		wait := func(until func(*videosdk.Call) bool, want videosdk.CallStatus, end chan<- time.Duration) {
			call, err := tracker.Wait(t.Context(), "call_1", until)
			assert.NoError(t, err)
			assert.Equal(t, want, call.Status)
			end <- time.Since(began)
		}
		go wait((*videosdk.Call).WasAnswered, videosdk.CallAnswered, answered)
		go wait(nil, videosdk.CallEnded, over)
		for _, status := range []videosdk.CallStatus{videosdk.CallInitiated, videosdk.CallRinging, videosdk.CallAnswered, videosdk.CallEnded} {
			elapse(time.Second + time.Nanosecond)
			tracker.Observe(moment{status, 0}.event("call_1"))
			tracker.Observe(moment{status, 0}.event("call_2"))
			synctest.Wait()
		}
		assert.Equal(t, 3*(time.Second+time.Nanosecond), <-answered)
		assert.Equal(t, 4*(time.Second+time.Nanosecond), <-over)

		wait(nil, videosdk.CallEnded, over)
		assert.Equal(t, 4*(time.Second+time.Nanosecond), <-over, "of what is over, one need not wait")
	})
}

func TestAWaitSeesWhatALateEventAdds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := videosdk.NewCallTracker()
		tracker.Observe(moment{videosdk.CallRinging, 0}.event("call_1"))
		found := make(chan *videosdk.Call, 1)
		go func() {
			call, err := tracker.Wait(t.Context(), "call_1", func(call *videosdk.Call) bool { return call.RoomID != "" })
			assert.NoError(t, err)
			found <- call
		}()
		synctest.Wait()
		assert.Empty(t, found)
		tracker.Observe(parse(t, `{"webhookType":"call-started","data":{"callId":"call_1","roomId":"room_1"}}`))
		call := <-found
		assert.Equal(t, [2]string{"room_1", "ringing"}, [2]string{call.RoomID, string(call.Status)})
	})
}

// A function that is slow to look at a state must hold up nobody else.
func TestEventsDoNotWaitForWhoWaitsForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := videosdk.NewCallTracker()
		tracker.Observe(moment{videosdk.CallInitiated, 0}.event("call_1"))
		var seen []videosdk.CallStatus
		call, err := tracker.Wait(t.Context(), "call_1", func(call *videosdk.Call) bool {
			if seen = append(seen, call.Status); len(seen) == 1 {
				tracker.Observe(moment{videosdk.CallRinging, 0}.event("call_1"))
				tracker.Observe(moment{videosdk.CallAnswered, 0}.event("call_1"))
			}
			return call.WasAnswered()
		})
		require.NoError(t, err)
		assert.Equal(t, videosdk.CallAnswered, call.Status)
		assert.Equal(t, []videosdk.CallStatus{videosdk.CallInitiated, videosdk.CallAnswered}, seen, "the latest one counts")
	})
}

func TestAWaitForWhatIsKnownNeedsNoTime(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tracker := videosdk.NewCallTracker()
	tracker.Observe(moment{videosdk.CallEnded, 0}.event("call_1"))
	for range 20 { // which of two ready channels is taken is a matter of luck
		_, err := tracker.Wait(ended, "call_1", nil)
		require.NoError(t, err)
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := videosdk.NewCallTracker()
		began := time.Now()
		impatient, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("dinner is ready"))
		defer cancel()
		patient := make(chan error, 1)
		go func() {
			_, err := tracker.Wait(t.Context(), "call_1", nil)
			patient <- err
		}()
		call, err := tracker.Wait(impatient, "call_1", nil)
		assert.Nil(t, call)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, videosdk.ErrTimeout)
		require.EqualError(t, err, "videosdk: CallTracker.Wait: context deadline exceeded: dinner is ready")
		assert.Equal(t, time.Minute, time.Since(began))
		synctest.Wait()
		assert.Empty(t, patient, "others wait on")
		tracker.Observe(moment{videosdk.CallEnded, 0}.event("call_1"))
		assert.NoError(t, <-patient)
	})
}

func TestAWaitForACallWithoutAnIDIsRefused(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	call, err := videosdk.NewCallTracker().Wait(ctx, "", nil)
	assert.Nil(t, call)
	assert.Equal(t, []string{"callId"}, fieldsOf(t, err), "no event would end it")
}

func TestWhoWaitsNoMoreTakesNoMemory(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tracker := videosdk.NewCallTracker()
	before := heap()
	for n := range 50_000 {
		_, err := tracker.Wait(ctx, strconv.Itoa(n), nil)
		assert.ErrorIs(t, err, context.Canceled)
	}
	assert.Less(t, heap(), before+2<<20, "50,000 calls that are waited for would be about 10 MiB")
	runtime.KeepAlive(tracker)
}

func TestManyWaitForOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := videosdk.NewCallTracker()
		var all sync.WaitGroup
		for range goroutines {
			all.Go(func() {
				call, err := tracker.Wait(t.Context(), "call_1", nil)
				assert.NoError(t, err)
				assert.Equal(t, videosdk.CallEnded, call.Status)
			})
		}
		synctest.Wait()
		for _, status := range []videosdk.CallStatus{videosdk.CallRinging, videosdk.CallAnswered, videosdk.CallEnded} {
			tracker.Observe(moment{status, 0}.event("call_1"))
			synctest.Wait()
		}
		all.Wait()
	})
}

func TestAWaitHearsOfTheEndOfACallThatIsForgottenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := videosdk.NewCallTracker(videosdk.WithTrackedCalls(1))
		tracker.Observe(moment{videosdk.CallRinging, 0}.event("call_1"))
		call, err := tracker.Wait(t.Context(), "call_1", func(call *videosdk.Call) bool {
			if call.Status == videosdk.CallRinging { // while the waiter is busy with that
				tracker.Observe(moment{videosdk.CallEnded, 0}.event("call_1"))
				tracker.Observe(moment{videosdk.CallRinging, 0}.event("call_2"))
			}
			return false
		})
		require.NoError(t, err)
		assert.Equal(t, videosdk.CallEnded, call.Status)
		_, known := tracker.Call("call_1")
		assert.False(t, known)
	})
}
