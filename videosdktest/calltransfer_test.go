package videosdktest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

const colleague = "+14155550777"

// talk places a call and waits until it has been answered, 50 ms after its start.
func (a api) talk(fields string) string {
	a.t.Helper()
	id := a.call(fields)
	wait(50 * time.Millisecond)
	require.Equal(a.t, "answered", a.status(id))
	return id
}

func (a api) transfer(callID string) reply {
	a.t.Helper()
	return a.post("/v2/sip/call/transfer", fmt.Sprintf(`{"callId":%q,"transferTo":%q,"playDialtone":true,"participant":{"id":"p"}}`, callID, colleague))
}

func TestTransferCall(t *testing.T) {
	tests := map[string]struct {
		script func(*videosdktest.Callee)
		want   []string
	}{
		"to someone who answers": {
			func(c *videosdktest.Callee) { c.AnswersAfter(5 * time.Second) },
			[]string{"transfer-ringing 1.05s", "transferred 6.05s"},
		},
		"to someone who rejects": {
			func(c *videosdktest.Callee) { c.AnswersAfter(5 * time.Second).Rejects() },
			[]string{"transfer-ringing 1.05s", "transfer-failed 6.05s"},
		},
		"to nobody": {
			func(c *videosdktest.Callee) { c.NeverAnswers() },
			[]string{"transfer-ringing 1.05s", "transfer-failed 1m1.05s"},
		},
		"to a number that does not exist": {
			func(c *videosdktest.Callee) { c.Fails() },
			[]string{"transfer-failed 1.05s"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				test.script(a.Callee(colleague).RingsAfter(time.Second))
				id := a.talk("")
				got := a.transfer(id).must(http.StatusOK)
				assert.Equal(t, "transfer-initiated", got.text("data.status"))
				assert.Equal(t, id, got.text("data.id"))
				assert.Equal(t, 1, a.DialCount(colleague))
				assert.Equal(t, id, a.Dials()[1].CallID)

				wait(time.Hour)
				begin := []string{
					"initiated 0s", "ringing 20ms", "answered 50ms",
					"transfer-initiated 50ms", "transfer-accepted 50ms", "transferring 50ms",
				}
				assert.Equal(t, append(begin, test.want...), a.life(id))
				assert.Nil(t, a.get("/v2/sip/call/"+id).field("data.end"), "the call is still up")
			})
		})
	}
}

func TestTransferCallEndsWithTheCall(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee(colleague).NeverAnswers()
		id := a.talk("")
		a.transfer(id).must(http.StatusOK)
		wait(time.Second)
		require.NoError(t, a.HangUp(id))
		wait(time.Hour)
		assert.Equal(t, "ended", a.status(id))
	})
}

func TestTransferredCallEndsWhenItsNewCalleeHangsUp(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee(colleague).AnswersAfter(5 * time.Second).HangsUpAfter(30 * time.Second)
		id := a.talk("")
		a.transfer(id).must(http.StatusOK)
		wait(10 * time.Second)
		require.NoError(t, a.SetCallStatus(id, "on-hold")) // which keeps nobody from hanging up
		wait(time.Hour)
		life := a.life(id)
		assert.Equal(t, []string{"transferred 5.07s", "on-hold 10.05s", "ended 35.07s"}, life[len(life)-3:])
	})
}

func TestWhoeverHasHandedACallOnDoesNotEndIt(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee(colleague).HangsUpAfter(30 * time.Second)
		id := a.talk("")
		a.transfer(id).must(http.StatusOK)
		wait(10 * time.Second)
		a.Callee(colleague).HangsUpAfter(0)
		a.transfer(id).must(http.StatusOK)
		wait(time.Hour)
		assert.Equal(t, "transferred", a.status(id))
	})
}

func TestTransferCallAgainAfterItFailed(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee(colleague).Fails()
		id := a.talk("")
		a.transfer(id).must(http.StatusOK)
		a.transfer(id).refused(http.StatusBadRequest, "Call is being transferred already")
		a.post("/v2/sip/call/switch-room", fmt.Sprintf(`{"callId":%q,"roomId":"lobby"}`, id)).refused(http.StatusBadRequest, "Call is being transferred")
		wait(time.Minute)
		a.Callee(colleague).AnswersAfter(0)
		a.transfer(id).must(http.StatusOK)
		wait(time.Minute)
		assert.Equal(t, "transferred", a.status(id))
		assert.Equal(t, 2, a.DialCount(colleague))
	})
}

func TestTransferCallRefuses(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		up := a.talk("")
		ringing := a.call("")
		wait(20 * time.Millisecond)
		ended := a.call("")
		require.NoError(t, a.HangUp(ended))
		tests := map[string]struct {
			body   string
			status int
			text   string
		}{
			"no call":                    {`{"transferTo":"+14155550777"}`, http.StatusBadRequest, "callId is required"},
			"an unknown call":            {`{"callId":"call_0","transferTo":"+14155550777"}`, http.StatusNotFound, "Call not found"},
			"no target":                  {`{"callId":"` + up + `"}`, http.StatusBadRequest, "transferTo is required"},
			"a target that is no number": {`{"callId":"` + up + `","transferTo":"Ann"}`, http.StatusBadRequest, "transferTo must be an E.164 number or a SIP URI"},
			"a call that still rings":    {`{"callId":"` + ringing + `","transferTo":"+14155550777"}`, http.StatusBadRequest, "Call must be answered to be transferred, but is ringing"},
			"a call that has ended":      {`{"callId":"` + ended + `","transferTo":"+14155550777"}`, http.StatusBadRequest, "Call must be answered to be transferred, but is rejected"},
			"a participant by name":      {`{"callId":"` + up + `","transferTo":"+14155550777","participant":"Ann"}`, http.StatusBadRequest, "participant must be an object"},
			"a tone that is no switch":   {`{"callId":"` + up + `","transferTo":"+14155550777","playDialtone":"loud"}`, http.StatusBadRequest, "playDialtone must be a boolean"},
			"a body that is no object":   {`7`, http.StatusBadRequest, "Request body must be a JSON object"},
		}
		for name, test := range tests {
			t.Log(name)
			a.post("/v2/sip/call/transfer", test.body).refused(test.status, test.text)
		}
		assert.Zero(t, a.DialCount(colleague))
	})
}

func TestSwitchRoom(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		caller := a.talk(`,"destinationRoomId":"lobby"`)
		supervisor := a.talk(`,"destinationRoomId":"consultation"`)
		got := a.post("/v2/sip/call/switch-room", fmt.Sprintf(`{"callId":%q,"roomId":"consultation","token":"t","participantId":"p"}`, caller)).must(http.StatusOK)
		assert.Equal(t, caller, got.text("data.id"))
		assert.Equal(t, "lobby", got.text("data.roomId"))
		wait(0)
		assert.Equal(t, []string{"initiated 0s", "ringing 20ms", "answered 50ms", "switch-room-initiated 100ms", "switch-room-completed 100ms"}, a.life(caller))
		assert.Equal(t, "answered", a.status(caller), "the call is up all the while")
		moved := a.get("/v2/sip/call/" + caller)
		assert.Equal(t, "consultation", moved.text("data.roomId"))
		assert.Equal(t, a.get("/v2/sip/call/"+supervisor).text("data.sessionId"), moved.text("data.sessionId"))
	})
}

func TestSwitchRoomToARoomOfTheAPI(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.talk("")
		room := a.post("/v2/rooms", "").must(http.StatusOK).text("roomId")
		body := fmt.Sprintf(`{"callId":%q,"roomId":%q}`, id, room)
		a.post("/v2/sip/call/switch-room", body).must(http.StatusOK)
		a.post("/v2/rooms/deactivate", fmt.Sprintf(`{"roomId":%q}`, room)).must(http.StatusOK)
		a.post("/v2/sip/call/switch-room", body).refused(http.StatusBadRequest, "Room "+room+" is not active")
	})
}

func TestSwitchRoomRefuses(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		up := a.talk(`,"destinationRoomId":"lobby"`)
		gone := a.talk(`,"destinationRoomId":"gone"`)
		require.NoError(t, a.HangUp(gone))
		ringing := a.call("")
		tests := map[string]struct {
			body   string
			status int
			text   string
		}{
			"no call":                       {`{"roomId":"lobby"}`, http.StatusBadRequest, "callId is required"},
			"an unknown call":               {`{"callId":"call_0","roomId":"lobby"}`, http.StatusNotFound, "Call not found"},
			"no room":                       {`{"callId":"` + up + `"}`, http.StatusBadRequest, "roomId is required"},
			"a room nobody knows":           {`{"callId":"` + up + `","roomId":"elsewhere"}`, http.StatusBadRequest, "Room elsewhere is not active"},
			"a room that everybody left":    {`{"callId":"` + up + `","roomId":"gone"}`, http.StatusBadRequest, "Room gone is not active"},
			"a call that is not up yet":     {`{"callId":"` + ringing + `","roomId":"lobby"}`, http.StatusBadRequest, "Call must be active to switch rooms, but is initiated"},
			"a body that is not even JSON":  {`{`, http.StatusBadRequest, "Request body must be a JSON object"},
			"a token that is no text":       {`{"callId":"` + up + `","roomId":"lobby","token":{}}`, http.StatusBadRequest, "token must be a string"},
			"a participant that is no text": {`{"callId":"` + up + `","roomId":"lobby","participantId":1}`, http.StatusBadRequest, "participantId must be a string"},
			"a room that is another's type": {`{"callId":"` + up + `","roomId":5}`, http.StatusBadRequest, "roomId must be a string"},
		}
		for name, test := range tests {
			t.Log(name)
			a.post("/v2/sip/call/switch-room", test.body).refused(test.status, test.text)
		}
	})
}

func (a api) trunk(direction, numbers string) string {
	a.t.Helper()
	return a.post("/v2/sip-trunk", fmt.Sprintf(`{"name":"Trunk","domain":"sip.example.com","direction":%q,"numbers":%s}`, direction, numbers)).text("trunkId")
}

func TestCreateTrunkCall(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		trunk := a.trunk("outbound", `["+14155550001","+14155550002"]`)
		const body = `{"to":"+14155550123","displayName":"Ann","meetingId":"meet-1","trunkId":%q%s}`
		got := a.post("/v2/sip/outbound-call", fmt.Sprintf(body, trunk, `,"participantId":"dA45e3gb"`)).must(http.StatusOK)
		assert.JSONEq(t, `{"statusCode":200,"message":"Success","participantId":"dA45e3gb"}`, got.body)
		got = a.post("/v2/sip/outbound-call", fmt.Sprintf(body, trunk, `,"from":"+14155550002"`)).must(http.StatusOK)
		assert.Len(t, got.text("participantId"), 8)

		dials := a.Dials()
		require.Len(t, dials, 2)
		assert.Equal(t, "+14155550001", dials[0].From, "the first number of the trunk")
		assert.Equal(t, "+14155550002", dials[1].From)
		assert.Equal(t, "meet-1", a.get("/v2/sip/call/"+dials[0].CallID).text("data.roomId"))
		wait(time.Second)
		assert.Equal(t, "answered", a.status(dials[0].CallID))
	})
}

func TestCreateTrunkCallRefuses(t *testing.T) {
	a := newAPI(t)
	trunk := a.trunk("outbound", `["+14155550001"]`)
	inbound := a.trunk("inbound", `["+14155550001"]`)
	empty := a.trunk("outbound", `[]`)
	const rest = `"to":"+14155550123","displayName":"Ann","meetingId":"m","trunkId":`
	tests := map[string]struct{ body, text string }{
		"no callee":                 {`{"displayName":"Ann","meetingId":"m","trunkId":"t"}`, "to is required"},
		"a callee that is no phone": {`{"to":"Ann","displayName":"Ann","meetingId":"m","trunkId":"t"}`, "to must be an E.164 number or a SIP URI"},
		"no name to display":        {`{"to":"+14155550123","meetingId":"m","trunkId":"t"}`, "displayName is required"},
		"no meeting":                {`{"to":"+14155550123","displayName":"Ann","trunkId":"t"}`, "meetingId is required"},
		"no trunk":                  {`{"to":"+14155550123","displayName":"Ann","meetingId":"m"}`, "trunkId is required"},
		"an unknown trunk":          {`{` + rest + `"t"}`, `trunkId "t" does not exist`},
		"an inbound trunk":          {`{` + rest + `"` + inbound + `"}`, "Trunk " + inbound + " is not an outbound trunk"},
		"a caller id from elsewhere": {
			`{` + rest + `"` + trunk + `","from":"+14155550009"}`, "from +14155550009 is not a number of trunk " + trunk,
		},
		"a trunk without numbers":  {`{` + rest + `"` + empty + `"}`, "Trunk " + empty + " has no number"},
		"a body that is no object": {`"x"`, "Request body must be a JSON object"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := api{t, a.Server}
			a.post("/v2/sip/outbound-call", test.body).refused(http.StatusBadRequest, test.text)
		})
	}
	assert.Empty(t, a.Dials())
}
