// Package videosdktest is the VideoSDK SIP REST API in memory, for tests of
// programs that use it, and for trying them without an account.
//
// A [Server] listens on loopback and speaks HTTP. It checks tokens, validates
// requests, keeps state, pages lists, and answers as the documentation of the
// API says, in each of its generations. Its calls live: they ring, are answered
// and end by a script, and webhooks hear of it.
//
// It is written from that documentation with types of its own and shares no code
// with the client, so that a wrong key of a required field shows: the request is
// refused. Unknown keys are ignored, so a wrong key of an optional field shows in
// what it leaves undone; compare what the server has stored, [Dial.Settings] and
// [Server.Requests] with what was meant.
//
// # Testing a backend that dials
//
// Give the server to the test, and the server's address to the backend:
//
//	func TestReminder(t *testing.T) {
//		srv := videosdktest.NewServer(videosdktest.WithTB(t))
//		srv.AddPhoneNumbers("+14155550100")
//		client, err := videosdk.New(srv.APIKey, srv.Secret, videosdk.WithBaseURL(srv.URL))
//		...
//		err = reminder.Send(t.Context(), client, "+14155550199")
//		...
//		if n := srv.DialCount("+14155550199"); n != 1 {
//			t.Errorf("the phone rang %d times", n)
//		}
//	}
//
// With [WithTB] the server closes itself and logs each request, and each delivery,
// to the test; without, Close it. A program under test that makes its own client with
// videosdk.NewFromEnv finds the server by VIDEOSDK_API_ENDPOINT,
// VIDEOSDK_API_KEY and VIDEOSDK_SECRET: see testing.T.Setenv.
//
// # Callees
//
// Every number answers after 50 ms and stays on the line. [WithCallTiming]
// changes that for all of them, and [Server.Callee] for one: it answers late,
// rejects, lets it ring, cannot be reached, or hangs up. [Server.HangUp] and
// [Server.SetCallStatus] act at the moment that a test chooses.
//
// # What really rang
//
// [Server.Dials] and [Server.DialCount] tell which phones were made to ring, by
// whatever request: the proof that nobody was dialled twice. [Server.Requests]
// tells what was sent, and [Server.Deliveries] what became of webhooks.
//
// # Faults
//
// [Server.Inject] makes something go wrong, so many times, for a method and a
// path: a status with a Retry-After, a delay, a page of HTML, or a connection
// that breaks before the server acts, after it has, or in the middle of the
// answer. Whether a backend dials twice shows with [DropAfterActing], where the
// phone rings and the answer is lost, and with AnswerDelay, where it rings and the
// answer comes too late. [Server.PendingFaults] tells which of them were never met.
//
// A list that lags behind what was created comes with [WithListDelay].
//
// # Time
//
// In a bubble of testing/synctest a phone that rings for a minute takes no time.
// [InMemory] keeps the server inside the bubble; its client reaches it:
//
//	synctest.Test(t, func(t *testing.T) {
//		srv := videosdktest.NewServer(videosdktest.WithTB(t), videosdktest.InMemory())
//		client, err := videosdk.New(srv.APIKey, srv.Secret,
//			videosdk.WithBaseURL(srv.URL), videosdk.WithHTTPClient(srv.HTTPClient()))
//		...
//	})
//
// A receiver of webhooks inside the bubble needs [WithWebhookClient]. A socket in
// it, such as that of httptest.NewServer, stops the clock: the next wait never ends.
//
// # Inbound calls and webhooks
//
// [Server.InboundCall] calls one of the account's numbers from outside; its
// inbound rule, of either generation, takes the call if the caller is allowed.
// Deliveries are signed, in order, and repeated until they are answered with a
// 2xx. What receivers get wrong can be provoked: [Server.DuplicateDeliveries],
// [Server.DelayDeliveries], [Server.HoldDeliveries] with
// [Server.ReleaseDeliveriesReversed], [Server.ForgeDelivery] and
// [Server.RotateKey]. [Server.Deliver] posts any body, such as the summary of an
// agent.
//
// # Campaigns
//
// A batch of calls dials the numbers of an uploaded .csv file. Its first row names
// the columns, unless it begins with a number; the numbers, in E.164, stand in the
// column phoneNumber (or phone_number, or phone), else in the first. All others are
// the metadata of their records:
//
//	phoneNumber,name
//	+14155550101,Ann
//
// A list with a number that is malformed is not parsed; a number that stands there
// twice is dialled twice. The API documents neither columns nor this: what the emulator
// takes, it may refuse. Nor does it list the labels of records: here they are scheduled,
// in progress, completed, not connected, and cancelled.
//
// # Other spellings
//
// The API is documented, and seen, to answer in more than one form.
// [WithQuirks] chooses others than those that are documented now; a program that
// reads answers by itself should pass its tests with each of them.
//
// # Without Go
//
// cmd/videosdk-emulator is the same server as a program, for backends in any
// language. [WithState] keeps its account in a file.
package videosdktest
