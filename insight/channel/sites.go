package channel

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// site is what sort of site somebody came from.
type site uint8

const (
	anySite site = iota
	searchSite
	socialSite
	videoSite
	shoppingSite
	assistantSite
	mailSite
)

// sources are the names that campaigns give as their source. Those that name a
// site of brands or domains by its first label are added to it below.
var sources = map[string]site{
	"google-play": searchSite, "googlemybusiness": searchSite, "adwords": searchSite, "aol": searchSite, "ask": searchSite, "msn": searchSite,
	"fb": socialSite, "ig": socialSite, "meta": socialSite, "x": socialSite, "vk": socialSite, "line": socialSite, "hackernews": socialSite,
	"googleplus": socialSite, "google+": socialSite, "yt": videoSite,
	"google shopping": shoppingSite, "igshopping": shoppingSite,
	"chatgpt": assistantSite, "claude": assistantSite, "gemini": assistantSite, "copilot": assistantSite, "openai": assistantSite, "anthropic": assistantSite,
}

// brands are sites with a domain in many countries: "google" is google.com,
// google.de and google.co.uk.
var brands = map[string]site{
	"google": searchSite, "bing": searchSite, "yahoo": searchSite, "yandex": searchSite, "baidu": searchSite, "aol": searchSite, "ask": searchSite,
	"pinterest": socialSite, "yelp": socialSite, "tripadvisor": socialSite,
	"amazon": shoppingSite, "ebay": shoppingSite, "etsy": shoppingSite, "mercadolibre": shoppingSite, "mercadolivre": shoppingSite,
	"alibaba": shoppingSite, "aliexpress": shoppingSite, "walmart": shoppingSite, "temu": shoppingSite, "shein": shoppingSite, "zalando": shoppingSite,
}

// domains are sites with one domain; the longest that a host ends with counts, so
// that an entry for a subdomain is the exception to its parent's or its brand's.
var domains = map[string]site{
	// Search.
	"duckduckgo.com": searchSite, "ecosia.org": searchSite, "qwant.com": searchSite, "startpage.com": searchSite, "search.brave.com": searchSite,
	"kagi.com": searchSite, "naver.com": searchSite, "daum.net": searchSite, "seznam.cz": searchSite, "sogou.com": searchSite, "so.com": searchSite,
	"360.cn": searchSite, "rambler.ru": searchSite, "go.mail.ru": searchSite, "msn.com": searchSite, "dogpile.com": searchSite, "lycos.com": searchSite,
	"exalead.com": searchSite, "excite.com": searchSite, "onet.pl": searchSite, "centrum.cz": searchSite, "virgilio.it": searchSite, "najdi.si": searchSite,
	"startsiden.no": searchSite, "ukr.net": searchSite, "coccoc.com": searchSite, "swisscows.com": searchSite, "mojeek.com": searchSite, "ya.ru": searchSite,
	"com.google.android.googlequicksearchbox": searchSite,

	// Social.
	"facebook.com": socialSite, "fb.com": socialSite, "fb.me": socialSite, "messenger.com": socialSite, "instagram.com": socialSite, "threads.net": socialSite,
	"threads.com": socialSite, "whatsapp.com": socialSite, "wa.me": socialSite, "twitter.com": socialSite, "x.com": socialSite, "t.co": socialSite,
	"linkedin.com": socialSite, "lnkd.in": socialSite, "tiktok.com": socialSite, "snapchat.com": socialSite, "reddit.com": socialSite, "redd.it": socialSite,
	"pin.it": socialSite, "tumblr.com": socialSite, "quora.com": socialSite, "telegram.org": socialSite, "t.me": socialSite, "discord.com": socialSite,
	"vk.com": socialSite, "ok.ru": socialSite, "odnoklassniki.ru": socialSite, "weibo.com": socialSite, "weibo.cn": socialSite, "wechat.com": socialSite,
	"renren.com": socialSite, "douban.com": socialSite, "zhihu.com": socialSite, "xiaohongshu.com": socialSite, "line.me": socialSite, "kakao.com": socialSite,
	"mixi.jp": socialSite, "ameblo.jp": socialSite, "hatena.ne.jp": socialSite, "xing.com": socialSite, "viadeo.com": socialSite, "meetup.com": socialSite,
	"nextdoor.com": socialSite, "bsky.app": socialSite, "mastodon.social": socialSite, "mastodon.online": socialSite, "medium.com": socialSite,
	"substack.com": socialSite, "flipboard.com": socialSite, "digg.com": socialSite, "stackoverflow.com": socialSite, "stackexchange.com": socialSite,
	"superuser.com": socialSite, "serverfault.com": socialSite, "news.ycombinator.com": socialSite, "slashdot.org": socialSite, "goodreads.com": socialSite,
	"flickr.com": socialSite, "deviantart.com": socialSite, "artstation.com": socialSite, "livejournal.com": socialSite, "blogger.com": socialSite,
	"blogspot.com": socialSite, "wordpress.com": socialSite, "typepad.com": socialSite, "disqus.com": socialSite, "glassdoor.com": socialSite,
	"foursquare.com": socialSite, "couchsurfing.com": socialSite, "researchgate.net": socialSite, "academia.edu": socialSite, "slideshare.net": socialSite,
	"scribd.com": socialSite, "yammer.com": socialSite, "skype.com": socialSite, "zalo.me": socialSite, "plurk.com": socialSite, "myspace.com": socialSite,
	"hootsuite.com": socialSite, "tweetdeck.com": socialSite, "buffer.com": socialSite, "linktr.ee": socialSite, "houzz.com": socialSite,
	"answers.yahoo.com": socialSite, "groups.google.com": socialSite, "blog.naver.com": socialSite, "cafe.naver.com": socialSite, "kin.naver.com": socialSite,
	"com.facebook.katana": socialSite, "com.instagram.android": socialSite, "com.twitter.android": socialSite, "com.linkedin.android": socialSite,
	"com.reddit.frontpage": socialSite, "org.telegram.messenger": socialSite, "com.pinterest": socialSite, "com.zhiliaoapp.musically": socialSite,

	// Video.
	"youtube.com": videoSite, "youtu.be": videoSite, "vimeo.com": videoSite, "dailymotion.com": videoSite, "dai.ly": videoSite, "twitch.tv": videoSite,
	"netflix.com": videoSite, "hulu.com": videoSite, "disneyplus.com": videoSite, "ted.com": videoSite, "wistia.com": videoSite, "wistia.net": videoSite,
	"youku.com": videoSite, "tudou.com": videoSite, "iqiyi.com": videoSite, "iq.com": videoSite, "bilibili.com": videoSite, "nicovideo.jp": videoSite,
	"rumble.com": videoSite, "odysee.com": videoSite, "crackle.com": videoSite, "curiositystream.com": videoSite, "veoh.com": videoSite, "d.tube": videoSite,
	"com.google.android.youtube": videoSite,

	// Shopping.
	"shopping.google.com": shoppingSite, "shopping.yahoo.com": shoppingSite, "shopping.yahoo.co.jp": shoppingSite, "shopping.naver.com": shoppingSite,
	"shopify.com": shoppingSite, "shop.app": shoppingSite, "shopzilla.com": shoppingSite, "shopping.com": shoppingSite, "rakuten.co.jp": shoppingSite,
	"rakuten.com": shoppingSite, "taobao.com": shoppingSite, "tmall.com": shoppingSite, "jd.com": shoppingSite, "wish.com": shoppingSite, "target.com": shoppingSite,
	"bestbuy.com": shoppingSite, "idealo.de": shoppingSite, "kelkoo.com": shoppingSite, "pricerunner.com": shoppingSite, "allegro.pl": shoppingSite,
	"bol.com": shoppingSite, "otto.de": shoppingSite, "flipkart.com": shoppingSite, "wayfair.com": shoppingSite, "simplycodes.com": shoppingSite,

	// AI assistants.
	"chatgpt.com": assistantSite, "chat.openai.com": assistantSite, "claude.ai": assistantSite, "gemini.google.com": assistantSite,
	"bard.google.com": assistantSite, "copilot.microsoft.com": assistantSite, "perplexity.ai": assistantSite, "deepseek.com": assistantSite, "grok.com": assistantSite,
	"poe.com": assistantSite, "chat.mistral.ai": assistantSite, "meta.ai": assistantSite, "you.com": assistantSite, "doubao.com": assistantSite,
	"chat.qwen.ai": assistantSite, "kimi.com": assistantSite,

	// Webmail.
	"mail.google.com": mailSite, "mail.yahoo.com": mailSite, "mail.yahoo.co.jp": mailSite, "mail.yandex.ru": mailSite, "mail.yandex.com": mailSite, "mail.aol.com": mailSite,
	"outlook.com": mailSite, "outlook.live.com": mailSite, "outlook.office.com": mailSite, "outlook.office365.com": mailSite, "mail.proton.me": mailSite,
	"e.mail.ru": mailSite, "mail.rambler.ru": mailSite, "email.seznam.cz": mailSite, "mail.naver.com": mailSite, "deref-gmx.net": mailSite, "deref-web.de": mailSite,
	"com.google.android.gm": mailSite, "com.microsoft.office.outlook": mailSite, "com.yahoo.mobile.client.android.mail": mailSite,

	// Not what their parents are.
	"aws.amazon.com": anySite, "developers.facebook.com": anySite, "go.rakuten.com": anySite,
}

func init() {
	for brand, kind := range brands {
		sources[brand] = kind
	}
	for domain, kind := range domains {
		// "news.ycombinator.com" and Android's "com.pinterest" are not spoken of as "news" and
		// "com", and names as short as "you" say too little.
		label, rest, _ := strings.Cut(domain, ".")
		if strings.Contains(rest, ".") || label == "com" || len(label) < 4 {
			continue
		}
		if _, named := sources[label]; !named {
			sources[label] = kind
		}
	}
}

// siteOfSource finds the site that a campaign names: by a name such as
// "facebook", or by its host. It is given in lower case.
func siteOfSource(source string) site {
	if kind, known := sources[source]; known {
		return kind
	}
	if !strings.Contains(source, ".") {
		return anySite
	}
	return siteOfHost(source)
}

// siteOfHost finds the site of a referrer's host, given in lower case.
func siteOfHost(host string) site {
	host = strings.TrimSuffix(host, ".")
	if len(host) > 253 {
		return anySite // no host's name is longer (RFC 1035), and the search below would be slow
	}
	for name := host; name != ""; {
		if kind, known := domains[name]; known {
			return searchedAt(kind, host, name)
		}
		_, name, _ = strings.Cut(name, ".")
	}
	registrable, label, ok := registrableDomain(host)
	if !ok {
		return anySite
	}
	return searchedAt(brands[label], host, registrable)
}

// searchedAt leaves a search engine's other services out: docs.google.com is not
// where one searches; www.google.com, uk.search.yahoo.com and m.baidu.com are.
func searchedAt(kind site, host, domain string) site {
	if kind != searchSite || host == domain {
		return kind
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."+domain), ".") {
		switch label {
		case "www", "m", "search", "cse", "images", "news", "cn", "lite", "suche", "msearch", "websearch", "wap", "ntp":
			return kind
		}
	}
	return anySite
}

// registrableDomain is the part of a host that somebody registered, with its
// first label: google.co.uk and google of news.google.co.uk. It is not ok for
// addresses, hosts without a dot and names under a private suffix such as
// github.io, which belong to many.
func registrableDomain(host string) (domain, label string, ok bool) {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return "", "", false
	}
	suffix, public := publicsuffix.PublicSuffix(host)
	if !public || len(suffix)+1 >= len(host) {
		return "", "", false
	}
	rest := host[:len(host)-len(suffix)-1]
	label = rest[strings.LastIndexByte(rest, '.')+1:]
	if label == "" {
		return "", "", false
	}
	return label + "." + suffix, label, true
}

// sameSite reports whether two hosts, in lower case, are one site: the same but
// for www., or of one registrable domain.
func sameSite(a, b string) bool {
	a, b = bare(a), bare(b)
	if a == b {
		return true
	}
	for _, host := range [2]string{a, b} {
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
			return false
		}
	}
	x, err := publicsuffix.EffectiveTLDPlusOne(a)
	if err != nil {
		return false
	}
	y, err := publicsuffix.EffectiveTLDPlusOne(b)
	return err == nil && x == y
}

func bare(host string) string { return strings.TrimPrefix(strings.TrimSuffix(host, "."), "www.") }
