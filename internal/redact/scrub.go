package redact

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Patterns of secrets that are known by their looks or by their JSON key.
const (
	jwtPattern = `eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`
	keyPattern = `(?i)("(?:password|pin|secret|token|apikey|authorization|presignedurl)"\s*:\s*)"(?:[^"\\]|\\.)*("?)`
)

// Scrubber takes secrets out of texts that come from elsewhere: a server that
// echoes the request in its error, a proxy that quotes a header.
type Scrubber struct {
	jwt, keyed *regexp.Regexp
}

// NewScrubber returns a Scrubber.
func NewScrubber() *Scrubber {
	return &Scrubber{jwt: regexp.MustCompile(jwtPattern), keyed: regexp.MustCompile(keyPattern)}
}

// Scrub masks in text everything that looks like a secret, and the literal
// secrets given, also in the form that JSON writes them in.
func (s *Scrubber) Scrub(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		text = strings.ReplaceAll(text, secret, Mark)
		if quoted, err := json.Marshal(secret); err == nil {
			text = strings.ReplaceAll(text, string(quoted[1:len(quoted)-1]), Mark)
		}
	}
	text = s.jwt.ReplaceAllString(text, Mark)
	return s.keyed.ReplaceAllString(text, `${1}"`+Mark+`${2}`)
}
