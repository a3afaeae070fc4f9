package main

import (
	"errors"

	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/store"
)

type erase struct {
	Who      string `arg:"" optional:"" help:"${who}"`
	Reason   string `placeholder:"TEXT" help:"Why; it is in the receipt, and kept nowhere."`
	Suppress bool   `help:"Keep their identifiers as salted hashes, so that nothing of them is taken in again."`
	Subject  string `default:"operator" help:"Who asks, for the receipt."`
	Expired  bool   `help:"In place of one individual: everything past its retention, and everybody for whom no purpose is left. A server does so once a day by itself."`
}

// Help says what is printed.
func (erase) Help() string {
	return "The signed receipt is written to standard output, and kept nowhere: acquaint verify --receipt checks it. What it says is told on standard error."
}

// Run erases.
func (e *erase) Run(p *process) (err error) {
	if err := p.configure(); err != nil {
		return err
	}
	if e.Expired == (e.Who != "") {
		return &usage{"erase", "name one individual, or --expired"}
	}
	s, err := p.openExisting()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if e.Expired {
		done, err := s.Retain(p.ctx)
		if err != nil {
			return err
		}
		p.say("%s interactions past their retention, and %s individuals for whom no purpose was left (%s of them suppressed), were removed; %s individuals were looked at",
			count(int64(done.Interactions)), count(int64(done.Individuals)), count(int64(done.Suppressed)), count(int64(done.Looked)))
		return nil
	}
	who, err := p.who(e.Who)
	if err != nil {
		return err
	}
	if e.Reason == "" {
		return &usage{"--reason", "say why, for the receipt"}
	}
	_, signed, err := s.Erase(p.ctx, who, store.ErasureTerms{Asked: store.Asked{By: e.Subject, Reason: e.Reason}, Suppress: e.Suppress})
	if err != nil {
		return err
	}
	p.say("%s", signed)
	verdict, err := receipt.Verify(signed, s.ReceiptKey().Public())
	if err != nil {
		return err
	}
	for _, line := range verdict.Describe() {
		p.note("%s", line)
	}
	return nil
}
