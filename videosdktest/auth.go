package videosdktest

import (
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// authenticator checks the tokens of one account.
type authenticator struct {
	apiKey string
	secret []byte
}

// check takes the Authorization header, which is the bare token. Claims are
// read by their exact names; a struct would match them regardless of case.
func (a authenticator) check(header string) error {
	if header == "" {
		return unauthorized("Authorization header is missing")
	}
	if strings.HasPrefix(strings.ToLower(header), "bearer ") {
		return unauthorized("Authorization must be the bare token, without Bearer")
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(header, claims, a.key,
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithExpirationRequired())
	if err != nil {
		return unauthorized("Token is invalid: " + err.Error())
	}
	return a.checkClaims(claims)
}

func (a authenticator) key(*jwt.Token) (any, error) { return a.secret, nil }

func (a authenticator) checkClaims(claims jwt.MapClaims) error {
	roles, _ := claims["roles"].([]any)
	switch {
	case issuedInFuture(claims):
		return unauthorized("Token is issued in the future")
	case claims["apikey"] != a.apiKey:
		return unauthorized("Token has an unknown apikey")
	case claims["version"] != 2.0:
		return unauthorized("Token must have version 2")
	case !slices.Contains(roles, any("crawler")):
		return unauthorized("Token must have the role crawler")
	}
	return checkPermissions(claims)
}

// checkPermissions takes a token without any: which ones the API asks for is not
// documented.
func checkPermissions(claims jwt.MapClaims) error {
	claimed, present := claims["permissions"]
	if !present {
		return nil
	}
	permissions, isList := claimed.([]any)
	if !isList {
		return unauthorized("Token must have its permissions in a list")
	}
	for _, permission := range permissions {
		if !slices.Contains([]any{"allow_join", "ask_join", "allow_mod"}, permission) {
			return unauthorized("Token has permissions other than allow_join, ask_join and allow_mod")
		}
	}
	return nil
}

// issuedInFuture allows the client's clock to be ahead a little. The parser's
// WithIssuedAt has no tolerance of its own: WithLeeway would spread to exp.
func issuedInFuture(claims jwt.MapClaims) bool {
	const tolerance = time.Minute
	issued, err := claims.GetIssuedAt()
	return err != nil || issued != nil && issued.After(time.Now().Add(tolerance))
}
