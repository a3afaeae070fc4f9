package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// The parts of a run.
const (
	PartIngest     = "ingest"
	PartNested     = "nested"
	PartIndividual = "individual"
	PartInsight    = "insight"
	PartConsent    = "consent"
	PartSegments   = "segments"
	PartDecide     = "decide"
	PartImport     = "import"
	PartMemory     = "memory"
)

// Parts lists the parts of a run in their order.
var Parts = []string{PartIngest, PartNested, PartIndividual, PartInsight, PartConsent, PartDecide, PartSegments, PartImport, PartMemory}

// Options say what is measured, and on how much. A zero field is the default.
type Options struct {
	// DatabaseURL names the PostgreSQL server, as postgres://…; required. Its user
	// may create databases.
	DatabaseURL string
	// Executable is the acquaint binary, whose import and serve are measured as
	// processes of their own; empty: this program.
	Executable string

	Parts       []string      // which of [Parts]; nil: all
	Rounds      int           // of each measurement; 3
	Round       time.Duration // of a read; 3 s
	Events      int           // of a round of ingest; 120,000
	Connections int           // that send events; 32
	BatchSize   int           // events in a request; 100
	Individuals int           // that are read; 20,000 (about half a million interactions)
	Readers     []int         // at once; 4 and 8
	Rows        int           // of the imported file; 500,000

	// Profile is a folder for CPU profiles of ingest and reads; empty: none are taken.
	Profile string
	// Told, if not nil, is told what is under way.
	Told func(text string)
}

func (o Options) withDefaults() (Options, error) {
	set := func(n *int, to int) {
		if *n == 0 {
			*n = to
		}
	}
	if o.DatabaseURL == "" {
		return o, insight.NewError(insight.Invalid, "DATABASE_URL", "it must name the PostgreSQL to measure on, as postgres://user:password@host:5432/database")
	}
	for _, part := range o.Parts {
		if !slices.Contains(Parts, part) {
			return o, insight.NewError(insight.Invalid, "parts", "there is no such part of the benchmark")
		}
	}
	if o.Parts == nil {
		o.Parts = Parts
	}
	set(&o.Rounds, 3)
	set(&o.Events, 120_000)
	set(&o.Connections, 32)
	set(&o.BatchSize, 100)
	set(&o.Individuals, 20_000)
	set(&o.Rows, 500_000)
	if o.Round == 0 {
		o.Round = 3 * time.Second
	}
	if len(o.Readers) == 0 {
		o.Readers = []int{4, 8}
	}
	for _, n := range append([]int{o.Rounds, o.Events, o.Connections, o.BatchSize, o.Individuals, o.Rows, int(o.Round)}, o.Readers...) {
		if n < 1 {
			return o, insight.NewError(insight.Invalid, "bench", "every size and count is positive")
		}
	}
	if o.BatchSize > 1_000 {
		return o, insight.NewError(insight.Invalid, "batch", "a request holds at most 1,000 of these events")
	}
	if o.Told == nil {
		o.Told = func(string) {}
	}
	if o.Executable == "" {
		var err error
		if o.Executable, err = os.Executable(); err != nil {
			return o, wrap(err)
		}
	}
	return o, nil
}

// run is one run under way.
type run struct {
	Options
	server *server
	dir    string // for prepared requests and generated files
	report Report
}

// Run measures and returns what it found. It makes databases of its own on the
// server and drops them, also when it fails or ctx ends. Errors are of kind
// Invalid for options that make no sense, Unavailable where the server does not
// answer or refuses to make databases, and what the measured programs say.
func Run(ctx context.Context, o Options) (report Report, err error) {
	o, err = o.withDefaults()
	if err != nil {
		return Report{}, err
	}
	r := &run{Options: o}
	if r.server, err = connect(ctx, o.DatabaseURL); err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, r.server.close()) }()
	if r.dir, err = os.MkdirTemp("", "acquaint-bench-"); err != nil {
		return Report{}, wrap(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	if o.Profile != "" {
		if err := os.MkdirAll(o.Profile, 0o755); err != nil {
			return Report{}, wrap(err)
		}
	}
	if r.report.Setting, err = r.server.setting(ctx); err != nil {
		return Report{}, err
	}
	for _, part := range []struct {
		names []string
		do    func(context.Context) error
	}{
		{[]string{PartIngest}, r.ingest},
		{[]string{PartNested, PartIndividual, PartInsight, PartConsent, PartDecide}, r.reads},
		{[]string{PartSegments}, r.segments},
		{[]string{PartImport}, r.imports},
		{[]string{PartMemory}, r.memory},
	} {
		if !slices.ContainsFunc(part.names, r.wanted) {
			continue
		}
		if err := part.do(ctx); err != nil {
			return r.report, err
		}
	}
	return r.report, nil
}

func (r *run) wanted(part string) bool { return slices.Contains(r.Parts, part) }

func (r *run) file(name string) string { return filepath.Join(r.dir, name) }

// wrap gives an error of the system, of a database or of a measured program the
// kind Unavailable, with its text: all data here is made up. Nil stays nil, and an
// error with a kind keeps it.
func wrap(err error) error {
	var known *insight.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &insight.Error{Op: "bench.Run", Kind: insight.Unavailable, Message: err.Error(), Cause: err}
}
