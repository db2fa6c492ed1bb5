package videosdktest

import (
	"crypto/rand"
	"slices"
)

// account is the state behind the API. Server.mu guards it.
type account struct {
	numbers      table[phoneNumber]      // released ones included
	byE164       map[string]*phoneNumber // released ones excluded
	gateways     table[gateway]
	rules        table[routingRule]
	gatewayRules table[gatewayRule]
	trunks       table[trunk]
	rooms        table[meetingRoom]
	calls        table[call]
	webhooks     table[webhook]
	batches      table[batch]
	uploads      map[string]*batch // by the token of the upload's URL
}

func newAccount() account {
	return account{
		numbers:      newTable[phoneNumber](),
		byE164:       make(map[string]*phoneNumber),
		gateways:     newTable[gateway](),
		rules:        newTable[routingRule](),
		gatewayRules: newTable[gatewayRule](),
		trunks:       newTable[trunk](),
		rooms:        newTable[meetingRoom](),
		calls:        newTable[call](),
		webhooks:     newTable[webhook](),
		batches:      newTable[batch](),
		uploads:      make(map[string]*batch),
	}
}

// table keeps things by id, and in the order in which they were added.
type table[T any] struct {
	byID  map[string]*T
	order []*T
}

func newTable[T any]() table[T] { return table[T]{byID: make(map[string]*T)} }

func (t *table[T]) add(id string, item *T) {
	t.byID[id] = item
	t.order = append(t.order, item)
}

// get returns the item of an id, or nil.
func (t *table[T]) get(id string) *T { return t.byID[id] }

// where returns the items that are wanted, in order.
func (t *table[T]) where(wanted func(*T) bool) []*T {
	var found []*T
	for _, item := range t.order {
		if wanted(item) {
			found = append(found, item)
		}
	}
	return found
}

func (t *table[T]) remove(id string) {
	gone := t.byID[id]
	delete(t.byID, id)
	t.order = slices.DeleteFunc(t.order, func(item *T) bool { return item == gone })
}

// newID returns a new id of the kind that prefix names, such as "call_".
func newID(prefix string) string { return prefix + rand.Text() }
