package videosdk

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
)

// Gateway is where calls come in from, or go out to: a SIP trunk of a
// provider. An inbound gateway has no Address and no Auth.
type Gateway struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Address is the host, with or without a port, that calls go out to.
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

// Format prints the value without what is secret or private, whatever the
// verb.
func (g Gateway) Format(f fmt.State, _ rune) { redact.Format(f, g) }

// LogValue is what log/slog shows: no secrets.
func (g Gateway) LogValue() slog.Value { return redact.LogValue(g) }

// UnmarshalJSON accepts every spelling that the API uses.
func (g *Gateway) UnmarshalJSON(data []byte) error { return unmarshal[gatewayWire](data, g) }

type gatewayFields Gateway

type gatewayWire struct {
	gatewayFields
	GatewayID string `json:"gatewayId"`
	SIPRegion Region `json:"sipRegion"`
}

func (w gatewayWire) resource(raw json.RawMessage) (*Gateway, string) {
	g := Gateway(w.gatewayFields)
	g.ID = cmp.Or(g.ID, w.GatewayID)
	g.Region = cmp.Or(g.Region, w.SIPRegion)
	if g.Auth != nil && *g.Auth == (SIPAuth{}) {
		g.Auth = nil // the API says {} for none
	}
	g.Raw = raw
	return &g, g.ID
}

// gateway returns the gateway, nil for none.
func (w *gatewayWire) gateway() *Gateway {
	if w == nil {
		return nil
	}
	g, _ := w.resource(nil)
	return g
}
