package videosdktest

import (
	"cmp"
	"net/http"
	"time"
)

// meetingRoom is a room that was made through the API.
type meetingRoom struct {
	ID        string   `json:"roomId"`
	CustomID  nullable `json:"customRoomId"`
	GeoFence  any      `json:"geoFence,omitempty"`
	Disabled  bool     `json:"disabled"`
	CreatedAt string   `json:"createdAt"`
	UpdatedAt string   `json:"updatedAt"`
}

func (s *Server) routeRooms(rt *router) {
	const base = "/v2/rooms"
	rt.handle(http.MethodPost, base, s.createRoom)
	rt.handle(http.MethodGet, base+"/{roomId}", with(s.findRoom, s.getRoom))
	rt.handle(http.MethodGet, base+"/validate/{roomId}", with(s.findRoom, s.validateRoom))
	rt.handle(http.MethodPost, base+"/deactivate", s.deactivateRoom)
}

// createRoom answers with the room that has the customRoomId already, if any.
func (s *Server) createRoom(r *request) (answer, error) {
	var p struct {
		CustomID string `json:"customRoomId"`
		GeoFence any    `json:"geoFence"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if room := s.account.namedRoom(p.CustomID); room != nil {
		return ok(room), nil
	}
	now := timestamp(time.Now())
	room := &meetingRoom{ID: newRoomID(), CustomID: nullable(p.CustomID), GeoFence: p.GeoFence, CreatedAt: now, UpdatedAt: now}
	s.account.rooms.add(room.ID, room)
	return ok(room), nil
}

// namedRoom returns the room of a customRoomId, or nil.
func (a *account) namedRoom(customID string) *meetingRoom {
	for _, room := range a.rooms.order {
		if customID != "" && string(room.CustomID) == customID {
			return room
		}
	}
	return nil
}

// findRoom returns the room that a path names, by either of its ids.
func (s *Server) findRoom(r *request) (*meetingRoom, error) {
	id := r.PathValue("roomId")
	room := cmp.Or(s.account.rooms.get(id), s.account.namedRoom(id))
	if room == nil {
		return nil, errUnknownRoom()
	}
	return room, nil
}

func (s *Server) getRoom(_ *request, room *meetingRoom) (answer, error) {
	return ok(room), nil
}

// errUnknownRoom has the status that the API uses in place of 404 for rooms.
func errUnknownRoom() error {
	return &statusError{status: http.StatusPaymentRequired, text: "Room not found"}
}

func (s *Server) validateRoom(_ *request, room *meetingRoom) (answer, error) {
	if room.Disabled {
		return answer{}, badRequest("Room is deactivated")
	}
	return ok(room), nil
}

// deactivateRoom, unlike the others, knows a room by its roomId only.
func (s *Server) deactivateRoom(r *request) (answer, error) {
	var p struct {
		RoomID string `json:"roomId"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	if p.RoomID == "" {
		return answer{}, badRequest("roomId is required")
	}
	room := s.account.rooms.get(p.RoomID)
	if room == nil {
		return answer{}, errUnknownRoom()
	}
	room.Disabled = true
	room.UpdatedAt = timestamp(time.Now())
	return ok(room), nil
}
