package graph_test

import (
	"testing"

	"github.com/99designs/gqlgen/graphql/executor"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// leaves is everything that can be written at once.
const leaves = `fragment channel on Channel { id key name kind __typename }
	fragment interaction on Interaction {
		__typename id messageId type direction occurredAt receivedAt value currency properties
		campaign { name source medium term content } channel { ...channel }
		source { id name sessionTimeout defaultChannel { key ...channel } }
	}
	fragment session on Session {
		id startedAt endedAt duration engaged interactionCount campaign { source } entryChannel { ...channel } source { name } kind: __typename
	}`

// TestWrittenAtOnce: what is written at once is what the executor answers field by
// field, to the byte, also where only a part can be.
func TestWrittenAtOnce(t *testing.T) {
	queries := map[string]string{
		"nodes":    `{ individuals(first: 20) { nodes { id interactions(first: 20) { nodes { ...interaction } pageInfo { endCursor } } sessions(first: 5) { nodes { ...session } } } } }` + leaves,
		"edges":    `{ individuals(first: 20) { edges { node { interactions(last: 3) { totalCount edges { cursor node { ...interaction } } } sessions(first: 5) { edges { node { ...session } cursor } } } } } }` + leaves,
		"aliases":  `{ individuals(first: 20) { nodes { a: interactions(first: 2) { n: nodes { what: type type on: channel { k: key } } } b: interactions(first: 2) { nodes { id } nodes { value } } } } }`,
		"nodeType": `{ individuals(first: 20) { nodes { interactions(first: 9) { nodes { ... on Node { id ... on Session { startedAt } } ... on Interaction { type } } } } } }`,
		"skipped":  `query($no: Boolean = false) { individuals(first: 20) { nodes { interactions(first: 9) { nodes { id @skip(if: true) type @include(if: $no) value } nodes { channel @include(if: $no) { key } } } } } }`,
		"asked":    `{ individuals(first: 20) { nodes { interactions(first: 9) { nodes { id session { ...session } } } sessions(first: 2) { nodes { id interactions(first: 2) { nodes { ...interaction } } } } } } }` + leaves,
		"nobody's": `{ individuals(first: 20) { nodes { interactions(first: 9) { nodes { type individual { id } } } } } }`,
		"empty":    `{ individuals(first: 20, where: {firstSeenFrom: "2027-01-01T00:00:00Z"}) { nodes { interactions(first: 9) { nodes { id } } } } }`,
		"selected": `{ individuals(first: 20) { nodes { interactions(first: 9, where: {properties: [{path: "path", op: EQ, value: "/coats"}]}) { nodes { id type } } } } }`,
		"one":      `{ individual(by: {userId: "ada"}) { interactions(first: 1) { nodes { ...interaction } } sessions(first: 1) { edges { node { ...session } } } } }` + leaves,
	}
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.people()
		a.tell("shop", map[string]any{"messageId": "odd-\"\\", "userId": "odd", "type": "a \"quoted\"\ttype\u2028", "occurredAt": "2026-03-18T10:00:00.000001Z", "value": 1e21})
		plain := *a
		plain.exec = executor.New(graph.NewFieldByField(graph.Options{Store: a.store, Decoder: &tracking.Decoder{Directory: a.store}, Now: now}))
		for name, query := range queries {
			got, errs := a.response(query, nil)
			want, wantErrs := plain.response(query, nil)
			if string(got) != string(want) || len(want) == 0 {
				t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
			}
			if len(errs)+len(wantErrs) > 0 {
				t.Errorf("%s: %v and %v", name, errs, wantErrs)
			}
		}
	})
}
