package attribution

// chain counts how journeys went on, for MARKOV.
type chain struct {
	order  int
	states []state // the start is the first
	byTail map[tail]int32
	steps  []step
	bySide map[uint64]int32 // from a state and an account to the step
}

// tail is the last accounts of a path, the newest first, each plus one; 0 where the
// path has not been so long or the order is not so high.
type tail [MaxOrder]int32

// state is how often journeys ended after a tail.
type state struct {
	tail        tail
	conversions int64
	nulls       int64
}

// step is how often journeys went from one state to another.
type step struct {
	from, to int32
	count    int64
}

func newChain(order int) chain {
	return chain{order: order, states: make([]state, 1), byTail: map[tail]int32{{}: 0}, bySide: map[uint64]int32{}}
}

// walk takes in a path so many times.
func (c *chain) walk(accounts []int32, conversions, nulls int64) {
	at, last := int32(0), int32(-1)
	for _, account := range accounts {
		if account == last {
			continue
		}
		last = account
		at = c.follow(at, account, conversions+nulls)
	}
	c.states[at].conversions += conversions
	c.states[at].nulls += nulls
}

// follow counts a step from a state along an account, and returns where it leads.
func (c *chain) follow(from, account int32, count int64) int32 {
	side := uint64(from)<<32 | uint64(account)
	i, ok := c.bySide[side]
	if !ok {
		next := c.states[from].tail
		copy(next[1:c.order], next[:])
		next[0] = account + 1
		i = int32(len(c.steps))
		c.bySide[side] = i
		c.steps = append(c.steps, step{from: from, to: c.state(next)})
	}
	c.steps[i].count += count
	return c.steps[i].to
}

// state finds or opens the state with a tail.
func (c *chain) state(t tail) int32 {
	i, ok := c.byTail[t]
	if !ok {
		i = int32(len(c.states))
		c.byTail[t] = i
		c.states = append(c.states, state{tail: t})
	}
	return i
}

// merge takes in another chain, whose accounts are called otherwise here.
func (c *chain) merge(o *chain, mine []int32) {
	here := make([]int32, len(o.states))
	for i, s := range o.states {
		var t tail
		for k, account := range s.tail {
			if account > 0 {
				t[k] = mine[account-1] + 1
			}
		}
		here[i] = c.state(t)
		c.states[here[i]].conversions += s.conversions
		c.states[here[i]].nulls += s.nulls
	}
	for _, s := range o.steps {
		c.follow(here[s.from], mine[o.states[s.to].tail[0]-1], s.count)
	}
}
