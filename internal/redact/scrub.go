package redact

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Patterns of secrets that are known by their looks or by their JSON key. A
// quote may have backslashes before it, in JSON that is quoted within JSON.
const (
	jwtPattern    = `eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`
	keyPattern    = `(?is)("(?:password|pin|secret|token|apikey|authorization|presignedurl)\\*"\s*:\s*)`
	textPattern   = keyPattern + `(\\*")(?:[^"\\]|\\.)*\\?("?)`
	numberPattern = keyPattern + `[0-9]+`
)

// Scrubber takes secrets out of texts that come from elsewhere: a server that
// echoes the request in its error, a proxy that quotes a header.
type Scrubber struct {
	jwt, text, number *regexp.Regexp
}

// NewScrubber returns a Scrubber.
func NewScrubber() *Scrubber {
	return &Scrubber{
		jwt:    regexp.MustCompile(jwtPattern),
		text:   regexp.MustCompile(textPattern),
		number: regexp.MustCompile(numberPattern),
	}
}

// Scrub masks in text everything that looks like a secret, and the secrets
// given, in whatever way JSON or a URL writes them. A text that is also to be
// shortened must be scrubbed first: half a secret is not found.
func (s *Scrubber) Scrub(text string, secrets ...string) string {
	text = mask(text, secrets)
	text = s.jwt.ReplaceAllLiteralString(text, Mark)
	text = s.text.ReplaceAllString(text, `${1}${2}`+Mark+`${3}`)
	return s.number.ReplaceAllString(text, `${1}"`+Mark+`"`)
}

// mask looks for all secrets at once, the longest first, so that none is found
// in a part of another, or in the mark that stands for another.
func mask(text string, secrets []string) string {
	var spellings []spelling
	for _, secret := range slices.SortedFunc(slices.Values(secrets), longestFirst) {
		spellings = append(spellings, spell(secret))
	}
	var masked strings.Builder
	for text != "" {
		if n := firstAt(text, spellings); n > 0 {
			masked.WriteString(Mark)
			text = text[n:]
		} else {
			masked.WriteByte(text[0])
			text = text[1:]
		}
	}
	return masked.String()
}

func longestFirst(a, b string) int { return len(b) - len(a) }

// firstAt returns the length of the first secret that text begins with, or 0.
func firstAt(text string, secrets []spelling) int {
	for _, secret := range secrets {
		if n := secret.at(text); n > 0 {
			return n
		}
	}
	return 0
}

// spelling is the characters of a secret, to be found as they are and as
// somebody may have escaped them: every writer of JSON and of URLs escapes
// different ones, and a SIP password or the query of a presigned URL comes back
// in both.
//
// There are no backslashes in it: they come in any number, for JSON within
// JSON doubles them, so they are not looked at.
type spelling []string

func spell(secret string) spelling {
	return strings.Split(strings.ReplaceAll(secret, `\`, ""), "")
}

// at returns how much of the beginning of text is the secret, or 0.
func (s spelling) at(text string) int {
	rest := text
	for _, character := range s {
		bare := skipBackslashes(rest)
		n := lengthOf(character, bare, len(bare) < len(rest))
		if n == 0 {
			return 0
		}
		rest = bare[n:]
	}
	return len(text) - len(rest)
}

// skipBackslashes also skips those that are escaped themselves.
func skipBackslashes(text string) string {
	for {
		n := lengthOf(`\`, text, false)
		if n == 0 {
			return text
		}
		text = text[n:]
		text = text[lengthOfEscape(`\`, text):]
	}
}

// lengthOf returns how much of the beginning of text is the character; escaped
// says that a backslash was before it.
func lengthOf(character, text string, escaped bool) int {
	switch {
	case strings.HasPrefix(text, character):
		return len(character)
	case character == " " && strings.HasPrefix(text, "+"):
		return 1
	case strings.HasPrefix(text, "%"):
		n := min(len("%00")*len(character), len(text))
		if s, err := url.PathUnescape(text[:n]); err == nil && s == character {
			return n
		}
	case escaped:
		return lengthOfEscape(character, text)
	}
	return 0
}

// lengthOfEscape returns how much of the beginning of text, after a backslash,
// is the character in JSON.
func lengthOfEscape(character, text string) int {
	for _, n := range []int{len("n"), len("u00e9"), len(`ud83d\ude00`)} {
		var s string
		if n <= len(text) && json.Unmarshal([]byte(`"\`+text[:n]+`"`), &s) == nil && s == character {
			return n
		}
	}
	return 0
}
