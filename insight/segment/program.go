package segment

import (
	"cmp"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Program is a segment that can be asked of subjects.
type Program struct {
	book     *Book
	nodes    []node    // the first is the whole; a node comes before those beneath it
	literals []literal // the first is whether the purpose covers them
	told     []told    // of each literal
	needs    Needs
	keys     []string
	types    []string // of interactions, that its selectors name
	anyType  bool     // a selector, or a model, looks at interactions of every type
	timed    bool
}

// node holds when all, or any, of its children do. There is no not: it was moved down
// to the leaves.
type node struct {
	parent   int32
	children int32
	all      bool
}

// literal is a leaf, or its opposite, beneath a node.
type literal struct {
	leaf, node int32
	not        bool
}

// told is what a reader knows a leaf by.
type told struct {
	path    string
	rule    *Rule
	unknown string // why the leaf is not known
}

// Needs are what has to be known before the program can be asked.
func (p *Program) Needs() Needs { return p.needs }

// TouchedBy reports whether a new interaction can change who is in. When it is false,
// the interaction changes no answer, whenever it happened.
func (p *Program) TouchedBy(x *insight.Interaction) bool {
	return slices.ContainsFunc(p.literals, func(l literal) bool { return p.book.leaves[l.leaf].touched(p.book, x) })
}

// Types are the types of the interactions that can touch it, sorted, each once. When
// every is true, one of any type may.
func (p *Program) Types() (types []string, every bool) { return slices.Clone(p.types), p.anyType }

// TouchedByTrait reports whether a new observation of a trait can change who is in.
func (p *Program) TouchedByTrait(key string) bool {
	_, found := slices.BinarySearch(p.keys, key)
	return found
}

// TraitKeys are the keys of the traits that it reads, sorted, each once.
func (p *Program) TraitKeys() []string { return slices.Clone(p.keys) }

// Timed reports whether time alone can change who is in, facts that are dated ahead
// apart. It can where a leaf looks at how long ago something is, and where a purpose
// depends on a decision, which may end.
func (p *Program) Timed() bool { return p.timed }

// Course is a membership over a time.
type Course struct {
	Holds   bool        // at its beginning
	Changes []time.Time // after its beginning until its end, which belongs to it, ascending; it turns at each
	Next    time.Time   // the first change after its end if nothing new happens; zero: none that is known
	Look    time.Time   // when to look again: Next, or earlier where only so far was computed; zero: never
}

// Over is the membership from a moment until another, both cut to the microsecond. An
// until before from counts as from.
//
// Next and Look take the facts as they are: what is dated ahead enters at its moment.
// Where Look is earlier than the next change, that one is not told; ask again then.
func (p *Program) Over(s *Subject, from, until time.Time) Course {
	s.over(from.UnixMicro(), max(from.UnixMicro(), until.UnixMicro()))
	if covered := s.signal(p.literals[0].leaf); !covered.holds && covered.end == covered.start {
		return Course{} // never
	}
	s.trues = slices.Grow(s.trues[:0], len(p.nodes))[:len(p.nodes)]
	clear(s.trues)
	s.turns = s.turns[:0]
	look := int64(never)
	for i := range p.literals {
		l := &p.literals[i]
		found := s.signal(l.leaf)
		if found.holds != l.not {
			p.rise(s.trues, l.node)
		}
		for _, at := range s.flips[found.start:found.end] {
			s.turns = append(s.turns, turn{at, int32(i), found.holds == l.not})
			found.holds = !found.holds
		}
		look = min(look, found.look)
	}
	if len(s.turns) > 1 {
		slices.SortFunc(s.turns, func(a, b turn) int { return cmp.Compare(a.at, b.at) })
	}
	holds := p.holds(s.trues)
	c := Course{Holds: holds}
	for i := 0; i < len(s.turns); {
		at := s.turns[i].at
		for ; i < len(s.turns) && s.turns[i].at == at; i++ {
			if t := &s.turns[i]; t.up {
				p.rise(s.trues, p.literals[t.literal].node)
			} else {
				p.fall(s.trues, p.literals[t.literal].node)
			}
		}
		if p.holds(s.trues) == holds {
			continue
		}
		holds = !holds
		if at > s.until {
			if at <= look {
				c.Next = moment(at)
				look = at
			}
			break
		}
		c.Changes = append(c.Changes, moment(at))
	}
	if look < never {
		c.Look = moment(look)
	}
	return c
}

// turn is a moment at which a literal turns.
type turn struct {
	at      int64
	literal int32
	up      bool
}

func (p *Program) holds(trues []int32) bool { return trues[0] == p.nodes[0].children }

// rise counts one more of a node's children that holds.
func (p *Program) rise(trues []int32, of int32) {
	for {
		n := &p.nodes[of]
		trues[of]++
		if n.all && trues[of] < n.children || !n.all && trues[of] > 1 || of == 0 {
			return
		}
		of = n.parent
	}
}

func (p *Program) fall(trues []int32, of int32) {
	for {
		n := &p.nodes[of]
		trues[of]--
		if n.all && trues[of] < n.children-1 || !n.all && trues[of] > 0 || of == 0 {
			return
		}
		of = n.parent
	}
}
