package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	// Time zones by name work on machines that have no database of them.
	_ "time/tzdata"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// The statuses that the program ends with.
const (
	statusDone = iota
	statusFailed
	statusUsage
)

// verbs is the grammar of the command line.
type verbs struct {
	Serve    serve     `cmd:"" default:"withargs" help:"Serve the API, the tracking API and the playground (the default)."`
	Demo     demo      `cmd:"" help:"Serve with a simulated population to look at, which is loaded the first time."`
	Migrate  migrate   `cmd:"" help:"Bring the database to this version, and print from which and to which."`
	Import   importing `cmd:"" help:"Import events from a CSV or NDJSON file."`
	Simulate simulated `cmd:"" help:"Make a simulated population, into a file or into the database."`
	Bench    benchmark `cmd:"" help:"Measure how fast it is, beside what the database could do."`
	Export   export    `cmd:"" help:"Write out what is held."`
	Erase    erase     `cmd:"" help:"Erase an individual, or what is past its time, for good."`
	Token    token     `cmd:"" help:"Print a token, and nothing else."`
	Verify   verify    `cmd:"" help:"Recompute what is derived from the facts, or check a ledger or a receipt. Changes nothing."`
	Help     help      `cmd:"" help:"Explain a verb, or, as help config, the settings."`
	Version  version   `cmd:"" help:"Print the version."`
}

// errTold is the error of a verb that has said all about it already.
var errTold = errors.New("told")

// process is what a verb runs in.
type process struct {
	ctx            context.Context // ends when the verb is to stop
	parser         *kong.Kong
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	config         *config.Config
	log            *slog.Logger
}

// say writes a line for the user. Nobody can be told that it was not read.
func (p *process) say(format string, args ...any) { _, _ = fmt.Fprintf(p.stdout, format+"\n", args...) }

// note writes a line about the work.
func (p *process) note(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stderr, format+"\n", args...)
}

// stopped reports whether the verb was told to stop.
func (p *process) stopped() bool { return p.ctx.Err() != nil }

// run is the program: it returns the status to end with.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &process{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, environ: environ}
	helped := false
	parser, err := kong.New(&verbs{},
		kong.Name("acquaint"),
		kong.Description("Customer intelligence: one graph of individuals, sessions, interactions and channels, served over GraphQL.\n\n"+
			"Configuration is by environment variables; acquaint help config explains them."),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Vars{"try_scope": tryScope, "try_purpose": tryPurpose, "who": whoHelp},
		kong.ExplicitGroups([]kong.Group{{Key: "csv", Title: "Of CSV files:"}}),
		kong.Bind(p))
	if err != nil {
		return p.fail(err)
	}
	p.parser = parser
	verb, err := parser.Parse(args)
	if helped {
		return statusDone
	}
	if err != nil {
		p.note("acquaint: %v; acquaint --help explains", err)
		return statusUsage
	}
	if err := verb.Run(); err != nil {
		return p.fail(err)
	}
	return statusDone
}

// fail tells an error, a line for each that is joined in it.
func (p *process) fail(err error) int {
	if errors.Is(err, errTold) {
		return statusFailed
	}
	var wrong *usage
	if errors.As(err, &wrong) {
		p.note("acquaint: %v", wrong)
		return statusUsage
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			p.fail(one)
		}
		return statusFailed
	}
	p.note("acquaint: %s", explain(err))
	return statusFailed
}

// usage is an error of the command line that the parser could not know.
type usage struct{ flag, message string }

// Error names the flag.
func (u *usage) Error() string { return u.flag + ": " + u.message }

// explain is what the operator reads of an error: its text, and what lies beneath
// where only that says what to do.
func explain(err error) string {
	switch insight.KindOf(err) {
	case insight.Internal:
		return insight.Detail(err)
	case insight.Unavailable:
		var e *insight.Error
		if errors.As(err, &e) && e.Cause != nil {
			return e.Error() + ": " + insight.Detail(e.Cause)
		}
	default:
	}
	return err.Error()
}

// configure reads the environment and starts the log.
func (p *process) configure() error {
	c, unknown, err := config.Parse(p.environ)
	if err != nil {
		return err
	}
	p.config = c
	options := &slog.HandlerOptions{Level: c.Log.Level}
	if c.Log.JSON {
		p.log = slog.New(slog.NewJSONHandler(p.stderr, options))
	} else {
		p.log = slog.New(slog.NewTextHandler(p.stderr, options))
	}
	for _, name := range unknown {
		p.log.Warn("this environment variable means nothing; acquaint help config lists those that do", "name", name)
	}
	return nil
}
