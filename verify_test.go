package videosdk_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// signer has a key and signs with it as VideoSDK does.
type signer struct{ key *rsa.PrivateKey }

// The signers of the tests: to make a key takes longer than a test does. vendor
// signs what is genuine, successor after the key has been changed, and stranger
// what is forged.
var (
	vendor    = sync.OnceValue(newSigner)
	successor = sync.OnceValue(newSigner)
	stranger  = sync.OnceValue(newSigner)
)

func newSigner() signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return signer{key}
}

// raw signs the digest of a body.
func (s signer) raw(hash crypto.Hash, digest []byte) []byte {
	signature, err := rsa.SignPKCS1v15(nil, s.key, hash, digest)
	if err != nil {
		panic(err)
	}
	return signature
}

// sign returns the value of the signature header for a body.
func (s signer) sign(body string) string {
	digest := sha256.Sum256([]byte(body))
	return base64.StdEncoding.EncodeToString(s.raw(crypto.SHA256, digest[:]))
}

// pem returns the public key as the API serves it.
func (s signer) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&s.key.PublicKey)})
}

func (s signer) verifier(t testing.TB) *videosdk.WebhookVerifier {
	t.Helper()
	keys, err := videosdk.PinnedKey(s.pem())
	require.NoError(t, err)
	return videosdk.NewWebhookVerifier(keys)
}

// fixedKeys is a source of keys as a user may write one.
type fixedKeys struct {
	keys []*rsa.PublicKey
	err  error
}

func (k fixedKeys) Keys(context.Context) ([]*rsa.PublicKey, error)    { return k.keys, k.err }
func (k fixedKeys) Refresh(context.Context) ([]*rsa.PublicKey, error) { return k.keys, k.err }

func assertRefusedSignature(t *testing.T, verifier *videosdk.WebhookVerifier, body, signature string, why ...any) {
	t.Helper()
	event, err := verifier.Verify(t.Context(), []byte(body), signature)
	assert.ErrorIs(t, err, videosdk.ErrInvalidSignature, why...)
	assert.Nil(t, event, why...)
}

const smallEvent = `{"webhookType":"call-ringing","data":{"callId":"call_1","to":"+14155550123"}}`

func TestASignatureIsThatOfTheBytesOfTheBody(t *testing.T) {
	// The same event, to everybody who decodes it before looking at the bytes.
	same := map[string]string{
		"as it is":                smallEvent,
		"with reordered keys":     `{"data":{"to":"+14155550123","callId":"call_1"},"webhookType":"call-ringing"}`,
		"with a trailing space":   smallEvent + " ",
		"with a trailing newline": smallEvent + "\n",
		"with CRLF":               strings.ReplaceAll(smallEvent, ",", ",\r\n"),
		"with LF":                 strings.ReplaceAll(smallEvent, ",", ",\n"),
		"with unicode escapes":    strings.ReplaceAll(smallEvent, "call_1", `\u0063all_1`),
		"with an escaped plus":    strings.ReplaceAll(smallEvent, "+", `\u002B`),
		"with its escape small":   strings.ReplaceAll(smallEvent, "+", `\u002b`),
		"with spaces inside":      strings.ReplaceAll(smallEvent, ":", ": "),
	}
	verifier := vendor().verifier(t)
	for signed, body := range same {
		signature := vendor().sign(body)
		for name, other := range same {
			t.Run(name+", signed "+signed, func(t *testing.T) {
				if name != signed {
					assertRefusedSignature(t, verifier, other, signature)
					return
				}
				event, err := verifier.Verify(t.Context(), []byte(body), signature)
				require.NoError(t, err)
				assert.Equal(t, body, string(event.Raw))
				require.NotNil(t, event.Call)
				assert.Equal(t, [2]string{"call_1", "+14155550123"}, [2]string{event.Call.ID, event.Call.To})
			})
		}
	}
}

func TestOneFlippedBitAnywhereFails(t *testing.T) {
	verifier := vendor().verifier(t)
	signature := vendor().sign(smallEvent)
	raw, err := base64.StdEncoding.DecodeString(signature)
	require.NoError(t, err)
	_, err = verifier.Verify(t.Context(), []byte(smallEvent), signature)
	require.NoError(t, err, "unless a bit is flipped")

	t.Run("in the body", func(t *testing.T) {
		eachFlip([]byte(smallEvent), func(body []byte, bit int) {
			assertRefusedSignature(t, verifier, string(body), signature, bit)
		})
	})
	t.Run("in the signature", func(t *testing.T) {
		eachFlip(raw, func(flipped []byte, bit int) {
			assertRefusedSignature(t, verifier, smallEvent, base64.StdEncoding.EncodeToString(flipped), bit)
		})
	})
	t.Run("in the text of the signature", func(t *testing.T) {
		eachFlip([]byte(signature), func(text []byte, bit int) {
			assertRefusedSignature(t, verifier, smallEvent, string(text), bit)
		})
	})
}

// eachFlip calls f with each variant of b that differs in one bit.
func eachFlip(b []byte, f func(flipped []byte, bit int)) {
	for bit := range len(b) * 8 {
		b[bit/8] ^= 1 << (bit % 8)
		f(b, bit)
		b[bit/8] ^= 1 << (bit % 8)
	}
}

func TestNothingButRSASHA256OfTheKeyIsASignature(t *testing.T) {
	public := &vendor().key.PublicKey
	key, keyPEM := vendor().key, vendor().pem()
	body := []byte(smallEvent)
	sha256Sum, sha1Sum, sha512Sum := sha256.Sum256(body), sha1.Sum(body), sha512.Sum512(body)
	mac := func(key, message []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(message)
		return h.Sum(nil)
	}
	genuine := vendor().raw(crypto.SHA256, sha256Sum[:])

	forged := map[string][]byte{
		"nothing":                               {},
		"zeros":                                 make([]byte, 256),
		"a one":                                 big.NewInt(1).FillBytes(make([]byte, 256)),
		"the modulus less one":                  new(big.Int).Sub(public.N, big.NewInt(1)).Bytes(),
		"the digest":                            sha256Sum[:],
		"the digest, padded but not signed":     unsigned(sha256Sum[:]),
		"HMAC with the PEM of the public key":   mac(keyPEM, body),
		"HMAC with the PEM without its newline": mac([]byte(strings.TrimSpace(string(keyPEM))), body),
		"HMAC with the DER of the public key":   mac(x509.MarshalPKCS1PublicKey(public), body),
		"HMAC with the modulus":                 mac(public.N.Bytes(), body),
		"HMAC with nothing":                     mac(nil, body),
		"HMAC, made as long as a signature":     append(make([]byte, 256-sha256.Size), mac(keyPEM, body)...),
		"RSA-PSS, salted":                       pss(t, key, sha256Sum[:], rsa.PSSSaltLengthEqualsHash),
		"RSA-PSS without salt":                  pss(t, key, sha256Sum[:], 0),
		"RSA-SHA1":                              vendor().raw(crypto.SHA1, sha1Sum[:]),
		"RSA-SHA512":                            vendor().raw(crypto.SHA512, sha512Sum[:]),
		"RSA of the digest, the hash not named": vendor().raw(0, sha256Sum[:]),
		"RSA of the digest in hex":              vendor().raw(0, []byte(hex.EncodeToString(sha256Sum[:]))),
		"RSA of the body itself":                vendor().raw(0, body),
		"RSA-SHA256 of another key":             stranger().raw(crypto.SHA256, sha256Sum[:]),
		"ECDSA":                                 ecdsaSignature(t, sha256Sum[:]),
		"a byte too much":                       append(genuine, 0),
		"a byte too much in front":              append([]byte{0}, genuine...),
		"a byte less":                           genuine[:len(genuine)-1],
		"twice":                                 append(genuine, genuine...),
	}
	verifier := vendor().verifier(t)
	for name, signature := range forged {
		t.Run(name, func(t *testing.T) {
			assertRefusedSignature(t, verifier, smallEvent, base64.StdEncoding.EncodeToString(signature))
		})
	}
	for _, word := range []string{"none", "null", "true", "RS256", "algnone"} {
		t.Run(word, func(t *testing.T) { assertRefusedSignature(t, verifier, smallEvent, word) })
	}
}

// unsigned is what a signature is made of before the key is applied.
func unsigned(digest []byte) []byte {
	sha256Prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	tail := append(append([]byte{0}, sha256Prefix...), digest...)
	padding := strings.Repeat("\xff", 256-2-len(tail))
	return append([]byte("\x00\x01"+padding), tail...)
}

func pss(t *testing.T, key *rsa.PrivateKey, digest []byte, salt int) []byte {
	t.Helper()
	signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: salt})
	require.NoError(t, err)
	return signature
}

func ecdsaSignature(t *testing.T, digest []byte) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
	require.NoError(t, err)
	return signature
}

// A signature and the modulus make another number that an exponentiation takes
// for the same: the signature of a body is one nevertheless.
func TestASignatureIsOneNumberOnly(t *testing.T) {
	verifier := vendor().verifier(t)
	for body := smallEvent; ; body += " " {
		raw, err := base64.StdEncoding.DecodeString(vendor().sign(body))
		require.NoError(t, err)
		sum := new(big.Int).Add(new(big.Int).SetBytes(raw), vendor().key.N)
		if sum.BitLen() > 2048 {
			continue // cannot even be written
		}
		assertRefusedSignature(t, verifier, body, base64.StdEncoding.EncodeToString(sum.Bytes()))
		return
	}
}

func TestHowASignatureMayBeWritten(t *testing.T) {
	padded := vendor().sign(smallEvent)
	bare := strings.TrimRight(padded, "=")
	raw, err := base64.StdEncoding.DecodeString(padded)
	require.NoError(t, err)
	require.Len(t, padded, len(bare)+2)
	verifier := vendor().verifier(t)

	for name, text := range map[string]string{"with padding": padded, "without padding": bare} {
		t.Run(name, func(t *testing.T) {
			_, err := verifier.Verify(t.Context(), []byte(smallEvent), text)
			assert.NoError(t, err)
		})
	}

	for name, text := range map[string]string{
		"empty":                          "",
		"padding only":                   "==",
		"much padding only":              "====",
		"with one padding of two":        bare + "=",
		"with too much padding":          padded + "=",
		"with far too much padding":      padded + "====",
		"with padding inside":            bare[:100] + "==" + bare[100:],
		"twice":                          padded + padded,
		"with other trailing bits":       withTrailingBits(t, bare) + "==",
		"with other trailing bits, bare": withTrailingBits(t, bare),
		"in the alphabet of URLs":        urlSafe(t, verifier),
		"in hex":                         hex.EncodeToString(raw),
		"as raw bytes":                   string(raw),
		"with a space before":            " " + padded,
		"with a space after":             padded + " ",
		"with a space inside":            bare[:100] + " " + bare[100:] + "==",
		"with a tab":                     padded + "\t",
		"with CR":                        padded[:76] + "\r" + padded[76:],
		"with LF":                        padded[:76] + "\n" + padded[76:],
		"with CRLF":                      padded[:76] + "\r\n" + padded[76:],
		"with LF at the end":             padded + "\n",
		"with LF before the padding":     bare + "\n==",
		"with LF in the padding":         bare + "=\n=",
		"with CR at the end, bare":       bare + "\r",
		"with LF in front":               "\n" + padded,
		"with a NUL":                     padded + "\x00",
		"in quotes":                      `"` + padded + `"`,
		"with its algorithm":             "sha256=" + padded,
		"with a second one":              padded + "," + padded,
		"percent-encoded":                strings.ReplaceAll(padded, "=", "%3D"),
		"with other letters":             strings.ReplaceAll(padded, "A", "А"), // a Cyrillic one
	} {
		if text == padded {
			continue // has no A
		}
		t.Run(name, func(t *testing.T) { assertRefusedSignature(t, verifier, smallEvent, text) })
	}
}

// withTrailingBits writes the same signature with a bit set behind its last
// one, which a lenient decoder overlooks.
func withTrailingBits(t *testing.T, bare string) string {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := strings.IndexByte(alphabet, bare[len(bare)-1])
	other := bare[:len(bare)-1] + string(alphabet[last|1])
	require.NotEqual(t, bare, other)
	want, err := base64.RawStdEncoding.DecodeString(bare)
	require.NoError(t, err)
	got, err := base64.RawStdEncoding.DecodeString(other)
	require.NoError(t, err)
	require.Equal(t, want, got, "the same to a lenient decoder")
	return other
}

// urlSafe writes the signature in the other alphabet of base64.
func urlSafe(t *testing.T, verifier *videosdk.WebhookVerifier) string {
	t.Helper()
	text := vendor().sign(smallEvent)
	other := strings.NewReplacer("+", "-", "/", "_").Replace(text)
	require.NotEqual(t, text, other, "a signature without + and / is as good as impossible")
	_, err := verifier.Verify(t.Context(), []byte(smallEvent), text)
	require.NoError(t, err)
	return other
}

func TestAGenuineBodyThatIsNotJSONIsNoEvent(t *testing.T) {
	for _, body := range []string{"", "hello", "{"} {
		_, err := vendor().verifier(t).Verify(t.Context(), []byte(body), vendor().sign(body))
		require.ErrorIs(t, err, videosdk.ErrInvalidEvent)
		require.NotErrorIs(t, err, videosdk.ErrInvalidSignature)
	}
}

func TestWithoutAKeyNothingIsKnownOfASignature(t *testing.T) {
	broken := errors.New("vault is sealed")
	event, err := videosdk.NewWebhookVerifier(fixedKeys{err: broken}).Verify(t.Context(), []byte(smallEvent), vendor().sign(smallEvent))
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, videosdk.ErrInvalidSignature)
	assert.Nil(t, event)
}

func TestAnyOfTheKeysOfASourceIsTrusted(t *testing.T) {
	older, newer := vendor(), successor()
	verifier := videosdk.NewWebhookVerifier(fixedKeys{keys: []*rsa.PublicKey{&newer.key.PublicKey, &older.key.PublicKey}})
	for _, s := range []signer{older, newer} {
		_, err := verifier.Verify(t.Context(), []byte(smallEvent), s.sign(smallEvent))
		require.NoError(t, err)
	}
	assertRefusedSignature(t, verifier, smallEvent, stranger().sign(smallEvent))
}

func TestAWeakKeyIsNotTrustedWhateverItsSource(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	verifier := videosdk.NewWebhookVerifier(fixedKeys{keys: []*rsa.PublicKey{&weak.PublicKey}})
	assertRefusedSignature(t, verifier, smallEvent, signer{weak}.sign(smallEvent))
}

func TestASourceWithoutKeysTrustsNobody(t *testing.T) {
	assertRefusedSignature(t, videosdk.NewWebhookVerifier(fixedKeys{}), smallEvent, vendor().sign(smallEvent))
}

// refreshing finds out only in Refresh what the keys are.
type refreshing struct{ fixedKeys }

func (refreshing) Keys(context.Context) ([]*rsa.PublicKey, error) { return nil, nil }

func TestASignatureThatDoesNotFitAsksTheSourceAgain(t *testing.T) {
	verifier := videosdk.NewWebhookVerifier(refreshing{fixedKeys{keys: []*rsa.PublicKey{&vendor().key.PublicKey}}})
	_, err := verifier.Verify(t.Context(), []byte(smallEvent), vendor().sign(smallEvent))
	require.NoError(t, err)

	broken := errors.New("vault is sealed")
	verifier = videosdk.NewWebhookVerifier(refreshing{fixedKeys{err: broken}})
	_, err = verifier.Verify(t.Context(), []byte(smallEvent), vendor().sign(smallEvent))
	require.ErrorIs(t, err, videosdk.ErrInvalidSignature)
	require.ErrorIs(t, err, broken)
}

func TestTheErrorOfARefusalTellsNothingOfTheDelivery(t *testing.T) {
	for _, signature := range []string{"", "c2VjcmV0", "c2VjcmV0!", stranger().sign(smallEvent)} {
		_, err := vendor().verifier(t).Verify(t.Context(), []byte(smallEvent), signature)
		require.ErrorIs(t, err, videosdk.ErrInvalidSignature)
		assert.NotContains(t, err.Error(), "call_1")
		if signature != "" {
			assert.NotContains(t, err.Error(), signature)
		}
	}
}

// onceKeys has keys, and cannot tell whether there are newer ones.
type onceKeys struct {
	fixedKeys
	refreshErr error
}

func (k onceKeys) Refresh(context.Context) ([]*rsa.PublicKey, error) { return nil, k.refreshErr }

func TestWhenTheKeyCannotBeRefreshedTheSignatureStillDoesNotFit(t *testing.T) {
	failed := errors.New("the vault is closed")
	verifier := videosdk.NewWebhookVerifier(onceKeys{fixedKeys{keys: []*rsa.PublicKey{&vendor().key.PublicKey}}, failed})
	_, err := verifier.Verify(t.Context(), []byte(smallEvent), vendor().sign(smallEvent))
	require.NoError(t, err)
	event, err := verifier.Verify(t.Context(), []byte(smallEvent), stranger().sign(smallEvent))
	require.ErrorIs(t, err, videosdk.ErrInvalidSignature)
	require.ErrorIs(t, err, failed)
	assert.Nil(t, event)
}
