package videosdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// pager is a server of one list of rules, which answers each page as its
// function says. The function is called for one request at a time.
type pager struct {
	answer func(page, perPage int) string

	mu      sync.Mutex
	fetched []int // the pages, in the order of the requests
}

func (p *pager) RoundTrip(req *http.Request) (*http.Response, error) {
	page, _ := strconv.Atoi(req.URL.Query().Get("page"))
	perPage, _ := strconv.Atoi(req.URL.Query().Get("perPage"))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fetched = append(p.fetched, page)
	if len(p.fetched) > 1000 {
		return nil, errors.New("the list is read without end")
	}
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(strings.NewReader(p.answer(page, perPage))),
		Request:    req,
	}, nil
}

// rules returns all rules of the list, by pages of two.
func (p *pager) rules(t *testing.T) iter.Seq2[*videosdk.RoutingRule, error] {
	t.Helper()
	client, err := videosdk.New("test-key", "test-secret",
		videosdk.WithHTTPClient(&http.Client{Transport: p}), videosdk.WithPagesAhead(0))
	require.NoError(t, err)
	return client.RoutingRules.All(t.Context(), videosdk.RoutingRuleListParams{PerPage: 2})
}

// pageOf returns the JSON of a page. info is the JSON beside the items, which
// may be empty.
func pageOf(info string, ids ...string) string {
	items := make([]string, len(ids))
	for i, id := range ids {
		items[i] = fmt.Sprintf(`{"id":%q}`, id)
	}
	return fmt.Sprintf(`{%s"data":[%s]}`, info, strings.Join(items, ","))
}

// cut returns a page of the ids as a server cuts it, and their number of pages.
func cut(ids []string, page, perPage int) (part []string, lastPage int) {
	from := min((page-1)*perPage, len(ids))
	return ids[from:min(from+perPage, len(ids))], (len(ids) + perPage - 1) / perPage
}

// idsOf reads an iterator to its end, without an error.
func idsOf(t *testing.T, rules iter.Seq2[*videosdk.RoutingRule, error]) []string {
	t.Helper()
	var ids []string
	for rule, err := range rules {
		require.NoError(t, err)
		ids = append(ids, rule.ID)
	}
	return ids
}

// ruleIDs returns n ids: r1, r2 and so on.
func ruleIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = "r" + strconv.Itoa(i+1)
	}
	return ids
}

func TestAllGivesEachItemOnceWhateverTheServerSaysOfItsPages(t *testing.T) {
	five := ruleIDs(5)
	tests := []struct {
		name    string
		answer  func(page, perPage int) string
		want    []string
		fetched []int
	}{
		{"pages with their numbers", func(page, perPage int) string {
			part, last := cut(five, page, perPage)
			return pageOf(fmt.Sprintf(`"pageInfo":{"currentPage":%d,"perPage":%d,"lastPage":%d,"total":5},`, page, perPage, last), part...)
		}, five, []int{1, 2, 3}},
		{"pages with pagination and totalPages", func(page, perPage int) string {
			part, last := cut(five, page, perPage)
			return pageOf(fmt.Sprintf(`"pagination":{"page":%d,"totalPages":"%d"},`, page, last), part...)
		}, five, []int{1, 2, 3}},
		{"pages that only tell their size", func(page, perPage int) string {
			part, _ := cut(five, page, perPage)
			return pageOf(fmt.Sprintf(`"pageInfo":{"perPage":%d},`, perPage), part...)
		}, five, []int{1, 2, 3}},
		{"pages that only tell their size, with null for what is deleted", func(page, perPage int) string {
			part, _ := cut(five, page, perPage)
			return strings.Replace(pageOf(fmt.Sprintf(`"pageInfo":{"perPage":%d},`, perPage), part...), `{"id":"r1"}`, "null", 1)
		}, []string{"r2", "r3", "r4", "r5"}, []int{1, 2, 3}},
		{"pages that tell nothing", func(page, perPage int) string {
			part, _ := cut(five, page, perPage)
			return pageOf("", part...)
		}, five, []int{1, 2, 3, 4}},
		{"bare arrays", func(page, perPage int) string {
			part, _ := cut(five, page, perPage)
			return bare(t, pageOf("", part...))
		}, five, []int{1, 2, 3, 4}},
		{"a bare array that is the whole list, whatever page is asked for", func(int, int) string {
			return bare(t, pageOf("", five...))
		}, five, []int{1, 2, 3}},
		{"one page again and again, of a hundred", func(int, int) string {
			return pageOf(`"pageInfo":{"lastPage":100},`, "r1", "r2")
		}, ruleIDs(2), []int{1, 2, 3}},
		{"the last page again and again for pages beyond it", func(page, perPage int) string {
			part, _ := cut(five, min(page, 3), perPage)
			return pageOf("", part...)
		}, five, []int{1, 2, 3, 4, 5, 6, 7}},
		{"two pages in turn, without end", func(page, _ int) string {
			return pageOf(`"pageInfo":{"lastPage":1000000},`, "r"+strconv.Itoa(2-page%2))
		}, ruleIDs(2), []int{1, 2, 3, 4, 5}},
		{"more pages than there are", func(page, perPage int) string {
			part, _ := cut(five, page, perPage)
			return pageOf(`"pageInfo":{"lastPage":100,"total":200},`, part...)
		}, five, []int{1, 2, 3, 4, 5, 6, 7}},
		{"fewer pages than there are", func(page, perPage int) string {
			part, _ := cut(five, page, perPage)
			return pageOf(`"pageInfo":{"lastPage":1},`, part...)
		}, ruleIDs(2), []int{1}},
		{"fewer items on a page than were asked for", func(page, _ int) string {
			part, last := cut(five, page, 1)
			return pageOf(fmt.Sprintf(`"pageInfo":{"perPage":1,"lastPage":%d},`, last), part...)
		}, five, []int{1, 2, 3, 4, 5}},
		{"the same item twice on a page, and on each page", func(page, _ int) string {
			return pageOf(`"pageInfo":{"lastPage":3},`, "r1", "r1", "r"+strconv.Itoa(page))
		}, ruleIDs(3), []int{1, 2, 3}},
		{"an item that has changed on its way to the next page", func(page, _ int) string {
			return fmt.Sprintf(`{"pageInfo":{"lastPage":2},"data":[{"id":"r1","name":"name %d"},{"id":"r%[1]d"}]}`, page)
		}, ruleIDs(2), []int{1, 2}},
		{"items without ids", func(int, int) string {
			return `{"pageInfo":{"lastPage":1},"data":[{"name":"a"},{"name":"b"}]}`
		}, []string{"", ""}, []int{1}},
		{"nothing", func(int, int) string { return pageOf("") }, nil, []int{1}},
		{"a first page of nothing, of many", func(int, int) string { return pageOf(`"pageInfo":{"lastPage":9},`) }, nil, []int{1}},
		{"an empty page in the middle, as when what is deleted is left out", func(page, perPage int) string {
			part, last := cut(five, page, perPage)
			if page == 2 {
				part = nil
			}
			return pageOf(fmt.Sprintf(`"pageInfo":{"lastPage":%d},`, last), part...)
		}, []string{"r1", "r2", "r5"}, []int{1, 2, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := &pager{answer: tt.answer}
			assert.Equal(t, tt.want, idsOf(t, server.rules(t)))
			assert.Equal(t, tt.fetched, server.fetched)
		})
	}
}

// bare returns the items of a page without the page.
func bare(t *testing.T, page string) string {
	t.Helper()
	var body struct {
		Data json.RawMessage `json:"data"`
	}
	require.NoError(t, json.Unmarshal([]byte(page), &body))
	return string(body.Data)
}

// Lists grow while they are read: that of calls at its front, so that what was
// read moves to later pages.
func TestAllGivesEachItemOnceWhileTheListGrows(t *testing.T) {
	tests := []struct {
		name    string
		growth  []int // items that are added after the first page, the second ...
		atFront bool
	}{
		{"by one for each page", []int{1, 1, 1, 1}, true},
		{"by a page", []int{2}, true},
		{"by more than a page", []int{3}, true},
		{"by many pages", []int{9}, true},
		{"by all the pages that were read", []int{0, 0, 6}, true},
		{"at its end", []int{1, 0, 1, 1}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ids := ruleIDs(7)
			server := &pager{}
			server.answer = func(page, perPage int) string {
				part, last := cut(ids, page, perPage)
				answer := pageOf(fmt.Sprintf(`"pageInfo":{"lastPage":%d},`, last), part...)
				if n := len(server.fetched); n <= len(tt.growth) {
					for i := range tt.growth[n-1] {
						added := fmt.Sprintf("new%d-%d", n, i)
						if tt.atFront {
							ids = append([]string{added}, ids...)
						} else {
							ids = append(ids, added)
						}
					}
				}
				return answer
			}

			given := idsOf(t, server.rules(t))

			assert.Subset(t, given, ruleIDs(7), "these were there all the time")
			times := map[string]int{}
			for _, id := range given {
				times[id]++
				assert.Equal(t, 1, times[id], id)
			}
		})
	}
}

// What moves to a page that has been read is missed: the API counts pages, and
// has no marks to go on from. But the walk ends, and gives nothing twice.
func TestAllEndsWhileTheListShrinks(t *testing.T) {
	tests := []struct {
		name   string
		remove func(ids []string) []string // before each page but the first
		want   []string
	}{
		{"by one at the front", func(ids []string) []string { return ids[1:] }, []string{"r1", "r2", "r4", "r5", "r7"}},
		{"by one at the end", func(ids []string) []string { return ids[:len(ids)-1] }, []string{"r1", "r2", "r3", "r4", "r5"}},
		{"by a page", func(ids []string) []string { return ids[2:] }, []string{"r1", "r2", "r5", "r6"}},
		{"to nothing", func([]string) []string { return nil }, []string{"r1", "r2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ids := ruleIDs(7)
			server := &pager{answer: func(page, perPage int) string {
				if page > 1 {
					ids = tt.remove(ids)
				}
				part, last := cut(ids, page, perPage)
				return pageOf(fmt.Sprintf(`"pageInfo":{"lastPage":%d,"total":%d},`, last, len(ids)), part...)
			}}
			assert.Equal(t, tt.want, idsOf(t, server.rules(t)))
		})
	}
}

func TestAllFetchesNoPageBeforeItIsNeeded(t *testing.T) {
	server := &pager{answer: func(page, _ int) string {
		return pageOf(`"pageInfo":{"lastPage":9},`, "a"+strconv.Itoa(page), "b"+strconv.Itoa(page))
	}}
	rules := server.rules(t)
	assert.Empty(t, server.fetched, "an iterator that nobody reads sends nothing")

	for rule, err := range rules {
		require.NoError(t, err)
		if rule.ID == "b2" {
			break
		}
	}
	assert.Equal(t, []int{1, 2}, server.fetched)
}

func TestAnErrorEndsAll(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, pageOf(`"pageInfo":{"lastPage":9},`, "r1")).
		then(http.StatusForbidden, `{"message":"not yours"}`)
	var ids []string
	var errs []error
	for rule, err := range recorder.client(videosdk.WithPagesAhead(0)).RoutingRules.All(t.Context(), videosdk.RoutingRuleListParams{}) {
		if err != nil {
			assert.Nil(t, rule)
			errs = append(errs, err)
			continue // as if it had not ended
		}
		ids = append(ids, rule.ID)
	}
	assert.Equal(t, []string{"r1"}, ids)
	require.Len(t, errs, 1)
	assert.ErrorIs(t, errs[0], videosdk.ErrForbidden)
	assert.Len(t, recorder.all(), 2)
}

func TestTheEndOfTheContextEndsAll(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, pageOf(`"pageInfo":{"lastPage":9},`, "r1", "r2"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var ids []string
	var last error
	for rule, err := range recorder.client().RoutingRules.All(ctx, videosdk.RoutingRuleListParams{}) {
		if last = err; err == nil {
			ids = append(ids, rule.ID)
			cancel()
		}
	}
	assert.Equal(t, []string{"r1", "r2"}, ids, "what has been fetched is given")
	require.ErrorIs(t, last, context.Canceled)
	assert.Len(t, recorder.all(), 1)
}

func TestAnIteratorMayBeReadByManyAtOnceAndAgain(t *testing.T) {
	server := &pager{answer: func(page, perPage int) string {
		part, last := cut(ruleIDs(7), page, perPage)
		return pageOf(fmt.Sprintf(`"pageInfo":{"lastPage":%d},`, last), part...)
	}}
	rules := server.rules(t)
	got := make([][]string, 4)
	var readers sync.WaitGroup
	for i := range got {
		readers.Go(func() {
			for rule, err := range rules {
				if assert.NoError(t, err) {
					got[i] = append(got[i], rule.ID)
				}
			}
		})
	}
	readers.Wait()
	for _, ids := range append(got, idsOf(t, rules)) {
		assert.Equal(t, ruleIDs(7), ids)
	}
}

func TestEachServiceWalksAllItsPages(t *testing.T) {
	srv := newServer(t)
	client := newClient(t, srv)
	const n = 101 // one more than All asks for at a time
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+1415555%04d", i)
	}
	srv.AddPhoneNumbers(numbers...)
	rule := outboundRule(t, client, numbers[0])
	for range n - 1 {
		outboundRule(t, client, numbers[0])
	}
	for range n {
		_, err := client.Calls.Create(t.Context(), videosdk.CallCreateParams{
			To: "+14155550199", From: numbers[0], RoutingRuleID: rule.ID,
		})
		require.NoError(t, err)
	}

	srv.ResetRequests()
	assert.Equal(t, n, countItems(t, client.PhoneNumbers.All(t.Context(), videosdk.PhoneNumberListParams{})))
	assert.Equal(t, n, countItems(t, client.RoutingRules.All(t.Context(), videosdk.RoutingRuleListParams{})))
	assert.Equal(t, n, countItems(t, client.Calls.All(t.Context(), videosdk.CallListParams{})))
	assert.Len(t, srv.Requests(), 6, "two pages of each")

	assert.Equal(t, n-10, countItems(t, client.PhoneNumbers.All(t.Context(), videosdk.PhoneNumberListParams{Page: 2, PerPage: 10})),
		"from the second page on")
	assert.Equal(t, n, countItems(t, client.PhoneNumbers.All(t.Context(), videosdk.PhoneNumberListParams{PerPage: 1000})),
		"of which the server gives a hundred")
}

// Each form in which the API answers lists leads to the same items.
func TestAllReadsEachFormOfPages(t *testing.T) {
	forms := map[string][]videosdktest.Quirk{
		"as documented":         nil,
		"page and totalPages":   {videosdktest.PageNames},
		"pagination":            {videosdktest.PaginationObject},
		"bare arrays":           {videosdktest.BareLists},
		"without what is empty": {videosdktest.OmitEmpty},
	}
	for name, quirks := range forms {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, videosdktest.WithQuirks(quirks...))
			client := newClient(t, srv)
			srv.AddPhoneNumbers("+14155550001", "+14155550002", "+14155550003")
			var got []string
			for number, err := range client.PhoneNumbers.All(t.Context(), videosdk.PhoneNumberListParams{PerPage: 2}) {
				require.NoError(t, err)
				got = append(got, number.E164)
			}
			assert.Equal(t, []string{"+14155550001", "+14155550002", "+14155550003"}, got)
		})
	}
}

// countItems reads an iterator to its end, without an error, and returns how many
// different items it gave.
func countItems[T any](t *testing.T, items iter.Seq2[*T, error]) int {
	t.Helper()
	seen := map[string]bool{}
	for item, err := range items {
		require.NoError(t, err)
		data, err := json.Marshal(item)
		require.NoError(t, err)
		assert.False(t, seen[string(data)], "%s was given twice", data)
		seen[string(data)] = true
	}
	return len(seen)
}

// outboundRule creates a rule that calls from a number can go by.
func outboundRule(t *testing.T, client *videosdk.Client, e164 string) *videosdk.RoutingRule {
	t.Helper()
	rule, err := client.RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
		Name: "Out", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{e164},
	})
	require.NoError(t, err)
	return rule
}
