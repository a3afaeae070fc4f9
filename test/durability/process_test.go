package durability

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// binary is the program under test.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	folder, err := os.MkdirTemp("", "acquaint-durability-")
	if err == nil && !testing.Short() {
		binary = filepath.Join(folder, "acquaint")
		build := exec.Command("go", "build", "-o", binary, "../../cmd/acquaint")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the program cannot be built:", err)
		os.Exit(1)
	}
	status := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if leaked := goleak.Find(); leaked != nil && status == 0 {
		fmt.Fprintln(os.Stderr, leaked)
		status = 1
	}
	_ = os.RemoveAll(folder)
	os.Exit(status)
}

// patience is how long anything that should happen soon may take on a busy machine.
const patience = 60 * time.Second

// installation is a database and whatever server runs on it at the moment.
type installation struct {
	t       *testing.T
	environ []string

	mu      sync.Mutex
	current *server
	next    chan struct{} // closed when current is replaced
}

// server is one run of the program.
type server struct {
	address string
	cmd     *exec.Cmd
	exited  chan struct{} // closed when the process is gone
	err     error         // how it ended, once exited is closed
	stderr  *tail
}

func install(t *testing.T, settings ...string) *installation {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs and kills the real server for a minute; left out with -short")
	}
	environ := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "ACQUAINT_ADDR=127.0.0.1:0",
		"ACQUAINT_JWT_SECRET=a secret of at least thirty-two bytes, for tests", "ACQUAINT_LOG=warn",
	}
	i := &installation{t: t, environ: append(environ, settings...), next: make(chan struct{})}
	t.Cleanup(func() {
		if s := i.current; s != nil {
			_ = s.cmd.Process.Kill() // it may be gone
			<-s.exited
		}
	})
	return i
}

// run runs a verb to its end and returns what it printed.
func (i *installation) run(verb ...string) string {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, verb...)
	cmd.Env = i.environ
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		i.t.Fatalf("acquaint %s: %v\n%s%s", strings.Join(verb, " "), err, out.String(), complaints.String())
	}
	return strings.TrimSpace(out.String())
}

// launch starts a server and does not wait for it to serve.
func (i *installation) launch() *server {
	i.t.Helper()
	s := &server{cmd: exec.Command(binary, "serve"), exited: make(chan struct{}), stderr: &tail{}}
	s.cmd.Env, s.cmd.Stderr = i.environ, s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		i.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	said := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, address, ok := strings.Cut(lines.Text(), "serves "); ok {
				said <- strings.TrimSuffix(address, "/")
				break
			}
		}
		close(said)
		_, _ = io.Copy(io.Discard, out) // until the process is gone
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	s.address = <-said
	return s
}

// start starts a server and tells the clients once it serves.
func (i *installation) start() *server {
	i.t.Helper()
	s := i.launch()
	if s.address == "" {
		<-s.exited
		i.t.Fatalf("the server did not start: %v\n%s", s.err, s.stderr)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.current = s
	close(i.next)
	i.next = make(chan struct{})
	return s
}

// serving is the server of the moment, and what is closed when there is another.
func (i *installation) serving() (*server, <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.current, i.next
}

// end sends the server a signal and waits until it is gone.
func (s *server) end(t *testing.T, signal syscall.Signal) error {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-s.exited:
		return s.err
	case <-late.C:
		t.Fatalf("the server did not end after %v\n%s", signal, s.stderr)
		return nil
	}
}

// killed ends the server with SIGKILL, and wants it to have lived until then.
func (s *server) killed(t *testing.T) {
	t.Helper()
	var exit *exec.ExitError
	if err := s.end(t, syscall.SIGKILL); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL { //nolint:forcetypeassert // as the operating system has it
		t.Fatalf("the server was gone before it was killed: %v\n%s", err, s.stderr)
	}
}

// ask runs a GraphQL operation and unpacks its data.
func (i *installation) ask(token, query string, into any) {
	i.t.Helper()
	s, _ := i.serving()
	body, _ := json.Marshal(map[string]any{"query": query})
	status, _, answer, err := post(i.t.Context(), s.address+"/graphql", body, "Bearer "+token)
	if err != nil || status != http.StatusOK {
		i.t.Fatalf("%s: %d %s %v", query, status, answer, err)
	}
	var response struct {
		Data   json.RawMessage
		Errors []any
	}
	if err := json.Unmarshal(answer, &response); err != nil || len(response.Errors) > 0 {
		i.t.Fatalf("%s: %s %v", query, answer, err)
	}
	if err := json.Unmarshal(response.Data, into); err != nil {
		i.t.Fatal(err)
	}
}

// post sends JSON and reads the whole answer: half of one is an error.
func post(ctx context.Context, url string, body []byte, authorization string) (int, http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", authorization)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, answer, err
}

// tail keeps the end of what a process complained of.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-4096):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
