// Inbound-agent connects phone numbers to an AI agent, and keeps a log of the
// calls that come in: it makes the routing rule, subscribes a receiver of
// webhooks, and runs until it is interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/job"
)

func main() { job.Main("inbound-agent", run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := job.Flags("inbound-agent", "Connects phone numbers to an AI agent, and logs the calls that come in.", stderr)
	numbers := flags.String("numbers", "", "`numbers` of the account in E.164, separated by commas")
	agent := flags.String("agent", "", "`id` of the agent that takes the calls")
	addr := flags.String("addr", ":8080", "`address` to receive webhooks on; the path is /webhooks")
	url := flags.String("url", "", "public `URL` of that path, subscribed as long as this program runs")
	file := flags.String("log", "", "`file` to append a line of JSON to for each call that is over")
	if err := flags.Parse(args); err != nil {
		return err
	}
	account, err := job.Open(stdout)
	if err != nil {
		return err
	}
	defer account.Close()
	if account.Emulator != nil {
		*numbers, *agent, *addr = ourNumber, "agent_support", "127.0.0.1:0"
		account.Emulator.AddPhoneNumbers(ourNumber)
	}
	if *numbers == "" || *agent == "" {
		return errors.New("-numbers and -agent are needed")
	}
	out := log.New(stdout, "", 0) // for several goroutines
	answered := strings.Split(*numbers, ",")
	calls, err := openLog(*file, answered, out)
	if err != nil {
		return err
	}
	tracker := videosdk.NewCallTracker(videosdk.WithUpdated(calls.update))
	err = serve(*addr, receiver(account.Client, tracker, out, stderr), func(listening net.Addr) error {
		defer account.Close() // who delivers goes first, so that the receiver need not wait for it
		out.Print("receiving webhooks at ", listening)
		if err := route(ctx, account.Client, answered, *agent, out); err != nil {
			return err
		}
		if account.Emulator != nil {
			*url = "http://" + listening.String() + "/webhooks"
		}
		if *url != "" {
			unsubscribe, err := subscribe(ctx, account.Client, *url, out)
			if err != nil {
				return err
			}
			defer unsubscribe()
		}
		if account.Emulator != nil {
			return simulate(ctx, account.Emulator, tracker, *url)
		}
		<-ctx.Done()
		return nil
	})
	return errors.Join(err, calls.close())
}

// route makes the agent take the calls to the numbers that it does not take
// yet. A number that another agent has is left to it.
func route(ctx context.Context, client *videosdk.Client, numbers []string, agent string, out *log.Logger) error {
	numbers = slices.Clone(numbers)
	for rule, err := range client.RoutingRules.All(ctx, videosdk.RoutingRuleListParams{Type: videosdk.DirectionInbound}) {
		if err != nil {
			return err
		}
		for _, number := range rule.PhoneNumbers {
			if slices.Contains(numbers, number) && rule.AgentID != agent {
				return fmt.Errorf("%s goes to agent %q, by rule %s: change or delete that one first", number, rule.AgentID, rule.ID)
			}
			numbers = slices.DeleteFunc(numbers, func(n string) bool { return n == number })
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Calls for " + agent, Type: videosdk.DirectionInbound, PhoneNumbers: numbers, AgentID: agent,
	})
	if err != nil {
		return err // if ErrMaybeApplied: the next run finds the rule
	}
	out.Printf("calls to %s go to %s, by rule %s", strings.Join(numbers, ", "), agent, rule.ID)
	return nil
}
