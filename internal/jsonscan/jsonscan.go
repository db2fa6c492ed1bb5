// Package jsonscan finds the parts of a JSON text without decoding it, so that
// a resource can keep the very bytes that it was decoded from. It does not
// check the text: what decodes it does that. On text that is not JSON its
// answers mean nothing, but it ends and does not panic.
package jsonscan

import "bytes"

// Member returns the value of a key of the object that data holds, nil if there
// is none. Of several with the same key it returns the last one, as decoders
// do. The key must be written without escapes. The value shares memory with
// data.
func Member(data []byte, key string) []byte {
	return Members(data, key)[0]
}

// Members returns the values of several keys, as Member does.
func Members(data []byte, keys ...string) [][]byte {
	found := make([][]byte, len(keys))
	each(data, '{', func(name, value []byte) {
		for i, key := range keys {
			if string(name) == key {
				found[i] = value
			}
		}
	})
	return found
}

// Elements returns the elements of the array that data holds. They share memory
// with data.
func Elements(data []byte) [][]byte {
	elements := make([][]byte, 0, 16)
	each(data, '[', func(_, value []byte) { elements = append(elements, value) })
	return elements
}

// each calls yield with every value of the object or array that data holds, and
// with its name in an object.
func each(data []byte, open byte, yield func(name, value []byte)) {
	i := skipSpace(data, 0)
	if i >= len(data) || data[i] != open {
		return
	}
	for i++; i < len(data); i++ {
		i = skipSpace(data, i)
		if i >= len(data) || data[i] == '}' || data[i] == ']' {
			return
		}
		var name []byte
		if open == '{' {
			end := skipValue(data, i)
			name = bytes.Trim(data[i:end], `"`)
			if i = skipSpace(data, end); i >= len(data) || data[i] != ':' {
				return
			}
			i = skipSpace(data, i+1)
		}
		end := skipValue(data, i)
		if end == i {
			return
		}
		yield(name, data[i:end:end])
		i = skipSpace(data, end) // at the comma, or at the end
		if i >= len(data) || data[i] != ',' {
			return
		}
	}
}

// skipSpace returns the index of the first byte from i on that is no white
// space.
func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the index behind the value that begins at i.
func skipValue(data []byte, i int) int {
	for depth := 0; i < len(data); {
		switch data[i] {
		case '"':
			i = skipString(data, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth--; depth < 0 {
				return i // the end of what the value is in
			}
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++ // part of a number or a word, which a separator ends
			continue
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// skipString returns the index behind the string that begins at i.
func skipString(data []byte, i int) int {
	for i++; i < len(data); i++ {
		quote := bytes.IndexByte(data[i:], '"')
		if quote < 0 {
			return len(data)
		}
		begin := i
		i += quote
		escapes := 0
		for escapes < i-begin && data[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
	return len(data)
}
