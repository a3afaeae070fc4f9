package segment_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/acquaint/acquaint/insight/segment"
)

// TestDocumented: every rule in docs/segments.md is one.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/segments.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(text, -1)
	kinds := map[string]bool{}
	for _, block := range blocks {
		r, err := segment.Read(block[1])
		if err == nil {
			err = r.Validate("rule")
		}
		if err != nil {
			t.Errorf("%s: %v", block[1], err)
		}
	}
	for _, name := range regexp.MustCompile("(?m)^`([a-z]+)`:").FindAllSubmatch(text, -1) {
		kinds[string(name[1])] = true
	}
	if len(kinds) != 11 || len(blocks) < len(kinds) {
		t.Errorf("%d kinds of conditions are explained, with %d examples", len(kinds), len(blocks))
	}
}
