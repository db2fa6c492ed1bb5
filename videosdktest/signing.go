package videosdktest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"sync"
)

// keyring holds the key that signs deliveries, which is made when it is first
// needed: that takes longer than most tests do.
type keyring struct {
	changed func() // told that a key has been made; nil tells nobody
	mu      sync.Mutex
	key     *rsa.PrivateKey
}

func (k *keyring) current() *rsa.PrivateKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key == nil {
		k.replace()
	}
	return k.key
}

func (k *keyring) rotate() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.replace()
}

// replace makes a key. The caller holds the lock.
func (k *keyring) replace() {
	k.key = newKey()
	if k.changed != nil {
		k.changed()
	}
}

// stored returns the key as a file keeps it, nil when none has been made.
func (k *keyring) stored() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key == nil {
		return nil
	}
	return x509.MarshalPKCS1PrivateKey(k.key)
}

func newKey() *rsa.PrivateKey {
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(fmt.Sprintf("videosdktest: cannot make a key: %v", err))
	}
	return key
}

// sign returns the value of the signature header for a body.
func (k *keyring) sign(body []byte) string {
	digest := sha256.Sum256(body)
	signature, err := rsa.SignPKCS1v15(nil, k.current(), crypto.SHA256, digest[:])
	if err != nil {
		panic(fmt.Sprintf("videosdktest: cannot sign: %v", err))
	}
	return base64.StdEncoding.EncodeToString(signature)
}

func (k *keyring) publicPEM() string {
	return string(pem.EncodeToMemory(&pem.Block{
		Type:  "RSA PUBLIC KEY",
		Bytes: x509.MarshalPKCS1PublicKey(&k.current().PublicKey),
	}))
}

// WebhookPublicKeyPEM returns the public key that verifies deliveries, as the
// API serves it: PKCS#1, in PEM.
func (s *Server) WebhookPublicKeyPEM() string {
	return s.outbox.keys.publicPEM()
}

// RotateKey replaces the key that signs deliveries. Those that are sent from
// then on are signed with the new one, redeliveries included. A receiver that has
// asked for the key less than a minute ago, because of [Server.ForgeDelivery] say,
// may refuse them until the minute is over: the client does, so that nobody can have
// it ask all the time.
func (s *Server) RotateKey() {
	s.outbox.keys.rotate()
}
