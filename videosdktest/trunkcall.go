package videosdktest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
)

// trunkCallRequest is the body that places a call by a trunk.
type trunkCallRequest struct {
	To            string `json:"to"`
	From          string `json:"from"`
	DisplayName   string `json:"displayName"`
	MeetingID     string `json:"meetingId"`
	TrunkID       string `json:"trunkId"`
	ParticipantID string `json:"participantId"`
}

func (p trunkCallRequest) check() error {
	switch {
	case p.To == "":
		return badRequest("to is required")
	case !isDialable(p.To):
		return badRequest("to must be an E.164 number or a SIP URI")
	case p.DisplayName == "":
		return badRequest("displayName is required")
	case p.MeetingID == "":
		return badRequest("meetingId is required")
	case p.TrunkID == "":
		return badRequest("trunkId is required")
	}
	return nil
}

// createTrunkCall is how the oldest generation places a call.
func (s *Server) createTrunkCall(r *request) (answer, error) {
	var p trunkCallRequest
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if err := p.check(); err != nil {
		return answer{}, err
	}
	from, err := s.account.trunkCallerID(p.TrunkID, p.From)
	if err != nil {
		return answer{}, err
	}
	s.place(&call{
		ID:        newID(callIDPrefix),
		Type:      directionOutbound,
		GatewayID: p.TrunkID,
		RoomID:    p.MeetingID,
		To:        p.To,
		From:      from,
		Metadata:  json.RawMessage("{}"),
	}, callLife{})
	return ok(struct {
		StatusCode    int    `json:"statusCode"`
		Message       string `json:"message"`
		ParticipantID string `json:"participantId"`
	}{http.StatusOK, "Success", cmp.Or(p.ParticipantID, newID("")[:8])}), nil
}

// trunkCallerID is from, which must be a number of the trunk, or the first of
// them.
func (a *account) trunkCallerID(trunkID, from string) (string, error) {
	trunk := a.trunks.get(trunkID)
	switch {
	case trunk == nil:
		return "", badRequest("trunkId %q does not exist", trunkID)
	case trunk.Direction == directionInbound:
		return "", badRequest("Trunk %s is not an outbound trunk", trunkID)
	case len(trunk.Numbers) == 0:
		return "", badRequest("Trunk %s has no number", trunkID)
	case from == "":
		return trunk.Numbers[0], nil
	case !slices.Contains(trunk.Numbers, from):
		return "", badRequest("from %s is not a number of trunk %s", from, trunkID)
	}
	return from, nil
}
