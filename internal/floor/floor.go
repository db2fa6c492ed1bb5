// Package floor is what the library is measured against: the same exchanges by
// bare net/http and encoding/json, and a server that costs next to nothing.
package floor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/videosdk-sip-go/videosdk"
)

// Bodies that the benchmarks' server answers with.
const (
	callBody = `{"message":"Call initiated successfully","data":{"callId":"call_123456789","status":"INITIATED","roomId":"room_123456","sipCallTo":"+14155550123","sipCallFrom":"+14155559876","gatewayId":"gw_123456789","metadata":{"campaignId":"cmp_123","source":"crm"},"timelog":[{"status":"INITIATED","timestamp":"2025-08-21T11:45:00.000Z"}]}}`
	ruleBody = `{"id":"rr_abc123","name":"Inbound support rule","type":"inbound","numbers":["+14155551234"],"room":{"type":"dynamic","prefix":"blank","id":null,"pin":null},"agentId":"agent_xyz","agentMetadata":{"team":"support"},"hidePhoneNumber":true,"tags":["support","v2"],"apiKey":"ak_resolved","recording":false,"dtmf":false,"noiseCancellation":false,"allowedNumbers":[],"allowedIpAddresses":[],"includeHeaders":"SIP_X_HEADERS","headersToAttributes":{"X-Caller":"caller"},"createdAt":"2026-05-11T10:00:00.000Z","updatedAt":"2026-05-11T10:05:00.000Z"}`
)

// Numbers is how many numbers the server's list has.
const Numbers = 10_000

// NewServer answers each path with one body, as cheaply as can be, so that what
// is measured is the client. A list takes delay.
func NewServer(delay time.Duration) *httptest.Server {
	pages := pagesOf(20, 100)
	call, rule := []byte(callBody), []byte(ruleBody)
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := rule
		switch r.URL.Path {
		case "/v2/sip/call":
			body = call
		case "/v2/sip/phone-numbers":
			body = pages[r.URL.Query().Get("perPage")+"/"+r.URL.Query().Get("page")]
			time.Sleep(delay)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
}

// pagesOf returns the bodies of all pages of so many numbers, by "perPage/page".
func pagesOf(sizes ...int) map[string][]byte {
	pages := make(map[string][]byte)
	for _, size := range sizes {
		last := Numbers / size
		for n := 1; n <= last; n++ {
			pages[fmt.Sprintf("%d/%d", size, n)] = Page(n, size, last)
		}
	}
	return pages
}

// Page is page n of so many, each of perPage numbers.
func Page(n, perPage, last int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"pageInfo":{"currentPage":%d,"perPage":%d,"lastPage":%d,"total":%d},"data":[`, n, perPage, last, last*perPage)
	for i := range perPage {
		if i > 0 {
			b.WriteByte(',')
		}
		k := (n-1)*perPage + i
		fmt.Fprintf(&b, `{"phoneNumber":{"phoneNumberId":"pn_%06d","e164":"+1415%07d","countryCode":"US","provider":"other","origin":"SIP Configured","status":"ACTIVE","createdAt":"2026-05-11T10:00:00.000Z","updatedAt":"2026-05-11T10:05:00.000Z","name":"Support"},`+
			`"inbound":{"id":"gw_in_%d","name":"Support","address":null,"numbers":["+1415%07d"],"allowedAddresses":[],"allowedNumbers":[],"mediaEncryption":"disable","record":false,"noiseCancellation":false,"enableDtmf":false,"tags":[],"auth":{},"geoRegion":"us002","metadata":{}},`+
			`"outbound":{"id":"gw_out_%d","name":"Support","address":"sip.telnyx.com:5061","numbers":["+1415%07d"],"mediaEncryption":"disable","transport":"tls","record":false,"noiseCancellation":false,"enableDtmf":false,"tags":[],"auth":{"username":"u","password":"p"},"geoRegion":"us002","metadata":{}}}`,
			k, k, k, k, k, k)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// tokenLength is that of a token that is signed with the API key of an account.
const tokenLength = 289

// memory answers every request with one page of 100 numbers, without a network, so
// that little but the decoding is left.
type memory struct{ page []byte }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(m.page)), Body: io.NopCloser(bytes.NewReader(m.page)), Request: r,
	}, nil
}

// Client is what a program does that needs no library: net/http and
// encoding/json, one keep-alive connection a caller, the token at hand.
type Client struct {
	http  *http.Client
	url   string
	token string
}

// New returns a client of a server. It keeps as many connections as ours does.
func New(url string) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 128
	return over(&http.Client{Transport: transport}, url)
}

func over(client *http.Client, url string) *Client {
	return &Client{http: client, url: url, token: strings.Repeat("t", tokenLength)}
}

// Close closes the connections.
func (f *Client) Close() { f.http.CloseIdleConnections() }

// Do makes one exchange.
func (f *Client) Do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, f.url+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", f.token)
	req.Header.Set("Accept", "application/json")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// What the floor sends and decodes: the same fields as the library's types, without
// their methods.
type (
	// NewCall asks for a call.
	NewCall struct {
		To                string                `json:"sipCallTo"`
		From              string                `json:"sipCallFrom,omitempty"`
		RoutingRuleID     string                `json:"routingRuleId,omitempty"`
		GatewayID         string                `json:"gatewayId,omitempty"`
		DestinationRoomID string                `json:"destinationRoomId,omitempty"`
		Participant       *videosdk.Participant `json:"participant,omitempty"`
		Metadata          map[string]any        `json:"metadata,omitempty"`
		AgentMetadata     map[string]any        `json:"agentMetadata,omitempty"`
		WaitUntilAnswered bool                  `json:"waitUntilAnswered,omitempty"`
		RecordAudio       *bool                 `json:"recordAudio,omitempty"`
		DTMF              *bool                 `json:"dtmf,omitempty"`
		MediaEncryption   string                `json:"mediaEncryption,omitempty"`
		HidePhoneNumber   *bool                 `json:"hidePhoneNumber,omitempty"`
		Headers           map[string]string     `json:"headers,omitempty"`
		IncludeHeaders    string                `json:"includeHeaders,omitempty"`
		RingingTimeout    int64                 `json:"ringingTimeout,omitempty"`
		MaxCallDuration   int64                 `json:"maxCallDuration,omitempty"`
	}
	// Call is the answer to it.
	Call struct {
		Data struct {
			ID          string         `json:"callId"`
			Type        string         `json:"type"`
			Status      string         `json:"status"`
			To          string         `json:"sipCallTo"`
			From        string         `json:"sipCallFrom"`
			RoomID      string         `json:"roomId"`
			SessionID   string         `json:"sessionId"`
			GatewayID   string         `json:"gatewayId"`
			GatewayName string         `json:"gatewayName"`
			RuleID      string         `json:"ruleId"`
			RuleName    string         `json:"ruleName"`
			Transport   string         `json:"transport"`
			Provider    string         `json:"provider"`
			Region      string         `json:"region"`
			Metadata    map[string]any `json:"metadata"`
			Timelog     []struct {
				Status    string    `json:"status"`
				Timestamp time.Time `json:"timestamp"`
			} `json:"timelog"`
			Start *time.Time `json:"start"`
			End   *time.Time `json:"end"`
		} `json:"data"`
	}
	// Rule is a routing rule.
	Rule struct {
		ID                  string                `json:"id"`
		Name                string                `json:"name"`
		Type                string                `json:"type"`
		Numbers             []string              `json:"numbers"`
		Room                *videosdk.RoutingRoom `json:"room"`
		AgentID             string                `json:"agentId"`
		AgentMetadata       map[string]any        `json:"agentMetadata"`
		Recording           bool                  `json:"recording"`
		DTMF                bool                  `json:"dtmf"`
		NoiseCancellation   bool                  `json:"noiseCancellation"`
		HidePhoneNumber     bool                  `json:"hidePhoneNumber"`
		Tags                []string              `json:"tags"`
		APIKey              string                `json:"apiKey"`
		AllowedNumbers      []string              `json:"allowedNumbers"`
		AllowedIPAddresses  []string              `json:"allowedIpAddresses"`
		IncludeHeaders      string                `json:"includeHeaders"`
		Headers             map[string]string     `json:"headers"`
		HeadersToAttributes map[string]string     `json:"headersToAttributes"`
		CreatedAt           time.Time             `json:"createdAt"`
		UpdatedAt           time.Time             `json:"updatedAt"`
	}
	// Gateway is a gateway of a number.
	Gateway struct {
		ID                string            `json:"id"`
		Name              string            `json:"name"`
		Address           string            `json:"address"`
		Numbers           []string          `json:"numbers"`
		AllowedAddresses  []string          `json:"allowedAddresses"`
		AllowedNumbers    []string          `json:"allowedNumbers"`
		MediaEncryption   string            `json:"mediaEncryption"`
		Transport         string            `json:"transport"`
		Record            bool              `json:"record"`
		NoiseCancellation bool              `json:"noiseCancellation"`
		EnableDTMF        bool              `json:"enableDtmf"`
		Tags              []string          `json:"tags"`
		Auth              *videosdk.SIPAuth `json:"auth"`
		Region            string            `json:"geoRegion"`
		Metadata          map[string]string `json:"metadata"`
	}
	// NumbersPage is a page of numbers.
	NumbersPage struct {
		PageInfo struct {
			CurrentPage, PerPage, LastPage, Total int
		} `json:"pageInfo"`
		Data []struct {
			PhoneNumber struct {
				ID          string    `json:"phoneNumberId"`
				E164        string    `json:"e164"`
				CountryCode string    `json:"countryCode"`
				Provider    string    `json:"provider"`
				Origin      string    `json:"origin"`
				Status      string    `json:"status"`
				Name        string    `json:"name"`
				CreatedAt   time.Time `json:"createdAt"`
				UpdatedAt   time.Time `json:"updatedAt"`
			} `json:"phoneNumber"`
			Inbound  *Gateway `json:"inbound"`
			Outbound *Gateway `json:"outbound"`
		} `json:"data"`
	}
)

// Pair is the same work done twice.
type Pair struct {
	Name         string
	Ours, Theirs func() error
}

// Exchanges returns what is compared: one exchange each, by the library's client
// and by the floor's.
func Exchanges(client *videosdk.Client, bare *Client) []Pair {
	ctx := context.Background()
	params := videosdk.CallCreateParams{
		To: "+14155550123", From: "+14155559876", RoutingRuleID: "rr_abc123", Metadata: map[string]any{"campaignId": "cmp_123"},
	}
	body := NewCall{To: "+14155550123", From: "+14155559876", RoutingRuleID: "rr_abc123", Metadata: map[string]any{"campaignId": "cmp_123"}}
	ourRule := func(ctx context.Context) error {
		_, err := client.RoutingRules.Get(ctx, "rr_abc123")
		return err
	}
	theirRule := func(ctx context.Context) error {
		var out Rule
		return bare.Do(ctx, http.MethodGet, "/v2/sip/routing-rule/rr_abc123", nil, &out)
	}
	return []Pair{
		{"Calls.Create", func() error {
			_, err := client.Calls.Create(ctx, params)
			return err
		}, func() error {
			var out Call
			return bare.Do(ctx, http.MethodPost, "/v2/sip/call", &body, &out)
		}},
		{"RoutingRules.Get", endless(ourRule), endless(theirRule)},
		{"RoutingRules.Get-cancellable", cancellable(ourRule), cancellable(theirRule)},
		{"RoutingRules.Get-limited", endless(ourRule), limited(theirRule)},
		listing(client, bare),
	}
}

// listing compares one page of 100 numbers.
func listing(client *videosdk.Client, bare *Client) Pair {
	ctx := context.Background()
	return Pair{"PhoneNumbers.List-100", func() error {
		_, err := client.PhoneNumbers.List(ctx, videosdk.PhoneNumberListParams{Page: 1, PerPage: 100})
		return err
	}, func() error {
		var out NumbersPage
		return bare.Do(ctx, http.MethodGet, "/v2/sip/phone-numbers?page=1&perPage=100", nil, &out)
	}}
}

// Decoding compares the decoding of a page of 100 numbers that is in memory.
func Decoding() (Pair, error) {
	transport := &http.Client{Transport: memory{Page(1, 100, Numbers/100)}}
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(transport))
	if err != nil {
		return Pair{}, err
	}
	pair := listing(client, over(transport, videosdk.DefaultBaseURL))
	pair.Name += "/decoding"
	return pair, nil
}

// endless returns do with a context that never ends.
func endless(do func(context.Context) error) func() error {
	return func() error { return do(context.Background()) }
}

// cancellable returns do with a context that may end, as the handler of a web server
// has one for each request. net/http watches it.
func cancellable(do func(context.Context) error) func() error {
	return func() error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		return do(ctx)
	}
}

// limited returns do with the time limit that each attempt of ours has.
func limited(do func(context.Context) error) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return do(ctx)
	}
}

// Walk compares All over every number with pages of 20, one after the other.
func Walk(client *videosdk.Client, bare *Client) Pair {
	ctx := context.Background()
	return Pair{"PhoneNumbers.All-10000", func() error {
		n := 0
		for _, err := range client.PhoneNumbers.All(ctx, videosdk.PhoneNumberListParams{}) {
			if err != nil {
				return err
			}
			n++
		}
		return complete(n)
	}, func() error {
		n := 0
		for page, last := 1, 1; page <= last; page++ {
			var out NumbersPage
			if err := bare.Do(ctx, http.MethodGet, fmt.Sprintf("/v2/sip/phone-numbers?page=%d&perPage=20", page), nil, &out); err != nil {
				return err
			}
			n, last = n+len(out.Data), out.PageInfo.LastPage
		}
		return complete(n)
	}}
}

func complete(n int) error {
	if n != Numbers {
		return fmt.Errorf("%d numbers instead of %d", n, Numbers)
	}
	return nil
}
