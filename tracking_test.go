package videosdk_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// callNamed returns params of a call with a tracking id.
func callNamed(rule *videosdk.RoutingRule, id string) videosdk.CallCreateParams {
	return videosdk.CallCreateParams{
		To: theirNumber, From: ourNumber, RoutingRuleID: rule.ID, TrackingID: id, Metadata: map[string]any{"campaign": "spring"},
	}
}

func TestATrackingIDTravelsInTheMetadata(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithQuirks(quirks...))
				ctx, began := t.Context(), time.Now()
				params := callNamed(rule, "order-7")

				created, err := client.Calls.Create(ctx, params)
				require.NoError(t, err)
				assert.Equal(t, "order-7", created.TrackingID())
				assert.Equal(t, map[string]any{"campaign": "spring", videosdk.TrackingKey: "order-7"}, srv.Dials()[0].Metadata)
				assert.Equal(t, map[string]any{"campaign": "spring"}, params.Metadata, "the caller's map is left alone")

				_, err = client.Calls.Create(ctx, callNamed(rule, "order-8"))
				require.NoError(t, err)
				found, err := client.Calls.FindByTrackingID(ctx, "order-7", began)
				require.NoError(t, err)
				assert.Equal(t, created.ID, found.ID)
				assert.Equal(t, "order-7", found.TrackingID())

				_, err = client.Calls.FindByTrackingID(ctx, "order-9", began)
				require.ErrorIs(t, err, videosdk.ErrCallNotFound)
				time.Sleep(time.Hour)
				_, err = client.Calls.FindByTrackingID(ctx, "order-7", time.Now())
				require.ErrorIs(t, err, videosdk.ErrCallNotFound, "it was placed before")
			})
		})
	}
}

func TestACallWithoutATrackingIDHasNone(t *testing.T) {
	assert.Empty(t, new(videosdk.Call).TrackingID())
	assert.Empty(t, (&videosdk.Call{Metadata: map[string]any{videosdk.TrackingKey: 7}}).TrackingID())
	recorder := newRecorder(t, http.StatusOK, anyResource)
	_, err := recorder.client().Calls.Create(t.Context(), validCall())
	require.NoError(t, err)
	assert.NotContains(t, string(recorder.last().Body), "metadata")
}

// The documented list does not show metadata.
func TestACallIsAskedForWhenTheListDoesNotShowItsMetadata(t *testing.T) {
	const list = `{"data":[{"callId":"c1"},{"callId":"c2","metadata":{"trackingId":"order-8"}},{"callId":"c3"},{"callId":"c4"}]}`
	call := func(id, tracking string) string {
		return `{"data":{"id":"` + id + `","metadata":{"trackingId":"` + tracking + `"}}}`
	}
	t.Run("until it is found", func(t *testing.T) {
		recorder := newRecorder(t, http.StatusOK, list).then(http.StatusOK, call("c1", "order-6")).then(http.StatusOK, call("c3", "order-7"))
		found, err := recorder.client().Calls.FindByTrackingID(t.Context(), "order-7", time.Time{})
		require.NoError(t, err)
		assert.Equal(t, "c3", found.ID)
		var paths []string
		for _, request := range recorder.all() {
			paths = append(paths, request.Path)
		}
		assert.Equal(t, []string{"/v2/sip/call", "/v2/sip/call/c1", "/v2/sip/call/c3"}, paths, "one that shows its metadata is not asked for")
	})
	t.Run("past one that is gone", func(t *testing.T) {
		recorder := newRecorder(t, http.StatusOK, list).then(http.StatusNotFound, `{}`).then(http.StatusOK, call("c3", "order-7"))
		found, err := recorder.client().Calls.FindByTrackingID(t.Context(), "order-7", time.Time{})
		require.NoError(t, err)
		assert.Equal(t, "c3", found.ID)
	})
	t.Run("but not for proof when one that is gone may be it", func(t *testing.T) {
		recorder := newRecorder(t, http.StatusOK, `{"data":[{"callId":"c1"}],"pageInfo":{"lastPage":1}}`).then(http.StatusNotFound, `{}`)
		_, err := recorder.client().Calls.FindByTrackingID(t.Context(), "order-7", time.Time{})
		require.ErrorIs(t, err, videosdk.ErrNotFound)
		assert.NotErrorIs(t, err, videosdk.ErrCallNotFound)
	})
	t.Run("nor when the list itself is not found", func(t *testing.T) {
		_, err := newRecorder(t, http.StatusNotFound, `{}`).client().Calls.FindByTrackingID(t.Context(), "order-7", time.Time{})
		require.ErrorIs(t, err, videosdk.ErrNotFound)
		assert.NotErrorIs(t, err, videosdk.ErrCallNotFound)
	})
	t.Run("also where it shows an empty one", func(t *testing.T) {
		recorder := newRecorder(t, http.StatusOK, `{"data":[{"callId":"c1","metadata":{},"metaData":{"trackingId":"order-7"}}]}`)
		found, err := recorder.client().Calls.FindByTrackingID(t.Context(), "order-7", time.Time{})
		require.NoError(t, err)
		assert.Equal(t, "c1", found.ID)
		recorder = newRecorder(t, http.StatusOK, `{"data":[{"callId":"c1","metadata":{}}]}`).then(http.StatusOK, call("c1", "order-7"))
		found, err = recorder.client().Calls.FindByTrackingID(t.Context(), "order-7", time.Time{})
		require.NoError(t, err)
		assert.Equal(t, "c1", found.ID)
	})
	t.Run("unless it cannot be told", func(t *testing.T) {
		recorder := newRecorder(t, http.StatusOK, list).then(http.StatusForbidden, `{}`)
		_, err := recorder.client().Calls.FindByTrackingID(t.Context(), "order-7", time.Time{})
		require.ErrorIs(t, err, videosdk.ErrForbidden)
		assert.NotErrorIs(t, err, videosdk.ErrCallNotFound)
	})
}

// Else CreateOnce would dial that call again.
func TestTheTrackingIDIsFoundInEitherSpellingOfMetadata(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, `{"data":[{"callId":"c1","metadata":{"k":"v"},"metaData":{"trackingId":"order-7"}}]}`)
	found, err := recorder.client().Calls.FindByTrackingID(t.Context(), "order-7", time.Time{})
	require.NoError(t, err)
	assert.Equal(t, "c1", found.ID)
}

func TestMetadataThatTravelsAsTextTellsTheTrackingID(t *testing.T) {
	const list = `{"data":[{"callId":"c1","metadata":"spring"},{"callId":"c2","metadata":"{\"trackingId\":\"order-7\"}"}]}`
	recorder := newRecorder(t, http.StatusOK, list).then(http.StatusOK, `{"data":{"id":"c1","metadata":"spring"}}`)
	found, err := recorder.client().Calls.FindByTrackingID(t.Context(), "order-7", time.Time{})
	require.NoError(t, err)
	assert.Equal(t, "c2", found.ID)
}

func TestAListThatCannotBeReadIsNoProofThatACallWasNotPlaced(t *testing.T) {
	tests := []struct{ name, list, problem string }{
		{"ids in place of calls", `{"data":["c1","c2"]}`, "is not a JSON object"},
		{"a call that cannot be told from another", `{"data":[{"to":"+14155550199"}]}`, "neither an id nor metadata"},
		{"a total without a list", `{"pageInfo":{"total":1},"calls":[{"callId":"c1"}]}`, "it has no list"},
		{"pages without a list", `{"pagination":{"totalPages":2},"calls":[{"callId":"c1"}]}`, "it has no list"},
		{"something in place of the list", `{"pageInfo":{"lastPage":1},"data":{"calls":[{"callId":"c1"}]}}`, "it has no list"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, tt.list)
			params := validCall()
			params.TrackingID = "order-7"
			_, err := recorder.client().Calls.CreateOnce(t.Context(), params)
			require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
			assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied, "nothing was dialled")
			assert.ErrorContains(t, err, tt.problem)
			require.Len(t, recorder.all(), 1)
			assert.Equal(t, http.MethodGet, recorder.last().Method)
		})
	}
}

// What stands in between may take each page for the first one, which it has kept.
func TestAListThatRepeatsItselfIsNoProofThatACallWasNotPlaced(t *testing.T) {
	const page = `{"pageInfo":{"currentPage":1,"perPage":100,"lastPage":%d,"total":450},"data":[{"callId":"c1","metadata":{"trackingId":"order-6"}}]}`
	params := validCall()
	params.TrackingID = "order-7"

	for _, pages := range []int{2, 3, 4, 5} {
		repeating := newRecorder(t, http.StatusOK, fmt.Sprintf(page, pages))
		_, err := repeating.client().Calls.CreateOnce(t.Context(), params)
		require.ErrorIs(t, err, videosdk.ErrInvalidResponse, "of %d pages", pages)
		require.NotErrorIs(t, err, videosdk.ErrMaybeApplied, "nothing was dialled")
		for _, request := range repeating.all() {
			assert.Equal(t, http.MethodGet, request.Method)
		}
	}

	nulls := newRecorder(t, http.StatusOK, `{"pageInfo":{"lastPage":5,"total":450},"data":[null,null]}`)
	_, err := nulls.client().Calls.CreateOnce(t.Context(), params)
	require.ErrorIs(t, err, videosdk.ErrInvalidResponse, "a page of null is not empty")
	require.NotErrorIs(t, err, videosdk.ErrMaybeApplied, "nothing was dialled")
	assert.Len(t, nulls.all(), 1)

	const none, placed = `{"pageInfo":{"lastPage":5,"total":450},"data":[]}`, `{"data":{"callId":"c2"}}`
	for name, recorder := range map[string]*recorder{
		"its only page": newRecorder(t, http.StatusOK, fmt.Sprintf(page, 1)).then(http.StatusOK, placed),
		"more pages, which are all empty": newRecorder(t, http.StatusOK, fmt.Sprintf(page, 5)).then(http.StatusOK, none).
			then(http.StatusOK, none).then(http.StatusOK, none).then(http.StatusOK, none).then(http.StatusOK, placed),
	} {
		call, err := recorder.client().Calls.CreateOnce(t.Context(), params)
		require.NoError(t, err, name)
		assert.Equal(t, "c2", call.ID, name)
	}
}

// Who counts the pages before it leaves out what was not asked for may have pages of
// nothing, also before the first call.
func TestASearchGoesOnAfterPagesOfNothing(t *testing.T) {
	const none, other = `{"pageInfo":{"lastPage":5},"data":[]}`, `{"pageInfo":{"lastPage":5},"data":[{"callId":"c1","metadata":{"trackingId":"order-6"}}]}`
	const found = `{"pageInfo":{"lastPage":5},"data":[{"callId":"c2","metadata":{"trackingId":"order-7"}}]}`
	params := validCall()
	params.TrackingID = "order-7"
	for name, pages := range map[string][]string{
		"first":                       {none, found},
		"but the last":                {none, none, none, none, found},
		"in the middle":               {other, none, none, found},
		"after one that was repeated": {other, other, none, none, found},
		"none, of a list that does not tell how many it has": {`[{"callId":"c1","metadata":{"trackingId":"order-6"}}]`, found},
	} {
		recorder := &recorder{t: t}
		for _, page := range pages {
			recorder.then(http.StatusOK, page)
		}
		call, err := recorder.client().Calls.CreateOnce(t.Context(), params)
		require.NoError(t, err, name)
		assert.Equal(t, "c2", call.ID, name)
		assert.Len(t, recorder.all(), len(pages), name)
		for i, request := range recorder.all() {
			assert.Equal(t, http.MethodGet, request.Method, name)
			assert.Contains(t, request.Query, fmt.Sprintf("page=%d&", i+1), name)
		}
	}

	repeating := newRecorder(t, http.StatusOK, none).then(http.StatusOK, other).then(http.StatusOK, none).then(http.StatusOK, other)
	_, err := repeating.client().Calls.CreateOnce(t.Context(), params)
	require.ErrorIs(t, err, videosdk.ErrInvalidResponse, "what is repeated may stand for another page")
	assert.Len(t, repeating.all(), 5)

	endless := newRecorder(t, http.StatusOK, `{"pageInfo":{"lastPage":2000000000},"data":[]}`)
	_, err = endless.client().Calls.CreateOnce(t.Context(), params)
	require.ErrorIs(t, err, videosdk.ErrInvalidResponse, "not all of it can be read")
	assert.Equal(t, http.MethodGet, endless.last().Method)
}

func TestASearchLeavesTheOptionsOfItsCallerAlone(t *testing.T) {
	opts := make([]videosdk.RequestOption, 0, 1) // with room for one more
	_, err := newRecorder(t, http.StatusOK, emptyPage).client().Calls.FindByTrackingID(t.Context(), "order-7", time.Time{}, opts...)
	require.ErrorIs(t, err, videosdk.ErrCallNotFound)
	assert.Nil(t, opts[:1][0])
}

func TestCreateOnceDialsOnce(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithQuirks(quirks...))
				params := callNamed(rule, "order-7")
				first, err := client.Calls.CreateOnce(t.Context(), params)
				require.NoError(t, err)

				// As a program does that was started again.
				second, err := newClient(t, srv).Calls.CreateOnce(t.Context(), params)
				require.NoError(t, err)
				assert.Equal(t, first.ID, second.ID)
				assert.Equal(t, 1, srv.DialCount(theirNumber))

				other, err := client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-8"))
				require.NoError(t, err)
				assert.NotEqual(t, first.ID, other.ID)
				assert.Equal(t, 2, srv.DialCount(theirNumber))
			})
		})
	}
}

func TestCreateOnceDoesNotDialAgainACallThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		srv.Callee(theirNumber).Rejects()
		first, err := client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))
		require.NoError(t, err)
		_, err = client.Calls.Wait(t.Context(), first.ID, nil)
		require.NoError(t, err)
		time.Sleep(30*24*time.Hour - time.Minute)

		second, err := newClient(t, srv).Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))

		require.NoError(t, err)
		assert.Equal(t, first.ID, second.ID)
		assert.Equal(t, videosdk.CallRejected, second.Status)
		assert.Equal(t, 1, srv.DialCount(theirNumber))
	})
}

func TestCreateOnceFindsASIPURIToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		params := callNamed(rule, "order-7")
		params.To = "sip:alice@example.com"
		for range 2 {
			_, err := client.Calls.CreateOnce(t.Context(), params)
			require.NoError(t, err)
		}
		assert.Equal(t, 1, srv.DialCount(params.To))
		for _, request := range srv.Requests() {
			assert.False(t, request.Query.Has("search"), "to a search it may be a regular expression")
		}
	})
}

func TestCreateOnceFindsTheCallToANumberThatBecameASIPURI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		params := callNamed(rule, "order-7")
		first, err := client.Calls.CreateOnce(t.Context(), params)
		require.NoError(t, err)
		params.To = "sip:alice@example.com"
		second, err := newClient(t, srv).Calls.CreateOnce(t.Context(), params)
		require.NoError(t, err)
		assert.Equal(t, first.ID, second.ID)
		assert.Zero(t, srv.DialCount(params.To))
	})
}

func TestCreateOnceResolvesAnUnknownOutcome(t *testing.T) {
	tests := []struct {
		name  string
		lag   time.Duration // of the list
		fault videosdktest.Fault
		found bool
		dials int
		takes time.Duration // at most
	}{
		{"of a call that the list shows at once", 0, videosdktest.Fault{Drop: videosdktest.DropAfterActing}, true, 1, 2 * time.Second},
		{"of a call that the list shows later", 30 * time.Second, videosdktest.Fault{Drop: videosdktest.DropAfterActing}, true, 1, 35 * time.Second},
		{"of a call whose answer was cut", 3 * time.Second, videosdktest.Fault{Drop: videosdktest.DropMidBody}, true, 1, 15 * time.Second},
		{"of a call that the list does not show in time", time.Hour, videosdktest.Fault{Drop: videosdktest.DropAfterActing}, false, 1, time.Minute},
		{"of a call that was not placed", 0, videosdktest.Fault{Drop: videosdktest.DropBeforeActing}, false, 0, time.Minute},
		{"of a server that failed", 0, videosdktest.Fault{Status: http.StatusInternalServerError}, false, 0, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithListDelay(tt.lag))
				tt.fault.Method, tt.fault.Path = http.MethodPost, "/v2/sip/call"
				srv.Inject(tt.fault)
				began := time.Now()

				call, err := client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))

				assert.Equal(t, tt.dials, srv.DialCount(theirNumber))
				assert.LessOrEqual(t, time.Since(began), tt.takes)
				if !tt.found {
					require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
					assert.Nil(t, call)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, srv.Dials()[0].CallID, call.ID)
				assert.Equal(t, "order-7", call.TrackingID())
			})
		})
	}
}

func TestCreateOnceLooksForHalfAMinuteHoweverManyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithListDelay(time.Hour))
		srv.Inject(videosdktest.Fault{Method: http.MethodPost, Path: "/v2/sip/call", Drop: videosdktest.DropAfterActing})
		began := time.Now()
		together(func(int) {
			_, err := client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))
			assert.ErrorIs(t, err, videosdk.ErrMaybeApplied)
		})
		assert.Less(t, time.Since(began), time.Minute)
		assert.Equal(t, 1, srv.DialCount(theirNumber))
	})
}

func TestCreateOnceDialsOnceHoweverManyCallItAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithListDelay(time.Minute))
		ids := make([]string, goroutines)
		together(func(n int) {
			params := callNamed(rule, "order-7")
			params.To = fmt.Sprintf("+1415555%04d", 100+n%2) // corrected on the way
			call, err := client.Calls.CreateOnce(t.Context(), params)
			if assert.NoError(t, err) {
				ids[n] = call.ID
			}
		})
		require.Len(t, srv.Dials(), 1)
		for _, id := range ids {
			assert.Equal(t, srv.Dials()[0].CallID, id)
		}
	})
}

func TestCreateOnceLooksAgainAfterALookThatTookLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		srv.Inject(videosdktest.Fault{Method: http.MethodGet, Path: "/v2/sip/call", AnswerDelay: 31 * time.Second})
		var slow *videosdk.Call
		var group sync.WaitGroup
		group.Go(func() { // as in a process that is frozen when it has asked
			var err error
			slow, err = client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"), videosdk.WithAttemptTimeout(time.Minute))
			assert.NoError(t, err)
		})
		time.Sleep(10 * time.Second)
		call, err := newClient(t, srv).Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))
		require.NoError(t, err)
		group.Wait()
		require.NotNil(t, slow)
		assert.Equal(t, call.ID, slow.ID)
		assert.Len(t, srv.Dials(), 1)
	})
}

func TestCreateOnceLooksAgainOnlyIfALookThatTookLongFoundNothing(t *testing.T) {
	const found, placed = `{"data":[{"callId":"c1","metadata":{"trackingId":"order-7"}}],"pageInfo":{"lastPage":1}}`, `{"data":{"callId":"c2"}}`
	for name, tt := range map[string]struct {
		look     cannedAnswer // that took long
		requests int
		call     string
		err      error
	}{
		"nothing, and then it dials":              {cannedAnswer{status: http.StatusOK, body: emptyPage}, 3, "c2", nil},
		"a call, which may be older than an hour": {cannedAnswer{status: http.StatusOK, body: found}, 1, "c1", nil},
		"that it cannot look":                     {cannedAnswer{status: http.StatusForbidden, body: `{}`}, 1, "", videosdk.ErrForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				recorder := newRecorder(t, tt.look.status, tt.look.body).then(http.StatusOK, emptyPage).then(http.StatusOK, placed)
				client := recorder.client(videosdk.WithAttemptTimeout(time.Minute), videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
					return roundTripFunc(func(req *http.Request) (*http.Response, error) {
						if len(recorder.all()) == 0 {
							time.Sleep(31 * time.Second)
						}
						return next.RoundTrip(req)
					})
				}))
				params, began := validCall(), time.Now()
				params.TrackingID = "order-7"
				call, err := client.Calls.CreateOnce(t.Context(), params)
				require.ErrorIs(t, err, tt.err)
				require.Len(t, recorder.all(), tt.requests)
				if err == nil {
					assert.Equal(t, tt.call, call.ID)
				}
				if tt.requests > 1 {
					assert.Contains(t, recorder.all()[1].Query, fmt.Sprint("startDate=", began.Add(-time.Hour).UnixMilli()), "clocks differ")
				}
			})
		})
	}
}

func TestAClientKnowsForAMinuteWhatItHasDialled(t *testing.T) {
	tests := []struct {
		name  string
		fault videosdktest.Fault
		want  error // of the first and of the second
	}{
		{"a call", videosdktest.Fault{}, nil},
		{"what may be one", videosdktest.Fault{Method: http.MethodPost, Drop: videosdktest.DropAfterActing}, videosdk.ErrMaybeApplied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithListDelay(time.Hour))
				if tt.want != nil {
					srv.Inject(tt.fault)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := client.Calls.CreateOnce(ctx, callNamed(rule, "order-7"))
				require.ErrorIs(t, err, tt.want)
				time.Sleep(20 * time.Second)
				_, err = client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))
				require.ErrorIs(t, err, tt.want)
				require.Len(t, srv.Dials(), 1)

				ended, end := context.WithCancel(t.Context())
				end()
				_, err = client.Calls.CreateOnce(ended, callNamed(rule, "order-7"))
				require.ErrorIs(t, err, videosdk.ErrMaybeApplied, "what is known of it does not end")

				_, err = client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-8"))
				require.NoError(t, err, "another one")
				require.Len(t, srv.Dials(), 2)
				_, err = client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))
				require.ErrorIs(t, err, tt.want)
				require.Len(t, srv.Dials(), 2, "the first is known all the same")

				time.Sleep(time.Minute)
				_, err = client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))
				require.NoError(t, err)
				assert.Len(t, srv.Dials(), 3, "the list alone is asked, and lags by an hour")
			})
		})
	}
}

func TestAContextThatHasEndedPlacesNoCall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // which of two ready channels is taken is a matter of luck
		recorder := newRecorder(t, http.StatusOK, emptyPage)
		params := validCall()
		params.TrackingID = "order-7"
		_, err := recorder.client().Calls.CreateOnce(ctx, params)
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
		require.Empty(t, recorder.all())
	}
}

func TestACallThatTheListShowsWithoutAnIDIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := newRecorder(t, http.StatusOK, emptyPage).then(http.StatusBadGateway, `{}`).
			then(http.StatusOK, `{"data":[{"metadata":{"trackingId":"order-7"}}],"pageInfo":{"lastPage":1}}`).
			then(http.StatusOK, emptyPage)
		client := recorder.client()
		params := validCall()
		params.TrackingID = "order-7"
		_, err := client.Calls.CreateOnce(t.Context(), params)
		require.NoError(t, err)
		_, err = client.Calls.CreateOnce(t.Context(), params)
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
		dials := 0
		for _, request := range recorder.all() {
			if request.Method == http.MethodPost {
				dials++
			}
		}
		assert.Equal(t, 1, dials)
	})
}

func TestACallThatWasFoundIsNotForgottenWhenTheListLags(t *testing.T) {
	for name, tt := range map[string]struct {
		found   string // on one list, which later ones do not show any more
		unknown bool   // the list that shows it is the one after a request to dial
		err     error  // of the second look
	}{
		"with its id":              {`{"data":[{"callId":"c1","metadata":{"trackingId":"order-7"}}],"pageInfo":{"lastPage":1}}`, false, nil},
		"without one":              {`{"data":[{"metadata":{"trackingId":"order-7"}}],"pageInfo":{"lastPage":1}}`, false, videosdk.ErrMaybeApplied},
		"after an unknown outcome": {`{"data":[{"callId":"c1","metadata":{"trackingId":"order-7"}}],"pageInfo":{"lastPage":1}}`, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				list, others := &recorder{t: t}, &recorder{t: t}
				if tt.unknown {
					list.then(http.StatusOK, emptyPage)
					others.then(http.StatusBadGateway, `{}`)
				}
				list.then(http.StatusOK, tt.found).then(http.StatusOK, emptyPage)
				others.then(http.StatusOK, `{"data":{"callId":"c1"}}`)
				client, err := videosdk.New("test-key", "test-secret", videosdk.WithHTTPClient(&http.Client{
					Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
						if req.URL.RawQuery != "" {
							return list.RoundTrip(req)
						}
						return others.RoundTrip(req)
					}),
				}))
				require.NoError(t, err)
				params := validCall()
				params.TrackingID = "order-7"
				_, err = client.Calls.CreateOnce(t.Context(), params)
				require.NoError(t, err)
				_, err = client.Calls.CreateOnce(t.Context(), params)
				require.ErrorIs(t, err, tt.err)
				for _, request := range others.all()[count(tt.unknown):] {
					assert.Equal(t, http.MethodGet, request.Method, "it has been placed before")
				}
			})
		})
	}
}

func TestACallThatIsFoundLateIsKnownForAMinuteFromThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const shown = `{"data":[{"callId":"c1","metadata":{"trackingId":"order-7"}}],"pageInfo":{"lastPage":1}}`
		list := emptyPage
		placed := newRecorder(t, http.StatusBadGateway, `{}`).then(http.StatusOK, `{"data":{"callId":"c1"}}`)
		client, err := videosdk.New("test-key", "test-secret", videosdk.WithHTTPClient(&http.Client{
			Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				if req.URL.RawQuery != "" {
					return newRecorder(t, http.StatusOK, list).RoundTrip(req)
				}
				return placed.RoundTrip(req)
			}),
		}))
		require.NoError(t, err)
		params := validCall()
		params.TrackingID = "order-7"
		_, err = client.Calls.CreateOnce(t.Context(), params)
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied)

		time.Sleep(50 * time.Second)
		list = shown
		_, err = client.Calls.CreateOnce(t.Context(), params)
		require.NoError(t, err)
		time.Sleep(50 * time.Second)
		list = emptyPage // of another server, say
		_, err = client.Calls.CreateOnce(t.Context(), params)
		require.NoError(t, err)
		assert.Equal(t, http.MethodGet, placed.last().Method, "it has been placed before")
	})
}

func TestACallThatIsKnownToBePlacedAndCannotBeReadMayHaveBeenApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		call, err := client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))
		require.NoError(t, err)
		srv.Inject(videosdktest.Fault{Path: "/v2/sip/call/{callId}", Status: http.StatusForbidden})
		_, err = client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))
		require.ErrorIs(t, err, videosdk.ErrForbidden)
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
		assert.ErrorContains(t, err, call.ID)
		assert.Len(t, srv.Dials(), 1)
	})
}

func TestWhoWaitsForTheSameCallHearsWhatCameOfIt(t *testing.T) {
	tests := []struct {
		name   string
		fault  videosdktest.Fault
		dials  int
		first  error
		second error
	}{
		{"a call that may have been placed", videosdktest.Fault{Drop: videosdktest.DropAfterActing}, 1, videosdk.ErrMaybeApplied, videosdk.ErrMaybeApplied},
		{"its own, after one that was refused", videosdktest.Fault{Status: http.StatusBadRequest}, 1, videosdk.ErrBadRequest, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithListDelay(time.Hour))
				tt.fault.Method, tt.fault.Path, tt.fault.Delay = http.MethodPost, "/v2/sip/call", time.Second
				srv.Inject(tt.fault)
				first := make(chan error)
				go func() { first <- errorOf(client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))) }()
				synctest.Wait()

				_, second := client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))

				require.ErrorIs(t, <-first, tt.first)
				require.ErrorIs(t, second, tt.second)
				assert.Len(t, srv.Dials(), tt.dials)
			})
		})
	}
}

func TestWhoWaitsForTheSameCallObeysItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		srv.Inject(videosdktest.Fault{Method: http.MethodPost, Delay: time.Hour})
		first, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- errorOf(client.Calls.CreateOnce(first, callNamed(rule, "order-7"))) }()
		synctest.Wait()
		second, end := context.WithTimeout(t.Context(), time.Second)
		defer end()

		_, err := client.Calls.CreateOnce(second, callNamed(rule, "order-7"))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, videosdk.ErrTimeout)
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied, "the other one may dial yet")

		third, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		_, err = client.Calls.CreateOnce(third, callNamed(rule, "order-7"))
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied, "it is still the other one's turn")
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}

func TestWhoWaitsForACallThatPanicsDoesNotDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, rule := newLine(t, videosdktest.InMemory())
		held := make(chan struct{})
		client := newClient(t, srv, videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost {
					<-held
					panic("unwell")
				}
				return next.RoundTrip(req)
			})
		}))
		done := make(chan any)
		go func() {
			defer func() { done <- recover() }()
			_, _ = client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))
		}()
		synctest.Wait()
		second := make(chan error)
		go func() { second <- errorOf(client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))) }()
		synctest.Wait()
		close(held)
		assert.Equal(t, "unwell", <-done)
		require.ErrorIs(t, <-second, videosdk.ErrMaybeApplied)
		assert.Empty(t, srv.Dials())
	})
}

func TestCreateOnceLooksAgainAlthoughLookingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, rule := newLine(t, videosdktest.InMemory())
		// The second search fails as often as it is tried.
		srv.Inject(videosdktest.Fault{Method: http.MethodPost, Drop: videosdktest.DropAfterActing})
		first := true
		client := newClient(t, srv, videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost && first {
					first = false
					srv.Inject(videosdktest.Fault{Method: http.MethodGet, Status: http.StatusServiceUnavailable, Times: 4})
				}
				return next.RoundTrip(req)
			})
		}))

		call, err := client.Calls.CreateOnce(t.Context(), callNamed(rule, "order-7"))

		require.NoError(t, err)
		assert.Equal(t, srv.Dials()[0].CallID, call.ID)
		assert.Equal(t, 1, srv.DialCount(theirNumber))
	})
}

func TestCreateOnceDoesNotDialUnlessItKnowsThatItHasNot(t *testing.T) {
	tests := []struct {
		name    string
		answers []cannedAnswer
		want    error
	}{
		{"when it cannot search", []cannedAnswer{{status: http.StatusForbidden, body: `{}`}}, videosdk.ErrForbidden},
		{"when the search itself is not found", []cannedAnswer{{status: http.StatusNotFound, body: `{}`}}, videosdk.ErrNotFound},
		{"when the search is answered with something else", []cannedAnswer{{status: http.StatusOK, body: `<html>`}}, videosdk.ErrInvalidResponse},
		{"when it cannot read a call that may be the one", []cannedAnswer{
			{status: http.StatusOK, body: `{"data":[{"callId":"c1"}]}`}, {status: http.StatusForbidden, body: `{}`},
		}, videosdk.ErrForbidden},
		{"when one that is gone may be it", []cannedAnswer{
			{status: http.StatusOK, body: `{"data":[{"callId":"c1"}],"pageInfo":{"lastPage":1}}`}, {status: http.StatusNotFound, body: `{}`},
		}, videosdk.ErrNotFound},
		{"when it finds it after one that is gone", []cannedAnswer{
			{status: http.StatusOK, body: `{"data":[{"callId":"c1"},{"callId":"c2"}]}`}, {status: http.StatusNotFound, body: `{}`},
			{status: http.StatusOK, body: `{"id":"c2","metadata":{"trackingId":"order-7"}}`},
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := &recorder{t: t}
			for _, answer := range tt.answers {
				recorder.then(answer.status, answer.body)
			}
			params := validCall()
			params.TrackingID = "order-7"

			_, err := recorder.client().Calls.CreateOnce(t.Context(), params)

			require.ErrorIs(t, err, tt.want)
			assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
			for _, request := range recorder.all() {
				assert.Equal(t, http.MethodGet, request.Method)
			}
		})
	}
}

func TestCreateOnceTellsARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		params := callNamed(rule, "order-7")
		params.From = "+14155550000" // is none of the rule's
		began := time.Now()
		_, err := client.Calls.CreateOnce(t.Context(), params)
		require.ErrorIs(t, err, videosdk.ErrBadRequest)
		assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
		assert.Less(t, time.Since(began), time.Second, "there is nothing to look for")
		assert.Empty(t, srv.Dials())
	})
}

func TestCreateOnceDoesNotLookLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithListDelay(time.Hour))
		srv.Inject(videosdktest.Fault{Method: http.MethodPost, Drop: videosdktest.DropAfterActing})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := client.Calls.CreateOnce(ctx, callNamed(rule, "order-7"))
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied, "what matters is that a phone may be ringing")
		require.NoError(t, ctx.Err(), "it does not begin a wait that it cannot end")
	})
}

func TestCreateOnceLooksAgainUnderADeadlineThatIsFarAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithListDelay(10*time.Second))
		srv.Inject(videosdktest.Fault{Method: http.MethodPost, Drop: videosdktest.DropAfterActing})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		call, err := client.Calls.CreateOnce(ctx, callNamed(rule, "order-7"))
		require.NoError(t, err)
		assert.Equal(t, srv.Dials()[0].CallID, call.ID)
	})
}

func TestABadTrackedCallIsRefusedWithAllItsFaults(t *testing.T) {
	tests := []struct {
		name   string
		call   func(context.Context, *videosdk.Client) error
		fields []string
	}{
		{"a search for nothing", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.FindByTrackingID(ctx, " ", time.Time{}))
		}, []string{"trackingId"}},
		{"a search from a time that is still to come", func(ctx context.Context, c *videosdk.Client) error {
			milliseconds := time.Now().UnixMilli()
			return errorOf(c.Calls.FindByTrackingID(ctx, "order-7", time.Unix(milliseconds, 0)))
		}, []string{"since"}},
		{"a call of nothing", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Calls.CreateOnce(ctx, videosdk.CallCreateParams{}))
		}, []string{"trackingId", "sipCallTo", "routingRuleId"}},
		{"another tracking id in the metadata", func(ctx context.Context, c *videosdk.Client) error {
			params := validCall()
			params.TrackingID, params.Metadata = "order-7", map[string]any{videosdk.TrackingKey: "order-8"}
			return errorOf(c.Calls.CreateOnce(ctx, params))
		}, []string{"metadata.trackingId"}},
		{"an option that could dial twice", func(ctx context.Context, c *videosdk.Client) error {
			params := validCall()
			params.TrackingID = "order-7"
			return errorOf(c.Calls.CreateOnce(ctx, params, videosdk.WithRetryUnknown()))
		}, []string{"WithRetryUnknown"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, emptyPage)
			assertRefused(t, recorder, tt.call(t.Context(), recorder.client()), tt.fields...)
		})
	}
}
