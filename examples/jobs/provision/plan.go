package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/videosdk-sip-go/videosdk"
)

// step is one change of the account.
type step struct {
	text string
	do   func(context.Context) error
}

// plan compares the account with what is wanted. It changes nothing.
func plan(ctx context.Context, client *videosdk.Client, wanted *setup) (steps []step, err error) {
	numbers := map[string]*videosdk.PhoneNumber{}
	for number, err := range client.PhoneNumbers.All(ctx, videosdk.PhoneNumberListParams{}) {
		if err != nil {
			return nil, err
		}
		numbers[number.E164] = number
	}
	for _, group := range wanted.Numbers {
		groupSteps, err := planGroup(client, group, numbers)
		if err != nil {
			return nil, err
		}
		steps = append(steps, groupSteps...)
	}
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
	for _, rule := range inTurn(wanted.Rules, rules) {
		found := rules[rule.key()]
		if found != nil && found.Name == "" {
			return nil, fmt.Errorf("the account has two %s rules named %q: rename one", rule.Type, rule.Name)
		}
		steps = append(steps, planRule(client, rule, found)...)
	}
	return steps, nil
}

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

func planGroup(client *videosdk.Client, group group, numbers map[string]*videosdk.PhoneNumber) (steps []step, err error) {
	params, err := group.params()
	if err != nil {
		return nil, err
	}
	var missing []string
	seen := map[string]bool{} // gateways, which numbers share
	for _, e164 := range group.PhoneNumbers {
		number := numbers[e164]
		switch {
		case number == nil, number.Inbound == nil && number.Outbound == nil:
			missing = append(missing, e164)
		case number.Inbound == nil || number.Outbound == nil:
			return nil, fmt.Errorf("%s has a gateway of one direction only: detach it first", e164)
		default:
			steps = append(steps, planGateway(client, number.Inbound, params, seen, false)...)
			steps = append(steps, planGateway(client, number.Outbound, params, seen, true)...)
		}
	}
	if len(missing) > 0 {
		params.PhoneNumbers = missing
		steps = append(steps, step{
			text: fmt.Sprintf("+ numbers %q: %s, with gateways to %s", group.Name, strings.Join(missing, ", "), group.Address),
			do: func(ctx context.Context) error {
				_, err := client.PhoneNumbers.Ensure(ctx, params)
				return err
			},
		})
	}
	return steps, nil
}

// params says how the numbers of a group are registered.
func (g group) params() (params videosdk.PhoneNumberCreateParams, err error) {
	params = videosdk.PhoneNumberCreateParams{
		Name:    g.Name,
		Inbound: videosdk.InboundConfig{Region: g.Region},
		Outbound: videosdk.OutboundConfig{
			Region: g.Region, Address: g.Address, Transport: cmp.Or(g.Transport, videosdk.TransportTLS),
		},
	}
	if g.Username == "" && g.PasswordEnv == "" {
		return params, nil
	}
	password := os.Getenv(g.PasswordEnv)
	if password == "" {
		return params, fmt.Errorf("numbers %q: the environment variable %q, for the password, is empty", g.Name, g.PasswordEnv)
	}
	params.Outbound.Auth = &videosdk.SIPAuth{Username: g.Username, Password: password}
	return params, nil
}

// planGateway changes a gateway that is there. Passwords cannot be compared:
// one is sent together with a new user name.
func planGateway(client *videosdk.Client, gateway *videosdk.Gateway, want videosdk.PhoneNumberCreateParams, seen map[string]bool, outbound bool) []step {
	if seen[gateway.ID] {
		return nil
	}
	seen[gateway.ID] = true
	var change videosdk.PhoneNumberGatewayUpdateParams
	var what []string
	if gateway.Region != want.Inbound.Region {
		change.Region = &want.Inbound.Region
		what = append(what, fmt.Sprintf("region %s becomes %s", gateway.Region, want.Inbound.Region))
	}
	if outbound && gateway.Address != want.Outbound.Address {
		change.Address = &want.Outbound.Address
		what = append(what, fmt.Sprintf("address %s becomes %s", gateway.Address, want.Outbound.Address))
	}
	if outbound && gateway.Transport != want.Outbound.Transport {
		change.Transport = &want.Outbound.Transport
		what = append(what, fmt.Sprintf("transport %s becomes %s", gateway.Transport, want.Outbound.Transport))
	}
	if auth := want.Outbound.Auth; outbound && auth != nil && (gateway.Auth == nil || gateway.Auth.Username != auth.Username) {
		change.Auth = auth
		what = append(what, "user becomes "+auth.Username)
	}
	return updateStep(fmt.Sprintf("~ gateway %s", gateway.ID), what, func(ctx context.Context) error {
		_, err := client.PhoneNumbers.UpdateGateway(ctx, gateway.ID, change)
		return err
	})
}

// key is what a rule is known by.
func (r rule) key() string { return string(r.Type) + " " + r.Name }

func planRule(client *videosdk.Client, want rule, found *videosdk.RoutingRule) []step {
	if found == nil {
		text := fmt.Sprintf("+ %s rule %q: %s", want.Type, want.Name, strings.Join(want.PhoneNumbers, ", "))
		if want.Agent != "" {
			text += ", agent " + want.Agent
		}
		return []step{{
			text: text,
			do: func(ctx context.Context) error {
				_, err := client.RoutingRules.Create(ctx, videosdk.RoutingRuleCreateParams{
					Name: want.Name, Type: want.Type, PhoneNumbers: want.PhoneNumbers,
					AgentID: want.Agent, Recording: want.Recording,
				})
				return err // if ErrMaybeApplied: the next run finds the rule by its name
			},
		}}
	}
	var change videosdk.RoutingRuleUpdateParams
	var what []string
	if !slices.Equal(slices.Sorted(slices.Values(found.PhoneNumbers)), slices.Sorted(slices.Values(want.PhoneNumbers))) {
		change.PhoneNumbers = want.PhoneNumbers
		what = append(what, fmt.Sprintf("numbers %v become %v", found.PhoneNumbers, want.PhoneNumbers))
	}
	if found.AgentID != want.Agent {
		change.AgentID = &want.Agent
		what = append(what, fmt.Sprintf("agent %q becomes %q", found.AgentID, want.Agent))
	}
	if found.Recording != want.Recording {
		change.Recording = &want.Recording
		what = append(what, fmt.Sprintf("recording %t becomes %t", found.Recording, want.Recording))
	}
	return updateStep(fmt.Sprintf("~ %s rule %q", want.Type, want.Name), what, func(ctx context.Context) error {
		_, err := client.RoutingRules.Update(ctx, found.ID, change)
		return err
	})
}

// updateStep is no step if there is nothing to change.
func updateStep(subject string, what []string, do func(context.Context) error) []step {
	if len(what) == 0 {
		return nil
	}
	return []step{{text: subject + ": " + strings.Join(what, ", "), do: do}}
}
