package cohort

import (
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// ActivityOptions are what a lifecycle and a stickiness depend on beside the
// individuals: who was active in which bucket.
type ActivityOptions struct {
	Calendar
	Event *insight.Selector // what being active is; nil: anything inbound
	From  time.Time         // in the first bucket
	To    time.Time         // in the last bucket
	AsOf  time.Time         // later interactions do not exist, and buckets that begin later are neither reported nor counted
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid error
// for each fault, whose subject is the argument's name.
func (o ActivityOptions) Validate() error { return o.check(o.From, o.To, o.AsOf, o.Event) }

// Lifecycle counts who is new, returns, is back and falls silent.
type Lifecycle struct {
	matches    func(*insight.Interaction) bool
	asOf       time.Time
	buckets    Buckets // the first one is the one before the first that is asked for
	tally      []LifecycleBucket
	population int
}

// LifecycleReport is the lifecycle of a population.
type LifecycleReport struct {
	Population int               // individuals
	Buckets    []LifecycleBucket // in order, those that have begun
}

// LifecycleBucket is how many individuals are in which stage of life in a bucket.
type LifecycleBucket struct {
	From         time.Time // when the bucket starts, in UTC
	New          int       // active for the first time ever
	Returning    int       // active now and in the bucket before
	Resurrecting int       // active now, not in the bucket before, but earlier
	Dormant      int       // active in the bucket before and not now: negative or zero
}

// NewLifecycle makes a tally of nobody. The options are such that Validate accepts.
func NewLifecycle(o ActivityOptions) *Lifecycle {
	asked, _ := o.Between(o.From, o.To)
	buckets := o.before(asked)
	return &Lifecycle{matches: matcher(o.Event), asOf: o.AsOf, buckets: buckets, tally: make([]LifecycleBucket, buckets.Len())}
}

// never is no bucket, and comes before none.
const never = -2

// Add takes in one individual.
func (l *Lifecycle) Add(h *insight.History) {
	l.population++
	t := h.Timeline.AsOf(l.asOf)
	bounds := l.buckets.bounds
	first, end := position(t, bounds[0]), position(t, bounds[len(bounds)-1])
	seen := slices.ContainsFunc(t[:first], l.matches)
	last, i := never, 0 // the last bucket in which they were active; the one that is looked at
	for _, x := range t[first:end] {
		i = l.buckets.seek(i, x.OccurredAt.UnixMicro())
		if i == last || !l.matches(x) {
			continue
		}
		l.dormant(last, i)
		switch bucket := &l.tally[i]; {
		case !seen:
			bucket.New++
		case last == i-1:
			bucket.Returning++
		default:
			bucket.Resurrecting++
		}
		seen, last = true, i
	}
	l.dormant(last, l.buckets.Len())
}

// dormant tells the bucket after the last one in which they were active, unless that
// is the one in which they are active next.
func (l *Lifecycle) dormant(last, next int) {
	if last != never && last+1 < next {
		l.tally[last+1].Dormant--
	}
}

// Merge takes in all that another tally of the same options holds.
func (l *Lifecycle) Merge(other *Lifecycle) {
	l.population += other.population
	for i := range l.tally {
		b, o := &l.tally[i], &other.tally[i]
		b.New += o.New
		b.Returning += o.Returning
		b.Resurrecting += o.Resurrecting
		b.Dormant += o.Dormant
	}
}

// Report is the answer about all who were taken in.
func (l *Lifecycle) Report() LifecycleReport {
	r := LifecycleReport{Population: l.population, Buckets: []LifecycleBucket{}}
	for i := 1; i < l.buckets.begun(l.asOf); i++ {
		bucket := l.tally[i]
		bucket.From = l.buckets.Start(i)
		r.Buckets = append(r.Buckets, bucket)
	}
	return r
}
