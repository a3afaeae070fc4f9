package channel_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
)

const page = "https://www.shop.example/garden"

// The definitions for manual traffic, each with what it says of source, medium
// and name (https://support.google.com/analytics/answer/9756891).
func TestKeyOfCampaign(t *testing.T) {
	cases := []struct{ source, medium, name, want string }{
		{"(direct)", "(none)", "", "direct"},
		{"(direct)", "(not set)", "", "direct"},
		{"google", "cpc", "Spring Cross-network", "cross_network"},
		{"amazon", "cpc", "", "paid_shopping"},
		{"newsletter", "paid", "spring-shop", "paid_shopping"},
		{"google", "cpc", "shopping ads", "paid_shopping"},
		{"google", "cpc", "", "paid_search"},
		{"Google", "CPC", "", "paid_search"},
		{"bing", "ppc", "", "paid_search"},
		{"duckduckgo.com", "retargeting", "", "paid_search"},
		{"google", "cpm", "", "paid_search"},
		{"facebook", "paid_social", "", "paid_social"},
		{"fb", "cpc", "bishop of York", "paid_social"},
		{"instagram.com", "paid", "", "paid_social"},
		{"youtube", "cpv", "", "paid_video"},
		{"youtube", "video", "", "organic_video"},
		{"taboola", "display", "", "display"},
		{"taboola", "banner", "", "display"},
		{"taboola", "expandable", "", "display"},
		{"taboola", "interstitial", "", "display"},
		{"taboola", "cpm", "", "display"},
		{"taboola", "cpc", "", "paid_other"},
		{"taboola", "retargeting", "", "paid_other"},
		{"chatgpt.com", "", "", "ai_assistant"},
		{"whoever", "ai-assistant", "", "ai_assistant"},
		{"ebay", "", "", "organic_shopping"},
		{"newsletter", "email", "eshop", "organic_shopping"}, // the name is looked at before the medium, as published
		{"newsletter", "email", "workshop", "email"},
		{"linkedin", "post", "", "organic_social"},
		{"whoever", "social-media", "", "organic_social"},
		{"whoever", "sm", "", "organic_social"},
		{"vimeo", "", "", "organic_video"},
		{"whoever", "in-video link", "", "organic_video"},
		{"ecosia.org", "", "", "organic_search"},
		{"whoever", "organic", "", "organic_search"},
		{"partner.example", "referral", "", "referral"},
		{"whoever", "app", "", "referral"},
		{"whoever", "link", "", "referral"},
		{"newsletter", "email", "", "email"},
		{"newsletter", "E-Mail", "", "email"},
		{"e_mail", "newsletter", "", "email"},
		{"e mail", "", "", "email"},
		{"whoever", "affiliate", "", "affiliates"},
		{"whoever", "audio", "", "audio"},
		{"whoever", "sms", "", "sms"},
		{"sms", "text", "", "sms"},
		{"braze", "web-push", "", "push"},
		{"braze", "mobile message", "", "push"},
		{"braze", "app notifications", "", "push"},
		{"firebase", "x", "", "push"},
		{"newsletter", "", "", "unassigned"},
		{"", "leaflet", "", "unassigned"},
		{"docs.google.com", "", "", "unassigned"},
	}
	for _, c := range cases {
		campaign := insight.Campaign{Source: c.source, Medium: c.medium, Name: c.name}
		if key, ok := channel.Key(channel.Visit{Campaign: campaign, Referrer: "https://www.google.com/", URL: page}); !ok || key != c.want {
			t.Errorf("%+v: %q, %v; want %q", campaign, key, ok, c.want)
		}
	}
}

func TestKeyOfReferrer(t *testing.T) {
	cases := []struct{ referrer, want string }{
		{"", "direct"},
		{"  ", "direct"},
		{"https://www.google.com/", "organic_search"},
		{"https://google.co.uk", "organic_search"},
		{"https://news.google.com/", "organic_search"},
		{"https://docs.google.com/document/d/1", "referral"},
		{"https://uk.search.yahoo.com/search?p=x", "organic_search"},
		{"https://M.Baidu.com/", "organic_search"},
		{"https://yandex.com.tr/", "organic_search"},
		{"https://google.evil.example/", "referral"},
		{"https://notgoogle.com/", "referral"},
		{"https://google.github.io/", "referral"},
		{"android-app://com.google.android.googlequicksearchbox/", "organic_search"},
		{"android-app://com.google.android.gm/", "email"},
		{"https://l.facebook.com/l.php?u=x", "organic_social"},
		{"https://t.co/abc", "organic_social"},
		{"https://www.pinterest.ca/", "organic_social"},
		{"https://news.ycombinator.com/", "organic_social"},
		{"https://somebody.blogspot.com/", "organic_social"},
		{"https://m.youtube.com/watch?v=x", "organic_video"},
		{"https://www.amazon.co.jp/dp/x", "organic_shopping"},
		{"https://aws.amazon.com/", "referral"},
		{"https://shopping.google.com/", "organic_shopping"},
		{"https://chatgpt.com/", "ai_assistant"},
		{"https://gemini.google.com/app", "ai_assistant"},
		{"https://www.perplexity.ai/", "ai_assistant"},
		{"https://mail.google.com/", "email"},
		{"https://partner.example/", "referral"},
		{"http://192.0.2.7/", "referral"},
		{"http://[2001:db8::1]/", "referral"},
		{"https://" + strings.Repeat("a.", 10_000) + "facebook.com/", "referral"},
		{"https://shop.example.partner.example/", "referral"},
		{"https://othershop.example/", "referral"},
		// The same site decides nothing, and neither does what cannot be read.
		{"https://shop.example/", ""},
		{"https://www.shop.example/", ""},
		{"http://SHOP.example:8080/x", ""},
		{"https://help.shop.example/", ""},
		{"garden.html", ""},
		{"mailto:somebody@shop.example", ""},
		{"https://%zz/", ""},
		{"about:blank", ""},
	}
	for _, c := range cases {
		if key, ok := channel.Key(channel.Visit{Referrer: c.referrer, URL: page}); key != c.want || ok != (c.want != "") {
			t.Errorf("%q: %q, %v; want %q", c.referrer, key, ok, c.want)
		}
	}
}

func TestKeyOfAddress(t *testing.T) {
	cases := []struct{ url, referrer, want string }{
		{page + "?utm_source=google&utm_medium=cpc", "", "paid_search"},
		{page + "?UTM_Source=newsletter&utm_MEDIUM=Email", "https://www.google.com/", "email"},
		{page + "?gclid=x", "https://www.google.com/", "paid_search"},
		{page + "?wbraid=x", "", "paid_search"},
		{page + "?msclkid=x", "https://www.bing.com/", "paid_search"},
		{page + "?ttclid=x", "", "paid_social"},
		{page + "?twclid=x", "https://t.co/", "paid_social"},
		{page + "?ScCid=x", "", "paid_social"},
		{page + "?dclid=x", "", "display"},
		{page + "?gclid=x&dclid=y", "", "paid_search"},
		// Facebook marks every link that leads out of it.
		{page + "?fbclid=x", "", "organic_social"},
		{page + "?fbclid=x&utm_source=facebook&utm_medium=paid", "", "paid_social"},
		{page + "?fbclid=x&utm_source=newsletter&utm_medium=email", "", "email"},
		{page + "?gclid=", "", "direct"},
		{page + "?gclid=x&utm_campaign=spring", "", "paid_search"},
		{page + "?utm_campaign=spring", "https://partner.example/", "referral"}, // a name alone says no channel
		{page + "?utm_campaign=spring", "", "direct"},
		{page + "?a=%zz&utm_medium=sms", "", "sms"},
		{page + "?utm_source=google&utm_medium=cpc", "https://shop.example/", "paid_search"},
		{"", "", ""},
		{"/garden", "", ""},
		{"myapp://garden", "", ""},
		{"file:///home/garden.html", "", ""},
		{"", "https://www.google.com/", "organic_search"},
		{"http://localhost:3000/a", "http://localhost:8080/b", ""},
		{"http://192.0.2.7/", "http://192.0.2.8/", "referral"},
		{"https://one.github.io/", "https://two.github.io/", "referral"},
		{"https://a.shop.co.uk/", "https://b.shop.co.uk/", ""},
		{"https://shop.co.uk/", "https://other.co.uk/", "referral"},
	}
	for _, c := range cases {
		if key, ok := channel.Key(channel.Visit{URL: c.url, Referrer: c.referrer}); key != c.want || ok != (c.want != "") {
			t.Errorf("%q from %q: %q, %v; want %q", c.url, c.referrer, key, ok, c.want)
		}
	}
	tagged := channel.Visit{Campaign: insight.Campaign{Source: "newsletter", Medium: "email"}, URL: page + "?utm_source=google&utm_medium=cpc&gclid=x"}
	if key, _ := channel.Key(tagged); key != "email" {
		t.Errorf("a campaign that is given does not come before the address: %q", key)
	}
}

func TestDefaults(t *testing.T) {
	seen := map[string]bool{}
	spelt := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for _, c := range channel.Defaults() {
		if seen[c.Key] || !spelt.MatchString(c.Key) || c.Name == "" || !slices.Contains(insight.ChannelKinds, c.Kind) {
			t.Errorf("%+v is repeated or misspelt", c)
		}
		seen[c.Key] = true
		if got, ok := channel.Default(c.Key); !ok || got != c {
			t.Errorf("Default(%q) = %+v, %v", c.Key, got, ok)
		}
	}
	if _, ok := channel.Default("fax"); ok {
		t.Error("there is a channel fax")
	}
	kinds := map[insight.ChannelKind]bool{}
	for _, c := range channel.Defaults() {
		kinds[c.Kind] = true
	}
	for _, kind := range insight.ChannelKinds {
		if !kinds[kind] {
			t.Errorf("no built-in channel is of kind %s", kind)
		}
	}
	channel.Defaults()[0].Key = "changed"
	if channel.Defaults()[0].Key != channel.Direct {
		t.Error("the defaults can be changed from outside")
	}
}

// The patterns that Google publishes and the code that stands for them agree.
func TestPublishedPatterns(t *testing.T) {
	paid := regexp.MustCompile(`^(.*cp.*|ppc|retargeting|paid.*)$`)
	shop := regexp.MustCompile(`^(.*(([^a-df-z]|^)shop|shopping).*)$`)
	part := rapid.SampledFrom([]string{"cp", "ppc", "paid", "retargeting", "shop", "shopping", "sho", "p", "e", "a", "z", "-", "é", " ", "ping"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.TrimSpace(strings.Join(rapid.SliceOfN(part, 1, 5).Draw(t, "parts"), ""))
		if text == "" {
			text = "p"
		}
		if got, _ := channel.Key(channel.Visit{Campaign: insight.Campaign{Source: "whoever", Medium: text}}); paid.MatchString(text) != (got == channel.PaidOther) {
			t.Fatalf("medium %q: %s", text, got)
		}
		got, ok := channel.Key(channel.Visit{Campaign: insight.Campaign{Name: text}})
		if shop.MatchString(text) != (got == channel.OrganicShopping) || ok != shop.MatchString(text) {
			t.Fatalf("name %q: %s", text, got)
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add("google", "cpc", "spring", "https://www.google.com/", page+"?gclid=x")
	f.Add("", "", "", "android-app://com.google.android.gm/", "https://[::1]:8080/?utm_source=%zz&%%%")
	f.Add("", "", "", "", "/")
	f.Add(".", "", "", "https://./", "https://www./")
	f.Add("a..b", "", "", "https://..com/", "https://xn--/")
	f.Fuzz(func(t *testing.T, source, medium, name, referrer, address string) {
		v := channel.Visit{Campaign: insight.Campaign{Source: source, Medium: medium, Name: name}, Referrer: referrer, URL: address}
		key, ok := channel.Key(v)
		if _, known := channel.Default(key); known != ok || !ok && key != "" {
			t.Errorf("%+v: %q, %v", v, key, ok)
		}
		v.Campaign = insight.Campaign{Source: strings.ToUpper(source), Medium: strings.ToUpper(medium), Name: strings.ToUpper(name)}
		if upper, _ := channel.Key(v); isASCII(source+medium+name) && upper != key {
			t.Errorf("%+v: %q in upper case, %q otherwise", v, upper, key)
		}
	})
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > 127 })
}

func BenchmarkKey(b *testing.B) {
	v := channel.Visit{Referrer: "https://www.google.co.uk/", URL: page + "?utm_source=google&utm_medium=cpc&utm_campaign=spring"}
	b.ReportAllocs()
	for b.Loop() {
		channel.Key(v)
	}
}
