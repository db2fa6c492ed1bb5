package videosdk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// WebhooksService manages subscriptions: which URL hears of which events of
// calls.
type WebhooksService struct{ client *Client }

// The paths of webhook subscriptions.
const (
	webhooksPath = "/v2/sip/webhooks"
	webhookPath  = webhooksPath + "/{webhookId}"
)

// EventType is what a webhook tells of.
type EventType string

// The events that the API accepts in subscriptions. Calls in and calls out have them.
const (
	EventCallStarted           EventType = "call-started"
	EventCallRinging           EventType = "call-ringing"
	EventCallAnswered          EventType = "call-answered"
	EventCallHangup            EventType = "call-hangup"
	EventCallMissed            EventType = "call-missed"
	EventCallUpdate            EventType = "call-update"
	EventCallTransferred       EventType = "call-transferred"
	EventCallTransferInitiated EventType = "call-transfer-initiated"
	EventCallTransferAccepted  EventType = "call-transfer-accepted"
	EventCallTransferring      EventType = "call-transferring"
	EventCallTransferRinging   EventType = "call-transfer-ringing"
	EventCallTransferFailed    EventType = "call-transfer-failed"
	EventSwitchRoomInitiated   EventType = "switch-room-initiated"
	EventSwitchRoomCompleted   EventType = "switch-room-completed"
	EventSwitchRoomFailed      EventType = "switch-room-failed"
)

// Webhook is a subscription.
type Webhook struct {
	ID string `json:"id"`
	// URL is where the events are posted to.
	URL       string      `json:"url"`
	Events    []EventType `json:"events"`
	CreatedAt time.Time   `json:"createdAt"`
	UpdatedAt time.Time   `json:"updatedAt"`
	// Raw is the subscription as it came, with what this library does not
	// know.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (w Webhook) Format(f fmt.State, _ rune) { redact.Format(f, w) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (w Webhook) LogValue() slog.Value { return redact.LogValue(w) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts every spelling that the
// API is known to use.
func (w *Webhook) UnmarshalJSON(data []byte) error { return unmarshal[webhookWire, Webhook](data, w) }

type webhookFields Webhook

type webhookWire struct {
	webhookFields
	WebhookID string `json:"webhookId"`
}

func (w *webhookWire) resource(raw json.RawMessage) (*Webhook, string) {
	hook := (*Webhook)(&w.webhookFields)
	hook.ID = cmp.Or(hook.ID, w.WebhookID)
	hook.Raw = raw
	return hook, hook.ID
}

// WebhookCreateParams describe a subscription to create.
type WebhookCreateParams struct {
	// URL is where the events are posted to: http or https. Required.
	URL string `json:"url"`
	// Events are those to hear of. At least one is required. To hear of the end
	// of every call, name EventCallHangup and EventCallMissed: it is told by one
	// or the other. The API answers 500 to names that it does not know.
	Events []EventType `json:"events"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p WebhookCreateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p WebhookCreateParams) LogValue() slog.Value { return redact.LogValue(p) }

// Create makes a subscription. An unknown outcome is not repeated, because that
// could make two: the error then matches [ErrMaybeApplied].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/webhook/create-webhook
func (s *WebhooksService) Create(ctx context.Context, params WebhookCreateParams, opts ...RequestOption) (*Webhook, error) {
	r := s.client.request(operation{
		name: "Webhooks.Create", class: retry.Create, method: http.MethodPost, path: webhooksPath,
	}, opts)
	r.faults.webURL("url", params.URL)
	r.faults.events("events", params.Events)
	r.body = params
	return one[webhookWire, Webhook](ctx, s.client, r)
}

// events checks what is subscribed to. What the events are called is the server's to
// judge.
func (f *faults) events(field string, events []EventType) {
	f.check(len(events) > 0, field, "needs at least one event")
	for i, event := range events {
		f.require(fmt.Sprintf("%s[%d]", field, i), string(event))
	}
}

// webURL checks an address that the server is to reach over HTTP.
func (f *faults) webURL(field, value string) {
	u, err := url.Parse(value)
	f.check(err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "", field,
		"must be an http or https URL with a host")
}

// Get returns a subscription. If it does not exist, the error
// matches [ErrNotFound].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/webhook/fetch-webhook
func (s *WebhooksService) Get(ctx context.Context, webhookID string, opts ...RequestOption) (*Webhook, error) {
	r := s.client.request(operation{
		name: "Webhooks.Get", class: retry.Read, method: http.MethodGet, path: webhookPath,
	}, opts, webhookID)
	return one[webhookWire, Webhook](ctx, s.client, r)
}

// WebhookListParams choose subscriptions. The zero value is the first page of
// all.
type WebhookListParams struct {
	// Page is the number of the page, from 1. All begins with it.
	Page int
	// PerPage is how many subscriptions a page holds: 10 by default. All asks
	// for 100 by default.
	PerPage int
	// Search is looked for in URLs.
	Search string
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p WebhookListParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p WebhookListParams) LogValue() slog.Value { return redact.LogValue(p) }

// List returns one page of the account's subscriptions.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/webhook/fetch-all-webhooks
func (s *WebhooksService) List(ctx context.Context, params WebhookListParams, opts ...RequestOption) (*Page[Webhook], error) {
	r := s.client.request(operation{
		name: "Webhooks.List", class: retry.Read, method: http.MethodGet, path: webhooksPath,
	}, opts)
	r.setPage(params.Page, params.PerPage)
	r.set("search", params.Search)
	return list[webhookWire, Webhook](ctx, s.client, r)
}

// All returns an iterator over the subscriptions of every page. It fetches up to
// four pages ahead of the one being read; see [WithPagesAhead]. An error ends the
// iteration. What moves to an earlier page meanwhile, because others are deleted,
// is missed: read all before deleting any.
func (s *WebhooksService) All(ctx context.Context, params WebhookListParams, opts ...RequestOption) iter.Seq2[*Webhook, error] {
	return all(ctx, s.client, opts, params.Page, params.PerPage, func(ctx context.Context, page, perPage int) (*Page[Webhook], error) {
		asked := params
		asked.Page, asked.PerPage = page, perPage
		return s.List(ctx, asked, opts...)
	})
}

// WebhookUpdateParams say what to change of a subscription. What is nil stays
// as it is. Some versions of the API want both fields: set both to be certain.
type WebhookUpdateParams struct {
	URL *string `json:"url,omitzero"`
	// Events replace all the events of the subscription.
	Events []EventType `json:"events,omitzero"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p WebhookUpdateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p WebhookUpdateParams) LogValue() slog.Value { return redact.LogValue(p) }

// Update changes a subscription. An unknown outcome is not repeated; see
// [WithRetryUnknown]. If the server's answer does not hold the subscription, the
// one returned has its ID and Raw only.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/webhook/update-webhook
func (s *WebhooksService) Update(ctx context.Context, webhookID string, params WebhookUpdateParams, opts ...RequestOption) (*Webhook, error) {
	r := s.client.request(operation{
		name: "Webhooks.Update", class: retry.Replace, method: http.MethodPatch, path: webhookPath,
	}, opts, webhookID)
	r.faults.anyField(&params)
	if params.URL != nil {
		r.faults.webURL("url", *params.URL)
	}
	if params.Events != nil {
		r.faults.events("events", params.Events)
	}
	r.body = params
	return changed[webhookWire](ctx, s.client, r, func(raw json.RawMessage) *Webhook {
		return &Webhook{ID: webhookID, Raw: raw}
	})
}

// Delete deletes a subscription. Unknown outcomes are retried. If it does not
// exist, the error matches [ErrNotFound], unless an earlier attempt of this call
// deleted it: see [DeleteResult.AlreadyGone].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/webhook/delete-webhook
func (s *WebhooksService) Delete(ctx context.Context, webhookID string, opts ...RequestOption) (*DeleteResult, error) {
	r := s.client.request(operation{
		name: "Webhooks.Delete", class: retry.Delete, method: http.MethodDelete, path: webhookPath,
	}, opts, webhookID)
	return s.client.remove(ctx, r, webhookID)
}
