package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/config"
	"github.com/acquaint/acquaint/internal/simulate"
	"github.com/acquaint/acquaint/server"
	"github.com/acquaint/acquaint/store"
)

// What the demo is made of.
const (
	demoSource = "demo"
	demoSeed   = 1
	demoTTL    = 24 * time.Hour
	demoScope  = "individuals:read insights:read interactions:write admin" // admin: one of the examples merges
	loadedFile = "demo.json"
)

// demoPurposes are all that exist at first, so that one can see whom each covers.
func demoPurposes() server.Names {
	var keys server.Names
	for _, p := range insight.DefaultPurposes() {
		keys = append(keys, p.Key)
	}
	return keys
}

type demo struct {
	Individuals int `default:"5000" hidden:"" help:"How many individuals are simulated."`
}

// Help says what there is to see.
func (demo) Help() string {
	return "The first time, a simulated population of 5,000 individuals is loaded; a load that was stopped goes on the next time. Five segments and an experience are made with it. " +
		"It serves as acquaint serve does, and prints a token and a write key. On loopback the playground has the token filled in."
}

// Run serves with a simulated population.
func (d *demo) Run(p *process) (err error) {
	listener, err := p.listen()
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // the server has closed it, or nothing was served
	secret, err := p.config.TokenSecret()
	if err != nil {
		return err
	}
	s, err := p.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	writeKey, err := d.load(p, s)
	if err != nil {
		if p.stopped() {
			p.note("stopped; what was loaded is kept, and acquaint demo goes on from there")
			return nil
		}
		return err
	}
	token, shown := "", ""
	if secret != nil {
		claims := server.Claims{Scope: demoScope, Purposes: demoPurposes()}
		claims.Subject = demoSource
		if token, err = p.sign(secret, claims, demoTTL); err != nil {
			return err
		}
		if p.config.Loopback() {
			shown = token
		}
	}
	return p.serve(listener, s, tryPurpose, shown, func() {
		p.say("Acquaint serves %s", address(listener))
		p.say("  database    %s", p.database())
		p.say("  playground  %s", address(listener))
		p.say("  token       %s", orElse(token, "of whoever holds the keys at ACQUAINT_JWKS_URL"))
		p.say("  write key   %s", orElse(writeKey, "made by another installation, and known there alone"))
		p.say("The token is valid for 24 hours and needs a purpose: the header Acquaint-Purpose: %s.", tryPurpose)
		p.say("Ctrl-C stops it.")
	})
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// loaded is what the data folder remembers of a load that came to its end. It
// names the source, so that another database is another load.
type loaded struct {
	Source      string `json:"source"`
	Individuals int    `json:"individuals"`
	Decided     bool   `json:"decided"` // in its experience, some weeks ago
}

// load sees to it that the population is there, and returns the write key of its
// source, or nothing where another installation made it.
func (d *demo) load(p *process, s *store.Store) (writeKey string, err error) {
	key, err := p.config.OwnSecret(config.DemoWriteKeyFile)
	if err != nil {
		return "", err
	}
	_, _, err = s.CreateSource(p.ctx, store.NewSource{Name: demoSource, WriteKey: string(key)})
	if err != nil && insight.KindOf(err) != insight.Conflict {
		return "", err
	}
	source, err := s.Source(p.ctx, demoSource)
	if err != nil {
		return "", err
	}
	if owner, err := s.SourceByWriteKey(p.ctx, string(key)); err == nil && owner.ID == source.ID {
		writeKey = string(key)
	}
	marker := filepath.Join(p.config.Data, loadedFile)
	want := loaded{Source: source.ID.String(), Individuals: d.Individuals, Decided: true}
	if had := readLoaded(marker); had.Source == want.Source && had.Individuals >= want.Individuals && had.Decided {
		return writeKey, tell(p.ctx, s)
	}
	// The source's id holds when it was made: a load that goes on, even from another
	// data folder, makes the same people and days.
	sec, nsec := source.ID.Time().UnixTime()
	population, err := simulate.New(simulate.Options{Seed: demoSeed, Individuals: d.Individuals, To: time.Unix(sec, nsec)})
	if err != nil {
		return "", flagged(err)
	}
	p.note("loading a simulated population of %s individuals into %s", count(int64(d.Individuals)), p.database())
	began := time.Now()
	tally, err := p.populate(s, source, population, began)
	if err != nil {
		return "", err
	}
	if err := tell(p.ctx, s); err != nil {
		return "", err
	}
	if err := decided(p.ctx, s, source, time.Unix(sec, nsec)); err != nil {
		return "", err
	}
	p.note("loaded: %s", summed(tally, time.Since(began)))
	return writeKey, want.write(marker)
}

// readLoaded reads the marker; one that is not there or not whole says nothing, and
// the load, which changes nothing that is there, is done again.
func readLoaded(file string) loaded {
	var l loaded
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &l) != nil {
		return loaded{}
	}
	return l
}

func (l loaded) write(file string) error {
	text, err := json.Marshal(l)
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o600)
	}
	if err != nil {
		return fileError(file, err)
	}
	return nil
}
