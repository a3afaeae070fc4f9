package insight

import (
	"time"

	"github.com/google/uuid"
)

// ChannelKind is what sort of interface between the business and the customer a
// channel is. The text is the API's.
type ChannelKind string

// The kinds of channel.
const (
	WebChannel        ChannelKind = "WEB"
	AppChannel        ChannelKind = "APP"
	EmailChannel      ChannelKind = "EMAIL"
	SMSChannel        ChannelKind = "SMS"
	PushChannel       ChannelKind = "PUSH"
	SocialChannel     ChannelKind = "SOCIAL"
	SearchChannel     ChannelKind = "SEARCH"
	DisplayChannel    ChannelKind = "DISPLAY"
	VideoChannel      ChannelKind = "VIDEO"
	AffiliateChannel  ChannelKind = "AFFILIATE"
	ReferralChannel   ChannelKind = "REFERRAL"
	DirectChannel     ChannelKind = "DIRECT"
	DirectMailChannel ChannelKind = "DIRECT_MAIL"
	StoreChannel      ChannelKind = "STORE"
	CallCenterChannel ChannelKind = "CALL_CENTER"
	SupportChannel    ChannelKind = "SUPPORT"
	FulfilmentChannel ChannelKind = "FULFILMENT"
	MobileScanChannel ChannelKind = "MOBILE_SCAN"
	OtherChannel      ChannelKind = "OTHER"
)

// ChannelKinds lists every kind, in the API's order.
var ChannelKinds = []ChannelKind{
	WebChannel, AppChannel, EmailChannel, SMSChannel, PushChannel, SocialChannel, SearchChannel, DisplayChannel,
	VideoChannel, AffiliateChannel, ReferralChannel, DirectChannel, DirectMailChannel, StoreChannel,
	CallCenterChannel, SupportChannel, FulfilmentChannel, MobileScanChannel, OtherChannel,
}

// Channel is an interface of the business with the customer.
type Channel struct {
	ID   uuid.UUID
	Key  string // unique, such as "organic_search" or "store"
	Name string // for people, such as "Organic Search"
	Kind ChannelKind
}

// Source is an integration that sends events.
type Source struct {
	ID             uuid.UUID
	Name           string // unique
	DefaultChannel *Channel
	SessionTimeout time.Duration // a gap of exactly this much still belongs to the session
}

// DefaultSessionTimeout is the inactivity gap of a source that names none.
const DefaultSessionTimeout = 30 * time.Minute
