package videosdk

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Whether a token is sent cannot be seen from outside while a clock runs
// backwards: a test's own runs forwards.
func TestATokenIsValidFromItsSignatureUntilItsRenewal(t *testing.T) {
	signed := time.Unix(1_778_493_600, 0)
	b := &bearer{token: "token", signed: signed, renew: signed.Add(8 * time.Minute)}
	assert.False(t, b.valid(signed.Add(-1)), "the clock was set back: nobody knows how old it is")
	assert.True(t, b.valid(signed))
	assert.True(t, b.valid(b.renew.Add(-1)))
	assert.False(t, b.valid(b.renew))
	assert.False(t, (*bearer)(nil).valid(signed), "there is none yet")
}
