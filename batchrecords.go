package videosdk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// BatchRecordsService manages the numbers of a campaign.
//
// https://docs.videosdk.live/server-sdk-reference-node/classes/BatchCallRecordsResource
type BatchRecordsService struct{ client *Client }

// The paths of batch records.
const (
	batchRecordsPath = batchCallPath + "/records"
	batchRecordPath  = batchRecordsPath + "/{recordId}"
	batchExportPath  = batchRecordsPath + "/export"
)

// BatchRecord is a number of a campaign, and what became of it.
type BatchRecord struct {
	ID      string `json:"recordId"`
	BatchID string `json:"batchId"`
	// PhoneNumber is the number that the campaign dials, in E.164.
	PhoneNumber string `json:"phoneNumber"`
	// Metadata has numbers that are float64, as [Call.Metadata] has.
	Metadata map[string]any `json:"metadata" redact:"private"`
	// Status is a label for display, such as "not connected".
	Status string `json:"status"`
	CallID string `json:"callId"`
	// Reason says why the number was not reached.
	Reason string `json:"reason"`
	// Attempts is how many times the number was dialled.
	Attempts    int    `json:"attempts"`
	RecordingID string `json:"recordingId"`
	// Recording is where the recording can be fetched from. The API does not
	// document its form: what is not text is in Raw only.
	Recording string `json:"recording" redact:"private"`
	// CallDuration is in seconds. It is nil if there was no call.
	CallDuration *float64  `json:"callDuration"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
	// Raw is the record as received, including fields that this library does not
	// know.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (b BatchRecord) Format(f fmt.State, _ rune) { redact.Format(f, b) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (b BatchRecord) LogValue() slog.Value { return redact.LogValue(b) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts every spelling that the
// API is known to use.
func (b *BatchRecord) UnmarshalJSON(data []byte) error {
	return unmarshal[batchRecordWire, BatchRecord](data, b)
}

type batchRecordFields BatchRecord

type batchRecordWire struct {
	batchRecordFields
	PlainID string `json:"id"`
}

func (w *batchRecordWire) resource(raw json.RawMessage) (*BatchRecord, string) {
	b := (*BatchRecord)(&w.batchRecordFields)
	b.ID = cmp.Or(b.ID, w.PlainID)
	b.Raw = raw
	return b, b.ID
}

// BatchRecordListParams select records of a campaign. The zero value selects the
// first page of all of them.
type BatchRecordListParams struct {
	// Page is the number of the page, from 1. All begins with it.
	Page int
	// PerPage is how many records a page holds: 10 by default. All asks for
	// 100 by default.
	PerPage int
	// Status is one of the labels of [BatchRecord.Status], or several separated
	// by commas.
	Status string
	// Query is text to search for in IDs, phone numbers, statuses and reasons.
	Query string
}

// List returns one page of a campaign's records.
func (s *BatchRecordsService) List(ctx context.Context, batchID string, params BatchRecordListParams, opts ...RequestOption) (*Page[BatchRecord], error) {
	r := s.client.request(operation{
		name: "BatchCalls.Records.List", class: retry.Read, method: http.MethodGet, path: batchRecordsPath,
	}, opts, batchID)
	r.setPage(params.Page, params.PerPage)
	r.set("status", params.Status)
	r.set("query", params.Query)
	return list[batchRecordWire, BatchRecord](ctx, s.client, r)
}

// All returns an iterator over the records of every page. It fetches up to four
// pages ahead of the one being read; see [WithPagesAhead]. An error ends the
// iteration. What moves to an earlier page meanwhile, because others are deleted,
// is missed: read all before deleting any.
func (s *BatchRecordsService) All(ctx context.Context, batchID string, params BatchRecordListParams, opts ...RequestOption) iter.Seq2[*BatchRecord, error] {
	return all(ctx, s.client, opts, params.Page, params.PerPage, func(ctx context.Context, page, perPage int) (*Page[BatchRecord], error) {
		asked := params
		asked.Page, asked.PerPage = page, perPage
		return s.List(ctx, batchID, asked, opts...)
	})
}

// BatchRecordUpdateParams say what to change in a record. Fields that are nil stay
// as they are.
type BatchRecordUpdateParams struct {
	// PhoneNumber is the number that the campaign dials, in E.164.
	PhoneNumber *string        `json:"phoneNumber,omitzero"`
	Metadata    map[string]any `json:"metadata,omitzero" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p BatchRecordUpdateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p BatchRecordUpdateParams) LogValue() slog.Value { return redact.LogValue(p) }

// Update changes a record whose number has not been dialled yet. An unknown outcome
// is not repeated: the error then matches [ErrMaybeApplied]. See [WithRetryUnknown].
// If the answer does not contain the record, only its IDs and Raw are set.
func (s *BatchRecordsService) Update(ctx context.Context, batchID, recordID string, params BatchRecordUpdateParams, opts ...RequestOption) (*BatchRecord, error) {
	r := s.client.request(operation{
		name: "BatchCalls.Records.Update", class: retry.Replace, method: http.MethodPut, path: batchRecordPath,
	}, opts, batchID, recordID)
	r.faults.anyField(&params)
	if params.PhoneNumber != nil {
		r.faults.number("phoneNumber", *params.PhoneNumber)
	}
	r.body = params
	return changed[batchRecordWire](ctx, s.client, r, func(raw json.RawMessage) *BatchRecord {
		return &BatchRecord{ID: recordID, BatchID: batchID, Raw: raw}
	})
}

// BatchRecordDeleteResult says how many records were deleted.
type BatchRecordDeleteResult struct {
	// Message is the server's own text, which may be empty.
	Message string `json:"message"`
	// DeletedCount is how many records the last attempt deleted. If the answer
	// to an earlier attempt was lost, that attempt may have deleted others: after
	// fewer than were named, List tells which are left.
	DeletedCount int `json:"deletedCount"`
	// AlreadyGone says that the last attempt was answered with 404, because an
	// earlier attempt, whose answer was lost, had deleted the records. An answer with
	// a DeletedCount of 0 leaves it false: it may mean that, or that they are being
	// called.
	AlreadyGone bool `json:"alreadyGone"`
	// Raw is the answer as received, nil if it was empty.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (b BatchRecordDeleteResult) Format(f fmt.State, _ rune) { redact.Format(f, b) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (b BatchRecordDeleteResult) LogValue() slog.Value { return redact.LogValue(b) }

// Delete deletes records of a campaign, and with them what became of their calls. It
// is no error if fewer are deleted than were named, because one is being called, say:
// compare DeletedCount. Unknown outcomes are retried: see [BatchRecordDeleteResult]
// for what is then known.
func (s *BatchRecordsService) Delete(ctx context.Context, batchID string, recordIDs []string, opts ...RequestOption) (*BatchRecordDeleteResult, error) {
	r := s.client.request(operation{
		name: "BatchCalls.Records.Delete", class: retry.Delete, method: http.MethodDelete, path: batchRecordsPath,
	}, opts, batchID)
	r.faults.check(len(recordIDs) > 0, "recordIds", "needs at least one id")
	for i, id := range recordIDs {
		r.faults.require(fmt.Sprintf("recordIds[%d]", i), id)
	}
	r.body = struct {
		RecordIDs []string `json:"recordIds"`
	}{recordIDs}
	result := &BatchRecordDeleteResult{}
	raw, gone, err := s.client.told(ctx, r, result)
	if err != nil {
		return nil, err
	}
	result.AlreadyGone, result.Raw = gone, raw
	return result, nil
}

// BatchRecordExportParams select the records to export. The zero value selects all
// of them.
type BatchRecordExportParams struct {
	// Status is one of the labels of [BatchRecord.Status], or several separated
	// by commas.
	Status string
	// Search is text to search for in the records.
	Search string
}

// Export writes the records of a campaign to a writer, as CSV. They are written as
// they arrive, so they are not kept in memory and may exceed the limit for other
// answers. The attempt timeout covers the whole export; see [WithAttemptTimeout].
// Once something has been written, nothing is retried: after an error, what was
// written is incomplete. An error of the writer is wrapped.
func (s *BatchRecordsService) Export(ctx context.Context, batchID string, to io.Writer, params BatchRecordExportParams, opts ...RequestOption) error {
	r := s.client.request(operation{
		name: "BatchCalls.Records.Export", class: retry.Read, method: http.MethodGet, path: batchExportPath,
	}, opts, batchID)
	r.faults.check(to != nil, "to", "must not be nil")
	r.set("status", params.Status)
	r.set("search", params.Search)
	r.sink, r.long = &sink{to: to}, true
	x, a, err := s.client.send(ctx, r)
	switch {
	case r.sink.err != nil:
		return fmt.Errorf("videosdk: BatchCalls.Records.Export: %w", r.sink.err)
	case err == nil && !isBlank(a.body):
		return x.refuse("it is not CSV")
	default:
		return err
	}
}
