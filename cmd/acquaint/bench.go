package main

import (
	"os"
	"runtime"
	"strings"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/bench"
)

type benchmark struct {
	Only        string `placeholder:"PART,…" help:"Only these parts. Default: all."`
	Individuals int    `help:"How many individuals are read from. Default: 20,000, with about half a million interactions."`
	Events      int    `help:"How many events a round of ingest sends. Default: 120,000."`
	Rows        int    `help:"How many rows the imported file has. Default: 500,000."`
	Rounds      int    `help:"How many rounds each measurement has; the median counts. Default: 3."`
	Profile     string `placeholder:"FOLDER" help:"Write CPU profiles of ingest and reads there."`
}

// Help says what is measured.
func (benchmark) Help() string {
	return "It measures on the PostgreSQL server of DATABASE_URL, in databases of its own that it drops at the end, and prints each rate beside what the database could do: " +
		"ingest beside COPY into the same tables, the nested read beside one statement written by hand. docs/performance.md explains the rows. " +
		"Parts: " + strings.Join(bench.Parts, ", ") + "."
}

// Run measures and prints.
func (b *benchmark) Run(p *process) error {
	if err := p.configure(); err != nil {
		return err
	}
	if p.config.DatabaseURL == "" {
		return insight.NewError(insight.Invalid, "DATABASE_URL", "the benchmark needs a PostgreSQL server, on which it may create databases")
	}
	ballast := p.ballast() // as a server has
	defer runtime.KeepAlive(ballast)
	executable, err := os.Executable()
	if err != nil {
		return fileError("acquaint", err)
	}
	o := bench.Options{
		DatabaseURL: p.config.DatabaseURL, Executable: executable, Rounds: b.Rounds, Events: b.Events, Individuals: b.Individuals, Rows: b.Rows, Profile: b.Profile,
		Told: func(text string) { p.note("%s", text) },
	}
	if b.Only != "" {
		o.Parts = strings.Split(b.Only, ",")
	}
	report, err := bench.Run(p.ctx, o)
	if err != nil {
		return err
	}
	return report.Print(p.stdout)
}
