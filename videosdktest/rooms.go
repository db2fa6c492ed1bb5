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
	rt.handle(http.MethodGet, base+"/{roomId}", s.getRoom)
	rt.handle(http.MethodGet, base+"/validate/{roomId}", s.validateRoom)
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

// room returns the room that a path names, by either of its ids, or nil.
func (a *account) room(r *request) *meetingRoom {
	id := r.PathValue("roomId")
	return cmp.Or(a.rooms.get(id), a.namedRoom(id))
}

func (s *Server) getRoom(r *request) (answer, error) {
	room := s.account.room(r)
	if room == nil {
		return answer{}, errUnknownRoom()
	}
	return ok(room), nil
}

// errUnknownRoom has the status that the API uses in place of 404 for rooms.
func errUnknownRoom() error {
	return &statusError{status: http.StatusPaymentRequired, text: "Room not found"}
}

func (s *Server) validateRoom(r *request) (answer, error) {
	room := s.account.room(r)
	switch {
	case room == nil:
		return answer{}, errUnknownRoom()
	case room.Disabled:
		return answer{}, badRequest("Room is deactivated")
	default:
		return ok(room), nil
	}
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
