package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/examples/jobs/internal/jobtest"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHelp(t *testing.T) { jobtest.Help(t, run, "-file", "-apply", "-state") }

// changes returns the requests that would have changed something.
func changes(srv *videosdktest.Server) (changes []string) {
	for _, r := range srv.Requests() {
		if r.Method != http.MethodGet {
			changes = append(changes, r.Method+" "+r.Route)
		}
	}
	srv.ResetRequests()
	return changes
}

// write returns the name of a file with that text.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "account.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestThePlanIsDoneOnceAndOnlyOnDemand(t *testing.T) {
	srv := jobtest.NewAccount(t)
	file := write(t, string(sample))

	out, err := jobtest.Output(t, run, "-file", file)
	require.NoError(t, err)
	assert.Contains(t, out, `+ numbers "Support": +14155550100, +14155550101, with gateways to sip.example.com:5061`)
	assert.Contains(t, out, "3 steps. Nothing has been changed")
	assert.Empty(t, changes(srv))

	out, err = jobtest.Output(t, run, "-file", file, "-apply")
	require.NoError(t, err)
	assert.Contains(t, out, "Checked: another run changes nothing.")
	assert.Equal(t, []string{"POST /v2/sip/phone-numbers", "POST /v2/sip/routing-rule", "POST /v2/sip/routing-rule"}, changes(srv))

	out, err = jobtest.Output(t, run, "-file", file, "-apply")
	require.NoError(t, err)
	assert.Equal(t, "Nothing to do: the account has all of it.\n", out)
	assert.Empty(t, changes(srv))
}

func TestWhatHasChangedInTheFileIsChangedInTheAccount(t *testing.T) {
	srv := jobtest.NewAccount(t)
	_, err := jobtest.Output(t, run, "-file", write(t, string(sample)), "-apply")
	require.NoError(t, err)
	changes(srv)
	t.Setenv("SIP_PASSWORD", "open-sesame")
	edited := strings.NewReplacer(
		"sip.example.com:5061", "sip.example.net:5061",
		"    # username:", "    username:", "    # passwordEnv:", "    passwordEnv:",
		"agent_support", "agent_sales", "recording: true", "recording: false",
		`phoneNumbers: ["+14155550100"]`, `phoneNumbers: ["+14155550101"]`,
	).Replace(string(sample))

	out, err := jobtest.Output(t, run, "-file", write(t, edited), "-apply")

	require.NoError(t, err)
	assert.Contains(t, out, "address sip.example.com:5061 becomes sip.example.net:5061, user becomes acme")
	assert.Contains(t, out, `agent "agent_support" becomes "agent_sales", recording true becomes false`)
	assert.Contains(t, out, "numbers [+14155550100] become [+14155550101]")
	assert.NotContains(t, out, "open-sesame")
	assert.Equal(t, []string{
		"PATCH /v2/sip/phone-numbers/gateways/{gatewayId}", "PATCH /v2/sip/routing-rule/{ruleId}", "PATCH /v2/sip/routing-rule/{ruleId}",
	}, changes(srv))
	number, err := jobtest.NewClient(t, srv).PhoneNumbers.Get(t.Context(), "+14155550101")
	require.NoError(t, err)
	assert.Equal(t, "sip.example.net:5061", number.Outbound.Address)
	assert.Equal(t, "acme", number.Outbound.Auth.Username)
}

// An inbound rule can have a number only when the other has given it up.
func TestANumberMovesFromAnyRuleToAnyOther(t *testing.T) {
	numbers := `numbers: [{name: All, region: us002, address: sip.example.com, phoneNumbers: ["+14155550100", "+14155550101", "+14155550102", "+14155550103"]}]` + "\n"
	srv := jobtest.NewAccount(t)
	_, err := jobtest.Output(t, run, "-apply", "-file", write(t, numbers+`rules:
  - {name: Sales, type: inbound, phoneNumbers: ["+14155550100"]}
  - {name: Support, type: inbound, phoneNumbers: ["+14155550101"]}
  - {name: Billing, type: inbound, phoneNumbers: ["+14155550102", "+14155550103"]}`))
	require.NoError(t, err)
	changes(srv)

	out, err := jobtest.Output(t, run, "-apply", "-file", write(t, numbers+`rules:
  - {name: New, type: inbound, phoneNumbers: ["+14155550100"]}
  - {name: Sales, type: inbound, phoneNumbers: ["+14155550101"]}
  - {name: Support, type: inbound, phoneNumbers: ["+14155550102"]}
  - {name: Billing, type: inbound, phoneNumbers: ["+14155550103"]}`))

	require.NoError(t, err)
	assert.Contains(t, out, "Checked: another run changes nothing.")
	assert.Len(t, changes(srv), 4)
}

func TestWhatTheFileDoesNotNameStays(t *testing.T) {
	srv := jobtest.NewAccount(t, "+14155550150")
	ruleID := jobtest.NewRule(t, srv, "+14155550150")
	srv.ResetRequests()

	_, err := jobtest.Output(t, run, "-file", write(t, string(sample)), "-apply")

	require.NoError(t, err)
	rule, err := jobtest.NewClient(t, srv).RoutingRules.Get(t.Context(), ruleID)
	require.NoError(t, err)
	assert.Equal(t, []string{"+14155550150"}, rule.PhoneNumbers)
}

func TestARunThatFailedIsFinishedByTheNext(t *testing.T) {
	srv := jobtest.NewAccount(t)
	file := write(t, string(sample))
	// The rule is made, and the answer lost: nobody can tell.
	srv.Inject(videosdktest.Fault{Method: "POST", Path: "/v2/sip/routing-rule", Drop: videosdktest.DropAfterActing})

	_, err := jobtest.Output(t, run, "-file", file, "-apply")
	require.ErrorIs(t, err, videosdk.ErrMaybeApplied)
	require.ErrorContains(t, err, "step 2 of 3")
	out, err := jobtest.Output(t, run, "-file", file, "-apply")
	require.NoError(t, err)

	assert.Contains(t, out, "done 1 of 1")
	var names []string
	for rule, err := range jobtest.NewClient(t, srv).RoutingRules.All(t.Context(), videosdk.RoutingRuleListParams{}) {
		require.NoError(t, err)
		names = append(names, rule.Name)
	}
	assert.ElementsMatch(t, []string{"Support, in", "Support, out"}, names)
}

// The plan is that of a process which is stopped with Ctrl-Z, and goes on when another
// has done the work.
func TestARunThatWasFrozenMakesNothingTwice(t *testing.T) {
	srv := jobtest.NewAccount(t)
	client := jobtest.NewClient(t, srv)
	file := write(t, `
numbers: [{name: All, region: us002, address: sip.example.com, phoneNumbers: ["+14155550100"]}]
rules: [{name: Out, type: outbound, phoneNumbers: ["+14155550100"]}, {name: In, type: inbound, phoneNumbers: ["+14155550100"]}]`)
	wanted, err := read(file)
	require.NoError(t, err)
	steps, err := plan(t.Context(), client, wanted)
	require.NoError(t, err)
	_, err = jobtest.Output(t, run, "-file", file, "-apply")
	require.NoError(t, err)

	require.NoError(t, carryOut(t.Context(), client, steps, wanted, io.Discard))
	rules, err := client.RoutingRules.List(t.Context(), videosdk.RoutingRuleListParams{})
	require.NoError(t, err)
	assert.Len(t, rules.Items, 2)
}

func TestWhatCannotBeMeantChangesNothing(t *testing.T) {
	tests := []struct{ name, file, problem string }{
		{"a misspelt key", "numbers: [{nmae: Support}]", "nmae"},
		{"a password that is not there", "numbers: [{name: Support, username: acme, passwordEnv: NO_SUCH_VARIABLE}]", "NO_SUCH_VARIABLE"},
		{"nothing", "", "EOF"},
		{"no number", "numbers: [{name: Support, region: us002, address: sip.example.com, phoneNumbers: [14155550100]}]", "E.164"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := jobtest.NewAccount(t)
			_, err := jobtest.Output(t, run, "-apply", "-file", write(t, tt.file))
			assert.ErrorContains(t, err, tt.problem)
			assert.Empty(t, changes(srv))
		})
	}
	t.Run("no file", func(t *testing.T) {
		srv := jobtest.NewAccount(t)
		_, err := jobtest.Output(t, run, "-apply")
		assert.ErrorContains(t, err, "-file is needed")
		assert.Empty(t, srv.Requests())
	})
	t.Run("two rules of one name", func(t *testing.T) {
		srv := jobtest.NewAccount(t, "+14155550150")
		jobtest.NewRule(t, srv, "+14155550150")
		jobtest.NewRule(t, srv, "+14155550150")
		changes(srv)
		_, err := jobtest.Output(t, run, "-apply", "-file", write(t, `rules: [{name: Out, type: outbound, phoneNumbers: ["+14155550150"]}]`))
		assert.ErrorContains(t, err, "two outbound rules")
		assert.Empty(t, changes(srv))
	})
}

func TestTheEmulatedAccountIsKeptForTheNextRun(t *testing.T) {
	jobtest.WithoutCredentials(t)
	state := filepath.Join(t.TempDir(), "state.json")

	out, err := jobtest.Output(t, run, "-state", state, "-apply")
	require.NoError(t, err)
	assert.Contains(t, out, "emulator")
	assert.Contains(t, out, "done 3 of 3")

	out, err = jobtest.Output(t, run, "-state", state, "-apply")
	require.NoError(t, err)
	assert.Contains(t, out, "Nothing to do")
}
