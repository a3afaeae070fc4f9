package insight_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/acquaint/acquaint/insight"
)

func TestErrorText(t *testing.T) {
	cases := map[string]*insight.Error{
		"batch[3].timestamp: the year 0 is outside 1 to 9998": insight.NewError(insight.Invalid, "batch[3].timestamp", "the year 0 is outside 1 to 9998"),
		"id: not found": insight.NewError(insight.NotFound, "id", ""),
		"internal":      insight.WrapError("store.Append", insight.Internal, errors.New("secret")),
		"try later":     insight.NewError(insight.Exhausted, "", "try later"),
	}
	for want, err := range cases {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestKindOf(t *testing.T) {
	cause := errors.New("beneath")
	wrapped := insight.WrapError("store.Append", insight.Unavailable, cause)
	if !errors.Is(wrapped, cause) {
		t.Error("the cause is lost")
	}
	cases := map[insight.Kind]error{
		insight.Internal:    cause,
		insight.Unavailable: fmt.Errorf("while writing: %w", wrapped),
		insight.Denied:      errors.Join(insight.NewError(insight.Denied, "", ""), wrapped),
	}
	for want, err := range cases {
		if got := insight.KindOf(err); got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
	if got := insight.Kind(200).String(); got != "internal" {
		t.Errorf("an unknown kind is called %q", got)
	}
	if got := insight.Withheld.String(); got != "withheld" {
		t.Errorf("Withheld is called %q", got)
	}
}

func TestDetail(t *testing.T) {
	err := insight.WrapError("ingest.Batch", insight.Unavailable, insight.WrapError("store.Append", insight.Internal, errors.New("disk full")))
	if got, want := insight.Detail(err), "ingest.Batch: unavailable: store.Append: internal: disk full"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := insight.Detail(nil); got != "" {
		t.Errorf("no error has the detail %q", got)
	}
	outer := fmt.Errorf("outer: %w", insight.NewError(insight.Invalid, "a", "b"))
	if got, want := insight.Detail(outer), "outer: a: b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
