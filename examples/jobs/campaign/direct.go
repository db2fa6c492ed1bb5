package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/videosdk-sip-go/videosdk"
)

// dialler dials the list from here.
type dialler struct {
	*campaign
	client  *videosdk.Client
	results *results
	settled <-chan struct{} // closed once the list of calls shows those of earlier runs
	pace    *rate.Limiter
	bar     *progressbar.ProgressBar
}

// dial calls everybody of the list who has not been called yet. What keeps a
// crash from calling somebody twice:
//
//   - "dialling" is on the disk before the request leaves;
//   - the call carries a TrackingID, the same in each run;
//   - who is found "dialling" by a later run is looked for among the calls, not
//     before the list is certain to show a call of the time when the later run began
//     (the request may have left long after "dialling" was written), and is dialled
//     only if there is none.
func (c *campaign) dial(ctx context.Context, client *videosdk.Client, list []byte, stdout, stderr io.Writer) (err error) {
	people, err := readPeople(list)
	if err != nil {
		return err
	}
	results, err := openResults(c.results, c.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, results.close()) }()
	calls, callsCtx := errgroup.WithContext(ctx)
	calls.SetLimit(c.calls)
	settled, cancel := context.WithTimeout(callsCtx, c.settle) // from now on: no earlier run is alive
	defer cancel()
	d := dialler{c, client, results, settled.Done(), rate.NewLimiter(rate.Limit(c.cps), 1), newBar(len(people), stderr)}
	for _, p := range results.doubtfulLast(people) { // they have to wait
		if callsCtx.Err() == nil {
			calls.Go(func() error { return d.call(callsCtx, p) })
		}
	}
	err = calls.Wait()
	counts := results.count(people)
	printCounts(counts, stdout)
	if err == nil && counts[string(dialling)] > 0 {
		err = errors.New("some calls are in doubt: run it again")
	}
	return err
}

// doubtfulLast returns people with those at the end whom an earlier run may have
// called or not.
func (r *results) doubtfulLast(people []person) []person {
	doubt := func(p person) int {
		if r.of(p.number).State == dialling {
			return 1
		}
		return 0
	}
	return slices.SortedStableFunc(slices.Values(people), func(a, b person) int { return doubt(a) - doubt(b) })
}

// call brings one number to its end, from wherever an earlier run has left it.
func (d *dialler) call(ctx context.Context, p person) error {
	r := d.results.of(p.number)
	if r.State == "" || r.State == refused || r.State == dialling {
		var err error
		if r, err = d.begin(ctx, p, r); err != nil {
			return err
		}
	}
	if r.State == dialled {
		call, err := d.client.Calls.Wait(ctx, r.CallID, nil)
		switch {
		case err == nil:
			r.Status = call.Status
		case errors.Is(err, videosdk.ErrNotFound):
			r.Reason = "the call is not known any more"
		default:
			return err
		}
		r.State = over
		if err := d.results.add(r); err != nil {
			return err
		}
	}
	_ = d.bar.Add(1) // fails if it cannot be shown, which is no reason to call nobody else
	return nil
}

// begin dials, unless that has been done. Errors end the campaign, except those
// of one number.
func (d *dialler) begin(ctx context.Context, p person, r result) (result, error) {
	if r.State == dialling {
		<-d.settled // or ctx is over, and then so is the wait for the pace
	} else {
		r = result{Number: p.number, TrackingID: trackingID(d.name, p.number)}
	}
	if err := d.pace.Wait(ctx); err != nil {
		return r, err
	}
	r.State = dialling
	if err := d.results.add(r); err != nil {
		return r, err
	}
	call, err := d.client.Calls.CreateOnce(ctx, videosdk.CallCreateParams{
		To: p.number, From: d.from, RoutingRuleID: d.rule, RingingTimeout: d.ring, Metadata: p.metadata, TrackingID: r.TrackingID,
	})
	switch {
	case err == nil:
		r.State, r.CallID, r.Reason = dialled, call.ID, ""
		return r, d.results.add(r)
	case isRefusal(err):
		r.State, r.Reason = refused, err.Error()
		return r, d.results.add(r)
	case errors.Is(err, videosdk.ErrMaybeApplied) && ctx.Err() == nil:
		return r, nil // stays in doubt, for the next run
	default:
		return r, fmt.Errorf("%s: %w", p.number, err)
	}
}

// isRefusal reports whether a number was certainly not dialled, for a reason of
// its own. The next run tries it again.
func isRefusal(err error) bool {
	var answer *videosdk.APIError
	return errors.Is(err, videosdk.ErrInvalidRequest) ||
		errors.As(err, &answer) && answer.Operation == "Calls.Create" && errors.Is(err, videosdk.ErrBadRequest)
}
