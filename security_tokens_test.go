package videosdk_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

func TestWhatComesAlongWhenAKeyIsPastedIsToldSo(t *testing.T) {
	const key = "hunter2"
	tests := []struct{ name, pasted, text string }{
		{"a line break at the end", key + "\n", "begins or ends with white space: was it pasted with a line break?"},
		{"a line break as Windows has it", key + "\r\n", "begins or ends with white space"},
		{"a space at the end", key + " ", "begins or ends with white space"},
		{"a space at the beginning", " " + key, "begins or ends with white space"},
		{"a tab", "\t" + key, "begins or ends with white space"},
		{"a space that does not break", key + "\u00a0", "begins or ends with white space"},
		{"nothing else", " \n", "begins or ends with white space"},
		{"a line break within", "hunter\n2", "contains characters that no key has"},
		{"a byte order mark", "\ufeff" + key, "contains characters that no key has"},
		{"a space without width", key + "\u200b", "contains characters that no key has"},
		{"a NUL", key + "\x00", "contains characters that no key has"},
		{"a DEL", key + "\x7f", "contains characters that no key has"},
		{"bytes that are not UTF-8", key + "\xff", "contains characters that no key has"},
		{"quotes of a word processor", "“" + key + "”", "contains characters that no key has"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, keyErr := videosdk.New(tt.pasted, "secret")
			_, secretErr := videosdk.New("key", tt.pasted)
			for field, err := range map[string]error{"apiKey": keyErr, "secret": secretErr} {
				assert.Equal(t, []string{field}, fieldsOf(t, err))
				assert.ErrorContains(t, err, field+": "+tt.text)
				assert.NotContains(t, err.Error(), key)
			}
			_, tokenErr := videosdk.New("", "", videosdk.WithTokenSource(videosdk.StaticToken(tt.pasted)))
			assert.Equal(t, []string{"WithTokenSource"}, fieldsOf(t, tokenErr))
			assert.NotContains(t, tokenErr.Error(), key)
		})
	}
}

func TestAKeyInTheEnvironmentThatWasPastedBadlyIsNamed(t *testing.T) {
	for _, name := range []string{videosdk.EnvSecret, videosdk.EnvAPIKey} {
		clearEnv(t)
		t.Setenv(videosdk.EnvAPIKey, "key")
		t.Setenv(videosdk.EnvSecret, "secret")
		t.Setenv(name, "hunter2\n")
		_, err := videosdk.NewFromEnv()
		assert.Equal(t, []string{name}, fieldsOf(t, err))
		assert.ErrorContains(t, err, "begins or ends with white space")
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

// strict is a server that checks tokens by a clock of its own, to the second, and
// tells its time.
type strict struct {
	ahead time.Duration // of the client's clock

	mu   sync.Mutex
	seen []string
}

func (s *strict) RoundTrip(req *http.Request) (*http.Response, error) {
	token := req.Header.Get("Authorization")
	s.mu.Lock()
	s.seen = append(s.seen, token)
	s.mu.Unlock()
	now := func() time.Time { return time.Now().Add(s.ahead) }
	_, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return []byte("secret"), nil },
		jwt.WithTimeFunc(now), jwt.WithIssuedAt(), jwt.WithExpirationRequired(), jwt.WithValidMethods([]string{"HS256"}))
	resp := answerOf(http.StatusOK, "application/json", anyResource)
	if err != nil {
		resp = answerOf(http.StatusUnauthorized, "application/json", fmt.Sprintf(`{"message":%q}`, err))
	}
	resp.Header.Set("Date", now().UTC().Format(http.TimeFormat))
	return resp, nil
}

func (s *strict) client(t *testing.T, opts ...videosdk.Option) *videosdk.Client {
	t.Helper()
	client, err := videosdk.New("key", "secret", append([]videosdk.Option{videosdk.WithHTTPClient(&http.Client{Transport: s})}, opts...)...)
	require.NoError(t, err)
	return client
}

func TestClocksThatDisagree(t *testing.T) {
	tests := []struct {
		ahead time.Duration // the server's clock
		text  string        // of the error, empty for success
	}{
		{-15 * time.Minute, "this machine's clock is 15m0s ahead of the server's"},
		{-10 * time.Minute, "this machine's clock is 10m0s ahead of the server's"},
		{-time.Minute, "this machine's clock is 1m0s ahead of the server's"},
		{-30 * time.Second, ""}, // the tokens are backdated by as much
		{-time.Second, ""},
		{0, ""},
		{time.Minute, ""},
		{9 * time.Minute, ""},
		{10*time.Minute - time.Second, ""},
		{10 * time.Minute, "this machine's clock is 10m0s behind the server's"},
		{15 * time.Minute, "this machine's clock is 15m0s behind the server's"},
	}
	for _, tt := range tests {
		t.Run(tt.ahead.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &strict{ahead: tt.ahead}
				_, err := server.client(t).Calls.Create(t.Context(), validCall())
				assert.Len(t, server.seen, 1, "another token of the same clock would not be better")
				if tt.text == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, videosdk.ErrUnauthorized)
				require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
				require.ErrorContains(t, err, tt.text)
				var answer *videosdk.APIError
				require.ErrorAs(t, err, &answer)
				assert.Equal(t, -tt.ahead, answer.ClockSkew)
				assertWithout(t, server.seen, everyTextOf(err)...)
			})
		})
	}
}

// The shortest life is longer than what is cut off at its ends: 30 seconds before
// and a fifth behind. The longest must not wrap around.
func TestATokenOfAnyLifetimeIsGoodWheneverItIsSent(t *testing.T) {
	for _, lifetime := range []time.Duration{
		time.Minute, 90 * time.Second, 10 * time.Minute, 24 * time.Hour, 365 * 24 * time.Hour, math.MaxInt64 / 4, math.MaxInt64/4 + 1, math.MaxInt64,
	} {
		t.Run(lifetime.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &strict{}
				client := server.client(t, videosdk.WithTokenLifetime(lifetime))
				const requests = 40
				step := min(lifetime/10, 24*time.Hour)
				for range requests {
					require.NoError(t, getOnce(t, client))
					<-time.After(step)
				}
				perToken := int(lifetime / 5 * 4 / step)
				assert.Len(t, distinct(server.seen), (requests+perToken-1)/perToken, "tokens for %d requests", requests)
			})
		})
	}
}

func TestALifetimeThatIsTooShortIsRefused(t *testing.T) {
	for _, lifetime := range []time.Duration{math.MinInt64, -1, 0, 1, 30 * time.Second, time.Minute - 1} {
		_, err := videosdk.New("key", "secret", videosdk.WithTokenLifetime(lifetime))
		assert.Equal(t, []string{"WithTokenLifetime"}, fieldsOf(t, err), lifetime)
		if lifetime != 0 { // which is the default
			_, err = (&strict{}).client(t).ParticipantToken(videosdk.ParticipantTokenParams{Lifetime: lifetime})
			assert.Equal(t, []string{"lifetime"}, fieldsOf(t, err), lifetime)
		}
	}
}

func TestNoNameMakesAParticipantMore(t *testing.T) {
	client := (&strict{}).client(t)
	for _, name := range []string{
		`x","roles":["crawler"]`, `x"}`, "x\",\n\"version\":3", `\u0022,"roles":["crawler"]`, "crawler", strings.Repeat("x", 1<<16), "a\x00b", "電話",
	} {
		token, err := client.ParticipantToken(videosdk.ParticipantTokenParams{RoomID: name, ParticipantID: name, Lifetime: math.MaxInt64})
		require.NoError(t, err)
		claims := claimsOf(t, token, "secret")
		assert.Equal(t, name, claims["roomId"])
		assert.Equal(t, name, claims["participantId"])
		assert.Equal(t, []any{"rtc"}, claims["roles"])
		assert.InDelta(t, 2, claims["version"], 0)
		assert.Greater(t, claims["exp"], claims["iat"])
	}
}

// A source is somebody's code: it may fail, block, lie, and do so only at times.
func TestNoTokenSourceHarmsMoreThanItsOwnCall(t *testing.T) {
	vault := errors.New("the vault is sealed")
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		behaviours := []func(context.Context) (string, error){
			func(context.Context) (string, error) { return "", vault },
			func(ctx context.Context) (string, error) { <-ctx.Done(); return "", context.Cause(ctx) },
			func(context.Context) (string, error) { <-release; return "late", nil }, // deaf to its context
			func(context.Context) (string, error) { panic(canaryBearer) },
			func(context.Context) (string, error) { return canaryBearer + "\r\nX-Evil: 1", nil },
			func(context.Context) (string, error) { return canaryBearer, vault }, // an error counts, whatever is beside it
		}
		type key struct{}
		source := tokenFunc(func(ctx context.Context) (string, error) {
			if behave, ok := ctx.Value(key{}).(func(context.Context) (string, error)); ok {
				return behave(ctx)
			}
			return "good", nil
		})
		recorder := newRecorder(t, http.StatusOK, anyResource)
		client := recorder.client(videosdk.WithTokenSource(source))
		var callers sync.WaitGroup
		for i := range 60 {
			callers.Go(func() {
				ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, behaviours[i%len(behaviours)]), time.Second)
				defer cancel()
				begun := time.Now()
				_, err := client.Calls.Create(ctx, validCall())
				assert.Error(t, err)
				assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
				assert.LessOrEqual(t, time.Since(begun), time.Second)
				assertWithout(t, canaries(), everyTextOf(err)...)
			})
			callers.Go(func() { assert.NoError(t, getOnce(t, client)) })
		}
		callers.Wait()
		close(release)
		for _, request := range recorder.all() {
			assert.Equal(t, "good", request.Header.Get("Authorization"))
		}
		assert.Len(t, recorder.all(), 60)
	})
}

// Addresses are logged by proxies, and bodies by servers.
func TestTheTokenStandsInTheHeaderAndNowhereElse(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, anyResource)
	for _, method := range eachMethod(recorder.client()) {
		_, _ = method.call(t, method.arguments(t, "+14155550199"))
	}
	for _, request := range recorder.all() {
		token := request.Header.Get("Authorization")
		require.NotEmpty(t, token)
		assertWithout(t, []string{token, "test-secret"}, request.Path, request.Query, string(request.Body))
		delete(request.Header, "Authorization")
		assertWithout(t, []string{token, "test-secret", "test-key"}, fmt.Sprint(request.Header))
	}
}
