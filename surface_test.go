package videosdk_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// publicPackages are those that users import, and the files that hold their
// exported surface.
var publicPackages = map[string]string{
	".":            "testdata/api/videosdk.txt",
	"videosdktest": "testdata/api/videosdktest.txt",
}

// A change of the surface has to be a decision: this test shows it in the diff
// of a commit.
func TestTheExportedSurfaceIsAsRecorded(t *testing.T) {
	for dir, golden := range publicPackages {
		have := strings.Join(surface(t, dir), "\n\n") + "\n"
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
			require.NoError(t, os.WriteFile(golden, []byte(have), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(want), have, "if the change is meant: go test -run TestTheExportedSurface -update .")
	}
}

func TestEachExportedNameIsDocumented(t *testing.T) {
	for dir := range publicPackages {
		for _, file := range packageFiles(t, dir) {
			for _, decl := range file.Decls {
				for _, name := range undocumented(decl) {
					t.Errorf("%s: %s has no doc comment", dir, name)
				}
			}
		}
	}
}

func packageFiles(t *testing.T, dir string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	return files
}

// surface prints every exported declaration, without comments and bodies.
func surface(t *testing.T, dir string) []string {
	t.Helper()
	var declarations []string
	for _, file := range packageFiles(t, dir) {
		ast.FileExports(file)
		for _, decl := range file.Decls {
			if function, ok := decl.(*ast.FuncDecl); ok {
				if !receiverIsExported(function) {
					continue
				}
				function.Doc, function.Body = nil, nil
			}
			ast.Inspect(decl, withoutComments)
			var text bytes.Buffer
			require.NoError(t, printer.Fprint(&text, token.NewFileSet(), decl))
			if text.Len() > 0 && !isImport(decl) {
				declarations = append(declarations, text.String())
			}
		}
	}
	slices.Sort(declarations)
	return declarations
}

func isImport(decl ast.Decl) bool {
	general, ok := decl.(*ast.GenDecl)
	return ok && general.Tok == token.IMPORT
}

func withoutComments(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.GenDecl:
		node.Doc = nil
	case *ast.TypeSpec:
		node.Doc, node.Comment = nil, nil
	case *ast.ValueSpec:
		node.Doc, node.Comment = nil, nil
	case *ast.Field:
		node.Doc, node.Comment = nil, nil
	}
	return true
}

// undocumented returns the exported names of a declaration that nobody has
// explained. A constant of a group may be explained by the group.
func undocumented(decl ast.Decl) (names []string) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Name.IsExported() && decl.Doc == nil && receiverIsExported(decl) {
			names = append(names, decl.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && decl.Doc == nil && spec.Doc == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				if decl.Doc == nil && spec.Doc == nil && slices.ContainsFunc(spec.Names, (*ast.Ident).IsExported) {
					names = append(names, spec.Names[0].Name)
				}
			}
		}
	}
	return names
}

func receiverIsExported(function *ast.FuncDecl) bool {
	if function.Recv == nil {
		return true
	}
	exported := false
	ast.Inspect(function.Recv.List[0].Type, func(node ast.Node) bool {
		if name, ok := node.(*ast.Ident); ok {
			exported = exported || name.IsExported()
		}
		return true
	})
	return exported
}
