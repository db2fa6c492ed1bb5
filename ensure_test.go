package videosdk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// e164s returns what numbers are called, in their order.
func e164s(numbers []*videosdk.PhoneNumber) []string {
	found := []string{}
	for _, number := range numbers {
		found = append(found, number.E164)
	}
	return found
}

// assertProvisioned requires that the account has exactly these numbers, each
// with one pair of gateways and on no other, and no gateway without a number.
func assertProvisioned(t *testing.T, client *videosdk.Client, want ...string) {
	t.Helper()
	ctx := t.Context()
	inbound, outbound := map[string]string{}, map[string]string{} // gateway by number
	var have []string
	for number, err := range client.PhoneNumbers.All(ctx, videosdk.PhoneNumberListParams{}) {
		require.NoError(t, err)
		have = append(have, number.E164)
		require.NotNil(t, number.Inbound, number.E164)
		require.NotNil(t, number.Outbound, number.E164)
		inbound[number.E164], outbound[number.E164] = number.Inbound.ID, number.Outbound.ID
	}
	slices.Sort(have)
	assert.Equal(t, want, have)
	for _, direction := range directions() {
		attached := inbound
		if direction.name == "outbound" {
			attached = outbound
		}
		carried := map[string]string{}
		for gateway, err := range direction.service(client).All(ctx, videosdk.GatewayListParams{}) {
			require.NoError(t, err)
			assert.NotEmpty(t, gateway.Numbers, "a gateway that nobody needs")
			for _, number := range gateway.Numbers {
				assert.Empty(t, carried[number], "%s is on two %s gateways", number, direction.name)
				carried[number] = gateway.ID
			}
		}
		assert.Equal(t, attached, carried, direction.name)
	}
}

func TestEnsureRegistersWhatIsMissingAndLeavesTheRest(t *testing.T) {
	for name, quirks := range forms() {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, videosdktest.WithQuirks(quirks...))
			client, ctx := newClient(t, srv), t.Context()
			const first, second, third = "+14155550101", "+14155550102", "+14155550103"

			made, err := client.PhoneNumbers.Ensure(ctx, newNumbers(second, first, second))
			require.NoError(t, err)
			assert.Empty(t, made.Existing)
			assert.Equal(t, []string{first, second}, e164s(made.Created), "in order, each once")
			assert.Equal(t, "made by the test", made.Created[0].Outbound.Name)

			srv.ResetRequests()
			again, err := client.PhoneNumbers.Ensure(ctx, newNumbers(first, second))
			require.NoError(t, err)
			assert.Equal(t, []string{first, second}, e164s(again.Existing))
			assert.Empty(t, again.Created)
			assert.Equal(t, []string{http.MethodGet, http.MethodGet}, methodsOf(srv), "it only looks")
			assert.Equal(t, made.Created[0].Outbound.ID, again.Existing[0].Outbound.ID)

			_, err = client.PhoneNumbers.Detach(ctx, first)
			require.NoError(t, err)
			both, err := client.PhoneNumbers.Ensure(ctx, newNumbers(first, second, third))
			require.NoError(t, err)
			assert.Equal(t, []string{second}, e164s(both.Existing))
			assert.Equal(t, []string{first, third}, e164s(both.Created), "one that was detached counts as missing")
			assert.Equal(t, made.Created[0].ID, both.Created[0].ID, "and is known again")
			assertProvisioned(t, client, first, second, third)
		})
	}
}

func TestEnsureSendsEachRequestWithTheOptionsOfTheCall(t *testing.T) {
	srv := newServer(t)
	_, err := newClient(t, srv).PhoneNumbers.Ensure(t.Context(), newNumbers("+14155550101"), videosdk.WithHeader("X-Trace", "7"))
	require.NoError(t, err)
	require.Len(t, srv.Requests(), 3, "it reads, creates and reads again")
	for _, request := range srv.Requests() {
		assert.Equal(t, "7", request.Header.Get("X-Trace"), request.Method)
	}
}

func TestEnsureGivesEachNumberAPairOfItsOwnIfTheyAreNotShared(t *testing.T) {
	client := newClient(t, newServer(t))
	params := newNumbers("+14155550101", "+14155550102")
	params.IsShared = videosdk.Ptr(false)
	made, err := client.PhoneNumbers.Ensure(t.Context(), params)
	require.NoError(t, err)
	require.Len(t, made.Created, 2)
	assert.NotEqual(t, made.Created[0].Outbound.ID, made.Created[1].Outbound.ID)
	assertProvisioned(t, client, "+14155550101", "+14155550102")
}

// ensurers is how many run Ensure at the same time.
const ensurers = 32

// overlapping returns the numbers of one of the ensurers: each number is wanted
// by several of them, and no two want the same list.
func overlapping(caller int) []string {
	var numbers []string
	for i := range 4 {
		numbers = append(numbers, fmt.Sprintf("+1415555%04d", (caller*5+i*i*7)%61))
	}
	return numbers
}

// everyNumber returns what all ensurers want together.
func everyNumber() []string {
	var all []string
	for n := range ensurers {
		all = append(all, overlapping(n)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// injectTrouble makes a server lose, refuse and break requests: more often than
// there are ensurers, and in no helpful order.
func injectTrouble(srv *videosdktest.Server) {
	const create, read = "/v2/sip/phone-numbers", "/v2/sip/phone-numbers/{e164}"
	for range 8 {
		for _, fault := range []videosdktest.Fault{
			{Method: http.MethodPost, Path: create, Drop: videosdktest.DropAfterActing},
			{Method: http.MethodPost, Path: create, Status: http.StatusConflict, Times: 3},
			{Method: http.MethodPost, Path: create, Drop: videosdktest.DropBeforeActing},
			{Method: http.MethodPost, Path: create, Status: http.StatusBadGateway},
			{Method: http.MethodPost, Path: create, Drop: videosdktest.DropMidBody},
			{Method: http.MethodGet, Path: read, Drop: videosdktest.DropAfterActing},
			{Method: http.MethodGet, Path: read, Status: http.StatusServiceUnavailable},
		} {
			srv.Inject(fault)
		}
	}
}

// ensureTogether lets every caller, each with a client from newClient, run
// Ensure at the same time, and requires that all of them get what they want.
func ensureTogether(t *testing.T, srv *videosdktest.Server, clientOf func() *videosdk.Client) {
	t.Helper()
	results, failures := make([]*videosdk.EnsureResult, ensurers), make([]error, ensurers)
	began := make(chan struct{})
	done := make(chan int)
	for n := range ensurers {
		client := clientOf()
		go func() {
			<-began
			results[n], failures[n] = client.PhoneNumbers.Ensure(t.Context(), newNumbers(overlapping(n)...))
			done <- n
		}()
	}
	close(began)
	for range ensurers {
		<-done
	}
	for n := range ensurers {
		require.NoError(t, failures[n], "caller %d", n)
		got := append(e164s(results[n].Existing), e164s(results[n].Created)...)
		assert.ElementsMatch(t, overlapping(n), got, "caller %d", n)
		for _, number := range append(results[n].Existing, results[n].Created...) {
			assert.NotNil(t, number.Inbound)
			assert.NotNil(t, number.Outbound)
		}
	}
	srv.ClearFaults()
	assertProvisioned(t, clientOf(), everyNumber()...)
}

func TestEnsureConvergesUnderManyCallersInTrouble(t *testing.T) {
	t.Run("of one process", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t, videosdktest.InMemory())
			injectTrouble(srv)
			client := newClient(t, srv)
			began := time.Now()
			ensureTogether(t, srv, func() *videosdk.Client { return client })
			assert.Less(t, time.Since(began), 10*time.Second, "in virtual time")
		})
	})
	t.Run("of as many processes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t, videosdktest.InMemory())
			injectTrouble(srv)
			began := time.Now()
			ensureTogether(t, srv, func() *videosdk.Client { return newClient(t, srv) })
			assert.Less(t, time.Since(began), 10*time.Second, "in virtual time")
		})
	})
	// Where connections are really reset, and the race detector sees it.
	t.Run("over TCP", func(t *testing.T) {
		srv := newServer(t)
		injectTrouble(srv)
		began := time.Now()
		ensureTogether(t, srv, func() *videosdk.Client {
			// One who comes first, while the others wait for a processor, meets all faults.
			return newClient(t, srv, videosdk.WithRetryWait(time.Millisecond, 10*time.Millisecond), videosdk.WithMaxRetries(16))
		})
		assert.Less(t, time.Since(began), 10*time.Second)
	})
}

// rival returns a client whose first POST meets an account in which somebody
// else has just registered a number.
func rival(t *testing.T, srv *videosdktest.Server, number string) *videosdk.Client {
	t.Helper()
	late := false
	return newClient(t, srv, videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPost && !late {
				late = true
				srv.AddPhoneNumbers(number)
			}
			return next.RoundTrip(req)
		})
	}))
}

func TestEnsureResolvesARefusalThatARaceExplains(t *testing.T) {
	const mine, theirs = "+14155550101", "+14155550102"
	t.Run("when it wanted nothing else", func(t *testing.T) {
		srv := newServer(t)
		client := rival(t, srv, theirs)
		result, err := client.PhoneNumbers.Ensure(t.Context(), newNumbers(theirs))
		require.NoError(t, err)
		assert.Equal(t, []string{theirs}, e164s(result.Created), "it has got its gateways since")
		assert.Equal(t, []string{http.MethodGet, http.MethodPost, http.MethodGet}, methodsOf(srv))
		assertProvisioned(t, client, theirs)
	})
	t.Run("when it wanted another one besides", func(t *testing.T) {
		srv := newServer(t)
		client := rival(t, srv, theirs)
		result, err := client.PhoneNumbers.Ensure(t.Context(), newNumbers(mine, theirs))
		require.NoError(t, err)
		assert.Equal(t, []string{mine, theirs}, e164s(result.Created))
		assertProvisioned(t, client, mine, theirs)
	})
}

func TestEnsureResolvesAnUnknownOutcomeByReading(t *testing.T) {
	tests := []struct {
		name  string
		fault videosdktest.Fault
		posts int
	}{
		{"that was success", videosdktest.Fault{Drop: videosdktest.DropAfterActing}, 1},
		{"that was success, and told so halfway", videosdktest.Fault{Drop: videosdktest.DropMidBody}, 1},
		{"that was none", videosdktest.Fault{Drop: videosdktest.DropBeforeActing}, 2},
		{"that was a 500", videosdktest.Fault{Status: http.StatusInternalServerError}, 2},
		{"that was three of them", videosdktest.Fault{Status: http.StatusInternalServerError, Times: 3}, 4},
		{"that was no answer in time", videosdktest.Fault{Delay: time.Hour}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, videosdktest.InMemory())
				client := newClient(t, srv)
				tt.fault.Method = http.MethodPost
				srv.Inject(tt.fault)

				result, err := client.PhoneNumbers.Ensure(t.Context(), newNumbers("+14155550101", "+14155550102"))

				require.NoError(t, err)
				assert.Len(t, result.Created, 2)
				posts := slices.DeleteFunc(methodsOf(srv), func(method string) bool { return method != http.MethodPost })
				assert.Len(t, posts, tt.posts)
				assertProvisioned(t, client, "+14155550101", "+14155550102")
			})
		})
	}
}

func TestEnsureGivesUpWhenItComesNoNearer(t *testing.T) {
	tests := []struct {
		name     string
		fault    videosdktest.Fault
		want     error
		posts    int // at most
		repeated bool
	}{
		{"because the server always refuses", videosdktest.Fault{Status: http.StatusBadRequest}, videosdk.ErrBadRequest, 2, true},
		{"because somebody else is always first", videosdktest.Fault{Status: http.StatusConflict}, videosdk.ErrConflict, 50, true},
		{"because the server is broken", videosdktest.Fault{Status: http.StatusInternalServerError}, videosdk.ErrMaybeApplied, 12, true},
		{"because it says that it did what it did not", videosdktest.Fault{Body: `{"message":"Created"}`}, videosdk.ErrConflict, 12, true},
		{"because it is not allowed to", videosdktest.Fault{Status: http.StatusForbidden}, videosdk.ErrForbidden, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, videosdktest.InMemory())
				tt.fault.Method, tt.fault.Times = http.MethodPost, -1
				srv.Inject(tt.fault)
				began := time.Now()

				result, err := newClient(t, srv).PhoneNumbers.Ensure(t.Context(), newNumbers("+14155550101"))

				require.ErrorIs(t, err, tt.want)
				assert.Nil(t, result)
				posts := slices.DeleteFunc(methodsOf(srv), func(method string) bool { return method != http.MethodPost })
				assert.LessOrEqual(t, len(posts), tt.posts)
				assert.Equal(t, tt.repeated, len(posts) > 1)
				assert.Less(t, time.Since(began), 2*time.Minute)
			})
		})
	}
}

func TestEnsureCountsAnewAfterEachNumberThatHasItsGateways(t *testing.T) {
	found := func(e164 string) string {
		return fmt.Sprintf(`{"phoneNumber":{"e164":%q},"inbound":{"id":"gw_1"},"outbound":{"id":"gw_2"}}`, e164)
	}
	synctest.Test(t, func(t *testing.T) {
		recorder := (&recorder{t: t}).then(404, `{}`).then(404, `{}`).
			then(400, `{}`).then(404, `{}`).then(404, `{}`).
			then(400, `{}`).then(200, found("+14155550101")).then(404, `{}`). // another request has registered one
			then(400, `{}`).then(404, `{}`).
			then(201, `{}`).then(200, found("+14155550102"))
		result, err := recorder.client(videosdk.WithMaxRetries(0)).PhoneNumbers.Ensure(t.Context(), newNumbers("+14155550101", "+14155550102"))
		require.NoError(t, err)
		assert.Len(t, result.Created, 2)
	})
}

func TestEnsureDoesNotRegisterWhatItCouldNotLookUp(t *testing.T) {
	srv := newServer(t)
	srv.Inject(videosdktest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Times: -1})
	_, err := newClient(t, srv).PhoneNumbers.Ensure(t.Context(), newNumbers("+14155550101"))
	require.ErrorIs(t, err, videosdk.ErrForbidden)
	assert.Equal(t, []string{http.MethodGet}, methodsOf(srv))
}

func TestEnsureTellsBothWhatWasRefusedAndWhyItCouldNotLookAgain(t *testing.T) {
	recorder := newRecorder(t, http.StatusNotFound, `{}`).then(http.StatusConflict, `{}`).then(http.StatusForbidden, `{}`)
	_, err := recorder.client(videosdk.WithMaxRetries(0)).PhoneNumbers.Ensure(t.Context(), newNumbers("+14155550101"))
	require.ErrorIs(t, err, videosdk.ErrForbidden)
	require.ErrorIs(t, err, videosdk.ErrConflict)
}

func TestEnsureRemembersThatAnEarlierRequestMayHaveBeenApplied(t *testing.T) {
	const half = `{"phoneNumber":{"e164":"+14155550101"},"inbound":{"id":"gw_1"}}`
	tests := []struct {
		name     string
		statuses []int // of the reads and creations, in turn; the last again and again
		body     string
		want     error
		maybe    bool
	}{
		{"when the next creation is refused for good", []int{404, 504, 404, 403}, `{}`, videosdk.ErrForbidden, true},
		{"when the next creation is refused as a race would be", []int{404, 504, 404, 400, 404}, `{}`, videosdk.ErrBadRequest, true},
		{"when it cannot look again", []int{404, 504, 403}, `{}`, videosdk.ErrForbidden, true},
		{"when it cannot look again after a success", []int{404, 201, 403}, `{}`, videosdk.ErrForbidden, true},
		{"when it does not find what was a success", []int{404, 201, 404, 403}, `{}`, videosdk.ErrForbidden, true},
		{"when it finds half of what was a success", []int{404, 201, 200}, half, videosdk.ErrConflict, true},
		{"but not when there was none", []int{403}, `{}`, videosdk.ErrForbidden, false},
		{"but not when all were refused", []int{404, 400, 404, 403}, `{}`, videosdk.ErrForbidden, false},
		{"but not when all were in conflict", []int{404, 409, 403}, `{}`, videosdk.ErrForbidden, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				recorder := &recorder{t: t}
				for _, status := range tt.statuses {
					recorder.then(status, tt.body)
				}
				_, err := recorder.client(videosdk.WithMaxRetries(0)).PhoneNumbers.Ensure(t.Context(), newNumbers("+14155550101"))
				require.ErrorIs(t, err, tt.want)
				assert.Equal(t, tt.maybe, errors.Is(err, videosdk.ErrMaybeApplied), err)
				assert.Equal(t, tt.maybe, strings.Contains(err.Error(), "may have been applied"), err)
			})
		})
	}
	t.Run("when its context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t, videosdktest.InMemory())
			srv.Inject(videosdktest.Fault{Method: http.MethodPost, Status: http.StatusGatewayTimeout})
			srv.Inject(videosdktest.Fault{Method: http.MethodPost, Status: http.StatusConflict, Times: -1})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			client := newClient(t, srv, videosdk.WithMaxRetries(0))
			_, err := client.PhoneNumbers.Ensure(ctx, newNumbers("+14155550101"))
			require.ErrorIs(t, err, videosdk.ErrTimeout)
			require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
		})
	})
}

// A number with a gateway of one direction only is nothing that Ensure could
// complete: the server would refuse it for the other.
func TestEnsureNamesANumberThatIsHalfAttached(t *testing.T) {
	const half = "+14155550101"
	for direction, deleteOther := range map[string]func(context.Context, *videosdk.Client, *videosdk.PhoneNumber) error{
		"inbound": func(ctx context.Context, client *videosdk.Client, n *videosdk.PhoneNumber) error {
			return errorOf(client.OutboundGateways.Delete(ctx, n.Outbound.ID))
		},
		"outbound": func(ctx context.Context, client *videosdk.Client, n *videosdk.PhoneNumber) error {
			return errorOf(client.InboundGateways.Delete(ctx, n.Inbound.ID))
		},
	} {
		t.Run("in the direction "+direction, func(t *testing.T) {
			srv := newServer(t)
			srv.AddPhoneNumbers(half)
			client := newClient(t, srv)
			number, err := client.PhoneNumbers.Get(t.Context(), half)
			require.NoError(t, err)
			require.NoError(t, deleteOther(t.Context(), client, number))
			srv.ResetRequests()

			_, err = client.PhoneNumbers.Ensure(t.Context(), newNumbers(half, "+14155550102"))

			require.ErrorIs(t, err, videosdk.ErrConflict)
			require.ErrorContains(t, err, half)
			assert.NotContains(t, methodsOf(srv), http.MethodPost)

			_, err = client.PhoneNumbers.Detach(t.Context(), half)
			require.NoError(t, err, "as the error says")
			_, err = client.PhoneNumbers.Ensure(t.Context(), newNumbers(half))
			require.NoError(t, err)
		})
	}
}

func TestEnsureEndsWithItsContext(t *testing.T) {
	always := videosdktest.Fault{Method: http.MethodPost, Status: http.StatusConflict, Times: -1}
	t.Run("when that is cancelled during a wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t, videosdktest.InMemory())
			srv.Inject(always)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(300*time.Millisecond, cancel)
			client := newClient(t, srv, videosdk.WithRetryWait(time.Second, time.Hour), videosdk.WithMaxRetries(0))
			_, err := client.PhoneNumbers.Ensure(ctx, newNumbers("+14155550101"))
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, videosdk.ErrConflict, "what kept it until then")
		})
	})
	t.Run("when a wait would not end in time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t, videosdktest.InMemory())
			srv.Inject(always)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := newClient(t, srv).PhoneNumbers.Ensure(ctx, newNumbers("+14155550101"))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, videosdk.ErrConflict)
		})
	})
}

func TestABadEnsureIsRefusedWithAllItsFaults(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, anyResource)
	_, err := recorder.client().PhoneNumbers.Ensure(t.Context(), videosdk.PhoneNumberCreateParams{PhoneNumbers: []string{"4155550101"}},
		videosdk.WithMaxRetries(-1))
	assertRefused(t, recorder, err, "WithMaxRetries", "name", "phoneNumbers[0]", "inbound.sipRegion", "outbound.sipRegion", "outbound.address")
}
