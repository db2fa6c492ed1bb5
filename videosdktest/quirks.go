package videosdktest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Quirk makes successful answers, or deliveries to webhooks, use another of the
// forms in which the API is documented, or seen, to speak. What the account's
// owner stored, such as metadata, stays as it is.
type Quirk int

// The quirks; any of them go together.
const (
	UpperCaseStatuses Quirk = iota // calls: statuses and timelog in upper case, COMPLETED for ended
	SwappedCallIDs                 // calls: callId where id is documented, and id in lists
	SIPCallNumbers                 // calls: sipCallTo and sipCallFrom for to and from
	WebhookIDs                     // webhooks: webhookId for id
	MetaDataSpelling               // metaData for metadata
	StringBooleans                 // "true" and "false" for booleans
	NullForEmpty                   // null for empty strings, lists and objects
	OmitEmpty                      // nothing for these, nor for null
	PageNames                      // lists: pageInfo with page and totalPages for currentPage and lastPage
	PaginationObject               // lists: pagination {page, perPage, totalPages, total} for pageInfo
	BareLists                      // lists: the array alone
	TopStatusCode                  // "statusCode": 200 beside the rest of an object
	EventTypeSpelling              // deliveries to webhooks: type for webhookType
)

// WithQuirks bends answers by quirks. Errors are left alone, and so are deliveries
// to webhooks, except by [EventTypeSpelling].
func WithQuirks(quirks ...Quirk) Option {
	return func(c *config) { c.quirks = append(c.quirks, quirks...) }
}

// quirks bend answers once they are encoded, so that no handler knows of them.
type quirks []Quirk

// newQuirks puts quirks in their order, in which the shape of a list, which the
// others look for, is bent last.
func newQuirks(wanted []Quirk) quirks {
	slices.Sort(wanted)
	return wanted
}

// bend returns the response with all quirks applied. One that is no object stays.
func (q quirks) bend(rt route, resp response) response {
	if len(q) == 0 {
		return resp
	}
	decoder := json.NewDecoder(bytes.NewReader(resp.body))
	decoder.UseNumber()
	var body map[string]any
	if decoder.Decode(&body) != nil {
		return resp
	}
	items, isPage := pageItems(body)
	for _, quirk := range q {
		quirk.apply(rt, resp.status, body)
	}
	var shown any = body
	if isPage && slices.Contains(q, BareLists) {
		shown = items
	}
	return encode(resp.status, shown)
}

func (q Quirk) apply(rt route, status int, body map[string]any) {
	isCall := strings.HasPrefix(rt.pattern, "/v2/sip/call")
	isWebhook := strings.HasPrefix(rt.pattern, "/v2/sip/webhooks")
	switch {
	case q == UpperCaseStatuses && isCall:
		eachResource(body, upperCaseStatuses)
	case q == SwappedCallIDs && isCall && !rt.createsCall():
		eachResource(body, swapCallID)
	case q == SIPCallNumbers && isCall:
		eachResource(body, func(call map[string]any) {
			rename(call, "to", "sipCallTo")
			rename(call, "from", "sipCallFrom")
		})
	case q == WebhookIDs && isWebhook:
		eachResource(body, func(webhook map[string]any) { rename(webhook, "id", "webhookId") })
	case q == MetaDataSpelling:
		eachResource(body, func(resource map[string]any) { rename(resource, "metadata", "metaData") })
	case q == StringBooleans:
		visit(body, stringBooleans)
	case q == NullForEmpty:
		eachResource(body, func(resource map[string]any) { visit(resource, nullEmpty) })
	case q == OmitEmpty:
		eachResource(body, func(resource map[string]any) { visit(resource, omitEmpty) })
	case q == PageNames:
		renamePageInfo(body)
	case q == PaginationObject:
		renamePageInfo(body)
		rename(body, "pageInfo", "pagination")
	case q == TopStatusCode:
		body["statusCode"] = status
	}
}

// createsCall tells whether the answer names the id of a call as is documented
// without variants.
func (r route) createsCall() bool { return r.method == "POST" && r.pattern == "/v2/sip/call" }

// pageItems returns the list in a page, whatever its key.
func pageItems(body map[string]any) (items []any, isPage bool) {
	if body["pageInfo"] == nil {
		return nil, false
	}
	for _, value := range body {
		if items, isPage = value.([]any); isPage {
			break
		}
	}
	return items, isPage
}

// eachResource calls f with each resource of an answer: the items of a page,
// else the data, else all of it.
func eachResource(body map[string]any, f func(map[string]any)) {
	items, isPage := pageItems(body)
	if !isPage {
		items = []any{body}
		if data, wrapped := body["data"]; wrapped {
			items = []any{data}
		}
	}
	for _, item := range items {
		if resource, isObject := item.(map[string]any); isObject {
			f(resource)
		}
	}
}

// visit calls f with value, if an object, and with every object inside it,
// except for what the account's owner stored.
func visit(value any, f func(map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		f(v)
		for key, child := range v {
			if !isStored(key) {
				visit(child, f)
			}
		}
	case []any:
		for _, child := range v {
			visit(child, f)
		}
	}
}

func isStored(key string) bool {
	return slices.Contains([]string{"metadata", "metaData", "agentMetadata", "headers", "headersToAttributes"}, key)
}

func upperCaseStatuses(call map[string]any) {
	upperCaseStatus(call)
	entries, _ := call["timelog"].([]any)
	for _, entry := range entries {
		upperCaseStatus(entry.(map[string]any))
	}
}

func upperCaseStatus(object map[string]any) {
	status, isCall := object["status"].(string)
	if !isCall {
		return // a message, say
	}
	object["status"] = strings.ToUpper(status)
	if strings.EqualFold(status, statusEnded) {
		object["status"] = "COMPLETED"
	}
}

func swapCallID(call map[string]any) {
	if call["id"] != nil {
		rename(call, "id", "callId")
	} else {
		rename(call, "callId", "id")
	}
}

func rename(object map[string]any, from, to string) {
	if value, present := object[from]; present {
		object[to] = value
		delete(object, from)
	}
}

func renamePageInfo(body map[string]any) {
	if info, isPage := body["pageInfo"].(map[string]any); isPage {
		rename(info, "currentPage", "page")
		rename(info, "lastPage", "totalPages")
	}
}

func stringBooleans(object map[string]any) {
	for key, value := range object {
		if b, isBoolean := value.(bool); isBoolean {
			object[key] = strconv.FormatBool(b)
		}
	}
}

func nullEmpty(object map[string]any) {
	for key, value := range object {
		if isNothing(value) {
			object[key] = nil
		}
	}
}

func omitEmpty(object map[string]any) {
	for key, value := range object {
		if isNothing(value) {
			delete(object, key)
		}
	}
}

func isNothing(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	default:
		return false
	}
}
