package videosdk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/videosdk-sip-go/videosdk/internal/lenient"
	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// InboundGatewaysService manages the gateways that calls come in through, on
// their own: the Node SDK calls them inbound trunks. Numbers that are
// registered with [PhoneNumbersService.Create] have theirs already, and the list may
// hold those: see [PhoneNumber.Inbound] before you delete what nobody seems to need.
type InboundGatewaysService struct{ client *Client }

// OutboundGatewaysService manages the gateways that calls go out through, on
// their own: the Node SDK calls them outbound trunks. Numbers that are
// registered with [PhoneNumbersService.Create] have theirs already, and the list may
// hold those: see [PhoneNumber.Outbound] before you delete what nobody seems to need.
type OutboundGatewaysService struct{ client *Client }

// The paths of gateways.
const (
	inboundGatewaysPath  = "/v2/sip/inbound-gateways"
	inboundGatewayPath   = inboundGatewaysPath + "/{gatewayId}"
	outboundGatewaysPath = "/v2/sip/outbound-gateways"
	outboundGatewayPath  = outboundGatewaysPath + "/{gatewayId}"
)

// Gateway is where calls come in from, or go out to: a SIP trunk of a
// provider.
type Gateway struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Address is the host, with or without a port, that calls go out to. An
	// inbound gateway usually has none.
	Address string `json:"address"`
	// Numbers are those that the gateway carries, in E.164.
	Numbers []string `json:"numbers"`
	// AllowedAddresses are the IP addresses and CIDR ranges that calls may
	// come from.
	AllowedAddresses []string `json:"allowedAddresses"`
	// AllowedNumbers are patterns of the numbers that calls may come from,
	// such as "+91*".
	AllowedNumbers  []string        `json:"allowedNumbers"`
	MediaEncryption MediaEncryption `json:"mediaEncryption"`
	Transport       Transport       `json:"transport"`
	// Record says whether calls are recorded.
	Record            bool     `json:"record"`
	NoiseCancellation bool     `json:"noiseCancellation"`
	EnableDTMF        bool     `json:"enableDtmf"`
	Tags              []string `json:"tags"`
	// Auth is nil if the gateway has none.
	Auth *SIPAuth `json:"auth,omitempty"`
	// Region is where the traffic is handled; empty leaves it to the server.
	Region   Region            `json:"geoRegion"`
	Metadata map[string]string `json:"metadata" redact:"private"`
	// Raw is the gateway as it came, with what this library does not know.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (g Gateway) Format(f fmt.State, _ rune) { redact.Format(f, g) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (g Gateway) LogValue() slog.Value { return redact.LogValue(g) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts every spelling that the
// API is known to use.
func (g *Gateway) UnmarshalJSON(data []byte) error { return unmarshal[gatewayFields, Gateway](data, g) }

// gatewayFields is a gateway without its methods, as it travels.
type gatewayFields Gateway

func (w *gatewayFields) resource(raw json.RawMessage) (*Gateway, string) {
	g := (*Gateway)(w)
	if g.ID == "" || g.Region == "" {
		var older struct {
			ID     string `json:"gatewayId"`
			Region Region `json:"sipRegion"`
		}
		_ = lenient.Unmarshal(raw, &older) // which was decoded before
		g.ID, g.Region = cmp.Or(g.ID, older.ID), cmp.Or(g.Region, older.Region)
	}
	if g.Auth != nil && *g.Auth == (SIPAuth{}) {
		g.Auth = nil // the API says {} for none
	}
	g.Raw = raw
	return g, g.ID
}

// gateway returns the gateway, nil for none.
func (w *gatewayFields) gateway(raw json.RawMessage) *Gateway {
	if w == nil {
		return nil
	}
	g, _ := w.resource(raw)
	return g
}

// InboundGatewayCreateParams describe an inbound gateway to create.
type InboundGatewayCreateParams struct {
	// Name is required.
	Name string `json:"name"`
	// Numbers are those that the gateway carries, in E.164. At least one is
	// required.
	Numbers []string `json:"numbers"`
	// Auth is what callers must authenticate themselves with; nil for none.
	Auth *SIPAuth `json:"auth,omitempty"`
	// AllowedAddresses are the IP addresses and CIDR ranges that calls may
	// come from; empty allows all.
	AllowedAddresses []string `json:"allowedAddresses,omitempty"`
	// AllowedNumbers are patterns of the numbers that calls may come from,
	// such as "+91*"; empty allows all.
	AllowedNumbers  []string        `json:"allowedNumbers,omitempty"`
	MediaEncryption MediaEncryption `json:"mediaEncryption,omitempty"`
	// Record says whether calls are recorded.
	Record            bool              `json:"record,omitempty"`
	NoiseCancellation bool              `json:"noiseCancellation,omitempty"`
	EnableDTMF        bool              `json:"enableDtmf,omitempty"`
	Metadata          map[string]string `json:"metadata,omitempty" redact:"private"`
	Tags              []string          `json:"tags,omitempty"`
	// Region is where the traffic is handled; empty leaves it to the server.
	Region Region `json:"geoRegion,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p InboundGatewayCreateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p InboundGatewayCreateParams) LogValue() slog.Value { return redact.LogValue(p) }

// OutboundGatewayCreateParams describe an outbound gateway to create. Older pages
// of the API list includeHeaders, headers and headersToAttributes besides, without
// their form: [Client.Do] sends those.
type OutboundGatewayCreateParams struct {
	// Name is required.
	Name string `json:"name"`
	// Numbers are those that the gateway carries, in E.164. At least one is
	// required; the first is the default caller id.
	Numbers []string `json:"numbers"`
	// Address is the provider's SIP host, with or without a port. Required.
	Address string `json:"address"`
	// Transport defaults to TransportTLS.
	Transport Transport `json:"transport"`
	// Auth holds the credentials for the provider; nil if it authenticates by IP
	// address.
	Auth            *SIPAuth        `json:"auth,omitempty"`
	MediaEncryption MediaEncryption `json:"mediaEncryption,omitempty"`
	// Record says whether calls are recorded.
	Record            bool              `json:"record,omitempty"`
	NoiseCancellation bool              `json:"noiseCancellation,omitempty"`
	EnableDTMF        bool              `json:"enableDtmf,omitempty"`
	Metadata          map[string]string `json:"metadata,omitempty" redact:"private"`
	Tags              []string          `json:"tags,omitempty"`
	// Region is where the traffic is handled. It defaults to RegionAuto,
	// because some versions of the API require one.
	Region Region `json:"geoRegion"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p OutboundGatewayCreateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p OutboundGatewayCreateParams) LogValue() slog.Value { return redact.LogValue(p) }

// GatewayUpdateParams say what to change of a gateway. What is nil stays as it
// is, and an empty list or map that is not nil empties the gateway's, except that a
// gateway keeps at least one number.
//
// Record, NoiseCancellation, EnableDTMF and Region are different: the server
// resets them when an update leaves them out. So they are always sent, and must
// hold what is wanted, not only what changes. Modify takes care of that.
type GatewayUpdateParams struct {
	Name            *string           `json:"name,omitzero"`
	Numbers         []string          `json:"numbers,omitzero"`
	Auth            *SIPAuth          `json:"auth,omitzero"`
	MediaEncryption *MediaEncryption  `json:"mediaEncryption,omitzero"`
	Metadata        map[string]string `json:"metadata,omitzero" redact:"private"`
	Tags            []string          `json:"tags,omitzero"`

	// AllowedAddresses are for inbound gateways only. Empty, and not nil, they let
	// calls come from everywhere.
	AllowedAddresses []string `json:"allowedAddresses,omitzero"`
	// AllowedNumbers are for both: an outbound gateway takes them here, although
	// not when it is created. Empty, and not nil, they let everybody call.
	AllowedNumbers []string `json:"allowedNumbers,omitzero"`

	// Address and Transport are for outbound gateways only.
	Address   *string    `json:"address,omitzero"`
	Transport *Transport `json:"transport,omitzero"`

	// The whole state that is wanted. An empty Region is left out, which
	// clears it.
	Record            bool   `json:"record"`
	NoiseCancellation bool   `json:"noiseCancellation"`
	EnableDTMF        bool   `json:"enableDtmf"`
	Region            Region `json:"geoRegion,omitempty"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p GatewayUpdateParams) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p GatewayUpdateParams) LogValue() slog.Value { return redact.LogValue(p) }

func (p *GatewayUpdateParams) check(f *faults) {
	f.notBlank("name", p.Name)
	if p.Numbers != nil {
		f.numbers("numbers", p.Numbers)
	}
	f.auth("auth", p.Auth)
	f.notBlank("address", p.Address)
}

func (p *GatewayUpdateParams) checkInbound(f *faults) {
	p.check(f)
	f.check(p.Address == nil, "address", "is for outbound gateways")
	f.check(p.Transport == nil, "transport", "is for outbound gateways")
}

func (p *GatewayUpdateParams) checkOutbound(f *faults) {
	p.check(f)
	f.check(p.AllowedAddresses == nil, "allowedAddresses", "is for inbound gateways")
}

// GatewayListParams choose gateways. The zero value is the first page of all.
type GatewayListParams struct {
	// Page is the number of the page, from 1. All begins with it.
	Page int
	// PerPage is how many gateways a page holds: 10 by default. All asks for
	// 100 by default.
	PerPage int
	// Search is looked for in names.
	Search string
	// ID limits the list to one gateway.
	ID string
}

func (p GatewayListParams) fill(r *request) {
	r.setPage(p.Page, p.PerPage)
	r.set("search", p.Search)
	r.set("id", p.ID)
}

// Create makes an inbound gateway. An unknown outcome is not repeated, because
// that could make two: the error then matches [ErrMaybeApplied].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/inbound-gateway/create-inbound-gateway
func (s *InboundGatewaysService) Create(ctx context.Context, params InboundGatewayCreateParams, opts ...RequestOption) (*Gateway, error) {
	r := s.client.request(operation{
		name: "InboundGateways.Create", class: retry.Create, method: http.MethodPost, path: inboundGatewaysPath,
	}, opts)
	r.faults.require("name", params.Name)
	r.faults.numbers("numbers", params.Numbers)
	r.faults.auth("auth", params.Auth)
	r.body = params
	return one[gatewayFields, Gateway](ctx, s.client, r)
}

// Get returns an inbound gateway. If it does not exist, the error
// matches [ErrNotFound].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/inbound-gateway/fetch-inbound-gateway
func (s *InboundGatewaysService) Get(ctx context.Context, gatewayID string, opts ...RequestOption) (*Gateway, error) {
	r := s.client.request(operation{
		name: "InboundGateways.Get", class: retry.Read, method: http.MethodGet, path: inboundGatewayPath,
	}, opts, gatewayID)
	return one[gatewayFields, Gateway](ctx, s.client, r)
}

// List returns one page of the account's inbound gateways.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/inbound-gateway/fetch-all-inbound-gateway
func (s *InboundGatewaysService) List(ctx context.Context, params GatewayListParams, opts ...RequestOption) (*Page[Gateway], error) {
	r := s.client.request(operation{
		name: "InboundGateways.List", class: retry.Read, method: http.MethodGet, path: inboundGatewaysPath,
	}, opts)
	params.fill(r)
	return list[gatewayFields, Gateway](ctx, s.client, r)
}

// All returns an iterator over the inbound gateways of every page. It fetches up to
// four pages ahead of the one being read; see [WithPagesAhead]. An error ends the
// iteration. What moves to an earlier page meanwhile, because others are deleted,
// is missed: read all before deleting any.
func (s *InboundGatewaysService) All(ctx context.Context, params GatewayListParams, opts ...RequestOption) iter.Seq2[*Gateway, error] {
	return all(ctx, s.client, opts, params.Page, params.PerPage, func(ctx context.Context, page, perPage int) (*Page[Gateway], error) {
		asked := params
		asked.Page, asked.PerPage = page, perPage
		return s.List(ctx, asked, opts...)
	})
}

// Update changes an inbound gateway. Record, NoiseCancellation, EnableDTMF and
// Region are set to what params hold, also if that is false or empty; see
// [GatewayUpdateParams]. An unknown outcome is not repeated; see
// [WithRetryUnknown]. If the server's answer does not hold the gateway, the one
// returned has its ID and Raw only.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/inbound-gateway/update-inbound-gateway
func (s *InboundGatewaysService) Update(ctx context.Context, gatewayID string, params GatewayUpdateParams, opts ...RequestOption) (*Gateway, error) {
	r := s.client.request(operation{
		name: "InboundGateways.Update", class: retry.Replace, method: http.MethodPatch, path: inboundGatewayPath,
	}, opts, gatewayID)
	params.checkInbound(&r.faults)
	r.body = params
	return updatedGateway(ctx, s.client, r, gatewayID)
}

// Modify reads an inbound gateway, lets change say what is to be different, and
// writes that. Lists and metadata come to change as the gateway has them, so that it
// can add to them. What change does not touch stays as it is, also the four fields
// that Update would reset. A write of somebody else between the two is lost as far
// as those four, and what change touches, are concerned.
func (s *InboundGatewaysService) Modify(ctx context.Context, gatewayID string, change func(*GatewayUpdateParams), opts ...RequestOption) (*Gateway, error) {
	return modifyGateway("InboundGateways.Modify", change,
		func() (*Gateway, error) { return s.Get(ctx, gatewayID, opts...) },
		func(params GatewayUpdateParams) (*Gateway, error) { return s.Update(ctx, gatewayID, params, opts...) })
}

// Delete deletes an inbound gateway. Unknown outcomes are retried. If it does not
// exist, the error matches [ErrNotFound], unless an earlier attempt of this call
// deleted it: see [DeleteResult.AlreadyGone].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/inbound-gateway/delete-inbound-gateway
func (s *InboundGatewaysService) Delete(ctx context.Context, gatewayID string, opts ...RequestOption) (*DeleteResult, error) {
	r := s.client.request(operation{
		name: "InboundGateways.Delete", class: retry.Delete, method: http.MethodDelete, path: inboundGatewayPath,
	}, opts, gatewayID)
	return s.client.remove(ctx, r, gatewayID)
}

// Create makes an outbound gateway. An unknown outcome is not repeated, because
// that could make two: the error then matches [ErrMaybeApplied].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/outbound-gateway/create-outbound-gateway
func (s *OutboundGatewaysService) Create(ctx context.Context, params OutboundGatewayCreateParams, opts ...RequestOption) (*Gateway, error) {
	r := s.client.request(operation{
		name: "OutboundGateways.Create", class: retry.Create, method: http.MethodPost, path: outboundGatewaysPath,
	}, opts)
	r.faults.require("name", params.Name)
	r.faults.numbers("numbers", params.Numbers)
	r.faults.require("address", params.Address)
	r.faults.auth("auth", params.Auth)
	params.Transport = cmp.Or(params.Transport, TransportTLS)
	params.Region = cmp.Or(params.Region, RegionAuto)
	r.body = params
	return one[gatewayFields, Gateway](ctx, s.client, r)
}

// Get returns an outbound gateway. If it does not exist, the error
// matches [ErrNotFound].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/outbound-gateway/fetch-outbound-gateway
func (s *OutboundGatewaysService) Get(ctx context.Context, gatewayID string, opts ...RequestOption) (*Gateway, error) {
	r := s.client.request(operation{
		name: "OutboundGateways.Get", class: retry.Read, method: http.MethodGet, path: outboundGatewayPath,
	}, opts, gatewayID)
	return one[gatewayFields, Gateway](ctx, s.client, r)
}

// List returns one page of the account's outbound gateways.
//
// https://docs.videosdk.live/server-sdk-reference-node/classes/OutboundTrunkResource
func (s *OutboundGatewaysService) List(ctx context.Context, params GatewayListParams, opts ...RequestOption) (*Page[Gateway], error) {
	r := s.client.request(operation{
		name: "OutboundGateways.List", class: retry.Read, method: http.MethodGet, path: outboundGatewaysPath,
	}, opts)
	params.fill(r)
	return list[gatewayFields, Gateway](ctx, s.client, r)
}

// All returns an iterator over the outbound gateways of every page. It fetches up
// to four pages ahead of the one being read; see [WithPagesAhead]. An error ends
// the iteration. What moves to an earlier page meanwhile, because others are
// deleted, is missed: read all before deleting any.
func (s *OutboundGatewaysService) All(ctx context.Context, params GatewayListParams, opts ...RequestOption) iter.Seq2[*Gateway, error] {
	return all(ctx, s.client, opts, params.Page, params.PerPage, func(ctx context.Context, page, perPage int) (*Page[Gateway], error) {
		asked := params
		asked.Page, asked.PerPage = page, perPage
		return s.List(ctx, asked, opts...)
	})
}

// Update changes an outbound gateway. Record, NoiseCancellation, EnableDTMF and
// Region are set to what params hold, also if that is false or empty; see
// [GatewayUpdateParams]. An unknown outcome is not repeated; see
// [WithRetryUnknown]. If the server's answer does not hold the gateway, the one
// returned has its ID and Raw only.
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/outbound-gateway/update-outbound-gateway
func (s *OutboundGatewaysService) Update(ctx context.Context, gatewayID string, params GatewayUpdateParams, opts ...RequestOption) (*Gateway, error) {
	r := s.client.request(operation{
		name: "OutboundGateways.Update", class: retry.Replace, method: http.MethodPatch, path: outboundGatewayPath,
	}, opts, gatewayID)
	params.checkOutbound(&r.faults)
	r.body = params
	return updatedGateway(ctx, s.client, r, gatewayID)
}

// Modify reads an outbound gateway, lets change say what is to be different,
// and writes that. Lists and metadata come to change as the gateway has them, so that
// it can add to them. What change does not touch stays as it is, also the four
// fields that Update would reset. A write of somebody else between the two is lost
// as far as those four, and what change touches, are concerned.
func (s *OutboundGatewaysService) Modify(ctx context.Context, gatewayID string, change func(*GatewayUpdateParams), opts ...RequestOption) (*Gateway, error) {
	return modifyGateway("OutboundGateways.Modify", change,
		func() (*Gateway, error) { return s.Get(ctx, gatewayID, opts...) },
		func(params GatewayUpdateParams) (*Gateway, error) { return s.Update(ctx, gatewayID, params, opts...) })
}

// Delete deletes an outbound gateway. Unknown outcomes are retried. If it does not
// exist, the error matches [ErrNotFound], unless an earlier attempt of this call
// deleted it: see [DeleteResult.AlreadyGone].
//
// https://docs.videosdk.live/api-reference/realtime-communication/sip/outbound-gateway/delete-outbound-gateway
func (s *OutboundGatewaysService) Delete(ctx context.Context, gatewayID string, opts ...RequestOption) (*DeleteResult, error) {
	r := s.client.request(operation{
		name: "OutboundGateways.Delete", class: retry.Delete, method: http.MethodDelete, path: outboundGatewayPath,
	}, opts, gatewayID)
	return s.client.remove(ctx, r, gatewayID)
}

// state returns an update that changes nothing, with copies of the lists and of the
// metadata, for a change to add to.
func (g *Gateway) state() GatewayUpdateParams {
	metadata := make(map[string]string, len(g.Metadata))
	maps.Copy(metadata, g.Metadata)
	return GatewayUpdateParams{
		Numbers: slices.Clone(g.Numbers), Tags: slices.Clone(g.Tags), Metadata: metadata,
		AllowedAddresses: slices.Clone(g.AllowedAddresses), AllowedNumbers: slices.Clone(g.AllowedNumbers),
		Record: g.Record, NoiseCancellation: g.NoiseCancellation, EnableDTMF: g.EnableDTMF, Region: g.Region,
	}
}

// leaveOutUnchanged makes an update leave out the lists and the metadata that are as
// the gateway has them, so that it overwrites no newer ones.
func (p *GatewayUpdateParams) leaveOutUnchanged(g *Gateway) {
	p.Numbers = unlessEqual(p.Numbers, g.Numbers)
	p.Tags = unlessEqual(p.Tags, g.Tags)
	p.AllowedAddresses = unlessEqual(p.AllowedAddresses, g.AllowedAddresses)
	p.AllowedNumbers = unlessEqual(p.AllowedNumbers, g.AllowedNumbers)
	if maps.Equal(p.Metadata, g.Metadata) {
		p.Metadata = nil
	}
}

// unlessEqual returns a list, or nil if it holds the same as another.
func unlessEqual(list, other []string) []string {
	if slices.Equal(list, other) {
		return nil
	}
	return list
}

func modifyGateway(operation string, change func(*GatewayUpdateParams), get func() (*Gateway, error), update func(GatewayUpdateParams) (*Gateway, error)) (*Gateway, error) {
	var f faults
	f.check(change != nil, "change", "must not be nil")
	if err := f.err(operation); err != nil {
		return nil, err
	}
	gateway, err := get()
	if err != nil {
		return nil, err
	}
	params := gateway.state()
	change(&params)
	params.leaveOutUnchanged(gateway)
	return update(params)
}

func updatedGateway(ctx context.Context, c *Client, r *request, gatewayID string) (*Gateway, error) {
	return changed[gatewayFields](ctx, c, r, func(raw json.RawMessage) *Gateway {
		return &Gateway{ID: gatewayID, Raw: raw}
	})
}
