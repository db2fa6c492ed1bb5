package videosdktest

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// WithState keeps the account in a file, across restarts: its credentials,
// unless [WithCredentials] sets others, the key that signs deliveries, and all that
// it holds. The file is read at the start, if it exists, and written shortly after
// each change and by [Server.Close]. When the server starts again, calls that were
// up are over, and batches go on with the records that were not dialled yet; a file
// that was not parsed yet has to be uploaded again. What tests observe, such as
// requests and dials, is not kept.
//
// The file holds secrets in clear text. No two servers may use it at the same
// time. It is written as a whole, while requests wait, and calls stay in it: 6 MB for
// 10,000 of them. With tens of thousands, begin with a new one.
func WithState(file string) Option {
	return func(c *config) { c.stateFile = file }
}

// StateError returns why the file of [WithState] could not be written the last
// time, nil if it could. After [Server.Close] it is about the final state.
func (s *Server) StateError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stateErr
}

// state is what the file holds.
type state struct {
	Version      int            `json:"version"`
	APIKey       string         `json:"apiKey"`
	Secret       string         `json:"secret"`
	WebhookKey   []byte         `json:"webhookKey,omitempty"` // PKCS#1; none before it was needed
	Numbers      []*phoneNumber `json:"phoneNumbers"`
	Gateways     []*gateway     `json:"gateways"`
	Rules        []*routingRule `json:"routingRules"`
	GatewayRules []*gatewayRule `json:"gatewayRules"`
	Trunks       []*trunk       `json:"trunks"`
	Rooms        []*meetingRoom `json:"rooms"`
	Calls        []*call        `json:"calls"`
	Webhooks     []*webhook     `json:"webhooks"`
	Batches      []*batch       `json:"batchCalls"`
}

const stateVersion = 1

// state returns the state of now, but for the key. The caller holds the lock for as
// long as it uses it.
func (s *Server) state() state {
	a := &s.account
	return state{
		Version:      stateVersion,
		APIKey:       s.APIKey,
		Secret:       s.Secret,
		Numbers:      a.numbers.order,
		Gateways:     a.gateways.order,
		Rules:        a.rules.order,
		GatewayRules: a.gatewayRules.order,
		Trunks:       a.trunks.order,
		Rooms:        a.rooms.order,
		Calls:        a.calls.order,
		Webhooks:     a.webhooks.order,
		Batches:      a.batches.order,
	}
}

// readState returns the state in a file, the zero state when there is no file.
func readState(file string) (st state, err error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("cannot read state: %w", err)
	}
	if err := json.Unmarshal(content, &st); err != nil {
		return state{}, fmt.Errorf("state file %s is corrupt: %w", file, err)
	}
	if st.Version != stateVersion {
		return state{}, fmt.Errorf("state file %s has version %d, not %d", file, st.Version, stateVersion)
	}
	return st, nil
}

// account returns the account of the state, unless it does not hold together.
func (st state) account() (account, error) {
	a := newAccount()
	err := errors.Join(
		restore("phoneNumbers", &a.numbers, st.Numbers, func(n *phoneNumber) string { return n.ID }),
		restore("gateways", &a.gateways, st.Gateways, func(gw *gateway) string { return gw.ID }),
		restore("routingRules", &a.rules, st.Rules, func(r *routingRule) string { return r.ID }),
		restore("gatewayRules", &a.gatewayRules, st.GatewayRules, func(r *gatewayRule) string { return r.ID }),
		restore("trunks", &a.trunks, st.Trunks, func(t *trunk) string { return t.ID }),
		restore("rooms", &a.rooms, st.Rooms, func(r *meetingRoom) string { return r.ID }),
		restore("calls", &a.calls, st.Calls, func(c *call) string { return c.ID }),
		restore("webhooks", &a.webhooks, st.Webhooks, func(w *webhook) string { return w.ID }),
		restore("batchCalls", &a.batches, st.Batches, func(b *batch) string { return b.ID }),
	)
	for _, n := range a.numbers.order {
		err = errors.Join(err, a.index(n))
	}
	for _, c := range a.calls.order {
		if len(c.Timelog) == 0 {
			err = errors.Join(err, fmt.Errorf("call %s has no timelog", c.ID))
		}
	}
	for _, b := range a.batches.order {
		if slices.Contains(b.Records, nil) {
			err = errors.Join(err, fmt.Errorf("batch %s lacks a record", b.ID))
		}
	}
	return a, err
}

// webhookKey returns the key of the state, nil when there is none.
func (st state) webhookKey() (*rsa.PrivateKey, error) {
	if st.WebhookKey == nil {
		return nil, nil
	}
	key, err := x509.ParsePKCS1PrivateKey(st.WebhookKey)
	if err != nil {
		err = fmt.Errorf("webhookKey: %w", err)
	}
	return key, err
}

// restore fills a table with the items of a state.
func restore[T any](name string, t *table[T], items []*T, id func(*T) string) error {
	for i, item := range items {
		if item == nil || id(item) == "" || t.get(id(item)) != nil {
			return fmt.Errorf("%s[%d] has no id of its own", name, i)
		}
		t.add(id(item), item)
	}
	return nil
}

// index makes a number of a state be found by itself.
func (a *account) index(n *phoneNumber) error {
	if n.Released {
		return nil
	}
	a.byE164[n.E164] = n
	for _, id := range []string{n.Inbound, n.Outbound} {
		if id != "" && a.gateways.get(id) == nil {
			return fmt.Errorf("phone number %s lacks its gateway %s", n.E164, id)
		}
	}
	return nil
}

// resume ends the calls that were up when the state was written, and lets batches
// go on.
func (s *Server) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.account.calls.order {
		if !isFinal(c.Status) {
			c.live = &callLife{settled: make(chan struct{})}
			s.setStatus(c, statusEnded)
		}
	}
	for _, b := range s.account.batches.order {
		s.resumeBatch(b)
	}
}

func (s *Server) resumeBatch(b *batch) {
	const reason = "interrupted"
	switch b.Status {
	case batchParsing:
		b.ParseError = reason
		s.setBatchStatus(b, batchParseFailed)
	case batchScheduled:
		s.commit(b, b.batchSpec, false)
	case batchRunning, batchCancelling:
		for _, record := range b.matching(recordInProgress, "") {
			record.set(recordNotConnected, reason)
		}
		b.run.queue = b.pending()
		b.run.up = make(map[string]*call)
		s.dialNext(b)
	}
}

// changed makes the state be written soon. It does not block, and may be called
// without the lock.
func (s *Server) changed() {
	select {
	case s.unsaved <- struct{}{}:
	default: // it will be already, or is not kept
	}
}

// keepState writes the state after changes, until the end of the context.
func (s *Server) keepState(ctx context.Context) {
	const delay = 100 * time.Millisecond // changes come together
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.unsaved:
		}
		if pause(ctx, delay) {
			s.saveState()
		}
	}
}

// saveState writes the state, if it is kept. Only one goroutine may do so at a
// time.
func (s *Server) saveState() {
	if s.stateFile == "" {
		return
	}
	key := s.outbox.keys.stored() // without the lock, because it may be in the making
	s.mu.Lock()
	st := s.state()
	st.WebhookKey = key
	content, err := json.Marshal(st)
	s.mu.Unlock()
	if err == nil {
		err = replaceFile(s.stateFile, content)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stateErr = err
}

// replaceFile gives a file new content at once: at no moment, and after no
// crash, does it hold a part of it. What a failure leaves beside it is written
// over the next time.
func replaceFile(file string, content []byte) error {
	beside := file + ".new"
	err := writeSynced(beside, content)
	if err == nil {
		err = os.Rename(beside, file)
	}
	if err != nil {
		return fmt.Errorf("cannot write state: %w", err)
	}
	return nil
}

func writeSynced(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
