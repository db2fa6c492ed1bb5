package videosdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

// exportedStructs returns the exported structs of the package: those that its
// methods take and return, and those that can only be had from elsewhere. The
// test below fails for one that is missing here.
func exportedStructs() map[string]reflect.Type {
	found := map[reflect.Type]bool{}
	collectOfMethods(reflect.TypeFor[*videosdk.Client](), found)
	for _, other := range []any{
		videosdk.ValidationError{}, videosdk.CallEndedError{}, videosdk.ParseFailedError{}, videosdk.Event{}, videosdk.Attempt{},
	} {
		collect(reflect.TypeOf(other), found)
	}
	byName := map[string]reflect.Type{}
	for structure := range found {
		name, _, _ := strings.Cut(structure.Name(), "[")
		byName[name] = structure
	}
	return byName
}

// opaqueStructs have no exported field to plant a secret in.
var opaqueStructs = []string{
	"Client", "PhoneNumbersService", "RoutingRulesService", "CallsService", "BatchCallsService", "BatchRecordsService", "WebhooksService",
	"RoomsService", "InboundGatewaysService", "OutboundGatewaysService", "GatewayRoutingRulesService", "TrunksService",
	"WebhookVerifier", "WebhookReceiver", "CallTracker",
	// Nobody but the client makes these; TestNoFailureOfAnyMethodTellsASecret.
	"APIError", "RequestError", "UploadError",
}

func TestTheSearchForSecretsKnowsEveryExportedStruct(t *testing.T) {
	known := exportedStructs()
	for _, name := range declaredStructs(t) {
		if !slices.Contains(opaqueStructs, name) {
			assert.Contains(t, known, name, "nobody looks for secrets in it")
		}
	}
}

// declaredStructs names the exported structs in the source of the package.
func declaredStructs(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, file := range parseGo(t, ".", false) {
		ast.Inspect(file, func(node ast.Node) bool {
			if spec, ok := node.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				if _, ok := spec.Type.(*ast.StructType); ok {
					names = append(names, spec.Name.Name)
				}
			}
			return true
		})
	}
	require.Contains(t, names, "SIPAuth")
	return names
}

// printed returns what a value shows in each way that a program may print it.
func printed(value any) map[string]string {
	shown := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown[verb] = fmt.Sprintf(verb, value)
	}
	if v, ok := value.(fmt.Stringer); ok {
		shown["String"] = v.String()
	}
	if v, ok := value.(fmt.GoStringer); ok {
		shown["GoString"] = v.GoString()
	}
	if v, ok := value.(slog.LogValuer); ok {
		shown["LogValue"] = v.LogValue().String()
	}
	if v, ok := value.(error); ok {
		shown["Error"] = v.Error()
	}
	var text, object bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "it", value)
	slog.New(slog.NewJSONHandler(&object, nil)).Info("m", "it", slog.AnyValue(value).Resolve())
	shown["slog text"], shown["slog JSON"] = text.String(), object.String()
	return shown
}

func TestNoExportedStructPrintsASecret(t *testing.T) {
	secrets := 0
	for name, structure := range exportedStructs() {
		t.Run(name, func(t *testing.T) {
			value := reflect.New(structure)
			if plant(value.Elem(), false) == 0 {
				return // nothing in it to hide
			}
			secrets++
			shapes := []any{value.Interface()}
			if _, isError := value.Interface().(error); !isError { // an error is one by its pointer only
				shapes = append(shapes, value.Elem().Interface())
			}
			for _, shape := range shapes {
				for how, text := range printed(shape) {
					assertNoSecret(t, text, how)
				}
			}
		})
	}
	assert.Greater(t, secrets, 30, "secrets were planted")
}

// secretHolder is a middleware, and a token source, that has a secret of its own
// and does not hide it.
type secretHolder struct {
	Password string
	next     http.RoundTripper
}

func (h secretHolder) RoundTrip(req *http.Request) (*http.Response, error) {
	return h.next.RoundTrip(req)
}
func (h secretHolder) Token(context.Context) (string, error) { return h.Password, nil }

func TestNothingThatHoldsAClientPrintsWhatIsInIt(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, anyResource)
	signing, err := videosdk.New("key", planted, videosdk.WithHTTPClient(&http.Client{Transport: recorder}),
		videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper { return secretHolder{planted, next} }))
	require.NoError(t, err)
	require.NoError(t, listOnce(t, signing)) // so that it has a token
	sourced := recorder.client(videosdk.WithTokenSource(secretHolder{Password: planted}))
	static := recorder.client(videosdk.WithTokenSource(videosdk.StaticToken(planted)))
	token := recorder.last().Header.Get("Authorization")
	require.NotEmpty(t, token)

	for _, client := range []*videosdk.Client{signing, sourced, static} {
		type job struct {
			Client *videosdk.Client
			client *videosdk.Client
			Calls  videosdk.CallsService
		}
		copied := reflect.ValueOf(client).Elem().Interface() // as a careless program may
		for what, value := range map[string]any{
			"a client": client, "a copy": copied, "a field": job{client, client, *client.Calls}, "a pointer to a field": &job{client, client, *client.Calls},
			"a service": client.Calls, "a copy of a service": *client.Calls, "its keys": client.WebhookKeys(),
			"a verifier": videosdk.NewWebhookVerifier(client.WebhookKeys()),
		} {
			for how, text := range printed(value) {
				assertNoSecret(t, text, what+" with "+how)
				assertWithout(t, []string{token}, text)
			}
		}
		encoded, err := json.Marshal(client)
		require.NoError(t, err)
		assertNoSecret(t, string(encoded), "JSON")
	}
	for _, option := range []any{videosdk.WithTokenSource(videosdk.StaticToken(planted)), videosdk.StaticToken(planted)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			assertNoSecret(t, fmt.Sprintf(verb, option), verb)
		}
	}
}

// Canaries: what may stand in no error and no log. The password is one that
// JSON, URLs and HTML all write in their own way.
const (
	canaryPassword  = `c4nary-pass"w&rd%ö`
	canaryPIN       = "918273645"
	canaryAPIKey    = "ak-c4nary"
	canaryToken     = "c4nary.participant.token"
	canaryBearer    = "c4nary-bearer-0123456789"
	canarySecret    = "c4nary-client-secret"
	canarySignature = "c4narysignature0"
)

func canaries() []string {
	return []string{canaryPassword, canaryPIN, canaryAPIKey, canaryToken, canaryBearer, canarySecret, canarySignature}
}

// arm puts a canary into each field of params that the API's documentation calls
// a secret, by its name.
func arm(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() && slices.Contains([]reflect.Type{reflect.TypeFor[videosdk.SIPAuth](), reflect.TypeFor[videosdk.RoutingRoom]()}, v.Type().Elem()) {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if !v.IsNil() {
			arm(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Field(i)
			secret, known := map[string]string{
				"Username": "user", "Password": canaryPassword, "PIN": canaryPIN, "APIKey": canaryAPIKey, "Token": canaryToken,
			}[v.Type().Field(i).Name]
			switch {
			case !known:
				arm(field)
			case field.Kind() == reflect.Pointer:
				field.Set(reflect.ValueOf(&secret))
			default:
				field.SetString(secret)
			}
		}
	}
}

// echoing is a server that repeats whatever it was sent, in one of many ways.
type echoing struct {
	fail func(req *http.Request, echo string) (*http.Response, error)
}

func (e echoing) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/upload") {
		return answerOf(http.StatusOK, "application/json", `{"presignedUrl":"https://bucket.example.com/l.csv?X-Amz-Signature=`+canarySignature+`","batchId":"b"}`), nil
	}
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	var plain bytes.Buffer
	walk(&plain, body)
	return e.fail(req, strings.Join([]string{
		plain.String(), string(body), url.QueryEscape(canaryPassword), html.EscapeString(canaryPassword), req.URL.String(),
		req.Header.Get("Authorization"), canarySecret,
	}, " "))
}

func answerOf(status int, kind, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}

// leakyFailures are the ways in which an operation can fail that could repeat
// what was sent.
func leakyFailures() map[string]func(*http.Request, string) (*http.Response, error) {
	failures := map[string]func(*http.Request, string) (*http.Response, error){}
	object := func(echo string) string {
		text, _ := json.Marshal(map[string]any{"message": "cannot use " + echo, "code": echo, "nested": map[string]string{"error": echo}})
		return string(text)
	}
	for _, status := range []int{400, 401, 404, 409, 429, 503} {
		failures[fmt.Sprintf("a %d in JSON", status)] = func(_ *http.Request, echo string) (*http.Response, error) {
			return answerOf(status, "application/json", object(echo)), nil
		}
	}
	failures["a page in HTML"] = func(_ *http.Request, echo string) (*http.Response, error) {
		return answerOf(http.StatusBadGateway, "text/html", "<p>"+html.EscapeString(echo)), nil
	}
	failures["a success in HTML"] = func(_ *http.Request, echo string) (*http.Response, error) {
		return answerOf(http.StatusOK, "text/html", echo), nil
	}
	failures["an error under a status of success"] = func(_ *http.Request, echo string) (*http.Response, error) {
		return answerOf(http.StatusOK, "application/json", `{"statusCode":400,`+object(echo)[1:]), nil
	}
	failures["an answer that is cut short"] = func(_ *http.Request, echo string) (*http.Response, error) {
		resp := answerOf(http.StatusOK, "application/json", object(echo))
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, failingReader{echo}))
		return resp, nil
	}
	failures["a redirect"] = func(_ *http.Request, echo string) (*http.Response, error) {
		resp := answerOf(http.StatusTemporaryRedirect, "text/plain", echo)
		resp.Header.Set("Location", "https://elsewhere.example.com/?"+url.QueryEscape(echo))
		return resp, nil
	}
	failures["a broken connection"] = func(_ *http.Request, echo string) (*http.Response, error) {
		return nil, errors.New("connection lost after " + echo)
	}
	failures["a broken connection, as net/http tells it"] = func(req *http.Request, echo string) (*http.Response, error) {
		return nil, &url.Error{Op: req.Method, URL: req.URL.String(), Err: errors.New(echo)}
	}
	return failures
}

type failingReader struct{ text string }

func (r failingReader) Read([]byte) (int, error) { return 0, errors.New("cut off after " + r.text) }

func TestNoFailureOfAnyMethodTellsASecret(t *testing.T) {
	t.Parallel()
	for failure, fail := range leakyFailures() {
		t.Run(failure, func(t *testing.T) {
			assertNothingTold(t, fail, func(w io.Writer, opts *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(w, opts) })
		})
	}
	t.Run("a broken connection, logged as JSON", func(t *testing.T) {
		assertNothingTold(t, leakyFailures()["a broken connection"],
			func(w io.Writer, opts *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(w, opts) })
	})
}

// assertNothingTold calls each method, with canaries in its params, and reads
// what comes back, what is logged at any level, and what the hook is told.
func assertNothingTold(t *testing.T, fail func(*http.Request, string) (*http.Response, error), handler func(io.Writer, *slog.HandlerOptions) slog.Handler) {
	t.Helper()
	// The bubble is for the waits of those that look again and again.
	synctest.Test(t, func(t *testing.T) {
		var logged lockedBuffer
		client, err := videosdk.New("key", canarySecret, videosdk.WithTokenSource(videosdk.StaticToken(canaryBearer)),
			videosdk.WithHTTPClient(&http.Client{Transport: echoing{fail}}), videosdk.WithMaxRetries(1),
			videosdk.WithLogger(slog.New(handler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug - 100}))),
			videosdk.WithOnAttempt(func(_ context.Context, attempt videosdk.Attempt) { fmt.Fprintf(&logged, "%+v %#v", attempt, attempt) }))
		require.NoError(t, err)
		failed := 0
		for _, method := range eachMethod(client) {
			results, err := method.call(t, method.armed(t))
			for _, text := range append(everyTextOf(err), fmt.Sprintf("%+v", results)) {
				assertWithout(t, canaries(), text)
			}
			if err != nil {
				failed++
			}
		}
		assert.Greater(t, failed, 40, "most methods fail with this")
		assert.NotEmpty(t, logged.String())
		assertWithout(t, canaries(), logged.String())
	})
}

// lockedBuffer is written to by pages that are fetched ahead, too.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// armed returns arguments for the method that hold canaries.
func (m serviceMethod) armed(t *testing.T) []reflect.Value {
	t.Helper()
	arguments := m.arguments(t, "+14155550199")
	for i, argument := range arguments {
		arguments[i] = reflect.New(argument.Type()).Elem()
		arguments[i].Set(argument)
		arm(arguments[i])
	}
	if strings.HasSuffix(m.name, ".Upload") {
		arguments[1].SetString("list.csv")
	}
	return arguments
}

// everyTextOf returns what can be read of an error and of its parts.
func everyTextOf(err error) []string {
	if err == nil {
		return nil
	}
	var texts []string
	for _, text := range printed(err) {
		texts = append(texts, text)
	}
	var answer *videosdk.APIError
	if errors.As(err, &answer) {
		texts = append(texts, answer.Message, answer.Code, answer.RequestID, answer.Path, string(answer.Body), fmt.Sprintf("%+v %#v", *answer, *answer))
	}
	var failure *videosdk.RequestError
	if errors.As(err, &failure) {
		texts = append(texts, failure.Path, fmt.Sprintf("%+v %#v", *failure, *failure))
	}
	return texts
}

// Of what a caller adds by himself no type of ours says that it is secret: its name
// does, where a server repeats it without that.
func TestASecretThatOnlyItsNameGivesAwayIsTakenOut(t *testing.T) {
	const secret = "c4nary/0123456789+é="
	type login struct {
		Password string `json:"sipPassword"`
	}
	do := func(in any, opts ...videosdk.RequestOption) func(context.Context, *videosdk.Client) error {
		return func(ctx context.Context, client *videosdk.Client) error {
			return client.Do(ctx, http.MethodPost, "/v2/any", in, nil, opts...)
		}
	}
	calling := func(change func(*videosdk.CallCreateParams)) func(context.Context, *videosdk.Client) error {
		params := validCall()
		change(&params)
		return func(ctx context.Context, client *videosdk.Client) error {
			return errorOf(client.Calls.Create(ctx, params))
		}
	}
	for name, call := range map[string]func(context.Context, *videosdk.Client) error{
		"a key in a header":         do(nil, videosdk.WithHeader("X-Api-Key", secret)),
		"the key of a gateway":      do(nil, videosdk.WithHeader("Ocp-Apim-Subscription-Key", secret)),
		"a cookie":                  do(nil, videosdk.WithHeader("Cookie", "a=1; session="+secret)),
		"a cookie in quotes":        do(nil, videosdk.WithHeader("Cookie", `session="`+secret+`"`)),
		"what a proxy wants":        do(nil, videosdk.WithHeader("Proxy-Authorization", "Basic "+secret)),
		"a header in JSON":          do(map[string]string{"Authorization": "Bearer " + secret}),
		"a secret key":              do(map[string]string{"secretKey": secret}),
		"a PIN in a camel's case":   do(map[string]string{"roomPin": secret}),
		"a map":                     do(map[string]any{"auth": map[string]string{"password": secret}}),
		"a list of maps":            do([]any{map[string]any{"api_key": []string{secret}}}),
		"a struct of the caller's":  do([]login{{secret}}),
		"JSON":                      do(json.RawMessage(`{"room":{"pin":"` + secret + `"}}`)),
		"a header of a SIP message": calling(func(p *videosdk.CallCreateParams) { p.Headers = map[string]string{"X-CRM-Token": secret} }),
		"metadata":                  calling(func(p *videosdk.CallCreateParams) { p.Metadata = map[string]any{"accessToken": secret} }),
		"a query": func(ctx context.Context, client *videosdk.Client) error {
			return client.Do(ctx, http.MethodGet, "/v2/any?page=1&access_token="+url.QueryEscape(secret), nil, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, text := range []string{secret, url.QueryEscape(secret), strconv.QuoteToASCII(secret)} {
				body, err := json.Marshal(map[string]string{"message": "cannot use " + text})
				require.NoError(t, err)
				err = call(t.Context(), newRecorder(t, http.StatusBadRequest, string(body)).client())
				require.ErrorContains(t, err, "cannot use")
				assertWithout(t, []string{"c4nary", "0123456789"}, textsOf(err)...)
			}
		})
	}
	number := newRecorder(t, http.StatusBadRequest, `{"message":"the PIN `+canaryPIN+` is too long"}`).client()
	err := do(map[string]any{"room": map[string]int{"pin": 918273645}})(t.Context(), number)
	require.ErrorContains(t, err, "is too long")
	assertWithout(t, canaries(), textsOf(err)...)
	for name, short := range map[string]string{"X-Room-Pin": "9182", "X-Proxy-Password": "corr3ct horse staple", "X-Api-Key": "k3y;k4y"} {
		server := newRecorder(t, http.StatusBadRequest, `{"message":"cannot use `+short+`!"}`).client()
		err := do(nil, videosdk.WithHeader(name, short))(t.Context(), server)
		require.ErrorContains(t, err, "cannot use [redacted]!", name)
	}
	id := (&recorder{t: t}).then(http.StatusBadRequest, `{"message":"no call of job 0123456789"}`, "X-Request-Id", "0123456789").client()
	err = do(map[string]string{"job": "0123456789"}, videosdk.WithHeader("X-Request-Id", "0123456789"))(t.Context(), id)
	require.ErrorContains(t, err, "no call of job 0123456789 (1 attempt; request id 0123456789)", "what is no secret stays")
}

// Without the PIN the number is no JSON any more.
func TestAPINThatStandsInAnotherNumberDoesNotHideTheMessage(t *testing.T) {
	const body = `{"timestamp":1700043210000,"message":"room 4321 not found","code":"E7"}`
	params := validRule()
	params.Room = &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, ID: "support", PIN: "4321"}
	var refused *videosdk.APIError
	require.ErrorAs(t, errorOf(newRecorder(t, http.StatusBadRequest, body).client().RoutingRules.Create(t.Context(), params)), &refused)
	assert.Equal(t, "room [redacted] not found", refused.Message)
	assert.Equal(t, "E7", refused.Code)
	assertWithout(t, []string{"4321"}, textsOf(refused)...)
}

// What only its name makes a secret may be too short for one; a field of ours is not.
func TestASecretOfAFieldIsTakenOutHoweverShortItIs(t *testing.T) {
	params := validRule()
	params.Room = &videosdk.RoutingRoom{Type: videosdk.RoomTypeStatic, ID: "support", PIN: "907"}
	client := newRecorder(t, http.StatusBadRequest, `{"message":"room 907 not found"}`).client()
	var refused *videosdk.APIError
	require.ErrorAs(t, errorOf(client.RoutingRules.Create(t.Context(), params)), &refused)
	assert.Equal(t, "room [redacted] not found", refused.Message)
	assertWithout(t, []string{"907"}, textsOf(refused)...)
}

func TestTheSecretsOfALargeRequestAreCollectedOnce(t *testing.T) {
	list := make([]map[string]string, 1000)
	for i := range list {
		list[i] = map[string]string{"token": fmt.Sprint("token-", i)}
	}
	allocationsOf := func(retries int) float64 {
		client := newRecorder(t, http.StatusTooManyRequests, `{"message":"slow down"}`).client(
			videosdk.WithMaxRetries(retries), videosdk.WithRetryWait(0, 0))
		return testing.AllocsPerRun(3, func() {
			_ = client.Do(t.Context(), http.MethodPost, "/v2/any", list, nil)
		})
	}
	assert.Less(t, allocationsOf(3), 2*allocationsOf(0))
}

// A mark wherever a letter or a digit stands would tell it, and take the text away.
func TestWhatIsTooShortForASecretDoesNotSpoilAnError(t *testing.T) {
	for _, value := range []any{"a", "1", "yes", 0, 12, true, nil, []any{"a", 1}} {
		client := newRecorder(t, http.StatusBadRequest, `{"message":"yes, 10 or 12 calls at a time","code":"E1"}`).client()
		var refused *videosdk.APIError
		require.ErrorAs(t, client.Do(t.Context(), http.MethodPost, "/v2/any?pageToken=1", map[string]any{"csrfToken": value}, nil), &refused)
		assert.Equal(t, "yes, 10 or 12 calls at a time", refused.Message, value)
		assert.Equal(t, "E1", refused.Code, value)
	}
}

func TestNoHeaderOfASIPMessageIsPrintedThatIsNamedAsASecret(t *testing.T) {
	headers := map[string]string{"Authorization": planted, "X-Api-Key": planted, "Cookie": planted, "X-CRM-Token": planted, "X-Campaign": "spring"}
	for _, value := range []any{
		videosdk.CallCreateParams{Headers: headers}, &videosdk.RoutingRuleCreateParams{Headers: headers},
		videosdk.RoutingRuleUpdateParams{Headers: headers}, &videosdk.RoutingRule{Headers: headers},
	} {
		for how, text := range printed(value) {
			assertNoSecret(t, text, how)
			assert.Contains(t, text, "spring", how)
		}
	}
}

// Hiding is for people: the API gets what it is given.
func TestTheWireCarriesTheSecrets(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, anyResource)
	client := recorder.client()
	carried := map[string]int{}
	for params, value := range validParams() {
		armed := reflect.New(params).Elem()
		armed.Set(reflect.ValueOf(value))
		arm(armed)
		require.NoError(t, client.Do(t.Context(), http.MethodPut, "/v2/any", armed.Interface(), nil))
		var texts bytes.Buffer
		walk(&texts, recorder.last().Body)
		for _, canary := range canaries() {
			if strings.Contains(texts.String(), canary) {
				carried[canary]++
			}
		}
	}
	assert.Equal(t, map[string]int{canaryPassword: 6, canaryPIN: 3, canaryAPIKey: 2, canaryToken: 1}, carried)
}

// A panic in a function of the caller's ends his program with his own text, and
// with a trace of numbers.
func TestAPanicInAFunctionOfTheCallersShowsNothingOfOurs(t *testing.T) {
	const text = "the caller's own"
	fails := func(*http.Request) (*http.Response, error) { panic(text) }
	calls := map[string]func(*testing.T, *recorder){
		"a middleware": func(t *testing.T, r *recorder) {
			_ = listOnce(t, r.client(videosdk.WithMiddleware(func(http.RoundTripper) http.RoundTripper { return roundTripFunc(fails) })))
		},
		"a transport": func(t *testing.T, r *recorder) {
			_ = listOnce(t, r.client(videosdk.WithHTTPClient(&http.Client{Transport: roundTripFunc(fails)})))
		},
		"a hook": func(t *testing.T, r *recorder) {
			_ = listOnce(t, r.client(videosdk.WithOnAttempt(func(context.Context, videosdk.Attempt) { panic(text) })))
		},
		"a logger": func(t *testing.T, r *recorder) {
			_ = listOnce(t, r.client(videosdk.WithLogger(slog.New(panicking{text}))))
		},
		"a condition": func(t *testing.T, r *recorder) {
			_, _ = r.client().Calls.Wait(t.Context(), "call_1", func(*videosdk.Call) bool { panic(text) })
		},
		"a writer": func(t *testing.T, r *recorder) {
			r.then(http.StatusOK, "a,b", "Content-Type", "text/csv")
			_ = r.client().BatchCalls.Records.Export(t.Context(), "b", panicking{text}, videosdk.BatchRecordExportParams{})
		},
		"the JSON of a value": func(t *testing.T, r *recorder) {
			params := validCall()
			params.Metadata = map[string]any{"it": panicking{text}}
			_, _ = r.client().Calls.Create(t.Context(), params)
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			answer := &recorder{t: t}
			if name != "a writer" {
				answer.then(http.StatusOK, `{"id":"call_1","status":"ringing","data":[],"apiKey":"`+canaryAPIKey+`"}`)
			}
			var stack string
			value := func() (value any) {
				defer func() { value, stack = recover(), string(debug.Stack()) }()
				call(t, answer)
				return nil
			}()
			require.NotEmpty(t, stack)
			assert.Equal(t, text, value, "the caller's value, and no other around it")
			assertWithout(t, append(canaries(), "test-secret", "eyJ"), stack, fmt.Sprint(value))
		})
	}
}

// panicking is a handler of logs, a writer and a value.
type panicking struct{ text string }

func (p panicking) Enabled(context.Context, slog.Level) bool  { return true }
func (p panicking) Handle(context.Context, slog.Record) error { panic(p.text) }
func (p panicking) WithAttrs([]slog.Attr) slog.Handler        { return p }
func (p panicking) WithGroup(string) slog.Handler             { return p }
func (p panicking) Write([]byte) (int, error)                 { panic(p.text) }
func (p panicking) MarshalJSON() ([]byte, error)              { panic(p.text) }

// In a goroutine of ours it would end the program out of the caller's reach: it
// becomes an error that does not hold the value.
func TestAPanicInAGoroutineOfOursIsAnErrorWithoutItsValue(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, anyResource)
	err := listOnce(t, recorder.client(videosdk.WithTokenSource(tokenFunc(func(context.Context) (string, error) { panic(planted) }))))
	require.ErrorContains(t, err, "the token source panicked with a string")
	for how, text := range printed(err) {
		assertNoSecret(t, text, how)
	}
}
