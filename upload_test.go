package videosdk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// storage is the API as far as uploads need it, and the storage service that
// its presigned URLs lead to: two servers, as in life.
type storage struct {
	api, bucket *httptest.Server

	mu      sync.Mutex
	reacts  []http.Handler // to the first requests to the bucket, in turn
	puts    []recordedRequest
	lengths []int64
}

// newStorage returns a storage that lives until the end of the test.
func newStorage(tb testing.TB, reacts ...http.Handler) *storage {
	tb.Helper()
	s := &storage{reacts: reacts}
	s.bucket = httptest.NewServer(http.HandlerFunc(s.put))
	tb.Cleanup(s.bucket.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/batch-calls/upload", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"presignedUrl":%q,"batchId":"batch_1"}`, s.bucket.URL+"/leads/list.csv?"+signature)
	})
	mux.HandleFunc("POST /v2/batch-calls/parse", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) })
	mux.HandleFunc("GET /v2/batch-calls/batch_1", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"batchId":"batch_1","status":"parsed"}`)
	})
	s.api = httptest.NewServer(mux)
	tb.Cleanup(s.api.Close)
	return s
}

func (s *storage) put(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.reacts) > 0 {
		react := s.reacts[0]
		s.reacts = s.reacts[1:]
		react.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.puts = append(s.puts, recordedRequest{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header, Body: body})
	s.lengths = append(s.lengths, r.ContentLength)
}

func (s *storage) client(tb testing.TB, opts ...videosdk.Option) *videosdk.Client {
	tb.Helper()
	client, err := videosdk.New("test-key", "test-secret",
		append([]videosdk.Option{videosdk.WithBaseURL(s.api.URL), videosdk.WithRetryWait(0, 0)}, opts...)...)
	require.NoError(tb, err)
	tb.Cleanup(client.CloseIdleConnections)
	return client
}

// signature is the query of a presigned URL as storage services make it: with
// values that look one way in the URL and another way when they are read.
const signature = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20250821%2Fus-east-1%2Fs3%2Faws4_request" +
	"&X-Amz-Expires=900&X-Amz-Security-Token=FwoGZXIvYXdzEBYaDA%2B%2FexampleToken%3D%3D" +
	"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"

// signedParts holds what of it is secret, in each of its spellings.
func signedParts() []string {
	return []string{
		"aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
		"FwoGZXIvYXdzEBYaDA%2B%2FexampleToken%3D%3D", "FwoGZXIvYXdzEBYaDA+/exampleToken==",
		"AKIAIOSFODNN7EXAMPLE",
	}
}

func TestAnUploadSendsTheFileAndNothingOfOurs(t *testing.T) {
	types := map[string]string{
		"leads.csv":  "text/csv",
		"LEADS.CSV":  "text/csv",
		"leads.xls":  "application/vnd.ms-excel",
		"leads.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	}
	for name, contentType := range types {
		t.Run(name, func(t *testing.T) {
			store := newStorage(t)
			content := []byte("phoneNumber\r\n+14155550199\r\n\x00\xff")
			file := filepath.Join(t.TempDir(), name)
			require.NoError(t, os.WriteFile(file, content, 0o600))

			batch, err := store.client(t).BatchCalls.UploadFile(t.Context(), file, videosdk.WithHeader("X-Tenant", "acme"))

			require.NoError(t, err)
			assert.Equal(t, "batch_1", batch.ID)
			require.Len(t, store.puts, 1)
			put := store.puts[0]
			assert.Equal(t, http.MethodPut, put.Method)
			assert.Equal(t, "/leads/list.csv", put.Path)
			assert.Equal(t, signature, put.Query, "as it was signed")
			assert.Equal(t, content, put.Body)
			assert.Equal(t, int64(len(content)), store.lengths[0])
			assert.Equal(t, contentType, put.Header.Get("Content-Type"))
			assert.NotContains(t, put.Header, "Authorization")
			assert.NotContains(t, put.Header, "X-Tenant", "storage services refuse what was not signed")
			assert.NotContains(t, put.Header, "Transfer-Encoding")
		})
	}
}

// reset ends the connection without an answer, after reading what came.
func reset(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	panic(http.ErrAbortHandler)
}

// A middleware has the request in its hands, and may change the URL in it.
func TestAMiddlewareThatChangesThePresignedURLLeavesTheUploadAlone(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the file went to another place")
	}))
	t.Cleanup(elsewhere.Close)
	tests := map[string]struct {
		before, after func(*url.URL)
	}{
		"by turning to another host": {func(u *url.URL) { u.Host = strings.TrimPrefix(elsewhere.URL, "http://") }, func(*url.URL) {}},
		"by hiding its query":        {func(*url.URL) {}, func(u *url.URL) { u.RawQuery = "" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			store := newStorage(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, `{"message":"not `+r.URL.Query().Get("X-Amz-Signature")+`"}`)
			}))
			_, err := store.client(t, videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return roundTripFunc(func(req *http.Request) (*http.Response, error) {
					if req.Method != http.MethodPut {
						return next.RoundTrip(req)
					}
					tt.before(req.URL)
					defer tt.after(req.URL)
					return next.RoundTrip(req)
				})
			})).BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader("+14155550199\n"))
			require.Error(t, err)
			for _, part := range signedParts() {
				assert.NotContains(t, fmt.Sprintf("%+v", err), part)
			}
		})
	}
}

func TestAnUploadIsRepeatedWithTheWholeFile(t *testing.T) {
	refuseEarly := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	tests := map[string]http.HandlerFunc{
		"after a connection that broke at the end":       reset,
		"after a connection that broke at the beginning": refuseEarly,
		"after a 500": status(500),
		"after a 503": status(503),
	}
	content := bytes.Repeat([]byte("+14155550199\n"), 50_000)
	for name, react := range tests {
		t.Run(name, func(t *testing.T) {
			store := newStorage(t, react, react)
			_, err := store.client(t).BatchCalls.Upload(t.Context(), "list.csv", bytes.NewReader(content))
			require.NoError(t, err)
			require.Len(t, store.puts, 1)
			assert.True(t, bytes.Equal(content, store.puts[0].Body))
		})
	}
}

func TestNoSecretOfAPresignedURLStandsInAnErrorOrALog(t *testing.T) {
	// As S3 does: everything that was signed, in two spellings, escaped for XML.
	quote := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>PUT\n%s\n%s</CanonicalRequest><Token>%s</Token><URL>%s</URL></Error>",
			r.URL.Path, strings.ReplaceAll(r.URL.RawQuery, "&", "&amp;"), r.URL.Query().Get("X-Amz-Security-Token"), r.URL)
	}
	quoteJSON := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"message":%q,"code":%q}`, "no upload "+r.URL.RawQuery, r.URL.Query().Get("X-Amz-Signature"))
	}
	redirect := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://elsewhere.example.com"+r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	tests := map[string]http.HandlerFunc{
		"a refusal that quotes the request": quote, "a refusal in JSON": quoteJSON, "a redirect": redirect, "a connection that breaks": reset,
	}
	for name, react := range tests {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			store := newStorage(t, react, react, react, react)
			client := store.client(t, videosdk.WithLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))))

			_, err := client.BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))

			require.ErrorContains(t, err, "BatchCalls.Upload")
			assertWithout(t, signedParts(), append(textsOf(err), err.Error(), logged.String())...)
		})
	}
}

// assertWithout requires that no text contains one of the secrets.
func assertWithout(t *testing.T, secrets []string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%q stands in %q", secret, text)
			}
		}
	}
}

// The emulator's URLs, and those of some services, have the secret in the path.
func TestASecretInThePathOfAPresignedURLIsTakenOutToo(t *testing.T) {
	const secret = "s3cr3t-t0k3n-of-the-upload"
	recorder := newRecorder(t, http.StatusOK, `{"presignedUrl":"https://files.example.com/put/`+secret+`/list.csv","batchId":"b"}`).
		then(http.StatusBadRequest, `{"message":"no upload `+secret+` here"}`)
	_, err := recorder.client().BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
	require.ErrorIs(t, err, videosdk.ErrBadRequest)
	assertWithout(t, []string{secret}, append(textsOf(err), err.Error())...)
}

// A transport may name the URL in its error.
func TestAnErrorOfATransportThatNamesThePresignedURLIsScrubbed(t *testing.T) {
	var logged bytes.Buffer
	store := newStorage(t)
	client := store.client(t, videosdk.WithMaxRetries(1),
		videosdk.WithLogger(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		videosdk.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPut {
					return nil, &url.Error{Op: "Put", URL: req.URL.String(), Err: errors.New("cable cut at " + req.URL.Query().Get("X-Amz-Security-Token"))}
				}
				return next.RoundTrip(req)
			})
		}))

	_, err := client.BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))

	require.ErrorContains(t, err, "cable cut")
	assertWithout(t, signedParts(), err.Error(), fmt.Sprintf("%v %+v %q", err, err, err), logged.String())
}

// The server fetches the list by the URL that was given to us, and may say so
// when it cannot.
func TestNoSecretOfAPresignedURLStandsInWhatComesAfterTheUpload(t *testing.T) {
	const presigned = "https://files.example.com/put/s3cr3t-t0k3n-of-the-upload/list.csv?" + signature
	const cdn = "https://cdn.example.com/s3cr3t-copy-of-the-list.csv?Signature=c4nary"
	secrets := append(signedParts(), "s3cr3t-t0k3n-of-the-upload", "s3cr3t-copy-of-the-list", "c4nary")
	failed := fmt.Sprintf(`{"batchId":"batch_1","status":"parse_failed","cdnUrl":%q,"parseError":%q}`, cdn, "GET "+presigned+" or "+cdn+": 403")
	tests := []struct {
		name  string
		after []string // the status and body of each answer after the upload
	}{
		{"a refusal to parse", []string{"400", `{"message":"cannot read ` + presigned + `","code":"` + presigned + `"}`}},
		{"a wait that fails", []string{"200", "", "404", `{"message":"nothing at ` + presigned + `"}`}},
		{"a wait that fails without the query", []string{"200", "", "404", `{"message":"nothing at /put/s3cr3t-t0k3n-of-the-upload"}`}},
		{"a list that cannot be read", []string{"200", "", "200", failed}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var seen bytes.Buffer
			recorder := newRecorder(t, http.StatusOK, fmt.Sprintf(`{"presignedUrl":%q,"batchId":"batch_1"}`, presigned)).then(http.StatusOK, "")
			for pair := range slices.Chunk(tt.after, 2) {
				status, err := strconv.Atoi(pair[0])
				require.NoError(t, err)
				recorder.then(status, pair[1])
			}
			log := slog.New(slog.NewJSONHandler(&seen, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := recorder.client(videosdk.WithMaxRetries(0), videosdk.WithLogger(log)).BatchCalls.Upload(t.Context(), "list.csv",
				strings.NewReader(goldenList), videosdk.WithProgress(func(b *videosdk.BatchCall) {
					fmt.Fprintf(&seen, "%v %+v %#v %s", b, b, *b, b.LogValue())
					log.Info("progress", "batch", b)
				}))
			require.Error(t, err)
			assertWithout(t, secrets, append(everyTextOf(err), seen.String())...)
			var unread *videosdk.ParseFailedError
			if errors.As(err, &unread) {
				assert.ErrorContains(t, err, "403")
				for _, text := range printed(unread.Batch) {
					assertWithout(t, secrets, text)
				}
				assertWithout(t, append(signedParts(), "s3cr3t-t0k3n-of-the-upload"), unread.Batch.ParseError)
			}
		})
	}
}

func TestAnUploadThatFailsAfterTheListWasTakenTellsItsCampaign(t *testing.T) {
	taken := func(t *testing.T) *recorder {
		return newRecorder(t, http.StatusOK, goldenTicket).then(http.StatusOK, "")
	}
	tests := []struct {
		name    string
		answers *recorder
		want    error
		maybe   bool
	}{
		{"when parsing is refused", taken(t).then(http.StatusForbidden, `{}`), videosdk.ErrForbidden, false},
		{"when nobody knows if parsing is", taken(t).then(http.StatusBadGateway, `{}`), videosdk.ErrServer, true},
		{"when the wait fails", taken(t).then(http.StatusOK, ``).then(http.StatusForbidden, `{}`), videosdk.ErrForbidden, true},
		{"when the wait goes on failing", taken(t).then(http.StatusOK, ``).then(http.StatusBadGateway, `{}`), videosdk.ErrServer, true},
		{"when the wait takes too long", taken(t).then(http.StatusOK, ``).then(http.StatusOK, `{"batchId":"batch_1","status":"parsing"}`), videosdk.ErrTimeout, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				batch, err := tt.answers.client(videosdk.WithMaxRetries(0)).BatchCalls.Upload(ctx, "list.csv", strings.NewReader(goldenList))
				assert.Nil(t, batch)
				require.ErrorIs(t, err, tt.want)
				var failed *videosdk.UploadError
				require.ErrorAs(t, err, &failed)
				assert.Equal(t, "batch_1", failed.BatchID)
				assert.Equal(t, tt.maybe, failed.MaybeApplied)
				assert.Equal(t, tt.maybe, errors.Is(err, videosdk.ErrMaybeApplied))
				assert.NotErrorIs(t, err, videosdk.ErrNotFound)
				assert.ErrorContains(t, err, "BatchCalls.Upload")
				assert.ErrorContains(t, err, "batch_1")
			})
		})
	}
	t.Run("when its context ends before it asks for the parsing", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := newRecorder(t, http.StatusOK, goldenTicket).then(http.StatusOK, "").client(
			videosdk.WithOnAttempt(func(_ context.Context, attempt videosdk.Attempt) {
				if attempt.Method == http.MethodPut {
					cancel()
				}
			}))
		_, err := client.BatchCalls.Upload(ctx, "list.csv", strings.NewReader(goldenList))
		require.ErrorIs(t, err, context.Canceled)
		var failed *videosdk.UploadError
		require.ErrorAs(t, err, &failed)
		assert.NotErrorIs(t, err, videosdk.ErrMaybeApplied)
	})
	t.Run("but not when the storage did not take it", func(t *testing.T) {
		client := newRecorder(t, http.StatusOK, goldenTicket).then(http.StatusForbidden, "").client()
		_, err := client.BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
		require.ErrorIs(t, err, videosdk.ErrForbidden)
		var failed *videosdk.UploadError
		assert.False(t, errors.As(err, &failed))
	})
}

func TestAParseErrorIsPrintedWithoutTheURLThatStandsBesideIt(t *testing.T) {
	const cdn = "https://cdn.example.com/s3cr3t-copy-of-the-list.csv"
	batch := videosdk.BatchCall{ID: "batch_1", CDNURL: cdn, ParseError: "GET " + cdn + "?X-Amz-Signature=c4nary: 403"}
	for _, value := range []any{batch, &batch, &videosdk.ParseFailedError{Batch: &batch}, videosdk.Page[videosdk.BatchCall]{Items: []*videosdk.BatchCall{&batch}}} {
		for _, text := range printed(value) {
			assertWithout(t, []string{"s3cr3t", "c4nary"}, text)
		}
		assert.Contains(t, fmt.Sprint(value), "GET [redacted]?X-Amz-Signature=[redacted]")
	}
}

// Tests of programs make errors of their own.
func TestAnErrorThatIsEmptyHasAText(t *testing.T) {
	assert.ErrorContains(t, &videosdk.ParseFailedError{}, "could not be parsed")
	assert.ErrorContains(t, &videosdk.UploadError{}, "was uploaded and is not parsed")
	assert.ErrorContains(t, &videosdk.UploadError{MaybeApplied: true}, "was uploaded and may be parsed")
}

func TestAPresignedURLThatIsNotSafeIsNotUsed(t *testing.T) {
	tests := map[string]string{
		"http":                      "http://bucket.example.com/list.csv?X-Amz-Signature=0123456789abcdef",
		"http that looks like ours": "http://localhost.example.com/list.csv?X-Amz-Signature=0123456789abcdef",
		"http to this machine, for an API that is elsewhere": "http://127.0.0.1/list.csv?X-Amz-Signature=0123456789abcdef",
		"no scheme":                   "//bucket.example.com/list.csv?X-Amz-Signature=0123456789abcdef",
		"a port and no host":          "https://:443/list.csv?X-Amz-Signature=0123456789abcdef",
		"two ports":                   "https://bucket.example.com:1:/list.csv?X-Amz-Signature=0123456789abcdef",
		"no host":                     "https:///list.csv?X-Amz-Signature=0123456789abcdef",
		"a path":                      "/list.csv?X-Amz-Signature=0123456789abcdef",
		"another scheme":              "ftp://bucket.example.com/list.csv?X-Amz-Signature=0123456789abcdef",
		"a user and password":         "https://user:0123456789abcdef@bucket.example.com/list.csv",
		"what cannot be read as such": "https://bucket.example.com/%zz?X-Amz-Signature=0123456789abcdef",
	}
	for name, presigned := range tests {
		t.Run(name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, fmt.Sprintf(`{"presignedUrl":%q,"batchId":"b"}`, presigned))
			_, err := recorder.client().BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
			require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
			assertWithout(t, []string{"0123456789abcdef"}, err.Error())
			assert.Len(t, recorder.all(), 1, "the ticket was asked for, and nothing else")
		})
	}
}

// An emulator is reached in clear text, but on this machine only.
func TestAnEmulatorsAPISendsNoFileInClearTextToAnotherMachine(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, `{"presignedUrl":"http://bucket.example.com/list.csv","batchId":"b"}`)
	client := recorder.client(videosdk.WithBaseURL("http://127.0.0.1:8080"))
	_, err := client.BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
	require.ErrorIs(t, err, videosdk.ErrInvalidResponse)
	assert.Len(t, recorder.all(), 1, "the ticket was asked for, and nothing else")
}

func TestAPresignedURLMayHaveAnEmptyPort(t *testing.T) {
	var host string
	client, err := videosdk.New("key", "secret", videosdk.WithHTTPClient(&http.Client{
		Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPut {
				host = req.Host
				return newRecorder(t, http.StatusForbidden, ``).RoundTrip(req)
			}
			return newRecorder(t, http.StatusOK, `{"presignedUrl":"https://bucket.example.com:/list.csv","batchId":"b"}`).RoundTrip(req)
		}),
	}))
	require.NoError(t, err)
	_, err = client.BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
	require.ErrorIs(t, err, videosdk.ErrForbidden)
	assert.Equal(t, "bucket.example.com", host, "which is what net/http sends, and the storage has signed")
}

func TestATicketThatIsIncompleteIsAnError(t *testing.T) {
	for _, body := range []string{`{}`, `{"batchId":"b"}`, `{"presignedUrl":"https://bucket.example.com/x"}`} {
		recorder := newRecorder(t, http.StatusOK, body)
		_, err := recorder.client().BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
		require.ErrorIs(t, err, videosdk.ErrInvalidResponse, body)
		assert.Len(t, recorder.all(), 1)
	}
}

func TestAFileThatCannotBeUploadedIsRefusedBeforeAnythingIsSent(t *testing.T) {
	const limit = videosdk.MaxBatchFileSize
	tests := []struct {
		name, file string
		size       int
		faults     []string
	}{
		{"of another type", "leads.txt", 10, []string{"fileName"}},
		{"without a type", "leads", 10, []string{"fileName"}},
		{"whose name is its type", "csv", 10, []string{"fileName"}},
		{"that is empty", "leads.csv", 0, []string{"fileSize"}},
		{"of one byte too many", "leads.csv", limit + 1, []string{"fileSize"}},
		{"of exactly the limit, which can be", "leads.csv", limit, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			content := bytes.Repeat([]byte("1"), tt.size)
			path := filepath.Join(t.TempDir(), tt.file)
			require.NoError(t, os.WriteFile(path, content, 0o600))
			answers := func() *recorder {
				return newRecorder(t, http.StatusOK, goldenTicket).then(http.StatusOK, "").then(http.StatusOK, "").
					then(http.StatusOK, `{"batchId":"b","status":"parsed"}`)
			}
			for way, upload := range map[string]func(*videosdk.Client) (*videosdk.BatchCall, error){
				"Upload": func(c *videosdk.Client) (*videosdk.BatchCall, error) {
					return c.BatchCalls.Upload(t.Context(), tt.file, bytes.NewReader(content))
				},
				"UploadFile": func(c *videosdk.Client) (*videosdk.BatchCall, error) {
					return c.BatchCalls.UploadFile(t.Context(), path)
				},
			} {
				recorder := answers()
				_, err := upload(recorder.client())
				if tt.faults == nil {
					require.NoError(t, err, way)
					continue
				}
				assertRefused(t, recorder, err, tt.faults...)
			}
		})
	}
}

func TestAFileWithTwoFaultsIsRefusedForBoth(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leads.pdf")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	recorder := newRecorder(t, http.StatusOK, goldenTicket)
	_, err := recorder.client().BatchCalls.UploadFile(t.Context(), path)
	assertRefused(t, recorder, err, "fileName", "fileSize")
}

// Who reads from a socket has nothing to read twice.
func TestAListIsNotReadForAnUploadThatCannotBe(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	late, lapse := context.WithTimeout(t.Context(), 0)
	defer lapse()
	tests := []struct {
		name string
		ctx  context.Context
		file string
		opts []videosdk.RequestOption
		want error
	}{
		{"because of its type", t.Context(), "leads.txt", nil, videosdk.ErrInvalidRequest},
		{"because of an option", t.Context(), "leads.csv", []videosdk.RequestOption{videosdk.WithProgress(nil)}, videosdk.ErrInvalidRequest},
		{"because its context has been cancelled", ended, "leads.csv", nil, context.Canceled},
		{"because its context has run out", late, "leads.csv", nil, videosdk.ErrTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := newRecorder(t, http.StatusOK, goldenTicket)
			content := strings.NewReader(goldenList)
			_, err := recorder.client().BatchCalls.Upload(tt.ctx, tt.file, content, tt.opts...)
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, "BatchCalls.Upload")
			assert.Equal(t, len(goldenList), content.Len(), "nothing has been read")
			assert.Empty(t, recorder.all())
		})
	}
}

// readerFunc is a reader that is one function.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestTheReadingOfAListEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	reads := 0
	_, err := newRecorder(t, http.StatusOK, goldenTicket).client().BatchCalls.Upload(ctx, "list.csv", readerFunc(func(p []byte) (int, error) {
		if reads++; reads == 3 {
			cancel(enough)
		}
		return copy(p, "1"), nil
	}))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, enough)
	assert.Equal(t, 3, reads)
}

func TestAListThatCannotBeReadIsAnErrorOfTheReader(t *testing.T) {
	recorder := newRecorder(t, http.StatusOK, goldenTicket)
	batches := recorder.client().BatchCalls
	broken := errors.New("disk on fire")

	_, err := batches.Upload(t.Context(), "list.csv", io.MultiReader(strings.NewReader(goldenList), errReader{broken}))
	require.ErrorIs(t, err, broken)
	_, err = batches.Upload(t.Context(), "list.csv", nil)
	require.ErrorIs(t, err, videosdk.ErrInvalidRequest)
	_, err = batches.UploadFile(t.Context(), filepath.Join(t.TempDir(), "none.csv"))
	require.ErrorIs(t, err, os.ErrNotExist)
	directory := filepath.Join(t.TempDir(), "directory.csv")
	require.NoError(t, os.Mkdir(directory, 0o700))
	_, err = batches.UploadFile(t.Context(), directory)
	assert.Equal(t, []string{"path"}, fieldsOf(t, err))
	assert.Empty(t, recorder.all(), "nothing is asked of the server")
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// What the storage service answers with is its own business.
func TestAnUploadIsContentWithWhateverTheStorageAnswers(t *testing.T) {
	for _, body := range []string{"", "<ok/>", "OK", `{"etag":"x"}`} {
		store := newStorage(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, body)
		}))
		_, err := store.client(t).BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
		require.NoError(t, err, body)
	}
}

func TestAnUploadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	store := newStorage(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel(enough)
		<-r.Context().Done()
	}))
	_, err := store.client(t).BatchCalls.Upload(ctx, "list.csv", strings.NewReader(goldenList))
	require.ErrorIs(t, err, enough)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, store.puts)
}

// The token belongs to the API's origin, whoever the upload goes to.
func TestAnUploadToTheAPIsOwnOriginTakesNoTokenEither(t *testing.T) {
	srv := newServer(t)
	_, err := newClient(t, srv).BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList),
		videosdk.WithPollInterval(1, 1))
	require.NoError(t, err)
	for _, request := range srv.Requests() {
		_, hasToken := request.Header["Authorization"]
		assert.Equal(t, request.Method != http.MethodPut, hasToken, "%s %s", request.Method, request.Path)
	}
}

// A refusal of the storage service is none of the API: no other token helps.
func TestARefusalByTheStorageIsNotAnsweredWithANewToken(t *testing.T) {
	store := newStorage(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	_, err := store.client(t).BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
	require.ErrorIs(t, err, videosdk.ErrUnauthorized)
	assert.Empty(t, store.puts)
}

func TestACampaignIsNotParsedWhenItsListWasNotTaken(t *testing.T) {
	srv := newServer(t)
	srv.Inject(videosdktest.Fault{Method: http.MethodPut, Status: http.StatusForbidden})
	_, err := newClient(t, srv).BatchCalls.Upload(t.Context(), "list.csv", strings.NewReader(goldenList))
	require.ErrorIs(t, err, videosdk.ErrForbidden)
	assert.Equal(t, []string{http.MethodPost, http.MethodPut}, methodsOf(srv))
}

// What the benchmark shows must stay: a large file takes no more memory than a
// small one.
func TestAFileIsUploadedWithConstantMemory(t *testing.T) {
	small, large := allocatedByUpload(t, 1<<10), allocatedByUpload(t, videosdk.MaxBatchFileSize)
	assert.Less(t, large, small+512<<10, "bytes that 5 MiB take, against 1 KiB and some room")
}

// allocatedByUpload returns how much memory the upload of a file takes, that
// of the servers included.
func allocatedByUpload(t *testing.T, size int) uint64 {
	t.Helper()
	const times = 5
	upload := uploadOf(t, size, times+1)
	require.NoError(t, upload()) // connections
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		require.NoError(t, upload())
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / times
}

func BenchmarkUploadFile5MiB(b *testing.B) { benchmarkUploadFile(b, videosdk.MaxBatchFileSize) }

func BenchmarkUploadFile1KiB(b *testing.B) { benchmarkUploadFile(b, 1<<10) }

func benchmarkUploadFile(b *testing.B, size int) {
	upload := uploadOf(b, size, b.N)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if err := upload(); err != nil {
			b.Fatal(err)
		}
	}
}

// uploadOf returns a function that uploads a file, so many times at most, to
// servers that keep nothing of it.
func uploadOf(tb testing.TB, size, times int) func() error {
	tb.Helper()
	discard := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	store := newStorage(tb, slices.Repeat([]http.Handler{discard}, times)...)
	client := store.client(tb)
	file := filepath.Join(tb.TempDir(), "list.csv")
	require.NoError(tb, os.WriteFile(file, bytes.Repeat([]byte("x"), size), 0o600))
	return func() error { return errorOf(client.BatchCalls.UploadFile(context.Background(), file)) }
}
