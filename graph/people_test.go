package graph_test

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/store"
)

// people makes the world of the golden files. It is 10 April 2026, noon.
//
//	ada    came by search without a name, by a letter with one, bought four times (the last
//	       two weeks ago, a week between the purchases before), once in the store
//	bob    and carol share a tablet, on which somebody also looked around without a name
//	dan    has two accounts, dan and dan-shop
//	eve    was written to twice and never answered
//	visitor is known by a browser alone
func (a *api) people() {
	a.t.Helper()
	for _, s := range []store.NewSource{
		{Name: "shop", DefaultChannel: "web", WriteKey: "shop-key"},
		{Name: "till", DefaultChannel: "store", SessionTimeout: time.Hour, WriteKey: "till-key"},
	} {
		if _, _, err := a.store.CreateSource(context.Background(), s); err != nil {
			a.t.Fatal(err)
		}
	}
	type x = map[string]any
	winter := x{"name": "winter", "source": "newsletter", "medium": "email", "content": "top"}
	a.tell("shop",
		x{"messageId": "a-1", "anonymousId": "ada-laptop", "type": "page", "channel": "organic_search", "occurredAt": "2026-03-01T09:00:00Z", "properties": x{"path": "/"}},
		x{"messageId": "a-2", "anonymousId": "ada-laptop", "type": "page", "channel": "web", "occurredAt": "2026-03-01T09:05:00Z", "properties": x{"path": "/coats", "scroll": 2}},
		x{"messageId": "a-3", "anonymousId": "ada-laptop", "type": "Product Viewed", "channel": "web", "occurredAt": "2026-03-01T09:35:00Z", "properties": x{"rrp": 129.90, "sku": "coat-7", "tags": []string{"warm", "red"}}},
		x{"messageId": "a-4", "userId": "ada", "type": "Email Sent", "channel": "email", "direction": "OUTBOUND", "occurredAt": "2026-03-02T08:00:00Z", "campaign": winter},
		x{"messageId": "a-5", "anonymousId": "ada-laptop", "userId": "ada", "type": "page", "channel": "email", "occurredAt": "2026-03-03T18:00:00Z", "campaign": winter, "properties": x{"path": "/coats"}},
		x{"messageId": "a-6", "anonymousId": "ada-laptop", "userId": "ada", "type": "purchase", "channel": "email", "occurredAt": "2026-03-03T18:10:00Z", "value": 129.90, "currency": "EUR",
			"properties": x{"products": []x{{"sku": "coat-7", "units": 1}}, "coupon": nil, "ships_at": "2026-03-05T00:00:00Z"}},
		x{"messageId": "a-8", "userId": "ada", "type": "purchase", "channel": "direct", "occurredAt": "2026-03-20T18:10:00Z", "value": 20, "currency": "eur", "properties": x{"products": []x{{"sku": "hat-1", "units": 2}}}},
		x{"messageId": "a-9", "userId": "ada", "type": "purchase", "channel": "direct", "occurredAt": "2026-03-27T18:10:00Z", "value": 15.5, "currency": "EUR", "properties": x{"products": []x{{"sku": "scarf-2", "units": 10}}}},

		x{"messageId": "b-1", "userId": "bob", "anonymousId": "tablet", "type": "page", "occurredAt": "2026-03-10T10:00:00Z"},
		x{"messageId": "b-2", "userId": "bob", "anonymousId": "tablet", "type": "purchase", "occurredAt": "2026-03-10T10:20:00Z", "value": 5, "currency": "EUR"},
		x{"messageId": "c-1", "userId": "carol", "anonymousId": "tablet", "type": "page", "occurredAt": "2026-03-11T10:00:00Z"},
		x{"messageId": "t-1", "anonymousId": "tablet", "type": "page", "occurredAt": "2026-03-12T10:00:00Z"},
		x{"messageId": "d-1", "userId": "dan", "type": "page", "occurredAt": "2026-03-14T10:00:00Z"},
		x{"messageId": "d-2", "userId": "dan-shop", "type": "purchase", "occurredAt": "2026-03-15T10:00:00Z", "value": 7, "currency": "USD"},
		x{"messageId": "e-1", "userId": "eve", "type": "Email Sent", "channel": "email", "direction": "OUTBOUND", "occurredAt": "2026-03-16T08:00:00Z"},
		x{"messageId": "e-2", "userId": "eve", "type": "Email Sent", "channel": "email", "direction": "OUTBOUND", "occurredAt": "2026-03-17T08:00:00Z"},
		x{"messageId": "v-1", "anonymousId": "visitor", "type": "page", "channel": "referral", "occurredAt": "2026-03-18T10:00:00Z"},
	)
	a.tell("till", x{"messageId": "a-7", "userId": "ada", "type": "purchase", "occurredAt": "2026-03-13T18:10:00Z", "value": 59, "currency": "EUR", "properties": x{"clerk": "7"}})
	a.state(x{"userId": "ada", "anonymousId": "ada-laptop", "occurredAt": "2026-03-03T18:05:00Z", "messageId": "s-1", "source": "shop",
		"traits": x{"firstName": "Ada", "email": " Ada@Example.com ", "plan": "gold", "religion": "none of yours", "visits": 7}})
	a.state(x{"userId": "ada", "occurredAt": "2026-03-04T00:00:00Z", "messageId": "s-2", "traits": x{"plan": "silver", "favouriteColour": "green"}, "provenance": "INFERRED", "confidence": 0.6})
	a.state(x{"userId": "bob", "occurredAt": "2026-03-09T00:00:00Z", "messageId": "s-3", "traits": x{"plan": "basic", "phone": "+44 20 7946 0958"}, "provenance": "OBSERVED", "confidence": 0.9})
}

// Of properties the engines keep other orders: on SQLite they are sorted by name, on
// PostgreSQL by length and name. The names above are such that both are one.

// tell keeps interactions that a source tells of, all of them or none.
func (a *api) tell(source string, interactions ...map[string]any) {
	a.t.Helper()
	answer := a.must(`mutation($s: String, $i: [InteractionInput!]!) { recordInteractions(input: {source: $s, interactions: $i}) { accepted duplicates rejected { message } } }`,
		map[string]any{"s": source, "i": interactions})
	if len(dig(a.t, answer, "recordInteractions.rejected").([]any)) > 0 { //nolint:forcetypeassert // a list
		a.t.Fatal(answer)
	}
}

func (a *api) state(statement map[string]any) {
	a.t.Helper()
	a.must(`mutation($s: IdentifyInput!) { identify(input: $s) { individual { id } } }`, map[string]any{"s": statement})
}
