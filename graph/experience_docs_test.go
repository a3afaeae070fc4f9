package graph_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/uplift"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestExperiencesDocumented: what docs/experiences.md asks is answered, and it explains
// each reason and each verdict.
func TestExperiencesDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/experiences.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```graphql\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 4 {
		t.Fatalf("there are %d questions", len(blocks))
	}
	for _, r := range experience.Reasons {
		if !strings.Contains(string(text), "| `"+string(r)+"` |") {
			t.Errorf("it does not explain %s", r)
		}
	}
	for _, v := range uplift.Verdicts {
		if !strings.Contains(string(text), "| `"+string(v)+"` |") {
			t.Errorf("it does not explain %s", v)
		}
	}
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.simulate(20)
		a.viewer = admin()
		a.viewer.Purposes, a.viewer.Purpose = []string{"personalization"}, "personalization"
		a.must(`mutation { createExperience(input: {key: "care-guide", name: "Care guide", purpose: "personalization", variants: [{key: "guide", benefit: "how to care for it"}]}) { experience { id } } }`, nil)
		for _, block := range blocks {
			a.must(block[1], nil)
		}
	})
}
