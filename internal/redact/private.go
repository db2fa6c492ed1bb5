package redact

import (
	"regexp"
	"strings"
	"sync"
)

// privatePattern finds the JSON keys of what belongs to the people on the phone.
// A quote may have backslashes before it, in JSON that is quoted within JSON; the
// number of those before the value, too, tells what ends it.
const privatePattern = `(?i)"(?:(?:agent[_-]?)?meta[_-]?data|recording(?:[_-]?url)?)(\\*)"\s*:\s*([\[{]|\\*")`

var privateKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(privatePattern) })

// maskPrivate masks the values of these keys, whatever they hold and however long
// they are. Truths and numbers are settings and stay.
func maskPrivate(text string) string {
	var masked strings.Builder
	for {
		found := privateKey().FindStringSubmatchIndex(text)
		if found == nil {
			masked.WriteString(text)
			return masked.String()
		}
		backslashes, value := text[found[2]:found[3]], found[4]
		masked.WriteString(text[:value] + backslashes + `"` + Mark + backslashes + `"`)
		text = text[value+lengthOfValue(text[value:], len(backslashes)):]
	}
}

// lengthOfValue returns how much of the beginning of text is one JSON value: an
// object, a list or a text, or all of it if it was cut off. depth backslashes are
// before the quotes of its texts, and 2*(depth+1) stand for each of a text's own.
func lengthOfValue(text string, depth int) int {
	open, backslashes, quoted := 0, 0, false
	for i, c := range []byte(text) {
		if c == '\\' {
			backslashes++
			continue
		}
		switch {
		case c == '"' && backslashes%(2*(depth+1)) == depth:
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			open++
		case c == '}' || c == ']':
			open--
		}
		backslashes = 0
		if open == 0 && !quoted {
			return i + 1
		}
	}
	return len(text)
}
