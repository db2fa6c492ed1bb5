package videosdk_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// The numbers of the accounts in this file.
const (
	ownNumber   = "+14155551234"
	spareNumber = "+14155550001" // not registered yet
	callee      = "+919876543210"
	supervisor  = "+919876500000"
)

// account is an account in use: a number with gateways, an outbound rule, a
// call that was answered, a second room, a trunk. Its client has used its token
// before.
type account struct {
	srv    *videosdktest.Server
	client *videosdk.Client
	refuse *atomic.Bool // the next dial fails

	number  *videosdk.PhoneNumber
	rule    *videosdk.RoutingRule
	call    *videosdk.Call
	gateway string // that no number is attached to
	room    string
	trunk   string
}

// newAccount makes an account that lives in a synctest bubble.
func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{srv: newServer(t, videosdktest.InMemory()), refuse: &atomic.Bool{}}
	a.client = newClient(t, a.srv, videosdk.WithHTTPClient(&http.Client{Transport: a.refusing(t)}))
	ctx := t.Context()

	a.srv.AddPhoneNumbers(ownNumber)
	var err error
	a.number, err = a.client.PhoneNumbers.Get(ctx, ownNumber)
	require.NoError(t, err)
	a.rule, err = a.client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "the rule", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ownNumber},
	})
	require.NoError(t, err)
	a.call, err = a.client.Calls.Create(ctx, videosdk.CallCreateParams{To: supervisor, From: ownNumber, RoutingRuleID: a.rule.ID})
	require.NoError(t, err)
	_, err = a.client.Calls.WaitAnswered(ctx, a.call.ID)
	require.NoError(t, err)
	a.gateway = a.create(t, "/v2/sip/outbound-gateways", map[string]any{
		"name": "the gateway", "numbers": []string{"+15550001111"}, "address": "sip.example.com",
	})
	a.room = a.create(t, "/v2/rooms", nil)
	a.trunk = a.create(t, "/v2/sip-trunk", map[string]any{
		"name": "the trunk", "direction": "outbound", "numbers": []string{"+15550002222"},
	})
	a.srv.ResetRequests()
	return a
}

// refusing returns the transport of the server with a dialler that refuses
// connections on demand.
func (a *account) refusing(t *testing.T) *http.Transport {
	t.Helper()
	transport, ok := a.srv.HTTPClient().Transport.(*http.Transport)
	require.True(t, ok)
	transport = transport.Clone()
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if a.refuse.Swap(false) {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return dial(ctx, network, address)
	}
	return transport
}

// create makes something that no service makes yet, and returns its id.
func (a *account) create(t *testing.T, path string, params any) string {
	t.Helper()
	var made struct {
		ID      string `json:"id"`
		RoomID  string `json:"roomId"`
		TrunkID string `json:"trunkId"`
	}
	require.NoError(t, a.client.Do(t.Context(), http.MethodPost, path, params, &made))
	return made.ID + made.RoomID + made.TrunkID
}

func newCall(ruleID string) videosdk.CallCreateParams {
	return videosdk.CallCreateParams{To: callee, From: ownNumber, RoutingRuleID: ruleID}
}

func newNumbers(numbers ...string) videosdk.PhoneNumberCreateParams {
	return videosdk.PhoneNumberCreateParams{
		Name: "made by the test", PhoneNumbers: numbers,
		Inbound: videosdk.InboundConfig{Region: videosdk.RegionUS002},
		Outbound: videosdk.OutboundConfig{
			Region: videosdk.RegionUS002, Address: "sip.example.com",
			Auth: &videosdk.SIPAuth{Username: "user", Password: "hunter2-password"},
		},
	}
}

func newRule() videosdk.RoutingRuleCreateParams {
	return videosdk.RoutingRuleCreateParams{
		Name: "made by the test", Type: videosdk.DirectionInbound, PhoneNumbers: []string{ownNumber},
		Room: &videosdk.RoutingRoom{Type: videosdk.RoomTypeDynamic, PIN: "918273"},
	}
}

// do returns an operation that goes by Client.Do.
func do(method string, path func(*account) string, body func(*account) any) func(context.Context, *account, ...videosdk.RequestOption) error {
	return func(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
		var in any
		if body != nil {
			in = body(a)
		}
		return a.client.Do(ctx, method, path(a), in, nil, opts...)
	}
}

// to returns a fixed path.
func to(path string) func(*account) string { return func(*account) string { return path } }

// gatewayPath is the path of the account's gateway.
func gatewayPath(a *account) string { return "/v2/sip/outbound-gateways/" + a.gateway }

// What an operation does with an outcome.
type reaction int

const (
	repeats reaction = iota // sends it again, and succeeds
	mayHave                 // gives up: it may have been applied
	refuses                 // gives up: it was not applied
)

// row is an operation and its row of the retry table.
type row struct {
	// What the operation does with outcomes of each kind that operations differ in.
	unknown, unusable, conflict reaction

	operation string

	do func(context.Context, *account, ...videosdk.RequestOption) error
	// applied counts how often the server did what it was asked; nil for what
	// changes nothing.
	applied func(*testing.T, *account) int
}

// retryTable is the table of the design, as far as the services reach it.
func retryTable() []row {
	return append([]row{
		// unknown, unusable, conflict
		{repeats, refuses, refuses, "PhoneNumbers.Get", getNumber, nil},
		{repeats, refuses, refuses, "PhoneNumbers.List", listNumbers, nil},
		{repeats, refuses, refuses, "RoutingRules.Get", getRule, nil},
		{repeats, refuses, refuses, "RoutingRules.List", listRules, nil},
		{repeats, refuses, refuses, "Calls.Get", getCall, nil},
		{repeats, refuses, refuses, "Calls.List", listCalls, nil},
		{repeats, refuses, refuses, "Do GET", do(http.MethodGet, gatewayPath, nil), nil},
		{repeats, mayHave, repeats, "RoutingRules.Delete", deleteRule, ruleIsGone},
		{repeats, mayHave, refuses, "Do DELETE", do(http.MethodDelete, gatewayPath, nil), gatewayIsGone},
		{mayHave, mayHave, refuses, "RoutingRules.Update", updateRule, ruleIsRenamed},
		{mayHave, mayHave, refuses, "PhoneNumbers.UpdateGateway", updateGateway, inboundIsRenamed},
		{mayHave, mayHave, refuses, "Do PATCH", do(http.MethodPatch, gatewayPath, renamed), gatewayIsRenamed},
		{mayHave, mayHave, refuses, "Do PUT", do(http.MethodPut, gatewayPath, renamed), gatewayIsRenamed},
		{mayHave, mayHave, repeats, "PhoneNumbers.Create", createNumbers, numbersExist},
		{repeats, mayHave, refuses, "PhoneNumbers.Release", releaseNumber, numberIsGone},
		{repeats, mayHave, refuses, "Calls.End", endCall, callIsOver},
		{mayHave, mayHave, refuses, "PhoneNumbers.Detach", detachNumber, numberIsDetached},
		{mayHave, mayHave, refuses, "RoutingRules.Create", createRule, rulesMade},
		{mayHave, mayHave, refuses, "Do POST that makes something", do(http.MethodPost, to("/v2/sip/inbound-gateways"), newGateway), gatewaysMade},
	}, peopleRows()...)
}

// peopleRows are the rows of what rings or moves a person.
func peopleRows() []row {
	return []row{
		{mayHave, mayHave, refuses, "Calls.Create", createCall, dialled},
		{mayHave, mayHave, refuses, "Calls.Transfer", transferCall, dialled},
		{mayHave, mayHave, refuses, "Calls.SwitchRoom", switchRoom, callIsSwitched},
		{mayHave, mayHave, refuses, "Do POST that dials", do(http.MethodPost, to("/v2/sip/call"), callBody), dialled},
		{mayHave, mayHave, refuses, "Do POST that dials by trunk", do(http.MethodPost, to("/v2/sip/outbound-call"), trunkCallBody), dialled},
		{mayHave, mayHave, refuses, "Do POST that transfers", do(http.MethodPost, to("/v2/sip/call/transfer"), transferBody), dialled},
		{mayHave, mayHave, refuses, "Do POST that switches rooms", do(http.MethodPost, to("/v2/sip/call/switch-room"), switchBody), callIsSwitched},
	}
}

func getNumber(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.PhoneNumbers.Get(ctx, ownNumber, opts...)
	return err
}

func listNumbers(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.PhoneNumbers.List(ctx, videosdk.PhoneNumberListParams{}, opts...)
	return err
}

func getRule(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.RoutingRules.Get(ctx, a.rule.ID, opts...)
	return err
}

func listRules(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.RoutingRules.List(ctx, videosdk.RoutingRuleListParams{}, opts...)
	return err
}

func getCall(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.Calls.Get(ctx, a.call.ID, opts...)
	return err
}

func listCalls(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.Calls.List(ctx, videosdk.CallListParams{}, opts...)
	return err
}

func deleteRule(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.RoutingRules.Delete(ctx, a.rule.ID, opts...)
	return err
}

func ruleIsGone(t *testing.T, a *account) int { return isGone(t, getRule(t.Context(), a)) }

// isGone counts 1 for an error that says so.
func isGone(t *testing.T, err error) int {
	t.Helper()
	if err != nil {
		require.ErrorIs(t, err, videosdk.ErrNotFound)
	}
	return count(err != nil)
}

func count(happened bool) int {
	if happened {
		return 1
	}
	return 0
}

func gatewayIsGone(t *testing.T, a *account) int {
	return isGone(t, a.client.Do(t.Context(), http.MethodGet, gatewayPath(a), nil, nil))
}

func updateRule(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.RoutingRules.Update(ctx, a.rule.ID, videosdk.RoutingRuleUpdateParams{Name: videosdk.Ptr("renamed")}, opts...)
	return err
}

func ruleIsRenamed(t *testing.T, a *account) int {
	rule, err := a.client.RoutingRules.Get(t.Context(), a.rule.ID)
	require.NoError(t, err)
	return count(rule.Name == "renamed")
}

func updateGateway(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	params := videosdk.PhoneNumberGatewayUpdateParams{Name: videosdk.Ptr("renamed")}
	_, err := a.client.PhoneNumbers.UpdateGateway(ctx, a.number.Inbound.ID, params, opts...)
	return err
}

func inboundIsRenamed(t *testing.T, a *account) int {
	number, err := a.client.PhoneNumbers.Get(t.Context(), ownNumber)
	require.NoError(t, err)
	return count(number.Inbound.Name == "renamed")
}

func renamed(*account) any { return map[string]any{"name": "renamed"} }

func gatewayIsRenamed(t *testing.T, a *account) int {
	var gateway videosdk.Gateway
	require.NoError(t, a.client.Do(t.Context(), http.MethodGet, gatewayPath(a), nil, &gateway))
	return count(gateway.Name == "renamed")
}

func createNumbers(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.PhoneNumbers.Create(ctx, newNumbers(spareNumber), opts...)
	return err
}

func numbersExist(t *testing.T, a *account) int {
	page, err := a.client.PhoneNumbers.List(t.Context(), videosdk.PhoneNumberListParams{Search: spareNumber})
	require.NoError(t, err)
	return page.Total
}

func releaseNumber(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.PhoneNumbers.Release(ctx, a.number.ID, opts...)
	return err
}

func numberIsGone(t *testing.T, a *account) int { return isGone(t, getNumber(t.Context(), a)) }

func endCall(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.Calls.End(ctx, a.call.ID, opts...)
	return err
}

func callIsOver(t *testing.T, a *account) int {
	call, err := a.client.Calls.Get(t.Context(), a.call.ID)
	require.NoError(t, err)
	return count(call.IsOver())
}

func detachNumber(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.PhoneNumbers.Detach(ctx, ownNumber, opts...)
	return err
}

func numberIsDetached(t *testing.T, a *account) int {
	number, err := a.client.PhoneNumbers.Get(t.Context(), ownNumber)
	require.NoError(t, err)
	return count(number.Inbound == nil)
}

func createRule(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.RoutingRules.Create(ctx, newRule(), opts...)
	return err
}

func rulesMade(t *testing.T, a *account) int {
	page, err := a.client.RoutingRules.List(t.Context(), videosdk.RoutingRuleListParams{Search: "made by the test"})
	require.NoError(t, err)
	return page.Total
}

func newGateway(*account) any {
	return map[string]any{"name": "made by the test", "numbers": []string{spareNumber}}
}

func gatewaysMade(t *testing.T, a *account) int {
	var page struct {
		Data []videosdk.Gateway `json:"data"`
	}
	path := "/v2/sip/inbound-gateways?" + url.Values{"search": {"made by the test"}}.Encode()
	require.NoError(t, a.client.Do(t.Context(), http.MethodGet, path, nil, &page))
	return len(page.Data)
}

func createCall(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.Calls.Create(ctx, newCall(a.rule.ID), opts...)
	return err
}

func transferCall(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.Calls.Transfer(ctx, a.call.ID, videosdk.CallTransferParams{To: callee}, opts...)
	return err
}

func switchRoom(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	_, err := a.client.Calls.SwitchRoom(ctx, a.call.ID, videosdk.CallSwitchRoomParams{RoomID: a.room}, opts...)
	return err
}

// dialled counts how often the callee's phone rang.
func dialled(_ *testing.T, a *account) int { return a.srv.DialCount(callee) }

func callBody(a *account) any {
	return map[string]any{"sipCallTo": callee, "sipCallFrom": ownNumber, "routingRuleId": a.rule.ID}
}

func trunkCallBody(a *account) any {
	return map[string]any{"to": callee, "displayName": "Support", "meetingId": a.room, "trunkId": a.trunk}
}

func transferBody(a *account) any {
	return map[string]any{"callId": a.call.ID, "transferTo": callee}
}

func switchBody(a *account) any {
	return map[string]any{"callId": a.call.ID, "roomId": a.room}
}

func callIsSwitched(t *testing.T, a *account) int {
	synctest.Wait() // the switch follows the answer
	call, err := a.client.Calls.Get(t.Context(), a.call.ID)
	require.NoError(t, err)
	return count(call.RoomID == a.room)
}

// outcome is what the first attempt of an operation meets.
type outcome struct {
	name        string
	fault       videosdktest.Fault
	unreachable bool // the server cannot be dialled, in place of the fault
	kind        func(row) reaction
	acts        bool // the server does what it is asked

	err    error // that an operation returns which gives up
	status int   // of an *APIError, or success; 0 for a *RequestError
}

// success stands for each 2xx.
const success = 200

func unprocessed(row) reaction { return repeats }
func unknown(r row) reaction   { return r.unknown }
func unusable(r row) reaction  { return r.unusable }
func conflict(r row) reaction  { return r.conflict }
func refused(row) reaction     { return refuses }

func statusFault(status int, header ...string) videosdktest.Fault {
	f := videosdktest.Fault{Status: status, Header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		f.Header.Set(header[i], header[i+1])
	}
	return f
}

func outcomes() []outcome {
	return []outcome{
		{name: "when nothing listens", unreachable: true, kind: unprocessed},
		{name: "after a 429", fault: statusFault(429), kind: unprocessed},
		{name: "after a 429 with Retry-After", fault: statusFault(429, "Retry-After", "2"), kind: unprocessed},
		{name: "after a 401 on a token in use", fault: statusFault(401), kind: unprocessed},

		{name: "when the server hangs up before reading", fault: videosdktest.Fault{Drop: videosdktest.DropBeforeReading}, kind: unknown},
		{name: "when the connection is lost before the server acts", fault: videosdktest.Fault{Drop: videosdktest.DropBeforeActing}, kind: unknown},
		{name: "when the connection is lost after the server acted", fault: videosdktest.Fault{Drop: videosdktest.DropAfterActing}, kind: unknown, acts: true},
		{name: "when the answer is cut short", fault: videosdktest.Fault{Drop: videosdktest.DropMidBody}, kind: unknown, acts: true,
			err: videosdk.ErrInvalidResponse, status: success},
		{name: "after an attempt that takes too long", fault: videosdktest.Fault{Delay: time.Minute}, kind: unknown, err: videosdk.ErrTimeout},
		{name: "after a 408", fault: statusFault(408), kind: unknown, status: 408},
		{name: "after a 499", fault: statusFault(499), kind: unknown, status: 499},
		{name: "after a 500", fault: statusFault(500), kind: unknown, err: videosdk.ErrServer, status: 500},
		{name: "after a 502", fault: statusFault(502), kind: unknown, err: videosdk.ErrServer, status: 502},
		{name: "after a 503", fault: statusFault(503), kind: unknown, err: videosdk.ErrServer, status: 503},
		{name: "after a 503 with Retry-After", fault: statusFault(503, "Retry-After", "2"), kind: unknown, err: videosdk.ErrServer, status: 503},
		{name: "after a 504", fault: statusFault(504), kind: unknown, err: videosdk.ErrServer, status: 504},
		{name: "after a 200 that says 500", fault: videosdktest.Fault{Body: `{"statusCode":500}`}, kind: unknown, err: videosdk.ErrServer, status: 500},

		{name: "after a 302", fault: statusFault(302, "Location", "/elsewhere"), kind: unusable, status: 302},
		{name: "after a 303", fault: statusFault(303, "Location", "/elsewhere"), kind: unusable, status: 303},
		{name: "after a page of HTML", fault: videosdktest.Fault{Body: "<html>Log in</html>"}, kind: unusable,
			err: videosdk.ErrInvalidResponse, status: 200},

		{name: "after a 409", fault: statusFault(409), kind: conflict, err: videosdk.ErrConflict, status: 409},

		{name: "after a 307", fault: statusFault(307, "Location", "/elsewhere"), kind: refused, status: 307},
		{name: "after a 400", fault: statusFault(400), kind: refused, err: videosdk.ErrBadRequest, status: 400},
		{name: "after a 402", fault: statusFault(402), kind: refused, err: videosdk.ErrPaymentRequired, status: 402},
		{name: "after a 403", fault: statusFault(403), kind: refused, err: videosdk.ErrForbidden, status: 403},
		{name: "after a 404", fault: statusFault(404), kind: refused, err: videosdk.ErrNotFound, status: 404},
		{name: "after a 422", fault: statusFault(422), kind: refused, status: 422},
		{name: "after a 200 that says 400", fault: videosdktest.Fault{Body: `{"statusCode":400}`}, kind: refused, err: videosdk.ErrBadRequest, status: 400},
	}
}

func TestEveryCellOfTheRetryTable(t *testing.T) {
	verbs := map[reaction]string{repeats: "repeats", mayHave: "may have been applied", refuses: "is refused"}
	for _, r := range retryTable() {
		for _, o := range outcomes() {
			want := o.kind(r)
			t.Run(fmt.Sprintf("%s %s %s", r.operation, verbs[want], o.name), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					a := newAccount(t)
					requests := meet(a, o)

					err := r.do(t.Context(), a)
					if want == repeats {
						requests++
						require.NoError(t, err)
					} else {
						o.requireError(t, err, want == mayHave)
					}
					assert.Len(t, a.srv.Requests(), requests)
					if r.applied != nil {
						assert.Equal(t, count(want == repeats || o.acts), r.applied(t, a), "times that it was applied")
					}
				})
			})
		}
	}
}

// meet makes the next attempt meet an outcome, and returns how many requests of
// it the server sees.
func meet(a *account, o outcome) int {
	if o.unreachable {
		a.client.CloseIdleConnections()
		a.refuse.Store(true)
		return 0
	}
	a.srv.Inject(o.fault)
	return 1
}

func (o outcome) requireError(t *testing.T, err error, maybe bool) {
	t.Helper()
	require.Error(t, err)
	if o.err != nil {
		require.ErrorIs(t, err, o.err)
	}
	assert.Equal(t, maybe, errors.Is(err, videosdk.ErrMaybeApplied), err)
	if o.status == 0 {
		var failure *videosdk.RequestError
		require.ErrorAs(t, err, &failure)
		assert.Equal(t, maybe, failure.MaybeApplied)
		assert.Equal(t, 1, failure.Attempts)
		return
	}
	var answer *videosdk.APIError
	require.ErrorAs(t, err, &answer)
	if o.status == success {
		assert.Equal(t, success/100, answer.StatusCode/100, answer.StatusCode)
	} else {
		assert.Equal(t, o.status, answer.StatusCode)
	}
	assert.Equal(t, maybe, answer.MaybeApplied)
	assert.Equal(t, 1, answer.Attempts)
}

func TestRepeatsEndAtTheLimit(t *testing.T) {
	always := func(f videosdktest.Fault) videosdktest.Fault {
		f.Times = -1
		return f
	}
	tests := []struct {
		name     string
		do       func(context.Context, *account, ...videosdk.RequestOption) error
		fault    videosdktest.Fault
		opts     []videosdk.RequestOption
		requests int
		err      error
		maybe    bool
	}{
		{"a read is tried four times", listCalls, statusFault(503), nil, 4, videosdk.ErrServer, false},
		{"a delete whose every answer is lost may have been applied", deleteRule, videosdktest.Fault{Drop: videosdktest.DropBeforeActing}, nil,
			4, videosdk.ErrMaybeApplied, true},
		{"a call that is rate limited is tried four times and never placed", createCall, statusFault(429), nil, 4, videosdk.ErrRateLimited, false},
		{"numbers that somebody else keeps taking are tried four times", createNumbers, statusFault(409), nil, 4, videosdk.ErrConflict, false},
		{"no repeat is made when none is allowed", listCalls, statusFault(503), []videosdk.RequestOption{videosdk.WithMaxRetries(0)},
			1, videosdk.ErrServer, false},
		{"a call may allow itself more", listCalls, statusFault(503), []videosdk.RequestOption{videosdk.WithMaxRetries(5)},
			6, videosdk.ErrServer, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				a.srv.Inject(always(tt.fault))

				err := tt.do(t.Context(), a, tt.opts...)
				require.ErrorIs(t, err, tt.err)
				assert.Equal(t, tt.maybe, errors.Is(err, videosdk.ErrMaybeApplied))
				assert.Len(t, a.srv.Requests(), tt.requests)
				assert.Zero(t, a.srv.DialCount(callee))
			})
		})
	}
}

func TestTheLimitOfAClientHoldsForItsCalls(t *testing.T) {
	rec := newRecorder(t, http.StatusServiceUnavailable, `{}`)
	_, err := rec.client(videosdk.WithMaxRetries(1)).Calls.List(t.Context(), videosdk.CallListParams{})
	require.ErrorIs(t, err, videosdk.ErrServer)
	assert.Len(t, rec.all(), 2)
}

func TestAnOutageOfConnectionsIsCertainToHaveAppliedNothing(t *testing.T) {
	for _, r := range retryTable() {
		t.Run(r.operation, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				a.srv.Close() // nothing can be dialled from here on

				err := r.do(t.Context(), a)
				var failure *videosdk.RequestError
				require.ErrorAs(t, err, &failure)
				assert.Equal(t, 4, failure.Attempts)
				assert.False(t, failure.MaybeApplied, err)
				assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
			})
		})
	}
}

// meets answers the attempts of an operation one after the other, the last
// answer again and again. 0 lets the server act.
func meets(statuses ...int) []videosdktest.Fault {
	faults := make([]videosdktest.Fault, len(statuses))
	for i, status := range statuses {
		faults[i] = videosdktest.Fault{Status: status}
	}
	return faults
}

func TestWhatAnEarlierAttemptLeftBehindIsRemembered(t *testing.T) {
	optIn := []videosdk.RequestOption{videosdk.WithRetryUnknown()}
	lost := videosdktest.Fault{Drop: videosdktest.DropAfterActing}
	tests := []struct {
		name     string
		do       func(context.Context, *account, ...videosdk.RequestOption) error
		opts     []videosdk.RequestOption
		faults   []videosdktest.Fault
		requests int
		err      error // nil for success
		maybe    bool
		applied  func(*testing.T, *account) int
		times    int
	}{
		{"a call that is rate limited twice is dialled once", createCall, nil, meets(429, 429), 3, nil, false, dialled, 1},
		{"a call that is rate limited and then lost is not dialled again", createCall, nil, []videosdktest.Fault{{Status: 429}, lost},
			2, videosdk.ErrMaybeApplied, true, dialled, 1},
		{"a call that met 401 and then 503 is not dialled again", createCall, nil, meets(401, 503), 2, videosdk.ErrServer, true, dialled, 0},
		{"a second 401 in one call is the end", listCalls, nil, meets(401, 401), 2, videosdk.ErrUnauthorized, false, nil, 0},
		{"numbers that somebody else takes twice are created at the third attempt", createNumbers, nil, meets(409, 409), 3, nil, false, numbersExist, 1},
		{"numbers whose creation is lost after a conflict may exist", createNumbers, nil, []videosdktest.Fault{{Status: 409}, lost},
			2, videosdk.ErrMaybeApplied, true, numbersExist, 1},
		{"numbers that exist by an earlier attempt are refused but may have been made", createNumbers, optIn, []videosdktest.Fault{lost},
			2, videosdk.ErrBadRequest, true, numbersExist, 1},
		{"a delete whose answer was lost and that finds nothing has succeeded", deleteRule, nil, []videosdktest.Fault{lost}, 2, nil, false, ruleIsGone, 1},
		{"a delete that finds nothing after a 500 has succeeded", deleteRule, nil, meets(500, 404), 2, nil, false, nil, 0},
		{"a delete that finds nothing after a conflict has succeeded", deleteRule, nil, meets(409, 404), 2, nil, false, nil, 0},
		{"a delete that finds nothing after a 429 has failed", deleteRule, nil, meets(429, 404), 2, videosdk.ErrNotFound, false, ruleIsGone, 0},
		{"a read that finds nothing after a 500 has failed", getRule, nil, meets(500, 404), 2, videosdk.ErrNotFound, false, nil, 0},
		{"an update may be repeated on demand", updateRule, optIn, meets(500, 502), 3, nil, false, ruleIsRenamed, 1},
		{"an update that is refused after an unknown outcome may have been applied", updateRule, optIn, meets(500, 400),
			2, videosdk.ErrBadRequest, true, ruleIsRenamed, 0},
		{"a creation that is repeated on demand may happen twice", createOutboundRule, optIn, []videosdktest.Fault{lost}, 2, nil, false, rulesMade, 2},
		{"releasing a number again does no harm", releaseNumber, nil, []videosdktest.Fault{lost}, 2, nil, false, numberIsGone, 1},
		{"ending a call again does no harm", endCall, nil, []videosdktest.Fault{lost, lost}, 3, nil, false, callIsOver, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				for _, f := range tt.faults {
					a.srv.Inject(f)
				}

				err := tt.do(t.Context(), a, tt.opts...)
				if tt.err == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, tt.err)
				}
				assert.Equal(t, tt.maybe, errors.Is(err, videosdk.ErrMaybeApplied), err)
				assert.Len(t, a.srv.Requests(), tt.requests)
				if tt.applied != nil {
					assert.Equal(t, tt.times, tt.applied(t, a), "times that it was applied")
				}
			})
		})
	}
}

// repeating is a transport that sends again what got no answer, as that of
// go-retryablehttp does.
func repeating(next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (resp *http.Response, err error) {
		var body []byte
		if req.Body != nil {
			body, err = io.ReadAll(req.Body)
		}
		for n := 0; n == 0 || err != nil && n < 2; n++ {
			copied := req.Clone(req.Context())
			copied.Body = io.NopCloser(bytes.NewReader(body))
			resp, err = next.RoundTrip(copied)
		}
		return resp, err
	})
}

func TestWhatATransportHasRepeatedByItselfIsNotSentOnceMore(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusUnauthorized} {
		t.Run(fmt.Sprint("after a ", status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				a.client = newClient(t, a.srv, videosdk.WithHTTPClient(&http.Client{Transport: repeating(a.srv.HTTPClient().Transport)}))
				require.NoError(t, listCalls(t.Context(), a)) // now the token may be renewed
				a.srv.ResetRequests()
				a.srv.Inject(videosdktest.Fault{Drop: videosdktest.DropAfterActing})
				a.srv.Inject(videosdktest.Fault{Status: status})

				err := createCall(t.Context(), a)
				assert.Len(t, a.srv.Requests(), 2)
				assert.Equal(t, 1, a.srv.DialCount(callee))
				require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
			})
		})
	}
}

func TestACallThatAMiddlewareAnswersForTheServerMayHaveBeenPlaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.srv.Callee(callee).AnswersAfter(time.Minute)
		var sent sync.WaitGroup
		impatient := func(next http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				if req.Method != http.MethodPost {
					return next.RoundTrip(req)
				}
				sent.Go(func() { _, _ = next.RoundTrip(req) })
				synctest.Wait() // the server waits for the callee
				return &http.Response{StatusCode: http.StatusTooManyRequests, Body: http.NoBody, Request: req}, nil
			})
		}
		a.client = newClient(t, a.srv, videosdk.WithMiddleware(impatient))
		params := newCall(a.rule.ID)
		params.WaitUntilAnswered = true
		_, err := a.client.Calls.Create(t.Context(), params)
		sent.Wait()
		assert.Equal(t, 1, a.srv.DialCount(callee))
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	})
}

func TestACallIsNotRepeatedAfterARefusalThatIsToldUnderASuccess(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusTooManyRequests} {
		rec := newRecorder(t, http.StatusOK, `{"id":"c"}`).then(http.StatusOK, fmt.Sprintf(`{"statusCode":%d}`, status))
		client := rec.client()
		require.NoError(t, getOne(t.Context(), client)) // so that the token is not new
		require.Error(t, errorOf(client.Calls.Create(t.Context(), newCall("rule_1"))))
		assert.Len(t, rec.all(), 2)
	}
}

func TestACallThatIsLostMayHaveBeenPlacedWhateverAMiddlewareAnswersInstead(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusUnauthorized, http.StatusBadRequest} {
		a := newAccount(t)
		a.srv.Inject(videosdktest.Fault{Drop: videosdktest.DropAfterActing})
		fallback := func(next http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err != nil {
					return &http.Response{StatusCode: status, Body: http.NoBody, Request: req}, nil
				}
				return resp, nil
			})
		}
		a.client = newClient(t, a.srv, videosdk.WithMiddleware(fallback))
		_, err := a.client.Calls.Create(t.Context(), newCall(a.rule.ID))
		assert.Equal(t, 1, a.srv.DialCount(callee))
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	}
}

func TestACallThatAMiddlewareSendsByAnotherWayMayHaveBeenPlaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		other := a.srv.HTTPClient().Transport
		detour := func(next http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err == nil {
					return resp, nil
				}
				again := req.Clone(req.Context())
				if again.Body, err = req.GetBody(); err != nil {
					return nil, err
				}
				return other.RoundTrip(again)
			})
		}
		a.client = newClient(t, a.srv, videosdk.WithHTTPClient(&http.Client{Transport: a.refusing(t)}), videosdk.WithMiddleware(detour))
		a.refuse.Store(true)
		a.srv.Inject(videosdktest.Fault{Drop: videosdktest.DropAfterActing})

		err := createCall(t.Context(), a)
		assert.Equal(t, 1, a.srv.DialCount(callee))
		require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	})
}

// createOutboundRule makes a rule that the server would make any number of
// times.
func createOutboundRule(ctx context.Context, a *account, opts ...videosdk.RequestOption) error {
	params := newRule()
	params.Type = videosdk.DirectionOutbound
	_, err := a.client.RoutingRules.Create(ctx, params, opts...)
	return err
}

func TestNoOptionRepeatsWhatReachesPeople(t *testing.T) {
	for _, r := range peopleRows() {
		t.Run(r.operation, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				err := r.do(t.Context(), a, videosdk.WithRetryUnknown())
				require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
				require.ErrorContains(t, err, "WithRetryUnknown")
				assert.Empty(t, a.srv.Requests())
			})
		})
	}
}

func TestAnOptionRepeatsWhatReachesNobody(t *testing.T) {
	again := videosdk.WithRetryUnknown()
	for name, do := range map[string]func(context.Context, *videosdk.Client) error{
		"Webhooks.Create": func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.Create(ctx, validWebhook(), again))
		},
		"Webhooks.Update": func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.Webhooks.Update(ctx, "wh_1", videosdk.WebhookUpdateParams{URL: videosdk.Ptr("https://example.com")}, again))
		},
		"BatchCalls.Cancel": func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Cancel(ctx, "batch_1", videosdk.BatchCancelGraceful, again))
		},
		"BatchCalls.Records.Update": func(ctx context.Context, c *videosdk.Client) error {
			return errorOf(c.BatchCalls.Records.Update(ctx, "batch_1", "rec_1", videosdk.BatchRecordUpdateParams{Metadata: map[string]any{"k": "v"}}, again))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				recorder := newRecorder(t, http.StatusInternalServerError, `{}`)
				require.ErrorIs(t, do(t.Context(), recorder.client(videosdk.WithMaxRetries(1))), videosdk.ErrMaybeApplied)
				assert.Len(t, recorder.all(), 2)
			})
		})
	}
}

// The table above loses connections in memory, where there are no resets and
// no bytes in flight. A call must hold on TCP as well, on a connection that is
// new and on one that was used before.
func TestACallWhoseTCPConnectionIsLostDialsAtMostOnce(t *testing.T) {
	tests := []struct {
		name  string
		drop  videosdktest.Drop
		dials int
	}{
		{"before the server reads", videosdktest.DropBeforeReading, 0},
		{"before the server acts", videosdktest.DropBeforeActing, 0},
		{"after the server acted", videosdktest.DropAfterActing, 1},
		{"in the middle of the answer", videosdktest.DropMidBody, 1},
	}
	for _, tt := range tests {
		for _, reused := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, connection reused: %v", tt.name, reused), func(t *testing.T) {
				srv := newServer(t)
				srv.AddPhoneNumbers(ownNumber)
				client := newClient(t, srv)
				rule, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
					Name: "out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ownNumber},
				})
				require.NoError(t, err)
				if !reused {
					client.CloseIdleConnections()
				}
				srv.ResetRequests()
				srv.Inject(videosdktest.Fault{Drop: tt.drop})

				_, err = client.Calls.Create(t.Context(), newCall(rule.ID))
				require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
				assert.Len(t, srv.Requests(), 1)
				assert.Equal(t, tt.dials, srv.DialCount(callee))
			})
		}
	}
}

func TestRetryAfter(t *testing.T) {
	date := func(s string) string { return "Sat, 01 Jan 2050 00:00:" + s + " GMT" }
	tests := []struct {
		name        string
		header      http.Header
		repeated    bool
		least, most time.Duration // of the wait
		told        time.Duration // APIError.RetryAfter, if not repeated
	}{
		{"of a second is waited for once", http.Header{"Retry-After": {"1"}}, true, time.Second, 1100 * time.Millisecond, 0},
		{"of 30 seconds is waited for", http.Header{"Retry-After": {"30"}}, true, 30 * time.Second, 33 * time.Second, 0},
		{"of 31 seconds is told at once", http.Header{"Retry-After": {"31"}}, false, 0, 0, 31 * time.Second},
		{"of an hour is told at once", http.Header{"Retry-After": {"3600"}}, false, 0, 0, time.Hour},
		{"of 2^63 seconds is told at once", http.Header{"Retry-After": {"9223372036854775808"}}, false, 0, 0, math.MaxInt64},
		{"that overflows a duration is told at once", http.Header{"Retry-After": {"9223372037"}}, false, 0, 0, math.MaxInt64},
		{"that is a date is measured by the server's clock", http.Header{"Date": {date("00")}, "Retry-After": {date("05")}}, true,
			5 * time.Second, 5500 * time.Millisecond, 0},
		{"that is a date is measured by our clock if need be", http.Header{"Date": nil, "Retry-After": {"Sat, 01 Jan 2000 00:00:05 GMT"}}, true,
			4 * time.Second, 5500 * time.Millisecond, 0},
		{"that is a date far away is told at once", http.Header{"Date": {date("00")}, "Retry-After": {"Sat, 01 Jan 2050 02:00:00 GMT"}}, false,
			0, 0, 2 * time.Hour},
		{"that is a date in the past is replaced by our own wait", http.Header{"Date": {date("05")}, "Retry-After": {date("00")}}, true,
			0, 250 * time.Millisecond, 0},
		{"of 0 is replaced by our own wait", http.Header{"Retry-After": {"0"}}, true, 0, 250 * time.Millisecond, 0},
		{"that is negative is replaced by our own wait", http.Header{"Retry-After": {"-5"}}, true, 0, 250 * time.Millisecond, 0},
		{"that is a fraction is replaced by our own wait", http.Header{"Retry-After": {"1.5"}}, true, 0, 250 * time.Millisecond, 0},
		{"that is junk is replaced by our own wait", http.Header{"Retry-After": {"soon"}}, true, 0, 250 * time.Millisecond, 0},
		{"that is empty is replaced by our own wait", http.Header{"Retry-After": {""}}, true, 0, 250 * time.Millisecond, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				a.srv.Inject(videosdktest.Fault{Status: http.StatusTooManyRequests, Header: tt.header})

				started := time.Now()
				err := createCall(t.Context(), a)
				waited := time.Since(started)
				assert.GreaterOrEqual(t, waited, tt.least)
				assert.LessOrEqual(t, waited, tt.most)
				if tt.repeated {
					require.NoError(t, err)
					assert.Equal(t, 1, a.srv.DialCount(callee))
					return
				}
				var answer *videosdk.APIError
				require.ErrorAs(t, err, &answer)
				assert.Equal(t, tt.told, answer.RetryAfter)
				assert.Len(t, a.srv.Requests(), 1)
			})
		})
	}
}

func TestWaitsGrowUpToTheirLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.srv.Inject(videosdktest.Fault{Status: http.StatusServiceUnavailable, Times: -1})
		err := listCalls(t.Context(), a, videosdk.WithMaxRetries(6), videosdk.WithRetryWait(time.Second, 4*time.Second))
		require.ErrorIs(t, err, videosdk.ErrServer)

		requests := a.srv.Requests()
		require.Len(t, requests, 7)
		for i, most := range []time.Duration{1, 2, 4, 4, 4, 4} {
			wait := requests[i+1].Time.Sub(requests[i].Time)
			assert.LessOrEqual(t, wait, most*time.Second, "wait %d", i+1)
		}
	})
}

// stalled is the body of an answer that does not come to its end before the
// attempt does.
type stalled struct{ ctx context.Context }

func (b stalled) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

func (stalled) Close() error { return nil }

// stalling answers with a status and a body that stalls.
func stalling(status int) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: stalled{req.Context()}, ContentLength: -1}, nil
	})
}

func TestAContextThatEndsEndsTheCall(t *testing.T) {
	quit := errors.New("the operator pressed stop")
	slow := videosdktest.Fault{Delay: time.Hour}
	busy := statusFault(503, "Retry-After", "10")
	tests := []struct {
		name     string
		do       func(context.Context, *account, ...videosdk.RequestOption) error
		faults   []videosdktest.Fault
		after    time.Duration // when the context ends
		requests int
		status   int // of the *APIError that the error holds
		maybe    bool
	}{
		{"before anything is sent", createCall, nil, 0, 0, 0, false},
		{"during the attempt of a read", listCalls, []videosdktest.Fault{slow}, time.Second, 1, 0, false},
		{"during the attempt of a call, which may have been placed", createCall, []videosdktest.Fault{slow}, time.Second, 1, 0, true},
		{"during a wait, where the last answer is told", listCalls, []videosdktest.Fault{busy}, time.Second, 1, 503, false},
		{"during the wait of a call that was rate limited, which was not placed", createCall,
			[]videosdktest.Fault{statusFault(429, "Retry-After", "10")}, time.Second, 1, 429, false},
		{"during the wait of a delete, which may have been applied", deleteRule, []videosdktest.Fault{busy}, time.Second, 1, 503, true},
		{"during a second attempt, where the answer to the first is told", listCalls,
			[]videosdktest.Fault{statusFault(503, "Retry-After", "1"), slow}, 5 * time.Second, 2, 503, false},
		{"during the attempt of a call with another token, where the refusal of the first is told", createCall,
			[]videosdktest.Fault{statusFault(401), slow}, time.Second, 2, 401, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				for _, f := range tt.faults {
					a.srv.Inject(f)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				if tt.after == 0 {
					cancel(quit)
				}
				time.AfterFunc(tt.after, func() { cancel(quit) })

				started := time.Now()
				err := tt.do(ctx, a)
				assert.Equal(t, tt.after, time.Since(started))
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, quit)
				assert.NotErrorIs(t, err, videosdk.ErrTimeout)
				var failure *videosdk.RequestError
				require.ErrorAs(t, err, &failure)
				assert.Equal(t, tt.requests, failure.Attempts)
				assert.Equal(t, tt.maybe, failure.MaybeApplied, err)
				assert.Len(t, a.srv.Requests(), tt.requests)
				var answer *videosdk.APIError
				if assert.Equal(t, tt.status != 0, errors.As(err, &answer), err) && answer != nil {
					assert.Equal(t, tt.status, answer.StatusCode)
				}
			})
		})
	}
}

// An error here would be read as "not placed", and the call placed again.
func TestAContextThatEndsWithTheAnswerToACallThatWasPlacedTakesNothingBack(t *testing.T) {
	for name, refusals := range map[string][]int{
		"to the first attempt":       nil,
		"to the repeat after a 429":  {http.StatusTooManyRequests},
		"to the attempt after a 401": {http.StatusTooManyRequests, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			rec := &recorder{t: t}
			for _, status := range refusals {
				rec.then(status, `{}`)
			}
			rec.then(http.StatusOK, `{"data":{"callId":"call_1"}}`)
			client := rec.client(videosdk.WithRetryWait(0, 0), videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return roundTripFunc(func(req *http.Request) (*http.Response, error) {
					resp, err := next.RoundTrip(req)
					if resp.StatusCode == http.StatusOK {
						cancel()
					}
					return resp, err
				})
			}))
			call, err := client.Calls.Create(ctx, newCall("rule_1"))
			require.NoError(t, err)
			require.ErrorIs(t, ctx.Err(), context.Canceled)
			assert.Equal(t, "call_1", call.ID)
			assert.Len(t, rec.all(), len(refusals)+1)
		})
	}
}

func TestAContextThatEndsWhileARefusedTokenIsReplacedKeepsTheAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	rec := newRecorder(t, http.StatusOK, `{"data":[]}`).then(http.StatusUnauthorized, `{}`)
	client := rec.client(videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if resp.StatusCode == http.StatusUnauthorized {
				cancel()
			}
			return resp, err
		})
	}))
	_, err := client.Calls.List(ctx, videosdk.CallListParams{})
	require.NoError(t, err)

	_, err = client.Calls.List(ctx, videosdk.CallListParams{})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, videosdk.ErrUnauthorized)
	assert.Len(t, rec.all(), 2)
}

func TestAWaitThatCannotEndBeforeTheDeadlineIsNotStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.srv.Inject(statusFault(503, "Retry-After", "10"))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()

		started := time.Now()
		err := listCalls(ctx, a)
		assert.Zero(t, time.Since(started))
		var answer *videosdk.APIError
		require.ErrorAs(t, err, &answer)
		assert.Equal(t, 10*time.Second, answer.RetryAfter)
		require.NoError(t, ctx.Err())
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "deadline")
	})
}

func TestTimeLimits(t *testing.T) {
	tests := []struct {
		name      string
		transport http.RoundTripper
		deadline  time.Duration // of the context, 0 for none
		took      time.Duration
		attempts  int
		is, isNot error
	}{
		{"a deadline ends an attempt", stuck, 10 * time.Second, 10 * time.Second, 1, context.DeadlineExceeded, videosdk.ErrInvalidResponse},
		{"a deadline ends the reading of an answer", stalling(200), 10 * time.Second, 10 * time.Second, 1, context.DeadlineExceeded, nil},
		{"a deadline ends the reading of an error", stalling(503), 10 * time.Second, 10 * time.Second, 1, context.DeadlineExceeded, nil},
		{"a deadline ends a later attempt", stuck, 90 * time.Second, 90 * time.Second, 2, context.DeadlineExceeded, nil},
		{"a deadline that is far away leaves an attempt its own", stuck, time.Hour, 4 * time.Minute, 4, videosdk.ErrTimeout, context.DeadlineExceeded},
		{"an attempt that takes too long is repeated", stuck, 0, 4 * time.Minute, 4, videosdk.ErrTimeout, context.DeadlineExceeded},
		{"an answer that stalls is asked for again", stalling(200), 0, 4 * time.Minute, 4, videosdk.ErrTimeout, context.DeadlineExceeded},
		{"an error that stalls is what its status says", stalling(404), 0, time.Minute, 1, videosdk.ErrNotFound, videosdk.ErrTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: tt.transport}),
					videosdk.WithAttemptTimeout(time.Minute), videosdk.WithRetryWait(0, 0))
				require.NoError(t, err)
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}

				started := time.Now()
				_, err = client.Calls.List(ctx, videosdk.CallListParams{})
				assert.Equal(t, tt.took, time.Since(started))
				require.ErrorIs(t, err, tt.is)
				if tt.isNot != nil {
					assert.NotErrorIs(t, err, tt.isNot)
				}
				assert.Contains(t, err.Error(), fmt.Sprintf("%d attempt", tt.attempts))
			})
		})
	}
}

// endless is a context that keeps the deadline of the one in it, and outlives it:
// so people detach work from a request.
type endless struct{ context.Context }

func (endless) Done() <-chan struct{} { return nil }
func (endless) Err() error            { return nil }

func TestAnAttemptEndsUnderADeadlineThatNeverComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := videosdk.New("key", "secret", videosdk.WithMaxRetries(0), videosdk.WithHTTPClient(&http.Client{
			Transport: stuck,
		}))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = client.Calls.List(endless{ctx}, videosdk.CallListParams{})
		require.ErrorIs(t, err, videosdk.ErrTimeout)
	})
}

func TestTheWaitForAnotherTokenEndsUnderADeadlineThatNeverComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		asked := 0
		client := newRecorder(t, http.StatusUnauthorized, `{"message":"expired"}`).client(
			videosdk.WithTokenSource(tokenFunc(func(ctx context.Context) (string, error) {
				if asked++; asked > 1 {
					<-ctx.Done()
				}
				return "token", ctx.Err()
			})))
		_, err := client.Calls.List(endless{ctx}, videosdk.CallListParams{})
		require.ErrorContains(t, err, "not repeated: no other token: no complete answer within the attempt timeout of 30s")
	})
}

func TestACallThatWaitsUntilAnsweredOutlivesTheAttemptTimeout(t *testing.T) {
	tests := []struct {
		name     string
		ringing  time.Duration // RingingTimeout
		answers  time.Duration
		stalls   bool // the server does not answer at all
		took     time.Duration
		timedOut bool
	}{
		{"by the ringing that it asks for", 90 * time.Second, 80 * time.Second, false, 80 * time.Second, false},
		{"by two minutes if it asks for none", 0, 50 * time.Second, false, 50 * time.Second, false},
		{"but not for ever", 20 * time.Second, 0, true, 50 * time.Second, true},
		{"and not for ever if it asks for no time", 0, 0, true, 150 * time.Second, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t)
				a.srv.Callee(callee).RingsAfter(0).AnswersAfter(tt.answers)
				if tt.stalls {
					a.srv.Inject(videosdktest.Fault{Delay: time.Hour})
				}
				params := newCall(a.rule.ID)
				params.WaitUntilAnswered, params.RingingTimeout = true, tt.ringing

				started := time.Now()
				call, err := a.client.Calls.Create(t.Context(), params)
				assert.Equal(t, tt.took, time.Since(started))
				if tt.timedOut {
					require.ErrorIs(t, err, videosdk.ErrTimeout)
					require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
					return
				}
				require.NoError(t, err)
				assert.True(t, call.WasAnswered())
				assert.Equal(t, 1, a.srv.DialCount(callee))
			})
		})
	}
}

func TestAnAttemptTimeoutWithoutLimitStaysOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.srv.Callee(callee).RingsAfter(0).AnswersAfter(50 * time.Second)
		params := newCall(a.rule.ID)
		params.WaitUntilAnswered = true
		call, err := a.client.Calls.Create(t.Context(), params, videosdk.WithAttemptTimeout(math.MaxInt64))
		require.NoError(t, err)
		assert.True(t, call.WasAnswered())
	})
}

// unstable is a transport that counts requests. It is down while fails is set,
// which then answers.
type unstable struct {
	fails    func() (*http.Response, error)
	requests int
}

func (u *unstable) RoundTrip(*http.Request) (*http.Response, error) {
	u.requests++
	if u.fails != nil {
		return u.fails()
	}
	return &http.Response{StatusCode: http.StatusOK}, nil
}

func (u *unstable) client(t *testing.T) *videosdk.Client {
	t.Helper()
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{Transport: u}), videosdk.WithRetryWait(0, 0))
	require.NoError(t, err)
	return client
}

func unavailable() (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusServiceUnavailable}, nil
}

func unreachable() (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

func TestAnOutageIsNotMultiplied(t *testing.T) {
	for name, fails := range map[string]func() (*http.Response, error){
		"of the server": unavailable, "of the network": unreachable,
	} {
		t.Run(name, func(t *testing.T) {
			const calls = 2500
			server := &unstable{fails: fails}
			client := server.client(t)
			var err error
			for range calls {
				_, err = client.Calls.Get(t.Context(), "call_1")
				require.Error(t, err)
			}
			assert.LessOrEqual(t, server.requests, calls*11/10)
			assert.ErrorContains(t, err, "(1 attempt; not repeated: the client's retry quota is spent)")
		})
	}
}

func TestSuccessesEarnNewRetries(t *testing.T) {
	server := &unstable{}
	client := server.client(t)
	// send returns how many requests each of a number of calls made on average.
	send := func(fails func() (*http.Response, error), calls int) int {
		server.fails, server.requests = fails, 0
		for range calls {
			err := client.Do(t.Context(), http.MethodGet, "/v2/sip/call", nil, nil)
			require.Equal(t, fails != nil, err != nil)
		}
		return server.requests / calls
	}

	assert.Equal(t, 4, send(unavailable, 1), "the first failure is repeated three times")
	assert.Equal(t, 1, send(unavailable, 1000), "the retries are spent")
	assert.Equal(t, 1, send(nil, 1000))
	assert.Equal(t, 4, send(unavailable, 1), "successes have earned new ones")
}

func TestRepeatsThatSucceedCostAHealthyClientNothing(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n" + `{"id":"c"}`
	t.Run("by net/http, on connections that die at their second request", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		var serving sync.WaitGroup
		serving.Go(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				serving.Go(func() {
					defer func() { _ = conn.Close() }()
					in := bufio.NewReader(conn)
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					_, _ = io.WriteString(conn, answer)
					_, _ = http.ReadRequest(in)
				})
			}
		})
		client := clientOf(t, "http://"+l.Addr().String(), nil, videosdk.WithRetryWait(0, 0))
		for i := range 600 {
			require.NoError(t, getOnce(t, client), "call %d", i)
		}
		client.CloseIdleConnections()
		require.NoError(t, l.Close())
		serving.Wait()
	})
	t.Run("by the client, of what fails every other time", func(t *testing.T) {
		server := &unstable{}
		client := server.client(t)
		for i := range 400 {
			server.fails = func() (*http.Response, error) {
				server.fails = nil
				return unavailable()
			}
			require.NoError(t, client.Do(t.Context(), http.MethodGet, "/v2/sip/call", nil, nil), "call %d", i)
		}
	})
	t.Run("by a middleware that sends everything twice", func(t *testing.T) {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":"c"}`) }))
		defer api.Close()
		client := clientOf(t, api.URL, nil, videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err != nil {
					return nil, err
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				return next.RoundTrip(req)
			})
		}))
		for i := range 400 {
			require.NoError(t, getOnce(t, client), "call %d", i)
		}
	})
}

func TestASuccessThatIsNoneTellsHowLongToWait(t *testing.T) {
	answers := (&recorder{t: t}).then(http.StatusOK, `<html>`, "Retry-After", "7")
	var answer *videosdk.APIError
	require.ErrorAs(t, getOnce(t, answers.client()), &answer)
	assert.Equal(t, 7*time.Second, answer.RetryAfter)
}
