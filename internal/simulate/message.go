package simulate

import "time"

// Message is one message of the Segment tracking API, in the fields that a
// simulation fills: an element of the batch array of POST /v1/batch, and one line
// of the NDJSON that import reads.
// Source of the shape: https://www.twilio.com/docs/segment/connections/spec/common.
type Message struct {
	Type        string      `json:"type"` // identify, track, page or screen
	MessageID   string      `json:"messageId"`
	UserID      string      `json:"userId,omitempty"`
	AnonymousID string      `json:"anonymousId,omitempty"`
	Event       string      `json:"event,omitempty"` // of a track message
	Name        string      `json:"name,omitempty"`  // of a page or screen message
	Properties  *Properties `json:"properties,omitempty"`
	Traits      *Traits     `json:"traits,omitempty"` // of an identify message
	Context     Context     `json:"context"`
	Timestamp   time.Time   `json:"timestamp"` // UTC, whole microseconds
}

// Context is the circumstances of a message. On the web the channel is left to
// be derived from Page and Campaign; elsewhere Channel names it.
type Context struct {
	Direction string    `json:"direction,omitempty"` // "outbound" when the business reached out
	Channel   string    `json:"channel,omitempty"`   // the key of an explicit channel
	Page      *Page     `json:"page,omitempty"`
	Campaign  *Campaign `json:"campaign,omitempty"`
	Device    *Device   `json:"device,omitempty"`
	Consent   *Choices  `json:"consent,omitempty"` // on an identify message
}

// Choices is what a person has said to each category of consent.
// Source of the shape: https://www.twilio.com/docs/segment/privacy/consent-management.
type Choices struct {
	Categories map[string]bool `json:"categoryPreferences"`
}

// Page is the page of the site that a message was sent from.
type Page struct {
	URL      string `json:"url"`
	Path     string `json:"path"`
	Title    string `json:"title"`
	Referrer string `json:"referrer,omitempty"`
}

// Campaign is what the utm parameters of a link said.
type Campaign struct {
	Name    string `json:"name,omitempty"`
	Source  string `json:"source,omitempty"`
	Medium  string `json:"medium,omitempty"`
	Content string `json:"content,omitempty"`
}

// Device is the phone that an app's message came from.
type Device struct {
	ID    string `json:"id"`
	Type  string `json:"type"` // ios or android
	Model string `json:"model"`
}

// Traits is what a person says of themselves when they log in.
type Traits struct {
	Email     string `json:"email"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Country   string `json:"country"` // ISO 3166
}

// Properties is what a page, screen or track message says, by the names of
// Segment's e-commerce events. Money is in units of Currency, to the cent.
type Properties struct {
	Path     string    `json:"path,omitempty"`
	Title    string    `json:"title,omitempty"`
	Product  string    `json:"product_id,omitempty"`
	Category string    `json:"category,omitempty"`
	OrderID  string    `json:"order_id,omitempty"`
	Revenue  float64   `json:"revenue,omitempty"`
	Total    float64   `json:"total,omitempty"` // what a refund pays back
	Currency string    `json:"currency,omitempty"`
	Products []Product `json:"products,omitempty"`
	Store    string    `json:"store_id,omitempty"`
	Topic    string    `json:"topic,omitempty"`
	Seconds  int       `json:"duration,omitempty"` // of a call
}

// Product is one line of an order. Price times Quantity, summed over the lines,
// is the order's revenue, exactly to the cent.
type Product struct {
	ID       string  `json:"product_id"`
	Name     string  `json:"name"`
	Category string  `json:"category"`
	Price    float64 `json:"price"`
	Quantity int     `json:"quantity"`
}
