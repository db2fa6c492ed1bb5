package videosdk

import (
	"context"
	"errors"
	"sync"
)

// getPage fetches one page of a list.
type getPage[T any] func(ctx context.Context, page, perPage int) (*Page[T], error)

// lookahead fetches the pages of a list in order, and some of the next ones at
// the same time.
type lookahead[T any] struct {
	ctx     context.Context
	stop    context.CancelFunc
	fetch   getPage[T]
	perPage int
	ahead   int // pages beyond the one that is asked for

	fetching sync.WaitGroup
	begun    map[int]chan fetched[T] // by number of page
	last     int                     // the last page, 0 as long as nobody said
	total    int                     // of the items, as the page said that was given last
}

type fetched[T any] struct {
	page     *Page[T]
	err      error
	panicked any
}

func newLookahead[T any](ctx context.Context, ahead, perPage int, fetch getPage[T]) *lookahead[T] {
	l := &lookahead[T]{ahead: ahead, perPage: perPage, fetch: fetch, begun: make(map[int]chan fetched[T])}
	l.ctx, l.stop = ctx, func() {}
	if ctx != nil { // if there is none, fetch refuses to go without
		l.ctx, l.stop = context.WithCancel(ctx)
	}
	return l
}

// get returns page n. It panics where fetching the page has panicked: that is the
// goroutine in which the caller can do something about it.
func (l *lookahead[T]) get(n int) (*Page[T], error) {
	if l.last == 0 || l.ahead == 0 {
		return l.note(l.fetch(l.ctx, n, l.perPage))
	}
	for k := n; k-n <= l.ahead && (k <= l.last || k == n); k++ {
		l.begin(k)
	}
	f := <-l.begun[n] // ends with the context at the latest
	delete(l.begun, n)
	if f.panicked != nil {
		panic(f.panicked)
	}
	if f.err == nil && f.page.Total < l.total {
		// It is older than the page before it: what has moved from that page to
		// this one since is on neither.
		return l.note(l.fetch(l.ctx, n, l.perPage))
	}
	return l.note(f.page, f.err)
}

// errNoPage is what a page comes to that is fetched by a goroutine which ends
// before it has it: a test's FailNow in a hook does that.
var errNoPage = errors.New("videosdk: fetching a page ended in runtime.Goexit")

// note remembers how many pages and items there are.
func (l *lookahead[T]) note(page *Page[T], err error) (*Page[T], error) {
	if err == nil {
		l.last, l.total = page.LastPage, page.Total
	}
	return page, err
}

// begin fetches page n, unless that has begun.
func (l *lookahead[T]) begin(n int) {
	if l.begun[n] != nil {
		return
	}
	done := make(chan fetched[T], 1)
	l.begun[n] = done
	l.fetching.Go(func() {
		f := fetched[T]{err: errNoPage}
		defer func() {
			f.panicked = recover()
			done <- f
		}()
		f.page, f.err = l.fetch(l.ctx, n, l.perPage)
	})
}

// close ends what is being fetched, and waits for the end of it.
func (l *lookahead[T]) close() {
	l.stop()
	l.fetching.Wait()
}
