package videosdk_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// forms are the ways in which the API may answer one and the same thing, and
// all of them at once.
func forms() map[string][]videosdktest.Quirk {
	forms := map[string][]videosdktest.Quirk{
		"as documented":               nil,
		"statuses in upper case":      {videosdktest.UpperCaseStatuses},
		"id and callId swapped":       {videosdktest.SwappedCallIDs},
		"sipCallTo and sipCallFrom":   {videosdktest.SIPCallNumbers},
		"metaData":                    {videosdktest.MetaDataSpelling},
		"booleans as strings":         {videosdktest.StringBooleans},
		"null for what is empty":      {videosdktest.NullForEmpty},
		"nothing for what is empty":   {videosdktest.OmitEmpty},
		"pages with page, totalPages": {videosdktest.PageNames},
		"pages with pagination":       {videosdktest.PaginationObject},
		"bare lists":                  {videosdktest.BareLists},
		"a statusCode in the body":    {videosdktest.TopStatusCode},
	}
	var all []videosdktest.Quirk
	for _, quirks := range forms {
		all = append(all, quirks...)
	}
	forms["everything at once"] = all
	return forms
}

func TestPhoneNumbersFromRegistrationToRelease(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, videosdktest.WithQuirks(quirks...))
			numbers := newClient(t, srv).PhoneNumbers
			ctx := t.Context()

			_, err := numbers.Create(ctx, videosdk.PhoneNumberCreateParams{
				Name: "Support", PhoneNumbers: []string{"+14155551234", "+14155555678"}, MediaEncryption: videosdk.MediaEncryptionEnable,
				Inbound: videosdk.InboundConfig{Region: videosdk.RegionIN002},
				Outbound: videosdk.OutboundConfig{
					Region: videosdk.RegionUS002, Address: "sip.telnyx.com:5061", Transport: videosdk.TransportTCP,
					Auth: &videosdk.SIPAuth{Username: "sip-user", Password: "sip-pass"},
				},
			})
			require.NoError(t, err)

			number, err := numbers.Get(ctx, "+14155551234")
			require.NoError(t, err)
			assert.Equal(t, []string{"+14155551234", "Support", "SIP Configured", "ACTIVE"},
				[]string{number.E164, number.Name, number.Origin, number.Status})
			require.NotNil(t, number.Inbound)
			assert.Equal(t, videosdk.RegionIN002, number.Inbound.Region)
			assert.Empty(t, number.Inbound.Address)
			assert.Nil(t, number.Inbound.Auth)
			require.NotNil(t, number.Outbound)
			assert.Equal(t, videosdk.RegionUS002, number.Outbound.Region)
			assert.Equal(t, "sip.telnyx.com:5061", number.Outbound.Address)
			assert.Equal(t, videosdk.TransportTCP, number.Outbound.Transport)
			assert.Equal(t, videosdk.MediaEncryptionEnable, number.Outbound.MediaEncryption)
			assert.Equal(t, &videosdk.SIPAuth{Username: "sip-user", Password: "sip-pass"}, number.Outbound.Auth)
			assert.Equal(t, []string{"+14155551234", "+14155555678"}, number.Outbound.Numbers, "they share a pair by default")

			page, err := numbers.List(ctx, videosdk.PhoneNumberListParams{Search: "5678"})
			require.NoError(t, err)
			require.Len(t, page.Items, 1)
			assert.Equal(t, "+14155555678", page.Items[0].E164)

			detached, err := numbers.Detach(ctx, "+14155551234")
			require.NoError(t, err)
			assert.Equal(t, number.ID, detached.PhoneNumber.ID)
			assert.Equal(t, number.Inbound.ID, detached.InboundGatewayID)
			assert.Equal(t, number.Outbound.ID, detached.OutboundGatewayID)
			alone, err := numbers.Get(ctx, "+14155551234")
			require.NoError(t, err)
			assert.Nil(t, alone.Inbound)
			assert.Nil(t, alone.Outbound)

			released, err := numbers.Release(ctx, number.ID)
			require.NoError(t, err)
			assert.Equal(t, []string{number.ID, "+14155551234"}, []string{released.ID, released.E164})
			_, err = numbers.Get(ctx, "+14155551234")
			require.ErrorIs(t, err, videosdk.ErrNotFound)
		})
	}
}

func TestEachNumberGetsGatewaysOfItsOwnIfTheyAreNotShared(t *testing.T) {
	client := newClient(t, newServer(t))
	params := validPhoneNumber()
	params.PhoneNumbers = []string{"+14155551234", "+14155555678"}
	params.IsShared = videosdk.Ptr(false)
	require.NoError(t, errorOf(client.PhoneNumbers.Create(t.Context(), params)))

	first, err := client.PhoneNumbers.Get(t.Context(), "+14155551234")
	require.NoError(t, err)
	second, err := client.PhoneNumbers.Get(t.Context(), "+14155555678")
	require.NoError(t, err)
	assert.NotEqual(t, first.Inbound.ID, second.Inbound.ID)
	assert.NotEqual(t, first.Outbound.ID, second.Outbound.ID)
}

func TestARegistrationIsAllOrNothing(t *testing.T) {
	srv := newServer(t)
	srv.AddPhoneNumbers("+14155555678")
	client := newClient(t, srv)
	params := validPhoneNumber()
	params.PhoneNumbers = []string{"+14155551234", "+14155555678"}

	_, err := client.PhoneNumbers.Create(t.Context(), params)

	require.ErrorIs(t, err, videosdk.ErrBadRequest)
	require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
	_, err = client.PhoneNumbers.Get(t.Context(), "+14155551234")
	assert.ErrorIs(t, err, videosdk.ErrNotFound)
}

func TestADetachedNumberCanBeRegisteredAgain(t *testing.T) {
	srv := newServer(t)
	srv.AddPhoneNumbers("+14155551234")
	client := newClient(t, srv)
	before, err := client.PhoneNumbers.Get(t.Context(), "+14155551234")
	require.NoError(t, err)
	require.NoError(t, errorOf(client.PhoneNumbers.Detach(t.Context(), "+14155551234")))

	require.NoError(t, errorOf(client.PhoneNumbers.Create(t.Context(), validPhoneNumber())))

	after, err := client.PhoneNumbers.Get(t.Context(), "+14155551234")
	require.NoError(t, err)
	assert.Equal(t, before.ID, after.ID, "it is the number that the account had")
	assert.NotEqual(t, before.Outbound.ID, after.Outbound.ID)
}

func TestTheErrorsOfPhoneNumbers(t *testing.T) {
	srv := newServer(t)
	srv.AddPhoneNumbers("+14155551234")
	numbers := newClient(t, srv).PhoneNumbers
	require.NoError(t, errorOf(numbers.Detach(t.Context(), "+14155551234")))
	rename := videosdk.PhoneNumberGatewayUpdateParams{Name: videosdk.Ptr("n")}

	assert.ErrorIs(t, errorOf(numbers.Get(t.Context(), "+14155550000")), videosdk.ErrNotFound)
	assert.ErrorIs(t, errorOf(numbers.Detach(t.Context(), "+14155550000")), videosdk.ErrNotFound)
	assert.ErrorIs(t, errorOf(numbers.Detach(t.Context(), "+14155551234")), videosdk.ErrBadRequest, "it is not attached any more")
	assert.ErrorIs(t, errorOf(numbers.Release(t.Context(), "pn_unknown")), videosdk.ErrNotFound)
	assert.ErrorIs(t, errorOf(numbers.UpdateGateway(t.Context(), "gw_unknown", rename)), videosdk.ErrNotFound)
}

func TestReleasingANumberAgainDoesNoHarm(t *testing.T) {
	srv := newServer(t)
	srv.AddPhoneNumbers("+14155551234")
	client := newClient(t, srv)
	number, err := client.PhoneNumbers.Get(t.Context(), "+14155551234")
	require.NoError(t, err)
	rule := outboundRule(t, client, "+14155551234")

	first, err := client.PhoneNumbers.Release(t.Context(), number.ID)
	require.NoError(t, err)
	second, err := client.PhoneNumbers.Release(t.Context(), number.ID)
	require.NoError(t, err)

	assert.Equal(t, first, second)
	rule, err = client.RoutingRules.Get(t.Context(), rule.ID)
	require.NoError(t, err)
	assert.Empty(t, rule.PhoneNumbers, "it is taken out of the rules")
}

func TestOnlyWhatIsSetOfAGatewayChanges(t *testing.T) {
	srv := newServer(t)
	srv.AddPhoneNumbers("+14155551234")
	client := newClient(t, srv)
	before, err := client.PhoneNumbers.Get(t.Context(), "+14155551234")
	require.NoError(t, err)

	ack, err := client.PhoneNumbers.UpdateGateway(t.Context(), before.Outbound.ID, videosdk.PhoneNumberGatewayUpdateParams{
		Address: videosdk.Ptr("sip.example.net"), Auth: &videosdk.SIPAuth{Username: "u", Password: "p"},
	})
	require.NoError(t, err)
	assert.NotEmpty(t, ack.Message)

	after, err := client.PhoneNumbers.Get(t.Context(), "+14155551234")
	require.NoError(t, err)
	want := *before.Outbound
	want.Address, want.Auth = "sip.example.net", &videosdk.SIPAuth{Username: "u", Password: "p"}
	assert.Equal(t, withoutRaw(&want), withoutRaw(after.Outbound))
	assert.Equal(t, withoutRaw(before.Inbound), withoutRaw(after.Inbound))
}

func TestAnInboundGatewayRefusesWhatIsForOutboundOnes(t *testing.T) {
	srv := newServer(t)
	srv.AddPhoneNumbers("+14155551234")
	client := newClient(t, srv)
	number, err := client.PhoneNumbers.Get(t.Context(), "+14155551234")
	require.NoError(t, err)

	_, err = client.PhoneNumbers.UpdateGateway(t.Context(), number.Inbound.ID,
		videosdk.PhoneNumberGatewayUpdateParams{Address: videosdk.Ptr("sip.example.net")})

	assert.ErrorIs(t, err, videosdk.ErrBadRequest)
}

func TestAPageOfNumbersIsAsLargeAsTheAPIAllows(t *testing.T) {
	srv := newServer(t)
	srv.AddPhoneNumbers("+14155550001", "+14155550002", "+14155550003")
	numbers := newClient(t, srv).PhoneNumbers

	page, err := numbers.List(t.Context(), videosdk.PhoneNumberListParams{})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 20, 1, 3}, []int{page.Page, page.PerPage, page.LastPage, page.Total})

	page, err = numbers.List(t.Context(), videosdk.PhoneNumberListParams{PerPage: 500})
	require.NoError(t, err)
	assert.Equal(t, 100, page.PerPage)

	page, err = numbers.List(t.Context(), videosdk.PhoneNumberListParams{Page: 2, PerPage: 2})
	require.NoError(t, err)
	assert.Equal(t, []int{2, 2, 2, 3}, []int{page.Page, page.PerPage, page.LastPage, page.Total})
	assert.True(t, slices.ContainsFunc(page.Items, func(n *videosdk.PhoneNumber) bool { return n.E164 == "+14155550003" }))
}
