package file

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
)

// Mapping says which column of a file is which part of an event.
type Mapping struct {
	assignments []assignment
}

// assignment is one target and where its text comes from.
type assignment struct {
	target   string // "userId", "properties.NAME"
	text     string // a column's name or number, or the constant
	constant bool
}

// targets are the parts of an event that may be mapped; those that end in a dot
// take a name.
var targets = []string{
	"userId", "anonymousId", "deviceId", "email", "phone", "external.", "messageId", "type", "occurredAt", "channel",
	"direction", "value", "currency", "campaign.name", "campaign.source", "campaign.medium", "campaign.term",
	"campaign.content", "properties.", "traits.",
}

// ParseMapping reads "TARGET=COL,…". COL is a column's header, or its number from
// 1 in a file without headers, or a colon and a constant text. A header or
// constant with a comma or a quote in it is put in double quotes, where two of
// them stand for one:
//
//	userId="Customer, No.",type=:purchase,campaign.name=:"Spring, early",value=amount
//
// The targets are userId, anonymousId, deviceId, email, phone, external.SYSTEM,
// messageId, type, occurredAt, channel, direction, value, currency,
// campaign.name, .source, .medium, .term and .content, properties.NAME and
// traits.NAME. type, occurredAt and one of those that identify must be there.
// Errors are [insight.Invalid] about "map".
func ParseMapping(text string) (Mapping, error) {
	var m Mapping
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return m, refuseMap("it is not valid text")
	}
	for rest, more := text, true; more; {
		var a assignment
		var err error
		if a, rest, more, err = cutAssignment(rest); err != nil {
			return Mapping{}, err
		}
		if m.has(a.target) {
			return Mapping{}, refuseMap(fmt.Sprintf("%s is mapped twice", a.target))
		}
		m.assignments = append(m.assignments, a)
	}
	for _, needed := range []string{"type", "occurredAt"} {
		if !m.has(needed) {
			return Mapping{}, refuseMap(fmt.Sprintf("%s is missing; map it to a column, or to a constant such as %s=:text", needed, needed))
		}
	}
	for _, a := range m.assignments {
		switch a.target {
		case "userId", "anonymousId", "deviceId", "email", "phone":
			return m, nil
		}
		if strings.HasPrefix(a.target, "external.") {
			return m, nil
		}
	}
	return Mapping{}, refuseMap("nothing in it says whose event a row is; map userId, anonymousId, deviceId, email, phone or external.SYSTEM")
}

func refuseMap(why string) *insight.Error { return insight.NewError(insight.Invalid, "map", why) }

func (m Mapping) has(target string) bool {
	for _, a := range m.assignments {
		if a.target == target {
			return true
		}
	}
	return false
}

func cutAssignment(text string) (a assignment, rest string, more bool, err error) {
	target, column, ok := strings.Cut(text, "=")
	a.target = strings.TrimSpace(target)
	if !ok {
		return a, "", false, refuseMap("an assignment is TARGET=COLUMN or TARGET=:text, with commas between them")
	}
	if !known(a.target) {
		return a, "", false, refuseMap(fmt.Sprintf("there is no target %q; there are %s", a.target, strings.Join(targetNames(), ", ")))
	}
	column = strings.TrimLeft(column, " ")
	column, a.constant = strings.CutPrefix(column, ":")
	if !strings.HasPrefix(column, `"`) {
		a.text, rest, more = strings.Cut(column, ",")
		a.text = strings.TrimSpace(a.text)
		if strings.Contains(a.text, `"`) {
			return a, "", false, refuseMap(fmt.Sprintf("the quote of %s stands within the text; put all of it in quotes", a.target))
		}
	} else {
		var b strings.Builder
		for column = column[1:]; ; {
			end := strings.IndexByte(column, '"')
			if end < 0 {
				return a, "", false, refuseMap(fmt.Sprintf("the quote of %s does not close", a.target))
			}
			b.WriteString(column[:end])
			if column = column[end+1:]; !strings.HasPrefix(column, `"`) {
				break
			}
			b.WriteByte('"')
			column = column[1:]
		}
		a.text = b.String()
		column = strings.TrimLeft(column, " ")
		if rest, more = strings.CutPrefix(column, ","); !more && column != "" {
			return a, "", false, refuseMap(fmt.Sprintf("after the quoted text of %s a comma is expected", a.target))
		}
	}
	if a.text == "" {
		return a, "", false, refuseMap(fmt.Sprintf("%s has no column", a.target))
	}
	return a, rest, more, nil
}

func known(target string) bool {
	for _, t := range targets {
		if target == t && !strings.HasSuffix(t, ".") {
			return true
		}
		if name, ok := strings.CutPrefix(target, t); ok && strings.HasSuffix(t, ".") && name != "" {
			return len(name) <= tracking.MaxTraitKeyLength && (t != "external." || !strings.Contains(name, ":"))
		}
	}
	return false
}

func targetNames() []string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t
		if strings.HasSuffix(t, ".") {
			names[i] += "NAME"
		}
	}
	return names
}

// cell is where a part of an event comes from: a field of the row, or a constant.
type cell struct {
	index int // from 0; -1 for a constant
	text  string
}

func (c *cell) of(row []string) string {
	switch {
	case c == nil:
		return ""
	case c.index < 0:
		return c.text
	}
	return row[c.index]
}

// named is a cell of a property, a trait or an external system.
type named struct {
	name string
	key  []byte // `"name":`
	cell
}

// plan is a mapping against the columns of one file. Parts that are not mapped
// are nil.
type plan struct {
	columns                                         int
	userID, anonymousID, deviceID, email, phone     *cell
	messageID, kind, occurredAt, channel, direction *cell
	value, currency                                 *cell
	campaignName, campaignSource, campaignMedium    *cell
	campaignTerm, campaignContent                   *cell
	externals, properties, traits                   []named
}

// plan binds a mapping to columns: by header, or, where header is nil, by number
// among so many columns.
func (m Mapping) plan(header []string, columns int) (*plan, error) {
	p := &plan{columns: columns}
	simple := map[string]**cell{
		"userId": &p.userID, "anonymousId": &p.anonymousID, "deviceId": &p.deviceID, "email": &p.email, "phone": &p.phone,
		"messageId": &p.messageID, "type": &p.kind, "occurredAt": &p.occurredAt, "channel": &p.channel,
		"direction": &p.direction, "value": &p.value, "currency": &p.currency,
		"campaign.name": &p.campaignName, "campaign.source": &p.campaignSource, "campaign.medium": &p.campaignMedium,
		"campaign.term": &p.campaignTerm, "campaign.content": &p.campaignContent,
	}
	for _, a := range m.assignments {
		c := cell{index: -1, text: a.text}
		if !a.constant {
			index, err := column(a, header, columns)
			if err != nil {
				return nil, err
			}
			c = cell{index: index}
		}
		if at, ok := simple[a.target]; ok {
			*at = &c
			continue
		}
		group, name, _ := strings.Cut(a.target, ".")
		n := named{name: name, key: append(appendText(nil, name), ':'), cell: c}
		switch group {
		case "external":
			p.externals = append(p.externals, n)
		case "properties":
			p.properties = append(p.properties, n)
		case "traits":
			p.traits = append(p.traits, n)
		}
	}
	return p, nil
}

func column(a assignment, header []string, columns int) (int, error) {
	if header == nil {
		n, err := strconv.Atoi(a.text)
		if err != nil || n < 1 {
			return 0, refuseMap(fmt.Sprintf("%s needs a column's number from 1, because the file has no header", a.target))
		}
		if n > columns {
			return 0, refuseMap(fmt.Sprintf("%s is mapped to column %d, but the first row has %d", a.target, n, columns))
		}
		return n - 1, nil
	}
	found := -1
	for i, name := range header {
		if strings.TrimSpace(name) != strings.TrimSpace(a.text) {
			continue
		}
		if found >= 0 {
			return 0, refuseMap(fmt.Sprintf("two columns are called %q, which %s is mapped to", a.text, a.target))
		}
		found = i
	}
	if found < 0 {
		return 0, refuseMap(fmt.Sprintf("no column is called %q, which %s is mapped to; capitals count", a.text, a.target))
	}
	return found, nil
}
