package redact

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"sync"
)

// secretNames are how the names of secrets end, among those of headers and JSON keys,
// in lower case and without what separates words.
var secretNames = []string{
	"password", "passwd", "passphrase", "credentials", "secret", "token", "cookie", "authorization",
	"apikey", "accesskey", "secretkey", "privatekey", "subscriptionkey",
}

// isSecretName reports whether a name is that of a secret, however it is written.
func isSecretName(name string) bool {
	plain := strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(name, "-", ""), "_", ""))
	for _, end := range secretNames {
		if strings.HasSuffix(plain, end) {
			return true
		}
	}
	return lastPIN().MatchString(name)
}

// lastPIN finds PIN as the last word of a name. Others end so, too: spin.
var lastPIN = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^A-Za-z0-9])(?i:pin)$|[a-z0-9]P(?:in|IN)$`)
})

// namesSecret reports whether the key of a map names a secret.
func namesSecret(key reflect.Value) bool {
	return key.Kind() == reflect.String && isSecretName(key.String())
}

// NamedInJSON is Named for a document. A number is a text as it is written.
func NamedInJSON(document []byte) []string {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	return Named(value)
}

// Named returns the texts that values hold under keys of maps that are named as
// secrets, unless they are so short that they open nothing and stand anywhere. Of a
// cookie, or of a scheme and its credentials, each part is one, too, that is too long
// to be the name of another.
func Named(values ...any) []string {
	const short, long = 4, 8
	c := collector{seen: map[reference]bool{}, named: true}
	for _, v := range values {
		c.value(reflect.ValueOf(v), false)
	}
	var found []string
	for _, text := range c.found {
		if len(text) >= short {
			found = append(found, text)
		}
		for _, part := range strings.FieldsFunc(text, separates) {
			if len(part) >= long && part != text {
				found = append(found, part)
			}
		}
	}
	return found
}

func separates(r rune) bool { return strings.ContainsRune(` ,;="`, r) }
