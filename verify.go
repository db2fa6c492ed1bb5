package videosdk

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// SignatureHeader is the header of a webhook that holds its signature.
const SignatureHeader = "videosdk-signature"

// ErrInvalidSignature is a webhook that was not signed by VideoSDK, or not with
// this body.
var ErrInvalidSignature = errors.New("videosdk: invalid webhook signature")

// WebhookVerifier tells the webhooks of VideoSDK from those of others. It is
// safe for concurrent use. The zero value is not usable: see
// [NewWebhookVerifier].
//
// It verifies RSA-SHA256 with PKCS#1 v1.5 and nothing else, over the bytes of
// the body as they came: a body that was decoded and encoded again is another
// one. What is signed has no time and no number in it, so an event that somebody
// recorded verifies for ever: handle each event once, as [WebhookHandler] does. Nor does
// a signature tell from whose account an event is: VideoSDK has one key for all. How to
// know: docs/webhooks.md.
//
// https://docs.videosdk.live/api-reference/realtime-communication/webhook-verification
type WebhookVerifier struct{ keys KeySource }

// NewWebhookVerifier returns a verifier that trusts the keys of a source:
// [Client.WebhookKeys] or [PinnedKey]. It panics if keys is nil.
func NewWebhookVerifier(keys KeySource) *WebhookVerifier {
	if keys == nil {
		panic("videosdk: NewWebhookVerifier needs a source of keys")
	}
	return &WebhookVerifier{keys: keys}
}

// Verify checks the signature of a body, from the header [SignatureHeader], and
// decodes it. A signature that does not fit is [ErrInvalidSignature]; other
// errors mean that no key could be had, or that the body is not JSON
// ([ErrInvalidEvent]). The event keeps body: do not change it afterwards.
func (v *WebhookVerifier) Verify(ctx context.Context, body []byte, signature string) (*Event, error) {
	if err := v.verify(ctx, body, signature); err != nil {
		return nil, err
	}
	return ParseEvent(body)
}

func (v *WebhookVerifier) verify(ctx context.Context, body []byte, signature string) error {
	raw, err := decodeSignature(signature)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(body)
	keys, err := v.keys.Keys(ctx)
	if err != nil {
		return fmt.Errorf("videosdk: no key to verify webhooks with: %w", err)
	}
	if signedByOne(keys, digest, raw) {
		return nil
	}
	// The key may have been changed since.
	keys, err = v.keys.Refresh(ctx)
	if err != nil {
		return fmt.Errorf("%w (and the key could not be refreshed: %w)", ErrInvalidSignature, err)
	}
	if signedByOne(keys, digest, raw) {
		return nil
	}
	return ErrInvalidSignature
}

func signedByOne(keys []*rsa.PublicKey, digest [sha256.Size]byte, signature []byte) bool {
	for _, key := range keys {
		if isStrong(key) && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil {
			return true
		}
	}
	return false
}

// decodeSignature accepts standard base64, padded or not, and only the one form
// that encodes the bytes: the decoder would overlook line breaks and odd
// trailing bits.
func decodeSignature(text string) ([]byte, error) {
	if text == "" {
		return nil, fmt.Errorf("%w: the header is empty", ErrInvalidSignature)
	}
	bare := strings.TrimRight(text, "=")
	padded := len(bare) != len(text)
	if padded && (len(text)%4 != 0 || len(text)-len(bare) > 2) || strings.ContainsAny(bare, "\r\n") {
		return nil, fmt.Errorf("%w: not base64", ErrInvalidSignature)
	}
	raw, err := base64.RawStdEncoding.Strict().DecodeString(bare)
	if err != nil {
		return nil, fmt.Errorf("%w: not base64", ErrInvalidSignature)
	}
	return raw, nil
}
