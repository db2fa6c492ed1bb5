// Package videosdk is a client of the VideoSDK SIP REST API: it registers phone
// numbers with their SIP gateways, routes their calls to rooms and AI agents,
// dials out, and follows and ends calls.
//
// # A call
//
// A [Client] is made once, from an API key and a secret, and shared:
//
//	client, err := videosdk.New(apiKey, secret) // or NewFromEnv()
//	...
//	// Whatever ends ctx, the answer is awaited: it has the ID to hang up with. Nothing
//	// is sent after the minute, as by a process that was frozen for hours.
//	dialling, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
//	defer cancel()
//	call, err := client.Calls.Create(dialling, videosdk.CallCreateParams{
//		To: "+14155550199", From: "+14155551234", RoutingRuleID: "rr_abc123",
//	})
//	...
//	answered, err := client.Calls.WaitAnswered(ctx, call.ID)
//	if err != nil {
//		client.Calls.End(context.WithoutCancel(ctx), call.ID) // it may ring on
//	}
//
// Every method takes a context, which limits the whole call with its retries,
// and options for this call alone. Lists come as one page (List) or as an
// iterator over all pages (All).
//
// # Never twice
//
// The API has no idempotency key: a request to dial that is sent twice dials
// twice. So a request is repeated only where that is safe, which depends on the
// operation and on what is known of the failed attempt:
//
//   - What certainly did not reach the server, or was refused before it acted
//     (429, or 401 with a token that can be renewed), is repeated for every
//     operation.
//   - After an unknown outcome (a lost connection, a timeout, a status of 500
//     and above) reads, deletes and what does the same thing however often it is
//     sent are repeated. All else returns an error that matches
//     [ErrMaybeApplied]: look before repeating it. [WithRetryUnknown] allows a
//     repeat for one call, except where a person could be reached twice.
//   - A 409 is repeated where the API documents it as "retry":
//     PhoneNumbers.Create and RoutingRules.Delete.
//
// Waits grow exponentially with full jitter. A Retry-After of up to 30 seconds
// is obeyed; a longer one is returned at once in [APIError.RetryAfter]. No wait
// begins that does not end before the context's deadline, and a quota that all
// calls of a client share keeps an outage from being multiplied.
//
// # Errors
//
// An error of a request is an [*APIError] (the server answered), a
// [*RequestError] (it did not), or a [*ValidationError] (nothing was sent).
// Methods that do more have errors of their own, such as [*CallEndedError] and
// [*ParseFailedError]. All match sentinels such as [ErrNotFound], [ErrTimeout]
// and [ErrMaybeApplied] with errors.Is.
//
// To resolve the doubt after [ErrMaybeApplied], dial with [CallsService.CreateOnce] from
// the beginning: it finds its own calls by their TrackingID. It cannot find one that was
// placed without a TrackingID, or that the list of calls does not show yet, and dials
// that person a second time: it is no repair after a [CallsService.Create] that failed.
//
// # Webhooks
//
// [WebhookHandler] verifies deliveries and handles each event once; [CallTracker]
// keeps the state of calls from them.
//
// # Secrets
//
// Tokens are signed for ten minutes and renewed by themselves. Secrets, tokens,
// SIP passwords, PINs and metadata show neither in the text of errors, nor in
// logs, nor when a value of this package is printed.
//
// Mind where they do show:
//
//   - In the JSON of a value, which is for storing it: answer a browser with a type of
//     your own.
//   - In what the JSON handler of log/slog makes of a slice, a map or a struct of yours
//     that holds values of this package: log them one by one, or format them first.
//   - In what package fmt prints of a struct of yours that holds a value of this package
//     in an unexported field: hold a pointer there.
//
// JSON holds all of a value except its Raw: numbers in metadata of more than 53 bits,
// and fields that this package does not know, are whole only there. Do not embed a
// value in a struct that is stored: encoding/json then leaves out the other fields of
// that struct.
//
// # Testing
//
// Package videosdktest is the API in memory, for tests of programs that use this
// package.
package videosdk
