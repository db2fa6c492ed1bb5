package videosdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/videosdk-sip-go/videosdk/internal/jsonscan"
	"github.com/videosdk-sip-go/videosdk/internal/lenient"
	"github.com/videosdk-sip-go/videosdk/internal/redact"
)

// wire is W, the form in which a T travels: its documented fields, and the other
// spellings that occur.
type wire[W, T any] interface {
	*W
	// resource returns what was decoded, and its id. raw is what it was
	// decoded from.
	resource(raw json.RawMessage) (item *T, id string)
}

// one sends a request that answers one resource, either bare or as the data of
// an envelope.
func one[W, T any, P wire[W, T]](ctx context.Context, c *Client, r *request) (*T, error) {
	x, a, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	item, id, err := decodeAnswer[W, T, P](a.body)
	switch {
	case err != nil:
		return nil, x.refuse(err.Error())
	case id == "":
		return nil, x.refuse("it has no id")
	default:
		return item, nil
	}
}

// decodeAnswer decodes a resource that stands alone or in an envelope. One that
// is as documented is decoded with its envelope, in one pass.
func decodeAnswer[W, T any, P wire[W, T]](body []byte) (*T, string, error) {
	data, sole := jsonscan.Member(body, "data")
	if sole && isObject(data) {
		var envelope struct {
			Data W `json:"data"`
		}
		if json.Unmarshal(body, &envelope) == nil {
			item, id := P(&envelope.Data).resource(data)
			return item, id, nil
		}
	}
	raw, problem := choose(body, data)
	if problem != "" {
		return nil, "", errors.New(problem)
	}
	return decodeOne[W, T, P](raw)
}

func decodeOne[W, T any, P wire[W, T]](raw json.RawMessage) (*T, string, error) {
	var w W
	if err := lenient.Unmarshal(raw, &w); err != nil {
		return nil, "", readable(raw, err)
	}
	item, id := P(&w).resource(raw)
	return item, id, nil
}

// changed sends a request whose answer may hold the resource that it changed.
// If it does not, stub returns what is known of it; raw is the answer, or nil
// if that was empty.
func changed[W, T any, P wire[W, T]](ctx context.Context, c *Client, r *request, stub func(raw json.RawMessage) *T) (*T, error) {
	var item *T
	var raw json.RawMessage
	_, err := c.optional(ctx, r, func(_, data json.RawMessage) error {
		found, id, err := decodeOne[W, T, P](data)
		if id != "" {
			item = found
		}
		raw = data
		return err
	})
	if err != nil || item != nil {
		return item, err
	}
	return stub(raw), nil
}

// told sends a request whose answer is a text rather than a resource: the text
// may stand beside the data. All of the answer is decoded into dst and returned.
func (c *Client) told(ctx context.Context, r *request, dst any) (raw json.RawMessage, gone bool, err error) {
	gone, err = c.optional(ctx, r, func(body, data json.RawMessage) error {
		raw = body
		err := lenient.Unmarshal(body, dst)
		if err == nil && len(data) < len(body) { // which is no envelope if they are the same
			err = lenient.Unmarshal(data, dst)
		}
		if err != nil {
			return readable(body, err)
		}
		return nil
	})
	return raw, gone, err
}

// optional sends a request whose answer may be empty, and gives any other
// answer, and what is in its data, to decode.
func (c *Client) optional(ctx context.Context, r *request, decode func(body, data json.RawMessage) error) (gone bool, err error) {
	x, a, err := c.send(ctx, r)
	if err != nil || a.gone || isBlank(a.body) {
		return a.gone, err
	}
	data, problem := unwrap(a.body)
	if problem != "" {
		return false, x.refuse(problem)
	}
	if err := decode(a.body, data); err != nil {
		return false, x.refuse(err.Error())
	}
	return false, nil
}

// unwrap returns the object that an answer consists of, or the one in its
// "data", or what is wrong with the answer.
func unwrap(body []byte) (raw json.RawMessage, problem string) {
	data, _ := jsonscan.Member(body, "data")
	return choose(body, data)
}

// choose is unwrap where data, which may be nil, has been found.
func choose(body, data []byte) (raw json.RawMessage, problem string) {
	switch {
	case isObject(data):
		if !json.Valid(body) {
			return nil, notJSON(body)
		}
		return data, ""
	case isObject(body):
		return body, "" // which is checked as it is decoded
	case isBlank(body):
		return nil, "it is empty"
	default:
		return nil, "it is not a JSON object"
	}
}

// notJSON says where a body breaks the rules of JSON.
func notJSON(body []byte) (problem string) {
	err := json.Unmarshal(body, &struct{}{})
	problem = "it is not JSON: " + fmt.Sprint(err)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		problem += fmt.Sprintf(" (byte %d)", syntax.Offset)
	}
	return problem
}

// readable returns why a body could not be decoded.
func readable(body []byte, err error) error {
	if !json.Valid(body) {
		return errors.New(notJSON(body))
	}
	return err
}

func isBlank(body []byte) bool { return len(jsonscan.TrimLeft(body)) == 0 }

// isObject reports whether body starts as a JSON object does.
func isObject(body []byte) bool { return startsWith(body, '{') }

func startsWith(body []byte, delim byte) bool {
	body = jsonscan.TrimLeft(body)
	return len(body) > 0 && body[0] == delim
}

// Ack is the answer of an operation that returns no resource.
type Ack struct {
	// Message is the server's own text, which may be empty.
	Message string `json:"message"`
	// Raw is the answer as it came, nil if it was empty.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (a Ack) Format(f fmt.State, _ rune) { redact.Format(f, a) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (a Ack) LogValue() slog.Value { return redact.LogValue(a) }

// ack sends a request that answers no resource.
func (c *Client) ack(ctx context.Context, r *request) (*Ack, error) {
	result := &Ack{}
	raw, _, err := c.told(ctx, r, result)
	if err != nil {
		return nil, err
	}
	result.Raw = raw
	return result, nil
}

// DeleteResult is the result of a deletion.
type DeleteResult struct {
	// ID is that of what was deleted.
	ID string `json:"id"`
	// Message is the server's own text, which may be empty.
	Message string `json:"message"`
	// AlreadyGone says that an earlier attempt of the same call, whose answer
	// was lost, or somebody else at the same time had deleted it.
	AlreadyGone bool `json:"alreadyGone"`
	// Raw is the answer as it came, nil if it was empty.
	Raw json.RawMessage `json:"-" redact:"private"`
}

// Format implements [fmt.Formatter]. Secret and private fields are redacted,
// whatever the verb.
func (d DeleteResult) Format(f fmt.State, _ rune) { redact.Format(f, d) }

// LogValue implements [slog.LogValuer], with secret and private fields redacted.
func (d DeleteResult) LogValue() slog.Value { return redact.LogValue(d) }

// remove sends a request that deletes the thing of an id.
func (c *Client) remove(ctx context.Context, r *request, id string) (*DeleteResult, error) {
	result := &DeleteResult{}
	raw, gone, err := c.told(ctx, r, result)
	if err != nil {
		return nil, err
	}
	result.ID, result.AlreadyGone, result.Raw = id, gone, raw
	return result, nil
}
