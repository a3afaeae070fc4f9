package simulate

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
)

// speak turns journeys, in order of time, into messages: it gives each visit a
// device, and lets the person log in on it sooner or later.
func (b *person) speak(journeys []*draft) {
	visits := b.assign(journeys)
	visit := -1
	bought := (*Properties)(nil)
	for _, d := range journeys {
		first := len(b.spoken)
		previous := time.Duration(-1)
		for k := range d.touches {
			t := &d.touches[k]
			if t.role == landing && !d.stray {
				visit++
			}
			following := time.Duration(-1)
			if k+1 < len(d.touches) {
				following = d.at(&d.touches[k+1].lines[0])
			}
			switch {
			case d.stray:
				b.speakUnknown(d, t)
			case t.role == landing || t.role == browsing:
				leaving := k+1 == len(d.touches) || d.touches[k+1].role != browsing
				on := &b.browsers[visits[visit]]
				must := t.key == channel.Email || d.converted && k+1 == len(d.touches) || leaving && on.lastVisit == visit
				b.speakOnBrowser(d, t, on, must, previous, following)
			default:
				b.speakAsThemselves(d, t, previous, bought)
			}
			last := &t.lines[len(t.lines)-1]
			previous = d.at(last)
			if d.converted && k+1 == len(d.touches) {
				bought = last.message.Properties
			}
		}
		b.record(d, first)
	}
	for _, on := range b.browsers {
		if on.shared && on.known {
			b.self.SharedDevice = on.anonymousID
		}
	}
}

// assign chooses a browser for each visit, a tablet's first, so that everyone
// who has a tablet and visits at all is seen on it.
func (b *person) assign(journeys []*draft) []int {
	var visits []int
	own := len(b.browsers)
	if b.tablet {
		own--
	}
	for _, d := range journeys {
		if d.stray {
			continue
		}
		for k := range d.touches {
			if d.touches[k].role != landing {
				continue
			}
			on := 0
			switch {
			case b.tablet && (len(visits) == 0 || b.chance(.3)):
				on = own
			case own > 1 && b.chance(.25):
				on = 1
			}
			b.browsers[on].lastVisit = len(visits)
			visits = append(visits, on)
		}
	}
	return visits
}

func (b *person) speakUnknown(d *draft, t *touch) {
	b.self.StrayDevice = b.stray
	for k := range t.lines {
		if l := &t.lines[k]; !l.personal {
			m := l.message
			m.AnonymousID = b.stray
			b.spoken = append(b.spoken, spoken{at: d.at(l), message: m})
		}
	}
}

// speakOnBrowser says a touch's lines from a browser, under its anonymous id and,
// from the login on, under the person's own id too. On a tablet the login comes
// first, since what is said there without a name is nobody's.
func (b *person) speakOnBrowser(d *draft, t *touch, on *device, must bool, previous, following time.Duration) {
	if t.key == channel.Email {
		b.letter(d, t)
	}
	end := len(t.lines) - 1
	login := -1 // the line before which they log in; end+1: after the last
	switch {
	case on.known:
	case on.shared:
		login = 0
	case must || b.chance(.3):
		login = end
		if end == 0 || t.lines[end-1].personal {
			login = end + 1
		}
	}
	for k := range t.lines {
		l := &t.lines[k]
		at := d.at(l)
		if k == login {
			b.identify(before(at, previous), l.message.Context, on)
		}
		previous = at
		m := l.message
		if l.personal || on.known {
			m.UserID = b.self.UserID
		}
		if !l.personal {
			m.AnonymousID = on.anonymousID
		}
		b.spoken = append(b.spoken, spoken{at: at, message: m})
	}
	if login == end+1 {
		at := previous + time.Second
		if following >= 0 {
			at = min(at, previous+(following-previous)/2)
		}
		b.identify(at, t.lines[end].message.Context, on)
	}
}

// speakAsThemselves says what is said under a person's own id: in the app, in the
// store, to the call centre and to support.
func (b *person) speakAsThemselves(d *draft, t *touch, previous time.Duration, bought *Properties) {
	var on *device
	if t.role == inApp {
		on = &b.phone
	}
	for k := range t.lines {
		l := &t.lines[k]
		at := d.at(l)
		if on != nil && !on.known || b.registered < 0 {
			b.identify(before(at, previous), l.message.Context, on)
		}
		previous = at
		m := l.message
		m.UserID = b.self.UserID
		if on != nil {
			m.AnonymousID = on.anonymousID
		}
		if l.refundable && bought != nil {
			m.Event = "Order Refunded"
			m.Properties = &Properties{OrderID: bought.OrderID, Total: bought.Revenue, Currency: bought.Currency}
		}
		b.spoken = append(b.spoken, spoken{at: at, message: m})
	}
}

// identify says who the person is, in the circumstances of the line beside it,
// so that it belongs to the same touch.
func (b *person) identify(at time.Duration, c Context, on *device) {
	c.Consent = b.choices
	m := Message{Type: "identify", UserID: b.self.UserID, Context: c,
		Traits: &Traits{Email: b.self.Email, FirstName: b.self.FirstName, LastName: b.self.LastName, Country: b.self.Country}}
	if on != nil {
		m.AnonymousID = on.anonymousID
		on.known, on.since = true, at
	}
	if b.registered < 0 {
		b.registered = at
	}
	b.spoken = append(b.spoken, spoken{at: at, message: m})
}

// before is a moment just before at, and after the line before it.
func before(at, previous time.Duration) time.Duration {
	if previous < 0 {
		return at - time.Second
	}
	return at - min(time.Second, (at-previous)/2)
}

// record keeps a journey as planted; first is where its messages begin.
func (b *person) record(d *draft, first int) {
	j := Journey{Channels: make([]string, len(d.touches)), Converted: d.converted, Value: money(d.value), Stray: d.stray}
	for k := range d.touches {
		j.Channels[k] = d.touches[k].key
	}
	started := time.Duration(-1)
	for _, s := range b.spoken[first:] {
		if s.message.Context.Direction == outbound {
			continue
		}
		at := s.at.Truncate(insight.Precision)
		if started < 0 {
			started = at
		}
		j.StartedAt, j.EndedAt = b.p.from.Add(started), b.p.from.Add(at)
	}
	b.self.Journeys = append(b.self.Journeys, j)
}

const (
	outbound   = "outbound"
	letterSent = "Email Sent"
)

// letter says the e-mail that a touch on the channel email answers.
func (b *person) letter(d *draft, t *touch) {
	at := max(d.at(&t.lines[0])-b.seconds(300, 72000), 0)
	b.touchOut(at, letterSent, channel.Email, t.lines[0].message.Context.Campaign).answered = true
}

func (b *person) touchOut(at time.Duration, event, key string, campaign *Campaign) *spoken {
	b.spoken = append(b.spoken, spoken{at: at, message: Message{Type: "track", Event: event, UserID: b.self.UserID,
		Context: Context{Direction: outbound, Channel: key, Campaign: campaign}}})
	return &b.spoken[len(b.spoken)-1]
}

// reach says what the business sends unasked, to those who let it.
func (b *person) reach(purchases []time.Duration) {
	granted := false
	for _, c := range b.self.Consents {
		granted = granted || c.Purpose == "marketing" && c.Granted
	}
	if !granted || b.registered < 0 {
		return
	}
	t := &b.p.truth
	b.unanswered()
	b.campaign(t.Newsletter, b.registered, letterSent, channel.Email, "newsletter")
	if len(purchases) > 0 {
		b.campaign(t.Catalogue, max(b.registered, purchases[0]), "Direct Mail Sent", channel.DirectMail, "catalogue")
	}
	if b.phone.known {
		b.campaign(t.Push, b.phone.since, "Push Sent", channel.Push, "offers")
	}
}

// unanswered sends the letters that nobody answers, any time after the person first
// said who they are: so many that Response of all are answered by those who answer.
// Unresponsive people get as many letters for a journey as the others do.
func (b *person) unanswered() {
	room := b.p.span - margin - b.registered
	response := b.p.truth.Response
	if response == 0 || room <= 0 {
		return
	}
	// A source of its own, so that nothing else of the person depends on it.
	rng := rand.New(b.p.stream(letterStream, uint64(b.index)))
	n := 0
	if b.self.Unresponsive {
		for range b.self.Journeys {
			n += geometric(b.p.letters/response, rng)
		}
	} else {
		for _, s := range b.spoken {
			if s.answered {
				n += geometric((1-response)/response, rng)
			}
		}
	}
	letters := arrivals[channel.Email]
	for range n {
		b.touchOut(b.registered+time.Duration(rng.Int64N(int64(room))), letterSent, channel.Email, letters[rng.IntN(len(letters))].campaign)
	}
}

// campaign sends one touch a period from a moment on, at a time of the day of
// the person's own within six hours.
func (b *person) campaign(period, since time.Duration, event, key, name string) {
	if period <= 0 {
		return
	}
	offset := time.Duration(b.rng.Int64N(int64(min(6*time.Hour, period))))
	for n := since/period + 1; n*period+offset < b.p.span-margin; n++ {
		b.touchOut(n*period+offset, event, key, &Campaign{Name: name + "-" + strconv.FormatInt(int64(n), 10), Source: name, Medium: key})
	}
}
