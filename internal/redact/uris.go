package redact

import (
	"regexp"
	"strings"
	"sync"
)

// Patterns of what is secret in a URI: the password of its user, and in a query
// all that a storage service signs, with the signature, and what is named as a
// secret: a webhook has no header to put one in. What separates the parts may be
// escaped, for JSON or as a part of another URL.
const (
	colon = `(?::|%3a)`
	slash = `(?:\\*/|%2f)`
	// A SIP URI may have a slash or a question mark in the name of its user;
	// after the host of any other comes one or the other. If one comes first, what is
	// before it is a port, of digits, or a password that somebody forgot to escape.
	passwordPattern = `(?i)(sips?` + colon + `[^\s"<>@:]*?` + colon + `)[^\s"<>]*(@|%40)` +
		`|(` + colon + slash + slash + `[^\s"<>@:/?#]*?` + colon + `)[^\s"<>/?#]*(@|%40)` +
		`|(` + colon + slash + slash + `[^\s"<>@:/?#[]*?` + colon + `)[0-9]*[^\s"<>@/?#0-9][^\s"<>]*(@|%40)`
	signedPattern = `x-(?:amz|goog)-[a-z0-9-]+|(?:\b|%(?:25)*[0-9a-f]{2}|u00[0-9a-f]{2})(?:signature|sig)`
	namedPattern  = `(?:[?&;]|%(?:25)*(?:3f|26|3b)|u00(?:3f|26|3b))(?:(?:[a-z0-9_.-]*[_.-])?pin|[a-z0-9_.-]*(?:(?-i:[a-z0-9]P(?:in|IN))|{names}))`
	queryPattern  = `(?i)((?:` + signedPattern + `|` + namedPattern + `)(?:=|%(?:25)*3d|\\u003d))(?:[^\s"'<>\\&#]|\\+/)+`
)

type uriPatterns struct{ password, query *regexp.Regexp }

// compiledURIs returns the patterns, which are compiled when they are needed.
var compiledURIs = sync.OnceValue(func() uriPatterns {
	names := strings.ReplaceAll(strings.Join(secretNames, "|"), "key", "[_-]?key")
	return uriPatterns{
		password: regexp.MustCompile(passwordPattern),
		query:    regexp.MustCompile(strings.Replace(queryPattern, "{names}", names, 1)),
	}
})

// maskURIs masks what is secret in the URIs of a text.
func maskURIs(text string) string {
	if !strings.ContainsAny(text, `@=%\`) { // as most texts do not
		return text
	}
	known := compiledURIs()
	text = known.password.ReplaceAllString(text, `${1}${3}${5}`+Mark+`${2}${4}${6}`)
	return known.query.ReplaceAllString(text, `${1}`+Mark)
}

// Text masks in a text what is secret in its URIs, and the secrets given. It is
// for what a field holds; what comes from elsewhere as it is goes to [Scrub].
func Text(text string, secrets ...string) string {
	return maskURIs(mask(text, secrets))
}
