package smallgroup_test

import (
	"fmt"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/smallgroup"
)

func ExampleFloor_Partition() {
	analyst := &insight.Viewer{Scopes: []insight.Scope{insight.ScopeInsightsRead}}
	floor := smallgroup.For(analyst, &insight.Purpose{Floor: 10})

	relationships := []string{"new", "active", "cooling", "lapsed"}
	population, counts := floor.Partition([]int{3, 812, 47, 141})
	for i, name := range relationships {
		fmt.Print(name, " ", counts[i])
		if share := smallgroup.Rate(counts[i], population); share != nil {
			fmt.Print(", share ", *share)
		}
		fmt.Println()
	}
	fmt.Println("population", population)
	// Output:
	// new suppressed
	// active 810, share 0.81
	// cooling suppressed
	// lapsed 140, share 0.14
	// population 1000
}

func ExampleFloor_Value() {
	floor := smallgroup.Floor(10)
	group := floor.Number(19)
	value := floor.Value(group, smallgroup.Worth{Individuals: 19, Sum: 1234.56, Largest: 150})
	fmt.Println(group, *value)
	// Output: 10 600
}
