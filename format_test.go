package videosdk_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// planted is the secret that every field holds which may hold one.
const planted = "hunter2"

// isSensitive tells by its name whether a field holds what must not be printed,
// whatever its tag says: a tag that was forgotten shows.
func isSensitive(field string) bool {
	return slices.Contains([]string{
		"Password", "PIN", "APIKey", "Token", "Secret", "PresignedURL", "Metadata", "AgentMetadata", "Raw",
	}, field)
}

// plant fills a value: what is sensitive with the secret, all else with what
// is harmless. It returns how many secrets it planted.
func plant(v reflect.Value, sensitive bool) (secrets int) {
	text := "harmless"
	if sensitive {
		text = planted
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return plant(v.Elem(), sensitive)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				secrets += plant(v.Field(i), sensitive || isSensitive(field.Name))
			}
		}
		return secrets
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(`"` + text + `"`))
			break
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		return plant(v.Index(0), sensitive)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		secrets = plant(key, sensitive) + plant(value, sensitive)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
		return secrets
	case reflect.String:
		v.SetString(text)
	case reflect.Interface:
		v.Set(reflect.ValueOf(text))
	default:
		return 0
	}
	if sensitive {
		return 1
	}
	return 0
}

// secretive returns a value, full of secrets, of each type that the methods of
// the client and its services take or return and that can hold one.
func secretive(t *testing.T) []reflect.Value {
	t.Helper()
	found := map[reflect.Type]bool{}
	collectOfMethods(reflect.TypeFor[*videosdk.Client](), found)
	var values []reflect.Value
	for structure := range found {
		if value := reflect.New(structure).Elem(); plant(value, false) > 0 {
			values = append(values, value)
		}
	}
	// One of each kind, to know that the search finds them.
	for _, sure := range []any{
		videosdk.SIPAuth{}, videosdk.PhoneNumber{}, videosdk.PhoneNumberCreateParams{}, videosdk.Page[videosdk.Call]{},
		videosdk.RoutingRule{}, videosdk.RoutingRuleUpdateParams{}, videosdk.Call{}, videosdk.Participant{}, videosdk.DeleteResult{},
	} {
		require.True(t, found[reflect.TypeOf(sure)], "%T", sure)
	}
	return values
}

// collectOfMethods finds the structs that the methods of a client or service,
// and of the services in it, take and return.
func collectOfMethods(service reflect.Type, found map[reflect.Type]bool) {
	for i := range service.NumMethod() {
		method := service.Method(i).Type
		for j := 1; j < method.NumIn(); j++ { // after the receiver
			collect(method.In(j), found)
		}
		for j := range method.NumOut() {
			collect(method.Out(j), found)
		}
	}
	for i := range service.Elem().NumField() {
		if field := service.Elem().Field(i); field.IsExported() {
			collectOfMethods(field.Type, found)
		}
	}
}

// collect finds the structs of this module that a type is made of.
func collect(t reflect.Type, found map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		collect(t.Elem(), found)
	case reflect.Func:
		for i := range t.NumIn() {
			collect(t.In(i), found)
		}
		for i := range t.NumOut() {
			collect(t.Out(i), found)
		}
	case reflect.Struct:
		if found[t] || t.PkgPath() != reflect.TypeFor[videosdk.Client]().PkgPath() {
			return
		}
		found[t] = true
		for i := range t.NumField() {
			if field := t.Field(i); field.IsExported() {
				collect(field.Type, found)
			}
		}
	}
}

// plantedForms are those in which a verb prints the secret.
var plantedForms = sync.OnceValue(func() []string {
	return []string{
		planted, hex.EncodeToString([]byte(planted)), strings.ToUpper(hex.EncodeToString([]byte(planted))),
		base64.StdEncoding.EncodeToString([]byte(planted)), strings.Trim(fmt.Sprint([]byte(planted)), "[]"),
		strings.Trim(fmt.Sprintf("%#v", []byte(planted)), "[]byte{}"), strings.Trim(fmt.Sprintf("%o", []byte(planted)), "[]"),
		strings.Trim(fmt.Sprintf("%b", []byte(planted)), "[]"),
	}
})

// assertNoSecret looks for the secret in each of its forms.
func assertNoSecret(t *testing.T, printed, how string) {
	t.Helper()
	for _, form := range plantedForms() {
		assert.False(t, strings.Contains(printed, form), "%s shows %q", how, form)
	}
}

// Not %p and %w: they are mistakes for these values, and fmt then prints the value
// without asking it. Vet finds %w only: it lets whoever has a Format method be
// printed with any other verb.
const verbs = "vsqxXdboOcUeEfFgGt"

func TestNoVerbOfFmtPrintsASecret(t *testing.T) {
	t.Parallel()
	for _, value := range secretive(t) {
		t.Run(value.Type().String(), func(t *testing.T) {
			for name, shape := range shapes(value) {
				for _, verb := range verbs {
					for _, flags := range []string{"", "+", "#", "-080.3", " ", "0"} {
						format := "%" + flags + string(verb)
						assertNoSecret(t, fmt.Sprintf(format, shape), name+" with "+format)
					}
				}
				assertNoSecret(t, fmt.Sprintln(shape), name)
				assertNoSecret(t, fmt.Errorf("failed: %v", shape).Error(), name)
			}
		})
	}
}

// shapes are the ways in which a program holds a value.
func shapes(v reflect.Value) map[string]any {
	value, pointer := v.Interface(), v.Addr().Interface()
	return map[string]any{
		"the value":                  value,
		"a pointer":                  pointer,
		"a pointer to a pointer":     &pointer,
		"a list of values":           []any{value, value},
		"a list of pointers":         []any{pointer},
		"a map":                      map[string]any{"key": value},
		"a field":                    struct{ Field any }{value},
		"a field with a pointer":     struct{ Field any }{pointer},
		"a pointer to such a struct": &struct{ Field any }{pointer},
		"a field of a field":         struct{ Outer struct{ Inner any } }{struct{ Inner any }{value}},
		"fields of its own type":     holding(v),
	}
}

// holding returns a struct as a caller may have it.
func holding(v reflect.Value) any {
	outer := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "Job", Type: reflect.TypeFor[string]()},
		{Name: "Value", Type: v.Type()},
		{Name: "Pointer", Type: v.Addr().Type()},
		{Name: "List", Type: reflect.SliceOf(v.Type())},
	})).Elem()
	outer.FieldByName("Value").Set(v)
	outer.FieldByName("Pointer").Set(v.Addr())
	outer.FieldByName("List").Set(reflect.Append(outer.FieldByName("List"), v))
	return outer.Interface()
}

// A struct of the caller's is another matter for slog's JSON handler, which
// gives it to encoding/json: that has to write passwords, or no request could
// be stored.
func TestNoHandlerOfSlogPrintsASecret(t *testing.T) {
	handlers := map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(out *bytes.Buffer) slog.Handler { return slog.NewTextHandler(out, nil) },
		"JSON": func(out *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(out, nil) },
	}
	for _, value := range secretive(t) {
		t.Run(value.Type().String(), func(t *testing.T) {
			for name, handler := range handlers {
				var out bytes.Buffer
				log := slog.New(handler(&out))
				log.Info("value", "it", value.Interface())
				log.Info("pointer", "it", value.Addr().Interface())
				log.WithGroup("group").Info("group", slog.Group("inner", "it", value.Interface()))
				log.With("it", value.Interface()).Info("with")
				assert.Contains(t, out.String(), "harmless", "the rest is printed")
				assertNoSecret(t, out.String(), name)
			}

			var out bytes.Buffer
			log := slog.New(slog.NewTextHandler(&out, nil))
			for name, shape := range shapes(value) {
				log.Info(name, "it", shape)
			}
			assertNoSecret(t, out.String(), "text")
		})
	}
}

func TestWhatIsPrintedIsGoodToRead(t *testing.T) {
	start := time.Date(2025, 8, 21, 11, 45, 0, 0, time.UTC)
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"a call", videosdk.Call{
			ID: "call_1", Status: videosdk.CallEnded, To: "+14155550123", Metadata: map[string]any{"k": "v"}, Start: &start,
			Timelog: []videosdk.CallEvent{{Status: videosdk.CallEnded, Timestamp: start}},
		}, `Call{ID:"call_1" Status:"ended" To:"+14155550123" Metadata:[redacted] ` +
			`Timelog:[CallEvent{Status:"ended" Timestamp:2025-08-21T11:45:00Z}] Start:2025-08-21T11:45:00Z}`},
		{"credentials", &videosdk.SIPAuth{Username: "u", Password: "p"}, `SIPAuth{Username:"u" Password:[redacted]}`},
		{"a rule", videosdk.RoutingRule{ID: "rr_1", Room: &videosdk.RoutingRoom{ID: "r", PIN: "4321"}, APIKey: "ak"},
			`RoutingRule{ID:"rr_1" Room:RoutingRoom{ID:"r" PIN:[redacted]} APIKey:[redacted]}`},
		{"a page", &videosdk.Page[videosdk.SIPAuth]{Items: []*videosdk.SIPAuth{{Username: "u", Password: "p"}}, Total: 1},
			`Page[github.com/videosdk-sip-go/videosdk.SIPAuth]{Items:[SIPAuth{Username:"u" Password:[redacted]}] Total:1}`},
		{"nothing", videosdk.Call{}, `Call{}`},
		{"no call", (*videosdk.Call)(nil), `<nil>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, fmt.Sprint(tt.value)) })
	}
}

// Storing is not printing.
func TestJSONHoldsWhatIsNotPrinted(t *testing.T) {
	stored, err := json.Marshal(videosdk.SIPAuth{Username: "u", Password: planted})
	require.NoError(t, err)
	assert.JSONEq(t, `{"username":"u","password":"hunter2"}`, string(stored))
}
