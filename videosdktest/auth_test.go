package videosdktest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

func TestTokensAreChecked(t *testing.T) {
	a := newAPI(t)
	tests := []struct {
		name    string
		change  func(claims jwt.MapClaims)
		refusal string // "" accepts
	}{
		{"with all claims", func(jwt.MapClaims) {}, ""},
		{"without permissions", func(c jwt.MapClaims) { delete(c, "permissions") }, ""},
		{"with no permission", func(c jwt.MapClaims) { c["permissions"] = []string{} }, ""},
		{"with every permission", func(c jwt.MapClaims) { c["permissions"] = []string{"allow_join", "ask_join", "allow_mod"} }, ""},
		{"with an unknown permission", func(c jwt.MapClaims) { c["permissions"] = []string{"allow_join", "allow_all"} },
			"Token has permissions other than allow_join, ask_join and allow_mod"},
		{"with a permission that is no text", func(c jwt.MapClaims) { c["permissions"] = []any{1} },
			"Token has permissions other than allow_join, ask_join and allow_mod"},
		{"with permissions that are no list", func(c jwt.MapClaims) { c["permissions"] = "allow_join" }, "Token must have its permissions in a list"},
		{"with permissions that are null", func(c jwt.MapClaims) { c["permissions"] = nil }, "Token must have its permissions in a list"},
		{"of a clock that is a little ahead", func(c jwt.MapClaims) { c["iat"] = time.Now().Add(50 * time.Second).Unix() }, ""},
		{"of a clock that is far ahead", func(c jwt.MapClaims) { c["iat"] = time.Now().Add(70 * time.Second).Unix() }, "Token is issued in the future"},
		{"issued at no time", func(c jwt.MapClaims) { delete(c, "iat") }, ""},
		{"issued at a text", func(c jwt.MapClaims) { c["iat"] = "now" }, "Token is issued in the future"},
		{"without an end", func(c jwt.MapClaims) { delete(c, "exp") }, "Token is invalid: token has invalid claims: token is missing required claim: exp claim is required"},
		{"after its end", func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Second).Unix() }, "Token is invalid: token has invalid claims: token is expired"},
		{"of another account", func(c jwt.MapClaims) { c["apikey"] = "other" }, "Token has an unknown apikey"},
		{"of another version", func(c jwt.MapClaims) { c["version"] = 1 }, "Token must have version 2"},
		{"of a participant", func(c jwt.MapClaims) { c["roles"] = []string{"rtc"} }, "Token must have the role crawler"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			claims := managementClaims(a.Server)
			test.change(claims)
			token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(a.Secret))
			require.NoError(t, err)
			got := api{t, a.Server}.send(http.MethodGet, callsPath, "", http.Header{"Authorization": {token}})
			if test.refusal == "" {
				got.must(http.StatusOK)
			} else {
				got.refused(http.StatusUnauthorized, test.refusal)
			}
		})
	}
}
