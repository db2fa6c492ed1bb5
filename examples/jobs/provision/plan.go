package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/videosdk-sip-go/videosdk"
)

// step is one change of the account.
type step struct {
	text string
	do   func(context.Context) error
}

// plan compares the account with what is wanted. It changes nothing.
func plan(ctx context.Context, client *videosdk.Client, wanted *setup) ([]step, error) {
	steps, err := planNumbers(ctx, client, wanted.Numbers)
	if err != nil {
		return nil, err
	}
	ruleSteps, err := planRules(ctx, client, wanted.Rules)
	return append(steps, ruleSteps...), err
}

// differences are what an update changes, in words.
type differences []string

// alter has a field updated if it is not as wanted.
func alter[T comparable](d *differences, field **T, format string, found, wanted T) {
	if found != wanted {
		*field = &wanted
		*d = append(*d, fmt.Sprintf(format, found, wanted))
	}
}

// updateStep is no step if there is nothing to change.
func updateStep(subject string, what differences, do func(context.Context) error) []step {
	if len(what) == 0 {
		return nil
	}
	return []step{{text: subject + ": " + strings.Join(what, ", "), do: do}}
}
