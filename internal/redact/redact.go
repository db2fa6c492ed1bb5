// Package redact prints values without what must not be read in a log, and
// takes it out of texts that come from elsewhere.
//
// A struct field says what it holds in a tag: `redact:"secret"` for what opens
// something (a password, a PIN, a key), `redact:"private"` for what belongs to
// the people on the phone (metadata, raw answers). Neither is printed; a secret
// is also taken out of error texts. Of what has no tags, names tell the secrets.
package redact

import (
	"cmp"
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
	p := printer{path: map[reference]bool{}}
	p.value(reflect.ValueOf(v))
	return p.String()
}

type printer struct {
	strings.Builder

	path    map[reference]bool // what is being printed, from the outside in
	secrets []string           // of the structs that are
}

func (p *printer) value(v reflect.Value) {
	if !v.IsValid() {
		p.WriteString("nil")
		return
	}
	if ref, ok := referenceOf(v); ok {
		if p.path[ref] {
			p.WriteString("(itself)")
			return
		}
		p.path[ref] = true
		defer delete(p.path, ref)
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
		p.WriteString(strconv.Quote(Text(v.String(), p.secrets...)))
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		p.WriteString(v.Type().String())
	default:
		fmt.Fprint(p, v.Interface())
	}
}

func (p *printer) structure(v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		p.WriteString(v.Interface().(time.Time).Format(time.RFC3339Nano))
		return
	}
	outer := p.secrets
	p.secrets = append(slices.Clip(outer), longSecrets(v)...)
	defer func() { p.secrets = outer }()
	p.WriteString(v.Type().Name() + "{")
	first := true
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !isRead(field) || v.Field(i).IsZero() {
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

// longSecrets returns what the secret fields of a struct hold that is so long that
// it stands nowhere else by chance: a mark wherever a short PIN stands would tell
// it.
func longSecrets(structure reflect.Value) []string {
	const long = 16
	c := collector{seen: map[reference]bool{}}
	for i := range structure.NumField() {
		if field := structure.Type().Field(i); isRead(field) && field.Tag.Get(tagName) == secret {
			c.value(structure.Field(i), true)
		}
	}
	return slices.DeleteFunc(c.found, func(text string) bool { return len(text) < long })
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
	p.WriteString("map[")
	for i, e := range entriesOf(v) {
		if i > 0 {
			p.WriteByte(' ')
		}
		p.value(e.key)
		p.WriteByte(':')
		if namesSecret(e.key) {
			p.WriteString(Mark)
			continue
		}
		p.value(e.value)
	}
	p.WriteByte(']')
}

// entry is one of a map.
type entry struct{ key, value reflect.Value }

// entriesOf returns those of a map in the order of their keys. They are pointers because
// the code that sorts these is in every program already.
func entriesOf(v reflect.Value) []*entry {
	var entries []*entry
	for each := v.MapRange(); each.Next(); {
		entries = append(entries, &entry{each.Key(), each.Value()})
	}
	slices.SortFunc(entries, byKey)
	return entries
}

// byKey puts numbers in their order and everything else in that of its text.
func byKey(a, b *entry) int {
	if a.key.CanInt() && b.key.CanInt() {
		return cmp.Compare(a.key.Int(), b.key.Int())
	}
	return strings.Compare(fmt.Sprint(a.key), fmt.Sprint(b.key))
}

// isRead reports whether a field is one that encoding/json would encode too:
// an exported one, or an embedded struct, whose exported fields count as those
// of the struct around it.
func isRead(f reflect.StructField) bool {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return f.IsExported() || f.Anonymous && t.Kind() == reflect.Struct
}

// reference is what leads from one value to another, and so perhaps back.
type reference struct {
	address uintptr
	length  int
	kind    reflect.Type
	secret  bool // where it makes a difference
}

func referenceOf(v reflect.Value) (reference, bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map:
		return reference{address: v.Pointer(), kind: v.Type()}, !v.IsNil()
	case reflect.Slice:
		return reference{address: v.Pointer(), length: v.Len(), kind: v.Type()}, v.Len() > 0
	default:
		return reference{}, false
	}
}

// Secrets returns the texts that v holds in fields tagged as secret.
func Secrets(v any) []string {
	c := collector{seen: map[reference]bool{}}
	c.value(reflect.ValueOf(v), false)
	return c.found
}

type collector struct {
	found []string
	seen  map[reference]bool
	named bool // what is named as a secret is one
}

func (c *collector) value(v reflect.Value, isSecret bool) {
	if ref, ok := referenceOf(v); ok {
		ref.secret = isSecret
		if c.seen[ref] {
			return
		}
		c.seen[ref] = true
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		c.value(v.Elem(), isSecret)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); isRead(field) {
				c.value(v.Field(i), isSecret || field.Tag.Get(tagName) == secret)
			}
		}
	case reflect.Slice, reflect.Array:
		c.list(v, isSecret)
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			c.value(each.Value(), isSecret || c.named && namesSecret(each.Key()))
		}
	case reflect.String:
		c.text(v.String(), isSecret)
	}
}

func (c *collector) list(v reflect.Value, isSecret bool) {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		c.text(string(v.Bytes()), isSecret)
		return
	}
	for i := range v.Len() {
		c.value(v.Index(i), isSecret)
	}
}

func (c *collector) text(s string, isSecret bool) {
	if isSecret && s != "" {
		c.found = append(c.found, s)
	}
}
