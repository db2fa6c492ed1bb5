package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/videosdk-sip-go/videosdk"
)

// patience is how long to move somebody may take, to look whether they have arrived,
// and to tidy up.
const patience = 15 * time.Second

// move moves the caller into a room, and waits until they are there. The answer
// says only that it has begun; if it is lost, looking tells as well. An interruption
// comes too late then: the caller would arrive in a room that has been closed.
func move(ctx context.Context, client *videosdk.Client, caller, supervisor *videosdk.Call, room *videosdk.Room) error {
	err := switchRoom(ctx, client, caller, supervisor, room)
	if err != nil && !errors.Is(err, videosdk.ErrMaybeApplied) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	now, waitErr := client.Calls.Wait(ctx, caller.ID, func(now *videosdk.Call) bool {
		return isIn(now, room) || hasFailed(now, caller)
	})
	switch {
	case waitErr != nil:
		return errors.Join(err, waitErr)
	case now.IsOver():
		return errors.New("the caller has hung up")
	case isIn(now, room):
		return nil
	default:
		return errors.Join(errors.New("the caller could not be moved"), err)
	}
}

// switchRoom has the caller moved, unless the supervisor has left the room. A process
// that was frozen during the briefing has watched nobody, and one that is frozen after
// this look sends nothing when it has become old.
func switchRoom(ctx context.Context, client *videosdk.Client, caller, supervisor *videosdk.Call, room *videosdk.Room) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	supervisor, err := client.Calls.Get(ctx, supervisor.ID)
	if err != nil {
		return err
	}
	if supervisor.IsOver() {
		return errors.New("the supervisor has hung up")
	}
	_, err = client.Calls.SwitchRoom(ctx, caller.ID, videosdk.CallSwitchRoomParams{RoomID: room.ID})
	return err
}

func isIn(call *videosdk.Call, room *videosdk.Room) bool { return call.RoomID == room.ID }

// hasFailed reports whether a call could not be moved since it was looked at.
func hasFailed(now, before *videosdk.Call) bool {
	since := now.Timelog[min(len(now.Timelog), len(before.Timelog)):]
	return slices.ContainsFunc(since, func(e videosdk.CallEvent) bool { return e.Status == videosdk.CallSwitchRoomFailed })
}

// undo hangs up on the supervisor, who is nil if not called, and closes the room,
// unless the caller is in it.
func undo(ctx context.Context, client *videosdk.Client, caller, supervisor *videosdk.Call, room *videosdk.Room, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	caller, err := client.Calls.Get(ctx, caller.ID)
	if err != nil {
		return fmt.Errorf("nothing was tidied up: %w", err)
	}
	if isIn(caller, room) && !caller.IsOver() {
		fmt.Fprintln(stdout, "the caller is with the supervisor already")
		return nil
	}
	fmt.Fprintf(stdout, "the caller stays in room %s (%s)\n", caller.RoomID, caller.Status)
	if supervisor != nil {
		_, err = client.Calls.End(ctx, supervisor.ID)
	}
	_, closeErr := client.Rooms.Deactivate(ctx, room.ID)
	return errors.Join(err, closeErr)
}
