package tracking

// field is a value of a message that the decoder looks at. Fields of one object
// follow each other, so that a repeated object replaces what the first one said.
type field uint8

const (
	fieldType field = iota
	fieldMessageID
	fieldUserID
	fieldAnonymousID
	fieldPreviousID
	fieldGroupID
	fieldEvent
	fieldName
	fieldCategory
	fieldTimestamp
	fieldOriginalTimestamp
	fieldSentAt
	fieldReceivedAt
	fieldTraits
	fieldProperties
	fieldContext

	fieldPropertyName
	fieldPropertyCategory
	fieldRevenue
	fieldTotal
	fieldValue
	fieldCurrency

	fieldContextTraits
	fieldExternalIDs
	fieldChannel
	fieldDirection
	fieldConsent
	fieldCampaign
	fieldPage
	fieldDevice

	fieldCampaignName
	fieldCampaignSource
	fieldCampaignMedium
	fieldCampaignTerm
	fieldCampaignContent

	fieldPageURL
	fieldPageReferrer

	fieldDeviceID

	fieldCount
	noField field = 255
)

type fields [fieldCount]span

// message is one message as it was scanned.
type message struct {
	where   span
	fields  fields
	fault   fault
	faultAt int
}

// shape says which members of an object are looked at: their field, and their
// shape where they are objects in turn. Names are compared exactly, as JSON's are.
type shape struct {
	member      func(key []byte) (field, *shape)
	first, last field // of everything inside
}

var messageShape = &shape{first: fieldType, last: fieldCount - 1, member: func(key []byte) (field, *shape) {
	switch string(key) {
	case "type":
		return fieldType, nil
	case "messageId":
		return fieldMessageID, nil
	case "userId":
		return fieldUserID, nil
	case "anonymousId":
		return fieldAnonymousID, nil
	case "previousId":
		return fieldPreviousID, nil
	case "groupId":
		return fieldGroupID, nil
	case "event":
		return fieldEvent, nil
	case "name":
		return fieldName, nil
	case "category":
		return fieldCategory, nil
	case "timestamp":
		return fieldTimestamp, nil
	case "originalTimestamp":
		return fieldOriginalTimestamp, nil
	case "sentAt":
		return fieldSentAt, nil
	case "receivedAt":
		return fieldReceivedAt, nil
	case "traits":
		return fieldTraits, nil
	case "properties":
		return fieldProperties, propertiesShape
	case "context":
		return fieldContext, contextShape
	}
	return noField, nil
}}

var propertiesShape = &shape{first: fieldPropertyName, last: fieldCurrency, member: func(key []byte) (field, *shape) {
	switch string(key) {
	case "name":
		return fieldPropertyName, nil
	case "category":
		return fieldPropertyCategory, nil
	case "revenue":
		return fieldRevenue, nil
	case "total":
		return fieldTotal, nil
	case "value":
		return fieldValue, nil
	case "currency":
		return fieldCurrency, nil
	}
	return noField, nil
}}

var contextShape = &shape{first: fieldContextTraits, last: fieldDeviceID, member: func(key []byte) (field, *shape) {
	switch string(key) {
	case "traits":
		return fieldContextTraits, nil
	case "externalIds":
		return fieldExternalIDs, nil
	case "channel":
		return fieldChannel, nil
	case "direction":
		return fieldDirection, nil
	case "consent":
		return fieldConsent, nil
	case "campaign":
		return fieldCampaign, campaignShape
	case "page":
		return fieldPage, pageShape
	case "device":
		return fieldDevice, deviceShape
	}
	return noField, nil
}}

var campaignShape = &shape{first: fieldCampaignName, last: fieldCampaignContent, member: func(key []byte) (field, *shape) {
	switch string(key) {
	case "name":
		return fieldCampaignName, nil
	case "source":
		return fieldCampaignSource, nil
	case "medium":
		return fieldCampaignMedium, nil
	case "term":
		return fieldCampaignTerm, nil
	case "content":
		return fieldCampaignContent, nil
	}
	return noField, nil
}}

var pageShape = &shape{first: fieldPageURL, last: fieldPageReferrer, member: func(key []byte) (field, *shape) {
	switch string(key) {
	case "url":
		return fieldPageURL, nil
	case "referrer":
		return fieldPageReferrer, nil
	}
	return noField, nil
}}

var deviceShape = &shape{first: fieldDeviceID, last: fieldDeviceID, member: func(key []byte) (field, *shape) {
	if string(key) == "id" {
		return fieldDeviceID, nil
	}
	return noField, nil
}}

// scanMessage reads the value at s.pos as a message of its own: faults in it are
// its alone. It reports false at a syntax error.
func scanMessage(s *scanner, m *message) bool {
	outer, outerAt := s.fault, s.faultAt
	s.fault = faultNone
	start := s.pos
	ok := s.value(0, messageShape, &m.fields)
	m.where = span{uint32(start), uint32(s.pos)}
	m.fault, m.faultAt = s.fault, s.faultAt
	s.fault, s.faultAt = outer, outerAt
	return ok
}

// inherit gives a message what its batch's context says and its own does not.
// Objects are taken whole, as Segment merges them.
func (m *message) inherit(batch *fields) {
	if !batch[fieldContext].given() {
		return
	}
	if !m.fields[fieldContext].given() {
		m.fields[fieldContext] = batch[fieldContext]
	}
	for _, f := range [...]field{fieldContextTraits, fieldExternalIDs, fieldChannel, fieldDirection, fieldConsent} {
		if !m.fields[f].given() {
			m.fields[f] = batch[f]
		}
	}
	for _, object := range [...]struct {
		field field
		shape *shape
	}{{fieldCampaign, campaignShape}, {fieldPage, pageShape}, {fieldDevice, deviceShape}} {
		if !m.fields[object.field].given() {
			m.fields[object.field] = batch[object.field]
			copy(m.fields[object.shape.first:object.shape.last+1], batch[object.shape.first:])
		}
	}
}
