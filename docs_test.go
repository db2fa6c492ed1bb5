package videosdk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// docBlocks returns the Go code of the README and of docs, by where it stands.
func docBlocks(t *testing.T) (programs, fragments map[string]string) {
	t.Helper()
	programs, fragments = map[string]string{}, map[string]string{}
	files, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	for _, file := range append(files, "README.md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for i, match := range goBlock.FindAllStringSubmatch(string(text), -1) {
			name := fmt.Sprintf("%s, block %d", file, i+1)
			if strings.HasPrefix(match[1], "package ") {
				programs[name] = match[1]
			} else {
				fragments[name] = match[1]
			}
		}
	}
	return programs, fragments
}

// fragmentsHead stands around the fragments: what they may use without saying
// where it comes from.
const fragmentsHead = `package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/videosdk-sip-go/videosdk"
	"github.com/videosdk-sip-go/videosdk/videosdktest"
)

var _, _, _, _, _ = errors.Is, fmt.Sprint, time.Now, http.Handle, strings.NewReader

type surroundings struct {
	ctx          context.Context
	client       *videosdk.Client
	srv          *videosdktest.Server
	rule         *videosdk.RoutingRule
	call         *videosdk.Call
	params       videosdk.CallCreateParams
	number, from string
	to           string
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func run(name string, fragment func(surroundings) error) {
	const number = "+14155550100"
	s := surroundings{ctx: context.Background(), srv: videosdktest.NewServer(), number: number, from: number, to: "+14155550199"}
	defer s.srv.Close()
	s.srv.AddPhoneNumbers(number)
	s.client = must(videosdk.New(s.srv.APIKey, s.srv.Secret, videosdk.WithBaseURL(s.srv.URL)))
	must(s.client.RoutingRules.Create(s.ctx, videosdk.RoutingRuleCreateParams{Name: "in", Type: "inbound", PhoneNumbers: []string{number}}))
	s.rule = must(s.client.RoutingRules.Create(s.ctx, videosdk.RoutingRuleCreateParams{Name: "out", Type: "outbound", PhoneNumbers: []string{number}}))
	s.params = videosdk.CallCreateParams{To: s.to, From: number, RoutingRuleID: s.rule.ID}
	s.call = must(s.client.Calls.Create(s.ctx, s.params))
	if err := fragment(s); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}
`

// fragmentFunc makes a function of a fragment. What a statement assigns counts as
// used, and an error among it is returned at once.
func fragmentFunc(t *testing.T, name, code string) string {
	t.Helper()
	const head = "package p\nfunc _() {\n"
	file, err := parser.ParseFile(token.NewFileSet(), name, head+code+"\n}", 0)
	require.NoError(t, err, name)
	var b strings.Builder
	fmt.Fprintf(&b, "run(%q, func(s surroundings) error {\n", name)
	b.WriteString("ctx, client, srv, rule, call, params, number, from, to := s.ctx, s.client, s.srv, s.rule, s.call, s.params, s.number, s.from, s.to\n")
	b.WriteString("_, _, _, _, _, _, _, _, _ = ctx, client, srv, rule, call, params, number, from, to\n{\n")
	copied := 0
	for _, statement := range file.Decls[0].(*ast.FuncDecl).Body.List {
		end := int(statement.End()) - 1 - len(head)
		b.WriteString(code[copied:end] + "\n")
		copied = end
		if assignment, ok := statement.(*ast.AssignStmt); ok {
			for _, left := range assignment.Lhs {
				b.WriteString(useOf(left))
			}
		}
	}
	b.WriteString(code[copied:] + "}\nreturn nil\n})\n")
	return b.String()
}

func useOf(assigned ast.Expr) string {
	switch name, ok := assigned.(*ast.Ident); {
	case !ok || name.Name == "_":
		return ""
	case name.Name == "err":
		return "if err != nil { return err }\n"
	default:
		return "_ = " + name.Name + "\n"
	}
}

// runInModule builds a program as if it were part of this module, and runs it.
func runInModule(t *testing.T, code string, env []string, args ...string) (output string, err error) {
	t.Helper()
	dir := t.TempDir()
	source, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(source, []byte(code), 0o600))
	root, err := os.Getwd()
	require.NoError(t, err)
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "internal/snippet/main.go"): source}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, replace, 0o600))
	program := filepath.Join(dir, "program")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", program, "./internal/snippet").CombinedOutput()
	require.NoError(t, err, string(built))
	// What may hang is the program. How long it takes to build depends on the cache.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestTheFragmentsInTheDocumentationWork(t *testing.T) {
	_, fragments := docBlocks(t)
	require.NotEmpty(t, fragments)
	var b strings.Builder
	b.WriteString(fragmentsHead + "\nfunc main() {\n")
	for name, code := range fragments {
		b.WriteString(fragmentFunc(t, name, code))
	}
	b.WriteString("}\n")
	env := []string{videosdk.EnvAPIKey + "=key", videosdk.EnvSecret + "=secret"}
	output, err := runInModule(t, b.String(), env)
	assert.NoError(t, err, output)
}

// A receiver that hears of one of the two ways to end waits for ever where a call
// ends in the other.
func TestTheSubscriptionInTheDocumentationHearsOfEveryEndOfACall(t *testing.T) {
	_, fragments := docBlocks(t)
	subscriptions := 0
	for name, code := range fragments {
		if !strings.Contains(code, "Webhooks.Create(") {
			continue
		}
		subscriptions++
		assert.Contains(t, code, "videosdk.EventCallHangup", name)
		assert.Contains(t, code, "videosdk.EventCallMissed", name)
	}
	assert.NotZero(t, subscriptions)
}

func TestTheProgramsInTheDocumentationWork(t *testing.T) {
	programs, _ := docBlocks(t)
	require.NotEmpty(t, programs)
	srv := newServer(t)
	srv.AddPhoneNumbers("+14155550100")
	rule, err := newClient(t, srv).RoutingRules.Create(t.Context(), videosdk.RoutingRuleCreateParams{
		Name: "Documentation", Type: videosdk.DirectionOutbound, PhoneNumbers: []string{"+14155550100"},
	})
	require.NoError(t, err)
	srv.Callee("+14155550199").AnswersAfter(time.Millisecond)
	env := []string{
		videosdk.EnvAPIKey + "=" + srv.APIKey, videosdk.EnvSecret + "=" + srv.Secret, videosdk.EnvAPIEndpoint + "=" + srv.URL,
	}
	for name, code := range programs {
		t.Run(name, func(t *testing.T) {
			output, err := runInModule(t, code, env, "+14155550199", "+14155550100", rule.ID)
			assert.NoError(t, err, output)
			assert.Contains(t, output, `Status:"answered"`)
			assert.LessOrEqual(t, strings.Count(code, "\n"), 25)
		})
	}
}

func TestTheGoCodeInTheDocumentationIsFormatted(t *testing.T) {
	programs, fragments := docBlocks(t)
	for _, blocks := range []map[string]string{programs, fragments} {
		for name, code := range blocks {
			formatted, err := format.Source([]byte(code))
			require.NoError(t, err, name)
			assert.Equal(t, string(formatted), code, name)
		}
	}
}
