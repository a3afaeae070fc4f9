package simulate

import (
	"math"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
)

// line is a message in the making, without its time and its sender.
type line struct {
	message    Message
	after      time.Duration // since the journey's first line
	personal   bool          // known by who the person is, not by a device
	refundable bool          // becomes a refund if the person has bought something
}

// touch is a stay on one channel.
type touch struct {
	key   string
	role  role
	lines []line
}

// draft is a journey before it has a place in time.
type draft struct {
	touches   []touch
	length    time.Duration // from the first line to the last
	converted bool
	value     int64 // of the purchase, in cents
	anonymous bool  // could have happened without anyone being known
	stray     bool

	begin time.Duration // since the span's start
	scale float64       // below 1 where there was less room than length
}

// at is when a line of the journey is said, since the span's start.
func (d *draft) at(l *line) time.Duration {
	return d.begin + time.Duration(d.scale*float64(l.after))
}

// journey drafts a run through the chain that ends as asked.
func (b *person) journey(converted bool) *draft {
	b.path = b.law.path(b.path, converted, b.rng)
	d := &draft{touches: make([]touch, 0, len(b.path)), converted: converted, anonymous: true, scale: 1}
	b.clock = 0
	for k, state := range b.path {
		t := touch{key: b.law.keys[state], role: b.law.roles[state]}
		if k > 0 {
			b.clock += b.pause(t.role)
		}
		b.lines = nil
		last := converted && k == len(b.path)-1
		switch t.role {
		case landing:
			b.land(t.key)
		case browsing:
			b.browse(last)
		case inApp:
			b.useApp(last)
		case inStore:
			b.visitStore(last)
		case calling:
			b.say(Message{Type: "track", Event: "Support Call", Context: Context{Channel: t.key},
				Properties: &Properties{Topic: pick(b, topics), Seconds: 40 + b.rng.IntN(900)}}).personal = true
		case asking:
			l := b.say(Message{Type: "track", Event: "Ticket Opened", Context: Context{Channel: t.key}, Properties: &Properties{Topic: pick(b, topics)}})
			l.personal, l.refundable = true, b.chance(.4)
		}
		if last {
			d.value = b.order(t)
		}
		t.lines = b.lines
		d.touches = append(d.touches, t)
		d.anonymous = d.anonymous && (t.role == landing || t.role == browsing)
	}
	d.length = b.clock
	return d
}

// pause is the time before a touch: within a visit when it goes on from the
// landing, else long enough for a new session and short enough not to be quiet.
func (b *person) pause(next role) time.Duration {
	if next == browsing {
		return b.seconds(8, 120)
	}
	longest := min(b.p.truth.Quiet*3/4, 5*insight.Day)
	return min(35*time.Minute+time.Duration(b.rng.ExpFloat64()*float64(9*time.Hour)), longest)
}

func (b *person) say(m Message) *line {
	b.lines = append(b.lines, line{message: m, after: b.clock})
	return &b.lines[len(b.lines)-1]
}

func (b *person) land(key string) {
	from, seen := pick(b, arrivals[key]), pick(b, articles)
	if key == channel.Email {
		// An answer to a letter that somebody else forwarded has no "opened".
		if b.chance(.5) {
			b.say(Message{Type: "track", Event: "Email Opened", Context: Context{Channel: key, Campaign: from.campaign}}).personal = true
			b.clock += b.seconds(5, 60)
		}
	}
	context := Context{Campaign: from.campaign, Page: &Page{URL: seen.url, Path: seen.path, Title: seen.name, Referrer: from.referrer}}
	b.viewing = seen.url
	b.viewPage(context)
	if b.chance(.3) {
		b.clock += b.seconds(3, 30)
		b.say(Message{Type: "track", Event: "Product Viewed", Context: context, Properties: &Properties{Product: seen.id, Category: seen.category}})
	}
}

func (b *person) viewPage(c Context) {
	b.say(Message{Type: "page", Name: c.Page.Title, Context: c, Properties: &Properties{Path: c.Page.Path, Title: c.Page.Title}})
}

func (b *person) browse(buying bool) {
	for n := geometric(.8, b.rng); n >= 0; n-- {
		seen := pick(b, articles)
		context := Context{Page: &Page{URL: seen.url, Path: seen.path, Title: seen.name, Referrer: b.viewing}}
		b.viewing = seen.url
		b.viewPage(context)
		b.clock += b.seconds(8, 150)
		if n == 0 && (buying || b.chance(.15)) {
			b.say(Message{Type: "track", Event: "Product Added", Context: context, Properties: &Properties{Product: seen.id, Category: seen.category}})
			b.clock += b.seconds(8, 90)
		}
	}
}

func (b *person) useApp(buying bool) {
	for n := geometric(.7, b.rng); n >= 0; n-- {
		name := pick(b, screens)
		b.say(Message{Type: "screen", Name: name, Context: Context{Channel: channel.App, Device: &b.phone.model}})
		b.clock += b.seconds(5, 90)
	}
	if !buying && b.chance(.2) {
		seen := pick(b, articles)
		b.say(Message{Type: "track", Event: "Product Viewed", Context: Context{Channel: channel.App, Device: &b.phone.model}, Properties: &Properties{Product: seen.id, Category: seen.category}})
	}
}

func (b *person) visitStore(buying bool) {
	b.say(Message{Type: "track", Event: "Store Visited", Context: Context{Channel: channel.Store}, Properties: &Properties{Store: b.store}}).personal = true
	if buying {
		b.clock += b.seconds(180, 1500)
	}
}

// order ends a touch with a purchase, and returns its worth in cents.
func (b *person) order(t touch) int64 {
	cents := max(int64(math.Round(100*b.spend())), 50)
	b.orders++
	properties := &Properties{OrderID: b.orderID(b.orders), Revenue: money(cents), Currency: b.self.Currency, Products: b.basket(cents)}
	context := Context{Channel: t.key}
	switch t.role {
	case browsing:
		const path = "/checkout"
		context = Context{Page: &Page{URL: site + path, Path: path, Title: "Checkout", Referrer: b.viewing}}
	case inApp:
		context.Device = &b.phone.model
	case inStore:
		properties.Store = b.store
	}
	l := b.say(Message{Type: "track", Event: "Order Completed", Context: context, Properties: properties})
	l.personal = t.role == inStore
	return cents
}

// basket parts an order's worth into one to three lines.
func (b *person) basket(cents int64) []Product {
	lines := min(1+b.rng.IntN(3), int(cents/50))
	out := make([]Product, 0, lines)
	for n := lines; n > 0; n-- {
		share := cents
		if n > 1 {
			share = max(cents/int64(n)*(60+b.rng.Int64N(60))/100, 1)
		}
		cents -= share
		what, quantity := pick(b, articles), 1
		if share%2 == 0 && b.chance(.3) {
			quantity = 2
		}
		out = append(out, Product{ID: what.id, Name: what.name, Category: what.category, Price: money(share / int64(quantity)), Quantity: quantity})
	}
	return out
}

// money is the number of units that cents are: the float64 nearest to the decimal.
func money(cents int64) float64 { return float64(cents) / 100 }
