package videosdktest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"mime"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	uploadPath  = "/uploads/"
	uploadLimit = 5 << 20 // bytes

	// parseTime is long enough for a client to see that a file is being parsed.
	parseTime = 20 * time.Millisecond
)

// createUpload gives out a URL that the file of a batch can be put to.
func (s *Server) createUpload(r *request) (answer, error) {
	var p struct {
		Name    string `json:"fileName"`
		Size    int    `json:"fileSize"`
		BatchID string `json:"batchId"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(p.Name), "."))
	switch {
	case p.Name == "":
		return answer{}, badRequest("fileName is required")
	case !slices.Contains([]string{"csv", "xls", "xlsx"}, extension):
		return answer{}, badRequest("fileName must end in .csv, .xls or .xlsx")
	case p.Size < 1 || p.Size > uploadLimit:
		return answer{}, badRequest("fileSize must be between 1 and %d bytes", uploadLimit)
	}
	b, err := s.batchToUpload(p.BatchID)
	if err != nil {
		return answer{}, err
	}
	b.File = batchFile{Name: p.Name, Extension: extension, Key: "batch-calls/" + b.ID + "/" + path.Base(p.Name)}
	s.account.endUpload(b)
	b.upload = newID("")
	s.account.uploads[b.upload] = b
	return ok(struct {
		URL     string `json:"presignedUrl"`
		FileKey string `json:"fileKey"`
		Name    string `json:"fileName"`
		BatchID string `json:"batchId"`
	}{"http://" + r.Host + uploadPath + b.upload, b.File.Key, p.Name, b.ID}), nil
}

// endUpload makes the URL that a file was put to lead nowhere, and forgets the
// file.
func (a *account) endUpload(b *batch) {
	delete(a.uploads, b.upload)
	b.upload, b.content = "", nil
}

// batchToUpload returns a new batch, or the one whose file is to be replaced.
func (s *Server) batchToUpload(id string) (*batch, error) {
	if id == "" {
		return s.addBatch(batchUploaded), nil
	}
	b := s.account.batches.get(id)
	switch {
	case b == nil:
		return nil, errUnknownBatch()
	case !slices.Contains([]string{batchUploaded, batchParsed, batchParseFailed, batchDraft}, b.Status):
		return nil, badRequest("The file of a batch call cannot be replaced while it is %s", b.Status)
	}
	s.setBatchStatus(b, batchUploaded)
	return b, nil
}

// putUpload stands in for the file storage, which takes the signature in the URL
// for authorization and refuses any other beside it.
func (s *Server) putUpload(r *request) (answer, error) {
	b := s.account.uploads[r.PathValue("token")]
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case b == nil:
		return answer{}, notFound("Upload not found")
	case r.Header.Get("Authorization") != "":
		return answer{}, badRequest("Authorization is not allowed on a presigned URL")
	case !slices.Contains(spreadsheetTypes(), kind):
		return answer{}, badRequest("Content-Type must be one of %q", spreadsheetTypes())
	case len(r.payload) > uploadLimit:
		return answer{}, badRequest("The file exceeds %d bytes", uploadLimit)
	}
	b.content = r.payload
	return ok(struct{}{}), nil
}

func spreadsheetTypes() []string {
	return []string{"text/csv", "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
}

// parseUpload may be repeated: a file that is being parsed, or has been, stays.
func (s *Server) parseUpload(r *request) (answer, error) {
	var p struct {
		BatchID string `json:"batchId"`
	}
	if err := r.decode(&p); err != nil {
		return answer{}, err
	}
	b := s.account.batches.get(p.BatchID)
	switch {
	case p.BatchID == "":
		return answer{}, badRequest("batchId is required")
	case b == nil:
		return answer{}, errUnknownBatch()
	}
	if b.Status == batchUploaded || b.Status == batchParseFailed {
		if b.content == nil {
			return answer{}, badRequest("No file has been uploaded")
		}
		b.ParseError = ""
		s.setBatchStatus(b, batchParsing)
		b.run.next = s.later(parseTime, func() { s.parse(b) })
	}
	return ok(struct {
		Message string `json:"message"`
		BatchID string `json:"batchId"`
		Status  string `json:"status"`
	}{"Parsing started", b.ID, b.Status}), nil
}

func (s *Server) parse(b *batch) {
	recipients, err := b.recipients()
	if err != nil {
		b.ParseError = err.Error()
		s.setBatchStatus(b, batchParseFailed)
		return
	}
	s.account.endUpload(b)
	b.Records = make([]*batchRecord, len(recipients))
	for i, recipient := range recipients {
		b.Records[i] = b.newRecord(recipient)
	}
	s.setBatchStatus(b, batchParsed)
}

// recipient is a row of the file.
type recipient struct {
	number   string
	metadata json.RawMessage // an object
}

func (b *batch) recipients() ([]recipient, error) {
	if b.File.Extension != "csv" {
		return nil, fmt.Errorf("the emulator reads .csv files only, not .%s", b.File.Extension)
	}
	return parseRecipients(b.content)
}

// parseRecipients reads a CSV file. The first row names the columns, unless it
// begins with a phone number; the numbers stand in the column that is named for
// them, or else in the first. All other columns are metadata.
func parseRecipients(content []byte) ([]recipient, error) {
	const byteOrderMark = "\ufeff"
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte(byteOrderMark))))
	reader.FieldsPerRecord = -1
	reader.TrimLeadingSpace = true
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("the file is not CSV: %w", err)
	}
	var header []string
	if len(rows) > 0 && !isE164(strings.TrimSpace(rows[0][0])) {
		header = rows[0]
	}
	if len(rows) == 0 || header != nil && len(rows) == 1 {
		return nil, fmt.Errorf("the file has no records")
	}
	numbers := max(0, slices.IndexFunc(header, isNumberColumn))
	recipients := make([]recipient, 0, len(rows))
	for i, row := range rows {
		if i == 0 && header != nil {
			continue
		}
		recipient, err := readRow(row, header, numbers)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		recipients = append(recipients, recipient)
	}
	return recipients, nil
}

func isNumberColumn(name string) bool {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "phonenumber", "phone_number", "phone":
		return true
	default:
		return false
	}
}

// readRow reads a row whose phone number is in the column of index numbers. A
// column without a name is called after its place.
func readRow(row, header []string, numbers int) (recipient, error) {
	var number string
	metadata := make(map[string]string)
	for i, cell := range row {
		cell = strings.TrimSpace(cell)
		switch {
		case i == numbers:
			number = cell
		case i < len(header):
			metadata[strings.TrimSpace(header[i])] = cell
		default:
			metadata[fmt.Sprintf("column%d", i+1)] = cell
		}
	}
	if !isE164(number) {
		return recipient{}, fmt.Errorf("%q is not an E.164 number", number)
	}
	encoded, err := json.Marshal(metadata)
	return recipient{number: number, metadata: encoded}, err
}
