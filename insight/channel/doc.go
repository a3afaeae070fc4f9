// Package channel answers through which channel somebody came: the default
// channel of a visit to a web page, from its campaign, its referrer and its
// address.
//
// The rule in words is Google Analytics 4's default channel group for manually
// tagged traffic (https://support.google.com/analytics/answer/9756891). The
// campaign's parameters say source, medium and name; without them a click id in
// the page's address does, and without that the referrer: its site is the source
// and the medium is "referral". Then the first of these that holds is the
// channel. Case does not matter.
//
//	Direct            source is (direct), medium is (not set) or (none)
//	Cross-network     name contains cross-network
//	Paid Shopping     source is a shopping site, or name like shop; medium is paid
//	Paid Search       source is a search site; medium is paid
//	Paid Social       source is a social site; medium is paid
//	Paid Video        source is a video site; medium is paid
//	Display           medium is display, banner, expandable, interstitial or cpm
//	Paid Other        medium is paid
//	AI Assistant      source is an AI assistant, or medium is ai-assistant
//	Organic Shopping  source is a shopping site, or name like shop
//	Organic Social    source is a social site, or medium is social, social-network, …
//	Organic Video     source is a video site, or medium contains video
//	Organic Search    source is a search site, or medium is organic
//	Referral          medium is referral, app or link
//	Email             source or medium is email, e-mail, e_mail or e mail
//	Affiliates        medium is affiliate
//	Audio             medium is audio
//	SMS               source or medium is sms
//	Mobile Push       medium ends with push or contains mobile or notification, or source is firebase
//	Unassigned        none of these, although source or medium is given
//
// A medium is paid when it matches ^(.*cp.*|ppc|retargeting|paid.*)$, a name is
// like shop when it matches ^(.*(([^a-df-z]|^)shop|shopping).*)$.
//
// One worked example: a page is opened at
// https://shop.example/?utm_source=google&utm_medium=cpc with the referrer
// https://www.google.com/. The campaign decides: google is a search site and cpc
// is paid, so the channel is paid_search. The next page has the referrer
// https://shop.example/, the same site, which decides nothing: the visit is
// already there, and the caller takes the source's own channel, such as web.
//
// Where it differs from Google Analytics, and why:
//
//   - The campaign types of Google Ads, Display & Video 360 and Search Ads 360
//     cannot be seen in an address, so a gclid counts as paid search and a dclid
//     as display.
//   - Click ids fill in the source and the medium that the tags leave out and do
//     not overrule tags. The fbclid tells Facebook, but not a paid click: Facebook
//     adds it to every link that leads out of it.
//   - Google's lists of sites are not rules but a spreadsheet. Those here (see
//     sites.go) hold the sites that matter now, with their subdomains and their
//     national sites; shops that mostly take payments, such as Stripe, are not
//     shopping sites, and webmail is e-mail, not a search site.
//   - Google names the AI Assistant channel without publishing its list or its
//     place in the order; it stands before the organic channels here.
//   - Direct also takes the source direct without parentheses, Affiliates the
//     medium affiliates.
//
// It refuses nothing: what cannot be read as an address decides nothing.
package channel
