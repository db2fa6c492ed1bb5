// Package job is what the programs of this module have in common: flags that
// explain themselves, an end by Ctrl-C, and the choice between the account of
// the environment and an emulated one.
package job

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

// Main runs a job until it is done or interrupted. A second Ctrl-C does not
// wait for it.
func Main(name string, run func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	context.AfterFunc(ctx, stop)
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, name+":", err)
		stop()
		os.Exit(1)
	}
}

// Flags returns the flags of a job. Their -h begins with what the job does.
func Flags(name, about string, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintf(stderr, "%s\n\nWithout %s and %s in the environment it runs\n"+
			"against an emulator in this process: no account, and no phone that rings.\n\n",
			about, videosdk.EnvAPIKey, videosdk.EnvSecret)
		flags.PrintDefaults()
	}
	return flags
}

// Account is where a job works.
type Account struct {
	Client *videosdk.Client
	// Emulator is nil if the account is a real one.
	Emulator *videosdktest.Server
}

// Open opens the account of the environment or, if there is none, an emulated
// one, which it says. Close the account.
func Open(stdout io.Writer, emulator ...videosdktest.Option) (*Account, error) {
	if cmp.Or(os.Getenv(videosdk.EnvAPIKey), os.Getenv(videosdk.EnvAuthToken)) != "" {
		client, err := videosdk.NewFromEnv()
		return &Account{Client: client}, err
	}
	server, err := videosdktest.Start(emulator...)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "No credentials in the environment: using an emulator at %s. No phone will ring.\n\n", server.URL)
	client, err := videosdk.New(server.APIKey, server.Secret, videosdk.WithBaseURL(server.URL),
		videosdk.WithPollInterval(20*time.Millisecond, 200*time.Millisecond))
	if err != nil {
		server.Close()
		return nil, err
	}
	return &Account{Client: client, Emulator: server}, nil
}

// Close gives up the connections, and the emulator if there is one.
func (a *Account) Close() {
	a.Client.CloseIdleConnections()
	if a.Emulator != nil {
		a.Emulator.Close()
	}
}
