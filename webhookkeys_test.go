package videosdk_test

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func encodePEM(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func pkix(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return der
}

// keyForms are the ways in which the vendor's key may be written.
func keyForms(t *testing.T) map[string][]byte {
	t.Helper()
	pkcs1 := vendor().pem()
	return map[string][]byte{
		"PKCS#1":                 pkcs1,
		"PKIX":                   encodePEM("PUBLIC KEY", pkix(t, &vendor().key.PublicKey)),
		"PKIX, labelled PKCS#1":  encodePEM("RSA PUBLIC KEY", pkix(t, &vendor().key.PublicKey)),
		"PKCS#1, labelled PKIX":  encodePEM("PUBLIC KEY", x509.MarshalPKCS1PublicKey(&vendor().key.PublicKey)),
		"with CRLF":              []byte(strings.ReplaceAll(string(pkcs1), "\n", "\r\n")),
		"without a last newline": []byte(strings.TrimSpace(string(pkcs1))),
		"after other text":       append([]byte("The key of VideoSDK:\n"), pkcs1...),
	}
}

// badKeys are no keys to trust.
func badKeys(t *testing.T) map[string][]byte {
	t.Helper()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	almost, err := rsa.GenerateKey(rand.Reader, 2047)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(vendor().key)
	require.NoError(t, err)
	whole := string(vendor().pem())
	return map[string][]byte{
		"nothing":               nil,
		"text":                  []byte("hello"),
		"HTML":                  []byte("<html>Sign in to the Wi-Fi</html>"),
		"DER":                   x509.MarshalPKCS1PublicKey(&vendor().key.PublicKey),
		"half a key":            []byte(whole[:len(whole)/2]),
		"an empty key":          encodePEM("RSA PUBLIC KEY", nil),
		"a damaged key":         encodePEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&vendor().key.PublicKey)[:200]),
		"a key of 1024 bits":    encodePEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&weak.PublicKey)),
		"the same, in PKIX":     encodePEM("PUBLIC KEY", pkix(t, &weak.PublicKey)),
		"a key of 2047 bits":    encodePEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&almost.PublicKey)),
		"an ECDSA key":          encodePEM("PUBLIC KEY", pkix(t, &curve.PublicKey)),
		"an Ed25519 key":        encodePEM("PUBLIC KEY", pkix(t, edwards)),
		"a private key":         encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(vendor().key)),
		"a private PKCS#8 key":  encodePEM("PRIVATE KEY", private),
		"a key labelled public": encodePEM("PUBLIC KEY", private),
	}
}

func TestAPinnedKeyIsTrustedInEveryForm(t *testing.T) {
	for name, text := range keyForms(t) {
		t.Run(name, func(t *testing.T) {
			keys, err := videosdk.PinnedKey(text)
			require.NoError(t, err)
			verifier := videosdk.NewWebhookVerifier(keys)
			_, err = verifier.Verify(t.Context(), []byte(smallEvent), vendor().sign(smallEvent))
			require.NoError(t, err)
			assertRefusedSignature(t, verifier, smallEvent, vendor().sign(smallEvent+" "))
		})
	}
}

func TestWhatIsNoGoodKeyCannotBePinned(t *testing.T) {
	for name, text := range badKeys(t) {
		t.Run(name, func(t *testing.T) {
			keys, err := videosdk.PinnedKey(text)
			require.Error(t, err)
			assert.Nil(t, keys)
			assert.Contains(t, err.Error(), "videosdk: the webhook key")
			assert.Less(t, len(err.Error()), 100, "and nothing of the key")
		})
	}
}

// keyServer is an API that has a key to fetch, and nothing else.
type keyServer struct {
	mu      sync.Mutex
	status  int
	body    string
	err     error
	hold    chan struct{} // if not nil, what is waited for before answering
	fetches []time.Time
	ended   int // fetches whose context ended before they were answered
	wrong   []string
}

func newKeyServer(s signer) *keyServer {
	k := &keyServer{}
	k.serveKey(s.pem())
	return k
}

// serveKey sets the key that is answered from now on.
func (k *keyServer) serveKey(text []byte) {
	body, _ := json.Marshal(map[string]string{"publicKey": string(text)}) // cannot fail
	k.serve(http.StatusOK, string(body))
}

func (k *keyServer) serve(status int, body string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.status, k.body, k.err = status, body, nil
}

// fail loses every request from now on.
func (k *keyServer) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

// block keeps every request from now on waiting until the function that it
// returns is called.
func (k *keyServer) block() (release func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	hold := make(chan struct{})
	k.hold = hold
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		close(hold)
		k.hold = nil
	}
}

func (k *keyServer) RoundTrip(req *http.Request) (*http.Response, error) {
	k.mu.Lock()
	k.fetches = append(k.fetches, time.Now())
	if req.Method != http.MethodGet || req.URL.Path != "/v2/public/rsa-public-key" || req.Header.Get("Authorization") != "" {
		k.wrong = append(k.wrong, req.Method+" "+req.URL.Path)
	}
	hold := k.hold
	k.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-req.Context().Done():
			k.mu.Lock()
			defer k.mu.Unlock()
			k.ended++
			return nil, req.Context().Err()
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return nil, k.err
	}
	return &http.Response{StatusCode: k.status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(k.body)), ContentLength: int64(len(k.body)), Request: req}, nil
}

func (k *keyServer) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.fetches)
}

// assertSpaced checks that between two fetches there is always so much time.
func (k *keyServer) assertSpaced(t *testing.T, least time.Duration) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := 1; i < len(k.fetches); i++ {
		assert.GreaterOrEqual(t, k.fetches[i].Sub(k.fetches[i-1]), least, "fetch %d", i+1)
	}
}

// verifier returns one that fetches its key here.
func (k *keyServer) verifier(t *testing.T) *videosdk.WebhookVerifier {
	t.Helper()
	return videosdk.NewWebhookVerifier(k.keys(t))
}

// keys returns a source that fetches its key here, each time with one request.
func (k *keyServer) keys(t *testing.T) videosdk.KeySource {
	t.Helper()
	client, err := videosdk.New("", "", videosdk.WithTokenSource(videosdk.StaticToken("not-needed")),
		videosdk.WithHTTPClient(&http.Client{Transport: k}), videosdk.WithMaxRetries(0))
	require.NoError(t, err)
	t.Cleanup(func() { assert.Empty(t, k.wrong, "requests that are none for the key, or carry a token") })
	return client.WebhookKeys()
}

// accepts reports whether a delivery that s signed is taken for genuine.
func accepts(t *testing.T, verifier *videosdk.WebhookVerifier, s signer) bool {
	t.Helper()
	_, err := verifier.Verify(t.Context(), []byte(smallEvent), s.sign(smallEvent))
	if err != nil {
		require.ErrorIs(t, err, videosdk.ErrInvalidSignature)
	}
	return err == nil
}

// elapse lets time pass in a bubble.
func elapse(d time.Duration) { <-time.After(d) }

func TestTheKeyIsFetchedOnceADayWithoutAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newKeyServer(vendor())
		verifier := server.verifier(t)
		assert.Zero(t, server.count(), "not before it is needed")
		for range 3 {
			assert.True(t, accepts(t, verifier, vendor()))
			synctest.Wait()
			assert.Equal(t, 1, server.count())
			elapse(24*time.Hour/3 - time.Second)
		}
		elapse(3 * time.Second)
		assert.True(t, accepts(t, verifier, vendor()))
		synctest.Wait() // the fetch is made in the background
		assert.True(t, accepts(t, verifier, vendor()))
		synctest.Wait()
		assert.Equal(t, 2, server.count())
	})
}

func TestTheKeyIsFetchedInEveryForm(t *testing.T) {
	for name, text := range keyForms(t) {
		t.Run(name, func(t *testing.T) {
			server := newKeyServer(vendor())
			server.serveKey(text)
			assert.True(t, accepts(t, server.verifier(t), vendor()))
		})
	}
	t.Run("in an envelope", func(t *testing.T) {
		server := newKeyServer(vendor())
		server.serve(http.StatusOK, `{"statusCode":200,"data":`+server.body+`}`)
		assert.True(t, accepts(t, server.verifier(t), vendor()))
	})
}

func TestAFloodOfForgeriesIsNoFloodOfFetches(t *testing.T) {
	const flood = 10_000
	tests := map[string]struct {
		between time.Duration // one forgery and the next
		down    bool
		fetches int
	}{
		"at once":                               {0, false, 1},
		"at once, while the API is down":        {0, true, 1},
		"in ten minutes":                        {60 * time.Millisecond, false, 10},
		"in ten minutes, while the API is down": {60 * time.Millisecond, true, 10},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newKeyServer(vendor())
				verifier := server.verifier(t)
				require.True(t, accepts(t, verifier, vendor()))
				if tt.down {
					server.serve(http.StatusInternalServerError, "")
				}
				// The key is fetched for any of them. Nine in ten are too short for it,
				// and quickly refused.
				forgeries := [10]string{0: stranger().sign(smallEvent)}
				for n := range flood {
					forged := cmp.Or(forgeries[n%len(forgeries)], "AAAA")
					if _, err := verifier.Verify(t.Context(), []byte(smallEvent), forged); !errors.Is(err, videosdk.ErrInvalidSignature) {
						require.ErrorIs(t, err, videosdk.ErrInvalidSignature)
					}
					elapse(tt.between)
				}
				assert.Equal(t, tt.fetches, server.count())
				server.assertSpaced(t, time.Minute)
				assert.True(t, accepts(t, verifier, vendor()))
			})
		})
	}
}

func TestWhatCannotBeASignatureFetchesNothing(t *testing.T) {
	server := newKeyServer(vendor())
	verifier := server.verifier(t)
	for _, signature := range []string{"", "?", "====", "AB\r\nCD"} {
		assertRefusedSignature(t, verifier, smallEvent, signature)
	}
	assert.Zero(t, server.count())
}

func TestARotationOfTheKeyHealsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		older, newer := vendor(), successor()
		server := newKeyServer(older)
		verifier := server.verifier(t)
		require.True(t, accepts(t, verifier, older))

		elapse(30 * time.Second)
		server.serveKey(newer.pem())
		assert.False(t, accepts(t, verifier, newer), "the key was fetched less than a minute ago")
		elapse(30 * time.Second)
		assert.True(t, accepts(t, verifier, newer))
		assert.Equal(t, 2, server.count())

		elapse(10*time.Minute - time.Second)
		assert.True(t, accepts(t, verifier, older), "deliveries that were under way")
		assert.Equal(t, 2, server.count())
		elapse(time.Second)
		assert.False(t, accepts(t, verifier, older))
		assert.True(t, accepts(t, verifier, newer))
	})
}

func TestAKeyThatIsServedAgainIsNoRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		older, newer := vendor(), successor()
		server := newKeyServer(older)
		verifier := server.verifier(t)
		require.True(t, accepts(t, verifier, older))
		server.serveKey(newer.pem())
		elapse(time.Minute)
		require.True(t, accepts(t, verifier, newer))
		for range 9 { // forgeries have the same key fetched again and again
			elapse(time.Minute)
			require.False(t, accepts(t, verifier, stranger()))
			assert.True(t, accepts(t, verifier, newer))
			assert.True(t, accepts(t, verifier, older))
		}
		assert.Equal(t, 11, server.count())
		elapse(time.Minute)
		assert.False(t, accepts(t, verifier, older))
	})
}

func TestTheLastGoodKeySurvives(t *testing.T) {
	outages := map[string]func(*keyServer){
		"answers of 500":    func(k *keyServer) { k.serve(http.StatusInternalServerError, `{"message":"down"}`) },
		"answers of 404":    func(k *keyServer) { k.serve(http.StatusNotFound, "") },
		"a captive portal":  func(k *keyServer) { k.serve(http.StatusOK, "<html>") },
		"an empty answer":   func(k *keyServer) { k.serve(http.StatusOK, "") },
		"no key":            func(k *keyServer) { k.serve(http.StatusOK, `{"publicKey":null}`) },
		"an error in a 200": func(k *keyServer) { k.serve(http.StatusOK, `{"statusCode":500,"publicKey":"x"}`) },
		"no connection":     func(k *keyServer) { k.fail(errors.New("connection refused")) },
	}
	for name, text := range badKeys(t) {
		outages[name] = func(k *keyServer) { k.serveKey(text) }
	}
	for name, breakDown := range outages {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newKeyServer(vendor())
				verifier := server.verifier(t)
				require.True(t, accepts(t, verifier, vendor()))
				breakDown(server)
				for range 3 {
					elapse(25 * time.Hour)
					before := server.count()
					assert.True(t, accepts(t, verifier, vendor()))
					synctest.Wait()
					assert.Equal(t, before+1, server.count(), "it is tried")
					assert.True(t, accepts(t, verifier, vendor()))
					assert.False(t, accepts(t, verifier, stranger()))
					synctest.Wait()
					assert.Equal(t, before+1, server.count(), "but not for each delivery")
				}
				newer := successor()
				server.serveKey(newer.pem())
				elapse(time.Minute)
				assert.True(t, accepts(t, verifier, newer), "and then it is over")
			})
		})
	}
}

func TestAnAnswerWithoutAGoodKeyIsNoneOfTheAPIs(t *testing.T) {
	for name, text := range badKeys(t) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newKeyServer(vendor())
				server.serveKey(text)
				_, err := server.verifier(t).Verify(t.Context(), []byte(smallEvent), vendor().sign(smallEvent))
				require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
				require.NotErrorIs(t, err, videosdk.ErrInvalidSignature)
				assert.Contains(t, err.Error(), "WebhookKeys: GET /v2/public/rsa-public-key: 200 OK: ")
				assert.Contains(t, err.Error(), "the webhook key ")
			})
		})
	}
}

func TestWithoutAFirstKeyDeliveriesAreNotTakenForForgeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newKeyServer(vendor())
		server.serve(http.StatusInternalServerError, `{"message":"down"}`)
		verifier := server.verifier(t)
		for range 100 {
			_, err := verifier.Verify(t.Context(), []byte(smallEvent), vendor().sign(smallEvent))
			require.ErrorIs(t, err, videosdk.ErrServer)
			require.NotErrorIs(t, err, videosdk.ErrInvalidSignature)
			assert.Contains(t, err.Error(), "no key to verify webhooks with")
			elapse(100 * time.Millisecond)
		}
		assert.Equal(t, 2, server.count(), "one every five seconds")
		server.serveKey(vendor().pem())
		assert.True(t, accepts(t, verifier, vendor()))
	})
}

// One failure of the API must not have genuine deliveries refused.
func TestTheFetchOfTheKeyIsRepeatedAsAReadIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newKeyServer(vendor())
		server.serve(http.StatusInternalServerError, `{"message":"down"}`)
		client, err := videosdk.New("", "", videosdk.WithTokenSource(videosdk.StaticToken("not-needed")),
			videosdk.WithHTTPClient(&http.Client{Transport: server}), videosdk.WithMaxRetries(2))
		require.NoError(t, err)
		_, err = client.WebhookKeys().Keys(t.Context())
		require.ErrorIs(t, err, videosdk.ErrServer)
		require.ErrorContains(t, err, "videosdk: WebhookKeys: ")
		assert.Equal(t, 3, server.count())
	})
}

// The key is fetched in a goroutine of its own, where nobody could recover.
func TestAFetchThatBreaksDownIsAnErrorOfThoseWhoWaitForIt(t *testing.T) {
	tests := map[string]struct {
		breakDown func()
		want      string
	}{
		"a middleware that panics":               {func() { panic("PIN " + planted) }, "the request panicked with a string"},
		"a middleware that ends its goroutine":   {runtime.Goexit, "the request ended its goroutine"},
		"a middleware that panics with an error": {func() { panic(errors.New(planted)) }, "the request panicked with a *errors.errorString"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newKeyServer(vendor())
				broken, entered, goOn := true, make(chan struct{}), make(chan struct{})
				client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{
					Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
						if broken {
							close(entered)
							<-goOn
							tt.breakDown()
						}
						return server.RoundTrip(req)
					}),
				}))
				require.NoError(t, err)
				verifier := videosdk.NewWebhookVerifier(client.WebhookKeys())
				results := make(chan error, 2)
				verify := func() {
					_, err := verifier.Verify(t.Context(), []byte(smallEvent), vendor().sign(smallEvent))
					results <- err
				}
				go verify()
				<-entered
				go verify()
				synctest.Wait()
				close(goOn)
				for range 2 {
					err := <-results
					require.ErrorContains(t, err, "videosdk: WebhookKeys: "+tt.want)
					require.NotErrorIs(t, err, videosdk.ErrInvalidSignature)
					assertNoSecret(t, err.Error(), "error")
				}
				broken = false
				elapse(5 * time.Second)
				assert.True(t, accepts(t, verifier, vendor()), "the next fetch is made as ever")
			})
		})
	}
}

// A handler that forgets the context panics, which net/http recovers.
func TestWhoVerifiesWithoutAContextDoesNotKeepTheKeyFromOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		verifier := newKeyServer(vendor()).verifier(t)
		var none context.Context
		assert.Panics(t, func() { _, _ = verifier.Verify(none, []byte(smallEvent), vendor().sign(smallEvent)) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // for a failure to end
		defer cancel()
		_, err := verifier.Verify(ctx, []byte(smallEvent), vendor().sign(smallEvent))
		require.NoError(t, err)
	})
}

func TestManyWhoNeedTheKeyShareOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newKeyServer(vendor())
		verifier := server.verifier(t)
		// fetchTogether has each of many verify a delivery while the fetch that
		// it needs is held up.
		fetchTogether := func(s signer, fetches int) {
			release := server.block()
			var accepted atomic.Int32
			var all sync.WaitGroup
			for range goroutines {
				all.Go(func() {
					if accepts(t, verifier, s) {
						accepted.Add(1)
					}
				})
			}
			synctest.Wait()
			assert.Equal(t, fetches, server.count())
			assert.Zero(t, accepted.Load())
			release()
			all.Wait()
			assert.Equal(t, int32(goroutines), accepted.Load())
			assert.Equal(t, fetches, server.count())
		}
		fetchTogether(vendor(), 1)
		newer := successor()
		server.serveKey(newer.pem())
		elapse(time.Minute)
		fetchTogether(newer, 2)
	})
}

func TestABlockedFetchObeysTheContextOfEachCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newKeyServer(vendor())
		verifier := server.verifier(t)
		release := server.block()
		verify := func(ctx context.Context) <-chan error {
			result := make(chan error, 1)
			go func() {
				_, err := verifier.Verify(ctx, []byte(smallEvent), vendor().sign(smallEvent))
				result <- err
			}()
			synctest.Wait()
			return result
		}
		began := time.Now()
		hangsUp := errors.New("the sender has hung up")
		leaving, leave := context.WithCancelCause(t.Context())
		first := verify(leaving) // begins the fetch
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		second := verify(hurried)
		patient := verify(t.Context())

		leave(hangsUp)
		err := <-first
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, hangsUp)
		assert.Zero(t, time.Since(began))
		err = <-second
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, videosdk.ErrTimeout)
		assert.Equal(t, time.Second, time.Since(began))
		elapse(8 * time.Second)
		late := verify(t.Context())
		assert.Empty(t, patient)
		assert.Empty(t, late)

		release()
		assert.NoError(t, <-patient, "those who left did not end what others need")
		assert.NoError(t, <-late)
		assert.Equal(t, 1, server.count())
		assert.Zero(t, server.ended)
	})
}

// Somebody who has no key, but can connect and hang up, must not be able to
// keep the key from being fetched.
func TestForgersWhoHangUpDoNotKeepTheKeyAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		older, newer := vendor(), successor()
		server := newKeyServer(older)
		verifier := server.verifier(t)
		require.True(t, accepts(t, verifier, older))
		server.serveKey(newer.pem())
		for range 3 {
			elapse(time.Minute)
			release := server.block()
			forger, hangUp := context.WithCancel(t.Context())
			gone := make(chan error)
			go func() {
				_, err := verifier.Verify(forger, []byte(smallEvent), stranger().sign(smallEvent))
				gone <- err
			}()
			synctest.Wait()
			hangUp()
			<-gone
			release()
			synctest.Wait()
		}
		assert.True(t, accepts(t, verifier, newer))
	})
}

// An API that does not answer holds up nobody whose key is known.
func TestAGenuineDeliveryDoesNotWaitForTheFetchThatAForgeryCaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newKeyServer(vendor())
		verifier := server.verifier(t)
		require.True(t, accepts(t, verifier, vendor()))
		elapse(time.Hour)
		release := server.block()
		defer release()
		forged := make(chan bool)
		go func() { forged <- accepts(t, verifier, stranger()) }()
		synctest.Wait()
		require.Equal(t, 2, server.count(), "the fetch is under way")

		began := time.Now()
		assert.True(t, accepts(t, verifier, vendor()))
		assert.Zero(t, time.Since(began))
		assert.False(t, <-forged)
		assert.Equal(t, 10*time.Second, time.Since(began), "a fetch without an answer is given up")
		assert.Equal(t, 1, server.ended)
	})
}

func TestAnAPIThatHangsKeepsNoGenuineDeliveryWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newKeyServer(vendor())
		verifier := server.verifier(t)
		require.True(t, accepts(t, verifier, vendor()))
		elapse(25 * time.Hour)
		release := server.block()
		for range 120 { // two minutes in which the key is too old
			began := time.Now()
			assert.True(t, accepts(t, verifier, vendor()))
			assert.Zero(t, time.Since(began))
			elapse(time.Second)
		}
		assert.Equal(t, 1+2, server.count(), "it is tried once a minute")
		server.assertSpaced(t, time.Minute)
		elapse(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, 2, server.ended, "and given up: no fetch is left behind")

		release()
		elapse(time.Minute)
		newer := successor()
		server.serveKey(newer.pem())
		assert.True(t, accepts(t, verifier, vendor()), "the old key, until the new one has come")
		assert.True(t, accepts(t, verifier, newer))
	})
}

// Who asks for the keys themselves gets those that there are, though in Refresh
// not before the fetch or the context has ended.
func TestTheKeysOfAnAPIThatHangsAreThoseThatItHadBefore(t *testing.T) {
	tests := map[string]struct {
		ask  func(videosdk.KeySource, context.Context) ([]*rsa.PublicKey, error)
		wait time.Duration
	}{
		"Keys":    {videosdk.KeySource.Keys, 0},
		"Refresh": {videosdk.KeySource.Refresh, time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newKeyServer(vendor())
				keys := server.keys(t)
				ask := func() ([]*rsa.PublicKey, error) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					return tt.ask(keys, ctx)
				}
				release := server.block()
				_, err := ask()
				require.ErrorIs(t, err, context.DeadlineExceeded, "there are none")
				require.ErrorIs(t, err, videosdk.ErrTimeout)
				require.EqualError(t, err, "videosdk: WebhookKeys: context deadline exceeded")
				release()
				synctest.Wait()

				elapse(25 * time.Hour)
				release = server.block()
				defer release()
				began := time.Now()
				got, err := ask()
				require.NoError(t, err)
				assert.Equal(t, []*rsa.PublicKey{&vendor().key.PublicKey}, got)
				assert.Equal(t, tt.wait, time.Since(began))
			})
		})
	}
}

func TestTheEmulatorsKeyIsFetchedAndItsRotationHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := make(chan *http.Request, 1)
		srv := newServer(t, videosdktest.InMemory(), videosdktest.WithWebhookClient(&http.Client{
			Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				receiver <- req
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
			}),
		}))
		verifier := videosdk.NewWebhookVerifier(newClient(t, srv).WebhookKeys())
		verify := func() error {
			_, err := srv.Deliver(t.Context(), "https://example.com/hook", []byte(smallEvent))
			require.NoError(t, err)
			req := <-receiver
			body, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			_, err = verifier.Verify(t.Context(), body, req.Header.Get(videosdk.SignatureHeader))
			return err
		}
		require.NoError(t, verify())
		srv.RotateKey()
		elapse(time.Minute)
		require.NoError(t, verify())
		require.Len(t, srv.Requests(), 2)
		for _, request := range srv.Requests() {
			assert.Equal(t, "/v2/public/rsa-public-key", request.Path)
			assert.Empty(t, request.Header.Get("Authorization"))
		}
	})
}
