package videosdk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// BatchCallsService runs campaigns: VideoSDK dials every number of an uploaded
// list.
//
// https://docs.videosdk.live/server-sdk/reference/batch-calls
type BatchCallsService struct {
	client *Client

	// Records manages the numbers of a campaign.
	Records *BatchRecordsService
}

// The paths of batch calls.
const (
	batchCallsPath  = "/v2/batch-calls"
	batchUploadPath = batchCallsPath + "/upload"
	batchParsePath  = batchCallsPath + "/parse"
	batchCallPath   = batchCallsPath + "/{batchId}"
	batchCancelPath = batchCallPath + "/cancel"
	batchStatsPath  = batchCallPath + "/stats"
)

// MaxBatchFileSize is the largest file that can be uploaded, in bytes.
const MaxBatchFileSize = 5 << 20

// BatchStatus is the stage that a campaign has reached.
type BatchStatus string

// The statuses of campaigns.
const (
	BatchUploaded    BatchStatus = "uploaded"
	BatchParsing     BatchStatus = "parsing"
	BatchParsed      BatchStatus = "parsed"
	BatchParseFailed BatchStatus = "parse_failed"
	BatchDraft       BatchStatus = "draft"
	BatchScheduled   BatchStatus = "scheduled"
	BatchRunning     BatchStatus = "running"
	BatchCompleted   BatchStatus = "completed"
	BatchCancelling  BatchStatus = "cancelling"
	BatchCancelled   BatchStatus = "cancelled"
)

// BatchTiming says when a campaign begins.
type BatchTiming string

// The timings of campaigns.
const (
	BatchImmediate BatchTiming = "immediate"
	BatchLater     BatchTiming = "scheduled"
)

// BatchCancelMode says what becomes of the calls that are up when a campaign is
// cancelled.
type BatchCancelMode string

// The modes of cancelling.
const (
	BatchCancelGraceful  BatchCancelMode = "graceful"  // they go on to their end
	BatchCancelImmediate BatchCancelMode = "immediate" // they are ended
)

// The events of campaigns. They are for a [BatchWebhook]: subscriptions accept
// only those of calls.
const (
	EventBatchStarted   EventType = "batchcall-started"
	EventBatchCompleted EventType = "batchcall-completed"
)

// BatchRetry says whether a number that was not reached is dialled again.
type BatchRetry struct {
	// Enabled turns it on.
	Enabled bool `json:"enabled"`
	// RetryOn holds the outcomes of a call after which the number is dialled
	// again: CallFailed, CallNotAnswered, CallRejected, CallMissed,
	// CallAbandoned.
	RetryOn []CallStatus `json:"retryOn,omitempty"`
	// MaxAttempts is from 1 to 3. Required where Enabled is set.
	MaxAttempts int `json:"maxAttempts,omitempty"`
}

// BatchWebhook is where the events of a campaign are posted to. The API does not
// document how an event names its campaign, nor that there is one of a campaign that
// is cancelled: ask Get besides, so as not to wait for ever.
type BatchWebhook struct {
	// Endpoint is an http or https URL. Required. With a name of your own in its
	// query, it tells whose event it is.
	Endpoint string `json:"endpoint"`
	// Events are the events to post: EventBatchStarted, EventBatchCompleted. At
	// least one is required.
	Events []EventType `json:"events"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (w BatchWebhook) Format(f fmt.State, _ rune) { redact.Format(f, w) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (w BatchWebhook) LogValue() slog.Value { return redact.LogValue(w) }

// BatchFile is the uploaded list of a campaign.
type BatchFile struct {
	Name      string `json:"filename"`
	Extension string `json:"extension"`
	// Key is the name of the file in VideoSDK's storage.
	Key string `json:"key"`
}

// BatchCall is a campaign.
type BatchCall struct {
	ID            string      `json:"batchId"`
	Name          string      `json:"batchName"`
	Description   string      `json:"description"`
	Status        BatchStatus `json:"status"`
	PhoneNumberID string      `json:"phoneNumberId"`
	// PhoneNumber is the number that calls come from, in E.164.
	PhoneNumber   string      `json:"phoneNumber"`
	RoutingRuleID string      `json:"routingRuleId"`
	Timing        BatchTiming `json:"timing"`
	// Timezone is the time zone of the times below, by its name in the IANA
	// database.
	Timezone      string `json:"timezone"`
	ScheduledTime string `json:"scheduledTime"` // HH:MM
	ScheduledDate string `json:"scheduledDate"` // YYYY-MM-DD
	// AllowedFrom and AllowedUntil limit the time of day, as HH:MM.
	AllowedFrom  string `json:"allowedFrom"`
	AllowedUntil string `json:"allowedUntil"`
	// DaysOfWeek limits the days of the week, from 0 for Sunday to 6 for Saturday,
	// as [time.Weekday] does.
	DaysOfWeek []int       `json:"daysOfWeek"`
	Retry      *BatchRetry `json:"retry,omitempty"`
	File       *BatchFile  `json:"file,omitempty"`
	// CDNURL is where the uploaded list can be fetched from.
	CDNURL string `json:"cdnUrl" redact:"secret"`
	// RecordsUploaded counts the numbers in the list.
	RecordsUploaded int `json:"recordsUploaded"`
	// ParseError says why the list could not be read, if Status is
	// BatchParseFailed. The server may quote a secret URL in it: the URL is not
	// printed, and Upload removes it.
	ParseError string `json:"parseError"`
	// Timestamp is in Unix seconds; the API does not document of which event.
	Timestamp int64 `json:"timestamp"`
	// Progress is a percentage. The API documents it for lists only.
	Progress  float64   `json:"progress"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	// Raw is the campaign as received, including fields that this library does
	// not know.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (b BatchCall) Format(f fmt.State, _ rune) { redact.Format(f, b) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (b BatchCall) LogValue() slog.Value { return redact.LogValue(b) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts every spelling that the
// API is known to use.
func (b *BatchCall) UnmarshalJSON(data []byte) error {
	return unmarshal[batchCallWire, BatchCall](data, b)
}

type batchCallFields BatchCall

type batchCallWire struct {
	batchCallFields
	PlainID string `json:"id"`
}

func (w *batchCallWire) resource(raw json.RawMessage) (*BatchCall, string) {
	b := (*BatchCall)(&w.batchCallFields)
	b.ID = cmp.Or(b.ID, w.PlainID)
	b.Status = BatchStatus(strings.ToLower(string(b.Status))) // as calls show theirs in upper case at times
	b.Raw = raw
	return b, b.ID
}

// ParseFailedError says that an uploaded list could not be read. [WithExistingBatch]
// puts another list in its place.
type ParseFailedError struct {
	// Batch is the campaign. Its ParseError says why.
	Batch *BatchCall
}

// Error says why the list could not be read, without the URL of the list.
func (e *ParseFailedError) Error() string {
	batch := cmp.Or(e.Batch, &BatchCall{})
	reason := redact.Text(batch.ParseError, batch.CDNURL)
	return fmt.Sprintf("videosdk: the list of batch %s could not be parsed: %s", brief(batch.ID), brief(reason))
}

// UploadError says that an upload failed after the list had been stored. Where
// MaybeApplied is set, poll the campaign with [BatchCallsService.Get] before you
// upload the list again.
type UploadError struct {
	// BatchID is the ID of the campaign that the list belongs to.
	BatchID string
	// MaybeApplied says that the server may have begun to parse the list. False
	// is certain: it has not.
	MaybeApplied bool
	// Err is the cause.
	Err error
}

// Error names the campaign, says what may have become of its list, and why the
// upload failed.
func (e *UploadError) Error() string {
	parsing := "is not parsed"
	if e.MaybeApplied {
		parsing = "may be parsed"
	}
	return fmt.Sprintf("videosdk: BatchCalls.Upload: the list was uploaded and %s: see batch %s: %v", parsing, brief(e.BatchID), e.Err)
}

// Unwrap returns the cause.
func (e *UploadError) Unwrap() error { return e.Err }

// Is matches [ErrMaybeApplied].
func (e *UploadError) Is(target error) bool { return target == ErrMaybeApplied && e.MaybeApplied }

// batchType returns the content type of a file that can be uploaded.
func batchType(name string) (contentType string, ok bool) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return "text/csv", true
	case ".xls":
		return "application/vnd.ms-excel", true
	case ".xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", true
	default:
		return "", false
	}
}

// WithProgress makes [BatchCallsService.Upload] and
// [BatchCallsService.UploadFile] call a function with the campaign each time that
// they have checked how far its parsing is. Other methods ignore it.
func WithProgress(progress func(*BatchCall)) RequestOption {
	return requestOption(func(s *settings) {
		s.faults.check(progress != nil, "WithProgress", "must not be nil")
		s.progress = progress
	})
}

// WithExistingBatch makes [BatchCallsService.Upload] and
// [BatchCallsService.UploadFile] replace the list of an existing campaign, such as
// one whose list could not be parsed, in place of making a new one. An empty ID
// is refused with [ErrInvalidRequest]; what the API answers to one that it does not
// know is not documented. Other methods ignore it.
//
// https://docs.videosdk.live/server-sdk/reference/batch-calls
func WithExistingBatch(batchID string) RequestOption {
	return requestOption(func(s *settings) {
		s.faults.id("WithExistingBatch", batchID)
		s.replacedBatch = batchID
	})
}

// UploadFile uploads a list of numbers from a file: .csv, .xls or .xlsx, of at
// most 5 MiB. It does what [BatchCallsService.Upload] does, but needs no more
// memory for a large file than for a small one.
func (s *BatchCallsService) UploadFile(ctx context.Context, path string, opts ...RequestOption) (*BatchCall, error) {
	// Before it is opened: to open a named pipe waits for whoever writes to it.
	if err := regularFile(os.Stat(path)); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("videosdk: BatchCalls.UploadFile: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err := regularFile(info, err); err != nil { // it may be another one by now
		return nil, err
	}
	return s.upload(ctx, filepath.Base(path), file, info.Size(), opts)
}

// regularFile returns the error of a file that cannot be uploaded, or that could
// not be looked at.
func regularFile(info os.FileInfo, err error) error {
	if err != nil {
		return fmt.Errorf("videosdk: BatchCalls.UploadFile: %w", err)
	}
	var f faults
	f.check(info.Mode().IsRegular(), "path", "must be a file, and no directory, device or pipe")
	return f.err("BatchCalls.UploadFile")
}

// Upload uploads a list of numbers. The extension of name tells its type: .csv,
// .xls or .xlsx. The content is read into memory; it may be at most 5 MiB. Upload
// asks for a presigned URL, puts the content there (without the client's token),
// has it parsed, and waits until that is done or the context ends. Pass the ID of
// the campaign that it returns to [BatchCallsService.Create].
//
// Which columns a list has, the API does not document: try a short one first. Package
// videosdktest says what the emulator takes. Nor does it document what becomes of a
// number that stands there twice: name each once, or that phone may ring twice.
//
// If the list cannot be parsed, the error is a [*ParseFailedError]: mend the list
// and upload it with [WithExistingBatch]. Any other error after the list was stored
// is an [*UploadError], which has the ID of the campaign, and matches
// [ErrMaybeApplied] if parsing may have begun.
func (s *BatchCallsService) Upload(ctx context.Context, name string, content io.Reader, opts ...RequestOption) (*BatchCall, error) {
	r := s.ticketRequest(name, opts)
	r.faults.check(ctx != nil, "ctx", "must not be nil")
	if err := r.faults.err(r.name); err != nil {
		return nil, err
	}
	if content == nil {
		content = bytes.NewReader(nil)
	}
	data, err := io.ReadAll(io.LimitReader(contextReader{ctx, content}, MaxBatchFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("videosdk: BatchCalls.Upload: reading the list: %w", err)
	}
	return s.upload(ctx, name, bytes.NewReader(data), int64(len(data)), opts)
}

func (s *BatchCallsService) upload(ctx context.Context, name string, content io.ReaderAt, size int64, opts []RequestOption) (*BatchCall, error) {
	ticket, err := s.ticket(ctx, name, size, opts)
	if err != nil {
		return nil, err
	}
	kind, _ := batchType(name)
	up, err := newUpload(s.client.origin, ticket.PresignedURL, kind, content, size)
	if err != nil {
		return nil, fmt.Errorf("videosdk: BatchCalls.Upload: %w", err)
	}
	if err := s.put(ctx, up, opts); err != nil {
		return nil, err
	}
	if err := s.parse(ctx, ticket.BatchID, up, opts); err != nil {
		return nil, &UploadError{BatchID: ticket.BatchID, MaybeApplied: errors.Is(err, ErrMaybeApplied), Err: err}
	}
	return s.waitParsed(ctx, ticket.BatchID, up, opts)
}

// uploadTicket is the permission to upload one file.
type uploadTicket struct {
	PresignedURL string `json:"presignedUrl" redact:"secret"`
	BatchID      string `json:"batchId"`
}

func (t *uploadTicket) resource(json.RawMessage) (*uploadTicket, string) {
	if t.PresignedURL == "" {
		return t, ""
	}
	return t, t.BatchID
}

// ticketRequest asks for a ticket for a file, as far as its size need not be known.
func (s *BatchCallsService) ticketRequest(name string, opts []RequestOption) *request {
	r := s.client.request(operation{
		name: "BatchCalls.Upload", class: retry.Repeatable, method: http.MethodPost, path: batchUploadPath,
	}, opts)
	_, known := batchType(name)
	r.faults.check(known, "fileName", "must end in .csv, .xls or .xlsx")
	return r
}

func (s *BatchCallsService) ticket(ctx context.Context, name string, size int64, opts []RequestOption) (*uploadTicket, error) {
	r := s.ticketRequest(name, opts)
	r.faults.check(size > 0, "fileSize", "must not be 0: the list is empty")
	r.faults.check(size <= MaxBatchFileSize, "fileSize", "must be at most "+strconv.Itoa(MaxBatchFileSize)+" bytes (5 MiB)")
	r.body = struct {
		FileName string `json:"fileName"`
		FileSize int64  `json:"fileSize"`
		BatchID  string `json:"batchId,omitempty"`
	}{name, size, r.settings.replacedBatch}
	return one[uploadTicket, uploadTicket](ctx, s.client, r)
}

func (s *BatchCallsService) put(ctx context.Context, up *upload, opts []RequestOption) error {
	r := s.client.request(operation{
		name: "BatchCalls.Upload", class: retry.Repeatable, method: http.MethodPut, path: "/presigned-url", public: true,
	}, opts)
	r.upload = up
	_, _, err := s.client.send(ctx, r)
	return err
}

// parse asks the server to read the list that it has got. It fetches the list
// then, and may say from where: the URL is as secret as it was before.
func (s *BatchCallsService) parse(ctx context.Context, batchID string, up *upload, opts []RequestOption) error {
	r := s.client.request(operation{
		name: "BatchCalls.Upload", class: retry.Repeatable, method: http.MethodPost, path: batchParsePath,
	}, opts)
	r.body = struct {
		BatchID string `json:"batchId"`
	}{batchID}
	r.after = up
	_, err := s.client.ack(ctx, r)
	return err
}

// maxStrange is how many times in a row a wait for the parsing of a list meets a
// status that this library does not know, which may come before the list has been
// read: for a minute and a half by default.
const maxStrange = 20

// waitParsed asks for a campaign until its list has been read.
func (s *BatchCallsService) waitParsed(ctx context.Context, batchID string, up *upload, opts []RequestOption) (*BatchCall, error) {
	settings := s.client.defaults.forCall(opts, &faults{}) // checked by ticket
	poll, strange := newPoll(settings), 0
	for {
		batch, err := s.get(ctx, batchID, up, opts)
		if err != nil && !poll.tolerates(ctx, err) {
			return nil, &UploadError{BatchID: batchID, MaybeApplied: true, Err: err}
		}
		status := ""
		if err == nil {
			batch.ParseError = redact.Scrub(batch.ParseError, append(redact.Secrets(batch), up.secrets()...)...)
			if settings.progress != nil {
				settings.progress(batch)
			}
			switch batch.Status {
			case BatchParsed, BatchDraft, BatchScheduled, BatchRunning, BatchCompleted, BatchCancelling, BatchCancelled:
				return batch, nil
			case BatchParseFailed:
				return nil, &ParseFailedError{Batch: batch}
			case BatchUploaded, BatchParsing:
				strange = 0
			default:
				strange++
			}
			status = cmp.Or(string(batch.Status), "unknown")
			if strange == maxStrange {
				return nil, &UploadError{BatchID: batchID, MaybeApplied: true,
					Err: fmt.Errorf("%w: the campaign stays in the unknown status %q", ErrInvalidResponse, brief(status))}
			}
		}
		if waitErr := poll.pause(ctx, status); waitErr != nil {
			return nil, &UploadError{BatchID: batchID, MaybeApplied: true, Err: after(waitErr, err)}
		}
	}
}

// BatchCallCreateParams describe a campaign to create.
type BatchCallCreateParams struct {
	// Name is required.
	Name string `json:"batchName"`
	// PhoneNumberID is the [PhoneNumber.ID] of the number to call from.
	// Required.
	PhoneNumberID string `json:"phoneNumberId"`
	// RoutingRuleID is the ID of an outbound rule for that number. Required.
	RoutingRuleID string `json:"routingRuleId"`
	// BatchID is the ID that Upload returned for the list.
	BatchID     string `json:"batchId,omitempty"`
	Description string `json:"description,omitempty"`
	// Timing says when the campaign begins. BatchLater needs ScheduledTime and
	// ScheduledDate, and they need BatchLater.
	Timing BatchTiming `json:"timing,omitempty"`
	// Timezone is the time zone of the times below, by its name in the IANA
	// database. The server's default is Asia/Calcutta.
	Timezone      string `json:"timezone,omitempty"`
	ScheduledTime string `json:"scheduledTime,omitempty"` // HH:MM
	ScheduledDate string `json:"scheduledDate,omitempty"` // YYYY-MM-DD
	// AllowedFrom and AllowedUntil limit the time of day, as HH:MM. Set both: the
	// API documents them together, and for BatchLater only. Whether they hold back
	// a campaign that begins at once is not known.
	AllowedFrom  string `json:"allowedFrom,omitempty"`
	AllowedUntil string `json:"allowedUntil,omitempty"`
	// DaysOfWeek limits the days of the week, from 0 for Sunday to 6 for Saturday,
	// as [time.Weekday] does.
	DaysOfWeek []int         `json:"daysOfWeek,omitempty"`
	Retry      *BatchRetry   `json:"retry,omitempty"`
	Webhook    *BatchWebhook `json:"webhook,omitempty"`
	// SaveAsDraft keeps the campaign from beginning, until an Update with
	// SaveAsDraft false.
	SaveAsDraft bool `json:"saveAsDraft,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p BatchCallCreateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p BatchCallCreateParams) LogValue() slog.Value { return redact.LogValue(p) }

func (p *BatchCallCreateParams) check(f *faults) {
	f.require("batchName", p.Name)
	f.require("phoneNumberId", p.PhoneNumberID)
	f.require("routingRuleId", p.RoutingRuleID)
	f.check(p.Timing != BatchLater || p.ScheduledTime != "" && p.ScheduledDate != "", "timing",
		"scheduled needs scheduledTime and scheduledDate")
	f.check(p.Timing != "" && p.Timing != BatchImmediate || p.ScheduledTime == "" && p.ScheduledDate == "", "timing",
		"must be scheduled where scheduledTime or scheduledDate is set: the campaign would begin at once")
	f.batchTimes(p.Timezone, p.ScheduledTime, p.ScheduledDate, p.AllowedFrom, p.AllowedUntil)
	f.batchPlan(p.DaysOfWeek, p.Retry, p.Webhook)
}

// batchTimes checks the times of a campaign, each of which may be empty.
func (f *faults) batchTimes(timezone, clock, date, from, until string) {
	f.timezone("timezone", timezone)
	f.layout("scheduledTime", clock, "15:04", "HH:MM")
	f.layout("scheduledDate", date, time.DateOnly, "YYYY-MM-DD")
	f.layout("allowedFrom", from, "15:04", "HH:MM")
	f.layout("allowedUntil", until, "15:04", "HH:MM")
}

// layout checks a time or date that is text, unless it is empty.
func (f *faults) layout(field, value, layout, shown string) {
	if value != "" {
		_, err := time.Parse(layout, value)
		f.check(err == nil && len(value) == len(layout), field, "must have the form "+shown)
	}
}

// timezone checks a name of the IANA database. This machine may not know every
// one of them, so those that look like one are left to the server.
func (f *faults) timezone(field, value string) {
	_, err := time.LoadLocation(value)
	f.check(strings.Contains(value, "/") || err == nil && value != "Local", field,
		"must be a name of the IANA database, such as Europe/Vienna")
}

func (f *faults) batchPlan(days []int, again *BatchRetry, hook *BatchWebhook) {
	f.check(!slices.ContainsFunc(days, func(day int) bool { return day < 0 || day > 6 }), "daysOfWeek", "must be 0 to 6")
	if again != nil && again.Enabled {
		f.check(again.MaxAttempts >= 1 && again.MaxAttempts <= 3, "retry.maxAttempts", "must be 1 to 3")
	}
	if hook != nil {
		f.webURL("webhook.endpoint", hook.Endpoint)
		f.events("webhook.events", hook.Events)
	}
}

// Create makes a campaign, which begins at once unless Timing or SaveAsDraft
// say otherwise: phones ring. Like [CallsService.Create], it is never repeated
// after an unknown outcome: the error then matches [ErrMaybeApplied].
// [WithRetryUnknown] is refused. Ask for it with Get then, by the BatchID: a
// campaign that has been made is no longer BatchParsed. One that still is may be made a
// moment later, since the request may be on its way: look again before you repeat it.
// After a crash too: store the BatchID before. Get and Stats tell how far it is, and a
// BatchWebhook of its end.
func (s *BatchCallsService) Create(ctx context.Context, params BatchCallCreateParams, opts ...RequestOption) (*BatchCall, error) {
	r := s.client.request(operation{
		name: "BatchCalls.Create", class: retry.Dial, method: http.MethodPost, path: batchCallsPath,
	}, opts)
	params.check(&r.faults)
	r.body = params
	return one[batchCallWire, BatchCall](ctx, s.client, r)
}

// Get returns a campaign. If it does not exist, the error matches [ErrNotFound].
func (s *BatchCallsService) Get(ctx context.Context, batchID string, opts ...RequestOption) (*BatchCall, error) {
	return s.get(ctx, batchID, nil, opts)
}

func (s *BatchCallsService) get(ctx context.Context, batchID string, up *upload, opts []RequestOption) (*BatchCall, error) {
	r := s.client.request(operation{
		name: "BatchCalls.Get", class: retry.Read, method: http.MethodGet, path: batchCallPath,
	}, opts, batchID)
	r.after = up
	return one[batchCallWire, BatchCall](ctx, s.client, r)
}

// BatchCallListParams select campaigns. The zero value selects the first page of
// all of them.
type BatchCallListParams struct {
	// Page is the number of the page, from 1. All begins with it.
	Page int
	// PerPage is how many campaigns a page holds: 10 by default. All asks for
	// 100 by default.
	PerPage int
	// Status selects the campaigns with that status.
	Status BatchStatus
	// StartDate and EndDate select the campaigns of a period. The zero time is
	// no limit.
	StartDate, EndDate time.Time
	// MinValue and MaxValue select the campaigns with at least, and at most, so
	// many uploaded records. Nil is no limit.
	MinValue, MaxValue *int
}

// List returns one page of the account's campaigns.
func (s *BatchCallsService) List(ctx context.Context, params BatchCallListParams, opts ...RequestOption) (*Page[BatchCall], error) {
	r := s.client.request(operation{
		name: "BatchCalls.List", class: retry.Read, method: http.MethodGet, path: batchCallsPath,
	}, opts)
	r.setPage(params.Page, params.PerPage)
	r.set("status", string(params.Status))
	r.setISOTime("startDate", params.StartDate)
	r.setISOTime("endDate", params.EndDate)
	r.setNumber("minValue", params.MinValue)
	r.setNumber("maxValue", params.MaxValue)
	return list[batchCallWire, BatchCall](ctx, s.client, r)
}

// setISOTime adds a query parameter in ISO 8601, as campaigns want it; calls
// want milliseconds.
func (r *request) setISOTime(name string, t time.Time) {
	if !t.IsZero() {
		r.set(name, t.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	}
}

func (r *request) setNumber(name string, value *int) {
	if value != nil {
		r.set(name, strconv.Itoa(*value))
	}
}

// All returns an iterator over the campaigns of every page. It fetches up to four
// pages ahead of the one being read; see [WithPagesAhead]. An error ends the
// iteration. What moves to an earlier page meanwhile, because others are deleted,
// is missed: read all before deleting any.
func (s *BatchCallsService) All(ctx context.Context, params BatchCallListParams, opts ...RequestOption) iter.Seq2[*BatchCall, error] {
	return all(ctx, s.client, opts, params.Page, params.PerPage, func(ctx context.Context, page, perPage int) (*Page[BatchCall], error) {
		asked := params
		asked.Page, asked.PerPage = page, perPage
		return s.List(ctx, asked, opts...)
	})
}

// BatchCallUpdateParams say what to change in a campaign. Fields that are nil are
// not sent. See [BatchCallCreateParams] for what each of them means.
type BatchCallUpdateParams struct {
	Name          *string       `json:"batchName,omitzero"`
	PhoneNumberID *string       `json:"phoneNumberId,omitzero"`
	RoutingRuleID *string       `json:"routingRuleId,omitzero"`
	Description   *string       `json:"description,omitzero"`
	Timing        *BatchTiming  `json:"timing,omitzero"`
	Timezone      *string       `json:"timezone,omitzero"`
	ScheduledTime *string       `json:"scheduledTime,omitzero"`
	ScheduledDate *string       `json:"scheduledDate,omitzero"`
	AllowedFrom   *string       `json:"allowedFrom,omitzero"`
	AllowedUntil  *string       `json:"allowedUntil,omitzero"`
	DaysOfWeek    []int         `json:"daysOfWeek,omitzero"`
	Retry         *BatchRetry   `json:"retry,omitzero"`
	Webhook       *BatchWebhook `json:"webhook,omitzero"`
	SaveAsDraft   *bool         `json:"saveAsDraft,omitzero"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p BatchCallUpdateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p BatchCallUpdateParams) LogValue() slog.Value { return redact.LogValue(p) }

func (p *BatchCallUpdateParams) check(f *faults) {
	f.anyField(p)
	f.notBlank("batchName", p.Name)
	f.notBlank("phoneNumberId", p.PhoneNumberID)
	f.notBlank("routingRuleId", p.RoutingRuleID)
	f.batchTimes(orEmpty(p.Timezone), orEmpty(p.ScheduledTime), orEmpty(p.ScheduledDate), orEmpty(p.AllowedFrom), orEmpty(p.AllowedUntil))
	f.batchPlan(p.DaysOfWeek, p.Retry, p.Webhook)
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// Update changes a campaign. It may begin one: a draft, with SaveAsDraft false, and
// then phones ring. The API does not document what becomes of a draft if SaveAsDraft
// is left out: set it. So Update, like Create, is never repeated after an unknown
// outcome: the error then matches [ErrMaybeApplied], and Get tells whether a draft has
// begun: it is BatchScheduled then, or further. [WithRetryUnknown] is refused. If the
// answer does not contain the campaign, only its ID and Raw are set.
func (s *BatchCallsService) Update(ctx context.Context, batchID string, params BatchCallUpdateParams, opts ...RequestOption) (*BatchCall, error) {
	r := s.client.request(operation{
		name: "BatchCalls.Update", class: retry.Dial, method: http.MethodPut, path: batchCallPath,
	}, opts, batchID)
	params.check(&r.faults)
	r.body = params
	return s.changed(ctx, r, batchID)
}

// Delete deletes a campaign. The API does not document whether one that is running
// goes on to call people then: Cancel it first. Unknown outcomes are retried. If it
// does not exist, the error matches [ErrNotFound], unless an earlier attempt of this
// call deleted it: see [DeleteResult.AlreadyGone].
func (s *BatchCallsService) Delete(ctx context.Context, batchID string, opts ...RequestOption) (*DeleteResult, error) {
	r := s.client.request(operation{
		name: "BatchCalls.Delete", class: retry.Delete, method: http.MethodDelete, path: batchCallPath,
	}, opts, batchID)
	return s.client.remove(ctx, r, batchID)
}

// Cancel stops a campaign. mode says what becomes of the calls that are up.
// Required. An unknown outcome is not repeated: the error then matches
// [ErrMaybeApplied], and Get tells whether it is BatchCancelling or BatchCancelled.
// See [WithRetryUnknown]. If the answer does not contain the campaign, only its ID
// and Raw are set.
//
// The API documents no way to pause a campaign, nor to go on with one that was
// cancelled: its Records tell who has not been called.
func (s *BatchCallsService) Cancel(ctx context.Context, batchID string, mode BatchCancelMode, opts ...RequestOption) (*BatchCall, error) {
	r := s.client.request(operation{
		name: "BatchCalls.Cancel", class: retry.Create, method: http.MethodPost, path: batchCancelPath,
	}, opts, batchID)
	r.faults.require("mode", string(mode))
	r.body = struct {
		Mode BatchCancelMode `json:"mode"`
	}{mode}
	return s.changed(ctx, r, batchID)
}

func (s *BatchCallsService) changed(ctx context.Context, r *request, batchID string) (*BatchCall, error) {
	return changed[batchCallWire](ctx, s.client, r, func(raw json.RawMessage) *BatchCall {
		return &BatchCall{ID: batchID, Raw: raw}
	})
}

// BatchStats are the figures of a campaign.
type BatchStats struct {
	// Figures holds every number in the answer by its key: the total, and the
	// number of records with each status, such as "not connected".
	Figures map[string]float64 `json:"figures"`
	// Raw is the answer as received.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (b BatchStats) Format(f fmt.State, _ rune) { redact.Format(f, b) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (b BatchStats) LogValue() slog.Value { return redact.LogValue(b) }

type batchStatsWire map[string]any

// resource has no id to tell: there may be no figures.
func (w *batchStatsWire) resource(raw json.RawMessage) (*BatchStats, string) {
	stats := &BatchStats{Figures: map[string]float64{}, Raw: raw}
	for key, value := range *w {
		if figure, ok := value.(float64); ok && key != "statusCode" {
			stats.Figures[key] = figure
		}
	}
	return stats, "stats"
}

// Stats returns the figures of a campaign.
func (s *BatchCallsService) Stats(ctx context.Context, batchID string, opts ...RequestOption) (*BatchStats, error) {
	r := s.client.request(operation{
		name: "BatchCalls.Stats", class: retry.Read, method: http.MethodGet, path: batchStatsPath,
	}, opts, batchID)
	return one[batchStatsWire, BatchStats](ctx, s.client, r)
}
