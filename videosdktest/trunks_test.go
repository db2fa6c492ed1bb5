package videosdktest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

const trunksPath = "/v2/sip-trunk"

func TestTrunkIsCreatedAndReplaced(t *testing.T) {
	api := newAPI(t)
	created := api.post(trunksPath, `{"auth":{"username":"u","password":"p"},"name":"abc","domain":"sip.example.com",
		"direction":"outbound","numbers":["+14155551234"]}`).must(http.StatusOK)
	id := created.text("trunkId")
	assert.JSONEq(t, fmt.Sprintf(`{"trunkId":%q,"auth":{"username":"u","password":"p"},"name":"abc","domain":"sip.example.com",
		"direction":"outbound","numbers":["+14155551234"]}`, id), created.body)

	updated := api.put(trunksPath+"/"+id, `{"name":"Été","direction":"inbound"}`).must(http.StatusOK)
	assert.JSONEq(t, fmt.Sprintf(`{"trunkId":%q,"auth":{},"name":"Été","domain":"","direction":"inbound","numbers":[]}`, id), updated.body)
}

func TestTrunkIsValidated(t *testing.T) {
	api := newAPI(t)
	trunk := trunksPath + "/" + api.post(trunksPath, `{"name":"abc"}`).must(http.StatusOK).text("trunkId")
	tests := []struct{ name, body, refusal string }{
		{"no name", `{}`, "name must have at least 3 characters"},
		{"a short name", `{"name":"éé"}`, "name must have at least 3 characters"},
		{"an unknown direction", `{"name":"abc","direction":"both"}`, `direction must be one of ["inbound" "outbound"]`},
		{"half of the credentials", `{"name":"abc","auth":{"username":"u"}}`, "auth needs username and password"},
		{"numbers that are no list", `{"name":"abc","numbers":"+1"}`, "numbers must be a list of strings"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api.post(trunksPath, test.body).refused(http.StatusBadRequest, test.refusal)
			api.put(trunk, test.body).refused(http.StatusBadRequest, test.refusal)
		})
	}
	api.put(trunksPath+"/trunk_unknown", `{"name":"abc"}`).refused(http.StatusNotFound, "Trunk not found")
}
