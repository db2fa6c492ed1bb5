// Package jsonscan finds the parts of a JSON text without decoding it, so that
// a resource can keep the very bytes that it was decoded from. It does not
// check the text: what decodes it does that. On text that is not JSON its
// answers mean nothing, but it ends and does not panic.
//
// What it returns shares memory with the text.
package jsonscan

import (
	"bytes"
	"strings"
)

// Members calls yield with the name and the value of each member of the object
// that data holds. Names are as they are written, escapes and all.
func Members(data []byte, yield func(name, value []byte)) {
	walk(data, skipSpace(data, 0), '{', func(name []byte, i int) int {
		end := skipValue(data, i)
		yield(name, data[i:end:end])
		return end
	})
}

// Member returns the value of a member of the object that data holds, nil if
// there is none. Of several with the same name it returns the last one, as
// decoders do. The value is the sole one if a decoder can take no other for it:
// decoders ignore case, know escapes, and mix what has the same name.
func Member(data []byte, key string) (value []byte, sole bool) {
	if !mentions(data, key) {
		return nil, false
	}
	others := false
	Members(data, func(name, v []byte) {
		switch {
		case string(name) == key:
			others = others || value != nil
			value = v
		case looksLike(name, key):
			others = true
		}
	})
	return value, value != nil && !others
}

// SoleList returns the elements of the array that is the sole member with that
// name. When there are more than limit, it returns the first limit+1 of them.
func SoleList(data []byte, key string, limit int) [][]byte {
	if !mentions(data, key) {
		return nil
	}
	var list [][]byte
	found, others := false, false
	walk(data, skipSpace(data, 0), '{', func(name []byte, i int) (end int) {
		switch {
		case string(name) == key && !found:
			found = true
			list, end = elements(data, i, limit)
			return end
		case looksLike(name, key):
			others = true
		}
		return skipValue(data, i)
	})
	if others {
		return nil
	}
	return list
}

// mentions reports whether a text may have a member with that name: most have
// not, and are spared a scan. If there is a capital in the name, it looks for what
// begins with that: what begins with a common byte is found slowly.
func mentions(data []byte, key string) bool {
	name := append(append(append(make([]byte, 0, 32), '"'), key...), '"') // without an allocation
	rare := name
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			rare = name[i:]
			break
		}
	}
	for from := 0; ; {
		i := bytes.Index(data[from:], rare)
		if i < 0 {
			return false
		}
		if from += i + len(rare); bytes.HasSuffix(data[:from], name) {
			return true
		}
	}
}

// looksLike reports whether a decoder may read name, as it is written, as key.
func looksLike(name []byte, key string) bool {
	return strings.EqualFold(string(name), key) || bytes.IndexByte(name, '\\') >= 0
}

// Exceeds reports whether the array that data holds has more than limit elements.
func Exceeds(data []byte, limit int) bool {
	found, _ := elements(data, skipSpace(data, 0), limit)
	return len(found) > limit
}

// elements returns the elements of the array that begins at i, limit+1 at most,
// and the index behind the last of them or, if they are all, behind the array.
func elements(data []byte, i, limit int) (found [][]byte, end int) {
	end = walk(data, i, '[', func(_ []byte, i int) int {
		if len(found) > limit {
			return i // which ends the walk
		}
		end := skipValue(data, i)
		found = append(found, data[i:end:end])
		return end
	})
	return found, end
}

// walk calls visit with the index of each value of the object or array that
// begins at i, and with its name in an object. visit returns the index behind
// the value, and so does walk.
func walk(data []byte, i int, open byte, visit func(name []byte, i int) (end int)) (end int) {
	if i >= len(data) || data[i] != open {
		return skipValue(data, i)
	}
	for i++; i < len(data); i++ {
		i = skipSpace(data, i)
		if i >= len(data) || data[i] == '}' || data[i] == ']' {
			return min(i+1, len(data))
		}
		var name []byte
		if open == '{' {
			end := skipValue(data, i)
			name = bytes.TrimSuffix(bytes.TrimPrefix(data[i:end], []byte{'"'}), []byte{'"'})
			if i = skipSpace(data, end); i >= len(data) || data[i] != ':' {
				return len(data)
			}
			i = skipSpace(data, i+1)
		}
		end := visit(name, i)
		if end == i {
			return len(data)
		}
		i = skipSpace(data, end) // at the comma, or at the end
		if i >= len(data) || data[i] != ',' {
			return min(i+1, len(data))
		}
	}
	return len(data)
}

// TrimLeft returns data from the first byte on that is no white space.
func TrimLeft(data []byte) []byte { return data[skipSpace(data, 0):] }

// skipSpace returns the index of the first byte from i on that is no white
// space.
func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// kind is what a byte outside of strings means to the structure of a text.
type kind uint8

const (
	plain kind = iota
	quote
	opening
	closing
	separator
)

var kinds = [256]kind{
	'"': quote,
	'{': opening, '[': opening,
	'}': closing, ']': closing,
	',': separator, ':': separator, ' ': separator, '\n': separator, '\t': separator, '\r': separator,
}

// skipValue returns the index behind the value that begins at i.
func skipValue(data []byte, i int) int {
	if i >= len(data) {
		return len(data)
	}
	switch kinds[data[i]] {
	case quote:
		return skipString(data, i+1)
	case opening:
		return skipNested(data, i+1)
	default:
		for i < len(data) && kinds[data[i]] == plain {
			i++
		}
		return i
	}
}

// skipNested returns the index behind the object or array in which i is.
func skipNested(data []byte, i int) int {
	for depth := 1; i < len(data); {
		k := kinds[data[i]]
		i++
		switch k {
		case quote:
			i = skipString(data, i)
		case opening:
			depth++
		case closing:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(data)
}

// skipString returns the index behind the string in which i is.
func skipString(data []byte, i int) int {
	for i < len(data) {
		c := data[i]
		i++
		if c == '"' {
			return i
		}
		if c == '\\' {
			i++
		}
	}
	return len(data)
}
