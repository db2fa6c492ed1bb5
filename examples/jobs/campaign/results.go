package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/videosdk-sip-go/videosdk"
)

// state is how far a number has come.
type state string

const (
	dialling state = "dialling" // on the disk before the request leaves
	dialled  state = "dialled"  // the call is known
	over     state = "over"     // and has ended
	refused  state = "refused"  // certainly not dialled
)

// result is a line of the file. The last one of a number counts.
type result struct {
	Number     string              `json:"number"`
	State      state               `json:"state"`
	Time       time.Time           `json:"time"`
	TrackingID string              `json:"trackingId"`
	CallID     string              `json:"callId,omitempty"`
	Status     videosdk.CallStatus `json:"status,omitempty"` // that the call has ended with
	Reason     string              `json:"reason,omitempty"`
}

// trackingID names the call to a number, for good.
func trackingID(campaign, number string) string { return campaign + "/" + number }

// results is a file that is only ever appended to, and that one process has at a
// time, for one campaign.
type results struct {
	campaign string
	lock     *flock.Flock
	file     *os.File

	mu     sync.Mutex
	latest map[string]result
	broken error // the file may end in half a line
}

// openResults opens the file, or makes it.
func openResults(path, campaign string) (*results, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	r := &results{campaign: campaign, lock: flock.New(path + ".lock"), file: file, latest: map[string]result{}}
	if locked, err := r.lock.TryLock(); err != nil || !locked {
		return nil, errors.Join(fmt.Errorf("%s is in use by another process", path), err, file.Close())
	}
	if err := r.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), r.close())
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync() // so that the file is there after a power cut; not every system can
		_ = dir.Close()
	}
	return r, nil
}

// read takes in what earlier runs have written. Half a line at the end is one
// that a crash has cut short, before anything was done: it goes.
func (r *results) read() error {
	content, err := io.ReadAll(r.file)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(content, '\n') + 1
	for line := range bytes.Lines(content[:whole]) {
		var entry result
		if err := json.Unmarshal(line, &entry); err != nil {
			return fmt.Errorf("%w in %s", err, line)
		}
		if entry.TrackingID != trackingID(r.campaign, entry.Number) {
			return fmt.Errorf("it holds the results of another campaign than %q: the call %q", r.campaign, entry.TrackingID)
		}
		r.latest[entry.Number] = entry
	}
	if whole == 0 && len(content) > 0 && content[0] != '{' {
		return errors.New("it is not a file of results")
	}
	if err := r.file.Truncate(int64(whole)); err != nil {
		return err
	}
	_, err = r.file.Seek(int64(whole), io.SeekStart)
	return err
}

// add appends a line and returns once it is on the disk.
func (r *results) add(entry result) error {
	entry.Time = time.Now().UTC()
	line, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken == nil {
		_, r.broken = r.file.Write(append(line, '\n'))
	}
	if r.broken == nil {
		r.broken = r.file.Sync()
	}
	if r.broken == nil {
		r.latest[entry.Number] = entry
	}
	return r.broken
}

// of returns what is known of a number, the zero result for nothing.
func (r *results) of(number string) result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.latest[number]
}

// count counts people by how their calls have ended, or else by state.
func (r *results) count(people []person) map[string]int {
	counts := map[string]int{}
	for _, p := range people {
		switch entry := r.of(p.number); entry.State {
		case "":
			counts["not yet"]++
		case over:
			counts[cmp.Or(string(entry.Status), "unknown")]++
		default:
			counts[string(entry.State)]++
		}
	}
	return counts
}

func (r *results) close() error { return errors.Join(r.file.Close(), r.lock.Unlock()) }
