package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/experience"
)

// policy is what may be done with personal data, as it stood when it was read: the
// purposes and their terms. It is never changed, only replaced.
type policy struct {
	purposes []*insight.Purpose // in the order in which they were defined
	inverted insight.Set        // the purposes whose bits are stored the other way round
	known    insight.Set        // all of them
	revision []byte             // see Store.revision
	audience *audience          // the segments that are computed by these terms
	// experiences are those that exist, by key.
	experiences []*experience.Experience
}

func newPolicy(purposes []*insight.Purpose, revision []byte) *policy {
	slices.SortFunc(purposes, func(a, b *insight.Purpose) int { return cmp.Compare(a.Bit, b.Bit) })
	p := &policy{purposes: purposes, revision: revision}
	for _, one := range purposes {
		p.known |= one.Set()
		if one.Inverted {
			p.inverted |= one.Set()
		}
	}
	return p
}

// stored is a set in the form in which rows keep it, and back. A purpose that covers
// whoever decided nothing when it is defined is kept inverted, so that the rows that
// are there already, which have a zero in its place, say what is true.
func (p *policy) stored(s insight.Set) insight.Set { return s ^ p.inverted }

func (p *policy) byKey(key string) *insight.Purpose {
	for _, one := range p.purposes {
		if one.Key == key {
			return one
		}
	}
	return nil
}

func (p *policy) byID(id uuid.UUID) *insight.Purpose {
	for _, one := range p.purposes {
		if one.ID == id {
			return one
		}
	}
	return nil
}

// unasked is what covers, at a moment, somebody who has decided nothing.
func (p *policy) unasked(at time.Time) insight.Set { return consent.Unasked(p.purposes, at) }

// policy is the one that this process knows.
func (s *Store) policy() *policy {
	s.directory.mu.RLock()
	defer s.directory.mu.RUnlock()
	return s.directory.policy
}

// purposesRevision is the setting that changes with every change of a purpose.
const purposesRevision = "purposes_revision"

// revision reads it; before the first change it is empty.
func (s *Store) revision(ctx context.Context, db interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) ([]byte, error) {
	var revision []byte
	err := db.QueryRowContext(ctx, "SELECT value FROM settings WHERE id = '"+purposesRevision+"'").Scan(&revision)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return revision, err
}

// currentPolicy is the policy that holds in a transaction that has its turn. Another
// process may have changed it.
func (s *Store) currentPolicy(ctx context.Context, revision []byte) (*policy, error) {
	if p := s.policy(); bytes.Equal(p.revision, revision) {
		return p, nil
	}
	if err := s.directory.load(ctx); err != nil {
		return nil, err
	}
	return s.policy(), nil
}

// horizon is what this process knows of changes that come without its doing: when
// the next grant of anybody ends, and what other processes decided.
type horizon struct {
	mu     sync.Mutex
	looked time.Time // by the machine's clock
	lapse  time.Time // when the next grant ends; zero: none does
}

// lookEvery bounds for how long what another process did may go unnoticed: a changed
// purpose, or a grant that ends very soon. What a person withdraws is never read
// again, whoever recorded it, because their rows say so.
const lookEvery = 250 * time.Millisecond

// look brings this process up to date before a read: with the purposes, and with
// grants that have ended.
func (s *Store) look(ctx context.Context) error {
	h := &s.horizon
	h.mu.Lock()
	stale := time.Since(h.looked) > s.lookEvery
	lapse := h.lapse
	h.mu.Unlock()
	if stale {
		var err error
		if lapse, err = s.lookAgain(ctx); err != nil {
			return translate("store.look", err)
		}
	}
	if lapse.IsZero() || lapse.After(s.now()) {
		return nil
	}
	return s.lapse(ctx)
}

func (s *Store) lookAgain(ctx context.Context) (time.Time, error) {
	began := time.Now()
	var lapse moment
	stmt, err := s.read.stmt(ctx, "SELECT min(lapses_at) FROM individuals WHERE lapses_at IS NOT NULL")
	if err != nil {
		return time.Time{}, err
	}
	if err := stmt.QueryRowContext(ctx).Scan(&lapse); err != nil {
		return time.Time{}, err
	}
	revision, err := s.revision(ctx, s.read.db)
	if err != nil {
		return time.Time{}, err
	}
	if !bytes.Equal(s.policy().revision, revision) {
		if err := s.directory.load(ctx); err != nil {
			return time.Time{}, err
		}
	}
	s.horizon.mu.Lock()
	defer s.horizon.mu.Unlock()
	s.horizon.looked, s.horizon.lapse = began, lapse.Time
	return lapse.Time, nil
}

// lapses notes that somebody's grant ends at a moment.
func (h *horizon) lapses(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !at.IsZero() && (h.lapse.IsZero() || at.Before(h.lapse)) {
		h.lapse = at
	}
}

// lapsing is how many individuals are seen to in one transaction.
const lapsing = 1000

// lapse takes away what grants that have ended permitted.
func (s *Store) lapse(ctx context.Context) error {
	for {
		n := 0
		err := s.change(ctx, "store.lapse", func(b *batch) error {
			n = 0
			err := b.query(ctx, individualColumns+" FROM individuals WHERE lapses_at <= "+b.engine.moment(1)+fmt.Sprintf(" ORDER BY lapses_at LIMIT %d", lapsing),
				[]any{b.engine.time(b.now)}, func(r *sql.Rows) error {
					n++
					return b.scanIndividual(r)
				})
			if err != nil {
				return err
			}
			if _, err := b.catchUp(ctx); err != nil {
				return err
			}
			for id := range b.individuals {
				b.reconsidered[id] = true
			}
			return b.consider(ctx)
		})
		if err != nil {
			return err
		}
		if n < lapsing {
			break
		}
	}
	_, err := s.lookAgain(ctx)
	return translate("store.lapse", err)
}

// Changes counts how often this process learned that somebody may be covered by other
// purposes than before: while it stays the same, what was read still may be shown.
func (s *Store) Changes() uint64 { return s.changes.Load() }

// Purposes lists every purpose in the order in which they were defined.
func (s *Store) Purposes(ctx context.Context) ([]*insight.Purpose, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	return slices.Clone(s.policy().purposes), nil
}

// Purpose finds a purpose by key, or an error of kind Invalid.
func (s *Store) Purpose(ctx context.Context, key string) (*insight.Purpose, error) {
	d := s.directory
	p, ok, err := lookup(ctx, d, func() (*insight.Purpose, bool) { p := d.policy.byKey(key); return p, p != nil })
	if err == nil && !ok {
		err = insight.NewError(insight.Invalid, "purpose", "there is no such purpose")
	}
	return p, err
}

// mostPurposes is how many sets have room for.
const mostPurposes = 62

// writePurpose inserts a purpose.
func writePurpose(ctx context.Context, tx *sql.Tx, p *insight.Purpose, onConflict string) error {
	consentMode, tcf, gpp, categories := purposeNames(p)
	_, err := tx.ExecContext(ctx, `INSERT INTO purposes
		(id, key, name, description, bit, inverted, legal_basis, retroactive, retention, floor, consent_mode, tcf, gpp, categories)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) `+onConflict,
		p.ID.String(), p.Key, p.Name, p.Description, int64(p.Bit), p.Inverted, string(p.LegalBasis), p.Retroactive, p.Retention.Microseconds(), p.Floor,
		consentMode, tcf, gpp, categories)
	return err
}

// purposeNames are a purpose's names elsewhere, as JSON.
func purposeNames(p *insight.Purpose) (consentMode, tcf, gpp, categories string) {
	text := func(v any) string {
		b, _ := json.Marshal(v) // slices of strings and numbers always marshal
		return string(b)
	}
	return text(p.ConsentMode), text(p.TCF), text(p.GPP), text(p.Categories)
}

// DefinePurpose makes a purpose, or changes the one that has its key. Its id, bit and
// versions are the store's to give. Terms that change (the legal basis, whether it is
// retroactive) hold from now on: what was permitted before stays as it was. What
// covers whom now is worked out anew for everybody, in the transaction that changes
// it.
//
// The error is of kind Invalid, with the field's name, when the purpose cannot be,
// and of kind Exhausted when there is no room for one more.
func (s *Store) DefinePurpose(ctx context.Context, p insight.Purpose) (*insight.Purpose, error) {
	if err := checkPurpose(&p); err != nil {
		return nil, err
	}
	err := s.change(ctx, "store.DefinePurpose", func(b *batch) error {
		b.covers = true
		var err error
		old := b.policy.byKey(p.Key)
		if old == nil {
			err = b.addPurpose(ctx, p)
		} else {
			err = b.changePurpose(ctx, old, p)
		}
		if err != nil {
			return err
		}
		return b.revise(ctx)
	})
	if err != nil {
		return nil, err
	}
	defer s.wake() // segments may have to be computed anew
	if err := s.directory.load(ctx); err != nil {
		return nil, translate("store.DefinePurpose", err)
	}
	return s.Purpose(ctx, p.Key)
}

func checkPurpose(p *insight.Purpose) error {
	invalid := func(subject, message string) error { return insight.NewError(insight.Invalid, subject, message) }
	if err := checkName("key", p.Key); err != nil {
		return err
	}
	if err := checkName("name", p.Name); err != nil {
		return err
	}
	switch {
	case utf8.RuneCountInString(p.Description) > 1000 || !utf8.ValidString(p.Description) || slices.Contains([]rune(p.Description), 0):
		return invalid("description", "it has at most 1000 characters")
	case !slices.Contains(insight.LegalBases, p.LegalBasis):
		return invalid("legalBasis", "it is none of those that exist")
	case p.Retention < 0:
		return invalid("retention", "it cannot be negative")
	case p.Floor < 1 || p.Floor > 1_000_000:
		return invalid("floor", "it must lie between 1 and 1000000")
	}
	for subject, names := range map[string][]string{"consentMode": p.ConsentMode, "gpp": p.GPP, "categories": p.Categories} {
		if len(names) > 100 {
			return invalid(subject, "at most 100 names are taken")
		}
		for _, name := range names {
			if err := checkName(subject, name); err != nil {
				return err
			}
		}
	}
	for _, n := range p.TCF {
		if n < 1 || n > 24 {
			return invalid("tcf", "a purpose of the TCF has a number from 1 to 24")
		}
	}
	return nil
}

// addPurpose makes a new purpose.
func (b *batch) addPurpose(ctx context.Context, p insight.Purpose) error {
	if len(b.policy.purposes) >= mostPurposes {
		return insight.NewError(insight.Exhausted, "key", fmt.Sprintf("there can be %d purposes", mostPurposes))
	}
	p.ID, p.Inverted = newID(), p.LegalBasis.Unasked()
	for _, other := range b.policy.purposes {
		p.Bit = max(p.Bit, other.Bit+1)
	}
	// Rows have a zero in its place, which says what is true of everybody: nobody has
	// decided about it yet.
	if err := writePurpose(ctx, b.tx, &p, ""); err != nil {
		return err
	}
	return b.addVersion(ctx, p.ID, b.now, p.LegalBasis, p.Retroactive)
}

func (b *batch) addVersion(ctx context.Context, purpose uuid.UUID, at time.Time, basis insight.LegalBasis, retroactive bool) error {
	return b.exec(ctx, "INSERT INTO purpose_versions (id, purpose_id, at, legal_basis, retroactive) VALUES ($1, $2, $3, $4, $5)",
		newID().String(), purpose.String(), b.engine.time(at), string(basis), retroactive)
}

// changePurpose changes a purpose that exists.
func (b *batch) changePurpose(ctx context.Context, old *insight.Purpose, p insight.Purpose) error {
	consentMode, tcf, gpp, categories := purposeNames(&p)
	err := b.exec(ctx, `UPDATE purposes SET name = $2, description = $3, legal_basis = $4, retroactive = $5, retention = $6, floor = $7,
		consent_mode = $8, tcf = $9, gpp = $10, categories = $11 WHERE id = $1`,
		old.ID.String(), p.Name, p.Description, string(p.LegalBasis), p.Retroactive, p.Retention.Microseconds(), p.Floor, consentMode, tcf, gpp, categories)
	if err != nil || p.LegalBasis == old.LegalBasis && p.Retroactive == old.Retroactive {
		return err
	}
	changed := *old
	changed.LegalBasis, changed.Retroactive = p.LegalBasis, p.Retroactive
	if len(old.Versions) == 0 { // of those that every installation starts with
		first := insight.PurposeVersion{At: b.now.Add(-insight.Precision), LegalBasis: old.LegalBasis, Retroactive: old.Retroactive}
		if err := b.addVersion(ctx, old.ID, first.At, first.LegalBasis, first.Retroactive); err != nil {
			return err
		}
		changed.Versions = append(changed.Versions, first)
	}
	now := insight.PurposeVersion{At: b.now, LegalBasis: p.LegalBasis, Retroactive: p.Retroactive}
	if last := changed.Versions[len(changed.Versions)-1].At; !now.At.After(last) {
		now.At = last.Add(insight.Precision) // of one moment there is one version
	}
	if err := b.addVersion(ctx, old.ID, now.At, now.LegalBasis, now.Retroactive); err != nil {
		return err
	}
	changed.Versions = append(slices.Clone(changed.Versions), now)
	if p.LegalBasis == old.LegalBasis {
		return nil
	}
	if err := b.redraft(ctx, b.definitions(nil), b.answering()); err != nil {
		return err
	}
	purposes := slices.Clone(b.policy.purposes)
	purposes[slices.Index(purposes, old)] = &changed
	b.policy = newPolicy(purposes, nil)
	b.policy.audience = &audience{}
	b.now = later(b.now, now.At)
	return b.coverAnew(ctx, &changed)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// coverAnew works out whom a purpose with a new legal basis covers now: at once for
// those who have decided nothing, one by one for the others.
func (b *batch) coverAnew(ctx context.Context, p *insight.Purpose) error {
	set := fmt.Sprintf("permitted & %d", ^p.Set())
	if p.LegalBasis.Unasked() != p.Inverted {
		set = fmt.Sprintf("permitted | %d", p.Set())
	}
	if err := b.exec(ctx, "UPDATE individuals SET permitted = "+set); err != nil {
		return err
	}
	for after := uuid.Nil; ; {
		n := 0
		b.individuals, b.reconsidered = map[uuid.UUID]*individualRow{}, map[uuid.UUID]bool{}
		err := b.query(ctx, individualColumns+" FROM individuals WHERE decided AND id > "+b.engine.key(1)+fmt.Sprintf(" ORDER BY id LIMIT %d", lapsing), []any{after.String()}, func(r *sql.Rows) error {
			n++
			return b.scanIndividual(r)
		})
		if err != nil || n == 0 {
			return err
		}
		for id := range b.individuals {
			b.reconsidered[id] = true
			if bytes.Compare(id[:], after[:]) > 0 {
				after = id
			}
		}
		if err := b.consider(ctx); err != nil {
			return err
		}
	}
}
