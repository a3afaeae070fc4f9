package simulate

import "github.com/acquaint/acquaint/insight/channel"

// site is the business's own: example.com is reserved for examples (RFC 2606).
const site = "https://www.example.com"

// role is how a channel shows itself in messages.
type role uint8

const (
	landing  role = iota // a first page on the site, from elsewhere
	browsing             // further pages on the site
	inApp
	inStore
	calling
	asking
)

var roles = map[string]role{
	channel.OrganicSearch: landing, channel.PaidSearch: landing, channel.OrganicSocial: landing, channel.Email: landing,
	channel.Display: landing, channel.Affiliates: landing, channel.Direct: landing,
	channel.Web: browsing, channel.App: inApp, channel.Store: inStore, channel.CallCenter: calling, channel.Support: asking,
}

func sells(r role) bool { return r == browsing || r == inApp || r == inStore }

// arrival is what a landing page is told of where its visitor came from. By the
// default channel groups of GA4 it says the channel that it stands under here.
type arrival struct {
	referrer string
	campaign *Campaign
}

// No campaign's name holds "shop" or "cross-network", which GA4 reads as other
// channels whatever the medium.
var arrivals = map[string][]arrival{
	channel.OrganicSearch: {{referrer: "https://www.google.com/"}, {referrer: "https://www.google.com/"}, {referrer: "https://www.bing.com/"}, {referrer: "https://duckduckgo.com/"}},
	channel.PaidSearch: {
		{"https://www.google.com/", &Campaign{Name: "brand", Source: "google", Medium: "cpc"}},
		{"https://www.google.com/", &Campaign{Name: "lighting", Source: "google", Medium: "cpc", Content: "variant-b"}},
		{"https://www.bing.com/", &Campaign{Name: "brand", Source: "bing", Medium: "cpc"}},
	},
	channel.OrganicSocial: {{referrer: "https://www.facebook.com/"}, {referrer: "https://www.instagram.com/"}},
	channel.Email: {
		{"", &Campaign{Name: "price-drop", Source: "lifecycle", Medium: "email"}},
		{"", &Campaign{Name: "basket-reminder", Source: "lifecycle", Medium: "email"}},
		{"", &Campaign{Name: "new-arrivals", Source: "lifecycle", Medium: "email"}},
	},
	channel.Display: {
		{"https://news.example.org/", &Campaign{Name: "retargeting", Source: "adnetwork", Medium: "display"}},
		{"https://weather.example.org/", &Campaign{Name: "spring", Source: "adnetwork", Medium: "display"}},
	},
	channel.Affiliates: {
		{"https://deals.example.net/", &Campaign{Name: "partners", Source: "dealfinder", Medium: "affiliate"}},
		{"https://blog.example.net/", &Campaign{Name: "partners", Source: "interiorblog", Medium: "affiliate"}},
	},
	channel.Direct: {{}},
}

// article is something that the business sells, with its page.
type article struct {
	id, name, category string
	url, path          string
}

func newArticle(id, slug, name, category string) article {
	path := "/products/" + slug
	return article{id: id, name: name, category: category, url: site + path, path: path}
}

var articles = []article{
	newArticle("S-100", "soy-candle", "Soy Candle", "Candles"),
	newArticle("S-110", "beeswax-candles", "Beeswax Candles", "Candles"),
	newArticle("M-200", "stoneware-mug", "Stoneware Mug", "Tableware"),
	newArticle("M-210", "espresso-cups", "Espresso Cups", "Tableware"),
	newArticle("M-220", "salad-bowl", "Salad Bowl", "Tableware"),
	newArticle("L-300", "clip-lamp", "Clip Lamp", "Lighting"),
	newArticle("L-310", "paper-lantern", "Paper Lantern", "Lighting"),
	newArticle("L-320", "string-lights", "String Lights", "Lighting"),
	newArticle("G-400", "watering-can", "Watering Can", "Garden"),
	newArticle("G-410", "herb-planter", "Herb Planter", "Garden"),
	newArticle("G-420", "garden-shears", "Garden Shears", "Garden"),
	newArticle("K-500", "tea-strainer", "Tea Strainer", "Kitchen"),
	newArticle("K-510", "bread-knife", "Bread Knife", "Kitchen"),
	newArticle("K-520", "cutting-board", "Cutting Board", "Kitchen"),
	newArticle("T-600", "tea-towels", "Tea Towels", "Textiles"),
	newArticle("T-610", "cushion-cover", "Cushion Cover", "Textiles"),
	newArticle("P-700", "notebook", "Notebook", "Paper"),
	newArticle("P-710", "wall-calendar", "Wall Calendar", "Paper"),
}

var (
	stores  = []string{"berlin-mitte", "hamburg-altona", "wien-neubau", "boston-back-bay"}
	topics  = []string{"delivery", "invoice", "product question", "complaint"}
	screens = []string{"Home", "Search", "Favourites", "Account"}

	firstNames = []string{
		"Ada", "Amir", "Anna", "Ben", "Chiara", "Dara", "David", "Elif", "Emil", "Fatima", "Felix", "Grace", "Hana", "Hugo", "Ida", "Ivan",
		"Jonas", "Julia", "Kofi", "Lea", "Liam", "Lin", "Lucia", "Maja", "Marco", "Mei", "Mila", "Nia", "Noah", "Olga", "Omar", "Paul",
		"Priya", "Rosa", "Sam", "Sofia", "Tariq", "Theo", "Yuki", "Zoe",
	}
	lastNames = []string{
		"Adeyemi", "Andersen", "Bauer", "Becker", "Brown", "Castillo", "Chen", "Cohen", "Costa", "Dubois", "Fischer", "Garcia", "Haddad", "Hansen",
		"Hoffmann", "Horvat", "Ito", "Jensen", "Johnson", "Kaya", "Keller", "Kim", "Kowalski", "Lang", "Lopez", "Mensah", "Meyer", "Miller",
		"Nguyen", "Novak", "Okafor", "Patel", "Rossi", "Schmidt", "Silva", "Singh", "Svensson", "Tanaka", "Weber", "Yilmaz",
	}
	phones = []Device{{Type: "ios", Model: "iPhone15,2"}, {Type: "android", Model: "Pixel 8"}, {Type: "android", Model: "SM-S911B"}}
)
