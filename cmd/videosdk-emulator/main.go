// Videosdk-emulator serves the VideoSDK SIP REST API from memory, for programs
// in any language to be developed and tested against.
//
// Its first three lines of output are the environment that clients need:
//
//	VIDEOSDK_API_ENDPOINT=http://127.0.0.1:8080
//	VIDEOSDK_API_KEY=...
//	VIDEOSDK_SECRET=...
//
// It then serves until SIGINT or SIGTERM; GET and HEAD /healthz tell that it does,
// without a token. Calls reach nobody: every callee answers, at the pace that the
// flags set. Run it with -h for these.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run serves until the end of the context, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUsage
	}
	if err := serve(ctx, opts, stdout); err != nil {
		fmt.Fprintln(stderr, "videosdk-emulator:", err)
		return exitFailure
	}
	return exitOK
}

// parse reads the flags. It writes usage, and what is wrong, to stderr.
func parse(args []string, stderr io.Writer) ([]videosdktest.Option, error) {
	flags := flag.NewFlagSet("videosdk-emulator", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	apiKey := flags.String("api-key", "", "API `key` of the account (default that of the state file, else random)")
	secret := flags.String("secret", "", "`secret` of the account (default that of the state file, else random)")
	state := flags.String("state", "", "`file` in which the account outlives the program (default none)")
	var timing videosdktest.Timing
	flags.DurationVar(&timing.Ring, "ring", 20*time.Millisecond, "`time` from a call's start until it rings")
	flags.DurationVar(&timing.Answer, "answer", 30*time.Millisecond, "`time` that it rings until it is answered")
	flags.DurationVar(&timing.HangUp, "hangup", 0, "`time` from the answer until the callee hangs up (default 0, never)")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case min(timing.Ring, timing.Answer, timing.HangUp) < 0:
		err = errors.New("ring, answer and hangup must not be negative")
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		flags.Usage()
		return nil, err
	}
	return []videosdktest.Option{
		videosdktest.WithAddr(*addr),
		videosdktest.WithCredentials(*apiKey, *secret),
		videosdktest.WithState(*state),
		videosdktest.WithCallTiming(timing),
		videosdktest.WithRequestLog(0), // nobody can ask for it here
	}, nil
}

// serve returns an error when it cannot start, or has lost the state.
func serve(ctx context.Context, opts []videosdktest.Option, stdout io.Writer) error {
	srv, err := videosdktest.Start(opts...)
	if err != nil {
		return err
	}
	defer srv.Close()
	_, err = fmt.Fprintf(stdout, "VIDEOSDK_API_ENDPOINT=%s\nVIDEOSDK_API_KEY=%s\nVIDEOSDK_SECRET=%s\n", srv.URL, srv.APIKey, srv.Secret)
	if err != nil {
		return err
	}
	<-ctx.Done()
	srv.Close()
	return srv.StateError()
}
