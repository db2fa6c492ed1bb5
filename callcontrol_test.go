package videosdk_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// anotherNumber is whom a call is transferred to.
const anotherNumber = "+14155550177"

// answeredCall places a call in a room and waits until it is answered.
func answeredCall(t *testing.T, client *videosdk.Client, rule *videosdk.RoutingRule, roomID string) *videosdk.Call {
	t.Helper()
	call, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{
		To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID, DestinationRoomID: roomID,
	})
	require.NoError(t, err)
	call, err = client.Calls.WaitAnswered(t.Context(), call.ID)
	require.NoError(t, err)
	return call
}

func TestACallIsTransferred(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithQuirks(quirks...))
				call := answeredCall(t, client, rule, "")
				srv.Callee(anotherNumber).RingsAfter(time.Second).AnswersAfter(5 * time.Second)

				transferred, err := client.Calls.Transfer(t.Context(), call.ID, videosdk.CallTransferParams{
					To: anotherNumber, Participant: &videosdk.Participant{Name: "Ann"}, PlayDialtone: videosdk.Ptr(true),
				})
				require.NoError(t, err)
				assert.Equal(t, call.ID, transferred.ID)
				assert.Equal(t, videosdk.CallTransferInitiated, transferred.Status)

				last, err := client.Calls.Wait(t.Context(), call.ID, func(c *videosdk.Call) bool { return c.Status == videosdk.CallTransferred })
				require.NoError(t, err)
				assert.Equal(t, []videosdk.CallStatus{
					videosdk.CallInitiated, videosdk.CallRinging, videosdk.CallAnswered, videosdk.CallTransferInitiated,
					videosdk.CallTransferAccepted, videosdk.CallTransferring, videosdk.CallTransferRinging, videosdk.CallTransferred,
				}, statusesOf(last))
				assert.True(t, last.WasAnswered())
				assert.Equal(t, 1, srv.DialCount(anotherNumber))
				assert.Equal(t, 1, srv.DialCount(theirNumber))
			})
		})
	}
}

func TestACallIsMovedToAnotherRoom(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithQuirks(quirks...))
				call := answeredCall(t, client, rule, "")
				room, err := client.Rooms.Create(t.Context(), videosdk.RoomCreateParams{})
				require.NoError(t, err)
				token, err := client.ParticipantToken(videosdk.ParticipantTokenParams{RoomID: room.ID})
				require.NoError(t, err)

				moved, err := client.Calls.SwitchRoom(t.Context(), call.ID, videosdk.CallSwitchRoomParams{
					RoomID: room.ID, Token: token, ParticipantID: "p_1",
				})
				require.NoError(t, err)
				assert.Equal(t, call.ID, moved.ID)

				synctest.Wait()
				got, err := client.Calls.Get(t.Context(), call.ID)
				require.NoError(t, err)
				assert.Equal(t, room.ID, got.RoomID)
				assert.Equal(t, videosdk.CallAnswered, got.Status)
				assert.Contains(t, statusesOf(got), videosdk.CallSwitchRoomCompleted)
				assert.Len(t, srv.Dials(), 1)
			})
		})
	}
}

func TestACallThatCannotBeMovedIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		calls, ctx := client.Calls, t.Context()
		srv.Callee(theirNumber).NeverAnswers()
		ringing, err := calls.Create(ctx, videosdk.CallCreateParams{To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID})
		require.NoError(t, err)

		_, err = calls.Transfer(ctx, ringing.ID, videosdk.CallTransferParams{To: anotherNumber})
		require.ErrorIs(t, err, videosdk.ErrBadRequest, "it has not been answered")
		assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
		_, err = calls.Transfer(ctx, "call_none", videosdk.CallTransferParams{To: anotherNumber})
		require.ErrorIs(t, err, videosdk.ErrNotFound)
		_, err = calls.SwitchRoom(ctx, ringing.ID, videosdk.CallSwitchRoomParams{RoomID: "room_none"})
		require.ErrorIs(t, err, videosdk.ErrBadRequest)
		assert.Zero(t, srv.DialCount(anotherNumber))
	})
}

// movers are the methods, beside Calls.Create, that ring or move a person.
func movers() map[string]mover {
	return map[string]mover{
		"Calls.Transfer":   {transferCall, dialled, true},
		"Calls.SwitchRoom": {switchRoom, timesMoved, true},
		"Trunks.Call": {
			func(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
				params := videosdk.TrunkCallParams{To: callee, DisplayName: "Ann", RoomID: a.room, TrunkID: a.trunk}
				return errorOf(a.client.Trunks.Call(ctx, params, opts...))
			}, dialled, false,
		},
	}
}

type mover struct {
	do      func(context.Context, *account, ...videosdk.RequestOption) error
	applied func(*testing.T, *account) int
	// contentWithLess: an answer that shows nothing is success.
	contentWithLess bool
}

// timesMoved counts how often the call has been moved to another room.
func timesMoved(t *testing.T, a *account) int {
	t.Helper()
	a.srv.ClearFaults()
	call, err := a.client.Calls.Get(t.Context(), a.call.ID)
	require.NoError(t, err)
	moved := 0
	for _, status := range statusesOf(call) {
		if status == videosdk.CallSwitchRoomInitiated {
			moved++
		}
	}
	return moved
}

func TestWhatRingsOrMovesAPersonIsNeverRepeatedAfterAnUnknownOutcome(t *testing.T) {
	tests := []struct {
		name    string
		fault   videosdktest.Fault
		applied int
	}{
		{"a 500", videosdktest.Fault{Status: 500}, 0},
		{"a 502 in HTML", videosdktest.Fault{Status: 502, Body: "<html>", Header: http.Header{"Content-Type": {"text/html"}}}, 0},
		{"a 503 that asks to come back", videosdktest.Fault{Status: 503, Header: http.Header{"Retry-After": {"1"}}}, 0},
		{"a 408", videosdktest.Fault{Status: 408}, 0},
		{"a 499", videosdktest.Fault{Status: 499}, 0},
		{"a connection reset before the server acted", videosdktest.Fault{Drop: videosdktest.DropBeforeActing}, 0},
		{"a connection reset after the server acted", videosdktest.Fault{Drop: videosdktest.DropAfterActing}, 1},
		{"half an answer", videosdktest.Fault{Drop: videosdktest.DropMidBody}, 1},
		{"no answer in time", videosdktest.Fault{Delay: time.Hour}, 0},
		{"a captive portal", videosdktest.Fault{Body: "<html>", Header: http.Header{"Content-Type": {"text/html"}}}, 0},
		{"an answer that is cut off", videosdktest.Fault{Body: `{"data":`}, 0},
	}
	for operation, mover := range movers() {
		for _, tt := range tests {
			t.Run(operation+" after "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := newAccount(t)
					// Every further attempt would be answered, and count.
					a.srv.Inject(tt.fault)

					err := mover.do(t.Context(), a)

					require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
					assert.Len(t, a.srv.Requests(), 1)
					assert.Equal(t, tt.applied, mover.applied(t, a))
				})
			})
		}
	}
}

func TestWhatRingsOrMovesAPersonIsRepeatedWhenNothingWasDone(t *testing.T) {
	for operation, mover := range movers() {
		t.Run(operation+" after a 429", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				a.srv.Inject(videosdktest.Fault{Status: 429, Times: 2})
				require.NoError(t, mover.do(t.Context(), a))
				assert.Len(t, a.srv.Requests(), 3)
				assert.Equal(t, 1, mover.applied(t, a))
			})
		})
		t.Run(operation+" after a connection that was refused", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				a.client.CloseIdleConnections()
				a.refuse.Store(true)
				require.NoError(t, mover.do(t.Context(), a))
				assert.Len(t, a.srv.Requests(), 1)
				assert.Equal(t, 1, mover.applied(t, a))
			})
		})
		t.Run(operation+" cannot be made to repeat what is unknown", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				require.ErrorIs(t, mover.do(t.Context(), a, videosdk.WithRetryUnknown()), videosdk.ErrInvalidRequest)
				assert.Empty(t, a.srv.Requests())
			})
		})
		t.Run(operation+" with an empty answer", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				a.srv.Inject(videosdktest.Fault{Body: " "})
				err := mover.do(t.Context(), a)
				if mover.contentWithLess {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
				}
				assert.Len(t, a.srv.Requests(), 1)
			})
		})
	}
}

func TestABadTransferOrSwitchIsRefusedWithAllItsFaults(t *testing.T) {
	tests := []struct {
		name   string
		call   func(context.Context, *videosdk.Client) error
		fields []string
	}{
		{"a transfer of nothing to nobody", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Transfer(ctx, "", videosdk.CallTransferParams{}))
		}, []string{"callId", "transferTo"}},
		{"a transfer to what is neither a number nor a URI", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.Transfer(ctx, "call_1", videosdk.CallTransferParams{To: "4155550199"}))
		}, []string{"transferTo"}},
		{"a switch of nothing to nowhere", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.SwitchRoom(ctx, " ", videosdk.CallSwitchRoomParams{}))
		}, []string{"callId", "roomId"}},
		{"a search in no room", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.FindActive(ctx, "", "sess_1"))
		}, []string{"roomId"}},
		{"a watch of no call", func(ctx context.Context, c *videosdk.Client) error {
			return firstError(c.Calls.Watch(ctx, ""))
		}, []string{"callId"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			assertRefused(t, recorder, tt.call(t.Context(), recorder.client()), tt.fields...)
		})
	}
}

func TestFindActiveFindsTheCallOfASession(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithQuirks(quirks...))
				calls, ctx := client.Calls, t.Context()
				over := answeredCall(t, client, rule, "room_1")
				_, err := calls.End(ctx, over.ID)
				require.NoError(t, err)
				answeredCall(t, client, rule, "room_2")
				active := answeredCall(t, client, rule, "room_1")

				found, err := calls.FindActive(ctx, "room_1", active.SessionID)
				require.NoError(t, err)
				assert.Equal(t, active.ID, found.ID)
				found, err = calls.FindActive(ctx, "room_1", "")
				require.NoError(t, err)
				assert.Equal(t, active.ID, found.ID, "the only one that is not over")

				_, err = calls.FindActive(ctx, "room_1", "sess_other")
				require.ErrorIs(t, err, videosdk.ErrCallNotFound)
				_, err = calls.FindActive(ctx, "room_3", "")
				require.ErrorIs(t, err, videosdk.ErrCallNotFound)
				_, err = calls.End(ctx, active.ID)
				require.NoError(t, err)
				_, err = calls.FindActive(ctx, "room_1", active.SessionID)
				require.ErrorIs(t, err, videosdk.ErrCallNotFound, "it is over")
			})
		})
	}
}

func TestFindActiveReadsFurtherPages(t *testing.T) {
	pages := map[string]string{
		"1": `{"callId":"c0","status":"answered"},{"callId":"c1","sessionId":"s1","status":"answered"},{"callId":"c2","sessionId":"s2","status":"ENDED"}`,
		"2": `{"callId":"c3","sessionId":"s2","status":"RINGING"}`,
		"3": `{"callId":"c4","sessionId":"s2","status":"answered"}`,
	}
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: roundTripFunc(
		func(req *http.Request) (*http.Response, error) {
			page := req.URL.Query().Get("page")
			body := fmt.Sprintf(`{"pageInfo":{"currentPage":%s,"lastPage":3},"data":[%s]}`, page, pages[page])
			return newRecorder(t, http.StatusOK, body).RoundTrip(req)
		})}))
	require.NoError(t, err)

	call, err := client.Calls.FindActive(t.Context(), "room_1", "s2")

	require.NoError(t, err)
	assert.Equal(t, "c3", call.ID, "the first in the server's order")
}

func TestFindActiveTellsWhyItCouldNotLook(t *testing.T) {
	_, err := newRecorder(t, http.StatusForbidden, `{}`).client().Calls.FindActive(t.Context(), "room_1", "s2")
	require.ErrorIs(t, err, videosdk.ErrForbidden)
	assert.NotErrorIs(t, err, videosdk.ErrCallNotFound, "nobody knows")
}

func TestWatchShowsACallAtEachChangeUntilItIsOver(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithQuirks(quirks...))
				srv.Callee(theirNumber).RingsAfter(5 * time.Second).AnswersAfter(20 * time.Second).HangsUpAfter(time.Minute)
				call, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID})
				require.NoError(t, err)

				var seen []videosdk.CallStatus
				for shown, err := range client.Calls.Watch(t.Context(), call.ID) {
					require.NoError(t, err)
					assert.Equal(t, call.ID, shown.ID)
					seen = append(seen, shown.Status)
				}

				assert.Equal(t, []videosdk.CallStatus{
					videosdk.CallInitiated, videosdk.CallRinging, videosdk.CallAnswered, videosdk.CallEnded,
				}, seen)
			})
		})
	}
}

func TestAWatchThatIsLeftAsksNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		srv.Callee(theirNumber).RingsAfter(5 * time.Second).AnswersAfter(time.Minute)
		call, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID})
		require.NoError(t, err)

		for shown, err := range client.Calls.Watch(t.Context(), call.ID) {
			require.NoError(t, err)
			if shown.Status == videosdk.CallRinging {
				break
			}
		}

		asked := len(srv.Requests())
		<-time.After(time.Minute) // in virtual time
		assert.Len(t, srv.Requests(), asked)
	})
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, rule := newLine(t, videosdktest.InMemory())
		call := answeredCall(t, client, rule, "")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()

		var shown int
		var last error
		for _, err := range client.Calls.Watch(ctx, call.ID) {
			shown++
			last = err
			cancel()
		}

		assert.Equal(t, 2, shown, "the call, and the error")
		require.ErrorIs(t, last, context.Canceled)
	})
}

func TestWhatAWatchShows(t *testing.T) {
	shows := func(bodies ...string) []string { return bodies }
	tests := []struct {
		name   string
		bodies []string // answered in turn
		want   []string // statuses, and whether the call is over
		err    error
	}{
		{"a call that is over already, once", shows(`{"id":"c","status":"missed"}`), []string{"missed true"}, nil},
		{"a call that is over, though its status does not say so", shows(`{"id":"c","end":"2025-08-21T11:48:00.000Z"}`), []string{" true"}, nil},
		{"the end of a call whose status stays", shows(`{"id":"c","status":"answered"}`, `{"id":"c","status":"answered","end":"2025-08-21T11:48:00.000Z"}`),
			[]string{"answered false", "answered true"}, nil},
		{"a call without a status", shows(`{"id":"c"}`, `{"id":"c","status":"ended"}`), []string{" false", "ended true"}, nil},
		{"a change once, however long it lasts", shows(`{"id":"c","status":"ringing"}`, `{"id":"c","status":"RINGING"}`, `{"id":"c","status":"ended"}`),
			[]string{"ringing false", "ended true"}, nil},
		{"a status that is not known", shows(`{"id":"c","status":"on-hold"}`, `{"id":"c","status":"rejected"}`), []string{"on-hold false", "rejected true"}, nil},
		{"a status that comes back", shows(`{"id":"c","status":"answered"}`, `{"id":"c","status":"transfer-failed"}`, `{"id":"c","status":"answered"}`, `{"id":"c","status":"ended"}`),
			[]string{"answered false", "transfer-failed false", "answered false", "ended true"}, nil},
		{"what it knows, past a failure that passes", shows(`{"id":"c","status":"ringing"}`, `500`, `{"id":"c","status":"ended"}`),
			[]string{"ringing false", "ended true"}, nil},
		{"an error that does not pass, and ends", shows(`{"id":"c","status":"ringing"}`, `404`, `{"id":"c","status":"ended"}`),
			[]string{"ringing false"}, videosdk.ErrNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := askFor(t, func(n int) (int, string) {
					body, status := tt.bodies[min(n, len(tt.bodies)-1)], http.StatusOK
					if body[0] != '{' {
						_, err := fmt.Sscan(body, &status)
						require.NoError(t, err)
						body = `{}`
					}
					return status, body
				})

				var got []string
				var last error
				for call, err := range asked.client.Calls.Watch(t.Context(), "c") {
					require.NoError(t, last, "nothing follows an error")
					if last = err; err == nil {
						got = append(got, fmt.Sprint(call.Status, " ", call.IsOver()))
					}
				}

				assert.Equal(t, tt.want, got)
				require.ErrorIs(t, last, tt.err)
			})
		})
	}
}
