package videosdktest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// receiver is the HTTP transport of a client, and whoever the client meets.
type receiver struct {
	answer func(n int) (status int, err error) // to the nth request; nil is 200

	mu  sync.Mutex
	got []received
}

type received struct {
	url    string
	header http.Header
	body   []byte
	time   time.Time
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.got = append(r.got, received{req.URL.String(), req.Header, body, time.Now()})
	n := len(r.got)
	r.mu.Unlock()
	status := http.StatusOK
	if r.answer != nil {
		if status, err = r.answer(n); err != nil {
			return nil, err
		}
	}
	header := http.Header{"Location": {"https://elsewhere.example.com/"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(nil)), Request: req}, nil
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

// statuses returns the statuses of calls in the order in which they came.
func (r *receiver) statuses(t *testing.T) []string {
	t.Helper()
	var statuses []string
	for _, got := range r.all() {
		statuses = append(statuses, got.decode(t).Data.Status)
	}
	return statuses
}

type delivered struct {
	WebhookType string
	Data        struct{ CallID, Status string }
}

func (g received) decode(t *testing.T) (d delivered) {
	t.Helper()
	require.NoError(t, json.Unmarshal(g.body, &d))
	return d
}

// verify checks a signature with the key that the server publishes.
func verify(t *testing.T, publicKey string, got received) error {
	t.Helper()
	block, _ := pem.Decode([]byte(publicKey))
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	require.NoError(t, err)
	signature, err := base64.StdEncoding.Strict().DecodeString(got.header.Get("videosdk-signature"))
	require.NoError(t, err)
	digest := sha256.Sum256(got.body)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature)
}

// hooked runs f in a bubble, with a server that delivers to r.
func hooked(t *testing.T, r *receiver, f func(t *testing.T, a api), opts ...videosdktest.Option) {
	t.Helper()
	bubble(t, f, append(opts, videosdktest.WithWebhookClient(&http.Client{Transport: r}))...)
}

func (a api) subscribe(url string, events ...string) string {
	a.t.Helper()
	body := marshal(a.t, map[string]any{"url": url, "events": events})
	return a.post("/v2/sip/webhooks", string(body)).must(http.StatusCreated).text("id")
}

func lifeEvents() []string {
	return []string{"call-started", "call-ringing", "call-answered", "call-hangup", "call-missed", "call-update"}
}

func TestDeliveryIsOfTheDocumentedShape(t *testing.T) {
	r := &receiver{}
	hooked(t, r, func(t *testing.T, a api) {
		rule := a.outboundRule(`,"agentId":"agent_1"`)
		a.subscribe("https://example.com/hook", "call-started")
		id := a.callByRule(rule, `,"destinationRoomId":"room","metadata":{"k":"<v>"}`)
		wait(time.Second)
		require.Len(t, r.all(), 1)
		got := r.all()[0]
		assert.JSONEq(t, fmt.Sprintf(`{"webhookType":"call-started","data":{"callId":%q,"type":"outbound","roomId":"room",
			"sessionId":"sess_room","agentId":"agent_1","gatewayId":%q,"ruleId":%q,"to":"+14155550123","from":"+14155559876",
			"status":"initiated","timestamp":"2000-01-01T00:00:00.000Z","start":"2000-01-01T00:00:00.000Z","end":null,
			"metadata":{"k":"<v>"},"metaData":{"k":"<v>"}}}`, id, a.outboundGateway(), rule), string(got.body))
		assert.Equal(t, "https://example.com/hook", got.url)
		assert.Equal(t, "application/json", got.header.Get("Content-Type"))
		assert.Empty(t, got.header.Get("Authorization"))
		assert.NoError(t, verify(t, a.WebhookPublicKeyPEM(), got))
	})
}

func TestDeliveryOfTheOtherSpelling(t *testing.T) {
	r := &receiver{}
	hooked(t, r, func(t *testing.T, a api) {
		a.subscribe("https://example.com/hook", "call-started")
		a.call("")
		a.launch(numbers(1), `,"webhook":{"endpoint":"https://example.com/batch","events":["batchcall-started"]}`)
		wait(time.Minute)
		types := make(map[string]string)
		for _, got := range r.all() {
			var body map[string]any
			require.NoError(t, json.Unmarshal(got.body, &body))
			assert.NotContains(t, body, "webhookType")
			assert.Contains(t, body, "data")
			types[got.url] = body["type"].(string)
			assert.NoError(t, verify(t, a.WebhookPublicKeyPEM(), got))
		}
		assert.Equal(t, map[string]string{"https://example.com/hook": "call-started", "https://example.com/batch": "batchcall-started"}, types)
		assert.Equal(t, "call-started", a.Deliveries()[0].Event)
	}, videosdktest.WithQuirks(videosdktest.EventTypeSpelling))
}

func TestEveryChangeOfStatusIsDeliveredInOrder(t *testing.T) {
	tests := map[string]struct {
		act  func(a api)
		want []string
	}{
		"a call that is answered and ends": {
			func(a api) {
				a.Callee(phone).HangsUpAfter(time.Second)
				a.call("")
			},
			[]string{"call-started initiated", "call-ringing ringing", "call-answered answered", "call-hangup ended"},
		},
		"a call that is not answered": {
			func(a api) {
				a.Callee(phone).NeverAnswers()
				a.call("")
			},
			[]string{"call-started initiated", "call-ringing ringing", "call-missed not-answered"},
		},
		"a call that fails": {
			func(a api) {
				a.Callee(phone).Fails()
				a.call("")
			},
			[]string{"call-started initiated", "call-hangup failed"},
		},
		"an inbound call that is missed": {
			func(a api) {
				a.rule("inbound", "")
				a.Callee(ownNumber).NeverAnswers()
				_, err := a.InboundCall(phone, ownNumber)
				require.NoError(a.t, err)
			},
			[]string{"call-started incoming", "call-ringing ringing", "call-missed missed"},
		},
		"a call with a status of its own": {
			func(a api) { require.NoError(a.t, a.SetCallStatus(a.call(""), "verified")) },
			[]string{"call-started initiated", "call-update verified"},
		},
		"a call that is transferred": {
			func(a api) { a.transfer(a.talk("")) },
			[]string{
				"call-started initiated", "call-ringing ringing", "call-answered answered", "call-transfer-initiated transfer-initiated",
				"call-transfer-accepted transfer-accepted", "call-transferring transferring", "call-transfer-ringing transfer-ringing",
				"call-transferred transferred",
			},
		},
		"a call whose transfer fails": {
			func(a api) {
				a.Callee(colleague).Fails()
				a.transfer(a.talk(""))
			},
			[]string{
				"call-started initiated", "call-ringing ringing", "call-answered answered", "call-transfer-initiated transfer-initiated",
				"call-transfer-accepted transfer-accepted", "call-transferring transferring", "call-transfer-failed transfer-failed",
			},
		},
		"a call that switches rooms": {
			func(a api) {
				a.post("/v2/sip/call/switch-room", fmt.Sprintf(`{"callId":%q,"roomId":"lobby"}`, a.talk(`,"destinationRoomId":"lobby"`)))
			},
			[]string{
				"call-started initiated", "call-ringing ringing", "call-answered answered",
				"switch-room-initiated switch-room-initiated", "switch-room-completed switch-room-completed",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := &receiver{}
			hooked(t, r, func(t *testing.T, a api) {
				a.subscribe("https://example.com", append(lifeEvents(), "call-transferred", "call-transfer-initiated", "call-transfer-accepted",
					"call-transferring", "call-transfer-ringing", "call-transfer-failed", "switch-room-initiated", "switch-room-completed")...)
				test.act(a)
				wait(time.Hour)
				var got []string
				for _, delivery := range r.all() {
					d := delivery.decode(t)
					got = append(got, d.WebhookType+" "+d.Data.Status)
				}
				assert.Equal(t, test.want, got)
			})
		})
	}
}

func TestDeliveriesGoToThoseSubscribedOnly(t *testing.T) {
	r := &receiver{}
	hooked(t, r, func(t *testing.T, a api) {
		a.subscribe("https://example.com/answered", "call-answered")
		gone := a.subscribe("https://example.com/gone", "call-answered")
		a.delete("/v2/sip/webhooks/" + gone).must(http.StatusOK)
		moved := a.subscribe("https://example.com/old", "call-ringing")
		a.patch("/v2/sip/webhooks/"+moved, `{"url":"https://example.com/new"}`).must(http.StatusOK)
		a.call("")
		wait(time.Second)
		var urls []string
		for _, got := range r.all() {
			urls = append(urls, got.url)
		}
		assert.Equal(t, []string{"https://example.com/new", "https://example.com/answered"}, urls)
	})
}

func TestDeliveryIsRepeatedUntilItIsTaken(t *testing.T) {
	tests := map[string]struct {
		answer func(n int) (int, error)
		want   []int // statuses of the attempts
	}{
		"at once":        {func(int) (int, error) { return http.StatusNoContent, nil }, []int{204}},
		"after refusals": {func(n int) (int, error) { return []int{503, 404, 200}[n-1], nil }, []int{503, 404, 200}},
		"after a redirect, which is not followed": {func(n int) (int, error) { return []int{302, 200}[n-1], nil }, []int{302, 200}},
		"after a broken connection": {func(n int) (int, error) {
			if n == 1 {
				return 0, errors.New("reset")
			}
			return 200, nil
		}, []int{0, 200}},
		"or given up": {func(int) (int, error) { return 500, nil }, []int{500, 500, 500, 500}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := &receiver{answer: test.answer}
			hooked(t, r, func(t *testing.T, a api) {
				webhook := a.subscribe("https://example.com/", "call-started")
				id := a.call("")
				wait(time.Minute)
				deliveries := a.Deliveries()
				require.Len(t, deliveries, len(test.want))
				for i, d := range deliveries {
					assert.Equal(t, test.want[i], d.Status)
					assert.Equal(t, test.want[i] == 0, d.Err != nil)
					assert.Equal(t, i+1, d.Attempt)
					assert.Equal(t, webhook, d.WebhookID)
					assert.Equal(t, "https://example.com/", d.URL)
					assert.Equal(t, "call-started", d.Event)
					assert.Equal(t, id, d.CallID)
					assert.Equal(t, r.all()[i].body, d.Body)
					assert.Equal(t, r.all()[i].header.Get("videosdk-signature"), d.Signature)
				}
			}, videosdktest.WithWebhookRetries(4, time.Second))
		})
	}
}

func TestDeliveriesToAWebhookEndWithIt(t *testing.T) {
	refuses := func(int) (int, error) { return http.StatusServiceUnavailable, nil }
	tests := map[string]struct {
		answer   func(int) (int, error)
		before   func(api)
		attempts int // before it is deleted, and in all
	}{
		"that wait to be repeated":     {refuses, func(api) {}, 1},
		"that are delayed":             {nil, func(a api) { a.DelayDeliveries(time.Minute) }, 0},
		"that are held until released": {nil, func(a api) { a.HoldDeliveries() }, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := &receiver{answer: test.answer}
			hooked(t, r, func(t *testing.T, a api) {
				webhook := a.subscribe("https://example.com", lifeEvents()...)
				test.before(a)
				a.talk("")
				assert.Len(t, r.all(), test.attempts)
				a.delete("/v2/sip/webhooks/" + webhook).must(http.StatusOK)
				a.ReleaseDeliveries()
				wait(time.Hour)
				assert.Len(t, r.all(), test.attempts)

				r.answer = nil
				a.subscribe("https://example.com/new", "call-started")
				a.DelayDeliveries(0)
				a.call("")
				wait(time.Second)
				assert.Len(t, r.all(), test.attempts+1, "another webhook gets its own")
			}, videosdktest.WithWebhookRetries(5, time.Second))
		})
	}
}

func TestDeliveryBacksOffAndKeepsTheOrder(t *testing.T) {
	r := &receiver{answer: func(n int) (int, error) {
		if n <= 3 {
			return http.StatusServiceUnavailable, nil
		}
		return http.StatusOK, nil
	}}
	hooked(t, r, func(t *testing.T, a api) {
		a.subscribe("https://example.com", lifeEvents()...)
		start := time.Now()
		a.call("")
		wait(time.Minute)
		assert.Equal(t, []string{"initiated", "initiated", "initiated", "initiated", "ringing", "answered"}, r.statuses(t))
		var waits []time.Duration
		for _, got := range r.all() {
			waits = append(waits, got.time.Sub(start))
		}
		assert.Equal(t, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second, 7 * time.Second, 7 * time.Second}, waits)
	}, videosdktest.WithWebhookRetries(5, time.Second))
}

func TestASlowReceiverHoldsUpNobodyElse(t *testing.T) {
	r := &receiver{}
	hooked(t, r, func(t *testing.T, a api) {
		slow := make(chan struct{})
		r.answer = func(n int) (int, error) {
			if n == 1 {
				<-slow
			}
			return http.StatusOK, nil
		}
		a.subscribe("https://slow.example.com", "call-started")
		a.subscribe("https://fast.example.com", "call-ringing")
		id := a.call("")
		wait(time.Second)
		assert.Equal(t, "answered", a.status(id), "calls go on")
		assert.Len(t, r.all(), 2)
		close(slow)
	})
}

func TestHeldDeliveriesAreReleased(t *testing.T) {
	tests := map[string]struct {
		release func(*videosdktest.Server)
		want    []string
	}{
		"in order":   {(*videosdktest.Server).ReleaseDeliveries, []string{"initiated", "ringing", "answered", "ended"}},
		"in reverse": {(*videosdktest.Server).ReleaseDeliveriesReversed, []string{"answered", "ringing", "initiated", "ended"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := &receiver{}
			hooked(t, r, func(t *testing.T, a api) {
				a.subscribe("https://example.com", lifeEvents()...)
				a.HoldDeliveries()
				id := a.talk("")
				wait(time.Hour)
				assert.Empty(t, r.all())
				test.release(a.Server)
				wait(0)
				require.NoError(t, a.HangUp(id))
				wait(0)
				assert.Equal(t, test.want, r.statuses(t))
			})
		})
	}
}

func TestWhatWaitsBehindADeliveryOnItsWayIsHeldBack(t *testing.T) {
	r := &receiver{}
	hooked(t, r, func(t *testing.T, a api) {
		a.subscribe("https://example.com", lifeEvents()...)
		a.DelayDeliveries(time.Minute)
		a.call("")
		wait(time.Second)
		a.HoldDeliveries()
		wait(time.Hour)
		assert.Equal(t, []string{"initiated"}, r.statuses(t), "which was on its way")
		a.ReleaseDeliveries()
		wait(0)
		assert.Equal(t, []string{"initiated", "ringing", "answered"}, r.statuses(t))
	})
}

func TestDuplicatedDeliveries(t *testing.T) {
	r := &receiver{}
	hooked(t, r, func(t *testing.T, a api) {
		a.subscribe("https://example.com", lifeEvents()...)
		a.DuplicateDeliveries(2)
		a.call("")
		wait(time.Second)
		assert.Equal(t, []string{"initiated", "initiated", "ringing", "ringing", "answered"}, r.statuses(t))
		assert.Equal(t, r.all()[0].body, r.all()[1].body)
	})
}

func TestDelayedDeliveries(t *testing.T) {
	r := &receiver{}
	hooked(t, r, func(t *testing.T, a api) {
		a.subscribe("https://example.com", lifeEvents()...)
		a.DelayDeliveries(time.Minute)
		start := time.Now()
		a.call("")
		wait(time.Hour)
		var waits []time.Duration
		for _, got := range r.all() {
			waits = append(waits, got.time.Sub(start))
		}
		assert.Equal(t, []time.Duration{time.Minute, time.Minute + 20*time.Millisecond, time.Minute + 50*time.Millisecond}, waits)
	})
}

func TestRedeliveryAfterARotationIsSignedWithTheNewKey(t *testing.T) {
	r := &receiver{answer: func(n int) (int, error) { return []int{500, 200}[n-1], nil }}
	hooked(t, r, func(t *testing.T, a api) {
		a.subscribe("https://example.com", "call-started")
		a.call("")
		wait(time.Second)
		old := a.WebhookPublicKeyPEM()
		a.RotateKey()
		wait(time.Minute)
		require.Len(t, r.all(), 2)
		require.NoError(t, verify(t, old, r.all()[0]))
		require.Error(t, verify(t, a.WebhookPublicKeyPEM(), r.all()[0]))
		require.NoError(t, verify(t, a.WebhookPublicKeyPEM(), r.all()[1]))
	}, videosdktest.WithWebhookRetries(2, 10*time.Second))
}

func TestOnlyTheLatestDeliveriesAreRemembered(t *testing.T) {
	tests := []struct {
		name string
		opts []videosdktest.Option
		want []string
	}{
		{"as many as it is told to", []videosdktest.Option{videosdktest.WithRequestLog(2)}, []string{"call-answered", "call-hangup"}},
		{"none", []videosdktest.Option{videosdktest.WithRequestLog(0)}, nil},
		{"all of a few, by default", nil, []string{"call-started", "call-ringing", "call-answered", "call-hangup"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &receiver{}
			hooked(t, r, func(t *testing.T, a api) {
				a.subscribe("https://example.com/hook", lifeEvents()...)
				a.Callee(phone).HangsUpAfter(time.Second)
				a.call("")
				wait(time.Minute)
				var got []string
				for _, delivery := range a.Deliveries() {
					got = append(got, delivery.Event)
				}
				assert.Equal(t, test.want, got)
				assert.Len(t, r.all(), 4, "all of them are sent")
			}, test.opts...)
		})
	}
}

func TestDeliverAndForgeDelivery(t *testing.T) {
	statuses := make(chan error, 2)
	var a api
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		err := verify(t, a.WebhookPublicKeyPEM(), received{header: r.Header, body: body})
		statuses <- err
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer hook.Close()
	a = newAPI(t)
	body := []byte(`{"call-summary":"fine"}`)

	status, err := a.Deliver(t.Context(), hook.URL, body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	require.NoError(t, <-statuses)

	status, err = a.ForgeDelivery(t.Context(), hook.URL, body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, status)
	require.Error(t, <-statuses)

	_, err = a.Deliver(t.Context(), "://", body)
	require.Error(t, err)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = a.Deliver(cancelled, hook.URL, body)
	require.ErrorIs(t, err, context.Canceled)
}

func TestCloseEndsDeliveries(t *testing.T) {
	tests := map[string]struct {
		answer func(int) (int, error)
		before func(api)
	}{
		"that wait to be repeated": {func(int) (int, error) { return 500, nil }, func(api) {}},
		"that are delayed":         {nil, func(a api) { a.DelayDeliveries(time.Hour) }},
		"that are held":            {nil, func(a api) { a.HoldDeliveries() }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			hooked(t, &receiver{answer: test.answer}, func(t *testing.T, a api) {
				a.subscribe("https://example.com", lifeEvents()...)
				test.before(a)
				id := a.call("")
				wait(time.Second)
				start := time.Now()
				a.Close()
				assert.Zero(t, time.Since(start))
				a.ReleaseDeliveries()
				require.NoError(t, a.SetCallStatus(id, "ended"))
				wait(time.Hour)
			}, videosdktest.WithWebhookRetries(100, time.Hour))
		})
	}
}

func TestCloseLeavesNoConnectionToAReceiver(t *testing.T) {
	closed := make(chan struct{})
	hook := httptest.NewUnstartedServer(http.NotFoundHandler())
	hook.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}
	hook.Start()
	defer hook.Close()
	a := newAPI(t)
	_, err := a.Deliver(t.Context(), hook.URL, []byte(`{}`))
	require.NoError(t, err)
	a.Close()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the connection is kept")
	}
}

// hanging is the transport of a client whose requests are never answered.
type hanging struct{}

func (hanging) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func TestNothingIsAttemptedOnceTheServerCloses(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.subscribe("https://example.com", lifeEvents()...)
		a.call("")
		wait(time.Second)
		a.Close()
		assert.Len(t, a.Deliveries(), 1, "which Close has interrupted")
	}, videosdktest.WithWebhookClient(&http.Client{Transport: hanging{}}), videosdktest.WithWebhookRetries(5, 0))
}

func TestADeliveryThatHangsIsGivenUp(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Minute: time.Minute} {
		t.Run(want.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				a.subscribe("https://example.com", "call-started")
				a.call("")
				wait(want - time.Second)
				assert.Empty(t, a.Deliveries())
				wait(2 * time.Second)
				require.Len(t, a.Deliveries(), 1)
				assert.ErrorIs(t, a.Deliveries()[0].Err, context.DeadlineExceeded)
			}, videosdktest.WithWebhookClient(&http.Client{Transport: hanging{}, Timeout: timeout}))
		})
	}
}

func TestAReceiverInMemoryThatIsSlowIsDeliveredToAgain(t *testing.T) {
	hook := &inMemory{handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		<-time.After(15 * time.Second)
	})}
	bubble(t, func(t *testing.T, a api) {
		a.subscribe("https://example.com", "call-started")
		a.call("")
		wait(11 * time.Second)
		require.Len(t, a.Deliveries(), 1)
		assert.ErrorIs(t, a.Deliveries()[0].Err, context.DeadlineExceeded)
		wait(time.Minute)
		assert.Len(t, a.Deliveries(), 5)
	}, videosdktest.WithWebhookClient(&http.Client{Transport: hook}))
}

func TestCloseInterruptsADeliveryThatHangs(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}))
	defer hook.Close()
	defer close(release)
	a := newAPI(t)
	a.AddPhoneNumbers(ownNumber)
	a.subscribe(hook.URL, "call-started")
	a.call("")
	<-arrived
	a.Close()
	deliveries := a.Deliveries()
	require.Len(t, deliveries, 1)
	assert.ErrorIs(t, deliveries[0].Err, context.Canceled)
}
