package videosdktest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

const roomsPath = "/v2/rooms"

func TestRoomIsCreatedOncePerCustomID(t *testing.T) {
	api := newAPI(t)
	first := api.post(roomsPath, `{"customRoomId":"standup","geoFence":"us002"}`).must(http.StatusOK)
	assert.Regexp(t, `^[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}$`, first.text("roomId"))
	assert.Equal(t, "standup", first.field("customRoomId"))
	assert.Equal(t, first.body, api.post(roomsPath, `{"customRoomId":"standup"}`).must(http.StatusOK).body)

	one, two := api.post(roomsPath, ``).must(http.StatusOK), api.post(roomsPath, `{"customRoomId":null}`).must(http.StatusOK)
	assert.NotEqual(t, one.text("roomId"), two.text("roomId"))
	assert.Nil(t, one.field("customRoomId"))
	api.post(roomsPath, `{"customRoomId":1}`).refused(http.StatusBadRequest, "customRoomId must be a string")
}

func TestRoomIsValidUntilItIsDeactivated(t *testing.T) {
	api := newAPI(t)
	created := api.post(roomsPath, `{}`)
	id := created.text("roomId")
	assert.Equal(t, created.body, api.get(roomsPath+"/"+id).must(http.StatusOK).body)
	assert.Equal(t, created.body, api.get(roomsPath+"/validate/"+id).must(http.StatusOK).body)

	api.post(roomsPath+"/deactivate", `{"roomId":"`+id+`"}`).must(http.StatusOK)
	assert.Equal(t, true, api.get(roomsPath+"/"+id).must(http.StatusOK).field("disabled"))
	api.get(roomsPath+"/validate/"+id).refused(http.StatusBadRequest, "Room is deactivated")
}

func TestRoomThatIsUnknownIsRefusedWith402(t *testing.T) {
	api := newAPI(t)
	const unknown = "Room not found"
	api.get(roomsPath+"/aaaa-bbbb-cccc").refused(http.StatusPaymentRequired, unknown)
	api.get(roomsPath+"/validate/aaaa-bbbb-cccc").refused(http.StatusPaymentRequired, unknown)
	api.post(roomsPath+"/deactivate", `{"roomId":"aaaa-bbbb-cccc"}`).refused(http.StatusPaymentRequired, unknown)
	api.post(roomsPath+"/deactivate", `{}`).refused(http.StatusBadRequest, "roomId is required")
	api.post(roomsPath+"/deactivate", `{"roomId":[]}`).refused(http.StatusBadRequest, "roomId must be a string")
}

func TestRoomIsFoundByItsCustomIDExceptToDeactivateIt(t *testing.T) {
	api := newAPI(t)
	created := api.post(roomsPath, `{"customRoomId":"stand up"}`)
	assert.Equal(t, created.body, api.get(roomsPath+"/stand%20up").must(http.StatusOK).body)
	assert.Equal(t, created.body, api.get(roomsPath+"/validate/stand%20up").must(http.StatusOK).body)

	api.post(roomsPath+"/deactivate", `{"roomId":"stand up"}`).refused(http.StatusPaymentRequired, "Room not found")
	api.post(roomsPath+"/deactivate", `{"roomId":"`+created.text("roomId")+`"}`).must(http.StatusOK)
	assert.Equal(t, true, api.get(roomsPath+"/stand%20up").must(http.StatusOK).field("disabled"))
	api.get(roomsPath+"/validate/stand%20up").refused(http.StatusBadRequest, "Room is deactivated")
}
