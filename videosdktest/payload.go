package videosdktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// decode reads the body, a JSON object, into the struct that dst points to. Keys
// match in their exact case only, which encoding/json would not insist on. A
// null counts as left out, no body as an empty object, and a string that spells
// a boolean or an integer as that, in a list of them too.
func (r *request) decode(dst any) error {
	body := bytes.TrimSpace(r.payload)
	if len(body) == 0 {
		return nil
	}
	if body[0] != '{' || !json.Valid(body) {
		return badRequest("Request body must be a JSON object")
	}
	return assign(reflect.ValueOf(dst).Elem(), body, "")
}

func assign(dst reflect.Value, raw json.RawMessage, path string) error {
	if string(raw) == "null" {
		return nil
	}
	switch dst.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		return assign(dst.Elem(), raw, path)
	case reflect.Struct:
		return assignFields(dst, raw, path)
	case reflect.Bool:
		raw = unquote(raw)
	case reflect.Int, reflect.Int64:
		raw = integer(unquote(raw))
	case reflect.Slice:
		if dst.Type().Elem().Kind() == reflect.Int {
			raw = integers(raw)
		}
	}
	if err := json.Unmarshal(raw, dst.Addr().Interface()); err != nil {
		return badRequest("%s must be %s", path, describe(dst.Type()))
	}
	return nil
}

// assignFields sets the fields of a struct, those of embedded ones included.
func assignFields(dst reflect.Value, raw json.RawMessage, path string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return badRequest("%s must be %s", path, describe(dst.Type()))
	}
	for i := range dst.NumField() {
		field := dst.Type().Field(i)
		value, key, fieldPath := raw, jsonKey(field), path
		if !field.Anonymous {
			value, fieldPath = object[key], strings.TrimPrefix(path+"."+key, ".")
		}
		if value == nil {
			continue
		}
		if err := assign(dst.Field(i), value, fieldPath); err != nil {
			return err
		}
	}
	return nil
}

func jsonKey(field reflect.StructField) string {
	key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return key
}

// unquote takes a boolean or a number out of the string that spells it.
func unquote(raw json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return raw
	}
	return json.RawMessage(text)
}

// integer writes a whole number such as 30.0, or 3e1, as encoding/json wants it.
func integer(raw json.RawMessage) json.RawMessage {
	var n float64
	if json.Unmarshal(raw, &n) != nil || n != math.Trunc(n) || math.Abs(n) > 1<<53 {
		return raw // no such number, or one that a float64 may not hold exactly
	}
	return strconv.AppendInt(nil, int64(n), 10)
}

// integers takes each element of a list as assign takes an integer alone.
func integers(raw json.RawMessage) json.RawMessage {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return raw
	}
	for i, element := range elements {
		elements[i] = integer(unquote(element))
	}
	spelled, err := json.Marshal(elements)
	if err != nil {
		return raw // of strings that spell nothing
	}
	return spelled
}

func describe(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Int, reflect.Int64:
		return "an integer"
	case reflect.Slice:
		return "a list of " + strings.TrimPrefix(strings.TrimPrefix(describe(t.Elem()), "a "), "an ") + "s"
	default:
		return "an object"
	}
}

func badRequest(format string, args ...any) error {
	return &statusError{status: http.StatusBadRequest, text: fmt.Sprintf(format, args...)}
}

// list is a list of strings that shows as [] when there are none.
type list []string

func (l list) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]string{}, l...))
}

// nullable is a string that shows as null when it is empty.
type nullable string

func (n nullable) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(n))
}

// timestamp is the time as the API writes it: UTC, in milliseconds.
func timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// pageSize is what a list makes of perPage.
type pageSize struct{ byDefault, limit int }

// usualPageSize is that of every list for which no other is documented.
func usualPageSize() pageSize { return pageSize{byDefault: 10, limit: math.MaxInt} }

// page is one page of a list.
type page[T any] struct {
	PageInfo pageInfo `json:"pageInfo"`
	Data     []T      `json:"data"`
}

type pageInfo struct {
	CurrentPage int `json:"currentPage"`
	PerPage     int `json:"perPage"`
	LastPage    int `json:"lastPage"`
	Total       int `json:"total"`
}

// paginate cuts the page out of items that the query asks for by page and
// perPage. A page beyond the last is empty; a perPage beyond the limit is the
// limit.
func paginate[T any](query url.Values, items []T, size pageSize) (page[T], error) {
	current, err := positive(query, "page", 1)
	if err != nil {
		return page[T]{}, err
	}
	perPage, err := positive(query, "perPage", size.byDefault)
	if err != nil {
		return page[T]{}, err
	}
	perPage = min(perPage, size.limit)
	last := max(1, (len(items)-1)/perPage+1)
	data := []T{}
	if current <= last {
		rest := items[(current-1)*perPage:]
		data = append(data, rest[:min(perPage, len(rest))]...)
	}
	return page[T]{
		PageInfo: pageInfo{CurrentPage: current, PerPage: perPage, LastPage: last, Total: len(items)},
		Data:     data,
	}, nil
}

// mapPage returns the page with every item replaced by what show makes of it.
func mapPage[T, U any](p page[T], show func(T) U) page[U] {
	shown := page[U]{PageInfo: p.PageInfo, Data: make([]U, len(p.Data))}
	for i, item := range p.Data {
		shown.Data[i] = show(item)
	}
	return shown
}

// positive reads an integer of at least 1 from the query.
func positive(query url.Values, key string, byDefault int) (int, error) {
	text := query.Get(key)
	if text == "" {
		return byDefault, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, badRequest("%s must be a positive integer", key)
	}
	return n, nil
}
