package sdk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/acquaint/acquaint/store"
)

// patience is how long anything may take before a test gives up on it.
const patience = 2 * time.Minute

// binary builds acquaint, once.
var binary = sync.OnceValues(func() (string, error) {
	file := filepath.Join(scratch, "acquaint")
	if out, err := exec.Command("go", "build", "-o", file, "../../cmd/acquaint").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return file, nil
})

// scratch is a folder that goes when the tests are done.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "acquaint-sdk-"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(status)
}

// tool finds a program, and leaves the test out where there is none.
func tool(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if file, err := exec.LookPath(name); err == nil {
			return file
		}
	}
	lacking(t, "no "+strings.Join(names, " or ")+" is installed")
	return ""
}

// lacking leaves the test out, or fails it where ACQUAINT_TEST_SDK demands it.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("ACQUAINT_TEST_SDK") == "required" {
		t.Fatalf("ACQUAINT_TEST_SDK=required, and %s", what)
	}
	t.Skipf("%s, so the SDKs are not tried here", what)
}

// script runs one of the scripts of this folder with a setting, and reads what it
// prints.
func script(t *testing.T, name string, settings map[string]any, result any) {
	t.Helper()
	node := tool(t, "node")
	if _, err := os.Stat(filepath.Join("node_modules", ".package-lock.json")); err != nil {
		lacking(t, "test/sdk/node_modules is not there (make test/sdk fetches it)")
	}
	setting, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	run := exec.CommandContext(ctx, node, name, string(setting))
	run.Stdout, run.Stderr = &stdout, &stderr
	if err := run.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", name, err, &stdout, &stderr)
	}
	if err := json.Unmarshal(stdout.Bytes(), result); err != nil {
		t.Fatalf("%s: %v\n%s%s", name, err, &stdout, &stderr)
	}
}

// acquaint is the program, running.
type acquaint struct {
	file     string
	environ  []string
	address  string // "http://127.0.0.1:…"
	writeKey string // of the demo
	token    string
}

// start runs a verb that serves, and stops it when the test ends.
func start(t *testing.T, o store.Options, verb ...string) *acquaint {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts servers and browsers; left out with -short")
	}
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	a := &acquaint{file: file, environ: []string{"ACQUAINT_ADDR=127.0.0.1:0", "ACQUAINT_DATA=" + t.TempDir(), "DATABASE_URL=" + o.URL, "PATH=" + os.Getenv("PATH")}}
	var stderr bytes.Buffer
	run := exec.Command(file, verb...)
	run.Env, run.Stderr = a.environ, &stderr
	stdout, err := run.StdoutPipe()
	if err == nil {
		err = run.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(patience, func() { _ = run.Process.Kill() })
	t.Cleanup(func() {
		overdue.Reset(patience)
		defer overdue.Stop()
		_ = run.Process.Signal(os.Interrupt) // an error says that it has ended, and Wait says how
		if err := run.Wait(); err != nil {
			t.Errorf("acquaint %s: %v\n%s", strings.Join(verb, " "), err, &stderr)
		} else if t.Failed() {
			t.Logf("acquaint %s said:\n%s", strings.Join(verb, " "), &stderr)
		}
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && lines.Text() != "Ctrl-C stops it." {
		if rest, ok := strings.CutPrefix(lines.Text(), "Acquaint serves "); ok {
			a.address = strings.TrimSuffix(rest, "/")
		}
		if rest, ok := strings.CutPrefix(lines.Text(), "  write key "); ok {
			a.writeKey = strings.TrimSpace(rest)
		}
	}
	overdue.Stop()
	if a.address == "" {
		t.Fatalf("acquaint %s ended before it served", strings.Join(verb, " "))
	}
	go func() { // so that it is never held up by what it prints
		for lines.Scan() {
		}
	}()
	resp, err := http.Get(a.address + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("/readyz: %s", resp.Status)
	}
	a.token = a.print(t, "token", "--scope", "individuals:read interactions:write admin", "--purposes", "analytics")
	return a
}

// print runs a verb that prints one thing.
func (a *acquaint) print(t *testing.T, verb ...string) string {
	t.Helper()
	run := exec.Command(a.file, verb...)
	run.Env = a.environ
	out, err := run.Output()
	if err != nil {
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			t.Fatalf("acquaint %s: %v\n%s", verb[0], err, ended.Stderr)
		}
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// ask asks the graph, for analytics.
func (a *acquaint) ask(t *testing.T, query string, variables map[string]any, data any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.address+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer := struct {
		Data   any
		Errors json.RawMessage
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Errors != nil {
		t.Fatalf("the graph answers %s", answer.Errors)
	}
}

// source makes a source and returns its write key.
func (a *acquaint) source(t *testing.T, name, channel string) string {
	t.Helper()
	var data struct{ CreateSource struct{ WriteKey string } }
	a.ask(t, `mutation($input: CreateSourceInput!) { createSource(input: $input) { writeKey } }`,
		map[string]any{"input": map[string]any{"name": name, "defaultChannel": channel}}, &data)
	return data.CreateSource.WriteKey
}
