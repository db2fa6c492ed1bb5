package videosdktest

import "time"

// An Option changes how [NewServer] and [Start] set up the server.
type Option func(*config)

type config struct {
	apiKey, secret string
	addr           string
	inMemory       bool
	timing         Timing
	quirks         []Quirk
	stateFile      string
	listDelay      time.Duration
	requestLog     int
	webhooks       webhookConfig
	tb             TB // nil for none
}

func newConfig(opts []Option) config {
	cfg := config{
		addr:       "127.0.0.1:0",
		timing:     Timing{Ring: 20 * time.Millisecond, Answer: 30 * time.Millisecond},
		requestLog: 10_000,
		webhooks:   newWebhookConfig(),
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	return cfg
}

// WithCredentials sets the API key and the secret of the account. One that is
// empty is that of the file of [WithState], else random.
func WithCredentials(apiKey, secret string) Option {
	return func(c *config) { c.apiKey, c.secret = apiKey, secret }
}

// WithAddr sets the TCP address to listen on, "host:port". The default is
// "127.0.0.1:0": loopback, on a free port.
func WithAddr(addr string) Option {
	return func(c *config) { c.addr = addr }
}

// InMemory makes the server listen on in-process pipes instead of TCP, so that
// all of it, timers included, lives inside a testing/synctest bubble. The URL
// is then http://localhost and only [Server.HTTPClient] reaches it. It
// overrides [WithAddr].
func InMemory() Option {
	return func(c *config) { c.inMemory = true }
}

// WithCallTiming sets the life of every call whose callee has no script of its
// own; see [Server.Callee]. The default rings after 20 ms, answers after 30 ms
// more, and stays up until somebody ends the call.
func WithCallTiming(t Timing) Option {
	return func(c *config) { c.timing = t }
}

// WithListDelay makes a new call appear in the list of calls only once it is d
// old, as an index that lags behind does. The call itself is found at once.
func WithListDelay(d time.Duration) Option {
	return func(c *config) { c.listDelay = d }
}

// WithRequestLog sets how many requests [Server.Requests] returns at most, and how
// many attempts [Server.Deliveries]: the latest. The default is 10,000. A server
// that runs for long, and whose requests nobody looks at, needs none of them.
func WithRequestLog(n int) Option {
	return func(c *config) { c.requestLog = n }
}

// Timing is the pace at which a call lives. A zero Ring or Answer means at once.
type Timing struct {
	Ring   time.Duration // from initiated to ringing
	Answer time.Duration // from ringing to answered
	HangUp time.Duration // from answered to ended; 0 or less stays up until somebody ends the call
}
