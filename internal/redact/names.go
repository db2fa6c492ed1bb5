package redact

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"sync"
)

// secretName finds the names of secrets among those of headers and JSON keys.
var secretName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:password|secret|token|cookie|authorization|(?:api|access|subscription)[_-]?key|(?:^|[_-])pin)$`)
})

// namesSecret reports whether the key of a map names a secret.
func namesSecret(key reflect.Value) bool {
	return key.Kind() == reflect.String && secretName().MatchString(key.String())
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
	for name, values := range header {
		if !secretName().MatchString(name) {
			continue
		}
		for part := range strings.FieldsFuncSeq(strings.Join(values, " "), func(r rune) bool { return strings.ContainsRune(" ,;=", r) }) {
			if len(part) >= long {
				found = append(found, part)
			}
		}
	}
	return found
}
