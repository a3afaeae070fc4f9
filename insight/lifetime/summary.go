package lifetime

import (
	"time"

	"github.com/acquaint/acquaint/insight"
)

// maxSpend is the largest total of a day that counts as a spend. Beyond it a
// float64 holds no cents any more.
const maxSpend = 1e13

// Summary is all that the models need to know of one individual who has purchased.
type Summary struct {
	Frequency int     // x: days with a purchase after the first such day
	Recency   float64 // t_x: weeks from the first day to the last; 0 when there is one day
	Age       float64 // T: weeks from the first day to the day of asOf
	Spends    int     // of the x days, those whose values add up to more than 0
	MeanSpend float64 // per such day; 0 when there is none
}

// Of answers for one individual, and false for one who has not purchased by
// options.AsOf. The timeline may be in any order and repeat itself; it is not
// changed.
func Of(t insight.Timeline, options *Options) (Summary, bool) {
	r, ok := observe(t.Ordered(), options, options.Event.Matcher())
	return r.summary(), ok
}

// record is what is kept of individuals of whom the same is known. Days are whole,
// so that those who are alike fall together.
type record struct {
	repeats int32 // x
	last    int32 // t_x in days
	age     int32 // T in days
	spends  int32
	mean    float64 // spend per spending day
	count   int64   // of individuals
}

func (r *record) summary() Summary {
	return Summary{Frequency: int(r.repeats), Recency: weeks(r.last), Age: weeks(r.age), Spends: int(r.spends), MeanSpend: r.mean}
}

func weeks(days int32) float64 { return float64(days) / 7 }

// observe folds an ordered timeline. Its values are added in the timeline's order,
// which makes the sum the same always.
func observe(t insight.Timeline, options *Options, matches func(*insight.Interaction) bool) (record, bool) {
	var r record
	var first, last int64
	var total, spent float64
	seen := false
	endDay := func() {
		if r.repeats > 0 && total > 0 && total <= maxSpend {
			r.spends++
			spent += total
		}
		total = 0
	}
	for _, x := range t.AsOf(options.AsOf) {
		if !matches(x) {
			continue
		}
		switch day := dayOf(x.OccurredAt, options.Zone); {
		case !seen:
			seen, first, last = true, day, day
		case day > last: // where clocks went back over midnight, the day before may come again
			endDay()
			r.repeats++
			last = day
		}
		if x.Value != nil {
			total += *x.Value
		}
	}
	if !seen {
		return record{}, false
	}
	endDay()
	r.last = int32(last - first)
	r.age = max(int32(dayOf(options.AsOf, options.Zone)-first), r.last)
	if r.spends > 0 {
		r.mean = spent / float64(r.spends)
	}
	r.count = 1
	return r, true
}

// dayOf numbers the days of a zone.
func dayOf(t time.Time, zone *time.Location) int64 {
	_, offset := t.In(zone).Zone()
	const length = 24 * 60 * 60
	seconds := t.Unix() + int64(offset)
	day := seconds / length
	if seconds%length < 0 {
		day--
	}
	return day
}
