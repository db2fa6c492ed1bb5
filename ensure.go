package videosdk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/videosdk-sip-go/videosdk/internal/redact"
	"github.com/videosdk-sip-go/videosdk/internal/retry"
)

// maxEnsureRounds is how often Ensure reads and creates again without coming
// any nearer to its end.
const maxEnsureRounds = 8

// EnsureResult holds what [PhoneNumbersService.Ensure] found and what it created.
type EnsureResult struct {
	// Existing are the numbers that had their gateways when Ensure first
	// looked.
	Existing []*PhoneNumber `json:"existing"`
	// Created are the numbers that have got theirs since: from this call, or
	// from another that ran at the same time.
	Created []*PhoneNumber `json:"created"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (r EnsureResult) Format(f fmt.State, _ rune) { redact.Format(f, r) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (r EnsureResult) LogValue() slog.Value { return redact.LogValue(r) }

// Ensure registers those of the numbers that do not have their gateways yet,
// and leaves the others alone: run it any number of times, from any number of
// processes, and each number ends up with one pair of gateways.
//
// It reads every number, creates what is missing, and reads again: after
// success, after a lost race (409), after a refusal that a race explains (400),
// and after an unknown outcome, which is safe to repeat here because the server
// creates all or nothing and refuses a number that is attached. When it makes no
// more progress it gives up with the last error. If a number has a gateway of one
// direction only, the error names it and matches [ErrConflict]: detach it first. An
// error matches [ErrMaybeApplied] if any of the requests may have registered
// numbers: run Ensure again.
//
// Existing numbers keep the gateways that they have, whatever params say.
func (s *PhoneNumbersService) Ensure(ctx context.Context, params PhoneNumberCreateParams, opts ...RequestOption) (*EnsureResult, error) {
	var f faults
	settings := s.client.defaults.forCall(opts, &f)
	params.check(&f)
	if err := f.err("PhoneNumbers.Ensure"); err != nil {
		return nil, err
	}
	e := ensuring{service: s, opts: opts, backoff: settings.backoff}
	result, err := e.run(ctx, params)
	if err != nil && e.acted && !errors.Is(err, ErrMaybeApplied) {
		err = fmt.Errorf("%w, and of an earlier request: %w", err, ErrMaybeApplied)
	}
	return result, err
}

func (e *ensuring) run(ctx context.Context, params PhoneNumberCreateParams) (*EnsureResult, error) {
	numbers := slices.Compact(slices.Sorted(slices.Values(params.PhoneNumbers)))
	existing, missing, err := e.read(ctx, numbers)
	if err != nil {
		return nil, err
	}
	created := []*PhoneNumber{}
	for stale := 0; len(missing) > 0; stale++ {
		params.PhoneNumbers = missing
		refused := e.create(ctx, params)
		if refused != nil && !mayHaveRaced(refused) {
			return nil, refused
		}
		found, left, err := e.read(ctx, missing)
		if err != nil {
			return nil, after(err, refused)
		}
		created = append(created, found...)
		if len(left) < len(missing) {
			missing, stale = left, -1 // the next round is the first again
			continue
		}
		if stale >= maxEnsureRounds || stale > 0 && errors.Is(refused, ErrBadRequest) {
			return nil, fmt.Errorf("videosdk: PhoneNumbers.Ensure: %d numbers have no gateways after %d rounds: %w",
				len(missing), stale+1, cmp.Or(refused, ErrConflict))
		}
		if err := sleep(ctx, e.backoff.Wait(stale)); err != nil {
			return nil, fmt.Errorf("videosdk: PhoneNumbers.Ensure: %w", after(err, refused))
		}
	}
	slices.SortFunc(created, func(a, b *PhoneNumber) int { return cmp.Compare(a.E164, b.E164) })
	return &EnsureResult{Existing: existing, Created: created}, nil
}

// mayHaveRaced reports whether another request that did the same thing could
// be the reason of the error.
func mayHaveRaced(err error) bool {
	return errors.Is(err, ErrMaybeApplied) || errors.Is(err, ErrConflict) || errors.Is(err, ErrBadRequest)
}

// ensuring is one run of Ensure.
type ensuring struct {
	service *PhoneNumbersService
	opts    []RequestOption
	backoff retry.Backoff
	acted   bool // something may have been registered
}

// create registers numbers, and remembers if that may have been done.
func (e *ensuring) create(ctx context.Context, params PhoneNumberCreateParams) error {
	_, err := e.service.Create(ctx, params, e.opts...)
	e.acted = e.acted || err == nil || errors.Is(err, ErrMaybeApplied)
	return err
}

// read looks the numbers up and returns those that have their gateways, and those
// that have none.
func (e *ensuring) read(ctx context.Context, numbers []string) (found []*PhoneNumber, missing []string, err error) {
	found = []*PhoneNumber{} // never null in JSON
	for _, e164 := range numbers {
		number, err := e.service.Get(ctx, e164, e.opts...)
		switch {
		case errors.Is(err, ErrNotFound):
			missing = append(missing, e164)
		case err != nil:
			return nil, nil, err
		case number.Inbound == nil && number.Outbound == nil:
			missing = append(missing, e164)
		case number.Inbound == nil || number.Outbound == nil:
			return nil, nil, fmt.Errorf("videosdk: PhoneNumbers.Ensure: %s has a gateway of one direction only: detach it first: %w",
				e164, ErrConflict)
		default:
			found = append(found, number)
		}
	}
	return found, missing, nil
}
