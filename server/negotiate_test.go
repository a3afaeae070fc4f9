package server

import (
	"slices"
	"testing"
)

func TestNegotiate(t *testing.T) {
	for accept, want := range map[string]string{
		"":                                  mediaJSON,
		"*/*":                               mediaJSON,
		"application/*":                     mediaJSON,
		"application/json":                  mediaJSON,
		"Application/JSON":                  mediaJSON,
		"application/graphql-response+json": mediaGraphQL,
		"application/graphql-response+json; charset=utf-8":               mediaGraphQL,
		"application/json, application/graphql-response+json":            mediaJSON,
		"application/graphql-response+json, application/json":            mediaGraphQL,
		"application/graphql-response+json;q=0.5, application/json":      mediaJSON,
		"application/json;q=0.5, application/graphql-response+json":      mediaGraphQL,
		"*/*, application/graphql-response+json":                         mediaGraphQL,
		"application/json;q=0, */*":                                      mediaGraphQL,
		"application/graphql-response+json;q=0, */*;q=0.1":               mediaJSON,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=.8": mediaJSON,
		"text/event-stream":                   mediaEvents,
		"text/event-stream, application/json": mediaEvents,
		"application/json, text/event-stream": mediaJSON,
		"text/event-stream, */*":              mediaEvents,
		"text/html":                           "",
		"text/*":                              "",
		"application/json;q=0":                "",
		"application/json;q=2":                "",
		"application/json;q=NaN":              "",
		"/":                                   "",
	} {
		if got := negotiate([]string{accept}); got != want {
			t.Errorf("negotiate(%q) = %q, want %q", accept, got, want)
		}
	}
	if got := negotiate([]string{"text/html", "application/json"}); got != mediaJSON {
		t.Errorf("two headers: %q", got)
	}
}

func FuzzNegotiate(f *testing.F) {
	f.Add("application/json;q=0.5, */*")
	f.Fuzz(func(t *testing.T, accept string) {
		if got := negotiate([]string{accept}); !slices.Contains([]string{"", mediaJSON, mediaGraphQL, mediaEvents}, got) {
			t.Fatalf("negotiate(%q) = %q", accept, got)
		}
	})
}
