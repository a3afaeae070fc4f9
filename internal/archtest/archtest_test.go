package archtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pkg is a package as go list and the parser tell of it. Paths within the module
// are relative to it: "insight/channel".
type pkg struct {
	Path    string
	Name    string
	Imports []string
	Files   map[string]*ast.File // by base name, without tests
}

// rule forbids imports. A pattern names a package and all beneath it, or with a !
// at its end that package alone.
type rule struct {
	of        []string // packages that the rule is about
	but       []string // and that it is not about
	forbidden []string
	allowed   []string // of the forbidden
	reach     bool     // also forbids what the module's own imports lead to
	reason    string
}

const module = "module" // everything of the module

var rules = []rule{
	{
		of: []string{"insight"}, forbidden: []string{module}, allowed: []string{"insight"},
		reason: "the heart is the floor: it stands on nothing of the house but itself",
	},
	{
		of: []string{"insight"}, forbidden: []string{
			"os", "io/ioutil", "io/fs", "path/filepath", "net!", "net/http", "net/rpc", "net/smtp", "database/sql", "syscall", "plugin", "embed", "flag", "testing", "runtime/debug",
		},
		reason: "the heart does no input or output: facts and options come in as values",
	},
	{
		of: []string{"insight"}, forbidden: []string{"log", "expvar"},
		reason: "the heart does not log: it answers with its evidence, and who asked may log",
	},
	{
		of: []string{"insight"}, forbidden: []string{"math/rand!", "crypto/rand"},
		reason: "the heart leaves nothing to chance: chance comes in as a seed, to math/rand/v2",
	},
	{
		of: []string{"insight"}, forbidden: []string{"."}, allowed: []string{
			"github.com/google/uuid", "github.com/nyaruka/phonenumbers", "github.com/prebid/go-gdpr", "github.com/prebid/go-gpp", "github.com/sosodev/duration",
			"gonum.org/v1/gonum", "golang.org/x/net/idna", "golang.org/x/net/publicsuffix", "golang.org/x/text",
		},
		reason: "of others' packages the heart imports only what computes or parses; one more is added to this list with care",
	},
	{
		of: []string{module}, but: []string{"store", "ent", "internal"}, forbidden: []string{"ent", "entgo.io/ent"},
		reason: "only store knows ent: everyone else speaks the vocabulary of insight",
	},
	{
		of: []string{"ent"}, forbidden: []string{module}, allowed: []string{"ent", "insight"},
		reason: "the tables know the vocabulary and nobody above them",
	},
	{
		of: []string{"store"}, forbidden: []string{"ingest", "engage", "graph", "server"},
		reason: "the store is beneath the way in, the way out and the API",
	},
	{
		of: []string{"ingest"}, forbidden: []string{"store", "ent", "graph", "server", "engage", "database/sql"}, reach: true,
		reason: "the way in owns the interfaces that it needs of the store, so that it can be tried without a database",
	},
	{
		of: []string{"engage"}, forbidden: []string{"store", "ent", "graph", "server", "ingest", "database/sql"}, reach: true,
		reason: "the way out owns the interfaces that it needs of the store, so that it can be tried without a database",
	},
	{
		of: []string{"graph"}, forbidden: []string{"server", "ent", "database/sql"},
		reason: "resolvers translate, call and return: they know neither HTTP's shell nor the tables",
	},
	{
		of: []string{"server"}, forbidden: []string{"ent", "database/sql"},
		reason: "the shell reaches the tables through graph and ingest only",
	},
	{
		of: []string{module}, but: []string{"cmd"}, forbidden: []string{"cmd"},
		reason: "a command wires the house together; nothing stands on it",
	},
	{
		of: []string{module}, but: []string{"internal"}, forbidden: []string{"internal/script", "internal/testdb", "internal/archtest", "testing"},
		reason: "what helps tests is not built into the program",
	},
}

// testPackages serve tests although they are not in test files.
var testPackages = []string{"store/storetest"}

func TestImports(t *testing.T) {
	all := load(t)
	for _, fault := range importFaults(all) {
		t.Error(fault)
	}
}

func TestPurity(t *testing.T) {
	for _, p := range load(t) {
		if within(p.Path, "insight") {
			for _, fault := range purityFaults(p) {
				t.Error(fault)
			}
		}
	}
}

func TestNamesAndComments(t *testing.T) {
	for _, p := range load(t) {
		for _, fault := range append(nameFaults(p), commentFaults(p)...) {
			t.Error(fault)
		}
	}
}

func importFaults(all []pkg) []string {
	byPath := map[string]pkg{}
	for _, p := range all {
		byPath[p.Path] = p
	}
	var found []string
	for _, p := range all {
		for _, r := range rules {
			if !about(r.of, p.Path, true) || about(r.but, p.Path, true) {
				continue
			}
			if about(testPackages, p.Path, true) && slices.Contains(r.forbidden, "testing") {
				continue
			}
			for _, way := range ways(byPath, p, r.reach) {
				imported := way[len(way)-1]
				_, own := byPath[imported]
				if about(r.forbidden, imported, own) && !about(r.allowed, imported, own) {
					found = append(found, fmt.Sprintf("%s imports %s: %s", p.Path, strings.Join(way[1:], ", which imports "), r.reason))
				}
			}
		}
	}
	return found
}

// ways lists what a package imports, each with how it gets there; with reach,
// through the module's own packages too.
func ways(byPath map[string]pkg, p pkg, reach bool) [][]string {
	var all [][]string
	seen := map[string]bool{p.Path: true}
	for queue := [][]string{{p.Path}}; len(queue) > 0; queue = queue[1:] {
		way := queue[0]
		for _, imported := range byPath[way[len(way)-1]].Imports {
			if seen[imported] {
				continue
			}
			seen[imported] = true
			longer := append(slices.Clone(way), imported)
			all = append(all, longer)
			if reach {
				queue = append(queue, longer)
			}
		}
	}
	return all
}

func about(patterns []string, name string, own bool) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		first, _, _ := strings.Cut(name, "/")
		alone, exact := strings.CutSuffix(pattern, "!")
		switch {
		case pattern == module:
			return own
		case pattern == ".": // all that is not of the standard library or the module
			return !own && strings.Contains(first, ".")
		case exact:
			return name == alone
		}
		return within(name, pattern)
	})
}

func within(name, tree string) bool { return name == tree || strings.HasPrefix(name, tree+"/") }

// impure are calls that make an answer depend on when or where it is asked.
var impure = map[string][]string{
	"time":         {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation"},
	"math/rand/v2": {"Int", "IntN", "Int32", "Int32N", "Int64", "Int64N", "Uint", "UintN", "Uint32", "Uint32N", "Uint64", "Uint64N", "N", "Float32", "Float64", "NormFloat64", "ExpFloat64", "Perm", "Shuffle"},
	"fmt":          {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	"github.com/google/uuid": {
		"New", "NewString", "NewUUID", "NewRandom", "NewV6", "NewV7", "NewV7FromReader", "Must",
	},
}

func purityFaults(p pkg) []string {
	var found []string
	for _, name := range sortedNames(p) {
		file := p.Files[name]
		names := map[string]string{} // what the file calls each import
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			local := path.Base(imported)
			if local == "v2" {
				local = path.Base(path.Dir(imported))
			}
			if spec.Name != nil {
				local = spec.Name.Name
			}
			names[local] = imported
		}
		ast.Inspect(file, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := selector.X.(*ast.Ident)
			if ok && slices.Contains(impure[names[of.Name]], selector.Sel.Name) {
				found = append(found, fmt.Sprintf("%s/%s uses %s.%s: the heart gives the same answer whenever and wherever it is asked; the moment comes in as asOf", p.Path, name, names[of.Name], selector.Sel.Name))
			}
			return true
		})
	}
	return found
}

var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "core", "base", "manager", "misc"}

func nameFaults(p pkg) []string {
	var found []string
	for part := range strings.SplitSeq(p.Path+"/"+p.Name, "/") {
		if slices.Contains(emptyNames, part) {
			found = append(found, fmt.Sprintf("%s is called %s: a package is a noun of the domain, so that one can guess what is in it", p.Path, part))
		}
	}
	return slices.Compact(found)
}

func commentFaults(p pkg) []string {
	var commented []string
	for _, name := range sortedNames(p) {
		if ast.IsGenerated(p.Files[name]) {
			return nil
		}
		if p.Files[name].Doc.Text() != "" {
			commented = append(commented, name)
		}
	}
	switch {
	case len(p.Files) == 0:
		return nil
	case len(commented) != 1:
		return []string{fmt.Sprintf("%s has %d package comments %v: one says what question the package answers", cmp.Or(p.Path, "the root"), len(commented), commented)}
	case p.Name != "main" && commented[0] != "doc.go":
		return []string{fmt.Sprintf("%s has its package comment in %s: it belongs in doc.go, where everybody looks for it", p.Path, commented[0])}
	}
	return nil
}

func sortedNames(p pkg) []string {
	names := make([]string, 0, len(p.Files))
	for name := range p.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// load asks go list for the module's packages and reads their files. Packages
// that do not compile count too.
func load(t *testing.T) []pkg {
	t.Helper()
	root := strings.TrimSpace(string(goList(t, "", "-m", "-f", "{{.Dir}} {{.Path}}")))
	dir, name, ok := strings.Cut(root, " ")
	if !ok {
		t.Fatalf("go list tells no module: %q", root)
	}
	relative := func(imported string) string {
		return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(imported, name), "/"), ".")
	}
	decoder := json.NewDecoder(bytes.NewReader(goList(t, dir, "-e", "-json=ImportPath,Name,Dir,Imports,GoFiles", "./...")))
	var all []pkg
	for {
		var listed struct {
			ImportPath, Name, Dir string
			Imports, GoFiles      []string
		}
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p := pkg{Path: relative(listed.ImportPath), Name: listed.Name, Files: map[string]*ast.File{}}
		for _, imported := range listed.Imports {
			if within(imported, name) {
				imported = relative(imported)
			}
			p.Imports = append(p.Imports, imported)
		}
		for _, base := range listed.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(listed.Dir, base), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Errorf("%s/%s: %v", p.Path, base, err)
				continue
			}
			p.Files[base] = file
		}
		all = append(all, p)
	}
	if !slices.ContainsFunc(all, func(p pkg) bool { return p.Path == "internal/archtest" }) {
		t.Fatalf("go list lists %d packages, and not this one", len(all))
	}
	return all
}

func goList(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	command.Dir = dir
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	return out
}
