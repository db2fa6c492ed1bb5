package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// The numbers of the emulated call: fictional, as those with 555-01 are.
const (
	ourNumber   = "+14155550100"
	theirNumber = "+14155550199"
)

// emulated does the whole job against the emulator.
func emulated(ctx context.Context, stdout io.Writer) error {
	server := videosdktest.NewServer(videosdktest.WithCallTiming(videosdktest.Timing{
		Ring: 300 * time.Millisecond, Answer: 700 * time.Millisecond,
	}))
	defer server.Close()
	fmt.Fprintf(stdout, "No credentials in the environment: using an emulator at %s. No phone will ring.\n\n", server.URL)
	client, err := videosdk.New(server.APIKey, server.Secret, videosdk.WithBaseURL(server.URL),
		videosdk.WithPollInterval(50*time.Millisecond, 200*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	rule, err := provision(ctx, client, stdout)
	if err != nil {
		return err
	}
	return dial(ctx, client, videosdk.CallCreateParams{From: ourNumber, To: theirNumber, RoutingRuleID: rule.ID}, stdout)
}

// provision registers a number with its gateways, and a rule for calls from it.
func provision(ctx context.Context, client *videosdk.Client, stdout io.Writer) (*videosdk.RoutingRule, error) {
	_, err := client.PhoneNumbers.Create(ctx, videosdk.PhoneNumberCreateParams{
		Name:         "Quickstart",
		PhoneNumbers: []string{ourNumber},
		Inbound:      videosdk.InboundConfig{Region: videosdk.RegionUS002},
		Outbound:     videosdk.OutboundConfig{Region: videosdk.RegionUS002, Address: "sip.example.com:5061"},
	})
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(stdout, "registered", ourNumber)
	rule, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Quickstart", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ourNumber},
	})
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(stdout, "created outbound rule", rule.ID)
	return rule, nil
}
