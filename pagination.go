package videosdk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"strconv"
	"strings"

	"github.com/videosdk-sip-go/videosdk/internal/jsonscan"
	"github.com/videosdk-sip-go/videosdk/internal/lenient"
	"github.com/videosdk-sip-go/videosdk/internal/redact"
)

// Page is one page of a list.
type Page[T any] struct {
	// Items are the things on the page, in the server's order.
	Items []*T `json:"items"`
	// Page is the number of the page, the first of which is 1; 0 if the server
	// did not say.
	Page int `json:"page"`
	// PerPage is how many items a page holds at most, 0 if the server did not
	// say.
	PerPage int `json:"perPage"`
	// LastPage is the number of the last page, 0 if the server did not say.
	LastPage int `json:"lastPage"`
	// Total counts the items on all pages, 0 if the server did not say.
	Total int `json:"total"`

	ids    []string // of Items
	listed int      // how many the server listed, with those that it has no item for
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (p Page[T]) Format(f fmt.State, _ rune) { redact.Format(f, p) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (p Page[T]) LogValue() slog.Value { return redact.LogValue(p) }

// largestPage is the documented limit for phone numbers, and is what All asks
// for. A server that allows less answers less, and says how many pages there
// are.
const largestPage = 100

// mostItems is how many items of a page are decoded: a hundred times what the
// largest page has. An item of two bytes becomes hundreds.
const mostItems = 100 * largestPage

// setPage asks for one page of a list; 0 leaves the choice to the server.
func (r *request) setPage(page, perPage int) {
	r.faults.check(page >= 0, "page", "must not be negative")
	r.faults.check(perPage <= mostItems, "perPage", "must not be more than "+strconv.Itoa(mostItems))
	r.faults.check(perPage >= 0, "perPage", "must not be negative")
	r.setInt("page", page)
	r.setInt("perPage", perPage)
}

// set adds a query parameter unless it is empty.
func (r *request) set(name, value string) {
	if value == "" {
		return
	}
	if r.query == nil {
		r.query = url.Values{}
	}
	r.query.Set(name, value)
}

func (r *request) setInt(name string, value int) {
	if value != 0 {
		r.set(name, strconv.Itoa(value))
	}
}

// pageInfo is what the answers' pageInfo or pagination holds, in both
// spellings.
type pageInfo struct {
	CurrentPage int `json:"currentPage"`
	Page        int `json:"page"`
	PerPage     int `json:"perPage"`
	LastPage    int `json:"lastPage"`
	TotalPages  int `json:"totalPages"`
	Total       int `json:"total"`
}

// listing is the envelope of a list. Where the items are depends on the
// resource.
type listing struct {
	PageInfo   *pageInfo       `json:"pageInfo"`
	Pagination *pageInfo       `json:"pagination"`
	Data       json.RawMessage `json:"data"`
	BatchCalls json.RawMessage `json:"batchCalls"`
	Records    json.RawMessage `json:"records"`
}

// items returns the array of the items, nil if there is none.
func (l *listing) items() json.RawMessage {
	for _, raw := range []json.RawMessage{l.Data, l.BatchCalls, l.Records} {
		if startsWith(raw, '[') {
			return raw
		}
	}
	return nil
}

func (l *listing) info() *pageInfo {
	switch {
	case l.PageInfo != nil:
		return l.PageInfo
	case l.Pagination != nil:
		return l.Pagination
	default:
		return &pageInfo{}
	}
}

// isEmpty reports whether an envelope without an array tells of an empty list: it has
// no more than one page, no items, and nothing in place of the array.
func (l *listing) isEmpty() bool {
	info := l.info()
	switch {
	case l.PageInfo == nil && l.Pagination == nil, info.Total > 0, max(info.LastPage, info.TotalPages) > 1:
		return false
	default:
		return l.Data == nil || string(l.Data) == "null" || string(l.Data) == "{}"
	}
}

// list sends a request that answers a page.
func list[W, T any, P wire[W, T]](ctx context.Context, c *Client, r *request) (*Page[T], error) {
	r.long = true
	x, a, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if page := quickPage[W, T, P](a.body); page != nil {
		return page, nil
	}
	page, problem := decodePage[W, T, P](a.body)
	if problem != "" {
		return nil, x.refuse(problem)
	}
	return page, nil
}

// quickPage decodes a page that is as documented, in one pass: pages are the
// largest of all answers. It returns nil for any other.
func quickPage[W, T any, P wire[W, T]](body []byte) *Page[T] {
	var documented struct {
		PageInfo *pageInfo `json:"pageInfo"`
		Data     []W       `json:"data"`
	}
	elements := jsonscan.SoleList(body, "data", mostItems)
	if len(elements) == 0 || len(elements) > mostItems {
		return nil
	}
	documented.Data = make([]W, 0, len(elements))
	if json.Unmarshal(body, &documented) != nil || documented.PageInfo == nil || len(documented.Data) != len(elements) {
		return nil
	}
	page := newPage[T](documented.PageInfo, len(elements))
	for i := range elements {
		if !isObject(elements[i]) {
			continue // a null among the items
		}
		item, id := P(&documented.Data[i]).resource(elements[i])
		page.add(item, id, elements[i])
	}
	return page
}

func newPage[T any](info *pageInfo, size int) *Page[T] {
	return &Page[T]{
		Items:    make([]*T, 0, size),
		Page:     max(info.CurrentPage, info.Page),
		PerPage:  info.PerPage,
		LastPage: max(info.LastPage, info.TotalPages),
		Total:    info.Total,
		ids:      make([]string, 0, size),
		listed:   size,
	}
}

func (p *Page[T]) add(item *T, id string, raw []byte) {
	if id == "" {
		id = string(raw) // as good as an id to know it again by
	}
	p.Items = append(p.Items, item)
	p.ids = append(p.ids, id)
}

func decodePage[W, T any, P wire[W, T]](body []byte) (page *Page[T], problem string) {
	var l listing
	switch {
	case isBlank(body):
		return nil, "it is empty"
	case startsWith(body, '['):
		l.Data = body
	case !isObject(body):
		return nil, "it is neither a JSON object nor an array"
	default:
		if lenient.Unmarshal(body, &l) != nil {
			return nil, notJSON(body)
		}
	}
	raw := l.items()
	if raw == nil && !l.isEmpty() {
		return nil, "it has no list"
	}
	if jsonscan.Exceeds(raw, mostItems) {
		return nil, "it lists more than " + strconv.Itoa(mostItems) + " items"
	}
	var elements []json.RawMessage
	if raw != nil {
		if json.Unmarshal(raw, &elements) != nil {
			return nil, notJSON(raw)
		}
	}
	page = newPage[T](l.info(), len(elements))
	for _, element := range elements {
		switch {
		case string(element) == "null":
			continue
		case !isObject(element): // to leave it out would tell of a shorter list
			return nil, "an item of its list is not a JSON object"
		}
		item, id, err := decodeOne[W, T, P](element)
		if err != nil {
			return nil, err.Error()
		}
		page.add(item, id, element)
	}
	return page, ""
}

// all walks the pages of a list. An item that moved to a later page while the
// list was read is given once; one that moved to an earlier page is missed. The
// walk ends with the last page, or, whatever the server says of more, when more
// pages in a row had nothing new than had something before: a list that has
// grown at its front brings back all that was read, but not more.
func all[T any](ctx context.Context, c *Client, opts []RequestOption, page, perPage int, get getPage[T]) iter.Seq2[*T, error] {
	settings := c.defaults.forCall(opts, &faults{}) // whose faults get tells
	page, perPage = cmp.Or(page, 1), cmp.Or(perPage, largestPage)
	return func(yield func(*T, error) bool) {
		pages := newLookahead(ctx, settings.pagesAhead, perPage, get)
		defer pages.close()
		given := make(map[string]bool) // by id
		for n, fresh, stale := page, 0, 0; stale <= fresh; n++ {
			p, err := pages.get(n)
			if err != nil {
				yield(nil, err)
				return
			}
			news, more := p.give(given, yield)
			switch {
			case !more, p.isLast(n):
				return
			case news:
				fresh, stale = fresh+1, 0
			default:
				stale++
			}
		}
	}
}

// give yields the items that were on no page before, notes their ids, and reports
// whether there were any, and whether more are wanted.
func (p *Page[T]) give(given map[string]bool, yield func(*T, error) bool) (news, more bool) {
	for i, id := range p.ids {
		if given[id] {
			continue
		}
		given[id], news = true, true
		if !yield(p.Items[i], nil) {
			return news, false
		}
	}
	return news, true
}

// isLast reports whether no page follows this one, which was asked for as
// page n.
func (p *Page[T]) isLast(n int) bool {
	switch {
	case p.LastPage > 0:
		return n >= p.LastPage
	case p.listed == 0:
		return true
	default:
		return p.listed < p.PerPage
	}
}

// setList adds a query parameter of comma-separated values. An empty one among
// them would be lost on the way, and a list of nothing else would ask for all.
func setList[T ~string](r *request, name string, values []T) {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
		r.faults.check(!isEmpty(texts[i]) && !strings.Contains(texts[i], ","),
			fmt.Sprintf("%s[%d]", name, i), "must not be empty, nor contain a comma")
	}
	r.set(name, strings.Join(texts, ","))
}
