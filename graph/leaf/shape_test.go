package leaf

import (
	"bytes"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"pgregory.net/rapid"
)

// TestValuesAreWrittenAsTheExecutorWritesThem: strings and numbers are the same to
// the byte, whatever they hold.
func TestValuesAreWrittenAsTheExecutorWritesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got, want bytes.Buffer
		s := string(rapid.SliceOf(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("\"\\\n\r\t\x00\x1fé€ab")))).Draw(t, "string"))
		text(&got, s)
		graphql.MarshalString(s).MarshalGQL(&want)
		v := rapid.Float64().Draw(t, "number")
		number(&got, &v)
		graphql.MarshalFloat(v).MarshalGQL(&want)
		if got.String() != want.String() {
			t.Fatalf("got %q, want %q", got.String(), want.String())
		}
	})
}
