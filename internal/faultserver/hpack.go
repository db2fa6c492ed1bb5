package faultserver

import (
	"bytes"
	"errors"
)

// hpack decodes the header blocks of one connection (RFC 7541). Nobody sends
// more than a client of net/http does: the table keeps its first size.
type hpack struct {
	dynamic []field // the newest first
	size    int     // as the protocol counts it
}

type field struct{ name, value string }

const (
	maxTableSize  = 4096
	entryOverhead = 32
)

// encode writes the field as a literal without Huffman coding, which any
// decoder must take.
func (f field) encode(b *bytes.Buffer) {
	b.WriteByte(0)
	for _, s := range []string{f.name, f.value} {
		encodeInt(b, len(s))
		b.WriteString(s)
	}
}

// encodeInt writes the length of a string that is not Huffman coded.
func encodeInt(b *bytes.Buffer, n int) {
	const prefix = 127
	if n < prefix {
		b.WriteByte(byte(n))
		return
	}
	b.WriteByte(prefix)
	for n -= prefix; n >= 128; n >>= 7 {
		b.WriteByte(byte(n) | 128)
	}
	b.WriteByte(byte(n))
}

var errHPACK = errors.New("the header block is not HPACK")

func (h *hpack) decode(block []byte) ([]field, error) {
	var fields []field
	for d := (&decoder{rest: block}); len(d.rest) > 0; {
		f, ok := h.decodeOne(d)
		if d.err != nil {
			return nil, d.err
		}
		if ok {
			fields = append(fields, f)
		}
	}
	return fields, nil
}

// decodeOne decodes what the block goes on with. It need not be a field.
func (h *hpack) decodeOne(d *decoder) (f field, ok bool) {
	switch first := d.rest[0]; {
	case first >= 0x80:
		return h.entry(d, d.int(7)), true
	case first >= 0x40:
		f = h.literal(d, 6)
		h.add(f)
		return f, true
	case first >= 0x20:
		if d.int(5) != maxTableSize {
			d.err = errHPACK
		}
		return field{}, false
	default:
		return h.literal(d, 4), true
	}
}

func (h *hpack) literal(d *decoder, prefix int) field {
	var f field
	if index := d.int(prefix); index != 0 {
		f.name = h.entry(d, index).name
	} else {
		f.name = d.string()
	}
	f.value = d.string()
	return f
}

// entry returns what stands in the tables at an index, which counts from 1.
func (h *hpack) entry(d *decoder, index int) field {
	index--
	switch {
	case index >= 0 && index < len(staticTable):
		return staticTable[index]
	case index >= 0 && index-len(staticTable) < len(h.dynamic):
		return h.dynamic[index-len(staticTable)]
	default:
		d.err = errHPACK
		return field{}
	}
}

func (f field) size() int { return len(f.name) + len(f.value) + entryOverhead }

func (h *hpack) add(f field) {
	h.dynamic = append([]field{f}, h.dynamic...)
	h.size += f.size()
	for h.size > maxTableSize {
		last := len(h.dynamic) - 1
		h.size -= h.dynamic[last].size()
		h.dynamic = h.dynamic[:last]
	}
}

// decoder reads the numbers and strings of a block. After an error it reads
// zeroes.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.err = errHPACK
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

// int reads a number that begins in the last bits of a byte.
func (d *decoder) int(prefix int) int {
	limit := 1<<prefix - 1
	n := int(d.byte()) & limit
	if n < limit {
		return n
	}
	for shift := 0; shift < 28; shift += 7 {
		b := d.byte()
		n += int(b&127) << shift
		if b < 128 {
			return n
		}
	}
	d.err = errHPACK
	return 0
}

func (d *decoder) string() string {
	coded := len(d.rest) > 0 && d.rest[0] >= 128
	n := d.int(7)
	if n > len(d.rest) {
		d.err = errHPACK
		return ""
	}
	text := d.rest[:n]
	d.rest = d.rest[n:]
	if !coded {
		return string(text)
	}
	return d.huffman(text)
}

// huffman decodes text bit by bit. What is left at the end is padding.
func (d *decoder) huffman(coded []byte) string {
	var text []byte
	code := huffmanCode{}
	for _, b := range coded {
		for bit := 7; bit >= 0; bit-- {
			code.bits = code.bits<<1 | uint32(b>>bit&1)
			code.length++
			if symbol, ok := huffmanSymbols[code]; ok {
				text = append(text, symbol)
				code = huffmanCode{}
			}
		}
	}
	if code.length > 7 || code.bits != 1<<code.length-1 {
		d.err = errHPACK
	}
	return string(text)
}

type huffmanCode struct {
	bits   uint32
	length uint8
}

// huffmanSymbols is the code of RFC 7541, appendix B. It is canonical, which
// means that the lengths say it all: codes of one length count up.
var huffmanSymbols = func() map[huffmanCode]byte {
	symbols := make(map[huffmanCode]byte, len(huffmanLengths))
	next := huffmanCode{}
	for next.length = 1; next.length <= 30; next.length++ {
		next.bits <<= 1
		for symbol, length := range huffmanLengths {
			if length == next.length {
				symbols[next] = byte(symbol)
				next.bits++
			}
		}
	}
	return symbols
}()

// huffmanLengths are the lengths of the codes of each byte.
var huffmanLengths = [256]uint8{
	13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
	28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
	6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
	5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
	13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
	15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
	6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
	20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
	24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
	22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
	21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
	26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
	19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
	20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
	26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
}

// staticTable is RFC 7541, appendix A.
var staticTable = [...]field{
	{":authority", ""},
	{":method", "GET"},
	{":method", "POST"},
	{":path", "/"},
	{":path", "/index.html"},
	{":scheme", "http"},
	{":scheme", "https"},
	{":status", "200"},
	{":status", "204"},
	{":status", "206"},
	{":status", "304"},
	{":status", "400"},
	{":status", "404"},
	{":status", "500"},
	{"accept-charset", ""},
	{"accept-encoding", "gzip, deflate"},
	{"accept-language", ""},
	{"accept-ranges", ""},
	{"accept", ""},
	{"access-control-allow-origin", ""},
	{"age", ""},
	{"allow", ""},
	{"authorization", ""},
	{"cache-control", ""},
	{"content-disposition", ""},
	{"content-encoding", ""},
	{"content-language", ""},
	{"content-length", ""},
	{"content-location", ""},
	{"content-range", ""},
	{"content-type", ""},
	{"cookie", ""},
	{"date", ""},
	{"etag", ""},
	{"expect", ""},
	{"expires", ""},
	{"from", ""},
	{"host", ""},
	{"if-match", ""},
	{"if-modified-since", ""},
	{"if-none-match", ""},
	{"if-range", ""},
	{"if-unmodified-since", ""},
	{"last-modified", ""},
	{"link", ""},
	{"location", ""},
	{"max-forwards", ""},
	{"proxy-authenticate", ""},
	{"proxy-authorization", ""},
	{"range", ""},
	{"referer", ""},
	{"refresh", ""},
	{"retry-after", ""},
	{"server", ""},
	{"set-cookie", ""},
	{"strict-transport-security", ""},
	{"transfer-encoding", ""},
	{"user-agent", ""},
	{"vary", ""},
	{"via", ""},
	{"www-authenticate", ""},
}
