package server

import (
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
)

func TestEveryKindHasItsCode(t *testing.T) {
	b := serve(t)
	for kind, want := range map[string]struct{ code, message string }{
		"invalid":         {codeBadUserInput, "first: is 1 to 100"},
		"notfound":        {codeNotFound, "segment: there is none by this key"},
		"wrapped":         {codeNotFound, "segment: there is none by this key"},
		"conflict":        {codeConflict, "key: is taken"},
		"unauthenticated": {codeUnauthenticated, "who is asking?"},
		"denied":          {codeForbidden, "this needs the scope admin"},
		"withheld":        {codeConsentWithheld, "the purpose does not cover them"},
		"exhausted":       {codeRateLimited, "later"},
		"unavailable":     {codeUnavailable, "the store is away"},
		"internal":        {codeInternal, "internal error"},
		"unknown":         {codeInternal, "internal error"},
	} {
		r := b.post(`{ hello it: fail(kind: "` + kind + `") }`)
		if r.status != 200 || len(r.Errors) != 1 || r.code() != want.code || r.Errors[0].Message != want.message {
			t.Errorf("%s answered %d %s, want %s %q", kind, r.status, r.body, want.code, want.message)
			continue
		}
		if e := r.Errors[0]; len(e.Path) != 1 || e.Path[0] != "it" || len(e.Locations) != 1 {
			t.Errorf("%s is at %v %v, want the path it and a location", kind, e.Path, e.Locations)
		}
		if r.Data["hello"] != "world" {
			t.Errorf("%s took the other field with it: %s", kind, r.body)
		}
		if id := r.Errors[0].Extensions["requestId"]; (want.code == codeInternal) != (id == r.header.Get("X-Request-Id")) {
			t.Errorf("%s carries the request id %v; the response's is %s", kind, id, r.header.Get("X-Request-Id"))
		}
	}
	for k := insight.Internal; k <= insight.Unavailable; k++ {
		if kinds[k].code == "" || kinds[k].status < 400 {
			t.Errorf("the kind %v has no code or status", k)
		}
	}
}

func TestInternalDetailIsForTheLog(t *testing.T) {
	b := serve(t)
	for query, detail := range map[string]string{
		`{ fail(kind: "internal") }`: "store.Read: internal: pq: relation 14 is gone",
		`{ fail(kind: "unknown") }`:  "pq: relation 15 is gone",
		`{ panic }`:                  "the ground gave way",
	} {
		r := b.post(query)
		if strings.Contains(r.body, "relation") || strings.Contains(r.body, "ground") || strings.Contains(r.body, "goroutine") {
			t.Errorf("%s tells the client: %s", query, r.body)
		}
		if r.code() != codeInternal {
			t.Errorf("%s has the code %q", query, r.code())
		}
		found := false
		for _, line := range strings.Split(b.log.String(), "\n") {
			found = found || strings.Contains(line, detail) && strings.Contains(line, r.header.Get("X-Request-Id"))
		}
		if !found {
			t.Errorf("%s: no line of the log has %q and the request's id:\n%s", query, detail, b.log)
		}
	}
	if !strings.Contains(b.log.String(), "world_test.go") {
		t.Error("the log has no stack of the panic")
	}
	if strings.Contains(b.log.String(), "is 1 to 100") {
		t.Error("the log has what was the caller's fault")
	}
}

func TestJoinedErrorsAreSeveral(t *testing.T) {
	r := serve(t).post(`{ joined }`)
	if len(r.Errors) != 2 {
		t.Fatalf("%d errors, want two: %s", len(r.Errors), r.body)
	}
	for i, want := range []string{codeBadUserInput, codeConflict} {
		if e := r.Errors[i]; e.Extensions["code"] != want || len(e.Path) != 1 || e.Path[0] != "joined" {
			t.Errorf("error %d is %+v, want %s at joined", i, e, want)
		}
	}
}

func TestTimeLimit(t *testing.T) {
	b := serve(t, func(o *GraphQLOptions) { o.Limits.Time = time.Millisecond })
	r := b.post(`{ slow }`)
	if r.code() != codeCostLimit || !strings.Contains(r.Errors[0].Message, "longer than 1ms") {
		t.Errorf("an operation over its time answered %d %s", r.status, r.body)
	}
}
