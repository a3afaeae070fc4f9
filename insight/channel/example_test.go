package channel_test

import (
	"fmt"

	"github.com/acquaint/acquaint/insight/channel"
)

func ExampleKey() {
	fmt.Println(channel.Key(channel.Visit{URL: "https://shop.example/?utm_source=google&utm_medium=cpc", Referrer: "https://www.google.com/"}))
	fmt.Println(channel.Key(channel.Visit{URL: "https://shop.example/", Referrer: "https://l.instagram.com/"}))
	fmt.Println(channel.Key(channel.Visit{URL: "https://shop.example/"}))
	fmt.Println(channel.Key(channel.Visit{URL: "https://shop.example/garden", Referrer: "https://shop.example/"}))
	// Output:
	// paid_search true
	// organic_social true
	// direct true
	//  false
}

func ExampleDefault() {
	c, _ := channel.Default("organic_search")
	fmt.Println(c.Name, c.Kind)
	// Output: Organic Search SEARCH
}
