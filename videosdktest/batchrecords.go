package videosdktest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The statuses of a record, as they are displayed.
const (
	recordScheduled    = "scheduled"
	recordInProgress   = "in progress"
	recordCompleted    = "completed"
	recordNotConnected = "not connected"
	recordCancelled    = "cancelled"
)

func recordLabels() []string {
	return []string{recordScheduled, recordInProgress, recordCompleted, recordNotConnected, recordCancelled}
}

// batchRecord is one recipient of a batch, as the API shows it.
type batchRecord struct {
	BatchID      string          `json:"batchId"`
	ID           string          `json:"recordId"`
	PhoneNumber  string          `json:"phoneNumber"`
	Metadata     json.RawMessage `json:"metadata"` // an object
	Status       string          `json:"status"`
	CallID       nullable        `json:"callId"` // of the last attempt
	Reason       nullable        `json:"reason"`
	Attempts     int             `json:"attempts"`
	RecordingID  nullable        `json:"recordingId"`
	Recording    nullable        `json:"recording"`
	CallDuration *int            `json:"callDuration"` // in seconds
	CreatedAt    string          `json:"createdAt"`
	UpdatedAt    string          `json:"updatedAt"`
}

func (b *batch) newRecord(from recipient) *batchRecord {
	now := timestamp(time.Now())
	return &batchRecord{
		BatchID:     b.ID,
		ID:          newID("rec_"),
		PhoneNumber: from.number,
		Metadata:    from.metadata,
		Status:      recordScheduled,
		CreatedAt:   now,
		UpdatedAt:   now,
	}
}

// set gives a record a status, and the reason for it.
func (r *batchRecord) set(status, reason string) {
	r.Status = status
	r.Reason = nullable(reason)
	r.UpdatedAt = timestamp(time.Now())
}

func (r *batchRecord) isDone() bool {
	return r.Status != recordScheduled && r.Status != recordInProgress
}

// pending returns the records that are still to be dialled.
func (b *batch) pending() []*batchRecord {
	return b.matching(recordScheduled, "")
}

// matching returns the records that mention search and whose status is among
// statuses, with commas between them and in any case; "" takes all.
func (b *batch) matching(statuses, search string) []*batchRecord {
	var found []*batchRecord
	for _, record := range b.Records {
		if among(record.Status, strings.ToLower(statuses)) && record.mentions(search) {
			found = append(found, record)
		}
	}
	return found
}

// mentions looks for a text where the API does.
func (r *batchRecord) mentions(search string) bool {
	return contains(r.ID, search) || contains(r.PhoneNumber, search) || contains(r.Status, search) || contains(string(r.Reason), search)
}

func (s *Server) listRecords(r *request, b *batch) (answer, error) {
	query := r.URL.Query()
	records, err := paginate(query, b.matching(query.Get("status"), query.Get("query")), usualPageSize())
	return ok(struct {
		PageInfo pageInfo       `json:"pageInfo"`
		Records  []*batchRecord `json:"records"`
	}{records.PageInfo, records.Data}), err
}

// updateRecord changes a record that is still to be dialled.
func (s *Server) updateRecord(r *request, b *batch) (answer, error) {
	var p struct {
		PhoneNumber *string                     `json:"phoneNumber"`
		Metadata    *map[string]json.RawMessage `json:"metadata"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	id := r.PathValue("recordId")
	i := slices.IndexFunc(b.Records, func(record *batchRecord) bool { return record.ID == id })
	switch {
	case i < 0:
		return answer{}, notFound("Record not found")
	case p.PhoneNumber != nil && !isE164(*p.PhoneNumber):
		return answer{}, badRequest("phoneNumber must be an E.164 number")
	case b.Records[i].Status != recordScheduled:
		return answer{}, badRequest("Record cannot be updated while it is %s", b.Records[i].Status)
	}
	record := b.Records[i]
	record.PhoneNumber = or(p.PhoneNumber, record.PhoneNumber)
	if p.Metadata != nil {
		record.Metadata = encodeObject(*p.Metadata)
	}
	record.UpdatedAt = timestamp(time.Now())
	return ok(record), nil
}

// deleteRecords deletes those records that are not being dialled.
func (s *Server) deleteRecords(r *request, b *batch) (answer, error) {
	var p struct {
		IDs []string `json:"recordIds"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if len(p.IDs) == 0 {
		return answer{}, badRequest("recordIds must not be empty")
	}
	unwanted := make(map[string]bool)
	for _, id := range p.IDs {
		unwanted[id] = true
	}
	before := len(b.Records)
	isGone := func(record *batchRecord) bool { return unwanted[record.ID] && record.Status != recordInProgress }
	b.Records = slices.DeleteFunc(b.Records, isGone)
	b.run.queue = slices.DeleteFunc(b.run.queue, isGone)
	return ok(struct {
		Message string `json:"message"`
		Count   int    `json:"deletedCount"`
	}{"Records deleted successfully", before - len(b.Records)}), nil
}

// exportRecords answers CSV, with the metadata of a record as one column.
func (s *Server) exportRecords(r *request, b *batch) (answer, error) {
	query := r.URL.Query()
	rows := [][]string{{"recordId", "phoneNumber", "status", "attempts", "callId", "reason", "callDuration", "metadata"}}
	for _, record := range b.matching(query.Get("status"), query.Get("search")) {
		rows = append(rows, record.row())
	}
	var text bytes.Buffer
	err := csv.NewWriter(&text).WriteAll(rows)
	return answer{status: http.StatusOK, body: csvText(text.Bytes())}, err
}

func (r *batchRecord) row() []string {
	var duration string
	if r.CallDuration != nil {
		duration = strconv.Itoa(*r.CallDuration)
	}
	return []string{
		r.ID, r.PhoneNumber, r.Status, strconv.Itoa(r.Attempts), string(r.CallID), string(r.Reason), duration, string(r.Metadata),
	}
}
