package file

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
)

// Format is how a file is written. The text is the command line's.
type Format string

// The formats.
const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
)

// FormatOf tells a file's format from its name: .ndjson, .jsonl and .json are
// NDJSON, anything else is CSV.
func FormatOf(name string) Format {
	name = strings.ToLower(name)
	for _, ending := range []string{".ndjson", ".jsonl", ".json"} {
		if strings.HasSuffix(name, ending) {
			return NDJSON
		}
	}
	return CSV
}

// Whitespace as a delimiter parts fields at runs of blanks and tabs. Those at the
// start and the end of a line do not count, and quotes mean nothing.
const Whitespace rune = -1

// ParseDelimiter reads a delimiter as the command line gives it: one character,
// "tab", "whitespace", or nothing for a comma. Errors are [insight.Invalid].
func ParseDelimiter(text string) (rune, error) {
	switch text {
	case "":
		return ',', nil
	case "tab", `\t`:
		return '\t', nil
	case "whitespace":
		return Whitespace, nil
	}
	r, size := utf8.DecodeRuneInString(text)
	if size != len(text) || r == utf8.RuneError || r == '"' || r == '\r' || r == '\n' || r == 0 {
		return 0, insight.NewError(insight.Invalid, "delimiter", "it is one character other than a quote or a line break, or the word tab or whitespace")
	}
	return r, nil
}

// Options say how a file is read.
type Options struct {
	Format    Format // empty: CSV
	Source    *insight.Source
	Directory tracking.Directory
	// ReceivedAt is the moment of the import.
	ReceivedAt time.Time
	// ChannelKinds are the kinds of channels that must be made, by key.
	ChannelKinds map[string]insight.ChannelKind
	Region       string          // see [tracking.Decoder]
	Sensitive    map[string]bool // see [tracking.Decoder]

	// What follows is for CSV alone.

	Mapping   Mapping
	Delimiter rune // 0: a comma; or [Whitespace]
	NoHeader  bool
	// TimeLayout is how occurredAt is written: a layout of Go's time package, or
	// "unix" for seconds since 1970 with decimals allowed; empty: RFC 3339.
	TimeLayout string
	// TimeZone is the zone of a layout that has none; nil: UTC.
	TimeZone *time.Location
	// Outbound are the types whose rows are OUTBOUND where no direction says
	// otherwise.
	Outbound []string

	// TempDir is where the temporary file goes; empty: where the system puts them.
	TempDir string
	// Progress, where it is set, is told now and then how many bytes of the
	// input the current pass has read: counting is the first of two.
	Progress func(offset int64, counting bool)
}

// Summary counts what a file held.
type Summary struct {
	Rows     int64 // without the header and blank lines
	Events   int64
	Rejected int64
	Warnings int64 // events that were made without the consent that their row tells of
	Bytes    int64
}

// Read reads a file and calls yield for each event, in the file's order, with its
// line (from 1), and reject for each row that makes none, with its line, the row as
// it stands there (its beginning, where it is over 1 MiB) and an [insight.Invalid]
// or [insight.Exhausted] error that names the line and the field and repeats no
// value. An event is the caller's to keep; raw is good until reject returns. Where
// what a message says of consent cannot be read, its event is made without it, and
// yield gets a warning, which is an Invalid error of the same form.
//
// It ends with the first error of yield, reject, the Directory (other than an
// Invalid one, which refuses the row) or the context, and with [insight.Invalid]
// where the file as a whole cannot be read: a directory, UTF-16, a header that
// lacks a mapped column. The summary counts what was done by then.
//
// Where message ids must be made, r is read twice: it should be an
// [io.ReadSeeker], and is copied into a temporary file where it is not or cannot
// seek.
func Read(ctx context.Context, r io.Reader, o Options, yield func(line int, e *insight.Event, warning error) error, reject func(line int, raw []byte, err error) error) (Summary, error) {
	if file, ok := r.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.IsDir() {
			return Summary{}, insight.NewError(insight.Invalid, "file", "it is a directory")
		}
	}
	m, err := newMaker(o)
	if err != nil {
		return Summary{}, err
	}
	counted := &ordinals{dir: o.TempDir}
	defer counted.close()
	if m.countsRows() {
		input, start, clean, err := rereadable(r, o.TempDir)
		if err != nil {
			return Summary{}, err
		}
		defer clean()
		if err := m.count(ctx, input, counted); err != nil {
			return Summary{}, err
		}
		if _, err := input.Seek(start, io.SeekStart); err != nil {
			return Summary{}, temporary(err)
		}
		r = input
	}
	return m.read(ctx, r, counted, yield, reject)
}

// rereadable is the input as something that can be read twice from where it is.
func rereadable(r io.Reader, dir string) (input io.ReadSeeker, start int64, clean func(), err error) {
	if seeker, ok := r.(io.ReadSeeker); ok {
		if start, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			return seeker, start, func() {}, nil
		}
	}
	spool, err := os.CreateTemp(dir, "acquaint-import-*")
	if err != nil {
		return nil, 0, nil, temporary(err)
	}
	clean = func() {
		_ = spool.Close()
		_ = os.Remove(spool.Name())
	}
	if _, err = io.Copy(spool, r); err == nil {
		_, err = spool.Seek(0, io.SeekStart)
	}
	if err != nil {
		clean()
		return nil, 0, nil, temporary(err)
	}
	return spool, 0, clean, nil
}

// rows is what both formats are read as.
type rows interface {
	next() ([]string, row, error)
}

// lines are the rows of NDJSON, which have no fields.
type lines struct{ *frame }

func (l lines) next() ([]string, row, error) {
	_, r, err := l.frame.next()
	return nil, r, err
}

// maker makes events of rows.
type maker struct {
	Options
	plan     *plan
	messages *tracking.Decoder
	made     string // the id for a message that has none
	outbound map[string]bool
}

func newMaker(o Options) (*maker, error) {
	m := &maker{Options: o, outbound: map[string]bool{}}
	m.Directory = kinds{o.Directory, o.ChannelKinds}
	if m.Delimiter == 0 {
		m.Delimiter = ','
	}
	if m.TimeZone == nil {
		m.TimeZone = time.UTC
	}
	for _, kind := range o.Outbound {
		m.outbound[kind] = true
	}
	m.ReceivedAt = insight.Moment(o.ReceivedAt)
	switch o.Format {
	case NDJSON:
		m.messages = &tracking.Decoder{
			Directory: m.Directory, Region: o.Region, Sensitive: o.Sensitive, Archive: true,
			NewID: func() string { return m.made },
		}
		return m, nil
	case CSV, "":
	default:
		return nil, insight.NewError(insight.Invalid, "format", "expected csv or ndjson")
	}
	if len(o.Mapping.assignments) == 0 {
		return nil, insight.NewError(insight.Invalid, "map", "a CSV file needs a mapping of its columns")
	}
	return m, checkLayout(o.TimeLayout)
}

// checkLayout refuses layouts that would read wrong times or none.
func checkLayout(layout string) error {
	if layout == "" || layout == "unix" {
		return nil
	}
	a := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if a.Format(layout) == a.AddDate(1, 0, 0).Format(layout) {
		return insight.NewError(insight.Invalid, "time-layout", "it has no year; a layout is how Go writes 2 January 2006 15:04:05, such as 20060102 or 2006-01-02 15:04:05")
	}
	if strings.Contains(layout, "MST") {
		return insight.NewError(insight.Invalid, "time-layout", "a zone's abbreviation does not say which zone it is; leave it out and name the time zone")
	}
	return nil
}

// kinds gives channels that must be made the kinds that the options name.
type kinds struct {
	tracking.Directory
	kinds map[string]insight.ChannelKind
}

func (k kinds) Channel(ctx context.Context, key string, kind insight.ChannelKind) (*insight.Channel, error) {
	if named, ok := k.kinds[key]; ok {
		kind = named
	}
	return k.Directory.Channel(ctx, key, kind)
}

func (m *maker) countsRows() bool { return m.messages != nil || !m.Mapping.has("messageId") }

// open starts reading: it checks the encoding, reads the header, and binds the
// mapping to the columns.
func (m *maker) open(r io.Reader) (rows, *frame, error) {
	if m.messages != nil {
		f := newFrame(r, nil)
		return lines{f}, f, f.checkEncoding()
	}
	t := newTable(r, m.Delimiter)
	if err := t.checkEncoding(); err != nil {
		return nil, nil, err
	}
	if m.NoHeader {
		m.plan = nil
		return t, t.frame, nil
	}
	header, err := t.header()
	if err == nil {
		m.plan, err = m.Mapping.plan(header, len(header))
	}
	return t, t.frame, err
}

const rowsBetweenLooks = 1024 // at the context, and to tell the progress

func (m *maker) count(ctx context.Context, r io.Reader, counted *ordinals) error {
	in, f, err := m.open(r)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if err := m.look(ctx, n, f.offset, true); err != nil {
			return err
		}
		fields, r, err := in.next()
		if errors.Is(err, io.EOF) {
			return counted.settle()
		}
		if err != nil {
			return err
		}
		if r.fault != nil {
			continue
		}
		if err := counted.count(m.digest(fields, r)); err != nil {
			return err
		}
	}
}

func (m *maker) look(ctx context.Context, n int, offset int64, counting bool) error {
	if n%rowsBetweenLooks != 0 {
		return nil
	}
	if m.Progress != nil {
		m.Progress(offset, counting)
	}
	return context.Cause(ctx)
}

// digest is what a row says: its fields, however they are quoted, and the type
// that the mapping gives it; of NDJSON the line.
func (m *maker) digest(fields []string, r row) digest {
	if m.messages != nil {
		sum := sha256.Sum256(r.raw)
		return digest(sum[:])
	}
	content := make([]byte, 0, 256)
	for _, a := range m.Mapping.assignments {
		if a.target == "type" && a.constant {
			content = append(content, a.text...)
		}
	}
	for _, field := range fields {
		content = binary.AppendUvarint(append(content, 0), uint64(len(field)))
		content = append(content, field...)
	}
	sum := sha256.Sum256(content)
	return digest(sum[:])
}

func (m *maker) read(ctx context.Context, r io.Reader, counted *ordinals, yield func(int, *insight.Event, error) error, reject func(int, []byte, error) error) (summary Summary, err error) {
	in, f, err := m.open(r)
	if err != nil {
		return summary, err
	}
	for n := 0; ; n++ {
		summary.Bytes = f.offset
		if err := m.look(ctx, n, f.offset, false); err != nil {
			return summary, err
		}
		fields, r, err := in.next()
		if errors.Is(err, io.EOF) {
			summary.Bytes = f.offset
			return summary, nil
		}
		if err != nil {
			return summary, err
		}
		summary.Rows++
		made := tracking.Decoded{Err: r.fault}
		if r.fault == nil {
			if err := m.name(fields, r, counted); err != nil {
				return summary, err
			}
			if made, err = m.event(ctx, fields, r); err != nil {
				return summary, err
			}
		}
		if made.Err != nil {
			summary.Rejected++
			err = reject(r.line, r.raw, made.Err)
		} else {
			summary.Events++
			if made.Consent != nil {
				summary.Warnings++
			}
			err = yield(r.line, made.Event, made.Consent)
		}
		if err != nil {
			return summary, err
		}
	}
}

// name makes the id that the row's event has where it brings none.
func (m *maker) name(fields []string, r row, counted *ordinals) error {
	if !m.countsRows() {
		return nil
	}
	d := m.digest(fields, r)
	nth, err := counted.next(d)
	m.made = fmt.Sprintf("row-%s-%d", hex.EncodeToString(d[:]), nth)
	return err
}

// event makes a row's event, or says what is wrong with the row; err ends the
// reading.
func (m *maker) event(ctx context.Context, fields []string, r row) (made tracking.Decoded, err error) {
	if m.messages != nil {
		made = m.messages.Single(ctx, "", slices.Clone(r.raw), tracking.Request{Source: m.Source, ReceivedAt: m.ReceivedAt})
		made.Err, made.Consent = inLine(r.line, made.Err), inLine(r.line, made.Consent)
	} else {
		if m.plan == nil {
			if m.plan, err = m.Mapping.plan(nil, len(fields)); err != nil {
				return made, err
			}
		}
		made.Event, made.Err = m.mapped(ctx, fields, r.line)
	}
	if made.Err != nil && !ofRow(made.Err) {
		return made, made.Err
	}
	return made, nil
}

// ofRow reports whether an error is about one row.
func ofRow(err error) bool {
	kind := insight.KindOf(err)
	return kind == insight.Invalid || kind == insight.Exhausted
}

// inLine says in which line a message is that an error is about.
func inLine(line int, err error) error {
	var wrong *insight.Error
	if errors.As(err, &wrong) && ofRow(wrong) {
		return insight.NewError(wrong.Kind, at(line, strings.TrimPrefix(wrong.Subject, "body")), wrong.Message)
	}
	return err
}

// mapped makes the event of a row of fields.
func (m *maker) mapped(ctx context.Context, fields []string, line int) (*insight.Event, error) {
	p := m.plan
	refuse := func(target, why string) error {
		return insight.NewError(insight.Invalid, at(line, target), why)
	}
	e := &insight.Event{Source: m.Source, ReceivedAt: m.ReceivedAt, MessageID: m.made, Direction: insight.Inbound, Channel: m.Source.DefaultChannel}
	if e.Type = strings.TrimSpace(p.kind.of(fields)); e.Type == "" || utf8.RuneCountInString(e.Type) > tracking.MaxTypeLength {
		return nil, refuse("type", fmt.Sprintf("a type has 1 to %d characters", tracking.MaxTypeLength))
	}
	if p.messageID != nil {
		e.MessageID = strings.TrimSpace(p.messageID.of(fields))
		if n := utf8.RuneCountInString(e.MessageID); n == 0 || n > tracking.MaxMessageIDLength || strings.ContainsFunc(e.MessageID, unicode.IsControl) {
			return nil, refuse("messageId", fmt.Sprintf("a message id has 1 to %d characters and no control characters", tracking.MaxMessageIDLength))
		}
	}
	occurredAt, err := m.time(strings.TrimSpace(p.occurredAt.of(fields)))
	if err != nil {
		return nil, refuse("occurredAt", err.Error())
	}
	e.Timestamp, e.OccurredAt = occurredAt, occurredAt
	if e.OccurredAt.After(e.ReceivedAt) {
		e.OccurredAt = e.ReceivedAt
	}
	switch text := strings.TrimSpace(p.direction.of(fields)); {
	case strings.EqualFold(text, "outbound"), text == "" && m.outbound[e.Type]:
		e.Direction = insight.Outbound
	case text != "" && !strings.EqualFold(text, "inbound"):
		return nil, refuse("direction", "expected inbound or outbound")
	}
	if text := strings.TrimSpace(p.value.of(fields)); text != "" {
		value, ok := tracking.Amount(text)
		if !ok {
			return nil, refuse("value", "expected a decimal number such as 12.50, without thousands' separators")
		}
		e.Value = &value
	}
	if text := strings.TrimSpace(p.currency.of(fields)); text != "" {
		if e.Currency = tracking.Currency(text); e.Currency == "" {
			return nil, refuse("currency", "expected three letters, such as EUR")
		}
	}
	e.Campaign = insight.Campaign{
		Name: p.campaignName.of(fields), Source: p.campaignSource.of(fields), Medium: p.campaignMedium.of(fields),
		Term: p.campaignTerm.of(fields), Content: p.campaignContent.of(fields),
	}
	e.Properties = properties(p.properties, fields)
	e.Traits = m.traits(fields)
	size := len(e.Properties)
	for _, trait := range e.Traits {
		size += len(trait.Key) + len(trait.Value)
	}
	if size > tracking.MaxMessageSize {
		return nil, insight.NewError(insight.Exhausted, at(line, ""), "an event's properties and traits may be 32 KB at most")
	}
	if err := m.identify(e, fields, refuse); err != nil {
		return nil, err
	}
	if text := p.channel.of(fields); strings.TrimSpace(text) != "" {
		key, err := tracking.ChannelKey(text)
		if err == nil {
			e.Channel, err = m.Directory.Channel(ctx, key, "")
		}
		var wrong *insight.Error
		if errors.As(err, &wrong) && wrong.Kind == insight.Invalid {
			return nil, refuse("channel", wrong.Message)
		}
		if err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (m *maker) time(text string) (time.Time, error) {
	var t time.Time
	var err error
	switch m.TimeLayout {
	case "":
		if err = t.UnmarshalText([]byte(text)); err != nil {
			return t, errors.New("expected a time as RFC 3339 has it, such as 2026-03-01T09:30:00Z; other times need a time layout")
		}
	case "unix":
		if t, err = unixTime(text); err != nil {
			return t, err
		}
	default:
		if t, err = time.ParseInLocation(m.TimeLayout, text, m.TimeZone); err != nil {
			return t, errors.New("the text does not have the time layout")
		}
	}
	if err := insight.CheckTime("", t); err != nil {
		return t, err
	}
	if t.IsZero() {
		return t, errors.New("the first moment of the year 1 is what an unset clock says")
	}
	return insight.Moment(t), nil
}

// unixTime reads seconds since 1970 exactly, to the microsecond.
func unixTime(text string) (time.Time, error) {
	wrong := errors.New("expected seconds since 1970, with decimals after a point")
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	if whole == "" || len(whole) > 15 || dotted && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return time.Time{}, wrong
	}
	var seconds, micros int64
	for _, c := range whole {
		seconds = seconds*10 + int64(c-'0')
	}
	for _, c := range (fraction + "000000")[:6] {
		micros = micros*10 + int64(c-'0')
	}
	if negative {
		seconds, micros = -seconds, -micros
	}
	return time.Unix(seconds, micros*1000), nil
}

// properties is the JSON object of the properties that have a value.
func properties(cells []named, fields []string) json.RawMessage {
	var object []byte
	for i := range cells {
		text := cells[i].of(fields)
		if text == "" {
			continue
		}
		if object == nil {
			object = append(make([]byte, 0, 128), '{')
		} else {
			object = append(object, ',')
		}
		object = appendValue(append(object, cells[i].key...), text)
	}
	if object == nil {
		return nil
	}
	return append(object, '}')
}

// appendValue writes text as JSON: a plain decimal number of at most 15 digits,
// which a 64-bit float holds exactly as it was written, or a string.
func appendValue(out []byte, text string) []byte {
	if plainNumber(text) {
		return append(out, text...)
	}
	return appendText(out, text)
}

func plainNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	return whole != "" && (whole == "0" || whole[0] != '0') && dotted == (fraction != "") &&
		len(whole)+len(fraction) <= 15 && strings.Trim(whole+fraction, "0123456789") == ""
}

func appendText(out []byte, text string) []byte {
	simple := func(r rune) bool { return r >= ' ' && r < utf8.RuneSelf && r != '"' && r != '\\' }
	if !strings.ContainsFunc(text, func(r rune) bool { return !simple(r) }) {
		return append(append(append(out, '"'), text...), '"')
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("file: a text cannot be JSON: " + err.Error())
	}
	return append(out, quoted...)
}
