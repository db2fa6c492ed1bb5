// Warm-transfer hands a caller over to a supervisor who knows already what it
// is about: the supervisor is called into a consultation room of their own and
// briefed there, and then the caller is moved into it. Until then the caller
// stays where they are, whatever goes wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/job"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // that of tee, which Ctrl-C ends first, would leave the supervisor alone
	job.Main("warm-transfer", run)
}

// transfer is what the flags say.
type transfer struct {
	caller, supervisor, from, rule string
	briefing                       string
	ring, brief                    time.Duration
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var t transfer
	flags := job.Flags("warm-transfer", "Hands the caller of a call that is up over to a supervisor, who is briefed first.", stderr)
	flags.StringVar(&t.caller, "call", "", "`id` of the call of the caller")
	flags.StringVar(&t.supervisor, "supervisor", "", "the supervisor's `number` in E.164. It really rings")
	flags.StringVar(&t.from, "from", "", "caller id for the supervisor: one of the rule's `numbers`")
	flags.StringVar(&t.rule, "rule", "", "`id` of an outbound rule, whose agent, if any, briefs the supervisor")
	flags.StringVar(&t.briefing, "briefing", "", "`text` for that agent: what the caller wants")
	flags.DurationVar(&t.ring, "ring", 30*time.Second, "how long to let the supervisor's phone ring, in whole seconds")
	flags.DurationVar(&t.brief, "brief", 20*time.Second, "how long the briefing takes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	account, err := job.Open(stdout)
	if err != nil {
		return err
	}
	defer account.Close()
	if account.Emulator != nil {
		if err := t.emulate(ctx, account, stdout); err != nil {
			return err
		}
	}
	if t.caller == "" || t.supervisor == "" || t.from == "" || t.rule == "" {
		return errors.New("nothing is dialled without -call, -supervisor, -from and -rule")
	}
	return t.carryOut(ctx, account.Client, stdout)
}

func (t *transfer) carryOut(ctx context.Context, client *videosdk.Client, stdout io.Writer) (err error) {
	caller, err := client.Calls.Get(ctx, t.caller)
	if err != nil {
		return err
	}
	if caller.IsOver() || !caller.WasAnswered() {
		return fmt.Errorf("the call of the caller must be answered, and is %s", caller.Status)
	}
	room, err := client.Rooms.Create(ctx, videosdk.RoomCreateParams{})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "the caller, %s, waits in room %s; calling the supervisor into room %s\n", caller.From, caller.RoomID, room.ID)
	supervisor, err := t.dial(ctx, client, caller, room)
	if err == nil {
		err = t.meet(ctx, client, caller, supervisor, room, stdout)
	}
	if err != nil { // also an interruption
		return errors.Join(err, undo(context.WithoutCancel(ctx), client, caller, supervisor, room, stdout))
	}
	fmt.Fprintf(stdout, "the caller and the supervisor talk in room %s\n", room.ID)
	return nil
}

// dial calls the supervisor. An interruption does not end that: without an answer
// there is nothing to hang up. The room is a new one, and so is the name of the call:
// who is found under it was called now, although the answer was lost. With an error,
// too, it returns the call if there is one: the process may have been frozen for all of
// the time that there was, and come too late to go on, but not to hang up.
func (t *transfer) dial(ctx context.Context, client *videosdk.Client, caller *videosdk.Call, room *videosdk.Room) (*videosdk.Call, error) {
	const enough = 90 * time.Second // to dial, and to look whether that was done
	ctx = context.WithoutCancel(ctx)
	dialling, cancel := context.WithTimeout(ctx, enough)
	defer cancel()
	name, began := "warm-transfer/"+caller.ID+"/"+room.ID, time.Now()
	supervisor, err := client.Calls.CreateOnce(dialling, videosdk.CallCreateParams{
		To: t.supervisor, From: t.from, RoutingRuleID: t.rule,
		DestinationRoomID: room.ID, RingingTimeout: t.ring,
		TrackingID:    name,
		AgentMetadata: map[string]any{"briefing": t.briefing},
	})
	if errors.Is(err, videosdk.ErrMaybeApplied) {
		looking, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		supervisor, _ = client.Calls.FindByTrackingID(looking, name, began.Add(-time.Hour)) // an hour for clocks that differ
	}
	return supervisor, err
}

// meet brings the two together.
func (t *transfer) meet(ctx context.Context, client *videosdk.Client, caller, supervisor *videosdk.Call, room *videosdk.Room, stdout io.Writer) error {
	if _, err := client.Calls.WaitAnswered(ctx, supervisor.ID); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "the supervisor has answered, and is being briefed")
	if err := t.untilBriefed(ctx, client, caller, supervisor); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "moving the caller")
	return move(ctx, client, caller, supervisor, room)
}

// untilBriefed lets the agent talk, unless somebody hangs up meanwhile.
func (t *transfer) untilBriefed(ctx context.Context, client *videosdk.Client, caller, supervisor *videosdk.Call) error {
	briefed, cancel := context.WithTimeout(ctx, t.brief)
	defer cancel()
	gone := make(chan string, 2)
	var watches sync.WaitGroup
	for who, call := range map[string]*videosdk.Call{"the caller": caller, "the supervisor": supervisor} {
		watches.Go(func() {
			if _, err := client.Calls.Wait(briefed, call.ID, nil); err == nil {
				gone <- who
				cancel()
			}
		})
	}
	<-briefed.Done()
	watches.Wait()
	if len(gone) > 0 {
		return errors.New(<-gone + " has hung up")
	}
	return ctx.Err()
}
