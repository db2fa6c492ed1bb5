// Package redact prints values without what must not be read in a log, and
// takes it out of texts that come from elsewhere.
//
// A struct field says what it holds in a tag: `redact:"secret"` for what opens
// something (a password, a PIN, a key), `redact:"private"` for what belongs to
// the people on the phone (metadata, raw answers). Neither is printed; a secret
// is also taken out of error texts.
package redact

import (
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mark stands where something was left out.
const Mark = "[redacted]"

const (
	tagName = "redact"
	secret  = "secret"
)

// Format implements fmt.Formatter for a type with tagged fields: every verb
// prints what %+v would, with the tagged fields masked.
func Format(f fmt.State, v any) {
	_, _ = f.Write([]byte(String(v)))
}

// LogValue implements slog.LogValuer for a type with tagged fields.
func LogValue(v any) slog.Value { return slog.StringValue(String(v)) }

// String prints a value with its tagged fields masked and its empty fields
// left out.
func String(v any) string {
	var p printer
	p.value(reflect.ValueOf(v))
	return p.String()
}

type printer struct{ strings.Builder }

func (p *printer) value(v reflect.Value) {
	if !v.IsValid() {
		p.WriteString("nil")
		return
	}
	if t, ok := v.Interface().(time.Time); ok {
		p.WriteString(t.Format(time.RFC3339Nano))
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		p.value(v.Elem())
	case reflect.Struct:
		p.structure(v)
	case reflect.Slice, reflect.Array:
		p.list(v)
	case reflect.Map:
		p.mapping(v)
	case reflect.String:
		p.WriteString(strconv.Quote(v.String()))
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		p.WriteString(v.Type().String())
	default:
		fmt.Fprint(p, v.Interface())
	}
}

func (p *printer) structure(v reflect.Value) {
	p.WriteString(v.Type().Name() + "{")
	first := true
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || v.Field(i).IsZero() {
			continue
		}
		if !first {
			p.WriteByte(' ')
		}
		first = false
		p.WriteString(field.Name + ":")
		if field.Tag.Get(tagName) != "" {
			p.WriteString(Mark)
			continue
		}
		p.value(v.Field(i))
	}
	p.WriteByte('}')
}

func (p *printer) list(v reflect.Value) {
	p.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			p.WriteByte(' ')
		}
		p.value(v.Index(i))
	}
	p.WriteByte(']')
}

func (p *printer) mapping(v reflect.Value) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	p.WriteString("map[")
	for i, key := range keys {
		if i > 0 {
			p.WriteByte(' ')
		}
		p.value(key)
		p.WriteByte(':')
		p.value(v.MapIndex(key))
	}
	p.WriteByte(']')
}

// Secrets returns the texts that v holds in fields tagged as secret.
func Secrets(v any) []string {
	var found []string
	collect(reflect.ValueOf(v), false, &found)
	return found
}

func collect(v reflect.Value, isSecret bool, found *[]string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		collect(v.Elem(), isSecret, found)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				collect(v.Field(i), isSecret || field.Tag.Get(tagName) == secret, found)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			collect(v.Index(i), isSecret, found)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			collect(v.MapIndex(key), isSecret, found)
		}
	case reflect.String:
		if isSecret && v.Len() > 0 {
			*found = append(*found, v.String())
		}
	}
}
