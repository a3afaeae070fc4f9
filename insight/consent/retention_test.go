package consent_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

func keeping(bit uint8, basis insight.LegalBasis, retention time.Duration, retroactive bool) *insight.Purpose {
	return &insight.Purpose{Bit: bit, LegalBasis: basis, Retention: retention, Retroactive: retroactive}
}

func TestKeeps(t *testing.T) {
	for _, test := range []struct {
		what string
		p    *insight.Purpose
		want bool
	}{
		{"a contract without a limit", keeping(0, insight.BasisContract, 0, false), true},
		{"a contract for a year", keeping(0, insight.BasisContract, insight.Year, false), false},
		{"a public task without a limit", keeping(0, insight.BasisPublicTask, 0, false), true},
		{"consent without a limit, which may be withdrawn", keeping(0, insight.BasisConsent, 0, false), false},
		{"an interest without a limit, which may be objected to", keeping(0, insight.BasisLegitimateInterest, 0, false), false},
	} {
		if got := consent.Keeps([]*insight.Purpose{keeping(1, insight.BasisConsent, insight.Day, false), test.p}); got != test.want {
			t.Errorf("%s: %v", test.what, got)
		}
	}
	if consent.Keeps(nil) {
		t.Error("without purposes")
	}
}

func TestKeptUntil(t *testing.T) {
	day, week, always, later := keeping(0, insight.BasisConsent, insight.Day, false), keeping(1, insight.BasisConsent, insight.Week, false),
		keeping(2, insight.BasisContract, 0, false), keeping(3, insight.BasisConsent, insight.Month, true)
	all := []*insight.Purpose{week, day, later, always}
	for _, test := range []struct {
		what      string
		now, then insight.Set
		want      time.Duration // -1: for ever
	}{
		{"nothing is permitted", 0, 0, 0},
		{"nothing was permitted", 0b0011, 0, 0},
		{"nothing is permitted any more", 0, 0b0111, 0},
		{"one", 0b0001, 0b0001, insight.Day},
		{"the last of two", 0b0011, 0b0011, insight.Week},
		{"one then, the other now", 0b0001, 0b0010, 0},
		{"for good", 0b0111, 0b0110, -1},
		{"retroactively", 0b1001, 0b0001, insight.Month},
		{"retroactively, but not any more", 0b0001, 0b1001, insight.Day},
	} {
		until, forever := consent.KeptUntil(all, test.now, test.then, seen)
		switch {
		case forever != (test.want < 0):
			t.Errorf("%s: for ever %v", test.what, forever)
		case !forever && !until.Equal(seen.Add(test.want)):
			t.Errorf("%s: until %v", test.what, until)
		case forever && !until.IsZero():
			t.Errorf("%s: for ever, until %v", test.what, until)
		}
	}
}

func TestNeeded(t *testing.T) {
	all := []*insight.Purpose{keeping(0, insight.BasisConsent, insight.Day, false), keeping(1, insight.BasisContract, 0, false)}
	for _, test := range []struct {
		what string
		now  insight.Set
		at   time.Duration // after they were last seen
		want bool
	}{
		{"nothing covers them", 0, 0, false},
		{"just before", 0b01, insight.Day - 1, true},
		{"at the very moment", 0b01, insight.Day, false},
		{"without a limit", 0b10, 100 * insight.Year, true},
		{"what covers them is not known any more", 0b100, 0, false},
	} {
		if got := consent.Needed(all, test.now, seen, seen.Add(test.at)); got != test.want {
			t.Errorf("%s: %v", test.what, got)
		}
	}
}

// A further purpose, or a wider permission, never shortens how long something is kept;
// and as long as the last thing that somebody did is kept, they are needed.
func TestRetentionLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []*insight.Purpose
		for bit := range rapid.IntRange(0, 5).Draw(t, "purposes") {
			all = append(all, keeping(uint8(bit), insight.BasisConsent, time.Duration(rapid.IntRange(0, 5).Draw(t, "days"))*insight.Day, rapid.Bool().Draw(t, "retroactive")))
		}
		set := rapid.Map(rapid.IntRange(0, 31), func(n int) insight.Set { return insight.Set(n) })
		now, then, more := set.Draw(t, "now"), set.Draw(t, "then"), set.Draw(t, "more")
		until, forever := consent.KeptUntil(all, now, then, seen)
		if !forever && until.Before(seen) {
			t.Fatalf("kept until %v, before it happened", until)
		}
		longer := func(what string, all []*insight.Purpose, now, then insight.Set) {
			if u, f := consent.KeptUntil(all, now, then, seen); forever && !f || !f && u.Before(until) {
				t.Fatalf("with %s it is kept until %v (%v), without until %v (%v)", what, u, f, until, forever)
			}
		}
		longer("more now", all, now|more, then)
		longer("more then", all, now, then|more)
		longer("another purpose", append(all[:len(all):len(all)], keeping(5, insight.BasisContract, insight.Day, true)), now|1<<5, then)

		at := seen.Add(time.Duration(rapid.IntRange(0, 6*24).Draw(t, "hours")) * time.Hour)
		if (forever || until.After(at)) && !consent.Needed(all, now, seen, at) {
			t.Fatalf("what they did at %v is kept until %v (%v), and they are not needed at %v", seen, until, forever, at)
		}
	})
}
