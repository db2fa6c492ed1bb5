package redact_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
)

// hidden is in every field that must not be printed, and nowhere else.
const hidden = "hunter2"

type login struct {
	User     string
	Password string `redact:"secret"`
}

// shared is embedded, as a piece that several parameters have in common.
type shared struct {
	Region string
	Key    string `redact:"secret"`
}

type account struct {
	Name    string
	Login   *login
	Logins  []login
	Pair    [2]login
	ByName  map[string]login
	ByID    map[int]*login
	Notes   map[string]string `redact:"private"`
	Since   time.Time
	Timeout time.Duration
	Size    int
	Any     any
	Do      func()
	shared
	private string
}

func (a account) Format(f fmt.State, _ rune) { redact.Format(f, a) }
func (a account) LogValue() slog.Value       { return redact.LogValue(a) }

func full() account {
	return account{
		Name: "acme", Login: &login{"ann", hidden}, Logins: []login{{"bob", hidden}, {"cid", ""}},
		Pair:   [2]login{{"gil", hidden}, {}},
		ByName: map[string]login{"b": {"eve", hidden}, "a": {"dan", hidden}},
		ByID:   map[int]*login{2: {"hal", hidden}, 1: nil},
		Notes:  map[string]string{"k": hidden}, Since: time.Date(2026, 5, 11, 10, 0, 0, 0, time.UTC),
		Timeout: time.Second, Size: 3,
		Any: login{"fay", hidden}, Do: func() {}, shared: shared{"us002", hidden}, private: hidden,
	}
}

const fullText = `account{Name:"acme" Login:login{User:"ann" Password:[redacted]} ` +
	`Logins:[login{User:"bob" Password:[redacted]} login{User:"cid"}] ` +
	`Pair:[login{User:"gil" Password:[redacted]} login{}] ` +
	`ByName:map["a":login{User:"dan" Password:[redacted]} "b":login{User:"eve" Password:[redacted]}] ` +
	`ByID:map[1:nil 2:login{User:"hal" Password:[redacted]}] ` +
	`Notes:[redacted] Since:2026-05-11T10:00:00Z Timeout:1s Size:3 Any:login{User:"fay" Password:[redacted]} Do:func() ` +
	`shared:shared{Region:"us002" Key:[redacted]}}`

func TestStringMasksTaggedFieldsAtEveryDepth(t *testing.T) {
	for range 20 { // the order must not depend on that of a Go map
		require.Equal(t, fullText, redact.String(full()))
	}
}

func TestStringPrintsEveryKindOfValue(t *testing.T) {
	var none *login
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"nothing", nil, "nil"},
		{"a nil pointer", none, "nil"},
		{"a pointer to a pointer", &none, "nil"},
		{"a pointer", &login{"ann", hidden}, `login{User:"ann" Password:[redacted]}`},
		{"a text with quotes", `a"b`, `"a\"b"`},
		{"a number", -1.5, "-1.5"},
		{"a truth", true, "true"},
		{"a list with nothing in it", []any{nil, 1}, "[nil 1]"},
		{"an empty list", []login{}, "[]"},
		{"a nil map", map[string]int(nil), "map[]"},
		{"a map by numbers", map[int]string{10: "b", 9: "a"}, `map[9:"a" 10:"b"]`},
		{"a map by truth", map[bool]int{true: 1, false: 0}, `map[false:0 true:1]`},
		{"a map with a secret", map[string]string{"A": "b", "X-Api-Key": hidden}, `map["A":"b" "X-Api-Key":[redacted]]`},
		{"an anonymous struct", struct{ A int }{1}, "{A:1}"},
		{"an empty struct", login{}, "login{}"},
		{"a channel", make(chan int), "chan int"},
		{"an embedded pointer", struct{ *shared }{&shared{"us002", hidden}}, `{shared:shared{Region:"us002" Key:[redacted]}}`},
		{"an embedded value that is no struct", struct {
			level
			N int
		}{1, 2}, "{N:2}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, redact.String(tt.value))
		})
	}
}

type level int

func TestNoVerbPrintsATaggedField(t *testing.T) {
	value := full()
	shapes := map[string]any{
		"a value":                      value,
		"a pointer":                    &value,
		"a struct with a value":        struct{ A account }{value},
		"a struct with a pointer":      struct{ A *account }{&value},
		"a pointer to a struct":        &struct{ A account }{value},
		"a struct that embeds it":      struct{ account }{value},
		"a list":                       []account{value},
		"a list of pointers":           []*account{&value},
		"a map":                        map[string]account{"a": value},
		"an interface":                 []any{value},
		"an error that quotes a value": fmt.Errorf("refused: %v", value),
	}
	// %p is missing: fmt asks no method about it, and vet refuses it for all
	// of these but a pointer.
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c", "%U", "%e", "%T", "%20v", "%-5.1s", "%!"}
	for name, shape := range shapes {
		for _, verb := range verbs {
			t.Run(name+" with "+verb, func(t *testing.T) {
				assertHidden(t, fmt.Sprintf(verb, shape))
			})
		}
	}
	t.Run("a pointer with %p", func(t *testing.T) {
		assertHidden(t, fmt.Sprintf("%p", &value))
	})
	t.Run("a pointer in an unexported field, of which fmt prints the address", func(t *testing.T) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d"} {
			assertHidden(t, fmt.Sprintf(verb, struct{ a *account }{&value}))
		}
	})
}

func assertHidden(t *testing.T, printed string) {
	t.Helper()
	assert.NotContains(t, printed, hidden)
	assert.NotContains(t, strings.ToLower(printed), fmt.Sprintf("%x", hidden))
}

func TestNoLogRecordHasATaggedField(t *testing.T) {
	handlers := map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	}
	value := full()
	records := map[string]func(*slog.Logger){
		"a value":          func(l *slog.Logger) { l.Info("m", "a", value) },
		"a pointer":        func(l *slog.Logger) { l.Info("m", "a", &value) },
		"a group":          func(l *slog.Logger) { l.WithGroup("g").Info("m", slog.Group("h", "a", value)) },
		"a kept attribute": func(l *slog.Logger) { l.With("a", value).Info("m") },
		"an error":         func(l *slog.Logger) { l.Info("m", "err", fmt.Errorf("refused: %+v", value)) },
		"the message":      func(l *slog.Logger) { l.Info(fmt.Sprint(value)) },
	}
	for format, handler := range handlers {
		for name, log := range records {
			t.Run(name+" as "+format, func(t *testing.T) {
				var out bytes.Buffer
				log(slog.New(handler(&out)))
				assert.NotContains(t, out.String(), hidden)
				assert.Contains(t, out.String(), "acme", "what may be read is there")
			})
		}
	}
}

func TestWhatIsNamedAsASecretIsFound(t *testing.T) {
	for name, isSecret := range map[string]bool{
		"X-Auth-Token": true, "room_pin": true, "roomPin": true, "sipPIN": true, "room2Pin": true, "PIN": true, "x-pin": true, "secretKey": true, "SECRET_KEY": true,
		"apikey": true, "api_key": true, "Ocp-Apim-Subscription-Key": true, "sipPassword": true,
		"passphrase": true, "DB_PASSWD": true, "private-key": true, "X-Credentials": true,
		"tokens": false, "shipping": false, "spin": false, "SPIN": false, "X-Spin": false, "key": false, "": false,
	} {
		assert.Equal(t, isSecret, redact.Named(map[string]any{name: "p455"}) != nil, name)
		assert.Equal(t, isSecret, strings.Contains(redact.String(map[string]string{name: "p455"}), redact.Mark), name)
	}
	assert.ElementsMatch(t, []string{"p455", "q455"}, redact.Named(map[string]any{"pin": []any{"p455", "123"}}, []any{map[string]string{"token": "q455"}}))
	assert.ElementsMatch(t, []string{"Bearer 12345678", "12345678"}, redact.Named(map[string]string{"Authorization": "Bearer 12345678"}))
}

func TestSecretsAreFoundAndPrivateFieldsAreNot(t *testing.T) {
	type inner struct {
		Open   string
		Closed string
	}
	text := "p"
	tests := []struct {
		name  string
		value any
		want  []string
	}{
		{"nothing", nil, nil},
		{"a nil pointer", (*login)(nil), nil},
		{"a field", login{"ann", "p"}, []string{"p"}},
		{"an empty field", login{"ann", ""}, nil},
		{"a field without a tag", struct{ A string }{"p"}, nil},
		{"a private field", struct {
			A string `redact:"private"`
		}{"p"}, nil},
		{"a secret in a private field", struct {
			A login `redact:"private"`
		}{login{"ann", "p"}}, []string{"p"}},
		{"a pointer", &login{"ann", "p"}, []string{"p"}},
		{"a pointer to a text", struct {
			A *string `redact:"secret"`
		}{&text}, []string{"p"}},
		{"a list", []login{{"a", "p"}, {"b", "q"}}, []string{"p", "q"}},
		{"an array of pointers", [2]*login{{"a", "p"}, nil}, []string{"p"}},
		{"a map", map[int]login{1: {"a", "p"}}, []string{"p"}},
		{"an interface", []any{nil, 1, login{"a", "p"}}, []string{"p"}},
		{"a secret list", struct {
			A []string `redact:"secret"`
		}{[]string{"p", "", "q"}}, []string{"p", "q"}},
		{"a secret map", struct {
			A map[string]any `redact:"secret"`
		}{map[string]any{"k": []any{"p", 1}}}, []string{"p"}},
		{"a secret struct", struct {
			A inner `redact:"secret"`
		}{inner{"p", "q"}}, []string{"p", "q"}},
		{"secret bytes", struct {
			A []byte `redact:"secret"`
		}{[]byte("p")}, []string{"p"}},
		{"bytes that are not secret", struct{ A []byte }{[]byte("p")}, nil},
		{"an embedded struct", struct{ shared }{shared{"r", "p"}}, []string{"p"}},
		{"an unexported field, which no request carries", account{private: "p"}, nil},
		{"two parts of one list", [][]login{{{"a", "p"}}, {{"b", "q"}}}, []string{"p", "q"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, redact.Secrets(tt.value))
		})
	}
	t.Run("the same value twice, once as a secret", func(t *testing.T) {
		same := &inner{"p", "q"}
		assert.ElementsMatch(t, []string{"p", "q"}, redact.Secrets(struct {
			Plain  *inner
			Secret *inner `redact:"secret"`
		}{same, same}))
	})
	t.Run("a list and a longer view of it", func(t *testing.T) {
		all := []login{{"a", "p"}, {"b", "q"}}
		assert.Subset(t, redact.Secrets([][]login{all[:1], all}), []string{"p", "q"})
	})
}

// Metadata is the user's own and may contain anything, itself included.
func TestAValueThatContainsItselfEndsSomewhere(t *testing.T) {
	type node struct {
		login
		Next *node
	}
	ring := &node{login: login{"ann", hidden}}
	ring.Next = ring
	table := map[string]any{"login": login{"ann", hidden}}
	table["a"], table["b"], table["c"] = table, table, table
	list := []any{login{"ann", hidden}, nil, nil}
	list[1], list[2] = list, list[:1]
	var pointer any
	pointer = &pointer
	tests := []struct {
		name    string
		value   any
		secrets []string
	}{
		{"a ring of pointers", ring, []string{hidden}},
		{"a map in itself", table, []string{hidden}},
		{"a list in itself", list, []string{hidden}},
		{"a pointer to itself", pointer, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Subset(t, redact.Secrets(tt.value), tt.secrets)
			printed := redact.String(tt.value)
			assert.NotContains(t, printed, hidden)
			assert.Less(t, len(printed), 1000)
		})
	}
	t.Run("a value that comes twice is no ring", func(t *testing.T) {
		one := &login{"ann", hidden}
		assert.Equal(t, `[login{User:"ann" Password:[redacted]} login{User:"ann" Password:[redacted]}]`,
			redact.String([]*login{one, one}))
	})
}

func TestScrubTakesSecretsOutOfForeignTexts(t *testing.T) {
	const secret = `h"u\n<t>é/2 &+😀`
	tests := []struct{ name, text, want string }{
		{"as it is", `bad password ` + secret + `!`, `bad password [redacted]!`},
		{"in JSON by Go", `{"got":"h\"u\\n\u003ct\u003eé/2 \u0026+😀"}`, `{"got":"[redacted]"}`},
		{"in JSON by Node", `{"got":"h\"u\\n<t>é/2 &+😀"}`, `{"got":"[redacted]"}`},
		{"in JSON by PHP", `{"got":"h\"u\\n<t>\u00e9\/2 &+\ud83d\ude00"}`, `{"got":"[redacted]"}`},
		{"in JSON by somebody who writes capitals", `{"got":"h\u0022u\u005Cn\u003Ct\u003E\u00E9\u002F2 \u0026\u002B\uD83D\uDE00"}`, `{"got":"[redacted]"}`},
		{"in JSON within JSON", `{"m":"{\"got\":\"h\\\"u\\\\n<t>é/2 &+😀\"}"}`, `{"m":"{\"got\":\"[redacted]\"}"}`},
		{"in a query by Go", `?p=h%22u%5Cn%3Ct%3E%C3%A9%2F2+%26%2B%F0%9F%98%80&x=1`, `?p=[redacted]&x=1`},
		{"in a query by Node", `?p=h%22u%5Cn%3Ct%3E%C3%A9%2F2%20%26%2B%F0%9F%98%80&x=1`, `?p=[redacted]&x=1`},
		{"in a query in lower case", `?p=h%22u%5cn%3ct%3e%c3%a9%2f2%20%26%2b%f0%9f%98%80&x=1`, `?p=[redacted]&x=1`},
		{"in a SIP URI", `sip:user:h%22u%5Cn%3Ct%3E%C3%A9/2%20&+%F0%9F%98%80@host`, `sip:user:[redacted]@host`},
		{"twice", secret + secret, `[redacted][redacted]`},
		{"in another case, which is another text", strings.ToUpper(secret), strings.ToUpper(secret)},
		{"nothing", "number is not E.164", "number is not E.164"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, redact.Scrub(tt.text, "", secret))
		})
	}
}

func TestScrubWithSecretsThatGetInEachOthersWay(t *testing.T) {
	tests := []struct {
		name, text string
		secrets    []string
		want       string
	}{
		{"none", "hunter2", nil, "hunter2"},
		{"an empty one", "hunter2", []string{""}, "hunter2"},
		{"one that begins another", "hunter2", []string{"hunter", "hunter2"}, "[redacted]"},
		{"one that is within the mark", "hunter2 act", []string{"hunter2", "act"}, "[redacted] [redacted]"},
		{"one of white space", "a b", []string{" "}, "a[redacted]b"},
		{"one with the meaning of a pattern", "a.b axb", []string{"a.b"}, "[redacted] axb"},
		{"one of bytes that are no UTF-8", "x\xff\xfey", []string{"\xff\xfe"}, "x[redacted]y"},
		{"one that spans lines", "a\nb a\\nb", []string{"a\nb"}, "[redacted] [redacted]"},
		{"one of control characters", "\t\r\n\b\f\x01 \\t\\r\\n\\b\\f\\u0001", []string{"\t\r\n\b\f\x01"}, "[redacted] [redacted]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, redact.Scrub(tt.text, tt.secrets...))
		})
	}
}

func TestScrubKnowsSecretsByTheirLooks(t *testing.T) {
	const token = "eyJhbGciOi.eyJhcGlr.c2ln_-a"
	tests := []struct{ name, text, want string }{
		{"a token", "token " + token + " is expired", "token [redacted] is expired"},
		{"a token in a header", "Authorization: " + token, "Authorization: [redacted]"},
		{"a token in a query", "?token=" + token + "&x=1", "?token=[redacted]&x=1"},
		{"a token without a signature", "eyJhbGciOi.eyJhcGlr.", "[redacted]"},
		{"two tokens", token + " " + token, "[redacted] [redacted]"},
		{"half a token, which opens nothing", "eyJhbGciOi.eyJhcGlr", "eyJhbGciOi.eyJhcGlr"},
		{"a domain", "eye.example.com", "eye.example.com"},
		{"a password by its key", `{"auth":{"password" : "a\"b","username":"u"}}`, `{"auth":{"password" : "[redacted]","username":"u"}}`},
		{"a key in another case", `{"PassWord":"x"}`, `{"PassWord":"[redacted]"}`},
		{"a key that only begins so", `{"passwordPolicy":"strict"}`, `{"passwordPolicy":"strict"}`},
		{"a PIN that is a number", `{"room":{"pin":4321,"id":"r"}}`, `{"room":{"pin":"[redacted]","id":"r"}}`},
		{"no PIN", `{"pin":null}`, `{"pin":null}`},
		{"an upload ticket", `{"presignedUrl":"https://s3/x?sig=1","fileKey":"k"}`, `{"presignedUrl":"[redacted]","fileKey":"k"}`},
		{"an empty password", `{"password":""}`, `{"password":"[redacted]"}`},
		{"a password over two lines", "{\"password\":\"a\\\nb\"}", `{"password":"[redacted]"}`},
		{"a password that was cut off", `{"password":"abc`, `{"password":"[redacted]`},
		{"a password that was cut off in an escape", `{"password":"abc\`, `{"password":"[redacted]`},
		{"a PIN that was cut off", `{"pin":43`, `{"pin":"[redacted]"`},
		{"a key that was cut off", `{"passw`, `{"passw`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, redact.Scrub(tt.text))
		})
	}
	t.Run("a password in JSON within JSON", func(t *testing.T) {
		// Where the inner text ends cannot be told for certain: rather too
		// much is taken out than too little.
		got := redact.Scrub(`{"message":"bad body {\"a\":1,\"password\":\"a\\\"b\",\"c\":2}"}`)
		assert.Equal(t, `{"message":"bad body {\"a\":1,\"password\":\"[redacted]"}`, got)
	})
}

func TestScrubbingTwiceChangesNothing(t *testing.T) {
	once := redact.Scrub(`{"password":"x","pin":1,"got":"hunter2"}`, hidden)
	assert.Equal(t, once, redact.Scrub(once, hidden))
}

func FuzzScrub(f *testing.F) {
	f.Add("the password hunter2 is wrong", "hunter2")
	f.Add(`{"got":"h\"2"}`, `h"2`)
	f.Add("x\xff", "\xff")
	f.Add("\U00076fb3", "\xf1") // its first byte
	f.Add(`{"password":"x`, "")
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := redact.Scrub(text, secret)
		if strings.Trim(secret, `\`) == "" || strings.Contains(redact.Mark, secret) {
			return // backslashes alone are no secret, and what is in the mark may stand there
		}
		// What is left may form the secret anew only with a part of a mark.
		for part := range strings.SplitSeq(got, redact.Mark) {
			if strings.Contains(part, secret) {
				t.Fatalf("%q is left in %q", secret, got)
			}
		}
	})
}
