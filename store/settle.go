package store

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/identity"
	"github.com/acquaint/acquaint/insight/session"
)

// move takes what one identifier owns, or all that an individual had, to another
// individual.
type move struct {
	from, to uuid.UUID
	owner    uuid.UUID // zero: everything
}

// settle writes who is whom. What was plain is written first; then the
// neighbourhoods in which USER_IDs meet are loaded whole and resolved.
func (b *batch) settle(ctx context.Context) error {
	if err := b.writeIdentity(ctx); err != nil {
		return err
	}
	if len(b.unsettled) == 0 {
		return nil
	}
	if err := b.resolve(ctx); err != nil {
		return err
	}
	return b.writeIdentity(ctx)
}

// writeIdentity writes the individuals, identifiers and links that changed and
// carries out the moves, in the order that foreign keys ask for.
func (b *batch) writeIdentity(ctx context.Context) error {
	b.movesOfAbsorbed()
	steps := []func(context.Context) error{b.writeIndividuals, b.writeIdentifiers, b.writeLinks, b.carryOut}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// movesOfAbsorbed points the identifiers of absorbed individuals to the survivor,
// and moves what the database has of them.
func (b *batch) movesOfAbsorbed() {
	for _, i := range b.individuals {
		if i.into == nil {
			continue
		}
		if !i.isNew {
			b.moves = append(b.moves, move{from: i.id, to: i.now().id})
		}
	}
	for _, f := range b.identifiers {
		if survivor := b.individuals[f.individual].now(); survivor.id != f.individual {
			f.individual, f.changed = survivor.id, true
		}
	}
}

func (b *batch) writeIndividuals(ctx context.Context) error {
	r := b.engine.rows()
	id, first, last := r.column("id", "uuid"), r.column("first_seen_at", "timestamptz"), r.column("last_seen_at", "timestamptz")
	acted, identified, contested, permitted := r.column("acted", "bool"), r.column("identified", "bool"), r.column("contested", "bool"), r.column("permitted", "bigint")
	whole, decided, lapsesAt := r.column("whole", "bigint"), r.column("decided", "bool"), r.column("lapses_at", "timestamptz")
	for _, i := range b.individuals {
		if i.into != nil || !i.isNew && !i.changed {
			continue
		}
		id.uuid(i.id)
		first.time(i.seen.first)
		last.time(i.seen.last)
		acted.bool(i.acted)
		identified.bool(i.identified)
		contested.bool(i.contested)
		permitted.int(int64(b.policy.stored(i.permitted)))
		whole.int(int64(b.policy.stored(i.whole)))
		decided.bool(i.decided)
		lapsesAt.timeOrNull(i.lapsesAt)
		if i.isNew {
			b.stirred(i.id).isNew = true
		}
		i.isNew, i.changed = false, false
	}
	return b.insert(ctx, r, "individuals", `ON CONFLICT (id) DO UPDATE SET first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at, acted = excluded.acted,
			identified = excluded.identified, contested = excluded.contested, permitted = excluded.permitted, whole = excluded.whole,
			decided = excluded.decided, lapses_at = excluded.lapses_at`)
}

func (b *batch) writeIdentifiers(ctx context.Context) error {
	// Which of them are new is known, and said: finding out (ON CONFLICT) would cost as
	// much again.
	columns := func(made bool) *rows {
		r := b.engine.rows()
		id, kind, value, origin := r.column("id", "uuid"), r.column("kind", "smallint"), r.column("value", "text"), r.column("origin", "uuid")
		individual, user, shared := r.column("individual_id", "uuid"), r.column("user_key", "uuid"), r.column("shared", "bool")
		firstSeen, lastSeen := r.column("first_seen_at", "timestamptz"), r.column("last_seen_at", "timestamptz")
		firstActed, lastActed := r.column("first_acted_at", "timestamptz"), r.column("last_acted_at", "timestamptz")
		for _, f := range b.identifiers {
			if f.isNew != made || !f.isNew && !f.changed {
				continue
			}
			id.uuid(f.key)
			kind.int(int64(f.Kind))
			value.text(f.Value)
			origin.uuid(f.origin)
			individual.uuid(f.individual)
			user.uuidOrNull(f.user)
			shared.bool(f.shared)
			firstSeen.time(f.seen.first)
			lastSeen.time(f.seen.last)
			firstActed.timeOrNull(f.acted.first)
			lastActed.timeOrNull(f.acted.last)
		}
		return r
	}
	made, changed := columns(true), columns(false)
	for _, f := range b.identifiers {
		f.isNew, f.changed = false, false
	}
	if err := b.insert(ctx, made, "identifiers", ""); err != nil {
		return err
	}
	return b.later(ctx, changed, "identifiers", `UPDATE identifiers AS m SET individual_id = r.individual_id, user_key = r.user_key, shared = r.shared,
			first_seen_at = r.first_seen_at, last_seen_at = r.last_seen_at,
			first_acted_at = r.first_acted_at, last_acted_at = r.last_acted_at FROM %s AS r WHERE m.id = r.id`)
}

func (b *batch) writeLinks(ctx context.Context) error {
	r := b.engine.rows()
	id, strong, weak, operator := r.column("id", "uuid"), r.column("a", "uuid"), r.column("b", "uuid"), r.column("operator", "bool")
	source, message, observed := r.column("source_id", "uuid"), r.column("message_id", "text"), r.column("observed_at", "timestamptz")
	revoked, reason := r.column("revoked_at", "timestamptz"), r.column("reason", "text")
	for _, l := range b.links {
		if !l.isNew && !l.changed {
			continue
		}
		id.uuid(l.id)
		strong.uuid(l.a)
		weak.uuid(l.b)
		operator.bool(l.operator)
		source.uuid(l.source)
		message.text(l.message)
		observed.time(l.observed)
		revoked.timeOrNull(l.revoked)
		reason.text(l.reason)
		l.isNew, l.changed = false, false
	}
	return b.insert(ctx, r, "identity_links", `ON CONFLICT (id) DO UPDATE SET source_id = excluded.source_id, message_id = excluded.message_id, observed_at = excluded.observed_at,
			revoked_at = excluded.revoked_at, reason = excluded.reason`)
}

// carryOut moves what the database holds. Sessions of those who are absorbed
// become runs of the survivor; where an individual is taken apart, sessions are
// made anew.
func (b *batch) carryOut(ctx context.Context) error {
	whole, parts := b.engine.rows(), b.engine.rows()
	from, to := whole.column("gone", "uuid"), whole.column("survivor", "uuid")
	partFrom, partTo, owner := parts.column("gone", "uuid"), parts.column("survivor", "uuid"), parts.column("member", "uuid")
	survivors := make(map[uuid.UUID]uuid.UUID, len(b.moves))
	for _, m := range b.moves {
		b.unsettleHistory(m.from, "who they are")
		b.unsettleHistory(m.to, "who they are")
		if m.owner == uuid.Nil {
			from.uuid(m.from)
			to.uuid(m.to)
			survivors[m.from] = m.to
			continue
		}
		partFrom.uuid(m.from)
		partTo.uuid(m.to)
		owner.uuid(m.owner)
	}
	b.moves = nil
	if err := b.takeSessions(ctx, survivors); err != nil {
		return err
	}
	for _, table := range movedTables {
		if err := b.moveRows(ctx, table, parts, "m.individual_id = r.gone AND m."+ownerColumn(table)+" = r.member"); err != nil {
			return err
		}
		if err := b.moveRows(ctx, table, whole, "m.individual_id = r.gone"); err != nil {
			return err
		}
	}
	if err := b.later(ctx, whole, "identifiers", "UPDATE identifiers SET individual_id = r.survivor FROM %s AS r WHERE individual_id = r.gone"); err != nil {
		return err
	}
	if len(survivors) == 0 {
		return nil
	}
	gone := make([]uuid.UUID, 0, len(survivors))
	for id := range survivors {
		gone = append(gone, id)
		delete(b.individuals, id)
		b.leavers[id] = "they are known as " + insight.FormatID(insight.IndividualPrefix, survivors[id]) + " now"
	}
	return b.exec(ctx, "DELETE FROM individuals WHERE "+b.engine.anyOf("id", 1), b.engine.keys(gone))
}

// movedTables are the tables whose rows follow the identifier that owns them.
var movedTables = []string{"interactions", "traits", "consents", "ledgers", "decisions"}

// ownerColumn is the column of a moved table that names the identifier.
func ownerColumn(table string) string {
	if table == "ledgers" {
		return "id"
	}
	return "owner"
}

// moveRows gives the rows m of a table that meet a condition to the survivor that r
// names. Citus does not let a row's individual_id change: there they are written
// anew, and deleted where they were. No survivor is itself among the gone, so what
// was written is not what is deleted.
func (b *batch) moveRows(ctx context.Context, table string, r *rows, condition string) error {
	if !b.engine.citus {
		return b.later(ctx, r, table, "UPDATE "+table+" AS m SET individual_id = r.survivor FROM %s AS r WHERE "+condition)
	}
	condition += " AND " + b.engine.anyOf("m.individual_id", 1)
	columns := b.engine.columns[table]
	if err := r.exec(ctx, b.tx, "INSERT INTO "+table+" (individual_id, "+columns+") SELECT r.survivor, "+columns+" FROM r JOIN "+table+" m ON "+condition); err != nil {
		return err
	}
	return r.exec(ctx, b.tx, "DELETE FROM "+table+" AS m USING r WHERE "+condition)
}

// takeSessions turns the sessions of absorbed individuals into runs of their
// survivors.
func (b *batch) takeSessions(ctx context.Context, survivors map[uuid.UUID]uuid.UUID) error {
	if len(survivors) == 0 {
		return nil
	}
	gone := make([]uuid.UUID, 0, len(survivors))
	for id := range survivors {
		gone = append(gone, id)
	}
	err := b.query(ctx, "SELECT individual_id, source_id, stream, "+runColumns+" FROM sessions AS s WHERE "+b.engine.anyOf("individual_id", 1),
		[]any{b.engine.keys(gone)}, func(r *sql.Rows) error {
			var line session.Line
			run, err := scanRun(r, &line.Individual, &line.Source, &line.Stream)
			line.Individual = survivors[line.Individual]
			b.runs[line] = append(b.runs[line], run)
			return err
		})
	if err != nil {
		return err
	}
	return b.exec(ctx, "DELETE FROM sessions WHERE "+b.engine.anyOf("individual_id", 1), b.engine.keys(gone))
}

// resolve loads the neighbourhood of the unsettled identifiers whole, resolves it,
// and brings rows and moves in line with the answer.
func (b *batch) resolve(ctx context.Context) error {
	zone, err := b.loadZone(ctx)
	if err != nil {
		return err
	}
	if err := b.loadDecisions(ctx); err != nil {
		return err
	}
	links := make([]insight.Link, 0, len(b.links))
	for _, l := range b.links {
		links = append(links, l.asLink())
	}
	standings := identity.Resolve(b.members(zone), links)

	before := map[uuid.UUID]*individualRow{}
	made := map[uuid.UUID]*individualRow{}
	b.part(standings)
	for key, standing := range standings {
		f := b.identifiers[key]
		old := b.individuals[f.individual]
		before[old.id] = old
		to := made[standing.Individual]
		if to == nil {
			to = &individualRow{id: standing.Individual, permitted: b.policy.unasked(b.now), whole: old.whole, changed: true}
			made[standing.Individual] = to
		}
		to.whole &= old.whole
		if old.decided {
			to.decided, b.reconsidered[to.id] = true, true
		}
		to.identified = to.identified || f.Kind == insight.UserID
		to.contested = to.contested || standing.Contested
		to.seeThrough(f.seen, f.acted)
		if !zone.members[key] && (f.shared != standing.Shared || f.user != standing.UserKey) {
			f.shared, f.user, f.changed = standing.Shared, standing.UserKey, true
		}
		if f.individual != standing.Individual {
			b.moves = append(b.moves, move{from: f.individual, to: standing.Individual, owner: key})
			b.rebuild[f.individual], b.rebuild[standing.Individual] = true, true
			f.individual, f.changed = standing.Individual, true
		}
	}
	for id := range before {
		if made[id] == nil {
			// Every member has left: what is kept under the id goes with its owners, and
			// the row goes last.
			b.moves = append(b.moves, move{from: id, to: b.heir(id)})
			delete(b.individuals, id)
		}
	}
	for id, row := range made {
		b.individuals[id] = row
	}
	return nil
}

// members are those of a zone, as far as identity needs them.
func (b *batch) members(z *zone) []identity.Member {
	members := make([]identity.Member, 0, len(z.members))
	for key, partial := range z.members {
		f := b.identifiers[key]
		members = append(members, identity.Member{Key: key, Kind: f.Kind, Origin: f.origin, Shared: partial})
	}
	return members
}

// heir is where the identifier that an individual was named after is now.
func (b *batch) heir(id uuid.UUID) uuid.UUID {
	for _, f := range b.identifiers {
		if f.origin == id {
			return f.individual
		}
	}
	return id
}

// zone is a closed neighbourhood: every identifier that the question can reach.
type zone struct {
	// members are keyed by identifier; true says that the member was shared before and
	// still is: only its operator links were followed, and its own standing stays.
	members map[uuid.UUID]bool
}

// loadZone follows active links from the unsettled identifiers. It does not go
// through shared identifiers, other than along an operator's link: behind a shop's
// e-mail address there may be thousands of people who do not matter here.
func (b *batch) loadZone(ctx context.Context) (*zone, error) {
	z := &zone{members: map[uuid.UUID]bool{}}
	b.links = map[uuid.UUID]*linkRow{}
	frontier := make(map[uuid.UUID]bool, len(b.unsettled))
	for key := range b.unsettled {
		frontier[key] = true
	}
	for len(frontier) > 0 {
		if err := b.loadIdentifiers(ctx, b.unloaded(frontier)); err != nil {
			return nil, err
		}
		keys := list(frontier)
		if err := b.loadLinks(ctx, "revoked_at IS NULL AND "+b.engine.anyOf("a", 1), keys); err != nil {
			return nil, err
		}
		if err := b.loadLinks(ctx, "revoked_at IS NULL AND "+b.engine.anyOf("b", 1), keys); err != nil {
			return nil, err
		}
		next := map[uuid.UUID]bool{}
		touching := map[uuid.UUID][]*linkRow{}
		for _, l := range b.links {
			touching[l.a], touching[l.b] = append(touching[l.a], l), append(touching[l.b], l)
		}
		ends := map[uuid.UUID]bool{}
		for key := range frontier {
			for _, l := range touching[key] {
				ends[l.a], ends[l.b] = true, true
			}
		}
		if err := b.loadIdentifiers(ctx, b.unloaded(ends)); err != nil {
			return nil, err
		}
		for key := range frontier {
			z.visit(b, key, touching[key], next)
		}
		frontier = next
	}
	return z, b.loadIndividuals(ctx)
}

func (b *batch) unloaded(keys map[uuid.UUID]bool) []uuid.UUID {
	var missing []uuid.UUID
	for k := range keys {
		if _, loaded := b.identifiers[k]; !loaded {
			missing = append(missing, k)
		}
	}
	return missing
}

// visit makes a member of an identifier whose links are loaded, and adds to next
// what must be visited because of it.
func (z *zone) visit(b *batch, key uuid.UUID, links []*linkRow, next map[uuid.UUID]bool) {
	f := b.identifiers[key]
	users := map[uuid.UUID]bool{}
	for _, l := range links {
		if other := b.identifiers[otherEnd(l, key)]; !l.operator && f.Kind != insight.UserID && other.Kind == insight.UserID {
			users[other.key] = true
		}
	}
	shared := len(users) > 1
	z.members[key] = shared && f.shared
	for _, l := range links {
		end := otherEnd(l, key)
		if _, visited := z.members[end]; visited {
			continue
		}
		other := b.identifiers[end]
		switch {
		case l.operator:
		case shared && f.shared:
			continue // shared before and after: it joins nobody, and parted from them long ago
		case other.shared && !b.unsettled[end]:
			continue // evidence with one that is shared has no effect
		}
		next[end] = true
	}
}

func otherEnd(l *linkRow, key uuid.UUID) uuid.UUID {
	if l.a == key {
		return l.b
	}
	return l.a
}
