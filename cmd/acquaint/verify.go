package main

import (
	"errors"

	"github.com/acquaint/acquaint/internal/progress"
)

type verify struct{}

// Help says what is compared.
func (verify) Help() string {
	return "Who is whom, whose each interaction and trait is, every session and every individual's row are worked out anew " +
		"from the facts and compared with what is kept. The status is 1 when anything differs; the first differences are printed, by ids and without personal data."
}

// Run verifies the database.
func (verify) Run(p *process) (err error) {
	if err := p.configure(); err != nil {
		return err
	}
	s, err := p.openExisting()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	work := progress.Start(p.stderr, "verifying", "interactions", 0)
	v, err := s.Verify(p.ctx, func(interactions int) { work.At(int64(interactions)) })
	work.End()
	if err != nil {
		return err
	}
	for _, d := range v.Differences {
		p.say("%s", d)
	}
	if more := v.Total - len(v.Differences); more > 0 {
		p.say("and %s more", count(int64(more)))
	}
	p.say("%s individuals, %s identifiers, %s links, %s interactions, %s sessions, %s traits: %s differences",
		count(int64(v.Individuals)), count(int64(v.Identifiers)), count(int64(v.Links)), count(int64(v.Interactions)),
		count(int64(v.Sessions)), count(int64(v.Traits)), count(int64(v.Total)))
	if v.Total > 0 {
		return errTold
	}
	return nil
}
