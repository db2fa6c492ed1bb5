// Guards removes the guards of a request's road, one at a time, and shows that
// the tests notice:
//
//	go -C tools run ./guards
//
// A guard that no test misses is no guard. The files are not changed: each
// removal is an overlay of one build. It exits with 1 if a removal is not
// noticed, or if the text that it removes is not there any more.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

// guard is what is removed, and where its loss must show.
type guard struct {
	name     string
	file     string
	old, new string // every old becomes new
	packages string
}

func guards() []guard {
	return []guard{
		{"net/http may not replay what may have been sent", "internal/transport/attempt.go",
			"req.GetBody = func() (io.ReadCloser, error) { return a.replay(body) }", "req.GetBody = body", "./internal/transport"},
		{"nor what has no body", "internal/transport/attempt.go",
			"if a.once && ours {", "if false {", "./internal/transport"},
		{"the transport says whether a request was sent", "internal/transport/attempt.go",
			"if !unsent && a.connected == a.before {", "if false {", "./internal/transport"},
		{"a POST is never without a body", "request.go",
			`return []byte("{}"), nil`, "return nil, nil", "."},
		{"redirects are not followed", "exchange.go",
			"return http.ErrUseLastResponse }", "return nil }", "."},
		{"an unknown outcome is told as MaybeApplied", "answer.go",
			"return x.request.class.Changes() && x.ambiguous", "return false", "."},
		{"what dials is never repeated after an unknown outcome", "internal/retry/class.go",
			"	case Replace, Create, AtomicCreate:\n		return optedIn\n	default:\n		return false",
			"	case Replace, Create, AtomicCreate:\n		return optedIn\n	default:\n		return true", "."},
		{"no option makes a call repeat an unknown outcome", "internal/retry/class.go",
			"func (c Class) MayOptIn() bool { return c != Dial }", "func (c Class) MayOptIn() bool { return true }", "."},
		{"the retry quota", "exchange.go",
			"if !ok {\n		x.note = \"not repeated: the client's retry quota is spent\"", "if false {\n		x.note = \"\"\n		_ = ok", "."},
		{"a long Retry-After is not waited for", "exchange.go",
			"case o.retryAfter > retry.MaxRetryAfter:", "case o.retryAfter > 2*retry.MaxRetryAfter:", "."}, // without any, tests would wait for hours
		{"net/http's own repeats pay into it", "internal/transport/attempt.go",
			"if price, paid := a.budget.Take(false); paid {", "if price, _ := a.budget.Take(false); true {", "./internal/transport"},
		{"no wait goes beyond the deadline", "exchange.go",
			"ok && time.Until(deadline) <= wait {", "ok && deadline.IsZero() {", "."},
		{"one failing call does not close the pool of all", "exchange.go",
			"Transport: roundTripper(x.roundTrip),",
			"Transport: struct {\nroundTripper\n*Client\n}{x.roundTrip, x.client},", "."},
		{"each attempt has its timeout", "exchange.go",
			"guard.Limit(&x.limit, timeout,", "guard.Limit(&x.limit, 100*timeout,", "."},
		{"a short limit does not wait for a long one", "internal/transport/limits.go",
			" || l.due.Before(s.next)", "", "./internal/transport"},
		{"no timer is left when nothing is under way", "internal/transport/limits.go",
			"if s.first == nil {", "if false {", "./internal/transport"},
		{"what is not net/http changes the header of one request", "client.go",
			"&address, req.Header.Clone()", "&address, req.Header", "."},
		{"a 401 is answered with a fresh token", "exchange.go",
			"return x.reauthorize()", "return false", "."},
		{"a token that was made for the attempt is not made again", "auth.go",
			"if fresh && refused.valid(time.Now()) {", "if false {", "."},
		{"nothing comes down after a deadline that passed unnoticed", "internal/transport/attempt.go",
			"case IsOverdue(a): // middlewares take time", "case false:", "."},
		{"nothing is sent after a deadline that passed while it was connected", "internal/transport/attempt.go",
			"if IsOverdue(a) { // to connect takes time, too", "if false {", "."},
		{"a list that ends with nothing new is no proof", "calls.go",
			"(stale > 0 || empty > mostEmpty)", "empty > mostEmpty", "."},
		{"a page of nothing is not the end of a list", "calls.go",
			"empty <= mostEmpty {", "empty == 0 {", "."},
		{"a call that was found late is known for a minute", "createonce.go",
			"s.client.placing.remember(own)", "", "."},
		{"what is forgotten takes no newer one along", "createonce.go",
			" && p.known[own.trackingID] == own", "", "."},
		{"a middleware's answer does not stand for that of the server", "internal/transport/attempt.go",
			"if a.failed {", "if false {", "."},
		{"a look that took long is not relied on", "createonce.go",
			"time.Since(began) > freshLook", "false", "."},
		{"an event is left to others if its claim was void at once", "webhookhandler.go",
			"case claim != ClaimGranted, job.left() <= 0:", "case claim != ClaimGranted:", "."},
		{"the size of an answer is limited", "exchange.go",
			"const maxBody = 10 << 20", "const maxBody = 10 << 40", "."},
		{"a page holds so many items and no more", "pagination.go",
			"const mostItems = 100 * largestPage", "const mostItems = 1 << 40", "."},
		{"an error under status 200 is an error", "exchange.go",
			"statusOf(o.status, o.body); told", "statusOf(o.status, nil); told", "."},
		{"the token goes to the base URL's origin only", "internal/transport/attempt.go",
			"return nil, errOrigin", "_ = errOrigin", "./internal/transport"},
		{"a middleware sends a call once", "internal/transport/attempt.go",
			"case a.once && a.passes > 0:", "case false:", "./internal/transport"},
		{"Idempotency-Key is refused", "internal/transport/attempt.go",
			"return nil, errReplayKey", "_ = errReplayKey", "./internal/transport"},
		{"an id is one segment of the path", "request.go",
			`return strings.ReplaceAll(url.PathEscape(id), "+", "%2B")`, "return id", "."},
		{"an empty secret is refused", "client.go",
			`secret != ""`, `true`, "."},
		{"errors are scrubbed", "answer.go",
			"return redact.Scrub(text, secrets...)", "_ = secrets\n	return text", "."},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root, err := filepath.Abs("..")
	if err != nil {
		fmt.Fprintln(os.Stderr, "guards:", err)
		os.Exit(2)
	}
	if output, err := test(ctx, root, ".", "./internal/transport"); err != nil {
		fmt.Fprintf(os.Stderr, "guards: the tests fail as it is:\n%s", output)
		stop()
		os.Exit(2)
	}
	unnoticed := 0
	for _, g := range guards() {
		verdict, ok := g.try(ctx, root)
		if !ok {
			unnoticed++
		}
		fmt.Printf("%-62s %s\n", g.name, verdict)
	}
	if unnoticed > 0 {
		fmt.Printf("%d of %d removals were not noticed\n", unnoticed, len(guards()))
		stop()
		os.Exit(1)
	}
	fmt.Printf("all %d removals were noticed\n", len(guards()))
}

// try removes the guard and runs the tests, which must fail.
func (g guard) try(ctx context.Context, root string) (verdict string, ok bool) {
	overlay, err := g.overlay(root)
	if err != nil {
		return "NOT TRIED: " + err.Error(), false
	}
	defer func() { _ = os.RemoveAll(filepath.Dir(overlay)) }()
	output, err := test(ctx, root, "-overlay", overlay, g.packages)
	switch {
	case err == nil:
		return "NOT NOTICED", false
	case strings.Contains(output, "[build failed]"), strings.Contains(output, "[setup failed]"):
		return "NOT TRIED: does not compile\n" + output, false
	case strings.Contains(output, "panic: test timed out"): // as all of them would on a machine that is too busy
		return "NOT TRIED: the tests did not end in time", false
	default:
		return "noticed by " + firstFailure(output), true
	}
}

func test(ctx context.Context, root string, args ...string) (output string, err error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1", "-failfast", "-timeout", "5m"}, args...)...)
	cmd.Dir = root
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func firstFailure(output string) string {
	for line := range strings.Lines(output) {
		if rest, found := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); found {
			name, _, _ := strings.Cut(rest, " ")
			return name
		}
	}
	return "the end of the test binary"
}

// overlay writes the file without the guard, and what tells the go command to
// use it.
func (g guard) overlay(root string) (path string, err error) {
	file := filepath.Join(root, g.file)
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if !strings.Contains(string(text), g.old) {
		return "", fmt.Errorf("%s has no %q", g.file, g.old)
	}
	changed := strings.ReplaceAll(string(text), g.old, g.new)
	dir, err := os.MkdirTemp("", "guard")
	if err != nil {
		return "", err
	}
	replacement := filepath.Join(dir, "replacement.go")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{file: replacement}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(replacement, []byte(changed), 0o600); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, replace, 0o600)
}
