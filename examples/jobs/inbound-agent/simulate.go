package main

import (
	"context"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// The numbers of the emulated calls: fictional, as those with 555-01 are.
const (
	ourNumber   = "+14155550100"
	theirNumber = "+14155550199"
)

// simulate has somebody call twice: once the agent answers, once the caller is
// not that patient.
func simulate(ctx context.Context, emulator *videosdktest.Server, tracker *videosdk.CallTracker, url string) error {
	emulator.DuplicateDeliveries(2) // as the network does; each event shows once
	emulator.Callee(ourNumber).AnswersAfter(50 * time.Millisecond).HangsUpAfter(200 * time.Millisecond)
	talk, err := emulator.InboundCall(theirNumber, ourNumber)
	if err != nil {
		return err
	}
	if _, err := tracker.Wait(ctx, talk, nil); err != nil {
		return err
	}
	summary := []byte(`{"call-summary":"They want to move their appointment."}`)
	if _, err := emulator.Deliver(ctx, url, summary); err != nil {
		return err
	}

	emulator.Callee(ourNumber).NeverAnswers()
	short, err := emulator.InboundCall(theirNumber, ourNumber)
	if err != nil {
		return err
	}
	ringing := func(call *videosdk.Call) bool { return call.Status == videosdk.CallRinging }
	if _, err := tracker.Wait(ctx, short, ringing); err != nil {
		return err
	}
	if err := emulator.HangUp(short); err != nil {
		return err
	}
	_, err = tracker.Wait(ctx, short, nil)
	return err
}
