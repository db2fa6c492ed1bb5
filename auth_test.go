package videosdk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// claimsOf checks a token's signature and returns what it says. Its times are
// left to the tests: most of these tokens are from the year 2000.
func claimsOf(t *testing.T, token, secret string) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(secret), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())
	require.NoError(t, err)
	return claims
}

// tokensOf returns the token of each request that a recorder saw.
func tokensOf(rec *recorder) []string {
	requests := rec.all()
	tokens := make([]string, len(requests))
	for i, req := range requests {
		tokens[i] = req.Header.Get("Authorization")
	}
	return tokens
}

const emptyPage = `{"data":[],"pageInfo":{"lastPage":1}}`

func listOnce(t *testing.T, client *videosdk.Client) error {
	t.Helper()
	_, err := client.Calls.List(t.Context(), videosdk.CallListParams{})
	return err
}

func TestTheTokenOfARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, http.StatusOK, emptyPage)
		require.NoError(t, listOnce(t, rec.client()))

		token := rec.last().Header.Get("Authorization")
		assert.Equal(t, 2, strings.Count(token, "."), "the bare JWT")
		now := time.Now().Unix()
		assert.Equal(t, jwt.MapClaims{
			"apikey": "test-key", "version": 2.0, "roles": []any{"crawler"}, "permissions": []any{"allow_join", "allow_mod"},
			"iat": float64(now - 30), "exp": float64(now + 600),
		}, claimsOf(t, token, "test-secret"))
	})
}

func TestATokenIsRenewedWhenFourFifthsOfItsLifeHavePassed(t *testing.T) {
	tests := []struct {
		name     string
		opts     []videosdk.Option
		age      time.Duration
		distinct bool
	}{
		{"not before, by default", nil, 8*time.Minute - time.Second, false},
		{"then, by default", nil, 8 * time.Minute, true},
		{"not before, with a life of its own", []videosdk.Option{videosdk.WithTokenLifetime(time.Hour)}, 48*time.Minute - time.Second, false},
		{"then, with a life of its own", []videosdk.Option{videosdk.WithTokenLifetime(time.Hour)}, 48 * time.Minute, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := newRecorder(t, http.StatusOK, emptyPage)
				client := rec.client(tt.opts...)
				require.NoError(t, listOnce(t, client))
				<-time.After(tt.age)
				require.NoError(t, listOnce(t, client))
				tokens := tokensOf(rec)
				assert.Equal(t, tt.distinct, tokens[0] != tokens[1])
			})
		})
	}
}

func TestARetryThatOutlivesItsTokenCarriesANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, videosdktest.InMemory())
		client := newClient(t, srv, videosdk.WithTokenLifetime(time.Minute))
		require.NoError(t, listOnce(t, client))
		<-time.After(40 * time.Second)
		srv.Inject(statusFault(http.StatusServiceUnavailable, "Retry-After", "30")) // the token expires meanwhile
		require.NoError(t, listOnce(t, client))
		assert.Len(t, srv.Requests(), 3)
	})
}

func TestARefusedTokenIsReplacedOnceIfItWasUsedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, http.StatusOK, emptyPage).then(http.StatusUnauthorized, `{"message":"revoked"}`).then(http.StatusOK, emptyPage)
		client := rec.client(videosdk.WithMaxRetries(0)) // the one repeat does not count
		require.NoError(t, listOnce(t, client))
		<-time.After(time.Minute) // a token of the same second would be the same
		require.NoError(t, listOnce(t, client))

		tokens := tokensOf(rec)
		require.Len(t, tokens, 3)
		assert.Equal(t, tokens[0], tokens[1])
		assert.NotEqual(t, tokens[1], tokens[2])
		require.NoError(t, listOnce(t, client))
		assert.Equal(t, tokens[2], rec.last().Header.Get("Authorization"), "the new token stays in use")
	})
}

func TestTheAttemptWithAnotherTokenDoesNotWaitAsTheRepeatBeforeItDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := (&recorder{t: t}).then(http.StatusServiceUnavailable, `{}`, "Retry-After", "10").
			then(http.StatusUnauthorized, `{"message":"revoked"}`).then(http.StatusOK, emptyPage)
		started := time.Now()
		require.NoError(t, listOnce(t, rec.client()))
		assert.Len(t, rec.all(), 3)
		assert.LessOrEqual(t, time.Since(started), 11*time.Second, "the server asked for one wait of 10 s")
	})
}

func TestTheAttemptWithAnotherTokenComesWhenTheServerAskedForIt(t *testing.T) {
	const cannot = "the wait would not end before the context's deadline"
	tests := []struct {
		name       string
		retryAfter string
		limit      time.Duration // of the context
		sent       int
		waited     time.Duration
		note       string
	}{
		{"at once if it did not ask", "", time.Hour, 2, 0, ""},
		{"after ten seconds", "10", time.Hour, 2, 10 * time.Second, ""},
		{"not at all if that is too long", "3600", 2 * time.Hour, 1, 0, "the server asked to wait longer than 30s"},
		{"not at all if the context ends before", "10", 5 * time.Second, 1, 0, cannot},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := newRecorder(t, http.StatusOK, emptyPage).
					then(http.StatusUnauthorized, `{"message":"revoked"}`, "Retry-After", tt.retryAfter).then(http.StatusOK, emptyPage)
				client := rec.client()
				require.NoError(t, listOnce(t, client))
				ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
				defer cancel()

				started := time.Now()
				_, err := client.Calls.List(ctx, videosdk.CallListParams{})
				waited := time.Since(started)
				assert.Len(t, rec.all(), 1+tt.sent)
				assert.GreaterOrEqual(t, waited, tt.waited)
				assert.LessOrEqual(t, waited, tt.waited+tt.waited/10)
				if tt.note == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, videosdk.ErrUnauthorized)
				assert.ErrorContains(t, err, "not repeated: "+tt.note)
				assert.False(t, errors.Is(err, videosdk.ErrMaybeApplied))
			})
		})
	}
}

func TestATokenThatWasSignedForTheRefusedAttemptIsNotReplaced(t *testing.T) {
	tests := []struct {
		name  string
		ahead time.Duration // this machine's clock
		told  time.Duration // APIError.ClockSkew
		text  string
	}{
		{"this machine is ahead", time.Hour, time.Hour, "this machine's clock is 1h0m0s ahead of the server's"},
		{"this machine is behind", -time.Hour, -time.Hour, "this machine's clock is 1h0m0s behind the server's"},
		{"the clocks agree as well as clocks do", 29 * time.Second, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				date := time.Now().Add(-tt.ahead).UTC().Format(http.TimeFormat)
				rec := (&recorder{t: t}).then(http.StatusUnauthorized, `{"message":"expired"}`, "Date", date)
				err := listOnce(t, rec.client())
				require.ErrorIs(t, err, videosdk.ErrUnauthorized)
				var answer *videosdk.APIError
				require.ErrorAs(t, err, &answer)
				assert.Equal(t, tt.told, answer.ClockSkew)
				assert.Contains(t, err.Error(), tt.text)
				assert.Equal(t, tt.told != 0, strings.Contains(err.Error(), "clock"))
				assert.Len(t, rec.all(), 1)
			})
		})
	}
}

func TestATokenThatGrewOldOnItsWayIsReplacedAlthoughItWasSignedForTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, rule := newLine(t, videosdktest.InMemory())
		frozenFor := time.Hour
		freeze := videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				time.Sleep(frozenFor)
				frozenFor = 0
				return next.RoundTrip(req)
			})
		})
		client := newClient(t, srv, freeze, videosdk.WithAttemptTimeout(2*time.Hour))
		_, err := client.Calls.Create(t.Context(), newCall(rule.ID))
		require.NoError(t, err)
		assert.Len(t, srv.Dials(), 1)
	})
}

func TestAWrongSecretIsRefusedByTheServerOnce(t *testing.T) {
	srv := newServer(t)
	client, err := videosdk.New(srv.APIKey, "not-the-secret", videosdk.WithBaseURL(srv.URL), videosdk.WithHTTPClient(srv.HTTPClient()))
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	_, err = client.Calls.Create(t.Context(), newCall("rule_1"))
	require.ErrorIs(t, err, videosdk.ErrUnauthorized)
	require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
	assert.Len(t, srv.Requests(), 1)
}

// tokenFunc is a token source that is one function.
type tokenFunc func(context.Context) (string, error)

func (f tokenFunc) Token(ctx context.Context) (string, error) { return f(ctx) }

// from returns a source of a different token each time, numbered from first.
func from(first int64) tokenFunc {
	var asked atomic.Int64
	return func(context.Context) (string, error) { return fmt.Sprintf("token-%d", first-1+asked.Add(1)), nil }
}

func numbered() tokenFunc { return from(1) }

func TestATokenSourceIsAskedForEachAttempt(t *testing.T) {
	rec := newRecorder(t, http.StatusServiceUnavailable, `{}`).then(http.StatusOK, emptyPage)
	require.NoError(t, listOnce(t, rec.client(videosdk.WithTokenSource(numbered()))))
	assert.Equal(t, []string{"token-1", "token-2"}, tokensOf(rec))
}

func TestATokenSourceIsAskedForTheAttemptsAfterARefusalToo(t *testing.T) {
	rec := newRecorder(t, http.StatusUnauthorized, `{}`).then(http.StatusServiceUnavailable, `{}`).then(http.StatusOK, emptyPage)
	require.NoError(t, listOnce(t, rec.client(videosdk.WithTokenSource(numbered()))))
	assert.Equal(t, []string{"token-1", "token-2", "token-3"}, tokensOf(rec))
}

func TestATokenOfASourceThatIsRefused(t *testing.T) {
	vault := errors.New("the vault is sealed")
	second := func(token string, err error) tokenFunc {
		var asked atomic.Int64
		return func(context.Context) (string, error) {
			if asked.Add(1) == 1 {
				return "token-1", nil
			}
			return token, err
		}
	}
	tests := []struct {
		name   string
		source videosdk.TokenSource
		tokens []string // of the requests, which are all refused but token-2
		text   string   // of the error, empty for success
	}{
		{"is replaced by another", numbered(), []string{"token-1", "token-2"}, ""},
		{"is not sent again", second("token-1", nil), []string{"token-1"}, "401 Unauthorized: no (1 attempt)"},
		{"is not sent again if it is fixed", videosdk.StaticToken("token-1"), []string{"token-1"}, "401 Unauthorized: no (1 attempt)"},
		{"is replaced once", second("token-3", nil), []string{"token-1", "token-3"}, "401 Unauthorized: no (2 attempts)"},
		{"is replaced once, however many others there are", from(5), []string{"token-5", "token-6"}, "401 Unauthorized: no (2 attempts)"},
		{"is told with the failure of the source", second("", vault), []string{"token-1"},
			"401 Unauthorized: no (1 attempt; not repeated: no other token: the vault is sealed)"},
		{"is told with the mistake of the source", second("", nil), []string{"token-1"},
			"401 Unauthorized: no (1 attempt; not repeated: no other token: the token is empty)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := newRecorder(t, http.StatusUnauthorized, `{"message":"no"}`)
			client := rec.client(videosdk.WithTokenSource(tt.source), videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return roundTripFunc(func(req *http.Request) (*http.Response, error) {
					resp, err := next.RoundTrip(req)
					if req.Header.Get("Authorization") == "token-2" {
						resp.StatusCode = http.StatusNoContent
					}
					return resp, err
				})
			}))
			err := client.Do(t.Context(), http.MethodPost, "/v2/sip/call", nil, nil)
			assert.Equal(t, tt.tokens, tokensOf(rec))
			if tt.text == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, videosdk.ErrUnauthorized)
			require.ErrorContains(t, err, tt.text)
		})
	}
}

func TestATokenSourceThatGivesNoToken(t *testing.T) {
	vault := errors.New("the vault is sealed")
	gives := func(token string, err error) tokenFunc {
		return func(context.Context) (string, error) { return token, err }
	}
	tests := []struct {
		name   string
		source videosdk.TokenSource
		text   string
		is     error
	}{
		{"because it fails", gives("", vault), "no token: the vault is sealed", vault},
		{"because it panics", tokenFunc(func(context.Context) (string, error) { panic("eyJ.secret.token") }),
			"no token: the token source panicked with a string", nil},
		{"because it ends its goroutine", tokenFunc(func(context.Context) (string, error) { runtime.Goexit(); return "", nil }),
			"no token: the token source ended its goroutine", nil},
		{"because it gives an empty one", gives("", nil), "no token: the token is empty", nil},
		{"because it gives one with Bearer", gives("Bearer abc", nil), `no token: the token starts with "Bearer "`, nil},
		{"because it gives one with bearer", gives("bearer abc", nil), `no token: the token starts with "Bearer "`, nil},
		{"because it gives one with a line break", gives("abc\n", nil), "white space or control characters", nil},
		{"because it gives one that is no ASCII", gives("abcé", nil), "white space or control characters", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := newRecorder(t, http.StatusOK, emptyPage)
			err := listOnce(t, rec.client(videosdk.WithTokenSource(tt.source)))
			var failure *videosdk.RequestError
			require.ErrorAs(t, err, &failure)
			require.ErrorContains(t, err, tt.text)
			assert.NotContains(t, err.Error(), "abc", "the token")
			assert.NotContains(t, err.Error(), "eyJ", "the token")
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			assert.Zero(t, failure.Attempts)
			assert.False(t, failure.MaybeApplied)
			assert.Empty(t, rec.all())
		})
	}
}

func TestATokenSourceThatNeedsATokenOfItsOwnIsRefusedOne(t *testing.T) {
	var asked atomic.Int64
	var client *videosdk.Client
	rec := newRecorder(t, http.StatusOK, `{"token":"abc"}`)
	client = rec.client(videosdk.WithTokenSource(tokenFunc(func(ctx context.Context) (string, error) {
		if asked.Add(1) > 1000 {
			return "", errors.New("this has no end")
		}
		var answer struct{ Token string }
		err := client.Do(ctx, http.MethodGet, "/v2/token", nil, &answer)
		return answer.Token, err
	})))
	require.ErrorContains(t, listOnce(t, client), "no token: the token source sends requests by the client whose tokens it gives")
	assert.Equal(t, int64(1), asked.Load())
	assert.Empty(t, rec.all())
}

func TestATokenSourceMayHaveAClientOfItsOwn(t *testing.T) {
	inner := newRecorder(t, http.StatusOK, `{"token":"abc"}`)
	tokens := inner.client(videosdk.WithTokenSource(numbered()))
	outer := newRecorder(t, http.StatusOK, emptyPage)
	require.NoError(t, listOnce(t, outer.client(videosdk.WithTokenSource(tokenFunc(func(ctx context.Context) (string, error) {
		var answer struct{ Token string }
		err := tokens.Do(ctx, http.MethodGet, "/v2/token", nil, &answer)
		return answer.Token, err
	})))))
	assert.Equal(t, []string{"abc"}, tokensOf(outer))
}

func TestATokenSourceThatFailsLaterLeavesNoDoubtAboutWhatWasSent(t *testing.T) {
	var asked atomic.Int64
	source := tokenFunc(func(context.Context) (string, error) {
		if asked.Add(1) == 1 {
			return "token-1", nil
		}
		return "", errors.New("the vault is sealed")
	})
	rec := newRecorder(t, http.StatusServiceUnavailable, `{}`)
	_, err := rec.client(videosdk.WithTokenSource(source)).RoutingRules.Delete(t.Context(), "rule_1")
	require.ErrorContains(t, err, "the vault is sealed")
	require.ErrorIs(t, err, videosdk.ErrMaybeApplied, "the first attempt may have deleted it")
	assert.Len(t, rec.all(), 1)
}

func TestATokenSourceThatBlocksDoesNotKeepTheCaller(t *testing.T) {
	tests := []struct {
		name     string
		deadline time.Duration // of the context, 0 for none
		took     time.Duration
		is       error
	}{
		{"beyond its context", 5 * time.Second, 5 * time.Second, context.DeadlineExceeded},
		{"beyond the attempt timeout", 0, 30 * time.Second, videosdk.ErrTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				rec := newRecorder(t, http.StatusOK, emptyPage)
				client := rec.client(videosdk.WithTokenSource(tokenFunc(func(context.Context) (string, error) {
					<-release // deaf to its context
					return "token", nil
				})))
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				started := time.Now()
				_, err := client.Calls.Create(ctx, newCall("rule_1"))
				assert.Equal(t, tt.took, time.Since(started))
				require.ErrorIs(t, err, tt.is)
				require.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
				assert.Empty(t, rec.all())
			})
		})
	}
}

func TestATokenSourceThatBlocksAfterARefusalDoesNotKeepTheCallerEither(t *testing.T) {
	for name, end := range map[string]func(context.Context, <-chan struct{}){
		"deaf to its context":    func(_ context.Context, release <-chan struct{}) { <-release },
		"until its context ends": func(ctx context.Context, _ <-chan struct{}) { <-ctx.Done() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // for a failure to end
				defer cancel()
				release := make(chan struct{})
				defer close(release)
				asked := 0
				rec := newRecorder(t, http.StatusUnauthorized, `{"message":"expired"}`)
				client := rec.client(videosdk.WithTokenSource(tokenFunc(func(ctx context.Context) (string, error) {
					if asked++; asked > 1 {
						end(ctx, release)
					}
					return "token", ctx.Err()
				})))
				started := time.Now()
				_, err := client.Calls.Create(ctx, newCall("rule_1"))
				assert.Equal(t, 30*time.Second, time.Since(started), "the attempt timeout")
				require.ErrorIs(t, err, videosdk.ErrUnauthorized)
				require.ErrorContains(t, err, "not repeated: no other token: no complete answer within the attempt timeout of 30s")
				assert.Len(t, rec.all(), 1)
			})
		})
	}
}

func TestATokenSourceIsToldWhenItsCallerHasGone(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "caller")
	var seen any
	rec := newRecorder(t, http.StatusOK, emptyPage)
	client := rec.client(videosdk.WithTokenSource(tokenFunc(func(ctx context.Context) (string, error) {
		seen = ctx.Value(key{})
		return "token", nil
	})))
	_, err := client.Calls.List(ctx, videosdk.CallListParams{})
	require.NoError(t, err)
	assert.Equal(t, "caller", seen, "the source gets the caller's context")
}

// A context that nobody ends is kept by the caller's, as long as that lasts.
func TestTheContextOfATokenSourceEndsWithTheQuestion(t *testing.T) {
	var asked []context.Context
	rec := newRecorder(t, http.StatusUnauthorized, `{}`).then(http.StatusOK, emptyPage)
	client := rec.client(videosdk.WithTokenSource(tokenFunc(func(ctx context.Context) (string, error) {
		asked = append(asked, ctx)
		return fmt.Sprintf("token-%d", len(asked)), nil
	})))
	require.NoError(t, listOnce(t, client))
	require.Len(t, asked, 2, "for the first attempt, and after its refusal")
	for _, ctx := range asked {
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
	}
}

func TestAStaticTokenIsSentAsItIs(t *testing.T) {
	source := videosdk.StaticToken("ready-made")
	token, err := source.Token(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "ready-made", token)

	rec := newRecorder(t, http.StatusOK, emptyPage)
	client, err := videosdk.New("", "", videosdk.WithTokenSource(source), videosdk.WithHTTPClient(&http.Client{Transport: rec}))
	require.NoError(t, err)
	require.NoError(t, listOnce(t, client))
	assert.Equal(t, []string{"ready-made"}, tokensOf(rec))
	_, err = client.ParticipantToken(videosdk.ParticipantTokenParams{})
	require.ErrorIs(t, err, videosdk.ErrNoCredentials)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s", client, client, client, source), "ready-made")
}

func TestCredentialsBesideATokenSourceSignParticipantTokens(t *testing.T) {
	rec := newRecorder(t, http.StatusOK, emptyPage)
	client := rec.client(videosdk.WithTokenSource(videosdk.StaticToken("ready-made")))
	require.NoError(t, listOnce(t, client))
	assert.Equal(t, []string{"ready-made"}, tokensOf(rec))
	token, err := client.ParticipantToken(videosdk.ParticipantTokenParams{})
	require.NoError(t, err)
	assert.Equal(t, "test-key", claimsOf(t, token, "test-secret")["apikey"])
}

func TestParticipantTokens(t *testing.T) {
	tests := []struct {
		name   string
		params videosdk.ParticipantTokenParams
		want   jwt.MapClaims // besides those that all have
		life   time.Duration
	}{
		{"joins any room by default", videosdk.ParticipantTokenParams{},
			jwt.MapClaims{"permissions": []any{"allow_join"}}, time.Hour},
		{"says all that it may", videosdk.ParticipantTokenParams{
			RoomID: "abcd-efgh-ijkl", ParticipantID: "alice", Lifetime: 2 * time.Minute,
			Permissions: []videosdk.Permission{videosdk.PermissionAskJoin, videosdk.PermissionAllowMod},
		}, jwt.MapClaims{"permissions": []any{"ask_join", "allow_mod"}, "roomId": "abcd-efgh-ijkl", "participantId": "alice"}, 2 * time.Minute},
		{"may live for a minute", videosdk.ParticipantTokenParams{Lifetime: time.Minute},
			jwt.MapClaims{"permissions": []any{"allow_join"}}, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := newRecorder(t, http.StatusOK, `{}`).client()
				token, err := client.ParticipantToken(tt.params)
				require.NoError(t, err)
				now := time.Now()
				tt.want["apikey"], tt.want["version"], tt.want["roles"] = "test-key", 2.0, []any{"rtc"}
				tt.want["iat"], tt.want["exp"] = float64(now.Add(-30*time.Second).Unix()), float64(now.Add(tt.life).Unix())
				assert.Equal(t, tt.want, claimsOf(t, token, "test-secret"))
			})
		})
	}
}

func TestAParticipantTokenThatCannotLiveIsRefused(t *testing.T) {
	client := newRecorder(t, http.StatusOK, `{}`).client()
	for _, lifetime := range []time.Duration{-time.Hour, time.Nanosecond, time.Minute - 1} {
		_, err := client.ParticipantToken(videosdk.ParticipantTokenParams{Lifetime: lifetime})
		require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
		require.ErrorContains(t, err, "lifetime")
	}
}

func TestAParticipantTokenCannotCallTheAPI(t *testing.T) {
	srv := newServer(t)
	token, err := newClient(t, srv).ParticipantToken(videosdk.ParticipantTokenParams{})
	require.NoError(t, err)
	err = listOnce(t, newClient(t, srv, videosdk.WithTokenSource(videosdk.StaticToken(token))))
	require.ErrorIs(t, err, videosdk.ErrUnauthorized)
}
