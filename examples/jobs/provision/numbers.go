package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/videosdk-sip-go/videosdk"
)

// planNumbers registers numbers that are missing, and changes gateways.
func planNumbers(ctx context.Context, client *videosdk.Client, wanted []group) (steps []step, err error) {
	numbers := map[string]*videosdk.PhoneNumber{}
	for number, err := range client.PhoneNumbers.All(ctx, videosdk.PhoneNumberListParams{}) {
		if err != nil {
			return nil, err
		}
		numbers[number.E164] = number
	}
	for _, group := range wanted {
		groupSteps, err := planGroup(client, group, numbers)
		if err != nil {
			return nil, err
		}
		steps = append(steps, groupSteps...)
	}
	return steps, nil
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

// planGateway changes a gateway that is there. Passwords cannot be compared:
// one is sent together with a new user name.
func planGateway(client *videosdk.Client, gateway *videosdk.Gateway, want videosdk.PhoneNumberCreateParams, seen map[string]bool, outbound bool) []step {
	if seen[gateway.ID] {
		return nil
	}
	seen[gateway.ID] = true
	var change videosdk.PhoneNumberGatewayUpdateParams
	var what differences
	alter(&what, &change.Region, "region %s becomes %s", gateway.Region, want.Inbound.Region)
	if outbound {
		alter(&what, &change.Address, "address %s becomes %s", gateway.Address, want.Outbound.Address)
		alter(&what, &change.Transport, "transport %s becomes %s", gateway.Transport, want.Outbound.Transport)
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
