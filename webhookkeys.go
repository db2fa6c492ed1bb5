package videosdk

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

const webhookKeyPath = "/v2/public/rsa-public-key"

// How fresh the keys are that [Client.WebhookKeys] has.
const (
	keyLifetime = 24 * time.Hour
	// refreshEvery is the least time between a fetch and the next that a
	// signature causes: a flood of forgeries must not become one of fetches.
	refreshEvery = time.Minute
	// retryFirstKey is the least time between fetches as long as there is no
	// key at all.
	retryFirstKey = 5 * time.Second
	// keyOverlap is how long the key before still counts after a rotation, for
	// deliveries that were under way.
	keyOverlap = 10 * time.Minute
	// fetchTimeout ends a fetch, with its retries, that brings no answer.
	fetchTimeout = 10 * time.Second
)

// minKeyBits is the size below which an RSA key can be broken.
const minKeyBits = 2048

// KeySource gives the public keys that webhooks are verified with. It is called
// from many goroutines.
type KeySource interface {
	// Keys returns the keys that count now.
	Keys(ctx context.Context) ([]*rsa.PublicKey, error)
	// Refresh returns the keys that count after a signature that fitted none
	// of Keys: the key may have been changed.
	Refresh(ctx context.Context) ([]*rsa.PublicKey, error)
}

// PinnedKey returns a source of one key that never changes: PEM, in PKCS#1
// ("RSA PUBLIC KEY") or PKIX ("PUBLIC KEY"). Keys of less than 2048 bits are
// refused.
func PinnedKey(pemText []byte) (KeySource, error) {
	key, err := parseKey(pemText)
	if err != nil {
		return nil, fmt.Errorf("videosdk: %w", err)
	}
	return pinnedKey{key}, nil
}

type pinnedKey []*rsa.PublicKey

func (k pinnedKey) Keys(context.Context) ([]*rsa.PublicKey, error)    { return k, nil }
func (k pinnedKey) Refresh(context.Context) ([]*rsa.PublicKey, error) { return k, nil }

// parseKey reads a key by what it is, not by what its label says.
func parseKey(pemText []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(pemText)
	if block == nil {
		return nil, errors.New("the webhook key is not PEM")
	}
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil {
		pkix, _ := x509.ParsePKIXPublicKey(block.Bytes)
		var isRSA bool
		if key, isRSA = pkix.(*rsa.PublicKey); !isRSA {
			return nil, errors.New("the webhook key is not an RSA public key")
		}
	}
	if !isStrong(key) {
		return nil, errors.New("the webhook key has less than 2048 bits")
	}
	return key, nil
}

func isStrong(key *rsa.PublicKey) bool { return key.N.BitLen() >= minKeyBits }

// WebhookKeys returns a source of the key that VideoSDK signs webhooks with now.
// Keep it: it fetches the key when it is first needed, without a token, one
// fetch at a time, and keeps it for a day. After a signature that does not fit
// it fetches again, at most once a minute, so that a change of the key heals
// itself. The last good key survives an outage of the API, also one in which it
// hangs: a key that is older than a day is fetched anew in the background, and
// used meanwhile. A context ends the wait for a fetch, and not the fetch, which
// others may be waiting for; after ten seconds it is given up.
//
// https://docs.videosdk.live/api-reference/realtime-communication/webhook-verification
func (c *Client) WebhookKeys() KeySource { return &fetchedKeys{client: c} }

// fetchedKeys has at most one fetch under way. It belongs to none of those who
// wait for it: a sender who hangs up must not end what others need.
type fetchedKeys struct {
	client *Client

	mu              sync.Mutex // guards all that follows
	current, before *rsa.PublicKey
	rotated         time.Time     // when current took the place of before
	fetched         time.Time     // when the fetch began that brought current
	tried           time.Time     // when one was begun last
	failure         error         // of the last fetch, nil if it succeeded
	fetching        chan struct{} // closed at the end of the fetch under way, nil without one
}

// Keys does not wait where a key is known: an API that hangs must not keep
// genuine deliveries waiting.
func (k *fetchedKeys) Keys(ctx context.Context) ([]*rsa.PublicKey, error) {
	fetched := k.renew(ctx, keyLifetime)
	if keys, _ := k.known(); keys != nil {
		return keys, nil
	}
	return k.after(ctx, fetched)
}

func (k *fetchedKeys) Refresh(ctx context.Context) ([]*rsa.PublicKey, error) {
	return k.after(ctx, k.renew(ctx, refreshEvery))
}

// after returns the keys that are known when a fetch has ended, or ctx has.
// fetched may be nil.
func (k *fetchedKeys) after(ctx context.Context, fetched <-chan struct{}) ([]*rsa.PublicKey, error) {
	var end error
	if fetched != nil {
		select {
		case <-fetched:
		case <-ctx.Done():
			end = fmt.Errorf("videosdk: WebhookKeys: %w", waitEnd{endOf(ctx)})
		}
	}
	keys, failure := k.known()
	switch {
	case keys != nil:
		return keys, nil
	case end != nil:
		return nil, end
	default:
		return nil, failure
	}
}

// known returns the keys that count now, nil if there are none, and why the last
// fetch brought none.
func (k *fetchedKeys) known() (keys []*rsa.PublicKey, failure error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.current == nil:
		return nil, k.failure
	case k.before != nil && time.Since(k.rotated) < keyOverlap:
		return []*rsa.PublicKey{k.current, k.before}, nil
	default:
		return []*rsa.PublicKey{k.current}, nil
	}
}

// renew sees to it that keys older than maxAge are fetched anew, if it is time
// to try. It returns what is closed when that is done, nil if there is nothing
// to wait for.
func (k *fetchedKeys) renew(ctx context.Context, maxAge time.Duration) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	pause := refreshEvery
	if k.current == nil {
		pause = retryFirstKey
	}
	switch {
	case k.current != nil && now.Sub(k.fetched) < maxAge:
		return nil
	case k.fetching == nil && now.Sub(k.tried) >= pause:
		detached := context.WithoutCancel(ctx) // without a context it panics: before others wait for the fetch
		k.tried = now
		k.fetching = make(chan struct{})
		go k.fetch(detached, now)
	}
	return k.fetching
}

// fetch runs in a goroutine of its own, where a panic of the user's middleware
// would end the program, out of reach of every recover. However it ends, those
// who wait for it hear of it.
func (k *fetchedKeys) fetch(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var key *rsa.PublicKey
	finally("videosdk: WebhookKeys: the request", func() (err error) {
		key, err = k.client.fetchWebhookKey(ctx)
		return err
	}, func(err error) { k.keep(key, err, now) })
}

// keep ends a fetch that was begun at now.
func (k *fetchedKeys) keep(key *rsa.PublicKey, err error, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.fetching)
	k.fetching = nil
	if k.failure = err; err != nil {
		return
	}
	if k.current != nil && !k.current.Equal(key) {
		k.before, k.rotated = k.current, now
	}
	k.current, k.fetched = key, now
}

// publicKey is the answer that holds the key.
type publicKey struct {
	PEM string `json:"publicKey"`
}

// resource gives the key an id, as there is only one: parseKey tells what is wrong with it.
func (k *publicKey) resource(json.RawMessage) (*publicKey, string) { return k, "the only one" }

// fetchWebhookKey asks the API for its key, without a token.
//
// https://docs.videosdk.live/api-reference/realtime-communication/webhook-verification
func (c *Client) fetchWebhookKey(ctx context.Context) (*rsa.PublicKey, error) {
	r := c.request(operation{
		name: "WebhookKeys", class: retry.Read, method: http.MethodGet, path: webhookKeyPath, public: true,
	}, nil)
	answer, err := one[publicKey, publicKey](ctx, c, r)
	if err != nil {
		return nil, err
	}
	key, err := parseKey([]byte(answer.PEM))
	if err != nil {
		return nil, r.exchange.refuse(err.Error())
	}
	return key, nil
}
