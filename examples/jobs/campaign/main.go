// Campaign calls every number of a list. VideoSDK dials it by itself (batch
// calls); with -direct this program does, at a pace of your choice, and a file
// of results makes sure that nobody is called twice, however often the program
// dies.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/job"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

//go:embed people.csv
var sample []byte

// ourNumber is the caller id of the emulated campaign.
const ourNumber = "+14155550100"

func main() { job.Main("campaign", run) }

// campaign is what the flags say.
type campaign struct {
	name, from, rule    string
	file, results       string
	cps                 float64
	calls               int
	ring, settle, every time.Duration
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c campaign
	flags := job.Flags("campaign", "Calls every number of a list. The phones really ring.", stderr)
	flags.StringVar(&c.file, "csv", "", "CSV `file`: a column named phoneNumber, all others are metadata of the call")
	flags.StringVar(&c.name, "name", "", "`name` of the campaign, for good: who was called under it is not called again in the same way, with or without -direct")
	flags.StringVar(&c.from, "from", "", "caller id: one of the rule's `numbers`, in E.164")
	flags.StringVar(&c.rule, "rule", "", "`id` of an outbound routing rule")
	flags.DurationVar(&c.every, "every", 5*time.Second, "how often to ask VideoSDK how far it is")
	direct := flags.Bool("direct", false, "dial from this program instead of leaving it to VideoSDK")
	flags.StringVar(&c.results, "results", "campaign.jsonl", "with -direct: `file` of what became of each number, to go on from")
	flags.Float64Var(&c.cps, "cps", 1, "with -direct: how many calls to begin in a second, at most")
	flags.IntVar(&c.calls, "calls", 10, "with -direct: how many calls are up at once, at most")
	flags.DurationVar(&c.ring, "ring", 30*time.Second, "with -direct: how long to let it ring, in whole seconds")
	flags.DurationVar(&c.settle, "settle", time.Minute, "with -direct: how old a call must be for the list of calls to show it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if c.calls < 1 || !(c.cps > 0) || c.every <= 0 { // also NaN
		return errors.New("-calls, -cps and -every must be positive")
	}
	account, err := job.Open(stdout, videosdktest.WithCallTiming(videosdktest.Timing{
		Ring: 50 * time.Millisecond, Answer: 150 * time.Millisecond, HangUp: 300 * time.Millisecond,
	}))
	if err != nil {
		return err
	}
	defer account.Close()
	if account.Emulator != nil {
		cleanUp, err := c.emulate(ctx, account)
		if err != nil {
			return err
		}
		defer cleanUp()
	}
	if slices.Contains([]string{c.name, c.from, c.rule}, "") || c.file == "" && account.Emulator == nil {
		return errors.New("nothing is dialled without -csv, -name, -from and -rule")
	}
	list, err := c.list()
	if err != nil {
		return err
	}
	if *direct {
		return c.dial(ctx, account.Client, list, stdout, stderr)
	}
	return c.delegate(ctx, account.Client, list, stdout, stderr)
}

// emulate fills in what the emulator lets you leave out, and gives some of the
// people habits. The file of results is a new one, because the account is.
func (c *campaign) emulate(ctx context.Context, account *job.Account) (cleanUp func(), err error) {
	account.Emulator.AddPhoneNumbers(ourNumber)
	account.Emulator.Callee("+14155550103").Rejects()
	account.Emulator.Callee("+14155550107").Fails()
	rule, err := account.Client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
		Name: "Campaign", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{ourNumber},
	})
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "campaign")
	c.name, c.from, c.rule, c.results = "spring", ourNumber, rule.ID, filepath.Join(dir, "campaign.jsonl")
	c.every, c.settle, c.cps = min(c.every, 50*time.Millisecond), 100*time.Millisecond, max(c.cps, 10)
	return func() { _ = os.RemoveAll(dir) }, err
}

// list reads the CSV file, or the sample if there is none.
func (c *campaign) list() ([]byte, error) {
	if c.file == "" {
		return sample, nil
	}
	return os.ReadFile(c.file)
}

// newBar returns a bar that shows how far the campaign is.
func newBar(to int, stderr io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions(to, progressbar.OptionSetWriter(stderr), progressbar.OptionSetDescription("calling"),
		progressbar.OptionShowCount(), progressbar.OptionSetElapsedTime(true), progressbar.OptionOnCompletion(func() { fmt.Fprintln(stderr) }))
}

// printCounts prints how many there are of each.
func printCounts[N int | float64](counts map[string]N, stdout io.Writer) {
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(stdout, "  %-14s %v\n", key, counts[key])
	}
}
