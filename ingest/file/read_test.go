package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
)

var (
	imported = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	till     = &insight.Source{ID: uuid.UUID{1}, Name: "till", DefaultChannel: &insight.Channel{Key: "store"}}
)

// channels is a Directory that makes whatever it is asked for.
type channels map[string]insight.ChannelKind

func (c channels) Channel(_ context.Context, key string, kind insight.ChannelKind) (*insight.Channel, error) {
	if key == "away" {
		return nil, insight.NewError(insight.Unavailable, "", "the database is away")
	}
	c[key] = kind
	return &insight.Channel{Key: key, Kind: kind}, nil
}

func mapping(t testing.TB, text string) Mapping {
	t.Helper()
	m, err := ParseMapping(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// result is what reading a text gave.
type result struct {
	Summary
	events   []*insight.Event
	lines    []int    // of the events
	rejected []string // "line|row|error"
	warnings []string
	err      error
}

func read(o Options, in io.Reader) (r result) {
	if o.Source == nil {
		o.Source = till
	}
	if o.Directory == nil {
		o.Directory = channels{}
	}
	o.ReceivedAt = imported
	r.Summary, r.err = Read(context.Background(), in, o,
		func(line int, e *insight.Event, warning error) error {
			r.events, r.lines = append(r.events, e), append(r.lines, line)
			if warning != nil {
				r.warnings = append(r.warnings, warning.Error())
			}
			return nil
		},
		func(line int, raw []byte, err error) error {
			r.rejected = append(r.rejected, fmt.Sprintf("%d|%s|%v", line, raw, err))
			return nil
		})
	return r
}

func (r result) ids() []string {
	ids := make([]string, len(r.events))
	for i, e := range r.events {
		ids[i] = e.ID().String()
	}
	slices.Sort(ids)
	return ids
}

const simple = "userId=user,type=kind,occurredAt=time"

func TestARowIsAnEvent(t *testing.T) {
	directory := channels{}
	r := read(Options{
		Directory: directory, Region: "GB", ChannelKinds: map[string]insight.ChannelKind{"direct_mail Type A": insight.DirectMailChannel},
		Mapping: mapping(t, `userId=user,anonymousId=anon,deviceId=device,email=mail,phone=tel,external.loyalty=card,messageId=id,type=kind,`+
			`occurredAt=time,channel=channel,direction=dir,value=amount,currency=cur,campaign.name=:"Spring, ""early""",campaign.source=src,`+
			`properties.sku=sku,properties.quantity=n,properties.unit price=p,traits.health=h,traits.city="City, Town"`),
	}, strings.NewReader("user,anon,device,mail,tel,card,id,kind,time,channel,dir,amount,cur,src,sku,n,p,h,\"City, Town\"\r\n"+
		"u1,a1,d1,Ann@Example.com,020 7946 0958,c:9,m1,purchase,2026-01-02T03:04:05.123456789+01:00,direct_mail Type A,Outbound, 12.50 ,eur,news,007,2,1e3,fine,\"Ulm\"\"s \n<é\"\r\n"))
	if r.err != nil || len(r.events) != 1 {
		t.Fatalf("%+v", r)
	}
	e := r.events[0]
	if e.MessageID != "m1" || e.Type != "purchase" || e.Direction != insight.Outbound || *e.Value != 12.5 || e.Currency != "EUR" ||
		e.Campaign != (insight.Campaign{Name: `Spring, "early"`, Source: "news"}) || e.Channel.Key != "direct_mail Type A" {
		t.Errorf("%+v", e)
	}
	if directory["direct_mail Type A"] != insight.DirectMailChannel {
		t.Errorf("the channel would be made as %q", directory["direct_mail Type A"])
	}
	if want := time.Date(2026, 1, 2, 2, 4, 5, 123456000, time.UTC); e.OccurredAt != want || e.Timestamp != want || e.ReceivedAt != imported {
		t.Errorf("occurred at %v", e.OccurredAt)
	}
	if want := `{"sku":"007","quantity":2,"unit price":"1e3"}`; string(e.Properties) != want {
		t.Errorf("properties %s, want %s", e.Properties, want)
	}
	if got, want := fmt.Sprint(e.Identities, e.Stream), "[{USER_ID u1} {EMAIL ann@example.com} {PHONE +442079460958} {EXTERNAL loyalty:c:9} {DEVICE_ID d1} {ANONYMOUS_ID a1}] {ANONYMOUS_ID a1}"; got != want {
		t.Errorf("identities %s, want %s", got, want)
	}
	var traits []string
	for _, o := range e.Traits {
		traits = append(traits, fmt.Sprintf("%s=%s/%d", o.Key, o.Value, o.Sensitivity))
	}
	if want := []string{`health="fine"/2`, `city="Ulm\"s \n\u003cé"/1`, `email="Ann@Example.com"/1`, `phone="020 7946 0958"/1`}; !slices.Equal(traits, want) {
		t.Errorf("traits %q", traits)
	}
}

func TestTimes(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		layout string
		zone   *time.Location
		text   string
		want   string
	}{
		{"", nil, "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"},
		{"20060102", nil, "19970101", "1997-01-01T00:00:00Z"},
		{"2006-01-02 15:04:05", newYork, "2017-01-16 00:00:00", "2017-01-16T05:00:00Z"},
		{"2006-01-02 15:04:05", newYork, "2017-07-16 00:00:00", "2017-07-16T04:00:00Z"},
		{"2006-01-02 15:04:05 -0700", newYork, "2017-07-16 00:00:00 +0000", "2017-07-16T00:00:00Z"},
		{"unix", newYork, "0", "1970-01-01T00:00:00Z"},
		{"unix", nil, "1483228800.1234567", "2017-01-01T00:00:00.123456Z"},
		{"unix", nil, "-0.5", "1969-12-31T23:59:59.5Z"},
		{"20060102", nil, "20990101", "2026-03-01T12:00:00Z"}, // not before it was imported
		{"20060102", nil, "1997-01-01", ""},
		{"20060102", nil, "19970230", ""},
		{"20060102", nil, "", ""},
		{"", nil, "1997-01-01", ""},
		{"", nil, "0000-01-01T00:00:00Z", ""},
		{"", nil, "9999-01-01T00:00:00Z", ""},
		{"", nil, "0001-01-01T00:00:00Z", ""},
		{"unix", nil, "1e9", ""},
		{"unix", nil, "1.", ""},
		{"unix", nil, "999999999999999", ""},
		{"unix", nil, "99999999999999999999", ""},
	} {
		r := read(Options{Mapping: mapping(t, simple), TimeLayout: c.layout, TimeZone: c.zone}, strings.NewReader("user,kind,time\nu,k,"+c.text+"\n"))
		got := ""
		if len(r.events) == 1 {
			got = r.events[0].OccurredAt.Format(time.RFC3339Nano)
		}
		if got != c.want || r.err != nil || c.want == "" && !strings.Contains(r.rejected[0], "|line 2, occurredAt: ") {
			t.Errorf("%q as %q: %q, want %q (%v %v)", c.text, c.layout, got, c.want, r.rejected, r.err)
		}
	}
}

func TestBadRowsDisturbNoOther(t *testing.T) {
	const good = "g,k,2026-01-01T00:00:00Z,,,\n"
	for _, c := range []struct{ name, rows, want string }{
		{"too few", "u,k\n", "2|u,k|line 2: the row has 2 fields, where 6 are expected"},
		{"too many", "u,k,t,,,,\n", "2|u,k,t,,,,|line 2: the row has 7 fields, where 6 are expected"},
		{"bare quote", "u\"x,k,t,,,\n", "2|u\"x,k,t,,,|line 2: a quote stands where none may; a field with quotes is quoted as a whole, its quotes doubled"},
		{"text after a quote", "\"u\"x,k,t,,,\n", "2|\"u\"x,k,t,,,|line 2: a quote stands where none may; a field with quotes is quoted as a whole, its quotes doubled"},
		{"NUL", "u\x00,k,t,,,\n", "2|u\x00,k,t,,,|line 2: it holds the character NUL"},
		{"Latin-1", "M\xfcller,k,t,,,\n", "2|M\xfcller,k,t,,,|line 2: it is not UTF-8; was the file saved as Latin-1?"},
		{"no type", "u, ,2026-01-01T00:00:00Z,,,\n", "2|u, ,2026-01-01T00:00:00Z,,,|line 2, type: a type has 1 to 255 characters"},
		{"nobody", ",k,2026-01-01T00:00:00Z,,,\n", "2|,k,2026-01-01T00:00:00Z,,,|line 2, userId: the row names nobody"},
		{"a placeholder", "NULL,k,2026-01-01T00:00:00Z,,,\n", "2|NULL,k,2026-01-01T00:00:00Z,,,|line 2, userId: it is empty or a placeholder such as null or undefined, which would join strangers"},
		{"value", "u,k,2026-01-01T00:00:00Z,\"1,000\",,\n", "2|u,k,2026-01-01T00:00:00Z,\"1,000\",,|line 2, value: expected a decimal number such as 12.50, without thousands' separators"},
		{"infinite value", "u,k,2026-01-01T00:00:00Z,Inf,,\n", "2|u,k,2026-01-01T00:00:00Z,Inf,,|line 2, value: expected a decimal number such as 12.50, without thousands' separators"},
		{"value past float64", "u,k,2026-01-01T00:00:00Z,1e400,,\n", "2|u,k,2026-01-01T00:00:00Z,1e400,,|line 2, value: expected a decimal number such as 12.50, without thousands' separators"},
		{"direction", "u,k,2026-01-01T00:00:00Z,,up,\n", "2|u,k,2026-01-01T00:00:00Z,,up,|line 2, direction: expected inbound or outbound"},
		{"channel", "u,k,2026-01-01T00:00:00Z,,,a\x01b\n", "2|u,k,2026-01-01T00:00:00Z,,,a\x01b|line 2, channel: it holds a control character"},
		{"a stray quote that opens a field", "\"u,k,t,,,\nh,k,2026-01-01T00:00:00Z,,,\n\"i\",k,2026-01-01T00:00:00Z,,,\n", "2|\"u,k,t,,,|line 2: a quote stands where none may; a field with quotes is quoted as a whole, its quotes doubled"},
		{"a quote that never closes", "\"u,k,t,,,\n" + strings.Repeat(good, 60000), "2|\"u,k,t,,,|line 2: a quote does not close within 1 MiB"},
	} {
		text := "user,kind,time,value,dir,channel\n" + c.rows + good
		r := read(Options{Mapping: mapping(t, simple+",value=value,direction=dir,channel=channel")}, strings.NewReader(text))
		if r.err != nil || len(r.rejected) != 1 || r.rejected[0] != c.want {
			t.Errorf("%s: %.300q, %v; want %.200q", c.name, r.rejected, r.err, c.want)
		}
		if rows := int64(strings.Count(c.rows, "\n")); r.Rows != rows+1 || r.Events != rows || r.Bytes != int64(len(text)) {
			t.Errorf("%s: %+v for %d rows and %d bytes", c.name, r.Summary, rows+1, len(text))
		}
	}
}

func TestOverlongRowsAreNotKept(t *testing.T) {
	long := strings.Repeat("x", 5<<20)
	r := read(Options{Mapping: mapping(t, simple)}, strings.NewReader("user,kind,time\n"+long+"\ng,k,2026-01-01T00:00:00Z\n"+
		"\""+strings.Repeat("y\n", 600<<10)+"\",k,2026-01-01T00:00:00Z\nh,k,2026-01-01T00:00:00Z"))
	if r.err != nil || len(r.events) != 2 {
		t.Fatalf("%+v, %v", r.Summary, r.err)
	}
	if want := "2|" + long[:keptOfLongRow] + "|line 2: the row is longer than 1 MiB"; r.rejected[0] != want {
		t.Errorf("rejected %.60q…%q", r.rejected[0], r.rejected[0][len(r.rejected[0])-60:])
	}
	if !strings.HasPrefix(r.rejected[1], "4|\"y|line 4: a quote does not close within 1 MiB") {
		t.Errorf("rejected %.80q", r.rejected[1])
	}
	// An event may be 32 KB, however the file has it.
	r = read(Options{Mapping: mapping(t, simple+",properties.x=x")}, strings.NewReader("user,kind,time,x\nu,k,2026-01-01T00:00:00Z,"+long[:40<<10]+"\n"))
	if len(r.rejected) != 1 || !strings.HasSuffix(r.rejected[0], "|line 2: an event's properties and traits may be 32 KB at most") {
		t.Errorf("%+v", r.Summary)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for _, c := range []struct{ name, text, mapping, want string }{
		{"empty", "", simple, "file: it is empty"},
		{"blank", "\n\r\n  \n", simple, "file: it is empty"},
		{"UTF-16", "\xff\xfeu\x00s\x00", simple, "line 1: it is not UTF-8 but UTF-16"},
		{"UTF-16, big end first", "\xfe\xff\x00u", simple, "line 1: it is not UTF-8 but UTF-16"},
		{"UTF-16 without a mark", "u\x00s\x00e\x00r\x00", simple, "line 1: it is not UTF-8 but UTF-16"},
		{"header in Latin-1", "user,k\xfcnd,time\n", simple, "line 1: it is not UTF-8"},
		{"a column is missing", "user,Kind,time\n", simple, `map: no column is called "kind", which type is mapped to; capitals count`},
		{"a column is there twice", "user,kind,time,user\n", simple, `map: two columns are called "user"`},
		{"no mapping", "user\n", "", "map: a CSV file needs a mapping"},
	} {
		var m Mapping
		if c.mapping != "" {
			m = mapping(t, c.mapping)
		}
		if r := read(Options{Mapping: m}, strings.NewReader(c.text)); r.err == nil || !strings.HasPrefix(r.err.Error(), c.want) || insight.KindOf(r.err) != insight.Invalid {
			t.Errorf("%s: %v, want %q", c.name, r.err, c.want)
		}
	}
	folder, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Close() }()
	if r := read(Options{Mapping: mapping(t, simple)}, folder); r.err == nil || r.err.Error() != "file: it is a directory" {
		t.Errorf("a directory: %v", r.err)
	}
	for _, layout := range []string{"yyyy-mm-dd", "02.01. 15:04", "2006-01-02 MST"} {
		if r := read(Options{Mapping: mapping(t, simple), TimeLayout: layout}, strings.NewReader("x")); r.err == nil || !strings.HasPrefix(r.err.Error(), "time-layout: ") {
			t.Errorf("layout %q: %v", layout, r.err)
		}
	}
	numbered := mapping(t, "userId=1,type=:k,occurredAt=3")
	if r := read(Options{Mapping: numbered, NoHeader: true}, strings.NewReader("a,b\n")); r.err == nil || !strings.HasPrefix(r.err.Error(), "map: occurredAt is mapped to column 3, but the first row has 2") {
		t.Errorf("too few columns: %v", r.err)
	}
	if r := read(Options{Mapping: mapping(t, simple), NoHeader: true}, strings.NewReader("a,b,c\n")); r.err == nil || !strings.HasPrefix(r.err.Error(), "map: userId needs a column's number from 1") {
		t.Errorf("names without a header: %v", r.err)
	}
	if r := read(Options{Format: "xlsx"}, strings.NewReader("")); insight.KindOf(r.err) != insight.Invalid {
		t.Errorf("unknown format: %v", r.err)
	}
}

func TestDelimitersAndHeaders(t *testing.T) {
	for _, c := range []struct {
		name, delimiter, text string
		noHeader              bool
	}{
		{"comma and a byte order mark", "", "\uFEFFuser,kind,time\nu,k,20260101\n", false},
		{"tab", "tab", "user\tkind\ttime\nu\tk\t20260101", false},
		{"semicolon", ";", "user;kind;time\r\n\r\nu;k;20260101\r\n", false},
		{"more than a byte", "§", "user§\"kind\"§time\nu§k§20260101\n", false},
		{"whitespace", "whitespace", "  user  kind\ttime \n \n u   k \t 20260101\n", false},
		{"no header", "", "u,k,20260101\n", true},
		{"quoted breaks", "", "\"user\",kind,time\n\"u\",k,\"20260101\n\"\n", false},
	} {
		delimiter, err := ParseDelimiter(c.delimiter)
		if err != nil {
			t.Fatal(err)
		}
		text := simple
		if c.noHeader {
			text = "userId=1,type=2,occurredAt=3"
		}
		r := read(Options{Mapping: mapping(t, text), Delimiter: delimiter, NoHeader: c.noHeader, TimeLayout: "20060102"}, strings.NewReader(c.text))
		if r.err != nil || len(r.events) != 1 || r.events[0].Identities[0].Value != "u" || r.events[0].Type != "k" {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	for _, text := range []string{"ab", "\"", "\n", "\r", "\x00", "\xff", "Tab"} {
		if r, err := ParseDelimiter(text); err == nil {
			t.Errorf("%q is the delimiter %q", text, r)
		}
	}
}

func TestNDJSON(t *testing.T) {
	text := "\uFEFF" + `{"type":"track","event":"a","userId":"u","messageId":"m","timestamp":"2020-01-01T00:00:00Z","sentAt":"2020-01-01T00:00:00Z"}` + "\r\n\n" +
		`{"type":"track","event":"a","userId":"u"}` + "\n" + `{"type":"track","event":"a","userId":"u"}` + "\n" +
		`{"type":"track","event":"a","userId":"u","timestamp":"2020-01-01T00:00:00Z"}` + "\n" +
		`{"type":"track","event":"a"}` + "\n" + `{"type":` + "\n" + `{"userId":"` + strings.Repeat("x", 33<<10) + `"}` + "\n" +
		`{"type":"page","userId":"u","context":{"channel":"x"}}`
	one := read(Options{Format: NDJSON}, strings.NewReader(text))
	if one.err != nil || one.Events != 5 || one.Rejected != 3 {
		t.Fatalf("%+v %v %v", one.Summary, one.rejected, one.err)
	}
	for i, want := range []string{
		"|line 6, userId: a message needs a userId or an anonymousId", "|line 7: malformed JSON at byte 8", "|line 8: a message may be 32 KB at most",
	} {
		if !strings.HasSuffix(one.rejected[i], want) {
			t.Errorf("rejected %.200q, want %q", one.rejected[i], want)
		}
	}
	if !one.events[0].OccurredAt.Equal(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("an old message occurred at %v", one.events[0].OccurredAt)
	}
	if ids := slices.Compact(one.ids()); len(ids) != 5 {
		t.Errorf("5 lines are %d events", len(ids))
	}
	if two := read(Options{Format: NDJSON}, strings.NewReader(text)); !slices.Equal(one.ids(), two.ids()) {
		t.Errorf("reading it again gives other events: %v and %v", one.ids(), two.ids())
	}
}

func TestConsentOfMessages(t *testing.T) {
	text := `{"type":"page","userId":"u","context":{"consent":{"categoryPreferences":{"Advertising":false}}}}` + "\n" +
		`{"type":"page","userId":"u","context":{"consent":{"categoryPreferences":{"Advertising":false},"gppString":"SECRET"}}}` + "\n\n" +
		`{"type":"page","context":{"consent":"SECRET"}}` + "\n" + `{"type":"page","userId":"u"}` + "\n" + `{"type":"page","userId":"u","context":{"consent":"SECRET"}}`
	r := read(Options{Format: NDJSON}, strings.NewReader(text))
	if r.err != nil || r.Rows != 5 || r.Events != 4 || r.Rejected != 1 || r.Warnings != 2 || !slices.Equal(r.lines, []int{1, 2, 5, 6}) {
		t.Errorf("%+v, events of lines %v, %v", r.Summary, r.lines, r.err)
	}
	if want := []string{"line 2, context.consent.gppString: it is not a GPP string that can be read", "line 6, context.consent: an object is expected"}; !slices.Equal(r.warnings, want) {
		t.Errorf("warnings %q, want %q", r.warnings, want)
	}
	for i, e := range r.events {
		if (e.Signals != nil) != (i == 0) {
			t.Errorf("the event of line %d has the signals %+v", r.lines[i], e.Signals)
		}
	}
	if yes, said := r.events[0].Signals.Categories["Advertising"]; yes || !said {
		t.Errorf("signals %+v", r.events[0].Signals)
	}
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]Format{"a.csv": CSV, "b.NDJSON": NDJSON, "c.jsonl": NDJSON, "d.txt": CSV, "e.json": NDJSON, "-": CSV} {
		if got := FormatOf(name); got != want {
			t.Errorf("%s is %s", name, got)
		}
	}
}

func TestReadStopsWhereItIsTold(t *testing.T) {
	stop := errors.New("stop")
	text := "user,kind,time,channel\nu,k,2026-01-01T00:00:00Z,\nu,k,bad,\nu,k,2026-01-01T00:00:00Z,\n"
	o := Options{Mapping: mapping(t, simple+",channel=channel"), Source: till, Directory: channels{}, ReceivedAt: imported}
	keep := func(int, *insight.Event, error) error { return nil }
	pass := func(int, []byte, error) error { return nil }
	if s, err := Read(t.Context(), strings.NewReader(text), o, func(int, *insight.Event, error) error { return stop }, pass); !errors.Is(err, stop) || s.Rows != 1 {
		t.Errorf("yield: %+v, %v", s, err)
	}
	if s, err := Read(t.Context(), strings.NewReader(text), o, keep, func(int, []byte, error) error { return stop }); !errors.Is(err, stop) || s.Rows != 2 {
		t.Errorf("reject: %+v, %v", s, err)
	}
	if _, err := Read(t.Context(), strings.NewReader(strings.ReplaceAll(text, "Z,", "Z,away")), o, keep, pass); insight.KindOf(err) != insight.Unavailable {
		t.Errorf("directory: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if _, err := Read(ctx, strings.NewReader(text), o, keep, pass); !errors.Is(err, stop) {
		t.Errorf("context: %v", err)
	}
	if _, err := Read(t.Context(), io.MultiReader(strings.NewReader(text), failing{stop}), o, keep, pass); !errors.Is(err, stop) || insight.KindOf(err) != insight.Unavailable {
		t.Errorf("input: %v", err)
	}
	o.TempDir = filepath.Join(t.TempDir(), "absent")
	if _, err := Read(t.Context(), io.MultiReader(strings.NewReader(text)), o, keep, pass); insight.KindOf(err) != insight.Unavailable {
		t.Errorf("temporary folder: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// The events of a file do not depend on the order of its rows, on how they are
// quoted, or on whether the input can be read twice; identical rows are all there.
func TestOrderAndLayoutDoNotMatter(t *testing.T) {
	m := mapping(t, simple+",properties.x=x")
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOf(rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom([]string{"u", "v"}).Draw(t, "user") + ",k,2026-01-01T00:00:0" +
				rapid.SampledFrom([]string{"0Z", "1Z"}).Draw(t, "time") + "," + rapid.SampledFrom([]string{"", "1", "y"}).Draw(t, "x")
		})).Draw(t, "rows")
		one := read(Options{Mapping: m}, strings.NewReader("user,kind,time,x\n"+strings.Join(rows, "\n")+"\n"))
		shuffled := rapid.Permutation(rows).Draw(t, "shuffled")
		for i := range shuffled {
			if rapid.Bool().Draw(t, "quoted") {
				shuffled[i] = `"` + strings.ReplaceAll(shuffled[i], ",", `","`) + `"`
			}
		}
		text := "user,kind,time,x\n" + strings.Join(shuffled, "\r\n") + "\n"
		two := read(Options{Mapping: m}, io.MultiReader(strings.NewReader(text)))
		if one.err != nil || two.err != nil || !slices.Equal(one.ids(), two.ids()) {
			t.Fatalf("%v and %v (%v %v)", one.ids(), two.ids(), one.err, two.err)
		}
		if ids := slices.Compact(one.ids()); len(ids) != len(rows) {
			t.Fatalf("%d rows are %d events", len(rows), len(ids))
		}
	})
}

// Ordinals that went through the temporary file are those that memory gives.
func TestOrdinals(t *testing.T) {
	counted := &ordinals{dir: t.TempDir()}
	const rows = 700_000
	digestOf := func(row int) (d digest) {
		content := row % 5003
		if row%7 == 0 {
			content = row + 10_000
		}
		d[0], d[1], d[2], d[3] = byte(content), byte(content>>8), byte(content>>16), 1
		return d
	}
	for row := range rows {
		if err := counted.count(digestOf(row)); err != nil {
			t.Fatal(err)
		}
	}
	if err := counted.settle(); err != nil {
		t.Fatal(err)
	}
	if counted.file == nil {
		t.Fatal("nothing went through the file")
	}
	seen := map[digest]uint64{}
	for row := range rows {
		d := digestOf(row)
		seen[d]++
		if got, err := counted.next(d); err != nil || got != seen[d] {
			t.Fatalf("row %d: ordinal %d, %v; want %d", row, got, err, seen[d])
		}
	}
	name := counted.file.Name()
	counted.close()
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file stays: %v", err)
	}
}

func shared(t testing.TB, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the data folder ../shared/data is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestCDNOW(t *testing.T) {
	o := Options{
		Mapping:   mapping(t, "userId=customer_id,type=:purchase,occurredAt=date,value=dollar_value,properties.cds=number_of_cds"),
		Delimiter: Whitespace, TimeLayout: "20060102",
	}
	f := shared(t, "cdnow/CDNOW_master.txt")
	r := read(o, f)
	if r.err != nil || r.Rejected != 0 || r.Events != 69_659 {
		t.Fatalf("%+v %v %v", r.Summary, r.rejected, r.err)
	}
	users, messages, cents := map[string]bool{}, map[string]bool{}, int64(0)
	for _, e := range r.events {
		users[e.Identities[0].Value], messages[e.MessageID] = true, true
		cents += int64(*e.Value*100 + 0.5)
	}
	if len(users) != 23_570 || len(messages) != 69_659 {
		t.Errorf("%d users, %d message ids", len(users), len(messages))
	}
	first := r.events[0]
	if first.Identities[0].Value != "00001" || *first.Value != 11.77 || string(first.Properties) != `{"cds":1}` || first.OccurredAt != time.Date(1997, 1, 1, 0, 0, 0, 0, time.UTC) {
		t.Errorf("the first purchase is %+v", first)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if again := read(o, f); !slices.Equal(again.ids(), r.ids()) {
		t.Error("the same file again gives other events")
	}
}

func TestCompleteJourney(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	directory := channels{}
	r := read(Options{
		Directory: directory, TimeLayout: "2006-01-02 15:04:05", TimeZone: newYork, Outbound: []string{"campaign_start"},
		ChannelKinds: map[string]insight.ChannelKind{"store": insight.StoreChannel, "direct_mail Type A": insight.DirectMailChannel},
		Mapping:      mapping(t, "userId=individual,occurredAt=ts,channel=channel,type=event,properties.ref=ref,properties.detail=detail,value=value"),
	}, shared(t, "completejourney/events_unified.csv"))
	if r.err != nil || r.Rejected != 0 || r.Events != 83_691 {
		t.Fatalf("%+v %v %v", r.Summary, r.rejected, r.err)
	}
	users, messages, outbound, repeated := map[string]bool{}, map[string]bool{}, 0, 0
	for _, e := range r.events {
		users[e.Identities[0].Value], messages[e.MessageID] = true, true
		if e.Direction == insight.Outbound {
			outbound++
		}
		if !strings.HasSuffix(e.MessageID, "-1") || strings.Count(e.MessageID, "-") != 2 {
			repeated++
		}
	}
	if len(users) != 2_379 || len(messages) != 83_691 || outbound != 6_589 || repeated != 1_139 {
		t.Errorf("%d users, %d message ids, %d outbound, %d repeated rows", len(users), len(messages), outbound, repeated)
	}
	if len(directory) != 5 || directory["store"] != insight.StoreChannel || directory["coupon"] != "" || directory["direct_mail Type A"] != insight.DirectMailChannel {
		t.Errorf("channels %v", directory)
	}
	if first := r.events[0].OccurredAt; first != time.Date(2016, 11, 14, 5, 0, 0, 0, time.UTC) {
		t.Errorf("the first mailing is at %v", first)
	}
}
