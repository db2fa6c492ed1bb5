package videosdktest

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// TB is what [WithTB] needs of a test: every testing.TB has it. That it is an
// interface keeps package testing, and its flags, out of the programs that run
// a server.
type TB interface {
	Helper()
	Cleanup(func())
	Logf(format string, args ...any)
}

// WithTB gives the server to a test: it closes itself when the test ends, and
// logs each request, and each delivery to a webhook, with what came of it, which
// go test shows if the test fails:
//
//	srv := videosdktest.NewServer(videosdktest.WithTB(t))
//
// What is logged has no headers, and a body only where it tells why a request
// was refused; the URL of a webhook is without its query, which may be a secret.
// At the end it logs the faults of [Server.PendingFaults].
//
// For a fuzz test nothing is logged: its target has a *testing.T of its own, and
// the *testing.F panics when it is used meanwhile. Nor is it for a benchmark, which
// would show all of it, also when it passes.
func WithTB(tb TB) Option {
	return func(c *config) { c.tb = tb }
}

// audience is the test that is told what happens, nil if there is none that can be.
func audience(tb TB) TB {
	if tb == nil || isFuzzTest(tb) || isBenchmark(tb) {
		return nil
	}
	return tb
}

// logged makes a handler tell the test, if there is one, what it answers.
func logged(tb TB, next http.Handler) http.Handler {
	if tb == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&loggedAnswer{ResponseWriter: w, tb: tb, request: r.Method + " " + r.URL.RequestURI()}, r)
	})
}

// isFuzzTest knows a *testing.F by its method, without package testing.
func isFuzzTest(tb TB) bool {
	_, fuzzes := tb.(interface{ Fuzz(target any) })
	return fuzzes
}

// isBenchmark knows a *testing.B likewise.
func isBenchmark(tb TB) bool {
	_, measures := tb.(interface{ Loop() bool })
	return measures
}

// end closes the server of a test, and tells what the test has not tried, if there is
// anybody to tell.
func (s *Server) end(tb TB) {
	s.Close()
	if tb == nil {
		return
	}
	tb.Helper()
	for _, f := range s.PendingFaults() {
		tb.Logf("videosdktest: %s %s: a fault is left over, %d to come",
			cmp.Or(f.Method, "any method,"), cmp.Or(f.Path, "any path"), f.Times)
	}
}

// loggedAnswer logs before it writes, so that the log is in order with that of
// the client. It never logs later: Close waits for the connection, and no longer.
type loggedAnswer struct {
	http.ResponseWriter
	tb      TB
	request string
	status  int
}

func (a *loggedAnswer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write is called once for each answer, see response.send.
func (a *loggedAnswer) Write(body []byte) (int, error) {
	a.tb.Helper()
	outcome := fmt.Sprint(a.status)
	if a.status >= http.StatusBadRequest {
		outcome += " " + string(body)
	}
	a.tb.Logf("videosdktest: %s: %s", a.request, outcome)
	return a.ResponseWriter.Write(body)
}

// Hijack is how the server drops a connection.
func (a *loggedAnswer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.tb.Helper()
	a.tb.Logf("videosdktest: %s: the connection is dropped", a.request)
	return http.NewResponseController(a.ResponseWriter).Hijack()
}

// Unwrap leads http.ResponseController to what else the connection can do.
func (a *loggedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// tell logs what came of a delivery.
func (d Delivery) tell(tb TB) {
	tb.Helper()
	outcome := fmt.Sprint(d.Status)
	if d.Err != nil {
		outcome = withoutURL(d.Err).Error()
	}
	tb.Logf("videosdktest: %s to %s: %s", d.Event, withoutSecrets(d.URL), outcome)
}

// withoutURL is an error of net/http without the URL that it begins with.
func withoutURL(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// withoutSecrets is a URL up to its path, without a password.
func withoutSecrets(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "a malformed URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
