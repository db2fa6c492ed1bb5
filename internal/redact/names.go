package redact

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
)

// secretNames are how the names of secrets end, among those of headers and JSON keys.
// A PIN is a word of its own.
var secretNames = []string{
	"password", "secret", "token", "cookie", "authorization", "-pin",
	"apikey", "api-key", "accesskey", "access-key", "subscriptionkey", "subscription-key",
}

// isSecretName reports whether a name is that of a secret, however it is written.
func isSecretName(name string) bool {
	name = "-" + strings.ReplaceAll(strings.ToLower(name), "_", "-")
	for _, end := range secretNames {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// namesSecret reports whether the key of a map names a secret.
func namesSecret(key reflect.Value) bool {
	return key.Kind() == reflect.String && isSecretName(key.String())
}

// SecretsOfJSON returns the texts, and the numbers as they are written, that are named
// as secrets in a document.
func SecretsOfJSON(document []byte) []string {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	return Secrets(value)
}

// SecretsOfHeader returns what is secret in the headers that are named so. Of a cookie,
// or of a scheme and its credentials, each part is one that is too long to be the name
// of another.
func SecretsOfHeader(header http.Header) []string {
	const long = 8
	var found []string
	for _, part := range strings.FieldsFunc(strings.Join(Secrets(header), " "), separates) {
		if len(part) >= long {
			found = append(found, part)
		}
	}
	return found
}

func separates(r rune) bool { return strings.ContainsRune(" ,;=", r) }
