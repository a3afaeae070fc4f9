package journey

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/exact"
)

// What a question about paths means when it does not say.
const (
	DefaultMaxLength = 5
	DefaultTop       = 20
)

const (
	maxMaxLength = 20
	maxTop       = 100
)

// PathOptions are what the paths of a population depend on beside it.
type PathOptions struct {
	Event      insight.Selector  // which interactions exist, beside conversions; the zero value: all, of either direction
	Conversion *insight.Selector // what ends a journey; nil: only silence does
	Lookback   time.Duration     // the longest gap within a journey, such as [DefaultLookback]
	MaxLength  int               // the most touchpoints that are told of a path, 1 to 20, such as [DefaultMaxLength]
	Top        int               // how many paths are reported, 1 to 100, such as [DefaultTop]
	AsOf       time.Time         // later interactions do not exist
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid
// error for each fault, whose subject is the argument's name: lookback, asOf,
// maxLength, top, or a path that starts with event or conversion.
func (o PathOptions) Validate() error {
	errs := []error{o.Event.Validate("event"), Options{Conversion: o.Conversion, Lookback: o.Lookback, AsOf: o.AsOf}.Validate()}
	within := func(subject string, n, most int) {
		if n < 1 || n > most {
			errs = append(errs, insight.NewError(insight.Invalid, subject, fmt.Sprintf("it is not between 1 and %d", most)))
		}
	}
	within("maxLength", o.MaxLength, maxMaxLength)
	within("top", o.Top, maxTop)
	return errors.Join(errs...)
}

// Paths counts along which channels the journeys of a population went. It is made
// by [NewPaths] and not for concurrent use: tallies that were made apart are merged.
// It takes memory for each distinct path.
type Paths struct {
	options    PathOptions
	matches    func(*insight.Interaction) bool // nil: everything
	converts   func(*insight.Interaction) bool
	population int
	channels   numbers
	paths      map[string]*path // by whether they are cut and the numbers of their channels
	all        path
	way        []uint32 // the current journey's channels
	key        []byte
}

// path is what is known of the journeys of one path, or of all.
type path struct {
	journeys    int
	individuals int
	latest      int // the individual who came along it last, as their place in the population
	conversions int
	value       exact.Sum
}

func (p *path) add(individual int, conversion *insight.Interaction) {
	p.journeys++
	if p.latest != individual {
		p.latest = individual
		p.individuals++
	}
	if conversion == nil {
		return
	}
	p.conversions++
	if conversion.Value != nil {
		p.value.Add(*conversion.Value)
	}
}

func (p *path) merge(o *path) {
	p.journeys += o.journeys
	p.individuals += o.individuals
	p.conversions += o.conversions
	p.value.Merge(&o.value)
}

// worth is the sum of the values, or nil where there is none.
func (p *path) worth() *float64 {
	total := p.value.Float64()
	if math.IsNaN(total) || math.IsInf(total, 0) {
		return nil
	}
	return &total
}

// NewPaths returns an empty tally. The options are ones that [PathOptions.Validate]
// accepts.
func NewPaths(options PathOptions) *Paths {
	p := &Paths{options: options, matches: matcher(&options.Event), channels: newNumbers(), paths: make(map[string]*path)}
	if options.Conversion != nil {
		p.converts = options.Conversion.Matcher()
	}
	return p
}

// Add takes in one individual's whole history, who is not in the tally yet.
func (p *Paths) Add(h *insight.History) {
	p.population++
	p.way = p.way[:0]
	way := trail{lookback: p.options.Lookback}
	for _, x := range known(h.Timeline, p.options.AsOf) {
		converts := p.converts != nil && p.converts(x)
		if !converts && p.matches != nil && !p.matches(x) {
			continue
		}
		switch way.step(x) {
		case newJourney:
			p.end(nil)
			p.way = append(p.way, p.channels.of(x.Channel))
		case touchpoint:
			p.way = append(p.way, p.channels.of(x.Channel))
		case nothing:
		}
		if converts {
			p.end(x)
			way.convert()
		}
	}
	p.end(nil)
}

// end counts the current journey, if there is one, with the conversion that it ended with, if it did.
func (p *Paths) end(conversion *insight.Interaction) {
	if len(p.way) == 0 {
		return
	}
	last := p.way[max(len(p.way)-p.options.MaxLength, 0):]
	p.of(len(last) < len(p.way), last).add(p.population, conversion)
	p.all.add(p.population, conversion)
	p.way = p.way[:0]
}

func (p *Paths) of(cut bool, channels []uint32) *path {
	p.key = append(p.key[:0], 0)
	if cut {
		p.key[0] = 1
	}
	for _, c := range channels {
		p.key = binary.AppendUvarint(p.key, uint64(c))
	}
	one := p.paths[string(p.key)]
	if one == nil {
		one = new(path)
		p.paths[string(p.key)] = one
	}
	return one
}

// read is the inverse of the key that of makes.
func read(key string) (cut bool, channels []uint32) {
	rest := []byte(key[1:])
	for len(rest) > 0 {
		c, n := binary.Uvarint(rest)
		channels, rest = append(channels, uint32(c)), rest[n:]
	}
	return key[0] == 1, channels
}

// Merge takes in all of another tally, which was made with the same options of
// other individuals and stays as it is.
func (p *Paths) Merge(o *Paths) {
	p.population += o.population
	p.all.merge(&o.all)
	number := make([]uint32, len(o.channels.keys)) // in p, of the channels of o
	for i, key := range o.channels.keys {
		number[i] = p.channels.ofKey(key)
	}
	for key, theirs := range o.paths {
		cut, channels := read(key)
		for i, c := range channels {
			channels[i] = number[c]
		}
		p.of(cut, channels).merge(theirs)
	}
}

// PathReport is along which channels a population's journeys went, open ones
// included.
type PathReport struct {
	Population  int      // individuals, with those who have no journey
	Individuals int      // who have one
	Journeys    int      // all of them, also those whose path is not among Paths
	Conversions int      // journeys that converted
	Value       *float64 // of their conversions; nil when it is more than can be added up
	Distinct    int      // paths there are
	Paths       []Path   // the most frequent ones, then those that convert more, then by their channels' keys
}

// Path is the journeys that went along the same channels.
type Path struct {
	Channels    []string // keys of the touchpoints' channels, in order
	Cut         bool     // whether touchpoints before these are left out
	Journeys    int
	Individuals int // who made one of them at least
	Conversions int // journeys that converted
	Value       *float64
}

// Report answers for all who were added.
func (p *Paths) Report() PathReport {
	r := PathReport{
		Population: p.population, Individuals: p.all.individuals, Journeys: p.all.journeys, Conversions: p.all.conversions,
		Value: p.all.worth(), Distinct: len(p.paths), Paths: make([]Path, 0, len(p.paths)),
	}
	for key, one := range p.paths {
		cut, way := read(key)
		channels := make([]string, len(way))
		for i, c := range way {
			channels[i] = p.channels.keys[c]
		}
		r.Paths = append(r.Paths, Path{
			Channels: channels, Cut: cut, Journeys: one.journeys, Individuals: one.individuals,
			Conversions: one.conversions, Value: one.worth(),
		})
	}
	slices.SortFunc(r.Paths, func(a, b Path) int {
		whole := 0
		if a.Cut != b.Cut {
			if whole = -1; a.Cut {
				whole = 1
			}
		}
		return cmp.Or(cmp.Compare(b.Journeys, a.Journeys), cmp.Compare(b.Conversions, a.Conversions), slices.Compare(a.Channels, b.Channels), whole)
	})
	r.Paths = slices.Clone(r.Paths[:min(len(r.Paths), p.options.Top)])
	return r
}
