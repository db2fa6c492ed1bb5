package videosdk_test

import (
	"context"
	"iter"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// gateways are the methods of both services of gateways, which have one
// signature.
type gateways interface {
	Get(ctx context.Context, id string, opts ...videosdk.RequestOption) (*videosdk.Gateway, error)
	List(ctx context.Context, params videosdk.GatewayListParams, opts ...videosdk.RequestOption) (*videosdk.Page[videosdk.Gateway], error)
	All(ctx context.Context, params videosdk.GatewayListParams, opts ...videosdk.RequestOption) iter.Seq2[*videosdk.Gateway, error]
	Update(ctx context.Context, id string, params videosdk.GatewayUpdateParams, opts ...videosdk.RequestOption) (*videosdk.Gateway, error)
	Modify(ctx context.Context, id string, change func(*videosdk.GatewayUpdateParams), opts ...videosdk.RequestOption) (*videosdk.Gateway, error)
	Delete(ctx context.Context, id string, opts ...videosdk.RequestOption) (*videosdk.DeleteResult, error)
}

// direction is one of the two kinds of gateways.
type direction struct {
	name, path string
	service    func(*videosdk.Client) gateways
	create     func(context.Context, *videosdk.Client) (*videosdk.Gateway, error)
}

func directions() []direction {
	return []direction{{
		"inbound", "/v2/sip/inbound-gateways",
		func(c *videosdk.Client) gateways { return c.InboundGateways },
		func(ctx context.Context, c *videosdk.Client) (*videosdk.Gateway, error) {
			return c.InboundGateways.Create(ctx, fullInboundGateway())
		},
	}, {
		"outbound", "/v2/sip/outbound-gateways",
		func(c *videosdk.Client) gateways { return c.OutboundGateways },
		func(ctx context.Context, c *videosdk.Client) (*videosdk.Gateway, error) {
			return c.OutboundGateways.Create(ctx, fullOutboundGateway())
		},
	}}
}

// gatewayOf is the gateway that the full params of a direction make.
func gatewayOf(direction, id string) *videosdk.Gateway {
	g := &videosdk.Gateway{
		ID: id, Numbers: []string{"+14155551234"}, MediaEncryption: videosdk.MediaEncryptionEnable,
		Record: true, NoiseCancellation: true, EnableDTMF: true, Tags: []string{"v2"},
		Auth: &videosdk.SIPAuth{Username: "u", Password: "p"}, Region: videosdk.RegionUS002, Metadata: map[string]string{"env": "production"},
	}
	if direction == "inbound" {
		g.Name, g.AllowedAddresses, g.AllowedNumbers = "In", []string{"10.0.0.0/8"}, []string{"+91*"}
	} else {
		g.Name, g.Address, g.Transport = "Out", "sip.telnyx.com:5061", videosdk.TransportUDP
	}
	return g
}

// bared returns a gateway without its Raw, and with nil for lists that are
// empty: the forms of the API do not tell these apart.
func bared(g *videosdk.Gateway) *videosdk.Gateway {
	withoutRaw(g)
	if len(g.AllowedAddresses) == 0 {
		g.AllowedAddresses = nil
	}
	if len(g.AllowedNumbers) == 0 {
		g.AllowedNumbers = nil
	}
	return g
}

func TestGatewaysFromCreationToDeletion(t *testing.T) {
	for _, direction := range directions() {
		for name, quirks := range forms() {
			t.Run(direction.name+", "+name, func(t *testing.T) {
				srv := newServer(t, videosdktest.WithQuirks(quirks...))
				client := newClient(t, srv)
				service, ctx := direction.service(client), t.Context()

				created, err := direction.create(ctx, client)
				require.NoError(t, err)
				want := gatewayOf(direction.name, created.ID)
				assert.NotEmpty(t, created.Raw)
				assert.Equal(t, want, bared(created))

				got, err := service.Get(ctx, created.ID)
				require.NoError(t, err)
				assert.Equal(t, want, bared(got))

				other, err := direction.create(ctx, client)
				require.NoError(t, err)
				page, err := service.List(ctx, videosdk.GatewayListParams{ID: other.ID})
				require.NoError(t, err)
				require.Len(t, page.Items, 1)
				assert.Equal(t, gatewayOf(direction.name, other.ID), bared(page.Items[0]))
				assert.Equal(t, 2, countItems(t, service.All(ctx, videosdk.GatewayListParams{Search: want.Name, PerPage: 1})))
				assert.Zero(t, countItems(t, service.All(ctx, videosdk.GatewayListParams{Search: "nobody"})))

				updated, err := service.Update(ctx, created.ID, videosdk.GatewayUpdateParams{
					Name: videosdk.Ptr("Sales"), Record: true, Region: videosdk.RegionIN002,
				})
				require.NoError(t, err)
				want.Name, want.Region = "Sales", videosdk.RegionIN002
				want.NoiseCancellation, want.EnableDTMF = false, false
				assert.Equal(t, want, bared(updated))

				modified, err := service.Modify(ctx, created.ID, func(p *videosdk.GatewayUpdateParams) { p.EnableDTMF = true })
				require.NoError(t, err)
				want.EnableDTMF = true
				assert.Equal(t, want, bared(modified))

				deleted, err := service.Delete(ctx, created.ID)
				require.NoError(t, err)
				assert.Equal(t, &videosdk.DeleteResult{ID: created.ID, Message: "Gateway deleted successfully"}, withoutRaw(deleted))
				_, err = service.Get(ctx, created.ID)
				require.ErrorIs(t, err, videosdk.ErrNotFound)
				_, err = service.Delete(ctx, created.ID)
				require.ErrorIs(t, err, videosdk.ErrNotFound, "it was this client's first attempt that met nothing")
				assert.Equal(t, 1, countItems(t, service.All(ctx, videosdk.GatewayListParams{})))
			})
		}
	}
}

// The server resets four fields of a gateway when an update leaves them out.
func TestTheUpdateTrap(t *testing.T) {
	type four struct {
		Record, NoiseCancellation, EnableDTMF bool
		Region                                videosdk.Region
	}
	whole := four{true, true, true, videosdk.RegionUS002}
	tests := []struct {
		name   string
		update func(context.Context, *videosdk.Client, direction, string) error
		want   four
	}{
		{"a request that leaves them out falls into it", func(ctx context.Context, c *videosdk.Client, d direction, id string) error {
			return c.Do(ctx, http.MethodPatch, d.path+"/"+id, map[string]any{"name": "New"}, nil)
		}, four{}},
		{"Update sets what it is told", func(ctx context.Context, c *videosdk.Client, d direction, id string) error {
			return errorOf(d.service(c).Update(ctx, id, videosdk.GatewayUpdateParams{
				Name: videosdk.Ptr("New"), Record: true, Region: videosdk.RegionUS002,
			}))
		}, four{Record: true, Region: videosdk.RegionUS002}},
		{"Update with nothing else than a name says that they are to be reset", func(ctx context.Context, c *videosdk.Client, d direction, id string) error {
			return errorOf(d.service(c).Update(ctx, id, videosdk.GatewayUpdateParams{Name: videosdk.Ptr("New")}))
		}, four{}},
		{"Modify keeps them", func(ctx context.Context, c *videosdk.Client, d direction, id string) error {
			return errorOf(d.service(c).Modify(ctx, id, func(p *videosdk.GatewayUpdateParams) { p.Name = videosdk.Ptr("New") }))
		}, whole},
		{"Modify changes one of them", func(ctx context.Context, c *videosdk.Client, d direction, id string) error {
			return errorOf(d.service(c).Modify(ctx, id, func(p *videosdk.GatewayUpdateParams) {
				p.Name, p.Record, p.Region = videosdk.Ptr("New"), false, ""
			}))
		}, four{NoiseCancellation: true, EnableDTMF: true}},
	}
	for _, tt := range tests {
		for _, direction := range directions() {
			t.Run(tt.name+", "+direction.name, func(t *testing.T) {
				srv := newServer(t)
				client := newClient(t, srv)
				created, err := direction.create(t.Context(), client)
				require.NoError(t, err)

				require.NoError(t, tt.update(t.Context(), client, direction, created.ID))

				got, err := direction.service(client).Get(t.Context(), created.ID)
				require.NoError(t, err)
				assert.Equal(t, tt.want, four{got.Record, got.NoiseCancellation, got.EnableDTMF, got.Region})
				want := gatewayOf(direction.name, created.ID)
				want.Name = "New"
				want.Record, want.NoiseCancellation, want.EnableDTMF, want.Region = tt.want.Record, tt.want.NoiseCancellation, tt.want.EnableDTMF, tt.want.Region
				assert.Equal(t, want, bared(got), "the rest stays as it was")
			})
		}
	}
}

func TestAnEmptyListEmptiesThatOfAGatewayAndNoneLeavesIt(t *testing.T) {
	client := newClient(t, newServer(t))
	gateway, err := client.InboundGateways.Create(t.Context(), fullInboundGateway())
	require.NoError(t, err)

	got, err := client.InboundGateways.Modify(t.Context(), gateway.ID, func(p *videosdk.GatewayUpdateParams) {
		p.AllowedAddresses, p.Metadata = []string{}, map[string]string{}
	})

	require.NoError(t, err)
	assert.Empty(t, got.AllowedAddresses)
	assert.Empty(t, got.Metadata)
	assert.Equal(t, gateway.AllowedNumbers, got.AllowedNumbers)
	assert.Equal(t, gateway.Tags, got.Tags)
	assert.Equal(t, gateway.Auth, got.Auth)
}

// Who adds a number to a gateway does not want it to lose all others.
func TestModifyAddsToWhatAGatewayHas(t *testing.T) {
	for _, direction := range directions() {
		t.Run(direction.name, func(t *testing.T) {
			srv := newServer(t)
			client := newClient(t, srv)
			created, err := direction.create(t.Context(), client)
			require.NoError(t, err)

			modified, err := direction.service(client).Modify(t.Context(), created.ID, func(p *videosdk.GatewayUpdateParams) {
				p.Numbers = append(p.Numbers, "+14155555678")
				p.AllowedNumbers = append(p.AllowedNumbers, "+1*")
				p.Tags[0] = "v3"
				p.Metadata["team"] = "sales"
			})

			require.NoError(t, err)
			want := gatewayOf(direction.name, created.ID)
			want.Numbers = append(want.Numbers, "+14155555678")
			want.AllowedNumbers = append(want.AllowedNumbers, "+1*")
			want.Tags, want.Metadata["team"] = []string{"v3"}, "sales"
			assert.Equal(t, want, bared(modified))
			assert.NotContains(t, string(srv.Requests()[2].Body), "allowedAddresses", "what was not touched is not written")
		})
	}
}

// What somebody else writes between the read and the write is lost only in the four
// fields that the server would reset.
func TestModifyLeavesOutWhatItDoesNotChange(t *testing.T) {
	srv := newServer(t)
	client := newClient(t, srv)
	gateway, err := client.InboundGateways.Create(t.Context(), videosdk.InboundGatewayCreateParams{
		Name: "Bare", Numbers: []string{"+14155551234"}, AllowedAddresses: []string{"10.0.0.0/8"},
	})
	require.NoError(t, err)

	_, err = client.InboundGateways.Modify(t.Context(), gateway.ID, func(p *videosdk.GatewayUpdateParams) {
		p.Record = true
		p.Metadata["team"] = "sales" // the first there is
		delete(p.Metadata, "team")
		p.AllowedAddresses = p.AllowedAddresses[:0]
	})

	require.NoError(t, err)
	assert.JSONEq(t, `{"allowedAddresses":[],"record":true,"noiseCancellation":false,"enableDtmf":false}`, string(srv.Requests()[2].Body))
}

func TestModifyWritesWhatChangesInPlace(t *testing.T) {
	srv := newServer(t)
	client := newClient(t, srv)
	gateway, err := client.InboundGateways.Create(t.Context(), videosdk.InboundGatewayCreateParams{
		Name: "Full", Numbers: []string{"+14155551234"}, Tags: []string{"v2"},
		AllowedAddresses: []string{"10.0.0.0/8"}, AllowedNumbers: []string{"+1*"}, Metadata: map[string]string{"team": "sales"},
	})
	require.NoError(t, err)

	_, err = client.InboundGateways.Modify(t.Context(), gateway.ID, func(p *videosdk.GatewayUpdateParams) {
		p.Numbers[0], p.Tags[0], p.AllowedAddresses[0], p.AllowedNumbers[0] = "+14155555678", "v3", "10.1.0.0/16", "+44*"
		p.Metadata["team"] = "support"
	})

	require.NoError(t, err)
	assert.JSONEq(t, `{"numbers":["+14155555678"],"tags":["v3"],"allowedAddresses":["10.1.0.0/16"],"allowedNumbers":["+44*"],
		"metadata":{"team":"support"},"record":false,"noiseCancellation":false,"enableDtmf":false}`, string(srv.Requests()[2].Body))
}

func TestModifyWritesOnceAndOnlyWhatItHasRead(t *testing.T) {
	for _, direction := range directions() {
		rename := func(p *videosdk.GatewayUpdateParams) { p.Name = videosdk.Ptr("New") }
		t.Run(direction.name+": not after a read that failed", func(t *testing.T) {
			srv := newServer(t)
			_, err := direction.service(newClient(t, srv)).Modify(t.Context(), "gw_none", func(*videosdk.GatewayUpdateParams) {
				t.Error("there is nothing to change")
			})
			require.ErrorIs(t, err, videosdk.ErrNotFound)
			assert.Len(t, srv.Requests(), 1)
		})
		t.Run(direction.name+": the read is repeated, the write with an unknown outcome is not", func(t *testing.T) {
			srv := newServer(t)
			client := newClient(t, srv)
			gateway, err := direction.create(t.Context(), client)
			require.NoError(t, err)
			srv.ResetRequests()
			srv.Inject(videosdktest.Fault{Method: http.MethodGet, Status: http.StatusBadGateway})
			srv.Inject(videosdktest.Fault{Method: http.MethodPatch, Drop: videosdktest.DropAfterActing})

			_, err = direction.service(client).Modify(t.Context(), gateway.ID, rename)

			require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
			assert.Equal(t, []string{http.MethodGet, http.MethodGet, http.MethodPatch}, methodsOf(srv))
			got, err := direction.service(client).Get(t.Context(), gateway.ID)
			require.NoError(t, err)
			assert.Equal(t, "New", got.Name)
		})
		t.Run(direction.name+": a change that cannot be is refused before the write", func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			_, err := direction.service(recorder.client()).Modify(t.Context(), "gw_1", func(p *videosdk.GatewayUpdateParams) { p.Name = videosdk.Ptr(" ") })
			require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
			assert.Equal(t, http.MethodGet, recorder.last().Method)
		})
	}
}

// methodsOf returns the methods of the requests that a server has seen.
func methodsOf(srv *videosdktest.Server) []string {
	var methods []string
	for _, request := range srv.Requests() {
		methods = append(methods, request.Method)
	}
	return methods
}

func TestADeletionThatFindsItsOwnWorkDoneSaysSo(t *testing.T) {
	for _, direction := range directions() {
		t.Run(direction.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, videosdktest.InMemory())
				client := newClient(t, srv)
				gateway, err := direction.create(t.Context(), client)
				require.NoError(t, err)
				srv.Inject(videosdktest.Fault{Method: http.MethodDelete, Drop: videosdktest.DropAfterActing})

				result, err := direction.service(client).Delete(t.Context(), gateway.ID)

				require.NoError(t, err)
				assert.Equal(t, &videosdk.DeleteResult{ID: gateway.ID, AlreadyGone: true}, withoutRaw(result))
			})
		})
	}
}

func TestABadGatewayIsRefusedWithAllItsFaults(t *testing.T) {
	tests := []struct {
		name   string
		call   func(context.Context, *videosdk.Client) error
		fields []string
	}{
		{"an inbound gateway of nothing", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Create(ctx, videosdk.InboundGatewayCreateParams{}))
		}, []string{"name", "numbers"}},
		{"an inbound gateway with every fault", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Create(ctx, videosdk.InboundGatewayCreateParams{
				Name: " ", Numbers: []string{"+14155551234", "4155551234", ""}, Auth: &videosdk.SIPAuth{},
			}))
		}, []string{"name", "numbers[1]", "numbers[2]", "auth.username", "auth.password"}},
		{"an outbound gateway of nothing", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Create(ctx, videosdk.OutboundGatewayCreateParams{}))
		}, []string{"name", "numbers", "address"}},
		{"an outbound gateway with half its credentials", func(ctx context.Context, c *videosdk.Client) error {
			params := fullOutboundGateway()
			params.Auth = &videosdk.SIPAuth{Username: "u"}
			return errorOf(c.OutboundGateways.Create(ctx, params))
		}, []string{"auth.password"}},
		{"a change by nothing", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Modify(ctx, "gw_1", nil))
		}, []string{"change"}},
		{"a change of an outbound gateway by nothing", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Modify(ctx, "gw_1", nil))
		}, []string{"change"}},
		{"an inbound update with what is for outbound gateways", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Update(ctx, "gw_1", videosdk.GatewayUpdateParams{
				Name: videosdk.Ptr(""), Numbers: []string{}, Auth: &videosdk.SIPAuth{Password: "p"},
				Address: videosdk.Ptr(""), Transport: videosdk.Ptr(videosdk.TransportTCP),
			}))
		}, []string{"name", "numbers", "auth.username", "address", "address", "transport"}},
		{"an outbound update with what is for inbound gateways", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Update(ctx, "gw_1", videosdk.GatewayUpdateParams{
				Address: videosdk.Ptr("\t"), AllowedAddresses: []string{},
			}))
		}, []string{"address", "allowedAddresses"}},
		{"a page before the first", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.List(ctx, videosdk.GatewayListParams{Page: -1, PerPage: -1}))
		}, []string{"page", "perPage"}},
		{"Get without an id", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Get(ctx, ""))
		}, []string{"gatewayId"}},
		{"Modify without an id", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.OutboundGateways.Modify(ctx, "..", func(*videosdk.GatewayUpdateParams) {}))
		}, []string{"gatewayId"}},
		{"Delete without an id", func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.InboundGateways.Delete(ctx, " "))
		}, []string{"gatewayId"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, anyResource)
			assertRefused(t, recorder, tt.call(t.Context(), recorder.client()), tt.fields...)
		})
	}
}

// The API may know more than we do.
func TestValuesThatAreNotKnownAreSentAsTheyAre(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, anyResource)
	_, err := recorder.client().OutboundGateways.Create(t.Context(), videosdk.OutboundGatewayCreateParams{
		Name: "Out", Numbers: []string{"+14155551234"}, Address: "sip.example.com", Transport: "quic", Region: "mars001",
		MediaEncryption: "quantum",
	})
	require.NoError(t, err)
	assert.Equal(t, `{"name":"Out","numbers":["+14155551234"],"address":"sip.example.com","transport":"quic",`+
		`"mediaEncryption":"quantum","geoRegion":"mars001"}`, string(recorder.last().Body))
}
