package segment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/acquaint/acquaint/insight"
)

// What a segment may become when those that it names are written out.
const (
	MaxExpandedLeaves = 1_000
	MaxExpandedDepth  = 50
)

// Definition is a segment: who, read for what.
type Definition struct {
	Key           string // empty: it has none, as in a preview
	Purpose       *insight.Purpose
	MinConfidence float64 // the least with which a trait must be known; 0: whatever it is
	Rule          *Rule
}

// Book compiles segments together, so that what several of them ask is found out once
// for each individual. It only grows: where segments or models changed, another book is
// made. [Book.Compile] is not safe for use beside anything else of the book; then its
// programs are safe for concurrent use, each with subjects of its own.
type Book struct {
	purposes map[string]*insight.Purpose
	segments map[string]*Definition

	leaves []leaf
	known  map[leafKey]int32
	picks  []pick
	picked map[string]int32 // by the selector's key
	types  map[string]int32 // those that selectors name, from 1
	models []*Models        // that have been compiled with
}

// leafKey is what equal leaves have in common: what they ask, and of what they are told.
type leafKey struct {
	text   string
	models *Models // nil for leaves without
}

// pick is a selector of the book.
type pick struct {
	types   []int32                         // any of these; empty: of any type
	rest    func(*insight.Interaction) bool // nil: the type is all that it asks
	matches func(*insight.Interaction) bool // all of it
}

// NewBook returns a book of the purposes and the segments that rules may name. The
// segments are found by their keys, and not copied.
func NewBook(purposes []*insight.Purpose, segments map[string]*Definition) *Book {
	b := &Book{
		purposes: map[string]*insight.Purpose{}, segments: segments,
		known: map[leafKey]int32{}, picked: map[string]int32{}, types: map[string]int32{},
	}
	for _, p := range purposes {
		b.purposes[p.Key] = p
	}
	return b
}

// Compile makes a program of a segment. Of another segment that its rule names, the
// rule is written out in its place, with the least confidence of that segment and for
// this one's purpose. A leaf whose model is missing from m, which may be nil, is not
// known, and brings nobody in: it does not hold, and neither does its opposite.
//
// It refuses, with an insight.Invalid error that names the path, what [Rule.Validate]
// refuses, purposes and segments that do not exist, segments that lead back to
// themselves, and more than [MaxExpandedLeaves] leaves or [MaxExpandedDepth] rules
// within each other once written out.
func (b *Book) Compile(d *Definition, m *Models) (*Program, error) {
	switch {
	case d.Purpose == nil:
		return nil, insight.NewError(insight.Invalid, "purpose", "it is missing")
	case !(d.MinConfidence >= 0 && d.MinConfidence <= 1):
		return nil, insight.NewError(insight.Invalid, "minConfidence", "it must lie between 0 and 1")
	}
	if err := d.Rule.Validate("rule"); err != nil {
		return nil, err
	}
	p := &Program{book: b, nodes: []node{{all: true}}}
	c := &compiler{Book: b, program: p, models: m, sound: map[string]error{}}
	c.literal(0, consentLeaf{d.Purpose}, leafKey{text: "covers " + d.Purpose.Key}, told{path: "purpose", rule: &Rule{Consent: d.Purpose.Key}}, false)
	if d.Key != "" {
		c.within = append(c.within, d.Key)
	}
	if err := c.rule(place{path: "rule", depth: 1, least: d.MinConfidence}, d.Rule); err != nil {
		return nil, err
	}
	slices.Sort(p.keys)
	p.keys = slices.Compact(p.keys)
	slices.Sort(p.types)
	p.types = slices.Compact(p.types)
	return p, nil
}

// compiler writes one program.
type compiler struct {
	*Book
	program *Program
	models  *Models
	within  []string         // the segments that are being written out
	sound   map[string]error // what is wrong with those that were named
	leaves  int
}

// place is where a rule stands.
type place struct {
	path  string
	node  int32
	not   bool
	depth int
	least float64 // confidence
}

func (p place) inner(path string) place {
	p.path += path
	p.depth++
	return p
}

func (c *compiler) rule(at place, r *Rule) error {
	if at.depth > MaxExpandedDepth {
		return insight.NewError(insight.Invalid, at.path, fmt.Sprintf("with the segments that it names it is more than %d rules deep", MaxExpandedDepth))
	}
	switch {
	case r.All != nil:
		return c.rules(at, "all", r.All, !at.not)
	case r.Any != nil:
		return c.rules(at, "any", r.Any, at.not)
	case r.Not != nil:
		inner := at.inner(".not")
		inner.not = !at.not
		return c.rule(inner, r.Not)
	case r.Segment != "":
		return c.segment(at, r.Segment)
	}
	if c.leaves++; c.leaves > MaxExpandedLeaves {
		return insight.NewError(insight.Invalid, at.path, fmt.Sprintf("with the segments that it names it has more than %d leaves", MaxExpandedLeaves))
	}
	return c.leaf(at, r)
}

// rules makes a node of several. The opposite of all is any of the opposites.
func (c *compiler) rules(at place, name string, of []*Rule, all bool) error {
	p := c.program
	p.nodes[at.node].children++
	p.nodes = append(p.nodes, node{parent: at.node, all: all})
	at.node = int32(len(p.nodes) - 1)
	for i, r := range of {
		if err := c.rule(at.inner(fmt.Sprintf(".%s[%d]", name, i)), r); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) segment(at place, key string) error {
	path := at.path + ".segment"
	if slices.Contains(c.within, key) {
		return insight.NewError(insight.Invalid, path, "it leads back to itself: "+strings.Join(append(c.within, key), ", "))
	}
	other, ok := c.segments[key]
	if !ok {
		return insight.NewError(insight.Invalid, path, fmt.Sprintf("there is no segment %q", key))
	}
	if _, checked := c.sound[key]; !checked {
		c.sound[key] = other.Rule.Validate(path + "(" + key + ")")
	}
	if err := c.sound[key]; err != nil {
		return err
	}
	c.within = append(c.within, key)
	inner := at.inner(".segment(" + key + ")")
	inner.least = other.MinConfidence
	err := c.rule(inner, other.Rule)
	c.within = c.within[:len(c.within)-1]
	return err
}

func (c *compiler) leaf(at place, r *Rule) error {
	if r.Trait != nil && r.Trait.MinConfidence < at.least {
		stricter := *r.Trait
		stricter.MinConfidence = at.least
		r = &Rule{Trait: &stricter}
	}
	text, err := r.MarshalJSON()
	if err != nil {
		return insight.NewError(insight.Invalid, at.path, "it cannot be written as JSON")
	}
	l, model, err := c.read(at.path, r)
	if err != nil {
		return err
	}
	key, about := leafKey{text: string(text)}, told{path: at.path, rule: r}
	if model != "" {
		key.models = c.models
		if l == nil {
			l, key, about.unknown = nobodyLeaf{}, leafKey{text: "nobody"}, c.models.missing(model)
			at.not = false
		}
	}
	c.literal(at.node, l, key, about, at.not)
	return nil
}

// literal adds a leaf to a node of the program.
func (c *compiler) literal(of int32, l leaf, key leafKey, about told, not bool) {
	i, ok := c.known[key]
	if !ok {
		i = int32(len(c.Book.leaves))
		c.Book.leaves = append(c.Book.leaves, l)
		c.known[key] = i
	}
	p := c.program
	p.nodes[of].children++
	p.literals = append(p.literals, literal{leaf: i, node: of, not: not})
	p.told = append(p.told, about)
	p.timed = p.timed || c.Book.leaves[i].timed()
}

// read makes a leaf of its rule, and notes what it needs. With a model that is missing
// the leaf is nil.
func (c *compiler) read(path string, r *Rule) (l leaf, model string, err error) {
	needs := &c.program.needs
	needs.Timeline = needs.Timeline || r.Trait == nil && r.Consent == "" && !r.Everyone
	c.program.anyType = c.program.anyType || r.Relationship != nil || r.RFM != nil || r.Lifetime != nil
	switch {
	case r.Trait != nil:
		needs.Traits = true
		c.program.keys = append(c.program.keys, r.Trait.Key)
		return newTraitLeaf(r.Trait), "", nil
	case r.Event != nil:
		return newEventLeaf(c.pick(&r.Event.Event), r.Event), "", nil
	case r.Monetary != nil:
		return newMonetaryLeaf(c.pick(&r.Monetary.Event), r.Monetary), "", nil
	case r.Sequence != nil:
		return newSequenceLeaf(c, r.Sequence), "", nil
	case r.Recency != nil:
		return c.recency(r.Recency)
	case r.Relationship != nil:
		needs.Visits = true
		if c.models == nil || c.models.Visits == nil {
			return nil, "visits", nil
		}
		return newRelationshipLeaf(c.model(), c.models.Visits, r.Relationship), "visits", nil
	case r.RFM != nil:
		needs.Cuts = true
		if c.models == nil || c.models.Cuts == nil {
			return nil, "cuts", nil
		}
		return newRFMLeaf(c.model(), c.models.Cuts, r.RFM), "cuts", nil
	case r.Lifetime != nil:
		needs.Lifetime = true
		if c.models == nil || c.models.Lifetime == nil {
			return nil, "lifetime", nil
		}
		return lifetimeLeaf{c.model(), c.models.Lifetime, r.Lifetime}, "lifetime", nil
	case r.Consent != "":
		needs.Coverage = true
		purpose, ok := c.purposes[r.Consent]
		if !ok {
			return nil, "", insight.NewError(insight.Invalid, path+".consent", fmt.Sprintf("there is no purpose %q", r.Consent))
		}
		return consentLeaf{purpose}, "", nil
	}
	return everyoneLeaf{}, "", nil
}

func (c *compiler) recency(r *Recency) (leaf, string, error) {
	event := r.Event
	if event == nil {
		event = some(insight.AnyInbound())
	}
	l := newRecencyLeaf(c.pick(event), r)
	if r.Overdue == nil {
		return l, "", nil
	}
	key := SelectorKey(event)
	if !slices.ContainsFunc(c.program.needs.Habits, func(s insight.Selector) bool { return SelectorKey(&s) == key }) {
		c.program.needs.Habits = append(c.program.needs.Habits, *event)
	}
	if c.models == nil {
		return nil, "habits", nil
	}
	wires, ok := c.models.Habits[key]
	if !ok {
		return nil, "habits", nil
	}
	l.wires = &wires
	return l, "habits", nil
}

// pick finds or adds a selector.
func (c *compiler) pick(s *insight.Selector) int32 {
	needs := &c.program.needs
	needs.Properties = needs.Properties || len(s.Properties) > 0
	c.program.anyType = c.program.anyType || len(s.Types) == 0
	c.program.types = append(c.program.types, s.Types...)
	key := SelectorKey(s)
	if i, ok := c.picked[key]; ok {
		return i
	}
	p := pick{matches: s.Matcher()}
	for _, name := range s.Types {
		id, ok := c.types[name]
		if !ok {
			id = int32(len(c.types) + 1)
			c.types[name] = id
		}
		p.types = append(p.types, id)
	}
	rest := *s
	rest.Types = nil
	if !rest.Everything() {
		p.rest = rest.Matcher()
	}
	c.picks = append(c.picks, p)
	c.picked[key] = int32(len(c.picks) - 1)
	return c.picked[key]
}

// model is the number of the models that are compiled with.
func (c *compiler) model() int32 {
	i := slices.Index(c.Book.models, c.models)
	if i < 0 {
		i = len(c.Book.models)
		c.Book.models = append(c.Book.models, c.models)
	}
	return int32(i)
}
