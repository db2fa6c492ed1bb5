package videosdk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

// TrackingKey is the key of the call's metadata in which
// [CallCreateParams.TrackingID] travels.
const TrackingKey = "trackingId"

const (
	// trackedFor is how far back CreateOnce looks for a call.
	trackedFor = 30 * 24 * time.Hour
	// trackingLooks is how often CreateOnce looks again after an unknown
	// outcome, with waits that double from firstTrackingWait: for half a
	// minute in all.
	trackingLooks     = 6
	firstTrackingWait = 500 * time.Millisecond
)

// TrackingID returns the TrackingID that the call was created with, if any.
func (c *Call) TrackingID() string {
	id, _ := c.Metadata[TrackingKey].(string)
	return id
}

// tracked returns the metadata with the tracking id.
func (p *CallCreateParams) tracked() map[string]any {
	if p.TrackingID == "" {
		return p.Metadata
	}
	metadata := maps.Clone(p.Metadata)
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata[TrackingKey] = p.TrackingID
	return metadata
}

// FindByTrackingID returns the call that was created with a tracking id, no
// earlier than since. It tells whether a request to dial was applied whose
// outcome is unknown. No such call is [ErrNotFound]; a list may lag behind, so a
// call that was placed a moment ago may not be found yet.
//
// It reads the list of outbound calls from since on, and asks for each call of
// which the list does not show the metadata: since should not be long ago.
func (s *CallsService) FindByTrackingID(ctx context.Context, trackingID string, since time.Time, opts ...RequestOption) (*Call, error) {
	var f faults
	f.require("trackingId", trackingID)
	if err := f.err("Calls.FindByTrackingID"); err != nil {
		return nil, err
	}
	call, err := s.find(ctx, trackingID, CallListParams{StartDate: since}, opts)
	if err == nil && call == nil {
		err = fmt.Errorf("videosdk: no call with the tracking id %q: %w", trackingID, ErrNotFound)
	}
	return call, err
}

// find returns nil if it has read everything and there is no such call. An
// error says that it could not: a 404 of the list, too, is no proof that there
// is none, and neither is a list in which a call cannot be told from another.
func (s *CallsService) find(ctx context.Context, trackingID string, params CallListParams, opts []RequestOption) (*Call, error) {
	params.Type = DirectionOutbound
	for call, err := range s.All(ctx, params, opts...) {
		if err != nil {
			return nil, err
		}
		if call.Metadata == nil && call.ID == "" {
			return nil, fmt.Errorf("videosdk: a call in the list has neither an id nor metadata: %w", ErrInvalidResponse)
		}
		if call.Metadata == nil {
			call, err = s.Get(ctx, call.ID, opts...)
			if errors.Is(err, ErrNotFound) {
				continue // it has been deleted since; others may follow
			}
			if err != nil {
				return nil, err
			}
		}
		if call.TrackingID() == trackingID {
			return call, nil
		}
	}
	return nil, nil
}

// CreateOnce places a call unless it has been placed before. TrackingID is
// required, and names the call for good: use one of your own records.
//
// It looks for a call with that TrackingID first, among those of the last 30
// days, and returns it if there is one. Otherwise it dials; and if the outcome
// of that is unknown, it looks again, for half a minute, because the list may
// lag. If it finds the call, it returns it; if not, it returns the error, which
// matches [ErrMaybeApplied]. So a program that crashes and is started again with
// the same TrackingID dials once.
//
// What it cannot promise: two processes that call it for the same TrackingID at
// the same moment may both find nothing and both dial, and so may one that is
// started again before the list shows the call. The API has no way to prevent
// that. Let one process own a TrackingID at a time.
func (s *CallsService) CreateOnce(ctx context.Context, params CallCreateParams, opts ...RequestOption) (*Call, error) {
	var f faults
	settings := s.client.defaults.forCall(opts, &f)
	f.check(!settings.retryUnknown, "WithRetryUnknown", "is refused by Calls.CreateOnce: a repeat could reach a person twice")
	f.require("trackingId", params.TrackingID)
	params.check(&f)
	if err := f.err("Calls.CreateOnce"); err != nil {
		return nil, err
	}
	call, err := s.findCall(ctx, params, opts)
	if err != nil || call != nil {
		return call, err
	}
	call, err = s.Create(ctx, params, opts...)
	if !errors.Is(err, ErrMaybeApplied) {
		return call, err
	}
	wait := firstTrackingWait
	for range trackingLooks {
		if sleep(ctx, wait) != nil {
			break
		}
		wait *= 2
		if call, _ := s.findCall(ctx, params, opts); call != nil {
			return call, nil
		}
	}
	return nil, err
}

// findCall looks for the call that params describe; see find.
func (s *CallsService) findCall(ctx context.Context, params CallCreateParams, opts []RequestOption) (*Call, error) {
	since := CallListParams{StartDate: time.Now().Add(-trackedFor)}
	if isE164(params.To) {
		// Without the plus: some searches of the API are regular expressions.
		since.Search = strings.TrimPrefix(params.To, "+")
	}
	return s.find(ctx, params.TrackingID, since, opts)
}
