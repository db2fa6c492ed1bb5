package redact_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
)

// urisWithSecrets are texts, and what is to be left of them when they are
// scrubbed, and when they are printed.
var urisWithSecrets = []struct{ name, text, want string }{
	{"the password of a SIP URI", "no route to sip:alice:hunter2@example.com;transport=tls", "no route to sip:alice:[redacted]@example.com;transport=tls"},
	{"that of a SIPS URI, in capitals", "SIPS:alice:hunter2@example.com", "SIPS:alice:[redacted]@example.com"},
	{"one with what a user may have in a SIP URI", "sip:+1;ext=2/3?:hunter2@h", "sip:+1;ext=2/3?:[redacted]@h"},
	{"the password of a webhook", "cannot reach https://me:hunter2@example.com/hook", "cannot reach https://me:[redacted]@example.com/hook"},
	{"one without a user", "http://:hunter2@example.com", "http://:[redacted]@example.com"},
	{"one with what must be escaped in it", "https://me:hun@ter:2@example.com/a@b", "https://me:[redacted]@example.com/a@b"},
	{"one with a mark that ends what comes before it", "https://me:hun#ter2@example.com/a", "https://me:[redacted]@example.com/a"},
	{"one with a slash and a question mark", "cannot parse https://me:9hun/te?r2@example.com or b@c", "cannot parse https://me:[redacted]@example.com or b@c"},
	{"one of another scheme", "wss://me:hunter2@example.com", "wss://me:[redacted]@example.com"},
	{"one in JSON by PHP", `{"url":"https:\/\/me:hunter2@example.com\/"}`, `{"url":"https:\/\/me:[redacted]@example.com\/"}`},
	{"one in the query of another URL", "?url=https%3A%2F%2Fme%3Ahunter2%40example.com%2F&a=b", "?url=https%3A%2F%2Fme%3A[redacted]%40example.com%2F&a=b"},
	{"that of a SIP URI in a query", "?a=b&to=sip%3Aalice%3Ahunter2%40example.com", "?a=b&to=sip%3Aalice%3A[redacted]%40example.com"},
	{"two of them", "sip:a:hunter2@b,sip:c@d https://e:hunter2@f", "sip:a:[redacted]@d https://e:[redacted]@f"},
	{"a port, which is no password", "sip:alice@example.com:5060 https://example.com:8443/a@b http://[::1]:80/ sip:h:5060", "sip:alice@example.com:5060 https://example.com:8443/a@b http://[::1]:80/ sip:h:5060"},
	{"a port before what may have an at sign in it", "https://h:8443#a@b https://h:8443?a@b https://h:/a@b https://[fe80::1]:80/a@b https://h/x:y/@z", "https://h:8443#a@b https://h:8443?a@b https://h:/a@b https://[fe80::1]:80/a@b https://h/x:y/@z"},
	{"an address after a URL", `["https://a.com:1","b@c.com"]`, `["https://a.com:1","b@c.com"]`},

	{"what S3 signs", "GET https://b/l.csv?X-Amz-Credential=AKIA%2Fs3&X-Amz-Expires=900&x-amz-signature=hunter2 failed", "GET https://b/l.csv?X-Amz-Credential=[redacted]&X-Amz-Expires=[redacted]&x-amz-signature=[redacted] failed"},
	{"what Google signs", "l.csv?X-Goog-Signature=hunter2#a", "l.csv?X-Goog-Signature=[redacted]#a"},
	{"what CloudFront signs", "l.csv?Expires=1&Signature=hunter2~_&Key-Pair-Id=K", "l.csv?Expires=1&Signature=[redacted]&Key-Pair-Id=K"},
	{"what Azure signs", "l.csv?sv=1&sig=hunter2%3D", "l.csv?sv=1&sig=[redacted]"},
	{"what is signed, in JSON by Go", `{"url":"l.csv?a=1\u0026sig=hunter2\u0026b=2"}`, `{"url":"l.csv?a=1\u0026sig=[redacted]\u0026b=2"}`},
	{"what is signed, in JSON of somebody who escapes more", `{"url":"l.csv\u003fsig\u003dhunter2"}`, `{"url":"l.csv\u003fsig\u003d[redacted]"}`},
	{"what is signed, in HTML", `<a href="l.csv?a=1&amp;sig=hunter2">`, `<a href="l.csv?a=1&amp;sig=[redacted]">`},
	{"what is signed, in the query of another URL", "?u=l.csv%3Fa%3D1%26sig%3Dhunter2%26X-Amz-A%3Dhunter2&b=2", "?u=l.csv%3Fa%3D1%26sig%3D[redacted]&b=2"},
	{"what is signed, escaped twice", "?u=l.csv%253Fsig%253Dhunter2", "?u=l.csv%253Fsig%253D[redacted]"},
	{"a token in the query of a webhook", "cannot reach https://example.com/hook?token=hunter2&a=b#c", "cannot reach https://example.com/hook?token=[redacted]&a=b#c"},
	{"one by a longer name", "/hook?a=b&Access_Token=hunter2&x-api-key=hunter2;client.secret=hunter2", "/hook?a=b&Access_Token=[redacted]&x-api-key=[redacted]"},
	{"a PIN in a query", "/hook?pin=1234&room_pin=1234&spin=1", "/hook?pin=[redacted]&room_pin=[redacted]&spin=1"},
	{"a PIN that a capital tells", "/hook?callerPin=1234&sipPIN=1234&room2Pin=1234&u=%3FmyPin%3D1&SPIN=1&shipPing=1", "/hook?callerPin=[redacted]&sipPIN=[redacted]&room2Pin=[redacted]&u=%3FmyPin%3D[redacted]&SPIN=1&shipPing=1"},
	{"a token with a slash, in JSON by PHP", `{"url":"https:\/\/h\/hook?token=hun\/ter2","sig":"l.csv?sig=hun\\/ter2\u0026a\/b=2"}`, `{"url":"https:\/\/h\/hook?token=[redacted]","sig":"l.csv?sig=[redacted]\u0026a\/b=2"}`},
	{"a password in a query, in JSON by Go", `{"url":"/hook?a=1\u0026password=hunter2\u0026b=2"}`, `{"url":"/hook?a=1\u0026password=[redacted]\u0026b=2"}`},
	{"an API key in a query, in HTML", `<a href="/hook?a=1&amp;apikey=hunter2">`, `<a href="/hook?a=1&amp;apikey=[redacted]">`},
	{"a token in the query of another URL", "?u=%2Fhook%3Ftoken%3Dhunter2&b=2", "?u=%2Fhook%3Ftoken%3D[redacted]&b=2"},
	{"a query that names none", "/hook?tokens=3&keyword=a&token_type=b&monkey=c", "/hook?tokens=3&keyword=a&token_type=b&monkey=c"},
	{"a token that stands in no query", "the token=x of no URL", "the token=x of no URL"},

	{"what only ends so", "design=new&assig=1", "design=new&assig=1"},
	{"what only says so", "the signature is wrong: sig of nothing", "the signature is wrong: sig of nothing"},
}

func TestWhatIsSecretInAURIIsTakenOut(t *testing.T) {
	for _, tt := range urisWithSecrets {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, redact.Scrub(tt.text))
			assert.Equal(t, tt.want, redact.Scrub(tt.want), "once more")
		})
	}
}

func TestWhatIsSecretInAURIIsNotPrinted(t *testing.T) {
	for _, tt := range urisWithSecrets {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, fmt.Sprintf("login{User:%q}", tt.want), redact.String(login{User: tt.text}))
			assert.Equal(t, fmt.Sprintf("map[%q:%q]", tt.want, tt.want), redact.String(map[string]any{tt.text: tt.text}))
			assert.Equal(t, tt.want, redact.Text(tt.text))
		})
	}
}

// An error text likes to repeat an address that stands, as a secret, beside it.
func TestASecretOfAStructIsNotPrintedByAnotherFieldOfIt(t *testing.T) {
	const secret = "https://cdn.example.com/s3cr3t/list.csv"
	type list struct {
		Problem string
		URL     string `redact:"secret"`
		Backup  *string
	}
	backup := strings.ToUpper(secret)
	value := list{"cannot read " + secret + ": 403", secret, &backup}
	assert.Equal(t, `list{Problem:"cannot read [redacted]: 403" URL:[redacted] Backup:"`+backup+`"}`, redact.String(value))
	assert.Equal(t, `[list{Problem:"cannot read [redacted]: 403" URL:[redacted]} "`+secret+`"]`,
		redact.String([]any{list{value.Problem, secret, nil}, secret}), "what is no part of the struct is another matter")
	assert.Equal(t, `login{User:"4 of 5" Password:[redacted]}`, redact.String(login{"4 of 5", "4"}),
		"a mark wherever a short one stands would tell it")
	assert.Equal(t, "cannot read [redacted]", redact.Text("cannot read "+secret, "", secret))
}
