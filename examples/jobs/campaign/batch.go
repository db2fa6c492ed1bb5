package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/videosdk-sip-go/videosdk"
)

// delegate leaves the list to VideoSDK, and shows how far it is. A campaign of
// that name that has begun before is followed, and no other one made.
func (c *campaign) delegate(ctx context.Context, client *videosdk.Client, list []byte, stdout, stderr io.Writer) error {
	batch, err := c.earlier(ctx, client)
	if err != nil {
		return err
	}
	if batch == nil {
		if batch, err = c.launch(ctx, client, list); err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, "campaign %s is under way\n", batch.ID)
	if err := c.follow(ctx, client, batch, stderr); err != nil {
		return fmt.Errorf("campaign %s goes on without this program, run it again to follow it: %w", batch.ID, err)
	}
	stats, err := client.BatchCalls.Stats(ctx, batch.ID)
	if err != nil {
		return err
	}
	printCounts(stats.Figures, stdout)
	return nil
}

// earlier returns the campaign of that name that has begun, nil for none.
func (c *campaign) earlier(ctx context.Context, client *videosdk.Client) (*videosdk.BatchCall, error) {
	for batch, err := range client.BatchCalls.All(ctx, videosdk.BatchCallListParams{}) {
		if err != nil {
			return nil, err
		}
		if batch.Name == c.name && hasBegun(batch) {
			return batch, nil
		}
	}
	return nil, nil
}

func hasBegun(batch *videosdk.BatchCall) bool {
	switch batch.Status {
	case videosdk.BatchUploaded, videosdk.BatchParsing, videosdk.BatchParsed, videosdk.BatchParseFailed, videosdk.BatchDraft:
		return false
	default:
		return true
	}
}

// launch uploads the list and has it called. If the answer is lost, the campaign
// tells by itself whether it has begun: it has the id of its list.
func (c *campaign) launch(ctx context.Context, client *videosdk.Client, list []byte) (*videosdk.BatchCall, error) {
	list, err := eachOnce(list)
	if err != nil {
		return nil, err
	}
	number, err := client.PhoneNumbers.Get(ctx, c.from)
	if err != nil {
		return nil, err
	}
	uploaded, err := client.BatchCalls.Upload(ctx, "people.csv", bytes.NewReader(list))
	if err != nil {
		return nil, err // nobody has been called
	}
	batch, err := c.begin(ctx, client, videosdk.BatchCallCreateParams{
		Name: c.name, BatchID: uploaded.ID, PhoneNumberID: number.ID, RoutingRuleID: c.rule,
	})
	if !errors.Is(err, videosdk.ErrMaybeApplied) {
		return batch, err
	}
	batch, lookErr := client.BatchCalls.Get(ctx, uploaded.ID)
	if lookErr != nil || !hasBegun(batch) {
		return nil, errors.Join(err, lookErr)
	}
	return batch, nil
}

// begin has the list called, unless another run has had that done since this one looked:
// to upload takes time, and all the more in a process that was stopped meanwhile
// (Ctrl-Z). After a look that is no longer fresh nothing is sent.
func (c *campaign) begin(ctx context.Context, client *videosdk.Client, params videosdk.BatchCallCreateParams) (*videosdk.BatchCall, error) {
	const fresh = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, fresh)
	defer cancel()
	if batch, err := c.earlier(ctx, client); batch != nil || err != nil {
		return batch, err
	}
	return client.BatchCalls.Create(ctx, params)
}

// follow moves the bar until the campaign is over.
func (c *campaign) follow(ctx context.Context, client *videosdk.Client, batch *videosdk.BatchCall, stderr io.Writer) error {
	bar := newBar(100, stderr)
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	for {
		current, err := client.BatchCalls.Get(ctx, batch.ID)
		if err != nil {
			return err
		}
		_ = bar.Set(int(current.Progress)) // fails if it cannot be shown
		switch current.Status {
		case videosdk.BatchCompleted:
			return nil
		case videosdk.BatchCancelled:
			return errors.New("it was cancelled")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
