package videosdk

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/videosdk-sip-go/videosdk/internal/retry"
	"github.com/videosdk-sip-go/videosdk/internal/transport"
)

// Version of this library, sent in the User-Agent header.
const Version = "0.1.0"

// DefaultBaseURL is where the API lives.
const DefaultBaseURL = "https://api.videosdk.live"

// Environment variables that [NewFromEnv] reads. The vendor's server SDKs and
// its agent framework name the secret differently; both names work.
const (
	EnvAPIKey      = "VIDEOSDK_API_KEY"
	EnvSecret      = "VIDEOSDK_SECRET"
	EnvSecretKey   = "VIDEOSDK_SECRET_KEY"
	EnvAuthToken   = "VIDEOSDK_AUTH_TOKEN"
	EnvAPIEndpoint = "VIDEOSDK_API_ENDPOINT"
)

// Client is a client of the VideoSDK SIP API. Make one with [New] or
// [NewFromEnv], keep it, and share it: it is safe for concurrent use, and its
// calls share connections, the token and the retry quota.
type Client struct {
	// PhoneNumbers registers phone numbers with their SIP gateways.
	PhoneNumbers *PhoneNumbersService
	// RoutingRules routes calls of phone numbers to rooms and agents.
	RoutingRules *RoutingRulesService
	// Calls places, follows and ends calls.
	Calls *CallsService
	// BatchCalls runs campaigns: many calls from a list.
	BatchCalls *BatchCallsService
	// Webhooks subscribes to events of calls.
	Webhooks *WebhooksService
	// Rooms creates and checks the rooms that calls go to.
	Rooms *RoomsService
	// InboundGateways and OutboundGateways manage gateways on their own,
	// GatewayRoutingRules the rules that are bound to them: the generation
	// before the current one.
	InboundGateways     *InboundGatewaysService
	OutboundGateways    *OutboundGatewaysService
	GatewayRoutingRules *GatewayRoutingRulesService
	// Trunks manages SIP trunks and dials through them: the oldest generation of
	// the API.
	Trunks *TrunksService

	base        url.URL      // without a slash at its end
	origin      string       // scheme://host of base
	userAgent   []string     // as a header value, shared by all requests
	credentials *credentials // nil if the client was made without
	tokens      tokens
	guard       *transport.Guard // the way to the connections
	transport   sender           // guard's, or the user's middleware around it
	encodings   encodings
	defaults    settings
	quota       retry.Quota
	observers   []observer
	placing     placements // by CreateOnce
}

// New returns a client that signs its own tokens with an API key and its
// secret, both from https://app.videosdk.live. With [WithTokenSource] they may
// be empty. Nothing is sent. Every setting that cannot work is named in the
// [*ValidationError] that it returns.
func New(apiKey, secret string, opts ...Option) (*Client, error) {
	cfg := newConfig()
	cfg.apply(opts)
	cfg.setCredentials("apiKey", apiKey, "secret", secret)
	return cfg.build("New")
}

// NewFromEnv returns a client with the settings of the environment:
// VIDEOSDK_API_KEY with VIDEOSDK_SECRET (or VIDEOSDK_SECRET_KEY), else the
// ready token of VIDEOSDK_AUTH_TOKEN; and VIDEOSDK_API_ENDPOINT, if set, for
// the base URL. Options given here win over the environment. Errors name the
// variable that is wrong.
func NewFromEnv(opts ...Option) (*Client, error) {
	cfg := newConfig()
	cfg.apply(opts)
	if endpoint := os.Getenv(EnvAPIEndpoint); endpoint != "" && cfg.base == nil {
		cfg.setBaseURL(EnvAPIEndpoint, endpoint)
	}
	apiKey := os.Getenv(EnvAPIKey)
	secretName := EnvSecret // also if neither is set
	if os.Getenv(EnvSecret) == "" && os.Getenv(EnvSecretKey) != "" {
		secretName = EnvSecretKey
	}
	secret := os.Getenv(secretName)
	if apiKey == "" || secret == "" {
		if token := os.Getenv(EnvAuthToken); token != "" && cfg.source == nil {
			cfg.setSource(EnvAuthToken, StaticToken(token))
		}
		if cfg.source != nil {
			apiKey, secret = "", "" // one is of no use without the other
		}
	}
	cfg.setCredentials(EnvAPIKey, apiKey, secretName, secret)
	return cfg.build("NewFromEnv")
}

// CloseIdleConnections closes the connections that are kept for later
// requests. The client stays usable. Programs that live as long as their
// client need not call it.
func (c *Client) CloseIdleConnections() { c.guard.CloseIdleConnections() }

// sender sends a request that an attempt watches. It is a function because fmt does
// not look into one: a middleware may hold secrets of its own.
type sender func(*transport.Attempt, *http.Request) (*http.Response, error)

// encodings are what requests accept, by how long an answer may be. About nil they say
// nothing.
type encodings struct{ long, short []string }

// roundTripper is a transport that is one function.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Format prints the client's base URL and nothing else, whatever the verb.
func (c *Client) Format(f fmt.State, _ rune) {
	if c == nil {
		_, _ = f.Write([]byte("videosdk.Client(nil)"))
		return
	}
	fmt.Fprintf(f, "videosdk.Client(%s)", c.base.String())
}

// LogValue is what log/slog shows: the base URL.
func (c *Client) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Option is a setting of a client, for [New] and [NewFromEnv].
type Option interface{ applyToClient(*config) }

// RequestOption is a setting of one call.
type RequestOption interface{ applyToRequest(*settings) }

// SharedOption is a setting that a client has for all its calls, and that a
// call can have for itself.
type SharedOption interface {
	Option
	RequestOption
}

type clientOption func(*config)

func (o clientOption) applyToClient(c *config) { o(c) }

type requestOption func(*settings)

func (o requestOption) applyToRequest(s *settings) { o(s) }

type sharedOption func(*settings)

func (o sharedOption) applyToClient(c *config)    { o(&c.defaults) }
func (o sharedOption) applyToRequest(s *settings) { o(s) }

// WithBaseURL sets where the API lives: https, or http on loopback only, so
// that no token travels in clear text. User info, a query and a fragment are
// refused. Default: [DefaultBaseURL].
func WithBaseURL(rawURL string) Option {
	return clientOption(func(c *config) { c.setBaseURL("WithBaseURL", rawURL) })
}

// WithHTTPClient sets the client whose settings are used to send requests. It is not
// modified.
//
// An *http.Transport in it (or none) is cloned, with its proxy, TLS and dial
// settings, into a connection pool that can tell whether any byte of a failed
// request was sent. That pool may delay a dial by up to 250 milliseconds when a
// connection is about to come free. Any other RoundTripper is used as it is, and
// then more failures have an unknown outcome: one that only wraps a transport
// belongs in [WithMiddleware]. It must not send a request again by itself: a phone would
// ring twice. That of go-retryablehttp does, and is refused. A ResponseHeaderTimeout of
// the transport also ends a call that waits until the callee answers; the attempt
// timeout makes it unnecessary.
//
// Redirects are never followed and Jar is ignored. Timeout becomes the attempt
// timeout unless [WithAttemptTimeout] is given.
func WithHTTPClient(client *http.Client) Option {
	return clientOption(func(c *config) {
		if client == nil {
			c.faults.add("WithHTTPClient", "must not be nil")
			return
		}
		c.timeout, c.transport = client.Timeout, c.adopted(client.Transport)
	})
}

// WithMiddleware wraps the transport, for tracing, metrics or headers of a
// proxy: the first one given is the outermost. A middleware sees each attempt,
// with its token. It must send the request to the same origin, with a context
// that derives from the request's own, and at most once; otherwise the request
// fails. (Only what the client itself would repeat after any failure, such as a
// GET, may be sent again; that draws on the retry quota, which gets it back if
// the call succeeds.)
//
// The list that [BatchCallsService.Upload] stores passes it as well, on its way to
// the host of a presigned URL and without a token. A header that is not for that
// host, such as a key for a gateway in front of the API, must be kept from it:
// compare the host of the request.
//
// The URL that a middleware sees may hold a phone number, and that of an upload is a
// secret: a tracer that records URLs, as otelhttp does, spreads both.
// [WithOnAttempt] tells of attempts without them.
//
// A circuit breaker or a rate limiter belongs around the methods of the client: what
// waits in a middleware waits within the attempt timeout, and one that fails before it
// has called the next leaves the outcome unknown, since it could have sent the request
// by another way.
func WithMiddleware(middleware ...func(http.RoundTripper) http.RoundTripper) Option {
	return clientOption(func(c *config) {
		c.faults.check(!slices.ContainsFunc(middleware, isNilMiddleware), "WithMiddleware", "must not be nil")
		c.middleware = append(c.middleware, middleware...)
	})
}

func isNilMiddleware(m func(http.RoundTripper) http.RoundTripper) bool { return m == nil }

// WithLogger sets where attempts and retries are logged: each attempt at
// level Debug, each one that is followed by a retry at level Warn. No token,
// secret, phone number or body is logged. Default: nowhere.
func WithLogger(logger *slog.Logger) Option {
	return clientOption(func(c *config) {
		c.faults.check(logger != nil, "WithLogger", "must not be nil")
		c.log = logTo(logger)
	})
}

// WithUserAgent appends the name of your program, such as "acme-dialer/2.1",
// to the User-Agent header.
func WithUserAgent(suffix string) Option {
	return clientOption(func(c *config) {
		c.faults.check(suffix != "" && !strings.ContainsFunc(suffix, isControl), "WithUserAgent",
			"must be text without control characters")
		c.userAgent += " " + suffix
	})
}

// WithTokenSource sets where tokens come from, instead of signing them. An
// API key and secret given to [New] besides are then used for
// [Client.ParticipantToken] only.
func WithTokenSource(source TokenSource) Option {
	return clientOption(func(c *config) { c.setSource("WithTokenSource", source) })
}

// WithTokenLifetime sets the lifetime of the tokens that the client signs. They are
// renewed after 80 % of it. Default: 10 minutes; minimum: one minute.
func WithTokenLifetime(lifetime time.Duration) Option {
	return clientOption(func(c *config) {
		c.faults.check(lifetime >= minTokenLifetime, "WithTokenLifetime", "must be at least "+minTokenLifetime.String())
		c.tokenLifetime = lifetime
	})
}

// WithAttemptTimeout sets how long one attempt may take, from asking for its token
// to the last byte of the answer. The whole call, with its retries, is limited by the
// context. A call that waits until the callee answers adds the ringing to it.
// Default: 30 seconds.
func WithAttemptTimeout(timeout time.Duration) SharedOption {
	return sharedOption(func(s *settings) {
		s.faults.check(timeout > 0, "WithAttemptTimeout", "must be positive")
		s.attemptTimeout = timeout
	})
}

// WithMaxRetries sets how often a request may be repeated where the retry
// table allows it. 0 turns retries off. The one repeat with a fresh token after
// a 401 does not count. Default: 3.
func WithMaxRetries(n int) SharedOption {
	return sharedOption(func(s *settings) {
		s.faults.check(n >= 0, "WithMaxRetries", "must not be negative")
		s.maxRetries = n
	})
}

// WithRetryWait sets the schedule of retries: a random wait of at most base
// before the first, of at most double the time before each next, and never of
// more than limit. A Retry-After of up to 30 seconds, and up to a tenth more, takes
// precedence. Default: 250 milliseconds and 8 seconds.
func WithRetryWait(base, limit time.Duration) SharedOption {
	return sharedOption(func(s *settings) {
		s.faults.check(base >= 0 && limit >= base, "WithRetryWait", "needs 0 <= base <= limit")
		s.backoff = retry.Backoff{Base: base, Cap: limit}
	})
}

// WithPollInterval sets how often [CallsService.Wait], [CallsService.WaitAnswered],
// [CallsService.Watch], [BatchCallsService.Upload] and [BatchCallsService.UploadFile]
// ask the server: after first, then at growing intervals of at most limit. A change
// of status starts over. Other methods ignore it. Default: 500 milliseconds and 5
// seconds.
func WithPollInterval(first, limit time.Duration) SharedOption {
	return sharedOption(func(s *settings) {
		s.faults.check(first > 0 && limit >= first, "WithPollInterval", "needs 0 < first <= limit")
		s.pollFirst, s.pollLimit = first, limit
	})
}

// WithPagesAhead sets how many pages All fetches at the same time beyond the one
// that is being read, once it knows how many there are. 0 fetches a page only
// when it is needed. Default: 4.
func WithPagesAhead(n int) SharedOption {
	return sharedOption(func(s *settings) {
		s.faults.check(n >= 0, "WithPagesAhead", "must not be negative")
		s.pagesAhead = n
	})
}

// WithRetryUnknown lets one call be repeated after an unknown outcome, where it
// would otherwise return [ErrMaybeApplied]: for an update that nobody else makes at
// the same time, say. It is refused by what reaches people: Calls.Create,
// Calls.CreateOnce, Calls.Transfer, Calls.SwitchRoom, Trunks.Call,
// BatchCalls.Create, BatchCalls.Update, and [Client.Do] with such a path.
func WithRetryUnknown() RequestOption {
	return requestOption(func(s *settings) { s.retryUnknown = true })
}

// WithHeader adds a header to one call. Headers that the client sets itself,
// and Idempotency-Key, which the API does not know and which makes net/http
// repeat requests by itself, are refused.
func WithHeader(name, value string) RequestOption {
	return requestOption(func(s *settings) { s.addHeader(name, value) })
}

// config collects the settings of a client, and their faults.
type config struct {
	base          *url.URL          // nil for the default
	transport     http.RoundTripper // nil for the default
	timeout       time.Duration     // of the user's HTTP client
	middleware    []func(http.RoundTripper) http.RoundTripper
	onAttempt     observer
	log           observer
	userAgent     string
	credentials   *credentials
	source        TokenSource
	tokenLifetime time.Duration
	defaults      settings
	faults        faults
}

func newConfig() *config {
	c := &config{
		userAgent:     "videosdk-go/" + Version + " (" + runtime.Version() + ")",
		tokenLifetime: defaultTokenLifetime,
		defaults: settings{
			maxRetries: 3,
			backoff:    retry.Backoff{Base: 250 * time.Millisecond, Cap: 8 * time.Second},
			pollFirst:  500 * time.Millisecond,
			pollLimit:  5 * time.Second,
			pagesAhead: 4,
		},
	}
	c.defaults.faults = &c.faults
	return c
}

func (c *config) apply(opts []Option) {
	for i, opt := range opts {
		if opt == nil {
			c.faults.add(fmt.Sprintf("opts[%d]", i), "must not be nil")
			continue
		}
		opt.applyToClient(c)
	}
}

func (c *config) setBaseURL(field, rawURL string) {
	u, err := url.Parse(rawURL)
	if err != nil {
		// The text of err would repeat a password in the URL.
		c.faults.add(field, "is not a URL")
		return
	}
	c.faults.check(hasHost(u), field, "must have a host, as in "+DefaultBaseURL)
	c.faults.check(u.User == nil, field, "must not contain user info")
	c.faults.check(u.RawQuery == "" && !u.ForceQuery && u.Fragment == "", field, "must not contain a query or a fragment")
	c.faults.check(u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()), field,
		"must be https (http is accepted on loopback only)")
	u.Host = strings.TrimSuffix(u.Host, ":") // as net/http does
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	c.base = u
}

// hasHost reports whether a URL has a host, and not more than one port behind it,
// of which net/url looks at the last one only.
func hasHost(u *url.URL) bool {
	_, port, _ := strings.Cut(u.Host[strings.LastIndexByte(u.Host, ']')+1:], ":")
	return u.Hostname() != "" && !strings.Contains(port, ":")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *config) setSource(field string, source TokenSource) {
	c.faults.check(source != nil, field, "must not be nil")
	if static, ok := source.(staticToken); ok {
		if err := checkToken(static()); err != nil {
			c.faults.add(field, err.Error())
		}
	}
	c.source = source
}

// setCredentials checks an API key and secret, given with the names that errors
// use for them. Both may be absent only where tokens come from a source.
func (c *config) setCredentials(keyName, apiKey, secretName, secret string) {
	if apiKey == "" && secret == "" && c.source != nil {
		return
	}
	hint := " (see https://app.videosdk.live, or use WithTokenSource)"
	if keyName == EnvAPIKey {
		hint = " (see https://app.videosdk.live, or set " + EnvAuthToken + ")"
	}
	c.faults.check(apiKey != "", keyName, "must not be empty"+hint)
	c.faults.check(secret != "", secretName, "must not be empty"+hint)
	c.checkPasted(keyName, apiKey)
	c.checkPasted(secretName, secret)
	c.credentials = &credentials{apiKey: apiKey, secret: func() string { return secret }}
}

// checkPasted finds what comes along when a key is copied.
func (c *config) checkPasted(field, value string) {
	switch {
	case value == "": // told already
	case strings.TrimSpace(value) != value:
		c.faults.add(field, "begins or ends with white space: was it pasted with a line break?")
	case strings.ContainsFunc(value, isSpaceOrControl):
		c.faults.add(field, "contains characters that no key has: white space, invisible ones, or others than ASCII")
	}
}

// build returns the client, or everything that is wrong with its settings.
func (c *config) build(operation string) (*Client, error) {
	if err := c.faults.err(operation); err != nil {
		return nil, err
	}
	client := c.client()
	if err := c.faults.err(operation); err != nil {
		return nil, err
	}
	return client, nil
}

func (c *config) client() *Client {
	if c.defaults.attemptTimeout == 0 {
		c.defaults.attemptTimeout = cmp.Or(max(0, c.timeout), 30*time.Second)
	}
	if c.base == nil {
		c.setBaseURL("WithBaseURL", DefaultBaseURL)
	}
	if c.transport == nil {
		c.transport = transport.New()
	}
	guard := transport.NewGuard(c.transport)
	var outermost http.RoundTripper = guard
	for _, wrap := range slices.Backward(c.middleware) {
		if outermost = wrap(outermost); outermost == nil {
			c.faults.add("WithMiddleware", "must not return nil")
			return nil
		}
	}
	var send sender
	var accepted encodings
	if len(c.middleware) > 0 || !guard.IsNetHTTP() {
		// They may look into an answer: net/http decompresses it for them, and asks
		// for what it may, unless it is told otherwise.
		accepted.short = uncompressed
		send = func(_ *transport.Attempt, req *http.Request) (*http.Response, error) {
			// All attempts have the same address, and most requests the same header: what
			// others do to them must not reach another.
			address := *req.URL
			req.URL, req.Header = &address, req.Header.Clone()
			return outermost.RoundTrip(req)
		}
	} else {
		send = guard.Send // net/http changes nothing of a request
		if guard.TakeOverGzip() {
			accepted.long = acceptGzip // see content
		}
	}
	client := &Client{
		base:        *c.base,
		origin:      c.base.Scheme + "://" + c.base.Host,
		userAgent:   []string{c.userAgent},
		credentials: c.credentials,
		tokens:      c.tokens(),
		transport:   send,
		encodings:   accepted,
		guard:       guard,
		defaults:    c.defaults,
	}
	for _, observe := range []observer{c.onAttempt, c.log} {
		if observe != nil {
			client.observers = append(client.observers, observe)
		}
	}
	client.PhoneNumbers = &PhoneNumbersService{client}
	client.RoutingRules = &RoutingRulesService{client}
	client.Calls = &CallsService{client}
	client.BatchCalls = &BatchCallsService{client: client, Records: &BatchRecordsService{client}}
	client.Webhooks = &WebhooksService{client}
	client.Rooms = &RoomsService{client}
	client.InboundGateways = &InboundGatewaysService{client}
	client.OutboundGateways = &OutboundGatewaysService{client}
	client.GatewayRoutingRules = &GatewayRoutingRulesService{client}
	client.Trunks = &TrunksService{client}
	return client
}

func (c *config) tokens() tokens {
	if c.source != nil {
		return &sourced{func() TokenSource { return c.source }}
	}
	return &signer{credentials: c.credentials, lifetime: c.tokenLifetime}
}

// adopted returns what sends requests in place of the user's transport.
func (c *config) adopted(rt http.RoundTripper) http.RoundTripper {
	if _, repeats := rt.(*retryablehttp.RoundTripper); repeats {
		c.faults.add("WithHTTPClient", "must not have the Transport of go-retryablehttp, which would dial twice: use its HTTPClient")
	}
	t, ok := rt.(*http.Transport)
	switch {
	case !ok:
		return rt
	case t == nil:
		c.faults.add("WithHTTPClient", "must not have a Transport that is a nil pointer")
		return nil
	default:
		return transport.Adopt(t)
	}
}

// settings are what a client has for all calls and a call may change for
// itself.
type settings struct {
	attemptTimeout time.Duration
	maxRetries     int
	backoff        retry.Backoff
	pollFirst      time.Duration
	pollLimit      time.Duration
	pagesAhead     int
	retryUnknown   bool
	progress       func(*BatchCall)
	replacedBatch  string
	header         http.Header
	faults         *faults // where an option reports a wrong value
}

// forCall returns the settings of one call, reporting wrong ones to f.
// They are the client's own if the call has no options: nobody changes them.
func (s *settings) forCall(opts []RequestOption, f *faults) *settings {
	if len(opts) == 0 {
		return s
	}
	own := *s
	own.faults = f
	for i, opt := range opts {
		if opt == nil {
			f.add(fmt.Sprintf("opts[%d]", i), "must not be nil")
			continue
		}
		opt.applyToRequest(&own)
	}
	return &own
}

func (s *settings) addHeader(name, value string) {
	canonical := http.CanonicalHeaderKey(name)
	switch canonical {
	case "Authorization", "Accept", "Accept-Encoding", "Content-Type", "Content-Length", "Host", "User-Agent", "Transfer-Encoding",
		"Connection", "Trailer", "Upgrade", "Te":
		s.faults.add("WithHeader", canonical+" is set by the client")
	case "Idempotency-Key", "X-Idempotency-Key":
		s.faults.add("WithHeader", canonical+" is not known to the API, and makes net/http repeat requests by itself")
	default:
		s.faults.check(isHeaderName(name), "WithHeader", "the name is not an HTTP token")
		s.faults.check(!strings.ContainsFunc(value, isControl), "WithHeader", "the value of the header contains control characters")
		if s.header == nil {
			s.header = http.Header{}
		}
		s.header.Add(canonical, value)
	}
}

// isControl also matches U+2028 and U+2029, which end a line although they are not
// control characters.
func isControl(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

func isHeaderName(name string) bool {
	const punctuation = "!#$%&'*+-.^_`|~"
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(punctuation, r)
	})
}

// Ptr returns a pointer to v, for the optional fields of params in which
// false, zero and empty mean something else than absent.
func Ptr[T any](v T) *T { return &v }
