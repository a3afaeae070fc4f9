package sdk

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// person is an individual as the tests ask for it.
type person struct {
	Identifiers []identifier
	Links       []struct {
		A, B      identifier
		Source    string
		RevokedAt *string
	}
	Traits   []trait
	Sessions struct {
		TotalCount int
		Nodes      []struct {
			InteractionCount int
			EntryChannel     named
			Campaign         *campaign
		}
	}
	Interactions struct {
		TotalCount int
		Nodes      []interaction
	}
}

type identifier struct {
	Kind, Value string
	Shared      bool
}

type trait struct {
	Key        string
	Value      any
	Provenance string
}

type named struct{ Key string }

type campaign struct{ Name, Source, Medium, Term, Content string }

type interaction struct {
	Type       string
	Direction  string
	Channel    named
	Value      *float64
	Currency   string
	Campaign   *campaign
	Properties map[string]any
}

// individual asks for everything that the tests want to know of a user.
func (a *acquaint) individual(t *testing.T, userID string) person {
	t.Helper()
	var data struct{ Individual *person }
	a.ask(t, `query($userId: String!) {
	  individual(by: {userId: $userId}) {
	    identifiers { kind value shared }
	    links { a { kind value } b { kind value } source revokedAt }
	    traits { key value provenance }
	    sessions(first: 100) { totalCount nodes { interactionCount entryChannel { key } campaign { name source medium term content } } }
	    interactions(first: 100) {
	      totalCount
	      nodes { type direction channel { key } value currency campaign { name source medium term content } properties }
	    }
	  }
	}`, map[string]any{"userId": userID}, &data)
	if data.Individual == nil {
		t.Fatalf("there is no individual with the user id %s", userID)
	}
	return *data.Individual
}

// known lists identifiers as "KIND value", strongest first; a shared one says so.
func (p person) known() []string {
	var known []string
	for _, i := range p.Identifiers {
		text := i.Kind + " " + i.Value
		if i.Shared {
			text += " shared"
		}
		known = append(known, text)
	}
	return known
}

// evidence lists the links that count as "KIND value - KIND value, of source",
// sorted.
func (p person) evidence() []string {
	var evidence []string
	for _, l := range p.Links {
		if l.RevokedAt == nil {
			evidence = append(evidence, fmt.Sprintf("%s %s - %s %s, of %s", l.A.Kind, l.A.Value, l.B.Kind, l.B.Value, l.Source))
		}
	}
	slices.Sort(evidence)
	return evidence
}

// said is what is known of the traits.
func (p person) said() map[string]any {
	said := map[string]any{}
	for _, trait := range p.Traits {
		said[trait.Key] = trait.Value
		if trait.Provenance != "DECLARED" {
			said[trait.Key+" provenance"] = trait.Provenance
		}
	}
	return said
}

// label names an interaction as the scenarios do: by its type, and a page or a
// screen by its name, and one of several by its number.
func (i interaction) label() string {
	if n, numbered := i.Properties["n"]; numbered {
		return fmt.Sprint(i.Type, " ", n)
	}
	if i.Type == "page" || i.Type == "screen" {
		return fmt.Sprint(i.Type, " ", i.Properties["name"])
	}
	return i.Type
}

// did is what a person did, by its label; what is there twice is an error.
func (p person) did(t *testing.T) map[string]interaction {
	t.Helper()
	if len(p.Interactions.Nodes) != p.Interactions.TotalCount {
		t.Errorf("%d interactions of %d are shown", len(p.Interactions.Nodes), p.Interactions.TotalCount)
	}
	did := map[string]interaction{}
	for _, i := range p.Interactions.Nodes {
		if _, twice := did[i.label()]; twice {
			t.Errorf("%q is there more than once", i.label())
		}
		if i.Direction != "INBOUND" {
			t.Errorf("%q is %s", i.label(), i.Direction)
		}
		did[i.label()] = i
	}
	return did
}

// expected is what a person should look like.
type expected struct {
	known, evidence []string
	said            map[string]any
	did             map[string]interaction // without directions and channels
	channels        map[string]string      // by label
	sessions        map[int]int            // how many there are of so many interactions
}

// holds compares a person with what is expected of them.
func (p person) holds(t *testing.T, want expected) {
	t.Helper()
	did, channels := p.did(t), map[string]string{}
	for label, i := range did {
		channels[label] = i.Channel.Key
		i.Channel, i.Direction = named{}, ""
		did[label] = i
	}
	sessions := map[int]int{}
	for _, s := range p.Sessions.Nodes {
		sessions[s.InteractionCount]++
	}
	for _, c := range []struct {
		of        string
		want, got any
	}{
		{"identifiers", want.known, p.known()},
		{"links", want.evidence, p.evidence()},
		{"traits", want.said, p.said()},
		{"interactions", want.did, did},
		{"channels", want.channels, channels},
		{"sessions", want.sessions, sessions},
	} {
		if diff := cmp.Diff(c.want, c.got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.of, diff)
		}
	}
}
