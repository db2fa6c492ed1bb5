// Quickstart registers a phone number, routes it, dials out, waits for the
// answer and hangs up.
//
// Without credentials it runs against an emulator of the API in this process:
// no account, no network, no phone that rings. With VIDEOSDK_API_KEY and
// VIDEOSDK_SECRET set it uses the real API, and dials only if -from, -to and
// -rule are given.
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

	"github.com/videosdk-sip-go/videosdk"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // whoever reads the output no more has not hung up
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	from := flags.String("from", "", "caller id: one of the rule's `numbers`, in E.164")
	to := flags.String("to", "", "whom to call: a `number` in E.164, or a SIP URI. It really rings")
	rule := flags.String("rule", "", "`id` of an outbound routing rule")
	timeout := flags.Duration("timeout", 2*time.Minute, "how long to wait for the answer")
	flags.Usage = func() {
		fmt.Fprint(stderr, "Dials out and follows the call. Without VIDEOSDK_API_KEY and VIDEOSDK_SECRET in\n"+
			"the environment, an emulator in this process takes the call.\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()

	if os.Getenv(videosdk.EnvAPIKey) == "" && os.Getenv(videosdk.EnvAuthToken) == "" {
		return emulated(ctx, stdout)
	}
	client, err := videosdk.NewFromEnv()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	if *from == "" || *to == "" || *rule == "" {
		return lookAround(ctx, client, stdout)
	}
	return dial(ctx, client, videosdk.CallCreateParams{From: *from, To: *to, RoutingRuleID: *rule}, stdout)
}

// dial calls, prints each status as it comes, and hangs up, also when nobody wants to
// wait any longer: a call that is not waited for goes on ringing. So an interruption
// does not end the request either, without whose answer there is nothing to end; it has
// a limit of its own, so that a process that was frozen for hours does not dial then.
func dial(ctx context.Context, client *videosdk.Client, params videosdk.CallCreateParams, stdout io.Writer) error {
	if ctx.Err() != nil { // nobody would wait
		return ctx.Err()
	}
	const enough = time.Minute
	dialling, cancel := context.WithTimeout(context.WithoutCancel(ctx), enough)
	defer cancel()
	call, err := client.Calls.Create(dialling, params)
	if errors.Is(err, videosdk.ErrMaybeApplied) {
		return fmt.Errorf("the phone may be ringing, so this program does not dial again: %w", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "dialling %s from %s: call %s\n", params.To, params.From, call.ID)
	for now, watchErr := range client.Calls.Watch(ctx, call.ID) {
		if err = watchErr; err != nil {
			break
		}
		fmt.Fprintln(stdout, " ", now.Status)
		if now.IsOver() {
			printTimeline(now, stdout)
			return nil
		}
		if now.WasAnswered() {
			break
		}
	}
	// The watch may have ended with its context, which is of no use any more.
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	fmt.Fprintln(stdout, "hanging up")
	if _, endErr := client.Calls.End(ctx, call.ID); endErr != nil {
		return errors.Join(err, endErr)
	}
	last, waitErr := client.Calls.Wait(ctx, call.ID, nil)
	if waitErr != nil {
		return errors.Join(err, waitErr)
	}
	printTimeline(last, stdout)
	return err
}

func printTimeline(call *videosdk.Call, stdout io.Writer) {
	fmt.Fprintln(stdout, "timeline:")
	for _, event := range call.Timelog {
		fmt.Fprintf(stdout, "  %s  %s\n", event.Timestamp.Format("15:04:05.000"), event.Status)
	}
}

// lookAround shows what the account has to dial with.
func lookAround(ctx context.Context, client *videosdk.Client, stdout io.Writer) error {
	fmt.Fprintln(stdout, "Nothing is dialled without -from, -to and -rule. The outbound rules of the account:")
	for rule, err := range client.RoutingRules.All(ctx, videosdk.RoutingRuleListParams{Type: videosdk.DirectionOutbound}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "  -rule %s  (%s)  -from %v\n", rule.ID, rule.Name, rule.PhoneNumbers)
	}
	return nil
}
