package server

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/acquaint/acquaint/insight"
)

// Tracing sends spans to where OpenTelemetry's environment variables say: one
// for each HTTP request (method, route and status) and one for each GraphQL
// operation (its type and name). Nothing else of a request is in them.
type Tracing struct {
	provider trace.TracerProvider
	shutdown func(context.Context) error
}

// NewTracing reads the environment through getenv (os.Getenv): it exports over
// OTLP when OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is
// set, and does nothing otherwise. The exporter and the sampler read the other
// variables of the OpenTelemetry specification by themselves.
func NewTracing(ctx context.Context, getenv func(string) string, version string) (*Tracing, error) {
	if getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return &Tracing{provider: noop.NewTracerProvider(), shutdown: func(context.Context) error { return nil }}, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, insight.WrapError("server.NewTracing", insight.Invalid, err)
	}
	// What the environment says of the service comes after ours, and wins.
	what, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "acquaint"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, insight.WrapError("server.NewTracing", insight.Invalid, err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(what))
	return &Tracing{provider: provider, shutdown: provider.Shutdown}, nil
}

// Tracer is where the spans begin.
func (t *Tracing) Tracer() trace.Tracer {
	return t.provider.Tracer("github.com/acquaint/acquaint/server")
}

// Shutdown sends what is still waiting, and ends the exporting.
func (t *Tracing) Shutdown(ctx context.Context) error {
	if err := t.shutdown(ctx); err != nil {
		return insight.WrapError("server.Tracing", insight.Unavailable, err)
	}
	return nil
}

// spanned wraps a route in a span of its own, a child of the caller's when the
// request carries a W3C trace context.
func spanned(tracer trace.Tracer, route string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		method := methodName(r.Method)
		ctx, span := tracer.Start(ctx, method+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", method), attribute.String("http.route", route)))
		defer span.End()
		next.ServeHTTP(w, r.WithContext(ctx))
		if seen, ok := w.(*observed); ok {
			span.SetAttributes(attribute.Int("http.response.status_code", seen.code()))
			if seen.code() >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, "")
			}
		}
	})
}
