package redact_test

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
)

// What is scrubbed comes from a server, which may mean harm: 64 KiB of
// backslashes once took half an hour.
func TestNoTextTakesLongToScrub(t *testing.T) {
	const size = 16 << 10
	secrets := []string{strings.Repeat("a", 300), `"`, `\\\`, "u005c", "hunter2"}
	for name, piece := range map[string]string{
		"backslashes":              `\`,
		"escaped backslashes":      `\u005c`,
		"backslashes in a URL":     `%5C`,
		"both kinds":               `\%5c`,
		"percent signs":            `%`,
		"the beginning of escape":  `\u`,
		"half a pair":              `\ud83d`,
		"quotes":                   `\"`,
		"the start of a secret":    `a`,
		"ampersands":               `&`,
		"entities":                 `&amp;`,
		"metadata":                 `"metadata":"",`,
		"metadata without an end":  `"metadata":{`,
		"keys":                     `"token":"`,
		"the start of a token":     `eyJ`,
		"tokens without an end":    `eyJa.`,
		"passwords without an end": `sip:a:b`,
		"users without a password": `://`,
		"names of signatures":      `sig`,
		"signed values":            `X-Amz-A=b&`,
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(piece, size/len(piece))
			begun := time.Now()
			redact.Scrub(text, secrets...)
			// Linear, it takes a few milliseconds; with the race detector on a busy
			// machine a second. What grows with the square takes minutes.
			assert.Less(t, time.Since(begun), 10*time.Second)
		})
	}
}

func TestASecretIsFoundBehindAnyNumberOfBackslashes(t *testing.T) {
	for n := range 70 {
		backslashes := strings.Repeat(`\`, n)
		for _, quote := range []string{`"`, `u0022`} {
			got := redact.Scrub("x"+backslashes+quote+"b", `"b`)
			if quote == `"` || n%2 == 1 { // of an even number none is left to escape the u
				assert.Equal(t, "x"+redact.Mark, got, "%d backslashes before %s", n, quote)
			}
		}
	}
}

func TestKeysOfSecretsAreKnownByTheirUsualNames(t *testing.T) {
	for _, key := range []string{
		"accessToken", "access_token", "api_key", "x-api-key", "clientSecret", "sip_password", "cdnUrl", "presigned_url", "Proxy-Authorization",
		"passphrase", "passwd", "credentials", "private_key",
	} {
		assert.Equal(t, `{"`+key+`":"[redacted]"}`, redact.Scrub(`{"`+key+`":"hunter2"}`))
	}
	for _, text := range []string{`{"shipping":"free"}`, `{"tokens":"many"}`, `{"secretary":"ann"}`} {
		assert.Equal(t, text, redact.Scrub(text))
	}
}

func TestASecretIsFoundAsHTMLWritesIt(t *testing.T) {
	const secret = `a&b"c'<d>é😀`
	for _, text := range []string{
		`a&amp;b&quot;c&#39;&lt;d&gt;é😀`, `a&#38;b&#34;c&apos;&#60;d&#62;&#233;&#128512;`, `a&#x26;b&#x22;c&#x27;&#x3C;d&#x3e;&eacute;&#x1F600;`,
		`a&b&quot;c'<d>é😀`, `a&AMP;b&QUOT;c&apos;&LT;d&GT;&eacute;&#x01F600;`, `a&#0038;b&#X22;c&#039;&lt;d&gt;&#xe9;&#128512;`,
	} {
		assert.Equal(t, "<p>[redacted]</p>", redact.Scrub("<p>"+text+"</p>", secret))
	}
	for _, text := range []string{"100%&x", "100%25&x", "100%25%26x", "100%&amp;x", "100%25&amp;x"} {
		assert.Equal(t, "<[redacted]>", redact.Scrub("<"+text+">", "100%&x"), text)
	}
	inJSON, err := json.Marshal(html.EscapeString(secret))
	require.NoError(t, err)
	assert.Contains(t, string(inJSON), `a\u0026amp;b\u0026#34;`)
	assert.Equal(t, `"[redacted]"`, redact.Scrub(string(inJSON), secret), "in JSON by Go")
	nested, err := json.Marshal(string(inJSON))
	require.NoError(t, err)
	assert.Equal(t, `"\"[redacted]\""`, redact.Scrub(string(nested), secret), "in JSON within JSON")
	assert.Equal(t, "[redacted]!", redact.Scrub("%25&amp;!", "%25&amp;"), "a secret that looks like an escape")
	assert.Equal(t, "[redacted] ", redact.Scrub("a&excl;b&lowbar;&CounterClockwiseContourIntegral; ", "a!b_∳"), "whatever the names")
	assert.Equal(t, "x[redacted]y", redact.Scrub("xa&bsol;&quot;b&#92;&#x5c;cy", `a"bc`), "behind backslashes, as JSON within HTML has them")
	for _, text := range []string{"p&;q", "p&amp", "p&#;q", "p&#x;q", "p&#39;q", "p&#xx21;q", "p&#-33;q", "p&#99999999999;q", "p&a b;q"} {
		assert.Equal(t, text, redact.Scrub(text, "p!q", "p�q"), "what is no exclamation mark")
	}
	assert.Equal(t, "a&amp;b", redact.Scrub("a&amp;b", "axb"), "a letter has no name")
	assert.Equal(t, "a&amp;c &amp;", redact.Scrub("a&amp;c &amp;", secret), "what is none stays")
	assert.Equal(t, "x[redacted]&", redact.Scrub("x&;&", "&;"))
}

func TestWhatTakesTooLongToSearchIsLeftOut(t *testing.T) {
	secret := strings.Repeat("a", 4<<10) + "b"
	got := redact.Scrub(strings.Repeat("a", 16<<10)+secret+" and more", secret)
	beginning, left := strings.CutSuffix(got, redact.Mark)
	assert.True(t, left)
	assert.Empty(t, strings.Trim(beginning, "a"))
	assert.Less(t, len(beginning), 1<<10)
}

func TestALongSecretIsFoundInALongTextWithoutLosingTheRest(t *testing.T) {
	var paths strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&paths, "/part-%d?&", i)
	}
	secret := "https://files.example.com" + paths.String() + "signature"
	cut := secret[:len(secret)-1] // which costs as much as the secret, and is none
	quoted := strings.Repeat(`{"url":"`+secret+`","other":"`+cut+`"}`, 5)
	want := strings.Repeat(`{"url":"`+redact.Mark+`","other":"`+cut+`"}`, 5)
	assert.Equal(t, want, redact.Scrub(quoted, secret, secret+"2", "hunter2"))
}
