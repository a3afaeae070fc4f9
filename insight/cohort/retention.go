package cohort

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Mode is whom a cohort holds and what counts as retained. The text is the API's.
type Mode string

// The modes.
const (
	Recurring Mode = "RECURRING"  // all who started in its bucket; who returned in a bucket
	FirstTime Mode = "FIRST_TIME" // who started in its bucket for the first time ever; who returned in a bucket
	Rolling   Mode = "ROLLING"    // all who started in its bucket; who returned in a bucket or later
)

// DefaultMode is the mode when nobody says.
const DefaultMode = Recurring

// MaxCohorts is how many buckets a retention may have: the days of a leap year. Its
// answer has as many rows and as many columns.
const MaxCohorts = 366

// RetentionOptions are what a retention depends on beside the individuals.
type RetentionOptions struct {
	Calendar
	Start     *insight.Selector // what puts one in a cohort; nil: anything inbound
	Returning *insight.Selector // what returning is; nil: the same as Start
	From      time.Time         // in the first bucket
	Buckets   int               // how many rows and columns
	Mode      Mode
	AsOf      time.Time // later interactions do not exist, and buckets that begin later are not reported
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid error
// for each fault, whose subject is the argument's name.
func (o RetentionOptions) Validate() error {
	errs := []error{
		o.Calendar.Validate(), checkSelector("start", o.Start), checkSelector("returning", o.Returning),
		insight.CheckTime("from", o.From), checkAsOf(o.AsOf),
	}
	if o.Buckets < 1 || o.Buckets > MaxCohorts {
		errs = append(errs, insight.NewError(insight.Invalid, "buckets", fmt.Sprintf("it is not from 1 to %d", MaxCohorts)))
	}
	if o.Mode != Recurring && o.Mode != FirstTime && o.Mode != Rolling {
		errs = append(errs, insight.NewError(insight.Invalid, "mode", "it is none of RECURRING, FIRST_TIME, ROLLING"))
	}
	return errors.Join(errs...)
}

// Retention counts who of those that started together came back when.
type Retention struct {
	starts     func(*insight.Interaction) bool
	returns    func(*insight.Interaction) bool // nil: the same
	mode       Mode
	asOf       time.Time
	columns    int
	rows       int
	buckets    Buckets // all that any row looks at and that have begun
	sizes      []int
	cells      []int // row by row; in ROLLING who returned there for the last time
	population int

	started, returned []int // the buckets of whom is being added, in order; kept for their memory
}

// RetentionReport is the retention of a population.
type RetentionReport struct {
	Population int      // individuals, also those in no cohort
	Columns    int      // of the matrix: the buckets that were asked for
	Cohorts    []Cohort // in order, those whose bucket has begun
}

// Cohort is who started together.
type Cohort struct {
	From   time.Time // when its bucket starts, in UTC
	Size   int
	Counts []int // who returned 0, 1, 2 … buckets later; the first is Size. Shorter than Columns where buckets have not begun
}

// NewRetention makes a tally of nobody. The options are such that Validate accepts.
func NewRetention(o RetentionOptions) *Retention {
	r := &Retention{
		starts: matcher(o.Start), mode: o.Mode, asOf: o.AsOf, columns: o.Buckets,
		buckets: o.Calendar.From(o.From, 2*o.Buckets-1, o.AsOf),
	}
	if o.Returning != nil {
		r.returns = o.Returning.Matcher()
	}
	r.rows = min(o.Buckets, r.buckets.Len())
	r.sizes = make([]int, r.rows)
	r.cells = make([]int, r.rows*r.columns)
	return r
}

// Add takes in one individual.
func (r *Retention) Add(h *insight.History) {
	r.population++
	t := h.Timeline.AsOf(r.asOf)
	bounds := r.buckets.bounds
	first := position(t, bounds[0])
	if r.mode == FirstTime && slices.ContainsFunc(t[:first], r.starts) {
		return
	}
	t = t[first:]
	if r.mode != Rolling {
		t = t[:position(t, bounds[len(bounds)-1])]
	}
	r.read(t)
	later := r.returned
	for _, row := range r.started {
		r.sizes[row]++
		for len(later) > 0 && later[0] <= row {
			later = later[1:]
		}
		r.count(r.cells[row*r.columns:(row+1)*r.columns], row, later)
	}
}

// read finds the buckets in which one starts and returns; one after all of them is
// that which follows the last.
func (r *Retention) read(t insight.Timeline) {
	r.started, r.returned = r.started[:0], r.returned[:0]
	i := 0
	for _, x := range t {
		i = r.buckets.seek(i, x.OccurredAt.UnixMicro())
		starts := i < r.rows && !endsWith(r.started, i) && (r.mode != FirstTime || len(r.started) == 0)
		returns := !endsWith(r.returned, i)
		if r.returns == nil {
			if !starts && !returns || !r.starts(x) {
				continue
			}
		} else {
			starts = starts && r.starts(x)
			returns = returns && r.returns(x)
		}
		if starts {
			r.started = append(r.started, i)
		}
		if returns {
			r.returned = append(r.returned, i)
		}
	}
}

func endsWith(buckets []int, i int) bool {
	return len(buckets) > 0 && buckets[len(buckets)-1] == i
}

// count adds to a row the buckets after it in which one of its cohort returned.
func (r *Retention) count(cells []int, row int, later []int) {
	if len(later) == 0 {
		return
	}
	if r.mode == Rolling {
		cells[min(later[len(later)-1]-row, r.columns-1)]++
		return
	}
	for _, bucket := range later {
		if bucket-row >= r.columns {
			return
		}
		cells[bucket-row]++
	}
}

// Merge takes in all that another tally of the same options holds.
func (r *Retention) Merge(other *Retention) {
	r.population += other.population
	for i, n := range other.sizes {
		r.sizes[i] += n
	}
	for i, n := range other.cells {
		r.cells[i] += n
	}
}

// Report is the answer about all who were taken in.
func (r *Retention) Report() RetentionReport {
	report := RetentionReport{Population: r.population, Columns: r.columns, Cohorts: []Cohort{}}
	for row, size := range r.sizes {
		counts := slices.Clone(r.cells[row*r.columns : (row+1)*r.columns])
		if r.mode == Rolling {
			for j := len(counts) - 2; j > 0; j-- {
				counts[j] += counts[j+1]
			}
		}
		counts[0] = size
		report.Cohorts = append(report.Cohorts, Cohort{
			From: r.buckets.Start(row), Size: size, Counts: counts[:min(r.columns, r.buckets.Len()-row)],
		})
	}
	return report
}
