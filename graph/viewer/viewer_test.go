package viewer_test

import (
	"context"
	"testing"

	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/insight"
)

func TestViewerTravelsInContext(t *testing.T) {
	want := &insight.Viewer{Subject: "somebody"}
	ctx := viewer.With(context.Background(), want)
	if got, ok := viewer.From(ctx); !ok || got != want {
		t.Errorf("From = %v, %v, want the viewer that was put in", got, ok)
	}
	if got, err := viewer.Require(ctx); err != nil || got != want {
		t.Errorf("Require = %v, %v, want the viewer that was put in", got, err)
	}
}

func TestContextWithoutViewerHasNone(t *testing.T) {
	for name, ctx := range map[string]context.Context{
		"empty": context.Background(),
		"nil":   viewer.With(context.Background(), nil),
	} {
		if got, ok := viewer.From(ctx); ok || got != nil {
			t.Errorf("%s: From = %v, %v, want none", name, got, ok)
		}
		if _, err := viewer.Require(ctx); insight.KindOf(err) != insight.Unauthenticated {
			t.Errorf("%s: Require's error is %v, want Unauthenticated", name, err)
		}
	}
}
