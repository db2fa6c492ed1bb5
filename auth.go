package videosdk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Lifetimes of the tokens that a client signs.
const (
	defaultTokenLifetime       = 10 * time.Minute
	defaultParticipantLifetime = time.Hour
	minTokenLifetime           = time.Minute
	// backdated is how far in the past a token is issued, for servers whose
	// clock is behind.
	backdated = 30 * time.Second
	// A token is renewed when this part of its life has passed.
	renewNumerator, renewDenominator = 4, 5
)

// TokenSource gives the token for a request. A client that has an API key and
// secret needs none; it is for backends that get their tokens from elsewhere,
// such as a vault or a service that holds the secret, and for credentials that
// change while the client stays: a new client does not know what the one before it has
// dialled (see [CallsService.CreateOnce]). A source that signs by itself uses HS256 with
// the secret, and the claims apikey, version (the number 2), roles (["crawler"]),
// permissions (["allow_join", "allow_mod"]), iat and exp, both in seconds:
// https://docs.videosdk.live/api-reference/realtime-communication/authentication
// [Client.ParticipantToken] does not ask it: after a change of the secret, sign those
// with a client that is made with the new one.
//
// All tokens of a source are of one account. Tenants with accounts of their own have
// a client each: with one that takes the tenant from the context,
// [CallsService.CreateOnce] takes the call of one tenant for that of another.
//
// Token is called for every attempt, from many goroutines: a source keeps its
// token until it must be renewed. It returns the bare JWT, without "Bearer ".
// After a 401 it is asked once more; a source that then returns a different
// token gets one more attempt. It returns when its context ends: an attempt does not
// wait any longer, but leaves a goroutine behind that does, and a source that hangs for
// ever comes to hold one for every attempt. It must not send requests by the client
// whose tokens it gives: each of them would need a token first. One that does so with
// the context that it was given gets an error.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// StaticToken returns a source of one ready-made token, such as the one that
// VideoSDK's dashboard shows. When it expires, every request fails with
// [ErrUnauthorized].
func StaticToken(token string) TokenSource {
	return staticToken(func() string { return token })
}

// staticToken hides the token in a closure: a string in a struct would be
// printed by every verb of fmt, a closure by none.
type staticToken func() string

func (t staticToken) Token(context.Context) (string, error) { return t(), nil }

// Permission is what a participant may do, see
// https://docs.videosdk.live/api-reference/realtime-communication/authentication.
type Permission string

// The permissions of the API.
const (
	PermissionAllowJoin Permission = "allow_join" // join at once
	PermissionAskJoin   Permission = "ask_join"   // ask to be let in
	PermissionAllowMod  Permission = "allow_mod"  // moderate others
)

// ParticipantTokenParams says whom a participant token is for.
type ParticipantTokenParams struct {
	// RoomID limits the token to one room; empty allows any.
	RoomID string
	// ParticipantID limits the token to one participant; empty allows any.
	ParticipantID string
	// Permissions default to PermissionAllowJoin.
	Permissions []Permission
	// Lifetime is how long the token is valid. Default: one hour.
	Lifetime time.Duration
}

// ParticipantToken signs a token with which a person or an agent joins a
// room. It cannot call this API, and a token for this API cannot join a room.
// Nothing is sent. It returns [ErrNoCredentials] if the client was made
// without an API key and secret, and a [*ValidationError] for a lifetime below
// one minute and for names that are not UTF-8.
//
// https://docs.videosdk.live/api-reference/realtime-communication/authentication
func (c *Client) ParticipantToken(params ParticipantTokenParams) (string, error) {
	if c.credentials == nil {
		return "", fmt.Errorf("videosdk: ParticipantToken: %w", ErrNoCredentials)
	}
	if params.Lifetime == 0 {
		params.Lifetime = defaultParticipantLifetime
	}
	if len(params.Permissions) == 0 {
		params.Permissions = []Permission{PermissionAllowJoin}
	}
	f := faults{}
	f.check(params.Lifetime >= minTokenLifetime, "lifetime", "must be at least "+minTokenLifetime.String())
	f.text("roomId", params.RoomID)
	f.text("participantId", params.ParticipantID)
	if err := f.err("ParticipantToken"); err != nil {
		return "", err
	}
	claims := jwt.MapClaims{"roles": []string{"rtc"}, "permissions": params.Permissions}
	if params.RoomID != "" {
		claims["roomId"] = params.RoomID
	}
	if params.ParticipantID != "" {
		claims["participantId"] = params.ParticipantID
	}
	return c.credentials.sign(time.Now(), claims, params.Lifetime)
}

// credentials are an API key and secret. The secret is behind a closure, so
// that no verb of fmt can print it.
type credentials struct {
	apiKey string
	secret func() string
}

// sign makes a token from the claims that differ between its kinds. Times are
// plain integers: whole seconds, whatever the host program has set
// jwt.TimePrecision to.
func (c *credentials) sign(now time.Time, claims jwt.MapClaims, lifetime time.Duration) (string, error) {
	claims["apikey"] = c.apiKey
	claims["version"] = 2
	claims["iat"] = now.Add(-backdated).Unix()
	claims["exp"] = now.Add(lifetime).Unix()
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(c.secret()))
}

// bearer is a token ready to be sent.
type bearer struct {
	token  string
	signed time.Time
	renew  time.Time
	used   atomic.Bool

	// The headers of requests that carry it without and with a body, made when they
	// are needed first.
	read, write atomic.Pointer[http.Header]
}

// firstUse reports, once, that no attempt has carried the token yet.
func (b *bearer) firstUse() bool { return !b.used.Load() && !b.used.Swap(true) }

// tokens gives the token for an attempt.
type tokens interface {
	get(ctx context.Context) (*bearer, error)
	// replace returns another token for one that the server refused, or nil if
	// there is no better one; fresh says that the refused one had never been
	// used before.
	replace(ctx context.Context, refused *bearer, fresh bool) (*bearer, error)
}

// signer signs tokens for the API and keeps the current one.
type signer struct {
	credentials *credentials
	lifetime    time.Duration

	current atomic.Pointer[bearer]
	signing sync.Mutex // one goroutine signs, the others wait for its token
}

func (s *signer) get(context.Context) (*bearer, error) {
	if b := s.current.Load(); b.valid(time.Now()) {
		return b, nil
	}
	s.signing.Lock()
	defer s.signing.Unlock()
	// The wall clock, not the monotonic one: that stands still while a
	// machine sleeps, and the server's does not.
	now := time.Now().Round(0)
	if b := s.current.Load(); b.valid(now) {
		return b, nil
	}
	token, err := s.credentials.sign(now, jwt.MapClaims{
		"roles": []string{"crawler"}, "permissions": []Permission{PermissionAllowJoin, PermissionAllowMod},
	}, s.lifetime)
	if err != nil {
		return nil, err
	}
	b := &bearer{token: token, signed: now, renew: now.Add(s.lifetime / renewDenominator * renewNumerator)}
	s.current.Store(b)
	return b, nil
}

// valid reports whether the token is young enough at now. A clock that was
// set back makes a token look as if it came from the future: it is not valid.
func (b *bearer) valid(now time.Time) bool {
	return b != nil && !now.Before(b.signed) && now.Before(b.renew)
}

// replace does not replace a token that was signed for the very attempt: the
// next one would say the same, unless the token has grown old on its way, in a process
// that was frozen.
func (s *signer) replace(ctx context.Context, refused *bearer, fresh bool) (*bearer, error) {
	if fresh && refused.valid(time.Now()) {
		return nil, nil
	}
	s.current.CompareAndSwap(refused, nil)
	return s.get(ctx)
}

// sourced gets tokens from the user's TokenSource, which may hold secrets: it is
// behind a closure, as no verb of fmt looks into one.
type sourced struct{ source func() TokenSource }

// askedBy is the key of what a context tells that was given to a source.
type askedBy struct{ *sourced }

func (s *sourced) get(ctx context.Context) (*bearer, error) {
	if ctx.Value(askedBy{s}) != nil { // there would be no end to it, and no memory left
		return nil, errors.New("the token source sends requests by the client whose tokens it gives")
	}
	token, err := s.ask(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkToken(token); err != nil {
		return nil, err
	}
	return &bearer{token: token}, nil
}

// ask calls the source in a goroutine of its own, so that one that ignores
// its context cannot keep the caller beyond it. There a panic would end the
// program, out of reach of the caller's recover: it becomes an error, which
// does not print the panic's value because that may be the token.
func (s *sourced) ask(ctx context.Context) (string, error) {
	source := s.source()
	if static, ok := source.(staticToken); ok {
		return static(), nil
	}
	type answer struct {
		token string
		err   error
	}
	answers := make(chan answer, 1)
	var token string
	go finally("the token source", func() (err error) {
		token, err = source.Token(context.WithValue(ctx, askedBy{s}, true))
		return err
	}, func(err error) { answers <- answer{token, err} })
	select {
	case a := <-answers:
		return a.token, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (s *sourced) replace(ctx context.Context, refused *bearer, _ bool) (*bearer, error) {
	b, err := s.get(ctx)
	if err != nil || b.token == refused.token {
		return nil, err
	}
	return b, nil
}

// checkToken finds the mistakes that people make with tokens, without
// repeating the token.
func checkToken(token string) error {
	switch {
	case token == "":
		return errors.New("the token is empty")
	case len(token) > 7 && strings.EqualFold(token[:7], "bearer "):
		return errors.New(`the token starts with "Bearer ": the API wants the bare JWT`)
	case strings.ContainsFunc(token, isSpaceOrControl):
		return errors.New("the token contains white space or control characters: was it pasted with a line break?")
	default:
		return nil
	}
}

func isSpaceOrControl(r rune) bool { return r <= ' ' || r >= 0x7f }
