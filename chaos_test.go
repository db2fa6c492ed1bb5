package videosdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/internal/chaosnet"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// docs/reliability.md tells what a run with -chaos.n=1000000 found.
var (
	chaosN    = flag.Int("chaos.n", 2000, "how many calls TestChaosCalls places, 1000 at least; the other chaos tests do a tenth, up to 2000 things")
	chaosSeed = flag.Uint64("chaos.seed", 0, "seed of the network's failures in the chaos tests; 0 is another one each time")
)

// fewer is how many things the chaos tests do whose server looks through all of
// them each time.
func fewer() int { return min(*chaosN/10, 2000) }

// usualChances break one request in ten. Many dials are refused, because only
// what no dial succeeds for is certain to have been kept from the server.
func usualChances() chaosnet.Chances { return chaosnet.Chances{Break: 0.1, Refusal: 0.4} }

// rough is an account whose server is reached by a network that fails.
type rough struct {
	srv     *videosdktest.Server
	network *chaosnet.Network
	http    *http.Client     // by that network
	client  *videosdk.Client // by that network
	direct  *videosdk.Client // by one that works
	random  *rand.Rand
}

func newRough(t *testing.T, chances chaosnet.Chances, opts ...videosdk.Option) *rough {
	t.Helper()
	chances.Seed = *chaosSeed
	for chances.Seed == 0 {
		chances.Seed = rand.Uint64()
	}
	t.Logf("-chaos.seed=%d", chances.Seed)
	// Calls that end are cheap to keep, and a million of them are kept.
	srv := newServer(t, videosdktest.WithCallTiming(videosdktest.Timing{HangUp: time.Millisecond}))
	target, err := url.Parse(srv.URL)
	require.NoError(t, err)
	network, err := chaosnet.Start(target.Host, chances)
	require.NoError(t, err)
	t.Cleanup(network.Close)

	r := &rough{srv: srv, network: network, random: rand.New(rand.NewPCG(chances.Seed, 1))}
	r.http = &http.Client{Transport: &http.Transport{DialContext: network.DialContext, MaxIdleConnsPerHost: goroutines}}
	r.client = newClient(t, srv, append([]videosdk.Option{videosdk.WithHTTPClient(r.http)}, opts...)...)
	r.direct = newClient(t, srv)
	return r
}

// each runs a function for 0 to n-1, in many goroutines. The network is gone
// when it returns: nothing more of these requests reaches the server.
func (r *rough) each(t *testing.T, n int, f func(ctx context.Context, i int)) {
	t.Helper()
	var next atomic.Int64
	together(func(int) {
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			f(t.Context(), i)
		}
	})
	r.network.Close()
	t.Logf("requests that set out: %d; failures: %v", r.network.Requests(), r.network.Failures())
}

// claim is what a caller is told of a call.
type claim string

const (
	placed         claim = "placed"
	maybePlaced    claim = "may have been placed"
	notPlaced      claim = "not placed"
	failed         claim = "failed" // which claims nothing
	placedAnyOther claim = "placed, with the id of another call"
)

// told is a claim, and the id of the call if it was placed.
type told struct {
	claim  claim
	callID string
}

// reality is a claim and how often the phone rang.
type reality struct {
	claim claim
	dials int
}

// dial places one call to each of n people.
func (r *rough) dial(t *testing.T, n int, place func(ctx context.Context, to string) told) map[reality]int {
	t.Helper()
	claims := make([]told, n)
	r.each(t, n, func(ctx context.Context, i int) {
		if i%10_000 == 0 {
			r.srv.ResetRequests() // a million of them would not fit into memory
		}
		claims[i] = place(ctx, person(i))
	})
	r.srv.Close() // nothing is under way any more
	return r.reconcile(t, claims)
}

// person is somebody's number.
func person(i int) string { return fmt.Sprintf("+91%010d", i) }

// reconcile compares what was claimed with what the server dialled.
func (r *rough) reconcile(t *testing.T, claims []told) map[reality]int {
	t.Helper()
	rang := map[string][]string{} // ids of the calls of a number
	dials := r.srv.Dials()
	for _, d := range dials {
		rang[d.To] = append(rang[d.To], d.CallID)
	}
	found := map[reality]int{}
	known := 0
	for i, claimed := range claims {
		calls := rang[person(i)]
		known += len(calls)
		if claimed.claim == placed && !slices.Contains(calls, claimed.callID) {
			claimed.claim = placedAnyOther
		}
		found[reality{claimed.claim, len(calls)}]++
	}
	assert.Len(t, dials, known, "nobody else was dialled")
	t.Logf("what callers were told and how often the phone rang: %v", found)
	return found
}

func TestChaosCalls(t *testing.T) {
	t.Run("this library dials nobody twice, and says what it did", func(t *testing.T) {
		r := newRough(t, usualChances())
		r.srv.AddPhoneNumbers(ownNumber)
		rule := r.addRule(t)
		// By chance alone, one short run in a hundred has no call that was never
		// placed.
		cutOff := newClient(t, r.srv, videosdk.WithHTTPClient(&http.Client{Transport: &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ENETUNREACH },
		}}))
		started := time.Now()
		found := r.dial(t, *chaosN, func(ctx context.Context, to string) told {
			params := newCall(rule)
			params.To = to
			client := r.client
			if strings.HasSuffix(to, "000") {
				client = cutOff
			}
			call, err := client.Calls.Create(ctx, params)
			switch {
			case err == nil:
				return told{placed, call.ID}
			case errors.Is(err, videosdk.ErrMaybeApplied):
				return told{claim: maybePlaced}
			default:
				return told{claim: notPlaced}
			}
		})
		t.Logf("it took %v", time.Since(started))

		right := []reality{{placed, 1}, {maybePlaced, 0}, {maybePlaced, 1}, {notPlaced, 0}}
		for of, calls := range found {
			assert.Contains(t, right, of, "%d calls: %s, dialled %d times", calls, of.claim, of.dials)
		}
		for _, of := range right {
			assert.Positive(t, found[of], "no call tested this: %s, dialled %d times", of.claim, of.dials)
		}
		for moment := chaosnet.Dialling; moment <= chaosnet.AfterAnswer; moment++ {
			assert.Positive(t, r.network.Failures()[moment], moment.String())
		}
		logMemory(t)
	})

	// What the same network makes of the client that most Go programs would take.
	t.Run("go-retryablehttp as it comes dials some people more than once", func(t *testing.T) {
		r := newRough(t, usualChances())
		r.srv.AddPhoneNumbers(ownNumber)
		n := min(*chaosN, 100_000) // which is enough to see it
		found := r.dial(t, n, r.retryable(t, r.addRule(t)))
		again := 0
		for of, calls := range found {
			if of.dials > 1 {
				again += calls
			}
		}
		t.Logf("dialled more than once: %d of %d", again, n)
		assert.Positive(t, again)
	})
}

func logMemory(t *testing.T) {
	t.Helper()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("memory taken from the system, server and records included: %d MiB", m.Sys>>20)
}

// addRule makes an outbound rule for the account's own number.
func (r *rough) addRule(t *testing.T) (id string) {
	t.Helper()
	rule, err := r.direct.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
		Name: "out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ownNumber},
	})
	require.NoError(t, err)
	return rule.ID
}

// retryable returns a function that places a call with go-retryablehttp, of
// which nothing is changed but that it writes no log and does not wait long.
func (r *rough) retryable(t *testing.T, ruleID string) func(ctx context.Context, to string) told {
	t.Helper()
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.RetryWaitMin, client.RetryWaitMax = time.Millisecond, 5*time.Millisecond
	client.HTTPClient.Transport.(*http.Transport).DialContext = r.network.DialContext
	t.Cleanup(client.HTTPClient.CloseIdleConnections)
	token := r.token(t)
	return func(ctx context.Context, to string) told {
		body, err := json.Marshal(map[string]string{"sipCallTo": to, "sipCallFrom": ownNumber, "routingRuleId": ruleID})
		assert.NoError(t, err)
		req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, r.srv.URL+"/v2/sip/call", body)
		assert.NoError(t, err)
		req.Header.Set("Authorization", token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return told{claim: failed}
		}
		defer func() { _ = resp.Body.Close() }()
		var call struct {
			Data struct {
				CallID string `json:"callId"`
			} `json:"data"`
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || json.NewDecoder(bytes.NewReader(text)).Decode(&call) != nil || call.Data.CallID == "" {
			return told{claim: failed}
		}
		return told{placed, call.Data.CallID}
	}
}

func (r *rough) token(t *testing.T) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"apikey": r.srv.APIKey, "version": 2, "roles": []string{"crawler"}, "permissions": []string{"allow_join", "allow_mod"},
		"iat": time.Now().Unix(), "exp": time.Now().Add(24 * time.Hour).Unix(),
	}).SignedString([]byte(r.srv.Secret))
	require.NoError(t, err)
	return token
}

func TestChaosNumbersAreCreatedWholeOrNotAtAll(t *testing.T) {
	for name, opts := range map[string][]videosdk.RequestOption{
		"when an unknown outcome is told":    nil,
		"when an unknown outcome is retried": {videosdk.WithRetryUnknown()},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRough(t, usualChances())
			errs := make([]error, fewer())
			r.each(t, len(errs), func(ctx context.Context, i int) {
				params := newNumbers(person(2*i), person(2*i+1))
				params.IsShared = videosdk.Ptr(i%2 == 0)
				_, errs[i] = r.client.PhoneNumbers.Create(ctx, params, opts...)
			})

			numbers := r.numbers(t)
			t.Logf("%d creations of two numbers each; the account has %d numbers", len(errs), len(numbers))
			for i, err := range errs {
				made := count(numbers[person(2*i)] != nil) + count(numbers[person(2*i+1)] != nil)
				switch {
				case err == nil:
					assert.Equal(t, 2, made, "creation %d succeeded", i)
				case errors.Is(err, videosdk.ErrMaybeApplied):
					assert.NotEqual(t, 1, made, "creation %d was half made: %v", i, err)
				default:
					assert.Zero(t, made, "creation %d failed for certain: %v", i, err)
				}
			}
		})
	}
}

// numbers returns the account's numbers, after a look at each: it has one
// gateway of each direction, and no gateway is without a number.
func (r *rough) numbers(t *testing.T) map[string]*videosdk.PhoneNumber {
	t.Helper()
	numbers := map[string]*videosdk.PhoneNumber{}
	used := map[string]bool{} // gateways
	for number, err := range r.direct.PhoneNumbers.All(t.Context(), videosdk.PhoneNumberListParams{}) {
		require.NoError(t, err)
		assert.NotContains(t, numbers, number.E164)
		numbers[number.E164] = number
		if assert.NotNil(t, number.Inbound, number.E164) && assert.NotNil(t, number.Outbound, number.E164) {
			used[number.Inbound.ID], used[number.Outbound.ID] = true, true
		}
	}
	gateways := 0
	for gateway, err := range r.direct.InboundGateways.All(t.Context(), videosdk.GatewayListParams{}) {
		require.NoError(t, err)
		assert.True(t, used[gateway.ID], "an inbound gateway was made in vain")
		gateways++
	}
	for gateway, err := range r.direct.OutboundGateways.All(t.Context(), videosdk.GatewayListParams{}) {
		require.NoError(t, err)
		assert.True(t, used[gateway.ID], "an outbound gateway was made in vain")
		gateways++
	}
	assert.Len(t, used, gateways)
	return numbers
}

func TestChaosEnsureConverges(t *testing.T) {
	r := newRough(t, chaosnet.Chances{Break: 0.2, Refusal: 0.2})
	n := fewer()
	sets := make([][]string, n)
	for i := range sets {
		for range 4 { // which other sets have as well
			sets[i] = append(sets[i], person(r.random.IntN(n)))
		}
	}
	errs := make([]error, n)
	var again atomic.Int64
	r.each(t, n, func(ctx context.Context, i int) {
		for range 5 { // as a program would that is started again
			if _, errs[i] = r.client.PhoneNumbers.Ensure(ctx, newNumbers(sets[i]...)); errs[i] == nil {
				return
			}
			again.Add(1)
		}
	})
	t.Logf("Ensure had to be run again %d times, of %d", again.Load(), n)

	numbers := r.numbers(t)
	wanted := map[string]bool{}
	for i, set := range sets {
		require.NoError(t, errs[i])
		for _, number := range set {
			wanted[number] = true
			assert.Contains(t, numbers, number)
		}
	}
	assert.Len(t, numbers, len(wanted), "nothing else was made")
}

// trails are the attempts of requests by their path: the status of each, 0 for
// none.
type trails struct {
	mu     sync.Mutex
	byPath map[string][]int
}

// middleware records the attempts of a client.
func (tr *trails) middleware(next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		status := 0
		if err == nil {
			status = resp.StatusCode
		}
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.byPath[req.URL.Path] = append(tr.byPath[req.URL.Path], status)
		return resp, err
	})
}

func TestChaosDeletesSayWhatIsGone(t *testing.T) {
	attempts := &trails{byPath: map[string][]int{}}
	// With worse chances some deletes lose every one of their attempts.
	r := newRough(t, chaosnet.Chances{Break: 0.4, Refusal: 0.4}, videosdk.WithMiddleware(attempts.middleware))
	r.srv.AddPhoneNumbers(ownNumber)
	rules := make([]string, fewer())
	for i := range rules {
		rules[i] = r.addRule(t)
	}
	results := make([]*videosdk.DeleteResult, len(rules))
	errs := make([]error, len(rules))
	r.each(t, len(rules), func(ctx context.Context, i int) {
		results[i], errs[i] = r.client.RoutingRules.Delete(ctx, rules[i])
	})

	already := 0
	for i, id := range rules {
		trail := attempts.byPath["/v2/sip/routing-rule/"+id]
		_, err := r.direct.RoutingRules.Get(t.Context(), id)
		gone := isGone(t, err) == 1
		switch {
		case errs[i] == nil:
			assert.True(t, gone, "rule %d, whose delete succeeded: %v", i, trail)
			// Only this call deletes the rule: it finds nothing when, and only
			// when, an attempt before had done its work and could not say so.
			assert.Equal(t, trail[len(trail)-1] == http.StatusNotFound, results[i].AlreadyGone, "rule %d: %v", i, trail)
			if results[i].AlreadyGone {
				already++
				assert.Greater(t, len(trail), 1, "rule %d", i)
			}
		case errors.Is(errs[i], videosdk.ErrMaybeApplied):
		default:
			assert.False(t, gone, "rule %d, whose delete failed for certain: %v %v", i, trail, errs[i])
			assert.NotErrorIs(t, errs[i], videosdk.ErrNotFound)
		}
	}
	t.Logf("%d deletes, of which %d found their work done", len(rules), already)
	assert.Positive(t, already)
}
