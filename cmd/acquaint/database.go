package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// open opens the configured database, migrated.
func (p *process) open() (*store.Store, error) {
	return store.Open(p.ctx, store.Options{URL: p.config.DatabaseURL, File: p.config.File(), Controller: p.config.Controller})
}

// openExisting is open for verbs that have nothing to do with an empty database.
func (p *process) openExisting() (*store.Store, error) {
	if p.config.DatabaseURL == "" {
		if _, err := os.Stat(p.config.File()); errors.Is(err, fs.ErrNotExist) {
			return nil, insight.NewError(insight.NotFound, "ACQUAINT_DATA", "there is no database in this folder yet")
		}
	}
	return p.open()
}

// database names the database for people, without its address.
func (p *process) database() string {
	if p.config.DatabaseURL != "" {
		return "PostgreSQL"
	}
	return "SQLite, " + p.config.File()
}

// decoder reads messages of the tracking API for a database.
func (p *process) decoder(s *store.Store) *tracking.Decoder {
	return &tracking.Decoder{Directory: s, Region: p.config.Region, Sensitive: p.config.Sensitive}
}

// source finds a source, or makes it; made is its write key when it was made. An
// existing source with another default channel than the one asked for is an error,
// because events would get a channel that nobody meant.
func (p *process) source(s *store.Store, name, channel string, kinds map[string]insight.ChannelKind) (source *insight.Source, made string, err error) {
	source, err = s.Source(p.ctx, name)
	switch {
	case err == nil && channel != "" && source.DefaultChannel.Key != channel:
		return nil, "", insight.NewError(insight.Conflict, "default-channel", "the source exists, with another default channel; leave it out, or name another source")
	case err == nil || insight.KindOf(err) != insight.NotFound:
		return source, "", err
	}
	if channel != "" {
		if _, err := s.Channel(p.ctx, channel, kinds[channel]); err != nil {
			return nil, "", err
		}
	}
	return s.CreateSource(p.ctx, store.NewSource{Name: name, DefaultChannel: channel})
}

type migrate struct {
	Distribute bool `help:"Spread the tables over the nodes of the Citus cluster whose coordinator DATABASE_URL names (see docs/citus.md). Nothing else may use the database meanwhile."`
}

// Run migrates the database.
func (m migrate) Run(p *process) (err error) {
	if err := p.configure(); err != nil {
		return err
	}
	s, err := p.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	v, err := s.Version(p.ctx)
	if err != nil {
		return err
	}
	if v.Opened == v.Current {
		p.say("%s: version %d, nothing to do", p.database(), v.Current)
	} else {
		p.say("%s: from version %d to %d", p.database(), v.Opened, v.Current)
	}
	if !m.Distribute {
		return nil
	}
	done, err := s.Distribute(p.ctx)
	switch {
	case err != nil:
		return err
	case done:
		p.say("%s: distributed over the nodes of its cluster", p.database())
	default:
		p.say("%s: already distributed, nothing to do", p.database())
	}
	return nil
}
