package uplift_test

import (
	"fmt"
	"strings"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/uplift"
)

func ExampleTally() {
	tally := uplift.NewTally(uplift.Options{Outcome: insight.Selector{Types: []string{"visit"}}, Window: 2 * insight.Week, AsOf: sent.Add(insight.Month)})
	came := insight.History{Timeline: insight.Timeline{{Type: "visit", Direction: insight.Inbound, OccurredAt: sent.Add(insight.Day)}}}
	for i := range 2_000 {
		a := uplift.Assignment{Holdout: i%2 == 0, At: sent}
		h := &insight.History{}
		if i < 360 && !a.Holdout || i < 200 { // 180 of those treated, 100 of those held out
			h = &came
		}
		tally.Add(h, a, nil)
	}
	g := tally.Report().Groups[0]
	fmt.Printf("%.3f - %.3f = %.3f, from %.3f to %.3f\n%s: %s\n", *g.TreatedRate, *g.HoldoutRate, *g.Uplift, *g.Low, *g.High, g.Verdict, strings.Split(g.Why, ";")[0])
	// Output:
	// 0.180 - 0.100 = 0.080, from 0.050 to 0.110
	// PERSUADABLE: what they are offered makes the outcome more frequent
}
