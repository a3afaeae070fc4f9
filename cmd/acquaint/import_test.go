package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/bulk"
)

const shared = "../../../shared/data"

// raced says that the race detector is on, under which SQLite, which is Go, takes
// minutes for these files. make test runs this test without it too.
var raced bool

// Real files have as many people and events as their makers say, and importing
// them twice changes nothing.
func TestImportOfRealFiles(t *testing.T) {
	cases := []struct {
		name, file                     string
		args                           []string
		individuals, rows, outbound, c int
	}{
		{"cdnow", "cdnow/CDNOW_master.txt", []string{
			"--source", "cdnow", "--delimiter", "whitespace", "--time-layout", "20060102", "--time-zone", "America/New_York",
			"--map", "userId=customer_id,type=:purchase,occurredAt=date,value=dollar_value,currency=:USD,properties.cds=number_of_cds",
		}, 23_570, 69_659, 0, 1},
		{"completejourney", "completejourney/events_unified.csv", []string{
			"--source", "completejourney", "--default-channel", "store",
			"--time-layout", "2006-01-02 15:04:05", "--time-zone", "America/New_York", "--outbound", "campaign_start",
			"--map", "userId=individual,type=event,occurredAt=ts,channel=channel,value=value,currency=:USD,properties.ref=ref,properties.detail=detail",
			"--channel-kind", "direct_mail Type A=DIRECT_MAIL,direct_mail Type B=DIRECT_MAIL,direct_mail Type C=DIRECT_MAIL", "--channel-kind", "coupon=STORE",
		}, 2_379, 83_691, 6_589, 5},
	}
	for _, c := range cases {
		file := filepath.Join(shared, c.file)
		t.Run(c.name, func(t *testing.T) {
			if _, err := os.Stat(file); err != nil {
				t.Skipf("the file is not here, so that nothing real is imported: %v", err)
			}
			file, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			onEach(t, func(w *world) {
				if raced && w.url == "" {
					return
				}
				w.Chdir(w.TempDir())
				args := append([]string{"import", file}, c.args...)
				for i, want := range []string{
					fmt.Sprintf("%s rows: %s accepted, 0 duplicates, 0 rejected", count(int64(c.rows)), count(int64(c.rows))),
					fmt.Sprintf("%s rows: 0 accepted, %s duplicates, 0 rejected", count(int64(c.rows)), count(int64(c.rows))),
				} {
					if out := w.must(args...); !strings.HasPrefix(out, want) {
						w.Errorf("run %d says %q, want %q", i+1, out, want)
					}
					for table, want := range map[string]int{
						"individuals": c.individuals, "interactions": c.rows,
						"interactions WHERE direction = 2":                    c.outbound,
						"(SELECT DISTINCT channel_id FROM interactions) AS c": c.c,
					} {
						if got := w.rows(table); got != want {
							w.Errorf("run %d: %d %s, want %d", i+1, got, table, want)
						}
					}
				}
				if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
					w.Errorf("the working directory holds %v, %v", left, err)
				}
			})
		})
	}
}

// write puts a file into a new working directory.
func (w *world) write(name, text string) {
	w.Helper()
	w.Chdir(w.TempDir())
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

const mapping = "userId=who,type=:purchase,occurredAt=at,value=sum,channel=where"

func TestImportKeepsGoodRowsAndTellsOfOthers(t *testing.T) {
	w := newWorld(t)
	file := "\uFEFFwho,at,sum,where\n" +
		"ada,2026-03-01T10:00:00Z,10.50,kiosk\n" +
		"ada,2026-03-01T11:00:00Z,a lot,kiosk\n" +
		"ada,2026-03-01T12:00:00Z,1,kiosk,surplus\n" +
		"ben,2026-03-01T10:00:00Z,2,\n"
	for range 12 {
		file += ",2026-03-01T10:00:00Z,2,\n"
	}
	w.write("sales.csv", file)
	args := []string{"import", "sales.csv", "--map", mapping, "--source", "shop", "--default-channel", "store", "--channel-kind", "kiosk=store"}
	r := w.run(args...)
	if r.status != statusFailed || !strings.HasPrefix(r.out, "16 rows: 2 accepted, 0 duplicates, 14 rejected") {
		t.Errorf("status %d, %q", r.status, r.out)
	}
	for _, line := range []string{
		"line 3, value: expected a decimal number", "line 4: the row has 5 fields, where 4 are expected", "line 6, userId: the row names nobody",
		"line 13, userId", "more rows are refused; they are not shown", "made the source shop; its write key, which is shown once: ", "are in sales.csv.rejects",
	} {
		if !strings.Contains(r.errors, line) {
			t.Errorf("%q is not told: %s", line, r.errors)
		}
	}
	if strings.Contains(r.errors, "line 14") || strings.Contains(r.errors, "a lot") {
		t.Errorf("more than ten rows or a value are told: %s", r.errors)
	}
	rejected, err := os.ReadFile("sales.csv.rejects")
	if err != nil || strings.Count(string(rejected), "\n") != 15 || !strings.HasPrefix(string(rejected), "who,at,sum,where\nada,2026-03-01T11:00:00Z,a lot,kiosk\nada,") {
		t.Errorf("the reject file is %q, %v", rejected, err)
	}
	if n := w.rows("channels WHERE key = 'kiosk' AND kind = 'STORE'"); n != 1 {
		t.Error("the channel has not the kind that was named")
	}
	if n := w.rows("interactions JOIN channels ON channels.id = channel_id WHERE channels.key = 'store'"); n != 1 {
		t.Error("the row without a channel is not on the source's")
	}

	// The reject file, mended, is a file to import.
	mended := strings.NewReplacer("a lot", "99", ",surplus", "", "\n,", "\nada,").Replace(string(rejected))
	if err := os.WriteFile("mended.csv", []byte(mended), 0o600); err != nil {
		t.Fatal(err)
	}
	args[1] = "mended.csv"
	if out := w.must(args...); !strings.HasPrefix(out, "14 rows: 14 accepted, 0 duplicates, 0 rejected") {
		t.Errorf("mended, it says %q", out)
	}
	if _, err := os.Stat("mended.csv.rejects"); err == nil {
		t.Error("a reject file was made for nothing")
	}
	w.must("verify")
}

func TestImportsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.write("sales.csv", "who,at,sum,where\nada,2026-03-01T10:00:00Z,10.50,kiosk\n")
	if err := os.WriteFile("utf16.csv", []byte("\xFF\xFEw\x00h\x00o\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.must("import", "sales.csv", "--map", mapping)
	cases := map[string]struct {
		args []string
		told string
	}{
		"no such file":            {[]string{"import", "nothing.csv", "--map", mapping}, "acquaint: nothing.csv: no such file or directory"},
		"a directory":             {[]string{"import", ".", "--map", mapping}, "acquaint: .: it is a directory"},
		"UTF-16":                  {[]string{"import", "utf16.csv", "--map", mapping}, "acquaint: line 1: it is not UTF-8 but UTF-16"},
		"a column that is not":    {[]string{"import", "sales.csv", "--map", "userId=whom,type=:purchase,occurredAt=at"}, `acquaint: --map: no column is called "whom"`},
		"a source's other door":   {[]string{"import", "sales.csv", "--map", mapping, "--default-channel", "store"}, "acquaint: default-channel: the source exists, with another default channel"},
		"a source without a name": {[]string{"import", "sales.csv", "--map", mapping, "--source", " "}, "acquaint: name: "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := w.run(c.args...)
			if r.status == statusDone || r.out != "" || !strings.HasPrefix(r.errors, c.told) || strings.Count(r.errors, "\n") != 1 {
				t.Errorf("status %d, %q, %q", r.status, r.out, r.errors)
			}
		})
	}
	t.Run("nowhere to put refused rows", func(t *testing.T) {
		r := w.runWith(t.Context(), strings.NewReader("who,at,sum,where\nada,2026-03-01T10:00:00Z,much,kiosk\n"), "import", "-", "--map", mapping, "--reject", filepath.Join("no", "folder"))
		if r.status != statusFailed || !strings.Contains(r.errors, "no such file or directory") {
			t.Errorf("status %d, %q", r.status, r.errors)
		}
	})
}

// endless is a file of rows that calls stop after some.
type endless struct {
	row, stopAfter int
	stop           func()
}

func (e *endless) Read(b []byte) (int, error) {
	if e.row == e.stopAfter {
		e.stop()
	}
	if e.row == 3*e.stopAfter {
		return 0, io.EOF
	}
	line := "id,who,at\n"
	if e.row > 0 {
		line = fmt.Sprintf("m-%d,u-%d,2026-03-01T10:00:00Z\n", e.row, e.row%100)
	}
	e.row++
	return copy(b, line), nil
}

func TestImportThatIsStoppedSaysWhatIsKept(t *testing.T) {
	w := newWorld(t)
	w.Chdir(t.TempDir())
	ctx, stop := contextOf(t)
	rows := bulk.BatchSize * 5 / 4
	r := w.runWith(ctx, &endless{stopAfter: rows, stop: stop}, "import", "-", "--map", "messageId=id,userId=who,type=:x,occurredAt=at")
	before, after, found := strings.Cut(r.errors, "stopped; ")
	kept, _, _ := strings.Cut(after, " ")
	n, err := strconv.Atoi(strings.ReplaceAll(kept, ",", ""))
	if r.status != statusFailed || r.out != "" || !found || err != nil {
		t.Fatalf("status %d, %q, %q%q, %v", r.status, r.out, before, after, err)
	}
	if in := w.rows("interactions"); in != n || n%bulk.BatchSize != 0 {
		t.Errorf("it says that %d events are kept, and %d are", n, in)
	}
	w.must("verify")
}

// fates keeps events as it is told to: one status after the other.
type fates []insight.Status

func (f *fates) Append(_ context.Context, events []*insight.Event) ([]insight.Outcome, error) {
	outcomes := make([]insight.Outcome, len(events))
	for i := range outcomes {
		outcomes[i].Status = (*f)[i]
	}
	*f = (*f)[len(events):]
	return outcomes, nil
}

func TestRowsThatAreWithheldAreShown(t *testing.T) {
	const kept, withheld = insight.StatusAccepted, insight.StatusWithheld
	keeper := &rowKeeper{Keeper: &fates{kept, withheld, withheld, kept, withheld}}
	lines := []int{2, 3, 5, 9, 12}
	tally, err := bulk.Keep(t.Context(), keeper, 2, func(_ context.Context, yield func(*insight.Event) error) error {
		for _, line := range lines {
			keeper.expect(line)
			if err := yield(&insight.Event{}); err != nil {
				return err
			}
		}
		return nil
	}, nil)
	if err != nil || tally.Withheld != 3 || !slices.Equal(keeper.withheld, []int{3, 5, 12}) || len(keeper.expected) != 0 {
		t.Errorf("%+v, %v: lines %v are withheld, and %v expected", tally, err, keeper.withheld, keeper.expected)
	}
	for all, want := range map[int64]int{3: 3, 11: 4} {
		var told strings.Builder
		keeper.tell(&process{stderr: &told}, all)
		if strings.Count(told.String(), "\n") != want || !strings.HasPrefix(told.String(), "line 3: withheld, because") {
			t.Errorf("of %d withheld it tells %q", all, told.String())
		}
	}
}

// What a message says of consent that cannot be read does not cost the row, and what
// the person's choice forbids keeping does not fail the import.
func TestImportTellsOfConsent(t *testing.T) {
	w := newWorld(t)
	line := func(id, consent string) string {
		return `{"type":"page","userId":"u-` + id + `","messageId":"` + id + `","timestamp":"2026-03-01T10:00:00Z","context":{"consent":` + consent + `}}` + "\n"
	}
	text := line("granted", `{"analytics_storage":"granted"}`) + line("denied", `{"analytics_storage":"denied"}`) + line("none", `null`)
	for n := range 12 {
		text += line(fmt.Sprint("bad-", n), `{"tcString":"SECRET"}`)
	}
	w.write("events.ndjson", text)
	r := w.run("import", "events.ndjson")
	if r.status != statusDone || !strings.HasPrefix(r.out, "15 rows: 14 accepted, 0 duplicates, 1 withheld, 0 rejected, in ") || !strings.HasSuffix(r.out, "; 12 with consent that cannot be read\n") {
		t.Errorf("status %d, %q", r.status, r.out)
	}
	for _, told := range []string{
		"line 2: withheld, because the person's choice forbids keeping it\n",
		"line 4, context.consent.tcString: it is not a TCF v2 string that can be read; the row is taken without it\n",
		"line 13, context.consent", "the consent of more rows cannot be read; they are not shown\n",
	} {
		if !strings.Contains(r.errors, told) {
			t.Errorf("%q is not told: %s", told, r.errors)
		}
	}
	if strings.Contains(r.errors, "line 14") || strings.Contains(r.errors, "SECRET") || strings.Contains(r.errors, "refused") {
		t.Errorf("more than ten rows or a value are told: %s", r.errors)
	}
	if n := w.rows("interactions"); n != 14 {
		t.Errorf("%d interactions are kept", n)
	}
}
