package main

import (
	"context"
	"fmt"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/job"
)

// emulate puts on a play: a few calls, which are over after a few looks.
func emulate(ctx context.Context, account *job.Account, look time.Duration) error {
	const ourNumber = "+14155550100" // fictional, as those with 555-01 are
	srv := account.Emulator
	srv.AddPhoneNumbers(ourNumber)
	rules := map[videosdk.Direction]string{}
	for direction, name := range map[videosdk.Direction]string{videosdk.DirectionInbound: "Support", videosdk.DirectionOutbound: "Reminders"} {
		rule, err := account.Client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
			Name: name, Type: direction, PhoneNumbers: []string{ourNumber},
		})
		if err != nil {
			return err
		}
		rules[direction] = rule.ID
	}
	srv.Callee(ourNumber).AnswersAfter(look / 2).HangsUpAfter(3 * look)
	if _, err := srv.InboundCall("+14155550199", ourNumber); err != nil {
		return err
	}
	for i := range 4 {
		to := fmt.Sprintf("+1415555011%d", i)
		srv.Callee(to).RingsAfter(look / 2).AnswersAfter(time.Duration(i) * look).HangsUpAfter(look)
		_, err := account.Client.Calls.Create(ctx, videosdk.CallCreateParams{
			To: to, From: ourNumber, RoutingRuleID: rules[videosdk.DirectionOutbound],
		})
		if err != nil {
			return err
		}
	}
	return nil
}
