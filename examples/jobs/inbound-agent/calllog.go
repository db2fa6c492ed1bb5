package main

import (
	"encoding/json"
	"log"
	"os"
	"slices"
	"time"

	"github.com/videosdk-sip-go/videosdk"
)

// callLog shows each change of a call, and keeps a line of JSON for each call
// that is over.
type callLog struct {
	numbers []string // whose calls it keeps: webhooks tell of the whole account
	file    *os.File // nil for none
	out     *log.Logger
}

// record is a line of the file. A call that turns out to have been missed after
// it has ended has a second line, which counts.
type record struct {
	CallID  string              `json:"callId"`
	From    string              `json:"from"`
	To      string              `json:"to"`
	Status  videosdk.CallStatus `json:"status"`
	Start   *time.Time          `json:"start,omitempty"`
	End     *time.Time          `json:"end,omitempty"`
	Seconds float64             `json:"seconds,omitempty"` // from the first ring to the end
}

func openLog(file string, numbers []string, out *log.Logger) (*callLog, error) {
	l := &callLog{numbers: numbers, out: out}
	if file == "" {
		return l, nil
	}
	var err error
	l.file, err = os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return l, err
}

func (l *callLog) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// update is told of changes one at a time.
func (l *callLog) update(call *videosdk.Call) {
	if !slices.Contains(l.numbers, call.To) {
		return
	}
	l.out.Printf("%s  %s calls %s: %s", call.ID, call.From, call.To, call.Status)
	if l.file == nil || !call.IsOver() {
		return
	}
	r := record{CallID: call.ID, From: call.From, To: call.To, Status: call.Status, Start: call.Start, End: call.End}
	if call.Start != nil && call.End != nil {
		r.Seconds = call.End.Sub(*call.Start).Seconds()
	}
	if err := json.NewEncoder(l.file).Encode(r); err != nil {
		l.out.Print("not in the file: ", err)
	}
}
