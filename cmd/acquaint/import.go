package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/ingest/file"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/bulk"
	"github.com/acquaint/acquaint/internal/progress"
)

// shownRows is how many rows are shown that are refused, how many that are taken
// with a warning, and how many that are withheld.
const shownRows = 10

type importing struct {
	File string `arg:"" help:"The file, or - for standard input."`

	Format         string            `placeholder:"FORMAT" help:"csv, or ndjson: one message of the tracking API a line. Default: by the name; .ndjson, .jsonl and .json are NDJSON."`
	Source         string            `default:"import" help:"The source that the events belong to; it is made when it does not exist."`
	DefaultChannel string            `placeholder:"KEY" help:"The channel of rows that name none, when the source is made. Default: web."`
	ChannelKind    map[string]string `placeholder:"KEY=KIND" mapsep:"," help:"The kind of a channel that is made (repeatable): WEB, EMAIL, DIRECT_MAIL, STORE, … Default: OTHER."`
	Reject         string            `placeholder:"FILE" help:"Where rows that are refused go, with the header. Default: the file's name with .rejects, in the working directory."`

	Map        string   `group:"csv" placeholder:"TARGET=COL,…" help:"Which column is what. Targets: userId, anonymousId, deviceId, email, phone, external.NAME, messageId, type, occurredAt, channel, direction, value, currency, campaign.name (source, medium, term, content), properties.NAME, traits.NAME. COL: a header, a number from 1 with --no-header, or :text for a constant."`
	Delimiter  string   `group:"csv" placeholder:"CHAR" help:"One character, tab or whitespace. Default: a comma."`
	NoHeader   bool     `group:"csv" help:"The first row is data; --map names columns by number."`
	TimeLayout string   `group:"csv" placeholder:"LAYOUT" help:"How occurredAt is written: as Go writes 2 January 2006 15:04:05 (20060102), or unix. Default: RFC 3339."`
	TimeZone   string   `group:"csv" placeholder:"ZONE" help:"The zone of times that do not say theirs, such as America/New_York. Default: UTC."`
	Outbound   []string `group:"csv" placeholder:"TYPE" help:"Types that the business sent: their rows are OUTBOUND."`
}

// Help says what happens to rows.
func (importing) Help() string {
	return "Good rows are kept, others are counted, the first shown with their line, and all written to the reject file. " +
		"A message whose consent cannot be read is kept without it, and shown. Events that their person's choice forbids keeping are counted as withheld, and the first shown. " +
		"Without a messageId column an id is made of the row's content and its ordinal among identical rows, so that nothing is lost and importing a file twice changes nothing. " +
		"The status is 0 when every row was good, and 1 when some were refused or the import was stopped.\n\n" +
		"For example:\n\n" +
		"    acquaint import orders.csv --source shop --time-layout 2006-01-02 \\\n" +
		"      --map userId=customer,type=:purchase,occurredAt=day,value=total"
}

// Run imports a file.
func (m *importing) Run(p *process) (err error) {
	if err := p.configure(); err != nil {
		return err
	}
	options, err := m.options(p)
	if err != nil {
		return flagged(err)
	}
	in, size, err := m.open(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	s, err := p.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	source, writeKey, err := p.source(s, m.Source, strings.TrimSpace(m.DefaultChannel), options.ChannelKinds)
	if err != nil {
		return err
	}
	if writeKey != "" {
		p.note("made the source %s; its write key, which is shown once: %s", source.Name, writeKey)
	}
	options.Source, options.Directory, options.ReceivedAt = source, s, time.Now()
	rejects := &rejects{rowNotes: rowNotes{process: p, others: "more rows are refused"}, name: m.rejectFile(), header: m.header(options)}
	warnings := &rowNotes{process: p, others: "the consent of more rows cannot be read"}
	keeper := &rowKeeper{Keeper: s}
	works := works{out: p.stderr, size: size}
	options.Progress = works.at

	var summary file.Summary
	tally, err := bulk.Keep(p.ctx, keeper, bulk.BatchSize, func(ctx context.Context, yield func(*insight.Event) error) (err error) {
		summary, err = file.Read(ctx, in, options, func(line int, e *insight.Event, warning error) error {
			if warning != nil {
				warnings.tell("%v; the row is taken without it", warning)
			}
			keeper.expect(line)
			return yield(e)
		}, rejects.take)
		return err
	}, nil)
	works.end()
	keeper.tell(p, tally.Withheld)
	if err = errors.Join(flagged(err), rejects.close()); err != nil {
		return p.halted(tally, err)
	}
	tally.Rejected += summary.Rejected
	result := summed(tally, time.Since(options.ReceivedAt))
	if summary.Warnings > 0 {
		result += "; " + count(summary.Warnings) + " with consent that cannot be read"
	}
	p.say("%s rows: %s", count(summary.Rows), result)
	if tally.Rejected > 0 {
		p.note("the rows that were refused are in %s", rejects.name)
		return errTold
	}
	return nil
}

// options reads the flags.
func (m *importing) options(p *process) (o file.Options, err error) {
	o = file.Options{Format: file.Format(m.Format), NoHeader: m.NoHeader, TimeLayout: m.TimeLayout, Outbound: m.Outbound, Region: p.config.Region, Sensitive: p.config.Sensitive}
	o.Format = cmp.Or(o.Format, file.FormatOf(m.File))
	if o.ChannelKinds, err = m.kinds(); err != nil {
		return o, err
	}
	if o.Format != file.CSV {
		if m.Map+m.Delimiter+m.TimeLayout+m.TimeZone != "" || m.NoHeader || len(m.Outbound) > 0 {
			return o, &usage{"--format", "a mapping and what else is said of columns is for CSV alone"}
		}
		return o, nil
	}
	if m.Map == "" {
		return o, &usage{"--map", "it must say which column of a CSV file is what, such as userId=customer,type=:purchase,occurredAt=day"}
	}
	if o.Mapping, err = file.ParseMapping(m.Map); err != nil {
		return o, err
	}
	if o.Delimiter, err = file.ParseDelimiter(m.Delimiter); err != nil {
		return o, err
	}
	if o.TimeZone, err = time.LoadLocation(m.TimeZone); err != nil || m.TimeZone == "Local" {
		return o, &usage{"--time-zone", "there is no such zone; a zone is named as America/New_York"}
	}
	return o, nil
}

func (m *importing) kinds() (map[string]insight.ChannelKind, error) {
	kinds := map[string]insight.ChannelKind{}
	for key, text := range m.ChannelKind {
		key, err := tracking.ChannelKey(key)
		kind := insight.ChannelKind(strings.ToUpper(strings.TrimSpace(text)))
		if err != nil || !slices.Contains(insight.ChannelKinds, kind) {
			return nil, &usage{"--channel-kind", "expected a channel's key and one of the kinds " + kindList()}
		}
		kinds[key] = kind
	}
	return kinds, nil
}

func kindList() string {
	names := make([]string, len(insight.ChannelKinds))
	for i, k := range insight.ChannelKinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// open opens the file. The size is 0 where it is not known.
func (m *importing) open(p *process) (in io.ReadCloser, size int64, err error) {
	if m.File == "-" {
		return io.NopCloser(p.stdin), 0, nil
	}
	f, err := os.Open(m.File)
	if err != nil {
		return nil, 0, fileError("file", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		err = fileError("file", err)
	case info.IsDir():
		err = insight.NewError(insight.Invalid, m.File, "it is a directory")
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if info.Mode().IsRegular() {
		size = info.Size()
	}
	return f, size, nil
}

func (m *importing) rejectFile() string {
	name := filepath.Base(m.File)
	if m.File == "-" {
		name = "stdin"
	}
	return cmp.Or(m.Reject, name+".rejects")
}

// header is the first line of a CSV file that has one, so that the reject file can
// be mended and imported. Where it cannot be read, the import says why.
func (m *importing) header(o file.Options) []byte {
	if o.Format != file.CSV || o.NoHeader || m.File == "-" {
		return nil
	}
	f, err := os.Open(m.File)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // it was only read
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, file.MaxRowSize)
	for lines.Scan() {
		line := bytes.TrimRight(bytes.TrimPrefix(lines.Bytes(), []byte("\uFEFF")), "\r")
		if len(bytes.TrimSpace(line)) > 0 {
			return bytes.Clone(line)
		}
	}
	return nil
}

// rowNotes shows the first rows of which there is something to say.
type rowNotes struct {
	*process
	others string // what is said of those that follow
	count  int
}

func (n *rowNotes) tell(format string, args ...any) {
	switch n.count++; {
	case n.count <= shownRows:
		n.note(format, args...)
	case n.count == shownRows+1:
		n.note("%s; they are not shown", n.others)
	}
}

// rowKeeper knows from which line each event is, and so the lines of those that are
// withheld.
type rowKeeper struct {
	ingest.Keeper

	mutex    sync.Mutex
	expected []int // lines of the events that come next, in their order
	withheld []int // the first
}

// expect says from which line the next event is.
func (k *rowKeeper) expect(line int) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.expected = append(k.expected, line)
}

// Append keeps the events that come next.
func (k *rowKeeper) Append(ctx context.Context, events []*insight.Event) ([]insight.Outcome, error) {
	outcomes, err := k.Keeper.Append(ctx, events)
	k.mutex.Lock()
	defer k.mutex.Unlock()
	lines := k.expected[:len(events)]
	k.expected = k.expected[len(events):]
	for i := range outcomes {
		if outcomes[i].Status == insight.StatusWithheld && len(k.withheld) < shownRows {
			k.withheld = append(k.withheld, lines[i])
		}
	}
	return outcomes, err
}

// tell shows which rows were withheld, and how many.
func (k *rowKeeper) tell(p *process, all int64) {
	for _, line := range k.withheld {
		p.note("line %d: withheld, because the person's choice forbids keeping it", line)
	}
	if all > int64(len(k.withheld)) {
		p.note("more rows are withheld; they are not shown")
	}
}

// rejects are the rows that are refused: the first are shown, all are written to a
// file, which is made with the first.
type rejects struct {
	rowNotes
	name   string
	header []byte
	file   *os.File
	out    *bufio.Writer
}

func (r *rejects) take(_ int, raw []byte, why error) error {
	if r.file == nil {
		f, err := os.OpenFile(r.name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return fileError("--reject", err)
		}
		r.file, r.out = f, bufio.NewWriter(f)
		if r.header != nil {
			if err := r.line(r.header); err != nil {
				return err
			}
		}
	}
	r.tell("%v", why)
	return r.line(raw)
}

func (r *rejects) line(raw []byte) error {
	_, err := r.out.Write(raw)
	if err == nil {
		err = r.out.WriteByte('\n')
	}
	if err != nil {
		return fileError("--reject", err)
	}
	return nil
}

func (r *rejects) close() error {
	if r.file == nil {
		return nil
	}
	if err := errors.Join(r.out.Flush(), r.file.Close()); err != nil {
		return fileError("--reject", err)
	}
	return nil
}

// works shows the two passes over a file: rows are counted, and then imported.
type works struct {
	out      io.Writer
	size     int64
	work     *progress.Work
	counting bool
}

func (w *works) at(offset int64, counting bool) {
	if w.work == nil || counting != w.counting {
		w.end()
		title := "importing"
		if counting {
			title = "counting"
		}
		w.work, w.counting = progress.Start(w.out, title, "bytes", w.size), counting
	}
	w.work.At(offset)
}

func (w *works) end() {
	if w.work != nil {
		w.work.End()
	}
}
