package lifetime_test

import (
	"fmt"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/lifetime"
)

func ExampleFit() {
	fit := lifetime.Fit{
		Model:      lifetime.BGNBD,
		Parameters: []lifetime.Parameter{{Name: "r", Value: 0.2426}, {Name: "alpha", Value: 4.4136}, {Name: "a", Value: 0.7929}, {Name: "b", Value: 2.4259}},
		Spend:      []lifetime.Parameter{{Name: "p", Value: 6.25}, {Name: "q", Value: 3.74}, {Name: "v", Value: 15.44}},
	}
	// Two repeat purchases of 20 in the mean, the last one 30 weeks after the first, which is 39 weeks ago.
	s := lifetime.Summary{Frequency: 2, Recency: 30, Age: 39, Spends: 2, MeanSpend: 20}
	spend, _ := fit.MeanSpend(s)
	fmt.Printf("still a customer: %.3f\n", fit.Alive(s))
	fmt.Printf("a year from now: %.2f more purchases of %.2f\n", fit.Expected(s, 52*insight.Week), spend)
	// Output:
	// still a customer: 0.720
	// a year from now: 1.54 more purchases of 22.74
}
