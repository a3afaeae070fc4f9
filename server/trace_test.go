package server

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

func TestTraces(t *testing.T) {
	received := make(chan *coltrace.ExportTraceServiceRequest, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		request := &coltrace.ExportTraceServiceRequest{}
		if err := proto.Unmarshal(body, request); err == nil && r.URL.Path == "/v1/traces" {
			received <- request
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	tracing, err := NewTracing(t.Context(), os.Getenv, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	b := serve(t, func(o *GraphQLOptions) { o.Tracer = tracing.Tracer() })
	shell, err := New(Options{Graph: b.graph, Tracer: tracing.Tracer()})
	if err != nil {
		t.Fatal(err)
	}
	traced := httptest.NewServer(shell.Handler())
	defer traced.Close()
	b.http.URL = traced.URL
	b.send("POST", "/graphql?x="+secretValue, `{"query":"query Greeting($t:String!){echo(text:$t)}","variables":{"t":"`+secretValue+`"}}`,
		"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if err := tracing.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	request := <-received
	text := request.String()
	for _, want := range []string{"POST /graphql", "query Greeting", "graphql.operation.type", "http.response.status_code", "service.name", "acquaint", "1.2.3"} {
		if !strings.Contains(text, want) {
			t.Errorf("the spans do not tell %q", want)
		}
	}
	for _, never := range []string{secretValue, "alice", "127.0.0.1", "tester"} {
		if strings.Contains(text, never) {
			t.Errorf("the spans tell %q", never)
		}
	}
	spans := request.ResourceSpans[0].ScopeSpans[0].Spans
	if len(spans) != 2 {
		t.Fatalf("%d spans, want the request's and the operation's", len(spans))
	}
	operation, whole := spans[0], spans[1]
	if string(operation.ParentSpanId) != string(whole.SpanId) || len(whole.ParentSpanId) == 0 || string(operation.TraceId) != string(whole.TraceId) {
		t.Error("the operation's span is not within the request's, or that not within the caller's")
	}
}

func TestNoTracesUnlessAsked(t *testing.T) {
	tracing, err := NewTracing(t.Context(), func(string) string { return "" }, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracing.Tracer().Start(t.Context(), "x")
	if span.IsRecording() {
		t.Error("a span is recorded with nowhere to send it")
	}
	if err := tracing.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
