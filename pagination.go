package videosdk

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strconv"
	"strings"

	"github.com/videosdk-sip-go/videosdk/internal/lenient"
)

// Page is one page of a list.
type Page[T any] struct {
	// Items are the things on the page, in the server's order.
	Items []*T
	// Page is the number of the page; the first is 1.
	Page int
	// PerPage is how many items a page holds at most.
	PerPage int
	// LastPage is the number of the last page, 0 if the server did not say.
	LastPage int
	// Total counts the items on all pages, 0 if the server did not say.
	Total int

	ids []string // of Items
}

// largestPage is the documented limit for phone numbers, and is what All asks
// for. A server that allows less answers less, and says how many pages there
// are.
const largestPage = 100

// setPage asks for one page of a list; 0 leaves the choice to the server.
func (r *request) setPage(page, perPage int) {
	r.faults.check(page >= 0, "page", "must not be negative")
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

// list sends a request that answers a page.
func list[W wire[T], T any](ctx context.Context, c *Client, r *request) (*Page[T], error) {
	x, a, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	page, problem := decodePage[W](a.body)
	if problem != "" {
		return nil, x.refuse(problem)
	}
	return page, nil
}

func decodePage[W wire[T], T any](body []byte) (page *Page[T], problem string) {
	var l listing
	switch {
	case isBlank(body):
		return nil, "it is empty"
	case startsWith(body, '['):
		l.Data = body
	case !isObject(body):
		return nil, "it is neither a JSON object nor an array"
	default:
		if err := lenient.Unmarshal(body, &l); err != nil {
			return nil, "it is not JSON: " + err.Error()
		}
	}
	if l.items() == nil && l.PageInfo == nil && l.Pagination == nil {
		return nil, "it has no list"
	}
	info := l.info()
	page = &Page[T]{
		Page:     max(info.CurrentPage, info.Page),
		PerPage:  info.PerPage,
		LastPage: max(info.LastPage, info.TotalPages),
		Total:    info.Total,
	}
	return page, decodeItems[W](l.items(), page)
}

func decodeItems[W wire[T], T any](raw json.RawMessage, page *Page[T]) (problem string) {
	if raw == nil {
		return ""
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return "it is not JSON: " + err.Error()
	}
	page.Items = make([]*T, 0, len(elements))
	page.ids = make([]string, 0, len(elements))
	for _, element := range elements {
		if !isObject(element) {
			continue // a null among the items
		}
		item, id, err := decodeOne[W](element)
		if err != nil {
			return err.Error()
		}
		if id == "" {
			id = string(element) // as good as an id to know it again by
		}
		page.Items = append(page.Items, item)
		page.ids = append(page.ids, id)
	}
	return ""
}

// all walks the pages of a list. An item that moved to the next page while the
// list was read is given once. The walk ends with the last page, or with two
// pages in a row that have nothing new, whatever the server says of more.
func all[T any](page, perPage int, get func(page, perPage int) (*Page[T], error)) iter.Seq2[*T, error] {
	if perPage == 0 {
		perPage = largestPage
	}
	return func(yield func(*T, error) bool) {
		var before map[string]bool // ids of the page before
		for n, stale := max(page, 1), 0; stale < 2; n++ {
			p, err := get(n, perPage)
			if err != nil {
				yield(nil, err)
				return
			}
			stale++
			ids := make(map[string]bool, len(p.ids))
			for i, id := range p.ids {
				known := before[id] || ids[id]
				ids[id] = true
				if known {
					continue
				}
				stale = 0
				if !yield(p.Items[i], nil) {
					return
				}
			}
			if p.isLast(n) {
				return
			}
			before = ids
		}
	}
}

// isLast reports whether no page follows this one, which was asked for as
// page n.
func (p *Page[T]) isLast(n int) bool {
	switch {
	case len(p.Items) == 0:
		return true
	case p.LastPage > 0:
		return n >= p.LastPage
	case p.PerPage > 0:
		return len(p.Items) < p.PerPage
	default:
		return false
	}
}

// setList adds a query parameter of comma-separated values.
func setList[T ~string](r *request, name string, values []T) {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	r.set(name, strings.Join(texts, ","))
}
