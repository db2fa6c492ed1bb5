package redact_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
)

type login struct {
	User     string
	Password string `redact:"secret"`
}

type account struct {
	Name    string
	Login   *login
	Logins  []login
	ByName  map[string]login
	Notes   map[string]string `redact:"private"`
	Since   time.Time
	Size    int
	Any     any
	Do      func()
	private string
}

func (a account) Format(f fmt.State, _ rune) { redact.Format(f, a) }
func (a account) LogValue() slog.Value       { return redact.LogValue(a) }

func full() account {
	return account{
		Name: "acme", Login: &login{"ann", "hunter2"}, Logins: []login{{"bob", "hunter2"}, {"cid", ""}},
		ByName: map[string]login{"b": {"eve", "hunter2"}, "a": {"dan", "hunter2"}},
		Notes:  map[string]string{"k": "hunter2"}, Since: time.Date(2026, 5, 11, 10, 0, 0, 0, time.UTC), Size: 3,
		Any: login{"fay", "hunter2"}, Do: func() {}, private: "hunter2",
	}
}

func TestStringMasksTaggedFieldsAtEveryDepth(t *testing.T) {
	assert.Equal(t, `account{Name:"acme" Login:login{User:"ann" Password:[redacted]} `+
		`Logins:[login{User:"bob" Password:[redacted]} login{User:"cid"}] `+
		`ByName:map["a":login{User:"dan" Password:[redacted]} "b":login{User:"eve" Password:[redacted]}] `+
		`Notes:[redacted] Since:2026-05-11T10:00:00Z Size:3 Any:login{User:"fay" Password:[redacted]} Do:func()}`,
		redact.String(full()))
	assert.Equal(t, "nil", redact.String(nil))
}

func TestNoVerbPrintsATaggedField(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.NotContains(t, fmt.Sprintf(verb, full()), "hunter2", verb)
	}
	assert.NotContains(t, slog.AnyValue(full()).Resolve().String(), "hunter2")
}

func TestSecretsAreFoundAndPrivateFieldsAreNot(t *testing.T) {
	assert.Equal(t, []string{"hunter2", "hunter2", "hunter2", "hunter2", "hunter2"}, redact.Secrets(full()))
	assert.Empty(t, redact.Secrets(nil))
}

func TestScrubTakesSecretsOutOfForeignTexts(t *testing.T) {
	scrubber := redact.NewScrubber()
	tests := []struct{ name, text, want string }{
		{"a literal secret", "bad password hunter\"2!", "bad password [redacted]!"},
		{"a literal secret inside JSON", `{"got":"hunter\"2"}`, `{"got":"[redacted]"}`},
		{"a token", "token eyJhbGciOi.eyJhcGlr.c2ln_-a is expired", "token [redacted] is expired"},
		{"a password by its key", `{"auth":{"password" : "a\"b","username":"u"}}`, `{"auth":{"password" : "[redacted]","username":"u"}}`},
		{"a password that was cut off", `{"password":"abc`, `{"password":"[redacted]`},
		{"nothing", "number is not E.164", "number is not E.164"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, scrubber.Scrub(tt.text, `hunter"2`, ""))
		})
	}
}
