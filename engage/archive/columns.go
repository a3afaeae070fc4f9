package archive

import (
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/insight/segment"
)

// The forms of values, which README.md explains.
const (
	aText   = "text"
	aName   = "name" // a text out of a few
	aTime   = "time"
	anID    = "id"
	aKey    = "key"
	yesNo   = "true or false"
	aCount  = "whole number"
	aNumber = "number"
	anyJSON = "JSON"
	aList   = "list"
	aHash   = "SHA-256, hexadecimal"
)

// Where values come from, which README.md explains.
const (
	fromSource   = "source"
	fromAcquaint = "Acquaint"
	fromDerived  = "derived"
	fromBusiness = "business"
)

// Names of the kinds that are stored as numbers from 1, as the API spells them.
var (
	identifierKinds = []string{"USER_ID", "EMAIL", "PHONE", "EXTERNAL", "DEVICE_ID", "ANONYMOUS_ID"}
	provenances     = []string{"DECLARED", "OBSERVED", "INFERRED"}
	sensitivities   = []string{"ORDINARY", "SENSITIVE"}
	directions      = []string{"INBOUND", "OUTBOUND"}
)

var individuals = table[subject]{
	name: "individuals", file: "individual",
	says: "Who you are to this system, and for which purposes your data may be used. One object.",
	columns: []column[subject]{
		{"id", anID, "you, in this system", fromAcquaint, func(l *line, s subject) { l.id(insight.IndividualPrefix, s.ID) }},
		{"firstSeenAt", aTime, "when you did something for the first time; if you never did, when something was first known of you", fromDerived, func(l *line, s subject) { l.at(s.FirstSeenAt) }},
		{"lastSeenAt", aTime, "when you did something last; if you never did, when something was last learned of you", fromDerived, func(l *line, s subject) { l.at(s.LastSeenAt) }},
		{"identified", yesNo, "whether an account id (USER_ID) is among your identifiers", fromDerived, func(l *line, s subject) { l.yes(s.Identified) }},
		{"asOf", aTime, "the moment that this archive is of", fromAcquaint, func(l *line, s subject) { l.at(s.asOf) }},
		{"purposes", aList, "how you stand with each purpose at that moment: objects, explained below", fromDerived, func(l *line, s subject) { objects(l, states.columns, s.states) }},
	},
}

var states = table[standing]{
	columns: []column[standing]{
		{"key", aText, "the purpose, as in purposes.json", fromBusiness, func(l *line, s standing) { l.text(s.purpose.Key) }},
		{"name", aText, "its name", fromBusiness, func(l *line, s standing) { l.text(s.purpose.Name) }},
		{"legalBasis", aName, "why it may be pursued at all (GDPR Article 6): CONSENT, CONTRACT, LEGAL_OBLIGATION, VITAL_INTEREST, PUBLIC_TASK or LEGITIMATE_INTEREST", fromBusiness, func(l *line, s standing) { l.text(string(s.basis)) }},
		{"permitted", yesNo, "whether your data may be used for it", fromDerived, func(l *line, s standing) { l.yes(s.Permitted) }},
		{"status", aName, "GRANTED (you said yes), DENIED (you said no), WITHDRAWN (you took a yes back, or objected), EXPIRED (your yes ended by itself), UNKNOWN (you decided nothing) or NOT_REQUIRED (the legal basis does not ask)", fromDerived, func(l *line, s standing) { l.text(string(s.Status)) }},
		{"because", aText, "why, in words", fromDerived, func(l *line, s standing) { l.text(s.Because) }},
		{"since", aTime, "from when the decision holds that settles it", fromDerived, func(l *line, s standing) { l.at(s.Since) }},
		{"expiresAt", aTime, "when the yes that permits it ends by itself", fromDerived, func(l *line, s standing) { l.at(s.ExpiresAt) }},
		{"record", anID, "the decision that settles it, in consents", fromDerived, func(l *line, s standing) {
			if s.Record == nil {
				l.none()
				return
			}
			l.id(insight.ConsentPrefix, s.Record.ID)
		}},
	},
}

var identifiers = table[*insight.Identifier]{
	name: "identifiers", file: "identifiers",
	says:  "What you are known by. Strongest first.",
	whose: func(f *insight.Identifier) uuid.UUID { return f.IndividualID },
	columns: []column[*insight.Identifier]{
		{"key", aKey, "the identifier, in the columns identifier, stream, ledger and covers of other files", fromDerived, func(l *line, f *insight.Identifier) { l.key(f.Key) }},
		{"kind", aName, "USER_ID (the account id), EMAIL, PHONE, EXTERNAL (another system's id), DEVICE_ID (a device or installation) or ANONYMOUS_ID (a browser or app before anyone is known)", fromSource, func(l *line, f *insight.Identifier) { l.name(identifierKinds, uint8(f.Kind)) }},
		{"value", aText, "the identifier itself: e-mail addresses in lower case, phone numbers with a plus and the country code, other systems' ids as system:id", fromSource, func(l *line, f *insight.Identifier) { l.text(f.Value) }},
		{"firstSeenAt", aTime, "the earliest evidence that carries it", fromSource, func(l *line, f *insight.Identifier) { l.at(f.FirstSeenAt) }},
		{"lastSeenAt", aTime, "the latest evidence that carries it", fromSource, func(l *line, f *insight.Identifier) { l.at(f.LastSeenAt) }},
		{"shared", yesNo, "whether it is linked to the account ids of two people, and so is no evidence of who somebody is", fromDerived, func(l *line, f *insight.Identifier) { l.yes(f.Shared) }},
		{"origin", anID, "whom it would belong to if it were linked to nothing else", fromAcquaint, func(l *line, f *insight.Identifier) { l.id(insight.IndividualPrefix, f.Origin) }},
	},
}

var links = table[*insight.Evidence]{
	name: "links", file: "links",
	says: "The evidence that two identifiers are one person, also what was revoked. Earliest first. An identifier that is somebody else's now is left out: only its kind is told.",
	columns: []column[*insight.Evidence]{
		{"id", anID, "the link", fromAcquaint, func(l *line, e *insight.Evidence) { l.id(insight.LinkPrefix, e.ID) }},
		{"aKind", aName, "the kind of the stronger identifier", fromSource, func(l *line, e *insight.Evidence) { l.name(identifierKinds, uint8(e.A.Kind)) }},
		{"a", aText, "the stronger identifier", fromSource, func(l *line, e *insight.Evidence) { l.text(e.A.Value) }},
		{"bKind", aName, "the kind of the weaker identifier", fromSource, func(l *line, e *insight.Evidence) { l.name(identifierKinds, uint8(e.B.Kind)) }},
		{"b", aText, "the weaker identifier", fromSource, func(l *line, e *insight.Evidence) { l.text(e.B.Value) }},
		{"operator", yesNo, "whether somebody of the business made the link; otherwise an event told of it", fromAcquaint, func(l *line, e *insight.Evidence) { l.yes(e.Operator) }},
		{"source", aText, "the name of the source that told of it first", fromAcquaint, func(l *line, e *insight.Evidence) { l.text(e.Source) }},
		{"messageId", aText, "the source's id of the message that told of it", fromSource, func(l *line, e *insight.Evidence) { l.text(e.MessageID) }},
		{"observedAt", aTime, "when it was first observed", fromSource, func(l *line, e *insight.Evidence) { l.at(e.ObservedAt) }},
		{"revokedAt", aTime, "when it was revoked; not known: it counts", fromAcquaint, func(l *line, e *insight.Evidence) { l.at(e.RevokedAt) }},
		{"reason", aText, "why somebody of the business made or revoked it", fromBusiness, func(l *line, e *insight.Evidence) { l.text(e.Reason) }},
	},
}

var traits = table[insight.Trait]{
	name: "traits", file: "traits",
	says: "What is known of you: the latest statement of each source about each thing. Where sources differ, the one of the highest confidence is used.",
	columns: []column[insight.Trait]{
		{"key", aText, "what it is about, such as plan", fromSource, func(l *line, t insight.Trait) { l.text(t.Key) }},
		{"value", anyJSON, "what was said; null: that it no longer holds", fromSource, func(l *line, t insight.Trait) { l.raw(t.Value) }},
		{"provenance", aName, "how it is known: DECLARED (you or the business said so), OBSERVED (in what you did) or INFERRED (worked out or guessed)", fromSource, func(l *line, t insight.Trait) { l.name(provenances, uint8(t.Provenance)) }},
		{"confidence", aNumber + ", 0 to 1", "how sure it is", fromSource, func(l *line, t insight.Trait) { l.number(t.Confidence) }},
		{"sensitivity", aName, "ORDINARY, or SENSITIVE: a special category (GDPR Article 9), or what the business treats like one", fromBusiness, func(l *line, t insight.Trait) { l.name(sensitivities, uint8(t.Sensitivity)) }},
		{"source", aText, "the name of the source that said so", fromAcquaint, func(l *line, t insight.Trait) { l.text(t.Source) }},
		{"observedAt", aTime, "when it was said", fromSource, func(l *line, t insight.Trait) { l.at(t.ObservedAt) }},
	},
}

var sessions = table[*insight.Session]{
	name: "sessions", file: "sessions",
	says:  "Your visits: what you did on one device without a long break. Earliest first.",
	whose: func(s *insight.Session) uuid.UUID { return s.IndividualID },
	columns: []column[*insight.Session]{
		{"id", anID, "the session; after ses_ it is the id of the interaction that it starts with", fromDerived, func(l *line, s *insight.Session) { l.id(insight.SessionPrefix, s.ID) }},
		{"startedAt", aTime, "its first interaction", fromDerived, func(l *line, s *insight.Session) { l.at(s.StartedAt) }},
		{"endedAt", aTime, "its last interaction", fromDerived, func(l *line, s *insight.Session) { l.at(s.EndedAt) }},
		{"interactions", aCount, "how many interactions it has", fromDerived, func(l *line, s *insight.Session) { l.count(s.Interactions) }},
		{"engaged", yesNo, "whether it was more than a glance: 10 seconds, a conversion, or two views", fromDerived, func(l *line, s *insight.Session) { l.yes(s.Engaged) }},
		{"channel", aText, "the key of the channel that it began on", fromDerived, func(l *line, s *insight.Session) { l.text(channel(s.EntryChannel).Key) }},
		{"channelName", aText, "that channel's name", fromBusiness, func(l *line, s *insight.Session) { l.text(channel(s.EntryChannel).Name) }},
		{"channelKind", aName, "what sort of channel it is, such as WEB, EMAIL or STORE", fromBusiness, func(l *line, s *insight.Session) { l.text(string(channel(s.EntryChannel).Kind)) }},
		{"campaign", anyJSON, "the campaign that led to it, from the utm parameters of a link: an object of texts with name, source, medium, term and content, as far as they were there", fromSource, func(l *line, s *insight.Session) { campaign(l, s.Campaign) }},
		{"source", aText, "the name of the source that told of it", fromAcquaint, func(l *line, s *insight.Session) { l.text(source(s.Source)) }},
		{"stream", aKey, "the device or browser that it happened on", fromDerived, func(l *line, s *insight.Session) { l.key(s.Stream) }},
	},
}

var interactions = table[happening]{
	name: "interactions", file: "interactions",
	says:  "What happened between you and the business, one by one. Earliest first.",
	whose: func(x happening) uuid.UUID { return x.IndividualID },
	columns: []column[happening]{
		{"id", anID, "the interaction", fromAcquaint, func(l *line, x happening) { l.id(insight.InteractionPrefix, x.ID) }},
		{"occurredAt", aTime, "when it happened, corrected for the clock of the device", fromSource, func(l *line, x happening) { l.at(x.OccurredAt) }},
		{"receivedAt", aTime, "when it reached this system", fromAcquaint, func(l *line, x happening) { l.at(x.ReceivedAt) }},
		{"type", aText, "what happened, such as page, purchase or Order Completed", fromSource, func(l *line, x happening) { l.text(x.Type) }},
		{"direction", aName, "who reached out: INBOUND (you to the business) or OUTBOUND (the business to you)", fromSource, func(l *line, x happening) { l.name(directions, uint8(x.Direction)) }},
		{"channel", aText, "the key of the channel that it happened on", fromDerived, func(l *line, x happening) { l.text(channel(x.Channel).Key) }},
		{"channelName", aText, "that channel's name", fromBusiness, func(l *line, x happening) { l.text(channel(x.Channel).Name) }},
		{"channelKind", aName, "what sort of channel it is, such as WEB, EMAIL or STORE", fromBusiness, func(l *line, x happening) { l.text(string(channel(x.Channel).Kind)) }},
		{"value", aNumber + ", in currency", "what it was worth", fromSource, func(l *line, x happening) {
			if x.Value == nil {
				l.none()
				return
			}
			l.number(*x.Value)
		}},
		{"currency", "text, ISO 4217", "the currency of value, such as EUR", fromSource, func(l *line, x happening) { l.text(x.Currency) }},
		{"campaign", anyJSON, "the campaign that led to it, from the utm parameters of a link: an object of texts with name, source, medium, term and content, as far as they were there", fromSource, func(l *line, x happening) { campaign(l, x.Campaign) }},
		{"properties", anyJSON, "whatever else was told of it: an object", fromSource, func(l *line, x happening) { l.raw(x.Properties) }},
		{"purposes", aList, "the keys of the purposes that it may be used for: those that were permitted when it happened", fromDerived, func(l *line, x happening) { l.list(x.purposes) }},
		{"source", aText, "the name of the source that told of it", fromAcquaint, func(l *line, x happening) { l.text(source(x.Source)) }},
		{"messageId", aText, "the source's id of the message that told of it", fromSource, func(l *line, x happening) { l.text(x.MessageID) }},
		{"identifier", aKey, "the strongest identifier that it came with", fromDerived, func(l *line, x happening) { l.key(x.Owner) }},
		{"stream", aKey, "the device or browser that it happened on; if there is none, as identifier", fromDerived, func(l *line, x happening) { l.key(x.Stream) }},
	},
}

// consents describes and writes [consent.Entry], whose JSON is its own.
var consents = table[consent.Entry]{
	name: "consents", file: "consents",
	says: "What you decided about purposes, as it was recorded: yes, no, and yes taken back. Nothing in it is ever changed. By ledger and sequence: there is a ledger for each identifier that was your strongest when something was recorded. consents.json is an object of heads (a list that says where each ledger ends) and records (the list of decisions); there, members that are not known are left out, because the hashes are taken of it.",
	columns: []column[consent.Entry]{
		{"id", anID, "the decision", fromAcquaint, func(l *line, e consent.Entry) { l.text(e.ID) }},
		{"ledger", aKey, "the identifier in whose ledger it stands", fromDerived, func(l *line, e consent.Entry) { l.text(e.Ledger) }},
		{"sequence", aCount + ", from 1", "its place in the ledger", fromAcquaint, func(l *line, e consent.Entry) { l.count(e.Sequence) }},
		{"covers", aList, "the keys of the other identifiers for whom it speaks", fromDerived, func(l *line, e consent.Entry) {
			if len(e.Covers) == 0 {
				l.none()
				return
			}
			l.list(e.Covers)
		}},
		{"purpose", aText, "the key of the purpose that it is about", fromSource, func(l *line, e consent.Entry) { l.text(e.Purpose) }},
		{"decision", aName, "GRANTED (yes), DENIED (no) or WITHDRAWN (a yes taken back, or an objection)", fromSource, func(l *line, e consent.Entry) { l.text(e.Decision) }},
		{"effectiveAt", aTime, "from when it holds", fromSource, func(l *line, e consent.Entry) { l.text(e.EffectiveAt) }},
		{"recordedAt", aTime, "when it was recorded", fromAcquaint, func(l *line, e consent.Entry) { l.text(e.RecordedAt) }},
		{"expiresAt", aTime, "when a yes ends by itself; not known: it does not", fromSource, func(l *line, e consent.Entry) { l.text(e.ExpiresAt) }},
		{"source", aText, "the name of the source that told of it", fromAcquaint, func(l *line, e consent.Entry) { l.text(e.Source) }},
		{"method", aName, "how it was expressed: DECLARED (told to somebody), BANNER, PREFERENCE_CENTRE, a signal of a browser or tool (GPC, TCF, GPP, CONSENT_MODE, CATEGORY), IMPORT (from another system) or OPERATOR (the business, on your behalf)", fromSource, func(l *line, e consent.Entry) { l.text(e.Method) }},
		{"policyVersion", aText, "the version of the notice or policy that it was given under", fromSource, func(l *line, e consent.Entry) { l.text(e.PolicyVersion) }},
		{"jurisdiction", aText, "the jurisdiction that it was given under", fromSource, func(l *line, e consent.Entry) { l.text(e.Jurisdiction) }},
		{"evidence", anyJSON, "what proves it: the signal that was received, a reference, a reason", fromSource, func(l *line, e consent.Entry) { l.raw(e.Evidence) }},
		{"previousHash", aHash, "the hash of the record before it in its ledger; of the first one, 64 zeros", fromDerived, func(l *line, e consent.Entry) { l.text(e.PreviousHash) }},
		{"hash", aHash, "of all of the above", fromDerived, func(l *line, e consent.Entry) { l.text(e.Hash) }},
	},
}

// ends describes [consent.Head].
var ends = table[consent.Head]{
	columns: []column[consent.Head]{
		{"ledger", aKey, "the identifier whose ledger it is", fromDerived, nil},
		{"length", aCount, "how many records it has", fromDerived, nil},
		{"last", anID, "the last of them", fromDerived, nil},
		{"hash", aHash, "the hash of the last of them", fromDerived, nil},
	},
}

var accesses = table[*insight.AccessEntry]{
	name: "access_entries", file: "access",
	says: "Who was shown your data, for what, and when. Newest first. Reads by one reader for one purpose in one minute are one entry. What you look at yourself is not listed.",
	columns: []column[*insight.AccessEntry]{
		{"at", aTime + ", to the minute", "the minute in which it was read", fromAcquaint, func(l *line, e *insight.AccessEntry) { l.at(e.At) }},
		{"subject", aText, "who read it: a person or program, as the business names them", fromBusiness, func(l *line, e *insight.AccessEntry) { l.text(e.Subject) }},
		{"purpose", aText, "the key of the purpose that it was read for", fromBusiness, func(l *line, e *insight.AccessEntry) {
			if e.Purpose == nil {
				l.none()
				return
			}
			l.text(e.Purpose.Key)
		}},
		{"operation", aName, "how: query, mutation, subscription or export", fromAcquaint, func(l *line, e *insight.AccessEntry) { l.text(e.Operation) }},
	},
}

var memberships = table[segment.Belonging]{
	name: "memberships", file: "memberships",
	says:  "The segments that you are and were in: groups of people whom a rule of the business describes. Earliest first.",
	whose: func(m segment.Belonging) uuid.UUID { return m.IndividualID },
	columns: []column[segment.Belonging]{
		{"id", anID, "the membership", fromAcquaint, func(l *line, m segment.Belonging) { l.id(insight.MembershipPrefix, m.ID) }},
		{"segment", aText, "the segment's key", fromBusiness, func(l *line, m segment.Belonging) { l.text(m.Segment.Key) }},
		{"name", aText, "its name", fromBusiness, func(l *line, m segment.Belonging) { l.text(m.Segment.Name) }},
		{"description", aText, "what the segment is for", fromBusiness, func(l *line, m segment.Belonging) { l.text(m.Segment.Description) }},
		{"purpose", aText, "the key of the purpose that it may be used for", fromBusiness, func(l *line, m segment.Belonging) { l.text(m.Segment.Purpose.Key) }},
		{"rule", anyJSON, "who is in the segment, as the rule was last written; docs/segments.md of Acquaint explains it", fromBusiness, func(l *line, m segment.Belonging) { l.value(m.Segment.Rule) }},
		{"enteredAt", aTime, "since when", fromDerived, func(l *line, m segment.Belonging) { l.at(m.EnteredAt) }},
		{"exitedAt", aTime, "until when; not known: you still are", fromDerived, func(l *line, m segment.Belonging) { l.at(m.ExitedAt) }},
	},
}

var offers = table[experience.Assigned]{
	name: "decisions", file: "offers",
	says:  "What was decided about you in experiences: what you were offered, or that you were held out, which is to be offered nothing so that the business can see whether its offers change anything. Earliest first.",
	whose: func(a experience.Assigned) uuid.UUID { return a.IndividualID },
	columns: []column[experience.Assigned]{
		{"id", anID, "the decision", fromAcquaint, func(l *line, a experience.Assigned) { l.id(insight.DecisionPrefix, a.ID) }},
		{"experience", aText, "the experience's key", fromBusiness, func(l *line, a experience.Assigned) { l.text(a.Experience.Key) }},
		{"name", aText, "its name", fromBusiness, func(l *line, a experience.Assigned) { l.text(a.Experience.Name) }},
		{"purpose", aText, "the key of the purpose that it was decided for", fromBusiness, func(l *line, a experience.Assigned) { l.text(a.Experience.Purpose.Key) }},
		{"variant", aText, "what you were offered: its key; not known: you were held out", fromBusiness, func(l *line, a experience.Assigned) { l.text(a.Variant) }},
		{"heldOut", yesNo, "whether you were held out", fromDerived, func(l *line, a experience.Assigned) { l.yes(a.Holdout) }},
		{"decidedAt", aTime, "when", fromAcquaint, func(l *line, a experience.Assigned) { l.at(a.At) }},
	},
}

var requests = table[*insight.Request]{
	name: "requests", file: "requests",
	says: "What was asked for concerning your data, by you or on your behalf. Newest first.",
	columns: []column[*insight.Request]{
		{"id", anID, "the request", fromAcquaint, func(l *line, q *insight.Request) { l.id(insight.RequestPrefix, q.ID) }},
		{"kind", aName, "ACCESS, PORTABILITY, RECTIFICATION, ERASURE or OBJECTION (GDPR Articles 15, 20, 16, 17 and 21)", fromBusiness, func(l *line, q *insight.Request) { l.text(string(q.Kind)) }},
		{"requestedBy", aText, "who entered it, as the business names them", fromBusiness, func(l *line, q *insight.Request) { l.text(q.RequestedBy) }},
		{"requestedAt", aTime, "when it was entered", fromAcquaint, func(l *line, q *insight.Request) { l.at(q.RequestedAt) }},
		{"completedAt", aTime, "when it was done; not known: not yet", fromAcquaint, func(l *line, q *insight.Request) { l.at(q.CompletedAt) }},
		{"digest", aHash, "of the receipt that was handed out for it", fromDerived, func(l *line, q *insight.Request) { l.text(q.Digest) }},
	},
}

var purposes = table[*insight.Purpose]{
	name: "purposes", file: "purposes",
	says: "What data about people is used for here, yours only where individual.json says so. In the order in which they were defined.",
	columns: []column[*insight.Purpose]{
		{"id", anID, "the purpose", fromAcquaint, func(l *line, p *insight.Purpose) { l.id(insight.PurposePrefix, p.ID) }},
		{"key", aText, "its key, by which other files name it", fromBusiness, func(l *line, p *insight.Purpose) { l.text(p.Key) }},
		{"name", aText, "its name", fromBusiness, func(l *line, p *insight.Purpose) { l.text(p.Name) }},
		{"description", aText, "what is done for it", fromBusiness, func(l *line, p *insight.Purpose) { l.text(p.Description) }},
		{"legalBasis", aName, "why it may be pursued at all, as in individual.json", fromBusiness, func(l *line, p *insight.Purpose) { l.text(string(p.LegalBasis)) }},
		{"retroactive", yesNo, "whether what happened before you permitted it may be used once you do", fromBusiness, func(l *line, p *insight.Purpose) { l.yes(p.Retroactive) }},
		{"retention", "duration, ISO 8601", "how long data may be kept for it, such as P365D: 365 days; not known: it has no limit of its own", fromBusiness, func(l *line, p *insight.Purpose) {
			if p.Retention == 0 {
				l.none()
				return
			}
			l.text(insight.FormatDuration(p.Retention))
		}},
		{"consentMode", aList, "its names in Google Consent Mode", fromBusiness, func(l *line, p *insight.Purpose) { l.list(p.ConsentMode) }},
		{"tcf", "list of whole numbers", "its purpose numbers in IAB TCF", fromBusiness, func(l *line, p *insight.Purpose) { l.value(append([]int{}, p.TCF...)) }},
		{"gpp", aList, "its fields of IAB GPP", fromBusiness, func(l *line, p *insight.Purpose) { l.list(p.GPP) }},
		{"categories", aList, "its Segment consent categories", fromBusiness, func(l *line, p *insight.Purpose) { l.list(p.Categories) }},
		{"versions", aList, "what its terms were, earliest first; empty if they never changed: objects, explained below", fromAcquaint, func(l *line, p *insight.Purpose) { objects(l, versions.columns, p.Versions) }},
	},
}

var versions = table[insight.PurposeVersion]{
	columns: []column[insight.PurposeVersion]{
		{"at", aTime, "from when; the first one's terms count before it too", fromAcquaint, func(l *line, v insight.PurposeVersion) { l.at(v.At) }},
		{"legalBasis", aName, "why it might be pursued", fromBusiness, func(l *line, v insight.PurposeVersion) { l.text(string(v.LegalBasis)) }},
		{"retroactive", yesNo, "whether what happened before you permitted it might be used", fromBusiness, func(l *line, v insight.PurposeVersion) { l.yes(v.Retroactive) }},
	},
}

// receipts describes what [receipt.Key.Sign] makes of an archive's receipt.
var receipts = table[receipt.Receipt]{
	file: "receipt",
	says: "What this archive holds, signed by the business. One object.",
	columns: []column[receipt.Receipt]{
		{"schema", aText, "the form of the receipt", fromAcquaint, nil},
		{"id", anID, "the request that this archive answers", fromAcquaint, nil},
		{"kind", aName, "ACCESS or PORTABILITY", fromBusiness, nil},
		{"issuedAt", aTime, "the moment that this archive is of", fromAcquaint, nil},
		{"issuer", aText, "the business", fromBusiness, nil},
		{"individual", anID, "you, as in individual.json", fromAcquaint, nil},
		{"requestedBy", aText, "who entered the request", fromBusiness, nil},
		{"tables", aList, "what is in the archive: objects, explained below", fromAcquaint, nil},
		{"destinations", aList, "who else was told; here, nobody", fromAcquaint, nil},
		{"ledger", aList, "where your ledgers ended: the heads of consents.json", fromDerived, nil},
		{"publicKey", "base64", "the key to check the signature with", fromBusiness, nil},
		{"keyId", "16 hexadecimal digits", "a short name of that key, for comparing it", fromDerived, nil},
		{"algorithm", aText, "how it is signed", fromAcquaint, nil},
		{"signature", "base64", "the signature over all of the above, written as canonical JSON", fromBusiness, nil},
	},
}

// exported describes [receipt.Table].
var exported = table[receipt.Table]{
	columns: []column[receipt.Table]{
		{"table", aText, "what it is about; the note names its files", fromAcquaint, nil},
		{"action", aName, "exported", fromAcquaint, nil},
		{"rows", aCount, "how many rows each of its files has", fromAcquaint, nil},
		{"note", aText, "the names of its files, each with the SHA-256 of its content", fromDerived, nil},
	},
}

func channel(c *insight.Channel) insight.Channel {
	if c == nil {
		return insight.Channel{}
	}
	return *c
}

func source(s *insight.Source) string {
	if s == nil {
		return ""
	}
	return s.Name
}

func campaign(l *line, c insight.Campaign) {
	if c.IsZero() {
		l.none()
		return
	}
	l.value(c)
}

// section is what README.md says of a table.
type section struct {
	files   []string
	says    string
	columns [][4]string
	within  []section // of objects in it, each with where they are as its only file
}

func (t table[T]) section(files ...string) section {
	s := section{files: files, says: t.says}
	for _, c := range t.columns {
		s.columns = append(s.columns, [4]string{c.name, c.form, c.says, c.from})
	}
	return s
}

func (s section) with(within ...section) section {
	s.within = within
	return s
}

// sections are all files but README.md, in their order.
func sections() []section {
	return []section{
		individuals.section("individual.json").with(states.section("Each of purposes")),
		identifiers.section("identifiers.json", "identifiers.csv"),
		links.section("links.json", "links.csv"),
		traits.section("traits.json", "traits.csv"),
		sessions.section("sessions.json", "sessions.csv"),
		interactions.section("interactions.json", "interactions.csv"),
		consents.section("consents.json", "consents.csv").with(ends.section("Each of heads, in consents.json")),
		memberships.section("memberships.json", "memberships.csv"),
		offers.section("offers.json", "offers.csv"),
		accesses.section("access.json", "access.csv"),
		requests.section("requests.json", "requests.csv"),
		purposes.section("purposes.json").with(versions.section("Each of versions")),
		receipts.section("receipt.json").with(exported.section("Each of tables"), ends.section("Each of ledger")),
	}
}

// stamp is a moment as the archive writes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
