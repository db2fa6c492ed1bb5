// Call-monitor shows the calls that are up, in a table that renews itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"golang.org/x/term"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/job"
)

func main() { job.Main("call-monitor", run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := job.Flags("call-monitor", "Shows the calls that are up, until it is interrupted. It changes nothing.", stderr)
	once := flags.Bool("once", false, "show them once")
	every := flags.Duration("every", 2*time.Second, "how often to look")
	since := flags.Duration("since", 24*time.Hour, "how old a call can be that is still up")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *every <= 0 {
		return errors.New("-every must be positive")
	}
	account, err := job.Open(stdout)
	if err != nil {
		return err
	}
	defer account.Close()
	if account.Emulator != nil {
		if err := emulate(ctx, account, *every); err != nil {
			return err
		}
	}
	m := monitor{client: account.Client, since: *since, out: stdout, clears: isTerminal(stdout) && !*once}
	tick := time.NewTicker(*every)
	defer tick.Stop()
	for {
		up, err := m.show(ctx)
		switch {
		case ctx.Err() != nil:
			return nil // interrupted
		case *once, errors.Is(err, videosdk.ErrUnauthorized), errors.Is(err, videosdk.ErrForbidden):
			return err
		case account.Emulator != nil && err == nil && up == 0:
			return nil // the play is over
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// monitor shows calls.
type monitor struct {
	client *videosdk.Client
	since  time.Duration
	out    io.Writer
	clears bool // the screen, before each table

	calls []*videosdk.Call // as they were seen last
	seen  time.Time
}

// show looks for calls and prints them. If it cannot look, it prints those that
// it has seen last, and says so.
func (m *monitor) show(ctx context.Context) (up int, err error) {
	calls, err := m.active(ctx)
	if err == nil {
		m.calls, m.seen = calls, time.Now()
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if m.clears {
		const clear = "\x1b[H\x1b[2J"
		fmt.Fprint(m.out, clear)
	}
	fmt.Fprintln(m.out, m.render())
	if err != nil {
		fmt.Fprintln(m.out, "not up to date:", err)
	}
	return len(m.calls), err
}

// active returns the calls that are up, the oldest first.
func (m *monitor) active(ctx context.Context) (calls []*videosdk.Call, err error) {
	for call, err := range m.client.Calls.All(ctx, videosdk.CallListParams{StartDate: time.Now().Add(-m.since)}) {
		if err != nil {
			return nil, err
		}
		if !call.IsOver() {
			calls = append(calls, call)
		}
	}
	slices.Reverse(calls) // of the same moment, the server's last is the oldest
	slices.SortStableFunc(calls, func(a, b *videosdk.Call) int { return start(a).Compare(start(b)) })
	return calls, nil
}

// start is when a call began, zero if the server does not say.
func start(call *videosdk.Call) time.Time {
	if call.Start == nil {
		return time.Time{}
	}
	return *call.Start
}

func (m *monitor) render() string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"Call", "", "From", "To", "Status", "For", "Room", "Rule"})
	for _, call := range m.calls {
		age := "?"
		if call.Start != nil {
			age = m.seen.Sub(*call.Start).Truncate(time.Second).String()
		}
		t.AppendRow(table.Row{call.ID, arrow(call.Type), call.From, call.To, call.Status, age, call.RoomID, call.RuleName})
	}
	t.AppendFooter(table.Row{fmt.Sprintf("%d up", len(m.calls)), "", "", "", "", "", "", m.seen.Format(time.TimeOnly)})
	return t.Render()
}

func arrow(direction videosdk.Direction) string {
	if direction == videosdk.DirectionInbound {
		return "←"
	}
	return "→"
}
