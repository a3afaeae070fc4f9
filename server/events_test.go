package server

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// eventStream reads a response of text/event-stream.
type eventStream struct {
	t        *testing.T
	response *http.Response
	lines    *bufio.Scanner
}

func (b *bench) listen(ctx context.Context, token, query string) *eventStream {
	b.t.Helper()
	body, _ := json.Marshal(map[string]any{"query": query})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.http.URL+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", mediaEvents)
	response, err := b.http.Client().Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = response.Body.Close() })
	if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || got != mediaEvents+"; charset=utf-8" {
		b.t.Fatalf("the stream begins with %d %s", response.StatusCode, got)
	}
	return &eventStream{b.t, response, bufio.NewScanner(response.Body)}
}

// next is the next event, comments left out; "" "" at the end.
func (s *eventStream) next() (event, data string) {
	for s.lines.Scan() {
		line := s.lines.Text()
		switch {
		case strings.HasPrefix(line, "event: "):
			event = line[len("event: "):]
		case strings.HasPrefix(line, "data:"):
			data = strings.TrimSpace(line[len("data:"):])
		case line == "" && event != "":
			return event, data
		}
	}
	return "", ""
}

func (s *eventStream) expect(wantEvent, wantData string) {
	s.t.Helper()
	event, data := s.next()
	if event != wantEvent || !strings.Contains(data, wantData) {
		s.t.Fatalf("the stream tells %q %q, want %q %q", event, data, wantEvent, wantData)
	}
}

func TestEventStream(t *testing.T) {
	b := serve(t)
	token := b.token(time.Hour)

	s := b.listen(t.Context(), token, `subscription { ticks(n: 3) }`)
	for _, want := range []string{`{"data":{"ticks":1},"extensions":{"cost":`, `{"ticks":2}`, `{"ticks":3}`} {
		s.expect("next", want)
	}
	s.expect("complete", "")
	s.expect("", "")

	q := b.listen(t.Context(), token, `{ hello }`)
	q.expect("next", `{"data":{"hello":"world"}`)
	q.expect("complete", "")

	for query, code := range map[string]string{
		`{ helo }`:                   codeBadUserInput,
		`{`:                          codeBadUserInput,
		`subscription { refused }`:   codeForbidden,
		`{ fail(kind: "withheld") }`: codeConsentWithheld,
	} {
		e := b.listen(t.Context(), token, query)
		e.expect("next", code)
		e.expect("complete", "")
		e.expect("", "")
	}
}

func TestEventStreamRefusals(t *testing.T) {
	b := serve(t)
	events := "Accept: " + mediaEvents
	for _, c := range []struct {
		method, target, body string
		headers              []string
		status               int
	}{
		{"POST", "/graphql", `{"query":"{hello}"}`, []string{"Authorization: -"}, 401},
		{"POST", "/graphql", `{"query":`, nil, 400},
		{"POST", "/graphql", `{"query":"{hello}"}`, []string{"Content-Type: text/plain"}, 415},
		{"GET", "/graphql?query=" + url.QueryEscape("mutation{greet}"), "", nil, 405},
	} {
		if r := b.send(c.method, c.target, c.body, append(c.headers, events)...); r.status != c.status || len(r.Errors) != 1 {
			t.Errorf("%s %s answered %d %s, want %d", c.method, c.target, r.status, r.body, c.status)
		}
	}
	if r := b.send("GET", "/graphql?query="+url.QueryEscape("subscription{ticks(n:1)}"), "", events); !strings.Contains(r.body, `"ticks":1`) || !strings.Contains(r.body, "event: complete\ndata:\n\n") {
		t.Errorf("a subscription by GET answered %s", r.body)
	}
}

func TestEventStreamEndsWithTheClient(t *testing.T) {
	b := serve(t)
	b.world.started = make(chan string)
	ctx, cancel := context.WithCancel(t.Context())
	s := b.listen(ctx, b.token(time.Hour), `subscription { forever }`)
	s.expect("next", `{"forever":1}`)
	<-b.world.started
	cancel() // the leak check tells whether the resolver noticed
}

func TestEventStreamEndsWithTheToken(t *testing.T) {
	b := serve(t)
	token := b.token(time.Minute)
	b.clock.Set(noon.Add(time.Minute + leeway - 20*time.Millisecond))
	s := b.listen(t.Context(), token, `subscription { forever }`)
	event, data := s.next()
	if strings.Contains(data, `{"forever":1}`) { // on a slow machine the token may be faster
		event, data = s.next()
	}
	if event != "next" || !strings.Contains(data, codeUnauthenticated) {
		t.Errorf("the stream tells %q %s, want %s", event, data, codeUnauthenticated)
	}
	s.expect("complete", "")
}

func TestEventStreamEndsWithTheServer(t *testing.T) {
	b := serve(t)
	s := b.listen(t.Context(), b.token(time.Hour), `subscription { forever }`)
	s.expect("next", `{"forever":1}`)
	if err := b.graph.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.expect("complete", "")
	s.expect("", "")
}

func TestEventStreamShowsThatItIsAlive(t *testing.T) {
	b := serve(t, func(o *GraphQLOptions) { o.KeepAlive = time.Millisecond })
	s := b.listen(t.Context(), b.token(time.Hour), `subscription { forever }`)
	s.expect("next", `{"forever":1}`)
	signs := 0
	for signs < 2 && s.lines.Scan() {
		if s.lines.Text() == ":" {
			signs++
		}
	}
	if signs < 2 {
		t.Error("a silent stream shows no sign of life")
	}
}
