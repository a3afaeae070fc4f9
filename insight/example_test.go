package insight_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

func ExampleSelector_Matches() {
	purchase := &insight.Interaction{
		Type: "purchase", Direction: insight.Inbound, OccurredAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Properties: json.RawMessage(`{"products": [{"sku": "A-1", "price": 19.90}]}`),
	}
	dear := insight.Selector{
		Types:      []string{"purchase"},
		Properties: []insight.PropertyCondition{{Path: "products.0.price", Op: insight.GTE, Value: json.RawMessage(`19.9`)}},
	}
	fmt.Println(dear.Matches(purchase))
	// Output: true
}

func ExampleSelector_Validate() {
	sel := insight.Selector{
		Types:      []string{""},
		Properties: []insight.PropertyCondition{{Path: "price", Op: insight.LT, Value: json.RawMessage(`true`)}},
	}
	fmt.Println(sel.Validate("where"))
	// Output:
	// where.types[0]: it is empty
	// where.properties[0].value: LT takes a number, an RFC 3339 time or a string
}

func ExampleFormatID() {
	fmt.Println(insight.FormatID(insight.IndividualPrefix, uuid.MustParse("0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10")))
	// Output: ind_01j2jy8kavfgx9p7hfdp57rqgg
}

func ExampleParseDuration() {
	timeout, err := insight.ParseDuration("PT30M")
	fmt.Println(timeout, err)
	// Output: 30m0s <nil>
}
