package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/job"
)

// The numbers of the emulated calls: fictional, as those with 555-01 are.
const (
	ourNumber        = "+14155550100"
	supervisorNumber = "+14155550150"
	callerNumber     = "+14155550199"
)

// emulate has somebody call an agent, and fills in whatever the flags leave out.
func (t *transfer) emulate(ctx context.Context, account *job.Account, stdout io.Writer) error {
	account.Emulator.AddPhoneNumbers(ourNumber)
	var rule *videosdk.RoutingRule
	for _, direction := range []videosdk.Direction{videosdk.DirectionInbound, videosdk.DirectionOutbound} {
		var err error
		rule, err = account.Client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
			Name: "Support", Type: direction, PhoneNumbers: []string{ourNumber}, AgentID: "agent_support",
		})
		if err != nil {
			return err
		}
	}
	account.Emulator.Callee(supervisorNumber).AnswersAfter(500 * time.Millisecond)
	callID, err := account.Emulator.InboundCall(callerNumber, ourNumber)
	if err != nil {
		return err
	}
	if _, err := account.Client.Calls.WaitAnswered(ctx, callID); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s has called, and wants to talk to a supervisor\n", callerNumber)
	*t = transfer{
		caller: callID, supervisor: supervisorNumber, from: ourNumber, rule: rule.ID,
		briefing: "They were charged twice in March.", ring: t.ring, brief: min(t.brief, 500*time.Millisecond),
	}
	return nil
}
