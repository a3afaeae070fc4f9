package simulate_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/simulate"
)

var end = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func population(t testing.TB, o simulate.Options) *simulate.Population {
	t.Helper()
	if o.To.IsZero() {
		o.To = end
	}
	p, err := simulate.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestIndividualDependsOnNothingElse(t *testing.T) {
	few := population(t, simulate.Options{Seed: 7, Individuals: 40})
	many := population(t, simulate.Options{Seed: 7, Individuals: 4000})
	inOrder := slices.Collect(few.All())
	if len(inOrder) != 40 {
		t.Fatalf("All yields %d individuals of 40", len(inOrder))
	}
	backwards := make([]simulate.Individual, 40)
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := 39 - worker; i >= 0; i -= 4 {
				backwards[i] = many.Individual(i)
			}
		})
	}
	wait.Wait()
	if diff := cmp.Diff(inOrder, backwards); diff != "" {
		t.Errorf("an individual changes with the population's size or the order of making (-in order +backwards):\n%s", diff)
	}
	other := population(t, simulate.Options{Seed: 8, Individuals: 40})
	for i := range 40 {
		if cmp.Equal(inOrder[i].Messages, other.Individual(i).Messages) {
			t.Errorf("individual %d is the same for two seeds", i)
		}
		if i > 0 && inOrder[i].StrayDevice != "" && inOrder[i].StrayDevice == inOrder[i-1].StrayDevice {
			t.Errorf("individuals %d and %d draw the same numbers", i-1, i)
		}
	}
	if id := many.Individual(0).UserID; id != "user-00001" {
		t.Errorf("the first is called %q", id)
	}
	if id := population(t, simulate.Options{Individuals: 100_000}).Individual(99_999).UserID; id != "user-100000" {
		t.Errorf("the 100,000th is called %q", id)
	}
}

func TestIndividualOutside(t *testing.T) {
	p := population(t, simulate.Options{Individuals: 3})
	for _, i := range []int{-1, 3} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("individual %d of 3 is made", i)
				}
			}()
			p.Individual(i)
		}()
	}
}

func TestBatches(t *testing.T) {
	p := population(t, simulate.Options{Seed: 3, Individuals: 1100})
	want := map[string]simulate.Message{}
	for x := range p.All() {
		for _, m := range x.Messages {
			want[m.MessageID] = m
		}
	}
	var batches [][]simulate.Message
	for batch := range p.Batches(100, 500) {
		batches = append(batches, batch)
	}
	backward, people := 0, 0
	previous := time.Time{}
	for k, batch := range batches {
		if len(batch) != 100 && (k != len(batches)-1 || len(batch) == 0) {
			t.Fatalf("batch %d of %d has %d messages", k, len(batches), len(batch))
		}
		seen := map[string]bool{}
		for _, m := range batch {
			if diff := cmp.Diff(want[m.MessageID], m); diff != "" {
				t.Fatalf("a batch holds another message than the individual, or holds it twice:\n%s", diff)
			}
			delete(want, m.MessageID)
			if m.Timestamp.Before(previous) {
				backward++
			}
			previous = m.Timestamp
			seen[m.UserID+m.AnonymousID] = true
		}
		people += len(seen)
	}
	if len(want) != 0 {
		t.Errorf("%d messages are in no batch", len(want))
	}
	// Three groups of 500, 500 and 100: time goes back twice.
	if backward != 2 {
		t.Errorf("time goes back %d times", backward)
	}
	if mean := float64(people) / float64(len(batches)); mean < 40 {
		t.Errorf("a batch of 100 comes from %.1f people on average, want many", mean)
	}
	for range p.Batches(1, math.MaxInt) {
		break
	}
	for range population(t, simulate.Options{}).Batches(10, 10) {
		t.Error("nobody says something")
	}
}

func TestSpan(t *testing.T) {
	from, to := population(t, simulate.Options{To: end.Add(1500 * time.Nanosecond).In(time.FixedZone("", 3600))}).Span()
	if want := end.Add(time.Microsecond); to != want || from != want.Add(-365*24*time.Hour) {
		t.Errorf("the span is %v to %v", from, to)
	}
}

func TestNewRefuses(t *testing.T) {
	truth := func(change func(*simulate.Truth)) *simulate.Truth {
		t := simulate.DefaultTruth()
		change(&t)
		return &t
	}
	ok := simulate.Options{Individuals: 1, To: end}
	for name, o := range map[string]simulate.Options{
		"a negative size":       {Individuals: -1, To: end},
		"no end":                {Individuals: 1},
		"an end before a start": {Individuals: 1, From: end.Add(time.Hour), To: end},
		"six days":              {Individuals: 1, From: end.Add(-6 * insight.Day), To: end},
		"two hundred years":     {Individuals: 1, From: end.Add(-200 * insight.Year), To: end},
		"the year 9999":         {Individuals: 1, To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
		"the year 0":            {Individuals: 1, From: time.Date(0, 12, 1, 0, 0, 0, 0, time.UTC), To: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)},
		"a start over 1":        {Truth: truth(func(t *simulate.Truth) { t.Chain.Start[0] += .1 })},
		"a row under 1":         {Truth: truth(func(t *simulate.Truth) { t.Chain.Quiet[3] -= .1 })},
		"a negative entry":      {Truth: truth(func(t *simulate.Truth) { t.Chain.Convert[7] += .5; t.Chain.Quiet[7] -= .5 })},
		"a step to itself":      {Truth: truth(func(t *simulate.Truth) { t.Chain.Next[1][1], t.Chain.Quiet[1] = .1, t.Chain.Quiet[1]-.1 })},
		"a start on web": {Truth: truth(func(t *simulate.Truth) {
			t.Chain.Start[7], t.Chain.Start[0] = t.Chain.Start[0], 0
		})},
		"web after the store":   {Truth: truth(func(t *simulate.Truth) { t.Chain.Next[9][7], t.Chain.Quiet[9] = .1, t.Chain.Quiet[9]-.1 })},
		"a purchase by display": {Truth: truth(func(t *simulate.Truth) { t.Chain.Convert[4], t.Chain.Quiet[4] = .1, t.Chain.Quiet[4]-.1 })},
		"an unknown channel":    {Truth: truth(func(t *simulate.Truth) { t.Chain.Channels[0] = "smoke" })},
		"a channel twice":       {Truth: truth(func(t *simulate.Truth) { t.Chain.Channels[0] = "direct" })},
		"a row missing":         {Truth: truth(func(t *simulate.Truth) { t.Chain.Next = t.Chain.Next[1:] })},
		"a short row":           {Truth: truth(func(t *simulate.Truth) { t.Chain.Next[2] = t.Chain.Next[2][1:] })},
		"no chain":              {Truth: truth(func(t *simulate.Truth) { t.Chain = simulate.Chain{} })},
		"a share over 1":        {Truth: truth(func(t *simulate.Truth) { t.Unresponsive = 1.1 })},
		"a response over 1":     {Truth: truth(func(t *simulate.Truth) { t.Response = 1.1 })},
		"a share that is none":  {Truth: truth(func(t *simulate.Truth) { t.Strays = math.NaN() })},
		"a consent over 1":      {Truth: truth(func(t *simulate.Truth) { t.Consents[0].Granted = 2 })},
		"a shape of zero":       {Truth: truth(func(t *simulate.Truth) { t.Purchases.R = 0 })},
		"an infinite shape":     {Truth: truth(func(t *simulate.Truth) { t.Spend.V = math.Inf(1) })},
		"a quiet of an hour":    {Truth: truth(func(t *simulate.Truth) { t.Quiet = time.Hour })},
		"a negative period":     {Truth: truth(func(t *simulate.Truth) { t.Push = -1 })},
		"prospects only":        {Truth: truth(func(t *simulate.Truth) { t.Prospects = 1 })},
		"prospects who do less": {Truth: truth(func(t *simulate.Truth) { t.ProspectJourneys = .5 })},
		"prospects who do much": {Truth: truth(func(t *simulate.Truth) { t.ProspectJourneys = 20 })},
		"mail and nothing else": {Truth: truth(func(t *simulate.Truth) { clear(t.Chain.Start); t.Chain.Start[3] = 1 })},
		"nobody who ever buys": {Truth: truth(func(t *simulate.Truth) {
			for i, p := range t.Chain.Convert {
				t.Chain.Convert[i], t.Chain.Quiet[i] = 0, t.Chain.Quiet[i]+p
			}
		})},
	} {
		if o.Truth != nil {
			o.Individuals, o.To = ok.Individuals, ok.To
		}
		if _, err := simulate.New(o); insight.KindOf(err) != insight.Invalid || err == nil {
			t.Errorf("%s: the error is %v, want one that is Invalid", name, err)
		}
	}
	if _, err := simulate.New(ok); err != nil {
		t.Errorf("the default is refused: %v", err)
	}
}
