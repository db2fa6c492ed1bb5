package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// emulated receives the events of one call, the first of them twice, and then
// one that somebody else made up.
func emulated(ctx context.Context, stdout, stderr io.Writer) error {
	const from, to = "+14155550100", "+14155550199"
	api := videosdktest.NewServer()
	defer api.Close()
	api.AddPhoneNumbers(from)
	api.Callee(to).HangsUpAfter(100 * time.Millisecond)
	client, err := videosdk.New(api.APIKey, api.Secret, videosdk.WithBaseURL(api.URL))
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	outbound := videosdk.RoutingRuleCreateParams{Name: "Example", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{from}}
	rule, err := client.RoutingRules.Create(ctx, outbound)
	if err != nil {
		return err
	}
	tracker := videosdk.NewCallTracker()
	return serve(newHandler(client, tracker, stdout, stderr), "127.0.0.1:0", func(addr net.Addr) error {
		defer api.Close() // and the connections that it has to the receiver
		url := "http://" + addr.String() + "/webhooks"
		if _, err := subscribe(ctx, client, url); err != nil {
			return err
		}
		api.DuplicateDeliveries(1)
		call, err := client.Calls.Create(ctx, videosdk.CallCreateParams{To: to, From: from, RoutingRuleID: rule.ID})
		if err != nil {
			return err
		}
		if _, err := tracker.Wait(ctx, call.ID, nil); err != nil {
			return err
		}
		for _, delivery := range api.Deliveries()[:2] {
			fmt.Fprintln(stdout, "delivered:", delivery.Event, "answered", delivery.Status)
		}
		status, err := api.ForgeDelivery(ctx, url, []byte(`{"webhookType":"call-hangup","data":{"callId":"call_1"}}`))
		fmt.Fprintln(stdout, "forged: call-hangup answered", status)
		return err
	})
}
