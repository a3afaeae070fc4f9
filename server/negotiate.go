package server

import (
	"mime"
	"strconv"
	"strings"
)

// The media types of a response.
const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
	mediaEvents  = "text/event-stream"
)

// negotiate picks the media type of the response: the one that the Accept header
// gives the highest quality, one that it names before one that a wildcard
// covers, then the one that it names first. Without the header, and for a
// wildcard alone, that is application/json; an event stream must be named. It
// answers "" when nothing that is offered is acceptable.
func negotiate(accept []string) string {
	header := strings.Join(accept, ",")
	if strings.TrimSpace(header) == "" {
		return mediaJSON
	}
	type preference struct {
		quality  float64
		exact    bool
		position int
	}
	found := map[string]preference{}
	for position, part := range strings.Split(header, ",") {
		media, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, ok := parameters["q"]; ok {
			if quality, err = strconv.ParseFloat(q, 64); err != nil || quality < 0 || quality > 1 {
				continue
			}
		}
		covers, exact := []string{media}, true
		if media == "*/*" || media == "application/*" {
			covers, exact = []string{mediaJSON, mediaGraphQL}, false
		}
		for _, m := range covers {
			if before, ok := found[m]; !ok || exact && !before.exact {
				found[m] = preference{quality, exact, position}
			}
		}
	}
	best := ""
	for _, m := range []string{mediaJSON, mediaGraphQL, mediaEvents} {
		p, ok := found[m]
		if !ok || !(p.quality > 0) {
			continue
		}
		b := found[best]
		if best == "" || p.quality > b.quality ||
			p.quality == b.quality && (p.exact && !b.exact || p.exact == b.exact && p.position < b.position) {
			best = m
		}
	}
	return best
}

// acceptableBody reports whether a request's content type is JSON in UTF-8. No
// content type that a browser's form can send is acceptable, so that another
// site's page cannot make a request without asking first.
func acceptableBody(contentType string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != mediaJSON {
		return false
	}
	charset, ok := parameters["charset"]
	return !ok || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}
