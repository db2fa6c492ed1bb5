package videosdk

import (
	"bytes"
	"fmt"
	"log/slog"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
)

// Region is where VideoSDK handles the SIP traffic of a gateway.
type Region string

// The regions of the current documentation, and those of older pages.
const (
	RegionAuto  Region = "auto"
	RegionUS002 Region = "us002"
	RegionIN002 Region = "in002"
	RegionUS001 Region = "us001" // older pages
	RegionIN001 Region = "in001" // older pages
	RegionEU001 Region = "eu001" // older pages
)

// Transport is what carries the SIP signalling of an outbound gateway.
type Transport string

// The transports of the API.
const (
	TransportUDP Transport = "udp"
	TransportTCP Transport = "tcp"
	TransportTLS Transport = "tls" // the server's default
)

// MediaEncryption says whether the audio of a gateway is encrypted (SRTP).
type MediaEncryption string

// The values of MediaEncryption.
const (
	MediaEncryptionEnable  MediaEncryption = "enable"
	MediaEncryptionDisable MediaEncryption = "disable"
)

// IncludeHeaders says which SIP headers of a call are passed on.
type IncludeHeaders string

// The values of IncludeHeaders.
const (
	IncludeHeadersAll  IncludeHeaders = "ALL"
	IncludeHeadersSIPX IncludeHeaders = "SIP_X_HEADERS" // those that begin with X-
	IncludeHeadersNone IncludeHeaders = "NONE"
)

// Direction is that of a call, seen from VideoSDK.
type Direction string

// The directions of a call.
const (
	DirectionInbound  Direction = "inbound"
	DirectionOutbound Direction = "outbound"
)

// RoomType says whether a routing rule sends its calls to one room or to a
// room of their own.
type RoomType string

// The room types of the documentation; meeting and conference occur as well.
const (
	RoomTypeStatic  RoomType = "static"
	RoomTypeDynamic RoomType = "dynamic"
)

// RoomPrefix is how the name of a dynamic room begins.
type RoomPrefix string

// The prefixes of dynamic rooms.
const (
	RoomPrefixBlank             RoomPrefix = "blank"
	RoomPrefixParticipantNumber RoomPrefix = "participantNumber"
	RoomPrefixSIPNumber         RoomPrefix = "sipNumber"
	RoomPrefixRandom            RoomPrefix = "random"
)

// SIPAuth holds SIP credentials. Both fields are needed.
// It prints without the password.
type SIPAuth struct {
	Username string `json:"username"`
	Password string `json:"password" redact:"secret"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (a SIPAuth) Format(f fmt.State, _ rune) { redact.Format(f, a) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (a SIPAuth) LogValue() slog.Value { return redact.LogValue(a) }

// RoutingRoom is the room that a routing rule sends calls to.
type RoutingRoom struct {
	// Type says whether all calls meet in one room or have one each.
	Type RoomType `json:"type,omitempty"`
	// Prefix is how the names of dynamic rooms begin.
	Prefix RoomPrefix `json:"prefix,omitempty"`
	// ID is that of a static room.
	ID string `json:"id,omitempty"`
	// PIN is what a caller must enter.
	PIN string `json:"pin,omitempty" redact:"secret"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (r RoutingRoom) Format(f fmt.State, _ rune) { redact.Format(f, r) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (r RoutingRoom) LogValue() slog.Value { return redact.LogValue(r) }

// unmarshal implements json.Unmarshaler for a resource: in every spelling that
// the API uses, and in that of json.Marshal. A null changes nothing, as
// encoding/json has it.
func unmarshal[W, T any, P wire[W, T]](data []byte, dst *T) error {
	if string(data) == "null" {
		return nil
	}
	item, _, err := decodeOne[W, T, P](bytes.Clone(data))
	if err != nil {
		return err
	}
	*dst = *item
	return nil
}
