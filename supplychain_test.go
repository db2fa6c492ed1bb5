package videosdk_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/videosdk-sip-go/videosdk"

// parseGo returns the Go files of a folder: its tests, or all others.
func parseGo(t *testing.T, folder string, tests bool) map[string]*ast.File {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	files := map[string]*ast.File{}
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		if strings.HasSuffix(name, ".go") && strings.HasSuffix(name, "_test.go") == tests {
			files[name], err = parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			require.NoError(t, err)
		}
	}
	return files
}

// requirements returns the modules that go.mod requires, and whether each is
// required by another one only.
func requirements(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^\s*(?:require )?(\S+\.\S+/\S+|go\.\S+/\S+) v\S+( // indirect)?$`)
	modules := map[string]bool{}
	for _, match := range line.FindAllStringSubmatch(string(text), -1) {
		modules[match[1]] = match[2] != ""
	}
	for _, directive := range []string{"replace", "exclude", "toolchain", "tool", "godebug"} {
		assert.NotRegexp(t, `(?m)^`+directive+`\b`, string(text), "what would not hold for users, or change what they get")
	}
	return modules
}

// Whoever adds a dependency adds it here, and says why in the commit.
func TestTheDependenciesAreTheseAndNoOthers(t *testing.T) {
	assert.Equal(t, map[string]bool{
		"github.com/golang-jwt/jwt/v5":          false,
		"github.com/hashicorp/go-retryablehttp": false,
		"github.com/stretchr/testify":           false, // for tests
		"go.uber.org/goleak":                    false, // for tests
		"github.com/hashicorp/go-cleanhttp":     true,  // of go-retryablehttp
		"go.yaml.in/yaml/v3":                    true,  // of testify
	}, requirements(t))
}

// linked returns the imports of a package of this module, and of all that it
// imports from this module in turn.
func linked(t *testing.T, pkg string, seen map[string]bool) map[string]bool {
	t.Helper()
	seen[pkg] = true
	imports := map[string]bool{}
	folder := "." + strings.TrimPrefix(pkg, module)
	for _, file := range parseGo(t, folder, false) {
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			imports[name] = true
			if strings.HasPrefix(name, module) && !seen[name] {
				maps.Copy(imports, linked(t, name, seen))
			}
		}
	}
	return imports
}

func TestWhatAProgramLinksIsTheLibraryAndTwoModules(t *testing.T) {
	var foreign []string
	for name := range linked(t, module, map[string]bool{}) {
		host, _, _ := strings.Cut(name, "/")
		if strings.Contains(host, ".") && !strings.HasPrefix(name, module+"/internal/") {
			foreign = append(foreign, name)
		}
		for _, refused := range []string{"C", "unsafe", "plugin", "os/exec", "syscall", "math/rand", "crypto/md5", "crypto/sha1", "net/rpc", "encoding/gob", "expvar", "net/http/pprof"} {
			assert.NotEqual(t, refused, name)
		}
	}
	slices.Sort(foreign)
	assert.Equal(t, []string{"github.com/golang-jwt/jwt/v5", "github.com/hashicorp/go-retryablehttp"}, foreign)
}

// refusedWords are what no code of a library does that others build on: it trusts
// whoever answers, or acts by being imported.
var refusedWords = []string{"InsecureSkipVerify", "VerifyPeerCertificate", "UnsafeAllowNoneSignatureType", "DefaultClient", "DefaultServeMux"}

func TestTheLibraryDoesNothingByBeingImported(t *testing.T) {
	seen := map[string]bool{}
	linked(t, module, seen)
	require.Greater(t, len(seen), 4, "the root and its internal packages")
	for pkg := range seen {
		for name, file := range parseGo(t, "."+strings.TrimPrefix(pkg, module), false) {
			ast.Inspect(file, func(node ast.Node) bool {
				switch n := node.(type) {
				case *ast.FuncDecl:
					assert.False(t, n.Recv == nil && n.Name.Name == "init", "%s has an init function", name)
				case *ast.Ident:
					assert.NotContains(t, refusedWords, n.Name, name)
				case *ast.Comment:
					assert.False(t, strings.HasPrefix(n.Text, "//go:linkname") || strings.HasPrefix(n.Text, "//go:embed"), "%s: %s", name, n.Text)
				}
				return true
			})
		}
	}
}

func TestTheModulesAreWhatTheirChecksumsSay(t *testing.T) {
	output, err := exec.CommandContext(t.Context(), "go", "mod", "verify").CombinedOutput()
	require.NoError(t, err, string(output))
	assert.Contains(t, string(output), "all modules verified")
}

// testsOfTheModule names the functions of all tests, by name.
func testsOfTheModule(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || strings.HasPrefix(path.Base(name), "testdata") {
			return err
		}
		for _, file := range parseGo(t, name, true) {
			for _, declared := range file.Decls {
				if function, ok := declared.(*ast.FuncDecl); ok && function.Recv == nil {
					names[function.Name.Name] = true
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	return names
}

// A promise without a test is none.
func TestEachPromiseOfSecurityHasItsTests(t *testing.T) {
	text, err := os.ReadFile("SECURITY.md")
	require.NoError(t, err)
	known, named := testsOfTheModule(t), 0
	test := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	for row := range strings.Lines(string(text)) {
		if !strings.HasPrefix(row, "|") || strings.HasPrefix(row, "| Threat") || strings.HasPrefix(row, "|--") {
			continue
		}
		cells := strings.Split(strings.Trim(row, "|\n "), " | ")
		require.Len(t, cells, 3, row)
		found := test.FindAllStringSubmatch(cells[2], -1)
		assert.NotEmpty(t, found, "no test for: %s", cells[0])
		for _, match := range found {
			assert.True(t, known[match[1]], "there is no %s, which is to prove: %s", match[1], cells[0])
			named++
		}
	}
	assert.Greater(t, named, 50)
}
