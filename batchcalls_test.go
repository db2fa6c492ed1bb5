package videosdk_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// leads is a list of numbers to dial: the first answers, the second never does.
const leads = "phoneNumber,name\n+14155550101,Ann\n+14155550102,Bob\n"

// newCampaign uploads leads and returns params for a campaign that dials them,
// with two attempts for each.
func newCampaign(t *testing.T, client *videosdk.Client, rule *videosdk.RoutingRule) videosdk.BatchCallCreateParams {
	t.Helper()
	number, err := client.PhoneNumbers.Get(t.Context(), ourNumber)
	require.NoError(t, err)
	uploaded, err := client.BatchCalls.Upload(t.Context(), "leads.csv", strings.NewReader(leads))
	require.NoError(t, err)
	return videosdk.BatchCallCreateParams{
		Name: "Spring", Description: "All of them", PhoneNumberID: number.ID, RoutingRuleID: rule.ID, BatchID: uploaded.ID,
		Retry: &videosdk.BatchRetry{Enabled: true, RetryOn: []videosdk.CallStatus{videosdk.CallNotAnswered}, MaxAttempts: 2},
	}
}

// waitForBatch asks for a campaign until it has a status.
func waitForBatch(t *testing.T, client *videosdk.Client, id string, status videosdk.BatchStatus) *videosdk.BatchCall {
	t.Helper()
	for range 1000 {
		batch, err := client.BatchCalls.Get(t.Context(), id)
		require.NoError(t, err)
		if batch.Status == status {
			return batch
		}
		<-time.After(time.Second) // in virtual time
	}
	require.FailNow(t, "the campaign did not come to be "+string(status))
	return nil
}

func TestACampaignFromItsListToItsExport(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithQuirks(quirks...))
				srv.Callee("+14155550102").NeverAnswers()
				batches, ctx, began := client.BatchCalls, t.Context(), time.Now()

				params := newCampaign(t, client, rule)
				created, err := batches.Create(ctx, params)
				require.NoError(t, err)
				assert.Equal(t, params.BatchID, created.ID)
				assert.Equal(t, videosdk.BatchRunning, created.Status)

				done := waitForBatch(t, client, created.ID, videosdk.BatchCompleted)
				assert.Equal(t, []string{"Spring", "All of them", params.PhoneNumberID, ourNumber, rule.ID},
					[]string{done.Name, done.Description, done.PhoneNumberID, done.PhoneNumber, done.RoutingRuleID})
				assert.Equal(t, params.Retry, done.Retry)
				require.NotNil(t, done.File)
				assert.Equal(t, []string{"leads.csv", "csv"}, []string{done.File.Name, done.File.Extension})
				assert.Equal(t, 2, done.RecordsUploaded)
				assert.InDelta(t, 100, done.Progress, 0)
				assert.Equal(t, videosdk.BatchImmediate, done.Timing)
				assert.Equal(t, "Asia/Calcutta", done.Timezone)
				assert.Empty(t, done.ParseError)
				assert.WithinDuration(t, began, done.CreatedAt, time.Minute)
				assert.WithinDuration(t, began, time.Unix(done.Timestamp, 0), time.Minute)

				page, err := batches.List(ctx, videosdk.BatchCallListParams{
					Status: videosdk.BatchCompleted, StartDate: began.Add(-time.Minute), EndDate: began.Add(time.Hour),
					MinValue: videosdk.Ptr(2), MaxValue: videosdk.Ptr(2),
				})
				require.NoError(t, err)
				require.Len(t, page.Items, 1)
				assert.Equal(t, withoutRaw(done), withoutRaw(page.Items[0]))
				assert.Zero(t, countItems(t, batches.All(ctx, videosdk.BatchCallListParams{StartDate: began.Add(time.Hour)})))
				assert.Zero(t, countItems(t, batches.All(ctx, videosdk.BatchCallListParams{MinValue: videosdk.Ptr(3)})))

				stats, err := batches.Stats(ctx, created.ID)
				require.NoError(t, err)
				assert.Equal(t, map[string]float64{
					"total": 2, "completed": 1, "not connected": 1, "scheduled": 0, "in progress": 0, "cancelled": 0,
				}, stats.Figures)

				assertRecordsOf(t, client, created.ID)
				assertExportOf(t, client, created.ID)
				assert.Equal(t, 1, srv.DialCount("+14155550101"))
				assert.Equal(t, 2, srv.DialCount("+14155550102"))

				deleted, err := batches.Delete(ctx, created.ID)
				require.NoError(t, err)
				assert.Equal(t, created.ID, deleted.ID)
				_, err = batches.Get(ctx, created.ID)
				require.ErrorIs(t, err, videosdk.ErrNotFound)
			})
		})
	}
}

func assertRecordsOf(t *testing.T, client *videosdk.Client, batchID string) {
	t.Helper()
	byNumber := map[string]*videosdk.BatchRecord{}
	for record, err := range client.BatchCalls.Records.All(t.Context(), batchID, videosdk.BatchRecordListParams{PerPage: 1}) {
		require.NoError(t, err)
		byNumber[record.PhoneNumber] = record
	}
	require.Len(t, byNumber, 2)
	ann, bob := byNumber["+14155550101"], byNumber["+14155550102"]
	assert.Equal(t, []string{batchID, "completed", ""}, []string{ann.BatchID, ann.Status, ann.Reason})
	assert.Equal(t, map[string]any{"name": "Ann"}, ann.Metadata)
	assert.NotEmpty(t, ann.ID)
	assert.NotEmpty(t, ann.CallID)
	assert.Equal(t, 1, ann.Attempts)
	assert.Equal(t, videosdk.Ptr(1.0), ann.CallDuration)
	assert.Equal(t, []string{"not connected", "not-answered"}, []string{bob.Status, bob.Reason})
	assert.Equal(t, 2, bob.Attempts)
	assert.Nil(t, bob.CallDuration)

	page, err := client.BatchCalls.Records.List(t.Context(), batchID, videosdk.BatchRecordListParams{Status: "completed", Query: "0101"})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	assert.Equal(t, withoutRaw(ann), withoutRaw(page.Items[0]))
}

func assertExportOf(t *testing.T, client *videosdk.Client, batchID string) {
	t.Helper()
	var all, some bytes.Buffer
	require.NoError(t, client.BatchCalls.Records.Export(t.Context(), batchID, &all, videosdk.BatchRecordExportParams{}))
	require.NoError(t, client.BatchCalls.Records.Export(t.Context(), batchID, &some, videosdk.BatchRecordExportParams{
		Status: "not connected", Search: "0102",
	}))
	rows, err := csv.NewReader(&all).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 3, "with the names of the columns")
	rows, err = csv.NewReader(&some).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Contains(t, rows[1], "+14155550102")
}

func TestACampaignIsPlannedChangedAndCancelled(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, client, rule := newLine(t, videosdktest.InMemory(), videosdktest.WithQuirks(quirks...))
				batches, ctx := client.BatchCalls, t.Context()
				params := newCampaign(t, client, rule)
				params.SaveAsDraft = true
				draft, err := batches.Create(ctx, params)
				require.NoError(t, err)
				assert.Equal(t, videosdk.BatchDraft, draft.Status)

				tomorrow := time.Now().Add(24 * time.Hour)
				planned, err := batches.Update(ctx, draft.ID, videosdk.BatchCallUpdateParams{
					Name: videosdk.Ptr("Summer"), Timing: videosdk.Ptr(videosdk.BatchLater), Timezone: videosdk.Ptr("Europe/Vienna"),
					ScheduledDate: videosdk.Ptr(tomorrow.Format(time.DateOnly)), ScheduledTime: videosdk.Ptr("09:30"),
					DaysOfWeek: []int{0, 1, 2, 3, 4, 5, 6}, AllowedFrom: videosdk.Ptr("09:00"), AllowedUntil: videosdk.Ptr("17:00"),
					SaveAsDraft: videosdk.Ptr(false),
				})
				require.NoError(t, err)
				assert.Equal(t, videosdk.BatchScheduled, planned.Status)
				assert.Equal(t, []string{"Summer", "All of them", "Europe/Vienna", "09:30", tomorrow.Format(time.DateOnly), "09:00", "17:00"},
					[]string{planned.Name, planned.Description, planned.Timezone, planned.ScheduledTime, planned.ScheduledDate, planned.AllowedFrom, planned.AllowedUntil})
				assert.Equal(t, []int{0, 1, 2, 3, 4, 5, 6}, planned.DaysOfWeek)

				cancelled, err := batches.Cancel(ctx, draft.ID, videosdk.BatchCancelGraceful)
				require.NoError(t, err)
				assert.Equal(t, draft.ID, cancelled.ID)
				assert.Equal(t, videosdk.BatchCancelled, cancelled.Status)
				assert.Empty(t, srv.Dials())
			})
		})
	}
}

func TestTheRecordsOfADraftAreChangedAndDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, rule := newLine(t, videosdktest.InMemory())
		batch, records, ctx := newCampaign(t, client, rule).BatchID, client.BatchCalls.Records, t.Context()
		page, err := records.List(ctx, batch, videosdk.BatchRecordListParams{})
		require.NoError(t, err)
		require.Len(t, page.Items, 2)
		first, second := page.Items[0], page.Items[1]

		updated, err := records.Update(ctx, batch, first.ID, videosdk.BatchRecordUpdateParams{
			PhoneNumber: videosdk.Ptr("+14155550103"), Metadata: map[string]any{"name": "Cid", "vip": true},
		})
		require.NoError(t, err)
		assert.Equal(t, []string{first.ID, batch, "+14155550103"}, []string{updated.ID, updated.BatchID, updated.PhoneNumber})
		assert.Equal(t, map[string]any{"name": "Cid", "vip": true}, updated.Metadata)

		deleted, err := records.Delete(ctx, batch, []string{second.ID, "rec_none"})
		require.NoError(t, err)
		assert.Equal(t, &videosdk.BatchRecordDeleteResult{Message: "Records deleted successfully", DeletedCount: 1}, withoutRaw(deleted))
		assert.Equal(t, 1, countItems(t, records.All(ctx, batch, videosdk.BatchRecordListParams{})))
	})
}

func TestADeletionOfRecordsWhoseAnswerWasLostCountsOnlyWhatTheLastAttemptDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		batch, ctx := newCampaign(t, client, rule).BatchID, t.Context()
		page, err := client.BatchCalls.Records.List(ctx, batch, videosdk.BatchRecordListParams{})
		require.NoError(t, err)
		srv.Inject(videosdktest.Fault{Method: http.MethodDelete, Drop: videosdktest.DropAfterActing})

		result, err := client.BatchCalls.Records.Delete(ctx, batch, []string{page.Items[0].ID})

		require.NoError(t, err)
		assert.Zero(t, result.DeletedCount)
		assert.False(t, result.AlreadyGone, "which nobody can know")
		assert.Equal(t, 1, countItems(t, client.BatchCalls.Records.All(ctx, batch, videosdk.BatchRecordListParams{})))
	})
}

// A campaign dials as many people as its list has.
func TestACampaignIsNotCreatedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		params := newCampaign(t, client, rule)
		srv.ResetRequests()
		_, err := client.BatchCalls.Create(t.Context(), params, videosdk.WithRetryUnknown())
		require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
		assert.Empty(t, srv.Requests())
		srv.Inject(videosdktest.Fault{Method: http.MethodPost, Drop: videosdktest.DropAfterActing})

		_, err = client.BatchCalls.Create(t.Context(), params)

		require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
		assert.Len(t, srv.Requests(), 1)
		waitForBatch(t, client, params.BatchID, videosdk.BatchCompleted)
		assert.Equal(t, 1, srv.DialCount("+14155550101"))
	})
}

// An update begins a draft: phones ring, as if the campaign were created then.
func TestADraftIsNotBegunTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, client, rule := newLine(t, videosdktest.InMemory())
		params := newCampaign(t, client, rule)
		params.SaveAsDraft = true
		draft, err := client.BatchCalls.Create(t.Context(), params)
		require.NoError(t, err)
		begin := videosdk.BatchCallUpdateParams{SaveAsDraft: videosdk.Ptr(false)}
		srv.ResetRequests()
		_, err = client.BatchCalls.Update(t.Context(), draft.ID, begin, videosdk.WithRetryUnknown())
		require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
		assert.Empty(t, srv.Requests())
		srv.Inject(videosdktest.Fault{Method: http.MethodPut, Drop: videosdktest.DropAfterActing})

		_, err = client.BatchCalls.Update(t.Context(), draft.ID, begin)

		require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
		assert.Len(t, srv.Requests(), 1)
		waitForBatch(t, client, draft.ID, videosdk.BatchCompleted)
		assert.Equal(t, 1, srv.DialCount("+14155550101"))
	})
}

func TestAnUploadTellsOfItsProgressAndWaitsUntilTheListIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []string{"UPLOADED", "parsing", "500", "parsing", "PARSED"}
		var seen []string
		asked := 0
		client, err := videosdk.New("key", "secret", videosdk.WithMaxRetries(0), videosdk.WithHTTPClient(&http.Client{Transport: roundTripFunc(
			func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost {
					return newRecorder(t, http.StatusOK, goldenTicket).RoundTrip(req)
				}
				if req.Method == http.MethodPut {
					return newRecorder(t, http.StatusOK, "").RoundTrip(req)
				}
				status := answers[asked]
				asked++
				if status == "500" {
					return newRecorder(t, http.StatusInternalServerError, "{}").RoundTrip(req)
				}
				return newRecorder(t, http.StatusOK, fmt.Sprintf(`{"batchId":"batch_1","status":%q,"recordsUploaded":%d}`, status, asked)).RoundTrip(req)
			})}))
		require.NoError(t, err)
		began := time.Now()

		batch, err := client.BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList),
			videosdk.WithProgress(func(b *videosdk.BatchCall) {
				seen = append(seen, fmt.Sprint(b.Status, " ", b.RecordsUploaded))
			}))

		require.NoError(t, err)
		assert.Equal(t, videosdk.BatchParsed, batch.Status)
		assert.Equal(t, []string{"uploaded 1", "parsing 2", "parsing 4", "parsed 5"}, seen)
		assert.Equal(t, 5, asked)
		assert.GreaterOrEqual(t, time.Since(began), 2*time.Second, "it does not ask without a pause")
	})
}

// A context without a deadline must not make it wait for ever.
func TestAnUploadDoesNotWaitForEverForAStatusThatItDoesNotKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := newRecorder(t, http.StatusOK, goldenTicket).then(http.StatusOK, "").then(http.StatusOK, "")
		for range 15 {
			recorder.then(http.StatusOK, `{"batchId":"batch_1","status":"queued"}`)
		}
		recorder.then(http.StatusOK, `{"batchId":"batch_1","status":"parsing"}`).then(http.StatusOK, `{"batchId":"batch_1","status":"shelved"}`)
		_, err := recorder.client().BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
		require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
		assert.ErrorContains(t, err, `"shelved"`)
		assert.ErrorContains(t, err, "see batch batch_1")
		assert.Len(t, recorder.all(), 3+15+1+20)
	})
}

func TestAnUploadWaitsAsLongAsTheListIsUploaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := newRecorder(t, http.StatusOK, goldenTicket).then(http.StatusOK, "").then(http.StatusOK, "")
		for range 50 {
			recorder.then(http.StatusOK, `{"batchId":"batch_1","status":"uploaded"}`)
		}
		recorder.then(http.StatusOK, `{"batchId":"batch_1","status":"parsed"}`)
		batch, err := recorder.client().BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
		require.NoError(t, err)
		assert.Equal(t, videosdk.BatchParsed, batch.Status)
	})
}

func TestAnUploadWaitsForAStatusThatIsKnownToComeAfterParsing(t *testing.T) {
	after := []videosdk.BatchStatus{
		videosdk.BatchParsed, videosdk.BatchDraft, videosdk.BatchScheduled, videosdk.BatchRunning, videosdk.BatchCompleted,
		videosdk.BatchCancelling, videosdk.BatchCancelled,
	}
	for _, last := range after {
		t.Run(string(last), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				recorder := newRecorder(t, http.StatusOK, goldenTicket).then(http.StatusOK, "").then(http.StatusOK, "")
				for _, status := range []string{"uploaded", "queued", "", "PARSING", string(last), "error"} {
					recorder.then(http.StatusOK, fmt.Sprintf(`{"batchId":"batch_1","status":%q}`, status))
				}
				batch, err := recorder.client().BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
				require.NoError(t, err)
				assert.Equal(t, last, batch.Status)
			})
		})
	}
}

func TestAListThatCannotBeParsedSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, newServer(t, videosdktest.InMemory()))
		var last videosdk.BatchStatus

		_, err := client.BatchCalls.Upload(t.Context(), "leads.csv", strings.NewReader("phoneNumber\nAnn\n"),
			videosdk.WithProgress(func(b *videosdk.BatchCall) { last = b.Status }))

		var failed *videosdk.ParseFailedError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, videosdk.BatchParseFailed, failed.Batch.Status)
		assert.Contains(t, failed.Batch.ParseError, "E.164")
		assert.ErrorContains(t, err, failed.Batch.ParseError)
		assert.Equal(t, videosdk.BatchParseFailed, last)
	})
}

func TestAListThatCouldNotBeParsedIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		batches := newClient(t, newServer(t, videosdktest.InMemory())).BatchCalls
		_, err := batches.Upload(t.Context(), "leads.csv", strings.NewReader("phoneNumber\nAnn\n"))
		var failed *videosdk.ParseFailedError
		require.ErrorAs(t, err, &failed)

		mended, err := batches.Upload(t.Context(), "leads-2.csv", strings.NewReader(leads), videosdk.WithExistingBatch(failed.Batch.ID))

		require.NoError(t, err)
		assert.Equal(t, failed.Batch.ID, mended.ID)
		assert.Equal(t, videosdk.BatchParsed, mended.Status)
		assert.Equal(t, 2, mended.RecordsUploaded)
		assert.Equal(t, "leads-2.csv", mended.File.Name)
		assert.Equal(t, 1, countItems(t, batches.All(t.Context(), videosdk.BatchCallListParams{})))
	})
}

func TestAListThatTheServerDoesNotWantToParseIsAnError(t *testing.T) {
	srv := newServer(t)
	srv.Inject(videosdktest.Fault{Path: "/v2/batch-calls/parse", Status: http.StatusForbidden})
	_, err := newClient(t, srv).BatchCalls.Upload(t.Context(), "leads.csv", strings.NewReader(leads))
	require.ErrorIs(t, err, videosdk.ErrForbidden)
	assert.NotContains(t, methodsOf(srv), http.MethodGet, "there is nothing to wait for")
}

func TestTheWaitForParsingEnds(t *testing.T) {
	answers := func(status int, body string) *recorder {
		return newRecorder(t, http.StatusOK, goldenTicket).then(http.StatusOK, "").then(http.StatusOK, "").then(status, body)
	}
	t.Run("with the context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := answers(http.StatusOK, `{"batchId":"batch_1","status":"parsing"}`).client().
				BatchCalls.Upload(ctx, "list.csv", strings.NewReader(goldenList))
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
	})
	t.Run("with the context, after an error that may pass", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := answers(http.StatusBadGateway, `{}`).client().BatchCalls.Upload(ctx, "list.csv", strings.NewReader(goldenList))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, videosdk.ErrServer, "what the server had said")
			require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
		})
	})
	t.Run("with an error that does not pass", func(t *testing.T) {
		_, err := answers(http.StatusNotFound, `{}`).client().BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
		require.ErrorIs(t, err, videosdk.ErrNotFound)
	})
	t.Run("with one that should pass and does not", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, err := answers(http.StatusBadGateway, `{}`).client().BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
			require.ErrorIs(t, err, videosdk.ErrServer)
		})
	})
}

func TestAnUploadGoesOnAfterEachLostAnswer(t *testing.T) {
	for _, path := range []string{"/v2/batch-calls/upload", "/uploads/{token}", "/v2/batch-calls/parse", "/v2/batch-calls/{batchId}"} {
		t.Run(path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, videosdktest.InMemory())
				srv.Inject(videosdktest.Fault{Path: path, Drop: videosdktest.DropAfterActing, Times: 2})
				batch, err := newClient(t, srv).BatchCalls.Upload(t.Context(), "leads.csv", strings.NewReader(leads))
				require.NoError(t, err)
				assert.Equal(t, videosdk.BatchParsed, batch.Status)
				assert.Equal(t, 2, batch.RecordsUploaded)
			})
		})
	}
}

func TestABadCampaignIsRefusedWithAllItsFaults(t *testing.T) {
	create := func(change func(*videosdk.BatchCallCreateParams)) func(context.Context, *videosdk.Client) error {
		return func(ctx context.Context, c *videosdk.Client) error {
			params := validBatch()
			change(&params)
			return errorOf(c.BatchCalls.Create(ctx, params))
		}
	}
	update := func(params videosdk.BatchCallUpdateParams) func(context.Context, *videosdk.Client) error {
		return func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Update(ctx, "batch_1", params))
		}
	}
	times := []string{"scheduledTime", "scheduledDate", "allowedFrom", "allowedUntil"}
	tests := []struct {
		name   string
		call   func(context.Context, *videosdk.Client) error
		fields []string
	}{
		{"nothing", create(func(p *videosdk.BatchCallCreateParams) { *p = videosdk.BatchCallCreateParams{} }),
			[]string{"batchName", "phoneNumberId", "routingRuleId"}},
		{"a time to begin without its date", create(func(p *videosdk.BatchCallCreateParams) {
			p.Timing, p.ScheduledTime = videosdk.BatchLater, "09:30"
		}), []string{"timing"}},
		{"a time to begin without the time of day", create(func(p *videosdk.BatchCallCreateParams) {
			p.Timing, p.ScheduledDate = videosdk.BatchLater, "2026-05-11"
		}), []string{"timing"}},
		{"a time to begin, but none told", create(func(p *videosdk.BatchCallCreateParams) { p.Timing = videosdk.BatchLater }), []string{"timing"}},
		{"times in other forms", create(func(p *videosdk.BatchCallCreateParams) {
			p.Timing, p.ScheduledTime, p.ScheduledDate, p.AllowedFrom, p.AllowedUntil = videosdk.BatchLater, "9:30", "11.05.2026", "25:00", "09:30:00"
		}), times},
		{"a date without the timing that it needs", create(func(p *videosdk.BatchCallCreateParams) {
			p.Timing, p.ScheduledDate = "", "2026-05-11"
		}), []string{"timing"}},
		{"a time to begin at once", create(func(p *videosdk.BatchCallCreateParams) {
			p.Timing, p.ScheduledTime = videosdk.BatchImmediate, "09:30"
		}), []string{"timing"}},
		{"days that there are not", create(func(p *videosdk.BatchCallCreateParams) { p.DaysOfWeek = []int{0, 7, -1} }), []string{"daysOfWeek"}},
		{"too many attempts", create(func(p *videosdk.BatchCallCreateParams) { p.Retry = &videosdk.BatchRetry{Enabled: true, MaxAttempts: 4} }),
			[]string{"retry.maxAttempts"}},
		{"attempts that are not told", create(func(p *videosdk.BatchCallCreateParams) { p.Retry = &videosdk.BatchRetry{Enabled: true} }),
			[]string{"retry.maxAttempts"}},
		{"a webhook that is none", create(func(p *videosdk.BatchCallCreateParams) {
			p.Webhook = &videosdk.BatchWebhook{Endpoint: "example.com", Events: []videosdk.EventType{videosdk.EventBatchStarted}}
		}), []string{"webhook.endpoint"}},
		{"a webhook that would hear of nothing", create(func(p *videosdk.BatchCallCreateParams) {
			p.Webhook = &videosdk.BatchWebhook{Endpoint: "https://example.com"}
		}), []string{"webhook.events"}},
		{"an abbreviation for a time zone", create(func(p *videosdk.BatchCallCreateParams) { p.Timezone = "PST" }), []string{"timezone"}},
		{"the time zone of whoever reads it", create(func(p *videosdk.BatchCallCreateParams) { p.Timezone = "Local" }), []string{"timezone"}},
		{"an update of nothing", update(videosdk.BatchCallUpdateParams{}), []string{"params"}},
		{"an update with every fault", update(videosdk.BatchCallUpdateParams{
			Name: videosdk.Ptr(" "), PhoneNumberID: videosdk.Ptr(""), RoutingRuleID: videosdk.Ptr(""), Timezone: videosdk.Ptr("PST"),
			ScheduledTime: videosdk.Ptr("9:30"), ScheduledDate: videosdk.Ptr("2026-13-01"), AllowedFrom: videosdk.Ptr("x"), AllowedUntil: videosdk.Ptr("24:00"),
			DaysOfWeek: []int{7}, Retry: &videosdk.BatchRetry{Enabled: true, MaxAttempts: -1}, Webhook: &videosdk.BatchWebhook{},
		}), append(append([]string{"batchName", "phoneNumberId", "routingRuleId", "timezone"}, times...),
			"daysOfWeek", "retry.maxAttempts", "webhook.endpoint", "webhook.events")},
		{"a cancellation of nothing in no way", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Cancel(ctx, "", ""))
		}, []string{"batchId", "mode"}},
		{"an update of a record that cannot be", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Records.Update(ctx, "", "..", videosdk.BatchRecordUpdateParams{PhoneNumber: videosdk.Ptr("Ann")}))
		}, []string{"batchId", "recordId", "phoneNumber"}},
		{"an update of a record with nothing", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Records.Update(ctx, "b", "r", videosdk.BatchRecordUpdateParams{}))
		}, []string{"params"}},
		{"a deletion of no records", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Records.Delete(ctx, "batch_1", nil))
		}, []string{"recordIds"}},
		{"a deletion of records without ids", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Records.Delete(ctx, "batch_1", []string{"rec_1", " ", ""}))
		}, []string{"recordIds[1]", "recordIds[2]"}},
		{"an export to nowhere", func(ctx context.Context, c *videosdk.Client) error {
			return c.BatchCalls.Records.Export(ctx, "", nil, videosdk.BatchRecordExportParams{})
		}, []string{"batchId", "to"}},
		{"an upload without a function to tell", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Upload(ctx, "list.csv", strings.NewReader(goldenList), videosdk.WithProgress(nil)))
		}, []string{"WithProgress"}},
		{"an upload to a campaign without an id", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Upload(ctx, "list.csv", strings.NewReader(goldenList), videosdk.WithExistingBatch(" ")))
		}, []string{"WithExistingBatch"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			assertRefused(t, recorder, tt.call(t.Context(), recorder.client()), tt.fields...)
		})
	}
}

func TestAnEventOfACampaignIsKnownByItsName(t *testing.T) {
	event := parse(t, `{"webhookType":"batchcall-completed","data":{"batchId":"batch_1","status":"completed"}}`)
	assert.Equal(t, videosdk.EventBatchCompleted, event.Type)
	assert.Nil(t, event.Call)
}

func TestATimeZoneIsAnyNameOfTheDatabase(t *testing.T) {
	for _, name := range []string{"UTC", "GMT", "Singapore", "Asia/Calcutta", "America/Argentina/Buenos_Aires", "Mars/Olympus_Mons"} {
		params := validBatch()
		params.Timezone = name
		_, err := newRecorder(t, http.StatusOK, anyResource).client().BatchCalls.Create(t.Context(), params)
		require.NoError(t, err, name)
	}
}

// csvAnswer is an answer as a file is exported.
func csvAnswer(body string) []string {
	return []string{body, "Content-Type", "text/csv; charset=utf-8"}
}

func TestAnExportWritesTheFileAsItComes(t *testing.T) {
	big := "recordId,phoneNumber\n" + strings.Repeat("rec_1,+14155550199\n", 700_000) // more than other answers may have
	for name, content := range map[string]string{"a file": "recordId\nrec_1\n", "an empty file": "", "more than 10 MiB": big, "what looks like JSON": "{}"} {
		t.Run(name, func(t *testing.T) {
			answer := csvAnswer(content)
			recorder := (&recorder{t: t}).then(http.StatusOK, answer[0], answer[1:]...)
			var written strings.Builder
			require.NoError(t, recorder.client().BatchCalls.Records.Export(t.Context(), "b", &written, videosdk.BatchRecordExportParams{}))
			assert.True(t, written.String() == content)
			assert.Equal(t, "text/csv, application/json", recorder.last().Header.Get("Accept"))
		})
	}
}

func TestAnExportThatIsNoFileWritesNothing(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		kind   string
		want   error
	}{
		{"an error in JSON", http.StatusNotFound, `{"message":"Batch call not found"}`, "application/json", videosdk.ErrNotFound},
		{"an error in text", http.StatusForbidden, "no", "text/plain", videosdk.ErrForbidden},
		{"an error in the form of the file", http.StatusInternalServerError, "a,b\n", "text/csv", videosdk.ErrServer},
		{"an error under a status of success", http.StatusOK, `{"statusCode":400,"message":"no"}`, "application/json", videosdk.ErrBadRequest},
		{"JSON", http.StatusOK, `{"data":[]}`, "application/json; charset=utf-8", videosdk.ErrInvalidResponse},
		{"JSON of a kind", http.StatusOK, `{"data":[]}`, "application/problem+json", videosdk.ErrInvalidResponse},
		{"a captive portal", http.StatusOK, "<html>", "text/html; charset=utf-8", videosdk.ErrInvalidResponse},
		{"a captive portal that does not know how to say so", http.StatusOK, "<html>", "Text/HTML ;charset", videosdk.ErrInvalidResponse},
		{"a captive portal that says so twice", http.StatusOK, "<html>", "text/html; charset=utf-8; charset=latin1", videosdk.ErrInvalidResponse},
		{"a captive portal with half a text", http.StatusOK, "<html>", `text/html; charset="utf-8`, videosdk.ErrInvalidResponse},
		{"JSON of a type that is malformed", http.StatusOK, `{"data":[]}`, "application/json;;=", videosdk.ErrInvalidResponse},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := (&recorder{t: t}).then(tt.status, tt.body, "Content-Type", tt.kind)
			var written bytes.Buffer
			err := recorder.client(videosdk.WithMaxRetries(0)).BatchCalls.Records.Export(t.Context(), "b", &written, videosdk.BatchRecordExportParams{})
			require.ErrorIs(t, err, tt.want)
			assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
			assert.Empty(t, written.String())
		})
	}
}

func TestAnExportIsRepeatedUntilSomethingHasBeenWritten(t *testing.T) {
	content := "recordId\n" + strings.Repeat("rec_1\n", 10_000)
	for _, sent := range []int{0, 1, len(content) / 2} {
		t.Run(fmt.Sprintf("after %d bytes", sent), func(t *testing.T) {
			attempts := 0
			client := serveBody(t, func(w http.ResponseWriter) {
				attempts++
				w.Header().Set("Content-Type", "text/csv")
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				if attempts > 1 {
					_, _ = w.Write([]byte(content))
					return
				}
				_, _ = w.Write([]byte(content)[:sent])
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			})
			var written strings.Builder

			err := client.BatchCalls.Records.Export(t.Context(), "b", &written, videosdk.BatchRecordExportParams{})

			if sent == 0 {
				require.NoError(t, err)
				assert.Equal(t, 2, attempts)
				assert.True(t, written.String() == content)
				return
			}
			require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
			assert.Equal(t, 1, attempts)
			assert.Equal(t, content[:sent], written.String(), "no byte twice")
		})
	}
}

// fullDisk takes n bytes and then fails, or, without an error, just takes no
// more.
type fullDisk struct {
	n      int
	err    error
	writes int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	d.writes++
	if len(p) > d.n {
		n := d.n
		d.n = 0
		return n, d.err
	}
	d.n -= len(p)
	return len(p), nil
}

// What the writer's failure is to be blamed for is neither the server nor worth
// another attempt: who knows what the writer has kept.
func TestAnExportEndsWithTheErrorOfItsWriter(t *testing.T) {
	tests := []struct {
		name     string
		room     int
		err, got error
	}{
		{"which takes nothing", 0, io.ErrClosedPipe, io.ErrClosedPipe},
		{"which takes a part", 5, io.ErrClosedPipe, io.ErrClosedPipe},
		{"which takes a part without saying so", 5, nil, io.ErrShortWrite},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := csvAnswer("recordId\nrec_1\n")
			recorder := (&recorder{t: t}).then(http.StatusOK, answer[0], answer[1:]...)
			disk := &fullDisk{n: tt.room, err: tt.err}

			err := recorder.client().BatchCalls.Records.Export(t.Context(), "b", disk, videosdk.BatchRecordExportParams{})

			require.ErrorIs(t, err, tt.got)
			assert.ErrorContains(t, err, "BatchCalls.Records.Export")
			assert.NotErrorIs(t, err, videosdk.ErrInvalidResponse)
			assert.Equal(t, 1, disk.writes)
			assert.Len(t, recorder.all(), 1)
		})
	}
}

func TestCampaignsAndRecordsArePrintedWithoutWhatIsPrivate(t *testing.T) {
	const secret = "hunter2"
	batch := videosdk.BatchCall{ID: "batch_1", CDNURL: "https://cdn.example.com/" + secret, Raw: []byte(secret)}
	metadata := map[string]any{"k": secret}
	for _, value := range []any{
		batch, videosdk.BatchStats{Figures: map[string]float64{"total": 1}, Raw: []byte(secret)},
		videosdk.BatchRecord{ID: "rec_1", Metadata: metadata, Recording: secret, Raw: []byte(secret)},
		videosdk.BatchRecordUpdateParams{Metadata: metadata}, videosdk.BatchRecordDeleteResult{Message: "Done", Raw: []byte(secret)},
		videosdk.Page[videosdk.BatchRecord]{Items: []*videosdk.BatchRecord{{Metadata: metadata}}},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			printed := fmt.Sprintf(verb, value)
			assert.NotContains(t, printed, secret, "%T", value)
			assert.NotContains(t, printed, fmt.Sprintf("%x", secret), "%T", value)
			assert.NotContains(t, printed, fmt.Sprint([]byte(secret)), "%T", value)
		}
		assert.NotContains(t, slog.AnyValue(value).Resolve().String(), secret)
	}
	err := &videosdk.ParseFailedError{Batch: &batch}
	assert.NotContains(t, fmt.Sprintf("%v %+v", err, err), secret)
}
