package script

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
)

const two = `# a comment
load two things # and another
  2026-01-01 page web

  2026-01-02T10:30 purchase store value=12.50 category=garden
ask how many by=type
	page
expect
  1   page
ask nothing
expect
load nothing at all
ask how many
expect
  error none
`

func TestParse(t *testing.T) {
	questions, err := Parse("two.txt", two)
	if err != nil || len(questions) != 3 {
		t.Fatalf("%d questions, %v", len(questions), err)
	}
	first, second, third := questions[0], questions[1], questions[2]
	if first.Scene != "two things" || len(first.Load) != 2 || first.Load[1].At != "two.txt:5" {
		t.Errorf("the first scene is %+v", first)
	}
	if first.Ask.Option("by") != "type" || first.Ask.Option("how") != "" || len(first.Detail) != 1 || len(first.Expect) != 1 {
		t.Errorf("the first question is %+v", first)
	}
	if len(second.Load) != 2 || len(second.Detail) != 0 || len(second.Expect) != 0 {
		t.Errorf("the second question is %+v", second)
	}
	if third.Scene != "nothing at all" || len(third.Load) != 0 {
		t.Errorf("the third question is %+v", third)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, at := range map[string]string{
		"":                                  "x.txt",
		"load a\n  2026-01-01 page web\n":   "x.txt",
		"  lost\n":                          "x.txt:1",
		"ask a\n":                           "x.txt",
		"ask a\nask b\nexpect\n":            "x.txt:2",
		"ask a\nload b\nexpect\n":           "x.txt:2",
		"expect\n":                          "x.txt:1",
		"ask a\nexpect\n  1\nexpect\n  2\n": "x.txt:4",
		"ask a\nexpect\n  1\neval b\n":      "x.txt:4",
	} {
		if _, err := Parse("x.txt", text); err == nil || !strings.HasPrefix(err.Error(), at+": ") {
			t.Errorf("%q: %v, want a fault at %s", text, err, at)
		}
	}
}

func TestCheck(t *testing.T) {
	questions, err := Parse("two.txt", two)
	if err != nil {
		t.Fatal(err)
	}
	q := questions[0]
	if fault := q.check([]string{"1 page"}, nil); fault != "" {
		t.Errorf("the right answer: %s", fault)
	}
	if fault := questions[2].check(nil, errors.New("none")); fault != "" {
		t.Errorf("the right error: %s", fault)
	}
	for _, wrong := range [][]string{nil, {"2 page"}, {"1 page", "2 purchase"}} {
		if fault := q.check(wrong, nil); !strings.Contains(fault, "two.txt:") {
			t.Errorf("%q passes: %q", wrong, fault)
		}
	}
	if fault := q.check([]string{"1 page"}, errors.New("broken")); !strings.Contains(fault, "error broken") {
		t.Errorf("an error passes: %q", fault)
	}
}

func TestTimeline(t *testing.T) {
	questions, err := Parse("two.txt", two)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Timeline(questions[0].Load)
	if err != nil || len(all) != 2 || all[0].ID == all[1].ID {
		t.Fatalf("%v, %v", all, err)
	}
	x := all[1]
	if x.Type != "purchase" || x.Channel.Key != "store" || *x.Value != 12.5 || string(x.Properties) != `{"category":"garden"}` ||
		x.Direction != insight.Inbound || !x.OccurredAt.Equal(time.Date(2026, 1, 2, 10, 30, 0, 0, time.UTC)) {
		t.Errorf("%+v", x)
	}
	for _, bad := range []string{"2026-01-01 page", "yesterday page web", "2026-01-01 page web maybe", "2026-01-01 page web value=much"} {
		_, err := Timeline([]Line{{Words: strings.Fields(bad), At: "x.txt:7"}})
		if err == nil || !strings.HasPrefix(err.Error(), "x.txt:7: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	same, err := Timeline([]Line{{Words: strings.Fields("2026-01-01 mail email outbound id=a"), At: "1"}, {Words: strings.Fields("2026-01-01T01:00:00+01:00 mail email outbound id=a"), At: "2"}})
	if err != nil || same[0].ID != same[1].ID || same[0].Direction != insight.Outbound || !same[0].OccurredAt.Equal(same[1].OccurredAt) {
		t.Errorf("%+v, %v", same, err)
	}
}
