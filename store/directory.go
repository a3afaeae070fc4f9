package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
)

// directory holds the small tables in memory: channels, sources and purposes. All
// of them only grow; what another process adds is found by looking again when
// something is not there.
type directory struct {
	store *Store

	loading  sync.Mutex // one reads the tables at a time, so that what is older never replaces what is newer
	mu       sync.RWMutex
	channels map[string]*insight.Channel
	byID     map[uuid.UUID]any // *insight.Channel, *insight.Source or *insight.Purpose
	sources  map[string]*insight.Source
	keys     map[[sha256.Size]byte]*insight.Source
	policy   *policy
	loaded   time.Time
}

// staleAfter is how soon a miss may look in the database again, so that a flood of
// unknown write keys is not a flood of queries.
const staleAfter = 50 * time.Millisecond

func newDirectory(s *Store) *directory { return &directory{store: s} }

// APISource is the source of what comes in through the API without naming one.
const APISource = "api"

// seed writes the default channels, purposes and the API's own source.
func (d *directory) seed(ctx context.Context, tx *sql.Tx) error {
	for _, c := range channel.Defaults() {
		if _, err := tx.ExecContext(ctx, "INSERT INTO channels (id, key, name, kind) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING",
			newID().String(), c.Key, c.Name, string(c.Kind)); err != nil {
			return err
		}
	}
	for _, p := range insight.DefaultPurposes() {
		p.ID = newID()
		if err := writePurpose(ctx, tx, &p, "ON CONFLICT (key) DO NOTHING"); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO sources (id, name, default_channel_id, session_timeout)
		SELECT $1, $2, id, $3 FROM channels WHERE key = 'api' ON CONFLICT (name) DO NOTHING`,
		newID().String(), APISource, insight.DefaultSessionTimeout.Microseconds())
	return err
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// load reads the tables anew.
func (d *directory) load(ctx context.Context) error {
	d.loading.Lock()
	defer d.loading.Unlock()
	return d.read(ctx)
}

// read does what load promises; the caller holds the lock of loading.
func (d *directory) read(ctx context.Context) error {
	channels, err := d.store.ent.Channel.Query().All(ctx)
	if err != nil {
		return err
	}
	sources, err := d.store.ent.Source.Query().All(ctx)
	if err != nil {
		return err
	}
	revision, err := d.store.revision(ctx, d.store.small)
	if err != nil {
		return err
	}
	purposes, err := d.store.ent.Purpose.Query().WithVersions().All(ctx)
	if err != nil {
		return err
	}
	all := make([]*insight.Purpose, len(purposes))
	for n, row := range purposes {
		all[n] = fromEntPurpose(row)
	}
	p := newPolicy(all, revision)
	if p.audience, err = d.store.readAudience(ctx, p); err != nil {
		return err
	}
	if p.experiences, err = d.store.readExperiences(ctx, p); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.channels, d.sources = map[string]*insight.Channel{}, map[string]*insight.Source{}
	d.keys = map[[sha256.Size]byte]*insight.Source{}
	// What was handed out before stays the same value, so that pointers compare.
	old := d.byID
	d.byID = make(map[uuid.UUID]any, len(channels)+len(sources)+len(purposes))
	for _, row := range channels {
		c, ok := old[row.ID].(*insight.Channel)
		if !ok {
			c = fromEntChannel(row)
		}
		d.channels[c.Key], d.byID[c.ID] = c, c
	}
	for _, row := range sources {
		s, ok := old[row.ID].(*insight.Source)
		if !ok {
			s = fromEntSource(row, d.byID)
		}
		d.sources[s.Name], d.byID[s.ID] = s, s
		if row.WriteKeyHash != nil && len(*row.WriteKeyHash) == sha256.Size {
			d.keys[[sha256.Size]byte(*row.WriteKeyHash)] = s
		}
	}
	for _, one := range all {
		d.byID[one.ID] = one
	}
	d.policy, d.loaded = p, time.Now()
	return nil
}

func fromEntChannel(row *ent.Channel) *insight.Channel {
	return &insight.Channel{ID: row.ID, Key: row.Key, Name: row.Name, Kind: insight.ChannelKind(row.Kind)}
}

func fromEntSource(row *ent.Source, byID map[uuid.UUID]any) *insight.Source {
	c, _ := byID[row.DefaultChannelID].(*insight.Channel) // the foreign key says it is there
	return &insight.Source{ID: row.ID, Name: row.Name, DefaultChannel: c, SessionTimeout: time.Duration(row.SessionTimeout) * time.Microsecond}
}

func fromEntPurpose(row *ent.Purpose) *insight.Purpose {
	p := &insight.Purpose{
		ID: row.ID, Key: row.Key, Name: row.Name, Description: row.Description, Bit: row.Bit, Inverted: row.Inverted,
		LegalBasis: insight.LegalBasis(row.LegalBasis), Retroactive: row.Retroactive,
		Retention: time.Duration(row.Retention) * time.Microsecond, Floor: row.Floor,
		ConsentMode: row.ConsentMode, TCF: row.Tcf, GPP: row.Gpp, Categories: row.Categories,
	}
	for _, v := range row.Edges.Versions {
		p.Versions = append(p.Versions, insight.PurposeVersion{At: v.At.UTC(), LegalBasis: insight.LegalBasis(v.LegalBasis), Retroactive: v.Retroactive})
	}
	slices.SortFunc(p.Versions, func(a, b insight.PurposeVersion) int { return a.At.Compare(b.At) })
	return p
}

// lookup finds what get finds, looking once more in the database when it is not
// in memory, unless that was done just now.
func lookup[T any](ctx context.Context, d *directory, get func() (T, bool)) (T, bool, error) {
	return look(ctx, d, get, staleAfter)
}

// look is lookup for what may be missing in memory for this long after the tables
// were read.
func look[T any](ctx context.Context, d *directory, get func() (T, bool), missing time.Duration) (T, bool, error) {
	find := func() (T, bool) {
		d.mu.RLock()
		defer d.mu.RUnlock()
		return get()
	}
	if v, ok := find(); ok {
		return v, true, nil
	}
	d.loading.Lock()
	defer d.loading.Unlock()
	v, ok := find() // another may have read it while this one waited
	if ok || time.Since(d.loaded) < missing {
		return v, ok, nil
	}
	if err := d.read(ctx); err != nil {
		return v, false, translate("store.directory", err)
	}
	v, ok = find()
	return v, ok, nil
}

// channelByID is used while scanning rows, whose references hold: what is not in
// memory was made by another process, however recently.
func (d *directory) channelByID(ctx context.Context, id uuid.UUID) (*insight.Channel, error) {
	c, ok, err := referred[*insight.Channel](ctx, d, id)
	if err == nil && !ok {
		err = &insight.Error{Op: "store.directory", Kind: insight.Internal, Message: "a row names a channel that does not exist"}
	}
	return c, err
}

func (d *directory) sourceByID(ctx context.Context, id uuid.UUID) (*insight.Source, error) {
	s, ok, err := referred[*insight.Source](ctx, d, id)
	if err == nil && !ok {
		err = &insight.Error{Op: "store.directory", Kind: insight.Internal, Message: "a row names a source that does not exist"}
	}
	return s, err
}

// referred finds what a row refers to; ok is false when the row is damaged.
func referred[T any](ctx context.Context, d *directory, id uuid.UUID) (T, bool, error) {
	return look(ctx, d, func() (T, bool) { v, ok := d.byID[id].(T); return v, ok }, 0)
}

// Channels lists every channel by key.
func (s *Store) Channels(ctx context.Context) ([]*insight.Channel, error) {
	if err := s.directory.load(ctx); err != nil {
		return nil, translate("store.Channels", err)
	}
	s.directory.mu.RLock()
	defer s.directory.mu.RUnlock()
	return sorted(s.directory.channels, func(c *insight.Channel) string { return c.Key }), nil
}

// Sources lists every source by name.
func (s *Store) Sources(ctx context.Context) ([]*insight.Source, error) {
	if err := s.directory.load(ctx); err != nil {
		return nil, translate("store.Sources", err)
	}
	s.directory.mu.RLock()
	defer s.directory.mu.RUnlock()
	return sorted(s.directory.sources, func(c *insight.Source) string { return c.Name }), nil
}

func sorted[T any](m map[string]T, by func(T) string) []T {
	all := make([]T, 0, len(m))
	for _, v := range m {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(by(a), by(b)) })
	return all
}

// Named finds a channel, source or purpose by id, or an error of kind NotFound.
func (s *Store) Named(ctx context.Context, id uuid.UUID) (any, error) {
	v, ok, err := lookup(ctx, s.directory, func() (any, bool) { v, ok := s.directory.byID[id]; return v, ok })
	if err == nil && !ok {
		err = insight.NewError(insight.NotFound, "id", "it names nothing that exists")
	}
	return v, err
}

// maxName bounds the names and keys that a caller gives to a channel or source.
const maxName = 100

// Channel finds a channel by its key, or makes it: of the given kind, or OTHER
// when that is empty. The kind of a channel that exists is not changed.
func (s *Store) Channel(ctx context.Context, key string, kind insight.ChannelKind) (*insight.Channel, error) {
	d := s.directory
	c, ok, err := lookup(ctx, d, func() (*insight.Channel, bool) { c, ok := d.channels[key]; return c, ok })
	if err != nil || ok {
		return c, err
	}
	if err := checkName("channel", key); err != nil {
		return nil, err
	}
	if kind == "" {
		kind = insight.OtherChannel
	}
	if !slices.Contains(insight.ChannelKinds, kind) {
		return nil, insight.NewError(insight.Invalid, "channel", "its kind is none of those that exist")
	}
	// Beside a transaction that writes, SQLite would have this one wait with a connection that the other may need.
	err = s.transact(ctx, "store.Channel", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO channels (id, key, name, kind) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING",
			newID().String(), key, key, string(kind))
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := d.load(ctx); err != nil {
		return nil, translate("store.Channel", err)
	}
	c, _, err = lookup(ctx, d, func() (*insight.Channel, bool) { c, ok := d.channels[key]; return c, ok })
	return c, err
}

func checkName(subject, name string) error {
	if strings.TrimSpace(name) != name || name == "" || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, isControl) {
		return insight.NewError(insight.Invalid, subject, "a name is 1 to 100 characters without control characters or blanks at its ends")
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7F }

// Source finds a source by its name, or an error of kind NotFound.
func (s *Store) Source(ctx context.Context, name string) (*insight.Source, error) {
	d := s.directory
	src, ok, err := lookup(ctx, d, func() (*insight.Source, bool) { v, ok := d.sources[name]; return v, ok })
	if err == nil && !ok {
		err = insight.NewError(insight.NotFound, "source", "there is no source of this name; createSource makes one")
	}
	return src, err
}

// SourceByWriteKey finds the source that a write key belongs to, or an error of
// kind Unauthenticated.
func (s *Store) SourceByWriteKey(ctx context.Context, writeKey string) (*insight.Source, error) {
	d := s.directory
	hash := sha256.Sum256([]byte(writeKey))
	src, ok, err := lookup(ctx, d, func() (*insight.Source, bool) { v, ok := d.keys[hash]; return v, ok })
	if err == nil && !ok {
		err = insight.NewError(insight.Unauthenticated, "writeKey", "this write key belongs to no source")
	}
	return src, err
}

// NewSource is what it takes to make a source.
type NewSource struct {
	Name           string
	DefaultChannel string        // a channel's key, made when it does not exist; empty is "web"
	SessionTimeout time.Duration // 0 is [insight.DefaultSessionTimeout]
	WriteKey       string        // empty makes a random one
}

// CreateSource makes a source and returns its write key, which is kept only as a
// hash. A name or a write key that is taken is an error of kind Conflict.
func (s *Store) CreateSource(ctx context.Context, n NewSource) (*insight.Source, string, error) {
	if err := checkName("name", n.Name); err != nil {
		return nil, "", err
	}
	if n.DefaultChannel == "" {
		n.DefaultChannel = "web"
	}
	if n.SessionTimeout == 0 {
		n.SessionTimeout = insight.DefaultSessionTimeout
	}
	if n.SessionTimeout < time.Second || n.SessionTimeout > insight.Day {
		return nil, "", insight.NewError(insight.Invalid, "sessionTimeout", "it must lie between PT1S and P1D")
	}
	c, err := s.Channel(ctx, n.DefaultChannel, "")
	if err != nil {
		return nil, "", err
	}
	if n.WriteKey == "" {
		var random [24]byte
		if _, err := rand.Read(random[:]); err != nil {
			return nil, "", translate("store.CreateSource", err)
		}
		n.WriteKey = base64.RawURLEncoding.EncodeToString(random[:])
	}
	hash := sha256.Sum256([]byte(n.WriteKey))
	err = s.transact(ctx, "store.CreateSource", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO sources (id, name, write_key_hash, default_channel_id, session_timeout)
			VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			newID().String(), n.Name, hash[:], c.ID.String(), n.SessionTimeout.Microseconds())
		if err != nil {
			return err
		}
		if made, err := result.RowsAffected(); err != nil || made > 0 {
			return err
		}
		var taken bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sources WHERE name = $1)", n.Name).Scan(&taken); err != nil {
			return err
		}
		if !taken {
			return insight.NewError(insight.Conflict, "writeKey", "another source has this write key")
		}
		return insight.NewError(insight.Conflict, "name", "a source of this name exists")
	})
	if err != nil {
		return nil, "", err
	}
	if err := s.directory.load(ctx); err != nil {
		return nil, "", translate("store.CreateSource", err)
	}
	src, err := s.Source(ctx, n.Name)
	return src, n.WriteKey, err
}
