package simulate

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/acquaint/acquaint/insight"
)

// person is an individual in the making.
type person struct {
	p     *Population
	law   *law
	index int
	src   *rand.PCG
	rng   *rand.Rand
	self  Individual
	nu    float64 // rate of their spend
	store string
	// browsers are their own; the last one is the shared tablet, when there is one.
	browsers []device
	tablet   bool
	stray    string
	phone    device
	choices  *Choices // nil: they were never asked

	// Of the journey being drafted.
	path    []int
	lines   []line
	clock   time.Duration
	viewing string // the page they are on
	orders  int

	// Of the life being lived.
	spoken     []spoken
	registered time.Duration // when they first said who they are; negative before
}

// device is a browser or a phone.
type device struct {
	anonymousID string
	model       Device // of a phone
	shared      bool
	known       bool // they have logged in on it
	since       time.Duration
	lastVisit   int
}

// spoken is a message with its time.
type spoken struct {
	at       time.Duration
	message  Message
	answered bool // of an outbound one
}

const (
	personStream = iota + 1
	pairStream
	letterStream
)

func newPerson(p *Population, i int) *person {
	src := p.stream(personStream, uint64(i))
	b := &person{p: p, index: i, src: src, rng: rand.New(src), registered: -1}
	t := &p.truth
	b.self = Individual{UserID: userID(i), FirstName: pick(b, firstNames), LastName: pick(b, lastNames), Currency: "EUR", Country: "DE"}
	b.self.Email = b.self.UserID + "@example.com"
	if b.chance(t.Dollars) {
		b.self.Currency, b.self.Country = "USD", "US"
	}
	b.law = &p.answering
	if b.self.Unresponsive = b.chance(t.Unresponsive); b.self.Unresponsive {
		b.law = &p.silent
	}
	for _, c := range t.Consents {
		b.self.Consents = append(b.self.Consents, Consent{Purpose: c.Purpose, Granted: b.chance(c.Granted)})
	}
	b.choices = p.choices(b.self.Consents)
	b.self.Prospect = b.chance(t.Prospects)
	b.store = pick(b, stores)
	b.equip()
	return b
}

// equip gives the person their devices.
func (b *person) equip() {
	b.browsers = append(b.browsers, device{anonymousID: uuid(b.rng)})
	if b.chance(.4) {
		b.browsers = append(b.browsers, device{anonymousID: uuid(b.rng)})
	}
	b.stray = uuid(b.rng)
	b.phone = device{anonymousID: uuid(b.rng), model: pick(b, phones)}
	b.phone.model.ID = uuid(b.rng)
	pair := rand.New(b.p.stream(pairStream, uint64(b.index/2)))
	if pair.Float64() < b.p.truth.SharedPairs {
		b.browsers = append(b.browsers, device{anonymousID: uuid(pair), shared: true})
		b.tablet = true
	}
}

// live makes the person's life: purchases, the journeys that lead to them and
// the ones that lead nowhere, what was said on the way, and the business's outreach.
func (b *person) live() Individual {
	var purchases []time.Duration
	var converting, nulls []*draft
	without := 0
	if b.self.Prospect {
		without = 1 + geometric(b.p.truth.ProspectJourneys-1, b.rng)
	} else {
		purchases = b.purchases()
		without = geometric(b.law.firstNulls, b.rng)
		for range purchases[1:] {
			without += geometric(b.law.nulls, b.rng)
		}
	}
	for range purchases {
		converting = append(converting, b.journey(true))
	}
	for range without {
		nulls = append(nulls, b.journey(false))
	}
	var journeys []*draft
	journeys, b.self.Unplaced = b.arrange(purchases, converting, nulls)
	b.speak(journeys)
	b.reach(purchases)
	b.write()
	return b.self
}

// purchases draws the moments of all purchases within the span, at least one.
func (b *person) purchases() []time.Duration {
	t, end := &b.p.truth, b.p.span-2*margin
	b.self.Lambda = distuv.Gamma{Alpha: t.Purchases.R, Beta: t.Purchases.Alpha, Src: b.src}.Rand()
	b.self.Dropout = distuv.Beta{Alpha: t.Purchases.A, Beta: t.Purchases.B, Src: b.src}.Rand()
	b.nu = distuv.Gamma{Alpha: t.Spend.Q, Beta: t.Spend.V, Src: b.src}.Rand()
	b.self.MeanSpend = t.Spend.P / b.nu
	b.self.Alive = true

	first := time.Hour + time.Duration(b.rng.Int64N(int64(end-time.Hour)))
	out := []time.Duration{first}
	for {
		weeks := b.rng.ExpFloat64() / b.self.Lambda
		last := out[len(out)-1]
		if !(weeks < float64(end-last)/float64(insight.Week)) {
			return out
		}
		// Two purchases within a moment would be one to everyone who watches.
		next := last + max(time.Duration(weeks*float64(insight.Week)), 2*margin)
		if next >= end {
			return out
		}
		out = append(out, next)
		if b.chance(b.self.Dropout) {
			b.self.Alive = false
			return out
		}
	}
}

func (b *person) spend() float64 {
	return distuv.Gamma{Alpha: b.p.truth.Spend.P, Beta: b.nu, Src: b.src}.Rand()
}

// write puts what was said into order and gives it times and ids.
func (b *person) write() {
	slices.SortStableFunc(b.spoken, func(x, y spoken) int { return cmp.Compare(x.at, y.at) })
	prefix := "sim-" + strconv.FormatUint(b.p.seed, 16) + "-" + strconv.Itoa(b.index+1) + "-"
	b.self.Messages = make([]Message, len(b.spoken))
	previous := time.Time{}
	decided := false
	for k := range b.spoken {
		m := &b.self.Messages[k]
		*m = b.spoken[k].message
		m.MessageID = prefix + strconv.Itoa(k+1)
		m.Timestamp = b.p.from.Add(b.spoken[k].at.Truncate(insight.Precision))
		if !m.Timestamp.After(previous) {
			m.Timestamp = previous.Add(insight.Precision)
		}
		previous = m.Timestamp
		if m.Context.Direction == outbound {
			b.self.Touches = append(b.self.Touches, Touch{At: m.Timestamp, Channel: m.Context.Channel, Campaign: m.Context.Campaign.Name, Answered: b.spoken[k].answered})
		}
		if m.Type == "identify" && !decided {
			decided = true
			for c := range b.self.Consents {
				b.self.Consents[c].At = m.Timestamp
			}
		}
	}
}

func (b *person) chance(p float64) bool { return b.rng.Float64() < p }

func (b *person) seconds(from, to int64) time.Duration {
	return time.Duration(from*int64(time.Second) + b.rng.Int64N((to-from)*int64(time.Second)))
}

func (b *person) orderID(n int) string {
	return "O-" + strconv.Itoa(b.index+1) + "-" + strconv.Itoa(n)
}

func pick[T any](b *person, from []T) T { return from[b.rng.IntN(len(from))] }

// uuid draws a version 4 UUID, the form of Segment's anonymous ids.
func uuid(rng *rand.Rand) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], rng.Uint64())
	binary.BigEndian.PutUint64(raw[8:], rng.Uint64())
	raw[6] = raw[6]&0x0F | 0x40
	raw[8] = raw[8]&0x3F | 0x80
	var text [36]byte
	hex.Encode(text[0:8], raw[0:4])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	hex.Encode(text[9:13], raw[4:6])
	hex.Encode(text[14:18], raw[6:8])
	hex.Encode(text[19:23], raw[8:10])
	hex.Encode(text[24:36], raw[10:16])
	return string(text[:])
}
