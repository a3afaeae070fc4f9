package simulate_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/acquaint/acquaint/internal/simulate"
)

func ExampleNew() {
	p, err := simulate.New(simulate.Options{Seed: 1, Individuals: 5000, To: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		fmt.Println(err)
		return
	}
	messages, outbound, journeys, purchases := 0, 0, 0, 0
	for x := range p.All() {
		for _, m := range x.Messages {
			messages++
			if m.Context.Direction == "outbound" {
				outbound++
			}
		}
		for _, j := range x.Journeys {
			journeys++
			if j.Converted {
				purchases++
			}
		}
	}
	fmt.Println(messages, "messages,", outbound, "outbound;", journeys, "journeys,", purchases, "converted")

	x := p.Individual(0)
	for _, j := range x.Journeys {
		fmt.Println(j.EndedAt.Format(time.DateOnly), strings.Join(j.Channels, ", "), j.Value, x.Currency)
	}
	fmt.Println("alive:", x.Alive)
	// Output:
	// 128485 messages, 37038 outbound; 22581 journeys, 8687 converted
	// 2025-05-08 affiliates, web 11.34 EUR
	// 2025-05-09 store 17.72 EUR
	// alive: false
}

func ExampleChain_Conversion() {
	chain := simulate.DefaultTruth().Chain
	everyone, err := chain.Conversion()
	if err != nil {
		fmt.Println(err)
		return
	}
	unanswering := chain.Without("email")
	silent, err := unanswering.Conversion()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4f %.4f\n", everyone, silent)
	// Output: 0.3833 0.3979
}
