package simulate

import (
	"cmp"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
)

// Options say which population.
type Options struct {
	Seed        uint64
	Individuals int
	From, To    time.Time // the span, From included, To not; From defaults to 365 days before To, and To has no default
	Truth       *Truth    // nil: DefaultTruth
}

// Population is a simulated population. It holds its parameters and no person,
// and is safe for use by several goroutines at once.
type Population struct {
	seed      uint64
	size      int
	from      time.Time
	span      time.Duration
	truth     Truth
	answering law
	silent    law
	letters   float64 // visits by e-mail in a journey, on average, of those who answer
	// categories are the names under which messages tell of each purpose.
	categories map[string][]string
}

// New checks the options. It fails with an Invalid error for a negative size, a
// missing To, a span shorter than a week or longer than a hundred years, and a
// truth that contradicts itself.
func New(o Options) (*Population, error) {
	if o.Individuals < 0 {
		return nil, insight.NewError(insight.Invalid, "individuals", "a population is not negative")
	}
	if o.To.IsZero() {
		return nil, insight.NewError(insight.Invalid, "to", "the end of the span must be given")
	}
	if o.From.IsZero() {
		o.From = o.To.Add(-insight.Year)
	}
	p := &Population{seed: o.Seed, size: o.Individuals, from: insight.Moment(o.From)}
	to := insight.Moment(o.To)
	if err := insight.CheckTime("from", p.from); err != nil {
		return nil, err
	}
	if err := insight.CheckTime("to", to); err != nil {
		return nil, err
	}
	p.span = to.Sub(p.from)
	if p.span < insight.Week || p.span > 100*insight.Year {
		return nil, insight.NewError(insight.Invalid, "from, to", "the span must be between a week and a hundred years")
	}
	if o.Truth != nil {
		p.truth = *o.Truth
	} else {
		p.truth = DefaultTruth()
	}
	if err := p.truth.check(); err != nil {
		return nil, err
	}
	var err error
	if p.answering, err = newLaw(p.truth.Chain, &p.truth); err != nil {
		return nil, err
	}
	if p.letters, err = p.truth.Chain.Visits(channel.Email); err != nil {
		return nil, err
	}
	p.categories = map[string][]string{}
	for _, purpose := range insight.DefaultPurposes() {
		p.categories[purpose.Key] = purpose.Categories
	}
	if p.truth.Unresponsive > 0 {
		if p.silent, err = newLaw(p.truth.Chain.Without(channel.Email), &p.truth); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// choices are consents in the words of messages, and nil when there are none.
func (p *Population) choices(consents []Consent) *Choices {
	said := map[string]bool{}
	for _, c := range consents {
		for _, name := range p.categories[c.Purpose] {
			said[name] = c.Granted
		}
	}
	if len(said) == 0 {
		return nil
	}
	return &Choices{Categories: said}
}

// Truth is what was planted. Its slices are the population's own: read them only.
func (p *Population) Truth() Truth { return p.truth }

// Size is the number of individuals.
func (p *Population) Size() int { return p.size }

// Span is the simulated time: From included, To not.
func (p *Population) Span() (from, to time.Time) { return p.from, p.from.Add(p.span) }

// Individual is one simulated person: what is true of them, and what they and
// the business did.
type Individual struct {
	UserID       string // "user-00001" for the first
	Email        string // "user-00001@example.com"
	FirstName    string
	LastName     string
	Country      string // ISO 3166
	Currency     string // ISO 4217, of all their purchases
	Unresponsive bool   // never answers an outbound e-mail
	Consents     []Consent
	SharedDevice string // the anonymous id of the tablet that they share and have used, or empty
	StrayDevice  string // the anonymous id that nothing links to them, or empty

	Prospect  bool    // never buys; the four below are then zero
	Lambda    float64 // purchases a week while alive
	Dropout   float64 // p: the probability of being gone after a repeat purchase
	MeanSpend float64 // P / nu: what a purchase of theirs is worth on average
	Alive     bool    // not gone at the end of the span

	Journeys []Journey // by start
	Touches  []Touch   // by time: what the business sent
	Unplaced int       // journeys without a purchase for which the span had no room
	Messages []Message // by time, no two inbound ones at the same
}

// Consent is a decision about a purpose.
type Consent struct {
	Purpose string
	Granted bool
	At      time.Time // when they first said who they are
}

// Touch is something that the business sent to somebody.
type Touch struct {
	At       time.Time
	Channel  string
	Campaign string
	Answered bool // by a visit on the channel within 20 hours, as planted
}

// Journey is one run through the chain, as planted.
type Journey struct {
	Channels  []string
	Converted bool
	Value     float64   // of the purchase; zero without one
	StartedAt time.Time // first inbound message
	EndedAt   time.Time // last inbound message: the purchase when it converted
	Stray     bool      // on the stray device, under its anonymous id alone
}

// Individual makes person i, counted from 0. It depends on the seed, the span,
// the truth and i alone, so that people can be made in any order. It panics when
// i is outside the population, as an index does.
func (p *Population) Individual(i int) Individual {
	if i < 0 || i >= p.size {
		panic(fmt.Sprintf("simulate: individual %d of %d", i, p.size))
	}
	return newPerson(p, i).live()
}

// All yields every person in order.
func (p *Population) All() iter.Seq[Individual] {
	return func(yield func(Individual) bool) {
		for i := range p.size {
			if !yield(p.Individual(i)) {
				return
			}
		}
	}
}

// Batches yields all messages in batches of size (the last one may be smaller),
// as a server receives them from many people at once: people individuals are made
// at a time, and their messages are merged by time. Every batch is the
// receiver's to keep. It panics when either argument is not positive.
func (p *Population) Batches(size, people int) iter.Seq[[]Message] {
	if size <= 0 || people <= 0 {
		panic("simulate: a batch and its group must be positive")
	}
	people = min(people, max(p.size, 1))
	return func(yield func([]Message) bool) {
		batch := make([]Message, 0, size)
		for first := 0; first < p.size; first += people {
			for _, m := range p.merged(first, min(first+people, p.size)) {
				if batch = append(batch, *m); len(batch) == size {
					if !yield(batch) {
						return
					}
					batch = make([]Message, 0, size)
				}
			}
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// merged is what some individuals say, by time, and by person at the same time.
func (p *Population) merged(first, end int) []*Message {
	type key struct {
		at      int64
		message *Message
	}
	var keys []key
	for i := first; i < end; i++ {
		messages := p.Individual(i).Messages
		for k := range messages {
			keys = append(keys, key{messages[k].Timestamp.UnixMicro(), &messages[k]})
		}
	}
	slices.SortStableFunc(keys, func(a, b key) int { return cmp.Compare(a.at, b.at) })
	out := make([]*Message, len(keys))
	for k := range keys {
		out[k] = keys[k].message
	}
	return out
}

// stream is a person's (or a pair's) own source of randomness.
func (p *Population) stream(kind, index uint64) *rand.PCG {
	return rand.NewPCG(scramble(p.seed+kind*0x9E3779B97F4A7C15), scramble(scramble(p.seed)^scramble(index+kind<<56)))
}

// scramble is SplitMix64's finaliser (Steele, Lea and Flood 2014): neighbouring
// seeds and indexes must not give neighbouring states.
func scramble(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func userID(i int) string {
	digits := strconv.Itoa(i + 1)
	if len(digits) < 5 {
		digits = "00000"[len(digits):] + digits
	}
	return "user-" + digits
}
