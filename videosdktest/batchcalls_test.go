package videosdktest_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

const csvType = "text/csv"

// ticket asks for a place to upload a file to.
func (a api) ticket(fields string) reply {
	a.t.Helper()
	return a.post("/v2/batch-calls/upload", `{"fileName":"leads.csv","fileSize":100`+fields+`}`)
}

// putFile puts a file to a presigned URL.
func (a api) putFile(presignedURL, contentType, content string, header http.Header) reply {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodPut, presignedURL, strings.NewReader(content))
	require.NoError(a.t, err)
	req.Header.Set("Content-Type", contentType)
	maps.Copy(req.Header, header)
	resp, err := a.HTTPClient().Do(req)
	require.NoError(a.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	return reply{t: a.t, status: resp.StatusCode, header: resp.Header, body: string(body)}
}

// upload uploads and parses a file, and returns the id of its batch.
func (a api) upload(content string) string {
	a.t.Helper()
	ticket := a.ticket("").must(http.StatusOK)
	a.putFile(ticket.text("presignedUrl"), csvType, content, nil).must(http.StatusOK)
	id := ticket.text("batchId")
	a.post("/v2/batch-calls/parse", fmt.Sprintf(`{"batchId":%q}`, id)).must(http.StatusOK)
	wait(20 * time.Millisecond)
	return id
}

// numbers returns a file of n phone numbers.
func numbers(n int) string {
	var file strings.Builder
	for i := range n {
		fmt.Fprintf(&file, "%s\n", recipientNumber(i))
	}
	return file.String()
}

func recipientNumber(i int) string { return fmt.Sprintf("+1415555%04d", i) }

// campaign returns the body that creates a batch, with fields.
func (a api) campaign(fields string) string {
	a.t.Helper()
	number := a.get("/v2/sip/phone-numbers/" + url.QueryEscape(ownNumber)).text("phoneNumber.phoneNumberId")
	rule := a.get("/v2/sip/routing-rule?type=outbound").field("data.0.id")
	if rule == nil {
		rule = a.outboundRule("")
	}
	return fmt.Sprintf(`{"batchName":"Leads","phoneNumberId":%q,"routingRuleId":%q%s}`, number, rule, fields)
}

func (a api) createBatch(fields string) reply {
	a.t.Helper()
	return a.post("/v2/batch-calls", a.campaign(fields))
}

// launch runs a batch of a file.
func (a api) launch(content, fields string) string {
	a.t.Helper()
	id := a.upload(content)
	a.createBatch(fmt.Sprintf(`,"batchId":%q%s`, id, fields)).must(http.StatusCreated)
	return id
}

func (a api) batch(id string) reply {
	a.t.Helper()
	return a.get("/v2/batch-calls/" + id).must(http.StatusOK)
}

// records returns a field of every record.
func (a api) records(id, field string) []any {
	a.t.Helper()
	var values []any
	for _, record := range a.get("/v2/batch-calls/" + id + "/records?perPage=100").must(http.StatusOK).field("records").([]any) {
		values = append(values, record.(map[string]any)[field])
	}
	return values
}

func TestBatchRunsAsDocumented(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee("+14155550001").HangsUpAfter(90 * time.Second)
		a.Callee("+14155550002").Rejects()
		ticket := a.ticket("").must(http.StatusOK)
		id := ticket.text("batchId")
		assert.JSONEq(t, fmt.Sprintf(`{"presignedUrl":%q,"fileKey":%q,"fileName":"leads.csv","batchId":%q}`,
			ticket.text("presignedUrl"), "batch-calls/"+id+"/leads.csv", id), ticket.body)
		assert.Equal(t, "uploaded", a.batch(id).text("status"))
		a.putFile(ticket.text("presignedUrl"), csvType, "phoneNumber,name\n+14155550001,Ann\n+14155550002,Bob\n", nil).must(http.StatusOK)

		parse := func() reply { return a.post("/v2/batch-calls/parse", `{"batchId":"`+id+`"}`).must(http.StatusOK) }
		assert.Equal(t, "parsing", parse().text("status"))
		assert.Equal(t, "parsing", parse().text("status"), "parsing may be asked for again")
		wait(20 * time.Millisecond)
		assert.Equal(t, "parsed", a.batch(id).text("status"))
		assert.Equal(t, "parsed", parse().text("status"))

		made := a.createBatch(fmt.Sprintf(`,"batchId":%q,"description":"Spring"`, id)).must(http.StatusCreated)
		rule := a.get("/v2/sip/routing-rule").text("data.0.id")
		number := a.get("/v2/sip/phone-numbers").text("data.0.phoneNumber.phoneNumberId")
		const shape = `{"batchId":%q,"batchName":"Leads","description":"Spring","phoneNumberId":%q,"phoneNumber":"+14155559876",
			"routingRuleId":%q,"timing":"immediate","timezone":"Asia/Calcutta","scheduledTime":null,"scheduledDate":null,"allowedFrom":null,
			"allowedUntil":null,"daysOfWeek":null,"retry":null,"status":%q,"file":{"filename":"leads.csv","extension":"csv","key":%q},
			"cdnUrl":null,"recordsUploaded":2,"parseError":null,"timestamp":946684800,"progress":%d,
			"createdAt":"2000-01-01T00:00:00.000Z","updatedAt":%q}`
		assert.JSONEq(t, fmt.Sprintf(shape, id, number, rule, "running", ticket.text("fileKey"), 0, "2000-01-01T00:00:00.020Z"), made.body)
		assert.Equal(t, []any{"in progress", "in progress"}, a.records(id, "status"))
		wait(time.Second)
		assert.InEpsilon(t, 50, a.batch(id).field("progress"), 0)
		assert.Equal(t, []any{"in progress", "not connected"}, a.records(id, "status"))

		wait(time.Hour)
		assert.JSONEq(t, fmt.Sprintf(shape, id, number, rule, "completed", ticket.text("fileKey"), 100, "2000-01-01T00:01:30.070Z"), a.batch(id).body)
		stats := a.get("/v2/batch-calls/" + id + "/stats").must(http.StatusOK)
		assert.JSONEq(t, `{"batchId":"`+id+`","status":"completed","total":2,"scheduled":0,"in progress":0,"completed":1,"not connected":1,"cancelled":0}`, stats.body)

		records := a.get("/v2/batch-calls/" + id + "/records").must(http.StatusOK)
		calls := a.records(id, "callId")
		const record = `{"batchId":%q,"recordId":%q,"phoneNumber":%q,"metadata":{"name":%q},"status":%q,"callId":%q,"reason":%s,"attempts":1,
			"recordingId":null,"recording":null,"callDuration":%s,"createdAt":"2000-01-01T00:00:00.020Z","updatedAt":%q}`
		assert.JSONEq(t, `{"pageInfo":{"currentPage":1,"perPage":10,"lastPage":1,"total":2},"records":[`+
			fmt.Sprintf(record, id, records.text("records.0.recordId"), "+14155550001", "Ann", "completed", calls[0], "null", "90", "2000-01-01T00:01:30.070Z")+`,`+
			fmt.Sprintf(record, id, records.text("records.1.recordId"), "+14155550002", "Bob", "not connected", calls[1], `"rejected"`, "null", "2000-01-01T00:00:00.070Z")+
			`]}`, records.body)

		assert.Equal(t, 1, a.DialCount("+14155550001"))
		assert.Equal(t, map[string]any{"name": "Bob"}, a.Dials()[1].Metadata)
		assert.Equal(t, "rejected", a.status(calls[1].(string)))
	})
}

func TestUploadTicketRefuses(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		running := a.launch(numbers(1), "")
		tests := map[string]struct {
			body   string
			status int
			text   string
		}{
			"no name":                       {`{"fileSize":1}`, http.StatusBadRequest, "fileName is required"},
			"another kind of file":          {`{"fileName":"leads.pdf","fileSize":1}`, http.StatusBadRequest, "fileName must end in .csv, .xls or .xlsx"},
			"a file without a size":         {`{"fileName":"leads.csv"}`, http.StatusBadRequest, "fileSize must be between 1 and 5242880 bytes"},
			"a file that is too large":      {`{"fileName":"leads.XLSX","fileSize":5242881}`, http.StatusBadRequest, "fileSize must be between 1 and 5242880 bytes"},
			"an unknown batch":              {`{"fileName":"leads.xls","fileSize":1,"batchId":"batch_0"}`, http.StatusNotFound, "Batch call not found"},
			"the file of a batch under way": {`{"fileName":"leads.csv","fileSize":1,"batchId":"` + running + `"}`, http.StatusBadRequest, "The file of a batch call cannot be replaced while it is running"},
			"a body that is no object":      {`[]`, http.StatusBadRequest, "Request body must be a JSON object"},
		}
		for name, test := range tests {
			t.Log(name)
			a.post("/v2/batch-calls/upload", test.body).refused(test.status, test.text)
		}
	})
}

func TestUploadRefuses(t *testing.T) {
	a := newAPI(t)
	place := a.ticket("").text("presignedUrl")
	tests := map[string]struct {
		url, contentType, content string
		header                    http.Header
		status                    int
		text                      string
	}{
		"a token beside the signature": {
			place, csvType, "x", http.Header{"Authorization": {managementToken(t, a.Server)}},
			http.StatusBadRequest, "Authorization is not allowed on a presigned URL",
		},
		"another type": {
			place, "application/json", "x", nil, http.StatusBadRequest,
			`Content-Type must be one of ["text/csv" "application/vnd.ms-excel" "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"]`,
		},
		"too much":             {place, csvType, strings.Repeat("x", 5<<20+1), nil, http.StatusBadRequest, "The file exceeds 5242880 bytes"},
		"a place nobody gave ": {a.URL + "/uploads/none", csvType, "x", nil, http.StatusNotFound, "Upload not found"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := api{t, a.Server}
			a.putFile(test.url, test.contentType, test.content, test.header).refused(test.status, test.text)
		})
	}
	for _, accepted := range []string{
		"text/csv; charset=utf-8", "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	} {
		a.putFile(place, accepted, strings.Repeat("x", 5<<20), nil).must(http.StatusOK)
	}
}

func TestParseReadsCSV(t *testing.T) {
	tests := map[string]struct {
		file string
		want string // phone number and metadata of the records
	}{
		"numbers alone":                    {"+14155550001\n+14155550002\n", `+14155550001 {} +14155550002 {}`},
		"a column named phoneNumber":       {"name,phoneNumber\nAnn,+14155550001", `+14155550001 {"name":"Ann"}`},
		"a column named phone_number":      {"name,Phone_Number\nAnn,+14155550001", `+14155550001 {"name":"Ann"}`},
		"a column named phone":             {"name, PHONE \nAnn, +14155550001 ", `+14155550001 {"name":"Ann"}`},
		"a first column of another name":   {"mobile,name\n+14155550001,Ann", `+14155550001 {"name":"Ann"}`},
		"no header":                        {"+14155550001,Ann,Oslo", `+14155550001 {"column2":"Ann","column3":"Oslo"}`},
		"a byte order mark and CRLF":       {"\ufeffphone,name\r\n+14155550001,Ann\r\n", `+14155550001 {"name":"Ann"}`},
		"quotes and empty lines":           {"phone,name\n\n+14155550001,\"Ann, B.\"\n\n", `+14155550001 {"name":"Ann, B."}`},
		"rows of unequal length":           {"phone,name\n+14155550001\n+14155550002,Bob,x", `+14155550001 {} +14155550002 {"column3":"x","name":"Bob"}`},
		"the same number more than once":   {"+14155550001\n+14155550001\n", `+14155550001 {} +14155550001 {}`},
		"a name with letters beyond Latin": {"phone,name\n+14155550001,Łucja", `+14155550001 {"name":"Łucja"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				id := a.upload(test.file)
				require.Equal(t, "parsed", a.batch(id).text("status"), a.batch(id).field("parseError"))
				var got []string
				metadata := a.records(id, "metadata")
				for i, number := range a.records(id, "phoneNumber") {
					got = append(got, number.(string), string(marshal(t, metadata[i])))
				}
				assert.Equal(t, test.want, strings.Join(got, " "))
			})
		})
	}
}

func TestParseFails(t *testing.T) {
	tests := map[string]struct{ file, want string }{
		"an empty file":                {"", "the file has no records"},
		"nothing but a header":         {"phone,name\n", "the file has no records"},
		"something that is no number":  {"phone\n+14155550001\n4155550002", `row 3: "4155550002" is not an E.164 number`},
		"a row without the number":     {"name,phone\nAnn", `row 2: "" is not an E.164 number`},
		"quotes that are never closed": {"phone\n\"+14155550001", "the file is not CSV: parse error on line 2, column 14: extraneous or missing \" in quoted-field"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				got := a.batch(a.upload(test.file))
				assert.Equal(t, "parse_failed", got.text("status"))
				assert.Equal(t, test.want, got.text("parseError"))
			})
		})
	}
}

func TestParseOfASpreadsheetFails(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		ticket := a.post("/v2/batch-calls/upload", `{"fileName":"leads.xlsx","fileSize":"100"}`).must(http.StatusOK)
		a.putFile(ticket.text("presignedUrl"), "application/vnd.ms-excel", "PK", nil).must(http.StatusOK)
		a.post("/v2/batch-calls/parse", `{"batchId":"`+ticket.text("batchId")+`"}`).must(http.StatusOK)
		wait(time.Second)
		assert.Equal(t, "the emulator reads .csv files only, not .xlsx", a.batch(ticket.text("batchId")).text("parseError"))
	})
}

func TestParseRefuses(t *testing.T) {
	a := newAPI(t)
	id := a.ticket("").text("batchId")
	a.post("/v2/batch-calls/parse", "").refused(http.StatusBadRequest, "batchId is required")
	a.post("/v2/batch-calls/parse", "[]").refused(http.StatusBadRequest, "Request body must be a JSON object")
	a.post("/v2/batch-calls/parse", `{"batchId":"batch_0"}`).refused(http.StatusNotFound, "Batch call not found")
	a.post("/v2/batch-calls/parse", `{"batchId":"`+id+`"}`).refused(http.StatusBadRequest, "No file has been uploaded")
}

func TestFileOfABatchIsReplaced(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.upload("nonsense\n1")
		require.Equal(t, "parse_failed", a.batch(id).text("status"))
		ticket := a.ticket(fmt.Sprintf(`,"batchId":%q`, id)).must(http.StatusOK)
		assert.Equal(t, id, ticket.text("batchId"))
		a.putFile(ticket.text("presignedUrl"), csvType, numbers(3), nil).must(http.StatusOK)
		a.post("/v2/batch-calls/parse", `{"batchId":"`+id+`"}`).must(http.StatusOK)
		wait(time.Second)
		got := a.batch(id)
		assert.Equal(t, "parsed", got.text("status"))
		assert.Nil(t, got.field("parseError"))
		assert.InEpsilon(t, 3, got.field("recordsUploaded"), 0)
	})
}

func TestCreateBatchRefuses(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.AddPhoneNumbers("+14155550001")
		other := a.get("/v2/sip/phone-numbers/%2B14155550001").text("phoneNumber.phoneNumberId")
		inbound := a.rule("inbound", "")
		outbound := a.outboundRule("")
		parsed, unparsed := a.upload(numbers(1)), a.ticket("").text("batchId")
		released := a.get("/v2/sip/phone-numbers/%2B14155550001")
		byBatch := func(fields string) string { return a.campaign(fmt.Sprintf(`,"batchId":%q%s`, parsed, fields)) }
		const scheduled = `,"timing":"scheduled","scheduledDate":"2000-01-02","scheduledTime":"10:00"`
		tests := map[string]struct {
			body   string
			status int
			text   string
		}{
			"no name":                       {`{"phoneNumberId":"p","routingRuleId":"r"}`, http.StatusBadRequest, "batchName is required"},
			"no phone number":               {`{"batchName":"b","routingRuleId":"r"}`, http.StatusBadRequest, "phoneNumberId is required"},
			"no rule":                       {`{"batchName":"b","phoneNumberId":"p"}`, http.StatusBadRequest, "routingRuleId is required"},
			"an unknown number":             {`{"batchName":"b","phoneNumberId":"p","routingRuleId":"r"}`, http.StatusBadRequest, `phoneNumberId "p" does not exist`},
			"an unknown rule":               {`{"batchName":"b","phoneNumberId":"` + other + `","routingRuleId":"r"}`, http.StatusBadRequest, `routingRuleId "r" does not exist`},
			"an inbound rule":               {`{"batchName":"b","phoneNumberId":"` + other + `","routingRuleId":"` + inbound + `"}`, http.StatusBadRequest, "Routing rule " + inbound + " is not an outbound rule"},
			"a rule without the number":     {`{"batchName":"b","phoneNumberId":"` + other + `","routingRuleId":"` + outbound + `"}`, http.StatusBadRequest, "Routing rule " + outbound + " is not attached to phone number +14155550001"},
			"no file":                       {a.campaign(""), http.StatusBadRequest, "batchId is required unless saveAsDraft"},
			"an unknown batch":              {a.campaign(`,"batchId":"batch_0"`), http.StatusNotFound, "Batch call not found"},
			"a file that is not parsed":     {a.campaign(`,"batchId":"` + unparsed + `"`), http.StatusBadRequest, "Batch call must be parsed to be created, but is uploaded"},
			"another timing":                {byBatch(`,"timing":"soon"`), http.StatusBadRequest, `timing must be one of ["immediate" "scheduled"]`},
			"an empty timing":               {byBatch(`,"timing":""`), http.StatusBadRequest, `timing must be one of ["immediate" "scheduled"]`},
			"a time zone of no place":       {byBatch(`,"timezone":"Mars/Olympus"`), http.StatusBadRequest, `timezone "Mars/Olympus" is not an IANA time zone`},
			"an empty time zone":            {byBatch(`,"timezone":""`), http.StatusBadRequest, `timezone "" is not an IANA time zone`},
			"a schedule without a date":     {byBatch(`,"timing":"scheduled","scheduledTime":"10:00"`), http.StatusBadRequest, "scheduledDate must be YYYY-MM-DD, and scheduledTime HH:MM"},
			"a schedule without a time":     {byBatch(`,"timing":"scheduled","scheduledDate":"2000-01-02"`), http.StatusBadRequest, "scheduledDate must be YYYY-MM-DD, and scheduledTime HH:MM"},
			"an hour of one digit":          {byBatch(`,"timing":"scheduled","scheduledDate":"2000-01-02","scheduledTime":"9:00"`), http.StatusBadRequest, "scheduledDate must be YYYY-MM-DD, and scheduledTime HH:MM"},
			"a time in the past":            {byBatch(`,"timing":"scheduled","scheduledDate":"1999-12-31","scheduledTime":"10:00"`), http.StatusBadRequest, "scheduledDate and scheduledTime are in the past"},
			"a time zone of this machine":   {byBatch(`,"timezone":"Local"`), http.StatusBadRequest, `timezone "Local" is not an IANA time zone`},
			"a date that needs no schedule": {byBatch(`,"scheduledDate":"02.01.2000"`), http.StatusBadRequest, "scheduledDate must be YYYY-MM-DD, and scheduledTime HH:MM"},
			"a time that needs no schedule": {byBatch(`,"scheduledTime":"25:00"`), http.StatusBadRequest, "scheduledDate must be YYYY-MM-DD, and scheduledTime HH:MM"},
			"half a window":                 {byBatch(scheduled + `,"allowedFrom":"09:00"`), http.StatusBadRequest, "allowedFrom and allowedUntil must be HH:MM, one before the other"},
			"a window that ends too early":  {byBatch(scheduled + `,"allowedFrom":"18:00","allowedUntil":"09:00"`), http.StatusBadRequest, "allowedFrom and allowedUntil must be HH:MM, one before the other"},
			"a window that ends at once":    {byBatch(`,"allowedFrom":"09:00","allowedUntil":"09:00"`), http.StatusBadRequest, "allowedFrom and allowedUntil must be HH:MM, one before the other"},
			"a window to a shorter hour":    {byBatch(`,"allowedFrom":"08:00","allowedUntil":"9:00"`), http.StatusBadRequest, "allowedFrom and allowedUntil must be HH:MM, one before the other"},
			"a day that no week has":        {byBatch(scheduled + `,"daysOfWeek":[7]`), http.StatusBadRequest, "daysOfWeek must be between 0 and 6"},
			"such a day for a batch of now": {byBatch(`,"daysOfWeek":[-1]`), http.StatusBadRequest, "daysOfWeek must be between 0 and 6"},
			"a day by its name":             {byBatch(`,"daysOfWeek":["monday"]`), http.StatusBadRequest, "daysOfWeek must be a list of integers"},
			"such a window for one of now":  {byBatch(`,"allowedFrom":"9:00","allowedUntil":"18:00"`), http.StatusBadRequest, "allowedFrom and allowedUntil must be HH:MM, one before the other"},
			"such a window for a draft":     {a.campaign(`,"saveAsDraft":true,"allowedFrom":"18:00","allowedUntil":"09:00"`), http.StatusBadRequest, "allowedFrom and allowedUntil must be HH:MM, one before the other"},
			"too many attempts":             {byBatch(`,"retry":{"enabled":true,"maxAttempts":4}`), http.StatusBadRequest, "retry.maxAttempts must be between 1 and 3"},
			"no number of attempts":         {byBatch(`,"retry":{"enabled":true,"retryOn":["failed"]}`), http.StatusBadRequest, "retry.maxAttempts must be between 1 and 3"},
			"a retry on success":            {byBatch(`,"retry":{"enabled":true,"maxAttempts":3,"retryOn":["answered"]}`), http.StatusBadRequest, `retry.retryOn must be one of ["failed" "not-answered" "rejected" "missed" "abandoned"]`},
			"a webhook without an endpoint": {byBatch(`,"webhook":{"events":["batchcall-started"]}`), http.StatusBadRequest, "webhook.endpoint must be an absolute http or https URL"},
			"a webhook without events":      {byBatch(`,"webhook":{"endpoint":"https://example.com"}`), http.StatusBadRequest, "webhook.events must not be empty"},
			"a webhook with no event":       {byBatch(`,"webhook":{"endpoint":"https://example.com","events":[]}`), http.StatusBadRequest, "webhook.events must not be empty"},
			"an event of calls":             {byBatch(`,"webhook":{"endpoint":"https://example.com","events":["call-started"]}`), http.StatusBadRequest, `webhook.events must be one of ["batchcall-started" "batchcall-completed"]`},
			"a body that is no object":      {`[]`, http.StatusBadRequest, "Request body must be a JSON object"},
		}
		for name, test := range tests {
			t.Log(name)
			a.post("/v2/batch-calls", test.body).refused(test.status, test.text)
		}
		a.post("/v2/sip/phone-numbers/"+other+"/release", "").must(http.StatusOK)
		a.post("/v2/batch-calls", `{"batchName":"b","phoneNumberId":"`+other+`","routingRuleId":"`+outbound+`"}`).
			refused(http.StatusBadRequest, fmt.Sprintf("phoneNumberId %q does not exist", released.text("phoneNumber.phoneNumberId")))
		assert.Empty(t, a.Dials())
		assert.Equal(t, "parsed", a.batch(parsed).text("status"))
	})
}

func TestCreateBatchOfNoRecords(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.upload(numbers(1))
		a.deleteRecords(id, a.records(id, "recordId")...)
		a.createBatch(fmt.Sprintf(`,"batchId":%q`, id)).refused(http.StatusBadRequest, "Batch call has no records")
	})
}

func TestDraftIsKeptUntilItIsReleased(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.launch(numbers(2), `,"saveAsDraft":"true","retry":{"enabled":false,"maxAttempts":9}`)
		wait(time.Hour)
		assert.Equal(t, "draft", a.batch(id).text("status"))
		a.put("/v2/batch-calls/"+id, `{"batchName":"Renamed"}`).must(http.StatusOK)
		assert.Equal(t, "Renamed", a.batch(id).text("batchName"))
		assert.Equal(t, "draft", a.batch(id).text("status"))
		assert.Empty(t, a.Dials())

		a.put("/v2/batch-calls/"+id, `{"saveAsDraft":false}`).must(http.StatusOK)
		wait(time.Hour)
		assert.Equal(t, "completed", a.batch(id).text("status"))
		assert.Len(t, a.Dials(), 2)
		a.put("/v2/batch-calls/"+id, `{}`).refused(http.StatusBadRequest, "Batch call cannot be updated while it is completed")
	})
}

func TestParsedBatchIsMadeADraftOrBegunByAnUpdate(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.upload(numbers(1))
		a.put("/v2/batch-calls/"+id, `{"description":"x"}`).refused(http.StatusBadRequest, "batchName is required")
		assert.Equal(t, "parsed", a.batch(id).text("status"))
		draft := a.put("/v2/batch-calls/"+id, a.campaign("")).must(http.StatusOK)
		assert.Equal(t, []string{"draft", "Leads", "immediate", "Asia/Calcutta"},
			[]string{draft.text("status"), draft.text("batchName"), draft.text("timing"), draft.text("timezone")})
		wait(time.Hour)
		assert.Empty(t, a.Dials())

		id = a.upload(numbers(1))
		a.put("/v2/batch-calls/"+id, a.campaign(`,"saveAsDraft":false`)).must(http.StatusOK)
		wait(time.Hour)
		assert.Equal(t, "completed", a.batch(id).text("status"))
		assert.Len(t, a.Dials(), 1)
	})
}

func TestDraftKeepsWhatItSaysWhenItsFileIsReplaced(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.launch(numbers(2), `,"saveAsDraft":true,"timezone":"UTC"`)
		ticket := a.ticket(fmt.Sprintf(`,"batchId":%q`, id)).must(http.StatusOK)
		a.putFile(ticket.text("presignedUrl"), csvType, numbers(1), nil).must(http.StatusOK)
		a.post("/v2/batch-calls/parse", fmt.Sprintf(`{"batchId":%q}`, id)).must(http.StatusOK)
		wait(20 * time.Millisecond)

		got := a.put("/v2/batch-calls/"+id, `{"saveAsDraft":false}`).must(http.StatusOK)

		assert.Equal(t, []string{"running", "Leads", "UTC"}, []string{got.text("status"), got.text("batchName"), got.text("timezone")})
		assert.Len(t, a.Dials(), 1)
	})
}

func TestDraftNeedsNoFile(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.createBatch(`,"saveAsDraft":true`).must(http.StatusCreated).text("batchId")
		assert.Equal(t, "draft", a.batch(id).text("status"))
		assert.Nil(t, a.batch(id).field("file"))
		a.put("/v2/batch-calls/"+id, `{"saveAsDraft":false}`).refused(http.StatusBadRequest, "Batch call has no records")
		a.put("/v2/batch-calls/"+id, `{"batchName":""}`).refused(http.StatusBadRequest, "batchName is required")
		a.put("/v2/batch-calls/"+id, `[]`).refused(http.StatusBadRequest, "Request body must be a JSON object")
	})
}

func TestScheduledBatchStartsInTime(t *testing.T) {
	// The bubble begins on Saturday 2000-01-01 at 00:00 UTC.
	tests := map[string]struct {
		fields string
		want   string // when the calls are placed
	}{
		"at its time, in its zone":       {`"timezone":"America/New_York","scheduledDate":"2000-01-01","scheduledTime":"10:30"`, "2000-01-01T15:30"},
		"in India, by default":           {`"scheduledDate":"2000-01-01","scheduledTime":"10:30"`, "2000-01-01T05:00"},
		"when the window opens":          {`"timezone":"UTC","scheduledDate":"2000-01-01","scheduledTime":"10:30","allowedFrom":"11:00","allowedUntil":"12:00"`, "2000-01-01T11:00"},
		"within the window":              {`"timezone":"UTC","scheduledDate":"2000-01-01","scheduledTime":"10:30","allowedFrom":"09:00","allowedUntil":"12:00"`, "2000-01-01T10:30"},
		"the next day, after the window": {`"timezone":"UTC","scheduledDate":"2000-01-01","scheduledTime":"12:00","allowedFrom":"09:00","allowedUntil":"12:00"`, "2000-01-02T09:00"},
		"on the next day of the week":    {`"timezone":"UTC","scheduledDate":"2000-01-01","scheduledTime":"12:00","daysOfWeek":[1]`, "2000-01-03T00:00"},
		"the same, by a string":          {`"timezone":"UTC","scheduledDate":"2000-01-01","scheduledTime":"12:00","daysOfWeek":["1"]`, "2000-01-03T00:00"},
		"a week later, if need be":       {`"timezone":"UTC","scheduledDate":"2000-01-01","scheduledTime":"12:00","daysOfWeek":[6],"allowedFrom":"09:00","allowedUntil":"12:00"`, "2000-01-08T09:00"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				id := a.launch(numbers(1), `,"timing":"scheduled",`+test.fields)
				assert.Equal(t, "scheduled", a.batch(id).text("status"))
				assert.Equal(t, []any{"scheduled"}, a.records(id, "status"))
				wait(10 * 24 * time.Hour)
				require.Len(t, a.Dials(), 1)
				assert.Equal(t, test.want, a.Dials()[0].Time.UTC().Format("2006-01-02T15:04"))
				assert.Equal(t, "completed", a.batch(id).text("status"))
			})
		})
	}
}

func TestBatchPausesOutsideItsWindow(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		for i := range 15 {
			a.Callee(recipientNumber(i)).HangsUpAfter(40 * time.Minute)
		}
		id := a.launch(numbers(15), `,"timing":"scheduled","timezone":"UTC","scheduledDate":"2000-01-01","scheduledTime":"11:30",
			"allowedFrom":"09:00","allowedUntil":"12:00"`)
		wait(23 * time.Hour)
		assert.Len(t, a.Dials(), 10)
		assert.Equal(t, "running", a.batch(id).text("status"))
		wait(24 * time.Hour)
		assert.Len(t, a.Dials(), 15)
		assert.Equal(t, "2000-01-02T09:00", a.Dials()[14].Time.UTC().Format("2006-01-02T15:04"))
		assert.Equal(t, "completed", a.batch(id).text("status"))
	})
}

func TestImmediateBatchWaitsForItsWindow(t *testing.T) {
	// The bubble begins on Saturday 2000-01-01 at 00:00 UTC.
	tests := map[string]struct {
		fields string
		want   string // when the call is placed
	}{
		"that opens later":               {`"timezone":"UTC","allowedFrom":"09:00","allowedUntil":"12:00"`, "2000-01-01T09:00"},
		"that opens on another day":      {`"timezone":"UTC","daysOfWeek":[1]`, "2000-01-03T00:00"},
		"that opens on a Sunday":         {`"timezone":"UTC","daysOfWeek":[0]`, "2000-01-02T00:00"},
		"that is open, in its time zone": {`"timezone":"Asia/Calcutta","allowedFrom":"05:00","allowedUntil":"06:00"`, "2000-01-01T00:00"},
		"without one":                    {`"timezone":"UTC"`, "2000-01-01T00:00"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				id := a.launch(numbers(1), `,`+test.fields)
				assert.Equal(t, "running", a.batch(id).text("status"))
				wait(10 * 24 * time.Hour)
				require.Len(t, a.Dials(), 1)
				assert.Equal(t, test.want, a.Dials()[0].Time.UTC().Format("2006-01-02T15:04"))
				assert.Equal(t, "completed", a.batch(id).text("status"))
			})
		})
	}
}

func TestScheduledBatchIsChanged(t *testing.T) {
	const schedule = `,"timing":"scheduled","timezone":"UTC","scheduledDate":"2000-01-02","scheduledTime":"10:00"`
	tests := map[string]struct {
		body   string
		after  time.Duration
		dials  int
		status string
	}{
		"to a later day":    {`{"scheduledDate":"2000-01-04"}`, 48 * time.Hour, 0, "scheduled"},
		"to an earlier one": {`{"scheduledDate":"2000-01-01"}`, 12 * time.Hour, 1, "completed"},
		"to immediately":    {`{"timing":"immediate"}`, time.Minute, 1, "completed"},
		"to a draft":        {`{"saveAsDraft":true}`, 48 * time.Hour, 0, "draft"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				id := a.launch(numbers(1), schedule)
				a.put("/v2/batch-calls/"+id, test.body).must(http.StatusOK)
				wait(test.after)
				assert.Len(t, a.Dials(), test.dials)
				assert.Equal(t, test.status, a.batch(id).text("status"))
			})
		})
	}
}

func TestBatchRetries(t *testing.T) {
	tests := map[string]struct {
		script   func(*videosdktest.Callee)
		retry    string
		attempts int
	}{
		"as often as it is allowed to":          {func(c *videosdktest.Callee) { c.Rejects() }, `{"enabled":true,"retryOn":["rejected"],"maxAttempts":2}`, 2},
		"for each reason that it is told":       {func(c *videosdktest.Callee) { c.Fails() }, `{"enabled":true,"retryOn":["rejected","failed"],"maxAttempts":3}`, 3},
		"not at all, when one attempt is all":   {func(c *videosdktest.Callee) { c.Rejects() }, `{"enabled":true,"retryOn":["rejected"],"maxAttempts":1}`, 1},
		"only what it is told to":               {func(c *videosdktest.Callee) { c.NeverAnswers() }, `{"enabled":true,"retryOn":["rejected"],"maxAttempts":3}`, 1},
		"only when that is enabled":             {func(c *videosdktest.Callee) { c.Rejects() }, `{"enabled":false,"retryOn":["rejected"],"maxAttempts":3}`, 1},
		"what has not been answered in a while": {func(c *videosdktest.Callee) { c.NeverAnswers() }, `{"enabled":true,"retryOn":["not-answered"],"maxAttempts":3}`, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				test.script(a.Callee(recipientNumber(0)))
				id := a.launch(numbers(1), `,"retry":`+test.retry)
				wait(time.Hour)
				assert.Equal(t, test.attempts, a.DialCount(recipientNumber(0)))
				assert.Equal(t, []any{float64(test.attempts)}, a.records(id, "attempts"))
				assert.Equal(t, []any{"not connected"}, a.records(id, "status"))
				assert.Equal(t, "completed", a.batch(id).text("status"))
			})
		})
	}
}

func TestBatchKeepsTenCallsUp(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.launch(numbers(25), "")
		assert.Len(t, a.Dials(), 10)
		wait(1100 * time.Millisecond)
		assert.Len(t, a.Dials(), 20)
		wait(time.Minute)
		assert.Len(t, a.Dials(), 25)
		assert.Equal(t, "completed", a.batch(id).text("status"))
		assert.InEpsilon(t, 1, a.get("/v2/batch-calls/"+id+"/records").field("records.0.callDuration"), 0)
	})
}

func TestBatchEndsWhoseCalleeWasToHangUpBeforeItAnswered(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee(recipientNumber(0)).HangsUpAfter(-time.Second)
		id := a.launch(numbers(1), "")
		wait(time.Minute)
		assert.Equal(t, "completed", a.batch(id).text("status"))
	})
}

func TestBatchWhoseRuleGoesAway(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.launch(numbers(11), "")
		rule := a.batch(id).text("routingRuleId")
		a.delete("/v2/sip/routing-rule/" + rule).must(http.StatusOK)
		wait(time.Minute)
		assert.Equal(t, "completed", a.batch(id).text("status"))
		assert.Len(t, a.Dials(), 10)
		assert.Equal(t, fmt.Sprintf("routingRuleId %q does not exist", rule), a.get("/v2/batch-calls/"+id+"/records?page=2").text("records.0.reason"))
	})
}

func TestCancelBatch(t *testing.T) {
	tests := map[string]struct {
		body    string
		at      time.Duration // after the launch
		status  string
		records map[string]int // an hour later
	}{
		"gracefully, by default":             {"", time.Second, "cancelling", map[string]int{"completed": 10, "cancelled": 5}},
		"gracefully":                         {`{"mode":"graceful"}`, time.Second, "cancelling", map[string]int{"completed": 10, "cancelled": 5}},
		"immediately":                        {`{"mode":"immediate"}`, time.Second, "cancelled", map[string]int{"completed": 10, "cancelled": 5}},
		"immediately, before anyone answers": {`{"mode":"immediate"}`, 0, "cancelled", map[string]int{"cancelled": 15}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				for i := range 15 {
					a.Callee(recipientNumber(i)).HangsUpAfter(time.Minute)
				}
				id := a.launch(numbers(15), "")
				if test.at > 0 {
					wait(test.at)
				}
				got := a.post("/v2/batch-calls/"+id+"/cancel", test.body).must(http.StatusOK)
				assert.JSONEq(t, fmt.Sprintf(`{"message":"Batch call cancelled successfully","batchId":%q,"status":%q}`, id, test.status), got.body)
				wait(time.Hour)
				assert.Equal(t, "cancelled", a.batch(id).text("status"))
				assert.Len(t, a.Dials(), 10)
				labels := make(map[string]int)
				for _, label := range a.records(id, "status") {
					labels[label.(string)]++
				}
				assert.Equal(t, test.records, labels)
				a.post("/v2/batch-calls/"+id+"/cancel", test.body).must(http.StatusOK)
			})
		})
	}
}

func TestCancelledBatchDialsNobodyAgain(t *testing.T) {
	for _, mode := range []string{"graceful", "immediate"} {
		t.Run(mode, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				a.Callee(recipientNumber(0)).AnswersAfter(time.Minute).Rejects()
				id := a.launch(numbers(1), `,"retry":{"enabled":true,"retryOn":["rejected"],"maxAttempts":3}`)
				a.post("/v2/batch-calls/"+id+"/cancel", `{"mode":"`+mode+`"}`).must(http.StatusOK)
				wait(time.Hour)
				assert.Equal(t, 1, a.DialCount(recipientNumber(0)))
				assert.Equal(t, "cancelled", a.batch(id).text("status"))
			})
		})
	}
}

func TestCancelBatchLosesItsGrace(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee(recipientNumber(0)).HangsUpAfter(time.Hour)
		id := a.launch(numbers(1), "")
		wait(time.Second)
		a.delete("/v2/batch-calls/"+id).refused(http.StatusBadRequest, "Batch call cannot be deleted while it is running")
		a.post("/v2/batch-calls/"+id+"/cancel", `{"mode":"graceful"}`).must(http.StatusOK)
		a.delete("/v2/batch-calls/"+id).refused(http.StatusBadRequest, "Batch call cannot be deleted while it is cancelling")
		a.post("/v2/batch-calls/"+id+"/cancel", `{"mode":"immediate"}`).must(http.StatusOK)
		assert.Equal(t, "cancelled", a.batch(id).text("status"))
		assert.Equal(t, "ended", a.status(a.records(id, "callId")[0].(string)))
	})
}

func TestCancelBatchThatIsScheduled(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.launch(numbers(2), `,"timing":"scheduled","timezone":"UTC","scheduledDate":"2000-01-02","scheduledTime":"10:00"`)
		a.post("/v2/batch-calls/"+id+"/cancel", "").must(http.StatusOK)
		wait(72 * time.Hour)
		assert.Equal(t, "cancelled", a.batch(id).text("status"))
		assert.Equal(t, []any{"cancelled", "cancelled"}, a.records(id, "status"))
		assert.Empty(t, a.Dials())
	})
}

func TestCancelBatchRefuses(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.upload(numbers(1))
		a.post("/v2/batch-calls/"+id+"/cancel", "").refused(http.StatusBadRequest, "Batch call cannot be cancelled while it is parsed")
		a.post("/v2/batch-calls/"+id+"/cancel", `{"mode":"rough"}`).refused(http.StatusBadRequest, `mode must be one of ["graceful" "immediate"]`)
		a.post("/v2/batch-calls/"+id+"/cancel", `[]`).refused(http.StatusBadRequest, "Request body must be a JSON object")
	})
}

func TestDeleteBatch(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.launch(numbers(1), `,"timing":"scheduled","timezone":"UTC","scheduledDate":"2000-01-02","scheduledTime":"10:00"`)
		assert.JSONEq(t, `{"message":"Batch call deleted successfully"}`, a.delete("/v2/batch-calls/"+id).must(http.StatusOK).body)
		wait(72 * time.Hour)
		assert.Empty(t, a.Dials())
		for _, gone := range []reply{
			a.get("/v2/batch-calls/" + id), a.put("/v2/batch-calls/"+id, "{}"), a.delete("/v2/batch-calls/" + id),
			a.post("/v2/batch-calls/"+id+"/cancel", ""), a.get("/v2/batch-calls/" + id + "/stats"), a.get("/v2/batch-calls/" + id + "/records"),
			a.delete("/v2/batch-calls/" + id + "/records"), a.get("/v2/batch-calls/" + id + "/records/export"), a.put("/v2/batch-calls/"+id+"/records/r", "{}"),
		} {
			gone.refused(http.StatusNotFound, "Batch call not found")
		}
	})
}

func TestUploadOfABatchThatNeedsNoFileIsRefused(t *testing.T) {
	tests := map[string]struct {
		does func(a api, batch string)
	}{
		"because it is deleted":                   {func(a api, batch string) { a.delete("/v2/batch-calls/" + batch).must(http.StatusOK) }},
		"because it has another place for a file": {func(a api, batch string) { a.ticket(fmt.Sprintf(`,"batchId":%q`, batch)).must(http.StatusOK) }},
		"because its file is parsed": {func(a api, batch string) {
			a.post("/v2/batch-calls/parse", `{"batchId":"`+batch+`"}`).must(http.StatusOK)
			wait(time.Second)
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, a api) {
				ticket := a.ticket("").must(http.StatusOK)
				put := func() reply { return a.putFile(ticket.text("presignedUrl"), csvType, numbers(1), nil) }
				put().must(http.StatusOK)
				put().must(http.StatusOK)
				test.does(a, ticket.text("batchId"))
				put().refused(http.StatusNotFound, "Upload not found")
			})
		})
	}
}

func TestListBatchesFilters(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		first := a.upload(numbers(1))
		wait(24 * time.Hour)
		second := a.upload(numbers(5))
		wait(24 * time.Hour)
		third := a.launch(numbers(9), "")
		tests := map[string]struct {
			query string
			want  []any
		}{
			"nothing, newest first":   {"", []any{third, second, first}},
			"the status":              {"?status=parsed", []any{second, first}},
			"a start":                 {"?startDate=2000-01-02T00:00:00Z", []any{third, second}},
			"an end, which is a day":  {"?endDate=2000-01-02", []any{second, first}},
			"a number of records":     {"?minValue=5", []any{third, second}},
			"a number up to another":  {"?minValue=2&maxValue=5", []any{second}},
			"a page of one":           {"?page=3&perPage=1", []any{first}},
			"what there is none of":   {"?status=running&maxValue=1", nil},
			"an end and an end alike": {"?startDate=2000-01-02&endDate=2000-01-02", []any{second}},
		}
		for name, test := range tests {
			var got []any
			for _, item := range a.get("/v2/batch-calls" + test.query).must(http.StatusOK).field("batchCalls").([]any) {
				got = append(got, item.(map[string]any)["batchId"])
			}
			assert.Equal(t, test.want, got, "filtered by %s", name)
		}
		for _, query := range []string{"?startDate=soon", "?endDate=7", "?minValue=few", "?maxValue=1.5", "?page=-1"} {
			a.get("/v2/batch-calls" + query).must(http.StatusBadRequest)
		}
	})
}

func TestListRecordsFilters(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee(recipientNumber(1)).Rejects()
		id := a.launch(numbers(3), "")
		wait(time.Minute)
		total := func(query string) any {
			return a.get("/v2/batch-calls/" + id + "/records" + query).must(http.StatusOK).field("pageInfo.total")
		}
		assert.InEpsilon(t, 3, total(""), 0)
		assert.InEpsilon(t, 1, total("?status=Not%20connected"), 0)
		assert.InEpsilon(t, 3, total("?status=NOT%20CONNECTED,completed"), 0)
		assert.InEpsilon(t, 2, total("?status=cancelled,completed"), 0)
		assert.InEpsilon(t, 1, total("?query=0002"), 0)
		assert.Zero(t, total("?query=0002&status=cancelled"))
		assert.InEpsilon(t, 1, total("?query=Not%20connected"), 0, "it looks in statuses")
		assert.InEpsilon(t, 1, total("?query=reject"), 0, "and in reasons")
		assert.InEpsilon(t, 1, total("?query="+a.records(id, "recordId")[1].(string)), 0, "and in ids")
		assert.Len(t, a.get("/v2/batch-calls/"+id+"/records?perPage=2&page=2").field("records"), 1)
		a.get("/v2/batch-calls/" + id + "/records?page=x").must(http.StatusBadRequest)
	})
}

func (a api) deleteRecords(id string, records ...any) reply {
	a.t.Helper()
	return a.do(http.MethodDelete, "/v2/batch-calls/"+id+"/records", string(marshal(a.t, map[string]any{"recordIds": records})))
}

func TestUpdateRecord(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.upload("phone,name\n+14155550001,Ann\n")
		path := "/v2/batch-calls/" + id + "/records/" + a.records(id, "recordId")[0].(string)
		got := a.put(path, `{"phoneNumber":"+14155550002"}`).must(http.StatusOK)
		assert.Equal(t, "+14155550002", got.text("phoneNumber"))
		assert.Equal(t, "Ann", got.text("metadata.name"))
		got = a.put(path, `{"metadata":{"name":"Bob","n":1}}`).must(http.StatusOK)
		assert.Equal(t, map[string]any{"name": "Bob", "n": 1.0}, got.field("metadata"))
		assert.Equal(t, "+14155550002", got.text("phoneNumber"))

		a.put(path, `{"phoneNumber":"Bob"}`).refused(http.StatusBadRequest, "phoneNumber must be an E.164 number")
		a.put(path, `{"metadata":[]}`).refused(http.StatusBadRequest, "metadata must be an object")
		a.put(path+"x", `{}`).refused(http.StatusNotFound, "Record not found")
		a.createBatch(fmt.Sprintf(`,"batchId":%q`, id)).must(http.StatusCreated)
		a.put(path, `{}`).refused(http.StatusBadRequest, "Record cannot be updated while it is in progress")
		assert.Equal(t, 1, a.DialCount("+14155550002"))
	})
}

func TestDeleteRecords(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		id := a.launch(numbers(12), "")
		records := a.records(id, "recordId")
		got := a.deleteRecords(id, records[0], records[11], "rec_0").must(http.StatusOK)
		assert.JSONEq(t, `{"message":"Records deleted successfully","deletedCount":1}`, got.body, "one is being dialled, one is unknown")
		wait(time.Minute)
		assert.Len(t, a.Dials(), 11)
		assert.Zero(t, a.DialCount(recipientNumber(11)))
		assert.InEpsilon(t, 11, a.batch(id).field("recordsUploaded"), 0)
		a.deleteRecords(id).refused(http.StatusBadRequest, "recordIds must not be empty")
		a.do(http.MethodDelete, "/v2/batch-calls/"+id+"/records", "[]").refused(http.StatusBadRequest, "Request body must be a JSON object")
	})
}

func TestExportRecords(t *testing.T) {
	bubble(t, func(t *testing.T, a api) {
		a.Callee("+14155550002").Rejects()
		id := a.launch("phone,name\n+14155550001,\"Ann, B.\"\n+14155550002,Bob\n", "")
		wait(time.Minute)
		export := func(query string) [][]string {
			got := a.get("/v2/batch-calls/" + id + "/records/export" + query).must(http.StatusOK)
			assert.Equal(t, "text/csv; charset=utf-8", got.header.Get("Content-Type"))
			rows, err := csv.NewReader(bytes.NewReader([]byte(got.body))).ReadAll()
			require.NoError(t, err)
			return rows
		}
		records, calls := a.records(id, "recordId"), a.records(id, "callId")
		header := []string{"recordId", "phoneNumber", "status", "attempts", "callId", "reason", "callDuration", "metadata"}
		ann := []string{records[0].(string), "+14155550001", "completed", "1", calls[0].(string), "", "1", `{"name":"Ann, B."}`}
		bob := []string{records[1].(string), "+14155550002", "not connected", "1", calls[1].(string), "rejected", "", `{"name":"Bob"}`}
		assert.Equal(t, [][]string{header, ann, bob}, export(""))
		assert.Equal(t, [][]string{header, bob}, export("?status=not%20connected"))
		assert.Equal(t, [][]string{header, ann, bob}, export("?status=Not%20connected,Completed"))
		assert.Equal(t, [][]string{header, ann}, export("?search=0001"))
	})
}

func TestBatchTellsItsWebhook(t *testing.T) {
	r := &receiver{}
	hooked(t, r, func(t *testing.T, a api) {
		id := a.launch(numbers(1), `,"webhook":{"endpoint":"https://example.com/batch","events":["batchcall-started","batchcall-completed"]}`)
		a.launch(numbers(1), `,"webhook":{"endpoint":"https://example.com/other","events":["batchcall-completed"]}`)
		wait(time.Minute)
		var got []string
		for _, delivery := range r.all() {
			var body struct {
				WebhookType string
				Data        struct{ BatchID, Status string }
			}
			require.NoError(t, json.Unmarshal(delivery.body, &body))
			if body.Data.BatchID == id {
				got = append(got, body.WebhookType+" "+body.Data.Status+" "+delivery.url)
			}
		}
		assert.Equal(t, []string{
			"batchcall-started running https://example.com/batch",
			"batchcall-completed completed https://example.com/batch",
		}, got)
		assert.Len(t, r.all(), 3)
		assert.Equal(t, id, a.Deliveries()[0].WebhookID)
	})
}

func TestUpdateOfABatchChangesItsWebhook(t *testing.T) {
	r := &receiver{}
	hooked(t, r, func(t *testing.T, a api) {
		id := a.launch(numbers(1), `,"saveAsDraft":true,"webhook":{"endpoint":"https://example.com/old","events":["batchcall-started"]}`)
		path := "/v2/batch-calls/" + id
		a.put(path, `{"webhook":{"endpoint":"/new","events":["batchcall-completed"]}}`).
			refused(http.StatusBadRequest, "webhook.endpoint must be an absolute http or https URL")
		a.put(path, `{"webhook":{"endpoint":"https://example.com/new","events":["batchcall-completed"]}}`).must(http.StatusOK)
		a.put(path, `{"saveAsDraft":false}`).must(http.StatusOK)
		wait(time.Minute)
		deliveries := a.Deliveries()
		require.Len(t, deliveries, 1)
		assert.Equal(t, "https://example.com/new", deliveries[0].URL)
		assert.Equal(t, "batchcall-completed", deliveries[0].Event)
	})
}
