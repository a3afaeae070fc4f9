package insight_test

import (
	"strings"
	"testing"

	"github.com/acquaint/acquaint/insight"
)

func TestDefaultPurposes(t *testing.T) {
	purposes := insight.DefaultPurposes()
	var all insight.Set
	unasked := map[string]bool{"service": true, "analytics": true, "personalization": false, "marketing": false, "advertising": false}
	if len(purposes) != len(unasked) {
		t.Fatalf("there are %d", len(purposes))
	}
	for i := range purposes {
		p := &purposes[i]
		if all&p.Set() != 0 {
			t.Errorf("%s shares its bit", p.Key)
		}
		all |= p.Set()
		if want, known := unasked[p.Key]; !known || p.LegalBasis.Unasked() != want {
			t.Errorf("%s: permitted unasked: %v", p.Key, p.LegalBasis.Unasked())
		}
		if p.Floor != 10 || p.Name == "" || p.Description == "" {
			t.Errorf("%s is incomplete: %+v", p.Key, p)
		}
	}
	last := insight.Purpose{Bit: 62}
	if last.Set() <= 0 {
		t.Errorf("the last bit's set is %d", last.Set())
	}
}

func TestViewerScopes(t *testing.T) {
	admin := insight.Viewer{Scopes: []insight.Scope{insight.ScopeAdmin}}
	reader := insight.Viewer{Scopes: []insight.Scope{insight.ScopeInsightsRead}}
	for _, scope := range insight.Scopes {
		if got, want := admin.May(scope), scope != insight.ScopeSelf; got != want {
			t.Errorf("admin may %s: %v", scope, got)
		}
		err := reader.Require(scope)
		if (err == nil) != (scope == insight.ScopeInsightsRead) {
			t.Errorf("reader, %s: %v", scope, err)
		}
		if err != nil && (insight.KindOf(err) != insight.Denied || !strings.Contains(err.Error(), string(scope))) {
			t.Errorf("%s: %v", scope, err)
		}
	}
}

func TestViewerDeclares(t *testing.T) {
	cases := []struct {
		purposes []string
		purpose  string
		want     string
		kind     insight.Kind
	}{
		{[]string{"analytics"}, "", "analytics", 0},
		{[]string{"analytics", "marketing"}, "marketing", "marketing", 0},
		{[]string{"analytics", "marketing"}, "", "", insight.Invalid},
		{nil, "", "", insight.Invalid},
		{[]string{"analytics"}, "marketing", "", insight.Denied},
	}
	for _, c := range cases {
		v := insight.Viewer{Purposes: c.purposes, Purpose: c.purpose}
		got, err := v.Declared()
		if got != c.want || (c.want == "") != (err != nil) || err != nil && insight.KindOf(err) != c.kind {
			t.Errorf("%v declaring %q: %q, %v", c.purposes, c.purpose, got, err)
		}
	}
}
