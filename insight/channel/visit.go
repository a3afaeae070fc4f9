package channel

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/acquaint/acquaint/insight"
)

// Visit is what a page view tells of where somebody came from. Every field may
// be empty.
type Visit struct {
	Campaign insight.Campaign
	Referrer string // the address of the page before
	URL      string // the address of the page itself
}

// Key returns the key of the channel that a visit came through, one of the first
// twenty of [Defaults]. It is not ok where nothing decides: within the site
// itself, without a web address, or with a referrer that cannot be read. Then the
// channel is the source's default.
//
// A page without a referrer is [Direct]. A page within an app that changes its
// address in place keeps the referrer of its first page, so its later views have
// the channel of the first.
func Key(v Visit) (key string, ok bool) {
	page, isPage := parse(v.URL)
	t := tagsOf(v.Campaign, page)
	if key, ok = t.channel(); ok {
		return key, true
	}
	if t.source != "" || t.medium != "" {
		return Unassigned, true
	}
	if strings.TrimSpace(v.Referrer) == "" {
		if !isPage {
			return "", false
		}
		return Direct, true
	}
	referrer, isAddress := parse(v.Referrer)
	if !isAddress || isPage && sameSite(host(referrer), host(page)) {
		return "", false
	}
	return tags{site: siteOfHost(host(referrer)), medium: "referral"}.channel()
}

// parse reads an address of the web, or of an Android app as a referrer.
func parse(address string) (*url.URL, bool) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Hostname() == "" {
		return &url.URL{}, false
	}
	switch u.Scheme {
	case "http", "https", "android-app":
		return u, true
	}
	return &url.URL{}, false
}

func host(u *url.URL) string { return strings.ToLower(u.Hostname()) }

// tags are what the rules look at, in lower case.
type tags struct {
	source, medium, name string
	site                 site
}

// clickIDs are the parameters that advertisers' systems add to an address, with
// the source and the medium that they stand for, the strongest first.
var clickIDs = []struct{ parameter, source, medium string }{
	{"gclid", "google", "cpc"},
	{"gbraid", "google", "cpc"},
	{"wbraid", "google", "cpc"},
	{"msclkid", "bing", "cpc"},
	{"yclid", "yandex", "cpc"},
	{"ttclid", "tiktok", "paid"},
	{"twclid", "twitter", "paid"},
	{"li_fat_id", "linkedin", "paid"},
	{"rdt_cid", "reddit", "paid"},
	{"sccid", "snapchat", "paid"},
	{"dclid", "google", "display"},
	{"fbclid", "facebook", "social"},
}

func tagsOf(c insight.Campaign, page *url.URL) tags {
	t := tags{source: tag(c.Source), medium: tag(c.Medium), name: tag(c.Name)}
	if page.RawQuery != "" {
		// What of the query can be read counts; a stray % elsewhere in it does not matter.
		query, _ := url.ParseQuery(page.RawQuery)
		given := make(map[string]string, len(query))
		for _, parameter := range slices.Sorted(maps.Keys(query)) {
			if name := strings.ToLower(parameter); given[name] == "" {
				given[name] = tag(query.Get(parameter))
			}
		}
		if t.source == "" && t.medium == "" && t.name == "" {
			t = tags{source: given["utm_source"], medium: given["utm_medium"], name: given["utm_campaign"]}
		}
		for _, click := range clickIDs {
			if given[click.parameter] != "" {
				t.fill(click.source, click.medium)
				break
			}
		}
	}
	t.site = siteOfSource(t.source)
	return t
}

func tag(value string) string { return strings.ToLower(strings.TrimSpace(value)) }

func (t *tags) fill(source, medium string) {
	if t.source == "" {
		t.source = source
	}
	if t.medium == "" {
		t.medium = medium
	}
}

// channel applies the rules, first match first.
func (t tags) channel() (key string, ok bool) {
	paid := paidMedium(t.medium)
	shop := t.site == shoppingSite || shopName(t.name)
	switch {
	case t.direct():
		return Direct, true
	case strings.Contains(t.name, "cross-network"):
		return CrossNetwork, true
	case paid && shop:
		return PaidShopping, true
	case paid && t.site == searchSite:
		return PaidSearch, true
	case paid && t.site == socialSite:
		return PaidSocial, true
	case paid && t.site == videoSite:
		return PaidVideo, true
	case oneOf(t.medium, "display", "banner", "expandable", "interstitial", "cpm"):
		return Display, true
	case paid:
		return PaidOther, true
	case t.site == assistantSite || t.medium == "ai-assistant":
		return AIAssistant, true
	case shop:
		return OrganicShopping, true
	case t.site == socialSite || oneOf(t.medium, "social", "social-network", "social-media", "sm", "social network", "social media"):
		return OrganicSocial, true
	case t.site == videoSite || strings.Contains(t.medium, "video"):
		return OrganicVideo, true
	case t.site == searchSite || t.medium == "organic":
		return OrganicSearch, true
	case t.site == mailSite:
		return Email, true
	case oneOf(t.medium, "referral", "app", "link"):
		return Referral, true
	case email(t.source) || email(t.medium):
		return Email, true
	case oneOf(t.medium, "affiliate", "affiliates"):
		return Affiliates, true
	case t.medium == "audio":
		return Audio, true
	case t.source == "sms" || t.medium == "sms":
		return SMS, true
	case strings.HasSuffix(t.medium, "push") || strings.Contains(t.medium, "mobile") || strings.Contains(t.medium, "notification") || t.source == "firebase":
		return Push, true
	}
	return "", false
}

func (t tags) direct() bool {
	return oneOf(t.source, "(direct)", "direct") && oneOf(t.medium, "", "(not set)", "(none)")
}

func oneOf(text string, texts ...string) bool { return slices.Contains(texts, text) }

func email(text string) bool { return oneOf(text, "email", "e-mail", "e_mail", "e mail") }

// paidMedium is ^(.*cp.*|ppc|retargeting|paid.*)$.
func paidMedium(medium string) bool {
	return strings.Contains(medium, "cp") || medium == "ppc" || medium == "retargeting" || strings.HasPrefix(medium, "paid")
}

// shopName is ^(.*(([^a-df-z]|^)shop|shopping).*)$: shop at the start or after
// anything but a letter other than e, so that "eshop" is one and "bishop" is not.
func shopName(name string) bool {
	if strings.Contains(name, "shopping") {
		return true
	}
	for rest := name; ; {
		at := strings.Index(rest, "shop")
		if at < 0 {
			return false
		}
		if from := len(name) - len(rest) + at; from == 0 || !otherLetter(name[from-1]) {
			return true
		}
		rest = rest[at+len("shop"):]
	}
}

func otherLetter(b byte) bool { return 'a' <= b && b <= 'z' && b != 'e' }
