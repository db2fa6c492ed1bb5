package videosdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// Bodies that the benchmarks' server answers with.
const (
	benchCall = `{"message":"Call initiated successfully","data":{"callId":"call_123456789","status":"INITIATED","roomId":"room_123456","sipCallTo":"+14155550123","sipCallFrom":"+14155559876","gatewayId":"gw_123456789","metadata":{"campaignId":"cmp_123","source":"crm"},"timelog":[{"status":"INITIATED","timestamp":"2025-08-21T11:45:00.000Z"}]}}`
	benchRule = `{"id":"rr_abc123","name":"Inbound support rule","type":"inbound","numbers":["+14155551234"],"room":{"type":"dynamic","prefix":"blank","id":null,"pin":null},"agentId":"agent_xyz","agentMetadata":{"team":"support"},"hidePhoneNumber":true,"tags":["support","v2"],"apiKey":"ak_resolved","recording":false,"dtmf":false,"noiseCancellation":false,"allowedNumbers":[],"allowedIpAddresses":[],"includeHeaders":"SIP_X_HEADERS","headersToAttributes":{"X-Caller":"caller"},"createdAt":"2026-05-11T10:00:00.000Z","updatedAt":"2026-05-11T10:05:00.000Z"}`
)

// benchServer answers each path with one body, as cheaply as can be, so that
// what is measured is the client.
func benchServer(tb testing.TB) *httptest.Server {
	page := benchPage(1, 100, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := []byte(benchRule)
		switch r.URL.Path {
		case "/v2/sip/call":
			body = []byte(benchCall)
		case "/v2/sip/phone-numbers":
			body = page
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	tb.Cleanup(server.Close)
	return server
}

// benchPage is page n of so many, each of perPage numbers.
func benchPage(n, perPage, last int) []byte {
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

func benchClient(tb testing.TB, url string) *videosdk.Client {
	client, err := videosdk.New("key", "secret", videosdk.WithBaseURL(url))
	require.NoError(tb, err)
	tb.Cleanup(client.CloseIdleConnections)
	return client
}

// floor is what a program does that needs no library: net/http and
// encoding/json, one keep-alive connection a caller, the token at hand.
type floor struct {
	http  *http.Client
	url   string
	token string
}

func newFloor(tb testing.TB, url string) *floor {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 128
	tb.Cleanup(transport.CloseIdleConnections)
	return &floor{http: &http.Client{Transport: transport}, url: url, token: "token"}
}

func (f *floor) do(ctx context.Context, method, path string, in, out any) error {
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

// What the floor decodes: the same fields as the library's types, without
// their methods.
type (
	floorCall struct {
		Data struct {
			ID       string         `json:"callId"`
			Status   string         `json:"status"`
			RoomID   string         `json:"roomId"`
			To       string         `json:"sipCallTo"`
			From     string         `json:"sipCallFrom"`
			Gateway  string         `json:"gatewayId"`
			Metadata map[string]any `json:"metadata"`
			Timelog  []struct {
				Status    string    `json:"status"`
				Timestamp time.Time `json:"timestamp"`
			} `json:"timelog"`
		} `json:"data"`
	}
	floorRule struct {
		ID                  string                `json:"id"`
		Name                string                `json:"name"`
		Type                string                `json:"type"`
		Numbers             []string              `json:"numbers"`
		Room                *videosdk.RoutingRoom `json:"room"`
		AgentID             string                `json:"agentId"`
		AgentMetadata       map[string]any        `json:"agentMetadata"`
		HidePhoneNumber     bool                  `json:"hidePhoneNumber"`
		Tags                []string              `json:"tags"`
		APIKey              string                `json:"apiKey"`
		AllowedNumbers      []string              `json:"allowedNumbers"`
		AllowedIPAddresses  []string              `json:"allowedIpAddresses"`
		IncludeHeaders      string                `json:"includeHeaders"`
		HeadersToAttributes map[string]string     `json:"headersToAttributes"`
		CreatedAt           time.Time             `json:"createdAt"`
		UpdatedAt           time.Time             `json:"updatedAt"`
	}
	floorGateway struct {
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
	floorPage struct {
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
			Inbound  *floorGateway `json:"inbound"`
			Outbound *floorGateway `json:"outbound"`
		} `json:"data"`
	}
)

var benchCallParams = videosdk.CallCreateParams{
	To: "+14155550123", From: "+14155559876", RoutingRuleID: "rr_abc123", Metadata: map[string]any{"campaignId": "cmp_123"},
}

// pairs are what is compared: the same exchange by the library and by the
// floor.
func pairs(tb testing.TB) []pair {
	server := benchServer(tb)
	client, bare := benchClient(tb, server.URL), newFloor(tb, server.URL)
	ctx := context.Background()
	body := map[string]any{
		"sipCallTo": "+14155550123", "sipCallFrom": "+14155559876", "routingRuleId": "rr_abc123",
		"metadata": map[string]any{"campaignId": "cmp_123"},
	}
	return []pair{
		{"Calls.Create", func() error {
			_, err := client.Calls.Create(ctx, benchCallParams)
			return err
		}, func() error {
			var out floorCall
			return bare.do(ctx, http.MethodPost, "/v2/sip/call", body, &out)
		}},
		{"RoutingRules.Get", func() error {
			_, err := client.RoutingRules.Get(ctx, "rr_abc123")
			return err
		}, func() error {
			var out floorRule
			return bare.do(ctx, http.MethodGet, "/v2/sip/routing-rule/rr_abc123", nil, &out)
		}},
		{"PhoneNumbers.List of 100", func() error {
			_, err := client.PhoneNumbers.List(ctx, videosdk.PhoneNumberListParams{PerPage: 100})
			return err
		}, func() error {
			var out floorPage
			return bare.do(ctx, http.MethodGet, "/v2/sip/phone-numbers?perPage=100", nil, &out)
		}},
	}
}

type pair struct {
	name         string
	ours, theirs func() error
}

func BenchmarkExchange(b *testing.B) {
	for _, p := range pairs(b) {
		for who, do := range map[string]func() error{"videosdk": p.ours, "floor": p.theirs} {
			b.Run(p.name+"/sequential/"+who, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := do(); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(p.name+"/parallel/"+who, func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(32) // of 2 and more processors: 64 callers at least
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := do(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}
