package videosdk_test

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/videosdk-sip-go/videosdk"
)

var update = flag.Bool("update", false, "rewrite the files that tests compare with")

const coverageFile = "docs/api-coverage.md"

const coverageHead = `# Endpoints

Every endpoint that this library wraps. What is not here can be reached with
` + "`client.Do`" + `. The retry classes are explained in [retries.md](retries.md).

This file is written by ` + "`go test -run TestTheCoverageTable -update .`" + ` from the source.

| endpoint | generation | Go | retry class | documentation |
|---|---|---|---|---|
`

func TestTheCoverageTableIsThatOfTheSource(t *testing.T) {
	want := coverageTable(readSource(t))
	if *update {
		require.NoError(t, os.WriteFile(coverageFile, []byte(want), 0o644))
	}
	have, err := os.ReadFile(coverageFile)
	require.NoError(t, err)
	assert.Equal(t, want, string(have), "run: go test -run TestTheCoverageTable -update .")
}

func TestEachOperationIsNamedAfterAMethod(t *testing.T) {
	operations := readSource(t).operations
	require.NotEmpty(t, operations)
	for _, op := range operations {
		assert.True(t, methodExists(op.name), op.name)
	}
}

// methodExists finds a method such as "BatchCalls.Records.List" by the way that
// a user goes to it.
func methodExists(name string) bool {
	parts := strings.Split(name, ".")
	at := reflect.ValueOf(&videosdk.Client{BatchCalls: &videosdk.BatchCallsService{}})
	for _, field := range parts[:len(parts)-1] {
		if at = reflect.Indirect(at).FieldByName(field); !at.IsValid() {
			return false
		}
	}
	return at.MethodByName(parts[len(parts)-1]).IsValid()
}

// source is what the files of the library say of its endpoints.
type source struct {
	operations []sourceOperation
	constants  map[string]ast.Expr
	pages      map[string]string // documentation page by receiver type, and by type and method
}

type sourceOperation struct {
	name, class, method, path, page string
}

func readSource(t *testing.T) *source {
	t.Helper()
	s := &source{constants: map[string]ast.Expr{}, pages: map[string]string{}}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var parsed []*ast.File
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		parsed = append(parsed, file)
		s.declarations(file)
	}
	for _, file := range parsed {
		for _, decl := range file.Decls {
			if function, ok := decl.(*ast.FuncDecl); ok {
				s.function(function)
			}
		}
	}
	slices.SortFunc(s.operations, func(a, b sourceOperation) int {
		return cmp.Or(cmp.Compare(generation(a), generation(b)), cmp.Compare(a.path, b.path),
			cmp.Compare(a.method, b.method), cmp.Compare(a.name, b.name))
	})
	return s
}

// declarations collects constants, and the pages of service types.
func (s *source) declarations(file *ast.File) {
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for i, name := range spec.Names {
					if i < len(spec.Values) {
						s.constants[name.Name] = spec.Values[i]
					}
				}
			case *ast.TypeSpec:
				s.pages[spec.Name.Name] = docPage(general.Doc)
			}
		}
	}
}

var pagePattern = regexp.MustCompile(`https://docs\.videosdk\.live/\S+`)

func docPage(doc *ast.CommentGroup) string {
	return pagePattern.FindString(doc.Text())
}

// function collects the operations in the body of a method.
func (s *source) function(function *ast.FuncDecl) {
	receiver := ""
	if function.Recv != nil {
		if star, ok := function.Recv.List[0].Type.(*ast.StarExpr); ok {
			receiver = fmt.Sprint(star.X)
		}
	}
	page := cmp.Or(docPage(function.Doc), s.pages[receiver])
	ast.Inspect(function.Body, func(node ast.Node) bool {
		literal, ok := node.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if kind, ok := literal.Type.(*ast.Ident); !ok || kind.Name != "operation" {
			return true
		}
		op := sourceOperation{page: page}
		for _, element := range literal.Elts {
			pair := element.(*ast.KeyValueExpr)
			switch value := pair.Value; pair.Key.(*ast.Ident).Name {
			case "name":
				op.name = s.text(value)
			case "class":
				op.class = className(value)
			case "method":
				if selector, ok := value.(*ast.SelectorExpr); ok {
					op.method = strings.ToUpper(strings.TrimPrefix(selector.Sel.Name, "Method"))
				}
			case "path":
				op.path = s.text(value)
			}
		}
		s.operations = append(s.operations, op)
		return true
	})
}

// text evaluates a constant expression of strings.
func (s *source) text(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(expr.Value)
		return text
	case *ast.BinaryExpr:
		return s.text(expr.X) + s.text(expr.Y)
	case *ast.Ident:
		if value, ok := s.constants[expr.Name]; ok {
			return s.text(value)
		}
	}
	return ""
}

func className(expr ast.Expr) string {
	selector, ok := expr.(*ast.SelectorExpr)
	if !ok {
		return "create; repeatable with an id of one's own" // Rooms.Create alone decides by its params
	}
	words := regexp.MustCompile(`[A-Z][a-z]+`).FindAllString(selector.Sel.Name, -1)
	return strings.ToLower(strings.Join(words, " "))
}

func generation(op sourceOperation) string {
	switch {
	case strings.HasPrefix(op.path, "/v2/sip-trunk"), op.path == "/v2/sip/outbound-call":
		return "3 (trunks)"
	case strings.Contains(op.path, "-gateways"), strings.HasPrefix(op.path, "/v2/sip/routing-rules"):
		return "2 (gateways)"
	default:
		return "1 (current)"
	}
}

func coverageTable(s *source) string {
	var b strings.Builder
	b.WriteString(coverageHead)
	for _, op := range s.operations {
		if op.path == "" {
			continue // Do, whose path is the caller's
		}
		page := "–"
		if op.page != "" {
			page = "[page](" + op.page + ")"
		}
		fmt.Fprintf(&b, "| `%s %s` | %s | `%s` | %s | %s |\n", op.method, op.path, generation(op), op.name, op.class, page)
	}
	return b.String()
}
