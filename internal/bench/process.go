package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/acquaint/acquaint/internal/simulate"
)

// imports measures acquaint import, as a process of its own, on each engine: of a
// tenth of the file, and of all of it. Memory that does not grow is the same for
// both.
func (r *run) imports(ctx context.Context) error {
	sizes := []int{max(r.Rows/10, 1), r.Rows}
	for n, rows := range sizes {
		r.Told(fmt.Sprintf("import: writing a file of %d rows", rows))
		if err := writeRows(ctx, r.file(strconv.Itoa(n)+".ndjson"), rows); err != nil {
			return wrap(err)
		}
	}
	for _, engine := range []string{"PostgreSQL", "SQLite"} {
		for n, rows := range sizes {
			r.Told(fmt.Sprintf("import: %d rows, %s", rows, engine))
			took, peak, err := r.importFile(ctx, engine, r.file(strconv.Itoa(n)+".ndjson"))
			if err != nil {
				return err
			}
			what := fmt.Sprintf("import of %d rows, %s", rows, engine)
			r.report.row(what, "rows/s", float64(rows)/took.Seconds())
			if peak > 0 {
				r.report.row(what+": peak memory", "MB", float64(peak)/1e6)
			}
		}
	}
	return nil
}

// limited fails once so many lines were written.
type limited struct {
	out  io.Writer
	left int
}

var errEnough = errors.New("enough")

func (l *limited) Write(b []byte) (int, error) {
	for i, c := range b {
		if c != '\n' {
			continue
		}
		if l.left--; l.left == 0 {
			if n, err := l.out.Write(b[:i+1]); err != nil {
				return n, err
			}
			return i + 1, errEnough
		}
	}
	return l.out.Write(b)
}

func writeRows(ctx context.Context, name string, rows int) (err error) {
	population, err := simulate.New(simulate.Options{Seed: 3, Individuals: rows/messagesPerPerson*2 + 100, To: end, Truth: willing()})
	if err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := population.WriteNDJSON(ctx, &limited{out: f, left: rows}, nil); !errors.Is(err, errEnough) {
		return errors.Join(errors.New("the simulated people had less to say than was expected"), err)
	}
	return nil
}

// importFile imports into an empty database, and returns how long the process took
// and the most memory that it had, 0 where the system does not tell.
func (r *run) importFile(ctx context.Context, engine, name string) (took time.Duration, peak int64, err error) {
	data := r.file("data-" + engine)
	if err := os.RemoveAll(data); err != nil {
		return 0, 0, wrap(err)
	}
	address := ""
	if engine == "PostgreSQL" {
		var drop func() error
		if address, drop, err = r.server.scratch(ctx); err != nil {
			return 0, 0, err
		}
		defer func() { err = errors.Join(err, drop()) }()
		r.server.settle(ctx)
	}
	began := time.Now()
	p, err := r.start(ctx, address, data, "import", name)
	if err != nil {
		return 0, 0, err
	}
	peak = p.watch()
	return time.Since(began), peak, p.ended
}

// process is the acquaint binary at work.
type process struct {
	command *exec.Cmd
	said    strings.Builder
	done    chan struct{}
	ended   error // once done is closed
}

// start runs a verb on a database.
func (r *run) start(ctx context.Context, address, data string, arguments ...string) (*process, error) {
	p := &process{command: exec.CommandContext(ctx, r.Executable, arguments...), done: make(chan struct{})}
	p.command.Env = []string{"DATABASE_URL=" + address, "ACQUAINT_DATA=" + data, "ACQUAINT_ADDR=127.0.0.1:0", "TMPDIR=" + r.dir, "PATH=" + os.Getenv("PATH")}
	p.command.Dir = r.dir
	p.command.Stdout, p.command.Stderr = nil, &p.said
	p.command.Cancel = func() error { return p.command.Process.Signal(os.Interrupt) }
	p.command.WaitDelay = time.Minute
	if err := p.command.Start(); err != nil {
		return nil, wrap(err)
	}
	go func() {
		defer close(p.done)
		if err := p.command.Wait(); err != nil {
			p.ended = wrap(fmt.Errorf("acquaint %s: %w: %s", arguments[0], err, strings.TrimSpace(p.said.String())))
		}
	}()
	return p, nil
}

// watch waits until the process has ended and returns the most memory that it had.
func (p *process) watch() (peak int64) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return peak
		case <-tick.C:
			peak = max(peak, p.status("VmHWM"))
		}
	}
}

// status reads a size that Linux tells of a process (proc_pid_status(5)), in bytes;
// 0 elsewhere. The rusage of an ended child will not do: it starts with what the
// parent had when it forked.
func (p *process) status(name string) int64 {
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(p.command.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }() // it was only read
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64) // 0 for what is no number
			return n * 1024
		}
	}
	return 0
}

// idle is how long a server is left alone before its memory is looked at.
const idle = 2 * time.Second

// memory measures acquaint serve with nothing to do.
func (r *run) memory(ctx context.Context) (err error) {
	for _, engine := range []string{"PostgreSQL", "SQLite"} {
		if err := r.idleServer(ctx, engine); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) idleServer(ctx context.Context, engine string) (err error) {
	r.Told("memory: an idle server, " + engine)
	address := ""
	if engine == "PostgreSQL" {
		var drop func() error
		if address, drop, err = r.server.scratch(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, drop()) }()
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	p, err := r.start(serving, address, r.file("idle-"+engine), "serve")
	if err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.ended
	case <-time.After(idle):
	}
	if size := p.status("VmRSS"); size > 0 {
		r.report.row("idle server, "+engine+": memory", "MB", float64(size)/1e6)
	}
	stop()
	<-p.done
	return nil
}
