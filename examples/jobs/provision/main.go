// Provision gives an account the phone numbers, gateways and routing rules that
// a file asks for. It prints a plan and, with -apply, does it. What is there
// already stays; what is not in the file is left alone.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/job"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

//go:embed account.yaml
var sample []byte

func main() { job.Main("provision", run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := job.Flags("provision", "Gives an account the numbers, gateways and rules of a YAML file. Run it as often\n"+
		"as you like: what is there already stays as it is.", stderr)
	file := flags.String("file", "", "YAML `file` that says what the account is to have (the emulator has a sample)")
	apply := flags.Bool("apply", false, "do what the plan says")
	state := flags.String("state", "", "`file` that keeps the emulated account for the next run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var emulator []videosdktest.Option
	if *state != "" {
		emulator = append(emulator, videosdktest.WithState(*state))
	}
	account, err := job.Open(stdout, emulator...)
	if err != nil {
		return err
	}
	defer account.Close()
	if *file == "" && account.Emulator == nil {
		return errors.New("-file is needed: provision/account.yaml is a sample")
	}
	wanted, err := read(*file)
	if err != nil {
		return err
	}
	steps, err := plan(ctx, account.Client, wanted)
	if err != nil {
		return err
	}
	for _, step := range steps {
		fmt.Fprintln(stdout, step.text)
	}
	switch {
	case len(steps) == 0:
		fmt.Fprintln(stdout, "Nothing to do: the account has all of it.")
		return nil
	case !*apply:
		fmt.Fprintf(stdout, "\n%d steps. Nothing has been changed: -apply does it.\n", len(steps))
		return nil
	}
	return carryOut(ctx, account.Client, steps, wanted, stdout)
}

// carryOut does the steps, and checks that none is left. If one fails, run it
// again: those before are not planned any more.
func carryOut(ctx context.Context, client *videosdk.Client, steps []step, wanted *setup, stdout io.Writer) error {
	fmt.Fprintln(stdout)
	for i, step := range steps {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("step %d of %d, %s: %w", i+1, len(steps), step.text, err)
		}
		fmt.Fprintf(stdout, "done %d of %d\n", i+1, len(steps))
	}
	left, err := plan(ctx, client, wanted)
	if err != nil {
		return fmt.Errorf("checking: %w", err)
	}
	if len(left) > 0 {
		return fmt.Errorf("%d steps are left, the first: %s", len(left), left[0].text)
	}
	fmt.Fprintln(stdout, "Checked: another run changes nothing.")
	return nil
}

// setup is what a file says.
type setup struct {
	Numbers []group `yaml:"numbers"`
	Rules   []rule  `yaml:"rules"`
}

// group is numbers that share a pair of gateways.
type group struct {
	Name         string             `yaml:"name"`
	PhoneNumbers []string           `yaml:"phoneNumbers"`
	Region       videosdk.Region    `yaml:"region"`
	Address      string             `yaml:"address"`
	Transport    videosdk.Transport `yaml:"transport"`
	Username     string             `yaml:"username"`
	PasswordEnv  string             `yaml:"passwordEnv"`
}

type rule struct {
	Name         string             `yaml:"name"`
	Type         videosdk.Direction `yaml:"type"`
	PhoneNumbers []string           `yaml:"phoneNumbers"`
	Agent        string             `yaml:"agent"`
	Recording    bool               `yaml:"recording"`
}

// read reads a file, or the sample if there is none. A key that is misspelt is
// an error.
func read(file string) (*setup, error) {
	content := sample
	if file != "" {
		var err error
		if content, err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	var wanted setup
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&wanted); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &wanted, nil
}
