package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/videosdk-sip-go/videosdk"
)

// planRules makes rules that are missing, and changes the others.
func planRules(ctx context.Context, client *videosdk.Client, wanted []rule) (steps []step, err error) {
	rules, err := rulesOf(ctx, client)
	if err != nil {
		return nil, err
	}
	for _, rule := range inTurn(wanted, rules) {
		found := rules[rule.key()]
		if found != nil && found.Name == "" {
			return nil, fmt.Errorf("the account has two %s rules named %q: rename one", rule.Type, rule.Name)
		}
		steps = append(steps, planRule(client, rule, found)...)
	}
	return steps, nil
}

// rulesOf returns the rules of the account by their keys, without the name where there
// are two.
func rulesOf(ctx context.Context, client *videosdk.Client) (map[string]*videosdk.RoutingRule, error) {
	rules := map[string]*videosdk.RoutingRule{}
	for found, err := range client.RoutingRules.All(ctx, videosdk.RoutingRuleListParams{}) {
		if err != nil {
			return nil, err
		}
		key := rule{Type: found.Type, Name: found.Name}.key()
		if rules[key] != nil {
			found.Name = "" // ambiguous
		}
		rules[key] = found
	}
	return rules, nil
}

// key is what a rule is known by.
func (r rule) key() string { return string(r.Type) + " " + r.Name }

// inTurn puts each rule behind those that give up the numbers it takes: a number of
// one inbound rule cannot be given to another. Rules that swap numbers have no order
// that works: take one out of the account first.
func inTurn(wanted []rule, rules map[string]*videosdk.RoutingRule) (ordered []rule) {
	for left := slices.Clone(wanted); len(left) > 0; {
		next := max(0, slices.IndexFunc(left, func(want rule) bool { return !mustWait(want, left, rules) }))
		ordered = append(ordered, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return ordered
}

// mustWait reports whether a rule takes a number that another of those left has yet.
func mustWait(want rule, left []rule, rules map[string]*videosdk.RoutingRule) bool {
	return slices.ContainsFunc(left, func(other rule) bool {
		found := rules[other.key()]
		return found != nil && other.Type == want.Type && other.Name != want.Name &&
			slices.ContainsFunc(want.PhoneNumbers, func(e164 string) bool { return slices.Contains(found.PhoneNumbers, e164) })
	})
}

func planRule(client *videosdk.Client, want rule, found *videosdk.RoutingRule) []step {
	if found == nil {
		text := fmt.Sprintf("+ %s rule %q: %s", want.Type, want.Name, strings.Join(want.PhoneNumbers, ", "))
		if want.Agent != "" {
			text += ", agent " + want.Agent
		}
		return []step{{
			text: text,
			do: func(ctx context.Context) error {
				rules, err := rulesOf(ctx, client)
				if err != nil || rules[want.key()] != nil { // another run has made it since
					return err
				}
				_, err = client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
					Name: want.Name, Type: want.Type, PhoneNumbers: want.PhoneNumbers,
					AgentID: want.Agent, Recording: want.Recording,
				})
				return err // if ErrMaybeApplied: the next run finds the rule by its name
			},
		}}
	}
	var change videosdk.RoutingRuleUpdateParams
	var what differences
	if !slices.Equal(slices.Sorted(slices.Values(found.PhoneNumbers)), slices.Sorted(slices.Values(want.PhoneNumbers))) {
		change.PhoneNumbers = want.PhoneNumbers
		what = append(what, fmt.Sprintf("numbers %v become %v", found.PhoneNumbers, want.PhoneNumbers))
	}
	alter(&what, &change.AgentID, "agent %q becomes %q", found.AgentID, want.Agent)
	alter(&what, &change.Recording, "recording %t becomes %t", found.Recording, want.Recording)
	return updateStep(fmt.Sprintf("~ %s rule %q", want.Type, want.Name), what, func(ctx context.Context) error {
		_, err := client.RoutingRules.Update(ctx, found.ID, change)
		return err
	})
}
