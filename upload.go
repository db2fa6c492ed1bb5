package videosdk

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// upload is a file on its way to a presigned URL: on the same road as every
// request, but to another origin, and without our token.
type upload struct {
	url         *url.URL // where the file may go, and what is secret
	contentType string
	content     io.ReaderAt
	size        int64
}

// longestPresigned is the longest presigned URL that is used, in bytes: four times
// what signatures with session tokens come to. Each part of it is looked for in
// every error.
const longestPresigned = 8 << 10

// newUpload checks a presigned URL as the base URL is checked: it is a secret
// by itself, and must not travel in clear text. http leads to loopback, and only
// where the API is there too, as an emulator's is.
func newUpload(api, presigned, contentType string, content io.ReaderAt, size int64) (*upload, error) {
	u, err := url.Parse(presigned)
	switch {
	case len(presigned) > longestPresigned:
		return nil, fmt.Errorf("%w: the presigned URL is longer than 8 KiB", ErrInvalidResponse)
	case err != nil:
		return nil, fmt.Errorf("%w: the presigned URL is not a URL", ErrInvalidResponse)
	case !hasHost(u) || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname()) && strings.HasPrefix(api, "http:")):
		return nil, fmt.Errorf("%w: the presigned URL is not an https URL", ErrInvalidResponse)
	}
	u.Host = strings.TrimSuffix(u.Host, ":") // as net/http does
	return &upload{url: u, contentType: contentType, content: content, size: size}, nil
}

// open returns what reads the file for one attempt.
func (u *upload) open() (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(u.content, 0, u.size)), nil
}

func (u *upload) origin() string { return u.url.Scheme + "://" + u.url.Host }

func (u *upload) header() http.Header {
	return http.Header{"Content-Type": {u.contentType}}
}

// secrets returns what must not show in an error text. The storage service
// likes to repeat the parameters that it signed, and what it was asked for.
func (u *upload) secrets() []string {
	secrets := []string{u.url.String(), u.url.RequestURI()}
	parts := strings.Split(u.url.Path, "/")
	for _, values := range u.url.Query() {
		parts = append(parts, values...)
	}
	for _, part := range parts {
		if len(part) >= 16 { // a signature or a credential, not a number of seconds
			secrets = append(secrets, part)
		}
	}
	return secrets
}

// contextReader reads as long as its context lasts.
type contextReader struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (r contextReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, waitEnd{endOf(r.ctx)}
	}
	return r.Reader.Read(p)
}

// isText reports whether an answer is what a file is exported as. Errors come
// as JSON, and captive portals as HTML.
func isText(resp *http.Response) bool {
	kind := contentType(resp.Header.Get("Content-Type"))
	return resp.StatusCode == http.StatusOK && !strings.HasSuffix(kind, "json") && kind != "text/html"
}

// sink is where an answer of text goes, in place of memory.
type sink struct {
	to    io.Writer
	begun bool  // the writer has been given something
	err   error // of the writer
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (n int, err error) {
	s.begun = true
	n, err = s.to.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	s.err = err
	return n, err
}

// pour copies the body of an answer to a sink. begun says that there is no
// second attempt, because the writer has been given something.
func pour(resp *http.Response, to *sink) (begun bool, err error) {
	defer func() { _ = resp.Body.Close() }()
	body, err := content(resp)
	if err == nil {
		_, err = io.Copy(to, body)
	}
	return to.begun, err
}
