package smallgroup_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/internal/script"
)

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		floor, err := floorOf(q.Ask)
		if err != nil {
			return nil, err
		}
		before, err := groups(q.Load)
		if err != nil {
			return nil, err
		}
		changes, err := groups(q.Detail)
		if err != nil {
			return nil, err
		}
		now := before.with(changes)
		switch q.Ask.Words[0] {
		case "each":
			return now.tell(floor.Numbers(now.individuals()), smallgroup.Number{}), nil
		case "parts":
			total, cells := floor.Partition(now.individuals())
			return append(now.tell(cells, total), "total "+total.String()), nil
		case "steps":
			steps := floor.Nested(now.individuals())
			return now.tell(steps, steps[0]), nil
		case "money":
			return now.value(floor), nil
		case "changes":
			_, cells0 := floor.Partition(before.individuals())
			_, cells := floor.Partition(now.individuals())
			return now.change(cells, cells0), nil
		}
		return nil, fmt.Errorf("one asks for each, parts, steps, money or changes")
	})
}

// floorOf reads who asks: scopes=insights:read and floor=10 where nothing is said.
func floorOf(ask script.Line) (smallgroup.Floor, error) {
	viewer, purpose := &insight.Viewer{Scopes: []insight.Scope{insight.ScopeInsightsRead}}, &insight.Purpose{Floor: 10}
	if text := ask.Option("scopes"); text != "" {
		viewer.Scopes = nil
		for scope := range strings.SplitSeq(text, ",") {
			viewer.Scopes = append(viewer.Scopes, insight.Scope(scope))
		}
	}
	var err error
	if text := ask.Option("floor"); text != "" {
		purpose.Floor, err = strconv.Atoi(text)
	}
	return smallgroup.For(viewer, purpose), err
}

type group struct {
	name        string
	individuals int
	worth       smallgroup.Worth
}

type groupList []group

// groups reads lines of a name, a number of individuals, and optionally what they
// have: sum=, largest= and of=, which is how many have any.
func groups(lines []script.Line) (groupList, error) {
	var all groupList
	for _, line := range lines {
		if len(line.Words) < 2 {
			return nil, fmt.Errorf("%s: a group is a name and how many they are", line.At)
		}
		n, err := strconv.Atoi(line.Words[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line.At, err)
		}
		g := group{name: line.Words[0], individuals: n, worth: smallgroup.Worth{Individuals: n}}
		for name, into := range map[string]*float64{"sum": &g.worth.Sum, "largest": &g.worth.Largest} {
			if text := line.Option(name); text != "" {
				if *into, err = strconv.ParseFloat(text, 64); err != nil {
					return nil, fmt.Errorf("%s: %w", line.At, err)
				}
			}
		}
		if text := line.Option("of"); text != "" {
			if g.worth.Individuals, err = strconv.Atoi(text); err != nil {
				return nil, fmt.Errorf("%s: %w", line.At, err)
			}
		}
		all = append(all, g)
	}
	return all, nil
}

// with are the groups with some of them as they are now.
func (all groupList) with(changes groupList) groupList {
	now := append(groupList(nil), all...)
	for _, c := range changes {
		for i := range now {
			if now[i].name == c.name {
				now[i] = c
			}
		}
	}
	return now
}

func (all groupList) individuals() []int {
	list := make([]int, len(all))
	for i, g := range all {
		list[i] = g.individuals
	}
	return list
}

// tell says what is shown, with its share of the whole where there is one.
func (all groupList) tell(shown []smallgroup.Number, whole smallgroup.Number) []string {
	lines := make([]string, len(all))
	for i, g := range all {
		lines[i] = g.name + " " + shown[i].String()
		if rate := smallgroup.Rate(shown[i], whole); rate != nil {
			lines[i] += fmt.Sprintf(", %.4g of all", *rate)
		}
	}
	return lines
}

func (all groupList) value(floor smallgroup.Floor) []string {
	lines := make([]string, len(all))
	for i, g := range all {
		shown := floor.Number(g.individuals)
		lines[i] = g.name + " " + shown.String() + ", value "
		if value := floor.Value(shown, g.worth); value != nil {
			lines[i] += strconv.FormatFloat(*value, 'f', -1, 64)
		} else {
			lines[i] += "suppressed"
		}
	}
	return lines
}

func (all groupList) change(now, before []smallgroup.Number) []string {
	lines := make([]string, len(all))
	for i, g := range all {
		lines[i] = g.name + " suppressed"
		if change := smallgroup.Change(now[i], before[i]); change != nil {
			lines[i] = fmt.Sprintf("%s %+d", g.name, *change)
		}
	}
	return lines
}
