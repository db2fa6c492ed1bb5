package videosdk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/videosdk-sip-go/videosdk/internal/jsonscan"
	"github.com/videosdk-sip-go/videosdk/internal/lenient"
	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// PhoneNumbersService registers phone numbers with their SIP gateways: in the
// current generation of the API a number carries one inbound and one outbound
// gateway.
type PhoneNumbersService struct{ client *Client }

// The paths of phone numbers.
const (
	phoneNumbersPath       = "/v2/sip/phone-numbers"
	phoneNumberPath        = phoneNumbersPath + "/{e164}"
	phoneNumberDetachPath  = phoneNumbersPath + "/detach"
	phoneNumberReleasePath = phoneNumbersPath + "/{phoneNumberId}/release"
	phoneNumberGatewayPath = phoneNumbersPath + "/gateways/{gatewayId}"
)

// PhoneNumber is a number of the account and the gateways that carry it.
type PhoneNumber struct {
	ID string `json:"phoneNumberId"`
	// E164 is the number, such as +14155551234.
	E164 string `json:"e164"`
	Name string `json:"name"`
	// CountryCode is that of ISO 3166-1, such as US.
	CountryCode string `json:"countryCode"`
	Provider    string `json:"provider"`
	// Origin tells how the number came to the account: "SIP Configured", or
	// "PURCHASED" for one that was bought through Twilio or Plivo.
	Origin    string    `json:"origin"`
	Status    string    `json:"status"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	// Inbound is the gateway that calls to the number come in through, nil if
	// none is attached. The API shows it without Address and Auth here: that Auth is
	// nil does not say that calls need not authenticate themselves.
	Inbound *Gateway `json:"inbound"`
	// Outbound is the gateway that calls from the number go out through, nil
	// if none is attached.
	Outbound *Gateway `json:"outbound"`
	// Raw is the number as it came, with what this library does not know.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p PhoneNumber) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p PhoneNumber) LogValue() slog.Value { return redact.LogValue(p) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts every spelling that the
// API is known to use.
func (p *PhoneNumber) UnmarshalJSON(data []byte) error {
	return unmarshal[phoneNumberWire, PhoneNumber](data, p)
}

type phoneNumberFields PhoneNumber

// phoneNumberWire is the triple of the API. A number on its own, without the
// triple around it, is taken as well.
type phoneNumberWire struct {
	PhoneNumber phoneNumberFields `json:"phoneNumber"`
	Inbound     *gatewayFields    `json:"inbound"`
	Outbound    *gatewayFields    `json:"outbound"`
}

func (w *phoneNumberWire) resource(raw json.RawMessage) (*PhoneNumber, string) {
	p := (*PhoneNumber)(&w.PhoneNumber)
	if p.ID == "" && p.E164 == "" { // its fields may stand beside its gateways
		_ = lenient.Unmarshal(raw, &w.PhoneNumber) // what is no object is no number
	}
	var inbound, outbound json.RawMessage
	jsonscan.Members(raw, func(name, value []byte) {
		switch {
		case strings.EqualFold(string(name), "inbound"):
			inbound = value
		case strings.EqualFold(string(name), "outbound"):
			outbound = value
		}
	})
	p.Inbound, p.Outbound = w.Inbound.gateway(inbound), w.Outbound.gateway(outbound)
	p.Raw = raw
	return p, cmp.Or(p.ID, p.E164)
}

// PhoneNumberCreateParams says which numbers to register, and with which
// gateways.
type PhoneNumberCreateParams struct {
	// Name is given to the numbers and their gateways. Required.
	Name string `json:"name"`
	// PhoneNumbers are the numbers in E.164. At least one is required.
	PhoneNumbers []string `json:"phoneNumbers"`
	// IsShared says whether one pair of gateways carries all the numbers
	// (true, the default) or each number gets a pair of its own.
	IsShared *bool `json:"isShared"`
	// MediaEncryption is that of the gateways.
	MediaEncryption MediaEncryption `json:"mediaEncryption,omitempty"`
	// Inbound is how calls come in.
	Inbound InboundConfig `json:"inbound"`
	// Outbound is how calls go out.
	Outbound OutboundConfig `json:"outbound"`
}

// InboundConfig is the inbound gateway of numbers to register.
type InboundConfig struct {
	// Region is where calls arrive. Required.
	Region Region `json:"sipRegion"`
}

// OutboundConfig is the outbound gateway of numbers to register.
type OutboundConfig struct {
	// Region is where calls leave from. Required.
	Region Region `json:"sipRegion"`
	// Address is the provider's SIP host, with or without a port, such as
	// sip.telnyx.com:5061. Required.
	Address string `json:"address"`
	// Transport defaults to TransportTLS.
	Transport Transport `json:"transport"`
	// Auth holds the credentials for the provider; nil if it authenticates by IP
	// address.
	Auth *SIPAuth `json:"auth,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p PhoneNumberCreateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p PhoneNumberCreateParams) LogValue() slog.Value { return redact.LogValue(p) }

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (c OutboundConfig) Format(f fmt.State, _ rune) { redact.Format(f, c) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (c OutboundConfig) LogValue() slog.Value { return redact.LogValue(c) }

func (p *PhoneNumberCreateParams) check(f *faults) {
	f.require("name", p.Name)
	f.numbers("phoneNumbers", p.PhoneNumbers)
	f.require("inbound.sipRegion", string(p.Inbound.Region))
	f.require("outbound.sipRegion", string(p.Outbound.Region))
	f.require("outbound.address", p.Outbound.Address)
	f.auth("outbound.auth", p.Outbound.Auth)
}

// Create registers numbers that the account does not know, takes those that it
// knows but that are attached to no gateway, and provisions their gateways.
// The server does all of it or nothing.
//
// A 409, which says that another request attached one of the numbers first, is
// retried, as documented. A number that is attached already is refused with
// [ErrBadRequest], and nothing is created. After an unknown outcome the error
// matches [ErrMaybeApplied]: [PhoneNumbersService.Get] tells whether it was.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/phone-numbers/create-phone-number
func (s *PhoneNumbersService) Create(ctx context.Context, params PhoneNumberCreateParams, opts ...RequestOption) (*Ack, error) {
	r := s.client.request(operation{
		name: "PhoneNumbers.Create", class: retry.AtomicCreate, method: http.MethodPost, path: phoneNumbersPath,
	}, opts)
	params.check(&r.faults)
	if params.IsShared == nil {
		params.IsShared = Ptr(true)
	}
	params.Outbound.Transport = cmp.Or(params.Outbound.Transport, TransportTLS)
	r.body = params
	return s.client.ack(ctx, r)
}

// Get returns a number, given in E.164, with its gateways. A number that the
// account does not have is [ErrNotFound].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/phone-numbers/fetch-phone-number
func (s *PhoneNumbersService) Get(ctx context.Context, e164 string, opts ...RequestOption) (*PhoneNumber, error) {
	r := s.client.request(operation{
		name: "PhoneNumbers.Get", class: retry.Read, method: http.MethodGet, path: phoneNumberPath,
	}, opts, e164)
	if !isEmpty(e164) { // which has been told
		r.faults.number("e164", e164)
	}
	return one[phoneNumberWire, PhoneNumber](ctx, s.client, r)
}

// PhoneNumberListParams choose numbers of the account. The zero value is the
// first page of all.
type PhoneNumberListParams struct {
	// Page is the number of the page, from 1. All begins with it.
	Page int
	// PerPage is how many numbers a page holds: 20 by default, at most 100.
	// All asks for 100 by default.
	PerPage int
	// Search is looked for in names and numbers.
	Search string
}

// List returns one page of the account's numbers.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/phone-numbers/fetch-all-phone-numbers
func (s *PhoneNumbersService) List(ctx context.Context, params PhoneNumberListParams, opts ...RequestOption) (*Page[PhoneNumber], error) {
	r := s.client.request(operation{
		name: "PhoneNumbers.List", class: retry.Read, method: http.MethodGet, path: phoneNumbersPath,
	}, opts)
	r.setPage(params.Page, params.PerPage)
	r.set("search", params.Search)
	return list[phoneNumberWire, PhoneNumber](ctx, s.client, r)
}

// All returns an iterator over the numbers of every page. It fetches up to four pages
// ahead of the one being read; see [WithPagesAhead]. An error ends the iteration.
// What moves to an earlier page meanwhile, because others are deleted, is missed:
// read all before deleting any.
func (s *PhoneNumbersService) All(ctx context.Context, params PhoneNumberListParams, opts ...RequestOption) iter.Seq2[*PhoneNumber, error] {
	return all(ctx, s.client, opts, params.Page, params.PerPage, func(ctx context.Context, page, perPage int) (*Page[PhoneNumber], error) {
		asked := params
		asked.Page, asked.PerPage = page, perPage
		return s.List(ctx, asked, opts...)
	})
}

// DetachResult tells which gateways a number was detached from.
type DetachResult struct {
	// Message is the server's own text.
	Message string `json:"message"`
	// PhoneNumber is the number, which stays with the account.
	PhoneNumber PhoneNumber `json:"phoneNumber"`
	// InboundGatewayID and OutboundGatewayID are the gateways that the number
	// was attached to, empty for none. They are not deleted, even when no
	// number is left on them.
	InboundGatewayID  string `json:"inbound"`
	OutboundGatewayID string `json:"outbound"`
	// Raw is the answer as it came.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (d DetachResult) Format(f fmt.State, _ rune) { redact.Format(f, d) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (d DetachResult) LogValue() slog.Value { return redact.LogValue(d) }

// Detach takes a number, given in E.164, off both its gateways. The number
// stays with the account, and so do the gateways. [ErrBadRequest] says that it
// was not attached, [ErrNotFound] that the account does not have it.
// An unknown outcome is not repeated: the error then matches [ErrMaybeApplied].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/phone-numbers/detach-gateway
func (s *PhoneNumbersService) Detach(ctx context.Context, e164 string, opts ...RequestOption) (*DetachResult, error) {
	r := s.client.request(operation{
		name: "PhoneNumbers.Detach", class: retry.Create, method: http.MethodPost, path: phoneNumberDetachPath,
	}, opts)
	r.faults.number("phoneNumber", e164)
	r.body = struct {
		PhoneNumber string `json:"phoneNumber"`
	}{e164}
	result := &DetachResult{}
	raw, _, err := s.client.told(ctx, r, result)
	if err != nil {
		return nil, err
	}
	result.PhoneNumber.E164, result.Raw = cmp.Or(result.PhoneNumber.E164, e164), raw
	return result, nil
}

// ReleaseResult tells which number was released.
type ReleaseResult struct {
	// Message is the server's own text.
	Message string `json:"message"`
	// ID is that of the number.
	ID string `json:"phoneNumberId"`
	// E164 is the number, if the server said it.
	E164 string `json:"e164"`
	// Raw is the answer as it came.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (r ReleaseResult) Format(f fmt.State, _ rune) { redact.Format(f, r) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (r ReleaseResult) LogValue() slog.Value { return redact.LogValue(r) }

// Release gives a number back, by its id (not by the number itself): it is
// detached, taken out of the routing rules and, if it was bought through
// VideoSDK, released at the provider, which ends its billing and cannot be
// undone. Releasing it again does no harm, so unknown outcomes are retried.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/phone-numbers/release-phone-number
func (s *PhoneNumbersService) Release(ctx context.Context, phoneNumberID string, opts ...RequestOption) (*ReleaseResult, error) {
	r := s.client.request(operation{
		name: "PhoneNumbers.Release", class: retry.Repeatable, method: http.MethodPost, path: phoneNumberReleasePath,
	}, opts, phoneNumberID)
	result := &ReleaseResult{}
	raw, _, err := s.client.told(ctx, r, result)
	if err != nil {
		return nil, err
	}
	result.ID, result.Raw = cmp.Or(result.ID, phoneNumberID), raw
	return result, nil
}

// PhoneNumberGatewayUpdateParams says what to change of a gateway that carries
// phone numbers. What is nil stays as it is. Address, Transport and Auth are
// for outbound gateways only.
type PhoneNumberGatewayUpdateParams struct {
	Name            *string          `json:"name,omitempty"`
	MediaEncryption *MediaEncryption `json:"mediaEncryption,omitempty"`
	Region          *Region          `json:"sipRegion,omitempty"`
	Address         *string          `json:"address,omitempty"`
	Transport       *Transport       `json:"transport,omitempty"`
	Auth            *SIPAuth         `json:"auth,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p PhoneNumberGatewayUpdateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p PhoneNumberGatewayUpdateParams) LogValue() slog.Value { return redact.LogValue(p) }

func (p *PhoneNumberGatewayUpdateParams) check(f *faults) {
	f.anyField(p)
	f.notBlank("name", p.Name)
	f.notBlank("address", p.Address)
	f.auth("auth", p.Auth)
}

// UpdateGateway changes a gateway of phone numbers, by the id in
// [PhoneNumber.Inbound] or [PhoneNumber.Outbound]. Only what is set in params
// changes. An unknown outcome is not repeated, because a late repeat could
// overwrite a newer change; see [WithRetryUnknown].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/phone-numbers/update-gateway
func (s *PhoneNumbersService) UpdateGateway(ctx context.Context, gatewayID string, params PhoneNumberGatewayUpdateParams, opts ...RequestOption) (*Ack, error) {
	r := s.client.request(operation{
		name: "PhoneNumbers.UpdateGateway", class: retry.Replace, method: http.MethodPatch, path: phoneNumberGatewayPath,
	}, opts, gatewayID)
	params.check(&r.faults)
	r.body = params
	return s.client.ack(ctx, r)
}
