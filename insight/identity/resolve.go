package identity

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// Member is an identifier as far as the question needs it.
type Member struct {
	Key    uuid.UUID
	Kind   insight.IdentifierKind
	Origin uuid.UUID // the individual that it would be alone
	// Shared says that the member is known to be shared by links that are not among
	// those given, so that a neighbourhood can be resolved without loading the
	// whole graph behind a shared identifier.
	Shared bool
}

// Standing is what a member amounts to.
type Standing struct {
	Individual uuid.UUID // the origin of the oldest member of its component
	UserKey    uuid.UUID // a USER_ID that evidence links it to directly (the smallest key); zero for none
	Shared     bool
	Contested  bool // its component has a link that stays inert because it would join two USER_IDs
}

// Resolve works out the individuals of a closed set of members: every active link
// of a member that is not shared must be among links, with both of its ends among
// members. Links that are revoked, or have an end that is not a member, do not
// count. The order of both slices does not matter.
//
// It takes O(links · log links) time.
func Resolve(members []Member, links []insight.Link) map[uuid.UUID]Standing {
	at := make(map[uuid.UUID]int, len(members))
	for i, m := range members {
		at[m.Key] = i
	}
	taken := make([]edge, 0, len(links))
	for i := range links {
		l := &links[i]
		a, okA := at[l.AKey]
		b, okB := at[l.BKey]
		if okA && okB && a != b && l.Active() {
			taken = append(taken, edge{l, a, b})
		}
	}

	standings := make([]Standing, len(members))
	for i, m := range members {
		standings[i].Shared = m.Shared
	}
	for _, e := range taken {
		if e.Operator {
			continue
		}
		recordUser(members, standings, e.a, e.b)
		recordUser(members, standings, e.b, e.a)
	}

	slices.SortFunc(taken, func(x, y edge) int { return compareLinks(members, x, y) })
	forest := newForest(members)
	var inert []edge
	for _, e := range taken {
		if !e.Operator && (standings[e.a].Shared || standings[e.b].Shared) {
			continue
		}
		if !e.Operator && forest.conflict(e.a, e.b) {
			inert = append(inert, e)
			continue
		}
		forest.union(e.a, e.b)
	}

	contested := map[int]bool{}
	for _, e := range inert {
		contested[forest.find(e.a)], contested[forest.find(e.b)] = true, true
	}
	result := make(map[uuid.UUID]Standing, len(members))
	for i, m := range members {
		root := forest.find(i)
		s := standings[i]
		s.Individual = forest.oldest[root]
		s.Contested = contested[root]
		result[m.Key] = s
	}
	return result
}

type edge struct {
	*insight.Link
	a, b int
}

// recordUser notes that member i is linked by evidence to other, when that is a
// USER_ID; a second, different one makes i shared.
func recordUser(members []Member, standings []Standing, i, other int) {
	if members[i].Kind == insight.UserID || members[other].Kind != insight.UserID {
		return
	}
	s, user := &standings[i], members[other].Key
	if s.UserKey != uuid.Nil && s.UserKey != user {
		s.Shared = true
	}
	if s.UserKey == uuid.Nil || bytes.Compare(user[:], s.UserKey[:]) < 0 {
		s.UserKey = user
	}
}

// compareLinks orders links by how they are taken: an operator's first, then by
// strength, time of observation and id.
func compareLinks(members []Member, x, y edge) int {
	if x.Operator != y.Operator {
		if x.Operator {
			return -1
		}
		return 1
	}
	strength := func(e edge) (stronger, weaker insight.IdentifierKind) {
		a, b := members[e.a].Kind, members[e.b].Kind
		return min(a, b), max(a, b)
	}
	xs, xw := strength(x)
	ys, yw := strength(y)
	return cmp.Or(
		cmp.Compare(xs, ys),
		cmp.Compare(xw, yw),
		x.ObservedAt.Compare(y.ObservedAt),
		bytes.Compare(x.ID[:], y.ID[:]),
	)
}

// forest is a disjoint-set forest that knows of each tree its oldest origin and
// whether a USER_ID is in it.
type forest struct {
	parent []int
	size   []int
	user   []bool
	oldest []uuid.UUID
}

func newForest(members []Member) *forest {
	f := &forest{
		parent: make([]int, len(members)), size: make([]int, len(members)),
		user: make([]bool, len(members)), oldest: make([]uuid.UUID, len(members)),
	}
	for i, m := range members {
		f.parent[i], f.size[i] = i, 1
		f.user[i] = m.Kind == insight.UserID
		f.oldest[i] = m.Origin
	}
	return f
}

func (f *forest) find(i int) int {
	for f.parent[i] != i {
		f.parent[i] = f.parent[f.parent[i]]
		i = f.parent[i]
	}
	return i
}

// conflict reports whether joining a and b would bring two USER_IDs together.
func (f *forest) conflict(a, b int) bool {
	a, b = f.find(a), f.find(b)
	return a != b && f.user[a] && f.user[b]
}

func (f *forest) union(a, b int) {
	a, b = f.find(a), f.find(b)
	if a == b {
		return
	}
	if f.size[a] < f.size[b] {
		a, b = b, a
	}
	f.parent[b] = a
	f.size[a] += f.size[b]
	f.user[a] = f.user[a] || f.user[b]
	if bytes.Compare(f.oldest[b][:], f.oldest[a][:]) < 0 {
		f.oldest[a] = f.oldest[b]
	}
}
