package videosdk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

// TrackingKey is the key of the call's metadata in which
// [CallCreateParams.TrackingID] travels.
const TrackingKey = "trackingId"

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
// outcome is unknown. If there is none, the error matches [ErrCallNotFound]; a list
// may lag behind, so a call that was placed a moment ago may not be found yet. That
// moment may be as late as the error of Create, or the crash of the program.
//
// It reads the list of outbound calls from since on, page after page, and asks for
// each call of which the list does not show the metadata: since should not be long
// ago. It must lie before the request, by as much as clocks may differ; one in the
// future is refused. A zero since reads the whole list.
func (s *CallsService) FindByTrackingID(ctx context.Context, trackingID string, since time.Time, opts ...RequestOption) (*Call, error) {
	var f faults
	f.require("trackingId", trackingID)
	f.check(!since.After(time.Now()), "since", "must not be in the future: that there is no call since then proves nothing")
	if err := f.err("Calls.FindByTrackingID"); err != nil {
		return nil, err
	}
	call, err := s.find(ctx, trackingID, CallListParams{StartDate: since}, opts)
	if err == nil && call == nil {
		err = fmt.Errorf("videosdk: Calls.FindByTrackingID: %w with the tracking id %q", ErrCallNotFound, trackingID)
	}
	return call, err
}

// find returns nil if it has read everything and there is no such call. An
// error says that it could not: a 404 of the list, too, is no proof that there
// is none, and neither is a list in which a call cannot be told from another.
func (s *CallsService) find(ctx context.Context, trackingID string, params CallListParams, opts []RequestOption) (*Call, error) {
	params.Type = DirectionOutbound
	var gone error // a call that the list has, and that cannot be read
	for call, err := range s.inTurn(ctx, params, opts) {
		if err != nil {
			return nil, err
		}
		if len(call.Metadata) == 0 && call.ID == "" {
			return nil, fmt.Errorf("videosdk: a call in the list has neither an id nor metadata: %w", ErrInvalidResponse)
		}
		if len(call.Metadata) == 0 {
			call, err = s.Get(ctx, call.ID, opts...)
			if errors.Is(err, ErrNotFound) {
				gone = err // others may follow, and be the one
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		if call.TrackingID() == trackingID {
			return call, nil
		}
	}
	return nil, gone
}
