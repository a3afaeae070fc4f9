package consent_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/internal/script"
)

// seen is when the signals of these tests arrived.
var seen = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)

func TestClaims(t *testing.T) {
	script.Run(t, "testdata/signals/claims.txt", func(q script.Question) ([]string, error) {
		purposes, err := purposesOf(q.Load)
		if err != nil {
			return nil, err
		}
		s, err := consent.Read(jsonOf(q), q.Ask.Option("header") == "1")
		if err != nil && s == nil {
			return nil, err
		}
		claims := consent.Claims(s, purposes, seen, "web")
		if len(claims) == 0 {
			return []string{"nothing"}, err
		}
		lines := make([]string, len(claims))
		for i, c := range claims {
			if !c.EffectiveAt.Equal(seen) || c.Source != "web" || !c.ExpiresAt.IsZero() {
				return nil, fmt.Errorf("effective at %v, expires at %v, source %s", c.EffectiveAt, c.ExpiresAt, c.Source)
			}
			lines[i] = strings.Join([]string{c.Purpose.Key, consent.DecisionName(c.Decision), string(c.Method), c.Jurisdiction, c.PolicyVersion, string(c.Evidence)}, " ")
		}
		return lines, err
	})
}

// purposesOf reads the lines of a load block; without any, it is the purposes that
// every installation starts with.
func purposesOf(lines []script.Line) ([]*insight.Purpose, error) {
	var all []*insight.Purpose
	list := func(line script.Line, option string) []string {
		return slices.DeleteFunc(strings.Split(line.Option(option), ","), func(word string) bool { return word == "" })
	}
	for _, line := range lines {
		if len(line.Words) < 3 || line.Words[0] != "purpose" || !slices.Contains(insight.LegalBases, insight.LegalBasis(line.Words[2])) {
			return nil, fmt.Errorf("%s: a line is: purpose, its key, and its legal basis", line.At)
		}
		p := &insight.Purpose{
			Key: line.Words[1], LegalBasis: insight.LegalBasis(line.Words[2]),
			Categories: list(line, "categories"), ConsentMode: list(line, "mode"), GPP: list(line, "gpp"),
		}
		for _, word := range list(line, "tcf") {
			n, err := strconv.Atoi(word)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line.At, err)
			}
			p.TCF = append(p.TCF, n)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		for _, p := range insight.DefaultPurposes() {
			all = append(all, &p)
		}
	}
	return all, nil
}

// Whether a decision counts is a question of the basis at that moment.
func TestClaimsFollowTheBasisOfTheMoment(t *testing.T) {
	p := &insight.Purpose{Key: "analytics", LegalBasis: insight.BasisContract, TCF: []int{2}, Versions: []insight.PurposeVersion{
		{At: seen.Add(-time.Hour), LegalBasis: insight.BasisConsent},
		{At: seen, LegalBasis: insight.BasisLegitimateInterest},
		{At: seen.Add(time.Hour), LegalBasis: insight.BasisContract},
	}}
	s := &insight.Signals{TCF: &insight.TCFSignal{Text: "C"}}
	s.TCF.LegitimateInterest[2] = true
	for _, c := range []struct {
		at   time.Time
		want insight.ConsentDecision // zero: no claim
	}{
		{seen.Add(-time.Minute), insight.ConsentDenied},
		{seen, insight.ConsentGranted},
		{seen.Add(time.Hour), 0},
		{time.Time{}, 0}, // as it is recorded: by the terms of now
	} {
		claims := consent.Claims(s, []*insight.Purpose{p}, c.at, "web")
		switch {
		case c.want == 0 && len(claims) > 0, c.want != 0 && (len(claims) != 1 || claims[0].Decision != c.want || !claims[0].EffectiveAt.Equal(c.at)):
			t.Errorf("%v: %+v", c.at, claims)
		}
	}
}

// No signals and no numbers that TCF does not have do no harm.
func TestClaimsOfNothing(t *testing.T) {
	p := []*insight.Purpose{{Key: "advertising", LegalBasis: insight.BasisConsent, TCF: []int{-1, 0, 25, 1 << 40}}}
	for _, s := range []*insight.Signals{nil, {}, {Categories: map[string]bool{}}} {
		if claims := consent.Claims(s, p, seen, "web"); len(claims) > 0 {
			t.Errorf("%+v", claims)
		}
	}
	s := &insight.Signals{TCF: &insight.TCFSignal{}}
	for n := range s.TCF.Consent {
		s.TCF.Consent[n] = true
	}
	if claims := consent.Claims(s, p, seen, "web"); len(claims) != 1 || !claims[0].Decision.No() {
		t.Errorf("%+v", claims)
	}
}

var (
	signalNames = []string{"one", "Two", "three"}
	fieldNames  = []string{"SaleOptOut", "SharingOptOut", "TargetedAdvertisingOptOut", "Other"}
)

func drawnPurposes(t *rapid.T) []*insight.Purpose {
	some := func(of []string, label string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, 2, rapid.ID).Draw(t, label)
	}
	all := make([]*insight.Purpose, rapid.IntRange(1, 4).Draw(t, "purposes"))
	for i := range all {
		all[i] = &insight.Purpose{
			Key:        rapid.SampledFrom([]string{"a", "b", "sale", "advertising"}).Draw(t, "key"),
			LegalBasis: rapid.SampledFrom(insight.LegalBases).Draw(t, "basis"),
			Categories: some(signalNames, "categories"), ConsentMode: some(signalNames, "mode"), GPP: some(fieldNames, "gpp"),
			TCF: rapid.SliceOfN(rapid.IntRange(0, 5), 0, 2).Draw(t, "tcf"),
		}
	}
	return all
}

func drawnSignals(t *rapid.T) *insight.Signals {
	s := &insight.Signals{GPC: rapid.Bool().Draw(t, "gpc")}
	s.Categories = rapid.MapOf(rapid.SampledFrom(signalNames), rapid.Bool()).Draw(t, "categories")
	s.ConsentMode = rapid.MapOf(rapid.SampledFrom([]string{"one", "two", "THREE"}), rapid.Bool()).Draw(t, "mode")
	if rapid.Bool().Draw(t, "has TCF") {
		s.TCF = &insight.TCFSignal{Text: "C", PolicyVersion: 4}
		for n := 1; n <= 5; n++ {
			s.TCF.Consent[n] = rapid.Bool().Draw(t, "consent")
			s.TCF.LegitimateInterest[n] = rapid.Bool().Draw(t, "legitimate interest")
		}
	}
	if rapid.Bool().Draw(t, "has GPP") {
		s.GPP = &insight.GPPSignal{Text: "D", GPC: rapid.Bool().Draw(t, "its GPC")}
		s.GPP.Fields = rapid.MapOf(rapid.SampledFrom(fieldNames), rapid.IntRange(1, 2)).Draw(t, "fields")
	}
	return s
}

// more is what two events' signals say together: of what both speak of, the no.
func more(a, b *insight.Signals) *insight.Signals {
	sum := &insight.Signals{GPC: a.GPC || b.GPC, Categories: maps.Clone(a.Categories), ConsentMode: maps.Clone(a.ConsentMode), TCF: a.TCF, GPP: a.GPP}
	for name, yes := range b.Categories {
		before, known := a.Categories[name]
		sum.Categories[name] = yes && (before || !known)
	}
	for name, yes := range b.ConsentMode {
		before, known := a.ConsentMode[name]
		sum.ConsentMode[name] = yes && (before || !known)
	}
	if sum.TCF == nil {
		sum.TCF = b.TCF
	}
	switch {
	case sum.GPP == nil:
		sum.GPP = b.GPP
	case b.GPP != nil:
		both := insight.GPPSignal{Text: a.GPP.Text, Fields: maps.Clone(b.GPP.Fields), GPC: a.GPP.GPC || b.GPP.GPC}
		for name, value := range a.GPP.Fields {
			if other := both.Fields[name]; other == 0 || value < other {
				both.Fields[name] = value
			}
		}
		sum.GPP = &both
	}
	return sum
}

// A no never disappears when another signal is added. There is at most one claim for
// each purpose, in their order, with canonical evidence, and the same every time; and
// it is the strictest of what each signal says alone.
func TestClaimsLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		purposes, some, other := drawnPurposes(t), drawnSignals(t), drawnSignals(t)
		before, after := consent.Claims(some, purposes, seen, "web"), consent.Claims(more(some, other), purposes, seen, "web")
		for _, c := range before {
			if c.Decision.No() && !slices.ContainsFunc(after, func(d insight.Claim) bool { return d.Purpose == c.Purpose && d.Decision.No() }) {
				t.Fatalf("the no to %s by %s is gone: %+v", c.Purpose.Key, c.Method, after)
			}
		}
		next := 0
		for _, c := range before {
			at := slices.Index(purposes[next:], c.Purpose)
			if at < 0 {
				t.Fatalf("%s is in disorder, or there twice", c.Purpose.Key)
			}
			next += at + 1
			if !c.Purpose.LegalBasis.Choice() {
				t.Fatalf("a claim on the basis %s", c.Purpose.LegalBasis)
			}
			if canonical, err := consent.Canonical(c.Evidence); err != nil || !bytes.Equal(canonical, c.Evidence) {
				t.Fatalf("evidence %s: %v", c.Evidence, err)
			}
		}
		if diff := cmp.Diff(before, consent.Claims(some, purposes, seen, "web")); diff != "" {
			t.Fatal(diff)
		}
		alone := []*insight.Signals{{Categories: some.Categories}, {ConsentMode: some.ConsentMode}, {TCF: some.TCF}, {GPP: some.GPP}, {GPC: some.GPC}}
		for _, p := range purposes {
			var want *insight.Claim
			for _, s := range alone {
				for _, c := range consent.Claims(s, []*insight.Purpose{p}, seen, "web") {
					if want == nil || c.Decision.No() && !want.Decision.No() {
						want = &c
					}
				}
			}
			got := slices.DeleteFunc(slices.Clone(before), func(c insight.Claim) bool { return c.Purpose != p })
			if want == nil && len(got) > 0 || want != nil && (len(got) != 1 || !cmp.Equal(got[0], *want)) {
				t.Fatalf("%s: got %+v, want %+v", p.Key, got, want)
			}
		}
	})
}
