package videosdktest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Server is a VideoSDK account and its SIP REST API, in memory. Make one with
// [NewServer]. All methods may be called from any goroutine.
type Server struct {
	URL    string // base URL, such as http://127.0.0.1:1234
	APIKey string // the account's API key, the apikey claim of its tokens
	Secret string // the account's secret, which signs its tokens

	client     *http.Client
	http       *http.Server
	router     router
	auth       authenticator
	faults     faultQueue
	requests   requestLog
	timing     Timing
	quirks     quirks
	listDelay  time.Duration
	outbox     *outbox            // deliveries to webhooks
	stop       context.CancelFunc // ends the context of every request
	stateFile  string             // "" when the state is not kept
	unsaved    chan struct{}      // holds one when there are changes; see keepState
	background sync.WaitGroup     // accept loop, connections, timers of calls
	closing    sync.Once

	mu       sync.Mutex // guards all that follows
	account  account
	scripts  map[string]script // by callee
	dials    dialLog
	alarms   map[*alarm]struct{} // those that are still to come
	closed   bool
	stateErr error // of the last attempt to write the state
}

// NewServer is [Start] for tests: it panics where that returns an error.
func NewServer(opts ...Option) *Server {
	s, err := Start(opts...)
	if err != nil {
		panic("videosdktest: " + err.Error())
	}
	return s
}

// Start starts a server. Its account is empty and it listens on a free port of
// the loopback interface, unless an option says otherwise. The error is that it
// cannot listen, or cannot keep its state in the file that it was given. The
// caller must Close the server.
func Start(opts ...Option) (*Server, error) {
	cfg := newConfig(opts)
	stored, err := readState(cfg.stateFile)
	if err != nil {
		return nil, err
	}
	account, err := stored.account()
	key, keyErr := stored.webhookKey()
	if err := errors.Join(err, keyErr); err != nil {
		return nil, fmt.Errorf("state file %s is corrupt: %w", cfg.stateFile, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		APIKey:    cmp.Or(cfg.apiKey, stored.APIKey, rand.Text()),
		Secret:    cmp.Or(cfg.secret, stored.Secret, rand.Text()),
		timing:    cfg.timing,
		quirks:    newQuirks(cfg.quirks),
		listDelay: cfg.listDelay,
		requests:  requestLog{limit: cfg.requestLog},
		outbox:    newOutbox(ctx, cfg.webhooks, cfg.requestLog),
		stateFile: cfg.stateFile,
		unsaved:   make(chan struct{}, 1),
		stop:      stop,
		account:   account,
		scripts:   make(map[string]script),
		dials:     newDialLog(),
		alarms:    make(map[*alarm]struct{}),
	}
	s.outbox.keys.key, s.outbox.keys.changed = key, s.changed
	told := audience(cfg.tb)
	s.outbox.tb = told
	s.auth = authenticator{apiKey: s.APIKey, secret: []byte(s.Secret)}
	s.router = s.newRouter()
	s.http = &http.Server{
		Handler:     logged(told, http.HandlerFunc(s.serve)),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnState:   s.trackConnection,
		ErrorLog:    log.New(io.Discard, "", 0),
	}
	if err := s.start(ctx, cfg); err != nil {
		stop()
		return nil, err
	}
	if cfg.tb != nil {
		cfg.tb.Cleanup(func() { s.end(told) })
	}
	return s, nil
}

func (s *Server) newRouter() router {
	var rt router
	rt.open(http.MethodGet, "/healthz", health)
	rt.open(http.MethodHead, "/healthz", health) // what many scripts wait with
	s.routePhoneNumbers(&rt)
	s.routeRoutingRules(&rt)
	s.routeGateways(&rt)
	s.routeGatewayRules(&rt)
	s.routeTrunks(&rt)
	s.routeRooms(&rt)
	s.routeCalls(&rt)
	s.routeWebhooks(&rt)
	s.routeBatchCalls(&rt)
	return rt
}

func (s *Server) start(ctx context.Context, cfg config) error {
	listener, err := s.listen(cfg)
	if err != nil {
		return err
	}
	s.saveState() // to know now whether it can be done
	if err := s.StateError(); err != nil {
		return errors.Join(err, listener.Close())
	}
	s.resume()
	if s.stateFile != "" {
		s.background.Go(func() { s.keepState(ctx) })
	}
	s.background.Go(func() {
		_ = s.http.Serve(listener) // always ends with http.ErrServerClosed
	})
	return nil
}

// listen opens the listener and sets up what leads to it.
func (s *Server) listen(cfg config) (net.Listener, error) {
	if cfg.inMemory {
		pipes := newPipeListener()
		s.URL = "http://localhost"
		s.client = &http.Client{Transport: &http.Transport{DialContext: pipes.dial}}
		return pipes, nil
	}
	listener, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", cfg.addr, err)
	}
	s.URL = baseURL(listener.Addr().(*net.TCPAddr))
	s.client = &http.Client{Transport: &http.Transport{}}
	return listener, nil
}

// baseURL names loopback for a server that listens on every interface: the
// unspecified address is none to connect to.
func baseURL(addr *net.TCPAddr) string {
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}

// trackConnection counts the connections for Close to wait for. A new one is
// counted by the accept loop, itself counted, so that the count cannot leave
// zero while Close waits. A hijacked one is given back by disconnect.
func (s *Server) trackConnection(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.background.Add(1)
	case http.StateClosed:
		s.background.Done()
	}
}

// HTTPClient returns a client that reaches the server; with [InMemory] it is
// the only one that does. Close closes its idle connections.
func (s *Server) HTTPClient() *http.Client {
	return s.client
}

// Close stops the server at once: the listener, every connection, also one
// whose request waits for a callee or a [Fault], and the timers of calls. It
// returns when its goroutines have ended and the state is written, if it is kept;
// see [Server.StateError]. Closing again does nothing. What the server recorded
// can still be read.
func (s *Server) Close() {
	s.closing.Do(func() {
		s.stop()
		s.stopCalls()
		s.client.CloseIdleConnections()
		_ = s.http.Close() // the connections are gone either way
		s.background.Wait()
		s.outbox.close()
		s.saveState()
	})
}

func health(*request) (answer, error) {
	return ok(struct {
		Status string `json:"status"`
	}{"ok"}), nil
}
