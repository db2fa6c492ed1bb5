package videosdktest

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The statuses of a batch.
const (
	batchUploaded    = "uploaded"
	batchParsing     = "parsing"
	batchParsed      = "parsed"
	batchParseFailed = "parse_failed"
	batchDraft       = "draft"
	batchScheduled   = "scheduled"
	batchRunning     = "running"
	batchCompleted   = "completed"
	batchCancelling  = "cancelling"
	batchCancelled   = "cancelled"
)

func (s *Server) routeBatchCalls(rt *router) {
	const base = "/v2/batch-calls"
	rt.handle(http.MethodPost, base+"/upload", s.createUpload)
	rt.open(http.MethodPut, uploadPath+"{token}", s.putUpload)
	rt.handle(http.MethodPost, base+"/parse", s.parseUpload)
	rt.handle(http.MethodPost, base, s.createBatch)
	rt.handle(http.MethodGet, base, s.listBatches)
	rt.handle(http.MethodGet, base+"/{batchId}", with(s.findBatch, s.getBatch))
	rt.handle(http.MethodPut, base+"/{batchId}", with(s.findBatch, s.updateBatch))
	rt.handle(http.MethodDelete, base+"/{batchId}", with(s.findBatch, s.deleteBatch))
	rt.handle(http.MethodPost, base+"/{batchId}/cancel", with(s.findBatch, s.cancelBatch))
	rt.handle(http.MethodGet, base+"/{batchId}/stats", with(s.findBatch, s.getBatchStats))
	rt.handle(http.MethodGet, base+"/{batchId}/records", with(s.findBatch, s.listRecords))
	rt.handle(http.MethodDelete, base+"/{batchId}/records", with(s.findBatch, s.deleteRecords))
	rt.handle(http.MethodGet, base+"/{batchId}/records/export", with(s.findBatch, s.exportRecords))
	rt.handle(http.MethodPut, base+"/{batchId}/records/{recordId}", with(s.findBatch, s.updateRecord))
}

// batch is a campaign, and before that the file of its recipients.
type batch struct {
	ID         string `json:"batchId"`
	batchSpec  `json:"spec"`
	Webhook    batchWebhook   `json:"webhook"`
	File       batchFile      `json:"file"`
	Status     string         `json:"status"`
	ParseError string         `json:"parseError"`
	Records    []*batchRecord `json:"records"`
	Began      time.Time      `json:"began,omitzero"`
	Created    time.Time      `json:"created"`
	Updated    time.Time      `json:"updated"`

	upload  string // token of the URL that the file is put to, until it is parsed
	content []byte // of the file, until it is parsed
	run     batchRun
}

// batchFile is the file of the recipients.
type batchFile struct {
	Name      string `json:"filename"`
	Extension string `json:"extension"`
	Key       string `json:"key"`
}

// batchObject is a batch as the API shows it.
type batchObject struct {
	ID string `json:"batchId"`
	batchSpec
	PhoneNumber     nullable   `json:"phoneNumber"`
	Status          string     `json:"status"`
	File            *batchFile `json:"file"`
	CDNURL          nullable   `json:"cdnUrl"`
	RecordsUploaded int        `json:"recordsUploaded"`
	ParseError      nullable   `json:"parseError"`
	Timestamp       int64      `json:"timestamp"` // in Unix seconds
	Progress        int        `json:"progress"`  // in percent
	CreatedAt       string     `json:"createdAt"`
	UpdatedAt       string     `json:"updatedAt"`
}

func (s *Server) batchObject(b *batch) batchObject {
	object := batchObject{
		ID:              b.ID,
		batchSpec:       b.batchSpec,
		Status:          b.Status,
		RecordsUploaded: len(b.Records),
		ParseError:      nullable(b.ParseError),
		Timestamp:       b.began().Unix(),
		Progress:        b.progress(),
		CreatedAt:       timestamp(b.Created),
		UpdatedAt:       timestamp(b.Updated),
	}
	if n := s.account.numbers.get(string(b.PhoneNumberID)); n != nil {
		object.PhoneNumber = nullable(n.E164)
	}
	if b.File.Key != "" {
		object.File = &b.File
	}
	return object
}

// began is when the batch began to run, or else to be.
func (b *batch) began() time.Time {
	if b.Began.IsZero() {
		return b.Created
	}
	return b.Began
}

// progress is the share of records that are done with, in percent.
func (b *batch) progress() int {
	done := 0
	for _, record := range b.Records {
		if record.isDone() {
			done++
		}
	}
	return done * 100 / max(1, len(b.Records))
}

func (s *Server) addBatch(status string) *batch {
	now := time.Now()
	b := &batch{ID: newID("batch_"), Status: status, Created: now, Updated: now}
	s.account.batches.add(b.ID, b)
	return b
}

func (s *Server) setBatchStatus(b *batch, status string) {
	b.Status = status
	b.Updated = time.Now()
	s.changed()
}

// findBatch returns the batch that a path names.
func (s *Server) findBatch(r *request) (*batch, error) {
	b := s.account.batches.get(r.PathValue("batchId"))
	if b == nil {
		return nil, errUnknownBatch()
	}
	return b, nil
}

func errUnknownBatch() error { return notFound("Batch call not found") }

func (s *Server) getBatch(_ *request, b *batch) (answer, error) {
	return ok(s.batchObject(b)), nil
}

func (s *Server) listBatches(r *request) (answer, error) {
	query := r.URL.Query()
	filter, err := newBatchFilter(query)
	if err != nil {
		return answer{}, err
	}
	var found []*batch
	for _, b := range slices.Backward(s.account.batches.order) {
		if filter.matches(b) {
			found = append(found, b)
		}
	}
	batches, err := paginate(query, found, usualPageSize())
	shown := mapPage(batches, s.batchObject)
	return ok(struct {
		PageInfo   pageInfo      `json:"pageInfo"`
		BatchCalls []batchObject `json:"batchCalls"`
	}{shown.PageInfo, shown.Data}), err
}

// batchFilter selects batches by the query of a list. "" and zero select all.
type batchFilter struct {
	status      string
	from, until time.Time // until is exclusive
	least, most int       // records
}

func newBatchFilter(query url.Values) (f batchFilter, err error) {
	f.status = query.Get("status")
	if f.from, err = isoDate(query, "startDate"); err != nil {
		return f, err
	}
	end, err := isoDate(query, "endDate")
	if err != nil {
		return f, err
	}
	f.until = endOfDay(end)
	if f.least, err = count(query, "minValue", 0); err != nil {
		return f, err
	}
	f.most, err = count(query, "maxValue", math.MaxInt)
	return f, err
}

func (f batchFilter) matches(b *batch) bool {
	records := len(b.Records)
	return isOrAny(f.status, b.Status) && within(b.Created, f.from, f.until) && f.least <= records && records <= f.most
}

// count reads a number of things from the query.
func count(query url.Values, key string, byDefault int) (int, error) {
	text := query.Get(key)
	if text == "" {
		return byDefault, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, badRequest("%s must be an integer", key)
	}
	return n, nil
}

// isoDate reads an ISO 8601 date, with or without a time, from the query, zero
// when there is none.
func isoDate(query url.Values, key string) (time.Time, error) {
	text := query.Get(key)
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, badRequest("%s must be an ISO 8601 date", key)
}

func (s *Server) deleteBatch(_ *request, b *batch) (answer, error) {
	if b.isRunning() {
		return answer{}, badRequest("Batch call cannot be deleted while it is %s", b.Status)
	}
	s.cancel(b.run.next)
	s.account.endUpload(b)
	s.account.batches.remove(b.ID)
	return ok(message{"Batch call deleted successfully"}), nil
}

func (s *Server) getBatchStats(_ *request, b *batch) (answer, error) {
	stats := map[string]any{"batchId": b.ID, "status": b.Status, "total": len(b.Records)}
	for _, label := range recordLabels() {
		stats[label] = 0
	}
	for _, record := range b.Records {
		stats[record.Status] = stats[record.Status].(int) + 1
	}
	return ok(stats), nil
}
