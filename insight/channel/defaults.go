package channel

import (
	"slices"

	"github.com/acquaint/acquaint/insight"
)

// Keys of the channels that [Key] answers with.
const (
	Direct          = "direct"
	CrossNetwork    = "cross_network"
	PaidShopping    = "paid_shopping"
	PaidSearch      = "paid_search"
	PaidSocial      = "paid_social"
	PaidVideo       = "paid_video"
	Display         = "display"
	PaidOther       = "paid_other"
	AIAssistant     = "ai_assistant"
	OrganicShopping = "organic_shopping"
	OrganicSocial   = "organic_social"
	OrganicVideo    = "organic_video"
	OrganicSearch   = "organic_search"
	Referral        = "referral"
	Email           = "email"
	Affiliates      = "affiliates"
	Audio           = "audio"
	SMS             = "sms"
	Push            = "push"
	Unassigned      = "unassigned"
)

// Keys of the channels that are the business's own interfaces. [Key] never
// answers with them; sources and senders name them.
const (
	Web        = "web"
	App        = "app"
	Store      = "store"
	CallCenter = "call_center"
	Support    = "support"
	DirectMail = "direct_mail"
	Fulfilment = "fulfilment"
	MobileScan = "mobile_scan"
	API        = "api"
)

var defaults = []insight.Channel{
	{Key: Direct, Name: "Direct", Kind: insight.DirectChannel},
	{Key: CrossNetwork, Name: "Cross-network", Kind: insight.OtherChannel},
	{Key: PaidShopping, Name: "Paid Shopping", Kind: insight.ReferralChannel},
	{Key: PaidSearch, Name: "Paid Search", Kind: insight.SearchChannel},
	{Key: PaidSocial, Name: "Paid Social", Kind: insight.SocialChannel},
	{Key: PaidVideo, Name: "Paid Video", Kind: insight.VideoChannel},
	{Key: Display, Name: "Display", Kind: insight.DisplayChannel},
	{Key: PaidOther, Name: "Paid Other", Kind: insight.OtherChannel},
	{Key: AIAssistant, Name: "AI Assistant", Kind: insight.ReferralChannel},
	{Key: OrganicShopping, Name: "Organic Shopping", Kind: insight.ReferralChannel},
	{Key: OrganicSocial, Name: "Organic Social", Kind: insight.SocialChannel},
	{Key: OrganicVideo, Name: "Organic Video", Kind: insight.VideoChannel},
	{Key: OrganicSearch, Name: "Organic Search", Kind: insight.SearchChannel},
	{Key: Referral, Name: "Referral", Kind: insight.ReferralChannel},
	{Key: Email, Name: "Email", Kind: insight.EmailChannel},
	{Key: Affiliates, Name: "Affiliates", Kind: insight.AffiliateChannel},
	{Key: Audio, Name: "Audio", Kind: insight.OtherChannel},
	{Key: SMS, Name: "SMS", Kind: insight.SMSChannel},
	{Key: Push, Name: "Mobile Push Notifications", Kind: insight.PushChannel},
	{Key: Unassigned, Name: "Unassigned", Kind: insight.OtherChannel},
	{Key: Web, Name: "Web", Kind: insight.WebChannel},
	{Key: App, Name: "App", Kind: insight.AppChannel},
	{Key: Store, Name: "Store", Kind: insight.StoreChannel},
	{Key: CallCenter, Name: "Call Center", Kind: insight.CallCenterChannel},
	{Key: Support, Name: "Support", Kind: insight.SupportChannel},
	{Key: DirectMail, Name: "Direct Mail", Kind: insight.DirectMailChannel},
	{Key: Fulfilment, Name: "Fulfilment", Kind: insight.FulfilmentChannel},
	{Key: MobileScan, Name: "Mobile Scan", Kind: insight.MobileScanChannel},
	{Key: API, Name: "API", Kind: insight.OtherChannel},
}

// Defaults are the channels that every installation starts with: those of Google
// Analytics by the names that it gives them, in the order of its rules, then the
// business's own interfaces. Ids are the store's to give.
func Defaults() []insight.Channel { return slices.Clone(defaults) }

// Default returns the built-in channel with a key, and false when there is none.
func Default(key string) (insight.Channel, bool) {
	at := slices.IndexFunc(defaults, func(c insight.Channel) bool { return c.Key == key })
	if at < 0 {
		return insight.Channel{}, false
	}
	return defaults[at], true
}
