package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

var update = flag.Bool("update", false, "write the answers in testdata/*.golden anew")

// TestGolden asks what testdata/*.golden asks of the world that [api.people] makes,
// and wants what stands there, on every engine.
//
// A file is a list of cases. A case is "=== name", lines "as:" (who asks; see
// [parseViewer]) and "with:" (variables, a JSON object) where they are needed, the
// operation, "---", and the answer: the data, then a line for each error. What the
// database made up has names in order of appearance (ind_1, cursor_2, key_1); <ind_1>
// in an operation or its variables stands for the value again.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".golden"), func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, o store.Options) {
				runGolden(t, file, o)
			})
		})
	}
}

func runGolden(t *testing.T, file string, o store.Options) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a := newAPI(t, o)
	a.people()
	names := &names{made: map[string]string{}, counts: map[string]int{}}
	var written strings.Builder
	for n, c := range parseGolden(t, string(text)) {
		answer := a.answer(c, names)
		a.compute()
		if n > 0 {
			written.WriteString("\n")
		}
		written.WriteString(c.asked + "---\n" + answer)
		if !*update && answer != c.want {
			t.Errorf("%s\n%s--- got\n%s--- want\n%s", c.name, c.asked, answer, c.want)
		}
	}
	if *update && written.String() != string(text) {
		if err := os.WriteFile(file, []byte(written.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// goldenCase is one question and what it should answer.
type goldenCase struct {
	name, as, with, query string
	asked, want           string // as they stand in the file
}

func parseGolden(t *testing.T, text string) []goldenCase {
	t.Helper()
	var cases []goldenCase
	for block := range strings.SplitSeq("\n"+strings.TrimSuffix(text, "\n")+"\n", "\n=== ") {
		if strings.TrimSpace(block) == "" {
			continue
		}
		question, answer, _ := strings.Cut(block, "---\n")
		c := goldenCase{asked: "=== " + strings.TrimRight(question, "\n") + "\n", want: strings.TrimRight(answer, "\n") + "\n"}
		for n, line := range strings.Split(question, "\n") {
			switch {
			case n == 0:
				c.name = line
			case strings.HasPrefix(line, "as: "):
				c.as = line[len("as: "):]
			case strings.HasPrefix(line, "with: "):
				c.with = line[len("with: "):]
			default:
				c.query += line + "\n"
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// parseViewer reads who asks: "nobody", "individual=<ind_1>" for their own token, or
// any of scopes=a,b purposes=a,b and purpose=a. What is left out is admin's, who may declare all and declares analytics.
func parseViewer(text string) *insight.Viewer {
	v := admin()
	if text == "nobody" {
		return nil
	}
	for part := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(part, "=")
		list := strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
		switch name {
		case "scopes":
			v.Scopes = nil
			for _, s := range list {
				v.Scopes = append(v.Scopes, insight.Scope(s))
			}
		case "purposes":
			v.Purposes = list
		case "purpose":
			v.Purpose = value
		case "individual":
			id, err := insight.ParseIDOf(insight.IndividualPrefix, "individual", value)
			if err != nil {
				panic(err)
			}
			v.Individual, v.Scopes, v.Purposes, v.Purpose, v.Subject = id, []insight.Scope{insight.ScopeSelf}, nil, "", "themselves"
		default:
			panic("who asks is told by scopes, purposes, purpose and individual, not by " + name)
		}
	}
	return v
}

func admin() *insight.Viewer {
	return &insight.Viewer{
		Subject: "test", Scopes: []insight.Scope{insight.ScopeAdmin},
		Purposes: []string{"service", "analytics", "personalization", "marketing", "advertising"}, Purpose: "analytics",
	}
}

// answer runs a case and writes its answer with the names of what was made up.
func (a *api) answer(c goldenCase, names *names) string {
	a.t.Helper()
	a.viewer = parseViewer(names.values(c.as))
	var variables map[string]any
	if c.with != "" {
		if err := json.Unmarshal([]byte(names.values(c.with)), &variables); err != nil {
			a.t.Fatalf("%s: %v", c.name, err)
		}
	}
	data, errs := a.response(names.values(c.query), variables)
	var b bytes.Buffer
	if len(data) > 0 {
		if err := json.Indent(&b, data, "", "  "); err != nil {
			a.t.Fatalf("%s: %v", c.name, err)
		}
		b.WriteString("\n")
	}
	for _, e := range errs {
		for _, one := range parts(e) {
			_, _ = fmt.Fprintln(&b, one)
		}
	}
	return names.give(b.String())
}

// parts tells an error as kind, place and message; a joined one is several.
func parts(e *gqlerror.Error) []string {
	if e.Err == nil {
		return []string{fmt.Sprintf("error (request): %s", e.Message)}
	}
	all := []error{e.Err}
	if joined, ok := e.Err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the join itself
		all = joined.Unwrap()
	}
	var told []string
	for _, err := range all {
		var known *insight.Error
		if !errors.As(err, &known) {
			told = append(told, fmt.Sprintf("error (unclassified) at %s: %v", e.Path, err))
			continue
		}
		told = append(told, fmt.Sprintf("error (%s) at %s: %s", known.Kind, e.Path, known.Error()))
	}
	return told
}

// response runs an operation and returns its data as it is.
func (a *api) response(query string, variables map[string]any) (json.RawMessage, gqlerror.List) {
	ctx := graphql.StartOperationTrace(viewer.With(context.Background(), a.viewer))
	op, errs := a.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	if len(errs) > 0 {
		return nil, errs
	}
	respond, ctx := a.exec.DispatchOperation(ctx, op)
	r := respond(ctx)
	slices.SortFunc(r.Errors, func(x, y *gqlerror.Error) int { return strings.Compare(x.Path.String(), y.Path.String()) }) // siblings are resolved at once
	return r.Data, r.Errors
}

// names are what a golden file calls what the database made up.
type names struct {
	made   map[string]string // by value, and by name
	counts map[string]int
}

var (
	madeUp   = regexp.MustCompile(`\b(ind|ses|int|chn|src|pur|lnk|con|req|seg|mem|chg|dst|dlv|exp|dec)_[0-9a-z]{26}\b|"[0-9a-f]{64}"|"(?:AQ[A-Za-z0-9_-]{32}|[A-Za-z0-9_-]{32})"`)
	mentions = regexp.MustCompile(`<([a-z]+_\d+)>`)
)

// give replaces what was made up by names.
func (n *names) give(text string) string {
	return madeUp.ReplaceAllStringFunc(text, func(found string) string {
		value, kind, quote := strings.Trim(found, `"`), "", ""
		switch {
		case found[0] != '"':
			kind, _, _ = strings.Cut(found, "_")
		case strings.Trim(value, "0") == "":
			return found // what stands before the first record
		case len(value) == 34:
			kind, quote = "cursor", `"`
		case len(value) == 64:
			kind, quote = "hash", `"`
		default:
			kind, quote = "key", `"`
		}
		if n.made[value] == "" {
			n.counts[kind]++
			name := fmt.Sprintf("%s_%d", kind, n.counts[kind])
			n.made[value], n.made["<"+name+">"] = name, value
		}
		return quote + n.made[value] + quote
	})
}

// values puts back what names stand for.
func (n *names) values(text string) string {
	return mentions.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := n.made[name]; ok {
			return value
		}
		return name
	})
}
