package redact

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Patterns of secrets that are known by their looks or by their JSON key. A quote
// may have backslashes before it, in JSON that is quoted within JSON.
const (
	jwtPattern = `eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`
	keyPattern = `(?is)("(?:(?:access|auth|client|sip|x|proxy)[_-]?)?` +
		`(?:password|passwd|passphrase|credentials|pin|secret|token|private[_-]?key|api[_-]?key|api[_-]?secret|authorization|presigned[_-]?url|cdn[_-]?url)\\*"\s*:\s*)`
	textPattern   = keyPattern + `(\\*")(?:[^"\\]|\\.)*\\?("?)`
	numberPattern = keyPattern + `[0-9]+`
)

type patterns struct{ jwt, text, number *regexp.Regexp }

// compiled returns the patterns, which are compiled when there is something to
// scrub: most clients never see an error, and all are to start fast.
var compiled = sync.OnceValue(func() patterns {
	return patterns{
		jwt:    regexp.MustCompile(jwtPattern),
		text:   regexp.MustCompile(textPattern),
		number: regexp.MustCompile(numberPattern),
	}
})

// Scrub takes secrets out of a text that comes from elsewhere: a server that echoes
// the request in its error, a proxy that quotes a header. It masks everything that
// looks like a secret, and the secrets given, in whatever way JSON, a URL or HTML
// writes them. A text that is also to be shortened must be scrubbed first: half a
// secret is not found.
func Scrub(text string, secrets ...string) string {
	text = mask(text, secrets)
	known := compiled()
	text = known.jwt.ReplaceAllLiteralString(text, Mark)
	text = known.text.ReplaceAllString(text, `${1}${2}`+Mark+`${3}`)
	text = known.number.ReplaceAllString(text, `${1}"`+Mark+`"`)
	return maskURIs(maskPrivate(text))
}

// mask looks for all secrets at once, the longest first, so that none is found
// in a part of another, or in the mark that stands for another.
func mask(text string, secrets []string) string {
	return newSearch(text, secrets).masked()
}

// patience is how many characters are compared for each of the text, on average,
// besides two for each secret. Few texts take any of them. One that repeats
// itself, as the secret does, would take as many as the secret is long.
const patience = 32

// search looks for secrets in a text that somebody else wrote.
type search struct {
	text     string
	bare     []int               // see bareFrom
	secrets  []spelling          // the longest first
	by       map[byte][]spelling // the same, by their first byte
	compared int                 // characters, so far
}

func newSearch(text string, secrets []string) *search {
	s := &search{text: text, bare: bareFrom(text), by: make(map[byte][]spelling)}
	secrets = slices.Clone(secrets)
	slices.SortFunc(secrets, longestFirst)
	for _, secret := range secrets {
		if spelled := spell(secret); len(spelled) > 0 {
			s.secrets = append(s.secrets, spelled)
			first := spelled[0][0]
			s.by[first] = append(s.by[first], spelled)
		}
	}
	return s
}

// masked returns the text without the secrets. Where patience ends, it leaves out
// the rest: what has not been searched may hold a secret.
func (s *search) masked() string {
	var masked strings.Builder
	enough := len(s.text) * (2*len(s.secrets) + patience)
	for i := 0; i < len(s.text); {
		end := s.firstAt(i)
		if s.compared > enough {
			end = len(s.text)
		}
		if end > i {
			masked.WriteString(Mark)
			i = end
		} else {
			masked.WriteByte(s.text[i])
			i++
		}
	}
	return masked.String()
}

func longestFirst(a, b string) int { return len(b) - len(a) }

// spelling is the characters of a secret, to be found as they are and as
// somebody may have escaped them: every writer of JSON, of URLs and of HTML escapes
// different ones, and a SIP password or the query of a presigned URL comes back
// in both.
//
// There are no backslashes in it: they come in any number, for JSON within
// JSON doubles them, so they are not looked at.
type spelling []string

func spell(secret string) spelling {
	return strings.Split(strings.ReplaceAll(secret, `\`, ""), "")
}

// bareFrom returns, for each index of text, that of the first character from
// there on that is no backslash, nor part of one that is escaped itself. All are
// found together, from the end on: to look for each by itself would take a text
// of nothing else the square of its length.
func bareFrom(text string) []int {
	bare := make([]int, len(text)+1)
	bare[len(text)] = len(text)
	for i := len(text) - 1; i >= 0; i-- {
		bare[i] = i
		if lengths := lengthsOf(`\`, text[i:], false); lengths != nil {
			next := i + lengths[0]
			bare[i] = bare[next+lengthOfEscape(`\`, text[next:])]
		}
	}
	return bare
}

// firstAt returns where the first secret ends that begins at i, or i if there is
// none.
func (s *search) firstAt(i int) int {
	for _, secret := range s.beginningAt(i) {
		if end := s.at(i, secret); end > i {
			return end
		}
	}
	return i
}

// beginningAt returns the secrets that may begin at i: of hundreds only a few, unless
// there may be an escape.
func (s *search) beginningAt(i int) []spelling {
	bare := s.bare[i]
	text := s.text[bare:]
	if bare > i || text == "" || strings.ContainsRune("%&+", rune(text[0])) {
		return s.secrets
	}
	return s.by[text[0]]
}

// at returns where the secret ends that begins at i, or i if it does not. A
// percent sign may be itself or begin an escape, and so may an ampersand: both are
// followed.
func (s *search) at(i int, secret spelling) int {
	ends := []int{i}
	for _, character := range secret {
		var next []int
		for _, end := range ends {
			s.compared++
			bare := s.bare[end]
			for _, n := range lengthsOf(character, s.text[bare:], bare > end) {
				next = append(next, bare+n)
			}
		}
		if next == nil {
			return i
		}
		slices.Sort(next)
		ends = slices.Compact(next)
	}
	return slices.Max(ends)
}

// lengthsOf returns how much of the beginning of text may be the character;
// escaped says that a backslash was before it.
func lengthsOf(character, text string, escaped bool) []int {
	var lengths []int
	if strings.HasPrefix(text, character) {
		lengths = append(lengths, len(character))
	}
	n := 0
	switch {
	case character == " " && strings.HasPrefix(text, "+"):
		n = 1
	case strings.HasPrefix(text, "%"):
		n = lengthOfPercent(character, text)
	case strings.HasPrefix(text, "&"):
		n = lengthOfEntity(character, text)
	case escaped:
		n = lengthOfEscape(character, text)
	}
	if n > 0 {
		lengths = append(lengths, n)
	}
	// JSON by Go writes the ampersand of an entity so.
	if escaped && strings.HasPrefix(text, "u0026") {
		if n := lengthOfEntity(character, text[len("u002"):]); n > 0 {
			lengths = append(lengths, len("u002")+n)
		}
	}
	return lengths
}

// lengthOfPercent returns how much of the beginning of text is the character in
// a URL.
func lengthOfPercent(character, text string) int {
	n := min(len("%00")*len(character), len(text))
	if s, err := url.PathUnescape(text[:n]); err == nil && s == character {
		return n
	}
	return 0
}

// lengthOfEntity returns how much of the beginning of text, where there is an ampersand
// or the end of one, is the character in HTML or XML.
func lengthOfEntity(character, text string) int {
	const longest = len("&CounterClockwiseContourIntegral;")
	name, _, ends := strings.Cut(text[1:min(len(text), longest)], ";")
	if ends && (names(name, character) || spells(name, character)) {
		return len("&;") + len(name)
	}
	return 0
}

// names reports whether name may be that of the character. It takes every name for
// every character that has one: which of them it is does not matter beside the rest
// of a secret, and a table of two thousand would make a program 80 KiB larger. A
// backslash has nothing beside it, see spelling.
func names(name, character string) bool {
	if character == `\` {
		return name == "bsol"
	}
	return isWord(name) && !isWord(character)
}

// spells reports whether name, such as #38 or #x26, is the number of the character.
func spells(name, character string) bool {
	number, isNumber := strings.CutPrefix(strings.ToLower(name), "#")
	digits, isHex := strings.CutPrefix(number, "x")
	base := 10
	if isHex {
		base = 16
	}
	code, err := strconv.ParseUint(digits, base, 31)
	return isNumber && err == nil && string(rune(code)) == character
}

// isWord reports whether text is of letters and digits, which have no names in HTML.
func isWord(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// lengthOfEscape returns how much of the beginning of text, after a backslash,
// is the character in JSON.
func lengthOfEscape(character, text string) int {
	lengths := []int{len("n")}
	if strings.HasPrefix(text, "u") {
		lengths = []int{len("u00e9"), len(`ud83d\ude00`)}
	}
	for _, n := range lengths {
		var s string
		if n <= len(text) && json.Unmarshal([]byte(`"\`+text[:n]+`"`), &s) == nil && s == character {
			return n
		}
	}
	return 0
}
