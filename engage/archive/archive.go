package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/insight/segment"
)

// Source gives out what is held of one individual, in one consistent view: what is
// asked for twice is the same twice. A method that is given a yield calls it with one
// row after the other, none of which is used after it returns, and stops at its first
// error, which it returns. Identifiers, sessions, interactions, decisions, memberships
// and assignments have the id of that individual; access entries and requests may have
// one that became theirs.
type Source interface {
	// Individual is who it is about.
	Individual(ctx context.Context) (*insight.Individual, error)
	// Purposes are all that exist, in the order in which they were defined.
	Purposes(ctx context.Context) ([]*insight.Purpose, error)
	// Identifiers come strongest first.
	Identifiers(ctx context.Context, yield func(*insight.Identifier) error) error
	// Links are those that have an end among the identifiers, earliest first.
	Links(ctx context.Context, yield func(*insight.Evidence) error) error
	// Traits are the observations of every source.
	Traits(ctx context.Context, yield func(insight.Trait) error) error
	// Sessions come earliest first.
	Sessions(ctx context.Context, yield func(*insight.Session) error) error
	// Interactions come earliest first, each with the purposes that were permitted
	// when it occurred.
	Interactions(ctx context.Context, yield func(x *insight.Interaction, permitted insight.Set) error) error
	// Decisions come by ledger and sequence.
	Decisions(ctx context.Context, yield func(*insight.Consent) error) error
	// Memberships are the segments that they are and were in, earliest first.
	Memberships(ctx context.Context, yield func(segment.Belonging) error) error
	// Assignments are what was decided about them in experiences, earliest first.
	Assignments(ctx context.Context, yield func(experience.Assigned) error) error
	// Heads are where the ledgers end.
	Heads(ctx context.Context) ([]consent.Head, error)
	// Access is who was shown their data, newest first.
	Access(ctx context.Context, yield func(*insight.AccessEntry) error) error
	// Requests are what was asked for concerning their data, newest first.
	Requests(ctx context.Context, yield func(*insight.Request) error) error
}

// Options say what an archive is made for.
type Options struct {
	Now         time.Time           // the moment of the source's view, which purposes' states are of
	Request     uuid.UUID           // the request that it answers
	Kind        insight.RequestKind // ACCESS or PORTABILITY
	RequestedBy string              // the subject of who asked for it
	Controller  string              // the name of the business; may be empty
	// Sign signs the archive's receipt, such as [receipt.Key.Sign].
	Sign func(receipt.Receipt) (json.RawMessage, error)
}

func (o Options) validate() error {
	bad := func(subject, message string) error { return insight.NewError(insight.Invalid, subject, message) }
	switch {
	case o.Now.IsZero():
		return bad("now", "an archive is of a moment")
	case o.Request == uuid.Nil:
		return bad("request", "an archive answers a request")
	case o.Kind != insight.RequestAccess && o.Kind != insight.RequestPortability:
		return bad("kind", "an archive is for ACCESS or PORTABILITY")
	case o.Sign == nil:
		return bad("sign", "an archive's receipt is signed")
	}
	return insight.CheckTime("now", o.Now)
}

// Manifest is what an archive holds.
type Manifest struct {
	Files   []File          // in the archive's order
	Receipt receipt.Receipt // what was signed
	Signed  json.RawMessage // the content of receipt.json
}

// File is a file of an archive.
type File struct {
	Name   string
	Table  string // what its rows are called in the receipt; empty: it has none
	Rows   int
	Size   int64  // bytes, before compression
	SHA256 string // of these, in hexadecimal
}

// Write writes the archive of a source's individual to w, file by file and row by
// row. The archive is whole when the error is nil. Otherwise the error is the first
// one of the source, of w, of o.Sign or of ctx, as it was; or of kind Invalid for
// options that cannot be, and of kind Internal for rows that cannot be in this
// archive.
func Write(ctx context.Context, w io.Writer, s Source, o Options) (Manifest, error) {
	if err := o.validate(); err != nil {
		return Manifest{}, err
	}
	o.Now = insight.Moment(o.Now)
	who, err := subjectOf(ctx, s, o.Now)
	if err != nil {
		return Manifest{}, err
	}
	heads, err := s.Heads(ctx)
	if err != nil {
		return Manifest{}, err
	}
	a, err := begin(w, who.ID, o.Now)
	if err != nil {
		return Manifest{}, err
	}
	a.file(ctx, "README.md", "", func(out *line) (int, error) {
		out.WriteString(readme(o))
		return 0, nil
	})
	a.file(ctx, "individual.json", individuals.name, func(out *line) (int, error) {
		object(out, individuals.columns, who)
		out.WriteByte('\n')
		return 1, nil
	})
	both(ctx, a, identifiers, s.Identifiers)
	both(ctx, a, links, own(who.ID, s.Links))
	both(ctx, a, traits, s.Traits)
	both(ctx, a, sessions, s.Sessions)
	both(ctx, a, interactions, happenings(s, who.purposes))
	a.file(ctx, "consents.json", consents.name, func(out *line) (int, error) {
		return ledgers(ctx, out, heads, entries(who.ID, s))
	})
	asCSV(ctx, a, consents, entries(who.ID, s))
	a.same("consents.json", "consents.csv")
	both(ctx, a, memberships, s.Memberships)
	both(ctx, a, offers, s.Assignments)
	both(ctx, a, accesses, s.Access)
	both(ctx, a, requests, s.Requests)
	asJSON(ctx, a, purposes, func(_ context.Context, yield func(*insight.Purpose) error) error {
		for _, p := range who.purposes {
			if err := yield(p); err != nil {
				return err
			}
		}
		return nil
	})
	m := Manifest{Receipt: receipt.Receipt{
		ID: insight.FormatID(insight.RequestPrefix, o.Request), Kind: receipt.Kind(o.Kind), IssuedAt: o.Now, Issuer: o.Controller,
		Individual: insight.FormatID(insight.IndividualPrefix, who.ID), RequestedBy: o.RequestedBy, Tables: a.tables(), Ledger: heads,
	}}
	a.file(ctx, "receipt.json", "", func(out *line) (int, error) {
		m.Signed, err = o.Sign(m.Receipt)
		out.Write(m.Signed)
		return 0, err
	})
	if a.err == nil {
		a.err = a.zip.Close()
	}
	if a.err != nil {
		return Manifest{}, a.err
	}
	m.Files = a.files
	return m, nil
}

// subject is whom an archive is about, and how they stand with each purpose.
type subject struct {
	*insight.Individual
	asOf     time.Time
	purposes []*insight.Purpose
	states   []standing
}

type standing struct {
	purpose *insight.Purpose
	basis   insight.LegalBasis // then
	consent.State
}

func subjectOf(ctx context.Context, s Source, now time.Time) (subject, error) {
	who := subject{asOf: now}
	var err error
	if who.Individual, err = s.Individual(ctx); err != nil {
		return who, err
	}
	if who.purposes, err = s.Purposes(ctx); err != nil {
		return who, err
	}
	var decisions []*insight.Consent
	known := now // all that the archive tells of counts
	err = s.Decisions(ctx, func(c *insight.Consent) error {
		d := *c
		d.Evidence = nil // it may be large, and nothing follows from it
		d.Covers = slices.Clone(c.Covers)
		decisions = append(decisions, &d)
		if d.RecordedAt.After(known) {
			known = d.RecordedAt
		}
		return ctx.Err()
	})
	for _, p := range who.purposes {
		who.states = append(who.states, standing{p, p.TermsAt(now).LegalBasis, consent.InForce(p, decisions, now, known)})
	}
	return who, err
}

// own keeps back, of links, the ends that are somebody else's now.
func own(individual uuid.UUID, links rows[*insight.Evidence]) rows[*insight.Evidence] {
	return func(ctx context.Context, yield func(*insight.Evidence) error) error {
		return links(ctx, func(e *insight.Evidence) error {
			ours := *e
			for _, end := range []*insight.Identifier{&ours.A, &ours.B} {
				if end.IndividualID != individual {
					end.Value = ""
				}
			}
			if ours.A.Value == "" && ours.B.Value == "" {
				return strange("links", "one is another individual's")
			}
			return yield(&ours)
		})
	}
}

// happening is an interaction with the keys of the purposes that were permitted when
// it occurred.
type happening struct {
	*insight.Interaction
	purposes []string
}

func happenings(s Source, purposes []*insight.Purpose) rows[happening] {
	return func(ctx context.Context, yield func(happening) error) error {
		var keys []string // of the last set: neighbours mostly share it
		var of insight.Set
		return s.Interactions(ctx, func(x *insight.Interaction, permitted insight.Set) error {
			if keys == nil || of != permitted {
				keys, of = []string{}, permitted
				for _, p := range purposes {
					if permitted&p.Set() != 0 {
						keys = append(keys, p.Key)
					}
				}
			}
			return yield(happening{x, keys})
		})
	}
}

// entries are the decisions in the form of their hash.
func entries(individual uuid.UUID, s Source) rows[consent.Entry] {
	return func(ctx context.Context, yield func(consent.Entry) error) error {
		return s.Decisions(ctx, func(c *insight.Consent) error {
			if c.IndividualID != individual {
				return strange("consents", "one is another individual's")
			}
			return yield(consent.EntryOf(c))
		})
	}
}

// ledgers writes the form of [receipt.Ledgers].
func ledgers(ctx context.Context, out *line, heads []consent.Head, records rows[consent.Entry]) (int, error) {
	if heads == nil {
		heads = []consent.Head{}
	}
	out.WriteString(`{"heads":`)
	out.value(heads)
	out.WriteString(",\"records\":")
	n, err := array(ctx, out, records, func(e consent.Entry) { out.value(e) })
	out.WriteString("}\n")
	return n, err
}

// tables counts, for the receipt, what the files hold.
func (a *archive) tables() []receipt.Table {
	var all []receipt.Table
	for _, f := range a.files {
		if f.Table == "" {
			continue
		}
		note := fmt.Sprintf("SHA-256 of %s: %s", f.Name, f.SHA256)
		if n := len(all); n > 0 && all[n-1].Table == f.Table {
			all[n-1].Note = strings.Join([]string{all[n-1].Note, note}, "; ")
			continue
		}
		all = append(all, receipt.Table{Table: f.Table, Action: receipt.ActionExported, Rows: f.Rows, Note: note})
	}
	return all
}

// strange is the error of a row that cannot be in this archive.
func strange(table, message string) error {
	return &insight.Error{Op: "archive.Write", Kind: insight.Internal, Subject: table, Message: message}
}
